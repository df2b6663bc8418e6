"""What explains a point agrees with what is known of it: laws over random programs at tied points.

Slopes on both sides are the gradient where there is one; the choice that the rules make returns what AD returns; a
NaN or inf has an origin, and that of an arm that was not selected is no part of the value; float64 that computes
without rounding differs nowhere.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cfcompiler.analyses.at import at
from cfcompiler.analyses.choices import choices_at
from cfcompiler.analyses.explanation import explanation_at
from cfcompiler.analyses.landscape import Effort
from cfcompiler.analyses.sides import sides_at
from cfcompiler.arithmetic import EXACT
from cfcompiler.errors import CFError
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import compare
from cfcompiler.report import PointReport
from cfcompiler.targets import point_text, tables
from tests.random_programs import random_array_program, random_program

SEEDS = range(40)
LITTLE = Effort(0.5, 64)
VALUES = (0, 0, 1, -1, Fraction(1, 2))


def exact_point(program: Program, seed: int) -> dict[str, Any]:
    """A point of few values, so that much is tied."""
    point = {}
    for place, param in enumerate(program.params):
        array = np.empty(param.value.shape, dtype=object)
        for index, entry in enumerate(np.ndindex(array.shape)):
            array[entry] = Fraction(VALUES[(seed * 7 + place * 3 + index * 2 + seed // 5) % len(VALUES)])
        point[param.value.name] = array
    return point


def cases(seed: int) -> list[tuple[Program, dict[str, Any], PointReport]]:
    """A scalar program and an array program, each at a point in its domain."""
    found = []
    programs = (random_program(seed, size=8), random_array_program(seed, size=6, width=2))
    for program in programs:
        point = exact_point(program, seed)
        try:
            found.append((program, point, at(program, point, program.preset, LITTLE, floats=True)))
        except CFError:
            continue
    return found


def leaves(nested: Any) -> list[str]:
    return [nested] if isinstance(nested, str) else [leaf for part in nested for leaf in leaves(part)]


def special(nested: Any) -> bool:
    return any(leaf in ("nan", "inf", "-inf") for leaf in leaves(nested))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_explained_agrees_with_the_report(seed: int) -> None:
    for program, point, report in cases(seed):
        values = run(program, point, EXACT)
        _slopes_are_the_gradient(program, point, report, values)
        _what_the_rules_choose_is_what_ad_returns(program, point, report, values)
        _what_is_special_has_an_origin(report)
        explanation = explanation_at(program, point, report)
        assert tables.plain(point_text.point_blocks(report, explanation, program.source))


def _slopes_are_the_gradient(
    program: Program, point: dict[str, Any], report: PointReport, values: dict[str, Any]
) -> None:
    if report.judged.gradient is None:
        return
    gradients = [[leaf for value in row.values() for leaf in leaves(value)] for row in report.judged.gradient]
    for entry, side in enumerate(sides_at(program, point, values)):
        for slopes in (side.left, side.right):
            for slope, gradient in zip(slopes, gradients, strict=True):
                if slope not in ("unknown", "outside"):
                    assert slope != "jump"
                    assert compare(parse_number(slope), parse_number(gradient[entry])) == 0


def _what_the_rules_choose_is_what_ad_returns(
    program: Program, point: dict[str, Any], report: PointReport, values: dict[str, Any]
) -> None:
    from cfcompiler.analyses.at import row_of

    for choice in choices_at(program, point, values, lambda arrays: row_of(program, arrays)):
        for word, rows in choice.returned:
            if word == choice.taken:
                assert rows == report.backward


def _what_is_special_has_an_origin(report: PointReport) -> None:
    derivatives = [value for row in (*report.forward, *report.backward) for value in row.values()]
    assert (report.nan is not None) == (special(report.value) or special(derivatives))
    if report.nan is not None and report.nan.mode == "value":
        assert report.nan.selected
