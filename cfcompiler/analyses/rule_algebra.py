"""Polynomials in the numbers of tie rules: their texts, factors, real roots and linear consequences.

Texts parse with SymPy, given symbols of those names (max and abs are rules, and functions of Python). Only what is not
linear needs SymPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from cfcompiler.number_text import to_text
from cfcompiler.numbers import Finite, settled
from cfcompiler.polynomials import Exponents, Polynomial, polynomial

MOST_DEGREE = 6  # of equations whose consequences are looked for
MOST_EQUATIONS = 6
_ZERO, _ONE = Fraction(0), Fraction(1)


def polynomial_text(one: Polynomial, names: Sequence[str]) -> str:
    """`2*max - 1`, `1 - relu`: higher degrees first, but a term with a minus does not begin."""

    def is_minus(exponents: Exponents) -> bool:
        coefficient = one.terms[exponents]
        return isinstance(coefficient, Fraction) and coefficient < 0

    order = sorted(one.terms, key=lambda exponents: (-sum(exponents), [-k for k in exponents]))
    start = next((exponents for exponents in order if not is_minus(exponents)), None)
    if start is not None:
        order.remove(start)
        order.insert(0, start)
    text = ""
    for exponents in order:
        coefficient = one.terms[exponents]
        minus = is_minus(exponents)
        size = -coefficient if minus and isinstance(coefficient, Fraction) else coefficient
        sign = (" - " if minus else " + ") if text else ("-" if minus else "")
        text += sign + _term(size, exponents, names)
    return text or "0"


def _term(coefficient: Finite, exponents: Exponents, names: Sequence[str]) -> str:
    powers = [name if k == 1 else f"{name}**{k}" for name, k in zip(names, exponents, strict=True) if k]
    monomial = "*".join(powers)
    if not monomial:
        text = to_text(coefficient)
        return text if isinstance(coefficient, Fraction) else f"({text})"
    if coefficient == 1:
        return monomial
    if not isinstance(coefficient, Fraction):
        return f"({to_text(coefficient)})*{monomial}"
    above = "" if coefficient.numerator == 1 else f"{coefficient.numerator}*"
    return f"{above}{monomial}" + ("" if coefficient.denominator == 1 else f"/{coefficient.denominator}")


def factored(one: Polynomial, names: Sequence[str]) -> str:
    """The factors of a polynomial as a text, without a constant one; what has irrational coefficients as it is."""
    if not one.rational:
        return polynomial_text(one, names)
    from sympy import factor_list

    _, factors = factor_list(_sympy(one))
    texts = []
    for factor, power in factors:
        own = _polynomial(factor.as_poly(*_symbols(one.variables)), one.variables)
        text = polynomial_text(own, names)
        text = f"({text})" if len(own.terms) > 1 and (len(factors) > 1 or power > 1) else text
        texts.append(text if power == 1 else f"{text}**{power}")
    return "*".join(texts)


def real_roots(
    equations: Sequence[Polynomial], place: int, low: Fraction, high: Fraction
) -> list[tuple[str, Finite | None, bool]]:
    """The common real roots of rational polynomials in one variable, in order: text, number, whether in [low, high].

    The number is None where it has no form but "the k-th root of".
    """
    from sympy import Poly, Rational, gcd, oo

    symbol = _symbols(equations[0].variables)[place]
    common = Poly(0, symbol, domain="QQ")
    for one in equations:
        common = gcd(common, Poly(_sympy(one), symbol, domain="QQ"))
    if common.degree() < 1:
        return []
    common = common.sqf_part()
    ends = [Rational(end.numerator, end.denominator) for end in (low, high)]
    upto = [int(common.count_roots(-oo, end)) for end in ends]
    below = upto[0] - int(common.eval(ends[0]) == 0)
    found = []
    for index, root in enumerate(common.real_roots()):
        exact = None if root.has(_root_of()) else settled(root)
        text = str(root).replace(str(symbol), "x") if exact is None else to_text(exact)
        found.append((text, exact, below <= index < upto[1]))
    return found


def _root_of() -> Any:
    from sympy import CRootOf

    return CRootOf


def linear_consequences(equations: Sequence[Polynomial]) -> list[Polynomial] | None:
    """Equations with the same solutions, of which one is linear or constant; None where none is found.

    Of few rational equations of low degree: their Groebner basis.
    """
    if not all(one.rational and one.degree <= MOST_DEGREE for one in equations):
        return None
    if not 1 < len(equations) <= MOST_EQUATIONS:
        return None
    from sympy import groebner

    variables = equations[0].variables
    symbols = _symbols(variables)
    basis = groebner([_sympy(one) for one in equations], *symbols, order="grevlex", domain="QQ")
    found = [_polynomial(one, variables) for one in basis.polys]
    return found if any(one.degree <= 1 for one in found) else None


def read_polynomial(text: str, names: Sequence[str]) -> Polynomial:
    """The polynomial of a text that `polynomial_text` wrote. Raises ValueError where a coefficient is irrational."""
    from sympy import Poly, PolynomialError, sympify

    symbols = _symbols(len(names))
    if not names:
        return polynomial(0, [((), Fraction(text))])
    try:
        found = sympify(text, locals=dict(zip(names, symbols, strict=True)))
        return _polynomial(Poly(found, *symbols, domain="QQ"), len(names))
    except PolynomialError:
        raise ValueError(f"{text} has an irrational coefficient") from None


def _symbols(count: int) -> list[Any]:
    from sympy import Symbol

    return [Symbol(f"x{place}", real=True) for place in range(count)]


def _sympy(one: Polynomial) -> Any:
    from sympy import Add, Integer, Mul, Pow, Rational

    symbols = _symbols(one.variables)
    terms = []
    for exponents, c in one.terms.items():
        assert isinstance(c, Fraction)
        powers = [Pow(x, Integer(k)) for x, k in zip(symbols, exponents, strict=True)]
        terms.append(Mul(Rational(c.numerator, c.denominator), *powers))
    return Add(*terms)


def _polynomial(poly: Any, variables: int) -> Polynomial:
    terms = [(tuple(map(int, e)), Fraction(int(c.p), int(c.q))) for e, c in poly.terms()]
    return polynomial(variables, terms)
