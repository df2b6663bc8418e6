"""A program, and which of its inputs move -> what is drawn: one output over one or two inputs, the others fixed.

A slice of a stratification is the stratification of the slice: of the program whose other inputs are data. Where nobody
says which inputs move and which values the others have, the slice goes through a witness of the stratum that is of most
interest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from itertools import count as count_from
from typing import Any

import numpy as np

from cfcompiler import errors
from cfcompiler.analyses.entries import apart, entry_name, entry_of
from cfcompiler.analyses.strata import strata_of
from cfcompiler.analyses.strata_question import Question, question_of
from cfcompiler.errors import CFError
from cfcompiler.ir import Apply, Program, Value
from cfcompiler.number_text import parse_number, to_text
from cfcompiler.numbers import TooLarge
from cfcompiler.report import Nested, StrataReport, StratumReport
from cfcompiler.transforms.tidy import tidy

MOST_MOVING = 2
_INTEREST = ("spurious", "discontinuous", "undefined", "inexact", "clarke", "unknown", "exact")
_SECONDS_TO_CHOOSE = 10.0
_CELLS_TO_CHOOSE = 2_000


@dataclass(frozen=True, slots=True)
class Slice:
    """What is drawn.

    `drawn`: the program with one scalar output, inputs as written. `program`: the same with the arrays apart of which
    an entry moves; `moving`: the names of its inputs that move, `places`: which input and entry of `drawn` each is.
    `fixed`: the other inputs of `program`; `point`: all inputs of `drawn`, exact, 0 where an entry moves. `output`: the
    number of the entry of the outputs, and `about`: sentences for the reader: what was chosen.
    """

    drawn: Program
    program: Program
    moving: tuple[str, ...]
    places: tuple[tuple[str, tuple[int, ...]], ...]
    fixed: Mapping[str, Any]
    point: Mapping[str, Any]
    output: int
    about: tuple[str, ...]

    def question(self, box: Mapping[str, Any], seconds: float, progress: Progress = None) -> Question:
        """What is asked of the stratification of the slice."""
        return Question({**box}, self.fixed, seconds, progress=progress)

    def point_at(self, numbers: Sequence[Any]) -> dict[str, Any]:
        """The inputs of `program` where the moving ones have these exact numbers."""
        point = dict(self.fixed)
        for name, number in zip(self.moving, numbers, strict=True):
            point[name] = _alone(number)
        return {param.value.name: point[param.value.name] for param in self.program.params}

    def whole_point(self, numbers: Sequence[Any]) -> dict[str, Any]:
        """The inputs of `drawn` there."""
        point = {name: array.copy() for name, array in self.point.items()}
        for (name, place), number in zip(self.places, numbers, strict=True):
            point[name][place] = number
        return point

    @property
    def fixed_texts(self) -> dict[str, str]:
        """The values of the inputs that do not move, as a point writes them."""
        return {name: _text(array) for name, array in self.fixed.items()}


Progress = Callable[[str, int, int], None] | None


def slice_of(
    program: Program,
    *,
    moving: Sequence[str] = (),
    box: Mapping[str, Any] | None = None,
    fix: Mapping[str, Any] | None = None,
    output: int = 0,
    progress: Progress = None,
) -> tuple[Slice, Question]:
    """The slice, and the question with its box.

    `moving`: one or two inputs or entries (`v[0]`); all that is not fixed where none is named and there are no more
    than two. Raises CFError.
    """
    drawn, about = _one_output(program, output)
    asked = question_of(drawn, box=box, fix=fix)
    named = _named(drawn, moving, asked)
    free = _free(drawn, asked)
    if not free:
        raise CFError([errors.bad_option("nothing moves: every input is fixed")], drawn.source)
    values: Mapping[str, Any] = {}
    chosen = named or tuple(free)
    if len(chosen) > MOST_MOVING or len(chosen) < len(free):
        chosen, values, sentence = _default(drawn, asked, named, free, progress)
        about = (*about, sentence)
    places = tuple(_place(drawn, name) for name in chosen)
    arrays = {name for name, place in places if place}
    split = apart(drawn, arrays)
    point = _point(drawn, asked, values)
    fixed = {}
    for param in split.params:
        if param.value.name not in chosen:
            name, place = _place(drawn, param.value.name)
            fixed[param.value.name] = point[name] if not place else _alone(point[name][place])
    limits = {name: asked.interval(name) for name in chosen}
    limits = {name: interval for name, interval in limits.items() if interval != (None, None)}
    own = Slice(drawn, split, chosen, places, fixed, point, output, about)
    return own, own.question(limits, asked.seconds, progress)


def names_of(text: str) -> list[str]:
    """The names of "x, W[0, 1]"."""
    return [name.strip() for name in re.split(r",(?![^\[]*\])", text) if name.strip()]


def _one_output(program: Program, output: int) -> tuple[Program, tuple[str, ...]]:
    """The program with the entry `output` of its outputs as its one result."""
    entries = [(value, place) for value in program.results for place in np.ndindex(value.shape)]
    if not 0 <= output < len(entries):
        message = f"there is no output {output}: the program has {len(entries)}, counted from 0"
        raise CFError([errors.bad_option(message)], program.source)
    value, place = entries[output]
    about = () if len(entries) == 1 else (f"output {output} of {len(entries)}, counted from 0",)
    if len(entries) == 1 and not value.shape:
        return program, ()
    if not value.shape:
        return tidy(replace(program, results=(value,))), about
    out = Value(free_name(program, "output"), (), value.kind, value.branch)
    index = Apply(out, "index", (value,), (("key", place),))
    return tidy(replace(program, instructions=(*program.instructions, index), results=(out,))), about


def free_name(program: Program, base: str) -> str:
    """`base`, or base_2, base_3, ...: a name that no value of the program has."""
    taken = {param.value.name for param in program.params}
    taken |= {instruction.out.name for instruction in program.instructions}
    names = chain([base], (f"{base}_{count}" for count in count_from(2)))
    return next(name for name in names if name not in taken)


def _named(program: Program, moving: Sequence[str], asked: Question) -> tuple[str, ...]:
    """The names that the user gave, as strata write them; an array stands for its entries. Raises CFError."""
    shapes = {param.value.name: param.value.shape for param in program.params if param.differentiable}
    problems, found = [], []
    for text in moving:
        entry = entry_of(program, text)
        name = text.strip() if entry is None else entry_name(*entry)
        if (entry is None and name not in shapes) or (entry is not None and entry[0] not in shapes):
            problems.append(errors.unknown_input(name, list(shapes)))
        elif name in asked.fixed or (entry is not None and entry[0] in asked.fixed):
            problems.append(errors.bad_option(f"{name!r} moves and is in --fix"))
        elif entry is None:
            found += [entry_name(name, place) for place in np.ndindex(shapes[name])]
        else:
            found.append(name)
    found = list(dict.fromkeys(found))
    if not problems and len(found) > MOST_MOVING:
        message = f"{len(found)} numbers would move: " + ", ".join(found[:6]) + (" ..." if found[6:] else "")
        problems.append(
            errors.bad_option(message, "a picture has one or two: --slice x,y or --slice v[0],v[1]")
        )
    if problems:
        raise CFError(problems, program.source)
    return tuple(found)


def _free(program: Program, asked: Question) -> list[str]:
    """Every number that may move."""
    return [
        name
        for param in program.params
        if param.differentiable and param.value.name not in asked.fixed
        for name in (entry_name(param.value.name, place) for place in np.ndindex(param.value.shape))
        if name not in asked.fixed
    ]


def _place(program: Program, name: str) -> tuple[str, tuple[int, ...]]:
    return entry_of(program, name) or (name, ())


def _default(
    program: Program, asked: Question, named: tuple[str, ...], free: Sequence[str], progress: Progress
) -> tuple[tuple[str, ...], dict[str, Any], str]:
    """Which inputs move, values for the others, and what was chosen, as a sentence."""
    question = replace(asked, seconds=_SECONDS_TO_CHOOSE, most=_CELLS_TO_CHOOSE, progress=progress)
    report = strata_of(program, question)
    for stratum in sorted(report.strata, key=_interest):
        values = _witness(program, asked, stratum)
        if values is not None:
            chosen = named or _moving(stratum, report, free)
            return chosen, values, f"the slice goes through a point where AD is {_word(stratum)}"
    chosen = named or tuple(free[:MOST_MOVING])
    return chosen, {}, "the inputs that do not move are 0"


def _word(stratum: StratumReport) -> str:
    words = {"clarke": "a Clarke subgradient", "unknown": "not judged"}
    return words.get(stratum.verdict, stratum.verdict)


def _interest(stratum: StratumReport) -> tuple[bool, int, int]:
    return not stratum.artificial_critical, _INTEREST.index(stratum.verdict), -stratum.dimension


def _moving(stratum: StratumReport, report: StrataReport, free: Sequence[str]) -> tuple[str, ...]:
    """The first two inputs that the stratum's equations speak of, then those of its guards, then the others."""
    texts = " ".join(stratum.equations)
    tied = " ".join(guard.expr for guard in report.guards if stratum.signs.get(guard.id) == 0)
    ranked = sorted(free, key=lambda name: (not _has(texts, name), not _has(tied, name)))
    return tuple(sorted(ranked[:MOST_MOVING], key=list(free).index))


