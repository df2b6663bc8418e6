"""The four weights of a weighing -> a conditional expression, as short as its cases allow.

weigh x 0 c; (0, 0, 1, 1) select   ->   0.0 if x <= 0.0 else c
"""

from __future__ import annotations

import re

from cfcompiler.arithmetic import nearest_float
from cfcompiler.ir import Gate, Number

BELOW, TIE, ABOVE, UNORDERED = range(4)

# Which cases a comparison of left and right holds in, simplest first.
_CONDITIONS: tuple[tuple[frozenset[int], str], ...] = (
    (frozenset({ABOVE}), "{l} > {r}"),
    (frozenset({BELOW}), "{l} < {r}"),
    (frozenset({TIE}), "{l} == {r}"),
    (frozenset({ABOVE, TIE}), "{l} >= {r}"),
    (frozenset({BELOW, TIE}), "{l} <= {r}"),
    (frozenset({ABOVE, BELOW, UNORDERED}), "{l} != {r}"),
    (frozenset({ABOVE, BELOW}), "{l} < {r} or {l} > {r}"),
    (frozenset({ABOVE, TIE, BELOW}), "{l} <= {r} or {l} > {r}"),
)


def term_of(weight: Number, term: str, factor: str, negated: str, gate: Gate) -> str:
    """The text of weight * term; `factor` is the text of the term as a factor, `negated` that of -term."""
    number = nearest_float(weight)
    if number == 0 and gate == "select":
        return "0.0"
    if number == 1:
        return term
    if number == -1:
        return negated
    if re.fullmatch(r"-?\d+\.\d+", term):
        return number_text(number * float(term))
    return f"{number_text(number)} * {factor}"


def number_text(number: float) -> str:
    """A float as Python writes it; inf and nan are names that the module imports from math."""
    return repr(number)


def cases_text(outcomes: tuple[str, str, str, str], left: str, right: str) -> str:
    """An expression with the value outcomes[case] in each case of the comparison of `left` and `right`."""
    groups: dict[str, set[int]] = {}
    for case, outcome in enumerate(outcomes):
        groups.setdefault(outcome, set()).add(case)
    text, cases = "", {BELOW, TIE, ABOVE, UNORDERED}
    while len(groups) > 1:
        # an outcome without the case UNORDERED has exactly the cases of one of the conditions
        condition, outcome = next(
            (condition, outcome)
            for held, condition in _CONDITIONS
            for outcome, own in groups.items()
            if held & cases == own
        )
        text += f"{outcome} if {condition.format(l=left, r=right)} else "
        cases -= groups.pop(outcome)
    return text + next(iter(groups))
