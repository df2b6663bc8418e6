"""A slice with one input that moves -> Curve: f and what AD returns, cut at the strata that are points.

Which stratum an interval between two marked points lies in is decided in rational numbers, at its middle; the signs of
the functions that describe the strata do not change on it. Where no stratum is known, the program is looked at in
floats (candidates.py), and single points are judged as `cfc at` judges them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from time import monotonic
from typing import Any

import numpy as np

from cfcompiler.analyses.at import ad_at, at
from cfcompiler.analyses.candidates import Judged, candidates
from cfcompiler.analyses.comparison import Written, comparison
from cfcompiler.analyses.formula_values import NotRational, exactly, functions_of, polynomial
from cfcompiler.analyses.frames import frame, seen
from cfcompiler.analyses.landscape import USUAL, Effort
from cfcompiler.analyses.sampling import Floats, Sampler
from cfcompiler.analyses.slices import Slice
from cfcompiler.analyses.witnesses import float_of, number_of
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.errors import CFError
from cfcompiler.interpreter import run
from cfcompiler.numbers import to_float
from cfcompiler.report import Arc, Curve, Dot, Nested, Row, StrataReport, StratumReport
from cfcompiler.ties import preset_names

SECONDS_TO_COMPARE, SECONDS_FOR_TRUTH = 10.0, 5.0
MOST_DOTS = 60
_SAMPLES, _LEAST, _MOST = 360, 24, 3000
_FLATNESS = 0.004  # of the height of the picture: what a chord may leave out
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class _Point:
    """A stratum of dimension 0: its place as a float, and exactly where it has a closed form."""

    x: float
    exact: Any
    stratum: StratumReport


def curve(
    own: Slice,
    written: Written,
    report: StrataReport,
    sampler: Sampler,
    limits: tuple[Fraction | None, Fraction | None],
    *,
    yours: Any = None,
) -> Curve:
    """The curve of a slice with the stratification `report`, between the `limits` or where something is to be seen."""
    (name,) = own.moving
    points, unknown = _points(report, name)
    low, high = frame([point.x for point in points], limits)
    low, high = _in_domain(sampler, low, high, limits)
    cuts = _cuts(report, name)
    extra: tuple[Judged, ...] = ()
    if not report.complete:
        extra, seams, sentences = candidates(own, sampler, low, high, [point.x for point in points])
        unknown += sentences
        cuts += seams
        points += [_Point(judged.x, judged.exact, judged.stratum) for judged in extra]
    points = [point for point in sorted(points, key=lambda point: point.x) if low <= point.x <= high]
    if len(points) > MOST_DOTS:
        unknown.append(f"{len(points) - MOST_DOTS} points of {len(points)} are not drawn")
        points = points[:MOST_DOTS]
    strata = (*report.strata, *(judged.stratum for judged in extra))
    arcs = _arcs(report, name, sampler, low, high, sorted([*cuts, *(p.x for p in points)]), points)
    dots, late = _dots(own, written, sampler, points, yours)
    unknown += late
    return _framed(
        Curve(
            report.program,
            report.ties,
            name,
            own.fixed_texts,
            own.about,
            low,
            high,
            (0.0, 1.0),
            (0.0, 1.0),
            tuple(arcs),
            tuple(dots),
            strata,
            (*report.unknown, *unknown),
        )
    )


# where


def interval_of(own: Slice, report: StrataReport) -> tuple[float, float]:
    """What is shown where there are no limits, as far as the stratification tells."""
    (name,) = own.moving
    points, _ = _points(report, name)
    return frame([point.x for point in points], (None, None))


def _points(report: StrataReport, name: str) -> tuple[list[_Point], list[str]]:
    """The strata that are points, and what could not be placed."""
    found, unknown = [], []
    for stratum in report.strata:
        if stratum.dimension == 0:
            text = str(stratum.witness[name])
            x = float_of(text)
            if x is None:
                unknown.append(f"{stratum.id} is not drawn: there is no float for {text}")
            else:
                found.append(_Point(x, number_of(text), stratum))
    return found, unknown


def _cuts(report: StrataReport, name: str) -> list[float]:
    """Every real zero of a function that describes a stratum."""
    texts = dict.fromkeys(text for stratum in report.strata for text in functions_of(stratum))
    found: set[float] = set()
    for text in texts:
        try:
            function = polynomial(text, name)
        except NotRational:
            continue  # its zeros are strata of dimension 0, or found in floats
        if function.degree() > 0:
            found |= {float(root.real.mid()) for root, _ in function.complex_roots() if root.imag.contains(0)}
    return sorted(found)


def _in_domain(
    sampler: Sampler, low: float, high: float, limits: tuple[Fraction | None, Fraction | None]
) -> tuple[float, float]:
    """The frame without what is far outside the domain, where nobody asked for it."""
    xs = np.linspace(low, high, 801)
    held = np.flatnonzero(sampler.at(xs[:, None]).domain)
    if not len(held) or len(held) == len(xs):
        return low, high
    margin = 0.06 * (high - low)
    if limits[0] is None:
        low = max(low, float(xs[held[0]]) - margin)
    if limits[1] is None:
        high = min(high, float(xs[held[-1]]) + margin)
    return low, high


# arcs


def _arcs(
    report: StrataReport,
    name: str,
    sampler: Sampler,
    low: float,
    high: float,
    cuts: Sequence[float],
    points: Sequence[_Point],
) -> list[Arc]:
    marks = {point.x for point in points}
    places = [low, *(cut for cut in cuts if low < cut < high), high]
    places = [place for place, before in zip(places, [None, *places[:-1]], strict=True) if place != before]
    known: list[tuple[float, float, StratumReport | None]] = []
    for a, b in pairwise(places):
        stratum = _stratum_at(report, name, a, b)
        joined = known and known[-1][2] is stratum and stratum is not None and a not in marks
        if joined:
            known[-1] = (known[-1][0], b, stratum)
        else:
            known.append((a, b, stratum))
    found = []
    for a, b, stratum in known:
        arc = _arc(sampler, a, b, stratum, high - low)
        if arc is not None:
            found.append(arc)
    return found


def _stratum_at(report: StrataReport, name: str, low: float, high: float) -> StratumReport | None:
    """The stratum of dimension 1 that has the middle of an interval."""
    middle = (Fraction(low) + Fraction(high)) / 2
    for stratum in report.strata:
        if stratum.dimension != 1:
            continue
        with suppress(NotRational):  # what is not proved to be there is not known to be
            if exactly(stratum, {name: middle}):
                return stratum
    return None


def _arc(
    sampler: Sampler, low: float, high: float, stratum: StratumReport | None, width: float
) -> Arc | None:
    """Samples, denser near the ends and where the curve bends; None outside the domain."""
    count = max(_LEAST, int(_SAMPLES * (high - low) / width))
    steps = (1 - np.cos(np.pi * np.linspace(0, 1, count + 2)[1:-1])) / 2
    near = np.array([1e-7, 1e-5, 1e-4, 5e-4])
    steps = np.unique(np.concatenate([near, steps, 1 - near]))
    xs = low + (high - low) * steps
    xs = np.unique(xs[(xs > low) & (xs < high)])
    samples = sampler.at(xs[:, None])
    if not samples.domain.any():
        return None
    for _ in range(_ROUNDS):
        bent = _bends(xs, samples.values) | _bends(xs, samples.ad[:, 0])
        if not bent.any() or len(xs) > _MOST:
            break
        xs = np.unique(np.concatenate([xs, ((xs[1:] + xs[:-1]) / 2)[bent]]))
        samples = sampler.at(xs[:, None])
    return Arc(
        "" if stratum is None else stratum.id,
        low,
        high,
        tuple(map(float, xs)),
        _numbers(samples.values, samples.domain),
        _numbers(samples.ad[:, 0], samples.domain),
        "unknown" if stratum is None else stratum.verdict,
    )


def _bends(xs: Floats, ys: Floats) -> Any:
    """The gaps between samples beside which the curve leaves its chord."""
    finite = np.isfinite(ys)
    if finite.sum() < 5:
        return np.zeros(len(xs) - 1, dtype=bool)
    low, high = np.quantile(ys[finite], [0.02, 0.98])
    height = max(high - low, 1e-12 * max(1.0, abs(high)))
    with np.errstate(all="ignore"):
        chord = ys[:-2] + (ys[2:] - ys[:-2]) * (xs[1:-1] - xs[:-2]) / (xs[2:] - xs[:-2])
        away = np.abs(ys[1:-1] - chord) > _FLATNESS * height
        away &= np.abs(ys[1:-1] - (low + high) / 2) < 3 * height
    found = np.zeros(len(xs) - 1, dtype=bool)
    found[:-1] |= away
    found[1:] |= away
    return found


def _numbers(ys: Floats, domain: Any) -> tuple[float | None, ...]:
    return tuple(float(y) if ok and np.isfinite(y) else None for y, ok in zip(ys, domain, strict=True))


# dots


def _dots(
    own: Slice, written: Written, sampler: Sampler, points: Sequence[_Point], yours: Any
) -> tuple[list[Dot], list[str]]:
    end = monotonic() + SECONDS_TO_COMPARE
    found, late = [], 0
    for point in points:
        presets: tuple[tuple[str, float | None], ...] = ()
        stratum = point.stratum
        tied = 0 in stratum.signs.values() or stratum.id.startswith("P") or stratum.verdict == "undefined"
        if tied and point.exact is not None:
            if _affordable(own, point.exact, end - monotonic()):
                presets = _presets(own, written, point.exact, yours)
            else:
                late += 1
        found.append(_dot(own, point, _value(own, sampler, point), presets))
    said = [f"{late} points are not compared under all presets: there was no time"] if late else []
    return found, said


def _affordable(own: Slice, exact: Any, seconds: float) -> bool:
    """Whether AD under every preset is likely to be done in time: it is tried under one of them."""
    start = monotonic()
    if seconds <= 0:
        return False
    with suppress(CFError):
        ad_at(own.program, own.point_at([exact]))
    return (monotonic() - start) * len(preset_names()) < seconds


def _value(own: Slice, sampler: Sampler, point: _Point) -> float | None:
    """f there: exactly where the point has a closed form, else at the nearest float."""
    found: float = sampler.at(np.array([[point.x]])).values[0]
    if point.exact is not None:
        with suppress(Undecided):
            values = run(own.program, own.point_at([point.exact]), EXACT)
            found = to_float(values[own.program.results[0].name][()])
    return float(found) if np.isfinite(found) else None


def _dot(
    own: Slice, point: _Point, value: float | None, presets: tuple[tuple[str, float | None], ...]
) -> Dot:
    stratum, (name,) = point.stratum, own.moving
    gradient, found = _truth(own, point)
    clarke = None
    if found:
        ends = [_entry(rows, name) for rows in found]
        if None not in ends:
            clarke = (
                min(end for end in ends if end is not None),
                max(end for end in ends if end is not None),
            )
    return Dot(
        stratum.id,
        point.x,
        value,
        _entry(stratum.ad, name),
        _entry(gradient, name),
        clarke,
        presets,
        stratum.verdict,
        stratum.artificial_critical,
    )


def _truth(own: Slice, point: _Point) -> tuple[Sequence[Row] | None, Sequence[Sequence[Row]] | None]:
    """The gradient and the Clarke subdifferential; where AD returns NaN, strata do not tell them, but `cfc at` does."""
    stratum = point.stratum
    if stratum.verdict == "undefined" and point.exact is not None:
        with suppress(CFError):
            effort = Effort(SECONDS_FOR_TRUTH, USUAL.cells)
            judged = at(own.program, own.point_at([point.exact]), own.program.preset, effort).judged
            return judged.gradient, judged.clarke if judged.clarke_complete and not judged.as_field else None
    return stratum.gradient, stratum.clarke


def _entry(rows: Sequence[Row] | None, name: str) -> float | None:
    """The derivative by an input as a finite float."""
    return None if not rows else finite(rows[0].get(name))


def finite(text: Nested | None) -> float | None:
    """A finite float for a text, or None."""
    found = float_of(text) if isinstance(text, str) else None
    return found if found is not None and np.isfinite(found) else None


def _presets(own: Slice, written: Written, exact: Any, yours: Any) -> tuple[tuple[str, float | None], ...]:
    """What backward AD returns there under each preset."""
    whole = own.whole_point([exact])
    try:
        report = comparison(written, lambda _: whole, yours=yours)
    except CFError:
        return ()
    (name, place), found = own.places[0], []
    for row in report.presets:
        number = None
        if row.backward is not None and own.output < len(row.backward):
            text: Any = row.backward[own.output][name]
            for k in place:
                text = text[k]
            number = finite(text)
        found.append((row.name, number))
    return tuple(found)


def _framed(own: Curve) -> Curve:
    """The curve with the ranges that are worth seeing, and without samples far outside of them."""
    values = [(x, y) for arc in own.arcs for x, y in zip(arc.xs, arc.values, strict=True) if y is not None]
    slopes = [(x, y) for arc in own.arcs for x, y in zip(arc.xs, arc.ad, strict=True) if y is not None]
    value_range = seen(values, [dot.value for dot in own.dots if dot.value is not None])
    marks: list[float] = []
    for dot in own.dots:
        marks += [y for y in (dot.ad, dot.gradient, *(dot.clarke or ())) if y is not None]
        marks += [y for _, y in dot.presets if y is not None]
    ad_range = seen(slopes, marks)
    arcs = tuple(
        replace(arc, values=_cut(arc.values, value_range), ad=_cut(arc.ad, ad_range)) for arc in own.arcs
    )
    return replace(own, arcs=arcs, value_range=value_range, ad_range=ad_range)


def _cut(ys: tuple[float | None, ...], shown: tuple[float, float]) -> tuple[float | None, ...]:
    """Without what is more than two heights of the picture away from it."""
    height = shown[1] - shown[0]
    low, high = shown[0] - 2 * height, shown[1] + 2 * height
    return tuple(y if y is not None and low <= y <= high else None for y in ys)
