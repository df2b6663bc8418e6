"""Certificates that a box misses a system: products of the conditions and squares that cancel.

If a combination of polynomials vanishes in which those that are positive on the set near the origin (conditions,
products of them) have weights >= 0, not all 0, and those that are nonnegative (squares of monomials and of sums of
two, such squares times conditions) have weights >= 0, there is no point near the origin in the set. Which weights,
is a linear program in the coefficients; diagonally dominant sums of squares after Ahmadi & Majumdar 2019, products
after Stengle 1974. What is found is checked exactly, and rests on no solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, product
from math import comb

from cfcompiler.feasibility.conditions import Apart, Constraint, Open
from cfcompiler.feasibility.directions import Multipliers, direction
from cfcompiler.feasibility.solver import rational
from cfcompiler.numbers import Finite
from cfcompiler.polynomials import Exponents, Polynomial, constant, variable

MOST_DEGREE = 8
MOST_ENTRIES = 8_000  # of the linear program


@dataclass(frozen=True, slots=True)
class _Rows:
    """Polynomials that are positive, nonnegative and zero on the set near the origin."""

    positive: tuple[Polynomial, ...]
    nonnegative: tuple[Polynomial, ...]
    zero: tuple[Polynomial, ...]


def by_squares(
    constraints: Sequence[Constraint], variables: int, local: int, radius: Fraction
) -> Apart | Open:
    """Whether such a combination of low degree is found for rational constraints in `variables` variables.

    The first `local` variables are those of the box |u_i| < radius. Raises TypeError for irrational coefficients.
    """
    lowest = max((c.polynomial.degree for c in constraints), default=0)
    for degree in range(max(2, lowest + lowest % 2), MOST_DEGREE + 1, 2):
        if (
            comb(variables + degree // 2, variables) ** 2 * comb(variables + degree, variables)
            > MOST_ENTRIES * 4
        ):
            break
        rows = _rows(constraints, variables, _sides(variables, local, radius), degree)
        every = (*rows.positive, *rows.nonnegative, *rows.zero)
        places = sorted({e for row in every for e in row.terms})
        if len(every) * len(places) > MOST_ENTRIES:
            break
        found = direction(
            _vectors(rows.positive, places),
            _vectors(rows.nonnegative, places),
            _vectors(rows.zero, places),
            dimension=len(places),
        )
        if isinstance(found, Multipliers):
            return Apart(f"squares and products of degree {degree}", "certificate")
    return Open("no combination of squares and products of low degree vanishes")


def _vectors(rows: Sequence[Polynomial], places: Sequence[Exponents]) -> list[tuple[Finite, ...]]:
    return [tuple(rational(row.terms.get(e, Fraction(0))) for e in places) for row in rows]


def _rows(constraints: Sequence[Constraint], n: int, sides: Sequence[Polynomial], degree: int) -> _Rows:
    strict = [c.polynomial for c in constraints if c.relation == ">"]
    weak = [c.polynomial for c in constraints if c.relation == ">="]
    pairs = [*combinations_with_replacement(strict, 2), *product(strict, sides)]
    positive = [*(p for p in strict if p.degree <= degree), *_products(pairs, degree)]
    mixed = [
        *(p for p in weak if p.degree <= degree),
        *_products(list(product((*strict, *weak, *sides), weak)), degree),
    ]
    nonnegative = [
        *mixed,
        *(
            p * square
            for square in _squares(n, degree, binomials=False)
            for p in (*positive, *mixed, *sides)
            if 0 < square.degree <= degree - p.degree
        ),
        *_squares(n, degree, binomials=True),
    ]
    zero = [
        c.polynomial * Polynomial(n, {e: Fraction(1)})
        for c in constraints
        if c.relation == "="
        for e in _monomials(n, degree - c.polynomial.degree)
    ]
    return _Rows(tuple(positive), tuple(nonnegative), tuple(zero))


def _products(pairs: Sequence[tuple[Polynomial, Polynomial]], degree: int) -> list[Polynomial]:
    """Those of at most the degree."""
    return [a * b for a, b in pairs if a.degree + b.degree <= degree]


def _sides(n: int, local: int, size: Fraction) -> list[Polynomial]:
    """What is positive in the box."""
    radius = constant(n, size)
    return [side for k in range(local) for side in (radius - variable(n, k), radius + variable(n, k))]


def _squares(n: int, degree: int, *, binomials: bool) -> list[Polynomial]:
    monomials = [Polynomial(n, {e: Fraction(1)}) for e in _monomials(n, degree // 2)]
    out = [m * m for m in monomials]
    if binomials:
        for a, b in combinations(monomials, 2):
            out += [(a + b) * (a + b), (a - b) * (a - b)]
    return out


def _monomials(n: int, degree: int) -> list[Exponents]:
    return [e for e in product(range(degree + 1), repeat=n) if sum(e) <= degree]
