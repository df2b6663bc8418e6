"""Functions that a generated module carries to run a tape: forward, with tangents, and backward.

Each is written as it stands in the module, like point_functions.py. A tape is a list of runs (tests, start, steps): the
steps of a run are under the same branch, `tests` are its guards as (slot, truth). A step is (value, forward, backward,
arguments, targets): functions, slots of the arguments, slots of the shares.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

_TAPES: dict[Any, Any] = {}


def _tape(text: str, kinds: dict[str, Any], names: dict[str, Any], count: int, ending: str, wrap: Any) -> list[Any]:
    """The runs of a tape's text; `names` has the functions, `ending` says which of them, `wrap` makes numbers."""
    key = (id(names), len(text), ending)
    if key in _TAPES:
        return _TAPES[key]  # type: ignore[no-any-return]
    table = {
        name: (
            wrap(names[f"_{name}_tape{ending}"], condition, False),
            wrap(names[f"_{name}_forward{ending}"], False, False) if moves else None,
            wrap(names[f"_{name}_backward{ending}"], False, True) if targets else None,
            targets,
        )
        for name, (moves, targets, condition) in kinds.items()
    }
    number = wrap(float, False, False) if ending == "" else np.float64
    steps: list[Any] = []
    runs = [((), count, steps)]
    slot = count
    for line in text.split("\n"):
        word, *rest = line.split()
        if word == "@":
            continue
        if word == "if":
            steps = []
            runs.append((tuple((int(test[:-1]), test[-1] == "+") for test in rest), slot, steps))  # type: ignore[arg-type]
            continue
        if word == "k":
            steps.append((None, None, None, number(float(rest[0])), ()))
        elif word == "b":
            steps.append((None, None, None, rest[0] == "1", ()))
        elif word == "pick":
            steps.append(("pick", None, None, tuple(map(int, rest)), ()))
        else:
            value, forward, backward, targets = table[word]
            arguments = tuple(map(int, rest))
            steps.append((value, forward, backward, arguments, tuple(arguments[place] for place in targets)))
        slot += 1
    _TAPES[key] = runs
    return runs


def _plain_step(function: Any, condition: bool, several: bool) -> Any:
    return function


def _numpy_step(function: Any, condition: bool, several: bool) -> Any:
    """The function with float64 results, so that what comes after has IEEE arithmetic."""
    if condition:
        return function
    if several:
        return lambda *arguments: tuple(np.float64(share) for share in function(*arguments))
    return lambda *arguments: np.float64(function(*arguments))


def _array_step(function: Any, condition: bool, several: bool) -> Any:
    """Functions of arrays take the number of points first, and return a tuple."""
    return function if several else lambda *arguments: function(*arguments)[0]


def _reached(tests: Any, v: Sequence[Any]) -> bool:
    """Whether the run of a branch is taken."""
    return all(v[guard] is not None and bool(v[guard]) == truth for guard, truth in tests)


def _run_tape(runs: Sequence[Any], v: list[Any], d: list[Any] | None) -> None:
    """Append the value of every step to v, and its tangent to d; None where it is not reached, or does not move."""
    for tests, _, steps in runs:
        if tests and not _reached(tests, v):
            v.extend([None] * len(steps))
            if d is not None:
                d.extend([None] * len(steps))
            continue
        for value, forward, _, arguments, _ in steps:
            if value is None:
                v.append(arguments)
            elif value == "pick":
                chosen = arguments[1] if v[arguments[0]] else arguments[2]
                v.append(v[chosen])
                if d is not None:
                    d.append(0.0 if d[chosen] is None else d[chosen])
                continue
            elif len(arguments) == 2:
                v.append(value(v[arguments[0]], v[arguments[1]]))
            else:
                v.append(value(*[v[place] for place in arguments]))
            if d is not None:
                moving = [d[place] for place in arguments if d[place] is not None] if forward else []
                d.append(forward(*[v[place] for place in arguments], v[-1], *moving) if moving else None)


def _run_back(runs: Sequence[Any], v: Sequence[Any], c: list[Any], choose: Any) -> None:
    """Add to c[slot] the cotangent of every slot, from the last step to the first. `choose`: see _Choices."""
    for tests, start, steps in reversed(runs):
        if tests and not _reached(tests, v):
            continue
        slot = start + len(steps)
        for value, _, backward, arguments, targets in reversed(steps):
            slot -= 1
            g = c[slot]
            if g is None:
                continue
            if value == "pick":
                targets = (arguments[1] if v[arguments[0]] else arguments[2],)
                shares = (g,)
            elif backward is None:
                continue
            elif choose is not None:
                shares = choose.shares(backward, slot, [*[v[place] for place in arguments], v[slot], g])
            elif len(arguments) == 2:
                shares = backward(v[arguments[0]], v[arguments[1]], v[slot], g)
            else:
                shares = backward(*[v[place] for place in arguments], v[slot], g)
            for target, share in zip(targets, shares, strict=True):
                before = c[target]
                c[target] = share if before is None else before + share


TABLE: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in globals().items()
    if name.startswith("_") and not name.startswith("__") and inspect.isfunction(function)
}
