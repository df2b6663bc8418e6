"""Exact numbers: each sign is proved, each special value is that of IEEE arithmetic, and nothing hangs."""

from __future__ import annotations

import itertools
import math
import random
import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from cfcompiler import balls, operations, signs
from cfcompiler.number_text import parse_number, to_text
from cfcompiler.numbers import (
    Exact,
    TooLarge,
    Undecided,
    add,
    compare,
    from_float,
    integer_below,
    mul,
    power,
    sign,
    sub,
    to_float,
)
from cfcompiler.operations import OPERATIONS
from cfcompiler.primitives import TABLE

GRID: tuple[Exact, ...] = (
    "-inf", *(Fraction(text) for text in ("-3", "-2", "-1", "-1/2", "0", "1/2", "1", "2", "5/2",
    "3")), "inf", "nan"
)  # fmt: skip
UNARY = [name for name in OPERATIONS if name in TABLE and len(TABLE[name].params) == 1 and "pow" not in name]
BINARY = [name for name in OPERATIONS if name in TABLE and len(TABLE[name].params) == 2]
PLAIN: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(x, 0),
    "erf": np.vectorize(math.erf),
    "erfc": np.vectorize(math.erfc),
}


def in_floats(name: str, *arguments: Exact) -> float:
    function = PLAIN[name] if name in PLAIN else getattr(np, TABLE[name].numpy)
    with np.errstate(all="ignore"):
        return float(function(*(np.float64(to_float(x)) for x in arguments)))


def same(x: float, y: float) -> bool:
    return (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-15)


def test_every_elementwise_primitive_has_an_exact_operation() -> None:
    assert set(OPERATIONS) == {name for name, row in TABLE.items() if row.kind == "elementwise"}


@pytest.mark.parametrize("name", UNARY)
def test_one_argument_agrees_with_numpy_also_at_special_values(name: str) -> None:
    for x in GRID:
        assert same(to_float(OPERATIONS[name](x)), in_floats(name, x)), (name, x)


@pytest.mark.parametrize("name", BINARY)
def test_two_arguments_agree_with_numpy_also_at_special_values(name: str) -> None:
    for x, y in itertools.product(GRID, repeat=2):
        if name == "pow" and (x, y) == ("-inf", Fraction(1, 2)):
            continue  # inf in C99; NumPy takes a square root
        assert same(to_float(OPERATIONS[name](x, y)), in_floats(name, x, y)), (name, x, y)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/3", "1/3"), ("0.1", "1/10"), ("1e-3", "1/1000"), (".5", "1/2"), ("2.", "2"), (" -7 ", "-7"),
        ("sqrt(2)", "sqrt(2)"), ("pi/4", "pi/4"), ("exp(1)", "exp(1)"), ("e", "exp(1)"), ("2*e", "2*exp(1)"),
        ("-inf", "-inf"), ("+inf", "inf"), ("inf", "inf"), ("nan", "nan"), ("NaN", "nan"),
        ("-2**2", "-4"), ("2**-1", "1/2"), ("2**3**2", "512"), ("(1 + 1)*3 - 4/2", "4"), ("--3", "3"),
        ("1/2/2", "1/4"), ("sqrt(12)", "2*sqrt(3)"), ("2**0.5", "sqrt(2)"), ("log(8)", "3*log(2)"),
        ("exp(0)", "1"), ("sqrt(4)", "2"), ("sqrt(1/4)", "1/2"), ("log(1)", "0"), ("sin(0)", "0"),
        ("sin(pi/6)", "1/2"),
        ("cbrt(-8)", "-2"), ("cos(pi)", "-1"), ("tan(pi/4)", "1"), ("acos(1)", "0"), ("atan2(1, 1)", "pi/4"),
        ("log2(8)", "3"), ("log2(1/8)", "-3"), ("log10(1000)", "3"), ("log2(sqrt(2))", "1/2"),
        ("exp(log(2))", "2"),
        ("tanh(log(2))", "3/5"), ("sigmoid(0)", "1/2"), ("sigmoid(log(3))", "3/4"), ("softplus(0)", "log(2)"),
        ("logaddexp(0, 0)", "log(2)"), ("sqrt(exp(2))", "exp(1)"), ("sqrt((1 - sqrt(2))**2)", "-1 + sqrt(2)"),
        ("1/(sqrt(2) - 1)", "1 + sqrt(2)"), ("(1 + sqrt(2))**2", "2*sqrt(2) + 3"),
        ("asin(sin(10))", "-10 + 3*pi"),
        ("(sqrt(2)**sqrt(2))**sqrt(2)", "2"), ("8**(2/3)", "4"),
        ("4**(-1/2)", "1/2"),
    ],
)  # fmt: skip
def test_a_number_is_read_exactly_and_printed_canonically(text: str, expected: str) -> None:
    assert to_text(parse_number(text)) == expected


