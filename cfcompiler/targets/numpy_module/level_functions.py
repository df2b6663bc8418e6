"""Functions that a generated module carries to run a tape level by level, one NumPy call for many steps at once.

The level of a step is one more than the highest of its arguments; the steps of a level that are of one kind are a group
and run together. This is done where the tape has no branches and many steps to a group; a long chain stays a tape of
single steps. Values are rows, the steps of a group one behind the other: numbers at one point, the points of a block at
many. What the groups of a level look at is gathered by one call. All arrays and calls of a run are made once and kept
for the next, see `_bound`. The values are those of single steps, bit for bit, but for functions that NumPy rounds
otherwise than Python's math does. `return_functions` runs backward.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from cfcompiler.targets.numpy_module.chain_functions import _chain_group, _chain_shares, _chains
from cfcompiler.targets.numpy_module.return_functions import (
    _back_bound,
    _pattern,
    _returns,
    _told,
    _view,
)

_TAPES: dict[Any, Any] = {}  # tapes that have been read
_WIDE = 16  # steps to a group, from which on a call for each group is quicker than a call for each step


def _levels(text: str, kinds: dict[str, Any], names: dict[str, Any], count: int) -> Any:
    """What runs a tape with `count` inputs by level, or None where single steps are better.

    `row`: where the value of a slot is, `slots` the other way round; `starts`: the first row of each level, and the
    end; `groups`: those of each level, see `_group`; `indices`: of each level, where what its groups gather begins
    among all that is gathered, of `looked` rows, and what that is; `idle`: what is bound and waits for a run, by what
    `_bound` was given; `returns`: what runs backward, by the slots that it starts from.
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
    row = np.zeros(len(level), dtype=np.intp)
    row[:count] = np.arange(count)
    first = count + len(constants)
    row[[slot for slot, _ in constants]] = np.arange(count, first)
    waiting: list[Any] = [(level[sums[-1][0]], -1, None, (start, sums)) for start, sums in chains]
    for (height, word, *conditions), steps in members.items():
        waiting.append((height, _products(kinds[word][3]), (word, conditions), np.array(steps)))
    waiting.sort(key=lambda one: one[:2])
    uses = np.zeros(len(level), dtype=int)
    for _, _, group, steps in waiting:
        targets = _chain_shares(steps, kinds) if group is None else steps[:, 1:].T[list(kinds[group[0]][1])]
        np.add.at(uses, np.ravel(targets[2] if group is None else targets), 1)
    groups: list[list[Any]] = [[] for _ in range(max(level, default=0) + 1)]
    starts = [0, *[first] * len(groups)]
    for height, _, group, steps in waiting:
        if group is None:
            slots = [slot for slot, *_ in steps[1]]
        else:  # what has several uses is to come together, at the end of one group and the start of the next
            sign = -1 if len(groups[height]) % 2 else 1
            steps = steps[np.argsort(sign * uses[steps[:, 0]], kind="stable")]
            slots = steps[:, 0]
        rows = slice(first, first + len(slots))
        first = rows.stop
        row[slots] = np.arange(rows.start, rows.stop)
        groups[height].append((rows, group, steps))
        starts[height + 1 :] = [first] * (len(starts) - height - 1)
    made = [[_group(rows, group, steps, row, kinds, names) for rows, group, steps in one] for one in groups]
    looked = place = 0
    indices = []
    for one in made:
        index, kept = _placed_arguments(one, place)
        indices.append((place, index))
        looked = max(looked, place + len(index))
        place += kept
    return SimpleNamespace(
        count=count,
        row=row,
        slots=np.argsort(row),
        starts=starts,
        constants=np.array([number for _, number in constants]),
        groups=made,
        indices=indices,
        looked=looked,
        idle={},
        returns={},
    )


def _products(shares: Any) -> float:
    """How many of the shares of a kind are products; the kinds of a level go in this order, see `_placed_arguments`."""
    if shares is None:
        return 0
    hows = [how for how, *_ in shares]
    if {*hows} == {"pass"}:
        return -0.5
    return hows.count("times") + hows.count("gated") + 0.5 * ("masked" in hows)


