"""Program -> its printed form: total, unambiguous, stable; language/program_text.py reads it back.

    text        ::= "program" name "(" params ")" "->" names, then the lines below, each indented by two spaces
    params      ::= name (":" "const"? kind? shape?)? separated by commas
    line        ::= "ties" string | "dense" "constants" | "formula" string mode index string
                  | branch? name (":" kind? shape?)? "=" operation place?
                  | "assert" name string place?
                  | "array" name shape, then its entries | "source" string, then its lines
    branch      ::= "[" (name | "not" name) separated by commas "]"           the guards, outermost first
    operation   ::= op name* (key "=" attribute)*
                  | "if" name "then" name "else" name                         a lazy select
                  | "where" name "then" name "else" name gate                 an eager one
                  | "kink" left ">" right "then" above "else" below tie       above where left > right
    tie         ::= name "(" mode ")" | name "(" "forward" mode "reverse" mode ")"
    mode        ::= weights "|" weights "|" gate     of the pieces above and below, where left <, =, > right, or NaN
    place       ::= "@" line ":" column "-" (line ":")? column

A name that is not a word is written as a string. `#` begins a comment. Real scalars are not annotated; kinds are
bool and int; shapes are [3] or [8, 2]. Attributes are integers, fractions (2/1 unless the key stands for a number),
strings, true, false, none, tuples in parentheses, and rule(...) for the rule of an extremum.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, assert_never

import numpy as np

from cfcompiler.formulas import Step, compile_formula
from cfcompiler.ir import (
    Apply,
    Assertion,
    Branch,
    Constant,
    Formulas,
    Instruction,
    Kink,
    Number,
    Param,
    Program,
    Select,
    Tie,
    TieMode,
    Value,
    Weights,
)
from cfcompiler.primitives import TABLE
from cfcompiler.source import NOWHERE, Source, Span
from cfcompiler.ties import Reduction

# Attributes that hold numbers of the program: there 2 means the fraction 2/1, and pi is the number.
NUMBER_KEYS = frozenset(("n", "value", "weights"))
NUMBER_WORDS = frozenset(("pi", "e", "inf", "-inf", "nan"))
WIDTH = 100
_WORD = re.compile(r"[^\W\d]\w*")


def emit(program: Program, *, spans: bool = True, source: bool = True, unused: bool = True) -> str:
    """The printed form. Without `spans` and `source` the same program, but nothing in it points at its text.

    Without `unused`, formulas that no derivative of the program, of whatever order, can need are left out.
    """
    if not unused:
        program = replace(program, formulas=_needed(program))
    return "\n".join(_lines(program, spans, source)) + "\n"


def _needed(program: Program) -> Formulas:
    """The formulas of the operations in the program, in its derivatives, in theirs, and so on."""
    texts = program.formulas.texts
    waiting = [step.op for step in program.instructions if isinstance(step, Apply)]
    reached: set[str] = set()
    while waiting:
        op = waiting.pop()
        if op in reached or op not in TABLE:
            continue
        reached.add(op)
        formulas = [text for key, text in texts if key[0] == op] + [
            text for text in TABLE[op].derivatives if text
        ]
        for text in formulas:
            for step in compile_formula(text):
                waiting.append(_power(op, step) if step.op == "static_power" else step.op)
    kept = tuple((key, text) for key, text in texts if key[0] in reached)
    return replace(program.formulas, texts=kept)


def _power(op: str, step: Step) -> str:
    """The row of a power in a formula: of the same kind where its exponent is made from the row's own n."""
    assert step.exponent is not None
    relative, offset = step.exponent
    return op if relative else "ipow" if offset.denominator == 1 else "rpow"


def _lines(program: Program, spans: bool, source: bool) -> Iterator[str]:
    params = ", ".join(_param(param) for param in program.params)
    results = ", ".join(_name(value.name) for value in program.results)
    yield f"program {_name(program.name)}({params}) -> {results}".rstrip()
    yield f"  ties {_string(program.preset)}"
    if program.formulas.dense_constants:
        yield "  dense constants"
    if program.formulas.one_mode:
        yield "  one mode"
    for instruction in program.instructions:
        place = _place(instruction.span) if spans else ""
        yield f"  {_branch(instruction.out.branch)}{_typed(instruction.out)} = {_operation(instruction)}{place}"
    for assertion in program.assertions:
        yield f"  {_assertion(assertion)}{_place(assertion.span) if spans else ''}"
    for (op, mode, index), text in program.formulas.texts:
        yield f"  formula {_string(op)} {_name(mode)} {index} {_string(text)}"
    for constant in program.constants:
        yield from _constant(constant)
    if source:
        yield from _source(program.source)


