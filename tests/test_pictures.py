"""Drawing data agree with what is proved: every number of a picture is that of `at` and of `strata`."""

from __future__ import annotations

import operator
from contextlib import suppress
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import isfinite
from typing import Any

import pytest
import sympy

import cfcompiler
from cfcompiler import gallery
from cfcompiler.analyses.formula_values import NotRational, exactly, floats, inside, polynomial
from cfcompiler.errors import CFError
from cfcompiler.report import Curve, Map, StratumReport

CURVES = [
    "zero",
    "relu2",
    "clip_pieces",
    "trap",
    "leaky_sum",
    "soft_threshold",
    "hard_sigmoids",
    "sine",
    "where_sqrt",
]
MAPS = ["crescent", "mifflin1", "thin_wedge", "parabola_seam", "khan_barton", "sat_gadget", "nesterov_abs"]


def compiled(text: str) -> cfcompiler.Compiled:
    return cfcompiler.compile_text(text)


def curve_of(text: str, **options: Any) -> Curve:
    found = compiled(text).picture(**options)
    assert isinstance(found, Curve)
    return found


def map_of(text: str, **options: Any) -> Map:
    found = compiled(text).picture(**options)
    assert isinstance(found, Map)
    return found


def stratum(picture: Curve | Map, name: str) -> StratumReport:
    return next(own for own in picture.strata if own.id == name)


@cache
def example(name: str) -> tuple[cfcompiler.Compiled, Curve | Map]:
    program = cfcompiler.compile_file(gallery.folder() / f"{name}.cf")
    return program, program.picture()


def number(text: Any) -> float:
    return float(sympy.sympify(text))


# curves


@pytest.mark.parametrize("name", CURVES)
def test_the_dots_of_a_curve_are_what_at_says(name: str) -> None:
    program, curve = example(name)
    assert isinstance(curve, Curve)
    assert curve.dots
    for dot in curve.dots:
        witness = stratum(curve, dot.stratum).witness[curve.input]
        report = program.at(**{curve.input: witness})
        judged = report.judged
        assert dot.x == number(witness)
        assert dot.verdict == judged.verdict
        assert dot.artificial_critical == judged.artificial_critical
        assert dot.value == pytest.approx(number(report.value))
        ad = report.backward[0][curve.input]
        assert dot.ad == (None if ad in ("nan", "inf", "-inf") else number(ad))
        assert dot.gradient == (None if judged.gradient is None else number(judged.gradient[0][curve.input]))
        if judged.clarke_complete and judged.clarke and judged.verdict != "discontinuous":
            ends = sorted(number(rows[0][curve.input]) for rows in judged.clarke)
            assert dot.clarke == (ends[0], ends[-1])
        else:
            assert dot.clarke is None


@pytest.mark.parametrize("name", CURVES)
def test_the_ticks_of_a_curve_are_those_of_the_comparison(name: str) -> None:
    program, curve = example(name)
    assert isinstance(curve, Curve)
    dot = next((dot for dot in curve.dots if dot.presets), None)
    if dot is None:
        assert all(0 not in stratum(curve, own.stratum).signs.values() for own in curve.dots)
        return
    rows = program.compare(**{curve.input: stratum(curve, dot.stratum).witness[curve.input]}).presets
    expected = {row.name: number(row.backward[0][curve.input]) for row in rows if row.backward}
    assert dict(dot.presets) == {name: x if isfinite(x) else None for name, x in expected.items()}


@pytest.mark.parametrize("name", CURVES)
def test_arcs_lie_in_their_strata_and_have_their_numbers(name: str) -> None:
    _, curve = example(name)
    assert isinstance(curve, Curve)
    for arc in curve.arcs:
        assert arc.low < min(arc.xs) and max(arc.xs) < arc.high
        assert list(arc.xs) == sorted(arc.xs)
        if not arc.stratum:
            assert arc.verdict == "unknown"
            continue
        own = stratum(curve, arc.stratum)
        assert own.dimension == 1 and own.verdict == arc.verdict
        assert own.ad is not None
        for x, slope in zip(arc.xs[::20], arc.ad[::20], strict=True):
            assert inside(own, {curve.input: x})
            with suppress(NotRational):
                assert exactly(own, {curve.input: Fraction(x)})
            if slope is not None:
                assert slope == pytest.approx(float(floats(str(own.ad[0][curve.input]), {curve.input: x})))
    for one, other in pairwise(curve.arcs):
        assert one.high <= other.low


