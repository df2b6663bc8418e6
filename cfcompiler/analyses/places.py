"""Vector, hull of points -> where the vector lies: a convex combination, or a direction that separates it.

One number, and one point, need no linear program: two comparisons settle them, also for numbers of many digits or
long expressions. Source: separation of a point from a compact convex set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from typing import TypeAlias

from cfcompiler import numbers
from cfcompiler.analyses.limits import Vector
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.ball_sums import BallSum, separation
from cfcompiler.feasibility.hull import Combination, Separation, extreme_points, membership
from cfcompiler.feasibility.nearest import min_norm
from cfcompiler.feasibility.segments import SegmentSeparation, SegmentSum, as_vertices, segments_member
from cfcompiler.numbers import Finite, is_special

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Outside:
    """A vector is not in a hull: <direction, vector> = value > support = the largest value on the hull."""

    direction: Vector
    value: Finite
    support: Finite


@dataclass(frozen=True, slots=True)
class Inside:
    """A vector is the combination of points of a hull with these weights (those that are not 0)."""

    weights: Vector
    points: tuple[Vector, ...]


Place: TypeAlias = "Inside | Outside | None"


def order_of(x: Finite, y: Finite) -> int:
    """-1, 0 or 1. Raises Undecided."""
    code = numbers.compare(x, y)
    if code is None or code == "unordered":
        raise Undecided("which of two derivatives is larger could not be decided")
    return code


def place_of(target: Sequence[Finite], points: Sequence[Vector]) -> Place:
    """Where a vector lies with respect to a hull; None for the hull of nothing. Raises Undecided."""
    if not points:
        return None
    if len(points) == 1:
        return _beside_one(target, points[0])
    if len(target) == 1:
        return _in_interval(target[0], corners(points))
    found = membership(target, points)
    if isinstance(found, Separation):
        return Outside(found.direction, found.target_value, found.support_value)
    assert isinstance(found, Combination)
    kept = [(w, p) for w, p in zip(found.weights, points, strict=True) if w != 0]
    return Inside(tuple(w for w, _ in kept), tuple(p for _, p in kept))


def place_beyond(target: Sequence[Finite], around: Sequence[BallSum]) -> Outside | None:
    """That a vector is outside of the hull of these sets, where a direction shows it. Raises Undecided."""
    found = separation(target, around)
    return None if found is None else Outside(found.direction, found.target_value, found.support_value)


def place_in_sum(target: Vector, total: SegmentSum) -> Place:
    """Where a vector lies with respect to a sum of segments."""
    found = segments_member(target, total.base, total.segments)
    if isinstance(found, SegmentSeparation):
        return Outside(found.direction, found.target_value, found.support_value)
    return Inside(*as_vertices(found.coefficients, total.base, total.segments))


def _beside_one(target: Sequence[Finite], point: Vector) -> Place:
    for place, (wanted, own) in enumerate(zip(target, point, strict=True)):
        side = 0 if wanted == own else order_of(wanted, own)
        if side:
            direction = tuple(Fraction(side) if k == place else _ZERO for k in range(len(point)))
            return Outside(direction, _turned(wanted, side), _turned(own, side))
    return Inside((_ONE,), (point,))


def _turned(x: Finite, side: int) -> Finite:
    return x if side > 0 else -x


def _in_interval(x: Finite, ends: tuple[Vector, ...]) -> Place:
    if len(ends) == 1:
        return _beside_one((x,), ends[0])
    (low,), (high,) = ends
    if order_of(x, low) < 0:
        return Outside((-_ONE,), -x, -low)
    if order_of(x, high) > 0:
        return Outside((_ONE,), x, high)
    share = _real(numbers.div(numbers.sub(x, low), numbers.sub(high, low)))
    weights = (_real(numbers.sub(_ONE, share)), share)
    kept = [(w, p) for w, p in zip(weights, ends, strict=True) if w != 0]
    return Inside(tuple(w for w, _ in kept), tuple(p for _, p in kept))


def _real(x: numbers.Exact) -> Finite:
    if is_special(x):
        raise Undecided("a weight is not a number")
    return x


def corners(points: Sequence[Vector]) -> tuple[Vector, ...]:
    """The extreme points of the hull of at least one point, without repeats. Raises Undecided."""
    if len(points) == 1:
        return tuple(points)
    if len(points[0]) == 1:
        ordered = sorted(points, key=cmp_to_key(_by_value))
        ends = (ordered[0], ordered[-1])
        return ends if order_of(ends[0][0], ends[1][0]) else ends[:1]
    return extreme_points(points)


def _by_value(x: Vector, y: Vector) -> int:
    return order_of(x[0], y[0])


def shortest(ends: tuple[Vector, ...]) -> Vector:
    """The shortest vector of the hull of its extreme points. Raises Undecided."""
    if len(ends) == 1:
        return ends[0]
    if len(ends[0]) == 1:
        (low,), (high,) = ends
        if order_of(low, _ZERO) > 0:
            return ends[0]
        return ends[1] if order_of(high, _ZERO) < 0 else (_ZERO,)
    return min_norm(ends).point
