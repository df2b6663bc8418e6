"""Number texts: what a user writes as a coordinate, "1/3", "0.1", "sqrt(2)", "pi/4" -> Exact, and back.

    sum     ::= product (("+" | "-") product)*
    product ::= signed (("*" | "/") signed)*
    signed  ::= ("+" | "-") signed | power
    power   ::= atom ("**" signed)?
    atom    ::= number | "pi" | "e" | function "(" sum ("," sum)? ")" | "(" sum ")"
              | "CRootOf" "(" polynomial "," integer ")"

Nothing is ever evaluated as Python. Decimals are exact: 0.1 is 1/10. "nan", "inf" and "-inf" stand alone; a
text that comes out infinite or undefined, such as "1/0", is an error. CRootOf is as in SymPy: the real roots of a
polynomial in one variable with rational coefficients, whatever its name, are counted from 0 (algebraic.py).
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import islice
from math import lcm
from typing import TYPE_CHECKING

import flint

from cfcompiler.algebraic import real_root
from cfcompiler.balls import ROOT, separation_bits
from cfcompiler.numbers import Exact, TooLarge, Undecided, add, div, is_special, mul, neg, power, settled, sub
from cfcompiler.operations import ELEMENTARY, OPERATIONS
from cfcompiler.polynomial_text import PolynomialReader

if TYPE_CHECKING:
    import sympy

MAX_LENGTH = 10_000
MAX_EXPONENT = 4000  # decimal, and digits of one number
MAX_NESTING = 40
MAX_CANONICAL_NODES, MAX_CANONICAL_POWER = 40, 4

FUNCTIONS = (*ELEMENTARY, "log1p", "log2", "log10", "sqrt", "cbrt", "atan2", "logaddexp")
BINARY = {"atan2", "logaddexp"}
ROOTS = ("CRootOf", "ComplexRootOf", "rootof")

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z_0-9.]))"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<mark>\*\*|[-+*/(),]))"
)


def parse_number(text: str) -> Exact:
    """ValueError where the text is not one number; the message says what is wrong."""
    bare = text.strip()
    if bare.lower() in ("nan", "inf", "+inf", "-inf"):
        return {"nan": "nan", "-inf": "-inf"}.get(bare.lower(), "inf")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a number of {len(text)} characters, at most {MAX_LENGTH} are read")
    try:
        value = _Reader(_tokens(text)).whole()
    except (TooLarge, Undecided) as problem:
        raise ValueError(f"{_quoted(text)} is out of reach: {problem}") from problem
    if is_special(value):
        raise ValueError(
            f"{_quoted(text)} is not a finite real number; write inf, -inf or nan if that is meant"
        )
    return value


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise ValueError(f"{_quoted(text)} is not a number: cannot read {_quoted(text[place:].strip())}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        place = found.end()
    return [*tokens, ("end", "the end")]


class _Reader:
    """Recursive descent; evaluates as it reads."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.place = 0
        self.nesting = 0

    def whole(self) -> Exact:
        value = self.sum()
        if self.tokens[self.place][0] != "end":
            raise ValueError(f"a number should end before {_quoted(self.tokens[self.place][1])}")
        return value

    def take(self, *marks: str) -> str | None:
        kind, text = self.tokens[self.place]
        if kind != "mark" or text not in marks:
            return None
        self.place += 1
        return text

    def expect(self, mark: str) -> None:
        if self.take(mark) is None:
            raise ValueError(f"expected {mark!r} in a number, found {_quoted(self.tokens[self.place][1])}")

    def sum(self) -> Exact:
        value = self.product()
        while mark := self.take("+", "-"):
            value = (add if mark == "+" else sub)(value, self.product())
        return value

    def product(self) -> Exact:
        value = self.signed()
        while mark := self.take("*", "/"):
            value = (mul if mark == "*" else div)(value, self.signed())
        return value

    def signed(self) -> Exact:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise ValueError(f"a number is nested deeper than {MAX_NESTING} levels")
        mark = self.take("+", "-")
        value = self.power() if mark is None else self.signed()
        self.nesting -= 1
        return neg(value) if mark == "-" else value

    def power(self) -> Exact:
        base = self.atom()
        return power(base, self.signed()) if self.take("**") else base

    def atom(self) -> Exact:
        if self.take("("):
            value = self.sum()
            self.expect(")")
            return value
        kind, text = self.tokens[self.place]
        self.place += 1
        if kind == "number":
            return _decimal(text)
        if kind == "name":
            return self.named(text)
        raise ValueError(f"expected a number, found {_quoted(text)}")

    def named(self, name: str) -> Exact:
        if name in ("pi", "e"):
            from sympy import E, pi

            return settled(pi if name == "pi" else E)
        if name in ROOTS:
            return self.root()
        if name not in FUNCTIONS:
            raise ValueError(
                f"unknown name {_quoted(name)} in a number; known are pi, e, {', '.join((*FUNCTIONS, ROOTS[0]))}"
            )
        self.expect("(")
        arguments = [self.sum()]
        if name in BINARY:
            self.expect(",")
            arguments.append(self.sum())
        self.expect(")")
        return OPERATIONS[name](*arguments)

    def root(self) -> Exact:
        self.expect("(")
        reader = PolynomialReader(self.tokens, self.place)
        poly = reader.sum()
        self.place = reader.place
        self.expect(",")
        index = self.sum()
        self.expect(")")
        if not isinstance(index, Fraction) or index.denominator != 1:
            raise ValueError(f"the number of a root is a whole number, not {_quoted(to_text(index))}")
        below = lcm(*(c.denominator for c in poly))
        return real_root([int(c * below) for c in poly], int(index))


def _decimal(text: str) -> Fraction:
    digits, _, exponent = text.lower().partition("e")
    if len(digits) > MAX_EXPONENT or len(exponent) > 6 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise ValueError(f"{_quoted(text)} has more than {MAX_EXPONENT} digits")
    return Fraction(text)


def to_text(x: Exact) -> str:
    """A text that SymPy and parse_number read back."""
    if is_special(x):
        return x
    if isinstance(x, Fraction):
        digits = str(flint.fmpz(x.numerator))
        return digits if x.denominator == 1 else f"{digits}/{flint.fmpz(x.denominator)}"
    from sympy import expand, radsimp
    from sympy.printing.str import StrPrinter

    class _Printer(StrPrinter):  # type: ignore[misc]
        def _print_Exp1(self, _constant: object) -> str:
            return "exp(1)"

    return str(_Printer().doprint(radsimp(expand(x)) if _is_small_algebraic(x) else x))


def _is_small_algebraic(x: sympy.Expr) -> bool:
    """Short enough to be written without parentheses and without roots in denominators."""
    from sympy import preorder_traversal

    nodes = list(islice(preorder_traversal(x), MAX_CANONICAL_NODES + 1))
    if any(node.func.__name__ == ROOT for node in nodes):  # a polynomial in a root is in its normal form
        return False
    powers = (node.args[1] for node in nodes if node.is_Pow)
    return (
        len(nodes) <= MAX_CANONICAL_NODES
        and all(exponent.is_Rational and abs(exponent.p) <= MAX_CANONICAL_POWER for exponent in powers)
        and separation_bits(x) is not None
    )
