"""A user's function and gradient, of any arguments, to functions of one vector.

The vector z counts from the point in units of `scale`: the arguments are `point + scale * z`. Slopes and gradients are
in these units too, until a report turns them back. A value that is no number, or a point where the function raises
ValueError or ArithmeticError (as `math.log(-1.0)` does), is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: the array the user gave, as floats, and whether it was an array at all."""

    value: NDArray[Any]
    is_scalar: bool

    def at(self, entries: Vector) -> Any:
        if self.is_scalar:
            return self.value.dtype.type(entries[0]) if self.value.dtype != np.float64 else float(entries[0])
        return entries.reshape(self.value.shape).astype(self.value.dtype)


@dataclass(frozen=True, slots=True)
class BlackBox:
    """f and grad at `point + scale * z`."""

    function: Callable[..., Any]
    derivative: Callable[..., Any]
    arguments: tuple[Argument, ...]
    several: bool
    point: Vector
    scale: Vector

    @property
    def size(self) -> int:
        return self.point.size

    def value(self, z: Vector) -> float:
        """f there, or NaN."""
        try:
            return self.checked_value(z)
        except (ValueError, ArithmeticError):
            return float("nan")

    def checked_value(self, z: Vector) -> float:
        """f there. Raises what f raises, and ValueError where the result is not one real number."""
        return _number(self._raw(z))

    def precision(self) -> float:
        """The rounding unit of what goes in or comes out, whichever is coarser."""
        names = [str(argument.value.dtype) for argument in self.arguments]
        names.append(str(getattr(self._raw(np.zeros(self.size)), "dtype", "float64")))
        units = (("bfloat16", 2.0**-8), ("float16", 2.0**-11), ("float32", 2.0**-24))
        found = [unit for name in names for key, unit in units if name.removeprefix("torch.") == key]
        return max(found, default=2.0**-53)

    def _raw(self, z: Vector) -> Any:
        with np.errstate(all="ignore"):
            return self.function(*self._inputs(z))

    def gradient(self, z: Vector) -> Vector | None:
        """The user's gradient there, in units of `scale`; None where it raises ValueError or ArithmeticError."""
        try:
            return self.checked_gradient(z)
        except (ValueError, ArithmeticError):
            return None

    def checked_gradient(self, z: Vector) -> Vector:
        """The same. Raises ValueError where its shape is not that of the arguments."""
        with np.errstate(all="ignore"):
            given = self.derivative(*self._inputs(z))
        if not self.several:
            return _entries(given, self.arguments[0], "the gradient") * self.scale
        if not isinstance(given, tuple | list) or len(given) != len(self.arguments):
            count = f"{len(given)}" if isinstance(given, tuple | list) else type(given).__name__
            raise ValueError(
                f"the gradient has {count} in place of {len(self.arguments)} parts, one an argument"
            )
        parts = [
            _entries(part, argument, f"part {place} of the gradient")
            for place, (part, argument) in enumerate(zip(given, self.arguments, strict=True))
        ]
        return np.concatenate(parts) * self.scale

    def _inputs(self, z: Vector) -> list[Any]:
        # A fresh copy each time: a function may write into what it is given.
        ends = np.cumsum([argument.value.size for argument in self.arguments])[:-1]
        return [
            argument.at(part)
            for argument, part in zip(
                self.arguments, np.split(self.point + self.scale * z, ends), strict=True
            )
        ]


def black_box(function: Callable[..., Any], derivative: Callable[..., Any], x: Any) -> BlackBox:
    """Raises ValueError where x holds no numbers, or numbers that are not finite and real."""
    several = isinstance(x, tuple)
    arguments = tuple(_argument(part, place) for place, part in enumerate(x if several else (x,)))
    if not sum(argument.value.size for argument in arguments):
        raise ValueError("x has no entries")
    point = np.concatenate([argument.value.astype(np.float64).ravel() for argument in arguments])
    if not np.isfinite(point).all():
        raise ValueError("x has entries that are not finite")
    return BlackBox(function, derivative, arguments, several, point, np.maximum(np.abs(point), 1.0))


def _argument(part: Any, place: int) -> Argument:
    array = np.asarray(part)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"argument {place} is of type {array.dtype}, not of real numbers")
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    return Argument(array, is_scalar=not isinstance(part, np.ndarray) and array.ndim == 0)


def _number(given: Any) -> float:
    if isinstance(given, float | int):
        return float(given)
    shape = tuple(getattr(given, "shape", ()))
    if np.prod(shape, dtype=int) != 1:
        raise ValueError(f"f must return one number, and returns shape {shape}")
    number = given.item() if hasattr(given, "item") else given
    if isinstance(number, complex):
        raise ValueError("f must return a real number, and returns a complex one")
    return float(number)


def _entries(given: Any, argument: Argument, name: str) -> Vector:
    array = np.asarray(given)
    if array.shape != argument.value.shape:
        raise ValueError(f"{name} has shape {array.shape}, and its argument {argument.value.shape}")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} is of type {array.dtype}, not of real numbers")
    return array.astype(np.float64).ravel()
