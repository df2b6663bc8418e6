"""What a reader wants to know beside the answer: where NaN comes from, float64, the choices, both sides."""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report.rows import Nested, Row


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
