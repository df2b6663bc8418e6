"""A region on which the pieces are known -> D on it, and where 0 is in its hull but not in the Clarke subdifferential.

Source: theory S5.2. D itself is found by general_field.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from cfcompiler.analyses.affine_walk import OutsideTheEngine
from cfcompiler.analyses.general_field import Fields
from cfcompiler.analyses.general_pieces import Meeting, Vector
from cfcompiler.feasibility.conditions import Constraint
from cfcompiler.feasibility.quotients import Poly
from cfcompiler.feasibility.region import Open, Region
from cfcompiler.feasibility.restriction import on_region
from cfcompiler.polynomials import widened

SECONDS_FOR_FLAGS = 1.0


class Criticality:
    """Questions about D on regions."""

    def __init__(self, meeting: Meeting) -> None:
        self.meeting = meeting
        self.walk = meeting.walk
        self.regions = meeting.regions
        self.fields = Fields(meeting)

    def field(self, region: Region, ad: Vector) -> tuple[Vector, ...] | None:
        """Vectors with the hull of D on a thin region; None where they are not known. Raises Split."""
        try:
            return self.fields.on(region, ad)
        except (Open, OutsideTheEngine):
            return None

    def _on(self, region: Region, vector: Vector) -> Vector:
        return tuple(on_region(self.regions, region, entry) for entry in vector)

    def artificial(
        self, region: Region, field: tuple[Vector, ...] | None, gradients: Sequence[Vector]
    ) -> bool | None:
        """Whether 0 is in the hull of D and not in that of the limiting gradients. Raises Split."""
        gradients = tuple(dict.fromkeys(self._on(region, vector) for vector in gradients))
        if field is not None:
            field = tuple(dict.fromkeys(self._on(region, vector) for vector in field))
            if all(any(self._same(region, one, other) for other in gradients) for one in field):
                return False
        try:
            if field is None:
                inside = self.meeting.zero_inside(region, gradients, SECONDS_FOR_FLAGS)
                return False if inside == "always" else None
            extra = len(field) + len(gradients[0])
            both = [
                *_widened(self.meeting.holding(region, field), len(gradients[0])),
                *self.meeting.parting(region, gradients, len(field)),
            ]
            found = self.regions.model(region, both, extra, SECONDS_FOR_FLAGS)
            if found is None:
                return False
            self._isolate(region, field, gradients)
            return True
        except Open:
            return None

    def _same(self, region: Region, one: Vector, other: Vector) -> bool:
        """Whether it is plain that two vectors are equal on the region."""
        for poly in self.meeting.difference(one, other):
            left = self.regions.reduced(region, poly)
            for equation in region.rest:
                left = divmod(left, equation)[1]
            if not left.is_zero():
                return False
        return True

    def _isolate(self, region: Region, field: Sequence[Vector], gradients: Sequence[Vector]) -> None:
        """Raises Split where artificial critical points are a part of the region only, Open where it is not known."""
        inside = self.meeting.zero_inside(region, field, SECONDS_FOR_FLAGS)
        if inside == "always":
            outside = self.meeting.zero_inside(region, gradients, SECONDS_FOR_FLAGS)
            if outside == "never":
                return
        if self._collinear(region, field):
            minors = list(self._minors(field[0], self.meeting.minus(field[-1], field[0])))
            self.regions.vanish(region, minors)
        for vectors in (field, gradients):
            for one, other in combinations(vectors, 2):
                self.regions.sign(region, self._product(one, other))
        raise Open("which points are artificial critical was not decided")

    def _collinear(self, region: Region, field: Sequence[Vector]) -> bool:
        """Whether it is plain that D lies on a line."""
        if len(field) < 2:
            return False
        along = self.meeting.minus(field[-1], field[0])
        return all(
            self.regions.reduced(region, minor).is_zero()
            for vector in field[1:-1]
            for minor in self._minors(self.meeting.minus(vector, field[0]), along)
        )

    def _minors(self, one: Vector, other: Vector) -> Iterator[Poly]:
        """Polynomials that vanish where two vectors are parallel."""
        for (a, b), (c, d) in combinations(list(zip(one, other, strict=True)), 2):
            (ap, aq), (bp, bq) = self.walk.parts(a), self.walk.parts(b)
            (cp, cq), (dp, dq) = self.walk.parts(c), self.walk.parts(d)
            yield ap * dp * bq * cq - bp * cp * aq * dq

    def _product(self, one: Vector, other: Vector) -> Poly:
        """A polynomial with the sign of the scalar product."""
        unit = self.walk.functions.one
        above, below = unit * 0, unit
        for a, b in zip(one, other, strict=True):
            (ap, aq), (bp, bq) = self.walk.parts(a), self.walk.parts(b)
            above, below = above * (aq * bq) + ap * bp * below, below * (aq * bq)
        return above * below


def _widened(formulas: Sequence[object], extra: int) -> list[Constraint]:
    found = []
    for part in formulas:
        assert isinstance(part, Constraint)
        found.append(Constraint(widened(part.polynomial, part.polynomial.variables + extra), part.relation))
    return found
