"""Orderings against NumPy, under every preset: values, and gradients whose entries sum to what the value does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cfcompiler import interpreter, ties
from cfcompiler.arithmetic import Floats
from cfcompiler.compiler import compile_text
from cfcompiler.errors import CFError

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


@pytest.mark.parametrize("preset", ties.preset_names())
@pytest.mark.parametrize("name", ["median", "quantile", "logsumexp", "norm2"])
def test_a_statistic_along_an_axis(name: str, preset: str) -> None:
    """Also where the preset writes the operation by others."""
    expected = {
        "median": np.median,
        "quantile": lambda x, axis: np.quantile(x, 1 / 3, axis=axis),
        "logsumexp": lambda x, axis: np.log(np.sum(np.exp(x), axis=axis)),
        "norm2": lambda x, axis: np.sqrt(np.sum(x * x, axis=axis)),
    }[name]
    if preset == "torch":
        cases = [((2, 3), 0), ((1, 3), 1), ((3, 1), -1), ((4,), 0), ((2, 1, 3), 1), ((2, 2, 3), -3)]
    else:
        cases = [((2, 3), -1)]
    for shape, axis in cases:
        _along_an_axis(name, preset, shape, axis, expected)


def _along_an_axis(
    name: str, preset: str, shape: tuple[int, ...], axis: int, expected: Callable[..., Any]
) -> None:
    x = np.random.default_rng(1).normal(size=shape)
    inputs, more = f"x: Real[{', '.join(map(str, shape))}]", ", 1/3" if name == "quantile" else ""
    program = compile_text(f"def f({inputs}):\n    return {name}(x{more}, axis={axis})\n", preset=preset)
    value, pullback = program.vjp(x)
    wanted = expected(x, axis=axis)
    assert np.shape(value) == np.shape(wanted)
    assert value == pytest.approx(wanted, rel=1e-12)
    d = np.random.default_rng(2).normal(size=shape)
    difference = (expected(x + 1e-6 * d, axis=axis) - expected(x - 1e-6 * d, axis=axis)) / 2e-6
    assert program.jvp((x,), (d,))[1] == pytest.approx(difference, abs=1e-7)
    assert np.sum(pullback(np.ones_like(value)) * d) == pytest.approx(np.sum(difference), abs=1e-7)


@pytest.mark.parametrize("preset", ["torch", "jax", "casadi"])
def test_a_statistic_along_several_axes(preset: str) -> None:
    text = "def f(x: Real[2, 3, 2]):\n    return logsumexp(x, axis=(0, 2)) + max(x, axis=(2, 0))\n"
    x = np.random.default_rng(3).normal(size=(2, 3, 2))
    expected = np.log(np.sum(np.exp(x), axis=(0, 2))) + np.max(x, axis=(0, 2))
    assert compile_text(text, preset=preset).value(x) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["sort", "topk", "median", "quantile", "cummax", "cummin"])
@pytest.mark.parametrize("value", ["all", "1/3,2/3", "1/2", "tree"])
def test_an_ordering_has_no_weights(name: str, value: str) -> None:
    with pytest.raises(CFError, match=f"the tie rule '{name}' cannot be") as caught:
        compile_text("def f(x):\n    return x\n", overrides={name: value})
    assert caught.value.diagnostics[0].hint.startswith("write first or last")


@pytest.mark.parametrize("preset", ties.preset_names())
def test_a_rule_for_the_median_counts_where_the_preset_writes_it_by_others(preset: str) -> None:
    for value, expected in (("first", [0, 1, 0]), ("last", [0, 1, 0])):
        program = compile_text(
            "def f(x: Real[3]):\n    return median(x)\n", preset=preset, overrides={"median": value}
        )
        assert program.grad(np.zeros(3)).tolist() == expected


FALLING = "def f(x: Real[4]):\n    return sort(x, descending=True)\n"
FALLING_MATRIX = "def f(x: Real[2, 4]):\n    return sort(x, axis=1, descending=True)\n"


@pytest.mark.parametrize("preset", ["torch", "tensorflow", "jax", "jax-jit", "autograd", "pytensor"])
def test_a_falling_order_has_equal_entries_in_the_order_of_the_framework(preset: str) -> None:
    """jax.numpy.sort(x, descending=True) and sort(x)[::-1] have the last of them first."""
    point, cotangent, tangent = np.array([1.0, 2.0, 1.0, 2.0]), np.arange(1.0, 5.0), np.arange(1.0, 5.0)
    backward, forward = (
        ([3, 1, 4, 2], [2, 4, 1, 3]) if preset in ("torch", "tensorflow") else ([4, 2, 3, 1], [4, 2, 3, 1])
    )
    program, rows = compile_text(FALLING, preset=preset), compile_text(FALLING_MATRIX, preset=preset)
    assert program.vjp(point)[1](cotangent).tolist() == backward
    assert program.jvp((point,), (tangent,))[1].tolist() == forward
    batch = np.stack([point, point])
    assert rows.vjp(batch)[1](np.stack([cotangent, cotangent])).tolist() == [backward, backward]
    assert program.vjp(batch)[1](np.stack([cotangent, cotangent])).tolist() == [backward, backward]


@pytest.mark.parametrize(
    ("rules", "backward"),
    [
        ({"sort": "first"}, [3, 1, 4, 2]),
        ({"sort": "last"}, [4, 2, 3, 1]),
        ({"sort_descending": "first"}, [3, 1, 4, 2]),
    ],
)
def test_a_rule_for_sorting_counts_in_both_directions(rules: dict[str, str], backward: list[int]) -> None:
    program = compile_text(FALLING, preset="jax", overrides=rules)
    assert program.vjp(np.array([1.0, 2.0, 1.0, 2.0]))[1](np.arange(1.0, 5.0)).tolist() == backward


NAN = float("nan")
# x, the gradient of the running extrema times 1, 2, 3, ..., their tangents along 1, 2, 3, ...: torch 2.13
RUNNING = [
    ([1, NAN, NAN], [1, 2, 3], [1, 2, 3]),
    ([NAN, NAN, 1], [1, 5, 0], [1, 2, 2]),
    ([NAN, 0, NAN], [3, 0, 3], [1, 1, 3]),
    ([0, NAN, 0, 0, NAN], [1, 9, 0, 0, 5], [1, 2, 2, 2, 5]),
    ([NAN, NAN, NAN, np.inf, np.inf], [1, 2, 12, 0, 0], [1, 2, 3, 3, 3]),
    ([0, 0, NAN, 1, NAN], [1, 2, 7, 0, 5], [1, 2, 3, 3, 5]),
]


@pytest.mark.parametrize(("x", "backward", "forward"), RUNNING)
@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_running_extrema_of_torch_take_the_last_nan(
    name: str, x: list[float], backward: list[int], forward: list[int]
) -> None:
    """At a point, in a batch, along the axis of a matrix, and by the interpreter."""
    size, point = len(x), np.array(x, dtype=float)
    program = compile_text(f"def f(x: Real[{size}]):\n    return {name}(x)\n", preset="torch")
    count = np.arange(1.0, size + 1)
    assert program.vjp(point)[1](count).tolist() == backward
    assert program.jvp((point,), (count,))[1].tolist() == forward
    batch, counts = np.stack([point, point]), np.stack([count, count])
    assert program.vjp(batch)[1](counts).tolist() == [backward, backward]
    assert program.jvp((batch,), (counts,))[1].tolist() == [forward, forward]
    columns = compile_text(f"def f(x: Real[{size}, 30]):\n    return {name}(x, axis=0)\n", preset="torch")
    many = columns.vjp(np.tile(point[:, None], 30))[1](np.tile(count[:, None], 30))
    assert many[:, 0].tolist() == many[:, 29].tolist() == backward
    values = interpreter.run(program.forward, dict(zip(("x", "d_x"), (point, count), strict=True)), Floats())
    assert values[program.forward.results[1].name].tolist() == forward
    first = compile_text(
        f"def f(x: Real[{size}]):\n    return {name}(x)\n", preset="torch", overrides={name: "first"}
    )
    places = np.maximum.accumulate(np.where(np.isnan(point), np.arange(size, 0, -1), 0))
    seen = np.isnan(point) & (places == np.arange(size, 0, -1))
    assert all(np.flatnonzero(first.vjp(point)[1](np.eye(size)[-1])) == np.flatnonzero(seen)[0])
