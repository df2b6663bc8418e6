"""Convex hulls of finitely many points: membership, extreme points, the shortest vector.

Membership is a question to cones.py. Extreme points are found by such questions, each of which drops a point or finds a
new extreme one (Clarkson 1994), in the plane by Andrew's monotone chain (1979); the shortest vector by Wolfe's algorithm
(1976, nearest.py). Certificates are checked against their definition before they are returned. Sums of segments are in
segments.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key, partial

from cfcompiler.feasibility.cones import Inside, Outside, cone, steepest
from cfcompiler.feasibility.nearest import MinNorm, min_norm
from cfcompiler.feasibility.rings import Element, Ring, Row, Vector, dot, homogeneous, lifted, primitive
from cfcompiler.feasibility.segments import (
    SegmentCombination,
    SegmentSeparation,
    segments_member,
    segments_min_norm,
)
from cfcompiler.numbers import Finite

__all__ = [
    "Combination",
    "MinNorm",
    "SegmentCombination",
    "SegmentSeparation",
    "Separation",
    "check",
    "extreme_points",
    "membership",
    "min_norm",
    "segments_member",
    "segments_min_norm",
]

Points = Sequence[Sequence[Finite]]
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Combination:
    """target = sum of weights[i] * points[i], with weights >= 0 of sum 1."""

    weights: Vector


@dataclass(frozen=True, slots=True)
class Separation:
    """<direction, target> = target_value > support_value = the largest <direction, points[i]>."""

    direction: Vector
    target_value: Finite
    support_value: Finite


def membership(target: Sequence[Finite], points: Points) -> Combination | Separation:
    """Whether a target of length n is in the hull of points of length n, of which there is at least one.

    Raises ValueError for no points or other lengths, numbers.Undecided where a sign cannot be proved.
    """
    _demand_points((target, *points))
    if not points:
        raise ValueError("the hull of no points is empty: nothing separates it")
    ring, (goal, *rows) = homogeneous((target, *points))
    answer = cone(ring, goal, steepest(ring, rows))
    found = (
        _combination(ring, answer, len(rows))
        if isinstance(answer, Inside)
        else _separation(ring, answer, goal, rows)
    )
    if not check(found, target, points):
        raise AssertionError(f"a wrong certificate: {found}")
    return found


def _combination(ring: Ring, answer: Inside[int], count: int) -> Combination:
    weights: list[Finite] = [_ZERO] * count
    for place, weight in zip(answer.labels, answer.weights, strict=True):
        weights[place] = ring.quotient(weight, answer.denominator)
    return Combination(tuple(weights))


def _separation(ring: Ring, answer: Outside, goal: Row, rows: Sequence[Row]) -> Separation:
    normal = primitive(answer.normal[:-1])
    values = [dot(normal, row) for row in rows]
    most = values[0]
    for value in values[1:]:
        if ring.sign(value - most) > 0:
            most = value
    direction = tuple(ring.finite(x) for x in normal)
    return Separation(direction, ring.quotient(dot(normal, goal), goal[-1]), ring.quotient(most, goal[-1]))


def check(found: Combination | Separation, target: Sequence[Finite], points: Points) -> bool:
    """Whether a certificate of membership holds, by its definition."""
    if isinstance(found, Combination):
        return _combines(found.weights, target, points)
    return _separates(found, target, points)


def _combines(weights: Vector, target: Sequence[Finite], points: Points) -> bool:
    if len(weights) != len(points):
        return False
    one = Fraction(1)
    coordinates = [*zip(target, *points, strict=True), (one,) * (len(points) + 1)]
    ring, (goal, *columns), _ = lifted(((-one, *weights), *coordinates))
    return all(ring.sign(x) >= 0 for x in goal[1:]) and not any(ring.sign(dot(goal, c)) for c in columns)


def _separates(found: Separation, target: Sequence[Finite], points: Points) -> bool:
    one = Fraction(1)
    rows = [(-found.target_value, *target), *((-found.support_value, *p) for p in points)]
    ends = (found.target_value, -found.support_value)
    ring, (normal, gap, *products), _ = lifted(((one, *found.direction), ends, *rows))
    at_target, *signs = (ring.sign(dot(normal, row)) for row in products)
    return at_target == 0 and max(signs, default=-1) == 0 and ring.sign(sum(gap)) > 0


def extreme_points(points: Points) -> tuple[Vector, ...]:
    """The extreme points of the hull of points of one length, sorted, without repeats; none of no points.

    Raises ValueError for points of several lengths, numbers.Undecided where a sign cannot be proved.
    """
    _demand_points(points)
    ring, rows = homogeneous(points)
    in_order = cmp_to_key(partial(_lexicographic, ring)) if ring.generators else tuple[Element, ...]
    order = sorted(range(len(rows)), key=lambda k: in_order(rows[k]))
    distinct = [k for n, k in enumerate(order) if not n or _lexicographic(ring, rows[order[n - 1]], rows[k])]
    kept = _extreme(ring, [rows[k] for k in distinct])
    return tuple(tuple(points[k]) for n, k in enumerate(distinct) if n in kept)


def _lexicographic(ring: Ring, x: Row, y: Row) -> int:
    for a, b in zip(x, y, strict=True):
        order = ring.sign(a - b)
        if order:
            return order
    return 0


def _extreme(ring: Ring, rows: Sequence[Row]) -> set[int]:
    """The places of the extreme ones among distinct rows, sorted lexicographically."""
    if len(rows) <= 2:
        return set(range(len(rows)))
    if len(rows[0]) == 3:
        return {*_chain(ring, rows, 1), *_chain(ring, rows, -1)}
    total = tuple(map(sum, zip(*rows, strict=True)))
    kept = {0, len(rows) - 1}
    for row in rows:  # away from the centre: finds most extreme points without an LP
        kept.add(_last_maximiser(ring, [len(rows) * x - y for x, y in zip(row, total, strict=True)], rows))
    for place, row in enumerate(rows):
        while place not in kept:
            known = sorted(kept)
            answer = cone(ring, row, steepest(ring, [rows[k] for k in known]))
            if isinstance(answer, Inside):
                break
            kept.add(_last_maximiser(ring, answer.normal, rows))
    return kept


def _chain(ring: Ring, rows: Sequence[Row], side: int) -> list[int]:
    """The lower (side 1) or upper (-1) boundary of points (x, y, scale) of the plane, from the first to the last."""
    chain: list[int] = []
    for place, (x, y, _) in enumerate(rows):
        while len(chain) > 1:
            (a, b, _), (c, d, _) = rows[chain[-2]], rows[chain[-1]]
            if ring.sign((c - a) * (y - b) - (d - b) * (x - a)) * side > 0:
                break
            chain.pop()
        chain.append(place)
    return chain


def _last_maximiser(ring: Ring, direction: Sequence[Element], rows: Sequence[Row]) -> int:
    """Of the rows farthest in a direction, which span a face, the lexicographically largest: an extreme point."""
    values = [dot(direction, row) for row in rows]
    if not ring.generators:
        return len(values) - 1 - values[::-1].index(max(values))
    best, most = 0, values[0]
    for place, value in enumerate(values):
        if ring.sign(value - most) >= 0:
            best, most = place, value
    return best


def _demand_points(points: Points) -> None:
    if len({len(point) for point in points}) > 1:
        raise ValueError("points must have one length")
