"""Program, point where Euclidean norms vanish -> its limiting gradients, as far as they have a finite description.

With the norms r = |u(x)| as inputs of their own the program is a function F(x, r) that the other analyses can follow.
On a piece F_i, smooth at (p, 0), the gradient beside p is grad_x F_i + sum_k dF_i/dr_k * Du_k' e_k with the unit
vectors e_k = u_k / |u_k|. So every limiting gradient lies in one of the sets

    grad_x F_i(p, 0) + sum_k dF_i/dr_k(p, 0) * Du_k(p)' B,    B the closed unit ball,

over the pieces that touch (p, 0) within r >= 0: f is a continuous selection of the functions F_i(x, |u(x)|), which are
smooth wherever no u_k vanishes, and where u_k vanishes on an open set, e_k may be taken as 0. Conversely, along a
straight ray p + t h for which (h, |Du h|) points into the cell of a piece, the limit is that vector with
e_k = Du_k h / |Du_k h|. The first gives what AD cannot be, the second what is certain.
Source: theory S3.1 (the row of norm2), S6 Theorem A; the chain rule of Clarke 1983, section 2.3.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any, TypeAlias

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.continuity import CONTINUOUS, continuity_of
from cfcompiler.analyses.field import Field, field_at
from cfcompiler.analyses.landscape import Effort, Landscape, landscape_at
from cfcompiler.analyses.limits import FieldAround, Gradients, Slopes, Vector, distinct, gradient_of, same
from cfcompiler.analyses.norm_rays import NormPiece, NormRay, Sparse, lexicographic_ray, rays_of, sparse
from cfcompiler.analyses.pieces import Leaf
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.feasibility.ball_sums import BallSum, inner
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Program, Value
from cfcompiler.numbers import Finite
from cfcompiler.polynomials import plus, times, vanishes
from cfcompiler.transforms.norms_apart import Domain, NormsApart, norms_apart, norms_of, out_of_arms
from cfcompiler.verify import verify

MOST_PARTIALS = 4000  # entries of Du for which D is asked for
_ZERO, _ONE = Fraction(0), Fraction(1)


_Form: TypeAlias = dict[tuple[int, int], Finite]


@dataclass(frozen=True, slots=True)
class BesideNorms:
    """What is known beside a point where norms vanish: limiting gradients, and whether f is differentiable."""

    gradients: Gradients
    slopes: Slopes
    lexicographic: Vector | None


def vanishing_norms(program: Program, point: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the values of `norm2` that have an entry 0 at the point."""
    return _vanishing(program, point, {one.out.name for one in program.instructions if _is_norm2(one)})


def _is_norm2(instruction: Instruction) -> bool:
    return isinstance(instruction, Apply) and instruction.op == "norm2"


def _vanishing(program: Program, point: Mapping[str, Any], names: Container[str]) -> tuple[str, ...]:
    found: list[str] = []

    def watch(instruction: Instruction, values: Mapping[str, Any]) -> None:
        name = instruction.out.name
        if name in names and any(x == 0 for x in values[name].flat):
            found.append(name)

    if any(one.out.name in names for one in program.instructions):
        run(program, point, EXACT, watch)
    return tuple(found)


def beside_norms(program: Program, point: Mapping[str, Any], effort: Effort) -> BesideNorms | None:
    """What is known of an unrolled program beside `point`; None where no norm is 0, or nothing could be followed.

    A norm in an arm that is not taken at the point counts, since the arm may be met beside it.
    """
    try:
        program = out_of_arms(program)
        names = _vanishing(program, point, norms_of(program))
        if not _outside_of_branches(program, names):
            return None
        domains: tuple[Domain, ...] = ("all",) if program.assertions else ("half", "cone")
        for domain in domains:
            found = _within(program, names, point, domain, effort)
            if found is not None:
                return found
    except Undecided:
        return None
    return None


