"""The printed form of a program -> Program: what targets/program_text.py prints is read back as an equal program.

The grammar stands there. A line is read at a time, by recursive descent over its tokens; values are looked up by name,
so a use before the definition is a complaint. The invariants are not checked here: that is `verify`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler import errors
from cfcompiler.errors import CFError
from cfcompiler.ir import (
    Apply,
    Assertion,
    Constant,
    Formulas,
    Gate,
    Instruction,
    Kind,
    Kink,
    Number,
    Param,
    Program,
    Select,
    Shape,
    Tie,
    TieMode,
    Value,
    Weights,
)
from cfcompiler.language.printed_line import Line, Unreadable
from cfcompiler.source import NOWHERE, Source, Span
from cfcompiler.ties import Reduction

# Attributes that hold numbers of the program: 2 is the fraction, pi the number.
_NUMBER_KEYS = frozenset(("n", "value", "weights"))
_NUMBER_WORDS = ("pi", "e", "inf", "nan")
_WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}


def parse(text: str, path: str = "<program>") -> Program:
    """The program that was printed as `text`. Raises CFError at the first line that cannot be read."""
    try:
        return _Reader(text).program()
    except Unreadable as mistake:
        raise CFError([mistake.diagnostic], Source(text, path)) from None


class _Reader:
    """The lines of one text, and the values defined so far."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.number = 0
        self.values: dict[str, Value] = {}
        self.instructions: list[Instruction] = []
        self.assertions: list[Assertion] = []
        self.constants: list[Constant] = []
        self.texts: list[tuple[tuple[str, str, int], str]] = []
        self.dense = False
        self.one_mode = False
        self.preset = "torch"
        self.source = Source("", "<none>")

    def program(self) -> Program:
        header = self._next()
        while header is not None and not header.tokens:
            header = self._next()
        if header is None:
            raise Line("", 1).wrong("'program'")
        name, params, results = self._header(header)
        while (line := self._next()) is not None:
            if line.tokens:
                self._line(line)
                line.end()
        values = tuple(self._found(result, header.number, 0) for result in results)
        return Program(
            name,
            params,
            tuple(self.instructions),
            values,
            tuple(self.assertions),
            tuple(self.constants),
            Formulas(tuple(self.texts), self.dense, self.one_mode),
            self.preset,
            self.source,
        )

    def _next(self) -> Line | None:
        if self.number >= len(self.lines):
            return None
        self.number += 1
        return Line(self.lines[self.number - 1], self.number)

    def _header(self, line: Line) -> tuple[str, tuple[Param, ...], tuple[str, ...]]:
        line.take("program")
        name = line.name()
        line.take("(")
        params = line.separated(")", lambda: self._param(line))
        line.take("->")
        return name, params, line.separated("", line.name)

    def _param(self, line: Line) -> Param:
        name = line.name()
        noted = line.accept(":")
        data = noted and line.accept("const")
        shape, kind = self._type(line) if noted else ((), "real")
        self.values[name] = Value(name, shape, kind)
        return Param(self.values[name], not data)

    def _type(self, line: Line) -> tuple[Shape, Kind]:
        kind: Kind = "bool" if line.accept("bool") else "int" if line.accept("int") else "real"
        return self._shape(line) if line.peek() == "[" else (), kind

    def _shape(self, line: Line) -> Shape:
        line.take("[")
        return line.separated("]", line.integer)

    def _line(self, line: Line) -> None:
        following = line.peek(1)
        if line.peek() == "[" or following in ("=", ":"):
            self.instructions.append(self._instruction(line))
            return
        match line.token("word", "an instruction"):
            case "ties":
                self.preset = line.string()
            case "dense":
                line.take("constants")
                self.dense = True
            case "one":
                line.take("mode")
                self.one_mode = True
            case "formula":
                key = (line.string(), line.name(), line.integer())
                self.texts.append((key, line.string()))
            case "assert":
                self.assertions.append(Assertion(self._value(line), line.string(), self._place(line)))
            case "array":
                self.constants.append(self._constant(line.name(), self._shape(line)))
            case "source":
                lines = (json.loads(one) if one.startswith('"') else one[2:] for one in self._indented())
                self.source = Source("\n".join(lines), line.string())
            case _:
                line.place -= 1
                raise line.wrong("an instruction")

    def _value(self, line: Line) -> Value:
        name = line.name()
        return self._found(name, line.number, line.tokens[line.place - 1][2])

    def _found(self, name: str, number: int, column: int) -> Value:
        if name not in self.values:
            span = Span(number, column + 1, number, column + 1 + len(name))
            raise Unreadable(errors.unknown_name(span, name, self.values))
        return self.values[name]

    # instructions

    def _instruction(self, line: Line) -> Instruction:
        branch = line.separated("]", lambda: self._guard(line)) if line.accept("[") else ()
        name = line.name()
        shape, kind = self._type(line) if line.accept(":") else ((), "real")
        line.take("=")
        out = Value(name, shape, kind, branch)
        readers: dict[str, Callable[[Line, Value], Instruction]] = {
            "if": self._select,
            "where": self._select,
            "kink": self._kink,
        }
        instruction = readers.get(line.peek(), self._apply)(line, out)
        self.values[name] = out
        return instruction

    @staticmethod
    def _guard(line: Line) -> tuple[str, bool]:
        truth = not line.accept("not")
        return line.name(), truth

    def _select(self, line: Line, out: Value) -> Select:
        lazy = line.name() == "if"
        guard = self._value(line)
        then, orelse = self._arms(line)
        gate = self._gate(line) if not lazy or line.kind() == "word" else "select"
        return Select(out, guard, then, orelse, lazy, gate, self._place(line))

    def _kink(self, line: Line, out: Value) -> Kink:
        line.take("kink")
        left = self._value(line)
        line.take(">")
        right = self._value(line)
        above, below = self._arms(line)
        tie = self._tie(line)
        return Kink(out, left, right, above, below, tie, self._place(line))

    def _arms(self, line: Line) -> tuple[Value, Value]:
        line.take("then")
        first = self._value(line)
        line.take("else")
        return first, self._value(line)

    def _tie(self, line: Line) -> Tie:
        name = line.name()
        line.take("(")
        if line.accept("forward"):
            forward = self._mode(line)
            line.take("reverse")
            tie = Tie(name, forward, self._mode(line))
        else:
            both = self._mode(line)
            tie = Tie(name, both, both)
        line.take(")")
        return tie

    def _mode(self, line: Line) -> TieMode:
        above = self._weights(line)
        line.take("|")
        below = self._weights(line)
        line.take("|")
        return TieMode(above, below, self._gate(line))

    def _weights(self, line: Line) -> Weights:
        return Weights(*(self._number(line) for _ in range(4)))

    def _gate(self, line: Line) -> Gate:
        if line.accept("mul"):
            return "mul"
        line.take("select")
        return "select"

    def _number(self, line: Line) -> Number:
        if line.kind() == "string":
            return line.string()
        if line.peek() in _NUMBER_WORDS:
            return line.name()
        text = line.token("number", "a number")
        return text if text == "-inf" else Fraction(text)

    def _apply(self, line: Line, out: Value) -> Apply:
        op = line.name()
        args: list[Value] = []
        attributes: list[tuple[str, Any]] = []
        while line.kind() in ("word", "string"):
            if line.peek(1) == "=":
                key = line.name()
                line.take("=")
                attributes.append((key, self._attribute(line, key in _NUMBER_KEYS)))
            else:
                args.append(self._value(line))
        return Apply(out, op, tuple(args), tuple(attributes), self._place(line))

    def _attribute(self, line: Line, number: bool) -> Any:
        if line.accept("("):
            return line.separated(")", lambda: self._attribute(line, number))
        if line.peek() == "rule" and line.peek(1) == "(":
            return self._rule(line)
        if line.peek() in _WORDS:
            return _WORDS[line.name()]
        if number:
            return self._number(line)
        if line.kind() == "string":
            return line.string()
        text = line.token("number", "an attribute")
        return Fraction(text) if "/" in text else int(text)

    def _rule(self, line: Line) -> Reduction:
        line.take("rule")
        line.take("(")
        name = line.string()
        line.take(",")
        tie = self._attribute(line, True) if line.peek() == "(" else line.name()
        words = []
        while line.accept(","):
            words.append(line.name())
        line.take(")")
        if len(words) != 4:
            raise line.wrong("four words after the tie of a rule")
        return Reduction(name, tie, *words)  # type: ignore[arg-type]

    def _place(self, line: Line) -> Span:
        """@3:12-20, or @3:12-4:5 over several lines; nowhere where there is none."""
        if not line.accept("@"):
            return NOWHERE
        start = line.integer()
        line.take(":")
        column, last = line.integer(), -line.integer()  # the hyphen was read as a sign
        if line.accept(":"):
            return Span(start, column, last, line.integer())
        return Span(start, column, start, last)

    # arrays and the source

    def _indented(self) -> list[str]:
        """The lines that belong to the section just begun."""
        start = self.number
        while self.number < len(self.lines) and self.lines[self.number].startswith("    "):
            self.number += 1
        return [line[4:] for line in self.lines[start : self.number]]

    def _constant(self, name: str, shape: Shape) -> Constant:
        start = self.number
        words = " ".join(self._indented()).split()
        try:
            data = np.array([float(word) for word in words], dtype=np.float64).reshape(shape)
        except ValueError:
            raise Line("", start).wrong(f"the entries of an array of shape {list(shape)}") from None
        return Constant(name, data)
