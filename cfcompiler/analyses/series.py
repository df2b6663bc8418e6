"""Numbers that depend on a small t > 0: exact Laurent series, in which a program runs along an arc into a point.

A series is t**valuation * (c0 + c1*t + ...), its coefficients exact numbers, known up to a number of terms unless it
is a Laurent polynomial known whole. Its sign is the sign for all small t > 0, so a program run in this arithmetic
takes, for good, the branches that it takes on the arc near the point; the constant term is the limit.
Source: germs of definable curves, theory S6 (adjacency by arcs); Khan & Barton 2015 for the first-order case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cfcompiler import numbers
from cfcompiler.arithmetic import Undecided
from cfcompiler.number_text import parse_number
from cfcompiler.operations import OPERATIONS

TERMS = 10  # known terms of a series that is not a polynomial; what needs more is undecided

_op = OPERATIONS


@dataclass(frozen=True, slots=True)
class Series:
    """t**valuation * sum(coefficients[k] * t**k), exact, or up to the last coefficient given."""

    valuation: int
    coefficients: tuple[Any, ...]
    exact: bool = True

    @property
    def precision(self) -> int:
        """The power of t from which on nothing is known (of a series that is not exact)."""
        return self.valuation + len(self.coefficients)

    def at(self, power: int) -> Any:
        place = power - self.valuation
        if 0 <= place < len(self.coefficients):
            return self.coefficients[place]
        if place >= 0 and not self.exact:
            raise Undecided()
        return Fraction(0)


def normal(valuation: int, coefficients: Sequence[Any], exact: bool) -> Series:
    """Leading zeros removed. Raises Undecided where a coefficient may be zero or not."""
    if any(numbers.is_special(c) for c in coefficients):
        raise Undecided()
    values = list(coefficients)
    start = 0
    while start < len(values):
        sign = numbers.sign(values[start])
        if sign is None:
            raise Undecided()
        if sign != 0:
            break
        start += 1
    values = values[start:]
    if exact:
        while values and values[-1] == 0:
            values.pop()
        if not values:
            return Series(0, (), True)
        if len(values) > 4 * TERMS:
            return Series(valuation + start, tuple(values[: 4 * TERMS]), False)
    elif not values:
        raise Undecided()
    return Series(valuation + start, tuple(values), exact)


def constant(number: Any) -> Series:
    return normal(0, [number], True)


def is_zero(x: Series) -> bool:
    return x.exact and not x.coefficients


def sign(x: Series) -> int:
    """The sign of x for all small t > 0. Raises Undecided."""
    if is_zero(x):
        return 0
    found = numbers.sign(x.coefficients[0])
    if found is None:
        raise Undecided()
    return found


def limit(x: Series | str) -> Any:
    """The value of x as t -> 0: its constant term, "inf" or "-inf" at a pole."""
    if isinstance(x, str):
        return x
    if x.coefficients and x.valuation < 0:
        return parse_number("inf" if sign(x) > 0 else "-inf")
    return x.at(0)


def _length(*series: Series) -> int | None:
    """The last power up to which all are known."""
    known = [x.precision for x in series if not x.exact]
    return min(known) if known else None


def add(x: Series, y: Series) -> Series:
    if is_zero(x):
        return y
    if is_zero(y):
        return x
    low = min(x.valuation, y.valuation)
    cut = _length(x, y)
    high = max(x.precision, y.precision) if cut is None else cut
    return normal(low, [_op["add"](x.at(k), y.at(k)) for k in range(low, high)], cut is None)


def scale(x: Series, factor: Any) -> Series:
    return normal(x.valuation, [_op["mul"](c, factor) for c in x.coefficients], x.exact)


def mul(x: Series, y: Series) -> Series:
    if is_zero(x) or is_zero(y):
        return Series(0, (), True)
    exact = x.exact and y.exact
    count = len(x.coefficients) + len(y.coefficients) - 1
    if not exact:
        count = min(len(s.coefficients) for s in (x, y) if not s.exact)
    out: list[Any] = [Fraction(0)] * count
    for i, a in enumerate(x.coefficients[:count]):
        for j, b in enumerate(y.coefficients[: count - i]):
            out[i + j] = _op["add"](out[i + j], _op["mul"](a, b))
    return normal(x.valuation + y.valuation, out, exact)


def div(x: Series, y: Series) -> Series:
    if is_zero(y):
        raise Undecided()
    if is_zero(x):
        return x
    if y.exact and len(y.coefficients) == 1:
        inverse = _op["div"](Fraction(1), y.coefficients[0])
        return normal(x.valuation - y.valuation, [_op["mul"](c, inverse) for c in x.coefficients], x.exact)
    count = min([TERMS, *(len(s.coefficients) for s in (x, y) if not s.exact)])
    lead = y.coefficients[0]
    out: list[Any] = []
    for k in range(count):
        total = x.coefficients[k] if k < len(x.coefficients) else Fraction(0)
        for j in range(1, min(k, len(y.coefficients) - 1) + 1):
            total = _op["sub"](total, _op["mul"](y.coefficients[j], out[k - j]))
        out.append(_op["div"](total, lead))
    return normal(x.valuation - y.valuation, out, False)


def _taylor(
    x: Series, values: Callable[[list[Any], list[list[Any]]], list[Any]], starts: list[Any]
) -> list[Series]:
    """Solutions of y' = values(x', y) by coefficients, from the starts; x has no pole."""
    count = TERMS if x.exact else max(x.precision, 1)
    slope = [_op["mul"](x.at(k + 1), Fraction(k + 1)) for k in range(count - 1)]
    found: list[list[Any]] = [[start] for start in starts]
    for k in range(count - 1):
        rates = values(slope, found)
        for y, rate in zip(found, rates, strict=True):
            y.append(_op["mul"](rate, Fraction(1, k + 1)))
    return [normal(0, y, False) for y in found]


def _coefficient(a: Sequence[Any], b: Sequence[Any], k: int) -> Any:
    """The coefficient of t**k of a product."""
    total: Any = Fraction(0)
    for i in range(k + 1):
        total = _op["add"](total, _op["mul"](a[i], b[k - i]))
    return total


def at_zero(x: Series) -> Any:
    if x.coefficients and x.valuation < 0:
        raise Undecided()
    return x.at(0)


def unless_constant(function: Callable[[Series], Series], name: str) -> Callable[[Series], Series]:
    """Exact where the argument is a constant."""

    def rule(x: Series) -> Series:
        if x.exact and (not x.coefficients or (x.valuation == 0 and len(x.coefficients) == 1)):
            return constant(_op[name](x.at(0)))
        return function(x)

    return rule


def exp(x: Series) -> Series:
    """exp(x(0)) * exp(x - x(0)): so the terms do not carry the one number into each other."""

    def rates(slope: list[Any], found: list[list[Any]]) -> list[Any]:
        return [_coefficient(slope, found[0], len(found[0]) - 1)]

    start = _op["exp"](at_zero(x))
    return scale(_taylor(x, rates, [Fraction(1)])[0], start)


def rotation(x: Series, turn: int, names: tuple[str, str]) -> tuple[Series, Series]:
    """(sin, cos) with turn -1, (sinh, cosh) with turn 1."""
    start = at_zero(x)

    def rates(slope: list[Any], found: list[list[Any]]) -> list[Any]:
        k = len(found[0]) - 1
        return [
            _coefficient(slope, found[1], k),
            _op["mul"](Fraction(turn), _coefficient(slope, found[0], k)),
        ]

    first, second = _taylor(x, rates, [_op[names[0]](start), _op[names[1]](start)])
    return first, second


def composed(x: Series, taylor: Callable[[int], Sequence[Any]]) -> Series:
    """f(x), from the first coefficients of f at the value of x: so many as are asked for."""
    count = TERMS if x.exact else max(x.precision, 1)
    steps = [(k, x.at(k)) for k in range(1, count) if x.at(k) != 0]
    total: list[Any] = [Fraction(0)] * count
    for coefficient in reversed(taylor(count)):
        following: list[Any] = [coefficient, *[Fraction(0)] * (count - 1)]
        for k, step in steps:
            for place, known in enumerate(total[: count - k]):
                if known != 0:
                    following[place + k] = _op["add"](following[place + k], _op["mul"](known, step))
        total = following
    return normal(0, total, False)


def integral(x: Series, rate: Series, start: Any) -> Series:
    """start + the integral of rate * x' from 0."""
    slope = normal(
        x.valuation - 1,
        [_op["mul"](c, Fraction(x.valuation + k)) for k, c in enumerate(x.coefficients)],
        x.exact,
    )
    product = mul(rate, slope)
    if is_zero(product):
        return constant(start)
    if product.valuation < 0:
        raise Undecided()
    terms = [_op["div"](c, Fraction(product.valuation + k + 1)) for k, c in enumerate(product.coefficients)]
    moved = Series(product.valuation + 1, tuple(terms), product.exact)
    return add(constant(start), moved)


