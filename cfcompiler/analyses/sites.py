"""Program, stratification -> where the operations stand, which of them are tied on a stratum, and its witness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from cfcompiler.errors import CFError
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select
from cfcompiler.point import point_of
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.report import GuardInfo, Place, Row, StrataReport, StratumReport
from cfcompiler.source import NOWHERE, Span
from cfcompiler.verify import arguments

BRANCHES = frozenset({"if", "where"})


@dataclass(frozen=True, slots=True)
class View:
    """A program, its stratification, and the exact values of its fixed inputs, which are its data."""

    program: Program
    report: StrataReport
    fixed: Mapping[str, Any]

    def point(self, witness: Row) -> dict[str, Any] | None:
        """A witness with the fixed inputs, as an array of exact numbers for every parameter.

        None for an algebraic number that has no closed form: it is not one of the exact numbers of a run.
        """
        moving = tuple(param for param in self.program.params if param.value.name not in self.fixed)
        given = {param.value.name: witness[param.value.name] for param in moving}
        try:
            return {**point_of(replace(self.program, params=moving), given), **self.fixed}
        except CFError:
            return None


class Places:
    """The operations of a program by place, and the guards of its stratification as operations."""

    def __init__(self, view: View) -> None:
        program, report = view.program, view.report
        self.program = program
        needed = needed_values(program, finite=False)
        self.idle = {
            (item.span.line, item.span.column) for item in program.instructions if _is_choice(item)
        } - {
            (item.span.line, item.span.column)
            for item in program.instructions
            if _is_choice(item) and item.out.name in needed
        }
        self.guards = {guard.id: self._of_guard(guard) for guard in report.guards}
        self.always = _always_tied(program, report)

    def _of_guard(self, guard: GuardInfo) -> Place:
        ends = [
            (item.span.end_line, item.span.end_column)
            for item in self.program.instructions
            if (item.span.line, item.span.column) == (guard.line, guard.column) and _is_choice(item)
        ]
        # of operations that begin in one place the shortest: an inner one, as the guard is
        end = min(ends, default=(guard.line, guard.column + 1))
        return Place(guard.op, guard.line, guard.column, *end, guard.expr)

    def tied(self, stratum: StratumReport) -> tuple[Place, ...]:
        """The operations that are tied on a stratum and not everywhere, each once, in program order.

        Those on which no result rests are left out.
        """
        found: dict[tuple[str, int, int], Place] = {}
        for name, place in self.guards.items():
            if (place.line, place.column) in self.idle or name in self.always:
                continue
            if stratum.signs.get(name) == 0:
                found.setdefault((place.op, place.line, place.column), place)
        return tuple(found.values())

    def of(self, instruction: Instruction, word: str) -> Place:
        """The place of an instruction, or of the program where it has none."""
        return place_of(instruction.span, word) if instruction.span != NOWHERE else self.whole(word)

    def whole(self, word: str = "") -> Place:
        """The program as a whole: where its result is computed."""
        spans = [item.span for item in self.program.instructions if item.span != NOWHERE]
        return place_of(spans[-1] if spans else Span(1, 1, 1, 2), word or self.program.name)


def place_of(span: Span, word: str, guard: str = "") -> Place:
    return Place(word, span.line, span.column, span.end_line, span.end_column, guard)


def joins(place: Place) -> bool:
    """Whether the operation is a branch or a step, whose sides need not agree."""
    return place.op in BRANCHES or (place.op in TABLE and TABLE[place.op].jumps)


def _is_choice(instruction: Instruction) -> bool:
    match instruction:
        case Kink() | Select():
            return True
        case Apply(op=op):
            return op in COMPARISONS or TABLE[op].jumps or TABLE[op].kind == "choice"


def _always_tied(program: Program, report: StrataReport) -> frozenset[str]:
    """Guards that are zero wherever they are reached, if they are reached on a set of full dimension."""
    full = sum(prod(param.value.shape) for param in program.params if param.differentiable)
    return frozenset(
        guard.id
        for guard in report.guards
        if {stratum.signs[guard.id] for stratum in report.strata if guard.id in stratum.signs} == {0}
        and any(stratum.dimension == full and guard.id in stratum.signs for stratum in report.strata)
    )


def names_of(instruction: Instruction) -> list[str]:
    """The values that an instruction uses."""
    return [value.name for value in arguments(instruction)]


def needed_values(program: Program, *, finite: bool) -> set[str]:
    """The values on which results and assertions rest; if all is finite, a product with 0 rests on nothing."""
    zeros = {
        item.out.name
        for item in program.instructions
        if finite and isinstance(item, Apply) and item.op == "constant" and item.attribute("value") == 0
    }
    found = {value.name for value in program.results}
    found.update(assertion.condition.name for assertion in program.assertions)
    for instruction in reversed(program.instructions):
        if instruction.out.name not in found:
            continue
        found.update(guard for guard, _ in instruction.out.branch)
        if isinstance(instruction, Apply) and instruction.op == "mul" and set(names_of(instruction)) & zeros:
            continue
        found.update(names_of(instruction))
    return found
