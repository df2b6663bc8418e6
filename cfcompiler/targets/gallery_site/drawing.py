"""Curve | Map -> a small inline SVG: what AD returns over one input, or the strata over two, with marks of verdicts.

On a curve the ink line is what AD returns, the pale one the function itself; a mark shows AD at a tie, an open dot the
gradient there, a bar the Clarke subdifferential. A map shows open strata in tints, lines and points by their verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from math import isfinite

from cfcompiler.report import Curve, Dot, Map
from cfcompiler.targets.marks import MARKS, Mark

WIDTH, HEIGHT = 240.0, 140.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 6.0, 6.0, 8.0, 18.0
_TINTS = 3
_POINTS = 160  # of a line, at most
Path = Sequence[tuple[float, float]]


def drawing(picture: Curve | Map, here: Sequence[float], *, small: bool) -> str:
    """An SVG element; `here`: where the point of the story is, () for nowhere; `small`: with fewer words."""
    inner = _curve(picture, here, small) if isinstance(picture, Curve) else _map(picture, here)
    if isinstance(picture, Curve):
        label = escape(f"what AD returns for {picture.program} over {picture.input}")
    else:
        label = escape(f"the strata of {picture.program} over {picture.inputs[0]} and {picture.inputs[1]}")
    frame = f'<rect class="frame" x="0.5" y="0.5" width="{WIDTH - 1:g}" height="{HEIGHT - 1:g}"/>'
    return f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{label}">{frame}{"".join(inner)}</svg>'


def symbol(verdict: str) -> str:
    """The mark of a verdict beside a word."""
    return f'<svg viewBox="-6 -6 12 12" aria-hidden="true">{_shape(MARKS[verdict], 0.0, 0.0, 5.0)}</svg>'


# curves


def _curve(curve: Curve, here: Sequence[float], small: bool) -> Iterator[str]:
    low, high = _range(
        [*(ad for arc in curve.arcs for ad in arc.ad), *_dot_values(curve.dots)], curve.ad_range
    )
    across = _Scale(curve.low, curve.high, _LEFT, WIDTH - _RIGHT)
    up = _Scale(low, high, HEIGHT - _BOTTOM, _TOP)
    values = _Scale(*_spread(curve.value_range), HEIGHT - _BOTTOM, _TOP)
    for arc in curve.arcs:
        yield from _lines("value", zip(arc.xs, arc.values, strict=True), across, values)
    if low < 0 < high:
        y = up(0.0)
        yield f'<path class="zero" d="M{_LEFT:g} {y:.1f}H{WIDTH - _RIGHT:g}"/>'
    for arc in curve.arcs:
        yield from _lines("curve", zip(arc.xs, arc.ad, strict=True), across, up)
    if here and curve.low <= here[0] <= curve.high:
        yield f'<path class="here" d="M{across(here[0]):.1f} {HEIGHT - 1:g}v-9"/>'
    for dot in curve.dots:
        yield from _dot(dot, across, up)
    yield f'<text x="{WIDTH - 6:g}" y="{HEIGHT - 5:g}" class="end">{escape(curve.input)}</text>'
    if not small:
        yield f'<text x="6" y="{HEIGHT - 5:g}">{curve.low:g} to {curve.high:g}</text>'


def _dot(dot: Dot, across: _Scale, up: _Scale) -> Iterator[str]:
    x = across(dot.x)
    if dot.clarke is not None and dot.clarke[0] < dot.clarke[1]:
        yield f'<path class="interval" d="M{x:.1f} {up(dot.clarke[0]):.1f}V{up(dot.clarke[1]):.1f}"/>'
    if dot.gradient is not None and dot.gradient != dot.ad:
        yield f'<circle class="open" cx="{x:.1f}" cy="{up(dot.gradient):.1f}" r="4"/>'
    if dot.verdict == "exact" and dot.ad == dot.gradient:
        return
    height = up(dot.ad) if dot.ad is not None else HEIGHT - _BOTTOM
    yield f'<g class="v-{dot.verdict}">{_shape(MARKS[dot.verdict], x, height, 6.0)}</g>'


def _dot_values(dots: Iterable[Dot]) -> Iterator[float | None]:
    for dot in dots:
        yield dot.ad
        yield dot.gradient
        yield from dot.clarke or ()


def _lines(
    name: str, points: Iterable[tuple[float, float | None]], across: _Scale, up: _Scale
) -> Iterator[str]:
    """Polylines through the points, broken where there is no number."""
    for there, part in groupby(points, lambda point: point[1] is not None):
        if there:
            path = [(across(x), up(y)) for x, y in part if y is not None]
            if len(path) > 1:
                yield f'<path class="{name}" d="{_path(path)}"/>'


# maps


def _map(map_: Map, here: Sequence[float]) -> Iterator[str]:
    (low, high), (bottom, top) = map_.box
    across = _Scale(low, high, 1.0, WIDTH - 1.0)
    up = _Scale(bottom, top, HEIGHT - 1.0, 1.0)
    yield from _raster(map_)
    for line in map_.lines:
        mark = MARKS[line.verdict]
        dashes = (
            f' stroke-dasharray="{" ".join(f"{2 * length:g}" for length in mark.dashes)}"'
            if mark.dashes
            else ""
        )
        for path in line.paths:
            d = _path([(across(x), up(y)) for x, y in _thinned(path)])
            yield f'<g class="v-{line.verdict}"><path class="line"{dashes} d="{d}"/></g>'
    for spot in map_.spots:
        x, y = spot.at
        yield f'<g class="v-{spot.verdict}">{_shape(MARKS[spot.verdict], across(x), up(y), 6.0)}</g>'
    if here and low <= here[0] <= high and bottom <= here[1] <= top:
        yield f'<circle class="here" cx="{across(here[0]):.1f}" cy="{up(here[1]):.1f}" r="9"/>'
    yield f'<text x="{WIDTH - 6:g}" y="{HEIGHT - 5:g}" class="end">{escape(map_.inputs[0])}</text>'
    yield f'<text x="5" y="14">{escape(map_.inputs[1])}</text>'


def _raster(map_: Map) -> Iterator[str]:
    """Runs of pixels of one stratum as rectangles, in tints that tell neighbours apart."""
    rows = len(map_.raster)
    columns = len(map_.raster[0]) if rows else 0
    if not columns:
        return
    wide, tall = WIDTH / columns, HEIGHT / rows
    drawn: dict[str, list[str]] = {}
    for number, row in enumerate(map_.raster):
        y = HEIGHT - (number + 1) * tall
        column = 0
        for stratum, run in groupby(row):
            length = len(list(run))
            drawn.setdefault(_tint(map_, stratum), []).append(
                f"M{column * wide:.1f} {y:.2f}h{length * wide:.1f}v{tall + 0.05:.2f}h{-length * wide:.1f}z"
            )
            column += length
    for name, runs in sorted(drawn.items()):
        if name:
            yield f'<path class="{name}" d="{"".join(runs)}"/>'


def _tint(map_: Map, stratum: int) -> str:
    if stratum < 0:
        return ""
    verdict = map_.strata[stratum].verdict
    return f"cell{stratum % _TINTS}" if verdict in ("exact", "clarke") else f"bad v-{verdict}"


def _thinned(path: Path) -> Path:
    if len(path) <= _POINTS:
        return path
    step = -(-len(path) // _POINTS)
    return [*path[::step], path[-1]]


# shapes and scales


class _Scale:
    """Numbers to places."""

    def __init__(self, low: float, high: float, first: float, last: float) -> None:
        self.low, self.first = low, first
        self.factor = (last - first) / (high - low)

    def __call__(self, number: float) -> float:
        place = self.first + (number - self.low) * self.factor
        return min(max(place, -1e4), 1e4)


def _range(numbers: Iterable[float | None], worth: tuple[float, float]) -> tuple[float, float]:
    """What is worth seeing, with all marks in it."""
    found = [number for number in numbers if number is not None and isfinite(number)]
    near = [number for number in found if worth[0] - 10 <= number <= worth[1] + 10]
    return _spread((min([worth[0], *near]), max([worth[1], *near])))


def _spread(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = ends
    room = (high - low) * 0.08 or 1.0
    return low - room, high + room


def _path(points: Path) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _shape(mark: Mark, x: float, y: float, r: float) -> str:
    """The shape of a verdict, round a place."""
    match mark.shape:
        case "circle":
            return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="{r * 0.8:.1f}"/>'
        case "diamond":
            return f'<path class="mark" d="M{x:.1f} {y - r:.1f}l{r:g} {r:g}l{-r:g} {r:g}l{-r:g} {-r:g}z"/>'
        case "triangle":
            return f'<path class="mark" d="M{x:.1f} {y - r:.1f}l{r:g} {1.7 * r:.1f}h{-2 * r:g}z"/>'
        case "square":
            s = 0.85 * r
            return f'<rect class="mark" x="{x - s:.1f}" y="{y - s:.1f}" width="{2 * s:.1f}" height="{2 * s:.1f}"/>'
        case "cross":
            s = 0.85 * r
            return (
                f'<path class="mark stroked" d="M{x - s:.1f} {y - s:.1f}l{2 * s:.1f} {2 * s:.1f}'
                f'M{x - s:.1f} {y + s:.1f}l{2 * s:.1f} {-2 * s:.1f}"/>'
            )
        case "bar":
            down = f"{y - r:.1f}v{2 * r:g}"
            return f'<path class="mark stroked" d="M{x - 2:.1f} {down}M{x + 2:.1f} {down}"/>'
    s = 0.7 * r
    return (
        f'<path class="mark stroked" d="M{x - s:.1f} {y - s:.1f}a{s:.1f} {s:.1f} 0 1 1 {s:.1f} {s:.1f}'
        f'v{0.5 * r:.1f}m0 {0.5 * r:.1f}v1"/>'
    )
