"""The indices of a `take` to what they are: strided views of an array, or a sum of one vector an axis.

Pooling takes its windows out of a vector or a matrix; entry number j of every window together is one strided view, so
an extremum over windows is an extremum of a few views.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from cfcompiler.ir import Shape

# One view: (start, stop, step) for each axis.
Window = tuple[tuple[int, int, int], ...]
MOST_WINDOWS = 64
SIDE_BY_SIDE = 1 << 15  # windows that are gone through together: their numbers stay in the cache


@dataclass(frozen=True, slots=True)
class Windows:
    """Entry number j of every window is the view number j of an array of the shape `source`.

    corners: the place of entry 0 of each window; reach: how far behind it the last one is; apart: no two windows share
    an entry.
    """

    views: tuple[Window, ...]
    corners: np.ndarray
    reach: int
    apart: bool

    @property
    def shape(self) -> Shape:
        return self.corners.shape

    @property
    def views_text(self) -> str:
        rows = (f"np.s_[{', '.join(map(_slice, view))},]" for view in self.views)
        return f"({', '.join(rows)})"

    @property
    def together(self) -> Shape:
        """The shape of the windows that are gone through together: some rows of them."""
        return min(self.shape[0], max(1, SIDE_BY_SIDE // prod(self.shape[1:]))), *self.shape[1:]

    @property
    def corners_text(self) -> str:
        """The corners of the first windows that are gone through together."""
        first = self.corners[: self.together[0]]
        return f"{places_text(tuple(first.reshape(-1).tolist()), first.shape)}.reshape({first.shape})"

    @property
    def size(self) -> int:
        """From the corner of the first windows to that of the next ones."""
        rows = self.together[0]
        return int(self.corners[rows].flat[0] - self.corners.flat[0]) if rows < self.shape[0] else 0

    @property
    def places(self) -> tuple[str, int]:
        """The type of numbers up to `reach` and one more, and how many float64 have room for one of each window."""
        kind = np.min_scalar_type(self.reach + 1)
        return f"np.{kind.name}", -(-self.corners.size * kind.itemsize // 8)


def windows_of(indices: tuple[int, ...], source: Shape, shape: Shape) -> Windows | None:
    """The views, if `take` gathers windows along its last axis, all of one form, their entries ascending; else None."""
    axes = len(source)
    if axes not in (1, 2) or len(shape) != axes + 1 or not 1 < shape[-1] <= MOST_WINDOWS or 0 in shape:
        return None
    places = np.reshape(np.array(indices), shape)
    if (np.diff(places) <= 0).any() or (np.diff(places - places[..., :1], axis=0) != 0).any():
        return None
    views: list[Window] = []
    for entry in range(shape[-1]):
        lines = np.unravel_index(places[..., entry], source)
        view = [_along(line, axis) for axis, line in enumerate(lines)]
        if any(part is None for part in view):
            return None
        views.append(tuple(part for part in view if part is not None))
    reach = int(places.flat[shape[-1] - 1] - places.flat[0])
    return Windows(tuple(views), places[..., 0], reach, len(np.unique(places)) == len(indices))


def _along(line: np.ndarray, axis: int) -> tuple[int, int, int] | None:
    """Places along one axis as a slice, if they do not depend on the other one."""
    line = np.moveaxis(line, axis, 0).reshape((line.shape[axis], -1))
    return None if (line != line[:, :1]).any() else _stepped(line[:, 0])


def _stepped(line: np.ndarray) -> tuple[int, int, int] | None:
    """A rising arithmetic progression as a slice."""
    step = int(line[1] - line[0]) if len(line) > 1 else 1
    if step < 1 or (np.diff(line) != step).any():
        return None
    return int(line[0]), int(line[-1]) + 1, step


def _slice(part: tuple[int, int, int]) -> str:
    return f"{part[0]}:{part[1]}:{part[2]}"


def places_text(indices: tuple[int, ...], shape: Shape) -> str:
    """Indices as an array without axes lost: a sum over axes where they are one, else the list."""
    if len(indices) != prod(shape) or len(indices) < 16 or not shape:
        return f"np.array({list(indices)})"
    places = np.reshape(np.array(indices), shape)
    lines = []
    for axis in range(len(shape)):
        line = places[tuple(slice(None) if other == axis else 0 for other in range(len(shape)))]
        lines.append(line - (line[0] if axis else 0))
    total = lines[0].reshape((-1, *[1] * (len(shape) - 1)))
    for axis, line in enumerate(lines[1:], start=1):
        total = total + line.reshape((-1, *[1] * (len(shape) - 1 - axis)))
    if (np.broadcast_to(total, shape) != places).any():
        return f"np.array({list(indices)})"
    terms = [_line_text(line, len(shape) - 1 - axis) for axis, line in enumerate(lines)]
    return f"({' + '.join(terms)}).reshape(-1)"


def _line_text(line: np.ndarray, behind: int) -> str:
    step = int(line[1] - line[0]) if len(line) > 1 else 1
    axes = f"[:, {', '.join(['None'] * behind)}]" if behind else ""
    if step > 0 and (np.diff(line) == step).all():
        return f"np.arange({line[0]}, {int(line[-1]) + 1}, {step}){axes}"
    return f"np.array({line.tolist()}){axes}"
