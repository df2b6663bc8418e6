"""Text to syntax tree: Lark on grammar/cf.lark, with all the syntax errors of a file at once.

`parse` reads the whole file in one pass. Only where that fails does language/mistakes.py read it again line by line,
to name every mistake. Bytes come in through `decode`, which refuses what is not text.
"""

from __future__ import annotations

import gc
import keyword
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError, VisitError
from lark.indenter import DedentError, Indenter

import cfcompiler
from cfcompiler import errors
from cfcompiler.errors import CFError, Diagnostic
from cfcompiler.language import tree
from cfcompiler.source import Source, Span

Children: TypeAlias = list[Any]

# Words that Python keeps for itself, and a few that mean something here: none can name a value.
RESERVED = frozenset(keyword.kwlist)
# Stands in a repaired text where something could not be read; refused where a user writes it.
MISSING = "__missing__"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!\n)")
CONSTANTS = frozenset(("True", "False"))
# A number with more digits than this, or a larger power of ten, is refused: it would be slow to be exact with.
DIGITS = 4000


class SyntaxMistake(Exception):
    """A mistake met while building the tree; never leaves the parser."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def parse(source: Source) -> tree.File:
    """The tree of a file. Raises CFError with all its syntax errors."""
    file, found = recover(source)
    if file is None or found:
        raise CFError(found, source)
    return file


def recover(source: Source) -> tuple[tree.File | None, tuple[Diagnostic, ...]]:
    """The tree of what can be read of a file, with `Missing` in place of the rest, and all the syntax errors."""
    from cfcompiler.language.mistakes import find  # it parses lines, with the functions of this module

    if not _suspicious(source.text):
        file = _whole(source)
        if file is not None:
            return file, ()
    reading = find(source)
    if reading.repaired is None:
        return None, reading.diagnostics
    return _whole(Source(reading.repaired, source.path)), reading.diagnostics


def decode(data: bytes, path: str) -> Source:
    """Bytes of a file to a source. Raises CFError where they are not UTF-8 text."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return Source(data.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", errors="replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        source = Source(data.decode("utf-8", errors="replace"), path)
        found = errors.unreadable(Span(line, column, line, column + 1), f"the byte 0x{data[error.start]:02x}")
        raise CFError([found], source) from None


def definition(text: str, source: Source) -> tree.Function:
    """The tree of an operation as presets write it: an expression, or assignments and a return. Raises CFError."""
    lines = text.strip().split("\n")
    if len(lines) == 1:
        lines = [f"return {lines[0]}"]
    body = "\n".join(["def definition():", *(f"    {line}" for line in lines)])
    match parse(Source(f"{body}\n", source.path)).statements:
        case (tree.Function() as function,):
            return function
    raise CFError([errors.syntax(Span(1, 1, 1, len(text) + 1), repr(text))], Source(text, source.path))


def line(text: str) -> None:
    """Parse one logical line by itself. Raises LarkError, SyntaxMistake or DedentError where it is wrong."""
    with _mistakes_unwrapped():
        _parser().parse(text, start="line")


def _suspicious(text: str) -> bool:
    """Something that no program has; the line-by-line reader names it."""
    return MISSING in text or CONTROL.search(text) is not None


def _whole(source: Source) -> tree.File | None:
    text = source.text if source.text.endswith("\n") else source.text + "\n"
    try:
        with _collector_paused(), _mistakes_unwrapped():
            file = _parser().parse(text.removeprefix("\ufeff"), start="file")
    except (LarkError, DedentError, SyntaxMistake):
        return None
    assert isinstance(file, tree.File)
    return None if _mixes_indentation(text) else file


def _mixes_indentation(text: str) -> bool:
    if "\t" not in text:
        return False
    lines = [row for row in text.split("\n") if row.strip() and not row.lstrip().startswith("#")]
    return any(row.startswith("\t") for row in lines) and any(row.startswith(" ") for row in lines)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A tree of a million nodes holds no cycles: collecting while it grows doubles the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextmanager
def _mistakes_unwrapped() -> Iterator[None]:
    try:
        yield
    except VisitError as error:
        if isinstance(error.orig_exc, SyntaxMistake):
            raise error.orig_exc from None
        raise


class _Indentation(Indenter):
    """Indentation to tokens; inside brackets there is none."""

    NL_type = "_NEWLINE"
    OPEN_PAREN_types: ClassVar[list[str]] = ["LPAR", "LSQB"]
    CLOSE_PAREN_types: ClassVar[list[str]] = ["RPAR", "RSQB"]
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 8


