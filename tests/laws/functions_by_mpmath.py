"""The elementary functions a second time, by mpmath and by SymPy's own names: what the laws measure the tables with.

Nothing here is read from the tables of the compiler, so a wrong row there disagrees with what stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import sympy
from mpmath import mp

from cfcompiler.numbers import Exact

mp_pi = mpmath.pi


def _whole(x: Any) -> Any:
    return mpmath.floor(x)


def _cut(x: Any) -> Any:
    return mpmath.floor(x) if x >= 0 else mpmath.ceil(x)


def _nearest(x: Any) -> Any:
    down = mpmath.floor(x)
    rest = x - down
    if rest == mpmath.mpf(1) / 2:
        return down if down % 2 == 0 else down + 1
    return down if rest < mpmath.mpf(1) / 2 else down + 1


def _odd_root(x: Any) -> Any:
    return mpmath.sign(x) * mpmath.root(abs(x), 3)


ONE_ARGUMENT: dict[str, Callable[[Any], Any]] = {
    "neg": lambda x: -x,
    "exp": mpmath.exp,
    "expm1": lambda x: mpmath.exp(x) - 1,
    "log": mpmath.log,
    "log1p": lambda x: mpmath.log(x + 1),
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "log10": lambda x: mpmath.log(x) / mpmath.log(10),
    "sqrt": mpmath.sqrt,
    "cbrt": _odd_root,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "asinh": mpmath.asinh,
    "acosh": mpmath.acosh,
    "atanh": mpmath.atanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "sign": mpmath.sign,
    "floor": _whole,
    "ceil": lambda x: -mpmath.floor(-x),
    "round": _nearest,
    "trunc": _cut,
}
TWO_ARGUMENTS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": mpmath.power,
    "atan2": mpmath.atan2,
    "logaddexp": lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)),
    "fmod": lambda x, y: x - y * _cut(x / y),
    "remainder": lambda x, y: x - y * mpmath.floor(x / y),
    "heaviside": lambda x, y: y if x == 0 else mpmath.mpf(1 if x > 0 else 0),
}
# Smooth functions of one argument as SymPy has them.
SYMBOLIC: dict[str, Callable[[Any], Any]] = {
    "neg": lambda x: -x,
    "exp": sympy.exp,
    "expm1": lambda x: sympy.exp(x) - 1,
    "log": sympy.log,
    "log1p": lambda x: sympy.log(x + 1),
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "sqrt": sympy.sqrt,
    "cbrt": lambda x: x ** sympy.Rational(1, 3),  # where x > 0
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "asin": sympy.asin,
    "acos": sympy.acos,
    "atan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "asinh": sympy.asinh,
    "acosh": sympy.acosh,
    "atanh": sympy.atanh,
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "erf": sympy.erf,
    "erfc": sympy.erfc,
}
SMOOTH = tuple(SYMBOLIC)
STEPS = ("floor", "ceil", "round", "trunc", "sign")
# Rational points inside of the domain, on both sides of 0 where there are two, and 0 where it is inside.
_EVERYWHERE = ("0", "1/3", "-3/4", "2")
INSIDE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("log", "log2", "log10", "sqrt"), ("1", "1/3", "5/2")),
    "log1p": ("0", "-2/3", "5/2"),
    "cbrt": ("1", "1/3", "-5/2"),
    **dict.fromkeys(("asin", "acos", "atanh"), ("0", "1/3", "-3/4")),
    "acosh": ("5/4", "3", "3/2"),
}


def points_inside(name: str) -> tuple[str, ...]:
    return INSIDE.get(name, _EVERYWHERE)


def in_mpmath(value: Exact) -> Any:
    """An exact number to the working precision of mpmath, by SymPy."""
    if isinstance(value, str):
        return mpmath.mpf(value)
    if isinstance(value, Fraction):
        return mpmath.mpf(value.numerator) / value.denominator
    return mpmath.mpmathify(sympy.N(value, mp.dps + 5))


def of_text(text: str) -> Any:
    """The number of a text such as "pi/2" or "1/3", to the working precision."""
    return in_mpmath(sympy.sympify(text)) if "pi" in text or "sqrt" in text else in_mpmath(Fraction(text))
