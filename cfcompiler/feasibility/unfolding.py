"""An irreducible function with atoms -> simpler functions whose product has its sign, wherever its atoms have values.

exp(x) - 2 has the sign of x - log(2), exp(x) - exp(y) that of x - y, log(x) - log(y) that of x - y, sqrt(x) - 3 that of
x - 9, exp(x) + y**2 that of 1. So what can be asked of polynomials is asked of polynomials.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any

import flint

from cfcompiler import numbers
from cfcompiler.feasibility.atoms import KINDS, Atom
from cfcompiler.feasibility.elementary import Elementary
from cfcompiler.feasibility.functions import Function
from cfcompiler.feasibility.quotients import Entry, NotRational, Poly, fraction
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import Exact, Finite

MOST_POWER = 6
Simpler = tuple[int, list[Poly]]


class Unfolding:
    """Simpler functions of one space; `__call__` is what `Functions.simpler` wants."""

    def __init__(self, elementary: Elementary) -> None:
        self.elementary = elementary
        self.functions = elementary.functions
        self.field = elementary.field

    def __call__(self, function: Function) -> Simpler | None:
        """The sign and polynomials; None where nothing simpler is known."""
        poly = function.poly
        if not self.functions.inputs_of(poly):
            return self._constant(poly)
        if self.elementary.plainly_positive(poly):
            return 1, []
        if self.elementary.plainly_positive(-poly):
            return -1, []
        atoms = self.functions.within(poly)
        degrees = poly.degrees()
        alone = not any(degrees[: self.functions.inputs])
        moving = [atom for atom in atoms if atom.inputs]
        try:
            if alone and len(moving) == 1 and len(atoms) > 1 and degrees[moving[0].place] == 1:
                return self._linear(poly, moving[0])
            if alone and len(atoms) == 1:
                return self._of_one(poly, atoms[0])
            if alone and len(poly) == 2 and all(atom.kind == "exp" for atom in atoms):
                return self._exponentials(poly)
            if alone and poly.total_degree() == 1 and all(atom.kind == "log" for atom in atoms):
                return self._logarithms(poly)
        except (NotRational, numbers.Undecided):
            return None
        return None

    def _constant(self, poly: Poly) -> Simpler | None:
        side = self.functions.sign_at(poly, (Fraction(0),) * self.functions.inputs)
        return None if side is None else (side, [])

    # one atom

    def _of_one(self, poly: Poly, atom: Atom) -> Simpler | None:
        """A polynomial in one atom by its roots within the range of the atom."""
        if atom.kind != "root" and KINDS[atom.kind].inverse is None:
            return self._at_zero(poly, atom)
        rows = self.functions.powers(poly, atom.place)
        coefficients = [
            fraction(rows[k].leading_coefficient()) if k in rows else Fraction(0)
            for k in range(max(rows) + 1)
        ]
        roots = _real_roots(coefficients)
        if roots is None:
            return None
        return self._by_roots(1 if coefficients[-1] > 0 else -1, roots, atom)

    def _linear(self, poly: Poly, atom: Atom) -> Simpler | None:
        """a*t + b, where a and b are constants."""
        if atom.kind != "root" and KINDS[atom.kind].inverse is None:
            return None
        nowhere = (Fraction(0),) * self.functions.inputs
        rows = self.functions.powers(poly, atom.place)
        slope = self.functions.value(rows[1], nowhere)
        start = self.functions.value(rows[0], nowhere) if 0 in rows else Fraction(0)
        root = numbers.div(numbers.neg(start), slope)
        return None if numbers.is_special(root) else self._by_roots(numbers.decided(slope), [root], atom)

    def _by_roots(self, side: int, roots: Sequence[Finite], atom: Atom) -> Simpler:
        """side times the product of t - root over simple roots."""
        polys = list[Poly]()
        for root in roots:
            place = _place(atom, root)
            if place:
                side *= -place  # t - root has the other sign
            else:
                inverse = self.elementary.constant(self._inverse(atom, root))
                polys += self.field.parts(self.field.sub(self._argument(atom), inverse))
        return side, polys

    def _at_zero(self, poly: Poly, atom: Atom) -> Simpler | None:
        """t itself, of an odd increasing function without a closed inverse."""
        if atom.kind != "erf" or poly != self.functions.generators[atom.place]:
            return None
        return 1, [atom.above, atom.below]

    def _argument(self, atom: Atom) -> Entry:
        return self.field.ratio(atom.above, atom.below)

    @staticmethod
    def _inverse(atom: Atom, root: Finite) -> Finite:
        inverse = KINDS[atom.kind].inverse if atom.kind != "root" else None
        value: Exact = numbers.power(root, Fraction(atom.degree)) if inverse is None else inverse(root)
        if numbers.is_special(value):
            raise NotRational("an inverse that is not finite")
        return value

    # several atoms of one kind

    def _exponentials(self, poly: Poly) -> Simpler:
        """a*exp(u) - b*exp(v), a and b positive, by u + log(a) - v - log(b)."""
        total: Entry = Fraction(0)
        for exponents, coefficient in poly.to_dict().items():
            turn, size = (1 if coefficient > 0 else -1), abs(fraction(coefficient))
            own = self.elementary.log(size) if size != 1 else Fraction(0)
            for place, k in enumerate(exponents):
                if k:
                    argument = self._argument(self.functions.atoms[place])
                    own = self.field.add(own, self.field.mul(argument, Fraction(int(k))))
            total = self.field.add(total, self.field.mul(own, Fraction(turn)))
        return self._difference(total)

    def _logarithms(self, poly: Poly) -> Simpler | None:
        """a*log(u) - b*log(v) + c by u**a * exp(c) - v**b."""
        sides: list[Entry] = [Fraction(1), Fraction(1)]
        for exponents, coefficient in poly.to_dict().items():
            number = fraction(coefficient)
            if number.denominator != 1 or abs(number) > MOST_POWER:
                return None
            place = next((place for place, k in enumerate(exponents) if k), None)
            base = (
                self.elementary.exp(Fraction(1))
                if place is None
                else self._argument(self.functions.atoms[place])
            )
            which = 0 if number > 0 else 1
            sides[which] = self.field.mul(sides[which], self.field.power(base, abs(int(number))))
        return self._difference(self.field.sub(*sides))

    def _difference(self, total: Entry) -> Simpler:
        above, below = self.field.parts(total)
        return (0, []) if above.is_zero() else (1, [above, below])


def _place(atom: Atom, number: Finite) -> int:
    """Whether a number is below (-1), within (0) or above (1) the range of an atom. Raises Undecided."""
    if atom.kind == "root":
        return min(0, numbers.decided(number))
    kind = KINDS[atom.kind]
    for end, outside in ((kind.low, -1), (kind.high, 1)):
        if end:
            code = numbers.compare(number, parse_number(end))
            if code is None:
                raise numbers.Undecided("the order of two constants could not be decided")
            if code == outside or (code == 0 and not kind.closed):
                return outside
    return 0


def _real_roots(coefficients: Sequence[Fraction]) -> list[Finite] | None:
    """The real roots of an irreducible polynomial, all simple; None where they have no closed form."""
    below = lcm(*(c.denominator for c in coefficients))
    row = [int(c * below) for c in coefficients]
    if len(row) == 2:
        return [Fraction(-row[0], row[1])]
    found: Any = flint.fmpz_poly(row).complex_roots()
    count = sum(1 for root, _ in found if root.imag.is_zero())
    if count == 0:
        return []
    if count and not any(row[1:-1]):
        return _radicals(Fraction(-row[0], row[-1]), len(row) - 1)
    if len(row) != 3:
        return None
    c, b, a = row
    from sympy import Integer, sqrt

    root: Any = sqrt(Integer(b * b - 4 * a * c))
    return [numbers.settled((-b + side * root) / (2 * a)) for side in (1, -1)]


def _radicals(number: Fraction, degree: int) -> list[Finite]:
    """The real roots of x**degree = number, of which there are some."""
    size = numbers.power(abs(number), Fraction(1, degree))
    assert not numbers.is_special(size)
    other = numbers.neg(size)
    assert not numbers.is_special(other)
    return [size, other] if degree % 2 == 0 else [size if number > 0 else other]


def unfolded(elementary: Elementary) -> Elementary:
    """The elementary functions, whose space asks for simpler functions from now on."""
    elementary.functions.simpler = Unfolding(elementary)
    return elementary
