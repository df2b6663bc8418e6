"""A value of a program -> its expression over the inputs, as a text that SymPy parses.

Long expressions stop at the names of intermediate values, so the text stays readable and its size is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from cfcompiler.ir import Apply, Kink, Number, Program, Select, Value
from cfcompiler.primitives import TABLE

LONGEST = 240  # characters of an operand that is written out
_SUM, _PRODUCT, _UNARY, _POWER, _ATOM = 1, 2, 3, 4, 5
_INFIX = {"add": ("+", _SUM), "sub": ("-", _SUM), "mul": ("*", _PRODUCT), "div": ("/", _PRODUCT)}
_RELATION = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}
_CALL = {
    "asin": "asin",
    "logical_and": "And",
    "logical_or": "Or",
    "logical_not": "Not",
    "equal": "Eq",
    "not_equal": "Ne",
}


class Expressions:
    """The texts of a program's values, made as they are asked for."""

    def __init__(self, program: Program) -> None:
        self.instructions = {instruction.out.name: instruction for instruction in program.instructions}
        self.texts: dict[str, tuple[str, int]] = {}
        self._fill(program)

    def of(self, value: Value) -> str:
        """The expression of `value`."""
        return self._text(value)[0]

    def difference(
        self, left: Value, right: Value, left_place: tuple[int, ...] = (), right_place: tuple[int, ...] = ()
    ) -> str:
        """left - right, the switch of a guard, without a zero; of two entries, where places are given."""
        if self._number(right) == 0:
            return self._entry_text(left, left_place)[0]
        if self._number(left) == 0:
            return self._negated(self._entry_text(right, right_place))
        first, second = self._entry_text(left, left_place), self._entry_text(right, right_place)
        return f"{self._wrapped(first, _SUM)} - {self._wrapped(second, _PRODUCT)}"

    def entry(self, value: Value, place: tuple[int, ...]) -> str:
        """The expression of an entry of an array, or of a scalar at the place ()."""
        return self._entry_text(value, place)[0]

    def _entry_text(self, value: Value, place: tuple[int, ...]) -> tuple[str, int]:
        """An entry of an array, as what it was made from where that is known."""
        if not place:
            return self._text(value)
        instruction = self.instructions.get(value.name)
        if isinstance(instruction, Apply) and instruction.op == "stack":
            axis = instruction.attribute("axis")
            return self._entry_text(instruction.args[place[axis]], (*place[:axis], *place[axis + 1 :]))
        if isinstance(instruction, Apply) and instruction.op in ("take", "reshape"):
            (source,) = instruction.args
            flat = _flat(place, value.shape)
            if instruction.op == "take":
                flat = instruction.attribute("indices")[flat]
            return self._entry_text(source, _unflat(flat, source.shape))
        return f"{self._wrapped(self._text(value), _ATOM)}[{', '.join(map(str, place))}]", _ATOM

    def _number(self, value: Value) -> Number | None:
        instruction = self.instructions.get(value.name)
        if isinstance(instruction, Apply) and instruction.op == "constant":
            return instruction.attribute("value")  # type: ignore[no-any-return]
        return None

    def _fill(self, program: Program) -> None:
        """In program order, so that no recursion is deeper than one instruction."""
        for param in program.params:
            self.texts[param.value.name] = (param.value.name, _ATOM)
        for name, instruction in self.instructions.items():
            text, level = self._written(instruction)
            self.texts[name] = (text, level) if len(text) <= LONGEST else (name, _ATOM)

    def _text(self, value: Value) -> tuple[str, int]:
        return self.texts.get(value.name, (value.name, _ATOM))

    @staticmethod
    def _wrapped(text: tuple[str, int], level: int) -> str:
        return text[0] if text[1] >= level else f"({text[0]})"

    def _negated(self, text: tuple[str, int]) -> str:
        if text[1] == _UNARY and text[0].startswith("-"):
            return text[0][1:]
        return f"-{self._wrapped(text, _PRODUCT)}"

    def _written(self, instruction: Apply | Select | Kink) -> tuple[str, int]:
        match instruction:
            case Kink():
                return self._kink(instruction), _ATOM
            case Select(guard=guard, then=then, orelse=orelse):
                return f"Piecewise(({self.of(then)}, {self.of(guard)}), ({self.of(orelse)}, True))", _ATOM
            case Apply():
                return self._apply(instruction)

    def _kink(self, kink: Kink) -> str:
        left, right, above, below = (
            self.of(value) for value in (kink.left, kink.right, kink.above, kink.below)
        )
        if (above, below) == (left, right):
            return f"Max({left}, {right})"
        if (above, below) == (right, left):
            return f"Min({left}, {right})"
        if above == left and right == "0" and below == self._negated(self._text(kink.left)):
            return f"Abs({left})"
        return f"Piecewise(({above}, {left} > {right}), ({below}, True))"

    def _apply(self, instruction: Apply) -> tuple[str, int]:
        op, args = instruction.op, [self._text(arg) for arg in instruction.args]
        if op == "constant":
            return self._constant(instruction.attribute("value"))
        if op == "array":
            return str(instruction.attribute("name")), _ATOM
        if op in _INFIX:
            sign, level = _INFIX[op]
            right = self._wrapped(args[1], level + (0 if op in ("add", "mul") else 1))
            return f"{self._wrapped(args[0], level)} {sign} {right}" if level == _SUM else (
                f"{self._wrapped(args[0], level)}{sign}{right}"
            ), level
        if op == "neg":
            return self._negated(args[0]), _UNARY
        if op in ("ipow", "rpow"):
            n = Fraction(instruction.attribute("n"))
            exponent = str(n) if n.denominator == 1 and n >= 0 else f"({n})"
            return f"{self._wrapped(args[0], _ATOM)}**{exponent}", _POWER
        if op == "pow":
            return f"{self._wrapped(args[0], _ATOM)}**{self._wrapped(args[1], _ATOM)}", _POWER
        if op in _RELATION:
            return f"{self._wrapped(args[0], _SUM)} {_RELATION[op]} {self._wrapped(args[1], _SUM)}", 0
        if op == "index":
            key = instruction.attribute("key")
            entries = ", ".join(str(k) if isinstance(k, int) else ":".join(map(str, k)) for k in key)
            return f"{self._wrapped(args[0], _ATOM)}[{entries}]", _ATOM
        if op in ("reshape", "broadcast", "to_real"):
            return args[0]
        row = TABLE[op]
        if row.kind == "elementwise" and row.sympy and all(len(text) < LONGEST for text, _ in args):
            return self._from_row(row.sympy, dict(zip(row.params, args, strict=True)))
        return f"{_CALL.get(op, op)}({', '.join(text for text, _ in args)})", _ATOM

    def _constant(self, number: Number) -> tuple[str, int]:
        text = str(number)
        if isinstance(number, Fraction):
            return text, _ATOM if number.denominator == 1 and number >= 0 else (
                _UNARY if number < 0 else _PRODUCT
            )
        return ("oo", _ATOM) if text == "inf" else (text, _ATOM)

    def _from_row(self, row: str, args: Mapping[str, tuple[str, int]]) -> tuple[str, int]:
        if re.fullmatch(r"\w+\(\w+(, \w+)*\)", row):
            return re.sub(r"\b\w+\b(?!\()", lambda m: args[m[0]][0] if m[0] in args else m[0], row), _ATOM
        filled = re.sub(
            r"\b\w+\b(?!\()", lambda m: self._wrapped(args[m[0]], _ATOM) if m[0] in args else m[0], row
        )
        return f"({filled})", _ATOM


def _flat(place: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """The position of an entry in the flattened array."""
    flat = 0
    for index, size in zip(place, shape, strict=True):
        flat = flat * size + index
    return flat


def _unflat(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The place of the entry at a position of the flattened array."""
    place: list[int] = []
    for size in reversed(shape):
        flat, index = divmod(flat, size)
        place.append(index)
    return tuple(reversed(place))
