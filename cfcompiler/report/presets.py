"""What the presets return: at their ties, and at a point beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report.rows import Nested, Row
from cfcompiler.report.shown import Shown
from cfcompiler.report.strata import StratumReport


@dataclass(frozen=True, slots=True)
class TieRow:
    """One operation at one tie: its rule, the expression, the point, and for each preset (forward, reverse).

    Both are the derivatives by the inputs, in the order in which the point names them.
    """

    rule: str
    expression: str
    tie: str
    returned: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class TieTable:
    """What the presets return at the ties, side by side."""

    presets: tuple[str, ...]
    versions: tuple[str, ...]
    rows: tuple[TieRow, ...]


@dataclass(frozen=True, slots=True)
class PointTruth:
    """What holds of a function at a point, whatever AD makes of it. Vectors are rows, one for each output entry."""

    value: Nested
    gradient: tuple[Row, ...] | None
    clarke: tuple[tuple[Row, ...], ...]
    clarke_complete: bool
    bouligand: tuple[tuple[Row, ...], ...]
    bouligand_complete: bool


@dataclass(frozen=True, slots=True)
class PresetRow:
    """What one preset returns at a point, and the verdict for each mode; None where it has no answer, with the reason.

    `ad_critical` and `reason` are those of backward AD, as everywhere. `other`: the truth of what this preset computes,
    where its definitions lead to another one.
    """

    name: str
    framework: str
    version: str
    forward: tuple[Row, ...] | None
    backward: tuple[Row, ...] | None
    forward_verdict: str | None
    verdict: str | None
    ad_critical: bool | None
    reason: str
    forward_reason: str
    other: PointTruth | None = None


@dataclass(frozen=True, slots=True)
class ComparisonReport(Shown):
    """The presets side by side at one point, beside the truth. `scalar`: there is one row of derivatives."""

    program: str
    point: Row
    scalar: bool
    truth: PointTruth
    presets: tuple[PresetRow, ...]


@dataclass(frozen=True, slots=True)
class StratumComparison:
    """A stratum where guards are tied, and what the presets return at its witness."""

    stratum: StratumReport
    comparison: ComparisonReport


@dataclass(frozen=True, slots=True)
class StrataComparison:
    """What the presets return on each stratum where a guard is tied; between them all is smooth.

    `unknown` as in the stratification: sentences about what could not be decided.
    """

    program: str
    strata: tuple[StratumComparison, ...]
    unknown: tuple[str, ...]
