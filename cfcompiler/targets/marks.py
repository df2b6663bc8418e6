"""Verdict -> mark: the symbol, colour, shape and line of each verdict, the same in the terminal, on pages and in plots.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), which people with any kind of colour vision tell
apart; symbol, shape and line differ as well, so that nothing is said by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report import VERDICTS


@dataclass(frozen=True, slots=True)
class Mark:
    """How one verdict is drawn.

    `symbol`: one character for a terminal; `ascii`: the same where it cannot be written. `style`: its Rich style.
    `light` and `dark`: colours on a light and on a dark ground. `shape`: "circle", "diamond", "triangle", "cross",
    "square", "bar" or "question". `dashes`: lengths of strokes and gaps of a line, in units of its width; () is a
    solid line.
    """

    verdict: str
    symbol: str
    ascii: str
    style: str
    light: str
    dark: str
    shape: str
    dashes: tuple[int, ...]


MARKS = {
    mark.verdict: mark
    for mark in (
        Mark("exact", "●", "+", "green", "#00795a", "#2fd0a4", "circle", ()),
        Mark("inexact", "◆", "~", "yellow", "#8a6d00", "#f0e442", "diamond", (6, 2)),
        Mark("clarke", "▲", "^", "blue", "#0072b2", "#56b4e9", "triangle", (8, 2, 2, 2)),
        Mark("spurious", "✗", "x", "bold red", "#c23f00", "#ff8a4c", "cross", (3, 2)),
        Mark("undefined", "■", "#", "magenta", "#9c4a7c", "#e69fc8", "square", (1, 2)),
        Mark("discontinuous", "‖", "|", "bold magenta", "#5b3a8e", "#b99bee", "bar", (4, 1, 1, 1)),
        Mark("unknown", "?", "?", "bold yellow", "#5f5f5f", "#b5b5b5", "question", (1, 4)),
    )
}
# A point where 0 is in conv D and not in the Clarke subdifferential.
ARTIFICIAL = Mark("artificial critical", "★", "*", "bold red", "#c23f00", "#ff8a4c", "star", ())

assert tuple(MARKS) == VERDICTS
