"""The oracle on programs with known answers, and the judge on answers that are wrong on purpose."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.generator import CLASSES, Case, case
from tests.oracle.hulls import extreme, in_hull, open_cone
from tests.oracle.judge import ad_vector, contradictions, disagreements, doubts, linear, undecided
from tests.oracle.numbers import Executed, Rules, point_of, vertices_of_field
from tests.oracle.programs import (
    Node,
    Program,
    absolute,
    call,
    choose,
    evaluate,
    fraction_of,
    maximum,
    median,
    minimum,
    node,
    nth,
    operations,
    relu,
)
from tests.oracle.sampling import Seen, all_cones, piecewise_affine, seen
from tests.oracle.veils import guarded, nonnegative, veil

DATA = Path(__file__).resolve().parent.parent / "data" / "cases.json"
ROWS = {row["id"]: row for row in json.loads(DATA.read_text(encoding="utf-8"))["cases"]}


def _relu2(t: Node) -> Node:
    return relu(-t) + t


def _sorting_network(x: Node, y: Node, z: Node) -> Node:
    low, high = minimum(x, y), maximum(x, y)
    middle = minimum(high, z)
    return (minimum(low, middle) + maximum(low, middle)) + maximum(high, z)


def _square(t: Node) -> Node:
    return t * t


# The programs of the rows of the same id, written by hand as trees.
TREES: dict[str, Callable[..., Node]] = {
    "th-A1": lambda x: relu(x),
    "th-A3": lambda x: call("relu3", x),
    "th-A4": lambda x: _relu2(x) - relu(x),
    "th-A5": lambda x: relu(x) - relu(-x),
    "th-A8": lambda x: relu(relu(x)) - relu(x),
    "th-A11": lambda x: x + -4 * (_relu2(x) - relu(x)),
    "th-A15": lambda x: _square(relu(x) - relu(-x) - 1),
    "th-A16": lambda x: relu(x) - relu(x),
    "th-A21": lambda x: minimum(relu(x + 3 + 3), 6) / 6 + minimum(relu(x - 3 + 3), 6) / 6,
    "th-A23": lambda x: absolute(x) + (x - absolute(x)),
    "th-A25": lambda x: minimum(relu(x), relu(-x)),
    "th-B2": lambda x: absolute(x),
    "th-B4": lambda x: maximum(x, -x) - absolute(x),
    "th-B9": lambda x: x / (absolute(x) + 1),
    "th-B10": lambda x: absolute(x) / (absolute(x) + 1),
    "th-B12": lambda x: absolute(relu(x) - relu(-x)),
    "th-C1": lambda x: relu(x * x),
    "th-C3": lambda x: relu(x * x * x),
    "th-C5": lambda x: relu(x * x - 2 * x + 1),
    "th-D1": lambda x: choose(x, "==", 0, 0, x),
    "th-D3": lambda x: choose(x, ">", 0, x, choose(x, "<", 0, x, 0)),
    "th-D4": lambda x: choose(x * x, ">", 0, x, 0),
    "th-D12": lambda x: choose(x - 1, "<", 0, x * x, 2 * x - 1),
    "th-D13": lambda x: choose(relu(x), "==", 0, 0, x),
    "th-D14": lambda x: choose(relu(x), "==", 0, 0, x),
    "th-F1": lambda x, y: relu(x - y * y) - relu(y * y - x),
    "th-F3": lambda x, y: minimum(x, y) + maximum(x, y),
    "th-F8": lambda x, y: choose(x - y, "==", 0, x, (x + y) * Fraction(1, 2)),
    "th-F12": lambda x, y: absolute(x * y),
    "th-F14": lambda x, y: relu(x) * y - relu(-x) * y,
    "th-F17": lambda x, y: relu(x * x - absolute(y)),
    "th-F22": lambda x, y: y - x * x + relu(x * x - y) - relu(y),
    "th-F25": lambda x, y: relu(x) + relu(y) - relu(x + y),
    "th-F26": lambda x, y: x + relu(-x) + (y + relu(-y)) - relu(x + y),
    "th-F30": lambda x, y: maximum(minimum(x, -y), y - x),
    "th-F33": lambda x, y: maximum(x + y, y) - maximum(-x + y, y),
    "th-F35": lambda x, y: minimum(maximum(relu(x), relu(y)), maximum(relu(-x), relu(-y))),
    "th-F36": lambda x, y: minimum(
        (x**2 + (y - 1) ** 2) * Fraction(1, 2), (y**2 + (x - 1) ** 2) * Fraction(1, 2)
    ),
    "th-G1": _sorting_network,
    "th-G3": lambda x, y, z: maximum(x, y, z),
    "th-G5": lambda x, y, z: maximum(x, maximum(y, z)) - maximum(maximum(x, y), z),
    "th-G6": lambda x, y, z: relu(x - y * z) - relu(y * z - x),
}


def _vector(entries: Any) -> tuple[Fraction, ...]:
    return tuple(Fraction(entry) for entry in entries)


@cache
def _case(name: str) -> Case:
    row = ROWS[name]
    inputs = tuple(row["point"])
    tree = TREES[name](*(Node("var", (), index) for index in range(len(inputs))))
    program, ties = Program(inputs, tree), row["ties"]
    rules = Rules(Fraction(ties["relu"]), Fraction(ties["abs"]), ties["max"], ties["min"])
    return Case(name, program, _vector(row["point"].values()), rules, affine=piecewise_affine(program))


@cache
def _truth(name: str) -> Seen:
    asked = _case(name)
    return seen(asked.program, asked.point, affine=asked.affine)


@pytest.mark.parametrize("name", TREES)
def test_the_limiting_gradients_of_known_programs_are_found(name: str) -> None:
    expected = ROWS[name]["expect"]
    assert extreme(_truth(name).proved) == {_vector(v) for v in expected["clarke"]}


@pytest.mark.parametrize("name", TREES)
def test_slopes_tell_whether_there_is_a_gradient(name: str) -> None:
    gradient = ROWS[name]["expect"]["gradient"]
    assert linear(_truth(name).slopes) == ((False, None) if gradient is None else (True, _vector(gradient)))


@pytest.mark.parametrize("name", TREES)
def test_what_ad_returns_and_the_field_are_those_of_known_programs(name: str) -> None:
    expected, asked = ROWS[name]["expect"], _case(name)
    assert ad_vector(asked) == _vector(expected["ad"])
    if "if" not in operations(asked.program):
        field = vertices_of_field(asked.program, point_of(asked.point), 1000)
        assert field == {_vector(v) for v in expected["field"]}


def _at_origin(build: Callable[..., Node], size: int, **options: Any) -> Seen:
    tree = build(*(Node("var", (), index) for index in range(size)))
    return seen(Program(("x", "y", "z")[:size], tree), (Fraction(0),) * size, affine=False, **options)


def _sets(*vectors: tuple[int, ...]) -> set[tuple[Fraction, ...]]:
    return {_vector(vector) for vector in vectors}


def test_a_cell_between_two_tangent_curves_of_the_same_curvature_is_found() -> None:
    found = _at_origin(lambda x, y: minimum(relu(y - x**2), relu(x**2 + x**3 - y)), 2, curves=240)
    assert found.proved == _sets((0, 0), (0, 1), (0, -1))


def test_a_half_pipe_is_not_taken_for_smooth() -> None:
    found = _at_origin(lambda x, y: relu(y**2 - relu(x)), 2)
    assert found.proved == _sets((0, 0), (-1, 0))


def test_an_empty_cell_is_not_found() -> None:
    """y > x^2 and y < 0: its tangent cone is that of a cell that is there."""
    found = _at_origin(lambda x, y: minimum(relu(y - x**2), relu(-y)), 2)
    assert found.proved == _sets((0, 0))


def test_a_switch_that_vanishes_identically_does_not_hide_a_cell() -> None:
    found = _at_origin(lambda x: relu(relu(x) - relu(x)) + absolute(x), 1)
    assert found.proved == _sets((1,), (-1,))


def test_a_thin_stratum_gives_no_limit_but_its_slopes() -> None:
    found = _at_origin(lambda x, y: choose(x, "==", 0, absolute(y) + x, absolute(y)), 2)
    assert found.proved == _sets((0, 1), (0, -1))
    assert {s.slope for s in found.slopes if s.direction == (0, -1)} == {Fraction(1)}


def test_a_jump_inside_a_stratum_is_seen() -> None:
    assert _at_origin(lambda x, y: choose(x, ">", 0, 1, choose(y, ">", 0, 0, 0)), 2).jumps
    assert not _at_origin(lambda x, y: choose(x, ">", 0, relu(y), relu(y)), 2).jumps


def test_orderings_follow_the_kth_value() -> None:
    assert _at_origin(lambda x, y, z: nth([x, y, z], 0), 3).proved == _sets((1, 0, 0), (0, 1, 0), (0, 0, 1))
    assert _at_origin(lambda x, y: median([x, x, y]), 2).proved == _sets((1, 0))


@pytest.mark.parametrize("seed", range(60))
def test_rays_and_scales_find_nothing_that_the_cones_do_not_have(seed: int) -> None:
    """Two ways that share only the evaluation."""
    asked = case("affine", seed)
    cones = all_cones(asked.program, asked.point)
    sampled = seen(asked.program, asked.point, affine=False, seed=seed, curves=400)
    assert cones is not None
    assert sampled.proved | sampled.persistent <= cones
    if len(asked.point) <= 2:
        assert sampled.proved == cones


@pytest.mark.parametrize("kind", CLASSES)
def test_cases_are_what_their_class_says(kind: str) -> None:
    for seed in range(15):
        asked = case(kind, seed)
        truth = seen(asked.program, asked.point, affine=asked.affine, curves=80)
        assert asked.text == case(kind, seed).text
        assert truth.jumps != asked.continuous or (kind == "veiled" and not truth.jumps)
        assert not asked.affine or piecewise_affine(asked.program)
        assert asked.gradient is None or truth.proved == {asked.gradient}
        assert asked.ad is None or ad_vector(asked) in (None, asked.ad)
        if asked.only_zero is not None:
            assert asked.only_zero == (truth.proved == {(Fraction(0),) * len(asked.point)})
        if asked.partner is not None and truth.complete:
            other = asked.transformed()
            found = seen(other.program, other.point, affine=False)
            assert found.proved <= {asked.partner.image(vector) for vector in truth.proved}


def test_veils_vanish_only_where_they_should() -> None:
    rng = random.Random(0)
    x, y = (Node("var", (), index) for index in range(2))
    numbers = [Fraction(k, 3) for k in range(-4, 5)]

    def value(at: Node, *point: Fraction) -> Fraction:
        return fraction_of(evaluate(Program(("x", "y"), at), point_of(point), Executed()))

    for _ in range(80):
        one, two = veil(rng, x), nonnegative(rng, rng.choice(([x, y], [x, y + x])))
        for a in numbers:
            assert (value(one, a, Fraction(0)) == 0) == (a == 0)
            for b in numbers:
                assert value(two, a, b) >= 0
                assert (value(two, a, b) == 0) == (a == b == 0)


def test_what_is_guarded_is_on_the_thin_set_only() -> None:
    rng = random.Random(0)
    x, y = (Node("var", (), index) for index in range(2))
    for number in range(80):
        functions = [x] if number % 2 else [x, y - x]
        made = Program(("x", "y"), guarded(rng, functions, node(7), node(0)))
        for a, b in product((-1, 0, 1), repeat=2):
            found = evaluate(made, point_of((Fraction(a), Fraction(b))), Executed())
            assert (found == 7) == (a == 0 if number % 2 else a == b == 0)


def _by_areas(point: tuple[int, int], points: list[tuple[int, int]]) -> bool:
    """In the plane: in a triangle of the points (Caratheodory), by signs of areas; degenerate ones by their sides."""

    def area(a: Any, b: Any, c: Any) -> int:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    def between(a: Any, b: Any) -> bool:
        inside = all(min(s, t) <= u <= max(s, t) for s, t, u in zip(a, b, point, strict=True))
        return area(a, b, point) == 0 and inside

    if any(between(a, b) for a, b in product(points, repeat=2)):
        return True
    triangles = ((a, b, c) for a, b, c in product(points, repeat=3) if area(a, b, c) > 0)
    return any(min(area(a, b, point), area(b, c, point), area(c, a, point)) >= 0 for a, b, c in triangles)


def test_hulls_agree_with_areas_in_the_plane() -> None:
    rng = random.Random(0)
    inside = 0
    for _ in range(300):
        points = [(rng.randint(-3, 3), rng.randint(-3, 3)) for _ in range(rng.randint(1, 6))]
        point = (rng.randint(-2, 2), rng.randint(-2, 2))
        expected = _by_areas(point, points)
        inside += expected
        assert in_hull(_vector(point), [_vector(p) for p in points]) == expected
    assert 50 < inside < 250


def test_open_cones() -> None:
    assert open_cone([_vector((1, 0)), _vector((-1, 1))])
    assert not open_cone([_vector((1, 0)), _vector((-1, 1)), _vector((0, -1))])
    assert not open_cone([_vector((0, 0))])


# The judge


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change of a right answer; None where it would change nothing."""

    name: str
    apply: Callable[[dict[str, Any]], dict[str, Any] | None]