def test_the_frame_has_all_points_and_round_ends() -> None:
    assert (curve_of("def f(x):\n    return relu(x)\n").low, curve_of("def f(x):\n    return x\n").high) == (
        -2,
        2,
    )
    far = curve_of("def f(x):\n    return abs(x - 100) + abs(x - 104)\n")
    assert far.low < 100 and far.high > 104 and far.high - far.low < 12
    near = curve_of("def f(x):\n    return abs(x - 1/100) + abs(x - 2/100)\n")
    assert near.low < 0.01 and near.high > 0.02 and near.high - near.low < 0.1
    roots = curve_of("def f(x):\n    return abs(x**5 - x - 1)\n")
    assert any(dot.x == pytest.approx(1.1673039782614187) for dot in roots.dots)


def test_a_box_is_kept_and_a_domain_ends_the_curve() -> None:
    given = curve_of("def f(x):\n    return relu(x)\n", box={"x": "-1:3"})
    assert (given.low, given.high) == (-1, 3)
    bounded = curve_of("def f(x):\n    assert x > 0\n    assert x <= 1\n    return abs(x - 1/2)\n")
    drawn = [x for arc in bounded.arcs for x, y in zip(arc.xs, arc.values, strict=True) if y is not None]
    assert 0 < min(drawn) < 1e-3 and 1 - 1e-3 < max(drawn) <= 1
    assert bounded.low < 0 and bounded.high > 1 and bounded.high - bounded.low < 2


def test_a_pole_is_cut_and_a_jump_is_a_gap() -> None:
    pole = curve_of("def f(x):\n    return 1/x\n")
    assert len(pole.arcs) == 2
    assert all(y is None or abs(y) < 1000 for arc in pole.arcs for y in arc.values)
    assert pole.value_range[1] < 100
    jump = curve_of("def f(x):\n    if x > 1:\n        return x\n    else:\n        return -x\n")
    assert [(arc.low, arc.high) for arc in jump.arcs] == [(-2, 1), (1, 2)]
    (dot,) = jump.dots
    assert dot.verdict == "discontinuous" and dot.value == -1


def test_steps_are_found_in_the_box_and_by_their_jumps() -> None:
    steps = curve_of("def f(x):\n    return floor(x) + x/2\n")
    assert [dot.x for dot in steps.dots if dot.verdict == "discontinuous"] == [-1, 0, 1]
    assert not steps.unknown and {arc.verdict for arc in steps.arcs} == {"exact"}
    free = curve_of("def f(x):\n    return exp(x)*floor(x + 1/3)\n")
    assert [dot.x for dot in free.dots] == pytest.approx([-4 / 3, -1 / 3, 2 / 3, 5 / 3])
    assert {dot.verdict for dot in free.dots} == {"discontinuous"}
    smooth = curve_of("def f(x):\n    return tanh(40*x)\n")
    assert not smooth.dots and len(smooth.arcs) == 1


def test_an_end_of_the_domain_is_no_open_question() -> None:
    curve = curve_of("def f(x):\n    assert x > 0\n    return log(x)\n")
    assert not curve.dots and all("change" not in sentence for sentence in curve.unknown)


def test_where_no_stratum_is_known_points_are_judged_alone() -> None:
    line = "where(floor(x*x) >= -1, 1, 2)*abs(x - 1/3) + relu(x + 1) - relu(-x - 1)"
    curve = curve_of(f"def f(x):\n    return {line}\n")
    assert [(dot.x, dot.verdict) for dot in curve.dots] == [
        (-1, "spurious"),
        (pytest.approx(1 / 3), "clarke"),
    ]
    assert {arc.verdict for arc in curve.arcs} == {"unknown"}
    assert curve.unknown
    other = curve_of("def f(x):\n    return abs(cos(x) - x)\n")
    assert {dot.verdict for dot in other.dots} <= {"exact"}  # where the slope is 0
    assert pytest.approx(0.7390851332151607) in [arc.high for arc in other.arcs]
    assert "0.739085" in " ".join(other.unknown)


def test_what_there_was_no_time_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfcompiler.analyses.curves.SECONDS_TO_COMPARE", 0.0)
    curve = curve_of("def f(x):\n    return abs(x) + abs(x - 1)\n")
    assert [dot.presets for dot in curve.dots] == [(), ()]
    assert "2 points are not compared" in " ".join(curve.unknown)


def test_a_joined_stratum_is_one_arc() -> None:
    curve = curve_of("def f(x):\n    return relu(x*x - 2)\n")
    assert [arc.stratum for arc in curve.arcs].count(curve.arcs[0].stratum) == 2
    assert [dot.x for dot in curve.dots] == pytest.approx([-(2**0.5), 2**0.5])


# maps