def test_a_printed_number_is_read_back_by_us_and_by_sympy() -> None:
    for name, x in itertools.product(UNARY, GRID):
        value = OPERATIONS[name](x)
        assert to_text(parse_number(to_text(value))) == to_text(value), (name, x)
        if value not in ("nan", "inf", "-inf"):
            assert compare(parse_number(to_text(value)), value) == 0
            expected = (
                value
                if not isinstance(value, Fraction)
                else sympy.Rational(value.numerator, value.denominator)
            )
            assert sympy.sympify(to_text(value)) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "found 'the end'"), ("x", "unknown name 'x'"), ("2+", "found 'the end'"),
        ("1 2", "end before '2'"),
        ("((1", "expected ')'"), ("sin 1", "expected '('"), ("__import__('os')", "cannot read"),
        ("1.2.3", "cannot read"),
        ("1_000", "cannot read"), ("2x", "cannot read"), ("()", "found ')'"),
        ("1/0", "not a finite real number"),
        ("sqrt(-1)", "not a finite real number"), ("log(0)", "not a finite real number"),
        ("inf - inf", "unknown name"),
        ("9**9**9", "out of reach"), ("9**9**9**9", "out of reach"), ("1e999999999", "more than 4000 digits"),
        ("1" * 5000, "more than 4000 digits"), ("1+" * 9000 + "1", "at most 10000"),
        ("(" * 200 + "1" + ")" * 200, "nested"),
        ("-" * 200 + "1", "nested"), ("2**(1e30)", "out of reach"), ("exp(10**9*log(2))", "out of reach"),
        ("sqrt(2)**(10**9)", "out of reach"), ("(1/3)**(-10**9)", "out of reach"),
        ("atan2(1)", "expected ','"),
        ("floor(1)", "unknown name"), ("lambda: 1", "cannot read"), ("x.real", "cannot read"),
        ("٣", "cannot read"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_number_is_refused_quickly_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        parse_number(text)


ZEROS = [
    "sqrt(2)*sqrt(2) - 2", "exp(1) - e", "sqrt(2) + sqrt(3) - sqrt(5 + 2*sqrt(6))", "log(8) - 3*log(2)",
    "sin(pi)",
    "sin(1)**2 + cos(1)**2 - 1", "log(2) + log(3) - log(6)", "log(1 + sqrt(2)) + log(sqrt(2) - 1)",
    "4*atan(1/5) - atan(1/239) - pi/4", "softplus(1) - softplus(-1) - 1", "cos(1)**2 - sin(1)**2 - cos(2)",
    "asin(1/3) + acos(1/3) - pi/2", "exp(1)*(sqrt(2) + sqrt(3) - sqrt(5 + 2*sqrt(6)))",
    "cosh(1) - sinh(1) - exp(-1)",
    "exp(sqrt(2) + sqrt(3)) - exp(sqrt(5 + 2*sqrt(6)))", "asinh(3/4) - log(2)", "atanh(3/5) - log(2)",
    "acosh(5/4) - log(2)", "sigmoid(1) + sigmoid(-1) - 1",
    "sigmoid(1)*(1 - sigmoid(1)) - exp(1)/(1 + exp(1))**2",
    "1 - tanh(1)**2 - 1/cosh(1)**2", "erf(1) + erfc(1) - 1", "logaddexp(1, 1) - log(2) - 1",
    "cos(pi/7) - cos(2*pi/7) + cos(3*pi/7) - 1/2", "cbrt(2 + sqrt(5)) + cbrt(2 - sqrt(5)) - 1",
    "cbrt(7 + 5*sqrt(2)) - 1 - sqrt(2)", "log(2)*log(6) - log(2)**2 - log(2)*log(3)",
    "tan(1) - sin(1)/cos(1)",
    "sin(pi/7 + 1) - sin(1)*cos(pi/7) - cos(1)*sin(pi/7)", "sqrt(1 + exp(2) + 2*e) - 1 - e",
    "2**pi - exp(pi*log(2))",
    "1/(sqrt(2) - 1) - sqrt(2) - 1", "log1p(1) - log(2)", "expm1(2) + 1 - exp(2)",
    "log10(2) - log(2)/log(10)",
    "sqrt(sqrt(5) + 1)*sqrt(sqrt(5) - 1) - 2", "sqrt(6 + 4*sqrt(2)) - 2 - sqrt(2)",
    "erf(sqrt(2)) + erf(-sqrt(2))", "log(e + exp(2))/2 - log(1 + e)/2 - 1/2",
]  # fmt: skip


@pytest.mark.parametrize("text", ZEROS)
def test_zero_is_proved_and_becomes_rational(text: str) -> None:
    assert parse_number(text) == 0


@pytest.mark.parametrize("text", ZEROS)
def test_next_to_zero_the_sign_is_that_of_the_small_term(text: str) -> None:
    assert sign(parse_number(f"{text} + exp(-700)")) == 1
    assert sign(parse_number(f"{text} - 1e-300")) == -1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp(-1e6)", 1), ("exp(-1e30)", 1), ("exp(-exp(exp(100)))", 1), ("-exp(exp(exp(100)))", -1),
        ("exp(pi*sqrt(163)) - 262537412640768744", -1), ("sqrt(1 + 1e-100) - 1", 1),
        ("sqrt(2) - 14142135623730950488016887242096980785696718753769/10**49", 1),
        ("sqrt(2) - 14142135623730950488016887242096980785696718753770/10**49", -1),
        ("sin(1e22)", -1), ("pi - 355/113", -1), ("erfc(100)", 1), ("1 - tanh(300)", 1),
        ("sin(11)**2 - 1", -1),
        ("cbrt(-2)", -1), ("log(1 + 1e-40)", 1), ("cos(1e-200) - 1", -1), ("1 - erf(20)", 1),
        ("sqrt(10**800 + 1) - 10**400", 1), ("10**400 - sqrt(10**800 + 1)", -1),
    ],
)  # fmt: skip
def test_a_nonzero_sign_is_found_however_near_zero(text: str, expected: int) -> None:
    assert sign(parse_number(text)) == expected


