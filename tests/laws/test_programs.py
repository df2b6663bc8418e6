"""Laws over random programs, most of them in exact arithmetic and at points where operations are tied.

Forward is reverse (Bolte and Pauwels 2021, theorem 8), the module is the interpreter, the printed form is read back,
and the second derivative is that of the first.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import EXACT, FLOATS
from cfcompiler.compiler import compile_text
from cfcompiler.interpreter import run
from cfcompiler.ir import Kink, Program, Select
from cfcompiler.language.program_text import parse
from cfcompiler.targets.program_text import emit
from cfcompiler.ties import ORDERING_WORDS, preset_names, rule_names, rules
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient, vjp
from cfcompiler.verify import verify
from tests.laws.exact_points import (
    ONE,
    TINY,
    Flat,
    compiled_text,
    direction_of,
    exact_array,
    exact_runs,
    flat_point,
    forward_at,
    moved,
    reverse_at,
    switches,
    tied_choices,
)
from tests.random_texts import COORDINATES, KINDS, Text, nested, random_text


def _finite(*gradients: Flat) -> bool:
    return all(isinstance(entry, Fraction) for gradient in gradients for entry in gradient)


# forward and reverse


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize("kind", ["linear", "polynomial"])
def test_forward_is_reverse(kind: str, preset: str) -> None:
    """P1, exactly, ties included; but for operations that the preset gives two rules."""
    for seed in range(3):
        for program, point in exact_runs(kind, seed, preset):
            forward, reverse = forward_at(program, point), reverse_at(program, point)
            assert _finite(forward, reverse)
            if forward != reverse:
                tied = tied_choices(program, point)
                assert any(
                    isinstance(kink, Kink)
                    and kink.out.name in tied
                    and (kink.tie.forward.above.tie, kink.tie.forward.below.tie)
                    != (kink.tie.reverse.above.tie, kink.tie.reverse.below.tie)
                    for kink in program.instructions
                )


def _multiplying() -> dict[str, str]:
    """Overrides under which every zero multiplies."""
    found = rules("jax")
    chosen: dict[str, str] = {}
    for name in rule_names(found):
        if name == "where":
            chosen[name] = "mul"
        elif name in found.kinks:
            chosen[name] = "1/2:mul"
        elif name in found.reductions:
            chosen[name] = "last:mul" if name in ORDERING_WORDS else "split:mul"
    return chosen


@pytest.mark.parametrize("block", range(5))
def test_forward_is_reverse_at_nan_and_inf_where_every_zero_multiplies(block: int) -> None:
    """One input and scalars only, no `where`; the rest are known limits of one number in both modes.

    With several inputs, or in an array, a tangent of 0 that meets an infinity makes NaN of what does not depend on
    it. The arm of a `where` that is not taken gets a plain 0 in reverse, and 0 times its tangent in forward. And the
    two modes add up the same products in another order, (a + b)*c and a*c + b*c: where c is infinite and the signs
    of a and b differ, one is infinite and the other NaN. Nothing else may differ.
    """
    met = 0
    for seed in range(40 * block, 40 * (block + 1)):
        text = random_text(seed, "wild", inputs="x", statements=5)
        program = compile_text(text.text, preset="jax", overrides=_multiplying()).program
        if any(
            step.out.shape or (isinstance(step, Select) and not step.lazy) for step in program.instructions
        ):
            continue
        met += 1
        forward, backward = jvp(program), gradient(program)
        for x in (0.0, 1.0, -1.0, 0.5, 2.0, -0.75, math.inf, -math.inf, math.nan):
            inputs = {"x": np.array(x), "d_x": np.array(1.0)}
            ours = float(run(forward, inputs, FLOATS)[forward.results[1].name])
            theirs = float(run(backward, {"x": np.array(x)}, FLOATS)[backward.results[1].name])
            if math.isnan(ours) != math.isnan(theirs):
                assert math.isinf(ours) or math.isinf(theirs), (seed, x, ours, theirs)
            else:
                assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9, nan_ok=True), (seed, x)
    assert met


# the module and the printed form


def _bits(found: Any) -> np.ndarray:
    if isinstance(found, tuple | list):
        return np.concatenate([_bits(part) for part in found])
    return np.ravel(np.asarray(found, dtype=np.float64))


def _interpreted(program: Program, arguments: Sequence[Any]) -> np.ndarray:
    inputs = {
        param.value.name: np.asarray(x, dtype=np.float64)
        for param, x in zip(program.params, arguments, strict=True)
    }
    values = run(program, inputs, FLOATS)
    return _bits([values[value.name] for value in program.results])


def _float_points(text: Text, program: Program, seed: int) -> list[list[Any]]:
    generator = random.Random(seed)
    wild = [float(x) for x in COORDINATES] + [math.nan, math.inf, -math.inf, -0.0]
    if "@" not in text.text:  # a BLAS may fuse a product and a sum: what overflows in between is finite
        wild.append(1e200)
    points = [
        [np.array(point[param.value.name], dtype=np.float64) for param in program.params]
        for point in text.points
    ]
    for _ in range(4):
        points.append([np.array(nested(param.value.shape, generator, wild)) for param in program.params])
    return points


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", KINDS)
def test_the_module_is_the_interpreter(kind: str, seed: int) -> None:
    """At a point and in a batch, by the bits; NaN is NaN and -0 is 0.

    Products of matrices are a BLAS' in the interpreter, which fuses and orders as it likes: with them, where numbers
    are rounded, to the last places.
    """
    preset = preset_names()[seed % len(preset_names())]
    text, compiled = compiled_text(kind, seed, preset)
    program, module = compiled.program, compiled.namespace
    forward, backward, slopes = jvp(program), vjp(program), gradient(program)
    same = _same_places if "@" in text.text and kind in ("smooth", "wild") else np.testing.assert_array_equal
    points = _float_points(text, program, seed)
    tangents = [np.full(param.value.shape, 0.5 * place - 1) for place, param in enumerate(program.params)]
    wanted: list[list[np.ndarray]] = []
    for point in points:
        wanted.append(
            [
                _interpreted(program, point),
                _interpreted(slopes, point),
                _interpreted(forward, [*point, *tangents]),
                _interpreted(backward, [*point, -1.5]),
            ]
        )
        if program.formulas.one_mode:
            wanted[-1][2][1:] = _one_mode(wanted[-1][2][1:], wanted[-1][1][1:], tangents)
        value, pullback = module["vjp"](*point)
        found = [
            module["value"](*point),
            module["value_and_grad"](*point),
            module["jvp"](tuple(point), tuple(tangents)),
            (value, pullback(-1.5)),
        ]
        for ours, theirs in zip(found, wanted[-1], strict=True):
            same(_bits(ours), theirs)
    columns = [np.stack(column) for column in zip(*points, strict=True)]
    value, pullback = module["vjp"](*columns)
    batch = [
        [module["value"](*columns)],
        module["value_and_grad"](*columns),
        module["jvp"](tuple(columns), tuple(tangents)),
        (value, pullback(np.full(len(points), -1.5))),
    ]
    for place in range(len(points)):
        for found, theirs in zip(batch, wanted[place], strict=True):
            same(_bits([part[place] for part in _leaves(found)]), theirs)


def _one_mode(along: np.ndarray, slopes: np.ndarray, tangents: Sequence[np.ndarray]) -> np.ndarray:
    """The derivative along the tangents: backward's where inf or NaN is met."""
    if np.isfinite(along).all() and np.isfinite(slopes).all():
        return along
    total, start = np.float64(0), 0
    with np.errstate(all="ignore"):
        for v in tangents:
            terms = np.where(v == 0, 0.0, v * np.reshape(slopes[start : start + v.size], v.shape))
            total, start = total + terms.sum(), start + v.size
    return np.array([total])


