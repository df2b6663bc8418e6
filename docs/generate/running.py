"""A command of cfc, a program on its standard input -> what is printed."""

from __future__ import annotations

import contextlib
import io
import sys

from cfcompiler import cli

PATH = "prog.cf"  # what the program is called in what is printed


def printed(arguments: list[str], program: str) -> str:
    """Both streams, as a terminal shows them; the program stands for `-` in the arguments."""
    out, before = io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(program.encode()))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            cli.main(arguments)
    finally:
        sys.stdin = before
    return out.getvalue().replace(cli.STDIN, PATH)
