"""Program, point -> D along the branch that runs, as base + a sum of segments, where the ties enter additively.

With one unknown weight for each written choice the backward program gives polynomials; where none of their monomials
has two unknowns, D is exactly base + [0,1] s_1 + ... + [0,1] s_k, with a segment for each choice. The rows of a
Jacobian share the choices. Source: theory S3.2, the remark on zonotopes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.analyses.open_weights import Form, Place, as_form, cotangents, unknown
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.feasibility.segments import SegmentSum
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Program

_ONE = Fraction(1)
_ORDERINGS = ("order", "argextremum", "cumargextremum")


class NotAdditive(ValueError):
    """The ties do not enter additively, or are of more than two pieces."""


def segments_at(
    program: Program, point: Mapping[str, Any], seeds: Sequence[Sequence[Any]]
) -> SegmentSum | None:
    """D at `point` as a sum of segments (vectors are the rows from each of `seeds`, joined), None where it is none.

    Segments that are zero are left out. D is that of the branch that runs at the point, as the sweep has it.
    """
    choices = _Choices()
    try:
        if _orderings_are_tied(program, point):
            return None
        rows = cotangents(program, point, seeds, choices)
        forms = [as_form(entry) for row in rows for entry in row]
    except (NotAdditive, Undecided):
        return None
    if any(form.degree > 1 for form in forms):
        return None
    base = tuple(form.coefficient() for form in forms)
    segments = [tuple(form.coefficient(name) for form in forms) for name in choices.names]
    return SegmentSum(base, tuple(segment for segment in segments if any(x != 0 for x in segment)))


@dataclass(slots=True)
class _Choices:
    """A weight in [0, 1] for each written choice between two."""

    names: dict[str, None] = field(default_factory=dict)

    def covers_kink(self, kink: str) -> bool:
        return True

    def covers_extremum(self, instruction: Apply) -> bool:
        return True

    def kink(self, kink: str, place: Place, piece: str) -> Form:
        name = f"{kink}{list(place)}"
        self.names[name] = None
        return unknown(name) if piece == "above" else unknown(name, -_ONE, _ONE)

    def extremum(self, instruction: Apply, place: Place, tied: Sequence[int]) -> Sequence[Form]:
        if len(tied) > 2:
            raise NotAdditive
        name = f"{instruction.args[1].name}{list(place)}"
        self.names[name] = None
        return [unknown(name), unknown(name, -_ONE, _ONE)]


def _orderings_are_tied(program: Program, point: Mapping[str, Any]) -> bool:
    """Whether an ordering, or a place of an extremum, had equal keys to tell apart: those are no mixtures of two."""
    tied = False

    def watch(instruction: Instruction, values: Mapping[str, Any]) -> None:
        nonlocal tied
        if isinstance(instruction, Apply) and instruction.op in _ORDERINGS:
            keys = np.moveaxis(values[instruction.args[0].name], instruction.attribute("axis"), 0)
            pairs = ((i, j) for i in range(len(keys)) for j in range(i))
            tied = tied or any(bool(np.any(EXACT.compare(keys[i], keys[j]) == 0)) for i, j in pairs)

    run(program, point, EXACT, watch)
    return tied
