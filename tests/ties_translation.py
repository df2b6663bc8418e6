"""A framework's literal expression, as recorded in data/ties.json.gz -> a .cf program, or the reason why there is none.

The expressions are Python, so they are read with `ast` and rewritten node by node: names of library functions by the
tables CALLS and METHODS, whole expressions that are idioms by WHOLE, functions that the language has not by MISSING.
A library function without a counterpart in the language is written out as the framework's documentation defines it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from tests.ties_names import CALLS, METHODS, MISSING, MISSING_OF_MATRICES
from tests.ties_tables import WHOLE

Shape = tuple[int, ...]
NAMES = ("x", "y", "z")


@dataclass(frozen=True, slots=True)
class NotExpressible(Exception):
    """The language cannot say this expression."""

    reason: str


def program_of(framework: str, code: str, shapes: tuple[Shape, ...]) -> str:
    """The .cf source of `code`, whose inputs x, y, z have these shapes. Raises NotExpressible."""
    for fragment, reason in MISSING.items():
        if fragment in code:
            raise NotExpressible(reason)
    if len(shapes[0]) == 2 and code in MISSING_OF_MATRICES:
        raise NotExpressible(MISSING_OF_MATRICES[code])
    whole = WHOLE.get((framework, code)) or WHOLE.get(("", code))
    if whole is None:
        body = "return " + _Writer(shapes).write(ast.parse(code, mode="eval").body)
    else:
        body = whole if isinstance(whole, str) else whole(shapes[0][0])
    params = ", ".join(name + _annotation(shape) for name, shape in zip(NAMES, shapes, strict=False))
    lines = "\n".join("    " + line for line in body.split("\n"))
    return f"def f({params}):\n{lines}\n"


def _annotation(shape: Shape) -> str:
    return f": Real[{', '.join(map(str, shape))}]" if shape else ""


class _Writer:
    """Writes one expression tree as .cf text."""

    def __init__(self, shapes: tuple[Shape, ...]) -> None:
        self.shapes = dict(zip(NAMES, shapes, strict=False))

    def write(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=float() | int() as number):
                return repr(number)
            case ast.Name(id=name) if name in NAMES:
                return name
            case ast.Name(id="INF") | ast.Attribute(attr="inf"):
                return "inf"
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"(-{self.write(operand)})"
            case ast.BinOp(left=left, op=op, right=right):
                return self.operation(op, self.number(left), self.number(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return f"{self.write(left)} {_COMPARISONS[type(op)]} {self.write(right)}"
            case ast.List(elts=entries) | ast.Tuple(elts=entries):
                return "[" + ", ".join(self.write(entry) for entry in entries) + "]"
            case ast.Subscript(value=value, slice=ast.Constant(value=int() as position)):
                return f"{self.write(value)}[{position}]"
            case ast.Subscript(value=value, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))):
                return f"{self.write(value)}[{self.size() - 1}]"
            case ast.Call(func=func, args=args, keywords=keywords):
                return self.call(func, args, {one.arg or "": one.value for one in keywords})
        raise NotExpressible(f"no translation of {ast.unparse(node)}")

    def number(self, node: ast.expr) -> str:
        """An operand of arithmetic: a comparison counts as 1 or 0."""
        return f"(1 if {self.write(node)} else 0)" if isinstance(node, ast.Compare) else self.write(node)

    def size(self) -> int:
        return self.shapes["x"][0]

    @staticmethod
    def operation(op: ast.operator, left: str, right: str) -> str:
        if isinstance(op, ast.FloorDiv):
            return f"floor({left}/{right})"
        return f"({left}{_OPERATORS[type(op)]}{right})"

    def call(self, func: ast.expr, args: list[ast.expr], keywords: dict[str, ast.expr]) -> str:
        name = ast.unparse(func)
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, args)
        template = CALLS.get(name)
        if template is None and isinstance(func, ast.Attribute):
            template = METHODS.get(func.attr)
            args = [func.value, *args]
        if template is None:
            raise NotExpressible(f"no translation of {name}")
        texts = [self.write(one) for one in args if not _is_static(one)]
        if "{" not in template:
            return f"{template}({', '.join(texts)})"
        return template.format(*texts, n=self.size() if self.shapes["x"] else 0)


def _is_static(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _branch(writer: _Writer, args: list[ast.expr]) -> str:
    guard, then, orelse = args
    assert isinstance(then, ast.Lambda) and isinstance(orelse, ast.Lambda)
    return f"({writer.write(then.body)} if {writer.write(guard)} else {writer.write(orelse.body)})"


def _fold(writer: _Writer, args: list[ast.expr]) -> str:
    text, size = "x[0]", writer.size()
    for index in range(1, size):
        text = f"max({text}, x[{index}])"
    return text


_SPECIAL: dict[str, Callable[[_Writer, list[ast.expr]], str]] = {
    "branch": _branch,
    "fold": _fold,
    "Z": lambda writer, args: "0",
    "O": lambda writer, args: "1",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: " + ",
    ast.Sub: " - ",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.Mod: " % ",
}
