"""Pooling in generated modules: values and shares of every rule, bit for bit those of the interpreter."""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np
import pytest

from cfcompiler.builder import Builder
from cfcompiler.ir import Program, Shape
from cfcompiler.source import Source
from cfcompiler.targets.numpy_module import windows
from cfcompiler.targets.numpy_module.arrays import array_code
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.ties import Reduction
from cfcompiler.transforms.reverse import gradient, vjp
from cfcompiler.transforms.tidy import tidy
from tests.test_arrays import module_of, reference
from tests.test_batch import HALF, ONE, SPECIAL, ZERO

# shape, side of the windows, stride: side by side, overlapping, apart from each other, wider than a byte counts
SIZES: list[tuple[Shape, int, int]] = [
    ((8, 6), 2, 2),
    ((9, 7), 3, 2),
    ((5, 6), 2, 1),
    ((7, 9), 2, 3),
    ((13,), 3, 3),
    ((12,), 3, 1),
    ((4, 300), 2, 2),
    ((12, 2), 2, 2),
]
TIES: list[Any] = ["first", "last", "split", "all", "weights"]


def pooled(shape: Shape, side: int, stride: int, rule: Reduction, sense: str = "max") -> Program:
    """The extremum of each window, weighed by data and added up."""
    builder = Builder("f", Source("", "<test>"))
    x = builder.param("x", shape)
    starts = [range(0, size - side + 1, stride) for size in shape]
    steps = (shape[-1], 1)[-len(shape) :]
    places = tuple(
        sum((corner + inner) * step for corner, inner, step in zip(corners, offsets, steps, strict=True))
        for corners in product(*starts)
        for offsets in product(range(side), repeat=len(shape))
    )
    out = (*map(len, starts), side ** len(shape))
    taken = builder.apply("take", x, indices=places, shape=out)
    top = builder.apply("extremum", taken, axes=(len(shape),), sense=sense, rule=rule)
    w = builder.param("w", out[:-1], differentiable=False)
    return builder.finish([builder.apply("sum", builder.apply("mul", w, top), axes=tuple(range(len(shape))))])


def inputs_of(shape: Shape, out: Shape, seed: int) -> list[Any]:
    """No ties; many ties; ties, NaN and infinities in the entries or in the weights."""
    generator = np.random.default_rng(seed)
    x, w = generator.normal(size=shape), generator.normal(size=out)
    if seed % 3:
        x = np.where(generator.random(shape) < 0.6, np.maximum(np.round(x), 0.0), x)
    if seed % 3 == 2:
        special = np.array([*SPECIAL, -0.0])
        x = np.where(generator.random(shape) < 0.1, generator.choice(special, size=shape), x)
        w = np.where(generator.random(out) < 0.2, generator.choice(special, size=out), w)
    return [x, w]


def assert_same_bits(got: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(np.signbit(got) & (got == got), np.signbit(wanted) & (wanted == wanted))


def rule_of(tie: Any, gate: Any, at_nan: Any, count: int) -> Reduction:
    if tie == "weights":
        tie = tuple(ONE + HALF * place for place in range(count))
    return Reduction("maxpool", tie, "select", gate, "share", at_nan)


@pytest.mark.parametrize("together", [4, windows.SIDE_BY_SIDE])
@pytest.mark.parametrize(("shape", "side", "stride"), SIZES)
def test_shares_of_windows_are_those_of_the_interpreter_bit_by_bit(
    monkeypatch: pytest.MonkeyPatch, shape: Shape, side: int, stride: int, together: int
) -> None:
    monkeypatch.setattr(windows, "SIDE_BY_SIDE", together)
    rules = [(tie, gate, "share") for tie, gate in product(TIES, ("select", "mul"))]
    rules += [("first", "select", "zero"), ("split", "mul", "nan"), ("last", "select", "nan")]
    for place, (tie, gate, at_nan) in enumerate(rules):
        rule = rule_of(tie, gate, at_nan, side ** len(shape))
        program = tidy(gradient(pooled(shape, side, stride, rule, "min" if place % 3 == 1 else "max")))
        text = "\n".join(array_code(program, "PLAN", Constants()).lines)
        assert "_pooled_places(" in text and "_pooled_shares(" in text
        space = module_of(program)
        for seed in range(3):
            inputs = inputs_of(shape, program.params[1].value.shape, seed)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                got = space["_sweep"](space["PLAN"], inputs)
            wanted = reference(program, inputs)
            np.testing.assert_allclose(got[0], wanted[0], rtol=1e-11)
            assert_same_bits(got[1], wanted[1])


def test_the_extremum_that_is_returned_too_and_a_pullback() -> None:
    rule = Reduction("maxpool", "split", "select", "mul")
    for program in (pooled((6, 8), 2, 2, rule), tidy(vjp(pooled((6, 8), 2, 2, rule)))):
        space = module_of(program)
        for seed in range(6):
            inputs = [*inputs_of((6, 8), (3, 4), seed), np.array(-1.5)][: len(program.params)]
            for one, other in zip(
                space["_sweep"](space["PLAN"], inputs), reference(program, inputs), strict=True
            ):
                np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


def test_a_weight_of_0_for_the_only_extremum_is_a_share_of_nothing() -> None:
    rule = Reduction("maxpool", (ZERO, ONE, ONE, ONE), "select", "select")
    space = module_of(tidy(gradient(pooled((4, 4), 2, 2, rule))))
    x, w = -np.arange(16.0).reshape((4, 4)), np.ones((2, 2))
    at_one = space["_sweep"](space["PLAN"], [x, w])[1]
    at_many = space["_sweep"](space["PLAN"], [np.array([x, x]), w])[1]
    assert np.isnan(at_one).any()
    np.testing.assert_array_equal(at_one, at_many[0])


def test_what_are_no_windows_of_one_form_are_gathered() -> None:
    assert windows.windows_of((0, 2, 3, 4, 6, 7), (8,), (2, 3)) is not None
    assert windows.windows_of((0, 1, 3, 3, 5, 6), (8,), (2, 3)) is None  # the windows differ
    assert windows.windows_of((1, 0, 4, 3), (8,), (2, 2)) is None  # entries do not ascend
    assert windows.windows_of((3, 4, 7, 8), (3, 4), (1, 2, 2)) is None  # a window leaves its row
