"""Program, point -> the pieces that the program may follow near the point: the leaves of a tree of signs.

The program runs in an arithmetic of functions near the point. A comparison of values that differ at the point is
decided; one whose difference vanishes nearby is a tie for good; any other asks an oracle, which answers with each sign
in turn. So a leaf is a list of signs of switches, a smooth function for each output, and what was run is the path.
Cells that are empty by an affine argument are cut at once; whether the others touch the point is for touching.py.

Source: theory S6 (path functions of a program); a switch may vanish identically on a cell, trap 16.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from time import monotonic
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.functions import Functions
from cfcompiler.analyses.jets import Jets
from cfcompiler.analyses.neighbourhood import Local, Neighbourhood, continuous
from cfcompiler.analyses.oracle import EmptyCell, Oracle, Sign, Start
from cfcompiler.analyses.switches import Switches
from cfcompiler.arithmetic import Undecided
from cfcompiler.interpreter import Machine, taken
from cfcompiler.ir import Apply, Instruction, Program, Select
from cfcompiler.numbers import Finite, is_special
from cfcompiler.primitives import TABLE
from cfcompiler.verify import arguments

MOST_LEAVES = 4096


class TooManyPieces(Undecided):
    """More leaves than the budget."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A path through the program near the point: the signs that lead to it, and each output there.

    `ray`: a direction in which its affine switches have their signs. `arms`: the guards of branches that ran, with
    their truth values. `outcomes`: all that was decided between what need not agree; leaves with the same outcomes are
    parts of one continuous function.
    """

    signs: tuple[Sign, ...]
    outputs: tuple[Local, ...]
    ray: tuple[Finite, ...]
    arms: tuple[tuple[str, bool], ...]
    outcomes: tuple[Hashable, ...]

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
        self.still = _still(program)
        self.bounded = False  # whether some piece is outside of the asserted domain
        self.joined = (
            False  # whether some branch or step is tied at the point, and may be decided otherwise nearby
        )
        self.tied = False  # whether some branch or step is tied at the point

    def leaves(self, *, thin: bool = False, most: int = MOST_LEAVES, until: float = inf) -> Iterator[Leaf]:
        """All leaves, in order of their signs; under `thin` those with at least one zero sign.

        Raises Undecided where a comparison could not be decided, TooManyPieces, also at the moment `until`.
        """
        pending = [Start((), None)]
        found = 0
        seen: set[Any] = set()
        while pending:
            if monotonic() > until:
                raise TooManyPieces("out of time among the pieces that meet here")
            oracle = Oracle(self.switches, self.near.dimension, pending.pop(), thin)
            leaf = self.run(oracle)
            pending.extend(reversed(oracle.others))
            self.joined = self.joined or any(sign.joins for sign in oracle.signs)
            self.tied = self.tied or oracle.tied
            if leaf is None or leaf.thin != thin:
                continue
            if thin:
                set_and_arms = (frozenset((s.switch.key, s.sign, s.weak) for s in leaf.signs), leaf.arms)
                if set_and_arms in seen:  # reached along another side of a kink
                    continue
                seen.add(set_and_arms)
            found += 1
            if found > most:
                raise TooManyPieces(f"more than {most} pieces meet here")
            yield leaf

    def run(self, oracle: Oracle) -> Leaf | None:
        """The leaf that the oracle's signs lead to; None where none has them in the domain that the program asserts."""
        arithmetic = Functions(self.near, oracle)
        machine = _PieceMachine(self.program, arithmetic, self.sorting, self.still)
        values: dict[str, Any] = dict(self.near.inputs)
        for instruction in self.program.instructions:
            if taken(instruction.out, values):
                try:
                    values[instruction.out.name] = machine.evaluate(instruction, values)
                except EmptyCell:
                    return None
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
        return Leaf(_settled(oracle.signs), outputs, oracle.ray, tuple(arms.items()), tuple(oracle.outcomes))


def _settled(signs: Sequence[Sign]) -> tuple[Sign, ...]:
    """Weak signs are strict in the relative interior of an affine cell, and that is all of it that matters.

    Every point of the cell is a limit of such points, and what is followed is continuous on the cell and its edge.
    """
    if not all(sign.switch.affine for sign in signs):
        return tuple(signs)
    return tuple(replace(sign, weak=False) if sign.weak else sign for sign in signs)


class _PieceMachine(Machine):
    """The interpreter; it tells the oracle when a sign decides between values that need not agree."""

    def __init__(
        self, program: Program, functions: Functions, sorting: frozenset[str], still: frozenset[str]
    ) -> None:
        super().__init__(program, functions)
        self.oracle = functions.oracle
        self.sorting = sorting
        self.still = still

    def evaluate(self, instruction: Instruction, values: Mapping[str, Any]) -> Any:
        self.oracle.joins = self._joins(instruction)
        out = super().evaluate(instruction, values)
        if self.oracle.joins and not isinstance(
            instruction, Select
        ):  # what a select does, its guard has decided
            self.oracle.outcomes.append(_outcome(out))
        return out

    def _joins(self, instruction: Instruction) -> bool:
        if isinstance(instruction, Select) or instruction.out.kind == "bool":
            return instruction.out.name not in self.still
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


def _outcome(value: Any) -> Hashable:
    """Equal only where the same was decided: truth values and places, or the functions that steps became."""
    array = np.asarray(value)
    if array.dtype != object:
        return array.tobytes()
    return tuple(entry.number if isinstance(entry, Local) else entry for entry in array.flat)


_PLACES = ("order", "argextremum", "cumargextremum")


def _still(program: Program) -> frozenset[str]:
    """What decides nothing near the point: comparisons of numbers that no input moves, and what follows from them."""
    moving = {param.value.name for param in program.params if param.differentiable}
    still = set()
    for instruction in program.instructions:
        if any(value.name in moving for value in arguments(instruction)):
            moving.add(instruction.out.name)
        else:
            still.add(instruction.out.name)
    return frozenset(still)


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