def _name(name: str) -> str:
    return name if _WORD.fullmatch(name) and name != "not" else _string(name)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _kind_and_shape(value: Value) -> str:
    kind = "" if value.kind == "real" else value.kind
    return " ".join(part for part in (kind, _shape(value.shape) if value.shape else "") if part)


def _shape(shape: Iterable[int]) -> str:
    return "[" + ", ".join(map(str, shape)) + "]"


def _typed(value: Value) -> str:
    notes = _kind_and_shape(value)
    return f"{_name(value.name)}: {notes}" if notes else _name(value.name)


def _param(param: Param) -> str:
    if param.value.branch:
        raise ValueError(f"the input {param.value.name} stands on a branch")
    if param.differentiable:
        return _typed(param.value)
    return f"{_name(param.value.name)}: const {_kind_and_shape(param.value)}".rstrip()


def _branch(branch: Branch) -> str:
    if not branch:
        return ""
    return "[" + ", ".join(_name(guard) if truth else f"not {_name(guard)}" for guard, truth in branch) + "] "


def _place(span: Span) -> str:
    if span == NOWHERE:
        return ""
    end = f"{span.end_column}" if span.end_line == span.line else f"{span.end_line}:{span.end_column}"
    return f"  @{span.line}:{span.column}-{end}"


def _operation(instruction: Instruction) -> str:
    match instruction:
        case Apply():
            words = [_name(instruction.op), *(_name(arg.name) for arg in instruction.args)]
            words += [
                f"{_name(key)}={_attribute(value, key in NUMBER_KEYS)}"
                for key, value in instruction.attributes
            ]
            return " ".join(words)
        case Select():
            guard, then, orelse = (
                _name(value.name) for value in (instruction.guard, instruction.then, instruction.orelse)
            )
            if instruction.lazy:
                extra = "" if instruction.gate == "select" else f" {instruction.gate}"
                return f"if {guard} then {then} else {orelse}{extra}"
            return f"where {guard} then {then} else {orelse} {instruction.gate}"
        case Kink():
            left, right, above, below = (
                _name(value.name)
                for value in (instruction.left, instruction.right, instruction.above, instruction.below)
            )
            return f"kink {left} > {right} then {above} else {below} {_tie(instruction.tie)}"
        case _:
            assert_never(instruction)


def _tie(tie: Tie) -> str:
    if tie.forward == tie.reverse:
        return f"{_name(tie.name)}({_mode(tie.forward)})"
    return f"{_name(tie.name)}(forward {_mode(tie.forward)} reverse {_mode(tie.reverse)})"


def _mode(mode: TieMode) -> str:
    return f"{_weights(mode.above)} | {_weights(mode.below)} | {mode.gate}"


def _weights(weights: Weights) -> str:
    return " ".join(_number(weight) for weight in weights.as_tuple())


def _number(number: Number) -> str:
    """A number of the program. An int counts as the fraction it is equal to."""
    if isinstance(number, str):
        return number if number in NUMBER_WORDS else _string(number)
    return str(Fraction(number))


def _attribute(value: Any, number: bool) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case tuple():
            return "(" + ", ".join(_attribute(entry, number) for entry in value) + ")"
        case Fraction() if not number:
            return f"{value.numerator}/{value.denominator}"
        case Fraction() | int():
            return str(value)
        case str():
            return _number(value) if number else _string(value)
        case Reduction():
            return _rule(value)
    raise TypeError(f"an attribute cannot be a {type(value).__name__}")


def _rule(rule: Reduction) -> str:
    tie = rule.tie if isinstance(rule.tie, str) else _attribute(rule.tie, True)
    words = (rule.gate_forward, rule.gate_reverse, rule.nan_forward, rule.nan_reverse)
    return f"rule({_string(rule.name)}, {tie}, {', '.join(words)})"


def _assertion(assertion: Assertion) -> str:
    return f"assert {_name(assertion.condition.name)} {_string(assertion.message)}"


def _constant(constant: Constant) -> Iterator[str]:
    """Entries in C order, as many a line as fit; repr of a float64 is exact."""
    yield f"  array {_name(constant.name)} {_shape(constant.data.shape)}"
    line = ""
    for entry in np.reshape(constant.data, -1).tolist():
        word = repr(entry)
        if line and len(line) + len(word) > WIDTH:
            yield f"    {line}"
            line = ""
        line = f"{line} {word}" if line else word
    if line:
        yield f"    {line}"


def _source(source: Source) -> Iterator[str]:
    """The text of the program, a line a line; lines with invisible characters or a blank end as strings."""
    yield f"  source {_string(source.path)}"
    for line in source.text.split("\n"):
        if line.isprintable() and not line.endswith(" "):
            yield f"    | {line}".rstrip(" ")
        else:
            yield f"    {_string(line)}"
