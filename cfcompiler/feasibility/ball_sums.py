"""Vector, sums of images of balls -> a direction that separates the vector from the hull of them all, if one is found.

base + M_1 B_1 + ... + M_k B_k with closed unit balls B_i is what limits of gradients lie in where norms vanish. Its
support function is <a, base> + |M_1' a| + ... + |M_k' a|. A direction is proposed in floats, by the method of Frank and
Wolfe (1956) for the shortest vector, rounded, and believed only where the inequality is proved in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from cfcompiler import numbers
from cfcompiler.numbers import Finite
from cfcompiler.operations import OPERATIONS
from cfcompiler.polynomials import plus, times, vanishes

Vector = tuple[Finite, ...]

ROUNDS = 400
GRIDS = (1, 12, 1000, 10**6)  # denominators of the directions that are tried
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class BallSum:
    """base + sum of M_i w_i over |w_i| <= 1; a map M_i is given by its columns, vectors of the length of `base`."""

    base: Vector
    maps: tuple[tuple[Vector, ...], ...]

    @property
    def single(self) -> bool:
        """Whether it is one vector. Raises numbers.Undecided."""
        return all(vanishes(x) for columns in self.maps for column in columns for x in column)

    def some(self) -> tuple[Vector, ...]:
        """Some of its elements, rational where the columns are: those with one w_i a unit vector or its negative."""
        columns = [column for own in self.maps for column in own]
        ends = [tuple(map(plus, self.base, column)) for column in columns]
        return (
            self.base,
            *ends,
            *(tuple(plus(x, -y) for x, y in zip(self.base, column, strict=True)) for column in columns),
        )


@dataclass(frozen=True, slots=True)
class BallSeparation:
    """<direction, target> = target_value > support_value = the largest <direction, x> on all the sums."""

    direction: Vector
    target_value: Finite
    support_value: Finite


def inner(x: Sequence[Finite], y: Sequence[Finite]) -> Finite:
    """The inner product."""
    total: Finite = _ZERO
    for a, b in zip(x, y, strict=True):
        if a != 0 and b != 0:
            total = plus(total, times(a, b))
    return total


def length(vector: Sequence[Finite]) -> Finite:
    """The Euclidean norm, exactly."""
    found = OPERATIONS["sqrt"](inner(vector, vector))
    assert not numbers.is_special(found)
    return found


def support(direction: Sequence[Finite], one: BallSum) -> Finite:
    """The largest <direction, x> on a sum."""
    total = inner(direction, one.base)
    for columns in one.maps:
        total = plus(total, length([inner(direction, column) for column in columns]))
    return total


def separation(target: Sequence[Finite], sums: Sequence[BallSum]) -> BallSeparation | None:
    """A direction in which `target` is beyond all `sums`; None where none was found. Raises numbers.Undecided."""
    for direction in _proposed(target, sums):
        value = inner(direction, target)
        highest = support(direction, sums[0])
        for one in sums[1:]:
            other = support(direction, one)
            highest = other if _order(other, highest) > 0 else highest
        if _order(value, highest) > 0:
            return BallSeparation(direction, value, highest)
    return None


def _order(x: Finite, y: Finite) -> int:
    code = numbers.compare(x, y)
    if code is None or code == "unordered":
        raise numbers.Undecided("which of two numbers is larger could not be decided")
    return code


def _proposed(target: Sequence[Finite], sums: Sequence[BallSum]) -> Iterator[Vector]:
    steepest = _away(np.array([numbers.to_float(x) for x in target]), [_floats(one) for one in sums])
    size = float(np.max(np.abs(steepest), initial=0.0))
    if not np.isfinite(size) or size < 1e-9:
        return
    tried = set()
    for grid in GRIDS:
        direction = tuple(Fraction(round(x / size * grid), grid) for x in steepest.tolist())
        if any(direction) and direction not in tried:
            tried.add(direction)
            yield direction


def _floats(one: BallSum) -> tuple[np.ndarray, list[np.ndarray]]:
    base = np.array([numbers.to_float(x) for x in one.base])
    return base, [
        np.array([[numbers.to_float(x) for x in column] for column in columns]).T for columns in one.maps
    ]


def _away(target: np.ndarray, sums: Sequence[tuple[np.ndarray, list[np.ndarray]]]) -> np.ndarray:
    """target minus, nearly, the nearest point of the hull of the sums."""
    point = np.array(sums[0][0])
    for _ in range(ROUNDS):
        toward = target - point
        corner = max((_farthest(toward, *one) for one in sums), key=lambda x: float(x @ toward))
        step = corner - point
        gain, bend = float(toward @ step), float(step @ step)
        if gain <= 1e-14 or bend == 0.0:
            break
        point = point + min(1.0, gain / bend) * step
    return np.asarray(target - point)


def _farthest(direction: np.ndarray, base: np.ndarray, maps: Sequence[np.ndarray]) -> np.ndarray:
    total = np.array(base)
    for matrix in maps:
        weights = matrix.T @ direction
        size = float(np.linalg.norm(weights))
        if size > 0.0:
            total += matrix @ (weights / size)
    return total