def _group(
    rows: slice, group: Any, steps: Any, row: Any, kinds: dict[str, Any], names: dict[str, Any]
) -> SimpleNamespace:
    """The steps of a level that are of one kind, or a chain.

    `rows`; `at`: the rows of each argument; `conditions`: whether it is one; `value, forward, backward`: the functions
    of arrays; the rest is what `_KINDS` says. `_placed_arguments` adds `places`, where the arguments of a run are, and
    `weights`, where there is room for what a cotangent is multiplied by for each share: (0, start, stop) in the
    values, (1, start, stop) among what is gathered; a stop of None is one row for all steps.
    """
    if group is None:
        return _chain_group(steps, rows, row, kinds)
    word, conditions = group
    movers, targets, _, shares, direct = kinds[word]
    return SimpleNamespace(
        word=word,
        rows=rows,
        at=[row[own] for own in steps.T[1:]],
        conditions=conditions,
        value=names[f"_{word}_tape_many"],
        direct=direct,
        forward=names[f"_{word}_forward_many"] if movers else None,
        backward=names[f"_{word}_backward_many"] if targets else None,
        movers=movers,
        targets=targets,
        shares=shares,
        chain=None,
    )


def _placed_arguments(groups: Sequence[Any], start: int) -> tuple[Any, int]:
    """Set the places and weights of the groups of one level; what is gathered, to stand from `start` on.

    Also how many of these are looked at when it goes backward; the others come last, and the next level overwrites them.
    Weights of the first products stand one behind the other, and so do those of the second: one call multiplies all.
    A weight that has to be worked out takes the place of an argument that nothing else needs by then.
    """
    parts: list[Any] = [np.zeros(0, dtype=np.intp)]
    place = start

    def stored(rows: Any) -> tuple[int, int, int]:
        nonlocal place
        parts.append(rows)
        place += len(rows)
        return (1, place - len(rows), place)

    for group in groups:
        patterns = [_pattern(rows) for rows in group.at]
        group.places = [
            (0, own.start, own.stop)
            if isinstance(own, slice)
            else None
            if type(own) is not int
            else (0, own, None)
            for own in patterns
        ]
        group.weights = [None] * len(group.targets)
    products = [
        [number for number, (how, *_) in enumerate(group.shares or ()) if how in ("times", "gated")]
        for group in groups
    ]
    for turn in range(max(map(len, products), default=0)):
        for group, numbers in zip(groups, products, strict=True):
            if turn >= len(numbers):
                continue
            own = group.shares[numbers[turn]][1]
            if own == len(group.at):
                weight = (0, group.rows.start, group.rows.stop)
            elif own >= 0:
                if group.places[own] is None or group.places[own][2] is None:
                    group.places[own] = stored(group.at[own])
                weight = group.places[own]
            else:
                weighing = {argument for _, argument, _ in group.shares}
                free = [k for k, known in enumerate(group.places) if known is None and k not in weighing]
                weight = stored(group.at[free[0]] if free else np.zeros(len(group.at[0]), dtype=np.intp))
                if free:
                    group.places[free[0]] = weight
            group.weights[numbers[turn]] = weight
    kept = start
    for lasting in (True, False):
        for group in groups:
            if lasting == (
                group.backward is not None and {how for how, *_ in group.shares or ()} != {"pass"}
            ):
                group.places = [
                    stored(rows) if known is None else known
                    for rows, known in zip(group.at, group.places, strict=True)
                ]
        kept = place if lasting else kept
    return np.concatenate(parts), kept - start


