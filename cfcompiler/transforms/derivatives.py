"""One instruction to its derivative: the shares of its arguments, forward and reverse from the same text.

`tangent_of` writes the tangent of an instruction's value, `cotangents_of` the cotangents of its arguments. Linear
structural rows know their transpose here; elementwise rows and reductions come from the text of their row (or of the
preset's formula), in which `g` is the tangent of the argument or the cotangent of the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod

from cfcompiler.builder import Builder
from cfcompiler.ir import Apply, Kink, Select, Shape, TieMode, Value
from cfcompiler.primitives import TABLE

Tangents = Mapping[str, Value]


def zeros(builder: Builder, shape: Shape) -> Value:
    """A tangent or cotangent that is 0."""
    zero = builder.constant(0)
    return zero if not shape else builder.apply("broadcast", zero, shape=shape)


def fitted(builder: Builder, value: Value, shape: Shape) -> Value:
    """`value` broadcast or summed to `shape`."""
    if value.shape == shape:
        return value
    if prod(value.shape) <= prod(shape) and len(value.shape) <= len(shape):
        return builder.apply("broadcast", value, shape=shape)
    return builder.apply("sum_to", value, shape=shape)


def derivative_text(builder: Builder, op: str, mode: str, index: int) -> str | None:
    """The derivative of `op` by its argument `index`: the preset's own formula, else the row's."""
    text = builder.formula_texts.get((op, mode, index))
    return text if text is not None else TABLE[op].derivatives[index]


def _share(builder: Builder, instruction: Apply, index: int, g: Value, mode: str) -> Value | None:
    """The row's text with g: an elementwise share of the derivative; None where nothing flows."""
    op = instruction.op
    text = derivative_text(builder, op, mode, index)
    if text is None:
        return None
    out: Value = instruction.out
    environment = dict(zip(TABLE[op].params, instruction.args, strict=True))
    if TABLE[op].kind == "reduction":
        x, axes = instruction.args[0], instruction.attribute("axes")
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
        out = builder.apply("reshape", out, shape=kept)
        g = builder.apply("reshape", g, shape=kept) if mode == "reverse" else g
    environment.update(out=out, g=g)
    if op in ("ipow", "rpow"):
        n: Fraction = instruction.attribute("n")
        if n == 0 and text == TABLE[op].derivatives[0]:
            return None
        if op == "ipow" and n == 1 and text == TABLE[op].derivatives[0]:
            return g
        return builder.formula(text, environment, exponent=n, integer=op == "ipow")
    return builder.formula(text, environment)


def add_all(builder: Builder, terms: list[Value], name: str | None = None) -> Value:
    total = terms[0]
    for term in terms[1:]:
        total = builder.apply("add", total, term, name=name)
    return total


# forward


def tangent_of(builder: Builder, instruction: Apply | Select | Kink, tangents: Tangents) -> Value | None:
    """The tangent of the value defined by `instruction`, or None where it depends on no input."""
    match instruction:
        case Kink():
            return _tangent_of_kink(builder, instruction, tangents)
        case Select():
            return _tangent_of_select(builder, instruction, tangents)
        case Apply():
            return _tangent_of_apply(builder, instruction, tangents)


def _weigh(builder: Builder, kink: Kink, mode: TieMode, piece: str, term: Value) -> Value:
    """term times the weight of one piece; `kink` and `piece` say which written choice the weight belongs to."""
    weights = mode.above if piece == "above" else mode.below
    return builder.apply(
        "weigh",
        kink.left,
        kink.right,
        term,
        weights=weights.as_tuple(),
        gate=mode.gate,
        kink=kink.out.name,
        piece=piece,
    )


def _tangent_of_kink(builder: Builder, kink: Kink, tangents: Tangents) -> Value | None:
    mode = kink.tie.forward
    terms = [
        _weigh(builder, kink, mode, piece, tangents[value.name])
        for piece, value in (("above", kink.above), ("below", kink.below))
        if value.name in tangents
    ]
    return fitted(builder, add_all(builder, terms), kink.out.shape) if terms else None


def _tangent_of_select(builder: Builder, select: Select, tangents: Tangents) -> Value | None:
    if select.out.kind != "real":
        return None
    then, orelse = tangents.get(select.then.name), tangents.get(select.orelse.name)
    if then is None and orelse is None:
        return None
    shape = select.out.shape if select.lazy else ()
    if select.lazy or select.gate == "select":
        then = then if then is not None else zeros(builder, shape)
        orelse = orelse if orelse is not None else zeros(builder, shape)
        chosen = builder.select(select.guard, then, orelse, lazy=select.lazy, span=select.span)
        return fitted(builder, chosen, select.out.shape)
    zero, one = builder.constant(0), builder.constant(1)
    terms = []
    if then is not None:
        terms.append(builder.apply("mul", builder.select(select.guard, one, zero, lazy=False), then))
    if orelse is not None:
        terms.append(builder.apply("mul", builder.select(select.guard, zero, one, lazy=False), orelse))
    return fitted(builder, add_all(builder, terms), select.out.shape)


