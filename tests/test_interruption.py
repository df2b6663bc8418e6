"""Strata when time, the number of cells or Ctrl-C ends the work early: what is said stays true, the rest is named."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from cfcompiler import compile_text
from cfcompiler.analyses import affine_strata, general_strata
from cfcompiler.analyses.affine_walk import ProgramWalk, State
from cfcompiler.analyses.general_walk import GeneralWalk
from cfcompiler.analyses.interruption import noticed
from cfcompiler.analyses.strata import strata_of
from cfcompiler.analyses.strata_question import question_of
from cfcompiler.cli import main
from cfcompiler.report import StratumReport
from tests.test_strata import agree


@pytest.mark.parametrize(
    "text",
    [
        "    return abs(x) + relu(y) - relu(-y) + abs(x - y + 1)",
        "    if x - y == 0:\n        return x\n    return relu(x + y) - relu(-x - y)",
        "    assert x + y > -3\n    return max(x, y, 1) + min(relu(x - 1), y)",
        "    return relu(relu(x) - y) + (x if x > y else y) - relu(y - 2)",
        "    return (1 if x > 0 else 0) + abs(y - 1) + abs(x + y)",
        "    t = x if y > 0 else 2*x\n    return t + abs(x - y)",
        "    v = sort([x, y, x + y])\n    return v[0] - v[2] + relu(v[1])",
    ],
)
def test_what_is_said_before_all_is_enumerated_stays_true(text: str) -> None:
    """However early it ends: each stratum is one of the whole stratification, or the point says the same."""
    compiled = compile_text(f"def f(x, y):\n{text}\n")
    whole = {said(stratum) for stratum in compiled.strata().strata}
    kept = 0
    for most in range(2, 26):
        report = strata_of(compiled.program, question_of(compiled.program, most=most))
        if report.whole:
            break
        assert not report.complete
        kept += len(report.strata)
        for stratum in report.strata:
            if said(stratum) not in whole:
                agree(compiled.at(**stratum.witness), stratum)
    assert kept > 5


def said(stratum: StratumReport) -> str:
    return repr(replace(stratum, id="", signs={}, witness={}))


@pytest.mark.parametrize("command", ["strata", "check"])
def test_ctrl_c_keeps_what_is_known(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the enumeration: the report is printed, says that strata are missing, and the exit code is 130."""
    path = tmp_path / "net.cf"
    lines = [f"    h = h + relu({k}*x - {2 * k - 9}*y + {k % 3}*z + {k % 5})" for k in range(1, 12)]
    path.write_text("\n".join(["def f(x, y, z):", "    h = 0", *lines, "    return h", ""]))
    count = 0
    plain = ProgramWalk.after

    def counted(walk: ProgramWalk, state: State, signs: tuple[int, ...]) -> State | None:
        nonlocal count
        count += 1
        if count == 40:
            signal.raise_signal(signal.SIGINT)
        return plain(walk, state, signs)

    monkeypatch.setattr(ProgramWalk, "after", counted)
    monkeypatch.setattr(affine_strata, "SECONDS_AFTER_CTRL_C", 5.0)
    assert main([command, str(path), *(["--json"] if command == "strata" else [])]) == 130
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "the enumeration was interrupted" in printed.out
    if command == "strata":
        answer = json.loads(printed.out)
        assert not answer["complete"]
        assert answer["strata"]


def test_the_first_ctrl_c_is_noted_and_the_second_is_raised() -> None:
    with noticed() as notice:
        assert notice.since is None
        signal.raise_signal(signal.SIGINT)
        assert notice.since is not None
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("runs", [3, 8, 20])
def test_rational_strata_keep_what_is_known(runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted at some run of the program, be it while strata are enumerated or judged."""
    compiled = compile_text(
        "def f(x, y):\n    return relu(x*y) - relu(-x*y) + abs(x - y*y) + (1 if x > 3 else 0)\n"
    )
    whole = {said(stratum) for stratum in compiled.strata().strata}
    count = 0
    plain = GeneralWalk.run

    def counted(walk: GeneralWalk, *arguments: object) -> object:
        nonlocal count
        count += 1
        if count == runs:
            raise KeyboardInterrupt
        return plain(walk, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(GeneralWalk, "run", counted)
    monkeypatch.setattr(general_strata, "SECONDS_AFTER_CTRL_C", 5.0)
    report = strata_of(compiled.program, question_of(compiled.program))
    monkeypatch.undo()
    assert report.interrupted and not report.complete and not report.whole
    assert any("interrupted" in sentence for sentence in report.unknown)
    for stratum in report.strata:
        if said(stratum) not in whole and stratum.verdict != "unknown":
            agree(compiled.at(**stratum.witness), stratum)
