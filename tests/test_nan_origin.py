"""Where NaN and inf come from: the operation, the two factors, whether the arm was selected."""

from __future__ import annotations

from typing import Any

import pytest

from cfcompiler.analyses.at import at
from cfcompiler.analyses.nan_origin import nan_origin
from cfcompiler.arithmetic import EXACT
from cfcompiler.compiler import compile_text
from cfcompiler.interpreter import run
from cfcompiler.point import point_of
from cfcompiler.report import NanOrigin
from cfcompiler.targets.json_report import point_json


def origin(
    text: str, preset: str | None = None, rules: dict[str, str] | None = None, **point: Any
) -> NanOrigin:
    program = compile_text(f"{text}\n", preset=preset, overrides=rules or {}).program
    report = at(program, point_of(program, point), program.preset)
    assert report.nan is not None
    return report.nan


def told(found: NanOrigin) -> tuple[Any, ...]:
    own = found.origin
    return found.mode, found.result, own.column, own.op, own.how, own.factors, found.selected


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        (
            "def f(x): return where(x > 0, sqrt(x), 0)",
            {"x": 0},
            ("backward", "nan", 31, "sqrt", "*", ("0", "inf"), False),
        ),
        ("def f(x): return x*sqrt(x)", {"x": 0}, ("backward", "nan", 20, "sqrt", "*", ("0", "inf"), True)),
        ("def f(x): return sqrt(x**2)", {"x": 0}, ("backward", "nan", 23, "**", "*", ("inf", "0"), True)),
        ("def f(x): return log(x)", {"x": 0}, ("value", "-inf", 18, "log", "log", ("0",), True)),
        ("def f(x): return 1/x", {"x": 0}, ("value", "inf", 18, "/", "/", ("1", "0"), True)),
        ("def f(x): return 1/x - 1/x", {"x": 0}, ("value", "nan", 18, "-", "-", ("inf", "inf"), True)),
        ("def f(x): return sqrt(x)", {"x": 0}, ("backward", "inf", 18, "sqrt", "*", ("1", "inf"), True)),
        (
            "def f(x): return where(x == 0, 1, sin(x)/x)",
            {"x": 0},
            ("backward", "nan", 35, "/", "*", ("0", "inf"), False),
        ),
        (
            "def f(x): return sqrt(x) - sqrt(x)",
            {"x": 0},
            ("backward", "nan", 18, "sqrt", "+", ("-inf", "inf"), True),
        ),
        (
            "def f(x, y): return max(x, sqrt(y))",
            {"x": 1, "y": 0},
            ("backward", "nan", 28, "sqrt", "*", ("0", "inf"), False),
        ),
    ],
)
def test_the_operation_and_the_factors(text: str, point: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert told(origin(text, **point)) == expected


def test_an_entry_that_was_selected_is_not_the_arm_of_another_entry() -> None:
    text = "def f(v: Real[3]): return sum(where(v > 0, {}))"
    assert not origin(text.format("sqrt(v), 0"), v=[1, 0, 4]).selected
    found = origin(text.format("v, sqrt(v)"), v=[1, 0, 4])
    assert (found.mode, found.result, found.selected) == ("forward", "nan", True)
    program = compile_text(text.format("v, sqrt(v)") + "\n").program
    point = point_of(program, {"v": [1, 0, 4]})
    backward = nan_origin(program, run(program, point, EXACT), "backward")
    assert backward is not None
    assert (backward.result, backward.selected) == ("inf", True)


def test_a_constant_factor_is_no_origin() -> None:
    found = origin("def f(a, b): return sqrt(((a - b)**2 + (b - a)**2)/2)", a=1, b=1)
    assert (found.origin.op, found.origin.factors) == ("**", ("inf", "0"))


def test_the_arm_names_what_chose() -> None:
    assert origin("def f(x): return where(x > 0, sqrt(x), 0)", x=0).arm == "where"
    assert origin("def f(x, y): return max(x, sqrt(y))", x=1, y=0).arm == "max"


def test_the_source_of_an_infinite_factor_is_told() -> None:
    source = origin("def f(x): return sqrt(x**2)", x=0).source
    assert source is not None
    assert (source.column, source.op, source.factors) == (18, "sqrt", ("1", "inf"))


def test_a_step_inside_a_function_of_the_language_is_told_by_its_name() -> None:
    found = origin("def f(x: Real[2]): return norm2(x)", "jax", x=[0, 0])
    assert (found.origin.op, found.origin.inside) == ("norm2", True)
    assert found.origin.factors == ("inf", "0")


def test_a_rule_that_is_nan() -> None:
    found = origin("def f(x): return abs(x)", rules={"abs": "nan"}, x=0)
    assert (found.origin.op, found.origin.factors) == ("abs", ("1", "nan"))


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        ("def f(x): return x*sqrt(x)", {}, (18, "*", ("inf", "0"), True)),
        ("def f(x): return sqrt(x**2)", {}, (18, "sqrt", ("0", "inf"), True)),
        ("def f(x): return where(x > 0, sqrt(x), 0)", {"where": "mul"}, (18, "where", ("0", "inf"), True)),
        ("def f(x): return abs(x)", {"abs": "nan"}, (18, "abs", ("1", "nan"), True)),
    ],
)
def test_forward_mode(text: str, rules: dict[str, str], expected: tuple[Any, ...]) -> None:
    program = compile_text(f"{text}\n", overrides=rules).program
    point = point_of(program, {"x": 0})
    found = nan_origin(program, run(program, point, EXACT), "forward")
    assert found is not None
    own = found.origin
    assert (own.column, own.op, own.factors, found.selected) == expected
    assert (found.mode, found.result) == ("forward", "nan")


def test_nan_comes_before_inf() -> None:
    found = origin("def f(x, y): return cbrt(x) + abs(y)", x=0, y=0)
    assert (found.mode, found.result, found.origin.factors) == ("forward", "nan", ("0", "inf"))


def test_a_lazy_arm_makes_no_nan() -> None:
    program = compile_text("def f(x): return sqrt(x) if x > 0 else 0\n").program
    assert at(program, point_of(program, {"x": 0}), "torch").nan is None


def test_the_json_has_the_factors() -> None:
    program = compile_text("def f(x): return where(x > 0, sqrt(x), 0)\n").program
    answer = point_json(at(program, point_of(program, {"x": 0}), "torch"))
    wanted = {"line": 1, "column": 31, "op": "sqrt", "factors": ["0", "inf"], "selected": False}
    assert wanted.items() <= answer["nan"].items()
