"""Findings, the text of the program -> the findings that its comments do not silence.

    y = relu(t) - relu(-t)  # cf: ignore[CF101] the rule of relu is known here

A comment speaks of its own line, or if it stands alone, of the next line of code. It silences the codes in brackets,
and is itself a finding where it silences nothing that was looked for, or names what is no code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cfcompiler.analyses import finding_texts as texts
from cfcompiler.errors import nearest
from cfcompiler.ir import Program
from cfcompiler.language.logical_lines import comments
from cfcompiler.report import Finding, Place
from cfcompiler.source import Source

_DEFINITION = re.compile(r"def\s+([^\W\d]\w*)")
_IGNORE = re.compile(r"#\s*cf:\s*ignore(?:\s*\[(?P<codes>[^\]\n]*)\])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that silences: the codes it names, where it stands, and the line it speaks of."""

    codes: tuple[str, ...]
    place: Place
    line: int


def ignores(source: Source) -> Iterator[Ignore]:
    """The comments of a program that silence findings."""
    lines = source.text.replace("\r\n", "\n").split("\n")
    for line, column, comment in comments("\n".join(lines)):
        for match in _IGNORE.finditer(comment):
            begin = column + match.start()
            place = Place("comment", line, begin, line, begin + len(match.group()))
            codes = tuple(code.strip() for code in (match["codes"] or "").split(",") if code.strip())
            alone = not lines[line - 1][: column - 1].strip()
            yield Ignore(codes, place, _next_code(lines, line) if alone else line)


def _next_code(lines: Sequence[str], line: int) -> int:
    """The next line that is not blank and not only a comment."""
    for number in range(line + 1, len(lines) + 1):
        text = lines[number - 1].strip()
        if text and not text.startswith("#"):
            return number
    return line


def silenced(
    found: Sequence[Finding], program: Program, wanted: Callable[[str], bool]
) -> tuple[Finding, ...]:
    """What is left of `found`, with what there is to say of the comments; `wanted` says which codes are looked for.

    A finding is silenced on the line of any of its operations. Of a comment in a function that the program does not
    call it is not said that it silences nothing: another program of the file may need it.
    """
    hushed: set[int] = set()
    said: list[Finding] = []
    function_of = _functions(program.source)
    called = {function_of(item.span.line) for item in program.instructions} | {program.name}
    for ignore in ignores(program.source):
        if not ignore.codes:
            said.append(texts.unknown_ignore(ignore.place, "", ""))
        idle = []
        for code in dict.fromkeys(ignore.codes):
            if code.upper() not in texts.LEVELS:
                said.append(texts.unknown_ignore(ignore.place, code, nearest(code.upper(), texts.LEVELS)))
                continue
            hit = {place for place, item in enumerate(found) if _speaks_of(ignore, code.upper(), item)}
            hushed |= hit
            if not hit and wanted(code.upper()) and function_of(ignore.line) in called:
                idle.append(code.upper())
        if idle:
            said.append(texts.unused_ignore(ignore.place, idle))
    left = [item for place, item in enumerate(found) if place not in hushed]
    return (*left, *(item for item in said if wanted(item.code)))


def _functions(source: Source) -> Callable[[int], str]:
    """From the number of a line to the function in which it stands; "" before the first one."""
    names = [""]
    for line in source.text.replace("\r\n", "\n").split("\n"):
        match = _DEFINITION.match(line)
        names.append(match[1] if match else names[-1])
    return lambda line: names[min(line, len(names) - 1)]


def _speaks_of(ignore: Ignore, code: str, finding: Finding) -> bool:
    return finding.code == code and any(place.line == ignore.line for place in finding.operations)
