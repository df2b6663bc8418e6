"""Report -> JSON: keys and words are stable, scripts read them.

Exact numbers are strings that SymPy parses; an array input is a (nested) list of them. A program with one scalar
output has one row of derivatives, any other a list of rows, its Jacobian.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cfcompiler.errors import CFError
from cfcompiler.report import (
    Certificate,
    ComparisonReport,
    FloatReport,
    NanOrigin,
    Origin,
    PointReport,
    PointTruth,
    PresetRow,
    Relation,
    RightWhen,
    Row,
    Settings,
    StrataComparison,
    TieTable,
)
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
        "field": _field(report),
    }
    judged = report.judged
    answer.update(
        {
            "bouligand": _true_set(report, judged.bouligand, judged.bouligand_complete),
            "clarke": _true_set(report, judged.clarke, judged.clarke_complete),
            "gradient": _vector(report, judged.gradient),
            "lexicographic": _vector(report, judged.lexicographic),
            "verdict": judged.verdict,
            "ad_critical": judged.ad_critical,
            "field_critical": judged.field_critical,
            "clarke_critical": judged.clarke_critical,
            "artificial_critical": judged.artificial_critical,
            "min_norm": _vector(report, judged.min_norm),
            "certificates": [_certificate(report, certificate) for certificate in judged.certificates],
            "trust": judged.trust,
        }
    )
    if report.right_when is not None:
        answer["right_when"] = _right_when(report, report.right_when)
    if report.nan is not None:
        answer["nan"] = _nan(report.nan)
    if report.floats is not None:
        answer["float"] = _floats(report, report.floats)
    answer["reason"] = "; ".join(text for text in (judged.reason, report.reason, *report.notes) if text)
    return answer


def _true_set(report: PointReport, vertices: Sequence[Sequence[Row]], complete: bool) -> dict[str, Any]:
    return _field(report) if report.judged.as_field else _set(report, vertices, complete)


def _field(report: PointReport) -> dict[str, Any]:
    answer = _set(report, report.vertices, report.complete)
    if report.segments is None:
        return answer
    segments = [_rows(report, segment) for segment in report.segments.segments]
    return {"vertices": [], "sum": {"base": _rows(report, report.segments.base), "segments": segments}} | {
        "complete": report.complete
    }


def _right_when(report: PointReport, found: RightWhen) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for one in found.parameters:
        parameters[one.name] = {"here": one.here, "from": one.low, "to": one.high}
        if one.position is not None:
            parameters[one.name] |= {"rule": one.rule, "position": one.position}
    answer: dict[str, Any] = {
        "parameters": parameters,
        "ad": _vector(report, found.ad),
        "gradient": None if found.gradient is None else _settings(found.gradient),
        "clarke": _settings(found.clarke),
    }
    return answer | ({"fixed": dict(found.fixed)} if found.fixed else {})


def _settings(found: Settings) -> dict[str, Any]:
    answer: dict[str, Any] = {"kind": found.kind}
    if found.kind != "unknown" or found.conditions:
        answer["conditions"] = [_relation(one) for one in found.conditions]
    if found.kind != "unknown":
        answer["example"] = None if found.example is None else dict(found.example)
    if found.solutions:
        answer["solutions"] = [{"value": value, "inside": inside} for value, inside in found.solutions]
    return answer | ({"reason": found.reason} if found.reason else {})


def _relation(one: Relation) -> str:
    arguments = [_relation(part) for part in one.parts] or [one.left, one.right]
    return f"{one.kind}({', '.join(arguments)})"


def _nan(found: NanOrigin) -> dict[str, Any]:
    answer = {"mode": found.mode, "result": found.result, **_origin(found.origin), "selected": found.selected}
    if found.arm:
        answer["arm"] = found.arm
    if found.source is not None:
        answer["source"] = _origin(found.source)
    return answer


def _origin(found: Origin) -> dict[str, Any]:
    return {
        "line": found.line,
        "column": found.column,
        "op": found.op,
        "how": found.how,
        "factors": list(found.factors),
        "inside": found.inside,
    }


def _floats(report: PointReport, found: FloatReport) -> dict[str, Any]:
    return {
        "point": found.point,
        "moved": found.moved,
        "value": found.value,
        "ad": {"forward": _rows(report, found.forward), "backward": _rows(report, found.backward)},
        "ties": found.ties,
        "exact_ties": found.exact_ties,
        "guards": [
            {
                "line": guard.line,
                "column": guard.column,
                "op": guard.op,
                "guard": guard.guard,
                "float": guard.sign or None,
                "exact": guard.exact or None,
            }
            for guard in found.guards
        ],
        "notes": list(found.notes),
    }


def _set(report: PointReport, vertices: Sequence[Sequence[Row]], complete: bool) -> dict[str, Any]:
    return {"vertices": [_rows(report, vertex) for vertex in vertices], "complete": complete}


def _vector(report: PointReport, rows: Sequence[Row] | None) -> Any:
    return None if rows is None else _rows(report, rows)


def _certificate(report: PointReport, found: Certificate) -> dict[str, Any]:
    answer: dict[str, Any] = {"kind": found.kind, "of": found.of, "relative_to": found.relative_to}
    if found.kind == "separation":
        return {
            **answer,
            "direction": _rows(report, found.direction),
            "value": found.value,
            "support": found.support,
        }
    points = [_rows(report, point) for point in found.points]
    return {**answer, "weights": list(found.weights), "points": points}


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


def compared_json(report: ComparisonReport | StrataComparison) -> dict[str, Any]:
    """What `cfc compare --json` says, at a point or on all strata."""
    if isinstance(report, ComparisonReport):
        return comparison_json(report)
    strata = [
        {
            "id": one.stratum.id,
            "dimension": one.stratum.dimension,
            "equations": list(one.stratum.equations),
            "inequalities": list(one.stratum.inequalities),
            "comparison": comparison_json(one.comparison),
        }
        for one in report.strata
    ]
    return {"program": report.program, "strata": strata, "unknown": list(report.unknown)}


def comparison_json(report: ComparisonReport) -> dict[str, Any]:
    """What `cfc compare --json` says; a preset whose definitions lead to another value or truth has its own."""
    return {
        "program": report.program,
        "point": report.point,
        "value": report.truth.value,
        "truth": _truth_json(report, report.truth),
        "presets": [_preset_json(report, row) for row in report.presets],
    }


def _preset_json(report: ComparisonReport, row: PresetRow) -> dict[str, Any]:
    def own(rows: Sequence[Row] | None) -> Any:
        return None if rows is None else rows[0] if report.scalar else list(rows)

    answer: dict[str, Any] = {
        "name": row.name,
        "framework": row.framework,
        "version": row.version,
        "forward": own(row.forward),
        "backward": own(row.backward),
        "verdict": row.verdict,
        "forward_verdict": row.forward_verdict,
        "ad_critical": row.ad_critical,
    }
    reasons = dict.fromkeys(text for text in (row.reason, row.forward_reason) if text)
    if reasons:
        answer["reason"] = "; ".join(reasons)
    if row.other is not None:
        answer.update({"value": row.other.value, "truth": _truth_json(report, row.other)})
    return answer


def _truth_json(report: ComparisonReport, truth: PointTruth) -> dict[str, Any]:
    def own(rows: Sequence[Row]) -> Any:
        return rows[0] if report.scalar else list(rows)

    return {
        "gradient": None if truth.gradient is None else own(truth.gradient),
        "clarke": {"vertices": [own(rows) for rows in truth.clarke], "complete": truth.clarke_complete},
        "bouligand": {
            "vertices": [own(rows) for rows in truth.bouligand],
            "complete": truth.bouligand_complete,
        },
    }


def dumps(answer: Any, *, indent: int | None = None) -> str:
    """JSON text, one line unless indented; what is not ASCII is kept as it is."""
    return json.dumps(answer, ensure_ascii=False, indent=indent)
