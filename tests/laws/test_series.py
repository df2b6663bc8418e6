"""Series of the elementary functions (analyses/germs.py) against mpmath along arcs, and against SymPy's derivatives.

Along x(t) = p + a*t + b*t**2 a series is right if, at t = 2**-300, what is left of the value behind its known terms is
below t to the next power: in so many digits each coefficient stands by itself, and none can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

from cfcompiler import numbers
from cfcompiler.analyses.germs import BINARY, GERMS, UNARY
from cfcompiler.analyses.series import TERMS, Series, limit, normal, power
from cfcompiler.arithmetic import Undecided
from cfcompiler.compiler import compile_text
from cfcompiler.number_text import parse_number
from cfcompiler.primitives import TABLE
from tests.laws.functions_by_mpmath import (
    ONE_ARGUMENT,
    SMOOTH,
    STEPS,
    SYMBOLIC,
    TWO_ARGUMENTS,
    in_mpmath,
    of_text,
    points_inside,
)

BITS = 4500
STEP = 300  # t = 2**-STEP
SLACK = 2**180  # of a coefficient, against 2**STEP between two powers of t
Arc = tuple[str, ...]  # the coefficients of x(t), from low to high

FORWARD, BACKWARD, BENT, SLOW = ("1",), ("-1",), ("2", "-1/3"), ("0", "-1", "1/2")
# Arcs into ends of domains, poles and jumps on which the function has a Laurent series in t.
EDGES: dict[str, tuple[Arc, ...]] = {
    "sqrt": (("0", "0", "1"), ("0", "0", "4", "1"), ("0", "0", "0", "0", "2/3", "1")),
    "cbrt": (("0", "0", "0", "1"), ("0", "0", "0", "-8", "3"), ("0",)),
    "asin": (("1", "0", "-1"), ("-1", "0", "1", "1/5"), ("1", "0", "-1/2", "1")),
    "acos": (("1", "0", "-1"), ("-1", "0", "1", "1/5"), ("1", "0", "-1/2", "1")),
    "acosh": (("1", "0", "1"), ("1", "0", "1/2", "-1")),
    "tan": (("pi/2", "1"), ("pi/2", "-1"), ("-pi/2", "1", "2"), ("3*pi/2", "0", "-1")),
    "sin": (("pi", "1"), ("pi/6", "-2")),
    "cos": (("pi/2", "1"), ("pi/3", "-2")),
    "neg": (("0", "0", "3"),),
    **{
        name: (
            *((p, a) for p in ("0", "1", "-1", "2", "1/2", "-1/2", "3/2", "-3/2", "5/2") for a in ("1", "-1")),
            *((p, a) for p in ("2/5", "-2/5", "3/5", "-3/5", "7/4", "-7/4", "pi") for a in ("1", "-1")),
            ("1/2",), ("3/2",), ("-5/2",), ("-1",), ("1/2", "0", "-1"), ("1", "0", "-1", "3"), ("-3", "0", "2"),
        )
        for name in STEPS
    },
}  # fmt: skip
# Arcs on which there is none: outside of the domain, half a power, a logarithm at 0, a function at infinity.
REFUSED: dict[str, tuple[Arc, ...]] = {
    **dict.fromkeys(("log", "log2", "log10"), (("0", "1"), ("0", "0", "1"), ("-1", "1"), ("0", "-1"))),
    "log1p": (("-1", "1"), ("-2", "1")),
    "sqrt": (("0", "1"), ("-1", "1"), ("0", "0", "-1"), ("0", "0", "0", "1")),
    "cbrt": (("0", "1"), ("0", "0", "-1")),
    **dict.fromkeys(("asin", "acos"), (("1", "-1"), ("-1", "1"), ("1", "0", "1"), ("2", "1"), ("-2", "1"))),
    "acosh": (("1", "1"), ("1", "0", "-1"), ("0", "1"), ("-2", "1")),
    "atanh": (("1", "-1"), ("-1", "1"), ("2", "1"), ("1", "0", "-1")),
}
PAIRS: dict[str, tuple[tuple[Arc, Arc], ...]] = {
    "atan2": (
        (("0", "1"), ("1", "1")), (("1/2", "-1"), ("-1", "2")), (("-1/2", "1"), ("-2", "1")),
        (("0", "1"), ("-1", "1")), (("0", "-1"), ("-1", "1")), (("0", "0", "-2"), ("-1/3", "1")),
        (("2", "1"), ("0", "1")), (("-2", "1"), ("0", "-1")), (("-2", "1"), ("0",)), (("2", "1"), ("0",)),
        (("0",), ("-2", "1")),
        (("0",), ("2", "1")),
    ),
    "pow": (
        (("1", "1"), ("1/3", "1")), (("1", "-1", "2"), ("-2", "1")), (("3", "1"), ("-2",)), (("-3", "1"), ("3",)),
        (("-3", "1"), ("-2",)), (("0", "1"), ("3",)), (("0", "-1"), ("-3",)), (("0", "0", "4", "1"), ("3/2",)),
        (("0", "0", "4", "1"), ("-1/2",)), (("5", "2"), ("2/3",)), (("1", "0", "0", "1"), ("pi",)),
        (("2",), ("1", "1")),
        (("0", "1"), ("0",)), (("1", "1"), ("-1/2", "-1")),
    ),
    "logaddexp": ((("0", "1"), ("0", "-1")), (("1", "1"), ("-1/2", "2")), (("-2", "1"), ("1", "0", "1"))),
    "fmod": tuple(
        ((p, a), q) for p in ("7/2", "-7/2", "3", "-3", "0") for a in ("1", "-1") for q in (("3/2",), ("-1",))
    ),
    "remainder": tuple(
        ((p, a), q) for p in ("7/2", "-7/2", "3", "-3", "0") for a in ("1", "-1") for q in (("3/2",), ("-1",))
    ),
    "heaviside": tuple(((p, a), ("1/2", "1")) for p in ("0", "1", "-1") for a in ("1", "-1", "0")),
    "add": ((("1", "1"), ("-1", "2")), (("pi", "1"), ("1/3", "0", "1"))),
    "sub": ((("1", "1"), ("-1", "2")), (("pi", "1"), ("1/3", "0", "1"))),
    "mul": ((("1", "1"), ("-1", "2")), (("0", "1"), ("1/3", "0", "1"))),
    "div": ((("1", "1"), ("-1", "2")), (("1", "1"), ("0", "0", "-3", "1")), (("0", "0", "1"), ("0", "2"))),
}  # fmt: skip
REFUSED_PAIRS: dict[str, tuple[tuple[Arc, Arc], ...]] = {
    "atan2": ((("0", "1"), ("0", "1")), (("0", "-1"), ("0", "0", "1"))),
    "pow": (
        (("-2", "1"), ("1/3",)), (("-2", "1"), ("1/2",)), (("0", "1"), ("1/2",)), (("0", "1"), ("1", "1")),
        (("-1", "1"), ("1", "1")), (("0",), ("-1/2",)),
    ),
    "div": ((("1", "1"), ("0",)),),
}  # fmt: skip


def arc(coefficients: Sequence[str]) -> Series:
    return normal(0, [parse_number(text) for text in coefficients], True)


def place(coefficients: Sequence[str], t: Any) -> Any:
    return sum((of_text(c) * t**k for k, c in enumerate(coefficients)), mpmath.mpf(0))


def at_arcs(name: str, *arcs: Sequence[str]) -> Series:
    """A row as a program on an arc has it."""
    args = []
    for coefficients in arcs:
        entry = np.empty((), dtype=object)
        entry[()] = arc(coefficients)
        args.append(entry)
    found = GERMS.elementwise(name, args, None)[()]
    assert isinstance(found, Series)
    return found


def demand(series: Series, value: Callable[[Any], Any], name: str, *arcs: Sequence[str]) -> None:
    """The series is that of `value` along the arcs."""
    with mpmath.workprec(BITS):
        t = mpmath.mpf(2) ** -STEP
        known = sum(
            (in_mpmath(c) * t ** (series.valuation + k) for k, c in enumerate(series.coefficients)),
            mpmath.mpf(0),
        )
        gap = abs(value(*(place(coefficients, t) for coefficients in arcs)) - known)
        allowed = mpmath.mpf(2) ** -(BITS - 500) if series.exact else SLACK * t**series.precision
        assert gap <= allowed, (name, arcs, series)
    assert series.exact or len(series.coefficients) >= TERMS // 2, (name, arcs)


def arcs_of(name: str) -> tuple[Arc, ...]:
    if name in STEPS:
        return EDGES[name]
    first, *others = points_inside(name)
    ways = [(first, *FORWARD), (first, *BACKWARD), (first, *BENT), (others[-1], *SLOW), (others[-1],)]
    ways += [(p, *(BACKWARD if k % 2 else FORWARD)) for k, p in enumerate(others)]
    return (*ways, *EDGES.get(name, ()))


def test_every_elementwise_row_has_a_series_and_arcs_to_try_it_on() -> None:
    rows = {name for name, row in TABLE.items() if row.kind == "elementwise"} - {"ipow", "rpow"}
    assert set(UNARY) == {*SMOOTH, *STEPS} == set(ONE_ARGUMENT)
    assert set(BINARY) == set(TWO_ARGUMENTS) == set(PAIRS)
    assert rows == {*UNARY, *BINARY}


@pytest.mark.parametrize("name", UNARY)
def test_a_series_is_the_function_along_the_arc(name: str) -> None:
    for coefficients in arcs_of(name):
        demand(at_arcs(name, coefficients), ONE_ARGUMENT[name], name, coefficients)


@pytest.mark.parametrize("name", BINARY)
def test_a_series_of_two_arguments_is_the_function_along_the_arcs(name: str) -> None:
    for first, second in PAIRS[name]:
        demand(at_arcs(name, first, second), TWO_ARGUMENTS[name], name, first, second)


@pytest.mark.parametrize(
    ("name", "arcs"),
    [
        *((name, (coefficients,)) for name, row in REFUSED.items() for coefficients in row),
        *((name, pair) for name, row in REFUSED_PAIRS.items() for pair in row),
    ],
)
def test_where_there_is_no_series_none_is_given(name: str, arcs: tuple[Arc, ...]) -> None:
    with pytest.raises((Undecided, numbers.Undecided)):
        at_arcs(name, *arcs)


@pytest.mark.parametrize("exponent", ["3", "-2", "0", "1", "70", "-65", "1/2", "-1/2", "2/3", "-5/3"])
def test_powers_along_arcs(exponent: str) -> None:
    n = Fraction(exponent)
    ways: list[Arc] = [("2", "1"), ("1/3", "-1", "2"), ("5",)]
    if n.denominator == 1 and abs(n) < 64:
        ways += [("0", "1"), ("-2", "1"), ("0", "-2", "1")]
    elif abs(n) < 64:
        ways += [(*["0"] * n.denominator, "3", "1")]
    for coefficients in ways:
        demand(
            power(arc(coefficients), n),
            lambda x: mpmath.power(x, in_mpmath(n)),
            f"power {exponent}",
            coefficients,
        )


@cache
def derivatives(name: str, most: int) -> list[Any]:
    """f, f', f'', ... as SymPy has them."""
    x = sympy.Symbol("x", positive=True) if name == "cbrt" else sympy.Symbol("x", real=True)
    found = [SYMBOLIC[name](x)]
    for _ in range(most):
        found.append(sympy.diff(found[-1], x))
    return [lambda start, part=part: part.subs(x, start) for part in found]


