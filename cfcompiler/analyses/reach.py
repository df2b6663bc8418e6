"""Program, its values at a point -> which entries of which values reach a result through arms that were selected.

What is computed in an arm of a `where` that is not selected does not reach it, nor does the piece of a kink on the
other side. Linear rows are asked by their transpose; of other rows that are not elementwise every entry counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cfcompiler.arithmetic import EXACT, FLOATS
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Value
from cfcompiler.primitives import TABLE
from cfcompiler.transforms.alone import alone
from cfcompiler.transforms.reverse import vjp
from cfcompiler.verify import arguments


def reach_of(program: Program, values: Mapping[str, Any]) -> dict[str, Any]:
    """Boolean arrays by the name of the value; a value that reaches nothing may be missing."""
    reach: dict[str, Any] = {value.name: np.ones(value.shape, dtype=bool) for value in program.results}
    for instruction in reversed(program.instructions):
        own = reach.get(instruction.out.name)
        if own is None or not np.any(own) or instruction.out.name not in values:
            continue
        for value, mask in _passed(program, instruction, values, own):
            found = _fitted(mask, value.shape)
            reach[value.name] = reach.get(value.name, False) | found
    return reach


def _passed(
    program: Program, instruction: Instruction, values: Mapping[str, Any], own: Any
) -> Iterator[tuple[Value, Any]]:
    match instruction:
        case Select(guard=guard, then=then, orelse=orelse):
            chosen = np.asarray(values[guard.name], dtype=bool)
            yield then, own & chosen
            yield orelse, own & ~chosen
        case Kink(left=left, right=right, above=above, below=below):
            codes = EXACT.compare(values[left.name], values[right.name])
            yield above, own & (codes != -1)
            yield below, own & (codes != 1)
        case Apply(op=op) if TABLE[op].kind == "structural" and op not in ("matmul", "to_real"):
            yield from _transposed(program, instruction, own)
        case Apply(op=op):
            entrywise = TABLE[op].kind == "elementwise"
            for value in arguments(instruction):
                yield value, own if entrywise else np.ones(value.shape, dtype=bool)


def _transposed(program: Program, instruction: Apply, own: Any) -> Iterator[tuple[Value, Any]]:
    """A linear row without weights: its transpose of ones and zeros is positive at what reaches."""
    if not instruction.args:
        return
    single = alone(program, instruction, {value.name for value in instruction.args})
    backward = vjp(single)
    inputs = {param.value.name: np.zeros(param.value.shape) for param in single.params}
    inputs[backward.params[-1].value.name] = own.astype(np.float64)
    found = run(backward, inputs, FLOATS)
    moving = [param.value for param in single.params if param.differentiable]
    for value, result in zip(moving, backward.results[1:], strict=True):
        yield value, found[result.name] > 0


def _fitted(mask: Any, shape: tuple[int, ...]) -> Any:
    """A mask over a broadcast shape, as one over `shape`: an entry counts where one of its copies does."""
    mask = np.asarray(mask)
    if mask.shape == shape:
        return mask
    if mask.size <= int(np.prod(shape)) and mask.ndim <= len(shape):
        return np.broadcast_to(mask, shape)
    extra = mask.ndim - len(shape)
    mask = np.any(mask, axis=tuple(range(extra))) if extra else mask
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and mask.shape[axis] != 1)
    return np.reshape(np.any(mask, axis=axes, keepdims=True), shape) if axes else mask
