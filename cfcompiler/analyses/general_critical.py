"""A region on which the pieces are known -> vectors with the hull of D, and where 0 is in it but not in Clarke's.

D: the derivatives of the backward program over all arms that are met, all choices at tied kinks and extrema. On regions
of full dimension it is the gradient alone: every choice gives a conservative field, which is the gradient almost
everywhere, and is continuous there. Source: theory S2.8, S3.2, S3.3, S5.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from math import prod

from cfcompiler.analyses.affine_machine import Guard
from cfcompiler.analyses.arms import branches_of_guards, combinations_of_arms
from cfcompiler.analyses.general_pieces import Meeting, Nearby, Piece, Vector
from cfcompiler.analyses.general_walk import Run, SignOf
from cfcompiler.analyses.ratios import Poly, finite, parts
from cfcompiler.analyses.vertices import TooManyChoices
from cfcompiler.feasibility.conditions import Constraint
from cfcompiler.feasibility.regions import Open, Region
from cfcompiler.ir import Apply, Instruction, Kink
from cfcompiler.polynomials import widened
from cfcompiler.primitives import COMPARISONS

MOST_CHOICES = 256
MOST_VECTORS = 256
SECONDS_FOR_FLAGS = 1.0


class Criticality:
    """Questions about D on regions."""

    def __init__(self, meeting: Meeting) -> None:
        self.meeting = meeting
        self.walk = meeting.walk
        self.regions = meeting.regions

    # D

    def field(
        self, region: Region, run: Run, ad: Vector, pieces: Sequence[Piece]
    ) -> tuple[Vector, ...] | None:
        """Vectors with the hull of D on a thin region; None where they are not known. Raises Split, Open."""
        instructions = self.walk.program.instructions
        tied = [instructions[guard.instruction] for guard, sign in run.guards.items() if sign == 0]
        if not tied and not any(piece.signs for piece in pieces):
            return (ad,)
        if all(_continuous(instruction) for instruction in tied):
            return self._chosen(region, run, {})
        return self._with_branches(region, run)

    def _with_branches(self, region: Region, run: Run) -> tuple[Vector, ...] | None:
        paths = self._paths(region, run)
        if paths is None:
            return None
        found: dict[Vector, None] = {}
        try:
            branches = branches_of_guards(self.walk.program)
            arms = combinations_of_arms(branches, [own.arms for _, own in paths], MOST_CHOICES)
        except TooManyChoices:
            return None
        for forced in arms:
            own = self.walk.run(self._signs(region), forced)
            vectors = None if own is None else self._chosen(region, own, forced)
            vectors = self._limits(paths, forced) if vectors is None else vectors
            if vectors is None or len(found) > MOST_VECTORS:
                return None
            found.update(dict.fromkeys(vectors))
        return tuple(found)

    def _limits(
        self, paths: Sequence[tuple[Nearby, Run]], forced: Mapping[str, bool]
    ) -> tuple[Vector, ...] | None:
        """The derivatives beside the region where an arm is singular on it, and no kink adds a choice."""
        found: dict[Vector, None] = {}
        for oracle, run in paths:
            if any(run.arms.get(name, truth) != truth for name, truth in forced.items()):
                continue
            if any(_continuous(self.walk.program.instructions[guard.instruction]) for guard in run.guards):
                return None
            vector = self.walk.derivative(oracle)
            if not finite(vector):
                return None
            found[vector] = None
        return tuple(found) or None

    def _signs(self, region: Region) -> SignOf:
        return lambda poly: self.regions.sign(region, poly)

    def _paths(self, region: Region, run: Run) -> list[tuple[Nearby, Run]] | None:
        """All paths that are met, thin ones too; None where these are not known."""
        for guard, sign in run.guards.items():
            instruction = self.walk.program.instructions[guard.instruction]
            if sign == 0 and not _continuous(instruction) and not _scalar_condition(instruction):
                return None
        met: list[tuple[Nearby, Run]] = []
        for oracle in self.meeting.oracles(region, (1, -1, 0)):
            own = self.walk.run(oracle)
            if own is None:
                continue
            if not self.meeting.independent(region, sorted(oracle.chosen, key=lambda f: f.size)):
                return None
            met.append((oracle, own))
        return met

    def _chosen(self, region: Region, run: Run, forced: Mapping[str, bool]) -> tuple[Vector, ...] | None:
        """What the backward program returns for all choices at what is tied on the region, with given arms."""
        choices = self._choices(run)
        if choices is None or prod(map(len, choices.values())) > MOST_CHOICES:
            return None
        found: dict[Vector, None] = {}
        for chosen in product(*choices.values()):
            sides = dict(zip(choices, chosen, strict=True))
            vector = self.walk.derivative(self._signs(region), sides, forced)
            if not finite(vector):
                return None
            found[vector] = None
        return tuple(found)

    def _choices(self, run: Run) -> dict[str, tuple[int, ...]] | None:
        """By the names of tied kinks and extrema, the sides or the entries that may be chosen; of single ones only."""
        found: dict[str, tuple[int, ...]] = {}
        for guard, code in run.guards.items():
            instruction = self.walk.program.instructions[guard.instruction]
            if code != 0 or not _continuous(instruction) or instruction.out.name in found:
                continue
            if instruction.out.shape:
                return None
            found[instruction.out.name] = (
                (1, -1)
                if isinstance(instruction, Kink)
                else _extreme(guard.instruction, instruction, run.guards)
            )
        return {name: entries for name, entries in found.items() if len(entries) > 1}

    # artificial critical points

    def artificial(
        self, region: Region, field: tuple[Vector, ...] | None, gradients: Sequence[Vector]
    ) -> bool | None:
        """Whether 0 is in the hull of D and not in that of the limiting gradients. Raises Split."""
        if field is not None and set(field) <= set(gradients):
            return False
        try:
            if field is None:
                inside = self.meeting.zero_inside(region, gradients, SECONDS_FOR_FLAGS)
                return False if inside == "always" else None
            extra = len(field) + len(gradients[0])
            both = [
                *_widened(self.meeting.holding(region, field), len(gradients[0])),
                *self.meeting.parting(region, gradients, len(field)),
            ]
            found = self.regions.model(region, both, extra, SECONDS_FOR_FLAGS)
            if found is None:
                return False
            self._isolate(region, field, gradients)
            return True
        except Open:
            return None

    def _isolate(self, region: Region, field: Sequence[Vector], gradients: Sequence[Vector]) -> None:
        """Raises Split where artificial critical points are a part of the region only, Open where it is not known."""
        inside = self.meeting.zero_inside(region, field, SECONDS_FOR_FLAGS)
        if inside == "always":
            outside = self.meeting.zero_inside(region, gradients, SECONDS_FOR_FLAGS)
            if outside == "never":
                return
        if self._collinear(region, field):
            minors = list(self._minors(field[0], self.meeting.minus(field[-1], field[0])))
            self.regions.vanish(region, minors)
        for vectors in (field, gradients):
            for one, other in combinations(vectors, 2):
                self.regions.sign(region, self._product(one, other))
        raise Open("which points are artificial critical was not decided")

    def _collinear(self, region: Region, field: Sequence[Vector]) -> bool:
        """Whether it is plain that D lies on a line."""
        if len(field) < 2:
            return False
        along = self.meeting.minus(field[-1], field[0])
        return all(
            self.regions.reduced(region, minor).is_zero()
            for vector in field[1:-1]
            for minor in self._minors(self.meeting.minus(vector, field[0]), along)
        )

    def _minors(self, one: Vector, other: Vector) -> Iterator[Poly]:
        """Polynomials that vanish where two vectors are parallel."""
        unit = self.walk.functions.one
        for (a, b), (c, d) in combinations(list(zip(one, other, strict=True)), 2):
            (ap, aq), (bp, bq) = parts(a, unit), parts(b, unit)
            (cp, cq), (dp, dq) = parts(c, unit), parts(d, unit)
            yield ap * dp * bq * cq - bp * cp * aq * dq

    def _product(self, one: Vector, other: Vector) -> Poly:
        """A polynomial with the sign of the scalar product."""
        unit = self.walk.functions.one
        above, below = unit * 0, unit
        for a, b in zip(one, other, strict=True):
            (ap, aq), (bp, bq) = parts(a, unit), parts(b, unit)
            above, below = above * (aq * bq) + ap * bp * below, below * (aq * bq)
        return above * below


def _continuous(instruction: Instruction) -> bool:
    """Whether a tie of the instruction is a kink, not a jump."""
    return isinstance(instruction, Kink) or (isinstance(instruction, Apply) and instruction.op == "extremum")


def _scalar_condition(instruction: Instruction) -> bool:
    return isinstance(instruction, Apply) and instruction.op in COMPARISONS and not instruction.out.shape


def _extreme(place: int, instruction: Instruction, codes: Mapping[Guard, int]) -> tuple[int, ...]:
    """The entries of an extremum over one row that are tied for it."""
    assert isinstance(instruction, Apply)
    size = prod(instruction.args[0].shape)
    wanted = 1 if instruction.attribute("sense") == "max" else -1
    best, tied = 0, [0]
    for entry in range(1, size):
        code = codes.get(Guard(place, (), (best, entry)))
        turned = None if code is None else -code  # the sign of entry - best
        if turned == 0:
            tied.append(entry)
        elif turned == wanted:
            best, tied = entry, [entry]
    return tuple(tied)


def _widened(formulas: Sequence[object], extra: int) -> list[Constraint]:
    found = []
    for part in formulas:
        assert isinstance(part, Constraint)
        found.append(Constraint(widened(part.polynomial, part.polynomial.variables + extra), part.relation))
    return found
