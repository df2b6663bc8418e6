"""Where the strata of a map are not known: points with short numbers on its seams, judged exactly one by one.

A seam is a curve along which floats see a guard change its sign (maps.py). A short number near it may lie on it: exact
arithmetic says whether a guard is tied there, as `cfc at` does, and what AD is worth at that point. Nothing is said of
the rest of the seam.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from time import monotonic

import numpy as np

from cfcompiler.analyses.at import at
from cfcompiler.analyses.candidates import stratum_of
from cfcompiler.analyses.landscape import Effort
from cfcompiler.analyses.slices import Slice
from cfcompiler.analyses.tracing import Box, Path
from cfcompiler.errors import CFError
from cfcompiler.report import StratumReport

SECONDS, SECONDS_A_POINT = 8.0, 3.0
MOST_POINTS, MOST_TRIED = 6, 24
_STEPS = tuple(map(Fraction, "0 1 -1 1/2 -1/2 2 -2 3/2 -3/2 3 -3".split()))
_DENOMINATORS = (1, 2, 3, 4, 5)
_NEAR = 0.004  # of the picture: how far a short number may be from the seam that floats found


def judged_on(own: Slice, paths: Sequence[Path], box: Box) -> tuple[StratumReport, ...]:
    """Some points of the seams, as strata of dimension 0, "P1", "P2", ...; in turn one of each seam."""
    end = monotonic() + SECONDS
    found: list[StratumReport] = []
    tried: set[tuple[Fraction, Fraction]] = set()
    pending = [_short_points(path, box) for path in paths]
    while pending and len(found) < MOST_POINTS and len(tried) < MOST_TRIED and monotonic() < end:
        points = pending.pop(0)
        point = next((point for point in points if point not in tried), None)
        if point is None:
            continue
        tried.add(point)
        stratum = _judged(own, point, f"P{len(found) + 1}")
        found += [] if stratum is None else [stratum]
        pending.append(points)
    return tuple(found)


def _judged(own: Slice, point: tuple[Fraction, Fraction], name: str) -> StratumReport | None:
    """What is true at a point where a guard is tied; None where none is."""
    try:
        report = at(own.program, own.point_at(point), own.program.preset, Effort(SECONDS_A_POINT, 4096))
    except CFError:
        return None
    return stratum_of(report, own, point, name) if report.ties_here else None


def _short_points(path: Path, box: Box) -> Iterator[tuple[Fraction, Fraction]]:
    """Points with short numbers near the path: where it crosses x = 0, 1, 1/2, ... or y = 0, 1, 1/2, ..."""
    points = np.array(path)
    for step in _STEPS:
        for axis in (0, 1):
            side = points[:, axis] - float(step)
            crossed = np.flatnonzero((side[:-1] == 0) | (side[:-1] * side[1:] < 0))
            for k in crossed[:2]:
                part = side[k] / (side[k] - side[k + 1]) if side[k] != side[k + 1] else 0.0
                other = points[k, 1 - axis] + part * (points[k + 1, 1 - axis] - points[k, 1 - axis])
                low, high = box[1 - axis]
                short = _short(float(other), _NEAR * (high - low))
                if short is not None:
                    yield (step, short) if axis == 0 else (short, step)


def _short(x: float, near: float) -> Fraction | None:
    for most in _DENOMINATORS:
        number = Fraction(round(x * most), most)
        if abs(float(number) - x) <= near:
            return number
    return None
