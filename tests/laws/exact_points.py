"""Random programs run exactly at points, and membership in a convex hull: what the laws over programs measure with."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from cfcompiler.analyses.field import MOST_SCALARS, Field, field_at, field_of_large, filled
from cfcompiler.analyses.landscape import USUAL, landscape_at
from cfcompiler.arithmetic import EXACT
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Kink, Program
from cfcompiler.operations import OPERATIONS
from cfcompiler.primitives import COMPARISONS
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize
from cfcompiler.transforms.tidy import tidy
from tests.random_texts import Text, random_text

Flat = tuple[Any, ...]  # derivatives by all entries of the inputs
Point = Mapping[str, Any]  # name -> object array of exact numbers
ZERO, ONE = Fraction(0), Fraction(1)
TINY = Fraction(1, 2**60)


def exact_point(program: Program, values: Mapping[str, Any]) -> dict[str, Any]:
    """Object arrays of exact numbers from numbers and nested lists of them."""
    return {
        param.value.name: exact_array(values[param.value.name], param.value.shape) for param in program.params
    }


def exact_array(value: Any, shape: tuple[int, ...]) -> Any:
    out = np.empty(shape, dtype=object)
    source = np.array(value, dtype=object)
    for place in np.ndindex(shape):
        out[place] = source[place]
    return out


def flat_point(point: Point) -> Flat:
    """The entries of all inputs, one after the other."""
    return tuple(entry for array in point.values() for entry in np.reshape(array, -1))


def moved(point: Point, direction: Sequence[Any], step: Any) -> dict[str, Any]:
    """point + step * direction, the direction flat."""
    out, start = {}, 0
    for name, array in point.items():
        size = int(np.size(array))
        own = direction[start : start + size]
        entries = [x + step * d for x, d in zip(np.reshape(array, -1), own, strict=True)]
        out[name] = exact_array(
            np.reshape(np.array([*entries, None], dtype=object)[:-1], np.shape(array)), np.shape(array)
        )
        start += size
    return out


def exact_value(program: Program, point: Point) -> Any:
    """The one scalar result."""
    return run(program, point, EXACT)[program.results[0].name][()]


def reverse_at(program: Program, point: Point) -> Flat:
    """The gradient by the backward program."""
    backward = tidy(vjp(program))
    seed = {backward.params[-1].value.name: exact_array(Fraction(1), ())}
    values = run(backward, {**point, **seed}, EXACT)
    return tuple(entry for value in backward.results[1:] for entry in np.reshape(values[value.name], -1))


def forward_at(program: Program, point: Point) -> Flat:
    """The gradient by the forward program, an entry of the inputs at a time."""
    forward = tidy(jvp(program))
    inputs = [param.value for param in program.params if param.differentiable]
    tangents = [param.value.name for param in forward.params[len(program.params) :]]
    found = []
    for which, value in enumerate(inputs):
        for entry in np.ndindex(value.shape):
            seeds = {
                name: filled(other.shape, Fraction(0)) for name, other in zip(tangents, inputs, strict=True)
            }
            seeds[tangents[which]][entry] = Fraction(1)
            found.append(run(forward, {**point, **seeds}, EXACT)[forward.results[1].name][()])
    return tuple(found)


def whole_field(program: Program, point: Point) -> Field:
    """D, of the unrolled program where it is not too large."""
    try:
        unrolled = tidy(scalarize(tidy(program), MOST_SCALARS))
    except TooManyScalars as problem:
        return field_of_large(program, point, str(problem))
    return field_at(unrolled, point, landscape_at(unrolled, point, USUAL))


def field_of(program: Program, point: Point) -> tuple[list[Flat], Field]:
    """The vertices of D of a program with one scalar result."""
    field = whole_field(program, point)
    return [vertex[0] for vertex in field.vertices], field


def switches(program: Program, point: Point) -> dict[tuple[str, int], Any]:
    """What the choices of a run look at: left - right of kinks and comparisons, differences of the keys of orders."""
    found: dict[tuple[str, int], Any] = {}

    def watch(instruction: Instruction, values: Mapping[str, Any]) -> None:
        pairs: list[tuple[Any, Any]] = []
        match instruction:
            case Kink(left=left, right=right):
                pairs = _pairs(values[left.name], values[right.name])
            case Apply(op=op, args=(left, right)) if op in COMPARISONS:
                pairs = _pairs(values[left.name], values[right.name])
            case Apply(op="extremum" | "order" | "argextremum" | "cumargextremum", args=(keys,)):
                flat = np.reshape(values[keys.name], -1)
                pairs = [(a, b) for place, a in enumerate(flat) for b in flat[:place]]
            case _:
                pass
        for place, (a, b) in enumerate(pairs):
            found[instruction.out.name, place] = OPERATIONS["sub"](a, b)

    run(program, point, EXACT, watch)
    return found


def _pairs(left: Any, right: Any) -> list[tuple[Any, Any]]:
    """Entries of two arrays that are compared."""
    a, b = np.broadcast_arrays(left, right)
    return list(zip(np.reshape(a, -1), np.reshape(b, -1), strict=True))


@lru_cache(maxsize=256)
def compiled_text(
    kind: str, seed: int, preset: str = "torch", inputs: str | None = None
) -> tuple[Text, Compiled]:
    text = random_text(seed, kind, inputs=inputs)
    return text, compile_text(text.text, preset=preset)


def exact_runs(kind: str, seed: int, preset: str = "torch") -> Iterator[tuple[Program, Point]]:
    """A random program with each of its points."""
    text, compiled = compiled_text(kind, seed, preset)
    for point in text.points:
        yield compiled.program, exact_point(compiled.program, point)


def tied_choices(program: Program, point: Point) -> set[str]:
    return {name for (name, _), gap in switches(program, point).items() if gap == 0}


def direction_of(generator: random.Random, count: int) -> list[Fraction]:
    return [Fraction(generator.randint(-997, 997), generator.randint(1, 97)) for _ in range(count)]


def in_hull(point: Flat, corners: Sequence[Flat]) -> bool:
    """Whether `point` is a convex combination of `corners`: the first phase of the simplex method, in fractions.

    Bland's rule, so it ends. Rows: one for each coordinate and one for the sum of the weights.
    """
    rows = [[*(corner[k] for corner in corners), point[k]] for k in range(len(point))]
    rows.append([Fraction(1)] * (len(corners) + 1))
    rows = [[-x for x in row] if row[-1] < 0 else list(row) for row in rows]
    width = len(corners)
    cost = [sum((row[k] for row in rows), Fraction(0)) for k in range(width + 1)]
    basis: list[int] = [-1] * len(rows)  # -1: the row's own artificial variable
    while True:
        column = next((k for k in range(width) if cost[k] > 0), None)
        if column is None:
            return cost[-1] == 0
        ratios = [(row[-1] / row[column], basis[r], r) for r, row in enumerate(rows) if row[column] > 0]
        if not ratios:
            return False
        pivot = min(ratios)[2]
        lead = rows[pivot][column]
        rows[pivot] = [x / lead for x in rows[pivot]]
        for r, row in enumerate(rows):
            if r != pivot and row[column] != 0:
                rows[r] = [x - row[column] * y for x, y in zip(row, rows[pivot], strict=True)]
        factor = cost[column]
        cost = [x - factor * y for x, y in zip(cost, rows[pivot], strict=True)]
        basis[pivot] = column