def test_sums_of_nine_square_roots_that_agree_to_36_digits_are_told_apart() -> None:
    left, right = (
        parse_number(" + ".join(f"sqrt({1000000 + offset})" for offset in offsets))
        for offsets in ((1, 25, 31, 84, 87, 134, 158, 182, 198), (2, 18, 42, 66, 113, 116, 169, 175, 199))
    )
    assert to_float(left) == to_float(right)
    assert abs(to_float(sub(left, right))) < 1e-36
    assert {compare(left, right), compare(right, left)} == {-1, 1}


def test_what_has_no_proof_has_no_sign() -> None:
    huge = parse_number("sin(exp(exp(20)))")
    assert sign(huge) is None
    assert compare(huge, Fraction(0)) is None
    assert compare(huge, "inf") == -1
    beyond: Any = 1 - sympy.exp(sympy.exp(sympy.exp(100)))
    assert signs.sign_of(sympy.Pow(beyond, 3, evaluate=False)) is None
    with pytest.raises(Undecided):
        OPERATIONS["sqrt"](huge)
    with pytest.raises(Undecided):
        OPERATIONS["div"](Fraction(1), huge)


def test_nan_has_no_sign_and_no_order() -> None:
    with pytest.raises(ValueError, match="nan"):
        sign("nan")
    assert compare("nan", "nan") == "unordered"
    assert compare(Fraction(1), "nan") == "unordered"
    assert [compare(x, y) for x, y in (("inf", "inf"), ("-inf", "inf"), ("inf", Fraction(3)))] == [0, -1, 1]