def _row(asked: Case, entries: Any) -> dict[str, str] | None:
    return None if entries is None else dict(zip(asked.program.inputs, map(str, entries), strict=True))


def right_answer(name: str) -> dict[str, Any]:
    """The JSON of a row of known answers; the limiting gradients are those found."""
    asked, truth, expected = _case(name), _truth(name), ROWS[name]["expect"]
    ad = _row(asked, expected["ad"])
    limits = sorted(truth.proved)
    zero = (Fraction(0),) * len(asked.point)

    def rows(vectors: Any) -> dict[str, Any]:
        return {"vertices": [_row(asked, vector) for vector in vectors], "complete": True}

    field = [_vector(v) for v in expected["field"]]
    return {
        "value": str(truth.value),
        "ad": {"forward": ad, "backward": ad},
        "field": rows(field),
        "bouligand": rows(limits),
        "clarke": rows(expected["clarke"]),
        "gradient": _row(asked, expected["gradient"]),
        "lexicographic": _row(asked, limits[0]),
        "min_norm": _row(asked, zero) if expected["clarke_critical"] else _row(asked, _shortest(limits)),
        "verdict": expected["verdict"],
        "ad_critical": expected["ad_critical"],
        "field_critical": in_hull(zero, field),
        "clarke_critical": expected["clarke_critical"],
        "artificial_critical": expected["artificial_critical"],
    }


