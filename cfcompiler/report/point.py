"""What is said of one point: AD, D, the truth and the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report.reading import FloatReport, NanOrigin
from cfcompiler.report.rows import Nested, Row
from cfcompiler.report.rules import RightWhen
from cfcompiler.report.shown import Shown


@dataclass(frozen=True, slots=True)
class TieHere:
    """A tied operation: where it is written, the switch that is zero, and the operation as written."""

    line: int
    column: int
    guard: str
    op: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why a statement holds, for whoever wants to check it.

    kind "separation": along `direction` the vector has the slope `value`, more than `support`, the largest slope of the
    set. kind "combination": `weights` and `points`, a list of rows each, whose combination is the vector. `of` names
    the vector and `relative_to` the set.
    """

    kind: str
    of: str
    relative_to: str
    direction: tuple[Row, ...] = ()
    value: str = ""
    support: str = ""
    weights: tuple[str, ...] = ()
    points: tuple[tuple[Row, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """The truth at the point and the word for what AD returns; None where something was not decided.

    Vectors are rows, one for each entry of the outputs. `trust`: "certificate" where everything rests on exact
    arithmetic that was checked, "solver" where part of it rests on the word of a solver of real algebra. `as_field`:
    the limiting gradients are the vertices of D, which is a sum of segments; they are not listed.
    """

    verdict: str
    reason: str
    bouligand: tuple[tuple[Row, ...], ...]
    bouligand_complete: bool
    clarke: tuple[tuple[Row, ...], ...]
    clarke_complete: bool
    gradient: tuple[Row, ...] | None
    lexicographic: tuple[Row, ...] | None
    min_norm: tuple[Row, ...] | None
    ad_critical: bool | None
    field_critical: bool | None
    clarke_critical: bool | None
    artificial_critical: bool | None
    certificates: tuple[Certificate, ...]
    trust: str
    as_field: bool = False
    near_jump: bool = False  # undefined since the program jumps at points arbitrarily near


@dataclass(frozen=True, slots=True)
class FieldSum:
    """D as base + the sum of the segments from 0 to each of `segments`; each of these is a list of rows."""

    base: tuple[Row, ...]
    segments: tuple[tuple[Row, ...], ...]


@dataclass(frozen=True, slots=True)
class PointReport(Shown):
    """Everything about one point: value, what AD returns, the ties, the vertices of D.

    `forward` and `backward` have one row for each entry of the outputs; `scalar` says that there is just one.
    `vertices`: each is such a list of rows; where `segments` is there, it is D instead. `notes` are sentences for the
    reader.
    """

    program: str
    ties: str
    point: Row
    value: Nested
    scalar: bool
    forward: tuple[Row, ...]
    backward: tuple[Row, ...]
    ties_here: tuple[TieHere, ...]
    vertices: tuple[tuple[Row, ...], ...]
    complete: bool
    reason: str
    notes: tuple[str, ...]
    judged: Judged
    segments: FieldSum | None = None
    right_when: RightWhen | None = None
    nan: NanOrigin | None = None
    floats: FloatReport | None = None
