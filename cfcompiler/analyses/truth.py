"""Program, point, what AD returns, D -> the judgement: the pieces near the point, their limits, the word.

Where the pieces cannot be followed (a part that has no expansion at the point, too many pieces, a sign that is not
proved) the judgement says so; arcs into the point along which the slope grows without bound then still show that the
program is not locally Lipschitz.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from cfcompiler.analyses.continuity import continuity_of
from cfcompiler.analyses.judgement import Judgement, Values, judged, unjudged
from cfcompiler.analyses.lexicographic import lexicographic
from cfcompiler.analyses.limits import Limits, Vector, limits_of, slopes_of
from cfcompiler.analyses.pieces import Leaf, Pieces
from cfcompiler.analyses.steepness import growing_slope
from cfcompiler.arithmetic import Undecided
from cfcompiler.ir import Program
from cfcompiler.numbers import Exact, is_special


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a point may take: seconds in all, and pieces."""

    seconds: float = 20.0
    cells: int = 4096


USUAL = Effort()


@dataclass(frozen=True, slots=True)
class Truth:
    """The judgement, the lexicographic derivative, and what it rests on (for explanations)."""

    judgement: Judgement
    lexicographic: Vector | None
    pieces: Pieces | None = None
    limits: Limits | None = None


def truth_at(
    program: Program,
    point: Mapping[str, Any],
    here: Sequence[Exact],
    ad: Sequence[Exact],
    field: Values,
    field_complete: bool,
    effort: Effort,
) -> Truth:
    """Everything that is true of `program` at `point`; `here` are its values, `ad` and `field` what AD makes of it."""
    if any(is_special(value) for value in here):
        reason = "the program has no finite value here"
        return Truth(unjudged("undefined", ad, field, field_complete, reason), None)
    if any(
        is_special(x)
        for param in program.params
        if param.differentiable
        for x in point[param.value.name].flat
    ):
        reason = "an input is not a real number"
        return Truth(unjudged("unknown", ad, field, field_complete, reason), None)
    pieces = Pieces(program, point)
    end = monotonic() + effort.seconds
    try:
        leaves: list[Leaf] = list(pieces.leaves(most=effort.cells))
        if not leaves:
            reason = "the domain that the program asserts has no interior here"
            return Truth(unjudged("unknown", ad, field, field_complete, reason), None)
        limits = limits_of(pieces, leaves, 0.6 * effort.seconds)
        continuity = continuity_of(pieces, limits, here, max(0.1, end - monotonic()))
        slopes = slopes_of(pieces, limits, max(0.1, end - monotonic()))
        found = judged(ad, field, field_complete, limits, slopes, continuity)
    except Undecided as problem:
        return Truth(_unfollowed(program, point, ad, field, field_complete, problem), None)
    return Truth(found, lexicographic(pieces) if found.bouligand else None, pieces, limits)


def _unfollowed(
    program: Program,
    point: Mapping[str, Any],
    ad: Sequence[Exact],
    field: Values,
    field_complete: bool,
    problem: Undecided,
) -> Judgement:
    steep = growing_slope(program, point)
    if steep is not None:
        return unjudged("undefined", ad, field, field_complete, steep)
    where = problem.instruction.span if problem.instruction is not None else None
    place = f" (line {where.line}, column {where.column})" if where is not None and where.line else ""
    return unjudged("unknown", ad, field, field_complete, f"{problem.reason}{place}")
