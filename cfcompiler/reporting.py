"""`cfc report`: its arguments, and a program with them to a page and the place where it is written."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cfcompiler.arguments import add_region

if TYPE_CHECKING:
    from cfcompiler.compiler import Compiled
    from cfcompiler.targets.html_report import Document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command, but for the program and its rules."""
    parser.add_argument(
        "point", nargs="*", metavar="NAME=VALUE", help="a point that is wanted on the page: x=0 y=1/3"
    )
    parser.add_argument(
        "-o", dest="output", metavar="FILE", help="where to write (PROG.html here; - is standard output)"
    )
    add_region(parser)
    parser.add_argument("--timeout", metavar="SECONDS", default="60", help="how long it may take, about (60)")
    parser.add_argument("--force", action="store_true", help="overwrite a file that cfc did not generate")


def document(
    compiled: Compiled,
    options: argparse.Namespace,
    box: Mapping[str, str],
    fix: Mapping[str, str],
    seconds: float,
    progress: Callable[[str, int, int], None] | None,
) -> Document:
    """The page. Raises CFError."""
    from cfcompiler.analyses.strata_question import question_of
    from cfcompiler.point import parse_arguments

    program = compiled.program
    question = question_of(program, box=box, fix=fix, seconds=seconds, progress=progress)
    given = [f"{name}={value}" for name, value in fix.items()]
    point = parse_arguments(program, [*given, *options.point]) if options.point else None
    return compiled.page(question, point, command_of(options))


def command_of(options: argparse.Namespace) -> str:
    """The command that makes the page again, without where it was written."""
    words = ["cfc report", _quoted(options.program), *map(_quoted, options.point)]
    words += [f"--ties {options.ties}"] if options.ties else []
    for option, values in (
        ("--tie", options.tie),
        ("--static", options.static),
        ("--box", options.box),
        ("--fix", options.fix),
    ):
        words += [f"{option} {_quoted(value)}" for value in values]
    return " ".join(words + ([f"--timeout {options.timeout}"] if options.timeout != "60" else []))


def _quoted(word: str) -> str:
    """A word as a shell takes it."""
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word) else "'" + word.replace("'", "'\"'\"'") + "'"


def default_path(program_path: str) -> Path:
    """`prog.html` in the current directory for `somewhere/prog.cf`."""
    stem = Path(program_path).name.removesuffix(".cf")
    return Path(re.sub(r"[^\w.-]", "_", stem) + ".html")
