"""`%load_ext cfcompiler`: a cell that begins with `%%cfc` is a program, compiled, bound to a name, shown as a page.

    %%cfc f --ties jax
    def f(t):
        return relu(t) - relu(-t)

A mistake in the cell is shown as a diagnostic with its caret, as everywhere.
"""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from cfcompiler.arguments import Parser, add_region, pairs, static, wrong
from cfcompiler.compiler import Compiled, compile_text

_PATH = "<cell>"


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext cfcompiler` with the shell."""

    def cfc(line: str, cell: str) -> None:
        """Compile the cell, bind the program to a name, and show it. `%%cfc --help` lists the options."""
        options = _options(line)
        if options.help:
            _display({"text/plain": _parser().format_help()})
            return
        compiled = compile_text(
            cell,
            _PATH,
            function=options.function,
            static=static(options.static),
            preset=options.ties,
            overrides=pairs("--tie", options.tie),
        )
        name = options.name or compiled.program.name
        shell.user_ns[name] = compiled
        if not options.quiet:
            _display(_shown(compiled, options))

    shell.register_magic_function(cfc, magic_kind="cell", magic_name="cfc")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="%%cfc", add_help=False, allow_abbrev=False)
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="the name of the program here (the function's)"
    )
    parser.add_argument("--help", action="store_true", help="this text")
    parser.add_argument("--function", metavar="NAME", help="which function is the program (the last one)")
    parser.add_argument("--ties", metavar="PRESET", help="tie rules of a framework (`cfc ties`)")
    parser.add_argument("--tie", action="append", default=[], metavar="NAME=VALUE", help="one tie rule")
    parser.add_argument(
        "--static", action="append", default=[], metavar="NAME=INT", help="the value of an Int input"
    )
    add_region(parser)
    parser.add_argument(
        "--timeout",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="how long the page may take, about (20)",
    )
    parser.add_argument("--quiet", action="store_true", help="compile, and show nothing")
    return parser


def _options(line: str) -> argparse.Namespace:
    try:
        words = shlex.split(line)
    except ValueError as problem:
        raise wrong(f"%%cfc cannot read {line!r}: {problem}") from None
    options = _parser().parse_args(words)
    if options.name is not None and not options.name.isidentifier():
        raise wrong(f"%%cfc binds the program to a name, and {options.name!r} is none")
    return options


def _shown(compiled: Compiled, options: argparse.Namespace) -> dict[str, str]:
    """The program, in the forms that notebooks choose from: its page in a frame, which an exported notebook keeps."""
    page = compiled.report(
        box=pairs("--box", options.box), fix=pairs("--fix", options.fix), seconds=options.timeout
    )
    return {"text/plain": repr(compiled), "text/html": page._repr_html_()}


def _display(forms: dict[str, str]) -> None:
    from IPython.display import display

    display(forms, raw=True)  # type: ignore[no-untyped-call]
