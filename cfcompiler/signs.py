"""Signs: constant -> its sign, proved, or None where no proof was found.

A sign other than zero is proved by a ball, zero by a separation bound (balls.py) or an identity:

1. normal form: sin, cos, sinh ... as exponentials, logarithms split over their factors, then a polynomial in
   what remains; it vanishes when each coefficient, an algebraic number, does;
2. logarithms: the sum of q_i log(a_i) and r is 0 exactly when the product of a_i**(m q_i) and exp(m r) is 1;
3. angles: m x with |m x| < pi vanishes exactly when sin(m x) does, expanded by the addition theorems;
4. roots: r + c sqrt(b) vanishes exactly when r and c have opposite signs and r**2 = c**2 b.

No algorithm is known that decides all such constants (Richardson & Fitch 1994 need Schanuel's conjecture).
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm, prod
from typing import TYPE_CHECKING

from cfcompiler.balls import (
    FIRST_BITS,
    MOST_SEPARATION_BITS,
    QUICK_BITS,
    Sign,
    algebraic_sign,
    ball,
    bounds,
    depth,
    separation_bits,
    sign_by_balls,
)

if TYPE_CHECKING:
    import sympy

MOST_BITS = 4096  # of a ball, where there is no proof of zero
CANDIDATE_BITS = 100  # a rational is guessed, then proved, when the enclosure is at most 2**-100 wide
CANDIDATE_DENOMINATOR = 10**12
MOST_NODES = 200  # expansion is exponential: larger constants are left open
MOST_TERMS = 2000
MOST_DEPTH = 10
MOST_EXPONENT = 24
MOST_LOG_WEIGHT = 400
MOST_FACTORED_BITS = 128
MOST_NESTING = 4  # rules 2 to 4 ask for the sign of another constant


def sign_of(constant: sympy.Expr) -> Sign | None:
    found = sign_by_balls(constant, FIRST_BITS, QUICK_BITS)
    if found is not None:
        return found
    separation = separation_bits(constant)
    if separation is not None and separation <= MOST_SEPARATION_BITS:
        return algebraic_sign(constant, separation)
    if vanishes(constant):
        return 0
    found = sign_by_balls(constant, 2 * QUICK_BITS, MOST_BITS)
    return _sign_by_form(constant) if found is None else found


def _sign_by_form(constant: sympy.Expr) -> Sign | None:
    """For numbers beyond the exponents of balls, such as exp(-exp(exp(100)))."""
    if constant.func.__name__ in ("exp", "cosh"):
        return 1
    if constant.is_Pow:
        base = sign_of(constant.args[0])
        return 1 if base == 1 else None
    if not constant.is_Mul:
        return None
    product: Sign = 1
    for factor in constant.args:
        found = sign_of(factor)
        if found is None:
            return None
        product = _SIGN_PRODUCT[product * found]
    return product


_SIGN_PRODUCT: dict[int, Sign] = {-1: -1, 0: 0, 1: 1}


def rational_value(constant: sympy.Expr) -> Fraction | None:
    """The rational that the constant equals, if it is one of moderate denominator and there is a proof."""
    from sympy import Rational

    candidate = _rational_candidate(constant)
    if candidate is None:
        return None
    difference = constant - Rational(candidate.numerator, candidate.denominator)
    return candidate if sign_of(difference) == 0 else None


def _rational_candidate(constant: sympy.Expr) -> Fraction | None:
    bits = 2 * FIRST_BITS
    while bits <= MOST_BITS:
        ends = bounds(constant, bits)
        if ends is not None and (ends[1] - ends[0]) * 2**CANDIDATE_BITS <= 1:
            candidate = ((ends[0] + ends[1]) / 2).limit_denominator(CANDIDATE_DENOMINATOR)
            return candidate if ends[0] <= candidate <= ends[1] else None
        bits *= 2
    return None


def vanishes(constant: sympy.Expr, nesting: int = MOST_NESTING) -> bool:
    """True when proved; False says nothing."""
    if nesting == 0 or not _small(constant):
        return False
    return (
        _vanishes_in_normal_form(constant)
        or _vanishes_as_logarithm(constant, nesting)
        or _vanishes_as_angle(constant, nesting)
        or _vanishes_as_root(constant, nesting)
    )


def _small(constant: sympy.Expr) -> bool:
    from sympy import preorder_traversal

    if depth(constant, MOST_DEPTH + 1) > MOST_DEPTH:
        return False
    for count, node in enumerate(preorder_traversal(constant)):
        if count > MOST_NODES:
            return False
        if (
            node.is_Pow
            and node.args[0].is_Add
            and node.args[1].is_Rational
            and abs(node.args[1].p) > MOST_EXPONENT
        ):
            return False
    return True


def _vanishes_in_normal_form(constant: sympy.Expr) -> bool:
    from sympy import Add, numer, together

    form = numer(together(_rewritten(constant)))
    if _terms(form) > MOST_TERMS:
        return False
    form = form.expand()
    groups: list[tuple[sympy.Expr, sympy.Expr, sympy.Expr]] = []
    for term in Add.make_args(form):
        _collect(groups, *_parts(term))
    return all(_complex_zero(coefficient) for coefficient, _, _ in groups)


def _collect(
    groups: list[tuple[sympy.Expr, sympy.Expr, sympy.Expr]],
    coefficient: sympy.Expr,
    exponent: sympy.Expr,
    monomial: sympy.Expr,
) -> None:
    """Adds coefficient * exp(exponent) * monomial to the group with an equal exponential and monomial."""
    for place, (total, known, other) in enumerate(groups):
        if monomial == other and (exponent == known or _complex_zero(exponent - known)):
            groups[place] = (total + coefficient, known, other)
            return
    groups.append((coefficient, exponent, monomial))


def _complex_zero(constant: sympy.Expr) -> bool:
    from sympy import I

    expanded = constant.expand()
    imaginary = expanded.coeff(I)
    real = (expanded - I * imaginary).expand()
    return all(separation_bits(part) is not None and sign_of(part) == 0 for part in (real, imaginary))


def _terms(form: sympy.Expr) -> int:
    """At most so many terms after expansion."""
    if form.is_Add:
        return sum(_terms(argument) for argument in form.args)
    if form.is_Mul:
        return prod([_terms(argument) for argument in form.args])
    if form.is_Pow and form.args[1].is_Integer and form.args[1] > 0:
        return int(_terms(form.args[0]) ** min(int(form.args[1]), MOST_EXPONENT))
    return 1


def _parts(term: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """An algebraic coefficient, the exponent of all exponentials together, and what remains."""
    from sympy import I, Integer, Mul

    coefficient, exponent, monomial = Integer(1), Integer(0), Integer(1)
    for factor in Mul.make_args(term):
        base, power = factor.as_base_exp()
        if base.func.__name__ == "Exp1":
            exponent = exponent + power
        elif base.func.__name__ == "exp":
            exponent = exponent + base.args[0] * power
        elif factor == I or separation_bits(factor) is not None:
            coefficient = coefficient * factor
        else:
            monomial = monomial * factor
    turn, exponent = _turn(exponent.expand())
    return coefficient * turn, exponent, monomial


def _turn(exponent: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """exp(exponent) as a root of unity, which is algebraic, times the exponential of the rest."""
    from sympy import Add, I, Integer, cos, pi, sin

    root, rest = Integer(1), Integer(0)
    for term in Add.make_args(exponent):
        half_turns = term / (I * pi)
        if half_turns.is_Rational:
            root = root * (cos(half_turns * pi) + I * sin(half_turns * pi))
        else:
            rest = rest + term
    return root, rest


def _rewritten(constant: sympy.Expr) -> sympy.Expr:
    """The same number over exp, logarithms of primes and of irreducible arguments, roots and pi."""
    from sympy import I, exp

    if constant.is_Atom or separation_bits(constant) is not None:
        return constant
    arguments = [_rewritten(argument) for argument in constant.args]
    match constant.func.__name__:
        case "exp":
            return exp(arguments[0].expand())
        case "sin":
            return (exp(I * arguments[0].expand()) - exp(-I * arguments[0].expand())) / (2 * I)
        case "cos":
            return (exp(I * arguments[0].expand()) + exp(-I * arguments[0].expand())) / 2
        case "tan" | "cot" | "sec" | "csc" | "sinh" | "cosh" | "tanh":
            return constant.func(arguments[0].expand()).rewrite(exp)
        case "asinh" | "acosh" | "atanh":
            from sympy import log

            return _rewritten(constant.rewrite(log))
        case "log":
            return split_log(constant.args[0])
        case "erfc":
            from sympy import erf

            return 1 - erf(arguments[0])
        case _:
            return constant.func(*arguments)


def split_log(argument: sympy.Expr) -> sympy.Expr:
    """log(argument) as a sum over factors of proved positive sign."""
    from sympy import Add, Integer, Mul, log

    if argument.is_Rational:
        return _rational_log(argument)
    if argument.func.__name__ == "exp":
        return argument.args[0]
    if argument.is_Pow and sign_of(argument.args[0]) == 1:
        return argument.args[1] * split_log(argument.args[0])
    if argument.is_Mul:
        coefficient, factors = argument.as_coeff_mul()
        positive = [factor for factor in factors if sign_of(factor) == 1]
        rest = Mul(*(factor for factor in factors if factor not in positive))
        if coefficient < 0:
            coefficient, rest = -coefficient, -rest
        kernel = log(rest) if rest != 1 else Integer(0)
        return Add(_rational_log(coefficient), *(split_log(factor) for factor in positive), kernel)
    if argument.is_Add:
        content, primitive = argument.primitive()
        return _rational_log(content) + log(primitive)
    return log(argument)


def _rational_log(argument: sympy.Expr) -> sympy.Expr:
    from sympy import Add, factorint, log

    if max(int(argument.p).bit_length(), int(argument.q).bit_length()) > MOST_FACTORED_BITS:
        return log(argument)
    powers = [(prime, times) for prime, times in factorint(argument.p, limit=2**15).items()]
    powers += [(prime, -times) for prime, times in factorint(argument.q, limit=2**15).items()]
    return Add(*(times * log(prime) for prime, times in powers))


def _vanishes_as_logarithm(constant: sympy.Expr, nesting: int) -> bool:
    from sympy import Add, Integer, Mul, exp

    logarithms: list[tuple[sympy.Expr, sympy.Expr]] = []
    rest = Integer(0)
    for term in Add.make_args(constant.expand()):
        weight, factor = term.as_coeff_Mul()
        if factor.func.__name__ == "log":
            logarithms.append((weight, factor.args[0]))
        else:
            rest = rest + term
    if not logarithms:
        return False
    multiple = lcm(*(int(weight.q) for weight, _ in logarithms))
    if sum(abs(int(weight.p)) for weight, _ in logarithms) * multiple > MOST_LOG_WEIGHT:
        return False
    product = Mul(*(argument ** (multiple * weight) for weight, argument in logarithms)) * exp(
        multiple * rest
    )
    return _zero(product - 1, nesting)


def _vanishes_as_angle(constant: sympy.Expr, nesting: int) -> bool:
    from sympy import Add, expand_trig, sin

    weights = []
    for term in Add.make_args(constant.expand()):
        weight, factor = term.as_coeff_Mul()
        if factor.func.__name__ in ("asin", "acos", "atan", "atan2"):
            weights.append(weight)
    if not weights:
        return False
    multiple = lcm(*(int(weight.q) for weight in weights))
    if sum(abs(int(weight.p)) for weight in weights) * multiple > MOST_EXPONENT:
        return False
    angle = (multiple * constant).expand()
    if not ball(angle, 128) < 3 or not ball(-angle, 128) < 3:
        return False
    return _zero(expand_trig(sin(angle)), nesting)


def _vanishes_as_root(constant: sympy.Expr, nesting: int) -> bool:
    from sympy import Add, Rational

    for term in Add.make_args(constant):
        weight, factor = term.as_coeff_Mul()
        if factor.is_Pow and factor.args[1] == Rational(1, 2) and separation_bits(factor) is None:
            rest = constant - term
            return sign_of(rest) == (-1 if weight > 0 else 1) and _zero(
                rest**2 - weight**2 * factor.args[0], nesting
            )
    return False


def _zero(constant: sympy.Expr, nesting: int) -> bool:
    separation = separation_bits(constant)
    return sign_of(constant) == 0 if separation is not None else vanishes(constant, nesting - 1)
