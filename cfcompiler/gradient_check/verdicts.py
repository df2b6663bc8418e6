"""What a check of a gradient found, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cfcompiler.gradient_check.callables import BlackBox, Vector

ACCEPTED, ACCEPTED_AT_A_KINK = "accepted", "accepted at a kink"
REJECTED, UNDECIDED = "rejected", "undecided"


class GradientRejected(AssertionError):
    """A gradient was found wrong; the message says along which direction and by how much."""


@dataclass(frozen=True, slots=True)
class GradcheckReport:
    """The verdict on a gradient at a point, and the numbers behind it.

    verdict: "accepted", "accepted at a kink", "rejected" or "undecided".
    reason: a sentence or two in plain words.
    gradient: the user's, all its entries in a row.
    central: the central slopes along the coordinates, each the mean of the slopes of both sides; the gradient where f
        is differentiable. Empty where f has no slopes.
    direction: the most telling direction, of length 1, or None; for "rejected" always there, unless the gradient is
        not finite.
    product: <gradient, direction>.
    smallest, largest: the slopes of f seen along the direction, at the point (forwards, and as it comes in from
        behind) and arbitrarily near it. Every Clarke subgradient has its product between the true ones.
    nearby: gradients of f seen arbitrarily near the point, where they were looked for.
    tolerance: what the product may exceed the largest slope by; it comes from rounding, noise and extrapolation.
    """

    verdict: str
    reason: str
    gradient: tuple[float, ...]
    central: tuple[float, ...] = ()
    direction: tuple[float, ...] | None = None
    product: float | None = None
    smallest: float | None = None
    largest: float | None = None
    nearby: tuple[tuple[float, ...], ...] = ()
    tolerance: float | None = None

    def __bool__(self) -> bool:
        return self.verdict in (ACCEPTED, ACCEPTED_AT_A_KINK)

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"

    def raise_if_rejected(self) -> None:
        """Raises GradientRejected for the verdict "rejected", and only for that one: "undecided" accuses nobody."""
        if self.verdict == REJECTED:
            raise GradientRejected(str(self))


@dataclass(frozen=True, slots=True)
class Seen:
    """A direction, in units of the scale, with what was seen along it, and how far off that may be."""

    direction: Vector
    smallest: float
    largest: float
    tolerance: float


def report(
    box: BlackBox,
    gradient: Vector,
    verdict: str,
    reason: str,
    *,
    central: Vector | None = None,
    nearby: Vector | None = None,
    seen: Seen | None = None,
) -> GradcheckReport:
    """The report in the user's units."""
    own = plain(gradient / box.scale)
    middle = () if central is None else plain(central / box.scale)
    gradients = () if nearby is None else tuple(plain(row / box.scale) for row in nearby)
    if seen is None:
        return GradcheckReport(verdict, reason, own, middle, nearby=gradients)
    direction = box.scale * seen.direction
    length = float(np.linalg.norm(direction))
    return GradcheckReport(
        verdict,
        reason,
        own,
        middle,
        direction=plain(direction / length),
        product=float(gradient @ seen.direction) / length,
        smallest=seen.smallest / length,
        largest=seen.largest / length,
        nearby=gradients,
        tolerance=seen.tolerance / length,
    )


def plain(vector: Vector) -> tuple[float, ...]:
    """As Python floats, without negative zeros."""
    return tuple(float(entry) + 0.0 for entry in vector)
