"""The zeros of a function of two numbers in a box -> polylines: marching squares, with every crossing pinned down.

Only signs are looked at, so that seams of any kind can be traced. An equation whose function touches zero without a
change of sign, as (x - y)**2 does, is traced by its square-free part, which changes sign along every curve of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import flint
import numpy as np

from cfcompiler.analyses.formula_values import floats, rational

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Sign: TypeAlias = Callable[[Floats], Any]  # points (n, 2) -> +1, -1, or 0 where the sign is of no account
Box: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
Path: TypeAlias = tuple[tuple[float, float], ...]

CELLS = 173  # a prime: round numbers, where the seams of programs like to be, are no nodes
_HALVINGS = 52
# Which edges of a cell a path goes through, by the corners above 0: 1 low left, 2 low right, 4 high right, 8 high left;
# edges: 0 low, 1 right, 2 high, 3 left.
_EDGES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((3, 0),), 2: ((0, 1),), 3: ((3, 1),), 4: ((1, 2),), 5: ((3, 0), (1, 2)), 6: ((0, 2),), 7: ((3, 2),),
    8: ((2, 3),), 9: ((2, 0),), 10: ((0, 1), (2, 3)), 11: ((2, 1),), 12: ((1, 3),), 13: ((1, 0),), 14: ((0, 3),),
}  # fmt: skip


def sign_of(equations: Sequence[str], names: Sequence[str]) -> Sign:
    """The sign of a function that is 0, and changes its sign, where all `equations` vanish on a curve."""
    texts = _changing(equations, names)

    def sign(points: Floats) -> Any:
        value = floats(texts, dict(zip(names, points.T, strict=True)))
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(value), np.where(np.asarray(value) >= 0, 1, -1), 0)

    return sign


def _changing(equations: Sequence[str], names: Sequence[str]) -> str:
    """The square-free greatest common divisor as a text; the first equation where that is no polynomial."""
    context = flint.fmpq_mpoly_ctx.get([f"z{k}" for k in range(len(names))], "lex")
    point = dict(zip(names, context.gens(), strict=True))
    try:
        parts = [
            rational(text, point, lambda x: context.constant(flint.fmpq(x.numerator, x.denominator)))
            for text in equations
        ]
    except (TypeError, ValueError):  # NotRational among them
        return equations[0]
    found = parts[0]
    for part in parts[1:]:
        found = found.gcd(part)
    _, factors = found.factor_squarefree()
    text = "*".join(f"({factor})" for factor, _ in factors) or "1"
    text = text.replace("^", "**")
    for k, name in reversed(list(enumerate(names))):
        text = text.replace(f"z{k}", name)
    return text


def traced(sign: Sign, box: Box, cells: int = CELLS) -> tuple[Path, ...]:
    """The polylines along which `sign` changes in the box."""
    xs, ys = (np.linspace(low, high, cells + 1) for low, high in box)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1)  # [row, column]
    signs = sign(grid.reshape(-1, 2)).reshape(cells + 1, cells + 1)
    segments, ends = _segments(signs)
    if not segments:
        return ()
    edges = list(ends)
    starts = np.array([grid[ends[edge][0]] for edge in edges])
    stops = np.array([grid[ends[edge][1]] for edge in edges])
    crossings = _crossings(sign, starts, stops)
    places = {edge: (float(x), float(y)) for edge, (x, y) in zip(edges, crossings, strict=True)}
    return tuple(tuple(places[edge] for edge in chain) for chain in _chains(segments))


Edge: TypeAlias = tuple[int, int, int]  # row, column, 0 for along x and 1 for along y
Node: TypeAlias = tuple[int, int]


def _segments(signs: Any) -> tuple[list[tuple[Edge, Edge]], dict[Edge, tuple[Node, Node]]]:
    """Pairs of edges that a path joins within one cell, and the nodes of these edges."""
    above = signs > 0
    kinds = above[:-1, :-1] + 2 * above[:-1, 1:] + 4 * above[1:, 1:] + 8 * above[1:, :-1]
    known = (signs[:-1, :-1] != 0) & (signs[:-1, 1:] != 0) & (signs[1:, 1:] != 0) & (signs[1:, :-1] != 0)
    segments: list[tuple[Edge, Edge]] = []
    ends: dict[Edge, tuple[Node, Node]] = {}
    for row, column in np.argwhere(known & (kinds > 0) & (kinds < 15)):
        r, c = int(row), int(column)
        sides: tuple[Edge, ...] = ((r, c, 0), (r, c + 1, 1), (r + 1, c, 0), (r, c, 1))
        for one, other in _EDGES[int(kinds[r, c])]:
            segments.append((sides[one], sides[other]))
            for a, b, along in (sides[one], sides[other]):
                ends[a, b, along] = ((a, b), (a + along, b + 1 - along))
    return segments, ends


def _crossings(sign: Sign, starts: Floats, stops: Floats) -> Floats:
    """The point of each edge where the sign changes, by halving."""
    first = sign(starts)
    low, high = np.zeros(len(starts)), np.ones(len(starts))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        same = sign(starts + (stops - starts) * middle[:, None]) == first
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return starts + (stops - starts) * ((low + high) / 2)[:, None]


def _chains(segments: Sequence[tuple[Edge, Edge]]) -> list[list[Edge]]:
    """The segments joined end to end; a closed chain ends where it begins."""
    beside: dict[Edge, list[int]] = {}
    for count, segment in enumerate(segments):
        for edge in segment:
            beside.setdefault(edge, []).append(count)
    left = dict.fromkeys(range(len(segments)))
    found = []
    # open chains first: they begin at an edge with one segment
    order = [own[0] for own in beside.values() if len(own) == 1] + list(range(len(segments)))
    for start in order:
        if start not in left:
            continue
        del left[start]
        one, other = segments[start]
        chain = _followed([one, other], segments, beside, left)
        if chain[0] != chain[-1]:
            chain = _followed(chain[::-1], segments, beside, left)
        found.append(chain)
    return found


def _followed(
    chain: list[Edge],
    segments: Sequence[tuple[Edge, Edge]],
    beside: dict[Edge, list[int]],
    left: dict[int, None],
) -> list[Edge]:
    while True:
        end = chain[-1]
        step = next((count for count in beside[end] if count in left), None)
        if step is None:
            return chain
        del left[step]
        one, other = segments[step]
        chain.append(other if one == end else one)


def kept(path: Path, inside: Callable[[Floats], Any], sign: Sign, reach: float) -> list[Path]:
    """The parts of a path that are inside, with their ends pinned down; `reach`: the size of a cell."""
    points = np.array(path)
    held = inside(points)
    if held.all():
        return [path]
    parts: list[Path] = []
    start = 0
    while start < len(path):
        if not held[start]:
            start += 1
            continue
        stop = start
        while stop + 1 < len(path) and held[stop + 1]:
            stop += 1
        part = list(path[start : stop + 1])
        if start:
            part.insert(0, _end(points[start], points[start - 1], inside, sign, reach))
        if stop + 1 < len(path):
            part.append(_end(points[stop], points[stop + 1], inside, sign, reach))
        parts.append(tuple(part))
        start = stop + 1
    return parts


def _end(
    within: Floats, beyond: Floats, inside: Callable[[Floats], Any], sign: Sign, reach: float
) -> tuple[float, float]:
    """The last point of the path that is inside, between two neighbours on it."""
    low, high = 0.0, 1.0
    best = within
    for _ in range(30):
        middle = (low + high) / 2
        point = _onto(within + (beyond - within) * middle, beyond - within, sign, reach)
        if point is not None and inside(point[None])[0]:
            low, best = middle, point
        else:
            high = middle
    return float(best[0]), float(best[1])


def _onto(point: Floats, along: Floats, sign: Sign, reach: float) -> Floats | None:
    """The point of the path on the line through `point` across the direction `along`."""
    across = np.array([-along[1], along[0]])
    length = np.linalg.norm(across)
    if length == 0:
        return point
    across = across / length * reach / 4
    steps = np.linspace(-1, 1, 9)
    signs = sign(point + steps[:, None] * across)
    changes = np.flatnonzero((signs[1:] != signs[:-1]) & (signs[1:] != 0) & (signs[:-1] != 0))
    if not len(changes):
        return None
    k = changes[np.argmin(np.abs(changes + 0.5 - 4))]
    found: Floats = _crossings(
        sign, (point + steps[k] * across)[None], (point + steps[k + 1] * across)[None]
    )[0]
    return found
