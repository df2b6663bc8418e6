"""Program -> Program: arrays unrolled, one entry one scalar, for single points and for what needs single guards.

    program f(x: [2])        program f(x: [2])
      t = mul x x              x_0 = index x 0 ; x_1 = index x 1
      s = sum t                t = mul x_0 x_0 ; t_2 = mul x_1 x_1
      -> s                     s = add t t_2
                               -> s

What remains of arrays: parameters, read entry by entry; islands, an ordering or a reduction with a rule of its own on
one stacked vector; array results, stacked at the end. Choices stay whole: one order is one choice. Scalars, and so the
guards of branches, keep their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from cfcompiler.builder import Builder
from cfcompiler.interpreter import key_of
from cfcompiler.ir import Apply, Instruction, Kink, Number, Program, Select, Value
from cfcompiler.primitives import TABLE
from cfcompiler.transforms.islands import ISLANDS

# An array of more entries is not taken apart, whatever the limit: its entries alone would fill the memory.
MOST_ENTRIES = 10_000_000

_COMPILERS = re.compile(r"[tskb](_\d+)?")


class TooManyScalars(ValueError):
    """The unrolled program would have more instructions than the limit."""


def is_scalar(program: Program) -> bool:
    """Whether every value of the program is a scalar already."""
    return all(not param.value.shape for param in program.params) and all(
        not instruction.out.shape for instruction in program.instructions
    )


def scalarize(program: Program, limit: int = 100_000) -> Program:
    """The unrolled program; `program` itself if it has no arrays. Raises TooManyScalars."""
    if is_scalar(program):
        return program
    return _Unroller(program, limit).run()


def number_of(entry: float) -> Number:
    """A float of a constant array as an exact constant."""
    if np.isnan(entry):
        return "nan"
    if np.isinf(entry):
        return "inf" if entry > 0 else "-inf"
    return Fraction(float(entry))


class _Unroller:
    """Holds for every value of the old program an object array of the new program's scalars."""

    def __init__(self, program: Program, limit: int) -> None:
        self.program = program
        self.limit = limit
        self.builder = Builder(program.name, program.source, program.preset, program.formulas)
        self.entries: dict[
            str, Any
        ] = {}  # name -> object array of Value; vectors of ints stay whole, see `whole`
        self.whole: dict[
            str, tuple[int, dict[tuple[int, ...], Value]]
        ] = {}  # axis, and int vectors by their row
        self.arrays = {constant.name: constant.data for constant in program.constants}
        self.written = set(re.findall(r"\w+", program.source.text))

    def entry_name(self, name: str, place: tuple[int, ...]) -> str:
        """The name of an entry of the value `name`: r_0, A_0_1; of a later sum of cotangents c_x_2 too c_x_0.

        Entries of what the compiler has named, t or s_3, are only counted.
        """
        if not place:
            return name
        if _COMPILERS.fullmatch(name) and name not in self.written:
            return name[0]
        return "_".join((self._base_name(name), *map(str, place)))

    def _base_name(self, name: str) -> str:
        """What a value is called without its count: c_x for c_x_2, unless the user has called something x_2."""
        shorter = re.fullmatch(r"([dc]_(\w+?))_\d+", name)
        return shorter[1] if shorter and not self.written & {name, name[2:]} else name

    def entry_names(self, out: Value) -> Any:
        """The names of all entries, in the shape of the value."""
        names = np.empty(out.shape, dtype=object)
        for place in np.ndindex(out.shape):
            names[place] = self.entry_name(out.name, place)
        return names

    def run(self) -> Program:
        builder = self.builder
        if sum(prod(param.value.shape) for param in self.program.params) > self.limit:
            raise TooManyScalars(f"inputs of more than {self.limit} entries")
        if any(prod(instruction.out.shape) > MOST_ENTRIES for instruction in self.program.instructions):
            raise TooManyScalars(f"an array of more than {MOST_ENTRIES} entries")
        builder.keep_names(param.value.name for param in self.program.params)
        builder.keep_names(
            instruction.out.name for instruction in self.program.instructions if not instruction.out.shape
        )
        values = []
        for param in self.program.params:
            builder.free_name(param.value.name)
            values.append(
                builder.param(param.value.name, param.value.shape, differentiable=param.differentiable)
            )
        for value in values:
            self.entries[value.name] = self._unpack(value)
        guards: dict[str, Value] = {}
        for instruction in self.program.instructions:
            builder.span = instruction.span
            branch = tuple((guards[guard].name, truth) for guard, truth in instruction.out.branch)
            with builder.on(branch):
                self._unroll(instruction)
            out = instruction.out
            if out.kind == "bool" and not out.shape:
                guards[out.name] = self.entries[out.name][()]
            if len(builder.instructions) > self.limit:
                raise TooManyScalars(f"more than {self.limit} scalar operations")
        for assertion in self.program.assertions:
            builder.assertion(self.entries[assertion.condition.name][()], assertion.message, assertion.span)
        packed = {value.name: self._pack(value) for value in self.program.results}
        return builder.finish([packed[value.name] for value in self.program.results])

    def _unpack(self, value: Value) -> Any:
        out = np.empty(value.shape, dtype=object)
        if not value.shape:
            out[()] = value
            return out
        for place in np.ndindex(value.shape):
            name = self.entry_name(value.name, place)
            out[place] = self.builder.apply("index", value, key=place, name=name)
        return out

    def _pack(self, value: Value) -> Value:
        entries = self.entries[value.name]
        if not value.shape:
            return entries[()]  # type: ignore[no-any-return]
        if not entries.size:
            return self.builder.array(value.name, np.zeros(value.shape))
        name = self._base_name(value.name)
        flat = self.builder.apply("stack", *entries.reshape(-1), axis=0, name=name)
        return flat if len(value.shape) == 1 else self.builder.apply("reshape", flat, shape=value.shape)

    def _unroll(self, instruction: Instruction) -> None:
        out = instruction.out
        if not out.shape:
            self.builder.free_name(out.name)
        if 0 in out.shape:
            self.entries[out.name] = np.empty(out.shape, dtype=object)
            return
        match instruction:
            case Kink(left=left, right=right, above=above, below=below, tie=tie):
                self.entries[out.name] = self._each(
                    out,
                    (left, right, above, below),
                    lambda name, a, b, c, d: self.builder.kink(a, b, c, d, tie, name=name),
                )
            case Select(guard=guard, then=then, orelse=orelse):
                self.entries[out.name] = self._each(
                    out,
                    (guard, then, orelse),
                    lambda name, *args: self.builder.select(
                        *args, lazy=instruction.lazy, gate=instruction.gate, name=name
                    ),
                )
            case Apply(op=op):
                row = TABLE[op]
                if op == "weigh":
                    self.entries[out.name] = self._weighed(instruction)
                elif row.kind in ("elementwise", "condition") or op == "to_real":
                    attributes = dict(instruction.attributes)
                    self.entries[out.name] = self._each(
                        out, instruction.args, lambda name, *args: self._apply(op, args, name, attributes)
                    )
                elif row.kind == "reduction":
                    self.put(instruction, self.rows(instruction))
                elif op in ISLANDS:
                    ISLANDS[op](self, instruction)
                else:
                    getattr(self, f"_op_{op}")(instruction)

    def _apply(self, op: str, args: tuple[Value, ...], name: str, attributes: dict[str, Any]) -> Value:
        """One entry; the zeros that `place` fills in are not added (only the sign of a zero could tell)."""
        if op == "add" and self.builder.constant(0) in args:
            return args[1] if args[0] == self.builder.constant(0) else args[0]
        return self.builder.apply(op, *args, name=name, **attributes)

    def _each(self, out: Value, args: tuple[Value, ...], make: Callable[..., Value]) -> Any:
        """`make` entry by entry, broadcasting: of a name and the entries of the arguments."""
        arrays = np.broadcast_arrays(*(self.ready(arg) for arg in args))
        result = np.empty(out.shape, dtype=object)
        for place in np.ndindex(out.shape):
            result[place] = make(self.entry_name(out.name, place), *(array[place] for array in arrays))
        return result

    def _weighed(self, instruction: Apply) -> Any:
        """Each entry of an elementwise kink is a choice of its own, named after its place."""
        attributes = dict(instruction.attributes)
        kink = attributes.pop("kink")
        arrays: Any = np.broadcast_arrays(*(self.ready(arg) for arg in instruction.args))
        result = np.empty(instruction.out.shape, dtype=object)
        for place in np.ndindex(result.shape):
            name = kink if not place else f"{kink}[{','.join(map(str, place))}]"
            args = (array[place] for array in arrays)
            result[place] = self.builder.apply(
                "weigh", *args, kink=name, name=self.entry_name(instruction.out.name, place), **attributes
            )
        return result

    def ready(self, value: Value) -> Any:
        """The entries of `value`, also where they are the entries of whole int vectors."""
        if value.name not in self.entries:
            self.entries[value.name] = self._split(value)
        return self.entries[value.name]

    def _split(self, value: Value) -> Any:
        axis, rows = self.whole[value.name]
        out = np.empty(value.shape, dtype=object)
        for place, vector in rows.items():
            for entry in range(value.shape[axis]):
                out[(*place[:axis], entry, *place[axis:])] = self.builder.apply("index", vector, key=(entry,))
        return out

    def stacked(self, entries: Any) -> Value:
        return self.builder.apply("stack", *entries, axis=0)

    def moved(self, value: Value, axes: tuple[int, ...]) -> Any:
        """Entries with the reduced axes joined into the last."""
        entries = self.ready(value)
        kept = [axis for axis in range(entries.ndim) if axis not in axes]
        moved = np.transpose(entries, (*kept, *axes))
        return moved.reshape((*moved.shape[: len(kept)], -1))

    def rows(self, instruction: Apply) -> Any:
        """A reduction with a rule of its own: one island for each row, op(stack(row); axes=(0,))."""
        rows = self.moved(instruction.args[0], instruction.attribute("axes"))
        attributes = {**dict(instruction.attributes), "axes": (0,)}
        shape = instruction.out.shape  # with a 1 for each reduced axis that is kept: as many entries as rows
        result = np.empty(shape, dtype=object)
        for row, place in zip(np.ndindex(rows.shape[:-1]), np.ndindex(shape), strict=True):
            vector, name = self.stacked(rows[row]), self.entry_name(instruction.out.name, place)
            result[place] = self.builder.apply(instruction.op, vector, name=name, **attributes)
        return result

    # structure

    def _op_constant(self, instruction: Apply) -> None:
        self.put(instruction, np.array(self.builder.constant(instruction.attribute("value")), dtype=object))

    def _op_boolean(self, instruction: Apply) -> None:
        self.put(instruction, np.array(self.builder.boolean(instruction.attribute("value")), dtype=object))

    def _op_array(self, instruction: Apply) -> None:
        data = self.arrays[instruction.attribute("name")]
        if data.size > self.limit:
            raise TooManyScalars(f"a constant of {data.size} entries")
        out = np.empty(data.shape, dtype=object)
        for place in np.ndindex(data.shape):
            out[place] = self.builder.constant(number_of(float(data[place])))
        self.put(instruction, out)

    def put(self, instruction: Apply, entries: Any) -> None:
        self.entries[instruction.out.name] = entries

    def _first(self, instruction: Apply) -> Any:
        return self.ready(instruction.args[0])

    def _op_broadcast(self, instruction: Apply) -> None:
        self.put(instruction, np.broadcast_to(self._first(instruction), instruction.attribute("shape")))

    def _op_reshape(self, instruction: Apply) -> None:
        self.put(instruction, self._first(instruction).reshape(instruction.attribute("shape")))

    def _op_transpose(self, instruction: Apply) -> None:
        self.put(instruction, np.transpose(self._first(instruction), instruction.attribute("axes")))

    def _op_index(self, instruction: Apply) -> None:
        picked = np.empty(instruction.out.shape, dtype=object)
        picked[...] = self._first(instruction)[key_of(instruction.attribute("key"))]
        self.put(instruction, picked)

    def _zeros(self, shape: tuple[int, ...]) -> Any:
        out = np.empty(shape, dtype=object)
        zero = self.builder.constant(0)
        for place in np.ndindex(shape):
            out[place] = zero
        return out

    def _op_place(self, instruction: Apply) -> None:
        out = self._zeros(instruction.attribute("shape"))
        first = self._first(instruction)
        out[key_of(instruction.attribute("key"))] = first if first.ndim else first[()]
        self.put(instruction, out)

    def _op_take(self, instruction: Apply) -> None:
        flat = self._first(instruction).reshape(-1)
        self.put(
            instruction, flat[list(instruction.attribute("indices"))].reshape(instruction.attribute("shape"))
        )

    def _op_put(self, instruction: Apply) -> None:
        shape = instruction.attribute("shape")
        sums: dict[int, Value] = {}
        flat = self._first(instruction).reshape(-1)
        for place, entry in zip(instruction.attribute("indices"), flat, strict=True):
            sums[place] = self.builder.apply("add", sums[place], entry) if place in sums else entry
        out = self._zeros((prod(shape),))
        for place, total in sums.items():
            out[place] = total
        self.put(instruction, out.reshape(shape))

    def _total(self, entries: Any, name: str) -> Value:
        """The sum, from left to right; it has the name, and so have, of cotangents, the sums on the way to it."""
        total: Value = entries[0] if len(entries) else self.builder.constant(0)
        for count, entry in enumerate(entries[1:], 2):
            named = count == len(entries) or name.startswith("c_")
            total = self.builder.apply("add", total, entry, name=name if named else None)
        return total

    def _op_sum(self, instruction: Apply) -> None:
        rows = self.moved(instruction.args[0], instruction.attribute("axes"))
        self.put(instruction, self._totals(rows, instruction))

    def _totals(self, rows: Any, instruction: Apply) -> Any:
        out = np.empty(instruction.out.shape, dtype=object)
        for one, place in zip(np.ndindex(rows.shape[:-1]), np.ndindex(out.shape), strict=True):
            out[place] = self._total(rows[one], self.entry_name(instruction.out.name, place))
        return out

    def _op_sum_to(self, instruction: Apply) -> None:
        x, shape = self._first(instruction), instruction.attribute("shape")
        extra = x.ndim - len(shape)
        axes = (
            *range(extra),
            *(extra + a for a, size in enumerate(shape) if size == 1 and x.shape[extra + a] != 1),
        )
        rows = self.moved(instruction.args[0], axes)
        self.put(instruction, self._totals(rows, instruction))

    def _op_cumsum(self, instruction: Apply) -> None:
        axis = instruction.attribute("axis")
        rows = np.moveaxis(self._first(instruction).copy(), axis, 0)
        if instruction.attribute("reverse"):
            rows = rows[::-1]
        for place in range(1, len(rows)):
            for inner in np.ndindex(rows.shape[1:]):
                rows[(place, *inner)] = self.builder.apply(
                    "add", rows[(place - 1, *inner)], rows[(place, *inner)]
                )
        if instruction.attribute("reverse"):
            rows = rows[::-1]
        self.put(instruction, np.moveaxis(rows, 0, axis))

    def _op_concat(self, instruction: Apply) -> None:
        parts = [self.ready(arg) for arg in instruction.args]
        self.put(instruction, np.concatenate(parts, axis=instruction.attribute("axis")))

    def _op_stack(self, instruction: Apply) -> None:
        self.put(
            instruction,
            np.stack([self.ready(arg) for arg in instruction.args], axis=instruction.attribute("axis")),
        )

    def _op_matmul(self, instruction: Apply) -> None:
        a, b = (self.ready(arg) for arg in instruction.args)
        rows = a if a.ndim == 2 else a[None, :]
        columns = b if b.ndim == 2 else b[:, None]
        if rows.shape[0] * columns.shape[1] * rows.shape[1] * 2 > self.limit:
            raise TooManyScalars(f"more than {self.limit} scalar operations")
        out = np.empty((rows.shape[0], columns.shape[1]), dtype=object)
        for i, j in np.ndindex(out.shape):
            terms = [self.builder.apply("mul", x, y) for x, y in zip(rows[i], columns[:, j], strict=True)]
            place = (i,) * (a.ndim == 2) + (j,) * (b.ndim == 2)
            out[i, j] = self._total(terms, self.entry_name(instruction.out.name, place))
        self.put(instruction, out.reshape(instruction.out.shape))