def _shortest(vectors: list[tuple[Fraction, ...]]) -> tuple[Fraction, ...] | None:
    """Of a single vector, or of the equally long ones of a simplex: their mean."""
    mean = tuple(sum(column, Fraction(0)) / len(vectors) for column in zip(*vectors, strict=True))
    products = {sum(a * b for a, b in zip(mean, vector, strict=True)) for vector in vectors}
    return mean if len(products) == 1 else None


def _changed(*keys: str, to: Callable[[Any], Any]) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    def apply(answer: dict[str, Any]) -> dict[str, Any] | None:
        made = deepcopy(answer)
        place = made
        for key in keys[:-1]:
            place = place[key]
        if place[keys[-1]] is None:
            return None
        place[keys[-1]] = to(place[keys[-1]])
        return None if made == answer else made

    return apply


def _moved(row: dict[str, str]) -> dict[str, str]:
    name = next(iter(row))
    return {**row, name: str(Fraction(row[name]) + Fraction(5, 7))}


def _no_gradient(answer: dict[str, Any]) -> dict[str, Any] | None:
    return None if answer["gradient"] is None else {**answer, "gradient": None}


def _invented_gradient(answer: dict[str, Any]) -> dict[str, Any] | None:
    return None if answer["gradient"] is not None else {**answer, "gradient": answer["min_norm"]}


