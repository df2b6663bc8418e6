"""Real roots of polynomials to exact numbers, where they have a form that the signs of numbers.py can decide."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

import flint

from cfcompiler.feasibility.solver import Value
from cfcompiler.numbers import Finite, is_special, neg, power, settled


def exact_value(value: Value) -> Finite | None:
    """A rational, a number with a square root, or a root of a rational; None for other algebraic numbers."""
    if isinstance(value, Fraction):
        return value
    coefficients = value.coefficients
    if len(coefficients) == 3:
        return _of_quadratic(coefficients, value.near)
    if not any(coefficients[1:-1]):
        return _of_binomial(coefficients, value.near)
    return None


def _of_quadratic(coefficients: tuple[int, ...], near: Fraction) -> Finite:
    from sympy import Integer, sqrt

    c, b, a = coefficients
    square = b * b - 4 * a * c
    whole = isqrt(square)
    root = Integer(whole) if whole * whole == square else sqrt(Integer(square))
    larger = near > Fraction(-b, 2 * a)  # than the mean of the two roots
    side = 1 if larger == (a > 0) else -1
    return settled((-Integer(b) + side * root) / (2 * Integer(a)))


def _of_binomial(coefficients: tuple[int, ...], near: Fraction) -> Finite | None:
    """A root of a*x**k + c."""
    k = len(coefficients) - 1
    ratio = abs(Fraction(coefficients[0], coefficients[-1]))
    found = power(ratio, Fraction(1, k))
    signed = found if near > 0 else neg(found)
    return None if is_special(signed) else signed


def closed_roots(coefficients: Sequence[Fraction]) -> list[Finite]:
    """The real roots with such a form of a polynomial that is not zero; coefficients from low to high."""
    rows = [flint.fmpq(c.numerator, c.denominator) for c in coefficients]
    _, factors = flint.fmpq_poly(rows).factor()
    found: list[Finite] = []
    for factor, _ in factors:
        whole = tuple(int(c) for c in factor.numer().coeffs())
        if len(whole) == 2:
            found.append(Fraction(-whole[0], whole[1]))
        elif len(whole) == 3 and whole[1] ** 2 > 4 * whole[0] * whole[2]:
            middle = Fraction(-whole[1], 2 * whole[2])
            found += [_of_quadratic(whole, middle - 1), _of_quadratic(whole, middle + 1)]
        elif not any(whole[1:-1]):
            found += _of_two_terms(whole)
    return found


def _of_two_terms(coefficients: tuple[int, ...]) -> list[Finite]:
    """The real roots of a*x**k + c, k > 2."""
    k = len(coefficients) - 1
    opposite = coefficients[0] * coefficients[-1] < 0
    sides = [1, -1] if k % 2 == 0 and opposite else [1 if opposite else -1] if k % 2 else []
    roots = [_of_binomial(coefficients, Fraction(side)) for side in sides]
    return [root for root in roots if root is not None]
