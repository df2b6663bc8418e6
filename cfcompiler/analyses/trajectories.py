"""A slice with two inputs -> paths of descent: what an optimiser does that trusts AD, started where it matters.

    next = point - s * AD(point), a step no longer than `_LONGEST` of the picture

with one `s` for all paths of a picture, by which the usual step is `_USUAL` of the picture; 100 steps at most, and none
out of the picture. Where AD returns 0 the path stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

import numpy as np

from cfcompiler.analyses.at import ad_at
from cfcompiler.analyses.formula_values import NotRational, floats
from cfcompiler.analyses.sampling import Sampler
from cfcompiler.analyses.slices import Slice
from cfcompiler.analyses.tracing import Box
from cfcompiler.analyses.witnesses import float_of, number_of
from cfcompiler.errors import CFError
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import add, mul, neg, to_float
from cfcompiler.report import ArtificialPoint, Descent, Line, StrataReport, StratumReport

MOST_STEPS, MOST_DESCENTS = 100, 14
_USUAL, _LONGEST = 0.02, 0.05
_BESIDE = 0.06  # of the picture: how far beside a stratum a path starts
_OPEN = ((0.15, 0.2), (0.85, 0.3), (0.7, 0.85), (0.2, 0.75))  # of the picture: starts in the open
_EXACT_STEPS = 12


@dataclass(frozen=True, slots=True)
class _Start:
    at: tuple[float, float]
    about: str
    first: tuple[float, float] | None = None  # what AD returns there, where that is known exactly


def descents(
    own: Slice, report: StrataReport, lines: Sequence[Line], sampler: Sampler, box: Box, arrows: Any
) -> tuple[tuple[Descent, ...], str]:
    """The paths, and the step rule as a sentence."""
    width = max(high - low for low, high in box)
    sizes = np.hypot(arrows[:, 2], arrows[:, 3]) if len(arrows) else np.zeros(0)
    sizes = sizes[sizes > 0]
    rate = _round(_USUAL * width / float(np.median(sizes))) if len(sizes) else 1.0
    found = list(_arrivals(own, report, box))
    for start in _starts(own, report, lines, box):
        if len(found) < MOST_DESCENTS and _within(start.at, box):
            path = _path(sampler, start, rate, _LONGEST * width, box)
            if path is not None:
                found.append(path)
    said = f"point - {rate:g} * AD, at most {_LONGEST * width:.2g} long"
    return tuple(found), said


def _round(rate: float) -> float:
    return float(f"{rate:.1g}")


def _within(point: Sequence[float], box: Box) -> bool:
    return all(low <= x <= high for x, (low, high) in zip(point, box, strict=True))


def _starts(own: Slice, report: StrataReport, lines: Sequence[Line], box: Box) -> Iterator[_Start]:
    """On each stratum where AD is wrong or a path may get stuck, then beside them, then in the open."""
    wrong = [
        stratum
        for stratum in report.strata
        if stratum.dimension < 2 and (stratum.verdict == "spurious" or stratum.artificial_critical)
    ]
    places = [(stratum, _seen(own, stratum, lines, box)) for stratum in wrong]
    for stratum, place in places:
        if place is not None:
            yield _Start(place, f"on {stratum.id}", _ad_on(own, stratum, place))
    for sign in (1, -1):
        for stratum, place in places:
            if place is not None:
                away = _across(own, stratum, place, box)
                beside = (place[0] + sign * away[0], place[1] + sign * away[1])
                yield _Start(beside, f"beside {stratum.id}")
    for x, y in _OPEN:
        (left, right), (low, high) = box
        yield _Start((left + x * (right - left), low + y * (high - low)), "in the open")


def _seen(own: Slice, stratum: StratumReport, lines: Sequence[Line], box: Box) -> tuple[float, float] | None:
    """The witness, or the middle of what is drawn of the stratum where the witness is out of the picture."""
    place = witness_floats(own, stratum)
    if place is not None and _within(place, box):
        return place
    paths = [path for line in lines if line.stratum == stratum.id for path in line.paths]
    longest = max(paths, key=len, default=())
    return longest[len(longest) // 2] if longest else None


def witness_floats(own: Slice, stratum: StratumReport) -> tuple[float, float] | None:
    """The witness as floats; None where it has none."""
    x, y = (float_of(str(stratum.witness[name])) for name in own.moving)
    return None if x is None or y is None else (x, y)


def _ad_on(own: Slice, stratum: StratumReport, place: tuple[float, float]) -> tuple[float, float] | None:
    """What AD returns at the witness, by the formula that holds on the stratum."""
    if stratum.ad is None:
        return None
    point = dict(zip(own.moving, place, strict=True))
    found = []
    for name in own.moving:
        text = str(stratum.ad[0][name])
        number = float_of(text)
        try:
            found.append(float(floats(text, point)) if number is None else number)
        except NotRational:
            return None
    return (found[0], found[1]) if np.isfinite(found).all() else None


def _across(own: Slice, stratum: StratumReport, place: tuple[float, float], box: Box) -> tuple[float, float]:
    """A small step off the stratum: across its curve, or in a general direction."""
    size = _BESIDE * min(high - low for low, high in box)
    for text in stratum.equations if stratum.dimension == 1 else ():
        slope = []
        for k in range(2):
            moved = [list(place), list(place)]
            moved[0][k] += 1e-6
            moved[1][k] -= 1e-6
            ends = [float(floats(text, dict(zip(own.moving, end, strict=True)))) for end in moved]
            slope.append(ends[0] - ends[1])
        length = hypot(*slope)
        if np.isfinite(length) and length > 1e-12:
            return size * slope[0] / length, size * slope[1] / length
    return 0.8 * size, 0.6 * size


def _path(sampler: Sampler, start: _Start, rate: float, longest: float, box: Box) -> Descent | None:
    path = [start.at]
    slope = start.first
    stays = False
    for _ in range(MOST_STEPS):
        if slope is None:
            samples = sampler.at(np.array([path[-1]]))
            slope = float(samples.ad[0, 0]), float(samples.ad[0, 1])
            if not samples.domain[0] or not np.isfinite([*slope, samples.values[0]]).all():
                break
        if slope == (0.0, 0.0):
            stays = True
            break
        size = hypot(*slope)
        step = min(rate, longest / size)
        path.append((path[-1][0] - step * slope[0], path[-1][1] - step * slope[1]))
        slope = None
        if not _within(path[-1], box):
            break
    if len(path) == 1 and not stays:
        return None
    return Descent(start.at, tuple(path), stays, start.about)


def _arrivals(own: Slice, report: StrataReport, box: Box) -> Iterator[Descent]:
    """From the starts that lead to an artificial critical point by the step that is named with them, exactly."""
    for artificial in report.artificial:
        if artificial.start is not None:
            path = _arrival(own, artificial)
            if path is not None and all(_within(point, box) for point in path.path):
                yield path


def _arrival(own: Slice, artificial: ArtificialPoint) -> Descent | None:
    assert artificial.start is not None
    point = [number_of(str(artificial.start[name])) for name in own.moving]
    try:
        rate = parse_number(artificial.step)
    except ValueError:
        return None
    if None in point:
        return None
    path = [point]
    for _ in range(_EXACT_STEPS):
        try:
            row = ad_at(own.program, own.point_at(path[-1])).rows("backward")[0]
        except CFError:
            return None
        slope = [number_of(str(row[name])) for name in own.moving]
        if None in slope or any(isinstance(x, str) for x in slope):
            return None
        if all(x == 0 for x in slope):
            drawn = tuple((to_float(x), to_float(y)) for x, y in path)
            return Descent(drawn[0], drawn, True, f"to {artificial.stratum}")
        path.append([add(x, neg(mul(rate, d))) for x, d in zip(path[-1], slope, strict=True)])
    return None
