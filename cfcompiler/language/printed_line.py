"""One line of a printed program to its tokens, consumed from the left; what is not expected raises Unreadable."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from cfcompiler import errors
from cfcompiler.errors import Diagnostic
from cfcompiler.source import Span

_TOKEN = re.compile(
    r"""[ ]*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:/\d+)?|-inf\b)|(?P<word>[^\W\d]\w*)"""
    r"""|(?P<mark>->|[()\[\],:=|>@-]))"""
)
# Nothing more, or a comment.
_END = re.compile(r"[ ]*(?:#|\Z)")


class Unreadable(Exception):
    """A line that cannot be read; never leaves the reader of programs."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Line:
    """The tokens of one line, consumed from the left."""

    def __init__(self, text: str, number: int) -> None:
        self.text = text
        self.number = number
        self.place = 0
        self.tokens: list[tuple[str, str, int]] = []
        column = 0
        while not _END.match(text, column):
            found = _TOKEN.match(text, column)
            if found is None or found.lastgroup is None:
                raise self.mistake(column, repr(text[column:].strip()[:1]))
            self.tokens.append((found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
            column = found.end()

    def mistake(self, column: int, found: str, expected: str = "") -> Unreadable:
        span = Span(self.number, column + 1, self.number, column + 2)
        return Unreadable(errors.syntax(span, found, f"expected {expected}" if expected else ""))

    def wrong(self, expected: str) -> Unreadable:
        if self.place < len(self.tokens):
            _, text, column = self.tokens[self.place]
            return self.mistake(column, repr(text), expected)
        return self.mistake(len(self.text), "the end of the line", expected)

    def peek(self, ahead: int = 0) -> str:
        """The text of a coming token; "" where there is none. A string begins with its quote."""
        place = self.place + ahead
        return self.tokens[place][1] if place < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.place][0] if self.place < len(self.tokens) else ""

    def take(self, expected: str) -> str:
        if not self.accept(expected):
            raise self.wrong(repr(expected))
        return expected

    def accept(self, text: str) -> bool:
        if self.peek() != text:
            return False
        self.place += 1
        return True

    def token(self, kind: str, expected: str) -> str:
        if self.kind() != kind:
            raise self.wrong(expected)
        self.place += 1
        return self.tokens[self.place - 1][1]

    def string(self) -> str:
        return str(json.loads(self.token("string", "a string")))

    def name(self) -> str:
        return self.string() if self.kind() == "string" else self.token("word", "a name")

    def integer(self) -> int:
        text = self.token("number", "an integer")
        if not re.fullmatch(r"-?\d+", text):
            self.place -= 1
            raise self.wrong("an integer")
        return int(text)

    def separated(self, closing: str, one: Callable[[], Any]) -> tuple[Any, ...]:
        """Entries separated by commas up to `closing`, which is consumed; "" is the end of the line."""
        entries: list[Any] = []
        while not self.accept(closing):
            if entries:
                self.take(",")
            entries.append(one())
        return tuple(entries)

    def end(self) -> None:
        if self.place < len(self.tokens):
            raise self.wrong("the end of the line")
