"""Artificial critical points of programs that are not piecewise affine: flags, and descents that end in them."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sympy

from cfcompiler import compile_text
from cfcompiler.analyses.strata import strata_of
from cfcompiler.analyses.strata_question import question_of
from cfcompiler.compiler import Compiled
from cfcompiler.report import ArtificialPoint, StrataReport


def stratified(text: str, **options: Any) -> tuple[Compiled, StrataReport]:
    own = {name: options.pop(name) for name in ("preset", "overrides") if name in options}
    compiled = compile_text(text, **own)
    return compiled, strata_of(compiled.program, question_of(compiled.program, **{"seconds": 30, **options}))


def flat(row: Any) -> list[sympy.Expr]:
    if isinstance(row, dict):
        return [entry for value in row.values() for entry in flat(value)]
    if isinstance(row, str):
        return [sympy.sympify(row)]
    return [entry for value in row for entry in flat(value)]


def witness_of(report: StrataReport, point: ArtificialPoint) -> Any:
    return next(stratum.witness for stratum in report.strata if stratum.id == point.stratum)


def assert_it_ends_there(compiled: Compiled, report: StrataReport, point: ArtificialPoint) -> None:
    """One step by what `cfc at` says AD returns at the start, and none from there."""
    assert point.start is not None
    goal = witness_of(report, point)
    slope = compiled.at(**point.start).backward
    step = sympy.sympify(point.step)
    assert step > 0
    after = [x - step * g for x, g in zip(flat(point.start), flat(slope[0]), strict=True)]
    assert all(sympy.simplify(x - y) == 0 for x, y in zip(after, flat(goal), strict=True))
    assert not any(flat(compiled.at(**goal).backward[0]))


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("def f(x):\n    h = relu(x) - relu(-x)\n    return (h - 1)**2/2\n", [({"x": "-1"}, "1/2")]),
        (
            "def f(x, y):\n    h = y**2 - x\n    g = relu(h) - relu(-h)\n    return (g - 1)**2/2\n",
            [({"x": "1/2", "y": "0"}, "1/3")],
        ),
        # the witness is irrational: sqrt(2)
        ("def f(x):\n    h = relu(x**2 - 2) - relu(2 - x**2)\n    return (h - 1)**2/2\n", None),
        ("def f(x):\n    h = relu(x) - relu(-x)\n    return h/(1 + x*x)\n", None),
        ("def f(x):\n    h = relu(x) - relu(-x)\n    return h**5 + h - x**3\n", None),
        ("def f(x, y):\n    h = relu(x) - relu(-x)\n    return (h - 1)**2/2 + y**4 + x*y**3\n", None),
        ("def f(x, y, z):\n    h = relu(x) - relu(-x)\n    return (h - 1)**2/2 + y*y + z*z*x\n", None),
        ("def f(v: Real[2]):\n    h = relu(v[0]) - relu(-v[0])\n    return (h - 1)**2/2 + v[1]**2\n", None),
    ],
)
def test_a_step_from_the_start_ends_in_the_artificial_point(
    text: str, starts: list[tuple[dict[str, str], str]] | None
) -> None:
    compiled, report = stratified(text)
    stalling = [point for point in report.artificial if point.stalls]
    assert stalling
    for point in stalling:
        assert_it_ends_there(compiled, report, point)
    if starts is not None:
        assert [(point.start, point.step) for point in stalling] == starts


def test_where_every_step_leads_away_no_start_is_said() -> None:
    """Where x > 0 the slope by x is negative, where x < 0 positive: no step from either side ends at x = 0."""
    _, report = stratified("def f(x, y):\n    return -abs(x)*(1 + x*x) + relu(y) - relu(-y)\n")
    (point,) = report.artificial
    assert (point.point, point.stalls, point.start, point.step) == ({"x": "0", "y": "0"}, True, None, "")


def test_where_ad_does_not_return_0_there_is_no_start() -> None:
    _, report = stratified("def f(x, y):\n    h = x**2 + y\n    return x + y + relu(h) - relu(-h) - h\n")
    assert report.artificial
    assert all(point.start is None for point in report.artificial if not point.stalls)


def test_starts_of_random_programs_lead_there() -> None:
    """On h = 0 the chosen rules return 0, and the gradient is -a*h' there."""
    tried = 0
    for seed in range(8):
        rng = random.Random(seed)
        a, b, c, d = (rng.choice((-3, -2, -1, 1, 2, 3)) for _ in range(4))
        h = rng.choice(
            (f"{b}*x + {c}*y", f"{b}*x*y + {c}*x + {d}", f"x**2 + {c}*y", f"{b}*x**2 + x*y - {abs(d)}")
        )
        lines = f"    h = {h}\n    g = relu(h) - relu(-h)\n    return (g - {a})**2/2 + {d}*g**2*(x + {b})\n"
        compiled, report = stratified(f"def f(x, y):\n{lines}", seconds=6)
        for point in report.artificial:
            if point.start is not None:
                tried += 1
                assert_it_ends_there(compiled, report, point)
    assert tried >= 6
