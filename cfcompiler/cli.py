"""The command line: arguments to calls, answers to the terminal. The one file that prints or exits.

Exit 0: done. 1: done, and something was found. 2: the program or the command line is wrong. 70: a bug of cfc.
130: interrupted. Everything but the parsing of arguments is imported when a command needs it, so that `cfc --help`
imports neither NumPy nor SymPy.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfcompiler import __version__, errors
from cfcompiler.arguments import Parser, failed, pairs, static, wrong
from cfcompiler.compare import add_arguments, compared
from cfcompiler.errors import CFError
from cfcompiler.source import Source

if TYPE_CHECKING:
    from cfcompiler.compiler import Compiled
    from cfcompiler.targets.terminal import Line

DONE, WRONG, BUG, INTERRUPTED, BROKEN_PIPE = 0, 2, 70, 130, 141
EMITTED = ("ir", "forward", "backward", "latex", "module")
TARGETS = ("numpy",)
STANDARD = "-"
STDIN = "<stdin>"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell, as in `cfc at prog.cf x=0 >&-`
            setattr(sys, name, io.TextIOWrapper(io.BytesIO()))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except CFError as error:
        return _complain(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as problem:
        if problem.filename is not None:
            return _bug(problem)
        # The reader has gone, or the disk is full; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(problem, BrokenPipeError):
            return BROKEN_PIPE
        return _complain(failed(errors.cannot_write("standard output", problem.strerror or str(problem))))
    except Exception as problem:
        return _bug(problem)
    return code


def _run(arguments: Sequence[str]) -> int:
    # argparse takes `-:name`, a function of the program on standard input, for an option
    arguments = [STDIN + text[1:] if text.startswith("-:") else text for text in arguments]
    options, rest = _parser().parse_known_args(arguments)
    # NAME=VALUE after an option: argparse does not let positional arguments go on there.
    if rest and (
        options.command not in ("at", "compare") or any(argument.startswith("-") for argument in rest)
    ):
        raise wrong(f"unknown argument {rest[0]!r}", f"`cfc {options.command} --help` lists the arguments")
    if rest:
        options.point.extend(rest)
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "compile": _compile,
        "at": _at,
        "compare": _compare,
        "ties": _ties,
        "demo": _demo,
        "explain": _explain,
    }
    return commands[options.command](options)


# arguments


def _parser() -> argparse.ArgumentParser:
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
    ties = commands.add_parser("ties", help="what each preset returns at a tie", allow_abbrev=False)
    ties.add_argument("presets", nargs="*", metavar="PRESET", help="show these alone")
    ties.add_argument("--json", action="store_true", help="as JSON")
    demo = commands.add_parser("demo", help="the gallery of examples", allow_abbrev=False)
    demo.add_argument(
        "name", nargs="?", metavar="NAME", help="show this example and run it; list all if absent"
    )
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
        description="Value, forward and backward AD, ties and the field of a program at a point, in exact arithmetic.",
        allow_abbrev=False,
    )
    _add_program(parser, required=False)
    parser.add_argument("point", nargs="*", metavar="NAME=VALUE", help="the point: x=0 y=1/3 v=[0,1,sqrt(2)]")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--jsonl",
        metavar="FILE",
        help='a case a line, {"id", "source", "point", "ties"}, an answer a line; - is standard input',
    )


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


def _program(options: argparse.Namespace, preset: str | None, overrides: Mapping[str, str]) -> Compiled:
    """The program of the command line. `prog.cf:name` picks a function, unless a file has that very name."""
    from cfcompiler.compiler import compile_text

    text, path, function = _text(options)
    return compile_text(
        text, path, function=function, static=static(options.static), preset=preset, overrides=overrides
    )


def _text(options: argparse.Namespace) -> tuple[str, str, str | None]:
    """The text of the program of the command line, its path, and the function that is picked."""
    from cfcompiler.compiler import read_source
    from cfcompiler.language import decode

    path, function = options.program, None
    if ":" in path and not Path(path).exists():
        path, _, function = path.rpartition(":")
    if path in (STANDARD, STDIN):
        return decode(sys.stdin.buffer.read(), STDIN).text, STDIN, function or None
    return read_source(path), path, function or None


# commands


def _compile(options: argparse.Namespace) -> int:
    from cfcompiler import output

    compiled = _program(options, options.ties, pairs("--tie", options.tie))
    text = compiled.emitted(
        options.emit, order=options.order, checks=options.checks, command=_command(options)
    )
    text = output.marked(text, options.emit)
    chosen = options.output
    if chosen is None and options.emit != "module":
        chosen = STANDARD
    if chosen == STANDARD:
        sys.stdout.write(text)
        return DONE
    path = Path(chosen) if chosen is not None else output.default_path(_stem(options.program))
    source = Path(_stem(options.program))
    if path.exists() and source.exists() and path.samefile(source):
        raise failed(errors.cannot_write(str(path), "it is the program itself"))
    output.write(path, text, force=options.force)
    print(f"wrote {path}")
    return DONE


def _stem(program: str) -> str:
    if program.split(":")[0] in (STANDARD, STDIN):
        return "stdin"
    return program if Path(program).exists() else program.rpartition(":")[0]


def _command(options: argparse.Namespace) -> str:
    """The command that makes the module again, without where it was written."""
    words = ["cfc compile", options.program]
    words += [f"--ties {options.ties}"] if options.ties else []
    words += [f"--tie {tie}" for tie in options.tie] + [f"--static {value}" for value in options.static]
    words += ["--order 2"] if options.order == 2 else []
    return " ".join(words + (["--checks"] if options.checks else []))


def _at(options: argparse.Namespace) -> int:
    if options.jsonl is not None:
        return _cases(options)
    if options.program is None:
        raise wrong("there is no program", "cfc at prog.cf x=0")
    from cfcompiler.analyses.at import at
    from cfcompiler.point import parse_arguments
    from cfcompiler.targets import json_report, terminal

    program = _program(options, options.ties, pairs("--tie", options.tie)).program
    report = at(program, parse_arguments(program, options.point), program.preset)
    if options.json:
        print(json_report.dumps(json_report.point_json(report)))
    else:
        _show(terminal.point_lines(report, program.source))
    return DONE


def _compare(options: argparse.Namespace) -> int:
    from cfcompiler.analyses.comparison import Written
    from cfcompiler.targets import comparison_text, json_report

    text, path, function = _text(options)
    written = Written(Source(text, path), function, tuple(static(options.static).items()))
    report = compared(written, options.point, options.ties, pairs("--tie", options.tie))
    if options.json:
        print(json_report.dumps(json_report.comparison_json(report)))
    else:
        _show(comparison_text.comparison_lines(report, _width() or comparison_text.WIDTH))
    return DONE


def _cases(options: argparse.Namespace) -> int:
    from cfcompiler.cases import Answers, Defaults
    from cfcompiler.compiler import read_source

    if options.point:
        raise wrong("with --jsonl each case has its own point", "remove " + " ".join(options.point))
    overrides = pairs("--tie", options.tie)
    named = options.program is not None
    if named and options.program.split(":")[0] in (STANDARD, STDIN):
        raise wrong("with --jsonl the program is a file, or the source of each case")
    compile_ = (lambda preset, rules: _program(options, preset, rules)) if named else None
    answers = Answers(Defaults(compile_, options.ties, overrides))
    if options.jsonl == STANDARD:
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        lines: Iterable[str] = sys.stdin
    else:
        lines = read_source(options.jsonl).split("\n")
    for answer in answers.lines(lines):
        print(answer, flush=True)
    if answers.bugs:
        print(f"cfc: {answers.bugs} cases failed by a bug of cfc; please report them", file=sys.stderr)
        return BUG
    return DONE


def _ties(options: argparse.Namespace) -> int:
    from cfcompiler.analyses.tie_table import tie_table
    from cfcompiler.targets import json_report, terminal

    table = tie_table(options.presets)
    if options.json:
        print(json_report.dumps(json_report.ties_json(table)))
    else:
        _show(terminal.tie_lines(table, _width()))
    return DONE


def _demo(options: argparse.Namespace) -> int:
    from cfcompiler import gallery
    from cfcompiler.targets import terminal

    if options.name is None:
        _show(terminal.gallery_lines(gallery.examples()))
        return DONE
    example = gallery.example(options.name)
    _show(terminal.example_lines(example))
    if example.arguments:
        _show([(), terminal.command_line(example.arguments)])
        return _run(example.arguments)
    return DONE


def _explain(options: argparse.Namespace) -> int:
    from cfcompiler.targets import terminal

    if options.code is None:
        _show(terminal.code_lines(errors.explanations().values()))
        return DONE
    explanation = errors.explain(options.code)
    if explanation is None:
        near = errors.nearest(options.code.upper(), errors.explanations())
        raise wrong(
            f"there is no code {options.code!r}",
            f"did you mean {near}?" if near else "`cfc explain` lists them",
        )
    _show(terminal.explanation_lines(explanation))
    return DONE


# out


def _width() -> int | None:
    """The columns of the terminal; None in a pipe."""
    return os.get_terminal_size().columns if sys.stdout.isatty() else None


def _show(lines: Iterable[Line]) -> None:
    from cfcompiler.targets import terminal

    if sys.stdout.isatty():
        terminal.paint(lines, sys.stdout)
    else:
        sys.stdout.write(terminal.plain(lines))


def _complain(error: CFError) -> int:
    if sys.stderr.isatty():
        from cfcompiler.targets import terminal

        terminal.paint(terminal.complaint_lines(error), sys.stderr)
    else:
        print(error.render(), file=sys.stderr)
    return WRONG


def _bug(problem: Exception) -> int:
    """Anything that is not a CFError is a bug and says so."""
    if os.environ.get("CFC_TRACEBACK") == "1":
        traceback.print_exc()
    else:
        print(
            f"cfc: this is a bug of cfc, not of your program: {type(problem).__name__}: {problem}; please report it "
            "with the program, the command, and what CFC_TRACEBACK=1 in front of the command adds",
            file=sys.stderr,
        )
    return BUG
