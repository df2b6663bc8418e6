"""Program, point -> a proof that the program is not locally Lipschitz there, by an arc along which the slope grows.

Along x = p + d*t**m the program is a series in t; where f(x) - f(p) begins with a lower power of t than x - p, the
difference quotient is unbounded. Found for square roots, cube roots and poles; that nothing is found proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.analyses.germs import GERMS
from cfcompiler.analyses.series import Series, add, is_zero, normal, scale
from cfcompiler.analyses.series import constant as constant_series
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.numbers import is_special

RAMIFICATIONS = (2, 6)  # square roots, and cube roots as well
MOST_ARCS = 64
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Steep:
    """A sentence that names the arc; whether the values jump there, by any amount."""

    sentence: str
    jumps: bool


def growing_slope(program: Program, point: Mapping[str, Any]) -> Steep | None:
    """The first arc found along which the slope grows without bound; None where none was found."""
    here = run(program, point, EXACT)
    for direction in _directions(program, point):
        for power in RAMIFICATIONS:
            order = _order(program, point, here, direction, power)
            if order is not None and order < power:
                shown = _shown(direction)
                if order < 0:
                    return Steep(f"the program jumps: the values grow without bound along {shown}", True)
                if order == 0:
                    return Steep(f"the program jumps: other values are approached along {shown}", True)
                exponent = Fraction(order, power)
                sentence = f"not locally Lipschitz: along {shown} the values change like t**({exponent})"
                return Steep(sentence, False)
    return None


def _directions(program: Program, point: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Coordinate directions, then the sum of all of them, both ways."""
    moving = [param.value for param in program.params if param.differentiable]
    entries = [(value.name, place) for value in moving for place in np.ndindex(value.shape)]
    chosen = [[entry] for entry in entries[: MOST_ARCS // 2]] + ([entries] if len(entries) > 1 else [])
    for own in chosen:
        for side in (1, -1):
            direction = {}
            for value in moving:
                array = np.empty(value.shape, dtype=object)
                for place in np.ndindex(value.shape):
                    array[place] = Fraction(side) if (value.name, place) in own else _ZERO
                direction[value.name] = array
            yield direction


def _order(
    program: Program,
    point: Mapping[str, Any],
    here: Mapping[str, Any],
    direction: Mapping[str, Any],
    power: int,
) -> int | None:
    """The lowest power of t in f(p + d*t**power) - f(p); None where it is not known or there is none."""
    arc = {name: _moved(array, direction.get(name), power) for name, array in point.items()}
    try:
        values = run(program, arc, GERMS, lenient=True)
    except Undecided:
        return None
    lowest: int | None = None
    for result in program.results:
        if result.name not in values:
            return None
        for place in np.ndindex(result.shape):
            series, start = values[result.name][place], here[result.name][place]
            if not isinstance(series, Series) or is_special(start):
                return None
            try:
                change = add(series, scale(constant_series(start), -_ONE))
            except Undecided:
                continue
            if not is_zero(change):
                lowest = change.valuation if lowest is None else min(lowest, change.valuation)
    return lowest


def _moved(array: Any, direction: Any, power: int) -> Any:
    out = np.empty(np.shape(array), dtype=object)
    for place in np.ndindex(out.shape):
        own = _ZERO if direction is None else direction[place]
        out[place] = normal(0, [array[place], *([_ZERO] * (power - 1)), own], True)
    return out


def _shown(direction: Mapping[str, Any]) -> str:
    parts = []
    for name, array in direction.items():
        for place in np.ndindex(np.shape(array)):
            if array[place] != 0:
                own = name + (f"[{', '.join(map(str, place))}]" if place else "")
                parts.append(f"{own} {'+' if array[place] > 0 else '-'} t")
    return ", ".join(parts)
