"""The functions of the language on series, and the arithmetic in which a program runs along an arc.

In it the branches of a program are those it takes on the arc for all small t > 0, and what it returns has a limit.
Raises Undecided where a function has no Laurent series (a logarithm at a zero, a half power of t).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.series import (
    ONE,
    Series,
    add,
    at_zero,
    composed,
    constant,
    div,
    exp,
    integral,
    is_zero,
    mul,
    power,
    rotation,
    scale,
    sign,
    unless_constant,
)
from cfcompiler.arithmetic import UNORDERED, Undecided
from cfcompiler.ir import Number
from cfcompiler.number_text import parse_number
from cfcompiler.operations import OPERATIONS

_op = OPERATIONS


def _log(x: Series) -> Series:
    if x.valuation != 0 or not x.coefficients:
        raise Undecided()
    return integral(x, div(ONE, x), _op["log"](x.at(0)))


def _square(x: Series) -> Series:
    return mul(x, x)


def _minus(x: Series, y: Series) -> Series:
    return add(x, scale(y, Fraction(-1)))


def _by_own_rate(name: str, rate: tuple[int, int, int]) -> Callable[[Series], Series]:
    """A function f with f' = rate[0] + rate[1]*f + rate[2]*f**2: its derivatives are polynomials in f."""

    def taylor(start: Any, count: int) -> list[Any]:
        found, poly, below = [start], [Fraction(c) for c in rate], Fraction(1)
        for k in range(1, count):
            below *= k
            found.append(_polynomial_at([c / below for c in poly], start))
            poly = _rate_of(poly, rate)
        return found

    return lambda x: composed(x, partial(taylor, _op[name](at_zero(x))))


def _rate_of(poly: Sequence[Fraction], rate: Sequence[int]) -> list[Fraction]:
    """The polynomial in f that is the derivative of one in f."""
    out = [Fraction(0)] * (len(poly) + 1)
    for k in range(1, len(poly)):
        for j, c in enumerate(rate):
            out[k - 1 + j] += k * poly[k] * c
    return out


def _polynomial_at(poly: Sequence[Fraction], start: Any) -> Any:
    total: Any = Fraction(0)
    for k, c in enumerate(poly):
        if c:
            total = _op["add"](total, _op["mul"](c, _op["pow"](start, Fraction(k))))
    return total


_tanh = _by_own_rate("tanh", (1, 0, -1))
_sigmoid = _by_own_rate("sigmoid", (0, 1, -1))
_tan_at_number = _by_own_rate("tan", (1, 0, 1))


def _tan(x: Series) -> Series:
    if not numbers.is_special(_op["tan"](at_zero(x))):
        return _tan_at_number(x)
    first, second = rotation(x, -1, ("sin", "cos"))
    return div(first, second)


def _by_slope(name: str, rate: Callable[[Series], Series]) -> Callable[[Series], Series]:
    return lambda x: integral(x, rate(x), _op[name](at_zero(x)))


HALF = Fraction(1, 2)
_TWO_OVER_ROOT_PI = "2/sqrt(pi)"


def _gauss(x: Series) -> Series:
    return scale(exp(scale(_square(x), Fraction(-1))), parse_number(_TWO_OVER_ROOT_PI))


UNARY: dict[str, Callable[[Series], Series]] = {
    "neg": lambda x: scale(x, Fraction(-1)),
    "exp": exp,
    "expm1": lambda x: _minus(exp(x), ONE),
    "log": _log,
    "log1p": lambda x: _log(add(ONE, x)),
    "log2": lambda x: scale(_log(x), _op["div"](Fraction(1), _op["log"](Fraction(2)))),
    "log10": lambda x: scale(_log(x), _op["div"](Fraction(1), _op["log"](Fraction(10)))),
    "sqrt": lambda x: power(x, HALF),
    "cbrt": lambda x: (
        scale(power(scale(x, Fraction(sign(x))), Fraction(1, 3)), Fraction(sign(x))) if sign(x) else x
    ),
    "sin": lambda x: rotation(x, -1, ("sin", "cos"))[0],
    "cos": lambda x: rotation(x, -1, ("sin", "cos"))[1],
    "tan": _tan,
    "sinh": lambda x: rotation(x, 1, ("sinh", "cosh"))[0],
    "cosh": lambda x: rotation(x, 1, ("sinh", "cosh"))[1],
    "tanh": _tanh,
    "asin": _by_slope("asin", lambda x: power(_minus(ONE, _square(x)), -HALF)),
    "acos": _by_slope("acos", lambda x: scale(power(_minus(ONE, _square(x)), -HALF), Fraction(-1))),
    "atan": _by_slope("atan", lambda x: div(ONE, add(ONE, _square(x)))),
    "asinh": _by_slope("asinh", lambda x: power(add(ONE, _square(x)), -HALF)),
    "acosh": _by_slope("acosh", lambda x: power(_minus(_square(x), ONE), -HALF)),
    "atanh": _by_slope("atanh", lambda x: div(ONE, _minus(ONE, _square(x)))),
    "sigmoid": _sigmoid,
    "softplus": _by_slope("softplus", _sigmoid),
    "erf": _by_slope("erf", _gauss),
    "erfc": _by_slope("erfc", lambda x: scale(_gauss(x), Fraction(-1))),
}