def _bound(levels: Any, shape: tuple[int, ...], along: bool, kept: bool) -> SimpleNamespace:
    """Arrays for a run whose rows have this shape, and the calls that fill them, ready to be made one after the other.

    `along`: with the tangents; `kept`: whether what a level gathers stays, to go backward.
    """
    longest = max(len(index) for _, index in levels.indices)
    shapes = ((len(levels.row), *shape), (levels.looked if kept else longest, *shape))
    parts = [
        SimpleNamespace(values=np.zeros(shapes[0]), looked=np.zeros(shapes[1])) for _ in range(1 + along)
    ]
    rows = slice(levels.count, levels.count + len(levels.constants))
    parts[0].values[rows] = levels.constants.reshape((-1, *(1,) * len(shape)))
    calls: list[Any] = []
    for (start, index), groups in zip(levels.indices, levels.groups, strict=True):
        shift = 0 if kept else start
        for part in parts[: 1 + any(group.forward is not None for group in groups)] if len(index) else ():
            to = slice(start - shift, start - shift + len(index))
            calls.append(partial(part.values.take, index, 0, part.looked[to], "wrap"))
        for group in groups:
            views = [_view(parts[0], place, shift) for place in group.places]
            out = parts[0].values[group.rows]
            if group.direct is None or any(group.conditions):
                calls.append(partial(_fill, out, group.value, views, group.conditions))
            else:
                function, order = group.direct
                calls.append(partial(function, *[views[place] for place in order], out=out))
            if along and group.forward is not None:
                moves = [_view(parts[1], group.places[place], shift) for place in group.movers]
                target = parts[1].values[group.rows]
                calls.append(partial(_fill, target, group.forward, views, group.conditions, out, *moves))
    tangents = parts[1] if along else None
    return SimpleNamespace(
        key=(shape, along, kept), **vars(parts[0]), tangents=tangents, calls=calls, back={}
    )


def _fill(target: Any, function: Any, views: Sequence[Any], conditions: Sequence[bool], *more: Any) -> None:
    target[...] = function(0, *_told(views, conditions), *more)[0]


def _run_levels(levels: Any, v: Sequence[Any], d: Sequence[Any] | None = None, back: bool = True) -> Any:
    """A run at the inputs `v`, which holds the values of all slots; with the tangents `d` also one that holds theirs.

    `back`: whether the run may go backward. At one point, where all is in the cache, the same arrays serve for either.
    """
    shape = np.shape(v[0]) if v else ()
    key = (shape, d is not None, d is None and (back or shape == ()))
    try:
        run = levels.idle[key].pop()
    except (KeyError, IndexError):
        run = _bound(levels, *key)
    for place, x in enumerate(v):
        run.values[place] = x
    for place, x in enumerate(d or ()):
        run.tangents.values[place] = 0.0 if x is None else x
    with np.errstate(all="ignore"):
        for call in run.calls:
            call()
    return (levels, run) if d is None else ((levels, run), (levels, run.tangents))


def _back_levels(levels: Any, run: Any, seeds: Mapping[int, Any]) -> list[Any]:
    """The cotangents of the inputs, from those of the slots of `seeds`."""
    key = tuple(seeds)
    if key not in levels.returns:
        levels.returns[key] = _returns(levels, levels.row[list(seeds)])
    returns = levels.returns[key]
    if key not in run.back:
        run.back[key] = _back_bound(levels, run, returns)
    c, calls = run.back[key]
    for place, seed in zip(returns.seeds, seeds.values(), strict=True):
        c[place] = seed
    with np.errstate(all="ignore"):
        for call in calls:
            call()
    found = c[returns.inputs].copy()
    found[returns.still] = 0.0
    return found.tolist() if found.ndim == 1 else list(found)


def _put_back(levels: Any, run: Any) -> None:
    """A run has been read: its arrays may be used again."""
    levels.idle.setdefault(run.key, []).append(run)


def _drop_wide() -> None:
    """Let go of the arrays for many points where they are large or of many shapes; the others wait for the next run."""
    for levels in [*_TAPES.values()]:
        if isinstance(levels, SimpleNamespace):
            wide = [key for key in [*levels.idle] if key[0]]
            large = [key for key in wide if len(levels.row) * int(np.prod(key[0])) > 2**20]
            for key in {*large, *wide[:-4]}:
                levels.idle.pop(key, None)


def _level_signs(levels: Any, run: Any, guards: Sequence[Sequence[int]]) -> list[Any]:
    """The sign of left - right for each (left, right, out): 2 where NaN is compared."""
    if not guards:
        return []
    left, right, _ = (run.values.take(levels.row[list(slots)], 0) for slots in zip(*guards, strict=True))
    with np.errstate(all="ignore"):
        signs = np.where(left < right, -1, np.where(left > right, 1, np.where(left == right, 0, 2)))
    return signs.tolist() if run.values.ndim == 1 else list(signs)


TABLE: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in globals().items()
    if name.startswith("_") and not name.startswith("__") and inspect.isfunction(function)
}
