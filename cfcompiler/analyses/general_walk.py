"""A program run over functions of its inputs (ratios.py), with the signs of an oracle: one run for each stratum.

The forward run gives the outputs and the signs of the guards that were met; the backward program, run in the same
arithmetic with the same oracle, what AD returns. An instruction whose branch is not taken is not evaluated. Where
what is computed has no such form, OutsideTheEngine says what and where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.affine_machine import Guard
from cfcompiler.analyses.affine_walk import OutsideTheEngine
from cfcompiler.analyses.elementary_rows import WITH_ATOMS
from cfcompiler.analyses.field import seeds_of
from cfcompiler.analyses.pairwise import Ask, chosen, codes_of, extreme_places, sorted_places
from cfcompiler.analyses.ratios import Ratios
from cfcompiler.arithmetic import EXACT, UNORDERED, Array, Undecided
from cfcompiler.feasibility.elementary import Elementary, SignOf
from cfcompiler.feasibility.functions import Functions
from cfcompiler.feasibility.quotients import Entry, NotRational, Poly, Ratio
from cfcompiler.feasibility.slopes import derivative
from cfcompiler.feasibility.unfolding import unfolded
from cfcompiler.interpreter import HOLDS_FOR, Machine, taken
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import arguments, verify

ROOM = (32, 512)  # for values such as exp(x): at first, and where that is not enough
_ROWS = ("extremum", "argextremum", "order")


@dataclass(frozen=True, slots=True)
class Run:
    """The outputs entry by entry, the guards with their signs, and the outcomes of scalar conditions."""

    outputs: tuple[Entry, ...]
    guards: Mapping[Guard, int]
    arms: Mapping[str, bool]


class RatioMachine(Machine):
    """The interpreter over ratios; it notes the guards that it meets, and which instruction asks."""

    def __init__(self, program: Program, arithmetic: Ratios, moving: set[str]) -> None:
        super().__init__(program, arithmetic)
        self.ratios = arithmetic
        self.moving = moving
        self.met: dict[Guard, int] = {}
        self.place = 0
        self.row = 0
        self.rows: tuple[int, ...] = ()

    def answer(self, place: int, instruction: Instruction, values: Mapping[str, Array]) -> Array:
        """The value of the instruction number `place`."""
        self.place, self.row, self.rows = place, 0, ()
        if isinstance(instruction, Apply) and instruction.op in _ROWS:
            self.rows = _row_shape(instruction)
        return self.evaluate(instruction, values)

    def _met(self, entry: tuple[int, ...], pair: tuple[int, ...], left: Entry, right: Entry) -> int:
        code = self.ratios.code(left, right)
        if code != UNORDERED:
            self.met[Guard(self.place, entry, pair)] = code
        return code

    def _entry(self, place: tuple[int, ...], left: Entry, right: Entry) -> int:
        return self._met(place, (), left, right)

    def _kink(self, kink: Kink, values: Mapping[str, Array]) -> Array:
        if kink.left.name not in self.moving and kink.right.name not in self.moving:
            return super()._kink(kink, values)
        codes = codes_of(values[kink.left.name], values[kink.right.name], self._entry)
        nan = self.arithmetic.number("nan")
        return chosen(codes, values[kink.above.name], values[kink.below.name], nan)

    def _apply(self, instruction: Apply, args: list[Array]) -> Array:
        moving = any(arg.name in self.moving for arg in instruction.args)
        if moving and instruction.op in COMPARISONS:
            return np.isin(codes_of(args[0], args[1], self._entry), HOLDS_FOR[instruction.op])
        if moving and TABLE[instruction.op].jumps and instruction.op in ("sign", "heaviside"):
            for place in np.ndindex(np.shape(args[0])):
                if isinstance(args[0][place], Ratio):
                    self._met(place, (0, 1), args[0][place], Fraction(0))
        return super()._apply(instruction, args)

    # rows, pair by pair

    def _own_row(self) -> tuple[int, ...]:
        place = tuple(int(k) for k in np.unravel_index(self.row, self.rows)) if self.rows else ()
        self.row += 1
        return place

    def _first_extreme(self, row: Array, sense: str, *, last: bool = False) -> int:
        if not any(isinstance(entry, Ratio) for entry in row):
            return super()._first_extreme(row, sense, last=last)
        return extreme_places(row, sense, last=last, ask=self._in_row(self._own_row()))[0]

    def _in_row(self, own: tuple[int, ...]) -> Ask:
        return lambda pair, left, right: self._met(own, pair, left, right)

    def _sorted(self, row: Array, instruction: Apply) -> list[int]:
        return sorted_places(row, instruction, self._in_row(self._own_row()))

    def _op_cumargextremum(self, instruction: Apply, x: Array) -> Array:
        raise NotRational("a running maximum or minimum")


def _row_shape(instruction: Apply) -> tuple[int, ...]:
    shape = instruction.args[0].shape
    gone = (
        tuple(instruction.attribute("axes"))
        if instruction.op == "extremum"
        else (instruction.attribute("axis"),)
    )
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


class GeneralWalk:
    """A program whose moving inputs are the coordinates; `fixed` has the values of the others.

    `elementary`: that of another walk with the same coordinates, so that both give comparable answers.
    """

    def __init__(
        self,
        program: Program,
        fixed: Mapping[str, Array],
        elementary: Elementary | None = None,
        *,
        room: int = ROOM[0],
    ) -> None:
        self.program = program
        moving = [param.value for param in program.params if param.value.name not in fixed]
        self.coordinates = tuple((value.name, place) for value in moving for place in np.ndindex(value.shape))
        self.backward = verify(tidy(vjp(program)))
        rational = all(isinstance(x, Fraction) for array in fixed.values() for x in np.reshape(array, -1))
        room = 0 if rational and not _with_atoms(program, self.backward) else room
        self.elementary = elementary or unfolded(Elementary(Functions(len(self.coordinates), room)))
        self.functions = self.elementary.functions
        self.inputs: dict[str, Array] = dict(fixed)
        number = {entry: place for place, entry in enumerate(self.coordinates)}
        for value in moving:
            self.inputs[value.name] = np.empty(value.shape, dtype=object)
            for place in np.ndindex(value.shape):
                x = self.functions.generators[number[value.name, place]]
                self.inputs[value.name][place] = Ratio(x, self.functions.one)
        names = {value.name for value in moving}
        self.moving = _moving(program, names)
        self.moving_backward = _moving(self.backward, names)

    @property
    def dimension(self) -> int:
        return len(self.coordinates)

    def arithmetic(self, sign_of: SignOf) -> Ratios:
        """Functions of the inputs, where signs are as the oracle says."""
        return Ratios(self.elementary, sign_of)

    def run(self, sign_of: SignOf) -> Run | None:
        """The outputs; None outside of the domain that the program asserts. Raises what the oracle raises."""
        machine = RatioMachine(self.program, self.arithmetic(sign_of), self.moving)
        values = self._values(self.program, machine, dict(self.inputs))
        for assertion in self.program.assertions:
            if assertion.condition.name in values and not np.all(values[assertion.condition.name]):
                return None
        outputs = tuple(
            entry for result in self.program.results for entry in np.reshape(values[result.name], -1)
        )
        arms = {
            instruction.out.name: bool(values[instruction.out.name])
            for instruction in self.program.instructions
            if instruction.out.kind == "bool" and instruction.out.name in values and not instruction.out.shape
        }
        return Run(outputs, machine.met, arms)

    def derivative(
        self,
        sign_of: SignOf,
    ) -> tuple[Entry, ...]:
        """What the backward program returns, row after row."""
        machine = RatioMachine(self.backward, self.arithmetic(sign_of), self.moving_backward)
        names = [param.value.name for param in self.backward.params[len(self.program.params) :]]
        found: list[Entry] = []
        for seeds in seeds_of(self.program, EXACT):
            values = {**self.inputs, **dict(zip(names, seeds, strict=True))}
            values = self._values(self.backward, machine, values)
            for value in self.backward.results[len(self.program.results) :]:
                found += list(np.reshape(values[value.name], -1))
        return tuple(found)

    def _values(self, program: Program, machine: RatioMachine, values: dict[str, Array]) -> dict[str, Array]:
        for place, instruction in enumerate(program.instructions):
            if not taken(instruction.out, values):
                continue
            try:
                values[instruction.out.name] = machine.answer(place, instruction, values)
            except (NotRational, Undecided, numbers.Undecided, numbers.TooLarge) as problem:
                raise OutsideTheEngine(str(problem), instruction) from None
        return values

    def gradient(self, outputs: Sequence[Entry]) -> tuple[Entry, ...]:
        """The derivatives of outputs by the coordinates, row after row. Raises NotRational."""
        return tuple(
            derivative(self.elementary, output, place)
            for output in outputs
            for place in range(self.dimension)
        )

    def parts(self, entry: Entry) -> tuple[Poly, Poly]:
        """Numerator and denominator of a finite entry."""
        return self.elementary.field.parts(entry)


def _with_atoms(*programs: Program) -> bool:
    """Whether some value may be no rational function of the inputs."""
    return any(
        instruction.op in WITH_ATOMS
        or (instruction.op == "constant" and not isinstance(instruction.attribute("value"), Fraction))
        for program in programs
        for instruction in program.instructions
        if isinstance(instruction, Apply)
    )


def _moving(program: Program, inputs: set[str]) -> set[str]:
    """The values that a moving input reaches, by a choice too."""
    moving = set(inputs)
    for instruction in program.instructions:
        own = [value.name for value in arguments(instruction)] + [g for g, _ in instruction.out.branch]
        if any(name in moving for name in own):
            moving.add(instruction.out.name)
    return moving


def joining(program: Program, moving: set[str]) -> bool:
    """Whether a choice by an input may jump: a branch, a step, a place in an order."""
    for instruction in program.instructions:
        if isinstance(instruction, Kink) or not any(v.name in moving for v in arguments(instruction)):
            continue
        if isinstance(instruction, Select):
            if instruction.guard.name in moving:
                return True
        elif TABLE[instruction.op].jumps or instruction.op in ("order", "argextremum", "to_real"):
            return True
    return False
