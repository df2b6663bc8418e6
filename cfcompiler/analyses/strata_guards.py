"""The guards that were met -> how they are called: "g1", "g2", ... in evaluation order, their texts and places."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from cfcompiler.analyses.affine_machine import Guard
from cfcompiler.analyses.ties_here import deciding_comparisons, ordering_word
from cfcompiler.expressions import Expressions
from cfcompiler.ir import Apply, Kink, Program, Value
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.report import GuardInfo


def named_guards(
    program: Program, met: Mapping[Guard, bool]
) -> tuple[dict[Guard, str], tuple[GuardInfo, ...]]:
    """The ids of the guards, and what they are. `met`: whether a guard moves anywhere.

    What does not, and is no comparison that the user wrote (a test for NaN within a median), has no id.
    """
    texts = Expressions(program)
    words = deciding_comparisons(program)
    ids: dict[Guard, str] = {}
    found: list[GuardInfo] = []
    for guard in sorted(met):
        instruction = program.instructions[guard.instruction]
        own = not isinstance(instruction, Apply) or instruction.op not in COMPARISONS
        if not (met[guard] or own or instruction.out.name in words):
            continue
        ids[guard] = f"g{len(ids) + 1}"
        span = instruction.span
        op, text = _described(program, texts, words, guard)
        found.append(GuardInfo(ids[guard], text, op, span.line, span.column))
    return ids, tuple(found)


def _described(program: Program, texts: Expressions, words: dict[str, str], guard: Guard) -> tuple[str, str]:
    """The operation as written, and the switch."""
    instruction = program.instructions[guard.instruction]
    if isinstance(instruction, Kink):
        return instruction.tie.name, _entries(texts, instruction.left, instruction.right, guard.entry)
    assert isinstance(instruction, Apply)
    if instruction.op in COMPARISONS:
        left, right = instruction.args
        word = words.get(instruction.out.name, instruction.op)
        return word, _entries(texts, left, right, guard.entry)
    if TABLE[instruction.op].jumps:
        return instruction.op, _level(texts, instruction, guard)
    (x,) = instruction.args
    one, other = (_in_row(instruction, x, guard.entry, place) for place in guard.pair)
    word = instruction.attribute("rule").name if instruction.op == "extremum" else ordering_word(instruction)
    return word, texts.difference(x, x, one, other)


def _entries(texts: Expressions, left: Value, right: Value, place: tuple[int, ...]) -> str:
    return texts.difference(left, right, _own(left, place), _own(right, place))


def _own(value: Value, place: tuple[int, ...]) -> tuple[int, ...]:
    """The place of an entry of a broadcast result in one of its operands."""
    rank = len(value.shape)
    own = place[len(place) - rank :] if rank else ()
    return tuple(0 if size == 1 else index for index, size in zip(own, value.shape, strict=True))


def _level(texts: Expressions, instruction: Apply, guard: Guard) -> str:
    """The argument of a step minus a level at which it jumps."""
    x = instruction.args[0]
    text = texts.entry(x, _own(x, guard.entry))
    if instruction.op in ("fmod", "remainder"):
        y = instruction.args[1]
        text = f"({text})/({texts.entry(y, _own(y, guard.entry))})"
    if instruction.op in ("sign", "heaviside"):
        return text
    level = Fraction(*guard.pair)
    if level == 0:
        return text
    return f"{text} {'-' if level > 0 else '+'} {abs(level)}"


def _in_row(instruction: Apply, x: Value, row: tuple[int, ...], place: int) -> tuple[int, ...]:
    """The place in `x` of an entry of the row that an ordering or an extremum works on."""
    if instruction.op != "extremum":
        axis = instruction.attribute("axis")
        return (*row[:axis], place, *row[axis:])
    axes = instruction.attribute("axes")
    inner: dict[int, int] = {}
    for axis in sorted(axes, key=lambda axis: list(axes).index(axis), reverse=True):
        place, inner[axis] = divmod(place, x.shape[axis])
    outer = iter(row)
    return tuple(inner[axis] if axis in inner else next(outer) for axis in range(len(x.shape)))
