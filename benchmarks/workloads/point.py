"""Value and gradient at one point, called again and again from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from workloads import formulas
from workloads.formulas import FORMULAS, points
from workloads.generated import PROGRAMS, module_of
from workloads.task import Prepare, Task, flat

TITLE = "Value and gradient at one point, called 10^5 times"
UNIT = "us per call"
COUNT = 500
CASES = tuple(FORMULAS)
REFERENCE = "autograd"


def _each(function: Callable[..., Any], places: Sequence[Sequence[Any]]) -> Task:
    """One run calls the function at each of the places, as a user's loop does."""

    def run() -> None:
        for place in places:
            function(*place)

    return Task(run, lambda: flat([function(*place) for place in places[:20]]), len(places))


def _floats(case: str) -> list[tuple[float, ...]]:
    return list(zip(*(array.tolist() for array in points(case, COUNT)), strict=True))


def _cfc(case: str) -> Task:
    return _each(module_of(PROGRAMS / f"{case}.cf").value_and_grad, _floats(case))


def _cfc_value(case: str) -> Task:
    return _each(module_of(PROGRAMS / f"{case}.cf").value, _floats(case))


def _jax(case: str, device: bool) -> Task:
    import jax

    jax.config.update("jax_enable_x64", True)
    formula, inputs = FORMULAS[case]
    text = partial(formula, formulas.jax_idiomatic())
    compiled = jax.jit(jax.value_and_grad(text, argnums=tuple(range(inputs))))
    places: list[tuple[Any, ...]] = list(_floats(case))
    if device:
        places = [tuple(jax.numpy.asarray(x) for x in place) for place in places]
    return _each(lambda *place: jax.block_until_ready(compiled(*place)), places)


def _pytorch(case: str) -> Task:
    import torch

    operations = formulas.pytorch()

    def value_and_grad(*place: Any) -> tuple[Any, Any]:
        value = FORMULAS[case][0](operations, *place)
        return value.detach(), torch.autograd.grad(value, place)

    places = [
        tuple(torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in place)
        for place in _floats(case)
    ]
    return _each(value_and_grad, places)


def _autograd(case: str) -> Task:
    import autograd

    text = partial(FORMULAS[case][0], formulas.autograd())
    function = autograd.value_and_grad(lambda place: text(*place))
    return _each(lambda *place: function(place), _floats(case)[: COUNT // 5])


def _casadi_function(case: str) -> Any:
    import casadi

    formula, inputs = FORMULAS[case]
    symbols = casadi.SX.sym("x", inputs)
    value = formula(formulas.casadi(), *casadi.vertsplit(symbols))
    return casadi.Function("f", [symbols], [value, casadi.gradient(value, symbols)])


def _casadi(case: str) -> Task:
    function = _casadi_function(case)

    def value_and_grad(place: Any) -> tuple[Any, Any]:
        value, gradient = function(place)
        return value, gradient

    places = [(list(place),) for place in _floats(case)]
    task = _each(value_and_grad, places)

    def answer() -> list[np.ndarray]:
        found = []
        for (place,) in places[:20]:
            value, gradient = function(place)
            found += [np.asarray(value).ravel(), *np.asarray(gradient)]
        return found

    return Task(task.run, answer, task.units)


def _casadi_bound(case: str) -> Task:
    """Through buffers bound once; the answer stays in them, nothing is returned."""
    function = _casadi_function(case)
    inputs = FORMULAS[case][1]
    place, value, gradient = np.zeros(inputs), np.zeros(1), np.zeros(inputs)
    buffer, evaluate = function.buffer()
    buffer.set_arg(0, memoryview(place))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(gradient))
    places = [np.array(floats) for floats in _floats(case)]

    def run() -> None:
        for floats in places:
            place[:] = floats
            evaluate()

    def answer() -> list[np.ndarray]:
        found = []
        for floats in places[:20]:
            place[:] = floats
            evaluate()
            found += [value.copy(), *(np.array([entry]) for entry in gradient)]
        return found

    run.buffer = buffer  # type: ignore[attr-defined]  # evaluate() reads it, and does not keep it alive
    return Task(run, answer, COUNT)


CONTESTANTS: dict[str, Prepare] = {
    "cfc": _cfc,
    "JAX jit, device scalars": partial(_jax, device=True),
    "JAX jit, floats": partial(_jax, device=False),
    "PyTorch eager": _pytorch,
    "autograd": _autograd,
    "CasADi VM": _casadi,
    "CasADi VM, bound buffers": _casadi_bound,
}
VALUES: dict[str, Prepare] = {"cfc": _cfc_value}
