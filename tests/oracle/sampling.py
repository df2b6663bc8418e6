"""Program, point -> what can be proved of f there: limiting gradients, one-sided slopes, jumps.

Three ways, none of them the compiler's:

- Curves. Along x(t) = p + sum of c_k t^k the program is followed at a rational t below every positive root of every
  polynomial that its switches can be along the curve (a root bound from integer norms), so the pattern found there is
  the pattern for all smaller t > 0. If no switch of it vanishes but those that vanish identically, the curve runs in
  open cells and the gradient of its piece at p is a limiting gradient: *proved*. Along a straight ray the same piece
  gives the one-sided slope, proved even inside thin strata.
- Scales. Random points on eight small scales, anisotropic ones too: a pattern that is met on each scale is
  *persistent*, which is strong evidence.
- Cones. For a program that is piecewise affine near p all patterns are enumerated by linear programs: *complete*.

"Identically" is decided at a random point with coordinates of 80 bits (Schwartz-Zippel).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import permutations, product
from math import lcm
from typing import Any

from flint import fmpq

from tests.oracle.hulls import open_cone
from tests.oracle.numbers import (
    Dual,
    Executed,
    Forced,
    as_dual,
    as_fractions,
    duals,
    gradient,
    plain,
    point_of,
    sign_of,
)
from tests.oracle.programs import Node, Outcome, Program, Vector, evaluate, fraction_of, operations

SCALES = tuple(range(26, 41, 2))
MOST_CONES = 1500
Curve = tuple[tuple[int, Vector], ...]  # (exponent, coefficients) in turn


@dataclass(frozen=True, slots=True)
class Slope:
    """The one-sided derivative along a direction."""

    direction: Vector
    slope: Fraction


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found at a point.

    `proved`: limiting gradients, each with its proof; `complete`: they are all. `persistent`: gradients met on every
    small scale. `values`: limits of f along curves into the point, `value`: f there.
    """

    value: Fraction
    proved: frozenset[Vector]
    complete: bool
    persistent: frozenset[Vector]
    values: frozenset[Fraction]
    slopes: tuple[Slope, ...]

    @property
    def jumps(self) -> bool:
        return any(value != self.value for value in self.values)

    @property
    def steepest(self) -> Fraction:
        """The largest difference quotient seen, by the largest entry of the direction."""
        quotients = [abs(slope.slope) / max(map(abs, slope.direction)) for slope in self.slopes]
        return max(quotients, default=Fraction(0))


def seen(
    program: Program,
    point: Sequence[Fraction],
    *,
    affine: bool,
    seed: int = 0,
    curves: int = 160,
    samples: int = 25,
) -> Seen:
    """`affine`: every piece and every switch is affine. `samples`: random points a scale."""
    walker = _Pieces(program, point)
    rng = random.Random(seed)
    proved: set[Vector] = set()
    values: set[Fraction] = set()
    slopes = []
    parameter = _small_parameter(program, point)
    for curve in _curves(len(point), rng, curves, straight=affine):
        outcomes = walker.outcomes(_along(walker.point, curve, parameter))
        value, vector = walker.piece(outcomes)
        values.add(value)
        if len(curve) == 1 and curve[0][0] == 1 and value == walker.value:
            slopes.append(Slope(curve[0][1], _dot(vector, curve[0][1])))
        if walker.generic(outcomes):
            proved.add(vector)
    cones = all_cones(program, point) if affine else None
    if cones is not None:
        proved |= cones
    persistent = frozenset() if affine else _persistent(walker, rng, samples)
    return Seen(
        walker.value,
        frozenset(proved),
        cones is not None,
        persistent,
        frozenset(values),
        tuple(slopes),
    )


class _Pieces:
    """The pieces of a program by pattern: value and gradient at the point, and whether the pattern is generic."""

    def __init__(self, program: Program, point: Sequence[Fraction]) -> None:
        self.program, self.point = program, point_of(point)
        self.value = fraction_of(plain(evaluate(program, self.point, Executed())))
        rng = random.Random(1)
        self.somewhere = [fmpq(rng.getrandbits(80), 2 * rng.getrandbits(20) + 1) for _ in point]
        self._known: dict[tuple[Outcome, ...], tuple[Fraction, Vector]] = {}
        self._generic: dict[tuple[Outcome, ...], bool] = {}

    def outcomes(self, at: Sequence[fmpq]) -> tuple[Outcome, ...]:
        executed = Executed()
        evaluate(self.program, at, executed)
        return tuple(executed.trace)

    def piece(self, outcomes: tuple[Outcome, ...]) -> tuple[Fraction, Vector]:
        if outcomes not in self._known:
            found = gradient(self.program, self.point, Forced(outcomes))
            self._known[outcomes] = fraction_of(found.value), as_fractions(found.gradient)
        return self._known[outcomes]

    def generic(self, outcomes: tuple[Outcome, ...]) -> bool:
        """Does every switch that is zero in the pattern vanish identically?"""
        if outcomes not in self._generic:
            forced = Forced(outcomes)
            evaluate(self.program, self.somewhere, forced)
            self._generic[outcomes] = not forced.degenerate
        return self._generic[outcomes]


