"""What AD returns as polynomials in the numbers of tie rules, the truth -> for which numbers AD is right.

It is the gradient where the polynomials equal it; it is in the Clarke subdifferential where they satisfy the equations
and inequalities of that hull. Source: theory S5.4 (iv).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from cfcompiler import numbers
from cfcompiler.analyses.field import seeds_of
from cfcompiler.analyses.judgement import Judgement
from cfcompiler.analyses.places import Inside, place_of
from cfcompiler.analyses.rule_algebra import polynomial_text
from cfcompiler.analyses.rule_polynomials import RulePolynomials, RuleUnknown, rule_polynomials
from cfcompiler.analyses.rule_settings import settings
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.feasibility.facets import Face, faces
from cfcompiler.ir import Program
from cfcompiler.number_text import to_text
from cfcompiler.numbers import Exact
from cfcompiler.polynomials import Polynomial, TooManyTerms, constant
from cfcompiler.report import RightWhen, Row, RuleNumber, Settings

MOST_DEGREE = 16  # of AD in the numbers of the rules, for which the settings are looked for
LONGEST = 1000  # letters of an irrational number, for which a hull is described by inequalities
Rows = Callable[[Sequence[Any]], tuple[Row, ...]]


def right_when(
    program: Program, point: Mapping[str, Any], ad: Sequence[Exact], judgement: Judgement, rows: Rows
) -> RightWhen:
    """The numbers of the rules tied at `point` for which AD is right; `rows` makes rows of a flat vector of texts."""
    try:
        found = rule_polynomials(program, point, list(seeds_of(program, EXACT)), ad)
    except Undecided as problem:
        unknown = Settings("unknown", reason=str(problem))
        gradient = None if judgement.differentiable is False else unknown
        return RightWhen((), (), None, gradient, unknown, str(problem))
    names = [one.name for one in found.unknowns]
    if max((one.degree for one in found.ad), default=0) > MOST_DEGREE:
        unknown = Settings(
            "unknown", reason=f"AD is a polynomial of a degree above {MOST_DEGREE} in the rules"
        )
        return RightWhen(
            tuple(map(_number, found.unknowns)),
            found.fixed,
            None,
            None if judgement.gradient is None else unknown,
            unknown,
        )
    return RightWhen(
        tuple(map(_number, found.unknowns)),
        found.fixed,
        rows([polynomial_text(one, names) for one in found.ad]),
        _asked(lambda: _gradient(found, judgement)),
        _asked(lambda: _clarke(found, judgement)) or Settings("unknown", reason="it has none"),
    )


def _number(one: RuleUnknown) -> RuleNumber:
    here = None if one.here is None else to_text(one.here)
    position = None if one.position is None else one.position + 1
    return RuleNumber(one.name, one.rule, here, to_text(one.low), to_text(one.high), position)


def _asked(question: Callable[[], Settings | None]) -> Settings | None:
    try:
        return question()
    except (Undecided, numbers.Undecided, numbers.TooLarge, TooManyTerms) as problem:
        return Settings("unknown", reason=str(problem))


def _gradient(found: RulePolynomials, judgement: Judgement) -> Settings | None:
    if judgement.gradient is None:
        if judgement.differentiable is False or judgement.verdict == "discontinuous":
            return None
        return Settings("unknown", reason=judgement.reason or "whether there is a gradient is not known")
    count = len(found.unknowns)
    equations = [one - constant(count, g) for one, g in zip(found.ad, judgement.gradient, strict=True)]
    return settings(equations, (), found.unknowns)


def _clarke(found: RulePolynomials, judgement: Judgement) -> Settings:
    if judgement.as_field:
        return Settings("unknown", reason="the Clarke subdifferential has too many corners to be written out")
    if not judgement.clarke_complete:
        return Settings(
            "unknown", reason=judgement.reason or "of the Clarke subdifferential only a part is known"
        )
    hull = judgement.clarke
    if all(one.degree <= 0 for one in found.ad):
        inside = isinstance(place_of([one.constant_term for one in found.ad], hull), Inside)
        return Settings("all" if inside else "none", example=() if inside else None)
    if any(_is_long(entry) for vertex in hull for entry in vertex):
        return Settings("unknown", reason="the numbers here are too long for inequalities between them")
    sides = faces(hull)
    if sides is None:
        return Settings("unknown", reason="the Clarke subdifferential has too many sides to be written out")
    equations = [_along(face, found.ad) for face in sides.equations]
    inequalities = [_along(face, found.ad) for face in sides.inequalities]
    return settings(equations, inequalities, found.unknowns)


def _is_long(number: Exact) -> bool:
    """Whether a number is irrational and so long that sums of products of it are of no use."""
    return not isinstance(number, Fraction | str) and len(to_text(number)) > LONGEST


def _along(face: Face, ad: Sequence[Polynomial]) -> Polynomial:
    """<normal, ad> + offset."""
    total = constant(ad[0].variables, face.offset)
    for factor, one in zip(face.normal, ad, strict=True):
        total = total + one.scaled(factor)
    return total
