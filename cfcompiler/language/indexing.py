"""Entries, slices and attributes of arrays, tuples and lists to terms: x[i, 2:5], x.T, x.shape.

Indices are known when the program is compiled, but for one that an ordering computes, which gathers from a vector.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

from cfcompiler import errors
from cfcompiler.ir import Value
from cfcompiler.language import tree
from cfcompiler.language.emission import Emission
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.terms import POISON, Exact, Listing, Poison, Scope, Term
from cfcompiler.shapes import text_of
from cfcompiler.source import Span


def attribute(evaluator: Evaluator, node: tree.Attribute, scope: Scope, name: str | None) -> Term:
    term = evaluator.term(node.value, scope)
    if isinstance(term, Poison):
        return POISON
    if node.name not in ("T", "shape", "ndim", "size"):
        return evaluator.emission.complain(errors.no_value(node.span, f"the attribute .{node.name}"))
    value = evaluator.emission.real(term, node.value.span)
    if isinstance(value, Poison):
        return POISON
    if node.name == "T":
        if len(value.shape) < 2:
            return value
        axes = tuple(reversed(range(len(value.shape))))
        return evaluator.emission.apply("transpose", value, span=node.span, name=name, axes=axes)
    if node.name == "shape":
        return tuple([Exact(Fraction(size)) for size in value.shape])
    return Exact(Fraction(len(value.shape) if node.name == "ndim" else prod(value.shape)))


def index(evaluator: Evaluator, node: tree.Index, scope: Scope, name: str | None) -> Term:
    term = evaluator.term(node.value, scope)
    if isinstance(term, Poison):
        return POISON
    if isinstance(term, (tuple, Listing)):
        known = _known_entry(evaluator, term, node, scope)
        if known is not None:
            return known
    value = evaluator.emission.real(term, node.value.span)
    if isinstance(value, Poison):
        return POISON
    if len(node.subscripts) > len(value.shape):
        rank = len(value.shape)
        what = f"{len(node.subscripts)} indices for {text_of(value.shape)}"
        return evaluator.emission.complain(
            errors.bad_index(node.span, what, "" if rank else "it is a scalar")
        )
    if len(node.subscripts) == 1 and not isinstance(node.subscripts[0], tree.Slice):
        place = evaluator.term(node.subscripts[0], scope)
        if isinstance(place, Value) and place.kind == "int":
            return _gathered(evaluator.emission, value, place, node.span, name)
        return _indexed(
            evaluator.emission,
            value,
            (_entry(evaluator, place, node.subscripts[0], value, 0),),
            node.span,
            name,
        )
    key = tuple(
        [_subscript(evaluator, item, scope, value, axis) for axis, item in enumerate(node.subscripts)]
    )
    return _indexed(evaluator.emission, value, key, node.span, name)


def _indexed(emission: Emission, value: Value, key: tuple[Any, ...], span: Span, name: str | None) -> Term:
    if any(isinstance(entry, Poison) for entry in key):
        return POISON
    return emission.apply("index", value, span=span, name=name, key=key)


def _gathered(emission: Emission, value: Value, places: Value, span: Span, name: str | None) -> Term:
    if len(value.shape) != 1 or len(places.shape) > 1:
        what = f"{text_of(value.shape)} cannot be indexed by computed indices"
        return emission.complain(errors.bad_index(span, what, "only vectors can"))
    return emission.apply("gather", value, places, span=span, name=name, axis=0)


def _known_entry(
    evaluator: Evaluator, term: tuple[Term, ...] | Listing, node: tree.Index, scope: Scope
) -> Term | None:
    """An entry of a shape or of a list of numbers, without making an array of it."""
    items = term.items if isinstance(term, Listing) else term
    if len(node.subscripts) != 1:
        return None
    subscript = node.subscripts[0]
    if isinstance(subscript, tree.Slice):
        return (
            None
            if isinstance(term, Listing)
            else evaluator.emission.complain(
                errors.bad_index(node.span, "a tuple cannot be sliced", "take its entries one by one")
            )
        )
    place = evaluator.term(subscript, scope)
    if isinstance(term, Listing) and not isinstance(place, (Exact, Poison)):
        return None
    index = evaluator.as_whole(place, subscript.span, "an index")
    if isinstance(index, Poison):
        return POISON
    if not -len(items) <= index < len(items):
        return evaluator.emission.complain(errors.index_out_of_range(subscript.span, index, len(items)))
    return items[index]


def _subscript(
    evaluator: Evaluator, node: tree.Expression | tree.Slice, scope: Scope, value: Value, axis: int
) -> Any:
    if not isinstance(node, tree.Slice):
        return _entry(evaluator, evaluator.term(node, scope), node, value, axis)
    bounds: list[int | None] = []
    for part in (node.start, node.stop, node.step):
        bound = None if part is None else evaluator.whole(part, scope, "a slice bound")
        if isinstance(bound, Poison):
            return POISON
        bounds.append(bound)
    if bounds[2] == 0:
        return evaluator.emission.complain(errors.bad_index(node.span, "a slice step cannot be 0"))
    return slice(*bounds).indices(value.shape[axis])


def _entry(evaluator: Evaluator, place: Term, node: tree.Expression, value: Value, axis: int) -> int | Poison:
    if isinstance(place, Value) and place.kind == "int":
        what = "a computed index stands alone, in a vector"
        return evaluator.emission.complain(errors.bad_index(node.span, what, "write x[i] with a vector x"))
    if isinstance(place, Value) and place.kind == "bool":
        return evaluator.emission.complain(
            errors.bad_index(node.span, "a condition is not an index", "use where(c, a, b)")
        )
    index = evaluator.as_whole(place, node.span, "an index")
    if isinstance(index, Poison):
        return POISON
    size = value.shape[axis]
    if not -size <= index < size:
        return evaluator.emission.complain(errors.index_out_of_range(node.span, index, size))
    return index % size
