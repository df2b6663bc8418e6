"""base + [0,1] s_1 + ... + [0,1] s_k: membership and the shortest vector, without its 2**k vertices.

In a direction d the farthest vertex has the segments with <d, s> > 0; that is all that cones.py and nearest.py ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from itertools import pairwise

from cfcompiler.feasibility.cones import Column, Inside, cone
from cfcompiler.feasibility.nearest import Vertex, nearest
from cfcompiler.feasibility.rings import Element, Ring, Row, Vector, dot, homogeneous, lifted, primitive
from cfcompiler.numbers import Finite
from cfcompiler.polynomials import plus, times, vanishes

Segments = Sequence[Sequence[Finite]]
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class SegmentSum:
    """base + the sum of the segments from 0 to each of `segments`, vectors of one length."""

    base: Vector
    segments: tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class SegmentCombination:
    """target = base + sum of coefficients[k] * segments[k], with coefficients in [0, 1]."""

    coefficients: Vector


@dataclass(frozen=True, slots=True)
class SegmentSeparation:
    """<direction, target> = target_value > support_value = the largest <direction, x> on the sum of segments."""

    direction: Vector
    target_value: Finite
    support_value: Finite


@dataclass(frozen=True, slots=True)
class SegmentMinNorm:
    """point = base + sum of coefficients[k] * segments[k] is the shortest vector, with coefficients in [0, 1]."""

    point: Vector
    coefficients: Vector


def segments_member(
    target: Sequence[Finite], base: Sequence[Finite], segments: Segments
) -> SegmentCombination | SegmentSeparation:
    """Whether a target of length n lies in base + the sum of the segments from 0 to each of the n-vectors `segments`.

    Raises ValueError for other lengths, numbers.Undecided where a sign cannot be proved.
    """
    _demand_one_length((target, base, *segments))
    ring, (goal, *rows) = homogeneous((target, base, *segments))
    origin, sides = rows[0], [(*row[:-1], 0) for row in rows[1:]]

    def priced(normal: Row) -> Column[frozenset[int]] | None:
        chosen, vertex = _farthest(ring, normal, origin, sides)
        return (chosen, vertex) if ring.sign(dot(normal, vertex)) > 0 else None

    answer = cone(ring, goal, priced)
    found: SegmentCombination | SegmentSeparation
    if isinstance(answer, Inside):
        chosen = zip(answer.labels, answer.weights, strict=True)
        found = SegmentCombination(_coefficients(ring, chosen, answer.denominator, len(sides)))
    else:
        normal = primitive(answer.normal[:-1])
        _, vertex = _farthest(ring, normal, origin[:-1], [side[:-1] for side in sides])
        values = (ring.quotient(dot(normal, x), origin[-1]) for x in (goal, vertex))
        found = SegmentSeparation(tuple(ring.finite(x) for x in normal), *values)
    if not check(found, target, base, segments):
        raise AssertionError(f"a wrong certificate: {found}")
    return found


def as_vertices(
    coefficients: Vector, base: Sequence[Finite], segments: Segments
) -> tuple[Vector, tuple[Vector, ...]]:
    """A combination with coefficients in [0, 1], as a convex combination: (weights, vertices), at most k + 1 of them.

    The vertex number i has the segments whose coefficients are the i largest; the weights are the gaps between these.
    """

    def by_coefficient(i: int, j: int) -> int:
        return _order(coefficients[j], coefficients[i])

    places = sorted(range(len(segments)), key=cmp_to_key(by_coefficient))
    heights = [_ONE, *(coefficients[k] for k in places), _ZERO]
    weights: list[Finite] = []
    vertices: list[Vector] = []
    vertex: Vector = tuple(base)
    for count, (upper, lower) in enumerate(pairwise(heights)):
        if count:
            vertex = tuple(map(plus, vertex, segments[places[count - 1]]))
        gap = plus(upper, times(-_ONE, lower))
        if not vanishes(gap):
            weights.append(gap)
            vertices.append(vertex)
    return tuple(weights), tuple(vertices)


def _order(x: Finite, y: Finite) -> int:
    """-1, 0 or 1, as x is less than, equal to or greater than y."""
    return -1 if _larger(y, x) else int(_larger(x, y))


def segments_min_norm(base: Sequence[Finite], segments: Segments) -> SegmentMinNorm:
    """The shortest vector of base + the sum of the segments from 0 to each of `segments`.

    Raises as `segments_member` does.
    """
    _demand_one_length((base, *segments))
    ring, scaled = homogeneous((base, *segments))
    origin, *sides = (row[:-1] for row in scaled)

    def lowest(x: Row) -> Vertex[frozenset[int]]:
        return _farthest(ring, [-entry for entry in x], origin, sides)

    start: Vertex[frozenset[int]] = frozenset(), origin
    corral = nearest(ring, start, lowest)
    chosen = zip((label for label, _ in corral.vertices), corral.weights, strict=True)
    coefficients = _coefficients(ring, chosen, corral.denominator, len(sides))
    below = corral.denominator * scaled[0][-1]
    found = SegmentMinNorm(tuple(ring.quotient(x, below) for x in corral.point), coefficients)
    if not check_min_norm(found, base, segments):
        raise AssertionError(f"a wrong certificate: {found}")
    return found


def check(
    found: SegmentCombination | SegmentSeparation,
    target: Sequence[Finite],
    base: Sequence[Finite],
    segments: Segments,
) -> bool:
    """Whether a certificate of membership holds, by its definition."""
    if isinstance(found, SegmentCombination):
        return _combines(found.coefficients, target, base, segments)
    if len(found.direction) != len(base):
        return False
    shifted = [
        (-found.target_value, *target),
        (-found.support_value, *base),
        *((_ZERO, *s) for s in segments),
    ]
    ring, rows = homogeneous(((_ONE, *found.direction), *shifted))
    normal, goal, origin, *sides = (row[:-1] for row in rows)
    _, vertex = _farthest(ring, normal, origin, sides)
    larger = _larger(found.target_value, found.support_value)
    return larger and not ring.sign(dot(normal, goal)) and not ring.sign(dot(normal, vertex))


def check_min_norm(found: SegmentMinNorm, base: Sequence[Finite], segments: Segments) -> bool:
    """Whether the point is that combination, and <point, v> >= <point, point> for every vertex v."""
    if len(found.point) != len(base) or not _combines(found.coefficients, found.point, base, segments):
        return False
    ring, rows = homogeneous((found.point, base, *segments))
    point, origin, *sides = (row[:-1] for row in rows)
    _, vertex = _farthest(ring, [-x for x in point], origin, sides)
    return ring.sign(dot(point, vertex) - dot(point, point)) >= 0


def _larger(x: Finite, y: Finite) -> bool:
    ring, (row,), _ = lifted([(x, y)])
    return ring.sign(row[0] - row[1]) > 0


def _combines(
    coefficients: Vector, target: Sequence[Finite], base: Sequence[Finite], segments: Segments
) -> bool:
    if len(coefficients) != len(segments):
        return False
    columns = zip(target, base, *segments, strict=True)
    ring, (weights, *rows), _ = lifted(((-_ONE, _ONE, *coefficients), *columns))
    one, *inner = weights[1:]
    bounded = all(ring.sign(x) >= 0 and ring.sign(one - x) >= 0 for x in inner)
    return bounded and not any(ring.sign(dot(weights, row)) for row in rows)


def _farthest(
    ring: Ring, normal: Sequence[Element], origin: Row, sides: Sequence[Row]
) -> tuple[frozenset[int], Row]:
    """The vertex with the largest product with a direction: the segments it has, and itself."""
    chosen = frozenset(k for k, side in enumerate(sides) if ring.sign(dot(normal, side)) > 0)
    return chosen, tuple(map(sum, zip(origin, *(sides[k] for k in sorted(chosen)), strict=True)))


def _coefficients(
    ring: Ring, chosen: Iterable[tuple[frozenset[int], Element]], denominator: Element, count: int
) -> Vector:
    totals: list[Element] = [0] * count
    for label, weight in chosen:
        for k in label:
            totals[k] += weight
    return tuple(ring.quotient(x, denominator) for x in totals)


def _demand_one_length(vectors: Segments) -> None:
    if len({len(vector) for vector in vectors}) > 1:
        raise ValueError("vectors must have one length")
