"""Program -> Program with some arrays given entry by entry: inputs `v[0]`, `v[1]`, ... in place of `v`.

    program f(v: [2])        program f(v[0], v[1])
      t = sum v                v = stack v[0] v[1]
      -> t                     t = sum v
                               -> t

An entry is then an input like any other: it can be fixed, have an interval of its own, and be moved on a picture.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

import numpy as np

from cfcompiler.ir import Apply, Instruction, Param, Program, Value

_ENTRY = re.compile(r"\s*([^\[\]\s]+)\s*\[([\s\d,]+)\]\s*")


def entry_name(name: str, place: tuple[int, ...]) -> str:
    """`x`, `v[0]` or `W[0, 1]`: as strata name them."""
    return name + (f"[{', '.join(map(str, place))}]" if place else "")


def entry_of(program: Program, text: str) -> tuple[str, tuple[int, ...]] | None:
    """The input and the place that a text such as `v[0]` means; None where it is no entry of the program."""
    found = _ENTRY.fullmatch(text)
    if found is None:
        return None
    name, places = found[1], found[2].split(",")
    if any(not place.strip().isdigit() for place in places):
        return None
    place = tuple(int(place) for place in places)
    shapes = {param.value.name: param.value.shape for param in program.params}
    shape = shapes.get(name, ())
    inside = len(place) == len(shape) and all(k < size for k, size in zip(place, shape, strict=True))
    return (name, place) if inside else None


def split_by(program: Program, names: Iterable[str]) -> set[str]:
    """The arrays of which `names` has entries."""
    found = (entry_of(program, name) for name in names)
    return {entry[0] for entry in found if entry is not None}


def apart(program: Program, arrays: Collection[str]) -> Program:
    """The program whose `arrays` are given entry by entry."""
    if not arrays:
        return program
    params: list[Param] = []
    stacks: list[Instruction] = []
    for param in program.params:
        value = param.value
        if value.name not in arrays or not value.shape:
            params.append(param)
            continue
        entries = [Value(entry_name(value.name, place)) for place in np.ndindex(value.shape)]
        params += [Param(entry, param.differentiable) for entry in entries]
        stacks += _stacked(value, entries)
    return replace(program, params=tuple(params), instructions=(*stacks, *program.instructions))


def _stacked(value: Value, entries: list[Value]) -> Iterator[Instruction]:
    if len(value.shape) == 1:
        yield Apply(value, "stack", tuple(entries), (("axis", 0),))
        return
    row = Value(f"{value.name}[:]", (len(entries),))
    yield Apply(row, "stack", tuple(entries), (("axis", 0),))
    yield Apply(value, "reshape", (row,), (("shape", value.shape),))
