"""D as a sum of segments, where many ties enter additively."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from cfcompiler.analyses.additive import segments_at
from cfcompiler.analyses.field import Field, seeds_of
from cfcompiler.arithmetic import EXACT
from cfcompiler.compiler import compile_text
from cfcompiler.feasibility.segments import SegmentSum, as_vertices
from cfcompiler.point import point_of
from cfcompiler.report import Explanation
from cfcompiler.targets.json_report import point_json
from cfcompiler.targets.point_text import point_blocks
from cfcompiler.targets.tables import plain
from tests.laws.exact_points import whole_field

WEIGHTS = [7 * k % 41 - 20 for k in range(40)]


def _sum_of(text: str, **point: Any) -> SegmentSum | None:
    program = compile_text(text).program
    return segments_at(program, point_of(program, point), list(seeds_of(program, EXACT)))


def _field(text: str, **point: Any) -> Field:
    program = compile_text(text).program
    return whole_field(program, point_of(program, point))


def _abs_sum(argument: str, weights: list[int]) -> str:
    return " + ".join(f"({w})*abs({argument.format(k)})" for k, w in enumerate(weights))


def test_forty_inputs_are_a_sum_and_not_expanded() -> None:
    text = f"def f(v: Real[40]):\n    return {_abs_sum('v[{}]', WEIGHTS)}\n"
    found = _field(text, v=[0] * 40)
    assert found.complete and not found.vertices and found.total is not None
    assert len(found.total.segments) == sum(w != 0 for w in WEIGHTS)
    lengths = sorted(abs(x) for segment in found.total.segments for x in segment if x)
    assert lengths == sorted(2 * abs(w) for w in WEIGHTS if w)


def test_one_input_with_few_values_has_its_vertices() -> None:
    text = f"def f(x):\n    return {_abs_sum('x', [1] * 40)}\n"
    report = compile_text(text).at(x=0)
    assert report.complete and report.segments is None
    assert [vertex[0]["x"] for vertex in report.vertices] == [str(k) for k in range(-40, 41, 2)]


def test_one_input_with_many_values_is_a_sum() -> None:
    text = f"def f(x):\n    return {_abs_sum('{}*x + x', [3 ** (k // 2) * (-1) ** k for k in range(40)])}\n"
    program = compile_text(text)
    report = program.at(x=0)
    answer = point_json(report)["field"]
    assert answer["vertices"] == [] and answer["complete"]
    assert len(answer["sum"]["segments"]) == 40
    assert report.judged.field_critical
    assert "+ sum of 40 segments" in plain(point_blocks(report, Explanation((), ()), program.program.source))


def test_zero_outside_a_sum_is_proved() -> None:
    terms = " + ".join(f"relu({3**k}*x)" for k in range(20))
    report = compile_text(f"def f(x):\n    return x + {terms}\n").at(x=0)
    assert report.segments is not None
    assert report.judged.field_critical is False


def test_an_artificial_critical_point_has_a_certificate_from_the_sum() -> None:
    terms = " + ".join(f"(relu({3**k}*x) - relu(-{3**k}*x))" for k in range(12))
    report = compile_text(f"def f(x):\n    return {terms}\n").at(x=0)
    assert report.segments is not None
    assert report.judged.artificial_critical
    combination = next(one for one in report.judged.certificates if one.relative_to == "field")
    total = sum(
        Fraction(w) * Fraction(str(point[0]["x"]))
        for w, point in zip(combination.weights, combination.points, strict=True)
    )
    assert total == 0 and sum(map(Fraction, combination.weights)) == 1


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("def f(x, y):\n    return relu(x) - abs(x - y) + 2*max(x, y)\n", {"x": 0, "y": 0}),
        ("def f(x, y):\n    r = relu(x)\n    return [r - y, 2*r + min(x, y), abs(y)]\n", {"x": 0, "y": 0}),
        ("def f(v: Real[3]):\n    return sum(abs(v)) + max(v[0:2])\n", {"v": [0, 0, 1]}),
        ("def f(x):\n    r = relu(x)\n    return r*r + exp(r) - relu(-x)\n", {"x": 0}),
    ],
)
def test_the_sum_has_the_vertices_of_the_sweep(text: str, point: dict[str, Any]) -> None:
    total = _sum_of(text, **point)
    assert total is not None
    found = _field(text, **point)
    flat = {tuple(entry for row in vertex for entry in row) for vertex in found.vertices}
    sums = set()
    for choice in product((0, 1), repeat=len(total.segments)):
        parts = [total.base, *(s for s, c in zip(total.segments, choice, strict=True) if c)]
        sums.add(tuple(sum(column) for column in zip(*parts, strict=True)))
    assert sums == flat


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    return relu(relu(x))\n",
        "def f(x):\n    return max(x, 2*x, 3*x)\n",
        "def f(x):\n    return sort([x, 2*x])[0]\n",
    ],
)
def test_what_is_not_additive_is_no_sum(text: str) -> None:
    assert _sum_of(text, x=0) is None


def test_a_program_too_large_to_unroll_has_its_field_where_ties_are_few() -> None:
    text = "def f(W: Const[90, 90], v: Real[90]):\n    return sum(relu(W @ v))\n"
    weights = np.eye(90)
    point = [1] * 88 + [0, 0]
    found = _field(text, W=weights.tolist(), v=point)
    assert found.complete and len(found.vertices) == 4


def test_a_combination_of_segments_is_one_of_vertices() -> None:
    base, segments = (Fraction(1), Fraction(0)), ((Fraction(2), Fraction(1)), (Fraction(0), Fraction(-3)))
    weights, points = as_vertices((Fraction(1, 4), Fraction(2, 3)), base, segments)
    assert sum(weights) == 1 and all(isinstance(w, Fraction) and w > 0 for w in weights)
    point = tuple(sum(w * p[k] for w, p in zip(weights, points, strict=True)) for k in (0, 1))
    assert point == (Fraction(3, 2), Fraction(1, 4) - 2)
