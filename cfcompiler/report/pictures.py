"""What is drawn of a program: a curve over one input, a map over two, both made from its strata.

Floats are for drawing alone; every verdict, set and vector beside them comes from the strata and from `at`, as texts.
"""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report.strata import StratumReport


@dataclass(frozen=True, slots=True)
class Arc:
    """A stretch of a curve between two marked points: an open interval, its samples, and the stratum that it lies in.

    `xs`, `values` and `ad` have one length: the input, f and what AD returns there; None where it is no finite number.
    """

    stratum: str  # the id of a StratumReport, "" where no stratum could be found
    low: float
    high: float
    xs: tuple[float, ...]
    values: tuple[float | None, ...]
    ad: tuple[float | None, ...]
    verdict: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A stratum that is one point of a curve: what AD returns there (the closed dot) and what is true.

    `gradient` is the open dot, None where f has no gradient; `clarke`: the ends of the interval, None where it is not
    known. `presets`: the name of each preset and what its backward AD returns, None where that is no finite number; ()
    where no guard is tied, or where there was no time. The exact texts are in the StratumReport.
    """

    stratum: str
    x: float
    value: float | None
    ad: float | None
    gradient: float | None
    clarke: tuple[float, float] | None
    presets: tuple[tuple[str, float | None], ...]
    verdict: str
    artificial_critical: bool | None


@dataclass(frozen=True, slots=True)
class Curve:
    """f and its derivative over one input (or entry, `v[0]`); the others are fixed (`fixed`, exact texts).

    `about`: sentences for the title: which output, how the slice was chosen. `value_range`, `ad_range`: what is worth
    seeing of f and of its derivative, without the poles; arcs may leave it. `strata`: of the stratification, and a
    stratum "P1", "P2", ... for each point that was judged by itself because its stratum is not known.
    """

    program: str
    ties: str
    input: str
    fixed: dict[str, str]
    about: tuple[str, ...]
    low: float
    high: float
    value_range: tuple[float, float]
    ad_range: tuple[float, float]
    arcs: tuple[Arc, ...]
    dots: tuple[Dot, ...]
    strata: tuple[StratumReport, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A stratum of dimension 1 on a map: polylines through it; more than one where it has several parts in the box.

    Where no stratum is known (`stratum` is ""), the seam of two float signatures, with the verdict "unknown".
    """

    stratum: str
    paths: tuple[tuple[tuple[float, float], ...], ...]
    verdict: str
    artificial_critical: bool | None


@dataclass(frozen=True, slots=True)
class Spot:
    """A stratum that is one point of a map."""

    stratum: str
    at: tuple[float, float]
    verdict: str
    artificial_critical: bool | None


@dataclass(frozen=True, slots=True)
class Descent:
    """Subgradient descent from a start under the chosen rules; `stays`: AD returned 0 at the last point."""

    start: tuple[float, float]
    path: tuple[tuple[float, float], ...]
    stays: bool
    about: str  # why this start: "on S3", "beside S3", "to S1", "in the open"


@dataclass(frozen=True, slots=True)
class Map:
    """The strata over two inputs; the other inputs are fixed. `about` and `strata` as for a Curve.

    `raster[row][column]`: the place in `strata` of the open stratum at the middle of that pixel, -1 where there is none
    (outside the domain, or not known); row 0 is the lowest. `values`: f there, None where it is no finite number or
    outside the domain. `arrows`: x, y and -AD there, for the field of descent. `step`: the rule of the descents.
    """

    program: str
    ties: str
    inputs: tuple[str, str]
    fixed: dict[str, str]
    about: tuple[str, ...]
    box: tuple[tuple[float, float], tuple[float, float]]
    raster: tuple[tuple[int, ...], ...]
    values: tuple[tuple[float | None, ...], ...]
    lines: tuple[Line, ...]
    spots: tuple[Spot, ...]
    arrows: tuple[tuple[float, float, float, float], ...]
    descents: tuple[Descent, ...]
    step: str
    strata: tuple[StratumReport, ...]
    unknown: tuple[str, ...]