def test_an_identity_that_sympy_got_wrong_is_caught_by_balls(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = sympy.sin
    monkeypatch.setattr(
        sympy, "sin", lambda x, evaluate=True: sympy.cos(x) if evaluate else honest(x, evaluate=False)
    )
    assert to_float(OPERATIONS["sin"](Fraction(1, 3))) == pytest.approx(math.sin(1 / 3))
    assert to_text(OPERATIONS["sinh"](parse_number("acos(erf(5))"))) == "sinh(acos(erf(5)))"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("floor", "-1/2", -1), ("floor", "sqrt(2)*100", 141), ("floor", "-pi", -4), ("ceil", "pi", 4),
        ("ceil", "-e", -2),
        ("floor", "exp(pi*sqrt(163))", 262537412640768743), ("ceil", "exp(pi*sqrt(163))", 262537412640768744),
        ("floor", "sqrt(2)*sqrt(2)", 2), ("ceil", "log2(1024)", 10), ("floor", "log10(1000)", 3),
        ("floor", "3 - exp(-500)", 2), ("floor", "3 + exp(-500)", 3), ("trunc", "-pi", -3),
        ("trunc", "7/2", 3),
        ("round", "1/2", 0), ("round", "3/2", 2), ("round", "5/2", 2), ("round", "-1/2", 0),
        ("round", "-3/2", -2),
        ("round", "1/2 + exp(-300)", 1), ("round", "3/2 - exp(-300)", 1), ("round", "5/2 - exp(-300)", 2),
        ("round", "sqrt(2)", 1), ("round", "-e", -3), ("sign", "sqrt(2) - 3/2", -1),
        ("floor", "exp(exp(1)) - exp(e)", 0),
    ],
)  # fmt: skip
def test_steps_are_decided_exactly_next_to_the_jump(name: str, text: str, expected: int) -> None:
    assert OPERATIONS[name](parse_number(text)) == expected


def test_remainders_of_irrational_numbers_are_exact() -> None:
    assert OPERATIONS["fmod"](parse_number("-7*sqrt(2)/2"), parse_number("sqrt(2)")) == parse_number(
        "-sqrt(2)/2"
    )
    assert OPERATIONS["remainder"](parse_number("-7*sqrt(2)/2"), parse_number("sqrt(2)")) == parse_number(
        "sqrt(2)/2"
    )
    assert OPERATIONS["fmod"](parse_number("3*pi"), parse_number("pi")) == 0


def test_powers_of_irrational_numbers_follow_the_rules_for_reals() -> None:
    root = parse_number("-sqrt(2)")
    assert power(root, Fraction(2)) == 2
    assert power(root, Fraction(1, 2)) == "nan"
    assert power(root, parse_number("sqrt(2)")) == "nan"
    assert power(parse_number("exp(2)"), Fraction(1, 2)) == parse_number("e")
    assert power("nan", Fraction(0)) == power(Fraction(1), "nan") == 1
    assert power(Fraction(-1), "inf") == 1


