"""A program whose values are affine on every stratum -> its whole stratification, exact and complete.

Enumeration (feasibility/stratification.py), a second one where strata have to be divided, truth on each face
(affine_truth.py), texts. What stops the work (time, size, an interruption) is said in `unknown`; what was proved
is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from cfcompiler.analyses.affine_forms import NotAffine
from cfcompiler.analyses.affine_machine import Guard
from cfcompiler.analyses.affine_truth import Found, Truth
from cfcompiler.analyses.affine_walk import (
    OutOfTime,
    OutsideTheEngine,
    ProgramWalk,
    State,
    inputs_of,
)
from cfcompiler.analyses.artificial import artificial_point
from cfcompiler.analyses.interruption import Notice, noticed
from cfcompiler.analyses.limits import Vector
from cfcompiler.analyses.strata_guards import named_guards
from cfcompiler.analyses.strata_places import (
    described,
    inequality_text,
    linear_text,
    oriented,
    reduced,
    row_of,
)
from cfcompiler.analyses.strata_question import Question, restricted
from cfcompiler.feasibility.faces import Stratification
from cfcompiler.feasibility.lattice import box
from cfcompiler.feasibility.stratification import stratify
from cfcompiler.ir import Program
from cfcompiler.numbers import TooLarge
from cfcompiler.report import ArtificialPoint, Row, StrataReport, StratumReport

SHARE_OF_ENUMERATION = 0.7  # of the time, at most
SECONDS_AFTER_CTRL_C = 0.3
INTEREST = ("spurious", "unknown", "undefined", "discontinuous", "inexact", "clarke", "exact")


def affine_strata(program: Program, question: Question) -> StrataReport:
    """The stratification. Raises OutsideTheEngine where a value is not affine."""
    work = _Work(program, question)
    try:
        work.enumerate()
        work.judge()
    except NotAffine as problem:  # a constant that is not rational, beside a value that moves
        raise OutsideTheEngine(str(problem), work.program.instructions[-1]) from None
    return work.report()


class _Limits:
    """When the enumeration ends before all is found, and why."""

    def __init__(self, question: Question, notice: Notice) -> None:
        self.question = question
        self.notice = notice
        self.start = monotonic()
        self.reason = ""

    def __call__(self, count: int) -> bool:
        if not self.reason:
            self.reason = self._reason(count)
        return bool(self.reason)

    def _reason(self, count: int) -> str:
        if self.notice.since is not None:
            return "the enumeration was interrupted"
        if monotonic() > self.start + SHARE_OF_ENUMERATION * self.question.seconds:
            return f"there is too little time, {self.question.seconds:.3g} s in all (--timeout)"
        if count > self.question.most:
            return f"there are more than {self.question.most} (--max-cells allows more)"
        return ""


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A stratum as it is reported, with its id."""

    id: str
    found: Found


