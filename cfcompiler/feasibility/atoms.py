"""Atoms: functions of the inputs such as exp(x*y), sqrt(x + 1) or pi, each a variable of a ring of polynomials.

An `Atom` is one of a few kinds of functions at an argument, a quotient of polynomials in inputs and earlier atoms. A
row of KINDS is all that is known of a kind: its values at exact numbers and in balls, its inverse, and facts that hold
for the solver wherever the atom has a value (`Link`). The facts are theorems, not a definition: what they refute is
refuted, but a solver's point need not be one. A root alone is given by its facts completely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint

from cfcompiler.balls import ball
from cfcompiler.feasibility.conditions import Constraint
from cfcompiler.feasibility.solver import AllOf, AnyOf, Formula
from cfcompiler.numbers import Exact, Finite
from cfcompiler.operations import OPERATIONS
from cfcompiler.polynomials import Polynomial, constant

Poly = Any  # flint.fmpq_mpoly
BITS_OF_BOUNDS = 60


@dataclass(frozen=True, eq=False, slots=True)
class Atom:
    """The variable number `place` of the ring stands for kind(above/below).

    `degree` of a root; `number` is the value of a constant. `inputs`: those that the argument moves with.
    """

    place: int
    kind: str
    above: Poly
    below: Poly
    degree: int = 1
    number: Finite | None = None
    inputs: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Link:
    """An atom t for the solver, with its argument u = above/below, in the solver's variables."""

    t: Polynomial
    above: Polynomial
    below: Polynomial
    partner: Polynomial | None = None  # of a sine, the cosine

    def plain(self, number: Fraction) -> Polynomial:
        return constant(self.t.variables, number)


@dataclass(frozen=True, slots=True)
class Kind:
    """A function of one argument.

    `exact` and `enclosed` give its value; `inverse` that of the inverse on its range, whose ends are `low` and `high`
    (texts of exact numbers, "" where it is not bounded; `closed`: the ends belong to it). Without an inverse nothing is
    reduced. `facts` hold where the atom has a value.
    """

    exact: Callable[[Exact], Exact]
    enclosed: Callable[[Any], Any]
    facts: Callable[[Link], Iterator[Formula]]
    inverse: Callable[[Exact], Exact] | None = None
    low: str = ""
    high: str = ""
    closed: bool = False


def _gt(x: Polynomial, y: Polynomial) -> Constraint:
    return Constraint(x - y, ">")


def _same_sign(t: Polynomial, link: Link) -> Formula:
    """t and u have one sign; the denominator of u has any."""
    u = link.above * link.below
    zero = link.plain(Fraction(0))
    return AnyOf(
        (
            AllOf((_gt(t, zero), _gt(u, zero))),
            AllOf((_gt(zero, t), _gt(zero, u))),
            AllOf((Constraint(t, "="), Constraint(u, "="))),
        )
    )


def _within(t: Polynomial, low: Fraction | None, high: Fraction | None) -> Iterator[Formula]:
    if low is not None:
        yield _gt(t, constant(t.variables, low))
    if high is not None:
        yield _gt(constant(t.variables, high), t)


def _exp(link: Link) -> Iterator[Formula]:
    """exp(u) > 0 and exp(u) - 1 has the sign of u; exp(u) > 1 + u and exp(-u) > 1 - u where u is not 0."""
    one = link.plain(Fraction(1))
    yield from _within(link.t, Fraction(0), None)
    yield _same_sign(link.t - one, link)
    square = link.below * link.below
    above = link.above * link.below
    yield AnyOf(
        (
            Constraint(link.above, "="),
            AllOf((_gt(link.t * square, square + above), _gt(square, link.t * (square - above)))),
        )
    )


def _log(link: Link) -> Iterator[Formula]:
    """log(u) has the sign of u - 1; log(u) < u - 1 and log(u) > 1 - 1/u where u is not 1; all this where u > 0."""
    u = link.above * link.below
    square = link.below * link.below
    gap = u - square
    shifted = Link(link.t, gap, square)
    inside = AllOf(
        (
            _same_sign(link.t, shifted),
            AnyOf((Constraint(gap, "="), AllOf((_gt(gap, link.t * square), _gt(link.t * u, gap))))),
        )
    )
    yield AnyOf((Constraint(u.scaled(Fraction(-1)), ">="), inside))


