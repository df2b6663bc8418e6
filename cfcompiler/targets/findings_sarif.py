"""CheckReport -> SARIF 2.1.0, which code hosts and editors read.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from cfcompiler import __version__
from cfcompiler.diagnostics import explanations
from cfcompiler.report import CheckReport, Finding, Place
from cfcompiler.source import Source

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def check_sarif(report: CheckReport, source: Source) -> dict[str, Any]:
    """A log with one run; its rules are the codes that occur."""
    codes = sorted({finding.code for finding in report.findings})
    driver = {"name": "cfc", "version": __version__, "rules": [_rule(code, report) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes, source) for finding in report.findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, report: CheckReport) -> dict[str, Any]:
    explanation = explanations()[code]
    level = next(finding.level for finding in report.findings if finding.code == code)
    return {
        "id": code,
        "shortDescription": {"text": explanation.title},
        "fullDescription": {"text": explanation.text},
        "help": {"text": explanation.render()},
        "defaultConfiguration": {"level": level},
    }


def _result(finding: Finding, codes: list[str], source: Source) -> dict[str, Any]:
    message = finding.message + (f"; {finding.help}" if finding.help else "")
    answer: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": finding.level,
        "message": {"text": message},
        "locations": [_location(finding.place, source)],
    }
    related = [
        {"id": number, "message": {"text": place.op}, **_location(place, source)}
        for number, place in enumerate(finding.operations[1:], 1)
    ]
    if related:
        answer["relatedLocations"] = related
    if finding.sets:
        answer["properties"] = {"sets": list(finding.sets)}
    return answer


def _location(place: Place, source: Source) -> dict[str, Any]:
    region: dict[str, int] = {
        "startLine": max(1, place.line),
        "startColumn": max(1, place.column),
        "endLine": max(1, place.end_line),
        "endColumn": max(1, place.end_column),
    }
    uri = quote(source.path.replace("\\", "/"), safe="/:")
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
