"""Linear systems over the exact numbers: rank, a solution, the null space.

Fraction-free Gauss-Jordan elimination (Bareiss 1968): FLINT's over the integers, and over Z[g] where entries are
irrational (rings.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint

from cfcompiler.feasibility.rings import Element, Ring, Row, Vector, lifted
from cfcompiler.numbers import Finite

Rows = Sequence[Sequence[Finite]]
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Echelon:
    """A reduced echelon form: rows[i] has `denominator` at the column pivots[i], where the other rows vanish."""

    rows: tuple[Row, ...]
    pivots: tuple[int, ...]
    denominator: Element


def rank(rows: Rows) -> int:
    """The rank of rows of one length. Raises numbers.Undecided where a pivot is not proved to vanish or not."""
    _demand_one_length(rows)
    ring, over_ring, _ = lifted(rows)
    return len(echelon(ring, over_ring).pivots)


def independent(rows: Rows) -> bool:
    """Whether rows of one length are linearly independent; raises as `rank` does."""
    return rank(rows) == len(rows)


def solve(rows: Rows, right: Sequence[Finite]) -> Vector | None:
    """A solution of rows @ x = right, None where there is none; free coordinates are 0.

    Rows have one length; `right` has as many entries as there are rows, else ValueError. Without rows the solution is
    (). Raises as `rank` does.
    """
    _demand_one_length(rows)
    if len(rows) != len(right):
        raise ValueError(f"{len(rows)} rows and {len(right)} right sides")
    if not rows:
        return ()
    ring, over_ring, _ = lifted([(*row, entry) for row, entry in zip(rows, right, strict=True)])
    found = echelon(ring, over_ring)
    size = len(rows[0])
    if size in found.pivots:
        return None
    out: list[Finite] = [_ZERO] * size
    for row, pivot in zip(found.rows, found.pivots, strict=True):
        out[pivot] = ring.quotient(row[-1], found.denominator)
    return tuple(out)


def null_space(rows: Rows, n: int) -> tuple[Vector, ...]:
    """A basis of the x in R^n with rows @ x = 0; each has a 1 where the others have a 0. Raises as `rank` does."""
    if any(len(row) != n for row in rows):
        raise ValueError(f"rows must have length {n}")
    ring, over_ring, _ = lifted(rows)
    found = echelon(ring, over_ring)
    return tuple(_null_vector(ring, found, free, n) for free in range(n) if free not in found.pivots)


def _null_vector(ring: Ring, found: Echelon, free: int, n: int) -> Vector:
    out: list[Finite] = [_ZERO] * n
    out[free] = _ONE
    for row, pivot in zip(found.rows, found.pivots, strict=True):
        out[pivot] = ring.quotient(-row[free], found.denominator)
    return tuple(out)


def echelon(ring: Ring, rows: Sequence[Row]) -> Echelon:
    """The reduced echelon form over the ring, without its zero rows."""
    if not rows or not rows[0]:
        return Echelon((), (), 1)
    return _eliminated(ring, rows) if ring.generators else _integer_echelon(rows)


def _integer_echelon(rows: Sequence[Row]) -> Echelon:
    reduced, denominator, size = flint.fmpz_mat([list(row) for row in rows]).rref()
    found = [tuple(map(int, row)) for row in reduced.tolist()[:size]]
    return Echelon(
        tuple(found), tuple(next(k for k, x in enumerate(row) if x) for row in found), int(denominator)
    )


def _eliminated(ring: Ring, rows: Sequence[Row]) -> Echelon:
    left = [list(row) for row in rows]
    pivots: list[int] = []
    denominator: Element = 1
    for column in range(len(rows[0])):
        done = len(pivots)
        place = next((k for k in range(done, len(left)) if ring.sign(left[k][column])), None)
        if place is None:
            continue
        left[done], left[place] = left[place], left[done]
        row, pivot = left[done], left[done][column]
        left = [
            other
            if other is row
            else [(a * pivot - other[column] * b) // denominator for a, b in zip(other, row, strict=True)]
            for other in left
        ]
        denominator = pivot
        pivots.append(column)
    return Echelon(tuple(tuple(row) for row in left[: len(pivots)]), tuple(pivots), denominator)


def _demand_one_length(rows: Rows) -> None:
    if len({len(row) for row in rows}) > 1:
        raise ValueError("rows must have one length")
