"""What a terminal shows: the words of the plain text, in tables that are never wider than the terminal."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from cfcompiler import cli
from cfcompiler.report import VERDICTS
from cfcompiler.targets.marks import ARTIFICIAL, MARKS
from cfcompiler.targets.painting import paint, painted
from cfcompiler.targets.tables import Block, Quote, Words, cell, plain, quoted, verdict

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = """\
def zero(t):
    return relu(-t) + t - relu(t)


def many(x, y):
    a = relu(x + y) - relu(x - y) + max(x, y, 0) + min(x, y, 0) + abs(x + 2*y) - abs(2*x - y) + relu(x) - relu(-x)
    return a + relu(y)


def rows(v: Real[3]):
    return [max(v), sort(v)[1], abs(v[0])]


def nan(x):
    return where(x < 1, x, sqrt(x))


def jump(x):
    return sign(x)


def stops(x):
    return relu(x) - relu(x/2 + 1) + relu(-x) - relu(1 - x/2)


def curved(x, y):
    return abs(x*x + y*y - 1) + relu(x*y) - relu(-x*y)
"""
COMMANDS = (
    "at prog.cf:zero t=0",
    "at prog.cf:zero t=0 --float",
    "at prog.cf:many x=0 y=0",
    "at prog.cf:rows v=[1,1,1]",
    "at prog.cf:nan x=0 --ties jax",
    "at prog.cf:jump x=0",
    "at prog.cf:curved x=1/3 y=2/7",
    "strata prog.cf:zero",
    "strata prog.cf:many",
    "strata prog.cf:stops",
    "check prog.cf:zero",
    "check prog.cf:many --theory --verbose",
    "check prog.cf:jump",
    "compare prog.cf:many x=0 y=0",
    "compare prog.cf:rows v=[1,1,1]",
    "compare prog.cf:nan x=0",
    "compare prog.cf:zero",
    "ties",
    "ties torch jax",
)
WIDTHS = (40, 60, 80, 120, 200)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prog.cf").write_text(PROGRAM, encoding="utf-8")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def in_a_pipe(command: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert cli.main(command.split()) in (0, 1)
    return out.getvalue()


def on_a_terminal(command: str, monkeypatch: pytest.MonkeyPatch, width: int, encoding: str = "utf-8") -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    out = Terminal(encoding)
    with contextlib.redirect_stdout(out):
        assert cli.main(command.split()) in (0, 1)
    return out.getvalue()


def without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def blocks_of(command: str, monkeypatch: pytest.MonkeyPatch) -> list[Block]:
    """What a command shows, whether on a terminal or in a pipe."""
    found: list[Block] = []
    with monkeypatch.context() as patched:
        patched.setattr(cli, "_show", found.extend)
        assert cli.main(command.split()) in (0, 1)
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_width_holds_what_a_pipe_is_told(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = blocks_of(command, monkeypatch)
    piped = plain(blocks)
    assert "\x1b" not in piped
    words = {word for word in (*VERDICTS, "artificial", "critical") if re.search(rf"\b{word}\b", piped)}
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        out = Terminal()
        paint(blocks, out)
        shown = without_colour(out.getvalue())
        assert max(cell_len(line) for line in shown.split("\n")) <= width
        assert all(re.search(rf"\b{word}\b", shown) for word in words)
    told = set(shown.split())  # at the greatest width no word is broken
    assert [word for word in piped.split() if word not in told and "..." not in word] == []


def test_a_pipe_gets_plain_text_and_a_terminal_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    command = "at prog.cf:zero t=0"
    assert in_a_pipe(command) == plain(blocks_of(command, monkeypatch))
    assert without_colour(on_a_terminal(command, monkeypatch, 120)) != in_a_pipe(command)


@pytest.mark.parametrize(
    "command", ["at prog.cf:zero t=0", "strata prog.cf:zero", "compare prog.cf:zero t=0"]
)
def test_verdicts_have_their_marks(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_a_terminal(command, monkeypatch, 80)
    mark = MARKS["spurious"]
    assert f"{mark.symbol} spurious" in shown
    assert "\x1b[1;31m" in shown
    monkeypatch.setenv("NO_COLOR", "1")
    plainly = on_a_terminal(command, monkeypatch, 80)
    assert f"{mark.symbol} spurious" in plainly
    assert not re.search(r"\x1b\[[0-9;]*3\d", plainly)
    assert without_colour(plainly) == without_colour(shown)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize(
    "command",
    ["at prog.cf:zero t=0", "strata prog.cf:many", "check prog.cf:zero --theory", "compare prog.cf:jump x=0"],
)
def test_what_a_terminal_cannot_write_is_written_otherwise(
    command: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = without_colour(on_a_terminal(command, monkeypatch, 60, encoding))
    shown.encode(encoding)
    assert max(cell_len(line) for line in shown.split("\n")) <= 60
    assert any(mark.symbol in shown for mark in MARKS.values()) == (encoding == "utf-8")


def test_every_mark_has_a_symbol_for_any_terminal() -> None:
    marks = [*MARKS.values(), ARTIFICIAL]
    assert len({mark.ascii for mark in marks}) == len({mark.symbol for mark in marks}) == len(marks)
    assert all(mark.ascii.isascii() and len(mark.ascii) == 1 for mark in marks)


# carets and words, whatever they are


CODE = st.lists(
    st.sampled_from(["abs(x)", " + ", "*", "y", "\t", "漢", "é", "(x - 1)"]), min_size=1, max_size=40
).map(lambda parts: "x" + "".join(parts) + "y")
NOTES = st.sampled_from(["relu, x = 0:", "taken as negative;", "as positive AD would be 1/2", "a" * 30])


def lines_of(block: Quote | Words, width: int) -> list[str]:
    console = Console(file=Terminal(), width=width, highlight=False)
    return [line for text in painted(block, console) for line in text.plain.split("\n")]


@given(CODE, st.data(), st.sampled_from(WIDTHS), st.lists(NOTES, max_size=4))
def test_a_caret_stands_under_its_code(line: str, data: st.DataObject, width: int, notes: list[str]) -> None:
    start = data.draw(st.integers(0, len(line) - 1))
    block = quoted("12", line, start, notes, shown=True)
    shown, under, *rest = lines_of(block, width)
    assert all(cell_len(text) <= width for text in (shown, under, *rest))
    column = under.index("^")
    reached = 0
    for character in shown:
        if reached == column:
            assert character == line[start].replace("\t", " ")
            break
        reached += cell_len(character)
    else:
        assert line[start] in " \t"  # what follows the end of a line is not shown
    told = " ".join((under[column:].lstrip("^"), *(text.removeprefix("   | ") for text in rest)))
    assert "".join(told.split()) == "".join("".join(notes).split())


@given(st.text("ab [],1+", min_size=1, max_size=300), st.sampled_from(WIDTHS))
def test_words_lose_nothing_when_they_are_broken(text: str, width: int) -> None:
    shown = lines_of(Words(((text, ""),)), width)
    assert all(cell_len(line) <= width for line in shown)
    assert "".join("".join(shown).split()) == "".join(text.split())


def test_a_long_formula_says_where_all_of_it_is() -> None:
    text = " + ".join(f"x{number}*y" for number in range(200))
    shown = lines_of(Words(((text, ""),), "cut"), 60)
    assert len(shown) == 6
    assert shown[-1].strip().endswith("(--json has it whole)")


def test_the_plain_text_of_a_verdict_is_its_word() -> None:
    assert plain([*cell("spurious", verdict("spurious"))]) == "spurious\n"


def test_a_complaint_is_wrapped_with_its_caret(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("long.cf").write_text("def f(x):\n    return " + "x + " * 30 + "rleu(x)\n", encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    with contextlib.redirect_stderr(out):
        assert cli.main(["at", "long.cf", "x=0"]) == 2
    lines = without_colour(out.getvalue()).split("\n")
    assert all(len(line) <= 40 for line in lines)
    place = next(number for number, line in enumerate(lines) if "^^^^" in line)
    column = lines[place].index("^")
    assert lines[place - 1][column : column + 4] == "rleu"
    assert "unknown name 'rleu'" in " ".join(" ".join(lines).split())


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a matter of POSIX")
def test_a_real_terminal_is_asked_for_its_width() -> None:
    import fcntl
    import pty
    import struct
    import termios

    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 44, 0, 0))
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "cfcompiler", "at", "prog.cf:zero", "t=0"]
    subprocess.run(command, stdout=writer, stderr=writer, env=variables, check=True)
    os.close(writer)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(reader, 65536):
            shown += piece
    os.close(reader)
    lines = without_colour(shown.decode()).replace("\r", "").split("\n")
    assert max(map(len, lines)) <= 44
    assert any("✗ spurious" in line for line in lines)