# Curves


def _curves(size: int, rng: random.Random, count: int, *, straight: bool) -> Iterator[Curve]:
    for index in range(size):
        for sign in (1, -1):
            yield ((1, _unit(size, index, sign)),)
    for number in range(count):
        if straight or number % 5 == 0:
            yield ((1, _direction(size, rng)),)
        else:
            yield _bent(size, rng)
    if not straight:
        yield from _tangent(size, rng, count)


def _tangent(size: int, rng: random.Random, count: int) -> Iterator[Curve]:
    """One coordinate +-t^a, another k t^b + e t^(b+1), the others anything: cells between tangent surfaces."""
    exponents, factors = ((1, 1), (1, 2), (1, 3), (2, 3)), (-2, -1, 0, 1, 2)
    ends = (Fraction(-2, 5), Fraction(2, 5), Fraction(3, 5))
    shapes = list(product(permutations(range(size), 2), (1, -1), exponents, factors, ends))
    for (base, other), sign, (a, b), k, e in rng.sample(shapes, min(count, len(shapes))):
        terms = {power: [Fraction(0)] * size for power in {a, b, b + 1}}
        for index, entry in enumerate(_direction(size, rng)):
            if index not in (base, other):
                terms[rng.choice((a, b, b + 1))][index] = entry
        terms[a][base] = Fraction(sign)
        terms[b][other] = Fraction(k)
        terms[b + 1][other] = e
        yield tuple((power, tuple(entries)) for power, entries in sorted(terms.items()))


def _bent(size: int, rng: random.Random) -> Curve:
    """Each coordinate its own power of t, sometimes with a second, smaller term."""
    terms: dict[int, list[Fraction]] = {}
    coefficients = _direction(size, rng)
    for index in range(size):
        leading = rng.choice((1, 1, 2, 2, 3, 4))
        terms.setdefault(leading, [Fraction(0)] * size)[index] = coefficients[index]
        if rng.random() < 0.35:
            smaller = leading + rng.choice((1, 1, 2, 3))
            terms.setdefault(smaller, [Fraction(0)] * size)[index] = Fraction(rng.choice((-2, -1, 1, 2)))
    return tuple((power, tuple(entries)) for power, entries in sorted(terms.items()))


def _unit(size: int, index: int, sign: int) -> Vector:
    return tuple(Fraction(sign * (place == index)) for place in range(size))


def _direction(size: int, rng: random.Random) -> Vector:
    """Not zero: small integers, or numbers that no small relation holds between."""
    while True:
        if rng.random() < 0.5:
            entries = [Fraction(rng.randint(-2, 2)) for _ in range(size)]
        else:
            entries = [Fraction(rng.randint(-97, 97), rng.choice((7, 11, 13))) for _ in range(size)]
        if any(entries):
            return tuple(entries)


def _along(point: Sequence[fmpq], curve: Curve, t: fmpq) -> list[fmpq]:
    place = list(point)
    for power, entries in curve:
        scale = t**power
        for index, entry in enumerate(entries):
            if entry:
                place[index] += scale * fmpq(entry.numerator, entry.denominator)
    return place


class _Size:
    """Bounds of a rational function of t: |numerator|_1 and |denominator|_1 of integer polynomials, in bits."""

    __slots__ = ("high", "low")

    def __init__(self, high: int, low: int) -> None:
        self.high, self.low = high, low

    def plus(self, other: _Size) -> _Size:
        return _Size(max(self.high + other.low, other.high + self.low) + 1, self.low + other.low)

    def times(self, other: _Size) -> _Size:
        return _Size(self.high + other.high, self.low + other.low)

    def over(self, other: _Size) -> _Size:
        return _Size(self.high + other.low, self.low + other.high)


def _small_parameter(program: Program, point: Sequence[Fraction]) -> fmpq:
    """A t > 0 below every positive root of every switch along every curve of `_curves`.

    A non-zero integer polynomial with the lowest coefficient c and |.|_1 = N has no root in 0 < t < 1/N.
    """
    denominator = 5 * 7 * 11 * 13 * lcm(*(entry.denominator for entry in point))
    largest = max(abs(entry) for entry in point) + 100
    inputs = _Size(int(denominator * largest).bit_length() + 1, denominator.bit_length())
    known: dict[Node, _Size] = {}
    worst = 1
    for at in _in_order(program.result):
        args = [known[arg] for arg in at.args]
        known[at] = _size(at, args, inputs)
        # Differences of any two arguments bound every switch.
        total = _Size(0, 0)
        for arg in args:
            total = total.plus(arg)
        worst = max(worst, known[at].high, known[at].low, total.high, total.low)
    return fmpq(1, 1 << (worst + 8))


