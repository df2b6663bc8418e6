"""Program, point -> the pieces that the program may follow near the point: the leaves of a tree of signs.

The program runs in an arithmetic of functions near the point. A comparison of values that differ at the point is
decided; one whose difference vanishes nearby is a tie for good; any other asks an oracle, which answers with each sign
in turn. So a leaf is a list of signs of switches, a smooth function for each output, and what was run is the path.
Cells that are empty by an affine argument are cut at once; whether the others touch the point is for touching.py.

Source: theory S6 (path functions of a program); a switch may vanish identically on a cell, trap 16.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from time import monotonic
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.functions import Functions
from cfcompiler.analyses.jets import Jets
from cfcompiler.analyses.neighbourhood import Local, Neighbourhood, continuous
from cfcompiler.analyses.switches import Switch, Switches
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.directions import Direction, direction
from cfcompiler.interpreter import Machine, taken
from cfcompiler.ir import Apply, Instruction, Program, Select
from cfcompiler.numbers import Finite, is_special
from cfcompiler.primitives import TABLE
from cfcompiler.verify import arguments

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
        self.sorting = _sorting(program)
        self.bounded = False  # whether some piece is outside of the asserted domain
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
        machine = _PieceMachine(self.program, arithmetic, self.sorting)
        values: dict[str, Any] = dict(self.near.inputs)
        for instruction in self.program.instructions:
            if taken(instruction.out, values):
                try:
                    values[instruction.out.name] = machine.evaluate(instruction, values)
                except Undecided as problem:
                    raise Undecided(problem.reason, problem.instruction or instruction) from None
        for assertion in self.program.assertions:
            if assertion.condition.name in values and not np.all(values[assertion.condition.name]):
                self.bounded = True
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

    def __init__(self, program: Program, functions: Functions, sorting: frozenset[str]) -> None:
        super().__init__(program, functions)
        self.oracle = functions.oracle
        self.sorting = sorting

    def evaluate(self, instruction: Instruction, values: Mapping[str, Any]) -> Any:
        self.oracle.joins = self._joins(instruction)
        return super().evaluate(instruction, values)

    def _joins(self, instruction: Instruction) -> bool:
        if isinstance(instruction, Select) or instruction.out.kind == "bool":
            return True
        if not isinstance(instruction, Apply):
            return False
        return TABLE[instruction.op].jumps or (
            instruction.op in _PLACES and instruction.out.name not in self.sorting
        )

    def _first_extreme(self, row: Any, sense: str, *, last: bool = False) -> int:
        """The place of the extreme entry: one question with as many answers as there are tied entries."""
        oracle = self.oracle
        if not isinstance(oracle, Oracle) or not oracle.asks_for_winners or last:
            return super()._first_extreme(row, sense, last=last)
        values = [numbers.neg(entry.value) if sense == "min" else entry.value for entry in row]
        if any(is_special(value) for value in values) or not all(map(continuous, row)):
            return super()._first_extreme(row, sense, last=last)
        best = 0
        for place in range(1, len(row)):
            code = numbers.compare(values[place], values[best])
            if code is None:
                raise Undecided("the sign could not be decided")
            best = place if code == 1 else best
        tied = [k for k in range(len(row)) if numbers.compare(values[k], values[best]) == 0]
        return tied[oracle.winner([row[k] for k in tied], -1 if sense == "min" else 1)]


_PLACES = ("order", "argextremum", "cumargextremum")


def _sorting(program: Program) -> frozenset[str]:
    """Places that are only used to gather the keys that they compare: those values do not jump where keys are equal."""
    made = {
        instruction.out.name: ("stack", *(value.name for value in instruction.args))
        for instruction in program.instructions
        if isinstance(instruction, Apply) and instruction.op == "stack"
    }
    keys = {
        instruction.out.name: instruction.args[0].name
        for instruction in program.instructions
        if isinstance(instruction, Apply) and instruction.op in _PLACES
    }
    for instruction in program.instructions:
        for place, value in enumerate(arguments(instruction)):
            gathers = isinstance(instruction, Apply) and instruction.op == "gather" and place == 1
            if value.name not in keys:
                continue
            gathered, compared = arguments(instruction)[0].name, keys[value.name]
            if not gathers or made.get(gathered, (gathered,)) != made.get(compared, (compared,)):
                del keys[value.name]
    return frozenset(keys.keys() - {result.name for result in program.results})


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

    @property
    def asks_for_winners(self) -> bool:
        """Whether `winner` is to be asked: on thin sets entries may be equal, and are compared one by one."""
        return not self.thin

    def winner(self, functions: Sequence[Local], turn: int) -> int:
        """Which of functions that are equal at the point is the largest (turn 1) or smallest (-1) on the cell."""
        options = [
            (place, found)
            for place in range(len(functions))
            if (found := self._conditions(functions, place, turn)) is not None
        ]
        if len(options) > 1:
            at = len(self.chosen)
            if at < len(self.prescribed):
                options = [option for option in options if option[0] == self.prescribed[at]]
            else:
                rays = {place: self._direction_of(found) for place, found in options}
                options = [option for option in options if rays[option[0]] is not None]
                others = [Start((*self.chosen, place), rays[place]) for place, _ in options[1:]]
                self.others.extend(others)
                self._interior = rays[options[0][0]]
            self.chosen.append(options[0][0])
        place, found = options[0]
        for switch, sign in found:
            self._enter(self._row(switch), sign)
            self._known[switch.key] = sign
            self.signs.append(Sign(switch, sign, self.joins))
        return place

    def _conditions(
        self, functions: Sequence[Local], place: int, turn: int
    ) -> list[tuple[Switch, int]] | None:
        """The signs, not known yet, by which the function at `place` wins; None where it does not."""
        found: dict[Any, tuple[Switch, int]] = {}
        for other, function in enumerate(functions):
            if other == place:
                continue
            switch = self.switches.switch(self.switches.near.difference(functions[place], function))
            if switch is None:  # the same function nearby: the first of them stands for all
                if other < place:
                    return None
                continue
            wanted = turn * switch.orientation
            known = self._known.get(switch.key, found[switch.key][1] if switch.key in found else wanted)
            if known != wanted:
                return None
            if switch.key not in self._known:
                found[switch.key] = (switch, wanted)
        return list(found.values())

    def _direction_of(self, conditions: Sequence[tuple[Switch, int]]) -> tuple[Finite, ...] | None:
        """A direction in which the affine switches have their signs, and these ones too."""
        rows = [(self._row(switch), sign) for switch, sign in conditions]
        strict = [row if sign > 0 else tuple(-x for x in row) for row, sign in rows if row is not None]
        if not strict:
            return self.ray
        found = direction(
            (*self._rows, *strict), (), tuple(self._equal), dimension=self.dimension, start=self._interior
        )
        return found.vector if isinstance(found, Direction) else None

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
