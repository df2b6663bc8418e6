"""Orderings and extrema of unrolled arrays: each row stacked into one vector, on which the choice stays whole.

y = gather x (order x)       v = stack x_0 x_1 x_2 ; o = order v ; w = gather v o
                             y_0 = index w 0 ; y_1 = index w 1 ; y_2 = index w 2
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from cfcompiler.builder import Builder
from cfcompiler.ir import Apply, Value


class Unrolling(Protocol):
    """What scalarize offers: the new program's builder, the entries of values, and whole vectors of places."""

    builder: Builder
    whole: dict[str, tuple[int, dict[tuple[int, ...], Value]]]

    def ready(self, value: Value) -> Any:
        """The entries of a value, an object array of scalars."""

    def entry_names(self, out: Value) -> Any:
        """The names of the entries of a value, in its shape."""

    def put(self, instruction: Apply, entries: Any) -> None:
        """Set the entries of an instruction's value."""

    def stacked(self, entries: Any) -> Value:
        """A vector of the entries."""

    def moved(self, value: Value, axes: tuple[int, ...]) -> Any:
        """The entries with some axes joined into the last."""

    def rows(self, instruction: Apply) -> Any:
        """A reduction row by row."""


def _extremum(unrolling: Unrolling, instruction: Apply) -> None:
    unrolling.put(instruction, unrolling.rows(instruction))


def _weigh_extremum(unrolling: Unrolling, instruction: Apply) -> None:
    axes = instruction.attribute("axes")
    x, out, term = instruction.args
    rows = unrolling.moved(x, axes)
    tops = unrolling.ready(out).reshape(rows.shape[:-1])
    full = term.shape == x.shape
    terms = unrolling.moved(term, axes) if full else unrolling.ready(term).reshape(rows.shape[:-1])
    attributes = {**dict(instruction.attributes), "axes": (0,)}
    weighed = np.empty(rows.shape, dtype=object)
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]
    names = np.transpose(unrolling.entry_names(instruction.out), (*kept, *axes)).reshape(rows.shape)
    for place in np.ndindex(rows.shape[:-1]):
        share = unrolling.stacked(terms[place]) if full else terms[place]
        row = unrolling.stacked(rows[place])
        vector = unrolling.builder.apply("weigh_extremum", row, tops[place], share, **attributes)
        weighed[place] = _entries(unrolling, vector, names[place])
    moved = weighed.reshape((*(x.shape[a] for a in kept), *(x.shape[a] for a in axes)))
    unrolling.put(instruction, np.transpose(moved, np.argsort((*kept, *axes))))


def _entries(unrolling: Unrolling, vector: Value, names: Any) -> Any:
    """The scalars of a vector, with these names."""
    out = np.empty(vector.shape, dtype=object)
    for entry in range(vector.shape[0]):
        out[entry] = unrolling.builder.apply("index", vector, key=(entry,), name=names[entry])
    return out


def _order(unrolling: Unrolling, instruction: Apply) -> None:
    """order and cumargextremum: the places of a row as one vector, kept whole."""
    axis = instruction.attribute("axis")
    rows = np.moveaxis(unrolling.ready(instruction.args[0]), axis, -1)
    attributes = {**dict(instruction.attributes), "axis": 0}
    unrolling.whole[instruction.out.name] = (
        axis,
        {
            place: unrolling.builder.apply(
                instruction.op, unrolling.stacked(rows[place]), name=instruction.out.name, **attributes
            )
            for place in np.ndindex(rows.shape[:-1])
        },
    )


def _argextremum(unrolling: Unrolling, instruction: Apply) -> None:
    rows = np.moveaxis(unrolling.ready(instruction.args[0]), instruction.attribute("axis"), -1)
    attributes = {**dict(instruction.attributes), "axis": 0}
    result = np.empty(rows.shape[:-1], dtype=object)
    for place in np.ndindex(result.shape):
        result[place] = unrolling.builder.apply("argextremum", unrolling.stacked(rows[place]), **attributes)
    unrolling.put(instruction, result)


def _vectors(unrolling: Unrolling, places: Value, axis: int, *, scalar: bool) -> dict[tuple[int, ...], Value]:
    """The places of each row: a vector of them, or one if `scalar`."""
    if places.name in unrolling.whole:
        return unrolling.whole[places.name][1]
    entries = unrolling.ready(places)
    if scalar:
        return {place: entries[place] for place in np.ndindex(entries.shape)}
    rows = np.moveaxis(entries, axis, -1)
    return {place: unrolling.stacked(rows[place]) for place in np.ndindex(rows.shape[:-1])}


def _gather(unrolling: Unrolling, instruction: Apply) -> None:
    axis = instruction.attribute("axis")
    x, places = instruction.args
    scalar = len(places.shape) < len(x.shape)
    rows = np.moveaxis(unrolling.ready(x), axis, -1)
    vectors = _vectors(unrolling, places, axis, scalar=scalar)
    heads = rows.shape[:-1]
    names = unrolling.entry_names(instruction.out)
    names = names if scalar else np.moveaxis(names, axis, -1)
    out = np.empty(heads if scalar else (*heads, places.shape[axis]), dtype=object)
    for place in np.ndindex(heads):
        name = names[place] if scalar else None
        row = unrolling.stacked(rows[place])
        picked = unrolling.builder.apply("gather", row, vectors[place], axis=0, name=name)
        out[place] = picked if scalar else _entries(unrolling, picked, names[place])
    unrolling.put(instruction, out if scalar else np.moveaxis(out, -1, axis))


def _scatter(unrolling: Unrolling, instruction: Apply) -> None:
    axis, size, scalar = (instruction.attribute(name) for name in ("axis", "size", "scalar"))
    c, places = instruction.args
    vectors = _vectors(unrolling, places, axis, scalar=scalar)
    rows = unrolling.ready(c) if scalar else np.moveaxis(unrolling.ready(c), axis, -1)
    heads = rows.shape if scalar else rows.shape[:-1]
    out = np.empty((*heads, size), dtype=object)
    names = np.moveaxis(unrolling.entry_names(instruction.out), axis, -1)
    for place in np.ndindex(heads):
        share = rows[place] if scalar else unrolling.stacked(rows[place])
        spread = unrolling.builder.apply("scatter", share, vectors[place], axis=0, size=size, scalar=scalar)
        out[place] = _entries(unrolling, spread, names[place])
    unrolling.put(instruction, np.moveaxis(out, -1, axis))


ISLANDS: dict[str, Callable[[Unrolling, Apply], None]] = {
    "extremum": _extremum,
    "weigh_extremum": _weigh_extremum,
    "order": _order,
    "cumargextremum": _order,
    "argextremum": _argextremum,
    "gather": _gather,
    "scatter": _scatter,
}
