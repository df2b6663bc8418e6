"""Laws over random programs, most of them in exact arithmetic and at points where operations are tied.

The numbers P1, P2, ... are those of the property tests of the theory of conservative fields of programs: Bolte and
Pauwels 2021 (P1 to P3, P5, P6, P12), Bolte and Pauwels 2020 (P13, P14).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import EXACT, FLOATS
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.interpreter import run
from cfcompiler.language.program_text import parse
from cfcompiler.primitives import COMPARISONS
from cfcompiler.program import Apply, Kink, Program, Select, Tie, TieMode, Weights
from cfcompiler.targets.program_text import emit
from cfcompiler.ties import preset_names, rule_names, rules
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient, vjp
from cfcompiler.verify import verify
from tests.laws.exact_points import (
    Flat,
    Point,
    exact_array,
    exact_point,
    exact_value,
    field_of,
    flat_point,
    forward_at,
    in_hull,
    moved,
    reverse_at,
    switches,
)
from tests.random_texts import COORDINATES, KINDS, Text, nested, random_text

ZERO, ONE = Fraction(0), Fraction(1)
TINY = Fraction(1, 2**60)
# Presets whose rules are in the element sets: weights of pieces that are not negative and add up to 1.
WITHIN = tuple(
    name for name in preset_names() if name not in ("autograd", "mygrad", "pytensor", "torch-2.15")
)


@lru_cache(maxsize=256)
def _compiled(
    kind: str, seed: int, preset: str = "torch", inputs: str | None = None
) -> tuple[Text, Compiled]:
    text = random_text(seed, kind, inputs=inputs)
    return text, compile_text(text.text, preset=preset)


def _exact(kind: str, seed: int, preset: str = "torch") -> Iterator[tuple[Program, Point]]:
    """A random program with each of its points."""
    text, compiled = _compiled(kind, seed, preset)
    for point in text.points:
        yield compiled.program, exact_point(compiled.program, point)


def _finite(*gradients: Flat) -> bool:
    return all(isinstance(entry, Fraction) for gradient in gradients for entry in gradient)


def _tied(program: Program, point: Point) -> set[str]:
    return {name for (name, _), gap in switches(program, point).items() if gap == 0}


def _tied_guards(program: Program, point: Point) -> set[str]:
    tied = _tied(program, point)
    return {
        step.out.name
        for step in program.instructions
        if isinstance(step, Apply) and step.op in COMPARISONS and step.out.name in tied
    }


def _direction(generator: random.Random, count: int) -> list[Fraction]:
    return [Fraction(generator.randint(-997, 997), generator.randint(1, 97)) for _ in range(count)]


def _head(text: str) -> tuple[str, list[str]]:
    """The parameters of f as declared, and their names."""
    declared = text[text.index("def f(") + len("def f(") :].split("):")[0]
    return declared, [part.split(":")[0].strip() for part in _parts(declared)]


def _parts(declared: str) -> list[str]:
    """The parameters: commas in brackets do not count."""
    parts, depth = [""], 0
    for letter in declared:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


# forward and reverse


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize("kind", ["linear", "polynomial"])
def test_forward_is_reverse(kind: str, preset: str) -> None:
    """P1, exactly, ties included; but for operations that the preset gives two rules."""
    for seed in range(3):
        for program, point in _exact(kind, seed, preset):
            forward, reverse = forward_at(program, point), reverse_at(program, point)
            assert _finite(forward, reverse)
            if forward != reverse:
                tied = _tied(program, point)
                assert any(
                    isinstance(kink, Kink)
                    and kink.out.name in tied
                    and (kink.tie.forward.above.tie, kink.tie.forward.below.tie)
                    != (kink.tie.reverse.above.tie, kink.tie.reverse.below.tie)
                    for kink in program.instructions
                )


def _multiplying() -> dict[str, str]:
    """Overrides under which every zero multiplies."""
    found = rules("jax")
    chosen: dict[str, str] = {}
    for name in rule_names(found):
        if name == "where":
            chosen[name] = "mul"
        elif name in found.kinks:
            chosen[name] = "1/2:mul"
        elif name in found.reductions:
            chosen[name] = "split:mul"
    return chosen


@pytest.mark.parametrize("block", range(5))
def test_forward_is_reverse_at_nan_and_inf_where_every_zero_multiplies(block: int) -> None:
    """One input and scalars only, no `where`; the rest are known limits of one number in both modes.

    With several inputs, or in an array, a tangent of 0 that meets an infinity makes NaN of what does not depend on
    it. The arm of a `where` that is not taken gets a plain 0 in reverse, and 0 times its tangent in forward. And the
    two modes add up the same products in another order, (a + b)*c and a*c + b*c: where c is infinite and the signs
    of a and b differ, one is infinite and the other NaN. Nothing else may differ.
    """
    met = 0
    for seed in range(40 * block, 40 * (block + 1)):
        text = random_text(seed, "wild", inputs="x", statements=5)
        program = compile_text(text.text, preset="jax", overrides=_multiplying()).program
        if any(
            step.out.shape or (isinstance(step, Select) and not step.lazy) for step in program.instructions
        ):
            continue
        met += 1
        forward, backward = jvp(program), gradient(program)
        for x in (0.0, 1.0, -1.0, 0.5, 2.0, -0.75, math.inf, -math.inf, math.nan):
            inputs = {"x": np.array(x), "d_x": np.array(1.0)}
            ours = float(run(forward, inputs, FLOATS)[forward.results[1].name])
            theirs = float(run(backward, {"x": np.array(x)}, FLOATS)[backward.results[1].name])
            if math.isnan(ours) != math.isnan(theirs):
                assert math.isinf(ours) or math.isinf(theirs), (seed, x, ours, theirs)
            else:
                assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9, nan_ok=True), (seed, x)
    assert met


# the module and the printed form


def _bits(found: Any) -> np.ndarray:
    if isinstance(found, tuple | list):
        return np.concatenate([_bits(part) for part in found])
    return np.ravel(np.asarray(found, dtype=np.float64))


def _interpreted(program: Program, arguments: Sequence[Any]) -> np.ndarray:
    inputs = {
        param.value.name: np.asarray(x, dtype=np.float64)
        for param, x in zip(program.params, arguments, strict=True)
    }
    values = run(program, inputs, FLOATS)
    return _bits([values[value.name] for value in program.results])


def _float_points(text: Text, program: Program, seed: int) -> list[list[Any]]:
    generator = random.Random(seed)
    wild = [float(x) for x in COORDINATES] + [math.nan, math.inf, -math.inf, -0.0]
    if "@" not in text.text:  # a BLAS may fuse a product and a sum: what overflows in between is finite
        wild.append(1e200)
    points = [
        [np.array(point[param.value.name], dtype=np.float64) for param in program.params]
        for point in text.points
    ]
    for _ in range(4):
        points.append([np.array(nested(param.value.shape, generator, wild)) for param in program.params])
    return points


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", KINDS)
def test_the_module_is_the_interpreter(kind: str, seed: int) -> None:
    """At a point and in a batch, by the bits; NaN is NaN and -0 is 0.

    Products of matrices are a BLAS' in the interpreter, which fuses and orders as it likes: with them, where numbers
    are rounded, to the last places.
    """
    preset = preset_names()[seed % len(preset_names())]
    text, compiled = _compiled(kind, seed, preset)
    program, module = compiled.program, compiled.namespace
    forward, backward, slopes = jvp(program), vjp(program), gradient(program)
    same = _same_places if "@" in text.text and kind in ("smooth", "wild") else np.testing.assert_array_equal
    points = _float_points(text, program, seed)
    tangents = [np.full(param.value.shape, 0.5 * place - 1) for place, param in enumerate(program.params)]
    wanted: list[list[np.ndarray]] = []
    for point in points:
        wanted.append(
            [
                _interpreted(program, point),
                _interpreted(slopes, point),
                _interpreted(forward, [*point, *tangents]),
                _interpreted(backward, [*point, -1.5]),
            ]
        )
        value, pullback = module["vjp"](*point)
        found = [
            module["value"](*point),
            module["value_and_grad"](*point),
            module["jvp"](tuple(point), tuple(tangents)),
            (value, pullback(-1.5)),
        ]
        for ours, theirs in zip(found, wanted[-1], strict=True):
            same(_bits(ours), theirs)
    columns = [np.stack(column) for column in zip(*points, strict=True)]
    value, pullback = module["vjp"](*columns)
    batch = [
        [module["value"](*columns)],
        module["value_and_grad"](*columns),
        module["jvp"](tuple(columns), tuple(tangents)),
        (value, pullback(np.full(len(points), -1.5))),
    ]
    for place in range(len(points)):
        for found, theirs in zip(batch, wanted[place], strict=True):
            same(_bits([part[place] for part in _leaves(found)]), theirs)


def _same_places(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def _leaves(found: Any) -> list[Any]:
    return [leaf for part in found for leaf in _leaves(part)] if isinstance(found, tuple | list) else [found]


@pytest.mark.parametrize("kind", KINDS)
def test_the_printed_form_is_read_back(kind: str) -> None:
    for seed in range(6):
        preset = preset_names()[-1 - seed]
        compiled = _compiled(kind, seed, preset)[1]
        for program in (
            compiled.program,
            compiled.forward,
            compiled.backward,
            verify(jvp(compiled.backward)),
        ):
            assert parse(emit(program)) == program


# second derivatives


@pytest.mark.parametrize("seed", range(8))
def test_second_derivatives_are_differences_of_the_gradient(seed: int) -> None:
    """Away from ties, in exact numbers: the differences of a polynomial are off by the square of the step."""
    generator = random.Random(seed)
    program = _compiled("polynomial", seed)[1].program
    slopes = gradient(program)
    second = verify(jvp(slopes))
    results = len(slopes.results)
    for _ in range(3):
        point = {
            param.value.name: exact_array(
                nested(param.value.shape, generator, [Fraction(k, 7 * 13) for k in range(-200, 200) if k]),
                param.value.shape,
            )
            for param in program.params
        }
        if 0 in switches(program, point).values():
            continue
        direction = _direction(generator, len(flat_point(point)))
        origin = {name: array - array for name, array in point.items()}
        tangents = {f"d_{name}": array for name, array in moved(origin, direction, ONE).items()}
        along = run(second, {**point, **tangents}, EXACT)
        ahead, behind = (run(slopes, moved(point, direction, step), EXACT) for step in (TINY, -TINY))
        for value, tangent in zip(slopes.results, second.results[results:], strict=True):
            for a, b, slope in zip(
                *(np.reshape(x, -1) for x in (ahead[value.name], behind[value.name], along[tangent.name])),
                strict=True,
            ):
                assert abs((a - b) / (2 * TINY) - slope) <= Fraction(1, 2**30) * (1 + abs(slope))


# the field


def _one_choice(kink: Kink, above: bool) -> Kink:
    one, other = (ONE, ZERO) if above else (ZERO, ONE)
    mode = TieMode(Weights(ZERO, one, ONE, ZERO), Weights(ONE, other, ZERO, ZERO), "select")
    return replace(kink, tie=Tie(kink.tie.name, mode, mode))


@pytest.mark.parametrize("seed", range(12))
def test_the_field_is_the_set_of_gradients_under_all_choices(seed: int) -> None:
    """The definition, where only kinks are tied: each of them follows one piece, and reverse mode runs."""
    for program, point in _exact("linear" if seed % 2 else "polynomial", seed):
        tied = _tied(program, point)
        kinks = [step for step in program.instructions if isinstance(step, Kink) and step.out.name in tied]
        if len(kinks) < len(tied) or len(kinks) > 6 or any(kink.out.shape for kink in kinks):
            continue
        wanted = set()
        for choice in product((True, False), repeat=len(kinks)):
            chosen = {
                kink.out.name: _one_choice(kink, above) for kink, above in zip(kinks, choice, strict=True)
            }
            instructions = tuple(chosen.get(step.out.name, step) for step in program.instructions)
            wanted.add(reverse_at(replace(program, instructions=instructions), point))
        found, field = field_of(program, point)
        assert field.complete
        assert set(found) == wanted


@pytest.mark.parametrize("seed", range(12))
def test_ad_is_in_the_hull_of_the_field(seed: int) -> None:
    """P2, for rules whose weights are those of the element sets."""
    kind = "linear" if seed % 2 else "polynomial"
    for program, point in _exact(kind, seed, WITHIN[seed % len(WITHIN)]):
        vertices, field = field_of(program, point)
        if field.complete:
            assert in_hull(reverse_at(program, point), vertices)


@pytest.mark.parametrize("seed", range(12))
def test_gradients_near_the_point_are_vertices(seed: int) -> None:
    """P3, of a piecewise linear program: its gradients do not change any more close to the point."""
    generator = random.Random(seed)
    for program, point in _exact("linear", seed):
        vertices, field = field_of(program, point)
        if not field.complete:
            continue
        for _ in range(6):
            near = moved(point, _direction(generator, len(flat_point(point))), TINY)
            assert reverse_at(program, near) in vertices


@pytest.mark.parametrize("seed", range(12))
def test_the_field_of_the_module_is_the_exact_one(seed: int) -> None:
    """Where no branch is tied: the module follows the branches that run."""
    text, compiled = _compiled("linear" if seed % 2 else "polynomial", seed)
    for values in text.points:
        point = exact_point(compiled.program, values)
        if _tied_guards(compiled.program, point):
            continue
        vertices, field = field_of(compiled.program, point)
        assert field.complete
        arguments = [
            np.array(values[param.value.name], dtype=np.float64) for param in compiled.program.params
        ]
        found = {tuple(row) for row in np.round(compiled.namespace["field"](*arguments), 9) + 0.0}
        assert found == {tuple(round(float(x), 9) + 0.0 for x in vertex) for vertex in vertices}


# sums with known answers


def _with_term(text: Text, function: str, body: str) -> tuple[str, str]:
    """The text with a last function that adds a term to f, and one that is the function h of its inputs."""
    declared, inputs = _head(text.text)
    names = f"({', '.join(inputs)})"
    rest = f"def h({declared}):\n    return {function}\n\n"
    added = body.format(call=f"f{names}", names=names)
    return (
        f"{text.text}{rest}def top({declared}):\n{added}",
        f"{rest}def top({declared}):\n    return h{names}\n",
    )


SWITCHES = ("{0}", "2*{0} - {1}", "{0}*{1} - {0}", "{0} - {1}*{1} + 1")
ADDED = {
    "smooth": "    return {call} + h{names}\n",
    "zero": "    t = h{names}\n    return {call} + 2*((relu(-t) + t) - relu(t))\n",
    "equality": "    t = h{names}\n    r = {call}\n    return r + 3*t if t == 0 else r\n",
}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("added", ADDED)
def test_a_term_with_a_known_derivative_moves_ad_and_the_field(added: str, seed: int) -> None:
    """P12: a smooth h moves everything by its gradient. P13, P14: two spurious zeros, which move AD where h is 0."""
    text = random_text(seed, "linear" if seed % 2 else "polynomial")
    entries = {"x": ["x"], "y": ["y"], "z": ["z"], "v": ["v[0]", "v[2]"], "A": ["A[0, 1]", "A[1, 1]"]}
    inputs = [entry for name in _head(text.text)[1] for entry in entries[name]]
    function = SWITCHES[seed % 4].format(inputs[0], inputs[-1])
    whole, alone = _with_term(text, function, ADDED[added])
    program, plain, h = (compile_text(source).program for source in (whole, text.text, alone))
    for values in text.points:
        point = exact_point(plain, values)
        slope = reverse_at(h, point)
        zero = exact_value(h, point) == 0
        factors = {"smooth": {1}, "zero": {-2, 0, 2} if zero else {0}, "equality": {0, 3} if zero else {0}}[
            added
        ]
        shift = {"smooth": 1, "zero": 2 * zero, "equality": 3 * zero}[added]
        here = reverse_at(plain, point)
        assert reverse_at(program, point) == tuple(a + shift * b for a, b in zip(here, slope, strict=True))
        before, known = field_of(plain, point)
        after, field = field_of(program, point)
        if known.complete and field.complete:
            moved_by = {
                tuple(a + k * b for a, b in zip(vertex, slope, strict=True))
                for vertex in before
                for k in factors
            }
            assert set(after) == moved_by


# circulation


def _integral(program: Program, start: Point, velocity: Sequence[Fraction]) -> Fraction:
    """The integral of <AD(x(s)), x'(s)> along the edge from start, s from 0 to 1, exactly.

    Between two zeros of the switches a piecewise linear program has one gradient: from a place inside such an
    interval its ends are found by the slopes of the switches, and the rest is done in the same way.
    """
    generator = random.Random(1)
    total, waiting = ZERO, [(ZERO, ONE)]
    while waiting:
        low, high = waiting.pop()
        place = low + (high - low) * Fraction(generator.randint(1, 10**6 - 1), 10**6)
        point = moved(start, velocity, place)
        here, ahead = switches(program, point), switches(program, moved(start, velocity, place + TINY))
        left, right = low, high
        for name, gap in here.items():
            rate = (ahead[name] - gap) / TINY
            if rate == 0:
                continue
            assert gap != 0, "a switch turned at a random place"
            turn = place - gap / rate
            left, right = (max(left, turn), right) if turn < place else (left, min(right, turn))
        slope = reverse_at(program, point)
        total += (right - left) * sum((a * b for a, b in zip(slope, velocity, strict=True)), ZERO)
        waiting += [(a, b) for a, b in ((low, left), (right, high)) if a < b]
    return total


@pytest.mark.parametrize("seed", range(12))
def test_ad_has_no_circulation(seed: int) -> None:
    """P5 and P6: along polygons with corners on ties, so that edges run inside the tie sets."""
    for preset in WITHIN[seed % 3 :: 5]:
        text, compiled = _compiled("linear", seed, preset)
        program = compiled.program
        corners = [exact_point(program, values) for values in text.points[:3]]
        for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
            velocity = [b - a for a, b in zip(flat_point(start), flat_point(end), strict=True)]
            gain = exact_value(program, end) - exact_value(program, start)
            assert _integral(program, start, velocity) == gain
