"""Texts to systems at a point, for the tests: polynomials exactly, exp, log and sin of a variable by Taylor bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from cfcompiler.feasibility.arcs import substituted
from cfcompiler.feasibility.conditions import Condition, Constraint, Relation, Relaxation, System
from cfcompiler.numbers import Finite, settled
from cfcompiler.polynomials import Polynomial, polynomial

DEGREE = 7
Point = Sequence[Any]


def system(variables: str, conditions: Sequence[str], point: Point | None = None) -> System:
    """Conditions such as "y-x^2", "y-x^2=0", "x>=0"; > 0 where nothing is said."""
    names = variables.split()
    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    at = point or [0] * len(names)
    moved = {symbols[name]: symbols[name] + _coordinate(x) for name, x in zip(names, at, strict=True)}
    parsed = [_parsed(text, symbols, moved) for text in conditions]
    order = [symbols[name] for name in names]
    if all(h.is_polynomial(*order) for h, _ in parsed):
        return System(
            len(names), tuple(Condition(exact_polynomial(h, order), True, relation) for h, relation in parsed)
        )
    found = tuple(
        Condition(exact_polynomial(_jet(h, order), order), False, relation, DEGREE) for h, relation in parsed
    )
    return System(len(names), found, lambda radius: _relaxed(parsed, order, radius))


def _parsed(
    text: str, symbols: Mapping[str, sympy.Symbol], moved: Mapping[sympy.Symbol, sympy.Expr]
) -> tuple[sympy.Expr, Relation]:
    relation: Relation = ">"
    for ending in (">=0", "=0"):
        if text.endswith(ending):
            text, relation = text.removesuffix(ending), ">=" if ending == ">=0" else "="
            break
    expression = sympy.sympify(text.replace("^", "**"), locals=dict(symbols))
    return expression.subs(moved, simultaneous=True), relation


def _coordinate(x: Any) -> sympy.Expr:
    """A number, or ["root", polynomial, k]: its k-th real root from below."""
    if isinstance(x, list):
        roots = sympy.Poly(sympy.sympify(x[1].replace("^", "**"))).real_roots()
        return sympy.radsimp(sympy.sympify(roots[x[2] - 1]))
    return sympy.sympify(x)


def exact_polynomial(h: sympy.Expr, order: Sequence[sympy.Symbol]) -> Polynomial:
    terms = sympy.Poly(sympy.expand(h), *order).terms()
    return polynomial(len(order), [(e, _number(c)) for e, c in terms])


def _number(c: sympy.Expr) -> Finite:
    return Fraction(int(c.p), int(c.q)) if c.is_Rational else settled(sympy.expand(c))


def _jet(h: sympy.Expr, order: Sequence[sympy.Symbol]) -> sympy.Expr:
    s = sympy.Symbol("s")
    scaled = h.subs({x: s * x for x in order}, simultaneous=True)
    return sympy.series(scaled, s, 0, DEGREE + 1).removeO().subs(s, 1)


def _relaxed(
    parsed: Sequence[tuple[sympy.Expr, Relation]], order: Sequence[sympy.Symbol], radius: Fraction
) -> Relaxation | None:
    """Each call of exp, log(1 + .), sin at a variable becomes a variable between Taylor bounds, for radius <= 1/4."""
    if radius > Fraction(1, 4):
        return None
    calls = sorted({c for h, _ in parsed for c in h.atoms(sympy.exp, sympy.log, sympy.sin)}, key=str)
    names = {call: sympy.Symbol(f"w{k}", real=True) for k, call in enumerate(calls)}
    every = [*order, *names.values()]
    constraints = [Constraint(exact_polynomial(h.subs(names), every), relation) for h, relation in parsed]
    for call, w in names.items():
        middle, width = _taylor(call)
        constraints.append(Constraint(exact_polynomial(w - middle + width, every), ">="))
        constraints.append(Constraint(exact_polynomial(middle + width - w, every), ">="))
    return Relaxation(len(every), tuple(constraints))


@cache
def _taylor(call: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """T and a bound for |call - T| where the variable is at most 1/4 in modulus."""
    argument = call.args[0]
    match call.func.__name__:
        case "exp":  # the remainder is at most x^4/24 * e^(1/4)
            x = argument
            found = 1 + x + x**2 / 2 + x**3 / 6, x**4 / 8
        case "sin":  # |x|^5/120
            x = argument
            found = x - x**3 / 6, x**4 / 120
        case "log":  # the remainder of log(1 + x) is at most x^4/4 / (1 - 1/4)^4
            x = argument - 1
            found = x - x**2 / 2 + x**3 / 3, x**4
        case name:
            raise ValueError(name)
    assert x.is_Symbol
    return found


def transformed(of: System, matrix: Sequence[Sequence[Fraction]]) -> System:
    """The system in the coordinates v with u = matrix @ v."""
    n = of.variables
    rows = [polynomial(n, [(_unit(n, k), x) for k, x in enumerate(row)]) for row in matrix]
    conditions = tuple(replace(c, jet=substituted(c.jet, rows, n)) for c in of.conditions)
    norm = max(sum(map(abs, row)) for row in matrix)

    def enclosure(radius: Fraction) -> Relaxation | None:
        inner = of.enclosure(radius * norm) if of.enclosure is not None else None
        return None if inner is None else _transformed_relaxation(inner, rows, n)

    return System(n, conditions, None if of.exact else enclosure)


def _transformed_relaxation(inner: Relaxation, rows: Sequence[Polynomial], n: int) -> Relaxation:
    total = inner.variables
    values = [Polynomial(total, {(*e, *(0,) * (total - n)): c for e, c in row.terms.items()}) for row in rows]
    values += [polynomial(total, [(_unit(total, k), Fraction(1))]) for k in range(n, total)]
    moved = [Constraint(substituted(c.polynomial, values, total), c.relation) for c in inner.constraints]
    return Relaxation(total, tuple(moved))


def _unit(n: int, place: int) -> tuple[int, ...]:
    return tuple(int(k == place) for k in range(n))
