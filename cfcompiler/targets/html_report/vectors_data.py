"""Rows -> lists of texts, an entry for each input entry: the vectors and strata of a page's data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cfcompiler.report import Nested, Row, StratumReport

MOST_VERTICES = 256  # of one set
MOST_ENTRIES = 64  # of one vector that is written out


def cut(value: Nested) -> Nested:
    """A long row without its tail."""
    if isinstance(value, str):
        return value
    shown = [cut(entry) for entry in value[:MOST_ENTRIES]]
    return [*shown, "…"] if len(value) > MOST_ENTRIES else shown


def entry_names(name: str, shape: Sequence[int]) -> list[str]:
    """`x`, or `x[0]`, `x[1]`, as the formulas write them; `W[0, 1]` of a matrix."""
    places: list[tuple[int, ...]] = [()]
    for size in shape:
        places = [(*place, k) for place in places for k in range(size)]
    return [f"{name}[{', '.join(map(str, place))}]" if shape else name for place in places]


def flat(row: Row) -> list[str]:
    """The entries of a row, in order."""
    return [text for value in row.values() for text in flattened(value)]


def flattened(value: Nested) -> Iterator[str]:
    """The entries of nested lists, in order."""
    if isinstance(value, str):
        yield value
    else:
        for entry in value:
            yield from flattened(entry)


def rows(found: Sequence[Row] | None) -> list[list[str]] | None:
    """A vector for each output entry; None where there is none."""
    return None if found is None else [flat(row) for row in found]


def named(name: str, value: Nested) -> Iterator[tuple[str, str]]:
    """The entries of an input with their values: `x[0]`, `1/2`."""
    if isinstance(value, str):
        yield name, value
        return
    shape: list[int] = []
    inner: Nested = value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else ""
    yield from zip(entry_names(name, shape), flattened(value), strict=True)


def stratum_data(one: StratumReport) -> dict[str, Any]:
    """A stratum, with at most MOST_VERTICES corners of its Clarke subdifferential."""
    clarke = None if one.clarke is None else [rows(vertex) for vertex in one.clarke[:MOST_VERTICES]]
    return {
        "id": one.id,
        "dimension": one.dimension,
        "signs": one.signs,
        "equations": list(one.equations),
        "inequalities": list(one.inequalities),
        "witness": flat(one.witness),
        "ad": rows(one.ad),
        "gradient": rows(one.gradient),
        "clarke": clarke,
        "verdict": one.verdict,
        "adCritical": one.ad_critical,
        "artificial": one.artificial_critical,
        "reason": one.reason,
        "trust": one.trust,
    }
