"""The interpreter over affine functions: a comparison that the stratum does not decide yet is asked for.

`Questioner.answer` returns the value of an instruction, or None with the questions that it needs answered in `wanted`;
what it decided alone, because the difference is constant, stands in `settled`. A question is a `Guard` and the
difference of the two sides. All entries of an array are asked at once; a sort and a maximum ask as they go, pair by
pair and row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from cfcompiler.analyses.affine_forms import (
    Entry,
    Form,
    Forms,
    NotAffine,
    added,
    decided,
    difference,
    direction_of,
    integers,
    multiplied,
    product,
    scalar,
)
from cfcompiler.analyses.pairwise import chosen, codes_of, extreme_places, sorted_places
from cfcompiler.arithmetic import UNORDERED, Array
from cfcompiler.feasibility.lattice import Integers
from cfcompiler.interpreter import HOLDS_FOR, Machine
from cfcompiler.ir import Apply, Instruction, Kink, Program
from cfcompiler.operations import OPERATIONS
from cfcompiler.primitives import COMPARISONS

MOST_STEPS = 200  # levels of one floor that are told apart


@dataclass(frozen=True, slots=True, order=True)
class Guard:
    """A comparison of a program: the instruction, the entry (the row, of a maximum or a sort), and what is compared.

    `pair`: the two places in the row; of a step the level as (numerator, denominator); else nothing.
    """

    instruction: int
    entry: tuple[int, ...]
    pair: tuple[int, ...] = ()


class _Waiting(Exception):
    """The rest of a row needs an answer first."""


class FormMachine(Machine):
    """The interpreter with fast products by constant matrices; `still` are the values that no input moves."""

    def __init__(self, program: Program, forms: Forms, still: Set[str]) -> None:
        super().__init__(program, forms)
        self.forms = forms
        self.still = still
        self.matrices: dict[str, tuple[flint.fmpz_mat, int] | None] = {}

    def _op_matmul(self, instruction: Apply, a: Array, b: Array) -> Array:
        left, right = instruction.args
        shape = instruction.out.shape
        if left.name in self.still and right.name not in self.still:
            matrix = self._matrix(left.name, a if a.ndim == 2 else a[None, :])
            found = None if matrix is None else product(*matrix, b if b.ndim == 2 else b[:, None])
        elif right.name in self.still and left.name not in self.still:
            columns = b if b.ndim == 2 else b[:, None]
            matrix = self._matrix(right.name, columns.T)
            found = None if matrix is None else product(*matrix, (a if a.ndim == 2 else a[None, :]).T)
            found = None if found is None else found.T
        else:
            found = None
        return super()._op_matmul(instruction, a, b) if found is None else np.reshape(found, shape)

    def _matrix(self, name: str, entries: Array) -> tuple[flint.fmpz_mat, int] | None:
        """A constant matrix as integers over a divisor; None where an entry is not rational, or there is none."""
        if name not in self.matrices:
            self.matrices[name] = None
            if entries.size and all(isinstance(entry, Fraction) for entry in entries.flat):
                divisor = int(
                    np.lcm.reduce([1, *(entry.denominator for entry in entries.flat)], dtype=object)
                )
                table = [[int(entry * divisor) for entry in row] for row in entries]
                self.matrices[name] = (flint.fmpz_mat(table), divisor)
        return self.matrices[name]


class BackwardMachine(FormMachine):
    """The machine of the backward program; `codes` are the signs on the path, by the name of a kink."""

    def __init__(self, program: Program, forms: Forms, still: Set[str]) -> None:
        super().__init__(program, forms, still)
        self.codes: Mapping[str, np.ndarray] = {}

    def _op_weigh(self, instruction: Apply, left: Array, right: Array, term: Array) -> Array:
        codes = self.codes.get(instruction.attribute("kink"))
        if codes is None or UNORDERED in codes:
            return super()._op_weigh(instruction, left, right, term)
        weights = [self.forms.number(weight) for weight in instruction.attribute("weights")[:3]]
        blocking = instruction.attribute("gate") != "mul"

        def weighed(code: int, entry: Entry) -> Entry:
            weight: Entry = weights[code + 1]
            if blocking and weight == 0:
                return weight
            return entry if weight == 1 else multiplied(weight, entry)

        if not codes.shape and not term.shape:
            return scalar(weighed(int(codes), term[()]))
        codes, term = np.broadcast_arrays(codes, term)
        out = np.empty(codes.shape, dtype=object)
        for place in np.ndindex(out.shape):
            out[place] = weighed(int(codes[place]), term[place])
        return out


class Questioner(FormMachine):
    """Evaluates one instruction at a time; `bounds` is the box."""

    def __init__(
        self,
        program: Program,
        forms: Forms,
        still: Set[str],
        bounds: Sequence[tuple[Fraction | None, Fraction | None]],
    ) -> None:
        super().__init__(program, forms, still)
        self.bounds = bounds
        self.moving = True  # whether the present instruction depends on the inputs
        self.place = 0
        self.row: tuple[int, ...] = ()
        self.answers: Mapping[Guard, int] = {}
        self.wanted: dict[Guard, Integers] = {}
        self.settled: dict[Guard, int] = {}
        self.extremes: dict[Integers, int] = {}
        forms.step = self._step

    def answer(
        self, place: int, instruction: Instruction, values: Mapping[str, Array], answers: Mapping[Guard, int]
    ) -> Array | None:
        """The value, or None where questions in `wanted` stand in the way."""
        self.place, self.answers = place, answers
        self.moving = instruction.out.name not in self.still
        self.wanted, self.settled, self.extremes = {}, {}, {}
        try:
            value = self.evaluate(instruction, values)
        except _Waiting:
            return None
        return None if self.wanted else value

    def _asked(self, entry: tuple[int, ...], pair: tuple[int, ...], left: Entry, right: Entry) -> int:
        """The sign of left - right; 0 for the moment where it is not known."""
        code = decided(left, right)
        guard = Guard(self.place, entry, pair)
        if code is not None:
            if code != UNORDERED:
                self.settled[guard] = code
            return code
        if guard in self.answers:
            return self.answers[guard]
        self.wanted[guard] = integers(difference(left, right), self.forms.dimension)
        return 0

    def _needed(self, pair: tuple[int, ...], left: Entry, right: Entry) -> int:
        """The same within a row that cannot go on without it."""
        code = self._asked(self.row, pair, left, right)
        if Guard(self.place, self.row, pair) in self.wanted:
            raise _Waiting
        return code

    def _kink(self, kink: Kink, values: Mapping[str, Array]) -> Array:
        if kink.left.name in self.still and kink.right.name in self.still:
            return super()._kink(kink, values)
        left, right = values[kink.left.name], values[kink.right.name]
        above, below = values[kink.above.name], values[kink.below.name]
        if not (left.shape or right.shape or above.shape or below.shape):
            code = self._asked((), (), left[()], right[()])
            return scalar("nan") if code == UNORDERED else below if code == -1 else above
        return chosen(codes_of(left, right, self._entry), above, below, self.arithmetic.number("nan"))

    def _entry(self, place: tuple[int, ...], left: Entry, right: Entry) -> int:
        return self._asked(place, (), left, right)

    def _condition(self, op: str, args: list[Array]) -> Array:
        if op in COMPARISONS and any(isinstance(x, Form) for arg in args for x in np.reshape(arg, -1)):
            return np.isin(codes_of(args[0], args[1], self._entry), HOLDS_FOR[op])
        if op in COMPARISONS:
            return self._constant_condition(op, args)
        if op == "isnan":
            flat = [isinstance(entry, str) and entry == "nan" for entry in np.reshape(args[0], -1)]
            return np.reshape(np.array(flat, dtype=bool), np.shape(args[0]))
        return super()._condition(op, args)

    def _constant_condition(self, op: str, args: list[Array]) -> Array:
        """Numbers, which may be what remains of moving values on this stratum."""
        if self.moving:
            return np.isin(codes_of(args[0], args[1], self._entry), HOLDS_FOR[op])
        return super()._condition(op, args)

    # rows, pair by pair

    def _op_extremum(self, instruction: Apply, x: Array) -> Array:
        sense = instruction.attribute("sense")
        rows = self._flattened(x, instruction.attribute("axes"))
        out = np.empty(rows.shape[:-1], dtype=object)

        def top(row: Array) -> Entry:
            best = self._first_extreme(row, sense)
            entry: Entry = row[best]
            return entry

        return self._row_by_row(rows, out, top)

    def _op_argextremum(self, instruction: Apply, x: Array) -> Array:
        rows = np.moveaxis(x, instruction.attribute("axis"), -1)
        out = np.empty(rows.shape[:-1], dtype=np.int64)
        return self._row_by_row(
            rows, out, lambda row: self._first_extreme(row, instruction.attribute("sense"))
        )

    def _op_order(self, instruction: Apply, x: Array) -> Array:
        axis = instruction.attribute("axis")
        rows = np.moveaxis(x, axis, -1)
        out = np.empty(rows.shape, dtype=np.int64)
        return np.moveaxis(self._row_by_row(rows, out, lambda row: self._sorted(row, instruction)), -1, axis)

    def _op_cumargextremum(self, instruction: Apply, x: Array) -> Array:
        axis = instruction.attribute("axis")
        rows = np.moveaxis(x, axis, -1)
        out = np.empty(rows.shape, dtype=np.int64)
        sense, last = instruction.attribute("sense"), instruction.attribute("last")
        return np.moveaxis(
            self._row_by_row(
                rows,
                out,
                lambda row: [
                    self._first_extreme(row[: end + 1], sense, last=last) for end in range(len(row))
                ],
            ),
            -1,
            axis,
        )

    def _row_by_row(self, rows: Array, out: Array, choose: Callable[[Array], Any]) -> Array:
        waiting = False
        for place in np.ndindex(rows.shape[:-1]):
            self.row = place
            try:
                out[place] = choose(rows[place])
            except _Waiting:
                waiting = True
        if waiting:
            raise _Waiting
        return out

    def _first_extreme(self, row: Array, sense: str, *, last: bool = False) -> int:
        best, tied = extreme_places(row, sense, last=last, ask=self._needed)
        self._note_extreme(row, best, tied, sense)
        return best

    def _note_extreme(self, row: Array, best: int, tied: Sequence[int], sense: str) -> None:
        """The signs against the extreme entry, which not all entries were compared with."""
        for place, entry in enumerate(row):
            if not isinstance(entry, Form) and not isinstance(row[best], Form):
                continue
            if decided(entry, row[best]) is None:
                terms = integers(difference(entry, row[best]), self.forms.dimension)
                name, turn = direction_of(terms)
                self.extremes[name] = 0 if place in tied else turn * (-1 if sense == "max" else 1)

    def _sorted(self, row: Array, instruction: Apply) -> list[int]:
        return sorted_places(row, instruction, self._needed)

    # steps: constants between the levels at which they jump

    def _step(self, op: str, place: tuple[int, ...], values: Sequence[Entry]) -> Entry:
        x = values[0]
        self.row = place
        if op in ("fmod", "remainder"):
            y = values[1]
            if isinstance(y, Form):
                raise NotAffine(f"{op} by a value that moves with the inputs")
            if not isinstance(x, Form):
                return OPERATIONS[op](x, y)
            if not isinstance(y, Fraction) or y == 0:
                raise NotAffine(f"{op} by {y}")
            times = self._whole("trunc" if op == "fmod" else "floor", multiplied(x, 1 / y))
            return added(x, multiplied(y, times), -1)
        if op in ("sign", "heaviside"):
            if not self.moving or isinstance(x, str):
                return OPERATIONS[op](*values) if not isinstance(values[-1], Form) else self._beyond(op)
            code = self._needed((0, 1), x, Fraction(0))
            return Fraction(code) if op == "sign" else values[1] if code == 0 else Fraction(int(code > 0))
        return self._whole(op, x)

    @staticmethod
    def _beyond(op: str) -> Entry:
        raise NotAffine(f"{op} of a number that is not finite")

    def _whole(self, op: str, x: Entry) -> Entry:
        if not isinstance(x, Form):
            return OPERATIONS[op](x)
        low, high = self._range(op, x)  # the box is open: neither end is attained
        half = Fraction(1, 2) if op == "round" else Fraction(0)
        first, last = (low - half).__floor__() + 1, (high - half).__ceil__() - 1
        if last - first >= MOST_STEPS:
            raise NotAffine(f"{op} with more than {MOST_STEPS} levels in the box")
        levels = [k + half for k in range(first, last + 1)]
        if op == "trunc":
            levels = [level for level in levels if level != 0]
        codes = [self._asked(self.row, level.as_integer_ratio(), x, level) for level in levels]
        if self.wanted:
            raise _Waiting
        return self._between(op, levels, codes, (low + high) / 2)

    @staticmethod
    def _between(op: str, levels: Sequence[Fraction], codes: Sequence[int], middle: Fraction) -> Entry:
        """The value, from the signs against the levels; `middle` is a value of the argument."""
        for level, code in zip(levels, codes, strict=True):
            if code == 0:
                return OPERATIONS[op](level)
        above = [level for level, code in zip(levels, codes, strict=True) if code > 0]
        below = [level for level, code in zip(levels, codes, strict=True) if code < 0]
        if above and below:
            middle = (above[-1] + below[0]) / 2
        elif above:
            middle = above[-1] + Fraction(1, 4)
        elif below:
            middle = below[0] - Fraction(1, 4)
        return OPERATIONS[op](middle)

    def _range(self, op: str, x: Form) -> tuple[Fraction, Fraction]:
        """Where the values of a form in the box lie."""
        low = high = Fraction(x.terms[0], x.divisor)
        for slope, (start, end) in zip(x.gradient, self.bounds, strict=True):
            if slope == 0:
                continue
            if start is None or end is None:
                raise NotAffine(f"{op} of a value that is not bounded: --box bounds the inputs")
            ends = sorted((slope * start, slope * end))
            low, high = low + ends[0], high + ends[1]
        return low, high
