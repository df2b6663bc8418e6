"""Calls of functions that are neither a row of the table nor text of the prelude: arrays, orderings, choices.

Each function below takes the arguments by name, already terms, and returns a term. Static arguments (axis, k) are
known when the program is compiled. Reductions without `axis` reduce everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from cfcompiler import errors
from cfcompiler.language import networks
from cfcompiler.language.terms import POISON, Exact, Listing, Poison, Term
from cfcompiler.program import Value
from cfcompiler.shapes import ShapeError, broadcast_shapes, text_of
from cfcompiler.source import Span

if TYPE_CHECKING:
    from cfcompiler.language.emission import Emission
    from cfcompiler.language.evaluator import Evaluator


@dataclass(frozen=True, slots=True)
class Called:
    """One call: terms by parameter name, its place, the name that its value should have."""

    evaluator: Evaluator
    terms: dict[str, Term]
    span: Span
    name: str | None

    @property
    def emission(self) -> Emission:
        return self.evaluator.emission

    def real(self, parameter: str) -> Value | Poison:
        return self.emission.real(self.terms[parameter], self.span)

    def whole(self, parameter: str) -> int | Poison:
        return self.evaluator.as_whole(self.terms[parameter], self.span, f"{parameter!r}")

    def apply(self, op: str, *args: Value, **attributes: Any) -> Value | Poison:
        return self.emission.apply(op, *args, span=self.span, name=self.name, **attributes)

    def step(self, op: str, *args: Value, **attributes: Any) -> Value | Poison:
        """An intermediate value, which has no name of the user's."""
        return self.emission.apply(op, *args, span=self.span, **attributes)

    def axes(self, rank: int) -> tuple[int, ...] | Poison:
        """The axes that `axis` names; all of them where it is not given."""
        term = self.terms["axis"]
        if isinstance(term, str):
            return tuple(range(rank))
        parts = term if isinstance(term, tuple) else (term,)
        axes: list[int] = []
        for part in parts:
            axis = self.evaluator.as_whole(part, self.span, "an axis")
            if isinstance(axis, Poison):
                return POISON
            if not -rank <= axis < rank:
                return self.emission.complain(errors.bad_axis(self.span, axis, rank))
            axes.append(axis % rank)
        return tuple(sorted(set(axes)))

    def axis(self, rank: int) -> int | Poison:
        """One axis; the last where it is not given."""
        if rank == 0:
            return self.emission.complain(errors.shapes(self.span, "this takes an array, not a scalar"))
        if isinstance(self.terms["axis"], str):
            return rank - 1
        axes = self.axes(rank)
        return POISON if isinstance(axes, Poison) else axes[0]


