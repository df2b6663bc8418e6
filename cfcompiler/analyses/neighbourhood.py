"""Functions near a point: what the values of a program are on one piece, as expressions in the inputs.

A `Local` is a node of an expression over the entries of the inputs, interned, so that equal expressions are one node.
It knows its value at the point and whether it is analytic there; Taylor polynomials are in jets.py. Steps and kinks
are no nodes: on a piece they are constants, or one of their arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.arithmetic import Undecided
from cfcompiler.ir import Program
from cfcompiler.number_text import parse_number, to_text
from cfcompiler.numbers import Exact, is_special
from cfcompiler.operations import OPERATIONS

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """A function near the point.

    `number`: its place in the order of making, so arguments come first. `exponent`: of a power. `degree`: a bound on
    the degree where the function is a polynomial, else None. `analytic`: at the point, with its arguments.
    """

    number: int
    op: str
    args: tuple[Local, ...]
    exponent: Fraction | None
    value: Exact
    degree: int | None
    analytic: bool

    @property
    def constant(self) -> bool:
        return self.op == "constant"


class Neighbourhood:
    """The functions made so far; `coordinates` are the entries of the inputs that move, as (name, place)."""

    def __init__(self, program: Program, point: Mapping[str, Any]) -> None:
        self._interned: dict[Any, Local] = {}
        self._applied: dict[Any, Local] = {}
        self.coefficients: dict[int, tuple[Any, ...]] = {}  # of the nodes made by `series`, by their number
        self.coordinates: list[tuple[str, tuple[int, ...]]] = []
        self.inputs: dict[str, Any] = {}
        for param in program.params:
            name = param.value.name
            array = np.empty(param.value.shape, dtype=object)
            for place in np.ndindex(array.shape):
                array[place] = self._input(name, place, point[name][place], moves=param.differentiable)
            self.inputs[name] = array

    def _input(self, name: str, place: tuple[int, ...], value: Exact, *, moves: bool) -> Local:
        if not moves or is_special(value):
            return self.constant(value)
        self.coordinates.append((name, place))
        return self._make("input", (), Fraction(len(self.coordinates) - 1), value, 1, True)

    @property
    def dimension(self) -> int:
        return len(self.coordinates)

    @property
    def centre(self) -> tuple[Exact, ...]:
        """The point, by coordinates."""
        return tuple(self.inputs[name][place].value for name, place in self.coordinates)

    def _make(
        self,
        op: str,
        args: tuple[Local, ...],
        exponent: Fraction | None,
        value: Exact,
        degree: int | None,
        analytic: bool,
    ) -> Local:
        key = (op, tuple(arg.number for arg in args), exponent, value if op == "constant" else None)
        found = self._interned.get(key)
        if found is None:
            found = Local(len(self._interned), op, args, exponent, value, degree, analytic)
            self._interned[key] = found
        return found

    def constant(self, value: Exact) -> Local:
        return self._make("constant", (), None, value, 0, not is_special(value))

    def series(self, argument: Local, coefficients: tuple[Any, ...]) -> Local:
        """The power series sum(coefficients[k] * (argument - its value)**k), known as far as it is given."""
        key = ("series", argument.number, coefficients)
        found = self._interned.get(key)
        if found is None:
            found = Local(len(self._interned), "series", (argument,), None, coefficients[0], None, True)
            self._interned[key] = found
            self.coefficients[found.number] = coefficients
        return found

    def apply(self, op: str, *args: Local, exponent: Fraction | None = None) -> Local:
        """A smooth row of the table applied to functions. Raises Undecided where an exact value is out of reach."""
        try:
            return self._apply(op, args, exponent)
        except Undecided as problem:
            raise Undecided(str(problem)) from None

    def _apply(self, op: str, args: tuple[Local, ...], exponent: Fraction | None) -> Local:
        key = (op, tuple(arg.number for arg in args), exponent)
        found = self._applied.get(key)
        if found is None:
            found = self._applied[key] = self._computed(op, args, exponent)
        return found

    def _computed(self, op: str, args: tuple[Local, ...], exponent: Fraction | None) -> Local:
        if all(arg.constant for arg in args):
            values = [arg.value for arg in args]
            extra = [] if exponent is None else [exponent]
            name = "pow" if op in ("ipow", "rpow") else op
            return self.constant(OPERATIONS[name](*values, *extra))
        if op in _SIMPLER:
            simpler = _SIMPLER[op](self, *args)
            if simpler is not None:
                return simpler
        if op == "ipow" or (op == "rpow" and exponent is not None and exponent.denominator == 1):
            return self._integer_power(args[0], exponent or _ZERO)
        value = OPERATIONS["pow" if op == "rpow" else op](
            *(arg.value for arg in args), *([exponent] if op == "rpow" else [])
        )
        analytic = (
            not is_special(value)
            and all(arg.analytic for arg in args)
            and _analytic_at(op, [arg.value for arg in args])
        )
        return self._make(op, args, exponent, value, _degree(op, args), analytic)

    def _integer_power(self, base: Local, exponent: Fraction) -> Local:
        if exponent == 0:
            return self.constant(_ONE)
        if exponent == 1:
            return base
        if exponent < 0:
            return self.apply("div", self.constant(_ONE), self.apply("ipow", base, exponent=-exponent))
        value = OPERATIONS["pow"](base.value, exponent)
        degree = None if base.degree is None else base.degree * int(exponent)
        return self._make("ipow", (base,), exponent, value, degree, base.analytic and not is_special(value))

    def difference(self, left: Local, right: Local) -> Local:
        return self.apply("sub", left, right)

    def text(self, function: Local) -> str:
        """A text for people, cut where the expression is deep."""
        return _text(self, function, 6)


def _text(near: Neighbourhood, function: Local, depth: int) -> str:
    if function.constant:
        return to_text(function.value)
    if function.op == "input":
        name, place = near.coordinates[int(function.exponent or 0)]
        return name + (f"[{', '.join(map(str, place))}]" if place else "")
    if depth == 0:
        return "..."
    args = [_text(near, arg, depth - 1) for arg in function.args]
    infix = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
    if function.op in infix:
        return f"({args[0]} {infix[function.op]} {args[1]})"
    if function.op in ("ipow", "rpow"):
        return f"{args[0]}**{function.exponent}" if function.exponent else args[0]
    return f"-{args[0]}" if function.op == "neg" else f"{function.op}({', '.join(args)})"


def _not_analytic(function: Local) -> Iterator[Local]:
    """The parts of a function, and itself, that are not analytic at the point, each once."""
    seen: set[int] = set()
    stack = [function]
    while stack:
        node = stack.pop()
        if node.analytic or node.number in seen:
            continue
        seen.add(node.number)
        yield node
        stack.extend(node.args)


def continuous(function: Local) -> bool:
    """Whether the function is continuous at the point within its domain, for all that its expression shows."""
    return not any(is_special(node.value) or node.op in ("atan2", "pow") for node in _not_analytic(function))


def ends_of_domains(function: Local) -> Iterator[Local]:
    """The parts of a function whose argument, itself analytic, is at the end of their domain: sqrt(x) where x = 0."""
    for node in _not_analytic(function):
        if node.op in ("sqrt", "rpow", "asin", "acos", "acosh") and node.args[0].analytic:
            yield node


def never_negative(function: Local) -> bool:
    """Whether the expression shows that a function has no negative value: x**2 + exp(y)."""
    if function.constant:
        return not is_special(function.value) and numbers.sign(function.value) in (0, 1)
    if function.op == "ipow":
        even = function.exponent is not None and function.exponent % 2 == 0
        return even or never_negative(function.args[0])
    if function.op in ("exp", "sqrt", "rpow", "sigmoid", "softplus", "cosh"):
        return True
    return function.op in ("add", "mul", "div") and all(map(never_negative, function.args))


def _degree(op: str, args: tuple[Local, ...]) -> int | None:
    degrees = [arg.degree for arg in args]
    known = [degree for degree in degrees if degree is not None]
    if len(known) < len(degrees):
        return None
    if op in ("add", "sub", "neg"):
        return max(known)
    if op == "mul":
        return sum(known)
    return known[0] if op == "div" and args[1].constant else None


def _positive(x: Exact) -> bool:
    return not is_special(x) and numbers.decided(x) > 0


def _within_one(x: Exact) -> bool:
    return not is_special(x) and numbers.compare(numbers.mul(x, x), _ONE) == -1


_DOMAINS: dict[str, Callable[[Exact], bool]] = {
    "log": _positive,
    "log2": _positive,
    "log10": _positive,
    "sqrt": _positive,
    "rpow": _positive,
    "log1p": lambda x: not is_special(x) and numbers.decided(numbers.add(x, _ONE)) > 0,
    "cbrt": lambda x: not is_special(x) and numbers.decided(x) != 0,
    "asin": _within_one,
    "acos": _within_one,
    "atanh": _within_one,
    "acosh": lambda x: not is_special(x) and numbers.decided(numbers.sub(x, _ONE)) > 0,
}


def _analytic_at(op: str, values: list[Exact]) -> bool:
    """Whether a row is analytic at finite arguments where its value is finite."""
    if op in ("pow", "atan2"):  # what they could not be replaced by
        return False
    if op == "div":
        return not is_special(values[1]) and numbers.decided(values[1]) != 0
    return _DOMAINS[op](values[0]) if op in _DOMAINS else True


# Rows of two arguments that are not arithmetic, as rows of one; None where that is not possible at the point.


def _add(near: Neighbourhood, x: Local, y: Local) -> Local | None:
    if y.constant and y.value == _ZERO:
        return x
    return y if x.constant and x.value == _ZERO else None


def _sub(near: Neighbourhood, x: Local, y: Local) -> Local | None:
    if x is y and x.analytic:
        return near.constant(_ZERO)
    return x if y.constant and y.value == _ZERO else None


def _mul(near: Neighbourhood, x: Local, y: Local) -> Local | None:
    for one, other in ((x, y), (y, x)):
        if one.constant and other.analytic and one.value == _ZERO:
            return near.constant(_ZERO)
        if one.constant and one.value == _ONE:
            return other
    return near.apply("ipow", x, exponent=Fraction(2)) if x is y else None


def _logaddexp(near: Neighbourhood, x: Local, y: Local) -> Local:
    return near.apply("add", x, near.apply("softplus", near.difference(y, x)))


def _pow(near: Neighbourhood, x: Local, y: Local) -> Local | None:
    if y.constant and isinstance(y.value, Fraction):
        return near.apply("ipow" if y.value.denominator == 1 else "rpow", x, exponent=y.value)
    if _positive(x.value):
        return near.apply("exp", near.apply("mul", y, near.apply("log", x)))
    return None


def _atan2(near: Neighbourhood, y: Local, x: Local) -> Local | None:
    if not (x.analytic and y.analytic):
        return None
    if _positive(x.value):
        return near.apply("atan", near.apply("div", y, x))
    if numbers.decided(y.value) == 0:
        return None
    turn = parse_number("pi/2" if _positive(y.value) else "-pi/2")
    return near.difference(near.constant(turn), near.apply("atan", near.apply("div", x, y)))


_SIMPLER: dict[str, Callable[..., Local | None]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "logaddexp": _logaddexp,
    "pow": _pow,
    "atan2": _atan2,
}
