"""Equations and inequalities in the numbers of tie rules -> the settings that satisfy them, exactly.

Linear equations are solved by elimination and put into the rest; one number that is left has the real roots of a
polynomial, or an interval; of what is nonlinear in several numbers the conditions are given, factored, once an example
or a proof that there is none is known (real algebra).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from time import monotonic

from cfcompiler import numbers
from cfcompiler.analyses.element_sets import ElementSets
from cfcompiler.analyses.rule_algebra import factored, linear_consequences, polynomial_text, real_roots
from cfcompiler.analyses.rule_polynomials import RuleUnknown
from cfcompiler.feasibility.conditions import Clock, Constraint
from cfcompiler.feasibility.linear import echelon
from cfcompiler.feasibility.rings import lifted
from cfcompiler.feasibility.roots import exact_value
from cfcompiler.feasibility.solver import AnyOf, Model, solve
from cfcompiler.number_text import to_text
from cfcompiler.numbers import Finite, Undecided
from cfcompiler.polynomials import Polynomial, constant, plus, polynomial, times, variable
from cfcompiler.report import Relation, Settings

SECONDS = 4.0  # of real algebra, for one set of settings
MOST_CANDIDATES = 300
_ZERO, _ONE = Fraction(0), Fraction(1)
NONE = Settings("none")


def settings(
    equations: Sequence[Polynomial], inequalities: Sequence[Polynomial], unknowns: Sequence[RuleUnknown]
) -> Settings:
    """The settings where all `equations` are 0 and all `inequalities` are >= 0. Raises numbers.Undecided."""
    solver = _Solver(tuple(unknowns))
    try:
        return solver.settings(equations, inequalities)
    except _Never:
        return NONE


class _Never(Exception):
    """There is no setting."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """What linear equations leave: unknowns as polynomials in others, and conditions on these."""

    solved: Mapping[int, Polynomial]
    equations: tuple[Polynomial, ...]
    inequalities: tuple[Polynomial, ...]

    @property
    def free(self) -> tuple[int, ...]:
        """The unknowns that the conditions still have."""
        found = {place for one in (*self.equations, *self.inequalities) for place in occurring(one)}
        return tuple(sorted(found))


def occurring(one: Polynomial) -> tuple[int, ...]:
    """The places of the variables that a polynomial has."""
    return tuple(k for k in range(one.variables) if any(exponents[k] for exponents in one.terms))


class _Solver:
    def __init__(self, unknowns: tuple[RuleUnknown, ...]) -> None:
        self.unknowns = unknowns
        self.sets = ElementSets(unknowns)
        self.names = [one.name for one in unknowns]

    def settings(self, equations: Sequence[Polynomial], inequalities: Sequence[Polynomial]) -> Settings:
        asked = {place for one in (*equations, *inequalities) for place in occurring(one)}
        rest = self._reduced(equations, inequalities)
        own = tuple(self._equal(place, value) for place, value in sorted(rest.solved.items()))
        if not rest.equations and not rest.inequalities:
            return self._linear(rest, own, asked)
        if len(rest.free) == 1 and not rest.equations and all(p.degree == 1 for p in rest.inequalities):
            return self._interval(rest, own, asked)
        if len(rest.free) == 1 and not rest.inequalities and all(p.rational for p in rest.equations):
            return self._roots(rest, own, asked)
        return self._general(rest, own)

    # linear equations

    def _reduced(self, equations: Sequence[Polynomial], inequalities: Sequence[Polynomial]) -> _Rest:
        rest = _without_constants(_Rest({}, tuple(equations), tuple(inequalities)))
        while True:
            linear = [one for one in rest.equations if one.degree == 1]
            if not linear:
                return rest
            solved = _solved(linear, len(self.unknowns))
            rest = _without_constants(
                _Rest(
                    {**{place: _put(value, solved) for place, value in rest.solved.items()}, **solved},
                    tuple(_put(one, solved) for one in rest.equations if one.degree != 1),
                    tuple(_put(one, solved) for one in rest.inequalities),
                )
            )

    def _linear(self, rest: _Rest, own: tuple[Relation, ...], asked: set[int]) -> Settings:
        kind = "all" if not rest.solved else "one" if set(rest.solved) >= asked else "set"
        return Settings(kind, own, self.sets.typed(self._example(rest), asked))

    # one number

    def _interval(self, rest: _Rest, own: tuple[Relation, ...], asked: set[int]) -> Settings:
        (place,) = rest.free
        low, high = _bounds(rest.inequalities, place)
        if low is not None and high is not None:
            order = _order(low, high)
            if order > 0:
                return NONE
            if order == 0:
                fixed = {place: constant(len(self.unknowns), low)}
                solved = {**{k: _put(value, fixed) for k, value in rest.solved.items()}, **fixed}
                equal = tuple(self._equal(k, value) for k, value in sorted(solved.items()))
                return self._linear(_Rest(solved, (), ()), equal, asked)
        one = self.unknowns[place]
        wide = (low is None or _order(low, one.low) <= 0) and (high is None or _order(one.high, high) <= 0)
        relations = self._intervals(rest.inequalities)
        kind = "all" if wide and not rest.solved else "set"
        return Settings(kind, (*own, *relations), self.sets.typed(self._example(rest), asked))

    def _roots(self, rest: _Rest, own: tuple[Relation, ...], asked: set[int]) -> Settings:
        (place,) = rest.free
        name, one = self.names[place], self.unknowns[place]
        roots = real_roots(rest.equations, place, one.low, one.high)
        if not roots:
            return NONE
        equal = [Relation("Eq", name, text) for text, _, _ in roots]
        relation = equal[0] if len(equal) == 1 else Relation("Or", parts=tuple(equal))
        best = next((value for _, value, inside in roots if inside), roots[0][1])
        example = None
        if best is not None:
            example = self._example(rest, {place: best})
        kind = "one" if len(roots) == 1 and {place, *rest.solved} >= asked else "set"
        solutions = tuple((text, inside) for text, _, inside in roots)
        return Settings(kind, (*own, relation), self.sets.typed(example, asked), solutions)

    # several numbers

    def _general(self, rest: _Rest, own: tuple[Relation, ...]) -> Settings:
        consequences = linear_consequences(rest.equations)
        if consequences is not None:
            equations = [self._as_equation(*item) for item in rest.solved.items()]
            return self.settings([*equations, *consequences], rest.inequalities)
        conditions = (
            *own,
            *(Relation("Eq", factored(one, self.names), "0") for one in rest.equations),
            *self._intervals([one for one in rest.inequalities if _is_bound(one)]),
            *(self._at_least(one) for one in rest.inequalities if not _is_bound(one)),
        )
        asked = {place for one in (*rest.equations, *rest.inequalities) for place in occurring(one)}
        asked |= set(rest.solved) | {k for value in rest.solved.values() for k in occurring(value)}
        example = self._example(rest)
        if example is None:
            example, reason = self._by_algebra(rest)
            if reason:
                return Settings("unknown", conditions, reason=reason)
        kind = "all" if not rest.equations and not rest.solved and self._all(rest.inequalities) else "set"
        return Settings(kind, conditions, self.sets.typed(example, asked))

    def _as_equation(self, place: int, value: Polynomial) -> Polynomial:
        return variable(len(self.unknowns), place) - value

    def _by_algebra(self, rest: _Rest) -> tuple[tuple[Finite, ...] | None, str]:
        """An example, where it can be written, or the reason why it is not known whether there is one."""
        if not all(one.rational for one in (*rest.equations, *rest.inequalities)):
            return None, "whether there is a setting: the coefficients are irrational"
        formulas = [Constraint(one, "=") for one in rest.equations]
        formulas += [Constraint(one, ">=") for one in rest.inequalities]
        found = solve(formulas, len(self.unknowns), Clock(monotonic() + SECONDS))
        if found == "unsat":
            raise _Never
        if not isinstance(found, Model):
            return None, f"whether there is a setting: {found.reason}"
        values = [exact_value(value) for value in found.values]
        chosen = {place: value for place, value in enumerate(values) if value is not None}
        return self._example(rest, chosen) if len(chosen) == len(values) else None, ""

    def _all(self, inequalities: Sequence[Polynomial]) -> bool:
        """Whether the inequalities hold on the whole of the element sets. Raises Undecided."""
        if any(_sign(one.value(corner)) < 0 for corner in self.sets.corners() for one in inequalities):
            return False
        if all(self.sets.is_affine_in_each(one) for one in inequalities):
            return True
        if not all(one.rational for one in inequalities):
            raise Undecided("the coefficients are irrational")
        count = len(self.unknowns)
        within = [Constraint(one, ">=") for one in self.sets.inequalities()]
        outside = AnyOf(tuple(Constraint(-one, ">") for one in inequalities))
        found = solve([*within, outside], count, Clock(monotonic() + SECONDS))
        if found != "unsat" and not isinstance(found, Model):
            raise Undecided(f"whether every setting is right: {found.reason}")
        return found == "unsat"

    # examples

    def _example(self, rest: _Rest, chosen: Mapping[int, Finite] | None = None) -> tuple[Finite, ...] | None:
        """A setting that satisfies the conditions, one in the element sets if there is one among the candidates.

        `chosen`: values of some unknowns, which satisfy the conditions.
        """
        first: tuple[Finite, ...] | None = None
        within = self.sets.inequalities()
        for candidate in islice(self._candidates(rest), MOST_CANDIDATES):
            values = list(candidate)
            for place, value in (chosen or {}).items():
                values[place] = value
            for place, one in rest.solved.items():
                values[place] = one.value(values)
            if chosen is None and not _satisfied(rest, values):
                continue
            if all(_sign(one.value(values)) >= 0 for one in within):
                return tuple(values)
            first = first or tuple(values)
        return first

    def _candidates(self, rest: _Rest) -> Iterator[tuple[Finite, ...]]:
        """The preset's numbers, the middle, combinations of the ends, and where conditions vanish along one of them."""
        middle = self.sets.middle()
        here = tuple(
            m if one.here is None else one.here for one, m in zip(self.unknowns, middle, strict=True)
        )
        yield here
        yield middle
        conditions = (*rest.equations, *rest.inequalities)
        for start in (here, middle, *islice(self.sets.grid(), 60)):
            yield start
            for condition in conditions:
                for place in occurring(condition):
                    root = _root_in(condition, place, start)
                    if root is not None:
                        yield (*start[:place], root, *start[place + 1 :])

    # relations

    def _equal(self, place: int, value: Polynomial) -> Relation:
        return Relation("Eq", self.names[place], polynomial_text(value, self.names))

    def _intervals(self, bounds: Sequence[Polynomial]) -> Iterator[Relation]:
        """Linear inequalities in one unknown each, as the ends of intervals."""
        for place in sorted({place for one in bounds for place in occurring(one)}):
            low, high = _bounds([one for one in bounds if occurring(one) == (place,)], place)
            if low is not None:
                yield Relation("Le", to_text(low), self.names[place])
            if high is not None:
                yield Relation("Le", self.names[place], to_text(high))

    def _at_least(self, one: Polynomial) -> Relation:
        return Relation("Le", "0", polynomial_text(one, self.names))


