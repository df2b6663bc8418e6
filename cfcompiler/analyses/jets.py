"""Function near a point -> its Taylor polynomial there, its gradient, and its fraction of polynomials if it has one.

Local coordinates are u = x - p. Everything is exact: coefficients are exact numbers, and a polynomial is known whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from typing import Any

from cfcompiler import numbers
from cfcompiler.analyses.germs import UNARY
from cfcompiler.analyses.neighbourhood import Local, Neighbourhood
from cfcompiler.analyses.series import TERMS, normal, power
from cfcompiler.arithmetic import Undecided
from cfcompiler.numbers import Finite, is_special
from cfcompiler.operations import OPERATIONS
from cfcompiler.polynomials import Polynomial, TooManyTerms, constant, plus, polynomial, times, variable

MOST_DEGREE = 16  # of a polynomial that is expanded
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Quotient:
    """above/below, where `below` is not zero at the point."""

    above: Polynomial
    below: Polynomial


class Jets:
    """Expansions of the functions of a neighbourhood, kept as they are made."""

    def __init__(self, near: Neighbourhood) -> None:
        self.near = near
        self._taylor: dict[tuple[int, int], Polynomial] = {}
        self._gradients: dict[int, tuple[Finite, ...]] = {}
        self._quotients: dict[int, Quotient | None] = {}

    def taylor(self, function: Local, degree: int) -> Polynomial:
        """All terms up to `degree`. Raises Undecided (out of reach, or not analytic at the point)."""
        try:
            for node in self._missing(function, degree):
                self._taylor[node.number, degree] = self._expanded(node, degree)
        except (Undecided, TooManyTerms) as problem:
            raise Undecided(str(problem)) from None
        return self._taylor[function.number, degree]

    def _missing(self, function: Local, degree: int) -> list[Local]:
        """What has no expansion yet, arguments first."""
        found: dict[int, Local] = {}
        stack = [function]
        while stack:
            node = stack.pop()
            if node.number not in found and (node.number, degree) not in self._taylor:
                found[node.number] = node
                stack.extend(node.args)
        return sorted(found.values(), key=lambda node: node.number)

    def exact(self, function: Local) -> Polynomial | None:
        """The function itself, if it is known to be a polynomial of a degree that is expanded."""
        if function.degree is None or function.degree > MOST_DEGREE or not function.analytic:
            return None
        return self.taylor(function, max(function.degree, 1))

    def gradient(self, function: Local) -> tuple[Finite, ...]:
        """The gradient at the point, by coordinates, by one reverse sweep. Raises Undecided."""
        if function.number not in self._gradients:
            try:
                self._gradients[function.number] = self._swept(function)
            except Undecided as problem:
                raise Undecided(str(problem)) from None
        return self._gradients[function.number]

    def _swept(self, function: Local) -> tuple[Finite, ...]:
        found: list[Finite] = [_ZERO] * self.near.dimension
        weights: dict[int, Finite] = {function.number: _ONE}
        waiting, nodes = [-function.number], {function.number: function}
        while waiting:
            node = nodes.pop(-heappop(waiting))
            weight = weights.pop(node.number)
            if node.op == "input":
                found[int(node.exponent or 0)] = weight
                continue
            for arg, partial in zip(node.args, self._partials(node), strict=True):
                if arg.constant or (isinstance(partial, Fraction) and partial == 0):
                    continue
                if arg.number not in nodes:
                    nodes[arg.number] = arg
                    heappush(waiting, -arg.number)
                weights[arg.number] = plus(weights.get(arg.number, _ZERO), times(weight, partial))
        return tuple(found)

    def _partials(self, node: Local) -> tuple[Finite, ...]:
        if not node.analytic:
            raise Undecided(f"{node.op} is not analytic at the point")
        values = [_finite(arg.value) for arg in node.args]
        match node.op:
            case "constant":
                return ()
            case "add":
                return (_ONE, _ONE)
            case "sub":
                return (_ONE, -_ONE)
            case "neg":
                return (-_ONE,)
            case "mul":
                return (values[1], values[0])
            case "div":
                inverse = _finite(numbers.div(_ONE, values[1]))
                return (inverse, times(times(-_ONE, _finite(node.value)), inverse))
            case "ipow":
                n = node.exponent or _ZERO
                return (times(n, _finite(numbers.power(values[0], n - 1))),)
            case "series":
                return (self._known(node, 1)[1],)
            case _:
                return (coefficients_of(node, 1)[1],)

    def _expanded(self, node: Local, degree: int) -> Polynomial:
        n = self.near.dimension
        if not node.analytic:
            raise Undecided(f"{node.op} is not analytic at the point")
        args = [self._taylor[arg.number, degree] for arg in node.args]
        match node.op:
            case "constant":
                return constant(n, _finite(node.value))
            case "input":
                return constant(n, _finite(node.value)) + variable(n, int(node.exponent or 0))
            case "add":
                return args[0] + args[1]
            case "sub":
                return args[0] - args[1]
            case "neg":
                return -args[0]
            case "mul":
                return args[0].product(args[1], degree)
            case "ipow":
                return _power(args[0], int(node.exponent or 0), degree)
            case "div":
                start = _finite(node.args[1].value)
                inverse = _composed(_reciprocals(start, degree), args[1], degree)
                return args[0].product(inverse, degree)
            case "series":
                return _composed(self._known(node, degree), args[0], degree)
            case _:
                return _composed(coefficients_of(node, degree), args[0], degree)

    def _known(self, node: Local, degree: int) -> Sequence[Finite]:
        known = self.near.coefficients[node.number]
        if len(known) <= degree:
            raise Undecided(f"a series known up to the power {len(known) - 1}")
        return known[: degree + 1]

    def quotient(self, function: Local) -> Quotient | None:
        """The function as a quotient of polynomials; None where it is none, or of too high a degree."""
        if function.number not in self._quotients and function.degree in (0, 1) and function.analytic:
            self._quotients[function.number] = Quotient(
                self._affine(function), constant(self.near.dimension, _ONE)
            )
        if function.number not in self._quotients:
            for node in self._without_quotient(function):
                self._quotients[node.number] = self._as_quotient(node)
        return self._quotients[function.number]

    def _affine(self, function: Local) -> Polynomial:
        n = self.near.dimension
        slopes = enumerate(self.gradient(function))
        terms = [(tuple(int(k == place) for k in range(n)), slope) for place, slope in slopes if slope != 0]
        return polynomial(n, [((0,) * n, _finite(function.value)), *terms])

    def _without_quotient(self, function: Local) -> list[Local]:
        found: dict[int, Local] = {}
        stack = [function]
        while stack:
            node = stack.pop()
            if node.number not in found and node.number not in self._quotients:
                found[node.number] = node
                stack.extend(node.args)
        return sorted(found.values(), key=lambda node: node.number)

    def _as_quotient(self, node: Local) -> Quotient | None:
        n = self.near.dimension
        if not node.analytic:
            return None
        if node.op in ("constant", "input"):
            return Quotient(self.taylor(node, 1), constant(n, _ONE))
        args = [self._quotients[arg.number] for arg in node.args]
        known = [arg for arg in args if arg is not None]
        if len(known) < len(args) or node.op not in _RATIONAL:
            return None
        try:
            made = _RATIONAL[node.op](known, int(node.exponent or 0))
        except (Undecided, TooManyTerms) as problem:
            raise Undecided(str(problem)) from None
        return made if max(made.above.degree, made.below.degree) <= 2 * MOST_DEGREE else None


def _sum(args: Sequence[Quotient], sign: int) -> Quotient:
    (a, b), (c, d) = ((q.above, q.below) for q in args)
    other = c.scaled(Fraction(sign))
    if b == d:
        return Quotient(a + other, b)
    return Quotient(a * d + other * b, b * d)


_RATIONAL: dict[str, Any] = {
    "add": lambda args, n: _sum(args, 1),
    "sub": lambda args, n: _sum(args, -1),
    "neg": lambda args, n: Quotient(-args[0].above, args[0].below),
    "mul": lambda args, n: Quotient(args[0].above * args[1].above, args[0].below * args[1].below),
    "div": lambda args, n: Quotient(args[0].above * args[1].below, args[0].below * args[1].above),
    "ipow": lambda args, n: Quotient(args[0].above ** n, args[0].below ** n),
}


def _finite(value: Any) -> Finite:
    if is_special(value):
        raise Undecided("inf or NaN is computed with")
    return value


def _power(base: Polynomial, exponent: int, degree: int) -> Polynomial:
    out = constant(base.variables, _ONE)
    while exponent:
        if exponent % 2:
            out = out.product(base, degree)
        exponent //= 2
        if exponent:
            base = base.product(base, degree)
    return out


def _composed(coefficients: Sequence[Finite], inner: Polynomial, degree: int) -> Polynomial:
    """sum(c[k] * (inner - its constant term)**k), by Horner's rule."""
    moved = inner - constant(inner.variables, inner.constant_term)
    out = constant(inner.variables, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        out = out.product(moved, degree) + constant(inner.variables, coefficient)
    return out


def _reciprocals(start: Finite, degree: int) -> list[Finite]:
    """Taylor coefficients of 1/x."""
    inverse: Any = OPERATIONS["div"](_ONE, start)
    found = [inverse]
    for _ in range(degree):
        found.append(OPERATIONS["neg"](OPERATIONS["mul"](found[-1], inverse)))
    return found


def coefficients_of(node: Local, degree: int) -> list[Finite]:
    """Taylor coefficients of a row of one argument at the argument's value."""
    if degree >= TERMS:
        raise Undecided(f"a Taylor polynomial of {node.op} beyond the degree {TERMS - 1}")
    start = _finite(node.args[0].value)
    moving = normal(0, [start, _ONE], True)
    found = power(moving, node.exponent or _ZERO) if node.op == "rpow" else UNARY[node.op](moving)
    return [found.at(k) for k in range(degree + 1)]
