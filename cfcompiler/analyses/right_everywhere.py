"""RightWhen at several points -> the tie rules for which AD is right at all of them, or that there are none.

Right is: the gradient where f has one, else an element of the Clarke subdifferential. Each point gives equations and
inequalities in the numbers of the rules; those of all points together are solved as those of one (rule_settings.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from cfcompiler import numbers
from cfcompiler.analyses.rule_algebra import read_polynomial
from cfcompiler.analyses.rule_polynomials import RuleUnknown
from cfcompiler.analyses.rule_settings import settings
from cfcompiler.polynomials import Polynomial, TooManyTerms
from cfcompiler.report import Relation, RightWhen, RuleNumber, Settings


def right_everywhere(points: Iterable[RightWhen]) -> Settings:
    """The settings that are right at all points. Kind "unknown", with the reason, where a point does not tell."""
    asked = [found.clarke if found.gradient is None else found.gradient for found in points]
    if any(one.kind == "none" for one in asked):
        return Settings("none")
    reason = next((one.reason for one in asked if one.kind == "unknown"), None)
    if reason is not None:
        return Settings("unknown", reason=reason)
    conditions = {one.conditions for one in asked if one.conditions}
    if len(conditions) == 1:  # only one point has a say
        return next(one for one in asked if one.conditions)
    parameters = {one.name: one for found in points for one in found.parameters}
    if any(one.position is not None for one in parameters.values()):
        return Settings(
            "unknown", reason="the weights of an extremum over many are by position, point by point"
        )
    unknowns = tuple(map(_unknown, sorted(parameters.values(), key=lambda one: one.name)))
    try:
        equations, inequalities = _conditions(asked, [one.name for one in unknowns])
        return settings(equations, inequalities, unknowns)
    except (numbers.Undecided, numbers.TooLarge, TooManyTerms, ValueError) as problem:
        return Settings("unknown", reason=str(problem))


def _unknown(one: RuleNumber) -> RuleUnknown:
    here = None if one.here is None else Fraction(one.here)
    return RuleUnknown(one.name, one.rule, here, Fraction(one.low), Fraction(one.high))


def _conditions(asked: Sequence[Settings], names: Sequence[str]) -> tuple[list[Polynomial], list[Polynomial]]:
    """Polynomials that are 0, and that are at least 0. Raises ValueError for an alternative."""
    equations, inequalities = [], []
    for relation in (relation for one in asked for relation in one.conditions):
        left, right = _sides(relation, names)
        if relation.kind == "Eq":
            equations.append(left - right)
        else:
            inequalities.append(right - left)
    return equations, inequalities


def _sides(relation: Relation, names: Sequence[str]) -> tuple[Polynomial, Polynomial]:
    if relation.kind not in ("Eq", "Le"):
        raise ValueError("the settings of one point have several parts, which are not put together")
    return read_polynomial(relation.left, names), read_polynomial(relation.right, names)
