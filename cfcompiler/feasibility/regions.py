"""Sets given by signs of polynomials, refined sign by sign: are they empty, which signs does a function have on them?

A `Region` is a conjunction: some functions have given signs, and of some families not all members vanish. It keeps
rational points of itself, which answer most questions; others go to the solver. Equations that are linear in a
variable are solved for it (`Graph`), so what is asked on a region can be reduced by its equations exactly.

Functions may have atoms (atoms.py): what the solver refutes of them is refuted, but its points are points only where
that can be proved, in balls or exactly.

A sign that is needed and not constant raises `Split`: the region is to be divided. `Open` says that the time was not
enough. A region whose being nonempty is not known is kept, as not certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

import flint

from cfcompiler.feasibility.atoms import Atom
from cfcompiler.feasibility.cells import Cells
from cfcompiler.feasibility.conditions import Clock, Constraint
from cfcompiler.feasibility.elementary import Elementary
from cfcompiler.feasibility.functions import Function, Key
from cfcompiler.feasibility.linking import linked
from cfcompiler.feasibility.quotients import Entry, NotRational, Poly, constant_of
from cfcompiler.feasibility.region import Guess, Open, Pivot, Region, Split
from cfcompiler.feasibility.region_points import RegionPoints
from cfcompiler.feasibility.solver import AnyOf, Formula, Model, Unknown, solve
from cfcompiler.polynomials import Polynomial, widened

SECONDS_A_QUESTION = 3.0
MOST_POINTS = 60
MOST_INNER = 8
SAMPLES = 120


class Regions:
    """Questions about regions of one space. `by_solver`: whether some answer rested on the solver's word since."""

    def __init__(self, elementary: Elementary, clock: Clock) -> None:
        self.elementary = elementary
        self.functions = elementary.functions
        self.cells = Cells(elementary)
        self.clock = clock
        self.by_solver = False
        self.points = RegionPoints(self.functions, self.cells)
        self._polynomials: dict[Key, Polynomial] = {}

    # making

    def whole(self, bounds: Sequence[tuple[Fraction | None, Fraction | None]]) -> Region:
        """The box, open."""
        signs: dict[Function, int] = {}
        for x, (low, high) in zip(self.functions.generators, bounds, strict=False):  # then come the atoms
            for end, sign in ((low, 1), (high, -1)):
                if end is not None:
                    shifted = x - self.functions.one * flint.fmpq(end.numerator, end.denominator)
                    _, function = self.functions.named(shifted)
                    signs[function] = sign
        return Region(signs, points=tuple(self.points.samples(bounds)))

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
        points = [point for point in region.points if self.points.satisfies(part, point, facts, mixed)]
        if len(points) < 8:
            points += [p for p in self.points.moved(part, region.points, zero) if p not in points]
        if points:
            return replace(part, points=tuple(points[:MOST_POINTS]))
        found = self.model(part, ())
        if found is None:
            return None
        if isinstance(found, Unknown):
            return replace(part, certain=False)
        if isinstance(found, Guess):
            guessed = tuple(self.points.moved(part, (found.near,), True))
            return replace(part, points=guessed, certain=bool(guessed))
        exact = tuple(value for value in found.values if isinstance(value, Fraction))
        if len(exact) < self.functions.inputs:
            return replace(part, model=found)
        if not self.points.holds(part, exact):
            return replace(part, certain=False)
        near = tuple(self.points.moved(part, (exact,), False))
        return replace(part, points=(exact, *(point for point in near if point != exact)))

    def _solved(self, region: Region, function: Function) -> Region:
        """With the equation function = 0 solved for a variable, where that is possible."""
        reduced = self._stripped(region, self.reduced(region, function.poly))
        if reduced.is_zero():
            return region
        best: tuple[int, Pivot] | None = None
        for place in range(self.functions.inputs):
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

    # signs

    def reduced(self, region: Region, poly: Poly) -> Poly:
        """A polynomial that vanishes on the region where the given one does; no pivots are left in it. Raises Open."""
        return self._replaced(region, poly)[0]

    def _replaced(self, region: Region, poly: Poly) -> tuple[Poly, list[Poly]]:
        """The polynomial without pivots, times denominators that are not zero; and these. Raises Open."""
        belows = []
        for pivot in region.pivots:
            if pivot.place not in self.functions.inputs_of(poly):
                continue
            if self.functions.moved(poly):
                try:
                    value = self.elementary.field.ratio(pivot.above, pivot.below)
                    entry = self.elementary.replaced(poly, pivot.place, value, partial(self.sign, region))
                    poly, below = self.elementary.field.parts(entry)
                except NotRational as problem:
                    raise Open(str(problem)) from None
            else:
                degree = poly.degrees()[pivot.place]
                below = pivot.below**degree if degree % 2 else self.functions.one
                poly = self.functions.substituted(poly, pivot.place, pivot.above, pivot.below)
            belows += [] if below.is_constant() and below.leading_coefficient() > 0 else [below]
        return (self.at_edges(region, poly) if self.functions.atoms else poly), belows

    def at_edges(self, region: Region, poly: Poly) -> Poly:
        """Without atoms that are constant on the region. Raises Open where a logarithm has no value on it."""
        for atom in self.functions.within(poly):
            self._check_atom(region, atom)
            value = self._constant(region, atom)
            if value is not None:
                above, below = self.elementary.field.parts(value)
                if below.is_constant():
                    poly = self.functions.substituted(poly, atom.place, above, below)
        return self.functions.normal(poly)

    def check_defined(self, region: Region, poly: Poly) -> None:
        """Refuse formulas without a value on the region, although they may have one beside it: exp(1/x) where x = 0.

        Their signs and values say nothing of what is near. Raises Open, and Split where that is not known.
        """
        for atom in self.functions.within(poly):
            self._check_atom(region, atom)

    def _check_atom(self, region: Region, atom: Atom) -> None:
        for part in (atom.above, atom.below):
            self.check_defined(region, part)
        below = 1 if atom.below.is_constant() else self.sign(region, atom.below)
        if below == 0:
            kind = "a root" if atom.kind == "root" else atom.kind
            raise Open(f"the limit of {kind} of a quotient whose denominator vanishes was not decided")
        if atom.kind == "log" and self.sign(region, atom.above) * below != 1:
            raise Open("the limit of what has a factor log(0) was not decided")

    def _constant(self, region: Region, atom: Atom) -> Entry | None:
        """The value of an atom whose argument is one number on the region, as far as that is plain."""
        if not atom.inputs or not atom.below.is_constant():
            return None
        for function in region.zeros:
            times = atom.above.leading_coefficient() / function.poly.leading_coefficient()
            left = atom.above - function.poly * times
            if left.is_constant():
                number = constant_of(left) / constant_of(atom.below)
                return self.elementary.applied(atom, number, partial(self.sign, region))
        if atom.kind == "root" and self.sign(region, atom.above) == 0:
            return Fraction(0)
        return None

    def sign(self, region: Region, poly: Poly) -> int:
        """The sign of a polynomial on the region, where it is constant. Raises Split, Open."""
        self.check_defined(region, poly)
        side, missing = self._partly(region, poly)
        if not missing:
            return side
        poly, belows = self._replaced(region, poly)
        side, missing = self._partly(region, poly, cells=True)
        if missing:
            raise Split(missing[:1], by_sign=True)
        for below in belows if side else ():
            side *= self.sign(region, below)
        return side

    def _by_cells(self, region: Region, function: Function) -> int | None:
        """The sign of a function of one input, between its roots in the interval of the region. Raises Split."""
        found = self.cells.roots(function, region.signs) if self.functions.moved(function.poly) else None
        if found is None:
            return None
        for root in found:
            known = self._partly(region, root)
            if known[1]:
                raise Split(known[1][:1], by_sign=True)
            if known[0] == 0:
                return 0
        for point in region.points:
            sign = self.functions.sign_at(function.poly, point)
            if sign:
                return sign
        return None

    def _partly(self, region: Region, poly: Poly, *, cells: bool = False) -> tuple[int, tuple[Function, ...]]:
        """The sign, and the factors whose signs are not known; `cells`: roots may divide the region by Split."""
        found = self.functions.factored(poly)
        side, missing = found.side, []
        for function, times in found.factors:
            own = region.known(function)
            if own is None and cells:
                own = self._by_cells(region, function)
            if own == 0:
                return 0, ()
            if own is None:
                missing.append(function)
            elif times % 2:
                side *= own
        return side, tuple(missing)

    def divided(self, region: Region, split: Split) -> list[Region]:
        """The parts of a region; one with a sign implied where the others are empty. Raises Open."""
        for _ in range(MOST_INNER):
            try:
                return self._divided(region, split)
            except Split as inner:  # a sign that a part needs to be written down
                split = inner
        raise Open("it was divided too often")

    def _divided(self, region: Region, split: Split) -> list[Region]:
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
        for function in tuple(left):
            side, missing = self._partly(region, function.poly, cells=True)
            if side and not missing:
                return False
            if not side:
                del left[function]
        if not left:
            return True
        family = tuple(left)
        signs = [[self.functions.sign_at(f.poly, point) for f in family] for point in region.points]
        some_zero = any(all(sign == 0 for sign in row) for row in signs)
        some_not = any(any(sign in (1, -1) for sign in row) for row in signs)
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
        """Whether some point of the region satisfies more, or that was not refuted of atoms. Raises Open."""
        found = self.model(region, more, extra, seconds)
        if isinstance(found, Unknown):
            raise Open(found.reason)
        return found is not None

    # the solver

    def model(
        self, region: Region, more: Sequence[Formula], extra: int = 0, seconds: float = SECONDS_A_QUESTION
    ) -> Model | Guess | Unknown | None:
        """A point of the region that satisfies more (with `extra` further variables), None where there is none.

        Values are of the inputs, then of further variables.
        """
        total = self.functions.variables + extra
        formulas = [*self.constraints(region, extra), *more]
        facts, proper = linked(self.functions, formulas, total)
        found = solve([*formulas, *facts], total, self.clock.share(seconds))
        if found == "unsat":
            self.by_solver = True
            return None
        if isinstance(found, Unknown):
            return found
        inputs = self.functions.inputs
        if not proper:
            near = (v if isinstance(v, Fraction) else v.near for v in found.values[:inputs])
            return Guess(tuple(x.limit_denominator(2**20) for x in near))
        return Model((*found.values[:inputs], *found.values[self.functions.variables :]))

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