def _tangent_of_apply(builder: Builder, instruction: Apply, tangents: Tangents) -> Value | None:
    active = [index for index, arg in enumerate(instruction.args) if arg.name in tangents]
    if not active:
        return None
    op, args = instruction.op, instruction.args
    row = TABLE[op]
    if row.kind in ("elementwise", "reduction"):
        terms = []
        for index in active:
            term = _share(builder, instruction, index, tangents[args[index].name], "forward")
            if term is not None:
                terms.append(term)
        if not terms:
            return None
        total = add_all(builder, terms)
        if row.kind == "reduction":
            return builder.apply("sum", total, axes=instruction.attribute("axes"))
        return fitted(builder, total, instruction.out.shape)
    if op == "matmul":
        terms = []
        for index in active:
            pair = list(args)
            pair[index] = tangents[args[index].name]
            terms.append(builder.apply("matmul", *pair))
        return add_all(builder, terms)
    if op in ("concat", "stack"):
        parts = [tangents[arg.name] if arg.name in tangents else zeros(builder, arg.shape) for arg in args]
        return builder.apply(op, *parts, **dict(instruction.attributes))
    if op == "extremum":
        weighed = _weigh_extremum(builder, instruction, tangents[args[0].name], "forward")
        return builder.apply("sum", weighed, axes=instruction.attribute("axes"))
    if op in ("weigh", "weigh_extremum"):
        if args[2].name not in tangents:
            return None
        return builder.apply(op, args[0], args[1], tangents[args[2].name], **dict(instruction.attributes))
    if op in _TRANSPOSES:
        return builder.apply(op, tangents[args[0].name], *args[1:], **dict(instruction.attributes))
    return None


def _weigh_extremum(builder: Builder, instruction: Apply, term: Value, mode: str) -> Value:
    return builder.apply(
        "weigh_extremum",
        instruction.args[0],
        instruction.out,
        term,
        axes=instruction.attribute("axes"),
        sense=instruction.attribute("sense"),
        rule=instruction.attribute("rule"),
        mode=mode,
    )


# reverse


def cotangents_of(
    builder: Builder, instruction: Apply | Select | Kink, c: Value, active: set[str]
) -> list[tuple[Value, Value]]:
    """(argument, its cotangent) for each active argument of `instruction`, c being the cotangent of its value."""
    match instruction:
        case Kink():
            pairs = []
            for piece, value in (("above", instruction.above), ("below", instruction.below)):
                if value.name in active:
                    share = _weigh(builder, instruction, instruction.tie.reverse, piece, c)
                    pairs.append((value, fitted(builder, share, value.shape)))
            return pairs
        case Select():
            return _cotangents_of_select(builder, instruction, c, active)
        case Apply():
            return _cotangents_of_apply(builder, instruction, c, active)


def _cotangents_of_select(
    builder: Builder, select: Select, c: Value, active: set[str]
) -> list[tuple[Value, Value]]:
    pairs = []
    for value, truth in ((select.then, True), (select.orelse, False)):
        if value.name not in active:
            continue
        if select.lazy:
            with builder.under(select.guard, truth):
                # a copy on the branch of the arm: the cotangent lives where the arm does
                pairs.append((value, builder.apply("reshape", c, shape=c.shape)))
            continue
        zero = builder.constant(0)
        full = c if select.gate == "select" else builder.constant(1)
        then, orelse = (full, zero) if truth else (zero, full)
        share = builder.select(select.guard, then, orelse, lazy=False, span=select.span)
        if select.gate == "mul":
            share = builder.apply("mul", share, c)
        pairs.append((value, fitted(builder, share, value.shape)))
    return pairs