def _is_bound(one: Polynomial) -> bool:
    return one.degree == 1 and len(occurring(one)) == 1


def _without_constants(rest: _Rest) -> _Rest:
    """Conditions without unknowns hold, or there is no setting; of equal ones, one is kept."""
    if any(one.degree == 0 for one in rest.equations):
        raise _Never
    if any(one.degree <= 0 and _sign(one.constant_term) < 0 for one in rest.inequalities):
        raise _Never
    return _Rest(rest.solved, _distinct(rest.equations), _distinct(rest.inequalities))


def _distinct(conditions: Sequence[Polynomial]) -> tuple[Polynomial, ...]:
    found = {frozenset(one.terms.items()): one for one in conditions if one.degree > 0}
    return tuple(found.values())


def _solved(equations: Sequence[Polynomial], count: int) -> dict[int, Polynomial]:
    """Of linear equations: the unknowns of the pivots, in the others. Raises _Never."""
    units = [tuple(int(j == k) for j in range(count)) for k in range(count)]
    rows = [(*(one.terms.get(unit, _ZERO) for unit in units), one.constant_term) for one in equations]
    ring, lifted_rows, _ = lifted(rows)
    found = echelon(ring, lifted_rows)
    if count in found.pivots:
        raise _Never
    solved = {}
    for row, pivot in zip(found.rows, found.pivots, strict=True):
        terms = [
            (unit, ring.quotient(-row[k], found.denominator)) for k, unit in enumerate(units) if k != pivot
        ]
        terms.append(((0,) * count, ring.quotient(-row[-1], found.denominator)))
        solved[pivot] = polynomial(count, terms)
    return solved


