"""LaTeX of programs: in each block of equations a name is given one value."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from cfcompiler import gallery
from cfcompiler.compiler import Compiled, compile_file, compile_text
from tests.random_texts import KINDS, random_text

ROW = re.compile(r"^(.*?) &= ", re.MULTILINE)


def twice(compiled: Compiled) -> list[tuple[str, str]]:
    """The first line of a block, and a name that it gives a value more than once."""
    found = []
    for block in compiled.emitted("latex").split("\n% "):
        # what a reader sees: braces group, and are not printed
        names = Counter(re.sub(r"[{}]", "", name) for name in ROW.findall(block))
        found += [(block.splitlines()[0], name) for name, count in names.items() if count > 1]
    return found


def test_no_name_of_an_example_is_given_two_values() -> None:
    found = {name: twice(compile_file(gallery.folder() / f"{name}.cf")) for name in gallery.names()}
    assert len(found) > 20
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_of_a_random_program_is_given_two_values(kind: str) -> None:
    for seed in range(12):
        text = random_text(seed, kind, statements=10).text
        assert twice(compile_text(text)) == [], text


def test_two_inputs_that_look_alike_are_told_apart() -> None:
    compiled = compile_text("def f(x2, x_2):\n    return x2*x_2 + sin(x2) + exp(x_2)\n")
    text = compiled.emitted("latex")
    assert twice(compiled) == []
    assert r"f(x_{2}, x_{2}^{(1)}) &= x_{2} \, x_{2}^{(1)} + \sin" in text
    assert r"\exp\left(x_{2}^{(1)}\right)" in text


def test_a_partial_sum_has_a_name_of_its_own() -> None:
    terms = " + ".join(f"abs({factor}*x - {factor + 1})*sin({factor}*x)" for factor in range(2, 8))
    compiled = compile_text(f"def f(x):\n    return {terms}\n")
    backward = compiled.emitted("latex").split("% f under")[3]
    assert re.search(r"\\bar\{x\} &= \\bar\{x\}\S+ \+ ", backward)
    assert twice(compiled) == []


def latex(text: str) -> str:
    return compile_text(text).emitted("latex")


def test_sums_and_extrema_say_along_which_axes() -> None:
    found = latex(
        "def f(A: Real[3,4], w: Real[3]):\n    return sum(max(A, axis=1)) + max(w) + sum(min(A, axis=0))\n"
    )
    assert r"\sum_{i} \max_{j} {A}_{i,j} + \max_{i} {w}_{i} + \sum_{j} \min_{i} {A}_{i,j}" in found
    assert r"\left|\arg\max_{j} {A}_{i,j}\right|" in found  # each of those that are equal has its share


def test_a_pooling_is_written_with_its_windows() -> None:
    found = latex("def f(x: Real[4,4]):\n    return sum(maxpool(x, 2))\n")
    forward, backward = found.split("% f under")[2:]
    assert r"\mathbf{1}_{\text{first } \arg\max_{k} " in forward and r"\mathcal{W} \, \dot{x}" in forward
    assert r"\bar{x} &= \mathcal{W}^{\top} \, \left(\mathbf{1}_{\text{first }" in backward
    assert "operatorname" not in found and r"\_" not in found


def test_two_poolings_have_windows_of_their_own() -> None:
    found = latex(
        "def f(x: Real[4,4]):\n    return sum(maxpool(x, 2)) + sum(maxpool(x, 4)) + sum(maxpool(x**2, 2))\n"
    )
    assert r"\mathcal{W}_{2} \, x" in found and r"\mathcal{W} \, x^{2}" in found


def test_a_product_of_column_and_row_is_transposed() -> None:
    assert r"\bar{A} &= c \, x^{\top}" in latex("def f(A: Real[3,2], x: Real[2]):\n    return A @ x\n")


def test_what_the_compiler_adds_to_zero_is_not_written() -> None:
    text = "def f(x: Real[2], y: Real[2]):\n    h = relu(x) * y\n    return sum(h + 0) + 0 * x[0]\n"
    found = latex(text)
    program = found.split("% f under")[1]
    assert "+ 0" in program  # as the user wrote it
    for block in found.split("% f under")[2:]:
        assert re.findall(r"\\(?:dot|bar)\{\w+\} &= [^\n]*(?:\+ 0\b(?!\.)|\b0 \\odot)", block) == []


def test_the_compilers_first_powers_and_choices_of_the_same_are_not_written() -> None:
    arms = "    if y > 0:\n        z = x[0]**2\n    else:\n        z = x[1]**2\n"
    text = f"def f(x: Real[2], y: Real):\n{arms}    return z\n"
    backward = latex(text).split("% f under")[3]
    assert "^{1}" not in backward
    assert re.findall(r"cases\} (.+?) & [^&]*? \\\\ \1 & ", backward) == []
