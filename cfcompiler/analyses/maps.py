"""A slice with two inputs that move -> Map: which stratum is where, its curves and points, and the field of descent.

Every stratum is described by equations and inequalities that hold on it and nowhere else; they are evaluated in floats
for each pixel, and traced for each curve. Nothing of the answer rests on these floats: they only draw it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.analyses.formula_values import NotRational, floats, inside
from cfcompiler.analyses.frames import frame
from cfcompiler.analyses.sampling import Floats, Sampler
from cfcompiler.analyses.seam_points import judged_on
from cfcompiler.analyses.slices import Slice
from cfcompiler.analyses.tracing import Box, Path, kept, sign_of, traced
from cfcompiler.analyses.trajectories import descents, witness_floats
from cfcompiler.report import Line, Map, Spot, StrataReport, StratumReport

# Different, and not multiples of each other: the middles of pixels keep off the usual seams x = y, x = -y.
COLUMNS, ROWS = 128, 120
ARROWS = 16
MOST_LINES = 200
_SMALLER = 11  # how many times ten a curve may be smaller than the picture

Limits = Sequence[tuple[Fraction | None, Fraction | None]]


def map_of(own: Slice, report: StrataReport, sampler: Sampler, limits: Limits) -> Map:
    """The map of a slice whose stratification is `report`, within the `limits` or where there is something to see."""
    box = box_of(own, report, limits)
    unknown = []
    lines, missing = _lines(own, report, box)
    if missing:
        unknown.append("not found in floats, and not drawn: " + ", ".join(missing))
    raster, values = _raster(own, report, sampler, box)
    if not report.complete:
        seams = _seams(own, lines, report, sampler, box)
        lines = (*lines, *seams)
        judged = judged_on(own, [path for seam in seams for path in seam.paths], box)
        report = replace(report, strata=(*report.strata, *judged))
    arrows = _arrows(sampler, box)
    paths, step = descents(own, report, lines, sampler, box, arrows)
    spots = []
    for stratum in report.strata:
        if stratum.dimension == 0:
            place = witness_floats(own, stratum)
            if place is None:
                unknown.append(f"{stratum.id} is not drawn: its point has no float")
            elif all(low <= x <= high for x, (low, high) in zip(place, box, strict=True)):
                spots.append(Spot(stratum.id, place, stratum.verdict, stratum.artificial_critical))
    first, second = own.moving
    return Map(
        report.program,
        report.ties,
        (first, second),
        own.fixed_texts,
        own.about,
        box,
        raster,
        values,
        lines,
        tuple(spots),
        tuple((float(x), float(y), float(u), float(v)) for x, y, u, v in arrows),
        paths,
        step,
        report.strata,
        (*report.unknown, *unknown),
    )


# where


def box_of(own: Slice, report: StrataReport, limits: Limits) -> Box:
    """What is shown: the limits; else around all points, grown to a witness of every curve that would not be seen."""
    places = {
        stratum.id: place for stratum in report.strata if (place := witness_floats(own, stratum)) is not None
    }
    marks = [
        places[stratum.id] for stratum in report.strata if stratum.dimension == 0 and stratum.id in places
    ]
    box = _around(marks, limits)
    if any(None in interval for interval in limits):
        unseen = [
            places[stratum.id]
            for stratum in report.strata
            if stratum.dimension == 1 and stratum.id in places and not _seen(own, stratum, box)
        ]
        if unseen:
            box = _around([*marks, *unseen], limits)
    return box


def _around(marks: Sequence[tuple[float, float]], limits: Limits) -> Box:
    x, y = (frame([mark[k] for mark in marks], limits[k]) for k in range(2))
    wide, high = x[1] - x[0], y[1] - y[0]
    if None in limits[0] and limits[0] == limits[1] and not 0.25 < wide / high < 4:  # one scale for both
        half = max(wide, high) / 2
        x, y = ((sum(own) / 2 - half, sum(own) / 2 + half) for own in (x, y))
    return x, y


def _seen(own: Slice, stratum: StratumReport, box: Box) -> bool:
    return bool(_paths(own, stratum, box, 41))


# curves


def _lines(own: Slice, report: StrataReport, box: Box) -> tuple[tuple[Line, ...], list[str]]:
    """The curves, and the ids of those with a witness in the box of which nothing was found."""
    found, missing = [], []
    for stratum in [own for own in report.strata if own.dimension == 1][:MOST_LINES]:
        paths = _paths(own, stratum, box) or _near_witness(own, stratum, box)
        if paths:
            found.append(Line(stratum.id, paths, stratum.verdict, stratum.artificial_critical))
        elif _has_witness(own, stratum, box):
            missing.append(stratum.id)
    return tuple(found), missing


def _has_witness(own: Slice, stratum: StratumReport, box: Box) -> bool:
    place = witness_floats(own, stratum)
    return place is not None and all(low < x < high for x, (low, high) in zip(place, box, strict=True))


def _paths(own: Slice, stratum: StratumReport, box: Box, cells: int | None = None) -> tuple[Path, ...]:
    sign = sign_of(stratum.equations, own.moving)
    try:
        paths = traced(sign, box) if cells is None else traced(sign, box, cells)
        reach = max(high - low for low, high in box) / (cells or 173)
        parts = [part for path in paths for part in kept(path, _within(own, stratum), sign, reach)]
    except NotRational:
        return ()
    return tuple(part for part in parts if len(part) > 1)


def _within(own: Slice, stratum: StratumReport) -> Any:
    def held(points: Floats) -> Any:
        found = inside(stratum, dict(zip(own.moving, points.T, strict=True)))
        return np.broadcast_to(found, (len(points),))

    return held


def _near_witness(own: Slice, stratum: StratumReport, box: Box) -> tuple[Path, ...]:
    """A curve that is smaller than a cell: traced in a small box around its witness."""
    place = witness_floats(own, stratum)
    if place is None or not _has_witness(own, stratum, box):
        return ()
    for size in (0.02 / 10**k for k in range(_SMALLER)):
        half = [size * (high - low) for low, high in box]
        small = ((place[0] - half[0], place[0] + half[0]), (place[1] - half[1], place[1] + half[1]))
        paths = _paths(own, stratum, small)
        if paths:
            return paths
    return ()


def _seams(
    own: Slice, lines: Sequence[Line], report: StrataReport, sampler: Sampler, box: Box
) -> tuple[Line, ...]:
    """Where float signs change and no stratum is known that says so."""
    known = [stratum.equations for stratum in report.strata if stratum.dimension == 1 and stratum.equations]
    guards = sampler.at(np.array([[sum(own) / 2 for own in box]])).signature.shape[1]
    found: list[Path] = []

    for guard in range(min(guards, 40)):

        def sign(points: Floats, guard: int = guard) -> Any:
            signs = sampler.at(points).signature[:, guard]
            return np.where(np.abs(signs) <= 1, np.where(signs >= 0, 1, -1), 0)

        for path in traced(sign, box, 61):
            points = dict(zip(own.moving, np.array(path).T, strict=True))
            new = np.ones(len(path), dtype=bool)
            for equations in known:
                new &= np.abs(floats(equations[0], points)) > 1e-7
            for other in found:
                new &= _far(np.array(path), np.array(other), box)
            if new.mean() > 0.5:
                found.append(path)
    return (Line("", tuple(found), "unknown", None),) if found else ()


def _far(path: Floats, other: Floats, box: Box) -> Any:
    """Which points of a path are not on another one, seen from afar."""
    width = max(high - low for low, high in box)
    apart = np.abs(path[:, None, :] - other[None, :, :]).max(axis=2).min(axis=1)
    return apart > 0.002 * width


# areas


def _raster(
    own: Slice, report: StrataReport, sampler: Sampler, box: Box
) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[float | None, ...], ...]]:
    """The place of the open stratum at the middle of each pixel, or beside it where a curve goes through; and f."""
    (left, right), (low, high) = box
    xs = left + (right - left) * (np.arange(COLUMNS) + 0.5) / COLUMNS
    ys = low + (high - low) * (np.arange(ROWS) + 0.5) / ROWS
    points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    samples = sampler.at(points)
    raster = _open_strata(own, report, points)
    aside = points + np.array([0.011 * (right - left) / COLUMNS, 0.007 * (high - low) / ROWS])
    raster = np.where(raster < 0, _open_strata(own, report, aside), raster)
    raster = np.where(samples.domain, raster, -1).reshape(ROWS, COLUMNS)
    shown = samples.domain & np.isfinite(samples.values)
    values = [float(v) if ok else None for v, ok in zip(samples.values, shown, strict=True)]
    return (
        tuple(tuple(map(int, row)) for row in raster),
        tuple(tuple(values[k * COLUMNS : (k + 1) * COLUMNS]) for k in range(ROWS)),
    )


def _open_strata(own: Slice, report: StrataReport, points: Floats) -> Any:
    found = np.full(len(points), -1)
    coordinates = dict(zip(own.moving, points.T, strict=True))
    for place, stratum in enumerate(report.strata):
        if stratum.dimension == 2 and not stratum.equations:
            try:
                held = inside(stratum, coordinates)
            except NotRational:
                continue
            found = np.where((found < 0) & held, place, found)
    return found


def _arrows(sampler: Sampler, box: Box) -> Any:
    (left, right), (low, high) = box
    steps = (np.arange(ARROWS) + 0.5) / ARROWS
    points = np.stack(
        np.meshgrid(left + (right - left) * steps, low + (high - low) * steps), axis=-1
    ).reshape(-1, 2)
    samples = sampler.at(points)
    shown = samples.domain & np.all(np.isfinite(samples.ad), axis=1)
    return np.concatenate([points[shown], -samples.ad[shown]], axis=1)
