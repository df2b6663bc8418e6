"""The arguments of the command line: what each command takes, and the complaints about what it does not.

Nothing is imported here that `cfc --help` does not need.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cfcompiler import __version__, checking, demo, plotting, reporting
from cfcompiler.arguments import Parser, add_region, wrong
from cfcompiler.compare import add_arguments

if TYPE_CHECKING:
    from cfcompiler.analyses.landscape import Effort

EMITTED = ("ir", "forward", "backward", "latex", "module")
TARGETS = ("numpy",)


def parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="cfc",
        description="Compile programs with branches and kinks to readable NumPy modules that compute exactly what "
        "automatic differentiation computes, and see what it returns where pieces meet.",
        epilog="cfc COMMAND --help says more. Start with: cfc demo",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cfc {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    _add_compile(commands)
    _add_at(commands)
    compare = commands.add_parser(
        "compare",
        help="what every framework returns at a point, beside the truth",
        description="What AD returns at a point under each preset, beside the truth, with a verdict for each.",
        allow_abbrev=False,
    )
    add_arguments(compare)
    _add_strata(commands)
    _add_check(commands)
    _add_plot(commands)
    report = commands.add_parser(
        "report",
        help="one page to read: program, derivative code, pictures, every verdict",
        description="Write one HTML file with the program, its derivative code, where AD is wrong, pictures to try "
        "out, and a quiz. It needs no network.",
        allow_abbrev=False,
    )
    _add_program(report)
    reporting.add_arguments(report)
    ties = commands.add_parser("ties", help="what each preset returns at a tie", allow_abbrev=False)
    ties.add_argument("presets", nargs="*", metavar="PRESET", help="show these alone")
    ties.add_argument("--json", action="store_true", help="as JSON")
    gallery = commands.add_parser(
        "demo",
        help="the gallery of examples",
        description="The gallery: programs on which AD is wrong, or looks so. One of them with its story: who met it, "
        "what was returned, what is true, what to write instead, and the check that this is right.",
        allow_abbrev=False,
    )
    demo.add_arguments(gallery)
    explain = commands.add_parser("explain", help="one error code at length", allow_abbrev=False)
    explain.add_argument("code", nargs="?", metavar="CODE", help="such as CF012; list all if absent")
    return parser


def _add_compile(commands: Any) -> None:
    parser = commands.add_parser(
        "compile",
        help="a program to a NumPy module with its value and derivatives",
        description="Write the module of a program: value, jvp, vjp, grad, value_and_grad, signature, field.",
        allow_abbrev=False,
    )
    _add_program(parser)
    parser.add_argument(
        "-o", dest="output", metavar="FILE", help="where to write (PROG_cf.py here; - is standard output)"
    )
    parser.add_argument("--target", choices=TARGETS, default="numpy", help="what kind of module (numpy)")
    parser.add_argument("--order", type=int, choices=(1, 2), default=1, help="2 adds hvp and hessian")
    parser.add_argument(
        "--checks", action="store_true", help="test the assertions of the program when it runs"
    )
    parser.add_argument(
        "--emit",
        choices=EMITTED,
        default="module",
        help="a stage of the compiler instead, on standard output",
    )
    parser.add_argument("--force", action="store_true", help="overwrite a file that cfc did not generate")


def _add_at(commands: Any) -> None:
    parser = commands.add_parser(
        "at",
        help="everything about one point",
        description="What AD returns at a point, what is true there, and the verdict, in exact arithmetic.",
        allow_abbrev=False,
    )
    _add_program(parser, required=False)
    parser.add_argument("point", nargs="*", metavar="NAME=VALUE", help="the point: x=0 y=1/3 v=[0,1,sqrt(2)]")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--float",
        action="store_true",
        help="what float64 does there, and where it differs from the real line",
    )
    parser.add_argument("--timeout", metavar="SECONDS", help="how long a point may take (20)")
    parser.add_argument("--max-cells", metavar="N", help="how many pieces may be followed (4096)")
    parser.add_argument(
        "--jsonl",
        metavar="FILE",
        help='a case a line, {"id", "source", "point", "ties"}, an answer a line; - is standard input',
    )


def _add_strata(commands: Any) -> None:
    parser = commands.add_parser(
        "strata",
        help="where AD is not the gradient, everywhere",
        description="All sets of inputs on which the signs of the guards are constant, with what AD returns on each "
        "and what is true, in exact arithmetic.",
        allow_abbrev=False,
    )
    _add_program(parser)
    add_region(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--fail-on", metavar="VERDICT[,VERDICT]", default="", help="exit 1 if a stratum has one of these"
    )
    parser.add_argument("--timeout", metavar="SECONDS", default="60", help="how long it may take (60)")
    parser.add_argument("--max-cells", metavar="N", default="100000", help="cells at most (100000)")


def _add_check(commands: Any) -> None:
    parser = commands.add_parser(
        "check",
        help="every place where AD is wrong, or the program jumps or leaves a domain",
        description="Lint a program by its strata: spurious derivatives, NaN from arms that are not selected, jumps. "
        "Exit 0: no findings, 1: findings.",
        allow_abbrev=False,
    )
    _add_program(parser)
    checking.add_arguments(parser)


def _add_plot(commands: Any) -> None:
    parser = commands.add_parser(
        "plot",
        help="a picture: f, its strata, what AD returns and what is true",
        description="Draw a program over one input (f, and its derivative with what AD and the frameworks return at "
        "each kink) or over two (a map of its strata, with descents).",
        allow_abbrev=False,
    )
    _add_program(parser)
    plotting.add_arguments(parser)


def _add_program(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    nargs = None if required else "?"
    parser.add_argument(
        "program", nargs=nargs, metavar="PROG.cf[:NAME]", help="the program; - is standard input"
    )
    parser.add_argument(
        "--ties",
        metavar="PRESET",
        help="tie rules of a framework (`cfc ties`); default: the file's, else torch",
    )
    parser.add_argument(
        "--tie",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one tie rule: relu=1/2, max=first, where=mul",
    )
    parser.add_argument(
        "--static", action="append", default=[], metavar="NAME=INT", help="the value of an Int input"
    )


def effort_of(options: argparse.Namespace) -> Effort:
    from cfcompiler.analyses.landscape import USUAL, Effort

    seconds, cells = USUAL.seconds, USUAL.cells
    if options.timeout is not None:
        seconds = positive("--timeout", options.timeout, float, "a number of seconds, such as 5")
    if options.max_cells is not None:
        cells = int(positive("--max-cells", options.max_cells, int, "a whole number, such as 4096"))
    return Effort(seconds, cells)


def positive(option: str, text: str, kind: Callable[[str], float], wanted: str) -> float:
    """The number of an option. Raises CFError unless it is above 0 and finite."""
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if not 0 < value < math.inf:
        raise wrong(f"{option} {text!r} is not above 0", f"give {wanted}")
    return value