def _has(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?![\w\[])", text) is not None


def _witness(program: Program, asked: Question, stratum: StratumReport) -> dict[str, Any] | None:
    """The witness of a stratum as arrays; None where it has no closed form."""
    found: dict[str, Any] = {}
    for param in program.params:
        name = param.value.name
        for place in np.ndindex(param.value.shape):
            entry = entry_name(name, place)
            text = stratum.witness.get(entry) if entry in stratum.witness else None
            if text is None and name in stratum.witness:
                text = _leaf(stratum.witness[name], place)
            if text is not None:
                found[entry] = text
    try:
        numbers = _parsed(found)
    except (ValueError, TooLarge):
        return None
    return numbers


def _parsed(texts: Mapping[str, Nested]) -> dict[str, Any]:
    return {name: parse_number(str(text)) for name, text in texts.items()}


def _leaf(nested: Nested, place: tuple[int, ...]) -> str:
    for k in place:
        nested = nested[k]
    assert isinstance(nested, str)
    return nested


def _point(program: Program, asked: Question, values: Mapping[str, Any]) -> dict[str, Any]:
    """All inputs: what is fixed, else the values, else 0."""
    point: dict[str, Any] = {}
    for param in program.params:
        name = param.value.name
        array = np.empty(param.value.shape, dtype=object)
        for place in np.ndindex(param.value.shape):
            entry = entry_name(name, place)
            if entry in asked.fixed:
                array[place] = asked.fixed[entry][()]
            elif name in asked.fixed:
                array[place] = asked.fixed[name][place]
            else:
                array[place] = values.get(entry, Fraction(0))
        point[name] = array
    return point


def _texts(array: Any) -> Any:
    if not np.shape(array):
        return to_text(array[()] if isinstance(array, np.ndarray) else array)
    return [_texts(entry) for entry in array]


def _text(array: Any) -> str:
    found = _texts(array)
    return found if isinstance(found, str) else str(found).replace("'", "")


def _alone(number: Any) -> Any:
    array = np.empty((), dtype=object)
    array[()] = number
    return array
