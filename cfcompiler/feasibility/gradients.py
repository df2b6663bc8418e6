"""Gradients at the origin: what linear programming decides, with certificates.

If some d has d.grad h > 0 for all strict and weak conditions, the ray in the direction d runs in the set; with
equations of independent gradients and d.grad = 0 on them, a curve that d touches does (implicit functions). If all
conditions are affine, the set is a cone near the origin, and multipliers show that it is empty.
"""

from __future__ import annotations

from cfcompiler.feasibility.arcs import holds_along, ray
from cfcompiler.feasibility.conditions import Answer, Apart, Open, Relation, System, Touches
from cfcompiler.feasibility.directions import Multipliers, direction
from cfcompiler.feasibility.linear import independent
from cfcompiler.numbers import Finite


def by_gradients(system: System) -> Answer:
    """What the linear terms decide; everything where all conditions are affine. Raises numbers.Undecided."""
    affine = all(c.exact and c.jet.degree <= 1 for c in system.conditions)
    raised = _rows(system, ">") + ([] if affine else _rows(system, ">="))
    weak = _rows(system, ">=") if affine else []
    level = _rows(system, "=")
    if not raised:
        return Open("no strict condition")
    found = direction(raised, weak, level, dimension=system.variables)
    if isinstance(found, Multipliers):
        if affine:
            return Apart("multipliers of the gradients", "certificate")
        return Open("no direction raises all conditions")
    arc = ray(found.vector, (1,) * system.variables)
    if holds_along(system, arc):
        return Touches(arc, "gradients", "certificate")
    if level and independent(level):
        return Touches(None, "gradients, by implicit functions", "certificate")
    return Open("the gradients of the equations are dependent")


def _rows(system: System, relation: Relation) -> list[tuple[Finite, ...]]:
    return [c.jet.gradient() for c in system.conditions if c.relation == relation]