def _step(name: str) -> Callable[[Series], Series]:
    """floor and its kin: constant on the arc; at a jump, the value on the side from which the arc comes."""
    shift = (
        HALF if name == "round" else Fraction(0)
    )  # jumps are where the argument and this are a whole number

    def rule(x: Series) -> Series:
        start = at_zero(x)
        level = _op["add"](start, shift)
        moved = _minus(x, constant(start))
        if is_zero(moved) or numbers.compare(_op["floor"](level), level) != 0:
            return constant(_op[name](start))
        return constant(_op[name](_op["add"](start, Fraction(sign(moved), 4))))

    return rule


for _name in ("floor", "ceil", "trunc", "round"):
    UNARY[_name] = _step(_name)
UNARY["sign"] = lambda x: constant(Fraction(sign(x)))


def atan2(y: Series, x: Series) -> Series:
    """Where (x, y) does not tend to the origin; beside the cut, on the side from which the arc comes."""
    norm = add(_square(x), _square(y))
    if norm.valuation != 0:
        raise Undecided()
    if sign(x) < 0 and numbers.sign(at_zero(y)) == 0:
        turn = constant(parse_number("pi" if sign(y) >= 0 else "-pi"))
        return add(turn, UNARY["atan"](div(y, x)))
    start = _op["atan2"](at_zero(y), at_zero(x))
    first = integral(y, div(x, norm), Fraction(0))
    return add(add(constant(start), first), integral(x, scale(div(y, norm), Fraction(-1)), Fraction(0)))


def general_power(x: Series, y: Series) -> Series:
    """x**y: a constant rational exponent, or exp(y log x)."""
    if y.exact and y.valuation == 0 and len(y.coefficients) == 1 and isinstance(y.coefficients[0], Fraction):
        return power(x, y.coefficients[0])
    if is_zero(y):
        return ONE
    return exp(mul(y, _log(x)))


def _fmod(x: Series, y: Series) -> Series:
    return _minus(x, mul(y, UNARY["trunc"](div(x, y))))


def _remainder(x: Series, y: Series) -> Series:
    return _minus(x, mul(y, UNARY["floor"](div(x, y))))


def _logaddexp(x: Series, y: Series) -> Series:
    return add(x, UNARY["softplus"](_minus(y, x)))


def _heaviside(x: Series, y: Series) -> Series:
    found = sign(x)
    return y if found == 0 else constant(Fraction(1 if found > 0 else 0))


BINARY: dict[str, Callable[[Series, Series], Series]] = {
    "add": add,
    "sub": _minus,
    "mul": mul,
    "div": div,
    "pow": general_power,
    "atan2": atan2,
    "logaddexp": _logaddexp,
    "fmod": _fmod,
    "remainder": _remainder,
    "heaviside": _heaviside,
}


class Germs:
    """The arithmetic in which a program runs along an arc."""

    dtype = object

    def number(self, number: Number) -> Any:
        """A constant; inf and NaN stay what they are: they can be compared and selected, nothing more."""
        exact = number if isinstance(number, Fraction) else parse_number(number)
        return exact if numbers.is_special(exact) else constant(exact)

    def array(self, data: np.ndarray) -> Any:
        out = np.empty(data.shape, dtype=object)
        for place in np.ndindex(data.shape):
            out[place] = constant(Fraction(float(data[place])))
        return out

    def elementwise(self, op: str, args: Sequence[Any], exponent: Any) -> Any:
        arrays: Any = np.broadcast_arrays(*args)
        out = np.empty(arrays[0].shape, dtype=object)
        for place in np.ndindex(out.shape):
            values: list[Series] = [array[place] for array in arrays]
            if any(isinstance(value, str) for value in values):
                raise Undecided("inf or NaN is computed with along the arc")
            if exponent is not None:
                out[place] = power(values[0], exponent)
            elif op in UNARY:
                out[place] = unless_constant(UNARY[op], op)(values[0])
            elif op in BINARY:
                out[place] = BINARY[op](*values)
            else:
                raise Undecided()
        return out

    def compare(self, left: Any, right: Any) -> np.ndarray:
        left, right = np.broadcast_arrays(left, right)
        codes = np.empty(left.shape, dtype=np.int8)
        for place in np.ndindex(left.shape):
            codes[place] = self._compare(left[place], right[place])
        return codes

    @staticmethod
    def _compare(left: Any, right: Any) -> int:
        if not isinstance(left, str) and not isinstance(right, str):
            return sign(_minus(left, right))
        code = numbers.compare(*(x if isinstance(x, str) else Fraction(0) for x in (left, right)))
        return UNORDERED if code == "unordered" or code is None else code

    def tied(self, left: Any, right: Any) -> bool:
        """Whether left and right have the same limit."""
        if isinstance(left, str) or isinstance(right, str):
            return bool(left == right != "nan")
        gap = _minus(left, right)
        return is_zero(gap) or gap.valuation > 0

    def reduction(self, op: str, x: Any, axes: tuple[int, ...]) -> Any:
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        moved = np.transpose(x, (*kept, *axes)).reshape((*(x.shape[axis] for axis in kept), -1))
        out = np.empty(moved.shape[:-1], dtype=object)
        for place in np.ndindex(out.shape):
            total = Series(0, (), True)
            for entry in moved[place]:
                total = add(total, exp(entry) if op == "logsumexp" else _square(entry))
            out[place] = _log(total) if op == "logsumexp" else power(total, HALF)
        return out


GERMS = Germs()
