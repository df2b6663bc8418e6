"""Functions of arrays that a generated module carries: choices by sign, extrema, orderings.

Each is written as it stands in the module (`texts` cuts it out), so what the tests run is what a user reads. An array
has its own axes first and any number of trailing axes of points, or its points in front with the axes counted on.
No function warns: callers hold np.errstate(all="ignore").
"""

from __future__ import annotations

import inspect
import math
import re
from typing import Any

import numpy as np

from cfcompiler.ieee import _added
from cfcompiler.targets.numpy_module.extremum_functions import (
    _extremum_weights,
    _offsets,
    _pooled,
    _pooled_again,
    _pooled_places,
    _pooled_shares,
    _pooled_split,
    _single_shares,
    _weigh_extremum,
)


def _kink(left: Any, right: Any, above: Any, below: Any) -> Any:
    """above where left >= right, below where left < right, NaN where they cannot be compared."""
    lower, other = left < right, left >= right
    if not _long(lower, above, below):
        return np.where(lower, below, np.where(other, above, np.nan))
    # a choice by bits has no branches, which cost most where signs are mixed
    chosen = np.bitwise_xor(np.asarray(above).view(np.int64), np.asarray(below).view(np.int64))
    chosen = np.bitwise_and(chosen, np.negative(lower.view(np.int8), dtype=np.int64))
    chosen = np.bitwise_xor(chosen, np.asarray(above).view(np.int64)).view(np.float64)
    if np.count_nonzero(lower) + np.count_nonzero(other) < lower.size:
        chosen[~(lower | other)] = np.nan
    return chosen


def _long(truth: Any, *values: Any) -> bool:
    """Whether values of float64 fit the truths of a long array, so that a choice by bits pays."""
    return np.size(truth) >= 1024 and all(
        np.result_type(value) == np.float64
        and np.broadcast_shapes(np.shape(value), np.shape(truth)) == np.shape(truth)
        for value in values
    )


def _weigh(
    left: Any, right: Any, term: Any, below: float, tie: float, above: float, unordered: float, gate: str
) -> Any:
    """term times the weight of the case; under the gate "select" a weight 0 gives 0 whatever the term."""
    joined = (tie == below, tie == above)  # `in` would find a NaN
    lower = left <= right if joined[0] else left < right
    if sorted((below, above)) == [0.0, 1.0] and _long(lower, term):
        return _weigh_long(left, right, term, below, tie, above, unordered, gate)
    if gate == "select" and above == unordered and any(joined):
        low, high = (0.0 if one == 0.0 else term if one == 1.0 else one * term for one in (below, above))
        return np.where(lower, low, high)
    weights = np.where(
        left < right, below, np.where(left > right, above, np.where(left == right, tie, unordered))
    )
    product = weights * term
    return product if gate == "mul" else np.where(weights == 0.0, 0.0, product)


def _weigh_long(
    left: Any, right: Any, term: Any, below: float, tie: float, above: float, unordered: float, gate: str
) -> Any:
    """_weigh for the weights 0 and 1: by bits, then what is tied or NaN entry by entry."""
    lower, higher = left < right, left > right
    kept = lower if below == 1.0 else higher
    if gate == "mul":
        product = kept * np.asarray(term)
    else:
        mask = np.negative(kept.view(np.int8), dtype=np.int64)
        product = np.bitwise_and(mask, np.asarray(term).view(np.int64), out=mask).view(np.float64)
    if np.count_nonzero(lower) + np.count_nonzero(higher) == lower.size:
        return product
    open_ = ~(lower | higher)
    one, other, given = (np.broadcast_to(part, open_.shape)[open_] for part in (left, right, term))
    weights = np.where(one == other, tie, unordered)
    shares = weights * given
    product[open_] = shares if gate == "mul" else np.where(weights == 0.0, 0.0, shares)
    return product


