"""Values that stand in the expression that uses them: what moves, what must not, and how long a line gets."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import FLOATS
from cfcompiler.builder import Builder
from cfcompiler.compiler import compile_text
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.source import Source
from cfcompiler.targets.numpy_module import emit
from cfcompiler.targets.numpy_module.inlining import DEEPEST, WIDTH, brackets
from cfcompiler.targets.numpy_module.scalar import function_text
from cfcompiler.transforms.reverse import gradient


def body(text: str, function: str = "value", **options: Any) -> list[str]:
    """The statements of a function for one point, without comments."""
    module = emit(compile_text(text).program, **options)
    found = re.search(rf"^def _{function}_point\(.*?\n(.*?)^\n", module, re.MULTILINE | re.DOTALL)
    assert found is not None
    return [
        line.strip() for line in found[1].split("\n") if line.strip() and not line.strip().startswith("#")
    ]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a + (b + c)", "a + (b + c)"),
        ("(a + b) + c", "a + b + c"),
        ("a - (b - c)", "a - (b - c)"),
        ("a * (b * c)", "a * (b * c)"),
        ("a * b * c", "a * b * c"),
        ("a / 2 / c", "a / 2.0 / c"),
        ("a * (b / 4)", "a * (b / 4.0)"),
        ("(a + b) * c", "(a + b) * c"),
        ("-(a * b)", "-(a * b)"),
        ("-a * b", "-a * b"),
        ("-(a + b) * c", "-(a + b) * c"),
        ("a + -b", "a - b"),
        ("a - -b", "a + b"),
        ("a - -(b * c)", "a + b * c"),
        ("a + -b * c", "a - b * c"),
        ("-(-a * b)", "a * b"),
        ("1 * a + b", "a + b"),
        ("a * -1 + b", "-a + b"),
        ("sin(a * (b + exp(c)))", "sin(a * (b + exp(c)))"),
        ("relu(a) + 1", "(0.0 if a < 0.0 else a) + 1.0"),
        ("abs(a)", "-a if a < 0.0 else a"),
    ],
)
def test_an_expression_keeps_its_order_and_no_more_brackets(written: str, shown: str) -> None:
    assert body(f"def f(a, b, c):\n    return {written}\n") == [f"return {shown}"]


def test_numbers_are_put_together_where_that_is_shorter() -> None:
    halved = body("def f(x):\n    return x ** 2 / 2\n", "gradient")
    assert [line.split(" = ")[-1] for line in halved[:-1]] == ["x * x / 2.0", "0.5 * (2.0 * x)"]
    assert "1.0 / 3.0 * cos(x)" in " ".join(body("def f(x):\n    return sin(x) / 3\n", "gradient"))


def test_what_the_user_named_is_a_statement() -> None:
    lines = body("def f(x):\n    h = x * x\n    y = h + 1\n    return sin(y)\n")
    assert lines == ["h = x * x", "y = h + 1.0", "return sin(y)"]


def test_what_may_raise_does_not_come_behind_an_if() -> None:
    lines = body("def f(x, y):\n    return where(x > 0, sqrt(x), y / x) + where(y > 0, -x, x * y)\n")
    assert [line.split(" = ")[1] for line in lines[:-1] if "if" not in line] == ["sqrt(x)", "y / x"]
    assert "-x if y > 0.0 else x * y" in lines[-1]


def test_a_condition_of_what_may_raise_is_computed_where_it_was() -> None:
    text = "def f(x, y):\n    return where(x > 0, 1, where(exp(x) > y, 2, 3))\n"
    assert "exp(x)" in body(text)[0]  # not behind the `else` of the first condition
    module = ModuleType("f")
    exec(emit(compile_text(text).program), module.__dict__)
    assert (module.value(800.0, 1.0), module.value(-1.0, 0.1), module.value(-1.0, 1.0)) == (1.0, 2.0, 3.0)


def test_what_only_one_branch_uses_stays_outside_of_it() -> None:
    lines = body("def f(x, y):\n    t = exp(x)\n    if y > 0:\n        return sin(t)\n    return y\n")
    assert lines[0] == "t = exp(x)"


def test_an_elif_remains_one_where_its_condition_is_computed() -> None:
    arms = ["if x > 1:", "    return y", "elif x < -exp(y):", "    return sin(y)", "return x * y"]
    text = "\n    ".join(["def f(x, y):", *arms]) + "\n"
    lines = body(text)
    assert [line for line in lines if line.startswith(("if", "el"))] == [
        "if x > 1.0:",
        "elif x < -exp(y):",
        "else:",
    ]


def test_the_entries_of_a_list_are_named_together() -> None:
    lines = body("def f(x: Real[3], w: Real[2]):\n    return sum(x * x) + w[1] + max(x)\n")
    assert lines[:2] == ["x_0, x_1, x_2 = x", "w_1 = w[1]"]
    assert "_largest(x)" in lines[-1]


def test_a_long_sum_of_cotangents_is_cut_under_one_name() -> None:
    terms = " + ".join(f"sin({k}.5 * x)" for k in range(12))
    lines = body(f"def f(x):\n    return {terms}\n", "gradient")
    sums = [line for line in lines if line.startswith("c_x = ")]
    assert len(sums) > 1
    assert all(line.startswith("c_x = c_x + ") for line in sums[1:])
    assert lines[-1].endswith(", c_x")


# long programs


def chain(count: int) -> Program:
    """sin(sin(... * 0.5) * 0.5): every value is used once."""
    builder = Builder("chain", Source("", "chain.cf"))
    value = x = builder.param("x")
    for place in range(count):
        value = builder.apply("sin", value) if place % 2 else builder.apply("mul", value, builder.constant(2))
        value = builder.apply("add", x, value) if place % 3 == 0 else value
    return builder.finish([value])


def total(count: int) -> Program:
    """A sum of products, each used once; it leans to the right at every tenth term."""
    builder = Builder("total", Source("", "total.cf"))
    x, y = builder.param("x"), builder.param("y")
    value = builder.apply("mul", x, y)
    for place in range(count):
        term = builder.apply("mul", x, builder.apply("sub", y, builder.constant(place)))
        value = builder.apply("add", *((term, value) if place % 10 == 0 else (value, term)))
    return builder.finish([value])


@pytest.mark.parametrize("program", [chain(3000), total(3000)], ids=["chain", "sum"])
def test_thousands_of_values_that_are_used_once(program: Program) -> None:
    lines = function_text(program, "f", lambda texts: texts[0])
    assert max(map(len, lines)) <= WIDTH
    assert max(map(brackets, lines)) <= DEEPEST
    assert len(lines) < len(program.instructions) / 2
    space: dict[str, Any] = {}
    exec("from math import sin\n" + "\n".join(lines), space)
    inputs = [0.3, 1.7][: len(program.params)]
    names = [param.value.name for param in program.params]
    wanted = run(program, dict(zip(names, map(np.float64, inputs), strict=True)), FLOATS)
    assert space["f"](*inputs) == float(wanted[program.results[0].name])


def test_a_long_loop_compiles_and_loads() -> None:
    text = "def f(x, y):\n    t = x\n    for i in range(500):\n        t = sin(t) + i * y\n    return t\n"
    program = compile_text(text).program
    module = emit(program)
    start, end = module.index("# one point"), module.index("# what a user calls")
    assert max(map(len, module[start:end].split("\n"))) <= WIDTH
    space = ModuleType("f")
    exec(module, space.__dict__)
    found = run(gradient(program), {"x": np.float64(0.25), "y": np.float64(0.5)}, FLOATS)
    wanted = [float(found[value.name]) for value in gradient(program).results]
    value, slopes = space.value_and_grad(0.25, 0.5)
    assert [value, *slopes] == wanted
