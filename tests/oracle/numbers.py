"""The numbers and deciders of the oracle: values with gradients, executed, forced and mixed selections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from flint import fmpq

from tests.oracle.programs import Node, Outcome, Program, evaluate


class Dual:
    """A value with its gradient."""

    __slots__ = ("gradient", "value")

    def __init__(self, value: fmpq, gradient: Sequence[fmpq]) -> None:
        self.value, self.gradient = value, gradient

    def __add__(self, other: Any) -> Dual:
        if not isinstance(other, Dual):
            return Dual(self.value + other, self.gradient)
        return Dual(
            self.value + other.value, [a + b for a, b in zip(self.gradient, other.gradient, strict=True)]
        )

    __radd__ = __add__

    def __neg__(self) -> Dual:
        return Dual(-self.value, [-a for a in self.gradient])

    def __sub__(self, other: Any) -> Dual:
        return self + (-other)

    def __rsub__(self, other: Any) -> Dual:
        return (-self) + other

    def __mul__(self, other: Any) -> Dual:
        if not isinstance(other, Dual):
            return Dual(self.value * other, [a * other for a in self.gradient])
        pairs = zip(self.gradient, other.gradient, strict=True)
        return Dual(self.value * other.value, [a * other.value + self.value * b for a, b in pairs])

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        if not isinstance(other, Dual):
            return self * (1 / fmpq(other))
        square = other.value * other.value
        pairs = zip(self.gradient, other.gradient, strict=True)
        return Dual(self.value / other.value, [(a * other.value - self.value * b) / square for a, b in pairs])

    def __rtruediv__(self, other: Any) -> Dual:
        return Dual(fmpq(other), [fmpq(0)] * len(self.gradient)) / self


def duals(point: Sequence[fmpq]) -> list[Dual]:
    size = len(point)
    return [Dual(entry, [fmpq(int(i == j)) for j in range(size)]) for i, entry in enumerate(point)]


def as_dual(value: Any, size: int) -> Dual:
    return value if isinstance(value, Dual) else Dual(value, [fmpq(0)] * size)


def plain(value: Any) -> Any:
    return value.value if isinstance(value, Dual) else value


def sign_of(value: Any) -> int:
    value = plain(value)
    return (value > 0) - (value < 0)


def order_of(values: Sequence[Any], place: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(below, tied) around the value at `place`."""
    numbers = [plain(value) for value in values]
    pivot = sorted(numbers)[place]
    below = tuple(index for index, number in enumerate(numbers) if number < pivot)
    return below, tuple(index for index, number in enumerate(numbers) if number == pivot)


def is_tied(outcome: Outcome) -> bool:
    return outcome == 0 if isinstance(outcome, int) else len(outcome[1]) > 1


@dataclass(slots=True)
class Executed:
    """Follows the values; keeps the outcomes in the order in which they were met. A tie takes the first piece."""

    trace: list[Outcome] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    def sign(self, at: Node, switch: Any, side: int) -> Outcome:
        return self._kept(at, sign_of(switch))

    def order(self, at: Node, values: Sequence[Any], place: int) -> Outcome:
        return self._kept(at, order_of(values, place))

    def mix(self, at: Node, outcome: Outcome, pieces: Sequence[Any], side: int) -> Any:
        return pieces[0]

    def _kept(self, at: Node, outcome: Outcome) -> Outcome:
        self.trace.append(outcome)
        self.nodes.append(at)
        return outcome


@dataclass(slots=True)
class Forced:
    """Follows given outcomes, whatever the values; `degenerate` once a switch that was zero is not."""

    outcomes: Sequence[Outcome]
    met: int = 0
    degenerate: bool = False

    def sign(self, at: Node, switch: Any, side: int) -> Outcome:
        outcome = self._next()
        if outcome == 0 and plain(switch) != 0:
            self.degenerate = True
        return outcome

    def order(self, at: Node, values: Sequence[Any], place: int) -> Outcome:
        outcome = self._next()
        first, *others = [plain(values[index]) for index in outcome[1]]
        if any(other != first for other in others):
            self.degenerate = True
        return outcome

    def mix(self, at: Node, outcome: Outcome, pieces: Sequence[Any], side: int) -> Any:
        return pieces[0]

    def _next(self) -> Outcome:
        self.met += 1
        return self.outcomes[self.met - 1]


