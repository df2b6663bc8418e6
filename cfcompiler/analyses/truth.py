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

from cfcompiler.analyses.continuity import CONTINUOUS, Continuity, continuity_of
from cfcompiler.analyses.judgement import Judgement, Word, judged, unjudged
from cfcompiler.analyses.large import Qualified
from cfcompiler.analyses.lexicographic import lexicographic
from cfcompiler.analyses.limits import Gradients, Limits, Slopes, Vector, limits_of, slopes_of
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


@dataclass(frozen=True, slots=True)
class Landscape:
    """What holds of a program at a point whatever AD makes of it: the part that takes long."""

    program: Program
    point: Mapping[str, Any]
    followed: Followed | NotFollowed


@dataclass(frozen=True, slots=True)
class Followed:
    """The limiting gradients, differentiability, continuity, and the pieces they rest on."""

    gradients: Gradients
    slopes: Slopes
    continuity: Continuity
    lexicographic: Vector | None
    pieces: Pieces | None = None
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class NotFollowed:
    """Where the pieces near the point are not to be had: the word for every vector, and why."""

    word: Word
    reason: str


def truth_at(
    program: Program,
    point: Mapping[str, Any],
    here: Sequence[Exact],
    ad: Sequence[Exact],
    field: Sequence[Sequence[Exact]],
    field_complete: bool,
    effort: Effort,
) -> Truth:
    """Everything that is true of `program` at `point`; `here` are its values, `ad` and `field` what AD makes of it."""
    return truth_in(landscape_at(program, point, here, effort), ad, field, field_complete)


def landscape_at(
    program: Program, point: Mapping[str, Any], here: Sequence[Exact], effort: Effort
) -> Landscape:
    """What holds of `program` at `point`, where its values are `here`; every vector can then be judged cheaply."""
    return Landscape(program, point, _landscape(program, point, here, effort))


def truth_in(
    landscape: Landscape, ad: Sequence[Exact], field: Sequence[Sequence[Exact]], field_complete: bool
) -> Truth:
    """The judgement of `ad` and `field`, which AD returns and could return there."""
    found = landscape.followed
    if isinstance(found, Followed):
        try:
            judgement = judged(ad, field, field_complete, found.gradients, found.slopes, found.continuity)
            # without limiting gradients that are certain, that of a piece is none either
            chosen = found.lexicographic if judgement.bouligand else None
            return Truth(judgement, chosen, found.pieces, found.limits)
        except Undecided as problem:
            found = _unfollowed(landscape.program, landscape.point, problem)
    return Truth(unjudged(found.word, ad, field, field_complete, found.reason), None)


def _landscape(
    program: Program, point: Mapping[str, Any], here: Sequence[Exact], effort: Effort
) -> Followed | NotFollowed:
    if any(is_special(value) for value in here):
        return NotFollowed("undefined", "the program has no finite value here")
    if any(
        is_special(x)
        for param in program.params
        if param.differentiable
        for x in point[param.value.name].flat
    ):
        return NotFollowed("unknown", "an input is not a real number")
    pieces = Pieces(program, point)
    end = monotonic() + effort.seconds
    try:
        leaves: list[Leaf] = list(pieces.leaves(most=effort.cells))
        if not leaves:
            return NotFollowed("unknown", "the domain that the program asserts has no interior here")
        limits = limits_of(pieces, leaves, 0.6 * effort.seconds)
        continuity = continuity_of(pieces, limits, here, max(0.1, end - monotonic()))
        slopes = slopes_of(pieces, limits, max(0.1, end - monotonic()))
        gradients = limits.gradients
    except Undecided as problem:
        return _unfollowed(program, point, problem)
    settled = continuity.kind == "continuous" and gradients.sure
    return Followed(gradients, slopes, continuity, lexicographic(pieces) if settled else None, pieces, limits)


def truth_of_large(known: Qualified, ad: Sequence[Exact]) -> Truth:
    """The truth where all combinations of sides are met: the limiting gradients are the vertices of D."""
    found = followed_large(known)
    judgement = judged(ad, known.vertices, True, found.gradients, found.slopes, found.continuity)
    return Truth(judgement, known.lexicographic)


def followed_large(known: Qualified) -> Followed:
    """What holds at the point where all combinations of sides are met."""
    smooth = len(known.vertices) == 1
    slopes = Slopes(smooth, known.vertices[0] if smooth else None)
    return Followed(Gradients(known.vertices, (), "certificate"), slopes, CONTINUOUS, known.lexicographic)


def _unfollowed(program: Program, point: Mapping[str, Any], problem: Undecided) -> NotFollowed:
    steep = growing_slope(program, point)
    if steep is not None:
        return NotFollowed("undefined", steep)
    where = problem.instruction.span if problem.instruction is not None else None
    place = f" (line {where.line}, column {where.column})" if where is not None and where.line else ""
    return NotFollowed("unknown", f"{problem.reason}{place}")
