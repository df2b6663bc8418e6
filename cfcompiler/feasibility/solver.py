"""Formulas over the reals to a model, to "unsat" or to a reason: the one door to z3.

nlsat (Jovanovic & de Moura 2012) decides conjunctions and disjunctions of polynomial signs, in a time that depends
wildly on the order of the variables: short attempts with shuffled orders are better than a long one. Variables have
places, not names, and constraints are sorted, so that an answer does not depend on how a program is written. Each
query has a context of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any, Literal, TypeAlias

from cfcompiler.feasibility.conditions import AnyRelation, Clock, Constraint
from cfcompiler.polynomials import Exponents, Polynomial

ATTEMPTS = (150, 150, 150, 150, 150, 150, 600, 600, 2400, 2400, 10_000)  # milliseconds
MOST_BITS = 20_000  # of the coefficients of a query together
_APPROXIMATION_DIGITS = 20


@dataclass(frozen=True, slots=True)
class AllOf:
    """A conjunction."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A disjunction."""

    parts: tuple[Formula, ...]


Formula: TypeAlias = Constraint | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Root:
    """The real root number `index` from the left, from 1, of a polynomial; coefficients from low to high."""

    coefficients: tuple[int, ...]
    index: int
    near: Fraction


Value: TypeAlias = Fraction | Root


@dataclass(frozen=True, slots=True)
class Model:
    """Values of the variables that satisfy a formula."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, with the reason."""

    reason: str


Found: TypeAlias = Model | Literal["unsat"] | Unknown


def solve(formulas: Sequence[Formula], variables: int, clock: Clock) -> Found:
    """A model of the conjunction, "unsat", or Unknown. Coefficients must be rational."""
    try:
        import z3
    except ImportError:
        return Unknown("z3 is not installed")
    ordered = sorted(formulas, key=_key)
    if _bits(ordered) > MOST_BITS:
        return Unknown("the coefficients are too long for the solver")
    order = _order(ordered, variables)
    for seed, milliseconds in enumerate(ATTEMPTS):
        allowed = min(milliseconds, int(clock.left * 1000))
        if allowed < 1:
            break
        found = _attempt(z3, ordered, order, seed, allowed)
        if found is not None:
            return found
    return Unknown("the solver ran out of time")


def quantified(
    inner: Sequence[int], bound: Sequence[Formula], body: Sequence[Formula], variables: int, clock: Clock
) -> Literal["sat", "unsat"] | Unknown:
    """Whether for all values within `bound` of the other variables there are values of `inner` that satisfy body."""
    try:
        import z3
    except ImportError:
        return Unknown("z3 is not installed")
    allowed = int(clock.left * 1000)
    if allowed < 1:
        return Unknown("the solver ran out of time")
    context = z3.Context()
    names = [z3.Real(f"x{place}", context) for place in range(variables)]
    left = [_formula(z3, part, names, context) for part in sorted(bound, key=_key)]
    right = [_formula(z3, part, names, context) for part in sorted(body, key=_key)]
    exists = z3.Exists([names[place] for place in inner], z3.And(*right, context))
    free = [names[place] for place in range(variables) if place not in inner]
    solver = z3.Tactic("nlqsat", context).solver()
    solver.set("timeout", allowed)
    solver.add(z3.ForAll(free, z3.Implies(z3.And(*left, context), exists)))
    try:
        verdict = str(solver.check())
        _raise_interruption(verdict, solver)
    except z3.Z3Exception as problem:
        return Unknown(f"the solver failed: {problem}")
    return (
        "sat"
        if verdict == "sat"
        else "unsat"
        if verdict == "unsat"
        else Unknown("the solver ran out of time")
    )


def _attempt(
    z3: Any, formulas: Sequence[Formula], order: Sequence[int], seed: int, allowed: int
) -> Found | None:
    """None where this attempt gave nothing."""
    context = z3.Context()
    names: list[Any] = [None] * len(order)
    for rank, place in enumerate(order):
        names[place] = z3.Real(f"x{rank}", context)
    if seed == 0:
        solver = z3.Tactic("qfnra-nlsat", context).solver()
    else:
        solver = z3.With("qfnra-nlsat", shuffle_vars=True, seed=seed, ctx=context).solver()
    solver.set("timeout", allowed)
    for part in formulas:
        solver.add(_formula(z3, part, names, context))
    try:
        verdict = str(solver.check())
        if verdict == "sat":
            model = solver.model()
            return Model(tuple(_value(z3, model.eval(name, True)) for name in names))
        _raise_interruption(verdict, solver)
    except z3.Z3Exception:  # a tactic that gives up raises; the next attempt has another order
        return None
    return "unsat" if verdict == "unsat" else None


