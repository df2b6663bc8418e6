"""Program, point -> the tied operations one by one: what AD does at each, and what it would return otherwise.

One operation at a time is resolved another way, all others keep their rules: a kink takes one of its sides, a
condition is answered the other way, a maximum over many takes its first or its last entry. The backward program is
the same one, with the weights of that operation replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from cfcompiler.analyses.field import seeds_of
from cfcompiler.analyses.ties_here import tied_operations
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Kink, Program
from cfcompiler.number_text import to_text
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.report import Choice, Row, TieHere
from cfcompiler.transforms.reverse import vjp

MOST_CHOICES = 8  # operations that are resolved another way; further ones are listed alone
MOST_NUMBERS = 20_000  # that the program computes
Rows: TypeAlias = Callable[[Sequence[Any]], Row]  # the derivatives by all inputs, as a row of texts
Rewrite: TypeAlias = Callable[[Instruction], Instruction]


def choices_at(
    program: Program, point: Mapping[str, Any], values: Mapping[str, Any], rows: Rows
) -> tuple[Choice, ...]:
    """The tied operations in program order; `values` are those of the program at `point`."""
    tied = tied_operations(program, point)
    size = sum(int(np.prod(instruction.out.shape)) for instruction in program.instructions)
    backward = vjp(program) if tied and size <= MOST_NUMBERS else None
    found = []
    for place, (instruction, ties) in enumerate(tied):
        resolved = place < MOST_CHOICES and backward is not None
        returned = []
        if resolved and backward is not None:
            for words, rewrite in _ways(instruction):
                outcome = _returned(program, backward, point, rewrite, rows)
                if outcome is not None:
                    returned.append((words, outcome))
        found.append(_choice(instruction, ties, _taken(instruction, values), returned))
    return tuple(found)


def _choice(
    instruction: Instruction,
    ties: Sequence[TieHere],
    taken: str,
    returned: Sequence[tuple[str, tuple[Row, ...]]],
) -> Choice:
    first, guards = ties[0], tuple(tie.guard for tie in ties)
    return Choice(first.line, first.column, first.op, guards, _kind(instruction), taken, tuple(returned))


def _returned(
    program: Program, backward: Program, point: Mapping[str, Any], rewrite: Rewrite, rows: Rows
) -> tuple[Row, ...] | None:
    """What AD returns with one operation resolved another way; None where that is not decided."""
    changed = replace(backward, instructions=tuple(map(rewrite, backward.instructions)))
    names = [param.value.name for param in backward.params[len(program.params) :]]
    found = []
    try:
        for seeds in seeds_of(program, EXACT):
            values = run(changed, {**point, **dict(zip(names, seeds, strict=True))}, EXACT)
            found.append(rows([values[value.name] for value in backward.results[len(program.results) :]]))
    except Undecided:
        return None
    return tuple(found)


# what is chosen, in words


def _kind(instruction: Instruction) -> str:
    match instruction:
        case Kink():
            return "side"
        case Apply(op="extremum"):
            return "entry"
        case Apply(op=op) if op in COMPARISONS:
            return "answer"
        case Apply(op=op) if TABLE[op].jumps:
            return "step"
    return "order"


def _taken(instruction: Instruction, values: Mapping[str, Any]) -> str:
    match instruction:
        case Kink():
            above, below = instruction.tie.reverse.above.tie, instruction.tie.reverse.below.tie
            if above == 1 and below == 0:
                return "positive"
            if above == 0 and below == 1:
                return "negative"
            return f"{_weight(above)} positive and {_weight(below)} negative"
        case Apply(op="extremum"):
            tie = instruction.attribute("rule").tie
            return tie if tie in ("first", "last") else "a mixture"
        case Apply(op=op) if op in COMPARISONS:
            answers = {bool(answer) for answer in np.reshape(values[instruction.out.name], -1)}
            return ("true" if answers.pop() else "false") if len(answers) == 1 else "true or false by entry"
    return ""


def _weight(weight: Any) -> str:
    return to_text(weight) if isinstance(weight, Fraction) else str(weight)


# the other ways


def _ways(instruction: Instruction) -> Iterator[tuple[str, Rewrite]]:
    """Each way to resolve one operation, in words and as a change of the backward program."""
    name = instruction.out.name
    match instruction:
        case Kink():
            yield "positive", lambda other: _weighed(other, name, "above")
            yield "negative", lambda other: _weighed(other, name, "below")
        case Apply(op="extremum"):
            yield "first", lambda other: _placed(other, name, "first")
            yield "last", lambda other: _placed(other, name, "last")
        case Apply(op=op) if op in COMPARISONS and not instruction.out.shape:
            yield "true", _answered(name, True)
            yield "false", _answered(name, False)


def _answered(name: str, answer: bool) -> Rewrite:
    return lambda other: (
        Apply(other.out, "boolean", (), (("value", answer),), other.span) if other.out.name == name else other
    )


def _weighed(other: Instruction, kink: str, piece: str) -> Instruction:
    """A weight of the kink at its tie: 1 for one of its pieces, 0 for the other; the rule's gate stays."""
    if not (isinstance(other, Apply) and other.op == "weigh" and other.attribute("kink") == kink):
        return other
    below, _, above, unordered = other.attribute("weights")
    tie = Fraction(1 if other.attribute("piece") == piece else 0)
    return _with(other, "weights", (below, tie, above, unordered))


def _placed(other: Instruction, extremum: str, tie: str) -> Instruction:
    if not (isinstance(other, Apply) and other.op == "weigh_extremum" and other.args[1].name == extremum):
        return other
    return _with(other, "rule", replace(other.attribute("rule"), tie=tie))


def _with(instruction: Apply, name: str, value: Any) -> Apply:
    return replace(
        instruction,
        attributes=tuple((key, value if key == name else own) for key, own in instruction.attributes),
    )
