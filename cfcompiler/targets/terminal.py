"""Report -> lines for a terminal: coloured with Rich where someone looks, the same text plain in a pipe.

A line is a tuple of (text, style) pairs; `plain` and `paint` are the two ways out, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction
from typing import TextIO, TypeAlias

from cfcompiler.errors import CFError, Explanation
from cfcompiler.gallery import Example
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import to_float
from cfcompiler.report import Nested, Row, TieTable

Line: TypeAlias = tuple[tuple[str, str], ...]

HEAD, LABEL, DIM, WARNING, ERROR, GOOD = "bold", "cyan", "dim", "yellow", "bold red", "bold green"
# More entries than these of one array are for --json.
ENTRIES = 12
# An exact number with more characters is shown as a decimal; --json has it whole.
LONGEST = 60


def plain(lines: Iterable[Line]) -> str:
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def paint(lines: Iterable[Line], stream: TextIO) -> None:
    """Write to a terminal in colour; Rich honours NO_COLOR."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False)
    for line in lines:
        console.print(Text.assemble(*line), soft_wrap=True)


# numbers


def row_text(row: Row) -> str:
    """`x = 1, v = [0, 1/2]`."""
    return ", ".join(f"{name} = {nested_text(value)}" for name, value in row.items())


def nested_text(value: Nested) -> str:
    if isinstance(value, str):
        return value if len(value) <= LONGEST else _about(value)
    shown = [nested_text(entry) for entry in value[:ENTRIES]]
    if len(value) > ENTRIES:
        shown.append(f"... {len(value)} entries")
    return "[" + ", ".join(shown) + "]"


def _about(text: str) -> str:
    """A long exact number as a decimal; what is too long to be read again is cut."""
    try:
        number = parse_number(text)
        if isinstance(number, Fraction):
            return f"about {_decimal(number)}"
        return f"about {to_float(number):.12g}"
    except ValueError:
        return f"{text[:LONGEST]}..."


def _decimal(number: Fraction) -> str:
    """Twelve digits of a rational, also beyond the range of floats."""
    with localcontext(Context(prec=12, Emax=MAX_EMAX, Emin=MIN_EMIN)):
        return f"{Decimal(number.numerator) / Decimal(number.denominator):.12g}"


# cfc ties


def tie_lines(table: TieTable, width: int | None) -> Iterator[Line]:
    """The table, cut into several side by side where it is wider than `width`."""
    labels = [(row.expression, row.tie) for row in table.rows]
    cells = [[_cell(*returned) for returned in row.returned] for row in table.rows]
    heads = ["operation", "at the tie"]
    left = [max(len(heads[side]), *(len(label[side]) for label in labels)) for side in (0, 1)]
    widths = [max(len(name), *(len(row[place]) for row in cells)) for place, name in enumerate(table.presets)]
    yield (("What each preset returns at a tie: the derivatives by the inputs, in order; ", ""),)
    yield (("after f: the forward mode, where it differs from the reverse mode.", ""),)
    for group in _groups(widths, sum(left) + 2, width):
        yield ()
        titles = "  ".join(table.presets[place].ljust(widths[place]) for place in group)
        yield ((f"{heads[0].ljust(left[0])}  {heads[1].ljust(left[1])}  {titles}", HEAD),)
        versions = "  ".join(table.versions[place][: widths[place]].ljust(widths[place]) for place in group)
        yield ((f"{''.ljust(left[0] + left[1] + 2)}  {versions}", DIM),)
        for (expression, tie), row in zip(labels, cells, strict=True):
            entries = "  ".join(row[place].ljust(widths[place]) for place in group)
            yield ((f"{expression.ljust(left[0])}  ", LABEL), (f"{tie.ljust(left[1])}  ", DIM), (entries, ""))


def _cell(forward: Sequence[str], reverse: Sequence[str]) -> str:
    text = " ".join(reverse)
    return text if forward == reverse else f"{text} f: {' '.join(forward)}"


def _groups(widths: Sequence[int], left: int, width: int | None) -> list[list[int]]:
    """Columns that fit beside the labels, at least one in a group."""
    groups: list[list[int]] = [[]]
    room = left
    for place, own in enumerate(widths):
        if width is not None and groups[-1] and room + own + 2 > width:
            groups.append([])
            room = left
        groups[-1].append(place)
        room += own + 2
    return groups


# cfc demo, cfc explain, complaints


def gallery_lines(examples: Sequence[Example]) -> Iterator[Line]:
    width = max(len(example.name) for example in examples)
    for example in examples:
        yield ((example.name.ljust(width) + "  ", LABEL), (example.title, ""))


def example_lines(example: Example) -> Iterator[Line]:
    for line in example.text.rstrip("\n").split("\n"):
        yield ((line, DIM if line.startswith("#") else ""),)


def command_line(arguments: Sequence[str]) -> Line:
    return (("$ cfc " + " ".join(arguments), HEAD),)


def explanation_lines(explanation: Explanation) -> Iterator[Line]:
    first, *rest = explanation.render().rstrip("\n").split("\n")
    yield ((first, HEAD),)
    for line in rest:
        yield ((line, LABEL if line in ("wrong:", "right:") else ""),)


def code_lines(explanations: Iterable[Explanation]) -> Iterator[Line]:
    for explanation in explanations:
        yield ((explanation.code + "  ", LABEL), (explanation.title, ""))


def complaint_lines(error: CFError) -> Iterator[Line]:
    for line in error.render().split("\n"):
        head, mark, rest = line.partition(": error CF")
        if mark and not line.startswith(" "):
            yield ((head + ": ", ""), ("error CF" + rest, ERROR))
        elif set(line.strip()) == {"^"}:
            yield ((line, ERROR),)
        elif line.startswith("  hint: "):
            yield ((line, WARNING),)
        else:
            yield ((line, ""),)
