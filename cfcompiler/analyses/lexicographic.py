"""Program, point -> a limiting gradient: ties are resolved along a direction matrix, first column first.

The directions are d = (1, 2**-10, 2**-20, ...), then the unit vectors e_2, ..., e_n, each infinitely small against
every power of those before (x + s_1 d + s_2 e_2 + ..., s_1 >> s_2 >> ...). The sign of a switch is that of its
dominating term, so every switch that does not vanish nearby has one, and the piece that is followed lives on an open
cell that touches the point. To first order these are the derivatives of Khan & Barton 2013, and for switches with
ordinary coefficients those for the identity matrix. The generated modules resolve ties in the same way.
"""

from __future__ import annotations

from fractions import Fraction

from cfcompiler.analyses.limits import Vector, gradient_of
from cfcompiler.analyses.oracle import Oracle, Sign, Start
from cfcompiler.analyses.pieces import Pieces
from cfcompiler.analyses.switches import Switch, sign_at
from cfcompiler.arithmetic import Undecided
from cfcompiler.numbers import Finite
from cfcompiler.polynomials import Polynomial, plus, polynomial, times, variable

TAYLOR_DEGREES = (1, 2, 4, 8)  # of switches that are not polynomial
STEP_BITS = 10
WRAP = 40  # entries of d, after which they begin again, smaller
_ZERO, _ONE = Fraction(0), Fraction(1)


def first_direction(dimension: int) -> tuple[Fraction, ...]:
    """The first column of the direction matrix; after `WRAP` entries they come again, times 1/2, 1/3, ..."""
    return tuple(
        Fraction(1, 2 ** (STEP_BITS * (place % WRAP)) * (1 + place // WRAP)) for place in range(dimension)
    )


def lexicographic(pieces: Pieces) -> Vector | None:
    """The gradient of the piece that the directions lead to; None where a switch could not be decided so."""
    oracle = _Directions(pieces)
    try:
        leaf = pieces.run(oracle)
        return None if leaf is None else gradient_of(pieces, leaf)
    except Undecided:
        return None


class _Directions(Oracle):
    """An oracle that knows where it goes."""

    def __init__(self, pieces: Pieces) -> None:
        super().__init__(pieces.switches, pieces.near.dimension, Start((), None), False)
        self.pieces = pieces
        self.direction = first_direction(pieces.near.dimension)

    @property
    def asks_for_winners(self) -> bool:
        return False

    def _asked(self, switch: Switch) -> int:
        found = self._dominating(switch)
        self.signs.append(Sign(switch, found, self.joins))
        return switch.orientation * found

    def _dominating(self, switch: Switch) -> int:
        if switch.polynomial is not None:
            return self._of_polynomial(switch.polynomial)
        for degree in TAYLOR_DEGREES:
            found = self._along_first(self.pieces.jets.taylor(switch.function, degree))
            if found:
                return found
        raise Undecided("a switch that vanishes along the first direction to the order that is known")

    def _along_first(self, jet: Polynomial) -> int:
        """The sign for small steps along the first direction; 0 where that vanishes."""
        by_degree: dict[int, Finite] = {}
        for exponents, coefficient in jet.terms.items():
            weight = _ONE
            for entry, power in zip(self.direction, exponents, strict=True):
                weight *= entry**power
            degree = sum(exponents)
            by_degree[degree] = plus(by_degree.get(degree, _ZERO), times(coefficient, weight))
        for degree in sorted(by_degree):
            found = sign_at(by_degree[degree])
            if found:
                return found
        return 0

    def _of_polynomial(self, switch: Polynomial) -> int:
        found = self._along_first(switch)
        if found:
            return found
        moved = self._in_steps(switch)
        least = min(moved.terms, key=lambda exponents: tuple(reversed(exponents)))
        return sign_at(moved.terms[least])

    def _in_steps(self, switch: Polynomial) -> Polynomial:
        """The switch as a polynomial in s_1, ..., s_n."""
        n = switch.variables
        steps = [
            variable(n, 0).scaled(entry) + (variable(n, place) if place else Polynomial(n, {}))
            for place, entry in enumerate(self.direction)
        ]
        total = Polynomial(n, {})
        for exponents, coefficient in switch.terms.items():
            term = polynomial(n, [((0,) * n, coefficient)])
            for step, power in zip(steps, exponents, strict=True):
                for _ in range(power):
                    term = term * step
            total = total + term
        return total
