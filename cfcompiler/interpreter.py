"""Program, point -> the value of every instruction that runs there: the reference for all targets.

One loop over the instructions, in an arithmetic: FLOATS (float64, as the generated code) or EXACT, of
cfcompiler/arithmetic.py. An instruction whose branch is not taken is not evaluated. Arrays are NumPy arrays of float64
or of exact numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

import numpy as np

from cfcompiler.arithmetic import EXACT, UNORDERED, Arithmetic, Array, Undecided, rational_product
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Value
from cfcompiler.primitives import COMPARISONS, TABLE


def run(
    program: Program,
    inputs: Mapping[str, Array],
    arithmetic: Arithmetic,
    watch: Callable[[Instruction, Mapping[str, Array]], None] | None = None,
    *,
    lenient: bool = False,
) -> dict[str, Array]:
    """Values by name, of the instructions that run at the point; `watch` is called after each.

    `inputs` has an array (0-d for a scalar) in the arithmetic's dtype for every parameter. Raises Undecided;
    under `lenient` only for a condition, while a number that cannot be had is missing, as is what needs it.
    """
    values: dict[str, Array] = {param.value.name: inputs[param.value.name] for param in program.params}
    machine = Machine(program, arithmetic)
    with np.errstate(all="ignore"):
        for instruction in program.instructions:
            if not taken(instruction.out, values):
                continue
            try:
                values[instruction.out.name] = machine.evaluate(instruction, values)
            except KeyError:
                if not lenient:
                    raise
                continue
            except Undecided as problem:
                if lenient and instruction.out.kind != "bool":
                    continue
                raise Undecided(str(problem), instruction) from None
            if watch is not None:
                watch(instruction, values)
    return values


def taken(value: Value, values: Mapping[str, Array]) -> bool:
    """Whether the branch of `value` is taken."""
    return all(guard in values and bool(values[guard]) == truth for guard, truth in value.branch)


# The signs of left - right for which a comparison holds.
HOLDS_FOR = {
    "less": (-1,),
    "less_equal": (-1, 0),
    "greater": (1,),
    "greater_equal": (0, 1),
    "equal": (0,),
    "not_equal": (-1, 1, UNORDERED),
}


class Machine:
    """Evaluates one instruction at a time."""

    def __init__(self, program: Program, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.constants = {constant.name: constant.data for constant in program.constants}

    def evaluate(self, instruction: Instruction, values: Mapping[str, Array]) -> Array:
        match instruction:
            case Apply():
                return self._apply(instruction, [values[arg.name] for arg in instruction.args])
            case Select(guard=guard, then=then, orelse=orelse):
                if instruction.lazy:
                    return values[then.name if bool(values[guard.name]) else orelse.name]
                if not instruction.out.shape and not np.shape(values[guard.name]):
                    return values[then.name if bool(values[guard.name]) else orelse.name]
                return self._where(values[guard.name], values[then.name], values[orelse.name])
            case Kink():
                return self._kink(instruction, values)

    def _where(self, guard: Array, then: Array, orelse: Array) -> Array:
        return np.where(guard, then, orelse)

    def _kink(self, kink: Kink, values: Mapping[str, Array]) -> Array:
        codes = self.arithmetic.compare(values[kink.left.name], values[kink.right.name])
        value = np.where(codes == -1, values[kink.below.name], values[kink.above.name])
        if np.any(codes == UNORDERED):
            return np.where(codes == UNORDERED, self.arithmetic.number("nan"), value)
        return value

    def _apply(self, instruction: Apply, args: list[Array]) -> Array:
        op = instruction.op
        row = TABLE[op]
        if row.kind == "elementwise":
            exponent = instruction.attribute("n") if op in ("ipow", "rpow") else None
            return self.arithmetic.elementwise(op, args, exponent)
        if row.kind == "condition":
            return self._condition(op, args)
        if row.kind == "reduction":
            return self.arithmetic.reduction(op, args[0], instruction.attribute("axes"))
        return getattr(self, f"_op_{op}")(instruction, *args)

    def _condition(self, op: str, args: list[Array]) -> Array:
        if op in COMPARISONS:
            return np.isin(self.arithmetic.compare(args[0], args[1]), HOLDS_FOR[op])
        if op == "isnan":
            return self.arithmetic.compare(args[0], args[0]) == UNORDERED
        return getattr(np, op)(*(np.asarray(arg, dtype=bool) for arg in args))

    # structural rows

    def _op_constant(self, instruction: Apply) -> Array:
        return np.asarray(self.arithmetic.number(instruction.attribute("value")), dtype=self.arithmetic.dtype)

    def _op_boolean(self, instruction: Apply) -> Array:
        return np.asarray(instruction.attribute("value"), dtype=bool)

    def _op_array(self, instruction: Apply) -> Array:
        return self.arithmetic.array(self.constants[instruction.attribute("name")])

    def _op_to_real(self, instruction: Apply, i: Array) -> Array:
        return self.arithmetic.array(np.asarray(i, dtype=np.float64))

    def _op_broadcast(self, instruction: Apply, x: Array) -> Array:
        return np.array(np.broadcast_to(x, instruction.attribute("shape")))

    def _op_sum_to(self, instruction: Apply, x: Array) -> Array:
        shape = instruction.attribute("shape")
        extra = len(x.shape) - len(shape)
        total = self._sum(x, tuple(range(extra)))
        axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and total.shape[axis] != 1)
        return np.reshape(self._sum(total, axes), shape)

    def _sum(self, x: Array, axes: tuple[int, ...]) -> Array:
        """The sum over `axes`, entries added in order."""
        if not axes:
            return x
        if self.arithmetic.dtype is not object:
            return np.asarray(np.sum(x, axis=axes))
        for axis in sorted(axes, reverse=True):
            rows = np.moveaxis(x, axis, 0)
            total = np.asarray(rows[0], dtype=object) if len(rows) else self._zeros(rows.shape[1:])
            for row in rows[1:]:
                total = self.arithmetic.elementwise("add", [total, np.asarray(row, dtype=object)], None)
            x = total
        return x

    def _op_reshape(self, instruction: Apply, x: Array) -> Array:
        return np.reshape(x, instruction.attribute("shape"))

    def _op_transpose(self, instruction: Apply, x: Array) -> Array:
        return np.transpose(x, instruction.attribute("axes"))

    def _op_index(self, instruction: Apply, x: Array) -> Array:
        return np.asarray(x[key_of(instruction.attribute("key"))], dtype=x.dtype)

    def _zeros(self, shape: tuple[int, ...]) -> Array:
        out = np.empty(shape, dtype=self.arithmetic.dtype)
        out[...] = self._op_zero()
        return out

    def _op_zero(self) -> Any:
        return self.arithmetic.number(Fraction(0))

    def _op_place(self, instruction: Apply, x: Array) -> Array:
        out = self._zeros(instruction.attribute("shape"))
        # NumPy would store a 0-d array of objects as an object
        out[key_of(instruction.attribute("key"))] = x if np.shape(x) else x[()]
        return out

    def _op_take(self, instruction: Apply, x: Array) -> Array:
        return np.reshape(
            np.reshape(x, -1)[list(instruction.attribute("indices"))], instruction.attribute("shape")
        )

    def _op_put(self, instruction: Apply, x: Array) -> Array:
        out = np.reshape(self._zeros(instruction.attribute("shape")), -1)
        for place, entry in zip(instruction.attribute("indices"), np.reshape(x, -1), strict=True):
            out[place] = self._plus(out[place], entry)
        return np.reshape(out, instruction.attribute("shape"))

    def _plus(self, a: Any, b: Any) -> Any:
        return self.arithmetic.elementwise("add", [self._scalar(a), self._scalar(b)], None)[()]

    def _scalar(self, a: Any) -> Array:
        return np.asarray(a, dtype=self.arithmetic.dtype)

    def _op_sum(self, instruction: Apply, x: Array) -> Array:
        return self._sum(x, instruction.attribute("axes"))

    def _op_cumsum(self, instruction: Apply, x: Array) -> Array:
        axis = instruction.attribute("axis")
        rows = np.moveaxis(np.array(x), axis, 0)
        if instruction.attribute("reverse"):
            rows = rows[::-1]
        for place in range(1, len(rows)):
            total = self.arithmetic.elementwise("add", [rows[place - 1], rows[place]], None)
            rows[place] = total if np.shape(total) else total[()]
        if instruction.attribute("reverse"):
            rows = rows[::-1]
        return np.moveaxis(rows, 0, axis)

    def _op_concat(self, instruction: Apply, *xs: Array) -> Array:
        return np.concatenate(xs, axis=instruction.attribute("axis"))

    def _op_stack(self, instruction: Apply, *xs: Array) -> Array:
        dtype = self.arithmetic.dtype if instruction.out.kind == "real" else None
        return np.stack([np.asarray(x, dtype=dtype) for x in xs], axis=instruction.attribute("axis"))

    def _op_matmul(self, instruction: Apply, a: Array, b: Array) -> Array:
        if self.arithmetic.dtype is not object:
            return np.asarray(a @ b)
        rows = a if a.ndim == 2 else a[None, :]
        columns = b if b.ndim == 2 else b[:, None]
        if self.arithmetic is EXACT and rows.size and columns.size:
            product = rational_product(rows, columns)
            if product is not None:
                return np.reshape(product, instruction.out.shape)
        products = self.arithmetic.elementwise("mul", [rows[:, :, None], columns[None, :, :]], None)
        return np.reshape(self._sum(products, (1,)), instruction.out.shape)

    # choices

    def _op_weigh(self, instruction: Apply, left: Array, right: Array, term: Array) -> Array:
        codes = self.arithmetic.compare(left, right)
        below, tie, above, unordered = (self.arithmetic.number(w) for w in instruction.attribute("weights"))
        weights = np.where(
            codes == -1, below, np.where(codes == 0, tie, np.where(codes == 1, above, unordered))
        )
        return self._gated(weights, term, instruction.attribute("gate"))

    def _gated(self, weights: Array, term: Array, gate: str) -> Array:
        weights, term = np.broadcast_arrays(self._scalar(weights), self._scalar(term))
        product = self.arithmetic.elementwise("mul", [weights, term], None)
        if gate == "mul":
            return product
        blocked = self.arithmetic.compare(weights, self._zeros(())) == 0
        return np.where(blocked, self._op_zero(), product)

    def _op_extremum(self, instruction: Apply, x: Array) -> Array:
        axes, sense = instruction.attribute("axes"), instruction.attribute("sense")
        if self.arithmetic.dtype is not object:
            return np.asarray(np.max(x, axis=axes) if sense == "max" else np.min(x, axis=axes))
        rows = self._flattened(x, axes)
        out = np.empty(rows.shape[:-1], dtype=object)
        for place in np.ndindex(out.shape):
            out[place] = rows[place][self._first_extreme(rows[place], sense)]
        return out

    def _flattened(self, x: Array, axes: tuple[int, ...]) -> Array:
        """The reduced axes joined into the last one."""
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        moved = np.transpose(x, (*kept, *axes))
        return np.reshape(moved, (*moved.shape[: len(kept)], -1))

    def _unflattened(self, rows: Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
        kept = [axis for axis in range(len(shape)) if axis not in axes]
        moved = np.reshape(rows, (*(shape[axis] for axis in kept), *(shape[axis] for axis in axes)))
        return np.transpose(moved, np.argsort((*kept, *axes)))

    def _first_extreme(self, row: Array, sense: str, *, last: bool = False) -> int:
        """The place of the first (last) extreme entry; of the first (last) NaN where there is one."""
        best = 0
        for place in range(1, len(row)):
            code = int(self.arithmetic.compare(self._scalar(row[place]), self._scalar(row[best])))
            if code == UNORDERED:
                own, other = (
                    int(self.arithmetic.compare(self._scalar(row[k]), self._scalar(row[k])))
                    for k in (place, best)
                )
                best = place if own == UNORDERED and (last or other != UNORDERED) else best
            elif code == (1 if sense == "max" else -1) or (last and code == 0):
                best = place
        return best

    def _op_weigh_extremum(self, instruction: Apply, x: Array, out: Array, term: Array) -> Array:
        axes, rule, mode = (instruction.attribute(name) for name in ("axes", "rule", "mode"))
        rows = self._flattened(x, axes)
        tops = np.reshape(out, (*rows.shape[:-1], 1))
        weights = np.empty(rows.shape, dtype=self.arithmetic.dtype)
        nan_rule = rule.nan_forward if mode == "forward" else rule.nan_reverse
        for place in np.ndindex(rows.shape[:-1]):
            weights[place] = self._shares(rows[place], tops[place], rule.tie, nan_rule)
        full = self._unflattened(weights, x.shape, axes)
        if term.shape != x.shape:
            term = np.reshape(term, tuple(1 if axis in axes else size for axis, size in enumerate(x.shape)))
        return self._gated(full, term, rule.gate_forward if mode == "forward" else rule.gate_reverse)

    def _shares(self, row: Array, top: Array, tie: Any, nan_rule: str) -> Array:
        """Weights of the entries of one row in its extremum."""
        codes = self.arithmetic.compare(row, top)
        unordered = bool(np.any(self.arithmetic.compare(top, top) == UNORDERED))
        if unordered and nan_rule != "share":
            return np.full(row.shape, self.arithmetic.number("nan" if nan_rule == "nan" else Fraction(0)))
        tied = np.flatnonzero(self.arithmetic.compare(row, row) == UNORDERED if unordered else codes == 0)
        shares = [Fraction(0)] * len(row)
        if len(tied) == 0:
            tied = np.arange(len(row))
        if tie == "first":
            shares[tied[0]] = Fraction(1)
        elif tie == "last":
            shares[tied[-1]] = Fraction(1)
        else:
            own = {place: Fraction(1) if isinstance(tie, str) else tie[place] for place in tied}
            total = sum(own.values(), Fraction(0)) if tie != "all" else Fraction(1)
            for place, weight in own.items():
                shares[place] = weight / total
        return np.array([self.arithmetic.number(share) for share in shares], dtype=self.arithmetic.dtype)

    def _op_argextremum(self, instruction: Apply, x: Array) -> Array:
        rows = np.moveaxis(x, instruction.attribute("axis"), -1)
        out = np.empty(rows.shape[:-1], dtype=np.int64)
        for place in np.ndindex(out.shape):
            out[place] = self._first_extreme(rows[place], instruction.attribute("sense"))
        return out

    def _op_order(self, instruction: Apply, x: Array) -> Array:
        axis = instruction.attribute("axis")
        rows = np.moveaxis(x, axis, -1)
        out = np.empty(rows.shape, dtype=np.int64)
        for place in np.ndindex(rows.shape[:-1]):
            out[place] = self._sorted(rows[place], instruction)
        return np.moveaxis(out, -1, axis)

    def _sorted(self, row: Array, instruction: Apply) -> list[int]:
        """Places in sorted order, NaN as the largest; ties by place, reversed under `last`."""
        sign = -1 if instruction.attribute("descending") else 1

        def compare(i: int, j: int) -> int:
            code = int(self.arithmetic.compare(self._scalar(row[i]), self._scalar(row[j])))
            if code == UNORDERED:
                nans = [
                    int(self.arithmetic.compare(self._scalar(row[k]), self._scalar(row[k]))) for k in (i, j)
                ]
                code = (nans[0] == UNORDERED) - (nans[1] == UNORDERED)
            return sign * code

        places = list(range(len(row)))
        if instruction.attribute("last"):
            places.reverse()
        places.sort(key=cmp_to_key(compare))
        return places

    def _op_cumargextremum(self, instruction: Apply, x: Array) -> Array:
        axis = instruction.attribute("axis")
        rows = np.moveaxis(x, axis, -1)
        out = np.empty(rows.shape, dtype=np.int64)
        for place in np.ndindex(rows.shape):
            prefix = rows[place[:-1]][: place[-1] + 1]
            out[place] = self._first_extreme(
                prefix, instruction.attribute("sense"), last=instruction.attribute("last")
            )
        return np.moveaxis(out, -1, axis)

    def _op_gather(self, instruction: Apply, x: Array, places: Array) -> Array:
        axis = instruction.attribute("axis")
        if places.ndim < x.ndim:
            return np.squeeze(np.take_along_axis(x, np.expand_dims(places, axis), axis), axis)
        return np.take_along_axis(x, places, axis)

    def _op_scatter(self, instruction: Apply, x: Array, places: Array) -> Array:
        axis = instruction.attribute("axis")
        out = self._zeros(instruction.out.shape)
        if instruction.attribute("scalar"):
            x, places = np.expand_dims(x, axis), np.expand_dims(places, axis)
        for place in np.ndindex(x.shape):
            target = (*place[:axis], int(places[place]), *place[axis + 1 :])
            out[target] = self._plus(out[target], x[place])
        return out


def key_of(key: Sequence[Any]) -> tuple[Any, ...]:
    """An index attribute as NumPy takes it. A stop before the first entry is None."""
    return tuple(
        entry if isinstance(entry, int) else slice(entry[0], entry[1] if entry[1] >= 0 else None, entry[2])
        for entry in key
    )
