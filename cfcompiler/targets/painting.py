"""Blocks -> a terminal of any width from 40 columns: Rich tables, in colour, verdicts with their marks.

No line is longer than the terminal is wide, and a caret stands under its code however narrow it is. Columns become
narrower where their words can be broken; where that is not enough, columns are put one below the other, or the table is
cut into several. Where the encoding of the terminal lacks a character, another stands for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TextIO

from rich.box import SIMPLE, Box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.style import Style
from rich.table import Table as RichTable
from rich.text import Text

from cfcompiler.diagnostics import window
from cfcompiler.source import Span
from cfcompiler.targets.marks import ARTIFICIAL, MARKS
from cfcompiler.targets.tables import DIM, UNBROKEN, VERDICT, Block, Cell, Quote, Table, Words

NARROWEST = 40  # a terminal with fewer columns is treated as one that has these
WIDEST = 120  # sentences are not longer, that eyes find the next line
# Of a formula, this many lines are shown.
LINES = 6
MORE = "... (--json has it whole)"
# Beside a caret is room for its notes where there are that many columns; else they stand below it.
BESIDE = 24
_GAP = 2
_DASHED = Box("    \n    \n -- \n    \n    \n -- \n    \n    \n", ascii=True)
_MARKS = {**MARKS, "artificial": ARTIFICIAL}
_HELD = "\ue000"  # stands for a space that is not broken at


def paint(blocks: Iterable[Block], stream: TextIO) -> None:
    """Write to a terminal; Rich honours NO_COLOR."""
    console = Console(file=stream, highlight=False, width=max(NARROWEST, columns(stream)))
    for block in blocks:
        for shown in painted(block, console):
            console.print(shown, soft_wrap=isinstance(block, tuple))


def columns(stream: TextIO) -> int:
    """How wide the terminal is; COLUMNS says otherwise, and 80 where nobody knows."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def painted(block: Block, console: Console) -> Iterator[Text | Padding]:
    """What Rich prints for a block."""
    match block:
        case Table():
            for table in _arranged(block, console):
                yield _table(table, console)
        case Words() | Quote():
            yield from _piece(block, min(console.width, WIDEST), console)
        case _:
            yield _assembled(block, console)


# words


def _assembled(parts: Iterable[tuple[str, str]], console: Console) -> Text:
    """Styled text; verdicts get their symbols, and what cannot be written is escaped."""
    text = Text()
    for own, style in parts:
        if style.startswith(VERDICT):
            mark = _MARKS[style.removeprefix(VERDICT)]
            symbol = mark.symbol if _written(mark.symbol, console) == mark.symbol else mark.ascii
            text.append(f"{symbol} {_written(own, console)}", mark.style)
        else:
            text.append(_written(own, console).replace("\t", " "), style)
    return text


def _written(text: str, console: Console) -> str:
    try:
        return text.encode(console.encoding, "backslashreplace").decode(console.encoding)
    except UnicodeEncodeError:  # half of a pair of surrogates
        return text.encode("ascii", "backslashreplace").decode()


def _piece(piece: Words | Quote, room: int, console: Console) -> list[Text]:
    """Lines of at most `room` columns."""
    if isinstance(piece, Quote):
        return _quote(piece, room, console)
    whole = _assembled(piece.parts, console)
    indent = len(whole.plain) - len(whole.plain.lstrip())
    lines = _broken(whole[indent:] if indent else whole, room - indent, piece.hang, console)
    if piece.fit == "cut" and len(lines) > LINES:
        lines = [*lines[: LINES - 1], Text(MORE, DIM)]
    return [_after(" " * indent, line) for line in lines]


def _broken(text: Text, room: int, hang: str, console: Console) -> list[Text]:
    """Broken at spaces; a word that is too long anywhere."""
    held = UNBROKEN.sub(lambda found: found[0].replace(" ", _HELD), text.plain)
    if cell_len(held) <= room:
        return [text]
    text = text.copy()
    text.plain = held
    lines = list(text.wrap(console, room - len(hang), overflow="fold"))
    for line in lines:
        line.plain = line.plain.replace(_HELD, " ")
        line.rstrip()
    return [lines[0], *(_after(hang, line) for line in lines[1:])]


def _after(lead: str, text: Text) -> Text:
    return Text.assemble(lead, text) if lead else text


# a quote


def _quote(quote: Quote, room: int, console: Console) -> list[Text]:
    """The part of the line that has room, the caret under its place, the notes beside or below it."""
    line = quote.line.replace("\t", " ")
    room -= cell_len(quote.gutter)
    text, before, carets = _window(line, quote.start, quote.end, room)
    lines = []
    if quote.shown or cell_len(line) > room:
        lines.append(_assembled([(quote.gutter, DIM), (text, "")], console))
    notes = Text(_written(" ".join(quote.notes), console))
    left = room - before - carets - 1
    beside = left >= min(BESIDE, cell_len(notes.plain))
    under = [*_broken(notes, left, "", console)] if beside and notes else []
    lead = " " * (before + carets + 1)
    for number, own in enumerate(under or [Text()]):
        first = [(" " * before, ""), ("^" * carets + " ", quote.style)] if number == 0 else [(lead, "")]
        lines.append(Text.assemble((quote.blank, DIM), *first, own))
    if notes and not under:
        indent = " " * min(before, max(0, room - 2 * BESIDE))
        for own in _broken(notes, room - len(indent), "", console):
            lines.append(Text.assemble((quote.blank, DIM), indent, own))
    for own in lines:
        own.rstrip()
    return lines


