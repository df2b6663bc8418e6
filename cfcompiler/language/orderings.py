"""Functions that put entries in order, to instructions: sort, argsort, topk, median, quantile.

One permutation is computed, and what is taken by it shares its choice at ties; or selections of two are written, where
the preset sorts by a network.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import Any

from cfcompiler import errors
from cfcompiler.ir import Value
from cfcompiler.language import networks
from cfcompiler.language.called import Called
from cfcompiler.language.terms import POISON, Exact, Poison, Term


def sort(called: Called) -> Term:
    descending = _flag(called, "descending")
    if isinstance(descending, Poison):
        return POISON
    rule = "sort_descending" if descending else "sort"
    found = _in_order(called, rule, descending=descending, named=True)
    return POISON if isinstance(found, Poison) else found[0]


def argsort(called: Called) -> Term:
    descending = _flag(called, "descending")
    if isinstance(descending, Poison):
        return POISON
    found = _ordered(called, "sort", descending=descending)
    return POISON if isinstance(found, Poison) else found[1]


def topk(called: Called) -> Term:
    k = called.whole("k")
    found = _in_order(called, "topk", descending=True)
    if isinstance(k, Poison) or isinstance(found, Poison):
        return POISON
    ordered, axis = found
    if not 0 < k <= ordered.shape[axis]:
        size = ordered.shape[axis]
        what = f"topk cannot take {k} of {size} {'entry' if size == 1 else 'entries'}"
        return called.emission.complain(
            errors.bad_index(called.span, what, f"k is 1 to {size}" if size else "")
        )
    return called.apply("index", ordered, key=_at(ordered, axis, (0, k, 1)))


def median(called: Called) -> Term:
    return _quantile_at(called, "median", Fraction(1, 2))


def quantile(called: Called) -> Term:
    q = share_below(called)
    return POISON if isinstance(q, Poison) else _quantile_at(called, "quantile", q)


def share_below(called: Called) -> Fraction | Poison:
    """q, a number between 0 and 1 that is known when the program is compiled."""
    q = called.terms["q"]
    if isinstance(q, Poison):
        return POISON
    if not isinstance(q, Exact) or not isinstance(q.value, Fraction):
        return called.emission.complain(errors.not_static(called.span, "'q'"))
    if not 0 <= q.value <= 1:
        return called.emission.complain(errors.bad_index(called.span, "a quantile lies between 0 and 1"))
    return q.value


def _quantile_at(called: Called, rule: str, q: Fraction) -> Term:
    """The q-th quantile, linear between the two entries around it."""
    flat = _flattened(called)
    found = flat if isinstance(flat, Poison) else _in_order(flat, rule)
    if isinstance(found, Poison):
        return POISON
    ordered, axis = found
    if ordered.shape[axis] == 0:
        return called.emission.complain(errors.empty_array(called.span, "the quantile"))
    position = q * (ordered.shape[axis] - 1)
    below = position.numerator // position.denominator
    share = position - below
    if share == 0:
        return called.apply("index", ordered, key=_at(ordered, axis, below))
    low = called.step("index", ordered, key=_at(ordered, axis, below))
    high = called.step("index", ordered, key=_at(ordered, axis, below + 1))
    if isinstance(low, Poison) or isinstance(high, Poison):
        return POISON
    builder = called.emission.builder
    if share == Fraction(1, 2):
        total = called.step("add", low, high)
        return POISON if isinstance(total, Poison) else called.apply("div", total, builder.constant(2))
    gap = called.step("sub", high, low)
    if isinstance(gap, Poison):
        return POISON
    part = called.step("mul", gap, builder.constant(share))
    return POISON if isinstance(part, Poison) else called.apply("add", low, part)


def _flattened(called: Called) -> Called | Poison:
    """The call with x as a vector, where no axis is given."""
    if not isinstance(called.terms["axis"], str):
        return called
    x = called.real("x")
    if isinstance(x, Value) and len(x.shape) != 1:
        x = called.step("reshape", x, shape=(prod(x.shape),))
    return POISON if isinstance(x, Poison) else replace(called, terms={**called.terms, "x": x})


def _ordered(called: Called, rule: str, *, descending: bool = False) -> tuple[Value, Value, int] | Poison:
    """x, the permutation that sorts it, and the axis."""
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    axis = called.axis(len(x.shape))
    if isinstance(axis, Poison):
        return POISON
    last = called.emission.reduction(rule).tie == "last"
    places = called.step("order", x, axis=axis, descending=descending, last=last)
    return POISON if isinstance(places, Poison) else (x, places, axis)


def _in_order(
    called: Called, rule: str, *, descending: bool = False, named: bool = False
) -> tuple[Value, int] | Poison:
    """The sorted x, and the axis along which it is; `named`: it has the name of the user's value."""
    x = called.real("x")
    axis = POISON if isinstance(x, Poison) else called.axis(len(x.shape))
    if isinstance(x, Poison) or isinstance(axis, Poison):
        return POISON
    make = called.apply if named else called.step
    if called.emission.reduction(rule).tie == "network" and x.shape[axis]:
        entries = networks.entries_of(called, x, (axis,))
        wires = networks.sorting_network(called, entries, descending=descending)
        ordered = make("stack", *wires, axis=axis)
        return POISON if isinstance(ordered, Poison) else (ordered, axis)
    found = _ordered(called, rule, descending=descending)
    if isinstance(found, Poison):
        return POISON
    ordered = make("gather", x, found[1], axis=axis)
    return POISON if isinstance(ordered, Poison) else (ordered, axis)


def _flag(called: Called, parameter: str) -> bool | Poison:
    term = called.terms[parameter]
    if isinstance(term, (bool, Poison)):
        return term
    return called.emission.complain(errors.not_static(called.span, f"{parameter!r}", "write True or False"))


def _at(x: Value, axis: int, entry: int | tuple[int, int, int]) -> tuple[Any, ...]:
    return tuple(entry if index == axis else (0, size, 1) for index, size in enumerate(x.shape))
