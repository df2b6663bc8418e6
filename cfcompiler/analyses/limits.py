"""Leaves -> the limiting gradients: the gradients at the point of the pieces whose cells touch it.

Every piece is smooth at the point, so a piece whose open cell has the point in its closure contributes its gradient,
and no other does (theory S6, Theorem A: the Bouligand subdifferential of a piecewise smooth function). A piece whose
cell could not be decided is kept apart, as doubtful, unless its gradient is there already.

Whether f is differentiable is another question (theory S5.1, W): it is so exactly where all pieces that are met along
an open set of rays have one gradient, since directional derivatives are continuous in the direction.
Several outputs have Jacobians, row after row in one vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import TypeAlias

from cfcompiler import numbers
from cfcompiler.analyses.adjacency import met_along_rays, touching
from cfcompiler.analyses.pieces import Leaf, Pieces
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.ball_sums import BallSum
from cfcompiler.feasibility.conditions import Apart, Arc, Budget, Open, Touches
from cfcompiler.numbers import Finite

Vector: TypeAlias = tuple[Finite, ...]

SECONDS_A_PIECE = 4.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A piece that touches the point: its gradient, an arc in its cell where one is known, and how that is known."""

    gradient: Vector
    leaf: Leaf
    arc: Arc | None
    how: str
    trust: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A piece whose cell may or may not touch the point."""

    gradient: Vector
    leaf: Leaf
    reason: str


@dataclass(frozen=True, slots=True)
class Gradients:
    """Limiting gradients that are certain, and those that may be; `trust` as in Limits.

    `around`: sets in whose hull all limiting gradients are, where those that are certain need not be all.
    """

    sure: tuple[Vector, ...]
    doubtful: tuple[Vector, ...]
    trust: str
    around: tuple[BallSum, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldAround:
    """Sets whose hull holds D where its vertices do not; under `whole` it is the hull of D."""

    sums: tuple[BallSum, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Pieces proved to touch the point, pieces in doubt, and pieces whose question needed no answer.

    The gradients of `unasked` pieces are among the proved ones. `trust` is "solver" where an exclusion rests on a
    solver's word alone.
    """

    proved: tuple[Limit, ...]
    doubtful: tuple[Doubt, ...]
    unasked: tuple[Leaf, ...]
    trust: str

    @property
    def gradients(self) -> Gradients:
        """The gradients of the pieces, without repeats."""
        solver = self.trust == "solver" or any(limit.trust == "solver" for limit in self.proved)
        return Gradients(
            distinct(limit.gradient for limit in self.proved),
            distinct(doubt.gradient for doubt in self.doubtful),
            "solver" if solver else "certificate",
        )

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves that touch the point, or may."""
        own = (*(limit.leaf for limit in self.proved), *(doubt.leaf for doubt in self.doubtful))
        return (*own, *self.unasked)


def same(left: Sequence[Finite], right: Sequence[Finite]) -> bool:
    """Whether two vectors are equal. Raises Undecided where that is not proved."""
    for a, b in zip(left, right, strict=True):
        if a == b:
            continue
        if isinstance(a, Fraction) and isinstance(b, Fraction):
            return False
        code = numbers.compare(a, b)
        if code is None:
            raise Undecided("whether two derivatives are equal could not be decided")
        if code != 0:
            return False
    return True


class Vectors:
    """A set of vectors, in order; rational ones are found by hashing, others are compared."""

    def __init__(self, vectors: Iterable[Vector] = ()) -> None:
        self._rational: set[Vector] = set()
        self._others: list[Vector] = []
        self.all: list[Vector] = []
        for vector in vectors:
            self.add(vector)

    def __contains__(self, vector: Vector) -> bool:
        if vector in self._rational:
            return True
        rational = all(isinstance(entry, Fraction) for entry in vector)
        candidates = self._others if rational else self.all
        return any(same(vector, other) for other in candidates)

    def add(self, vector: Vector) -> None:
        """Add a vector unless it is there. Raises Undecided."""
        if vector in self:
            return
        self.all.append(vector)
        if all(isinstance(entry, Fraction) for entry in vector):
            self._rational.add(vector)
        else:
            self._others.append(vector)


def distinct(vectors: Iterable[Vector]) -> tuple[Vector, ...]:
    """Without repeats, in order."""
    return tuple(Vectors(vectors).all)


def gradient_of(pieces: Pieces, leaf: Leaf) -> Vector:
    """The gradients of a leaf's outputs at the point. Raises Undecided where one is not smooth there."""
    return tuple(entry for output in leaf.outputs for entry in pieces.jets.gradient(output))


def limits_of(pieces: Pieces, leaves: Sequence[Leaf], seconds: float) -> Limits:
    """The limiting gradients among the leaves. Raises Undecided where a piece is not smooth at the point."""
    end = monotonic() + seconds
    proved: list[Limit] = []
    known = Vectors()
    waiting: list[Doubt] = []
    unasked: list[Leaf] = []
    trust = "certificate"
    for leaf in leaves:
        gradient = gradient_of(pieces, leaf)
        if not pieces.joined and gradient in known:
            unasked.append(leaf)
            continue
        found = touching(pieces, leaf, Budget(max(0.05, min(SECONDS_A_PIECE, end - monotonic()))))
        match found:
            case Touches():
                proved.append(Limit(gradient, leaf, found.arc, found.how, found.trust))
                known.add(gradient)
            case Apart():
                trust = "solver" if found.trust == "solver" else trust
            case Open():
                waiting.append(Doubt(gradient, leaf, found.reason))
    doubtful = []
    for doubt in waiting:
        if not pieces.joined and doubt.gradient in known:
            unasked.append(doubt.leaf)
        else:
            doubtful.append(doubt)
    return Limits(tuple(proved), tuple(doubtful), tuple(unasked), trust)


@dataclass(frozen=True, slots=True)
class Slopes:
    """Whether f is differentiable, and its gradient if so; `smooth` is None where it is open, with a reason."""

    smooth: bool | None
    gradient: Vector | None
    reason: str = ""


def slopes_of(pieces: Pieces, limits: Limits, seconds: float) -> Slopes:
    """Whether f is differentiable at the point; it must be continuous and locally Lipschitz there."""
    end = monotonic() + seconds
    known = limits.gradients
    every = distinct([*known.sure, *known.doubtful])
    if len(every) == 1:
        return Slopes(True, every[0])
    leaves = [(limit.leaf, limit.gradient) for limit in limits.proved]
    leaves += [(doubt.leaf, doubt.gradient) for doubt in limits.doubtful]
    leaves += [(leaf, gradient_of(pieces, leaf)) for leaf in limits.unasked]
    met = Vectors()
    unknown: list[Vector] = []
    for leaf, gradient in leaves:
        if gradient in met:
            continue
        found = met_along_rays(pieces, leaf, Budget(max(0.1, min(SECONDS_A_PIECE, end - monotonic()))))
        if found is None:
            unknown.append(gradient)
        elif found:
            met.add(gradient)
            if len(met.all) > 1:
                return Slopes(False, None)
    if len(met.all) == 1 and all(gradient in met for gradient in unknown):
        return Slopes(True, met.all[0])
    return Slopes(None, None, "which pieces are met along an open set of rays could not be decided")
