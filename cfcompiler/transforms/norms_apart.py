"""Program, norms -> Program: those norms as further inputs, what they are norms of as further results.

    program f(x) -> y                 program f(x, n) -> (y, u)
      u = stack ...                     u = stack ...
      n = norm2 u axes=(0)              y = add n ...
      y = add n ...                     inside = less_equal k n
                                        assert inside

Then f(x) is the first result at (x, |u(x)|), and smooth in all inputs where nothing else is at a kink. Norms that
stand in an arm of a branch are taken out of it before (`out_of_arms`). The root of a sum of squares is a norm too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from cfcompiler.builder import Builder
from cfcompiler.ir import Apply, Instruction, Param, Program, Value
from cfcompiler.source import NOWHERE
from cfcompiler.transforms.tidy import renamed
from cfcompiler.verify import arguments

# What is asserted of r = |u|: nothing; r >= 0; also r**2 <= 2 |u|**2 and |u|**2 <= 2 r**2, a cone around r = |u|.
Domain: TypeAlias = Literal["all", "half", "cone"]


@dataclass(frozen=True, slots=True)
class NormsApart:
    """`norms`: the new inputs; `vectors`: the entries of what each is the norm of, which follow the other results.

    `smooth`: no kink, branch or ordering is met on the way to the vectors.
    """

    program: Program
    norms: tuple[Value, ...]
    vectors: tuple[tuple[Value, ...], ...]
    smooth: bool


def norms_of(program: Program) -> dict[str, tuple[Value, ...]]:
    """For each norm what it is the norm of: norm2 of a vector, and the square root of a sum of squares."""
    made = {instruction.out.name: instruction for instruction in program.instructions}
    found = {}
    for instruction in program.instructions:
        if isinstance(instruction, Apply) and instruction.op in ("norm2", "sqrt"):
            (value,) = instruction.args
            entries = _stacked(made, value) if instruction.op == "norm2" else _squares(made, value)
            if entries and not instruction.out.shape:
                found[instruction.out.name] = entries
    return found


def _stacked(made: Mapping[str, Instruction], value: Value) -> tuple[Value, ...]:
    own = made.get(value.name)
    return own.args if isinstance(own, Apply) and own.op == "stack" else (value,)


def _squares(made: Mapping[str, Instruction], value: Value) -> tuple[Value, ...]:
    """What the terms are squares of, if `value` is a sum of squares."""
    found, waiting = [], [value]
    while waiting:
        own = made.get(waiting.pop().name)
        if not isinstance(own, Apply):
            return ()
        if own.op == "add":
            waiting.extend(reversed(own.args))
        elif (own.op == "mul" and own.args[0] == own.args[1]) or (
            own.op == "ipow" and own.attribute("n") == 2
        ):
            found.append(own.args[0])
        else:
            return ()
    return tuple(found)


def norms_apart(program: Program, names: Sequence[str], *, shared: bool, domain: Domain) -> NormsApart:
    """`program` with the norms called `names`, which stand outside of all branches, as inputs.

    `shared`: norms of what is computed alike become one input: a question about the function, not about the program.
    """
    builder = Builder(program.name, program.source, program.preset, program.formulas)
    builder.reserve(program)
    builder.params.extend(program.params)
    first: dict[object, Value] = {}
    alike: dict[str, object] = {}
    same: dict[str, Value] = {}
    entries = norms_of(program)
    vectors: list[tuple[Value, ...]] = []
    kept: list[Instruction] = []
    for instruction in program.instructions:
        alike[instruction.out.name] = _key(instruction, alike)
        if instruction.out.name not in names:
            kept.append(renamed(instruction, same))
            continue
        vector = entries[instruction.out.name]
        own = tuple(alike.get(value.name, value.name) for value in vector)
        key: object = own if shared else instruction.out.name
        if key in first:
            same[instruction.out.name] = first[key]
            continue
        first[key] = replace(instruction.out, branch=())
        vectors.append(vector)
    norms = tuple(first.values())
    builder.params.extend(Param(norm) for norm in norms)
    for instruction in kept:
        builder.copy(instruction)
    for norm, vector in zip(norms, vectors, strict=True):
        _assert(builder, norm, vector, domain)
    for assertion in program.assertions:
        condition = same.get(assertion.condition.name, assertion.condition)
        builder.assertion(condition, assertion.message, assertion.span)
    results = [same.get(result.name, result) for result in program.results]
    flat = [entry for vector in vectors for entry in vector]
    smooth = all(isinstance(one, Apply) and one.op not in _COMPARING for one in _behind(program, flat))
    return NormsApart(builder.finish([*results, *flat]), norms, tuple(vectors), smooth)


def _assert(builder: Builder, norm: Value, vector: Sequence[Value], domain: Domain) -> None:
    if domain == "all":
        return
    inside = [builder.apply("less_equal", builder.constant(0), norm)]
    if domain == "cone":
        two, own = builder.constant(Fraction(2)), builder.apply("mul", norm, norm)
        total = builder.constant(0)
        for entry in vector:
            square = builder.apply("mul", entry, entry)
            axes = tuple(range(len(entry.shape)))
            total = builder.apply("add", total, builder.apply("sum", square, axes=axes) if axes else square)
        inside.append(builder.apply("less_equal", own, builder.apply("mul", two, total)))
        inside.append(builder.apply("less_equal", total, builder.apply("mul", two, own)))
    for condition in inside:
        builder.assertion(condition, "", NOWHERE)


def out_of_arms(program: Program) -> Program:
    """`program` with norms computed outside of branches, with all that they need, where that needs no branch itself."""
    outside: dict[str, Value] = {}
    norms = norms_of(program)
    for instruction in program.instructions:
        if instruction.out.branch and instruction.out.name in norms:
            needed = [instruction, *_behind(program, arguments(instruction))]
            if all(isinstance(one, Apply) for one in needed):
                outside.update({one.out.name: replace(one.out, branch=()) for one in needed})
    if not outside:
        return program
    instructions = tuple(
        replace(renamed(one, outside), out=outside.get(one.out.name, one.out)) for one in program.instructions
    )
    return replace(program, instructions=instructions)


def _behind(program: Program, values: Sequence[Value]) -> list[Instruction]:
    """All instructions that `values` come from."""
    wanted = {value.name for value in values}
    found = []
    for instruction in reversed(program.instructions):
        if instruction.out.name in wanted:
            found.append(instruction)
            wanted.update(value.name for value in arguments(instruction))
    return found


_COMPARING = ("extremum", "argextremum", "order", "cumargextremum", "gather")


def _key(instruction: Instruction, alike: dict[str, object]) -> object:
    """Equal for what is computed alike, by rows of the table from the same inputs."""
    if not isinstance(instruction, Apply):
        return instruction.out.name
    args = tuple(alike.get(arg.name, arg.name) for arg in instruction.args)
    return (instruction.op, instruction.attributes, args)
