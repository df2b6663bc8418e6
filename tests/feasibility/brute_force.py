"""References for the tests: slow, from the definitions, over Fractions, sharing no code with cfcompiler.feasibility."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

Point = tuple[Fraction, ...]


def solved(rows: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction] | None:
    """The unique solution of rows @ x = right; None where there is none or more than one."""
    size = len(rows[0]) if rows else 0
    left = [[*row, entry] for row, entry in zip(rows, right, strict=True)]
    for column in range(size):
        place = next((k for k in range(column, len(left)) if left[k][column]), None)
        if place is None:
            return None
        left[column], left[place] = left[place], left[column]
        pivot = left[column][column]
        left[column] = [x / pivot for x in left[column]]
        for k, row in enumerate(left):
            if k != column and row[column]:
                left[k] = [a - row[column] * b for a, b in zip(row, left[column], strict=True)]
    return None if any(row[-1] for row in left[size:]) else [row[-1] for row in left[:size]]


def dot(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def simplices(points: Sequence[Point]) -> Iterator[tuple[Point, ...]]:
    distinct = sorted(set(points))
    for size in range(1, len(points[0]) + 2):
        yield from combinations(distinct, size)


def is_member(target: Point, points: Sequence[Point]) -> bool:
    """Caratheodory: in the hull of affinely independent points, at most one more than the dimension."""
    for chosen in simplices(points):
        system = [*zip(*chosen, strict=True), (Fraction(1),) * len(chosen)]
        weights = solved(system, (*target, Fraction(1)))
        if weights is not None and min(weights) >= 0:
            return True
    return False


def extreme(points: Sequence[Point]) -> tuple[Point, ...]:
    distinct = sorted(set(points))
    if len(distinct) == 1:
        return tuple(distinct)
    return tuple(p for p in distinct if not is_member(p, [q for q in distinct if q != p]))


def shortest(points: Sequence[Point]) -> Point:
    """The shortest of the nearest points of affine hulls of simplices, where they lie inside."""
    found = []
    for chosen in simplices(points):
        size = len(chosen)
        system = [[dot(p, q) for q in chosen] + [Fraction(1)] for p in chosen]
        system.append([Fraction(1)] * size + [Fraction(0)])
        weights = solved(system, [Fraction(0)] * size + [Fraction(1)])
        if weights is not None and min(weights[:size]) >= 0:
            found.append(tuple(dot(weights[:size], column) for column in zip(*chosen, strict=True)))
    return min(found, key=lambda x: dot(x, x))


def vertices(base: Point, segments: Sequence[Point]) -> list[Point]:
    found = [base]
    for segment in segments:
        found += [tuple(a + b for a, b in zip(vertex, segment, strict=True)) for vertex in found]
    return found


def some_vector(source: random.Random, size: int, most: int) -> Point:
    """Small integers and halves, so that ties are frequent."""
    return tuple(Fraction(source.randint(-most, most), source.choice((1, 1, 2))) for _ in range(size))


def some_vectors(source: random.Random, count: int, size: int, most: int) -> list[Point]:
    return [some_vector(source, size, most) for _ in range(count)]
