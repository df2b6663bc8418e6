"""What is said: the typed answers of the analyses, which the targets render.

Exact numbers are texts that SymPy parses; an array input is a nested list of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Nested: TypeAlias = "str | list[Nested]"
YOURS = "yours"  # in a comparison, the row of rules of one's own
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
    arithmetic that was checked, "solver" where part of it rests on the word of a solver of real algebra. `as_field`:
    the limiting gradients are the vertices of D, which is a sum of segments; they are not listed.
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
    as_field: bool = False


@dataclass(frozen=True, slots=True)
class FieldSum:
    """D as base + the sum of the segments from 0 to each of `segments`; each of these is a list of rows."""

    base: tuple[Row, ...]
    segments: tuple[tuple[Row, ...], ...]


@dataclass(frozen=True, slots=True)
class RuleNumber:
    """The number of a tie rule, as `--tie RULE=NUMBER` takes it; of an extremum over many the weight of one entry.

    `here`: what the preset has, None where it is no one number. `low`, `high`: the ends of its element set. `position`:
    of the entry, from 1; the last of the tied entries has what is left.
    """

    name: str
    rule: str
    here: str | None
    low: str
    high: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """kind "Eq": left = right; "Le": left <= right; "Or": one of the relations `parts` holds."""

    kind: str
    left: str = ""
    right: str = ""
    parts: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """A set of rule numbers, exactly those of the reals that satisfy all of `conditions`.

    kind "one": exactly one setting; "none"; "all": every setting whose numbers are in their element sets; "set": some;
    "unknown": not known whether some, for `reason`. `example`: values of rules as `--tie` takes them, within the
    element sets where it can be. `solutions`: where one number decides and has finitely many values, these, and
    whether each is in the element set.
    """

    kind: str
    conditions: tuple[Relation, ...] = ()
    example: tuple[tuple[str, str], ...] | None = None
    solutions: tuple[tuple[str, bool], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RightWhen:
    """What AD returns as polynomials in the numbers of the rules tied here, and for which numbers that is right.

    `ad` is None where it is not known, for `reason`. `gradient`: it is the gradient, None where f has none; `clarke`:
    it is in the Clarke subdifferential. `fixed`: rules that are tied too and keep what the preset says,
    and why.
    """

    parameters: tuple[RuleNumber, ...]
    fixed: tuple[tuple[str, str], ...]
    ad: tuple[Row, ...] | None
    gradient: Settings | None
    clarke: Settings
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """An operation that makes NaN or inf: where it is written, the operation as written, the factors.

    `how` joins the factors: "0 * inf", "0 / 0", "inf + -inf"; of a function of one argument it is its name, `log(0)`.
    `inside`: it is a step inside the operation, such as the square root of norm2.
    """

    line: int
    column: int
    op: str
    how: str
    factors: tuple[str, ...]
    inside: bool


@dataclass(frozen=True, slots=True)
class NanOrigin:
    """Where the first NaN (or, where there is none, inf) of the value, of backward or of forward AD arises.

    `selected` is False where it arises in an arm that was not selected, and `arm` is then the operation that chose: a
    where, or a kink such as max. `source`: the operation that made the inf which here meets 0 or another inf, if that
    is another one.
    """

    mode: str  # "value", "backward" or "forward"
    result: str
    origin: Origin
    selected: bool
    arm: str
    source: Origin | None


@dataclass(frozen=True, slots=True)
class GuardInFloats:
    """A guard whose sign in float64 is not that on the real line; `sign` and `exact` are "-", "0", "+", "nan".

    They are empty where the guard is reached in one of the two alone.
    """

    line: int
    column: int
    op: str
    guard: str
    sign: str
    exact: str


@dataclass(frozen=True, slots=True)
class FloatReport:
    """What float64 does at the point: numbers as float64 prints them, and where it differs from the real line.

    `moved`: inputs that are no float64, with the exact text of the nearest one. `ties` and
    `exact_ties` count the guards that are zero in float64 and on the real line.
    """

    point: Row
    moved: Row
    value: Nested
    forward: tuple[Row, ...]
    backward: tuple[Row, ...]
    ties: int
    exact_ties: int
    guards: tuple[GuardInFloats, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """The slopes of the program along one entry of the inputs, from both sides, one for each entry of the outputs.

    Each is an exact number, "inf" or "-inf", or a word: "jump" (another value is approached), "outside" (of the domain
    that the program asserts), "unknown".
    """

    entry: str
    left: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A tied operation, what AD does there, and what AD would return with each of its choices.

    `guards`: the switches that are zero. `kind` says what is chosen: the "side" of a kink ("positive" or "negative",
    the sign that its switch is given), the "answer" of a condition ("true", "false"), the "entry" of a maximum
    ("first", "last"); or it is a "step" that jumps here, or the "order" of equal keys, and there is no choice of this
    kind. `taken`: what the rules choose, one of these or a mixture in words. `returned`: for each choice the rows that
    AD would return were this operation alone resolved so.
    """

    line: int
    column: int
    op: str
    guards: tuple[str, ...]
    kind: str
    taken: str
    returned: tuple[tuple[str, tuple[Row, ...]], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a reader wants to know beside the report: the tied operations one by one, the slopes on both sides."""

    choices: tuple[Choice, ...]
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class PointReport:
    """Everything about one point: value, what AD returns, the ties, the vertices of D.

    `forward` and `backward` have one row for each entry of the outputs; `scalar` says that there is just one.
    `vertices`: each is such a list of rows; where `segments` is there, it is D instead. `notes` are sentences for the
    reader.
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
    segments: FieldSum | None = None
    right_when: RightWhen | None = None
    nan: NanOrigin | None = None
    floats: FloatReport | None = None


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
class PointTruth:
    """What holds of a function at a point, whatever AD makes of it. Vectors are rows, one for each output entry."""

    value: Nested
    gradient: tuple[Row, ...] | None
    clarke: tuple[tuple[Row, ...], ...]
    clarke_complete: bool
    bouligand: tuple[tuple[Row, ...], ...]
    bouligand_complete: bool


@dataclass(frozen=True, slots=True)
class PresetRow:
    """What one preset returns at a point, and the verdict for each mode; None where it has no answer, with the reason.

    `ad_critical` and `reason` are those of backward AD, as everywhere. `other`: the truth of what this preset computes,
    where its definitions lead to another one.
    """

    name: str
    framework: str
    version: str
    forward: tuple[Row, ...] | None
    backward: tuple[Row, ...] | None
    forward_verdict: str | None
    verdict: str | None
    ad_critical: bool | None
    reason: str
    forward_reason: str
    other: PointTruth | None = None


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """The presets side by side at one point, beside the truth. `scalar`: there is one row of derivatives."""

    program: str
    point: Row
    scalar: bool
    truth: PointTruth
    presets: tuple[PresetRow, ...]


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
