"""The compiler from top to bottom: text -> Program -> derivative programs -> module, each stage to be looked at."""

from __future__ import annotations

import builtins
import gc
import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from cfcompiler import errors, ties
from cfcompiler.errors import CFError
from cfcompiler.ir import Program
from cfcompiler.language import read
from cfcompiler.report import CheckReport, ComparisonReport, Curve, Map, PointReport, StrataReport
from cfcompiler.shapes import text_of
from cfcompiler.source import NOWHERE, Source
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient, vjp
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import verify

if TYPE_CHECKING:
    from cfcompiler.analyses.strata_question import Question
    from cfcompiler.targets.html_report import Document
    from cfcompiler.targets.plots import Drawing


@dataclass(frozen=True, repr=False)
class Compiled:
    """A program with its derivative programs, made when they are asked for."""

    program: Program
    static: tuple[tuple[str, int], ...] = ()  # the values of Int inputs that it was compiled for

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

    @cached_property
    def namespace(self) -> dict[str, Any]:
        """The generated module, run: its functions and its metadata by name."""
        names: dict[str, Any] = {"__name__": f"{self.program.name}_cf"}
        exec(builtins.compile(self.module(), f"<{self.program.name}_cf>", "exec"), names)
        return names

    def value(self, *inputs: Any) -> Any:
        """f, at a point or a batch of points."""
        return self.namespace["value"](*inputs)

    def jvp(self, inputs: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        """(f, directional derivative) by the forward program."""
        return self.namespace["jvp"](inputs, tangents)

    def vjp(self, *inputs: Any) -> Any:
        """(f, pullback) by the backward program."""
        return self.namespace["vjp"](*inputs)

    def grad(self, *inputs: Any) -> Any:
        """The gradient by the backward program."""
        return self.namespace["grad"](*inputs)

    def lexicographic(self, *inputs: Any) -> Any:
        """A limit of gradients at points near by, whatever the tie rules. Raises ArithmeticError."""
        return self.namespace["lexicographic"](*inputs)

    def value_and_grad(self, *inputs: Any) -> Any:
        """(f, gradient) by the backward program."""
        return self.namespace["value_and_grad"](*inputs)

    @cached_property
    def second_order(self) -> dict[str, Any]:
        """The names of the generated module of order 2."""
        names: dict[str, Any] = {"__name__": f"{self.program.name}_cf"}
        exec(builtins.compile(self.module(order=2), f"<{self.program.name}_cf>", "exec"), names)
        return names

    def hvp(self, inputs: tuple[Any, ...], directions: tuple[Any, ...]) -> Any:
        """The Hessian times a direction, forward over reverse."""
        return self.second_order["hvp"](inputs, directions)

    def hessian(self, *inputs: Any) -> Any:
        """The Hessian, a column for each input entry."""
        return self.second_order["hessian"](*inputs)

    def signature(self, *inputs: Any) -> Any:
        """The sign of every guard."""
        return self.namespace["signature"](*inputs)

    def field(self, *inputs: Any) -> Any:
        """The vertices of D at a point."""
        return self.namespace["field"](*inputs)

    def at(self, **point: Any) -> PointReport:
        """Everything about one point, in exact arithmetic. Raises CFError."""
        from cfcompiler.analyses.at import at
        from cfcompiler.point import point_of

        return at(self.program, point_of(self.program, point), self.program.preset)

    def compare(self, **point: Any) -> ComparisonReport:
        """What every preset returns at one point, beside the truth; own rules are a row "yours". Raises CFError."""
        from cfcompiler.analyses.comparison import Written, comparison
        from cfcompiler.point import point_of

        own = self.program if self.program.preset not in ties.preset_names() else None
        written = Written(self.program.source, self.program.name, self.static)
        return comparison(written, lambda program: point_of(program, point), yours=own)

    def strata(
        self,
        *,
        box: Mapping[str, Any] | None = None,
        fix: Mapping[str, Any] | None = None,
        seconds: float = 60.0,
        most: int = 100_000,
    ) -> StrataReport:
        """All strata, with what AD returns on each and what is true, in exact arithmetic. Raises CFError.

        `box`: open intervals, {"x": (-1, 1)}; `fix`: inputs with a value; `most`: cells on the way.
        """
        from cfcompiler.analyses.strata import strata_of
        from cfcompiler.analyses.strata_question import moving_question

        return strata_of(
            self.program, moving_question(self.program, box=box, fix=fix, seconds=seconds, most=most)
        )

    def picture(
        self,
        *,
        slice: Sequence[str] | str = (),
        box: Mapping[str, Any] | None = None,
        fix: Mapping[str, Any] | None = None,
        output: int = 0,
        seconds: float = 30.0,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> Curve | Map:
        """What is drawn of the program: a curve where one input moves, a map where two do. Raises CFError.

        `slice`: the inputs or entries that move, ("x", "v[0]") or "x,v[0]"; the others are fixed, by `fix` or at a
        point of interest. `output`: which entry of the outputs, from 0.
        """
        from cfcompiler.analyses.pictures import picture
        from cfcompiler.analyses.slices import names_of

        return picture(
            self.program,
            lambda program: Compiled(program).namespace,
            static=self.static,
            moving=names_of(slice) if isinstance(slice, str) else slice,
            box=box,
            fix=fix,
            output=output,
            seconds=seconds,
            yours=self.program if self.program.preset not in ties.preset_names() else None,
            progress=progress,
        )

    def plot(self, **options: Any) -> Drawing:
        """The picture, to be saved (.png, .svg, .pdf), changed as a matplotlib figure, or shown in a notebook.

        `options` are those of `picture`. Raises CFError, also where matplotlib is not installed.
        """
        from cfcompiler.targets.plots import Drawing, require

        require()
        return Drawing(self.picture(**options))

    def check(
        self,
        *,
        box: Mapping[str, Any] | None = None,
        fix: Mapping[str, Any] | None = None,
        select: Sequence[str] = (),
        extend_select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        theory: bool = False,
    ) -> CheckReport:
        """The findings of the linter and what is proved; `theory`: the hypotheses of the theorems. Raises CFError."""
        from cfcompiler.analyses.check import check, selection
        from cfcompiler.analyses.strata import strata_of
        from cfcompiler.analyses.strata_question import question_of

        chosen = selection(select, extend_select, ignore)
        question = question_of(self.program, box=box, fix=fix)
        strata = strata_of(self.program, question)
        return check(self.program, strata, question, chosen, theory=theory, proofs=True)

    def report(
        self,
        *,
        at: Mapping[str, Any] | None = None,
        box: Mapping[str, Any] | None = None,
        fix: Mapping[str, Any] | None = None,
        seconds: float = 60.0,
    ) -> Document:
        """A page to read and to try out: `.save(path)` writes it, a notebook shows it. Raises CFError.

        `at`: a point that is wanted on it; `box`, `fix`: as for strata; `seconds`: about how long all of it may take.
        """
        from cfcompiler.analyses.strata_question import question_of
        from cfcompiler.point import point_of

        question = question_of(self.program, box=box, fix=fix, seconds=seconds)
        point = None if at is None else point_of(self.program, {**(fix or {}), **at})
        options = {"at": at, "box": box, "fix": fix}
        given = ", ".join(f"{name}={dict(value)!r}" for name, value in options.items() if value)
        preset, *rules = self.program.preset.split(", ")
        words = [repr(self.program.source.path), *([f"preset={preset!r}"] if preset else [])]
        words += [f"overrides={dict(rule.split('=', 1) for rule in rules)!r}"] if rules else []
        return self.page(question, point, f"cfcompiler.compile({', '.join(words)}).report({given})")

    def page(self, question: Question, point: Mapping[str, Any] | None, command: str) -> Document:
        """The page of a question; `point`: exact numbers for every parameter; `command` makes it again."""
        from cfcompiler.analyses.lesson import Asked, lesson
        from cfcompiler.analyses.strata_question import restricted
        from cfcompiler.targets import html_report

        def run(program: Program) -> dict[str, Any]:
            return Compiled(program).namespace

        own = Compiled(verify(restricted(self.program, question)))
        page = lesson(self.program, Asked(question, point, self.static, command, run))
        return html_report.emit(page, html_report.Stages(own.forward, own.backward, self.module()))

    def __repr__(self) -> str:
        inputs = ", ".join(
            f"{param.value.name}: {text_of(param.value.shape)}" for param in self.program.params
        )
        return f"<program {self.program.name}({inputs}) under {self.program.preset}>"

    def _repr_html_(self) -> str:
        from cfcompiler.targets.notebook import program_html

        return program_html(self.program, self.namespace["GUARDS"])

    def _repr_latex_(self) -> str | None:
        from cfcompiler.targets.notebook import program_latex

        return program_latex(self.program)

    def module(self, *, order: int = 1, checks: bool = False, command: str = "") -> str:
        """The text of the generated NumPy module."""
        from cfcompiler.targets.numpy_module import emit

        with _no_collection():
            return emit(self.program, order=order, checks=checks, command=command)

    def emitted(self, stage: str, *, order: int = 1, checks: bool = False, command: str = "") -> str:
        """The text of a stage: "ir", "forward", "backward", "latex", or the module."""
        from cfcompiler.targets import latex, program_text

        match stage:
            case "ir":
                return program_text.emit(self.program, source=False, unused=False)
            case "forward":
                return program_text.emit(self.forward, source=False, unused=False)
            case "backward":
                return program_text.emit(self.backward, source=False, unused=False)
            case "latex":
                return latex.emit(self.program, self.forward, self.backward)
        return self.module(order=order, checks=checks, command=command)


def compile(source: str | Path | Callable[..., Any], **options: Any) -> Compiled:
    """Compile a `.cf` file (its path), a text of the language, or a Python function written in the language.

    A text has a line end or begins with `def`; anything else is a path. `options` are those of `compile_text`.
    Raises CFError, and TypeError for what is none of these (a lambda, a function whose text is not to be had).
    """
    if callable(source):
        try:
            text = dedent(inspect.getsource(source))
        except OSError:
            raise TypeError(
                f"the text of {source!r} is not to be had: compile its text or its file"
            ) from None
        if not text.lstrip().startswith(("def ", "@")):
            raise TypeError("a function must be written with def, to be compiled")
        return compile_text(
            text, inspect.getsourcefile(source) or "<function>", function=source.__name__, **options
        )
    if not isinstance(source, str | Path):
        raise TypeError(f"a path, a text or a function is compiled, not {type(source).__name__}")
    if isinstance(source, Path) or ("\n" not in source and not source.lstrip().startswith("def ")):
        return compile_file(source, **options)
    return compile_text(source, **options)


def program(function: Callable[..., Any]) -> Compiled:
    """Decorator: a Python function written in the language, compiled."""
    return compile(function)


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
    with _no_collection():
        program = read(
            text, path, function=function, static=dict(static or {}), preset=preset, overrides=overrides or {}
        )
        return Compiled(verify(program), tuple((static or {}).items()))


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
    return compile_text(text, str(path), function=function, static=static, preset=preset, overrides=overrides)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the cyclic collector: no tree and no program has cycles, and it would walk over all of it each time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def read_source(path: str | Path) -> str:
    """The text of a file. Raises CFError where it cannot be read or is not UTF-8 text."""
    source = Source("", str(path))
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as problem:
        reason, meant = problem.strerror or str(problem), f"{path}.cf"
        wrong = errors.cannot_read(str(path), reason, meant if os.path.isfile(meant) else "")
        raise CFError([wrong], source) from None
    except UnicodeDecodeError as problem:
        reason = f"it is not UTF-8 text (byte {problem.start})"
        raise CFError([errors.cannot_read(str(path), reason)], source) from None


def rules_of(preset: str | None, overrides: Mapping[str, str] | None) -> ties.Rules:
    """The tie rules of a preset and overrides. Raises CFError."""
    known = list(ties.preset_names())
    name = preset or ties.DEFAULT_PRESET
    if name not in known:
        raise CFError([errors.unknown_preset(NOWHERE, name, known)], Source("", "command line"))
    try:
        return ties.rules(name, overrides)
    except ties.TieError as problem:
        raise CFError([errors.bad_option(str(problem))], Source("", "command line")) from None
