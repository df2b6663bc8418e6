"""Program, witness -> the operation that is to blame where the value or the derivative is not finite.

The program is run at the point in exact numbers. What is selected there is followed from the results backward: through
the arm of a branch that is taken, and the pieces of a kink that count. An operation without a finite value that is
selected is outside its domain; one with an infinite derivative that is selected is not locally Lipschitz there; one
of either kind that is not selected can only do harm by multiplying its infinity with a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.expressions import Expressions
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select
from cfcompiler.numbers import Exact, compare, is_special
from cfcompiler.operations import OPERATIONS
from cfcompiler.primitives import TABLE
from cfcompiler.verify import arguments

Kind = Literal["outside", "steep", "unselected"]
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Blame:
    """The operation, what it is to blame for, and the words for it."""

    kind: Kind
    instruction: Instruction
    what: str

    @property
    def word(self) -> str:
        return self.instruction.op if isinstance(self.instruction, Apply) else ""


def blame_at(program: Program, point: Mapping[str, Any]) -> Blame | None:
    """Whom to blame at `point`, of an unrolled program; None where nobody is found, or a number is not decided."""
    try:
        values = run(program, point, EXACT)
    except Undecided:
        return None
    texts = Expressions(program)
    selected = _selected(program, values, with_switches=True)
    for instruction in _without_value(program, values):
        if instruction.out.name in selected:
            return Blame("outside", instruction, f"{texts.of(instruction.out)} has no finite value")
    differentiated = _selected(program, values, with_switches=False)
    singular = [item for item in program.instructions if isinstance(item, Apply) and _singular(item, values)]
    for instruction in singular:
        if instruction.out.name in differentiated:
            return Blame("steep", instruction, f"the slope of {_written(texts, instruction)} is infinite")
    for instruction in _without_value(program, values):
        return Blame("unselected", instruction, f"{texts.of(instruction.out)} has no finite value")
    for instruction in singular:
        if instruction.out.name not in selected:
            return Blame(
                "unselected", instruction, f"the slope of {_written(texts, instruction)} is infinite"
            )
    definitions = {item.out.name: item for item in program.instructions}
    for result in program.results:
        if not _finite(values, result.name) and result.name in definitions:
            return Blame("outside", definitions[result.name], "the program has no finite value")
    return None


def _written(texts: Expressions, instruction: Apply) -> str:
    """The operation as the language has it, where SymPy has another name for it."""
    if instruction.op == "cbrt":
        return f"cbrt({texts.of(instruction.args[0])})"
    return texts.of(instruction.out)


def _entry(values: Mapping[str, Any], name: str) -> Exact | None:
    """The number of a scalar; None for arrays, and for what did not run."""
    if name not in values or np.shape(values[name]):
        return None
    value = values[name]
    return value[()] if isinstance(value, np.ndarray) else value


def _without_value(program: Program, values: Mapping[str, Any]) -> list[Apply]:
    """The operations that ran on numbers and gave none, in program order."""
    found = []
    for instruction in program.instructions:
        if not isinstance(instruction, Apply) or not instruction.args or instruction.out.kind != "real":
            continue
        out = _entry(values, instruction.out.name)
        if out is None or not is_special(out):
            continue
        if all(_finite(values, arg.name) for arg in instruction.args):
            found.append(instruction)
    return found


def _finite(values: Mapping[str, Any], name: str) -> bool:
    return all(not is_special(entry) for entry in np.reshape(np.asarray(values[name], dtype=object), -1))


def _selected(program: Program, values: Mapping[str, Any], *, with_switches: bool) -> set[str]:
    """The values on which the results depend at the point; with the switches that choose, or without."""
    found = {value.name for value in program.results}
    for instruction in reversed(program.instructions):
        if instruction.out.name in found and instruction.out.name in values:
            found.update(_followed(instruction, values, with_switches))
    return found


def _followed(instruction: Instruction, values: Mapping[str, Any], with_switches: bool) -> list[str]:
    match instruction:
        case Select(guard=guard, then=then, orelse=orelse):
            taken = _entry(values, guard.name)
            arms = [then, orelse] if taken is None else [then if taken else orelse]
            return [arm.name for arm in arms] + ([guard.name] if with_switches else [])
        case Kink(left=left, right=right, above=above, below=below):
            one, other = _entry(values, left.name), _entry(values, right.name)
            code = None if one is None or other is None else compare(one, other)
            pieces = [above] if code == 1 else [below] if code == -1 else [above, below]
            return [piece.name for piece in pieces] + ([left.name, right.name] if with_switches else [])
        case Apply():
            return [value.name for value in arguments(instruction)]


# Where the conditions of the rows hold; keyed by their texts.
_HOLDS: dict[str, Callable[[list[Exact], Exact], Exact]] = {
    "x == 0": lambda args, out: args[0],
    "x == 1": lambda args, out: OPERATIONS["sub"](args[0], _ONE),
    "x*x == 1": lambda args, out: OPERATIONS["sub"](OPERATIONS["mul"](args[0], args[0]), _ONE),
    "out == 0": lambda args, out: out,
}


def _singular(instruction: Apply, values: Mapping[str, Any]) -> bool:
    """Whether the operation has a finite value and an infinite derivative."""
    condition = TABLE[instruction.op].singular
    out = _entry(values, instruction.out.name)
    if condition is None or out is None or is_special(out) or condition not in _HOLDS:
        return False
    if instruction.op == "rpow" and Fraction(instruction.attribute("n")) >= 1:
        return False
    if instruction.op == "norm2":
        return False  # its slope is bounded; the derivative is 0/0
    args = [_entry(values, arg.name) for arg in instruction.args]
    if any(arg is None or is_special(arg) for arg in args):
        return False
    if instruction.op == "pow" and compare(args[1], _ONE) != -1:
        return False
    return compare(_HOLDS[condition](args, out), _ZERO) == 0
