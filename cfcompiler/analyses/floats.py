"""Program, point -> what float64 does there, and where that is not what happens on the real line.

The program and its derivatives run in float64 at the floats nearest to the point, and in exact numbers at the point
itself. Three things can differ: the point, the signs of guards, the numbers. A number is said to differ where it is
special in one of the two alone, or further from the exact one than LOST units in the last place: less is rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.jacobians import both_modes
from cfcompiler.analyses.sides import entry_name
from cfcompiler.analyses.ties_here import deciding_comparisons
from cfcompiler.arithmetic import EXACT, FLOATS, nearest_floats
from cfcompiler.expressions import Expressions
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Kink, Program, Value
from cfcompiler.number_text import parse_number, to_text
from cfcompiler.primitives import COMPARISONS
from cfcompiler.report import FloatReport, GuardInFloats, Nested, PointReport, Row

LOST = 2**20  # units in the last place: 6 of the 16 digits
SHORT = 24  # characters of an exact number that is shown as it is
_SIGNS = {-1: "-", 0: "0", 1: "+", 2: "nan"}
Codes = dict[tuple[int, int, str, str], str]


def floats_at(program: Program, point: Mapping[str, Any], report: PointReport) -> FloatReport:
    """What float64 does at `point`; `report` is the exact answer. Raises Undecided."""
    inputs = {name: nearest_floats(array) for name, array in point.items()}
    exact_codes, float_codes = _signs(program, point, EXACT), _signs(program, inputs, FLOATS)
    values = run(program, inputs, FLOATS)
    results = [_texts(values[value.name]) for value in program.results]
    moving = [param.value for param in program.params if param.differentiable]
    forward, backward = ([_row(moving, row) for row in rows] for rows in both_modes(program, inputs))
    value = results[0] if len(results) == 1 else list(results)
    compared = [
        ("the value", value, report.value),
        (
            "forward AD",
            [list(row.values()) for row in forward],
            [list(row.values()) for row in report.forward],
        ),
        (
            "backward AD",
            [list(row.values()) for row in backward],
            [list(row.values()) for row in report.backward],
        ),
    ]
    return FloatReport(
        {name: _texts(array) for name, array in inputs.items()},
        dict(_moved(point, inputs)),
        value,
        tuple(forward),
        tuple(backward),
        sum(sign == "0" for sign in float_codes.values()),
        sum(sign == "0" for sign in exact_codes.values()),
        tuple(_differences(exact_codes, float_codes)),
        tuple(note for name, own, exact in compared for note in _notes(name, _leaves(own), _leaves(exact))),
    )


def _texts(array: Any) -> Nested:
    """Floats as Python writes them, in nested lists."""
    if not np.shape(array):
        return repr(float(array))
    return [_texts(entry) for entry in array]


def _leaves(nested: Any) -> list[str]:
    return [nested] if isinstance(nested, str) else [leaf for part in nested for leaf in _leaves(part)]


def _moved(point: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[tuple[str, Nested]]:
    """Entries of the point that are no float64, with the exact number that stands for them."""
    for name, array in point.items():
        for place in np.ndindex(np.shape(array)):
            own = numbers.from_float(float(inputs[name][place]))
            exact = array[place]
            if own != exact and not (numbers.is_special(own) and numbers.is_special(exact)):
                yield entry_name(name, place), to_text(own)


# derivatives


def _row(moving: Sequence[Value], arrays: Sequence[Any]) -> Row:
    return {value.name: _texts(array) for value, array in zip(moving, arrays, strict=True)}


# guards


def _signs(program: Program, inputs: Mapping[str, Any], arithmetic: Any) -> Codes:
    """The sign of each guard that is reached: line, column, operation, text -> sign."""
    texts = Expressions(program)
    deciding = deciding_comparisons(program)
    found: Codes = {}

    def note(instruction: Instruction, word: str, guard: str, code: Any) -> None:
        found[(instruction.span.line, instruction.span.column, word, guard)] = _SIGNS[int(code)]

    def watch(instruction: Instruction, values: Mapping[str, Any]) -> None:
        match instruction:
            case Kink(left=left, right=right):
                word = instruction.tie.name
            case Apply(op=op, args=(left, right)) if op in COMPARISONS and instruction.out.name in deciding:
                word = deciding[instruction.out.name]
            case Apply(op="extremum", args=(x,)):
                word, sense = instruction.attribute("rule").name, instruction.attribute("sense")
                codes = _against_the_others(instruction, values, arithmetic)
                for place in np.ndindex(x.shape):
                    note(instruction, word, f"{texts.entry(x, place)} - {sense}(the others)", codes[place])
                return
            case _:
                return
        codes = arithmetic.compare(values[left.name], values[right.name])
        for place in np.ndindex(np.shape(codes)):
            guard = texts.difference(left, right, _own(left, place), _own(right, place))
            note(instruction, word, guard, codes[place])

    run(program, inputs, arithmetic, watch)
    return found


def _against_the_others(instruction: Apply, values: Mapping[str, Any], arithmetic: Any) -> Any:
    """For each entry its sign against the maximum (minimum) of the other entries: 0 where several attain it."""
    top = values[instruction.out.name]
    axes = instruction.attribute("axes")
    for axis in sorted(axes):
        top = np.expand_dims(top, axis)
    codes = np.array(arithmetic.compare(values[instruction.args[0].name], top))
    alone = np.sum(codes == 0, axis=axes, keepdims=True) == 1
    return np.where((codes == 0) & alone, 1 if instruction.attribute("sense") == "max" else -1, codes)


def _own(value: Value, place: Sequence[int]) -> tuple[int, ...]:
    """The entry of a broadcast argument that stands at a place of the result."""
    places = place[len(place) - len(value.shape) :]
    return tuple(0 if size == 1 else int(index) for index, size in zip(places, value.shape, strict=True))


def _differences(exact: Codes, floats: Codes) -> Iterator[GuardInFloats]:
    for key in dict.fromkeys((*exact, *floats)):
        own, other = floats.get(key, ""), exact.get(key, "")
        if own != other:
            line, column, op, guard = key
            yield GuardInFloats(line, column, op, guard, own, other)


# numbers


def _notes(name: str, floats: Sequence[str], exact: Sequence[str]) -> Iterator[str]:
    """One sentence on the first entry that differs beyond rounding."""
    for own, text in zip(floats, exact, strict=True):
        note = _note(float(own), text)
        if note:
            yield f"{name} in float64 is {own}: {note}"
            return


def _note(own: float, text: str) -> str:
    try:
        exact = parse_number(text)
        nearest = numbers.to_float(exact)
    except (ValueError, numbers.Undecided, numbers.TooLarge):
        return ""
    if np.isnan(own) or np.isnan(nearest):
        if np.isnan(own) == np.isnan(nearest):
            return ""
        if np.isnan(own):
            return "on the real line it is a number; an intermediate value overflows, or loses its sign to rounding"
        return "on the real line there is no number here"
    if np.isinf(own) and not numbers.is_special(exact):
        return "it overflows; the exact number is finite"
    if np.isinf(own) or np.isinf(nearest):
        return "" if own == nearest else "on the real line it is " + text
    if own == nearest:
        return ""
    with np.errstate(all="ignore"):
        distance = abs(own - nearest) / np.spacing(max(abs(nearest), np.finfo(np.float64).tiny))
    if distance <= LOST:
        return ""
    return f"the exact number is {text if len(text) <= SHORT else f'{nearest!r} to 16 digits'}"
