"""Examples, and the report on a rewrite -> lines: the gallery by kind, one story, and the check of its rewrite."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from cfcompiler.gallery import Example, Kind, address
from cfcompiler.report import PresetRow, Row
from cfcompiler.report.rewriting import RewriteReport, SameValues
from cfcompiler.targets.terminal import DIM, ERROR, GOOD, HEAD, LABEL, WARNING, Line, nested_text, row_text

WIDTH = 96
LABEL_WIDTH = 14
_COUNTED = "none one two three four five six seven eight nine ten eleven twelve".split()
_OUTCOME = {
    "exact": "the gradient",
    "clarke": "a Clarke subgradient",
    "inexact": "a Clarke subgradient that is not the gradient",
    "spurious": "which is no derivative of it",
    "undefined": "which is no number",
    "discontinuous": "across a jump",
    "unknown": "whether that is a subgradient is not decided",
}


def gallery_lines(groups: Sequence[tuple[Kind, Sequence[Example]]]) -> Iterator[Line]:
    """All examples under the kinds of phenomena."""
    width = max(len(example.name) for _, members in groups for example in members)
    for place, (kind, members) in enumerate(groups):
        if place:
            yield ()
        yield ((kind.title, HEAD),)
        for text in textwrap.wrap(kind.about, WIDTH):
            yield ((text, DIM),)
        for example in members:
            yield (("  " + example.name.ljust(width) + "  ", LABEL), (example.title, ""))


def near_lines(name: str, chosen: Sequence[Example]) -> Iterator[Line]:
    """Examples whose names begin so, where none is called so."""
    yield ((f"no example is called {name!r}; these begin so:", WARNING),)
    width = max(len(example.name) for example in chosen)
    for example in chosen:
        yield (("  " + example.name.ljust(width) + "  ", LABEL), (example.title, ""))


def taken_lines(name: str, example: Example) -> Iterator[Line]:
    """That a name was completed."""
    yield ((f"no example is called {name!r}; this is {example.name!r}", WARNING),)
    yield ()


def story_lines(example: Example) -> Iterator[Line]:
    """The program and its story."""
    yield ((example.name, HEAD), (f" - {example.title}", ""))
    yield ((example.kind.title, DIM),)
    yield ()
    digits = len(str(example.program()[-1][0]))
    for number, line in example.program():
        marked = number == example.line
        yield (
            ("> " if marked else "  ", ERROR if _wrong(example) else GOOD),
            (f"{number:{digits}} | ", DIM),
            (line, HEAD if marked else ""),
        )
    yield ()
    story = example.story
    for label, text in (
        ("who met it", story.met),
        ("returned", story.returned),
        ("true", story.true),
        ("instead", story.instead),
    ):
        yield from _block(label, text)
    for line in example.rewritten():
        yield ((" " * LABEL_WIDTH + "  " + line, GOOD),)
    for place, reference in enumerate(story.references):
        yield (("" if place else "read more").ljust(LABEL_WIDTH), LABEL), (address(reference), DIM)


def check_lines(report: RewriteReport) -> Iterator[Line]:
    """The check that the rewrite is right, part by part."""
    for place, (good, text) in enumerate(checked(report)):
        label = "" if place else "the check"
        style = GOOD if good else WARNING
        for number, line in enumerate(_wrapped(text)):
            head = label if number == 0 else ""
            yield ((head.ljust(LABEL_WIDTH), LABEL), (line, style))


def checked(report: RewriteReport) -> tuple[tuple[bool, str], ...]:
    """Each part of the check as a sentence, and whether it is settled in favour of the rewrite."""
    parts = [(report.same.answer == "proved", same_text(report.same))]
    if report.within:
        text = f"elsewhere they differ by less than {report.within}, at {_count(report.near, 'exact point')}"
        parts.append((True, text))
    parts += [point_text(report), strata_text(report)]
    return tuple(parts)


def same_text(same: SameValues) -> str:
    """How the two functions compare."""
    where = f" where {same.where}" if same.where else ""
    beside = f"; equal at {_count(same.points, 'exact point')}, too" if same.points else ""
    match same.answer, same.how:
        case "proved", "operations":
            return f"the same function{where}: the same operations, in a branch of their own{beside}"
        case "proved", "strata":
            return f"the same function{where}: equal on {_all(same.strata, 'stratum', 'strata')}, proved"
        case "proved", _:
            return (
                f"the same function{where}, proved by real algebra: no inputs tell them apart at which every step is "
                f"a real number{beside}"
            )
        case "refuted", _:
            values = " and ".join(same.values)
            return f"not the same function: at {row_text(same.witness or {})} they are {values}"
    return f"equal{where} at {_count(same.points, 'exact point')}, not proved for all inputs: {same.reason}"


def point_text(report: RewriteReport) -> tuple[bool, str]:
    """What the presets return on the rewrite at the point."""
    compared = report.compared
    where = f"at {row_text(compared.point)} "
    groups = _groups(compared.presets)
    good = all(row.verdict in ("exact", "clarke") for row in compared.presets)
    if len(groups) == 1:
        (vector, verdict), members = groups[0]
        said = f"{where}AD returns {vector} under all {len(members)} presets: "
        if verdict == "unknown" and report.least:
            return (
                True,
                said + "a subgradient, since no value is less than the one there (proved by real algebra)",
            )
        return good, said + _OUTCOME[verdict]
    each = [
        f"{vector} under {', '.join(row.name for row in members)} ({_OUTCOME[verdict]})"
        for (vector, verdict), members in groups
    ]
    return good, f"{where}AD returns " + "; ".join(each)


def strata_text(report: RewriteReport) -> tuple[bool, str]:
    """What is known of the rewrite on all of its strata."""
    strata = report.strata
    count = _all(len(strata.strata), "stratum", "strata")
    if not strata.complete:
        return True, f"for other inputs: {strata.unknown[0]}"
    if strata.spurious:
        return False, "AD is wrong on strata of the rewrite: " + "; ".join(strata.spurious)
    if any(stratum.verdict not in ("exact", "clarke") for stratum in strata.strata):
        return True, "no stratum of it is spurious"
    if strata.artificial:
        places = "; ".join(point.where for point in strata.artificial)
        return (
            True,
            f"AD is right on {count}; by other choices it could return 0 at {places}, where no slope is 0",
        )
    return True, f"AD is right on {count}"


def _groups(rows: Sequence[PresetRow]) -> list[tuple[tuple[str, str], list[PresetRow]]]:
    found: dict[tuple[str, str], list[PresetRow]] = {}
    for row in rows:
        found.setdefault((_vector(row.backward), row.verdict or "unknown"), []).append(row)
    return list(found.items())


def _vector(rows: Sequence[Row] | None) -> str:
    if rows is None:
        return "no answer"
    values = [value for row in rows for value in row.values()]
    if len(values) == 1:
        return nested_text(values[0])
    return "; ".join(row_text(row) for row in rows)


def _wrong(example: Example) -> bool:
    return example.verdict in ("spurious", "undefined", "inexact")


def _block(label: str, text: str) -> Iterable[Line]:
    for number, line in enumerate(_wrapped(text)):
        yield ((("" if number else label).ljust(LABEL_WIDTH), LABEL), (line, ""))


def _wrapped(text: str) -> list[str]:
    """The lines of a text beside its label; a short vector is not broken."""
    kept = re.sub(r"\[[^\[\]]{1,40}\]", lambda found: found[0].replace(" ", "\0"), text)
    return [
        line.replace("\0", " ") for line in textwrap.wrap(kept, WIDTH - LABEL_WIDTH, break_on_hyphens=False)
    ]


def _count(number: int, noun: str) -> str:
    return f"{_COUNTED[number] if number < len(_COUNTED) else number} {noun}" + ("" if number == 1 else "s")


def _all(number: int, one: str, many: str) -> str:
    return f"its one {one}" if number == 1 else f"all {number} {many}"