@dataclass(frozen=True, slots=True)
class Rules:
    """Derivatives at ties: relu'(0), abs'(0), and which of the tied arguments of max and min."""

    relu: Fraction
    abs: Fraction
    max: str
    min: str

    def overrides(self) -> dict[str, str]:
        """As the compiler takes them; clip has 1 at both ends."""
        return {"relu": str(self.relu), "abs": str(self.abs), "max": self.max, "min": self.min, "clip": "1"}

    def weights(self, at: Node, count: int, side: int) -> list[Fraction]:
        if at.op == "relu":
            return [self.relu, 1 - self.relu]
        if at.op == "abs":
            return [(1 + self.abs) / 2, (1 - self.abs) / 2]
        if at.op == "clip":
            return [Fraction(1), Fraction(0)]
        rule = {"max": self.max, "min": self.min}[at.op]
        if rule == "split":
            return [Fraction(1, count)] * count
        chosen = 0 if rule == "first" else count - 1
        return [Fraction(int(index == chosen)) for index in range(count)]


@dataclass(slots=True)
class Mixed(Executed):
    """AD: the executed piece, and at a tie the mixture of the rules."""

    rules: Rules | None = None

    def mix(self, at: Node, outcome: Outcome, pieces: Sequence[Any], side: int) -> Any:
        assert self.rules is not None
        total: Any = 0
        for weight, piece in zip(self.rules.weights(at, len(pieces), side), pieces, strict=True):
            total = piece * fmpq(weight.numerator, weight.denominator) + total
        return total


@dataclass(slots=True)
class Chosen(Executed):
    """One vertex of the field: at the k-th tie the piece `choices[k]`; `widths` tells how many there were."""

    choices: Sequence[int] = ()
    widths: list[int] = field(default_factory=list)

    def mix(self, at: Node, outcome: Outcome, pieces: Sequence[Any], side: int) -> Any:
        place = len(self.widths)
        self.widths.append(len(pieces))
        return pieces[self.choices[place]] if place < len(self.choices) else pieces[0]


def gradient(program: Program, point: Sequence[fmpq], decider: Any) -> Dual:
    """Value and gradient of what `decider` follows, at `point`."""
    return as_dual(evaluate(program, duals(point), decider), len(point))


def vertices_of_field(
    program: Program, point: Sequence[fmpq], limit: int
) -> set[tuple[Fraction, ...]] | None:
    """All values of D where the program has no `if` and no `where`; None if there are more than `limit` choices."""
    found: set[tuple[Fraction, ...]] = set()
    choices: list[int] | None = []
    count = 0
    while choices is not None:
        count += 1
        if count > limit:
            return None
        decider = Chosen(choices=choices)
        found.add(as_fractions(gradient(program, point, decider).gradient))
        choices = _next_choices(choices, decider.widths)
    return found


def _next_choices(choices: Sequence[int], widths: Sequence[int]) -> list[int] | None:
    """The next in the order of an odometer; values at ties do not depend on choices, so neither do the widths."""
    following = [*choices, *[0] * (len(widths) - len(choices))]
    for place in reversed(range(len(widths))):
        if following[place] + 1 < widths[place]:
            return [*following[:place], following[place] + 1]
    return None


def as_fractions(values: Sequence[fmpq]) -> tuple[Fraction, ...]:
    return tuple(Fraction(int(value.p), int(value.q)) for value in values)


def point_of(values: Mapping[str, Fraction] | Sequence[Fraction]) -> list[fmpq]:
    numbers = values.values() if isinstance(values, Mapping) else values
    return [fmpq(number.numerator, number.denominator) for number in numbers]
