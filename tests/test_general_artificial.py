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
from cfcompiler.gallery import folder
from cfcompiler.report import ArtificialPoint, StrataReport
from tests.test_general_strata import disagreements


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


# D where arrays are tied


def test_tied_sorts_are_decided() -> None:
    report = compile_text((folder() / "sliced_wasserstein.cf").read_text(encoding="utf-8")).strata()
    assert report.complete
    assert not report.artificial


@pytest.mark.parametrize(
    ("text", "artificial"),
    [
        # entry by entry relu(x) - relu(-x), of which AD misses the slope
        (
            "def f(a, b):\n    x = [a, b]\n    h = relu(x) - relu(-x)\n    return (sum(h) - 1)**2/2\n",
            ["a == 0 and b == 0"],
        ),
        # an equality for each entry: its arm has the slope 0, beside it there is 2*x + 1
        (
            "def f(a, b):\n    x = [a, b]\n    return sum(where(x == 0, 0, x*x + x))\n",
            ["b == 0 and a == -1/2", "a == 0 and b == -1/2", "a == 0 and b == 0"],
        ),
        # (a - 1)**2 + 2*b; D adds 3*s*(2*a, -1) with -1 <= s <= 1, and s = 2/3 where a is 1/3
        (
            "def f(a, b):\n    x = [a*a, b]\n    return 3*max(x) - 3*sort(x)[1] + (a - 1)**2 + 2*b\n",
            ["b == 1/9 and a == 1/3"],
        ),
        # the same with s alone does not reach 2
        ("def f(a, b):\n    x = [a*a, b]\n    return max(x) - sort(x)[1] + (a - 1)**2 + 2*b\n", []),
        # a*a - b; D adds s*(2, -2)
        (
            "def f(a, b):\n    y = sort([a, b])\n    z = sort([-a, -b])\n    return 2*y[0] + 2*z[1] + a*a - b\n",
            ["a == 1/2 and b == 1/2"],
        ),
        # a sum over all keys is smooth, in whatever order they are
        ("def f(a, b):\n    y = sort([a, b])\n    return (y[0] + y[1] - 1)**2 + a\n", []),
        ("def f(a, b, c):\n    return sum((sort([a, b, c]) - [0, 1, 3])**2)/2\n", []),
        ("def f(a, b):\n    y = sort([a*a, b*b])\n    return median(y)*a\n", []),
    ],
)
def test_flags_of_array_programs(text: str, artificial: list[str]) -> None:
    compiled, report = stratified(text)
    assert report.complete
    assert None not in {stratum.artificial_critical for stratum in report.strata}
    assert [point.where for point in report.artificial] == artificial
    assert not disagreements(compiled, report, 3, 12)


def array_program(seed: int) -> str:
    """Orderings, kinks and choices of the entries of an array, one after the other."""
    rng = random.Random(seed)
    numbers = [rng.choice((-2, -1, 1, 2, 3)) for _ in range(6)]
    before, lines = "x", ["    x = [a, b]"]
    for place in range(rng.choice((1, 2))):
        row = rng.choice(
            (
                "sort({0})",
                "relu({0}) - relu(-{0})",
                "abs({0} + {1})",
                "where({0} > {1}, {0}*{0}, {0})",
                "where({0} == 0, 0, {0}*{1})",
                "{0}*x[0]",
                "{0}**2",
                "sort(relu({0}) + {0}*{0})",
            )
        )
        lines.append(f"    y{place} = {row.format(before, numbers[place])}")
        before = f"y{place}"
    last = rng.choice(
        (
            f"sum({before}*{numbers[2:4]})",
            f"max({before}) - min(x)",
            f"(sum({before}) - {numbers[2]})**2",
            f"max({before})*{numbers[2]} + sum(x*x)",
            f"({before}[0] - 1)**2 + {before}[1]*{numbers[2]} + relu({before}[0])",
        )
    )
    return "\n".join(["def f(a, b):", *lines, f"    return {last}{rng.choice(('', ' + a', ' - b*b'))}", ""])


def test_random_array_programs_agree_with_their_points() -> None:
    decided = 0
    for seed in range(500, 516):
        compiled, report = stratified(array_program(seed), seconds=5)
        decided += sum(stratum.artificial_critical is not None for stratum in report.strata)
        assert not disagreements(compiled, report, seed, 4), array_program(seed)
    assert decided >= 100


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    assert x >= 0\n    return relu(x) - relu(-x)\n",
        "def f(x):\n    assert x >= 0\n    return x*x + relu(x) - relu(-x)\n",
        "def f(x, y):\n    assert x >= 0\n    return abs(x) - x + relu(y) - relu(-y)\n",
        "def f(x):\n    assert x >= 0\n    return relu(-x) + 2*x\n",
        "def f(x, y):\n    assert x >= y\n    return relu(x - y)*(x + 1) - relu(y - x) + relu(x) - relu(-x)\n",
        "def f(x, y):\n    assert x >= 0\n    return relu(x*x - y) - relu(y - x*x) + x\n",
        "def f(x, y):\n    assert x >= 0 and y <= 1\n    return relu(x) - relu(-x) + abs(y - 1)\n",
    ],
)
def test_on_the_boundary_of_the_domain_points_and_strata_say_the_same(text: str) -> None:
    """From inside alone it is not known whether 0 is a subgradient: a point is called artificial only in the open."""
    compiled, report = stratified(text)
    assert report.complete
    for stratum in report.strata:
        judged = compiled.at(**stratum.witness).judged
        assert (stratum.verdict, stratum.ad_critical) == (judged.verdict, judged.ad_critical)
        assert stratum.artificial_critical == judged.artificial_critical, stratum
