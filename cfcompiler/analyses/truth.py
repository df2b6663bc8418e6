"""Landscape, what AD returns, D -> the judgement, and the lexicographic derivative.

Where the pieces cannot be followed (a part that has no expansion at the point, too many pieces, a sign that is not
proved) the judgement says so; arcs into the point along which the slope grows without bound then still show that the
program jumps or is not locally Lipschitz.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cfcompiler.analyses.continuity import CONTINUOUS, Continuity, continuity_of
from cfcompiler.analyses.judgement import Judgement, Values, Word, judged, judged_in_sum, unjudged
from cfcompiler.analyses.landscape import Effort, Landscape
from cfcompiler.analyses.large import Qualified
from cfcompiler.analyses.lexicographic import lexicographic
from cfcompiler.analyses.limits import FieldAround, Gradients, Slopes, Vector, distinct, slopes_of
from cfcompiler.analyses.norms import beside_norms
from cfcompiler.analyses.pieces import TooManyPieces
from cfcompiler.analyses.puiseux import both_sides
from cfcompiler.analyses.steepness import growing_slope
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.segments import SegmentSum
from cfcompiler.ir import Apply, Program, Select
from cfcompiler.numbers import Exact, is_special
from cfcompiler.primitives import TABLE


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true at the point, whatever the tie rules; or the word for why nothing is said, with the reason."""

    gradients: Gradients | None
    slopes: Slopes
    continuity: Continuity
    lexicographic: Vector | None
    word: Word = "unknown"
    reason: str = ""
    qualified: bool = False  # the limiting gradients are the vertices of D
    bounded: bool = (
        False  # the point is on the boundary of the asserted domain: what is true is true from inside
    )
    field_around: FieldAround | None = None  # D, where it is not the hull of its vertices


BOUNDARY = "the point is on the boundary of the asserted domain: gradients are those from inside"
_NO_SLOPES = Slopes(None, None)


def facts_at(
    program: Program, point: Mapping[str, Any], here: Sequence[Exact], landscape: Landscape, effort: Effort
) -> Facts:
    """The facts; `here` are the values of the program at the point."""
    if any(is_special(value) for value in here):
        return nothing_known("undefined", "the program has no finite value here")
    moving = (param.value.name for param in program.params if param.differentiable)
    if any(is_special(x) for name in moving for x in point[name].flat):
        return nothing_known("unknown", "an input is not a real number")
    try:
        if landscape.problem is not None:
            return _unfollowed(program, point, here, landscape.problem, effort)
        if landscape.qualified:
            led = lexicographic(landscape.pieces)
            reason = "the limiting gradients are those of D, which is not known whole"
            return Facts(None, _NO_SLOPES, CONTINUOUS, led, "unknown", reason, qualified=True)
        if landscape.limits is None:
            return nothing_known("unknown", "the domain that the program asserts has no interior here")
        continuity = continuity_of(landscape, here, 0.3 * effort.seconds)
        slopes = slopes_of(landscape.pieces, landscape.limits, 0.3 * effort.seconds)
        gradients = landscape.limits.gradients
    except Undecided as problem:
        return _unfollowed(program, point, here, problem, effort)
    led = lexicographic(landscape.pieces) if continuity.kind == "continuous" else None
    return Facts(gradients, slopes, continuity, led, bounded=landscape.bounded)


def facts_of_large(known: Qualified) -> Facts:
    """The facts where all combinations of sides are met: the limiting gradients are the vertices of D."""
    smooth = len(known.vertices) == 1
    slopes = Slopes(smooth, known.vertices[0] if smooth else None)
    gradients = Gradients(known.vertices, (), "certificate")
    return Facts(gradients, slopes, CONTINUOUS, known.lexicographic)


def judgement_of(facts: Facts, ad: Sequence[Exact], field: Values, field_complete: bool) -> Judgement:
    """The word for `ad`, and the flags; vectors are flat, row after row."""
    if facts.qualified and field_complete:
        return _judged_by_field(ad, field)
    if facts.gradients is None:
        return unjudged(facts.word, ad, field, field_complete, facts.reason)
    try:
        found = judged(
            ad, field, field_complete, facts.gradients, facts.slopes, facts.continuity, facts.field_around
        )
        return from_inside(found) if facts.bounded else found
    except Undecided as problem:
        return unjudged("unknown", ad, field, field_complete, problem.reason)