def _same_places(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def _leaves(found: Any) -> list[Any]:
    return [leaf for part in found for leaf in _leaves(part)] if isinstance(found, tuple | list) else [found]


@pytest.mark.parametrize("kind", KINDS)
def test_the_printed_form_is_read_back(kind: str) -> None:
    for seed in range(6):
        preset = preset_names()[-1 - seed]
        compiled = compiled_text(kind, seed, preset)[1]
        for program in (
            compiled.program,
            compiled.forward,
            compiled.backward,
            verify(jvp(compiled.backward)),
        ):
            assert parse(emit(program)) == program


# second derivatives


@pytest.mark.parametrize("seed", range(8))
def test_second_derivatives_are_differences_of_the_gradient(seed: int) -> None:
    """Away from ties, in exact numbers: the differences of a polynomial are off by the square of the step."""
    generator = random.Random(seed)
    program = compiled_text("polynomial", seed)[1].program
    slopes = gradient(program)
    second = verify(jvp(slopes))
    results = len(slopes.results)
    for _ in range(3):
        point = {
            param.value.name: exact_array(
                nested(param.value.shape, generator, [Fraction(k, 7 * 13) for k in range(-200, 200) if k]),
                param.value.shape,
            )
            for param in program.params
        }
        if 0 in switches(program, point).values():
            continue
        direction = direction_of(generator, len(flat_point(point)))
        origin = {name: array - array for name, array in point.items()}
        tangents = {f"d_{name}": array for name, array in moved(origin, direction, ONE).items()}
        along = run(second, {**point, **tangents}, EXACT)
        ahead, behind = (run(slopes, moved(point, direction, step), EXACT) for step in (TINY, -TINY))
        for value, tangent in zip(slopes.results, second.results[results:], strict=True):
            for a, b, slope in zip(
                *(np.reshape(x, -1) for x in (ahead[value.name], behind[value.name], along[tangent.name])),
                strict=True,
            ):
                assert abs((a - b) / (2 * TINY) - slope) <= Fraction(1, 2**30) * (1 + abs(slope))
