"""What a generated module computes on arcs (targets/numpy_module/arc_functions.py) against the exact series of germs.

`tests/laws/test_series.py` measures those with mpmath and SymPy; here their coefficients are compared in floats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from math import comb
from typing import Any

import numpy as np
import pytest

from cfcompiler.compiler import compile_text
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import to_float
from cfcompiler.primitives import TABLE as ROWS
from cfcompiler.targets.numpy_module.arc_functions import NAMES, NUMPY_NAMES, TABLE
from tests.laws.functions_by_mpmath import SMOOTH, STEPS, points_inside
from tests.laws.test_series import PAIRS, REFUSED, arcs_of, at_arcs

_Arc, _arc = TABLE["_Arc"], TABLE["_arc"]
ONE = tuple(name for name in (*SMOOTH, *STEPS) if name not in ("neg", "sign"))
TWO = ("atan2", "logaddexp", "fmod", "remainder", "heaviside")


def fresh_run() -> dict[str, Any]:
    return {"final": True, "known": {}, "terms": 10, "power": 1}


def number(text: str) -> Any:
    exact = parse_number(text)
    return exact if isinstance(exact, Fraction) else to_float(exact)


def moving(run: dict[str, Any], coefficients: Sequence[str]) -> Any:
    return _arc(run, 1, 0, [number(text) for text in coefficients], True)


def term(arc: Any, power: int) -> float:
    if not isinstance(arc, _Arc):
        return float(arc) if power == 0 else 0.0
    assert not arc.why, arc.why
    place = power - arc.low
    if 0 <= place < len(arc.terms):
        return float(arc.terms[place])
    assert place < 0 or arc.exact, (arc.low, arc.terms, power)
    return 0.0


def rational(*arcs: Sequence[str]) -> bool:
    """Floats keep apart what meets at a pole or a jump where the start is rational only."""
    return all(isinstance(parse_number(text), Fraction) for coefficients in arcs for text in coefficients)


def agree(name: str, *arcs: Sequence[str]) -> None:
    run = fresh_run()
    own = TABLE[f"_{name}_arc"](*(moving(run, coefficients) for coefficients in arcs))
    exact = at_arcs(name, *arcs)
    least = exact.valuation if exact.coefficients else 0
    for power in range(min(least, 0), least + 4):
        expected = to_float(exact.at(power))
        assert term(own, power) == pytest.approx(expected, rel=1e-9, abs=1e-12), (name, arcs, power)


@pytest.mark.parametrize("name", ONE)
def test_functions_on_arcs_have_the_exact_series(name: str) -> None:
    for coefficients in arcs_of(name):
        if rational(coefficients):
            agree(name, coefficients)


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_arguments_on_arcs_have_the_exact_series(name: str) -> None:
    for pair in PAIRS[name]:
        agree(name, *pair)


@pytest.mark.parametrize("name", [name for name in REFUSED if name in ONE])
def test_where_there_is_no_series_the_arc_says_why(name: str) -> None:
    for coefficients in REFUSED[name]:
        own = TABLE[f"_{name}_arc"](moving(fresh_run(), coefficients))
        assert own.why, (name, coefficients)


@pytest.mark.parametrize("name", [name for name in ONE if name in SMOOTH])
def test_two_directions_at_once_have_the_terms_of_taylor(name: str) -> None:
    """f(p + t1 + t2) = sum of f^(i+j)(p)/(i! j!) t1**i t2**j, where t1 is infinitely larger than t2."""
    start = points_inside(name)[1]
    run = fresh_run()
    inner = moving(run, (start, "1"))
    found = TABLE[f"_{name}_arc"](_arc(run, 2, 0, [inner, Fraction(1)], True))
    exact = at_arcs(name, (start, "1"))
    for j in range(3):
        for i in range(3):
            expected = comb(i + j, i) * to_float(exact.at(i + j))
            assert term(found.terms[j], i) == pytest.approx(expected, rel=1e-9, abs=1e-12), (name, i, j)


@pytest.mark.parametrize("exponent", ["3", "-2", "1/2", "-3/2", "2/3"])
def test_powers_on_arcs(exponent: str) -> None:
    for coefficients in (("2", "1"), ("1/3", "-1", "2")):
        own = TABLE["_raised"](moving(fresh_run(), coefficients), Fraction(exponent))
        exact = at_arcs("pow", coefficients, (exponent,))
        for power in range(4):
            assert term(own, power) == pytest.approx(to_float(exact.at(power)), rel=1e-9)


def test_the_names_of_a_module_lead_to_the_right_functions() -> None:
    """At t = 0 the slope of f(x)*abs(t) along arcs with t > 0 is f(x), at one point and at many; all rows at once."""
    inputs, terms, point, expected = [], [], [], []
    for number, name in enumerate((*ONE, *TWO)):
        params = [f"x{number}", f"y{number}"][: len(ROWS[name].params)]
        start = {"acosh": ("5/4",)}.get(name, ("2/3", "1/4"))[: len(params)]
        expected += [0.0] * len(params) + [to_float(at_arcs(name, *((text,) for text in start)).at(0))]
        point += [*(float(Fraction(text)) for text in start), 0.0]
        inputs += [*params, f"t{number}"]
        terms.append(f"{name}({', '.join(params)})*abs(t{number})")
    module = compile_text(f"def f({', '.join(inputs)}):\n    return {' + '.join(terms)}\n")
    assert list(module.lexicographic(*point)) == pytest.approx(expected, rel=1e-12)
    rows = module.lexicographic(*(np.array([entry] * 2) for entry in point))
    for own, value in zip(rows, expected, strict=True):
        assert own == pytest.approx([value] * 2, rel=1e-12)


def test_every_name_stands_for_a_function_of_that_name() -> None:
    """`_sin_arc` for sin, also where NumPy calls it otherwise."""
    others = {"pow": "_raised", "_divide_point": "_over", "_power_point": "_raised", "rint": "_round_arc"}
    for name, own in {**NAMES, **NUMPY_NAMES}.items():
        plain = name.strip("_").removesuffix("_point")
        plain = f"a{plain.removeprefix('arc')}" if plain.startswith("arc") else plain
        assert own == others.get(name, f"_{plain}_arc"), name
        assert own in TABLE


def test_an_angle_is_known_where_its_second_side_vanishes() -> None:
    program = compile_text("def f(x, y):\n    return atan2(y, x)*abs(x)\n")
    slopes = program.lexicographic(0.0, 2.0)
    assert slopes[0] == pytest.approx(math.pi / 2)
