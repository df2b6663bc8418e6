"""Program, points -> the circulation of AD along closed polygons, in exact arithmetic, edges inside strata included.

A piecewise-affine program has on a segment finitely many pieces, each between roots of the affine switches of its path;
on a piece AD is constant, so that the midpoint rule is exact. Along each edge the integral of <AD, direction> must be
the difference of the values, and around a polygon it must be 0.

Source: Bolte & Pauwels 2021, Definition 1; theory P5 and P6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.analyses.path_polynomials import Path, Switch
from cfcompiler.analyses.tangents import Strata
from cfcompiler.feasibility.linear import null_space
from cfcompiler.ir import Program
from cfcompiler.polynomials import Polynomial

MOST_PIECES = 400  # of one edge
_ZERO, _ONE, _HALF = Fraction(0), Fraction(1), Fraction(1, 2)
Corner = tuple[Fraction, ...]


class NotAffine(Exception):
    """The program is not affine on a piece, has no finite value there, or has too many pieces."""


@dataclass(frozen=True, slots=True)
class Edge:
    """From one corner to another: the integral of AD along it, and the difference of the values."""

    start: Corner
    end: Corner
    integral: Fraction
    difference: Fraction


class Polygons:
    """Edges of one program with one scalar result, each computed once."""

    def __init__(self, strata: Strata) -> None:
        self.strata = strata
        self.program: Program = strata.program

    def edge(self, start: Corner, end: Corner) -> Edge:
        """Raises NotAffine, Undecided."""
        step = tuple(b - a for a, b in zip(start, end, strict=True))
        pending = [(_ZERO, _ONE)]
        integral, pieces = _ZERO, 0
        while pending:
            low, high = pending.pop()
            pieces += 1
            if pieces > MOST_PIECES:
                raise NotAffine(f"more than {MOST_PIECES} pieces on an edge")
            middle = (low + high) / 2
            here = _moved(start, step, middle)
            path = self.strata.path(self._point(here))
            roots = [root for switch in path.switches for root in _roots(switch, start, step)]
            if middle in roots:
                pending.extend(((low, middle), (middle, high)))
                continue
            left = max((root for root in roots if low < root < middle), default=low)
            right = min((root for root in roots if middle < root < high), default=high)
            integral += (right - left) * self._slope(here, step)
            pending.extend(part for part in ((low, left), (right, high)) if part[0] < part[1])
        return Edge(start, end, integral, self._value(end) - self._value(start))

    def _point(self, corner: Corner) -> dict[str, Any]:
        point: dict[str, Any] = {}
        place = 0
        for param in self.program.params:
            array = np.empty(param.value.shape, dtype=object)
            for entry in np.ndindex(array.shape):
                array[entry] = corner[place]
                place += 1
            point[param.value.name] = array
        return point

    def _slope(self, here: Corner, step: Corner) -> Fraction:
        (row,) = self.strata.rows(self._point(here))
        total = _ZERO
        moving = (entry for entry, moves in zip(step, self.strata.moving, strict=True) if moves)
        for track, entry in zip(row, moving, strict=True):
            if (
                not isinstance(track.value, Fraction)
                or track.polynomial is None
                or track.polynomial.degree > 0
            ):
                raise NotAffine("AD is not constant on a piece")
            total += track.value * entry
        return total

    def _value(self, corner: Corner) -> Fraction:
        path = self.strata.path(self._point(corner))
        (track,) = path.entries(self.program.results[0].name)
        if not isinstance(track.value, Fraction):
            raise NotAffine("the program has no finite value at a corner")
        return track.value

    def inside(self, corner: Corner) -> tuple[Corner, Corner] | None:
        """Two points of the stratum of `corner`, on both sides of it; None where the stratum is a point."""
        path = self.strata.path(self._point(corner))
        tied = [switch.polynomial for switch in path.switches if switch.sign == 0]
        rows = [_affine(polynomial).gradient() for polynomial in tied]
        # data does not move
        rows += [
            tuple(_ONE if place == other else _ZERO for other in range(len(corner)))
            for place, moves in enumerate(self.strata.moving)
            if not moves
        ]
        kernel = null_space(rows, len(corner)) if rows else ()
        if not kernel:
            return None
        direction = tuple(Fraction(entry) for entry in kernel[0])
        reach = _reach(path, corner, direction)
        return _moved(corner, direction, -reach), _moved(corner, direction, reach)


def _affine(polynomial: Polynomial | None) -> Polynomial:
    if polynomial is None or polynomial.degree > 1 or not polynomial.rational:
        raise NotAffine("a switch is not affine")
    return polynomial


def _moved(start: Corner, step: Corner, share: Fraction) -> Corner:
    return tuple(a + share * b for a, b in zip(start, step, strict=True))


def _roots(switch: Switch, start: Corner, step: Corner) -> list[Fraction]:
    """Where a switch vanishes along a line, unless it vanishes all along it."""
    polynomial = _affine(switch.polynomial)
    at_start, at_end = (Fraction(polynomial.value(point)) for point in (start, _moved(start, step, _ONE)))
    if at_start == at_end:
        return []
    return [at_start / (at_start - at_end)]


def _reach(path: Path, corner: Corner, direction: Corner) -> Fraction:
    """Half of the way to the next switch, at most 1."""
    roots = [
        abs(root) for switch in path.switches if switch.sign for root in _roots(switch, corner, direction)
    ]
    return min([_ONE, *(root * _HALF for root in roots)])


def polygons(strata: Strata, corners: Sequence[Corner], most: int) -> tuple[list[tuple[Edge, ...]], int]:
    """Closed polygons through the corners, at most `most`, and how many of their edges lie inside strata.

    Raises NotAffine, Undecided.
    """
    table = Polygons(strata)
    found: list[tuple[Edge, ...]] = []
    inside = 0
    for place, corner in enumerate(corners[:most]):
        along = table.inside(corner)
        others = [corners[(place + shift) % len(corners)] for shift in (1, 2)]
        loop = [*along, others[0]] if along is not None else [corner, *others]
        loop = list(dict.fromkeys(loop))
        if len(loop) < 2:
            continue
        inside += along is not None
        found.append(
            tuple(table.edge(one, other) for one, other in zip(loop, [*loop[1:], loop[0]], strict=True))
        )
    return found, inside


def broken(edges: Sequence[Edge]) -> Edge | None:
    """An edge along which AD does not integrate to the difference of the values."""
    return next((edge for edge in edges if edge.integral != edge.difference), None)


def circulation(edges: Sequence[Edge]) -> Fraction:
    return sum((edge.integral for edge in edges), _ZERO)


def corner_of(program: Program, point: Mapping[str, Any]) -> Corner | None:
    """A point as a corner; None where it is not rational."""
    flat = [entry for param in program.params for entry in np.reshape(point[param.value.name], -1)]
    return tuple(flat) if all(isinstance(entry, Fraction) for entry in flat) else None
