"""Where the strata of a slice with one input are not known: points that floats make likely, each judged exactly.

A guard that changes its sign between two samples, or a value that stops to be finite, is pinned down in floats. A
number with a short text near by is then judged in exact arithmetic, as `cfc at` judges. What no short number names is a
seam: the curve is cut there, and nothing is said about the point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import Any

import numpy as np

from cfcompiler.analyses.at import at
from cfcompiler.analyses.landscape import Effort
from cfcompiler.analyses.sampling import Sampler, Samples
from cfcompiler.analyses.slices import Slice
from cfcompiler.errors import CFError
from cfcompiler.number_text import to_text
from cfcompiler.report import PointReport, StratumReport

SECONDS, SECONDS_A_POINT = 20.0, 5.0
MOST_POINTS = 24
_GRID = 400  # steps; the ends of a frame are round, so that round numbers are among the samples
_DENOMINATORS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 25, 50, 100, 1000)
_STEP = 0.7  # of a difference between two samples: what is left of it at a jump, however near they are
_NEAR = 1e-7  # of the width: how far a short number may be from what floats found


@dataclass(frozen=True, slots=True)
class Judged:
    """A point, judged by itself."""

    x: float
    exact: Any
    stratum: StratumReport


def candidates(
    own: Slice, sampler: Sampler, low: float, high: float, known: Sequence[float]
) -> tuple[tuple[Judged, ...], list[float], list[str]]:
    """The points that were judged, the seams that have no short number, and what is to be said of them."""
    width = high - low
    places = [
        x for x in _places(sampler, low, high) if all(abs(x - other) > _NEAR * width for other in known)
    ]
    end = monotonic() + SECONDS
    judged: list[Judged] = []
    seams: list[float] = []
    open_ones: list[float] = []
    unjudged = 0
    for x in places:
        if len(judged) >= MOST_POINTS or monotonic() > end:
            unjudged += 1
            seams.append(x)
            continue
        found = _judged(own, x, _NEAR * width, f"P{len(judged) + 1}")
        if found is None:
            seams.append(x)
            open_ones += [] if _ends(sampler, x, _NEAR * width) else [x]
        else:
            judged.append(found)
    said = [f"{unjudged} points are not judged: there was no time"] if unjudged else []
    if open_ones:
        (name,) = own.moving
        listed = ", ".join(f"{x:.6g}" for x in open_ones[:6]) + (", ..." if open_ones[6:] else "")
        said.append(f"the pieces change near {name} = {listed}, at points that no short number names")
    return tuple(judged), seams, said


def _places(sampler: Sampler, low: float, high: float) -> list[float]:
    """Where floats see a tie, a change of sign, or an end of what is finite."""
    xs = np.linspace(low, high, _GRID + 1)
    samples = sampler.at(xs[:, None])
    state = _state(samples)
    found: list[float] = []
    changed = np.any(state[1:] != state[:-1], axis=1)
    for k in np.flatnonzero(changed):
        found += _pinned(sampler, float(xs[k]), float(xs[k + 1]), state[k], state[k + 1])
    for k in np.flatnonzero(~changed):
        found += _jump(sampler, float(xs[k]), float(xs[k + 1]), samples.values[k], samples.values[k + 1])
    merged: list[float] = []
    for x in sorted(found):
        if not merged or x - merged[-1] > _NEAR * (high - low):
            merged.append(x)
    return merged


def _state(samples: Samples) -> Any:
    """What must not change within a piece: the signs, and what is finite."""
    finite = np.stack(
        [np.isfinite(samples.values), np.all(np.isfinite(samples.ad), axis=1), samples.domain], axis=1
    )
    return np.concatenate([samples.signature, finite.astype(np.int8)], axis=1)


def _pinned(sampler: Sampler, low: float, high: float, before: Any, after: Any) -> Iterator[float]:
    """The places in [low, high] where the state changes, by halving; several where it changes more than once."""
    pending = [(low, high, before, after)]
    while pending:
        a, b, first, last = pending.pop()
        middle = (a + b) / 2
        if not a < middle < b or b - a <= 1e-15 * max(abs(a), abs(b), high - low):
            yield a if abs(a) <= abs(b) and a == 0.0 else b
            continue
        state = _state(sampler.at(np.array([[middle]])))[0]
        parts = [(a, middle, first, state), (middle, b, state, last)]
        changed = [part for part in parts if np.any(part[2] != part[3])]
        pending += changed
        if len(pending) > 8:
            return


def _jump(sampler: Sampler, low: float, high: float, first: float, last: float) -> Iterator[float]:
    """The place in [low, high] where the value steps, although no guard tells: floor and the like; by halving."""
    least = _STEP * abs(last - first)
    for _ in range(50):
        if not abs(last - first) > max(least, 1e-9 * max(abs(first), abs(last))):
            return  # NaN too
        middle = (low + high) / 2
        value = float(sampler.at(np.array([[middle]])).values[0])
        if abs(value - first) >= abs(last - value):
            high, last = middle, value
        else:
            low, first = middle, value
    yield high


def _ends(sampler: Sampler, x: float, near: float) -> bool:
    """Whether x is an end of the domain, where there is nothing to judge."""
    held = sampler.at(np.array([[x - near], [x + near]])).domain
    return bool(held[0] != held[1])


def _judged(own: Slice, x: float, near: float, name: str) -> Judged | None:
    """A short number near x at which a guard is tied or AD is not the gradient, as a stratum; None without one."""
    for number in _short(x, near):
        try:
            report = at(
                own.program, own.point_at([number]), own.program.preset, Effort(SECONDS_A_POINT, 4096)
            )
        except CFError:
            continue
        if report.ties_here or report.judged.verdict != "exact":
            return Judged(float(number), number, stratum_of(report, own, [number], name))
    return None


def _short(x: float, near: float) -> Iterator[Fraction]:
    seen = set()
    for most in _DENOMINATORS:
        number = Fraction(round(x * most), most)
        if number not in seen and abs(float(number) - x) <= near:
            seen.add(number)
            yield number


def stratum_of(report: PointReport, own: Slice, point: Sequence[Fraction], name: str) -> StratumReport:
    """What is said of one point, as a stratum of dimension 0; the signs of its guards are not in it."""
    judged = report.judged
    settled = judged.verdict not in ("unknown", "undefined", "discontinuous")
    clarke = judged.clarke if settled and judged.clarke_complete and not judged.as_field else None
    return StratumReport(
        name,
        0,
        {},
        tuple(_equation(moving, x) for moving, x in zip(own.moving, point, strict=True)),
        (),
        {moving: to_text(x) for moving, x in zip(own.moving, point, strict=True)},
        report.backward,
        judged.gradient if settled else None,
        clarke,
        judged.verdict,
        judged.ad_critical,
        judged.artificial_critical,
        judged.reason,
        judged.trust,
        judged.near_jump,
    )


def _equation(name: str, x: Fraction) -> str:
    if not x:
        return name
    return f"{name} - {to_text(x)}" if x > 0 else f"{name} + {to_text(-x)}"
