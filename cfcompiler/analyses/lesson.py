"""Program, question -> Page: what a reader should see of a program, from its strata and from `at`, nothing else.

The points are witnesses of strata: those where AD is wrong come first, then those where f has a kink, then other ties,
then two open strata. Where no stratum is known the origin is looked at, and that is said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from cfcompiler import __version__
from cfcompiler.analyses.at import at, nested
from cfcompiler.analyses.check import USUAL as ALL_FINDINGS
from cfcompiler.analyses.check import check
from cfcompiler.analyses.comparison import Written, comparison
from cfcompiler.analyses.explanation import explanation_at
from cfcompiler.analyses.landscape import Effort
from cfcompiler.analyses.lesson_pictures import Pictures, pictures_of
from cfcompiler.analyses.right_everywhere import right_everywhere
from cfcompiler.analyses.sampling import Run
from cfcompiler.analyses.sites import View
from cfcompiler.analyses.strata import strata_of
from cfcompiler.analyses.strata_question import Question, restricted
from cfcompiler.analyses.tape import tape_at
from cfcompiler.errors import CFError
from cfcompiler.ir import Program
from cfcompiler.point import point_of
from cfcompiler.report import PresetRow, StrataReport, StratumReport
from cfcompiler.report.page import Input, Page, PagePoint, Preset
from cfcompiler.ties import load_preset, preset_names
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import verify

MOST_POINTS = 24
OPEN_POINTS = 2  # witnesses of open strata, where nothing is tied
LEAST_SECONDS = 3.0  # for the first point, however late it is
SECONDS_A_POINT = 10.0
_ORDER = ("spurious", "undefined", "discontinuous", "unknown", "inexact", "clarke", "exact")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is made of beside its program: the question, where to look too, how it was compiled.

    `point`: an array of exact numbers for every parameter, or None. `command` makes the page again. `run` compiles a
    program and gives the names of its module, for what is drawn.
    """

    question: Question
    point: Mapping[str, Any] | None
    static: tuple[tuple[str, int], ...]
    command: str
    run: Run


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A point that may be shown: of which stratum, and whether the page is made for it."""

    stratum: str
    point: Mapping[str, Any]
    wanted: bool


def lesson(program: Program, asked: Asked) -> Page:
    """The page. Raises CFError where the point that is asked for has no answer."""
    question = asked.question
    until = monotonic() + question.seconds
    own = verify(restricted(program, question))
    strata = strata_of(program, question)
    found = check(program, strata, question, ALL_FINDINGS, proofs=True)
    drawn = pictures_of(program, question, asked.static, asked.run, until)
    candidates = list(_candidates(own, strata, drawn, asked))
    maker = _Points(own, asked, until)
    points = maker.points(candidates)
    source = program.source
    return Page(
        program.name,
        source.path,
        source.text,
        hashlib.sha256(source.text.encode("utf-8", "surrogatepass")).hexdigest(),
        __version__,
        asked.command,
        _preset(program.preset),
        program.preset,
        tuple(_inputs(own, question)),
        strata,
        found.findings,
        found.proved,
        points,
        maker.left_out,
        right_everywhere([one.report.right_when for one in points if one.report.right_when is not None]),
        drawn.curves,
        drawn.maps,
        drawn.undrawn,
        (*drawn.notes, *maker.notes),
    )


def _preset(ties: str) -> Preset | None:
    """The preset of `jax, relu=1/2`; None where the rules have no preset."""
    name = ties.split(",")[0]
    if name not in preset_names():
        return None
    rules = load_preset(name)
    return Preset(name, rules.framework, rules.version)


def _inputs(program: Program, question: Question) -> Iterator[Input]:
    for param in program.params:
        name = param.value.name
        fixed = nested(question.fixed[name]) if name in question.fixed else None
        yield Input(name, param.value.shape, fixed)


# which points


def _candidates(
    program: Program, strata: StrataReport, drawn: Pictures, asked: Asked
) -> Iterator[_Candidate]:
    """The points worth a look, what matters first; the point that was asked for before all."""
    if asked.point is not None:
        yield _Candidate("", asked.point, True)
    view = View(program, strata, asked.question.fixed)
    chosen = [*_tied(strata.strata), *_open(strata.strata)]
    for stratum in chosen:
        point = view.point(stratum.witness)
        if point is not None:
            yield _Candidate(stratum.id, point, False)
    judged = drawn.curves[0].strata if len(drawn.curves) == 1 and not drawn.maps else ()
    for stratum in judged:
        point = view.point(stratum.witness) if stratum.id.startswith("P") else None
        if point is not None:
            yield _Candidate("", point, False)
            chosen.append(stratum)
    if not chosen and asked.point is None:
        origin = _origin(program, asked.question)
        if origin is not None:
            yield _Candidate("", origin, False)


def _tied(strata: Sequence[StratumReport]) -> list[StratumReport]:
    found = [one for one in strata if 0 in one.signs.values() or one.verdict not in ("exact", "unknown")]
    return sorted(
        found, key=lambda one: (_ORDER.index(one.verdict), not one.artificial_critical, one.dimension)
    )


def _open(strata: Sequence[StratumReport]) -> list[StratumReport]:
    return [one for one in strata if 0 not in one.signs.values() and one.verdict == "exact"][:OPEN_POINTS]


def _origin(program: Program, question: Question) -> dict[str, Any] | None:
    """0 for every input that moves; None where the box has no 0."""
    for low, high in question.bounds(program):
        if (low is not None and low >= 0) or (high is not None and high <= 0):
            return None
    moving = tuple(param for param in program.params if param.value.name not in question.fixed)
    zeros = {param.value.name: _zeros(param.value.shape) for param in moving}
    return {**point_of(replace(program, params=moving), zeros), **question.fixed}


def _zeros(shape: tuple[int, ...]) -> Any:
    return [_zeros(shape[1:]) for _ in range(shape[0])] if shape else 0


# what is said of them


class _Points:
    """Makes points until the time is over; `notes` and `left_out` tell what is missing."""

    def __init__(self, program: Program, asked: Asked, until: float) -> None:
        self.notes: list[str] = []
        self.left_out = 0
        self._program = program
        self._asked = asked
        self._until = until
        self._backward = verify(tidy(verify(vjp(program))))

    def points(self, candidates: Sequence[_Candidate]) -> tuple[PagePoint, ...]:
        found: list[PagePoint] = []
        for place, candidate in enumerate(candidates):
            left = self._until - monotonic()
            if len(found) >= MOST_POINTS or (found and left <= 0):
                self.left_out = len(candidates) - place
                why = "the time is over" if left <= 0 else f"{MOST_POINTS} are the most that a page has"
                self.notes.append(f"{self.left_out} further points have no panel of their own: {why}")
                break
            if self._asked.question.progress is not None:
                self._asked.question.progress("points", place, len(candidates))
            try:
                found.append(self._point(f"p{len(found) + 1}", candidate, max(left, LEAST_SECONDS)))
            except KeyboardInterrupt:
                self.left_out = len(candidates) - place
                self.notes.append(f"{self.left_out} further points have no panel of their own: interrupted")
                break
            except CFError as problem:
                if candidate.wanted:
                    raise
                where = candidate.stratum or "the origin"
                self.notes.append(f"at {where}: {problem.diagnostics[0].message}")
        return tuple(found)

    def _point(self, name: str, candidate: _Candidate, left: float) -> PagePoint:
        program, point = self._program, candidate.point
        start = monotonic()
        report = at(program, point, program.preset, Effort(min(left, SECONDS_A_POINT)))
        rows, problem = self._presets(candidate, left, monotonic() - start)
        return PagePoint(
            name,
            candidate.stratum,
            report,
            explanation_at(program, point, report),
            rows,
            problem,
            tape_at(program, self._backward, point),
        )

    def _presets(self, candidate: _Candidate, left: float, took: float) -> tuple[tuple[PresetRow, ...], str]:
        """What the frameworks return; `took`: the seconds of one answer, of which every preset may need as many."""
        program = self._program
        if took * len(preset_names()) > max(left, LEAST_SECONDS):
            return (
                (),
                "one answer takes so long that there is no time for every preset; cfc compare compares them",
            )
        own = program if program.preset not in preset_names() else None
        written = Written(program.source, program.name, self._asked.static, self._asked.question)
        try:
            report = comparison(
                written, lambda _: candidate.point, yours=own, effort=Effort(min(left, SECONDS_A_POINT))
            )
        except CFError as problem:
            return (), problem.diagnostics[0].message
        return report.presets, ""
