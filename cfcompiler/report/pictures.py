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
    known. `presets`: what each framework returns, None where it has no number. `exact`: the same as texts.
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
    """f and its derivative over one input; the other inputs are fixed (`fixed`, exact texts)."""

    input: str
    fixed: dict[str, str]
    low: float
    high: float
    arcs: tuple[Arc, ...]
    dots: tuple[Dot, ...]
    strata: tuple[StratumReport, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A stratum of dimension 1 on a map: polylines through it; more than one where it has several parts in the box."""

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
    """Subgradient descent from a start under the chosen rules; `stays`: the last step did not move."""

    start: tuple[float, float]
    path: tuple[tuple[float, float], ...]
    stays: bool
    about: str  # why this start: "on S3", "beside S3", "in the open"


@dataclass(frozen=True, slots=True)
class Map:
    """The strata over two inputs; the other inputs are fixed.

    `raster[row][column]`: the place in `strata` of the open stratum at that pixel, -1 where there is none (outside the
    domain, or not known); row 0 is the lowest. `arrows`: x, y and -AD there, for the field of descent.
    """

    inputs: tuple[str, str]
    fixed: dict[str, str]
    box: tuple[tuple[float, float], tuple[float, float]]
    raster: tuple[tuple[int, ...], ...]
    lines: tuple[Line, ...]
    spots: tuple[Spot, ...]
    arrows: tuple[tuple[float, float, float, float], ...]
    descents: tuple[Descent, ...]
    strata: tuple[StratumReport, ...]
    unknown: tuple[str, ...]
