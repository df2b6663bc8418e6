"""Real roots of polynomials to exact numbers, where they have a form that the signs of numbers.py can decide."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

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
    larger = near > Fraction(-b, 2 * a)
    side = 1 if larger == (a > 0) else -1
    return settled((-Integer(b) + side * root) / (2 * Integer(a)))


def _of_binomial(coefficients: tuple[int, ...], near: Fraction) -> Finite | None:
    """A root of a*x**k + c."""
    k = len(coefficients) - 1
    ratio = abs(Fraction(coefficients[0], coefficients[-1]))
    found = power(ratio, Fraction(1, k))
    signed = found if near > 0 else neg(found)
    return None if is_special(signed) else signed
