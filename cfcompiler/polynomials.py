"""Polynomials in several variables with exact coefficients: what a piecewise-polynomial program computes near a point.

Terms map exponents to coefficients that are proved to be nonzero. The variables have places, not names; near a point
they are the local coordinates u = x - p, so that the terms are the Taylor coefficients there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from cfcompiler import numbers
from cfcompiler.numbers import Finite, Undecided

Exponents: TypeAlias = tuple[int, ...]

MOST_TERMS = 20_000
_ZERO, _ONE = Fraction(0), Fraction(1)


class TooManyTerms(ArithmeticError):
    """A product with more terms than the budget."""


def plus(x: Finite, y: Finite) -> Finite:
    """x + y of finite exact numbers."""
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return x + y
    return numbers.add(x, y)


def times(x: Finite, y: Finite) -> Finite:
    """x * y of finite exact numbers."""
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return x * y
    return numbers.mul(x, y)


def vanishes(x: Finite) -> bool:
    """Whether x is 0. Raises numbers.Undecided where neither is proved."""
    if isinstance(x, Fraction):
        return x == 0
    found = numbers.sign(x)
    if found is None:
        raise Undecided(f"whether {str(x)[:200]} is zero could not be decided")
    return found == 0


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A polynomial in `variables` variables; `terms` has no zero coefficient."""

    variables: int
    terms: Mapping[Exponents, Finite]

    @property
    def is_zero(self) -> bool:
        return not self.terms

    @property
    def degree(self) -> int:
        """The total degree; -1 of the zero polynomial."""
        return max((sum(exponents) for exponents in self.terms), default=-1)

    @property
    def order(self) -> int:
        """The lowest degree of a term; -1 of the zero polynomial."""
        return min((sum(exponents) for exponents in self.terms), default=-1)

    @property
    def rational(self) -> bool:
        """Whether all coefficients are rational."""
        return all(isinstance(coefficient, Fraction) for coefficient in self.terms.values())

    @property
    def constant_term(self) -> Finite:
        return self.terms.get((0,) * self.variables, _ZERO)

    def part(self, degree: int) -> Polynomial:
        """The homogeneous part of a degree."""
        return Polynomial(self.variables, {e: c for e, c in self.terms.items() if sum(e) == degree})

    @property
    def lowest_form(self) -> Polynomial:
        """The homogeneous part of lowest degree, which decides the sign along almost every ray from 0."""
        return self.part(self.order)

    def weighted_form(self, weights: Sequence[int]) -> Polynomial:
        """The part of lowest weighted degree, where the variable number i has the weight weights[i]."""
        weight = {e: sum(w * k for w, k in zip(weights, e, strict=True)) for e in self.terms}
        least = min(weight.values(), default=0)
        return Polynomial(self.variables, {e: c for e, c in self.terms.items() if weight[e] == least})

    def truncated(self, degree: int) -> Polynomial:
        """Without the terms above a degree."""
        return Polynomial(self.variables, {e: c for e, c in self.terms.items() if sum(e) <= degree})

    def gradient(self) -> tuple[Finite, ...]:
        """The linear coefficients: the gradient at 0."""
        return tuple(self.terms.get(_unit(self.variables, place), _ZERO) for place in range(self.variables))

    def derivative(self, place: int) -> Polynomial:
        terms = {}
        for exponents, coefficient in self.terms.items():
            if exponents[place]:
                lowered = (*exponents[:place], exponents[place] - 1, *exponents[place + 1 :])
                terms[lowered] = times(coefficient, Fraction(exponents[place]))
        return Polynomial(self.variables, terms)

    def value(self, point: Sequence[Finite]) -> Finite:
        """The value at a point."""
        total: Finite = _ZERO
        for exponents, coefficient in self.terms.items():
            term = coefficient
            for x, k in zip(point, exponents, strict=True):
                for _ in range(k):
                    term = times(term, x)
            total = plus(total, term)
        return total

    def __neg__(self) -> Polynomial:
        return self.scaled(-_ONE)

    def __add__(self, other: Polynomial) -> Polynomial:
        terms = dict(self.terms)
        for exponents, coefficient in other.terms.items():
            _add_term(terms, exponents, coefficient)
        return Polynomial(self.variables, terms)

    def __sub__(self, other: Polynomial) -> Polynomial:
        return self + -other

    def __mul__(self, other: Polynomial) -> Polynomial:
        return self.product(other, None)

    def product(self, other: Polynomial, degree: int | None) -> Polynomial:
        """The product, without the terms above `degree`. Raises TooManyTerms."""
        if len(self.terms) * len(other.terms) > MOST_TERMS * 16:
            raise TooManyTerms(f"a product of more than {MOST_TERMS} terms")
        terms: dict[Exponents, Finite] = {}
        for e, a in self.terms.items():
            for f, b in other.terms.items():
                exponents = tuple(i + j for i, j in zip(e, f, strict=True))
                if degree is None or sum(exponents) <= degree:
                    _add_term(terms, exponents, times(a, b))
        if len(terms) > MOST_TERMS:
            raise TooManyTerms(f"a polynomial of more than {MOST_TERMS} terms")
        return Polynomial(self.variables, terms)

    def scaled(self, factor: Finite) -> Polynomial:
        if vanishes(factor):
            return Polynomial(self.variables, {})
        return Polynomial(self.variables, {e: times(c, factor) for e, c in self.terms.items()})

    def __pow__(self, exponent: int) -> Polynomial:
        out = constant(self.variables, _ONE)
        for _ in range(exponent):
            out = out * self
        return out


def _add_term(terms: dict[Exponents, Finite], exponents: Exponents, coefficient: Finite) -> None:
    total = plus(terms.get(exponents, _ZERO), coefficient)
    if vanishes(total):
        terms.pop(exponents, None)
    else:
        terms[exponents] = total


def _unit(variables: int, place: int) -> Exponents:
    return tuple(int(k == place) for k in range(variables))


def constant(variables: int, number: Finite) -> Polynomial:
    """A constant polynomial."""
    return Polynomial(variables, {} if vanishes(number) else {(0,) * variables: number})


def variable(variables: int, place: int) -> Polynomial:
    """The variable number `place`."""
    return Polynomial(variables, {_unit(variables, place): _ONE})


def polynomial(variables: int, terms: Iterable[tuple[Exponents, Finite]]) -> Polynomial:
    """The sum of terms. Raises numbers.Undecided where a coefficient is not proved to be zero or not."""
    found: dict[Exponents, Finite] = {}
    for exponents, coefficient in terms:
        _add_term(found, exponents, coefficient)
    return Polynomial(variables, found)


def widened(polynomial: Polynomial, total: int) -> Polynomial:
    """The same polynomial with further variables behind its own, `total` in all."""
    more = (0,) * (total - polynomial.variables)
    return Polynomial(total, {(*e, *more): c for e, c in polynomial.terms.items()})
