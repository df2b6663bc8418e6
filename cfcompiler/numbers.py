"""Numbers: exact reals with the special values of IEEE arithmetic, their order, sums and powers.

An `Exact` is a Fraction, one of the strings "nan", "inf", "-inf", or a SymPy constant that is not known to be
rational, roots of polynomials among them. Operations follow IEEE 754 at special values, so 0*inf, inf - inf and
sqrt(-1) are nan, log(0) is -inf, and finite arithmetic is exact. There is no signed zero: 1/0 is inf, and so is a pole
such as tan(pi/2).
Functions are in operations.py, texts in number_text.py.

Two exceptions say that an answer is out of reach: `TooLarge` (the bit budget, or the size of an expression)
and `Undecided` (the operation depends on a sign that could not be proved). SymPy is imported where the first
irrational number is made.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf, isinf, isnan, nan
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeGuard

import flint

from cfcompiler.balls import FIRST_BITS, Sign, ball, bounds, depth
from cfcompiler.number_fields import normal_form
from cfcompiler.signs import rational_value, sign_of

if TYPE_CHECKING:
    import sympy

Special: TypeAlias = Literal["nan", "inf", "-inf"]
Exact: TypeAlias = "Fraction | Special | sympy.Expr"
Finite: TypeAlias = "Fraction | sympy.Expr"
Ordering: TypeAlias = "Sign | Literal['unordered'] | None"

MAX_BITS = 100_000  # of a rational's numerator and denominator: one operation stays below some 10 ms
MAX_COEFFICIENT_BITS = 4096  # of a rational inside an expression, where SymPy looks for factors
CHECK_BITS = 128
MAX_NODES = 1000
MAX_DEPTH = 100  # SymPy recurses over expressions
SIMPLE_DEPTH = (
    6  # SymPy simplifies up to here: its constructors ask for signs, in time exponential in the depth
)
MOST_FLOAT_BITS = 4096

ZERO, ONE = Fraction(0), Fraction(1)


class Undecided(ArithmeticError):
    """What exact arithmetic could not decide: `reason`, and the `instruction` of a program where it happened."""

    def __init__(self, reason: str = "the sign could not be decided", instruction: Any = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.instruction = instruction


class TooLarge(Undecided):
    """The exact result exceeds the budget."""


def is_special(x: Exact) -> TypeGuard[Special]:
    return isinstance(x, str)


def sign(x: Exact) -> Sign | None:
    """None when no proof was found; ValueError for nan, which has no sign."""
    if x == "nan":
        raise ValueError("nan has no sign")
    if is_special(x):
        return 1 if x == "inf" else -1
    if isinstance(x, Fraction):
        return _order(x.numerator, 0)
    return sign_of(x)


def compare(x: Exact, y: Exact) -> Ordering:
    if x == "nan" or y == "nan":
        return "unordered"
    if is_special(x) or is_special(y):
        return _order(_end(x), _end(y))
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return _order(x, y)
    return sign_of(expression(x) - expression(y))


def _order(x: Fraction | int, y: Fraction | int) -> Sign:
    if x == y:
        return 0
    return 1 if x > y else -1


def _end(x: Exact) -> int:
    return {"inf": 1, "-inf": -1}.get(x, 0) if is_special(x) else 0


def from_float(x: float) -> Exact:
    if isnan(x):
        return "nan"
    if isinf(x):
        return "inf" if x > 0 else "-inf"
    return Fraction(x)


def to_float(x: Exact) -> float:
    """The nearest float64; correctly rounded unless the number is an unproved zero or tie of two floats."""
    if is_special(x):
        return {"nan": nan, "inf": inf, "-inf": -inf}[x]
    if isinstance(x, Fraction):
        return _nearest_float(x)
    bits = 80
    while bits <= MOST_FLOAT_BITS:
        ends = _float_ends(x, bits)
        if ends is not None and ends[0] == ends[1]:
            return ends[0]
        bits *= 2
    return _enormous_float(x) if ends is None else (ends[0] + ends[1]) / 2


def _float_ends(x: sympy.Expr, bits: int) -> tuple[float, float] | None:
    enclosure = ball(x, bits)
    if not enclosure.is_finite():
        return None
    with flint.ctx.workprec(bits):
        return _arb_float(enclosure.lower()), _arb_float(enclosure.upper())


def _enormous_float(x: sympy.Expr) -> float:
    """For numbers beyond the exponents of balls, such as exp(exp(exp(100)))."""
    weight, factor = x.as_coeff_Mul()
    exponent = to_float(factor.args[0]) if factor.func.__name__ == "exp" else nan
    if not isinf(exponent):
        raise Undecided(f"the size of {str(x)[:200]} could not be decided")
    return 0.0 if exponent < 0 else inf if weight > 0 else -inf


def _arb_float(end: flint.arb) -> float:
    mantissa, exponent = (int(part) for part in end.man_exp())
    size = mantissa.bit_length() + exponent
    if size > 1100:
        return inf if mantissa > 0 else -inf
    if size < -1100:
        return 0.0
    return _nearest_float(Fraction(mantissa) * Fraction(2) ** exponent)


def _nearest_float(x: Fraction) -> float:
    try:
        return x.numerator / x.denominator
    except OverflowError:
        return inf if x > 0 else -inf


def expression(x: Finite) -> sympy.Expr:
    if not isinstance(x, Fraction):
        return x
    from sympy import Rational

    return Rational(*_bounded(x, MAX_COEFFICIENT_BITS).as_integer_ratio())


def _bounded(x: Fraction, bits: int) -> Fraction:
    if max(x.numerator.bit_length(), x.denominator.bit_length()) > bits:
        raise TooLarge(f"an exact number of more than {bits} bits")
    return x


def is_deep(value: sympy.Expr) -> bool:
    return depth(value, SIMPLE_DEPTH + 1) > SIMPLE_DEPTH


def raised(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    from sympy import Pow

    plain = Pow(base, exponent, evaluate=False)
    return plain if is_deep(base) else verified(Pow(base, exponent), plain)


def verified(simplified: sympy.Expr, plain: sympy.Expr) -> sympy.Expr:
    """SymPy simplifies by signs that it finds with floats, and errs on tiny numbers: balls must agree."""
    from sympy import I, oo, zoo

    if simplified in (oo, -oo, zoo):
        return simplified
    if simplified.has(I):  # a power split over factors of the wrong sign
        return plain
    return simplified if ball(simplified, CHECK_BITS).overlaps(ball(plain, CHECK_BITS)) else plain


def settled(value: sympy.Expr) -> Finite:
    """The number as a Fraction where it is provably rational."""
    if value.is_Rational:
        return _bounded(Fraction(int(value.p), int(value.q)), MAX_BITS)
    _check_size(value)
    normal = normal_form(value)
    if normal is not value:
        _check_size(normal)
    found = rational_value(normal)
    return normal if found is None else found


def _check_size(value: sympy.Expr) -> None:
    left = MAX_NODES
    level = [value]
    for _ in range(MAX_DEPTH):
        left -= len(level)
        if not level or left < 0:
            break
        for node in level:
            if node.is_Rational:
                _bounded(Fraction(int(node.p), int(node.q)), MAX_COEFFICIENT_BITS)
        level = [argument for node in level for argument in node.args]
    if level:
        raise TooLarge(f"an exact number of more than {MAX_NODES} nodes or {MAX_DEPTH} levels")


def decided(x: Finite) -> Sign:
    found = sign(x)
    if found is None:
        raise Undecided(f"the sign of {str(x)[:200]} could not be decided")
    return found


def add(x: Exact, y: Exact) -> Exact:
    if is_special(x) or is_special(y):
        return _special_sum(x, y)
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return _bounded(x + y, MAX_BITS)
    return settled(expression(x) + expression(y))


def _special_sum(x: Exact, y: Exact) -> Exact:
    if x == "nan" or y == "nan" or _end(x) * _end(y) < 0:
        return "nan"
    return x if is_special(x) else y


def neg(x: Exact) -> Exact:
    if is_special(x):
        return {"nan": "nan", "inf": "-inf", "-inf": "inf"}[x]
    return -x if isinstance(x, Fraction) else -expression(x)


def sub(x: Exact, y: Exact) -> Exact:
    return add(x, neg(y))


def mul(x: Exact, y: Exact) -> Exact:
    if is_special(x) or is_special(y):
        return "nan" if x == "nan" or y == "nan" else infinity(decided(x) * decided(y))
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return _bounded(x * y, MAX_BITS)
    return settled(expression(x) * expression(y))


def infinity(direction: int) -> Special:
    if direction == 0:
        return "nan"
    return "inf" if direction > 0 else "-inf"


def div(x: Exact, y: Exact) -> Exact:
    if x == "nan" or y == "nan":
        return "nan"
    if is_special(y):
        return "nan" if is_special(x) else ZERO
    below = decided(y)
    if is_special(x):
        return infinity(decided(x) * (below or 1))
    if below == 0:
        return infinity(decided(x))
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return _bounded(x / y, MAX_BITS)
    return settled(expression(x) * raised(expression(y), expression(-ONE)))


def power(x: Exact, y: Exact) -> Exact:
    """As pow of C99: x**0 and 1**y are 1 even for nan, and a negative base needs an integer exponent."""
    if y == 0 or x == 1:
        return ONE
    if x == "nan" or y == "nan":
        return "nan"
    if is_special(y):
        return _power_at_infinity(x, y)
    if is_special(x):
        return _power_of_infinity(x, y)
    base, exponent = decided(x), decided(y)
    if exponent == 0:
        return ONE
    if base == 0:
        return ZERO if exponent > 0 else "inf"
    if isinstance(y, Fraction) and y.denominator == 1:
        return _integer_power(x, y.numerator)
    if base < 0:
        return _negative_power(x, y)
    return _root_power(x, y) if isinstance(y, Fraction) else settled(raised(expression(x), expression(y)))


def _negative_power(x: Finite, y: Finite) -> Exact:
    whole = integer_below(y)
    if compare(y, Fraction(whole)) != 0:  # decided: integer_below raises where this would be None
        return "nan"
    return _integer_power(x, whole)


def _power_at_infinity(x: Exact, y: Special) -> Exact:
    against_one = compare(absolute(x), ONE)
    if against_one is None:
        raise Undecided("whether the base of an infinite power is 1 could not be decided")
    if against_one == 0:
        return ONE
    return "inf" if (against_one == 1) == (y == "inf") else ZERO


def _power_of_infinity(x: Special, y: Finite) -> Exact:
    if decided(y) < 0:
        return ZERO
    odd = isinstance(y, Fraction) and y.denominator == 1 and y.numerator % 2 == 1
    return "-inf" if x == "-inf" and odd else "inf"


def absolute(x: Exact) -> Exact:
    return x if x == "nan" or decided(x) >= 0 else neg(x)


def _integer_power(x: Finite, n: int) -> Exact:
    _check_power(x, n, ONE)
    if isinstance(x, Fraction):
        return x**n
    return settled(raised(expression(x), expression(Fraction(n))))


def _check_power(x: Finite, n: int, divisor: Fraction) -> None:
    from_bits = _coefficient_bits(x)
    budget = MAX_BITS if isinstance(x, Fraction) and divisor == 1 else MAX_COEFFICIENT_BITS
    if from_bits * abs(n) > budget * divisor:
        raise TooLarge(f"an exact power of more than {budget} bits")


def _coefficient_bits(x: Finite) -> int:
    """Bits that a power multiplies: none for 0, 1, -1, and none for constants such as pi."""
    if isinstance(x, Fraction):
        return max(abs(x.numerator), x.denominator).bit_length() - (abs(x.numerator) == x.denominator)
    if x.is_Rational:
        return _coefficient_bits(Fraction(int(x.p), int(x.q)))
    if x.is_Mul:
        return sum(_coefficient_bits(factor) for factor in x.args)
    return _coefficient_bits(x.args[0]) if x.is_Pow else 0


def _root_power(x: Finite, y: Fraction) -> Exact:
    if isinstance(x, Fraction):
        roots = _exact_root(x.numerator, y.denominator), _exact_root(x.denominator, y.denominator)
        if roots[0] is not None and roots[1] is not None:
            return _integer_power(Fraction(roots[0], roots[1]), y.numerator)
    _check_power(x, y.numerator, Fraction(y.denominator))
    return settled(raised(expression(x), expression(y)))


def _exact_root(x: int, degree: int) -> int | None:
    if x <= 1 or degree >= x.bit_length():
        return x if x <= 1 else None
    found = int(flint.fmpz(x).root(degree))
    return found if found**degree == x else None


def integer_below(x: Finite) -> int:
    """The floor; Undecided next to an integer that the number is not proved to equal or to miss."""
    if isinstance(x, Fraction):
        return x.numerator // x.denominator
    bits = 2 * FIRST_BITS
    while bits <= MAX_COEFFICIENT_BITS:
        ends = bounds(x, bits)
        if ends is not None and ends[1] - ends[0] < 1:
            return _between(x, *ends)
        bits *= 2
    raise TooLarge(f"the integer part of a number of more than {MAX_COEFFICIENT_BITS} bits")


def _between(x: sympy.Expr, lower: Fraction, upper: Fraction) -> int:
    below, above = lower.__floor__(), upper.__floor__()
    if below == above:
        return below
    return above if decided(expression(x) - expression(Fraction(above))) >= 0 else below
