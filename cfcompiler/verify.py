"""The invariants of a program, checked: what every transform may assume and must leave."""

from __future__ import annotations

from cfcompiler.ir import Apply, Branch, Instruction, Kink, Program, Select, Value
from cfcompiler.shapes import ShapeError, result_of


class InvariantError(AssertionError):
    """A program that breaks an invariant: a bug of the compiler, never of the user."""


def arguments(instruction: Instruction) -> tuple[Value, ...]:
    """The values an instruction uses."""
    match instruction:
        case Apply():
            return instruction.args
        case Select():
            return (instruction.guard, instruction.then, instruction.orelse)
        case Kink():
            return (instruction.left, instruction.right, instruction.above, instruction.below)


def verify(program: Program) -> Program:
    """`program` itself, if the invariants of ir.py hold. Raises InvariantError."""
    defined: dict[str, Value] = {}
    for param in program.params:
        _define(defined, param.value)
    for instruction in program.instructions:
        for guard, _ in instruction.out.branch:
            if guard not in defined:
                raise InvariantError(f"{instruction.out.name} runs under {guard}, which is not visible there")
        _check_uses(defined, instruction)
        _check_shape(instruction)
        _define(defined, instruction.out)
    for value in program.results:
        if defined.get(value.name) != value or value.branch:
            raise InvariantError(f"result {value.name} is not a value of the outermost branch")
    return program


def _define(defined: dict[str, Value], value: Value) -> None:
    if value.name in defined:
        raise InvariantError(f"{value.name} is defined twice")
    defined[value.name] = value


def _check_uses(defined: dict[str, Value], instruction: Instruction) -> None:
    branch = instruction.out.branch
    for value in arguments(instruction):
        if defined.get(value.name) != value:
            raise InvariantError(f"{instruction.out.name} uses {value.name} before it is defined")
        if value.branch and not _visible(value.branch, branch, instruction, value):
            raise InvariantError(
                f"{value.name} leaves its branch without a select, in {instruction.out.name}"
            )


def _visible(inner: Branch, outer: Branch, instruction: Instruction, value: Value) -> bool:
    here = set(outer)
    if isinstance(instruction, Select) and instruction.lazy and value is not instruction.guard:
        taken = value == instruction.then
        if taken and set(inner) <= here | {(instruction.guard.name, True)}:
            return True
        return value == instruction.orelse and set(inner) <= here | {(instruction.guard.name, False)}
    return set(inner) <= here


def _check_shape(instruction: Instruction) -> None:
    match instruction:
        case Apply():
            op, attributes = instruction.op, dict(instruction.attributes)
        case Select():
            op, attributes = "select", {"lazy": instruction.lazy}
        case Kink():
            op, attributes = "kink", {}
    try:
        shape, kind = result_of(op, arguments(instruction), attributes)
    except (ShapeError, KeyError) as error:
        raise InvariantError(f"{instruction.out.name} = {op}: {error}") from error
    if (shape, kind) != (instruction.out.shape, instruction.out.kind):
        raise InvariantError(
            f"{instruction.out.name} has shape {instruction.out.shape}, its row says {shape}"
        )
