"""Function that is not analytic at the point -> its continuation from one side of a value of one of its parts.

sin(x)/x, sqrt(x*x) and (exp(x*y) - 1)/(x*y) have no analytic expression at 0, but are functions of one part r (x, or
x*y), with a power series in r - r0 on each side of r0. The oracle says on which side the cell lies; that series then
stands for the function. What has a pole there or a fractional power (sqrt(x)) stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from cfcompiler import numbers
from cfcompiler.analyses.arcs import Expansion
from cfcompiler.analyses.neighbourhood import Local, Neighbourhood
from cfcompiler.analyses.series import TERMS, Series, normal
from cfcompiler.arithmetic import Undecided


def parts_of(function: Local) -> Iterator[Local]:
    """The analytic parts through which the function depends on the inputs, from the nearest to an input."""
    frontier = {function.number: function}
    while frontier:
        last = frontier.pop(max(frontier))
        frontier.update({arg.number: arg for arg in last.args if not arg.constant})
        if len(frontier) == 1:
            (only,) = frontier.values()
            if only.analytic:
                yield only


def one_sided(near: Neighbourhood, function: Local, part: Local, side: int) -> Local | None:
    """The function where `part` is above (side 1) or below (side -1) its value at the point; None if it has none."""
    try:
        moving = normal(0, [part.value, Fraction(side)], True)
        series = Expansion(near, {part.number: moving}).of(function)
    except Undecided:
        return None
    if series.coefficients and series.valuation < 0:
        return None
    return _continued(near, part, series, side)


def _continued(near: Neighbourhood, part: Local, series: Series, side: int) -> Local:
    known = series.precision if not series.exact else max(series.precision, 1)
    turn = [Fraction(side) ** k for k in range(max(known, 1))]
    coefficients: list[Any] = [numbers.mul(series.at(k), turn[k]) for k in range(len(turn))]
    if not series.exact:
        return near.series(part, tuple(coefficients[: 2 * TERMS]))
    moved = near.difference(part, near.constant(part.value))
    total = near.constant(coefficients[0])
    for power, coefficient in enumerate(coefficients[1:], start=1):
        if coefficient != 0:
            term = near.apply("ipow", moved, exponent=Fraction(power))
            total = near.apply("add", total, near.apply("mul", near.constant(coefficient), term))
    return total
