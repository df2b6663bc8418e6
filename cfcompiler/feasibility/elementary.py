"""Elementary functions of quotients -> quotients in inputs and atoms, in a form in which equal ones tend to be equal.

exp(a + b) is exp(a)*exp(b), log(exp(a)*b) is a + log(b), sqrt(a**2*b) is |a|*sqrt(b), log(6) is log(2) + log(3): so
that equal formulas become equal quotients. Where they do not, nothing is claimed: that a polynomial is not zero as a
polynomial says nothing of its values. Derivatives are quotients again, as the chain rule has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import flint

from cfcompiler import numbers
from cfcompiler.balls import depth
from cfcompiler.feasibility.atoms import Atom
from cfcompiler.feasibility.functions import Functions
from cfcompiler.feasibility.quotients import Entry, NotRational, Poly, Quotients, Ratio, fraction
from cfcompiler.numbers import Finite
from cfcompiler.operations import OPERATIONS

SignOf = Callable[[Poly], int]
MOST_FACTORED_BITS = 64  # of a number that is split into primes
MOST_DEPTH = 8  # of an exact number that is taken apart
MOST_ROOT = 12
MOST_POWER = 12  # of an exponential that stands for another one
_ZERO, _ONE = Fraction(0), Fraction(1)


class Elementary:
    """The functions over one space. A sign that a form depends on (of what is under a root) is asked of an oracle."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.one = functions.one
        self.field = Quotients(functions.one, functions.normal, self.constant)

    # constants

    def constant(self, number: Finite) -> Entry:
        """An exact number as an entry. Raises NotRational where there is no room for atoms."""
        if isinstance(number, Fraction):
            return number
        if self.functions.variables == self.functions.inputs:
            raise NotRational("a coefficient that is not rational")
        value = numbers.settled(number)
        if isinstance(value, Fraction):
            return value
        return self._opaque(value) if depth(value, MOST_DEPTH) >= MOST_DEPTH else self._taken_apart(value)

    def _taken_apart(self, value: Any) -> Entry:
        if value.is_Rational:
            return Fraction(int(value.p), int(value.q))
        name, args = value.func.__name__, value.args
        if name in ("Add", "Mul"):
            join = self.field.add if name == "Add" else self.field.mul
            total = self._taken_apart(args[0])
            for arg in args[1:]:
                total = join(total, self._taken_apart(arg))
            return total
        if name == "Pow" and args[1].is_Rational and numbers.sign(args[0]) == 1:
            base, power, degree = self._taken_apart(args[0]), int(args[1].p), int(args[1].q)
            if degree <= MOST_ROOT:
                return self.field.power(
                    base if degree == 1 else self.root(base, degree, self.sign_of_constant), power
                )
        if name == "exp":
            return self.exp(self._taken_apart(args[0]))
        if name == "log" and numbers.sign(args[0]) == 1:
            return self.log(self._taken_apart(args[0]))
        return self._opaque(value)

    def _opaque(self, value: Finite) -> Ratio:
        return Ratio(self.functions.atom("constant", self.one, self.one, number=value), self.one)

    def sign_of_constant(self, poly: Poly) -> int:
        """The sign of a polynomial in constants."""
        found = numbers.sign(self.functions.value(poly, (_ZERO,) * self.functions.inputs))
        if found is None:
            raise numbers.Undecided("the sign of a constant could not be decided")
        return found

    # exp and log

    def exp(self, u: Entry) -> Entry:
        """exp(u)."""
        above, below = self.field.parts(u)
        if not below.is_constant():
            return self._exponential(above, below)
        total: Entry = _ONE
        for exponents, coefficient in (above / below.leading_coefficient()).to_dict().items():
            e, c = tuple(map(int, exponents)), fraction(coefficient)
            argument = self._of_logarithm(e)
            base = None if argument is None else self._base(argument, c.denominator)
            if base is not None:
                own = self.field.power(base, c.numerator)
            else:
                own = self._exponential(self.functions.context.from_dict({e: coefficient}), self.one)
            total = self.field.mul(total, own)
        return total

    def _base(self, argument: Entry, degree: int) -> Entry | None:
        """The root of the argument of a logarithm, where it depends on no sign."""
        if degree == 1:
            return argument
        if degree > MOST_ROOT:
            return None
        try:
            return self.root(argument, degree, _unknown)
        except NotRational:
            return None

    def _of_logarithm(self, exponents: Sequence[int]) -> Entry | None:
        """u, where a monomial is log(u)."""
        places = [place for place, k in enumerate(exponents) if k]
        if len(places) != 1 or exponents[places[0]] != 1 or places[0] not in self.functions.atoms:
            return None
        atom = self.functions.atoms[places[0]]
        return self.field.ratio(atom.above, atom.below) if atom.kind == "log" else None

    def _exponential(self, above: Poly, below: Poly) -> Entry:
        """exp(above/below), a whole power of a known atom where that is possible."""
        for atom in self.functions.atoms.values():
            if atom.kind == "exp" and atom.below == below:
                times = above.leading_coefficient() / atom.above.leading_coefficient()
                if atom.above * times == above:
                    found = self._power_of_exponential(atom, fraction(times))
                    if found is not None:
                        return found
        if above.leading_coefficient() < 0:
            return self.field.power(Ratio(self.functions.atom("exp", -above, below), self.one), -1)
        return Ratio(self.functions.atom("exp", above, below), self.one)

    def _power_of_exponential(self, atom: Atom, times: Fraction) -> Entry | None:
        """exp(times*u) for the atom exp(u), which becomes a power of a new one where `times` is no whole number.

        None where the powers would be high: the two are then as good as independent.
        """
        functions = self.functions
        place, power = functions.finer.get(atom.place, (atom.place, 1))
        times *= power
        if max(abs(times.numerator), times.denominator * power) > MOST_POWER:
            return None
        if times.denominator != 1:
            known = functions.atoms[place]
            new = functions.atom("exp", known.above * flint.fmpq(1, times.denominator), known.below)
            finest = len(functions.atoms) + functions.inputs - 1
            for own in [place, *(k for k, row in functions.finer.items() if row[0] == place)]:
                before = functions.finer.get(own, (own, 1))[1]
                functions.finer[own] = finest, before * times.denominator
            assert functions.generators[finest] == new
            place, times = finest, times * times.denominator
        return self.field.power(Ratio(functions.generators[place], self.one), times.numerator)

    def _factors(self, u: Entry) -> tuple[Fraction, list[tuple[Poly, int]]]:
        """A number and irreducible polynomials with their powers, of which u is the product."""
        content, found = _ONE, list[tuple[Poly, int]]()
        for poly, turn in zip(self.field.parts(u), (1, -1), strict=True):
            own, factors = poly.factor()
            content *= fraction(own) ** turn
            for factor, times in factors:
                function = self.functions.named(factor)[1]
                scale = fraction(factor.leading_coefficient() / function.poly.leading_coefficient())
                content *= scale ** (turn * int(times))
                found.append((function.poly, turn * int(times)))
        return content, found

    def log(self, u: Entry) -> Entry:
        """log(u), where u is positive."""
        total: Entry = _ZERO
        content, factors = self._factors(u)
        rest = list[tuple[Poly, int]]()
        for poly, times in factors:
            log = self._plain_log(poly)
            if log is None:
                rest.append((poly, times))
            else:
                total = self.field.add(total, self.field.mul(log, Fraction(times)))
        if len(rest) == 1 and rest[0][1] % 2:
            (poly, times), turn = rest[0], 1 if content > 0 else -1
            own_log: Entry = Ratio(self.functions.atom("log", poly * turn, self.one), self.one)
            total = self.field.add(total, self.field.mul(own_log, Fraction(times)))
        elif rest:
            over, under = self.one * (1 if content > 0 else -1), self.one
            for poly, times in rest:
                over, under = (over * poly**times, under) if times > 0 else (over, under * poly**-times)
            total = self.field.add(total, Ratio(self.functions.atom("log", over, under), self.one))
        return self.field.add(total, self._log_of_number(abs(content)))

    def _plain_log(self, poly: Poly) -> Entry | None:
        """The logarithm of a factor that is positive wherever its atoms have values; None where that is not plain."""
        atoms = self.functions.within(poly)
        if len(atoms) == 1 and poly == self.functions.generators[atoms[0].place]:
            (atom,) = atoms
            if atom.kind == "exp":
                return self.field.ratio(atom.above, atom.below)
            if atom.kind == "root":
                own = self.log(self.field.ratio(atom.above, atom.below))
                return self.field.mul(own, Fraction(1, atom.degree))
        if self.plainly_positive(poly):
            return Ratio(self.functions.atom("log", poly, self.one), self.one)
        return None

    def _log_of_number(self, number: Fraction) -> Entry:
        total: Entry = _ZERO
        for prime, times in _primes(number):
            own = Ratio(self.functions.atom("log", self.one * prime, self.one), self.one)
            total = self.field.add(total, self.field.mul(own, Fraction(times)))
        return total

    def plainly_positive(self, poly: Poly) -> bool:
        """Whether it is a sum of terms that are not negative, one of them positive: exp(x) + x**2."""
        strict = False
        atoms = self.functions.atoms
        for exponents, coefficient in poly.to_dict().items():
            if coefficient < 0:
                return False
            own = True
            for place, k in enumerate(exponents):
                if not k:
                    continue
                kind = atoms[place].kind if place in atoms else ""
                if int(k) % 2 and kind not in ("exp", "root") and not self._positive_constant(place):
                    return False
                own = own and (kind == "exp" or self._positive_constant(place))
            strict = strict or own
        return strict

    def _positive_constant(self, place: int) -> bool:
        atom = self.functions.atoms.get(place)
        if atom is None or atom.inputs:
            return False
        return self.functions.sign_at(self.functions.generators[place], (_ZERO,) * self.functions.inputs) == 1

    # roots

    def root(self, u: Entry, degree: int, sign_of: SignOf) -> Entry:
        """u**(1/degree), where u is positive. Raises what the oracle raises."""
        content, factors = self._factors(u)
        outside, inside, side = self._root_of_number(abs(content), degree), self.one, 1
        for poly, times in factors:
            out, left = divmod(times, degree)
            inside = inside * poly**left
            if out:
                turn = self._turn(poly, out, sign_of)
                side *= turn**degree
                outside = self.field.mul(outside, self.field.power(Ratio(poly, self.one), out))
                outside = outside if turn > 0 else self.field.neg(outside)
        if inside.is_constant():
            return outside
        positive = inside if (content > 0) == (side > 0) else -inside
        return self.field.mul(
            outside, Ratio(self.functions.atom("root", positive, self.one, degree), self.one)
        )

    def _turn(self, poly: Poly, times: int, sign_of: SignOf) -> int:
        """The sign of poly**times."""
        return 1 if times % 2 == 0 or self.plainly_positive(poly) else sign_of(poly)

    def _root_of_number(self, number: Fraction, degree: int) -> Entry:
        total: Entry = _ONE
        for prime, times in _primes(number):
            out, left = divmod(times, degree)
            total = self.field.mul(total, Fraction(prime) ** out)
            if left:
                own = Ratio(self.functions.atom("root", self.one * prime, self.one, degree), self.one)
                total = self.field.mul(total, self.field.power(own, left))
        return total

    # others

    def odd(self, kind: str, u: Entry) -> Entry:
        """sin, atan, asin or erf of u."""
        if isinstance(u, Fraction) and u == 0:
            return _ZERO
        above, below = self.field.parts(u)
        if kind == "asin" and not below.is_constant():
            raise NotRational("asin of a quotient")
        turn = 1 if above.leading_coefficient() > 0 else -1
        if above.is_constant() and below.is_constant():
            value = OPERATIONS[kind](fraction(above.leading_coefficient() / below.leading_coefficient()))
            assert not numbers.is_special(value)
            return self.constant(value)
        own = Ratio(self.functions.atom(kind, above * turn, below), self.one)
        return own if turn > 0 else self.field.neg(own)

    def cos(self, u: Entry) -> Entry:
        if isinstance(u, Fraction):
            value = OPERATIONS["cos"](u)
            assert not numbers.is_special(value)
            return self.constant(value)
        above, below = self.field.parts(u)
        turn = 1 if above.leading_coefficient() > 0 else -1
        self.odd("sin", u)  # cosines are paired with sines
        return Ratio(self.functions.atom("cos", above * turn, below), self.one)

    def pi(self) -> Entry:
        from sympy import pi

        return self.constant(pi)

    # substitution

    def replaced(self, poly: Poly, place: int, value: Entry, sign_of: SignOf) -> Entry:
        """A polynomial with the input number `place` replaced, in the atoms too. Raises what the oracle raises."""
        if not any(place in atom.inputs for atom in self.functions.within(poly)):
            above, below = self.field.parts(value)
            degree = max(0, poly.degrees()[place])  # -1 for the zero polynomial
            return self.field.ratio(self.functions.substituted(poly, place, above, below), below**degree)
        total: Entry = _ZERO
        known: dict[int, Entry] = {place: value}
        for exponents, coefficient in poly.to_dict().items():
            term: Entry = fraction(coefficient)
            for number, k in enumerate(exponents):
                if k:
                    own = known.get(number)
                    if own is None:
                        own = known[number] = self._replaced_variable(number, place, value, sign_of)
                    term = self.field.mul(term, self.field.power(own, int(k)))
            total = self.field.add(total, term)
        return total

    def _replaced_variable(self, number: int, place: int, value: Entry, sign_of: SignOf) -> Entry:
        atom = self.functions.atoms.get(number)
        if atom is None or place not in atom.inputs:
            return Ratio(self.functions.generators[number], self.one)
        above = self.replaced(atom.above, place, value, sign_of)
        below = self.replaced(atom.below, place, value, sign_of)
        if below == 0:
            raise NotRational("a quotient whose denominator vanishes")
        return self.applied(atom, self.field.div(above, below), sign_of)

    def applied(self, atom: Atom, u: Entry, sign_of: SignOf) -> Entry:
        """The function of an atom at another argument. Raises NotRational where it has no finite value there."""
        match atom.kind:
            case "exp":
                return self.exp(u)
            case "log":
                if self._side(u, sign_of) <= 0:
                    raise NotRational("a logarithm of what is not positive")
                return self.log(u)
            case "root":
                side = self._side(u, sign_of)
                if side < 0:
                    raise NotRational("a root of what is negative")
                return self.root(u, atom.degree, sign_of) if side else _ZERO
            case "cos":
                return self.cos(u)
            case "constant":
                return Ratio(self.functions.generators[atom.place], self.one)
        return self.odd(atom.kind, u)

    def _side(self, u: Entry, sign_of: SignOf) -> int:
        if not isinstance(u, Ratio):
            return numbers.decided(u)
        return sign_of(u.above) * (1 if u.below.is_constant() else sign_of(u.below))


def _unknown(poly: Poly) -> int:
    """An oracle that knows nothing."""
    raise NotRational("a form that depends on a sign")


def _primes(number: Fraction) -> Iterator[tuple[int, int]]:
    """Primes with their powers, of which a positive number is the product; a large factor stays as it is."""
    for whole, turn in ((number.numerator, 1), (number.denominator, -1)):
        if whole.bit_length() > MOST_FACTORED_BITS:
            yield whole, turn
        elif whole > 1:
            yield from ((int(prime), turn * int(times)) for prime, times in flint.fmpz(whole).factor())
