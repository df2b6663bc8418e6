"""Operations: name of an elementwise primitive -> the function on exact numbers.

Each takes and returns `Exact`, exactly at finite arguments; `OPERATIONS` has the names of primitives.TABLE.
Values at infinity and outside the domain are those of IEEE 754 and C99, with one zero instead of two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from cfcompiler.balls import Sign
from cfcompiler.numbers import (
    MAX_COEFFICIENT_BITS,
    ONE,
    ZERO,
    Exact,
    Finite,
    TooLarge,
    Undecided,
    add,
    compare,
    decided,
    div,
    expression,
    integer_below,
    is_deep,
    is_special,
    mul,
    neg,
    power,
    raised,
    settled,
    sub,
    verified,
)
from cfcompiler.signs import split_log

if TYPE_CHECKING:
    import sympy

HALF, TWO = Fraction(1, 2), Fraction(2)


@dataclass(frozen=True, slots=True)
class Elementary:
    """A function of one argument: nan outside its domain; an empty cell is what the expression gives."""

    build: Callable[[Any, Any], Any]  # from the module sympy and the argument
    minus_infinity: str
    zero: str
    plus_infinity: str
    lowest: int | None = None
    highest: int | None = None


# fmt: off
ELEMENTARY = {
    #                     build                               -inf    0       inf    domain
    "exp":      Elementary(lambda s, x: s.exp(x),             "0",    "1",    "inf"),
    "expm1":    Elementary(lambda s, x: s.exp(x) - 1,         "-1",   "0",    "inf"),
    "log":      Elementary(lambda s, x: s.log(x),             "nan",  "-inf", "inf", 0),
    "sin":      Elementary(lambda s, x: s.sin(x),             "nan",  "0",    "nan"),
    "cos":      Elementary(lambda s, x: s.cos(x),             "nan",  "1",    "nan"),
    "tan":      Elementary(lambda s, x: s.tan(x),             "nan",  "0",    "nan"),
    "asin":     Elementary(lambda s, x: s.asin(x),            "nan",  "0",    "nan", -1, 1),
    "acos":     Elementary(lambda s, x: s.acos(x),            "nan",  "",     "nan", -1, 1),
    "atan":     Elementary(lambda s, x: s.atan(x),            "",     "0",    ""),
    "sinh":     Elementary(lambda s, x: s.sinh(x),            "-inf", "0",    "inf"),
    "cosh":     Elementary(lambda s, x: s.cosh(x),            "inf",  "1",    "inf"),
    "tanh":     Elementary(lambda s, x: s.tanh(x),            "-1",   "0",    "1"),
    "asinh":    Elementary(lambda s, x: s.asinh(x),           "-inf", "0",    "inf"),
    "acosh":    Elementary(lambda s, x: s.acosh(x),           "nan",  "nan",  "inf", 1),
    "atanh":    Elementary(lambda s, x: s.atanh(x),           "nan",  "0",    "nan", -1, 1),
    "sigmoid":  Elementary(lambda s, x: 1/(1 + s.exp(-x)),    "0",    "1/2",  "1"),
    "softplus": Elementary(lambda s, x: s.log(1 + s.exp(x)),  "0",    "",     "inf"),
    "erf":      Elementary(lambda s, x: s.erf(x),             "-1",   "0",    "1"),
    "erfc":     Elementary(lambda s, x: s.erfc(x),            "2",    "1",    "0"),
}
# fmt: on


class _SymbolicFunctions:
    """The functions of SymPy under their names; simplified where that is quick and right."""

    def __getattr__(self, name: str) -> Callable[[sympy.Expr], Any]:
        import sympy

        plain = partial(getattr(sympy, name), evaluate=False)
        simplified = _log if name == "log" else getattr(sympy, name)
        deep = _exp_of_deep if name == "exp" else plain
        return lambda x: deep(x) if is_deep(x) else verified(simplified(x), plain(x))


def _exp_of_deep(x: sympy.Expr) -> sympy.Expr:
    """exp(a + k*log(b)) as exp(a)*b**k for whole numbers k, by its form alone: no sign is asked for."""
    from sympy import Add, Integer, Mul, exp

    left: list[sympy.Expr] = []
    powers: list[sympy.Expr] = []
    for term in Add.make_args(x):
        weight, factor = term.as_coeff_Mul()
        if factor.func.__name__ == "log" and isinstance(weight, Integer):
            powers.append(raised(factor.args[0], weight))
        else:
            left.append(term)
    if not powers:
        return exp(x, evaluate=False)
    return Mul(_SymbolicFunctions().exp(Add(*left)), *powers)


def _log(x: sympy.Expr) -> sympy.Expr:
    """The logarithm with powers taken out: log(8) is 3*log(2)."""
    from sympy import log, perfect_power

    if not x.is_Rational:
        return split_log(x)
    if x.q != 1:
        return log(x) if x.p != 1 else -_log(1 / x)
    found: Any = perfect_power(x.p) if x.p > 1 else False
    return found[1] * log(found[0]) if found else log(x)


def elementary(name: str, x: Exact) -> Exact:
    row = ELEMENTARY[name]
    if x == "nan":
        return "nan"
    if x == ZERO:
        return _cell(row, row.zero, ZERO)
    if is_special(x):
        return _cell(row, row.plus_infinity if x == "inf" else row.minus_infinity, x)
    for end, outside in ((row.lowest, -1), (row.highest, 1)):
        if end is not None and _ordered(x, Fraction(end)) == outside:
            return "nan"
    return _built(row, x)


def _cell(row: Elementary, text: str, x: Exact) -> Exact:
    if text == "nan" or text == "inf" or text == "-inf":
        return text
    if text:
        return Fraction(text)
    import sympy

    end = {"inf": sympy.oo, "-inf": -sympy.oo}[x] if is_special(x) else sympy.Integer(0)
    return settled(row.build(sympy, end))


def _built(row: Elementary, x: Finite) -> Exact:
    from sympy import oo, zoo

    argument = expression(x)
    _check_collapse(argument)
    value = row.build(_SymbolicFunctions(), argument)
    if value in (oo, -oo, zoo):  # atanh(1); a pole such as tan(pi/2), which has no sign, counts as inf
        return "-inf" if value == -oo else "inf"
    return settled(value)


def _check_collapse(argument: sympy.Expr) -> None:
    """exp(k*log(2)) is 2**k: refuse before SymPy writes it out."""
    for term in argument.args if argument.is_Add else (argument,):
        weight, factor = term.as_coeff_Mul()
        inner = factor.args[0] if factor.func.__name__ == "log" else None
        if inner is not None and inner.is_Rational:
            bits = max(int(inner.p).bit_length(), int(inner.q).bit_length())
            if bits * abs(weight) > MAX_COEFFICIENT_BITS:
                raise TooLarge(f"an exact power of more than {MAX_COEFFICIENT_BITS} bits")


def _ordered(x: Exact, y: Exact) -> Sign:
    found = compare(x, y)
    if found is None or found == "unordered":
        raise Undecided(f"the order of {str(x)[:200]} and {str(y)[:200]} could not be decided")
    return found


def log1p(x: Exact) -> Exact:
    return elementary("log", add(ONE, x))


def log2(x: Exact) -> Exact:
    return div(elementary("log", x), elementary("log", TWO))


def log10(x: Exact) -> Exact:
    return div(elementary("log", x), elementary("log", Fraction(10)))


def sqrt(x: Exact) -> Exact:
    return "nan" if x == "-inf" else power(x, HALF)


def cbrt(x: Exact) -> Exact:
    third = Fraction(1, 3)
    return neg(power(neg(x), third)) if x != "nan" and decided(x) < 0 else power(x, third)


def logaddexp(x: Exact, y: Exact) -> Exact:
    if x == "nan" or y == "nan":
        return "nan"
    if x == "-inf" or y == "inf":
        return y
    if y == "-inf" or x == "inf":
        return x
    return add(x, elementary("softplus", sub(y, x)))


def atan2(y: Exact, x: Exact) -> Exact:
    if x == "nan" or y == "nan":
        return "nan"
    if is_special(x) and is_special(y):
        quarters = 1 if x == "inf" else 3
        return mul(_pi(quarters, 4), Fraction(decided(y)))
    below = -1 if decided(y) < 0 else 1
    if is_special(y) or decided(x) == 0:
        return mul(_pi(1, 2), Fraction(decided(y)))
    turn = ZERO if decided(x) > 0 else _pi(below, 1)
    return add(elementary("atan", div(y, x)), turn)


def _pi(numerator: int, denominator: int) -> Exact:
    from sympy import Rational, pi

    return settled(Rational(numerator, denominator) * pi)


def sign_step(x: Exact) -> Exact:
    return x if x == "nan" else Fraction(decided(x))


def heaviside(x: Exact, y: Exact) -> Exact:
    if x == "nan":
        return "nan"
    return {-1: ZERO, 0: y, 1: ONE}[decided(x)]


def floor(x: Exact) -> Exact:
    return x if is_special(x) else Fraction(integer_below(x))


def ceil(x: Exact) -> Exact:
    return neg(floor(neg(x)))


def trunc(x: Exact) -> Exact:
    if is_special(x):
        return x
    return floor(x) if decided(x) >= 0 else ceil(x)


def round_half_even(x: Exact) -> Exact:
    if is_special(x):
        return x
    shifted = add(x, HALF)
    above = integer_below(shifted)
    tied = above % 2 == 1 and _ordered(shifted, Fraction(above)) == 0
    return Fraction(above - 1 if tied else above)


def fmod(x: Exact, y: Exact) -> Exact:
    """What is left of x after taking off y towards zero: the sign is that of x."""
    return _left(x, y, trunc)


def remainder(x: Exact, y: Exact) -> Exact:
    """What is left of x after taking off y downwards: the sign is that of y."""
    left = _left(x, y, floor)
    if is_special(y) and not is_special(left) and decided(left) * decided(y) < 0:
        return y
    return left


def _left(x: Exact, y: Exact, whole: Callable[[Exact], Exact]) -> Exact:
    if x == "nan" or y == "nan" or is_special(x) or (not is_special(y) and decided(y) == 0):
        return "nan"
    return x if is_special(y) else sub(x, mul(y, whole(div(x, y))))


OPERATIONS: dict[str, Callable[..., Exact]] = {
    "add": add,
    "sub": sub,
    "mul": mul,
    "div": div,
    "neg": neg,
    "ipow": power,  # the exponent is the attribute n of the primitive
    "rpow": power,
    "pow": power,
    **{name: partial(elementary, name) for name in ELEMENTARY},
    "log1p": log1p,
    "log2": log2,
    "log10": log10,
    "sqrt": sqrt,
    "cbrt": cbrt,
    "atan2": atan2,
    "logaddexp": logaddexp,
    "sign": sign_step,
    "heaviside": heaviside,
    "floor": floor,
    "ceil": ceil,
    "round": round_half_even,
    "trunc": trunc,
    "fmod": fmod,
    "remainder": remainder,
}
