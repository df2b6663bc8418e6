"""Numbers that depend on infinitely small ones: power series with exact coefficients, as a generated module carries them.

Each function is written as it stands in the module, like point_functions.py. A comparison has the sign of the first
term that is not 0; coefficients are Fractions as long as all arithmetic is rational, floats after that. What is
written twice is one object, so that its difference is 0 for certain. arc_functions.py runs programs on them.
Source: power series as in analyses/series.py; Griewank & Walther 2008, chapter 13, for the recurrences.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

# Known terms of a series that is not a polynomial, and which power of t the point moves by: tried one after the other.
_TERMS = ((3, 1), (12, 1), (36, 6))  # the last for roots of what vanishes
_READ = {float(n): Fraction(n) for n in (-1, 0, 1, 2)} | {0.5: Fraction(1, 2)}
_LONGEST = 120  # terms of a polynomial; what is longer is cut there


class _Arc:
    """t**low * (terms[0] + terms[1] t + ...), t > 0 infinitely small; the whole of it if `exact`, else its beginning.

    Terms are numbers or arcs of a lower level, whose t is infinitely larger. `why`: the reason if there is no such series.
    """

    __slots__ = ("exact", "level", "low", "run", "terms", "why")

    def __init__(self, run: Any, level: int, low: int, terms: Any, exact: bool, why: str = "") -> None:
        self.run, self.level, self.low, self.terms, self.exact, self.why = run, level, low, terms, exact, why

    __add__ = __radd__ = lambda x, y: _once(_plus, x, y)
    __mul__ = __rmul__ = lambda x, y: _once(_times, x, y)
    __sub__, __rsub__ = lambda x, y: _once(_minus, x, y), lambda x, y: _once(_minus, y, x)
    __truediv__, __rtruediv__ = lambda x, y: _once(_over, x, y), lambda x, y: _once(_over, y, x)
    __neg__, __abs__ = lambda x: _once(_times, x, -1), lambda x: x if x >= 0 else -x
    __lt__, __gt__ = lambda x, y: _compared(x, y) < 0, lambda x, y: _compared(x, y) > 0
    __le__, __ge__ = lambda x, y: _compared(x, y) <= 0, lambda x, y: _compared(x, y) >= 0
    __eq__, __ne__ = lambda x, y: _compared(x, y) == 0, lambda x, y: _compared(x, y) != 0
    __hash__ = object.__hash__


class _Vanishing(ArithmeticError):
    """Something compared is 0 along all the directions in use."""


def _once(function: Callable[..., Any], x: Any, *more: Any) -> Any:
    """function(x, *more), one object for the same operands, so that what is written twice has a difference of 0."""
    operands = [_exactly(y) for y in (x, *more)]
    if all(not isinstance(y, _Arc) for y in operands):
        return function(*operands)
    run = max((y for y in operands if isinstance(y, _Arc)), key=lambda y: y.level).run
    key = [(0, id(y)) if isinstance(y, _Arc) else (1, y) for y in operands]
    name = (function, frozenset(key) if function in (_plus, _times) else tuple(key))
    if name not in run["known"]:
        # the operands are kept, and so are their ids
        run["known"][name] = (function(*operands), operands)
    return run["known"][name][0]


def _remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function as the program calls it: at numbers the result is an arc too, so that nothing raises later."""

    def called(*operands: Any) -> Any:
        y = _once(function, *operands)
        if isinstance(y, _Arc):
            return y
        return _arc({"final": True, "known": {}, "terms": 3}, 0, 0, [y], True)

    return called


def _exactly(y: Any) -> Any:
    """A number as it is written: 0.1 is 1/10."""
    if isinstance(y, _Arc | Fraction):
        return y
    if y in _READ:
        return _READ[y]
    y = float(y)
    return Fraction(repr(y)) if math.isfinite(y) else y


def _is_zero(x: Any) -> bool:
    return x.exact and not x.terms and not x.why if isinstance(x, _Arc) else x == 0


