"""Dot -> the words beside it on the panel of the derivative: what AD returns, the truth, who returns what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfcompiler.report import Curve, Dot
from cfcompiler.targets.marks import MARKS
from cfcompiler.targets.plots.style import GREY, INK, PAPER, SMALL, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = 10.5  # points between the middles of two labels
_OFFSET, _LIFT = 12.0, 6.5  # points beside the dot, and above it: curves are often level there
_MOST_LABELLED = 4


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a height of the panel; `y` None is the lower edge. `right`: to the right of the dot."""

    y: float | None
    text: str
    color: str
    right: bool


@dataclass(frozen=True, slots=True)
class Labelled:
    """A dot with its texts."""

    x: float
    labels: tuple[Label, ...]


def labelled(curve: Curve) -> tuple[Labelled, ...]:
    """Texts for the dots of most interest, as long as there is room."""
    ranked = [dot for dot in curve.dots if dot.presets or dot.verdict != "exact"] or list(curve.dots)
    if len(ranked) > _MOST_LABELLED:
        ranked = [dot for dot in ranked if dot.verdict not in ("exact", "clarke")]
    if len(ranked) > _MOST_LABELLED or not ranked:
        return ()
    room = min(_room(curve, dot, ranked) for dot in ranked)
    names = 3 if room > 0.45 else 2 if room > 0.3 else 1 if room > 0.23 else 0
    if names == 0:
        return ()
    return tuple(Labelled(dot.x, tuple(_labels(dot, names))) for dot in ranked)


def _room(curve: Curve, dot: Dot, labelled_dots: Sequence[Dot]) -> float:
    """How far the next dot is, as a part of the width; one without labels may be nearer."""
    apart = [
        abs(other.x - dot.x) * (1.0 if other in labelled_dots else 1.3)
        for other in curve.dots
        if other != dot
    ]
    return min(apart, default=curve.high - curve.low) / (curve.high - curve.low)


def _labels(dot: Dot, names: int) -> list[Label]:
    color = MARKS[dot.verdict].light
    found = []
    if dot.ad is not None and dot.ad == dot.gradient:
        found.append(Label(dot.ad, f"AD = true {short(dot.ad)}", color, False))
    else:
        found.append(Label(dot.ad, f"AD {'NaN or inf' if dot.ad is None else short(dot.ad)}", color, False))
        if dot.gradient is not None:
            found.append(Label(dot.gradient, f"true {short(dot.gradient)}", INK, False))
        elif dot.clarke is not None:
            ends = ", ".join(short(end) for end in dict.fromkeys(dot.clarke))
            found.append(Label(sum(dot.clarke) / 2, f"Clarke [{ends}]", "#0072b2", False))
    groups: dict[float | None, list[str]] = {}
    for name, y in dot.presets:
        groups.setdefault(y, []).append(name)
    for y, members in groups.items():
        number = "NaN or inf" if y is None else short(y)
        text = f"{number}: {_listed(members, names, ' and {} more')}"
        if names == 1:  # there is little room; the axis has the number
            text = f"NaN: {_listed(members, 1, ' +{}')}" if y is None else _listed(members, 1, " +{}")
        found.append(Label(y, text, GREY, True))
    return found


_FIRST = ("torch", "jax", "tensorflow", "autograd", "casadi")  # whom readers look for first


def _listed(names: Sequence[str], most: int, more: str) -> str:
    """`torch, jax and 2 more`; a variant (jax-jit) is left out where its framework is there."""
    roots = [name for name in names if name.rpartition("-")[0] not in names]
    roots.sort(key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    rest = len(roots) - most
    return ", ".join(roots[:most]) + (more.format(rest) if rest > 0 else "")


def label_dots(axes: Axes, dots: Sequence[Labelled]) -> None:
    """The texts, moved up and down where they would overlap."""
    figure = axes.get_figure()
    assert figure is not None
    scale = 72 / figure.dpi
    low, high = axes.get_ylim()
    bottom, top = (axes.transData.transform((0, y))[1] * scale for y in (low, high))
    left, right = axes.get_xlim()
    for dot in dots:
        for side in (False, True):
            # near the right edge there is no room to the right
            turned = side and (dot.x - left) / (right - left) > 0.8
            own = [label for label in dot.labels if label.right == side]
            own.sort(key=lambda label: low if label.y is None else label.y)
            wanted = [bottom if label.y is None else _points(axes, label.y) * scale for label in own]
            placed = _spread([y + _LIFT for y in wanted], bottom + 4, top + 4)
            for label, at, y in zip(own, placed, wanted, strict=True):
                if side and turned:
                    continue
                _write(axes, dot.x, label, at - y)


def _points(axes: Axes, y: float) -> float:
    return float(axes.transData.transform((0, y))[1])


def _spread(wanted: Sequence[float], bottom: float, top: float) -> list[float]:
    """Heights at least a gap apart, near the wanted ones, in the same order, from bottom to top."""
    placed = [max(bottom, min(top, y)) for y in wanted]
    for _ in range(60):
        for k in range(1, len(placed)):
            short_by = _GAP - (placed[k] - placed[k - 1])
            if short_by > 0:
                placed[k] += short_by / 2
                placed[k - 1] -= short_by / 2
        placed = [max(bottom, min(top, y)) for y in placed]
    return placed


def _write(axes: Axes, x: float, label: Label, shift: float) -> None:
    y = axes.get_ylim()[0] if label.y is None else label.y
    sign = 1 if label.right else -1
    box: dict[str, Any] = {
        "boxstyle": "square,pad=0.12",
        "facecolor": PAPER,
        "alpha": 0.8,
        "edgecolor": "none",
    }
    axes.annotate(
        label.text,
        xy=(x, y),
        xytext=(sign * _OFFSET, shift),
        textcoords="offset points",
        ha="left" if label.right else "right",
        va="center",
        size=SMALL,
        color=label.color,
        bbox=box,
        zorder=6.5,
        annotation_clip=False,
    )
