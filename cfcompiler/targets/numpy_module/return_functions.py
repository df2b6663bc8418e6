"""Functions that a generated module carries to run backward what `level_functions` has run forward, level by level.

    c of a row = its shares, added up from the last step of the tape to the first: one call gathers them for a level
    share      = c of a step, as it is                      no call: who adds it up looks at c
               = -c of a step                               one call for those that follow each other
               = c of a step * a weight                     one call for all such shares of a level
               = the bits of c where a weight is not 0      one call, where a kink chooses; no 0 * inf
               = anything else                              one call of the function of the group

Weights depend on the values alone and are worked out beforehand. So a sum is that of single steps, bit for bit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

_GAP = (
    256  # rows without a further share, from which on two calls are quicker than one that adds -0.0 to them
)
_FEW = 150  # steps to a group, up to which what one call works out is worked out for all levels at once
_MOST = 8  # shares of a row that are added up column by column


def _returns(levels: Any, seeds: Any) -> SimpleNamespace:
    """What runs backward from the rows `seeds`, in one array that holds the cotangents and the shares.

    `size` of the array; in it `seeds`, the cotangents of the seeds, `zero`, -0.0, to which any number can be added
    without a change, and `inputs`, the cotangents of the inputs, of which `still` get none. `levels`, from the highest
    down: (base, where to, what is gathered, columns, rest, shares), see `_sum` and `_level_shares`. `weighings`: by
    kind, (group, weights, masks) where weights have to be worked out.
    """
    count = len(levels.row)
    zero = count + len(seeds)
    given = SimpleNamespace(size=zero + 1, masks=0, parts=[], weighings={})
    given.reached, given.passing, given.lasting = (np.zeros(count, dtype=bool) for _ in range(3))
    given.reached[seeds] = True
    number = np.arange(len(seeds))
    given.parts.append((np.full(len(seeds), count), number, seeds, count + number))
    shares = [_level_shares(levels, groups, given) for groups in reversed(levels.groups)]
    step, number, target, source = map(np.concatenate, zip(*given.parts, strict=True))
    order = np.lexsort((number, -step, target))
    target, source = target[order], source[order]
    rank = np.arange(len(order)) - np.searchsorted(target, target)
    # The only share of a step that passes it on is looked at where it stands.
    alone = given.passing[target] & (rank == 0) & ~np.isin(target, target[rank == 1])
    known = np.arange(given.size)
    # Rows, seeds and shares count up from 0 so far; where each is to stand is known when all sums are.
    where = np.zeros(given.size, dtype=np.intp)
    base = size = 0
    sums = []
    for start, stop in reversed([*zip(levels.starts, levels.starts[1:], strict=False)]):
        own = slice(*np.searchsorted(target, (start, stop)).tolist())
        source[own] = known[source[own]]
        known[target[own][alone[own]]] = source[own][alone[own]]
        own = np.arange(own.start, own.stop)[~alone[own]]
        rows = target[own] - start
        length = stop - start if start else max(levels.count, rows[-1] + 1 if len(rows) else 0)
        where[start : start + length] = base + np.arange(length)
        first, index, columns, rest = _sum(rows, rank[own], source[own], length, zero)
        sums.append((base, first, index, columns, rest))
        size = max(size, base + length, base + first + len(index))
        inputs = base
        # The next levels overwrite what is not looked at any more: what is added, and cotangents that nothing passes on.
        lasting = np.flatnonzero(given.lasting[start:stop])
        base += int(lasting[-1]) + 1 if len(lasting) else 0
    where[count:] = size + np.arange(given.size - count)
    return SimpleNamespace(
        size=size + given.size - count,
        masks=given.masks,
        seeds=where[count:zero].tolist(),
        zero=int(where[zero]),
        inputs=slice(inputs, inputs + levels.count),
        still=np.flatnonzero(~given.reached[: levels.count]),
        where=where,
        levels=[
            (base, first, where[index], columns, rest, own)
            for (base, first, index, columns, rest), own in zip(sums, shares, strict=True)
        ],
        weighings=given.weighings,
    )


def _sum(rows: Any, rank: Any, source: Any, length: int, zero: int) -> tuple[int, Any, list[Any], Any]:
    """How shares are added up to `length` rows: (first row, what is gathered, columns, rest).

    What is gathered begins with the first share of each row from `first` on. Columns are (start, stop, place): rows to
    which further shares are added, which stand at `place`; rest is (rows, place) of those that are added one by one.
    """
    if not len(rows):
        return length, np.zeros(0, dtype=np.intp), [], None
    first = int(rows[0])
    index = np.full(length - first, zero)
    index[rows[rank == 0] - first] = source[rank == 0]
    spans: list[list[Any]] = [[]]
    costs = [_cost_of_rest(int(np.count_nonzero(rank > 0)))]
    spent = 0.0
    for turn in range(1, min(_MOST, int(rank.max()) + 1)):
        own = np.flatnonzero(rank == turn)
        runs = np.split(own, np.flatnonzero(np.diff(rows[own]) > _GAP) + 1)
        spans.append([(int(rows[run[0]]), int(rows[run[-1]]) + 1, run) for run in runs])
        spent += sum(330 + 1.1 * (stop - start) for start, stop, _ in spans[-1])
        costs.append(spent + _cost_of_rest(int(np.count_nonzero(rank > turn))))
    turns = int(np.argmin(costs))
    parts, columns, place = [index], [], length
    for start, stop, run in (one for turn in spans[: turns + 1] for one in turn):
        index = np.full(stop - start, zero)
        index[rows[run] - start] = source[run]
        parts.append(index)
        columns.append((start, stop, place))
        place += len(index)
    late = rank > turns
    parts.append(source[late])
    return first, np.concatenate(parts), columns, (rows[late], place) if late.any() else None


def _cost_of_rest(count: int) -> float:
    """Nanoseconds for shares that are added one by one."""
    return 800 + 3.0 * count if count else 0.0


def _level_shares(levels: Any, groups: Sequence[Any], given: Any) -> list[Any]:
    """Note in `given` what the groups of a level give, as (step, number, target, source); what is to be called.

    Calls are (how, rows, weights, shares): "minus", "times" a weight, a place of `_group`; "gated" and "masked" by a mask, of
    the shares and of the rows, (2, start, stop). Or they are ("", rows, group, the shares of each target).
    """
    live = [group for group in groups if given.reached[group.rows].any() and (group.backward or group.chain)]
    waiting = []
    for place, group in enumerate(live):
        turns = [0] * 4
        for number in range(len(group.targets)):
            how = group.shares[number][0] if group.shares is not None else ""
            if how != "pass":
                sort = {"times": 0, "gated": 0, "masked": 1, "minus": 2, "": 3}[how]
                waiting.append((sort, turns[sort], place, number, how))
                turns[sort] += 1
    starts: list[dict[int, int]] = [{} for _ in live]
    masks: list[dict[int, Any]] = [{} for _ in live]
    calls: list[Any] = []
    gates: list[Any] = []
    for _, _, place, number, how in sorted(waiting):
        group, length = live[place], len(live[place].at[0])
        starts[place][number] = given.size
        rows, shares = (group.rows.start, group.rows.stop), (given.size, given.size + length)
        given.size += length
        if how in ("times", "gated"):
            _joined_to(calls, ("times", rows, group.weights[number], shares))
        elif how == "minus":
            _joined_to(calls, (how, rows, (0, *rows), shares))
        if how in ("gated", "masked"):
            mask = masks[place][number] = (2, given.masks, given.masks + length)
            given.masks += length
            _joined_to(gates, (how, rows, mask, shares))
    for group, own, kept in zip(live, starts, masks, strict=True):
        given.passing[group.rows] = not own
        given.lasting[group.rows] = len(own) < len(group.targets) or group.chain is not None
        rows = (group.rows.start, group.rows.stop)
        if group.chain is None and group.shares is None:
            found = [(own[number], own[number] + rows[1] - rows[0]) for number in range(len(group.targets))]
            calls.append(("", rows, group, found))
        elif kept or any(weight is not None for weight in _worked_out(group)):
            given.weighings.setdefault((group.word, *group.conditions), []).append((group, kept))
        _note_shares(levels, group, own, given)
    return calls + gates


def _joined_to(calls: list[Any], call: Any) -> None:
    """Append a call, or make the last one do it as well."""
    how, rows, weights, shares = call
    if calls:
        before, first, known, given = calls[-1]
        follows = None not in known and known[0] == weights[0] and known[2] == weights[1]
        if before == how and first[1] == rows[0] and given[1] == shares[0] and follows:
            weights = (weights[0], known[1], weights[2])
            calls[-1] = (how, (first[0], rows[1]), weights, (given[0], shares[1]))
            return
    calls.append(call)


def _worked_out(group: Any) -> list[Any]:
    """Of each share the place of its weight, None where that is an argument or where there is none."""
    return [
        weight if own < 0 else None
        for weight, (_, own, _) in zip(group.weights, group.shares or (), strict=False)
    ]


def _note_shares(levels: Any, group: Any, starts: dict[int, int], given: Any) -> None:
    """What a group gives; a share that does not stand anywhere is the cotangent itself."""
    if group.chain is not None:
        step, number, target = group.chain
        given.parts.append((step, number, target, np.full(len(step), group.rows.stop - 1)))
        given.reached[target] = True
        return
    some = np.flatnonzero(given.reached[group.rows])
    for number, argument in enumerate(group.targets):
        target = group.at[argument][some]
        source = some + starts.get(number, group.rows.start)
        given.parts.append((levels.slots[group.rows][some], np.full(len(some), number), target, source))
        given.reached[target] = True


def _back_bound(levels: Any, run: Any, returns: Any) -> tuple[Any, list[Any]]:
    """The array of `_returns` for a run, and the calls that fill it."""
    c = np.empty((returns.size, *run.key[0]))
    c[returns.zero] = -0.0
    masks = np.empty((returns.masks, *run.key[0]), dtype=np.int64)
    bits = c.view(np.int64)
    calls: list[Any] = []
    for weighings in returns.weighings.values():
        calls.extend(_weighing_calls(run, weighings, masks))

    def part(span: tuple[int, int]) -> slice:
        start = int(returns.where[span[0]])
        return slice(start, start + span[1] - span[0])

    for base, first, index, columns, rest, shares in returns.levels:
        if len(index):
            calls.append(partial(c.take, index, 0, c[base + first : base + first + len(index)], "wrap"))
        for start, stop, place in columns:
            rows = c[base + start : base + stop]
            calls.append(partial(np.add, rows, c[base + place : base + place + stop - start], rows))
        if rest is not None:
            rows, place = rest
            calls.append(
                _one_by_one(c[base : base + place], rows, c[base + place : base + place + len(rows)])
            )
        for how, own, weights, to in shares:
            if how == "":
                views = [_view(run, place) for place in (*weights.places, (0, *own))]
                given = [c[part(one)] for one in to]
                calls.append(partial(_give, weights, views, c[part(own)], given))
            elif how == "minus":
                calls.append(partial(np.negative, c[part(own)], c[part(to)]))
            elif how == "times":
                calls.append(partial(np.multiply, c[part(own)], _view(run, weights), c[part(to)]))
            else:
                source = bits[part(own if how == "masked" else to)]
                calls.append(partial(np.bitwise_and, source, masks[weights[1] : weights[2]], bits[part(to)]))
    return c, calls


def _pattern(rows: Any) -> Any:
    """Rows as a number where they are one, as a slice where they follow each other."""
    if (rows == rows[0]).all():
        return int(rows[0])
    return slice(int(rows[0]), int(rows[-1]) + 1) if (np.diff(rows) == 1).all() else rows


def _taken(values: Any, rows: Any) -> Any:
    """The values of rows, which are as `_pattern` gives them."""
    return values.take(rows, 0) if isinstance(rows, np.ndarray) else values[rows]


def _view(run: Any, place: tuple[int, int, int | None], shift: int = 0) -> Any:
    """The part of the arrays of a run that a place of `_group` is; what is gathered begins at `shift`."""
    source, start, stop = place
    if source == 0:
        return run.values[start, ...] if stop is None else run.values[start:stop]
    assert stop is not None
    return run.looked[start - shift : stop - shift]


def _told(views: Sequence[Any], conditions: Sequence[bool]) -> list[Any]:
    """The arguments of a step, of which conditions are kept as numbers."""
    return [view != 0.0 if outcome else view for view, outcome in zip(views, conditions, strict=False)]


def _give(group: Any, views: Sequence[Any], c: Any, given: Sequence[Any]) -> None:
    """The shares of a group that are no products; the last of the views is its outcome."""
    looks = _told(views[:-1], group.conditions)
    for target, share in zip(given, group.backward(0, *looks, views[-1], c), strict=True):
        target[...] = share


def _one_by_one(c: Any, rows: Any, shares: Any) -> Any:
    """A call that adds every share to its row, one after the other; NumPy copies arrays that overlap."""
    if c.ndim > 1:
        width = c.shape[1]
        rows = (rows[:, None] * width + np.arange(width)).reshape(-1)
    return partial(np.add.at, c.reshape(-1), rows, shares.reshape(-1))


def _weighing_calls(run: Any, weighings: Sequence[Any], masks: Any) -> list[Any]:
    """The calls that work out the weights and masks of a kind: of all levels at once where groups are small."""
    found = []
    first = weighings[0][0]
    steps = sum(len(group.at[0]) for group, _ in weighings)
    simple = [*first.shares] == [("times", -1, first.shares[0][2])] and first.shares[0][2] is not None
    at_once = steps * int(np.prod(run.key[0], dtype=int)) < (_FEW if simple else 4 * _FEW) * len(weighings)
    kinds: dict[tuple[int, bool], list[Any]] = {}
    for group, kept in weighings:
        places = [
            (number, False, place) for number, place in enumerate(_worked_out(group)) if place is not None
        ]
        places += [(number, True, place) for number, place in kept.items()]
        for number, masking, place in places:
            kinds.setdefault((number, masking), []).append(np.arange(place[1], place[2]))
        if at_once:
            continue
        views = [_view(run, place) for place in (*group.places, (0, group.rows.start, group.rows.stop))]
        targets = [
            (number, masking, (masks if masking else run.looked)[place[1] : place[2]], ...)
            for number, masking, place in places
        ]
        if simple and not any(group.conditions):
            function, order = group.shares[0][2]
            found.append(partial(function, *[views[own] for own in order], out=targets[0][2]))
        else:
            found.append(partial(_weigh_group, group, views, targets))
    if at_once:
        at = [np.concatenate(rows) for rows in zip(*(one.at for one, _ in weighings), strict=True)]
        at.append(np.concatenate([np.arange(one.rows.start, one.rows.stop) for one, _ in weighings]))
        targets = [
            (number, masking, masks if masking else run.looked, _pattern(np.concatenate(places)))
            for (number, masking), places in kinds.items()
        ]
        found.append(partial(_weigh_kind, first, run.values, [_pattern(rows) for rows in at], targets))
    return found


def _weigh_kind(group: Any, values: Any, at: Sequence[Any], targets: Sequence[Any]) -> None:
    needed = {place for _, _, direct in group.shares if direct is not None for place in direct[1]}
    if any(group.shares[number][2] is None for number, *_ in targets):
        needed = {*range(len(at))}
    _weigh_group(group, [_taken(values, rows) if k in needed else None for k, rows in enumerate(at)], targets)


def _weigh_group(group: Any, views: Sequence[Any], targets: Sequence[Any]) -> None:
    """Weights are the shares of a cotangent of 1; a mask has all bits where its weight is not 0."""
    views = [*_told(views[:-1], group.conditions), views[-1]]
    directs = [group.shares[number][2] for number, *_ in targets]
    shares = group.backward(0, *views, 1.0) if None in directs else ()
    found = [
        shares[number] if direct is None else direct[0](*[views[place] for place in direct[1]])
        for (number, *_), direct in zip(targets, directs, strict=True)
    ]
    for (_, masking, target, places), weights, direct in zip(targets, found, directs, strict=True):
        if masking:
            kept = np.not_equal(weights, 0.0) if direct is None else weights == direct[2]
            weights = np.negative(kept, dtype=np.int64)
        target[places] = weights  # which may be where an argument was


TABLE: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in globals().items()
    if name.startswith("_") and not name.startswith("__") and inspect.isfunction(function)
}