def test_exp_of_a_logarithm_is_a_power_however_deep_the_sum() -> None:
    deep = "(exp(-1) + exp(1) + 2*exp(2))"
    assert parse_number(f"exp(2 - log{deep})") == parse_number(f"exp(2)/{deep}")
    assert parse_number(f"exp(3*log{deep})") == parse_number(f"{deep}**3")


def test_the_exact_pole_of_the_tangent_is_inf() -> None:
    assert OPERATIONS["tan"](parse_number("pi/2")) == "inf"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1", 0.1), ("1/3", 1 / 3), ("sqrt(2)", math.sqrt(2)), ("exp(1)", math.e), ("pi", math.pi),
        ("exp(710)", math.inf),
        ("-exp(710)", -math.inf), ("exp(-800)", 0.0), ("1e400", math.inf), ("-1e400", -math.inf),
        ("1e-400", 0.0),
        ("5e-324", 5e-324), ("exp(-exp(exp(100)))", 0.0), ("-exp(exp(exp(100)))", -math.inf), ("1e23", 1e23),
        ("sqrt(2)*1e-310", math.sqrt(2) * 1e-310),
        ("1 + 1/2**53", 1.0), ("1 + 1/2**53 + exp(-300)", 1 + 2**-52), ("1 + 1/2**53 - exp(-300)", 1.0),
    ],
)  # fmt: skip
def test_floats_are_correctly_rounded(text: str, expected: float) -> None:
    assert to_float(parse_number(text)) == expected


def test_floats_are_read_as_the_dyadic_numbers_they_are() -> None:
    assert from_float(0.1) == Fraction(3602879701896397, 2**55)
    assert [from_float(x) for x in (math.inf, -math.inf, math.nan)] == ["inf", "-inf", "nan"]


def test_growing_rationals_and_expressions_stop_at_the_budget() -> None:
    for start in (Fraction(1, 3), parse_number("e"), parse_number("sqrt(2)")):
        x: Exact = start
        with pytest.raises(TooLarge):
            for _ in range(100):
                x = add(mul(x, x), Fraction(1, 7))
    x = Fraction(1, 2)
    with pytest.raises(TooLarge):
        for step in range(100):
            x = add(OPERATIONS["sin"](x), Fraction(step, 3))
    assert len(to_text(x)) > 100
    assert to_float(x) == pytest.approx(to_float(x))


def test_the_integer_part_of_an_enormous_number_is_refused() -> None:
    with pytest.raises(TooLarge):
        integer_below(sympy.exp(10**6))
    with pytest.raises(TooLarge):
        OPERATIONS["floor"](parse_number("exp(exp(30))"))


def test_random_expressions_agree_with_floats_and_with_themselves() -> None:
    generator = random.Random(20240117)
    names = [
        *operations.ELEMENTARY,
        "sqrt",
        "cbrt",
        "log2",
        "atan2",
        "add",
        "sub",
        "mul",
        "div",
        "pow",
    ]
    for _ in range(300):
        pool: list[Exact] = [Fraction(generator.randint(-6, 6), generator.randint(1, 4)) for _ in range(3)]
        for _ in range(3):
            name = generator.choice(names)
            arguments = [generator.choice(pool) for _ in TABLE[name].params]
            value = OPERATIONS[name](*arguments)
            pool.append(value)
            expected = in_floats(name, *arguments)
            if abs(expected) < 1e6 and (expected == 0 or abs(expected) > 1e-6):
                assert math.isclose(to_float(value), expected, rel_tol=1e-6), (name, arguments)
            assert compare(value, value) in (0, "unordered")


def test_random_identities_of_square_roots_are_decided_by_the_separation_bound() -> None:
    generator = random.Random(7)
    for _ in range(30):
        a, b, c = (generator.randint(2, 40) for _ in range(3))
        left = parse_number(f"(sqrt({a}) + sqrt({b}) - sqrt({c}))**2")
        right = parse_number(f"{a + b + c} + 2*sqrt({a * b}) - 2*sqrt({a * c}) - 2*sqrt({b * c})")
        assert compare(left, right) == 0
        assert compare(left, add(right, Fraction(1, 10**60))) == -1
        assert sub(left, right) == 0


