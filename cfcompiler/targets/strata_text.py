"""StrataReport -> lines for a terminal: what is wrong in a sentence, then the strata by verdict, what matters first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cfcompiler.report import ArtificialPoint, Row, StrataReport, StratumReport
from cfcompiler.targets.merged_sets import merged
from cfcompiler.targets.tables import (
    DIM,
    ERROR,
    HEAD,
    LABEL,
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
from cfcompiler.targets.terminal import nested_text

ORDER = ("spurious", "artificial", "undefined", "discontinuous", "unknown", "inexact", "clarke", "exact")
MOST_ROWS = 8  # of one verdict; all of them are in --json
MOST_CLARKE = 4
LABEL_WIDTH, WHERE_WIDTH = 14, 44
COLUMNS = (
    Column("verdict", width=LABEL_WIDTH, gap=0),
    Column("where", width=WHERE_WIDTH, least=26),
    Column("what AD returns", least=26),
)
_SETS = {0: "point", 1: "line", 2: "plane"}
_BENT = {0: "set", 1: "curve", 2: "surface"}
_NOT_AFFINE = re.compile(r"\*\*|[\w\])]\s*/\s*[^\d\s]|[^\W\d]\w*\(|[^\W\d][\w\[\], ]*\*")


def strata_blocks(report: StrataReport) -> Iterator[Block]:
    """The whole stratification, merged over strata with the same verdict."""
    yield Words(((report.program, HEAD), (f": {_size(report)}", ""), (f", ties {report.ties}", DIM)))
    if report.box is not None:
        ends = ", ".join(f"{low} < {name} < {high}" for name, (low, high) in report.box.items())
        yield Words((("  in the box ", DIM), (ends, "")))
    yield from _headline(report)
    rows = [row for word in ORDER for row in _rows(report, word)]
    if rows:
        yield Table(COLUMNS, tuple(rows), stacks=((0,), (1, 2)))
    unknown = (entry("unknown", [Words(((text, ""),))], verdict("unknown")) for text in report.unknown)
    if report.unknown:
        yield labelled((row for rows in unknown for row in rows), LABEL_WIDTH)


def _size(report: StrataReport) -> str:
    total = sum(report.counts.values())
    parts = ", ".join(
        f"{count} of dimension {dimension}" for dimension, count in sorted(report.counts.items())
    )
    strata = f"{total} {'stratum' if total == 1 else 'strata'}" + (f" ({parts})" if parts else "")
    guards = f"{len(report.guards)} {'guard' if len(report.guards) == 1 else 'guards'}"
    return f"{strata}, {guards}"


def _rows(report: StrataReport, word: str) -> Iterator[Entry]:
    return _artificial(report) if word == "artificial" else _verdict(report, word)


def _headline(report: StrataReport) -> Iterator[Block]:
    """The sentence that people want."""
    wrong = [stratum for stratum in report.strata if stratum.verdict == "spurious"]
    if not wrong:
        if not report.gaps and all(stratum.verdict in ("exact", "clarke") for stratum in report.strata):
            text = "AD returns the gradient or a Clarke subgradient everywhere"
            yield Words((("  " + text, HEAD),))
        return
    exactly = "exactly " if not report.gaps else ""
    shown = list(report.spurious[:MOST_ROWS])
    more = len(report.spurious) - len(shown)
    places = "; ".join(_kind(text, report) for text in shown) + (f"; and {more} more" if more else "")
    sentence = f"AD is wrong {exactly}on {places}"
    said = {(_key(stratum.ad), _key(stratum.gradient)) for stratum in wrong}
    if len(said) == 1 and wrong[0].ad is not None:
        sentence += f"; there it returns {_vectors(report, wrong[0].ad)}"
        if wrong[0].gradient is not None:
            sentence += f", the gradient is {_vectors(report, wrong[0].gradient)}"
    yield Words((("  " + sentence, ERROR),))


def _kind(text: str, report: StrataReport) -> str:
    """`the line x = y` for "x == y", where the number of equations tells what it is."""
    if text == "everywhere":
        return "all inputs"
    parts = text.split(" and ")
    equations = [part for part in parts if "==" in part]
    space = report.strata[-1].dimension if report.strata else 0
    bent = any(_NOT_AFFINE.search(equation) for equation in equations)
    word = (_BENT if bent else _SETS).get(space - len(equations), "set")
    if len(equations) < len(parts):
        word = "part" if word == "point" else f"part of the {word}"
    return f"the {word} {text.replace('==', '=')}"


def _key(rows: Sequence[Row] | None) -> str:
    return repr(rows)


def _verdict(report: StrataReport, word: str) -> Iterator[Entry]:
    own = [stratum for stratum in report.strata if stratum.verdict == word]
    if not own:
        return
    if word == "exact":
        yield cell(word, verdict(word)), cell(f"on {_strata(len(own))}"), ()
        return
    groups: dict[tuple[str, ...], list[StratumReport]] = {}
    for stratum in sorted(own, key=lambda stratum: -stratum.dimension):
        hull = None if stratum.clarke is None else sorted(map(_key, stratum.clarke))
        key = (_key(stratum.ad), _key(stratum.gradient), repr(hull), stratum.reason)
        groups.setdefault(key, []).append(stratum)
    for place, members in enumerate(list(groups.values())[:MOST_ROWS]):
        label = word if place == 0 else ""
        yield cell(label, verdict(word)), cell(_where(members), LABEL), cell(_said(report, members[0]))
    if len(groups) > MOST_ROWS:
        rest = sum(len(members) for members in list(groups.values())[MOST_ROWS:])
        yield (), cell(f"... and {_strata(rest)} more (--json has them)", DIM), ()


def _strata(count: int) -> str:
    return f"{count} {'stratum' if count == 1 else 'strata'}"


def _where(members: Sequence[StratumReport]) -> str:
    first = merged(members)[0]
    text = first.text
    if len(text) > WHERE_WIDTH * 2:
        text = text[: WHERE_WIDTH * 2 - 3] + "..."
    rest = len(members) - first.count
    return f"{text} and {_strata(rest)} more" if rest else text


def _said(report: StrataReport, stratum: StratumReport) -> str:
    if stratum.verdict in ("unknown", "discontinuous", "undefined") and stratum.reason:
        return stratum.reason
    parts = [] if stratum.ad is None else [f"AD {_vectors(report, stratum.ad)}"]
    if stratum.gradient is not None:
        parts.append(f"gradient {_vectors(report, stratum.gradient)}")
    elif stratum.clarke is not None:
        shown = [_vectors(report, vector) for vector in stratum.clarke[:MOST_CLARKE]]
        shown += ["..."] if len(stratum.clarke) > MOST_CLARKE else []
        parts.append(f"Clarke: hull of {', '.join(shown)}")
    return ", ".join(parts)


def _vectors(report: StrataReport, rows: Sequence[Row]) -> str:
    """`(1, 0)`; a row for each output."""
    texts = [_vector(row) for row in rows]
    return texts[0] if report.scalar else "[" + "; ".join(texts) + "]"


def _vector(row: Row) -> str:
    entries = [nested_text(value) for value in row.values()]
    return entries[0] if len(entries) == 1 else f"({', '.join(entries)})"


def _artificial(report: StrataReport) -> Iterator[Entry]:
    ordered = sorted(report.artificial, key=lambda point: not point.stalls)
    for place, point in enumerate(ordered[:MOST_ROWS]):
        label = "artificial" if place == 0 else ""
        yield cell(label, verdict("artificial")), cell(point.where, LABEL), cell(_told(point))
    if len(ordered) > MOST_ROWS:
        yield (), cell(f"... and {len(ordered) - MOST_ROWS} more (--json has them)", DIM), ()


def _told(point: ArtificialPoint) -> str:
    if not point.stalls:
        return "0 is in the hull of D, and no Clarke subgradient"
    if point.start is None:
        return "AD returns 0, which is no Clarke subgradient"
    start = ", ".join(f"{name} = {nested_text(value)}" for name, value in point.start.items())
    return f"AD returns 0, which is no Clarke subgradient: from {start} a gradient step of {point.step} ends here"
