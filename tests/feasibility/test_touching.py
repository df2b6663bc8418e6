"""Is the origin in the closure of a set? Against cases with answers, their images under linear maps, and samples."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from cfcompiler.feasibility.arcs import holds_along
from cfcompiler.feasibility.conditions import (
    Apart,
    Arc,
    Budget,
    Condition,
    Constraint,
    Open,
    Relaxation,
    System,
    Touches,
)
from cfcompiler.feasibility.emptiness import empty
from cfcompiler.feasibility.leading import NoOpenRays, OpenRays, open_direction
from cfcompiler.feasibility.touching import touches
from cfcompiler.numbers import sign
from cfcompiler.polynomials import Polynomial, polynomial
from tests.feasibility.closure_cases import CASES, Case
from tests.feasibility.systems import system, transformed

RECORDED = json.loads((Path(__file__).parent.parent / "data" / "adjacency.json").read_text(encoding="utf-8"))
ALL = (
    *CASES,
    *(
        Case(c["id"], " ".join(c["variables"]), tuple(c["positive"]), c["in_closure"], tuple(c["point"]))
        for c in RECORDED["cases"]
    ),
)
BUDGET = Budget(60)
# Decided, but in seconds for most of their images; the others take some 20 ms.
SLOW = {
    "horn along a line of cubic slope",
    "horn along a line of slope 2^(1/3)",
    "A25",
    "A17d",
    "ramified horn",
}


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_closure_of_a_set_with_a_known_answer(case: Case) -> None:
    asked = system(case.variables, case.conditions, case.point)
    answer = touches(asked, BUDGET)
    assert isinstance(answer, Touches if case.touches else Apart), answer
    if isinstance(answer, Touches) and answer.arc is not None:
        assert holds_along(asked, answer.arc)


@pytest.mark.parametrize("case", [c for c in ALL if c.name not in SLOW][::2], ids=lambda case: case.name)
def test_linear_coordinates_do_not_change_the_answer(case: Case) -> None:
    asked = system(case.variables, case.conditions, case.point)
    matrix = _monomial_matrix(asked.variables, random.Random(case.name))
    answer = touches(transformed(asked, matrix), BUDGET)
    assert isinstance(answer, Touches if case.touches else Apart), (answer, matrix)


def test_sheared_coordinates_never_contradict_and_seldom_leave_open() -> None:
    rng = random.Random(5)
    chosen = [case for case in ALL if case.name not in SLOW and " " in case.variables]
    left_open = []
    for case in rng.sample(chosen, 25):
        asked = system(case.variables, case.conditions, case.point)
        answer = touches(transformed(asked, _sheared_matrix(asked.variables, rng)), Budget(3))
        assert not isinstance(answer, Apart if case.touches else Touches), (case, answer)
        if isinstance(answer, Open):
            left_open.append(case.name)
    assert len(left_open) <= 1, left_open


def _monomial_matrix(n: int, rng: random.Random) -> list[list[Fraction]]:
    """Permuted, mirrored and scaled axes."""
    places = rng.sample(range(n), n)
    scales = [Fraction(1), Fraction(-1), Fraction(2), Fraction(-1, 3), Fraction(7, 5)]
    return [[rng.choice(scales) if k == places[row] else Fraction(0) for k in range(n)] for row in range(n)]


def _sheared_matrix(n: int, rng: random.Random) -> list[list[Fraction]]:
    entries = [Fraction(0), Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(-2)]
    triangle = [
        [Fraction(int(k == row)) if k <= row else rng.choice(entries) for k in range(n)] for row in range(n)
    ]
    return rng.sample(triangle, n)


def test_no_sample_refutes_apart() -> None:
    """Points of the set at all small scales on some curve would show that "apart" is wrong."""
    rng = random.Random(11)
    counts = {"Touches": 0, "Apart": 0, "Open": 0}
    for _ in range(80):
        asked = _random_system(rng)
        answer = touches(asked, Budget(2))
        counts[type(answer).__name__] += 1
        if isinstance(answer, Apart):
            assert not _met_at_all_scales(asked), (asked, answer)
        if isinstance(answer, Touches) and answer.arc is not None:
            assert _met_on(asked, answer.arc), (asked, answer)
    assert min(counts["Touches"], counts["Apart"]) >= 15, counts
    assert counts["Open"] <= 2, counts


def _random_system(rng: random.Random) -> System:
    """Two or three sparse conditions in two variables, with coincidences of low order likely."""
    places = [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (0, 3), (4, 0)]
    values = [Fraction(1), Fraction(-1), Fraction(2), Fraction(-1), Fraction(1)]
    conditions = []
    for _ in range(rng.choice((2, 2, 3))):
        terms = [(rng.choice(places), rng.choice(values)) for _ in range(rng.choice((1, 2, 2, 3)))]
        conditions.append(Condition(polynomial(2, terms)))
    if rng.random() < 0.4:  # a near copy of opposite sign: horns
        more = polynomial(2, [(rng.choice(places[5:]), rng.choice(values))])
        conditions.append(Condition(more - conditions[0].jet))
    return System(2, tuple(conditions))


def _met_at_all_scales(asked: System) -> bool:
    """Whether some curve of a fixed family meets the set at each of the scales 2**-10 ... 2**-30."""
    scales = [Fraction(1, 2**k) for k in (10, 15, 20, 30)]
    return any(all(_inside(asked, curve(s)) for s in scales) for curve in _CURVES)


def _curves() -> Iterator[object]:
    factors = [Fraction(x, 4) for x in (-9, -5, -4, -3, -1, 0, 1, 3, 4, 5, 9)]
    for a in (Fraction(1), Fraction(-1), Fraction(0)):
        for p, q in ((1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2), (2, 3)):
            for b in factors:
                for c in (Fraction(0), Fraction(1, 3), Fraction(-1, 3)):
                    yield lambda t, a=a, b=b, c=c, p=p, q=q: (a * t**p, b * t**q + c * t ** (q + 1))


_CURVES: list = list(_curves())  # type: ignore[type-arg]


def _met_on(asked: System, arc: Arc) -> bool:
    t = Fraction(1, 2**40)
    line = [polynomial(1, [((k,), c) for k, c in terms]) for terms in arc.coefficients]
    return _inside(asked, [x.value([t]) for x in line])


def _inside(asked: System, point: object) -> bool:
    return all(sign(condition.jet.value(point)) == 1 for condition in asked.conditions)  # type: ignore[arg-type]


def test_an_open_set_of_rays_is_told_from_a_thin_set() -> None:
    clock = Budget(10).start()
    assert isinstance(open_direction(system("x y", ["x", "y-x"]), clock), OpenRays)
    assert isinstance(open_direction(system("x y", ["x^2-y^2", "x*y"]), clock), OpenRays)
    assert isinstance(
        open_direction(system("x y", ["y", "x^2-y"]), clock), NoOpenRays
    )  # between parabola and axis
    assert isinstance(open_direction(system("x y", ["x^3-y^2"]), clock), NoOpenRays)
    assert isinstance(
        open_direction(system("x y z", ["y^2*z-x^2"]), clock), NoOpenRays
    )  # order 2 comes first
    assert isinstance(open_direction(system("x y", ["x*y=0", "x"]), clock), NoOpenRays)
    assert isinstance(open_direction(system("x y", ["y-sqrt(2)*x", "141422/100000*x-y"]), clock), OpenRays)
    assert isinstance(open_direction(system("x y", ["sin(x)-y", "y", "exp(y)-1"]), clock), OpenRays)
    zero = Condition(Polynomial(2, {}), False, ">", 3)
    assert isinstance(open_direction(System(2, (zero,)), clock), Open)


def test_the_direction_of_open_rays_is_in_the_set() -> None:
    asked = system("x y z", ["x^2+y^2-z^2", "z-x", "x-y", "x*y*z+z^4"])
    found = open_direction(asked, Budget(10).start())
    assert isinstance(found, OpenRays)
    assert all(c.jet.lowest_form.value(found.direction) > 0 for c in asked.conditions)  # type: ignore[operator]


def test_a_truncated_condition_decides_only_as_far_as_it_is_known() -> None:
    y_over_square = polynomial(2, [((0, 1), Fraction(1)), ((2, 0), Fraction(-1))])
    below = polynomial(2, [((0, 1), Fraction(-1)), ((2, 0), Fraction(1))])
    asked = System(2, (Condition(y_over_square, False, ">", 3), Condition(below, False, ">", 3)))
    assert isinstance(touches(asked, Budget(1)), Open)  # the terms of order 4 decide
    more = below + polynomial(2, [((4, 0), Fraction(1))])
    known = System(2, (Condition(y_over_square, False, ">", 6), Condition(more, False, ">", 6)))
    assert isinstance(touches(known, Budget(5)), Touches)


def test_an_arc_is_checked_by_the_caller_where_the_terms_do_not_suffice() -> None:
    jet = polynomial(1, [((1,), Fraction(1))])
    nothing = Condition(Polynomial(1, {}), False, ">", 2)
    asked = System(1, (Condition(jet), nothing), None, lambda arc: arc.least_power == 1)
    assert isinstance(touches(asked, Budget(1)), Touches)
    assert isinstance(touches(System(1, asked.conditions), Budget(1)), Open)


def test_a_relaxation_without_points_shows_that_the_set_is_apart() -> None:
    nothing = Condition(Polynomial(2, {}), False, ">", 2)
    square = polynomial(2, [((2, 0), Fraction(-1)), ((0, 2), Fraction(-1))])
    relaxation = Relaxation(2, (Constraint(square, ">"),))
    asked = System(2, (nothing,), lambda radius: relaxation if radius < Fraction(1, 10) else None)
    assert touches(asked, Budget(2)) == Apart("squares and products of degree 2", "certificate")


def test_no_budget_leaves_open() -> None:
    assert isinstance(touches(system("x y", ["y-x^2", "x^2+x^4-y"]), Budget(0)), Open)


def test_the_budget_is_kept_where_nothing_decides() -> None:
    rng = random.Random(3)
    places = [tuple(int(k == i) + int(k == j) for k in range(8)) for i in range(8) for j in range(i, 8)]
    units = [tuple(int(k == i) for k in range(8)) for i in range(8)]
    rows = [
        polynomial(8, [(e, Fraction(rng.randint(-3, 3))) for e in (*units, *rng.sample(places, 18))])
        for _ in range(9)
    ]
    last = polynomial(8, [(places[0], Fraction(1))]) - rows[0] - rows[1]
    found = touches(System(8, tuple(Condition(row) for row in (*rows, last))), Budget(1))
    assert isinstance(found, Open) or found.trust == "certificate"


def test_without_z3_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "z3", None)
    motzkin = system("x y", ["3*x^2*y^2-x^4*y^2-x^2*y^4-1"], (1, 1))
    answer = touches(motzkin, Budget(5))
    assert isinstance(answer, Open) and "z3 is not installed" in answer.reason
    assert isinstance(touches(system("x y", ["y-x^2", "x^2+x^4-y"]), Budget(5)), Touches)
    assert isinstance(touches(system("x y", ["y-x^2", "x^2-x^4-y"]), Budget(5)), Apart)


def test_constraints_without_a_solution_near_the_origin() -> None:
    clock = Budget(10).start()

    def asked(*texts: str) -> list[Constraint]:
        return [Constraint(c.jet, c.relation) for c in system("x y", texts).conditions]

    x_is_not_0 = Constraint(polynomial(2, [((1, 0), Fraction(1))]), "!=")
    radius = Fraction(1)
    assert isinstance(empty([*asked("x^2-x*y=0", "y"), x_is_not_0], 2, radius, clock), Open)
    assert isinstance(empty([*asked("x^2-x*y=0", "-x*y"), x_is_not_0], 2, radius, clock), Apart)
    assert isinstance(empty(asked("y-x^2", "x^2-y"), 2, radius, clock), Apart)
    assert isinstance(empty(asked("y-sqrt(3)*x=0", "x^2*3-y^2"), 2, radius, clock), Apart)
    # x = 1/2 lies in the first box, but not in those below
    assert isinstance(empty(asked("2*x-1=0"), 2, radius, clock), Apart)


def test_most_answers_carry_a_certificate() -> None:
    """z3's word alone is asked for where no combination of squares of two terms and no arc over radicals exists."""
    chosen = [case for case in ALL if case.name not in SLOW][1::4]
    answers = [touches(system(c.variables, c.conditions, c.point), BUDGET) for c in chosen]
    trusts = [answer.trust for answer in answers if not isinstance(answer, Open)]
    assert trusts.count("certificate") >= 0.8 * len(chosen)
