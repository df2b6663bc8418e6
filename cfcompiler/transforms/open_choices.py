"""An instruction that chooses -> the condition under which its choice is open at the point: what it compares is equal.

    s = kink x y x y           tied = not (x < y or x > y)
    r = relu of a dead relu    nothing is open where the value compared does not move: both sides are constant around

`Motion` says which values move with the inputs on the pieces that are followed at the point: sums and products of what
moves, the piece of a kink that is chosen, nothing behind a step. At a tie both pieces count.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

from cfcompiler.builder import Builder
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Shape, Value
from cfcompiler.primitives import COMPARISONS, TABLE

STEPS = ("sign", "heaviside", "floor", "ceil", "trunc", "round", "fmod", "remainder")
ORDERINGS = ("order", "argextremum", "cumargextremum")
_FLAT = ("sign", "heaviside", "floor", "ceil", "trunc", "round")
_LINEAR = ("broadcast", "sum_to", "reshape", "transpose", "index", "place", "take", "put", "sum", "cumsum")
# Whether a value moves: always, never, or a count that is 0 where it does not.
Moving: TypeAlias = bool | Value


class Motion:
    """Which values move with the inputs, as instructions of the builder."""

    def __init__(self, builder: Builder, program: Program, sides: Mapping[str, tuple[Value, Value]]) -> None:
        """`sides`: of values that stand for a difference, what they are the difference of."""
        self.builder = builder
        self.sides = sides
        self.moving: dict[str, Moving] = {param.value.name: param.differentiable for param in program.params}

    def of(self, value: Value) -> Moving:
        return self.moving.get(value.name, True)

    def follow(self, instruction: Instruction) -> None:
        """Note whether the value of `instruction` moves."""
        if instruction.out.kind == "real":
            self.moving[instruction.out.name] = self._found(instruction)

    def count(self, moving: Moving, shape: Shape) -> Value:
        """As an array of counts."""
        value = self.builder.constant(int(moving)) if isinstance(moving, bool) else moving
        return value if value.shape == shape else self.builder.apply("broadcast", value, shape=shape)

    def either(self, *values: Value) -> Moving:
        """Whether one of them moves, entry by entry."""
        found = [self.of(value) for value in values]
        if any(one is True for one in found):
            return True
        counts = [one for one in found if isinstance(one, Value)]
        if not counts:
            return False
        total = counts[0]
        for one in counts[1:]:
            total = self.builder.apply("add", total, one)
        return total

    def _found(self, instruction: Instruction) -> Moving:
        if instruction.out.name in self.sides:
            return self.either(*self.sides[instruction.out.name])
        builder, shape = self.builder, instruction.out.shape
        match instruction:
            case Kink(left=left, right=right, above=above, below=below):
                first, second = self.of(below), self.of(above)
                if isinstance(first, bool) and first is second:
                    return first
                guard = builder.apply("less", left, right)
                return builder.select(guard, self.count(first, shape), self.count(second, shape), lazy=False)
            case Select(guard=guard, then=then, orelse=orelse, lazy=lazy):
                first, second = self.of(then), self.of(orelse)
                if isinstance(first, bool) and first is second:
                    return first
                return builder.select(guard, self.count(first, shape), self.count(second, shape), lazy=lazy)
            case Apply():
                return self._of_apply(instruction)

    def _of_apply(self, instruction: Apply) -> Moving:
        op, args, builder = instruction.op, instruction.args, self.builder
        row = TABLE[op]
        if op in _FLAT or op in ("constant", "array", "to_real"):
            return False
        if row.kind in ("elementwise", "condition"):
            return self.either(*args)
        found = [self.of(arg) for arg in args if arg.kind == "real"]
        if all(isinstance(one, bool) and one is found[0] for one in found):
            return found[0]
        if row.kind == "reduction":
            return builder.apply(
                "sum", self.count(found[0], args[0].shape), axes=instruction.attribute("axes")
            )
        if op in ("concat", "stack"):
            parts = [self.count(one, arg.shape) for one, arg in zip(found, args, strict=True)]
            return builder.apply(op, *parts, **dict(instruction.attributes))
        if op in _LINEAR or op == "gather":
            count = self.count(found[0], args[0].shape)
            return builder.apply(op, count, *args[1:], **dict(instruction.attributes))
        if op == "extremum":
            axes = instruction.attribute("axes")
            equal = _equal_to(builder, args[0], instruction.out, axes)
            return builder.apply("sum", builder.apply("mul", equal, found[0]), axes=axes)  # type: ignore[arg-type]
        return True


def open_choice(builder: Builder, instruction: Instruction, motion: Motion) -> Value | None:
    """One truth value: whether the choice of `instruction` is open at the point; None if it never is."""
    condition = _open(builder, instruction, motion)
    if condition is None or not condition.shape:
        return condition
    axes = tuple(range(len(condition.shape)))
    count = builder.apply("sum", builder.apply("to_real", condition), axes=axes)
    return builder.apply("greater", count, builder.constant(0))


def _open(builder: Builder, instruction: Instruction, motion: Motion) -> Value | None:
    if isinstance(instruction, Kink):
        return _undecided(builder, instruction.left, instruction.right, motion)
    assert isinstance(instruction, Apply)
    op, args = instruction.op, instruction.args
    if op == "weigh" or op in COMPARISONS:
        return _undecided(builder, args[0], args[1], motion)
    if op in ("extremum", "weigh_extremum"):
        top = instruction.out if op == "extremum" else args[1]
        return _several(builder, args[0], top, instruction.attribute("axes"), motion)
    if op == "argextremum":
        axis = instruction.attribute("axis")
        top = builder.apply("gather", args[0], instruction.out, axis=axis)
        return _several(builder, args[0], top, (axis,), motion)
    if op in ORDERINGS:
        return _neighbours(builder, instruction, motion)
    return _at_step(builder, op, args, motion)


def _undecided(builder: Builder, left: Value, right: Value, motion: Motion) -> Value | None:
    """left and right are equal, or NaN, and one of them moves."""
    moving = motion.either(left, right)
    if moving is False:
        return None
    less, greater = builder.apply("less", left, right), builder.apply("greater", left, right)
    tied = builder.apply("logical_not", builder.apply("logical_or", less, greater))
    return tied if moving is True else builder.apply("logical_and", tied, _positive(builder, moving))


def _positive(builder: Builder, count: Value) -> Value:
    return builder.apply("greater", count, builder.constant(0))


def _equal_to(builder: Builder, x: Value, top: Value, axes: tuple[int, ...]) -> Value:
    """1 for the entries of x that are the extremum of their row, else 0."""
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    return builder.apply("to_real", builder.apply("equal", x, builder.apply("reshape", top, shape=kept)))


def _several(builder: Builder, x: Value, top: Value, axes: tuple[int, ...], motion: Motion) -> Value | None:
    """Not exactly one entry of a row of x is its extremum, and one that is moves."""
    moving = motion.of(x)
    if moving is False:
        return None
    equal = _equal_to(builder, x, top, axes)
    tied = builder.apply("not_equal", builder.apply("sum", equal, axes=axes), builder.constant(1))
    if moving is True:
        return tied
    count = builder.apply("sum", builder.apply("mul", equal, moving), axes=axes)
    return builder.apply("logical_and", tied, _positive(builder, count))


def _neighbours(builder: Builder, instruction: Apply, motion: Motion) -> Value | None:
    """Equal neighbours in the order; for running extrema, an entry equal to the extremum before it."""
    x, axis = instruction.args[0], instruction.attribute("axis")
    size = x.shape[axis]
    moving = motion.of(x)
    if size < 2 or moving is False:
        return None
    before = tuple((0, length, 1) for length in x.shape[:axis])
    later, sooner = (*before, (1, size, 1)), (*before, (0, size - 1, 1))

    def pair(entries: Value) -> tuple[Value, Value]:
        chosen = builder.apply("gather", entries, instruction.out, axis=axis)
        following = chosen if instruction.op == "order" else entries
        return builder.apply("index", following, key=later), builder.apply("index", chosen, key=sooner)

    first, second = pair(x)
    less, greater = builder.apply("less", first, second), builder.apply("greater", first, second)
    tied = builder.apply("logical_not", builder.apply("logical_or", less, greater))
    if moving is True:
        return tied
    return builder.apply("logical_and", tied, _positive(builder, builder.apply("add", *pair(moving))))


def _at_step(builder: Builder, op: str, args: tuple[Value, ...], motion: Motion) -> Value | None:
    """A step function where it jumps."""
    x = args[0]
    moving = motion.either(*(args if op in ("fmod", "remainder") else args[:1]))
    if moving is False:
        return None
    if op in ("fmod", "remainder"):
        x = builder.apply("div", x, args[1])
    if op == "round":
        x = builder.apply("sub", x, builder.constant(Fraction(1, 2)))
    switch = builder.constant(0) if op in ("sign", "heaviside") else builder.apply("floor", x)
    less, greater = builder.apply("less", x, switch), builder.apply("greater", x, switch)
    tied = builder.apply("logical_not", builder.apply("logical_or", less, greater))
    return tied if moving is True else builder.apply("logical_and", tied, _positive(builder, moving))
