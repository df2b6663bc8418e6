"""Rank, solutions and null spaces, rational and irrational."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from cfcompiler import numbers
from cfcompiler.feasibility.linear import independent, null_space, rank, solve
from cfcompiler.feasibility.rings import MOST_IN_A_ROW, lifted
from cfcompiler.feasibility.rings import dot as ring_dot
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import Finite, Undecided
from cfcompiler.polynomials import plus, times
from tests.feasibility.brute_force import dot, some_vector, some_vectors

ONE, TWO, ZERO = Fraction(1), Fraction(2), Fraction(0)


def number(text: str) -> Finite:
    found = parse_number(text)
    assert not isinstance(found, str)
    return found


ROOT, PI = number("sqrt(2)"), number("pi")


@pytest.mark.parametrize("seed", range(60))
def test_a_solution_solves_and_the_null_space_has_the_complementary_dimension(seed: int) -> None:
    source = random.Random(seed)
    rows = some_vectors(source, source.randint(1, 5), size := source.randint(1, 5), 2)
    right = tuple(dot(row, some_vector(random.Random(seed + 1000), size, 3)) for row in rows)
    found = solve(rows, right)
    assert found is not None and [dot(row, found) for row in rows] == list(right)
    kernel = null_space(rows, size)
    assert rank(rows) + len(kernel) == size and independent(kernel)
    assert not any(dot(row, vector) for row in rows for vector in kernel)


@pytest.mark.parametrize("seed", range(40))
def test_there_is_no_solution_exactly_when_the_right_side_adds_to_the_rank(seed: int) -> None:
    source = random.Random(seed)
    rows, right = some_vectors(source, 3, 2, 1), some_vector(source, 3, 1)
    longer = [(*row, entry) for row, entry in zip(rows, right, strict=True)]
    assert (solve(rows, right) is None) == (rank(longer) > rank(rows))


def test_empty_systems() -> None:
    assert rank([]) == rank([()]) == rank([(ZERO, ZERO)]) == 0
    assert independent([]) and not independent([()]) and not independent([(ZERO,)])
    assert solve([], ()) == () and solve([()], (ZERO,)) == () and solve([()], (ONE,)) is None
    assert null_space([], 2) == ((1, 0), (0, 1)) and null_space([], 0) == ()


def test_dependence_that_only_a_proof_shows() -> None:
    nested = number("sqrt(5 + 2*sqrt(6))")  # sqrt(2) + sqrt(3)
    total = plus(ROOT, number("sqrt(3)"))
    assert rank([(ROOT, TWO), (ONE, ROOT)]) == 1
    assert rank([(nested, ONE), (total, ONE)]) == 1
    assert rank([(nested, ONE), (plus(total, Fraction(1, 10**30)), ONE)]) == 2
    assert rank([(PI, TWO), (ONE, ROOT)]) == 2


def test_an_irrational_solution_solves() -> None:
    rows = [(PI, TWO, ROOT), (plus(ONE, ROOT), ROOT, ZERO), (ZERO, ONE, PI)]
    found = solve(rows, (ONE, ROOT, PI))
    assert found is not None
    for row, right in zip(rows, (ONE, ROOT, PI), strict=True):
        ring, (solution, equation), _ = lifted([(*found, ONE), (*row, times(right, -ONE))])
        assert ring.sign(ring_dot(equation, solution)) == 0
        assert ring.sign(ring_dot((*equation[:-1], equation[-1] + 1), solution)) != 0


def test_an_irrational_null_space_is_simplified() -> None:
    assert null_space([(ROOT, TWO)], 2) == ((times(ROOT, Fraction(-1)), 1),)


def test_a_sign_without_proof_is_undecided() -> None:
    hidden = number("sin(exp(exp(20)))")
    with pytest.raises(Undecided):
        rank([(hidden,)])
    assert rank([(ONE, hidden), (ZERO, TWO)]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "sqrt(2)*(1+pi)",
        "1/(1+sqrt(2))",
        "exp(-1)*sqrt(3)/7 - 2",
        "2**(2/3)",
        "pi**-2",
        "2/(1-pi) + 3/(1-pi)**3 - pi",
    ],
)
def test_lifting_keeps_the_value_up_to_its_scale(text: str) -> None:
    x = number(text)
    ring, ((element, one),), (scale,) = lifted([(x, Fraction(1, 3))])
    assert numbers.compare(ring.quotient(element, one), times(x, Fraction(3))) == 0
    assert scale > 0 and numbers.compare(ring.finite(element), times(x, scale)) == 0


def test_lengths_are_checked() -> None:
    with pytest.raises(ValueError, match="one length"):
        rank([(ONE,), (ONE, ONE)])
    with pytest.raises(ValueError, match="right sides"):
        solve([(ONE,)], ())


def test_denominators_that_differ_by_an_exponential_are_cleared_as_one() -> None:
    row = tuple(number(f"1/(exp({k}) + 2*exp({k} + 1/2) + exp({k} + 3))") for k in range(-3, 5))
    ring, (lifted_row,), (scale,) = lifted([row])
    assert not any(generator.is_Pow and generator.exp == -1 for generator in ring.generators)
    for entry, number_of_entry in zip(lifted_row, row, strict=True):
        assert numbers.compare(ring.finite(entry), times(scale, number_of_entry)) == 0


def test_many_denominators_do_not_make_a_row_long() -> None:
    row = tuple(number(f"1/(exp({k}) + sqrt({k}) + sin({k}) + 3)") for k in (2, 3, 5, 6, 7, 10, 11))
    ring, (lifted_row,), (scale,) = lifted([row])
    assert sum(len(entry) for entry in lifted_row) <= MOST_IN_A_ROW
    assert ring.sign(lifted_row[0]) == numbers.sign(scale) == 1
