"""Small programs as trees: their text, and their exact evaluation over any numbers that add, multiply and divide.

A selection asks a `Decider` which of its pieces is followed, so that one walk serves for the executed piece, for a
piece that is forced, for AD with tie rules and for the enumeration of all pieces. A node used twice is shared: it is
one assignment in the text and one choice. Only what the result needs is evaluated; arms not taken are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

from flint import fmpq

Outcome: TypeAlias = Any  # a sign, or (places below, places tied) of an ordering
Vector: TypeAlias = tuple[Fraction, ...]

COMPARE = {
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    "==": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
}
ORDERINGS = ("max", "min", "sorted", "median")


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An operation; `data` is its number, place, exponent or comparison. Nodes are the same only if identical."""

    op: str
    args: tuple[Node, ...] = ()
    data: Any = None

    def __add__(self, other: Node | int | Fraction) -> Node:
        return Node("add", (self, node(other)))

    def __radd__(self, other: int | Fraction) -> Node:
        return Node("add", (node(other), self))

    def __sub__(self, other: Node | int | Fraction) -> Node:
        return Node("sub", (self, node(other)))

    def __rsub__(self, other: int | Fraction) -> Node:
        return Node("sub", (node(other), self))

    def __mul__(self, other: Node | int | Fraction) -> Node:
        return Node("mul", (self, node(other)))

    def __rmul__(self, other: int | Fraction) -> Node:
        return Node("mul", (node(other), self))

    def __truediv__(self, other: Node | int | Fraction) -> Node:
        return Node("div", (self, node(other)))

    def __neg__(self) -> Node:
        return Node("neg", (self,))

    def __pow__(self, exponent: int) -> Node:
        return Node("pow", (self,), exponent)


def node(value: Node | int | Fraction) -> Node:
    """A number becomes a constant."""
    return value if isinstance(value, Node) else Node("const", (), fmpq_of(Fraction(value)))


