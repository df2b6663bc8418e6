"""Gradients through sort, the k-th largest entry and 2x2 max-pooling, float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from workloads.generated import PROGRAMS, module_of
from workloads.task import Prepare, Task, Unavailable, flat

TITLE = "Value and gradient of sort, k-th largest, max-pool"
UNIT = "ms per call"
CASES = ("sort", "kth", "maxpool")
REFERENCE = "PyTorch eager"
LENGTH, RANK = 100_000, 5_000
IMAGES, POOLED = (8, 16, 64, 64), (8, 16, 32, 32)


def data(case: str) -> list[np.ndarray]:
    """The variable, then the weights where there are any."""
    random = np.random.default_rng(11)
    if case == "maxpool":
        return [random.normal(size=IMAGES), random.normal(size=POOLED)]
    x, w = random.normal(size=(2, LENGTH))
    return [x] if case == "kth" else [x, w]


def _cfc(case: str) -> Task:
    module, inputs = module_of(PROGRAMS / f"{case}.cf"), data(case)
    if case == "maxpool":
        inputs = [array.reshape(-1, array.shape[-1]) for array in inputs]
    return _answering(lambda: module.value_and_grad(*inputs))


def _jax_text(case: str, slices: bool) -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    def windows(x: Any, w: Any) -> Any:
        pooled = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        return jnp.sum(w * pooled)

    def sliced(x: Any, w: Any) -> Any:
        top = jnp.maximum(x[..., ::2, ::2], x[..., ::2, 1::2])
        bottom = jnp.maximum(x[..., 1::2, ::2], x[..., 1::2, 1::2])
        return jnp.sum(w * jnp.maximum(top, bottom))

    texts: dict[str, Callable[..., Any]] = {
        "sort": lambda x, w: jnp.dot(w, jnp.sort(x)),
        "kth": (lambda x: jnp.sort(x)[-RANK]) if slices else (lambda x: jax.lax.top_k(x, RANK)[0][-1]),
        "maxpool": sliced if slices else windows,
    }
    if slices and case == "sort":
        raise Unavailable("there is one way to write it")
    return texts[case]


def _jax(case: str, slices: bool) -> Task:
    import jax

    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(jax.value_and_grad(_jax_text(case, slices)))
    inputs = [jax.numpy.asarray(array) for array in data(case)]
    return _answering(lambda: jax.block_until_ready(compiled(*inputs)))


def _pytorch(case: str) -> Task:
    import torch
    from torch.nn.functional import max_pool2d

    texts: dict[str, Callable[..., Any]] = {
        "sort": lambda x, w: torch.dot(w, torch.sort(x).values),
        "kth": lambda x: torch.topk(x, RANK).values[-1],
        "maxpool": lambda x, w: torch.sum(w * max_pool2d(x, 2)),
    }
    variable, *weights = (torch.tensor(array) for array in data(case))
    variable.requires_grad_()

    def run() -> tuple[Any, Any]:
        value = texts[case](variable, *weights)
        return value.detach(), torch.autograd.grad(value, variable)

    return _answering(run)


def _autograd(case: str) -> Task:
    import autograd
    import autograd.numpy as anp

    def pooled(x: Any, w: Any) -> Any:
        windows = anp.reshape(x, (8, 16, 32, 2, 32, 2))
        return anp.sum(w * anp.max(anp.max(windows, axis=5), axis=3))

    texts: dict[str, Callable[..., Any]] = {
        "sort": lambda x, w: anp.dot(w, anp.sort(x)),
        "kth": lambda x: anp.partition(x, LENGTH - RANK)[LENGTH - RANK],
        "maxpool": pooled,
    }
    function = autograd.value_and_grad(texts[case])
    inputs = data(case)
    return _answering(lambda: function(*inputs))


def _casadi(case: str) -> Task:
    if case != "maxpool":
        raise Unavailable("CasADi has no sorting of symbolic arrays")
    import casadi

    x = casadi.SX.sym("x", 2, 2)
    value = casadi.fmax(casadi.fmax(x[0, 0], x[0, 1]), casadi.fmax(x[1, 0], x[1, 1]))
    weight = casadi.SX.sym("w")
    window = casadi.Function("f", [x, weight], [weight * value, weight * casadi.gradient(value, x)])
    images, weights = data(case)
    tiles = images.reshape(-1, 2, 32, 2).transpose(1, 0, 2, 3).reshape(2, -1)
    mapped = window.map(weights.size)
    places = casadi.DM(tiles), casadi.DM(weights.reshape(1, -1))

    def answer() -> list[np.ndarray]:
        terms, gradient = (np.asarray(part) for part in mapped(*places))
        back = gradient.reshape(2, -1, 32, 2).transpose(1, 0, 2, 3).reshape(IMAGES)
        return [np.atleast_1d(terms.sum()), back]

    return Task(lambda: mapped(*places), answer)


def _answering(run: Any) -> Task:
    return Task(run, lambda: flat(run()))


CONTESTANTS: dict[str, Prepare] = {
    "cfc": _cfc,
    "JAX jit": partial(_jax, slices=False),
    "JAX jit, other form": partial(_jax, slices=True),
    "PyTorch eager": _pytorch,
    "autograd": _autograd,
    "CasADi VM": _casadi,
}
VALUES: dict[str, Prepare] = {}
