"""The backward transform: contributions by branch, structural zeros, verified invariants."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import FLOATS
from cfcompiler.builder import Builder
from cfcompiler.compiler import compile_text
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.source import Source
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient
from cfcompiler.verify import InvariantError, verify


def _gradient(text: str, *numbers: float, preset: str = "torch", **overrides: str) -> list[float]:
    program = verify(gradient(compile_text(text, preset=preset, overrides=overrides).program))
    return _floats(program, *numbers)[1:]


def _forward(text: str, *numbers: float, preset: str = "torch", **overrides: str) -> list[float]:
    program = verify(jvp(compile_text(text, preset=preset, overrides=overrides).program))
    return [
        _floats(program, *numbers, *(1.0 if i == place else 0.0 for i in range(len(numbers))))[1]
        for place in range(len(numbers))
    ]


def _floats(program: Program, *numbers: float) -> list[float]:
    inputs: dict[str, Any] = {
        p.value.name: np.asarray(x) for p, x in zip(program.params, numbers, strict=True)
    }
    values = run(program, inputs, FLOATS)
    return [float(values[value.name]) for value in program.results]


def test_an_arm_that_is_not_taken_gives_no_nan() -> None:
    text = "def f(x):\n    return sqrt(x) if x > 0 else 0\n"
    assert _gradient(text, -1.0) == [0.0]
    assert _gradient(text, 0.0) == [0.0]
    assert _gradient(text, 4.0) == [0.25]


def test_a_value_used_in_one_arm_only_is_differentiated_there_only() -> None:
    text = "def f(x):\n    s = sqrt(x)\n    return s if x > 0 else 2*x\n"
    assert _gradient(text, 0.0) == [2.0]
    assert _gradient(text, -1.0) == [2.0]
    assert _gradient(text, 4.0) == [0.25]


def test_a_value_used_under_two_unrelated_guards_is_differentiated_under_either() -> None:
    text = (
        "def f(x, a, b):\n"
        "    s = sqrt(x)\n"
        "    u = s if a > 0 else 0\n"
        "    v = 3*s if b > 0 else 0\n"
        "    return u + v\n"
    )
    assert _gradient(text, 0.0, -1.0, -1.0) == [0.0, 0.0, 0.0]
    assert _gradient(text, 4.0, 1.0, -1.0)[0] == 0.25
    assert _gradient(text, 4.0, -1.0, 1.0)[0] == 0.75
    assert _gradient(text, 4.0, 1.0, 1.0)[0] == 1.0


def test_a_value_used_in_some_arms_of_a_chain_is_differentiated_there_only() -> None:
    text = (
        "def f(x):\n"
        "    s = sqrt(x)\n"
        "    if x > 1:\n"
        "        r = s\n"
        "    elif x > 0:\n"
        "        r = 2*s\n"
        "    else:\n"
        "        r = x\n"
        "    return r\n"
    )
    assert [_gradient(text, x) for x in (4.0, 0.25, 0.0, -1.0)] == [[0.25], [2.0], [1.0], [1.0]]


def test_nested_branches_add_up() -> None:
    text = (
        "def f(x, y):\n"
        "    t = x*y\n"
        "    if x > 0:\n"
        "        if y > 0:\n"
        "            r = t*t + x\n"
        "        else:\n"
        "            r = t - y\n"
        "    else:\n"
        "        r = 5*t\n"
        "    return r + t\n"
    )
    for x, y, expected in [
        (2.0, 3.0, (2 * 6 * 3 + 1 + 3, 2 * 6 * 2 + 2)),
        (2.0, -3.0, (-3 - 3, 2 - 1 + 2)),
        (-2.0, 3.0, (18, -12)),
    ]:
        assert _gradient(text, x, y) == list(expected)
        assert _forward(text, x, y) == list(expected)


def test_where_is_eager_and_leaks_in_reverse_as_the_frameworks_do() -> None:
    text = "def f(x):\n    return where(x > 0, sqrt(x), 0)\n"
    assert math.isnan(_gradient(text, 0.0)[0])
    assert _forward(text, 0.0) == [0.0]
    assert _gradient(text, 0.0, preset="casadi") == [0.0]


def test_one_gate_in_both_modes_gives_one_number() -> None:
    text = "def f(x):\n    return where(x > 0, sqrt(x), 0)\n"
    assert math.isnan(_forward(text, 0.0, where="mul")[0])
    assert math.isnan(_gradient(text, 0.0, where="mul")[0])
    text = "def f(x):\n    return sqrt(relu(x))\n"
    assert math.isnan(_forward(text, 0.0, relu="0")[0])
    assert math.isnan(_gradient(text, 0.0, relu="0")[0])


def test_two_written_operations_keep_their_own_ties() -> None:
    assert _gradient("def f(x):\n    return relu(x) - relu(x)\n", 0.0, relu="1/3") == [0.0]
    assert _gradient("def f(x):\n    r = relu(x)\n    return r - r\n", 0.0, relu="1/3") == [0.0]
    assert _gradient("def f(x):\n    return max(x, 0) - relu(x)\n", 0.0, relu="1", max="0") == [-1.0]


def test_a_value_leaves_its_branch_only_through_a_select() -> None:
    builder = Builder("f", Source("", "<test>"))
    x = builder.param("x")
    guard = builder.apply("greater", x, builder.constant(0))
    with builder.under(guard, True):
        root = builder.apply("sqrt", x)
    with pytest.raises(InvariantError, match="leaves its branch"):
        verify(builder.finish([builder.apply("add", root, x)]))


def test_a_result_of_an_inner_branch_is_refused() -> None:
    builder = Builder("f", Source("", "<test>"))
    x = builder.param("x")
    guard = builder.apply("greater", x, builder.constant(0))
    with builder.under(guard, True):
        root = builder.apply("sqrt", x)
    with pytest.raises(InvariantError, match="outermost branch"):
        verify(builder.finish([root]))
