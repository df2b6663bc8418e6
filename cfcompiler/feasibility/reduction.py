"""Systems to smaller systems with the same answer, and to answers that need no search.

Conditions that a constant term decides near the origin are dropped or decide; an equation that one variable solves
as a polynomial of the others removes the variable; in one variable leading terms decide everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cfcompiler.feasibility.arcs import along, holds_along, substituted
from cfcompiler.feasibility.conditions import Answer, Apart, Arc, Condition, Open, System, Touches
from cfcompiler.feasibility.solver import rational
from cfcompiler.numbers import ONE, Finite, TooLarge, Undecided, decided, div, expression
from cfcompiler.polynomials import Exponents, Polynomial, TooManyTerms, variable


@dataclass(frozen=True, slots=True)
class Reduced:
    """A system in which some variables are given by others: `coordinates` are the old ones in the new."""

    system: System
    coordinates: tuple[Polynomial, ...]

    def lifted(self, arc: Arc) -> Arc:
        """The arc of the system that was reduced. Raises TooManyTerms, TooLarge, Undecided."""
        series = [along(coordinate, arc) for coordinate in self.coordinates]
        return Arc(tuple(tuple((e[0], c) for e, c in sorted(s.terms.items())) for s in series))


def reduced(system: System) -> Reduced | Answer:
    """The system without what is decided. Raises TooManyTerms, TooLarge, Undecided."""
    n = system.variables
    state = Reduced(system, tuple(variable(n, k) for k in range(n)))
    while True:
        conditions = _settled(state.system.conditions)
        if isinstance(conditions, Apart):
            return conditions
        solved = _solvable(conditions)
        if solved is None:
            break
        state = _without(state, conditions, *solved)
    small = System(state.system.variables, conditions, state.system.enclosure, state.system.check_arc)
    if all(c.relation != ">" for c in conditions):
        return Touches(Arc(((),) * n), "the origin is in the set", "certificate")
    return Reduced(small, state.coordinates)


def _settled(conditions: tuple[Condition, ...]) -> tuple[Condition, ...] | Apart:
    """Without the conditions that hold near the origin, and without repetitions; Apart where one fails there."""
    kept: list[Condition] = []
    for condition in conditions:
        at_origin = decided(condition.jet.constant_term)
        if at_origin == -1 or (at_origin == 1 and condition.relation == "="):
            return Apart("a condition fails at the origin", "certificate")
        if at_origin == 1:
            continue
        if condition.jet.is_zero and condition.exact:
            if condition.relation == ">":
                return Apart("a condition is 0 > 0", "certificate")
            continue
        if condition.relation == ">" and condition.exact and _never_positive(condition.jet):
            return Apart("a condition is a sum of negative squares", "certificate")
        if condition not in kept:
            kept.append(condition)
    return tuple(kept)


def _never_positive(jet: Polynomial) -> bool:
    return all(
        decided(coefficient) == -1 and all(k % 2 == 0 for k in exponents)
        for exponents, coefficient in jet.terms.items()
    )


def modulo_equations(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The conditions, shorter by multiples of equations where that makes them shorter. For exact conditions."""
    out = list(conditions)
    for number, equation in enumerate(conditions):
        if equation.relation != "=" or not equation.exact:
            continue
        for k, condition in enumerate(out):
            if k != number and condition.exact:
                out[k] = replace(condition, jet=_shorter(condition.jet, out[number].jet))
    return tuple(out)


def _shorter(jet: Polynomial, equation: Polynomial) -> Polynomial:
    if not jet.rational or not equation.rational:
        return jet
    best = jet
    for exponents in sorted(set(jet.terms) & set(equation.terms)):
        factor = rational(jet.terms[exponents]) / rational(equation.terms[exponents])
        found = jet - equation.scaled(factor)
        if len(found.terms) < len(best.terms):
            best = found
    return best


def contradictory(conditions: Sequence[Condition]) -> bool:
    """Whether there are f > 0 and -f > 0, -f >= 0 or f = 0 among the conditions, exactly."""
    strict = [c.jet for c in conditions if c.exact and c.relation == ">"]
    for condition in conditions:
        if condition.exact and -condition.jet in strict:
            return True
        if condition.exact and condition.relation == "=" and condition.jet in strict:
            return True
    return False


def _solvable(conditions: tuple[Condition, ...]) -> tuple[Condition, int, Polynomial] | None:
    """An equation c*u_k + g(others) = 0, k, and -g/c; the affine equations first. Only in exact systems."""
    if not all(condition.exact for condition in conditions):
        return None
    equations = sorted((c for c in conditions if c.relation == "="), key=lambda c: c.jet.degree)
    for equation in equations:
        for place in range(equation.jet.variables):
            solution = _solution(equation.jet, place)
            if solution is not None:
                return equation, place, solution
    return None


def _solution(jet: Polynomial, place: int) -> Polynomial | None:
    with_it = [e for e in jet.terms if e[place]]
    if len(with_it) != 1 or sum(with_it[0]) != 1:
        return None
    factor = inverse(jet.terms[with_it[0]])
    rest = Polynomial(jet.variables, {e: c for e, c in jet.terms.items() if not e[place]})
    return rest.scaled(neg_finite(factor))


def inverse(x: Finite) -> Finite:
    """1/x of a number that is not zero."""
    found = div(ONE, x)
    assert not isinstance(found, str)  # the coefficient of a term is not zero
    return found


def neg_finite(x: Finite) -> Finite:
    return -x if isinstance(x, Fraction) else -expression(x)


def _without(
    state: Reduced, conditions: tuple[Condition, ...], equation: Condition, place: int, value: Polynomial
) -> Reduced:
    left = state.system.variables - 1
    values = [variable(left, k) for k in range(left)]
    values.insert(place, Polynomial(left, {_dropped(e, place): c for e, c in value.terms.items()}))
    kept = [c for c in conditions if c is not equation]
    small = tuple(Condition(substituted(c.jet, values, left), True, c.relation) for c in kept)
    coordinates = tuple(substituted(c, values, left) for c in state.coordinates)
    return Reduced(System(left, small), coordinates)


def _dropped(exponents: Exponents, place: int) -> Exponents:
    return (*exponents[:place], *exponents[place + 1 :])


def in_one_variable(system: System) -> Answer:
    """The answer for at most one variable: an arc along a side, or leading terms that forbid both sides."""
    if system.variables == 0:
        return Open("a condition is not known at the origin") if system.conditions else _at_rest()
    verdicts = []
    for side in (Fraction(1), Fraction(-1)):
        arc = Arc((((1, side),),))
        try:
            if holds_along(system, arc):
                return Touches(arc, "leading terms", "certificate")
            verdicts.append(any(_fails(condition, side) for condition in system.conditions))
        except (TooLarge, TooManyTerms, Undecided) as problem:
            return Open(str(problem))
    if all(verdicts):
        return Apart("leading terms", "certificate")
    return Open("a condition vanishes to the order that is known")


def _at_rest() -> Answer:
    return Touches(Arc(()), "the origin is in the set", "certificate")


def _fails(condition: Condition, side: Fraction) -> bool:
    if condition.jet.is_zero:
        return condition.exact and condition.relation == ">"
    order = condition.jet.order
    return condition.relation == "=" or decided(condition.jet.terms[(order,)]) * side**order < 0
