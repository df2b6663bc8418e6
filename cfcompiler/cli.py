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
from typing import TYPE_CHECKING

from cfcompiler import checking, errors, plotting, reporting
from cfcompiler.arguments import failed, pairs, static, wrong
from cfcompiler.compare import compared
from cfcompiler.errors import CFError
from cfcompiler.options import effort_of, parser, positive
from cfcompiler.source import Source

if TYPE_CHECKING:
    from cfcompiler.compiler import Compiled
    from cfcompiler.targets.tables import Block

DONE, FOUND, WRONG, BUG, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 70, 130, 141
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
    options, rest = parser().parse_known_args(arguments)
    # NAME=VALUE after an option: argparse does not let positional arguments go on there.
    if rest and (
        options.command not in ("at", "compare", "report")
        or any(argument.startswith("-") for argument in rest)
    ):
        raise wrong(f"unknown argument {rest[0]!r}", f"`cfc {options.command} --help` lists the arguments")
    if rest:
        options.point.extend(rest)
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "compile": _compile,
        "at": _at,
        "compare": _compare,
        "strata": _strata,
        "check": _check,
        "plot": _plot,
        "report": _report,
        "ties": _ties,
        "demo": _demo,
        "explain": _explain,
    }
    return commands[options.command](options)


# the program


def _program(options: argparse.Namespace, preset: str | None, overrides: Mapping[str, str]) -> Compiled:
    """The program of the command line. `prog.cf:name` picks a function, unless a file has that very name."""
    from cfcompiler.compiler import compile_text
    from cfcompiler.language import idle_rules

    text, path, function = _text(options)
    compiled = compile_text(
        text, path, function=function, static=static(options.static), preset=preset, overrides=overrides
    )
    for sentence in idle_rules(compiled.program, overrides):
        print(f"cfc: note: {sentence}", file=sys.stderr)
    return compiled


def _text(options: argparse.Namespace) -> tuple[str, str, str | None]:
    """The text of the program of the command line, its path, and the function that is picked."""
    from cfcompiler.compiler import read_source
    from cfcompiler.language import decode

    path, function = options.program, None
    if ":" in path and not os.path.exists(path):
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
    output.refuse_program(path, _stem(options.program))
    output.write(path, text, force=options.force)
    print(f"wrote {path}")
    return DONE


def _stem(program: str) -> str:
    if program.split(":")[0] in (STANDARD, STDIN):
        return "stdin"
    return program if os.path.exists(program) else program.rpartition(":")[0]


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
    from cfcompiler.analyses.explanation import explanation_at
    from cfcompiler.point import parse_arguments
    from cfcompiler.targets import float_text, json_report, point_text

    effort = effort_of(options)
    program = _program(options, options.ties, pairs("--tie", options.tie)).program
    point = parse_arguments(program, options.point)
    report = at(program, point, program.preset, effort, floats=options.float)
    if options.json:
        print(json_report.dumps(json_report.point_json(report)))
    elif report.floats is not None:
        _show(float_text.float_blocks(report, report.floats, program.source))
    else:
        explanation = explanation_at(program, point, report)
        _show(point_text.point_blocks(report, explanation, program.source))
    return DONE


def _compare(options: argparse.Namespace) -> int:
    from cfcompiler.analyses.comparison import Written
    from cfcompiler.targets import comparison_text, json_report

    text, path, function = _text(options)
    written = Written(Source(text, path), function, tuple(static(options.static).items()))
    report = compared(written, options.point, options.ties, pairs("--tie", options.tie))
    if options.json:
        print(json_report.dumps(json_report.compared_json(report)))
    else:
        _show(comparison_text.compared_blocks(report, comparison_text.WIDTH))
    return DONE


def _strata(options: argparse.Namespace) -> int:
    from cfcompiler.analyses.strata import strata_of
    from cfcompiler.analyses.strata_question import moving_question
    from cfcompiler.report import VERDICTS
    from cfcompiler.targets import json_report, strata_json, strata_text

    failing = [word.strip() for word in options.fail_on.split(",") if word.strip()]
    for word in failing:
        if word not in VERDICTS:
            raise wrong(f"--fail-on takes verdicts, not {word!r}", "one of " + ", ".join(VERDICTS))
    program = _program(options, options.ties, pairs("--tie", options.tie)).program
    box, fix = pairs("--box", options.box), pairs("--fix", options.fix)
    question = moving_question(
        program,
        box=box,
        fix=fix,
        seconds=positive("--timeout", options.timeout, float, "a number of seconds, such as 5"),
        most=int(positive("--max-cells", options.max_cells, int, "a whole number, such as 4096")),
        progress=_progress(),
    )
    report = strata_of(program, question)
    if question.progress is not None:
        question.progress("", 1, 1)
    if options.json:
        print(json_report.dumps(strata_json.strata_json(report)))
    else:
        _show(strata_text.strata_blocks(report))
    if report.interrupted:
        return INTERRUPTED
    return FOUND if any(stratum.verdict in failing for stratum in report.strata) else DONE


