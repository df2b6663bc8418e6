"""Kinks, extrema and orders by answers about pairs choose what the interpreter chooses."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cfcompiler import compile_text
from cfcompiler.analyses.pairwise import chosen, codes_of, extreme_places, pair_code, sorted_places
from cfcompiler.arithmetic import EXACT, UNORDERED
from cfcompiler.interpreter import Machine
from cfcompiler.ir import Apply


def ask(pair: tuple[int, ...], left: Any, right: Any) -> int:
    return int(EXACT.compare(np.asarray(left, dtype=object), np.asarray(right, dtype=object))[()])


def rows(count: int) -> list[np.ndarray]:
    """Short rows with ties and, in some, NaN and inf."""
    rng = random.Random(11)
    found = []
    for _ in range(count):
        entries: list[Any] = [Fraction(rng.randint(-2, 2)) for _ in range(rng.randint(1, 6))]
        if rng.random() < 0.4:
            entries[rng.randrange(len(entries))] = rng.choice(("nan", "inf", "-inf"))
        found.append(np.array(entries, dtype=object))
    return found


def machine(text: str, op: str) -> tuple[Machine, Apply]:
    program = compile_text(text).program
    found = next(i for i in program.instructions if isinstance(i, Apply) and i.op == op)
    return Machine(program, EXACT), found


@pytest.mark.parametrize("line", ["sort(v)[0]", "sort(v, descending=True)[0]"])
def test_orders(line: str) -> None:
    own, order = machine(f"def f(v: Real[3]):\n    return {line}\n", "order")
    for row in rows(60):
        assert sorted_places(row, order, ask) == own._sorted(row, order)


@pytest.mark.parametrize("sense", ["max", "min"])
@pytest.mark.parametrize("last", [False, True])
def test_extrema(sense: str, *, last: bool) -> None:
    own, _ = machine("def f(v: Real[3]):\n    return max(v)\n", "extremum")
    for row in rows(80):
        best, tied = extreme_places(row, sense, last=last, ask=ask)
        assert best == own._first_extreme(row, sense, last=last)
        assert best in tied
        if "nan" not in row:
            assert tied == [k for k, entry in enumerate(row) if entry == row[best]]


def test_kinks() -> None:
    left = np.array([Fraction(1), Fraction(0), "nan", Fraction(-2)], dtype=object)
    codes = codes_of(left, np.asarray(Fraction(0), dtype=object), ask)
    assert list(codes) == [1, 0, UNORDERED, -1]
    above, below = (np.array([Fraction(k)] * 4, dtype=object) for k in (5, 7))
    assert list(chosen(codes, above, below, "nan")) == [5, 5, "nan", 7]


def test_a_pair_is_asked_with_the_earlier_place_first() -> None:
    asked = []

    def noted(pair: tuple[int, ...], left: Any, right: Any) -> int:
        asked.append((pair, left, right))
        return 1

    row = [Fraction(3), Fraction(1)]
    assert (pair_code(row, 0, 1, noted), pair_code(row, 1, 0, noted)) == (1, -1)
    assert asked == [((0, 1), 3, 1)] * 2
