"""Points with NaN and infinities: answers of torch 2.13.0 and jax 0.10.2, by every way a module computes them."""

from __future__ import annotations

from itertools import product
from math import inf, nan

import numpy as np
import pytest

from cfcompiler import interpreter
from cfcompiler.arithmetic import Floats
from cfcompiler.compiler import Compiled, compile_text

# An entry that is NaN is the largest: x, k, topk(x, k), and the gradient of its sum.
LARGEST = [
    ([nan, 0, 5], 1, [nan], [1, 0, 0]),
    ([nan, 0, 5], 2, [nan, 5], [1, 0, 1]),
    ([1, nan, 0], 1, [nan], [0, 1, 0]),
    ([1, nan, 0], 2, [nan, 1], [1, 1, 0]),
    ([nan, 1, nan], 1, [nan], [1, 0, 0]),
    ([nan, 1, nan], 2, [nan, nan], [1, 0, 1]),
]
# x, q, the value of torch.quantile(x, q), its gradient.
QUANTILES = [
    ([nan, 0, 5], "1/4", nan, [1, 0, 0]),
    ([nan, 0, 5], "1", nan, [1, 0, 0]),
    ([1, nan, 0, nan], "1/4", nan, [0, 0, 0, 1]),
    ([1, nan, 0, nan], "0", nan, [0, 0, 0, 1]),
    ([2, 1, 1, nan], "1/2", nan, [0, 0, 0, 1]),
    ([1, nan], "1/2", nan, [0, 1]),
    ([-inf, -inf, 0], "0.3", nan, [0.4, 0.6, 0]),
    ([inf, inf, 0], "0.3", nan, [0.6, 0, 0.4]),
    ([-inf, 0, 1, 1], "0.3", -inf, [0.1, 0.9, 0, 0]),
    ([inf, inf, 0], "1/2", nan, [1, 0, 0]),
    ([1, 1, 0, 2], "3/4", 1.25, [0, 0.75, 0, 0.25]),
]
# x, y, x**y, and its derivative by x, of two inputs: torch and jax agree.
POWERS = [
    (-inf, 0.5, inf, 0.0),
    (-inf, 1.5, inf, inf),
    (-inf, 2.5, inf, inf),
    (-inf, -0.5, 0.0, 0.0),
    (-inf, 3.0, -inf, inf),
    (inf, 0.5, inf, 0.0),
    (-0.0, 0.5, 0.0, inf),
    (4.0, 0.5, 2.0, 0.25),
    (-1.0, 0.5, nan, nan),
]


def _interpreted(program: Compiled, **inputs: object) -> object:
    """The value by the reference."""
    arrays = {name: np.asarray(value, dtype=float) for name, value in inputs.items()}
    with np.errstate(all="ignore"):
        return interpreter.run(program.program, arrays, Floats())[program.program.results[0].name]


def _agrees(program: Compiled, x: list[float], value: object, gradient: list[float]) -> None:
    """One point, many at once, forward, and the interpreter."""
    at = np.array(x, dtype=float)
    np.testing.assert_allclose(program.value(at), value, rtol=1e-15)
    many, slopes = program.value_and_grad(np.stack([at] * 3))
    assert program.value_and_grad(at)[0] == pytest.approx(value, nan_ok=True)
    np.testing.assert_allclose(many, [value] * 3)
    np.testing.assert_allclose(slopes, [gradient] * 3, rtol=1e-12)
    np.testing.assert_allclose(program.grad(at), gradient, rtol=1e-12)
    np.testing.assert_allclose(_interpreted(program, x=at), value, rtol=1e-15)


