"""Functions of arrays and their shapes, to instructions: dot, len, reshape, zeros, concat, maxpool, isnan."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

from cfcompiler import errors
from cfcompiler.ir import Value
from cfcompiler.language.called import Called, Rule
from cfcompiler.language.terms import POISON, Exact, Listing, Poison, Term
from cfcompiler.shapes import ShapeError, result_of, text_of


def dot(called: Called) -> Term:
    a, b = called.real("a"), called.real("b")
    if isinstance(a, Poison) or isinstance(b, Poison):
        return POISON
    if not a.shape or not b.shape:
        return called.apply("mul", a, b)
    try:
        result_of("matmul", (a, b), {})
    except ShapeError as error:
        return called.emission.complain(errors.shapes(called.span, f"dot of {error}".replace(" @ ", " and ")))
    return called.apply("matmul", a, b)


def length(called: Called) -> Term:
    term = called.terms["x"]
    if isinstance(term, (tuple, Listing)):
        return Exact(Fraction(len(term.items if isinstance(term, Listing) else term)))
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    if not x.shape:
        return called.emission.complain(errors.shapes(called.span, "a scalar has no length"))
    return Exact(Fraction(x.shape[0]))


def shape_of(called: Called) -> Term:
    x = called.real("x")
    return POISON if isinstance(x, Poison) else tuple([Exact(Fraction(size)) for size in x.shape])


def reshape(called: Called) -> Term:
    x = called.real("x")
    if isinstance(x, Poison):
        return POISON
    shape = _extents(called, called.terms["shape"], entries=prod(x.shape))
    return POISON if isinstance(shape, Poison) else called.apply("reshape", x, shape=shape)


def filled(number: int) -> Rule:
    def rule(called: Called) -> Term:
        shape = _extents(called, called.terms["shape"])
        if isinstance(shape, Poison):
            return POISON
        value = called.emission.builder.constant(number)
        return called.apply("broadcast", value, shape=shape) if shape else Exact(Fraction(number))

    return rule


def concatenate(called: Called) -> Term:
    a, b = called.real("a"), called.real("b")
    if isinstance(a, Poison) or isinstance(b, Poison):
        return POISON
    if not a.shape or not b.shape:
        return called.emission.complain(
            errors.shapes(called.span, "concat takes arrays", "write [a, b] for scalars")
        )
    axis = called.terms["axis"]
    if isinstance(axis, (Value, Listing)):
        return called.emission.complain(
            errors.shapes(called.span, "concat takes two arrays", "write concat(concat(a, b), c) for three")
        )
    axes = called.axes(len(a.shape)) if not isinstance(axis, str) else (0,)
    return POISON if isinstance(axes, Poison) else called.apply("concat", a, b, axis=axes[0])


def maxpool(called: Called) -> Term:
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


def is_nan(called: Called) -> Term:
    x = called.real("x")
    return POISON if isinstance(x, Poison) else called.apply("isnan", x)


def _extents(called: Called, term: Term, entries: int | None = None) -> tuple[int, ...] | Poison:
    """A written shape. One extent of it may be -1 where `entries` says how many there are: what the others leave."""
    parts = term.items if isinstance(term, Listing) else term if isinstance(term, tuple) else (term,)
    hint = "" if entries is None else "one extent may be -1: what the others leave"
    sizes: list[int] = []
    for part in parts:
        size = called.evaluator.as_whole(part, called.span, "a shape")
        if isinstance(size, Poison):
            return POISON
        if size < 0 and (entries is None or size != -1 or -1 in sizes):
            return called.emission.complain(
                errors.shapes(called.span, "a shape has no negative entries", hint)
            )
        sizes.append(size)
    if -1 in sizes and entries is not None:
        others = prod(size for size in sizes if size != -1)
        if others == 0 or entries % others:
            what = f"{entries} entries are no whole number of times {others}, so there is no extent for -1"
            return called.emission.complain(errors.shapes(called.span, what))
        sizes[sizes.index(-1)] = entries // others
    return tuple(sizes)