Rule = Callable[[Called], Term]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function of the language: parameters, with texts of the defaults, and what it does."""

    parameters: tuple[str, ...]
    defaults: tuple[tuple[str, Term], ...]
    rule: Rule
    variadic: bool = False

    def signature(self, name: str) -> str:
        known = dict(self.defaults)
        shown = [part if part not in known else f"{part}={_shown(known[part])}" for part in self.parameters]
        return f"{name}({', '.join(shown)})"


def _shown(term: Term) -> str:
    if isinstance(term, Exact):
        return str(term.value)
    return "None" if isinstance(term, str) else str(term)


_ALL = "all"  # an axis that is not given


def _sum(called: Called) -> Term:
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    axes = called.axes(len(x.shape))
    if isinstance(axes, Poison):
        return POISON
    return called.apply("sum", x, axes=axes) if axes else x


def _mean(called: Called) -> Term:
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    axes = called.axes(len(x.shape))
    if isinstance(axes, Poison) or not axes:
        return POISON if isinstance(axes, Poison) else x
    count = prod(x.shape[axis] for axis in axes)
    if count == 0:
        return called.emission.complain(errors.empty_array(called.span, "the mean"))
    total = called.step("sum", x, axes=axes)
    if isinstance(total, Poison):
        return POISON
    return called.apply("div", total, called.emission.builder.constant(count))


def _product(called: Called) -> Term:
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
    return Exact(Fraction(1)) if result is None else result


def _extremum(sense: str) -> Rule:
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


def _along(op: str) -> Rule:
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
        return called.apply(op, x, axes=axes)

    return rule


def _cumulative_sum(called: Called) -> Term:
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    axis = called.axis(len(x.shape))
    return POISON if isinstance(axis, Poison) else called.apply("cumsum", x, axis=axis, reverse=False)


def _cumulative_extremum(sense: str) -> Rule:
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


def _place_of(sense: str) -> Rule:
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


def _sort(called: Called) -> Term:
    descending = _flag(called, "descending")
    if isinstance(descending, Poison):
        return POISON
    found = _in_order(called, "sort", descending=descending, named=True)
    return POISON if isinstance(found, Poison) else found[0]


def _argsort(called: Called) -> Term:
    descending = _flag(called, "descending")
    if isinstance(descending, Poison):
        return POISON
    found = _ordered(called, "sort", descending=descending)
    return POISON if isinstance(found, Poison) else found[1]


def _topk(called: Called) -> Term:
    k = called.whole("k")
    found = _in_order(called, "topk", descending=True)
    if isinstance(k, Poison) or isinstance(found, Poison):
        return POISON
    ordered, axis = found
    if not 0 < k <= ordered.shape[axis]:
        return called.emission.complain(errors.index_out_of_range(called.span, k - 1, ordered.shape[axis]))
    return called.apply("index", ordered, key=_at(ordered, axis, (0, k, 1)))


def _at(x: Value, axis: int, entry: int | tuple[int, int, int]) -> tuple[Any, ...]:
    return tuple(entry if index == axis else (0, size, 1) for index, size in enumerate(x.shape))


def _quantile_at(called: Called, rule: str, q: Fraction) -> Term:
    """The q-th quantile, linear between the two entries around it."""
    found = _in_order(called, rule)
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


def _median(called: Called) -> Term:
    if isinstance(called.terms["axis"], str):
        flat = _flattened(called)
        if isinstance(flat, Poison):
            return POISON
        called = flat
    return _quantile_at(called, "median", Fraction(1, 2))


def _quantile(called: Called) -> Term:
    q = called.terms["q"]
    if not isinstance(q, Exact) or not isinstance(q.value, Fraction):
        return (
            POISON
            if isinstance(q, Poison)
            else called.emission.complain(errors.not_static(called.span, "'q'"))
        )
    if not 0 <= q.value <= 1:
        return called.emission.complain(errors.bad_index(called.span, "a quantile lies between 0 and 1"))
    if isinstance(called.terms["axis"], str):
        flat = _flattened(called)
        if isinstance(flat, Poison):
            return POISON
        called = flat
    return _quantile_at(called, "quantile", q.value)


def _flattened(called: Called) -> Called | Poison:
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    if len(x.shape) == 1:
        return Called(called.evaluator, {**called.terms, "x": x}, called.span, called.name)
    flat = called.step("reshape", x, shape=(prod(x.shape),))
    if isinstance(flat, Poison):
        return POISON
    return Called(called.evaluator, {**called.terms, "x": flat}, called.span, called.name)


def _maxpool(called: Called) -> Term:
    """Windows of k (k by k in a matrix) at every `stride`, their entries gathered, the maximum of each."""
    x, k = called.real("x"), called.whole("k")
    stride = k if isinstance(called.terms["stride"], str) else called.whole("stride")
    if isinstance(x, Poison) or isinstance(k, Poison) or isinstance(stride, Poison):
        return POISON
    if len(x.shape) not in (1, 2):
        return called.emission.complain(
            errors.shapes(called.span, f"maxpool takes a vector or a matrix, not {text_of(x.shape)}")
        )
    if k < 1 or stride < 1 or any(size < k for size in x.shape):
        return called.emission.complain(
            errors.shapes(called.span, f"windows of {k} do not fit into {text_of(x.shape)}")
        )
    starts = [range(0, size - k + 1, stride) for size in x.shape]
    strides = [prod(x.shape[axis + 1 :]) for axis in range(len(x.shape))]
    offsets = [
        sum(i * s for i, s in zip(place, strides, strict=True))
        for place in product(range(k), repeat=len(x.shape))
    ]

    corners = [sum(i * s for i, s in zip(place, strides, strict=True)) for place in product(*starts)]
    indices = tuple(corner + offset for corner in corners for offset in offsets)
    shape = (*[len(places) for places in starts], len(offsets))
    taken = called.step("take", x, indices=indices, shape=shape)
    if isinstance(taken, Poison):
        return POISON
    rule = called.emission.reduction("maxpool")
    return called.apply("extremum", taken, axes=(len(shape) - 1,), sense="max", rule=rule)


def _dot(called: Called) -> Term:
    a, b = called.real("a"), called.real("b")
    if isinstance(a, Poison) or isinstance(b, Poison):
        return POISON
    return called.apply("matmul" if a.shape and b.shape else "mul", a, b)


def _length(called: Called) -> Term:
    term = called.terms["x"]
    if isinstance(term, (tuple, Listing)):
        return Exact(Fraction(len(term.items if isinstance(term, Listing) else term)))
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    if not x.shape:
        return called.emission.complain(errors.shapes(called.span, "a scalar has no length"))
    return Exact(Fraction(x.shape[0]))


def _shape(called: Called) -> Term:
    x = called.real("x")
    return POISON if isinstance(x, Poison) else tuple([Exact(Fraction(size)) for size in x.shape])


def _extents(called: Called, term: Term) -> tuple[int, ...] | Poison:
    parts = term.items if isinstance(term, Listing) else term if isinstance(term, tuple) else (term,)
    sizes: list[int] = []
    for part in parts:
        size = called.evaluator.as_whole(part, called.span, "a shape")
        if isinstance(size, Poison):
            return POISON
        if size < 0:
            return called.emission.complain(errors.shapes(called.span, "a shape has no negative entries"))
        sizes.append(size)
    return tuple(sizes)


def _reshape(called: Called) -> Term:
    x, shape = called.real("x"), _extents(called, called.terms["shape"])
    if isinstance(x, Poison) or isinstance(shape, Poison):
        return POISON
    return called.apply("reshape", x, shape=shape)


def _filled(number: int) -> Rule:
    def rule(called: Called) -> Term:
        shape = _extents(called, called.terms["shape"])
        if isinstance(shape, Poison):
            return POISON
        value = called.emission.builder.constant(number)
        return called.apply("broadcast", value, shape=shape) if shape else Exact(Fraction(number))

    return rule


def _concatenate(called: Called) -> Term:
    a, b = called.real("a"), called.real("b")
    if isinstance(a, Poison) or isinstance(b, Poison):
        return POISON
    if not a.shape or not b.shape:
        return called.emission.complain(
            errors.shapes(called.span, "concat takes arrays", "write [a, b] for scalars")
        )
    axes = called.axes(len(a.shape)) if not isinstance(called.terms["axis"], str) else (0,)
    return POISON if isinstance(axes, Poison) else called.apply("concat", a, b, axis=axes[0])


def _is_nan(called: Called) -> Term:
    x = called.real("x")
    return POISON if isinstance(x, Poison) else called.apply("isnan", x)


_AXIS: tuple[tuple[str, Term], ...] = (("axis", _ALL),)
_UP: tuple[tuple[str, Term], ...] = (("axis", _ALL), ("descending", False))

# fmt: off
BUILTINS: dict[str, Builtin] = {
    "sum":       Builtin(("x", "axis"), _AXIS, _sum),
    "mean":      Builtin(("x", "axis"), _AXIS, _mean),
    "prod":      Builtin(("x", "axis"), _AXIS, _product),
    "logsumexp": Builtin(("x", "axis"), _AXIS, _along("logsumexp")),
    "norm2":     Builtin(("x", "axis"), _AXIS, _along("norm2")),
    "cumsum":    Builtin(("x", "axis"), _AXIS, _cumulative_sum),
    "cummax":    Builtin(("x", "axis"), _AXIS, _cumulative_extremum("max")),
    "cummin":    Builtin(("x", "axis"), _AXIS, _cumulative_extremum("min")),
    "argmax":    Builtin(("x", "axis"), _AXIS, _place_of("max")),
    "argmin":    Builtin(("x", "axis"), _AXIS, _place_of("min")),
    "sort":      Builtin(("x", "axis", "descending"), _UP, _sort),
    "argsort":   Builtin(("x", "axis", "descending"), _UP, _argsort),
    "topk":      Builtin(("x", "k", "axis"), _AXIS, _topk),
    "median":    Builtin(("x", "axis"), _AXIS, _median),
    "quantile":  Builtin(("x", "q", "axis"), _AXIS, _quantile),
    "maxpool":   Builtin(("x", "k", "stride"), (("stride", _ALL),), _maxpool),
    "dot":       Builtin(("a", "b"), (), _dot),
    "len":       Builtin(("x",), (), _length),
    "shape":     Builtin(("x",), (), _shape),
    "reshape":   Builtin(("x", "shape"), (), _reshape),
    "zeros":     Builtin(("shape",), (), _filled(0)),
    "ones":      Builtin(("shape",), (), _filled(1)),
    "concat":    Builtin(("a", "b", "axis"), _AXIS, _concatenate),
    "isnan":     Builtin(("x",), (), _is_nan),
}
# max and min of one argument; of two they are text of the prelude, of more `extremum_of_many`.
REDUCTIONS: dict[str, Builtin] = {
    "max":       Builtin(("x", "axis"), _AXIS, _extremum("max")),
    "min":       Builtin(("x", "axis"), _AXIS, _extremum("min")),
}
# Evaluated by lowering.py, because they do not take terms: an arm, a file, a loop.
SPECIAL = ("where", "load", "range")
# fmt: on
