"""Program of one input, point -> value and slope in the limit from both sides, by series in a root of the distance.

Along x = p + t**m and x = p - t**m a program with square and cube roots is a power series in t, so f is a Puiseux
series on each side of p and its derivative has a limit, finite or not. This decides points where the pieces are not
analytic, such as abs(x)**1.5 at 0. Source: Puiseux series of definable functions of one variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.continuity import CONTINUOUS, Continuity
from cfcompiler.analyses.germs import GERMS
from cfcompiler.analyses.limits import Gradients, Slopes, distinct, same
from cfcompiler.analyses.series import Series, limit, normal
from cfcompiler.arithmetic import Undecided
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.numbers import Exact, Finite

RAMIFICATIONS = (1, 2, 3, 6)
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Side:
    """What is approached from one side: the values and the slopes of all output entries; None for an infinite slope."""

    values: tuple[Exact, ...]
    slopes: tuple[Finite | None, ...]


def side_of(program: Program, point: Mapping[str, Any], direction: int) -> Side | None:
    """The limits from above (direction 1) or below (-1); None where no series was found."""
    for power in RAMIFICATIONS:
        arc = {name: _still(array) for name, array in point.items()}
        (moving,) = (param.value.name for param in program.params if param.differentiable)
        (place,) = np.ndindex(np.shape(point[moving]))
        coefficients = [point[moving][place], *([_ZERO] * (power - 1)), Fraction(direction)]
        arc[moving][place] = normal(0, coefficients, True)
        try:
            values = run(program, arc, GERMS, lenient=True)
            if any(result.name not in values for result in program.results):
                continue
            found = [entry for result in program.results for entry in values[result.name].flat]
            return Side(
                tuple(limit(series) for series in found),
                tuple(_slope(series, power, direction) for series in found),
            )
        except Undecided:
            continue
    return None


def _still(array: Any) -> Any:
    out = np.empty(np.shape(array), dtype=object)
    for place in np.ndindex(out.shape):
        out[place] = normal(0, [array[place]], True)
    return out


def _slope(series: Any, power: int, direction: int) -> Finite | None:
    """The limit of df/dx = (df/dt)/(dx/dt); raises Undecided."""
    if not isinstance(series, Series):
        raise Undecided("inf or NaN along the arc")
    if series.coefficients and series.valuation < 0:
        return None
    for k in range(1, power):
        if numbers.decided(series.at(k)) != 0:
            return None
    slope = series.at(power)
    return slope if direction > 0 else -slope


@dataclass(frozen=True, slots=True)
class OneInput:
    """What both sides say: limiting gradients, differentiability, continuity; or that slopes are infinite."""

    gradients: Gradients
    slopes: Slopes
    continuity: Continuity
    steep: bool


def both_sides(program: Program, point: Mapping[str, Any], here: tuple[Exact, ...]) -> OneInput | None:
    """The facts at a point of a program with one input entry and no asserted domain; None where a side is not known.

    Raises Undecided where two numbers cannot be compared.
    """
    entries = sum(int(np.size(point[p.value.name])) for p in program.params if p.differentiable)
    if entries != 1 or program.assertions:
        return None
    sides = [side_of(program, point, direction) for direction in (1, -1)]
    known = [side for side in sides if side is not None]
    if len(known) < 2:
        return None
    for side in known:
        for value, own in zip(side.values, here, strict=True):
            code = numbers.compare(value, own)
            if code is None:
                raise Undecided("whether the program jumps could not be decided")
            if code != 0:
                jump = Continuity("jump", "the program jumps here", here, side.values)
                return OneInput(Gradients((), (), "certificate"), Slopes(None, None), jump, False)
    slopes = [tuple(slope for slope in side.slopes if slope is not None) for side in known]
    if any(len(slope) < len(here) for slope in slopes):
        return OneInput(Gradients((), (), "certificate"), Slopes(None, None), CONTINUOUS, True)
    smooth = same(slopes[0], slopes[1])
    return OneInput(
        Gradients(distinct(slopes), (), "certificate"),
        Slopes(smooth, slopes[0] if smooth else None),
        CONTINUOUS,
        False,
    )
