"""A convex region and affine functions -> the polyhedral complex they cut it into, faces of every dimension.

The complex is a set of relatively open convex cells, closed under faces: each cell knows its facets, so incidence is
there for every dimension. `Lattice.cut` divides one cell by the zero set of an affine function, and before it those
facets that the zero set divides too; cells beside it that share such a facet see its pieces from then on. Nothing is
assumed of the position: functions may be proportional, vanish on cells, or meet in too many at a point.

- A cell is cut exactly where it has a vertex below and a vertex above (values at vertices decide, in integers).
- The facets of the piece {h = 0} of a cut k-cell are the (k-2)-cells in {h = 0} that bound a facet above. For the
  boundary is a sphere of convex cells: each of its (k-2)-cells lies between two facets, and one that lies in {h = 0}
  lies between one facet above and one below, since a cell with both on one side would have no vertex on the other.
- A cell's vertices are a superset of its extreme points, all of them in its closure. More is not needed for signs,
  and so a cell that is not cut itself need not be told of new vertices on its boundary.

Points are homogeneous integers (w, w x_1, ..., w x_d) with w > 0, without a common divisor.

The whole space, and unbounded regions: everything lives in the simplex x_i >= -M, x_1 + ... + x_d <= M over the ordered
field Q(M), where M is larger than every rational. A vertex is the only solution of linear equations whose matrix is
rational and whose right-hand sides are affine in M (those of the simplex), so by Cramer's rule it is
(finite + far M) / w with integer vectors `finite` and `far`; the sign of an affine function there is that of its
coefficient of M, or else of its constant. A set of rational affine conditions has a solution over Q exactly when it has
one over Q(M) (Farkas: a certificate of the contrary is rational in both), its solution set has the same dimension over
both (affine hulls are given by rational equations), and every rational point is inside of the simplex. So the strata of
R^d are the cells inside of the simplex, each counted once, bounded or not; the cells on the simplex' own facets are
kept, for the incidence, and never reported.

Source: incremental construction of arrangements, Edelsbrunner, "Algorithms in Combinatorial Geometry" (1987), chapter
7, here for cells that are each cut by functions of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import gcd, lcm
from operator import mul
from typing import TypeAlias

# constant, then the coefficients of the coordinates
Affine: TypeAlias = tuple[Fraction | int, ...]
Integers: TypeAlias = tuple[int, ...]

BELOW, ABOVE, STRADDLES = (
    1,
    2,
    3,
)  # sides of a cell: bits for a vertex below and a vertex above; 0: in the zero set


@dataclass(frozen=True, slots=True)
class Halfspace:
    """The points where `function` is at least 0, or more than 0 where `strict`."""

    function: Affine
    strict: bool


@dataclass(frozen=True, slots=True)
class Region:
    """A convex polyhedron in R^dimension. Its faces count as strata where no strict halfspace excludes them."""

    dimension: int
    halfspaces: tuple[Halfspace, ...] = ()


def box(bounds: Sequence[tuple[Fraction | int | None, Fraction | int | None]], *, closed: bool) -> Region:
    """The product of intervals, one a coordinate; None is no bound. Halfspaces 2i and on are those of coordinate i."""
    sides = []
    for place, (lower, upper) in enumerate(bounds):
        unit = [0] * len(bounds)
        unit[place] = 1
        if lower is not None:
            sides.append(Halfspace((-lower, *unit), strict=not closed))
        if upper is not None:
            sides.append(Halfspace((upper, *(-entry for entry in unit)), strict=not closed))
    return Region(len(bounds), tuple(sides))


class Cell:
    """A relatively open convex cell. `pieces` (below, on, above) are there once it has been cut, and stand for it.

    `conditions` is the linked list (earlier, function, sign) of the cuts it comes from: with the halfspaces of the
    region they say what it is.
    """

    __slots__ = ("conditions", "dimension", "facets", "pieces", "vertices")

    def __init__(
        self, dimension: int, vertices: tuple[int, ...], facets: tuple[Cell, ...], conditions: Cuts
    ) -> None:
        self.dimension = dimension
        self.vertices = vertices
        self.facets = facets
        self.conditions = conditions
        self.pieces: tuple[Cell, Cell, Cell] | None = None

    def leaves(self) -> Iterator[Cell]:
        """The cells that it has become, of every dimension; one at a time, as they are when asked for."""
        waiting = [self]
        while waiting:
            cell = waiting.pop()
            if cell.pieces is None:
                yield cell
            else:
                waiting += reversed(cell.pieces)

    def boundary(self) -> tuple[Cell, ...]:
        """Its facets as they are now."""
        for facet in self.facets:
            if facet.pieces is not None:
                break
        else:
            return self.facets
        found: list[Cell] = []
        waiting = list(reversed(self.facets))
        while waiting:
            facet = waiting.pop()
            if facet.pieces is None:
                found.append(facet)
            else:
                waiting += (facet.pieces[2], facet.pieces[0])
        self.facets = tuple(found)
        return self.facets


Cuts: TypeAlias = "tuple[Cuts, Integers, int] | None"


class Values(dict[int, int]):
    """What the sign of `function` at a vertex is read from, by vertex: found when it is first asked for."""

    __slots__ = ("function", "lattice")

    def __init__(self, lattice: Lattice, function: Integers, known: Iterable[tuple[int, int]]) -> None:
        super().__init__(known)
        self.lattice = lattice
        self.function = function

    def __missing__(self, vertex: int) -> int:
        value = self[vertex] = self.lattice.values(self.function, (vertex,))[0]
        return value

    def side(self, cell: Cell) -> int:
        """Where the cell lies: BELOW, ABOVE, STRADDLES, or 0 in the zero set."""
        side = 0
        for vertex in cell.vertices:
            value = self[vertex]
            if value > 0:
                side |= ABOVE
            elif value < 0:
                side |= BELOW
        return side


class Lattice:
    """The complex. `inside` are the faces of the region at first; whoever cuts keeps the list of what he cuts.

    `points` are the vertices, or the finite parts of those that have an entry in `far`, their coefficients of M.
    """

    def __init__(self, region: Region) -> None:
        self.points: list[Integers] = []
        self.far: dict[int, Integers] = {}
        self.inside: list[Cell] = [self._simplex(region.dimension)]
        for halfspace in region.halfspaces:
            self._restrict(integral(halfspace.function, region.dimension), strict=halfspace.strict)
        if not any(vertex in self.far for cell in self.inside for vertex in cell.vertices):
            self.far = {}  # a bounded region: nothing that can be reached from it is far

    def _simplex(self, dimension: int) -> Cell:
        self.points = [(1, *(0,) * dimension) for _ in range(dimension + 1)]
        if dimension:
            corner = [(-1,) * dimension]
            corner += [
                tuple(dimension if i == place else -1 for i in range(dimension)) for place in range(dimension)
            ]
            self.far = dict(enumerate(corner))
        cells: dict[tuple[int, ...], Cell] = {}
        for size in range(1, dimension + 2):
            for vertices in combinations(range(dimension + 1), size):
                facets = tuple(cells[(vertex,)] for vertex in vertices) if size == 2 else ()
                if size > 2:
                    facets = tuple(cells[vertices[:i] + vertices[i + 1 :]] for i in range(size))
                cells[vertices] = Cell(size - 1, vertices, facets, None)
        return cells[tuple(range(dimension + 1))]

    def _restrict(self, function: Integers, *, strict: bool) -> None:
        kept: list[Cell] = []
        values = Values(self, function, ())
        for whole in self.inside:
            for cell in whole.leaves():
                side = values.side(cell)
                if side == STRADDLES:
                    _, on, above = self.cut(cell, values)
                    kept += [above] if strict else [on, above]
                elif side == ABOVE or (side == 0 and not strict):
                    kept.append(cell)
        self.inside = list(dict.fromkeys(kept))

    def values(self, function: Integers, vertices: Sequence[int]) -> list[int]:
        """Integers with the signs of `function` at the vertices."""
        points = [self.points[vertex] for vertex in vertices]
        evaluate = _EVALUATE[len(function)] if len(function) < len(_EVALUATE) else _evaluate
        values = evaluate(function, points)
        if self.far:
            for place, vertex in enumerate(vertices):
                if vertex in self.far and (slope := sum(map(mul, function[1:], self.far[vertex]))):
                    values[place] = slope
        return values

    def cut(self, cell: Cell, values: Values) -> tuple[Cell, Cell, Cell]:
        """The pieces of a cell that straddles the zero set of `values.function`: below, on, above."""
        function = values.function
        below: list[Cell] = []
        above: list[Cell] = []
        ridges: dict[Cell, None] = {}
        for facet in cell.boundary():
            side = values.side(facet)
            if side == STRADDLES:
                pieces = self.cut(facet, values)
                below.append(pieces[0])
                ridges[pieces[1]] = None
                above.append(pieces[2])
            elif side == ABOVE:
                above.append(facet)
                for ridge in facet.boundary():
                    if ridge not in ridges and _vanishes(ridge, values):
                        ridges[ridge] = None
            else:
                below.append(facet)
        if cell.dimension == 1:
            vertex = self._crossing(function, below[0].vertices[0], above[0].vertices[0])
            values[vertex] = 0
            on = Cell(0, (vertex,), (), (cell.conditions, function, 0))
        else:
            on = self._section(cell, ridges, values)
        section = set(on.vertices)
        rest = [(vertex, values[vertex]) for vertex in cell.vertices if vertex not in section]
        pieces = (
            self._half(cell, below, on, [vertex for vertex, value in rest if value <= 0], -1, function),
            on,
            self._half(cell, above, on, [vertex for vertex, value in rest if value >= 0], 1, function),
        )
        cell.pieces = pieces
        return pieces

    def _section(self, cell: Cell, ridges: dict[Cell, None], values: Values) -> Cell:
        """The piece in the zero set; `ridges` are its facets."""
        if cell.dimension == 2:
            vertices = tuple([ridge.vertices[0] for ridge in ridges])
        else:
            vertices = tuple(dict.fromkeys([vertex for ridge in ridges for vertex in ridge.vertices]))
        return Cell(cell.dimension - 1, vertices, tuple(ridges), (cell.conditions, values.function, 0))

    def _half(
        self, cell: Cell, facets: list[Cell], on: Cell, vertices: list[int], sign: int, function: Integers
    ) -> Cell:
        return Cell(
            cell.dimension, (*vertices, *on.vertices), (*facets, on), (cell.conditions, function, sign)
        )

    def _crossing(self, function: Integers, low: int, high: int) -> int:
        """The new vertex where `function` is 0, between two vertices where it is negative and positive."""
        first, second = self.points[low], self.points[high]
        if low not in self.far and high not in self.far:
            down, up = -sum(map(mul, function, first)), sum(map(mul, function, second))
            point = [up * p + down * q for p, q in zip(first, second, strict=True)]
            divisor = gcd(*point)
            self.points.append(tuple(entry // divisor for entry in point))
            return len(self.points) - 1
        return self._far_crossing(function, low, high)

    def _far_crossing(self, function: Integers, low: int, high: int) -> int:
        """The same where a vertex is far. The edge has a rational direction, and both parts of its ends' difference
        are multiples of it; so the crossing is low - value(low) / slope * direction, again affine in M."""
        none = (0,) * (len(function) - 1)
        (w, *start), start_far = self.points[low], self.far.get(low, none)
        (v, *end), end_far = self.points[high], self.far.get(high, none)
        direction = [w * q - v * p for p, q in zip(start_far, end_far, strict=True)]
        if not any(direction):
            direction = [w * q - v * p for p, q in zip(start, end, strict=True)]
        normal = function[1:]
        slope = sum(map(mul, normal, direction))
        value = w * function[0] + sum(map(mul, normal, start))
        value_far = sum(map(mul, normal, start_far))
        weight = slope * w
        finite = [slope * p - value * r for p, r in zip(start, direction, strict=True)]
        far = [slope * p - value_far * r for p, r in zip(start_far, direction, strict=True)]
        divisor = gcd(weight, *finite, *far) * (1 if weight > 0 else -1)
        self.points.append((weight // divisor, *(entry // divisor for entry in finite)))
        if any(far):
            self.far[len(self.points) - 1] = tuple(entry // divisor for entry in far)
        return len(self.points) - 1


def _vanishes(cell: Cell, values: Values) -> bool:
    return not any(map(values.__getitem__, cell.vertices))


def _evaluate(function: Integers, points: list[Integers]) -> list[int]:
    return [sum(map(mul, function, point)) for point in points]


def _evaluate_2(function: Integers, points: list[Integers]) -> list[int]:
    a, b = function
    return [a * w + b * x for w, x in points]


def _evaluate_3(function: Integers, points: list[Integers]) -> list[int]:
    a, b, c = function
    return [a * w + b * x + c * y for w, x, y in points]


def _evaluate_4(function: Integers, points: list[Integers]) -> list[int]:
    a, b, c, d = function
    return [a * w + b * x + c * y + d * z for w, x, y, z in points]


# By the number of entries: the same three times faster, and most of the time is spent here.
_EVALUATE = (_evaluate, _evaluate, _evaluate_2, _evaluate_3, _evaluate_4)


def integral(function: Affine, dimension: int) -> Integers:
    """The multiple of a function by a positive number whose entries are integers.

    Raises ValueError where it is not a function of `dimension` coordinates.
    """
    if len(function) != dimension + 1:
        raise ValueError(f"a function of {len(function) - 1} coordinates in {dimension} dimensions")
    if all(type(entry) is int for entry in function):
        return function  # type: ignore[return-value]
    divisor = lcm(*(entry.denominator for entry in function))
    return tuple(entry.numerator * (divisor // entry.denominator) for entry in function)
