"""A stratum on which 0 is in conv D and not in the Clarke subdifferential -> where it is, and how one arrives there.

Where AD returns 0 a gradient method stays. A start x0 = x + step*g, with x a point of the stratum and g the gradient of
a cell that touches it, leads to x in one step if x0 is in that cell: that is run in exact arithmetic before it is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from cfcompiler.analyses.affine_truth import Found
from cfcompiler.analyses.affine_walk import ProgramWalk
from cfcompiler.analyses.descent import leads
from cfcompiler.analyses.limits import Vector
from cfcompiler.analyses.strata_places import place_text
from cfcompiler.number_text import to_text
from cfcompiler.report import ArtificialPoint, Row

STEPS = tuple(Fraction(1, 2**power) for power in (1, 0, 2, 3, 4, 6, 8, 10))


def artificial_point(
    name: str,
    found: Found,
    cells: Mapping[int, tuple[Found, Vector]],
    walk: ProgramWalk,
    row: Callable[[Sequence[object]], Row],
) -> ArtificialPoint:
    """The family of a stratum, which is called `name`; `cells` are the full-dimensional strata with their gradients."""
    stratum = found.stratum
    stalls = bool(found.judgement.ad_critical)
    where = place_text(stratum, walk.inputs.coordinates)
    point = row(stratum.witness) if stratum.dimension == 0 else None
    if not stalls or len(found.outputs) != 1:
        return ArtificialPoint(name, where, point, stalls)
    for start, step in _starts(found, cells):
        if leads(
            walk.program,
            walk.backward,
            walk.inputs.arrays,
            walk.inputs.coordinates,
            start,
            step,
            stratum.witness,
        ):
            return ArtificialPoint(name, where, point, stalls, row(start), to_text(step))
    return ArtificialPoint(name, where, point, stalls)


def _starts(
    found: Found, cells: Mapping[int, tuple[Found, Vector]]
) -> Iterator[tuple[tuple[Fraction, ...], Fraction]]:
    """Points of the cells that touch the witness, from which one step along their gradient leads to it."""
    for cell in found.stratum.cells:
        if cell not in cells:
            continue
        other, gradient = cells[cell]
        for step in STEPS:
            start = tuple(x + step * g for x, g in zip(found.stratum.witness, gradient, strict=True))
            if all(
                sign * (function[0] + sum(a * x for a, x in zip(function[1:], start, strict=True))) > 0
                for function, sign in other.stratum.conditions
            ):
                yield start, step
                break
