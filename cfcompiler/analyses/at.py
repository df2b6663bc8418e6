"""Program, point -> PointReport: value, AD, the ties, the vertices of D, the truth and the verdict, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler import errors
from cfcompiler.analyses.field import Field, field_at, filled, seeds_of
from cfcompiler.analyses.floats import floats_at
from cfcompiler.analyses.judgement_texts import judged_texts
from cfcompiler.analyses.nan_origin import nan_origin
from cfcompiler.analyses.ties_here import ties_here
from cfcompiler.analyses.truth import USUAL, Effort, truth_at
from cfcompiler.arithmetic import EXACT, FLOATS, Undecided
from cfcompiler.errors import CFError
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.number_text import to_text
from cfcompiler.numbers import is_special, to_float
from cfcompiler.primitives import TABLE
from cfcompiler.report import Judged, NanOrigin, Nested, PointReport, Row
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.tidy import tidy


def at(
    program: Program, point: Mapping[str, Any], ties: str, effort: Effort = USUAL, *, floats: bool = False
) -> PointReport:
    """Everything about `point` (an object array of exact numbers for every parameter).

    `floats`: what float64 does there as well. Raises CFError where the point is outside the domain, or where a branch
    cannot be decided.
    """
    try:
        values = run(program, point, EXACT)
        _check_domain(program, values)
        forward = _forward(program, point)
        backward = _backward(program, point)
    except Undecided as problem:
        raise _undecided(program, problem) from None
    tied = ties_here(program, point)
    results = [nested(values[value.name]) for value in program.results]
    rows = [_row(program, row) for row in map(_texts, backward)]
    forward_rows = [_row(program, row) for row in map(_texts, forward)]
    notes = []
    if forward_rows != rows:
        notes.append(_difference_note(program))
    notes.extend(_float_notes(program, point, [_texts(row) for row in backward]))
    if tied:
        field = field_at(program, point)
        vertices = tuple(
            tuple(_unflattened(program, point, row) for row in vertex) for vertex in field.vertices
        )
    else:
        field, vertices = Field((tuple(map(_flat, backward)),), True, ""), (tuple(rows),)
    jumping = next((tie for tie in tied if tie.op in TABLE and TABLE[tie.op].jumps), None)
    if jumping is not None:
        field = Field((), False, f"{jumping.op} jumps here, and D is not known where a step jumps")
    judged = judgement_at(program, point, values, [x for row in backward for x in _flat(row)], field, effort)
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
        judged,
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


def judgement_at(
    program: Program,
    point: Mapping[str, Any],
    values: Mapping[str, Any],
    ad: Sequence[Any],
    field: Field,
    effort: Effort,
) -> Judged:
    """The truth, and the word for `ad` (the rows of what AD returns, joined); `values` are those of the program."""
    here = [entry for result in program.results for entry in np.reshape(values[result.name], -1)]
    vertices = [[entry for row in vertex for entry in row] for vertex in field.vertices]
    found = truth_at(program, point, here, ad, vertices, field.complete, effort)
    return judged_texts(found, lambda vector: _rows_of(program, point, vector))


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
    """Exact numbers as texts, in nested lists."""
    if not np.shape(array):
        return to_text(array[()] if isinstance(array, np.ndarray) else array)
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


def _forward(program: Program, point: Mapping[str, Any]) -> list[list[Any]]:
    """For each output entry, the derivatives by all inputs (arrays), by one forward run for each input entry."""
    forward = tidy(jvp(program))
    inputs = [param.value for param in program.params if param.differentiable]
    tangents = [param.value.name for param in forward.params[len(program.params) :]]
    count = sum(int(np.prod(value.shape)) for value in program.results)
    jacobian = [[np.empty(value.shape, dtype=object) for value in inputs] for _ in range(count)]
    for which, value in enumerate(inputs):
        for entry in np.ndindex(value.shape):
            seeds = {
                name: filled(other.shape, Fraction(0)) for name, other in zip(tangents, inputs, strict=True)
            }
            seeds[tangents[which]][entry] = Fraction(1)
            values = run(forward, {**point, **seeds}, EXACT)
            outputs = forward.results[len(program.results) :]
            flat = [number for output in outputs for number in np.reshape(values[output.name], -1)]
            for place, number in enumerate(flat):
                jacobian[place][which][entry] = number
    return jacobian


def _backward(program: Program, point: Mapping[str, Any]) -> list[list[Any]]:
    """For each output entry, the derivatives by all inputs, by one backward run."""
    backward = tidy(vjp(program))
    names = [param.value.name for param in backward.params[len(program.params) :]]
    rows = []
    for seeds in seeds_of(program, EXACT):
        values = run(backward, {**point, **dict(zip(names, seeds, strict=True))}, EXACT)
        rows.append([values[value.name] for value in backward.results[len(program.results) :]])
    return rows


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
        f"forward and backward AD differ here: the rules of {program.preset} block or multiply a zero "
        "differently in the two modes"
    )


def _float_notes(program: Program, point: Mapping[str, Any], exact: Sequence[Sequence[Nested]]) -> list[str]:
    """A sentence where float64 gives NaN or inf and the real line does not."""
    backward = tidy(vjp(program))
    names = [param.value.name for param in backward.params[len(program.params) :]]
    inputs = {name: np.vectorize(to_float, otypes=[np.float64])(array) for name, array in point.items()}
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