def fmpq_of(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def fraction_of(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def relu(a: Node) -> Node:
    return Node("relu", (a,))


def absolute(a: Node) -> Node:
    return Node("abs", (a,))


def maximum(*args: Node | int) -> Node:
    return Node("max", tuple(node(arg) for arg in args))


def minimum(*args: Node | int) -> Node:
    return Node("min", tuple(node(arg) for arg in args))


def clip(a: Node, low: Fraction, high: Fraction) -> Node:
    return Node("clip", (a, node(low), node(high)))


def nth(args: Sequence[Node], place: int) -> Node:
    """sort(args)[place]"""
    return Node("sorted", tuple(args), place)


def median(args: Sequence[Node]) -> Node:
    """Of an odd number."""
    return Node("median", tuple(args), len(args) // 2)


def choose(left: Node | int, op: str, right: Node | int, yes: Node | int, no: Node | int) -> Node:
    """yes if left op right else no"""
    return Node("if", (node(left), node(right), node(yes), node(no)), op)


def where(left: Node | int, op: str, right: Node | int, yes: Node | int, no: Node | int) -> Node:
    return Node("where", (node(left), node(right), node(yes), node(no)), op)


# Functions of one argument, written in the text as functions: name -> (body in the language, body as a tree).
FUNCTIONS = {
    "relu2": ("relu(-t) + t", lambda t: relu(-t) + t),
    "relu3": ("(relu(t) + (relu(-t) + t))*(1/2)", lambda t: (relu(t) + (relu(-t) + t)) * Fraction(1, 2)),
    "flat": ("relu(t) - relu(-t) - t", lambda t: relu(t) - relu(-t) - t),
    "soft": ("relu(t - 1) - relu(-t - 1)", lambda t: relu(t - 1) - relu(-t - 1)),
    "thin": ("0 if t == 0 else t", lambda t: choose(t, "==", 0, 0, t)),
}


def call(name: str, a: Node) -> Node:
    """A call of one of FUNCTIONS; a constant is given to it by value, anything else is computed once."""
    return Node("call", (FUNCTIONS[name][1](a), a), name)


@dataclass(frozen=True, slots=True)
class Program:
    """Named scalar inputs and a result."""

    inputs: tuple[str, ...]
    result: Node

    @property
    def text(self) -> str:
        return _text(self)


class Decider(Protocol):
    """Which piece a selection follows; weights where it follows a mixture."""

    def sign(self, at: Node, switch: Any, side: int) -> Outcome:
        """The sign of a switch; `side` tells the two switches of a clip apart."""

    def order(self, at: Node, values: Sequence[Any], place: int) -> Outcome:
        """(below, tied): the places of the values below and equal to the one at `place` in ascending order."""

    def mix(self, at: Node, outcome: Outcome, pieces: Sequence[Any], side: int) -> Any:
        """The result of a selection that is tied; `pieces` are the candidates in written order."""


def evaluate(program: Program, inputs: Sequence[Any], decider: Decider) -> Any:
    """The result over the numbers of `inputs`."""
    return _Walk(inputs, decider).value(program.result)


class _Walk:
    __slots__ = ("decider", "inputs", "known")

    def __init__(self, inputs: Sequence[Any], decider: Decider) -> None:
        self.inputs, self.decider = inputs, decider
        self.known: dict[Node, Any] = {}

    def value(self, at: Node) -> Any:
        if at not in self.known:
            self.known[at] = self._compute(at)
        return self.known[at]

    def _compute(self, at: Node) -> Any:
        match at.op:
            case "const":
                return at.data
            case "var":
                return self.inputs[at.data]
            case "call":
                return self.value(at.args[0])
            case "if" | "where":
                return self._branch(at)
        args = [self.value(arg) for arg in at.args]
        match at.op:
            case "add":
                return args[0] + args[1]
            case "sub":
                return args[0] - args[1]
            case "mul":
                return args[0] * args[1]
            case "div":
                return args[0] / args[1]
            case "neg":
                return -args[0]
            case "pow":
                return _power(args[0], at.data)
            case "relu":
                return self._two(at, args[0], args[0], args[0] * 0, 0)
            case "abs":
                return self._two(at, args[0], args[0], -args[0], 0)
            case "clip":
                above = self._two(at, args[0] - args[1], args[0], args[1], 0)
                return self._two(at, args[2] - above, above, args[2], 1)
        return self._ordering(at, args)

    def _branch(self, at: Node) -> Any:
        switch = self.value(at.args[0]) - self.value(at.args[1])
        taken = COMPARE[at.data](self.decider.sign(at, switch, 0))
        return self.value(at.args[2] if taken else at.args[3])

    def _two(self, at: Node, switch: Any, above: Any, below: Any, side: int) -> Any:
        sign = self.decider.sign(at, switch, side)
        if sign == 0:
            return self.decider.mix(at, sign, (above, below), side)
        return above if sign > 0 else below

    def _ordering(self, at: Node, args: Sequence[Any]) -> Any:
        place = {"max": len(args) - 1, "min": 0}.get(at.op, at.data)
        outcome = self.decider.order(at, args, place)
        _, tied = outcome
        if len(tied) == 1:
            return args[tied[0]]
        return self.decider.mix(at, outcome, [args[index] for index in tied], 0)


def _power(value: Any, exponent: int) -> Any:
    result = value
    for _ in range(exponent - 1):
        result = result * value
    return result


# Text


def _text(program: Program) -> str:
    return _Writer(program).text()


class _Writer:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.uses: dict[Node, int] = {}
        self.names: dict[Node, str] = {}
        self.lines: list[str] = []
        self.functions: dict[str, None] = {}
        self._count(program.result)

    def _count(self, at: Node) -> None:
        self.uses[at] = self.uses.get(at, 0) + 1
        if self.uses[at] == 1:
            for arg in _written(at):
                self._count(arg)

    def text(self) -> str:
        result = self._term(self.program.result)
        heads = "".join(f"def {name}(t):\n    return {FUNCTIONS[name][0]}\n\n" for name in self.functions)
        body = "".join(f"    {line}\n" for line in (*self.lines, f"return {result}"))
        return f"{heads}def f({', '.join(self.program.inputs)}):\n{body}"

    def _term(self, at: Node) -> str:
        if at in self.names:
            return self.names[at]
        written = self._written(at)
        if self.uses[at] > 1 and at.args:
            self.names[at] = f"s{len(self.names) + 1}"
            self.lines.append(f"{self.names[at]} = {written}")
            return self.names[at]
        return written

    def _written(self, at: Node) -> str:
        if at.op == "const":
            return str(at.data) if at.data.q == 1 and at.data >= 0 else f"({at.data})"
        if at.op == "var":
            return self.program.inputs[at.data]
        args = [self._term(arg) for arg in _written(at)]
        match at.op:
            case "add" | "sub" | "mul" | "div":
                sign = {"add": "+", "sub": "-", "mul": "*", "div": "/"}[at.op]
                return f"({args[0]} {sign} {args[1]})"
            case "neg":
                return f"(-{args[0]})"
            case "pow":
                return f"({args[0]})**{at.data}" if at.args[0].args else f"{args[0]}**{at.data}"
            case "if":
                return f"({args[2]} if {args[0]} {at.data} {args[1]} else {args[3]})"
            case "where":
                return f"where({args[0]} {at.data} {args[1]}, {args[2]}, {args[3]})"
            case "sorted":
                return f"sort([{', '.join(args)}])[{at.data}]"
            case "median":
                return f"median([{', '.join(args)}])"
            case "call":
                self.functions[at.data] = None
                return f"{at.data}({args[0]})"
        return f"{at.op}({', '.join(args)})"


def _written(at: Node) -> tuple[Node, ...]:
    """The arguments that stand in the text: the body of a call stands in its function."""
    return at.args[1:] if at.op == "call" else at.args


def operations(program: Program) -> set[str]:
    """The names of all operations that occur, in the bodies of calls too."""
    seen: set[Node] = set()

    def walk(at: Node) -> None:
        if at not in seen:
            seen.add(at)
            for arg in at.args:
                walk(arg)

    walk(program.result)
    return {at.op for at in seen}


def substituted(at: Node, replacement: Mapping[int, Node], done: dict[Node, Node] | None = None) -> Node:
    """The tree with its inputs replaced; sharing is kept."""
    done = {} if done is None else done
    if at not in done:
        if at.op == "var":
            done[at] = replacement[at.data]
        else:
            args = tuple(substituted(arg, replacement, done) for arg in at.args)
            done[at] = Node(at.op, args, at.data) if at.args else at
    return done[at]
