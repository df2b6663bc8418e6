"""What AD returns on a region and the gradients that meet there -> the word that holds at all of its points."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from cfcompiler import numbers
from cfcompiler.analyses.general_pieces import Meeting, Vector
from cfcompiler.analyses.places import Inside, place_of
from cfcompiler.feasibility.quotients import Entry, Ratio
from cfcompiler.feasibility.region import Open, Region, Split
from cfcompiler.numbers import Finite, is_special

_ZERO = Fraction(0)


class Words:
    """Verdicts on regions of one program."""

    def __init__(self, meeting: Meeting) -> None:
        self.meeting = meeting
        self.walk = meeting.walk
        self.regions = meeting.regions

    def verdict(
        self, region: Region, ad: Vector, gradients: Sequence[Vector], gradient: Vector | None
    ) -> str:
        if gradient is not None and self.meeting.equal(region, ad, gradient):
            return "exact"
        if len(gradients) == 1:
            return "spurious"
        return self._in_hull(region, ad, gradients, "clarke" if gradient is None else "inexact")

    def _in_hull(self, region: Region, ad: Vector, gradients: Sequence[Vector], inside_word: str) -> str:
        """The word for a vector in the hull, or "spurious". Raises Split, Open."""
        split: Split | None = None
        for gradient in gradients:
            try:
                if self.meeting.equal(region, ad, gradient):
                    return inside_word
            except Split as found:
                split = split or found
        if self._combined(region, ad, gradients):
            return inside_word
        gaps = [self.meeting.minus(ad, gradient) for gradient in gradients]
        inside = self.meeting.zero_inside(region, gaps, 3.0)
        if inside != "sometimes":
            return inside_word if inside == "always" else "spurious"
        if split is not None:
            raise split
        for gap in gaps:
            for entry in gap:
                self.regions.sign(region, self.walk.parts(entry)[0])
        raise Open("AD returns an element of the Clarke subdifferential at some points and not at others")

    def _combined(self, region: Region, ad: Vector, gradients: Sequence[Vector]) -> bool:
        """Whether the weights that fit at one point fit at all."""
        if not region.points:
            return False
        point = region.points[0]
        try:
            target, *rows = ([self.value(entry, point) for entry in vector] for vector in (ad, *gradients))
            place = place_of(target, [tuple(row) for row in rows])
        except numbers.Undecided:
            return False
        if not isinstance(place, Inside):
            return False
        weights = dict(zip(place.points, place.weights, strict=True))
        total, left = ad, Fraction(1)
        for gradient, row in zip(gradients, rows, strict=True):
            weight = weights.pop(tuple(row), _ZERO)
            if not isinstance(weight, Fraction):
                return False
            left -= weight
            share = tuple(self.walk.elementary.field.mul(entry, weight) for entry in gradient)
            total = self.meeting.minus(total, share)
        return left == 0 and all(
            self.regions.reduced(region, self.walk.parts(entry)[0]).is_zero() for entry in total
        )

    def value(self, entry: Entry, point: Sequence[Finite]) -> Finite:
        """The value of a finite entry at a point where it has one. Raises numbers.Undecided."""
        if not isinstance(entry, Ratio):
            return entry
        functions = self.walk.functions
        value = numbers.div(functions.value(entry.above, point), functions.value(entry.below, point))
        assert not is_special(value)
        return value