@pytest.mark.parametrize("name", SMOOTH)
def test_taylor_coefficients_are_the_derivatives_that_sympy_finds(name: str) -> None:
    start, most = points_inside(name)[0], 3
    own = at_arcs(name, (start, "1"))
    for k, derivative in enumerate(derivatives(name, most)):
        value = derivative(sympy.Rational(start))
        expected = numbers.settled(value / sympy.factorial(k))
        assert numbers.compare(own.at(k), expected) == 0, (name, k)


@pytest.mark.parametrize(
    "text",
    [
        "exp(sin(x))", "log(1 + tan(x))", "sqrt(1 + sinh(x))", "atan(exp(x) - 1)", "tanh(x)/x", "(exp(x) - 1)/x",
        "sin(x)/tan(2*x)", "erf(x)/sin(x)", "asinh(x)/x**2", "log(1 + x)/sin(x)**2", "1/(cos(x) - 1)",
        "acos(x)*asin(x)", "(1 + x)**(1/3)", "exp(x)**2/(1 + exp(x))", "atanh(sin(x))", "cosh(x)/(1 - x)",
    ],
)  # fmt: skip
def test_compositions_have_the_series_of_sympy(text: str) -> None:
    expected = sympy.series(sympy.sympify(text), sympy.Symbol("x"), 0, 5, dir="+").removeO()
    own = _germ_of(text)
    for k in range(-3, 4):
        coefficient = numbers.settled(expected.coeff(sympy.Symbol("x"), k))
        assert numbers.compare(own.at(k), coefficient) == 0, (text, k)


