"""Judgement -> Judged: exact vectors as rows of texts, certificates with what they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cfcompiler.analyses.judgement import Judgement
from cfcompiler.analyses.limits import Vector
from cfcompiler.analyses.places import Inside, Outside, Place
from cfcompiler.number_text import to_text
from cfcompiler.report import Certificate, Judged, Row

Rows = Callable[[Sequence[Any]], tuple[Row, ...]]


def judged_texts(found: Judgement, lexicographic: Vector | None, rows: Rows) -> Judged:
    """The judgement for readers; `rows` makes rows of a flat vector."""
    return Judged(
        found.verdict,
        found.reason,
        tuple(rows(vector) for vector in sorted(found.bouligand, key=_order)),
        found.bouligand_complete,
        tuple(rows(vector) for vector in sorted(found.clarke, key=_order)),
        found.clarke_complete,
        None if found.gradient is None else rows(found.gradient),
        None if lexicographic is None else rows(lexicographic),
        None if found.min_norm is None else rows(found.min_norm),
        found.ad_critical,
        found.field_critical,
        found.clarke_critical,
        found.artificial_critical,
        tuple(_certificates(found, rows)),
        found.trust,
        found.as_field,
        found.near_jump,
    )


def _order(vector: Sequence[Any]) -> tuple[Any, ...]:
    return tuple((0, x, "") if not hasattr(x, "args") else (1, 0, to_text(x)) for x in vector)


def _certificates(found: Judgement, rows: Rows) -> Iterator[Certificate]:
    if found.verdict in ("spurious", "clarke", "inexact"):
        yield from _certificate(found.ad_place, "ad", "clarke", rows)
    if found.artificial_critical:
        yield from _certificate(found.field_place, "zero", "field", rows)
        yield from _certificate(found.zero_place, "zero", "clarke", rows)


def _certificate(place: Place, of: str, relative_to: str, rows: Rows) -> Iterator[Certificate]:
    match place:
        case Outside(direction, value, support):
            yield Certificate(
                "separation", of, relative_to, rows(direction), to_text(value), to_text(support)
            )
        case Inside(weights, points):
            yield Certificate(
                "combination",
                of,
                relative_to,
                weights=tuple(to_text(weight) for weight in weights),
                points=tuple(rows(point) for point in points),
            )
        case None:
            return
