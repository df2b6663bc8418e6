"""Expressions at odd shapes against NumPy: a point, a batch, both derivatives, the interpreter, the answers of `at`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import FLOATS
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.errors import CFError
from cfcompiler.interpreter import run
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize

Case = tuple[str, str, Callable[..., Any]]

# A scalar truth value beside an array of them: inputs, expression, what NumPy says.
CONDITIONS: list[Case] = [
    ("x, v: Real[3]", "where(x > 0 and v > 0, v, 2*v)", lambda x, v: np.where((x > 0) & (v > 0), v, 2 * v)),
    ("x, v: Real[3]", "where(x > 0 or v > 0, v, 2*v)", lambda x, v: np.where((x > 0) | (v > 0), v, 2 * v)),
    ("x, v: Real[3]", "where(0 < x < v, v, 2*v)", lambda x, v: np.where((x > 0) & (v > x), v, 2 * v)),
    (
        "x, v: Real[2, 2]",
        "where(v > 0 or x > 0 and not v > x, v, 2*v)",
        lambda x, v: np.where((v > 0) | ((x > 0) & ~(v > x)), v, 2 * v),
    ),
    (
        "x, v: Real[3]",
        "where(x > 0 and v[0] > 0 and v > x, v, 2*v)",
        lambda x, v: np.where((x > 0) & (v[0] > 0) & (v > x), v, 2 * v),
    ),
    ("x, v: Real[3]", "xlogy(x, exp(v))", lambda x, v: x * v),
]
# Arrays without entries.
EMPTY: list[Case] = [
    ("v: Real[5]", "v[3:1]", lambda v: v[3:1]),
    ("v: Real[5]", "v[10:20:2] * 2 + v[:0]", lambda v: v[:0]),
    ("v: Real[5]", "relu(v[:0])", lambda v: v[:0]),
    ("v: Real[5]", "sort(v[:0])", lambda v: v[:0]),
    ("v: Real[5]", "cumsum(v[:0])", lambda v: v[:0]),
    ("v: Real[5]", "where(v[:0] > 0, v[:0], 1)", lambda v: v[:0]),
    ("v: Real[5]", "v[:0] if v[0] > 0 else v[2:2]", lambda v: v[:0]),
    ("v: Real[5]", "sum(v[:0]) + norm2(v[:0]) + prod(v[:0]) + v[0]", lambda v: 1 + v[0]),
    ("v: Real[5]", "concat(v[:0], v)", lambda v: v),
    ("v: Real[5]", "zeros((2, 0)) @ v[:0] + v[:2]", lambda v: v[:2]),
    ("v: Real[5]", "zeros((2, 0)) @ zeros((0, 3)) + v[:3]", lambda v: np.zeros((2, 3)) + v[:3]),
    ("v: Real[2, 3]", "prod(v[:0], axis=0) + norm2(v[:0], axis=0)", lambda v: np.ones(3)),
]


def _points(program: Compiled, count: int) -> list[tuple[Any, ...]]:
    generator = np.random.default_rng(7)
    shapes = [param.value.shape for param in program.program.params]
    return [tuple(generator.normal(size=shape) for shape in shapes) for _ in range(count)]


def _text(inputs: str, expression: str) -> str:
    return f"def f({inputs}):\n    return {expression}\n"


@pytest.mark.parametrize(("inputs", "expression", "expected"), [*CONDITIONS, *EMPTY])
def test_an_expression_is_what_numpy_says(inputs: str, expression: str, expected: Callable[..., Any]) -> None:
    program = compile_text(_text(inputs, expression))
    points = _points(program, 8)
    values, slopes = [], []
    for point in points:
        value, pullback = program.vjp(*point)
        values.append(value)
        assert np.shape(value) == np.shape(expected(*point))
        assert value == pytest.approx(expected(*point))
        names = [param.value.name for param in program.program.params]
        found = run(program.program, dict(zip(names, map(np.asarray, point), strict=True)), FLOATS)
        assert np.array_equal(found[program.program.results[0].name], value)
        slope = program.jvp(point, point)[1]
        slopes.append(slope)
        cotangents = pullback(np.ones_like(value))
        parts = cotangents if isinstance(cotangents, tuple) else (cotangents,)
        flowed = sum(np.sum(part * entry) for part, entry in zip(parts, point, strict=True))
        assert flowed == pytest.approx(np.sum(slope))
        up, down = (expected(*[entry * scale for entry in point]) for scale in (1 + 1e-6, 1 - 1e-6))
        assert slope == pytest.approx((up - down) / 2e-6, abs=1e-7)
    batch = tuple(np.stack(entries) for entries in zip(*points, strict=True))
    assert np.array_equal(program.value(*batch), np.stack(values))
    assert program.jvp(batch, batch)[1] == pytest.approx(np.stack(slopes))


def test_at_answers_where_an_array_has_no_entries() -> None:
    program = compile_text(_text("v: Real[2]", "abs(v[0]) + sum(relu(v[2:])) + sum(zeros((2, 0)) @ v[2:])"))
    report = program.at(v=[0, 1])
    assert report.judged.verdict == "clarke"
    assert program.strata().counts == {1: 1, 2: 2}


def test_a_maximum_of_nothing_is_a_mistake() -> None:
    for function in ("max", "logsumexp", "mean", "median", "argmax"):
        with pytest.raises(CFError, match=r"CF0\d\d"):
            compile_text(_text("v: Real[3]", f"{function}(v[3:])"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("def f(x: Real[1000000, 1000000]):\n    return x[0, 0]\n", "CF038"),
        ("def f(x: Real[99999999999999999999]):\n    return x[0]\n", "CF038"),
        ("def f(x):\n    return sum(zeros((1000000, 1000000)) + x)\n", "CF038"),
        ("def f(x: Real[100000]):\n    return sum(reshape(x, (100000, 1)) * x)\n", "CF038"),
        ("def f(x):\n    for i in range(10**30):\n        x = x + 1\n    return x\n", "CF038"),
        ("def f(x):\n    return " + "+".join(["x"] * 5_000_000) + "\n", "CF038"),
        ("def f(x):\n    return [" + ",".join(["1"] * 1_500_000) + "]\n", "CF038"),
        ("def f(x):\n    return " + "a" * 10_000_000 + "\n", "CF012"),
    ],
    ids=["an input", "a size", "zeros", "an outer product", "a loop", "a sum", "a list", "a name"],
)
def test_what_is_too_large_is_refused_shortly(text: str, code: str) -> None:
    """Before it fills the memory or takes minutes; what is said of it is short."""
    with pytest.raises(CFError) as caught:
        compile_text(text)
    assert [found.code for found in caught.value.diagnostics] == [code]
    assert len(caught.value.diagnostics[0].message) < 200


@pytest.mark.parametrize(
    ("inputs", "expression"), [("x: Real[30000000]", "x[0]"), ("x", "sum(zeros((20000, 20000)) + x)")]
)
def test_a_large_array_is_not_taken_apart(inputs: str, expression: str) -> None:
    """That is said at once, and not when its entries have filled the memory."""
    program = compile_text(_text(inputs, expression)).program
    with pytest.raises(TooManyScalars):
        scalarize(program, 1000)


def test_a_number_beyond_floats_is_infinite_in_the_module() -> None:
    program = compile_text("def f(x):\n    return x*1e400 + 1e-400\n")
    assert program.grad(np.array([1.0, 2.0])).tolist() == [np.inf, np.inf]
    assert program.at(x=0).value == f"1/{10**400}"


def test_a_third_array_of_concat_is_no_axis() -> None:
    with pytest.raises(CFError, match="concat takes two arrays"):
        compile_text(_text("v: Real[3]", "concat(v, v, v)"))
