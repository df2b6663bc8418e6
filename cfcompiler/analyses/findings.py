"""Program, StrataReport -> the findings of `cfc check`: one for each cause, with the sets on which it shows.

A cause is a verdict together with the operations that are tied on the stratum. Strata are taken from the largest
dimension down: where the operations of a finding are tied together with others, the verdict is put down to them again,
so that a set and its corners give one finding. Where the derivative is not finite the witness is run, to see which
operation is to blame.

Source: theory S5 (verdicts), S6 Theorem B and D (a spurious value needs ties; thin branches).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from cfcompiler.analyses import finding_texts as texts
from cfcompiler.analyses.blame import blame_at
from cfcompiler.analyses.field import MOST_SCALARS
from cfcompiler.analyses.idle import idle
from cfcompiler.analyses.landscape import USUAL, landscape_at
from cfcompiler.analyses.set_texts import SetTexts
from cfcompiler.analyses.sites import Places, View, joins
from cfcompiler.analyses.truth import facts_at
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.number_text import to_text
from cfcompiler.report import ArtificialPoint, Finding, Place, StratumReport
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize
from cfcompiler.transforms.tidy import tidy

_Cause: TypeAlias = frozenset[tuple[str, int, int]]
_WITHOUT_FLAGS = frozenset({"unknown", "undefined", "discontinuous"})


def findings_of(view: View) -> tuple[Finding, ...]:
    """All findings of a program with its stratification, sorted by place and code."""
    search = _Search(view)
    found = [
        *search.by_cause("spurious", texts.spurious),
        *search.by_cause("inexact", texts.inexact),
        *search.artificial(),
        *search.jumps(),
        *search.not_c1(),
        *search.undefined(),
        *idle(view),
        *search.undecided(),
    ]
    return tuple(sorted(found, key=order))


def order(finding: Finding) -> tuple[int, int, str, str]:
    return (finding.place.line, finding.place.column, finding.code, finding.message)


@dataclass(slots=True)
class _Group:
    """Strata with one cause; the first has the largest dimension."""

    cause: _Cause
    places: tuple[Place, ...]
    strata: list[StratumReport] = field(default_factory=list)


class _Search:
    def __init__(self, view: View) -> None:
        self.view = view
        self.program = view.program
        self.report = view.report
        self.places = Places(view)
        self.sets = SetTexts(view.report)
        self.strata = sorted(view.report.strata, key=lambda stratum: -stratum.dimension)

    # groups

    def _groups(
        self, chosen: Iterable[StratumReport], which: Callable[[Place], bool] = lambda place: True
    ) -> list[_Group]:
        """Strata by cause, of their tied operations those for which `which` holds, if there are any."""
        groups: list[_Group] = []
        for stratum in chosen:
            tied = self.places.tied(stratum)
            places = tuple(place for place in tied if which(place)) or tied or (self.places.whole(),)
            cause = frozenset((place.op, place.line, place.column) for place in places)
            known = [group for group in groups if group.cause <= cause]
            if not known:
                known = [_Group(cause, places)]
                groups.extend(known)
            for group in known:
                group.strata.append(stratum)
        return groups

    def _with(self, verdict: str) -> list[StratumReport]:
        return [stratum for stratum in self.strata if stratum.verdict == verdict]

    def by_cause(
        self,
        verdict: str,
        finding: Callable[[Sequence[Place], Sequence[str], StratumReport], Finding],
    ) -> list[Finding]:
        """A finding for each cause of a verdict."""
        groups = self._groups(self._with(verdict))
        return [finding(group.places, self.sets.described(group.strata), group.strata[0]) for group in groups]

    # the kinds of findings

    def artificial(self) -> list[Finding]:
        by_id = {stratum.id: stratum for stratum in self.report.strata}
        points: dict[str, list[ArtificialPoint]] = {}
        for point in self.report.artificial:
            points.setdefault(point.stratum, []).append(point)
        known = [stratum for stratum in self.strata if stratum.id in points]
        found, outputs = [], not self.report.scalar
        for group in self._groups(known):
            own = [point for stratum in group.strata for point in points[stratum.id]]
            found.append(texts.artificial(group.places, own, group.strata[0], outputs=outputs))
        for point in self.report.artificial:
            if point.stratum not in by_id:
                found.append(texts.artificial((self.places.whole(),), [point], None, outputs=outputs))
        return found

    def jumps(self) -> list[Finding]:
        found = []
        for group in self._groups(self._with("discontinuous"), joins):
            stratum = group.strata[0]
            point = self.view.point(stratum.witness)
            here, nearby = ("", "") if point is None else _two_values(self.program, point)
            found.append(texts.jump(group.places, self.sets.described(group.strata), stratum, here, nearby))
        return found

    def not_c1(self) -> list[Finding]:
        """Strata on which branches alone are tied, and f is continuous and not differentiable."""
        chosen = [
            stratum
            for stratum in self.strata
            if stratum.verdict in ("clarke", "spurious")
            and stratum.gradient is None
            and self.places.tied(stratum)
            and all(joins(place) for place in self.places.tied(stratum))
        ]
        return [
            texts.not_c1(group.places, self.sets.described(group.strata), group.strata[0])
            for group in self._groups(chosen)
        ]

    def undefined(self) -> list[Finding]:
        """What is not finite, by the operation to blame."""
        unrolled = _unrolled(self.program)
        blamed: dict[tuple[str, Place], list[tuple[str, StratumReport]]] = {}
        unexplained = []
        for stratum in self._with("undefined"):
            point = self.view.point(stratum.witness)
            blame = None if unrolled is None or point is None else blame_at(unrolled, point)
            if blame is None:
                unexplained.append(stratum)
                continue
            place = self.places.of(blame.instruction, blame.word)
            blamed.setdefault((blame.kind, place), []).append((blame.what, stratum))
        found = []
        for (kind, place), told in blamed.items():
            strata = [stratum for _, stratum in told]
            what = " or ".join(dict.fromkeys(words for words, _ in told))
            says = {"outside": texts.outside, "steep": texts.steep, "unselected": texts.unselected}[kind]
            found.append(says((place,), self.sets.described(strata), strata[0], what))
        for group in self._groups(unexplained):
            found.append(texts.steep(group.places, self.sets.described(group.strata), group.strata[0], ""))
        return found

    def undecided(self) -> list[Finding]:
        """What could not be decided: strata with their reason, then what the stratification says of itself."""
        found = []
        for group in self._groups(self._with("unknown")):
            reason = group.strata[0].reason or "the derivative was not compared with the truth"
            found.append(texts.undecided(group.places, self.sets.described(group.strata), reason))
        open_ = [
            stratum
            for stratum in self.strata
            if stratum.artificial_critical is None and stratum.verdict not in _WITHOUT_FLAGS
        ]
        for group in self._groups(open_):
            reason = "whether there is an artificial critical point"
            found.append(texts.undecided(group.places, self.sets.described(group.strata), reason))
        reasons = tuple(stratum.reason for stratum in self._with("unknown") if stratum.reason)
        told = {*reasons, *self.report.open_flags}
        whole = (self.places.whole(),)
        found.extend(
            texts.undecided(whole, (), text)
            for text in self.report.unknown
            if text not in told
            and not text.endswith(tuple(f" the verdict is open: {reason}" for reason in reasons))
        )
        return found


def _unrolled(program: Program) -> Program | None:
    try:
        return tidy(scalarize(tidy(program), MOST_SCALARS))
    except TooManyScalars:
        return None


def _two_values(program: Program, point: Mapping[str, Any]) -> tuple[str, str]:
    """At a jump: the value at the point, and one that is approached; empty where they are not known."""
    unrolled = _unrolled(program)
    if unrolled is None:
        return "", ""
    try:
        values = run(unrolled, point, EXACT)
    except Undecided:
        return "", ""
    here = [entry for result in unrolled.results for entry in np.reshape(values[result.name], -1)]
    continuity = facts_at(unrolled, point, here, landscape_at(unrolled, point, USUAL), USUAL).continuity
    if continuity.kind != "jump" or not continuity.nearby:
        return "", ""
    return _entries(continuity.here), _entries(continuity.nearby)


def _entries(numbers: Sequence[Any]) -> str:
    shown = [to_text(number) for number in numbers]
    return shown[0] if len(shown) == 1 else "[" + ", ".join(shown) + "]"
