"""Polynomials over the rationals in flint, with names: factors, substitution, values, and what the solver takes.

A `Function` is a primitive integer polynomial whose leading coefficient is positive, so that functions with one zero
set up to a constant factor are one function; `key` is equal for equal functions. The first variables are the inputs;
the others, as many as there is `room` for, are given away to atoms (atoms.py), each a function of variables before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any, TypeAlias

import flint

from cfcompiler import numbers
from cfcompiler.balls import QUICK_BITS, ball_sign, whole_power
from cfcompiler.feasibility.atoms import Atom, enclosed_value, exact_value, number_ball
from cfcompiler.feasibility.quotients import NotRational
from cfcompiler.numbers import Exact, Finite
from cfcompiler.polynomials import Polynomial

Poly: TypeAlias = Any  # flint.fmpq_mpoly
Key: TypeAlias = "tuple[tuple[tuple[int, ...], int], ...]"
Point: TypeAlias = tuple[Finite, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A polynomial up to a constant factor. Equal by its key."""

    key: Key
    poly: Poly

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def size(self) -> tuple[int, int, Key]:
        """An order in which simple functions come first."""
        return self.poly.total_degree(), len(self.key), self.key


@dataclass(frozen=True, slots=True)
class Factored:
    """side * a positive number * product of function**times; side is 0 for the zero polynomial."""

    side: int
    factors: tuple[tuple[Function, int], ...]


