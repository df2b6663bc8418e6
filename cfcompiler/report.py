"""What is said: the typed answers of the analyses, which the targets render.

Exact numbers are texts that SymPy parses; an array input is a nested list of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Nested: TypeAlias = "str | list[Nested]"
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
