"""Laws over the table of primitives: a new row is tested without a new test."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import sympy

from cfcompiler.arithmetic import EXACT, FLOATS
from cfcompiler.builder import Builder
from cfcompiler.compiler import compile_text
from cfcompiler.formulas import compile_formula
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.language.calls import rows
from cfcompiler.number_text import to_text
from cfcompiler.numbers import to_float
from cfcompiler.primitives import TABLE, Primitive, smooth_names
from cfcompiler.source import Source
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import vjp
from cfcompiler.verify import verify

# Points of each row's interior domain; rows not named take the first.
_ANYWHERE = (-2.25, -0.625, 0.375, 1.5)
_POINTS: dict[str, tuple[float, ...]] = {
    "log": (0.25, 0.75, 2.5),
    "log1p": (-0.5, 0.25, 2.5),
    "log2": (0.25, 0.75, 2.5),
    "log10": (0.25, 0.75, 2.5),
    "sqrt": (0.25, 0.75, 2.5),
    "rpow": (0.25, 0.75, 2.5),
    "pow": (0.25, 0.75, 2.5),
    "asin": (-0.75, 0.125, 0.5),
    "acos": (-0.75, 0.125, 0.5),
    "atanh": (-0.75, 0.125, 0.5),
    "acosh": (1.25, 2.5, 3.0),
}
_EXPONENTS = {
    "ipow": (Fraction(-2), Fraction(0), Fraction(1), Fraction(3)),
    "rpow": (Fraction(5, 2), Fraction(-1, 2)),
}


def _exponents(row: Primitive) -> tuple[Fraction | None, ...]:
    return _EXPONENTS.get(row.name, (None,))


def _program(row: Primitive, exponent: Fraction | None) -> Program:
    builder = Builder(row.name, Source("", "<law>"))
    params = [builder.param(name) for name in row.params]
    attributes = {} if exponent is None else {"n": exponent}
    return verify(builder.finish([builder.apply(row.name, *params, **attributes)]))


def _floats(program: Program, *numbers: float) -> list[float]:
    inputs = {param.value.name: np.asarray(x) for param, x in zip(program.params, numbers, strict=True)}
    values = run(program, inputs, FLOATS)
    return [float(values[value.name]) for value in program.results]


def _places(row: Primitive) -> list[tuple[float, ...]]:
    points = _POINTS.get(row.name, _ANYWHERE)
    if len(row.params) == 1:
        return [(x,) for x in points]
    return [(x, y) for x in points for y in points]


@pytest.mark.parametrize("name", smooth_names())
def test_partials_agree_with_central_differences(name: str) -> None:
    row = TABLE[name]
    for exponent in _exponents(row):
        program = _program(row, exponent)
        backward = verify(vjp(program))
        for point in _places(row):
            gradient = _floats(backward, *point, 1.0)[1:]
            for place, slope in enumerate(gradient):
                step = 1e-5
                ahead, behind = (
                    _floats(
                        program, *(x + (sign * step if i == place else 0.0) for i, x in enumerate(point))
                    )[0]
                    for sign in (1, -1)
                )
                assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-6, abs=1e-7), (
                    point,
                    exponent,
                )


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.jumps])
def test_between_their_jumps_steps_and_remainders_have_the_slopes_of_their_values(name: str) -> None:
    """The grid of numbers has no jump at any of these points, and quotients of either sign."""
    row = TABLE[name]
    program = _program(row, None)
    backward = verify(vjp(program))
    for point in itertools.product((-5.25, -0.625, 0.375, 1.75), repeat=len(row.params)):
        if len(point) == 2 and (point[0] / point[1]).is_integer():
            continue  # where fmod and remainder jump
        gradient = _floats(backward, *point, 1.0)[1:]
        for place, slope in enumerate(gradient):
            step = 2.0**-20
            ahead, behind = (
                _floats(program, *(x + (sign * step if i == place else 0.0) for i, x in enumerate(point)))[0]
                for sign in (1, -1)
            )
            assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-6, abs=1e-6), point


@cache
def _symbolic(row: Primitive, place: int) -> sympy.Expr:
    names = {name: sympy.Symbol(name, real=True) for name in row.params}
    value = sympy.sympify(row.sympy, locals=names)
    return sympy.diff(value, names[row.params[place]])


@pytest.mark.parametrize("name", [name for name in smooth_names() if name not in _EXPONENTS])
def test_partials_agree_with_the_derivative_of_the_rows_own_value(name: str) -> None:
    row = TABLE[name]
    backward = vjp(_program(row, None))
    for point in _places(row):
        gradient = _floats(backward, *point, 1.0)[1:]
        names = {
            sympy.Symbol(name, real=True): sympy.Rational(x)
            for name, x in zip(row.params, point, strict=True)
        }
        for place, slope in enumerate(gradient):
            expected = complex(_symbolic(row, place).subs(names).evalf(30))
            assert abs(expected.imag) < 1e-12
            assert slope == pytest.approx(expected.real, rel=1e-12), point


@pytest.mark.parametrize("name", smooth_names())
def test_forward_and_reverse_are_the_same_number(name: str) -> None:
    row = TABLE[name]
    for exponent in _exponents(row):
        program = _program(row, exponent)
        forward, backward = jvp(program), vjp(program)
        for point in [*_places(row), *[(0.0,) * len(row.params), (math.inf,) * len(row.params)]]:
            gradient = _floats(backward, *point, 1.0)[1:]
            for place, slope in enumerate(gradient):
                seeds = [1.0 if i == place else 0.0 for i in range(len(point))]
                tangent = _floats(forward, *point, *seeds)[1]
                if len(point) == 1 or math.isfinite(tangent):
                    assert tangent == slope or (math.isnan(tangent) and math.isnan(slope)), (point, exponent)


@pytest.mark.parametrize("name", smooth_names())
def test_exact_value_is_the_float_value(name: str) -> None:
    row = TABLE[name]
    for exponent in _exponents(row):
        program = _program(row, exponent)
        for point in _places(row):
            inputs = {
                param.value.name: np.asarray(Fraction(x), dtype=object)
                for param, x in zip(program.params, point, strict=True)
            }
            exact = run(program, inputs, EXACT)[program.results[0].name][()]
            assert to_float(exact) == pytest.approx(_floats(program, *point)[0], rel=1e-13, nan_ok=True), (
                to_text(exact)
            )


@pytest.mark.parametrize("name", sorted(TABLE))
def test_table_is_closed_under_differentiation(name: str) -> None:
    row = TABLE[name]
    known = {*TABLE, "choose", "same", "static_power"}
    for text in row.derivatives:
        if text is not None:
            assert {step.op for step in compile_formula(text)} <= known
    if row.singular is not None:
        compile_formula(row.singular)


@pytest.mark.parametrize("name", smooth_names())
def test_second_derivatives_agree_with_differences_of_the_first(name: str) -> None:
    row = TABLE[name]
    for exponent in _exponents(row):
        backward = vjp(_program(row, exponent))
        second = verify(jvp(backward))
        results = len(backward.results)
        for point in _places(row):
            for place in range(len(point)):
                seeds = [1.0 if i == place else 0.0 for i in range(len(point))]
                tangents = _floats(second, *point, 1.0, *seeds, 0.0)[results + 1 :]
                step = 1e-5
                ahead, behind = (
                    _floats(
                        backward,
                        *(x + (sign * step if i == place else 0.0) for i, x in enumerate(point)),
                        1.0,
                    )[1:]
                    for sign in (1, -1)
                )
                for tangent, a, b in zip(tangents, ahead, behind, strict=True):
                    assert tangent == pytest.approx((a - b) / (2 * step), rel=1e-5, abs=1e-6), (
                        point,
                        exponent,
                    )


@pytest.mark.parametrize("name", rows())
def test_the_module_has_what_a_row_calls(name: str) -> None:
    """At a point, at many, and along arcs where something else is tied."""
    params = TABLE[name].params
    names = ", ".join(f"p{index}" for index in range(len(params)))
    program = compile_text(f"def f({names}, t):\n    return {name}({names}) + abs(t)\n")
    start = 1.5 if name == "acosh" else 0.75
    point = [start + index / 8 for index in range(len(params))]
    one, many = program.grad(*point, 0.0), program.grad(*[np.array([entry] * 3) for entry in (*point, 0.0)])
    assert np.isfinite(one).all()
    assert [float(part[2]) for part in many] == pytest.approx(list(one), rel=1e-12)
    assert program.lexicographic(*point, 0.0)[:-1] == pytest.approx(list(one)[:-1], rel=1e-12)
