"""An extremum or an ordering, written out as selections of two: a fold, a scan, a sorting network.

Some frameworks compute max(x), cummax(x) or sort(x) by the two-argument max and min, so their ties are those of
these. The slices of one array have one shape, so nothing here can be complained of.

Source: Ladner & Fischer 1980 (the scan), Batcher 1968 (the bitonic network).
"""

from __future__ import annotations

from itertools import product
from typing import Any

from cfcompiler.ir import Value
from cfcompiler.language.called import Called
from cfcompiler.language.terms import Poison


def entries_of(called: Called, x: Value, axes: tuple[int, ...]) -> list[Value]:
    """The slices of `x` along `axes`, in order."""
    entries: list[Value] = []
    for places in product(*(range(x.shape[axis]) for axis in axes)):
        key: list[Any] = [(0, size, 1) for size in x.shape]
        for axis, place in zip(axes, places, strict=True):
            key[axis] = place
        entries.append(_sound(called.step("index", x, key=tuple(key))))
    return entries


def fold(called: Called, sense: str, entries: list[Value]) -> Value:
    """max(max(x0, x1), x2) ...: from left to right."""
    result = entries[0]
    for entry in entries[1:]:
        result = _of_two(called, sense, result, entry)
    return result


def scan(called: Called, sense: str, entries: list[Value]) -> list[Value]:
    """The extremum of each prefix: neighbours are paired, the pairs scanned, and what lies between filled in."""
    if len(entries) == 1:
        return entries
    pairs = [_of_two(called, sense, a, b) for a, b in zip(entries[0::2], entries[1::2], strict=False)]
    odd = scan(called, sense, pairs)
    result = [entries[0]]
    for place in range(1, len(entries)):
        half = place // 2
        result.append(odd[half] if place % 2 else _of_two(called, sense, odd[half - 1], entries[place]))
    return result


def prefixes(called: Called, sense: str, x: Value, axis: int) -> list[Value]:
    """The extremum of each prefix, all of whose tied entries share."""
    rule = called.emission.reduction(f"reduce_{sense}")
    found: list[Value] = []
    for size in range(1, x.shape[axis] + 1):
        key = tuple((0, size if index == axis else extent, 1) for index, extent in enumerate(x.shape))
        prefix = _sound(called.step("index", x, key=key))
        found.append(_sound(called.step("extremum", prefix, axes=(axis,), sense=sense, rule=rule)))
    return found


def sorting_network(called: Called, entries: list[Value], *, descending: bool) -> list[Value]:
    """The entries in order, by a bitonic network on a power of two of wires; what is missing never wins."""
    stages = (len(entries) - 1).bit_length()
    padding = called.emission.builder.constant("-inf" if descending else "inf")
    filler = called.emission.broadcast(padding, entries[0].shape, called.span)
    wires = [*entries, *[_sound(filler)] * (2**stages - len(entries))]
    senses = ("max", "min") if descending else ("min", "max")
    for stage in range(1, stages + 1):
        for step in reversed(range(stage)):
            for top in range(len(wires)):
                bottom = top + 2**step
                if top & 2**step:
                    continue
                upside_down = stage != stages and bool(top & 2**stage)
                pair = (bottom, top) if upside_down else (top, bottom)
                a, b = wires[pair[0]], wires[pair[1]]
                for place, sense in zip(pair, senses, strict=True):
                    wires[place] = _of_two(called, sense, a, b)
    return wires[: len(entries)]


def _of_two(called: Called, sense: str, a: Value, b: Value) -> Value:
    """The extremum of two, as the preset's rule for max or min of two has it."""
    left, right = (a, b) if sense == "max" else (b, a)
    return _sound(called.emission.written_as(sense, left, right, a, b, called.span))


def _sound(value: Value | Poison) -> Value:
    assert isinstance(value, Value), "slices of one array fit together"
    return value
