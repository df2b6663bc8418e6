"""A slice of a program -> numbers at many points at once, by its generated module: for drawing alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from cfcompiler.analyses.slices import Slice, free_name
from cfcompiler.arithmetic import nearest_floats
from cfcompiler.ir import Apply, Instruction, Program, Select, Value

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Run: TypeAlias = Callable[[Program], Mapping[str, Any]]  # a program to the names of its module


@dataclass(frozen=True, slots=True)
class Samples:
    """Of n points: f and what AD returns (n, moving), the sign of each guard (n, guards), whether the domain has it."""

    values: Floats
    ad: Floats
    signature: np.ndarray[Any, np.dtype[np.int8]]
    domain: np.ndarray[Any, np.dtype[np.bool_]]


class Sampler:
    """f and AD over the inputs that move. `run` compiles a program and gives the names of its module."""

    def __init__(self, own: Slice, run: Run) -> None:
        self._own = own
        self._module = run(own.drawn)
        bounds = _domain(own.drawn)
        self._domain = None if bounds is None else run(bounds)
        self._fixed = {name: nearest_floats(array) for name, array in own.point.items()}

    def at(self, points: Floats) -> Samples:
        """Numbers at `points` (n, moving)."""
        count = len(points)
        inputs = self._inputs(points)
        with np.errstate(all="ignore"):
            values, gradient = self._module["value_and_grad"](*inputs)
            signature = self._module["signature"](*inputs)
            domain = self._inside(inputs, count)
        names = [param.value.name for param in self._own.drawn.params if param.differentiable]
        rows = dict(zip(names, gradient if len(names) > 1 else (gradient,), strict=True))
        columns = [np.broadcast_to(_entry(rows[name], place), (count,)) for name, place in self._own.places]
        return Samples(
            np.array(np.broadcast_to(values, (count,)), dtype=np.float64),
            np.array(np.stack(columns, axis=-1), dtype=np.float64),
            np.array(np.broadcast_to(signature, (count, np.shape(signature)[-1]))),
            domain,
        )

    def _inputs(self, points: Floats) -> list[Floats]:
        inputs = []
        for param in self._own.drawn.params:
            name, shape = param.value.name, param.value.shape
            array = np.array(np.broadcast_to(self._fixed[name], (len(points), *shape)), dtype=np.float64)
            for column, (own, place) in enumerate(self._own.places):
                if own == name:
                    key: Any = (slice(None), *place)
                    array[key] = points[:, column]
            inputs.append(array)
        return inputs

    def _inside(self, inputs: list[Floats], count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if self._domain is None:
            return np.ones(count, dtype=bool)
        held = self._domain["value"](*inputs)
        parts = held if isinstance(held, tuple) else (held,)
        inside = np.ones(count, dtype=bool)
        for part in parts:
            flat = np.reshape(np.broadcast_to(part, (count, *np.shape(part)[1:])), (count, -1))
            inside &= np.all(flat > 0.5, axis=1)
        return inside


def _entry(array: Any, place: tuple[int, ...]) -> Any:
    key: Any = (..., *place)
    return np.asarray(array)[key]


def _domain(program: Program) -> Program | None:
    """1 where an assertion holds, else 0, for each that is outside all branches; None where there is none."""
    conditions = [own.condition for own in program.assertions if not own.condition.branch]
    if not conditions:
        return None
    one, zero = (Value(free_name(program, name)) for name in ("holds", "fails"))
    made: list[Instruction] = [
        Apply(one, "constant", (), (("value", Fraction(1)),)),
        Apply(zero, "constant", (), (("value", Fraction(0)),)),
    ]
    results = []
    for count, condition in enumerate(conditions):
        out = Value(free_name(program, f"assertion_{count}_"), condition.shape)
        made.append(Select(out, condition, one, zero, lazy=False))
        results.append(out)
    return replace(
        program, instructions=(*program.instructions, *made), results=tuple(results), assertions=()
    )
