"""One instruction to one NumPy expression: plain, allocating, right at every tie and NaN.

What the block code and the buffered array code fall back on, and what redoes the points that they leave open. An
expression is written for values whose own axes begin at `first` (0: no points, or points behind; 1: points in front).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Value
from cfcompiler.primitives import TABLE
from cfcompiler.targets.numpy_module.constants import literal

Names = Callable[[Value], str]


def array_name(name: str) -> str:
    """The name in a module of an array of constants."""
    return f"A_{name}"


RELATIONS = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", **RELATIONS, "logical_and": "&", "logical_or": "|"}


class Facts:
    """What an expression needs to know of the rest of its program."""

    def __init__(self, program: Program) -> None:
        self.definition = {instruction.out.name: instruction for instruction in program.instructions}
        self.arrays = {constant.name for constant in program.constants}

    def places_are_distinct(self, places: Value) -> bool:
        """Whether an int value is a whole permutation, so that what is scattered by it never collides."""
        instruction = self.definition.get(places.name)
        return isinstance(instruction, Apply) and instruction.op == "order"


def expression(instruction: Instruction, names: Names, facts: Facts, first: int = 0) -> str:
    """The value of `instruction` as NumPy text over the names of its arguments."""
    match instruction:
        case Kink(left=left, right=right, above=above, below=below):
            if (above.name, below.name) == (left.name, right.name):
                return f"np.maximum({names(below)}, {names(above)})"
            if (above.name, below.name) == (right.name, left.name):
                return f"np.minimum({names(below)}, {names(above)})"
            return f"_kink({names(left)}, {names(right)}, {names(above)}, {names(below)})"
        case Select(guard=guard, then=then, orelse=orelse):
            return f"np.where({names(guard)}, {names(then)}, {names(orelse)})"
        case Apply():
            return _apply(instruction, names, facts, first)


def _apply(instruction: Apply, names: Names, facts: Facts, first: int) -> str:
    op = instruction.op
    args = [names(arg) for arg in instruction.args]
    if op in _INFIX:
        return f"{args[0]} {_INFIX[op]} {args[1]}"
    if op == "neg":
        return f"-{args[0]}"
    if op in ("ipow", "rpow"):
        exponent = instruction.attribute("n")
        return f"{args[0]} * {args[0]}" if exponent == 2 else f"np.power({args[0]}, {literal(exponent)})"
    row = TABLE[op]
    if row.kind in ("elementwise", "condition"):
        function = row.numpy if row.numpy.startswith("_") else f"np.{row.numpy or op}"
        return f"{function}({', '.join(args)})"
    if row.kind == "reduction":
        return f"_{op}({args[0]}, {_axes(instruction.attribute('axes'), first)})"
    return _STRUCTURAL[op](instruction, args, facts, first)


def _axes(axes: tuple[int, ...], first: int) -> str:
    return repr(tuple(axis + first for axis in axes))


def _shape(shape: tuple[int, ...], x: str, first: int) -> str:
    """A target shape: with the points in front, their number is that of x."""
    return f"({x}.shape[0], {', '.join(map(str, shape))})" if first else repr(shape)


def key_text(key: tuple[Any, ...], first: int) -> str:
    """The inside of the brackets of an index."""
    parts = [":"] * first
    for entry in key:
        if isinstance(entry, int):
            parts.append(str(entry))
            continue
        start, stop, step = entry
        text = f"{start}:{stop if stop >= 0 else ''}"
        parts.append(text if step == 1 else f"{text}:{step}")
    return ", ".join(parts)


def _weigh(i: Apply, a: list[str], facts: Facts, first: int) -> str:
    weights = ", ".join(literal(weight) for weight in i.attribute("weights"))
    return f"_weigh({a[0]}, {a[1]}, {a[2]}, {weights}, {i.attribute('gate')!r})"


def extremum_rule(weighing: Apply) -> tuple[str, str, str]:
    """Of a weigh_extremum: the text of its tie rule, what NaN gives, and the gate."""
    rule, forward = weighing.attribute("rule"), weighing.attribute("mode") == "forward"
    tie = (
        repr(rule.tie)
        if isinstance(rule.tie, str)
        else f"({', '.join(literal(weight) for weight in rule.tie)},)"
    )
    at_nan = rule.nan_forward if forward else rule.nan_reverse
    return tie, at_nan, rule.gate_forward if forward else rule.gate_reverse


def _weigh_extremum(i: Apply, a: list[str], facts: Facts, first: int) -> str:
    tie, at_nan, gate = extremum_rule(i)
    whole = i.args[2].shape == i.args[0].shape
    axes = _axes(i.attribute("axes"), first)
    return f"_weigh_extremum({a[0]}, {a[1]}, {a[2]}, {axes}, {whole}, {tie}, {at_nan!r}, {gate!r})"


def _extremum(i: Apply, a: list[str], facts: Facts, first: int) -> str:
    return f"np.{i.attribute('sense')}({a[0]}, axis={_axes(i.attribute('axes'), first)})"


def _scatter(i: Apply, a: list[str], facts: Facts, first: int) -> str:
    scalar = bool(i.attribute("scalar"))
    distinct = scalar or facts.places_are_distinct(i.args[1])
    return f"_scatter({a[0]}, {a[1]}, {i.attribute('axis') + first}, {i.attribute('size')}, {scalar}, {distinct})"


def _place(i: Apply, a: list[str], facts: Facts, first: int) -> str:
    key = f"np.s_[{key_text(i.attribute('key'), first)}]"
    return f"_placed({a[0]}, {key}, {_shape(i.attribute('shape'), a[0], first)})"


def _transpose(i: Apply, a: list[str], facts: Facts, first: int) -> str:
    axes = i.attribute("axes")
    if first:
        return f"{a[0]}.transpose((0, {', '.join(str(axis + 1) for axis in axes)}))"
    return f"{a[0]}.T" if axes == (1, 0) else f"{a[0]}.transpose({axes!r})"


def _join(i: Apply, a: list[str], facts: Facts, first: int) -> str:
    name = "concatenate" if i.op == "concat" else "stack"
    return f"np.{name}(({', '.join(a)},), axis={i.attribute('axis') + first})"


_STRUCTURAL: dict[str, Callable[[Apply, list[str], Facts, int], str]] = {
    "constant": lambda i, a, f, k: literal(i.attribute("value")),
    "boolean": lambda i, a, f, k: f"np.array({i.attribute('value')})",
    "array": lambda i, a, f, k: array_name(i.attribute("name")) + ("[None]" if k else ""),
    "to_real": lambda i, a, f, k: f"{a[0]} * 1.0",
    "broadcast": lambda i, a, f, k: f"np.broadcast_to({a[0]}, {_shape(i.attribute('shape'), a[0], k)})",
    "reshape": lambda i, a, f, k: f"{a[0]}.reshape({_shape(i.attribute('shape'), a[0], k)})",
    "transpose": _transpose,
    "index": lambda i, a, f, k: f"{a[0]}[{key_text(i.attribute('key'), k)}]",
    "sum": lambda i, a, f, k: f"{a[0]}.sum(axis={_axes(i.attribute('axes'), k)})",
    "cumsum": lambda i, a, f, k: f"_cumulated({a[0]}, {i.attribute('axis') + k}, {i.attribute('reverse')})",
    "concat": _join,
    "stack": _join,
    "matmul": lambda i, a, f, k: f"{a[0]} @ {a[1]}",
    "weigh": _weigh,
    "extremum": _extremum,
    "weigh_extremum": _weigh_extremum,
    "argextremum": lambda i, a, f, k: f"np.arg{i.attribute('sense')}({a[0]}, axis={i.attribute('axis') + k})",
    "order": lambda i, a, f, k: (
        f"_order({a[0]}, {i.attribute('axis') + k}, {i.attribute('descending')}, {i.attribute('last')})"
    ),
    "cumargextremum": lambda i, a, f, k: (
        f"_cumulative_places({a[0]}, {i.attribute('axis') + k}, {i.attribute('sense')!r}, {i.attribute('last')})"
    ),
    "gather": lambda i, a, f, k: f"_gather({a[0]}, {a[1]}, {i.attribute('axis') + k})",
    "scatter": _scatter,
    "place": _place,
}