def _nowhere(like: Any, why: str) -> Any:
    """No number: what would be computed with it is none either, unless it is multiplied by 0 or not selected."""
    run = like.run if isinstance(like, _Arc) else {"final": True, "known": {}, "terms": 3}
    return _Arc(run, 0, 0, (), True, why)


def _arc(run: Any, level: int, low: int, terms: Any, exact: bool) -> Any:
    """The arc with these terms: 0 in front removed."""
    terms = list(terms)
    for c in terms:
        if isinstance(c, _Arc) and c.why:
            return _Arc(run, 0, 0, (), True, c.why)
        if isinstance(c, float) and not math.isfinite(c):
            return _Arc(run, 0, 0, (), True, "a number is too large")
    start = 0
    while start < len(terms) and _is_zero(terms[start]):
        start += 1
    terms = terms[start:]
    while exact and terms and _is_zero(terms[-1]):
        terms.pop()
    if exact and len(terms) > _LONGEST:
        terms, exact = terms[:_LONGEST], False
    return _Arc(run, level, low + start if terms or not exact else 0, tuple(terms), exact)


def _aligned(x: Any, y: Any) -> tuple[Any, int, Any, Any]:
    """The run and the level of two operands, and (low, terms, exact) of each on it."""
    level = max(a.level for a in (x, y) if isinstance(a, _Arc))
    run = next(a.run for a in (x, y) if isinstance(a, _Arc) and a.level == level)
    parts = [
        (a.low, a.terms, a.exact)
        if isinstance(a, _Arc) and a.level == level
        else (0, () if _is_zero(a) else (a,), True)
        for a in (x, y)
    ]
    return run, level, parts[0], parts[1]


def _without(x: Any, y: Any) -> Any:
    """The operand that is no number, or None."""
    for a in (x, y):
        if isinstance(a, _Arc) and a.why:
            return a
        if isinstance(a, float) and not math.isfinite(a):
            return _nowhere(x if isinstance(x, _Arc) else y, "inf or NaN is computed with")
    return None


def _plus(x: Any, y: Any) -> Any:
    if not isinstance(x, _Arc) and not isinstance(y, _Arc):
        return x + y
    if none := _without(x, y):
        return none
    if _is_zero(x) or _is_zero(y):
        return y if _is_zero(x) else x
    run, level, a, b = _aligned(x, y)
    ends = [low + len(terms) for low, terms, _ in (a, b)]
    cuts = [end for end, part in zip(ends, (a, b), strict=True) if not part[2]]
    low, high = min(a[0], b[0]), min(cuts) if cuts else max(ends)
    sums = []
    for k in range(low, high):
        pair = [part[1][k - part[0]] for part in (a, b) if 0 <= k - part[0] < len(part[1])]
        sums.append(_plus(*pair) if len(pair) == 2 else pair[0] if pair else Fraction(0))
    return _arc(run, level, low if sums else high, sums, not cuts)


def _minus(x: Any, y: Any) -> Any:
    return Fraction(0) if x is y else _plus(x, _times(y, Fraction(-1)))


def _times(x: Any, y: Any) -> Any:
    if not isinstance(x, _Arc) and not isinstance(y, _Arc):
        return x * y
    if _is_zero(x) or _is_zero(y):
        return Fraction(0)
    if none := _without(x, y):
        return none
    run, level, a, b = _aligned(x, y)
    known = [len(terms) for _, terms, exact in (a, b) if not exact]
    count = min(known) if known else len(a[1]) + len(b[1]) - 1
    sums: list[Any] = [Fraction(0)] * count
    for i, p in enumerate(a[1][:count]):
        for j, q in enumerate(b[1][: count - i]):
            sums[i + j] = _plus(sums[i + j], _times(p, q))
    return _arc(run, level, a[0] + b[0], sums, not known)


