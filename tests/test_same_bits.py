"""Sums have one order: the value has the same bits alone and with derivatives, at one point and among many."""

from __future__ import annotations

import numpy as np
import pytest

from cfcompiler import ieee
from cfcompiler.compiler import compile_text

# Rows that plain floats and NumPy compute with the same bits, so that what may differ is the order of sums.
EXPRESSIONS = (
    "mean(M)",
    "norm2(M)",
    "std(M) + mean(M)",
    "sum(norm2(M.T, axis=0))",
    "norm2(min(M/3, axis=1)) + prod(max(M, axis=1))",
    "norm2(where(M > 0, M, M*M)) * sum(min(M, axis=0))",
)
SHAPES = ((2, 3), (12, 3), (3, 11))
# The last is a tie of everything with everything, which blocks leave to plain expressions.
SCALES = (1.0, 0.01, 100.0, None)


@pytest.mark.parametrize("preset", ["pytensor", "casadi-sx"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_value_has_the_same_bits_whoever_asks(expression: str, preset: str) -> None:
    for shape in SHAPES:
        text = f"def f(M: Real[{shape[0]}, {shape[1]}], y):\n    return {expression} + 0*y\n"
        program = compile_text(text, preset=preset)
        generator = np.random.default_rng(shape)
        for scale in SCALES:
            many = generator.normal(size=(5, *shape))
            many[2] = (
                generator.choice([0.0, 1.0, -1.0, 0.5, 0.1], shape) if scale is None else many[2] * scale
            )
            others = generator.normal(size=5)
            found = {}
            for name, one, other, place in (
                ("point", many[2], others[2], ()),
                ("one of one", many[2:3], others[2:3], (0,)),
                ("one of five", many, others, (2,)),
                ("for all", many[2], others, (2,)),
            ):
                tangents = (np.ones_like(one), np.ones_like(other))
                found[name, "value"] = np.asarray(program.value(one, other))[place]
                found[name, "gradient"] = np.asarray(program.value_and_grad(one, other)[0])[place]
                found[name, "jvp"] = np.asarray(program.jvp((one, other), tangents)[0])[place]
                found[name, "vjp"] = np.asarray(program.vjp(one, other)[0])[place]
            bits = {key: float(number).hex() for key, number in found.items()}
            assert len(set(bits.values())) == 1, (expression, shape, bits)


@pytest.mark.parametrize("expression", ["sum(abs(concat(M, M, axis=1)))", "mean(M*M)", "sum(M) + norm2(M)"])
def test_a_program_of_arrays_has_the_same_bits_however_its_inputs_lie_in_memory(expression: str) -> None:
    program = compile_text(f"def f(M: Real[16, 17]):\n    return {expression}\n", preset="torch")
    many = np.random.default_rng(0).normal(size=(5, 16, 17))
    wanted, slopes = program.value_and_grad(many)
    points_last = np.moveaxis(np.ascontiguousarray(np.moveaxis(many, 0, -1)), -1, 0)
    for laid in (points_last, np.asfortranarray(many), np.ascontiguousarray(many[:, ::-1])[:, ::-1]):
        assert np.array_equal(program.value(laid), wanted)
        assert all(
            np.array_equal(got, one)
            for got, one in zip(program.value_and_grad(laid), (wanted, slopes), strict=True)
        )
        assert [program.value(one) for one in laid] == wanted.tolist()
        assert program.jvp((laid,), (np.asfortranarray(many),))[0].tolist() == wanted.tolist()


@pytest.mark.parametrize("count", [3, 8, 9, 130, 4096])
def test_entries_are_added_in_their_order_however_they_lie_in_memory(count: int) -> None:
    generator = np.random.default_rng(count)
    for width in (1, 2, 5, 17):
        x = generator.normal(size=(count, width))
        wanted = x[0].copy()
        for row in x[1:]:
            wanted += row
        for laid in (x, np.asfortranarray(x), np.ascontiguousarray(x[::-1])[::-1]):
            assert np.array_equal(ieee._added(laid, (0,)), wanted)
        assert np.array_equal(ieee._added(x.T.copy(), (1,)), wanted)


def test_sums_over_several_axes_go_by_rows() -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 1))
    for moved, axes in ((x, (0, 1, 2)), (np.moveaxis(x, 3, 0), (1, 2, 3))):
        total = 0.0
        for entry in x.ravel():
            total += entry
        assert ieee._added(moved, axes).tolist() == [total]
