"""Strict linear systems: each answer comes with its proof, which is checked here by plain sums of Fractions."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from cfcompiler.feasibility import directions
from cfcompiler.feasibility.directions import Direction, Multipliers, check, direction, point
from cfcompiler.numbers import Finite, Undecided
from cfcompiler.polynomials import plus, times
from tests.feasibility.brute_force import Point, dot, is_member, some_vector, some_vectors
from tests.feasibility.test_linear import ONE, PI, ROOT, TWO, ZERO, number

System = tuple[list[Point], list[Point], list[Point]]


def combined(weights: tuple[Finite, ...], rows: list[Point], size: int) -> Point:
    assert len(weights) == len(rows)
    return tuple(dot(weights, [row[k] for row in rows]) for k in range(size))  # type: ignore[arg-type]


def holds(found: Direction | Multipliers, system: System, size: int) -> bool:
    strict, weak, equal = system
    if isinstance(found, Direction):
        products = [[dot(row, found.vector) for row in rows] for rows in system]  # type: ignore[arg-type]
        return all(x > 0 for x in products[0]) and all(x >= 0 for x in products[1]) and not any(products[2])
    total = combined((*found.strict, *found.weak, *found.equal), [*strict, *weak, *equal], size)
    return not any(total) and min((*found.strict, *found.weak)) >= 0 and any(found.strict)  # type: ignore[type-var]


def some_system(source: random.Random, size: int) -> System:
    counts = source.choice(((4, 0, 0), (2, 2, 0), (3, 1, 1), (6, 3, 1), (1, 5, 2), (8, 0, 0)))
    strict, weak, equal = (some_vectors(source, count, size, 2) for count in counts)
    return strict, weak, equal


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_every_answer_is_proved(size: int) -> None:
    source = random.Random(size)
    kinds = set()
    for _ in range(80):
        system = some_system(source, size)
        found = direction(*system, dimension=size)
        assert holds(found, system, size)
        kinds.add(type(found))
    assert kinds == {Direction, Multipliers}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_strict_rows_have_a_direction_exactly_when_0_is_not_in_their_hull(size: int) -> None:
    source = random.Random(size)
    for _ in range(40):
        rows = some_vectors(source, source.randint(1, 7), size, 3)
        found = direction(rows, dimension=size)
        assert isinstance(found, Multipliers) == is_member((ZERO,) * size, rows)


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_points_of_affine_systems_are_proved(size: int) -> None:
    source = random.Random(size)
    for _ in range(60):
        strict, weak, equal = system = some_system(source, size + 1)
        found = point(*system, dimension=size)
        assert check(found, *system, affine=True)
        if isinstance(found, Direction):
            assert holds(Direction((*found.vector, ONE)), system, size + 1)
            continue
        *zeros, constant = combined(
            (*found.strict, *found.weak, *found.equal), [*strict, *weak, *equal], size + 1
        )
        assert not any(zeros) and constant <= 0 and (constant < 0 or any(found.strict))


def test_a_large_degenerate_system() -> None:
    source = random.Random(0)
    rows = some_vectors(source, 120, 12, 1)
    inside = some_vector(source, 12, 3)
    turned = [row if dot(row, inside) > 0 else tuple(-x for x in row) for row in rows if dot(row, inside)]
    flat = [row for row in rows if not dot(row, inside)]
    assert isinstance(found := direction(turned, flat, dimension=12), Direction)
    assert holds(found, (turned, flat, []), 12)


def test_systems_without_rows_or_variables() -> None:
    assert direction([], dimension=0) == Direction(())
    assert direction([], [(ONE,)], [(TWO,)], dimension=1) == Direction((0,))
    assert direction([()], dimension=0) == Multipliers((1,), (), ())
    assert direction([(ZERO, ZERO)], dimension=2) == Multipliers((1,), (), ())
    assert point([], dimension=2) == Direction((0, 0))
    assert point([(ONE,)], dimension=0) == Direction(())
    assert isinstance(point([], [], [(ONE,)], dimension=0), Multipliers)
    assert isinstance(point([(ZERO,)], dimension=0), Multipliers)


def test_equal_rows_may_need_a_negative_weight() -> None:
    system = ([(ONE, ZERO)], [], [(ONE, ZERO)])
    found = direction(*system, dimension=2)
    assert isinstance(found, Multipliers) and found.equal[0] < 0
    assert holds(found, system, 2)  # type: ignore[arg-type]


def test_a_start_that_satisfies_the_system_is_returned() -> None:
    rows, start = [(ONE, ZERO), (ZERO, ONE)], (Fraction(7, 3), Fraction(1, 5))
    assert direction(rows, dimension=2, start=start) == Direction(start)
    found = direction(rows, dimension=2, start=(ONE, ZERO))
    assert isinstance(found, Direction) and min(found.vector) > 0


def test_irrational_systems_on_the_edge() -> None:
    assert isinstance(direction([(ROOT, -ONE), (-TWO, ROOT)], dimension=2), Multipliers)
    less = plus(ROOT, Fraction(1, 10**40))
    assert isinstance(direction([(less, -ONE), (-TWO, ROOT)], dimension=2), Direction)
    nested = number("sqrt(5 + 2*sqrt(6))")
    total = times(plus(ROOT, number("sqrt(3)")), -ONE)
    assert isinstance(direction([(nested, -ONE), (total, ONE)], dimension=2), Multipliers)


def test_an_irrational_equality_is_met_exactly() -> None:
    found = direction([(ONE, ONE)], [], [(ROOT, -PI)], dimension=2)
    assert isinstance(found, Direction) and not all(isinstance(x, Fraction) for x in found.vector)
    assert check(found, [(ONE, ONE)], [], [(ROOT, -PI)])
    assert point([], [(ONE, -ROOT), (-ONE, ROOT)], dimension=1) == Direction((ROOT,))


def test_an_open_irrational_system_has_a_rational_direction() -> None:
    found = direction([(ROOT, -ONE), (-ONE, PI)], dimension=2)
    assert isinstance(found, Direction) and all(isinstance(x, Fraction) for x in found.vector)


@pytest.mark.parametrize("seed", range(12))
def test_irrational_scales_of_columns_and_rows_change_nothing(seed: int) -> None:
    source = random.Random(seed)
    plain = some_system(source, 3)
    scales = (ROOT, PI, plus(ROOT, -ONE))
    scaled = [
        [
            tuple(times(times(x, s), source.choice(scales)) for x, s in zip(row, scales, strict=True))
            for row in rows
        ]
        for rows in ([], [], [])
    ]
    for rows, out in zip(plain, scaled, strict=True):
        for row in rows:
            by = source.choice(scales)
            out.append(tuple(times(times(x, s), by) for x, s in zip(row, scales, strict=True)))
    assert type(direction(*scaled, dimension=3)) is type(direction(*plain, dimension=3))


def test_an_unproved_sign_matters_only_where_nothing_else_decides() -> None:
    hidden = number("sin(exp(exp(20)))")
    with pytest.raises(Undecided):
        direction([(hidden,)], dimension=1)
    assert isinstance(direction([(ONE, ZERO), (-ONE, ZERO), (hidden, ONE)], dimension=2), Multipliers)
    assert direction([(ONE,)], dimension=1, start=(hidden,)) == Direction((1,))


def test_irrational_denominators_are_cleared() -> None:
    below = number("1/(1 - pi)")
    found = point([], [], [(plus(ONE, PI), ONE, below), (ROOT, -ONE, PI)], dimension=2)
    assert isinstance(found, Direction)
    assert isinstance(direction([(below, -ONE), (ONE, plus(PI, -ONE))], dimension=2), Multipliers)


def test_the_checker_rejects_what_is_wrong() -> None:
    strict, weak = [(ONE, ZERO), (-ONE, ZERO)], [(ZERO, ONE)]
    assert check(Multipliers((ONE, ONE), (ZERO,), ()), strict, weak)
    for wrong in (
        Multipliers((ONE, TWO), (ZERO,), ()),  # not 0
        Multipliers((ZERO, ZERO), (ZERO,), ()),  # no strict row
        Multipliers((-ONE, -ONE), (ZERO,), ()),  # negative
        Multipliers((ONE, ONE), (), ()),  # a weight is missing
        Direction((ONE, ONE)),
        Direction((ONE,)),
    ):
        assert not check(wrong, strict, weak)
    assert not check(Direction((ONE, ZERO)), [(ZERO, ONE)])  # only weakly
    assert not check(Direction((ONE, -ONE)), [(ONE, ZERO)], [(ZERO, ONE)])
    assert not check(Direction((ONE, ONE)), [(ONE, ZERO)], [], [(ZERO, ONE)])
    assert not check(Multipliers((ZERO,), (), ()), [(ONE, ONE)], affine=True)
    assert not check(Multipliers((ONE,), (), ()), [(ZERO, ONE)], affine=True)
    assert check(Multipliers((ONE,), (), ()), [(ZERO, ZERO)], affine=True)


def test_a_wrong_certificate_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directions, "_decided", lambda strict, weak, equal: Direction((ONE, -ONE)))
    with pytest.raises(AssertionError, match="wrong certificate"):
        direction([(ONE, ZERO), (ZERO, ONE)], dimension=2)
    with pytest.raises(AssertionError, match="wrong certificate"):
        point([(-ONE, ZERO), (ONE, ONE)], dimension=1)


def test_lengths_are_checked() -> None:
    with pytest.raises(ValueError, match="length 2"):
        direction([(ONE,)], dimension=2)
    with pytest.raises(ValueError, match="length 2"):
        point([(ONE,)], dimension=1)
