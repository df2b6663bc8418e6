"""A constant with one root of a polynomial in it -> its normal form, a polynomial in the root of lower degree.

    CRootOf(x**3 - x - 1, 0)**4, 1/CRootOf(x**3 - 2, 0)  ->  r**2 + r, r**2/2

So that equal numbers of one field have equal expressions, and powers do not grow. Other constants stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import flint

from cfcompiler.balls import ROOT, root_coefficients

if TYPE_CHECKING:
    import sympy

MOST_POWER = 1000


def normal_form(value: sympy.Expr) -> sympy.Expr:
    """The same number."""
    field = _Field()
    found = field.read(value)
    if found is None or field.root is None:
        return value
    from sympy import Add, Mul, Pow, Rational

    terms = [
        Mul(Rational(int(c.p), int(c.q)), Pow(field.root, k)) for k, c in enumerate(found.coeffs()) if c != 0
    ]
    return Add(*terms)


@dataclass(slots=True)
class _Field:
    """The rationals with one root, once one was met."""

    root: sympy.Expr | None = None
    modulus: flint.fmpq_poly | None = None

    def read(self, value: sympy.Expr) -> flint.fmpq_poly | None:
        """A polynomial in the root; None for what is not of the field."""
        if value.is_Rational:
            return flint.fmpq_poly([flint.fmpq(int(value.p), int(value.q))])
        if value.func.__name__ == ROOT:
            if self.root is None:
                self.root = value
                self.modulus = flint.fmpq_poly(list(root_coefficients(value)))
            return flint.fmpq_poly([0, 1]) if self.root == value else None
        if value.is_Pow and value.args[1].is_Integer and abs(int(value.args[1])) <= MOST_POWER:
            base = self.read(value.args[0])
            return None if base is None else self._power(base, int(value.args[1]))
        if not value.is_Add and not value.is_Mul:
            return None
        total = flint.fmpq_poly([0 if value.is_Add else 1])
        for argument in value.args:
            part = self.read(argument)
            if part is None:
                return None
            total = total + part if value.is_Add else self._reduced(total * part)
        return total

    def _reduced(self, poly: flint.fmpq_poly) -> flint.fmpq_poly:
        return poly if self.modulus is None else poly % self.modulus

    def _power(self, base: flint.fmpq_poly, exponent: int) -> flint.fmpq_poly | None:
        if exponent < 0:
            if base.degree() < 0 or (self.modulus is None and base.degree() > 0):
                return None
            base = self._inverse(base)
        total = flint.fmpq_poly([1])
        for bit in bin(abs(exponent))[2:]:
            total = self._reduced(total * total)
            if bit == "1":
                total = self._reduced(total * base)
        return total

    def _inverse(self, base: flint.fmpq_poly) -> flint.fmpq_poly:
        if self.modulus is None:
            return flint.fmpq_poly([1 / base[0]])
        common, inverse, _ = base.xgcd(self.modulus)  # the modulus is irreducible
        return inverse / common[0]
