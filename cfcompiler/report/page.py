"""What a page says of a program: its strata, its points one by one, their tapes, and what is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report.findings import Finding
from cfcompiler.report.pictures import Curve, Map
from cfcompiler.report.point import PointReport
from cfcompiler.report.presets import PresetRow
from cfcompiler.report.reading import Explanation
from cfcompiler.report.rows import Nested, Row
from cfcompiler.report.rules import Settings
from cfcompiler.report.strata import StrataReport
from cfcompiler.source import Span


@dataclass(frozen=True, slots=True)
class TapeStep:
    """One step of the backward program at a point.

    `index`: of the instruction in that program. `phase`: "value" for a step of the program itself, "slope" for a
    derivative of one step, "backward" for what carries the cotangent. `value`: texts, a long array cut (`cut`: it had
    more entries). `tied`: a switch is zero in this step. `alarm`: "0 * inf" and its like where NaN or inf arises here,
    "passes on" where it arrives, else "".
    """

    index: int
    phase: str
    name: str
    value: Nested
    cut: bool
    tied: bool
    alarm: str
    span: Span


@dataclass(frozen=True, slots=True)
class Tape:
    """The steps that run at a point, with the cotangent 1 on the first entry of the outputs.

    `left_out`: steps that are not listed; `reason`: why there is no tape.
    """

    inputs: Row
    steps: tuple[TapeStep, ...]
    left_out: int
    reason: str


@dataclass(frozen=True, slots=True)
class PagePoint:
    """A point with everything about it. `stratum`: the id of the stratum whose witness it is, or "".

    `presets`: what each framework returns there; empty where that was not asked, with the reason `no_presets`.
    """

    id: str
    stratum: str
    report: PointReport
    explanation: Explanation
    presets: tuple[PresetRow, ...]
    no_presets: str
    tape: Tape


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the program; `fixed` is its value where it does not move, as texts."""

    name: str
    shape: tuple[int, ...]
    fixed: Nested | None


@dataclass(frozen=True, slots=True)
class Preset:
    """The rules of a framework, and the version they were measured on."""

    name: str
    framework: str
    version: str


@dataclass(frozen=True, slots=True)
class Page:
    """A lesson about one program under one set of tie rules.

    `path` and `source`: the file and its text, `digest`: SHA-256 of it, in hex. `command` makes the page again.
    `points` are chosen witnesses of strata where something is tied or wrong, what matters first; `points_left_out` of
    those that would be worth a look are not there. `everywhere`: the tie rules for which AD is right at all `points`.
    `curves` and `maps` are what is drawn, for several choices of what moves where there is more than one entry.
    """

    program: str
    path: str
    source: str
    digest: str
    version: str
    command: str
    preset: Preset | None
    ties: str
    inputs: tuple[Input, ...]
    strata: StrataReport
    findings: tuple[Finding, ...]
    proved: tuple[str, ...]
    points: tuple[PagePoint, ...]
    points_left_out: int
    everywhere: Settings
    curves: tuple[Curve, ...]
    maps: tuple[Map, ...]
    undrawn: str  # why there is no picture
    notes: tuple[str, ...]  # what else was not decided, or was left out, in sentences