def _put(one: Polynomial, solved: Mapping[int, Polynomial]) -> Polynomial:
    """A polynomial with some of its variables replaced."""
    total = constant(one.variables, _ZERO)
    for exponents, coefficient in one.terms.items():
        kept = tuple(0 if place in solved else k for place, k in enumerate(exponents))
        term = Polynomial(one.variables, {kept: coefficient})
        for place, value in solved.items():
            term = term * value ** exponents[place]
        total = total + term
    return total


def _bounds(inequalities: Sequence[Polynomial], place: int) -> tuple[Finite | None, Finite | None]:
    """The ends of the interval where linear inequalities in one variable hold."""
    low: Finite | None = None
    high: Finite | None = None
    for one in inequalities:
        slope = one.gradient()[place]
        end = numbers.div(times(-_ONE, one.constant_term), slope)
        assert not numbers.is_special(end)
        if _sign(slope) > 0:
            low = end if low is None or _order(low, end) < 0 else low
        else:
            high = end if high is None or _order(end, high) < 0 else high
    return low, high


def _root_in(one: Polynomial, place: int, start: Sequence[Finite]) -> Finite | None:
    """Where a condition vanishes along one variable, if it is linear in that."""
    if any(exponents[place] > 1 for exponents in one.terms):
        return None
    slope = one.derivative(place).value(start)
    if _sign(slope) == 0:
        return None
    step = numbers.div(one.value(start), slope)
    assert not numbers.is_special(step)
    return plus(start[place], times(-_ONE, step))


def _satisfied(rest: _Rest, values: Sequence[Finite]) -> bool:
    return all(_sign(one.value(values)) == 0 for one in rest.equations) and all(
        _sign(one.value(values)) >= 0 for one in rest.inequalities
    )


def _sign(x: Finite) -> int:
    found = numbers.sign(x)
    if found is None:
        raise Undecided("the sign of a condition could not be decided")
    return found


def _order(x: Finite, y: Finite) -> int:
    return _sign(plus(x, times(-_ONE, y)))
