"""Program, point -> arcs into the point along which the program is run: straight ones in many directions, and bent.

They are in t**2, so that a square root of a distance is a series in t.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from cfcompiler.analyses.series import constant, normal
from cfcompiler.ir import Program

_RANDOM_ARCS = 48
_ZERO = Fraction(0)

Point = Mapping[str, Any]  # name -> array of exact numbers


def arcs_into(program: Program, point: Point) -> Iterator[dict[str, Any]]:
    """Arcs x + d*t**2 and x + d*t**2 + e*t**4 into the point, data held fixed."""
    sizes = [
        (param.value.name, int(np.size(point[param.value.name])) if param.differentiable else 0)
        for param in program.params
    ]
    count = sum(size for _, size in sizes)
    for direction, bend in _directions(count):
        arc, start = {}, 0
        for name, size in sizes:
            own = direction[start : start + size], bend[start : start + size]
            arc[name] = _bent(point[name], *own) if size else still(point[name])
            start += size
        yield arc


def _directions(count: int) -> Iterator[tuple[Sequence[Fraction], Sequence[Fraction]]]:
    straight = [_ZERO] * count
    signs = (Fraction(1), Fraction(-1), _ZERO)
    if count <= 4:
        for direction in product(signs, repeat=count):
            if any(direction):
                yield direction, straight
    if count == 1:
        return
    generator = random.Random(0)
    for place in range(_RANDOM_ARCS):
        heading = [Fraction(generator.randint(-9, 9)) for _ in range(count)]
        bend = [Fraction(generator.randint(-9, 9)) if place % 2 else _ZERO for _ in range(count)]
        if place % 4 == 3:
            heading = [d if generator.random() < 0.5 else _ZERO for d in heading]
        if any(heading) or any(bend):
            yield heading, bend


def _bent(x: Any, direction: Sequence[Fraction], bend: Sequence[Fraction]) -> Any:
    out = np.empty(np.shape(x), dtype=object)
    for place, entry in enumerate(np.ndindex(out.shape)):
        out[entry] = normal(0, [x[entry], _ZERO, direction[place], _ZERO, bend[place]], True)
    return out


def still(x: Any) -> Any:
    out = np.empty(np.shape(x), dtype=object)
    for entry in np.ndindex(out.shape):
        out[entry] = constant(x[entry])
    return out
