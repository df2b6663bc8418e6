"""A function of one vector to its one-sided slopes at a point, each between two numbers.

A slope is the limit of q(h) = (f(h d) - f(0)) / h for h -> 0+. It is extrapolated from q at h, h/4, h/16, ...
(Richardson), and its error is what the scales say of each other plus what rounding can do. A larger h may sharpen what
a smaller one says and never contradict it, so that a kink beside the point is not taken for one at the point.

How noisy f is, is measured: fourth differences over short windows (after Hamming; Moré & Wild 2011, "Estimating
computational noise").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cfcompiler.gradient_check.callables import BlackBox, Vector

STEPS = 0.05 * 4.0 ** -np.arange(13)
# Windows in which noise is measured: how many, points of each, and how far apart. Where f does not move over so little,
# nothing is measured.
WINDOWS, POINTS, SPACINGS = 8, 9, (1e-10, 1e-8, 1e-6)
# Safety factors: for the standard deviation of noise, and for an error estimated from two scales.
NOISE_FACTOR, SCALE_FACTOR = 4.0, 2.0


@dataclass(frozen=True, slots=True)
class Noise:
    """A value v of f is off by at most `floor + relative * |v|`, as far as seen."""

    floor: float
    relative: float

    def of(self, *values: float) -> float:
        return self.floor + self.relative * max(abs(value) for value in values)


@dataclass(frozen=True, slots=True)
class Slope:
    """The slope along a direction is `value`, give or take `error`; `reach` is the largest |q(h)| that was seen, and up
    to the step `steady` q stays with its limit.

    `trouble` says why there is no slope: "jump", "growth", "not finite", or "" if there is one.
    """

    value: float
    error: float
    reach: float
    steady: float = 0.0
    trouble: str = ""

    @property
    def low(self) -> float:
        return self.value - self.error

    @property
    def high(self) -> float:
        return self.value + self.error


def measure_noise(box: BlackBox, random: np.random.Generator) -> Noise:
    """Around the point but off it, so that a kink at the point does not count as noise."""
    unit = box.precision()
    center = np.zeros(box.size)
    repeated = abs(box.value(center) - box.value(center))
    windows = [_window(box, random) for _ in range(WINDOWS)]
    seen = [(deviation, size) for deviation, size in windows if np.isfinite(deviation)]
    if not seen:
        return Noise(0.0, 2 * unit)
    deviation = NOISE_FACTOR * float(np.quantile([deviation for deviation, _ in seen], 0.75))
    size = float(np.median([size for _, size in seen]))
    if repeated == 0 and deviation <= 50 * unit * size:
        return Noise(0.0, max(2 * unit, deviation / size if size else 0.0))
    return Noise(max(deviation, NOISE_FACTOR * repeated), 2 * unit)


def _window(box: BlackBox, random: np.random.Generator) -> tuple[float, float]:
    """The standard deviation of the noise in one window, and the size of f there."""
    away = random.standard_normal(box.size) * 10.0 ** random.uniform(-4, -2)
    direction = random.choice((-1.0, 1.0), box.size) * random.uniform(0.5, 1, box.size)
    deviations, size = [], float("nan")
    for spacing in SPACINGS:
        values = np.array([box.value(away + step * spacing * direction) for step in range(POINTS)])
        size = float(np.max(np.abs(values)))
        if np.isfinite(values).all() and np.count_nonzero(np.diff(values) == 0) < POINTS // 2:
            # The variance of a fourth difference of independent numbers is binomial(8, 4) = 70 times theirs.
            deviations.append(float(np.sqrt(np.mean(np.diff(values, 4) ** 2) / 70)))
    # Noise is the same at all spacings; what f itself does over a window is less in the small ones.
    return min(deviations, default=0.0 if np.isfinite(size) else float("nan")), size


def one_sided_slope(box: BlackBox, noise: Noise, start: float, direction: Vector) -> Slope:
    """The slope at the point along `direction` (in units of the scale, at most some 1 long)."""
    values = np.array([box.value(step * direction) for step in STEPS])
    errors = np.array([noise.of(start, value) for value in values]) * 2
    finite = np.isfinite(values)
    if not finite[-3:].all():
        return Slope(0.0, np.inf, np.inf, trouble="not finite")
    first = int(np.flatnonzero(~finite)[-1]) + 1 if not finite.all() else 0
    steps, changes, errors = STEPS[first:], (values - start)[first:], errors[first:]
    quotients = changes / steps
    reach = float(np.max(np.abs(quotients[errors <= 0.1 * np.abs(changes)]), initial=0.0))
    if _jumps(changes, errors):
        return Slope(0.0, np.inf, reach, trouble="jump")
    clear = errors <= 0.02 * np.abs(changes)
    if grows(np.abs(quotients[clear])):
        return Slope(0.0, np.inf, reach, trouble="growth")
    value, error = _extrapolate(quotients, errors / steps)
    reach = max(reach, abs(value))
    stray = np.flatnonzero(np.abs(quotients - value) > 0.25 * reach + errors / steps)
    steady = float(steps[stray[-1] + 1]) if stray.size and stray[-1] + 1 < steps.size else float(steps[0])
    return Slope(value, error, reach, steady)


def _jumps(changes: Vector, errors: Vector) -> bool:
    """Whether f stays away from its value at the point however near one comes."""
    last = np.abs(changes[-4:])
    clear = bool((last > 10 * errors[-4:]).all())
    return clear and bool(last.min() > 0.9 * last.max())


def grows(sizes: Vector) -> bool:
    """Whether a sequence that should have a limit grows instead, by steps that do not become less."""
    last = sizes[-7:]
    increments = np.diff(last)
    if last.size < 5 or (increments <= 0).any():
        return False
    return bool((increments[1:] >= 0.95 * increments[:-1]).all()) and last[-1] > 1.3 * last[0]


def _extrapolate(quotients: Vector, roundings: Vector) -> tuple[float, float]:
    """The limit of q(h), from the smallest h up, and how far off it may be."""
    candidates = _candidates(quotients, roundings)
    best, error = candidates[0]
    low, high = best - error, best + error
    for value, bound in candidates[1:]:
        if value - bound > high or value + bound < low:
            break
        low, high = max(low, value - bound), min(high, value + bound)
        if bound < error:
            best, error = value, bound
    return best, error


def _candidates(quotients: Vector, roundings: Vector) -> list[tuple[float, float]]:
    """Estimates with error bounds, the smallest h first; columns of Richardson's table with ratio 4."""
    columns = [quotients]
    for order in (1, 2):
        weight = 4.0**order
        before = columns[-1]
        columns.append((weight * before[1:] - before[:-1]) / (weight - 1))
    found = []
    for place in range(len(quotients) - 1, 1, -1):
        options = []
        # Weights of the extrapolation magnify rounding by at most 5/3 and 17/15, of q at this h and four times it.
        for order, column in enumerate(columns[: 3 if place > 2 else 2]):
            index = place - order
            change = abs(column[index] - column[index - 1])
            options.append((float(column[index]), SCALE_FACTOR * float(change) + 2 * float(roundings[place])))
        found.append(min(options, key=lambda option: option[1]))
    return found
