"""Two functions and the seam between their cells -> do they agree on it near the point? True, False, or None.

The seam is where the switches that separate two cells vanish and those that they share keep their signs. Agreement is
proved by eliminating affine switches, by divisibility, or because nowhere on the seam near the point the difference
is positive or negative; disagreement by an arc in the seam along which it is, where the switches that vanish have
independent gradients, at the point or along the arc, so that each side is approached from there.
Source: theory S3.3, S6 Thm D.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from time import monotonic

import flint

from cfcompiler import numbers
from cfcompiler.analyses.adjacency import system_of
from cfcompiler.analyses.neighbourhood import Local
from cfcompiler.analyses.oracle import Sign
from cfcompiler.analyses.pieces import Pieces
from cfcompiler.analyses.switches import Switch
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.arcs import along
from cfcompiler.feasibility.conditions import Apart, Arc, Budget, Touches
from cfcompiler.feasibility.interiors import is_zero_alone, relative_interior
from cfcompiler.feasibility.linear import independent, null_space
from cfcompiler.feasibility.touching import touches
from cfcompiler.numbers import Finite
from cfcompiler.polynomials import Polynomial, TooManyTerms

MOST_OTHERS = 4
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Seam:
    """The switches that vanish on it, and those that keep a sign."""

    equal: tuple[Sign, ...]
    one_sided: tuple[Sign, ...]


def agrees_on(pieces: Pieces, seam: Seam, one: Local, other: Local, seconds: float) -> bool | None:
    """Whether two functions agree on the seam near the point; None where that is open."""
    try:
        difference = pieces.near.difference(one, other)
        if _vanishes(pieces, difference) or _vanishes(pieces, _eliminated(pieces, seam, difference)):
            return True
        if not difference.analytic:
            return None
        if all(sign.switch.affine for sign in (*seam.equal, *seam.one_sided)):
            return _agrees_on_cone(pieces, seam, difference)
        if _divisible(pieces, seam, difference):
            return True
        return _searched(pieces, seam, difference, seconds)
    except Undecided:
        return None


def _agrees_on_cone(pieces: Pieces, seam: Seam, difference: Local) -> bool:
    """The same between two affine cells: both are approached from all of the seam, which is a cone.

    An analytic function vanishes on a cone near the point where it vanishes on the plane that the cone spans.
    """
    rows = [tuple(sign.sign * entry for entry in _gradient(sign)) for sign in seam.one_sided]
    equal = [_gradient(sign) for sign in seam.equal]
    inner = relative_interior((), rows, equal, dimension=pieces.near.dimension)
    if inner is None or is_zero_alone((), rows, equal, inner):  # the point, where all values were compared
        return True
    edges = [Sign(seam.one_sided[place].switch, 0, True) for place in inner.vanishing]
    return _vanishes(pieces, _eliminated(pieces, Seam((*seam.equal, *edges), ()), difference))


def _gradient(sign: Sign) -> tuple[Finite, ...]:
    assert sign.switch.polynomial is not None  # affine switches have one
    return sign.switch.polynomial.gradient()


def _vanishes(pieces: Pieces, difference: Local) -> bool:
    if difference.constant:
        return difference.value == _ZERO
    if not difference.analytic or numbers.sign(_finite(difference)) != 0:
        return False
    return pieces.switches.switch(difference) is None


def _finite(function: Local) -> Finite:
    if numbers.is_special(function.value):
        raise Undecided("inf or NaN is computed with")
    return function.value


def _eliminated(pieces: Pieces, seam: Seam, difference: Local) -> Local:
    """The difference with the affine switches of the seam solved for some of the coordinates."""
    near = pieces.near
    known = _known_on_it(pieces, seam)
    affine = [
        sign.switch.polynomial
        for sign in seam.equal
        if sign.switch.affine and sign.switch.polynomial is not None
    ]
    if not affine:
        return _substituted(pieces, difference, known)
    basis = null_space([polynomial.gradient() for polynomial in affine], near.dimension)
    inputs = [near.inputs[name][place] for name, place in near.coordinates]
    free = [_own_place(basis, vector) for vector in basis]
    solved = dict(known)
    for place, x in enumerate(inputs):
        if place in free:
            continue
        total = near.constant(x.value)
        for vector, own in zip(basis, free, strict=True):
            moved = near.difference(inputs[own], near.constant(inputs[own].value))
            total = near.apply("add", total, near.apply("mul", near.constant(vector[place]), moved))
        solved[x.number] = total
    return _substituted(pieces, difference, solved)


def _known_on_it(pieces: Pieces, seam: Seam) -> dict[int, Local]:
    """The functions whose values on the seam are known, by number: the switches, and what they compare."""
    known = {}
    for sign in seam.equal:
        function = sign.switch.function
        known[function.number] = pieces.near.constant(function.value)
        if function.op == "sub" and function.args[1].constant:
            known[function.args[0].number] = function.args[1]
    return known


def _own_place(basis: Sequence[Sequence[Finite]], vector: Sequence[Finite]) -> int:
    """A coordinate that is 1 in this vector and 0 in the others."""
    for place, entry in enumerate(vector):
        if entry == 1 and all(other is vector or other[place] == 0 for other in basis):
            return place
    raise AssertionError("a basis of a null space has a free coordinate for each vector")


def _substituted(pieces: Pieces, function: Local, solved: Mapping[int, Local]) -> Local:
    nodes: dict[int, Local] = {}
    stack = [function]
    while stack:
        node = stack.pop()
        if node.number not in nodes:
            nodes[node.number] = node
            stack.extend(node.args)
    made: dict[int, Local] = {}
    for number in sorted(nodes):
        node = nodes[number]
        args = tuple(made[arg.number] for arg in node.args)
        if number in solved:
            made[number] = solved[number]
        elif not args or args == node.args:
            made[number] = node
        elif node.op == "series":
            made[number] = _series(pieces, node, args[0])
        else:
            made[number] = pieces.near.apply(node.op, *args, exponent=node.exponent)
    return made[function.number]


def _series(pieces: Pieces, node: Local, argument: Local) -> Local:
    coefficients = pieces.near.coefficients[node.number]
    if not argument.constant:
        return pieces.near.series(argument, coefficients)
    if numbers.compare(argument.value, node.args[0].value) != 0:
        raise Undecided("a power series away from its centre")
    return pieces.near.constant(coefficients[0])


def _divisible(pieces: Pieces, seam: Seam, difference: Local) -> bool:
    """Whether the polynomial of one switch of the seam divides the difference."""
    quotient = pieces.jets.quotient(difference)
    if quotient is None or not quotient.above.rational:
        return False
    divisors = [sign.switch.polynomial for sign in seam.equal]
    return any(
        divisor is not None and divisor.rational and _divides(divisor, quotient.above) for divisor in divisors
    )


def _divides(divisor: Polynomial, dividend: Polynomial) -> bool:
    names = tuple(f"u{place}" for place in range(divisor.variables))
    context = flint.fmpq_mpoly_ctx.get(names, flint.Ordering.degrevlex)
    above, below = (
        context.from_dict({e: flint.fmpq(c.numerator, c.denominator) for e, c in p.terms.items()})
        for p in (dividend, divisor)
    )
    return not divmod(above, below)[1].to_dict()


def _searched(pieces: Pieces, seam: Seam, difference: Local, seconds: float) -> bool | None:
    """By the solver: nowhere another value, or an arc with another value where both sides are approached."""
    switch = Switch(difference, 1, _polynomial(pieces, difference), difference.number)
    answers = []
    for turn in (1, -1):
        signs = (*seam.equal, *seam.one_sided, Sign(switch, turn, True))
        system = system_of(pieces, signs, weak=seam.one_sided)
        answers.append(touches(system, Budget(seconds / 4)))
    if all(isinstance(answer, Apart) for answer in answers):
        return True
    everywhere = _every_side_is_approached(pieces, seam)
    if not everywhere and len(seam.equal) != 1:
        return None
    for turn in (1, -1):
        signs = (*seam.equal, *seam.one_sided, Sign(switch, turn, True))
        found = touches(system_of(pieces, signs), Budget(seconds / 4))
        if isinstance(found, Touches) and (everywhere or _approached_along(seam.equal[0].switch, found.arc)):
            return False
    return None


def stands_alone(
    pieces: Pieces, signs: tuple[Sign, ...], own: Local, others: Sequence[Local], seconds: float
) -> bool:
    """Whether a thin set has points, arbitrarily near, where no other function has its own value."""
    end = monotonic() + seconds
    try:
        differences = list(dict.fromkeys(pieces.near.difference(own, other) for other in others))
        if len(differences) > MOST_OTHERS or not all(difference.analytic for difference in differences):
            return False
        switches = [Switch(one, 1, _polynomial(pieces, one), one.number) for one in differences]
        for turns in product((1, -1), repeat=len(switches)):
            apart = tuple(Sign(switch, turn, True) for switch, turn in zip(switches, turns, strict=True))
            left = max(0.05, end - monotonic()) / 2
            if isinstance(touches(system_of(pieces, (*signs, *apart)), Budget(left)), Touches):
                return True
    except Undecided:
        return False
    return False


def _polynomial(pieces: Pieces, difference: Local) -> Polynomial | None:
    quotient = pieces.jets.quotient(difference)
    if quotient is None:
        return None
    below = numbers.decided(quotient.below.constant_term)
    return quotient.above.scaled(Fraction(below))


def _every_side_is_approached(pieces: Pieces, seam: Seam) -> bool:
    """Where the switches that vanish have independent gradients at the point, and so near it."""
    rows: Sequence[tuple[Finite, ...]] = [
        pieces.jets.taylor(sign.switch.function, 1).gradient() for sign in seam.equal
    ]
    return independent(rows)


def _approached_along(switch: Switch, arc: Arc | None) -> bool:
    """Whether the gradient of the switch is not zero along the arc, so that it changes its sign there."""
    if switch.polynomial is None or arc is None:
        return False
    slopes = (switch.polynomial.derivative(place) for place in range(switch.polynomial.variables))
    try:
        return any(not along(slope, arc).is_zero for slope in slopes)
    except TooManyTerms:
        return False
