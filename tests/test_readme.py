"""What README.md shows is what happens: its commands are run and their output compared.

A `...` line in the output of a command stands for the rest of it.
"""

from __future__ import annotations

import doctest
import io
import re
import shutil
import sys
from pathlib import Path

import pytest

from cfcompiler import cli
from cfcompiler.compiler import compile_file

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
Command = tuple[str, str]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[Command]:
    """Each command of the console blocks, with what it prints."""
    found = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def words(command: str) -> list[str]:
    import shlex

    return shlex.split(command)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples, in a current directory from which modules are imported."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("command", "output"), commands(), ids=lambda text: text[:60])
def test_the_commands_print_what_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, output: str
) -> None:
    line = words(command)
    if line[0] == "echo":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line[1].encode())))
        line = line[line.index("|") + 1 :]
    assert line[0] == "cfc"
    assert cli.main(line[1:]) == 0
    printed = capsys.readouterr().out
    if output.endswith("...\n"):
        printed, output = printed[: len(output) - 4], output[:-4]
    assert printed == output


@pytest.mark.usefixtures("folder")
def test_the_sessions_answer_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    compiling = next(
        words(command)
        for command, _ in commands()
        if command.startswith("cfc compile") and "emit" not in command
    )
    assert cli.main(compiling[1:]) == 0
    capsys.readouterr()
    for place, block in enumerate(blocks("pycon")):
        test = doctest.DocTestParser().get_doctest(block, {}, f"README.md, session {place}", "README.md", 0)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
        report = io.StringIO()
        runner.run(test, out=report.write)
        assert runner.failures == 0, report.getvalue()


def test_the_code_shown_is_in_the_source_or_the_module() -> None:
    path = ROOT / "examples" / "softplus_relu_abs.cf"
    known = path.read_text(encoding="utf-8") + compile_file(path, preset="jax").module()
    for block in blocks("python"):
        assert block in known
