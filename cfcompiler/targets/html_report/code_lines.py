"""Program, module text -> the lines of derivative code, each with the place in the source that it comes from.

The lines are those of `cfc compile --emit backward`, `forward` and `module`; of the module, the functions that compute
values and derivatives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cfcompiler.ir import Program
from cfcompiler.source import NOWHERE, Span
from cfcompiler.targets import program_text

MOST_LINES = 600  # of one listing
_FUNCTION = re.compile(r"def _(value|gradient|jvp|vjp)_(point|array)\(")
_COMMENT = re.compile(r"\s*# line (\d+)(?:: .*)?$")


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line, and the place it comes from (NOWHERE where it has none; columns 0 where only the line is known)."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines of code; `left_out` of them are not there."""

    lines: tuple[CodeLine, ...]
    left_out: int


def program_listing(program: Program) -> Listing:
    """The printed form, an instruction a line; `first_instruction` tells where they begin."""
    texts = program_text.emit(program, spans=False, source=False, unused=False).rstrip("\n").split("\n")
    first = first_instruction(program)
    spans = [NOWHERE] * first + [instruction.span for instruction in program.instructions]
    spans += [NOWHERE] * (len(texts) - len(spans))
    return _cut([CodeLine(text, span) for text, span in zip(texts, spans, strict=True)])


def first_instruction(program: Program) -> int:
    """How many lines the printed form has before its instructions."""
    return 3 if program.formulas.dense_constants else 2


def module_listing(module: str) -> Listing:
    """The functions of a generated module that compute values and derivatives, without what runs them on batches."""
    return _cut(list(_module_lines(module)))


def _module_lines(module: str) -> Iterator[CodeLine]:
    inside, place = False, NOWHERE
    for line in module.split("\n"):
        if line and not line[0].isspace():
            inside, place = _FUNCTION.match(line) is not None, NOWHERE
        if not inside:
            continue
        comment = _COMMENT.match(line)
        if comment is not None:
            number = int(comment[1])
            place = Span(number, 0, number, 0)
        yield CodeLine(line, place if line.strip() else NOWHERE)


def _cut(lines: list[CodeLine]) -> Listing:
    return Listing(tuple(lines[:MOST_LINES]), max(0, len(lines) - MOST_LINES))
