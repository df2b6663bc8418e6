"""Verdicts and words -> how they are drawn by matplotlib: markers, dashes, colours from marks.py, fonts, the legend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cfcompiler.report import Curve, Map
from cfcompiler.targets.marks import ARTIFICIAL, MARKS, Mark

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, GREY, FAINT, PAPER = "#1a1a1a", "#6b6b6b", "#d8d8d8", "#ffffff"
WIDTH, SMALL = 7.2, 8.0  # inches; points
MINUS = "\u2212"
_SHAPES = {
    "circle": "o",
    "diamond": "D",
    "triangle": "^",
    "cross": "X",
    "square": "s",
    "bar": "|",
    "question": "$?$",
    "star": "*",
}
_WORDS = {
    "exact": "exact: AD is the gradient",
    "inexact": "inexact: another Clarke subgradient",
    "clarke": "clarke: a kink, AD is a Clarke subgradient",
    "spurious": "spurious: AD is no Clarke subgradient",
    "undefined": "undefined: NaN, inf, or not Lipschitz",
    "discontinuous": "discontinuous: f jumps",
    "unknown": "unknown: not decided",
}
ARTIFICIAL_WORDS = "artificial critical point"


@contextmanager
def settings() -> Iterator[None]:
    """The fonts and the like, whatever the user's matplotlib is set to."""
    import matplotlib

    own: Any = {
        "font.family": "DejaVu Sans",
        "font.size": 9.0,
        "axes.titlesize": 11.0,
        "axes.labelsize": 9.5,
        "axes.edgecolor": GREY,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "axes.unicode_minus": True,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "legend.fontsize": SMALL,
        "legend.frameon": False,
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "cfc",
        "savefig.facecolor": PAPER,
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(own)
        yield


def marker(mark: Mark) -> str:
    """matplotlib's marker of a mark."""
    return _SHAPES[mark.shape]


def dashes(mark: Mark) -> Any:
    """matplotlib's line style of a mark."""
    return (0, mark.dashes) if mark.dashes else "solid"


def short(number: float) -> str:
    """A number for a label: a small fraction where it is one, else three digits."""
    near = Fraction(number).limit_denominator(64)
    if abs(float(near) - number) <= 1e-12 * max(1.0, abs(number)) and abs(near.numerator) < 1000:
        return str(near).replace("-", MINUS)
    return f"{number:.3g}".replace("-", MINUS)


def title(figure: Figure, picture: Curve | Map) -> None:
    """The program and its ties; below, small, which slice it is."""
    height = figure.get_size_inches()[1]
    about = subtitle(picture)
    figure.text(0.02, 1 - 0.12 / height, _head(picture), size=12, weight="bold", va="top")
    if not _crowded(picture):
        where = {"x": 0.98, "y": 1 - 0.14 / height}
        figure.text(**where, s=f"ties: {picture.ties}", size=9.5, color=GREY, va="top", ha="right")
    figure.text(0.02, 1 - 0.36 / height, _cut(about, 115), size=SMALL, color=GREY, va="top")


def _head(picture: Curve | Map) -> str:
    moving = [picture.input] if isinstance(picture, Curve) else list(picture.inputs)
    return _cut(f"{picture.program}({', '.join(moving)})", 60)


def _crowded(picture: Curve | Map) -> bool:
    """Whether program and ties have no room side by side."""
    return len(_head(picture)) + 0.8 * len(picture.ties) > 62


def subtitle(picture: Curve | Map) -> str:
    """Which slice and which output it is, and the ties where they stand here; "" for nothing."""
    ties = [f"ties: {picture.ties}"] if _crowded(picture) else []
    said = ", ".join(f"{name} = {value}" for name, value in picture.fixed.items())
    return "; ".join([*ties, *([f"with {said}"] if said else []), *picture.about])


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def unknown_note(figure: Figure, picture: Curve | Map) -> None:
    """What could not be decided, as a line at the bottom."""
    if picture.unknown:
        more = f" (and {len(picture.unknown) - 1} more)" if len(picture.unknown) > 1 else ""
        text = _cut(f"not decided: {picture.unknown[0]}", 118 - len(more)) + more
        height = figure.get_size_inches()[1]
        figure.text(0.02, 0.06 / height, text, size=7.0, color=GREY, va="bottom")


def verdict_handles(verdicts: Iterable[str], lines: Iterable[str]) -> list[Any]:
    """Legend entries for verdicts in the order of MARKS: a marker, and a line where `lines` has the verdict too."""
    from matplotlib.lines import Line2D

    dotted, drawn = set(verdicts), set(lines)
    found = []
    for verdict, mark in MARKS.items():
        if verdict in dotted | drawn:
            found.append(
                Line2D(
                    [],
                    [],
                    color=mark.light,
                    linestyle=dashes(mark) if verdict in drawn else "none",
                    linewidth=1.8,
                    marker=marker(mark) if verdict in dotted else "none",
                    markersize=6.5,
                    markeredgewidth=1.2 if mark.shape == "bar" else 0.0,
                    label=_WORDS[verdict],
                )
            )
    return found


def star_handle() -> Any:
    """The legend entry of artificial critical points."""
    from matplotlib.lines import Line2D

    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker(ARTIFICIAL),
        markersize=10,
        color=ARTIFICIAL.light,
        markeredgecolor=PAPER,
        label=ARTIFICIAL_WORDS,
    )
