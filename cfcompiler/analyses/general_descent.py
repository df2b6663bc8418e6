"""An artificial critical point of a rational program -> a start from which one gradient step leads exactly to it.

A start x0 in an open stratum with the gradient g satisfies x0 - step*g(x0) = x. Where g is affine that is a linear
system for each step; else the start is looked for on the ray from x along g(x), and last by the solver. Whatever was
found is run in exact arithmetic before it is said (descent.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import flint

from cfcompiler import numbers
from cfcompiler.analyses.descent import inputs_at, leads, returned
from cfcompiler.analyses.general_points import exact_point, number_of
from cfcompiler.analyses.general_texts import Texts
from cfcompiler.analyses.general_truth import Truth
from cfcompiler.analyses.ratios import finite
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.conditions import Constraint
from cfcompiler.feasibility.quotients import Entry, NotRational, Ratio, fraction
from cfcompiler.feasibility.region import Region
from cfcompiler.feasibility.solver import Formula, Model
from cfcompiler.numbers import Exact, Finite, is_special
from cfcompiler.polynomials import Polynomial, constant, variable, widened

STEPS = tuple(Fraction(1, 2**power) for power in (1, 0, 2, 3, 4, 6))
MOST_CELLS = 24
SECONDS_A_CELL = 0.5
SECONDS_A_POINT = 3.0
Start = tuple[tuple[Finite, ...], Finite]


def start_of(texts: Texts, truth: Truth, cells: Sequence[Truth]) -> Start | None:
    """A start and a step that lead to the witness of a stratum; None where none was found.

    `cells`: strata of full dimension. Where AD does not return 0 at the witness there is no start.
    """
    goal = exact_point(truth.region)
    if goal is None:
        return None
    walk = texts.walk
    search = _Search(texts, goal)
    near = [cell for cell in cells if cell.ad and finite(cell.ad)]
    near.sort(key=lambda cell: not search.touches(cell.region))
    clock = texts.regions.clock.share(SECONDS_A_POINT)
    for look in (search.linear, search.along_the_ray, search.solved):
        for cell in near[:MOST_CELLS]:
            if clock.over:
                return None
            for start, step in look(cell):
                if leads(walk.program, walk.backward, walk.inputs, walk.coordinates, start, step, goal):
                    return start, step
    return None


class _Search:
    """Proposals of starts for one goal."""

    def __init__(self, texts: Texts, goal: tuple[Finite, ...]) -> None:
        self.texts = texts
        self.walk = texts.walk
        self.goal = goal
        self.rational = tuple(x for x in goal if isinstance(x, Fraction))

    def touches(self, region: Region) -> bool:
        """Whether no sign of the region contradicts the goal."""
        signs = ((self._sign(function.poly, self.goal), sign) for function, sign in region.signs.items())
        return all(own in (0, sign) for own, sign in signs)

    def _sign(self, poly: object, point: Sequence[Finite]) -> int | None:
        try:
            value = self.texts.value(Ratio(poly, self.walk.functions.one), point)
        except numbers.Undecided:
            return None
        return None if is_special(value) else numbers.sign(value)

    def _inside(self, region: Region, point: Sequence[Finite]) -> bool:
        return all(
            self._sign(function.poly, point) == sign for function, sign in region.signs.items()
        ) and all(
            any(self._sign(function.poly, point) in (1, -1) for function in family) for family in region.mixed
        )

    def linear(self, cell: Truth) -> Iterator[Start]:
        """x0 = x + step*g(x0), where the gradient is affine: one start for each step."""
        rows = _affine(cell.ad, self.walk.dimension)
        if rows is None:
            return
        n = self.walk.dimension
        for step in STEPS:
            table = [[int(i == j) - step * rows[i][1 + j] for j in range(n)] for i in range(n)]
            try:
                inverse = _matrix(table).inv()
                right = [numbers.add(x, step * row[0]) for x, row in zip(self.goal, rows, strict=True)]
                start = tuple(
                    _combined([fraction(inverse[place, k]) for k in range(n)], right) for place in range(n)
                )
            except (ZeroDivisionError, numbers.Undecided):
                continue
            known = tuple(x for x in start if not is_special(x))
            if len(known) == n and self._inside(cell.region, known):
                yield known, step

    def along_the_ray(self, cell: Truth) -> Iterator[Start]:
        """Starts x + t*g(x), with the step that the slope there needs."""
        try:
            ray = [self.texts.value(entry, self.goal) for entry in cell.ad]
            if any(is_special(entry) for entry in ray):
                return
            for t in STEPS:
                start = [numbers.add(x, numbers.mul(t, d)) for x, d in zip(self.goal, ray, strict=True)]
                known = tuple(x for x in start if not is_special(x))
                if known != self.goal and len(known) == len(start) and self._inside(cell.region, known):
                    step = self._step(known)
                    if step is not None:
                        yield known, step
        except (Undecided, numbers.Undecided):
            return

    def _step(self, start: tuple[Finite, ...]) -> Finite | None:
        """The step that fits one coordinate, where it is positive."""
        walk = self.walk
        slope = returned(walk.program, walk.backward, inputs_at(walk.inputs, walk.coordinates, start))
        for x, end, entry in zip(start, self.goal, slope, strict=True):
            if is_special(entry):
                return None
            if numbers.sign(entry) in (1, -1):
                step = numbers.div(numbers.sub(x, end), entry)
                return None if is_special(step) or numbers.sign(step) != 1 else step
        return None

    def solved(self, cell: Truth) -> Iterator[Start]:
        """Starts that the solver finds, for given steps and then for any."""
        if len(self.rational) < len(self.goal) or _affine(cell.ad, self.walk.dimension) is not None:
            return
        regions, n = self.texts.regions, self.walk.dimension
        steps: list[tuple[Fraction | None, int]] = [*((step, 0) for step in STEPS), (None, 1)]
        irrational: list[Start] = []
        for step, extra in steps:
            total = self.walk.functions.variables + extra
            factor = variable(total, total - 1) if step is None else constant(total, step)
            try:
                formulas = [self._equation(place, cell.ad[place], factor) for place in range(n)]
            except NotRational:  # an irrational coefficient
                return
            if step is None:
                formulas.append(Constraint(factor, ">"))
            found = regions.model(cell.region, formulas, extra, SECONDS_A_CELL)
            if isinstance(found, Model):
                values = [number_of(value) for value in found.values]
                known = tuple(value for value in values if value is not None)
                if len(known) == n + extra:
                    start = known[:n], known[n] if step is None else step
                    if all(isinstance(x, Fraction) for x in known):
                        yield start
                    else:
                        irrational.append(start)
        yield from irrational

    def _equation(self, place: int, entry: Entry, factor: Polynomial) -> Formula:
        """(x - goal)*below = factor*above in one coordinate."""
        total = factor.variables
        above, below = (
            widened(self.walk.functions.polynomial(part), total) for part in self.walk.parts(entry)
        )
        away = variable(total, place) - constant(total, self.rational[place])
        return Constraint(away * below - factor * above, "=")


def _affine(vector: Sequence[Entry], dimension: int) -> list[list[Fraction]] | None:
    """For each entry the constant and the coefficients; None where an entry is not affine."""
    rows = []
    for entry in vector:
        row = [Fraction(0)] * (dimension + 1)
        if isinstance(entry, Fraction):
            row[0] = entry
        elif isinstance(entry, Ratio) and entry.below.is_constant() and entry.above.total_degree() <= 1:
            for exponents, coefficient in entry.above.to_dict().items():
                place = next((k + 1 for k, power in enumerate(exponents) if power), 0)
                if place > dimension:  # a value such as exp(x)
                    return None
                row[place] = fraction(coefficient) / fraction(entry.below.leading_coefficient())
        else:
            return None
        rows.append(row)
    return rows


def _combined(weights: Sequence[Fraction], values: Sequence[Exact]) -> Exact:
    total: Exact = Fraction(0)
    for weight, value in zip(weights, values, strict=True):
        total = numbers.add(total, numbers.mul(weight, value))
    return total


def _matrix(rows: Sequence[Sequence[Fraction]]) -> flint.fmpq_mat:
    entries = [flint.fmpq(x.numerator, x.denominator) for row in rows for x in row]
    return flint.fmpq_mat(len(rows), len(rows[0]), entries)
