"""`cfc report` as a text: what stands in the data, that nothing of the user is HTML, when nothing is written."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cfcompiler import output
from cfcompiler.analyses import lesson, lesson_pictures
from cfcompiler.analyses.right_everywhere import right_everywhere
from cfcompiler.cli import main
from cfcompiler.compiler import compile_file, compile_text
from cfcompiler.report import Relation, RightWhen, RuleNumber, Settings
from cfcompiler.targets.html_report import page_data

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture(scope="module", autouse=True)
def few_slices() -> Iterator[None]:
    """One map and one curve are enough here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lesson_pictures, "MOST_CURVES", 1)
        patch.setattr(lesson_pictures, "MOST_MAPS", 1)
        yield


@cache
def page(name: str) -> tuple[str, dict[str, Any]]:
    text = compile_file(EXAMPLES / f"{name}.cf").report().text
    return text, data_of(text)


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_a_page_says_where_ad_is_wrong() -> None:
    _, data = page("trap")
    assert data["headline"][0] == {
        "kind": "spurious",
        "text": "AD is wrong exactly where w = 0: it returns w = 0, the gradient is w = -2.",
    }
    assert [one["code"] for one in data["findings"]] == ["CF101", "CF102"]
    first = data["points"][0]
    assert (first["point"], first["backward"], first["gradient"]) == ([["w", "0"]], [["0"]], [["-2"]])
    assert first["verdict"] == "spurious" and first["artificial"] is True
    assert data["everywhere"]["kind"] == "one"
    assert data["everywhere"]["conditions"] == [{"kind": "Eq", "left": "relu", "right": "1/2", "parts": []}]


def test_of_several_outputs_no_optimiser_is_spoken() -> None:
    compiled = compile_text("def f(x):\n    return relu(x), relu(x) - relu(-x)\n")
    data = data_of(compiled.report(seconds=5.0).text)
    texts = [one["text"] for one in data["headline"]] + [one["message"] for one in data["findings"]]
    assert len([text for text in texts if "for all outputs" in text]) == 2
    assert not [text for text in texts if "decreases" in text or "descent" in text]


def test_what_at_and_strata_say_is_what_the_page_says() -> None:
    compiled = compile_file(EXAMPLES / "khan_barton.cf")
    _, data = page("khan_barton")
    strata = {one.id: one for one in compiled.strata().strata}
    assert {one["id"] for one in data["strata"]["list"]} == set(strata)
    for one in data["strata"]["list"]:
        assert one["verdict"] == strata[one["id"]].verdict
        assert one["ad"] == [list(row.values()) for row in strata[one["id"]].ad or ()]
    for point in data["points"]:
        said = compiled.at(**dict(point["point"]))
        assert point["backward"] == [list(row.values()) for row in said.backward]
        assert point["verdict"] == said.judged.verdict


def test_the_steps_of_the_tape_are_lines_of_the_backward_program() -> None:
    _, data = page("trap")
    lines, first = data["code"]["backward"]["lines"], data["firstInstruction"]
    steps = data["points"][0]["tape"]["steps"]
    for step in steps:
        assert lines[step["index"] + first][0].strip().startswith(step["name"])
    assert [step["name"] for step in steps if step["tied"] and step["phase"] == "value"] == ["s", "s_2"]
    assert steps[-1]["value"] == "0" and steps[-1]["phase"] == "backward"


def test_the_birth_of_nan_is_found_on_the_tape() -> None:
    _, data = page("where_sqrt")
    point = next(one for one in data["points"] if one["point"] == [["x", "0"]])
    born = [step for step in point["tape"]["steps"] if step["alarm"] not in ("", "passes on")]
    assert [(step["alarm"], step["value"], step["phase"]) for step in born] == [("0 / 0", "nan", "backward")]
    assert point["tape"]["steps"][-1]["alarm"] == "passes on"
    assert (point["nan"]["origin"]["factors"], point["nan"]["origin"]["line"]) == (["0", "inf"], 21)


def test_a_name_a_path_and_a_comment_that_are_html_inject_nothing(tmp_path: Path) -> None:
    evil = "</script><script>document.title='x'</script><img src=x onerror=alert(1)><!--"
    source = f"# {evil}\ndef f(x):\n    return relu(x) - relu(-x)  # &lt;b&gt; {evil}\n"
    path = f"/tmp/\u2028\u2029{evil}.cf"
    text = compile_text(source, path).report().text
    assert text.count("<script") == 2 and text.count("</script>") == 2
    assert "onerror" not in re.sub(r'(?s)<script type="application/json".*?</script>', "", text)
    assert "<img" not in text and "\u2028" not in text and "\u2029" not in text
    data = data_of(text)
    assert "\n".join(data["source"]) == source and data["path"] == path


def test_the_policy_allows_this_script_and_this_style_and_no_request() -> None:
    text, _ = page("zero")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None and policy[1].startswith("default-src 'none'; ")
    for tag, word in (("style", "style-src"), ("script", "script-src")):
        block = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert block is not None
        digest = base64.b64encode(hashlib.sha256(block[1].encode()).digest()).decode()
        assert f"{word} 'sha256-{digest}'" in policy[1]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_same_input_gives_the_same_bytes() -> None:
    assert page("zero")[0] == compile_file(EXAMPLES / "zero.cf").report().text


def test_the_page_is_small() -> None:
    assert len(page("khan_barton")[0]) < 400_000
    assert len(page("zero")[0]) < 300_000


def test_a_wrong_program_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "wrong.cf"
    program.write_text("def f(x):\n    return y\n")
    assert main(["report", str(program), "-o", str(tmp_path / "out.html")]) == 2
    assert "error" in capsys.readouterr().err
    assert not (tmp_path / "out.html").exists()


