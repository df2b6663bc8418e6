"""Words of a command line -> ComparisonReport: what `cfc compare` does, but for what it prints.

The words come as argparse left them: `--ties` takes any number of presets, so a NAME=VALUE that follows them is taken
back for the point.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cfcompiler import errors
from cfcompiler.errors import CFError

if TYPE_CHECKING:
    from cfcompiler.analyses.comparison import Point, Written
    from cfcompiler.ir import Program
    from cfcompiler.report import ComparisonReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `cfc compare` takes."""
    parser.add_argument("program", metavar="PROG.cf[:NAME]", help="the program; - is standard input")
    parser.add_argument("point", nargs="*", metavar="NAME=VALUE", help="the point: x=0 y=1/3 v=[0,1,sqrt(2)]")
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
) -> ComparisonReport:
    """The presets of `ties` (all if there are none) at the point of `words`. Raises CFError."""
    from cfcompiler.analyses.comparison import comparison
    from cfcompiler.point import example_of, parse_arguments

    presets = [word for word in ties if "=" not in word]
    point = [*words, *(word for word in ties if "=" in word)]

    def locate(program: Program) -> Point:
        # Without a point the comparison will go over the strata of the program, once there are any.
        if program.params and not point:
            raise CFError([errors.no_point(example_of(program))], program.source)
        return parse_arguments(program, point)

    yours = written.under(presets[0] if len(presets) == 1 else None, overrides) if overrides else None
    return comparison(written, locate, presets=presets, yours=yours)
