"""A function of one input -> its roots on an interval, as equations of single points; by branch and prune in balls.

An interval is left out where a ball shows that the function does not vanish on it. Where a derivative of order k does
not vanish on it and all lower ones vanish at a point of it, that point is the only root there (Taylor). A root counts
only in closed form, proved exactly: a rational number, a multiple of pi, or an elementary function of one. Anything
else, an interval without a bound too, gives no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import pi
from typing import Any

import flint

from cfcompiler import numbers
from cfcompiler.balls import bounds
from cfcompiler.feasibility.elementary import Elementary
from cfcompiler.feasibility.functions import Function, Key
from cfcompiler.feasibility.quotients import Entry, NotRational, Poly, Ratio
from cfcompiler.feasibility.slopes import derivative
from cfcompiler.numbers import Exact, Finite
from cfcompiler.operations import OPERATIONS

MOST_PARTS = 4000
SOME_PARTS = 500  # where any roots will do
MOST_ORDER = 6
MOST_ROOTS = 64
WINDOW = 8  # where some roots of a function are looked for, on both sides of 0
BITS = 128
NARROW = Fraction(1, 2**12)  # of the length of an interval: here a root is looked for in closed form
STEPS = 90  # of bisection
DIGITS = Fraction(1, 10**20)
MOST_DENOMINATOR = 10**6


Strip = tuple[Fraction, Fraction]


class NoAnswer(Exception):
    """The roots are not known."""


class Cells:
    """Roots of functions of one space."""

    def __init__(self, elementary: Elementary) -> None:
        self.elementary = elementary
        self.functions = elementary.functions
        self.found: dict[Key, tuple[tuple[Finite, ...], tuple[Strip, ...]]] = {}
        self.known: dict[tuple[Key, str, str], tuple[Poly, ...] | None] = {}

    def roots(self, function: Function, signs: Mapping[Function, int]) -> tuple[Poly, ...] | None:
        """x - root for each root on the interval that signs give; None where they are not known."""
        inputs = self.functions.inputs_of(function.poly)
        if len(inputs) != 1:
            return None
        (place,) = inputs
        ends = self._ends(place, signs)
        if ends is None:
            return None
        low, high = ends
        key = function.key, str(low), str(high)
        if key not in self.known:
            try:
                found = _Search(self.elementary, function, place).between(low, high)
                x = Ratio(self.functions.generators[place], self.functions.one)
                field = self.elementary.field
                gaps = [field.parts(field.sub(x, self.elementary.constant(root)))[0] for root in found]
                self.known[key] = tuple(gaps)
            except (NoAnswer, NotRational, numbers.Undecided):
                self.known[key] = None
        return self.known[key]

    def some_roots(self, function: Function) -> tuple[Finite, ...]:
        """Roots of a function of one input that are near 0, as many as are found."""
        return self._some(function)[0]

    def nameless(self, signs: Mapping[Function, int]) -> tuple[int, Fraction] | None:
        """The input, and about where, of a root that has no closed form here, where all the signs are proved to be.

        All functions must be of that input alone.
        """
        for function in (own for own, sign in signs.items() if sign == 0):
            inputs = self.functions.inputs_of(function.poly)
            if len(inputs) != 1 or not self.functions.moved(function.poly):
                continue
            (place,) = inputs
            for low, high in self._some(function)[1]:
                others = ((own, sign) for own, sign in signs.items() if own is not function)
                if all(sign and _side(self._ball(own, place, low, high)) == sign for own, sign in others):
                    return place, (low + high) / 2
        return None

    def _ball(self, function: Function, place: int, low: Fraction, high: Fraction) -> Any:
        if self.functions.inputs_of(function.poly) != {place}:
            return flint.arb("nan")
        return _Search(self.elementary, function, place).over(0, low, high)

    def _some(self, function: Function) -> tuple[tuple[Finite, ...], tuple[Strip, ...]]:
        if function.key not in self.found:
            (place,) = self.functions.inputs_of(function.poly)
            search = _Search(self.elementary, function, place, partly=True)
            try:
                roots = tuple(search.between(Fraction(-WINDOW), Fraction(WINDOW)))
            except (NoAnswer, NotRational, numbers.Undecided):
                roots = ()
            self.found[function.key] = roots, tuple(search.nameless)
        return self.found[function.key]

    def _ends(self, place: int, signs: Mapping[Function, int]) -> tuple[Finite, Finite] | None:
        """The bounds of an input that follow from signs of functions of it that are linear."""
        lows, highs = list[Finite](), list[Finite]()
        nowhere = (Fraction(0),) * self.functions.inputs
        for own, sign in signs.items():
            slope = self.functions.coefficient(own.poly, place)
            if slope is None or sign == 0 or self.functions.inputs_of(own.poly) != {place}:
                continue
            try:
                under = self.functions.value(slope, nowhere)
                over = self.functions.value(own.poly - slope * self.functions.generators[place], nowhere)
                end = numbers.div(numbers.neg(over), under)
                if not numbers.is_special(end):
                    (lows if sign * numbers.decided(under) > 0 else highs).append(end)
            except numbers.Undecided:
                continue
        if not lows or not highs:
            return None
        return _extreme(lows, 1), _extreme(highs, -1)


def _extreme(ends: list[Finite], side: int) -> Finite:
    """The largest (side 1) or smallest (-1)."""
    best = ends[0]
    for end in ends[1:]:
        if numbers.compare(end, best) == side:
            best = end
    return best


class _Search:
    """The roots of one function of the input number `place`; `partly`: those that are found, if not all are."""

    def __init__(
        self, elementary: Elementary, function: Function, place: int, *, partly: bool = False
    ) -> None:
        self.partly = partly
        self.elementary = elementary
        self.functions = elementary.functions
        self.place = place
        self.derivatives: list[Entry] = [Ratio(function.poly, elementary.one)]
        self.nameless: list[Strip] = []  # with one root, whose closed form is not known

    def between(self, low: Finite, high: Finite) -> list[Finite]:
        """All roots in the open interval, without those at its ends. Raises NoAnswer, NotRational, Undecided."""
        left, right = _rational_end(low, -1), _rational_end(high, 1)
        if not left < right:
            return []
        narrow = (right - left) * NARROW
        waiting, parts = [(left, right)], 0
        found: list[Finite] = []
        while waiting:
            parts += 1
            if parts > (SOME_PARTS if self.partly else MOST_PARTS) or len(found) > MOST_ROOTS:
                if self.partly:
                    break
                raise NoAnswer
            a, b = waiting.pop()
            if _side(self.over(0, a, b)):
                continue
            if b - a <= narrow or _side(self.over(1, a, b)):
                root = self._only(a, b)
                if root is not None:
                    if root not in found:
                        found.append(root)
                    continue
                ends = (
                    _side(self.over(0, a, a)) * _side(self.over(0, b, b)) if _side(self.over(1, a, b)) else 0
                )
                if ends == 1:  # monotone, with one sign at both ends
                    continue
                if self.partly and ends == -1:
                    self.nameless.append(self._halved(a, b))
                    continue
                if b - a <= narrow * NARROW:
                    if self.partly:
                        continue
                    raise NoAnswer
            middle = (a + b) / 2
            waiting += [(a, middle), (middle, b)]
        inside = [root for root in found if _between(low, root, high)]
        return sorted(inside, key=numbers.to_float)

    def _halved(self, a: Fraction, b: Fraction) -> Strip:
        """A narrower interval with the root of a function that is monotone and changes its sign."""
        first = _side(self.over(0, a, a))
        for _ in range(STEPS):
            middle = (a + b) / 2
            own = _side(self.over(0, middle, middle))
            if own == 0:
                break
            a, b = (middle, b) if own == first else (a, middle)
        return a, b

    def over(self, order: int, a: Fraction, b: Fraction) -> Any:
        """The derivative of an order over an interval, in a ball."""
        while len(self.derivatives) <= order:
            self.derivatives.append(derivative(self.elementary, self.derivatives[-1], self.place))
        with flint.ctx.workprec(BITS):
            x = flint.arb(_flint((a + b) / 2), _flint((b - a) / 2))
            above, below = self.elementary.field.parts(self.derivatives[order])
            point = [x] * self.functions.inputs
            return self.functions.ball(above, point, BITS) / self.functions.ball(below, point, BITS)

    def _only(self, a: Fraction, b: Fraction) -> Finite | None:
        """The only root in [a, b], in closed form."""
        near = self._near(a, b)
        if near is None:
            return None
        for candidate in _closed_forms(near):
            if self._order(candidate, a, b):
                return candidate
        return None

    def _near(self, a: Fraction, b: Fraction) -> Fraction | None:
        """About where the lowest derivative that does not vanish in the interval has the one before vanish."""
        for order in range(1, MOST_ORDER + 1):
            if not _side(self.over(order, a, b)):
                continue
            low, high = a, b
            first = _side(self.over(order - 1, a, a))
            last = _side(self.over(order - 1, b, b))
            if first == 0 or last == 0:
                return a if first == 0 else b
            if first == last:
                return None
            for _ in range(STEPS):
                middle = (low + high) / 2
                own = _side(self.over(order - 1, middle, middle))
                if own == 0:
                    return middle
                low, high = (middle, high) if own == first else (low, middle)
            return (low + high) / 2
        return None

    def _order(self, root: Finite, a: Fraction, b: Fraction) -> bool:
        """Whether a number is a root in [a, b], of an order whose derivative does not vanish there: the only one."""
        if numbers.compare(root, a) == -1 or numbers.compare(root, b) == 1:
            return False
        point = (root,) * self.functions.inputs
        for order in range(MOST_ORDER + 1):
            if order and _side(self.over(order, a, b)):
                return True
            above, _ = self.elementary.field.parts(self.derivatives[order])
            if self.functions.sign_at(above, point) != 0:
                return False
        return False


def _closed_forms(near: Fraction) -> Iterator[Finite]:
    """Numbers in closed form that are very near a rational one."""
    from sympy import Rational
    from sympy import pi as exact_pi

    plain = _simple(near)
    if plain is not None:
        yield plain
    with flint.ctx.workprec(BITS):
        ball = flint.arb(_flint(near))
        turns = _simple(_middle(ball / flint.arb.pi()))
        if turns is not None and turns.denominator <= 10_000:
            yield numbers.settled(Rational(turns.numerator, turns.denominator) * exact_pi)
        proposals: list[tuple[str, Any]] = [("log", ball.exp()), ("asin", ball.sin()), ("atan", ball.tan())]
        proposals += [("exp", ball.log())] if near > 0 else []
        squared = _simple(near * near)
    for name, inner in proposals:
        number = _simple(_middle(inner)) if inner.is_finite() and abs(inner) < 10**12 else None
        if number is not None:
            yield from _moved(name, number, near)
    if squared is not None:
        root = OPERATIONS["sqrt"](squared)
        yield from (own for own in (root, numbers.neg(root)) if not numbers.is_special(own))


def _moved(name: str, number: Fraction, near: Fraction) -> Iterator[Finite]:
    """The function at a rational number, shifted by turns where it is an angle."""
    from sympy import pi as exact_pi

    value: Exact = OPERATIONS[name](number)
    if numbers.is_special(value):
        return
    if name in ("log", "exp"):
        yield value
        return
    mirrored = numbers.sub(numbers.settled(exact_pi), value) if name == "asin" else value
    for own in (value, mirrored):
        if numbers.is_special(own):
            continue
        turns = round((float(near) - numbers.to_float(own)) / (2 * pi if name == "asin" else pi))
        shift = numbers.settled(turns * (2 * exact_pi if name == "asin" else exact_pi))
        moved = numbers.add(own, shift)
        if not numbers.is_special(moved):
            yield moved


def _simple(near: Fraction) -> Fraction | None:
    """A rational number of few digits that is very near."""
    found = near.limit_denominator(MOST_DENOMINATOR)
    within = DIGITS * abs(near) if abs(near) > 1 else DIGITS
    return found if abs(found - near) < within else None


def _rational_end(end: Finite, side: int) -> Fraction:
    """A rational number at the end, or a little outside."""
    if isinstance(end, Fraction):
        return end
    found = bounds(end, BITS)
    if found is None:
        raise NoAnswer
    return found[0] if side < 0 else found[1]


def _between(low: Finite, root: Finite, high: Finite) -> bool:
    """Whether a root is inside the open interval. Raises NoAnswer."""
    codes = numbers.compare(root, low), numbers.compare(root, high)
    if None in codes:
        raise NoAnswer
    return codes == (1, -1)


def _side(ball: Any) -> int:
    """The sign of a ball that excludes 0; 0 for others."""
    return int(ball > 0) - int(ball < 0) if ball.is_finite() else 0


def _middle(ball: Any) -> Fraction:
    mantissa, exponent = (int(part) for part in ball.mid().man_exp())
    return Fraction(mantissa) * Fraction(2) ** exponent


def _flint(x: Fraction) -> Any:
    return flint.fmpq(x.numerator, x.denominator)
