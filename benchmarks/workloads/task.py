"""What one contestant does in one case: the thing that is timed and the thing that is compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Arrays: TypeAlias = Sequence[np.ndarray]
Prepare: TypeAlias = Callable[[str], "Task"]


@dataclass(frozen=True, slots=True)
class Task:
    """`run` is timed and does `units` points or calls; `answer` gives value and gradients, for comparison."""

    run: Callable[[], object]
    answer: Callable[[], Arrays]
    units: int = 1


class Unavailable(Exception):
    """A contestant that cannot enter; the text says why: not installed, or no way to say the program."""


def flat(*results: Any) -> list[np.ndarray]:
    """Values and gradients, however nested, as float64 arrays in order."""
    arrays: list[np.ndarray] = []
    for result in results:
        if isinstance(result, tuple | list):
            arrays.extend(flat(*result))
        else:
            arrays.append(np.atleast_1d(np.asarray(result, dtype=np.float64)))
    return arrays
