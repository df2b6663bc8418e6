"""A start, a step, a goal -> does a gradient step lead from one exactly to the other, and end there?

The steps are run in exact arithmetic with the backward program itself, tie rules and all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.field import seeds_of
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.numbers import Exact, Finite, is_special

Coordinates: TypeAlias = "Sequence[tuple[str, tuple[int, ...]]]"


def inputs_at(arrays: Mapping[str, Any], coordinates: Coordinates, point: Sequence[Finite]) -> dict[str, Any]:
    """All inputs: copies of `arrays`, with a point of the coordinates (names and places) written into them."""
    found = {name: np.array(array, dtype=object, copy=True) for name, array in arrays.items()}
    for (name, place), entry in zip(coordinates, point, strict=True):
        found[name][place] = entry
    return found


def returned(program: Program, backward: Program, inputs: Mapping[str, Any]) -> tuple[Exact, ...]:
    """What the backward program of `program` returns, output after output. Raises Undecided."""
    names = [param.value.name for param in backward.params[len(program.params) :]]
    found: list[Exact] = []
    for seeds in seeds_of(program, EXACT):
        values = run(backward, {**inputs, **dict(zip(names, seeds, strict=True))}, EXACT)
        for value in backward.results[len(program.results) :]:
            found += list(values[value.name].reshape(-1))
    return tuple(found)


def arrives(start: Sequence[Finite], slope: Sequence[Exact], step: Finite, goal: Sequence[Finite]) -> bool:
    """Whether start - step*slope is exactly the goal; False where that cannot be decided."""
    if len(slope) != len(start) or any(is_special(entry) for entry in slope):
        return False
    try:
        return all(
            numbers.compare(numbers.sub(x, numbers.mul(step, entry)), end) == 0
            for x, entry, end in zip(start, slope, goal, strict=True)
        )
    except numbers.Undecided:
        return False


def vanishes(slope: Sequence[Exact]) -> bool:
    """Whether every entry is proved to be 0."""
    return all(not is_special(entry) and numbers.sign(entry) == 0 for entry in slope)


def leads(
    program: Program,
    backward: Program,
    arrays: Mapping[str, Any],
    coordinates: Coordinates,
    start: Sequence[Finite],
    step: Finite,
    goal: Sequence[Finite],
) -> bool:
    """Whether gradient descent with the step is at the goal after one step, and stays; False where undecided."""
    try:
        slope = returned(program, backward, inputs_at(arrays, coordinates, start))
        if not arrives(start, slope, step, goal):
            return False
        return vanishes(returned(program, backward, inputs_at(arrays, coordinates, goal)))
    except (Undecided, numbers.Undecided):
        return False
