"""A point to gradients of f arbitrarily near it: each the limit along a curve into the point.

A curve is z(R) = sum of c_i R^(p_i) b_i for R -> 0 in an orthonormal basis b with exponents p_i >= 1. With unequal
exponents it stays in a thin cell, such as 0 < y < x^2, that rays into the point leave. At some points of the curve
the gradient is taken: the user's own, if differences of f there confirm it, else by differences that stay on one side
of every kink. Differences are taken for one group of coordinates of equal exponent at a time, so that a coordinate
which moves f little, because the curve comes in along it, is checked as sharply as the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cfcompiler.gradient_check.callables import BlackBox, Vector
from cfcompiler.gradient_check.slopes import Noise, grows

RADII = 10.0 ** -np.arange(2.0, 7.0)
EXPONENTS = (1.0, 1.6, 2.4, 3.4)
# Differences reach this part of the way to where a coordinate is 0, or if there is a kink in between, that.
REACHES = (0.1, 0.01, 0.001)
PROBES = 2
# Above so many coordinates a gradient is not taken by differences.
LARGEST = 100


@dataclass(frozen=True, slots=True)
class Curve:
    """z(R) = basis @ (factors * R ** exponents); the rows of `basis.T` are orthonormal."""

    basis: Vector
    factors: Vector
    exponents: Vector

    def offsets(self, radius: float) -> Vector:
        return np.asarray(self.factors * radius**self.exponents)


@dataclass(frozen=True, slots=True)
class Nearby:
    """What a curve found: the limit of its gradients, if it is sure, and whether gradients or values have no limit."""

    gradient: Vector | None
    error: Vector | None
    trouble: str = ""


def follow(
    box: BlackBox, noise: Noise, start: float, curve: Curve, *, tolerance: float, bound: float, zoom: float
) -> Nearby:
    """`tolerance`: how far a gradient may be from what differences say of it; gradients shorter than `bound` are not
    taken for the beginning of unbounded ones. `zoom`: what to multiply distances by."""
    gradients: list[tuple[float, Vector]] = []
    changes: list[float] = []
    lost = False
    for radius in zoom * RADII:
        offsets = curve.offsets(radius)
        value = box.value(curve.basis @ offsets)
        if not np.isfinite(value):
            continue
        if abs(value - start) > 10 * noise.of(value, start):
            changes.append(abs(value - start))
        # Where noise has begun to hide differences, it hides them further on as well.
        gradient = None if lost else _gradient(box, noise, curve, offsets, tolerance)
        if gradient is not None:
            gradients.append((radius, gradient))
        lost = gradient is None and len(gradients) > 1
    if len(changes) == len(RADII) and min(changes[-3:]) > 0.5 * max(changes):
        return Nearby(None, None, "jump")
    sizes = np.array([np.linalg.norm(gradient) for _, gradient in gradients])
    if grows(sizes) and sizes[-1] > max(3 * sizes[0], bound):
        return Nearby(None, None, "growth")
    return _limit(gradients)


def _limit(gradients: list[tuple[float, Vector]]) -> Nearby:
    """From the last two, as if the rest of the way were linear in the radius. One alone may be in a cell that ends."""
    if len(gradients) < 2:
        return Nearby(None, None)
    (far, before), (near, last) = gradients[-2:]
    correction = (last - before) * (near / (far - near))
    return Nearby(last + correction, np.abs(correction))


def _gradient(box: BlackBox, noise: Noise, curve: Curve, offsets: Vector, tolerance: float) -> Vector | None:
    """The gradient at a point of a curve, if it is sure."""
    center = curve.basis @ offsets
    given = box.gradient(center)
    groups = [curve.exponents == exponent for exponent in np.unique(curve.exponents)]
    if given is not None and np.isfinite(given).all():
        along = curve.basis.T @ given
        random = np.random.default_rng(0)
        probes = [
            np.where(group, offsets, 0.0)
            * random.choice((-1.0, 1.0), offsets.size)
            * random.uniform(0.5, 1, offsets.size)
            for group in groups
            for _ in range(PROBES)
        ]
        if all(_confirmed(box, noise, curve, center, along, probe, tolerance) for probe in probes):
            return given
    if box.size > LARGEST:
        return None
    return _by_differences(box, noise, curve, center, offsets, tolerance)


def _confirmed(
    box: BlackBox, noise: Noise, curve: Curve, center: Vector, along: Vector, probe: Vector, tolerance: float
) -> bool:
    allowed = tolerance * float(np.linalg.norm(probe))
    for reach in REACHES:
        found = _difference(box, noise, center, curve.basis @ probe, reach)
        if found is not None and found[1] <= allowed:
            return bool(abs(found[0] - along @ probe) <= allowed + found[1])
    return False


def _by_differences(
    box: BlackBox, noise: Noise, curve: Curve, center: Vector, offsets: Vector, tolerance: float
) -> Vector | None:
    entries, errors = np.zeros(box.size), np.zeros(box.size)
    for place in range(box.size):
        step = curve.basis[:, place] * offsets[place]
        options = [_difference(box, noise, center, step, reach) for reach in REACHES]
        sure = [option for option in options if option is not None]
        if not sure:
            return None
        slope, error = min(sure, key=lambda option: option[1])
        entries[place], errors[place] = slope / offsets[place], error / abs(offsets[place])
    return np.asarray(curve.basis @ entries) if errors.max() <= tolerance else None


def _difference(
    box: BlackBox, noise: Noise, center: Vector, step: Vector, reach: float
) -> tuple[float, float] | None:
    """The slope along `step` at `center` and its error; None if both sides differ, as they do at a kink."""
    slopes, one_sided = [], []
    middle = box.value(center)
    error = 0.0
    for part in (reach, reach / 2):
        forward, backward = box.value(center + part * step), box.value(center - part * step)
        if not (np.isfinite(forward) and np.isfinite(backward) and np.isfinite(middle)):
            return None
        error = max(error, noise.of(forward, backward) / part)
        slopes.append((forward - backward) / (2 * part))
        one_sided.append((forward - 2 * middle + backward) / part)
    # A kink inside would leave the difference of the two sides as it is; curvature halves it with the step.
    if abs(one_sided[1]) > 0.75 * abs(one_sided[0]) + 6 * error:
        return None
    return slopes[1], abs(slopes[1] - slopes[0]) + error


def plain_curves(size: int, random: np.random.Generator) -> list[Curve]:
    """Rays into the point, and curves with unequal exponents along the coordinates: all of them in few dimensions."""
    basis = np.eye(size)
    curves = [_curve(basis, np.ones(size), random) for _ in range(4 if size == 1 else 10)]
    if size == 1:
        return [Curve(basis, np.array([sign * 0.7]), np.ones(1)) for sign in (1.0, -1.0)]
    if size == 2:
        pairs = [pair for low in EXPONENTS for pair in ((1.0, low), (low, 1.0))][1:]
        for pair in pairs:
            for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                curves.append(Curve(basis, 0.7 * np.array(signs, dtype=float), np.array(pair)))
        return curves
    for turn in range(40):
        exponents = random.choice(EXPONENTS, size)
        exponents[turn % size] = 1.0
        curves.append(_curve(basis, exponents, random))
    return curves


def curves_along(direction: Vector, random: np.random.Generator) -> list[Curve]:
    """Curves that tend to the point along a direction or against it, and curves in thin cells across it."""
    size = direction.size
    if size == 1:
        return []
    square = np.column_stack([direction, random.standard_normal((size, size - 1))])
    basis, _ = np.linalg.qr(square)
    basis *= np.sign(basis[:, 0] @ direction)
    curves = []
    for sign in (1.0, -1.0):
        for own, rest in ((1.0, 1.6), (1.0, 2.4), (1.6, 1.0), (2.4, 1.0), (3.4, 1.0)):
            exponents = np.full(size, rest)
            exponents[0] = own
            curve = _curve(basis, exponents, random)
            curve.factors[0] = sign * 0.7
            curves.append(curve)
    return curves


def ray(direction: Vector) -> Curve:
    """The straight way into the point from the side of `direction`."""
    basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((direction.size, direction.size)))
    return Curve(basis, basis.T @ direction / np.linalg.norm(direction), np.ones(direction.size))


def _curve(basis: Vector, exponents: Vector, random: np.random.Generator) -> Curve:
    size = exponents.size
    factors = random.choice((-1.0, 1.0), size) * random.uniform(0.3, 1, size)
    return Curve(basis, factors, exponents)
