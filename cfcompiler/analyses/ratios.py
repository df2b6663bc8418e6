"""Rational functions of the inputs, as the numbers of an arithmetic: where the inputs are is known by signs alone.

An entry of an array is an exact number where it does not move with the inputs, and a `Ratio` where it does. A sign that
a computation needs (of a comparison, of a denominator, of what meets inf or NaN) is asked of an oracle, so what was
computed holds wherever the signs that it answered do. A value that is not a rational function raises NotRational:
nothing is rounded and nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import flint
import numpy as np

from cfcompiler import numbers
from cfcompiler.arithmetic import EXACT, UNORDERED, Array, Undecided
from cfcompiler.ir import Number
from cfcompiler.numbers import Exact, is_special
from cfcompiler.operations import OPERATIONS

Poly: TypeAlias = Any  # flint.fmpq_mpoly

MOST_DEGREE = 40
MOST_TERMS = 2000
_ZERO, _ONE = Fraction(0), Fraction(1)


class NotRational(Exception):
    """A value that is not a rational function of the inputs: what makes it so."""


class Ratio:
    """above/below in lowest terms, not constant, with `below` of leading coefficient 1. Immutable."""

    __slots__ = ("above", "below")

    def __init__(self, above: Poly, below: Poly) -> None:
        self.above = above
        self.below = below

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ratio) and bool(self.above == other.above and self.below == other.below)

    def __hash__(self) -> int:
        return hash((str(self.above), str(self.below)))

    def __repr__(self) -> str:
        return f"Ratio({self.above}, {self.below})"

    def derivative(self, place: int) -> Entry:
        """By the variable number `place`."""
        if self.below.is_constant():
            return ratio(self.above.derivative(place), self.below)
        above = self.above.derivative(place) * self.below - self.above * self.below.derivative(place)
        return ratio(above, self.below * self.below)


Entry: TypeAlias = "Exact | Ratio"


def fraction(x: Any) -> Fraction:
    """A flint rational as a Fraction."""
    return Fraction(int(x.p), int(x.q))


def rational(x: Fraction) -> Any:
    """A Fraction as a flint rational."""
    return flint.fmpq(x.numerator, x.denominator)


def constant_of(poly: Poly) -> Fraction:
    """The value of a constant polynomial."""
    return _ZERO if poly.is_zero() else fraction(poly.leading_coefficient())


def ratio(above: Poly, below: Poly) -> Ratio | Fraction:
    """above/below in lowest terms, a number where it is constant. Raises NotRational where it is too large."""
    if above.is_zero():
        return _ZERO
    if not below.is_constant():
        common = above.gcd(below)
        if not common.is_constant():
            above, below = above / common, below / common
    lead = below.leading_coefficient()
    if lead != 1:
        above, below = above * (1 / lead), below * (1 / lead)
    if above.is_constant() and below.is_constant():
        return constant_of(above)
    if max(above.total_degree(), below.total_degree()) > MOST_DEGREE or len(above) > MOST_TERMS:
        raise NotRational(f"a value of degree more than {MOST_DEGREE} or of more than {MOST_TERMS} terms")
    return Ratio(above, below)


def parts(entry: Entry, one: Poly) -> tuple[Poly, Poly]:
    """Numerator and denominator of a rational entry; `one` is the constant polynomial 1."""
    if isinstance(entry, Ratio):
        return entry.above, entry.below
    if isinstance(entry, Fraction):
        return one * rational(entry), one
    raise NotRational("a coefficient that is not rational")


class Ratios:
    """The arithmetic. `sign_of` tells the sign of a polynomial where the program runs, or raises."""

    dtype = object

    def __init__(self, one: Poly, sign_of: Callable[[Poly], int]) -> None:
        self.one = one
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
        if op in _DOMAINS and isinstance(values[0], Ratio):
            return self._at_the_edge(op, values[0])
        if op not in _ARITHMETIC:
            raise NotRational(f"{op} of a value that moves with the inputs")
        if any(isinstance(value, str) for value in values):
            return OPERATIONS[op](*map(self._signed, values))
        if op == "div":
            return self._divided(values[0], values[1])
        return self._arithmetic(op, values)

    def _signed(self, value: Entry) -> Exact:
        """A number of the same sign, which does as well beside inf and NaN."""
        return Fraction(self.sign(value)) if isinstance(value, Ratio) else value

    def _arithmetic(self, op: str, values: Sequence[Entry]) -> Entry:
        pairs = [parts(value, self.one) for value in values]
        if op == "neg":
            return ratio(-pairs[0][0], pairs[0][1])
        (a, b), (c, d) = pairs
        if op == "mul":
            return ratio(a * c, b * d)
        if b == d:
            return ratio(a + c if op == "add" else a - c, b)
        return ratio(a * d + c * b if op == "add" else a * d - c * b, b * d)

    def _divided(self, x: Entry, y: Entry) -> Entry:
        if self.sign(y) == 0:
            return OPERATIONS["div"](Fraction(self.sign(x)), _ZERO)
        a, b = parts(x, self.one)
        c, d = parts(y, self.one)
        return ratio(a * d, b * c)

    def _power(self, values: Sequence[Entry], exponent: Fraction | None) -> Entry:
        base, power = values[0], values[1] if exponent is None else exponent
        if not isinstance(power, Fraction) or not isinstance(base, Ratio):
            raise NotRational("a power whose exponent moves with the inputs")
        if power.denominator != 1:
            code = self.sign(base)
            if code > 0:
                raise NotRational("a power that is not a whole number, of a value that moves with the inputs")
            return OPERATIONS["pow"](Fraction(code), power)
        if power == 0:
            return _ONE
        if power < 0 and self.sign(base) == 0:
            return OPERATIONS["pow"](_ZERO, power)
        n = abs(int(power))
        if n * max(base.above.total_degree(), base.below.total_degree()) > MOST_DEGREE:
            raise NotRational(f"a value of degree more than {MOST_DEGREE}")
        above, below = base.above**n, base.below**n
        return ratio(above, below) if power > 0 else ratio(below, above)

    def _at_the_edge(self, op: str, x: Ratio) -> Entry:
        """A root or a logarithm of what is not positive."""
        code = self.sign(x)
        if code > 0:
            raise NotRational(f"{op} of a value that moves with the inputs")
        return OPERATIONS[op](Fraction(code))

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
            return self.sign(self._arithmetic("sub", (left, right)))
        code = numbers.compare(left, right)
        if code is None:
            raise Undecided("the sign of a constant could not be decided")
        return UNORDERED if code == "unordered" else code

    def reduction(self, op: str, x: Array, axes: tuple[int, ...]) -> Array:
        if any(isinstance(entry, Ratio) for entry in np.reshape(x, -1)):
            raise NotRational(f"{op} of a value that moves with the inputs")
        return EXACT.reduction(op, x, axes)


_ARITHMETIC = frozenset(("add", "sub", "mul", "div", "neg"))
_DOMAINS = frozenset(("sqrt", "log", "log2", "log10"))


def finite(entries: Sequence[Entry]) -> bool:
    """Whether no entry is inf or NaN."""
    return not any(not isinstance(entry, Ratio) and is_special(entry) for entry in entries)
