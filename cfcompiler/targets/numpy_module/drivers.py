"""How a generated module runs its block functions over many points: blocks, scratch buffers, threads.

Written as it stands in the module, like array_functions.py. A plan is what batch.py makes of a program:
(block, points, real buffers, truth buffers, rank of each input, shape of each result).
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

BLOCK = (
    32768  # points at a time: scratch buffers stay in the cache, and a call's fixed cost is small against it
)
THREADS: int | None = None  # None: one for each core


def _sweep(plan: Any, arguments: Sequence[Any], out: Sequence[Any] | None = None) -> list[Any]:
    """The results of a program at all the points of `arguments`, whose leading axes broadcast."""
    if plan[-1] == "arrays":
        return _sweep_arrays(plan, arguments, out)
    ranks, shapes = plan[4], plan[5]
    leads = [argument.shape[: argument.ndim - rank] for argument, rank in zip(arguments, ranks, strict=True)]
    lead = np.broadcast_shapes(*leads)
    count = math.prod(lead)
    columns = [_columns(argument, own, lead, count) for argument, own in zip(arguments, leads, strict=True)]
    fresh = _results([(math.prod(shape), count) for shape in shapes]) if out is None else []
    targets: list[Any] = []
    results: list[Any] = []
    for place, shape in enumerate(shapes):
        given = None if out is None else out[place]
        if (
            given is not None
            and given.flags.c_contiguous
            and not any(np.may_share_memory(given, argument) for argument in arguments)
        ):
            results.append(given)
            targets.append(np.moveaxis(given.reshape((count, *shape)), 0, -1))
            continue
        rows = fresh[place] if fresh else np.empty((math.prod(shape), count))
        targets.append(rows.reshape((*shape, count)))
        results.append(np.moveaxis(targets[-1], -1, 0).reshape((*lead, *shape)))
    if count:
        _run(plan, columns, targets, count)
    if out is not None:
        for place, given in enumerate(out):
            if given is not None and results[place] is not given:
                given[...] = results[place]
                results[place] = given
    return results


def _columns(argument: Any, own: tuple[int, ...], lead: tuple[int, ...], count: int) -> Any:
    """The input with its points on the last axis; a last axis of 1 where all points share it."""
    shape = argument.shape[len(own) :]
    if math.prod(own) == 1:
        return argument.reshape((*shape, 1))
    if own != lead:
        argument = np.broadcast_to(argument, (*lead, *shape))
    return np.moveaxis(argument.reshape((count, *shape)), 0, -1)


def _run(plan: Any, columns: list[Any], targets: list[Any], count: int) -> None:
    """All points, in one range or in one contiguous range for each thread."""
    threads = THREADS if THREADS is not None else os.cpu_count() or 1
    if threads < 2 or count < 4 * BLOCK:
        _run_range(plan, columns, targets, 0, count)
        return
    from concurrent.futures import ThreadPoolExecutor

    cuts = [count * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        for done in [
            pool.submit(_run_range, plan, columns, targets, start, stop)
            for start, stop in zip(cuts, cuts[1:], strict=False)
        ]:
            done.result()


def _run_range(plan: Any, columns: list[Any], targets: list[Any], start: int, stop: int) -> None:
    """The points from start to stop, block by block, with scratch buffers of its own."""
    block, points, reals, truths = plan[:4]
    width = 0
    work: tuple[Any, ...] = ()
    with np.errstate(all="ignore"):
        for begin in range(start, stop, BLOCK):
            end = min(begin + BLOCK, stop)
            if end - begin != width:
                width = end - begin
                work = _buffers(reals, truths, width)
                copies = [_copy_buffer(column, width) for column in columns]
                writes = [_copy_buffer(target, width) for target in targets]
            inputs = [_part(column, copy, begin, end) for column, copy in zip(columns, copies, strict=True)]
            outputs = [
                target[..., begin:end] if write is None else write
                for target, write in zip(targets, writes, strict=True)
            ]
            sure = block(*inputs, *outputs, work)
            if sure is not None and not sure.all():
                _redo(points, inputs, outputs, np.flatnonzero(~sure))
            for target, write in zip(targets, writes, strict=True):
                if write is not None:
                    target[..., begin:end] = write


def _buffers(reals: int, truths: int, width: int) -> tuple[Any, ...]:
    """Scratch rows: reals, their bits, truths, their bytes. Rows are kept off each other's cache sets."""
    numbers = np.empty((reals, width + 72))[:, :width]
    flags = np.empty((truths, width + 64), dtype=bool)[:, :width]
    return (*numbers, *numbers.view(np.int64), *flags, *flags.view(np.int8))


def _copy_buffer(column: Any, width: int) -> Any:
    """Room for a block of an array whose points are not side by side in memory; None where they are."""
    if column.shape[-1] == 1 or column.strides[-1] == column.itemsize:
        return None
    return np.empty((*column.shape[:-1], width))


def _part(column: Any, copy: Any, begin: int, end: int) -> Any:
    if column.shape[-1] == 1:
        return column
    if copy is None:
        return column[..., begin:end]
    np.copyto(copy, column[..., begin:end])
    return copy


