"""The grammar fuzzed: whatever the text, the answer is a program that verifies or a CFError, never another exception.

Three sources of texts: programs grown from the grammar (mostly right), mutations of real programs (mostly wrong),
and plain characters. Seeds are fixed.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfcompiler.errors import PRINTED, CFError
from cfcompiler.language import callables, read
from cfcompiler.verify import verify

ROOT = Path(__file__).parent.parent
CORPUS = [
    path.read_text(encoding="utf-8")
    for folder in ("examples", "tests/bad")
    for path in sorted((ROOT / folder).glob("*.cf"))
]
PIECES = """ ( ) [ ] { } , : ; . = == != < <= > >= + - * / ** @ += -= ^ % & | ~ ! ? $ \\ # " ' \"\"\"
    def if elif else for
    in return assert pass not and or lambda while import class True False None x y f g n 0 1 -1 2.0 1e9
    1e-400 007 0x1 1_0
    range(3) range(n) load("a","b") x[0] x[1:] .T .shape relu(x) max(x,y,0) where(x>0,x,y) [x,y] Real
    Int Const
    __missing__ ties = "jax" \t \n \r\n \f \x00 \ufeff \u00e9 \u2028 \U0001f600""".split(" ")
PIECES += [" ", "    ", "\n", "\n    ", "\n        ", "\t", "\n\n"]


def survives(text: str | bytes) -> None:
    """A program, or complaints whose messages can be shown."""
    try:
        verify(read(text, "fuzz.cf"))
        return
    except CFError as error:
        complaints = error
    assert complaints.diagnostics
    for item in complaints.diagnostics:
        assert item.code in str(complaints) or len(complaints.diagnostics) > PRINTED
        assert 0 <= item.span.line <= len(text) + 2


UNARY = (
    "relu abs sin exp sqrt log tanh sigmoid elu huber hinge softshrink sign floor gelu leaky_relu g".split()
)
BINARY = "max min atan2 pow fmod hypot xlogy logaddexp heaviside g".split()


class Grower:
    """Random programs, by the grammar. A careful one avoids what is likely to be refused."""

    def __init__(self, seed: int, *, careful: bool) -> None:
        self.random = random.Random(seed)
        self.careful = careful
        self.names = ["x", "y"]

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def expression(self, depth: int) -> str:
        if depth <= 0:
            wild = () if self.careful else ("v[0]", "zz", "v", "a")
            return self.pick(*self.names, "x", "y", "0", "1", "2.5", "1/3", "pi", "-1", *wild)
        inner = depth - 1
        e = self.expression
        match (
            self.random.choice((0, 1, 2, 4, 5, 6, 9, 12, 13)) if self.careful else self.random.randrange(17)
        ):
            case 0 | 1 | 2:
                return f"{e(inner)} {self.pick('+', '-', '*', '+', '*', *('@/' * (not self.careful)))} {e(inner)}"
            case 3:
                return f"({e(inner)})**{self.pick('2', '0.5', '-1', '3.0', e(inner))}"
            case 4:
                return f"-{e(inner)}"
            case 5:
                return f"({e(inner)} if {self.condition(inner)} else {e(inner)})"
            case 6:
                return f"where({self.condition(inner)}, {e(inner)}, {e(inner)})"
            case 7:
                return f"[{e(inner)}, {e(inner)}]"
            case 8:
                return f"({e(inner)})[{self.pick('0', '1', '-1', ':', '1:', '::-1', '0, 0', 'i')}]"
            case 9:
                return f"{self.pick('max', 'min')}({e(inner)}, {e(inner)}, {e(inner)})"
            case 10:
                return f"({e(inner)}).{self.pick('T', 'shape', 'size')}"
            case 11:
                return (
                    f"{self.pick('sum', 'max', 'mean', 'sort')}({e(inner)}, axis={self.pick('0', '1', '-1')})"
                )
            case 12:
                return f"{self.pick(*UNARY)}({e(inner)})"
            case 13:
                return f"{self.pick(*BINARY)}({e(inner)}, {e(inner)})"
            case _:
                name = self.pick(*callables())
                return f"{name}({', '.join(e(inner) for _ in range(self.random.choice((1, 1, 1, 2, 3))))})"

    def condition(self, depth: int) -> str:
        if depth <= 0:
            return f"x {self.pick('<', '<=', '>', '>=', '==', '!=')} 0"
        match self.random.randrange(5):
            case 0:
                return f"{self.condition(depth - 1)} {self.pick('and', 'or')} {self.condition(depth - 1)}"
            case 1:
                return f"not {self.condition(depth - 1)}"
            case 2:
                return f"{self.expression(0)} < {self.expression(depth - 1)} <= {self.expression(0)}"
            case _:
                return f"{self.expression(depth - 1)} {self.pick('<', '>=', '==')} {self.expression(0)}"

    def block(self, indent: str, depth: int) -> str:
        lines = [self.statement(indent, depth) for _ in range(self.random.randrange(1, 4))]
        return "".join(lines)

    def statement(self, indent: str, depth: int) -> str:
        inner = indent + "    "
        name = self.pick("x", "y") if self.careful else self.pick("a", "b", "x", "v")
        match self.random.randrange(7 if self.careful else 9) if depth > 0 else 0:
            case 0 | 1 | 2:
                return f"{indent}{name} = {self.expression(2)}\n"
            case 3:
                return f"{indent}{name} {self.pick('+=', '*=', '-=', '**=')} {self.expression(1)}\n"
            case 4:
                head = f"{indent}if {self.condition(1)}:\n{self.block(inner, depth - 1)}"
                other = f"{indent}elif {self.condition(1)}:\n{self.block(inner, depth - 1)}"
                last = f"{indent}else:\n{self.block(inner, depth - 1)}"
                return head + self.pick("", other) + self.pick("", last)
            case 5:
                bound = self.pick("3", "2", "1, 5, 2", "0", *(() if self.careful else ("n", "len(v)", "x")))
                return f"{indent}for i in range({bound}):\n{self.block(inner, depth - 1)}"
            case 6:
                return f"{indent}y, x = {self.expression(1)}, {self.expression(1)}\n"
            case 7:
                return f"{indent}return {self.expression(2)}\n"
            case _:
                return f'{indent}assert {self.condition(1)}, "why"\n'

    def program(self) -> str:
        head = self.pick("", 'ties = "jax"\n', "c = 1/3\n", 'ties = "casadi"\n')
        helper = f"def g(x, y=2):\n{self.block('    ', 1)}    return {self.expression(1)}\n\n"
        parameters = (
            "x, y"
            if self.careful
            else self.pick("x, y, v", "x, y, v: Real[3]", "x, y: Const, v: Real[2, 2], n: Int = 2")
        )
        return f"{head}{helper}def f({parameters}):\n{self.block('    ', 3)}    return {self.expression(3)}\n"


@pytest.mark.parametrize("seed", range(40))
def test_grown_programs_lower_or_complain(seed: int) -> None:
    for number in range(10):
        survives(Grower(1000 * seed + number, careful=number % 2 == 0).program())


def test_most_careful_programs_lower() -> None:
    lowered = 0
    for seed in range(100):
        try:
            verify(read(Grower(seed, careful=True).program(), "fuzz.cf"))
            lowered += 1
        except CFError:
            pass
    assert lowered > 50


def mutated(text: str, source: random.Random) -> str:
    """A few characters, words or lines dropped, doubled, moved or put in."""
    for _ in range(source.randrange(1, 6)):
        if not text:
            return text
        i, j = sorted((source.randrange(len(text)), source.randrange(len(text))))
        j = min(j, i + source.choice((1, 1, 2, 5, 40)))
        lines = text.split("\n")
        match source.randrange(7):
            case 0:
                text = text[:i] + text[j:]
            case 1:
                text = text[:i] + source.choice(PIECES) + text[i:]
            case 2:
                text = text[:i] + source.choice(PIECES) + text[j:]
            case 3:
                text = text[:j] + text[i:j] + text[j:]
            case 4:
                source.shuffle(lines)
                text = "\n".join(lines)
            case 5:
                row = source.randrange(len(lines))
                lines[row] = source.choice(("  ", "\t", "    ")) + lines[row]
                text = "\n".join(lines)
            case _:
                other = source.choice(CORPUS)
                k = source.randrange(len(other) + 1)
                text = text[:i] + other[k : k + 60] + text[j:]
    return text


@pytest.mark.parametrize("seed", range(40))
def test_mutated_programs_lower_or_complain(seed: int) -> None:
    source = random.Random(seed)
    for _ in range(60):
        text = source.choice(CORPUS)
        if len(text) < 5_000:
            survives(mutated(text, source))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_pieces_of_programs_lower_or_complain(pieces: list[str]) -> None:
    survives("".join(pieces))
    survives("def f(x, y):\n    " + " ".join(pieces) + "\n    return x\n")


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=200))
def test_any_text_lowers_or_complains(text: str) -> None:
    survives(text)
    survives(f"def f(x):\n    return {text}\n")


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=300))
def test_any_bytes_lower_or_complain(data: bytes) -> None:
    survives(data)
