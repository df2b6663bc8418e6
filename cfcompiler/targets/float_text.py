"""PointReport with floats -> the screen of `cfc at --float`: float64 beside the real line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cfcompiler.report import FloatReport, GuardInFloats, PointReport, Row
from cfcompiler.source import Source
from cfcompiler.targets.tables import DIM, HEAD, LABEL, WARNING, Block, Entry, Words, entry, labelled, verdict
from cfcompiler.targets.terminal import nested_text, row_text

LABEL_WIDTH = 12
MOST = 8
_WORDS = {"-": "negative", "0": "zero (a tie)", "+": "positive", "nan": "NaN", "": "not reached"}


def float_blocks(report: PointReport, found: FloatReport, source: Source) -> Iterator[Block]:
    """What float64 does at the point, and each difference from the exact answer."""
    where = row_text(report.point) or "its only point"
    yield Words(((report.program, HEAD), (f" at {where} in float64", ""), (f", ties {report.ties}", DIM)))
    yield labelled(_rows_of(report, found, source), LABEL_WIDTH)


def _rows_of(report: PointReport, found: FloatReport, source: Source) -> Iterator[Entry]:
    for name, text in list(found.moved.items())[:MOST]:
        yield from _block("point", [f"{name} is no float64; the nearest one is {text}"])
    yield from _block("value", [f"{nested_text(found.value)}   (exact: {nested_text(report.value)})"])
    if (found.forward, report.forward) == (found.backward, report.backward):
        yield from _block("AD", list(_rows(report, found.backward, report.backward)))
    else:
        yield from _block("forward", list(_rows(report, found.forward, report.forward)))
        yield from _block("backward", list(_rows(report, found.backward, report.backward)))
    yield from _block("ties", [f"{found.ties} in float64, {found.exact_ties} on the real line"])
    yield from _block("guards", list(_guards(found.guards, source)))
    word = report.judged.verdict
    yield from entry("verdict", [Words(((word, verdict(word)), (" on the real line", "")))])
    if not found.guards and not found.notes:
        yield from _block("differs", ["nowhere, but for rounding"])
    for note in found.notes:
        yield from _block("differs", [note], WARNING)


def _block(label: str, texts: Sequence[str], style: str = LABEL) -> Iterator[Entry]:
    return entry(label, [Words(((text, ""),)) for text in texts], style)


def _rows(report: PointReport, floats: Sequence[Row], exact: Sequence[Row]) -> Iterator[str]:
    for place, (own, other) in enumerate(zip(floats, exact, strict=True)):
        head = "" if report.scalar else f"[{place}] "
        yield f"{head}{row_text(own) or 'no inputs'}   (exact: {row_text(other)})"


def _guards(guards: Sequence[GuardInFloats], source: Source) -> Iterator[str]:
    for guard in guards[:MOST]:
        signs = f"{_WORDS[guard.sign]} in float64, {_WORDS[guard.exact]} on the real line"
        yield f"{guard.line}:{guard.column}  {source.line(guard.line).strip()}"
        yield f"  {guard.op}, {guard.guard}: {signs}"
    if len(guards) > MOST:
        yield f"... and {len(guards) - MOST} more"
