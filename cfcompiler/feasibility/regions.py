"""Sets given by signs of polynomials, refined sign by sign: are they empty, which signs does a function have on them?

A `Region` is a conjunction: some functions have given signs, and of some families not all members vanish. It keeps
rational points of itself, which answer most questions; others go to the solver. Equations that are linear in a
variable are solved for it (`Graph`), so what is asked on a region can be reduced by its equations exactly.

A sign that is needed and not constant raises `Split`: the region is to be divided. `Open` says that the time was not
enough. A region whose being nonempty is not known is kept, as not certain.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import flint

from cfcompiler.feasibility.conditions import Clock, Constraint
from cfcompiler.feasibility.functions import Function, Functions, Key, Point
from cfcompiler.feasibility.solver import AnyOf, Formula, Model, Unknown, solve
from cfcompiler.polynomials import Polynomial, widened

Poly = Any
SECONDS_A_QUESTION = 3.0
MOST_POINTS = 60
SAMPLES = 120


class Split(Exception):
    """The region is to be divided: by the sign of `functions[0]`, or into where all vanish and where not all do."""

    def __init__(self, functions: tuple[Function, ...], *, by_sign: bool) -> None:
        super().__init__("a region is to be divided")
        self.functions = functions
        self.by_sign = by_sign


class Open(Exception):
    """What could not be decided, with the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Pivot:
    """On the region the variable number `place` is above/below, functions of variables that are no pivots before."""

    place: int
    above: Poly
    below: Poly


@dataclass(frozen=True, eq=False, slots=True)
class Region:
    """`signs` and `mixed` define it; `implied` are signs that follow. `rest`: reduced equations without a pivot.

    `points` are rational points of it; where there is none, `model` is the solver's point. Not `certain`: it may be
    empty. `by_solver`: an implied sign rests on the solver's word.
    """

    signs: Mapping[Function, int]
    mixed: tuple[tuple[Function, ...], ...] = ()
    implied: Mapping[Function, int] = field(default_factory=dict)
    pivots: tuple[Pivot, ...] = ()
    rest: tuple[Poly, ...] = ()
    points: tuple[Point, ...] = ()
    model: Model | None = None
    certain: bool = True
    by_solver: bool = False

    @property
    def zeros(self) -> tuple[Function, ...]:
        return tuple(function for function, sign in self.signs.items() if sign == 0)

    def known(self, function: Function) -> int | None:
        """The sign of a function, where it is one of those that are kept."""
        found = self.signs.get(function)
        return self.implied.get(function) if found is None else found


