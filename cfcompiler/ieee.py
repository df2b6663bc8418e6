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


def logsumexp(x: Any, axes: tuple[int, ...]) -> Any:
    """log(sum(exp(x))) over `axes`, shifted by the maximum where that is finite."""
    top = np.max(x, axis=axes, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)
    total = np.log(np.sum(np.exp(x - shift), axis=axes, keepdims=True)) + shift
    return np.squeeze(total, axis=axes)


ARRAY_FUNCTIONS = {"_sigmoid": _sigmoid, "_softplus": _softplus, "_erf": _erf, "_erfc": _erfc}
