"""Affine functions of the inputs, as the numbers of an arithmetic.

An entry of an array is an exact number where it does not move with the inputs, and a `Form` where it does. What is not
affine (a product of two forms, exp of a form, a coefficient that is not rational) raises NotAffine: nothing is rounded
and nothing is approximated. Forms are finite everywhere, so a form plus inf is inf and 0 times a form is 0.

A comparison is answered from `facts`, the signs of functions that are known on the stratum where the program runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, TypeAlias

import flint
import numpy as np

from cfcompiler import numbers
from cfcompiler.arithmetic import EXACT, UNORDERED, Array, Undecided
from cfcompiler.feasibility.lattice import Integers
from cfcompiler.ir import Number
from cfcompiler.numbers import Exact, is_special
from cfcompiler.operations import OPERATIONS
from cfcompiler.primitives import TABLE

_ZERO = Fraction(0)


class NotAffine(Exception):
    """A value that is not an affine function of the inputs on some stratum: what makes it so."""


class Form:
    """(terms[0] + terms[1] x_1 + ... + terms[n] x_n) / divisor, in lowest terms, with some coefficient that is not 0.

    Immutable; equal forms are equal.
    """

    __slots__ = ("divisor", "terms")

    def __init__(self, terms: Integers, divisor: int) -> None:
        self.terms = terms
        self.divisor = divisor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and self.terms == other.terms and self.divisor == other.divisor

    def __hash__(self) -> int:
        return hash((self.terms, self.divisor))

    def __repr__(self) -> str:
        return f"Form({self.terms}, {self.divisor})"

    @property
    def gradient(self) -> tuple[Fraction, ...]:
        return tuple(Fraction(entry, self.divisor) for entry in self.terms[1:])


Entry: TypeAlias = "Exact | Form"


def form(terms: Sequence[int], divisor: int) -> Form | Fraction:
    """The affine function, a number where it is constant; `divisor` is positive."""
    if not any(terms[1:]):
        return Fraction(terms[0], divisor)
    common = gcd(divisor, *terms)
    if common == 1:
        return Form(tuple(terms), divisor)
    return Form(tuple(entry // common for entry in terms), divisor // common)


def coordinate(place: int, dimension: int) -> Form:
    """The coordinate number `place`."""
    return Form((0, *(int(place == other) for other in range(dimension))), 1)


def integers(function: Form | Fraction, dimension: int) -> Integers:
    """Integers that are a positive multiple of the function."""
    if isinstance(function, Form):
        return function.terms
    return (function.numerator, *(0,) * dimension)


def gradient_of(entry: Entry, dimension: int) -> tuple[Fraction, ...]:
    """The derivatives of a finite entry by the coordinates."""
    return entry.gradient if isinstance(entry, Form) else (_ZERO,) * dimension


def direction_of(terms: Integers) -> tuple[Integers, int]:
    """A name of the zero set, and the sign by which the function differs from the one the name stands for."""
    common = gcd(*terms)
    if not common:
        return terms, 1
    lead = next(entry for entry in terms[::-1] if entry)
    common = common if lead > 0 else -common
    return tuple(entry // common for entry in terms), 1 if lead > 0 else -1


# sums and products


def added(x: Entry, y: Entry, turn: int = 1) -> Entry:
    """x + turn*y, where turn is 1 or -1."""
    if isinstance(x, Form) and isinstance(y, Form):
        if x.divisor == y.divisor == 1:
            if turn == 1:
                return form([a + b for a, b in zip(x.terms, y.terms, strict=True)], 1)
            return form([a - b for a, b in zip(x.terms, y.terms, strict=True)], 1)
        divisor = lcm(x.divisor, y.divisor)
        p, q = divisor // x.divisor, turn * (divisor // y.divisor)
        return form([p * a + q * b for a, b in zip(x.terms, y.terms, strict=True)], divisor)
    if isinstance(x, Form):
        return _shifted(x, 1, y, turn)
    if isinstance(y, Form):
        return _shifted(y, turn, x, 1)
    return numbers.add(x, y if turn == 1 else numbers.neg(y))


def _shifted(x: Form, own: int, y: Exact, turn: int) -> Entry:
    """own*x + turn*y."""
    if is_special(y):
        return y if turn == 1 else numbers.neg(y)
    number = _rational(y) * turn
    p = number.denominator
    return form(
        [own * p * x.terms[0] + number.numerator * x.divisor, *(own * p * entry for entry in x.terms[1:])],
        x.divisor * p,
    )


def _rational(x: Exact) -> Fraction:
    if isinstance(x, Fraction):
        return x
    raise NotAffine("a coefficient that is not rational")


def multiplied(x: Entry, y: Entry) -> Entry:
    """x*y, where at most one of them moves."""
    if isinstance(x, Form) and isinstance(y, Form):
        raise NotAffine("a product of two values that both move with the inputs")
    if isinstance(y, Form):
        x, y = y, x
    if not isinstance(x, Form):
        return numbers.mul(x, y)  # type: ignore[arg-type]
    if is_special(y):  # type: ignore[arg-type]
        if y == "nan":
            return "nan"
        raise NotAffine("a product with inf")
    factor = _rational(y)  # type: ignore[arg-type]
    return form([entry * factor.numerator for entry in x.terms], x.divisor * factor.denominator)


def _divided(x: Entry, y: Entry) -> Entry:
    if isinstance(y, Form):
        raise NotAffine("a quotient whose denominator moves with the inputs")
    if not isinstance(x, Form):
        return OPERATIONS["div"](x, y)
    if isinstance(y, Fraction) and y != 0:
        return multiplied(x, 1 / y)
    if y in ("inf", "-inf"):
        return _ZERO
    if y == "nan":
        return "nan"
    raise NotAffine("a division by 0" if y == 0 else "a coefficient that is not rational")


def _power(x: Entry, exponent: Fraction) -> Entry:
    if not isinstance(x, Form):
        return OPERATIONS["pow"](x, exponent)
    if exponent == 1:
        return x
    if exponent == 0:
        return Fraction(1)
    raise NotAffine("a power of a value that moves with the inputs")


_ROWS: dict[str, Callable[..., Entry]] = {
    "add": added,
    "sub": lambda x, y: added(x, y, -1),
    "neg": lambda x: multiplied(x, Fraction(-1)),
    "mul": multiplied,
    "div": _divided,
}


class Forms:
    """The arithmetic. `facts`: by direction_of a function, its sign where the program runs."""

    dtype = object

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.facts: Mapping[Integers, int] = {}
        self.step: Callable[[str, tuple[int, ...], Sequence[Entry]], Entry] | None = None

    def number(self, number: Number) -> Any:
        return EXACT.number(number)

    def array(self, data: np.ndarray) -> Array:
        return EXACT.array(data)

    def elementwise(self, op: str, args: Sequence[Array], exponent: Any) -> Array:
        """Raises NotAffine, numbers.Undecided, numbers.TooLarge."""
        arrays: Any = np.broadcast_arrays(*args)
        out = np.empty(arrays[0].shape, dtype=object)
        row = self._row(op, exponent)
        for place in np.ndindex(out.shape):
            out[place] = row(place, [array[place] for array in arrays])
        return out

    def _row(self, op: str, exponent: Any) -> Callable[[tuple[int, ...], Sequence[Entry]], Entry]:
        if exponent is not None:
            return lambda _, values: _power(values[0], Fraction(exponent))
        if op in _ROWS:
            own = _ROWS[op]
            return lambda _, values: own(*values)
        if TABLE[op].jumps and self.step is not None:
            step = self.step
            return lambda place, values: step(op, place, values)
        return lambda _, values: self._constant(op, values)

    @staticmethod
    def _constant(op: str, values: Sequence[Entry]) -> Entry:
        if any(isinstance(value, Form) for value in values):
            raise NotAffine(f"{op} of a value that moves with the inputs")
        return OPERATIONS[op](*values)

    def compare(self, left: Array, right: Array) -> np.ndarray:
        """Raises Undecided where no fact tells."""
        left, right = np.broadcast_arrays(left, right)
        codes = np.empty(left.shape, dtype=np.int8)
        for place in np.ndindex(left.shape):
            code = decided(left[place], right[place])
            if code is None:
                name, turn = direction_of(integers(difference(left[place], right[place]), self.dimension))
                if name not in self.facts:
                    raise Undecided("the derivative program compares what the program does not compare")
                code = turn * self.facts[name]
            codes[place] = code
        return codes

    def reduction(self, op: str, x: Array, axes: tuple[int, ...]) -> Array:
        if any(isinstance(entry, Form) for entry in np.reshape(x, -1)):
            raise NotAffine(f"{op} of a value that moves with the inputs")
        return EXACT.reduction(op, x, axes)


def difference(left: Entry, right: Entry) -> Form | Fraction:
    """left - right, of which one moves and neither is special."""
    found = added(left, right, -1)
    if isinstance(found, (Form, Fraction)):
        return found
    raise NotAffine("a comparison with a number that is not rational")


def decided(left: Entry, right: Entry) -> int | None:
    """The code of a comparison that is the same for all inputs: -1, 0, 1, UNORDERED; else None."""
    if isinstance(left, Form) or isinstance(right, Form):
        for one, turn in ((right, -1), (left, 1)):
            if isinstance(one, str):
                return UNORDERED if one == "nan" else turn if one == "inf" else -turn
        found = difference(left, right)
        return None if isinstance(found, Form) else (found > 0) - (found < 0)
    code = numbers.compare(left, right)
    if code is None:
        raise Undecided("the sign of a constant could not be decided")
    return UNORDERED if code == "unordered" else code


def product(matrix: flint.fmpz_mat, divisor: int, vectors: Array) -> Array | None:
    """matrix/divisor times the columns of a matrix of forms and rational numbers; None where an entry is neither.

    `matrix` is (m, n), `vectors` (n, k); the product (m, k).
    """
    moving = next((entry for entry in vectors.flat if isinstance(entry, Form)), None)
    width = len(moving.terms) if moving is not None else 1
    count, columns = vectors.shape
    rows: list[list[int]] = []
    common = 1
    split: list[tuple[Sequence[int], int]] = []
    for entry in vectors.flat:
        if isinstance(entry, Form):
            split.append((entry.terms, entry.divisor))
        elif isinstance(entry, Fraction):
            split.append(((entry.numerator, *(0,) * (width - 1)), entry.denominator))
        else:
            return None
        common = lcm(common, split[-1][1])
    for row in range(count):
        line: list[int] = []
        for terms, own in split[row * columns : (row + 1) * columns]:
            factor = common // own
            line += terms if factor == 1 else [factor * entry for entry in terms]
        rows.append(line)
    table = (matrix * flint.fmpz_mat(rows)).table()
    out = np.empty((len(table), columns), dtype=object)
    total = common * divisor
    for place, found in enumerate(table):
        for column in range(columns):
            terms = [int(entry) for entry in found[column * width : (column + 1) * width]]
            out[place, column] = form(terms, total)
    return out