def grammar_path() -> Path:
    """grammar/cf.lark: inside the package (a wheel), or beside it (the source tree)."""
    package = Path(cfcompiler.__file__).parent
    for folder in (package, package.parent):
        path = folder / "grammar" / "cf.lark"
        if path.is_file():
            return path
    raise FileNotFoundError("grammar/cf.lark is neither in the package nor beside it")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(
        grammar_path().read_text(encoding="utf-8"),
        parser="lalr",
        lexer="basic",
        postlex=_Indentation(),
        start=["file", "line"],
        maybe_placeholders=True,
        transformer=_Tree(),
    )


def _place(token: Token) -> Span:
    return Span(token.line, token.column, token.end_line, token.end_column)  # type: ignore[arg-type]


def _span(node: Any) -> Span:
    return _place(node) if isinstance(node, Token) else node.span


def _across(first: Any, last: Any) -> Span:
    start, end = _span(first), _span(last)
    return Span(start.line, start.column, end.end_line, end.end_column)


def identifier(token: Token) -> str:
    """The text of a name. Raises SyntaxMistake for a word that cannot be one."""
    text = str(token)
    if text in RESERVED:
        raise SyntaxMistake(errors.syntax(_place(token), f"the word {text!r}"))
    if not text.isascii() and unicodedata.normalize("NFKC", text) != text:
        plain = unicodedata.normalize("NFKC", text)
        raise SyntaxMistake(
            errors.bad_name(_place(token), f"the name {text!r} has another spelling", f"write {plain!r}")
        )
    return text


@lru_cache(maxsize=4096)
def exact(text: str) -> tuple[Fraction, bool]:
    """A number as written to its exact value, and whether it has a point or an exponent. Raises ValueError."""
    if "__" in text or "_." in text or "._" in text or "_e" in text.lower() or text.endswith("_"):
        raise ValueError("an underscore stands between two digits")
    plain = text.replace("_", "").lower()
    mantissa, _, exponent = plain.partition("e")
    if len(mantissa) > DIGITS or len(exponent) > 6 or abs(int(exponent or "0")) > DIGITS:
        raise ValueError(f"a number has at most {DIGITS} digits")
    decimal = not plain.isdigit()
    if not decimal and len(plain) > 1 and plain[0] == "0" and plain.strip("0"):
        raise ValueError("a whole number does not begin with 0")
    return Fraction(plain), decimal


