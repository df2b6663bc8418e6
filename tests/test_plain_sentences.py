"""Sentences of `cfc strata` and `cfc check` about sets and comments, as a reader meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfcompiler import cli

Said = pytest.CaptureFixture[str]


def say(capsys: Said, folder: Path, command: str, text: str) -> str:
    path = folder / "prog.cf"
    path.write_text(text, encoding="utf-8")
    cli.main([command, str(path)])
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        ("x*x + y*y - 1", "exactly on the curve x**2 + y**2 - 1 = 0"),
        ("y - exp(x)", "exactly on the curve"),
        ("2*x - y/3", "exactly on the line"),
    ],
)
def test_what_is_bent_is_a_curve(capsys: Said, tmp_path: Path, difference: str, said: str) -> None:
    text = f"def f(x, y):\n    d = {difference}\n    return relu(d) - relu(-d)\n"
    assert said in say(capsys, tmp_path, "strata", text)


def test_relations_are_those_of_the_language(capsys: Said, tmp_path: Path) -> None:
    text = "def f(x, y):\n    if x == y:\n        return x*x\n    return x*y\n"
    assert "on x == y and y != 0: AD returns" in say(capsys, tmp_path, "check", text)
    text = "def f(x, y):\n    return abs(x**3 - y**2)\n"
    assert "x**3 - y**2 = 0, x != 0 or y != 0" in say(capsys, tmp_path, "strata", text)


def test_denominators_have_no_needless_brackets(capsys: Said, tmp_path: Path) -> None:
    for line, shown in {
        "log(x) + abs(x - y)": "AD (1/y, 0)",
        "log(x*x + 2) + abs(x - y)": "AD (2*y/(y**2 + 2), 0)",
        "sqrt(x)*log(x) + abs(x - y)": "AD ((log(y)/2 + 1)/sqrt(y), 0)",
    }.items():
        text = f"def f(x, y):\n    assert x > 0\n    return {line}\n"
        assert shown in say(capsys, tmp_path, "strata", text)


def test_open_questions_name_sets_and_are_asked_once(capsys: Said, tmp_path: Path) -> None:
    said = say(capsys, tmp_path, "strata", "def f(x):\n    return x if x > 0 else sin(x)\n")
    assert "on S" not in said
    text = "def f(x, y):\n    return x*x*y/(x*x + y*y) if x*x + y*y > 0 else 0\n"
    assert say(capsys, tmp_path, "check", text).count("CF190") == 1


def test_an_infinite_slope_is_named_by_the_word_of_the_program(capsys: Said, tmp_path: Path) -> None:
    assert "the slope of cbrt(x) is infinite" in say(
        capsys, tmp_path, "check", "def f(x):\n    return cbrt(x)\n"
    )


def test_a_comment_in_another_program_of_the_file_is_not_idle(capsys: Said, tmp_path: Path) -> None:
    other = "def f(x):\n    return relu(x) - relu(-x)  # cf: ignore[CF101, CF102] known\n\n"
    assert say(capsys, tmp_path, "check", other + "def g(x):\n    return 2*x\n") == ""
    called = other.replace("relu(-x)", "x")
    assert "CF191" in say(capsys, tmp_path, "check", called + "def g(x):\n    return f(x) + x\n")
    assert "CF191" in say(capsys, tmp_path, "check", called)


def test_check_has_the_timeout_that_its_sentences_name(capsys: Said, tmp_path: Path) -> None:
    path = tmp_path / "prog.cf"
    path.write_text(
        "def f(x, y, z):\n    a = sin(x*y) + relu(z - x)\n    b = exp(a) - abs(y*z - sin(x))\n"
        "    return max(a*b, b - a, x*y*z) + abs(cos(a) - z)\n",
        encoding="utf-8",
    )
    assert cli.main(["check", str(path), "--timeout", "1", "--strict"]) == 1
    assert "1 s" in capsys.readouterr().out
    assert cli.main(["check", str(path), "--timeout", "soon"]) == 2
    assert "--timeout" in capsys.readouterr().err
