"""A region on which the path of a program is known -> vectors with the hull of D on it, as formulas.

The sweep with open choices that finds D at a point (vertices.py) runs over rational functions: the inputs are those of
the region, so that what is equal on it is equal. Kinks and orderings choose inside, branches outside, with the arms of
all paths that are met (arms.py). On regions of full dimension D is the gradient alone, for every choice gives a
conservative field, which is the gradient almost everywhere, and is continuous there. Source: theory S2.8, S3.2, S3.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.arms import branches_of_guards, combinations_of_arms, conditions_of
from cfcompiler.analyses.field import MOST_SCALARS, backward_of, has_a_pole, seeds_of
from cfcompiler.analyses.general_pieces import Meeting, Nearby, Vector
from cfcompiler.analyses.general_walk import GeneralWalk, Run
from cfcompiler.analyses.ratios import finite
from cfcompiler.analyses.vertices import Sweep, TooManyChoices
from cfcompiler.arithmetic import Array, Undecided
from cfcompiler.feasibility.conditions import Budget, Touches
from cfcompiler.feasibility.conditions import Open as Unsettled
from cfcompiler.feasibility.functions import Function
from cfcompiler.feasibility.quotients import Entry, NotRational, Poly, Ratio
from cfcompiler.feasibility.region import Region, Split
from cfcompiler.feasibility.restriction import on_region
from cfcompiler.feasibility.touching import touches
from cfcompiler.ir import Apply, Instruction, Kink, Program
from cfcompiler.primitives import COMPARISONS
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize
from cfcompiler.transforms.tidy import tidy

MOST_COMBINATIONS = 256
MOST_VECTORS = 256
SECONDS_A_PATH = 1.0
_ORDERINGS = ("extremum", "order", "argextremum", "cumargextremum")


class Fields:
    """D on the regions of one program; without a program, where it is too large to be unrolled, it is not known."""

    def __init__(self, meeting: Meeting) -> None:
        self.meeting = meeting
        self.regions = meeting.regions
        self._known: _Unrolled | None = None
        self._tried = False

    def _unrolled(self) -> _Unrolled | None:
        if not self._tried:
            self._tried = True
            walk = self.meeting.walk
            try:
                program = tidy(scalarize(tidy(walk.program), MOST_SCALARS))
                moving = {name for name, _ in walk.coordinates}
                fixed = {name: array for name, array in walk.inputs.items() if name not in moving}
                self._known = _Unrolled(
                    program, backward_of(program), GeneralWalk(program, fixed, walk.elementary)
                )
            except TooManyScalars:
                pass
        return self._known

    def on(self, region: Region, ad: Vector) -> tuple[Vector, ...] | None:
        """Vectors with the hull of D on a thin region; None where they are not known. Raises Split, Open.

        `ad`: what AD returns there, which is all of D where nothing is tied. Raises OutsideTheEngine.
        """
        unrolled = self._unrolled()
        if unrolled is None:
            return None
        oracle = _Signs(self.meeting, region)
        run = unrolled.walk.run(oracle)
        if run is None:
            return None
        tied = [
            unrolled.program.instructions[guard.instruction]
            for guard, sign in run.guards.items()
            if sign == 0
        ]
        if not tied:
            return (ad,)
        if not all(_chooses(instruction) or _is_condition(instruction) for instruction in tied):
            return None  # a step jumps there
        if not any(instruction.out.name in unrolled.conditions for instruction in tied):
            return self._chosen(unrolled, region, oracle, {})
        return self._with_branches(unrolled, region, oracle)

    def _with_branches(
        self, unrolled: _Unrolled, region: Region, oracle: _Signs
    ) -> tuple[Vector, ...] | None:
        paths = self._paths(unrolled, region)
        if paths is None:
            return None
        found: dict[Vector, None] = {}
        try:
            arms = combinations_of_arms(unrolled.branches, [own.arms for _, own in paths], MOST_COMBINATIONS)
        except TooManyChoices:
            return None
        for forced in arms:
            vectors = self._chosen(unrolled, region, oracle, forced)
            vectors = self._limits(unrolled, paths, forced) if vectors is None else vectors
            if vectors is None or len(found) > MOST_VECTORS:
                return None
            found.update(dict.fromkeys(vectors))
        return tuple(found)

    def _paths(self, unrolled: _Unrolled, region: Region) -> list[tuple[Nearby, Run]] | None:
        """All paths that are met, thin ones too; None where these are not known."""
        met: list[tuple[Nearby, Run]] = []
        for oracle in self.meeting.oracles(region, (1, -1, 0)):
            own = unrolled.walk.run(oracle)
            if own is None:
                continue
            touching = self._touches(region, oracle.chosen)
            if touching is None:
                return None
            if touching:
                met.append((oracle, own))
        return met

    def _touches(self, region: Region, chosen: Mapping[Function, int]) -> bool | None:
        """Whether the points with these signs have all of the region in their closure (True), or none of it."""
        if self.meeting.independent(region, sorted(chosen, key=lambda function: function.size)):
            return True
        if self.regions.model(Region(chosen), ()) is None:
            return False
        system = self.meeting.across(region, chosen.items())
        if system is None:
            return None
        answer = touches(system, Budget(self.regions.clock.share(SECONDS_A_PATH).left))
        return None if isinstance(answer, Unsettled) else isinstance(answer, Touches)

    def _limits(
        self, unrolled: _Unrolled, paths: Sequence[tuple[Nearby, Run]], forced: Mapping[str, bool]
    ) -> tuple[Vector, ...] | None:
        """The derivatives beside the region where an arm is singular on it, and no kink adds a choice."""
        found: dict[Vector, None] = {}
        for oracle, run in paths:
            if any(run.arms.get(name, truth) != truth for name, truth in forced.items()):
                continue
            if any(_chooses(unrolled.program.instructions[guard.instruction]) for guard in run.guards):
                return None
            vector = unrolled.walk.derivative(oracle)
            if not finite(vector):
                return None
            found[vector] = None
        return tuple(found) or None

    def _chosen(
        self, unrolled: _Unrolled, region: Region, oracle: _Signs, forced: Mapping[str, bool]
    ) -> tuple[Vector, ...] | None:
        """What the backward program returns for all choices at what is tied on the region, with given arms."""
        walk, backward = unrolled.walk, unrolled.backward
        ratios = walk.arithmetic(oracle)
        outputs = len(unrolled.program.results)
        names = [param.value.name for param in backward.params[len(backward.params) - outputs :]]
        rows = [dict(zip(names, seeds, strict=True)) for seeds in seeds_of(unrolled.program, ratios)]
        until = self.regions.clock.end
        try:
            sweep = Sweep(
                backward, self._inputs(walk, region), ratios, oracle.tied, forced, MOST_VECTORS, until
            )
            jacobians = sweep.jacobians(rows)
        except (TooManyChoices, NotRational, Undecided, numbers.Undecided):
            return None
        found: dict[Vector, None] = {}
        for jacobian in jacobians:
            values = [row[value.name] for row in jacobian for value in backward.results[outputs:]]
            vector = tuple(entry for value in values for entry in np.reshape(value, -1))
            if not finite(vector):
                return None
            found[vector] = None
        return None if forced and has_a_pole(backward, sweep.primal) else tuple(found)

    def _inputs(self, walk: GeneralWalk, region: Region) -> dict[str, Array]:
        """The inputs on the region: what its equations are solved for, by the other coordinates."""
        one = walk.functions.one
        coordinates = walk.functions.generators[: walk.dimension]
        entries = [on_region(self.regions, region, Ratio(x, one)) for x in coordinates]
        found = {name: np.array(array, dtype=object, copy=True) for name, array in walk.inputs.items()}
        for (name, place), entry in zip(walk.coordinates, entries, strict=True):
            found[name][place] = entry
        return found


class _Unrolled:
    """The program without arrays, its backward program, its runs, its branches and what they depend on."""

    def __init__(self, program: Program, backward: Program, walk: GeneralWalk) -> None:
        self.program = program
        self.backward = backward
        self.walk = walk
        self.branches = branches_of_guards(program)
        self.conditions = conditions_of(program, set(self.branches))


class _Signs:
    """The signs of polynomials on a region; one that is not known may follow from those that are."""

    def __init__(self, meeting: Meeting, region: Region) -> None:
        self.regions = meeting.regions
        self.region = region
        self.ratios = meeting.walk.arithmetic(self)
        self.reduced: dict[Function, int] = dict(self._reduced(region))

    def _reduced(self, region: Region) -> Iterator[tuple[Function, int]]:
        """The known signs, of functions reduced by the equations."""
        for function, sign in (*region.implied.items(), *region.signs.items()):
            poly = function.poly
            for pivot in region.pivots:
                power = poly.degrees()[pivot.place]
                poly = self.regions.functions.substituted(poly, pivot.place, pivot.above, pivot.below)
                if power % 2 and self.regions.sign(region, pivot.below) < 0:
                    poly = -poly
            factors = self.regions.functions.factored(poly)
            odd = [own for own, times in factors.factors if times % 2]
            if sign and len(odd) == 1:
                yield odd[0], sign * factors.side

    def __call__(self, poly: Poly) -> int:
        """Raises Split where the sign is not the same on all of the region."""
        while True:
            try:
                return self.regions.sign(self.region, poly)
            except Split as split:
                self.region = self._with(split)

    def _with(self, split: Split) -> Region:
        """The region with the sign implied. Raises the split where it is not implied."""
        (function,) = split.functions
        if function in self.reduced:
            return replace(self.region, implied={**self.region.implied, function: self.reduced[function]})
        parts = self.regions.divided(self.region, split)
        if len(parts) != 1 or not parts[0].certain:
            raise split
        return parts[0]

    def tied(self, left: Entry, right: Entry) -> bool:
        """Whether two entries are equal on the region."""
        return self.ratios.code(left, right) == 0


def _chooses(instruction: Instruction) -> bool:
    """Whether a tie of the instruction is a choice of the backward program."""
    return isinstance(instruction, Kink) or (isinstance(instruction, Apply) and instruction.op in _ORDERINGS)


def _is_condition(instruction: Instruction) -> bool:
    return isinstance(instruction, Apply) and instruction.op in COMPARISONS and not instruction.out.shape
