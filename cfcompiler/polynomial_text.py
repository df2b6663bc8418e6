"""The tokens of a polynomial in one variable -> its coefficients from low to high: `2*x**3 - x/2 + 1`.

    sum     ::= product (("+" | "-") product)*
    product ::= signed (("*" | "/") signed)*
    signed  ::= ("+" | "-") signed | power
    power   ::= atom ("**" whole)?
    atom    ::= number | name | "(" sum ")"

Coefficients are rational, one divides by constants only, and there is one name.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

MOST_DEGREE = 200
MAX_NESTING = 40
Coefficients = tuple[Fraction, ...]


class PolynomialReader:
    """Recursive descent over (kind, text) from `place` on; `place` is then behind the polynomial."""

    def __init__(self, tokens: Sequence[tuple[str, str]], place: int) -> None:
        self.tokens = tokens
        self.place = place
        self.name = ""
        self.nesting = 0

    def take(self, *marks: str) -> str | None:
        kind, text = self.tokens[self.place]
        if kind != "mark" or text not in marks:
            return None
        self.place += 1
        return text

    def sum(self) -> Coefficients:
        """The polynomial. Raises ValueError where there is none."""
        total = self._product()
        while mark := self.take("+", "-"):
            turn = 1 if mark == "+" else -1
            total = _sum(total, tuple(turn * c for c in self._product()))
        return total

    def _product(self) -> Coefficients:
        total = self._signed()
        while mark := self.take("*", "/"):
            other = self._signed()
            if mark == "*":
                total = _product(total, other)
            elif len(other) == 1 and other[0] != 0:
                total = tuple(c / other[0] for c in total)
            else:
                raise ValueError("a polynomial is divided by a number other than 0 only")
        return total

    def _signed(self) -> Coefficients:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise ValueError(f"a polynomial is nested deeper than {MAX_NESTING} levels")
        mark = self.take("+", "-")
        value = self._power() if mark is None else self._signed()
        self.nesting -= 1
        return tuple(-c for c in value) if mark == "-" else value

    def _power(self) -> Coefficients:
        base = self._atom()
        if not self.take("**"):
            return base
        kind, text = self.tokens[self.place]
        self.place += 1
        if kind != "number" or not text.isdigit() or len(text) > 4 or int(text) > MOST_DEGREE:
            raise ValueError(f"an exponent in a polynomial is a whole number of at most {MOST_DEGREE}")
        total: Coefficients = (Fraction(1),)
        for _ in range(int(text)):
            total = _product(total, base)
        return total

    def _atom(self) -> Coefficients:
        if self.take("("):
            value = self.sum()
            if self.take(")") is None:
                raise ValueError(f"expected ')' in a polynomial, found {self.tokens[self.place][1]!r}")
            return value
        kind, text = self.tokens[self.place]
        self.place += 1
        if kind == "number" and len(text) <= 2000:
            return (Fraction(text),)
        if kind == "name" and self.name in ("", text):
            self.name = text
            return (Fraction(0), Fraction(1))
        if kind == "name":
            raise ValueError(f"a polynomial in one variable, {self.name!r}, has no {text!r}")
        raise ValueError(f"expected a polynomial, found {text!r}")


def _sum(one: Coefficients, other: Coefficients) -> Coefficients:
    size = max(len(one), len(other))
    padded = ([*row, *(Fraction(0),) * (size - len(row))] for row in (one, other))
    return _trimmed([a + b for a, b in zip(*padded, strict=True)])


def _product(one: Coefficients, other: Coefficients) -> Coefficients:
    if len(one) + len(other) > MOST_DEGREE + 2:
        raise ValueError(f"a polynomial of degree more than {MOST_DEGREE}")
    total = [Fraction(0)] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            total[i + j] += a * b
    return _trimmed(total)


def _trimmed(row: list[Fraction]) -> Coefficients:
    while len(row) > 1 and row[-1] == 0:
        row.pop()
    return tuple(row)
