"""Hulls of finitely many rational points, by one exact linear program: the simplex method with Bland's rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from flint import fmpq

Vector = tuple[Fraction, ...]


def in_hull(point: Sequence[Fraction], points: Iterable[Sequence[Fraction]]) -> bool:
    """Is `point` a convex combination of `points`?"""
    columns = [[_number(entry) for entry in column] + [fmpq(1)] for column in points]
    target = [_number(entry) for entry in point] + [fmpq(1)]
    if target in columns:
        return True
    return bool(columns) and _feasible(columns, target)


def open_cone(normals: Iterable[Sequence[Fraction]]) -> bool:
    """Is there a direction d with <z, d> > 0 for all normals z? By Gordan: unless 0 is in their hull."""
    rows = [tuple(row) for row in normals]
    return not rows or not in_hull((Fraction(0),) * len(rows[0]), rows)


def extreme(points: Iterable[Vector]) -> set[Vector]:
    """The extreme points of the hull."""
    kept = list(dict.fromkeys(points))
    return {point for point in kept if not in_hull(point, [other for other in kept if other != point])}


def _number(value: Fraction | fmpq) -> fmpq:
    return value if isinstance(value, fmpq) else fmpq(value.numerator, value.denominator)


def _feasible(columns: Sequence[Sequence[fmpq]], target: Sequence[fmpq]) -> bool:
    """Is target = sum of weights times columns, with weights >= 0?"""
    height, width = len(target), len(columns)
    rows = []
    for i in range(height):
        flip = -1 if target[i] < 0 else 1
        rows.append([flip * column[i] for column in columns] + [flip * target[i]])
    # The costs of the artificial basis: what is left to explain, by column.
    costs = [sum((row[j] for row in rows), fmpq(0)) for j in range(width + 1)]
    basis = list(range(width, width + height))
    while costs[-1] > 0:
        entering = next((j for j in range(width) if costs[j] > 0), None)
        if entering is None:
            return False
        ratios = [(row[-1] / row[entering], basis[i], i) for i, row in enumerate(rows) if row[entering] > 0]
        if not ratios:
            raise ArithmeticError("phase one is bounded below by 0")
        _, _, leaving = min(ratios)
        _pivot(rows, costs, leaving, entering)
        basis[leaving] = entering
    return True


def _pivot(rows: list[list[fmpq]], costs: list[fmpq], leaving: int, entering: int) -> None:
    pivot = rows[leaving][entering]
    rows[leaving] = [entry / pivot for entry in rows[leaving]]
    for row in (*(row for i, row in enumerate(rows) if i != leaving), costs):
        factor = row[entering]
        if factor != 0:
            row[:] = [entry - factor * top for entry, top in zip(row, rows[leaving], strict=True)]