def _within(
    program: Program, names: Sequence[str], point: Mapping[str, Any], domain: Domain, effort: Effort
) -> BesideNorms | None:
    """What is known where F is continuous on what is asserted of the norms.

    On the cone around r = |u| F is only looked at where u vanishes nowhere on an open set, which has r = 0 alone.
    """
    apart = norms_apart(program, names, shared=True, domain=domain)
    if domain == "cone" and not apart.smooth:
        return None
    landscape, here = _followed(apart, point, effort)
    limits = landscape.limits
    if landscape.problem is not None or limits is None:
        return None
    if domain == "all" and landscape.bounded:
        return None  # rays may leave the domain that the program asserts
    if continuity_of(landscape, here, 0.2 * effort.seconds) != CONTINUOUS:
        return None
    pieces = []
    for leaf in limits.leaves:
        piece = _piece(apart, landscape, leaf)
        if piece is None or (domain == "cone" and not all(map(any, piece.vectors))):
            return None
        pieces.append(piece)
    return _beside(pieces, landscape)


def field_beside_norms(program: Program, point: Mapping[str, Any], effort: Effort) -> FieldAround | None:
    """D with each written norm a ball of its own; None where it is not known.

    With the norms as inputs a branch may be met that is not met where they are norms (`n < 0`), so where one is tied,
    what is found is only known to hold D.
    """
    names = vanishing_norms(program, point)
    if not _outside_of_branches(program, names):
        return None
    apart = norms_apart(program, names, shared=False, domain="all")
    if sum(map(_size, apart.vectors)) * sum(map(np.size, point.values())) > MOST_PARTIALS:
        return None
    try:
        landscape, _ = _followed(apart, point, effort)
        field = field_at(verify(apart.program), _extended(apart, point), landscape)
        if not field.complete:
            return None
        sums = _sums_of(apart, field)
        whole = landscape.problem is None and not landscape.pieces.tied
        return None if sums is None else FieldAround(sums, whole)
    except Undecided:
        return None


def _outside_of_branches(program: Program, names: Sequence[str]) -> bool:
    own = [one for one in program.instructions if one.out.name in names]
    return bool(own) and not any(one.out.branch for one in own)


def _extended(apart: NormsApart, point: Mapping[str, Any]) -> dict[str, Any]:
    return {**point, **{norm.name: np.array(_ZERO, dtype=object) for norm in apart.norms}}


def _followed(
    apart: NormsApart, point: Mapping[str, Any], effort: Effort
) -> tuple[Landscape, list[numbers.Exact]]:
    """The pieces of F near (p, 0), and its values there."""
    program, extended = verify(apart.program), _extended(apart, point)
    values = run(program, extended, EXACT)
    here = [entry for result in program.results for entry in np.reshape(values[result.name], -1)]
    return landscape_at(program, extended, Effort(0.5 * effort.seconds, effort.cells)), here


def _sums_of(apart: NormsApart, field: Field) -> tuple[BallSum, ...] | None:
    found = []
    for vertex in field.vertices if field.total is None else ():
        rows = tuple(tuple(entry for entry in row if not numbers.is_special(entry)) for row in vertex)
        if any(len(row) < len(own) for row, own in zip(rows, vertex, strict=True)):
            return None
        piece = _split(apart, None, rows)
        if piece is None:
            return None
        found.append(piece.around())
    return tuple(found) or None


def _piece(apart: NormsApart, landscape: Landscape, leaf: Leaf) -> NormPiece | None:
    flat = gradient_of(landscape.pieces, leaf)
    width = landscape.pieces.near.dimension
    return _split(apart, leaf, [flat[start : start + width] for start in range(0, len(flat), width)])


