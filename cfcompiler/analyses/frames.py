"""Which part of the line or of the plane is worth seeing: intervals for a picture, in floats."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor, log10

import numpy as np

USUAL = 2.0


def frame(marks: Sequence[float], limits: tuple[Fraction | None, Fraction | None]) -> tuple[float, float]:
    """An interval with all `marks` well inside it; the `limits` that are given are its ends.

    [-2, 2] where all marks are near the middle of it; else from the first to the last mark, and half as much more on
    both sides, with round ends.
    """
    low, high = _free(marks)
    low = low if limits[0] is None else float(limits[0])
    high = high if limits[1] is None else float(limits[1])
    if low >= high:  # one limit is given, and all marks are beyond it
        width = max(1.0, abs(low)) * USUAL
        low, high = (high - width, high) if limits[0] is None else (low, low + width)
    return low, high


def _free(marks: Sequence[float]) -> tuple[float, float]:
    finite = sorted({mark for mark in marks if np.isfinite(mark)})
    if not finite:
        return -USUAL, USUAL
    first, last = finite[0], finite[-1]
    span = last - first
    if first >= -0.75 * USUAL and last <= 0.75 * USUAL and (span == 0 or span >= 0.25 * USUAL):
        return -USUAL, USUAL
    if span == 0:
        return first - USUAL, last + USUAL
    margin = span / 2
    digit = 10.0 ** floor(log10(span))
    step = digit / 2 if span >= 2 * digit else digit / 10
    return float(np.floor((first - margin) / step) * step), float(np.ceil((last + margin) / step) * step)


def seen(samples: Sequence[tuple[float, float]], marks: Sequence[float]) -> tuple[float, float]:
    """The heights that are worth seeing of a curve given by (x, y): without poles, with all `marks`."""
    if not samples:
        return _padded(min(marks, default=0.0), max(marks, default=0.0))
    xs, ys = (np.array(column) for column in zip(*sorted(samples), strict=True))
    even = np.interp(np.linspace(xs[0], xs[-1], 500), xs, ys)
    low, high = np.quantile(even, [0.03, 0.97])
    spread = max(high - low, 0.0)
    low, high = max(float(ys.min()), low - spread), min(float(ys.max()), high + spread)
    return _padded(min([low, *marks]), max([high, *marks]))


def _padded(low: float, high: float) -> tuple[float, float]:
    if high - low <= 1e-9 * max(abs(low), abs(high), 1.0):
        size = 0.5 if abs(low) < 1 else 0.5 * abs(low)
        return low - size, high + size
    return low, high
