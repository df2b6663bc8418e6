"""Leading forms: what a system is to first order along rays, and along weighted rays u_i = d_i * t**w_i.

Let f_i be the part of lowest weighted degree of condition i. If f_i(d) > 0 for all i, the weighted ray in the
direction d runs in the set. If no d != 0 has f_i(d) >= 0 for all i, a ball misses the set: points of the set tending
to the origin, scaled to the weighted sphere, which is compact, would have such a limit. If all conditions are equal
to their forms the set is a union of weighted rays, and the first question alone decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from math import gcd
from typing import Literal, TypeAlias

from cfcompiler.feasibility.arcs import holds_along, ray
from cfcompiler.feasibility.coefficients import Rationalised, TooManyKernels, rationalised
from cfcompiler.feasibility.conditions import (
    Answer,
    Apart,
    Arc,
    Clock,
    Condition,
    Constraint,
    Open,
    System,
    Touches,
    Trust,
)
from cfcompiler.feasibility.solver import AnyOf, Model, Unknown, Value, solve
from cfcompiler.numbers import Finite, sign
from cfcompiler.polynomials import Polynomial, variable

Forms: TypeAlias = "tuple[tuple[Polynomial, Condition], ...]"

LARGEST_WEIGHT = {3: 4, 4: 3}
MOST_WEIGHTED = 4  # variables
MOST_GRID, MOST_IRRATIONAL_GRID = 6, 2  # variables, for directions with entries -1, 0, 1
DENOMINATORS = (1, 4, 2**6, 2**12, 2**30)
QUERY_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class OpenRays:
    """All directions near this one are of rays that run in the set."""

    direction: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class NoOpenRays:
    """The directions of rays that run in the set have no interior point."""

    how: str
    trust: Trust


def open_direction(system: System, clock: Clock) -> OpenRays | NoOpenRays | Open:
    """Whether the directions of rays that run in the set for small t > 0 have an interior point."""
    ones = (1,) * system.variables
    if any(c.relation == "=" and not c.jet.is_zero for c in system.conditions):
        return NoOpenRays("an equation", "certificate")
    conditions = tuple(c for c in system.conditions if not (c.exact and c.jet.is_zero and c.relation != ">"))
    if any(c.exact and c.jet.is_zero for c in conditions):
        return NoOpenRays("0 > 0", "certificate")
    system = System(system.variables, conditions, system.enclosure, system.check_arc)
    forms = leading_forms(system, ones)
    for direction in _grid(system.variables, forms):
        if _strict_at(forms, direction):
            return OpenRays(direction) if len(forms) == len(conditions) else _unknown_form()
    found = _strict(system, forms, clock)
    if found == "unsat":
        return NoOpenRays("leading forms", "solver")
    if isinstance(found, Open):
        return found
    if len(forms) < len(conditions):
        return _unknown_form()
    for direction in _rounded(found.values[: system.variables]):
        if _strict_at(forms, direction):
            return OpenRays(direction)
    return Open("the directions where the leading forms are positive are too thin")


def _unknown_form() -> Open:
    return Open("a condition vanishes to the order that is known")


def by_forms(system: System, weights: Sequence[int], clock: Clock) -> Answer:
    """What the leading forms for these weights decide."""
    return _decided(system, leading_forms(system, weights), weights, clock)


def by_weighted_forms(system: System, clock: Clock) -> Answer:
    """What the leading forms decide, over small weights."""
    if not 2 <= system.variables <= MOST_WEIGHTED:
        return Open(f"weights are tried in two to {MOST_WEIGHTED} variables")
    seen: set[tuple[frozenset[tuple[int, ...]], ...]] = set()
    for weights in small_weights(system):
        forms = leading_forms(system, weights)
        support = tuple(frozenset(form.terms) for form, _ in forms)
        if support in seen:
            continue
        seen.add(support)
        if clock.over:
            return Open("out of time among the weights")
        found = _decided(system, forms, weights, clock)
        if not isinstance(found, Open):
            return found
    return Open("no weights decide")


def small_weights(system: System) -> list[tuple[int, ...]]:
    if system.variables == 2:
        return _fan(system)
    largest = LARGEST_WEIGHT[system.variables]
    every = product(range(1, largest + 1), repeat=system.variables)
    return sorted((w for w in every if min(w) < 3), key=lambda w: (sum(w), w))


def _fan(system: System) -> list[tuple[int, ...]]:
    """In two variables: the weights for which two terms of a condition are of equal weight, and some between them.

    The leading forms for any other weights are among these.
    """
    found = {(1, 1)}
    for condition in system.conditions:
        for (a, b), (c, d) in combinations(condition.jet.terms, 2):
            if (a - c) * (b - d) < 0:
                common = gcd(a - c, b - d)
                found.add((abs(b - d) // common, abs(a - c) // common))
    edges = sorted(found, key=lambda w: Fraction(*w))
    between = [(p + r, q + s) for (p, q), (r, s) in zip(edges[:-1], edges[1:], strict=True)]
    ends = [(edges[0][0], edges[0][1] + 1), (edges[-1][0] + 1, edges[-1][1])]
    return sorted({*edges, *between, *ends}, key=lambda w: (sum(w), w))


def _decided(system: System, forms: Forms, weights: Sequence[int], clock: Clock) -> Answer:
    how = "leading forms" if set(weights) == {1} else f"leading forms for the weights {tuple(weights)}"
    complete = len(forms) == len(system.conditions)
    for direction in _grid(system.variables, forms):
        if complete and _strict_at(forms, direction) and holds_along(system, ray(direction, weights)):
            return Touches(ray(direction, weights), how, "certificate")
    share = clock.share(QUERY_SECONDS)
    refuted = any(_weakly_at(forms, direction) for direction in _grid(system.variables, forms))
    if not refuted and _misses_all(system, forms, share):
        return Apart(how, "solver")
    if any(c.relation == "=" for c in system.conditions) or _hopeless(forms):
        return Open(f"{how} do not decide")
    found = _strict(system, forms, share)
    if found == "unsat" and all(c.exact and c.relation == ">" and form == c.jet for form, c in forms):
        return Apart(how, "solver")
    if isinstance(found, Model) and complete:
        return _ray_near(system, found.values[: system.variables], weights, how)
    return Open(f"{how} do not decide")


def _ray_near(system: System, values: Sequence[Value], weights: Sequence[int], how: str) -> Answer:
    for direction in _rounded(values):
        arc: Arc = ray(direction, weights)
        if holds_along(system, arc):
            return Touches(arc, how, "certificate")
    return Open(f"{how} are positive only in very thin sets of directions")


def leading_forms(system: System, weights: Sequence[int]) -> Forms:
    """The leading forms that are known, each with its condition."""
    found = []
    for condition in system.conditions:
        form = condition.jet.weighted_form(weights)
        if not form.is_zero and (
            condition.exact or _weight(form, weights) < _first_unknown(condition, weights)
        ):
            found.append((form, condition))
    return tuple(found)


def _weight(form: Polynomial, weights: Sequence[int]) -> int:
    exponents = next(iter(form.terms))
    return sum(w * k for w, k in zip(weights, exponents, strict=True))


def _first_unknown(condition: Condition, weights: Sequence[int]) -> int:
    assert condition.degree is not None  # checked where the condition was made
    return min(weights, default=1) * (condition.degree + 1)


def _grid(variables: int, forms: Forms) -> Iterator[tuple[Fraction, ...]]:
    """Directions with small entries, other than 0; fewer of them where arithmetic is slow."""
    most = MOST_GRID if all(form.rational for form, _ in forms) else MOST_IRRATIONAL_GRID
    if 1 <= variables <= most:
        entries = (Fraction(0), Fraction(1), Fraction(-1))
        yield from (d for d in product(entries, repeat=variables) if any(d))


def _strict_at(forms: Forms, direction: Sequence[Finite]) -> bool:
    return all(c.relation != "=" and sign(form.value(direction)) == 1 for form, c in forms)


def _weakly_at(forms: Forms, direction: Sequence[Finite]) -> bool:
    for form, condition in forms:
        found = sign(form.value(direction))
        if found == -1 or (found == 1 and condition.relation == "="):
            return False
    return True


def _hopeless(forms: Forms) -> bool:
    """Whether some form is a negative multiple of a square of a monomial."""
    for form, _ in forms:
        ((exponents, coefficient), *rest) = form.terms.items()
        if not rest and all(k % 2 == 0 for k in exponents) and sign(coefficient) == -1:
            return True
    return False


def _strict(system: System, forms: Forms, clock: Clock) -> Model | Open | Literal["unsat"]:
    """A direction in which all forms are positive, "unsat" where there is none."""
    try:
        read = rationalised([form for form, _ in forms], system.variables)
    except TooManyKernels as problem:
        return Open(str(problem))
    atoms = [Constraint(form, ">") for form in read.polynomials]
    found = solve([*atoms, *read.constraints], read.variables, clock)
    return Open(found.reason) if isinstance(found, Unknown) else found


def _misses_all(system: System, forms: Forms, clock: Clock) -> bool:
    """Whether it is found that no direction has all forms >= 0, or = 0 where an equation is asked."""
    try:
        read = rationalised([form for form, _ in forms], system.variables)
    except TooManyKernels:
        return False
    atoms = [
        Constraint(form, "=" if condition.relation == "=" else ">=")
        for form, (_, condition) in zip(read.polynomials, forms, strict=True)
    ]
    return (
        solve([*atoms, _somewhere(system.variables, read), *read.constraints], read.variables, clock)
        == "unsat"
    )


def _somewhere(variables: int, read: Rationalised) -> AnyOf:
    return AnyOf(tuple(Constraint(variable(read.variables, k), "!=") for k in range(variables)))


def _rounded(values: Sequence[Value]) -> Iterator[tuple[Fraction, ...]]:
    """Rational directions nearer and nearer to the values."""
    near = [value if isinstance(value, Fraction) else value.near for value in values]
    for denominator in DENOMINATORS:
        yield tuple(x.limit_denominator(denominator) for x in near)
    yield tuple(near)
