"""What float64 does at a point, and where that is not what happens on the real line."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from cfcompiler import cli
from cfcompiler.analyses.at import at
from cfcompiler.compiler import compile_text
from cfcompiler.point import point_of
from cfcompiler.report import FloatReport
from cfcompiler.targets.json_report import point_json


def floats(text: str, **point: Any) -> FloatReport:
    program = compile_text(f"{text}\n").program
    report = at(program, point_of(program, point), program.preset, floats=True)
    assert report.floats is not None
    return report.floats


def signs(found: FloatReport) -> list[tuple[str, str, str]]:
    return [(guard.guard, guard.sign, guard.exact) for guard in found.guards]


def test_a_tie_that_is_none_in_float64() -> None:
    found = floats("def f(x, y, z): return max(x + y - z, 0)", x="0.1", y="0.2", z="0.3")
    assert found.value == "5.551115123125783e-17"
    assert signs(found) == [("x + y - z", "+", "0")]
    assert (found.ties, found.exact_ties) == (0, 1)
    assert found.moved == {
        name: str(point_of_float(text)) for name, text in (("x", 0.1), ("y", 0.2), ("z", 0.3))
    }
    assert found.notes[0] == "the value in float64 is 5.551115123125783e-17: the exact number is 0"


def point_of_float(value: float) -> Any:
    from fractions import Fraction

    return Fraction(value)


def test_a_tie_that_is_one_in_float64_alone() -> None:
    found = floats("def f(x): return relu(x + 1/100000000000000000000 - x)", x=1)
    assert signs(found) == [("x + 1/100000000000000000000 - x", "0", "+")]
    assert (found.ties, found.exact_ties, found.moved) == (1, 0, {})


def test_equal_entries_of_a_maximum_in_float64() -> None:
    found = floats("def f(v: Real[3]): return max(v)", v=["1/3", "0.333333333333333333333", 0])
    assert [(sign, exact) for _, sign, exact in signs(found)] == [("0", "+"), ("0", "-")]


def test_another_branch_runs_in_float64() -> None:
    text = "def f(x):\n    if x*x == 2:\n        return abs(x)\n    return 2*x"
    found = floats(text, x="sqrt(2)")
    assert signs(found) == [("x*x - 2", "+", "0"), ("x", "", "+")]
    assert found.backward == ({"x": "2.0"},)


def test_overflow() -> None:
    found = floats("def f(a): return exp(exp(a))", a=10)
    assert found.value == "inf"
    assert found.notes[0] == "the value in float64 is inf: it overflows; the exact number is finite"


def test_nan_in_float64_alone() -> None:
    found = floats("def f(a): return where(a < 800, a, exp(exp(a)))", a=10)
    assert found.value == "10.0"
    assert math.isnan(float(str(found.backward[0]["a"])))
    assert [note.partition(":")[0] for note in found.notes] == ["backward AD in float64 is nan"]


def test_nan_in_both_is_no_difference() -> None:
    assert floats("def f(x): return where(x > 0, sqrt(x), 0)", x=0).notes == ()


@pytest.mark.parametrize("x", ["1/3", "0.1", "7"])
def test_rounding_is_no_difference(x: str) -> None:
    found = floats("def f(x): return sin(x)*exp(x) + relu(x)", x=x)
    assert found.notes == ()
    assert found.guards == ()


def test_several_outputs() -> None:
    found = floats("def f(x): return [relu(x), x*x]", x="1/3")
    assert [row["x"] for row in found.backward] == ["1.0", "0.6666666666666666"]


def test_the_json_and_the_screen(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "prog.cf"
    path.write_text("def f(x, y, z): return max(x + y - z, 0)\n", encoding="utf-8")
    assert cli.main(["at", str(path), "x=0.1", "y=0.2", "z=0.3", "--float", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["value"] == "0"
    assert answer["float"]["guards"] == [
        {"line": 1, "column": 24, "op": "max", "guard": "x + y - z", "float": "+", "exact": "0"}
    ]
    assert cli.main(["at", str(path), "x=0.1", "y=0.2", "z=0.3", "--float"]) == 0
    screen = capsys.readouterr().out
    assert "max, x + y - z: positive in float64, zero (a tie) on the real line" in screen
    assert "x is no float64; the nearest one is 3602879701896397/36028797018963968" in screen


def test_without_the_option_there_is_no_float() -> None:
    program = compile_text("def f(x): return x\n").program
    assert "float" not in point_json(at(program, point_of(program, {"x": 0}), "torch"))