def _packed_order(x: Any) -> Any:
    """The stable ascending order of a long vector: one sort of int64 words, key in the high bits, place in the low."""
    count = x.size
    keys = (x + 0.0).view(np.int64)
    keys ^= (keys >> 63) & 0x7FFFFFFFFFFFFFFF
    bits = (count - 1).bit_length()
    keys >>= bits
    keys <<= bits
    keys |= np.arange(count)
    keys.sort()
    places = keys & ((1 << bits) - 1)
    values = x[places]
    # entries whose keys agree in the high bits may be out of order: NaN makes the test fail too
    if (values[1:] >= values[:-1]).all():
        return places
    if np.isnan(values[0]) or np.isnan(values[-1]):
        return x.argsort(kind="stable")
    falls = np.flatnonzero(values[1:] < values[:-1])
    if len(falls) > count >> 6:
        return x.argsort(kind="stable")
    keys >>= bits
    for fall in falls.tolist():
        start, stop = np.searchsorted(keys, keys[fall], "left"), np.searchsorted(keys, keys[fall], "right")
        run = np.sort(places[start:stop])
        places[start:stop] = run[x[run].argsort(kind="stable")]
    return places


def _order(x: Any, axis: int, descending: bool, last: bool) -> Any:
    """Places in order, NaN the largest; of equal entries the first place first (the last one under `last`)."""
    if descending:
        return np.flip(_order(x, axis, False, not last), axis)
    if last:
        places = _order(np.flip(x, axis), axis, False, False)
        return x.shape[axis] - 1 - places
    if x.shape[axis] < 1000 or x.shape[axis] > 1 << 20:
        return x.argsort(axis=axis, kind="stable")
    if x.ndim == 1:
        return _packed_order(x)
    return np.apply_along_axis(_packed_order, axis, x)


def _ranked(x: Any, rank: int, descending: bool) -> Any:
    """The place that the stable order of the vector x has at `rank`, without sorting."""
    place = len(x) - 1 - rank if descending else rank
    value = np.partition(x, place)[place]
    if value == value:
        before = np.count_nonzero(x > value if descending else x < value)
        if descending:
            before += np.count_nonzero(x != x)
        return np.flatnonzero(x == value)[rank - before]
    unknown = np.flatnonzero(x != x)
    return unknown[rank if descending else rank - (len(x) - len(unknown))]


def _cumulative_places(x: Any, axis: int, sense: str, last: bool) -> Any:
    """Place of the extremum of x[:k+1] for each k, or of a NaN: of the first one (the last under `last`)."""
    rows = np.moveaxis(x, axis, 0)
    accumulate = np.maximum.accumulate if sense == "max" else np.minimum.accumulate
    before = accumulate(rows, axis=0)[:-1]
    after = rows[1:]
    better = after > before if sense == "max" else after < before
    if last:
        better = better | (after == before) | (after != after)
    else:
        better = (better | (after != after)) & (before == before)
    places = np.zeros(rows.shape, dtype=np.int64)
    counting = np.arange(1, len(rows)).reshape((-1,) + (1,) * (rows.ndim - 1))
    places[1:] = np.where(better, counting, 0)
    return np.moveaxis(np.maximum.accumulate(places, axis=0), 0, axis)


def _gather(x: Any, places: Any, axis: int) -> Any:
    """x at one place of the axis, or at several, for each of its rows."""
    if x.ndim == 1:
        return x[places]
    if places.ndim < x.ndim:
        return np.take_along_axis(x, np.expand_dims(places, axis), axis).squeeze(axis)
    return np.take_along_axis(x, places, axis)


def _scatter(x: Any, places: Any, axis: int, size: int, scalar: bool, distinct: bool) -> Any:
    """Zeros with the entries of x added at their places: the transpose of _gather."""
    if scalar:
        x, places = np.expand_dims(x, axis), np.expand_dims(places, axis)
    x, places = np.broadcast_arrays(x, places)
    rows, targets = np.moveaxis(x, axis, 0), np.moveaxis(places, axis, 0)
    out = np.zeros((size, *rows.shape[1:]))
    if distinct and out.ndim == 1:
        out[targets] = rows
    elif distinct:
        np.put_along_axis(out, targets, rows, axis=0)
    else:
        inner = tuple(np.indices(rows.shape)[1:])
        np.add.at(out, (targets, *inner), rows)
    return np.moveaxis(out, 0, axis)


