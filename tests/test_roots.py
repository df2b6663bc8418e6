"""Real roots of polynomials as exact numbers: as SymPy counts them, with proved signs, at points of programs."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy

from cfcompiler import cli, compile_text
from cfcompiler.algebraic import real_root
from cfcompiler.number_text import parse_number, to_text
from cfcompiler.numbers import Finite, add, compare, div, is_special, mul, power, sign, sub, to_float

X = sympy.Symbol("x")


def number(text: str) -> Finite:
    found = parse_number(text)
    assert not is_special(found)
    return found


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("CRootOf(x**5 - x - 1, 0)", "CRootOf(x**5 - x - 1, 0)"),
        ("CRootOf(t**5 - t - 1, 0)", "CRootOf(x**5 - x - 1, 0)"),
        ("rootof(2*x**3/3 - x*(x - 1)/2 - 1, 0)", "CRootOf(4*x**3 - 3*x**2 + 3*x - 6, 0)"),
        ("CRootOf((x**3 - 2)*(x - 1)**2*(x**2 - 2), 0)", "-sqrt(2)"),
        ("CRootOf((x**3 - 2)*(x - 1)**2*(x**2 - 2), 2)", "1"),
        ("CRootOf((x**3 - 2)*(x - 1)**2*(x**2 - 2), 3)", "CRootOf(x**3 - 2, 0)"),
        ("CRootOf(-x**2 + 3*x - 1, 1)", "sqrt(5)/2 + 3/2"),
        ("CRootOf(x**3 - 2, 0) - 2**(1/3)", "0"),
        ("CRootOf(x**3 - 3*x + 1, 0) + CRootOf(x**3 - 3*x + 1, 1) + CRootOf(x**3 - 3*x + 1, 2)", "0"),
        ("CRootOf(x**3 - 3*x + 1, 0)*CRootOf(x**3 - 3*x + 1, 1)*CRootOf(x**3 - 3*x + 1, 2)", "-1"),
        ("CRootOf(x**4 - 10*x**2 + 1, 3) - sqrt(2) - sqrt(3)", "0"),
        ("1/CRootOf(x**3 - 2, 0)", "CRootOf(x**3 - 2, 0)**2/2"),
        ("(CRootOf(x**3 - x - 1, 0)**2)**(1/2)", "CRootOf(x**3 - x - 1, 0)"),
        ("(CRootOf(x**3 - x + 1, 0)**2)**(1/2)", "-CRootOf(x**3 - x + 1, 0)"),
        ("CRootOf(x**3 - x - 1, 0)**100", None),
    ],
)
def test_roots_are_read_and_printed(text: str, printed: str | None) -> None:
    value = number(text)
    if printed is not None:
        assert to_text(value) == printed
    assert compare(number(to_text(value)), value) == 0
    expected = complex(sympy.sympify(text).evalf(30))
    assert to_float(value) == pytest.approx(expected.real, rel=1e-12, abs=1e-20)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("CRootOf(x**5 - x - 1, 1)", "1 real root"),
        ("CRootOf(x**5 - x - 1, -1)", "counted from 0"),
        ("CRootOf(x**2 + 1, 0)", "0 real roots"),
        ("CRootOf(7, 0)", "a constant"),
        ("CRootOf(x*y - 1, 0)", "in one variable"),
        ("CRootOf(x**3 - 2, 1/2)", "whole number"),
        ("CRootOf(x**900 - 2, 0)", "at most 200"),
        ("CRootOf(x**150 - 2, 0)", "degree 60"),
        ("CRootOf(1/x - 2, 0)", "divided"),
        ("CRootOf(sin(x), 0)", "expected"),
        ("CRootOf(x**3 - 2", "expected"),
        ("CRootOf", "expected"),
    ],
)
def test_what_is_no_real_root_is_said(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        parse_number(text)


def test_roots_are_counted_as_sympy_counts_them() -> None:
    rng = random.Random(3)
    tried = 0
    while tried < 25:
        coefficients = [rng.randint(-9, 9) for _ in range(rng.randint(3, 7))]
        if rng.random() < 0.3:
            coefficients = [int(c) for c in sympy.Poly(sympy.Poly(coefficients, X) ** 2, X).all_coeffs()]
        poly = sympy.Poly(coefficients, X)
        if poly.degree() < 3:
            continue
        tried += 1
        real = sympy.real_roots(poly)
        for place, root in enumerate(real):
            found = real_root([int(c) for c in reversed(poly.all_coeffs())], place)
            assert to_float(found) == pytest.approx(float(root.evalf(30)), rel=1e-12, abs=1e-20)
        with pytest.raises(ValueError, match="real root"):
            real_root([int(c) for c in reversed(poly.all_coeffs())], len(real))


def test_arithmetic_of_one_root_has_normal_forms() -> None:
    """Two ways to compute one number end in one expression; its sign is that of the float."""
    rng = random.Random(5)
    for text in ("CRootOf(x**3 - x - 1, 0)", "CRootOf(x**5 - 3*x + 1, 1)", "CRootOf(3*x**4 - 7*x + 1, 0)"):
        root = number(text)
        for _ in range(6):
            p, q = ([Fraction(rng.randint(-5, 5), rng.randint(1, 4)) for _ in range(4)] for _ in range(2))
            one, other = (value_of(row, root) for row in (p, q))
            both = mul(one, other)
            again = value_of(
                [sum((p[i] * q[k - i] for i in range(4) if 0 <= k - i < 4), Fraction(0)) for k in range(7)],
                root,
            )
            assert both == again
            assert sign(sub(both, again)) == 0
            if sign(other) != 0:
                assert div(both, other) == one
            near = to_float(both)
            assert sign(both) == (near > 0) - (near < 0)


def value_of(coefficients: list[Fraction], root: Finite) -> Any:
    total: Any = Fraction(0)
    for k, c in enumerate(coefficients):
        total = add(total, mul(c, power(root, Fraction(k))))
    return total


def test_a_point_that_is_a_root_is_judged() -> None:
    root = "CRootOf(x**5 - x - 1, 0)"
    kink = compile_text("def f(x):\n    return relu(x**5 - x - 1) - relu(-x**5 + x + 1) + exp(x)\n").at(
        x=root
    )
    assert (kink.judged.verdict, kink.judged.ad_critical) == ("spurious", False)
    mixed = compile_text("def f(x, y):\n    return max(x**5 - 1, y)*sin(x)\n").at(x=root, y=root)
    assert mixed.judged.verdict == "clarke"
    other = compile_text("def f(x, y):\n    return abs(x**2 - y)\n").at(
        x="CRootOf(x**3 - 2, 0)", y="4**(1/3)"
    )
    assert other.judged.verdict == "clarke"
    array = compile_text("def f(v: Real[2]):\n    return max(v)\n").at(v=[root, f"{root}**5 - 1"])
    assert array.judged.verdict == "clarke"


def test_the_command_line_takes_roots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.cf"
    path.write_text("def f(x, y):\n    return abs(x**5 - x - 1) + y\n")
    assert cli.main(["at", str(path), "x=CRootOf(x**5 - x - 1, 0)", "y=1"]) == 0
    assert "clarke" in capsys.readouterr().out
    assert cli.main(["at", str(path), "x=CRootOf(x**5 - x - 1, 2)", "y=1"]) == 2
    assert "1 real root" in capsys.readouterr().err


def test_strata_whose_witness_is_a_root_agree_with_the_point() -> None:
    texts = (
        "max(x**3 - y - 1, y*x) + relu(y - x) - relu(x - y)",
        "1 if x**3 + y - 1 > 0 and y**2 > x else x*y",
        "(relu(x**3 - x - 1) - relu(-x**3 + x + 1) - 1)**2/2 + y*y",
    )
    tried = 0
    for text in texts:
        compiled = compile_text(f"def f(x, y):\n    return {text}\n")
        for stratum in compiled.strata().strata:
            if "CRootOf" in str(stratum.witness):
                own = compiled.at(**stratum.witness).judged
                assert own.verdict == stratum.verdict
                for left, right in (
                    (stratum.ad_critical, own.ad_critical),
                    (stratum.artificial_critical, own.artificial_critical),
                ):
                    assert left is None or right is None or left == right
                tried += 1
    assert tried >= 4
