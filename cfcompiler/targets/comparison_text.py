"""ComparisonReport -> blocks: the truth, a row for each preset, and a sentence that counts.

    prog at x = 0
      value     log(2)
      gradient  x = 1/2

      preset      version   AD returns   verdict
      autograd    1.9.1     x = 1/2      exact
      jax         0.10.2    x = -1/2     spurious

Answers that repeat the one above are written again, but dimmed. Where the rows are wider than there is room, each
answer stands under its preset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cfcompiler.report import YOURS, ComparisonReport, PointTruth, PresetRow, Row, StrataComparison
from cfcompiler.targets.tables import (
    DIM,
    HEAD,
    LABEL,
    WARNING,
    Block,
    Column,
    Entry,
    Table,
    Words,
    cell,
    entry,
    labelled,
    verdict,
)
from cfcompiler.targets.terminal import nested_text, row_text

WIDTH = 80  # where nobody says how wide the terminal is
LABEL_WIDTH = 10
VERTICES = 8  # of the Clarke subdifferential that are shown
NO_ANSWER = "no answer"
# (what one of them does, what several do), in the order in which they are told.
CLAUSES: dict[str, tuple[str, str]] = {
    "exact": ("returns the gradient", "return the gradient"),
    "clarke": ("returns a Clarke subgradient", "return a Clarke subgradient"),
    "inexact": (
        "returns a Clarke subgradient that is not the gradient",
        "return a Clarke subgradient that is not the gradient",
    ),
    "spurious": (
        "returns something that is not a derivative of this function here",
        "return something that is not a derivative of this function here",
    ),
    "not finite": ("returns NaN or infinity", "return NaN or infinity"),
    "undefined": (
        "returns numbers where there is no derivative to compare with",
        "return numbers where there is no derivative to compare with",
    ),
    "discontinuous": ("differentiates across a jump", "differentiate across a jump"),
    "unknown": ("is not decided", "are not decided"),
    NO_ANSWER: ("has no answer", "have no answer"),
}
_Cells = tuple[str, str, str]  # preset and version, what is returned, verdict


def compared_blocks(report: ComparisonReport | StrataComparison, width: int) -> Iterator[Block]:
    """The comparison at a point, or at a point of each stratum where a guard is tied."""
    if isinstance(report, ComparisonReport):
        yield from comparison_blocks(report, width)
        return
    for one in report.strata:
        where = [*(f"{text} = 0" for text in one.stratum.equations), *one.stratum.inequalities]
        yield Words(((f"{one.stratum.id}: ", LABEL), (", ".join(where) or "everywhere", HEAD)))
        yield from comparison_blocks(one.comparison, width)
        yield ()
    if not report.strata and not report.unknown:
        yield Words(
            (("no guard is tied anywhere: every preset returns the gradient of one smooth piece", ""),)
        )
    for sentence in report.unknown:
        yield labelled(entry("unknown", [Words(((sentence, ""),))], WARNING), LABEL_WIDTH)


def comparison_blocks(report: ComparisonReport, width: int) -> Iterator[Block]:
    """What `cfc compare` says; as plain text in at most `width` columns where the words allow it."""
    where = row_text(report.point) or "its only point"
    yield Words(((report.program, HEAD), (f" at {where}", "")))
    found = [*_block("value", [nested_text(report.truth.value)]), *_truth(report, report.truth)]
    yield labelled(found, LABEL_WIDTH)
    yield ()
    yield _table(report, width)
    room = width - 2 - LABEL_WIDTH
    notes = [Words(((note, ""),), "wrap", room, hang="") for note in _notes(report)]
    if notes:
        yield ()
        rows = (row for note in notes for row in entry("note", [note], WARNING))
        yield labelled(rows, LABEL_WIDTH)
    yield ()
    yield Words(((summary(report), HEAD),), "wrap", width, hang="")


def _block(label: str, texts: Sequence[str]) -> Iterator[Entry]:
    return entry(label, [Words(((text, ""),)) for text in texts])


def _truth(report: ComparisonReport, truth: PointTruth) -> Iterator[Entry]:
    """The gradient; the Clarke subdifferential where that says more."""
    if truth.gradient is not None:
        yield from _block("gradient", [_rows_text(report, truth.gradient)])
    if len(truth.clarke) > 1 or (truth.gradient is None and truth.clarke):
        yield from _block("Clarke", list(_hull(report, truth)))
    elif truth.gradient is None:
        yield from _block("truth", ["not known"])


def _hull(report: ComparisonReport, truth: PointTruth) -> Iterator[str]:
    for place, vertex in enumerate(truth.clarke[:VERTICES]):
        yield ("the hull of " if place == 0 else " " * len("the hull of ")) + _rows_text(report, vertex)
    more = len(truth.clarke) - VERTICES
    if more > 0:
        yield f"... and {more} more"
    if not truth.clarke_complete:
        yield "... perhaps of more"


def _rows_text(report: ComparisonReport, rows: Sequence[Row]) -> str:
    if report.scalar:
        return row_text(rows[0]) or "no inputs"
    return "; ".join(f"[{place}] {row_text(row)}" for place, row in enumerate(rows))


def _answers(report: ComparisonReport, row: PresetRow) -> list[tuple[str, str]]:
    """What is returned, with its verdict: once, or for each mode where they differ."""
    if row.forward is None or row.backward is None:
        return [("-", NO_ANSWER)]
    forward, backward = _rows_text(report, row.forward), _rows_text(report, row.backward)
    if row.forward == row.backward:
        return [(backward, row.verdict or NO_ANSWER)]
    return [
        (f"backward: {backward}", row.verdict or NO_ANSWER),
        (f"forward: {forward}", row.forward_verdict or NO_ANSWER),
    ]


def _table(report: ComparisonReport, width: int) -> Table:
    columns = (
        Column("preset"),
        Column("version"),
        Column("AD returns", least=20),
        Column("verdict"),
    )
    rows = []
    above: list[str] = []
    for row in report.presets:
        own = _answers(report, row)
        texts = [text for text, _ in own]
        style = DIM if texts == above else ""
        above = texts
        for place, (text, word) in enumerate(own):
            name, version = (row.name, _version(row)) if place == 0 else ("", "")
            answer = cell(word, WARNING if word == NO_ANSWER else verdict(word))
            rows.append((cell(name, LABEL), cell(version, DIM), cell(text, style), answer))
    return Table(columns, tuple(rows), heads=True, stacks=((0, 1), (3, 2)), below=2, width=width)


def _version(row: PresetRow) -> str:
    """The version; of rules of one's own, which rules."""
    return row.version or row.framework