class Regions:
    """Questions about regions of one space. `by_solver`: whether some answer rested on the solver's word since."""

    def __init__(self, functions: Functions, clock: Clock) -> None:
        self.functions = functions
        self.clock = clock
        self.by_solver = False
        self.random = random.Random(7)
        self._polynomials: dict[Key, Polynomial] = {}

    # making

    def whole(self, bounds: Sequence[tuple[Fraction | None, Fraction | None]]) -> Region:
        """The box, open."""
        signs: dict[Function, int] = {}
        for x, (low, high) in zip(self.functions.generators, bounds, strict=True):
            for end, sign in ((low, 1), (high, -1)):
                if end is not None:
                    shifted = x - self.functions.one * flint.fmpq(end.numerator, end.denominator)
                    _, function = self.functions.named(shifted)
                    signs[function] = sign
        return Region(signs, points=tuple(self._samples(bounds)))

    def _samples(self, bounds: Sequence[tuple[Fraction | None, Fraction | None]]) -> Iterator[Point]:
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

    def extended(
        self, region: Region, facts: Sequence[tuple[Function, int]], mixed: tuple[Function, ...] = ()
    ) -> Region | None:
        """The part of a region where functions have signs and not all of `mixed` vanish; None where it is empty."""
        signs = {**region.signs, **dict(facts)}
        families = (*region.mixed, mixed) if mixed else region.mixed
        part = replace(region, signs=signs, mixed=families, points=(), model=None)
        zero = False
        for function, sign in facts:
            if sign == 0:
                zero = True
                part = self._solved(part, function)
        part = self.refreshed(part)
        points = [point for point in region.points if self._holds(part, point, facts, mixed)]
        if len(points) < 8:
            points += [p for p in self._moved(part, region.points, zero) if p not in points]
        if points:
            return replace(part, points=tuple(points[:MOST_POINTS]))
        found = self.model(part, ())
        if found is None:
            return None
        if isinstance(found, Unknown):
            return replace(part, certain=False)
        exact = tuple(value for value in found.values if isinstance(value, Fraction))
        if len(exact) < self.functions.variables:
            return replace(part, model=found)
        if not self.holds(part, exact):
            return replace(part, certain=False)
        near = tuple(self._moved(part, (exact,), False))
        return replace(part, points=(exact, *(point for point in near if point != exact)))

    def _solved(self, region: Region, function: Function) -> Region:
        """With the equation function = 0 solved for a variable, where that is possible."""
        reduced = self._stripped(region, self.reduced(region, function.poly))
        if reduced.is_zero():
            return region
        best: tuple[int, Pivot] | None = None
        for place in range(self.functions.variables):
            slope = self.functions.coefficient(reduced, place)
            if slope is None:
                continue
            rank = 0 if slope.is_constant() else 1
            if rank and not self._nonzero(region, slope):
                continue
            above = -(reduced - slope * self.functions.generators[place])
            if best is None or rank < best[0]:
                best = rank, Pivot(place, above, slope)
        if best is None:
            return replace(region, rest=(*region.rest, reduced))
        pivots = (*region.pivots, best[1])
        return self._again(replace(region, pivots=pivots, rest=()), region.rest)

    def refreshed(self, region: Region) -> Region:
        """The region, whose equations without pivots are solved again with all that is known by now."""
        return self._again(replace(region, rest=()), region.rest) if region.rest else region

    def _again(self, region: Region, rest: Sequence[Poly]) -> Region:
        """The equations that had no pivot, once more."""
        for poly in rest:
            reduced = self.reduced(region, poly)
            if not reduced.is_zero() and not reduced.is_constant():
                region = self._solved(region, self.functions.named(reduced)[1])
            elif not reduced.is_zero():
                region = replace(region, rest=(*region.rest, reduced))
        return region

    def _stripped(self, region: Region, poly: Poly) -> Poly:
        """Without the factors that vanish nowhere on the region."""
        found = self.functions.factored(poly)
        left = [function for function, _ in found.factors if region.known(function) not in (1, -1)]
        return self.functions.product(left).poly if left and found.side else poly

    def _nonzero(self, region: Region, poly: Poly) -> bool:
        """Whether it is known, without a question, that a polynomial vanishes nowhere on the region."""
        factors = self.functions.factored(poly).factors
        return all(region.known(function) in (1, -1) for function, _ in factors)

    # points

    def holds(self, region: Region, point: Point) -> bool:
        """Whether a point is in the region."""
        return self._holds(region, point, tuple(region.signs.items()), ()) and all(
            any(self.functions.value(function.poly, point) for function in family) for family in region.mixed
        )

    def _holds(
        self,
        region: Region,
        point: Point,
        facts: Sequence[tuple[Function, int]],
        mixed: tuple[Function, ...],
    ) -> bool:
        if any(_sign(self.functions.value(function.poly, point)) != sign for function, sign in facts):
            return False
        return not mixed or any(self.functions.value(function.poly, point) for function in mixed)

    def _moved(self, region: Region, points: Sequence[Point], moved: bool) -> Iterator[Point]:
        """Points of the region near given ones, or from new free coordinates."""
        tried = list(points[:30])
        fixed = {pivot.place for pivot in region.pivots}
        for point in tuple(tried[:4]):
            for _ in range(6):
                tried.append(
                    tuple(
                        x + Fraction(self.random.randint(-6, 6), self.random.choice((1, 2, 4))) for x in point
                    )
                )
        found = 0
        for point in tried:
            for candidate in self._on_rest(region.rest, point, fixed):
                own = self._lifted(region, candidate)
                if own is not None and self.holds(region, own):
                    yield own
                    found += 1
                    if found >= 12:
                        return

    def _on_rest(self, rest: Sequence[Poly], point: Point, fixed: set[int]) -> Iterator[Point]:
        """The point, moved along variables that are not `fixed` until the equations without pivots hold."""
        if not rest:
            yield point
            return
        own = {place for place, power in enumerate(rest[0].degrees()) if power}
        for place in sorted(own - fixed):
            for root in self.functions.along(rest[0], place, point):
                moved = (*point[:place], root, *point[place + 1 :])
                yield from self._on_rest(rest[1:], moved, fixed | own)

    def _lifted(self, region: Region, point: Point) -> Point | None:
        """The point whose coordinates that are no pivots are given."""
        own = list(point)
        for pivot in reversed(region.pivots):
            below = self.functions.value(pivot.below, own)
            if below == 0:
                return None
            own[pivot.place] = self.functions.value(pivot.above, own) / below
        return tuple(own)

    # signs

    def reduced(self, region: Region, poly: Poly) -> Poly:
        """A polynomial that vanishes on the region where the given one does; no pivots are left in it."""
        for pivot in region.pivots:
            poly = self.functions.substituted(poly, pivot.place, pivot.above, pivot.below)
        return poly

    def sign(self, region: Region, poly: Poly) -> int:
        """The sign of a polynomial on the region, where it is constant. Raises Split."""
        side, missing = self._partly(region, poly)
        if not missing:
            return side
        for pivot in region.pivots:
            power = poly.degrees()[pivot.place]
            if power:
                poly = self.functions.substituted(poly, pivot.place, pivot.above, pivot.below)
                if power % 2 and self.sign(region, pivot.below) < 0:
                    poly = -poly
        side, missing = self._partly(region, poly)
        if missing:
            raise Split(missing[:1], by_sign=True)
        return side

    def _partly(self, region: Region, poly: Poly) -> tuple[int, tuple[Function, ...]]:
        """The sign, and the factors whose signs are not known."""
        found = self.functions.factored(poly)
        side, missing = found.side, []
        for function, times in found.factors:
            own = region.known(function)
            if own == 0:
                return 0, ()
            if own is None:
                missing.append(function)
            elif times % 2:
                side *= own
        return side, tuple(missing)

    def divided(self, region: Region, split: Split) -> list[Region]:
        """The parts of a region; one with a sign implied where the others are empty."""
        if not split.by_sign:
            parts = [
                self.extended(region, [(function, 0) for function in split.functions]),
                self.extended(region, (), split.functions),
            ]
            return [part for part in parts if part is not None]
        (function,) = split.functions
        parts_by_sign = {sign: self.extended(region, [(function, sign)]) for sign in (1, -1, 0)}
        found = {sign: part for sign, part in parts_by_sign.items() if part is not None}
        if len(found) == 1:
            (sign,) = found
            return [replace(region, implied={**region.implied, function: sign}, by_solver=True)]
        return list(found.values())

    def vanish(self, region: Region, polys: Sequence[Poly], seconds: float = SECONDS_A_QUESTION) -> bool:
        """Whether all polynomials vanish on the whole region (True), or nowhere all at once. Raises Split, Open."""
        left: dict[Function, None] = {}
        for poly in polys:
            reduced = self.reduced(region, poly)
            if reduced.is_zero():
                continue
            side, missing = self._partly(region, reduced)
            if side and not missing:
                return False
            if side:
                left[self.functions.product(missing)] = None
        if not left:
            return True
        family = tuple(left)
        some_zero = any(
            not any(self.functions.value(function.poly, point) for function in family)
            for point in region.points
        )
        some_not = any(
            any(self.functions.value(function.poly, point) for function in family) for point in region.points
        )
        if not some_not and not self.feasible(region, (self.not_all(family),), seconds=seconds):
            return True
        if not some_zero and not self.feasible(
            region, tuple(Constraint(self.polynomial(f), "=") for f in family), seconds=seconds
        ):
            return False
        raise Split(family, by_sign=False)

    def feasible(
        self, region: Region, more: Sequence[Formula], extra: int = 0, seconds: float = SECONDS_A_QUESTION
    ) -> bool:
        """Whether some point of the region satisfies more. Raises Open."""
        found = self.model(region, more, extra, seconds)
        if isinstance(found, Unknown):
            raise Open(found.reason)
        return found is not None

    # the solver

    def model(
        self, region: Region, more: Sequence[Formula], extra: int = 0, seconds: float = SECONDS_A_QUESTION
    ) -> Model | Unknown | None:
        """A point of the region that satisfies more (with `extra` further variables), None where there is none."""
        formulas = [*self.constraints(region, extra), *more]
        found = solve(formulas, self.functions.variables + extra, self.clock.share(seconds))
        if found == "unsat":
            self.by_solver = True
            return None
        return found

    def constraints(self, region: Region, extra: int = 0) -> list[Formula]:
        """The region for the solver."""
        found: list[Formula] = []
        for function, sign in region.signs.items():
            own = self.polynomial(function, extra)
            found.append(Constraint(-own if sign < 0 else own, "=" if sign == 0 else ">"))
        found += [self.not_all(family, extra) for family in region.mixed]
        return found

    def polynomial(self, function: Function, extra: int = 0) -> Polynomial:
        """A function for the solver, in as many more variables."""
        if function.key not in self._polynomials:
            self._polynomials[function.key] = self.functions.polynomial(function.poly)
        own = self._polynomials[function.key]
        return widened(own, own.variables + extra)

    def not_all(self, family: Sequence[Function], extra: int = 0) -> Formula:
        """Not all members vanish."""
        parts = tuple(Constraint(self.polynomial(function, extra), "!=") for function in family)
        return parts[0] if len(parts) == 1 else AnyOf(parts)


def _sign(x: Fraction) -> int:
    return (x > 0) - (x < 0)
