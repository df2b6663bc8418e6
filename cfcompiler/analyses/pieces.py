"""Program, point -> the pieces that the program may follow near the point: the leaves of a tree of signs.

The program runs in an arithmetic of functions near the point. A comparison of values that differ at the point is
decided; one whose difference vanishes nearby is a tie for good; any other asks an oracle, which answers with each sign
in turn. So a leaf is a list of signs of switches, a smooth function for each output, and what was run is the path.
Cells that are empty by an affine argument are cut at once; whether the others touch the point is for touching.py.

Source: theory S6 (path functions of a program); a switch may vanish identically on a cell, trap 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from time import monotonic
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.jets import Jets
from cfcompiler.analyses.neighbourhood import Local, Neighbourhood, continuous
from cfcompiler.analyses.removable import one_sided, parts_of
from cfcompiler.analyses.switches import Switch, Switches
from cfcompiler.arithmetic import UNORDERED, Undecided
from cfcompiler.feasibility.directions import Direction, direction
from cfcompiler.interpreter import Machine, taken
from cfcompiler.ir import Instruction, Number, Program, Select
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import Finite, is_special
from cfcompiler.primitives import TABLE

MOST_LEAVES = 4096
_ZERO, _ONE = Fraction(0), Fraction(1)


class TooManyPieces(Undecided):
    """More leaves than the budget."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A switch with its sign on the cell: 1, -1, or 0 on a thin one. `joins`: a branch or a step was decided by it."""

    switch: Switch
    sign: int
    joins: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """A path through the program near the point: the signs that lead to it, and each output there.

    `ray`: a direction in which its affine switches have their signs. `arms`: the guards of branches that ran, with
    their truth values.
    """

    signs: tuple[Sign, ...]
    outputs: tuple[Local, ...]
    ray: tuple[Finite, ...]
    arms: tuple[tuple[str, bool], ...]

    @property
    def thin(self) -> bool:
        return any(sign.sign == 0 for sign in self.signs)

    @property
    def affine(self) -> bool:
        """Whether all switches are affine; then the cell is a cone that holds the ray."""
        return all(sign.switch.affine for sign in self.signs)

    @property
    def joins(self) -> bool:
        """Whether a branch or a step was decided on the way."""
        return any(sign.joins for sign in self.signs)


class Pieces:
    """The leaves of a program near a point. `thin` ones are enumerated where a branch or a step is tied."""

    def __init__(self, program: Program, point: Mapping[str, Any]) -> None:
        self.program = program
        self.near = Neighbourhood(program, point)
        self.jets = Jets(self.near)
        self.switches = Switches(self.near, self.jets)
        self.joined = False  # whether some branch or step is tied at the point

    def leaves(self, *, thin: bool = False, most: int = MOST_LEAVES, until: float = inf) -> Iterator[Leaf]:
        """All leaves, in order of their signs; under `thin` those with at least one zero sign.

        Raises Undecided where a comparison could not be decided, TooManyPieces, also at the moment `until`.
        """
        pending = [Start((), None)]
        found = 0
        while pending:
            if monotonic() > until:
                raise TooManyPieces("out of time among the pieces that meet here")
            oracle = Oracle(self.switches, self.near.dimension, pending.pop(), thin)
            leaf = self.run(oracle)
            pending.extend(reversed(oracle.others))
            self.joined = self.joined or any(sign.joins for sign in oracle.signs)
            if leaf is None or leaf.thin != thin:
                continue
            found += 1
            if found > most:
                raise TooManyPieces(f"more than {most} pieces meet here")
            yield leaf

    def run(self, oracle: Oracle) -> Leaf | None:
        """The leaf that the oracle's signs lead to; None outside the domain that the program asserts."""
        arithmetic = Functions(self.near, oracle)
        machine = _PieceMachine(self.program, arithmetic)
        values: dict[str, Any] = dict(self.near.inputs)
        for instruction in self.program.instructions:
            if taken(instruction.out, values):
                try:
                    values[instruction.out.name] = machine.evaluate(instruction, values)
                except Undecided as problem:
                    raise Undecided(problem.reason, problem.instruction or instruction) from None
        for assertion in self.program.assertions:
            if assertion.condition.name in values and not np.all(values[assertion.condition.name]):
                return None
        outputs = tuple(
            entry for result in self.program.results for entry in np.reshape(values[result.name], -1)
        )
        arms = {
            instruction.guard.name: bool(values[instruction.guard.name])
            for instruction in self.program.instructions
            if isinstance(instruction, Select)
            and instruction.guard.name in values
            and not np.shape(values[instruction.guard.name])
        }
        return Leaf(tuple(oracle.signs), outputs, oracle.ray, tuple(arms.items()))


