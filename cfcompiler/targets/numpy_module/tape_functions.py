"""Functions that a generated module carries to run a tape: forward, with tangents, and backward.

Each is written as it stands in the module, like point_functions.py. A tape is a list of runs (tests, start, steps,
returns): the steps of a run are under the same branch, `tests` are its guards as (slot, truth). A step is (value,
forward, arguments, movers): functions, slots of the arguments, and of those that move. A return, of what has a
cotangent to give, is (backward, slot, arguments, targets), from the last step to the first.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from cfcompiler.targets.numpy_module.level_functions import (
    _back_levels,
    _drop_wide,
    _level_signs,
    _levels,
    _put_back,
    _run_levels,
)

_TAPES: dict[Any, Any] = {}  # tapes that have been read, by text and kind of number
_ARRAYS = False  # True among the names for arrays
_ENDING = ""  # of the names of the functions of a kind; "_many" for arrays
# "_LEVELS" of the names of a module: whether a tape may run by level; not on the numbers of `_ieee`, nor on arcs.


def _tape(
    text: str, kinds: dict[str, Any], names: dict[str, Any], count: int, choosing: bool = False
) -> list[Any]:
    """The runs of a tape with `count` inputs; `names` are those of the module, of `_ieee` or for arrays."""
    if names["_LEVELS"] and not choosing:
        by_level = _levels(text, kinds, names, count)
        if by_level is not None:
            return by_level  # type: ignore[no-any-return]
    key = (id(text), id(names), choosing)
    if key in _TAPES:
        return _TAPES[key]  # type: ignore[no-any-return]
    step = names["_step"]
    table = {}
    for name, (movers, targets, condition, *_) in kinds.items():
        value = step(names[f"_{name}_tape{_ENDING}"], condition, False)
        forward = step(names[f"_{name}_forward{_ENDING}"], False, False) if movers else None
        backward = step(names[f"_{name}_backward{_ENDING}"], False, True) if targets else None
        if choosing and backward is not None:
            backward = _choosing(names.get(f"_{name}_choose"), backward)
        table[name] = (value, forward, backward, movers, targets)
    steps: list[Any] = []
    returns: list[Any] = []
    runs: list[Any] = [((), count, steps, returns)]
    slot = count
    for line in text.splitlines():
        word, *rest = line.split()
        if word == "@":
            continue
        if word == "if":
            steps, returns = [], []
            runs.append((tuple((int(test[:-1]), test[-1] == "+") for test in rest), slot, steps, returns))
            continue
        if word == "k":
            steps.append((None, None, step(float, False, False)(rest[0]), ()))
        elif word == "b":
            steps.append((None, None, rest[0] == "1", ()))
        elif word == "pick":
            at = tuple(map(int, rest))
            steps.append(("pick", None, at, ()))
            returns.append((None, slot, at, at[1:]))
        else:
            value, forward, backward, movers, targets = table[word]
            at = tuple(map(int, rest))
            steps.append((value, forward, at, tuple(at[i] for i in movers)))
            if backward is not None:
                returns.append((backward, slot, at, tuple(at[i] for i in targets)))
        slot += 1
    for _, _, _, returns in runs:
        returns.reverse()
    _TAPES[key] = runs
    return runs


def _step(function: Any, condition: bool, several: bool) -> Any:
    """A function of a kind as the tape calls it: on plain floats as it is."""
    return function


def _numpy_step(function: Any, condition: bool, several: bool) -> Any:
    """With results of float64, so that what comes after has IEEE arithmetic."""
    if condition:
        return function
    if several:
        return lambda *at: tuple(np.float64(share) for share in function(*at))
    return lambda *at: np.float64(function(*at))


def _array_step(function: Any, condition: bool, several: bool) -> Any:
    """On arrays; these functions are given the number of points, which they do not need here, and return a tuple."""
    if function is float:
        return np.float64
    return (lambda *at: function(0, *at)) if several else (lambda *at: function(0, *at)[0])


def _choosing(own: Any, backward: Any) -> Any:
    """The backward function of a kind that asks `choose` at a tie, or the usual one."""
    return own if own is not None else lambda *at: backward(*at[:-1])


def _reached(tests: Any, v: Sequence[Any]) -> bool:
    """Whether the branch of a run is taken."""
    return all(v[guard] is not None and bool(v[guard]) == truth for guard, truth in tests)


def _run_tape(runs: Sequence[Any], v: list[Any], d: list[Any] | None = None, back: bool = True) -> list[Any]:
    """Append the value of every step to v, and its tangent to d; None where it is not reached, or does not move.

    `back`: whether these values may be run backward.
    """
    if not isinstance(runs, list):
        return _run_levels(runs, v, None, back)  # type: ignore[no-any-return]
    append = v.append
    for tests, _, steps, _ in runs:
        if tests and not _ARRAYS and not _reached(tests, v):
            v.extend([None] * len(steps))
            if d is not None:
                d.extend([None] * len(steps))
            continue
        for value, forward, at, movers in steps:
            if value is None:
                append(at)
            elif value == "pick":
                append(_pick(v[at[0]], v[at[1]], v[at[2]]))
            elif len(at) == 2:
                append(value(v[at[0]], v[at[1]]))
            elif len(at) == 1:
                append(value(v[at[0]]))
            else:
                append(value(*[v[i] for i in at]))
            if d is None:
                continue
            if value == "pick":
                d.append(_pick(v[at[0]], _moved(d[at[1]]), _moved(d[at[2]])))
            else:
                d.append(
                    forward(*[v[i] for i in at], v[-1], *[_moved(d[i]) for i in movers]) if forward else None
                )
    return v


def _run_both(runs: Sequence[Any], v: list[Any], d: list[Any]) -> tuple[Any, Any]:
    """The values and the tangents of all slots."""
    if not isinstance(runs, list):
        return _run_levels(runs, v, d)  # type: ignore[no-any-return]
    return _run_tape(runs, v, d), d


def _run_choosing(
    runs: Sequence[Any], v: list[Any], choose: Any, branches: dict[int, tuple[int, int]]
) -> list[Any]:
    """As `_run_tape`, but `choose` is asked for the outcome of the comparisons that decide branches.

    `branches`: of each, by its slot, the slots of its left and right side.
    """
    choose.slot = None
    for tests, _, steps, _ in runs:
        if tests and not _reached(tests, v):
            v.extend([None] * len(steps))
            continue
        for value, _, at, _ in steps:
            if value is None:
                found = at
            else:
                found = (_pick if value == "pick" else value)(*[v[i] for i in at])
            if len(v) in branches:
                left, right = branches[len(v)]
                found = choose.branch(str(len(v)), found, v[left] == v[right])
            v.append(found)
    return v


def _moved(tangent: Any) -> Any:
    return 0.0 if tangent is None else tangent


def _pick(guard: Any, then: Any, orelse: Any) -> Any:
    if _ARRAYS:
        return np.where(guard, then, orelse)
    return then if guard else orelse


def _result(v: Any, slot: int) -> Any:
    """The value of a slot: a plain float at one point."""
    if isinstance(v, list):
        return v[slot]
    levels, run = v
    found = run.values[levels.row[slot]]
    return float(found) if found.ndim == 0 else found.copy()


def _freed(v: Any, answer: Any) -> Any:
    """The answer; the values are not looked at any more, and their arrays are kept for the next run."""
    if not isinstance(v, list):
        _put_back(*v)
    return answer


def _run_back(runs: Sequence[Any], v: Sequence[Any], seeds: dict[int, Any], choose: Any = None) -> list[Any]:
    """The cotangents of the slots, or of the inputs alone, from those of the slots of `seeds`.

    They are added up from the last step to the first. `choose`: see _Choices.
    """
    if not isinstance(runs, list):
        return _back_levels(runs, v[1], seeds)
    c: list[Any] = [None] * len(v)
    for slot, seed in seeds.items():
        c[slot] = seed
    for tests, _, _, returns in reversed(runs):
        if tests and not _ARRAYS and not _reached(tests, v):
            continue
        for backward, slot, at, targets in returns:
            g = c[slot]
            if g is None:
                continue
            if backward is None:
                targets, shares = _pick_back(v[at[0]], at, g)
            elif choose is not None:
                choose.slot = slot
                shares = backward(*[v[i] for i in at], v[slot], g, choose)
            elif len(at) == 2:
                shares = backward(v[at[0]], v[at[1]], v[slot], g)
            elif len(at) == 1:
                shares = backward(v[at[0]], v[slot], g)
            else:
                shares = backward(*[v[i] for i in at], v[slot], g)
            if _ARRAYS and tests:
                shares = tuple(_where_reached(tests, v, share) for share in shares)
            target = targets[0]
            before = c[target]
            c[target] = shares[0] if before is None else before + shares[0]
            for target, share in zip(targets[1:], shares[1:], strict=True):
                before = c[target]
                c[target] = share if before is None else before + share
    return c


def _pick_back(guard: Any, at: tuple[int, int, int], g: Any) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """The cotangent of what was picked goes to the arm that was taken."""
    if _ARRAYS:
        return at[1:], (np.where(guard, g, 0.0), np.where(guard, 0.0, g))
    return (at[1] if guard else at[2],), (g,)


def _where_reached(tests: Any, v: Sequence[Any], share: Any) -> Any:
    """The share of a step under a branch, 0 at the points that do not take it."""
    for guard, truth in tests:
        share = np.where(v[guard], share, 0.0) if truth else np.where(v[guard], 0.0, share)
    return share


def _tests_of(runs: Sequence[Any]) -> dict[int, Any]:
    """The guards of every slot that is under a branch."""
    if not isinstance(runs, list):
        return {}
    return {start + i: tests for tests, start, steps, _ in runs if tests for i in range(len(steps))}


def _check(runs: Sequence[Any], v: Sequence[Any], checks: Sequence[tuple[int, str]]) -> None:
    """Raise ValueError for the first condition that does not hold, of (slot, what is to be said)."""
    tests_of = _tests_of(runs)
    for slot, text in checks:
        found = _result(v, slot)
        held = True if found is None else found
        for guard, truth in tests_of.get(slot, ()):
            held = held | (v[guard] != truth)
        if not np.all(held):
            raise ValueError(text)


def _signs(runs: Sequence[Any], v: Sequence[Any], guards: Sequence[Sequence[int]]) -> list[Any]:
    """The sign of left - right for each (left, right, out): 2 where NaN is compared, -128 where out is not reached."""
    if not isinstance(runs, list):
        return _level_signs(runs, v[1], guards)
    signs = [_sign_of(v[left], v[right]) if v[out] is not None else -128 for left, right, out in guards]
    if _ARRAYS:
        tests_of = _tests_of(runs)
        for place, (_, _, out) in enumerate(guards):
            for guard, truth in tests_of.get(out, ()):
                signs[place] = np.where(v[guard] == truth, signs[place], -128)
    return signs


def _sign_of(left: Any, right: Any) -> Any:
    if _ARRAYS:
        return np.where(left < right, -1, np.where(left > right, 1, np.where(left == right, 0, 2)))
    return -1 if left < right else 1 if left > right else 0 if left == right else 2


def _sweep_tape(
    function: Callable[..., Any], arrays: Sequence[Any], out: Sequence[Any] | None = None
) -> list[Any]:
    """The results of `function` at all the points of `arrays`, a few at a time: every value of a block is kept."""
    on_arrays = FunctionType(function.__code__, _ARRAY_NAMES)
    lead = np.broadcast_shapes(*(array.shape for array in arrays))
    columns = [np.broadcast_to(array, lead).reshape(-1) for array in arrays]
    count = int(np.prod(lead))
    by_level = not isinstance(_ARRAY_NAMES["_tape"](_TAPE, _KINDS, _ARRAY_NAMES, _COUNT), list)
    width = max(20, min(4096, 2 ** (20 if by_level else 23) // _LENGTH))
    results: list[Any] = []
    with np.errstate(all="ignore"):
        for begin in range(0, max(count, 1), width):
            found = _flat_results(on_arrays(*(column[begin : begin + width] for column in columns)))
            if not results:
                results = [np.empty(count) for _ in found]
            for result, part in zip(results, found, strict=True):
                result[begin : begin + width] = part
    _drop_wide()
    shaped = [result.reshape(lead) for result in results]
    if out is None:
        return shaped
    for target, result in zip(out, shaped, strict=True):
        target[...] = result
    return list(out)


def _flat_results(found: Any) -> list[Any]:
    if isinstance(found, tuple | list):
        return [part for entry in found for part in _flat_results(entry)]
    return [found]


_ARRAY_NAMES: dict[str, Any] = {}  # the names of a module as arrays have them; the module fills it
# What a module sets: its tape and the kinds on it, how many inputs there are, and the steps of the longest tape.
_TAPE, _COUNT, _LENGTH = "", 0, 1
_KINDS: dict[str, Any] = {}


TABLE: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in globals().items()
    if name.startswith("_") and not name.startswith("__") and inspect.isfunction(function)
}
