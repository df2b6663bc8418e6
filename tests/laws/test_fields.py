"""Laws over the fields of random programs, in exact arithmetic and at points where operations are tied.

The numbers P2, P3, ... are those of the property tests of the theory of conservative fields of programs: Bolte and
Pauwels 2021 (P2, P3, P5, P6, P12), Bolte and Pauwels 2020 (P13, P14).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from cfcompiler.compiler import compile_text
from cfcompiler.ir import Apply, Kink, Program, Tie, TieMode, Weights
from cfcompiler.primitives import COMPARISONS
from cfcompiler.ties import preset_names
from tests.laws.exact_points import (
    ONE,
    TINY,
    ZERO,
    Point,
    compiled_text,
    direction_of,
    exact_point,
    exact_runs,
    exact_value,
    field_of,
    flat_point,
    in_hull,
    moved,
    reverse_at,
    switches,
    tied_choices,
)
from tests.random_texts import Text, random_text

# Presets whose rules are in the element sets: weights of pieces that are not negative and add up to 1.
WITHIN = tuple(
    name for name in preset_names() if name not in ("autograd", "mygrad", "pytensor", "torch-2.15")
)


def _tied_guards(program: Program, point: Point) -> set[str]:
    tied = tied_choices(program, point)
    return {
        step.out.name
        for step in program.instructions
        if isinstance(step, Apply) and step.op in COMPARISONS and step.out.name in tied
    }


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


# the field


def _one_choice(kink: Kink, above: bool) -> Kink:
    one, other = (ONE, ZERO) if above else (ZERO, ONE)
    mode = TieMode(Weights(ZERO, one, ONE, ZERO), Weights(ONE, other, ZERO, ZERO), "select")
    return replace(kink, tie=Tie(kink.tie.name, mode, mode))


@pytest.mark.parametrize("seed", range(12))
def test_the_field_is_the_set_of_gradients_under_all_choices(seed: int) -> None:
    """The definition, where only kinks are tied: each of them follows one piece, and reverse mode runs."""
    for program, point in exact_runs("linear" if seed % 2 else "polynomial", seed):
        tied = tied_choices(program, point)
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
    for program, point in exact_runs(kind, seed, WITHIN[seed % len(WITHIN)]):
        vertices, field = field_of(program, point)
        if field.complete:
            assert in_hull(reverse_at(program, point), vertices)


@pytest.mark.parametrize("seed", range(12))
def test_gradients_near_the_point_are_vertices(seed: int) -> None:
    """P3, of a piecewise linear program: its gradients do not change any more close to the point."""
    generator = random.Random(seed)
    for program, point in exact_runs("linear", seed):
        vertices, field = field_of(program, point)
        if not field.complete:
            continue
        for _ in range(6):
            near = moved(point, direction_of(generator, len(flat_point(point))), TINY)
            assert reverse_at(program, near) in vertices


@pytest.mark.parametrize("seed", range(12))
def test_the_field_of_the_module_is_the_exact_one(seed: int) -> None:
    """Where no branch is tied: the module follows the branches that run."""
    text, compiled = compiled_text("linear" if seed % 2 else "polynomial", seed)
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
        text, compiled = compiled_text("linear", seed, preset)
        program = compiled.program
        corners = [exact_point(program, values) for values in text.points[:3]]
        for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
            velocity = [b - a for a, b in zip(flat_point(start), flat_point(end), strict=True)]
            gain = exact_value(program, end) - exact_value(program, start)
            assert _integral(program, start, velocity) == gain
