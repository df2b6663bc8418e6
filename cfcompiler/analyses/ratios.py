"""Functions of the inputs, as the numbers of an arithmetic: where the inputs are is known by signs alone.

An entry of an array is an exact number where it does not move with the inputs, and a `Ratio` where it does: a rational
function of the inputs, of functions of them such as exp(x) and of constants such as pi. A sign that a computation needs
(of a comparison, of a denominator, of what is under a root, of what meets inf or NaN) is asked of an oracle, so what
was computed holds wherever the signs that it answered do. A value that has no such form raises NotRational: nothing is
rounded and nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.elementary_rows import ELEMENTARY_ROWS, reduced
from cfcompiler.arithmetic import EXACT, UNORDERED, Array, Undecided
from cfcompiler.feasibility.elementary import MOST_ROOT, Elementary, SignOf
from cfcompiler.feasibility.quotients import Entry, NotRational, Ratio
from cfcompiler.ir import Number
from cfcompiler.numbers import Exact, is_special
from cfcompiler.operations import OPERATIONS

MOST_DEGREE = 40
MOST_TERMS = 2000
_ZERO, _ONE = Fraction(0), Fraction(1)


class Ratios:
    """The arithmetic. `sign_of` tells the sign of a polynomial where the program runs, or raises."""

    dtype = object

    def __init__(self, elementary: Elementary, sign_of: SignOf) -> None:
        self.elementary = elementary
        self.field = elementary.field
        self.sign_of = sign_of

    def number(self, number: Number) -> Any:
        return EXACT.number(number)

    def array(self, data: np.ndarray) -> Array:
        return EXACT.array(data)

    def sign(self, entry: Entry) -> int:
        """The sign of a finite entry, a proved one. Raises what the oracle raises, and Undecided."""
        if isinstance(entry, Ratio):
            above = self.sign_of(entry.above)
            return above * self.sign_of(entry.below) if above and not entry.below.is_constant() else above
        found = numbers.sign(entry)
        if found is None:
            raise Undecided("the sign of a constant could not be decided")
        return found

    def elementwise(self, op: str, args: Sequence[Array], exponent: Any) -> Array:
        """Raises NotRational, Undecided, numbers.Undecided, numbers.TooLarge, and what the oracle raises."""
        arrays: Any = np.broadcast_arrays(*args)
        out = np.empty(arrays[0].shape, dtype=object)
        for place in np.ndindex(out.shape):
            values = [array[place] for array in arrays]
            out[place] = self.applied(op, values, None if exponent is None else Fraction(exponent))
        return out

    def applied(self, op: str, values: Sequence[Entry], exponent: Fraction | None) -> Entry:
        """One row of the table at one entry."""
        if not any(isinstance(value, Ratio) for value in values):
            extra = [] if exponent is None else [exponent]
            return OPERATIONS["pow" if exponent is not None else op](*values, *extra)
        if op in ("sign", "heaviside"):
            return self._step(op, values)
        if op in ("pow", "rpow", "ipow"):
            return self._power(values, exponent)
        if op in ELEMENTARY_ROWS and not any(isinstance(value, str) for value in values):
            return ELEMENTARY_ROWS[op](self, *values)
        if op not in _ARITHMETIC:
            raise NotRational(f"{op} of a value that moves with the inputs")
        if any(isinstance(value, str) for value in values):
            return OPERATIONS[op](*map(self._signed, values))
        if op == "div":
            return self.divided(values[0], values[1])
        return self.arithmetic(op, values)

    def _signed(self, value: Entry) -> Exact:
        """A number of the same sign, which does as well beside inf and NaN."""
        return Fraction(self.sign(value)) if isinstance(value, Ratio) else value

    def arithmetic(self, op: str, values: Sequence[Entry]) -> Entry:
        """add, sub, mul or neg of finite entries."""
        found: Entry = getattr(self.field, op)(*values)
        return found

    def divided(self, x: Entry, y: Entry) -> Entry:
        if self.sign(y) == 0:
            return OPERATIONS["div"](Fraction(self.sign(x)), _ZERO)
        return self.field.div(x, y)

    def _power(self, values: Sequence[Entry], exponent: Fraction | None) -> Entry:
        base, power = values[0], values[1] if exponent is None else exponent
        if isinstance(base, str) or isinstance(power, str):
            raise NotRational("a power of or by what is not finite, that moves with the inputs")
        if not isinstance(power, Fraction):
            return self._moving_power(base, power)
        if power.denominator != 1:
            return self._broken_power(base, power)
        if power == 0:
            return _ONE
        if power < 0 and self.sign(base) == 0:
            return OPERATIONS["pow"](_ZERO, power)
        return self.field.power(base, int(power))

    def _broken_power(self, base: Entry, power: Fraction) -> Entry:
        """A power that is not a whole number."""
        code = self.sign(base)
        if code <= 0:
            return OPERATIONS["pow"](Fraction(code), power)
        if power.denominator <= MOST_ROOT:
            root = self.elementary.root(base, power.denominator, self.sign_of)
            return self.field.power(root, power.numerator)
        return self.elementary.exp(self.field.mul(self.elementary.log(base), power))

    def _moving_power(self, base: Entry, power: Entry) -> Entry:
        code = self.sign(base)
        if code == 0:
            return OPERATIONS["pow"](_ZERO, Fraction(self.sign(power)))
        if code < 0:
            raise NotRational("a power of what is negative, whose exponent moves with the inputs")
        return self.elementary.exp(self.field.mul(self.elementary.log(base), power))

    def _step(self, op: str, values: Sequence[Entry]) -> Entry:
        code = self.sign(values[0])
        if op == "sign":
            return Fraction(code)
        return values[1] if code == 0 else Fraction(int(code > 0))

    def compare(self, left: Array, right: Array) -> np.ndarray:
        left, right = np.broadcast_arrays(left, right)
        codes = np.empty(left.shape, dtype=np.int8)
        for place in np.ndindex(left.shape):
            codes[place] = self.code(left[place], right[place])
        return codes

    def code(self, left: Entry, right: Entry) -> int:
        """-1, 0, 1 or UNORDERED."""
        if isinstance(left, Ratio) or isinstance(right, Ratio):
            for one, turn in ((right, -1), (left, 1)):
                if isinstance(one, str):
                    return UNORDERED if one == "nan" else turn if one == "inf" else -turn
            return self.sign(self.field.sub(left, right))
        code = numbers.compare(left, right)
        if code is None:
            raise Undecided("the sign of a constant could not be decided")
        return UNORDERED if code == "unordered" else code

    def reduction(self, op: str, x: Array, axes: tuple[int, ...]) -> Array:
        if not any(isinstance(entry, Ratio) for entry in np.reshape(x, -1)):
            return EXACT.reduction(op, x, axes)
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        moved = np.transpose(x, (*kept, *axes)).reshape(*(x.shape[axis] for axis in kept), -1)
        out = np.empty(moved.shape[:-1], dtype=object)
        for place in np.ndindex(out.shape):
            row = list(moved[place])
            if any(isinstance(entry, str) for entry in row):
                raise NotRational(f"{op} of what is not finite, beside values that move with the inputs")
            out[place] = reduced(self, op, row)
        return out


_ARITHMETIC = frozenset(("add", "sub", "mul", "div", "neg"))


def finite(entries: Sequence[Entry]) -> bool:
    """Whether no entry is inf or NaN."""
    return not any(not isinstance(entry, Ratio) and is_special(entry) for entry in entries)
