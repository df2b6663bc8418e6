"""What is said: the typed answers of the analyses, which the targets render.

Exact numbers are texts that SymPy parses; an array input is a nested list of them.
"""

from __future__ import annotations

from cfcompiler.report.findings import CheckReport, Finding, Hypothesis, Place
from cfcompiler.report.page import Input, Page, PagePoint, Preset, Tape, TapeStep
from cfcompiler.report.pictures import Arc, Curve, Descent, Dot, Line, Map, Spot
from cfcompiler.report.point import Certificate, FieldSum, Judged, PointReport, TieHere
from cfcompiler.report.presets import (
    ComparisonReport,
    PointTruth,
    PresetRow,
    StrataComparison,
    StratumComparison,
    TieRow,
    TieTable,
)
from cfcompiler.report.reading import Choice, Explanation, FloatReport, GuardInFloats, NanOrigin, Origin, Side
from cfcompiler.report.rows import VERDICTS, YOURS, Nested, Row
from cfcompiler.report.rules import Relation, RightWhen, RuleNumber, Settings
from cfcompiler.report.strata import ArtificialPoint, GuardInfo, StrataReport, StratumReport

__all__ = [
    "VERDICTS",
    "YOURS",
    "Arc",
    "ArtificialPoint",
    "Certificate",
    "CheckReport",
    "Choice",
    "ComparisonReport",
    "Curve",
    "Descent",
    "Dot",
    "Explanation",
    "FieldSum",
    "Finding",
    "FloatReport",
    "GuardInFloats",
    "GuardInfo",
    "Hypothesis",
    "Input",
    "Judged",
    "Line",
    "Map",
    "NanOrigin",
    "Nested",
    "Origin",
    "Page",
    "PagePoint",
    "Place",
    "PointReport",
    "PointTruth",
    "Preset",
    "PresetRow",
    "Relation",
    "RightWhen",
    "Row",
    "RuleNumber",
    "Settings",
    "Side",
    "Spot",
    "StrataComparison",
    "StrataReport",
    "StratumComparison",
    "StratumReport",
    "Tape",
    "TapeStep",
    "TieHere",
    "TieRow",
    "TieTable",
]
