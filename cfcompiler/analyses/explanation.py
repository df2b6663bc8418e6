"""Program, point, PointReport -> Explanation: what a reader of `cfc at` wants to know beside the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cfcompiler.analyses.at import row_of
from cfcompiler.analyses.choices import choices_at
from cfcompiler.analyses.sides import sides_at
from cfcompiler.arithmetic import EXACT
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.report import Explanation, PointReport


def explanation_at(program: Program, point: Mapping[str, Any], report: PointReport) -> Explanation:
    """The tied operations one by one; the slopes on both sides where the gradient does not tell them."""
    smooth = report.judged.gradient is not None
    if smooth and not report.ties_here:
        return Explanation((), ())
    values = run(program, point, EXACT)
    choices = choices_at(program, point, values, lambda arrays: row_of(program, arrays))
    return Explanation(choices, () if smooth else sides_at(program, point, values))
