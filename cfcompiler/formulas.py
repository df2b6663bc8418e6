"""A derivative text to steps: the expressions of the primitives' rows and of the presets, compiled once.

The texts are `.cf` expressions without calls to functions with kinks: numbers, names, + - * / **, comparisons,
`and or not`, `a if c else b`, calls of primitives. A step is (operation, operands, attributes); an operand is the
index of an earlier step or a name. Compiling is cached by text, so inlining a derivative costs only its steps.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from cfcompiler.primitives import NAMED_CONSTANTS, TABLE


@dataclass(frozen=True, slots=True)
class Step:
    """out = op(operands): an operand is an earlier step's index, a name of the environment, or a number's text."""

    op: str
    operands: tuple[int | str, ...]
    exponent: Static | None = None  # of ipow and rpow
    number: Fraction | str | None = None  # of constant


# An exponent that is static: a number, or the row's `n` plus a number.
Static: TypeAlias = tuple[bool, Fraction]

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(\*\*|<=|>=|==|!=|[-+*/()<>,]))")
_COMPARISON = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}


_COMPARE: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}


class FormulaError(ValueError):
    """A derivative text that does not parse: an error in a preset or a row, with the text in the message."""


@cache
def compile_formula(text: str) -> tuple[Step, ...]:
    """The steps of `text`; the last one is its value. A bare name is one step "same".

    Raises FormulaError.
    """
    return _Parser(text).run()


def decided(steps: tuple[Step, ...], guard: int | str, n: Fraction | None) -> bool | None:
    """The truth of a comparison of n with a number, which is known when the program is compiled; else None."""
    step = steps[guard] if isinstance(guard, int) else None
    if step is None or n is None or step.op not in _COMPARE:
        return None
    numbers = [
        n if one == "n" else steps[one].number if isinstance(one, int) else None for one in step.operands
    ]
    left, right = numbers
    if not isinstance(left, Fraction) or not isinstance(right, Fraction):
        return None
    return _COMPARE[step.op](left, right)


class _Parser:
    """Precedence climbing over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._split(text)
        self.position = 0
        self.steps: list[Step] = []

    @staticmethod
    def _split(text: str) -> list[str]:
        tokens, position, end = [], 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                raise FormulaError(f"unexpected {text[position]!r} in the formula {text!r}")
            tokens.append(match.group().strip())
            position = match.end()
        return tokens

    def run(self) -> tuple[Step, ...]:
        value = self.conditional()
        if self.position != len(self.tokens):
            raise FormulaError(f"unexpected {self.tokens[self.position]!r} in the formula {self.text!r}")
        if not (isinstance(value, int) and value == len(self.steps) - 1):
            self.add("same", value)
        return tuple(self.steps)

    def add(
        self,
        op: str,
        *operands: int | str,
        exponent: Static | None = None,
        number: Fraction | str | None = None,
    ) -> int:
        self.steps.append(Step(op, operands, exponent, number))
        return len(self.steps) - 1

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, *wanted: str) -> str | None:
        if self.peek() in wanted and self.peek():
            self.position += 1
            return self.tokens[self.position - 1]
        return None

    def need(self, token: str) -> None:
        if self.take(token) is None:
            raise FormulaError(f"expected {token!r}, found {self.peek()!r} in the formula {self.text!r}")

    def conditional(self) -> int | str:
        then = self.disjunction()
        if not self.take("if"):
            return then
        guard = self.disjunction()
        self.need("else")
        return self.add("choose", guard, then, self.conditional())

    def disjunction(self) -> int | str:
        left = self.conjunction()
        while self.take("or"):
            left = self.add("logical_or", left, self.conjunction())
        return left

    def conjunction(self) -> int | str:
        left = self.negation()
        while self.take("and"):
            left = self.add("logical_and", left, self.negation())
        return left

    def negation(self) -> int | str:
        if self.take("not"):
            return self.add("logical_not", self.negation())
        left = self.sum()
        while sign := self.take(*_COMPARISON):
            left = self.add(_COMPARISON[sign], left, self.sum())
        return left

    def sum(self) -> int | str:
        left = self.product()
        while sign := self.take("+", "-"):
            left = self.add("add" if sign == "+" else "sub", left, self.product())
        return left

    def product(self) -> int | str:
        left = self.unary()
        while sign := self.take("*", "/"):
            left = self.add("mul" if sign == "*" else "div", left, self.unary())
        return left

    def unary(self) -> int | str:
        if self.take("-"):
            return self.add("neg", self.unary())
        return self.power()

    def power(self) -> int | str:
        base = self.atom()
        if not self.take("**"):
            return base
        start, steps = self.position, len(self.steps)
        static = self.static_exponent()
        if static is not None:
            return self.add("static_power", base, exponent=static)
        self.position = start
        del self.steps[steps:]
        return self.add("pow", base, self.unary())

    def static_exponent(self) -> Static | None:
        """A number, `n`, `(n - 1)`, ...: known when the program is compiled."""
        if self.take("("):
            value = self.static_exponent()
            while value is not None and (sign := self.take("+", "-")):
                other = self.static_exponent()
                if other is None or other[0]:
                    return None
                value = (value[0], value[1] + (other[1] if sign == "+" else -other[1]))
            return value if value is not None and self.take(")") else None
        if self.take("-"):
            value = self.static_exponent()
            return None if value is None or value[0] else (False, -value[1])
        if self.take("n"):
            return (True, Fraction(0))
        if re.fullmatch(r"\d+(\.\d+)?", self.peek()):
            self.position += 1
            return (False, Fraction(self.tokens[self.position - 1]))
        return None

    def atom(self) -> int | str:
        token = self.peek()
        self.position += 1
        if token == "(":
            inner = self.conditional()
            self.need(")")
            return inner
        if token[:1].isdigit():
            return self.add("constant", number=Fraction(token))
        if token in NAMED_CONSTANTS:
            return self.add("constant", number=NAMED_CONSTANTS[token])
        if token in ("inf", "nan"):
            return self.add("constant", number=token)
        if not token.isidentifier() or token in ("if", "else", "and", "or", "not"):
            raise FormulaError(f"unexpected {token!r} in the formula {self.text!r}")
        if not self.take("("):
            return token
        if token not in TABLE:
            raise FormulaError(f"{token!r} is not a primitive, in the formula {self.text!r}")
        operands = [self.conditional()]
        while self.take(","):
            operands.append(self.conditional())
        self.need(")")
        return self.add(token, *operands)
