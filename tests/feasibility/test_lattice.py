"""All strata of programs of affine guards: recorded truth, closed forms, and a second method from scratch."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from hashlib import sha256
from itertools import combinations, product
from math import comb, factorial
from pathlib import Path
from typing import Any

import pytest

from cfcompiler.feasibility.faces import Stratification
from cfcompiler.feasibility.lattice import Affine, Halfspace, Region, box
from cfcompiler.feasibility.stratification import Walk, stratify
from cfcompiler.numbers import TooLarge
from tests.feasibility.paths import feasible, paths, signed
from tests.feasibility.walks import Arrangement, Branches, Signs, network

NETS = Path(__file__).parent.parent / "data" / "nets"
NETWORKS = sorted(path.stem for path in NETS.glob("[gp]_*.json"))
ARRANGEMENTS = sorted(path.stem for path in NETS.glob("a_*.json"))
MOST = 10**6


def read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((NETS / f"{name}.json").read_text(encoding="utf-8"))
    return data


def exact(entries: list[str]) -> tuple[Fraction, ...]:
    return tuple(Fraction(entry) for entry in entries)


def read_network(data: dict[str, Any], *, closed: bool) -> tuple[Region, Walk[Any]]:
    bounds = list(zip(exact(data["domain"]["lo"]), exact(data["domain"]["hi"]), strict=True))
    layers = [([exact(row) for row in layer["W"]], exact(layer["b"])) for layer in data["layers"][:-1]]
    return box(bounds, closed=closed), network(layers, len(bounds))


def euler(counts: tuple[int, ...]) -> int:
    return sum((-1) ** dimension * count for dimension, count in enumerate(counts))


# Recorded truth


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_its_strata_and_their_signs(name: str) -> None:
    data = read(name)
    region, walk = read_network(data, closed=True)
    found = stratify(region, walk, most=MOST)
    assert found.f_vector == found.face_vector == tuple(data["truth"]["f_vector"])
    assert euler(found.f_vector) == 1
    texts: list[list[str]] = [[] for _ in found.f_vector]
    for stratum in found.strata:
        sides = "".join("0" if place in stratum.boundary else "+" for place in range(len(region.halfspaces)))
        texts[stratum.dimension].append(sides + "".join("0+-"[sign] for _, sign in stratum.signs))
    digests = [
        sha256("".join(f"{text}\n" for text in sorted(lines)).encode()).hexdigest()[:32] for lines in texts
    ]
    assert digests == data["truth"]["lattice"]["sign_digest"]


@pytest.mark.parametrize("name", NETWORKS)
def test_an_open_box_has_the_strata_inside(name: str) -> None:
    data = read(name)
    region, walk = read_network(data, closed=False)
    found = stratify(region, walk, most=MOST)
    assert list(found.f_vector) == data["truth"]["lattice"]["interior_f"]
    assert euler(found.f_vector) == (-1) ** region.dimension


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_an_arrangement_divides_the_whole_space(name: str) -> None:
    data = read(name)
    offsets, normals = exact(data["offsets"]), [exact(row) for row in data["normals"]]
    functions = tuple((-offset, *normal) for offset, normal in zip(offsets, normals, strict=True))
    found = stratify(Region(data["dim"]), Arrangement(functions), most=MOST)
    assert found.f_vector == found.face_vector == tuple(data["truth"]["f_vector"])


# Closed forms


@pytest.mark.parametrize(("n", "d"), [(0, 2), (1, 2), (9, 2), (7, 3), (6, 4), (3, 4)])
def test_hyperplanes_in_general_position(n: int, d: int) -> None:
    # the moment curve: every d of the normals are independent, every d + 1 of the functions too
    functions = tuple(tuple(t**power for power in range(d, -1, -1)) for t in range(2, n + 2))
    found = stratify(Region(d), Arrangement(functions), most=MOST)
    regions = [sum(comb(n - (d - k), i) for i in range(k + 1)) if n >= d - k else 0 for k in range(d + 1)]
    assert found.f_vector == tuple(comb(n, d - k) * regions[k] for k in range(d + 1))
    assert n == 0 or d != 2 or found.f_vector[2] == 1 + n + n * (n - 1) // 2


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_the_braid_arrangement_has_a_cell_a_permutation(n: int) -> None:
    functions = tuple(
        tuple((k == i + 1) - (k == j + 1) for k in range(n + 1)) for i, j in combinations(range(n), 2)
    )
    found = stratify(Region(n), Arrangement(functions), most=MOST)
    assert found.f_vector[n] == factorial(n)
    # a face of dimension k is an ordered partition into k blocks
    onto = [sum((-1) ** (k - i) * comb(k, i) * i**n for i in range(k + 1)) for k in range(n + 1)]
    assert list(found.f_vector) == onto
    lineality = next(stratum for stratum in found.strata if stratum.dimension == 1)
    assert lineality.cells == tuple(s.index for s in found.strata if s.dimension == n)


# Programs with branches


def plane(program: Any, **more: Any) -> Stratification[Any]:
    return stratify(Region(2), Branches(program, **more), most=MOST)


def test_a_guard_met_on_one_side_divides_the_line_for_its_neighbours_only() -> None:
    def program(signs: Signs) -> Affine | None:
        if not signs:
            return (0, 1, 0)
        return (0, -1, 1) if signs == (1,) else None

    found = plane(program)
    assert found.f_vector == (0, 2, 3)  # the line x = 0 is one stratum
    assert found.face_vector == (1, 3, 3)  # along which what touches it changes at the origin
    origin = found.faces[0]
    assert len(origin.cells) == 3 and found.strata[origin.stratum].signs == ((0, 0),)
    (line,) = [stratum for stratum in found.strata if stratum.signs == ((0, 0),)]
    assert len(line.faces) == 3 and line.cells == origin.cells
    assert sorted(len(found.faces[face].cells) for face in line.faces) == [2, 2, 3]


def test_a_guard_met_on_a_thin_stratum_divides_that_alone() -> None:
    def program(signs: Signs) -> Affine | None:
        if not signs:
            return (0, 1, -1)
        return (-1, 1, 0) if signs == (0,) else None

    found = plane(program)
    assert found.f_vector == found.face_vector == (1, 2, 2)
    assert found.strata[0].witness == (1, 1)
    assert all(len(face.cells) == 2 for face in found.faces if face.dimension < 2)


def test_a_guard_may_be_another_function_on_each_stratum() -> None:
    shifts = {(-1,): -1, (0,): 1, (1,): 0}

    def program(signs: Signs) -> Affine | None:
        return ((0, 1, 0) if not signs else (shifts[signs], 0, 1)) if len(signs) < 2 else None

    found = plane(program)
    assert found.f_vector == (1, 4, 4)
    assert found.face_vector == (3, 6, 4)
    (point,) = [stratum for stratum in found.strata if stratum.dimension == 0]
    assert point.witness == (0, -1) and len(point.cells) == 2


def test_a_guard_that_is_zero_everywhere_divides_nothing() -> None:
    def program(signs: Signs) -> Affine | None:
        return ((0, 0, 0), (0, 1, 0), (3, 0, 0))[len(signs)] if len(signs) < 3 else None

    assert plane(program).f_vector == (0, 1, 2)


def test_outside_of_the_domain_nothing_is_counted_and_nothing_touches() -> None:
    def program(signs: Signs) -> Affine | None:
        return ((0, 1, 0), (0, 0, 1))[len(signs)] if len(signs) < 2 else None

    found = plane(program, domain=lambda signs: signs[0] >= 0)
    assert found.f_vector == (1, 3, 2)
    assert all(
        len(face.cells) == (2 if face.dimension == 0 or face.stratum == 0 else 1) for face in found.faces[:1]
    )
    assert sorted(len(face.cells) for face in found.faces if face.dimension == 1) == [1, 1, 2]


def test_an_edge_outside_of_the_domain_still_joins_what_it_touches() -> None:
    def program(signs: Signs) -> Affine | None:
        return ((0, 1, 0), (0, 0, 1))[len(signs)] if len(signs) < 2 else None

    found = plane(program, domain=lambda signs: len(signs) < 2 or signs.count(0) != 1)
    assert found.f_vector == (1, 0, 4)
    assert found.strata[0].cells == (1, 2, 3, 4)


def test_too_many_strata_are_refused() -> None:
    lines = Arrangement(tuple((-i, 1, i) for i in range(1, 9)))
    with pytest.raises(TooLarge):
        stratify(Region(2), lines, most=20)


def test_a_function_of_a_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="3 coordinates in 2 dimensions"):
        stratify(Region(2), Arrangement(((0, 1, 1, 1),)), most=MOST)


def test_a_stratum_may_have_very_many_faces() -> None:
    n = 1100  # more than Python's calls can be nested

    def program(signs: Signs) -> Affine | None:
        """On x > 0 the lines y = 1, ..., n, one after another; x <= 0 is left alone."""
        if not signs:
            return (0, 1, 0)
        beyond = signs[0] == 1 and len(signs) <= n and (len(signs) == 1 or signs[-1] == -1)
        return (len(signs), 0, -1) if beyond else None

    found = plane(program)
    (line,) = [stratum for stratum in found.strata if stratum.signs == ((0, 0),)]
    assert len(line.faces) == 2 * n + 1
    assert max(len(found.faces[face].cells) for face in line.faces) == 3


@pytest.mark.parametrize("seed", range(6))
def test_strata_are_in_the_order_of_their_signs(seed: int) -> None:
    found = stratify(Region(2), random_program(seed, 2), most=MOST)
    keys = [(stratum.dimension, [sign for _, sign in stratum.signs]) for stratum in found.strata]
    assert keys == sorted(keys)
    assert [stratum.index for stratum in found.strata] == list(range(len(found.strata)))


# Regions


@pytest.mark.parametrize(
    ("region", "counts"),
    [
        (Region(0), (1,)),
        (Region(1), (0, 1)),
        (box([(0, 1)] * 3, closed=True), (8, 12, 6, 1)),
        (box([(0, None), (None, None)], closed=True), (0, 1, 1)),
        (box([(0, 0), (0, 2)], closed=True), (2, 1)),
        (box([(0, 0), (0, 2)], closed=False), (0,)),
        (box([(1, 0)], closed=True), (0,)),
        (
            Region(2, (Halfspace((1, 1, 1), False), Halfspace((0, 1, 0), True), Halfspace((0, 0, 1), False))),
            (0, 1, 1),
        ),
        (
            Region(
                2, (Halfspace((1, -1, -1), False), Halfspace((0, 1, 0), False), Halfspace((0, 0, 1), False))
            ),
            (3, 3, 1),
        ),
        (Region(2, (Halfspace((-1, 1, 1), False), Halfspace((1, -1, -1), False))), (0, 1)),
    ],
)
def test_a_region_has_its_faces(region: Region, counts: tuple[int, ...]) -> None:
    assert stratify(region, Arrangement(()), most=MOST).f_vector == counts


# Random programs, against the second method


def random_program(seed: int, d: int) -> Branches:
    """Guards with small coefficients, so that ties abound; which is met, and where the program ends, depends on the
    signs so far."""
    chance = random.Random(seed)
    functions = [tuple(chance.choice((-1, 0, 0, 1, 1, 2)) for _ in range(d + 1)) for _ in range(6)]
    depth, kind = chance.choice((3, 4)), chance.choice(("same", "each", "kinks"))

    def program(signs: Signs) -> Affine | None:
        if len(signs) == depth:
            return None
        if kind == "same":
            return functions[len(signs)]
        if kind == "kinks":  # a sum of relus of earlier ones, as in a network: continuous
            total = list(functions[len(signs)])
            for place, sign in enumerate(signs):
                if sign > 0:
                    weight = (place + len(signs)) % 3 - 1
                    total = [a + weight * b for a, b in zip(total, program(signs[:place]) or (), strict=True)]
            return tuple(total)
        own = random.Random(f"{seed} {signs}")
        return None if own.random() < 0.2 and signs else own.choice(functions)

    return Branches(
        program, lambda signs: kind != "each" or random.Random(f"{seed} {signs} in").random() < 0.95
    )


def random_region(seed: int, d: int) -> Region:
    chance = random.Random(seed)
    return chance.choice(
        (
            Region(d),
            box([(-1, 1)] * d, closed=True),
            box([(-1, 2)] * d, closed=False),
            box([(0, None), *[(None, 1)] * (d - 1)], closed=True),
            Region(d, (Halfspace((1, *(1,) * d), False), Halfspace((0, 1, *(-1,) * (d - 1)), True))),
        )
    )


CASES = [(seed, d) for d in (1, 2, 3) for seed in range({1: 10, 2: 40, 3: 14}[d])]


@pytest.mark.parametrize(("seed", "d"), CASES)
def test_a_random_program_has_the_strata_of_the_second_method(seed: int, d: int) -> None:
    region, walk = random_region(seed, d), random_program(seed, d)
    found = stratify(region, walk, most=MOST)
    expected = paths(region, walk)
    assert {(s.boundary, s.signs): s.dimension for s in found.strata} == {
        path: size for path, (size, _) in expected.items()
    }
    for stratum in found.strata:
        _, conditions = expected[(stratum.boundary, stratum.signs)]
        assert path_at(region, walk, stratum.witness) == (stratum.boundary, stratum.signs)
        check_description(stratum.equations, stratum.inequalities, conditions)
        assert len(stratum.equations) == d - stratum.dimension
    for face in found.faces:
        stratum = found.strata[face.stratum]
        assert path_at(region, walk, face.witness) == (stratum.boundary, stratum.signs)


@pytest.mark.parametrize("seed", range(8))
def test_a_small_network_has_the_strata_of_the_second_method(seed: int) -> None:
    region, walk = random_region(seed, 2), random_network(seed, 2)
    found = stratify(region, walk, most=MOST)
    expected = {path: size for path, (size, _) in paths(region, walk).items()}
    assert {(s.boundary, s.signs): s.dimension for s in found.strata} == expected


def random_network(seed: int, d: int) -> Walk[Any]:
    """Two layers with small weights: blocks of guards, proportional ones and zero ones among them."""
    chance = random.Random(seed)

    def weights(size: int) -> list[Fraction]:
        return [Fraction(chance.choice((-1, 0, 0, 1, 1, 2))) for _ in range(size)]

    return network(
        [([weights(d) for _ in range(3)], weights(3)), ([weights(3) for _ in range(2)], weights(2))], d
    )


def path_at(region: Region, walk: Any, point: tuple[Fraction, ...]) -> Any:
    """What a point meets: the halfspaces that are 0, guards and signs; None outside of the region or the domain."""
    sides = [sign_at(halfspace.function, point) for halfspace in region.halfspaces]
    if any(side < 0 or (side == 0 and h.strict) for side, h in zip(sides, region.halfspaces, strict=True)):
        return None
    state, met = walk.start, []
    while (block := walk.block(state)) is not None:
        signs = tuple(sign_at(function, point) for function in block.functions)
        met += zip(block.names, signs, strict=True)
        state = walk.after(state, signs)
        if state is None:
            return None
    return tuple(place for place, side in enumerate(sides) if not side), tuple(met)


def sign_at(function: Affine, point: tuple[Fraction, ...]) -> int:
    value = function[0] + sum(a * b for a, b in zip(function[1:], point, strict=True))
    return (value > 0) - (value < 0)


def check_description(equations: Any, inequalities: Any, conditions: Any) -> None:
    """The same points as the conditions, and no inequality can be left out."""
    own = [*(signed(f, 0) for f in equations), *(signed(f, 1) for f in inequalities)]
    for function, kind in conditions:
        for sign in (-1, 0, 1):
            if sign != (0 if kind == "=" else 1):
                assert not feasible([*own, signed(function, sign)])
    for place in range(len(equations), len(own)):
        function = own[place][0]
        assert not feasible([*conditions, signed(function, -1)]) and not feasible(
            [*conditions, signed(function, 0)]
        )
        assert feasible([*own[:place], *own[place + 1 :], signed(function, -1)])


@pytest.mark.parametrize(("seed", "d"), [case for case in CASES if case[1] > 1])
def test_what_touches_a_face_is_what_lies_around_its_witness(seed: int, d: int) -> None:
    region, walk = random_region(seed, d), random_program(seed, d)
    found = stratify(region, walk, most=MOST)
    index = {(s.boundary, s.signs): s.index for s in found.strata}
    full = [
        (s, paths_conditions(region, walk, s)) for s in found.strata if s.dimension == found.dimension == d
    ]
    chance = random.Random(seed)
    for face in found.faces:
        witness = face.witness
        # the closure of a convex stratum that has no equation but 0 = 0: all inequalities, no longer strict
        touching = {
            s.index
            for s, conditions in full
            if all(sign_at(f, witness) in (0, sign) for f, sign in conditions)
        }
        assert set(face.cells) == touching
        for _ in range(4):
            step = tuple(Fraction(chance.randint(-99, 99), 10**9) for _ in range(d))
            near = path_at(region, walk, tuple(a + b for a, b in zip(witness, step, strict=True)))
            if near is not None and found.strata[index[near]].dimension == d:
                assert index[near] in face.cells
    for stratum in found.strata:
        assert set(stratum.cells) == {cell for face in stratum.faces for cell in found.faces[face].cells}


def paths_conditions(region: Region, walk: Any, stratum: Any) -> list[tuple[Affine, int]]:
    """The functions met on the path of a stratum with their signs, and the halfspaces."""
    state, conditions = walk.start, [(halfspace.function, 1) for halfspace in region.halfspaces]
    signs = [sign for _, sign in stratum.signs]
    while (block := walk.block(state)) is not None:
        own, signs = tuple(signs[: len(block.names)]), signs[len(block.names) :]
        conditions += zip(block.functions, own, strict=True)
        state = walk.after(state, own)
    return conditions


@pytest.mark.parametrize("seed", range(12))
def test_incidence_is_that_of_closures(seed: int) -> None:
    region, walk = random_region(seed, 2), random_program(seed, 2)
    found = stratify(region, walk, most=MOST)
    for face in found.faces:
        for other in found.faces:
            inside = other.dimension == face.dimension - 1 and all(
                sign_at(f, other.witness) in (0, sign) for f, sign in face.conditions
            )
            assert (other.index in face.facets) == (face.index in other.cofaces) == inside


@pytest.mark.parametrize("seed", range(12))
def test_coordinates_do_not_matter(seed: int) -> None:
    d = 2 + seed % 2
    region, walk = random_region(seed, d), random_program(seed, d)
    found = stratify(region, walk, most=MOST)
    chance = random.Random(seed)
    matrix = [[Fraction(int(i == j)) for j in range(d)] for i in range(d)]
    for _ in range(4):
        (i, j), factor = chance.sample(range(d), 2), chance.randint(-3, 3)
        matrix[i] = [a + factor * b for a, b in zip(matrix[i], matrix[j], strict=True)]
    matrix[0] = [3 * entry for entry in matrix[0]]
    shift = [Fraction(chance.randint(-5, 5), 7) for _ in range(d)]

    def moved(function: Affine | None) -> Affine | None:
        """The function after x = matrix y + shift."""
        if function is None:
            return None
        constant = function[0] + sum(a * b for a, b in zip(function[1:], shift, strict=True))
        return (constant, *(sum(function[i + 1] * matrix[i][j] for i in range(d)) for j in range(d)))

    halfspaces = tuple(Halfspace(moved(h.function) or (), h.strict) for h in region.halfspaces)
    other = stratify(
        Region(d, halfspaces), Branches(lambda signs: moved(walk.program(signs)), walk.domain), most=MOST
    )
    assert (other.f_vector, other.face_vector) == (found.f_vector, found.face_vector)
    assert [(s.boundary, s.signs, s.cells) for s in other.strata] == [
        (s.boundary, s.signs, s.cells) for s in found.strata
    ]


def test_every_point_is_in_one_stratum() -> None:
    data = read("p_int_2_8_8_1")
    region, walk = read_network(data, closed=True)
    found = stratify(region, walk, most=MOST)
    known = {(s.boundary, s.signs) for s in found.strata}
    assert len(known) == len(found.strata)
    for x, y in product(range(-12, 13), repeat=2):
        assert path_at(region, walk, (Fraction(x, 12), Fraction(y, 12))) in known
