"""Choices and extrema of long arrays go by bits: the same bits as entry by entry, in pieces, or in the interpreter."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from cfcompiler.builder import Builder
from cfcompiler.compiler import compile_text
from cfcompiler.ir import Program, Value
from cfcompiler.source import Source
from cfcompiler.targets.numpy_module import array_functions, stages
from cfcompiler.ties import Reduction
from cfcompiler.transforms.reverse import gradient
from cfcompiler.transforms.tidy import tidy
from tests.test_arrays import module_of, reference
from tests.test_batch import HALF, ONE, RULES, SPECIAL
from tests.test_pooling import assert_same_bits

LONG = 3000


def numbers(seed: int, plain: bool = False, count: int = LONG) -> Any:
    """Numbers with many equal ones; unless plain, with NaN, infinities and zeros of either sign."""
    generator = np.random.default_rng(seed)
    x = np.round(generator.normal(size=count), 1)
    special = generator.choice(np.array([*SPECIAL, -0.0]), size=count)
    return x if plain else np.where(generator.random(count) < 0.1, special, x)


def in_pieces(function: Any, *arrays: Any) -> Any:
    """The function on pieces too short to go by bits."""
    parts = [np.broadcast_to(array, (LONG,)).reshape((-1, 500)) for array in arrays]
    return np.concatenate([function(*rows) for rows in zip(*parts, strict=True)])


@pytest.mark.parametrize("plain", [True, False])
def test_long_choices_are_those_of_short_ones(plain: bool) -> None:
    with np.errstate(all="ignore"):
        left, right, term = (numbers(seed, plain) for seed in range(3))
        for above, below in ((left, -left), (term, left), (np.array(1.5), term)):
            for other in (right, np.array(0.0)):
                got = array_functions._kink(left, other, above, below)
                assert_same_bits(got, in_pieces(array_functions._kink, left, other, above, below))
        for weights in (
            (0.0, 0.5, 1.0, 0.5),
            (1.0, 0.5, 0.0, 0.5),
            (0.0, 1.0, 1.0, np.nan),
            (1.0, 0.0, 0.0, 0.0),
            (0.0, np.nan, 1.0, 0.0),
        ):
            for gate, other, given in product(
                ("select", "mul"), (right, np.array(0.0)), (term, np.array(-2.0))
            ):
                got = array_functions._weigh(left, other, given, *weights, gate)
                wanted = in_pieces(
                    lambda a, b, c, w=weights, g=gate: array_functions._weigh(a, b, c, *w, g),
                    left, other, given,
                )  # fmt: skip
                assert_same_bits(got, wanted)


def program_of(body: Any, *shapes: tuple[int, ...]) -> Program:
    builder = Builder("f", Source("", "<test>"))
    values = [builder.param(f"x{place}", shape) for place, shape in enumerate(shapes)]
    out: Value = body(builder, *values)
    w = builder.param("w", out.shape, differentiable=False)
    axes = tuple(range(len(out.shape)))
    return tidy(gradient(builder.finish([builder.apply("sum", builder.apply("mul", w, out), axes=axes)])))


def compare(program: Program, inputs: list[Any]) -> None:
    space = module_of(program)
    got, wanted = space["_sweep"](space["PLAN"], inputs), reference(program, inputs)
    np.testing.assert_allclose(got[0], wanted[0], rtol=1e-9)
    for one, other in zip(got[1:], wanted[1:], strict=True):
        assert_same_bits(one, other)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("gate", ["select", "mul"])
def test_shares_of_a_long_extremum_are_those_of_the_interpreter(axes: tuple[int, ...], gate: Any) -> None:
    for place, (tie, at_nan) in enumerate(product(("first", "split", "all", "last"), ("nan", "share"))):
        rule = Reduction("max", tie, gate, gate, at_nan, at_nan)
        sense = "max" if place % 2 else "min"
        program = program_of(
            lambda b, x, s=sense, r=rule: b.apply("extremum", x, axes=axes, sense=s, rule=r), (40, 60)
        )
        generator = np.random.default_rng(place)
        weights = program.params[1].value.shape
        for x in (generator.normal(size=(40, 60)), numbers(place, True, 2400).reshape((40, 60))):
            compare(program, [x, generator.normal(size=weights)])
        x = numbers(place, False, 2400).reshape((40, 60))
        compare(program, [x, np.where(generator.random(weights) < 0.3, np.inf, -1.0)])


def test_rules_over_long_arrays_are_those_of_the_interpreter() -> None:
    for place, rule in enumerate(RULES):
        program = program_of(lambda b, x, r=rule: b.kink(x, b.constant(0), x, b.apply("neg", x), r), (1200,))
        compare(program, [numbers(place, count=1200), numbers(place + 9, True, 1200)])


def test_a_norm_of_rows_of_which_some_are_0_has_the_gradient_of_the_interpreter() -> None:
    program = program_of(lambda b, x: b.apply("norm2", x, axes=(1,)), (5, 4))
    x = np.random.default_rng(0).normal(size=(5, 4))
    x[1] = 0.0
    compare(program, [x, np.array([1.0, 2.0, -1.0, -0.0, 3.0])])
    x[3, 0], x[4, 0] = np.nan, np.inf
    compare(program, [x, np.ones(5)])


def test_a_factor_1_is_left_out() -> None:
    def body(b: Builder, x: Value) -> Value:
        return b.apply("mul", b.apply("mul", b.constant(1), x), b.apply("add", x, b.constant(HALF + ONE)))

    compare(program_of(body, (7,)), [np.array([1.0, -0.0, np.inf, np.nan, -2.0, 0.5, 3.0]), np.ones(7)])


BATCHES = (
    ("def f(x: Real[2]):\n    return max(x)\n", 700),
    ("def f(x: Real[2]):\n    return 2*max(x) - min(x)/3\n", 700),
    ("def f(x: Real[8]):\n    return max(maxpool(x, 2))\n", 300),
    ("def f(x: Real[4, 6]):\n    return sum(max(x, axis=1)) - mean(min(x, axis=0))\n", 60),
    ("def f(x: Real[2000]):\n    return norminf(x)\n", 3),
    ("def f(x: Real[1500]):\n    return min(x)*x[0]\n", 2),
)


@pytest.mark.parametrize(("text", "count"), BATCHES)
@pytest.mark.parametrize("preset", ["torch", "jax", "tensorflow"])
def test_single_extrema_of_a_batch_are_those_of_its_points(text: str, count: int, preset: str) -> None:
    module = compile_text(text, preset=preset).namespace
    shape = module["INPUTS"][0]["shape"]
    x = np.random.default_rng(4).normal(size=(count, *shape))
    value, slopes = module["value_and_grad"](x)
    pulled = module["vjp"](x)[1](2.0)
    for place in range(0, count, 97):
        own_value, own_slopes = module["value_and_grad"](x[place])
        assert value[place] == own_value
        np.testing.assert_array_equal(slopes[place], own_slopes)
        np.testing.assert_array_equal(pulled[place], module["vjp"](x[place])[1](2.0))
    np.testing.assert_array_equal(module["lexicographic"](x), slopes)


def test_an_entry_of_a_broadcast_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """jax scans cummax as a tree of entries; the slopes of their sum are entries of one number, broadcast."""
    monkeypatch.setattr(stages, "MOST_SCALARS", 3)
    module = compile_text("def f(x: Real[7]):\n    return sum(cummax(x)) - x[2]\n", preset="jax").namespace
    assert "_gradient_array" in module
    x = np.array([1.0, 0.0, 3.0, 2.0, 2.0, 5.0, 4.0])
    np.testing.assert_array_equal(module["grad"](x), [2, 0, 2, 0, 0, 2, 0])
    np.testing.assert_array_equal(module["grad"](np.stack([x, -x]))[0], [2, 0, 2, 0, 0, 2, 0])
