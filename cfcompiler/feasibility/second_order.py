"""Arcs u = t*d + t**2*e by linear programming: a strict system in any number of variables to an arc that runs in it.

Where d.grad h = 0, the condition is h = t**2*(e.grad h + q(d)) + O(t**3) with the quadratic part q of h, which is
affine in e. For given d, with d.grad h >= 0 for all conditions, e is the solution of a linear program. The d that are
tried are a point inside the cone of all such d, and points on the way from it to others.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from cfcompiler.feasibility.arcs import holds_along
from cfcompiler.feasibility.conditions import Arc, Clock, Open, System, Touches
from cfcompiler.feasibility.directions import Direction, direction, point
from cfcompiler.numbers import Finite, sign
from cfcompiler.polynomials import plus, times

_Vector = tuple[Finite, ...]


def by_second_order(system: System, clock: Clock) -> Touches | Open:
    """An arc of degree 2. For strict systems; raises numbers.Undecided."""
    if any(c.relation != ">" for c in system.conditions):
        return Open("arcs of degree 2 are tried for strict systems")
    rows = [c.jet.gradient() for c in system.conditions]
    quadratic = [c.jet.part(2) for c in system.conditions]
    for d in _candidates(rows, system.variables, clock):
        level = [k for k, row in enumerate(rows) if sign(_dot(row, d)) == 0]
        affine = [(*rows[k], quadratic[k].value(d)) for k in level]
        found = point(affine, dimension=system.variables)
        if isinstance(found, Direction):
            arc = _arc(d, found.vector)
            if holds_along(system, arc):
                return Touches(arc, "an arc of degree 2 by linear programs", "certificate")
    return Open("no arc of degree 2 was found by linear programs")


def _candidates(rows: list[_Vector], n: int, clock: Clock) -> Iterator[_Vector]:
    """Vectors d with row.d >= 0 for all rows; row.d > 0 at the first of them wherever that is possible."""
    inner: _Vector = (Fraction(0),) * n
    for row in rows:
        if clock.over:
            return
        if sign(_dot(row, inner)) != 1:
            found = direction([row], rows, dimension=n)
            if isinstance(found, Direction):
                inner = _sum(inner, found.vector)
    yield inner
    for place in range(n):
        for side in (Fraction(1), Fraction(-1)):
            if clock.over:
                return
            unit = tuple(side if k == place else Fraction(0) for k in range(n))
            found = direction([unit], rows, dimension=n)
            if isinstance(found, Direction):
                yield _sum(inner, found.vector)


def _dot(a: _Vector, b: _Vector) -> Finite:
    total: Finite = Fraction(0)
    for x, y in zip(a, b, strict=True):
        total = plus(total, times(x, y))
    return total


def _sum(a: _Vector, b: _Vector) -> _Vector:
    return tuple(plus(x, y) for x, y in zip(a, b, strict=True))


def _arc(d: _Vector, e: _Vector) -> Arc:
    return Arc(
        tuple(
            tuple((power, x) for power, x in ((1, first), (2, second)) if sign(x) != 0)
            for first, second in zip(d, e, strict=True)
        )
    )
