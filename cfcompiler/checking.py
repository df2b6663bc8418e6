"""`cfc check`: its arguments, and a program with them to what is printed and whether something was found."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfcompiler.arguments import add_region

if TYPE_CHECKING:
    from cfcompiler.ir import Program
    from cfcompiler.report import CheckReport
    from cfcompiler.targets.tables import Block

FORMATS = ("text", "json", "sarif", "github")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is printed, whether there is a finding that counts, and whether Ctrl-C ended the work."""

    blocks: tuple[Block, ...]
    failed: bool
    interrupted: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--format", choices=FORMATS, default="text", help="how findings are written (text)")
    parser.add_argument("--theory", action="store_true", help="which hypotheses of the theorems hold")
    parser.add_argument("--verbose", action="store_true", help="say what is proved, with the reason")
    parser.add_argument("--strict", action="store_true", help="exit 1 for what could not be decided, too")
    add_region(parser)
    parser.add_argument("--timeout", metavar="SECONDS", default="60", help="how long it may take, about (60)")
    for option, text in (
        ("--select", "look for these codes alone; CF1 is all of them"),
        ("--extend-select", "look for these codes too, as CF105"),
        ("--ignore", "do not look for these codes"),
    ):
        parser.add_argument(option, action="append", default=[], metavar="CODES", help=text)


def answer(
    program: Program,
    options: argparse.Namespace,
    box: Mapping[str, str],
    fix: Mapping[str, str],
    seconds: float,
    progress: Callable[[str, int, int], None] | None,
) -> Answer:
    """The findings of a program, written in the format that is wanted. Raises CFError."""
    from cfcompiler.analyses.check import check, failed, selection
    from cfcompiler.analyses.strata import strata_of
    from cfcompiler.analyses.strata_question import question_of

    chosen = selection(_codes(options.select), _codes(options.extend_select), _codes(options.ignore))
    question = question_of(program, box=box, fix=fix, seconds=seconds, progress=progress)
    strata = strata_of(program, question)
    report = check(program, strata, question, chosen, theory=options.theory, proofs=options.verbose)
    return Answer(
        tuple(_written(report, program, options)), failed(report, strict=options.strict), strata.interrupted
    )


def _codes(given: Iterable[str]) -> list[str]:
    return [code for text in given for code in text.split(",")]


def _written(report: CheckReport, program: Program, options: argparse.Namespace) -> Iterable[Block]:
    from cfcompiler.targets import (
        findings_github,
        findings_json,
        findings_sarif,
        findings_text,
        json_report,
    )

    source = program.source
    match options.format:
        case "json":
            whole = options.theory or options.verbose
            found = findings_json.check_json(report, source, whole=whole)
            return [((json_report.dumps(found, indent=2), ""),)]
        case "sarif":
            return [((json_report.dumps(findings_sarif.check_sarif(report, source), indent=2), ""),)]
        case "github":
            return [((line, ""),) for line in findings_github.check_github(report, source)]
    return findings_text.check_blocks(report, source)