MUTATIONS = (
    *(
        Mutation(f"{name} loses a vertex", _changed(name, "vertices", to=lambda rows: rows[:-1]))
        for name in ("bouligand", "clarke", "field")
    ),
    *(
        Mutation(
            f"{name} gains a vertex", _changed(name, "vertices", to=lambda rows: [*rows, _moved(rows[-1])])
        )
        for name in ("bouligand", "clarke")
    ),
    *(
        Mutation(f"{name} is moved", _changed(name, to=_moved))
        for name in ("gradient", "lexicographic", "min_norm")
    ),
    Mutation("AD is moved", _changed("ad", "backward", to=_moved)),
    Mutation("forward AD is moved", _changed("ad", "forward", to=_moved)),
    *(
        Mutation(f"verdict {word}", _changed("verdict", to=lambda _, word=word: word))
        for word in ("exact", "inexact", "clarke", "spurious", "undefined", "discontinuous", "wrong")
    ),
    *(
        Mutation(f"{flag} is flipped", _changed(flag, to=lambda value: not value))
        for flag in ("ad_critical", "field_critical", "clarke_critical", "artificial_critical")
    ),
    Mutation("the value is wrong", _changed("value", to=lambda value: str(Fraction(value) + 1))),
    Mutation("a gradient is denied", _no_gradient),
    Mutation("a gradient is invented", _invented_gradient),
)


