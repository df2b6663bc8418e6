"""Programs with known answers: every `expect` entry of tests/data/cases.json."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cfcompiler.analyses.at import at
from cfcompiler.arithmetic import FLOATS
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.interpreter import run
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import compare, to_float
from cfcompiler.point import point_of
from cfcompiler.report import Nested, PointReport, Row

CASES = json.loads((Path(__file__).parent / "data" / "cases.json").read_text())["cases"]

# Reports whose own library followed a rule that the case does not name: the textbook derivative of a power.
TEXTBOOK_POWER = {"rc-forwarddiff-331-pow0", "rc-pytorch-27134-powexp", "rc-forwarddiff-414-powexp"}
# Reports under a rule that the case does not name: the cotangent went to both of two equal arguments.
BOTH_OF_EQUALS = {"rc-theano-633-clipself"}
# Reports of a number that only float64 returns: exp(exp(10)) overflows, on the real line it does not.
ONLY_IN_FLOATS = {"rc-tf-38349-inf"}


def _compiled(case: dict[str, Any]) -> Compiled:
    rules = dict(case["ties"])
    if case["id"] in TEXTBOOK_POWER:
        rules["pow"] = "plain"
    if case["id"] in BOTH_OF_EQUALS:
        rules["min"] = "all"
    return compile_text(case["cf"], case["id"], overrides=rules)


def _report(case: dict[str, Any]) -> PointReport:
    program = _compiled(case).program
    return at(program, point_of(program, case["point"]), "")


def _leaves(nested: Nested) -> list[str]:
    return [nested] if isinstance(nested, str) else [leaf for part in nested for leaf in _leaves(part)]


def _flat(row: Row, names: list[str] | None = None) -> list[str]:
    return [leaf for name in names or list(row) for leaf in _leaves(row[name])]


def _same(found: str, expected: Any, *, approximate: bool) -> bool:
    ours, theirs = parse_number(found), parse_number(str(expected))
    if approximate:
        a, b = to_float(ours), to_float(theirs)
        return (math.isnan(a) and math.isnan(b)) or a == b or abs(a - b) <= 1e-9 * max(1.0, abs(b))
    return ours == theirs or compare(ours, theirs) == 0


def _with(key: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in CASES if key in case["expect"]]


def _mode_row(case: dict[str, Any], report: PointReport) -> list[str]:
    forward = case.get("mode", "reverse").startswith("forward")
    return _flat((report.forward if forward else report.backward)[0], case.get("wrt"))


@pytest.mark.parametrize("case", _with("ad"))
def test_ad_returns_what_is_known(case: dict[str, Any]) -> None:
    if case["id"] in ONLY_IN_FLOATS:
        pytest.skip("a float64 overflow: see the test of floats below")
    found = _mode_row(case, _report(case))
    assert len(found) == len(case["expect"]["ad"])
    for ours, theirs in zip(found, case["expect"]["ad"], strict=True):
        assert _same(ours, theirs, approximate=case.get("approx", False)), (found, case["expect"]["ad"])


@pytest.mark.parametrize("case", [param for param in _with("ad") if param.values[0].get("approx", False)])
def test_floats_return_the_reported_numbers(case: dict[str, Any]) -> None:
    compiled = _compiled(case)
    point = {name: np.asarray(float(Fraction(x))) for name, x in case["point"].items()}
    names = [param.value.name for param in compiled.program.params]
    wrt = case.get("wrt") or names
    if case.get("mode", "reverse").startswith("forward"):
        found = []
        for name in wrt:
            seeds = {f"d_{other}": np.asarray(1.0 if other == name else 0.0) for other in names}
            values = run(compiled.forward, {**point, **seeds}, FLOATS)
            found.append(float(values[compiled.forward.results[1].name]))
    else:
        values = run(
            compiled.backward, {**point, compiled.backward.params[-1].value.name: np.asarray(1.0)}, FLOATS
        )
        gradient = dict(zip(names, compiled.backward.results[1:], strict=True))
        found = [float(values[gradient[name].name]) for name in wrt]
    expected = [float(x) for x in case["expect"]["ad"]]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("case", _with("field"))
def test_field_is_the_set_of_all_choices(case: dict[str, Any]) -> None:
    report = _report(case)
    assert report.complete, report.reason
    found = [_flat(vertex[0]) for vertex in report.vertices]
    expected = case["expect"]["field"]
    assert len(found) == len(expected), (found, expected)
    for vertex in found:
        assert any(
            all(_same(a, b, approximate=False) for a, b in zip(vertex, other, strict=True))
            for other in expected
        )


@pytest.mark.parametrize("case", _with("field_hull"))
def test_field_has_the_known_hull(case: dict[str, Any]) -> None:
    report = _report(case)
    assert report.complete, report.reason
    ours = [tuple(Fraction(x) for x in _flat(vertex[0])) for vertex in report.vertices]
    theirs = [tuple(Fraction(x) for x in vertex) for vertex in case["expect"]["field_hull"]]
    assert all(_in_hull(point, theirs) for point in ours), (ours, theirs)
    assert all(_in_hull(point, ours) for point in theirs), (ours, theirs)


@pytest.mark.parametrize("case", _with("value"))
def test_value_is_exact(case: dict[str, Any]) -> None:
    (leaf,) = _leaves(_report(case).value)
    assert _same(leaf, case["expect"]["value"], approximate=case.get("approx", False))


@pytest.mark.parametrize("case", _with("clarke"))
def test_clarke_subdifferential_is_known(case: dict[str, Any]) -> None:
    judged = _report(case).judged
    assert judged.clarke_complete, judged.reason
    assert _same_set([_flat(vertex[0]) for vertex in judged.clarke], case["expect"]["clarke"])


@pytest.mark.parametrize("case", _with("bouligand_count"))
def test_limiting_gradients_are_counted(case: dict[str, Any]) -> None:
    judged = _report(case).judged
    assert judged.bouligand_complete
    assert len(judged.bouligand) == case["expect"]["bouligand_count"]


@pytest.mark.parametrize("case", _with("gradient"))
def test_gradient_is_that_of_the_function(case: dict[str, Any]) -> None:
    found, expected = _report(case).judged.gradient, case["expect"]["gradient"]
    if expected is None:
        assert found is None
        return
    assert found is not None
    flat = _flat(found[0], case.get("wrt"))
    assert len(flat) == len(expected)
    for ours, theirs in zip(flat, expected, strict=True):
        assert _same(ours, theirs, approximate=case.get("approx", False)), (flat, expected)


@pytest.mark.parametrize("case", _with("verdict"))
def test_verdict_is_known(case: dict[str, Any]) -> None:
    judged = _report(case).judged
    assert judged.verdict == case["expect"]["verdict"], judged.reason


@pytest.mark.parametrize("flag", ["ad_critical", "clarke_critical", "artificial_critical"])
@pytest.mark.parametrize("case", _with("ad_critical"))
def test_criticality_is_known(case: dict[str, Any], flag: str) -> None:
    if flag in case["expect"]:
        assert getattr(_report(case).judged, flag) is case["expect"][flag]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_lexicographic_derivative_is_a_limiting_gradient(case: dict[str, Any]) -> None:
    judged = _report(case).judged
    if judged.bouligand_complete:
        assert judged.lexicographic in judged.bouligand


def _same_set(found: list[list[str]], expected: list[list[Any]]) -> bool:
    def equal(ours: list[str], theirs: list[Any]) -> bool:
        return all(_same(a, b, approximate=False) for a, b in zip(ours, theirs, strict=True))

    return len(found) == len(expected) and all(
        any(equal(ours, theirs) for theirs in expected) for ours in found
    )


def _in_hull(point: tuple[Fraction, ...], corners: list[tuple[Fraction, ...]]) -> bool:
    """Caratheodory: some simplex of at most n + 1 corners holds the point."""
    return any(
        _in_simplex(point, simplex)
        for size in range(1, min(len(point) + 1, len(corners)) + 1)
        for simplex in combinations(corners, size)
    )


def _in_simplex(point: tuple[Fraction, ...], corners: tuple[tuple[Fraction, ...], ...]) -> bool:
    """Barycentric coordinates by elimination; degenerate simplices are covered by smaller ones."""
    rows = [[*(corner[k] for corner in corners), point[k]] for k in range(len(point))]
    rows.append([Fraction(1)] * (len(corners) + 1))
    pivots = 0
    for column in range(len(corners)):
        pivot = next((r for r in range(pivots, len(rows)) if rows[r][column] != 0), None)
        if pivot is None:
            return False
        rows[pivots], rows[pivot] = rows[pivot], rows[pivots]
        rows[pivots] = [x / rows[pivots][column] for x in rows[pivots]]
        for r, row in enumerate(rows):
            if r != pivots:
                rows[r] = [x - row[column] * y for x, y in zip(row, rows[pivots], strict=True)]
        pivots += 1
    return all(row[-1] == 0 for row in rows[pivots:]) and all(row[-1] >= 0 for row in rows[:pivots])
