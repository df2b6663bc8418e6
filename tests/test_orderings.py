"""Orderings against NumPy, under every preset: values, and gradients whose entries sum to what the value does."""

from __future__ import annotations

import numpy as np
import pytest

from cfcompiler import ties
from cfcompiler.compiler import compile_text

SHAPES = ["1", "3", "4", "2, 2", "2, 3"]


@pytest.mark.parametrize("preset", ties.preset_names())
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["median", "max", "min"])
def test_a_statistic_of_all_entries(name: str, shape: str, preset: str) -> None:
    program = compile_text(f"def f(x: Real[{shape}]):\n    return {name}(x)\n", preset=preset)
    x = np.random.default_rng(0).normal(size=tuple(map(int, shape.split(","))))
    assert program.value(x) == pytest.approx(getattr(np, name)(x), rel=1e-12)
    assert np.sum(program.grad(x)) == pytest.approx(1.0)


@pytest.mark.parametrize("preset", ties.preset_names())
def test_sorting_and_running_maxima_of_rows(preset: str) -> None:
    text = "def f(x: Real[2, 3]):\n    return concat(sort(x, axis=1), cummax(x, axis=1))\n"
    program = compile_text(text, preset=preset)
    x = np.array([[3.0, 1.0, 2.0], [-1.0, 5.0, 4.0]])
    expected = np.concatenate([np.sort(x, axis=1), np.maximum.accumulate(x, axis=1)])
    assert np.array_equal(program.value(x), expected)
