"""A direction d to rays into the point on which f has the steepest slopes along d.

A cell may be a narrow cone that no random ray meets. Here rays are chosen by the slope of f along d at a point of the
ray, and those that did best are varied, by less and less: a search that climbs from cell to cell.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cfcompiler.gradient_check.callables import Vector
from cfcompiler.gradient_check.local import Local
from cfcompiler.gradient_check.nearby import Curve, ray

# Distance of the points from the point, and the step along d as a part of it.
RADIUS, STEP = 1e-4, 1e-3
FIRST, BEST, CHILDREN = 300, 8, 12
SPREADS = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
RAYS = 4


def steepest_rays(
    local: Local, direction: Vector, reached: float, random: np.random.Generator
) -> list[Curve]:
    """Those that go beyond `reached`, the steepest first; none where noise hides slopes."""
    if direction.size == 1:
        return []
    rays = _normalized(random.standard_normal((FIRST, direction.size)))
    # Half of them tend towards d, or away from it, by all degrees.
    tilts = 10.0 ** random.uniform(-1, 1, FIRST // 2) * random.choice((-1.0, 1.0), FIRST // 2)
    rays[: FIRST // 2] = _normalized(rays[: FIRST // 2] + tilts[:, None] * direction)
    slopes = np.array([_slope(local, one, direction) for one in rays])
    for spread in SPREADS:
        order = np.argsort(-slopes, kind="stable")[:BEST]
        rays, slopes = rays[order], slopes[order]
        children = _normalized(np.array(list(_varied(rays, spread, random))))
        rays = np.vstack([rays, children])
        slopes = np.append(slopes, [_slope(local, one, direction) for one in children])
    order = np.argsort(-slopes, kind="stable")[:RAYS]
    return [ray(rays[place]) for place in order if slopes[place] > reached]


def _varied(rays: Vector, spread: float, random: np.random.Generator) -> Iterator[Vector]:
    for one in rays:
        yield from one + spread * random.standard_normal((CHILDREN, one.size)) / np.sqrt(one.size)


def _normalized(rows: Vector) -> Vector:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _slope(local: Local, one: Vector, direction: Vector) -> float:
    """The slope along the direction at a point of the ray; -inf where there is none or noise hides it."""
    radius = local.zoom * RADIUS
    step = STEP * radius
    value, other = local.box.value(radius * one), local.box.value(radius * one + step * direction)
    if not 2 * local.noise.of(value, other) <= local.tolerance * local.size * step:
        return -np.inf
    return (other - value) / step
