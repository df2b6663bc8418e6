"""A region on which all guards have constant signs -> what is true on all of it, or how it is to be divided.

The region is first made a manifold (equations that are independent everywhere on it, or solved for variables). The
pieces that meet on it, their values and gradients and what AD returns are rational functions, compared modulo its
equations. What holds on a part only raises Split, so that everything that is said holds throughout. Words and flags are
those of theory S5; what cannot be settled for all points at once raises Open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from cfcompiler import numbers
from cfcompiler.analyses.affine_machine import Guard
from cfcompiler.analyses.general_critical import SECONDS_FOR_FLAGS, Criticality
from cfcompiler.analyses.general_pieces import Meeting, Met, Piece, Vector
from cfcompiler.analyses.general_points import finitely_many
from cfcompiler.analyses.general_walk import GeneralWalk, Run, joining
from cfcompiler.analyses.general_words import Words
from cfcompiler.analyses.ratios import finite
from cfcompiler.analyses.truth import BOUNDARY
from cfcompiler.feasibility.elementary import SignOf
from cfcompiler.feasibility.functions import Function
from cfcompiler.feasibility.quotients import Entry, NotRational, Ratio
from cfcompiler.feasibility.region import Open, Region, Split
from cfcompiler.feasibility.regions import Regions

MOST_ROUNDS = 5
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Truth:
    """What holds on a whole region. `gradients`: those of the pieces that are met, without repeats.

    `gradient`: that of f, None where f is not differentiable. `field`: vectors whose hull is that of D, None where it
    is not known.
    """

    region: Region
    dimension: int
    guards: Mapping[Guard, int]
    outputs: tuple[Entry, ...]
    ad: Vector
    verdict: str
    reason: str = ""
    gradients: tuple[Vector, ...] = ()
    gradient: Vector | None = None
    field: tuple[Vector, ...] | None = None
    ad_critical: bool | None = None
    artificial: bool | None = None
    bounded: bool = False  # the flag is None since gradients from inside alone say nothing
    trust: str = "certificate"
    near_jump: bool = False  # undefined since the program jumps at points arbitrarily near


class Judge:
    """Judges regions of one program."""

    def __init__(self, walk: GeneralWalk, regions: Regions) -> None:
        self.walk = walk
        self.regions = regions
        self.meeting = Meeting(walk, regions)
        self.criticality = Criticality(self.meeting)
        self.words = Words(self.meeting)
        self.joined = joining(walk.program, walk.moving)
        self.jumps: list[Region] = []
        self.doubts: list[Region] = []  # where it is not known whether the program jumps

    def truth(self, region: Region) -> Truth | None:
        """The truth on a region; None outside of the domain. Raises Split, Open, OutsideTheEngine."""
        self.regions.by_solver = region.by_solver
        region, dimension = self.manifold(region)
        sign_of = self._signs(region)
        run = self.walk.run(sign_of)
        if run is None:
            return None
        ad = self.walk.derivative(sign_of)
        known = Truth(region, dimension, run.guards, run.outputs, ad, "unknown")
        return replace(
            self._judged(known, run),
            trust="solver" if self.regions.by_solver else "certificate",
        )

    def _signs(self, region: Region) -> SignOf:
        return lambda poly: self.regions.sign(region, poly)

    # the shape of the region

    def manifold(self, region: Region) -> tuple[Region, int]:
        """The same set by independent equations, and its dimension. Raises Split, Open."""
        functions = self.walk.functions
        for _ in range(MOST_ROUNDS):
            region = self.regions.refreshed(region)
            free = self.walk.dimension - len(region.pivots)
            if not region.rest:
                return region, free
            rest = [functions.named(poly)[1] for poly in region.rest]
            for function in rest:
                factors = [own for own, _ in functions.factored(function.poly).factors]
                unknown = [own for own in factors if region.known(own) is None]
                if len(factors) > 1 and unknown:
                    raise Split((unknown[0],), by_sign=True)
            for chosen in combinations(rest, free) if len(rest) > free else (rest,):
                if self.meeting.independent(region, chosen):
                    return region, free - len(chosen)
            smaller = self._without_one(region)
            if smaller is not None:
                region = smaller
                continue
            rows = [self.meeting.gradient(region, function) for function in rest]
            width = min(len(rest), free)
            minors = functions.minors(rows[:width]) if width else []
            facts = [(functions.named(minor)[1], 0) for minor in minors]
            facts = [(function, 0) for function, _ in facts if region.known(function) is None]
            larger = self.regions.extended(region, facts) if facts else None
            if larger is None:
                break
            region = larger
        if len(finitely_many(self.regions, region)) == 0:
            raise Open("the dimension was not decided")
        return region, 0

    def _without_one(self, region: Region) -> Region | None:
        """Without an equation that follows from the others, where there is one."""
        zeros = sorted(region.zeros, key=lambda function: function.size, reverse=True)
        for function in zeros if len(zeros) > 1 else ():
            start = Region(
                {f: s for f, s in region.signs.items() if s != 0},
                region.mixed,
                {**region.implied, function: 0},
                points=region.points,
                by_solver=True,
            )
            others = [(f, 0) for f in zeros if f != function]
            rest = self.regions.extended(start, sorted(others, key=lambda row: row[0].size))
            if rest is not None and not self.regions.feasible(rest, (self.regions.not_all((function,)),)):
                return rest
        return None

    # the word

    def _judged(self, known: Truth, run: Run) -> Truth:
        region = known.region
        if not finite(run.outputs):
            return replace(known, verdict="undefined", reason="the program has no finite value here")
        pieces = self.meeting.pieces(region)
        if not pieces:
            reason = "the domain that the program asserts has no interior here"
            return replace(known, verdict="unknown", reason=reason)
        met = self._met(region, pieces)
        pieces = [own.piece for own in met]
        valued = [piece for piece in pieces if "nan" not in piece.run.outputs]
        beside = self._beside(region, valued, run)
        if beside is not None:
            self.jumps.append(region)
            return replace(known, verdict="discontinuous", reason=beside)
        if len(valued) < len(pieces):
            return replace(known, verdict="undefined", reason="the program has no value beside it")
        if not finite(known.ad):
            gradients, gradient = self._truth_beside_nan(region, known, met)
            return replace(
                known,
                verdict="undefined",
                reason="AD returns NaN or inf",
                gradients=gradients,
                gradient=gradient,
            )
        if self._steep(region, pieces):
            reason = "not locally Lipschitz: the derivative has no bound beside it"
            return replace(known, verdict="undefined", reason=reason)
        if self.joined and self._near_a_jump(region, known.dimension):
            reason = "not locally Lipschitz: the program jumps at points arbitrarily near"
            return replace(known, verdict="undefined", reason=reason, near_jump=True)
        gradients, rays = self._distinct(region, met)
        critical = self._ad_critical(region, known)
        gradient = _smooth(gradients, rays)
        verdict = self.words.verdict(region, known.ad, gradients, gradient)
        field: tuple[Vector, ...] | None = gradients
        if known.dimension < self.walk.dimension:
            field = self.criticality.field(region, known.ad)
        artificial = self._flag(region, lambda: self.criticality.artificial(region, field, gradients))
        bounded = artificial is not False and self.meeting.bounded(region)
        return replace(
            known,
            reason=BOUNDARY if bounded else known.reason,
            bounded=bounded,
            verdict=verdict,
            gradients=gradients,
            gradient=gradient,
            field=field,
            ad_critical=critical,
            artificial=None if bounded else artificial,
        )

    def _truth_beside_nan(
        self, region: Region, known: Truth, met: Sequence[Met]
    ) -> tuple[tuple[Vector, ...], Vector | None]:
        """The limiting gradients and the gradient of f where AD has none; nothing where they are not known."""
        try:
            if self._steep(region, [own.piece for own in met]):
                return (), None
            if self.joined and self._near_a_jump(region, known.dimension):
                return (), None
            gradients, rays = self._distinct(region, met)
            return gradients, _smooth(gradients, rays)
        except (Open, NotRational, numbers.Undecided):
            return (), None

    def _met(self, region: Region, pieces: list[Piece]) -> list[Met]:
        """The pieces that are met; one of them, where it makes no difference."""
        if len(pieces) == 1:
            return [Met(pieces[0], True)]
        if len(pieces) <= 16 and all(finite(piece.run.outputs) for piece in pieces):
            first = pieces[0]
            slopes = self.walk.gradient(first.run.outputs)
            if all(self._same(region, first, piece, slopes) for piece in pieces[1:]):
                return [Met(first, True)]
        return self.meeting.met(region, pieces)

    def _same(self, region: Region, first: Piece, piece: Piece, slopes: Vector) -> bool:
        """Whether two pieces have one value and gradient, where that needs no solver."""
        own = self.walk.gradient(piece.run.outputs)
        polys = self.meeting.difference((*first.run.outputs, *slopes), (*piece.run.outputs, *own))
        return all(self.regions.reduced(region, poly).is_zero() for poly in polys)

    def _beside(self, region: Region, pieces: Sequence[Piece], run: Run) -> str | None:
        """Why the program jumps on the region; None where all pieces have its value."""
        for piece in pieces:
            if not finite(piece.run.outputs):
                return "the program has no bound beside it"
            for entry in piece.run.outputs:
                self.meeting.check_defined(region, entry)
            for output in piece.run.outputs:
                if isinstance(output, Ratio) and not self._nonzero(region, output):
                    if not self.regions.vanish(region, [output.above]):
                        return "the program has no bound beside it"
                    raise Open("the limit of a quotient 0/0 was not decided for all points at once")
        for piece in pieces:
            if not self.meeting.equal(region, run.outputs, piece.run.outputs):
                here, there = self._told(region, run.outputs), self._told(region, piece.run.outputs)
                return f"the program jumps: its value here is {here}, and {there} is approached beside it"
        return None

    def _told(self, region: Region, outputs: Sequence[Entry]) -> str:
        from cfcompiler.analyses.general_texts import Texts

        return ", ".join(Texts(self.walk, self.regions).entry(region, entry) for entry in outputs)

    def _nonzero(self, region: Region, entry: Ratio) -> bool:
        """Whether the denominator vanishes nowhere (True) or everywhere on the region. Raises Split, Open."""
        self.meeting.check_defined(region, entry)
        return entry.below.is_constant() or self.regions.sign(region, entry.below) != 0

    def _steep(self, region: Region, pieces: Sequence[Piece]) -> bool:
        for piece in pieces:
            for entry in self.walk.gradient(piece.run.outputs):
                if isinstance(entry, Ratio) and not self._nonzero(region, entry):
                    if not self.regions.vanish(region, [entry.above]):
                        return True
                    raise Open("the limit of a derivative 0/0 was not decided for all points at once")
        return False

    def _near_a_jump(self, region: Region, dimension: int) -> bool:
        """Whether the region is in the closure of one on which the program jumps. Raises Split, Open."""
        if dimension == self.walk.dimension:
            return False
        if any(self._in_closure(region, jump) for jump in self.jumps):
            return True
        if any(self._in_closure(region, doubt) for doubt in self.doubts):
            raise Open("whether the program jumps at points arbitrarily near was not decided")
        return False

    def _in_closure(self, region: Region, jump: Region) -> bool:
        active: list[Function] = []
        for function, sign in jump.signs.items():
            known = region.known(function)
            if known is None:
                known = self.regions.sign(region, function.poly)
            if known == 0:
                active.append(function)
            elif known != sign:
                return False
        if self.meeting.independent(region, active) and all(
            self._thin(region, active, family) for family in jump.mixed
        ):
            return True
        raise Open("whether the program jumps at points arbitrarily near was not decided")

    def _thin(self, region: Region, active: Sequence[Function], family: Sequence[Function]) -> bool:
        """Whether it is known that a family does not vanish on an open part of {active = 0} beside the region."""
        return any(
            region.known(f) in (1, -1) or self.meeting.independent(region, (*active, f)) for f in family
        )

    def _distinct(
        self, region: Region, met: Sequence[Met]
    ) -> tuple[tuple[Vector, ...], tuple[bool | None, ...]]:
        """The gradients without repeats, and whether each is met along an open set of rays."""
        found: list[Vector] = []
        rays: list[bool | None] = []
        for own in met:
            slopes = self.walk.gradient(own.piece.run.outputs)
            for place, other in enumerate(found):
                if self.meeting.equal(region, slopes, other):
                    rays[place] = _either(rays[place], own.rays)
                    break
            else:
                found.append(slopes)
                rays.append(own.rays)
        return tuple(found), tuple(rays)

    # flags

    def _ad_critical(self, region: Region, known: Truth) -> bool | None:
        polys = [self.walk.parts(entry)[0] for entry in known.ad]
        return self._flag(region, lambda: self.regions.vanish(region, polys, SECONDS_FOR_FLAGS))

    def _flag(self, region: Region, ask: Callable[[], bool | None]) -> bool | None:
        """The answer; None where it is open, or where it would divide the region into parts that are not known.

        Raises Split.
        """
        try:
            return ask()
        except Open:
            return None
        except Split as split:
            if not any(self.walk.functions.moved(function.poly) for function in split.functions):
                raise
            try:
                parts = self.regions.divided(region, split)
            except Open:
                return None
            if all(part.certain for part in parts):
                raise
            return None


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False


def _smooth(gradients: Sequence[Vector], rays: Sequence[bool | None]) -> Vector | None:
    """The gradient of f: the only one that is met along an open set of rays. Raises Open."""
    met = [gradient for gradient, own in zip(gradients, rays, strict=True) if own]
    if len(met) > 1:
        return None
    if len(met) == 1 and None not in rays:
        return met[0]
    raise Open("which pieces are met along an open set of rays was not decided")
