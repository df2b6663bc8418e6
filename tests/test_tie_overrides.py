"""`--tie NAME=VALUE`: the value is what comes back at the tie, in both modes, and the gate is the one asked for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cfcompiler.compiler import compile_text
from cfcompiler.ties import TieError, load_preset, override, parse_weight, preset_names, rules


def returned(text: str, overrides: Mapping[str, str], **point: str) -> list[dict[str, str]]:
    """What backward and forward AD return."""
    report = compile_text(text, overrides=overrides).at(**point)
    return [dict(rows[0]) for rows in (report.backward, report.forward)]


@pytest.mark.parametrize("operation", ["abs", "relu"])
@pytest.mark.parametrize("slope", ["-1", "0", "1/3", "1", "2"])
def test_a_number_is_the_slope_at_the_tie(operation: str, slope: str) -> None:
    text = f"def f(x):\n    return {operation}(x)\n"
    assert returned(text, {operation: slope}, x="0") == [{"x": slope}] * 2


@pytest.mark.parametrize(
    ("value", "x", "y"),
    [
        ("1/4", "1/4", "3/4"), ("first", "1", "0"), ("last", "0", "1"), ("split", "1/2", "1/2"), ("all", "1", "1"),
        ("1/3,1/5", "1/3", "1/5"), ("nan", "nan", "nan"),
    ],
)  # fmt: skip
def test_two_arguments_get_the_weights_asked_for(value: str, x: str, y: str) -> None:
    text = "def f(x, y):\n    return max(x, y)\n"
    assert returned(text, {"max": value}, x="2", y="2") == [{"x": x, "y": y}] * 2


def test_without_a_gate_the_piece_not_taken_is_blocked_where_both_pieces_move() -> None:
    text = "def f(x, y):\n    return abs(x)/y\n"
    for gate, slope in (("", "inf"), (":select", "inf"), (":mul", "nan")):
        assert [row["x"] for row in returned(text, {"abs": f"1{gate}", "modes": "one"}, x="1", y="0")] == [
            slope
        ] * 2
    text = "def f(x, y):\n    return relu(x)/y\n"
    for gate, slope in (("", "nan"), (":select", "0"), (":mul", "nan")):
        assert returned(text, {"relu": f"0{gate}"}, x="-1", y="0")[0]["x"] == slope


def test_an_arm_of_where_gets_a_zero_or_nothing() -> None:
    text = "def f(x):\n    return where(x > 0, sqrt(x), 0*x)\n"
    assert returned(text, {"where": "strong"}, x="0") == [{"x": "0"}] * 2
    assert returned(text, {"where": "select"}, x="0")[0] == {"x": "nan"}
    assert returned(text, {"where": "select", "modes": "separate"}, x="0")[1] == {"x": "0"}
    assert returned(text, {"where": "mul", "modes": "separate"}, x="0")[1] == {"x": "nan"}


@pytest.mark.parametrize("preset", [*preset_names(), "default"])
def test_one_mode_is_backward_in_both_directions(preset: str) -> None:
    found = rules(preset, {"modes": "one"})
    before = load_preset(preset)
    assert found.formulas.one_mode
    assert found.kinks.keys() == before.kinks.keys() != set()
    for name, kink in found.kinks.items():
        assert kink.forward == kink.reverse == before.kinks[name].reverse
    assert found.reductions.keys() == before.reductions.keys() != set()
    for name, rule in found.reductions.items():
        own = before.reductions[name]
        assert (rule.gate_forward, rule.nan_forward) == (own.gate_reverse, own.nan_reverse)
        assert (rule.gate_reverse, rule.nan_reverse) == (own.gate_reverse, own.nan_reverse)
    texts = dict(found.formulas.texts)
    for (row, mode, index), text in texts.items():
        assert texts[(row, "reverse" if mode == "forward" else "forward", index)] == text


def test_some_preset_differs_between_its_modes() -> None:
    """So that the law above says something."""
    names = preset_names()
    assert any(k.forward != k.reverse for name in names for k in load_preset(name).kinks.values())
    assert any(
        r.nan_forward != r.nan_reverse for name in names for r in load_preset(name).reductions.values()
    )


def test_only_numbers_and_nan_are_weights() -> None:
    assert [parse_weight(text) for text in ("1/2", " 0.25 ", "nan")] == [0.5, 0.25, "nan"]
    for text in ("", "inf", "1/0", "x"):
        with pytest.raises(TieError, match="is not a weight"):
            parse_weight(text)
    with pytest.raises(TieError, match="the gate of a rule is mul or select"):
        override(load_preset("torch"), "relu", "1:block")
    with pytest.raises(TieError, match="3 weights"):
        override(load_preset("torch"), "relu", "1,0,0")
