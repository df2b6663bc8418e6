"""Program, point -> the slopes on both sides of the point, along each entry of the inputs, exactly.

Along x + t**m e and x - t**m e the program is a series in t; the coefficient of t**m of its change is the one-sided
slope. m > 1 lets roots have a series: where the change begins with a lower power, the slope is infinite. What has no
series at the point is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.analyses.germs import GERMS
from cfcompiler.analyses.series import Series, add, is_zero, normal, scale, sign
from cfcompiler.analyses.series import constant as constant_series
from cfcompiler.arithmetic import Undecided
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.number_text import to_text
from cfcompiler.numbers import is_special
from cfcompiler.operations import OPERATIONS
from cfcompiler.report import Side

MOST_ENTRIES = 6  # of the inputs
MOST_NUMBERS = 4000  # that the program computes: series are slow
RAMIFICATIONS = (1, 2, 6, 12, 60)
_ZERO, _ONE = Fraction(0), Fraction(1)


def sides_at(program: Program, point: Mapping[str, Any], here: Mapping[str, Any]) -> tuple[Side, ...]:
    """A Side for each entry of the inputs; none where there are too many. `here`: the values of the program."""
    entries = [
        (param.value.name, place)
        for param in program.params
        if param.differentiable
        for place in np.ndindex(param.value.shape)
    ]
    size = sum(int(np.prod(instruction.out.shape)) for instruction in program.instructions)
    if len(entries) > MOST_ENTRIES or size > MOST_NUMBERS:
        return ()
    return tuple(
        Side(
            entry_name(name, place),
            tuple(_slopes(program, point, here, (name, place), -1)),
            tuple(_slopes(program, point, here, (name, place), 1)),
        )
        for name, place in entries
    )


def entry_name(name: str, place: Sequence[int]) -> str:
    """`v[2]`, or `x` for a scalar."""
    return name + (f"[{', '.join(map(str, place))}]" if place else "")


def _slopes(
    program: Program,
    point: Mapping[str, Any],
    here: Mapping[str, Any],
    entry: tuple[str, tuple[int, ...]],
    side: int,
) -> list[str]:
    """The slopes of all outputs on one side: the rates of change as the entry grows, whichever the side."""
    count = sum(int(np.prod(value.shape)) for value in program.results)
    for power in RAMIFICATIONS:
        arc = {
            name: _moved(array, entry[1] if name == entry[0] else None, side, power)
            for name, array in point.items()
        }
        try:
            values = run(program, arc, GERMS, lenient=True)
            found = list(_along(program, values, here, side, power))
        except Undecided:
            continue
        if "unknown" not in found:
            return found
    return ["unknown"] * count


def _along(
    program: Program, values: Mapping[str, Any], here: Mapping[str, Any], side: int, power: int
) -> Iterator[str]:
    outside = any(
        assertion.condition.name in values and not np.all(values[assertion.condition.name])
        for assertion in program.assertions
    )
    for result in program.results:
        for place in np.ndindex(result.shape):
            if outside:
                yield "outside"
            elif result.name not in values:
                yield "unknown"
            else:
                yield _slope(values[result.name][place], here[result.name][place], side, power)


def _slope(series: Any, start: Any, side: int, power: int) -> str:
    """The slope of a series in t = (side * step)**(1/power)."""
    if not isinstance(series, Series) or is_special(start):
        return "unknown"
    change = add(series, scale(constant_series(start), -_ONE))
    if is_zero(change) or change.valuation > power:
        return "0"
    if change.valuation < power:
        if change.valuation == 0:
            return "jump"
        return "inf" if sign(change) * side > 0 else "-inf"
    return to_text(OPERATIONS["mul"](change.at(power), Fraction(side)))


def _moved(array: Any, moving: tuple[int, ...] | None, side: int, power: int) -> Any:
    out = np.empty(np.shape(array), dtype=object)
    for place in np.ndindex(out.shape):
        step = Fraction(side) if place == moving else _ZERO
        entry = array[place]
        out[place] = entry if is_special(entry) else normal(0, [entry, *([_ZERO] * (power - 1)), step], True)
    return out
