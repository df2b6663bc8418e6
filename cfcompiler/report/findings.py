"""What cfc check says."""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report.rows import Row
from cfcompiler.report.shown import Shown


@dataclass(frozen=True, slots=True)
class Place:
    """An operation in the program: as written, where it stands, and its switch ("" where it has none)."""

    op: str
    line: int
    column: int
    end_line: int
    end_column: int
    guard: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause of trouble: its code (`CF101`), a sentence with the numbers, the sets of inputs it holds on.

    `level`: "error", "warning" or "note"; a note alone is no reason to fail. `operations`: the first is where the
    finding is shown. `witness`: a point of the first set, with what AD returns there as a formula (`ad`), the gradient
    (None where there is none) and the extreme points of the Clarke subdifferential. `values`: at a jump, the value at
    the witness and one that is approached. `help`: what to write instead.
    """

    code: str
    level: str
    message: str
    help: str
    operations: tuple[Place, ...]
    sets: tuple[str, ...] = ()
    witness: Row | None = None
    ad: tuple[Row, ...] | None = None
    gradient: tuple[Row, ...] | None = None
    clarke: tuple[tuple[Row, ...], ...] | None = None
    values: tuple[str, ...] = ()
    trust: str = ""

    @property
    def place(self) -> Place:
        """Where the finding is shown."""
        return self.operations[0]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A hypothesis of the theorems: "proved", "refuted" or "undecided", why, and where it fails."""

    name: str
    answer: str
    reason: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class CheckReport(Shown):
    """What `cfc check` says: findings, sorted by place; what is proved; the hypotheses, where they were asked for."""

    program: str
    ties: str
    findings: tuple[Finding, ...]
    proved: tuple[str, ...]
    hypotheses: tuple[Hypothesis, ...]
