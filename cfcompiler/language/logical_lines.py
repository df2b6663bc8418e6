"""A text to its logical lines: physical lines joined by brackets, backslashes or long texts.

    y = f(x,          one line, `y = f(x,\\n      1)`, numbered as its first
          1)  # why   and the comment is masked

Brackets and quotes that do not match are complained of here. A bracket left open ends where a statement clearly begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cfcompiler import errors
from cfcompiler.errors import Diagnostic
from cfcompiler.source import Span

_PIECE = re.compile(
    r"""(?P<text>[rbfuRBFU]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
        |"(?!"")(?:[^"\\\n]|\\.)*"|'(?!'')(?:[^'\\\n]|\\.)*'))
      | (?P<long>\"\"\"|''')
      | (?P<quote>["'])
      | (?P<comment>\#[^\n]*)
      | (?P<open>[(\[{]) | (?P<close>[)\]}])
      | (?P<joined>\\\n)
      | (?P<newline>\n)
      | (?P<word>[^\W\d]\w*)
      | (?P<other>[^\S\n]+|[^"'\#()\[\]{}\\\n\w\s]+|\d\w*|.)""",
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
# A physical line that begins a statement, even where a bracket above it is still open.
_FRESH = re.compile(r"[ \t]*(?:(?:def|return|for|assert|elif|while|class|import)\b|if\b.*:\s*$|else\s*:)")
_BINDING = re.compile(r"([ \t]*)[^\W\d]\w*[ \t]*=(?!=)")


@dataclass(slots=True)
class Logical:
    """One logical line: physical lines joined by brackets, backslashes or long texts.

    `masked` is as long as `text`, with texts and comments blanked, so that patterns match only code.
    """

    number: int  # of its first physical line
    indent: str
    text: str
    masked: str
    found: list[Diagnostic] = field(default_factory=list)

    def span(self, start: int, end: int) -> Span:
        """Place in the file of text[start:end]."""
        line, column = self.place(start)
        end_line, end_column = self.place(max(end, start + 1))
        return Span(line, column, end_line, end_column)

    def place(self, offset: int) -> tuple[int, int]:
        offset = min(offset, len(self.text) + 1)
        before = self.text[:offset]
        rows = before.count("\n")
        column = offset - (before.rfind("\n") + 1) + 1
        return self.number + rows, column + (len(self.indent) if rows == 0 else 0)

    def offset(self, line: int, column: int) -> int:
        """Of (line, column) counted from 1 within `text`."""
        rows = self.text.split("\n")
        return sum(len(row) + 1 for row in rows[: line - 1]) + column - 1

    @property
    def keyword(self) -> str:
        match = re.match(r"[^\W\d]\w*", self.masked)
        return match.group() if match else ""

    @property
    def opens(self) -> bool:
        """It is a header whose block stands on the lines below."""
        return self.masked.rstrip().endswith(":")


@dataclass(slots=True)
class _Cut:
    """The logical line being collected."""

    start: int
    number: int
    masked: list[str] = field(default_factory=list)
    brackets: list[tuple[str, int, int, int]] = field(default_factory=list)  # bracket, offset, line, column
    found: list[Diagnostic] = field(default_factory=list)


def logical_lines(text: str) -> Iterator[Logical]:
    """The lines of a text without carriage returns; those that are blank or only comments are left out."""
    cut = _Cut(0, 1)
    number, row_start, position = 1, 0, 0
    while position < len(text):
        match = _PIECE.match(text, position)
        assert match is not None
        kind, piece = match.lastgroup, match.group()
        here = Span(
            number,
            position - row_start + 1,
            number,
            position - row_start + 1 + max(1, len(piece.split("\n")[0])),
        )
        position = match.end()
        if kind == "text":
            cut.masked.append(re.sub(r"[^\n]", "'", piece))
        elif kind == "long":
            cut.found.append(errors.open_text(here))
            cut.masked.append("'''" + re.sub(r"[^\n]", " ", text[position:]))
            position = len(text)
        elif kind == "quote":
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            cut.found.append(errors.open_text(here))
            cut.masked.append("'" * (end - position + 1))
            position = end
        elif kind == "comment":
            cut.masked.append(" " * len(piece))
        elif kind == "open":
            cut.brackets.append((piece, match.start(), here.line, here.column))
            cut.masked.append(piece)
        elif kind == "close":
            _close(cut, piece, here)
            cut.masked.append(piece)
        elif kind == "newline" and not _continues(cut, text, position):
            yield from _finished(cut, text, match.start())
            cut = _Cut(position, number + 1)
        else:
            cut.masked.append("\\\n" if kind == "joined" else piece)
        number += text.count("\n", match.start(), position)
        row_start = text.rfind("\n", 0, position) + 1 if "\n" in text[match.start() : position] else row_start
    yield from _finished(cut, text, len(text))


def comments(text: str) -> Iterator[tuple[int, int, str]]:
    """The comments of a text, each with its line and column; a # inside a text is none."""
    position, number, row_start = 0, 1, 0
    while position < len(text):
        match = _PIECE.match(text, position)
        assert match is not None
        if match.lastgroup == "comment":
            yield number, position - row_start + 1, match.group()
        elif match.lastgroup == "long":
            return  # a text that is not closed goes on to the end
        for place in range(match.start(), match.end()):
            if text[place] == "\n":
                number, row_start = number + 1, place + 1
        position = match.end()


def _close(cut: _Cut, piece: str, here: Span) -> None:
    if not cut.brackets and cut.found:
        return  # one complaint of a line is enough
    if not cut.brackets:
        cut.found.append(
            errors.bracket(here, f"{piece!r} closes nothing", "remove it, or open the bracket before")
        )
    elif cut.brackets[-1][0] != _PAIRS[piece]:
        opened, _, line, column = cut.brackets.pop()
        cut.found.append(
            errors.bracket(here, f"{piece!r} does not close {opened!r} of line {line}, column {column}")
        )
    else:
        cut.brackets.pop()


def _continues(cut: _Cut, text: str, position: int) -> bool:
    """A newline inside brackets goes on, unless what follows clearly is a new statement."""
    if not cut.brackets:
        return False
    end = text.find("\n", position)
    row = text[position : len(text) if end < 0 else end]
    if _FRESH.match(row):
        return False
    binding = _BINDING.match(row)
    start = text[cut.start : cut.start + 400]
    return binding is None or len(binding.group(1)) > len(start) - len(start.lstrip(" \t"))


def _finished(cut: _Cut, text: str, end: int) -> Iterator[Logical]:
    masked = "".join(cut.masked)
    if not masked.strip() and not cut.found:
        return
    indent = re.match(r"[ \t\f]*", masked)
    width = indent.end() if indent else 0
    for opened, _, line, column in cut.brackets[:1]:
        place = Span(line, column, line, column + 1)
        cut.found.append(
            errors.bracket(place, f"{opened!r} is never closed", "close it before the line ends")
        )
    body, code = text[cut.start + width : end], masked[width:]
    yield Logical(cut.number, text[cut.start : cut.start + width], body, code[: len(body)], cut.found)
