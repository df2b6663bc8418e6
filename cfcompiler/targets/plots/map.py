"""Map -> Figure: cells shaded by f, the strata between them, the field of -AD, and paths of descent."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from cfcompiler.report import Descent, Map
from cfcompiler.targets.marks import ARTIFICIAL, MARKS
from cfcompiler.targets.plots.style import (
    GREY,
    INK,
    MINUS,
    PAPER,
    dashes,
    marker,
    star_handle,
    subtitle,
    title,
    unknown_note,
    verdict_handles,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _PANEL = 7.6, 4.7  # inches
_PATH = "#33302c"
# Pale grounds, one for each cell in turn; the verdict of a cell is said by its legend entry and, unless it is exact,
# by its colour.
_GROUNDS = ("#e8eef4", "#f4efe4", "#eaf3e8", "#f3e8ee", "#ecebf5", "#f5f3df", "#e4f3f3", "#f1ece6")
_LEVELS = 14


def map_figure(found: Map) -> Figure:
    """One panel over two inputs, with the legend beside it."""
    from matplotlib.figure import Figure

    top = 0.66 if subtitle(found) else 0.48
    height = _PANEL + 0.52 + top + (0.15 if found.unknown else 0.0)
    figure = Figure(figsize=(_WIDTH, height))
    bottom = 0.52 + (0.15 if found.unknown else 0.0)
    axes = figure.add_axes((0.085, bottom / height, _PANEL / (_WIDTH), _PANEL / height))
    title(figure, found)
    (left, right), (low, high) = found.box
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    axes.set_xlabel(found.inputs[0])
    axes.set_ylabel(found.inputs[1])
    _cells(axes, found)
    _field(axes, found)
    for line in found.lines:
        mark = MARKS[line.verdict]
        for path in line.paths:
            axes.plot(
                *zip(*path, strict=True),
                color=PAPER,
                linewidth=2.6 if line.verdict == "exact" else 4.0,
                zorder=4,
            )
        for path in line.paths:
            axes.plot(
                *zip(*path, strict=True),
                color=mark.light,
                linestyle=dashes(mark),
                linewidth=1.3 if line.verdict == "exact" else 2.2,
                zorder=4.1,
            )
    for descent in found.descents:
        _descent(axes, descent)
    for spot in found.spots:
        mark = ARTIFICIAL if spot.artificial_critical else MARKS[spot.verdict]
        axes.plot(
            *spot.at,
            marker=marker(mark),
            markersize=14 if spot.artificial_critical else 9,
            color=mark.light,
            markeredgecolor=mark.light if mark.shape == "bar" else PAPER,
            markeredgewidth=2.0 if mark.shape == "bar" else 1.0,
            zorder=8,
            clip_on=False,
        )
    figure.legend(
        handles=_legend(found),
        loc="upper left",
        bbox_to_anchor=(0.1 + _PANEL / (_WIDTH), (bottom + _PANEL) / height),
        labelspacing=0.8,
        handlelength=2.4,
        borderaxespad=0.0,
    )
    unknown_note(figure, found)
    return figure


def _cells(axes: Axes, found: Map) -> None:
    """A ground for each open stratum, darker where f is lower, with the level lines of f."""
    from matplotlib.colors import to_rgb

    raster = np.array(found.raster)
    values = np.array([[np.nan if v is None else v for v in row] for row in found.values], dtype=float)
    grounds: dict[int, Any] = {}
    for place in dict.fromkeys(int(k) for k in raster.ravel() if k >= 0):
        verdict = found.strata[place].verdict
        ground = _GROUNDS[len(grounds) % len(_GROUNDS)]
        grounds[place] = np.asarray(to_rgb(ground), dtype=float)
        if verdict != "exact":
            grounds[place] = 0.72 + 0.28 * np.asarray(to_rgb(MARKS[verdict].light), dtype=float)
    colors = np.ones((*raster.shape, 3))
    colors[(raster < 0) & np.isfinite(values)] = to_rgb("#efefef")
    for place, color in grounds.items():
        colors[raster == place] = color
    finite = np.isfinite(values)
    if finite.any():
        low, high = np.quantile(values[finite], [0.02, 0.98])
        if high > low:
            level = np.clip((np.where(finite, values, high) - low) / (high - low), 0, 1)
            colors *= (0.84 + 0.16 * level)[..., None]
            _levels(
                axes, found, np.ma.masked_invalid(np.clip(values, low - (high - low), high + (high - low)))
            )
    colors[(raster < 0) & ~finite] = 1.0
    (left, right), (bottom, top) = found.box
    axes.imshow(
        np.clip(colors, 0, 1),
        extent=(left, right, bottom, top),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        zorder=1,
    )


def _levels(axes: Axes, found: Map, values: Any) -> None:
    (left, right), (low, high) = found.box
    rows, columns = values.shape
    xs = left + (right - left) * (np.arange(columns) + 0.5) / columns
    ys = low + (high - low) * (np.arange(rows) + 0.5) / rows
    axes.contour(
        xs,
        ys,
        values,
        levels=_LEVELS,
        colors=[GREY],
        linewidths=0.5,
        linestyles="solid",
        alpha=0.45,
        zorder=2,
    )


def _field(axes: Axes, found: Map) -> None:
    """-AD as arrows whose length says little of its size, so that small ones are seen."""
    if not found.arrows:
        return
    xs, ys, us, vs = np.array(found.arrows).T
    (left, right), (low, high) = found.box
    us, vs = us / (right - left), vs / (high - low)  # directions as they are seen
    sizes = np.hypot(us, vs)
    moving = sizes > 0
    if not moving.any():
        return
    wanted = 0.034 * (sizes[moving] / np.max(sizes[moving])) ** 0.35
    axes.quiver(
        xs[moving],
        ys[moving],
        us[moving] / sizes[moving] * wanted,
        vs[moving] / sizes[moving] * wanted,
        color=GREY,
        alpha=0.75,
        scale=1.0,
        scale_units="width",
        units="width",
        width=0.0026,
        headwidth=4.5,
        headlength=5.0,
        headaxislength=4.5,
        pivot="middle",
        zorder=3,
    )


def _descent(axes: Axes, descent: Descent) -> None:
    xs, ys = zip(*descent.path, strict=True)
    axes.plot(xs, ys, color=_PATH, linewidth=0.8, marker="o", markersize=1.4, zorder=5)
    axes.plot(
        *descent.start,
        marker="o",
        markersize=6.5,
        color=PAPER,
        markeredgecolor=_PATH,
        markeredgewidth=1.3,
        zorder=6,
        clip_on=False,
    )
    if descent.stays:
        axes.plot(xs[-1], ys[-1], marker="s", markersize=3.6, color=INK, zorder=8.5, clip_on=False)


def _legend(found: Map) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    lines = [line.verdict for line in found.lines]
    handles = verdict_handles([spot.verdict for spot in found.spots if not spot.artificial_critical], lines)
    for handle in handles:
        handle.set_label(fill(handle.get_label(), 27))
    if any(spot.artificial_critical for spot in found.spots):
        handles.append(star_handle())
    seen = {int(k) for row in found.raster for k in row}
    shown = {found.strata[place].verdict for place in seen if place >= 0}
    for verdict in [verdict for verdict in MARKS if verdict in shown and verdict != "exact"]:
        handles.append(Patch(color=MARKS[verdict].light, alpha=0.28, label=f"cell: {verdict}"))
    if "exact" in shown:
        handles.append(
            Patch(facecolor=_GROUNDS[0], edgecolor=GREY, linewidth=0.5, label="cells where AD is exact")
        )
    unknown = any(
        k < 0 and value is not None
        for row, values in zip(found.raster, found.values, strict=True)
        for k, value in zip(row, values, strict=True)
    )
    if unknown:
        handles.append(Patch(facecolor="#efefef", edgecolor=GREY, linewidth=0.5, label="cell: unknown"))
    handles.append(
        Line2D(
            [], [], linestyle="none", marker=r"$\rightarrow$", markersize=11, color=GREY, label=f"{MINUS}AD"
        )
    )
    if found.descents:
        handles.append(
            Line2D(
                [],
                [],
                color=_PATH,
                linewidth=1.2,
                marker="o",
                markersize=5,
                markerfacecolor=PAPER,
                label="descent from a start:\n" + found.step.replace(", ", ",\n"),
            )
        )
    if any(descent.stays for descent in found.descents):
        handles.append(
            Line2D([], [], linestyle="none", marker="s", markersize=5, color=INK, label="AD is 0: it stays")
        )
    return handles
