"""Instructions one after another to a Program: shapes inferred, names made unique, the branch kept.

What lowering and every transform use to write programs; the shape rules are in shapes.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.formulas import Step, compile_formula, decided
from cfcompiler.ir import (
    Apply,
    Assertion,
    Branch,
    Constant,
    Formulas,
    Gate,
    Instruction,
    Kink,
    Number,
    Param,
    Program,
    Select,
    Shape,
    Tie,
    Value,
)
from cfcompiler.shapes import result_of
from cfcompiler.source import NOWHERE, Source, Span


class Builder:
    """Appends instructions. Every method that makes a value returns it.

    Shape errors are raised as `shapes.ShapeError` (a ValueError whose text says what disagrees); lowering turns them
    into diagnostics at the place of the expression.
    """

    def __init__(
        self, name: str, source: Source, preset: str = "torch", formulas: Formulas | None = None
    ) -> None:
        self.name = name
        self.source = source
        self.preset = preset
        self.formulas = formulas if formulas is not None else Formulas()
        self.formula_texts = dict(self.formulas.texts)
        self.branch: Branch = ()
        self.span: Span = NOWHERE
        self.params: list[Param] = []
        self.instructions: list[Instruction] = []
        self.assertions: list[Assertion] = []
        self.constants: list[Constant] = []
        self._taken: dict[str, int] = {}
        self._numbers: dict[Number, Value] = {}
        self._booleans: dict[bool, Value] = {}
        self._reserved: set[str] = set()

    # names

    def fresh(self, base: str) -> str:
        """`base` if it is free, else base_2, base_3, ..."""
        count = self._taken.get(base)
        if count is None:
            self._taken[base] = 1
            return base
        while True:
            count += 1
            name = f"{base}_{count}"
            if name not in self._taken:
                self._taken[base] = count
                self._taken[name] = 1
                return name

    def reserve_names(self, names: Iterable[str]) -> None:
        """Names of the user's that no generated value may take before them."""
        for name in names:
            if name not in self._taken:
                self._taken[name] = 1
                self._reserved.add(name)

    def _named(self, name: str | None, base: str) -> str:
        if name is None:
            return self.fresh(base)
        if name in self._reserved:
            self._reserved.discard(name)
            return name
        return self.fresh(name)

    def keep_names(self, names: Iterable[str]) -> None:
        """`fresh` gives none of these names until `free_name` does."""
        for name in names:
            self._taken.setdefault(name, 1)

    def free_name(self, name: str) -> None:
        """The next value that asks for `name` gets it."""
        self._taken.pop(name, None)

    @contextmanager
    def under(self, guard: Value, truth: bool) -> Iterator[None]:
        """Instructions made inside run only where `guard` is `truth`."""
        before = self.branch
        self.branch = (*before, (guard.name, truth))
        try:
            yield
        finally:
            self.branch = before

    @contextmanager
    def on(self, branch: Branch) -> Iterator[None]:
        """Instructions made inside run on `branch`, given whole."""
        before = self.branch
        self.branch = branch
        try:
            yield
        finally:
            self.branch = before

    # values

    def param(self, name: str, shape: Shape = (), *, differentiable: bool = True) -> Value:
        value = Value(self.fresh(name), shape)
        self.params.append(Param(value, differentiable))
        return value

    def constant(self, number: Number | int) -> Value:
        """The scalar `number`, exact; one value for each number, defined outside every branch."""
        if isinstance(number, int):
            number = Fraction(number)
        value = self._numbers.get(number)
        if value is None:
            value = Value(self.fresh("k"), ())
            self._numbers[number] = value
            self.instructions.append(Apply(value, "constant", (), (("value", number),)))
        return value

    def boolean(self, truth: bool) -> Value:
        value = self._booleans.get(truth)
        if value is None:
            value = Value(self.fresh("b"), (), "bool")
            self._booleans[truth] = value
            self.instructions.append(Apply(value, "boolean", (), (("value", truth),)))
        return value

    def array(self, name: str, data: np.ndarray) -> Value:
        """An array of constants, float64; `name` is unique among the program's constants."""
        data = np.ascontiguousarray(data, dtype=np.float64)
        self.constants.append(Constant(name, data))
        value = Value(self.fresh(name), tuple(data.shape))
        self.instructions.append(Apply(value, "array", (), (("name", name), ("shape", tuple(data.shape)))))
        return value

    def apply(
        self, op: str, *args: Value, name: str | None = None, span: Span | None = None, **attributes: Any
    ) -> Value:
        """out = op(*args). Raises ShapeError where the shapes do not fit the row, KeyError for an unknown row."""
        static = tuple(sorted(attributes.items()))
        shape, kind = result_of(op, args, attributes)
        out = Value(self._named(name, "t"), shape, kind, self.branch)
        self.instructions.append(Apply(out, op, args, static, self.span if span is None else span))
        return out

    def select(
        self,
        guard: Value,
        then: Value,
        orelse: Value,
        *,
        lazy: bool,
        gate: Gate = "select",
        name: str | None = None,
        span: Span | None = None,
    ) -> Value:
        """then where guard, else orelse. Shapes of an eager select broadcast; those of a lazy one must agree."""
        shape, kind = result_of("select", (guard, then, orelse), {"lazy": lazy})
        out = Value(self._named(name, "s"), shape, kind, self.branch)
        place = self.span if span is None else span
        self.instructions.append(Select(out, guard, then, orelse, lazy, gate, place))
        return out

    def kink(
        self,
        left: Value,
        right: Value,
        above: Value,
        below: Value,
        tie: Tie,
        *,
        name: str | None = None,
        span: Span | None = None,
    ) -> Value:
        """above where left > right, below where left < right, by `tie` where they are equal. Shapes broadcast."""
        shape, _ = result_of("kink", (left, right, above, below), {})
        out = Value(self._named(name, "s"), shape, "real", self.branch)
        self.instructions.append(
            Kink(out, left, right, above, below, tie, self.span if span is None else span)
        )
        return out

    def assertion(self, condition: Value, message: str, span: Span) -> None:
        self.assertions.append(Assertion(condition, message, span))

    def copy(self, instruction: Instruction) -> None:
        """Append an instruction of another program as it is; its names must have been reserved by `reserve`."""
        self.instructions.append(instruction)
        if isinstance(instruction, Apply) and instruction.op == "constant":
            self._numbers.setdefault(instruction.attribute("value"), instruction.out)

    def reserve(self, program: Program) -> None:
        """Take over the names and constants of `program`."""
        for param in program.params:
            self._taken.setdefault(param.value.name, 1)
        for instruction in program.instructions:
            self._taken.setdefault(instruction.out.name, 1)
        self.constants.extend(program.constants)

    # whole expressions

    def formula(
        self,
        text: str,
        environment: Mapping[str, Value],
        *,
        exponent: Fraction | None = None,
        integer: bool = True,
    ) -> Value:
        """The value of a derivative text over `environment`.

        `exponent` is the n of a power; powers by n are ipow where `integer`, else rpow, as the row itself. A choice
        by n alone is made here: only the arm taken becomes instructions.
        """
        steps = compile_formula(text)
        known: dict[int, Value] = {}

        def operand(reference: int | str) -> Value:
            if isinstance(reference, int):
                if reference not in known:
                    known[reference] = value(steps[reference])
                return known[reference]
            if reference == "n" and exponent is not None:
                return self.constant(exponent)
            return environment[reference]

        def value(step: Step) -> Value:
            if step.op == "constant":
                assert step.number is not None
                return self.constant(step.number)
            if step.op == "choose" and (truth := decided(steps, step.operands[0], exponent)) is not None:
                return operand(step.operands[1 if truth else 2])
            operands = [operand(reference) for reference in step.operands]
            if step.op == "same":
                return operands[0]
            if step.op == "choose":
                return self.select(*operands, lazy=False)
            if step.op == "static_power":
                assert step.exponent is not None
                relative, offset = step.exponent
                n = offset + exponent if relative and exponent is not None else offset
                whole = integer if relative else offset.denominator == 1
                return self.apply("ipow" if whole else "rpow", operands[0], n=n)
            return self.apply(step.op, *operands)

        return operand(len(steps) - 1)

    def finish(self, results: Sequence[Value]) -> Program:
        """The program so far, with `results`."""
        return Program(
            self.name,
            tuple(self.params),
            tuple(self.instructions),
            tuple(results),
            tuple(self.assertions),
            tuple(self.constants),
            self.formulas,
            self.preset,
            self.source,
        )
