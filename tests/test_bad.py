"""Wrong programs, each with its complaint in a comment on the line: `# error CF012: part of the message`.

Every complaint of a program is expected, and no other; a line may have several, separated by ` | `. The explanations
of the codes are programs too, and are held to what they say.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cfcompiler.analyses.finding_texts import LEVELS
from cfcompiler.errors import CFError, explain, explanations
from cfcompiler.language import read

FOLDER = Path(__file__).parent / "bad"
PROGRAMS = sorted(FOLDER.glob("*.cf"))
EXPECTED = re.compile(r"#\s*error (.*)$")


def expected(text: str) -> set[tuple[int, str, str]]:
    found = set()
    for number, line in enumerate(text.split("\n"), 1):
        match = EXPECTED.search(line)
        for part in match.group(1).split(" | ") if match else ():
            code, _, message = part.partition(": ")
            found.add((number, code.strip(), message.strip()))
    return found


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_a_wrong_program_gets_its_complaints_and_no_others(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    with pytest.raises(CFError) as caught:
        read(text, str(path))
    wanted = expected(text)
    assert wanted, "the program says which complaint it expects"
    found = [(item.span.line, item.code, item.message) for item in caught.value.diagnostics]
    assert {(line, code) for line, code, _ in found} == {(line, code) for line, code, _ in wanted}
    for line, code, part in wanted:
        assert any(line == a and code == b and part in message for a, b, message in found), (
            line,
            code,
            part,
            found,
        )


def test_there_are_at_least_forty_wrong_programs() -> None:
    assert len(PROGRAMS) >= 40


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_a_complaint_shows_place_line_and_caret(path: Path) -> None:
    with pytest.raises(CFError) as caught:
        read(path.read_text(encoding="utf-8"), str(path))
    for item in caught.value.diagnostics:
        lines = item.render(caught.value.source).split("\n")
        assert lines[0].startswith(f"{path}:{item.span.line}:{item.span.column}: error {item.code}: ")
        assert set(lines[2].strip()) == {"^"}
        assert explain(item.code) is not None
        assert not item.message.endswith("."), "messages end without a full stop"


CODES = list(explanations().values())


@pytest.mark.parametrize("code", CODES, ids=[code.code for code in CODES])
def test_the_examples_of_an_explanation_are_wrong_and_right(code: object) -> None:
    from cfcompiler.errors import Explanation

    assert isinstance(code, Explanation)
    assert code.title and code.text
    if code.code in LEVELS:  # a finding: both programs compile, and tests/test_check.py looks for it
        for text in (code.wrong, code.right):
            if text:
                read(text.lstrip("\n"), "found.cf")
        return
    if "def " in code.wrong or "c = 3" in code.wrong:
        with pytest.raises(CFError) as caught:
            read(code.wrong.lstrip("\n"), "wrong.cf")
        assert {item.code for item in caught.value.diagnostics} == {code.code}
    if "def " in code.right:
        read(code.right.lstrip("\n"), "right.cf")
    assert code.code in code.render()


def test_every_code_in_errors_is_explained() -> None:
    text = (Path(__file__).parent.parent / "cfcompiler" / "errors.py").read_text(encoding="utf-8")
    used = set(re.findall(r'"(CF\d{3})"', text))
    assert used | set(LEVELS) == set(explanations())
