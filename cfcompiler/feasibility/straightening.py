"""Conditions as coordinates: a system whose first strict conditions with independent gradients read w_k > 0.

Near the origin a function with dh/du_k not 0 may take the place of the coordinate u_k, and the origin is in the
closure in the new coordinates when it is in the old. What was a horn between two near surfaces is then seen by
leading forms, with rational weights and coefficients even where the surfaces have none. Where u_k is a polynomial in
the new coordinates nothing is truncated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cfcompiler.feasibility.arcs import along, holds_along, substituted
from cfcompiler.feasibility.conditions import Answer, Arc, Clock, Condition, Open, System, Touches
from cfcompiler.feasibility.curves import by_arcs
from cfcompiler.feasibility.graphs import degree_for, known_degree
from cfcompiler.feasibility.leading import by_forms, by_weighted_forms
from cfcompiler.feasibility.reduction import inverse
from cfcompiler.polynomials import Polynomial, vanishes, variable

QUERY_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Straight:
    """The system in new coordinates, the old coordinates in the new (truncated), and the places that are used."""

    system: System
    coordinates: tuple[Polynomial, ...]
    used: tuple[int, ...]


def by_straightening(system: System, shapes: Sequence[tuple[int, int, int]], clock: Clock) -> Answer:
    """What forms and arcs of these shapes decide in coordinates of which some are conditions."""
    straight = straightened(system, clock)
    if straight is None:
        return Open("no condition has a gradient that makes it a coordinate")
    ones = (1,) * system.variables
    answer = by_forms(straight.system, ones, clock)
    if isinstance(answer, Open):
        answer = by_weighted_forms(straight.system, clock.share(clock.left / 2))
    if isinstance(answer, Open):
        answer = by_arcs(straight.system, shapes, QUERY_SECONDS, clock)
    if isinstance(answer, Touches):
        return replace(answer, arc=back(system, straight, answer.arc), how=f"{answer.how}, straightened")
    return answer if isinstance(answer, Open) else replace(answer, how=f"{answer.how}, straightened")


def back(system: System, straight: Straight, arc: Arc | None) -> Arc | None:
    """The arc in the old coordinates where it, truncated, still runs in the set."""
    if arc is None:
        return None
    series = [along(coordinate, arc) for coordinate in straight.coordinates]
    found = Arc(tuple(tuple((e[0], c) for e, c in sorted(s.terms.items())) for s in series))
    return found if holds_along(system, found) else None


def straightened(system: System, clock: Clock) -> Straight | None:
    """The system with as many strict conditions as coordinates as can be; None where there is none."""
    n = system.variables
    state = Straight(System(n, system.conditions), tuple(variable(n, k) for k in range(n)), ())
    while True:
        step = _next(state, clock)
        if step is None:
            return state if state.used else None
        state = step


def _next(state: Straight, clock: Clock) -> Straight | None:
    """With one more condition as a coordinate; those that are polynomials in one coordinate less come first."""
    choices = []
    for number, condition in enumerate(state.system.conditions):
        if condition.relation != ">" or len(condition.jet.terms) < 2:
            continue
        for place, slope in enumerate(condition.jet.gradient()):
            if place not in state.used and not vanishes(slope):
                simple = condition.exact and sum(1 for e in condition.jet.terms if e[place]) == 1
                choices.append((not simple, condition.jet.degree, number, place))
    if not choices:
        return None
    curved, _, number, place = min(choices)
    return _with_coordinate(state, number, place, not curved, clock)


def _with_coordinate(state: Straight, number: int, place: int, simple: bool, clock: Clock) -> Straight:
    n = state.system.variables
    chosen = state.system.conditions[number]
    degree = known_degree(chosen, degree_for(state.system))
    values = [variable(n, k) for k in range(n)]
    values[place] = _solved(chosen.jet, place, None if simple else degree, clock)
    conditions = list(state.system.conditions)
    for k, condition in enumerate(conditions):
        if k == number:
            conditions[k] = Condition(variable(n, place), True, ">")
        elif simple and condition.exact:
            conditions[k] = replace(condition, jet=substituted(condition.jet, values, n, None, clock))
        else:
            known = known_degree(condition, degree)
            jet = substituted(condition.jet.truncated(known), values, n, known, clock)
            conditions[k] = Condition(jet, False, condition.relation, known)
    coordinates = tuple(substituted(c, values, n, degree_for(state.system), clock) for c in state.coordinates)
    return Straight(System(n, tuple(conditions)), coordinates, (*state.used, place))


def _solved(jet: Polynomial, place: int, degree: int | None, clock: Clock) -> Polynomial:
    """u_place as a polynomial, up to a degree, of the other coordinates and w = jet, which takes its place."""
    n = jet.variables
    factor = inverse(jet.gradient()[place])
    w = variable(n, place)
    if degree is None:
        rest = jet - w.scaled(jet.gradient()[place])
        return (w - rest).scaled(factor)
    rest = jet.truncated(degree).scaled(factor) - w
    found = Polynomial(n, {})
    for known in range(1, degree + 1):
        values = [variable(n, k) for k in range(n)]
        values[place] = found
        found = w.scaled(factor) - substituted(rest, values, n, known, clock)
    return found
