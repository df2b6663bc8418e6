"""Functions that a generated module carries for long sums written one term after the other, as a loop writes them.

    s1 = s0 + t1
    s2 = s1 + t2        one call adds up s0, t1, t2, ... in this order, bit for bit; going back, all get one cotangent

The sums between are used nowhere else. In a tape that runs by level such a chain is one group, of `level_functions.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

_WIDE = 16  # a chain with fewer terms stays what it is; see level_functions
_RESULT_SLOTS: Sequence[
    int
] = ()  # the slots of the results, which are looked at from outside; the module sets it


def _chains(lines: Sequence[Sequence[str]], count: int) -> list[Any]:
    """Each chain of a tape of `lines`: (slot of s0, [(slot, kind, place of the term among the arguments, term), ...])."""
    used = dict.fromkeys(_RESULT_SLOTS, 1)
    for word, *at in lines:
        if word not in ("k", "b"):
            for place in map(int, at):
                used[place] = used.get(place, 0) + 1
    chains: dict[int, Any] = {}
    for slot, (word, *at) in enumerate(lines, start=count):
        if word.partition("_")[0] != "add" or len(at) != 2:
            continue
        sides = [int(at[0]), int(at[1])]
        lengths = [len(chains[side][1]) if side in chains and used[side] == 1 else 0 for side in sides]
        place = int(lengths[1] > lengths[0])
        chain = chains.pop(sides[place]) if lengths[place] else (sides[place], [])
        chain[1].append((slot, word, 1 - place, sides[1 - place]))
        chains[slot] = chain
    return [chain for chain in chains.values() if len(chain[1]) > _WIDE]


def _chain_shares(chain: Any, kinds: dict[str, Any]) -> Any:
    """What a chain gives, all of it the cotangent of its end: (steps, numbers, slots that get it)."""
    first, sums = chain
    gives = []
    for number, (slot, word, place, term) in reversed(list(enumerate(sums))):
        targets = kinds[word][1]
        if place in targets:
            gives.append((slot, targets.index(place), term))
        if 1 - place not in targets:
            break
        if number == 0:
            gives.append((slot, targets.index(1 - place), first))
    return np.array(gives, dtype=int).reshape((-1, 3)).T


def _chain_group(chain: Any, rows: slice, row: Any, kinds: dict[str, Any]) -> SimpleNamespace:
    """A chain as a group of `_levels` of one argument, all that is added up; `chain` is (steps, numbers, targets)."""
    first, sums = chain
    terms = row[[first, *(term for _, _, _, term in sums)]]
    still = [True] * len(terms)
    for number, (_, word, place, _) in enumerate(sums, start=1):
        movers = kinds[word][0]
        still[number] = place not in movers
        still[0] = still[0] and not (number == 1 and 1 - place in movers)
    step, number, target = _chain_shares(chain, kinds)
    return SimpleNamespace(
        rows=rows,
        at=[terms],
        conditions=[False],
        value=_added,
        direct=None,
        weigh=None,
        forward=None if all(still) else _added_tangents(np.array(still)),
        backward=None,
        movers=(0,),
        targets=(),
        shares=None,
        chain=(step, number, row[target]),
    )


def _added(_: int, terms: Any) -> tuple[Any]:
    return (np.add.accumulate(terms, 0)[1:],)


def _added_tangents(still: Any) -> Callable[..., tuple[Any]]:
    """The same of the tangents, of which those of `still` terms are none: -0.0 changes no number."""

    def forward(_: int, terms: Any, out: Any, tangents: Any) -> tuple[Any]:
        tangents = tangents.copy()
        tangents[still] = -0.0
        return (np.add.accumulate(tangents, 0)[1:],)

    return forward


TABLE: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in globals().items()
    if name.startswith("_") and not name.startswith("__") and inspect.isfunction(function)
}
