"""Quotients of polynomials in lowest terms, and the field that they form with the exact numbers.

Polynomials are in the variables of one space of functions (functions.py): the inputs, and what stands for values such
as exp(x) that are no rational functions of them. Nothing is rounded and nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import flint

from cfcompiler.numbers import Exact, Finite, is_special

Poly: TypeAlias = Any  # flint.fmpq_mpoly

MOST_DEGREE = 40
MOST_TERMS = 2000
_ZERO = Fraction(0)


class NotRational(Exception):
    """A value that is not a rational function of the inputs: what makes it so."""


class Ratio:
    """above/below in lowest terms, not constant, with `below` of leading coefficient 1. Immutable."""

    __slots__ = ("above", "below")

    def __init__(self, above: Poly, below: Poly) -> None:
        self.above = above
        self.below = below

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ratio) and bool(self.above == other.above and self.below == other.below)

    def __hash__(self) -> int:
        return hash((str(self.above), str(self.below)))

    def __repr__(self) -> str:
        return f"Ratio({self.above}, {self.below})"


Entry: TypeAlias = "Exact | Ratio"


def fraction(x: Any) -> Fraction:
    """A flint rational as a Fraction."""
    return Fraction(int(x.p), int(x.q))


def rational(x: Fraction) -> Any:
    """A Fraction as a flint rational."""
    return flint.fmpq(x.numerator, x.denominator)


def constant_of(poly: Poly) -> Fraction:
    """The value of a constant polynomial."""
    return _ZERO if poly.is_zero() else fraction(poly.leading_coefficient())


def ratio(above: Poly, below: Poly) -> Ratio | Fraction:
    """above/below in lowest terms, a number where it is constant. Raises NotRational where it is too large."""
    if below.is_zero():
        raise NotRational("a quotient whose denominator vanishes")
    if above.is_zero():
        return _ZERO
    if not below.is_constant():
        common = above.gcd(below)
        if not common.is_constant():
            above, below = above / common, below / common
    lead = below.leading_coefficient()
    if lead != 1:
        above, below = above * (1 / lead), below * (1 / lead)
    if above.is_constant() and below.is_constant():
        return constant_of(above)
    if max(above.total_degree(), below.total_degree()) > MOST_DEGREE or len(above) > MOST_TERMS:
        raise NotRational(f"a value of degree more than {MOST_DEGREE} or of more than {MOST_TERMS} terms")
    return Ratio(above, below)


def parts(entry: Entry, one: Poly) -> tuple[Poly, Poly]:
    """Numerator and denominator of a rational entry; `one` is the constant polynomial 1."""
    if isinstance(entry, Ratio):
        return entry.above, entry.below
    if isinstance(entry, Fraction):
        return one * rational(entry), one
    raise NotRational("a coefficient that is not rational")


class Quotients:
    """The field. `normal` brings a polynomial to the form in which equal ones are the same; `lift` takes in a constant
    that is not rational, or raises NotRational.
    """

    def __init__(self, one: Poly, normal: Callable[[Poly], Poly], lift: Callable[[Finite], Entry]) -> None:
        self.one = one
        self.normal = normal
        self.lift = lift

    def parts(self, entry: Entry) -> tuple[Poly, Poly]:
        """Numerator and denominator of a finite entry. Raises NotRational."""
        if not isinstance(entry, Ratio | Fraction):
            assert not is_special(entry)
            entry = self.lift(entry)
        return parts(entry, self.one)

    def ratio(self, above: Poly, below: Poly) -> Ratio | Fraction:
        """above/below. Raises NotRational where it is too large."""
        return ratio(self.normal(above), self.normal(below))

    def neg(self, x: Entry) -> Entry:
        a, b = self.parts(x)
        return self.ratio(-a, b)

    def add(self, x: Entry, y: Entry) -> Entry:
        (a, b), (c, d) = self.parts(x), self.parts(y)
        return self.ratio(a + c, b) if b == d else self.ratio(a * d + c * b, b * d)

    def sub(self, x: Entry, y: Entry) -> Entry:
        (a, b), (c, d) = self.parts(x), self.parts(y)
        return self.ratio(a - c, b) if b == d else self.ratio(a * d - c * b, b * d)

    def mul(self, x: Entry, y: Entry) -> Entry:
        (a, b), (c, d) = self.parts(x), self.parts(y)
        return self.ratio(a * c, b * d)

    def div(self, x: Entry, y: Entry) -> Entry:
        """x/y, where y is not the zero polynomial."""
        (a, b), (c, d) = self.parts(x), self.parts(y)
        return self.ratio(a * d, b * c)

    def power(self, x: Entry, n: int) -> Entry:
        """x**n; for n < 0 where x is not the zero polynomial. Raises NotRational where it is too large."""
        a, b = self.parts(x)
        if n < 0:
            a, b = b, a
        if abs(n) * max(a.total_degree(), b.total_degree()) > MOST_DEGREE:
            raise NotRational(f"a value of degree more than {MOST_DEGREE}")
        return self.ratio(a ** abs(n), b ** abs(n))
