"""The procedures behind `touches`, each alone: what it decides, and what it must leave open."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy

from cfcompiler.feasibility.arcs import holds_along, in_the_set
from cfcompiler.feasibility.blowups import by_blowing_up
from cfcompiler.feasibility.coefficients import rationalised
from cfcompiler.feasibility.conditions import Apart, Arc, Budget, Condition, Open, System, Touches
from cfcompiler.feasibility.curves import by_arcs
from cfcompiler.feasibility.distance import by_distance
from cfcompiler.feasibility.elimination import by_elimination
from cfcompiler.feasibility.emptiness import by_boxes, certified
from cfcompiler.feasibility.factors import branches, factors_at_origin, simplified
from cfcompiler.feasibility.gradients import by_gradients
from cfcompiler.feasibility.graphs import on_graph
from cfcompiler.feasibility.leading import by_forms, by_weighted_forms
from cfcompiler.feasibility.roots import closed_roots, exact_value
from cfcompiler.feasibility.second_order import by_second_order
from cfcompiler.feasibility.solver import Model, Root, Unknown, solve
from cfcompiler.feasibility.straightening import by_straightening
from cfcompiler.numbers import sign
from cfcompiler.polynomials import Polynomial, polynomial
from tests.feasibility.systems import system

HORN = system("x y", ["y-x^2-x^3", "x^2+x^3+x^10-y"])
NO_HORN = system("x y", ["y-x^2-x^3", "x^2+x^3-x^10-y"])


def _clock() -> Any:
    return Budget(10).start()


def _arc(*coordinates: dict[int, object]) -> Arc:
    return Arc(tuple(tuple((k, Fraction(str(c))) for k, c in terms.items()) for terms in coordinates))


def test_an_arc_holds_where_the_first_coefficients_are_positive() -> None:
    assert holds_along(HORN, _arc({1: 1}, {2: 1, 3: 1, 10: "1/2"}))
    assert not holds_along(HORN, _arc({1: 1}, {2: 1, 3: 1}))  # on the boundary
    assert not holds_along(HORN, _arc({1: 1}, {2: 1, 3: 1, 10: "3/2"}))
    assert not holds_along(HORN, _arc({1: -1}, {2: 1, 3: 1, 10: "1/2"}))
    assert holds_along(system("x y", ["x^2-y^3=0", "x"]), _arc({3: 1}, {2: 1}))
    assert not holds_along(system("x y", ["x^2-y^3=0", "x"]), _arc({3: 1}, {2: 1, 5: 1}))
    assert holds_along(system("x y", ["y-x^2>=0"]), _arc({1: 1}, {2: 1}))


def test_a_truncated_condition_is_known_along_an_arc_to_the_order_that_its_degree_gives() -> None:
    jet = polynomial(2, [((3, 0), Fraction(1))])
    assert holds_along(System(2, (Condition(jet, False, ">", 3),)), _arc({1: 1}, {1: 1}))
    assert not holds_along(
        System(2, (Condition(jet, False, ">", 3),)), _arc({2: 1}, {1: 1})
    )  # y^4 = t^4 < t^6
    assert holds_along(System(2, (Condition(jet, False, ">", 6),)), _arc({2: 1}, {1: 1}))
    with pytest.raises(ValueError, match="degree"):
        Condition(jet, False, ">", 2)


def test_an_arc_on_which_a_square_vanishes_is_left() -> None:
    asked = system("x y", ["y^2*x"])
    found = in_the_set(asked, _arc({1: 1}, {}))
    assert found is not None and holds_along(asked, found)


def test_gradients_decide_affine_systems_and_regular_corners() -> None:
    assert isinstance(by_gradients(system("x y", ["x", "y-x"])), Touches)
    assert by_gradients(system("x y", ["x", "-x-y>=0", "y"])) == Apart(
        "multipliers of the gradients", "certificate"
    )
    assert isinstance(by_gradients(system("x y", ["x-y^2", "y-x^2"])), Touches)
    assert isinstance(by_gradients(system("x y", ["y", "x^2-y"])), Open)
    curved = by_gradients(system("x y", ["y-x^3*y^2-x^2=0", "x"]))
    assert isinstance(curved, Touches) and curved.arc is None
    assert isinstance(by_gradients(system("x y", ["y^2-x^2*y=0", "x"])), Open)


def test_forms_decide_by_compactness_and_weights_by_scaling() -> None:
    ones = (1, 1)
    assert isinstance(by_forms(system("x y", ["-x^2-x*y-y^2+x^3"]), ones, _clock()), Apart)
    assert isinstance(by_forms(system("x y", ["x^3-y^2"]), ones, _clock()), Open)
    assert isinstance(by_weighted_forms(system("x y", ["x^3-y^2", "-x"]), _clock()), Apart)
    assert isinstance(by_weighted_forms(system("x y", ["x^11-y^4", "y-x^3"]), _clock()), Touches)
    truncated = System(2, (Condition(polynomial(2, [((0, 1), 1), ((2, 0), -1)]), False, ">", 2),))
    assert isinstance(by_weighted_forms(truncated, _clock()), Touches)


def test_horns_of_any_order_are_found_in_straight_coordinates_and_by_blowing_up() -> None:
    for answer in (by_straightening(HORN, (), _clock()), by_blowing_up(HORN, _clock())):
        assert isinstance(answer, Touches) and answer.arc is not None and holds_along(HORN, answer.arc)
    assert isinstance(by_blowing_up(NO_HORN, _clock()), Open)
    assert not isinstance(by_straightening(NO_HORN, (), _clock()), Touches)
    node = system("x y", ["-2*x*y-x^4-y^3", "x", "y^4+2*x*y+x^4+y^3"])  # along y = -x^3/2 - ...
    answer = by_blowing_up(node, _clock())
    assert isinstance(answer, Touches) and answer.arc is not None and holds_along(node, answer.arc)


def test_arcs_with_unknown_coefficients() -> None:
    asked = system("x y", ["y^2-2*x^2", "2*x^2+x^3-y^2"])
    answer = by_arcs(asked, ((1, 2, 6),), 2.0, _clock())
    assert isinstance(answer, Touches) and answer.arc is not None and holds_along(asked, answer.arc)
    assert isinstance(by_arcs(system("x y", ["y", "-y"]), ((1, 2, 6),), 2.0, _clock()), Open)


def test_the_distance_and_quantifiers_agree_with_the_arcs() -> None:
    horn, none = system("x y", ["y-x^2", "x^2+x^4-y"]), system("x y", ["y-x^2", "x^2-x^4-y"])
    assert by_distance(horn, _clock()) == Touches(None, "no critical point of the distance", "solver")
    assert isinstance(by_distance(none, _clock()), Open)
    assert isinstance(by_elimination(horn, _clock()), Touches)
    assert isinstance(by_elimination(none, _clock()), Apart)
    assert isinstance(by_elimination(system("x y", ["y-pi*x"]), _clock()), Open)


def test_squares_certify_what_is_empty_in_a_box_and_nothing_else() -> None:
    assert isinstance(certified(NO_HORN), Open)  # needs a degree beyond the budget
    assert isinstance(certified(system("x y", ["y-x^2", "x^2-x^4-y"])), Apart)
    assert isinstance(certified(system("x y", ["y-x^2", "x^5-y^2"])), Apart)  # empty near 0 only
    assert isinstance(certified(system("x y", ["y-sqrt(2)*x^2", "7/5*x^2-y"])), Apart)
    assert isinstance(certified(system("x y", ["y-sqrt(2)*x^2", "3/2*x^2-y"])), Open)
    assert isinstance(certified(system("x y", ["y-x^2", "x^2+x^4-y"])), Open)
    assert isinstance(certified(system("x y", ["x>=0", "-x>=0"])), Open)  # the origin
    assert isinstance(by_boxes(NO_HORN, _clock()), Apart)


def test_factors_near_the_origin() -> None:
    x_minus_y = polynomial(2, [((1, 0), Fraction(1)), ((0, 1), Fraction(-1))])
    asked = system("x y", ["-(x-y)^3*(x-2)*(x^2+y^2)^2*(1+y)"]).conditions
    found = factors_at_origin(asked[0].jet)
    assert found is not None and sorted(times for _, times in found.factors) == [2, 3]
    (simple,) = simplified(asked)
    assert simple.jet in (x_minus_y, -x_minus_y)
    point = (Fraction(1, 7), Fraction(1, 9))
    assert sign(simple.jet.value(point)) == sign(asked[0].jet.value(point))
    weak = simplified(system("x y", ["x^2*(y-x)>=0"]).conditions)
    assert weak[0].jet.degree == 3  # x = 0 belongs to the set
    assert len(branches(system("x y", ["x*y*(x-y)=0", "x"]).conditions)) == 3


def test_the_graph_of_an_equation_is_followed_to_the_degree_that_is_known() -> None:
    asked = system("x y", ["x^2+y^2-2*y=0", "x^2-2*y"])
    graph = on_graph(asked, _clock())
    assert graph is not None and graph.variables == 1
    (condition,) = graph.conditions
    assert not condition.exact and condition.jet.part(4) == polynomial(1, [((4,), Fraction(-1, 4))])


def test_irrational_coefficients_become_variables() -> None:
    number = sympy.sqrt(2) * sympy.pi + sympy.sqrt(1 + sympy.sqrt(2))
    read = rationalised([Polynomial(1, {(1,): number})], 1)
    assert read.variables == 4 and not read.exact
    assert all(p.rational for p in read.polynomials)
    assert rationalised([Polynomial(1, {(1,): sympy.sqrt(2) / 3})], 1).exact
    equation = Polynomial(1, {(1,): sympy.sqrt(2), (0,): Fraction(-1)})
    exact = rationalised([equation], 1)
    from cfcompiler.feasibility.conditions import Constraint

    found = solve([Constraint(exact.polynomials[0], "="), *exact.constraints], 2, _clock())
    assert isinstance(found, Model) and isinstance(found.values[0], Root)
    assert sign(exact_value(found.values[0]) - 1 / sympy.sqrt(2)) == 0  # type: ignore[operator]


def test_roots_with_a_closed_form() -> None:
    # (x - 2) (x^2 - 2x - 1) (x^3 - 5) (x^2 + 1) (x^3 - x - 1): the last root has none
    x = sympy.Symbol("x")
    product = sympy.Poly((x - 2) * (x**2 - 2 * x - 1) * (x**3 - 5) * (x**2 + 1) * (x**3 - x - 1), x)
    found = closed_roots([Fraction(int(c)) for c in reversed(product.all_coeffs())])
    expected = [sympy.Integer(2), 1 + sympy.sqrt(2), 1 - sympy.sqrt(2), sympy.cbrt(5)]
    assert len(found) == 4
    for root in expected:
        assert any(sympy.simplify(root - sympy.sympify(_plain(x))) == 0 for x in found)
    assert [
        float(r) for r in closed_roots([Fraction(-3), Fraction(0), Fraction(0), Fraction(0), Fraction(1)])
    ] == (pytest.approx([3**0.25, -(3**0.25)]))
    assert closed_roots([Fraction(3), Fraction(0), Fraction(0), Fraction(0), Fraction(1)]) == []


def _plain(x: object) -> object:
    return sympy.Rational(x.numerator, x.denominator) if isinstance(x, Fraction) else x


def test_the_solver_says_why_it_knows_nothing() -> None:
    from cfcompiler.feasibility.conditions import Constraint

    huge = Constraint(polynomial(1, [((1,), Fraction(2**30_000)), ((0,), Fraction(1))]), ">")
    assert solve([huge], 1, _clock()) == Unknown("the coefficients are too long for the solver")
    x = Constraint(polynomial(1, [((1,), Fraction(1))]), ">")
    assert solve([x], 1, Budget(0).start()) == Unknown("the solver ran out of time")
    with pytest.raises(TypeError):
        solve([Constraint(Polynomial(1, {(1,): sympy.sqrt(2)}), ">")], 1, _clock())


def test_second_order_arcs_by_linear_programs_in_many_variables() -> None:
    names = "a b c d e f g h"
    asked = system(names, ["a-b*c", "d-e*f", "a*b-a-d+g^2+h", "h-a-c^2", "2*g-h"])
    answer = by_second_order(asked, _clock())
    assert isinstance(answer, Touches) and answer.arc is not None and holds_along(asked, answer.arc)
    apart = system(names, ["a-b^2", "d-e^2", "-a-d-g^2"])
    assert isinstance(by_second_order(apart, _clock()), Open)


def test_a_set_that_stays_away_by_little_is_not_said_to_touch() -> None:
    """Its nearest point is a critical point of the distance, inside of both balls that are tried."""
    assert isinstance(by_distance(system("x", ["x-1/1000"]), _clock()), Open)
    assert isinstance(by_distance(system("x y", ["y-x^2-1/10000", "x"]), _clock()), Open)
    assert isinstance(by_distance(system("x", ["x"]), _clock()), Touches)
