"""The stories of examples/: complete, their numbers those of `cfc compare`, and every rewrite checked."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cfcompiler import demo, gallery
from cfcompiler.analyses.at import at
from cfcompiler.analyses.comparison import Written, comparison
from cfcompiler.analyses.same_values import Pair, same_values
from cfcompiler.analyses.value_formulas import value_formulas
from cfcompiler.compiler import compile_file, compile_text
from cfcompiler.errors import CFError
from cfcompiler.feasibility.conditions import Budget, Constraint
from cfcompiler.feasibility.solver import solve
from cfcompiler.gallery import Claim, Example
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import compare
from cfcompiler.point import parse_arguments
from cfcompiler.report import ComparisonReport, Row
from cfcompiler.report.rewriting import SameValues
from cfcompiler.source import Source
from cfcompiler.targets import gallery_text
from cfcompiler.transforms.scalarize import scalarize

EXAMPLES = gallery.examples()
POINTED = tuple(example for example in EXAMPLES if example.claims)
REWRITTEN = tuple(example for example in EXAMPLES if example.rewrite)
FIELDS = {"kind", "met", "returned", "true", "line", "instead", "references", "where", "within"}
# What overflows as a float does not overflow as an exact number: tests/test_examples.py runs it in floats.
FLOATS_ALONE = ("where_overflow",)
VERDICTS = {
    "spurious": {"spurious"},
    "guard": {"spurious"},
    "outside": {"spurious"},
    "arm": {"undefined"},
    "infinite": {"undefined"},
    "jump": {"discontinuous"},
    "critical": {"spurious", "exact"},
    "inexact": {"inexact"},
    "subgradient": {"clarke"},
    "right": {"exact", ""},
}
# Where the truth at the point is not decided, so that a rewrite is judged by its least value.
UNDECIDED = ("norm_zero", "std_constant", "x_sqrt_x")


def name_of(example: Example) -> str:
    return example.name


@cache
def compared(name: str) -> ComparisonReport:
    example = gallery.example(name)
    written = Written(Source(example.text, str(example.path)))
    return comparison(written, lambda program: parse_arguments(program, example.point.split()))


# the stories


def test_every_example_has_one_story() -> None:
    stories = {path.stem for path in (gallery.folder() / gallery.STORIES).iterdir()}
    assert stories == set(gallery.names())


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_a_story_is_complete(example: Example) -> None:
    path = gallery.folder() / gallery.STORIES / f"{example.name}.toml"
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(told) <= FIELDS
    story = example.story
    for text in (story.met, story.returned, story.true, story.instead):
        assert re.fullmatch(r"\S.{20,}[.)]", text)
        assert not re.search(r"[{}\n]", text)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 30
    assert all(len(line) <= 120 for line in path.read_text(encoding="utf-8").splitlines())
    assert example.verdict in VERDICTS[story.kind]
    if story.line:
        assert dict(example.program())[example.line].strip() == story.line
    else:
        assert example.line == 0
        assert example.name.startswith("digits")


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_a_story_names_the_threads_of_the_example(example: Example) -> None:
    named = re.compile(r"\b[A-Za-z][\w-]*/[\w.-]+#\d+")
    source = re.search(r"^# source: (.+)$", example.text, flags=re.MULTILINE)
    assert source is not None
    story = example.story
    assert set(named.findall(source[1])) <= set(named.findall(story.met)) | set(story.references)
    assert set(named.findall(story.met)) <= set(story.references) | {"HIPS/autograd#183"}
    for reference in story.references:
        assert gallery.address(reference).startswith("https://")


@pytest.mark.parametrize("example", POINTED, ids=name_of)
def test_the_numbers_of_a_story_come_from_the_program(example: Example) -> None:
    text = (gallery.folder() / gallery.STORIES / f"{example.name}.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    stated = {claim.preset for claim in example.claims}
    assert any(f"{{{preset}" in told["returned"] for preset in stated), "a number of `# ad:`, by its preset"
    assert not example.true or "{true" in told["true"] or example.kind.name in ("inexact", "spurious")


# their numbers


@pytest.mark.parametrize("example", POINTED, ids=name_of)
def test_the_presets_return_what_the_story_says(example: Example) -> None:
    if example.name in FLOATS_ALONE:
        return
    rows = {row.name: row for row in compared(example.name).presets}
    for claim in example.claims:
        if claim.rules:
            continue  # under rules of one's own: tests/test_examples.py
        row = rows[claim.preset]
        for mode, found in (("forward", row.forward), ("backward", row.backward)):
            if claim.mode in ("", mode):
                assert found is not None
                assert same(claim, found[0]), (claim.preset, mode, found)


@pytest.mark.parametrize("example", [one for one in POINTED if one.true], ids=name_of)
def test_the_gradient_is_what_the_story_says(example: Example) -> None:
    if example.name == "x_sqrt_x":
        return  # one-sided, at the edge of the domain
    gradient = compared(example.name).truth.gradient
    if gradient is None and example.rewrite:  # not decided on a program that returns NaN; it is one function
        report = demo.check_of(example)
        assert report is not None
        gradient = report.compared.truth.gradient
    assert gradient is not None
    assert same(Claim("", (), "", example.true), gradient[0])


def same(claim: Claim, row: Row) -> bool:
    """Whether a row of a report has the numbers of a claim."""
    for name, text in claim.values.items():
        stated = [part for part in re.split(r"[\[\],]+", text) if part]
        found = [part for part in re.split(r"[\[\], ']+", str(row[name])) if part]
        if len(stated) != len(found):
            return False
        for one, other in zip(stated, found, strict=True):
            if one != other and compare(parse_number(one), parse_number(other)) != 0:
                return False
    return True


@pytest.mark.parametrize("example", [one for one in POINTED if one.line], ids=name_of)
def test_the_line_is_one_that_cfc_at_points_to(example: Example) -> None:
    """A tie on it or below it, the NaN or inf that is made there, or the arm that was taken."""
    preset, rules = example.rules
    program = compile_file(
        example.path, preset=preset, overrides={k: v for k, _, v in (rule.partition("=") for rule in rules)}
    ).program
    report = at(program, parse_arguments(program, example.point.split()), preset)
    lines = {tie.line for tie in report.ties_here}
    if report.nan is not None:
        lines |= {origin.line for origin in (report.nan.origin, report.nan.source) if origin is not None}
    calls = called_from(example, lines)
    quiet = not lines and example.verdict == "exact"  # as double_where: nothing is tied, no NaN is made
    assert example.line in lines | calls or quiet or example.name in FLOATS_ALONE, (example.line, lines)


def called_from(example: Example, lines: set[int]) -> set[int]:
    """The lines that call a function of the file which one of `lines` stands in."""
    functions = [node for node in ast.parse(example.text).body if isinstance(node, ast.FunctionDef)]
    inside = {f.name for f in functions for line in lines if f.lineno <= line <= (f.end_lineno or 0)}
    return {
        node.lineno
        for f in functions
        for node in ast.walk(f)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in inside
    }


# their rewrites


@pytest.mark.parametrize("example", REWRITTEN, ids=name_of)
def test_a_rewrite_is_the_same_function_and_right(example: Example) -> None:
    report = demo.check_of(example)
    assert report is not None
    assert report.same.answer == "proved", report.same
    assert report.same.how in ("operations", "strata", "algebra")
    assert report.same.points >= 5
    for row in report.compared.presets:
        if example.name in UNDECIDED:
            assert report.least or row.verdict in ("exact", "clarke"), row
        else:
            assert row.verdict in ("exact", "clarke"), row
            assert row.forward_verdict in ("exact", "clarke"), row
    assert report.strata.spurious == ()
    assert all(good for good, _ in gallery_text.checked(report)), gallery_text.checked(report)
    if example.story.within:
        assert report.within == example.story.within
        assert report.near >= 5


@pytest.mark.parametrize("example", [one for one in EXAMPLES if not one.rewrite], ids=name_of)
def test_what_has_no_rewrite_says_why(example: Example) -> None:
    wrong = example.verdict not in ("exact", "clarke", "inexact", "discontinuous", "")
    assert not wrong or example.name == "two_layers"
    assert re.search(r"[Nn]othing|right as it is|Start elsewhere|no rewrite", example.story.instead)


PAIR = """
def left(x, y):
    return {left}


