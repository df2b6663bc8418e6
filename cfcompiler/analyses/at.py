"""Program, point -> PointReport: value, AD, the ties, the vertices of D, the truth and the verdict, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np

from cfcompiler import errors
from cfcompiler.analyses.field import MOST_SCALARS, Field, Vertex, field_at, field_of_large, seeds_of
from cfcompiler.analyses.floats import floats_at
from cfcompiler.analyses.jacobians import backward_jacobian, forward_jacobian
from cfcompiler.analyses.judgement import Judgement
from cfcompiler.analyses.judgement_texts import judged_texts
from cfcompiler.analyses.landscape import USUAL, Effort, landscape_at
from cfcompiler.analyses.large import is_large, qualified
from cfcompiler.analyses.nan_origin import nan_origin
from cfcompiler.analyses.norms import field_beside_norms, vanishing_norms
from cfcompiler.analyses.right_when import right_when
from cfcompiler.analyses.ties_here import ties_here
from cfcompiler.analyses.truth import (
    Facts,
    facts_at,
    facts_by_field,
    facts_of_large,
    judgement_of,
    nothing_known,
)
from cfcompiler.arithmetic import EXACT, FLOATS, Undecided, nearest_floats
from cfcompiler.errors import CFError
from cfcompiler.feasibility.segments import SegmentSum
from cfcompiler.interpreter import run
from cfcompiler.ir import Instruction, Program
from cfcompiler.number_text import to_text
from cfcompiler.numbers import is_special
from cfcompiler.primitives import TABLE
from cfcompiler.report import FieldSum, Judged, NanOrigin, Nested, PointReport, Row, TieHere
from cfcompiler.transforms.forward import modes_agree
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize
from cfcompiler.transforms.tidy import tidy

Mode: TypeAlias = Literal["forward", "backward"]

MOST_FORWARD_RUNS = 24  # inputs with more entries have forward mode derived, where that is a theorem


def at(
    program: Program, point: Mapping[str, Any], ties: str, effort: Effort = USUAL, *, floats: bool = False
) -> PointReport:
    """Everything about `point` (an object array of exact numbers for every parameter).

    `floats`: what float64 does there as well. Raises CFError where the point is outside the domain, or where a branch
    cannot be decided.
    """
    ad_here = ad_at(program, point)
    values, forward, backward = ad_here.values, ad_here.forward, ad_here.backward
    tied = ties_here(program, point)
    results = [nested(values[value.name]) for value in program.results]
    rows = [_row(program, row) for row in map(_texts, backward)]
    forward_rows = [_row(program, row) for row in map(_texts, forward)]
    notes = []
    if forward_rows != rows:
        notes.append(_difference_note(program))
    notes.extend(_float_notes(program, point, [_texts(row) for row in backward]))
    ad = tuple(ad_here.vector("backward"))
    field, facts = _surroundings(program, point, ad_here.here, tied, tuple(map(_flat, backward)), effort)
    vertices = tuple(tuple(_unflattened(program, point, row) for row in vertex) for vertex in field.vertices)
    joined = [[entry for row in vertex for entry in row] for vertex in field.vertices]
    judgement = judgement_of(facts, ad, field.total or joined, field.complete)

    def rows_of(vector: Sequence[Any]) -> tuple[Row, ...]:
        return _rows_of(program, point, vector)

    report = PointReport(
        program.name,
        ties,
        {param.value.name: nested(point[param.value.name]) for param in program.params},
        results[0] if len(results) == 1 else list(results),
        len(rows) == 1 and all(not value.shape for value in program.results),
        tuple(forward_rows),
        tuple(rows),
        tuple(tied),
        vertices,
        field.complete,
        field.reason,
        tuple(notes),
        judged_here(program, point, judgement, facts),
        None if field.total is None else _field_sum(program, point, field.total),
        right_when(program, point, ad, judgement, rows_of),
        _nan(program, values, forward, backward),
    )
    return replace(report, floats=floats_at(program, point, report)) if floats else report


def _nan(
    program: Program,
    values: Mapping[str, Any],
    forward: Sequence[Sequence[Any]],
    backward: Sequence[Sequence[Any]],
) -> NanOrigin | None:
    """Where NaN or inf comes from: that of the value first, else NaN of backward or of forward AD, else inf."""
    results = [values[value.name] for value in program.results]
    found = {
        mode: {entry for row in rows for entry in _flat(row) if is_special(entry)}
        for mode, rows in (("value", [results]), ("backward", backward), ("forward", forward))
    }
    for mode in sorted(found, key=lambda mode: mode != "value" and "nan" not in found[mode]):
        if found[mode]:
            try:
                return nan_origin(program, values, mode)
            except Undecided:
                return None  # a sign inside a step; the answer stands without its explanation
    return None


def _field_sum(program: Program, point: Mapping[str, Any], total: SegmentSum) -> FieldSum:
    segments = tuple(_rows_of(program, point, segment) for segment in total.segments)
    return FieldSum(_rows_of(program, point, total.base), segments)


@dataclass(frozen=True, slots=True)
class ADHere:
    """The values of a program at a point and what AD returns there: for each output entry, an array for each input."""

    program: Program
    values: Mapping[str, Any]
    forward: list[list[Any]]
    backward: list[list[Any]]

    @property
    def here(self) -> list[Any]:
        """The entries of the results."""
        return [x for result in self.program.results for x in np.reshape(self.values[result.name], -1)]

    @property
    def results(self) -> Nested:
        """The results as texts; a list of them where there are several."""
        texts = [nested(self.values[value.name]) for value in self.program.results]
        return texts[0] if len(texts) == 1 else texts

    def rows(self, mode: Mode) -> tuple[Row, ...]:
        """What AD returns, as texts."""
        return tuple(_row(self.program, _texts(row)) for row in self._jacobian(mode))

    def vector(self, mode: Mode) -> list[Any]:
        """What AD returns, row after row."""
        return [entry for row in self._jacobian(mode) for entry in _flat(row)]

    def _jacobian(self, mode: Mode) -> list[list[Any]]:
        return self.forward if mode == "forward" else self.backward


def ad_at(program: Program, point: Mapping[str, Any]) -> ADHere:
    """The program and both modes of AD at `point`, exactly. Raises CFError as `at` does."""
    try:
        values = run(program, point, EXACT)
        _check_domain(program, values)
        backward, finite = _backward(program, point)
        follows = _forward_follows(program, finite)
        forward = backward if follows else forward_jacobian(program, point, EXACT)
    except Undecided as problem:
        raise _undecided(program, problem) from None
    return ADHere(program, values, forward, backward)


def judged_here(program: Program, point: Mapping[str, Any], judgement: Judgement, facts: Facts) -> Judged:
    """The judgement for readers, in rows by the inputs of the program."""
    return judged_texts(judgement, facts.lexicographic, lambda vector: _rows_of(program, point, vector))


def _surroundings(
    program: Program,
    point: Mapping[str, Any],
    here: Sequence[Any],
    tied: Sequence[TieHere],
    gradient: Vertex,
    effort: Effort,
) -> tuple[Field, Facts]:
    """D, and what is true of the program; `gradient` is what the program's own path gives."""
    known = qualified(program, point) if is_large(program) else None
    if known is not None:
        return Field(tuple((vertex,) for vertex in known.vertices), True, ""), facts_of_large(known)
    try:
        unrolled = tidy(scalarize(tidy(program), MOST_SCALARS))
    except TooManyScalars as problem:
        return field_of_large(program, point, str(problem)), nothing_known("unknown", str(problem))
    landscape = landscape_at(unrolled, point, effort)
    facts = facts_at(unrolled, point, here, landscape, effort)
    jumping = next((tie for tie in tied if tie.op in TABLE and TABLE[tie.op].jumps), None)
    if jumping is not None:
        reason = f"{jumping.op} jumps here, and D is not known where a step jumps"
        return Field((), False, reason), facts
    field = field_at(unrolled, point, landscape) if tied else Field((gradient,), True, "")
    if vanishing_norms(program, point):
        around = field_beside_norms(unrolled, point, effort)
        facts = replace(facts, field_around=around)
        if field.complete and around is not None and all(one.single for one in around.sums):
            return field, facts
        reason = "norm2 at 0: D holds all vectors of a ball, of which the rule returns one"
        return Field(field.vertices, False, reason), facts
    if field.complete:
        flat = field.total or [[entry for row in vertex for entry in row] for vertex in field.vertices]
        return field, facts_by_field(unrolled, landscape, flat, facts)
    return field, facts


