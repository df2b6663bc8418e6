"""CheckReport -> text: a finding with its place, the line with a caret, and what to write instead.

zero.cf:2:12: CF101 spurious derivative on t == 0: AD returns 1, the gradient is 0
    return relu(-t) + t - relu(t)
           ^^^^^^^^
  help: write it with one nonsmooth operation, or choose other rules: --tie
"""

from __future__ import annotations

from collections.abc import Iterator

from cfcompiler.report import CheckReport, Finding, Hypothesis
from cfcompiler.source import Source, Span
from cfcompiler.targets.tables import (
    DIM,
    ERROR,
    HEAD,
    LABEL,
    WARNING,
    Block,
    Cell,
    Column,
    Table,
    Words,
    cell,
    source_quote,
    verdict,
)

_LEVELS = {"error": ERROR, "warning": WARNING, "note": DIM}
# The verdict that a code is painted with; other codes have the colour of their level.
_VERDICTS = {
    "CF101": "spurious",
    "CF102": "artificial",
    "CF103": "undefined",
    "CF104": "discontinuous",
    "CF106": "undefined",
    "CF107": "undefined",
    "CF190": "unknown",
}
_ANSWERS = {"proved": "exact", "refuted": "spurious", "undecided": "unknown"}


def check_blocks(report: CheckReport, source: Source) -> Iterator[Block]:
    """The findings, then the hypotheses and what is proved, where they were asked for; else nothing."""
    for finding in report.findings:
        yield from _finding(finding, source)
    if report.hypotheses:
        yield Words(
            ((report.program, HEAD), (f" and the hypotheses of the theorems, ties {report.ties}", ""))
        )
        columns = (Column("hypothesis"), Column("answer", width=len("undecided")), Column("reason", least=30))
        rows = tuple(_hypothesis(hypothesis) for hypothesis in report.hypotheses)
        yield Table(columns, rows, stacks=((0,), (1, 2)))
    for sentence in report.proved:
        yield Words((("proved: ", LABEL), (f"{report.program}: {sentence}", "")))


def _finding(finding: Finding, source: Source) -> Iterator[Block]:
    place = finding.place
    note = "note: " if finding.level == "note" else ""
    word = _VERDICTS.get(finding.code)
    style = _LEVELS[finding.level] if word is None else verdict(word)
    where = f"{source.path}:{place.line}:{place.column}: "
    yield Words(((where, ""), (finding.code, style), (f" {note}{finding.message}", "")))
    if source.line(place.line).strip():
        span = Span(place.line, place.column, place.end_line, place.end_column)
        yield source_quote(source, span, _LEVELS[finding.level])
    if finding.help:
        yield Words((("  help: ", LABEL), (finding.help, "")))


def _hypothesis(hypothesis: Hypothesis) -> tuple[Cell, ...]:
    where = f" (line {hypothesis.place.line}, column {hypothesis.place.column})" if hypothesis.place else ""
    answer = cell(hypothesis.answer, verdict(_ANSWERS[hypothesis.answer]))
    return cell(hypothesis.name, LABEL), answer, cell(f"{hypothesis.reason}{where}")
