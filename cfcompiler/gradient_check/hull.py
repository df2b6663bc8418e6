"""Points to the point of their convex hull nearest to another.

Wolfe 1976, "Finding the nearest point in a polytope".
"""

from __future__ import annotations

import numpy as np

from cfcompiler.gradient_check.callables import Vector

ROUNDS = 2000


def nearest_in_hull(points: Vector, target: Vector) -> Vector:
    """`points` of shape (m, n), m >= 1, `target` of shape (n,). Right to about 1e-10 of the points' size."""
    shifted = points - target
    size = float(np.abs(shifted).max()) or 1.0
    shifted = shifted / size
    corral = [int(np.argmin((shifted**2).sum(axis=1)))]
    weights = np.ones(1)
    current = shifted[corral[0]]
    for _ in range(ROUNDS):
        products = shifted @ current
        entering = int(np.argmin(products))
        if products[entering] >= current @ current - 1e-13 or entering in corral:
            break
        corral.append(entering)
        weights = np.append(weights, 0.0)
        corral, weights = _minor_cycle(shifted, corral, weights)
        current = weights @ shifted[corral]
    return np.asarray(current * size + target)


def _minor_cycle(points: Vector, corral: list[int], weights: Vector) -> tuple[list[int], Vector]:
    """Moves to the nearest point of the affine hull; where that leaves the convex hull, drops points on the way."""
    while True:
        affine = _affine_weights(points[corral])
        if (affine > 1e-12).all():
            return corral, affine
        leaving = affine <= 1e-12
        gaps = weights[leaving] - affine[leaving]
        step = min(1.0, float(np.min(weights[leaving] / np.where(gaps > 0, gaps, np.inf), initial=1.0)))
        weights = (1 - step) * weights + step * affine
        kept = weights > 1e-12
        if kept.all():
            kept[int(np.argmin(weights))] = False
        corral = [place for place, keep in zip(corral, kept, strict=True) if keep]
        weights = weights[kept] / weights[kept].sum()
        if len(corral) == 1:
            return corral, np.ones(1)


def _affine_weights(points: Vector) -> Vector:
    """The weights, of sum 1, of the point of the affine hull nearest to 0."""
    count = len(points)
    system = np.ones((count + 1, count + 1))
    system[0, 0] = 0.0
    system[1:, 1:] = points @ points.T
    right = np.zeros(count + 1)
    right[0] = 1.0
    return np.asarray(np.linalg.lstsq(system, right, rcond=None)[0][1:])
