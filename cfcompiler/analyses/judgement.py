"""What AD returns, the field D, the limiting gradients -> one word, the flags, and certificates that were checked.

The words are those of theory S5.1. A word is given only where it follows from what was proved: a piece in doubt makes
a verdict unknown only where it could change it. `spurious` comes with a direction in which AD exceeds the Clarke
directional derivative, `clarke` with a convex combination; both are checked in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from cfcompiler.analyses.continuity import CONTINUOUS, Continuity
from cfcompiler.analyses.limits import FieldAround, Gradients, Slopes, Vector, distinct, same
from cfcompiler.analyses.places import (
    Inside,
    Outside,
    Place,
    corners,
    place_beyond,
    place_in_sum,
    place_of,
    shortest,
)
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.ball_sums import BallSum
from cfcompiler.feasibility.segments import SegmentSum, segments_min_norm
from cfcompiler.numbers import Exact, Finite, is_special

Word: TypeAlias = Literal["exact", "inexact", "clarke", "spurious", "undefined", "discontinuous", "unknown"]

# D: its vertices, or a sum of segments
Values: TypeAlias = "Sequence[Sequence[Exact]] | SegmentSum"

_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One point judged. `None` stands for what was not decided; vectors have the entries of the inputs in order."""

    verdict: Word
    reason: str
    bouligand: tuple[Vector, ...]
    bouligand_complete: bool
    clarke: tuple[Vector, ...]
    clarke_complete: bool
    gradient: Vector | None
    differentiable: bool | None
    min_norm: Vector | None
    ad_critical: bool | None
    field_critical: bool | None
    clarke_critical: bool | None
    artificial_critical: bool | None
    ad_place: Place  # of what AD returns in the Clarke subdifferential
    zero_place: Place  # of 0 in the Clarke subdifferential
    field_place: Place  # of 0 in the hull of D
    trust: str
    as_field: bool = False  # the limiting gradients are the vertices of D, a sum of segments
    near_jump: bool = False  # undefined since the program jumps at points arbitrarily near


@dataclass(frozen=True, slots=True)
class _Hull:
    """Points that are certainly in a set, points that may be, and sets in whose hull it is (none: it has no others)."""

    sure: tuple[Vector, ...]
    doubtful: tuple[Vector, ...]
    around: tuple[BallSum, ...] = ()

    @property
    def shown(self) -> tuple[Vector, ...]:
        """The points that are certain; of those that stand for infinitely many, rational ones if there are any."""
        rational = tuple(v for v in self.sure if all(isinstance(entry, Fraction) for entry in v))
        return rational or self.sure if self.around else self.sure

    def holds(self, target: Sequence[Finite]) -> tuple[bool | None, Place]:
        """Whether the hull holds a vector, whatever comes of the doubtful points."""
        inner = place_of(target, self.shown)
        if not isinstance(inner, Inside) and len(self.shown) < len(self.sure):
            inner = place_of(target, self.sure)
        if isinstance(inner, Inside):
            return True, inner
        if self.around:
            beyond = place_beyond(target, self.around)
            return (None, None) if beyond is None else (False, beyond)
        if not self.doubtful:
            return (None, None) if inner is None else (False, inner)
        outer = place_of(target, (*self.sure, *self.doubtful))
        return (False, outer) if isinstance(outer, Outside) else (None, None)


def judged(
    ad: Sequence[Exact],
    field: Values,
    field_complete: bool,
    gradients: Gradients,
    slopes: Slopes,
    continuity: Continuity,
    field_around: FieldAround | None = None,
) -> Judgement:
    """The judgement where the limiting gradients could be asked for. Raises Undecided.

    `field_around`: sets whose hull holds D, where `field` is not all of it.
    """
    clarke = _Hull(gradients.sure, gradients.doubtful, gradients.around)
    listed = not gradients.around
    settled = continuity.kind == "continuous"
    ends = corners(clarke.shown) if clarke.sure else ()
    inside = all(isinstance(place_of(point, ends), Inside) for point in clarke.doubtful)
    clarke_complete = settled and bool(ends) and inside and listed
    zero = (_ZERO,) * len(ad)
    known_ad = _finite(ad)
    ad_inside, ad_place = clarke.holds(known_ad) if known_ad is not None else (None, None)
    zero_inside, zero_place = clarke.holds(zero)
    field_inside, field_place = _field_critical(zero, field, field_complete)
    if field_inside is None and field_around is not None:
        sums = field_around.sums
        some = distinct(vector for one in sums for vector in one.some()) if field_around.whole else ()
        field_inside, field_place = _Hull(some, (), sums).holds(zero)
    if not settled:
        zero_inside, zero_place, ad_place = None, None, None
    elif zero_inside:
        field_inside = True if field_inside is None else field_inside
    verdict, reason = _verdict(known_ad, ad_inside, slopes, continuity)
    if verdict == "unknown" and ad_inside is None and gradients.around:
        reason = "where a norm vanishes only a part of the Clarke subdifferential is known"
    artificial = _artificial(field_inside, zero_inside)
    return Judgement(
        verdict,
        reason,
        clarke.shown if settled else (),
        settled and listed and not clarke.doubtful,
        ends if settled else (),
        clarke_complete,
        slopes.gradient if settled else None,
        slopes.smooth if settled else None,
        shortest(ends) if clarke_complete else zero if zero_inside else None,
        None if known_ad is None else same(known_ad, zero),
        field_inside,
        zero_inside,
        artificial,
        ad_place,
        zero_place,
        field_place,
        gradients.trust,
        near_jump=verdict == "undefined" and continuity.kind == "jumps nearby" and known_ad is not None,
    )