@pytest.mark.parametrize("preset", ["torch", "jax"])
@pytest.mark.parametrize(("x", "k", "values", "gradient"), LARGEST)
def test_the_largest_entries_have_the_nan(
    x: list[float], k: int, values: list[float], gradient: list[float], preset: str
) -> None:
    text = f"def f(x: Real[{len(x)}]):\n    return "
    assert np.array_equal(
        compile_text(f"{text}topk(x, {k})\n", preset=preset).value(np.array(x)), values, equal_nan=True
    )
    for form in (f"sum(topk(x, {k}))", f"sum(sort(x, descending=True)[:{k}])"):
        program = compile_text(f"{text}{form}\n", preset=preset, overrides={"sort": "first"})
        _agrees(program, x, sum(values), gradient)


@pytest.mark.parametrize(("name", "word"), [("sort", "first"), ("topk", "first"), ("topk", "last")])
@pytest.mark.parametrize("size", [7, 1500])
def test_nan_and_ties_in_descending_order_at_every_size(name: str, word: str, size: int) -> None:
    """Short and long vectors, whole orders and single places of one."""
    x = np.random.default_rng(size).integers(-2, 3, size).astype(float)
    x[[1, 4]] = nan, -0.0
    place = np.arange(size) if word == "first" else -np.arange(size)
    wanted = np.lexsort((place, -np.nan_to_num(x, nan=9.0)))
    for rank in (0, 2, size // 2):
        taken = "sort(x, descending=True)" if name == "sort" else f"topk(x, {size})"
        text = f"def f(x: Real[{size}]):\n    return {taken}[{rank}]\n"
        program = compile_text(text, overrides={name: word})
        assert np.flatnonzero(program.grad(x)).tolist() == [wanted[rank]]
        assert np.flatnonzero(program.grad(np.stack([x, x]))[1]).tolist() == [wanted[rank]]
        assert np.array_equal(program.value(x), x[wanted[rank]], equal_nan=True)


@pytest.mark.parametrize(("x", "q", "value", "gradient"), QUANTILES)
def test_a_quantile_of_torch(x: list[float], q: str, value: float, gradient: list[float]) -> None:
    program = compile_text(f"def f(x: Real[{len(x)}]):\n    return quantile(x, {q})\n", preset="torch")
    _agrees(program, x, value, gradient)


QUANTILES_OF_JAX = [
    ([inf], "1/4", nan, [1]),
    ([0, 0, -inf, 0], "1/4", -inf, [0.75, 0, 0.25, 0]),
    ([1, -inf, -inf], "0.4", -inf, [0, 0.2, 0.8]),
    ([inf, inf, inf, 0], "0.4", inf, [0.8, 0.2, 0, 0]),
    ([0, 2, 2, 1], "1/4", 0.75, [0.25, 0, 0, 0.75]),
]


@pytest.mark.parametrize("preset", ["jax", "jax-jit"])
@pytest.mark.parametrize(("x", "q", "value", "gradient"), QUANTILES_OF_JAX)
def test_a_quantile_of_jax(x: list[float], q: str, value: float, gradient: list[float], preset: str) -> None:
    program = compile_text(f"def f(x: Real[{len(x)}]):\n    return quantile(x, {q})\n", preset=preset)
    _agrees(program, x, value, gradient)


@pytest.mark.parametrize("preset", ["torch", "jax"])
def test_value_and_gradient_have_one_power(preset: str) -> None:
    """An exponent that is one number for many points is no other function."""
    program = compile_text("def f(x, y):\n    return x**y\n", preset=preset)
    for x, y, value, slope in POWERS:
        for form in product((x, np.full(3, x)), (y, np.full(3, y))):
            found, (by_x, _) = program.value_and_grad(*form)
            for got in (found, program.value(*form), program.jvp(form, (0.0, 0.0))[0]):
                np.testing.assert_array_equal(got, value)
                assert np.isnan(value) or np.all(np.signbit(got) == np.signbit(value))
            np.testing.assert_array_equal(by_x, slope)
            np.testing.assert_array_equal(program.grad(*form)[0], slope)
        np.testing.assert_array_equal(_interpreted(program, x=x, y=y), value)
