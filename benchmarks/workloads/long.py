"""Value and gradient of one straight-line program of 10^3, 10^4 and 10^5 scalar operations, at one point."""

from __future__ import annotations

import math
from collections import deque
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from workloads import formulas
from workloads.formulas import Operations
from workloads.generated import module_of
from workloads.task import Prepare, Task, flat

TITLE = "10^3 to 10^5 scalar operations: preparation, then value and gradient at one point"
UNIT = "us per call"
PREPARATION = True
CASES = ("1000", "10000", "100000")
REFERENCE = "autograd"
INPUTS = 10
# (operation, left, right): numbers of earlier values, the inputs first; sin and relu take the left one alone.
Step: TypeAlias = tuple[str, int, int]


def steps(case: str) -> list[Step]:
    """A random program without dead values, some hundred levels deep.

    A product has a sine as one factor, so that nothing overflows. The values not used yet wait in a queue, and the
    last steps add them all up.
    """
    random = np.random.default_rng(5)
    count = int(case)
    kinds = random.choice(["add", "mul", "sin", "relu"], size=count, p=[0.35, 0.25, 0.25, 0.15]).tolist()
    picks = random.random(count).tolist()
    waiting, sines, width = deque(range(INPUTS)), [0], max(INPUTS, count // 20)
    program: list[Step] = []
    for done, kind in enumerate(kinds):
        number = INPUTS + done
        if count - done < len(waiting):
            program.append(("add", waiting.popleft(), waiting.popleft()))
        else:
            left = waiting.popleft() if len(waiting) >= width else int(picks[done] * number)
            recent = number - 1 - int(picks[done] * min(number, 2 * width))
            program.append(
                (
                    kind,
                    left,
                    sines[-1 - int(picks[done] * min(len(sines), width))] if kind == "mul" else recent,
                )
            )
        if kind == "sin":
            sines.append(number)
        waiting.append(number)
    return program


def place() -> list[float]:
    return np.random.default_rng(6).normal(size=INPUTS).tolist()


def text(case: str) -> str:
    """The program as a .cf file, one operation a line."""
    patterns = {"add": "{} + {}", "mul": "{} * {}", "sin": "sin({})", "relu": "relu({})"}
    names = [f"x{i}" for i in range(INPUTS)]
    lines = [f"def long({', '.join(names)}):"]
    for kind, left, right in steps(case):
        names.append(f"v{len(names)}")
        lines.append(f"    {names[-1]} = {patterns[kind].format(names[left], names[right])}")
    lines.append(f"    return {names[-1]}")
    return "\n".join(lines) + "\n"


def follow(program: list[Step], operations: Operations, sin: Any, inputs: list[Any]) -> Any:
    """The program under the operations of a library."""
    values = list(inputs)
    for kind, left, right in program:
        if kind == "add":
            values.append(values[left] + values[right])
        elif kind == "mul":
            values.append(values[left] * values[right])
        elif kind == "sin":
            values.append(sin(values[left]))
        else:
            values.append(operations.relu(values[left]))
    return values[-1]


def _cfc(case: str, function: str = "value_and_grad") -> Task:
    call = getattr(module_of(text(case)), function)
    return _answering(partial(call, *place()))


def _jax(case: str) -> Task:
    import jax

    jax.config.update("jax_enable_x64", True)
    program, operations = steps(case), formulas.jax_idiomatic()

    def long(*inputs: Any) -> Any:
        return follow(program, operations, jax.numpy.sin, list(inputs))

    compiled = jax.jit(jax.value_and_grad(long, argnums=tuple(range(INPUTS))))
    inputs = [jax.numpy.asarray(x) for x in place()]
    return _answering(lambda: jax.block_until_ready(compiled(*inputs)))


def _pytorch(case: str) -> Task:
    import torch

    program, operations = steps(case), formulas.pytorch()
    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in place()]

    def run() -> tuple[Any, Any]:
        value = follow(program, operations, torch.sin, inputs)
        return value.detach(), torch.autograd.grad(value, inputs)

    return _answering(run)


def _autograd(case: str) -> Task:
    import autograd
    import autograd.numpy as anp

    program, operations = steps(case), formulas.autograd()
    function = autograd.value_and_grad(lambda inputs: follow(program, operations, anp.sin, list(inputs)))
    return _answering(partial(function, tuple(place())))


def _casadi(case: str) -> Task:
    import casadi

    symbols = casadi.SX.sym("x", INPUTS)
    value = follow(steps(case), formulas.casadi(), casadi.sin, casadi.vertsplit(symbols))
    function = casadi.Function("f", [symbols], [value, casadi.gradient(value, symbols)])

    def answer() -> list[np.ndarray]:
        found, gradient = function(place())
        return [np.asarray(found).ravel(), *np.asarray(gradient)]

    return Task(partial(function, place()), answer)


def _python(case: str) -> Task:
    """The bare value by the same loop over plain floats, for scale: no derivative."""
    program = steps(case)
    operations = Operations(*[math.sin] * 3, lambda x: max(0.0, x), abs, max, min)
    return Task(lambda: follow(program, operations, math.sin, place()), list)


def _answering(run: Any) -> Task:
    return Task(run, lambda: flat(run()))


CONTESTANTS: dict[str, Prepare] = {
    "cfc": _cfc,
    "JAX jit": _jax,
    "PyTorch eager": _pytorch,
    "autograd": _autograd,
    "CasADi VM": _casadi,
    "the value alone, a Python loop": _python,
}
VALUES: dict[str, Prepare] = {"cfc": partial(_cfc, function="value")}
