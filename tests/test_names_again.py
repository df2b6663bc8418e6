"""In a long function the names of values that are no longer needed are given to the next ones; nothing else changes."""

from __future__ import annotations

import re

import numpy as np

from cfcompiler.arithmetic import FLOATS
from cfcompiler.compiler import compile_text
from cfcompiler.interpreter import run
from cfcompiler.targets.numpy_module.names_again import MOST, with_names_again
from cfcompiler.transforms.reverse import gradient

FILLER = [f"    v{number} = x + {number}.0" for number in range(MOST + 1)]


def _changed(lines: list[str], own: set[str]) -> list[str]:
    return with_names_again([*lines, *FILLER], own, "    ")[: len(lines)]


def test_a_name_is_given_away_after_its_last_use() -> None:
    lines = [
        "    t_1 = a*b",
        "    t_2 = cos(t_1)",
        "    # t_2 is t_1",
        "    t_3 = t_2*d + t_2",
        "    return t_3, v1",
    ]
    assert _changed(lines, {"t_1", "t_2", "t_3"}) == [
        "    c_1 = a*b",
        "    c_1 = cos(c_1)",
        "    # t_2 is t_1",
        "    c_1 = c_1*d + c_1",
        "    return c_1, v1",
    ]


def test_what_lives_on_keeps_its_name_to_itself() -> None:
    lines = [
        "    t_1 = a",
        "    c_x = t_1*b",
        "    c_x = c_x + t_1",
        "    t_2 = c_x*t_1",
        "    return c_x + t_2",
    ]
    assert _changed(lines, {"t_1", "t_2", "c_x"}) == [
        "    c_1 = a",
        "    c_2 = c_1*b",
        "    c_2 = c_2 + c_1",
        "    c_1 = c_2*c_1",
        "    return c_2 + c_1",
    ]


def test_names_of_branches_of_the_user_and_in_texts_stay() -> None:
    lines = [
        "    t_1 = a",
        "    if t_1 < 0.0:",
        "        t_2 = t_1",
        "    else:",
        "        t_2 = 1.0",
        "    c_1 = t_2",
        "    raise ValueError('line 3: t_1')",
    ]
    assert _changed(lines, {"t_1", "t_2"}) == [
        "    c_2 = a",
        "    if c_2 < 0.0:",
        "        t_2 = c_2",
        "    else:",
        "        t_2 = 1.0",
        "    c_1 = t_2",
        "    raise ValueError('line 3: t_1')",
    ]


def test_a_short_function_keeps_its_names() -> None:
    lines = ["    t_1 = a*b", "    t_2 = cos(t_1)", "    return t_2*t_2"]
    assert with_names_again(lines, {"t_1", "t_2"}, "    ") == lines


def test_a_long_program_has_fewer_names_and_the_same_bits() -> None:
    text = ["def f(x, y):", "    a0 = x", "    a1 = y"]
    for k in range(2, 240):
        one, other = f"a{k - 1}", f"a{k // 2}"
        text.append(
            (
                f"    a{k} = {one}*sin({other})",
                f"    a{k} = max({one}, {other}) - relu({other})/3",
                f"    a{k} = {one}*{one} if {other} > {one} else {other} - cos({one})",
            )[k % 3]
        )
    compiled = compile_text("\n".join([*text, "    return a239 + a120", ""]))
    written = re.search(r"def _gradient_point.*?(?=\n\n\n)", compiled.module(), re.DOTALL)
    assert written is not None
    made = re.findall(r"^    (c_\d+) = ", written[0], re.MULTILINE)
    assert 1 < len(set(made)) < len(made) / 2
    slopes = gradient(compiled.program)
    for point in ((0.5, -0.25), (1.0, 1.0), (-2.0, 0.0), (0.0, 3.0)):
        values = run(slopes, {"x": np.array(point[0]), "y": np.array(point[1])}, FLOATS)
        wanted = [float(values[value.name]) for value in slopes.results]
        value, found = compiled.namespace["value_and_grad"](*point)
        assert [value, *found] == wanted
