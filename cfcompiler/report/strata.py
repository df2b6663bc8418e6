"""The stratification of a program."""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report.rows import Row
from cfcompiler.report.shown import Shown


@dataclass(frozen=True, slots=True)
class GuardInfo:
    """A guard of a program: a switch with a sign, where it is written, and the operation as written."""

    id: str  # "g1", "g2", ... in evaluation order
    expr: str  # the switch, as a text that SymPy parses; the user's words where that is possible
    op: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class StratumReport:
    """A set of inputs on which all guards that are reached have constant signs, and everything said here holds.

    `signs`: by guard id; a guard that is not reached is absent. `equations` vanish on the stratum, `inequalities` are
    relations such as "x + y > 0". `witness`: an exact point of it. `ad` and `gradient` are formulas in the inputs, a
    row for each entry of the outputs; `gradient` is None where f is not differentiable. `clarke`: the extreme points of
    the Clarke subdifferential, as formulas; None where not decided. `reason` says why a verdict is unknown, undefined
    or discontinuous; `near_jump`: undefined since the program jumps at points arbitrarily near.
    """

    id: str
    dimension: int
    signs: dict[str, int]
    equations: tuple[str, ...]
    inequalities: tuple[str, ...]
    witness: Row
    ad: tuple[Row, ...] | None
    gradient: tuple[Row, ...] | None
    clarke: tuple[tuple[Row, ...], ...] | None
    verdict: str
    ad_critical: bool | None
    artificial_critical: bool | None
    reason: str
    trust: str
    near_jump: bool = False


@dataclass(frozen=True, slots=True)
class ArtificialPoint:
    """Solutions of "0 in conv D and not in the Clarke subdifferential": a point, or a family by its equations.

    `stalls`: AD itself returns 0 there, so that a gradient method stays; `start`: a point from which gradient descent
    with the step `step` arrives there, where one was found.
    """

    stratum: str
    where: str  # "x == 0 and y == 1", or the equations of a family
    point: Row | None
    stalls: bool
    start: Row | None = None
    step: str = ""


@dataclass(frozen=True, slots=True)
class StrataReport(Shown):
    """The whole stratification. `complete` is False as soon as `unknown` is not empty.

    `spurious` describes, merged over strata, where the verdict is "spurious"; `unknown` holds sentences about what
    could not be decided, of which `open_flags` are those that are about flags alone.
    """

    program: str
    ties: str
    inputs: tuple[str, ...]
    box: dict[str, tuple[str, str]] | None
    scalar: bool
    guards: tuple[GuardInfo, ...]
    counts: dict[int, int]
    strata: tuple[StratumReport, ...]
    spurious: tuple[str, ...]
    artificial: tuple[ArtificialPoint, ...]
    unknown: tuple[str, ...]
    interrupted: bool = False  # by Ctrl-C
    whole: bool = True  # no stratum is missing from `strata`
    open_flags: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.unknown

    @property
    def gaps(self) -> tuple[str, ...]:
        """What could not be decided of the strata and their verdicts; the flags aside."""
        return tuple(text for text in self.unknown if text not in self.open_flags)