def _window(line: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """The part of a line that `room` columns hold; the columns before its caret, and of the caret."""
    size = room
    while True:
        span = Span(1, start + 1, 1, end + 1)
        text, caret = window(line, span, size if len(line) <= size else size - 6)
        if cell_len(text) <= room or size <= 8:
            break
        size -= 1
    lead = len(caret) - len(caret.lstrip())
    before = cell_len(text[:lead])
    return text, before, max(1, min(cell_len(text[lead : len(caret)]), room - before))


# a table


def _arranged(table: Table, console: Console) -> Iterator[Table]:
    """The table, as it fits: as it is, cut into several, or with columns below each other."""
    room = console.width - len(table.indent)
    if _fits(table, room, console):
        yield table
        return
    if table.stacks and (table.repeated == 0 or room < 80):
        table = _stacked(table)
    if not table.repeated or _fits(table, room, console):
        yield table
        return
    own = list(range(table.repeated))
    group = own[:]
    for place in range(table.repeated, len(table.columns)):
        if len(group) > len(own) and not _fits(_part(table, [*group, place]), room, console):
            yield _part(table, group)
            group = own[:]
        group.append(place)
    yield _part(table, group)


def _part(table: Table, places: Sequence[int]) -> Table:
    rows = tuple(tuple(row[place] for place in places) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in places), rows=rows)


def _stacked(table: Table) -> Table:
    """Each stack of columns as one; a stack of one is a column as before."""
    stacks = table.stacks
    rest = range(sum(len(stack) for stack in stacks), len(table.columns))
    stacks = (*stacks, *((place,) for place in rest))
    merged = []
    for stack in stacks:
        own = [table.columns[place] for place in stack]
        heads = [text for column in own for text in (column.head, column.under) if text]
        least = min(max(column.least for column in own), 16 if len(own) > 1 else 1000)
        merged.append(
            replace(own[0], head=heads[0] if heads else "", under="\n".join(heads[1:]), least=least)
        )
    rows = tuple(
        tuple(tuple(piece for place in stack for piece in row[place]) for stack in stacks)
        for row in table.rows
    )
    return replace(table, columns=tuple(merged), rows=rows, stacks=(), repeated=1 if table.repeated else 0)


def _widths(table: Table, console: Console) -> tuple[list[int], list[int]]:
    """How wide each column would be, and how narrow it may become."""
    natural = [
        max(
            [cell_len(column.head), *(cell_len(part) for part in column.under.split("\n"))]
            + [_natural(piece, console) for row in table.rows for piece in row[place]]
        )
        for place, column in enumerate(table.columns)
    ]
    return natural, [min(own, column.least) for own, column in zip(natural, table.columns, strict=True)]


def _natural(piece: Words | Quote, console: Console) -> int:
    if isinstance(piece, Quote):
        notes = cell_len(" ".join(piece.notes))
        return min(WIDEST, cell_len(piece.gutter) + max(cell_len(piece.line), piece.end + 1 + notes))
    return min(WIDEST, _assembled(piece.parts, console).cell_len)


def _fits(table: Table, room: int, console: Console) -> bool:
    return sum(_widths(table, console)[1]) + _GAP * (len(table.columns) - 1) <= room


def _shares(natural: list[int], least: list[int], room: int) -> list[int]:
    """Widths that sum up to `room` at most: what is left above the least goes to those that want more, evenly."""
    widths = list(least)
    left = room - sum(least)
    while left > 0 and (wanting := [place for place, own in enumerate(widths) if own < natural[place]]):
        for place in wanting[: max(1, left)]:
            more = min(max(1, left // len(wanting)), natural[place] - widths[place])
            widths[place] += more
            left -= more
    while left < 0 and max(widths) > 1:  # narrower than the columns may be: the widest gives
        widths[widths.index(max(widths))] -= 1
        left += 1
    return widths


def _table(table: Table, console: Console) -> Padding:
    natural, least = _widths(table, console)
    room = console.width - len(table.indent) - _GAP * (len(table.columns) - 1)
    widths = _shares(natural, least, room)
    rich = RichTable(
        box=SIMPLE if console.encoding.startswith("utf") else _DASHED,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_header=any(column.head for column in table.columns),
        header_style=Style(bold=True),
        border_style=DIM,
    )
    for column, width in zip(table.columns, widths, strict=True):
        head = Text(column.head)
        if column.under:
            head.append("\n" + column.under, Style(bold=False, dim=True))
        rich.add_column(head, width=width, no_wrap=True)
    for row in table.rows:
        rich.add_row(*(_filled(own, width, console) for own, width in zip(row, widths, strict=True)))
    return Padding(rich, (0, 0, 0, len(table.indent)), expand=False)


def _filled(own: Cell, width: int, console: Console) -> Text:
    return Text("\n").join(line for piece in own for line in _piece(piece, width, console))
