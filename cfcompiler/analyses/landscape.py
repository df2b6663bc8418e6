"""Program, point -> what the program is near the point, whatever the tie rules: the pieces, and which touch the point.

Computed once for a point; the field D takes from it which arms of branches are met near the point, the judgement its
limiting gradients and continuity. Where the pieces cannot be followed, `problem` says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

from cfcompiler.analyses.adjacency import touching
from cfcompiler.analyses.limits import Limits, limits_of
from cfcompiler.analyses.pieces import Leaf, Pieces
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.conditions import Apart, Arc, Budget, Open, Touches
from cfcompiler.feasibility.linear import independent
from cfcompiler.ir import Apply, Program

SECONDS_A_THIN_PIECE = 2.0
MANY_TIES = 9  # from which on kink qualification is tried before the pieces are listed
_COMPARING_MANY = ("extremum", "argextremum", "order", "cumargextremum")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a point may take: seconds in all, and pieces."""

    seconds: float = 20.0
    cells: int = 4096


USUAL = Effort()


@dataclass(frozen=True, slots=True)
class ThinPiece:
    """A piece on a thin set that touches the point, or may (`doubt` says why that is open)."""

    leaf: Leaf
    arc: Arc | None
    doubt: str


@dataclass(frozen=True, slots=True)
class Landscape:
    """The pieces near a point. `limits` is None where there are none (outside the domain), or where `problem` is.

    `qualified`: there are too many pieces to list, all combinations of signs of the tied kinks are met along open sets
    of rays, and so every vertex of D is a limiting gradient (theory S6, Theorem C: kink qualification).
    """

    pieces: Pieces
    limits: Limits | None
    thin: tuple[ThinPiece, ...] = ()
    problem: Undecided | None = None
    qualified: bool = False
    until: float = inf  # when the answer about the point should be there
    bounded: bool = False  # the point is on the boundary of the domain that the program asserts

    def arms(self) -> Iterator[tuple[dict[str, bool], str]]:
        """For each piece that touches the point, or may, the arms that it takes; and the doubt."""
        if self.limits is None:
            return
        for limit in self.limits.proved:
            yield dict(limit.leaf.arms), ""
        for thin in self.thin:
            yield dict(thin.leaf.arms), thin.doubt
        for doubt in self.limits.doubtful:
            yield dict(doubt.leaf.arms), doubt.reason

    def arcs(self) -> Iterator[Arc]:
        """Arcs into the point along which pieces are met."""
        if self.limits is not None:
            yield from (limit.arc for limit in self.limits.proved if limit.arc is not None)
        yield from (thin.arc for thin in self.thin if thin.arc is not None)


def landscape_at(program: Program, point: Mapping[str, Any], effort: Effort) -> Landscape:
    """The pieces of `program` near `point`, which has exact numbers for every parameter."""
    until = monotonic() + effort.seconds
    end = until - 0.4 * effort.seconds
    pieces = Pieces(program, point)
    try:
        if _is_qualified(pieces):
            return Landscape(pieces, None, qualified=True, until=until)
        leaves = list(pieces.leaves(most=effort.cells, until=end))
        if not leaves:
            return Landscape(pieces, None, until=until)
        limits = limits_of(pieces, leaves, max(0.1, end - monotonic()))
        thin = tuple(_thin(pieces, end, effort.cells)) if pieces.joined else ()
        return Landscape(pieces, limits, thin, until=until, bounded=pieces.bounded)
    except Undecided as problem:
        return Landscape(pieces, None, problem=problem, until=until)


def _is_qualified(pieces: Pieces) -> bool:
    """Whether many kinks are tied, with independent gradients; independence does not depend on the signs followed.

    A tied branch or step is none of them, be it that the first piece decides it without a sign.
    """
    if any(isinstance(i, Apply) and i.op in _COMPARING_MANY for i in pieces.program.instructions):
        return False
    first = next(pieces.leaves(), None)
    if first is None or pieces.tied or len(first.signs) < MANY_TIES:
        return False
    return independent([pieces.jets.gradient(sign.switch.function) for sign in first.signs])


def _thin(pieces: Pieces, end: float, most: int) -> Iterator[ThinPiece]:
    for leaf in pieces.leaves(thin=True, most=most, until=end):
        left = end - monotonic()
        found = touching(pieces, leaf, Budget(max(0.05, min(SECONDS_A_THIN_PIECE, left))))
        match found:
            case Touches(arc=arc):
                yield ThinPiece(leaf, arc, "")
            case Open(reason=reason):
                yield ThinPiece(leaf, None, reason)
            case Apart():
                continue
