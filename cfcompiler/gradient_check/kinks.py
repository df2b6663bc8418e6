"""A vector that is not simply the gradient to a report: is it in the hull of what is seen arbitrarily near the point?

Wolfe's nearest point of the hull of the gradients seen gives the direction d to the vector g. Along d new gradients and
slopes are looked for; they widen the hull, and the search goes on, or there are none, and d separates g from all that
was seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cfcompiler.gradient_check.callables import Vector
from cfcompiler.gradient_check.hull import nearest_in_hull
from cfcompiler.gradient_check.local import Local
from cfcompiler.gradient_check.nearby import Curve, curves_along, follow, plain_curves
from cfcompiler.gradient_check.slopes import one_sided_slope
from cfcompiler.gradient_check.steepest import steepest_rays
from cfcompiler.gradient_check.verdicts import (
    ACCEPTED_AT_A_KINK,
    REJECTED,
    UNDECIDED,
    GradcheckReport,
    Seen,
    report,
)

TROUBLES = {
    "jump": "f is discontinuous as far as seen: its values do not tend to its value here",
    "growth": "f is not locally Lipschitz as far as seen: slopes grow without bound towards the point",
    "not finite": "f is not finite, or raises an error, at points arbitrarily near",
}
# Slopes between points at these distances, over these parts of the distance.
RADII, PARTS, DRAWS = (1e-4, 1e-5, 1e-6), (0.1, 1e-2, 1e-3, 1e-4, 1e-5), 16
# Slopes and gradients that differ by less than so many tolerances may be the same, seen through curvature.
DISTINCT = 10


def judge_at_a_kink(local: Local, random: np.random.Generator) -> GradcheckReport:
    """Also where f looks differentiable and g is not the gradient: gradients near it may have other limits (cusps)."""
    box, gradient, central = local.box, local.gradient, local.central
    bent = local.bent()
    smooth = bent is None and local.settled
    curves = plain_curves(box.size, random)
    telling = gradient - central
    if telling.any():
        curves += curves_along(telling / np.linalg.norm(telling), random)
    trouble, points = _gradients(local, curves, smooth)
    if trouble:
        return report(box, gradient, UNDECIDED, TROUBLES[trouble], central=central)
    if box.size == 1:
        points = np.vstack([points, *_slopes_of_one_variable(local, smooth, random)])
    if smooth:
        points = np.vstack([central, points])
    if not len(points):
        return _judge_by_slopes(local, random)
    return _search(local, points, smooth, bent, random)


def _gradients(local: Local, curves: list[Curve], smooth: bool) -> tuple[str, Vector]:
    """What is wrong with f near the point, or limits of gradients there, as rows.

    Where f looks differentiable, those close to the gradient are left out: it is known better than they are.
    """
    rows = []
    bound = 2 * local.size * float(np.sqrt(local.box.size))
    close = local.tolerance * local.size
    for curve in curves:
        found = follow(
            local.box, local.noise, local.start, curve, tolerance=close, bound=bound, zoom=local.zoom
        )
        if found.trouble:
            return found.trouble, np.zeros((0, local.box.size))
        if found.gradient is None or found.error is None:
            continue
        sure = (found.error <= DISTINCT * close).all()
        gap = np.abs(found.gradient - local.central) - 2 * found.error - local.allowed
        if sure and (not smooth or (gap > DISTINCT * close).any()):
            rows.append(found.gradient)
    return "", np.array(rows).reshape(len(rows), local.box.size)


def _search(
    local: Local, points: Vector, smooth: bool, bent: int | None, random: np.random.Generator
) -> GradcheckReport:
    box, gradient = local.box, local.gradient
    for _ in range(60 + 4 * box.size):
        margins = _margins(local, points, smooth)
        nearest = nearest_in_hull(points / margins, gradient / margins) * margins
        gap = gradient - nearest
        if (np.abs(gap) <= margins).all():
            return _accepted(local, points, smooth, bent)
        direction = gap / margins**2
        direction /= np.linalg.norm(direction)
        reached = float(np.max(points @ direction) + margins @ np.abs(direction))
        for curves in (curves_along(direction, random), steepest_rays(local, direction, reached, random)):
            trouble, found = _gradients(local, curves, smooth)
            if trouble:
                return report(box, gradient, UNDECIDED, TROUBLES[trouble], central=local.central)
            found = found[found @ direction > reached]
            if len(found):
                break
        if not len(found):
            return _verdict_along(local, points, margins, direction, random)
        points = np.vstack([points, found])
    reason = f"{len(points)} gradients seen nearby neither have the vector in their hull nor exclude it"
    return report(box, gradient, UNDECIDED, reason, central=local.central, nearby=points)


def _margins(local: Local, points: Vector, smooth: bool) -> Vector:
    """How far each entry may be off."""
    if smooth and len(points) == 1:
        return local.allowed + np.finfo(float).tiny
    spread = np.abs(points).max(axis=0)
    return np.asarray(local.tolerance * spread + local.rounding + np.finfo(float).tiny)


def _slopes_of_one_variable(local: Local, smooth: bool, random: np.random.Generator) -> list[Vector]:
    """In one variable each slope is in the Clarke subdifferential (or near one that is): the mean value theorem."""
    sides = ((1.0, local.ahead[0]), (-1.0, local.behind[0]))
    found = [sign * slope.value for sign, slope in sides if slope.error <= local.tolerance * local.size]
    found += _slopes_between(local, np.ones(1), random) or ()
    distinct = DISTINCT * local.tolerance * local.size + float(local.allowed[0])
    return [np.array([slope]) for slope in found if not smooth or abs(slope - local.central[0]) > distinct]


def _slopes_between(
    local: Local, direction: Vector, random: np.random.Generator
) -> tuple[float, float] | None:
    """The least and the largest slope of f along a direction, between points nearby; None if noise hides them."""
    draws = [random.standard_normal(direction.size) for _ in range(DRAWS)]
    ranges = []
    for radius in local.zoom * np.array(RADII):
        slopes = []
        for draw in draws:
            begin = radius * draw
            value = local.box.value(begin)
            for part in PARTS:
                step = part * radius
                other = local.box.value(begin + step * direction)
                if 2 * local.noise.of(value, other) <= local.tolerance * local.size * step:
                    slopes.append((other - value) / step)
        if slopes:
            ranges.append((min(slopes), max(slopes)))
    if len(ranges) < 2:
        return None
    (low_before, high_before), (low, high) = ranges[-2:]
    # What shrinks with the radius is curvature; as if that were linear in the radius.
    extrapolated = (low + max(0.0, low - low_before) / 9, high + min(0.0, high - high_before) / 9)
    return min(extrapolated[0], high), max(extrapolated[1], low)


def _along(
    local: Local, points: Vector, margin: float, direction: Vector, random: np.random.Generator
) -> Seen | str:
    """All that is seen along a direction, or what is wrong with f along it."""
    ahead = one_sided_slope(local.box, local.noise, local.start, direction)
    behind = one_sided_slope(local.box, local.noise, local.start, -direction)
    for slope in (ahead, behind):
        if slope.trouble:
            return slope.trouble
    error = max(ahead.error, behind.error)
    lows = [ahead.low, -behind.high, *(points @ direction)]
    highs = [ahead.high, -behind.low, *(points @ direction)]
    between = _slopes_between(local, direction, random)
    if between is not None:
        allowed = DISTINCT * local.tolerance * local.size
        # Nearer than this they may be the slopes at the point, seen through curvature.
        lows += [between[0]] if between[0] < min(lows) - allowed else []
        highs += [between[1]] if between[1] > max(highs) + allowed else []
    return Seen(direction, min(lows), max(highs), margin + error)


def _verdict_along(
    local: Local, points: Vector, margins: Vector, direction: Vector, random: np.random.Generator
) -> GradcheckReport:
    """No gradient was found that reaches further along the direction: do slopes?"""
    box, gradient = local.box, local.gradient
    seen = _along(local, points, float(margins @ np.abs(direction)), direction, random)
    if isinstance(seen, str):
        return report(box, gradient, UNDECIDED, TROUBLES[seen], central=local.central)
    if gradient @ direction > seen.largest + seen.tolerance:
        return _with_reason(
            report(box, gradient, REJECTED, "", central=local.central, nearby=points, seen=seen)
        )
    reason = (
        "slopes near the point reach as far as the vector along the direction that separates it from the "
        "gradients seen nearby, but no gradient was found that does"
    )
    return report(box, gradient, UNDECIDED, reason, central=local.central, nearby=points, seen=seen)


def _judge_by_slopes(local: Local, random: np.random.Generator) -> GradcheckReport:
    """No gradient nearby is sure: slopes may still exclude the vector, and cannot show it to be right."""
    box, gradient = local.box, local.gradient
    nothing = np.zeros((0, box.size))
    for direction in np.vstack([local.directions, -local.directions]):
        margin = local.tolerance * local.size * float(np.abs(direction).sum())
        seen = _along(local, nothing, margin, direction, random)
        if isinstance(seen, str):
            return report(box, gradient, UNDECIDED, TROUBLES[seen], central=local.central)
        if gradient @ direction > seen.largest + seen.tolerance:
            return _with_reason(report(box, gradient, REJECTED, "", central=local.central, seen=seen))
    reason = (
        "no gradient nearby could be confirmed by differences of f, and its slopes do not exclude the vector"
    )
    return report(box, gradient, UNDECIDED, reason, central=local.central)


def _accepted(local: Local, points: Vector, smooth: bool, bent: int | None) -> GradcheckReport:
    box, gradient = local.box, local.gradient
    place = 0 if bent is None else bent
    direction = local.directions[place]
    products = np.append(points @ direction, [local.ahead[place].value, -local.behind[place].value])
    margin = float(_margins(local, points, smooth) @ np.abs(direction))
    seen = Seen(direction, float(products.min()), float(products.max()), margin)
    filled = report(box, gradient, ACCEPTED_AT_A_KINK, "", central=local.central, nearby=points, seen=seen)
    many = f"{len(points)} gradients and slopes seen arbitrarily near"
    if smooth:
        reason = f"f looks differentiable here with another gradient, but the vector is in the hull of {many}"
    elif bent is None or not local.settled:
        reason = f"the slopes of f do not settle here; the vector is in the hull of {many}"
    else:
        scale = float(np.linalg.norm(box.scale * direction))
        ahead, behind = local.ahead[place].value / scale + 0.0, 0.0 - local.behind[place].value / scale
        reason = (
            f"f is not differentiable here as far as seen: along {shown(filled.direction)} its slope is "
            f"{behind:.6g} coming in and {ahead:.6g} going out; the vector is in the hull of {many}"
        )
    return replace(filled, reason=reason)


def _with_reason(filled: GradcheckReport) -> GradcheckReport:
    reason = (
        f"along {shown(filled.direction)} the vector has the slope {filled.product:.6g}, while the slopes of f seen "
        f"here and arbitrarily near lie between {filled.smallest:.6g} and {filled.largest:.6g}"
    )
    return replace(filled, reason=reason)


def shown(direction: tuple[float, ...] | None) -> str:
    """A direction in a sentence: its largest entries by place if it is long."""
    entries = direction or ()
    if len(entries) <= 4:
        return "(" + ", ".join(f"{entry:.4g}" for entry in entries) + ("," if len(entries) == 1 else "") + ")"
    largest = sorted(sorted(range(len(entries)), key=lambda place: -abs(entries[place]))[:3])
    return "(" + ", ".join(f"[{place}]={entries[place]:.3g}" for place in largest) + ", ...)"
