"""Is the origin in the closure of a set given by signs? The procedures, in the order that decides soonest.

Each of them is sound alone; what none decides within the budget is `Open`. For polynomials the boxes (apart) and the
arcs (touches) would both be found in the end, but nobody knows how soon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cfcompiler.feasibility.conditions import Answer, Apart, Budget, Clock, Open, System, Touches
from cfcompiler.feasibility.curves import (
    FIRST_SHAPES,
    LAST_QUERY_SECONDS,
    QUERY_SECONDS,
    SHAPES,
    by_arcs,
)
from cfcompiler.feasibility.distance import by_distance
from cfcompiler.feasibility.elimination import by_elimination
from cfcompiler.feasibility.emptiness import by_boxes
from cfcompiler.feasibility.leading import by_forms, by_weighted_forms
from cfcompiler.feasibility.reduction import in_one_variable, reduced
from cfcompiler.numbers import TooLarge, Undecided
from cfcompiler.polynomials import TooManyTerms

Step = tuple[
    str, float, Callable[[System, Clock], Answer]
]  # a name, the largest share in seconds, the procedure


def touches(system: System, budget: Budget) -> Answer:
    """Whether the origin is in the closure of the set, with an arc where one was found."""
    clock = budget.start()
    try:
        small = reduced(system)
        if not isinstance(small, (Touches, Apart, Open)):
            answer = _decided(small.system, clock)
            if isinstance(answer, Touches) and answer.arc is not None:
                return Touches(small.lifted(answer.arc), answer.how, answer.trust)
            return answer
    except (TooManyTerms, TooLarge, Undecided) as problem:
        return Open(str(problem))
    return small


def _decided(system: System, clock: Clock) -> Answer:
    reasons: list[str] = []
    for name, seconds, procedure in _steps(system):
        if clock.over:
            reasons.append(f"{name}: out of time")
            break
        answer = procedure(system, clock.share(seconds))
        if not isinstance(answer, Open):
            return answer
        reasons.append(f"{name}: {answer.reason}")
    return Open("; ".join(reasons))


def _steps(system: System) -> Iterator[Step]:
    if system.variables <= 1:
        yield "leading terms", 1.0, lambda s, _: in_one_variable(s)
    ones = (1,) * system.variables
    yield "forms", 1.0, lambda s, clock: by_forms(s, ones, clock)
    yield "boxes", 0.6, by_boxes
    yield "weights", 2.0, by_weighted_forms
    yield "arcs", 3.0, lambda s, clock: by_arcs(s, SHAPES[:FIRST_SHAPES], QUERY_SECONDS, clock)
    yield "distance", 2.0, by_distance
    yield "boxes", 4.0, by_boxes
    yield "elimination", 4.0, by_elimination
    yield "arcs", 60.0, lambda s, clock: by_arcs(s, SHAPES, LAST_QUERY_SECONDS, clock)