def right(x, y):
    return {right}
"""


def compared_texts(left: str, right: str, where: str = "", at: str = "x=0 y=0") -> SameValues:
    pair = Pair(Source(PAIR.format(left=left, right=right), "pair.cf"), "left", "right", where)
    return same_values(pair, parse_arguments(pair.program("left"), at.split()))


@pytest.mark.parametrize(
    ("left", "right", "how"),
    [
        ("where(x > 0, x, y)", "x if x > 0 else y", "operations"),
        ("max(x, y) + min(x, y)", "x + y", "strata"),
        ("abs(x*y)", "abs(x)*abs(y)", "strata"),
        ("exp(max(x, y))", "exp(x) if x > y else exp(y)", "strata"),
        ("sin(abs(x))*sign(x)", "sin(x)", "strata"),
        ("sqrt(x*x + 2*x*y + y*y)", "abs(x + y)", "strata"),
        ("cos(relu(x)) + cos(relu(-x))", "1 + cos(x)", "strata"),
        ("(x*x + y*y)**1.5", "norm2([x, y])**3", "strata"),
        ("atan(x/(1 + y*y)) + atan(-x/(1 + y*y))", "0*x*y", "strata"),
    ],
)
def test_equal_functions_are_proved_equal(left: str, right: str, how: str) -> None:
    found = compared_texts(left, right)
    assert (found.answer, found.how) == ("proved", how), found


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("max(x, y)", "x if x > y else x"),
        ("exp(x)", "exp(y)"),
        ("sin(abs(x))", "sin(x)"),
        ("cos(x)", "cos(-x) + y"),
        ("sqrt(x*x)", "x"),
        ("relu(x)", "relu(x) + relu(x - 10)*0.001 - relu(x - 10)*0.001*(1 if y > 0 else 2)"),
        ("log1p(exp(x))", "exp(log1p(x))"),
        ("x if y == 1/2 else 0", "0*x"),
        ("max(x, y, 1)", "max(x, y)"),
    ],
)
def test_different_functions_are_never_proved_equal(left: str, right: str) -> None:
    assert compared_texts(left, right).answer in ("refuted", "undecided")


MANY = (
    "x",
    "abs(x)",
    "sqrt(x*x)",
    "relu(x) - relu(-x)",
    "relu(x) + relu(-x)",
    "max(x, -x)",
    "x*sign(x)",
    "sin(x)",
    "sin(x)*sign(x)*sign(x)",
    "cos(x)",
    "exp(x)",
    "exp(x) if x > 0 else exp(-x)",
    "max(x, y)",
    "(x + y + abs(x - y))/2",
    "clip(x, -1, 1)",
    "min(max(x, -1), 1)",
    "acos(clip(x, -1, 1))",
    "0*y if x >= 1 else (pi if x <= -1 else acos(x))",
    "(x*x*x)/(x*x + 1)",
    "x - x/(x*x + 1)",
    "x**3 if x == 2 else 4*x",
    "4*x",
)


def test_of_many_functions_those_are_equal_that_agree_at_random_points() -> None:
    rng = np.random.default_rng(0)
    grid = np.concatenate(
        [rng.standard_normal((40, 2)) * 2, [[0, 0], [1, 0], [-1, 0], [2, 1], [0, 1], [1, 1]]]
    )
    values = [evaluated(text, grid) for text in MANY]
    proved = set()
    for one in range(len(MANY)):
        for other in range(one):
            agree = np.allclose(values[one], values[other], rtol=1e-12, atol=1e-12)
            if not agree and (one + other) % 3:
                continue  # a third of those that differ is enough
            text = f"def f(x, y):\n    return ({MANY[one]}) - ({MANY[other]})\n"
            told = value_formulas(scalarize(compile_text(text).program))
            apart = Constraint(told.results[0], "!=")
            found = solve([*told.formulas, apart], told.variables, Budget(5 if agree else 0.1).start())
            assert agree or found != "unsat", (MANY[one], MANY[other])
            if found == "unsat":
                proved.add((MANY[other], MANY[one]))
    assert ("abs(x)", "sqrt(x*x)") in proved
    assert ("sin(x)", "sin(x)*sign(x)*sign(x)") in proved
    assert ("max(x, y)", "(x + y + abs(x - y))/2") in proved
    assert len(proved) >= 12


def evaluated(text: str, grid: np.ndarray) -> np.ndarray:
    program = compile_text(f"def f(x, y):\n    return {text}\n")
    return np.array([program.value(float(x), float(y)) for x, y in grid])


def test_a_difference_is_shown_at_an_exact_point() -> None:
    found = compared_texts("x*x", "x*abs(x)", at="x=-1/2 y=0")
    assert found.answer == "refuted"
    assert found.witness == {"x": "-1/2", "y": "0"}
    assert found.values == ("1/4", "-1/4")


def test_functions_may_be_the_same_under_a_condition() -> None:
    assert compared_texts("abs(x)", "x", where="x >= 0", at="x=1 y=0").answer == "proved"
    assert compared_texts("abs(x)", "x", at="x=1 y=0").answer == "refuted"
    assert compared_texts("exp(abs(x))", "exp(x)", where="x >= 0", at="x=1 y=0").answer == "proved"


def test_what_is_not_known_of_a_function_is_not_decided() -> None:
    found = compared_texts("sin(x + y)", "sin(x)*cos(y) + cos(x)*sin(y)")
    assert (found.answer, found.how) == ("undecided", "points")
    assert found.points > 5


# reading


def test_an_address_is_made_of_a_reference() -> None:
    assert gallery.address("jax-ml/jax#37820") == "https://github.com/jax-ml/jax/issues/37820"
    assert gallery.address("https://arxiv.org/abs/2006.02080") == "https://arxiv.org/abs/2006.02080"


def test_a_name_is_completed(tmp_path: Path) -> None:
    assert [example.name for example in gallery.meant("golden")] == ["golden_relu"]
    assert [example.name for example in gallery.meant("zero.cf")] == ["zero"]
    assert [example.name for example in gallery.meant("relu")] == ["relu2", "relu3"]
    assert gallery.example("relu2").name == "relu2"
    with pytest.raises(CFError, match="relu2, relu3"):
        gallery.example("relu")
