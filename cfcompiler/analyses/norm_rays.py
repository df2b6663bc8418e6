"""Piece of a program with norms as inputs -> rays from the point, with the limits of the gradient along them.

On a piece F(x, r) with r = |u(x)| the gradient beside p + t h tends to grad_x F + sum_k dF/dr_k * Du_k' e_k with
e_k = Du_k h / |Du_k h|, where (h, |Du h|) points into the cell of the piece. Where it points to an edge, all pieces
that meet there may have this limit; else, or where some Du_k h is 0, the same is asked along h + s d for small s > 0.
Source: lexicographic directions, Nesterov 2005; theory S6 (adjacency by arcs).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import islice
from random import Random
from typing import TypeAlias

from cfcompiler import numbers
from cfcompiler.analyses.limits import Vector, same
from cfcompiler.analyses.pieces import Leaf, Pieces
from cfcompiler.analyses.series import Series, add, constant, is_zero, mul, normal, power, scale, sign
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.ball_sums import BallSum, inner, length
from cfcompiler.numbers import Finite
from cfcompiler.polynomials import Polynomial, plus, times, vanishes

MOST_UNITS = 256  # with at most so many input entries the coordinate directions are tried
RANDOM_DIRECTIONS = 16
MOST_TURNED = 4  # input entries that a random direction changes
MOST_TURNS = 12
MOST_BESIDE = 4
TAYLOR_DEGREE = 4  # of switches that are not polynomial
_ZERO, _ONE = Fraction(0), Fraction(1)

Sparse: TypeAlias = tuple[tuple[int, Finite], ...]  # the entries of a row that are not 0, with their places


@dataclass(frozen=True, slots=True)
class NormPiece:
    """A piece F(x, r): for each output its gradient by x and by r; for each norm the rows of Du."""

    leaf: Leaf | None
    by_inputs: tuple[Vector, ...]
    by_norms: tuple[Vector, ...]
    vectors: tuple[tuple[Sparse, ...], ...]

    def moved(self, direction: Vector) -> list[Vector]:
        """Du h for each norm."""
        return [tuple(_along(row, direction) for row in rows) for rows in self.vectors]

    def around(self) -> BallSum:
        """All that limits of gradients can be, outputs joined."""
        width = len(self.by_inputs[0])
        maps = []
        for k, rows in enumerate(self.vectors):
            columns = [[_ZERO] * (width * len(self.by_norms)) for _ in rows]
            for column, row in zip(columns, rows, strict=True):
                for output, slopes in enumerate(self.by_norms):
                    for place, entry in row:
                        column[output * width + place] = times(slopes[k], entry)
            maps.append(tuple(map(tuple, columns)))
        return BallSum(tuple(entry for row in self.by_inputs for entry in row), tuple(maps))


@dataclass(frozen=True, slots=True)
class NormRay:
    """A straight ray in the cell of a piece: its direction, the limit of gradients, the slope of each output."""

    direction: Vector
    limit: Vector
    slopes: Vector


@dataclass(frozen=True, slots=True)
class _Cell:
    """A piece with the lowest forms of its switches and their signs; those that are not known are left out."""

    piece: NormPiece
    forms: tuple[tuple[Polynomial, int], ...]


def rays_of(pieces: Pieces, own: Sequence[NormPiece]) -> Iterator[NormRay]:
    """Rays with the limits of gradients that are met arbitrarily near them; `own` are all pieces near the point.

    Some piece is met there, and none whose form has the other sign; where all that are left agree, that is the limit.
    """
    cells = [_Cell(piece, _forms(pieces, piece)) for piece in own]
    for direction in _directions(len(own[0].by_inputs[0])):
        near = [cell for cell in cells if _may_meet(cell, direction)]
        straight = _agreed(direction, [(cell.piece, cell.piece.moved(direction)) for cell in near])
        if straight is not None:
            yield straight
        else:
            yield from islice(_beside_ray(near, direction), MOST_BESIDE)


def _beside_ray(cells: Sequence[_Cell], direction: Vector) -> Iterator[NormRay]:
    """The same along `direction` + t * turn, t > 0 small, which leaves edges of cells and zeros of norms."""
    for turn in islice(_directions(len(direction)), MOST_TURNS):
        found = _along_arc(
            cells, direction, [normal(0, pair, True) for pair in zip(direction, turn, strict=True)]
        )
        if found is not None:
            yield found


def lexicographic_ray(pieces: Pieces, own: Sequence[NormPiece]) -> NormRay | None:
    """The limit along the directions (1, t, t**2, ...), t > 0 small: the lexicographic derivative of the identity."""
    count = len(own[0].by_inputs[0])
    cells = [_Cell(piece, _forms(pieces, piece)) for piece in own]
    first = tuple(_ONE if k == 0 else _ZERO for k in range(count))
    return _along_arc(cells, first, [normal(k, [_ONE], True) for k in range(count)])


def _along_arc(cells: Sequence[_Cell], start: Vector, arc: Sequence[Series]) -> NormRay | None:
    """The limit along directions that tend to `start`, in a parameter t > 0; None where no limit is certain."""
    headed = []
    try:
        for cell in cells:
            moved = [[_products(row, arc) for row in rows] for rows in cell.piece.vectors]
            if _may_turn_into(cell, [*arc, *map(_length, moved)]):
                headed.append((cell.piece, list(map(_leading, moved))))
    except Undecided:
        return None
    return _agreed(start, headed)


def _leading(vector: Sequence[Series]) -> Vector:
    """The direction that a vector tends to: the coefficients of the lowest power of t."""
    lowest = min((x.valuation for x in vector if not is_zero(x)), default=0)
    return tuple(_ZERO if is_zero(x) else x.at(lowest) for x in vector)


def _agreed(direction: Vector, headed: Sequence[tuple[NormPiece, list[Vector]]]) -> NormRay | None:
    """The limit that all pieces have where unit vectors tend to those given; None where they do not agree."""
    found: NormRay | None = None
    for piece, ends in headed:
        if not all(_moves(piece, k, end) for k, end in enumerate(ends)):
            return None
        other = _ray(piece, direction, ends)
        if found is not None and not same(found.limit, other.limit):
            return None
        found = other
    return found


def sparse(row: Vector) -> Sparse:
    """The entries that are not 0. Raises Undecided."""
    return tuple((place, entry) for place, entry in enumerate(row) if not vanishes(entry))


def _along(row: Sparse, direction: Sequence[Finite]) -> Finite:
    total: Finite = _ZERO
    for place, entry in row:
        total = plus(total, times(entry, direction[place]))
    return total


def _moves(piece: NormPiece, norm: int, end: Vector) -> bool:
    """Whether the unit vectors of a norm have a limit that first derivatives tell, or do not matter."""
    flat = not any(piece.vectors[norm]) or all(vanishes(slopes[norm]) for slopes in piece.by_norms)
    return flat or not _is_zero(end)


def _is_zero(vector: Vector) -> bool:
    return all(map(vanishes, vector))


def _ray(piece: NormPiece, direction: Vector, headed: Sequence[Vector]) -> NormRay:
    """The limit of gradients where the unit vectors tend to those of `headed`."""
    limit: list[Finite] = []
    slopes: list[Finite] = []
    for row, by_norms in zip(piece.by_inputs, piece.by_norms, strict=True):
        gradient, slope = list(row), inner(row, direction)
        for weight, rows, vector in zip(by_norms, piece.vectors, headed, strict=True):
            slope = plus(slope, times(weight, length([_along(own, direction) for own in rows])))
            if _is_zero(vector):
                continue
            share = numbers.div(weight, length(vector))
            assert not numbers.is_special(share)
            for entry, own in zip(vector, rows, strict=True):
                factor = times(share, entry)
                for place, x in own:
                    gradient[place] = plus(gradient[place], times(factor, x))
        limit.extend(gradient)
        slopes.append(slope)
    return NormRay(direction, tuple(limit), tuple(slopes))


def _forms(pieces: Pieces, piece: NormPiece) -> tuple[tuple[Polynomial, int], ...]:
    assert piece.leaf is not None
    found = []
    for one in piece.leaf.signs:
        polynomial = one.switch.polynomial
        if polynomial is None:
            polynomial = pieces.jets.taylor(one.switch.function, TAYLOR_DEGREE)
        if not polynomial.is_zero:
            found.append((polynomial.lowest_form, one.sign))
    return tuple(found)


def _may_meet(cell: _Cell, direction: Vector) -> bool:
    """False where a form has the other sign in `direction`, and so in directions near."""
    place = (*direction, *map(length, cell.piece.moved(direction)))
    return not any(numbers.decided(form.value(place)) == -own for form, own in cell.forms)


def _may_turn_into(cell: _Cell, place: Sequence[Series]) -> bool:
    """False where a form has the other sign for all small t > 0 at `place`, a direction and the lengths of vectors."""
    try:
        return not any(sign(_value(form, place)) == -own for form, own in cell.forms)
    except Undecided:
        return True


def _products(row: Sparse, moved: Sequence[Series]) -> Series:
    return reduce(add, (scale(moved[place], factor) for place, factor in row), constant(_ZERO))


def _length(entries: Iterable[Series]) -> Series:
    square = reduce(add, (mul(x, x) for x in entries))
    return square if is_zero(square) else power(square, Fraction(1, 2))


def _value(form: Polynomial, point: Sequence[Series]) -> Series:
    total = constant(_ZERO)
    for exponents, coefficient in form.terms.items():
        factors = (power(x, Fraction(k)) for x, k in zip(point, exponents, strict=True) if k)
        total = add(total, reduce(mul, factors, constant(coefficient)))
    return total


def _directions(count: int) -> Iterator[Vector]:
    """Directions, each with its opposite; their lengths are rational, and so are many of the limits."""
    units = list(range(count)) if count <= MOST_UNITS else []
    for place in units:
        yield from _both(tuple(_ONE if k == place else _ZERO for k in range(count)))
    generator = Random(0)
    for _ in range(RANDOM_DIRECTIONS if count > 1 else 0):
        first, *others = generator.sample(range(count), min(count, MOST_TURNED))
        chosen = {place: generator.randint(-3, 3) for place in others}
        heading = [_ZERO] * count
        heading[first] = Fraction(1 - sum(x * x for x in chosen.values()))
        for place, x in chosen.items():
            heading[place] = Fraction(2 * x)
        if any(heading):
            yield from _both(tuple(heading))


def _both(direction: Vector) -> tuple[Vector, Vector]:
    return direction, tuple(-x for x in direction)
