"""Polynomials over the rationals in flint, with names: factors, substitution, values, and what the solver takes.

A `Function` is a primitive integer polynomial whose leading coefficient is positive, so that functions with one zero
set up to a constant factor are one function; `key` is equal for equal functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any, TypeAlias

import flint

from cfcompiler.polynomials import Polynomial

Poly: TypeAlias = Any  # flint.fmpq_mpoly
Key: TypeAlias = "tuple[tuple[tuple[int, ...], int], ...]"
Point: TypeAlias = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A polynomial up to a constant factor. Equal by its key."""

    key: Key
    poly: Poly

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def size(self) -> tuple[int, int, Key]:
        """An order in which simple functions come first."""
        return self.poly.total_degree(), len(self.key), self.key


@dataclass(frozen=True, slots=True)
class Factored:
    """side * a positive number * product of function**times; side is 0 for the zero polynomial."""

    side: int
    factors: tuple[tuple[Function, int], ...]


class Functions:
    """The functions of one space of `variables` variables."""

    def __init__(self, variables: int) -> None:
        self.variables = variables
        names = tuple(f"x{place}" for place in range(variables))
        self.context = flint.fmpq_mpoly_ctx.get(names, flint.Ordering.degrevlex)
        self.one = self.context.constant(1)
        self.generators = self.context.gens()
        self._factored: dict[Key, tuple[tuple[Function, int], ...]] = {}

    def named(self, poly: Poly) -> tuple[int, Function]:
        """The sign of the constant by which a polynomial that is not zero differs, and its function."""
        terms = {tuple(map(int, e)): Fraction(int(c.p), int(c.q)) for e, c in poly.to_dict().items()}
        below = lcm(*(c.denominator for c in terms.values()))
        whole = {e: c.numerator * (below // c.denominator) for e, c in terms.items()}
        common = gcd(*whole.values())
        lead = max(whole, key=lambda e: (sum(e), e))
        side = 1 if whole[lead] > 0 else -1
        key = tuple(sorted((e, side * c // common) for e, c in whole.items()))
        return side, Function(key, self.context.from_dict({e: flint.fmpq(c) for e, c in key}))

    def factored(self, poly: Poly) -> Factored:
        """The irreducible factors over the rationals, constants left out."""
        if poly.is_zero():
            return Factored(0, ())
        if poly.is_constant():
            return Factored(1 if poly.leading_coefficient() > 0 else -1, ())
        side, function = self.named(poly)
        if function.key not in self._factored:
            _, found = function.poly.factor()
            rows = [(self.named(factor), int(times)) for factor, times in found]
            self._factored[function.key] = tuple(
                sorted(((own, times) for (_, own), times in rows), key=lambda row: row[0].size)
            )
        # leading terms multiply, so a product of functions leads with a positive term as well
        return Factored(side, self._factored[function.key])

    def product(self, factors: Sequence[Function]) -> Function:
        """The function that vanishes where one of them does."""
        total = self.one
        for function in factors:
            total = total * function.poly
        return self.named(total)[1]

    def substituted(self, poly: Poly, place: int, above: Poly, below: Poly) -> Poly:
        """poly * below**degree with the variable number `place` replaced by above/below."""
        degree = poly.degrees()[place]
        if degree == 0:
            return poly
        rows: dict[int, dict[tuple[int, ...], Any]] = {}
        for exponents, coefficient in poly.to_dict().items():
            e = tuple(map(int, exponents))
            rows.setdefault(e[place], {})[(*e[:place], 0, *e[place + 1 :])] = coefficient
        total = self.context.constant(0)
        for power, terms in rows.items():
            total += self.context.from_dict(terms) * above**power * below ** (degree - power)
        return total

    def coefficient(self, poly: Poly, place: int) -> Poly | None:
        """a, where poly = a*x + b with the variable x number `place` in neither; else None."""
        return poly.derivative(place) if poly.degrees()[place] == 1 else None

    @staticmethod
    def value(poly: Poly, point: Sequence[Fraction]) -> Fraction:
        """The value at a point."""
        total = Fraction(0)
        for exponents, coefficient in poly.to_dict().items():
            term = Fraction(int(coefficient.p), int(coefficient.q))
            for x, k in zip(point, exponents, strict=True):
                if k:
                    term *= x ** int(k)
            total += term
        return total

    def polynomial(self, poly: Poly) -> Polynomial:
        """For the solver."""
        terms = poly.to_dict().items()
        return Polynomial(
            self.variables, {tuple(map(int, e)): Fraction(int(c.p), int(c.q)) for e, c in terms}
        )

    def along(self, poly: Poly, place: int, point: Sequence[Fraction]) -> list[Fraction]:
        """The rational roots of the polynomial along the line through a point in the direction of a variable."""
        degree = poly.degrees()[place]
        if not degree:
            return []
        coefficients = [Fraction(0)] * (degree + 1)
        for exponents, coefficient in poly.to_dict().items():
            term = Fraction(int(coefficient.p), int(coefficient.q))
            for other, (x, k) in enumerate(zip(point, exponents, strict=True)):
                if k and other != place:
                    term *= x ** int(k)
            coefficients[int(exponents[place])] += term
        return rational_roots(coefficients)

    def minors(self, rows: Sequence[Sequence[Poly]]) -> list[Poly]:
        """All maximal minors of a matrix of at most as many rows as columns, without repeats and zeros."""
        from itertools import combinations

        width = len(rows[0])
        found: dict[Key, Poly] = {}
        for columns in combinations(range(width), len(rows)):
            minor = self._determinant([[row[column] for column in columns] for row in rows])
            if not minor.is_zero():
                _, function = self.named(minor)
                found[function.key] = function.poly
        return list(found.values())

    def _determinant(self, matrix: Sequence[Sequence[Poly]]) -> Poly:
        if len(matrix) == 1:
            return matrix[0][0]
        total = self.context.constant(0)
        for column, entry in enumerate(matrix[0]):
            if entry.is_zero():
                continue
            rest = [[*row[:column], *row[column + 1 :]] for row in matrix[1:]]
            term = entry * self._determinant(rest)
            total = total - term if column % 2 else total + term
        return total

    def gradient(self, poly: Poly) -> list[Poly]:
        """The partial derivatives."""
        return [poly.derivative(place) for place in range(self.variables)]


def rational_roots(coefficients: Iterable[Fraction]) -> list[Fraction]:
    """The rational roots of a polynomial in one variable, coefficients from low to high; none of zero."""
    row = list(coefficients)
    below = lcm(*(c.denominator for c in row))
    poly = flint.fmpz_poly([int(c * below) for c in row])
    if poly.degree() < 1:
        return []
    _, factors = poly.factor()
    return [Fraction(-int(factor[0]), int(factor[1])) for factor, _ in factors if factor.degree() == 1]
