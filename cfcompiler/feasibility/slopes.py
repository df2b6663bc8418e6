"""Quotients in inputs and atoms -> their derivatives by the inputs, quotients again: the chain rule."""

from __future__ import annotations

from fractions import Fraction

from cfcompiler.feasibility.atoms import Atom
from cfcompiler.feasibility.elementary import Elementary
from cfcompiler.feasibility.quotients import Entry, NotRational, Poly, Ratio

_ZERO, _ONE = Fraction(0), Fraction(1)


def derivative(elementary: Elementary, x: Entry, place: int) -> Entry:
    """By the input number `place`, wherever the atoms are smooth."""
    if not isinstance(x, Ratio):
        return _ZERO
    above = _slope(elementary, x.above, place)
    if x.below.is_constant():
        return elementary.field.div(above, Ratio(x.below, elementary.one)) if not x.below.is_one() else above
    below = _slope(elementary, x.below, place)
    under = elementary.field.ratio(x.below, elementary.one)
    first = elementary.field.div(above, under)
    second = elementary.field.mul(elementary.field.ratio(x.above, x.below * x.below), below)
    return elementary.field.sub(first, second)


def _slope(elementary: Elementary, poly: Poly, place: int) -> Entry:
    total: Entry = elementary.field.ratio(poly.derivative(place), elementary.one)
    for atom in elementary.functions.within(poly):
        if place in atom.inputs:
            outer = elementary.field.ratio(poly.derivative(atom.place), elementary.one)
            total = elementary.field.add(
                total, elementary.field.mul(outer, _slope_of_atom(elementary, atom, place))
            )
    return total


def _slope_of_atom(elementary: Elementary, atom: Atom, place: int) -> Entry:
    u = elementary.field.ratio(atom.above, atom.below)
    inner = derivative(elementary, u, place)
    if isinstance(inner, Fraction) and inner == 0:
        return inner
    return elementary.field.mul(_outer(elementary, atom, u), inner)


def _outer(elementary: Elementary, atom: Atom, u: Entry) -> Entry:
    """The derivative of the atom by its argument."""
    field, own = elementary.field, Ratio(elementary.functions.generators[atom.place], elementary.one)
    match atom.kind:
        case "exp":
            return own
        case "log":
            return field.div(_ONE, u)
        case "root":
            return field.div(_ONE, field.mul(field.power(own, atom.degree - 1), Fraction(atom.degree)))
        case "sin":
            return elementary.cos(u)
        case "cos":
            return field.neg(elementary.odd("sin", u))
        case "atan":
            return field.div(_ONE, field.add(field.mul(u, u), _ONE))
        case "asin":
            return field.div(_ONE, _cosine_of_asin(elementary, atom))
        case "erf":
            falling = elementary.exp(field.neg(field.mul(u, u)))
            return field.mul(
                field.div(Fraction(2), elementary.root(elementary.pi(), 2, elementary.sign_of_constant)),
                falling,
            )
    raise AssertionError(atom.kind)


def _cosine_of_asin(elementary: Elementary, atom: Atom) -> Entry:
    """sqrt(1 - u**2), whatever the signs of its factors are."""
    if not atom.below.is_constant():
        raise NotRational("asin of a quotient")
    return Ratio(
        elementary.functions.atom("root", elementary.one - atom.above * atom.above, elementary.one, 2),
        elementary.one,
    )


def gradient(elementary: Elementary, poly: Poly) -> tuple[list[Poly], Poly]:
    """The partial derivatives by the inputs times a polynomial, and that one: positive where poly is smooth."""
    inputs = range(elementary.functions.inputs)
    if not elementary.functions.moved(poly):
        return [poly.derivative(place) for place in inputs], elementary.one
    pairs = [elementary.field.parts(_slope(elementary, poly, place)) for place in inputs]
    scale = elementary.one
    for _, below in pairs:
        scale = scale * (below / below.gcd(scale))
    return [elementary.functions.normal(above * (scale / below)) for above, below in pairs], scale
