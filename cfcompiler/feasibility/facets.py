"""The hull of few points as equations and inequalities: its affine hull and its facets.

A facet of a hull of dimension k holds k affinely independent points, whose hyperplane has all points on one side: every
set of k points is tried, which is right and quick for the few points of small dimension that are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb

from cfcompiler import numbers
from cfcompiler.feasibility.linear import echelon, null_space
from cfcompiler.feasibility.rings import Vector, lifted
from cfcompiler.numbers import Finite, Undecided
from cfcompiler.polynomials import plus, times

MOST_SETS = 4000
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Face:
    """<normal, x> + offset, which is 0 or >= 0 on the hull."""

    normal: Vector
    offset: Finite


@dataclass(frozen=True, slots=True)
class Faces:
    """x is in the hull where all of `equations` are 0 and all of `inequalities` are >= 0."""

    equations: tuple[Face, ...]
    inequalities: tuple[Face, ...]


def faces(points: Sequence[Vector]) -> Faces | None:
    """The faces of the hull of distinct points of one length; None where there may be too many.

    Raises ValueError for no points, numbers.Undecided where a sign cannot be proved.
    """
    if not points:
        raise ValueError("the hull of no points has no faces")
    first, n = points[0], len(points[0])
    directions = [_minus(point, first) for point in points[1:]]
    equations = tuple(Face(u, times(-_ONE, _dot(u, first))) for u in null_space(directions, n))
    ring, rows, _ = lifted(directions)
    axes = echelon(ring, rows).pivots  # the hull is projected one to one onto these coordinates
    if comb(len(points), len(axes)) > MOST_SETS:
        return None
    projected = [tuple(point[axis] for axis in axes) for point in points]
    found: dict[Face, None] = {}
    for chosen in combinations(projected, len(axes)) if axes else ():
        face = _supporting(chosen, projected)
        if face is not None:
            found[_widened(face, axes, n)] = None
    return Faces(equations, tuple(found))


def _supporting(chosen: Sequence[Vector], points: Sequence[Vector]) -> Face | None:
    """The hyperplane through some points, turned so that no point is below it."""
    planes = null_space([(*point, _ONE) for point in chosen], len(points[0]) + 1)
    if len(planes) != 1:
        return None
    *normal, offset = planes[0]
    signs = {_sign(plus(_dot(normal, point), offset)) for point in points}
    if {-1, 1} <= signs:
        return None
    side = -_ONE if -1 in signs else _ONE
    scale = side / next((abs(x) for x in normal if isinstance(x, Fraction) and x), _ONE)
    return Face(tuple(times(scale, x) for x in normal), times(scale, offset))


def _widened(face: Face, axes: Sequence[int], n: int) -> Face:
    normal: list[Finite] = [_ZERO] * n
    for axis, entry in zip(axes, face.normal, strict=True):
        normal[axis] = entry
    return Face(tuple(normal), face.offset)


def _sign(x: Finite) -> int:
    found = numbers.sign(x)
    if found is None:
        raise Undecided("on which side of a hyperplane a point lies could not be decided")
    return found


def _minus(x: Vector, y: Vector) -> Vector:
    return tuple(plus(a, times(-_ONE, b)) for a, b in zip(x, y, strict=True))


def _dot(x: Sequence[Finite], y: Sequence[Finite]) -> Finite:
    total: Finite = _ZERO
    for a, b in zip(x, y, strict=True):
        total = plus(total, times(a, b))
    return total
