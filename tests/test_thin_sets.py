"""Branches that run on a thin set only, with a condition that vanishes there behind kinks, orderings and steps.

What is true is known by hand. A kink before the condition is continuous, so that the thin set may lie on its edge.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from cfcompiler.analyses.landscape import Effort, landscape_at
from cfcompiler.compiler import compile_text
from cfcompiler.feasibility.interiors import is_zero_alone, relative_interior
from cfcompiler.point import point_of
from cfcompiler.report import Judged
from cfcompiler.transforms.scalarize import scalarize
from cfcompiler.transforms.tidy import tidy


def judged(text: str, **point: Any) -> Judged:
    if not text.startswith("def "):
        text = f"def f({', '.join(point)}):\n    return {text}\n"
    return compile_text(text).at(**point).judged


PLANE = {"x": 0, "y": 0}
SPACE = {"x": 0, "y": 0, "z": 0}
SORTED = "def f(v: Real[3]):\n    s = sort(v)\n    return {} if s[2] - s[0] == 0 else v[0]\n"
HEAD = "def f(x, y):\n    a = relu(x) - relu(-x)\n"
TWICE = HEAD + "    if a >= 0:\n        if a <= 0:\n            return {}\n    return {}\n"
UNDER = HEAD + "    if y > 0:\n        if a == 0:\n            return {}\n    return {}\n"
AND = "def f(x, y, z):\n    a = {}\n    return {} if a == 0 and {} else {}\n"
LINES = "def f(x, y, z):\n    a = {}\n    return {} if a == 0 else x + y + z\n"


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("0 if relu(x) - relu(-(x)) == 0 else x + 2*y", PLANE),
        ("where(relu(x) - relu(-x) == 0, 0, x + 2*y)", PLANE),
        ("0 if abs(x) == 0 else x + 2*y", PLANE),
        ("0 if relu(x) + relu(-x) <= 0 else x + 2*y", PLANE),
        ("x + 2*y if max(x, -x) > 0 else 0", PLANE),
        ("0 if median([x, 2*x, 3*x]) == 0 else x + 2*y", PLANE),
        ("(0 if abs(x) == 0 else 1)*y", PLANE),
        ("relu(0 if abs(x) == 0 else x + 2*abs(y))", PLANE),
        ("x if floor(abs(x)) + ceil(abs(x)) == 0 else x + y", PLANE),
        ("0 if sign(relu(x)) == sign(relu(-x)) else x + 2*y", PLANE),
        (TWICE.format("0", "x + 2*y"), PLANE),
        (UNDER.format("0", "x + y"), PLANE),  # the thin set is beside the point, in y > 0
        (LINES.format("max(abs(x), abs(y))", "0"), SPACE),
        (LINES.format("max(x, -x, y, -y)", "0"), SPACE),
        (LINES.format("abs(x) + abs(x - y)", "0"), SPACE),
        (SORTED.format("0"), {"v": [0, 0, 0]}),
        ("def f(v: Real[3]):\n    return 0 if max(v) - median(v) == 0 else v[0] - v[1]\n", {"v": [0, 0, 0]}),
        ("0 if abs(x**2 - y) == 0 else x", PLANE),
        ("0 if relu(x*y) + relu(-x*y) == 0 else x + y", PLANE),
        ("x if x**2 - y**2 > 0 else 0", PLANE),  # the gradient of the condition is zero at the point
        ("0 if max(abs(y - x**3), relu(z - x**2)) == 0 else z", SPACE),
        ("0 if relu(sin(x)) - relu(-sin(x)) == 0 else exp(y) - 1", PLANE),
    ],
)
def test_a_jump_beside_the_point_is_seen_behind_kinks(text: str, point: dict[str, Any]) -> None:
    found = judged(text, **point)
    assert found.verdict == "undefined", found.reason
    assert found.gradient is None or all(value is None for value in found.gradient)
    assert "jumps at points arbitrarily near" in found.reason


@pytest.mark.parametrize(
    ("text", "point", "verdict"),
    [
        ("0 if abs(x) == 0 else x", {"x": 0}, "spurious"),
        ("0 if max(x, -x) == 0 else x", {"x": 0}, "spurious"),
        ("y if relu(x) + relu(-x) == 0 else x + y", {"x": 0, "y": 1}, "spurious"),
        ("y if relu(x) + relu(-x) == 0 else x + y", PLANE, "spurious"),
        ("y if relu(x) + relu(-x) == 0 else x + y", {"x": 1, "y": 0}, "exact"),
        ("0 if relu(x*y) + relu(-x*y) == 0 else x*y", PLANE, "exact"),
        ("0 if abs(x) + abs(y) == 0 else x + 2*y", PLANE, "spurious"),
        ("x if abs(x**2 - y) == 0 else x + x**2 - y", PLANE, "spurious"),
        ("0 if max(abs(y - x**2), abs(y + x**2)) == 0 else x", PLANE, "spurious"),
        ("1 if abs(x) == 0 else x", {"x": 0}, "discontinuous"),
        (SORTED.format("v[1]"), {"v": [0, 0, 0]}, "spurious"),
        (LINES.format("max(abs(x), abs(y))", "z"), SPACE, "spurious"),
        (TWICE.format("y", "x + y"), PLANE, "spurious"),
        (UNDER.format("y", "x + y"), PLANE, "exact"),
        (UNDER.format("1", "x + y"), PLANE, "discontinuous"),  # 1 is approached beside the point only
    ],
)
def test_a_thin_arm_that_joins_is_no_jump(text: str, point: dict[str, Any], verdict: str) -> None:
    found = judged(text, **point)
    assert found.verdict == verdict, found.reason


@pytest.mark.parametrize(
    ("text", "point", "vertices"),
    [
        (UNDER.format("y", "x + y"), PLANE, {("0", "1"), ("1", "1")}),
        (
            AND.format("max(abs(x - 3*y), abs(y - 7*z))", "z", "2*y + x > 5*z", "x - 3*y + z"),
            SPACE,
            {("0", "0", "1"), ("1", "-3", "1")},
        ),
        (
            AND.format("abs(x - y**2) + abs(z - y**3)", "y", "y + x**2 < 0", "x - y**2 + y"),
            SPACE,
            {("0", "1", "0"), ("1", "1", "0")},
        ),
    ],
)
def test_the_field_has_thin_arms_that_are_only_approached(
    text: str, point: dict[str, Any], vertices: set[tuple[str, ...]]
) -> None:
    found = compile_text(text).at(**point)
    assert found.judged.verdict == "exact", found.judged.reason
    assert found.complete
    assert {tuple(row.values()) for (row,) in found.vertices} == vertices


@pytest.mark.parametrize(("guard", "qualified"), [("relu(-v[0]) == 0", False), ("relu(-v[0]) < 1", True)])
def test_many_ties_are_no_qualification_where_a_branch_is_tied(guard: str, qualified: bool) -> None:
    """On the first piece, v[0] > 0, the guard is decided without a sign."""
    text = f"def f(v: Real[9]):\n    return sum(abs(v)) + (0 if {guard} else v[1])\n"
    program = tidy(scalarize(tidy(compile_text(text).program), 1000))
    point = point_of(program, {"v": [0] * 9})
    assert landscape_at(program, point, Effort(seconds=0.05, cells=4)).qualified == qualified


def test_cells_that_only_kinks_tell_apart_are_not_compared() -> None:
    """Hundreds of cells, one branch: a kink is continuous by construction, and the walls of the branch are few."""
    found = judged(
        "def f(x, y, z, w):\n"
        "    a = abs(x) + abs(y) + abs(z) + abs(w) + abs(x - y) + abs(y - z) + abs(z - w) + abs(x + y)\n"
        "    return a if x + 2*y - z > 0 else a + relu(x + 2*y - z)\n",
        x=0,
        y=0,
        z=0,
        w=0,
    )
    assert found.verdict == "clarke", found.reason


def rows(*vectors: tuple[int, ...]) -> list[tuple[Fraction, ...]]:
    return [tuple(map(Fraction, vector)) for vector in vectors]


def test_the_relative_interior_tells_inequalities_from_equations() -> None:
    weak = rows((1, 0, 0), (0, 1, 0), (0, 0, 1))
    found = relative_interior((), weak, rows((1, 1, 0)), dimension=3)
    assert found is not None and found.vanishing == (0, 1)
    assert found.vector[:2] == (0, 0) and found.vector[2] > 0
    assert not is_zero_alone((), weak, rows((1, 1, 0)), found)
    alone = relative_interior((), weak, rows((1, 1, 1)), dimension=3)
    assert alone is not None and is_zero_alone((), weak, rows((1, 1, 1)), alone)
    assert relative_interior(rows((1, 0, 0)), weak, rows((1, 1, 0)), dimension=3) is None
