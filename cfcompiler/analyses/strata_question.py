"""What is asked of a stratification: where, with which inputs fixed, and how much work it may take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from cfcompiler import errors
from cfcompiler.analyses.entries import apart, entry_name, entry_of, split_by
from cfcompiler.errors import CFError
from cfcompiler.ir import Param, Program
from cfcompiler.number_text import parse_number, to_text
from cfcompiler.numbers import TooLarge
from cfcompiler.point import point_of
from cfcompiler.source import Source

USUAL_SECONDS, USUAL_CELLS = 60.0, 100_000
Interval = tuple[Fraction | None, Fraction | None]


@dataclass(frozen=True, slots=True)
class Question:
    """`box`: open intervals by input, one for all entries of an array; `fixed`: inputs that do not move, with values.

    Both may name entries, `v[0]`; the program is then asked with its entries apart (entries.py). `most`: cells on the
    way. `progress` is called with what is done: a word, how many, of how many (0: not known).
    """

    box: Mapping[str, Interval] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = USUAL_SECONDS
    most: int = USUAL_CELLS
    progress: Callable[[str, int, int], None] | None = None

    def bounds(self, program: Program) -> tuple[Interval, ...]:
        """The interval of each entry that moves, in order."""
        found: list[Interval] = []
        for param in program.params:
            if param.value.name not in self.fixed:
                size = 1
                for length in param.value.shape:
                    size *= length
                found += [self.interval(param.value.name)] * size
        return tuple(found)

    def interval(self, name: str) -> Interval:
        """The interval of an input, or of an entry: its own, else that of its array."""
        array = name.partition("[")[0]
        return self.box.get(name, self.box.get(array, (None, None)))

    def box_texts(self) -> dict[str, tuple[str, str]] | None:
        """The box for readers; None where there is none."""
        ends = {
            name: ("-inf" if low is None else to_text(low), "inf" if high is None else to_text(high))
            for name, (low, high) in self.box.items()
        }
        return ends or None


def question_of(
    program: Program,
    *,
    box: Mapping[str, Any] | None = None,
    fix: Mapping[str, Any] | None = None,
    seconds: float = USUAL_SECONDS,
    most: int = USUAL_CELLS,
    progress: Callable[[str, int, int], None] | None = None,
) -> Question:
    """The question of texts or numbers: box {"x": "-1:1"} or {"x": (-1, 1)}, fix {"y": "0"}.

    Data of the program must be fixed. Raises CFError with what is wrong.
    """
    given, limits = _named(program, fix or {}), _named(program, box or {})
    arrays = split_by(program, (*given, *limits))
    written = [param.value.name for param in program.params]
    program = apart(program, arrays)
    moving = {param.value.name: param for param in program.params if param.differentiable}
    known = [param.value.name for param in program.params]
    problems = [
        errors.bad_option(f"{name!r} is in --fix, and so is an entry of it", "give all entries, or the array")
        for name in given
        if name in arrays
    ]
    problems += [errors.unknown_input(name, known) for name in given if name not in (*known, *arrays)]
    problems += [errors.unknown_input(name, known) for name in limits if name not in (*known, *written)]
    problems += [errors.bad_option(f"{name!r} is in --box and in --fix") for name in limits if name in given]
    missing = [name for name in known if name not in moving and name not in given]
    problems += [
        errors.bad_option(f"the data {name!r} has no value", f"give it: --fix {name}=...") for name in missing
    ]
    if problems:
        raise CFError(problems, program.source)
    own = replace(program, params=tuple(param for param in program.params if param.value.name in given))
    fixed = point_of(own, given)
    intervals = {name: _interval(name, text) for name, text in limits.items()}
    return Question(intervals, fixed, seconds, most, progress)


def moving_question(program: Program, **options: Any) -> Question:
    """As `question_of`, where some input must move. Raises CFError."""
    question = question_of(program, **options)
    own = [param.value.name for param in asked(program, question).params if param.differentiable]
    if own and set(own) <= set(question.fixed):
        wrong = errors.bad_option("every input is fixed", "leave one to move; `cfc at` judges a point")
        raise CFError([wrong], program.source)
    return question


def asked(program: Program, question: Question) -> Program:
    """The program with the arrays apart of which the question names entries."""
    return apart(program, split_by(program, (*question.fixed, *question.box)))


def _named(program: Program, given: Mapping[str, Any]) -> dict[str, Any]:
    """Names of entries as strata write them."""
    found = {}
    for name, value in given.items():
        entry = entry_of(program, name)
        found[name if entry is None else entry_name(*entry)] = value
    return found


def restricted(program: Program, question: Question) -> Program:
    """The program whose fixed inputs are data."""
    program = asked(program, question)
    params = tuple(
        Param(param.value, param.differentiable and param.value.name not in question.fixed)
        for param in program.params
    )
    return replace(program, params=params)


def _interval(name: str, given: Any) -> Interval:
    ends = given.split(":") if isinstance(given, str) else [str(end) for end in given]
    wrong = errors.bad_option(f"the box of {name!r} is {given!r}", f"write {name}=-1:1, with rational ends")
    if len(ends) != 2:
        raise CFError([wrong], Source("", "cfc"))
    found: list[Fraction | None] = []
    for end, infinite in zip(ends, ("-inf", "inf"), strict=True):
        if end.strip() in ("", infinite):
            found.append(None)
            continue
        try:
            number = parse_number(end)
        except (ValueError, TooLarge):
            raise CFError([wrong], Source("", "cfc")) from None
        if not isinstance(number, Fraction):
            raise CFError([wrong], Source("", "cfc"))
        found.append(number)
    low, high = found
    if low is not None and high is not None and low >= high:
        raise CFError([errors.bad_option(f"the box of {name!r} is empty: {given!r}")], Source("", "cfc"))
    return low, high
