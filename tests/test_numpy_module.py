"""The generated module computes what the interpreter computes, bit for bit where the operations are the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import FLOATS
from cfcompiler.compiler import compile_text
from cfcompiler.interpreter import run
from cfcompiler.program import Program
from cfcompiler.targets.numpy_module import emit
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient, vjp
from tests.random_programs import random_array_program, random_points, random_program

SEEDS = range(60)


def module_of(program: Program, **options: Any) -> Any:
    module = ModuleType(program.name)
    exec(emit(program, **options), module.__dict__)  # noqa: S102 - as `import` would
    return module


def compiled(text: str, **options: Any) -> Any:
    return module_of(compile_text(text).program, **options)


def expected(program: Program, arguments: Sequence[Any]) -> list[np.ndarray]:
    inputs = {
        param.value.name: np.asarray(argument, dtype=np.float64)
        for param, argument in zip(program.params, arguments, strict=True)
    }
    values = run(program, inputs, FLOATS)
    return [np.asarray(values[value.name], dtype=np.float64) for value in program.results]


def flat(found: Any) -> list[float]:
    if isinstance(found, tuple | list):
        return [number for part in found for number in flat(part)]
    return [float(number) for number in np.ravel(found)]


def same_bits(found: Any, wanted: Sequence[np.ndarray]) -> bool:
    left = np.array(flat(found))
    right = np.array([number for part in wanted for number in np.ravel(part)])
    both_nan = np.isnan(left) & np.isnan(right)
    return left.shape == right.shape and bool(np.all(both_nan | (left.view(np.int64) == right.view(np.int64))))


def plain(point: Sequence[np.ndarray]) -> tuple[Any, ...]:
    return tuple(float(x) if x.ndim == 0 else x for x in point)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_point_has_the_bits_of_the_interpreter(seed: int) -> None:
    program = random_program(seed)
    module = module_of(program)
    backward, forward, pulled = gradient(program), jvp(program), vjp(program)
    for place, point in enumerate(random_points(program, seed, 12)):
        at, tangents = plain(point), tuple(0.5 * n - 1 for n in range(len(point)))
        assert same_bits(module.value(*at), expected(program, at))
        assert same_bits(module.value_and_grad(*at), expected(backward, at))
        assert same_bits(module.jvp(at, tangents), expected(forward, (*at, *tangents)))
        if place % 4 == 0:
            value, pullback = module.vjp(*at)
            assert same_bits((value, pullback(-1.5)), expected(pulled, (*at, -1.5)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_has_the_bits_of_its_points(seed: int) -> None:
    program = random_program(seed)
    module = module_of(program)
    points = random_points(program, seed, 40)
    columns = [np.array([point[place] for point in points]) for place in range(len(program.params))]
    value, slopes = module.value_and_grad(*columns)
    tangents = tuple(0.5 * n - 1 for n in range(len(columns)))
    along = module.jvp(tuple(columns), tangents)
    signs = module.signature(*columns)
    for row, point in enumerate(points):
        at = plain(point)
        assert same_bits((value[row], [slope[row] for slope in slopes]), [np.array(flat(module.value_and_grad(*at)))])
        assert same_bits([part[row] for part in along], [np.array(flat(module.jvp(at, tangents)))])
        assert np.array_equal(signs[row], module.signature(*at))


@pytest.mark.parametrize("seed", range(200, 220))
def test_rounded_rows_agree_to_the_last_places(seed: int) -> None:
    program = random_program(seed, rounded=True)
    module, backward = module_of(program), gradient(program)
    for point in random_points(program, seed, 12):
        at = plain(point)
        wanted = np.concatenate([np.ravel(part) for part in expected(backward, at)])
        found = np.array(flat(module.value_and_grad(*at)))
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("seed", range(300, 330))
def test_arrays_at_a_point_have_the_values_of_the_interpreter(seed: int) -> None:
    program = random_array_program(seed)
    module, backward, forward = module_of(program), gradient(program), jvp(program)
    for point in random_points(program, seed, 10, wild=False):
        wanted = np.concatenate([np.ravel(part) for part in expected(backward, point)])
        assert np.array(flat(module.value_and_grad(*point))) == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True)
        tangents = tuple(np.ones_like(x) for x in point)
        wanted = np.concatenate([np.ravel(part) for part in expected(forward, (*point, *tangents))])
        assert np.array(flat(module.jvp(point, tangents))) == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True)
