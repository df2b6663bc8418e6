"""`cfc plot`: its arguments, and a program with them to an image and where it goes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cfcompiler import output
from cfcompiler.arguments import add_region, wrong

if TYPE_CHECKING:
    from cfcompiler.compiler import Compiled

FORMATS = ("png", "svg", "pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "-o",
        dest="output",
        metavar="FILE",
        help="where to draw: fig.png, fig.svg or fig.pdf (PROG.png here; - is standard output)",
    )
    parser.add_argument("--format", choices=FORMATS, help="png, svg or pdf, where the name does not tell")
    parser.add_argument(
        "--slice",
        default="",
        metavar="NAME[,NAME]",
        help="the one or two inputs or entries that move: x,y or v[0]; the others keep the values of --fix, "
        "else those of a point of interest",
    )
    add_region(parser)
    parser.add_argument(
        "--result", default="0", metavar="N", help="which of several outputs is drawn, counted from 0 (0)"
    )
    parser.add_argument("--dpi", metavar="N", default="160", help="dots an inch of a png (160)")
    parser.add_argument(
        "--timeout", metavar="SECONDS", default="30", help="how long the strata may take (30)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite a file that cfc did not draw")


def kind_of(options: argparse.Namespace) -> str:
    """The format: what --format says, else the ending of the name, else png. Raises CFError."""
    ending = "" if options.output in (None, "-") else Path(options.output).suffix.lower().removeprefix(".")
    kind = options.format or ending or "png"
    if kind not in FORMATS:
        raise wrong(
            f"{options.output!r} has no ending that cfc plot draws",
            "write .png, .svg or .pdf, or give --format",
        )
    if ending in FORMATS and kind != ending:
        raise wrong(f"{options.output!r} and --format {kind} do not agree")
    return str(kind)


def result_of(options: argparse.Namespace) -> int:
    """The number of --result. Raises CFError."""
    if not options.result.isdigit():
        raise wrong(f"--result takes a number, not {options.result!r}", "the first output is 0")
    return int(options.result)


def drawn(
    program: Compiled,
    options: argparse.Namespace,
    box: Mapping[str, str],
    fix: Mapping[str, str],
    seconds: float,
    dpi: int,
    progress: Callable[[str, int, int], None] | None,
) -> bytes:
    """The image. Raises CFError."""
    from cfcompiler.targets.plots import image, require

    require()
    picture = program.picture(
        slice=options.slice,
        box=box,
        fix=fix,
        output=result_of(options),
        seconds=seconds,
        progress=progress,
    )
    return image(picture, kind_of(options), dpi=dpi)


def path_of(options: argparse.Namespace, program_path: str) -> Path:
    """Where the image goes."""
    if options.output is not None:
        return Path(options.output)
    return output.image_path(program_path, kind_of(options))
