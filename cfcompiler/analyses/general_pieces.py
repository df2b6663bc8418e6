"""A stratum -> the pieces that meet on it, and the same whole-stratum questions for all that is asked of them.

A piece is a choice of signs of the functions that vanish on the stratum and are met on its path. Where their gradients
are independent, every choice is met, at every point of the stratum, along an open set of rays (theory S6, Theorem C).
Otherwise a piece is met everywhere where no combination of its signed gradients with weights >= 0 vanishes (Gordan),
and nowhere where its cell is empty, or where its functions are affine and such a combination exists. Where nothing
changes along the stratum, one point stands for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cfcompiler.analyses.general_walk import GeneralWalk, Run
from cfcompiler.feasibility.conditions import Apart, Budget, Condition, Constraint, System, Touches
from cfcompiler.feasibility.conditions import Open as Unsettled
from cfcompiler.feasibility.functions import Function
from cfcompiler.feasibility.leading import OpenRays, open_direction
from cfcompiler.feasibility.quotients import Entry, Poly
from cfcompiler.feasibility.region import Open, Region
from cfcompiler.feasibility.regions import Regions
from cfcompiler.feasibility.slopes import gradient
from cfcompiler.feasibility.solver import Formula
from cfcompiler.feasibility.touching import touches
from cfcompiler.polynomials import Polynomial, constant, variable, widened

MOST_PIECES = 256
SECONDS_A_PIECE = 2.0
Vector = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """The signs of functions that vanish on the stratum, and what the program is there."""

    signs: tuple[tuple[Function, int], ...]
    run: Run

    @property
    def functions(self) -> frozenset[Function]:
        return frozenset(function for function, _ in self.signs)


@dataclass(frozen=True, slots=True)
class Met:
    """A piece that is met at all points of a region; `rays`: along an open set of rays, None where that is open."""

    piece: Piece
    rays: bool | None


class Nearby:
    """The signs near the points of a region: what vanishes on it gets the prescribed signs, then the first choice."""

    def __init__(
        self, regions: Regions, region: Region, prescribed: tuple[int, ...], choices: tuple[int, ...]
    ) -> None:
        self.regions = regions
        self.region = region
        self.prescribed = prescribed
        self.choices = choices
        self.chosen: dict[Function, int] = {}

    def __call__(self, poly: Poly) -> int:
        found = self.regions.functions.factored(poly)
        side = found.side
        for function, times in found.factors:
            sign = self.regions.sign(self.region, function.poly)
            if sign == 0:
                sign = 1 if times % 2 == 0 and 0 not in self.choices else self._choice(function)
            side *= sign if times % 2 else sign * sign
        return side

    def _choice(self, function: Function) -> int:
        if function not in self.chosen:
            place = len(self.chosen)
            self.chosen[function] = (
                self.prescribed[place] if place < len(self.prescribed) else self.choices[0]
            )
        return self.chosen[function]

    def others(self) -> Iterator[tuple[int, ...]]:
        """The prescriptions that are left to follow."""
        signs = tuple(self.chosen.values())
        for place in range(len(self.prescribed), len(signs)):
            for choice in self.choices[1:]:
                yield (*signs[:place], choice)


class Meeting:
    """Questions about the pieces on regions."""

    def __init__(self, walk: GeneralWalk, regions: Regions) -> None:
        self.walk = walk
        self.regions = regions
        self.one = walk.functions.one

    def pieces(self, region: Region) -> list[Piece]:
        """All choices of signs, whether they are met or not. Raises Split, Open, OutsideTheEngine."""
        found: list[Piece] = []
        for oracle in self.oracles(region, (1, -1)):
            run = self.walk.run(oracle)
            if run is not None:
                found.append(Piece(tuple(oracle.chosen.items()), run))
        return found

    def bounded(self, region: Region) -> bool:
        """Whether a piece beside the region is outside of the domain. Raises Split, Open, OutsideTheEngine."""
        return bool(self.walk.program.assertions) and any(
            self.walk.run(oracle) is None for oracle in self.oracles(region, (1, -1))
        )

    def oracles(self, region: Region, choices: tuple[int, ...]) -> Iterator[Nearby]:
        """One oracle for each path; each must have been run along before the next is taken. Raises Open."""
        pending: list[tuple[int, ...]] = [()]
        count = 0
        while pending:
            count += 1
            if count > MOST_PIECES:
                raise Open(f"more than {MOST_PIECES} pieces meet there")
            oracle = Nearby(self.regions, region, pending.pop(), choices)
            yield oracle
            pending.extend(oracle.others())

    # which are met

    def independent(self, region: Region, functions: Sequence[Function]) -> bool:
        """Whether gradients are independent at all points (True) or at none. Raises Split, Open."""
        if not functions:
            return True
        if len(functions) > self.walk.dimension:
            return False
        minors = self.walk.functions.minors([self.gradient(region, function) for function in functions])
        return bool(minors) and not self.regions.vanish(region, minors)

    def gradient(self, region: Region, function: Function) -> list[Poly]:
        """A positive multiple of the gradient. Raises Open where the function is not smooth on the region, Split."""
        slopes, scale = gradient(self.walk.elementary, function.poly)
        if self.regions.sign(region, scale) != 1:
            raise Open("a function that vanishes there is not smooth there")
        return slopes

    def met(self, region: Region, pieces: Sequence[Piece]) -> list[Met]:
        """The pieces that are met, at all points; the others are at none. Raises Split, Open."""
        known: dict[frozenset[Function], bool] = {}
        found = []
        for piece in pieces:
            if piece.functions not in known:
                ordered = sorted(piece.functions, key=lambda function: function.size)
                known[piece.functions] = self.independent(region, ordered)
            own = Met(piece, True) if known[piece.functions] else self._met(region, piece)
            if own is not None:
                found.append(own)
        if not found:
            raise Open("no piece is known to be met there")
        return found

    def _met(self, region: Region, piece: Piece) -> Met | None:
        """How a piece with dependent gradients is met; None where it is not."""
        regions, n, k = self.regions, self.walk.functions.variables, len(piece.signs)
        if regions.model(Region(dict(piece.signs)), ()) is None:
            return None
        total = n + k
        weights = [variable(total, n + place) for place in range(k)]
        formulas: list[Formula] = [Constraint(weight, ">=") for weight in weights]
        formulas.append(Constraint(_sum(weights, total) - constant(total, Fraction(1)), "="))
        slopes = [self.gradient(region, function) for function, _ in piece.signs]
        for place in range(self.walk.dimension):
            terms = [
                self._wide(row[place], k).scaled(Fraction(sign)) * weight
                for row, (_, sign), weight in zip(slopes, piece.signs, weights, strict=True)
            ]
            formulas.append(Constraint(_sum(terms, total), "="))
        if not regions.feasible(region, formulas, k):
            return Met(piece, True)
        if any(self.walk.functions.moved(function.poly) for function, _ in piece.signs):
            raise Open("which pieces meet there was not decided")
        if all(function.poly.total_degree() == 1 for function, _ in piece.signs):
            return None
        return self._across(region, piece)

    def _across(self, region: Region, piece: Piece) -> Met | None:
        """The answer at one point, where all points are alike: no function changes along the region."""
        system = self.across(region, piece.signs)
        if system is None:
            raise Open("which pieces meet there was not decided for all points at once")
        clock = self.regions.clock.share(SECONDS_A_PIECE)
        answer = touches(system, Budget(clock.left))
        if isinstance(answer, Apart):
            self.regions.by_solver = self.regions.by_solver or answer.trust == "solver"
            return None
        if not isinstance(answer, Touches):
            raise Open("which pieces meet there was not decided")
        self.regions.by_solver = self.regions.by_solver or answer.trust == "solver"
        rays = open_direction(system, self.regions.clock.share(SECONDS_A_PIECE))
        return Met(piece, None if isinstance(rays, Unsettled) else isinstance(rays, OpenRays))

    def across(self, region: Region, signs: Iterable[tuple[Function, int]]) -> System | None:
        """The signs of functions across the region, which is a graph; None where they change along it."""
        functions = self.walk.functions
        if region.rest or any(not pivot.below.is_constant() for pivot in region.pivots):
            return None
        if any(functions.moved(pivot.above) for pivot in region.pivots):
            return None
        places = [pivot.place for pivot in region.pivots]
        conditions = []
        for function, sign in signs:
            poly = function.poly
            for pivot in region.pivots:
                start = pivot.above * (1 / pivot.below.leading_coefficient())
                shifted = start + functions.generators[pivot.place]
                poly = functions.substituted(poly, pivot.place, shifted, functions.one)
            terms: dict[tuple[int, ...], Fraction] = {}
            for e, c in functions.polynomial(poly).terms.items():
                if any(power for place, power in enumerate(e) if place not in places):
                    return None
                terms[tuple(e[place] for place in places)] = (sign or 1) * c
            conditions.append(Condition(Polynomial(len(places), terms), relation=">" if sign else "="))
        return System(len(places), tuple(conditions))

    # comparing

    def difference(self, left: Sequence[Entry], right: Sequence[Entry]) -> list[Poly]:
        """Polynomials that all vanish where two finite vectors are equal."""
        found = []
        for x, y in zip(left, right, strict=True):
            if x == y:
                continue
            (a, b), (c, d) = self.walk.parts(x), self.walk.parts(y)
            found.append(a - c if b == d else a * d - c * b)
        return found

    def equal(self, region: Region, left: Sequence[Entry], right: Sequence[Entry]) -> bool:
        """Whether two finite vectors are equal at all points (True) or at none. Raises Split, Open."""
        for entry in (*left, *right):
            self.check_defined(region, entry)
        return self.regions.vanish(region, self.difference(left, right))

    def check_defined(self, region: Region, entry: Entry) -> None:
        """Raises Open where a finite entry has a part without a value on the region, Split where that is not known."""
        for part in self.walk.parts(entry):
            self.regions.check_defined(region, part)

    def minus(self, left: Sequence[Entry], right: Sequence[Entry]) -> Vector:
        """left - right, of finite vectors."""
        return tuple(self.walk.elementary.field.sub(x, y) for x, y in zip(left, right, strict=True))

    # hulls

    def _scaled(self, region: Region, vector: Sequence[Entry]) -> list[Poly]:
        """A positive multiple of a vector, by polynomials."""
        common = self.one
        for entry in vector:
            self.check_defined(region, entry)
            below = self.walk.parts(entry)[1]
            common = common * (below / common.gcd(below))
        turn = self.regions.sign(region, common)
        if turn == 0:
            raise Open("a derivative has no finite formula there")
        rows = []
        for entry in vector:
            above, below = self.walk.parts(entry)
            rows.append(above * (common / below) * turn)
        return rows

    def holding(self, region: Region, vectors: Sequence[Vector]) -> list[Formula]:
        """That 0 is in the hull of the vectors, with a weight for each as further variables."""
        n, k = self.walk.functions.variables, len(vectors)
        total = n + k
        weights = [variable(total, n + place) for place in range(k)]
        formulas: list[Formula] = [Constraint(weight, ">=") for weight in weights]
        formulas.append(Constraint(_sum(weights, total) - constant(total, Fraction(1)), "="))
        rows = [[self._wide(row, k) for row in self._scaled(region, vector)] for vector in vectors]
        for place in range(len(rows[0])):
            terms = [row[place] * weight for row, weight in zip(rows, weights, strict=True)]
            formulas.append(Constraint(_sum(terms, total), "="))
        return formulas

    def parting(self, region: Region, vectors: Sequence[Vector], before: int = 0) -> list[Formula]:
        """That 0 is not in the hull: a direction, as further variables after `before`, in which all are positive."""
        n, width = self.walk.functions.variables, len(vectors[0])
        total = n + before + width
        direction = [variable(total, n + before + place) for place in range(width)]
        formulas: list[Formula] = []
        for vector in vectors:
            rows = [self._wide(row, before + width) for row in self._scaled(region, vector)]
            terms = [row * entry for row, entry in zip(rows, direction, strict=True)]
            formulas.append(Constraint(_sum(terms, total), ">"))
        return formulas

    def _wide(self, poly: Poly, extra: int) -> Polynomial:
        own: Polynomial = self.walk.functions.polynomial(poly)
        return widened(own, own.variables + extra)

    def zero_inside(
        self, region: Region, vectors: Sequence[Vector], seconds: float
    ) -> Literal["always", "never", "sometimes"]:
        """Whether 0 is in the hull of vectors. Raises Open, Split."""
        inside = self.regions.feasible(region, self.holding(region, vectors), len(vectors), seconds)
        if not inside:
            return "never"
        outside = self.regions.feasible(region, self.parting(region, vectors), len(vectors[0]), seconds)
        return "sometimes" if outside else "always"


def _sum(terms: Sequence[Polynomial], variables: int) -> Polynomial:
    total = Polynomial(variables, {})
    for term in terms:
        total = total + term
    return total
