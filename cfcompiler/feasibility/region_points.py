"""Points of a region, in exact numbers: found near others, or on its equations, and checked sign by sign."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence, Set
from fractions import Fraction

from cfcompiler import numbers
from cfcompiler.feasibility.cells import Cells
from cfcompiler.feasibility.functions import Function, Functions, Point
from cfcompiler.feasibility.quotients import Poly
from cfcompiler.feasibility.region import Region
from cfcompiler.numbers import Finite

SAMPLES = 120


class RegionPoints:
    """Points in one space; random ones, always the same."""

    def __init__(self, functions: Functions, cells: Cells) -> None:
        self.functions = functions
        self.cells = cells
        self.random = random.Random(7)

    def samples(self, bounds: Sequence[tuple[Fraction | None, Fraction | None]]) -> Iterator[Point]:
        for number in range(SAMPLES):
            scale = (1, 2, 4, 10)[number % 4]
            point = []
            for low, high in bounds:
                if low is not None and high is not None:
                    point.append(low + (high - low) * Fraction(self.random.randint(1, 63), 64))
                else:
                    step = Fraction(self.random.randint(-8, 8) * scale, self.random.choice((1, 2, 4, 3, 8)))
                    if low is not None:
                        step = low + abs(step) + Fraction(1, 8)
                    elif high is not None:
                        step = high - abs(step) - Fraction(1, 8)
                    point.append(step)
            yield tuple(point)

    def holds(self, region: Region, point: Point) -> bool:
        """Whether a point is in the region."""
        return self.satisfies(region, point, tuple(region.signs.items()), ()) and all(
            any(self.functions.sign_at(function.poly, point) in (1, -1) for function in family)
            for family in region.mixed
        )

    def satisfies(
        self,
        region: Region,
        point: Point,
        facts: Sequence[tuple[Function, int]],
        mixed: tuple[Function, ...],
    ) -> bool:
        if any(self.functions.sign_at(function.poly, point) != sign for function, sign in facts):
            return False
        return not mixed or any(self.functions.sign_at(function.poly, point) in (1, -1) for function in mixed)

    def moved(self, region: Region, points: Sequence[Point], moved: bool) -> Iterator[Point]:
        """Points of the region near given ones, or from new free coordinates."""
        tried = list(points[:30])
        fixed = {pivot.place for pivot in region.pivots}
        for point in tuple(tried[:4]):
            for _ in range(6):
                tried.append(tuple(self._shifted(x) for x in point))
        found = 0
        for point in tried:
            for candidate in self._on_rest(region.rest, point, fixed):
                own = self._lifted(region, candidate)
                if own is not None and self.holds(region, own):
                    yield own
                    found += 1
                    if found >= 12:
                        return

    def _shifted(self, x: Finite) -> Finite:
        step = Fraction(self.random.randint(-6, 6), self.random.choice((1, 2, 4)))
        return x + step if isinstance(x, Fraction) else x

    def _on_rest(self, rest: Sequence[Poly], point: Point, fixed: Set[int]) -> Iterator[Point]:
        """The point, moved along variables that are not `fixed` until the equations without pivots hold."""
        if not rest:
            yield point
            return
        own = self.functions.inputs_of(rest[0])
        for place in sorted(own - fixed):
            for root in self._roots(rest[0], place, point, own):
                moved = (*point[:place], root, *point[place + 1 :])
                yield from self._on_rest(rest[1:], moved, fixed | own)

    def _roots(self, poly: Poly, place: int, point: Point, own: Set[int]) -> Sequence[Finite]:
        """Roots along an input, as far as they are at hand."""
        if own == {place} and self.functions.moved(poly):
            return self.cells.some_roots(self.functions.named(poly)[1])
        return self.functions.along(poly, place, point)

    def _lifted(self, region: Region, point: Point) -> Point | None:
        """The point whose coordinates that are no pivots are given."""
        own = list(point)
        try:
            for pivot in reversed(region.pivots):
                below = self.functions.value(pivot.below, own)
                value = numbers.div(self.functions.value(pivot.above, own), below)
                if numbers.is_special(value):
                    return None
                own[pivot.place] = value
        except numbers.Undecided:
            return None
        return tuple(own)