def _germ_of(text: str) -> Series:
    """The value of a line along x = t, as a program is run on an arc."""
    from cfcompiler.interpreter import run

    program = compile_text(f"def f(x):\n    return {text}\n").program
    point = np.empty((), dtype=object)
    point[()] = arc(("0", "1"))
    series = run(program, {"x": point}, GERMS, lenient=True)[program.results[0].name][()]
    assert isinstance(series, Series)
    return series


def test_limits_and_sides_of_poles() -> None:
    assert limit(at_arcs("tan", ("pi/2", "1"))) == "-inf"
    assert limit(at_arcs("tan", ("pi/2", "-1"))) == "inf"
    assert limit(at_arcs("div", ("1", "1"), ("0", "0", "-3"))) == "-inf"
    assert limit(at_arcs("cos", ("0", "1"))) == 1


def test_nothing_is_said_behind_the_last_known_term() -> None:
    known = normal(0, [Fraction(1), Fraction(2)], False)
    assert (known.at(-1), known.at(1)) == (0, 2)
    with pytest.raises(Undecided):
        known.at(2)
    assert normal(0, [Fraction(1), Fraction(2)], True).at(2) == 0
    with pytest.raises(Undecided):  # a zero as far as it is known
        normal(0, [Fraction(0)] * 3, False)
    long = normal(0, [Fraction(1)] * (4 * TERMS + 1), True)
    assert (long.exact, long.precision) == (False, 4 * TERMS)


def test_a_negative_series_has_no_power_that_is_a_fraction() -> None:
    for exponent in (Fraction(1, 3), Fraction(1, 2), Fraction(-2, 3)):
        for coefficients in ([Fraction(-1)], [Fraction(-1), Fraction(1)]):
            with pytest.raises(Undecided):
                power(normal(0, coefficients, True), exponent)


@pytest.mark.parametrize(("start", "expected"), [("2/5", "0"), ("3/5", "1"), ("1/2", "1"), ("-2/5", "0")])
def test_what_is_rounded_on_the_way_into_a_point(start: str, expected: str) -> None:
    """sqrt(x)**2 has a slope at 0 along arcs alone, and round(x + 2/5) is 0 on all of them."""
    line = f"(sqrt(x)*sqrt(x) if round(x + {start}) == {expected} else 5*sqrt(x)*sqrt(x)) if x >= 0 else 0*x"
    report = compile_text(f"def f(x):\n    return {line}\n").at(x=0)
    assert {vector[0]["x"] for vector in report.judged.bouligand} == {"0", "1"}
