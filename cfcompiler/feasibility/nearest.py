"""Points -> the shortest vector of their hull, exactly.

The algorithm of Wolfe 1976 (Finding the nearest point in a polytope) in exact arithmetic. Its corrals are affinely
independent sets of vertices whose affine hull is nearest to 0 in the relative interior of their hull; the distance
strictly decreases from one to the next, so none returns and it ends. Vertices are asked for, not listed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeAlias, TypeVar

from cfcompiler.feasibility.linear import echelon
from cfcompiler.feasibility.rings import Element, Ring, Row, Vector, dot, homogeneous, lifted, primitive
from cfcompiler.numbers import Finite

Label = TypeVar("Label")
# A vertex and its name.
Vertex: TypeAlias = tuple[Label, Row]
# The vertex with the least inner product with its argument.
Lowest: TypeAlias = Callable[[Row], Vertex[Label]]

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class MinNorm:
    """point = sum of weights[i] * points[i], weights >= 0 of sum 1, and <point, p> >= <point, point> for every p."""

    point: Vector
    weights: Vector


@dataclass(frozen=True, slots=True)
class Corral(Generic[Label]):
    """Vertices and their weights, times a positive denominator, which is the sum of `weights`."""

    vertices: tuple[Vertex[Label], ...]
    weights: Row
    denominator: Element

    @property
    def point(self) -> Row:
        """The combination, times the denominator."""
        return tuple(
            dot(self.weights, column) for column in zip(*(row for _, row in self.vertices), strict=True)
        )


def min_norm(points: Sequence[Sequence[Finite]]) -> MinNorm:
    """The shortest vector of the hull of points of one length, of which there is at least one.

    Raises ValueError for no points or several lengths, numbers.Undecided where a sign cannot be proved.
    """
    if not points or len({len(point) for point in points}) > 1:
        raise ValueError("points must have one length, and there must be one")
    ring, scaled = homogeneous(points)
    rows = [row[:-1] for row in scaled]
    corral = nearest(ring, (0, rows[0]), _lowest(ring, rows))
    weights: list[Finite] = [_ZERO] * len(points)
    for (place, _), weight in zip(corral.vertices, corral.weights, strict=True):
        weights[place] = ring.quotient(weight, corral.denominator)
    below = corral.denominator * scaled[0][-1]
    found = MinNorm(tuple(ring.quotient(x, below) for x in corral.point), tuple(weights))
    if not check(found, points):
        raise AssertionError(f"a wrong certificate: {found}")
    return found


def check(found: MinNorm, points: Sequence[Sequence[Finite]]) -> bool:
    """Whether the point is the combination with these weights, and the shortest, by the optimality condition."""
    if len(found.weights) != len(points):
        return False
    columns = [*zip(found.point, *points, strict=True), (_ONE,) * (len(points) + 1)]
    ring, (weights, *rows), _ = lifted(((-_ONE, *found.weights), *columns))
    if any(ring.sign(x) < 0 for x in weights[1:]) or any(ring.sign(dot(weights, row)) for row in rows):
        return False
    return shortest(found.point, points)


def shortest(x: Vector, points: Sequence[Sequence[Finite]]) -> bool:
    """Whether <x, p> >= <x, x> for every p."""
    ring, (row, *rows) = homogeneous((x, *points))
    own = dot(row[:-1], row[:-1])
    return all(ring.sign(dot(row[:-1], other[:-1]) - own) >= 0 for other in rows)


def _lowest(ring: Ring, rows: Sequence[Row]) -> Lowest[int]:
    def lowest(x: Row) -> Vertex[int]:
        products = [dot(x, row) for row in rows]
        best = 0
        for place, product in enumerate(products):
            if ring.sign(product - products[best]) < 0:
                best = place
        return best, rows[best]

    return lowest


def nearest(ring: Ring, start: Vertex[Label], lowest: Lowest[Label]) -> Corral[Label]:
    """The corral of the point nearest to 0 in the hull of the vertices that `lowest` returns, one of them `start`."""
    corral = Corral((start,), (1,), 1)
    while True:
        point = corral.point
        vertex = lowest(point)
        if ring.sign(dot(point, point) - corral.denominator * dot(point, vertex[1])) <= 0:
            return corral
        corral = _next(ring, Corral((*corral.vertices, vertex), (*corral.weights, 0), corral.denominator))


def _next(ring: Ring, corral: Corral[Label]) -> Corral[Label]:
    """Moves towards the nearest point of the affine hull and drops vertices until that point is inside."""
    while True:
        goal, below = _affine_minimiser(ring, [row for _, row in corral.vertices])
        if all(ring.sign(x) > 0 for x in goal):
            return Corral(corral.vertices, goal, below)
        corral = _shortened(ring, corral, goal, below)


def _shortened(ring: Ring, corral: Corral[Label], goal: Row, below: Element) -> Corral[Label]:
    """Goes as far towards the goal as the weights stay nonnegative, and drops those that vanish there."""
    old = [x * below for x in corral.weights]
    new = [x * corral.denominator for x in goal]
    over, under = 1, 1
    for x, y in zip(old, new, strict=True):
        if ring.sign(y) <= 0 and ring.sign(x * under - over * (x - y)) <= 0:
            over, under = x, x - y
    moved = [(under - over) * x + over * y for x, y in zip(old, new, strict=True)]
    kept = [k for k, x in enumerate(moved) if ring.sign(x)]
    weights = primitive([moved[k] for k in kept])
    return Corral(tuple(corral.vertices[k] for k in kept), tuple(weights), sum(weights))


def _affine_minimiser(ring: Ring, rows: Sequence[Row]) -> tuple[Row, Element]:
    """Weights, times a positive denominator, of the shortest vector in the affine hull of affinely independent rows."""
    first, *others = rows
    sides = [tuple(a - b for a, b in zip(row, first, strict=True)) for row in others]
    system = [(*(dot(x, y) for y in sides), -dot(x, first)) for x in sides]
    solved = echelon(ring, system)
    if len(solved.rows) != len(sides):
        raise AssertionError("the vertices of a corral are affinely dependent")
    sign = ring.sign(solved.denominator)
    below = sign * solved.denominator
    weights = [sign * row[-1] for row in solved.rows]
    return (below - sum(weights), *weights), below
