"""Reductions and running reductions to instructions: sum, mean, prod, max, logsumexp, cumsum, cummax, argmax.

Without `axis` everything is reduced. The tie of an extremum is a rule of the preset; where that is a fold or a scan,
selections of two are written.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from cfcompiler import errors
from cfcompiler.ir import Value
from cfcompiler.language import networks
from cfcompiler.language.called import Called, Rule
from cfcompiler.language.terms import POISON, Exact, Poison, Term
from cfcompiler.shapes import ShapeError, broadcast_shapes, reduced


def leading(called: Called, *, flat: bool) -> dict[str, Term] | Poison:
    """The arguments with the axes that are reduced as the first axis of x; `flat`: all of them are, by default."""
    terms, given = called.terms, not isinstance(called.terms["axis"], str)
    x = called.real("x") if given or flat else POISON
    if isinstance(x, Poison):
        return POISON if given or flat else {key: term for key, term in terms.items() if key != "axis"}
    axes = called.axes(len(x.shape))
    if isinstance(axes, Poison):
        return POISON
    kept = tuple([axis for axis in range(len(x.shape)) if axis not in axes])
    order, shape = (*axes, *kept), (prod(x.shape[axis] for axis in axes), *[x.shape[axis] for axis in kept])
    moved: Value | Poison = x
    if order != tuple(range(len(x.shape))):
        moved = called.step("transpose", x, axes=order)
    if isinstance(moved, Value) and moved.shape != shape:
        moved = called.step("reshape", moved, shape=shape)
    return POISON if isinstance(moved, Poison) else {**terms, "x": moved, "axis": Exact(Fraction(0))}


def total(called: Called) -> Term:
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    axes = called.axes(len(x.shape))
    if isinstance(axes, Poison):
        return POISON
    return called.apply("sum", x, axes=axes) if axes else x


def mean(called: Called) -> Term:
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    axes = called.axes(len(x.shape))
    if isinstance(axes, Poison) or not axes:
        return POISON if isinstance(axes, Poison) else x
    count = prod(x.shape[axis] for axis in axes)
    if count == 0:
        return called.emission.complain(errors.empty_array(called.span, "the mean"))
    added = called.step("sum", x, axes=axes)
    if isinstance(added, Poison):
        return POISON
    return called.apply("div", added, called.emission.builder.constant(count))


def product_of(called: Called) -> Term:
    """A chain of multiplications: its derivative is right where entries are 0."""
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    axes = called.axes(len(x.shape))
    if isinstance(axes, Poison) or not axes:
        return POISON if isinstance(axes, Poison) else x
    whole = tuple((0, size, 1) for size in x.shape)
    result: Value | None = None
    for places in product(*(range(x.shape[axis]) for axis in axes)):
        key: list[Any] = list(whole)
        for axis, place in zip(axes, places, strict=True):
            key[axis] = place
        entry = called.step("index", x, key=tuple(key))
        if isinstance(entry, Poison):
            return POISON
        multiplied = entry if result is None else called.step("mul", result, entry)
        if isinstance(multiplied, Poison):
            return POISON
        result = multiplied
    return _everywhere(called, 1, reduced(x.shape, axes)) if result is None else result


def _everywhere(called: Called, number: int, shape: tuple[int, ...]) -> Term:
    """What a reduction of no entries is."""
    if not shape:
        return Exact(Fraction(number))
    return called.apply("broadcast", called.emission.builder.constant(number), shape=shape)


def extremum(sense: str) -> Rule:
    def rule(called: Called) -> Term:
        x = called.real("x")
        if isinstance(x, Poison):
            return POISON
        axes = called.axes(len(x.shape))
        if isinstance(axes, Poison) or not axes:
            return POISON if isinstance(axes, Poison) else x
        if any(x.shape[axis] == 0 for axis in axes):
            return called.emission.complain(errors.empty_array(called.span, f"the {sense}"))
        reduction = called.emission.reduction(f"reduce_{sense}")
        if reduction.tie == "fold":
            return networks.fold(called, sense, networks.entries_of(called, x, axes))
        return called.apply("extremum", x, axes=axes, sense=sense, rule=reduction)

    return rule


def extremum_of_many(called: Called, sense: str, terms: list[Term]) -> Term:
    """max(a, b, c, ...): one operation, so three tied arguments share alike."""
    values: list[Value] = []
    for term in terms:
        value = called.emission.real(term, called.span)
        if isinstance(value, Poison):
            return POISON
        values.append(value)
    try:
        shape = broadcast_shapes(*[value.shape for value in values])
    except ShapeError as error:
        return called.emission.complain(errors.shapes(called.span, str(error)))
    alike: list[Value] = []
    for value in values:
        wide = called.emission.broadcast(value, shape, called.span)
        if isinstance(wide, Poison):
            return POISON
        alike.append(wide)
    stacked = called.step("stack", *alike, axis=0)
    if isinstance(stacked, Poison):
        return POISON
    return called.apply("extremum", stacked, axes=(0,), sense=sense, rule=called.emission.reduction(sense))


def along(op: str) -> Rule:
    """A row that reduces along axes by itself: logsumexp, norm2."""

    def rule(called: Called) -> Term:
        x = called.real("x")
        if isinstance(x, Poison):
            return POISON
        axes = called.axes(len(x.shape))
        if isinstance(axes, Poison):
            return POISON
        if not x.shape:
            vector = called.step("reshape", x, shape=(1,))
            return POISON if isinstance(vector, Poison) else called.apply(op, vector, axes=(0,))
        if any(x.shape[axis] == 0 for axis in axes):
            if op == "norm2":
                return _everywhere(called, 0, reduced(x.shape, axes))
            return called.emission.complain(errors.empty_array(called.span, f"the {op}"))
        return called.apply(op, x, axes=axes)

    return rule


def cumulative_sum(called: Called) -> Term:
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    axis = called.axis(len(x.shape))
    return POISON if isinstance(axis, Poison) else called.apply("cumsum", x, axis=axis, reverse=False)


def cumulative_extremum(sense: str) -> Rule:
    def rule(called: Called) -> Term:
        x = called.real("x")
        if isinstance(x, Poison):
            return POISON
        axis = called.axis(len(x.shape))
        if isinstance(axis, Poison):
            return POISON
        tie = called.emission.reduction(f"cum{sense}").tie
        if tie in ("tree", "split") and x.shape[axis]:
            entries = networks.entries_of(called, x, (axis,))
            tree = tie == "tree"
            found = (
                networks.scan(called, sense, entries) if tree else networks.prefixes(called, sense, x, axis)
            )
            return called.apply("stack", *found, axis=axis)
        last = tie == "last"
        places = called.step("cumargextremum", x, axis=axis, sense=sense, last=last)
        return POISON if isinstance(places, Poison) else called.apply("gather", x, places, axis=axis)

    return rule


def place_of(sense: str) -> Rule:
    def rule(called: Called) -> Term:
        x = called.real("x")
        if isinstance(x, Poison):
            return POISON
        if isinstance(called.terms["axis"], str) and len(x.shape) != 1:
            flat = called.step("reshape", x, shape=(prod(x.shape),))
            if isinstance(flat, Poison):
                return POISON
            x = flat
        axis = called.axis(len(x.shape))
        if isinstance(axis, Poison):
            return POISON
        if x.shape[axis] == 0:
            return called.emission.complain(errors.empty_array(called.span, f"the arg{sense}"))
        return called.apply("argextremum", x, axis=axis, sense=sense)

    return rule
