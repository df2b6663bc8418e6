"""The three small programs, written once over the operations of a library; the same text as programs/*.cf."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Operations:
    """How one library, in one style, spells the functions that the programs call."""

    exp: Callable[..., Any]
    tanh: Callable[..., Any]
    sqrt: Callable[..., Any]
    relu: Callable[..., Any]
    abs: Callable[..., Any]
    max: Callable[..., Any]
    min: Callable[..., Any]


def piecewise_linear(o: Operations, x: Any, y: Any, z: Any) -> Any:
    a = o.relu(2 * x - y + 0.5)
    b = o.max(x + z, y - 0.3 * z)
    c = o.abs(a - b)
    d = o.min(0.5 * a + b, c - x)
    e = o.relu(d - 0.25 * y)
    h = o.abs(x + y - z)
    m = o.max(e, 0.7 * h)
    return m + 0.3 * c - o.abs(d - 0.8 * z) + o.relu(c - 1.5)


def mixture(o: Operations, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    u = o.tanh(a * b + c)
    v = o.exp(-o.abs(d - e))
    w = o.relu(a - 0.5 * d) / (1 + b * b)
    p = o.max(u * v, w - e)
    q = o.abs(p - c * d)
    r = o.tanh(0.5 * q + a)
    s = o.relu(r - v) + o.max(b, c * u)
    t = o.exp(-0.1 * s * s)
    return t * q + (r + w) / (2 + o.abs(e)) - 0.2 * p * d


def radial(o: Operations, x: Any, y: Any) -> Any:
    r = o.sqrt(x * x + y * y + 1)
    s = o.exp(-0.5 * r)
    t = o.abs(x - 0.3 * y)
    u = o.max(r * s, t)
    return u + s * t - 0.1 * r


FORMULAS: dict[str, tuple[Callable[..., Any], int]] = {
    "piecewise_linear": (piecewise_linear, 3),
    "mixture": (mixture, 5),
    "radial": (radial, 2),
}


def points(case: str, count: int) -> list[np.ndarray]:
    """`count` generic points, one array an input: no tie has a chance there."""
    inputs = FORMULAS[case][1]
    return list(np.random.default_rng(20).normal(size=(inputs, count)))


def jax_idiomatic() -> Operations:
    import jax
    import jax.numpy as jnp

    return Operations(jnp.exp, jnp.tanh, jnp.sqrt, jax.nn.relu, jnp.abs, jnp.maximum, jnp.minimum)


def jax_tuned() -> Operations:
    import jax.numpy as jnp

    return Operations(
        jnp.exp,
        jnp.tanh,
        jnp.sqrt,
        lambda x: jnp.where(x > 0, x, 0.0),
        lambda x: jnp.where(x > 0, x, -x),
        lambda x, y: jnp.where(x > y, x, y),
        lambda x, y: jnp.where(x < y, x, y),
    )


def pytorch() -> Operations:
    import torch

    return Operations(torch.exp, torch.tanh, torch.sqrt, torch.relu, torch.abs, torch.maximum, torch.minimum)


def autograd() -> Operations:
    import autograd.numpy as anp

    return Operations(
        anp.exp, anp.tanh, anp.sqrt, lambda x: anp.maximum(x, 0.0), anp.abs, anp.maximum, anp.minimum
    )


def casadi() -> Operations:
    import casadi

    return Operations(
        casadi.exp,
        casadi.tanh,
        casadi.sqrt,
        lambda x: casadi.fmax(x, 0),
        casadi.fabs,
        casadi.fmax,
        casadi.fmin,
    )
