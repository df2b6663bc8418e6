"""A program's text and the places in it: what every message and every generated comment points at.

Lines and columns count from 1, columns in characters, as editors show them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one file, from (line, column) up to but not including (end_line, end_column)."""

    line: int
    column: int
    end_line: int
    end_column: int

    def to(self, other: Span) -> Span:
        return Span(self.line, self.column, other.end_line, other.end_column)


NOWHERE = Span(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a `.cf` file and the name under which messages speak of it."""

    text: str
    path: str

    def line(self, number: int) -> str:
        """Line `number` without its line end; empty where there is none."""
        lines = _lines(self.text)
        return lines[number - 1].rstrip("\r") if 1 <= number <= len(lines) else ""


@lru_cache(maxsize=4)
def _lines(text: str) -> tuple[str, ...]:
    """The lines of a text, split once: a generated module quotes thousands of them."""
    return tuple(text.split("\n"))
