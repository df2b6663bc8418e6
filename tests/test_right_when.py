"""For which tie rules AD is right: the examples of theory S4.1 and of papers, and laws over random programs."""

from __future__ import annotations

import random
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
import sympy

from cfcompiler.compiler import compile_text
from cfcompiler.errors import CFError
from cfcompiler.report import Explanation, PointReport
from cfcompiler.targets.json_report import point_json
from cfcompiler.targets.point_text import point_blocks
from cfcompiler.targets.tables import plain
from tests.random_texts import random_text

ONE_INPUT = "def f(x):\n    return {}\n"


def _at(text: str, ties: dict[str, str] | None = None, **point: Any) -> PointReport:
    source = text if text.startswith("def") else ONE_INPUT.format(text)
    return compile_text(source, overrides=ties).at(**(point or {"x": 0}))


def _found(text: str, ties: dict[str, str] | None = None, **point: Any) -> dict[str, Any]:
    found: dict[str, Any] = point_json(_at(text, ties, **point))["right_when"]
    return found


def _parsed(text: str, found: dict[str, Any]) -> Any:
    """A text of the report, with the names of the rules as symbols."""
    return sympy.sympify(text, locals={name: sympy.Symbol(name) for name in found["parameters"]})


def _lines(report: PointReport) -> list[str]:
    text = plain(
        point_blocks(report, Explanation((), ()), compile_text(ONE_INPUT.format("x")).program.source)
    )
    return [line.strip() for line in text.split("\n") if " when " in line]


@pytest.mark.parametrize(
    ("text", "ad", "conditions"),
    [
        ("relu(-x) + x", "1 - relu", None),
        ("(relu(x) + relu(-x) + x)/2", "1/2", None),
        ("relu(-x) + x - relu(x)", "1 - 2*relu", ["Eq(relu, 1/2)"]),
        ("relu(x) - relu(-x)", "2*relu", ["Eq(relu, 1/2)"]),
        ("relu(relu(x)) - relu(x)", "relu**2 - relu", ["Or(Eq(relu, 0), Eq(relu, 1))"]),
        ("max(x, 0) + log(1 + exp(-abs(x)))", "max - abs/2", ["Eq(abs, 2*max - 1)"]),
        ("relu(abs(x)) - abs(x)", "(relu - 1)*abs", ["Eq(abs*(relu - 1), 0)"]),
        ("sqrt(2)*(relu(x) - relu(-x))", "2*sqrt(2)*relu", ["Eq(relu, 1/2)"]),
        ("clip(x + 1, 0, 1) + clip(x, 0, 1)", "2*clip", ["Eq(clip, 1/2)"]),
        ("(min(relu(x + 6), 6) + min(relu(x), 6))/6", "(min + relu)/6", ["Eq(min, 1 - relu)"]),
    ],
)
def test_the_polynomials_and_the_settings_of_known_programs(
    text: str, ad: str, conditions: list[str] | None
) -> None:
    found = _found(text)
    assert sympy.expand(_parsed(found["ad"]["x"], found) - _parsed(ad, found)) == 0
    if conditions is None:
        assert found["gradient"] is None
        return
    told = found["gradient"]["conditions"]
    assert [_parsed(one, found) for one in told] == [_parsed(one, found) for one in conditions]


def test_a_rule_that_no_number_can_mend() -> None:
    report = _at("sign(x)*abs(x)")
    found = point_json(report)["right_when"]
    assert found["gradient"] == found["clarke"] == {"kind": "none", "conditions": [], "example": None}
    assert _lines(report) == ["right when  never: no value of abs gives the gradient"]


def test_the_golden_ratio_and_its_conjugate() -> None:
    found = _found("relu(relu(x)) - relu(-x)")
    told = {sympy.sympify(one["value"]): one["inside"] for one in found["gradient"]["solutions"]}
    root = sympy.sqrt(5)
    assert told == {(root - 1) / 2: True, -(root + 1) / 2: False}
    assert sympy.sympify(found["gradient"]["example"]["relu"]) == (root - 1) / 2


def test_a_root_without_a_short_form_is_told_as_one() -> None:
    found = _found("relu(relu(relu(x))) - relu(-x)")
    assert found["gradient"]["kind"] == "one"
    (told,) = found["gradient"]["solutions"]
    value = sympy.sympify(told["value"])
    assert sympy.expand(value**3 + value - 1).evalf(30) == pytest.approx(0)
    assert told["inside"]
    assert found["gradient"]["example"] is None


def test_an_interval_where_f_is_not_differentiable() -> None:
    report = _at("2*relu(x) - relu(-x)")  # slopes 1 and 2
    assert _lines(report) == ["Clarke when 1/3 <= relu <= 2/3"]
    found = point_json(report)["right_when"]
    assert found["clarke"]["kind"] == "set"
    assert found["parameters"] == {"relu": {"here": "0", "from": "0", "to": "1"}}


def test_every_number_of_the_element_set_is_right() -> None:
    found = _found("abs(x)")
    assert found["clarke"]["kind"] == "all"
    assert found["clarke"]["conditions"] == ["Le(-1, abs)", "Le(abs, 1)"]
    assert found["parameters"] == {"abs": {"here": "0", "from": "-1", "to": "1"}}


def test_nested_ties_are_right_by_their_corners() -> None:
    found = _found("def f(x, y):\n    return max(0, min(y, x**2))\n", x=0, y=0)
    assert found["clarke"]["kind"] == "all"
    assert found["gradient"]["conditions"] == ["Eq((max - 1)*min, 0)"]