class _Work:
    """The steps, with what has been found so far."""

    def __init__(self, program: Program, question: Question) -> None:
        self.program = restricted(program, question)
        self.question = question
        self.end = monotonic() + question.seconds
        self.inputs = inputs_of(self.program, question.fixed)
        self.bounds = question.bounds(program)
        self.walk = ProgramWalk(self.program, self.inputs, self.bounds, self.end)
        self.strata: Stratification[State] | None = None
        self.truth: Truth | None = None
        self.found: list[Found] = []
        self.unknown: list[str] = []
        self.whole = True  # no stratum is missing
        self.left_out: set[int] = set()  # strata that would have to be divided
        self.interrupted = False

    def enumerate(self) -> None:
        """All strata, divided where that is needed; those that are known when it must end."""
        if self.walk.empty:
            return
        self._tell("strata", 0, 0)
        try:
            self.whole = False
            with noticed() as notice:
                self._enumerate(_Limits(self.question, notice))
        except TooLarge as problem:
            self.unknown.append(f"no stratum is known: {problem} (--max-cells allows more)")
        except OutOfTime:
            self.unknown.append(
                f"no stratum is known: they could not be enumerated in {self.question.seconds:g} s (--timeout)"
            )
        except KeyboardInterrupt:
            self.interrupted = True
            self.unknown.append("no stratum is known: interrupted while they were enumerated")

    def _enumerate(self, limits: _Limits) -> None:
        while True:
            strata = stratify(box(self.bounds, closed=False), self.walk, most=self.question.most, stop=limits)
            truth = Truth(self.walk, strata, self.end)
            divisions = truth.divisions() if not self.walk.splits else {}
            if strata.complete and divisions:
                self.walk.splits.update(divisions)
                continue
            self.strata, self.truth, self.whole = strata, truth, strata.complete
            if strata.complete:
                return
            if divisions:
                self.left_out = truth.divided(divisions)
            self.unknown.append(
                f"strata are missing: {limits.reason}, when {strata.count} had been told apart; "
                f"{len(strata.strata) - len(self.left_out)} are known with all that touches them"
            )
            if limits.notice.since is not None:
                self.interrupted = True
                self.end = min(self.end, monotonic() + SECONDS_AFTER_CTRL_C)
            return

    def judge(self) -> None:
        """The truth on each stratum."""
        if self.strata is None or self.truth is None:
            return
        strata = [stratum for stratum in self.strata.strata if stratum.index not in self.left_out]
        if not self.whole:  # there may be no time for all: seams first
            full = self.inputs.dimension
            strata.sort(key=lambda stratum: (full - stratum.dimension - 1) % (full + 1))
        total = len(strata)
        done = 0
        try:
            for stratum in strata:
                if monotonic() > self.end:
                    self.whole = False
                    reason = (
                        "interrupted"
                        if self.interrupted
                        else f"the {self.question.seconds:.3g} s are over (--timeout)"
                    )
                    self.unknown.append(f"{total - done} of {total} strata are not judged: {reason}")
                    return
                self.found += self.truth.found(stratum)
                done += 1
                if done % 64 == 0 or done == total:
                    self._tell("judged", done, total)
        except KeyboardInterrupt:
            self.whole = False
            self.interrupted = True
            self.unknown.append(f"{total - done} of {total} strata are not judged: interrupted")

    def _tell(self, word: str, done: int, total: int) -> None:
        if self.question.progress is not None:
            self.question.progress(word, done, total)

    # the report

    def report(self) -> StrataReport:
        ranked = self._ranked()
        self._note_unknown(ranked)
        ids, guards = named_guards(self.program, self._met(ranked))
        reports = tuple(self._stratum(entry, ids) for entry in ranked)
        spurious = described(
            [entry.found.stratum for entry in ranked],
            lambda place: ranked[place].found.judgement.verdict == "spurious",
            self.inputs.coordinates,
            complete=self.whole,
        )
        counts = Counter(entry.found.stratum.dimension for entry in ranked)
        return StrataReport(
            self.program.name,
            self.program.preset,
            tuple(param.value.name for param in self.program.params if param.differentiable),
            self.question.box_texts(),
            len(self.program.results) == 1 and not self.program.results[0].shape,
            guards,
            dict(sorted(counts.items())),
            reports,
            tuple(text.text for text in spurious),
            tuple(self._artificial(ranked)),
            tuple(self.unknown),
            self.interrupted,
            self.whole,
        )

    def _ranked(self) -> list[_Ranked]:
        ordered = sorted(
            self.found,
            key=lambda found: (found.stratum.dimension, INTEREST.index(found.judgement.verdict)),
        )
        return [_Ranked(f"S{place + 1}", found) for place, found in enumerate(ordered)]

    def _met(self, ranked: Sequence[_Ranked]) -> dict[Guard, bool]:
        """The guards that were met, and whether some stratum's is not constant."""
        met: dict[Guard, bool] = {}
        for entry in ranked:
            for guard, function, _ in self.walk.guards(entry.found.stratum.state):
                met[guard] = met.get(guard, False) or function is not None
        return met

    def _note_unknown(self, ranked: Sequence[_Ranked]) -> None:
        open_ones: dict[str, list[str]] = {}
        for entry in ranked:
            judgement = entry.found.judgement
            if judgement.verdict == "unknown":
                open_ones.setdefault(f"the verdict is open: {judgement.reason}", []).append(entry.id)
            elif (
                judgement.artificial_critical is None
                and judgement.clarke_critical is not None  # on the boundary of the domain it says nothing
                and judgement.verdict not in ("undefined", "discontinuous")
            ):
                text = f"whether points are artificial critical is open: {judgement.reason}"
                open_ones.setdefault(text, []).append(entry.id)
        for text, ids in open_ones.items():
            shown = ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")
            self.unknown.append(f"on {shown} {text}")

    def _rows(self, vector: Sequence[object]) -> tuple[Row, ...]:
        width = self.inputs.dimension
        count = len(self.found[0].outputs)
        return tuple(self._row(vector[place * width : (place + 1) * width]) for place in range(count))

    def _row(self, entries: Sequence[object]) -> Row:
        shapes = {param.value.name: param.value.shape for param in self.program.params}
        return row_of(entries, self.inputs.coordinates, shapes)

    def _stratum(self, entry: _Ranked, ids: Mapping[Guard, str]) -> StratumReport:
        stratum, judgement = entry.found.stratum, entry.found.judgement
        names = self.inputs.coordinates
        signs = {ids[guard]: sign for guard, _, sign in self.walk.guards(stratum.state) if guard in ids}
        settled = judgement.verdict not in ("unknown", "undefined", "discontinuous")
        return StratumReport(
            entry.id,
            stratum.dimension,
            {guard: signs[guard] for guard in sorted(signs, key=lambda name: int(name[1:]))},
            tuple(linear_text(oriented(function), names) for function in reduced(stratum.equations)),
            tuple(inequality_text(function, names) for function in reversed(stratum.inequalities)),
            self._row(stratum.witness),
            self._rows(entry.found.ad),
            None if judgement.gradient is None else self._rows(judgement.gradient),
            tuple(self._rows(vector) for vector in sorted(judgement.clarke)) if settled else None,
            judgement.verdict,
            judgement.ad_critical,
            judgement.artificial_critical,
            judgement.reason,
            judgement.trust,
            judgement.near_jump,
        )

    def _artificial(self, ranked: Sequence[_Ranked]) -> list[ArtificialPoint]:
        if self.truth is None:
            return []
        cells: dict[int, tuple[Found, Vector]] = {
            found.stratum.index: (found, self.truth.gradient(found.stratum.index))
            for found in self.found
            if found.stratum.dimension == self.inputs.dimension and not _special(found)
        }
        return [
            artificial_point(entry.id, entry.found, cells, self.walk, self._row)
            for entry in ranked
            if entry.found.judgement.artificial_critical
        ]


def _special(found: Found) -> bool:
    return any(isinstance(entry, str) for entry in found.outputs)
