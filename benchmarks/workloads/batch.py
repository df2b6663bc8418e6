"""Value and gradient of three small programs at a million points."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from workloads import formulas
from workloads.formulas import FORMULAS, Operations, points
from workloads.generated import PROGRAMS, module_of
from workloads.task import Prepare, Task, flat

TITLE = "Value and gradient at 10^6 points"
UNIT = "ns per point"
COUNT = 1_000_000
CASES = tuple(FORMULAS)
REFERENCE = "autograd"


def _cfc(case: str, reuse: bool) -> Task:
    module, inputs = module_of(PROGRAMS / f"{case}.cf"), points(case, COUNT)
    if not reuse:
        return _arrays(lambda: module.value_and_grad(*inputs))
    results = np.empty((len(inputs) + 1, COUNT))
    out = (results[0], tuple(results[1:]))
    return _arrays(lambda: module.value_and_grad(*inputs, out=out))


def _cfc_value(case: str) -> Task:
    module, inputs = module_of(PROGRAMS / f"{case}.cf"), points(case, COUNT)
    return Task(lambda: module.value(*inputs), list, COUNT)


def _jax(case: str, operations: Any, gradient: bool = True) -> Task:
    import jax

    jax.config.update("jax_enable_x64", True)
    formula, inputs = FORMULAS[case]
    text = partial(formula, operations())
    function = jax.value_and_grad(text, argnums=tuple(range(inputs))) if gradient else text
    compiled = jax.jit(jax.vmap(function))
    arrays = [jax.numpy.asarray(array) for array in points(case, COUNT)]
    if not gradient:
        return Task(lambda: jax.block_until_ready(compiled(*arrays)), list, COUNT)
    return _arrays(lambda: jax.block_until_ready(compiled(*arrays)))


def _pytorch(case: str) -> Task:
    import torch

    operations = formulas.pytorch()
    tensors = [torch.tensor(array, requires_grad=True) for array in points(case, COUNT)]

    def run() -> tuple[Any, Any]:
        value = FORMULAS[case][0](operations, *tensors)
        return value.detach(), torch.autograd.grad(value.sum(), tensors)

    return _arrays(run)


def _pytorch_compiled(case: str) -> Task:
    import torch

    formula, inputs = FORMULAS[case]
    text = partial(formula, formulas.pytorch())
    argnums = tuple(range(inputs))
    compiled = torch.compile(torch.func.vmap(torch.func.grad_and_value(text, argnums=argnums)))
    tensors = [torch.tensor(array) for array in points(case, COUNT)]

    def run() -> tuple[Any, Any]:
        gradient, value = compiled(*tensors)
        return value, gradient

    return _arrays(run)


def _autograd(case: str) -> Task:
    import autograd

    operations: Operations = formulas.autograd()
    arrays = tuple(points(case, COUNT))
    kept: list[np.ndarray] = []

    def total(inputs: tuple[Any, ...]) -> Any:
        value = FORMULAS[case][0](operations, *inputs)
        kept[:] = [value._value]
        return autograd.numpy.sum(value)

    gradient = autograd.grad(total)
    return _arrays(lambda: (gradient(arrays), kept[0])[::-1])


def _casadi(case: str) -> Task:
    import casadi

    formula, inputs = FORMULAS[case]
    symbols = casadi.SX.sym("x", inputs)
    value = formula(formulas.casadi(), *casadi.vertsplit(symbols))
    function = casadi.Function("f", [symbols], [value, casadi.gradient(value, symbols)])
    mapped = function.map(COUNT)
    data = casadi.DM(np.asarray(points(case, COUNT)))

    def answer() -> list[np.ndarray]:
        found, gradient = (np.asarray(part) for part in mapped(data))
        return [found.ravel(), *gradient]

    return Task(lambda: mapped(data), answer, COUNT)


def _arrays(run: Any) -> Task:
    return Task(run, lambda: flat(run()), COUNT)


CONTESTANTS: dict[str, Prepare] = {
    "cfc": partial(_cfc, reuse=False),
    "cfc, out=": partial(_cfc, reuse=True),
    "JAX jit": partial(_jax, operations=formulas.jax_idiomatic),
    "JAX jit, where": partial(_jax, operations=formulas.jax_tuned),
    "PyTorch eager": _pytorch,
    "torch.compile": _pytorch_compiled,
    "autograd": _autograd,
    "CasADi VM": _casadi,
}
VALUES: dict[str, Prepare] = {
    "cfc": _cfc_value,
    "JAX jit": partial(_jax, operations=formulas.jax_idiomatic, gradient=False),
}
