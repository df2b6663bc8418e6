"""One complaint, the exception that carries all complaints of a source, and what each code means at length.

    zero.cf:2:12: error CF012: unknown name 'rleu'
        return rleu(t) - t
               ^^^^
      hint: did you mean 'relu'?

The wording of complaints is in errors.py, which everybody imports these from; `cfc explain` prints an explanation.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources

from cfcompiler.source import NOWHERE, Source, Span

# A message shows at most this many characters of a line, and a CFError prints at most this many diagnostics.
WIDTH = 100
PRINTED = 100


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint: code (`CF012`), place, message, hint ("" where there is none)."""

    code: str
    span: Span
    message: str
    hint: str = ""

    def render(self, source: Source) -> str:
        """path:line:column: error CODE: message, the line with a caret, the hint."""
        if self.span == NOWHERE:
            head = f"{source.path}: error {self.code}: {self.message}"
            return head + (f"\n  hint: {self.hint}" if self.hint else "")
        head = f"{source.path}:{self.span.line}:{self.span.column}: error {self.code}: {self.message}"
        line, caret = window(source.line(self.span.line), self.span)
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{head}\n    {line}\n    {caret}{hint}"


class CFError(Exception):
    """The diagnostics of one source, sorted by place."""

    def __init__(self, diagnostics: Iterable[Diagnostic], source: Source) -> None:
        # what has a place is said once there; what has none is told apart by its words
        unique: dict[tuple[str, Span, str], Diagnostic] = {}
        for item in diagnostics:
            unique.setdefault((item.code, item.span, item.message if item.span == NOWHERE else ""), item)
        self.diagnostics = tuple(sorted(unique.values(), key=_order))
        self.source = source
        super().__init__(self.render())

    def render(self) -> str:
        """All diagnostics as text, the first `PRINTED` of them at length."""
        shown = [item.render(self.source) for item in self.diagnostics[:PRINTED]]
        more = len(self.diagnostics) - len(shown)
        return "\n".join(shown + ([f"... and {more} more errors"] if more > 0 else []))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: a mistake of a user is no bug of anyone's code."""
        return self.render().split("\n")


def _order(item: Diagnostic) -> tuple[int, int, str]:
    return item.span.line, item.span.column, item.code


def window(line: str, span: Span, room: int = WIDTH) -> tuple[str, str]:
    """The part of a line around the span, `room` characters and the dots where it is cut; the carets under it."""
    end = span.end_column if span.end_line == span.line else len(line) + 1
    start = 0 if len(line) <= room else max(0, min(span.column - 1 - room // 2, len(line) - room))
    text = "".join(c if c.isprintable() else ("\t" if c == "\t" else "?") for c in line[start : start + room])
    lead, tail = "..." if start else "", "..." if start + room < len(line) else ""
    column = span.column - 1 - start
    pad = "".join("\t" if c == "\t" else " " for c in text[:column])
    width = max(1, min(end - span.column, room - column))
    return lead + text + tail, " " * len(lead) + pad + "^" * width


# each code at length


@dataclass(frozen=True, slots=True)
class Explanation:
    """A code at length: what it means, a program that has the mistake, the program put right."""

    code: str
    title: str
    text: str
    wrong: str
    right: str

    def render(self) -> str:
        body = f"{self.code}: {self.title}\n\n{self.text.strip()}\n"
        for name, program in (("wrong", self.wrong), ("right", self.right)):
            if program.strip():
                lines = program.strip("\n").split("\n")
                body += f"\n{name}:\n\n" + "".join(f"    {line}".rstrip() + "\n" for line in lines)
        return body


@lru_cache(maxsize=1)
def explanations() -> dict[str, Explanation]:
    """Every code, in order."""
    text = resources.files("cfcompiler").joinpath("explanations.toml").read_text(encoding="utf-8")
    return {
        code: Explanation(code, row["title"], row["text"], row.get("wrong", ""), row.get("right", ""))
        for code, row in sorted(tomllib.loads(text).items())
    }


def explain(code: str) -> Explanation | None:
    return explanations().get(code.strip().upper())


def meant_code(text: str) -> str:
    """A hint for a code that there is not: the digits count, CF12 and 12 are CF012."""
    digits = re.fullmatch(r"(?:CF)?0*(\d+)", text.strip().upper())
    code = f"CF{int(digits.group(1)):03d}" if digits else ""
    near = [code] if code in explanations() else get_close_matches(text.upper(), explanations(), 1)
    return f"did you mean {near[0]}?" if near else "`cfc explain` lists them"
