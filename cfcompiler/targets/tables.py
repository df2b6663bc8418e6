"""What a report's screen is made of, and the same as plain text.

A screen is a sequence of blocks: a `Line` that is printed as it is, `Words` that may be broken at spaces, a `Quote` of
the source with a caret, a `Table` of these. Each text target makes blocks; `plain` writes them for a pipe, and
`painting.paint` for a terminal, so that both say the same words. A part of a line is (text, style); the style of a
verdict is `verdict(word)`, which a terminal paints with the mark of the word.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TextIO, TypeAlias

from cfcompiler.diagnostics import window
from cfcompiler.source import Source, Span

Line: TypeAlias = tuple[tuple[str, str], ...]

HEAD, LABEL, DIM, WARNING, ERROR = "bold", "cyan", "dim", "yellow", "bold red"
VERDICT = "verdict:"
# Plain text is cut or broken after this many columns, unless a block says otherwise.
WIDTH = 100
# Brackets with at most this many characters in them are not broken: `[0, 1]`.
UNBROKEN = re.compile(r"\[[^\[\]]{1,40}\]")
# A place further to the right is shown without the beginning of its line.
FURTHEST = 60


@dataclass(frozen=True, slots=True)
class Words:
    """Text that a terminal breaks at spaces; its later lines begin with `hang`.

    As plain text it is "whole" on one line, "cut" after `width` columns (a formula, which may be long), or broken there
    as on a terminal ("wrap").
    """

    parts: Line
    fit: Literal["whole", "cut", "wrap"] = "whole"
    width: int = WIDTH
    hang: str = "  "

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.parts)


@dataclass(frozen=True, slots=True)
class Quote:
    """A line of the source, and carets under the columns from `start` up to but not including `end` (from 0).

    `gutter` stands before the line, `blank` before what is under it; `notes` stand right of the caret. `shown`: whether
    the line itself is shown, and not only what is under it. `plain`: its plain text.
    """

    gutter: str
    blank: str
    line: str
    start: int
    end: int
    style: str
    plain: tuple[str, ...]
    notes: tuple[str, ...] = ()
    shown: bool = True


# What a cell holds, from top to bottom.
Cell: TypeAlias = tuple[Words | Quote, ...]
Entry: TypeAlias = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, what stands under the head, and how narrow it may become on a terminal (`least`).

    As plain text it has `width` columns or more (0: as its widest cell), and then `gap` spaces.
    """

    head: str = ""
    under: str = ""
    width: int = 0
    gap: int = 2
    least: int = 1000


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells.

    `heads`: whether plain text shows the heads. `stacks`: which columns are put one below the other on a narrow
    terminal. `repeated`: that many columns on the left belong to each part, where the table is cut into several.
    `below`: in plain text of more than `width` columns the cells of this column stand below their row.
    """

    columns: tuple[Column, ...]
    rows: tuple[Entry, ...]
    indent: str = "  "
    heads: bool = False
    stacks: tuple[tuple[int, ...], ...] = ()
    repeated: int = 0
    below: int | None = None
    width: int = WIDTH


Block: TypeAlias = Line | Words | Quote | Table


def verdict(word: str) -> str:
    """The style of a verdict, or of what stands for one."""
    return VERDICT + word


def cell(text: str, style: str = "") -> Cell:
    """One piece of text that is whole in plain text; nothing for no text."""
    return (Words(((text, style),)),) if text else ()


def entry(label: str, pieces: Iterable[str | Words | Quote], style: str = LABEL) -> Iterator[Entry]:
    """A row of a label and its pieces; none where there are none. A text is cut where it is long."""
    cells = tuple(
        Words(((piece, ""),), "cut", hang="") if isinstance(piece, str) else piece for piece in pieces
    )
    if cells:
        yield cell(label, style), cells


def labelled(rows: Iterable[Entry], width: int) -> Table:
    """Rows of `entry`, the labels in `width` columns."""
    return Table((Column(width=width, gap=0), Column(least=20)), tuple(rows))


def write(blocks: Iterable[Block], stream: TextIO) -> None:
    """Paint them on a terminal, and write plain text elsewhere."""
    if stream.isatty():
        from cfcompiler.targets.painting import paint  # which imports Rich

        paint(blocks, stream)
    else:
        stream.write(plain(blocks))


# plain text


def plain(blocks: Iterable[Block]) -> str:
    """The blocks as plain text, the same wherever it is written."""
    return "".join(line.rstrip() + "\n" for block in blocks for line in _lines(block))


def _lines(block: Block) -> Iterable[str]:
    match block:
        case Words() | Quote():
            return _piece(block)
        case Table():
            return _table(block)
        case _:
            return ("".join(text for text, _ in block),)


def _piece(piece: Words | Quote) -> Sequence[str]:
    if isinstance(piece, Quote):
        return piece.plain
    match piece.fit:
        case "whole":
            return (piece.text,)
        case "cut":
            return (cut(piece.text, piece.width),)
        case "wrap":
            return broken(piece.text, piece.width, piece.hang)


def cut(text: str, width: int = WIDTH) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def broken(text: str, width: int, hang: str) -> list[str]:
    """Lines of at most `width` columns where the words allow it; `[0, 1]` is not broken."""
    kept = UNBROKEN.sub(lambda found: found[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(
        kept, max(width, 20), subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\0", " ") for line in lines]


def _table(table: Table) -> Iterator[str]:
    cells = [[[line for piece in own for line in _piece(piece)] for own in row] for row in table.rows]
    widths = [
        column.width or max(len(column.head), *(len(line) for row in cells for line in row[place]), 0)
        for place, column in enumerate(table.columns)
    ]
    heads = [
        [column.head, column.under[:width]] if column.under or table.repeated else [column.head]
        for column, width in zip(table.columns, widths, strict=True)
    ]
    room = len(table.indent) + sum(widths) + sum(column.gap for column in table.columns[:-1])
    below = table.below if table.below is not None and room > table.width else None
    for row in [heads, *cells] if table.heads else cells:
        aside = [own if place != below else [] for place, own in enumerate(row)]
        for number in range(max(len(own) for own in aside)):
            yield table.indent + "".join(
                (own[number] if number < len(own) else "").ljust(width) + " " * column.gap
                for place, (own, width, column) in enumerate(zip(aside, widths, table.columns, strict=True))
                if place != below
            )
        if below is not None and row is not heads:
            for answer in row[below]:
                yield from (f"      {line}" for line in broken(answer, table.width - 6, ""))


def quoted(number: str, line: str, start: int, notes: Sequence[str], *, shown: bool) -> Quote:
    """Line `number` and a caret at `start`, with notes, in plain text on as few lines as hold them."""
    gutter, blank = f"{number} | ", f"{' ' * len(number)} | "
    room, text, offset = WIDTH - len(gutter), line, start
    if start > FURTHEST:
        text, offset = "..." + line[start - 10 :], 13
    lines = [gutter + cut(text, room)] if shown or start > FURTHEST else []
    left = room - offset - 2
    for place, own in enumerate(joined(notes, left)):
        lines.append(f"{blank}{' ' * offset}{'  ' if place else '^ '}{cut(own, left)}")
    return Quote(gutter, blank, line, start, start + 1, ERROR, tuple(lines), tuple(notes), shown)


def source_quote(source: Source, span: Span, style: str) -> Quote:
    """The line of a place, four columns in, with carets under all of it."""
    whole = source.line(span.line)
    line, caret = window(whole, span)
    end = span.end_column if span.end_line == span.line else len(whole) + 1
    start = span.column - 1
    return Quote(
        "    ",
        "    ",
        whole,
        start,
        max(start + 1, end - 1),
        style,
        (f"    {line}", f"    {caret}"),
        (),
        True,
    )


def joined(parts: Sequence[str], room: int) -> list[str]:
    """Parts of a sentence on as few lines as hold them."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 1 + len(part) <= room:
            lines[-1] += " " + part
        else:
            lines.append(part)
    return lines