@pytest.mark.parametrize("name", TREES)
def test_a_right_answer_is_not_refuted(name: str) -> None:
    answer = right_answer(name)
    assert contradictions(_case(name), answer, _truth(name)) == []
    assert doubts(_case(name), answer, _truth(name)) == []


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_wrong_answer_is_refuted(name: str, mutation: Mutation) -> None:
    mutated = mutation.apply(right_answer(name))
    if mutated is not None:
        asked, truth = _case(name), _truth(name)
        found = contradictions(asked, mutated, truth)
        if (
            mutation.apply is _no_gradient
        ):  # where f is differentiable, not strictly, and rays are all there is
            found += doubts(asked, mutated, truth)
        assert found


def test_an_answer_that_says_nothing_is_undecided_and_not_refuted() -> None:
    answer = {"value": "0", "ad": {}, "verdict": "unknown"}
    assert contradictions(_case("th-A4"), answer, _truth("th-A4")) == []
    assert "verdict" in undecided(answer) and "clarke" in undecided(answer)
    assert undecided({"verdict": "discontinuous"}) == []


def test_answers_to_a_pair_correspond() -> None:
    asked = next(made for seed in range(100) if (made := case("invariance", seed)).affine)
    truth, partner = seen(asked.program, asked.point, affine=True), asked.partner
    assert partner is not None and truth.complete

    def answer(vectors: Any) -> dict[str, Any]:
        rows = {"vertices": [_row(asked, vector) for vector in vectors], "complete": True}
        return {"verdict": "clarke", "bouligand": rows, "ad": {"backward": rows["vertices"][0]}}

    right = answer(sorted(truth.proved)), answer(map(partner.image, sorted(truth.proved)))
    assert disagreements(asked, *right) == []
    assert disagreements(asked, right[0], {**right[1], "verdict": "spurious"})
    assert disagreements(asked, right[0], answer(map(partner.image, sorted(truth.proved)[1:])))
    moved = {"backward": _moved(right[1]["ad"]["backward"])}
    assert disagreements(asked, right[0], {**right[1], "ad": moved})
