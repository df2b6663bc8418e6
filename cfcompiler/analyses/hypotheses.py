"""Program, StrataReport -> which hypotheses of the theorems hold, and the place where one fails.

Each is proved, refuted or undecided, with the reason. What is said of all inputs rests on a complete stratification.

Source: Bolte & Pauwels 2021 (conservative fields, Theorem 8); theory S2, S3.1, S6 (Theorems C and E).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any

from cfcompiler.analyses import circulation as loops
from cfcompiler.analyses.blame import blame_at
from cfcompiler.analyses.definability import definable
from cfcompiler.analyses.field import MOST_SCALARS
from cfcompiler.analyses.set_texts import SetTexts
from cfcompiler.analyses.sites import Places, View, joins
from cfcompiler.analyses.steepness import growing_slope
from cfcompiler.analyses.tangents import Answer, Strata
from cfcompiler.analyses.tie_values import TieValue, tie_values
from cfcompiler.arithmetic import Undecided
from cfcompiler.ir import Program
from cfcompiler.report import Hypothesis, Place, StratumReport
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize
from cfcompiler.transforms.tidy import tidy

MOST_POLYGONS = 12
SECONDS = 60.0  # for one hypothesis on all strata
_PROVED, _REFUTED, _UNDECIDED = "proved", "refuted", "undecided"


def hypotheses_of(view: View) -> tuple[Hypothesis, ...]:
    """All hypotheses, in the order in which they build on each other."""
    points = {stratum.id: view.point(stratum.witness) for stratum in view.report.strata}
    known = {name: point for name, point in points.items() if point is not None}
    reason = "" if len(known) == len(points) else "the point of a stratum is a root without a closed form"
    try:
        unrolled = tidy(scalarize(tidy(view.program), MOST_SCALARS))
    except TooManyScalars as problem:
        reason = str(problem)
    if reason:
        names = ("continuous", "locally Lipschitz", "definable", "path differentiable", "tie values")
        rest = ("kink qualification", "projection", "circulation", "conservative")
        return tuple(Hypothesis(name, _UNDECIDED, reason) for name in (*names, *rest))
    return _Hypotheses(view, unrolled, known).all()


class _Hypotheses:
    def __init__(self, view: View, unrolled: Program, points: Mapping[str, Mapping[str, Any]]) -> None:
        self.program = view.program
        self.unrolled = unrolled
        self.report = view.report
        self.places = Places(view)
        self.sets = SetTexts(view.report)
        self.strata = Strata(unrolled)
        self.points = points

    def all(self) -> tuple[Hypothesis, ...]:
        continuous = self._continuous()
        lipschitz = self._lipschitz(continuous)
        structure = self._definable()
        path = self._path_differentiable(lipschitz, structure)
        values = self._tie_values()
        qualified = self._on_all_strata("kink qualification", self._qualified)
        projection = self._on_all_strata("projection", self._projected(structure))
        circulation = self._circulation(projection)
        conservative = self._conservative(continuous, lipschitz, values, circulation)
        return (
            continuous,
            lipschitz,
            structure,
            path,
            values,
            conservative,
            qualified,
            projection,
            circulation,
        )

    # of f

    def _with(self, *verdicts: str) -> list[StratumReport]:
        return [stratum for stratum in self.report.strata if stratum.verdict in verdicts]

    def _place(self, stratum: StratumReport, which: Callable[[Place], bool] = lambda place: True) -> Place:
        tied = self.places.tied(stratum)
        return next(iter([place for place in tied if which(place)] or tied), self.places.whole())

    def _open(self, name: str) -> Hypothesis | None:
        """Undecided where the stratification is not complete."""
        for stratum in self._with("unknown"):
            where = self.sets.where(stratum)
            return Hypothesis(name, _UNDECIDED, f"on {where}: {stratum.reason}", self._place(stratum))
        if self.report.gaps:
            return Hypothesis(name, _UNDECIDED, self.report.gaps[0])
        if not self.report.strata:
            return Hypothesis(name, _UNDECIDED, "there are no strata")
        return None

    def _continuous(self) -> Hypothesis:
        name = "continuous"
        for stratum in self._with("discontinuous"):
            reason = f"the value jumps on {self.sets.where(stratum)}"
            return Hypothesis(name, _REFUTED, reason, self._place(stratum, joins))
        for stratum in self._with("undefined"):
            blame = blame_at(self.unrolled, self.points[stratum.id])
            where = self.sets.where(stratum)
            if blame is not None and blame.kind == "outside":
                place = self.places.of(blame.instruction, blame.word)
                return Hypothesis(name, _REFUTED, f"{blame.what} on {where}", place)
            if stratum.clarke is None and stratum.gradient is None:
                reason = f"on {where}: {stratum.reason}"
                return Hypothesis(name, _UNDECIDED, reason, self._place(stratum))
        reason = f"no jump on any of the {len(self.report.strata)} strata"
        return self._open(name) or Hypothesis(name, _PROVED, reason)

    def _lipschitz(self, continuous: Hypothesis) -> Hypothesis:
        name = "locally Lipschitz"
        if continuous.answer == _REFUTED:
            return Hypothesis(name, _REFUTED, f"not continuous: {continuous.reason}", continuous.place)
        for stratum in self._with("undefined"):
            steep = growing_slope(self.unrolled, self.points[stratum.id])
            if steep is not None:
                return Hypothesis(name, _REFUTED, steep.sentence, self._blamed(stratum))
        for stratum in self._with("undefined"):
            if stratum.clarke is None:
                where = self.sets.where(stratum)
                return Hypothesis(name, _UNDECIDED, f"on {where}: {stratum.reason}", self._blamed(stratum))
        if continuous.answer != _PROVED:
            return Hypothesis(name, _UNDECIDED, continuous.reason, continuous.place)
        return Hypothesis(
            name, _PROVED, "continuous, and of finitely many pieces that are smooth up to where they meet"
        )

    def _blamed(self, stratum: StratumReport) -> Place:
        blame = blame_at(self.unrolled, self.points[stratum.id])
        if blame is None:
            return self._place(stratum)
        return self.places.of(blame.instruction, blame.word)

    def _definable(self) -> Hypothesis:
        found = definable(self.unrolled, self.report.box)
        if found.offender is None:
            return Hypothesis("definable", _PROVED, f"in {found.structure}")
        place = self.places.of(found.offender, "")
        if self.program.assertions:
            return Hypothesis(
                "definable", _UNDECIDED, f"{found.why}; what the assertions bound is not followed", place
            )
        return Hypothesis("definable", _REFUTED, f"{found.why}: bound it with --box", place)

    @staticmethod
    def _path_differentiable(lipschitz: Hypothesis, structure: Hypothesis) -> Hypothesis:
        name = "path differentiable"
        if lipschitz.answer != _PROVED:
            reason = "what has a conservative field is locally Lipschitz: " + lipschitz.reason
            return Hypothesis(name, lipschitz.answer, reason, lipschitz.place)
        if structure.answer != _PROVED:
            return Hypothesis(name, _UNDECIDED, f"locally Lipschitz, but {structure.reason}", structure.place)
        return Hypothesis(name, _PROVED, f"locally Lipschitz and definable {structure.reason}")

    # of the program and its rules

    def _tie_values(self) -> Hypothesis:
        name = "tie values"
        found = list(tie_values(self.program))
        for where, answer, ending in (
            ("outside", _REFUTED, "which is not conservative"),
            ("unknown", _UNDECIDED, ""),
            ("affine", _REFUTED, "which is conservative, and no Clarke subgradient of the operation"),
        ):
            for value in found:
                if value.where == where:
                    reason = f"{value.what}: outside the element set, {ending}" if ending else value.what
                    return Hypothesis(name, answer, reason, value.place)
        reason = (
            f"each of {len(found)} operations returns an element of its element set"
            if found
            else "no operation has a tie"
        )
        return Hypothesis(name, _PROVED, reason)

    def _conservative(
        self, continuous: Hypothesis, lipschitz: Hypothesis, values: Hypothesis, circulation: Hypothesis
    ) -> Hypothesis:
        """Whether what AD returns is an element of a conservative field: by the rules, or by its circulation."""
        name = "conservative"
        for needed in (continuous, lipschitz):
            if needed.answer == _REFUTED:
                return Hypothesis(name, _REFUTED, needed.reason, needed.place)
        if circulation.answer == _REFUTED:
            return Hypothesis(name, _REFUTED, circulation.reason, circulation.place)
        for stratum in self._with("undefined"):
            where = self.sets.where(stratum)
            return Hypothesis(
                name, _REFUTED, f"AD returns no finite vector on {where}", self._blamed(stratum)
            )
        found: list[TieValue] = list(tie_values(self.program))
        bad = next((value for value in found if value.where in ("outside", "unknown")), None)
        if bad is None and lipschitz.answer == _PROVED:
            return Hypothesis(
                name, _PROVED, "continuous, and every tie value lies in the affine hull of its element set"
            )
        if circulation.answer == _PROVED:
            return Hypothesis(name, _PROVED, circulation.reason)
        if bad is not None:
            return Hypothesis(name, _UNDECIDED, f"{bad.what}; here it may cancel", bad.place)
        return Hypothesis(name, _UNDECIDED, lipschitz.reason, lipschitz.place)

    # of the strata

    def _on_all_strata(self, name: str, answer: Callable[[StratumReport], Answer]) -> Hypothesis:
        open_: Hypothesis | None = None
        end = monotonic() + SECONDS
        for done, stratum in enumerate(self.report.strata):
            if monotonic() > end:
                reason = f"it holds on the first {done} of {len(self.report.strata)} strata; time is up"
                return open_ or Hypothesis(name, _UNDECIDED, reason)
            found = answer(stratum)
            if found.word == _PROVED:
                continue
            where = self.sets.where(stratum)
            place = (
                self.places.of(found.instruction, "")
                if found.instruction is not None
                else self._place(stratum)
            )
            said = Hypothesis(name, found.word, f"on {where}: {found.reason}", place)
            if found.word == _REFUTED:
                return said
            open_ = open_ or said
        reason = f"on each of the {len(self.report.strata)} strata"
        return open_ or self._open(name) or Hypothesis(name, _PROVED, reason)

    def _qualified(self, stratum: StratumReport) -> Answer:
        if stratum.verdict in ("undefined", "discontinuous", "unknown"):
            return Answer(_UNDECIDED, f"the verdict is {stratum.verdict}")
        return self.strata.qualified(self.points[stratum.id])

    def _projected(self, structure: Hypothesis) -> Callable[[StratumReport], Answer]:
        def projected(stratum: StratumReport) -> Answer:
            if stratum.verdict == "undefined":
                return Answer(
                    _REFUTED, "AD returns no finite vector, or the program is not locally Lipschitz"
                )
            found = self.strata.projected(self.points[stratum.id], stratum.dimension)
            if found.word == _UNDECIDED and stratum.verdict == "exact":
                return Answer(_PROVED)
            if found.word == _UNDECIDED and stratum.verdict == "clarke" and structure.answer == _PROVED:
                return Answer(_PROVED)  # the Clarke subdifferential of a definable function projects
            return found

        return projected

    def _circulation(self, projection: Hypothesis) -> Hypothesis:
        """By polygons, which can refute; and by the projection on all strata, which proves it for all curves."""
        name = "circulation"
        checked = ""
        if len(self.unrolled.results) == 1 and not self.unrolled.results[0].shape:
            try:
                checked, failure = self._polygons()
            except (loops.NotAffine, Undecided) as problem:
                checked, failure = f"no polygons: {problem}", None
            if failure is not None:
                return failure
        else:
            checked = "no polygons: the program has several outputs"
        if projection.answer == _PROVED:
            return Hypothesis(
                name, _PROVED, f"0 along every curve, by the projection on all strata; {checked}"
            )
        return Hypothesis(name, _UNDECIDED, f"{checked}; projection: {projection.reason}", projection.place)

    def _polygons(self) -> tuple[str, Hypothesis | None]:
        """A sentence about the polygons, and the failure. Raises NotAffine, Undecided."""
        thin_first: Sequence[StratumReport] = sorted(self.report.strata, key=lambda item: item.dimension)
        found = (loops.corner_of(self.program, self.points[stratum.id]) for stratum in thin_first)
        corners = list(dict.fromkeys(corner for corner in found if corner is not None))
        if len(corners) < 2:
            return "no polygons: fewer than two corners", None
        closed, inside = loops.polygons(self.strata, corners, MOST_POLYGONS)
        for edges in closed:
            edge = loops.broken(edges)
            if edge is not None:
                reason = (
                    f"from {_corner(edge.start)} to {_corner(edge.end)} AD integrates to {edge.integral}, "
                    f"and the value grows by {edge.difference}; around the polygon it is {loops.circulation(edges)}"
                )
                return "", Hypothesis("circulation", _REFUTED, reason)
        return f"0 around {len(closed)} polygons, {inside} with an edge inside a stratum", None


def _corner(corner: loops.Corner) -> str:
    return "(" + ", ".join(map(str, corner)) + ")"
