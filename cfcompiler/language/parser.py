"""Text to syntax tree, with all the syntax errors of a file at once.

`parse` reads the whole file in one pass. Only where that fails does language/recovery.py read it again line by line,
to name every mistake. Bytes come in through `decode`, which refuses what is not text.
"""

from __future__ import annotations

import re
from itertools import islice

from cfcompiler import errors
from cfcompiler.errors import CFError, Diagnostic
from cfcompiler.language import grammar, recovery, tree
from cfcompiler.language.literals import MISSING
from cfcompiler.source import Source, Span

# What has more operators and commas than this is not read: it would take minutes, and is no program that compiles.
MOST_OPERATORS = 1_000_000
_OPERATOR = re.compile(r"""#[^\n]*|"[^"\n]*"|'[^'\n]*'|(\*\*|[-+*/@,])""")


def parse(source: Source) -> tree.File:
    """The tree of a file. Raises CFError with all its syntax errors."""
    file, found = recover(source)
    if file is None or found:
        raise CFError(found, source)
    return file


def recover(source: Source) -> tuple[tree.File | None, tuple[Diagnostic, ...]]:
    """The tree of what can be read of a file, with `Missing` in place of the rest, and all the syntax errors."""
    excess = _excess(source)
    if excess is not None:
        return None, (errors.too_long(excess, MOST_OPERATORS),)
    if not _suspicious(source.text):
        file = grammar.whole(source.text)
        if file is not None:
            return file, ()
    reading = recovery.find(source)
    if reading.repaired is None:
        return None, reading.diagnostics
    return grammar.whole(reading.repaired), reading.diagnostics


def _excess(source: Source) -> Span | None:
    """The place of the operator that is one too many."""
    if len(source.text) <= MOST_OPERATORS:
        return None
    found = (match for match in _OPERATOR.finditer(source.text) if match[1])
    match = next(islice(found, MOST_OPERATORS, None), None)
    if match is None:
        return None
    line = source.text.count("\n", 0, match.start()) + 1
    column = match.start() - source.text.rfind("\n", 0, match.start())
    return Span(line, column, line, column + 1)


def _suspicious(text: str) -> bool:
    """Something that no program has; the line-by-line reader names it."""
    return MISSING in text or recovery.CONTROL.search(text) is not None


def decode(data: bytes, path: str) -> Source:
    """Bytes of a file to a source. Raises CFError where they are not UTF-8 text."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return Source(data.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", errors="replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        source = Source(data.decode("utf-8", errors="replace"), path)
        found = errors.unreadable(Span(line, column, line, column + 1), f"the byte 0x{data[error.start]:02x}")
        raise CFError([found], source) from None


def definition(text: str, source: Source) -> tree.Function:
    """The tree of an operation as presets write it: an expression, or assignments and a return. Raises CFError."""
    lines = text.strip().split("\n")
    if len(lines) == 1:
        lines = [f"return {lines[0]}"]
    body = "\n".join(["def definition():", *(f"    {line}" for line in lines)])
    match parse(Source(f"{body}\n", source.path)).statements:
        case (tree.Function() as function,):
            return function
    raise CFError([errors.syntax(Span(1, 1, 1, len(text) + 1), repr(text))], Source(text, source.path))
