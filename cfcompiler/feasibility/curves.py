"""Arcs u_j = +-t**m, u_i = sum of c_ik * t**k with unknown c: a system to an arc that runs in it.

Each condition along such an arc is a power series in t whose coefficients are polynomials in c; it is positive for
small t > 0 when its first coefficient that is not 0 is positive, which is a disjunction that nlsat solves. Any point
of the closure of a semialgebraic set is the end of such an arc (curve selection and Puiseux), truncated far enough,
but for how far there is no practical bound. Equations must vanish identically along the arc.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cfcompiler.feasibility.arcs import holds_along
from cfcompiler.feasibility.coefficients import Rationalised, TooManyKernels, rationalised
from cfcompiler.feasibility.conditions import (
    Arc,
    Clock,
    Condition,
    Constraint,
    Open,
    OutOfTime,
    System,
    Touches,
)
from cfcompiler.feasibility.roots import exact_value
from cfcompiler.feasibility.solver import AllOf, AnyOf, Formula, Model, Root, Unknown, Value, solve
from cfcompiler.numbers import Finite
from cfcompiler.polynomials import Polynomial, TooManyTerms, constant, vanishes, variable

# (m, the highest power of the other coordinates, the highest power of t that is looked at)
SHAPES = (
    (1, 2, 6),
    (2, 3, 8),
    (1, 4, 10),
    (3, 5, 10),
    (2, 6, 14),
    (3, 7, 14),
    (1, 6, 14),
    (4, 7, 16),
    (1, 8, 18),
)
FIRST_SHAPES, STRAIGHT_SHAPES = 4, 3
QUERY_SECONDS = 0.5
LAST_QUERY_SECONDS = 3.0
MOST_TERMS = 5000  # of a query
DENOMINATORS = (1, 4, 64, 2**20)


@dataclass(frozen=True, slots=True)
class _Shape:
    """One coordinate is side * t**ramification, the others have unknown coefficients at powers up to `highest`."""

    leader: int
    side: int
    ramification: int
    highest: int
    last: int


def by_arcs(
    system: System, shapes: Sequence[tuple[int, int, int]], seconds: float, clock: Clock
) -> Touches | Open:
    """An arc of one of the shapes along which the system is proved to hold; `seconds` is for one query."""
    try:
        read = rationalised([c.jet for c in system.conditions], system.variables)
    except TooManyKernels as problem:
        return Open(str(problem))
    reason = "no arc of low degree was found"
    for shape in _shapes(system.variables, shapes):
        if clock.over:
            return Open("out of time among the arcs")
        found = _with_shape(system, read, shape, clock.share(seconds))
        if isinstance(found, Touches):
            return found
        reason = found.reason
    return Open(reason)


def _shapes(variables: int, shapes: Sequence[tuple[int, int, int]]) -> Iterator[_Shape]:
    for ramification, highest, last in shapes:
        for leader in range(variables):
            for side in (1, -1):
                yield _Shape(leader, side, ramification, highest, last)


def _with_shape(system: System, read: Rationalised, shape: _Shape, clock: Clock) -> Touches | Open:
    unknowns = (system.variables - 1) * shape.highest
    constants = read.variables - system.variables
    total = unknowns + constants
    terms = 0
    try:
        coordinates = _coordinates(system.variables, shape, total)
        lifted = [(variable(total, unknowns + k),) for k in range(constants)]
        formulas: list[Formula] = []
        for condition, jet in zip(system.conditions, read.polynomials, strict=True):
            last = _last(condition, jet, shape)
            series = _series(jet, [*coordinates, *lifted], last, total, clock)
            terms += sum(len(coefficient.terms) for coefficient in series)
            formulas.append(_positive(condition, series))
        formulas += [_moved(c, system.variables, unknowns, total) for c in read.constraints]
    except (TooManyTerms, OutOfTime) as problem:
        return Open(str(problem))
    if terms > MOST_TERMS:
        return Open("the series along arcs are too long")
    found = solve(formulas, total, clock)
    if isinstance(found, Model):
        return _arc_from(system, shape, formulas, total, found.values, clock)
    return Open(found.reason if isinstance(found, Unknown) else "no arc of low degree was found")


def _coordinates(variables: int, shape: _Shape, total: int) -> list[tuple[Polynomial, ...]]:
    """The coordinates of u as series in t: the coefficients from power 0 on, in the unknowns."""
    zero = Polynomial(total, {})
    out: list[tuple[Polynomial, ...]] = []
    first = 0
    for place in range(variables):
        if place == shape.leader:
            out.append((*([zero] * shape.ramification), constant(total, Fraction(shape.side))))
            continue
        out.append((zero, *(variable(total, first + k) for k in range(shape.highest))))
        first += shape.highest
    return out


def _last(condition: Condition, jet: Polynomial, shape: _Shape) -> int:
    """The last power of t of which the coefficient is looked at."""
    if condition.exact:
        highest = jet.degree * max(shape.highest, shape.ramification)
        return highest if condition.relation == "=" else min(shape.last, highest)
    assert condition.degree is not None  # checked where the condition was made
    return min(shape.last, condition.degree)  # an arc may have the least power 1


def _series(
    jet: Polynomial, values: Sequence[tuple[Polynomial, ...]], last: int, total: int, clock: Clock
) -> tuple[Polynomial, ...]:
    one = (constant(total, Fraction(1)),)
    powers: list[list[tuple[Polynomial, ...]]] = [[one] for _ in values]
    sums: list[Polynomial] = [Polynomial(total, {})] * (last + 1)
    for exponents, coefficient in sorted(jet.terms.items()):
        term: tuple[Polynomial, ...] = (constant(total, coefficient),)
        for place, k in enumerate(exponents):
            clock.check()
            while len(powers[place]) <= k:
                powers[place].append(_product(powers[place][-1], values[place], last, total))
            if k:
                term = _product(term, powers[place][k], last, total)
        for power, part in enumerate(term):
            sums[power] = sums[power] + part
    return tuple(sums)


def _product(
    a: Sequence[Polynomial], b: Sequence[Polynomial], last: int, total: int
) -> tuple[Polynomial, ...]:
    out = [Polynomial(total, {})] * min(len(a) + len(b) - 1, last + 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            if i + j <= last and x.terms and y.terms:
                out[i + j] = out[i + j] + x * y
    return tuple(out)


def _positive(condition: Condition, series: Sequence[Polynomial]) -> Formula:
    zeros: list[Formula] = []
    choices: list[Formula] = []
    for coefficient in series:
        if coefficient.is_zero:
            continue
        choices.append(AllOf((*zeros, Constraint(coefficient, ">"))))
        zeros.append(Constraint(coefficient, "="))
    if condition.relation == "=":
        return AllOf(tuple(zeros))
    if condition.relation == ">=":
        choices.append(AllOf(tuple(zeros)))
    return AnyOf(tuple(choices))


def _moved(constraint: Constraint, variables: int, unknowns: int, total: int) -> Constraint:
    """A constraint on the constants behind `variables` variables, as one on those behind the unknowns."""
    terms = {(0,) * unknowns + e[variables:]: c for e, c in constraint.polynomial.terms.items()}
    return Constraint(Polynomial(total, terms), constraint.relation)


def _arc_from(
    system: System,
    shape: _Shape,
    formulas: Sequence[Formula],
    total: int,
    values: Sequence[Value],
    clock: Clock,
) -> Touches | Open:
    unknowns = (system.variables - 1) * shape.highest
    how = f"an arc of degree {max(shape.highest, shape.ramification)}"
    values = _simpler(formulas, total, unknowns, values, clock)
    exact: list[Finite] = []
    for value in values[:unknowns]:
        number = exact_value(value)
        if number is None:
            return Open("an arc was found whose coefficients have no closed form")
        exact.append(number)
    arc = _arc(system.variables, shape, exact)
    if holds_along(system, arc):
        return Touches(arc, how, "certificate")
    return Open("an arc was found that could not be verified")


def _simpler(
    formulas: Sequence[Formula], total: int, unknowns: int, values: Sequence[Value], clock: Clock
) -> Sequence[Value]:
    """A model with fewer irrational values among the unknowns, where there is one near."""
    for place in range(unknowns):
        value = values[place]
        if not isinstance(value, Root):
            continue
        for denominator in DENOMINATORS:
            near = value.near.limit_denominator(denominator)
            fixed = [_fixed(total, k, v) for k, v in enumerate(values[:place]) if isinstance(v, Fraction)]
            found = solve([*formulas, *fixed, _fixed(total, place, near)], total, clock)
            if isinstance(found, Model):
                values = found.values
                break
    return values


def _fixed(total: int, place: int, value: Fraction) -> Constraint:
    return Constraint(variable(total, place) - constant(total, value), "=")


def _arc(variables: int, shape: _Shape, numbers: Sequence[Finite]) -> Arc:
    out: list[tuple[tuple[int, Finite], ...]] = []
    first = 0
    for place in range(variables):
        if place == shape.leader:
            out.append(((shape.ramification, Fraction(shape.side)),))
            continue
        terms = enumerate(numbers[first : first + shape.highest], start=1)
        out.append(tuple((power, number) for power, number in terms if not vanishes(number)))
        first += shape.highest
    return Arc(tuple(out))
