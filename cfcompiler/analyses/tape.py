"""Program, point -> Tape: the backward program step by step, in exact numbers, with ties and the birth of NaN marked.

The program that runs is the one that `cfc compile --emit backward` prints, so a step here is a line there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cfcompiler.analyses.field import seeds_of
from cfcompiler.analyses.ties_here import tied_operations
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Program, Value
from cfcompiler.number_text import to_text
from cfcompiler.numbers import is_special
from cfcompiler.report.page import Tape, TapeStep
from cfcompiler.report.rows import Nested
from cfcompiler.verify import arguments

MOST_STEPS = 400
MOST_ENTRIES = 48  # of one array
_SIGNS = {"mul": "*", "div": "/", "add": "+", "sub": "-", "ipow": "**", "rpow": "**", "pow": "**"}


def tape_at(program: Program, backward: Program, point: Mapping[str, Any]) -> Tape:
    """The steps of `backward` (the vjp of `program`) at a point, from the cotangent 1 on the first output entry."""
    inputs = {param.value.name: _texts(point[param.value.name])[0] for param in program.params}
    names = [param.value.name for param in backward.params[len(program.params) :]]
    seeds = next(iter(seeds_of(program, EXACT)), None)
    if seeds is None:
        return Tape(inputs, (), 0, "the program has no outputs")
    try:
        recorder = _Recorder(program, backward, point)
        values = {**point, **dict(zip(names, seeds, strict=True))}
        run(backward, values, EXACT, recorder.watch)
    except Undecided as problem:
        return Tape(inputs, (), 0, str(problem))
    for name, seed in zip(names, seeds, strict=True):
        inputs[name] = _texts(seed)[0]
    steps = recorder.steps
    if len(steps) <= MOST_STEPS:
        return Tape(inputs, tuple(steps), 0, "")
    return Tape(inputs, tuple(steps[:MOST_STEPS]), len(steps) - MOST_STEPS, "")


class _Recorder:
    """Writes the steps down as they run."""

    def __init__(self, program: Program, backward: Program, point: Mapping[str, Any]) -> None:
        self.steps: list[TapeStep] = []
        self._own = {instruction.out.name for instruction in program.instructions}
        self._tied = {instruction.out.name for instruction, _ in tied_operations(program, point)}
        self._index = {instruction.out.name: k for k, instruction in enumerate(backward.instructions)}
        self._carrying = _carrying(program, backward)

    def watch(self, instruction: Instruction, values: Mapping[str, Any]) -> None:
        name = instruction.out.name
        phase = "value" if name in self._own else "backward" if name in self._carrying else "slope"
        text, cut = _texts(values[name])
        self.steps.append(
            TapeStep(
                self._index[name],
                phase,
                name,
                text,
                cut,
                self._is_tied(instruction),
                _alarm(instruction, values),
                instruction.span,
            )
        )

    def _is_tied(self, instruction: Instruction) -> bool:
        """Whether it is a tied operation, or the step backward that distributes over its pieces."""
        if instruction.out.name in self._tied:
            return True
        if isinstance(instruction, Apply) and instruction.op == "weigh":
            return instruction.attribute("kink") in self._tied
        if isinstance(instruction, Apply) and instruction.op == "weigh_extremum":
            return any(arg.name in self._tied for arg in instruction.args)
        return False


def _carrying(program: Program, backward: Program) -> set[str]:
    """The values that depend on a cotangent."""
    found = {param.value.name for param in backward.params[len(program.params) :]}
    for instruction in backward.instructions:
        if any(value.name in found for value in arguments(instruction)):
            found.add(instruction.out.name)
    return found


def _alarm(instruction: Instruction, values: Mapping[str, Any]) -> str:
    if instruction.out.kind != "real":
        return ""
    special = _specials(values[instruction.out.name])
    if not special:
        return ""
    used = [value for value in arguments(instruction) if value.name in values and value.kind == "real"]
    arriving = [_specials(values[value.name]) for value in used]
    if any("nan" in found for found in arriving) or ("nan" not in special and any(arriving)):
        return "passes on"
    return _factors(instruction, used, values)


def _factors(instruction: Instruction, used: Sequence[Value], values: Mapping[str, Any]) -> str:
    """`0 * inf`: the arguments of a step that makes NaN or inf, at its first entry that is so."""
    out = values[instruction.out.name]
    place = next(place for place in np.ndindex(np.shape(out)) if is_special(out[place]))
    texts = []
    for value in used:
        array = values[value.name]
        entry = (
            array[place] if np.shape(array) == np.shape(out) else array[()] if not np.shape(array) else None
        )
        texts.append(value.name if entry is None else to_text(entry))
    word = instruction.op if isinstance(instruction, Apply) else "select"
    if word in _SIGNS and len(texts) == 2:
        return f"{texts[0]} {_SIGNS[word]} {texts[1]}"
    return f"{word}({', '.join(texts)})"


def _specials(array: Any) -> set[str]:
    return {str(entry) for entry in np.reshape(array, -1) if is_special(entry)}


def _texts(array: Any) -> tuple[Nested, bool]:
    """The entries as texts, of a long array the first ones in a row; and whether it was cut."""
    if np.size(array) > MOST_ENTRIES:
        return [_text(entry) for entry in np.reshape(array, -1)[:MOST_ENTRIES]], True
    return _nested(array), False


def _nested(array: Any) -> Nested:
    if not np.shape(array):
        return _text(array[()] if isinstance(array, np.ndarray) else array)
    return [_nested(entry) for entry in array]


def _text(entry: Any) -> str:
    if isinstance(entry, bool | np.bool_):
        return "true" if entry else "false"
    return str(entry) if isinstance(entry, int | np.integer) else to_text(entry)
