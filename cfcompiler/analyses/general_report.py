"""What was found of a rational program's strata -> the report: in order, with names, merged where one text says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cfcompiler.analyses.affine_machine import Guard
from cfcompiler.analyses.general_descent import start_of
from cfcompiler.analyses.general_places import described
from cfcompiler.analyses.general_texts import Texts
from cfcompiler.analyses.general_truth import Truth
from cfcompiler.analyses.strata_guards import named_guards
from cfcompiler.analyses.strata_question import Question
from cfcompiler.ir import Program
from cfcompiler.number_text import to_text
from cfcompiler.report import ArtificialPoint, Row, StrataReport, StratumReport

MOST_SETS = 3  # that one sentence names
INTEREST = ("spurious", "unknown", "undefined", "discontinuous", "inexact", "clarke", "exact")


@dataclass(frozen=True, slots=True)
class Judged:
    """A stratum with all that is said of it, in texts; `truth` as far as it goes."""

    truth: Truth
    witness: Row
    ad: tuple[Row, ...] | None
    gradient: tuple[Row, ...] | None
    clarke: tuple[tuple[Row, ...], ...] | None
    single: bool = False
    seen: int = 0  # how many regions that jump, or may, were known then


def strata_report(
    program: Program, question: Question, texts: Texts, found: Sequence[Judged], open_ones: Sequence[str]
) -> StrataReport:
    """The report: low dimensions first, in them what is of most interest. `open_ones`: what was not decided."""
    ranked = sorted(found, key=lambda own: (own.truth.dimension, INTEREST.index(own.truth.verdict)))
    flags = tuple(_open_flags(texts, ranked))
    unknown = (*open_ones, *flags)
    ids, guards = named_guards(program, _met([own.truth for own in ranked]))
    strata = tuple(_stratum(texts, f"S{k + 1}", own, ids) for k, own in enumerate(ranked))
    counts = Counter(own.truth.dimension for own in ranked)
    return StrataReport(
        program.name,
        program.preset,
        tuple(param.value.name for param in program.params if param.differentiable),
        question.box_texts(),
        len(program.results) == 1 and not program.results[0].shape,
        guards,
        dict(sorted(counts.items())),
        strata,
        described(
            texts,
            [own.truth for own in ranked],
            lambda place: ranked[place].truth.verdict == "spurious",
            complete=not open_ones,
        ),
        tuple(_artificial(texts, ranked, place) for place, own in enumerate(ranked) if own.truth.artificial),
        unknown,
        open_flags=flags,
    )


def _open_flags(texts: Texts, ranked: Sequence[Judged]) -> Iterator[str]:
    """On which sets a flag was not decided."""
    silent = ("unknown", "undefined", "discontinuous")
    for what, name in (("AD returns 0", "ad_critical"), ("points are artificial critical", "artificial")):
        open_ones = [
            texts.place(own.truth.region)
            for own in ranked
            if getattr(own.truth, name) is None
            and own.truth.verdict not in silent
            and not (own.truth.bounded and name == "artificial")
        ]
        if open_ones:
            shown = "; ".join(open_ones[:MOST_SETS])
            more = f"; and on {len(open_ones) - MOST_SETS} more sets" if len(open_ones) > MOST_SETS else ""
            yield f"whether {what} is open where {shown}{more}"


def _stratum(texts: Texts, name: str, found: Judged, ids: dict[Any, str]) -> StratumReport:
    truth = found.truth
    signs = {ids[guard]: sign for guard, sign in truth.guards.items() if guard in ids}
    equations = texts.equations(truth.region)
    inequalities = texts.inequalities(truth.region)
    return StratumReport(
        name,
        truth.dimension,
        {guard: signs[guard] for guard in sorted(signs, key=lambda own: int(own[1:]))},
        equations,
        inequalities,
        found.witness,
        found.ad,
        found.gradient,
        found.clarke,
        truth.verdict,
        truth.ad_critical,
        truth.artificial,
        truth.reason,
        truth.trust,
        truth.near_jump,
    )


def _artificial(texts: Texts, ranked: Sequence[Judged], place: int) -> ArtificialPoint:
    found = ranked[place]
    name, where = f"S{place + 1}", texts.place(found.truth.region)
    point = found.witness if found.single else None
    stalls = bool(found.truth.ad_critical)
    cells = [own.truth for own in ranked if own.truth.dimension == texts.walk.dimension]
    start = start_of(texts, found.truth, cells) if stalls and len(found.truth.outputs) == 1 else None
    if start is None:
        return ArtificialPoint(name, where, point, stalls)
    return ArtificialPoint(name, where, point, stalls, texts.row(start[0]), to_text(start[1]))


def _met(truths: Sequence[Truth]) -> dict[Guard, bool]:
    """The guards that were met, and whether their signs differ somewhere."""
    signs: dict[Guard, set[int]] = {}
    for truth in truths:
        for guard, sign in truth.guards.items():
            signs.setdefault(guard, set()).add(sign)
    return {guard: len(seen) > 1 for guard, seen in signs.items()}
