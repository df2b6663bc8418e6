"""A stratification of affine pieces -> what is true on each face, and the word for what AD returns there.

On a face nothing changes: its points are in the closure of the same open cells, so the limiting gradients are those of
these cells, at every point of it (theory S6, Theorem A; a cell is met along an open set of rays, so f is differentiable
exactly where all of them agree). Two pieces agree on a face exactly where their difference is 0 at its vertices; a
stratum on which it vanishes on a part is divided (`divisions`). What jumps on a face jumps near all of its closure.

D: on open cells it holds the gradient alone, since there every value has the derivative of its function. Where the tied
switches have independent gradients its hull is that of the limiting gradients (theory S6, Theorem C). Otherwise its
vertices are searched for at the witness; they are the same at all points, for the backward program runs alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from time import monotonic
from typing import Any

from cfcompiler.analyses.affine_forms import Entry, difference, gradient_of, integers
from cfcompiler.analyses.affine_walk import ProgramWalk, State
from cfcompiler.analyses.continuity import CONTINUOUS, Continuity
from cfcompiler.analyses.descent import inputs_at
from cfcompiler.analyses.field import MOST_SCALARS, Field, backward_of, field_at
from cfcompiler.analyses.judgement import Judgement, judged, unjudged
from cfcompiler.analyses.landscape import Effort, Landscape, landscape_at
from cfcompiler.analyses.limits import Gradients, Slopes, Vector
from cfcompiler.analyses.pieces import Pieces
from cfcompiler.analyses.places import Inside, place_of
from cfcompiler.analyses.strata_places import form_text, side_of
from cfcompiler.analyses.truth import from_inside
from cfcompiler.feasibility.faces import Face, Stratification, Stratum
from cfcompiler.feasibility.lattice import Integers
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select
from cfcompiler.numbers import Exact, is_special
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize
from cfcompiler.transforms.tidy import tidy

SECONDS_A_FIELD = 5.0


@dataclass(frozen=True, slots=True)
class Found:
    """A stratum, or a part of one, on which everything that is said holds. `stratum` describes the set."""

    stratum: Stratum[State]
    ad: tuple[Exact, ...]
    judgement: Judgement
    outputs: tuple[Entry, ...]


class Truth:
    """What is true on the faces of a stratification."""

    def __init__(self, walk: ProgramWalk, strata: Stratification[State], end: float) -> None:
        self.walk = walk
        self.program = walk.program
        self.strata = strata
        self.end = end
        self.outputs = [walk.outputs(stratum.state) for stratum in strata.strata]
        self.dimension = walk.inputs.dimension
        self.gradients: dict[int, Vector] = {}
        self.known: dict[Any, Judgement] = {}
        self.joined = _joins(self.program, walk.still)
        self.jumping = self._jumping() if self.joined else {}
        self.near_jumps = self._near_jumps()
        self._unrolled: tuple[Program, Program] | str | None = None

    def found(self, stratum: Stratum[State]) -> Iterator[Found]:
        """The stratum judged, in one piece where the same holds on all of its faces."""
        ad = self.walk.derivative(stratum.state)
        outputs = self.outputs[stratum.index]
        faces = [self.strata.faces[place] for place in stratum.faces]
        judgements = [self._judged(_part(stratum, face), face, ad) for face in faces]
        if len(faces) == 1 or all(_statement(one) == _statement(judgements[0]) for one in judgements):
            yield Found(stratum, ad, judgements[-1], outputs)
            return
        for face, judgement in zip(faces, judgements, strict=True):
            yield Found(_part(stratum, face), ad, judgement, outputs)

    # continuity

    def divisions(self) -> dict[tuple[Any, ...], tuple[Integers, ...]]:
        """By the path of a stratum, functions by which it is to be divided."""
        if not self.joined:
            return {}
        wanted: dict[tuple[Any, ...], dict[Integers, None]] = {}
        for face in self.strata.faces:
            for function in self._differences(face):
                if side_of(function, face.vertices) is None:
                    path = self.walk.path(self.strata.strata[face.stratum].state)
                    wanted.setdefault(path, {})[function] = None
        return {path: tuple(functions) for path, functions in wanted.items()}

    def divided(self, divisions: Collection[tuple[Any, ...]]) -> set[int]:
        """The strata of these paths, and all of which a verdict may depend on how they are divided."""
        paths = {s.index for s in self.strata.strata if self.walk.path(s.state) in divisions}
        if self.program.assertions:  # what touches what may be hidden by what is outside of the domain
            return {
                s.index for s in self.strata.strata if s.dimension < self.strata.dimension or s.index in paths
            }
        waiting = [face.index for face in self.strata.faces if face.stratum in paths]
        met: set[int] = set()
        while waiting:
            place = waiting.pop()
            if place not in met:
                met.add(place)
                waiting += self.strata.faces[place].facets
        return {self.strata.faces[place].stratum for place in met}

    def _differences(self, face: Face) -> Iterator[Integers]:
        """Own value minus that of each piece that touches the face, where they are not the same function."""
        own = self.outputs[face.stratum]
        for cell in face.cells:
            for x, y in zip(own, self.outputs[cell], strict=True):
                if x != y and not isinstance(x, str) and not isinstance(y, str):
                    yield integers(difference(x, y), self.dimension)

    def _jumping(self) -> dict[int, int]:
        """The faces at whose points the program jumps, with a cell that has another value there."""
        found: dict[int, int] = {}
        for face in self.strata.faces:
            own = self.outputs[face.stratum]
            for cell in face.cells:
                if own != self.outputs[cell] and not self._agree(own, self.outputs[cell], face):
                    found[face.index] = cell
                    break
        return found

    def _agree(self, own: Sequence[Entry], other: Sequence[Entry], face: Face) -> bool:
        for x, y in zip(own, other, strict=True):
            if x == y:
                continue
            if isinstance(x, str) or isinstance(y, str):
                return False
            if side_of(integers(difference(x, y), self.dimension), face.vertices) != 0:
                return False
        return True

    def _near_jumps(self) -> set[int]:
        """Faces in the closure of a face that jumps. (Where the domain has holes, the chain of cofaces may be broken,
        so closures are compared themselves.)"""
        found: set[int] = set()
        waiting = [self.strata.faces[place] for place in self.jumping]
        if self.program.assertions:
            for face in self.strata.faces:
                if any(_in_closure(face, other) for other in waiting):
                    found.add(face.index)
            return found
        while waiting:
            for place in waiting.pop().facets:
                if place not in found:
                    found.add(place)
                    waiting.append(self.strata.faces[place])
        return found

    # the word

    def _judged(self, part: Stratum[State], face: Face, ad: tuple[Exact, ...]) -> Judgement:
        own = self.outputs[face.stratum]
        if any(isinstance(entry, str) for entry in own):
            return unjudged("undefined", ad, (), False, "the program has no finite value here")
        if not face.cells:
            reason = "the domain that the program asserts has no interior here"
            return unjudged("unknown", ad, (), False, reason)
        if face.index in self.jumping:
            return self._jump(face, ad)
        if any(isinstance(entry, str) for cell in face.cells for entry in self.outputs[cell]):
            return unjudged("discontinuous", ad, (), False, "the program has no finite value beside it")
        gradients = tuple(sorted({self.gradient(cell) for cell in face.cells}))
        continuity = CONTINUOUS
        if face.index in self.near_jumps:
            continuity = Continuity("jumps nearby", "the program jumps at points arbitrarily near")
        key = (ad, gradients, continuity.kind)
        if key not in self.known:
            smooth = len(gradients) == 1
            slopes = Slopes(smooth, gradients[0] if smooth else None)
            known = Gradients(gradients, (), "certificate")
            self.known[key] = judged(ad, (), False, known, slopes, continuity)
        judgement = self._with_field(part, self.known[key])
        return from_inside(judgement) if face.edge else judgement

    def _jump(self, face: Face, ad: tuple[Exact, ...]) -> Judgement:
        names = self.walk.inputs.coordinates
        here, beside = (
            ", ".join(form_text(entry, names) for entry in self.outputs[place])
            for place in (face.stratum, self.jumping[face.index])
        )
        reason = f"the program jumps: its value here is {here}, and {beside} is approached beside it"
        return unjudged("discontinuous", ad, (), False, reason)

    def gradient(self, cell: int) -> Vector:
        """The derivatives of a full-dimensional stratum, output after output."""
        if cell not in self.gradients:
            self.gradients[cell] = tuple(
                slope for entry in self.outputs[cell] for slope in gradient_of(entry, self.dimension)
            )
        return self.gradients[cell]

    # the field

    def _with_field(self, part: Stratum[State], judgement: Judgement) -> Judgement:
        """The judgement, with whether 0 is in conv D: D is searched for only where that does not follow."""
        if judgement.clarke_critical is not False:
            return judgement
        if part.dimension == self.strata.dimension or self._independent(part.state):
            return replace(judgement, field_critical=False, artificial_critical=False)
        field = self._searched(part)
        vertices = [tuple(entry for row in vertex for entry in row) for vertex in field.vertices]
        finite = [vertex for vertex in vertices if not any(is_special(entry) for entry in vertex)]
        place = place_of((Fraction(0),) * len(judgement.clarke[0]), finite)
        if isinstance(place, Inside):
            return replace(judgement, field_critical=True, artificial_critical=True, field_place=place)
        if field.complete and finite and len(finite) == len(vertices):
            return replace(judgement, field_critical=False, artificial_critical=False, field_place=place)
        reason = judgement.reason or field.reason or "D holds what is not finite"
        return replace(judgement, reason=reason)

    def _tied(self, state: State) -> Iterator[tuple[Instruction, Integers | None]]:
        for guard, function, sign in self.walk.guards(state):
            if sign == 0:
                yield self.program.instructions[guard.instruction], function

    def _independent(self, state: State) -> bool:
        """Whether the tied switches have independent gradients and none is an equality or a step."""
        rows: list[Integers] = []
        for instruction, function in self._tied(state):
            thin = isinstance(instruction, Apply) and (
                instruction.op in ("equal", "not_equal") or TABLE[instruction.op].jumps
            )
            if thin or function is None:
                return False
            rows.append(function[1:])
        return _rank(rows) == len(rows)

    def _searched(self, part: Stratum[State]) -> Field:
        programs = self._scalars()
        if isinstance(programs, str):
            return Field((), False, programs)
        unrolled, backward = programs
        point = inputs_at(self.walk.inputs.arrays, self.walk.inputs.coordinates, part.witness)
        left = self.end - monotonic()
        if left <= 0:
            return Field((), False, "the time is up")
        branches = any(
            isinstance(instruction, Apply) and instruction.op in COMPARISONS
            for instruction, _ in self._tied(part.state)
        )
        if any(
            isinstance(instruction, Apply) and TABLE[instruction.op].jumps
            for instruction, _ in self._tied(part.state)
        ):
            return Field((), False, "D is not known where a step jumps")
        if branches:
            landscape = landscape_at(unrolled, point, Effort(min(SECONDS_A_FIELD, left)))
        else:
            landscape = Landscape(Pieces(unrolled, point), None)
        return field_at(unrolled, point, landscape, backward)

    def _scalars(self) -> tuple[Program, Program] | str:
        """The unrolled program and its backward program, or why there are none."""
        if self._unrolled is None:
            try:
                unrolled = tidy(scalarize(tidy(self.program), MOST_SCALARS))
                self._unrolled = unrolled, backward_of(unrolled)
            except TooManyScalars as problem:
                self._unrolled = str(problem)
        return self._unrolled


def _part(stratum: Stratum[State], face: Face) -> Stratum[State]:
    """A face, as a stratum of its own."""
    if len(stratum.faces) == 1:
        return stratum
    return Stratum(
        stratum.index,
        face.dimension,
        stratum.state,
        stratum.boundary,
        (face.index,),
        face.cells,
        face.vertices,
        face.cuts,
        stratum.trail,
    )


def _statement(judgement: Judgement) -> tuple[Any, ...]:
    """What is said of a stratum."""
    return (
        judgement.verdict,
        judgement.reason,
        judgement.gradient,
        judgement.clarke,
        judgement.ad_critical,
        judgement.artificial_critical,
    )


def _joins(program: Program, still: set[str]) -> bool:
    """Whether some instruction may jump: a branch, a step, a place in an order."""
    for instruction in program.instructions:
        if instruction.out.name in still or isinstance(instruction, Kink):
            continue
        if isinstance(instruction, Select) or TABLE[instruction.op].jumps:
            return True
        if instruction.op in ("order", "argextremum", "cumargextremum", "to_real"):
            return True
    return False


def _in_closure(face: Face, other: Face) -> bool:
    """Whether a face is in the closure of another one."""
    if face.dimension >= other.dimension:
        return False
    for function, sign in other.conditions:
        own = side_of(function, face.vertices)
        if own is None or own * sign < 0 or (sign == 0 and own != 0):
            return False
    return True


def _rank(rows: Sequence[Integers]) -> int:
    echelon: list[tuple[int, list[Fraction]]] = []
    for row in rows:
        rest = [Fraction(entry) for entry in row]
        for lead, known in echelon:
            if rest[lead]:
                factor = rest[lead] / known[lead]
                rest = [a - factor * b for a, b in zip(rest, known, strict=True)]
        found = next((place for place, entry in enumerate(rest) if entry), None)
        if found is not None:
            echelon.append((found, rest))
    return len(echelon)
