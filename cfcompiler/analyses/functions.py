"""The arithmetic of functions near a point: a program runs in it, and its comparisons ask an oracle for signs.

Rows of the table make new functions; a step is a constant or an argument, by the sign that the oracle gives; a part
with a removable singularity is continued from the side on which the oracle says the cell lies.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.neighbourhood import Local, Neighbourhood, continuous
from cfcompiler.analyses.removable import one_sided, parts_of
from cfcompiler.arithmetic import UNORDERED, Undecided
from cfcompiler.ir import Number
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import is_special
from cfcompiler.primitives import TABLE

_ZERO, _ONE = Fraction(0), Fraction(1)


class Signs(Protocol):
    """What is asked for signs.

    `joins`: whether the sign decides between values that need not agree. `outcomes`: what was decided so, in order.
    """

    joins: bool
    outcomes: list[Hashable]

    def sign(self, function: Local) -> int:
        """The sign of a function on the cell that is followed."""

    def equal(self) -> None:
        """Two values that are compared are equal on all of the cell."""

    def side(self, function: Local) -> int:
        """The same, where the sign decides between continuations that need not agree."""


class Functions:
    """The arithmetic of functions near the point; its comparisons ask the oracle."""

    dtype = object

    def __init__(self, near: Neighbourhood, oracle: Signs) -> None:
        self.near = near
        self.oracle = oracle

    def number(self, number: Number) -> Local:
        return self.near.constant(number if isinstance(number, Fraction) else parse_number(number))

    def array(self, data: np.ndarray) -> Any:
        out = np.empty(data.shape, dtype=object)
        for place in np.ndindex(data.shape):
            entry = float(data[place])
            out[place] = self.number(Fraction(entry) if np.isfinite(entry) else repr(entry))
        return out

    def elementwise(self, op: str, args: Sequence[Any], exponent: Any) -> Any:
        arrays: Any = np.broadcast_arrays(*args)
        out = np.empty(arrays[0].shape, dtype=object)
        for place in np.ndindex(out.shape):
            values = [array[place] for array in arrays]
            if TABLE[op].jumps:
                out[place] = _STEPS[op](self, *values)
            else:
                power = None if exponent is None else Fraction(exponent)
                out[place] = self._regular(self.near.apply(op, *values, exponent=power))
        return out

    def _regular(self, function: Local) -> Local:
        """The function, or what it is on one side of a part by which it has a removable singularity."""
        if function.analytic or function.constant:
            return function
        for part in parts_of(function):
            sides = {side: one_sided(self.near, function, part, side) for side in (1, -1)}
            if None in sides.values() and len(set(sides.values())) == 1:
                continue
            side = self.oracle.side(self.near.difference(part, self.near.constant(part.value)))
            return sides.get(side) or function
        return function

    def compare(self, left: Any, right: Any) -> np.ndarray:
        left, right = np.broadcast_arrays(left, right)
        codes = np.empty(left.shape, dtype=np.int8)
        for place in np.ndindex(left.shape):
            codes[place] = self._code(left[place], right[place])
        return codes

    def _code(self, left: Local, right: Local) -> int:
        if left.constant and right.constant:
            code = numbers.compare(left.value, right.value)
            if code is None:
                raise Undecided("the sign could not be decided")
            if code == 0:
                self.oracle.equal()
            return UNORDERED if code == "unordered" else code
        if left is right:
            if left.value == "nan":
                raise Undecided("a comparison of what may be NaN nearby")
            self.oracle.equal()
            return 0
        for one, other, turn in ((left, right, 1), (right, left, -1)):
            if one.constant and one.value in ("inf", "-inf") and continuous(other):
                return turn if one.value == "inf" else -turn
        return self.oracle.sign(self.near.difference(left, right))

    def reduction(self, op: str, x: Any, axes: tuple[int, ...]) -> Any:
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        moved = np.transpose(x, (*kept, *axes)).reshape((*(x.shape[axis] for axis in kept), -1))
        out = np.empty(moved.shape[:-1], dtype=object)
        for place in np.ndindex(out.shape):
            total = self.near.constant(_ZERO)
            for entry in moved[place]:
                term = (
                    self.near.apply("exp", entry)
                    if op == "logsumexp"
                    else self.near.apply("mul", entry, entry)
                )
                total = self.near.apply("add", total, term)
            out[place] = self._regular(self.near.apply("log" if op == "logsumexp" else "sqrt", total))
        return out

    # steps: constants on a piece

    def whole(self, x: Local, name: str) -> Local:
        """floor, ceil, trunc or round of x."""
        if is_special(x.value):
            raise Undecided(f"{name} of what has no value at the point")
        if name == "trunc" and numbers.decided(x.value) == 0:
            return self.number(_ZERO)
        base = Fraction(numbers.integer_below(x.value))
        level = base + Fraction(1, 2) if name == "round" else base
        side = self.oracle.sign(self.near.difference(x, self.near.constant(level)))
        if name == "ceil" or (name == "trunc" and base < 0):
            return self.number(base + 1 if side > 0 else base)
        if name == "round":
            even = base if base % 2 == 0 else base + 1
            return self.number(even if side == 0 else base + 1 if side > 0 else base)
        return self.number(base if side >= 0 else base - 1)


def _sign(functions: Functions, x: Local) -> Local:
    return functions.number(Fraction(functions.oracle.sign(x)))


def _heaviside(functions: Functions, x: Local, at_zero: Local) -> Local:
    found = functions.oracle.sign(x)
    return at_zero if found == 0 else functions.number(Fraction(int(found > 0)))


def _whole(name: str) -> Callable[[Functions, Local], Local]:
    return lambda functions, x: functions.whole(x, name)


def _leftover(name: str) -> Callable[[Functions, Local, Local], Local]:
    def rule(functions: Functions, x: Local, y: Local) -> Local:
        times = functions.whole(functions.near.apply("div", x, y), name)
        return functions.near.difference(x, functions.near.apply("mul", y, times))

    return rule


_STEPS: dict[str, Callable[..., Local]] = {
    "sign": _sign,
    "heaviside": _heaviside,
    "floor": _whole("floor"),
    "ceil": _whole("ceil"),
    "trunc": _whole("trunc"),
    "round": _whole("round"),
    "fmod": _leftover("trunc"),
    "remainder": _leftover("floor"),
}
