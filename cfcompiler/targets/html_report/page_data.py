"""Page -> the data of a page: what the scripts read, as JSON. Vectors are rows of texts, one for each input entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from cfcompiler.errors import explanations
from cfcompiler.report import Nested, Row, StrataReport
from cfcompiler.report.findings import Finding
from cfcompiler.report.page import Page, PagePoint, Tape
from cfcompiler.report.point import Judged
from cfcompiler.report.presets import PresetRow
from cfcompiler.report.rules import Relation, RightWhen, Settings
from cfcompiler.targets.html_report.code_lines import Listing
from cfcompiler.targets.html_report.pictures_data import curve_data, map_data
from cfcompiler.targets.html_report.vectors_data import (
    MOST_ENTRIES,
    MOST_VERTICES,
    cut,
    entry_names,
    flattened,
    named,
    rows,
    stratum_data,
)
from cfcompiler.targets.html_report.wording import glossary, headline
from cfcompiler.targets.marks import ARTIFICIAL, MARKS

MOST_STRATA = 300  # listed; the counts are always those of all
RANKS = ("spurious", "undefined", "discontinuous", "unknown", "inexact", "clarke", "exact")

Data = dict[str, Any]


def data_of(page: Page, listings: dict[str, Listing], first: int) -> Data:
    """Everything on the page; `first`: the line of the backward listing where its instructions begin."""
    strata = page.strata
    return {
        "program": page.program,
        "path": page.path,
        "source": page.source.replace("\r\n", "\n").split("\n"),
        "digest": page.digest,
        "version": page.version,
        "command": page.command,
        "ties": page.ties,
        "preset": None if page.preset is None else asdict(page.preset),
        "inputs": [_input(one.name, one.shape, one.fixed) for one in page.inputs],
        "entries": list(_entries_of(page)),
        "headline": [{"kind": kind, "text": text} for kind, text in headline(page)],
        "findings": [_finding(one) for one in page.findings],
        "proved": list(page.proved),
        "unknown": list(strata.unknown),
        "notes": list(page.notes),
        "strata": _strata(strata),
        "points": [_point(one) for one in page.points],
        "pointsLeftOut": page.points_left_out,
        "everywhere": _settings(page.everywhere),
        "curves": [curve_data(one, page) for one in page.curves],
        "maps": [map_data(one, page) for one in page.maps],
        "undrawn": page.undrawn,
        "code": {name: _listing(listing) for name, listing in listings.items()},
        "firstInstruction": first,
        "glossary": glossary(),
        "marks": {mark.verdict: asdict(mark) for mark in (*MARKS.values(), ARTIFICIAL)},
    }


def _input(name: str, shape: tuple[int, ...], fixed: Nested | None) -> Data:
    return {"name": name, "shape": list(shape), "fixed": None if fixed is None else cut(fixed)}


def _entries_of(page: Page) -> Iterator[str]:
    for one in page.inputs:
        if one.fixed is None:
            yield from entry_names(one.name, one.shape)


# what holds everywhere


def _finding(one: Finding) -> Data:
    explained = explanations().get(one.code)
    return {
        "code": one.code,
        "level": one.level,
        "message": one.message,
        "help": one.help,
        "title": explained.title if explained else "",
        "text": explained.text.strip() if explained else "",
        "operations": [asdict(place) for place in one.operations],
        "sets": list(one.sets),
    }


def _strata(report: StrataReport) -> Data:
    ordered = sorted(report.strata, key=lambda one: (RANKS.index(one.verdict), one.dimension))
    counts: dict[str, int] = {}
    for one in report.strata:
        counts[one.verdict] = counts.get(one.verdict, 0) + 1
    return {
        "list": [stratum_data(one) for one in ordered[:MOST_STRATA]],
        "leftOut": max(0, len(ordered) - MOST_STRATA),
        "verdicts": counts,
        "dimensions": {str(dimension): count for dimension, count in sorted(report.counts.items())},
        "complete": report.complete,
        "box": None if report.box is None else {name: list(ends) for name, ends in report.box.items()},
        "guards": [asdict(guard) for guard in report.guards],
        "artificial": [
            {"stratum": one.stratum, "where": one.where, "stalls": one.stalls} for one in report.artificial
        ],
    }


# a point


def _point(one: PagePoint) -> Data:
    report, judged = one.report, one.report.judged
    names = [list(pair) for name, value in report.point.items() for pair in named(name, value)]
    return {
        "id": one.id,
        "stratum": one.stratum,
        "point": names[:MOST_ENTRIES],
        "pointCut": len(names) > MOST_ENTRIES,
        "value": list(flattened(report.value))[:MOST_ENTRIES],
        "forward": rows(report.forward),
        "backward": rows(report.backward),
        "ties": [asdict(tie) for tie in report.ties_here],
        "field": _set(report.vertices, report.complete),
        "fieldReason": report.reason,
        "fieldSum": None if report.segments is None else len(report.segments.segments),
        "notes": list(report.notes),
        **_judged(judged),
        "choices": [
            {
                **{key: getattr(choice, key) for key in ("line", "column", "op", "kind", "taken")},
                "guards": list(choice.guards),
                "returned": [[words, rows(found)] for words, found in choice.returned],
            }
            for choice in one.explanation.choices
        ],
        "sides": [asdict(side) for side in one.explanation.sides],
        "right": None if report.right_when is None else _right(report.right_when),
        "nan": None if report.nan is None else asdict(report.nan),
        "presets": [_preset(row) for row in one.presets],
        "noPresets": one.no_presets,
        "tape": _tape(one.tape),
        "trust": judged.trust,
    }


def _judged(judged: Judged) -> Data:
    return {
        "verdict": judged.verdict,
        "reason": judged.reason,
        "bouligand": _set(judged.bouligand, judged.bouligand_complete),
        "clarke": _set(judged.clarke, judged.clarke_complete),
        "asField": judged.as_field,
        "gradient": rows(judged.gradient),
        "lexicographic": rows(judged.lexicographic),
        "minNorm": rows(judged.min_norm),
        "adCritical": judged.ad_critical,
        "clarkeCritical": judged.clarke_critical,
        "artificial": judged.artificial_critical,
    }


def _set(vertices: Sequence[Sequence[Row]], complete: bool) -> Data:
    shown = [rows(vertex) for vertex in vertices[:MOST_VERTICES]]
    return {"vertices": shown, "count": len(vertices), "complete": complete}


def _right(found: RightWhen) -> Data:
    return {
        "parameters": [asdict(one) for one in found.parameters],
        "fixed": [list(pair) for pair in found.fixed],
        "ad": rows(found.ad),
        "gradient": None if found.gradient is None else _settings(found.gradient),
        "clarke": _settings(found.clarke),
        "reason": found.reason,
    }


def _settings(found: Settings) -> Data:
    return {
        "kind": found.kind,
        "conditions": [_relation(one) for one in found.conditions],
        "example": None if found.example is None else [list(pair) for pair in found.example],
        "reason": found.reason,
    }


def _relation(one: Relation) -> Data:
    return {
        "kind": one.kind,
        "left": one.left,
        "right": one.right,
        "parts": [_relation(part) for part in one.parts],
    }


def _preset(row: PresetRow) -> Data:
    return {
        "name": row.name,
        "version": row.version,
        "backward": rows(row.backward),
        "forward": rows(row.forward),
        "verdict": row.verdict,
        "reason": row.reason,
    }


def _tape(tape: Tape) -> Data:
    return {
        "inputs": [[name, cut(value)] for name, value in tape.inputs.items()],
        "steps": [
            {
                "index": step.index,
                "phase": step.phase,
                "name": step.name,
                "value": step.value,
                "cut": step.cut,
                "tied": step.tied,
                "alarm": step.alarm,
                "line": step.span.line,
            }
            for step in tape.steps
        ],
        "leftOut": tape.left_out,
        "reason": tape.reason,
    }


def _listing(listing: Listing) -> Data:
    return {
        "lines": [
            [line.text, line.span.line, line.span.column, line.span.end_line, line.span.end_column]
            for line in listing.lines
        ],
        "leftOut": listing.left_out,
    }
