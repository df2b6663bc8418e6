"""The indices of a `take` to what they are: strided views of a matrix, or a sum of one vector an axis.

Pooling takes its windows out of a matrix; entry number j of every window together is one strided view, so an
extremum over windows is an extremum of a few views, with nothing copied.
"""

from __future__ import annotations

from math import prod

import numpy as np

from cfcompiler.ir import Shape

# One view: rows (start, stop, step) and columns (start, stop, step).
Window = tuple[tuple[int, int, int], tuple[int, int, int]]
MOST_WINDOWS = 16


def windows_of(indices: tuple[int, ...], source: Shape, shape: Shape) -> tuple[Window, ...] | None:
    """The views, if `take` gathers windows of a matrix along its last axis; else None."""
    if len(source) != 2 or len(shape) != 3 or not 1 < shape[2] <= MOST_WINDOWS or 0 in shape:
        return None
    places = np.reshape(np.array(indices), shape)
    rows, columns = np.divmod(places, source[1])
    found: list[Window] = []
    for entry in range(shape[2]):
        down, across = rows[:, :, entry], columns[:, :, entry]
        if (down != down[:, :1]).any() or (across != across[:1]).any():
            return None
        steps = [_stepped(line) for line in (down[:, 0], across[0])]
        if steps[0] is None or steps[1] is None:
            return None
        found.append((steps[0], steps[1]))
    return tuple(found)


def _stepped(line: np.ndarray) -> tuple[int, int, int] | None:
    """A rising arithmetic progression as a slice."""
    step = int(line[1] - line[0]) if len(line) > 1 else 1
    if step < 1 or (np.diff(line) != step).any():
        return None
    return int(line[0]), int(line[-1]) + 1, step


def windows_text(windows: tuple[Window, ...]) -> str:
    rows = (f"np.s_[{_slice(down)}, {_slice(across)}]" for down, across in windows)
    return f"({', '.join(rows)})"


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