def test_a_maximum_over_many_has_weights_by_position() -> None:
    text = "def f(x, y, z):\n    return max([x, y, z]) + min([x, y, z])\n"
    found = _found(text, x=0, y=1, z=1)
    assert found["parameters"] == {
        "reduce_max_2": {"here": "1/2", "from": "0", "to": "1", "rule": "reduce_max", "position": 2}
    }
    assert found["ad"] == {"x": "1", "y": "reduce_max_2", "z": "1 - reduce_max_2"}
    assert found["clarke"]["kind"] == "all"


@pytest.mark.parametrize("weights", ["1/3,1/4,5/12", "0,1,0", "1/2,1/2,0"])
def test_weights_by_position_can_be_typed(weights: str) -> None:
    text = "def f(x, y, z):\n    return max(x, y, z) + max(x, z, y)*(1 + x)\n"
    point = {"x": 0, "y": 0, "z": 0}
    found = _found(text, **point)
    first, second, _ = map(Fraction, weights.split(","))
    report = _at(text, {"max": weights}, **point)
    for name, entry in found["ad"].items():
        value = _parsed(entry, found).subs({"max_1": sympy.Rational(first), "max_2": sympy.Rational(second)})
        assert report.backward[0][name] == str(value)


def test_equal_keys_keep_the_order_of_the_preset_and_this_is_said() -> None:
    found = _found("def f(x, y):\n    return sort([x, y])[0] + relu(y)\n", x=0, y=0)
    assert list(found["fixed"]) == ["sort"]
    assert found["ad"] == {"x": "1", "y": "relu"}


def test_different_entries_that_are_tied_leave_a_maximum_as_it_is() -> None:
    found = _found("def f(x, y, z):\n    return max([x, y, z]) + max([-y, x - 5, -z])\n", x=0, y=0, z=0)
    assert list(found["fixed"]) == ["reduce_max"]
    assert found["parameters"] == {}


def test_a_thin_branch_has_no_rule_that_matters() -> None:
    found = _found("0 if x == 0 else x")
    assert found["parameters"] == {}
    assert found["gradient"]["kind"] == found["clarke"]["kind"] == "none"


def test_infinities_leave_it_open() -> None:
    found = _found("sqrt(relu(x))")
    assert found["ad"] is None
    assert found["gradient"]["kind"] == "unknown"


def test_several_outputs_are_right_together() -> None:
    text = "def f(x, y):\n    return [relu(x) - relu(-x), abs(x - y), x*y]\n"
    found = _found(text, x=0, y=0)
    assert found["ad"] == [{"x": "2*relu", "y": "0"}, {"x": "abs", "y": "-abs"}, {"x": "0", "y": "0"}]
    assert found["gradient"] is None
    assert found["clarke"]["conditions"] == ["Eq(relu, 1/2)", "Le(-1, abs)", "Le(abs, 1)"]


def test_two_demands_that_no_number_meets() -> None:
    text = "def f(x, y):\n    return [relu(x) - relu(-x), relu(relu(y)) - relu(y)]\n"
    assert _found(text, x=0, y=0)["gradient"]["kind"] == "none"


# laws


def _numbers(generator: random.Random, report: PointReport) -> dict[str, Fraction]:
    assert report.right_when is not None
    return {
        one.name: generator.choice((Fraction(one.low), Fraction(1, 3), Fraction(one.high), Fraction(2)))
        for one in report.right_when.parameters
    }


@cache
def _reports(seed: int) -> list[tuple[str, dict[str, Any], PointReport]]:
    """Random programs whose rules that are tied are those of two pieces."""
    made = random_text(seed, "linear" if seed % 2 else "polynomial")
    compiled = compile_text(made.text)
    found = []
    for values in made.points[:3]:
        try:
            report = compiled.at(**values)
        except CFError:
            continue
        told = report.right_when
        if told is None or told.ad is None or not told.parameters:
            continue
        if all(one.position is None for one in told.parameters):
            found.append((made.text, values, report))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_polynomial_is_what_ad_returns_when_numbers_are_typed(seed: int) -> None:
    generator = random.Random(seed)
    for text, values, report in _reports(seed):
        assert report.right_when is not None and report.right_when.ad is not None
        chosen = _numbers(generator, report)
        typed = compile_text(text, overrides={name: str(number) for name, number in chosen.items()})
        after = typed.at(**values)
        symbols = {sympy.Symbol(name): sympy.Rational(number) for name, number in chosen.items()}
        local = {str(symbol): symbol for symbol in symbols}
        for row, returned in zip(report.right_when.ad, after.backward, strict=True):
            for entry, number in zip(_leaves(row), _leaves(returned), strict=True):
                assert sympy.sympify(entry, locals=local).subs(symbols) == sympy.sympify(number)


@pytest.mark.parametrize("seed", range(12))
def test_an_example_is_right_when_it_is_typed(seed: int) -> None:
    for text, values, report in _reports(seed):
        told = report.right_when
        assert told is not None
        for settings, words in ((told.gradient, ("exact",)), (told.clarke, ("exact", "clarke", "inexact"))):
            if settings is None or settings.example is None:
                continue
            typed = compile_text(text, overrides=dict(settings.example))
            assert typed.at(**values).judged.verdict in words


@pytest.mark.parametrize("seed", range(12))
def test_the_preset_is_right_as_the_verdict_has_it(seed: int) -> None:
    for _, _, report in _reports(seed):
        told = report.right_when
        assert told is not None
        if report.judged.verdict == "exact":
            assert told.gradient is not None and told.gradient.kind in ("one", "set", "all")
        if report.judged.verdict in ("inexact", "spurious") and told.gradient is not None:
            assert told.gradient.kind in ("none", "one", "set", "unknown")


def _leaves(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [leaf for part in (value.values() if isinstance(value, dict) else value) for leaf in _leaves(part)]
