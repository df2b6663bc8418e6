"""Functions of extrema that a generated module carries: over axes, and over the windows of a pooling.

Written as they stand in the module, like array_functions.py. A pooling goes through x once, a few rows of windows at a
time, and keeps of each window its extremum and the place in x that it came from; its gradient puts one number at each
place. What the places alone cannot say (several entries tied under a rule that divides, NaN, a weight that multiplies
inf) is worked out again for those windows, entry by entry.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def _extremum_weights(x: Any, top: Any, axes: tuple[int, ...], tie: Any, at_nan: str) -> Any:
    """Weights of the entries of x in its extremum `top` (axes kept); at_nan: "nan", "zero" or "share"."""
    unordered = top != top
    tied = np.where(unordered, x != x, x == top)
    if tie == "split" or tie == "all":
        weights = tied * 1.0 if tie == "all" else tied / tied.sum(axis=axes, keepdims=True)
    else:
        kept = tuple(axis for axis in range(x.ndim) if axis not in axes)
        moved = np.transpose(tied, (*kept, *axes))
        rows = moved.reshape((*moved.shape[: len(kept)], -1))
        if tie == "first" or tie == "last":
            place = (
                rows.argmax(axis=-1)
                if tie == "first"
                else rows.shape[-1] - 1 - rows[..., ::-1].argmax(axis=-1)
            )
            shares = np.zeros(rows.shape)
            np.put_along_axis(shares, place[..., None], 1.0, axis=-1)
        else:
            shares = rows * np.array(tie)
            shares = shares / shares.sum(axis=-1, keepdims=True)
        weights = np.transpose(shares.reshape(moved.shape), np.argsort((*kept, *axes)))
    if at_nan == "share" or not unordered.any():
        return weights
    return np.where(unordered, np.nan if at_nan == "nan" else 0.0, weights)


def _weigh_extremum(
    x: Any,
    out: Any,
    term: Any,
    axes: tuple[int, ...],
    whole: bool,
    tie: Any,
    at_nan: str,
    gate: str,
    shares: Any = None,
) -> Any:
    """term (shaped as x if `whole`, else as out) times the weights of the entries of x in its extremum `out`.

    shares: an array to write to.
    """
    tops = np.expand_dims(out, axes)
    if not whole and x.size > 1024 and (isinstance(tie, str) or all(0.0 < abs(one) < np.inf for one in tie)):
        tied = x == tops
        single = np.count_nonzero(tied) == tops.size and not np.isnan(tops).any()
        if single and (gate == "select" or np.isfinite(term).all()):
            given = np.broadcast_to(term, np.shape(out))
            return _single_shares(tied, given, axes, gate, np.empty(x.shape) if shares is None else shares)
    weights = _extremum_weights(x, tops, axes, tie, at_nan)
    product = weights * (term if whole else np.expand_dims(term, axes))
    product = product if gate == "mul" else np.where(weights == 0.0, 0.0, product)
    if shares is None:
        return product
    shares[...] = product
    return shares


def _single_shares(tied: Any, term: Any, axes: tuple[int, ...], gate: str, shares: Any) -> Any:
    """Into shares what _weigh_extremum says where each extremum is at one entry only, the same under any rule."""
    shares.fill(0.0)
    if gate == "mul" and np.signbit(term).any():
        shares[...] = 0.0 * np.expand_dims(term, axes)
    places = np.unravel_index(np.flatnonzero(tied), tied.shape)
    shares[places] = term[tuple(one for axis, one in enumerate(places) if axis not in axes)]
    return shares


def _offsets(x: Any, windows: Any) -> list[int]:
    """How far behind its corner each entry of a window is in the flattened x, ascending."""
    steps = (x.shape[-1], 1)[-x.ndim :]
    return [
        sum(
            (part.start - first.start) * step
            for part, first, step in zip(window, windows[0], steps, strict=True)
        )
        for window in windows
    ]


def _pooled(x: Any, windows: Any, sense: str, spare: Any, out: Any) -> None:
    """Into out the extremum of each window: entry number k of all windows is the view windows[k] of x.

    Some rows at a time, as many as `spare` has: there the entries lie side by side, and all calls run in the cache.
    """
    extreme = np.maximum if sense == "max" else np.minimum
    views = [x[window] for window in windows]
    for start in range(0, len(out), len(spare)):
        top = out[start : start + len(spare)]
        rows, entries = slice(start, start + len(top)), spare[: len(top)]
        np.copyto(top, views[0][rows])
        for view in views[1:]:
            np.copyto(entries, view[rows])
            extreme(top, entries, out=top)


def _pooled_places(x: Any, windows: Any, sense: str, rule: Any, spare: Any, places: Any, out: Any) -> None:
    """As _pooled, and into `places` how far behind its corner each window has its extremum.

    Of tied entries it is the first one, or the last under "last", and so of several NaN. It is the greatest number of
    its type where entries are tied under any other rule, and where NaN goes by another: there it takes all entries to
    say the shares. rule: tie, at_nan and gate of _weigh_extremum.
    """
    tie, at_nan, _ = rule
    extreme, beyond = (np.maximum, np.less) if sense == "max" else (np.minimum, np.greater)
    reached = np.less_equal if sense == "max" else np.greater_equal
    divided = tie != "first" and tie != "last"
    number = places.dtype.type
    offsets = [number(offset) for offset in _offsets(x, windows)]
    views = [x[window] for window in windows]
    better, equal, several = np.empty((3, *spare.shape), dtype=bool)
    hits = np.empty(spare.shape, dtype=number)
    for start in range(0, len(out), len(spare)):
        top = out[start : start + len(spare)]
        rows = slice(start, start + len(top))
        found = places[rows]
        if len(top) < len(spare):
            spare, better, equal, several, hits = (
                part[: len(top)] for part in (spare, better, equal, several, hits)
            )
        if divided:
            several.fill(False)
        np.copyto(top, views[0][rows])
        for view, offset in zip(views[1:], offsets[1:], strict=True):
            np.copyto(spare, view[rows])
            if tie == "last":
                reached(top, spare, out=better)
            else:
                beyond(top, spare, out=better)
            # offsets rise, so the latest is the greatest
            np.multiply(better.view(np.uint8), offset, out=found if view is views[1] else hits)
            if view is not views[1]:
                np.maximum(found, hits, out=found)
            if divided:
                np.equal(top, spare, out=equal)
                np.greater(several, better, out=several)
                np.logical_or(several, equal, out=several)
            extreme(top, spare, out=top)
        if not divided and at_nan == "share" and np.isnan(top.max()):
            for view, offset in list(zip(views, offsets, strict=True))[:: 1 if tie == "last" else -1]:
                np.not_equal(view[rows], view[rows], out=better)
                found[better] = offset
        elif divided or np.isnan(top.max()):
            np.not_equal(top, top, out=better)
            np.logical_or(several, better, out=several)
            np.multiply(several.view(np.uint8), number(-1 % 256**places.itemsize), out=hits)
            np.maximum(found, hits, out=found)


def _pooled_shares(
    x: Any,
    top: Any,
    term: Any,
    places: Any,
    windows: Any,
    corners: Any,
    size: int,
    apart: bool,
    rule: Any,
    out: Any,
) -> None:
    """Into out the shares of the entries of x where they come from: those of _weigh_extremum over the windows.

    places: of _pooled_places; corners: the places in x of the first few rows of windows, which are gone through
    together, and size: how far the next few are; apart: each entry of x is in one window at most; rule: tie, at_nan
    and gate.
    """
    tie, _, gate = rule
    term = np.broadcast_to(term, top.shape)
    again = None
    if places.max() == -1 % 256**places.itemsize:
        again = places == -1 % 256**places.itemsize
    plain = gate == "select" or bool(np.isfinite(term).all())
    if not plain:
        again = ~np.isfinite(term) if again is None else again | ~np.isfinite(term)
    if not isinstance(tie, str) and not all(0.0 < abs(weight) < np.inf for weight in tie):
        again = np.ones(top.shape, dtype=bool)
    if again is not None and not apart:
        again.fill(True)  # sums of shares go by the order of the windows
    many = again is not None and 8 * np.count_nonzero(again) > again.size
    if many and tie in ("split", "all") and plain and not np.isnan(top.max()):
        _pooled_split(x, top, term, windows, len(corners), tie, out)
        return
    flat, reach = out.reshape(-1), _offsets(x, windows)[-1]
    spots = np.empty(corners.shape, dtype=np.int64)
    cleared = 0
    for part, start in enumerate(range(0, len(top), len(corners))):
        rows = slice(start, start + len(corners))
        found = places[rows]
        spots = np.add(corners[: len(found)], found, out=spots[: len(found)])
        end = part * size + corners[: len(found)].item(-1) + reach + 1
        flat[cleared:end].fill(0.0)  # only now: it stays in the cache for what is added
        cleared = end
        if again is None:
            np.add.at(flat[part * size :], spots.reshape(-1), term[rows].reshape(-1))
        else:
            once = ~again[rows]
            np.add.at(flat[part * size :], spots[once], term[rows][once])
    flat[cleared:].fill(0.0)
    if again is not None:
        _pooled_again(x, top, term, again, windows, corners, size, rule, flat)


def _pooled_split(x: Any, top: Any, term: Any, windows: Any, together: int, tie: str, out: Any) -> None:
    """The shares where many entries are tied under "split" or "all", a view at a time: no NaN, no inf times 0."""
    out.fill(0.0)
    views, targets = [x[window] for window in windows], [out[window] for window in windows]
    tied = np.empty((len(views), together, *top.shape[1:]), dtype=bool)
    mask, kept = np.empty(tied.shape[1:], dtype=np.int64), np.empty(tied.shape[1:])
    for start in range(0, len(top), together):
        rows = slice(start, start + together)
        tops, given = top[rows], term[rows]
        tied, mask, kept = tied[:, : len(tops)], mask[: len(tops)], kept[: len(tops)]
        for view, one in zip(views, tied, strict=True):
            np.equal(view[rows], tops, out=one)
        if tie == "split":
            np.divide(1.0, np.add.reduce(tied.view(np.uint8), axis=0), out=kept)
            given = np.multiply(kept, given, out=kept)
        bits = np.ascontiguousarray(given).view(np.int64)
        # from the last entry to the first: where windows overlap, shares are added in the order of the windows
        for target, one in zip(targets[::-1], tied[::-1], strict=True):
            np.negative(one.view(np.int8), out=mask)
            np.bitwise_and(bits, mask, out=mask)
            np.add(target[rows], mask.view(np.float64), out=target[rows])


def _pooled_again(
    x: Any, top: Any, term: Any, again: Any, windows: Any, corners: Any, size: int, rule: Any, flat: Any
) -> None:
    """Add to `flat` the shares of the windows in `again`, by all their entries."""
    offsets = np.array(_offsets(x, windows))[:, None]
    entries = x.reshape(-1)
    for part, start in enumerate(range(0, len(top), len(corners))):
        rows = slice(start, start + len(corners))
        chosen = again[rows]
        if chosen.any():
            places = corners[: len(chosen)][chosen] + offsets + part * size
            shares = _weigh_extremum(
                entries[places], top[rows][chosen], term[rows][chosen], (0,), False, *rule
            )
            np.add.at(flat, places.T.reshape(-1), shares.T.reshape(-1))
