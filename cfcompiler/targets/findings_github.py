"""CheckReport -> workflow commands, which GitHub Actions shows at the lines of a change.

::warning file=zero.cf,line=2,col=12,endLine=2,endColumn=19,title=CF101::spurious derivative on t == 0
"""

from __future__ import annotations

from collections.abc import Iterator

from cfcompiler.report import CheckReport
from cfcompiler.source import Source

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def check_github(report: CheckReport, source: Source) -> Iterator[str]:
    """A command for each finding."""
    for finding in report.findings:
        place = finding.place
        properties = {
            "file": source.path,
            "line": str(place.line),
            "col": str(place.column),
            "endLine": str(place.end_line),
            "endColumn": str(place.end_column),
            "title": finding.code,
        }
        written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        message = finding.message + (f"; {finding.help}" if finding.help else "")
        yield f"::{_COMMANDS[finding.level]} {written}::{_data(message)}"


def _data(text: str) -> str:
    """% and line ends stand for themselves only when written by their numbers."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