class _Tree(Transformer[Token, tree.File]):
    """One method a rule, called as the parser reduces: there is no intermediate tree."""

    def file(self, children: Children) -> tree.File:
        return tree.File(tuple(children))

    def line(self, children: Children) -> None:
        return None

    def header(self, children: Children) -> None:
        return None

    def decorator(self, children: Children) -> None:
        return None

    def function(self, children: Children) -> tree.Function:
        head, name, parameters, returns, block = children[-5:]  # before them stand the decorators
        return tree.Function(identifier(name), parameters, returns, block, _across(head, name))

    def parameters(self, children: Children) -> tuple[tree.Parameter, ...]:
        return tuple(children)

    def parameter(self, children: Children) -> tree.Parameter:
        name, annotation, default = children
        return tree.Parameter(identifier(name), annotation, default, _place(name))

    def returns(self, children: Children) -> Any:
        return children[0]

    def branch(self, children: Children) -> tree.Branch:
        keyword, condition, block, *arms, orelse = children
        first = tree.Arm(condition, block, _across(keyword, condition))
        return tree.Branch((first, *arms), orelse or (), first.span)

    def arm(self, children: Children) -> tree.Arm:
        condition, block = children
        return tree.Arm(condition, block, condition.span)

    def loop(self, children: Children) -> tree.Loop:
        keyword, name, values, block = children
        return tree.Loop(tree.Name(identifier(name), _place(name)), values, block, _across(keyword, values))

    def block(self, children: Children) -> tree.Block:
        return tuple(children)

    def assignment(self, children: Children) -> tree.Assignment:
        target, value = children
        if isinstance(target, Token):
            place = _place(target)
            node = tree.Name(identifier(target), place)
            end = value.span
            span = Span(place.line, place.column, end.end_line, end.end_column)
            return tree.Assignment((node,), False, value, span)
        return tree.Assignment(target.items, True, value, _across(target, value))

    def augmented(self, children: Children) -> tree.Augmented:
        target, operator, value = children
        name = tree.Name(identifier(target), _place(target))
        return tree.Augmented(name, str(operator)[:-1], value, _across(target, value))

    def return_(self, children: Children) -> tree.Return:
        keyword, value = children
        return tree.Return(value, _place(keyword) if value is None else _across(keyword, value))

    def assertion(self, children: Children) -> tree.Assertion:
        keyword, condition, message = children
        return tree.Assertion(condition, message, _across(keyword, condition))

    def pass_(self, children: Children) -> tree.Pass:
        return tree.Pass(_place(children[0]))

    def expression(self, children: Children) -> tree.Alone:
        return tree.Alone(children[0], children[0].span)

    def tuple_(self, children: Children) -> tree.Tuple:
        return tree.Tuple(tuple(children), _across(children[0], children[-1]))

    def conditional(self, children: Children) -> tree.Conditional:
        then, condition, orelse = children
        return tree.Conditional(condition, then, orelse, _across(then, orelse))

    def disjunction(self, children: Children) -> tree.Disjunction:
        return tree.Disjunction(tuple(children), _across(children[0], children[-1]))

    def conjunction(self, children: Children) -> tree.Conjunction:
        return tree.Conjunction(tuple(children), _across(children[0], children[-1]))

    def negation(self, children: Children) -> tree.Negation:
        keyword, operand = children
        return tree.Negation(operand, _across(keyword, operand))

    def comparison(self, children: Children) -> tree.Comparison:
        operators = tuple([str(token) for token in children[1::2]])
        return tree.Comparison(tuple(children[0::2]), operators, _across(children[0], children[-1]))

    def operation(self, children: Children) -> tree.Operation:
        start, end = children[0].span, children[-1].span
        span = Span(start.line, start.column, end.end_line, end.end_column)
        return tree.Operation(tuple(children[0::2]), tuple([str(token) for token in children[1::2]]), span)

    def power(self, children: Children) -> tree.Power:
        return tree.Power(children[0], children[1], _across(children[0], children[1]))

    def unary(self, children: Children) -> tree.Unary:
        sign, operand = children
        return tree.Unary(str(sign), operand, _across(sign, operand))

    def call(self, children: Children) -> tree.Call:
        function, arguments, close = children
        keywords = tuple([item for item in arguments if isinstance(item, tree.Keyword)])
        plain = tuple([item for item in arguments if not isinstance(item, tree.Keyword)])
        if keywords and not isinstance(arguments[-1], tree.Keyword):
            raise SyntaxMistake(
                errors.syntax(
                    _span(arguments[-1]), "an argument without a name", "put it before the named arguments"
                )
            )
        return tree.Call(function, plain, keywords, _across(function, close))

    def arguments(self, children: Children) -> Children:
        return children

    def keyword(self, children: Children) -> tree.Keyword:
        name, value = children
        return tree.Keyword(identifier(name), value, _across(name, value))

    def index(self, children: Children) -> tree.Index:
        value, subscripts, close = children
        return tree.Index(value, tuple(subscripts), _across(value, close))

    def subscripts(self, children: Children) -> Children:
        return children

    def slice(self, children: Children) -> tree.Slice:
        start, colon, stop, second, step = children
        present = [item for item in (start, colon, stop, second, step) if item is not None]
        return tree.Slice(start, stop, step, _across(present[0], present[-1]))

    def attribute(self, children: Children) -> tree.Attribute:
        value, name = children
        return tree.Attribute(value, identifier(name), _across(value, name))

    def name(self, children: Children) -> tree.Name | tree.Missing:
        token = children[0]
        if token == MISSING:
            return tree.Missing(_place(token))
        text = str(token) if token in CONSTANTS else identifier(token)
        return tree.Name(text, Span(token.line, token.column, token.end_line, token.end_column))

    def number(self, children: Children) -> tree.Number:
        token = children[0]
        try:
            value, decimal = exact(str(token))
        except ValueError as error:
            raise SyntaxMistake(errors.bad_number(_place(token), str(token), str(error))) from None
        return tree.Number(value, decimal, Span(token.line, token.column, token.end_line, token.end_column))

    def text(self, children: Children) -> tree.Text:
        return tree.Text(
            "".join([unquoted(str(token)) for token in children]), _across(children[0], children[-1])
        )

    def list_(self, children: Children) -> tree.List:
        return tree.List(tuple(children[1:-1]), _across(children[0], children[-1]))


_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"', "\n": ""}


def unquoted(text: str) -> str:
    """The text between the quotes, its escapes resolved; an escape that is not known stays as it is."""
    width = 3 if text[:3] in ('"""', "'''") else 1
    body = text[width:-width]
    if "\\" not in body:
        return body
    out: list[str] = []
    position = 0
    while position < len(body):
        c = body[position]
        if c == "\\" and position + 1 < len(body):
            out.append(_ESCAPES.get(body[position + 1], body[position : position + 2]))
            position += 2
        else:
            out.append(c)
            position += 1
    return "".join(out)
