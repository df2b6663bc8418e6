"""Loss and gradient of the 784-256-128-10 ReLU network at batch 128, beside its matrix products alone."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from workloads.generated import PROGRAMS, module_of
from workloads.task import Arrays, Prepare, Task, Unavailable, flat

TITLE = "Loss and gradient of the 784-256-128-10 network, batch 128"
UNIT = "ms per call"
CASES = ("float64", "float32")
REFERENCE = "autograd"
BATCH = 128
SIZES = (784, 256, 128, 10)


def data(case: str) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Weights and biases in turn, images, labels as numbers."""
    random = np.random.default_rng(3)
    weights: list[np.ndarray] = []
    for inner, outer in pairwise(SIZES):
        weights.append((random.normal(size=(outer, inner)) * np.sqrt(2 / inner)).astype(case))
        weights.append((random.normal(size=outer) * 0.01).astype(case))
    images = random.random((BATCH, SIZES[0])).astype(case)
    return weights, images, random.integers(0, SIZES[-1], BATCH)


def one_hot(labels: np.ndarray, case: str) -> np.ndarray:
    return np.eye(SIZES[-1], dtype=case)[labels]


def _products(case: str) -> Task:
    """The matrix products that no program of this network can do without, by the BLAS that NumPy uses."""
    weights, images, _ = data(case)
    w1, w2, w3 = weights[::2]
    h1, h2, out = (np.empty((BATCH, size), case) for size in SIZES[1:])
    d1, d2 = np.empty_like(h1), np.empty_like(h2)
    g1, g2, g3 = (np.empty_like(w) for w in (w1, w2, w3))

    def run() -> None:
        np.dot(images, w1.T, out=h1)
        np.dot(h1, w2.T, out=h2)
        np.dot(h2, w3.T, out=out)
        np.dot(out.T, h2, out=g3)
        np.dot(out, w3, out=d2)
        np.dot(d2.T, h1, out=g2)
        np.dot(d2, w2, out=d1)
        np.dot(d1.T, images, out=g1)

    return Task(run, list)


def _cfc(case: str, function: str = "value_and_grad") -> Task:
    if case != "float64":
        raise Unavailable("generated modules compute in float64")
    weights, images, labels = data(case)
    call = getattr(module_of(PROGRAMS / "network.cf"), function)
    targets = one_hot(labels, case)
    return _answering(lambda: call(*weights, images, targets))


def _jax(case: str) -> Task:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    weights, images, labels = data(case)

    def loss(weights: list[Any], images: Any, targets: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = weights
        h1 = jax.nn.relu(images @ w1.T + b1)
        h2 = jax.nn.relu(h1 @ w2.T + b2)
        return -jnp.sum(jax.nn.log_softmax(h2 @ w3.T + b3) * targets) / BATCH

    compiled = jax.jit(jax.value_and_grad(loss))
    inputs = [jnp.asarray(w) for w in weights], jnp.asarray(images), jnp.asarray(one_hot(labels, case))
    return _answering(lambda: jax.block_until_ready(compiled(*inputs)))


def _pytorch(case: str) -> Task:
    import torch
    from torch.nn.functional import cross_entropy, linear, relu

    weights, images, labels = data(case)
    parameters = [torch.tensor(w, requires_grad=True) for w in weights]
    inputs, targets = torch.tensor(images), torch.tensor(labels)

    def run() -> tuple[Any, Any]:
        w1, b1, w2, b2, w3, b3 = parameters
        h1 = relu(linear(inputs, w1, b1))
        loss = cross_entropy(linear(relu(linear(h1, w2, b2)), w3, b3), targets)
        return loss.detach(), torch.autograd.grad(loss, parameters)

    return _answering(run)


def _autograd(case: str) -> Task:
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    weights, images, labels = data(case)
    targets = one_hot(labels, case)

    def loss(weights: tuple[Any, ...]) -> Any:
        w1, b1, w2, b2, w3, b3 = weights
        h1 = anp.maximum(anp.dot(images, w1.T) + b1, 0)
        h2 = anp.maximum(anp.dot(h1, w2.T) + b2, 0)
        logits = anp.dot(h2, w3.T) + b3
        return (anp.sum(logsumexp(logits, axis=1)) - anp.sum(logits * targets)) / BATCH

    function = autograd.value_and_grad(loss)
    return _answering(lambda: function(tuple(weights)))


def _casadi(case: str) -> Task:
    import casadi

    if case != "float64":
        raise Unavailable("CasADi computes in float64")
    weights, images, labels = data(case)
    symbols = [casadi.MX.sym("w", *(w.shape if w.ndim == 2 else (1, w.size))) for w in weights]
    w1, b1, w2, b2, w3, b3 = symbols
    inputs, targets = casadi.MX.sym("images", *images.shape), casadi.MX.sym("labels", BATCH, SIZES[-1])
    h1 = casadi.fmax(inputs @ w1.T + casadi.repmat(b1, BATCH, 1), 0)
    h2 = casadi.fmax(h1 @ w2.T + casadi.repmat(b2, BATCH, 1), 0)
    logits = h2 @ w3.T + casadi.repmat(b3, BATCH, 1)
    rows = casadi.vertcat(*(casadi.logsumexp(row.T) for row in casadi.vertsplit(logits)))
    loss = (casadi.sum1(rows) - casadi.sum1(casadi.sum2(logits * targets))) / BATCH
    gradient = [casadi.gradient(loss, symbol) for symbol in symbols]
    function = casadi.Function("f", [*symbols, inputs, targets], [loss, *gradient])
    places = [casadi.DM(w if w.ndim == 2 else w[None]) for w in weights]
    places += [casadi.DM(images), casadi.DM(one_hot(labels, case))]

    def answer() -> Arrays:
        loss, *gradient = (np.asarray(part) for part in function(*places))
        return [loss.ravel(), *(part.reshape(w.shape) for part, w in zip(gradient, weights, strict=True))]

    return Task(lambda: function(*places), answer)


def _answering(run: Any) -> Task:
    return Task(run, lambda: flat(run()))


CONTESTANTS: dict[str, Prepare] = {
    "cfc": _cfc,
    "the 8 matrix products alone": _products,
    "JAX jit": _jax,
    "PyTorch eager": _pytorch,
    "autograd": _autograd,
    "CasADi VM": _casadi,
}
VALUES: dict[str, Prepare] = {"cfc": partial(_cfc, function="value")}
