"""Formulas such as exp(-1/x**2), which have no value on a stratum that they lead up to: nothing is read off them."""

from __future__ import annotations

import pytest

from cfcompiler.compiler import compile_text
from cfcompiler.report import StrataReport


def strata(text: str) -> StrataReport:
    return compile_text(text).strata(seconds=20)


@pytest.mark.parametrize(
    "line",
    [
        "exp(-1/x) if x > 0 else 0",
        "exp(-1/(x*x)) if x != 0 else 0",
        "x + exp(-1/abs(x)) if x != 0 else 0",
        "(1 if exp(-1/x**2) > 1/2 else 0) if x != 0 else 0",
    ],
)
def test_flat_functions_are_not_said_to_jump(line: str) -> None:
    """All of these are differentiable at 0, with the derivative 0 or 1."""
    report = strata(f"def f(x):\n    return {line}\n")
    verdicts = [own.verdict for own in report.strata if own.equations == ("x",)]
    assert set(verdicts) <= {"exact", "unknown"}
    assert verdicts or report.unknown


def test_what_grows_beyond_bounds_is_not_said_to_be_smooth() -> None:
    """q**3*exp(1/q) has no bound where q goes to 0 from above, although q**3 is a factor of it and of its slopes."""
    report = strata(
        "def f(x, y):\n    q = x*x + y*y - 1\n    return q**3*exp(1/q) if q != 0 else 0\n",
    )
    circle = [own.verdict for own in report.strata if "x**2 + y**2 - 1" in own.equations]
    assert circle
    assert set(circle) <= {"discontinuous", "undefined", "unknown"}


def test_formulas_with_a_value_are_compared_as_before() -> None:
    report = strata(
        "def f(x):\n    return exp(-1/(x*x + 1)) if x > 0 else exp(-1/(x + 1)) if x > -1/2 else 1\n"
    )
    verdicts = {own.equations: own.verdict for own in report.strata if own.equations}
    assert verdicts[("x",)] == "clarke"
    assert verdicts[("2*x + 1",)] == "discontinuous"


@pytest.mark.parametrize(
    "line", ["where(y != 0, x/y, 0)", "x/y if y != 0 else 0", "x/(y*y) if y != 0 else x"]
)
def test_a_point_beside_values_without_bound_is_a_jump_as_its_stratum_is(line: str) -> None:
    compiled = compile_text(f"def f(x, y):\n    return {line}\n")
    own = {"discontinuous"}
    assert {
        stratum.verdict for stratum in compiled.strata(seconds=20).strata if "y" in stratum.equations
    } == own
    assert compiled.at(x=1, y=0).judged.verdict == "discontinuous"
    assert compiled.at(x=0, y=0).judged.verdict == "discontinuous"


@pytest.mark.parametrize(
    ("line", "point"),
    [
        ("max(x**(3/2), sqrt(x + 1/2))", {"x": 0}),
        ("2 if 1 - sqrt(x) >= 0 else x", {"x": 0}),
        ("where(asin(x) < 2, x, 0)", {"x": 1}),
        ("2 if 1 - sqrt(-x*x) >= 0 else x", {"x": 0}),
        ("2 if 1 - sqrt(x**3) >= 0 else x", {"x": 0}),
    ],
)
def test_a_comparison_with_nan_beside_the_point_is_not_overlooked(line: str, point: dict[str, int]) -> None:
    """On one side of the point the comparison is with NaN, and false."""
    compiled = compile_text(f"def f(x):\n    return {line}\n")
    assert compiled.at(**point).judged.verdict in ("unknown", "undefined", "discontinuous")


def test_a_root_that_is_reached_from_inside_is_compared() -> None:
    compiled = compile_text("def f(x):\n    g = x*sqrt(x) if x > 0 else 0\n    return max(g, -1) + x\n")
    assert compiled.at(x=0).judged.verdict == "exact"
