"""All paths of a program over a region by Fourier-Motzkin elimination, from scratch: the second method of the tests.

A path is kept when its conditions have a common point, decided by eliminating one variable after another. Nothing is
shared with the lattice, and there are no vertices: what is found is the set of sign vectors and their dimensions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, TypeAlias

from cfcompiler.feasibility.lattice import Affine, Region

Condition: TypeAlias = tuple[tuple[Fraction, ...], str]  # constant first; "=", ">" or ">="
Path: TypeAlias = tuple[
    tuple[int, ...], tuple[tuple[Hashable, int], ...]
]  # halfspaces that are 0; guards and signs


def feasible(conditions: Sequence[Condition]) -> bool:
    """Whether the conditions have a common point."""
    rows = list(dict.fromkeys(conditions))
    while rows and len(rows[0][0]) > 1:
        rows = _eliminated(rows)
    return all(
        value == 0 if kind == "=" else value > 0 if kind == ">" else value >= 0 for (value,), kind in rows
    )


def _eliminated(rows: Sequence[Condition]) -> list[Condition]:
    """The same question without the last variable."""
    equation = next((row for row, kind in rows if kind == "=" and row[-1]), None)
    if equation is not None:
        return _distinct((_combined(row, 1, equation, -row[-1] / equation[-1]), kind) for row, kind in rows)
    free = [(row[:-1], kind) for row, kind in rows if not row[-1]]
    lower = [(row, kind) for row, kind in rows if row[-1] > 0]
    upper = [(row, kind) for row, kind in rows if row[-1] < 0]
    pairs = (
        (_combined(row, -other[-1], other, row[-1]), ">" if ">" in (kind, other_kind) else ">=")
        for (row, kind), (other, other_kind) in product(lower, upper)
    )
    return _distinct((*free, *pairs))


def _combined(row: Affine, weight: Any, other: Affine, other_weight: Any) -> tuple[Fraction, ...]:
    return tuple(weight * a + other_weight * b for a, b in zip(row[:-1], other[:-1], strict=True))


def _distinct(rows: Any) -> list[Condition]:
    """Each condition once, scaled by its first entry that is not 0."""
    found: dict[Condition, None] = {}
    for row, kind in rows:
        scale = next((abs(entry) for entry in row if entry), Fraction(1))
        found[(tuple(entry / scale for entry in row), kind)] = None
    return list(found)


def signed(function: Affine, sign: int) -> Condition:
    """The condition that the function has the sign."""
    exact = tuple(Fraction(entry) * (sign or 1) for entry in function)
    return exact, ">" if sign else "="


def dimension(size: int, conditions: Sequence[Condition]) -> int:
    """Of the solutions, where there are some and only equations and strict inequalities."""
    rows = [list(row[1:]) for row, kind in conditions if kind == "="]
    rank = 0
    for place in range(size):
        pivot = next((row for row in rows[rank:] if row[place]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        rows.insert(rank, pivot)
        for i, row in enumerate(rows):
            if i != rank and row[place]:
                rows[i] = [a - row[place] / pivot[place] * b for a, b in zip(row, pivot, strict=True)]
        rank += 1
    return size - rank


def paths(region: Region, walk: Any) -> dict[Path, tuple[int, tuple[Condition, ...]]]:
    """Every path that some point of the region takes, with the dimension of its stratum and its conditions."""
    found: dict[Path, tuple[int, tuple[Condition, ...]]] = {}
    for boundary, conditions in _faces(region):
        for signs, all_conditions in _walked(walk, walk.start, (), conditions):
            found[(boundary, signs)] = (dimension(region.dimension, all_conditions), all_conditions)
    return found


def _faces(region: Region) -> Iterator[tuple[tuple[int, ...], tuple[Condition, ...]]]:
    choices = [(1,) if halfspace.strict else (0, 1) for halfspace in region.halfspaces]
    for signs in product(*choices):
        pairs = list(zip(region.halfspaces, signs, strict=True))
        conditions = tuple(signed(halfspace.function, sign) for halfspace, sign in pairs)
        if feasible(conditions):
            yield tuple(place for place, sign in enumerate(signs) if not sign), conditions


def _walked(
    walk: Any, state: Any, signs: tuple[tuple[Hashable, int], ...], conditions: tuple[Condition, ...]
) -> Iterator[tuple[tuple[tuple[Hashable, int], ...], tuple[Condition, ...]]]:
    block = walk.block(state)
    if block is None:
        yield signs, conditions
        return
    for own in product((-1, 0, 1), repeat=len(block.names)):
        extended = (*conditions, *map(signed, block.functions, own))
        reached = walk.after(state, own)
        if reached is not None and feasible(extended):
            yield from _walked(walk, reached, (*signs, *zip(block.names, own, strict=True)), extended)
