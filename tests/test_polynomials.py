"""Polynomials with exact coefficients."""

from __future__ import annotations

from fractions import Fraction

from cfcompiler.number_text import parse_number
from cfcompiler.polynomials import Polynomial, constant, variable

X, Y = variable(2, 0), variable(2, 1)


def test_products_and_differences_cancel() -> None:
    assert ((X + Y) * (X - Y) - X * X + Y * Y).is_zero


def test_the_lowest_form_and_a_weighted_one() -> None:
    cusp = Y * Y - X**3 + X * X * Y
    assert cusp.lowest_form == Y * Y
    assert cusp.weighted_form((2, 3)) == Y * Y - X**3


def test_derivative_gradient_and_value() -> None:
    f = X * X * Y + X.scaled(Fraction(3)) + constant(2, Fraction(5))
    assert f.derivative(0) == (X * Y).scaled(Fraction(2)) + constant(2, Fraction(3))
    assert f.gradient() == (3, 0)
    assert f.value((Fraction(2), Fraction(1, 2))) == 13


def test_irrational_coefficients_vanish_where_they_must() -> None:
    root = parse_number("sqrt(2)")
    assert not isinstance(root, str)
    f = X + constant(2, root)
    assert (f * (X - constant(2, root))) == Polynomial(2, {(2, 0): Fraction(1), (0, 0): Fraction(-2)})
    assert not f.rational