def _redo(points: Callable[..., Any], inputs: list[Any], outputs: list[Any], lanes: Any) -> None:
    """The points that a block left open (a tie with weights of its own, NaN), by the plain text."""
    chosen = [part if part.shape[-1] == 1 else part[..., lanes] for part in inputs]
    for output, fixed in zip(outputs, points(len(lanes), *chosen), strict=True):
        output[..., lanes] = fixed


def _sweep_arrays(plan: Any, arguments: Sequence[Any], out: Sequence[Any] | None) -> list[Any]:
    """As _sweep, for a program of arrays: (at one point, at many, points at a time, buffers, ranks, shapes)."""
    at_one, at_many, group, _, ranks, shapes, _ = plan
    # NumPy adds entries in the order of memory.
    arguments = [np.asarray(argument, order="C") for argument in arguments]
    leads = [argument.shape[: argument.ndim - rank] for argument, rank in zip(arguments, ranks, strict=True)]
    lead = np.broadcast_shapes(*leads)
    count = math.prod(lead)
    results = (
        _results([(*lead, *shape) for shape in shapes]) if out is None else [np.empty(0) for _ in shapes]
    )
    for place, given in enumerate(out or ()):
        apart = not any(np.may_share_memory(given, argument) for argument in arguments)
        results[place] = given if given.flags.c_contiguous and apart else np.empty(given.shape)
    with np.errstate(all="ignore"):
        if count == 1:
            inputs = [
                argument.reshape(argument.shape[len(own) :])
                for argument, own in zip(arguments, leads, strict=True)
            ]
            at_one(
                *inputs,
                *(result.reshape(shape) for result, shape in zip(results, shapes, strict=True)),
                _kept(plan),
            )
        elif count:
            rows = [_rows(argument, own, lead, count) for argument, own in zip(arguments, leads, strict=True)]
            targets = [result.reshape((count, *shape)) for result, shape in zip(results, shapes, strict=True)]
            for begin in range(0, count, group):
                end = min(begin + group, count)
                parts = [row if row.shape[0] == 1 else row[begin:end] for row in rows]
                for target, value in zip(targets, at_many(*parts), strict=True):
                    target[begin:end] = value
    for place, given in enumerate(out or ()):
        if results[place] is not given:
            given[...] = results[place]
            results[place] = given
    return results


def _results(shapes: list[tuple[int, ...]]) -> list[Any]:
    """Fresh arrays in few pieces of memory, below 32 MB where they can be: the system hands such out again as they are."""
    sizes = [-(-math.prod(shape) // 8) * 8 for shape in shapes]
    results: list[Any] = []
    memory = np.empty(0)
    start = room = 0
    for place, (shape, size) in enumerate(zip(shapes, sizes, strict=True)):
        if start + size > room:
            start = room = 0
            for more in sizes[place:]:
                if room and room + more > 31 << 17:
                    break
                room += more
            memory = np.empty(room)
        results.append(memory[start : start + math.prod(shape)].reshape(shape))
        start += size
    return results


def _rows(argument: Any, own: tuple[int, ...], lead: tuple[int, ...], count: int) -> Any:
    """The input with one axis of points in front, of length 1 where all points share it."""
    shape = argument.shape[len(own) :]
    if math.prod(own) == 1:
        return argument.reshape((1, *shape))
    return np.broadcast_to(argument, (*lead, *shape)).reshape((count, *shape))


def _kept(plan: Any) -> tuple[Any, ...]:
    """The buffers of a plan, which each thread keeps between calls."""
    kept = _SCRATCH.__dict__
    name = plan[0].__name__
    if name not in kept:
        work: list[Any] = []
        for letter, shape in plan[3]:
            buffer = np.empty(shape, dtype=np.float64 if letter == "t" else bool)
            work += [buffer, buffer.view(np.int64 if letter == "t" else np.int8)]
        kept[name] = tuple(work)
    buffers: tuple[Any, ...] = kept[name]
    return buffers


_SCRATCH = threading.local()
_TABLES: dict[Any, Any] = {}  # by the function that makes the columns


def _table(slopes: Callable[..., Any], guards: int) -> Any:
    """A row for each result that choices decide, a column for each pattern of their bits, the first bit highest."""
    table = _TABLES.get(slopes)
    if table is None:
        codes = np.arange(1 << guards)
        with np.errstate(all="ignore"):
            rows = slopes([(codes >> (guards - 1 - place)) & 1 == 1 for place in range(guards)])
        table = np.array([np.broadcast_to(row, codes.shape) for row in rows])
        _TABLES[slopes] = table
    return table


SETTINGS = ("BLOCK", "THREADS", "_TABLES", "_SCRATCH")
FUNCTIONS = {
    function.__name__: function
    for function in (
        _sweep,
        _columns,
        _run,
        _run_range,
        _buffers,
        _copy_buffer,
        _part,
        _redo,
        _table,
        _sweep_arrays,
        _results,
        _rows,
        _kept,
    )
}
