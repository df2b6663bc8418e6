"""The nearest point of an open set: "no such point but the origin" to "the set touches the origin".

If the origin is not in the closure of U = {h_i > 0} and U meets the ball of radius r, the point q of cl U nearest to
the origin has 0 < |q| < r, h_i(q) >= 0, and no direction d with d.q < 0 and d.grad h_i(q) > 0 for all active i, for
such a direction leads to nearer points of U. By Gordan's theorem there are l, l_i >= 0, not all 0, with
l*q = sum of l_i*grad h_i(q), l_i = 0 where h_i(q) > 0 (Fritz John). Where that system has no solution, the origin is
in the closure.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from cfcompiler.feasibility.coefficients import TooManyKernels, rationalised
from cfcompiler.feasibility.conditions import Clock, Constraint, Open, System, Touches
from cfcompiler.feasibility.solver import Formula, Model, Unknown, solve
from cfcompiler.polynomials import Polynomial, constant, variable, widened

RADII = (Fraction(1, 8), Fraction(1, 2**7))


def by_distance(system: System, clock: Clock) -> Touches | Open:
    """Whether the set meets a ball in which the distance has no Fritz John point. Exact strict systems only."""
    if not system.exact or any(c.relation != ">" for c in system.conditions):
        return Open("the distance is only asked for exact strict systems")
    try:
        read = rationalised([c.jet for c in system.conditions], system.variables)
    except TooManyKernels as problem:
        return Open(str(problem))
    if not read.exact:
        return Open("a constant is known by an interval only")
    reason = "the distance has critical points arbitrarily near, as far as was tried"
    for tried, radius in enumerate(RADII):
        share = clock.share(clock.left / (len(RADII) - tried))
        found = _critical(system.variables, read.polynomials, read.constraints, read.variables, radius, share)
        if found == "unsat" and _meets(system.variables, read.polynomials, read.constraints, radius, share):
            return Touches(None, "no critical point of the distance", "solver")
        if isinstance(found, Unknown):
            reason = found.reason
    return Open(reason)


def _critical(
    n: int,
    jets: Sequence[Polynomial],
    known: Sequence[Constraint],
    width: int,
    radius: Fraction,
    clock: Clock,
) -> Model | str | Unknown:
    total = width + len(jets) + 1
    wide = [widened(jet, total) for jet in jets]
    weights = [variable(total, width + k) for k in range(len(jets) + 1)]
    formulas: list[Formula] = [Constraint(weight, ">=") for weight in weights]
    formulas += [Constraint(jet, ">=") for jet in wide]
    formulas += [Constraint(weight * jet, "=") for weight, jet in zip(weights[1:], wide, strict=True)]
    formulas += [Constraint(widened(c.polynomial, total), c.relation) for c in known]
    for place in range(n):
        balance = weights[0] * variable(total, place)
        for weight, jet in zip(weights[1:], wide, strict=True):
            balance = balance - weight * jet.derivative(place)
        formulas.append(Constraint(balance, "="))
    sum_of_weights = constant(total, Fraction(-1))
    for weight in weights:
        sum_of_weights = sum_of_weights + weight
    formulas.append(Constraint(sum_of_weights, "="))
    formulas += _punctured(n, total, radius)
    return solve(formulas, total, clock)


def _meets(
    n: int, jets: Sequence[Polynomial], known: Sequence[Constraint], radius: Fraction, clock: Clock
) -> bool:
    total = jets[0].variables
    strict = [Constraint(jet, ">") for jet in jets]
    return isinstance(solve([*strict, *known, *_punctured(n, total, radius)], total, clock), Model)


def _punctured(n: int, total: int, radius: Fraction) -> list[Constraint]:
    """0 < |u|**2 < radius**2."""
    square = Polynomial(total, {})
    for place in range(n):
        square = square + variable(total, place) ** 2
    return [Constraint(square, ">"), Constraint(constant(total, radius**2) - square, ">")]