def _cotangents_of_apply(
    builder: Builder, instruction: Apply, c: Value, active: set[str]
) -> list[tuple[Value, Value]]:
    op, args = instruction.op, instruction.args
    row = TABLE[op]
    pairs: list[tuple[Value, Value]] = []
    if row.kind in ("elementwise", "reduction"):
        for index, arg in enumerate(args):
            if arg.name in active:
                share = _share(builder, instruction, index, c, "reverse")
                if share is not None:
                    pairs.append((arg, fitted(builder, share, arg.shape)))
        return pairs
    if op == "matmul":
        return [(arg, share) for arg, share in _transposed_matmul(builder, args, c) if arg.name in active]
    if op in ("concat", "stack"):
        return _transposed_join(builder, instruction, c, active)
    if op == "extremum" and args[0].name in active:
        return [(args[0], _weigh_extremum(builder, instruction, c, "reverse"))]
    if op in ("weigh", "weigh_extremum"):
        term = args[2]
        if term.name not in active:
            return []
        share = builder.apply(op, args[0], args[1], c, **dict(instruction.attributes))
        if op == "weigh_extremum" and term.shape != share.shape:
            return [(term, builder.apply("sum", share, axes=instruction.attribute("axes")))]
        return [(term, fitted(builder, share, term.shape))]
    if op in _TRANSPOSES and args[0].name in active:
        return [(args[0], _TRANSPOSES[op](builder, instruction, c))]
    return pairs


def _outer(builder: Builder, a: Value, b: Value) -> Value:
    column = builder.apply("reshape", a, shape=(*a.shape, 1))
    row = builder.apply("reshape", b, shape=(1, *b.shape))
    return builder.apply("mul", column, row)


def _flipped(builder: Builder, a: Value) -> Value:
    return builder.apply("transpose", a, axes=(1, 0))


def _transposed_matmul(builder: Builder, args: tuple[Value, ...], c: Value) -> list[tuple[Value, Value]]:
    a, b = args
    match len(a.shape), len(b.shape):
        case 1, 1:
            return [(a, builder.apply("mul", c, b)), (b, builder.apply("mul", c, a))]
        case 2, 1:
            return [(a, _outer(builder, c, b)), (b, builder.apply("matmul", _flipped(builder, a), c))]
        case 1, 2:
            return [(a, builder.apply("matmul", b, c)), (b, _outer(builder, a, c))]
        case _:
            of_a = builder.apply("matmul", c, _flipped(builder, b))
            return [(a, of_a), (b, builder.apply("matmul", _flipped(builder, a), c))]


def _transposed_join(
    builder: Builder, instruction: Apply, c: Value, active: set[str]
) -> list[tuple[Value, Value]]:
    axis: int = instruction.attribute("axis")
    before = tuple((0, size, 1) for size in instruction.out.shape[:axis])
    pairs, start = [], 0
    for position, arg in enumerate(instruction.args):
        size = 1 if instruction.op == "stack" else arg.shape[axis]
        if arg.name in active:
            entry: int | tuple[int, int, int] = (
                position if instruction.op == "stack" else (start, start + size, 1)
            )
            pairs.append((arg, builder.apply("index", c, key=(*before, entry))))
        start += size
    return pairs


def _transposed_sum(builder: Builder, instruction: Apply, c: Value) -> Value:
    shape, axes = instruction.args[0].shape, instruction.attribute("axes")
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return builder.apply("broadcast", builder.apply("reshape", c, shape=kept), shape=shape)


def _transposed_gather(builder: Builder, instruction: Apply, c: Value) -> Value:
    x, places = instruction.args
    axis = instruction.attribute("axis")
    scalar = len(places.shape) < len(x.shape)
    return builder.apply("scatter", c, places, axis=axis, size=x.shape[axis], scalar=scalar)


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=lambda axis: axes[axis]))


# Transposes of the rows that are linear in their first argument.
_TRANSPOSES: dict[str, Callable[[Builder, Apply, Value], Value]] = {
    "broadcast": lambda b, i, c: b.apply("sum_to", c, shape=i.args[0].shape),
    "sum_to": lambda b, i, c: b.apply("broadcast", c, shape=i.args[0].shape),
    "reshape": lambda b, i, c: b.apply("reshape", c, shape=i.args[0].shape),
    "transpose": lambda b, i, c: b.apply("transpose", c, axes=_inverse(i.attribute("axes"))),
    "index": lambda b, i, c: b.apply("place", c, key=i.attribute("key"), shape=i.args[0].shape),
    "place": lambda b, i, c: b.apply("index", c, key=i.attribute("key")),
    "take": lambda b, i, c: b.apply("put", c, indices=i.attribute("indices"), shape=i.args[0].shape),
    "put": lambda b, i, c: b.apply("take", c, indices=i.attribute("indices"), shape=i.args[0].shape),
    "sum": _transposed_sum,
    "cumsum": lambda b, i, c: b.apply(
        "cumsum", c, axis=i.attribute("axis"), reverse=not i.attribute("reverse")
    ),
    "gather": _transposed_gather,
    "scatter": lambda b, i, c: b.apply("gather", c, i.args[1], axis=i.attribute("axis")),
}
