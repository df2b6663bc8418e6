"""Boxes round the origin without a point of the system: sign conditions to "a box misses them" or not known.

The boxes |u_i| < r shrink; one in which nlsat finds no point is enough. Conditions that are not polynomial are
relaxed in the closed box, so that no point of theirs is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from cfcompiler.feasibility.coefficients import TooManyKernels, rationalised
from cfcompiler.feasibility.conditions import Apart, Clock, Constraint, Open, Relaxation, System
from cfcompiler.feasibility.solver import Model, Unknown, solve
from cfcompiler.feasibility.squares import by_squares
from cfcompiler.polynomials import Polynomial, constant, variable

LADDER = (Fraction(1, 4), Fraction(1, 2**6), Fraction(1, 2**12), Fraction(1, 2**20))


def empty(constraints: Sequence[Constraint], variables: int, radius: Fraction, clock: Clock) -> Apart | Open:
    """Whether no u with |u_i| < r satisfies the constraints, for r the radius or one of those of the ladder below.

    All `variables` variables are local coordinates. Coefficients may be irrational.
    """
    relaxation = Relaxation(variables, tuple(constraints))
    return _down(lambda _: relaxation, variables, [radius, *(r for r in LADDER if r < radius)], clock)


def certified(system: System) -> Apart | Open:
    """Whether squares show that the largest box misses an exact system, without a solver."""
    try:
        read = rationalised([c.jet for c in system.conditions], system.variables)
    except TooManyKernels as problem:
        return Open(str(problem))
    if not system.exact:
        return Open("a condition is known to finite order only")
    conditions = zip(read.polynomials, system.conditions, strict=True)
    atoms = [Constraint(p, c.relation) for p, c in conditions]
    return by_squares([*atoms, *read.constraints], read.variables, system.variables, LADDER[0])


def by_boxes(system: System, clock: Clock) -> Apart | Open:
    """Whether some box misses the system."""
    if not system.exact:
        if system.enclosure is None:
            return Open("a condition is known to finite order only, without a bound for the rest")
        return _down(system.enclosure, system.variables, LADDER, clock)
    itself = Relaxation(system.variables, tuple(Constraint(c.jet, c.relation) for c in system.conditions))
    return _down(lambda _: itself, system.variables, LADDER, clock)


def _down(
    enclosure: Callable[[Fraction], Relaxation | None],
    variables: int,
    radii: Sequence[Fraction],
    clock: Clock,
) -> Apart | Open:
    reason = "no bound for the conditions in a box"
    for tried, radius in enumerate(radii):
        relaxation = enclosure(radius)
        if relaxation is None:
            continue
        share = clock.share(clock.left / (len(radii) - tried))
        found = _in_box(relaxation, variables, radius, share)
        if isinstance(found, Apart):
            return found
        reason = found.reason
    return Open(reason)


def _in_box(relaxation: Relaxation, variables: int, radius: Fraction, clock: Clock) -> Apart | Open:
    total = relaxation.variables
    try:
        read = rationalised([c.polynomial for c in relaxation.constraints], total)
    except TooManyKernels as problem:
        return Open(str(problem))
    atoms = [
        Constraint(scaled(p, variables, radius), c.relation)
        for p, c in zip(read.polynomials, relaxation.constraints, strict=True)
    ]
    found = solve([*atoms, *inside(read.variables, variables), *read.constraints], read.variables, clock)
    if isinstance(found, Model):
        return Open("every box that was tried has points")
    certified = by_squares([*atoms, *read.constraints], read.variables, variables, Fraction(1))
    if isinstance(certified, Apart):
        return certified
    if isinstance(found, Unknown):
        return Open(found.reason)
    return Apart(f"the box of radius {radius}", "solver")


def scaled(polynomial: Polynomial, variables: int, radius: Fraction) -> Polynomial:
    """The polynomial of u / radius, for the first `variables` variables u."""
    terms = {e: c * radius ** sum(e[:variables]) for e, c in polynomial.terms.items()}
    return Polynomial(polynomial.variables, terms)


def inside(total: int, variables: int) -> list[Constraint]:
    """-1 <= v_i <= 1 for the first `variables` of the variables."""
    one = constant(total, Fraction(1))
    sides = [(one - variable(total, k), one + variable(total, k)) for k in range(variables)]
    return [Constraint(side, ">=") for pair in sides for side in pair]