def _size(at: Node, args: Sequence[_Size], inputs: _Size) -> _Size:
    match at.op:
        case "const":
            return _Size(int(abs(at.data.p)).bit_length() + 1, int(at.data.q).bit_length())
        case "var":
            return inputs
        case "mul":
            return args[0].times(args[1])
        case "div":
            return args[0].over(args[1])
        case "pow":
            return _Size(args[0].high * at.data, args[0].low * at.data)
        case "add" | "sub":
            return args[0].plus(args[1])
    # Any selection, and the negative: one of the arguments.
    return _Size(max(arg.high for arg in args), max(arg.low for arg in args))


def _in_order(result: Node) -> list[Node]:
    found: dict[Node, None] = {}

    def walk(at: Node) -> None:
        if at not in found:
            for arg in at.args:
                walk(arg)
            found[at] = None

    walk(result)
    return list(found)


# Scales


def _persistent(walker: _Pieces, rng: random.Random, samples: int) -> frozenset[Vector]:
    """The gradients of the patterns that were met on every scale."""
    size = len(walker.point)
    shapes = [[rng.choice((1, 1, 2, 3)) for _ in range(size)] for _ in range(samples)]
    common: set[tuple[Outcome, ...]] | None = None
    for scale in SCALES:
        met = set()
        for shape in shapes:
            place = [
                entry + fmpq(rng.randint(-1000, 1000), 500) / (1 << (scale * power))
                for entry, power in zip(walker.point, shape, strict=True)
            ]
            outcomes = walker.outcomes(place)
            if walker.generic(outcomes):
                met.add(outcomes)
        common = met if common is None else common & met
    return frozenset(walker.piece(outcomes)[1] for outcomes in common or ())


# Cones


@dataclass(slots=True)
class _Branching:
    """Signs of affine switches along directions from the point; where both can occur, `choices` decide."""

    choices: Sequence[int]
    normals: list[Vector] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    left_out: list[list[int]] = field(default_factory=list)
    programs: int = 0

    def sign(self, at: Node, switch: Any, side: int) -> Outcome:
        value = sign_of(switch)
        if value or not isinstance(switch, Dual):
            return value
        normal = as_fractions(switch.gradient)
        return self._side(normal) if any(normal) else 0

    def order(self, at: Node, values: Sequence[Any], place: int) -> Outcome:
        """By comparing all pairs: the patterns are finer than needed, their gradients are the same."""
        below = [0] * len(values)
        tied = [[index] for index in range(len(values))]
        for i in range(len(values)):
            for j in range(i):
                sign = self.sign(at, values[i] - values[j], 0)
                if sign == 0:
                    tied[i].append(j)
                    tied[j].append(i)
                else:
                    below[i if sign > 0 else j] += 1
        pivot = next(i for i in range(len(values)) if below[i] <= place < below[i] + len(tied[i]))
        return (), tuple(sorted(tied[pivot]))

    def mix(self, at: Node, outcome: Outcome, pieces: Sequence[Any], side: int) -> Any:
        return pieces[0]

    def _side(self, normal: Vector) -> int:
        opposite = tuple(-entry for entry in normal)
        place = len(self.made)
        if place < len(self.choices):
            side = self.choices[place]
        else:
            side = 1 if self._possible(normal) else -1
            if side > 0 and self._possible(opposite):
                self.left_out.append([*self.made, -1])
        self.made.append(side)
        self.normals.append(normal if side > 0 else opposite)
        return side

    def _possible(self, normal: Vector) -> bool:
        self.programs += 1
        return open_cone([*self.normals, normal])


def all_cones(program: Program, point: Sequence[Fraction], most: int = MOST_CONES) -> set[Vector] | None:
    """The limiting gradients of a piecewise affine program, all of them; None after `most` linear programs."""
    found: set[Vector] = set()
    waiting: list[list[int]] = [[]]
    inputs = point_of(point)
    used = 0
    while waiting:
        branching = _Branching(waiting.pop())
        result = evaluate(program, duals(inputs), branching)
        found.add(as_fractions(as_dual(result, len(inputs)).gradient))
        waiting.extend(branching.left_out)
        used += branching.programs
        if used > most:
            return None
    return found


def piecewise_affine(program: Program) -> bool:
    """By the operations alone: no products of two results, no powers, no divisions."""
    if "pow" in operations(program):
        return False
    for at in _in_order(program.result):
        if at.op == "mul" and all(arg.op != "const" for arg in at.args):
            return False
        if at.op == "div" and at.args[1].op != "const":
            return False
    return True


def _dot(left: Vector, right: Vector) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))