def judged_in_sum(ad: Sequence[Exact], total: SegmentSum) -> Judgement:
    """The judgement where the limiting gradients are the vertices of D, which is a sum of segments."""
    zero = (_ZERO,) * len(ad)
    known = _finite(ad)
    flat = all(same(segment, zero) for segment in total.segments)
    ad_place = None if known is None else place_in_sum(known, total)
    zero_place = place_in_sum(zero, total)
    critical = isinstance(zero_place, Inside)
    slopes = Slopes(flat, total.base if flat else None)
    ad_inside = None if ad_place is None else isinstance(ad_place, Inside)
    verdict, reason = _verdict(known, ad_inside, slopes, CONTINUOUS)
    return Judgement(
        verdict,
        reason,
        (),
        True,
        (),
        True,
        slopes.gradient,
        flat,
        segments_min_norm(total.base, total.segments).point,
        None if known is None else same(known, zero),
        critical,
        critical,
        False,
        ad_place,
        zero_place,
        zero_place,
        "certificate",
        as_field=True,
    )


def _finite(vector: Sequence[Exact]) -> Vector | None:
    found: list[Finite] = []
    for entry in vector:
        if is_special(entry):
            return None
        found.append(entry)
    return tuple(found)


def _field_critical(zero: Vector, field: Values, complete: bool) -> tuple[bool | None, Place]:
    """Whether 0 is in the hull of D; None where that could not be decided."""
    try:
        return _zero_in(zero, field, complete)
    except Undecided:
        return None, None


def _zero_in(zero: Vector, field: Values, complete: bool) -> tuple[bool | None, Place]:
    if isinstance(field, SegmentSum):
        inside = place_in_sum(zero, field)
        return isinstance(inside, Inside), inside
    finite = [_finite(vertex) for vertex in field]
    points = [vertex for vertex in finite if vertex is not None]
    place = place_of(zero, points)
    if isinstance(place, Inside):
        return True, place
    return (False, place) if complete and len(points) == len(finite) and points else (None, None)


def _artificial(field: bool | None, clarke: bool | None) -> bool | None:
    if field is False or clarke is True:
        return False
    return True if field and clarke is False else None


def _verdict(
    ad: Vector | None, ad_inside: bool | None, slopes: Slopes, continuity: Continuity
) -> tuple[Word, str]:
    if continuity.kind == "jump":
        return "discontinuous", _jump(continuity)
    if ad is None:
        return "undefined", "AD returns NaN or inf"
    if continuity.kind == "jumps nearby":
        return "undefined", f"not locally Lipschitz: {continuity.reason}"
    if continuity.kind == "unknown":
        return "unknown", continuity.reason
    if ad_inside is False:
        return "spurious", ""
    if slopes.smooth and slopes.gradient is not None and same(ad, slopes.gradient):
        return "exact", ""
    if ad_inside is None:
        return "unknown", "whether AD returns an element of the Clarke subdifferential: a piece is in doubt"
    if slopes.smooth is None:
        return "unknown", slopes.reason
    return ("inexact", "") if slopes.smooth else ("clarke", "")


def _jump(continuity: Continuity) -> str:
    from cfcompiler.number_text import to_text

    here, nearby = (", ".join(to_text(x) for x in side) for side in (continuity.here, continuity.nearby))
    return f"the program jumps: its value here is {here}, and {nearby} is approached beside it"


def _is_zero(vector: Vector) -> bool | None:
    try:
        return same(vector, (_ZERO,) * len(vector))
    except Undecided:
        return None


def unjudged(word: Word, ad: Sequence[Exact], field: Values, complete: bool, reason: str) -> Judgement:
    """The judgement where the pieces near the point could not be followed: `word`, but undefined where AD is."""
    zero = (_ZERO,) * len(ad)
    known_ad = _finite(ad)
    field_inside, field_place = _field_critical(zero, field, complete)
    critical = None if known_ad is None else _is_zero(known_ad)
    if known_ad is None and word == "unknown":
        word, reason = "undefined", "AD returns NaN or inf"
    return Judgement(
        word,
        reason,
        (),
        False,
        (),
        False,
        None,
        None,
        None,
        critical,
        field_inside,
        None,
        False if field_inside is False else None,
        None,
        None,
        field_place,
        "certificate",
    )