def _over(x: Any, y: Any) -> Any:
    if _is_zero(x) and isinstance(y, _Arc) and (not isinstance(x, _Arc) or x.level == 0):
        return Fraction(0)  # a cotangent that is blocked
    if _is_zero(y):
        return _nowhere(x if isinstance(x, _Arc) else y, "a division by 0")
    if not isinstance(x, _Arc) and not isinstance(y, _Arc):
        return x / y
    if none := _without(x, y):
        return none
    if _is_zero(x):
        return Fraction(0)
    run, level, a, b = _aligned(x, y)
    if not b[1]:
        return _nowhere(y, f"a divisor that vanishes to order {b[0]}")
    both = a[2] and b[2]
    whole = len(a[1]) - len(b[1]) + 1 if both else 0
    count = (
        max(run["terms"], whole)
        if both
        else min(run["terms"], *(len(part[1]) for part in (a, b) if not part[2]))
    )
    found: list[Any] = []
    for k in range(count):
        rest = a[1][k] if k < len(a[1]) else Fraction(0)
        for j in range(1, min(k, len(b[1]) - 1) + 1):
            rest = _plus(rest, _times(Fraction(-1), _times(b[1][j], found[k - j])))
        found.append(_over(rest, b[1][0]))
    # a quotient of polynomials that comes out even ends where it must
    ends = both and whole > 0 and all(_is_zero(c) for c in found[whole : whole + len(b[1])])
    return _arc(run, level, a[0] - b[0], found[:whole] if ends else found, ends)


def _raised(x: Any, n: Any) -> Any:
    """x**n."""
    if isinstance(n, _Arc) and n.level == 0 and not n.why:
        n = n.terms[0] if n.terms else 0
    if isinstance(n, _Arc):
        return _exp_arc(n * _log_arc(x))
    n = Fraction(n)
    if n.denominator == 1 and 0 <= n <= _LONGEST:
        product: Any = Fraction(1)
        for _ in range(int(n)):
            product = _times(product, x)
        return product
    if not isinstance(x, _Arc):
        return _root(x, n)
    if x.why:
        return x
    if n.denominator == 1 and n < 0:
        return _over(Fraction(1), _raised(x, -n))
    if not x.terms or (x.low * n).denominator != 1:
        return Fraction(0) if _is_zero(x) and n > 0 else _nowhere(x, f"a power of {n} at 0")
    found: list[Any] = [_raised(x.terms[0], n)]
    single = x.exact and len(x.terms) == 1
    for k in range(1, 1 if single else x.run["terms"] if x.exact else len(x.terms)):
        total: Any = Fraction(0)
        for j in range(1, min(k, len(x.terms) - 1) + 1):
            total = _plus(total, _times(n * j - (k - j), _times(x.terms[j], found[k - j])))
        found.append(_over(total, _times(Fraction(k), x.terms[0])))
    return _arc(x.run, x.level, int(x.low * n), found, single)


def _root(x: Any, n: Any) -> Any:
    """A number to a broken power: exact where it is rational."""
    if x < 0 or (x == 0 and n < 0):
        return _nowhere(x, f"a power of {n} at {float(x)}")
    if isinstance(x, Fraction):
        roots = [round(part ** (1 / n.denominator)) for part in (x.numerator, x.denominator)]
        if [root**n.denominator for root in roots] == [x.numerator, x.denominator]:
            return Fraction(roots[0], roots[1]) ** n.numerator
    return float(x) ** float(n)


def _compared(x: Any, y: Any) -> int:
    """The sign of x - y."""
    if x is y:
        return 0
    if isinstance(y, float) and math.isinf(y):
        return -1 if y > 0.0 else 1
    return _sign_arc(_once(_minus, x, y))


def _sign_arc(x: Any) -> int:
    if not isinstance(x, _Arc):
        if x != x:
            raise ArithmeticError("NaN is compared")
        return int(x > 0) - int(x < 0)
    if x.why:
        raise ArithmeticError(f"{x.why} decides a comparison")
    if x.terms:
        return _sign_arc(x.terms[0])
    if not x.exact:
        raise ArithmeticError(
            f"the sides of a comparison agree up to order {x.low}, which is all that is known"
        )
    if x.level and not x.run["final"]:
        raise _Vanishing
    return 0


def _head(x: Any) -> Any:
    """The value where t = 0."""
    if x.why:
        return x
    if x.low < 0 or (x.low == 0 and not x.terms):
        return _nowhere(x, "a function at infinity")
    return x.terms[0] if x.low == 0 and x.terms else Fraction(0)


