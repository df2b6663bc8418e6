"""Curve -> Figure: f above, its derivative below, with what AD returns and what is true at each kink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cfcompiler.report import Arc, Curve, Dot
from cfcompiler.targets.marks import ARTIFICIAL, MARKS
from cfcompiler.targets.plots.labels import label_dots, labelled
from cfcompiler.targets.plots.style import (
    FAINT,
    GREY,
    INK,
    PAPER,
    WIDTH,
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

_MARGIN = 0.08  # of the height of a panel, above and below
_LINE = 1.8
_TICK = 9.0  # points: the length of the tick of a framework
_BAR, _FRAMEWORKS = "#56b4e9", "#6b6b6b"


def curve_figure(curve: Curve) -> Figure:
    """Two panels over one input."""
    from matplotlib.figure import Figure

    entries = _legend(curve)
    rows = (len(entries) + 1) // 2
    top = 0.66 if subtitle(curve) else 0.48
    low = 0.42 + 0.19 * rows + (0.14 if curve.unknown else 0.0)
    height = 3.75 + top + low
    figure = Figure(figsize=(WIDTH, height))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.0, 1.15])
    figure.subplots_adjust(
        left=0.09, right=0.975, top=1 - top / height, bottom=(low + 0.1) / height, hspace=0.12
    )
    title(figure, curve)
    _panel(above, curve.value_range, "f")
    _panel(below, curve.ad_range, "derivative")
    above.set_xlim(curve.low, curve.high)
    below.set_xlabel(curve.input)
    above.tick_params(labelbottom=False)
    for arc in curve.arcs:
        _line(above, arc, arc.values)
        _line(below, arc, arc.ad)
    _ends(above, curve)
    for dot in curve.dots:
        _value(above, dot)
        _truth(below, dot)
    for dot in curve.dots:
        _frameworks(below, dot)
        _returned(below, dot)
    label_dots(below, labelled(curve))
    figure.legend(
        handles=entries,
        loc="lower left",
        bbox_to_anchor=(0.05, (0.22 if curve.unknown else 0.04) / height),
        ncols=2,
        columnspacing=2.0,
        handlelength=2.6,
        labelspacing=0.45,
        borderaxespad=0.0,
    )
    unknown_note(figure, curve)
    return figure


def _panel(axes: Axes, shown: tuple[float, float], name: str) -> None:
    margin = _MARGIN * (shown[1] - shown[0])
    axes.set_ylim(shown[0] - margin, shown[1] + margin)
    axes.set_ylabel(name)
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)


def _line(axes: Axes, arc: Arc, ys: Sequence[float | None]) -> None:
    mark = MARKS[arc.verdict]
    heights = [float("nan") if y is None else y for y in ys]
    if mark.dashes:  # so that the eye follows it
        axes.plot(arc.xs, heights, color=mark.light, alpha=0.35, linewidth=0.9, zorder=1.9)
    axes.plot(
        arc.xs,
        heights,
        color=mark.light,
        linestyle=dashes(mark),
        linewidth=_LINE,
        solid_capstyle="butt",
        zorder=2,
    )


# f


def _value(axes: Axes, dot: Dot) -> None:
    if dot.value is None:
        return
    mark = ARTIFICIAL if dot.artificial_critical else MARKS[dot.verdict]
    size = 12 if dot.artificial_critical else 6.5
    edge = mark.light if mark.shape == "bar" else PAPER
    axes.plot(
        dot.x,
        dot.value,
        marker=marker(mark),
        markersize=size,
        color=mark.light,
        markeredgecolor=edge,
        markeredgewidth=1.6 if mark.shape == "bar" else 0.6,
        zorder=6,
        clip_on=False,
    )


def _ends(axes: Axes, curve: Curve) -> None:
    """An open dot where f has a limit that is not its value: at a jump."""
    values = {dot.x: dot.value for dot in curve.dots}
    height = curve.value_range[1] - curve.value_range[0]
    for arc in curve.arcs:
        for x, y in ((arc.low, arc.values[0]), (arc.high, arc.values[-1])):
            if y is None or x not in values or not curve.value_range[0] <= y <= curve.value_range[1]:
                continue
            own = values[x]
            if own is None or abs(own - y) > 1e-3 * height:
                axes.plot(
                    x,
                    y,
                    marker="o",
                    markersize=5.5,
                    color=PAPER,
                    markeredgecolor=MARKS[arc.verdict].light,
                    markeredgewidth=1.3,
                    zorder=5,
                )


# the derivative


def _truth(axes: Axes, dot: Dot) -> None:
    """The Clarke interval as a bar, the derivative as an open dot."""
    if dot.clarke is not None and dot.clarke[0] < dot.clarke[1]:
        axes.plot(
            [dot.x, dot.x],
            dot.clarke,
            color=_BAR,
            alpha=0.55,
            linewidth=7,
            solid_capstyle="butt",
            zorder=3,
        )
    if dot.gradient is not None:
        axes.plot(
            dot.x,
            dot.gradient,
            marker="o",
            markersize=9.5,
            color=PAPER,
            markeredgecolor=INK,
            markeredgewidth=1.4,
            zorder=4,
            clip_on=False,
        )


def _frameworks(axes: Axes, dot: Dot) -> None:
    """A tick to the right for each number that some framework returns."""
    for y in sorted({y for _, y in dot.presets if y is not None}):
        axes.annotate(
            "",
            xy=(dot.x, y),
            xytext=(_TICK, 0),
            textcoords="offset points",
            arrowprops={
                "arrowstyle": "-",
                "color": _FRAMEWORKS,
                "linewidth": 1.3,
                "shrinkA": 0,
                "shrinkB": 0,
            },
            zorder=3.5,
            annotation_clip=False,
        )


def _returned(axes: Axes, dot: Dot) -> None:
    """What AD returns, as a closed dot with the shape of the verdict; at the lower edge where it is no number."""
    mark = MARKS[dot.verdict]
    y = axes.get_ylim()[0] if dot.ad is None else dot.ad
    inside = dot.gradient is not None and dot.gradient == dot.ad
    axes.plot(
        dot.x,
        y,
        marker=marker(mark),
        markersize=5.0 if inside else 7.0,
        color=mark.light,
        markeredgecolor=mark.light if mark.shape == "bar" else PAPER,
        markeredgewidth=0.0 if inside else 0.6,
        zorder=7,
        clip_on=False,
    )


def _legend(curve: Curve) -> list[Any]:
    from matplotlib.lines import Line2D

    dots = [dot.verdict for dot in curve.dots]
    found = verdict_handles(dots, [arc.verdict for arc in curve.arcs])
    if any(dot.artificial_critical for dot in curve.dots):
        found.append(star_handle())
    if any(dot.gradient is not None for dot in curve.dots):
        found.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="o",
                markersize=8,
                color=PAPER,
                markeredgecolor=INK,
                markeredgewidth=1.3,
                label="the true derivative",
            )
        )
    if any(dot.clarke is not None and dot.clarke[0] < dot.clarke[1] for dot in curve.dots):
        found.append(Line2D([], [], color=_BAR, alpha=0.55, linewidth=6, label="Clarke subdifferential"))
    if any(y is not None for dot in curve.dots for _, y in dot.presets):
        found.append(Line2D([], [], color=_FRAMEWORKS, linewidth=1.3, label="what frameworks return there"))
    if dots:
        found.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="o",
                markersize=6,
                color=GREY,
                label="closed: what AD returns",
            )
        )
    return found
