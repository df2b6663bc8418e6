"""Program -> Curve | Map: what is drawn of a program, from its strata.

One input that moves makes a curve (curves.py), two make a map (maps.py). Each is drawn from the stratification of the
slice, from judgements of single points where that has no answer, and from floats of the generated module in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from cfcompiler.analyses.comparison import Written
from cfcompiler.analyses.curves import curve, interval_of
from cfcompiler.analyses.maps import box_of, map_of
from cfcompiler.analyses.sampling import Run, Sampler
from cfcompiler.analyses.slices import Slice, slice_of
from cfcompiler.analyses.strata import strata_of
from cfcompiler.analyses.strata_question import Interval, Question
from cfcompiler.ir import Program
from cfcompiler.report import Curve, Map, StrataReport

USUAL_SECONDS = 30.0
Limits = tuple[Interval, ...]


def picture(
    program: Program,
    run: Run,
    *,
    static: Sequence[tuple[str, int]] = (),
    moving: Sequence[str] = (),
    box: Mapping[str, Any] | None = None,
    fix: Mapping[str, Any] | None = None,
    output: int = 0,
    seconds: float = USUAL_SECONDS,
    yours: Program | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Curve | Map:
    """The drawing data of a program.

    `run` compiles a program and gives the names of its module; `moving`: the one or two inputs or entries that move;
    `box` and `fix` as for strata; `output`: which entry of the outputs; `yours`: the program under rules of one's own,
    which is then a row among the presets. Raises CFError.
    """
    own, question = slice_of(program, moving=moving, box=box, fix=fix, output=output, progress=progress)
    report, limits = _stratified(own, replace(question, seconds=seconds))
    sampler = Sampler(own, run)
    if len(own.moving) == 1:
        written = Written(program.source, program.name, tuple(static))
        return curve(own, written, report, sampler, limits[0], yours=yours)
    return map_of(own, report, sampler, limits)


def _stratified(own: Slice, question: Question) -> tuple[StrataReport, Limits]:
    """The stratification, and the part of it that is to be seen.

    Where it is not complete and nobody said where to look, it is asked for again on what would be shown: an input that
    is bounded has finitely many steps, for one.
    """
    report = strata_of(own.program, question)
    limits = tuple(question.interval(name) for name in own.moving)
    if report.complete or question.box:
        return report, limits
    shown = [interval_of(own, report)] if len(own.moving) == 1 else box_of(own, report, limits)
    box = {name: (Fraction(low), Fraction(high)) for name, (low, high) in zip(own.moving, shown, strict=True)}
    bounded = strata_of(own.program, replace(question, box=box))
    if len(bounded.unknown) < len(report.unknown) or (bounded.strata and not report.strata):
        return bounded, tuple(box[name] for name in own.moving)
    return report, limits
