"""`cfc at --jsonl`: a case a line, an answer a line, in order, whatever the line is."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cfcompiler import cli

PROGRAM = """\
def f(x, v: Real[2], n: Int = 2):
    assert x >= 0, "x is a length"
    return relu(x)**n + v[0] - abs(v[1])


def zero(t):
    return relu(-t) + t - relu(t)
"""
MAX = "def f(x):\n    return max(x, 0)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with prog.cf in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prog.cf").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def feed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


def lines_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert cli.main(arguments) == 0
    out, complaint = capsys.readouterr()
    assert complaint == ""
    return [json.loads(line) for line in out.splitlines()]


def test_cases_are_answered_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        {"id": "a", "source": MAX, "point": {"x": "0"}},
        {"id": 2, "source": MAX, "point": {"x": 0}, "ties": "jax"},
        {"id": "first", "source": MAX, "point": {"x": "0"}, "ties": {"max": "first"}},
        {
            "id": "path",
            "source": "prog.cf",
            "function": "f",
            "static": {"n": 1},
            "point": {"x": 0.1, "v": [1, "1/3"]},
        },
    ]
    (folder / "cases.jsonl").write_text(
        "".join(json.dumps(case) + "\n" for case in cases) + "\n", encoding="utf-8"
    )
    answers = lines_of(capsys, "at", "--jsonl", "cases.jsonl")
    assert [answer["id"] for answer in answers] == ["a", 2, "first", "path"]
    assert [answer["ad"]["backward"]["x"] for answer in answers] == ["1/2", "1/2", "1", "1"]
    assert answers[3]["value"] == "23/30"


def test_a_case_that_fails_is_an_error_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        json.dumps({"id": 1, "source": "def f(x):\n    return y\n", "point": {"x": 0}}),
        json.dumps({"id": 2, "source": MAX, "point": {"z": 0}}),
        json.dumps({"id": 3, "source": MAX, "point": {"x": 0}, "ties": "none"}),
        json.dumps({"id": 4, "source": MAX, "point": {"x": 0}, "ties": 5}),
        json.dumps({"id": 5, "source": MAX, "point": [0]}),
        json.dumps({"id": 6, "source": "nowhere.cf", "point": {}}),
        json.dumps({"id": 7}),
        json.dumps({"id": 8, "source": "prog.cf", "function": "f", "static": {"n": True}, "point": {}}),
        '{"id": 9, ',
        "[]",
        "[" * 100_000,
        '{"id": ' + "1" * 5000 + "}",
        json.dumps({"id": "last", "source": MAX, "point": {"x": 1}}),
    ]
    feed(monkeypatch, "\n".join(lines))
    answers = lines_of(capsys, "at", "--jsonl", "-")
    assert len(answers) == len(lines)
    assert answers[0] == {
        "id": 1,
        "error": {"code": "CF012", "message": "unknown name 'y'", "line": 2, "column": 12},
    }
    for answer in answers[:-1]:
        assert set(answer["error"]) == {"code", "message", "line", "column"}
    codes = [answer["error"]["code"] for answer in answers[1:4]]
    assert codes == ["CF090", "CF082", "CF098"]
    assert [answer["id"] for answer in answers[:12]] == [*range(1, 9), *[None] * 4]
    assert "n is an integer, not True" in answers[7]["error"]["message"]
    assert answers[8]["error"]["line"] == 9
    assert answers[-1]["value"] == "1"


def test_cases_without_a_source_take_the_program_of_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, '{"id": 1, "point": {"t": 0}}\n{"id": 2, "point": {"t": 0}, "ties": {"relu": 1}}\n')
    answers = lines_of(capsys, "at", "prog.cf", "--jsonl", "-")
    assert [answer["ties"] for answer in answers] == ["torch", "torch, relu=1"]


def test_a_thousand_cases_are_one_quick_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        json.dumps({"id": place, "source": MAX, "point": {"x": str(place - 500)}}) for place in range(1000)
    ]
    feed(monkeypatch, "\n".join(lines))
    answers = lines_of(capsys, "at", "--jsonl", "-")
    assert [answer["id"] for answer in answers] == list(range(1000))


def test_a_mark_before_the_text_is_no_part_of_the_first_case(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\ufeff" + json.dumps({"id": "first", "source": MAX, "point": {"x": 1}}) + "\n"
    (folder / "cases.jsonl").write_text(text, encoding="utf-8")
    from_file = lines_of(capsys, "at", "--jsonl", "cases.jsonl")
    feed(monkeypatch, text)
    from_stdin = lines_of(capsys, "at", "--jsonl", "-")
    assert [(answer["id"], answer["verdict"]) for answer in from_file] == [("first", "exact")]
    assert from_stdin == from_file


def test_a_bug_in_one_case_does_not_end_the_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("cfcompiler.cases.point_of", broken)
    feed(monkeypatch, "\n".join(json.dumps({"id": place, "source": MAX, "point": {}}) for place in (1, 2)))
    assert cli.main(["at", "--jsonl", "-"]) == 70
    out, complaint = capsys.readouterr()
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["id"] for answer in answers] == [1, 2]
    assert all("a bug of cfc" in answer["error"]["message"] for answer in answers)
    assert "2 cases" in complaint
