"""A program whose values are affine on every stratum -> its whole stratification, exact and complete.

Enumeration (feasibility/stratification.py), a second one where strata have to be divided, truth on each face
(affine_truth.py), texts. What stops the work (time, size, an interruption) is said in `unknown`; what was proved is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from cfcompiler.analyses.affine_truth import Found, Truth
from cfcompiler.analyses.affine_walk import (
    OutOfTime,
    OutsideTheEngine,
    ProgramWalk,
    Split,
    State,
    inputs_of,
)
from cfcompiler.analyses.artificial import artificial_point
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

INTEREST = ("spurious", "unknown", "undefined", "discontinuous", "inexact", "clarke", "exact")


def affine_strata(program: Program, question: Question) -> StrataReport:
    """The stratification. Raises OutsideTheEngine where a value is not affine."""
    work = _Work(program, question)
    work.enumerate()
    work.judge()
    return work.report()


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

    def enumerate(self) -> None:
        """All strata, divided where that is needed."""
        if self.walk.empty:
            return
        self._tell("strata", 0, 0)
        try:
            while True:
                strata = stratify(box(self.bounds, closed=False), self.walk, most=self.question.most)
                truth = Truth(self.walk, strata, self.end)
                divisions = truth.divisions() if not self.walk.splits else {}
                if not divisions:
                    self.strata, self.truth = strata, truth
                    return
                self.walk.splits.update(divisions)
        except TooLarge as problem:
            self.unknown.append(f"no stratum is known: {problem} (--max-cells allows more)")
        except OutOfTime:
            self.unknown.append(
                f"no stratum is known: they could not be enumerated in {self.question.seconds:g} s (--timeout)"
            )
        except KeyboardInterrupt:
            self.unknown.append("no stratum is known: interrupted while they were enumerated")

    def judge(self) -> None:
        """The truth on each stratum."""
        if self.strata is None or self.truth is None:
            return
        total = len(self.strata.strata)
        done = 0
        try:
            for stratum in self.strata.strata:
                if monotonic() > self.end:
                    self.unknown.append(
                        f"{total - done} of {total} strata are not judged: the {self.question.seconds:g} s are over "
                        "(--timeout)"
                    )
                    return
                self.found += self.truth.found(stratum)
                done += 1
                if done % 64 == 0:
                    self._tell("judged", done, total)
        except KeyboardInterrupt:
            self.unknown.append(f"{total - done} of {total} strata are not judged: interrupted")

    def _tell(self, word: str, done: int, total: int) -> None:
        if self.question.progress is not None:
            self.question.progress(word, done, total)

    # the report

    def report(self) -> StrataReport:
        ranked = self._ranked()
        self._note_unknown(ranked)
        met = [
            guard
            for entry in ranked
            for guard, _, _ in _answers(entry.found.stratum.state)
            if not isinstance(guard, Split)
        ]
        ids, guards = named_guards(self.program, met)
        reports = tuple(self._stratum(entry, ids) for entry in ranked)
        spurious = described(
            [entry.found.stratum for entry in ranked],
            lambda place: ranked[place].found.judgement.verdict == "spurious",
            self.inputs.coordinates,
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
        )

    def _ranked(self) -> list[_Ranked]:
        ordered = sorted(
            self.found,
            key=lambda found: (found.stratum.dimension, INTEREST.index(found.judgement.verdict)),
        )
        return [_Ranked(f"S{place + 1}", found) for place, found in enumerate(ordered)]

    def _note_unknown(self, ranked: Sequence[_Ranked]) -> None:
        open_ones: dict[str, list[str]] = {}
        for entry in ranked:
            judgement = entry.found.judgement
            if judgement.verdict == "unknown":
                open_ones.setdefault(f"the verdict is open: {judgement.reason}", []).append(entry.id)
            elif judgement.artificial_critical is None and judgement.verdict not in (
                "undefined",
                "discontinuous",
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

    def _stratum(self, entry: _Ranked, ids: dict[object, str]) -> StratumReport:
        stratum, judgement = entry.found.stratum, entry.found.judgement
        names = self.inputs.coordinates
        signs = {
            ids[guard]: sign for guard, _, sign in _answers(stratum.state) if not isinstance(guard, Split)
        }
        settled = judgement.verdict not in ("unknown", "undefined", "discontinuous")
        return StratumReport(
            entry.id,
            stratum.dimension,
            {guard: signs[guard] for guard in sorted(signs, key=lambda name: int(name[1:]))},
            tuple(linear_text(oriented(function), names) for function in reduced(stratum.equations)),
            tuple(inequality_text(function, names) for function in stratum.inequalities),
            self._row(stratum.witness),
            self._rows(entry.found.ad),
            None if judgement.gradient is None else self._rows(judgement.gradient),
            tuple(self._rows(vector) for vector in sorted(judgement.clarke)) if settled else None,
            judgement.verdict,
            judgement.ad_critical,
            judgement.artificial_critical,
            judgement.reason,
            judgement.trust,
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


def _answers(state: State):  # type: ignore[no-untyped-def]
    return () if state.answered is None else state.answered.all()
