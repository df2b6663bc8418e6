"""Functions that a generated module carries to run a tape level by level, one NumPy call for many steps at once.

The level of a step is one more than the highest of its arguments; the steps of a level that are of one kind are a group
and run together. This is done where the tape has no branches and many steps to a group; a long chain stays a tape of
single steps. Values are rows, the steps of a group one behind the other: numbers at one point, the points of a block at
many. Cotangents are added up in the order of the tape, so that a sum is that of single steps, bit for bit; so are the
values, but for functions that NumPy rounds otherwise than Python's math does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from cfcompiler.targets.numpy_module.chain_functions import _chain_group, _chains

_TAPES: dict[Any, Any] = {}  # tapes that have been read
_WIDE = 16  # steps to a group, from which on a call for each group is quicker than a call for each step


def _levels(text: str, kinds: dict[str, Any], names: dict[str, Any], count: int) -> Any:
    """What runs a tape with `count` inputs by level, or None where single steps are better.

    `row`: where the value of a slot is, `slots` the other way round; `heights`: the level of each row; `groups`, from the
    lowest level up: (value, forward, backward, rows, arguments, conditions, movers, targets, needed), the functions of
    arrays, the rows of its steps, for each argument the rows and whether it is a condition, and what `_KINDS` says;
    `steps`: what runs forward; `returns`: what runs backward, by the slots that it starts from.
    """
    key = (id(text), "levels")
    if key not in _TAPES:
        found = _read_levels(text, kinds, count)
        _TAPES[key] = None if found is None else _grouped(found, kinds, names, count)
    return _TAPES[key]


def _read_levels(text: str, kinds: dict[str, Any], count: int) -> Any:
    """The level of each slot, constants as (slot, number), the steps of each group, [slot, *arguments], and the chains."""
    lines = [line.split() for line in text.splitlines() if line[0] != "@"]
    if any(line[0] in ("if", "pick") for line in lines):
        return None
    chains = _chains(lines, count)
    last = {slot: sums[-1][0] for _, sums in chains for slot, _, _, _ in sums}
    level = [0] * count
    condition = [False] * count
    constants: list[tuple[int, float]] = []
    members: dict[Any, list[list[int]]] = {}
    for slot, (word, *rest) in enumerate(lines, start=count):
        if word in ("k", "b"):
            constants.append((slot, float(rest[0])))
            level.append(0)
            condition.append(word == "b")
            continue
        at = [int(place) for place in rest]
        level.append(max([level[place] for place in at]) + (last.get(slot, slot) == slot))
        condition.append(kinds[word][2])
        if slot not in last:
            group = (level[slot], word, *[condition[place] for place in at])
            members.setdefault(group, []).append([slot, *at])
    for slot, end in last.items():
        level[slot] = level[end]
    wide = len(level) >= _WIDE * (len(members) + len(chains))
    return (level, constants, members, chains) if wide else None


def _grouped(found: Any, kinds: dict[str, Any], names: dict[str, Any], count: int) -> SimpleNamespace:
    """The rows of the slots, first the inputs and the constants, and the groups: see `_levels`."""
    level, constants, members, chains = found
    row = np.zeros(len(level), dtype=int)
    row[:count] = np.arange(count)
    first = count + len(constants)
    row[[slot for slot, _ in constants]] = np.arange(count, first)
    groups: list[Any] = []
    waiting = [(level[sums[-1][0]], None, (start, sums)) for start, sums in chains]
    waiting += [(group[0], group[1:], steps) for group, steps in members.items()]
    for _, group, steps in sorted(waiting, key=lambda one: one[0]):
        slots = [slot for slot, *_ in (steps[1] if group is None else steps)]
        rows = slice(first, first + len(slots))
        first = rows.stop
        row[slots] = np.arange(rows.start, rows.stop)
        if group is None:
            groups.append(_chain_group(steps, rows, row, kinds))
            continue
        word, *conditions = group
        movers, targets, _, needed = kinds[word]
        value = names[f"_{word}_tape_many"]
        forward = names[f"_{word}_forward_many"] if movers else None
        backward = names[f"_{word}_backward_many"] if targets else None
        at = [row[own] for own in np.array(steps).T[1:]]
        groups.append((value, forward, backward, rows, at, conditions, movers, targets, needed))
    slot_of = np.argsort(row)
    return SimpleNamespace(
        count=count,
        row=row,
        slots=slot_of,
        heights=np.array(level)[slot_of],
        constants=np.array([number for _, number in constants]),
        groups=groups,
        steps=[
            (value, forward, rows, [_pattern(own) for own in at], conditions, [at[place] for place in movers])
            for value, forward, _, rows, at, conditions, movers, _, _ in groups
        ],
        returns={},
    )


def _pattern(rows: Any) -> Any:
    """Rows as a number where they are one, as a slice where they follow each other."""
    if (rows == rows[0]).all():
        return int(rows[0])
    return slice(rows[0], rows[-1] + 1) if (np.diff(rows) == 1).all() else rows


def _looked_at(values: Any, rows: Any, outcome: bool) -> Any:
    """The values of an argument; `outcome`: whether it is a condition."""
    found = values.take(rows, 0) if type(rows) is np.ndarray else values[rows]
    return found != 0.0 if outcome else found


def _run_levels(levels: Any, v: Sequence[Any], d: Sequence[Any] | None = None) -> Any:
    """The values of all slots at the inputs `v`; with the tangents `d` of these also the tangents of all slots."""
    shape = (len(levels.row), *np.shape(v[0] if v else 0.0))
    values = np.empty(shape)
    tangents = np.zeros(shape) if d is not None else None
    for place, x in enumerate(v):
        values[place] = x
        if d is not None and d[place] is not None:
            tangents[place] = d[place]  # type: ignore[index]
    rows = slice(levels.count, levels.count + len(levels.constants))
    values[rows] = levels.constants.reshape((-1, *(1,) * (len(shape) - 1)))
    with np.errstate(all="ignore"):
        for value, forward, rows, places, conditions, moving in levels.steps:
            at = [_looked_at(values, own, outcome) for own, outcome in zip(places, conditions, strict=True)]
            found = value(0, *at)[0]
            values[rows] = found
            if tangents is not None and forward is not None:
                tangents[rows] = forward(0, *at, found, *[tangents.take(own, 0) for own in moving])[0]
    return (levels, values) if tangents is None else ((levels, values), (levels, tangents))


def _back_levels(levels: Any, values: Any, seeds: Mapping[int, Any]) -> list[Any]:
    """The cotangents of the inputs, from those of the slots of `seeds`."""
    key = tuple(seeds)
    if key not in levels.returns:
        levels.returns[key] = _returns(levels, levels.row[list(seeds)])
    returns, size, reached = levels.returns[key]
    c = np.full(values.shape, -0.0)  # the number to which any other can be added without a change
    for slot, seed in seeds.items():
        c[levels.row[slot]] = seed
    shares = np.empty((size, *values.shape[1:]))
    with np.errstate(all="ignore"):
        for targets, order, groups in returns:
            if len(targets):
                _add_in_order(c, targets, shares.take(order, 0))
            for backward, own, at, rows in groups:
                looks = [None if one is None else _looked_at(values, *one) for one in at]
                for row, share in zip(rows, backward(0, *looks, c[own]), strict=True):
                    shares[row] = share
    c[: levels.count][~reached] = 0.0
    return c[: levels.count].tolist() if c.ndim == 1 else list(c[: levels.count])


def _add_in_order(c: Any, rows: Any, shares: Any) -> None:
    """Add every share to its row, one after the other."""
    if c.ndim > 1:
        width = c.shape[1]
        rows = (rows[:, None] * width + np.arange(width)).reshape(-1)
    np.add.at(c.reshape(-1), rows, shares.reshape(-1))


def _returns(levels: Any, seeds: Any) -> tuple[list[Any], int, Any]:
    """What runs backward from the rows `seeds`: by level, from the highest down, the shares of its rows, its groups.

    Of each level: the rows that get shares, and which shares, of one row in the order in which a tape adds them, from the
    last step to the first; (backward, rows, what it looks at, which shares it gives) of each group. Also how many shares
    there are, and which inputs get one.
    """
    reached = np.zeros(len(levels.row), dtype=bool)
    reached[seeds] = True
    groups: dict[int, list[Any]] = {}
    step, number, target = [np.zeros(0, dtype=int)], [np.zeros(0, dtype=int)], [np.zeros(0, dtype=int)]
    size = 0
    for _, _, backward, rows, places, conditions, _, targets, needed in reversed(levels.groups):
        height = int(levels.heights[rows.start])
        if needed is None:  # a chain
            if reached[rows.stop - 1]:
                for part, column in zip((step, number, target), targets, strict=True):
                    part.append(column)
                reached[targets[2]] = True
                end, given = slice(rows.stop - 1, rows.stop), [slice(size, size + len(targets[2]))]
                size += len(targets[2])
                groups.setdefault(height, []).append((backward, end, [], given))
            continue
        some = reached[rows]
        if backward is None or not some.any():
            continue
        own = np.arange(rows.start, rows.stop)[some]
        if not some.all():
            places = [one[some] for one in places]
        at = [
            (_pattern(one), outcome) if looked else None
            for one, outcome, looked in zip(places, conditions, needed, strict=False)
        ]
        at.append((_pattern(own), False) if needed[-1] else None)
        given = []
        for place, argument in enumerate(targets):
            step.append(levels.slots[own])
            number.append(np.full(len(own), place))
            target.append(places[argument])
            reached[target[-1]] = True
            given.append(slice(size, size + len(own)))
            size += len(own)
        groups.setdefault(height, []).append((backward, rows if some.all() else own, at, given))
    to = np.concatenate(target)
    order = np.lexsort((np.concatenate(number), -np.concatenate(step), -levels.heights[to]))
    to = to[order]
    heights = -levels.heights[to]
    returns = []
    for height in sorted({*groups, *(-heights).tolist()}, reverse=True):
        start, stop = np.searchsorted(heights, [-height, -height + 1]).tolist()
        returns.append((to[start:stop], order[start:stop], groups.get(height, [])))
    return returns, size, reached[: levels.count]


def _level_signs(levels: Any, values: Any, guards: Sequence[Sequence[int]]) -> list[Any]:
    """The sign of left - right for each (left, right, out): 2 where NaN is compared."""
    if not guards:
        return []
    left, right, _ = (values.take(levels.row[list(slots)], 0) for slots in zip(*guards, strict=True))
    with np.errstate(all="ignore"):
        signs = np.where(left < right, -1, np.where(left > right, 1, np.where(left == right, 0, 2)))
    return signs.tolist() if values.ndim == 1 else list(signs)


TABLE: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in globals().items()
    if name.startswith("_") and not name.startswith("__") and inspect.isfunction(function)
}
