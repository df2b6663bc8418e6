"""Is the origin in the closure of a set given by signs? The procedures, in the order that decides soonest.

Each of them is sound alone; what none decides within the budget is `Open`. For polynomials the boxes (apart) and the
arcs (touches) would both be found in the end, but nobody knows how soon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cfcompiler.feasibility.arcs import in_the_set
from cfcompiler.feasibility.blowups import by_blowing_up
from cfcompiler.feasibility.conditions import (
    Answer,
    Apart,
    Budget,
    Clock,
    Open,
    OutOfTime,
    System,
    Touches,
    Trust,
)
from cfcompiler.feasibility.curves import (
    FIRST_SHAPES,
    LAST_QUERY_SECONDS,
    QUERY_SECONDS,
    SHAPES,
    STRAIGHT_SHAPES,
    by_arcs,
)
from cfcompiler.feasibility.distance import by_distance
from cfcompiler.feasibility.elimination import by_elimination
from cfcompiler.feasibility.emptiness import by_boxes, certified
from cfcompiler.feasibility.factors import branches, simplified
from cfcompiler.feasibility.gradients import by_gradients
from cfcompiler.feasibility.graphs import on_graph
from cfcompiler.feasibility.leading import by_forms, by_weighted_forms
from cfcompiler.feasibility.reduction import (
    Reduced,
    contradictory,
    in_one_variable,
    modulo_equations,
    reduced,
)
from cfcompiler.feasibility.second_order import by_second_order
from cfcompiler.feasibility.straightening import by_straightening
from cfcompiler.numbers import TooLarge, Undecided
from cfcompiler.polynomials import TooManyTerms

Step = tuple[
    str, float, Callable[[System, Clock], Answer]
]  # a name, the largest share in seconds, the procedure


def touches(system: System, budget: Budget) -> Answer:
    """Whether the origin is in the closure of the set, with an arc where one was found."""
    return _answer(system, budget.start())


def _answer(system: System, clock: Clock) -> Answer:
    try:
        small = reduced(system)
        if not isinstance(small, Reduced):
            return small
        answer = _of_reduced(small.system, clock)
        if isinstance(answer, Touches) and answer.arc is not None:
            return replace(answer, arc=small.lifted(answer.arc))
    except (TooManyTerms, TooLarge, Undecided, OutOfTime) as problem:
        return Open(str(problem))
    return answer


def _of_reduced(system: System, clock: Clock) -> Answer:
    simple = simplified(modulo_equations(system.conditions))
    if simple != system.conditions:
        answer = _answer(replace(system, conditions=simple), clock)
        if isinstance(answer, Touches) and answer.arc is not None:
            return replace(answer, arc=in_the_set(system, answer.arc))
        return answer
    parts = branches(simple)
    if len(parts) > 1:
        return _of_union([replace(system, conditions=part) for part in parts], clock)
    if contradictory(simple):
        return Apart("two conditions exclude each other", "certificate")
    graph = _graph(system, clock.share(clock.left / 4))
    if graph is not None:
        answer = _answer(graph, clock.share(clock.left / 2))
        if isinstance(answer, Touches):
            return Touches(None, f"{answer.how}, on a graph", answer.trust)
        if isinstance(answer, Apart):
            return Apart(f"{answer.how}, on a graph", answer.trust)
    return _searched(system, clock)


def _graph(system: System, clock: Clock) -> System | None:
    """On a graph of an equation; None where that is not known, or too large."""
    try:
        return on_graph(system, clock)
    except (TooManyTerms, TooLarge, Undecided, OutOfTime):
        return None


def _of_union(systems: Sequence[System], clock: Clock) -> Answer:
    answers: list[Answer] = []
    for tried, system in enumerate(systems):
        answer = _answer(system, clock.share(clock.left / (len(systems) - tried)))
        if isinstance(answer, Touches):
            return answer
        answers.append(answer)
    reasons = [answer.reason for answer in answers if isinstance(answer, Open)]
    if reasons:
        return Open("; ".join(dict.fromkeys(reasons)))
    apart = [answer for answer in answers if isinstance(answer, Apart)]
    trust: Trust = "solver" if any(answer.trust == "solver" for answer in apart) else "certificate"
    return Apart("; ".join(dict.fromkeys(answer.how for answer in apart)), trust)


def _searched(system: System, clock: Clock) -> Answer:
    reasons: list[str] = []
    for name, seconds, procedure in _steps(system):
        if clock.over:
            reasons.append(f"{name}: out of time")
            break
        try:
            answer = procedure(system, clock.share(seconds))
        except (TooManyTerms, TooLarge, Undecided, OutOfTime) as problem:
            answer = Open(str(problem))
        if isinstance(answer, Apart) and answer.trust == "solver":
            without_solver = certified(system)
            return answer if isinstance(without_solver, Open) else without_solver
        if not isinstance(answer, Open):
            return answer
        reasons.append(f"{name}: {answer.reason}")
    return Open("; ".join(reasons))


def _steps(system: System) -> Iterator[Step]:
    if system.variables <= 1:
        yield "leading terms", 1.0, lambda s, _: in_one_variable(s)
    yield "gradients", 1.0, lambda s, _: by_gradients(s)
    ones = (1,) * system.variables
    yield "forms", 1.0, lambda s, clock: by_forms(s, ones, clock)
    yield "second order", 1.5, by_second_order
    yield "boxes", 0.6, by_boxes
    yield "weights", 2.0, by_weighted_forms
    yield "straightening", 2.0, lambda s, clock: by_straightening(s, SHAPES[:STRAIGHT_SHAPES], clock)
    search: list[Step] = [
        ("blowing up", 3.0, by_blowing_up),
        ("arcs", 3.0, lambda s, clock: by_arcs(s, SHAPES[:FIRST_SHAPES], QUERY_SECONDS, clock)),
    ]
    is_open = all(c.relation == ">" for c in system.conditions)
    yield from search if is_open else reversed(search)  # arcs find thin sets sooner
    yield "distance", 2.0, by_distance
    yield "boxes", 4.0, by_boxes
    yield "elimination", 4.0, by_elimination
    yield "arcs", 60.0, lambda s, clock: by_arcs(s, SHAPES, LAST_QUERY_SECONDS, clock)
