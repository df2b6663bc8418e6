"""Program -> Program: single entries of a sorted vector ask for single places of its order.

    t = order x                         t = order x
    t_2 = gather x t                    i = index t [4999]
    t_3 = index t_2 [0:5000]            t_4 = gather x i
    t_4 = index t_3 [4999]

and so for the transposes. The order itself is then read at a few places only, which a partition finds without a sort
and with the same choice among equal entries. No selection is merged or split: the places are the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cfcompiler.ir import Apply, Instruction, Program, Value
from cfcompiler.transforms.tidy import tidy

MOST_RANKS = 4  # of one order that are looked for by partition; beyond, one sort is quicker


def ranked(program: Program) -> Program:
    """The program with entries of sorted vectors taken one by one."""
    definition: dict[str, Apply] = {}
    places: dict[tuple[str, int], Value] = {}
    kept: list[Instruction] = []
    for instruction in program.instructions:
        if isinstance(instruction, Apply):
            instruction = _rewritten(instruction, definition, places, kept)
            definition[instruction.out.name] = instruction
        kept.append(instruction)
    if not places:
        return program
    return tidy(replace(program, instructions=tuple(kept)))


def _rewritten(
    instruction: Apply,
    definition: Mapping[str, Apply],
    places: dict[tuple[str, int], Value],
    kept: list[Instruction],
) -> Apply:
    match instruction:
        case Apply(op="index", args=(x,)):
            return _entry(
                instruction, *_whole(x, instruction.attribute("key"), definition), definition, places, kept
            )
        case Apply(op="scatter", args=(x, order)) if not instruction.attribute("scalar") and _is_order(
            order, definition
        ):
            found = _single(x, definition)
            if found is not None:
                entry, rank = found
                place = _place(order, rank, places, kept, instruction)
                attributes = {**dict(instruction.attributes), "scalar": True}
                return replace(instruction, args=(entry, place), attributes=tuple(sorted(attributes.items())))
    return instruction


def _whole(x: Value, key: Any, definition: Mapping[str, Apply]) -> tuple[Value, Any]:
    """An index of a slice of a vector as an index of the vector."""
    inner = definition.get(x.name)
    while len(key) == 1 and isinstance(key[0], int) and inner is not None and inner.op == "index":
        outer = inner.attribute("key")
        if len(outer) != 1 or isinstance(outer[0], int) or len(inner.args[0].shape) != 1:
            break
        key = (range(*outer[0])[key[0]],)
        x = inner.args[0]
        inner = definition.get(x.name)
    return x, key


def _entry(
    instruction: Apply,
    x: Value,
    key: Any,
    definition: Mapping[str, Apply],
    places: dict[tuple[str, int], Value],
    kept: list[Instruction],
) -> Apply:
    inner = definition.get(x.name)
    single = len(key) == 1 and isinstance(key[0], int) and len(x.shape) == 1
    if single and inner is not None and inner.op == "gather" and _is_order(inner.args[1], definition):
        place = _place(inner.args[1], key[0], places, kept, instruction)
        return replace(instruction, op="gather", args=(inner.args[0], place), attributes=(("axis", 0),))
    return (
        replace(instruction, args=(x,), attributes=(("key", key),))
        if x is not instruction.args[0]
        else instruction
    )


def _is_order(value: Value, definition: Mapping[str, Apply]) -> bool:
    instruction = definition.get(value.name)
    return instruction is not None and instruction.op == "order" and len(value.shape) == 1


def _single(x: Value, definition: Mapping[str, Apply]) -> tuple[Value, int] | None:
    """The one entry of a vector that is zero elsewhere, and its place."""
    instruction = definition.get(x.name)
    if instruction is None or instruction.op != "place" or len(x.shape) != 1:
        return None
    (key,) = instruction.attribute("key")
    if isinstance(key, int):
        return instruction.args[0], key
    found = _single(instruction.args[0], definition)
    return None if found is None else (found[0], range(*key)[found[1]])


def _place(
    order: Value, rank: int, places: dict[tuple[str, int], Value], kept: list[Instruction], near: Apply
) -> Value:
    """The place of the entry of that rank, as a value."""
    if (order.name, rank) not in places:
        out = Value(f"{order.name}[{rank}]", (), "int", order.branch)
        kept.append(Apply(out, "index", (order,), (("key", (rank,)),), near.span))
        places[order.name, rank] = out
    return places[order.name, rank]