@pytest.mark.parametrize("name", MAPS)
def test_every_pixel_is_in_its_stratum(name: str) -> None:
    _, found = example(name)
    assert isinstance(found, Map)
    (left, right), (low, high) = (tuple(map(Fraction, ends)) for ends in found.box)
    rows, columns = len(found.raster), len(found.raster[0])
    checked = 0
    for row in range(0, rows, 7):
        for column in range(0, columns, 9):
            x = left + (right - left) * Fraction(2 * column + 1, 2 * columns)
            y = low + (high - low) * Fraction(2 * row + 1, 2 * rows)
            point = dict(zip(found.inputs, (x, y), strict=True))
            place = found.raster[row][column]
            inside = [k for k, own in enumerate(found.strata) if exactly(own, point)]
            assert len(inside) == 1
            if found.strata[inside[0]].dimension == 2:
                assert inside == [place]
                checked += 1
    assert checked > 200


@pytest.mark.parametrize("name", MAPS)
def test_paths_satisfy_the_equations_and_inequalities(name: str) -> None:
    _, found = example(name)
    assert isinstance(found, Map)
    lines = {line.stratum: line for line in found.lines}
    for own in found.strata:
        if own.dimension != 1:
            continue
        for path in lines[own.id].paths:
            for x, y in path:
                point = dict(zip(found.inputs, (x, y), strict=True))
                assert all(abs(float(floats(text, point))) < 1e-9 for text in own.equations)
            x, y = path[len(path) // 2]
            point = dict(zip(found.inputs, (x, y), strict=True))
            names: dict[str, Any] = {"x": [x, y], "Ne": operator.ne} | point
            for relation in own.inequalities:
                assert eval(relation, {}, names), relation


def test_a_line_without_a_change_of_sign_is_drawn() -> None:
    found = map_of("def f(x, y):\n    return relu(-(x - y)*(x - y)) + x\n")
    (line,) = found.lines
    assert max(x for path in line.paths for x, _ in path) > 1.9
    assert all(abs(x - y) < 1e-9 for path in line.paths for x, y in path)


def test_a_curve_smaller_than_a_cell_is_drawn() -> None:
    found = map_of("def f(x, y):\n    return relu(1/1000000 - x*x - y*y) + x\n")
    radii = [(x * x + y * y) ** 0.5 for line in found.lines for path in line.paths for x, y in path]
    assert radii and all(abs(radius - 1e-3) < 1e-9 for radius in radii)
    tiny = map_of("def f(x, y):\n    return max(x*x + y*y, 1/10**18)\n")
    assert not tiny.unknown
    assert [
        abs((x * x + y * y) - 1e-18) < 1e-24 for line in tiny.lines for path in line.paths for x, y in path
    ]


def test_a_path_starts_on_a_line_whose_witness_is_out_of_the_picture() -> None:
    found = map_of("def f(x, y):\n    return relu(x) - relu(-x) + y\n", box={"x": "-1:1", "y": "1/3:2"})
    assert any(own.about.startswith("on S") and own.start[0] == pytest.approx(0) for own in found.descents)


def test_all_points_and_lines_are_in_the_default_box() -> None:
    found = map_of("def f(x, y):\n    return abs(x - 10) + abs(y + 7) + abs(x - 14)\n")
    assert {line.stratum for line in found.lines} == {own.id for own in found.strata if own.dimension == 1}
    assert len(found.spots) == 2


def test_a_path_that_starts_where_ad_is_zero_stays() -> None:
    text = "def f(x, y):\n    return relu(x) - relu(-x) + y*y\n"
    found = cfcompiler.compile_text(text, preset="torch", overrides={"relu": "0"}).picture()
    assert isinstance(found, Map)
    artificial = [own.stratum for own in found.spots if own.artificial_critical]
    assert artificial
    stays = [own for own in found.descents if own.stays and own.path[-1] == (0, 0)]
    assert any(own.about in (f"on {artificial[0]}", f"to {artificial[0]}") for own in stays)
    assert any(own.about == "in the open" and not own.stays for own in found.descents)


def test_arrows_point_against_ad() -> None:
    program = compiled("def f(x, y):\n    return abs(x) + 3*y\n")
    found = program.picture()
    assert isinstance(found, Map)
    for x, y, u, v in found.arrows[::17]:
        assert (-u, -v) == tuple(program.grad(x, y))


def test_a_map_without_strata_has_its_seams() -> None:
    found = map_of("def f(x, y):\n    return where(floor(x*x) >= -1, 1, 2)*abs(exp(x) - y)\n")
    (line,) = found.lines
    assert (line.stratum, line.verdict) == ("", "unknown")
    assert all(place == -1 for row in found.raster for place in row)
    assert all(value is not None for row in found.values for value in row)
    assert any(abs(x) < 0.05 and abs(y - 1) < 0.06 for path in line.paths for x, y in path)


def test_points_of_a_seam_are_judged_alone() -> None:
    text = "def f(x, y):\n    return where(floor(x*x) >= -1, 1, 2)*(relu(x - y) - relu(y - x)) + x\n"
    program = cfcompiler.compile_text(text)
    found = program.picture()
    assert isinstance(found, Map)
    assert 0 < len(found.spots) <= 6
    for spot in found.spots:
        own = stratum(found, spot.stratum)
        assert own.id.startswith("P") and own.witness["x"] == own.witness["y"]
        assert spot.at == (number(own.witness["x"]), number(own.witness["y"]))
        assert spot.verdict == program.at(**own.witness).judged.verdict == "spurious"
    assert any(descent.about.startswith("on P") for descent in found.descents)


# slices


def test_a_slice_is_the_stratification_with_the_others_fixed() -> None:
    program = compiled("def f(x, y, z):\n    return max(x, y) + abs(z)\n")
    found = program.picture(slice="x,y", fix={"z": "1/2"})
    assert isinstance(found, Map)
    assert found.fixed == {"z": "1/2"} and found.inputs == ("x", "y")
    assert found.strata == program.strata(fix={"z": "1/2"}).strata


def test_the_default_slice_goes_through_what_is_of_interest() -> None:
    found = map_of("def f(a, b, c):\n    return a*b + relu(c) - relu(-c)\n")
    assert "c" in found.inputs
    assert any(own.verdict == "spurious" for own in found.strata)
    assert found.about


def test_entries_move_and_are_fixed() -> None:
    program = compiled("def f(v: Real[3]):\n    return max(v) + relu(v[0])\n")
    found = program.picture(slice=("v[0]",), fix={"v[1]": 1, "v[2]": "-1"}, box={"v[0]": "-1:2"})
    assert isinstance(found, Curve)
    assert [(dot.x, dot.verdict) for dot in found.dots] == [(0, "clarke"), (1, "clarke")]
    assert found.dots[1].ad == number(program.at(v=[1, 1, -1]).backward[0]["v"][0])
    report = program.strata(fix={"v[1]": 1, "v[2]": "-1"}, box={"v[0]": "-1:2"})
    assert report.inputs == ("v[0]",) and report.strata == found.strata


def test_one_output_of_several_is_drawn() -> None:
    program = compiled("def f(x):\n    return relu(x), abs(x - 1)\n")
    first, second = program.picture(), program.picture(output=1)
    assert isinstance(first, Curve) and isinstance(second, Curve)
    assert [dot.x for dot in first.dots] == [0] and [dot.x for dot in second.dots] == [1]
    assert "output 0 of 2" in first.about[0]
    rows_of_a_matrix = compiled("def f(x):\n    output = [x, relu(x - 1)]\n    return output\n")
    third = rows_of_a_matrix.picture(output=1)
    assert isinstance(third, Curve) and [dot.x for dot in third.dots] == [1]
    (dot,) = second.dots
    rows = program.compare(x=1).presets
    assert list(dot.presets) == [(row.name, number(row.backward[1]["x"])) for row in rows if row.backward]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"slice": "q"}, "no input 'q'"),
        ({"slice": "v"}, "3 numbers would move"),
        ({"slice": "v[0]", "fix": {"v[0]": 1}}, "moves and is in --fix"),
        ({"fix": {"v": "[0,0,0]", "v[1]": 1}}, "so is an entry of it"),
        ({"fix": {"v": "[0,0,0]", "x": 1}}, "nothing moves"),
        ({"output": 3}, "no output 3"),
        ({"box": {"v[5]": "0:1"}}, "no input 'v[5]'"),
    ],
)
def test_what_is_wrong_with_a_slice_is_said(options: dict[str, Any], words: str) -> None:
    program = compiled("def f(v: Real[3], x):\n    return max(v) + x\n")
    with pytest.raises(CFError) as caught:
        program.picture(**options)
    assert words in caught.value.render()


# formulas


def test_formulas_are_evaluated_in_floats_and_in_rationals() -> None:
    assert floats("v[0]**2 - sqrt(x)/2", {"v[0]": 3.0, "x": 4.0}) == 8.0
    assert floats("x + 1" + "0" * 400, {"x": 1.0}) == float("inf")
    assert polynomial("x**3 - 2*x + 1/2", "x").degree() == 3
    with pytest.raises(NotRational):
        polynomial("sqrt(x)", "x")
    with pytest.raises(NotRational):
        floats("__import__(x)", {"x": 1.0})
