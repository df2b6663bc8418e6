"""A point to the slopes of f there, along the coordinates, random directions and the most telling one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cfcompiler.gradient_check.callables import BlackBox, Vector
from cfcompiler.gradient_check.slopes import Noise, Slope, one_sided_slope

RANDOM_DIRECTIONS = 8
# A gradient at a smooth point may be off by this part of each entry.
SMOOTH_TOLERANCE = 1e-5
# And by this part of the largest slope seen along the coordinate, which may be far larger than that at the point.
REACH_TOLERANCE = 1e-11
# Slopes that belong together differ by less than this part of their size; those at a kink differ by more.
KINK_TOLERANCE = 1e-4
# A slope that is less sure than this part of what it is compared with has not settled.
MOST_ERROR = 0.02
# Slopes are known well enough if those at this step are: noise that hides them there hides everything.
COARSE_STEP = 1e-3
# The largest distance at which gradients are looked for, and how much nearer it can be brought.
FARTHEST, LEAST_ZOOM = 1e-2, 1e-5


@dataclass(frozen=True, slots=True)
class Local:
    """Slopes at the point forwards (`ahead`) and backwards (`behind`) along the rows of `directions`.

    The coordinates come first. `central` has the means of their two sides, and `errors` how far off these are.
    """

    box: BlackBox
    start: float
    noise: Noise
    gradient: Vector
    directions: Vector
    ahead: tuple[Slope, ...]
    behind: tuple[Slope, ...]
    central: Vector
    errors: Vector

    @property
    def reaches(self) -> Vector:
        """The largest slope seen along each direction."""
        return np.array(
            [max(one.reach, other.reach) for one, other in zip(self.ahead, self.behind, strict=True)]
        )

    @property
    def size(self) -> float:
        """The largest slope seen along any direction."""
        return float(self.reaches.max())

    @property
    def rounding(self) -> float:
        """A sum over entries of a gradient may leave rounding of this size in each of them."""
        values = max(abs(self.start), self.size)
        part = self.noise.of(self.start, self.size) / values if values else 0.0
        return max(1e-12, 10 * part) * self.size

    @property
    def allowed(self) -> Vector:
        """How far each entry may be from that of a gradient, if f is differentiable."""
        relative = SMOOTH_TOLERANCE * np.abs(self.central) + REACH_TOLERANCE * self.reaches[: self.box.size]
        return np.asarray(relative + self.errors + self.rounding)

    @property
    def tolerance(self) -> float:
        """How well gradients nearby are to be confirmed, in parts of their size."""
        ratio = self.noise.of(self.start, self.size) / self.size if self.size else 0.0
        return max(KINK_TOLERANCE, 3 * float(np.sqrt(ratio)))

    @property
    def zoom(self) -> float:
        """What part of the usual distances is near: over more than that f is another function altogether."""
        if not self.settled:
            return 1.0
        steady = min(slope.steady for slope in self.ahead + self.behind)
        return float(np.clip(steady / FARTHEST, LEAST_ZOOM, 1.0))

    @property
    def trouble(self) -> tuple[str, Vector] | None:
        """Why there are no slopes along some direction."""
        for sign, slopes in ((1.0, self.ahead), (-1.0, self.behind)):
            for direction, slope in zip(self.directions, slopes, strict=True):
                if slope.trouble:
                    return slope.trouble, sign * direction
        return None

    @property
    def settled(self) -> bool:
        """Whether slopes are known well enough, or f is as good as constant."""
        largest = float(self.errors.max())
        known = largest <= MOST_ERROR * max(self.size, float(np.abs(self.gradient).max()))
        return known or largest <= 2000 * self.noise.of(self.start, self.size)

    @property
    def noisy(self) -> bool:
        """Whether noise alone makes slopes too unsure to compare anything with them."""
        largest = float(self.errors.max())
        compared = max(self.size, float(np.abs(self.gradient).max()))
        level = self.noise.of(self.start)
        hidden = 2 * level > MOST_ERROR * compared * COARSE_STEP and level > 1e-12 * abs(self.start)
        return hidden and largest > MOST_ERROR * compared

    def bent(self) -> int | None:
        """The direction along which slopes are least those of one linear map, if they are not."""
        worst, found = 1.0, None
        for place, direction in enumerate(self.directions):
            one, other = self.ahead[place], self.behind[place]
            weights = np.abs(direction)
            spread = KINK_TOLERANCE * max(self.reaches[place], float(weights @ np.abs(self.central)))
            gaps = (
                (abs(one.value + other.value), one.error + other.error),
                (abs(one.value - float(direction @ self.central)), one.error + float(weights @ self.errors)),
            )
            for gap, error in gaps:
                ratio = gap / (2 * error + spread) if gap else 0.0
                if ratio > worst:
                    worst, found = ratio, place
        return found


def look(box: BlackBox, start: float, noise: Noise, gradient: Vector, random: np.random.Generator) -> Local:
    unit = np.eye(box.size)
    ahead, behind = _both_sides(box, noise, start, unit)
    pairs = list(zip(ahead, behind, strict=True))
    central = np.array([(one.value - other.value) / 2 for one, other in pairs])
    errors = np.array([(one.error + other.error) / 2 for one, other in pairs])
    more = [random.standard_normal(box.size) for _ in range(RANDOM_DIRECTIONS)]
    telling = gradient - central
    if np.isfinite(telling).all() and telling.any():
        more.append(telling)
    if box.size == 1:
        return Local(box, start, noise, gradient, unit, ahead, behind, central, errors)
    extra = np.array([direction / np.linalg.norm(direction) for direction in more])
    ahead_too, behind_too = _both_sides(box, noise, start, extra)
    directions = np.vstack([unit, extra])
    return Local(
        box, start, noise, gradient, directions, ahead + ahead_too, behind + behind_too, central, errors
    )


def _both_sides(
    box: BlackBox, noise: Noise, start: float, directions: Vector
) -> tuple[tuple[Slope, ...], tuple[Slope, ...]]:
    ahead = tuple(one_sided_slope(box, noise, start, direction) for direction in directions)
    return ahead, tuple(one_sided_slope(box, noise, start, -direction) for direction in directions)
