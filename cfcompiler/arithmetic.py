"""Arithmetics in which a program can be run: float64, and the exact numbers.

What a number is to the interpreter: how constants are made, rows of the table evaluated, and two numbers compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from typing import Any, Protocol, TypeAlias

import flint
import numpy as np

from cfcompiler import ieee, numbers
from cfcompiler.ir import Number
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import Undecided as Undecided  # what running a program raises
from cfcompiler.operations import OPERATIONS
from cfcompiler.primitives import TABLE

Array: TypeAlias = Any  # a NumPy array of float64, or of exact numbers
UNORDERED = 2


def nearest_floats(numbers_: Array) -> np.ndarray:
    """An array of exact numbers as the nearest float64. Raises Undecided."""
    with np.errstate(all="ignore"):  # isolating roots of polynomials leaves flags of the processor behind
        found: np.ndarray = np.vectorize(numbers.to_float, otypes=[np.float64])(numbers_)
        return found


class Arithmetic(Protocol):
    """What a number is: how constants are made, rows evaluated, and two numbers compared."""

    dtype: Any

    def number(self, number: Number) -> Any:
        """A constant of the program."""

    def array(self, data: np.ndarray) -> Array:
        """An array of constants."""

    def elementwise(self, op: str, args: Sequence[Array], exponent: Any) -> Array:
        """A row of the table applied to arrays."""

    def compare(self, left: Array, right: Array) -> np.ndarray:
        """Entry by entry -1, 0, 1 or UNORDERED. Raises Undecided."""

    def reduction(self, op: str, x: Array, axes: tuple[int, ...]) -> Array:
        """logsumexp or norm2 over `axes`."""


class Floats:
    """float64 with IEEE rules; no warnings."""

    dtype = np.float64

    def number(self, number: Number) -> Any:
        return np.float64(nearest_float(number))

    def array(self, data: np.ndarray) -> Array:
        return data

    def elementwise(self, op: str, args: Sequence[Array], exponent: Any) -> Array:
        name = TABLE[op].numpy
        function = ieee.ARRAY_FUNCTIONS.get(name) or getattr(np, name)
        if exponent is not None:
            return np.power(args[0], float(exponent))
        return function(*args)

    def compare(self, left: Array, right: Array) -> np.ndarray:
        left, right = np.broadcast_arrays(left, right)
        codes = np.full(left.shape, UNORDERED, dtype=np.int8)
        codes[...] = np.where(
            left < right, -1, np.where(left > right, 1, np.where(left == right, 0, UNORDERED))
        )
        return codes

    def reduction(self, op: str, x: Array, axes: tuple[int, ...]) -> Array:
        if op == "logsumexp":
            return ieee.logsumexp(x, axes)
        return ieee.norm2(x, axes)


class Exact:
    """The exact numbers of cfcompiler.numbers: rationals, closed forms, and IEEE's inf and NaN."""

    dtype = object

    def number(self, number: Number) -> Any:
        return number if isinstance(number, Fraction) else parse_number(number)

    def array(self, data: np.ndarray) -> Array:
        return _exact_entries(data.shape, np.ascontiguousarray(data, dtype=np.float64).tobytes())

    def elementwise(self, op: str, args: Sequence[Array], exponent: Any) -> Array:
        if exponent is not None:
            return self._each(lambda x: OPERATIONS["pow"](x, exponent), args)
        return self._each(OPERATIONS[op], args)

    @staticmethod
    def _each(function: Callable[..., Any], args: Sequence[Array]) -> Array:
        arrays = np.broadcast_arrays(*args)
        out = np.empty(arrays[0].shape, dtype=object)
        for place in np.ndindex(out.shape):
            out[place] = function(*(array[place] for array in arrays))
        return out

    def compare(self, left: Array, right: Array) -> np.ndarray:
        left, right = np.broadcast_arrays(left, right)
        codes = np.empty(left.shape, dtype=np.int8)
        for place in np.ndindex(left.shape):
            code = numbers.compare(left[place], right[place])
            if code is None:
                raise Undecided
            codes[place] = UNORDERED if code == "unordered" else code
        return codes

    def reduction(self, op: str, x: Array, axes: tuple[int, ...]) -> Array:
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        moved = np.transpose(x, (*kept, *axes)).reshape((*(x.shape[axis] for axis in kept), -1))
        out = np.empty(moved.shape[:-1], dtype=object)
        inner, outer = ("exp", "log") if op == "logsumexp" else ("square", "sqrt")
        for place in np.ndindex(out.shape):
            total: Any = Fraction(0)
            for entry in moved[place]:
                term = OPERATIONS["mul"](entry, entry) if inner == "square" else OPERATIONS[inner](entry)
                total = OPERATIONS["add"](total, term)
            out[place] = OPERATIONS[outer](total)
        return out


@lru_cache(maxsize=16)
def _exact_entries(shape: tuple[int, ...], data: bytes) -> Array:
    """The entries of an array of floats as exact numbers; not to be written to."""
    out = np.empty(shape, dtype=object)
    entries = np.frombuffer(data, dtype=np.float64).tolist()
    for place, entry in zip(np.ndindex(shape), entries, strict=True):
        out[place] = Fraction(entry) if isfinite(entry) else parse_number(repr(entry))
    out.setflags(write=False)
    return out


def rational_product(rows: Array, columns: Array) -> Array | None:
    """The product of two matrices of Fractions; None where an entry is none."""
    flat = [*rows.flat, *columns.flat]
    if not all(isinstance(entry, Fraction) for entry in flat):
        return None
    left, right = (
        flint.fmpq_mat(
            matrix.shape[0], matrix.shape[1], [flint.fmpq(x.numerator, x.denominator) for x in matrix.flat]
        )
        for matrix in (rows, columns)
    )
    product = left * right
    out = np.empty((rows.shape[0], columns.shape[1]), dtype=object)
    for place, entry in zip(np.ndindex(out.shape), product.entries(), strict=True):
        out[place] = Fraction(int(entry.p), int(entry.q))
    return out


@lru_cache(maxsize=4096)
def nearest_float(number: Number) -> float:
    """The float64 nearest to a constant of a program."""
    return numbers.to_float(number if isinstance(number, Fraction) else parse_number(number))


FLOATS = Floats()
EXACT = Exact()
