"""Report -> JSON: keys and words are stable, scripts read them.

Exact numbers are strings that SymPy parses; an array input is a (nested) list of them. A program with one scalar
output has one row of derivatives, any other a list of rows, its Jacobian.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cfcompiler.errors import CFError
from cfcompiler.report import PointReport, Row, TieTable
from cfcompiler.source import NOWHERE


def point_json(report: PointReport) -> dict[str, Any]:
    """What `cfc at --json` says."""
    answer: dict[str, Any] = {
        "program": report.program,
        "ties": report.ties,
        "point": report.point,
        "value": report.value,
        "ad": {"forward": _rows(report, report.forward), "backward": _rows(report, report.backward)},
        "ties_here": [
            {"line": tie.line, "column": tie.column, "guard": tie.guard, "op": tie.op}
            for tie in report.ties_here
        ],
        "field": {
            "vertices": [_rows(report, vertex) for vertex in report.vertices],
            "complete": report.complete,
        },
    }
    reasons = [text for text in (report.reason, *report.notes) if text]
    if reasons:
        answer["reason"] = "; ".join(reasons)
    return answer


def _rows(report: PointReport, rows: Sequence[Row]) -> Any:
    return rows[0] if report.scalar else list(rows)


def error_json(error: CFError) -> dict[str, Any]:
    """The first complaint; line and column are null where the mistake has no place in the program."""
    first = error.diagnostics[0]
    nowhere = first.span == NOWHERE
    return {
        "code": first.code,
        "message": first.message,
        "line": None if nowhere else first.span.line,
        "column": None if nowhere else first.span.column,
    }


def ties_json(table: TieTable) -> dict[str, Any]:
    """What `cfc ties --json` says: for each row and preset the derivatives by the inputs of the tie, in order."""
    return {
        "presets": dict(zip(table.presets, table.versions, strict=True)),
        "rows": [
            {
                "rule": row.rule,
                "expression": row.expression,
                "tie": row.tie,
                "returns": {
                    preset: {"forward": list(forward), "reverse": list(reverse)}
                    for preset, (forward, reverse) in zip(table.presets, row.returned, strict=True)
                },
            }
            for row in table.rows
        ],
    }


def dumps(answer: Any, *, indent: int | None = None) -> str:
    """JSON text, one line unless indented; what is not ASCII is kept as it is."""
    return json.dumps(answer, ensure_ascii=False, indent=indent)
