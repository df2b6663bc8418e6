"""The verdict, where it is known by hand: jumps, slopes without bound, cusps, removable singularities."""

from __future__ import annotations

from typing import Any

import pytest

from cfcompiler.compiler import compile_text
from cfcompiler.report import Judged


def judged(text: str, **point: Any) -> Judged:
    if not text.startswith("def "):
        text = f"def f({', '.join(point)}):\n    return {text}\n"
    return compile_text(text).at(**point).judged


def flat(rows: Any) -> list[list[str]]:
    return [[entry for value in row.values() for entry in _leaves(value)] for (row,) in rows]


def _leaves(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [leaf for part in value for leaf in _leaves(part)]


@pytest.mark.parametrize(
    ("text", "point", "verdict"),
    [
        # constants that are not rational
        ("relu(x**2 - 2)", {"x": "sqrt(2)"}, "clarke"),
        ("relu(sin(x)) - relu(-sin(x))", {"x": "pi"}, "spurious"),
        ("relu(exp(x) - y)", {"x": 1, "y": "exp(1)"}, "clarke"),
        ("max(sin(x), cos(x))", {"x": "pi/4"}, "clarke"),
        # cells that no ray sees
        ("max(0, min(y, x**2))", {"x": 0, "y": 0}, "inexact"),
        ("relu(x**2 - abs(y))", {"x": 0, "y": 0}, "exact"),
        # no second cell, or none that matters
        ("relu(x - sin(x))", {"x": 0}, "exact"),
        ("relu(-x**2)", {"x": 0}, "exact"),
        ("abs(x*y)", {"x": 0, "y": 0}, "exact"),
        ("relu(x - x)", {"x": 3}, "exact"),
        # thin branches
        ("0 if x == 0 else x*log(y)", {"x": 0, "y": 2}, "spurious"),
        ("x*y if x == 0 else 0", {"x": 0, "y": 0}, "exact"),
        # parts that are singular at the point
        ("1 if x*y == 0 else sin(x*y)/(x*y)", {"x": 0, "y": 0}, "exact"),
        ("1 if x == 0 else (exp(x) - 1)/x", {"x": 0}, "spurious"),
        ("abs(x)**1.5", {"x": 0}, "exact"),
        ("relu(abs(x)**1.5 - x)", {"x": 0}, "clarke"),
        # jumps
        ("floor(x)", {"x": 1}, "discontinuous"),
        ("x - floor(x)", {"x": "1/2"}, "exact"),
        ("round(x)", {"x": "1/2"}, "discontinuous"),
        ("fmod(x, 2)", {"x": 2}, "discontinuous"),
        ("trunc(x)*x", {"x": 0}, "exact"),
        ("sign(x)*abs(x)", {"x": 0}, "spurious"),
        ("1 if x > 0 else 0", {"x": 0}, "discontinuous"),
        ("atan2(y, x)", {"x": -1, "y": 0}, "discontinuous"),
        (
            "def f(a, b, u, w):\n    return [u, w][argmax([a, b])]\n",
            {"a": 0, "b": 0, "u": 1, "w": 2},
            "discontinuous",
        ),
        ("def f(a, b):\n    return [a, b][argmax([a, b])]\n", {"a": 0, "b": 0}, "clarke"),
        # jumps beside the point, slopes without bound
        ("y if x > 0 else 0", {"x": 0, "y": 0}, "undefined"),
        ("y*y if x == 0 else 0", {"x": 0, "y": 0}, "undefined"),
        ("cbrt(x)", {"x": 0}, "undefined"),
        ("1/x", {"x": 0}, "undefined"),
        ("sqrt(abs(x))", {"x": 0}, "undefined"),
        # out of reach, and said to be
        ("0 if x == 0 else x*x*sin(1/x)", {"x": 0}, "unknown"),
    ],
)
def test_the_verdict_is_what_is_known(text: str, point: dict[str, Any], verdict: str) -> None:
    found = judged(text, **point)
    assert found.verdict == verdict, found.reason


@pytest.mark.parametrize(
    ("text", "point", "limits"),
    [
        ("relu(x) + y if y > 0 else relu(x) + y", {"x": 0, "y": 0}, [["0", "1"], ["1", "1"]]),
        ("def f(v: Real[3]):\n    return median(v)\n", {"v": [1, 1, 2]}, [["0", "1", "0"], ["1", "0", "0"]]),
        ("relu(relu(x - sin(x)) - y)", {"x": 0, "y": 0}, [["0", "-1"], ["0", "0"]]),
        ("abs(y - x**2) - abs(y + x**2)", {"x": 0, "y": 0}, [["0", "-2"], ["0", "0"]]),
    ],
)
def test_the_limiting_gradients_are_those_of_the_cells_that_touch(
    text: str, point: dict[str, Any], limits: list[list[str]]
) -> None:
    found = judged(text, **point)
    assert found.bouligand_complete
    assert sorted(flat(found.bouligand)) == limits


@pytest.mark.parametrize(
    ("text", "ad", "field", "clarke", "artificial"),
    [
        ("x*x", True, True, True, False),
        ("x", False, False, False, False),
        ("relu(x) + x", False, False, False, False),
        ("relu(-x) + x", False, True, True, False),
        ("relu(x) - relu(-x)", True, True, False, True),
        (
            "min(x, 2*x) - 2*x + relu(x)",
            False,
            True,
            True,
            False,
        ),  # 0 everywhere: wrong, and critical all the same
        ("sign(x)*abs(x)", True, None, False, None),  # D is not known where a step jumps
        ("0 if x == 0 else x*x*sin(1/x)", True, True, None, None),
    ],
)
def test_criticality_is_told_of_ad_of_d_and_of_the_truth(
    text: str, ad: bool, field: bool | None, clarke: bool | None, artificial: bool | None
) -> None:
    found = judged(text, x=0)
    flags = (found.ad_critical, found.field_critical, found.clarke_critical, found.artificial_critical)
    assert flags == (ad, field, clarke, artificial)


def test_an_asserted_domain_restricts_the_truth() -> None:
    found = judged("def f(x, y):\n    assert x >= 0\n    return relu(x) + y\n", x=0, y=0)
    assert found.verdict == "spurious"
    assert flat([found.gradient]) == [["1", "1"]]


def test_a_jump_is_told_with_both_values() -> None:
    assert "its value here is 1, and 0 is approached" in judged("floor(x)", x=1).reason


def test_many_independent_ties_are_not_listed() -> None:
    terms = " + ".join(f"{1 + k % 3}*abs(v[{k}])" for k in range(40))
    found = judged(f"def f(v: Real[40]):\n    return {terms}\n", v=[0] * 40)
    assert found.as_field and found.verdict == "clarke" and found.clarke_critical


def test_a_point_out_of_time_is_unknown_and_not_a_hang() -> None:
    from cfcompiler.analyses.at import at
    from cfcompiler.analyses.landscape import Effort
    from cfcompiler.point import point_of

    terms = " + ".join(f"({k} - 20)*abs({k % 7}*x - {k % 5}*y + z*{k % 3} - w*{k % 4})" for k in range(40))
    program = compile_text(f"def f(x, y, z, w):\n    return {terms}\n").program
    report = at(
        program, point_of(program, {"x": 0, "y": 0, "z": 0, "w": 0}), "", Effort(seconds=0.05, cells=10)
    )
    assert report.judged.verdict == "unknown" and report.judged.reason


def test_signs_that_no_point_has_are_no_piece() -> None:
    """The largest of three where the signs that are known go round in a circle: an empty cell, which was met."""
    text = """
def f(x, y):
    s = x*y - x
    t = where(s < 0, 2*y**2 + s, 2*y**2)
    u = max(s, t)
    v = where(s < 0, 2*y**2 + s, 2*y**2)
    return max(s, where(u != 0, s - u, s), v - v if v <= 0 else v) - (t - t if t <= 0 else t)
"""
    found = compile_text(text).at(x=0, y=0).judged
    assert found.verdict == "clarke"
    assert found.bouligand == (({"x": "-1", "y": "0"},), ({"x": "0", "y": "0"},))
