"""Equations that one variable solves as an analytic function of the others: the system on that graph.

If dh/du_k is not 0 at the origin, the solutions of h = 0 near it are the graph of an analytic function of the other
coordinates, of which the Taylor polynomial follows from that of h. On the graph the other conditions are known to
finite order, in one variable less; the origin is in the closure of the one set when it is in that of the other.
"""

from __future__ import annotations

from cfcompiler.feasibility.arcs import substituted
from cfcompiler.feasibility.conditions import Clock, Condition, System
from cfcompiler.feasibility.reduction import inverse
from cfcompiler.polynomials import Polynomial, vanishes, variable

DEGREES = {1: 16, 2: 12, 3: 8, 4: 6, 5: 4}
LOWEST_DEGREE, IRRATIONAL_DEGREE = 3, 5


def on_graph(system: System, clock: Clock) -> System | None:
    """The system without an equation and a variable; None where no equation has a gradient."""
    degree = degree_for(system)
    for equation in system.conditions:
        if equation.relation != "=":
            continue
        for place, slope in enumerate(equation.jet.gradient()):
            if not vanishes(slope):
                return _without(system, equation, place, known_degree(equation, degree), clock)
    return None


def degree_for(system: System) -> int:
    """Up to which degree functions in these variables are worth knowing."""
    if not all(condition.jet.rational for condition in system.conditions):
        return IRRATIONAL_DEGREE if system.variables < 5 else LOWEST_DEGREE
    return DEGREES.get(system.variables, LOWEST_DEGREE)


def known_degree(condition: Condition, degree: int) -> int:
    """Up to which degree, at most this one, a condition is known."""
    if condition.exact:
        return degree
    assert condition.degree is not None  # checked where the condition was made
    return min(degree, condition.degree)


def _without(system: System, equation: Condition, place: int, degree: int, clock: Clock) -> System:
    left = system.variables - 1
    values = [variable(left, k) for k in range(left)]
    values.insert(place, _graph(equation.jet, place, degree, clock))
    conditions = []
    for condition in system.conditions:
        if condition is not equation:
            known = known_degree(condition, degree)
            jet = substituted(condition.jet.truncated(known), values, left, known, clock)
            conditions.append(Condition(jet, False, condition.relation, known))
    return System(left, tuple(conditions))


def _graph(jet: Polynomial, place: int, degree: int, clock: Clock) -> Polynomial:
    """The Taylor polynomial of the function whose graph is jet = 0; each round settles one more degree."""
    left = jet.variables - 1
    slope = jet.gradient()[place]
    rest = variable(jet.variables, place) - jet.truncated(degree).scaled(inverse(slope))
    found = Polynomial(left, {})
    for known in range(1, degree + 1):
        values = [variable(left, k) for k in range(left)]
        values.insert(place, found)
        found = substituted(rest, values, left, known, clock)
    return found