def _logsumexp(x: Any, axes: tuple[int, ...]) -> Any:
    """log(sum(exp(x))) over `axes`, shifted by the maximum where that is finite."""
    top = np.max(x, axis=axes, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)
    return np.log(_added(np.exp(x - shift), axes)) + np.squeeze(shift, axis=axes)


def _norm2(x: Any, axes: tuple[int, ...]) -> Any:
    """The Euclidean norm over `axes`."""
    return np.sqrt(_added(x * x, axes))


def _cumulated(x: Any, axis: int, reverse: bool) -> Any:
    """Running sums along the axis, from its end if `reverse`."""
    if reverse:
        return np.flip(np.cumsum(np.flip(x, axis), axis=axis), axis)
    return np.cumsum(x, axis=axis)


def _stacked(entries: tuple[Any, ...], width: int) -> Any:
    """Scalars at `width` points as the rows of one array."""
    out = np.empty((len(entries), width), dtype=np.result_type(*entries))
    for row, entry in zip(out, entries, strict=True):
        row[...] = entry
    return out


def _products(a: Any, b: Any, rank: int, other: int) -> Any:
    """a @ b at each point, points in front: shared weights with many vectors are one matrix product."""
    if rank == 2 and other == 1:
        return b @ a[0].T if len(a) == 1 else (a @ b[:, :, None])[:, :, 0]
    if rank == 1 and other == 2:
        return a @ b[0] if len(b) == 1 else (a[:, None, :] @ b)[:, 0, :]
    if rank == 1:
        return (a[:, None, :] @ b[:, :, None])[:, 0, 0]
    if len(b) == 1:
        return (a.reshape((a.shape[0] * a.shape[1], a.shape[2])) @ b[0]).reshape((*a.shape[:2], b.shape[2]))
    return a @ b


def _joined(parts: tuple[Any, ...], axis: int, stack: bool) -> Any:
    """Arrays put together along an axis; those that all points share are repeated where others are not."""
    count = max(len(part) for part in parts)
    wide = [np.broadcast_to(part, (count, *part.shape[1:])) for part in parts]
    return np.stack(wide, axis) if stack else np.concatenate(wide, axis)


def _placed(x: Any, key: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros with x at the key."""
    out = np.zeros(shape)
    out[key] = x
    return out


def _put(x: Any, places: Any, shape: tuple[int, ...], first: int) -> Any:
    """Zeros with the entries of x added at places of the flattened result, behind `first` axes of points."""
    head = x.shape[:first]
    out = np.zeros((*head, math.prod(shape)))
    rows = out.reshape((-1, out.shape[-1]))
    for row, entries in zip(rows, x.reshape((-1, len(places))), strict=True):
        np.add.at(row, places, entries)
    return out.reshape((*head, *shape))


FUNCTIONS = {
    function.__name__: function
    for function in (
        _kink,
        _long,
        _weigh,
        _weigh_long,
        _extremum_weights,
        _weigh_extremum,
        _single_shares,
        _packed_order,
        _order,
        _ranked,
        _cumulative_places,
        _gather,
        _scatter,
        _added,
        _logsumexp,
        _norm2,
        _cumulated,
        _stacked,
        _products,
        _joined,
        _placed,
        _offsets,
        _pooled,
        _pooled_places,
        _pooled_shares,
        _pooled_split,
        _pooled_again,
        _put,
    )
}


def texts(lines: list[str], functions: dict[str, Any] | None = None) -> list[str]:
    """The source text of the functions that `lines` call, with those that they call in turn, in the table's order."""
    table = FUNCTIONS if functions is None else functions
    sources = {name: inspect.getsource(function) for name, function in table.items()}
    needed: set[str] = set()
    waiting = ["\n".join(lines)]
    while waiting:
        words = set(re.findall(r"\b_\w+\b", waiting.pop()))
        for name in sorted(words & sources.keys() - needed):
            needed.add(name)
            waiting.append(sources[name])
    return [sources[name].rstrip("\n") for name in table if name in needed]