def _judged_by_field(ad: Sequence[Exact], field: Values) -> Judgement:
    """The judgement where all vertices of D are limiting gradients."""
    try:
        if isinstance(field, SegmentSum):
            return judged_in_sum(ad, field)
        vertices = distinct(finite(vertex) for vertex in field)
        smooth = len(vertices) == 1
        slopes = Slopes(smooth, vertices[0] if smooth else None)
        return judged(ad, field, True, Gradients(vertices, (), "certificate"), slopes, CONTINUOUS)
    except Undecided as problem:
        return unjudged("unknown", ad, field, True, problem.reason)


def finite(vector: Sequence[Exact]) -> Vector:
    """The vector, if it has no infinite entry and no NaN. Raises Undecided."""
    found = tuple(entry for entry in vector if not is_special(entry))
    if len(found) < len(vector):
        raise Undecided("a vertex of D is not finite")
    return found


def facts_by_field(program: Program, landscape: Landscape, field: Values, facts: Facts) -> Facts:
    """The facts where there were too many pieces, and all of D is one vector: it is the gradient.

    Of a program without branches and steps, all of whose operations are smooth everywhere but for kinks, D is
    conservative, so that its hull holds the Clarke subdifferential (theory S2.4).
    """
    if not isinstance(landscape.problem, TooManyPieces) or isinstance(field, SegmentSum):
        return facts
    if any(
        isinstance(i, Select) or (isinstance(i, Apply) and not _everywhere(i)) for i in program.instructions
    ):
        return facts
    try:
        vertices = distinct(finite(vertex) for vertex in field)
    except Undecided:
        return facts
    if len(vertices) != 1:
        return facts
    gradients = Gradients(vertices, (), "certificate")
    return Facts(gradients, Slopes(True, vertices[0]), CONTINUOUS, vertices[0])


def _everywhere(instruction: Apply) -> bool:
    """Whether a row is smooth wherever it is evaluated, or a choice among values that agree."""
    row = TABLE[instruction.op]
    if instruction.op == "ipow":
        return bool(instruction.attribute("n") >= 0)
    return row.singular is None and row.domain == "True" and not row.jumps and row.kind != "condition"


def from_inside(found: Judgement) -> Judgement:
    """On the boundary of the domain 0 need not be a subgradient where f is least: that it is none says nothing."""
    return replace(
        found,
        reason=f"{found.reason}; {BOUNDARY}" if found.reason else BOUNDARY,
        clarke_critical=found.clarke_critical or None,
        artificial_critical=None if found.artificial_critical else found.artificial_critical,
        zero_place=found.zero_place if found.clarke_critical else None,
    )


def nothing_known(word: Word, reason: str) -> Facts:
    """No facts, for a reason."""
    return Facts(None, _NO_SLOPES, CONTINUOUS, None, word, reason)


def _unfollowed(
    program: Program, point: Mapping[str, Any], here: Sequence[Exact], problem: Undecided, effort: Effort
) -> Facts:
    sides = both_sides(program, point, tuple(here))
    if sides is not None and not sides.steep:
        from_above = sides.gradients.sure[0] if sides.gradients.sure else None
        return Facts(sides.gradients, sides.slopes, sides.continuity, from_above)
    norms = beside_norms(program, point, effort)
    if norms is not None:
        return Facts(norms.gradients, norms.slopes, CONTINUOUS, norms.lexicographic)
    steep = growing_slope(program, point)
    if steep is not None:
        return nothing_known("discontinuous" if steep.jumps else "undefined", steep.sentence)
    where = problem.instruction.span if problem.instruction is not None else None
    place = f" (line {where.line}, column {where.column})" if where is not None and where.line else ""
    return nothing_known("unknown", f"{problem.reason}{place}")
