"""A file that does not parse to all its syntax errors, each recognised where it is.

The text is cut into logical lines, each is parsed by itself, and what stands between them is checked by hand. The text
is then repaired: a broken line becomes a placeholder that complains no more, so that the rest can be checked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cfcompiler import errors
from cfcompiler.errors import Diagnostic
from cfcompiler.language.indentation import Indentation
from cfcompiler.language.literals import MISSING, RESERVED
from cfcompiler.language.logical_lines import Logical, logical_lines
from cfcompiler.language.mistakes import mistakes_of
from cfcompiler.source import Source, Span

# Characters that no program has.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a broken file says: its errors, and its text with placeholders (None where it has no structure)."""

    diagnostics: tuple[Diagnostic, ...]
    repaired: str | None


def find(source: Source) -> Reading:
    """All the syntax errors of a text."""
    text = source.text.removeprefix("\ufeff")
    control = tuple(_control_characters(text))
    if control:
        return Reading(control, None)
    lines = list(logical_lines(text.replace("\r\n", "\n")))
    for line in lines:
        if not line.found:
            line.found.extend(mistakes_of(line))
    structure = Indentation(lines)
    structure.check()
    diagnostics = [item for line in lines for item in line.found]
    if not diagnostics:
        end = lines[-1] if lines else Logical(1, "", "", "")
        diagnostics = [
            errors.syntax(end.span(0, 1), "this file", "write each statement on a line of its own")
        ]
    return Reading(tuple(diagnostics), _repaired(lines, text.count("\n") + 1) if structure.sound else None)


def _control_characters(text: str) -> Iterator[Diagnostic]:
    """The first control character of each line."""
    if not CONTROL.search(text):
        return
    for number, row in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        match = CONTROL.search(row)
        if match is not None:
            column = match.start() + 1
            yield errors.unreadable(
                Span(number, column, number, column + 1), f"control character {match.group()!r}"
            )


def _repaired(lines: list[Logical], total: int) -> str:
    rows = [""] * (total + 1)
    following = [*lines[1:], None]
    for line, after in zip(lines, following, strict=True):
        has_block = after is not None and len(after.indent.expandtabs(8)) > len(line.indent.expandtabs(8))
        text = _placeholder(line, has_block) if line.found else line.text
        for index, row in enumerate((line.indent + text).split("\n")):
            rows[line.number - 1 + index] = row
    return "\n".join(rows) + "\n"


def _placeholder(line: Logical, has_block: bool) -> str:
    """Something that parses in place of a broken line, and binds the names that it would have bound."""
    function = re.match(r"def\s+([^\W\d]\w*)", line.masked)
    if function and function.group(1) not in RESERVED:
        inside = line.masked[function.end() :].split(")")[0]
        words = [word for word in re.findall(r"(?:^|[(,])[\s*]*([^\W\d]\w*)", inside) if word not in RESERVED]
        head = f"def {function.group(1)}({', '.join(dict.fromkeys(words))}):"
        return head if has_block else f"{head} return {MISSING}"
    loop = re.match(r"for\s+([^\W\d]\w*)", line.masked)
    if loop and loop.group(1) not in RESERVED:
        return f"for {loop.group(1)} in {MISSING}:" + ("" if has_block else " pass")
    if has_block:
        return f"if {MISSING}:"
    binding = re.match(r"([^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*)\s*(?:\*\*|[-+*/@])?=(?!=)", line.masked)
    if binding and not any(word in RESERVED for word in re.findall(r"\w+", binding.group(1))):
        return f"{binding.group(1)} = {MISSING}"
    return f"return {MISSING}" if line.keyword == "return" else "pass"