def _check(options: argparse.Namespace) -> int:
    program = _program(options, options.ties, pairs("--tie", options.tie)).program
    box, fix = pairs("--box", options.box), pairs("--fix", options.fix)
    seconds = positive("--timeout", options.timeout, float, "a number of seconds, such as 5")
    answer = checking.answer(program, options, box, fix, seconds, _progress())
    _show(answer.blocks)
    if answer.interrupted:
        return INTERRUPTED
    return FOUND if answer.failed else DONE


def _plot(options: argparse.Namespace) -> int:
    from cfcompiler import output

    plotting.kind_of(options)
    compiled = _program(options, options.ties, pairs("--tie", options.tie))
    box, fix = pairs("--box", options.box), pairs("--fix", options.fix)
    seconds = positive("--timeout", options.timeout, float, "a number of seconds, such as 5")
    dpi = int(positive("--dpi", options.dpi, int, "a whole number, such as 300"))
    progress = _progress()
    image = plotting.drawn(compiled, options, box, fix, seconds, dpi, progress)
    if progress is not None:
        progress("", 1, 1)
    if options.output == STANDARD:
        sys.stdout.buffer.write(image)
        return DONE
    path = plotting.path_of(options, _stem(options.program))
    output.write(path, image, force=options.force)
    print(f"wrote {path}")
    return DONE


def _report(options: argparse.Namespace) -> int:
    from cfcompiler import output

    compiled = _program(options, options.ties, pairs("--tie", options.tie))
    box, fix = pairs("--box", options.box), pairs("--fix", options.fix)
    seconds = positive("--timeout", options.timeout, float, "a number of seconds, such as 5")
    progress = _progress()
    document = reporting.document(compiled, options, box, fix, seconds, progress)
    if progress is not None:
        progress("", 1, 1)
    if options.output == STANDARD:
        sys.stdout.write(document.text)
        return DONE
    stem = _stem(options.program)
    path = Path(options.output) if options.output is not None else reporting.default_path(stem)
    output.refuse_program(path, stem)
    output.write(path, document.text, force=options.force)
    print(f"wrote {path}")
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
    answers = Answers(Defaults(compile_, options.ties, overrides, effort_of(options), options.float))
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
        _show(terminal.tie_blocks(table))
    return DONE


def _demo(options: argparse.Namespace) -> int:
    from cfcompiler import demo

    if options.html is not None:
        return _site(options)
    shown = demo.shown(options.name)
    _show(shown.blocks)
    return _run(shown.arguments) if shown.arguments else DONE


def _site(options: argparse.Namespace) -> int:
    from cfcompiler import gallery
    from cfcompiler.site import write_site

    seconds = positive("--timeout", options.timeout, float, "a number of seconds, such as 30")
    examples = gallery.examples() if options.name is None else gallery.meant(options.name)
    directory = Path(options.html)
    written = write_site(directory, examples, seconds, force=options.force, progress=_progress())
    print(f"wrote {len(written)} pages; begin with {written[-1]}")
    return DONE


def _explain(options: argparse.Namespace) -> int:
    from cfcompiler.targets import terminal

    if options.code is None:
        _show(terminal.code_lines(errors.explanations().values()))
        return DONE
    explanation = errors.explain(options.code)
    if explanation is None:
        raise wrong(f"there is no code {options.code!r}", errors.meant_code(options.code))
    _show(terminal.explanation_lines(explanation))
    return DONE


# out


def _show(blocks: Iterable[Block]) -> None:
    from cfcompiler.targets.tables import write

    write(blocks, sys.stdout)


def _progress() -> Callable[[str, int, int], None] | None:
    """What shows progress on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        return None

    def tell(word: str, done: int, total: int) -> None:
        text = "" if total and done == total else f"{word} {done}" + (f" of {total}" if total else "")
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    return tell


def _complain(error: CFError) -> int:
    if sys.stderr.isatty():
        from cfcompiler.targets.painting import paint
        from cfcompiler.targets.terminal import complaint_blocks

        paint(complaint_blocks(error), sys.stderr)
    else:
        print(error.render(), file=sys.stderr)
    return WRONG


def _bug(problem: Exception) -> int:
    """Anything that is not a CFError is a bug and says so; but memory that is full is none."""
    if isinstance(problem, MemoryError):
        return _complain(failed(errors.no_memory()))
    if os.environ.get("CFC_TRACEBACK") == "1":
        traceback.print_exc()
    else:
        named = f"cfc: this is a bug of cfc, not of your program: {type(problem).__name__}: {problem}"
        asked = "please report it with the program, the command, and what CFC_TRACEBACK=1 in front of the command adds"
        print(f"{named}; {asked}", file=sys.stderr)
    return BUG
