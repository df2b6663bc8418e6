"""The compiler from top to bottom: text -> Program -> derivative programs -> module, each stage to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cfcompiler import errors, ties
from cfcompiler.errors import CFError
from cfcompiler.language import read
from cfcompiler.program import Program
from cfcompiler.source import Source
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient, vjp
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import verify


@dataclass(frozen=True)
class Compiled:
    """A program with its derivative programs, made when they are asked for."""

    program: Program

    @cached_property
    def forward(self) -> Program:
        """x..., d_x... -> f..., d_f..."""
        return verify(tidy(verify(jvp(self.program))))

    @cached_property
    def backward(self) -> Program:
        """x..., c... -> f..., c_x..."""
        return verify(tidy(verify(vjp(self.program))))

    @cached_property
    def gradient(self) -> Program:
        """x... -> f, c_x...; of a program with one scalar result. Raises ValueError."""
        return verify(tidy(verify(gradient(self.program))))

    def module(self, *, order: int = 1, checks: bool = False, command: str = "") -> str:
        """The text of the generated NumPy module."""
        from cfcompiler.targets.numpy_module import emit

        return emit(self.program, order=order, checks=checks, command=command)


def compile_text(
    text: str,
    path: str = "<text>",
    *,
    function: str | None = None,
    static: Mapping[str, int] | None = None,
    preset: str | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Compiled:
    """Compile the text of a `.cf` file.

    `function`: which function is the program (the last one). `static`: values of `Int` inputs. `preset`: the tie
    rules, over the file's own `ties = ...` and the default; `overrides`: single rules, as --tie takes them.
    Raises CFError with everything that is wrong.
    """
    program = read(text, path, function=function, static=dict(static or {}), preset=preset, overrides=overrides or {})
    return Compiled(verify(program))


def compile_file(
    path: str | Path,
    *,
    function: str | None = None,
    static: Mapping[str, int] | None = None,
    preset: str | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Compiled:
    """As `compile_text`, from a file. Raises CFError, also where the file cannot be read."""
    text = read_source(path)
    return compile_text(
        text, str(path), function=function, static=static, preset=preset, overrides=overrides
    )


def read_source(path: str | Path) -> str:
    """The text of a file. Raises CFError where it cannot be read or is not UTF-8 text."""
    source = Source("", str(path))
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as problem:
        raise CFError([errors.cannot_read(str(path), problem.strerror or str(problem))], source) from None
    except UnicodeDecodeError as problem:
        reason = f"it is not UTF-8 text (byte {problem.start})"
        raise CFError([errors.cannot_read(str(path), reason)], source) from None


def rules_of(preset: str | None, overrides: Mapping[str, str] | None) -> ties.Rules:
    """The tie rules of a preset and overrides. Raises CFError."""
    known = list(ties.preset_names())
    name = preset or ties.DEFAULT_PRESET
    if name not in known:
        raise CFError([errors.unknown_preset(errors.NOWHERE, name, known)], Source("", "command line"))
    try:
        return ties.rules(name, overrides)
    except ties.TieError as problem:
        raise CFError([errors.bad_option(str(problem))], Source("", "command line")) from None
