"""Large program, point with few ties -> D, the limiting gradients and the truth, without unrolling the arrays.

The gradients of the tied switches come from one backward run each. Where they are linearly independent, every
combination of sides is met near the point, along an open set of rays, and every vertex of D is a limiting gradient
(theory S6, Theorem C: kink qualification; independence does not depend on how the other ties are resolved). So D and
the limiting gradients are the gradients for all combinations: as many backward runs. Only ties of kinks are treated,
and not those in a branch that is itself tied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.lexicographic import first_direction
from cfcompiler.analyses.limits import Vector, distinct
from cfcompiler.arithmetic import EXACT
from cfcompiler.feasibility.linear import independent
from cfcompiler.interpreter import Machine, run, taken
from cfcompiler.ir import Apply, Instruction, Kink, Program, Value
from cfcompiler.numbers import is_special
from cfcompiler.polynomials import plus, times
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.tidy import tidy

LARGE = 4000  # entries of all values of a program, from which on this is tried first
MOST_TIES = 6
_ZERO, _ONE = Fraction(0), Fraction(1)

Place = tuple[str, tuple[int, ...]]  # a kink, and an entry of it


@dataclass(frozen=True, slots=True)
class Qualified:
    """All combinations of sides of the ties are met near the point; `vertices` are the gradients there.

    `lexicographic` is that of the sides which the direction matrix of lexicographic.py leads to.
    """

    vertices: tuple[Vector, ...]
    lexicographic: Vector


def is_large(program: Program) -> bool:
    """Whether the program has so many entries that unrolling it takes long."""
    total = 0
    for instruction in program.instructions:
        total += int(np.prod(instruction.out.shape)) if instruction.out.shape else 1
        if isinstance(instruction, Apply) and instruction.op == "matmul":
            total += int(np.prod(instruction.args[0].shape)) * (
                int(instruction.args[1].shape[1]) if len(instruction.args[1].shape) == 2 else 1
            )
    return total > LARGE


def qualified(program: Program, point: Mapping[str, Any]) -> Qualified | None:
    """The vertices, where the ties are few, of kinks, and independent; else None. Raises Undecided."""
    ties = _ties(program, point)
    if ties is None or len(ties) > MOST_TIES or len(program.results) != 1 or program.results[0].shape:
        return None
    kinks = {i.out.name: i for i in program.instructions if isinstance(i, Kink)}
    switches = [kinks[name] for name, _ in ties]
    compared = dict.fromkeys(value for kink in switches for value in (kink.left, kink.right))
    if any(value.branch for value in compared):
        return None
    extended = replace(program, results=(*program.results, *compared))
    backward = tidy(vjp(extended))
    try:
        led: dict[Place, str] = {}
        rows = []
        for place, kink in zip(ties, switches, strict=True):
            rows.append(_gradient(extended, backward, point, place, kink, led))
            led[place] = _side(rows[-1])
        if rows and not independent(rows):
            return None
        plain = tidy(vjp(program))
        found = {
            sides: _gradient(program, plain, point, None, None, dict(zip(ties, sides, strict=True)))
            for sides in product(("above", "below"), repeat=len(ties))
        }
    except _NotFinite:
        return None
    return Qualified(distinct(found.values()), found[tuple(led.values())])


def _side(row: Vector) -> str:
    """The side on which the direction matrix leaves a switch with this gradient."""
    along = _ZERO
    for entry, step in zip(row, first_direction(len(row)), strict=True):
        along = plus(along, times(entry, step))
    signs = (numbers.decided(entry) for entry in (along, *row[1:]))
    return "below" if next((sign for sign in signs if sign), 1) < 0 else "above"


class _NotFinite(Exception):
    """A derivative is NaN or inf."""


def _ties(program: Program, point: Mapping[str, Any]) -> list[Place] | None:
    """The tied entries of kinks; None where something else is tied, or the domain has an edge."""
    found: list[Place] = []
    other = False

    def watch(instruction: Instruction, values: Mapping[str, Any]) -> None:
        nonlocal other
        if isinstance(instruction, Kink):
            codes = EXACT.compare(values[instruction.left.name], values[instruction.right.name])
            found.extend((instruction.out.name, tuple(map(int, entry))) for entry in np.argwhere(codes == 0))
        elif isinstance(instruction, Apply):
            other = other or _is_other_tie(instruction, values)

    run(program, point, EXACT, watch)
    return None if other else found


def _is_other_tie(instruction: Apply, values: Mapping[str, Any]) -> bool:
    """Whether an ordering, a comparison or a step may change nearby, or a row is not smooth here."""
    op, out = instruction.op, instruction.out
    row = TABLE[op]
    if op in COMPARISONS:
        left, right = (values[arg.name] for arg in instruction.args)
        return bool(np.any(EXACT.compare(left, right) == 0))
    if row.jumps or op in ("extremum", "argextremum", "order", "cumargextremum", "isnan"):
        return True
    if row.singular is not None or op in ("div", "log", "log2", "log10", "log1p", "pow", "tan"):
        return True
    return out.kind == "real" and any(is_special(x) for x in values[out.name].flat)


def _gradient(
    program: Program,
    backward: Program,
    point: Mapping[str, Any],
    place: Place | None,
    kink: Kink | None,
    sides: Mapping[Place, str],
) -> Vector:
    """The gradient of the switch of a tied entry, or of the first result, with ties resolved as `sides` says."""
    seeds: dict[str, Any] = {}
    params = backward.params[len(program.params) :]
    for result, param in zip(program.results, params, strict=True):
        seed = np.empty(result.shape, dtype=object)
        seed[...] = Fraction(0)
        if place is None and result is program.results[0]:
            seed[()] = _ONE
        elif kink is not None and place is not None and result.name in (kink.left.name, kink.right.name):
            own = _own(result, place[1])
            seed[own] = seed[own] + (_ONE if result.name == kink.left.name else -_ONE)
        seeds[param.value.name] = seed
    values = _run_resolved(backward, {**point, **seeds}, sides)
    outputs = backward.results[len(program.results) :]
    flat = tuple(x for value in outputs for x in np.reshape(values[value.name], -1))
    if any(is_special(x) for x in flat):
        raise _NotFinite
    return flat


def _own(value: Value, place: Sequence[int]) -> tuple[int, ...]:
    """The entry of a broadcast operand that an entry of the kink is made from."""
    own = place[len(place) - len(value.shape) :] if value.shape else ()
    return tuple(0 if size == 1 else index for index, size in zip(own, value.shape, strict=True))


def _run_resolved(backward: Program, inputs: Mapping[str, Any], sides: Mapping[Place, str]) -> dict[str, Any]:
    values = dict(inputs)
    machine = _Resolved(backward, sides)
    for instruction in backward.instructions:
        if taken(instruction.out, values):
            values[instruction.out.name] = machine.evaluate(instruction, values)
    return values


class _Resolved(Machine):
    """The interpreter in exact arithmetic, with the sides of some ties given."""

    def __init__(self, program: Program, sides: Mapping[Place, str]) -> None:
        super().__init__(program, EXACT)
        self.sides = sides

    def _op_weigh(self, instruction: Apply, left: Any, right: Any, term: Any) -> Any:
        out = super()._op_weigh(instruction, left, right, term)
        kink, piece = instruction.attribute("kink"), instruction.attribute("piece")
        own = {entry: side for (name, entry), side in self.sides.items() if name == kink}
        if not own:
            return out
        out, term = (
            np.array(out, dtype=object),
            np.broadcast_to(np.asarray(term, dtype=object), np.shape(out)),
        )
        for entry, side in own.items():
            out[entry] = term[entry] if side == piece else Fraction(0)
        return out
