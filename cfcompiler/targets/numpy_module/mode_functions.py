"""Functions that a generated module carries where its rules have one mode: forward is what backward is, inf and NaN included.

Each is written as it stands in the module, like point_functions.py.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def _as_backward(along: Any, vjp: Callable[..., Any], arguments: Sequence[Any], shapes: Sequence[Any]) -> Any:
    """The derivative `along` the tangents; where inf or NaN is met, the sum of backward's times the tangents.

    Both sweeps multiply and add the same partial derivatives. Where one of them is inf or NaN the order decides what
    comes of it, so that one answer is taken: that of backward. `arguments`: primals, tangents; `shapes`: those of
    the inputs, of the tangents, of the results.
    """
    primals, tangents = arguments
    own, moving, results = shapes
    found = list(along) if isinstance(along, tuple) else [along]
    pulled = _pulled(vjp(*primals)[1], [np.ones(shape) if shape else 1.0 for shape in results])
    if all(math.isfinite(x) if type(x) is float else np.isfinite(x).all() for x in (*found, *pulled)):
        return along
    fine = _finite([*found, *pulled], [*results, *moving])
    lead = np.shape(fine)
    tangents = [np.broadcast_to(v, (*lead, *shape))[~fine] for v, shape in zip(tangents, moving, strict=True)]
    pullback = vjp(
        *(np.broadcast_to(x, (*lead, *shape))[~fine] for x, shape in zip(primals, own, strict=True))
    )[1]
    for place, shape in enumerate(results):
        there = np.empty((*tangents[0].shape[:1], *shape))
        for entry in np.ndindex(shape):
            seeds = [np.zeros(other) for other in results]
            seeds[place][entry] = 1.0
            there[(slice(None), *entry)] = _product(tangents, _pulled(pullback, seeds))
        if not np.ndim(found[place]):
            found[place] = float(there[0])
            continue
        found[place] = np.array(found[place])
        found[place][~fine] = there
    return tuple(found) if isinstance(along, tuple) else found[0]


def _pulled(pullback: Callable[..., Any], seeds: list[Any]) -> list[Any]:
    """The cotangents of the inputs."""
    found = pullback(seeds[0] if len(seeds) == 1 else seeds)
    return list(found) if isinstance(found, tuple) else [found]


def _finite(arrays: Sequence[Any], shapes: Sequence[Any]) -> Any:
    """For each point whether all entries are finite."""
    fine = np.True_
    for array, shape in zip(arrays, shapes, strict=True):
        axes = tuple(range(np.ndim(array) - len(shape), np.ndim(array)))
        fine = fine & np.isfinite(array).all(axis=axes)
    return fine


def _product(tangents: Sequence[Any], cotangents: Sequence[Any]) -> Any:
    """The sum of tangents times cotangents at each point; a tangent of 0 asks for nothing."""
    total = 0.0
    with np.errstate(all="ignore"):
        for v, c in zip(tangents, cotangents, strict=True):
            terms = np.where(v == 0.0, 0.0, v * c)
            total = total + terms.sum(axis=tuple(range(1, terms.ndim)))
    return total


TABLE: dict[str, Any] = {
    name: function
    for name, function in globals().items()
    if name.startswith("_") and not name.startswith("__") and inspect.isfunction(function)
}
