"""The shape rule of every primitive: shapes and kinds of the arguments to those of the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from cfcompiler.ir import Kind, Shape, Value
from cfcompiler.primitives import TABLE


class ShapeError(ValueError):
    """Shapes that do not fit; the text says which."""


def broadcast_shapes(*shapes: Shape) -> Shape:
    """NumPy's broadcasting. Raises ShapeError."""
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    rank = max(len(shape) for shape in shapes)
    out: list[int] = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in shapes if -axis <= len(shape)} - {1}
        if len(sizes) > 1:
            named = " and ".join(map(text_of, dict.fromkeys(shapes)))
            raise ShapeError(f"shapes {named} do not broadcast")
        out.append(sizes.pop() if sizes else 1)
    return tuple(out)


def text_of(shape: Shape) -> str:
    """A shape as the language writes it: Real, Real[3], Real[2, 4]."""
    return "Real" if not shape else "Real[" + ", ".join(map(str, shape)) + "]"


def reduced(shape: Shape, axes: Sequence[int]) -> Shape:
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def indexed(shape: Shape, key: Sequence[Any]) -> Shape:
    """Shape of x[key]; key has one entry an axis: an int, or (start, stop, step) already resolved."""
    out: list[int] = []
    for entry in key:
        if not isinstance(entry, int):
            out.append(len(range(*entry)))
    return (*out, *shape[len(key) :])


def result_of(op: str, args: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Shape, Kind]:
    """Shape and kind of op(*args). Raises ShapeError, KeyError for an unknown row."""
    rule = _RULES.get(op)
    if rule is not None:
        return rule(args, attributes)
    row = TABLE[op]
    if row.kind == "elementwise":
        return _elementwise(args), "real"
    if row.kind == "condition":
        return _elementwise(args), "bool"
    if row.kind == "reduction":
        return reduced(args[0].shape, attributes["axes"]), "real"
    raise KeyError(op)


def _elementwise(args: Sequence[Value]) -> Shape:
    if len(args) == 1:
        return args[0].shape
    first, second = args[0].shape, args[1].shape
    if first == second and len(args) == 2:
        return first
    return broadcast_shapes(*(arg.shape for arg in args))


def _select(args: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Shape, Kind]:
    guard, then, orelse = args
    if attributes["lazy"]:
        if guard.shape:
            raise ShapeError("a condition of `if` is one truth value, not an array: use where(c, a, b)")
        if then.shape != orelse.shape:
            raise ShapeError(
                f"the two arms have the shapes {text_of(then.shape)} and {text_of(orelse.shape)}"
            )
        return then.shape, then.kind
    return broadcast_shapes(guard.shape, then.shape, orelse.shape), then.kind


def _matmul(args: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Shape, Kind]:
    a, b = args[0].shape, args[1].shape
    if not a or not b or len(a) > 2 or len(b) > 2:
        raise ShapeError(f"@ takes vectors and matrices, not {text_of(a)} and {text_of(b)}")
    if a[-1] != b[0]:
        raise ShapeError(f"{text_of(a)} @ {text_of(b)}: {a[-1]} is not {b[0]}")
    return (*a[:-1], *b[1:]), "real"


def _concat(args: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Shape, Kind]:
    axis = attributes["axis"]
    first = args[0].shape
    for arg in args:
        if arg.shape[:axis] != first[:axis] or arg.shape[axis + 1 :] != first[axis + 1 :]:
            raise ShapeError(f"{text_of(first)} and {text_of(arg.shape)} cannot be joined")
    return (*first[:axis], sum(arg.shape[axis] for arg in args), *first[axis + 1 :]), "real"


def _stack(args: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Shape, Kind]:
    axis, first = attributes["axis"], args[0].shape
    for arg in args:
        if arg.shape != first:
            raise ShapeError(
                f"entries of one array have the shapes {text_of(first)} and {text_of(arg.shape)}"
            )
    return (*first[:axis], len(args), *first[axis:]), args[0].kind


def _extremum(args: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Shape, Kind]:
    shape, axes, rule = args[0].shape, attributes["axes"], attributes["rule"]
    entries = prod(shape[axis] for axis in axes)
    if isinstance(rule.tie, tuple) and len(rule.tie) != entries:
        raise ShapeError(
            f"the tie rule {rule.name} has {len(rule.tie)} weights, and here are {entries} entries"
        )
    return reduced(shape, axes), "real"


def _reshape(args: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Shape, Kind]:
    shape = attributes["shape"]
    if prod(shape) != prod(args[0].shape):
        raise ShapeError(f"{text_of(args[0].shape)} has not as many entries as {text_of(shape)}")
    return shape, args[0].kind


def _gather(args: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Shape, Kind]:
    axis, x, places = attributes["axis"], args[0].shape, args[1].shape
    rest = (*x[:axis], *x[axis + 1 :])
    if places == rest:
        return rest, "real"
    if len(places) == len(x) and (*places[:axis], *places[axis + 1 :]) == rest:
        return places, "real"
    raise ShapeError(f"indices of shape {text_of(places)} do not fit {text_of(x)}")


def _scatter(args: Sequence[Value], attributes: Mapping[str, Any]) -> tuple[Shape, Kind]:
    axis, size, x, places = attributes["axis"], attributes["size"], args[0].shape, args[1].shape
    if x != places:
        raise ShapeError("scatter: entries and places differ in shape")
    if attributes.get("scalar", False):
        return (*x[:axis], size, *x[axis:]), "real"
    return (*x[:axis], size, *x[axis + 1 :]), "real"


Rule = Callable[[Sequence[Value], Mapping[str, Any]], tuple[Shape, Kind]]

_RULES: dict[str, Rule] = {
    "select": _select,
    "kink": lambda args, attributes: (broadcast_shapes(*(arg.shape for arg in args)), "real"),
    "constant": lambda args, attributes: ((), "real"),
    "boolean": lambda args, attributes: ((), "bool"),
    "array": lambda args, attributes: (attributes["shape"], "real"),
    "to_real": lambda args, attributes: (args[0].shape, "real"),
    "broadcast": lambda args, attributes: (attributes["shape"], args[0].kind),
    "sum_to": lambda args, attributes: (attributes["shape"], "real"),
    "reshape": _reshape,
    "transpose": lambda args, attributes: (
        tuple(args[0].shape[axis] for axis in attributes["axes"]),
        args[0].kind,
    ),
    "index": lambda args, attributes: (indexed(args[0].shape, attributes["key"]), args[0].kind),
    "place": lambda args, attributes: (attributes["shape"], "real"),
    "take": lambda args, attributes: (attributes["shape"], "real"),
    "put": lambda args, attributes: (attributes["shape"], "real"),
    "sum": lambda args, attributes: (reduced(args[0].shape, attributes["axes"]), "real"),
    "cumsum": lambda args, attributes: (args[0].shape, "real"),
    "concat": _concat,
    "stack": _stack,
    "matmul": _matmul,
    "weigh": lambda args, attributes: (broadcast_shapes(*(arg.shape for arg in args)), "real"),
    "extremum": _extremum,
    "weigh_extremum": lambda args, attributes: (args[0].shape, "real"),
    "argextremum": lambda args, attributes: (reduced(args[0].shape, (attributes["axis"],)), "int"),
    "order": lambda args, attributes: (args[0].shape, "int"),
    "cumargextremum": lambda args, attributes: (args[0].shape, "int"),
    "gather": _gather,
    "scatter": _scatter,
}
