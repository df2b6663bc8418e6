"""Numbers and points -> short texts; and the screens of `cfc ties`, `demo`, `explain`, and of complaints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction

from cfcompiler.diagnostics import PRINTED
from cfcompiler.errors import CFError, Explanation
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import to_float
from cfcompiler.report import Nested, Row, TieTable
from cfcompiler.source import NOWHERE
from cfcompiler.targets.tables import (
    DIM,
    ERROR,
    HEAD,
    LABEL,
    WARNING,
    Block,
    Column,
    Line,
    Table,
    Words,
    cell,
    source_quote,
)

# More entries than these of one array are for --json.
ENTRIES = 12
# An exact number with more characters is shown as a decimal; --json has it whole.
LONGEST = 60


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


def tie_blocks(table: TieTable) -> Iterator[Block]:
    """A row for each operation, a column for each preset with its version."""
    yield Words(
        (("What each preset returns at a tie: the derivatives by the inputs, in order;", ""),), hang=""
    )
    yield Words((("after f: the forward mode, where it differs from the reverse mode.", ""),), hang="")
    yield ()
    left = (Column("operation", least=16), Column("at the tie", least=11))
    presets = (Column(name, version) for name, version in zip(table.presets, table.versions, strict=True))
    rows = tuple(
        (cell(row.expression, LABEL), cell(row.tie, DIM), *(cell(_returned(*own)) for own in row.returned))
        for row in table.rows
    )
    yield Table((*left, *presets), rows, indent="", heads=True, stacks=((0, 1),), repeated=2)


def _returned(forward: Sequence[str], reverse: Sequence[str]) -> str:
    text = " ".join(reverse)
    return text if forward == reverse else f"{text} f: {' '.join(forward)}"


# cfc demo, cfc explain, complaints


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


def complaint_blocks(error: CFError) -> Iterator[Block]:
    """What `CFError.render` writes."""
    for item in error.diagnostics[:PRINTED]:
        line, column = item.span.line, item.span.column
        place = f"{error.source.path}: " if item.span == NOWHERE else f"{error.source.path}:{line}:{column}: "
        yield Words(((place, ""), (f"error {item.code}: {item.message}", ERROR)))
        if item.span != NOWHERE:
            yield source_quote(error.source, item.span, ERROR)
        if item.hint:
            yield Words((("  hint: ", WARNING), (item.hint, WARNING)))
    more = len(error.diagnostics) - PRINTED
    if more > 0:
        yield Words(((f"... and {more} more errors", ""),))
