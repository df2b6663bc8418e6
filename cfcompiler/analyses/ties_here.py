"""Program, point -> the operations that run there and are tied, one for each tied entry of an array.

A tie of an ordering or of a maximum over many is told pair by pair: the difference of two equal keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from cfcompiler.arithmetic import EXACT
from cfcompiler.expressions import Expressions
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Value
from cfcompiler.number_text import to_text
from cfcompiler.numbers import compare, is_special
from cfcompiler.operations import OPERATIONS
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.report import TieHere
from cfcompiler.source import Span
from cfcompiler.transforms.activity import active_values
from cfcompiler.verify import arguments

Place: TypeAlias = tuple[int, ...]
_ORDERINGS = ("order", "argextremum", "cumargextremum")


def ties_here(program: Program, point: Mapping[str, Any]) -> list[TieHere]:
    """The ties at `point`, in program order."""
    return [tie for _, ties in tied_operations(program, point) for tie in ties]


def tied_operations(
    program: Program, point: Mapping[str, Any]
) -> list[tuple[Instruction, tuple[TieHere, ...]]]:
    """The operations that are tied at `point`, in program order, each with its ties."""
    found: list[tuple[Instruction, tuple[TieHere, ...]]] = []
    texts = Expressions(program)
    deciding = deciding_comparisons(program)

    def watch(instruction: Instruction, values: Mapping[str, Any]) -> None:
        span = instruction.span
        match instruction:
            case Kink(left=left, right=right):
                word, guards = instruction.tie.name, _entries(texts, left, right, values)
            case Apply(op=op, args=args) if op in COMPARISONS and instruction.out.name in deciding:
                word, guards = deciding[instruction.out.name], _entries(texts, args[0], args[1], values)
            case Apply(op="extremum"):
                word, guards = instruction.attribute("rule").name, _extremes(texts, instruction, values)
            case Apply(op=op) if TABLE[op].jumps:
                word, guards = op, _jumps(texts, instruction, values)
            case Apply(op=op) if op in _ORDERINGS:
                word, guards = ordering_word(instruction), _keys(texts, instruction, values)
            case _:
                return
        ties = tuple(TieHere(span.line, span.column, guard, word) for guard in guards)
        if ties:
            found.append((instruction, ties))

    run(program, point, EXACT, watch)
    return found


def ordering_word(instruction: Apply) -> str:
    """What an instruction that puts keys in order, or finds the place of an extremum, is called."""
    match instruction.op:
        case "argextremum":
            return f"arg{instruction.attribute('sense')}"
        case "cumargextremum":
            return f"cum{instruction.attribute('sense')}"
    return "sort"


def _entries(texts: Expressions, left: Value, right: Value, values: Mapping[str, Any]) -> Iterator[str]:
    """The switches that are zero, entry by entry."""
    codes = EXACT.compare(values[left.name], values[right.name])
    for place in np.argwhere(codes == 0):
        yield texts.difference(left, right, _own(left, place), _own(right, place))


def _jumps(texts: Expressions, instruction: Apply, values: Mapping[str, Any]) -> Iterator[str]:
    """The arguments of a step that stand where it jumps, entry by entry."""
    op, args = instruction.op, instruction.args
    arrays: Any = np.broadcast_arrays(*(values[arg.name] for arg in args))
    for place in np.ndindex(instruction.out.shape):
        x, text = arrays[0][place], texts.entry(args[0], _own(args[0], place))
        if op in ("fmod", "remainder"):
            x = OPERATIONS["div"](x, arrays[1][place])
            text = f"({text})/({texts.entry(args[1], _own(args[1], place))})"
        if not is_special(x) and _is_jump(op, x):
            yield text if compare(x, Fraction(0)) == 0 else f"{text} - {to_text(x)}".replace("- -", "+ ")


def _is_jump(op: str, x: Any) -> bool:
    """Whether the step (of a quotient, for the remainders) jumps at x."""
    if op in ("sign", "heaviside"):
        return compare(x, Fraction(0)) == 0
    if op == "round":
        x = OPERATIONS["add"](x, Fraction(1, 2))
    whole = compare(OPERATIONS["floor"](x), x) == 0
    return whole and not (op in ("trunc", "fmod") and compare(x, Fraction(0)) == 0)


def _own(value: Value, place: Any) -> Place:
    """The place of an entry of a broadcast result in one of its operands."""
    rank = len(value.shape)
    own = place[len(place) - rank :] if rank else ()
    return tuple(0 if size == 1 else int(index) for index, size in zip(own, value.shape, strict=True))


def _extremes(texts: Expressions, instruction: Apply, values: Mapping[str, Any]) -> Iterator[str]:
    """Of each maximum or minimum, the first entry that attains it against the others that do."""
    (x,) = instruction.args
    axes = instruction.attribute("axes")
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    attained = EXACT.compare(values[x.name], np.reshape(values[instruction.out.name], kept)) == 0
    first: dict[Place, Place] = {}
    for entry in np.argwhere(attained):
        place = tuple(int(index) for index in entry)
        row = tuple(index for axis, index in enumerate(place) if axis not in axes)
        if row in first:
            yield texts.difference(x, x, first[row], place)
        first.setdefault(row, place)


def _keys(texts: Expressions, instruction: Apply, values: Mapping[str, Any]) -> Iterator[str]:
    """Pairs of equal keys that an ordering or a place of a maximum had to tell apart."""
    (x,) = instruction.args
    axis = instruction.attribute("axis")
    keys = np.moveaxis(values[x.name], axis, -1)
    places = values[instruction.out.name]
    rows = np.moveaxis(places, axis, -1) if np.ndim(places) == np.ndim(keys) else np.expand_dims(places, -1)
    for row in np.ndindex(keys.shape[:-1]):
        for one, other in _pairs(instruction.op, keys[row], [int(place) for place in rows[row]]):
            yield texts.difference(x, x, (*row[:axis], one, *row[axis:]), (*row[:axis], other, *row[axis:]))


def _pairs(op: str, keys: Any, places: list[int]) -> Iterator[tuple[int, int]]:
    if op == "order":
        candidates = list(zip(places, places[1:], strict=False))
    elif op == "argextremum":
        candidates = [(places[0], other) for other in range(len(keys)) if other != places[0]]
    else:
        candidates = [
            (place, other) for position, place in enumerate(places) for other in range(position + 1)
        ]
        candidates = list(dict.fromkeys((min(pair), max(pair)) for pair in candidates if pair[0] != pair[1]))
    for one, other in candidates:
        pair = [np.asarray(keys[place], dtype=object) for place in (one, other)]
        if EXACT.compare(*pair) == 0:
            yield one, other


def deciding_comparisons(program: Program) -> dict[str, str]:
    """Comparisons that guard a select, with the word for it: if or where.

    Masks that the text of a function of the language makes, and not the user, are none: equalities, and comparisons
    of what does not move. They stand at the place of the call, as their select does.
    """
    words: dict[str, str] = {}
    moving = active_values(program)
    spans: dict[str, set[Span]] = {}
    for instruction in reversed(program.instructions):
        if isinstance(instruction, Select) and instruction.guard.kind == "bool":
            words.setdefault(instruction.guard.name, "if" if instruction.lazy else "where")
            if not instruction.lazy:  # the prelude has no `if`
                spans.setdefault(instruction.guard.name, set()).add(instruction.span)
        if instruction.out.name not in words:
            continue
        own = instruction.span in spans.get(instruction.out.name, ())
        still = not any(value.name in moving for value in arguments(instruction))
        if isinstance(instruction, Apply) and own and (still or instruction.op in ("equal", "not_equal")):
            del words[instruction.out.name]
            continue
        for value in arguments(instruction):
            if value.kind == "bool":
                words.setdefault(value.name, words[instruction.out.name])
                spans.setdefault(value.name, set()).update(spans.get(instruction.out.name, ()))
    return words