def _raise_interruption(verdict: str, solver: Any) -> None:
    """z3 takes Ctrl-C for itself while it works, and gives up: the interruption is raised where it would have been."""
    if verdict == "unknown" and "keyboard" in solver.reason_unknown():
        raise KeyboardInterrupt


def _formula(z3: Any, formula: Formula, names: Sequence[Any], context: Any) -> Any:
    if isinstance(formula, AllOf):
        return z3.And(z3.BoolVal(True, context), *(_formula(z3, p, names, context) for p in formula.parts))
    if isinstance(formula, AnyOf):
        return z3.Or(z3.BoolVal(False, context), *(_formula(z3, p, names, context) for p in formula.parts))
    left = _term(z3, formula.polynomial, names, context)
    zero = z3.RealVal(0, context)
    match formula.relation:
        case ">":
            return left > zero
        case ">=":
            return left >= zero
        case "=":
            return left == zero
        case "!=":
            return left != zero


def _term(z3: Any, polynomial: Polynomial, names: Sequence[Any], context: Any) -> Any:
    terms = []
    for exponents, coefficient in _primitive(polynomial):
        factors = [names[place] for place, k in enumerate(exponents) for _ in range(k)]
        if coefficient != 1 or not factors:
            factors.insert(0, z3.RealVal(str(coefficient), context))
        terms.append(factors[0] if len(factors) == 1 else z3.Product(*factors))
    if not terms:
        return z3.RealVal(0, context)
    return terms[0] if len(terms) == 1 else z3.Sum(*terms)


def _primitive(polynomial: Polynomial) -> list[tuple[Exponents, int]]:
    """Sorted terms of a positive multiple with integer coefficients without common factor."""
    terms = sorted((e, rational(c)) for e, c in polynomial.terms.items())
    below = lcm(*(c.denominator for _, c in terms))
    whole = [(e, c.numerator * (below // c.denominator)) for e, c in terms]
    common = gcd(*(c for _, c in whole))
    return [(e, c // common) for e, c in whole]


def rational(coefficient: object) -> Fraction:
    """Raises TypeError where an irrational coefficient has not been replaced by a variable."""
    if not isinstance(coefficient, Fraction):
        raise TypeError("the solver takes rational coefficients")
    return coefficient


def _value(z3: Any, value: Any) -> Value:
    if z3.is_rational_value(value):
        return Fraction(value.numerator_as_long(), value.denominator_as_long())
    near = value.approx(_APPROXIMATION_DIGITS)
    coefficients = tuple(int(c.as_long()) for c in value.poly())
    return Root(
        coefficients, int(value.index()), Fraction(near.numerator_as_long(), near.denominator_as_long())
    )


def _key(formula: Formula) -> tuple[Any, ...]:
    if isinstance(formula, Constraint):
        terms = _primitive(formula.polynomial)
        return 0, formula.relation, formula.polynomial.degree, len(terms), terms
    return 1 if isinstance(formula, AllOf) else 2, tuple(_key(part) for part in formula.parts)


def _leaves(formulas: Sequence[Formula]) -> list[Constraint]:
    found: list[Constraint] = []
    for formula in formulas:
        if isinstance(formula, Constraint):
            found.append(formula)
        else:
            found += _leaves(formula.parts)
    return found


def places_in(formulas: Sequence[Formula]) -> set[int]:
    """The variables that occur."""
    return {
        place
        for leaf in _leaves(formulas)
        for exponents in leaf.polynomial.terms
        for place, k in enumerate(exponents)
        if k
    }


def _bits(formulas: Sequence[Formula]) -> int:
    return sum(abs(c).bit_length() for leaf in _leaves(formulas) for _, c in _primitive(leaf.polynomial))


def _order(formulas: Sequence[Formula], variables: int) -> list[int]:
    """The places of the variables, sorted by how they occur and not by where they stand."""
    occurrences: list[list[tuple[AnyRelation, int, int, tuple[int, ...]]]] = [[] for _ in range(variables)]
    for leaf in _leaves(formulas):
        for exponents in leaf.polynomial.terms:
            shape = tuple(sorted(exponents))
            for place, k in enumerate(exponents):
                if k:
                    occurrences[place].append((leaf.relation, leaf.polynomial.degree, k, shape))
    keys: list[list[tuple[AnyRelation, int, int, tuple[int, ...]]]] = [sorted(found) for found in occurrences]
    return sorted(range(variables), key=lambda place: (keys[place], place))
