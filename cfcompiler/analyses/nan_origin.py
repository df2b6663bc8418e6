"""Program, point -> the operation that makes the first NaN or inf of the value or of what AD returns, with its factors.

The program is followed one written operation at a time, forward or backward, each differentiated alone, so that the
two factors are those of the chain rule: the cotangent (or tangent) that arrives and the slope of the operation. Where
the slope itself is NaN, the arithmetic inside its formula tells (norm2 at 0 divides 0 by 0). Everything is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.analyses.field import filled, seeds_of
from cfcompiler.analyses.reach import reach_of
from cfcompiler.arithmetic import EXACT
from cfcompiler.interpreter import run, taken
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Value
from cfcompiler.number_text import to_text
from cfcompiler.numbers import is_special
from cfcompiler.primitives import TABLE
from cfcompiler.report import NanOrigin, Origin
from cfcompiler.transforms.activity import active_values
from cfcompiler.transforms.alone import alone
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import vjp
from cfcompiler.verify import arguments

_ONE = Fraction(1)
_WORDS = {"mul": "*", "div": "/", "add": "+", "sub": "-", "ipow": "**", "rpow": "**", "pow": "**"}


def nan_origin(program: Program, values: Mapping[str, Any], mode: str) -> NanOrigin | None:
    """The origin in `mode` ("value", "backward", "forward"); None where nothing special arises in it.

    `values` are those of the program at the point. Raises Undecided.
    """
    here = _Here(program, values, reach_of(program, values), frozenset(active_values(program)))
    events = {"value": _in_value, "backward": _in_backward, "forward": _in_forward}[mode](here)
    found = next((event for event in events if event.result == "nan"), events[0] if events else None)
    if found is None:
        return None
    source = None
    if "inf" in (factor.lstrip("-") for factor in found.origin.factors):
        earlier = events[: events.index(found)]
        source = next((event.origin for event in earlier if event.result != "nan"), None)
    return NanOrigin(mode, found.result, found.origin, not found.arm, found.arm, source)


@dataclass(frozen=True, slots=True)
class _Event:
    """NaN or inf that was not there before; `arm` chose another arm than the one in which it arose, or is empty."""

    result: str
    origin: Origin
    arm: str


@dataclass(frozen=True, slots=True)
class _Here:
    """The program at the point: its values, which entries reach a result, which values depend on the inputs."""

    program: Program
    values: Mapping[str, Any]
    reach: Mapping[str, Any]
    active: frozenset[str]


def _first(sweeps: Iterator[list[_Event]]) -> list[_Event]:
    """The events of the first sweep with a NaN; where there is none, of the first with an inf."""
    kept: list[_Event] = []
    for events in sweeps:
        if any(event.result == "nan" for event in events):
            return events
        kept = kept or events
    return kept


def _word(instruction: Instruction) -> str:
    """The operation as written."""
    match instruction:
        case Kink(tie=tie):
            return tie.name
        case Select(lazy=lazy):
            return "if" if lazy else "where"
        case Apply(op="extremum"):
            return str(instruction.attribute("rule").name)
        case Apply(op=op):
            return _WORDS.get(op, op)


def _origin(program: Program, instruction: Instruction, how: str, factors: list[Any]) -> Origin:
    span, word = instruction.span, _word(instruction)
    called = _called(program, instruction)
    inside = bool(called) and called != word and not isinstance(instruction, Kink)
    texts = tuple(to_text(factor) for factor in factors)
    return Origin(span.line, span.column, called if inside else word, how, texts, inside)


def _called(program: Program, instruction: Instruction) -> str:
    """The name of the function, where the text of the instruction is one call of it: `norm2(x)`."""
    span = instruction.span
    if span.line != span.end_line:
        return ""
    name, paren, rest = program.source.line(span.line)[span.column - 1 : span.end_column - 1].partition("(")
    if not paren or not name.strip().isidentifier():
        return ""
    depth = 1
    for place, letter in enumerate(rest):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0:
            return name.strip() if place == len(rest) - 1 else ""
    return ""


def _entries(array: Any) -> list[Any]:
    return list(np.reshape(array, -1))


def _new(result: Any, given: list[Any]) -> tuple[str, int] | None:
    """What is special in `result` and not so in the arrays `given`, and at which entry; entry by entry where shapes
    agree. An inf is new where all was finite, a NaN where nothing was NaN."""
    parts = [_entries(array) for array in given]
    outcome = _entries(result)
    for wanted in ("nan", "inf"):
        for place, entry in enumerate(outcome):
            if not is_special(entry) or (entry == "nan") != (wanted == "nan"):
                continue
            own = [x for part in parts for x in ([part[place]] if len(part) == len(outcome) else part)]
            if not any(x == "nan" if wanted == "nan" else is_special(x) for x in own):
                return entry, place
    return None


# the value


def _in_value(here: _Here) -> list[_Event]:
    return list(_values(here))


def _values(here: _Here) -> Iterator[_Event]:
    values = here.values
    for instruction in here.program.instructions:
        out = instruction.out
        if out.kind != "real" or out.name not in values or not np.any(here.reach.get(out.name, False)):
            continue
        args = [values[value.name] for value in arguments(instruction) if value.name in values]
        args = [array for array in args if np.asarray(array).dtype == object]
        found = _new(values[out.name], args)
        if found is None or not isinstance(instruction, Apply) or not args:
            continue
        factors = _factors(instruction, args, found[1])
        yield _Event(found[0], _origin(here.program, instruction, _word(instruction), factors), "")


def _factors(instruction: Apply, args: list[Any], place: int) -> list[Any]:
    """The arguments of an operation that made the entry at `place` special."""
    size = int(np.prod(instruction.out.shape))
    own = [_entries(array) for array in args]
    factors = [part[place] if len(part) == size else part[0] for part in own if part]
    if instruction.op in ("ipow", "rpow"):
        factors.append(Fraction(instruction.attribute("n")))
    return factors


# backward


def _in_backward(here: _Here) -> list[_Event]:
    return _first(list(_sweep(here, seeds)) for seeds in seeds_of(here.program, EXACT))


def _sweep(here: _Here, seeds: list[Any]) -> Iterator[_Event]:
    """One backward sweep, operation by operation."""
    program, values = here.program, here.values
    cotangents: dict[str, Any] = {}
    for value, seed in zip(program.results, seeds, strict=True):
        cotangents[value.name] = (
            seed
            if value.name not in cotangents
            else EXACT.elementwise("add", [cotangents[value.name], seed], None)
        )
    for instruction in reversed(program.instructions):
        out = instruction.out
        if out.name not in cotangents or not taken(out, values):
            continue
        c = cotangents.pop(out.name)
        for argument, share in _shares(here, instruction, c):
            found = _new(share, [c])
            if found is not None:
                origin = _backward_origin(here, instruction, c, argument, found[1])
                yield _Event(found[0], origin, _arm(here, out.name, found[1], share))
            before = cotangents.get(argument.name)
            if before is None:
                cotangents[argument.name] = share
                continue
            total = EXACT.elementwise("add", [before, share], None)
            found = _new(total, [before, share])
            if found is not None:
                place = found[1]
                factors = [_entries(before)[place], _entries(share)[place]]
                arm = _arm(here, argument.name, place, total)
                yield _Event(found[0], _origin(program, instruction, "+", factors), arm)
            cotangents[argument.name] = total


def _arm(here: _Here, name: str, place: int, share: Any) -> str:
    """The operation that chose another arm than the one of the entry at `place`; empty where the entry was selected."""
    own = here.reach.get(name)
    if own is not None:
        entrywise = np.size(own) == np.size(share)
        if bool(np.reshape(own, -1)[place]) if entrywise else bool(np.any(own)):
            return ""
    below = {name}
    for instruction in here.program.instructions:
        if not any(value.name in below for value in arguments(instruction)):
            continue
        if isinstance(instruction, Select | Kink) and np.any(here.reach.get(instruction.out.name, False)):
            return _word(instruction)
        below.add(instruction.out.name)
    return "where"


def _shares(here: _Here, instruction: Instruction, c: Any) -> list[tuple[Value, Any]]:
    """The cotangents of the real arguments of one operation, from the cotangent of its value."""
    own = alone(here.program, instruction, here.active)
    moving = [param.value for param in own.params if param.differentiable]
    if not moving:
        return []
    found, backward = _backward_alone(own, here.values, c, None)
    return [(value, found[result.name]) for value, result in zip(moving, backward.results[1:], strict=True)]


Watch = Callable[[Instruction, Mapping[str, Any]], None]


def _backward_alone(
    own: Program, values: Mapping[str, Any], c: Any, watch: Watch | None
) -> tuple[Mapping[str, Any], Program]:
    backward = vjp(own)
    inputs = _inputs(own, values)
    inputs[backward.params[-1].value.name] = c
    return run(backward, inputs, EXACT, watch), backward


def _inputs(own: Program, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operation; 0 for the arm of an `if` that was not taken, which has no value."""
    return {
        param.value.name: values.get(param.value.name, filled(param.value.shape, Fraction(0)))
        for param in own.params
    }


