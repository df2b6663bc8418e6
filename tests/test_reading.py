"""Generated modules as a first reader meets them: names by their place, each source line said once, short lines."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cfcompiler.compiler import compile_text
from cfcompiler.targets.numpy_module import emit
from cfcompiler.targets.numpy_module.texts import without_types

FIT = """def fit(w: Real[3], x: Real[4,3], y: Real[4]) -> Real:
    r = x @ w - y
    return sum(relu(r) ** 2) + max(w) + 0.5 * sum(abs(w))
"""
LOOP = """def loop(w: Real[3], limit: Real) -> Real:
    total = 0
    for i in range(3):
        if w[i] > limit:
            total = total + w[i] ** 2
        else:
            total = total - w[i]
    return total
"""
POOL = """def pool(x: Real[4,4]) -> Real:
    return sum(maxpool(x, 2))
"""


def text_of(source: str) -> str:
    return emit(compile_text(source).program)


def body_of(module: str, function: str) -> str:
    found = re.search(rf"^def _{function}_point\(.*?\n(.*?)^\n", module, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def executed(text: str) -> Any:
    module = ModuleType("m")
    exec(text, module.__dict__)
    return module


def test_entries_are_named_by_their_place() -> None:
    value = body_of(text_of(FIT), "value")
    for place in range(4):
        inner = " + ".join(f"x_{place}_{k} * w_{k}" for k in range(3))
        assert f"    r_{place} = {inner} - y_{place}\n" in value
    gradient = body_of(text_of(FIT), "gradient")
    assert "c_w_0 = " in gradient
    assert "c_x_2_1 = " in gradient
    assert re.search(r"return \w+, \(array\(c_w\), array\(c_x\)\.reshape\(4, 3\), array\((c_y|\[)", gradient)


def test_the_cotangents_of_a_vector_stand_in_their_order() -> None:
    source = "def f(w: Real[3]) -> Real:\n    return relu(w[0])*w[1] + abs(w[2])*w[1] + w[0]**2 + max(w)\n"
    gradient = body_of(text_of(source), "gradient")
    returned = gradient.strip().split("\n")[-1]
    places = [int(place) for place in re.findall(r"\bc_w_(\d)", returned)]
    assert places == sorted(places)
    for name, place in re.findall(r"\b(c_w_(\d)\w*) = ", gradient):
        assert place in "012", name


def test_entries_do_not_take_a_name_of_the_users() -> None:
    source = """def f(r: Real[2], r_0: Real, c_r_1: Real) -> Real:
    r_1 = r_0 * c_r_1
    return r_1 * r[0] + relu(r[1]) * r_0
"""
    module = executed(text_of(source))
    given = np.array([2.0, 3.0]), 5.0, 7.0
    assert module.value(*given) == 35.0 * 2.0 + 3.0 * 5.0
    by_r, by_r_0, by_c = module.grad(*given)
    assert by_r.tolist() == [35.0, 5.0]
    assert (by_r_0, by_c) == (7.0 * 2.0 + 3.0, 10.0)


def test_names_that_look_like_counts_are_kept_apart() -> None:
    source = """def f(x: Real[2], x_2: Real[2], d_x: Real[2]) -> Real:
    return sum(relu(x) * x_2) + sum(x * d_x) + max(x) + max(x_2 * x)
"""
    module = executed(text_of(source))
    given = np.array([1.0, 2.0]), np.array([3.0, 5.0]), np.array([7.0, 11.0])
    by_x, by_second, by_third = module.grad(*given)
    assert by_x.tolist() == [3.0 + 7.0, 5.0 + 11.0 + 1.0 + 5.0]
    assert (by_second.tolist(), by_third.tolist()) == ([1.0, 2.0 + 2.0], [1.0, 2.0])


@pytest.mark.parametrize("source", [FIT, LOOP, POOL])
def test_a_source_line_is_said_once_until_another_is(source: str) -> None:
    text = text_of(source)
    for function in ("value", "gradient", "jvp", "lexicographic"):
        said = re.findall(r"^ *# (line \d+)", body_of(text, function), re.MULTILINE)
        assert said and all(one != other for one, other in zip(said, said[1:], strict=False)), function


def test_a_choice_between_the_same_is_none() -> None:
    found = re.findall(r"= (.+?) if \w+ else (.+)$", text_of(LOOP), re.MULTILINE)
    assert [arms for arms in found if arms[0] == arms[1]] == []


@pytest.mark.parametrize(("quote", "word"), [('"""', '"what"'), ("'''", '"what"'), ('"', "what")])
def test_the_source_is_readable_whatever_it_quotes(quote: str, word: str) -> None:
    says = f"Says {word} it does: 1/2 of it."
    source = f"""def f(x: Real[2],
      y: Real) -> Real:
    # of two parts
    {quote}{says}{quote}
    assert y > 0, "not \\\\ above"
    return relu(x[0]) * y + x[1]
"""
    text = text_of(source)
    module = executed(text)
    assert source == module.SOURCE
    start = text.index("\nSOURCE = ")
    assert len(text[start:].split("\n\n")[0].strip().split("\n")) >= 7
    lines = module.__doc__.split("\n")
    assert lines[2] == says
    assert "Inputs: x of shape (2,), y (a number)." in lines


def test_a_docstring_with_quotes_of_its_own_ends_nothing() -> None:
    source = "def f(x):\n    '''One.\n\n    \"\"\"Two\"\"\"\n    '''\n    return relu(x)\n"
    module = executed(text_of(source))
    assert source == module.SOURCE
    assert '"""Two"""' in module.__doc__


def test_results_are_told_in_words() -> None:
    assert ", a tuple of 3 numbers." in text_of("def f(x):\n    return x, x**2, relu(x)\n")
    assert ", a tuple: a number and an array of shape (2,)." in text_of(
        "def f(x: Real[2]):\n    return x[0], relu(x)\n"
    )


def test_the_condition_of_the_quick_way_has_short_lines() -> None:
    text = text_of(FIT)
    users = text[text.index("# what a user calls") : text.index("# many points")]
    conditions = [line for line in users.split("\n") if "is FLOAT64" in line]
    assert conditions and max(map(len, conditions)) <= 100


def test_a_docstring_keeps_its_lines_without_types() -> None:
    source = '''def f(x: int, *, y: str = "a") -> None:
    """What.

    shares: an array to write to.
    """
    z: dict[str, int]
    w: int | None
    return x
'''
    bare = without_types(source)
    assert "    shares: an array to write to.\n" in bare
    assert "z:" not in bare and "w:" not in bare


def test_the_modes_of_an_extremum_are_told_in_a_sentence() -> None:
    text = text_of(FIT)
    assert "gate select" not in text
    assert "an entry that is not the extremum counts for nothing forward and is multiplied by 0" in text


def test_the_ties_of_a_pooling_are_counted_once() -> None:
    counts = re.findall(r"float\((\w+) == (\w+)\)", body_of(text_of(POOL), "lexicographic"))
    assert len(counts) == len(set(counts)) == 16


def test_what_is_never_zero_is_not_compared_with_zero() -> None:
    source = """def f(x: Real, y: Real) -> Real:
    if x < 0:
        return x
    if x**2 + y**2 + 1 == 0:
        return y
    return relu(x - y)
"""
    along = body_of(text_of(source), "along")
    assert "1.0 == 0.0 else" not in along and "+ 1.0 == 0.0\n" in body_of(text_of(source), "value").replace(
        ":", ""
    )
    assert executed(text_of(source)).lexicographic(1.0, 1.0) == (1.0, -1.0)
