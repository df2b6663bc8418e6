"""Terms to instructions: what lowering uses to write into a Builder, with complaints collected instead of raised.

Also here: which tie rule a selection gets. A rule belongs to the operation that the user wrote, so `begin` and `end`
bracket each call of a piecewise function.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from cfcompiler import errors, ties
from cfcompiler.builder import Builder
from cfcompiler.errors import Diagnostic
from cfcompiler.ir import Met, Tie, Value
from cfcompiler.language.terms import POISON, Exact, Listing, Poison, Term
from cfcompiler.shapes import ShapeError, text_of
from cfcompiler.source import Source, Span

# More instructions than this are a loop that should have been an array operation.
LIMIT = 1_000_000
# More entries than this, 16 GiB of numbers, are no array.
ENTRIES = 2**31


class TooLarge(Exception):
    """The program outgrows LIMIT; ends the lowering, which reports it."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self.span = span


class _Operation:
    """A call of a piecewise function that is being written, and how many selections it has so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.selections = 0


class Emission:
    """Writes instructions for terms. Methods return POISON after a complaint."""

    def __init__(self, name: str, source: Source, rules: ties.Rules) -> None:
        self.builder = Builder(name, source, rules.name, rules.formulas)
        self.source = source
        self.rules = rules
        self.diagnostics: list[Diagnostic] = []
        self.met: set[Met] = set()  # the rules that something written asked for
        self.site: Span | None = None  # where the user called what is being written from the prelude
        self._operations: list[_Operation] = []
        self._listings: dict[int, tuple[Listing, Value]] = {}
        self._arrays: dict[tuple[str, str], Value] = {}

    # complaints

    def complain(self, diagnostic: Diagnostic) -> Poison:
        if self.site is not None:
            diagnostic = replace(diagnostic, span=self.site)
        self.diagnostics.append(diagnostic)
        return POISON

    def place(self, span: Span) -> Span:
        return span if self.site is None else self.site

    @contextmanager
    def called_at(self, span: Span) -> Iterator[None]:
        """Everything made or complained of inside is at `span`: the text of the prelude is not the user's."""
        before = self.site
        self.site = before if before is not None else span
        try:
            yield
        finally:
            self.site = before

    # instructions

    def apply(
        self, op: str, *args: Value, span: Span, name: str | None = None, **attributes: Any
    ) -> Value | Poison:
        builder = self.builder
        try:
            value = builder.apply(op, *args, name=name, span=self.site or span, **attributes)
        except ShapeError as error:
            return self.complain(errors.shapes(span, str(error)))
        if len(builder.instructions) > LIMIT:
            raise TooLarge(self.place(span))
        return (
            self.complain(errors.too_wide(span, text_of(value.shape)))
            if prod(value.shape) > ENTRIES
            else value
        )

    def select(
        self, guard: Value, then: Value, orelse: Value, *, lazy: bool, span: Span, name: str | None = None
    ) -> Value | Poison:
        """A choice by a condition. The tangent of the arm not taken is gated as the preset's `where` says."""
        gate = self.rules.where.gate if not lazy and self.site is None else "select"
        try:
            return self.builder.select(
                guard, then, orelse, lazy=lazy, gate=gate, name=name, span=self.place(span)
            )
        except ShapeError as error:
            if lazy and guard.shape:
                return self.complain(errors.array_condition(span))
            if lazy:
                return self.complain(errors.arms_differ(span, text_of(then.shape), text_of(orelse.shape)))
            return self.complain(errors.shapes(span, str(error)))

    # numbers and conditions

    def real(self, term: Term, span: Span) -> Value | Poison:
        """The value of a term that is used as a number or an array of numbers."""
        if isinstance(term, Value):
            if term.kind == "real":
                return term
            if term.kind == "bool":
                return self.complain(errors.condition_as_number(span))
            return self.apply("to_real", term, span=span)
        if isinstance(term, Exact):
            return self.number(term)
        if isinstance(term, Listing):
            return self.listing(term, span)
        if isinstance(term, Poison):
            return POISON
        if isinstance(term, bool):
            return self.complain(errors.condition_as_number(span))
        if isinstance(term, str):
            return self.complain(errors.text_as_value(span))
        return self.complain(errors.no_value(span, "this tuple"))

    def number(self, term: Exact) -> Value:
        return self.builder.constant(term.value)

    def listing(self, term: Listing, span: Span) -> Value | Poison:
        """One array for one written list, outside every branch."""
        known = self._listings.get(id(term))
        if known is not None:
            return known[1]
        if not term.items:
            return self.complain(errors.empty_array(span, "the value"))
        with self.builder.on(()):
            items: list[Value] = []
            for item in term.items:
                value = self.real(item, span)
                if isinstance(value, Poison):
                    return POISON
                items.append(value)
            array = self.apply("stack", *items, span=span, axis=0)
        if isinstance(array, Value):
            self._listings[id(term)] = (term, array)
        return array

    def condition(self, term: Term, span: Span) -> Value | bool | Poison:
        """The truth value of a term that is used as a condition."""
        if isinstance(term, (bool, Poison)):
            return term
        if isinstance(term, Value) and term.kind == "bool":
            return term
        return self.complain(errors.number_as_condition(span))

    def boolean(self, truth: Value | bool) -> Value:
        return truth if isinstance(truth, Value) else self.builder.boolean(truth)

    def array(self, path: str, name: str, data: np.ndarray) -> Value:
        """An array read from a file: one value of the program, outside every branch."""
        key = (path, name)
        if key not in self._arrays:
            taken = {constant.name for constant in self.builder.constants}
            label = name if name.isidentifier() else "array"
            while label in taken:
                label += "_2"
            with self.builder.on(()):
                self._arrays[key] = self.builder.array(label, data)
        return self._arrays[key]

    def broadcast(self, value: Value, shape: tuple[int, ...], span: Span) -> Value | Poison:
        return value if value.shape == shape else self.apply("broadcast", value, span=span, shape=shape)

    # selections and their rules

    @property
    def outermost(self) -> bool:
        """No piecewise function is being written: what comes next was called by the user."""
        return not self._operations

    def begin(self, name: str) -> None:
        self._operations.append(_Operation(name))

    def end(self) -> None:
        """The operation that was begun last is complete."""
        self._operations.pop()

    @contextmanager
    def user_level(self) -> Iterator[None]:
        """Inside, operations count as written by the user: a preset may define one operation by others."""
        operations, self._operations = self._operations, []
        try:
            yield
        finally:
            self._operations = operations

    def kink(
        self, left: Value, right: Value, above: Value, below: Value, span: Span, name: str | None
    ) -> Value | Poison:
        """The selection primitive. Its rule is that of the outermost operation that the preset has one for."""
        tie = self._rule()
        try:
            return self.builder.kink(left, right, above, below, tie, name=name, span=self.place(span))
        except ShapeError as error:
            return self.complain(errors.shapes(span, str(error)))

    def written_as(
        self, operation: str, left: Value, right: Value, above: Value, below: Value, span: Span
    ) -> Value | Poison:
        """A selection under the rule of `operation`, as if the user had written that."""
        with self.user_level():
            self.begin(operation)
            value = self.kink(left, right, above, below, span, None)
            self.end()
        return value

    def _rule(self) -> Tie:
        """The rule of the next selection; selections of an operation count in written order."""
        ruling = next((one for one in self._operations if one.name in self.rules.kinks), self._operations[0])
        self.met.add(("kink", ruling.name))
        tie = self.rules.tie(ruling.name, ruling.selections)
        for operation in self._operations:
            operation.selections += 1
        return tie

    def reduction(self, name: str) -> ties.Reduction:
        """The rule of an extremum: of the outermost operation that has one, else of `name`."""
        ruling = next((one.name for one in self._operations if one.name in self.rules.reductions), name)
        self.met.add(("reduction", ruling))
        return self.rules.reduction(ruling)