def test_a_file_of_somebody_else_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.html"
    target.write_text("<p>mine</p>")
    command = ["report", str(EXAMPLES / "zero.cf"), "-o", str(target)]
    assert main(command) == 2
    assert target.read_text() == "<p>mine</p>"
    assert main([*command, "--force"]) == 0
    assert "generated by cfc" in target.read_text()[:300]
    output.write(target, "another", force=False)  # it is cfc's own now
    assert target.read_text() == "another"
    capsys.readouterr()


def test_a_point_that_is_asked_for_stands_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "report",
                str(EXAMPLES / "khan_barton.cf"),
                "x=1/3",
                "y=0",
                "--ties",
                "jax",
                "-o",
                "-",
                "--timeout",
                "3",
            ]
        )
        == 0
    )
    data = data_of(capsys.readouterr().out)
    assert data["points"][0]["point"] == [["x", "1/3"], ["y", "0"]]
    assert data["command"].endswith("khan_barton.cf x=1/3 y=0 --ties jax --timeout 3")


@pytest.mark.parametrize("arguments", [["x=1"], ["x=1", "y=2", "z=3"], ["--fix", "q=1"], ["--timeout", "0"]])
def test_a_wrong_command_line_is_told(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.html"
    assert main(["report", str(EXAMPLES / "khan_barton.cf"), *arguments, "-o", str(target)]) == 2
    assert "error" in capsys.readouterr().err and not target.exists()


# programs of every kind


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        ("def f(x):\n    return floor(x) + relu(x)\n", {}, "no stratum is known"),
        ("def f(x):\n    return 1 if x > 0 else 0\n", {}, "jumps"),
        ("def f(x):\n    return where(x > 0, sqrt(x), 0)\n", {}, ""),
        ("def f(v: Real[50]):\n    return relu(sum(v)) + relu(v[1])\n", {"seconds": 1.0}, ""),
        ("def f(v: Real[2], k: Const[2]):\n    return max(v * k)\n", {"fix": {"k": [1, 2]}}, ""),
        ("def f(x, y):\n    return relu(x), abs(y)\n", {}, ""),
        ("def f(x):\n    return relu(x)\n", {"fix": {"x": 0}}, "nothing moves"),
        ("def f(x, y):\n    return max(x, y)\n", {"fix": {"y": "sqrt(2)"}}, ""),
        ("def f(x):\n    assert x > 1\n    return relu(x - 2)\n", {}, ""),
        ("def f(v: Real[3]):\n    return relu(v[0]) - relu(-v[0]) + v[1]\n", {"fix": {"v[1]": "1/2"}}, ""),
        ("def f(x):\n    return 0 * x + 3\n", {}, ""),
    ],
)
def test_every_program_has_an_honest_page(source: str, options: dict[str, Any], says: str) -> None:
    text = compile_text(source).report(**{"seconds": 4.0, **options}).text
    data = data_of(text)
    assert data["headline"] or data["unknown"]
    told = json.dumps([data["headline"], data["unknown"], data["notes"], data["undrawn"], data["findings"]])
    assert says in told
    total = sum(data["strata"]["verdicts"].values())
    assert total == len(data["strata"]["list"]) + data["strata"]["leftOut"]


def test_more_strata_than_are_listed_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_data, "MOST_STRATA", 3)
    monkeypatch.setattr(lesson, "MOST_POINTS", 2)
    data = data_of(compile_text("def f(x, y):\n    return max(x, y)+ relu(x)\n").report().text)
    total = sum(data["strata"]["verdicts"].values())
    assert total == sum(data["strata"]["dimensions"].values()) > 3
    assert (len(data["strata"]["list"]), data["strata"]["leftOut"]) == (3, total - 3)
    assert len(data["points"]) == 2 and data["pointsLeftOut"] > 0
    assert any("no panel" in note for note in data["notes"])


def test_a_document_saves_itself_and_shows_itself(tmp_path: Path) -> None:
    document = compile_file(EXAMPLES / "zero.cf").report(at={"t": 0})
    path = document.save(tmp_path / "zero.html")
    assert path.read_text(encoding="utf-8") == document.text
    shown = document._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "<script" not in shown


# which rules are right at all points together


def needs(*conditions: Relation, kind: str = "set") -> RightWhen:
    relu = RuleNumber("relu", "relu", "0", "0", "1")
    maximum = RuleNumber("max", "max", "1/2", "0", "1")
    return RightWhen((relu, maximum), (), None, None, Settings(kind, conditions))


def test_points_that_want_different_numbers_have_none_together() -> None:
    half, whole = Relation("Eq", "relu", "1/2"), Relation("Eq", "relu", "1")
    assert right_everywhere([needs(half)]).kind in ("one", "set")
    assert right_everywhere([needs(half), needs(whole)]).kind == "none"


def test_conditions_of_several_points_are_put_together() -> None:
    found = right_everywhere([needs(Relation("Le", "1/2", "relu")), needs(Relation("Le", "relu", "1/2"))])
    assert found.conditions == (Relation("Eq", "relu", "1/2"),)


def test_where_one_point_alone_has_a_say_its_settings_are_those_of_all() -> None:
    either = Relation("Or", parts=(Relation("Eq", "relu", "0"), Relation("Eq", "relu", "1")))
    assert right_everywhere([needs(either), needs(kind="all")]).conditions == (either,)
    assert right_everywhere([needs(either), needs(Relation("Eq", "relu", "1"))]).kind == "unknown"


def test_a_point_that_does_not_tell_leaves_it_open() -> None:
    unknown = RightWhen((), (), None, None, Settings("unknown", reason="nobody knows"))
    assert right_everywhere([needs(Relation("Eq", "relu", "0")), unknown]).reason == "nobody knows"
    assert right_everywhere([unknown, needs(kind="none")]).kind == "none"