ONE = constant(Fraction(1))


def power(x: Series, exponent: Fraction) -> Series:
    """x**exponent for a rational exponent. Raises Undecided for a half power of t, and for a fraction where x < 0."""
    if exponent == 0:
        return ONE
    if exponent.denominator == 1 and abs(exponent) <= 64:
        out = ONE
        for _ in range(abs(int(exponent))):
            out = mul(out, x)
        return out if exponent > 0 else div(ONE, out)
    if is_zero(x):
        if exponent < 0:
            raise Undecided()
        return x
    shift = x.valuation * exponent
    if shift.denominator != 1:
        raise Undecided()
    if sign(x) < 0:
        raise Undecided()
    lead = x.coefficients[0]
    if x.exact and len(x.coefficients) == 1:
        return normal(int(shift), [_op["pow"](lead, exponent)], True)
    count = TERMS if x.exact else len(x.coefficients)
    out_terms = [_op["pow"](lead, exponent)]
    for k in range(1, count):
        total: Any = Fraction(0)
        for j in range(1, min(k, len(x.coefficients) - 1) + 1):
            factor = exponent * j - (k - j)
            term = _op["mul"](_op["mul"](factor, x.coefficients[j]), out_terms[k - j])
            total = _op["add"](total, term)
        out_terms.append(_op["div"](total, _op["mul"](lead, Fraction(k))))
    return normal(int(shift), out_terms, False)
