"""A program as written, presets, point -> ComparisonReport: what each framework returns there, beside the truth.

The truth belongs to the function and not to the rules, so it is found once for each function that the presets make of
the text: usually one, since most definitions of a preset compute the same by the same selections (same_function.py).
What each preset returns is then judged against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from cfcompiler import errors
from cfcompiler.analyses.at import ADHere, Mode, ad_at, judged_here, nested
from cfcompiler.analyses.field import MOST_SCALARS
from cfcompiler.analyses.landscape import USUAL, Effort, landscape_at
from cfcompiler.analyses.large import is_large, qualified
from cfcompiler.analyses.same_function import FunctionNumbers, Key
from cfcompiler.analyses.strata_question import Question, restricted
from cfcompiler.analyses.truth import Facts, facts_at, facts_of_large, judgement_of, nothing_known
from cfcompiler.arithmetic import Undecided
from cfcompiler.errors import CFError
from cfcompiler.ir import Program
from cfcompiler.language import read
from cfcompiler.report import YOURS, ComparisonReport, Judged, PointTruth, PresetRow
from cfcompiler.source import NOWHERE, Source
from cfcompiler.ties import TieError, load_preset, preset_names
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import verify

Point: TypeAlias = Mapping[str, Any]  # name -> array of exact numbers


@dataclass(frozen=True, slots=True)
class Written:
    """A program before any rules: a text, the function of it that is meant, values of its Int inputs.

    `question`: its fixed inputs are data, by which nothing is derived.
    """

    source: Source
    function: str | None = None
    static: tuple[tuple[str, int], ...] = ()
    question: Question | None = None

    def under(self, preset: str | None, overrides: Mapping[str, str] | None = None) -> Program:
        """The program under these rules, over the file's own. Raises CFError."""
        program = read(
            self.source.text,
            self.source.path,
            function=self.function,
            static=dict(self.static),
            preset=preset,
            overrides=overrides,
        )
        return verify(program if self.question is None else restricted(program, self.question))


@dataclass(frozen=True, slots=True)
class _Lowered:
    """A row to be: the program under a preset, or why there is none."""

    name: str
    framework: str
    version: str
    program: Program | CFError


def comparison(
    written: Written,
    locate: Callable[[Program], Point],
    *,
    presets: Sequence[str] = (),
    yours: Program | None = None,
    effort: Effort = USUAL,
) -> ComparisonReport:
    """The presets (all of them if none is named) and the program under rules of one's own, at one point.

    `locate` gives the point: an array of exact numbers for every parameter of the program. Raises CFError where no row
    has an answer: the program is wrong, the point is outside its domain.
    """
    for name in presets:
        if name not in preset_names():
            raise CFError([errors.unknown_preset(NOWHERE, name, preset_names())], Source("", "cfc"))
    lowered = [_lowered(written, name) for name in presets or preset_names()]
    if yours is not None:
        lowered.append(_Lowered(YOURS, yours.preset, "", yours))
    program = next((row.program for row in lowered if isinstance(row.program, Program)), None)
    if program is None:
        raise _first_complaint(row.program for row in lowered)
    judge = _Judge(locate(program), effort)
    answers = [judge.answer(row) for row in lowered]
    truth = next((answer.truth for answer in answers if answer.truth is not None), None)
    if truth is None:
        raise _first_complaint(answer.complaint for answer in answers)
    return ComparisonReport(
        program.name,
        {param.value.name: nested(judge.point[param.value.name]) for param in program.params},
        len(program.results) == 1 and not program.results[0].shape,
        truth,
        tuple(
            answer.row if answer.truth in (None, truth) else replace(answer.row, other=answer.truth)
            for answer in answers
        ),
    )


def _first_complaint(candidates: Iterable[object]) -> CFError:
    return next(candidate for candidate in candidates if isinstance(candidate, CFError))


def _lowered(written: Written, preset: str) -> _Lowered:
    rules = load_preset(preset)
    program: Program | CFError
    try:
        program = written.under(preset)
    except CFError as problem:
        program = problem
    except TieError as problem:
        program = CFError([errors.bad_option(str(problem))], written.source)
    return _Lowered(preset, rules.framework, rules.version, program)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A row, with the truth it is judged by, or the complaint that stands in for both."""

    row: PresetRow
    truth: PointTruth | None
    complaint: CFError | None = None


class _Judge:
    """Rows judged at one point; what holds of a function there is found when the first of its rows asks."""

    def __init__(self, point: Point, effort: Effort) -> None:
        self.point = point
        self._effort = effort
        self._numbers = FunctionNumbers()
        self._facts: dict[Key, Facts] = {}
        self._judged: dict[Key, Judged] = {}

    def answer(self, lowered: _Lowered) -> _Answer:
        """What AD returns under one preset, and the word for it."""
        if isinstance(lowered.program, CFError):
            return _unanswered(lowered, lowered.program)
        try:
            found = ad_at(lowered.program, self.point)
        except CFError as problem:
            return _unanswered(lowered, problem)
        forward, backward = (self._judgement(found, mode) for mode in ("forward", "backward"))
        row = PresetRow(
            lowered.name,
            lowered.framework,
            lowered.version,
            found.rows("forward"),
            found.rows("backward"),
            forward.verdict,
            backward.verdict,
            backward.ad_critical,
            backward.reason,
            forward.reason,
        )
        truth = PointTruth(
            found.results,
            backward.gradient,
            backward.clarke,
            backward.clarke_complete,
            backward.bouligand,
            backward.bouligand_complete,
        )
        return _Answer(row, truth)

    def _judgement(self, found: ADHere, mode: Mode) -> Judged:
        """The truth and the word for what one mode returns; equal vectors are judged once."""
        function = self._numbers.of(found.program)
        key = function, repr(found.rows(mode))
        if key not in self._judged:
            if function not in self._facts:
                self._facts[function] = self._facts_of(found)
            # the field D is of no account here: the words do not depend on it
            facts = self._facts[function]
            judgement = judgement_of(facts, found.vector(mode), (), False)
            self._judged[key] = judged_here(found.program, self.point, judgement, facts)
        return self._judged[key]

    def _facts_of(self, found: ADHere) -> Facts:
        program = found.program
        if is_large(program):
            try:
                known = qualified(program, self.point)
            except Undecided:
                known = None  # which ties are met was not decided that way; the pieces may tell
            if known is not None:
                return facts_of_large(known)
        try:
            unrolled = tidy(scalarize(tidy(program), MOST_SCALARS))
        except TooManyScalars as problem:
            return nothing_known("unknown", str(problem))
        landscape = landscape_at(unrolled, self.point, self._effort)
        return facts_at(unrolled, self.point, found.here, landscape, self._effort)


def _unanswered(lowered: _Lowered, complaint: CFError) -> _Answer:
    """A row with the complaint in place of an answer."""
    first = complaint.diagnostics[0]
    place = "" if first.span == NOWHERE else f" (line {first.span.line}, column {first.span.column})"
    reason = f"{first.message}{place}"
    row = PresetRow(
        lowered.name, lowered.framework, lowered.version, None, None, None, None, None, reason, reason
    )
    return _Answer(row, None, complaint)
