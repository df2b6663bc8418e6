"""Program -> its guards, and the program that computes their signs: the signature of a point.

A guard is a comparison or a kink as written; its switch is left - right. Comparisons of derivative formulas are none.
Source: signature vectors of Griewank 2013.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cfcompiler.builder import Builder
from cfcompiler.expressions import Expressions
from cfcompiler.ir import Apply, Kink, Program, Select, Value
from cfcompiler.primitives import COMPARISONS
from cfcompiler.source import Span
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import arguments, verify

NOT_REACHED, NOT_ORDERED = -128, 2


@dataclass(frozen=True, slots=True)
class Guard:
    """`out` is the comparison or the kink; `op` the operation as written, "if" or "where"."""

    out: Value
    left: Value
    right: Value
    op: str
    expression: str
    span: Span


def guards_of(program: Program) -> tuple[Guard, ...]:
    """The guards in program order."""
    texts, words = Expressions(program), _words(program)
    return tuple(
        Guard(out, left, right, words.get(out.name, op), texts.difference(left, right), span)
        for out, left, right, op, span in _switches(program)
    )


def _switches(program: Program) -> Iterator[tuple[Value, Value, Value, str, Span]]:
    for instruction in program.instructions:
        if isinstance(instruction, Kink):
            yield instruction.out, instruction.left, instruction.right, instruction.tie.name, instruction.span
        elif isinstance(instruction, Apply) and instruction.op in COMPARISONS:
            left, right = instruction.args
            yield instruction.out, left, right, instruction.op, instruction.span


def _words(program: Program) -> dict[str, str]:
    """Conditions by name, with what they decide: "if" or "where"."""
    words: dict[str, str] = {}
    for instruction in reversed(program.instructions):
        if isinstance(instruction, Select):
            words.setdefault(instruction.guard.name, "if" if instruction.lazy else "where")
        elif isinstance(instruction, Apply) and instruction.out.name in words:
            for value in instruction.args:
                if value.kind == "bool":
                    words.setdefault(value.name, words[instruction.out.name])
    return words


def branching_of(program: Program, outputs: int) -> frozenset[str]:
    """Comparisons that decide a branch on which the first `outputs` results depend: those that the user wrote."""
    makers = {instruction.out.name: instruction for instruction in program.instructions}
    words, found, seen = _words(program), set(), set()
    waiting = [value.name for value in program.results[:outputs]]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in makers:
            continue
        seen.add(name)
        instruction = makers[name]
        if isinstance(instruction, Apply) and instruction.op in COMPARISONS and name in words:
            found.add(name)
        waiting.extend(value.name for value in arguments(instruction))
        waiting.extend(guard for guard, _ in instruction.out.branch)
    return frozenset(found)


def signature(program: Program) -> Program:
    """Parameters of `program`; results the sign of every guard: 2 where unordered, -128 where not reached."""
    builder = Builder(f"{program.name}_signature", program.source, program.preset, program.formulas)
    builder.reserve(program)
    builder.params.extend(program.params)
    switches = {out.name: (left, right) for out, left, right, _, _ in _switches(program)}
    codes = {sign: builder.constant(sign) for sign in (-1, 0, 1, NOT_ORDERED, NOT_REACHED)}
    guards = {instruction.out.name: instruction.out for instruction in program.instructions}
    signs: list[Value] = []
    for instruction in program.instructions:
        builder.copy(instruction)
        if instruction.out.name in switches:
            left, right = switches[instruction.out.name]
            builder.span = instruction.span
            with builder.on(instruction.out.branch):
                signs.append(_sign(builder, left, right, codes))
    builder.span = replace(builder.span, line=0)
    results = [_lifted(builder, sign, guards, codes[NOT_REACHED]) for sign in signs]
    return verify(tidy(builder.finish(results)))


def checks(program: Program) -> Program:
    """Parameters of `program`; results 1 for every assertion that holds or is not reached, else 0."""
    builder = Builder(f"{program.name}_checks", program.source, program.preset, program.formulas)
    builder.reserve(program)
    builder.params.extend(program.params)
    for instruction in program.instructions:
        builder.copy(instruction)
    guards = {instruction.out.name: instruction.out for instruction in program.instructions}
    one = builder.constant(1)
    results = []
    for assertion in program.assertions:
        builder.span = assertion.span
        with builder.on(assertion.condition.branch):
            held = builder.apply("to_real", assertion.condition)
        results.append(_lifted(builder, held, guards, one))
    return verify(tidy(builder.finish(results)))


def _sign(builder: Builder, left: Value, right: Value, codes: dict[int, Value]) -> Value:
    sign = codes[NOT_ORDERED]
    for op, code in (("equal", 0), ("greater", 1), ("less", -1)):
        sign = builder.select(builder.apply(op, left, right), codes[code], sign, lazy=False)
    return sign


def _lifted(builder: Builder, sign: Value, guards: dict[str, Value], missing: Value) -> Value:
    """`sign` as seen from outside: `missing` where its branch is not taken."""
    while sign.branch:
        guard, truth = sign.branch[-1]
        with builder.on(sign.branch[:-1]):
            other = missing if not sign.shape else builder.apply("broadcast", missing, shape=sign.shape)
            then, orelse = (sign, other) if truth else (other, sign)
            sign = builder.select(guards[guard], then, orelse, lazy=True)
    return sign
