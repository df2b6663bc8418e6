"""Quantifier elimination: "has every box round the origin a point of the system?" to yes or no, by nlqsat."""

from __future__ import annotations

from cfcompiler.feasibility.coefficients import TooManyKernels, rationalised
from cfcompiler.feasibility.conditions import Answer, Apart, Clock, Constraint, Open, System, Touches
from cfcompiler.feasibility.solver import Unknown, quantified
from cfcompiler.polynomials import variable, widened


def by_elimination(system: System, clock: Clock) -> Answer:
    """For exact systems."""
    if not system.exact:
        return Open("quantifiers are only eliminated from exact systems")
    try:
        read = rationalised([c.jet for c in system.conditions], system.variables)
    except TooManyKernels as problem:
        return Open(str(problem))
    if not read.exact:
        return Open("a constant is known by an interval only")
    total, radius = read.variables + 1, read.variables
    bound = [Constraint(widened(c.polynomial, total), c.relation) for c in read.constraints]
    bound.append(Constraint(variable(total, radius), ">"))
    body = [
        Constraint(widened(jet, total), condition.relation)
        for jet, condition in zip(read.polynomials, system.conditions, strict=True)
    ]
    for place in range(system.variables):
        body.append(Constraint(variable(total, radius) - variable(total, place), ">"))
        body.append(Constraint(variable(total, radius) + variable(total, place), ">"))
    found = quantified(range(system.variables), bound, body, total, clock)
    if isinstance(found, Unknown):
        return Open(found.reason)
    if found == "sat":
        return Touches(None, "quantifier elimination", "solver")
    return Apart("quantifier elimination", "solver")
