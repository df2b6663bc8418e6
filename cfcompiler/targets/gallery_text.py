"""Examples, and the report on a rewrite -> screens: the gallery by kind, one story, and the check of its rewrite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cfcompiler.gallery import Example, Kind, address
from cfcompiler.report import PresetRow, Row
from cfcompiler.report.rewriting import RewriteReport, SameValues
from cfcompiler.targets.tables import (
    DIM,
    ERROR,
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
)
from cfcompiler.targets.terminal import nested_text, row_text

LABEL_WIDTH = 13
WIDTH = 82  # of a text beside its label
GOOD = "green"
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


def gallery_blocks(groups: Sequence[tuple[Kind, Sequence[Example]]]) -> Iterator[Block]:
    """All examples under the kinds of phenomena."""
    width = max(len(example.name) for _, members in groups for example in members)
    for place, (kind, members) in enumerate(groups):
        if place:
            yield ()
        yield ((kind.title, HEAD),)
        yield Words(((kind.about, DIM),), "wrap", hang="")
        yield _titles(members, width)


def near_blocks(name: str, chosen: Sequence[Example]) -> Iterator[Block]:
    """Examples whose names begin so, where none is called so."""
    yield Words(((f"no example is called {name!r}; these begin so:", WARNING),))
    yield _titles(chosen, max(len(example.name) for example in chosen))


def taken_blocks(name: str, example: Example) -> Iterator[Block]:
    """That a name was completed."""
    yield Words(((f"no example is called {name!r}; this is {example.name!r}", WARNING),))
    yield ()


def story_blocks(example: Example, report: RewriteReport | None) -> Iterator[Block]:
    """The program, its story, and the check of its rewrite where it has one."""
    yield Words(((example.name, HEAD), (f" - {example.title}", "")))
    yield ((example.kind.title, DIM),)
    yield ()
    yield from _program(example)
    yield ()
    story = example.story
    rows: list[Entry] = []
    for label, text in (("who met it", story.met), ("returned", story.returned), ("true", story.true)):
        rows += entry(label, [_text(text)])
    code = [Words(((f"  {line}", GOOD),), hang="      ") for line in example.rewritten()]
    rows += entry("instead", [_text(story.instead), *code])
    rows += entry("read more", [Words(((address(reference), DIM),)) for reference in story.references])
    if report is not None:
        parts = [_text(text, GOOD if good else WARNING) for good, text in checked(report)]
        rows += entry("the check", parts)
    yield labelled(rows, LABEL_WIDTH)


def _titles(examples: Sequence[Example], width: int) -> Block:
    rows = tuple((cell(example.name, LABEL), cell(example.title)) for example in examples)
    return Table((Column(width=width), Column(least=20)), rows)


def _program(example: Example) -> Iterator[Block]:
    lines = example.program()
    digits = len(str(lines[-1][0]))
    wrong = ERROR if example.verdict in ("spurious", "undefined", "inexact") else GOOD
    for number, line in lines:
        marked = number == example.line
        parts = (
            ("> " if marked else "  ", wrong),
            (f"{number:{digits}} | ", DIM),
            (line, HEAD if marked else ""),
        )
        yield Words(parts, hang=" " * (digits + 9))


def _text(text: str, style: str = "") -> Words:
    return Words(((text, style),), "wrap", WIDTH, hang="")


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


def _count(number: int, noun: str) -> str:
    return f"{_COUNTED[number] if number < len(_COUNTED) else number} {noun}" + ("" if number == 1 else "s")


def _all(number: int, one: str, many: str) -> str:
    return f"its one {one}" if number == 1 else f"all {number} {many}"
