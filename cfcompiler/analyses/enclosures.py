"""Functions near a point, radius -> polynomial constraints that hold in the box of that radius.

Each part that is not polynomial gets a variable: roots and quotients by the polynomial equation that they satisfy,
functions such as exp and sin by their Taylor polynomial and a ball that holds the coefficient of the remainder (Taylor
with the remainder of Lagrange, by ball arithmetic over the range of the argument). So what has no solution there has
none near the point. Source: Taylor models; ball arithmetic after Johansson, "Arb" (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import flint

from cfcompiler.analyses.jets import Jets, coefficients_of
from cfcompiler.analyses.neighbourhood import Local, Neighbourhood
from cfcompiler.arithmetic import Undecided
from cfcompiler.balls import ball
from cfcompiler.feasibility.conditions import AnyRelation, Constraint, Relaxation
from cfcompiler.numbers import expression, is_special
from cfcompiler.polynomials import Polynomial, constant, variable

ORDER = 3  # of the Taylor polynomials, odd: higher ones are too much for a solver
BITS = 128
_ONE = Fraction(1)


class NoEnclosure(Exception):
    """A function that has no enclosure in the box."""


def enclosed(
    jets: Jets, functions: Sequence[tuple[Local, int, AnyRelation]], radius: Fraction
) -> Relaxation | None:
    """Constraints for `orientation * function relation 0` in the box; None where a part has no enclosure."""
    try:
        return _Enclosure(jets, [function for function, _, _ in functions], radius).of(functions)
    except (NoEnclosure, Undecided):
        return None


class _Enclosure:
    """The variables of the parts that are not polynomial, and their constraints."""

    def __init__(self, jets: Jets, functions: Sequence[Local], radius: Fraction) -> None:
        self.near: Neighbourhood = jets.near
        self.nodes = _parts(functions)
        self.radius = radius
        own = [node for node in self.nodes if _has_variable(node)]
        self.places = {node.number: self.near.dimension + place for place, node in enumerate(own)}
        self.variables = self.near.dimension + len(own)
        self.constraints: list[Constraint] = []
        self.polynomials: dict[int, Polynomial] = {}
        self.ranges: dict[int, flint.arb] = {}

    def of(self, functions: Sequence[tuple[Local, int, AnyRelation]]) -> Relaxation:
        with flint.ctx.workprec(BITS):
            for node in self.nodes:
                self._enter(node)
        for function, orientation, relation in functions:
            self._require(self.polynomials[function.number].scaled(Fraction(orientation)), relation)
        return Relaxation(self.variables, tuple(self.constraints))

    def _require(self, polynomial: Polynomial, relation: AnyRelation) -> None:
        self.constraints.append(Constraint(polynomial, relation))

    def _enter(self, node: Local) -> None:
        if not node.analytic:
            raise NoEnclosure(f"{node.op} is not analytic at the point")
        args = [self.polynomials[arg.number] for arg in node.args]
        ranges = [self.ranges[arg.number] for arg in node.args]
        n = self.variables
        match node.op:
            case "constant":
                self.polynomials[node.number] = constant(n, node.value)
                self.ranges[node.number] = _ball(node.value)
            case "input":
                place = int(node.exponent or 0)
                self.polynomials[node.number] = constant(n, node.value) + variable(n, place)
                self.ranges[node.number] = _ball(node.value) + flint.arb(0, 1) * _ball(self.radius)
            case "add" | "sub" | "mul" | "neg" | "ipow":
                made, bound = _polynomial(node, args, ranges)
                self.polynomials[node.number], self.ranges[node.number] = made, bound
            case _:
                own = variable(n, self.places[node.number])
                self.polynomials[node.number] = own
                self.ranges[node.number] = self._defined(node, own, args, ranges)

    def _defined(
        self, node: Local, own: Polynomial, args: list[Polynomial], ranges: list[flint.arb]
    ) -> flint.arb:
        """The constraints of a part with a variable of its own; its range."""
        if node.op == "div":
            self._require(own * args[1] - args[0], "=")
            return ranges[0] / ranges[1]
        if node.op in ("sqrt", "cbrt", "rpow"):
            power = {"sqrt": Fraction(1, 2), "cbrt": Fraction(1, 3)}.get(node.op, node.exponent or _ONE)
            above, below = power.numerator, power.denominator
            if above > 0:
                self._require(own**below - args[0] ** above, "=")
            else:
                self._require(own**below * args[0] ** -above - constant(self.variables, _ONE), "=")
            if node.op != "cbrt":
                self._require(own, ">=")
            return _root_range(ranges[0], power)
        return self._by_taylor(node, own, args[0], ranges[0])

    def _by_taylor(self, node: Local, own: Polynomial, argument: Polynomial, span: flint.arb) -> flint.arb:
        if node.op not in _SERIES:
            raise NoEnclosure(f"{node.op} has no enclosure")
        known = coefficients_of(node, ORDER)
        remainder = _remainder(node.op, span)
        moved = argument - constant(self.variables, node.args[0].value)
        total, power = constant(self.variables, known[0]), constant(self.variables, _ONE)
        for coefficient in known[1:]:
            power = power * moved
            total = total + power.scaled(coefficient)
        power = power * moved
        below, above = _ends(remainder)
        self._require(own - total - power.scaled(below), ">=")
        self._require(total + power.scaled(above) - own, ">=")
        return _SERIES[node.op](flint.arb_series([span], prec=1))[0]


def _parts(functions: Sequence[Local]) -> list[Local]:
    found: dict[int, Local] = {}
    stack = list(functions)
    while stack:
        node = stack.pop()
        if node.number not in found:
            found[node.number] = node
            stack.extend(node.args)
    return [found[number] for number in sorted(found)]


def _has_variable(node: Local) -> bool:
    return node.op not in ("constant", "input", "add", "sub", "mul", "neg", "ipow")


def _ball(value: Any) -> flint.arb:
    if is_special(value):
        raise NoEnclosure("inf or NaN is computed with")
    return ball(expression(value), BITS)


def _polynomial(node: Local, args: list[Polynomial], ranges: list[flint.arb]) -> tuple[Polynomial, flint.arb]:
    if node.op == "ipow":
        n = int(node.exponent or 0)
        return args[0] ** n, ranges[0] ** n
    if node.op == "neg":
        return -args[0], -ranges[0]
    if node.op == "add":
        return args[0] + args[1], ranges[0] + ranges[1]
    if node.op == "sub":
        return args[0] - args[1], ranges[0] - ranges[1]
    return args[0] * args[1], ranges[0] * ranges[1]


def _root_range(span: flint.arb, power: Fraction) -> flint.arb:
    exponent = flint.arb(flint.fmpq(power.numerator, power.denominator))
    return span**exponent if span > 0 else -((-span) ** exponent)


def _ends(span: flint.arb) -> tuple[Fraction, Fraction]:
    if not span.is_finite():
        raise NoEnclosure("the remainder is not bounded in the box")
    return _fraction(span.lower()), _fraction(span.upper())


def _fraction(end: flint.arb) -> Fraction:
    mantissa, exponent = (int(part) for part in end.man_exp())
    return Fraction(mantissa) * Fraction(2) ** exponent


def _remainder(op: str, span: flint.arb) -> flint.arb:
    """A ball that holds the next Taylor coefficient at every point of the range."""
    terms = _SERIES[op](flint.arb_series([span, 1], prec=ORDER + 2))
    return terms[ORDER + 1]


def _one(x: flint.arb_series) -> flint.arb_series:
    return flint.arb_series([1], prec=x.prec)


def _sigmoid(x: flint.arb_series) -> flint.arb_series:
    return _one(x) / (_one(x) + (-x).exp())


# The rows of one argument on series of balls; sqrt, cbrt and powers have their equations.
_SERIES: dict[str, Callable[[flint.arb_series], flint.arb_series]] = {
    "exp": lambda x: x.exp(),
    "expm1": lambda x: x.exp() - 1,
    "log": lambda x: x.log(),
    "log1p": lambda x: (x + 1).log(),
    "log2": lambda x: x.log() / flint.arb(2).log(),
    "log10": lambda x: x.log() / flint.arb(10).log(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "tan": lambda x: x.tan(),
    "asin": lambda x: x.asin(),
    "acos": lambda x: x.acos(),
    "atan": lambda x: x.atan(),
    "sinh": lambda x: (x.exp() - (-x).exp()) / 2,
    "cosh": lambda x: (x.exp() + (-x).exp()) / 2,
    "tanh": lambda x: _sigmoid(x + x) * 2 - 1,
    "asinh": lambda x: (x + (x * x + 1).sqrt()).log(),
    "acosh": lambda x: (x + (x * x - 1).sqrt()).log(),
    "atanh": lambda x: ((x + 1) / (_one(x) - x)).log() / 2,
    "sigmoid": _sigmoid,
    "softplus": lambda x: (x.exp() + 1).log(),
    "erf": lambda x: x.erf(),
    "erfc": lambda x: x.erfc(),
}
