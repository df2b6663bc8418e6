"""Strata and faces of a stratification: what they are, a point in each, what touches them.

Both are relatively open convex polyhedra with `vertices` (all extreme points of the closure, perhaps more of its
points; of an unbounded one some are far, see lattice.py) and `conditions`, the signs of affine functions that say what
it is. Witness, equations and inequalities are computed from these when they are asked for, in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd
from operator import mul
from typing import Generic, TypeAlias, TypeVar

from cfcompiler.feasibility.lattice import Cuts, Integers

State = TypeVar("State", bound=Hashable)

# What was answered: earlier answers, guards, their signs; and answers of a stratum, those of a group at a time.
Steps: TypeAlias = "tuple[Steps, tuple[Hashable, ...], tuple[int, ...]] | None"
Trail: TypeAlias = "tuple[Trail, Steps] | None"


@dataclass(frozen=True, slots=True)
class Vertex:
    """The point finite[1:] / finite[0], or with M larger than every number (finite[1:] + far * M) / finite[0]."""

    finite: Integers
    far: Integers | None


@dataclass(frozen=True, slots=True)
class Face:
    """A cell of the complex. Indices: `stratum` it is part of, `cells` those full-dimensional strata whose closure
    contains it (itself, where it is one), `facets` and `cofaces` the faces one dimension lower and higher at it.
    `edge`: on the boundary of a full-dimensional set outside of the domain."""

    index: int
    dimension: int
    stratum: int
    cells: tuple[int, ...]
    facets: tuple[int, ...]
    cofaces: tuple[int, ...]
    vertices: tuple[Vertex, ...] = field(repr=False)
    cuts: Cuts = field(repr=False, compare=False)
    edge: bool = False

    @property
    def conditions(self) -> tuple[tuple[Integers, int], ...]:
        """Affine functions (constant first) and their signs that say what the face is."""
        return tuple(_cuts(self.cuts))

    @property
    def witness(self) -> tuple[Fraction, ...]:
        """A point of the face."""
        return _witness(self.vertices, self.conditions)


@dataclass(frozen=True, slots=True)
class Stratum(Generic[State]):
    """The points with one path through the program. `state` is where the program ended on it; `boundary` are the
    halfspaces of the region that are 0 on it, `faces` and `cells` the indices of its faces and of all full-dimensional
    strata whose closure meets it."""

    index: int
    dimension: int
    state: State
    boundary: tuple[int, ...]
    faces: tuple[int, ...]
    cells: tuple[int, ...]
    vertices: tuple[Vertex, ...] = field(repr=False)
    cuts: Cuts = field(repr=False, compare=False)
    trail: Trail = field(repr=False, compare=False)

    @property
    def signs(self) -> tuple[tuple[Hashable, int], ...]:
        """The guards that are met, in order, and their signs."""
        found: list[tuple[Hashable, int]] = []
        trail = self.trail
        while trail is not None:
            trail, steps = trail
            while steps is not None:
                steps, guards, signs = steps
                found += zip(reversed(guards), reversed(signs), strict=True)
        return tuple(reversed(found))

    @property
    def conditions(self) -> tuple[tuple[Integers, int], ...]:
        """Affine functions (constant first) and their signs that say what the stratum is."""
        return tuple(_cuts(self.cuts))

    @property
    def witness(self) -> tuple[Fraction, ...]:
        """A point of the stratum, in a face of its own dimension."""
        return _witness(self.vertices, self.conditions)

    @property
    def equations(self) -> tuple[Integers, ...]:
        """Independent affine functions whose common zeros are the affine hull."""
        found: list[Integers] = []
        echelon: list[list[int]] = []
        for function, sign in self.conditions:
            if sign == 0 and _independent(function, echelon):
                found.append(_primitive(function, 1))
        return tuple(found)

    @property
    def inequalities(self) -> tuple[Integers, ...]:
        """Affine functions that are positive on the stratum, one a facet of its closure: with `equations` they are all
        that is needed."""
        found: dict[frozenset[int], Integers] = {}
        for function, sign in self.conditions:
            if sign == 0:
                continue
            zeros = frozenset(i for i, vertex in enumerate(self.vertices) if _vanishes(function, vertex))
            if zeros not in found and self._facet([self.vertices[i] for i in zeros]):
                found[zeros] = _primitive(function, sign)
        return tuple(found.values())

    def _facet(self, vertices: Sequence[Vertex]) -> bool:
        """Whether these vertices of a proper face of the closure span a facet: finite parts and directions do, since
        the affine hull of a face is given by rational equations."""
        echelon: list[list[int]] = []
        for vertex in vertices:
            _independent(vertex.finite, echelon)
            if vertex.far is not None:
                _independent((0, *vertex.far), echelon)
        return len(echelon) == self.dimension > 0


@dataclass(frozen=True, slots=True)
class Stratification(Generic[State]):
    """All strata by dimension, those of one by the face of the region they lie in, then by their signs, at the first
    guard where they differ; all faces by dimension, then by stratum. The order does not depend on how they were found.

    `dimension` is that of the region: strata that have it are the full-dimensional ones. Not `complete`: the work was
    ended when `count` strata had been told apart, and what is left out is whatever some unknown stratum touches.
    """

    dimension: int
    strata: tuple[Stratum[State], ...]
    faces: tuple[Face, ...]
    complete: bool = True
    count: int = 0

    @property
    def f_vector(self) -> tuple[int, ...]:
        """The number of strata of each dimension, from 0."""
        return self._counts([stratum.dimension for stratum in self.strata])

    @property
    def face_vector(self) -> tuple[int, ...]:
        """The number of faces of each dimension, from 0."""
        return self._counts([face.dimension for face in self.faces])

    def _counts(self, dimensions: Sequence[int]) -> tuple[int, ...]:
        counts = [0] * (self.dimension + 1)
        for dimension in dimensions:
            counts[dimension] += 1
        return tuple(counts)


def _cuts(cuts: Cuts) -> Iterator[tuple[Integers, int]]:
    while cuts is not None:
        cuts, function, sign = cuts
        yield function, sign


def _primitive(function: Integers, sign: int) -> Integers:
    divisor = sign * gcd(*function)
    return tuple(entry // divisor for entry in function)


def _vanishes(function: Integers, vertex: Vertex) -> bool:
    return not sum(map(mul, function, vertex.finite)) and (
        vertex.far is None or not sum(map(mul, function[1:], vertex.far))
    )


def _witness(vertices: Sequence[Vertex], conditions: Sequence[tuple[Integers, int]]) -> tuple[Fraction, ...]:
    """The barycentre of the vertices, with a number for M so large that all conditions hold."""
    share = Fraction(1, len(vertices))
    size = len(vertices[0].finite) - 1
    point = [sum(Fraction(v.finite[i + 1], v.finite[0]) for v in vertices) * share for i in range(size)]
    far = [(vertex.far, vertex.finite[0]) for vertex in vertices if vertex.far is not None]
    if not far:
        return tuple(point)
    direction = [sum(Fraction(entries[i], weight) for entries, weight in far) * share for i in range(size)]
    least = Fraction(0)
    for function, sign in conditions:
        slope = sign * sum(map(mul, function[1:], direction))
        if slope:
            least = max(least, -sign * (function[0] + sum(map(mul, function[1:], point))) / slope)
    large = least.__floor__() + 1
    return tuple(entry + large * step for entry, step in zip(point, direction, strict=True))


def _independent(vector: Sequence[int], echelon: list[list[int]]) -> bool:
    """Whether `vector` is independent of the rows; if so its remainder joins them. Rows lead at different places."""
    rest = list(vector)
    for row in echelon:
        lead = next(i for i, entry in enumerate(row) if entry)
        if rest[lead]:
            ratio, scale = rest[lead], row[lead]
            rest = [scale * a - ratio * b for a, b in zip(rest, row, strict=True)]
    divisor = gcd(*rest)
    if not divisor:
        return False
    echelon.append([entry // divisor for entry in rest])
    return True
