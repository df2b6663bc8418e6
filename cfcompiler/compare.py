"""Words of a command line -> what `cfc compare` says: the presets at a point, or on every stratum of the program.

The words come as argparse left them: `--ties` takes any number of presets, so a NAME=VALUE that follows them is taken
back for the point.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cfcompiler import errors
from cfcompiler.errors import CFError

if TYPE_CHECKING:
    from cfcompiler.analyses.comparison import Written
    from cfcompiler.ir import Program
    from cfcompiler.report import ComparisonReport, StrataComparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `cfc compare` takes."""
    parser.add_argument("program", metavar="PROG.cf[:NAME]", help="the program; - is standard input")
    parser.add_argument(
        "point",
        nargs="*",
        metavar="NAME=VALUE",
        help="the point: x=0 y=1/3 v=[0,1]; without one, all strata",
    )
    parser.add_argument(
        "--ties",
        nargs="+",
        action="extend",
        default=[],
        metavar="PRESET",
        help="compare these alone (`cfc ties`)",
    )
    parser.add_argument(
        "--tie",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="rules of your own, as a row more: over the one preset that --ties names, the file's, or torch",
    )
    parser.add_argument(
        "--static", action="append", default=[], metavar="NAME=INT", help="the value of an Int input"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def compared(
    written: Written, words: Sequence[str], ties: Sequence[str], overrides: Mapping[str, str]
) -> ComparisonReport | StrataComparison:
    """The presets of `ties` (all if there are none) at the point of `words`, else on all strata. Raises CFError."""
    from cfcompiler.analyses.comparison import comparison
    from cfcompiler.point import parse_arguments

    presets = [word for word in ties if "=" not in word]
    point = [*words, *(word for word in ties if "=" in word)]
    yours = written.under(presets[0] if len(presets) == 1 else None, overrides) if overrides else None
    if not point:
        first = written.under(presets[0] if presets else None)
        if first.params:
            return _on_strata(written, first, presets, yours)
    return comparison(written, lambda program: parse_arguments(program, point), presets=presets, yours=yours)


def _on_strata(
    written: Written, program: Program, presets: Sequence[str], yours: Program | None
) -> StrataComparison:
    """At the witness of every stratum of the program on which a guard is tied. Raises CFError."""
    from cfcompiler.analyses.comparison import comparison
    from cfcompiler.analyses.strata import strata_of
    from cfcompiler.analyses.strata_question import question_of
    from cfcompiler.point import example_of, point_of
    from cfcompiler.report import StrataComparison, StratumComparison

    strata = strata_of(program, question_of(program))
    if not strata.strata:
        reason = strata.unknown[0] if strata.unknown else "it has no strata"
        raise CFError([errors.no_point(reason, example_of(program))], program.source)
    found, unknown = [], list(strata.unknown)
    for stratum in strata.strata:
        if 0 not in stratum.signs.values():
            continue
        at_witness = partial(point_of, given=dict(stratum.witness))
        try:
            at_witness(program)
        except CFError:  # an algebraic number without a closed form, which no point can be written with
            unknown.append(f"{stratum.id} is not compared: its point has no closed form")
            continue
        report = comparison(written, at_witness, presets=presets, yours=yours)
        found.append(StratumComparison(stratum, report))
    return StrataComparison(program.name, tuple(found), tuple(unknown))
