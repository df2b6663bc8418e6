"""A program of rational and elementary functions -> its stratification: sets of constant signs, what is true on each.

Enumeration: the program runs over functions of its inputs; a sign that is needed and not known divides the region on
which it runs, depth first, and parts that are empty are left out. Each region is then judged on the whole
(general_truth.py), divided again where that is needed, larger ones first. Single points for which that does not suffice
are judged as `cfc at` judges them. What was not decided is said in `unknown`, and no part is dropped without a proof
that it is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.affine_walk import OutsideTheEngine
from cfcompiler.analyses.at import at
from cfcompiler.analyses.general_points import alone, exact_point, point_texts
from cfcompiler.analyses.general_report import Judged, strata_report
from cfcompiler.analyses.general_texts import Texts
from cfcompiler.analyses.general_truth import Judge, Truth
from cfcompiler.analyses.general_walk import ROOM, GeneralWalk
from cfcompiler.analyses.landscape import Effort
from cfcompiler.analyses.strata_question import Question, restricted
from cfcompiler.analyses.truth import BOUNDARY
from cfcompiler.errors import CFError
from cfcompiler.feasibility.conditions import Clock
from cfcompiler.feasibility.quotients import NotRational
from cfcompiler.feasibility.region import Open, Region, Split
from cfcompiler.feasibility.regions import Regions
from cfcompiler.ir import Program
from cfcompiler.report import Row, StrataReport

MOST_DIVISIONS = 14
SECONDS_A_POINT = 5.0
SECONDS_AFTER_CTRL_C = 0.4
SHARE_OF_ENUMERATION = 0.6  # of the time, at most
_ALWAYS = 1 << 30  # of points, which are judged with all that is beside them


def general_strata(program: Program, question: Question) -> StrataReport:
    """The stratification. Raises OutsideTheEngine where a value is not a rational function."""
    end = monotonic() + question.seconds
    for room in ROOM:
        work = _Work(program, question, end, room)
        work.enumerate()
        if work.outside and not work.waiting and not work.walk.functions.full:
            raise work.outside[0][1]
        work.judge()
        if not work.walk.functions.full or work.interrupted or monotonic() > end:
            break
    if work.outside and not work.found:
        raise work.outside[0][1]
    report = strata_report(work.program, question, work.texts, work.found, work.unknown)
    return replace(report, interrupted=work.interrupted, whole=not work.unknown)


class _Work:
    """The steps, with what has been found so far."""

    def __init__(self, program: Program, question: Question, end: float, room: int) -> None:
        self.program = restricted(program, question)
        self.question = question
        self.end = end
        self.enumerated = end - (1 - SHARE_OF_ENUMERATION) * question.seconds
        self.walk = GeneralWalk(self.program, question.fixed, room=room)
        self.regions = Regions(self.walk.elementary, Clock(self.end))
        self.texts = Texts(self.walk, self.regions)
        self.bounds = question.bounds(program)
        self.waiting: list[tuple[Region, int]] = []
        self.outside: list[tuple[Region, OutsideTheEngine]] = []
        self.stopped: list[tuple[Region, str]] = []
        self.found: list[Judged] = []
        self.dropped: list[Region] = []  # of which nothing is known
        self.interrupted = False
        self.late = 0  # strata for which there was no time left
        self.unknown: list[str] = []

    # enumeration

    def enumerate(self) -> None:
        """All regions on which the program runs on one path."""
        region = self.regions.whole(self.bounds)
        pending = [region]
        done = 0
        try:
            while pending:
                self._check_size(len(self.waiting) + len(pending))
                pending.sort(key=lambda own: -_codimension(own))
                region = pending.pop()  # large ones first
                try:
                    if self.walk.run(partial(self.regions.sign, region)) is not None:
                        self.waiting.append((region, 0))
                except Split as split:
                    pending.extend(self._parts(region, split))
                except OutsideTheEngine as problem:
                    self.outside.append((region, problem))
                except Open as problem:
                    self.stopped.append((region, problem.reason))
                done += 1
                if done % 16 == 0:
                    self._tell("strata", len(self.waiting), 0)
        except _OutOfTime as problem:
            most = self.walk.dimension - min(map(_codimension, pending))
            self.unknown.append(f"some strata are missing, of dimension {most} at most: {problem}")
            self.dropped = pending
        except KeyboardInterrupt:
            self._interrupt()
            self.dropped = [*pending, region]
            self.unknown.append(
                f"strata are missing: interrupted while they were enumerated, when {len(self.waiting)} had been found"
            )

    def _interrupt(self) -> None:
        """What is left to do is done at once, or not at all."""
        self.interrupted = True
        self.end = min(self.end, monotonic() + SECONDS_AFTER_CTRL_C)
        self.regions.clock = Clock(self.end)

    def _parts(self, region: Region, split: Split) -> list[Region]:
        """The parts of a region; none, where these could not be told, which is noted."""
        try:
            return self.regions.divided(region, split)
        except Open as problem:
            self.stopped.append((region, problem.reason))
        except (NotRational, numbers.Undecided) as problem:
            self.stopped.append((region, str(problem)))
        return []

    def _check_size(self, size: int) -> None:
        if monotonic() > self.enumerated:
            raise _OutOfTime(f"there is too little time, {self.question.seconds:.3g} s in all (--timeout)")
        if size > self.question.most:
            raise _OutOfTime(f"there are more than {self.question.most} (--max-cells allows more)")

    def _tell(self, word: str, done: int, total: int) -> None:
        if self.question.progress is not None:
            self.question.progress(word, done, total)

    # judging

    def judge(self) -> None:
        """The truth on each region, those of few equations first."""
        judge = Judge(self.walk, self.regions)
        for region, problem in self.outside:
            judge.doubts.append(region)
            self.unknown.append(f"where {self.texts.place(region)} nothing is known: {located(problem)}")
        if judge.joined:
            judge.doubts += self.dropped
        self._note_stopped(judge)
        total = 0
        try:
            while self.waiting:
                self.waiting.sort(key=lambda row: -_codimension(row[0]))
                region, depth = self.waiting.pop()
                self._one(judge, region, depth)
                if not self.waiting and judge.joined:
                    self._again(judge)
                total += 1
                if total % 16 == 0:
                    self._tell("judged", total, total + len(self.waiting))
        except KeyboardInterrupt:
            self._interrupt()
            stale = self._stale(judge)
            self.found = [found for found in self.found if not any(found is own for own in stale)]
            self.late += len(self.waiting) + 1 + len(stale)
        self._note_stopped(judge)
        if self.late:
            reason = (
                "interrupted"
                if self.interrupted
                else f"the {self.question.seconds:.3g} s are over (--timeout)"
            )
            self.unknown.append(f"{self.late} strata are not judged: {reason}")

    def _note_stopped(self, judge: Judge) -> None:
        for region, reason in self.stopped:
            judge.doubts.append(region)
            self.unknown.append(f"where {self.texts.place(region)} nothing is known: {reason}")
        self.stopped = []

    def _one(self, judge: Judge, region: Region, depth: int) -> None:
        if monotonic() > self.end:
            self.late += 1
            return
        if not region.certain:
            self._open(judge, region, "whether this set is empty")
            return
        try:
            truth = judge.truth(region)
            if truth is None:
                return
            single = False
            if truth.dimension == 0:
                lonely = self._lonely(truth, depth)
                if lonely is None:
                    return
                single = lonely
            doubtful = single and truth.artificial is None and not truth.bounded and truth.gradients
            if not doubtful or not self._at(judge, truth.region):
                self._keep(judge, truth, single=single)
        except Split as split:
            if depth >= MOST_DIVISIONS:
                self._open(judge, region, "it was divided too often")
                return
            self.waiting += [(part, depth + 1) for part in self._parts(region, split)]
        except Open as problem:
            self._pointwise(judge, region, depth, problem)
        except OutsideTheEngine as problem:
            self._pointwise(judge, region, depth, Open(located(problem)))
        except (NotRational, numbers.Undecided) as problem:
            self._pointwise(judge, region, depth, Open(str(problem)))

    def _again(self, judge: Judge) -> None:
        """What was judged before it was known where the program jumps is judged once more."""
        stale = self._stale(judge)
        self.found = [found for found in self.found if not any(found is own for own in stale)]
        self.waiting += [(found.truth.region, MOST_DIVISIONS // 2) for found in stale]

    def _stale(self, judge: Judge) -> list[Judged]:
        """What rests on fewer jumps than are known by now."""
        settled = ("exact", "inexact", "clarke", "spurious")
        return [
            found
            for found in self.found
            if judge.joined
            and found.seen < _seen(judge)
            and found.truth.verdict in settled
            and found.truth.dimension < self.walk.dimension
        ]

    def _lonely(self, truth: Truth, depth: int) -> bool | None:
        """Whether a region of dimension 0 is one point; None where it was divided.

        A set such as {cos(x) = 0} is left as it is: all that is said holds at each of its points.
        """
        try:
            split = alone(self.regions, truth.region)
        except Open:
            if any(self.walk.functions.moved(function.poly) for function in truth.region.zeros):
                return False
            raise
        if split is None:
            return True
        self.waiting += [(part, depth) for part in self._parts(truth.region, split)]
        return None

    def _pointwise(self, judge: Judge, region: Region, depth: int, problem: Open) -> None:
        """A single point, as `cfc at` judges it; anything else stays open."""
        try:
            region, dimension = judge.manifold(region)
            if dimension == 0:
                split = alone(self.regions, region)
                if split is not None:
                    self.waiting += [(part, depth + 1) for part in self._parts(region, split)]
                    return
                if self._at(judge, region):
                    return
        except Split as split:
            if depth < MOST_DIVISIONS:
                self.waiting += [(part, depth + 1) for part in self._parts(region, split)]
                return
        except Open as other:
            problem = other
        except (NotRational, numbers.Undecided, OutsideTheEngine) as other:
            problem = Open(str(other))
        self._open(judge, region, problem.reason)

    def _at(self, judge: Judge, region: Region) -> bool:
        """Whether the point could be judged."""
        exact = exact_point(region)
        left = self.end - monotonic()
        if exact is None or left <= 0:
            return False
        point: dict[str, Any] = {
            name: np.array(array, dtype=object) for name, array in self.walk.inputs.items()
        }
        for (name, place), entry in zip(self.walk.coordinates, exact, strict=True):
            point[name][place] = entry
        try:
            report = at(self.program, point, self.program.preset, Effort(min(SECONDS_A_POINT, left)))
            run = self.walk.run(partial(self.regions.sign, region))
        except (CFError, Split, Open, OutsideTheEngine):
            return False
        if run is None:
            return True
        judged = report.judged
        truth = Truth(
            region,
            0,
            run.guards,
            run.outputs,
            (),
            judged.verdict,
            judged.reason,
            ad_critical=judged.ad_critical,
            artificial=judged.artificial_critical,
            bounded=judged.artificial_critical is None and BOUNDARY in judged.reason,
            trust="solver" if region.by_solver else judged.trust,
            near_jump=judged.near_jump,
        )
        settled = judged.verdict not in ("unknown", "discontinuous")
        clarke = judged.clarke if settled and judged.clarke_complete and judged.clarke else None
        if clarke is not None and judged.as_field:
            clarke = None
        gradient = judged.gradient if settled else None
        if judged.verdict == "discontinuous":
            judge.jumps.append(region)
        if judged.verdict == "unknown":
            where = self.texts.place(region)
            self.unknown.append(f"where {where} the verdict is open: {judged.reason}")
        self.found.append(
            Judged(truth, self.texts.row(exact), report.backward, gradient, clarke, True, _ALWAYS)
        )
        return True

    def _open(self, judge: Judge, region: Region, reason: str) -> None:
        if judge.joined and self._least_dimension(region) < self.walk.dimension:
            judge.doubts.append(region)
        where = self.texts.place(region)
        sentence = f"whether there are points where {where} is open"
        near = None if region.certain else self.regions.cells.nameless(region.signs)
        if near is not None and not region.mixed:
            name, about = self.texts.names[near[0]], float(near[1])
            sentence = (
                f"where {where} nothing is known of the points: one is near {name} = {about:.12g}, "
                "without a closed form that is known"
            )
        if region.certain:
            sentence = f"where {where} the verdict is open: {reason}"
            run = None
            with suppress(Split, OutsideTheEngine):
                run = self.walk.run(partial(self.regions.sign, region))
            witness = point_texts(region)
            if run is not None and witness is not None:
                truth = Truth(
                    region, self._least_dimension(region), run.guards, run.outputs, (), "unknown", reason
                )
                self.found.append(Judged(truth, self.texts.row(witness), None, None, None, False, _ALWAYS))
        self.unknown.append(sentence)

    def _least_dimension(self, region: Region) -> int:
        return max(0, self.walk.dimension - len(region.pivots) - len(region.rest))

    def _keep(self, judge: Judge, truth: Truth, *, single: bool) -> None:
        region = truth.region
        exact, witness = exact_point(region), point_texts(region)
        assert witness is not None  # a region that is certain has a point
        point = exact if single else None
        settled = truth.verdict not in ("unknown", "discontinuous") and truth.gradients
        gradients = [self._rows(vector, region, point) for vector in truth.gradients]
        self.found.append(
            Judged(
                truth,
                self.texts.row(witness),
                self._rows(truth.ad, region, point),
                self._rows(truth.gradient, region, point) if settled and truth.gradient is not None else None,
                tuple(gradients) if settled else None,
                single,
                _seen(judge),
            )
        )

    def _rows(self, vector: Sequence[Any], region: Region, point: Sequence[Any] | None) -> tuple[Row, ...]:
        if point is not None:
            vector = tuple(self.texts.value(entry, point) for entry in vector)
        return self.texts.rows(vector, region)


def located(problem: OutsideTheEngine) -> str:
    """What stands in the way, and where it is written."""
    span = problem.instruction.span
    return (f"line {span.line}, column {span.column}: " if span.line else "") + problem.reason


class _OutOfTime(Exception):
    """The enumeration is at its end before all is found."""


def _seen(judge: Judge) -> int:
    return len(judge.jumps) + len(judge.doubts)


def _codimension(region: Region) -> int:
    return len(region.pivots) + len(region.rest)