@pytest.mark.parametrize(
    "text", ["sqrt(2)", "sqrt(2)/3 - 1/7", "cbrt(2) + sqrt(3)", "1/(sqrt(5) - 2)", "cos(pi/9)", "tan(pi/7)"]
)
def test_the_separation_bound_is_below_every_conjugate_combination(text: str) -> None:
    value = parse_number(text)
    bits = balls.separation_bits(value)
    assert bits is not None
    assert abs(to_float(value)) >= 2.0**-bits
    smallest = min(abs(root) for root in sympy.Poly(sympy.minimal_polynomial(value)).nroots(n=30))
    assert smallest >= 2.0**-bits


def conjugate_bits(constant: sympy.Expr) -> tuple[int, int]:
    found = balls._conjugates(constant, set(), {1})
    assert found is not None
    return found


def test_the_conjugates_of_a_root_are_within_their_bound() -> None:
    x = sympy.Symbol("x")
    for poly in (x**3 - 1000 * x**2 + 1, 7 * x**3 - x - 5000, 3 * x**5 - 100 * x + 2):
        above, below = conjugate_bits(sympy.CRootOf(poly, 0))
        leading = int(sympy.Poly(poly).LC())
        assert leading <= 2**below
        assert all(abs(leading * root) <= 2**above for root in sympy.Poly(poly).nroots(n=30))


def test_a_reciprocal_swaps_the_bounds_and_a_root_divides_them() -> None:
    for x in (sympy.Rational(3, 1000), sympy.cbrt(2) / 7 + 1, 5000 + sympy.sqrt(3) / 2):
        above, below = conjugate_bits(x)
        assert conjugate_bits(sympy.Pow(x, -1, evaluate=False)) == (below, above)
        assert conjugate_bits(sympy.Pow(x, -3, evaluate=False)) == (3 * below, 3 * above)
        for degree in (2, 3, 5):  # (U/L)**(1/degree) over the same denominator, or the same numerator
            root_above, root_below = conjugate_bits(sympy.Pow(x, sympy.Rational(1, degree), evaluate=False))
            if above >= below:
                assert root_below == below
                assert degree * root_above >= above + (degree - 1) * below
            else:
                assert root_above == above
                assert degree * root_below >= below + (degree - 1) * above


@pytest.mark.parametrize(
    "text", ["4*atan(1/5) - atan(1/239) + 3*pi/4", "sqrt(1 + exp(2) + 2*e) + 1 + e", "log(2) + log(1/3)"]
)
def test_what_is_far_from_zero_is_not_proved_to_vanish(text: str) -> None:
    """Rules that hold up to a sign or a turn: they must not be taken for proofs without the rest."""
    assert not signs.vanishes(parse_number(text))


def test_a_transcendental_number_has_no_separation_bound() -> None:
    assert balls.separation_bits(parse_number("sqrt(2) + e")) is None
    assert not signs.vanishes(parse_number("e - 2"))


def test_rational_arithmetic_does_not_import_sympy() -> None:
    program = (
        "import sys; from fractions import Fraction as F; from cfcompiler.operations import OPERATIONS as O\n"
        "from cfcompiler.number_text import parse_number, to_text\n"
        "from cfcompiler.numbers import compare, sign, to_float\n"
        "x = parse_number('0.1'); y = O['div'](O['floor'](F(7, 2)), x); to_text(y); to_float(y)\n"
        "sign(y); compare(x, y); O['exp'](F(0)); O['sqrt'](F(9, 4)); O['cbrt'](F(-8)); O['log']('inf')\n"
        "O['round'](x); O['pow'](x, F(-3))\n"
        "sys.exit('sympy' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