def _backward_origin(here: _Here, instruction: Instruction, c: Any, argument: Value, place: int) -> Origin:
    """The cotangent that arrived and the slope of the operation; what made the slope where that is NaN."""
    ones = filled(np.shape(c), _ONE)
    slopes = {value.name: share for value, share in _shares(here, instruction, ones)}
    slope = _entries(slopes[argument.name])[place]
    if slope == "nan" and not isinstance(instruction, Kink):
        own = alone(here.program, instruction, here.active)
        inner = _inner(lambda watch: _backward_alone(own, here.values, ones, watch))
        if inner is not None:
            return _origin(here.program, instruction, *inner)
    return _origin(here.program, instruction, "*", [_arriving(c, place, slopes[argument.name]), slope])


def _arriving(c: Any, place: int, share: Any) -> Any:
    """The entry of the cotangent that met the entry of the share at `place`."""
    entries = _entries(c)
    return entries[place] if len(entries) == np.size(share) else entries[0]


def _inner(running: Callable[[Watch], Any]) -> tuple[str, list[Any]] | None:
    """The operation inside a derivative formula that makes a NaN of what is not NaN: how, and its factors."""
    found: list[tuple[str, list[Any]]] = []

    def watch(instruction: Instruction, values: Mapping[str, Any]) -> None:
        if found or not isinstance(instruction, Apply) or TABLE[instruction.op].kind != "elementwise":
            return
        args = [values[arg.name] for arg in instruction.args]
        new = _new(values[instruction.out.name], args)
        if new is not None and new[0] == "nan":
            found.append((_word(instruction), _factors(instruction, args, new[1])))

    running(watch)
    return found[0] if found else None