def _rows_of(program: Program, point: Mapping[str, Any], vector: Sequence[Any]) -> tuple[Row, ...]:
    """A flat vector, row after row, as rows."""
    width = sum(int(np.size(point[name])) for name in _names(program))
    count = len(vector) // width if width else 1
    return tuple(
        _unflattened(program, point, vector[place * width : (place + 1) * width]) for place in range(count)
    )


def _texts(row: Sequence[Any]) -> list[Nested]:
    return [nested(array) for array in row]


def _flat(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(entry for array in row for entry in np.reshape(array, -1))


def nested(array: Any) -> Nested:
    """Exact numbers as texts (what is a text already stays), in nested lists."""
    if not np.shape(array):
        entry = array[()] if isinstance(array, np.ndarray) else array
        return entry if isinstance(entry, str) else to_text(entry)
    return [nested(entry) for entry in array]


def _check_domain(program: Program, values: Mapping[str, Any]) -> None:
    broken = [
        errors.outside_domain(assertion.span, assertion.message)
        for assertion in program.assertions
        if assertion.condition.name in values and not np.all(values[assertion.condition.name])
    ]
    if broken:
        raise CFError(broken, program.source)


def _undecided(program: Program, problem: Undecided) -> CFError:
    instruction = problem.instruction
    assert instruction is not None
    return CFError([errors.undecided(instruction.span, problem.reason)], program.source)


def _backward(program: Program, point: Mapping[str, Any]) -> tuple[list[list[Any]], bool]:
    """The derivatives by backward mode; and whether all that is met in it is finite."""
    finite = True

    def watch(instruction: Instruction, values: Mapping[str, Any]) -> None:
        nonlocal finite
        if instruction.out.kind == "real" and finite:
            finite = not any(is_special(x) for x in values[instruction.out.name].flat)

    rows = backward_jacobian(program, point, EXACT, watch)
    return rows, finite


def _forward_follows(program: Program, finite: bool) -> bool:
    """Whether forward mode returns the same and needs no run for each input entry.

    Where all values and partials are finite, both modes are one product of matrices, if their rules are one. Elsewhere
    forward is what backward is where the rules say that (one mode).
    """
    if program.formulas.one_mode:
        return True
    entries = sum(prod(param.value.shape) for param in program.params if param.differentiable)
    return entries > MOST_FORWARD_RUNS and finite and modes_agree(program)


def row_of(program: Program, arrays: Sequence[Any]) -> Row:
    """The derivatives by all inputs, as texts."""
    return _row(program, _texts(arrays))


def _names(program: Program) -> list[str]:
    return [param.value.name for param in program.params if param.differentiable]


def _row(program: Program, row: Sequence[Nested]) -> Row:
    return dict(zip(_names(program), row, strict=True))


def _unflattened(program: Program, point: Mapping[str, Any], flat: Sequence[Any]) -> Row:
    """A flat gradient as a row."""
    row: Row = {}
    start = 0
    for name in _names(program):
        shape = np.shape(point[name])
        size = int(np.prod(shape))
        array = np.empty(shape, dtype=object)
        for place, entry in zip(np.ndindex(shape), flat[start : start + size], strict=True):
            array[place] = entry
        row[name] = nested(array)
        start += size
    return row


def _difference_note(program: Program) -> str:
    return (
        f"forward and backward AD differ here: {program.preset} has other rules, or treats a zero factor otherwise, "
        "in the two modes"
    )


def _float_notes(program: Program, point: Mapping[str, Any], exact: Sequence[Sequence[Nested]]) -> list[str]:
    """A sentence where float64 gives NaN or inf and the real line does not."""
    backward = tidy(vjp(program))
    names = [param.value.name for param in backward.params[len(program.params) :]]
    inputs = {name: nearest_floats(array) for name, array in point.items()}
    for seeds, row in zip(seeds_of(program, FLOATS), exact, strict=True):
        floats = {name: np.asarray(seed, dtype=np.float64) for name, seed in zip(names, seeds, strict=True)}
        values = run(backward, {**inputs, **floats}, FLOATS)
        for value, known in zip(backward.results[len(program.results) :], row, strict=True):
            for number, text in zip(np.reshape(values[value.name], -1), _leaves(known), strict=True):
                if not np.isfinite(number) and text not in ("nan", "inf", "-inf"):
                    return [
                        f"in float64 the backward program returns {number} here: an intermediate value overflows"
                    ]
    return []


def _leaves(nested_texts: Nested) -> list[str]:
    if isinstance(nested_texts, str):
        return [nested_texts]
    return [leaf for part in nested_texts for leaf in _leaves(part)]
