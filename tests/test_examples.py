"""The gallery: what the comment of an example says is what its program does.

Lines `# key: value` of the comment are read here and by `cfc demo`:

    source   who met it                          at        the point to look at, as `cfc at` takes it
    ties     the rules that show it (a preset, then single rules; torch if absent)
    ad       what AD returns: `x=1 under torch jax, backward` (both modes if none is named)
    true     the gradient, where there is one    clarke    extreme points of the Clarke subdifferential, by |
    field    the values of the field, by |       verdict   one of the words of the contract
    instead  a function of the file with the same values and the right derivative
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import pytest
import sympy
from numpy.typing import NDArray

from cfcompiler import gallery
from cfcompiler.analyses.at import at as exact_report
from cfcompiler.compiler import compile_file
from cfcompiler.point import parse_arguments

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PRESETS = ("torch", "jax", "tensorflow", "autograd", "casadi")
KEYS = ("source", "at", "ties", "ad", "true", "clarke", "field", "verdict", "instead")
VERDICTS = ("exact", "inexact", "clarke", "spurious", "undefined", "discontinuous")
MODES = ("forward", "backward")
# What overflows as a float does not overflow as an exact number.
FLOATS_ALONE = ("where_overflow",)
# Where gradients near the point are sampled: each coordinate at a scale of its own, or cusps are never met.
SCALES = (-9.0, -2.0)
SAMPLES = 600

Array: TypeAlias = NDArray[np.float64]
Point: TypeAlias = dict[str, Array]
Ties: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Claim:
    """One `# ad:` line: under `ties`, AD in `modes` returns `gradient`."""

    ties: Ties
    modes: tuple[str, ...]
    gradient: Point


@dataclass(frozen=True, slots=True)
class Story:
    """The comment of one example."""

    path: Path
    lines: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return self.path.stem

    def text(self, key: str) -> str | None:
        return next((value for found, value in self.lines if found == key), None)

    def point(self, key: str) -> Point | None:
        text = self.text(key)
        return None if text is None else parse_point(text)

    def vertices(self, key: str) -> list[Point] | None:
        text = self.text(key)
        return None if text is None else [parse_point(part) for part in text.split(" | ")]

    @property
    def ties(self) -> Ties:
        return parse_ties((self.text("ties") or "torch").split())

    def claims(self) -> Iterator[Claim]:
        for key, value in self.lines:
            if key != "ad":
                continue
            gradient, _, rest = value.partition(" under ")
            rules, _, mode = rest.partition(", ")
            modes = (mode,) if mode else MODES
            words = rules.split()
            if any("=" in word for word in words):
                yield Claim(parse_ties(words), modes, parse_point(gradient))
                continue
            for preset in words:
                yield Claim((preset, ()), modes, parse_point(gradient))


def read(path: Path) -> Story:
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        if not line.startswith("#"):
            break
        match = re.fullmatch(r"# (\w+): (.+)", line)
        if match is None:
            break
        lines.append((match[1], match[2]))
    return Story(path, tuple(lines))


def parse_number(text: str) -> float:
    return float(text) if text in ("nan", "inf", "-inf") else float(sympy.sympify(text))


def parse_value(text: str) -> Array:
    """`1/2` or `[[0,1],[1/2,2]]`."""
    texts = np.array(ast.literal_eval(re.sub(r"[^\[\],]+", lambda match: repr(match[0]), text)))
    return np.reshape(np.array([parse_number(number) for number in texts.flat]), texts.shape)


def parse_point(text: str) -> Point:
    return {name: parse_value(value) for name, _, value in (part.partition("=") for part in text.split())}


def parse_ties(words: list[str]) -> Ties:
    preset = words[0] if "=" not in words[0] else "torch"
    rules = (word.partition("=") for word in words if "=" in word)
    return preset, tuple((name, value) for name, _, value in rules)


STORIES = tuple(read(path) for path in sorted(EXAMPLES.glob("*.cf")))
POINTED = tuple(story for story in STORIES if story.text("at") is not None)


def with_line(key: str) -> list[Story]:
    return [story for story in POINTED if story.text(key) is not None]


def name_of(value: object) -> str:
    if isinstance(value, Story):
        return value.name
    if isinstance(value, Claim):
        return "-".join((value.ties[0], *(f"{name}={rule}" for name, rule in value.ties[1]), *value.modes))
    return str(value)


# what the programs do


@cache
def module_text(path: Path, function: str, ties: Ties) -> str:
    preset, overrides = ties
    return compile_file(path, function=function, preset=preset, overrides=dict(overrides)).module()


@cache
def compiled(path: Path, function: str, ties: Ties) -> Any:
    module = ModuleType(f"{function}_cf")
    exec(module_text(path, function, ties), module.__dict__)  # as `import` would
    return module


def program_of(story: Story, ties: Ties | None = None, function: str | None = None) -> Any:
    return compiled(story.path, function or story.name, ties if ties is not None else story.ties)


def arguments(point: Mapping[str, Array]) -> tuple[Any, ...]:
    return tuple(float(value) if value.ndim == 0 else value for value in point.values())


def moved(names: tuple[str, ...], point: Point, step: Array) -> Point:
    """The point with the vector `step` added to the entries of its inputs `names`, in their order."""
    after = dict(point)
    start = 0
    for name in names:
        size = point[name].size
        part = step[..., start : start + size]
        after[name] = point[name] + np.reshape(part, (*step.shape[:-1], *point[name].shape))
        start += size
    return after


def flat(names: tuple[str, ...], gradient: Mapping[str, Array]) -> Array:
    return np.concatenate([np.ravel(gradient[name]) for name in names])


def differentiable_inputs(story: Story) -> tuple[str, ...]:
    """Inputs that are not data, as their gradient is spoken of in the story."""
    at = story.point("at")
    assert at is not None
    spoken = next((claim.gradient for claim in story.claims()), at)
    return tuple(name for name in at if name in spoken)


def gradients(program: Any, names: tuple[str, ...], point: Point, mode: str) -> Point:
    """By the backward program, or entry by entry by the forward program."""
    if mode == "backward":
        found = program.grad(*arguments(point))
        parts = found if isinstance(found, tuple) else (found,)
        return {name: np.asarray(part, dtype=float) for name, part in zip(names, parts, strict=True)}
    result = {}
    for name in names:
        entries = np.zeros(point[name].size)
        for place in range(point[name].size):
            tangent = {other: np.zeros_like(point[other]) for other in names}
            unit = np.zeros(point[name].size)
            unit[place] = 1.0
            tangent[name] = unit.reshape(point[name].shape)
            entries[place] = program.jvp(arguments(point), arguments(tangent))[1]
        result[name] = entries.reshape(point[name].shape)
    return result


def in_hull(vertices: Array, target: Array) -> bool:
    """Whether target is a convex combination of the rows of `vertices` (Caratheodory: of few of them)."""
    tolerance = 0.03 * (1 + np.max(np.abs(vertices)))
    for size in range(1, min(len(vertices), target.size + 1) + 1):
        for chosen in combinations(range(len(vertices)), size):
            rows = vertices[list(chosen)]
            system = np.vstack([rows.T, np.full(size, 10.0)])
            weights = np.linalg.lstsq(system, np.append(target, 10.0), rcond=None)[0]
            if np.all(weights > -0.03) and np.max(np.abs(rows.T @ weights - target)) <= tolerance:
                return True
    return False


# the tests


def test_the_gallery_is_large_enough() -> None:
    assert len(STORIES) >= 36


@pytest.mark.parametrize("story", STORIES, ids=name_of)
def test_an_example_opens_with_its_story(story: Story) -> None:
    lines = story.path.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(rf"# {story.name}\.cf - \S.*[^.]", lines[0])
    assert story.lines[0][0] == "source"
    assert [key for key, _ in story.lines] == sorted((key for key, _ in story.lines), key=KEYS.index)
    assert max(map(len, lines)) <= 120
    assert lines[len(story.lines) + 1] == "#"
    tree = ast.parse(story.path.read_text(encoding="utf-8"))  # a .cf file is a valid Python file
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert functions[-1] == story.name
    assert story.text("instead") is None or story.text("instead") in functions
    assert story.text("verdict") is None or story.text("verdict") in VERDICTS


def test_the_modules_run_on_numpy_alone(tmp_path: Path) -> None:
    for story in POINTED:
        text = module_text(story.path, story.name, story.ties)
        (tmp_path / f"{story.name}_cf.py").write_text(text, encoding="utf-8")
    lines = ["import sys", f"sys.path.insert(0, {str(tmp_path)!r})"]
    lines += [f"import {story.name}_cf" for story in POINTED]
    lines += ["loaded = {name.partition('.')[0] for name in sys.modules}"]
    lines += ["assert not loaded & {'cfcompiler', 'lark', 'sympy', 'scipy'}, loaded"]
    subprocess.run([sys.executable, "-I", "-c", "\n".join(lines)], check=True)


@pytest.mark.parametrize(
    ("story", "claim"), [(story, claim) for story in POINTED for claim in story.claims()], ids=name_of
)
def test_ad_returns_what_the_story_says(story: Story, claim: Claim) -> None:
    program, at = program_of(story, claim.ties), story.point("at")
    assert at is not None
    names = differentiable_inputs(story)
    for mode in claim.modes:
        found = gradients(program, names, at, mode)
        for name in names:
            assert found[name] == pytest.approx(claim.gradient[name], rel=1e-13, abs=1e-15, nan_ok=True), mode


@pytest.mark.parametrize("story", with_line("true"), ids=name_of)
def test_the_true_gradient_is_the_limit_of_differences(story: Story) -> None:
    at, true, names = story.point("at"), story.point("true"), differentiable_inputs(story)
    assert at is not None and true is not None
    value = program_of(story).value
    gradient = flat(names, true)
    directions = np.random.default_rng(0).standard_normal((30, gradient.size))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions = within_domain(story, directions)
    errors = []
    for step in (1e-5, 1e-7, 1e-9, 1e-12):
        values = np.array([value(*arguments(moved(names, at, step * one))) for one in directions])
        errors.append(np.max(np.abs((values - value(*arguments(at))) / step - directions @ gradient)))
    assert min(errors) < 1e-3


def within_domain(story: Story, steps: Array) -> Array:
    """Steps that a program with a precondition x >= 0 can take from 0."""
    return np.abs(steps) if "    assert " in story.path.read_text(encoding="utf-8") else steps


@pytest.mark.parametrize("story", with_line("clarke"), ids=name_of)
def test_gradients_nearby_span_the_clarke_subdifferential(story: Story) -> None:
    at, clarke, names = story.point("at"), story.vertices("clarke"), differentiable_inputs(story)
    assert at is not None and clarke is not None
    vertices = np.array([flat(names, vertex) for vertex in clarke])
    rng = np.random.default_rng(0)
    size = vertices.shape[1]
    steps = rng.standard_normal((SAMPLES, size)) * 10.0 ** rng.uniform(*SCALES, (SAMPLES, size))
    found = program_of(story).grad(*moved(names, at, steps).values())
    parts = found if isinstance(found, tuple) else (found,)
    rows = np.concatenate([np.reshape(part, (SAMPLES, -1)) for part in parts], axis=1)
    tolerance = 0.03 * (1 + np.max(np.abs(vertices)))
    distances = np.max(np.abs(rows[:, None, :] - vertices), axis=2)
    assert np.all(np.min(distances, axis=0) < tolerance), "a vertex that no gradient nearby tends to"
    assert all(in_hull(vertices, row) for row in rows[np.min(distances, axis=1) >= tolerance])


@pytest.mark.parametrize("story", with_line("field"), ids=name_of)
def test_the_field_has_the_values_of_the_story(story: Story) -> None:
    at, field, names = story.point("at"), story.vertices("field"), differentiable_inputs(story)
    assert at is not None and field is not None
    rows = np.asarray(program_of(story).field(*arguments(at)), dtype=float)
    rows = rows.reshape(len(rows), -1)
    expected = np.array([flat(names, vertex) for vertex in field])
    assert sorted(map(tuple, rows.round(12) + 0.0)) == sorted(map(tuple, expected.round(12) + 0.0))


@pytest.mark.parametrize("story", [story for story in POINTED if story.text("ad")], ids=name_of)
def test_exact_arithmetic_says_the_same(story: Story) -> None:
    preset, overrides = story.ties
    program = compile_file(story.path, preset=preset, overrides=dict(overrides)).program
    report = exact_report(program, parse_arguments(program, (story.text("at") or "").split()), preset)
    names = differentiable_inputs(story)
    for claim in story.claims():
        if claim.ties != story.ties:
            continue
        for mode in claim.modes:
            row = exact_row(names, (report.forward if mode == "forward" else report.backward)[0])
            expected = flat(names, claim.gradient)
            if story.name in FLOATS_ALONE:
                assert np.all(np.isfinite(row))
            else:
                assert row == pytest.approx(expected, rel=1e-13, abs=1e-15, nan_ok=True), mode
    field = story.vertices("field")
    if field is not None:
        found = sorted(tuple(exact_row(names, vertex[0])) for vertex in report.vertices)
        assert found == sorted(tuple(flat(names, vertex)) for vertex in field)


def exact_row(names: tuple[str, ...], row: Mapping[str, Any]) -> Array:
    """A row of a report as floats, one after another."""
    texts = np.concatenate([np.ravel(np.array(row[name])) for name in names])
    return np.array([parse_number(str(text)) for text in texts])


@pytest.mark.parametrize("story", [story for story in with_line("verdict") if story.text("ad")], ids=name_of)
def test_the_verdict_follows_from_the_numbers(story: Story) -> None:
    at, names = story.point("at"), differentiable_inputs(story)
    assert at is not None
    returned = flat(names, gradients(program_of(story), names, at, "backward"))
    assert story.text("verdict") == verdict(story, names, returned)


def verdict(story: Story, names: tuple[str, ...], returned: Array) -> str:
    true, clarke = story.point("true"), story.vertices("clarke")
    if jumps(story, names):
        return "discontinuous"
    if not np.all(np.isfinite(returned)):
        return "undefined"
    if true is not None and np.allclose(returned, flat(names, true)):
        return "exact"
    if clarke is None or not in_hull(np.array([flat(names, vertex) for vertex in clarke]), returned):
        return "spurious"
    return "clarke" if true is None else "inexact"


def jumps(story: Story, names: tuple[str, ...]) -> bool:
    """Whether values do not tend to the value at the point."""
    at = story.point("at")
    assert at is not None
    value = program_of(story).value
    size = sum(at[name].size for name in names)
    steps = within_domain(story, 1e-12 * np.random.default_rng(0).standard_normal((30, size)))
    near = np.array([value(*arguments(moved(names, at, step))) for step in steps])
    return bool(np.nanmax(np.abs(near - value(*arguments(at)))) > 1e-3)


@pytest.mark.parametrize("story", with_line("instead"), ids=name_of)
def test_the_rewrite_computes_the_same_and_is_right_under_every_preset(story: Story) -> None:
    at, names = story.point("at"), differentiable_inputs(story)
    assert at is not None
    function = story.text("instead")
    rng = np.random.default_rng(0)
    size = sum(at[name].size for name in names)
    steps = within_domain(story, rng.standard_normal((200, size)) * 10.0 ** rng.uniform(-6, 1, (200, 1)))
    value, rewritten = program_of(story).value, program_of(story, function=function).value
    example = gallery.example(story.name)
    where = example.story.where or "True"
    for step in (np.zeros(size), *steps):
        point = arguments(moved(names, at, step))
        if not eval(where, {"abs": abs}, dict(zip(at, point, strict=True))):  # the same by design only there
            continue
        expected = value(*point)
        if np.isfinite(expected):
            assert rewritten(*point) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    for preset in PRESETS:
        program = program_of(story, (preset, ()), function)
        for mode in MODES:
            returned = flat(names, gradients(program, names, at, mode))
            assert verdict(story, names, returned) in ("exact", "clarke") or story.text("true") is None
            assert np.all(np.isfinite(returned))
