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
    compiled = compile_file(gallery.folder() / "nesterov_abs.cf")
    assert r"\bar{x} &= \bar{x}^{(1)} + " in compiled.emitted("latex")
