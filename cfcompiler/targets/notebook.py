"""Programs and reports -> what a notebook shows of them: small HTML with its styles in place, and LaTeX.

Every word that comes from a user (names, sources, ties, paths) is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from html import escape
from typing import Any

from cfcompiler.ir import Program
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import TooLarge, is_special
from cfcompiler.report import CheckReport, ComparisonReport, Nested, PointReport, Row, StrataReport
from cfcompiler.shapes import text_of
from cfcompiler.targets import comparison_text, strata_text
from cfcompiler.targets.latex import equations
from cfcompiler.targets.latex import word as latex_word
from cfcompiler.targets.marks import ARTIFICIAL, MARKS, Mark
from cfcompiler.targets.tables import Block, plain
from cfcompiler.targets.terminal import nested_text, row_text
from cfcompiler.targets.vectors import hull_text, one_number, vector_text

MOST_LINES = 60  # of a source
MOST_EQUATIONS = 120  # instructions of a program that is written as formulas
MOST_ROWS = 8  # ties, vectors of a set
LONGEST = 200  # characters of an exact number in LaTeX
_SPECIAL = {"nan": r"\mathrm{NaN}", "inf": r"\infty", "-inf": r"-\infty"}
_TABLE = "border-collapse:collapse;margin:0.3em 0"
_LABEL = "text-align:left;vertical-align:top;padding:0.1em 1em 0.1em 0;font-weight:normal;opacity:0.7"
_CELL = "text-align:left;vertical-align:top;padding:0.1em 0;font-family:monospace;white-space:pre-wrap"
_PRE = "font-family:monospace;margin:0.3em 0;line-height:1.35;overflow-x:auto"


def html(report: object) -> str:
    """A report as HTML."""
    match report:
        case PointReport():
            return _point(report)
        case StrataReport():
            return _screen(strata_text.strata_blocks(report))
        case ComparisonReport():
            return _screen(comparison_text.comparison_blocks(report, comparison_text.WIDTH))
        case CheckReport():
            return _check(report)
    raise TypeError(type(report).__name__)


def latex(report: object) -> str | None:
    """A report as LaTeX; None where it has no formulas."""
    return _point_latex(report) if isinstance(report, PointReport) else None


# programs


def program_html(program: Program, guards: Sequence[Mapping[str, Any]]) -> str:
    """The signature, the source, and what has a kink."""
    inputs = ", ".join(f"{param.value.name}: {text_of(param.value.shape)}" for param in program.params)
    head = f"<b>{escape(program.name)}</b>({escape(inputs)}), ties {escape(program.preset)}"
    lines = program.source.text.strip("\n").split("\n")
    more = [f"... {len(lines) - MOST_LINES} lines more"] if len(lines) > MOST_LINES else []
    source = escape("\n".join(lines[:MOST_LINES] + more))
    kinks = [
        f"line {guard['line']}, column {guard['column']}: {guard['op']} at {guard['expr']} = 0"
        for guard in guards
    ]
    rest = [f"... {len(kinks) - MOST_ROWS} more"] if len(kinks) > MOST_ROWS else []
    table = _table([("guards", "\n".join(kinks[:MOST_ROWS] + rest) or "none: it is smooth")])
    return f'<div>{head}<pre style="{_PRE}">{source}</pre>{table}</div>'


def program_latex(program: Program) -> str | None:
    """The program as formulas; None where it is long."""
    if len(program.instructions) > MOST_EQUATIONS:
        return None
    return _aligned(equations(program))


# one point


def _point(report: PointReport) -> str:
    where = row_text(report.point) or "its only point"
    head = f"<b>{escape(report.program)}</b> at {escape(where)}, ties {escape(report.ties)}"
    return f"<div>{head}{_table(_point_rows(report), {'verdict': _verdict(report)})}</div>"


def _point_rows(report: PointReport) -> Iterator[tuple[str, str]]:
    judged = report.judged
    yield "value", nested_text(report.value)
    if report.forward == report.backward:
        yield "AD", vector_text(report, report.backward)
    else:
        yield "forward AD", vector_text(report, report.forward)
        yield "backward AD", vector_text(report, report.backward)
    if judged.gradient is not None:
        yield "gradient", vector_text(report, judged.gradient)
    elif judged.clarke_complete and judged.clarke:
        yield "Clarke", _hull(report, judged.clarke)
    if report.ties_here:
        ties = [
            f"line {tie.line}, column {tie.column}: {tie.op} at {tie.guard} = 0" for tie in report.ties_here
        ]
        yield "tied here", _listed(ties)
    if report.complete and report.vertices and report.segments is None:
        vectors = [vector_text(report, vertex) for vertex in report.vertices]
        yield "field D", ", ".join(vectors) if one_number(report) else _listed(vectors)
    yield "verdict", ""
    if judged.artificial_critical:
        yield "critical", f"{ARTIFICIAL.symbol} an artificial critical point"


def _hull(report: PointReport, vertices: Sequence[Sequence[Row]]) -> str:
    if one_number(report):
        return hull_text(report, vertices)
    return "the hull of\n" + _listed([vector_text(report, vertex) for vertex in vertices])


def _listed(texts: Sequence[str]) -> str:
    rest = [f"... {len(texts) - MOST_ROWS} more"] if len(texts) > MOST_ROWS else []
    return "\n".join([*texts[:MOST_ROWS], *rest])


def _verdict(report: PointReport) -> str:
    judged = report.judged
    reason = f" {escape(judged.reason)}" if judged.reason else ""
    return _badge(MARKS[judged.verdict]) + reason


def _badge(mark: Mark) -> str:
    style = f"background:{mark.light};color:#fff;padding:0 0.45em;border-radius:3px;font-weight:bold"
    return f'<span style="{style}">{mark.symbol} {escape(mark.verdict)}</span>'


def _table(rows: Iterable[tuple[str, str]], ready: Mapping[str, str] | None = None) -> str:
    """Rows of a label and a text; `ready` has HTML for some labels."""
    made = dict(ready or {})
    body = "".join(
        f'<tr><th style="{_LABEL}">{escape(label)}</th><td style="{_CELL}">{made.get(label) or escape(text)}</td></tr>'
        for label, text in rows
    )
    return f'<table style="{_TABLE}"><tbody>{body}</tbody></table>'


def _point_latex(report: PointReport) -> str | None:
    judged = report.judged
    where = ", ".join(f"{word(name)} = {_entry(value)}" for name, value in report.point.items())
    at = rf"\big|_{{{where}}}" if where else ""
    rows = [rf"{word(report.program)}{at} &= {_entry(report.value)}"]
    modes = {"AD": report.backward}
    if report.forward != report.backward:
        modes = {"forward AD": report.forward, "backward AD": report.backward}
    rows += [rf"\text{{{name}}} &= {_jacobian(report, rows_of)}" for name, rows_of in modes.items()]
    if judged.gradient is not None:
        rows.append(rf"\nabla {word(report.program)} &= {_jacobian(report, judged.gradient)}")
    elif judged.clarke_complete and 0 < len(judged.clarke) <= MOST_ROWS:
        members = ",\\; ".join(_jacobian(report, vertex) for vertex in judged.clarke)
        rows.append(
            rf"\partial^c {word(report.program)} &= \operatorname{{conv}} \left\{{ {members} \right\}}"
        )
    rows.append(rf"\text{{verdict}} &= \text{{{judged.verdict}}}")
    found = _aligned(rows)
    return found if len(found) < 4000 else None


def _aligned(rows: Iterable[str]) -> str:
    body = " \\\\\n".join(rows)
    return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"


def _jacobian(report: PointReport, rows: Sequence[Row]) -> str:
    """A number, or a matrix with a row for each output entry."""
    entries = [[leaf for value in row.values() for leaf in _leaves(value)] for row in rows]
    if one_number(report):
        return _number(entries[0][0])
    body = r" \\ ".join(" & ".join(map(_number, row)) for row in entries)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def word(name: str) -> str:
    """A name as a symbol; what is no identifier loses what LaTeX would read as a command."""
    return latex_word(name) if name.isidentifier() else rf"\mathtt{{{re.sub(r'[^A-Za-z0-9]', '?', name)}}}"


def _leaves(value: Nested) -> list[str]:
    return [value] if isinstance(value, str) else [leaf for part in value for leaf in _leaves(part)]


def _entry(value: Nested) -> str:
    if isinstance(value, str):
        return _number(value)
    return rf"\left({', '.join(_entry(part) for part in value)}\right)"


def _number(text: str) -> str:
    """An exact number: a fraction, or what SymPy makes of it."""
    try:
        exact = parse_number(text)
    except (ValueError, TooLarge):
        return word(text)
    if is_special(exact):
        return _SPECIAL[exact]
    if len(text) > LONGEST:
        return r"\ldots"
    if isinstance(exact, Fraction):
        sign = "-" if exact < 0 else ""
        top, bottom = abs(exact.numerator), exact.denominator
        return f"{sign}{top}" if bottom == 1 else rf"{sign}\frac{{{top}}}{{{bottom}}}"
    import sympy

    return str(sympy.latex(sympy.sympify(text)))


# others


def _screen(blocks: Iterable[Block]) -> str:
    """What a terminal shows, with the words of verdicts in their colours."""
    text = escape(plain(blocks).rstrip("\n"))
    for mark in MARKS.values():
        text = _coloured(text, mark)
    return f'<pre style="{_PRE}">{text}</pre>'


def _coloured(text: str, mark: Mark) -> str:
    """The text with the word of a verdict as a badge where a line of a table begins with it."""
    lines = []
    for line in text.split("\n"):
        if line.startswith(f"  {mark.verdict} "):
            rest = line[2 + len(mark.verdict) :]
            line = f'  <b style="color:{mark.light}">{mark.verdict}</b>{rest}'
        lines.append(line)
    return "\n".join(lines)


def _check(report: CheckReport) -> str:
    head = f"<b>{escape(report.program)}</b>, ties {escape(report.ties)}"
    rows = [(finding.code, finding.message) for finding in report.findings]
    return f"<div>{head}{_table(rows or [('', 'no findings')])}</div>"
