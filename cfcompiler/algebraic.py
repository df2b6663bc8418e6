"""A polynomial over the integers, a number k -> its real root number k, exactly.

Roots are counted as SymPy's CRootOf counts them: from 0, the real ones ascending, as often as they are multiple. A root
of a linear or a quadratic factor has its short form; others are SymPy's CRootOf of the irreducible factor, of which
balls.py has enclosures and a separation bound, so that their signs are decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import flint

from cfcompiler.balls import FIRST_BITS, real_roots
from cfcompiler.numbers import MAX_COEFFICIENT_BITS, Finite, add, div, is_special, neg
from cfcompiler.operations import sqrt

if TYPE_CHECKING:
    import sympy

MOST_DEGREE = 60


def real_root(coefficients: Sequence[int], index: int) -> Finite:
    """The root; coefficients from low to high. ValueError where there is no such real root, or it is out of reach."""
    poly = flint.fmpz_poly([int(c) for c in coefficients])
    if poly.degree() < 1:
        raise ValueError("a constant has no roots")
    if poly.degree() > MOST_DEGREE or int(poly.height_bits()) > MAX_COEFFICIENT_BITS:
        raise ValueError(
            f"roots are read of polynomials of degree {MOST_DEGREE} at most, with coefficients of "
            f"{MAX_COEFFICIENT_BITS} bits"
        )
    _, factors = poly.factor()
    rows = [(tuple(int(c) for c in factor.coeffs()), times) for factor, times in factors]
    found = sorted(_placed(rows), key=lambda row: row[0].mid())
    if not 0 <= index < len(found):
        count = f"{len(found)} real root{'' if len(found) == 1 else 's'}"
        raise ValueError(f"the polynomial has {count}, which are counted from 0: there is no number {index}")
    _, factor, place = found[index]
    return _root(factor, place)


def _placed(
    rows: Sequence[tuple[tuple[int, ...], int]],
) -> list[tuple[flint.arb, tuple[int, ...], int]]:
    """All real roots with multiplicity: an enclosure apart from those of other roots, the factor, the place in it."""
    bits = FIRST_BITS
    while True:
        found = [
            (root, factor, place)
            for factor, times in rows
            for place, root in enumerate(real_roots(factor, bits))
            for _ in range(times)
        ]
        if not any(
            one[0].overlaps(other[0]) and one[1:] != other[1:]
            for k, one in enumerate(found)
            for other in found[:k]
        ):
            return found
        bits *= 2  # distinct roots, which are apart at some precision


def _root(coefficients: tuple[int, ...], place: int) -> Finite:
    """The real root number `place` of an irreducible polynomial."""
    if len(coefficients) == 2:
        return Fraction(-coefficients[0], coefficients[1])
    if len(coefficients) == 3:
        c, b, a = (Fraction(entry) for entry in coefficients)
        square = sqrt(b * b - 4 * a * c)
        larger = place == (1 if a > 0 else 0)
        found = div(add(-b, square if larger else neg(square)), 2 * a)
        assert not is_special(found)
        return found
    from sympy import CRootOf, Poly, Symbol

    poly = Poly(list(reversed(coefficients)), Symbol("x"), domain="ZZ")
    found_root: sympy.Expr = CRootOf(poly, place, radicals=False)
    return found_root
