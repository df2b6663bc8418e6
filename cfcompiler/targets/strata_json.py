"""StrataReport -> JSON, as `cfc strata --json` prints it: keys and words are stable.

A program with one scalar output has one row of derivatives in a stratum, any other a list of rows, its Jacobian.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cfcompiler.report import ArtificialPoint, Row, StrataReport, StratumReport


def strata_json(report: StrataReport) -> dict[str, Any]:
    """What `cfc strata --json` says."""
    return {
        "program": report.program,
        "ties": report.ties,
        "inputs": list(report.inputs),
        "box": None if report.box is None else {name: list(ends) for name, ends in report.box.items()},
        "complete": report.complete,
        "guards": [
            {
                "id": guard.id,
                "expr": guard.expr,
                "op": guard.op,
                "line": guard.line,
                "column": guard.column,
            }
            for guard in report.guards
        ],
        "counts": {str(dimension): count for dimension, count in report.counts.items()},
        "strata": [_stratum(report, stratum) for stratum in report.strata],
        "spurious": list(report.spurious),
        "artificial_critical_points": [_artificial(point) for point in report.artificial],
        "unknown": list(report.unknown),
    }


def _stratum(report: StrataReport, stratum: StratumReport) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": stratum.id,
        "dimension": stratum.dimension,
        "signs": stratum.signs,
        "equations": list(stratum.equations),
        "inequalities": list(stratum.inequalities),
        "witness": stratum.witness,
        "ad": _rows(report, stratum.ad),
        "gradient": _rows(report, stratum.gradient),
        "clarke": None if stratum.clarke is None else [_rows(report, vector) for vector in stratum.clarke],
        "verdict": stratum.verdict,
        "ad_critical": stratum.ad_critical,
        "artificial_critical": stratum.artificial_critical,
        "trust": stratum.trust,
    }
    if stratum.reason:
        answer["reason"] = stratum.reason
    return answer


def _rows(report: StrataReport, rows: Sequence[Row] | None) -> Any:
    if rows is None:
        return None
    return rows[0] if report.scalar else list(rows)


def _artificial(point: ArtificialPoint) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "stratum": point.stratum,
        "where": point.where,
        "point": point.point,
        "stalls": point.stalls,
    }
    if point.start is not None:
        answer.update({"start": point.start, "step": point.step})
    return answer