class _PieceMachine(Machine):
    """The interpreter; it tells the oracle when a sign decides between values that need not agree."""

    def evaluate(self, instruction: Instruction, values: Mapping[str, Any]) -> Any:
        functions = self.arithmetic
        assert isinstance(functions, Functions)
        functions.oracle.joins = False
        if isinstance(instruction, Select) or instruction.out.kind == "bool":
            functions.oracle.joins = True
        elif instruction.out.kind == "real" and getattr(instruction, "op", "") in TABLE:
            functions.oracle.joins = TABLE[instruction.op].jumps  # type: ignore[union-attr]
        return super().evaluate(instruction, values)


@dataclass(frozen=True, slots=True)
class Start:
    """The first signs of a leaf, and a direction in which the affine ones among their switches have them."""

    signs: tuple[int, ...]
    ray: tuple[Finite, ...] | None


class Oracle:
    """The signs of the switches met: those prescribed, then the first that may be; the others are kept for later."""

    def __init__(self, switches: Switches, dimension: int, start: Start, thin: bool) -> None:
        self.switches = switches
        self.dimension = dimension
        self.prescribed = start.signs
        self.thin = thin
        self.joins = False
        self.signs: list[Sign] = []
        self.chosen: list[int] = []
        self.others: list[Start] = []
        self._known: dict[Any, int] = {}
        self._rows: list[tuple[Finite, ...]] = []
        self._equal: list[tuple[Finite, ...]] = []
        self._interior = start.ray

    def sign(self, function: Local) -> int:
        """The sign of a function near the point, on the cell of the signs so far."""
        if is_special(function.value):
            raise Undecided(f"{function.op} has no value at the point")
        here = numbers.sign(function.value)
        if here is None:
            raise Undecided("the sign could not be decided")
        if here != 0:
            if not continuous(function):
                raise Undecided(f"{function.op} may not be continuous at the point")
            return here
        switch = self.switches.switch(function)
        return 0 if switch is None else self._asked(switch)

    def side(self, function: Local) -> int:
        """The sign of a function, which decides between continuations that need not agree."""
        before, self.joins = self.joins, True
        found = self.sign(function)
        self.joins = before
        return found

    def _asked(self, switch: Switch) -> int:
        if switch.key in self._known:
            self._note_join(switch)
            return switch.orientation * self._known[switch.key]
        place = len(self.chosen)
        row = self._row(switch)
        if place < len(self.prescribed):
            found = self.prescribed[place]
        else:
            rays = {sign: self._direction(row, sign) for sign in (1, -1, 0)}
            options = self._options(row, [sign for sign, ray in rays.items() if ray is not None])
            found, others = options[0], options[1:]
            self.others.extend(Start((*self.chosen, other), rays[other]) for other in others)
            self._interior = rays[found]
        self._enter(row, found)
        self.chosen.append(found)
        self._known[switch.key] = found
        self.signs.append(Sign(switch, found, self.joins))
        return switch.orientation * found

    def _note_join(self, switch: Switch) -> None:
        """A switch that was met in a kink may decide a branch later."""
        if self.joins:
            for place, sign in enumerate(self.signs):
                if sign.switch.key == switch.key and not sign.joins:
                    self.signs[place] = Sign(sign.switch, sign.sign, True)

    def _options(self, row: tuple[Finite, ...] | None, possible: list[int]) -> list[int]:
        """The signs that are followed. Zero on thin sets only: where it decides a branch, or where it may be forced."""
        strict = [sign for sign in possible if sign]
        if not self.thin:
            return strict
        on_thin = any(sign.sign == 0 for sign in self.signs)
        wanted = self.joins or not strict or (on_thin and row is None)
        return possible if wanted else strict

    @property
    def ray(self) -> tuple[Finite, ...]:
        """A direction in which the affine switches have their signs."""
        return self._interior or (_ZERO,) * self.dimension

    def _row(self, switch: Switch) -> tuple[Finite, ...] | None:
        return switch.polynomial.gradient() if switch.affine and switch.polynomial is not None else None

    def _direction(self, row: tuple[Finite, ...] | None, sign: int) -> tuple[Finite, ...] | None:
        """A direction in which the affine switches and one more have their signs; None where there is none."""
        if row is None:
            return self.ray
        strict, equal = list(self._rows), list(self._equal)
        if sign == 0:
            equal.append(row)
        else:
            strict.append(row if sign > 0 else tuple(-entry for entry in row))
        found = direction(tuple(strict), (), tuple(equal), dimension=self.dimension, start=self._interior)
        return found.vector if isinstance(found, Direction) else None

    def _enter(self, row: tuple[Finite, ...] | None, sign: int) -> None:
        if row is not None and sign == 0:
            self._equal.append(row)
        elif row is not None:
            self._rows.append(row if sign > 0 else tuple(-entry for entry in row))


