"""Vectors of a report -> short texts: a number where the program has one input and one output, else named entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cmp_to_key

from cfcompiler.number_text import parse_number
from cfcompiler.numbers import compare
from cfcompiler.report import Nested, PointReport, Row
from cfcompiler.targets.terminal import nested_text, row_text

_CHANGES = 3  # entries that are shown


def one_number(report: PointReport) -> bool:
    """Whether a derivative of the program is one number."""
    return report.scalar and [isinstance(value, str) for value in report.backward[0].values()] == [True]


def vector_text(report: PointReport, rows: Sequence[Row], *, names: bool = False) -> str:
    """`1`, or `x = 1, y = 0`, or `[0] x = 1; [1] x = 2`; `names`: never the number alone."""
    if one_number(report) and not names:
        (value,) = rows[0].values()
        return nested_text(value)
    if report.scalar:
        return row_text(rows[0]) or "no inputs"
    return "; ".join(f"[{place}] {row_text(row)}" for place, row in enumerate(rows))


def changes_text(report: PointReport, rows: Sequence[Row]) -> str:
    """The entries of `rows` that are not what AD returns: `x[0] = 1, x[13] = 0`, of several outputs `[1] x[0] = 2`."""
    found: list[str] = []
    for place, (row, own) in enumerate(zip(rows, report.backward, strict=True)):
        lead = "" if report.scalar else f"[{place}] "
        for name, value in row.items():
            found.extend(f"{lead}{change}" for change in _changes(name, value, own[name]))
    shown = found[:_CHANGES] + ([f"... {len(found)} entries"] if found[_CHANGES:] else [])
    return ", ".join(shown)


def _changes(name: str, value: Nested, own: Nested) -> Iterator[str]:
    if value == own:
        return
    if isinstance(value, str) or isinstance(own, str):
        yield f"{name} = {nested_text(value)}"
        return
    for place, (one, other) in enumerate(zip(value, own, strict=True)):
        yield from _changes(f"{name}[{place}]", one, other)


def hull_text(report: PointReport, vertices: Sequence[Sequence[Row]]) -> str:
    """The hull of numbers: `[-1, 1]`, or `{1}`."""
    numbers = [str(value) for rows in vertices for value in rows[0].values()]
    ordered = sorted(numbers, key=cmp_to_key(_order))
    low, high = nested_text(ordered[0]), nested_text(ordered[-1])
    return f"{{{low}}}" if low == high else f"[{low}, {high}]"


def _order(left: str, right: str) -> int:
    found = compare(parse_number(left), parse_number(right))
    return found if isinstance(found, int) else 0
