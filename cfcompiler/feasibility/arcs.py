"""Arcs into the origin: an arc to a proof that a system holds along it, in exact arithmetic.

A polynomial along a polynomial arc is a polynomial in t, and the sign of its lowest coefficient is its sign for all
small t > 0. A function known up to O(|u|**(degree + 1)) is known along an arc with least power m up to
O(t**(m*(degree + 1))).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from cfcompiler.feasibility.conditions import Arc, Clock, Condition, System
from cfcompiler.numbers import Finite, TooLarge, Undecided, sign
from cfcompiler.polynomials import Polynomial, TooManyTerms, constant, polynomial

PERTURBED_POWERS = (2, 3, 4, 6, 9, 13)


def ray(direction: Sequence[Finite], weights: Sequence[int]) -> Arc:
    """u_i = direction[i] * t**weights[i]."""
    return Arc(tuple(((w, d),) if d != 0 else () for d, w in zip(direction, weights, strict=True)))


def along(jet: Polynomial, arc: Arc) -> Polynomial:
    """The polynomial in t that the jet is along the arc. Raises TooManyTerms, TooLarge, Undecided."""
    coordinates = [polynomial(1, [((k,), c) for k, c in terms]) for terms in arc.coefficients]
    return substituted(jet, coordinates, 1)


def substituted(
    jet: Polynomial,
    values: Sequence[Polynomial],
    variables: int,
    degree: int | None = None,
    clock: Clock | None = None,
) -> Polynomial:
    """The jet at polynomials in `variables` variables, up to a degree.

    Raises TooManyTerms, TooLarge, Undecided, and OutOfTime with a clock.
    """
    powers = [[constant(variables, Fraction(1))] for _ in values]
    total = Polynomial(variables, {})
    for exponents, coefficient in sorted(jet.terms.items()):
        term = constant(variables, coefficient)
        for place, k in enumerate(exponents):
            if clock is not None:
                clock.check()
            while len(powers[place]) <= k:
                powers[place].append(powers[place][-1].product(values[place], degree))
            if k:
                term = term.product(powers[place][k], degree)
        total = total + term
    return total if degree is None else total.truncated(degree)


def holds_along(system: System, arc: Arc) -> bool:
    """Whether it is proved that all conditions hold along the arc for all small t > 0."""
    try:
        if all(_holds(condition, arc) for condition in system.conditions):
            return True
    except (TooManyTerms, TooLarge, Undecided):
        return False
    if system.exact or system.check_arc is None:
        return False
    return system.check_arc(arc)


def in_the_set(system: System, arc: Arc) -> Arc | None:
    """The arc, or one that leaves it with a higher power of t, along which the system is proved to hold."""
    if holds_along(system, arc):
        return arc
    for power, sign_of_last in product(PERTURBED_POWERS, (1, -1)):
        extra = [Fraction(place + 1) * sign_of_last**place for place in range(len(arc.coefficients))]
        near = Arc(
            tuple(
                (*(t for t in terms if t[0] != power), (power, e))
                for terms, e in zip(arc.coefficients, extra, strict=True)
            )
        )
        if holds_along(system, near):
            return near
    return None


def _holds(condition: Condition, arc: Arc) -> bool:
    """False says that it was not proved."""
    series = along(condition.jet, arc)
    if series.is_zero:
        return condition.relation != ">" and condition.exact
    if condition.relation == "=" or not _known(condition, series.order, arc):
        return False
    return sign(series.terms[(series.order,)]) == 1


def _known(condition: Condition, power: int, arc: Arc) -> bool:
    if condition.exact:
        return True
    assert condition.degree is not None  # checked where the condition was made
    least = arc.least_power
    return least is None or power < least * (condition.degree + 1)
