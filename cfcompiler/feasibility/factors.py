"""Conditions by their factors near the origin: units go, squares go from open sets, equations split.

A factor that does not vanish at the origin keeps its sign there. The zeros of a polynomial are nowhere dense, so that
an open set has the closure that it has without them: in a system of strict conditions f*g**2 > 0 may be read as
f > 0. A product vanishes where a factor does. Factors are over the rationals; truncated functions and irrational
coefficients are left as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import flint

from cfcompiler.feasibility.conditions import Condition
from cfcompiler.feasibility.solver import rational
from cfcompiler.polynomials import Polynomial, constant

MOST_FACTORED_TERMS = 200
MOST_FACTORED_BITS = 512
MOST_SYSTEMS = 64


@dataclass(frozen=True, slots=True)
class Factors:
    """side * product of factor**times, up to a function that is positive near the origin; all vanish there."""

    side: int
    factors: tuple[tuple[Polynomial, int], ...]


def factors_at_origin(jet: Polynomial) -> Factors | None:
    """The factors over the rationals that vanish at the origin; None for the zero polynomial or one too large."""
    if jet.is_zero or not _factorable(jet):
        return None
    names = tuple(f"x{k}" for k in range(jet.variables))
    context = flint.fmpq_mpoly_ctx.get(names, flint.Ordering.degrevlex)
    terms = {e: flint.fmpq(rational(c).numerator, rational(c).denominator) for e, c in jet.terms.items()}
    content, found = context.from_dict(terms).factor()
    side = 1 if content > 0 else -1
    kept = []
    for factor, times in found:
        part = _read(factor, jet.variables)
        at_origin = rational(part.constant_term)
        if at_origin == 0:
            kept.append((part, int(times)))
        elif at_origin < 0 and times % 2:
            side = -side
    return Factors(side, tuple(sorted(kept, key=lambda row: sorted(row[0].terms.items()))))


def _factorable(jet: Polynomial) -> bool:
    if not jet.rational or not jet.variables or len(jet.terms) > MOST_FACTORED_TERMS:
        return False
    numbers = [rational(c) for c in jet.terms.values()]
    return all(max(abs(c.numerator), c.denominator).bit_length() <= MOST_FACTORED_BITS for c in numbers)


def _read(factor: flint.fmpq_mpoly, variables: int) -> Polynomial:
    terms = factor.to_dict().items()
    return Polynomial(
        variables, {tuple(map(int, e)): Fraction(int(c.numerator), int(c.denominator)) for e, c in terms}
    )


def simplified(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The same set near the origin, or for strict exact conditions a set with the same closure there."""
    is_open = all(c.relation == ">" for c in conditions)
    return tuple(_simplified(condition, is_open) for condition in conditions)


def _simplified(condition: Condition, is_open: bool) -> Condition:
    found = factors_at_origin(condition.jet) if condition.exact else None
    if found is None:
        return condition
    jet = constant(condition.jet.variables, Fraction(found.side))
    for factor, times in found.factors:
        if condition.relation == "=":
            jet = jet * factor
        elif is_open:
            jet = jet * factor ** (times % 2)
        else:
            jet = jet * factor ** (2 - times % 2)
    return replace(condition, jet=jet)


def branches(conditions: Sequence[Condition]) -> list[tuple[Condition, ...]]:
    """Systems whose union is the set: each takes one factor of each equation. One where nothing splits."""
    choices: list[list[Condition]] = []
    for condition in conditions:
        found = factors_at_origin(condition.jet) if condition.exact and condition.relation == "=" else None
        if found is None or len(found.factors) < 2:
            choices.append([condition])
        else:
            choices.append([replace(condition, jet=factor) for factor, _ in found.factors])
    count = 1
    for choice in choices:
        count *= len(choice)
    return list(product(*choices)) if count <= MOST_SYSTEMS else [tuple(conditions)]
