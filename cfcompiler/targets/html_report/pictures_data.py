"""Curve, Map -> data for the scripts that draw; numbers are rounded to what a drawing can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import hypot, isfinite
from typing import Any

from cfcompiler.report import Curve, Map, Row, StratumReport
from cfcompiler.report.page import Page
from cfcompiler.targets.html_report.vectors_data import named, stratum_data

SHADES = "0123456789abcdefghijklmnopqrstuvwxyz"
DIGITS = 7  # significant digits of a drawn number
MOST_STRATA = 200  # of one picture, with all that is known of them


def curve_data(curve: Curve, page: Page) -> dict[str, Any]:
    """A curve; `point` is the id of the page's point at a dot, "" where there is none."""
    known = _points(page)
    return {
        "input": curve.input,
        "fixed": _fixed(curve.fixed),
        "about": list(curve.about),
        "low": curve.low,
        "high": curve.high,
        "valueRange": list(curve.value_range),
        "adRange": list(curve.ad_range),
        "arcs": [
            {
                "stratum": arc.stratum,
                "low": arc.low,
                "high": arc.high,
                "xs": rounded(arc.xs),
                "values": rounded(arc.values),
                "ad": rounded(arc.ad),
                "verdict": arc.verdict,
            }
            for arc in curve.arcs
        ],
        "dots": [
            {
                "stratum": dot.stratum,
                "point": _point_of(dot.stratum, curve.strata, known, curve.fixed),
                "x": dot.x,
                "value": finite(dot.value),
                "ad": finite(dot.ad),
                "gradient": finite(dot.gradient),
                "clarke": None if dot.clarke is None else list(dot.clarke),
                "presets": [[name, finite(slope)] for name, slope in dot.presets],
                "verdict": dot.verdict,
                "artificial": dot.artificial_critical,
            }
            for dot in curve.dots
        ],
        "strata": _strata(curve.strata, known, curve.fixed),
        "unknown": list(curve.unknown),
    }


def map_data(drawn: Map, page: Page) -> dict[str, Any]:
    """A map; its raster as rows of run lengths: [count, stratum, count, stratum, ...]."""
    known = _points(page)
    return {
        "inputs": list(drawn.inputs),
        "fixed": _fixed(drawn.fixed),
        "box": [list(side) for side in drawn.box],
        "about": list(drawn.about),
        "step": drawn.step,
        "raster": [_runs(row) for row in drawn.raster],
        "shades": _shades(drawn),
        "lines": [
            {
                "stratum": line.stratum,
                "paths": [[rounded(spot) for spot in path] for path in line.paths],
                "verdict": line.verdict,
                "artificial": line.artificial_critical,
            }
            for line in drawn.lines
        ],
        "spots": [
            {
                "stratum": spot.stratum,
                "point": _point_of(spot.stratum, drawn.strata, known, drawn.fixed),
                "at": list(spot.at),
                "verdict": spot.verdict,
                "artificial": spot.artificial_critical,
            }
            for spot in drawn.spots
        ],
        "arrows": [rounded(arrow) for arrow in drawn.arrows],
        "descents": [
            {
                "start": rounded(one.start),
                "path": [rounded(spot) for spot in one.path],
                "stays": one.stays,
                "about": one.about,
            }
            for one in drawn.descents
        ],
        "strata": _strata(drawn.strata, known, drawn.fixed),
        "slice": tuple(drawn.strata) != page.strata.strata,
        "strataLeftOut": max(0, len(drawn.strata) - MOST_STRATA),
        "unknown": list(drawn.unknown),
    }


def rounded(numbers: Iterable[float | None]) -> list[float | None]:
    """As floats of a few digits, which a page has many of."""
    return [None if x is None or not isfinite(x) else float(f"{x:.{DIGITS}g}") for x in numbers]


def finite(x: float | None) -> float | None:
    """None for what JSON has no number for."""
    return x if x is not None and isfinite(x) else None


def _shades(drawn: Map) -> list[str]:
    """How bright the graph of f is at each pixel, in light from the upper left: a letter of SHADES, or a blank.

    The brightness tells the gradient; its scale is that of the picture.
    """
    values = drawn.values
    if len(values) < 2 or len(values[0]) < 2:
        return []
    slopes = [
        [_slope(values, row, column) for column in range(len(values[row]))] for row in range(len(values))
    ]
    sizes = sorted(hypot(*slope) for line in slopes for slope in line if slope is not None)
    scale = sizes[int(len(sizes) * 0.9)] if sizes else 0.0
    return ["".join(" " if slope is None else _shade(slope, scale) for slope in line) for line in slopes]


def _slope(values: Sequence[Sequence[float | None]], row: int, column: int) -> tuple[float, float] | None:
    """The differences to the next pixel, of the pixels that have one; at the far edges to the one before."""
    one, other = min(row, len(values) - 2), min(column, len(values[row]) - 2)
    here, right, above = values[one][other], values[one][other + 1], values[one + 1][other]
    if here is None or right is None or above is None:
        return None
    slope = (right - here, above - here)
    return slope if all(map(isfinite, slope)) else None


def _shade(slope: tuple[float, float], scale: float) -> str:
    x, y = (0.0, 0.0) if not scale else (slope[0] / scale, slope[1] / scale)
    light = (x - y + 1.2) / (hypot(x, y, 1.0) * 2.6)  # 0 to 1, 0.46 on the flat
    return SHADES[max(0, min(len(SHADES) - 1, round(light * (len(SHADES) - 1))))]


def _runs(row: Iterable[int]) -> list[int]:
    found: list[int] = []
    for place in row:
        if found and found[-1] == place:
            found[-2] += 1
        else:
            found += [1, place]
    return found


def _fixed(fixed: Mapping[str, str]) -> list[list[str]]:
    return [[name, value] for name, value in fixed.items()]


def _strata(
    strata: Iterable[StratumReport], known: Mapping[str, str], fixed: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        {**stratum_data(one), "point": known.get(_key(one.witness, fixed), "")}
        for one in list(strata)[:MOST_STRATA]
    ]


def _points(page: Page) -> dict[str, str]:
    """The ids of the page's points by what they are."""
    return {_key(one.report.point, {}): one.id for one in reversed(page.points)}


def _point_of(
    stratum: str, strata: Iterable[StratumReport], known: Mapping[str, str], fixed: Mapping[str, str]
) -> str:
    found = next((one for one in strata if one.id == stratum), None)
    return "" if found is None else known.get(_key(found.witness, fixed), "")


def _key(point: Row, fixed: Mapping[str, str]) -> str:
    entries = [(name, text) for name, value in point.items() for name, text in named(name, value)]
    return repr(sorted([*entries, *fixed.items()]))
