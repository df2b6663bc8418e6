"""Comparisons, asked pair by pair -> what kinks, extrema and orders choose by their answers.

An engine that knows signs by asking (affine_machine.py, general_walk.py) gives the question as a function: it returns
-1, 0, 1 or UNORDERED, or raises where there is no answer yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any, TypeAlias

import numpy as np

from cfcompiler.arithmetic import UNORDERED, Array
from cfcompiler.ir import Apply

Place: TypeAlias = "tuple[int, ...]"
Ask: TypeAlias = Callable[[Place, Any, Any], int]  # about the entries at a place, or the two places in a row


def codes_of(left: Array, right: Array, ask: Ask) -> np.ndarray:
    """The answers for all entries of two arrays."""
    left, right = np.broadcast_arrays(left, right)
    codes = np.empty(left.shape, dtype=np.int8)
    for place in np.ndindex(left.shape):
        codes[place] = ask(place, left[place], right[place])
    return codes


def chosen(codes: np.ndarray, above: Array, below: Array, nan: Any) -> Array:
    """The value of a kink."""
    value = np.where(codes == -1, below, above)
    return np.where(codes == UNORDERED, nan, value) if np.any(codes == UNORDERED) else value


def pair_code(row: Sequence[Any], one: int, other: int, ask: Ask) -> int:
    """The sign of row[one] - row[other]; what is asked has the earlier place first."""
    first, second = min(one, other), max(one, other)
    code = ask((first, second), row[first], row[second])
    return code if one == first or code == UNORDERED else -code


def extreme_places(row: Sequence[Any], sense: str, *, last: bool, ask: Ask) -> tuple[int, list[int]]:
    """The place of the first (last) extreme entry or NaN, and the places of all that are tied for it."""
    best, tied = 0, [0]
    for place in range(1, len(row)):
        code = pair_code(row, place, best, ask)
        if code == UNORDERED:
            best = place if row[place] == "nan" and (last or row[best] != "nan") else best
            tied = [best]
        elif code == (1 if sense == "max" else -1):
            best, tied = place, [place]
        elif code == 0:
            tied.append(place)
            best = place if last else best
    return best, tied


def sorted_places(row: Sequence[Any], instruction: Apply, ask: Ask) -> list[int]:
    """The places in the order of an `order` instruction: NaN the largest, ties by place, reversed under `last`."""
    sign = -1 if instruction.attribute("descending") else 1

    def compare(i: int, j: int) -> int:
        code = pair_code(row, i, j, ask)
        if code == UNORDERED:
            code = int(row[i] == "nan") - int(row[j] == "nan")
        return sign * code

    places = list(range(len(row)))
    if instruction.attribute("last"):
        places.reverse()
    places.sort(key=cmp_to_key(compare))
    return places
