"""Program, point -> the vertices of D there: one for each combination of choices at tied, reachable operations.

Kinks and orderings: the element sets of the rows, composed by the chain rule, one choice for each written operation.
Branches are not primitives (theory S3.3): besides the branch that runs at the point, those count whose region has
the point in its closure, thin ones too. Which they are is known from the pieces near the point (landscape.py) and from
running the program along arcs into the point, in exact series, which also gives limits where an arm is singular.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.analyses.additive import segments_at
from cfcompiler.analyses.arms import branches_of_guards, combinations_of_arms, tied_conditions
from cfcompiler.analyses.germs import GERMS
from cfcompiler.analyses.landscape import Landscape
from cfcompiler.analyses.rays import arcs_into, still
from cfcompiler.analyses.series import limit, normal
from cfcompiler.analyses.vertices import MOST_STATES, Sweep, TooManyChoices, exactly_tied
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.feasibility.segments import SegmentSum
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Program
from cfcompiler.number_text import to_text
from cfcompiler.numbers import is_special
from cfcompiler.polynomials import plus
from cfcompiler.primitives import TABLE
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import verify

MOST_SCALARS = 20_000
MOST_COMBINATIONS = 1 << 10
MOST_SEGMENTS = 10  # with more, D is a sum of segments where its vertices, joined, are more than
MOST_VERTICES = 1 << 10
MOST_TRIES = 12  # arcs tried for one combination of arms
_ZERO, _ONE = Fraction(0), Fraction(1)

Point = Mapping[str, Any]  # name -> array of exact numbers
Vertex = tuple[tuple[Any, ...], ...]  # for each output, the derivatives by all input entries


@dataclass(frozen=True, slots=True)
class Field:
    """The vertices of D at a point. `complete` is False with a `reason` where some may be missing.

    Where there are too many, and they are those of a sum of segments, `total` is it (rows joined), without vertices.
    """

    vertices: tuple[Vertex, ...]
    complete: bool
    reason: str
    total: SegmentSum | None = None


def backward_of(program: Program) -> Program:
    """The unrolled backward program of an unrolled program. Raises TooManyScalars."""
    return verify(tidy(scalarize(tidy(vjp(program)), MOST_SCALARS)))


def field_at(program: Program, point: Point, landscape: Landscape, backward: Program | None = None) -> Field:
    """D at `point`, which has an array of exact numbers for every parameter of the unrolled `program`.

    `landscape`: the pieces of the same program near the point. `backward`: its backward_of, where it is known already.
    """
    total = _total(program, point)
    many = total is not None and len(total.segments) > MOST_SEGMENTS
    try:
        backward = backward or backward_of(program)
    except TooManyScalars as problem:
        return field_of_large(program, point, str(problem))
    search = _Search(program, backward, point, landscape, MOST_VERTICES if many else MOST_STATES)
    try:
        search.at_the_point()
        complete, reason = search.beside_the_point()
    except TooManyChoices as problem:
        if many:
            return Field((), True, "", total)
        complete, reason = False, str(problem)
    except Undecided as problem:
        complete, reason = False, str(problem)
    return Field(tuple(sorted(search.found, key=_order)), complete, reason)


def field_of_large(program: Program, point: Point, reason: str) -> Field:
    """D of a program that is too large to be unrolled, for the `reason`: known where it is a sum of segments."""
    total = _total(program, point)
    if total is None:
        return Field((), False, reason)
    if len(total.segments) > MOST_SEGMENTS:
        return Field((), True, "", total)
    return _expanded(total, len(list(seeds_of(program, EXACT))))


def _total(program: Program, point: Point) -> SegmentSum | None:
    """D as a sum of segments, where the branch that runs is the only one."""
    try:
        if tied_conditions(program, point):
            return None
        return segments_at(program, point, list(seeds_of(program, EXACT)))
    except Undecided:
        return None  # what is undecided is told by the search


def _expanded(total: SegmentSum, rows: int) -> Field:
    """All sums of some of the segments."""
    found = {total.base: None}
    for segment in total.segments:
        found.update({tuple(map(plus, vertex, segment)): None for vertex in list(found)})
    width = len(total.base) // rows
    vertices = [tuple(flat[k * width : (k + 1) * width] for k in range(rows)) for flat in found]
    return Field(tuple(sorted(vertices, key=_order)), True, "")


def _order(vertex: Vertex) -> tuple[Any, ...]:
    """Rational vertices in lexicographic order, others by their text."""
    return tuple(
        (0, entry, "") if isinstance(entry, Fraction) else (1, _ZERO, to_text(entry))
        for row in vertex
        for entry in row
    )


def seeds_of(program: Program, arithmetic: Any) -> Iterator[list[Any]]:
    """For each entry of the results, the cotangents of all results: 1 there, 0 elsewhere."""
    for place, value in enumerate(program.results):
        for entry in np.ndindex(value.shape):
            seeds = [filled(result.shape, arithmetic.number(_ZERO)) for result in program.results]
            seeds[place][entry] = arithmetic.number(_ONE)
            yield seeds


def filled(shape: tuple[int, ...], number: Any) -> Any:
    """An object array of one number."""
    out = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        out[place] = number
    return out


def has_a_pole(backward: Program, values: Mapping[str, Any]) -> bool:
    """Whether a row of the table gave inf or NaN from finite arguments."""
    for instruction in backward.instructions:
        if not isinstance(instruction, Apply) or TABLE[instruction.op].kind not in (
            "elementwise",
            "reduction",
        ):
            continue
        names = [instruction.out.name, *(arg.name for arg in instruction.args)]
        if all(name in values for name in names):
            special = [any(is_special(x) for x in np.reshape(values[name], -1)) for name in names]
            if special[0] and not any(special[1:]):
                return True
    return False


class _Search:
    """The vertices found so far: the choices of the branches outside, those of the kinks inside."""

    def __init__(
        self, program: Program, backward: Program, point: Point, landscape: Landscape, most_states: int
    ) -> None:
        self.program = program
        self.most_states = most_states
        self.backward = backward
        self.point = point
        self.landscape = landscape
        self.until = landscape.until
        self.found: dict[Vertex, None] = {}
        self.branches = branches_of_guards(program)
        self.guards = list(self.branches)

    def at_the_point(self) -> None:
        """Vertices on the path that runs at the point itself."""
        self.found.update(self._vertices(self.point, EXACT, exactly_tied, lambda entry: entry, {})[0])

    def _vertices(
        self,
        inputs: Point,
        arithmetic: Any,
        tied: Callable[[Any, Any], bool],
        read: Callable[[Any], Any],
        forced: Mapping[str, bool],
    ) -> tuple[dict[Vertex, None], Mapping[str, Any]]:
        """The vertices of one sweep, and the values on which it rests."""
        outputs = len(self.program.results)
        names = [param.value.name for param in self.backward.params[len(self.backward.params) - outputs :]]
        rows = [dict(zip(names, seeds, strict=True)) for seeds in seeds_of(self.program, arithmetic)]
        sweep = Sweep(self.backward, inputs, arithmetic, tied, forced, self.most_states, self.until)
        found: dict[Vertex, None] = {}
        for jacobian in sweep.jacobians(rows):
            vertex = tuple(
                tuple(
                    read(entry)
                    for value in self.backward.results[outputs:]
                    for entry in np.reshape(row[value.name], -1)
                )
                for row in jacobian
            )
            found[vertex] = None
        return found, sweep.primal

    def beside_the_point(self) -> tuple[bool, str]:
        """Vertices with the arms whose regions touch the point. Returns (complete, reason)."""
        if not tied_conditions(self.program, self.point):
            return True, ""
        here = run(self.program, self.point, EXACT)
        met = [{name: bool(here[name]) for name in self.guards if name in here}]
        arcs = list(self._followed())
        met.extend(taken for _, taken in arcs)
        unknown = ""
        if self.landscape.limits is None:
            problem = self.landscape.problem
            unknown = "" if self._inputs() == 1 or problem is None else problem.reason
        uncertain: list[dict[str, bool]] = []
        for arms, doubt in self.landscape.arms():
            (uncertain if doubt else met).append(arms)
        if any(not self._covered(arms, met) for arms in uncertain):
            unknown = unknown or "a branch that is tied here may or may not touch the point"
        undecided = ""
        for forced in combinations_of_arms(self.branches, met, MOST_COMBINATIONS):
            undecided = undecided or self._with_arms(forced, arcs)
        reason = undecided or unknown
        return not reason, reason

    def _followed(self) -> Iterator[tuple[Point, dict[str, bool]]]:
        """Arcs into the point with the arms that the program takes on them."""
        for arc in (*arcs_into(self.program, self.point), *self._proposed()):
            try:
                values = run(self.program, arc, GERMS, lenient=True)
            except Undecided:
                continue
            yield arc, {name: bool(values[name]) for name in self.guards if name in values}

    def _proposed(self) -> Iterator[Point]:
        """The arcs of the landscape, slowed down to even powers of t, so that square roots have series."""
        coordinates = self.landscape.pieces.near.coordinates
        for found in self.landscape.arcs():
            moved = {name: still(self.point[name]) for name in self.point}
            for (name, place), terms in zip(coordinates, found.coefficients, strict=True):
                powers = dict(terms)
                last = max(powers, default=0)
                slowed = [self.point[name][place]]
                for k in range(1, last + 1):
                    slowed += [_ZERO, powers.get(k, _ZERO)]
                moved[name][place] = normal(0, slowed, True)
            yield moved

    def _covered(self, arms: Mapping[str, bool], met: Sequence[Mapping[str, bool]]) -> bool:
        """Whether every arm of a path is met, with those that it stands in, on a path that touches the point."""
        for guard, outcome in arms.items():
            needed = {**dict(self.branches.get(guard, ())), guard: outcome}
            if not any(all(m.get(name) == truth for name, truth in needed.items()) for m in met):
                return False
        return True

    def _with_arms(self, forced: Mapping[str, bool], arcs: Sequence[tuple[Point, Mapping[str, bool]]]) -> str:
        """Vertices for one combination of arms. Returns what remained undecided.

        It is followed at the point, where its arms are regular there (each written selection chooses for itself, so
        no arc need take it); else along the arcs that take it, where its arms may have a limit.
        """
        own = [
            arc
            for arc, taken in arcs
            if all(taken.get(name, truth) == truth for name, truth in forced.items())
        ]
        try:
            if not self._at_the_point_under(forced):
                return self._along(own[:MOST_TRIES], forced)
        except Undecided as failure:
            return str(failure)
        return ""

    def _at_the_point_under(self, forced: Mapping[str, bool]) -> bool:
        """Vertices with these arms, at the point itself; False where an arm is singular there."""
        found, values = self._vertices(self.point, EXACT, exactly_tied, lambda entry: entry, forced)
        if has_a_pole(self.backward, values) or any(
            is_special(x) for vertex in found for row in vertex for x in row
        ):
            return False
        self.found.update(found)
        return True

    def _along(self, arcs: Sequence[Point], forced: Mapping[str, bool]) -> str:
        """Limits along each of the arcs. Returns what remains undecided: with several inputs, other arcs."""
        if not arcs:
            return "an arm is singular here, in a combination of branches that no arc takes"
        for arc in arcs:
            self.found.update(self._vertices(arc, GERMS, GERMS.tied, limit, forced)[0])
        return (
            ""
            if self._inputs() == 1
            else "an arm is singular here, and its limit was followed along some arcs only"
        )

    def _inputs(self) -> int:
        return sum(
            int(np.size(self.point[param.value.name]))
            for param in self.program.params
            if param.differentiable
        )