class Functions:
    """The functions of one space of `inputs` variables, with room for further ones.

    `simpler` may be set: what has the sign of an irreducible function wherever its atoms have values, as a sign and
    polynomials whose product it is; None where nothing is simpler.
    """

    def __init__(self, inputs: int, room: int = 0) -> None:
        self.inputs = inputs
        self.variables = variables = inputs + room
        self.atoms: dict[int, Atom] = {}
        self.full = False  # there was no room for another one
        self.finer: dict[
            int, tuple[int, int]
        ] = {}  # exp(2*x) as a power of exp(x): its variable and the power
        self.simpler: Callable[[Function], tuple[int, Sequence[Poly]] | None] | None = None
        names = tuple(f"x{place}" for place in range(variables))
        self.context = flint.fmpq_mpoly_ctx.get(names, flint.Ordering.degrevlex)
        self.one = self.context.constant(1)
        self.generators = self.context.gens()
        self._factored: dict[Key, Factored] = {}

    def named(self, poly: Poly) -> tuple[int, Function]:
        """The sign of the constant by which a polynomial that is not zero differs, and its function."""
        terms = {tuple(map(int, e)): Fraction(int(c.p), int(c.q)) for e, c in poly.to_dict().items()}
        below = lcm(*(c.denominator for c in terms.values()))
        whole = {e: c.numerator * (below // c.denominator) for e, c in terms.items()}
        common = gcd(*whole.values())
        lead = max(whole, key=lambda e: (sum(e), e))
        side = 1 if whole[lead] > 0 else -1
        key = tuple(sorted((e, side * c // common) for e, c in whole.items()))
        return side, Function(key, self.context.from_dict({e: flint.fmpq(c) for e, c in key}))

    def factored(self, poly: Poly) -> Factored:
        """The irreducible factors over the rationals, constants left out."""
        if poly.is_zero():
            return Factored(0, ())
        if poly.is_constant():
            return Factored(1 if poly.leading_coefficient() > 0 else -1, ())
        if self.atoms:
            poly = self.normal(poly)
            if poly.is_zero() or poly.is_constant():
                return self.factored(poly)
        side, function = self.named(poly)
        if function.key not in self._factored:
            _, found = function.poly.factor()
            # leading terms multiply, so a product of functions leads with a positive term as well
            rows = [(self.named(factor)[1], int(times)) for factor, times in found]
            self._factored[function.key] = self._simplified(rows)
        found = self._factored[function.key]
        return Factored(side * found.side, found.factors)

    def _simplified(self, rows: Sequence[tuple[Function, int]]) -> Factored:
        """Factors with their multiplicities, each replaced by what has its sign and is simpler."""
        side, factors = 1, dict[Function, int]()
        for function, times in rows:
            simpler = (
                self.simpler(function) if self.simpler is not None and self.moved(function.poly) else None
            )
            if simpler is None:
                factors[function] = factors.get(function, 0) + times
                continue
            turn, polys = simpler
            side *= turn if times % 2 or turn == 0 else 1
            for poly in polys:
                part = self.factored(poly)
                side *= part.side if times % 2 or part.side == 0 else 1
                for own, power in part.factors:
                    factors[own] = factors.get(own, 0) + power * times
        return Factored(side, tuple(sorted(factors.items(), key=lambda row: row[0].size)))

    def product(self, factors: Sequence[Function]) -> Function:
        """The function that vanishes where one of them does."""
        total = self.one
        for function in factors:
            total = total * function.poly
        return self.named(total)[1]

    def substituted(self, poly: Poly, place: int, above: Poly, below: Poly) -> Poly:
        """poly * below**degree with the variable number `place` replaced by above/below; atoms stay as they are."""
        degree = poly.degrees()[place]
        if degree == 0:
            return poly
        total = self.context.constant(0)
        for power, terms in self.powers(poly, place).items():
            total += terms * above**power * below ** (degree - power)
        return total

    def coefficient(self, poly: Poly, place: int) -> Poly | None:
        """a, where poly = a*x + b with the variable x number `place` in neither; else None."""
        if poly.degrees()[place] != 1 or any(place in atom.inputs for atom in self.within(poly)):
            return None
        return poly.derivative(place)

    # atoms

    def moved(self, poly: Poly) -> bool:
        """Whether atoms occur in a polynomial."""
        return bool(self.atoms) and any(power > 0 for power in poly.degrees()[self.inputs :])

    def within(self, poly: Poly) -> list[Atom]:
        """The atoms in a polynomial, not those in their arguments; the last ones first."""
        if not self.atoms:
            return []
        degrees = poly.degrees()
        return [self.atoms[place] for place in sorted(self.atoms, reverse=True) if degrees[place] > 0]

    def inputs_of(self, poly: Poly) -> frozenset[int]:
        """The inputs that a polynomial moves with."""
        degrees = poly.degrees()
        own = {place for place in range(self.inputs) if degrees[place] > 0}
        return frozenset(own).union(*(atom.inputs for atom in self.within(poly)))

    def atom(
        self, kind: str, above: Poly, below: Poly, degree: int = 1, number: Finite | None = None
    ) -> Poly:
        """The variable of an atom, a new one where it is not known. Raises NotRational where there is no room."""
        for atom in self.atoms.values():
            same = atom.kind == kind and atom.degree == degree and atom.number == number
            if same and atom.above == above and atom.below == below:
                return self.generators[atom.place]
        place = self.inputs + len(self.atoms)
        if place >= self.variables:
            most = self.variables - self.inputs
            self.full = True
            raise NotRational(f"a formula with more than {most} different values such as exp(x)")
        inputs = self.inputs_of(above) | self.inputs_of(below)
        self.atoms[place] = Atom(place, kind, above, below, degree, number, inputs)
        return self.generators[place]

    def normal(self, poly: Poly) -> Poly:
        """With powers of roots and of cosines replaced: sqrt(u)**2 is u, cos(u)**2 is 1 - sin(u)**2."""
        for atom in self.within(poly):
            if atom.place in self.finer:
                place, power = self.finer[atom.place]
                poly = self._lowered(poly, atom, 1, self.generators[place] ** power)
            elif atom.kind == "root":
                poly = self._lowered(poly, atom, atom.degree, atom.above)
            elif atom.kind == "cos":
                sine = self.atom("sin", atom.above, atom.below)
                poly = self._lowered(poly, atom, 2, self.one - sine * sine)
        return poly

    def _lowered(self, poly: Poly, atom: Atom, degree: int, instead: Poly) -> Poly:
        if poly.degrees()[atom.place] < degree:
            return poly
        total = self.context.constant(0)
        for power, terms in self.powers(poly, atom.place).items():
            total += terms * instead ** (power // degree) * self.generators[atom.place] ** (power % degree)
        return self.normal(total)

    def powers(self, poly: Poly, place: int) -> dict[int, Poly]:
        """The coefficients of a polynomial by the powers of a variable."""
        rows: dict[int, dict[tuple[int, ...], Any]] = {}
        for exponents, coefficient in poly.to_dict().items():
            e = tuple(map(int, exponents))
            rows.setdefault(e[place], {})[(*e[:place], 0, *e[place + 1 :])] = coefficient
        return {power: self.context.from_dict(terms) for power, terms in rows.items()}

    # values

    def value(self, poly: Poly, point: Sequence[Finite]) -> Finite:
        """The value at a point. Raises numbers.Undecided where an atom has none that is known to be finite."""
        if not self.moved(poly) and all(isinstance(x, Fraction) for x in point[: self.inputs]):
            return _rational_value(poly, point)
        total: Exact = Fraction(0)
        known: dict[int, Exact] = {}
        for exponents, coefficient in poly.to_dict().items():
            term: Exact = Fraction(int(coefficient.p), int(coefficient.q))
            for place, k in enumerate(exponents):
                if k:
                    x = point[place] if place < self.inputs else self._atom_value(place, point, known)
                    term = numbers.mul(term, numbers.power(x, Fraction(int(k))))
            total = numbers.add(total, term)
        if numbers.is_special(total):
            raise numbers.Undecided("a value that is not finite")
        return total

    def _atom_value(self, place: int, point: Sequence[Finite], known: dict[int, Exact]) -> Exact:
        if place not in known:
            atom = self.atoms[place]
            if atom.number is not None:
                known[place] = atom.number
            else:
                argument = numbers.div(self.value(atom.above, point), self.value(atom.below, point))
                known[place] = exact_value(atom, argument)
        return known[place]

    def sign_at(self, poly: Poly, point: Sequence[Finite]) -> int | None:
        """The sign at a point; None where it could not be decided, or there is none."""
        try:
            if not self.moved(poly) and all(isinstance(x, Fraction) for x in point):
                value = _rational_value(poly, point)
                return (value > 0) - (value < 0)
            found = ball_sign(self.ball(poly, [number_ball(x, QUICK_BITS) for x in point], QUICK_BITS))
            if found is not None:
                return found
            return numbers.sign(self.value(poly, point))
        except (numbers.Undecided, ZeroDivisionError):
            return None

    def ball(self, poly: Poly, point: Sequence[Any], bits: int) -> Any:
        """The value in a ball, at a point of balls; not finite where it may not be."""
        with flint.ctx.workprec(bits):
            return self._ball(poly, point, bits, {})

    def _ball(self, poly: Poly, point: Sequence[Any], bits: int, known: dict[int, Any]) -> Any:
        total = flint.arb(0)
        for exponents, coefficient in poly.to_dict().items():
            term = flint.arb(coefficient)
            for place, k in enumerate(exponents):
                if k:
                    x = point[place] if place < self.inputs else self._atom_ball(place, point, bits, known)
                    term *= whole_power(x, int(k))
            total += term
        return total

    def _atom_ball(self, place: int, point: Sequence[Any], bits: int, known: dict[int, Any]) -> Any:
        if place not in known:
            atom = self.atoms[place]
            argument = None
            if atom.number is None:
                argument = self._ball(atom.above, point, bits, known) / self._ball(
                    atom.below, point, bits, known
                )
            known[place] = enclosed_value(atom, argument, bits)
        return known[place]

    # for the solver

    def polynomial(self, poly: Poly) -> Polynomial:
        """For the solver."""
        terms = poly.to_dict().items()
        return Polynomial(
            self.variables, {tuple(map(int, e)): Fraction(int(c.p), int(c.q)) for e, c in terms}
        )

    def along(self, poly: Poly, place: int, point: Sequence[Finite]) -> list[Finite]:
        """Roots of the polynomial along the line through a point in the direction of an input.

        All rational ones, where no atom moves with the input; the only one, where the polynomial is linear along it.
        """
        if not poly.degrees()[place] or any(place in atom.inputs for atom in self.within(poly)):
            return []
        rows = self.powers(poly, place)
        try:
            row = [self.value(rows.get(k, self.one * 0), point) for k in range(max(rows) + 1)]
            rationals = [c for c in row if isinstance(c, Fraction)]
            if len(rationals) == len(row):
                return list(rational_roots(rationals))
            if len(row) == 2 and numbers.sign(row[1]) in (1, -1):
                root = numbers.div(numbers.neg(row[0]), row[1])
                return [] if numbers.is_special(root) else [root]
        except numbers.Undecided:
            return []
        return []

    def minors(self, rows: Sequence[Sequence[Poly]]) -> list[Poly]:
        """All maximal minors of a matrix of at most as many rows as columns, without repeats and zeros."""
        from itertools import combinations

        width = len(rows[0]) if rows else 0
        found: dict[Key, Poly] = {}
        for columns in combinations(range(width), len(rows)):
            minor = self._determinant([[row[column] for column in columns] for row in rows])
            if not minor.is_zero():
                _, function = self.named(minor)
                found[function.key] = function.poly
        return list(found.values())

    def _determinant(self, matrix: Sequence[Sequence[Poly]]) -> Poly:
        if len(matrix) == 1:
            return matrix[0][0]
        total = self.context.constant(0)
        for column, entry in enumerate(matrix[0]):
            if entry.is_zero():
                continue
            rest = [[*row[:column], *row[column + 1 :]] for row in matrix[1:]]
            term = entry * self._determinant(rest)
            total = total - term if column % 2 else total + term
        return total


def _rational_value(poly: Poly, point: Sequence[Any]) -> Fraction:
    """The value of a polynomial without atoms at a rational point."""
    total = Fraction(0)
    for exponents, coefficient in poly.to_dict().items():
        term = Fraction(int(coefficient.p), int(coefficient.q))
        for x, k in zip(point, exponents, strict=False):  # then come the atoms
            if k:
                term *= x ** int(k)
        total += term
    return total


def rational_roots(coefficients: Iterable[Fraction]) -> list[Fraction]:
    """The rational roots of a polynomial in one variable, coefficients from low to high; none of zero."""
    row = list(coefficients)
    below = lcm(*(c.denominator for c in row))
    poly = flint.fmpz_poly([int(c * below) for c in row])
    if poly.degree() < 1:
        return []
    _, factors = poly.factor()
    return [Fraction(-int(factor[0]), int(factor[1])) for factor, _ in factors if factor.degree() == 1]