def _sin(link: Link) -> Iterator[Formula]:
    """sin**2 + cos**2 = 1; |sin(u)| < |u| where u is not 0; cos(u) > 1 - u**2/2 there."""
    assert link.partner is not None
    one, zero = link.plain(Fraction(1)), link.plain(Fraction(0))
    yield Constraint(link.t * link.t + link.partner * link.partner - one, "=")
    square = link.below * link.below
    u = link.above * link.below
    half = link.above * link.above
    yield AnyOf(
        (
            AllOf(
                (Constraint(link.above, "="), Constraint(link.t, "="), Constraint(link.partner - one, "="))
            ),
            AllOf(
                (
                    AnyOf(
                        (
                            AllOf((_gt(u, zero), _gt(u, link.t * square), _gt(link.t * square, zero - u))),
                            AllOf((_gt(zero, u), _gt(link.t * square, u), _gt(zero - u, link.t * square))),
                        )
                    ),
                    _gt(link.partner * square, square - half.scaled(Fraction(1, 2))),
                )
            ),
        )
    )


def _nothing(link: Link) -> Iterator[Formula]:
    return iter(())


def _bounded(size: Fraction) -> Callable[[Link], Iterator[Formula]]:
    def facts(link: Link) -> Iterator[Formula]:
        """An odd increasing function within (-size, size)."""
        yield _same_sign(link.t, link)
        yield from _within(link.t, -size, size)

    return facts


def _called(name: str) -> Callable[[Exact], Exact]:
    return lambda x: OPERATIONS[name](x)


# fmt: off
KINDS = {
    "exp":  Kind(_called("exp"),  lambda x: x.exp(),  _exp, _called("log"), low="0"),
    "log":  Kind(_called("log"),  lambda x: x.log(),  _log, _called("exp")),
    "sin":  Kind(_called("sin"),  lambda x: x.sin(),  _sin),
    "cos":  Kind(_called("cos"),  lambda x: x.cos(),  _nothing),
    "atan": Kind(_called("atan"), lambda x: x.atan(), _bounded(Fraction(1571, 1000)), _called("tan"), "-pi/2", "pi/2"),
    "asin": Kind(_called("asin"), lambda x: x.asin(), _bounded(Fraction(1571, 1000)), _called("sin"), "-pi/2", "pi/2",
                 closed=True),
    "erf":  Kind(_called("erf"),  lambda x: x.erf(),  _bounded(Fraction(1))),
}
# fmt: on


def exact_value(atom: Atom, argument: Exact) -> Exact:
    """The value at an exact argument."""
    if atom.kind == "root":
        return OPERATIONS["pow"](argument, Fraction(1, atom.degree))
    return KINDS[atom.kind].exact(argument)


def enclosed_value(atom: Atom, argument: Any, bits: int) -> Any:
    """The value in a ball, at a ball; not finite where the argument may leave the domain."""
    if atom.kind == "constant":
        return number_ball(atom.number, bits)
    if atom.kind == "root":
        return (
            argument.root(atom.degree)
            if argument.is_exact() or argument > 0
            else _root_near_zero(argument, atom)
        )
    return KINDS[atom.kind].enclosed(argument)


def _root_near_zero(argument: Any, atom: Atom) -> Any:
    upper = argument.abs_upper().root(atom.degree)
    return upper.union(flint.arb(0)) if not argument < 0 else flint.arb("nan")


def number_ball(number: Finite | None, bits: int) -> Any:
    """An exact number in a ball."""
    assert number is not None
    if isinstance(number, Fraction):
        with flint.ctx.workprec(bits):
            return flint.arb(flint.fmpq(number.numerator, number.denominator))
    return ball(number, bits)


def facts_of(atom: Atom, link: Link) -> Iterator[Formula]:
    """What the solver is told of an atom."""
    if atom.kind == "root":
        power = link.t
        for _ in range(atom.degree - 1):
            power = power * link.t
        yield Constraint(link.t, ">=")
        yield Constraint(power * link.below - link.above, "=")
    elif atom.kind != "constant":
        yield from KINDS[atom.kind].facts(link)


def bounded(t: Polynomial, enclosure: Any) -> Iterator[Formula]:
    """That a constant is in a ball."""
    if enclosure.is_finite():
        yield from _within(t, *_ends(enclosure))


def monotone(kind: str, one: Link, other: Link) -> Formula:
    """Of two atoms exp or log with arguments u and v that are polynomials: t - s has the sign of u - v."""
    fact = _same_sign(one.t - other.t, Link(one.t, one.above - other.above, one.plain(Fraction(1))))
    if kind == "exp":
        return fact
    outside = (Constraint(link.above.scaled(Fraction(-1)), ">=") for link in (one, other))
    return AnyOf((*outside, fact))


def _ends(enclosure: Any) -> tuple[Fraction, Fraction]:
    """Rationals on both sides of a ball, strictly."""
    middle, radius = enclosure.mid(), enclosure.rad()
    m, e = (int(part) for part in middle.man_exp())
    r, f = (int(part) for part in radius.man_exp())
    centre, width = Fraction(m) * Fraction(2) ** e, Fraction(r) * Fraction(2) ** f + Fraction(1, 2**200)
    return centre - width, centre + width
