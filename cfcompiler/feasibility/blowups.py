"""Blowing up: a system near the origin to systems near a direction in which its leading forms vanish.

In the chart u_j = +-t**w_j, u_i = t**w_i * (d_i + z_i), t > 0, conditions are divided by the power of t that they
contain. If the origin of (t, z) is in the closure of the set with t > 0, that of u is. Forms, weights and conditions
as coordinates are tried there, and then directions there: each round follows a set along one more term of its
Puiseux series, so that horns of any order are found where arcs with unknown coefficients would have too many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from cfcompiler.feasibility.arcs import along, holds_along, substituted
from cfcompiler.feasibility.coefficients import TooManyKernels, rationalised
from cfcompiler.feasibility.conditions import Answer, Arc, Clock, Condition, Constraint, Open, System, Touches
from cfcompiler.feasibility.factors import simplified
from cfcompiler.feasibility.gradients import by_gradients
from cfcompiler.feasibility.leading import Forms, by_forms, by_weighted_forms, leading_forms, small_weights
from cfcompiler.feasibility.roots import closed_roots, exact_value
from cfcompiler.feasibility.solver import AnyOf, Formula, Model, Root, Value, rational, solve
from cfcompiler.feasibility.straightening import back, by_straightening, straightened
from cfcompiler.numbers import Finite, decided, sign
from cfcompiler.polynomials import Polynomial, constant, variable

MOST_VARIABLES = 3
MOST_WEIGHT_SUM = {2: 20, 3: 9}
ROUNDS = 4
MOST_DIRECTIONS = 3  # of a chart
QUERY_SECONDS = 0.3
_NEAR = Fraction(1, 2**20)


def by_blowing_up(system: System, clock: Clock) -> Touches | Open:
    """An arc along directions of vanishing leading forms, followed for some rounds. In two or three variables."""
    if not 2 <= system.variables <= MOST_VARIABLES:
        return Open(f"directions are blown up in two to {MOST_VARIABLES} variables")
    straight = straightened(system, clock)
    for rounds in range(1, ROUNDS + 1):
        if straight is not None:
            found = _followed(straight.system, rounds, clock)
            if isinstance(found, Touches):
                arc = back(system, straight, found.arc)
                return Touches(arc, f"{found.how}, straightened", found.trust)
        found = _followed(system, rounds, clock)
        if isinstance(found, Touches) or clock.over:
            return found
    return Open("no direction was found to follow")


def _followed(system: System, rounds: int, clock: Clock) -> Touches | Open:
    for weights, leader, side, forms in _charts(system):
        for direction in _directions(system, forms, leader, side, clock.share(QUERY_SECONDS)):
            if clock.over:
                return Open("out of time among the directions")
            coordinates = _chart(weights, leader, side, direction)
            blown = _blown(system, coordinates, forms, weights, leader)
            if blown is None:
                continue
            answer = _near(blown, clock)
            if isinstance(answer, Open) and rounds > 1:
                answer = _followed(blown, rounds - 1, clock)
            if isinstance(answer, Touches):
                return Touches(_back(system, coordinates, answer.arc), "blowing up", answer.trust)
    return Open("no direction was found to follow")


def _charts(system: System) -> Iterator[tuple[tuple[int, ...], int, int, Forms]]:
    seen = set()
    for weights in small_weights(system):
        forms = leading_forms(system, weights)
        support = tuple(frozenset(form.terms) for form, _ in forms)
        if (
            sum(weights) > MOST_WEIGHT_SUM[system.variables]
            or len(forms) < len(system.conditions)
            or support in seen
        ):
            continue
        seen.add(support)
        for leader in range(system.variables):
            for side in (1, -1):
                yield weights, leader, side, forms


def _directions(
    system: System, forms: Forms, leader: int, side: int, clock: Clock
) -> Iterator[tuple[Finite, ...]]:
    """Directions with the entry `side` at the leader in which all forms are >= 0, and some of them vanish."""
    if system.variables == 2 and all(form.rational for form, _ in forms):
        yield from _plane_directions(forms, leader, side)
        return
    try:
        read = rationalised([form for form, _ in forms], system.variables)
    except TooManyKernels:
        return
    total = read.variables
    formulas: list[Formula] = [*read.constraints]
    for form, (_, condition) in zip(read.polynomials, forms, strict=True):
        formulas.append(Constraint(form, "=" if condition.relation == "=" else ">="))
    formulas.append(AnyOf(tuple(Constraint(form, "=") for form in read.polynomials)))
    formulas.append(_equal(total, leader, Fraction(side)))
    for _ in range(MOST_DIRECTIONS):
        found = solve(formulas, total, clock)
        if not isinstance(found, Model):
            return
        values = found.values[: system.variables]
        exact = [exact_value(value) for value in values]
        known = [x for x in exact if x is not None]
        if len(known) == len(values):
            yield tuple(known)
        formulas.append(_elsewhere(total, values))


def _plane_directions(forms: Forms, leader: int, side: int) -> Iterator[tuple[Finite, ...]]:
    """In two variables, from the roots of the forms; no solver is needed.

    Where an entry is 0, other weights describe the arc better.
    """
    seen: list[Finite] = []
    for form, _ in forms:
        coefficients = [Fraction(0)] * (form.degree + 1)
        for exponents, c in form.terms.items():
            coefficients[exponents[1 - leader]] += rational(c) * side ** exponents[leader]
        for root in closed_roots(coefficients):
            if root == 0 or root in seen:
                continue
            seen.append(root)
            direction = (Fraction(side), root) if leader == 0 else (root, Fraction(side))
            if all(_weakly(sign(f.value(direction)), condition) for f, condition in forms):
                yield direction


def _weakly(found: int | None, condition: Condition) -> bool:
    return found == 0 or (found == 1 and condition.relation != "=")


def _equal(total: int, place: int, value: Fraction) -> Constraint:
    return Constraint(variable(total, place) - constant(total, value), "=")


def _elsewhere(total: int, values: Sequence[Value]) -> AnyOf:
    """Not at these values, or not near them where they are irrational."""
    parts: list[Formula] = []
    for place, value in enumerate(values):
        near = value.near if isinstance(value, Root) else value
        away = variable(total, place) - constant(total, near)
        if isinstance(value, Root):
            parts.append(Constraint(away - constant(total, _NEAR), ">"))
            parts.append(Constraint(-away - constant(total, _NEAR), ">"))
        else:
            parts.append(Constraint(away, "!="))
    return AnyOf(tuple(parts))


def _chart(weights: Sequence[int], leader: int, side: int, direction: Sequence[Finite]) -> list[Polynomial]:
    """The coordinates u in t, which stands at the place of the leader, and z."""
    n = len(weights)
    t = variable(n, leader)
    out = []
    for place, (weight, d) in enumerate(zip(weights, direction, strict=True)):
        if place == leader:
            out.append((t**weight).scaled(Fraction(side)))
        else:
            out.append(t**weight * (variable(n, place) + constant(n, d)))
    return out


def _blown(
    system: System, coordinates: Sequence[Polynomial], forms: Forms, weights: Sequence[int], leader: int
) -> System | None:
    """The system in the chart; None where nothing of a condition is known there, or one fails there."""
    n = system.variables
    out = [Condition(variable(n, leader))]
    for form, condition in forms:
        exponents = next(iter(form.terms))
        power = sum(w * k for w, k in zip(weights, exponents, strict=True))
        jet = _divided(substituted(condition.jet, coordinates, n), leader, power)
        if decided(jet.constant_term) == -1:  # possible where a constant was known by an interval only
            return None
        if condition.exact:
            out.append(replace(condition, jet=jet))
            continue
        assert condition.degree is not None  # checked where the condition was made
        degree = min(weights) * (condition.degree + 1) - power - 1
        if degree < 0:
            return None
        out.append(Condition(jet.truncated(degree), False, condition.relation, degree))
    return System(n, simplified(out))


def _divided(jet: Polynomial, place: int, power: int) -> Polynomial:
    terms = {(*e[:place], e[place] - power, *e[place + 1 :]): c for e, c in jet.terms.items()}
    return Polynomial(jet.variables, terms)


def _near(system: System, clock: Clock) -> Answer:
    """What decides soon in a chart, where conditions may hold at its origin."""
    kept = tuple(c for c in system.conditions if decided(c.jet.constant_term) != 1)
    system = replace(system, conditions=kept)
    answer = by_gradients(system)
    if isinstance(answer, Open):
        answer = by_forms(system, (1,) * system.variables, clock)
    if isinstance(answer, Open):
        answer = by_weighted_forms(system, clock)
    if isinstance(answer, Open):
        answer = by_straightening(system, (), clock)
    return answer


def _back(system: System, coordinates: Sequence[Polynomial], arc: Arc | None) -> Arc | None:
    if arc is None:
        return None
    series = [along(coordinate, arc) for coordinate in coordinates]
    found = Arc(tuple(tuple((e[0], c) for e, c in sorted(s.terms.items())) for s in series))
    return found if holds_along(system, found) else None