# forward


def _in_forward(here: _Here) -> list[_Event]:
    return _first(list(_push(here, tangents)) for tangents in _seeds(here.program))


def _seeds(program: Program) -> Iterator[dict[str, Any]]:
    """The tangents of the inputs: 1 at one entry, 0 elsewhere."""
    inputs = [param.value for param in program.params if param.differentiable]
    for which in inputs:
        for entry in np.ndindex(which.shape):
            tangents = {value.name: filled(value.shape, Fraction(0)) for value in inputs}
            tangents[which.name][entry] = _ONE
            yield tangents


def _push(here: _Here, tangents: dict[str, Any]) -> Iterator[_Event]:
    """One forward sweep, operation by operation."""
    program, values = here.program, here.values
    for instruction in program.instructions:
        out = instruction.out
        if out.kind != "real" or not taken(out, values):
            continue
        moving = [value for value in arguments(instruction) if value.name in tangents]
        if not moving:
            if program.formulas.dense_constants:
                tangents[out.name] = filled(out.shape, Fraction(0))
            continue
        given = {value.name: tangents[value.name] for value in moving}
        tangents[out.name] = tangent = _forward_alone(here, instruction, given, None)
        found = _new(tangent, list(given.values()))
        if found is not None:
            origin = _forward_origin(here, instruction, given, found[1])
            yield _Event(found[0], origin, _arm(here, out.name, found[1], tangent))


def _forward_alone(
    here: _Here, instruction: Instruction, given: Mapping[str, Any], watch: Watch | None
) -> Any:
    own = alone(here.program, instruction, given)
    forward = jvp(own)
    moving = [param.value for param in own.params if param.differentiable]
    inputs = _inputs(own, here.values)
    for param, value in zip(forward.params[len(own.params) :], moving, strict=True):
        inputs[param.value.name] = given[value.name]
    return run(forward, inputs, EXACT, watch)[forward.results[1].name]


def _forward_origin(here: _Here, instruction: Instruction, given: Mapping[str, Any], place: int) -> Origin:
    """The tangent of the argument that brings the special value, and the slope by it."""
    for name, tangent in given.items():
        ones = {name: filled(np.shape(tangent), _ONE)}
        slope = _entries(_forward_alone(here, instruction, ones, None))[place]
        if is_special(slope) and slope != "nan":
            arriving = _entries(tangent)[place if np.size(tangent) > place else 0]
            return _origin(here.program, instruction, "*", [arriving, slope])
    inner = _inner(lambda watch: _forward_alone(here, instruction, given, watch))
    if inner is not None:
        return _origin(here.program, instruction, *inner)
    return _origin(here.program, instruction, "*", [_entries(next(iter(given.values())))[0], "nan"])
