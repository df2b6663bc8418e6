"""What is said: the typed answers of the analyses, which the targets render.

Exact numbers are texts that SymPy parses; an array input is a nested list of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Nested: TypeAlias = "str | list[Nested]"
VERDICTS = ("exact", "inexact", "clarke", "spurious", "undefined", "discontinuous", "unknown")
Row: TypeAlias = dict[str, Nested]  # a derivative by each input


@dataclass(frozen=True, slots=True)
class TieHere:
    """A tied operation: where it is written, the switch that is zero, and the operation as written."""

    line: int
    column: int
    guard: str
    op: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why a statement holds, for whoever wants to check it.

    kind "separation": along `direction` the vector has the slope `value`, more than `support`, the largest slope of the
    set. kind "combination": `weights` and `points`, a list of rows each, whose combination is the vector. `of` names
    the vector and `relative_to` the set.
    """

    kind: str
    of: str
    relative_to: str
    direction: tuple[Row, ...] = ()
    value: str = ""
    support: str = ""
    weights: tuple[str, ...] = ()
    points: tuple[tuple[Row, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """The truth at the point and the word for what AD returns; None where something was not decided.

    Vectors are rows, one for each entry of the outputs. `trust`: "certificate" where everything rests on exact
    arithmetic that was checked, "solver" where part of it rests on the word of a solver of real algebra.
    """

    verdict: str
    reason: str
    bouligand: tuple[tuple[Row, ...], ...]
    bouligand_complete: bool
    clarke: tuple[tuple[Row, ...], ...]
    clarke_complete: bool
    gradient: tuple[Row, ...] | None
    lexicographic: tuple[Row, ...] | None
    min_norm: tuple[Row, ...] | None
    ad_critical: bool | None
    field_critical: bool | None
    clarke_critical: bool | None
    artificial_critical: bool | None
    certificates: tuple[Certificate, ...]
    trust: str


@dataclass(frozen=True, slots=True)
class PointReport:
    """Everything about one point: value, what AD returns, the ties, the vertices of D.

    `forward` and `backward` have one row for each entry of the outputs; `scalar` says that there is just one.
    `vertices`: each is such a list of rows. `notes` are sentences for the reader.
    """

    program: str
    ties: str
    point: Row
    value: Nested
    scalar: bool
    forward: tuple[Row, ...]
    backward: tuple[Row, ...]
    ties_here: tuple[TieHere, ...]
    vertices: tuple[tuple[Row, ...], ...]
    complete: bool
    reason: str
    notes: tuple[str, ...]
    judged: Judged


@dataclass(frozen=True, slots=True)
class TieRow:
    """One operation at one tie: its rule, the expression, the point, and for each preset (forward, reverse).

    Both are the derivatives by the inputs, in the order in which the point names them.
    """

    rule: str
    expression: str
    tie: str
    returned: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class TieTable:
    """What the presets return at the ties, side by side."""

    presets: tuple[str, ...]
    versions: tuple[str, ...]
    rows: tuple[TieRow, ...]


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
    or discontinuous.
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
class StrataReport:
    """The whole stratification. `complete` is False as soon as `unknown` is not empty.

    `spurious` describes, merged over strata, where the verdict is "spurious"; `unknown` holds sentences about what
    could not be decided.
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

    @property
    def complete(self) -> bool:
        return not self.unknown


@dataclass(frozen=True, slots=True)
class Place:
    """An operation in the program: as written, where it stands, and its switch ("" where it has none)."""

    op: str
    line: int
    column: int
    end_line: int
    end_column: int
    guard: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause of trouble: its code (`CF101`), a sentence with the numbers, the sets of inputs it holds on.

    `level`: "error", "warning" or "note"; a note alone is no reason to fail. `operations`: the first is where the
    finding is shown. `witness`: a point of the first set, with what AD returns there as a formula (`ad`), the gradient
    (None where there is none) and the extreme points of the Clarke subdifferential. `values`: at a jump, the value at
    the witness and one that is approached. `help`: what to write instead.
    """

    code: str
    level: str
    message: str
    help: str
    operations: tuple[Place, ...]
    sets: tuple[str, ...] = ()
    witness: Row | None = None
    ad: tuple[Row, ...] | None = None
    gradient: tuple[Row, ...] | None = None
    clarke: tuple[tuple[Row, ...], ...] | None = None
    values: tuple[str, ...] = ()
    trust: str = ""

    @property
    def place(self) -> Place:
        """Where the finding is shown."""
        return self.operations[0]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A hypothesis of the theorems: "proved", "refuted" or "undecided", why, and where it fails."""

    name: str
    answer: str
    reason: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `cfc check` says: findings, sorted by place; what is proved; the hypotheses, where they were asked for."""

    program: str
    ties: str
    findings: tuple[Finding, ...]
    proved: tuple[str, ...]
    hypotheses: tuple[Hypothesis, ...]
