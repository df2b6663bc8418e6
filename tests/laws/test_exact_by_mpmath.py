"""Exact operations, balls and signs against mpmath at 60 digits and more, at random arguments and at edges."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import flint
import mpmath
import pytest
import sympy

from cfcompiler import balls, numbers, signs
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import Exact, expression, is_special
from cfcompiler.operations import OPERATIONS
from tests.laws.functions_by_mpmath import ONE_ARGUMENT, TWO_ARGUMENTS, in_mpmath

DIGITS = 60
NARROW = {"asin": (-1, 1), "acos": (-1, 1), "atanh": (-1, 1)}
LOW = {"log": 0, "log2": 0, "log10": 0, "sqrt": 0, "log1p": -1, "acosh": 1}
IRRATIONAL = (
    "sqrt(2)/2",
    "pi/7",
    "-pi/5",
    "log(3)/2",
    "-sqrt(3)/3",
    "3*sqrt(2)",
    "-exp(1)",
    "pi/2 + 1/10**9",
)
# Within 1e-9 of the ends of the domains, and at them; far out.
TINY = Fraction(1, 10**9)


def arguments(name: str) -> Iterator[Exact]:
    generator = random.Random(f"ball {name}")
    ends = NARROW.get(name)
    for _ in range(14):
        x = Fraction(generator.randint(-(10**6), 10**6), generator.randint(10**4, 10**6))
        yield x / (abs(x) + 1) if ends else x
    for text in IRRATIONAL:
        yield parse_number(text)
    for end in (0, -1, 1):
        yield from (end + step for step in (-TINY, Fraction(0), TINY))
    yield from (Fraction(n) for n in (-20, 20, 2, -2))
    if name in ("floor", "ceil", "round", "trunc"):
        yield from (Fraction(n, 2) for n in range(-7, 8))


def inside(name: str, x: Exact) -> bool:
    """Whether x is in the domain, by mpmath; with log and the poles of atanh left out at the ends."""
    value = in_mpmath(x)
    if name in NARROW:
        return abs(value) < 1 or (abs(value) == 1 and name != "atanh")
    if name in LOW:
        return bool(value > LOW[name] or (value == LOW[name] and name in ("sqrt", "acosh")))
    return True


def contains(enclosure: Any, value: Any) -> bool:
    """Whether a ball contains a number that is known to more digits than the ball is wide."""
    with flint.ctx.workprec(1000):
        own = flint.arb(mpmath.nstr(value, 150, strip_zeros=False))
        return bool((enclosure - own).contains(0) or abs(enclosure - own) < flint.arb(2) ** -400)


def demand(found: Exact, expected: Any, shown: object) -> None:
    assert not is_special(found), shown
    got = in_mpmath(found)
    assert abs(got - expected) <= (abs(expected) + mpmath.mpf(2) ** -60) * mpmath.mpf(10) ** -DIGITS, shown
    enclosure = balls.ball(expression(found), 256)
    assert enclosure.is_finite(), shown
    assert contains(enclosure, expected), shown
    assert enclosure.rad() <= (abs(enclosure.mid()) + 1) * flint.arb(2) ** -180, shown


@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_an_operation_is_the_function_to_sixty_digits(name: str) -> None:
    with mpmath.workdps(150):
        for x in arguments(name):
            if inside(name, x):
                demand(OPERATIONS[name](x), ONE_ARGUMENT[name](in_mpmath(x)), (name, x))
            else:
                found = OPERATIONS[name](x)
                assert is_special(found), (name, x)
                assert found == "nan" or in_mpmath(x) in (0, 1, -1), (name, x)


@pytest.mark.parametrize("name", TWO_ARGUMENTS)
def test_an_operation_of_two_arguments_is_the_function_to_sixty_digits(name: str) -> None:
    generator = random.Random(f"pair {name}")
    texts = ["sqrt(2)", "-pi/3", "3/2", "-5/7", "1", "-2", "7/3"]
    with mpmath.workdps(150):
        for _ in range(24):
            x, y = (parse_number(generator.choice(texts)) for _ in range(2))
            if name == "pow" and in_mpmath(x) < 0:
                y = Fraction(generator.randint(-3, 3))
            demand(OPERATIONS[name](x, y), TWO_ARGUMENTS[name](in_mpmath(x), in_mpmath(y)), (name, x, y))


_HEADS: dict[str, Any] = {
    **{name: getattr(mpmath, name) for name in (
        "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "atanh", "cot",
        "sec", "csc", "erf", "erfc",
    )},
    "acosh": mpmath.acosh,
    "Abs": abs,
}  # fmt: skip


def test_every_head_of_a_ball_is_tried() -> None:
    others = {"Add", "Mul", "Pow", "atan2", "Exp1", "Pi"}
    assert set(balls._HEADS) == {*_HEADS, *others}


@pytest.mark.parametrize("name", sorted(_HEADS))
@pytest.mark.parametrize("bits", [64, 256, 700])
def test_a_ball_contains_the_value(name: str, bits: int) -> None:
    with mpmath.workdps(300):
        for text in (
            "1/3",
            "-2/7",
            "sqrt(2)/2",
            "-pi/9",
            "999999999/1000000000",
            "5/2",
            "-31/10",
            "22",
            "4/3",
        ):
            x = sympy.sympify(text)
            value = in_mpmath(x)
            if (name in NARROW and abs(value) >= 1) or (name == "log" and value <= 0):
                continue
            if name == "acosh" and value < 1:
                continue
            enclosure = balls.ball(getattr(sympy, name)(x, evaluate=False), bits)
            with flint.ctx.workprec(1200):
                exact = flint.arb(mpmath.nstr(_HEADS[name](value), 290, strip_zeros=False))
                assert enclosure.overlaps(exact), (name, text)
                assert enclosure.rad() <= (abs(enclosure.mid()) + 1) * flint.arb(2) ** (48 - bits), (
                    name,
                    text,
                )


@pytest.mark.parametrize("bits", [64, 256])
def test_sums_products_powers_and_angles_in_balls(bits: int) -> None:
    a, b = sympy.sqrt(2), -sympy.pi / 3
    shapes = [
        sympy.Add(a, b, sympy.Rational(1, 7)), sympy.Mul(a, b, sympy.Rational(5, 7)), sympy.Pow(a, 7),
        sympy.Pow(b, -3), sympy.Pow(b, 4), sympy.Pow(sympy.pi, sympy.Rational(2, 3)), sympy.Pow(sympy.pi, a),
        sympy.Pow(sympy.pi - 3, sympy.Rational(-5, 2)), sympy.E**2 - sympy.E, sympy.pi - sympy.E,
        *(sympy.atan2(y, x, evaluate=False) for y in (a, -a) for x in (b, -b)),
        sympy.CRootOf(sympy.Symbol("x") ** 5 - sympy.Symbol("x") - 1, 0),
        *(sympy.CRootOf(sympy.Poly("x**3 - 5*x + 1"), k) for k in range(3)),
    ]  # fmt: skip
    for shape in shapes:
        with mpmath.workdps(120):
            value = mpmath.mpf(sympy.N(shape, 110))
            enclosure = balls.ball(shape, bits)
            with flint.ctx.workprec(1000):
                assert enclosure.overlaps(flint.arb(mpmath.nstr(value, 105), "1e-99")), shape
            assert enclosure.rad() <= (abs(enclosure.mid()) + 1) * flint.arb(2) ** (20 - bits), shape
            ends = balls.bounds(shape, bits)
            assert ends is not None
            assert in_mpmath(ends[0]) <= value <= in_mpmath(ends[1]), shape


def test_whole_powers_of_balls_that_contain_zero() -> None:
    around = flint.arb(0, 1)
    assert balls.whole_power(around, 0) == 1
    for n in (1, 2, 3, 8):
        found = balls.whole_power(around, n)
        assert found.contains(1) and found.contains(0) and found.is_finite()
        assert found.contains((-1) ** n)


IDENTITIES = (
    "sin(1)**2 + cos(1)**2 - 1", "log(6) - log(2) - log(3)", "2*atan(1/3) + atan(1/7) - pi/4",
    "exp(log(3)/2) - sqrt(3)", "asin(1/3) + acos(1/3) - pi/2", "cosh(1)**2 - sinh(1)**2 - 1",
    "tanh(1) - sinh(1)/cosh(1)", "sqrt(3 + 2*sqrt(2)) - 1 - sqrt(2)", "asinh(1) - log(1 + sqrt(2))",
    "acosh(2) - log(2 + sqrt(3))", "atanh(1/2) - log(3)/2", "cos(pi/5) - (1 + sqrt(5))/4",
    "tan(pi/8) - sqrt(2) + 1", "erfc(1) + erf(1) - 1", "sin(pi/7) - cos(5*pi/14)", "cbrt(2)**3 - 2",
    "4*atan(1/5) - atan(1/239) - pi/4", "log(exp(1) + 1) - 1 - log(1 + exp(-1))", "cos(2) - 2*cos(1)**2 + 1",
    "exp(2) - exp(1)*exp(1)", "sqrt(exp(2) + 2*exp(1) + 1) - exp(1) - 1", "sin(3) - 3*sin(1) + 4*sin(1)**3",
)  # fmt: skip


def plain(text: str) -> Any:
    """As it is written, nothing simplified."""
    with sympy.evaluate(False):
        return sympy.sympify(text.replace("cbrt(2)", "(2**Rational(1, 3))"))


@pytest.mark.parametrize("text", IDENTITIES)
def test_an_identity_is_zero_and_nothing_beside_it_is(text: str) -> None:
    number = parse_number(text)
    assert numbers.sign(number) == 0
    for digits in (20, 200, 700):
        for side in (1, -1):
            beside = expression(number) + sympy.Rational(side, 10**digits)
            assert signs.sign_of(beside) == side
            assert not signs.vanishes(beside)
    tied = plain(text)
    for side in (1, -1):
        beside = tied + sympy.Rational(side, 10**170)
        assert signs.sign_of(beside) == side
        assert not signs.vanishes(beside)


# Numbers that are not 0, each near to what one of the proofs looks at: a period, the other root, the other sign.
@pytest.mark.parametrize(
    "text",
    [
        "pi", "4*atan(1)", "4*atan(1) - 2*pi", "2*asin(1/3) + 2*acos(1/3)", "sqrt(2) + sqrt(3 - 2*sqrt(2)) + 1",
        "log(2) + log(3) - log(5)", "log(2) + log(1/2) + 1", "exp(1) - exp(-1)", "atan(2) + atan(3) + pi/4",
        "sqrt(exp(2)) + exp(1)", "sqrt(pi) + sqrt(pi)", "-sqrt(pi) - sqrt(pi)", "cos(1) - sin(1)", "cosh(1) + sinh(1)",
        "tan(1) + tan(-1) + 1", "asin(sin(2)) - 2", "acos(cos(4)) - 4", "log(4) - 2*log(3)", "erf(1) - erfc(1)",
        "3*acos(-1/2) - 4*pi", "exp(log(2)*2) - 5", "2*sin(pi/7)**2 - cos(2*pi/7)", "sqrt(1 + exp(1)) + 1 + exp(1)",
        "asin(1/2) + asin(1/2)*5", "6*asin(1/2) + pi", "atan2(-1, -1) - pi/4", "atan2(1, -1) + pi/4",
    ],
)  # fmt: skip
def test_no_proof_of_zero_is_found_for_a_number_that_is_not(text: str) -> None:
    for constant in (plain(text), expression(parse_number(text))):
        value = sympy.N(constant, 60)
        assert abs(value) > sympy.Rational(1, 10**20)
        assert not signs.vanishes(constant)
        assert signs.sign_of(constant) == (1 if value > 0 else -1)
        assert signs.rational_value(constant) is None or abs(
            sympy.Rational(*signs.rational_value(constant).as_integer_ratio()) - value
        ) < sympy.Rational(1, 10**50)


@pytest.mark.parametrize("seed", range(3))
def test_random_algebraic_numbers_are_not_below_their_separation_bound(seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(6):
        a, b = generator.randint(2, 30), generator.randint(2, 30)
        n = generator.choice((2, 3))
        shapes = (
            sympy.root(a, n) + sympy.sqrt(b) - sympy.Rational(generator.randint(1, 90), 11),
            1 / (sympy.sqrt(a) - sympy.Rational(generator.randint(1, 50), 7)) + sympy.root(b, n),
            (sympy.sqrt(a) - sympy.root(b, n)) ** 3,
            sympy.cos(sympy.pi * a / b) - sympy.Rational(generator.randint(-9, 9), 10),
        )
        for shape in shapes:
            bits = balls.separation_bits(shape)
            value = abs(sympy.N(shape, 60))
            assert bits is not None
            assert value == 0 or value >= sympy.Rational(1, 2**bits), (shape, bits)
            # the number itself, times as small a number as its own field has, is above the bound as well
            poly = sympy.Poly(sympy.minimal_polynomial(shape, sympy.Symbol("x")))
            smallest = min((abs(root) for root in poly.nroots(n=40) if root != 0), default=1)
            assert smallest >= sympy.Rational(1, 2**bits), (shape, bits)
