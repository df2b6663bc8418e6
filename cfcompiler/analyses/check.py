"""Program, StrataReport -> CheckReport: findings that are wanted and not silenced, what is proved, the hypotheses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cfcompiler import errors
from cfcompiler.analyses import finding_texts as texts
from cfcompiler.analyses.findings import findings_of, order
from cfcompiler.analyses.hypotheses import hypotheses_of
from cfcompiler.analyses.silence import silenced
from cfcompiler.analyses.sites import View
from cfcompiler.analyses.strata_question import Question, restricted
from cfcompiler.errors import CFError
from cfcompiler.ir import Program
from cfcompiler.report import CheckReport, Hypothesis, StrataReport
from cfcompiler.source import Source

_HARMLESS = frozenset({"exact", "clarke"})


@dataclass(frozen=True, slots=True)
class Selection:
    """Which codes are looked for: those that `select` names (all usual ones where it is empty), with `extend`, without
    `ignore`. A code may be given by its beginning, as in CF1.
    """

    select: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def wanted(self, code: str) -> bool:
        """Whether findings of this code are said. The longest beginning that names it decides, in doubt `ignore`."""
        chosen = max((len(item) for item in (*self.select, *self.extend) if code.startswith(item)), default=0)
        if not self.select and chosen == 0:
            chosen = 1 if code not in texts.UNUSUAL else 0
        refused = max((len(item) for item in self.ignore if code.startswith(item)), default=0)
        return chosen > refused


USUAL = Selection()


def selection(select: Sequence[str], extend: Sequence[str], ignore: Sequence[str]) -> Selection:
    """The selection of `--select`, `--extend-select` and `--ignore`, each a list of codes. Raises CFError."""
    parts = [tuple(code.strip().upper() for code in codes) for codes in (select, extend, ignore)]
    for code in (code for codes in parts for code in codes):
        if not code or not any(known.startswith(code) for known in texts.LEVELS):
            near = errors.nearest(code, texts.LEVELS)
            hint = f"did you mean {near}?" if near else "`cfc explain` lists the codes"
            diagnostic = errors.bad_option(f"{code!r} is not a code of a finding", hint)
            raise CFError([diagnostic], Source("", "cfc"))
    return Selection(*parts)


def check(
    program: Program,
    strata: StrataReport,
    question: Question,
    selection: Selection = USUAL,
    *,
    theory: bool = False,
    proofs: bool = False,
) -> CheckReport:
    """The findings of a program whose answer to `question` is `strata`.

    `theory`: the hypotheses of the theorems too; `proofs`: what is proved of the whole program, for a reader who asks.
    """
    program = restricted(program, question)
    view = View(program, strata, question.fixed)
    found = [item for item in findings_of(view) if selection.wanted(item.code)]
    left = silenced(found, program, selection.wanted)
    hypotheses = hypotheses_of(view) if theory or proofs else ()
    return CheckReport(
        strata.program,
        strata.ties,
        tuple(sorted(left, key=order)),
        proved_of(strata, hypotheses) if proofs else (),
        hypotheses if theory else (),
    )


def failed(report: CheckReport, *, strict: bool) -> bool:
    """Whether something was found; notes alone count where it is strict."""
    return any(strict or item.level != "note" for item in report.findings)


def proved_of(strata: StrataReport, hypotheses: Sequence[Hypothesis]) -> tuple[str, ...]:
    """What is proved of the whole program, each with its reason."""
    where = "in the box" if strata.box is not None else "for all inputs"
    said = []
    count = len(strata.strata)
    if not strata.gaps and count and all(stratum.verdict in _HARMLESS for stratum in strata.strata):
        exact = sum(stratum.verdict == "exact" for stratum in strata.strata)
        rest = "" if exact == count else ", and on the others, where f has no gradient, a Clarke subgradient"
        said.append(
            f"no spurious derivative under the rules {strata.ties} {where}: of {count} strata, all that there are, "
            f"AD returns the gradient on {exact}{rest}"
        )
    answers = {hypothesis.name: hypothesis for hypothesis in hypotheses}
    qualified = answers.get("kink qualification")
    clean = all(stratum.verdict not in ("undefined", "discontinuous") for stratum in strata.strata)
    if qualified is not None and qualified.answer == "proved" and clean and not strata.gaps:
        said.append(
            f"no spurious derivative under any rules with values in the element sets {where}: conv D is the Clarke "
            f"subdifferential on all strata ({qualified.reason})"
        )
    return tuple(said)
