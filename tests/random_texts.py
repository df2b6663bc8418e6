"""Seeds -> random `.cf` texts with points: branches, early returns, loops, helper functions, vectors, orderings.

Four kinds of program, each a superset of what the one before may write:

    linear      continuous and piecewise linear, with rational coefficients
    polynomial  continuous and piecewise polynomial: products of what is linear
    smooth      with exp, sin and their kin: continuous
    wild        anything: jumps, divisions by zero, roots of negative numbers

A continuous program branches by templates: the arms differ by a multiple of what is zero where the branch turns. The
points are drawn from few small dyadic numbers, so that operations are often tied at them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

KINDS = ("linear", "polynomial", "smooth", "wild")
WIDTH = 3  # entries of a vector
COORDINATES = tuple(Fraction(text) for text in "0 0 0 1 1 -1 2 -2 1/2 -1/2 3/4".split())

_SIGNATURES: dict[str, tuple[str, ...]] = {
    "x": ("x",),
    "x, y": ("x", "y"),
    "x, y, z": ("x", "y", "z"),
    "x, v: Real[3]": ("x", "v"),
    "v: Real[3]": ("v",),
    "x, A: Real[2, 2]": ("x", "A"),
}
_SHAPES: dict[str, tuple[int, ...]] = {"v": (WIDTH,), "A": (2, 2)}
_NUMBERS = ("0", "1", "2", "-1", "1/2", "-3/2", "3")
_UNARY = {
    "linear": (
        "relu",
        "abs",
        "leaky",
        "clip",
        "hardtanh",
        "relu6",
        "softshrink",
        "hinge",
        "pinball",
        "clamp",
        "prelu",
    ),
    "polynomial": ("relu", "abs", "clip", "huber", "squared_hinge", "square", "hardtanh"),
    "smooth": ("relu", "abs", "exp", "sin", "tanh", "sigmoid", "softplus", "huber", "atan", "elu", "clip"),
    "wild": (
        "relu",
        "abs",
        "sqrt",
        "log",
        "exp",
        "floor",
        "sign",
        "cbrt",
        "tanh",
        "celu",
        "hardswish",
        "elu",
    ),
}
_CALLS = {
    "leaky": "leaky_relu({}, 1/4)",
    "clip": "clip({}, -1, 1)",
    "softshrink": "softshrink({}, 1)",
    "clamp": "clamp({}, -1, 1)",
    "prelu": "prelu({}, 1/4)",
    "pinball": "pinball({}, 1/4)",
    "exp": "exp(clip({}, -3, 3))",
}
_VECTOR = (
    "sort({})",
    "relu({})",
    "cummax({})",
    "{}[::-1]",
    "abs({})",
    "cumsum({})",
    "2*{} - 1",
    "cummin({})",
)
_REDUCED = {
    "linear": (
        *"max({}) min({}) sum({}) median({}) norm1({}) norminf({}) mean({}) ptp({})".split(),
        *("quantile({}, 1/4)", "topk({}, 2)[1]", "maxpool({}, 2)[0]"),
    ),
    "polynomial": ("dot({0}, {0})", "var({})", "max({})", "prod({})", "{0} @ sort({0})"),
    "smooth": ("logsumexp({})", "max(tanh({}))", "norm2([1, {0}[0]])", "dot(softmax({0}), {0})"),
    "wild": ("norm2({})", "argmax({})", "{0}[0]/{0}[1]", "min(sqrt({}))", "std({})", "sum(log({}))"),
}


@dataclass(frozen=True, slots=True)
class Text:
    """A program and points at which to look at it: for each input a number or a nested list of them."""

    text: str
    points: tuple[dict[str, Any], ...]


def random_text(
    seed: int, kind: str, *, statements: int = 6, points: int = 4, inputs: str | None = None
) -> Text:
    """A program of one of the KINDS. `inputs`: its parameters as one of the signatures is written."""
    return _Writer(random.Random(f"{kind} {seed}"), kind).program(statements, points, inputs)


def nested(shape: Sequence[int], generator: random.Random, values: Sequence[Any]) -> Any:
    """A number, or a nested list of numbers, from `values`."""
    if not shape:
        return generator.choice(values)
    return [nested(shape[1:], generator, values) for _ in range(shape[0])]


class _Writer:
    """Writes one program; `scalars` and `vectors` are the names that may be used where it writes."""

    def __init__(self, generator: random.Random, kind: str) -> None:
        self.random = generator
        self.kind = kind
        self.level = KINDS.index(kind)
        self.scalars: list[str] = []
        self.vectors: list[str] = []
        self.count = 0
        self.helpers: list[str] = []

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def program(self, statements: int, points: int, inputs: str | None) -> Text:
        helper = self._function("g(a, b)", ["a", "b"], [], 2) if self.random.random() < 0.6 else ""
        signature = inputs or self.pick(*_SIGNATURES)
        names = _SIGNATURES[signature]
        scalars = [name for name in names if name not in _SHAPES]
        vectors = [name for name in names if name == "v"]
        if "A" in names:
            scalars += ["A[0, 0]", "A[0, 1]", "A[1, 0]"]
        self.helpers = ["g"] if helper else []
        body = self._function(f"f({signature})", scalars, vectors, statements, matrix="A" in names)
        places = [
            {name: nested(_SHAPES.get(name, ()), self.random, COORDINATES) for name in names}
            for _ in range(points)
        ]
        return Text(helper + body, tuple(places))

    def _function(
        self, head: str, scalars: list[str], vectors: list[str], statements: int, *, matrix: bool = False
    ) -> str:
        self.scalars, self.vectors, self.count = list(scalars), list(vectors), 0
        lines = [f"def {head}:"]
        if not scalars:
            lines.append("    x = v[0]")
            self.scalars.append("x")
        if matrix and self.level < 3:  # a BLAS may give the other zero, by which a wild program divides
            lines.append(f"    w = A @ {'[x, A[1, 1]]' if self.level else '[1, -2]'}")
            self.scalars += ["w[0]", "w[1]"]
        for _ in range(statements):
            lines += self._statement()
        lines += self._returned()
        return "\n".join(lines) + "\n\n"

    def _fresh(self, prefix: str = "t") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def _statement(self) -> list[str]:
        chance = self.random.random()
        if chance < 0.3:
            name, lines = self._branch()
        elif chance < 0.4:
            name, lines = self._loop()
        elif chance < 0.6 and (self.vectors or self.random.random() < 0.4):
            name, lines = self._vector()
            self.vectors.append(name)
            return lines
        else:
            name = self._fresh()
            lines = [f"    {name} = {self.expression(2)}"]
        self.scalars.append(name)
        return lines

    def _returned(self) -> list[str]:
        """A return, often with others before it under conditions."""
        name = self._fresh("r")
        others = [self.atom() for _ in range(3)]
        lines = [f"    {name} = {' + '.join([*self.scalars[-2:], *others])}"]
        match self.random.randrange(3):
            case 0:
                return [*lines, f"    return {name}"]
            case 1:
                h = self.switch()
                return [*lines, f"    if {h} > 0:", f"        return {name} + 2*({h})", f"    return {name}"]
            case _:
                h = self.switch()
                return [
                    *lines,
                    f"    h = {h}",
                    f"    if h < 0:\n        return {name} - h",
                    f"    elif h == 0:\n        return {name} + 3*h",
                    f"    return {name} + h",
                ]

    # scalars

    def atom(self) -> str:
        if self.vectors and self.random.random() < 0.25:
            return f"{self.random.choice(self.vectors)}[{self.random.randrange(WIDTH)}]"
        places = [self.random.randrange(len(self.scalars)) for _ in range(2)]
        return self.scalars[max(places) if self.random.random() < 0.5 else min(places)]

    def switch(self) -> str:
        """What a branch looks at: of the kind of the program, often 0 at its points."""
        a, b = self.atom(), self.atom()
        return self.pick(a, f"{a} - {b}", f"{a} - 1", f"{a} + {b}", f"2*{a} - {b}")

    def expression(self, depth: int) -> str:
        if depth == 0:
            return self.atom()
        e, inner = self.expression, depth - 1
        match self.random.randrange(8 + 2 * (self.level > 0) + (self.level == 3)):
            case 0 | 1:
                return f"({e(inner)} {self.pick('+', '-')} {e(inner)})"
            case 2 | 3:
                return self.call(self.pick(*_UNARY[self._own_kind()]), e(inner))
            case 4:
                return f"{self.pick('max', 'min', 'max', 'min', 'fmax', 'fmin', 'clamp_min')}({e(inner)}, {e(inner)})"
            case 5:
                many = ", ".join(self.atom() for _ in range(3))
                return f"{self.pick('max', 'min')}({self.pick(many, f'[{many}]')})"
            case 6 if self.helpers:
                return f"g({e(inner)}, {e(inner)})"
            case 6 | 7:
                return f"{self.pick('2', '(-1)', '1/2', '3')}*{e(inner)} + {self.pick(*_NUMBERS)}"
            case 8 | 9:
                return f"{self.atom()}*{e(inner)}" if self.random.random() < 0.7 else f"{self.atom()}**2"
            case _:
                return f"{e(inner)}/{self.atom()}"

    def _own_kind(self) -> str:
        return KINDS[self.random.randrange(self.level + 1)]

    @staticmethod
    def call(function: str, argument: str) -> str:
        return _CALLS.get(function, function + "({})").format(argument)

    # statements

    def _condition(self) -> str:
        first = f"{self.atom()} {self.pick('<', '<=', '>', '>=', '==', '!=')} {self.pick(self.atom(), *_NUMBERS[:3])}"
        if self.random.random() < 0.3:
            return f"{first} {self.pick('and', 'or')} {self.pick('', 'not ')}{self.switch()} > 0"
        return first

    def _branch(self) -> tuple[str, list[str]]:
        name = self._fresh()
        if self.level == 3 and self.random.random() < 0.6:
            return name, self._free_branch(name)
        base, h, g = self.atom(), self.switch(), self.switch()
        c, d = self.pick("1", "2", "-1"), self.pick("-2", "1/2", "3")
        order = self.pick(">", ">=")
        match self.random.randrange(7):
            case 0:
                return name, [f"    {name} = {base} + {c}*({h}) if {h} {order} 0 else {base} + {d}*({h})"]
            case 1:
                return name, [f"    {name} = where({h} {order} 0, {base} + {c}*({h}), {base} + {d}*({h}))"]
            case 2:
                return name, [
                    f"    if {h} == 0:",
                    f"        {name} = {base} + {c}*({h})",
                    "    else:",
                    f"        {name} = {base}",
                ]
            case 3:
                return name, [
                    f"    if {h} {order} 0 and {g} > 0:",
                    f"        {name} = {base} + {c}*min({h}, {g})",
                    "    else:",
                    f"        {name} = {base}",
                ]
            case 4:
                return name, [
                    f"    {name} = {base}",
                    f"    if {h} {order} 0 or {g} > 0:",
                    f"        {name} += {c}*max({h}, {g})",
                ]
            case 5:
                return name, [
                    f"    if {h} {order} 1:",
                    f"        {name} = {base} + {c} + {d}*({h} - 1)",
                    f"    elif {h} > 0:",
                    f"        {name} = {base} + {c}*({h})",
                    "    else:",
                    f"        {name} = {base}",
                ]
            case _:
                inner = self.expression(1)
                return name, [
                    f"    if {h} {order} 0:",
                    f"        u{name} = {inner}",
                    f"        if u{name} > 0:",
                    f"            {name} = {base} + {c}*min({h}, u{name})",
                    "        else:",
                    f"            {name} = {base}",
                    "    else:",
                    f"        {name} = {base}",
                ]

    def _free_branch(self, name: str) -> list[str]:
        """Arms that have nothing to do with each other: the program jumps."""
        arms = [self.expression(2) for _ in range(3)]
        match self.random.randrange(4):
            case 0:
                return [f"    {name} = {arms[0]} if {self._condition()} else {arms[1]}"]
            case 1:
                return [f"    {name} = where({self._condition()}, {arms[0]}, {arms[1]})"]
            case 2:
                return [
                    f"    if {self._condition()}:\n        {name} = {arms[0]}",
                    f"    elif {self._condition()}:\n        {name} = {arms[1]}",
                    f"    else:\n        {name} = {arms[2]}",
                ]
            case _:
                return [
                    f"    {name} = {arms[0]}",
                    f"    if not {self._condition()}:",
                    f"        s{name} = {arms[1]}",
                    f"        {name} = s{name} - {name}",
                ]

    def _loop(self) -> tuple[str, list[str]]:
        name = self._fresh()
        term = self.atom()
        if self.vectors and self.random.random() < 0.6:
            vector = self.random.choice(self.vectors)
            body = self.pick(f"{name} += max({vector}[i], {term})", f"{name} = max({name}, {vector}[i])")
        else:
            body = self.pick(
                f"{name} = relu({name} - {term})", f"{name} += abs({term} - i)", f"{name} = {name} - {term}"
            )
        return name, [f"    {name} = {self.atom()}", f"    for i in range({WIDTH}):", f"        {body}"]

    def _vector(self) -> tuple[str, list[str]]:
        name = self._fresh("w")
        if not self.vectors or self.random.random() < 0.3:
            return name, [f"    {name} = [{', '.join(self.atom() for _ in range(WIDTH))}]"]
        old = self.random.choice(self.vectors)
        match self.random.randrange(6):
            case 0:
                return name, [
                    f"    {name} = {self.pick('max', 'min')}({old}, {self.pick(*self.vectors, self.atom())})"
                ]
            case 1 if self.level < 3:
                return name, [f"    {name} = [[1, -1, 0], [0, 2, 1], [1, 1/2, 0]] @ {old}"]
            case 2:
                scalar = self._fresh()
                lines = [f"    {scalar} = {self.pick(*_REDUCED[self._own_kind()]).format(old)}"]
                self.scalars.append(scalar)
                return name, [*lines, f"    {name} = {old} + {scalar}"]
            case 3:
                return name, [
                    f"    {name} = where({old} > {self.atom()}, {old}, {self.atom()})"
                ] if self.level == 3 else [f"    {name} = concat({old}[1:], [{self.atom()}])"]
            case _:
                return name, [f"    {name} = {self.pick(*_VECTOR).format(old)}"]
