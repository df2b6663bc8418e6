"""CheckReport -> text: a finding with its place, the line with a caret, and what to write instead.

zero.cf:2:12: CF101 spurious derivative on t == 0: AD returns 1, the gradient is 0
    return relu(-t) + t - relu(t)
           ^^^^^^^^
  help: write it with one nonsmooth operation, or choose other rules: --tie
"""

from __future__ import annotations

from collections.abc import Iterator

from cfcompiler.diagnostics import window
from cfcompiler.report import CheckReport, Finding, Hypothesis, Place
from cfcompiler.source import Source, Span
from cfcompiler.targets.terminal import DIM, ERROR, HEAD, LABEL, WARNING, Line

_STYLES = {"error": ERROR, "warning": WARNING, "note": DIM}
_ANSWERS = {"proved": "", "refuted": ERROR, "undecided": WARNING}


def check_lines(report: CheckReport, source: Source) -> Iterator[Line]:
    """The findings, then the hypotheses and what is proved, where they were asked for; else nothing."""
    for finding in report.findings:
        yield from _finding(finding, source)
    if report.hypotheses:
        yield ((report.program, HEAD), (f" and the hypotheses of the theorems, ties {report.ties}", ""))
        width = max(len(hypothesis.name) for hypothesis in report.hypotheses)
        for hypothesis in report.hypotheses:
            yield _hypothesis(hypothesis, width)
    for sentence in report.proved:
        yield (("proved: ", LABEL), (f"{report.program}: {sentence}", ""))


def _finding(finding: Finding, source: Source) -> Iterator[Line]:
    place = finding.place
    note = "note: " if finding.level == "note" else ""
    yield (
        (f"{source.path}:{place.line}:{place.column}: ", ""),
        (finding.code, _STYLES[finding.level]),
        (f" {note}{finding.message}", ""),
    )
    line, caret = window(source.line(place.line), _span(place))
    if line.strip():
        yield (("    " + line, ""),)
        yield (("    " + caret, _STYLES[finding.level]),)
    if finding.help:
        yield (("  help: ", LABEL), (finding.help, ""))


def _span(place: Place) -> Span:
    return Span(place.line, place.column, place.end_line, place.end_column)


def _hypothesis(hypothesis: Hypothesis, width: int) -> Line:
    where = f" (line {hypothesis.place.line}, column {hypothesis.place.column})" if hypothesis.place else ""
    return (
        ("  " + hypothesis.name.ljust(width) + "  ", LABEL),
        (hypothesis.answer.ljust(len("undecided")), _ANSWERS[hypothesis.answer]),
        (f"  {hypothesis.reason}{where}", ""),
    )
