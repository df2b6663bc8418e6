r"""Operations on arrays -> LaTeX with what they run over: axes as indices, windows and indicators of the extremum.

    sum of w * h                 \sum_{i} \left(w \odot h\right)_{i}
    max of A along axis 1        \max_{j} A_{i,j}
    take, put                    \mathcal{W} x, \mathcal{W}^{\top} y     a matrix of zeros and ones, such as windows
    weigh_extremum               \mathbf{1}_{\arg\max_{j} A_{i,j}} \odot c

An indicator is 1 where the extremum is, along the axes named; where several are equal, what the tie rule says stands
with it: the first, the last, all of them, or each its share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from math import prod

from cfcompiler.ir import Apply, Instruction, Value
from cfcompiler.ties import Reduction

_LETTERS = "ijklmnpqr"
_OUTER, _TIMES = r"\otimes", r"\,"


def indexed(text: str, letters: str) -> str:
    """The entry of an array at the indices."""
    return rf"{{{_base(text)}}}_{{{','.join(letters)}}}"


def without_trivial(step: Apply, args: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
    """A sum with 0, a product with 0 and a first power in short; None for others. args: with their levels."""
    zeros = [text == "0" for text, _ in args]
    if step.op == "add" and any(zeros):
        return args[zeros.index(True) - 1]
    if step.op in ("ipow", "rpow") and step.attribute("n") == 1:
        return args[0]
    return args[zeros.index(True)] if step.op in ("mul", "neg") and any(zeros) else None


class ArrayTexts:
    """What the operations of one program on arrays look like. `steps`: what makes each value."""

    def __init__(self, steps: Mapping[str, Instruction], names: Collection[str]) -> None:
        """`names`: those of the program, of which no index takes one."""
        self.steps = steps
        self.letters = "".join(letter for letter in _LETTERS if letter not in names) or _LETTERS
        self.free: dict[str, str] = {}  # of what stands there with them: the indices of its entries
        self.windows: dict[tuple[object, ...], str] = {}

    def of(self, step: Apply, args: list[str]) -> str | None:
        """The formula of `step`, whose arguments have the texts `args`; None where it has no form of its own."""
        form: Callable[[Apply, list[str]], str | None] | None = getattr(self, f"_{step.op}", None)
        return None if form is None else form(step, args)

    def _over(self, step: Apply, args: list[str], axes: tuple[int, ...], head: str) -> str | None:
        """`head` over the axes of the first argument, whose entry is written where it has so many letters."""
        shape = step.args[0].shape
        if not shape or len(shape) > len(self.letters):
            return None
        free = self.free.get(args[0])
        letters = free if free is not None and len(free) == len(shape) else self.letters[: len(shape)]
        bound = ",".join(letters[axis] for axis in axes)
        entry = args[0] if letters == free else indexed(args[0], letters)
        text = rf"{head}_{{{bound}}} {entry}"
        self.free[text] = "".join(letter for axis, letter in enumerate(letters) if axis not in axes)
        return text

    def _sum(self, step: Apply, args: list[str]) -> str | None:
        return self._over(step, args, step.attribute("axes"), r"\sum")

    def _sum_to(self, step: Apply, args: list[str]) -> str | None:
        before, after = step.args[0].shape, step.attribute("shape")
        extra = len(before) - len(after)
        kept = (extra + axis for axis, size in enumerate(after) if size == 1 and before[extra + axis] != 1)
        axes = (*range(extra), *kept)
        return self._over(step, args, axes, r"\sum") if axes else args[0]

    def _extremum(self, step: Apply, args: list[str]) -> str | None:
        return self._over(step, args, step.attribute("axes"), rf"\{step.attribute('sense')}")

    def _weigh_extremum(self, step: Apply, args: list[str]) -> str | None:
        rule: Reduction = step.attribute("rule")
        places = self._over(step, args, step.attribute("axes"), rf"\arg\{step.attribute('sense')}")
        if places is None:
            return None
        tie = rule.tie if isinstance(rule.tie, str) else "weights"
        marks = {"first": r"\text{first } ", "last": r"\text{last } "}
        weights = rf"\mathbf{{1}}_{{{marks.get(tie, '')}{places}}}"
        if tie == "split":
            weights = rf"\frac{{{weights}}}{{\left|{places}\right|}}"
        if tie == "weights":
            weights = rf"{weights}^{{({', '.join(map(str, rule.tie))})}}"
        term = args[2] if _is_single(args[2]) else rf"\left({args[2]}\right)"
        return rf"{weights} \odot {term}" if step.args[2].shape else rf"{weights} \, {term}"

    def _index(self, step: Apply, args: list[str]) -> str:
        """Indices from 0, as the language counts; a slice as its bounds."""
        key = step.attribute("key")
        places = (str(entry) if isinstance(entry, int) else f"{entry[0]}:{entry[1]}" for entry in key)
        return rf"{{{_base(args[0])}}}_{{{','.join(places)}}}"

    def _take(self, step: Apply, args: list[str]) -> str:
        return rf"{self._matrix(step)} \, {_factor(args[0])}"

    def _put(self, step: Apply, args: list[str]) -> str:
        return rf"{self._matrix(step)}^{{\top}} \, {_factor(args[0])}"

    def _matrix(self, step: Apply) -> str:
        """The matrix of zeros and ones that takes these entries, by their places: one more for other places."""
        whole = step.args[0].shape if step.op == "take" else step.attribute("shape")
        key = (step.attribute("indices"), prod(whole))
        if key not in self.windows:
            count = len(self.windows)
            self.windows[key] = r"\mathcal{W}" + (f"_{{{count + 1}}}" if count else "")
        return self.windows[key]

    def _place(self, step: Apply, args: list[str]) -> str | None:
        """An array that is 0 but at a place: the unit vector of the place times what stands there."""
        key = step.attribute("key")
        if not all(isinstance(entry, int) for entry in key):
            return None
        unit = rf"\mathbf{{e}}_{{{','.join(map(str, key))}}}"
        return rf"{unit} {_OUTER if step.args[0].shape else _TIMES} {_factor(args[0])}"

    def _mul(self, step: Apply, args: list[str]) -> str | None:
        """A column and a row, where a product multiplies each entry of a vector with each of another."""
        shapes = [arg.shape for arg in step.args]
        for column, row in ((0, 1), (1, 0)):
            tall, flat = shapes[column], shapes[row]
            apart = len(tall) == len(flat) == 2 and tall[1] == flat[0] == 1 and min(tall[0], flat[1]) > 1
            if apart and all(map(self._was_a_vector, step.args)):
                return rf"{_factor(args[column])} \, {_base(args[row])}^{{\top}}"
        return None

    def _was_a_vector(self, value: Value) -> bool:
        step = self.steps.get(value.name)
        return isinstance(step, Apply) and step.op == "reshape" and len(step.args[0].shape) == 1


def _is_single(text: str) -> bool:
    return not any(sign in text for sign in (" + ", " - ", r"\odot", "cases")) and not text.startswith("-")


def _base(text: str) -> str:
    return text if re.fullmatch(r"\w|\\?\w+(\{\w+\})?(_\{[^{}]*\})?", text) else rf"\left({text}\right)"


def _factor(text: str) -> str:
    return text if _is_single(text) and r"\frac" not in text else rf"\left({text}\right)"
