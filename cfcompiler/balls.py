"""Balls: constant -> enclosure at rising precision, and the signs that follow from them.

A constant is a SymPy expression without symbols, real by construction (numbers.py decides domains before it
builds one). A sign is given for a ball that excludes zero, or for an algebraic number inside its separation
bound, where it must vanish; there is no tolerance.

Source: ball arithmetic after Johansson, "Arb" (2017); separation bound after Burnikel, Funke, Mehlhorn,
Schirra and Schmitt, "A separation bound for real algebraic expressions" (2001): write x = U/L with algebraic
integers U, L whose conjugates are at most u, l in modulus; then x = 0 or |x| >= 1/(u**(D - 1) * l), D the
degree of the field.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import flint

if TYPE_CHECKING:
    import sympy

Sign: TypeAlias = Literal[-1, 0, 1]

FIRST_BITS = 64
QUICK_BITS = 512  # tried before any proof that a number is zero
ROOT = "ComplexRootOf"  # SymPy's class of the roots of irreducible polynomials; here always real ones
MOST_SEPARATION_BITS = 100_000  # algebraic numbers are decided up to here: roots stay cheap at high precision


def _rational(value: sympy.Expr) -> flint.arb:
    return flint.arb(flint.fmpq(int(value.p), int(value.q)))


def _add(*terms: flint.arb) -> flint.arb:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _mul(*factors: flint.arb) -> flint.arb:
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


def atan2(y: flint.arb, x: flint.arb) -> flint.arb:
    return flint.arb.atan2(y, x)


# Keyed by the name of the SymPy class.
_HEADS: dict[str, Callable[..., flint.arb]] = {
    "Add": _add,
    "Mul": _mul,
    "Pow": lambda base, exponent: base**exponent,
    "exp": lambda x: x.exp(),
    "log": lambda x: x.log(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "tan": lambda x: x.tan(),
    "asin": lambda x: x.asin(),
    "acos": lambda x: x.acos(),
    "atan": lambda x: x.atan(),
    "atan2": atan2,
    "sinh": lambda x: x.sinh(),
    "cosh": lambda x: x.cosh(),
    "tanh": lambda x: x.tanh(),
    "asinh": lambda x: x.asinh(),
    "acosh": lambda x: x.acosh(),
    "atanh": lambda x: x.atanh(),
    "cot": lambda x: x.cot(),
    "sec": lambda x: x.sec(),
    "csc": lambda x: x.csc(),
    "erf": lambda x: x.erf(),
    "erfc": lambda x: x.erfc(),
    "Abs": abs,
    "Exp1": flint.arb.const_e,
    "Pi": flint.arb.pi,
}


def whole_power(x: flint.arb, n: int) -> flint.arb:
    """x**n by products: the power of arb is NaN for a ball that contains 0."""
    if n < 0:
        return 1 / whole_power(x, -n)
    total, square = flint.arb(1), x
    while n:
        total = total * square if n % 2 else total
        n //= 2
        square = square * square if n else square
    return total


def depth(constant: sympy.Expr, most: int) -> int:
    """Levels of the expression, counted up to `most`."""
    level, count = {constant}, 0
    while level and count < most:
        level = {argument for node in level for argument in node.args}
        count += 1
    return count


def ball(constant: sympy.Expr, bits: int) -> flint.arb:
    """An enclosure computed with `bits` bits; not finite where they do not suffice."""
    with flint.ctx.workprec(bits):
        return _enclosed(constant, {})


def _enclosed(constant: sympy.Expr, known: dict[sympy.Expr, flint.arb]) -> flint.arb:
    if constant in known:
        return known[constant]
    if constant.is_Rational:
        return _rational(constant)
    name = constant.func.__name__
    if name == ROOT:
        return real_roots(root_coefficients(constant), flint.ctx.prec)[int(constant.index)]
    if name not in _HEADS:
        raise TypeError(f"{name} is not a real constant of the language")
    if name == "Pow" and constant.args[1].is_Integer:
        result = whole_power(_enclosed(constant.args[0], known), int(constant.args[1]))
    else:
        result = _HEADS[name](*(_enclosed(argument, known) for argument in constant.args))
    known[constant] = result
    return result


def root_coefficients(root: sympy.Expr) -> tuple[int, ...]:
    """The irreducible polynomial of a root, from low to high."""
    return tuple(int(c) for c in reversed(root.poly.all_coeffs()))


@lru_cache(maxsize=1024)
def real_roots(coefficients: tuple[int, ...], bits: int) -> tuple[flint.arb, ...]:
    """Disjoint enclosures of the real roots, ascending, of a polynomial without multiple roots, from low to high."""
    with flint.ctx.workprec(bits):
        found: Any = flint.fmpz_poly(list(coefficients)).complex_roots()
        return tuple(sorted((root.real for root, _ in found if root.imag.is_zero()), key=lambda x: x.mid()))


def ball_sign(enclosure: flint.arb) -> Sign | None:
    if enclosure.is_zero():
        return 0
    if enclosure > 0:
        return 1
    return -1 if enclosure < 0 else None


def sign_by_balls(constant: sympy.Expr, first: int, last: int) -> Sign | None:
    bits = first
    while bits <= last:
        found = ball_sign(ball(constant, bits))
        if found is not None:
            return found
        bits *= 2
    return None


def algebraic_sign(constant: sympy.Expr, separation: int) -> Sign | None:
    smallest = flint.arb(2) ** -separation
    bits = 2 * QUICK_BITS
    while bits <= 4 * separation + 4 * QUICK_BITS:
        enclosure = ball(constant, bits)
        found = ball_sign(enclosure)
        if found is not None:
            return found
        if enclosure.abs_upper() < smallest:
            return 0
        bits *= 2
    return None


def separation_bits(constant: sympy.Expr) -> int | None:
    """b such that an algebraic constant is 0 or at least 2**-b in modulus; None where exp, pi ... occur."""
    roots: set[sympy.Expr] = set()
    conductors: set[int] = {1}
    found = _conjugates(constant, roots, conductors)
    if found is None:
        return None
    degree = lcm(*conductors)
    for root in roots:
        degree *= int(root.args[1].q) if root.is_Pow else int(root.poly.degree())
        if degree > MOST_SEPARATION_BITS:
            break
    above, below = found
    return above * (degree - 1) + below


def _conjugates(constant: sympy.Expr, roots: set[sympy.Expr], conductors: set[int]) -> tuple[int, int] | None:
    """Bits of u and of l, rounded up, for constant = U/L; collects what the field is generated by."""
    if constant.is_Rational:
        return abs(int(constant.p)).bit_length(), int(constant.q).bit_length()
    name = constant.func.__name__
    if name in ("sin", "cos", "tan"):
        return _trigonometric_conjugates(constant, conductors)
    if name == ROOT:
        return _root_conjugates(constant, roots)
    if name == "Abs":  # of a real number
        return _conjugates(constant.args[0], roots, conductors)
    if name not in ("Add", "Mul", "Pow"):
        return None
    parts = []
    for argument in constant.args[:1] if name == "Pow" else constant.args:
        part = _conjugates(argument, roots, conductors)
        if part is None:
            return None
        parts.append(part)
    if name == "Mul":
        return sum(above for above, _ in parts), sum(below for _, below in parts)
    if name == "Add":
        largest = max(above - below for above, below in parts)
        below = sum(below for _, below in parts)
        return max(0, largest + below) + len(parts).bit_length(), below
    return _power_conjugates(constant, *parts[0], roots)


def _trigonometric_conjugates(constant: sympy.Expr, conductors: set[int]) -> tuple[int, int] | None:
    """2 sin and 2 cos of p/q * pi are algebraic integers of the cyclotomic field of order 4q."""
    from sympy import pi

    turns = constant.args[0] / pi
    if not turns.is_Rational:
        return None
    conductors.add(4 * int(turns.q))
    return 1, 1


def _root_conjugates(constant: sympy.Expr, roots: set[sympy.Expr]) -> tuple[int, int]:
    """a*x is an algebraic integer, a the leading coefficient; by Cauchy its conjugates are at most |a| + max |a_i|."""
    roots.add(constant)
    sizes = [abs(c) for c in root_coefficients(constant)]
    return (sizes[-1] + max(sizes[:-1])).bit_length(), sizes[-1].bit_length()


def _power_conjugates(
    constant: sympy.Expr, above: int, below: int, roots: set[sympy.Expr]
) -> tuple[int, int] | None:
    exponent = constant.args[1]
    if not exponent.is_Rational:
        return None
    degree, times = int(exponent.q), int(exponent.p)
    if degree > 1:
        from sympy import Pow, Rational

        roots.add(Pow(constant.args[0], Rational(1, degree), evaluate=False))
        if above >= below:  # (U * L**(k - 1))**(1/k) / L
            above = -(-(above + (degree - 1) * below) // degree)
        else:  # U / (U**(k - 1) * L)**(1/k)
            below = -(-((degree - 1) * above + below) // degree)
    if times < 0:
        above, below, times = below, above, -times
    return above * times, below * times


def bounds(constant: sympy.Expr, bits: int) -> tuple[Fraction, Fraction] | None:
    """Rationals below and above, at `bits` bits; None where the ball is infinite or its exponent enormous."""
    enclosure = ball(constant, bits)
    if not enclosure.is_finite():
        return None
    with flint.ctx.workprec(bits):
        lower, upper = _fraction(enclosure.lower()), _fraction(enclosure.upper())
    return None if lower is None or upper is None else (lower, upper)


def _fraction(end: flint.arb) -> Fraction | None:
    mantissa, exponent = (int(part) for part in end.man_exp())
    if abs(exponent) > MOST_SEPARATION_BITS:
        return None
    return Fraction(mantissa) * Fraction(2) ** exponent
