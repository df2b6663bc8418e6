"""Presets -> a page for each framework: what it returns at each tie, what is true there, and the preset itself."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import cfcompiler
from cfcompiler.analyses.tie_table import TIES, tie_table
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import to_float
from cfcompiler.report import ComparisonReport, Nested, PresetRow, Row
from cfcompiler.targets.marks import MARKS
from cfcompiler.ties import load_preset, preset_names
from generate.markdown import block, code, plain, table

INDEX = "frameworks/index.md"


@cache
def pages() -> dict[str, str]:
    """The path of each page with its text."""
    return {INDEX: _index(), **{f"frameworks/{name}.md": _page(name) for name in preset_names()}}


def versions(folder: str = "../frameworks/") -> str:
    """Every preset with what it was measured on; `folder`: where their pages are."""
    rows = []
    for name in preset_names():
        rules = load_preset(name)
        rows.append((f"[{name}]({folder}{name}.md)", rules.framework, rules.version, plain(_measured(name))))
    return table(("preset", "framework", "version", "measured on"), rows)


def _index() -> str:
    rules = tie_table()
    head = ("operation", "at", *[f"[{name}]({name}.md)" for name in rules.presets])
    rows = []
    for row in rules.rows:
        cells = [
            " ".join(reverse) + ("" if forward == reverse else f"<br>f: {' '.join(forward)}")
            for forward, reverse in row.returned
        ]
        rows.append((code(row.expression), code(row.tie), *cells))
    return (
        "---\nhide: [toc]\n---\n\n# What your framework does at a tie\n\n"
        "At a tie the pieces of an operation meet and each framework has its own answer. These are the rows of "
        "`cfc ties`: each is a small program, compiled under the preset and differentiated at its tie, so the table "
        "shows what you will get. A preset reproduces one version of a framework; `cfc ... --ties NAME` chooses it, "
        '`ties = "NAME"` in a file too.\n\n'
        + versions("")
        + "\n## All of them\n\nThe derivatives by the inputs, in the order in which the tie names them, backward; "
        'after f: forward, where it differs.\n\n<div class="wide" markdown>\n\n'
        + table(head, rows)
        + "\n</div>\n"
    )


def _page(name: str) -> str:
    rules = load_preset(name)
    rows = []
    for place, (_, expression, tie) in enumerate(TIES):
        report, (forward, reverse) = _compared(place), _returned(place, name)
        own = next(row for row in report.presets if row.name == name)
        shown = " ".join(reverse) + ("" if forward == reverse else f"<br>forward: {' '.join(forward)}")
        rows.append((code(expression), code(tie), shown, _truth(report, own), _verdict(own)))
    return (
        f"# {name}\n\n**{rules.framework} {rules.version}**, measured on {_measured(name)}. {_about(name)}\n\n"
        f"## At each tie\n\n{table(('operation', 'at', 'AD returns', 'true', 'verdict'), rows)}\n"
        "*True* is the gradient where there is one, and elsewhere the limits of gradients nearby, whose convex hull is "
        "the Clarke subdifferential; a dash means that there is none of either (the slope is infinite, the function "
        "jumps, or the point is at the end of the domain). The verdict is about the backward mode.\n\n"
        f"{_where(name)}{_definitions(name)}## The preset {{ data-search-exclude }}\n\nThe file itself, [{name}.toml], with its reasons:\n\n{block(_text(name), 'toml')}\n"
    ).replace(f"[{name}.toml]", code(f"cfcompiler/presets/{name}.toml"))


def _where(name: str) -> str:
    rule = load_preset(name).where
    if rule.strong:
        said = "gives the arm not taken nothing at all, as if the choice were lazy: no NaN comes out of it."
    elif rule.gate == "select":
        said = "sends a plain 0 backward into the arm not taken, where 0 may meet an infinite slope and make NaN; forward it drops that arm."
    else:
        said = (
            "multiplies what the arm not taken sends by 0, in both modes: an infinite slope there makes NaN."
        )
    return f"## `where`\n\n`where(c, a, b)` {said} [NaN and arms not taken](../theory/nan.md) has the whole story.\n\n"


def _definitions(name: str) -> str:
    defines = load_preset(name).defines
    if not defines:
        return ""
    rows = [
        (code(operation), "<br>".join(code(line) for line in text.strip().splitlines()))
        for operation, text in sorted(defines.items())
    ]
    return (
        "## Operations composed of others\n\nThe framework computes these by other operations, so their ties are those of the text.\n\n"
        + table(("operation", "composed as"), rows)
        + "\n"
    )


# what is true


@cache
def _compared(place: int) -> ComparisonReport:
    """One row of the table under every preset, beside the truth."""
    _, expression, tie = TIES[place]
    values = dict(word.split("=") for word in tie.split())
    program = cfcompiler.compile(f"def f({', '.join(values)}):\n    return {expression}\n")
    return program.compare(**values)


@cache
def _rows() -> dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]:
    found = tie_table()
    return {
        name: tuple(row.returned[place] for row in found.rows) for place, name in enumerate(found.presets)
    }


def _returned(place: int, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return _rows()[name][place]


def _truth(report: ComparisonReport, own: PresetRow) -> str:
    truth = own.other or report.truth
    if truth.gradient is not None:
        return _vector(truth.gradient[0])
    return "<br>".join(_vector(rows[0]) for rows in truth.bouligand) or "—"


def _vector(row: Row) -> str:
    return " ".join(_short(value) for value in row.values())


def _short(value: Nested) -> str:
    assert isinstance(value, str), "the inputs of the table are scalars"
    return value if len(value) <= 12 else f"{to_float(parse_number(value)):.4g}"


def _verdict(row: PresetRow) -> str:
    word = row.verdict or "unknown"
    return f'<span class="verdict {word}">{MARKS[word].symbol} {word}</span>'


# the file


def _text(name: str) -> str:
    return (resources.files("cfcompiler") / "presets" / f"{name}.toml").read_text(encoding="utf-8")


def _measured(name: str) -> str:
    return str(tomllib.loads(_text(name)).get("measured", "nothing of its own"))


def _about(name: str) -> str:
    """The comment at the top of the preset, as a sentence."""
    lines = []
    for line in _text(name).splitlines():
        if not line.startswith("# "):
            break
        lines.append(line.removeprefix("# "))
    said = " ".join(lines).partition(": ")[2]
    return said[:1].upper() + said[1:]
