"""CheckReport -> JSON: a list of findings with all their fields; keys are stable, scripts read them.

Where the hypotheses or the proofs were asked for, an object with `findings`, `hypotheses` and `proved`.
"""

from __future__ import annotations

from typing import Any

from cfcompiler.report import CheckReport, Finding, Place
from cfcompiler.source import Source


def check_json(report: CheckReport, source: Source, *, whole: bool) -> Any:
    """`whole`: with the hypotheses and the proofs."""
    findings = [finding_json(finding, source) for finding in report.findings]
    if not whole:
        return findings
    hypotheses = [
        {
            "name": hypothesis.name,
            "answer": hypothesis.answer,
            "reason": hypothesis.reason,
            "place": _place(hypothesis.place) if hypothesis.place else None,
        }
        for hypothesis in report.hypotheses
    ]
    return {
        "program": report.program,
        "ties": report.ties,
        "findings": findings,
        "hypotheses": hypotheses,
        "proved": list(report.proved),
    }


def finding_json(finding: Finding, source: Source) -> dict[str, Any]:
    place = finding.place
    return {
        "code": finding.code,
        "level": finding.level,
        "message": finding.message,
        "help": finding.help,
        "path": source.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "operations": [_place(operation) for operation in finding.operations],
        "sets": list(finding.sets),
        "witness": finding.witness,
        "ad": _vector(finding.ad),
        "gradient": _vector(finding.gradient),
        "clarke": None if finding.clarke is None else [_vector(vertex) for vertex in finding.clarke],
        "values": list(finding.values),
        "trust": finding.trust,
    }


def _vector(rows: Any) -> Any:
    if rows is None:
        return None
    return rows[0] if len(rows) == 1 else list(rows)


def _place(place: Place) -> dict[str, Any]:
    return {
        "op": place.op,
        "guard": place.guard,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }
