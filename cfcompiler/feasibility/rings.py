"""Vectors of exact numbers -> vectors over Z or Z[g], so that elimination never divides with a remainder.

A row of Fractions becomes a primitive row of integers and the positive scale between the two. Where SymPy constants
occur, each irrational factor (sqrt(2), pi) becomes a generator g, and entries become integer polynomials in the
generators. They are treated as free variables: fraction-free elimination (Edmonds 1967, Bareiss 1968) divides exactly
in Z[g], whatever relations the values of g satisfy, for what it divides by has a nonzero value, so is not the zero
polynomial. Signs are those of the values, and are always proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from operator import mul
from typing import TYPE_CHECKING, Any, TypeAlias

import flint

from cfcompiler import numbers
from cfcompiler.balls import Sign, ball, ball_sign, whole_power
from cfcompiler.numbers import Finite, Undecided
from cfcompiler.polynomials import times

if TYPE_CHECKING:
    import sympy

# An int, or a flint.fmpz_mpoly where there are generators.
Element: TypeAlias = Any
Vector: TypeAlias = tuple[Finite, ...]
Row: TypeAlias = tuple[Element, ...]

SIGN_BITS = (128, 1024)
MOST_SUMMANDS = 64  # of an entry; a longer one is a generator of its own
MOST_IN_A_ROW = 512  # summands of all entries, where denominators are cleared
_ONE = Fraction(1)

# Generators and their powers, sorted; a sum of rational multiples.
Monomial: TypeAlias = "tuple[tuple[sympy.Expr, int], ...]"
Summands: TypeAlias = dict[Monomial, Fraction]


@dataclass(frozen=True, slots=True)
class Ring:
    """Z[g] with the values of g; Z where there are none."""

    generators: tuple[sympy.Expr, ...]
    context: Any = None

    def sign(self, x: Element) -> Sign:
        """The sign of the value. Raises numbers.Undecided where none is proved."""
        if isinstance(x, int):
            return 1 if x > 0 else -1 if x < 0 else 0
        if x == 0:
            return 0
        for bits in SIGN_BITS:
            found = ball_sign(self._enclosed(x, bits))
            if found is not None:
                return found
        found = numbers.sign(self.finite(x))
        if found is None:
            # Not with the number's text: SymPy sorts the terms of a sum by floats, which may take forever.
            raise Undecided("the sign of an exact number could not be decided")
        return found

    def _enclosed(self, x: Element, bits: int) -> flint.arb:
        values = [ball(generator, bits) for generator in self.generators]
        with flint.ctx.workprec(bits):
            total = flint.arb(0)
            for exponents, coefficient in x.terms():
                term = flint.arb(coefficient)
                for value, exponent in zip(values, exponents, strict=True):
                    if exponent:
                        term *= whole_power(value, int(exponent))
                total += term
            return total

    def finite(self, x: Element) -> Finite:
        """The value as an exact number."""
        if isinstance(x, int):
            return Fraction(x)
        from sympy import Add, Integer, Mul

        terms = []
        for exponents, coefficient in x.terms():
            powers = (g ** int(k) for g, k in zip(self.generators, exponents, strict=True) if k)
            terms.append(Mul(Integer(int(coefficient)), *powers))
        plain = Add(*terms)
        return numbers.settled(numbers.verified(_expanded(plain), plain))

    def quotient(self, x: Element, y: Element) -> Finite:
        """x / y as an exact number, without roots in the denominator where they are easily removed."""
        if isinstance(x, int) and isinstance(y, int):
            return Fraction(x, y)
        over, under = self.finite(x), self.finite(y)
        if isinstance(under, Fraction):
            return times(over, 1 / under)
        plain = numbers.div(over, under)
        if numbers.is_special(plain):
            raise ZeroDivisionError("a quotient of exact numbers")
        if isinstance(plain, Fraction) or numbers.is_deep(plain) or not under.is_algebraic:
            return plain
        from sympy import radsimp

        return numbers.settled(numbers.verified(_expanded(radsimp(plain)), plain))


def dot(x: Sequence[Element], y: Sequence[Element]) -> Element:
    """The inner product of two rows over the same ring."""
    return sum(map(mul, x, y))


def lifted(vectors: Iterable[Sequence[Finite]]) -> tuple[Ring, tuple[Row, ...], Vector]:
    """The ring, rows over it, and positive scales with row = scale * vector. Rows of integers are primitive.

    Raises numbers.TooLarge for enormous constants.
    """
    listed = [tuple(vector) for vector in vectors]
    if all(isinstance(x, (int, Fraction)) for vector in listed for x in vector):
        pairs = [_integral(vector) for vector in listed]
        return Ring(()), tuple(row for row, _ in pairs), tuple(scale for _, scale in pairs)
    return _lifted_irrational(listed)


def _integral(vector: Sequence[Any]) -> tuple[Row, Fraction]:
    denominator = lcm(*[x.denominator for x in vector])
    row = [x.numerator * (denominator // x.denominator) for x in vector]
    content = gcd(*row) or 1
    return tuple([x // content for x in row]), Fraction(denominator, content)


def _lifted_irrational(
    vectors: Sequence[Sequence[Finite]],
) -> tuple[Ring, tuple[Row, ...], Vector]:
    cleared = [_cleared([_summands(x) for x in vector]) for vector in vectors]
    entries = [vector for vector, _ in cleared]
    used = {g for vector in entries for entry in vector for monomial in entry for g, _ in monomial}
    generators = tuple(sorted(used, key=_text))
    if not generators:
        ring, whole_rows, factors = lifted(
            [[entry.get((), Fraction(0)) for entry in vector] for vector in entries]
        )
        return ring, whole_rows, tuple(times(x, by) for x, (_, by) in zip(factors, cleared, strict=True))
    place = {g: k for k, g in enumerate(generators)}
    context = flint.fmpz_mpoly_ctx.get([f"g{k}" for k in range(len(generators))], "lex")
    rows, scales = [], []
    for vector, by in cleared:
        whole, scale = _integral([c for entry in vector for c in entry.values()])
        left = iter(whole)
        terms = [{_exponents(m, place): next(left) for m in entry} for entry in vector]
        rows.append(tuple(context.from_dict(entry) for entry in terms))
        scales.append(times(by, scale))
    return Ring(generators, context), tuple(rows), tuple(scales)


def _exponents(monomial: Monomial, place: dict[sympy.Expr, int]) -> tuple[int, ...]:
    out = [0] * len(place)
    for generator, power in monomial:
        out[place[generator]] = power
    return tuple(out)


def _cleared(entries: Sequence[Summands]) -> tuple[Sequence[Summands], Finite]:
    """The entries of a row times a positive number that clears irrational denominators, and that number."""
    scale: Finite = _ONE
    while (found := _denominator(entries)) is not None:
        inverse, power = found
        base = numbers.absolute(1 / inverse)
        assert not numbers.is_special(base)
        factor = _summands(base)
        powers: list[Summands] = [{(): _ONE}]
        for _ in range(power):
            powers.append(_product(powers[-1], factor))
            scale = times(scale, base)
        sign = numbers.decided(inverse)
        entries = [_without(entry, inverse, powers, sign) for entry in entries]
    return entries, scale


def _denominator(entries: Sequence[Summands]) -> tuple[sympy.Expr, int] | None:
    """An inverse among the generators with its highest power, unless the base is a long sum or makes the row long."""
    count = sum(map(len, entries))
    highest: dict[sympy.Expr, int] = {}
    for generator, power in (part for entry in entries for monomial in entry for part in monomial):
        if generator.is_Pow and generator.exp == -1:
            highest[generator] = max(power, highest.get(generator, 0))
    for generator, power in highest.items():
        factors = len(_summands(1 / generator)) ** power
        if factors <= MOST_SUMMANDS and factors * count <= MOST_IN_A_ROW:
            return generator, power
    return None


def _without(entry: Summands, inverse: sympy.Expr, powers: Sequence[Summands], sign: int) -> Summands:
    out: Summands = {}
    for monomial, coefficient in entry.items():
        left = tuple(part for part in monomial if part[0] != inverse)
        power = dict(monomial).get(inverse, 0)
        missing = powers[len(powers) - 1 - power]
        # 1 / base**k is sign**k / |base|**k
        signed = coefficient * (sign if power % 2 else 1)
        for summand, c in _product({left: signed}, missing).items():
            out[summand] = out.get(summand, Fraction(0)) + c
    return {monomial: c for monomial, c in out.items() if c}


def _product(x: Summands, y: Summands) -> Summands:
    out: Summands = {}
    for left, a in x.items():
        for right, b in y.items():
            powers = dict(left)
            for generator, power in right:
                powers[generator] = powers.get(generator, 0) + power
            monomial = tuple(sorted(powers.items(), key=_factor_text))
            out[monomial] = out.get(monomial, Fraction(0)) + a * b
    return {monomial: c for monomial, c in out.items() if c}


def _summands(x: Finite) -> Summands:
    """x as a sum of rational multiples of monomials in irrational factors."""
    if isinstance(x, (int, Fraction)):
        return {(): Fraction(x)} if x else {}
    from sympy import Add

    expanded = x if numbers.is_deep(x) else numbers.verified(_expanded(x), x)
    terms = Add.make_args(expanded)
    if len(terms) > MOST_SUMMANDS:
        return {((x, 1),): _ONE}
    out: Summands = {}
    for term in terms:
        coefficient, factor = term.as_coeff_Mul(rational=True)
        monomial = _monomial(factor)
        out[monomial] = out.get(monomial, Fraction(0)) + Fraction(int(coefficient.p), int(coefficient.q))
    return {monomial: c for monomial, c in out.items() if c}


def _monomial(factor: sympy.Expr) -> Monomial:
    from sympy import Mul

    powers: dict[sympy.Expr, int] = {}
    for part in Mul.make_args(factor):
        base, exponent = part.as_base_exp()
        found = [(part, 1)]
        if exponent.is_Integer and exponent > 0:
            found = [(base, int(exponent))]
        elif exponent.is_Integer:
            shift, left = _lowest_taken_out(base)
            found = [(shift**exponent, 1), (1 / left, -int(exponent))]
        for generator, power in found:
            if generator != 1:
                powers[generator] = powers.get(generator, 0) + power
    return tuple(sorted(powers.items(), key=_factor_text))


def _lowest_taken_out(base: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """exp(q) and exp(-q)*base, for a sum of rational multiples of exponentials, of which exp(q) is the least.

    exp(2)/(exp(1) + exp(3)) is also written 1/(exp(-1) + exp(1)): so their denominators are one.
    """
    from sympy import Add, E, Integer, exp

    if not base.is_Add:
        return Integer(1), base
    terms = [term.as_coeff_Mul(rational=True) for term in base.args]
    powers = [factor.as_base_exp() if factor != 1 else (E, Integer(0)) for _, factor in terms]
    if any(root != E or not power.is_Rational for root, power in powers):
        return Integer(1), base
    lowest = min(power for _, power in powers)
    left = [weight * exp(power - lowest) for (weight, _), (_, power) in zip(terms, powers, strict=True)]
    return exp(lowest), Add(*left)


def _expanded(x: sympy.Expr) -> sympy.Expr:
    """Products of sums multiplied out; powers and logarithms are left alone, for SymPy splits them by guessed signs."""
    return x.expand(power_base=False, power_exp=False, log=False, basic=False)


def homogeneous(points: Sequence[Sequence[Finite]]) -> tuple[Ring, tuple[Row, ...]]:
    """(p, 1) for points of one length, all times one positive number that makes them rows over the ring."""
    size = len(points[0]) if points else 0
    if any(len(point) != size for point in points):
        raise ValueError("points must have one length")
    ring, rows, _ = lifted([[x for point in points for x in (*point, _ONE)]])
    flat = rows[0]
    return ring, tuple(flat[k : k + size + 1] for k in range(0, len(flat), size + 1))


def primitive(row: Sequence[Element]) -> Row:
    """Integers without their common factor; other rows as they are."""
    content = gcd(*row) if all(isinstance(x, int) for x in row) else 1
    return tuple(x // content for x in row) if content > 1 else tuple(row)


@lru_cache(maxsize=4096)
def _text(generator: sympy.Expr) -> str:
    from sympy import srepr

    return str(srepr(generator))


def _factor_text(factor: tuple[sympy.Expr, int]) -> str:
    return _text(factor[0])
