"""The screen of `cfc at`: the sentences that a reader needs are there, true, and fit on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cfcompiler import cli, gallery
from cfcompiler.targets.point_text import WIDTH

MOST_LINES = 40
Screen = Callable[..., str]


@pytest.fixture
def screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Screen:
    """The screen for a program and the arguments after it."""

    def show(text: str, *arguments: str) -> str:
        path = tmp_path / "prog.cf"
        path.write_text(text + "\n", encoding="utf-8")
        assert cli.main(["at", str(path), *arguments]) == 0
        return capsys.readouterr().out

    return show


def unwrapped(text: str) -> str:
    """The screen without its line breaks and its rulers."""
    return " ".join(text.replace("|", " ").split())


@pytest.mark.parametrize(
    ("text", "arguments", "sentences"),
    [
        (
            "def f(t): return relu(-t) + t - relu(t)",
            ["t=0"],
            [
                "gradient t = 0",
                "relu, -t = 0: taken as negative; as positive AD would be 0",
                "spurious: AD returns 1, the gradient is 0",
                "lexicographic() returns a limit of gradients, whatever is tied: 0 here",
            ],
        ),
        (
            "def f(x): return 0 if x == 0 else x",
            ["x=0"],
            [
                "if, x = 0: the condition is true; were it false AD would be 1",
                "spurious: AD returns 0, the gradient is 1",
                "an optimiser stops here although f still decreases, along d: x = -1 with the slope -1 or less",
                "an arm that is taken at single points",
            ],
        ),
        (
            "def f(x): return abs(x)",
            ["x=0", "--ties", "jax"],
            [
                "limits -1, 1 (gradients at points nearby tend to these)",
                "Clarke [-1, 1] (everything between the limits)",
                "x: -1 on the left, 1 on the right",
                "clarke: f has no gradient here; AD returns 1, an element of the Clarke subdifferential [-1, 1]",
                "exact arithmetic; every step was checked",
            ],
        ),
        (
            "def f(x): return max(x, 0) + min(x, 0)/5",
            ["x=0", "--ties", "tensorflow"],
            ["spurious: f has no gradient here; AD returns 6/5, which is not in the Clarke subdifferential [1/5, 1]"],
        ),
        (
            "def f(a, b, c): return a + b + c - max(max(a, b), c) - min(min(a, b), c)",
            ["a=1", "b=1", "c=1", "--ties", "tensorflow"],
            [
                "Clarke everything between the limits: their convex hull",
                "but along d: a = -1, b = 1, c = 1 AD has the slope 3, no limit of gradients more than 1",
            ],
        ),
        (
            "def f(x, y): return relu(x*x - abs(y))",
            ["x=0", "y=0", "--tie", "relu=1", "--tie", "abs=1"],
            [
                "inexact: AD returns x = 0, y = -1, the gradient is x = 0, y = 0;",
                "what AD returns is a mixture of gradients nearby, not the slope of f",
            ],
        ),
        (
            "def f(x): return where(x > 0, sqrt(x), 0)",
            ["x=0"],
            [
                "sqrt: 0 * inf in backward AD, in an arm that where did not select,",
                "0 is the derivative that arrives from the result, inf the slope of sqrt here",
                "a double where",
                "undefined",
            ],
        ),
        (
            "def f(x): return sqrt(x**2)",
            ["x=0"],
            ["**: inf * 0 in backward AD", "the inf is made in line 1, column 18, by sqrt: 1 * inf"],
        ),
        (
            "def f(x): return abs(x)",
            ["x=0", "--tie", "abs=nan"],
            ["the rule for abs is NaN at this point", "choose a number, --tie abs=0"],
        ),
        (
            "def f(x):\n    if x > 0:\n        return 1\n    return x",
            ["x=0"],
            [
                "x: 1 on the left, a jump on the right",
                "discontinuous: the program jumps: its value here is 0, and 1 is approached beside it",
            ],
        ),
        (
            "def f(x):\n    assert x >= 0\n    return sqrt(x)",
            ["x=0"],
            ["x: outside the domain on the left, inf on the right", "the slope of sqrt is infinite here"],
        ),
        (
            "def f(x): return sign(x)*abs(x)",
            ["x=0"],
            ["sign, x = 0: it jumps here, and AD takes 0 for its slope", "spurious: AD returns 0, the gradient is 1"],
        ),
        (
            "def f(x): return x*x",
            ["x=3"],
            ["tied here nothing", "exact: AD returns 6, the gradient"],
        ),
        (
            "def f(v: Real[3]): return max(v)",
            ["v=[1,1,0]"],
            ["of the equal entries AD takes a mixture; with the first entry AD would be v = [1, 0, 0],"],
        ),
    ],
)  # fmt: skip
def test_what_a_reader_needs_is_said(
    screen: Screen, text: str, arguments: list[str], sentences: list[str]
) -> None:
    shown = unwrapped(screen(text, *arguments))
    for sentence in sentences:
        assert sentence in shown, shown


def test_carets_stand_under_the_operations(screen: Screen) -> None:
    lines = screen("def f(x, y):\n    return relu(x) + abs(y)", "x=0", "y=0").split("\n")
    place = next(place for place, line in enumerate(lines) if "return relu" in line)
    assert lines[place + 1].index("^") == lines[place].index("relu")
    assert next(line for line in lines if "^ abs" in line).index("^") == lines[place].index("abs")


def test_carets_far_to_the_right_have_a_line_of_their_own(screen: Screen) -> None:
    text = "def f(x): return " + " + ".join(["x*x*x*x*x*x"] * 8) + " + abs(x) + relu(x)"
    lines = screen(text, "x=0").split("\n")
    for name in ("abs", "relu"):
        place = next(place for place, line in enumerate(lines) if f"^ {name}" in line)
        assert lines[place - 1][lines[place].index("^") :].startswith(f"{name}(x)")


def test_many_ties_are_counted(screen: Screen) -> None:
    shown = screen("def f(x): return " + " + ".join(["abs(x)"] * 12), "x=0", "--ties", "jax")
    assert "... and 4 more tied operations" in shown
    entries = screen("def f(v: Real[5]): return sum(abs(v))", "v=[0,0,0,0,0]")
    assert "v[0] = 0, v[1] = 0, v[2] = 0, ... 5 of them" in entries


@pytest.mark.parametrize("name", [example.name for example in gallery.examples() if example.name != "digits"])
def test_every_example_fits_on_a_screen(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    example = gallery.example(name)
    if not example.arguments:
        pytest.skip("an example without a point")
    assert cli.main(list(example.arguments)) == 0
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= WIDTH + 14 or len(lines[0]) > WIDTH


def test_a_budget_ends_as_unknown(screen: Screen) -> None:
    text = "def f(v: Real[6]): return sum(abs(v))"
    few = screen(text, "v=[0,0,0,0,0,0]", "--max-cells", "3")
    assert "unknown: more than 3 pieces" in few
    assert "allow more work: --timeout SECONDS, --max-cells N" in unwrapped(few)


def test_budgets_hold_for_a_file_of_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cases.jsonl"
    lines = [
        '{"id": 1, "source": "def f(v: Real[6]): return sum(abs(v))", "point": {"v": [0,0,0,0,0,0]}}',
        '{"id": 2, "source": "def f(x): return y", "point": {"x": 0}}',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert cli.main(["at", "--jsonl", str(path), "--max-cells", "3"]) == 0
    first, second = capsys.readouterr().out.strip().split("\n")
    assert '"verdict": "unknown"' in first
    assert '"code": "CF012"' in second
