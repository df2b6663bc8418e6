"""Workload and case -> rows: a process for each contestant, their runs interleaved, their answers compared.

A row is a median over rounds of processor time per unit, all threads of the process; of wall time where a
contestant has several cores. In each round every contestant runs once, in rotated order, so that a slow minute of
the machine falls on all of them.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

WORKER = Path(__file__).resolve().parent / "worker.py"
# Processor time of a sample: long beside the clock's step, short beside a change of the machine's load.
SAMPLE_SECONDS = 0.15
RELATIVE = {"float32": 2e-3}
DEFAULT_RELATIVE = 1e-8


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant in one case: seconds per unit, sample by sample; or `note`, why there are none."""

    contestant: str
    samples: tuple[float, ...] = ()
    prepared: float | None = None
    note: str = ""

    @property
    def seconds(self) -> float | None:
        return median(self.samples) if self.samples else None


@dataclass(slots=True)
class Contestant:
    """A running worker."""

    name: str
    process: subprocess.Popen[str]
    answer: Path
    complaints: Path
    units: int = 1
    runs: int = 1
    prepared: float = 0.0
    note: str = ""
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def hear(self, limit: float) -> dict[str, Any] | None:
        """The next message; None, with the reason in `note`, when time is over or the process has ended."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], limit)
        if not ready:
            self.note = f"stopped after {limit:.0f} s"
            self.process.kill()
            return None
        line = self.process.stdout.readline()
        if not line:
            said = self.complaints.read_text(encoding="utf-8", errors="replace").strip()
            self.note = (
                f"failed (exit {self.process.wait()}): {said.splitlines()[-1] if said else 'no message'}"
            )
            return None
        message: dict[str, Any] = json.loads(line)
        return message

    def sample(self, limit: float) -> dict[str, Any] | None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{self.runs}\n")
        self.process.stdin.flush()
        return self.hear(limit)


def contest(
    workload: str,
    case: str,
    names: Sequence[str],
    reference: str,
    *,
    processes: int,
    rounds: int,
    cores: int,
    limit: float,
) -> list[Row]:
    """Rows in the order of `names`; each contestant has `processes` processes, one after another."""
    heats = [_heat(workload, case, names, reference, rounds, cores, limit) for _ in range(processes)]
    return [_together(rows) for rows in zip(*heats, strict=True)]


def _together(rows: Sequence[Row]) -> Row:
    noted = next((row for row in rows if row.note), None)
    samples = tuple(seconds for row in rows for seconds in row.samples)
    return noted or Row(rows[0].contestant, samples, rows[0].prepared)


def _heat(
    workload: str, case: str, names: Sequence[str], reference: str, rounds: int, cores: int, limit: float
) -> list[Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        field_ = [_start(workload, case, name, cores, folder / str(i), stack) for i, name in enumerate(names)]
        for contestant in field_:
            _prepare(contestant, limit)
        _compare(field_, reference, RELATIVE.get(case, DEFAULT_RELATIVE))
        _interleave(field_, rounds, limit)
        return [_row(contestant, wall=cores > 1) for contestant in field_]


def _start(workload: str, case: str, name: str, cores: int, files: Path, stack: ExitStack) -> Contestant:
    answer, complaints = files.with_suffix(".npz"), files.with_suffix(".txt")
    process = subprocess.Popen(
        [sys.executable, str(WORKER), workload, case, name, str(cores), str(answer)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stack.enter_context(complaints.open("w")),
        text=True,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return Contestant(name, process, answer, complaints)


def _prepare(contestant: Contestant, limit: float) -> None:
    message = contestant.hear(limit)
    if message is None:
        return
    if "missing" in message:
        contestant.note = f"missing: {message['missing']}"
        return
    contestant.units, contestant.prepared = message["units"], message["prepared"]


def _compare(field_: Sequence[Contestant], reference: str, relative: float) -> None:
    """Every answer against the reference's, or the first one there is; who disagrees is not timed."""
    answers = {c.name: _answer(c.answer) for c in field_ if not c.note}
    answers = {name: answer for name, answer in answers.items() if answer}
    expected = answers.get(reference) or next(iter(answers.values()), [])
    for contestant in field_:
        found = answers.get(contestant.name)
        if found is not None and not _agree(found, expected, relative):
            contestant.note = f"DISAGREES with {reference}"


def _agree(found: Sequence[np.ndarray], expected: Sequence[np.ndarray], relative: float) -> bool:
    if len(found) != len(expected):
        return False
    for one, other in zip(found, expected, strict=True):
        size = max(1.0, float(np.max(np.abs(other))))
        if one.size != other.size or not np.allclose(
            one.ravel(), other.ravel(), rtol=relative, atol=relative * size
        ):
            return False
    return True


def _answer(path: Path) -> list[np.ndarray]:
    with np.load(path) as arrays:
        return [arrays[name] for name in arrays.files]


def _interleave(field_: Sequence[Contestant], rounds: int, limit: float) -> None:
    """The first round warms up and finds how many runs make a sample; it is not counted."""
    for number in range(rounds + 1):
        for place in range(len(field_)):
            contestant = field_[(place + number) % len(field_)]
            if contestant.note:
                continue
            if number == 0:
                contestant.runs = _calibrate(contestant, limit)
                continue
            message = contestant.sample(limit)
            if message is not None:
                contestant.cpu.append(message["cpu"])
                contestant.wall.append(message["wall"])


def _calibrate(contestant: Contestant, limit: float) -> int:
    start = time.monotonic()
    contestant.runs = 1
    while True:
        message = contestant.sample(limit)
        if message is None:
            return 1
        if (
            message["cpu"] * contestant.runs > SAMPLE_SECONDS / 2
            or time.monotonic() - start > 10 * SAMPLE_SECONDS
        ):
            return max(1, round(SAMPLE_SECONDS / max(float(message["cpu"]), 1e-7)))
        contestant.runs *= 4


def _row(contestant: Contestant, wall: bool) -> Row:
    samples = tuple(seconds / contestant.units for seconds in (contestant.wall if wall else contestant.cpu))
    if contestant.note or not samples:
        return Row(contestant.name, note=contestant.note or "no sample")
    return Row(contestant.name, samples, contestant.prepared)