def _split(apart: NormsApart, leaf: Leaf | None, rows: Sequence[Vector]) -> NormPiece | None:
    """The rows of derivatives of all results of F, told apart; None where some u depends on a norm."""
    sizes = list(map(_size, apart.vectors))
    count, width = len(rows) - sum(sizes), len(rows[0]) - len(apart.norms)
    vectors, start = [], count
    for size in sizes:
        own = rows[start : start + size]
        if not all(vanishes(x) for row in own for x in row[width:]):
            return None
        vectors.append(tuple(sparse(row[:width]) for row in own))
        start += size
    by_inputs = tuple(row[:width] for row in rows[:count])
    return NormPiece(leaf, by_inputs, tuple(row[width:] for row in rows[:count]), tuple(vectors))


def _size(vector: Sequence[Value]) -> int:
    return sum(prod(entry.shape) for entry in vector)


def _beside(pieces: Sequence[NormPiece], landscape: Landscape) -> BesideNorms:
    around = tuple(dict.fromkeys(piece.around() for piece in pieces))
    assert landscape.limits is not None
    trust = landscape.limits.gradients.trust
    if all(one.single for one in around):
        values = distinct(one.base for one in around)
        if len(values) == 1:
            return BesideNorms(Gradients(values, (), trust), Slopes(True, values[0]), values[0])
    rays = list(rays_of(landscape.pieces, pieces))
    sure = distinct(ray.limit for ray in rays)
    led = lexicographic_ray(landscape.pieces, pieces)
    return BesideNorms(
        Gradients(sure, (), trust, around), _slopes(pieces, rays), None if led is None else led.limit
    )


def _slopes(pieces: Sequence[NormPiece], rays: Sequence[NormRay]) -> Slopes:
    """Whether f is differentiable: by its directional derivatives, which would be linear in the direction."""
    if cancels(pieces):
        gradient = tuple(entry for row in pieces[0].by_inputs for entry in row)
        return Slopes(True, gradient)
    known = {ray.direction: ray.slopes for ray in rays}
    for direction, slopes in known.items():
        opposite = known.get(tuple(-x for x in direction))
        if opposite is not None and not same(tuple(-x for x in slopes), opposite):
            return Slopes(False, None)
    count = len(pieces[0].by_inputs[0])
    units = [tuple(_ONE if k == place else _ZERO for k in range(count)) for place in range(count)]
    if all(unit in known for unit in units):
        columns = [known[unit] for unit in units]
        for direction, slopes in known.items():
            linear = tuple(inner(direction, row) for row in zip(*columns, strict=True))
            if not same(linear, slopes):
                return Slopes(False, None)
    return Slopes(None, None, "whether the program is differentiable where a norm vanishes")


def cancels(pieces: Sequence[NormPiece]) -> bool:
    """Whether there is one piece, in which norms that are equal up to first order cancel.

    Then f(p + h) - f(p) is linear in h up to o(|h|), since |u(p + h)| = |Du h| + O(|h|**2).
    """
    first = pieces[0]
    if any(replace(piece, leaf=None) != replace(first, leaf=None) for piece in pieces):
        return False
    totals: list[tuple[_Form, list[Finite]]] = []
    for k, rows in enumerate(first.vectors):
        form = _form(rows)
        weights = [by_norms[k] for by_norms in first.by_norms]
        found = next((total for own, total in totals if _equal(own, form)), None)
        if found is None:
            totals.append((form, weights))
        else:
            found[:] = [plus(a, b) for a, b in zip(found, weights, strict=True)]
    return all(not form or all(map(vanishes, total)) for form, total in totals)


def _form(rows: Sequence[Sparse]) -> _Form:
    """The entries of Du' Du that are not 0."""
    found: _Form = {}
    for row in rows:
        for j, x in row:
            for k, y in row:
                found[j, k] = plus(found.get((j, k), _ZERO), times(x, y))
    return {places: x for places, x in found.items() if not vanishes(x)}


def _equal(one: _Form, other: _Form) -> bool:
    return one.keys() == other.keys() and same(tuple(one.values()), tuple(other[key] for key in one))
