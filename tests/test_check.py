"""`cfc check` on piecewise-affine programs from end to end: programs in found/ have their findings in comments.

`# found CF101: part of the message | CF102: part`; every finding is expected, and no other. CF105 is looked for too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import cfcompiler
from cfcompiler import cli
from cfcompiler.analyses.finding_texts import LEVELS
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.errors import CFError, explanations
from cfcompiler.report import Finding

FOLDER = Path(__file__).parent / "found"
PROGRAMS = sorted(FOLDER.glob("*.cf"))
EXPECTED = re.compile(r"#.*\bfound (CF.*)$")
IDENTITY = "def f(x):\n    return relu(x) - relu(-x)\n"


def expected(text: str) -> list[tuple[int, str, str]]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        match = EXPECTED.search(line)
        for part in match.group(1).split(" | ") if match else ():
            code, _, message = part.partition(": ")
            found.append((number, code.strip(), message.strip()))
    return sorted(found)


def compiled(text: str, **rules: str) -> Compiled:
    return compile_text(text, "prog.cf", overrides=rules)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["check", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def prog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> str:
        (tmp_path / "prog.cf").write_text(text, encoding="utf-8")
        return "prog.cf"

    return write


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_a_program_has_its_findings_and_no_others(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = cfcompiler.compile(path).check(extend_select=["CF105"]).findings
    assert sorted((item.place.line, item.code) for item in found) == [
        (line, code) for line, code, _ in expected(text)
    ]
    for line, code, part in expected(text):
        assert any(
            item.place.line == line and item.code == code and part in item.message for item in found
        ), (part, [item.message for item in found])


# the explanations


AFFINE = ["CF101", "CF102", "CF104", "CF105", "CF108", "CF109", "CF191", "CF192"]


@pytest.mark.parametrize("code", AFFINE)
def test_the_examples_of_an_explanation_have_the_finding_and_have_it_not(code: str) -> None:
    explanation = explanations()[code]
    extend = ["CF105"]
    wrong = compiled(explanation.wrong.lstrip("\n")).check(extend_select=extend)
    assert code in codes(wrong.findings)
    right = compiled(explanation.right.lstrip("\n")).check(extend_select=[] if code != "CF105" else extend)
    assert right.findings == ()


# exit codes and formats


def test_no_finding_no_output(capsys: pytest.CaptureFixture[str], prog: Any) -> None:
    assert run(capsys, prog("def f(x):\n    return relu(x)\n")) == (0, "", "")


def test_a_finding_is_shown_with_its_line_a_caret_and_help(
    capsys: pytest.CaptureFixture[str], prog: Any
) -> None:
    code, out, _ = run(capsys, prog(IDENTITY), "--ignore", "CF102")
    assert code == 1
    lines = out.split("\n")
    assert lines[0].startswith(
        "prog.cf:2:12: CF101 spurious derivative on x == 0: AD returns 0, the gradient is 1"
    )
    assert lines[1] == "        return relu(x) - relu(-x)"
    assert lines[2] == "               ^^^^^^^"
    assert lines[3].startswith("  help: ")


def test_a_wrong_program_and_a_wrong_command_line_give_2(
    capsys: pytest.CaptureFixture[str], prog: Any
) -> None:
    assert run(capsys, prog("def f(x):\n    return rleu(x)\n"))[0] == 2
    code, out, err = run(capsys, prog(IDENTITY), "--select", "CF999")
    assert (code, out) == (2, "") and "CF098" in err
    assert run(capsys, prog(IDENTITY), "--box", "x=1:0")[0] == 2
    assert run(capsys, prog(IDENTITY), "--format", "xml")[0] == 2


def test_what_is_not_decided_is_said_and_is_no_failure(capsys: pytest.CaptureFixture[str], prog: Any) -> None:
    path = prog("def f(x):\n    return floor(x)\n")  # infinitely many strata
    code, out, _ = run(capsys, path)
    assert code == 0 and "CF190 note: not decided" in out
    assert run(capsys, path, "--strict")[0] == 1


def test_json_has_all_fields(capsys: pytest.CaptureFixture[str], prog: Any) -> None:
    code, out, _ = run(capsys, prog(IDENTITY), "--format", "json", "--select", "CF101")
    (finding,) = json.loads(out)
    assert code == 1
    assert (finding["code"], finding["level"], finding["path"]) == ("CF101", "warning", "prog.cf")
    assert (finding["line"], finding["column"], finding["end_line"], finding["end_column"]) == (2, 12, 2, 19)
    assert finding["sets"] == ["x == 0"] and finding["witness"] == {"x": "0"}
    assert (finding["ad"], finding["gradient"]) == ({"x": "0"}, {"x": "1"})
    assert [operation["guard"] for operation in finding["operations"]] == ["x", "-x"]
    code, out, _ = run(capsys, prog("def f(x):\n    return relu(x)\n"), "--format", "json")
    assert (code, json.loads(out)) == (0, [])


def test_sarif_has_what_the_schema_demands(capsys: pytest.CaptureFixture[str], prog: Any) -> None:
    path = prog("def f(x):\n    y = relu(x)  # cf: ignore[CF7]\n    return relu(x) - relu(-x)\n")
    code, out, _ = run(capsys, path, "--format", "sarif")
    log = json.loads(out)
    assert code == 1 and log["version"] == "2.1.0" and "sarif-schema-2.1.0" in log["$schema"]
    (entry,) = log["runs"]
    driver = entry["tool"]["driver"]
    assert driver["name"] == "cfc"
    rules = driver["rules"]
    assert [rule["id"] for rule in rules] == ["CF101", "CF102", "CF109", "CF192"]
    for rule in rules:
        assert rule["help"]["text"] and rule["shortDescription"]["text"] and rule["fullDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert len(entry["results"]) == 4
    for result in entry["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == LEVELS[result["ruleId"]]
        assert result["message"]["text"]
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == "prog.cf"
        region = physical["region"]
        assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])
    spurious = next(result for result in entry["results"] if result["ruleId"] == "CF101")
    assert [place["message"]["text"] for place in spurious["relatedLocations"]] == ["relu"]


def test_github_commands_are_escaped(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b%.cf").write_text(IDENTITY, encoding="utf-8")
    code, out, _ = run(capsys, "a,b%.cf", "--format", "github", "--select", "CF101")
    assert code == 1
    assert out.startswith(
        "::warning file=a%2Cb%25.cf,line=2,col=12,endLine=2,endColumn=19,title=CF101::spurious"
    )
    assert out.count("\n") == 1


def test_a_note_is_a_notice_for_github(capsys: pytest.CaptureFixture[str], prog: Any) -> None:
    _, out, _ = run(capsys, prog("def f(x):\n    return floor(x)\n"), "--format", "github")
    assert out.startswith("::notice file=prog.cf,")


# selection


def test_select_names_codes_or_their_beginnings() -> None:
    program = compiled(IDENTITY + "")
    assert codes(program.check().findings) == ["CF101", "CF102"]
    assert codes(program.check(select=["CF102"]).findings) == ["CF102"]
    assert codes(program.check(select=["CF1"]).findings) == ["CF101", "CF102"]
    assert codes(program.check(ignore=["CF101"]).findings) == ["CF102"]
    assert codes(program.check(select=["CF101"], ignore=["CF10"]).findings) == ["CF101"]
    with pytest.raises(CFError, match="CF098"):
        program.check(select=["CF2"])


def test_a_branch_that_is_not_c1_is_said_only_where_it_is_asked_for() -> None:
    program = compiled("def f(x):\n    return x if x > 0 else 2*x\n")
    assert program.check().findings == ()
    assert codes(program.check(extend_select=["CF105"]).findings) == ["CF105"]
    assert codes(program.check(select=["CF105"]).findings) == ["CF105"]


def test_an_ignored_code_that_was_not_looked_for_is_not_unused() -> None:
    program = compiled("def f(x):\n    return x if x > 0 else 2*x  # cf: ignore[CF105]\n")
    assert program.check().findings == ()
    assert program.check(extend_select=["CF105"]).findings == ()


# box and fixed inputs


def test_a_box_leaves_out_what_is_outside() -> None:
    program = compiled(IDENTITY)
    assert codes(program.check(box={"x": "1:2"}).findings) == ["CF108", "CF108"]
    assert "in the box" in program.check(box={"x": "1:2"}).findings[0].message


def test_data_is_fixed() -> None:
    text = "def f(v: Real[2], w: Const[2]):\n    return sum(relu(v)*w) - sum(relu(-v)*w) + 0*sum(w)\n"
    found = compiled(text).check(fix={"w": "[2, 3]"}, theory=True)
    assert codes(found.findings) == ["CF101", "CF102", "CF109"]
    assert found.findings[0].sets == ("v[0] == 0", "v[1] == 0") or found.findings[0].sets == (
        "v[1] == 0",
        "v[0] == 0",
    )
    answers = {item.name: item.answer for item in found.hypotheses}
    assert answers["projection"] == answers["circulation"] == "proved"


# what is proved


def test_what_is_proved_is_said_with_the_reason(capsys: pytest.CaptureFixture[str], prog: Any) -> None:
    code, out, _ = run(capsys, prog("def f(x, y):\n    return max(x, y) + abs(x + y)\n"), "--verbose")
    assert code == 0
    these, any_ = out.strip().split("\n")
    assert "no spurious derivative under the rules torch for all inputs: of 9 strata" in these
    assert "under any rules with values in the element sets" in any_ and "conv D" in any_


def test_nothing_is_proved_of_a_program_that_is_wrong_under_other_rules() -> None:
    nested = compiled("def f(x):\n    return relu(relu(x)) - relu(x)\n")
    (only,) = nested.check().proved
    assert "under the rules torch" in only
    assert codes(compiled("def f(x):\n    return relu(relu(x)) - relu(x)\n", relu="1/2").check().findings)


def test_a_step_jumps_at_each_of_its_places() -> None:
    (found,) = compiled("def f(x):\n    return floor(x)\n").check(box={"x": "0:5/2"}).findings
    assert found.code == "CF104" and found.sets == ("x == 1", "x == 2") and found.values == ("1", "0")
