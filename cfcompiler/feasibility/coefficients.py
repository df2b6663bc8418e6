"""Irrational coefficients to variables: polynomials over the rationals that the solver can read.

Each kernel of a coefficient becomes a variable: a root r of a positive number b with k-th power b by r > 0, r**k = b,
an inverse by r*b = 1, a root of a polynomial by that and an interval. They are then determined, and the system is the
same. Any other constant (pi, exp(1), log(2))
is confined to an interval: the system is relaxed, so that only "no solution" carries over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from cfcompiler.balls import ROOT, bounds, root_coefficients
from cfcompiler.feasibility.conditions import Constraint
from cfcompiler.numbers import sign
from cfcompiler.polynomials import Exponents, Polynomial, constant, polynomial, variable

if TYPE_CHECKING:
    import sympy

INTERVAL_BITS = 96
MOST_POWER = 12
MOST_KERNELS = 8
_ONE = Fraction(1)

Sum: TypeAlias = "list[tuple[Fraction, dict[int, int]]]"  # terms: a coefficient, and powers of kernels


class TooManyKernels(ArithmeticError):
    """More irrational constants than the solver should be asked about."""


@dataclass(frozen=True, slots=True)
class Rationalised:
    """Polynomials in `variables` variables, the last of which stand for constants that `constraints` describe.

    `exact`: the constraints determine them.
    """

    variables: int
    polynomials: tuple[Polynomial, ...]
    constraints: tuple[Constraint, ...]
    exact: bool


def rationalised(polynomials: Sequence[Polynomial], variables: int) -> Rationalised:
    """The same polynomials in more variables over the rationals. Raises TooManyKernels."""
    if all(p.rational for p in polynomials):
        return Rationalised(variables, tuple(polynomials), (), True)
    kernels = _Kernels([], [], [], [])
    rows = [[(e, kernels.read(c)) for e, c in sorted(p.terms.items())] for p in polynomials]
    count = len(kernels.found)
    out = []
    for row in rows:
        terms = [((*e, *_powers(powers, count)), q) for e, total in row for q, powers in total]
        out.append(polynomial(variables + count, terms))
    return Rationalised(variables + count, tuple(out), kernels.constraints(variables), not kernels.opaque)


def _powers(powers: dict[int, int], count: int) -> Exponents:
    return tuple(powers.get(place, 0) for place in range(count))


@dataclass(frozen=True, slots=True)
class _Kernels:
    """Collects while the coefficients of one system are read."""

    found: list[sympy.Expr]
    definitions: list[
        tuple[int, int, bool, Sum]
    ]  # kernel, k, inverse, b: kernel**k = b, or kernel**k * b = 1
    opaque: list[int]  # known by intervals only
    roots: list[int]  # of polynomials

    def read(self, number: Fraction | sympy.Expr) -> Sum:
        if isinstance(number, Fraction):
            return [(number, {})]
        if number.is_Rational:
            return [(Fraction(int(number.p), int(number.q)), {})]
        if number.is_Add:
            return [term for part in number.args for term in self.read(part)]
        if number.is_Mul:
            return self._product([self.read(part) for part in number.args])
        if number.is_Pow and number.args[1].is_Rational:
            return self._power(number)
        return self._kernel(number, None)

    def _product(self, factors: Sequence[Sum]) -> Sum:
        out: Sum = [(_ONE, {})]
        for factor in factors:
            out = [(a * b, _joined(p, q)) for a, p in out for b, q in factor]
        return out

    def _power(self, number: sympy.Expr) -> Sum:
        from sympy import Integer, Pow

        base, p, q = number.args[0], int(number.args[1].p), int(number.args[1].q)
        if abs(p) > MOST_POWER or q > MOST_POWER or (q > 1 and sign(base) != 1):
            return self._kernel(number, None)
        if q == 1 and p > 0:
            return self._product([self.read(base)] * p)
        if p > 0:
            root = self._kernel(Pow(base, Integer(1) / q), (q, False, base))
            return self._product([root] * p)
        return self._kernel(number, (q, True, base ** (-p)))

    def _kernel(self, number: sympy.Expr, definition: tuple[int, bool, sympy.Expr] | None) -> Sum:
        if number not in self.found:
            meaning = None if definition is None else self.read(definition[2])
            place = len(self.found)
            if place == MOST_KERNELS:
                raise TooManyKernels(f"more than {MOST_KERNELS} irrational constants")
            self.found.append(number)
            if number.func.__name__ == ROOT:
                self.roots.append(place)
            elif definition is None or meaning is None:
                self.opaque.append(place)
            else:
                self.definitions.append((place, definition[0], definition[1], meaning))
        return [(_ONE, {self.found.index(number): 1})]

    def constraints(self, variables: int) -> tuple[Constraint, ...]:
        count = len(self.found)
        total = variables + count
        out = []
        for place, k, inverse, meaning in self.definitions:
            power = variable(total, variables + place) ** k
            below = polynomial(total, [((0,) * variables + _powers(p, count), c) for c, p in meaning])
            difference = power * below - constant(total, _ONE) if inverse else power - below
            out.append(Constraint(difference, "="))
            if k > 1:  # the positive root
                out.append(Constraint(variable(total, variables + place), ">"))
        for place in self.roots:
            x = variable(total, variables + place)
            powers = enumerate(root_coefficients(self.found[place]))
            own = [(_only(variables + place, k, total), Fraction(c)) for k, c in powers]
            out.append(Constraint(polynomial(total, own), "="))
        for place in (*self.opaque, *self.roots):  # enclosures of other roots are apart from this one
            ends = bounds(self.found[place], INTERVAL_BITS)
            if ends is not None:
                x = variable(total, variables + place)
                out.append(Constraint(x - constant(total, ends[0]), ">="))
                out.append(Constraint(constant(total, ends[1]) - x, ">="))
        return tuple(out)


def _only(place: int, power: int, size: int) -> Exponents:
    return tuple(power if k == place else 0 for k in range(size))


def _joined(p: dict[int, int], q: dict[int, int]) -> dict[int, int]:
    return {place: p.get(place, 0) + q.get(place, 0) for place in sorted({*p, *q})}
