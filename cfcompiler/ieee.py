"""Functions of float64 that NumPy lacks or that need care, for arrays and for plain floats.

The generated modules carry the text of the ones they use, so each is self-contained: NumPy and `math` alone.
NaN goes through, and no function raises: where the exact value is infinite the result is inf.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def _sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def _softplus(x: Any) -> Any:
    """log(1 + exp(x)) without overflow."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _erf(x: Any) -> Any:
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x), dtype=np.float64)


def _erfc(x: Any) -> Any:
    return np.asarray(np.frompyfunc(math.erfc, 1, 1)(x), dtype=np.float64)


def _added(x: Any, axes: tuple[int, ...]) -> Any:
    """The sum over `axes`: up to 4096 entries in their order, as plain floats are added, more as NumPy adds them.

    NumPy's own order depends on how x lies in memory, and so on how many points there are.
    """
    count = math.prod([x.shape[axis] for axis in axes])
    if not 2 < count <= 4096:
        return np.sum(x, axis=axes)
    rows = np.moveaxis(x, axes, tuple(range(len(axes))))
    kept = rows.shape[len(axes) :]
    rows = np.ascontiguousarray(rows.reshape((count, math.prod(kept))))
    total = np.add.accumulate(rows)[-1] if rows.shape[1] == 1 else np.add.reduce(rows)
    return total.reshape(kept)


def logsumexp(x: Any, axes: tuple[int, ...]) -> Any:
    """log(sum(exp(x))) over `axes`, shifted by the maximum where that is finite."""
    top = np.max(x, axis=axes, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)
    return np.log(_added(np.exp(x - shift), axes)) + np.squeeze(shift, axis=axes)


def norm2(x: Any, axes: tuple[int, ...]) -> Any:
    """The Euclidean norm over `axes`."""
    return np.sqrt(_added(x * x, axes))


ARRAY_FUNCTIONS = {"_sigmoid": _sigmoid, "_softplus": _softplus, "_erf": _erf, "_erfc": _erfc}
