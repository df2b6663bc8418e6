"""Strict and weak linear inequalities -> a vector that satisfies them, or multipliers that show there is none.

Motzkin's transposition theorem (1936): either some v has <a, v> > 0 for the strict rows a, >= 0 for the weak and = 0
for the equal ones, or some combination of the rows is 0 with weights >= 0 on the strict and weak rows, not all 0 on the
strict ones. Whichever is found (by cones.py) is checked against the definition before it is returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

from cfcompiler.feasibility.cones import Inside, cone, steepest
from cfcompiler.feasibility.rings import Vector, dot, lifted, primitive
from cfcompiler.numbers import Finite, to_float
from cfcompiler.polynomials import times

Rows = Sequence[Sequence[Finite]]
ROUNDED_TO = (1, 16, 10**6)
_ONE, _ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Direction:
    """A vector, or for affine systems a point, that satisfies the system."""

    vector: Vector


@dataclass(frozen=True, slots=True)
class Multipliers:
    """Weights of the rows whose combination is 0: nonnegative on `strict` (not all 0) and `weak`, free on `equal`.

    For affine systems the combination is the constant -c <= 0, and where c = 0 the strict weights are not all 0.
    """

    strict: Vector
    weak: Vector
    equal: Vector


def direction(
    strict: Rows, weak: Rows = (), equal: Rows = (), *, dimension: int, start: Sequence[Finite] | None = None
) -> Direction | Multipliers:
    """A vector of length `dimension`: rows times it > 0, >= 0 and = 0; `start` itself where it does.

    Rows have length `dimension`. Without `start`, the vector found has integers without a common factor where all rows
    are rational. Raises ValueError for rows of another length, numbers.Undecided where a sign cannot be proved.
    """
    _demand_lengths((*strict, *weak, *equal, *([] if start is None else [start])), dimension)
    if start is not None and check(Direction(tuple(start)), strict, weak, equal):
        return Direction(tuple(start))
    if not strict:
        return Direction((_ZERO,) * dimension)
    found = _decided(strict, weak, equal)
    if not check(found, strict, weak, equal):
        raise AssertionError(f"a wrong certificate: {found}")
    return found


def point(strict: Rows, weak: Rows = (), equal: Rows = (), *, dimension: int) -> Direction | Multipliers:
    """A point x of length `dimension` with row . (x, 1) > 0, >= 0 and = 0.

    Rows have length `dimension` + 1; their last entry is the constant. Raises as `direction` does.
    """
    _demand_lengths((*strict, *weak, *equal), dimension + 1)
    homogeneous = _decided(((*((_ZERO,) * dimension), _ONE), *strict), weak, equal)
    found: Direction | Multipliers
    if isinstance(homogeneous, Direction):
        ring, ((*coordinates, last),), _ = lifted([homogeneous.vector])
        found = Direction(tuple(ring.quotient(x, last) for x in coordinates))
    else:
        found = Multipliers(homogeneous.strict[1:], homogeneous.weak, homogeneous.equal)
    if not check(found, strict, weak, equal, affine=True):
        raise AssertionError(f"a wrong certificate: {found}")
    return found


def check(
    found: Direction | Multipliers, strict: Rows, weak: Rows = (), equal: Rows = (), *, affine: bool = False
) -> bool:
    """Whether what was found solves the system, or refutes it, by the definition; `affine`: for the rows of `point`."""
    if isinstance(found, Direction):
        vector = (*found.vector, _ONE) if affine else found.vector
        return _satisfies(vector, strict, weak, equal)
    return _refutes(found, strict, weak, equal, affine)


def _satisfies(vector: Sequence[Finite], strict: Rows, weak: Rows, equal: Rows) -> bool:
    ring, (lifted_vector, *rows), _ = lifted((vector, *strict, *weak, *equal))
    signs = [ring.sign(dot(row, lifted_vector)) for row in rows]
    weak_end = len(strict) + len(weak)
    return (
        all(sign > 0 for sign in signs[: len(strict)])
        and all(sign >= 0 for sign in signs[len(strict) : weak_end])
        and all(sign == 0 for sign in signs[weak_end:])
    )


def _refutes(found: Multipliers, strict: Rows, weak: Rows, equal: Rows, affine: bool) -> bool:
    if (len(found.strict), len(found.weak), len(found.equal)) != (len(strict), len(weak), len(equal)):
        return False
    weights = (*found.strict, *found.weak, *found.equal)
    ring, (lifted_weights, *columns), _ = lifted((weights, *zip(*strict, *weak, *equal, strict=True)))
    signs = [ring.sign(weight) for weight in lifted_weights]
    totals = [ring.sign(dot(column, lifted_weights)) for column in columns]
    constant = totals.pop() if affine and totals else 0
    if any(totals) or any(sign < 0 for sign in signs[: len(strict) + len(weak)]) or constant > 0:
        return False
    return constant < 0 or any(signs[: len(strict)])


def _decided(strict: Rows, weak: Rows, equal: Rows) -> Direction | Multipliers:
    """For at least one strict row: is (0, ..., 0, 1) a combination of (a, 1), (b, 0), +(c, 0) and -(c, 0)?"""
    ring, rows, scales = lifted((*strict, *weak, *equal))
    weak_end = len(strict) + len(weak)
    columns = [(*row, int(place < len(strict))) for place, row in enumerate(rows)]
    columns += [tuple(-x for x in column) for column in columns[weak_end:]]
    target = (*((0,) * len(rows[0])), 1)
    found = cone(ring, target, steepest(ring, columns))
    if not isinstance(found, Inside):
        vector = tuple(ring.finite(x) for x in primitive([-x for x in found.normal[:-1]]))
        return Direction(_rounded(vector, strict, weak, equal))
    weights: list[Finite] = [_ZERO] * len(rows)
    for place, weight in zip(found.labels, primitive(found.weights), strict=True):
        row = place if place < len(rows) else place - (len(rows) - weak_end)
        weights[row] = times(ring.finite(weight if row == place else -weight), scales[row])
    return Multipliers(
        tuple(weights[: len(strict)]), tuple(weights[len(strict) : weak_end]), tuple(weights[weak_end:])
    )


def _rounded(vector: Vector, strict: Rows, weak: Rows, equal: Rows) -> Vector:
    """Integers near a multiple of an irrational vector, where they satisfy the system too: they are easier to use."""
    if all(isinstance(x, Fraction) for x in vector):
        return vector
    floats = [to_float(x) for x in vector]
    size = max(map(abs, floats))
    if not isfinite(size):
        return vector
    for scale in ROUNDED_TO:
        near = tuple(Fraction(round(x / size * scale)) for x in floats)
        if _satisfies(near, strict, weak, equal):
            return near
    return vector


def _demand_lengths(rows: Rows, length: int) -> None:
    if any(len(row) != length for row in rows):
        raise ValueError(f"rows must have length {length}")
