"""Functions that a generated module carries to read its arguments: what is wrong with one is said by its name.

Each is written as it stands in the module, like point_functions.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np


def _inputs(
    names: Sequence[str], shapes: Sequence[tuple[int, ...]], values: Sequence[Any]
) -> tuple[Any, list[Any]]:
    """The leading axes that the inputs have in common, and the inputs as arrays of float64."""
    if len(values) != len(names):
        raise TypeError(f"expected {len(names)} values ({', '.join(names)}), not {len(values)}")
    arrays, leads = [], []
    for name, shape, value in zip(names, shapes, values, strict=True):
        array = _numbers(name, value)
        own = array.ndim - len(shape)
        if own < 0 or array.shape[own:] != shape:
            raise ValueError(f"{name} has shape {array.shape}, not {shape} (with leading axes for a batch)")
        arrays.append(array)
        leads.append(array.shape[:own])
    try:
        return np.broadcast_shapes(*leads), arrays
    except ValueError:
        named = ", ".join(f"{name} {lead}" for name, lead in zip(names, leads, strict=True))
        raise ValueError(f"the leading axes do not broadcast: {named}") from None


def _numbers(name: str, value: Any) -> Any:
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} is a ragged list, not an array") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}")
    return array if array.dtype == np.float64 else array.astype(np.float64)


def _sequence(name: str, value: Any, count: int) -> Sequence[Any]:
    """A tuple or list of `count` entries: one for each input or result."""
    if not isinstance(value, tuple | list):
        raise TypeError(f"{name} must be a tuple, not {type(value).__name__}")
    if len(value) != count:
        raise TypeError(f"{name} must have {count} {'entry' if count == 1 else 'entries'}, not {len(value)}")
    return value


def _targets(
    lead: tuple[int, ...], names: Sequence[str], shapes: Sequence[tuple[int, ...]], out: Sequence[Any]
) -> Sequence[Any]:
    """The caller's arrays, if the results fit into them."""
    for name, shape, array in zip(names, shapes, out, strict=True):
        if not isinstance(array, np.ndarray) or array.dtype != np.float64:
            raise TypeError(f"out for {name} must be an array of float64")
        if array.shape != (*lead, *shape):
            raise ValueError(f"out for {name} has shape {array.shape}, not {(*lead, *shape)}")
        if not array.flags.writeable:
            raise ValueError(f"out for {name} is read-only")
    return out


def _numbers_of(found: Sequence[Any], out: Any) -> list[Any]:
    """Results without axes as numbers, unless they are the caller's."""
    return list(found) if out is not None else [x if np.ndim(x) else float(x) for x in found]


def _check_results(found: Sequence[Any], texts: Sequence[str]) -> None:
    """Raise what is to be said of the first assertion that does not hold at some point."""
    for held, text in zip(found, texts, strict=True):
        if not np.all(held):
            raise ValueError(text)


TABLE: dict[str, Any] = {
    name: function
    for name, function in globals().items()
    if name.startswith("_") and not name.startswith("__") and inspect.isfunction(function)
}
