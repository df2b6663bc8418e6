"""Hulls against Caratheodory's theorem and enumeration, degenerate and irrational points, wrong certificates."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import pytest

from cfcompiler.feasibility import hull, nearest, segments
from cfcompiler.feasibility.hull import (
    Combination,
    MinNorm,
    SegmentCombination,
    SegmentSeparation,
    Separation,
    extreme_points,
    membership,
    min_norm,
    segments_member,
    segments_min_norm,
)
from cfcompiler.polynomials import plus, times
from tests.feasibility import brute_force
from tests.feasibility.brute_force import Point, dot, some_vector, some_vectors
from tests.feasibility.test_linear import ONE, PI, ROOT, TWO, ZERO, number

HALF = Fraction(1, 2)


def proves(found: Combination | Separation, target: Point, points: Sequence[Point]) -> bool:
    if isinstance(found, Combination):
        total = tuple(dot(found.weights, column) for column in zip(*points, strict=True))  # type: ignore[arg-type]
        return total == target and min(found.weights) >= 0 and sum(found.weights) == 1
    values = [dot(found.direction, p) for p in points]  # type: ignore[arg-type]
    at_target = dot(found.direction, target)  # type: ignore[arg-type]
    return at_target == found.target_value > found.support_value == max(values)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_membership_agrees_with_caratheodory(size: int) -> None:
    source = random.Random(size)
    kinds = set()
    for _ in range(60):
        points = some_vectors(source, source.randint(1, 8), size, 3)
        target = some_vector(source, size, 2)
        found = membership(target, points)
        assert proves(found, target, points)
        assert isinstance(found, Combination) == brute_force.is_member(target, points)
        kinds.add(type(found))
    assert kinds == {Combination, Separation}


@pytest.mark.parametrize("size", [5, 8])
def test_membership_is_proved_in_higher_dimensions(size: int) -> None:
    source = random.Random(size)
    for _ in range(10):
        points = some_vectors(source, 25, size, 3)
        for target in (some_vector(source, size, 1), points[3], tuple(map(sum, zip(*points, strict=True)))):
            assert proves(membership(target, points), target, points)


def test_membership_of_degenerate_points() -> None:
    assert membership((), [(), ()]) == Combination((1, 0))
    assert isinstance(membership((ONE,), [(ONE,)] * 3), Combination)
    assert isinstance(membership((TWO,), [(ONE,)] * 3), Separation)
    line = [(Fraction(k), Fraction(2 * k)) for k in range(5)]
    assert isinstance(membership((HALF, ONE), line), Combination)
    assert isinstance(membership((HALF, ONE + Fraction(1, 10**60)), line), Separation)
    with pytest.raises(ValueError, match="no points"):
        membership((ONE,), [])
    with pytest.raises(ValueError, match="one length"):
        membership((ONE,), [(ONE, ONE)])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_extreme_points_agree_with_caratheodory(size: int) -> None:
    source = random.Random(size)
    for _ in range(25):
        points = some_vectors(source, source.randint(1, 9), size, 2)
        assert extreme_points(points) == brute_force.extreme(points)


@pytest.mark.parametrize("size", [2, 3, 4, 6])
def test_the_extreme_points_of_a_grid_are_its_corners(size: int) -> None:
    grid = [tuple(map(Fraction, p)) for p in product((-1, 0, 1), repeat=size)]
    random.Random(size).shuffle(grid)
    assert extreme_points(grid + grid[:9]) == tuple(
        tuple(map(Fraction, p)) for p in product((-1, 1), repeat=size)
    )


def test_points_of_a_paraboloid_are_all_extreme() -> None:
    points = [(Fraction(x), Fraction(y), Fraction(x * x + y * y)) for x in range(-5, 6) for y in range(-5, 6)]
    assert extreme_points(points) == tuple(sorted(points))


@pytest.mark.parametrize("embedded", [2, 3, 4])
def test_flat_and_repeated_points(embedded: int) -> None:
    rest = (ONE,) * (embedded - 1)
    line = [(Fraction(k), *(Fraction(3 * k) * x for x in rest)) for k in (4, 0, 2, 4, 3, 0)]
    assert extreme_points(line) == (line[1], line[0])
    assert extreme_points([line[0]] * 4) == (line[0],)
    assert extreme_points([()] * 3) == ((),)
    assert extreme_points([]) == ()


def test_extreme_points_at_irrational_places() -> None:
    half = times(ROOT, HALF)
    points = [(ROOT, ZERO), (ZERO, ROOT), (half, half), (ZERO, ZERO), (times(ROOT, ONE), ZERO)]
    assert extreme_points(points) == ((ZERO, ZERO), (ZERO, ROOT), (ROOT, ZERO))
    beyond = (half, plus(half, Fraction(1, 10**40)))
    assert beyond in extreme_points([*points, beyond])
    solid = [(*p, z) for p in points for z in (ZERO, PI)] + [(half, half, ONE)]
    assert len(extreme_points(solid)) == 6


def test_irrational_points_that_are_equal_only_by_proof() -> None:
    nested, total = number("sqrt(5 + 2*sqrt(6))"), plus(ROOT, number("sqrt(3)"))
    assert len(extreme_points([(nested, ONE), (total, ONE), (ZERO, ONE)])) == 2
    assert isinstance(membership((nested,), [(total,), (times(total, TWO),)]), Combination)
    assert isinstance(membership((PI,), [(Fraction(22, 7),), (Fraction(4),)]), Separation)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_shortest_vector_agrees_with_enumeration(size: int) -> None:
    source = random.Random(size)
    for _ in range(25):
        shift = some_vector(source, size, 3)
        points = [
            tuple(a + b for a, b in zip(p, shift, strict=True))
            for p in some_vectors(source, source.randint(1, 8), size, 2)
        ]
        found = min_norm(points)
        assert found.point == brute_force.shortest(points)
        assert proves(Combination(found.weights), found.point, points)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_the_shortest_vector_is_optimal_in_higher_dimensions(seed: int) -> None:
    source = random.Random(seed)
    points = [(Fraction(3), *p) for p in some_vectors(source, 60, 8, 4)]
    found = min_norm(points)
    x: Point = found.point  # type: ignore[assignment]
    assert all(dot(x, p) >= dot(x, x) > 0 for p in points)
    assert proves(Combination(found.weights), x, points)


def test_shortest_vectors_of_degenerate_and_irrational_points() -> None:
    assert min_norm([(), ()]) == MinNorm((), (1, 0))
    assert min_norm([(ONE, ONE)] * 3).point == (1, 1)
    assert min_norm([(ONE, ONE), (-ONE, -ONE), (TWO, ONE)]).point == (0, 0)
    assert min_norm([(ROOT, ZERO), (ZERO, ROOT)]).point == (times(ROOT, HALF), times(ROOT, HALF))
    assert min_norm([(ROOT, ZERO), (ZERO, ONE)]).weights == (Fraction(1, 3), Fraction(2, 3))
    assert min_norm([(PI, ONE), (PI, -ONE)]).point == (PI, ZERO)
    with pytest.raises(ValueError, match="must be one"):
        min_norm([])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_sums_of_segments_agree_with_the_hull_of_their_vertices(size: int) -> None:
    source = random.Random(size)
    kinds = set()
    for _ in range(40):
        base, sides = some_vector(source, size, 2), some_vectors(source, source.randint(0, 5), size, 2)
        corners = brute_force.vertices(base, sides)
        target = some_vector(source, size, 3)
        found = segments_member(target, base, sides)
        kinds.add(type(found))
        assert isinstance(found, SegmentCombination) == isinstance(membership(target, corners), Combination)
        if isinstance(found, SegmentCombination):
            total = tuple(b + dot(found.coefficients, [s[k] for s in sides]) for k, b in enumerate(base))  # type: ignore[arg-type]
            assert total == target and all(0 <= x <= 1 for x in found.coefficients)
        else:
            assert max(dot(found.direction, v) for v in corners) == found.support_value  # type: ignore[arg-type]
            assert dot(found.direction, target) == found.target_value > found.support_value  # type: ignore[arg-type]
        assert segments_min_norm(base, sides).point == min_norm(corners).point
    assert kinds == {SegmentCombination, SegmentSeparation}


def test_weights_with_irrational_denominators_are_proved() -> None:
    triangle = [(PI, ZERO, ONE), (-ONE, PI, ROOT), (ZERO, -ROOT, PI)]
    inside = tuple(times(plus(plus(a, b), c), Fraction(1, 3)) for a, b, c in zip(*triangle, strict=True))
    assert membership(inside, triangle) == Combination((Fraction(1, 3),) * 3)
    assert isinstance(
        membership((Fraction(3), Fraction(3)), [(ZERO, ZERO), (Fraction(5), PI), (PI, Fraction(5))]),
        Combination,
    )
    assert isinstance(min_norm(triangle), MinNorm)
    sides = [(ROOT, ZERO), (ONE, ONE), (ZERO, TWO), (-ONE, PI)]
    assert isinstance(segments_member((ROOT, PI), (ZERO, ZERO), sides), SegmentCombination)


def test_sixty_segments_need_no_list_of_vertices() -> None:
    source = random.Random(1)
    sides = some_vectors(source, 60, 4, 5)
    centre = tuple(sum((s[k] for s in sides), ZERO) / 2 for k in range(4))
    assert isinstance(segments_member(centre, (ZERO,) * 4, sides), SegmentCombination)
    assert segments_min_norm(tuple(-x for x in centre), sides).point == (0, 0, 0, 0)
    far = tuple(sum((abs(s[k]) for s in sides), ONE) for k in range(4))
    assert isinstance(segments_member(far, (ZERO,) * 4, sides), SegmentSeparation)


def test_irrational_segments() -> None:
    sides = [(ROOT, ZERO), (ZERO, PI)]
    assert segments_member((ROOT, PI), (ZERO, ZERO), sides) == SegmentCombination((1, 1))
    beyond = (plus(ROOT, Fraction(1, 10**40)), PI)
    assert isinstance(segments_member(beyond, (ZERO, ZERO), sides), SegmentSeparation)
    assert segments_min_norm((ONE, -ONE), [(-ROOT, ZERO), (ZERO, ROOT)]).point == (0, 0)


def test_the_checkers_reject_what_is_wrong() -> None:
    points = [(ZERO, ZERO), (ONE, ZERO), (ZERO, ONE)]
    assert hull.check(Combination((ZERO, HALF, HALF)), (HALF, HALF), points)
    for weights in ((HALF, HALF, HALF), (ZERO, ONE, ZERO), (-ONE, ONE, ONE), (HALF, HALF), (ONE, HALF, HALF)):
        assert not hull.check(Combination(weights), (HALF, HALF), points)
    assert not hull.check(
        Combination((-ONE, ONE, ONE)), (ONE, ONE), points
    )  # the sum is right, a weight is not
    assert hull.check(Separation((ONE, ONE), TWO, ONE), (ONE, ONE), points)
    for wrong in (
        Separation((ONE, ONE), TWO, HALF),
        Separation((ONE, ONE), TWO, ONE + HALF),
        Separation((ONE, ONE), ONE, ONE),
        Separation((ONE, ONE), ONE, ZERO),
        Separation((ONE,), TWO, ONE),
        Separation((ZERO, ZERO), ZERO, ZERO),
    ):
        assert not hull.check(wrong, (ONE, ONE), points)
    assert nearest.check(MinNorm((HALF, HALF), (HALF, HALF)), points[1:])
    assert not nearest.check(MinNorm((ONE, ZERO), (ONE, ZERO)), points[1:])
    assert not nearest.check(MinNorm((HALF, HALF), (ONE, ZERO)), points[1:])
    assert not nearest.check(MinNorm((ZERO, ZERO), (TWO, -ONE)), [(ONE, ONE), (TWO, TWO)])
    assert not nearest.check(MinNorm((HALF,), (HALF, HALF)), points[1:])
    sides = points[1:]
    assert segments.check(SegmentCombination((HALF, ONE)), (HALF, ONE), (ZERO, ZERO), sides)
    assert not segments.check(SegmentCombination((TWO, ONE)), (TWO, ONE), (ZERO, ZERO), sides)
    assert not segments.check(SegmentCombination((-ONE, ONE)), (-ONE, ONE), (ZERO, ZERO), sides)
    assert not segments.check(SegmentCombination((HALF, HALF)), (HALF, ONE), (ZERO, ZERO), sides)
    assert segments.check(SegmentSeparation((ONE, ONE), Fraction(3), TWO), (TWO, ONE), (ZERO, ZERO), sides)
    assert not segments.check(
        SegmentSeparation((ONE, ONE), Fraction(3), ONE), (TWO, ONE), (ZERO, ZERO), sides
    )
    assert not segments.check(SegmentSeparation((ONE, ONE), TWO, TWO), (ONE, ONE), (ZERO, ZERO), sides)
    short = segments.SegmentMinNorm((ONE, ONE), (ZERO, ZERO))
    assert segments.check_min_norm(short, (ONE, ONE), sides)
    assert not segments.check_min_norm(short, (ONE, ONE), [(-ONE, ZERO), (ZERO, ONE)])


def test_a_wrong_certificate_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hull, "_combination", lambda ring, answer, count: Combination((ONE,) * count))
    with pytest.raises(AssertionError, match="wrong certificate"):
        membership((HALF,), [(ZERO,), (ONE,)])
    monkeypatch.setattr(nearest, "nearest", lambda ring, start, lowest: nearest.Corral((start,), (1,), 1))
    with pytest.raises(AssertionError, match="wrong certificate"):
        min_norm([(TWO,), (ONE,)])
