"""Function that is zero at the point -> a simpler one with the same sign nearby, or a proof that it is zero nearby.

Strictly monotone functions and factors of known sign are taken away: exp(u) - exp(v) has the sign of u - v, and near
a simple zero of a function of u, its sign is that of u - u0, up to orientation. Equal switches get equal keys, so a
question that was answered is not asked again with other words.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cfcompiler import numbers
from cfcompiler.analyses.germs import UNARY
from cfcompiler.analyses.jets import Jets
from cfcompiler.analyses.neighbourhood import Local, Neighbourhood
from cfcompiler.analyses.series import normal, power
from cfcompiler.arithmetic import Undecided
from cfcompiler.numbers import Finite, is_special
from cfcompiler.polynomials import Polynomial

_ZERO, _ONE = Fraction(0), Fraction(1)
_INCREASING = frozenset(
    "exp expm1 log log1p log2 log10 sqrt cbrt sinh tanh asin atan asinh acosh atanh sigmoid softplus erf".split()
)
_DECREASING = frozenset(("acos", "erfc"))
_DEGREES_OF_ZERO = (1, 2, 4, 8)  # Taylor polynomials that are tried before a proof that all of them vanish
_MOST_NODES_OF_A_PROOF = 120


@dataclass(frozen=True, slots=True)
class Switch:
    """A function with a zero at the point: its sign nearby is `orientation` times that of `function`.

    `polynomial`: with the same sign as `function` nearby, where there is one. `key` is equal for equal switches.
    """

    function: Local
    orientation: int
    polynomial: Polynomial | None
    key: Hashable

    @property
    def affine(self) -> bool:
        return self.polynomial is not None and self.polynomial.degree == 1


def sign_at(value: Any) -> int:
    """The sign of an exact number. Raises Undecided."""
    found = None if is_special(value) else numbers.sign(value)
    if found is None:
        raise Undecided("the sign could not be decided")
    return found


class Switches:
    """Switches of one neighbourhood."""

    def __init__(self, near: Neighbourhood, jets: Jets) -> None:
        self.near = near
        self.jets = jets
        self._found: dict[int, Switch | None] = {}

    def switch(self, function: Local) -> Switch | None:
        """The switch of a function that is zero at the point; None if it is zero nearby. Raises Undecided."""
        if function.number not in self._found:
            self._found[function.number] = self._made(function)
        return self._found[function.number]

    def _made(self, function: Local) -> Switch | None:
        reduced, orientation = self._reduced(function)
        quotient = self.jets.quotient(reduced)
        if quotient is None:
            return None if self._is_zero(reduced) else Switch(reduced, orientation, None, reduced.number)
        if quotient.above.is_zero:
            return None
        if sign_at(quotient.below.constant_term) < 0:
            orientation = -orientation
        lead = quotient.above.terms[min(quotient.above.terms)]
        scaled = quotient.above.scaled(_finite(numbers.div(_ONE, lead)))  # its first coefficient is 1
        return Switch(reduced, orientation * sign_at(lead), scaled, frozenset(scaled.terms.items()))

    def _reduced(self, function: Local) -> tuple[Local, int]:
        orientation = 1
        while True:
            step = self._simpler(function)
            if step is None:
                return function, orientation
            function, turn = step
            orientation *= turn

    def _simpler(self, function: Local) -> tuple[Local, int] | None:
        op, args = function.op, function.args
        if op == "neg":
            return args[0], -1
        if op == "mul" or (op == "div" and args[1].analytic):
            for one, other in ((args[1], args[0]), (args[0], args[1]))[: 2 if op == "mul" else 1]:
                if one.analytic and other.analytic and sign_at(one.value) != 0:
                    return other, sign_at(one.value)
            return None
        if op == "ipow" and function.exponent is not None and function.exponent % 2 == 1:
            return args[0], 1
        if op == "sub":
            return self._of_difference(*args)
        if op == "add" and any(arg.constant for arg in args):
            moving, still = args if args[1].constant else (args[1], args[0])
            return self._against(moving, numbers.neg(still.value))
        return self._against(function, _ZERO)

    def _of_difference(self, left: Local, right: Local) -> tuple[Local, int] | None:
        if right.constant:
            return self._against(left, right.value)
        if left.constant:
            found = self._against(right, left.value)
            return (self.near.difference(right, left), -1) if found is None else (found[0], -found[1])
        if left.op == right.op and left.analytic and right.analytic:
            turn = 1 if left.op in _INCREASING else -1 if left.op in _DECREASING else 0
            if turn:
                return self.near.difference(left.args[0], right.args[0]), turn
        return None

    def _against(self, function: Local, level: Any) -> tuple[Local, int] | None:
        """function - level, where it is a function of one argument with a simple zero there."""
        if (
            len(function.args) != 1
            or function.op in ("neg", "ipow", "series", "index")
            or not function.analytic
        ):
            return None
        argument = function.args[0]
        moving = normal(0, [argument.value, _ONE], True)
        germ = (
            power(moving, function.exponent or _ZERO) if function.op == "rpow" else UNARY[function.op](moving)
        )
        slope = sign_at(germ.at(1))
        if slope == 0:
            return None
        return self.near.difference(argument, self.near.constant(argument.value)), slope

    def _is_zero(self, function: Local) -> bool:
        """Whether an analytic function vanishes near the point."""
        if not function.analytic:
            raise Undecided("a switch is not analytic at the point")
        for degree in _DEGREES_OF_ZERO:
            if not self.jets.taylor(function, degree).is_zero:
                return False
        if proved_zero(self.near, function):
            return True
        raise Undecided("whether a switch vanishes near the point could not be decided")


def _finite(value: Any) -> Finite:
    if is_special(value):
        raise Undecided("inf or NaN is computed with")
    return value


def proved_zero(near: Neighbourhood, function: Local) -> bool:
    """Whether SymPy's rewriting of the expression ends in 0."""
    from sympy import Symbol, simplify

    nodes: dict[int, Local] = {}
    stack = [function]
    while stack:
        node = stack.pop()
        if node.number not in nodes:
            nodes[node.number] = node
            stack.extend(node.args)
    if len(nodes) > _MOST_NODES_OF_A_PROOF:
        return False
    symbols = [Symbol(f"x{place}", real=True) for place in range(near.dimension)]
    made: dict[int, Any] = {}
    for number in sorted(nodes):
        built = _as_sympy(nodes[number], [made[arg.number] for arg in nodes[number].args], symbols)
        if built is None:
            return False
        made[number] = built
    return bool(simplify(made[function.number]) == 0)


def _as_sympy(node: Local, args: list[Any], symbols: list[Any]) -> Any:
    import sympy

    from cfcompiler.primitives import TABLE

    if node.op == "constant":
        return numbers.expression(_finite(node.value))
    if node.op == "input":
        return symbols[int(node.exponent or 0)]
    if node.op in ("ipow", "rpow"):
        return args[0] ** numbers.expression(node.exponent or _ZERO)
    row = TABLE.get(node.op)
    if row is None or not row.sympy:
        return None
    names = dict(zip(row.params, args, strict=True))
    return sympy.sympify(row.sympy, locals=names)
