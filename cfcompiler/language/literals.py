"""Names, numbers and texts as they are written to what they mean.

Everything here may raise SyntaxMistake or ValueError, which the parser turns into a complaint.
"""

from __future__ import annotations

import keyword
import unicodedata
from fractions import Fraction
from functools import lru_cache

from lark import Token

from cfcompiler import errors
from cfcompiler.errors import Diagnostic
from cfcompiler.source import Span

# Words that Python keeps for itself, and a few that mean something here: none can name a value.
RESERVED = frozenset(keyword.kwlist)
# Stands in a repaired text where something could not be read; refused where a user writes it.
MISSING = "__missing__"
# A number with more digits than this, or a larger power of ten, is refused: it would be slow to be exact with.
DIGITS = 4000
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"', "\n": ""}


class SyntaxMistake(Exception):
    """A mistake met while building the tree; never leaves the parser."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def place(token: Token) -> Span:
    """Where a token stands."""
    return Span(token.line, token.column, token.end_line, token.end_column)  # type: ignore[arg-type]


def identifier(token: Token) -> str:
    """The text of a name. Raises SyntaxMistake for a word that cannot be one."""
    text = str(token)
    if text in RESERVED:
        raise SyntaxMistake(errors.syntax(place(token), f"the word {text!r}"))
    if not text.isascii() and unicodedata.normalize("NFKC", text) != text:
        plain = unicodedata.normalize("NFKC", text)
        raise SyntaxMistake(
            errors.bad_name(place(token), f"the name {text!r} has another spelling", f"write {plain!r}")
        )
    return text


@lru_cache(maxsize=4096)
def exact(text: str) -> tuple[Fraction, bool]:
    """A number as written to its exact value, and whether it has a point or an exponent. Raises ValueError."""
    if "__" in text or "_." in text or "._" in text or "_e" in text.lower() or text.endswith("_"):
        raise ValueError("an underscore stands between two digits")
    plain = text.replace("_", "").lower()
    mantissa, _, exponent = plain.partition("e")
    if len(mantissa) > DIGITS or len(exponent) > 6 or abs(int(exponent or "0")) > DIGITS:
        raise ValueError(f"a number has at most {DIGITS} digits")
    decimal = not plain.isdigit()
    if not decimal and len(plain) > 1 and plain[0] == "0" and plain.strip("0"):
        raise ValueError("a whole number does not begin with 0")
    return Fraction(plain), decimal


def unquoted(text: str) -> str:
    """The text between the quotes, its escapes resolved; an escape that is not known stays as it is."""
    width = 3 if text[:3] in ('"""', "'''") else 1
    body = text[width:-width]
    if "\\" not in body:
        return body
    out: list[str] = []
    position = 0
    while position < len(body):
        c = body[position]
        if c == "\\" and position + 1 < len(body):
            out.append(_ESCAPES.get(body[position + 1], body[position : position + 2]))
            position += 2
        else:
            out.append(c)
            position += 1
    return "".join(out)