def _at_number(function: Callable[[float], float], x: Any) -> Any:
    """A function at a number: exact where 0 has the value 0 or 1."""
    try:
        y = function(float(x))
    except (ValueError, OverflowError):
        return _nowhere(x, f"{function.__name__} at {float(x)}")
    return Fraction(int(y)) if x == 0 and y in (0.0, 1.0) else y


def _powers(x: Any) -> list[Any]:
    """The terms of 1, t, t**2, ... as far as they are known, or needed."""
    count = x.run["terms"] if x.exact else x.low + len(x.terms)
    return ([Fraction(0)] * x.low + list(x.terms) + [Fraction(0)] * count)[:count]


def _solved(x: Any, starts: list[Any], rates: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """The solutions of y' = rates(y) x', each rate a number times one of the solutions, from their values at t = 0."""
    for start in starts:
        if isinstance(start, _Arc) and start.why:
            return [start] * len(starts)
    a, found = _powers(x), [[start] for start in starts]
    for k in range(1, len(a)):
        sums = []
        for factor, other in rates(found):
            total: Any = Fraction(0)
            for j in range(1, k + 1):
                total = _plus(total, _times(_times(Fraction(factor * j, k), a[j]), other[k - j]))
            sums.append(total)
        for y, total in zip(found, sums, strict=True):
            y.append(total)
    constant = x.exact and not any(not _is_zero(c) for c in a[1:])
    return [_arc(x.run, x.level, 0, y[:1] if constant else y, constant) for y in found]


def _integrated(x: Any, function: Callable[[float], float], rate: Callable[[Any], Any]) -> Any:
    """The function with the derivative `rate`."""
    if not isinstance(x, _Arc):
        return _at_number(function, x)
    head = _head(x)
    start = head if isinstance(head, _Arc) and head.why else _integrated(head, function, rate)
    if isinstance(start, _Arc) and start.why:
        return start
    slope = rate(x)
    if isinstance(slope, _Arc) and slope.why:
        return slope
    a = _powers(x)
    moving = _arc(x.run, x.level, 0, [_times(Fraction(j), c) for j, c in enumerate(a)][1:], x.exact)
    if _is_zero(moving):
        return _arc(x.run, x.level, 0, [start], True)
    area = _times(moving, slope)
    if isinstance(area, _Arc) and (area.why or area.low < 0):
        return area if area.why else _nowhere(x, f"{function.__name__} where its slope is infinite")
    _, _, (low, terms, exact), _ = _aligned(area, x)
    sums = [_over(c, Fraction(low + k + 1)) for k, c in enumerate(terms)]
    return _arc(x.run, x.level, 0, [start, *[Fraction(0)] * low, *sums], exact)


def _exp_arc(x: Any) -> Any:
    if not isinstance(x, _Arc):
        return _at_number(math.exp, x)
    head = _head(x)
    start = head if isinstance(head, _Arc) and head.why else _exp_arc(head)
    return _solved(x, [start], lambda y: [(1, y[0])])[0]


def _log_arc(x: Any) -> Any:
    if not isinstance(x, _Arc):
        return Fraction(0) if x == 1 else _at_number(math.log, x)
    if not x.why and (x.low != 0 or not x.terms):
        return _nowhere(x, "log at 0")
    return _integrated(x, math.log, lambda x: 1 / x) if not _is_one(x) else Fraction(0)


def _is_one(x: Any) -> bool:
    return bool(x.exact and x.low == 0 and x.terms == (1,))


def _floor_arc(x: Any) -> Any:
    """Constant near the point: at an integer, by the side from which the point is reached."""
    if not isinstance(x, _Arc):
        return math.floor(x)
    head = _head(x)
    if isinstance(head, _Arc):
        if head.why:
            return head
        return _floor_arc(head) if head != _floor_arc(head) else _floor_arc(head) - int(x < _floor_arc(head))
    whole = math.floor(head)
    return whole - int(head == whole and x < whole)
