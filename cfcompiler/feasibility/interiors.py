"""Polyhedral cone -> a vector in its relative interior, and the inequalities that are equations on all of it.

A weak inequality either holds strictly somewhere in the cone or is an equation on it; the sum of a vector for each of
the former is in the relative interior, since the cone is convex. Source: Rockafellar, Convex Analysis, Theorem 6.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cfcompiler.feasibility.directions import Direction, Rows, direction
from cfcompiler.feasibility.linear import rank
from cfcompiler.feasibility.rings import Vector, dot, lifted
from cfcompiler.polynomials import plus

_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Interior:
    """A vector of the relative interior, and the places of the weak rows that vanish on the whole cone."""

    vector: Vector
    vanishing: tuple[int, ...]


def relative_interior(strict: Rows, weak: Rows, equal: Rows, *, dimension: int) -> Interior | None:
    """Of the v with rows * v > 0, >= 0 and = 0; None where there is none.

    Rows have length `dimension`. Raises ValueError for other lengths, numbers.Undecided where a sign is not proved.
    """
    total: Vector = (_ZERO,) * dimension
    if strict:
        found = direction(strict, weak, equal, dimension=dimension)
        if not isinstance(found, Direction):
            return None
        total = found.vector
    level = list(range(len(weak)))
    vanishing: list[int] = []
    while level := [place for place in _level(weak, total, level) if place not in vanishing]:
        found = direction((weak[level[0]],), (*strict, *weak), equal, dimension=dimension)
        if isinstance(found, Direction):
            total = tuple(map(plus, total, found.vector))
        else:
            vanishing.append(level[0])
    return Interior(total, tuple(vanishing))


def _level(rows: Rows, vector: Vector, places: Sequence[int]) -> list[int]:
    """The places of the rows that vanish at the vector."""
    ring, (over_ring, *lifted_rows), _ = lifted((vector, *(rows[place] for place in places)))
    return [
        place for place, row in zip(places, lifted_rows, strict=True) if ring.sign(dot(row, over_ring)) == 0
    ]


def is_zero_alone(strict: Rows, weak: Rows, equal: Rows, inner: Interior) -> bool:
    """Whether the cone with this interior holds no vector but 0."""
    dimension = len(inner.vector)
    if strict or len(inner.vanishing) < len(weak):
        return False
    return dimension == 0 or (bool(weak or equal) and rank((*weak, *equal)) == dimension)
