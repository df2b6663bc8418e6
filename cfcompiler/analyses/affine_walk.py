"""A program of affine pieces -> the stepper that feasibility/stratification.py walks along.

All instructions whose arguments are known run, in order and over an open question, so that guards which do not depend on
each other are asked together. Lazy arms that are not taken have no guards. A state holds what is still needed; it is a
snapshot from which the run goes on. At the end of a path the backward program is run on the same functions: the
comparisons that it repeats are answered by the signs on the path, so what AD returns on a stratum is one constant
vector (the derivative rules of affine operations have no other arguments), and what it returns at any of its points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic
from typing import Any, TypeAlias

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.affine_forms import Entry, Form, Forms, NotAffine, coordinate, direction_of
from cfcompiler.analyses.affine_machine import FormMachine, Guard, Questioner
from cfcompiler.analyses.field import seeds_of
from cfcompiler.arithmetic import EXACT, Array, Undecided
from cfcompiler.feasibility.lattice import Integers
from cfcompiler.feasibility.stratification import Block
from cfcompiler.interpreter import Machine, taken
from cfcompiler.ir import Instruction, Program, Select
from cfcompiler.numbers import Exact
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import arguments, verify

Bounds: TypeAlias = "tuple[tuple[Fraction | None, Fraction | None], ...]"


class OutOfTime(Exception):
    """The time is up."""


class OutsideTheEngine(Exception):
    """What the engine cannot do, and the instruction that asks for it."""

    def __init__(self, reason: str, instruction: Instruction) -> None:
        super().__init__(reason)
        self.reason = reason
        self.instruction = instruction


@dataclass(frozen=True, slots=True)
class Answered:
    """Guards with their functions and signs; constant ones have no function."""

    earlier: Answered | None
    guards: tuple[Guard, ...]
    functions: tuple[Integers | None, ...]
    signs: tuple[int, ...]
    extremes: Mapping[Integers, int]

    def all(self) -> Iterator[tuple[Guard, Integers | None, int]]:
        """The latest first."""
        step: Answered | None = self
        while step is not None:
            yield from zip(step.guards, step.functions, step.signs, strict=True)
            step = step.earlier

    def facts(self) -> dict[Integers, int]:
        """The signs by direction_of the functions."""
        found: dict[Integers, int] = {}
        step: Answered | None = self
        while step is not None:
            found.update(step.extremes)
            for function, sign in zip(step.functions, step.signs, strict=True):
                if function is not None:
                    name, turn = direction_of(function)
                    found[name] = turn * sign
            step = step.earlier
        return found


@dataclass(frozen=True, eq=False, slots=True)
class State:
    """Where a run stands: what is known and needed, what waits, and what is asked. Equal only to itself."""

    values: Mapping[str, Array]
    pending: tuple[int, ...]
    answers: Mapping[Guard, int]
    wanted: Mapping[Guard, Integers]
    answered: Answered | None
    split: int = 0  # how many of the extra functions of its stratum have been asked


@dataclass(frozen=True, slots=True)
class Split:
    """The guard of a function by which a stratum is divided where the program itself makes no difference."""

    number: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """The entries of the inputs that move, as (name, place), and all inputs as functions of them."""

    coordinates: tuple[tuple[str, tuple[int, ...]], ...]
    arrays: Mapping[str, Array] = field(compare=False)

    @property
    def dimension(self) -> int:
        return len(self.coordinates)


def inputs_of(program: Program, fixed: Mapping[str, Array]) -> Inputs:
    """All parameters; `fixed` has the values of those that do not move."""
    moving = [param.value for param in program.params if param.value.name not in fixed]
    coordinates = tuple((value.name, place) for value in moving for place in np.ndindex(value.shape))
    number = {entry: place for place, entry in enumerate(coordinates)}
    arrays: dict[str, Array] = dict(fixed)
    for value in moving:
        arrays[value.name] = np.empty(value.shape, dtype=object)
        for place in np.ndindex(value.shape):
            arrays[value.name][place] = coordinate(number[value.name, place], len(coordinates))
    return Inputs(coordinates, arrays)


class ProgramWalk:
    """The walk; parameters that do not move must be marked as not differentiable in `program`.

    `splits`: by the answers of a path (in order), functions by which its stratum is divided at the end.
    Raises OutsideTheEngine on the way, OutOfTime.
    """

    def __init__(self, program: Program, inputs: Inputs, bounds: Bounds, end: float) -> None:
        self.program = program
        self.inputs = inputs
        self.end = end
        self.splits: dict[tuple[Any, ...], tuple[Integers, ...]] = {}
        self.backward = verify(tidy(vjp(program)))
        forms, self.facts = Forms(inputs.dimension), Forms(inputs.dimension)
        fixed = {
            name for name in inputs.arrays if not any(name == moving for moving, _ in inputs.coordinates)
        }
        self.still = _still(program, fixed)
        self.machine = Questioner(program, forms, self.still, bounds)
        self.rest, self.kept = _rest_of(self.backward, program)
        still_backward = _still(self.backward, fixed)
        self.reverse = FormMachine(self.backward, self.facts, still_backward)
        self.once: dict[str, Array] = self._constants(still_backward)
        values: dict[str, Array] = {**inputs.arrays, **self.once}
        places = tuple(range(len(program.instructions)))
        first = self._swept(State(values, places, {}, {}, None))
        self._start = first

    @property
    def start(self) -> State:
        """The state before the first guard. Where the domain is empty, there is none."""
        if self._start is None:
            return State({}, (), {}, {}, None)
        return self._start

    @property
    def empty(self) -> bool:
        """Whether the program asserts what is false everywhere."""
        return self._start is None

    def _constants(self, names: set[str]) -> dict[str, Array]:
        """The values that no input moves and that no branch guards."""
        found: dict[str, Array] = {name: array for name, array in self.inputs.arrays.items() if name in names}
        for program in (self.program, self.backward):
            plain = Machine(program, EXACT)
            for instruction in program.instructions:
                out = instruction.out
                if out.name not in names or out.branch or out.name in found:
                    continue
                if all(arg.name in found for arg in arguments(instruction)):
                    found[out.name] = _evaluated(plain, instruction, found)
        return found

    # the walk

    def block(self, state: State) -> Block | None:
        if monotonic() > self.end:
            raise OutOfTime
        if state.wanted:
            return Block(tuple(state.wanted), tuple(state.wanted.values()))
        functions = self.splits.get(self.path(state), ()) if self.splits and not state.split else ()
        if not functions:
            return None
        return Block(tuple(Split(number) for number in range(len(functions))), functions)

    def after(self, state: State, signs: tuple[int, ...]) -> State | None:
        if not state.wanted:
            return State(state.values, (), {}, {}, state.answered, 1)
        guards = tuple(state.wanted)
        answered = Answered(state.answered, guards, tuple(state.wanted.values()), signs, {})
        answers = {**state.answers, **dict(zip(guards, signs, strict=True))}
        return self._swept(State(state.values, state.pending, answers, {}, answered))

    @staticmethod
    def path(state: State) -> tuple[Any, ...]:
        """What names the stratum of a path that is complete: its guards and their signs."""
        if state.answered is None:
            return ()
        return tuple((guard, sign) for guard, _, sign in state.answered.all())

    def _swept(self, state: State) -> State | None:
        """The state once everything has run that can; None outside of the domain."""
        values = dict(state.values)
        pending: list[int] = []
        wanted: dict[Guard, Integers] = {}
        settled: dict[Guard, int] = {}
        extremes: dict[Integers, int] = {}
        machine, instructions = self.machine, self.program.instructions
        for place in state.pending:
            instruction = instructions[place]
            if instruction.out.name in values:
                continue
            reached = _reached(instruction, values)
            if reached is None or (reached and not _ready(instruction, values)):
                pending.append(place)
                continue
            if not reached:
                continue
            try:
                value = machine.answer(place, instruction, values, state.answers)
            except (NotAffine, Undecided, numbers.Undecided, numbers.TooLarge) as problem:
                raise OutsideTheEngine(str(problem), instruction) from None
            if value is None:
                pending.append(place)
                wanted.update(machine.wanted)
                continue
            values[instruction.out.name] = value
            settled.update(machine.settled)
            extremes.update(machine.extremes)
        for assertion in self.program.assertions:
            if assertion.condition.name in values and not np.all(values[assertion.condition.name]):
                return None
        answered = state.answered
        if settled or extremes:
            guards = tuple(settled)
            answered = Answered(answered, guards, (None,) * len(guards), tuple(settled.values()), extremes)
        waiting = set(pending)
        own = {guard: sign for guard, sign in state.answers.items() if guard.instruction in waiting}
        return State(self._needed(values, pending), tuple(pending), own, wanted, answered)

    def _needed(self, values: dict[str, Array], pending: list[int]) -> dict[str, Array]:
        needed = set(self.kept)
        for place in pending:
            instruction = self.program.instructions[place]
            needed.update(value.name for value in arguments(instruction))
            needed.update(guard for guard, _ in instruction.out.branch)
        return {name: value for name, value in values.items() if name in needed}

    # at the end of a path

    def outputs(self, state: State) -> tuple[Entry, ...]:
        """The values of the program, entry by entry."""
        return tuple(
            entry for result in self.program.results for entry in np.reshape(state.values[result.name], -1)
        )

    def derivative(self, state: State) -> tuple[Exact, ...]:
        """What the backward program returns on the stratum, row after row. Raises OutsideTheEngine."""
        self.facts.facts = {} if state.answered is None else state.answered.facts()
        results = len(self.program.results)
        names = [param.value.name for param in self.backward.params[len(self.program.params) :]]
        found: list[Exact] = []
        shared = {**self.once, **state.values}
        for seeds in seeds_of(self.program, EXACT):
            values = {**shared, **dict(zip(names, seeds, strict=True))}
            for instruction in self.rest:
                if instruction.out.name not in values and taken(instruction.out, values):
                    values[instruction.out.name] = _evaluated(self.reverse, instruction, values)
            for value in self.backward.results[results:]:
                for entry in np.reshape(values[value.name], -1):
                    if isinstance(entry, Form):
                        raise OutsideTheEngine(
                            "the derivative is not constant on a piece", self.program.instructions[-1]
                        )
                    found.append(entry)
        return tuple(found)


def _evaluated(machine: Machine, instruction: Instruction, values: Mapping[str, Array]) -> Array:
    try:
        return machine.evaluate(instruction, values)
    except (NotAffine, Undecided, numbers.Undecided, numbers.TooLarge) as problem:
        raise OutsideTheEngine(str(problem), instruction) from None


def _still(program: Program, fixed: set[str]) -> set[str]:
    """The values that no moving input reaches, not even by a choice."""
    still = set(fixed)
    for instruction in program.instructions:
        own = [value.name for value in arguments(instruction)] + [g for g, _ in instruction.out.branch]
        if all(name in still for name in own):
            still.add(instruction.out.name)
    return still


def _reached(instruction: Instruction, values: Mapping[str, Array]) -> bool | None:
    """Whether its branch is taken; None where a guard is not known yet."""
    for guard, truth in instruction.out.branch:
        if guard not in values:
            return None
        if bool(values[guard]) != truth:
            return False
    return True


def _ready(instruction: Instruction, values: Mapping[str, Array]) -> bool:
    """Whether what it reads is known."""
    if isinstance(instruction, Select) and instruction.lazy:
        if instruction.guard.name not in values:
            return False
        chosen = instruction.then if bool(values[instruction.guard.name]) else instruction.orelse
        return chosen.name in values
    return all(value.name in values for value in arguments(instruction))


def _rest_of(backward: Program, program: Program) -> tuple[tuple[Instruction, ...], set[str]]:
    """What of the backward program is left to do at the end of a path, and the values of the program that it reads."""
    known = {instruction.out.name for instruction in program.instructions}
    rest = tuple(instruction for instruction in backward.instructions if instruction.out.name not in known)
    needed = {value.name for value in (*program.results, *backward.results)}
    for instruction in rest:
        needed.update(value.name for value in arguments(instruction))
        needed.update(guard for guard, _ in instruction.out.branch)
    needed.update(param.value.name for param in program.params)
    return rest, needed
