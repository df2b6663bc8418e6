"""Program, point -> what forward and what backward mode return there, in exact numbers or in float64.

A Jacobian is a list with a row for each entry of the results; a row has for each differentiable input an array of its
shape. Under rules with one mode (`Formulas.one_mode`) forward is the forward sweep where both sweeps are finite: there
they multiply and add the same partial derivatives, in another order. Where inf or NaN is met, the order of products and
sums decides what comes of it; there forward is what backward is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from cfcompiler.analyses.field import seeds_of
from cfcompiler.arithmetic import FLOATS
from cfcompiler.interpreter import run
from cfcompiler.ir import Instruction, Program
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.tidy import tidy

Jacobian: TypeAlias = list[list[np.ndarray]]
Watch: TypeAlias = Callable[[Instruction, Mapping[str, Any]], None]


def both_modes(program: Program, inputs: Mapping[str, Any]) -> tuple[Jacobian, Jacobian]:
    """(forward, backward) of a program at a point in float64."""
    forward = forward_jacobian(program, inputs, FLOATS)
    backward = backward_jacobian(program, inputs, FLOATS)
    if program.formulas.one_mode:
        _agree(forward, backward)
    return forward, backward


def forward_jacobian(program: Program, point: Mapping[str, Any], arithmetic: Any) -> Jacobian:
    """By one forward sweep for each entry of the inputs. Raises Undecided in exact arithmetic."""
    forward = tidy(jvp(program))
    moving = [param.value for param in program.params if param.differentiable]
    names = [param.value.name for param in forward.params[len(program.params) :]]
    count = sum(int(np.prod(value.shape)) for value in program.results)
    kind, zero, one = _kind(arithmetic), arithmetic.number(Fraction(0)), arithmetic.number(Fraction(1))
    jacobian: Jacobian = [[np.empty(value.shape, dtype=kind) for value in moving] for _ in range(count)]
    for which, value in enumerate(moving):
        for entry in np.ndindex(value.shape):
            seeds: dict[str, Any] = {
                name: np.full(other.shape, zero, dtype=kind)
                for name, other in zip(names, moving, strict=True)
            }
            seeds[names[which]][entry] = one
            values = run(forward, {**point, **seeds}, arithmetic)
            outputs = forward.results[len(program.results) :]
            flat = [number for output in outputs for number in np.reshape(values[output.name], -1)]
            for place, number in enumerate(flat):
                jacobian[place][which][entry] = number
    return jacobian


def backward_jacobian(
    program: Program, point: Mapping[str, Any], arithmetic: Any, watch: Watch | None = None
) -> Jacobian:
    """By one backward sweep for each entry of the results. Raises Undecided in exact arithmetic."""
    backward = tidy(vjp(program))
    names = [param.value.name for param in backward.params[len(program.params) :]]
    kind = _kind(arithmetic)
    rows: Jacobian = []
    for seeds in seeds_of(program, arithmetic):
        own: dict[str, Any] = {
            name: np.asarray(seed, dtype=kind) for name, seed in zip(names, seeds, strict=True)
        }
        values = run(backward, {**point, **own}, arithmetic, watch)
        rows.append([values[value.name] for value in backward.results[len(program.results) :]])
    return rows


def _kind(arithmetic: Any) -> type:
    return np.float64 if arithmetic is FLOATS else object


def _agree(forward: Jacobian, backward: Jacobian) -> None:
    """Replace the columns of `forward` that are not finite, or all of them where `backward` is not."""
    finite = all(np.isfinite(array).all() for row in backward for array in row)
    for which, column in enumerate(zip(*forward, strict=True)):
        kept = np.isfinite(np.stack(column)).all(axis=0) & finite
        for row, theirs in zip(forward, backward, strict=True):
            row[which] = np.where(kept, row[which], theirs[which])