def _notes(report: ComparisonReport) -> Iterator[str]:
    """Reasons, each with the presets that it belongs to; what other definitions lead to."""
    reasons: dict[str, list[str]] = {}
    for row in report.presets:
        for reason in dict.fromkeys(text for text in (row.reason, row.forward_reason) if text):
            reasons.setdefault(reason, []).append(row.name)
    for reason, names in reasons.items():
        everybody = len(names) == len(report.presets)
        yield reason if everybody else f"{', '.join(names)}: {reason}"
    others: dict[str, list[str]] = {}
    for row in report.presets:
        if row.other is not None and (row.other.clarke or row.other.value != report.truth.value):
            others.setdefault(_other(report, row.other), []).append(row.name)
    for text, names in others.items():
        yield f"{', '.join(names)}: composed of other operations; there {text}"


def _other(report: ComparisonReport, truth: PointTruth) -> str:
    """A truth in a line."""
    value = f"the value is {nested_text(truth.value)}, "
    if truth.gradient is not None:
        return f"{value}the gradient {_rows_text(report, truth.gradient)}"
    if not truth.clarke:
        return f"{value}the truth not known"
    corners = "; ".join(_rows_text(report, vertex) for vertex in truth.clarke[:VERTICES])
    more = "" if len(truth.clarke) <= VERTICES and truth.clarke_complete else " and perhaps more"
    return f"{value}the Clarke subdifferential the hull of {corners}{more}"


def summary(report: ComparisonReport) -> str:
    """`7 of 13 return the gradient; 6 return something that is not a derivative of this function here.`"""
    rows = [row for row in report.presets if row.name != YOURS] or list(report.presets)
    counts = dict.fromkeys(CLAUSES, 0)
    for row in rows:
        counts[_kind(row)] += 1
    told = [(count, CLAUSES[kind]) for kind, count in counts.items() if count]
    if len(told) == 1 and len(rows) > 1:
        text = f"all {len(rows)} {told[0][1][1]}"
    else:
        clauses = [f"{count} {one if count == 1 else many}" for count, (one, many) in told]
        first, _, rest = clauses[0].partition(" ")
        clauses[0] = f"{first} of {len(rows)} {rest}" if len(rows) > 1 else f"it {rest}"
        text = "; ".join(clauses)
    modes = " (by backward AD)" if any(row.verdict != row.forward_verdict for row in rows) else ""
    return text + modes


def _kind(row: PresetRow) -> str:
    if row.verdict is None or row.backward is None:
        return NO_ANSWER
    if row.verdict == "undefined" and any(
        _not_finite(entry) for own in row.backward for entry in own.values()
    ):
        return "not finite"
    return row.verdict


def _not_finite(entry: object) -> bool:
    if isinstance(entry, list):
        return any(_not_finite(part) for part in entry)
    return entry in ("nan", "inf", "-inf")
