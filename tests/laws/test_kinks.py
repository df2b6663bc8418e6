"""Laws over the piecewise functions of the prelude, under every preset."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cfcompiler import ties
from cfcompiler.arithmetic import EXACT, FLOATS
from cfcompiler.compiler import compile_text
from cfcompiler.interpreter import run
from cfcompiler.ir import Kink, Program
from cfcompiler.transforms.reverse import gradient

# Each piecewise function of the prelude called with what it needs, and the inputs at which one of its kinks is tied.
CALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "relu": ("relu(x)", ("0",)),
    "abs": ("abs(x)", ("0",)),
    "max": ("max(x, 2)", ("2",)),
    "min": ("min(x, 2)", ("2",)),
    "clip": ("clip(x, -1, 3)", ("-1", "3")),
    "leaky_relu": ("leaky_relu(x)", ("0",)),
    "prelu": ("prelu(x, 1/4)", ("0",)),
    "relu6": ("relu6(x)", ("0", "6")),
    "hardtanh": ("hardtanh(x)", ("-1", "1")),
    "hardsigmoid": ("hardsigmoid(x)", ("-3", "3")),
    "hardswish": ("hardswish(x)", ("-3", "3")),
    "elu": ("elu(x)", ("0",)),
    "selu": ("selu(x)", ("0",)),
    "celu": ("celu(x, 2)", ("0",)),
    "softshrink": ("softshrink(x)", ("-1/2", "1/2")),
    "huber": ("huber(x)", ("-1", "1", "0")),
    "hinge": ("hinge(x)", ("1",)),
    "squared_hinge": ("squared_hinge(x)", ("1",)),
    "pinball": ("pinball(x, 3/4)", ("0",)),
    "softsign": ("softsign(x)", ("0",)),
}


def _program(text: str, preset: str = "torch", **overrides: str) -> Program:
    return compile_text(text, preset=preset, overrides=overrides).program


def _exact(program: Program, *numbers: str | Fraction) -> list[Any]:
    inputs = {
        param.value.name: np.asarray(Fraction(x), dtype=object)
        for param, x in zip(program.params, numbers, strict=True)
    }
    values = run(program, inputs, EXACT)
    return [values[value.name][()] for value in program.results]


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_pieces_agree_at_every_tie(name: str) -> None:
    call, places = CALLS[name]
    program = _program(f"def f(x):\n    return {call}\n")
    for place in places:
        inputs = {"x": np.asarray(Fraction(place), dtype=object)}
        values = run(program, inputs, EXACT)
        tied = [
            kink
            for kink in program.instructions
            if isinstance(kink, Kink) and EXACT.compare(values[kink.left.name], values[kink.right.name]) == 0
        ]
        assert tied, f"no kink of {name} is tied at {place}"
        for kink in tied:
            assert values[kink.above.name] == values[kink.below.name], kink


@pytest.mark.parametrize("preset", ties.preset_names())
@pytest.mark.parametrize("name", sorted(CALLS))
def test_derivatives_away_from_ties_are_right(name: str, preset: str) -> None:
    call, places = CALLS[name]
    program = _program(f"def f(x):\n    return {call}\n", preset)
    backward = gradient(program)
    marks = sorted({Fraction(place) for place in places} | {Fraction(-9), Fraction(9)})
    for low, high in zip(marks, marks[1:], strict=False):
        x = float((3 * low + 2 * high) / 5)
        step = 1e-6
        ahead, behind, here = (
            float(run(p, {"x": np.asarray(y)}, FLOATS)[p.results[-1].name])
            for p, y in ((program, x + step), (program, x - step), (backward, x))
        )
        assert here == pytest.approx((ahead - behind) / (2 * step), rel=1e-7, abs=1e-8)


# Piecewise linear programs with a tie set of positive dimension: a point on it and a velocity inside it.
CURVES = [
    ("def f(x, y):\n    return max(x, y)\n", ("1", "1"), (1, 1)),
    ("def f(x, y):\n    return min(x, y)\n", ("-2", "-2"), (1, 1)),
    ("def f(x, y):\n    return 3*max(x, y) - min(2*x, x + y)\n", ("1/3", "1/3"), (1, 1)),
    ("def f(x, y, z):\n    return max(x, y, z)\n", ("1", "1", "1"), (1, 1, 1)),
    ("def f(x, y, z):\n    return max(x, max(y, z))\n", ("1", "1", "1"), (1, 1, 1)),
    ("def f(x, y, z):\n    return max([x, y, z])\n", ("1", "1", "0"), (1, 1, 0)),
    ("def f(x, y, z):\n    return min([x, y, z]) + y\n", ("1", "1", "1"), (1, 1, 1)),
    ("def f(x, y, z):\n    return clip(x, y, z)\n", ("1", "1", "2"), (1, 1, 0)),
    ("def f(x, y, z):\n    return clip(x, y, z)\n", ("2", "1", "2"), (1, 0, 1)),
    ("def f(x, y):\n    return relu(x - y) + abs(2*y - 2*x) - relu(y - x)\n", ("5", "5"), (1, 1)),
    (
        "def f(x, y, z):\n    s = sort([x, y, z])\n    return s[0] + 2*s[1] + 4*s[2]\n",
        ("1", "1", "1"),
        (1, 1, 1),
    ),
    ("def f(x, y, z):\n    return median([x, y, z])\n", ("1", "1", "1"), (1, 1, 1)),
    ("def f(x, y, z):\n    return sum(cummax([x, y, z]))\n", ("1", "1", "1"), (1, 1, 1)),
    ("def f(x, y):\n    return norminf([x, y])\n", ("1", "1"), (1, 1)),
]
# Measured to break the law: mygrad gives nothing to either side of a tie, pytensor all to every entry of a reduction,
# autograd and later versions of torch nothing to x and nothing to the bound at the ends of clip.
BREAKS = {
    "autograd": ("clip(x, y, z)",),
    "torch-2.15": ("clip(x, y, z)",),
    "mygrad": ("return max(x, y)", "return min(x, y)", "3*max(x, y)", "max(x, max(y, z))", "clip(x, y, z)"),
    "pytensor": ("return max([", "return min([", "norminf"),
}


def _defect(
    text: str, point: tuple[str, ...], velocity: tuple[int, ...], preset: str, **overrides: str
) -> Fraction:
    """Derivative by the rules along the curve, less the derivative of the value along it (exact: it is linear)."""
    program = _program(text, preset, **overrides)
    slopes = _exact(gradient(program), *point)[1:]
    moved = [Fraction(x) + v for x, v in zip(point, velocity, strict=True)]
    ahead, here = _exact(program, *moved)[0], _exact(program, *point)[0]
    by_rule = sum((slope * v for slope, v in zip(slopes, velocity, strict=True)), Fraction(0))
    return by_rule - (ahead - here)


@pytest.mark.parametrize("preset", ties.preset_names())
@pytest.mark.parametrize("case", CURVES, ids=lambda case: case[0].split("\n", 1)[1].strip())
def test_chain_rule_holds_along_curves_inside_tie_sets(
    case: tuple[str, tuple[str, ...], tuple[int, ...]], preset: str
) -> None:
    text, point, velocity = case
    if any(part in text for part in BREAKS.get(preset, ())):
        assert _defect(text, point, velocity, preset) != 0
        return
    assert _defect(text, point, velocity, preset) == 0


def test_the_chain_rule_refuses_a_rule_that_gives_all_to_both() -> None:
    text, point, velocity = CURVES[0]
    assert _defect(text, point, velocity, "torch", max="all") == 1
    assert _defect(CURVES[5][0], CURVES[5][1], CURVES[5][2], "torch", reduce_max="all") == 1


@pytest.mark.parametrize("value", ["first", "last", "split", "1/3,2/3"])
def test_the_chain_rule_accepts_every_affine_rule(value: str) -> None:
    for text, point, velocity in CURVES:
        assert _defect(text, point, velocity, "torch", max=value, min=value) == 0


@pytest.mark.parametrize("name", sorted(ties.load_preset("default").kinks))
def test_every_rule_can_be_set_by_a_number(name: str) -> None:
    found = ties.rules("torch", {name: "1/3"})
    assert found.kinks[name].forward == found.kinks[name].reverse
    assert found.kinks[name].reverse.gate in ("mul", "select")
    assert ties.rules("torch", {name: "1/3:mul"}).kinks[name].reverse.gate == "mul"
