"""The printed form of programs: total, unambiguous, and read back as an equal program."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cfcompiler.compiler import compile_file, compile_text
from cfcompiler.errors import CFError
from cfcompiler.ir import Apply, Constant, Program, Select, Value
from cfcompiler.language.program_text import parse
from cfcompiler.source import Source, Span
from cfcompiler.targets.program_text import emit
from cfcompiler.ties import Reduction, preset_names
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import vjp
from cfcompiler.verify import verify

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "examples").glob("*.cf"))

ZERO = """\
program zero(t) -> t_4
  ties "torch"
  t_2 = neg t  @2:17-19
  k = constant value=0
  s = kink t_2 > k then t_2 else k relu(0 0 1 1 | 1 1 0 0 | select)  @2:12-20
  t_3 = add s t  @2:12-24
  s_2 = kink t > k then t else k relu(0 0 1 1 | 1 1 0 0 | select)  @2:27-34
  t_4 = sub t_3 s_2  @2:12-34
"""

BRANCHES = """
def f(x, v: Real[3], k: Const[3]):
    if x > 0 and x < 1:
        y = sqrt(x)
    elif x >= 1:
        y = max(v) + x**2.5
    else:
        y = where(v[0] > 0, v, k) @ v[::-1]
    assert x != 7, "seven, \\"7\\" or \\u2028"
    return y, sort(v)
"""


def programs(path: Path, preset: str) -> list[Program]:
    compiled = compile_file(path, preset=preset)
    return [compiled.program, compiled.forward, compiled.backward]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_and_its_derivatives_are_read_back(path: Path) -> None:
    for program in programs(path, "torch"):
        text = emit(program)
        assert parse(text) == program
        assert emit(parse(text)) == text


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_is_read_back(preset: str) -> None:
    compiled = compile_text(BRANCHES, preset=preset)
    second = verify(jvp(vjp(compiled.program)))
    for program in (compiled.program, compiled.forward, compiled.backward, second):
        assert parse(emit(program)) == program


def test_without_spans_and_source_the_rest_is_the_same() -> None:
    program = compile_text(BRANCHES).backward
    read = parse(emit(program, spans=False, source=False))
    assert emit(read, spans=False, source=False) == emit(program, spans=False, source=False)
    assert [step.out for step in read.instructions] == [step.out for step in program.instructions]


def test_the_form_is_as_documented() -> None:
    program = compile_text("def zero(t):\n    return relu(-t) + t - relu(t)\n").program
    assert emit(program, source=False, unused=False) == ZERO


def test_formulas_that_no_derivative_can_need_may_be_left_out() -> None:
    program = compile_text("def f(x):\n    return asin(x)\n", overrides={"sqrt": "0"}).program
    short, full = emit(program, unused=False), emit(program)
    assert 'formula "sqrt"' in short
    assert 'formula "atan2"' in full
    assert 'formula "atan2"' not in short


def odd(name: str, shape: tuple[int, ...] = ()) -> Value:
    return Value(name, shape)


def test_odd_names_texts_and_numbers_survive() -> None:
    attributes = (
        ("any", (None, True, (1, (-2, 3)), Fraction(2), 'a "quoted"\n\u2028 text')),
        ("rule", Reduction("max", (Fraction(1, 3), "nan"), "mul", "select", "share", "zero")),
        ("weights", ("-inf", "pi", Fraction(-1, 2), "sqrt(2)")),
    )
    names = ("not", "then", "a b", "x=y", "ties", "source", "é")
    steps = [Apply(odd(name), "neg", (odd("kink"),), attributes, Span(1, 2, 3, 4)) for name in names]
    base = compile_text("def f(kink):\n    return kink\n").program
    program = replace(
        base,
        name="f g",
        instructions=tuple(steps),
        results=tuple(step.out for step in steps),
        source=Source("tab\there \n\r\n  \n# x | y\n", 'C:\\"path"'),
    )
    assert parse(emit(program)) == program


def test_arrays_keep_every_bit() -> None:
    data = np.array([[0.1, -0.0, np.nan], [np.inf, -np.inf, 5e-324]])
    base = compile_text("def f(x):\n    return x\n").program
    program = replace(base, constants=(Constant("W", data), Constant("empty", np.zeros((0, 3)))))
    read = parse(emit(program))
    assert read == program
    assert read.constants[0].data.tobytes() == data.tobytes()


def test_a_lazy_select_with_a_gate_survives() -> None:
    guard, out = Value("p", (), "bool"), odd("s")
    base = compile_text("def f(x):\n    return x\n").program
    steps = (
        Apply(guard, "boolean", (), (("value", True),)),
        Select(out, guard, odd("x"), odd("x"), True, "mul"),
    )
    program = replace(base, instructions=steps, results=(out,))
    assert parse(emit(program)) == program


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", (1, 1)),
        ("program f(x -> x\n", (1, 13)),
        ("program f(x) -> x\n  y = neg z\n", (2, 11)),
        ("program f(x) -> y\n", (1, 1)),
        ("program f(x) -> x\n  y = neg x  @1:2\n", (2, 18)),
        ("program f(x) -> x\n  y = kink x > x then x else x relu(0 0 1)\n", (2, 42)),
        ("program f(x) -> x\n  y = neg ?\n", (2, 10)),
        ("program f(x) -> x\n  array W [2]\n    1.0\n", (2, 1)),
    ],
)
def test_a_text_that_is_no_program_is_complained_about_at_its_place(
    text: str, place: tuple[int, int]
) -> None:
    with pytest.raises(CFError) as caught:
        parse(text)
    span = caught.value.diagnostics[0].span
    assert (span.line, span.column) == place