class Functions:
    """The arithmetic of functions near the point; its comparisons ask the oracle."""

    dtype = object

    def __init__(self, near: Neighbourhood, oracle: Oracle) -> None:
        self.near = near
        self.oracle = oracle

    def number(self, number: Number) -> Local:
        return self.near.constant(number if isinstance(number, Fraction) else parse_number(number))

    def array(self, data: np.ndarray) -> Any:
        out = np.empty(data.shape, dtype=object)
        for place in np.ndindex(data.shape):
            entry = float(data[place])
            out[place] = self.number(Fraction(entry) if np.isfinite(entry) else repr(entry))
        return out

    def elementwise(self, op: str, args: Sequence[Any], exponent: Any) -> Any:
        arrays: Any = np.broadcast_arrays(*args)
        out = np.empty(arrays[0].shape, dtype=object)
        for place in np.ndindex(out.shape):
            values = [array[place] for array in arrays]
            if TABLE[op].jumps:
                out[place] = _STEPS[op](self, *values)
            else:
                power = None if exponent is None else Fraction(exponent)
                out[place] = self._regular(self.near.apply(op, *values, exponent=power))
        return out

    def _regular(self, function: Local) -> Local:
        """The function, or what it is on one side of a part by which it has a removable singularity."""
        if function.analytic or function.constant:
            return function
        for part in parts_of(function):
            sides = {side: one_sided(self.near, function, part, side) for side in (1, -1)}
            if None in sides.values() and len(set(sides.values())) == 1:
                continue
            side = self.oracle.side(self.near.difference(part, self.near.constant(part.value)))
            return sides.get(side) or function
        return function

    def compare(self, left: Any, right: Any) -> np.ndarray:
        left, right = np.broadcast_arrays(left, right)
        codes = np.empty(left.shape, dtype=np.int8)
        for place in np.ndindex(left.shape):
            codes[place] = self._code(left[place], right[place])
        return codes

    def _code(self, left: Local, right: Local) -> int:
        if left.constant and right.constant:
            code = numbers.compare(left.value, right.value)
            if code is None:
                raise Undecided("the sign could not be decided")
            return UNORDERED if code == "unordered" else code
        if left is right:
            if left.value == "nan":
                raise Undecided("a comparison of what may be NaN nearby")
            return 0
        for one, other, turn in ((left, right, 1), (right, left, -1)):
            if one.constant and one.value in ("inf", "-inf") and continuous(other):
                return turn if one.value == "inf" else -turn
        return self.oracle.sign(self.near.difference(left, right))

    def reduction(self, op: str, x: Any, axes: tuple[int, ...]) -> Any:
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        moved = np.transpose(x, (*kept, *axes)).reshape((*(x.shape[axis] for axis in kept), -1))
        out = np.empty(moved.shape[:-1], dtype=object)
        for place in np.ndindex(out.shape):
            total = self.near.constant(_ZERO)
            for entry in moved[place]:
                term = (
                    self.near.apply("exp", entry)
                    if op == "logsumexp"
                    else self.near.apply("mul", entry, entry)
                )
                total = self.near.apply("add", total, term)
            out[place] = self._regular(self.near.apply("log" if op == "logsumexp" else "sqrt", total))
        return out

    # steps: constants on a piece

    def whole(self, x: Local, name: str) -> Local:
        """floor, ceil, trunc or round of x."""
        if is_special(x.value):
            raise Undecided(f"{name} of what has no value at the point")
        if name == "trunc" and numbers.decided(x.value) == 0:
            return self.number(_ZERO)
        base = Fraction(numbers.integer_below(x.value))
        level = base + Fraction(1, 2) if name == "round" else base
        side = self.oracle.sign(self.near.difference(x, self.near.constant(level)))
        if name == "ceil" or (name == "trunc" and base < 0):
            return self.number(base + 1 if side > 0 else base)
        if name == "round":
            even = base if base % 2 == 0 else base + 1
            return self.number(even if side == 0 else base + 1 if side > 0 else base)
        return self.number(base if side >= 0 else base - 1)


def _sign(functions: Functions, x: Local) -> Local:
    return functions.number(Fraction(functions.oracle.sign(x)))


def _heaviside(functions: Functions, x: Local, at_zero: Local) -> Local:
    found = functions.oracle.sign(x)
    return at_zero if found == 0 else functions.number(Fraction(int(found > 0)))


def _whole(name: str) -> Callable[[Functions, Local], Local]:
    return lambda functions, x: functions.whole(x, name)


def _leftover(name: str) -> Callable[[Functions, Local, Local], Local]:
    def rule(functions: Functions, x: Local, y: Local) -> Local:
        times = functions.whole(functions.near.apply("div", x, y), name)
        return functions.near.difference(x, functions.near.apply("mul", y, times))

    return rule


_STEPS: dict[str, Callable[..., Local]] = {
    "sign": _sign,
    "heaviside": _heaviside,
    "floor": _whole("floor"),
    "ceil": _whole("ceil"),
    "trunc": _whole("trunc"),
    "round": _whole("round"),
    "fmod": _leftover("trunc"),
    "remainder": _leftover("floor"),
}
