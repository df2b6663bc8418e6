"""Function near a point, arc into the point -> the function along the arc, as an exact series in t > 0.

What is known of a function for all small t > 0 (its sign, its limit) is decided here by series alone, whatever search
has proposed the arc. Source: curve selection, theory S6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from cfcompiler import numbers
from cfcompiler.analyses.germs import BINARY, UNARY
from cfcompiler.analyses.neighbourhood import Local, Neighbourhood
from cfcompiler.analyses.series import Series, add, constant, mul, normal, power, sign, unless_constant
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.conditions import Arc
from cfcompiler.numbers import Finite, is_special

_ZERO = Fraction(0)


class Expansion:
    """The functions of a neighbourhood as series in t, where some of them (by number) are given."""

    def __init__(self, near: Neighbourhood, given: Mapping[int, Series]) -> None:
        self.near = near
        self._found = dict(given)

    def of(self, function: Local) -> Series:
        """The function along the arc. Raises Undecided where it has no Laurent series that could be computed."""
        stack, missing = [function], {}
        while stack:
            node = stack.pop()
            if node.number not in missing and node.number not in self._found:
                missing[node.number] = node
                stack.extend(node.args)
        try:
            for number in sorted(missing):
                self._found[number] = self._evaluated(missing[number])
        except Undecided as problem:
            raise Undecided(str(problem)) from None
        return self._found[function.number]

    def sign(self, function: Local) -> int:
        """Its sign for all small t > 0. Raises Undecided."""
        return sign(self.of(function))

    def _evaluated(self, node: Local) -> Series:
        if node.constant:
            if is_special(node.value):
                raise Undecided("inf or NaN is computed with")
            return constant(node.value)
        args = [self._found[arg.number] for arg in node.args]
        if node.op in ("ipow", "rpow"):
            return power(args[0], node.exponent or _ZERO)
        if node.op == "series":
            return self._series(node, args[0])
        if node.op in UNARY:
            return unless_constant(UNARY[node.op], node.op)(args[0])
        if node.op not in BINARY:
            raise Undecided(f"{node.op} does not follow from what is given")
        return BINARY[node.op](*args)

    def _series(self, node: Local, argument: Series) -> Series:
        moved = add(argument, constant(numbers.neg(node.args[0].value)))
        known = self.near.coefficients[node.number]
        if not moved.coefficients and moved.exact:
            return constant(known[0])
        total = constant(known[-1]) if numbers.decided(known[-1]) else Series(0, (), True)
        for coefficient in reversed(known[:-1]):
            total = add(mul(total, moved), constant(coefficient))
        # beyond the known terms nothing is known
        last = moved.valuation * len(known)
        shown: list[Any] = [total.at(k) for k in range(min(total.valuation, last), last)]
        return normal(min(total.valuation, last), shown, False) if shown else _raise()


def _raise() -> Series:
    raise Undecided("a series whose known terms vanish along the arc")


def along(near: Neighbourhood, arc: Arc) -> Expansion:
    """The functions along an arc in local coordinates."""
    given = {}
    for (name, place), terms in zip(near.coordinates, arc.coefficients, strict=True):
        node, powers = near.inputs[name][place], dict(terms)
        last = max(powers, default=0)
        coefficients = [node.value, *(powers.get(k, _ZERO) for k in range(1, last + 1))]
        given[node.number] = normal(0, coefficients, True)
    return Expansion(near, given)


def straight(direction: Sequence[Finite]) -> Arc:
    """The ray along a direction."""
    return Arc(tuple(((1, entry),) if entry != 0 else () for entry in direction))
