"""Texts of reports at points: "x**2 - v[0]" and "x + y > 0", in floats or in rational numbers.

The texts are those that strata are described with: the names of inputs and of their entries, numbers, + - * / **,
functions of one number, relations, `Ne(..., 0)`, and `|` between relations. Floats are for drawing; `exactly` decides.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import flint
import numpy as np

from cfcompiler import numbers
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import is_special
from cfcompiler.report import StratumReport

Floats: TypeAlias = "np.ndarray[Any, Any]"

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_RELATIONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sqrt": np.sqrt, "cbrt": np.cbrt, "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "erf": np.vectorize(math.erf, otypes=[np.float64]),
    "erfc": np.vectorize(math.erfc, otypes=[np.float64]), "Abs": np.abs, "abs": np.abs, "sign": np.sign,
}  # fmt: skip
_CONSTANTS = {"pi": np.pi, "E": np.e, "e": np.e}


class NotRational(ValueError):
    """The text has no value in rational numbers (a function, a power, a division by zero), or none here at all."""


@lru_cache(maxsize=10_000)
def _tree(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def floats(text: str, point: Mapping[str, Any]) -> Any:
    """The value of a formula; `point` has a float or an array for each input or entry that is named. NaN is kept.

    Raises NotRational where the text says what is not known here.
    """
    with np.errstate(all="ignore"):
        return _value(_tree(text), point, float)


def rational(text: str, point: Mapping[str, Any], number: Callable[[Fraction], Any] = Fraction) -> Any:
    """The value in rational numbers, or in a ring that `number` takes them into. Raises NotRational."""
    try:
        return _value(_tree(text), point, number)
    except ZeroDivisionError:
        raise NotRational(text) from None


def polynomial(text: str, name: str) -> Any:
    """A formula in the one input `name` as a flint polynomial. Raises NotRational."""
    try:
        found = rational(text, {name: flint.fmpq_poly([0, 1])}, _as_polynomial)
    except (TypeError, ValueError):
        raise NotRational(text) from None
    return found if isinstance(found, flint.fmpq_poly) else flint.fmpq_poly([found])


def functions_of(stratum: StratumReport) -> tuple[str, ...]:
    """The texts of the functions whose signs describe a stratum."""
    found = list(stratum.equations)
    for relation in stratum.inequalities:
        found += [ast.unparse(side) for side in _compared(_tree(relation))]
    return tuple(dict.fromkeys(found))


def inside(stratum: StratumReport, point: Mapping[str, Any]) -> Any:
    """Where all inequalities of a stratum hold, in floats: a boolean or an array of them."""
    with np.errstate(all="ignore"):
        held: Any = True
        for relation in stratum.inequalities:
            held = held & _holds(_tree(relation), point, float)
        return held


def exactly(stratum: StratumReport, point: Mapping[str, Fraction]) -> bool:
    """Whether a rational point lies in a stratum, proved. Raises NotRational where it is not."""
    try:
        if any(rational(equation, point) != 0 for equation in stratum.equations):
            return False
        return all(bool(_holds(_tree(relation), point, Fraction)) for relation in stratum.inequalities)
    except (NotRational, ZeroDivisionError):
        if any(_proved_sign(_tree(equation), point) != 0 for equation in stratum.equations):
            return False
        return all(_proved(_tree(relation), point) for relation in stratum.inequalities)


def _proved(relation: ast.expr, point: Mapping[str, Fraction]) -> bool:
    """Whether a relation holds, by the proved signs of exact numbers. Raises NotRational."""
    match relation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _proved(left, point) or _proved(right, point)
        case ast.Call(func=ast.Name(id="Ne"), args=[left, right]):
            return _proved_sign(ast.BinOp(left, ast.Sub(), right), point) != 0
        case ast.Compare(left=left, ops=[order], comparators=[right]):
            sign = _proved_sign(ast.BinOp(left, ast.Sub(), right), point)
            return bool(_RELATIONS[type(order)](sign, 0))
    raise NotRational(ast.unparse(relation))


def _proved_sign(tree: ast.expr, point: Mapping[str, Fraction]) -> int:
    """The sign of a formula at a rational point. Raises NotRational where none is proved."""
    text = ast.unparse(_At(point).visit(ast.parse(ast.unparse(tree), mode="eval")))
    try:
        number = parse_number(text)
        sign = None if is_special(number) else numbers.sign(number)
    except (ValueError, numbers.Undecided):
        sign = None
    if sign is None:
        raise NotRational(ast.unparse(tree))
    return sign


class _At(ast.NodeTransformer):
    """Inputs and entries replaced by their rational values."""

    def __init__(self, point: Mapping[str, Fraction]) -> None:
        self.point = point

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._number(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return self._number(node)

    def _number(self, node: ast.expr) -> ast.expr:
        value = self.point.get(ast.unparse(node))
        return node if value is None else ast.parse(f"({value})", mode="eval").body


def _compared(tree: ast.expr) -> list[ast.expr]:
    match tree:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _compared(left) + _compared(right)
        case ast.Call(args=[left, _]):
            return [left]
        case ast.Compare(left=left, comparators=[right]):
            zero = isinstance(right, ast.Constant) and right.value == 0
            return [left if zero else ast.BinOp(left, ast.Sub(), right)]
    raise NotRational(ast.unparse(tree))


def _holds(tree: ast.expr, point: Mapping[str, Any], number: Callable[[Fraction], Any]) -> Any:
    match tree:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _holds(left, point, number) | _holds(right, point, number)
        case ast.Call(func=ast.Name(id="Ne"), args=[left, right]):
            return _value(left, point, number) != _value(right, point, number)
        case ast.Compare(left=left, ops=[relation], comparators=[right]):
            return _RELATIONS[type(relation)](_value(left, point, number), _value(right, point, number))
    raise NotRational(ast.unparse(tree))


def _value(tree: ast.expr, point: Mapping[str, Any], number: Callable[[Fraction], Any]) -> Any:
    match tree:
        case ast.Constant(value=int() | float() as value):
            exact = Fraction(ast.unparse(tree)) if isinstance(value, float) else Fraction(value)
            return numbers.to_float(exact) if number is float else number(exact)
        case ast.Name(id=name) if name in point:
            return point[name]
        case ast.Name(id=name) if name in _CONSTANTS and number is float:
            return _CONSTANTS[name]
        case ast.Subscript() if ast.unparse(tree) in point:
            return point[ast.unparse(tree)]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, point, number)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left, point, number), right, number)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, point, number), _value(right, point, number))
        case ast.Call(func=ast.Name(id=name), args=[argument]) if name in _FUNCTIONS and number is float:
            return _FUNCTIONS[name](_value(argument, point, number))
    raise NotRational(ast.unparse(tree))


def _power(base: Any, exponent: ast.expr, number: Callable[[Fraction], Any]) -> Any:
    power = _value(exponent, {}, Fraction)
    if power.denominator == 1 and (power >= 0 or number in (Fraction, float)):
        return base ** int(power) if number is not float else np.asarray(base, dtype=float) ** int(power)
    if number is not float:
        raise NotRational(ast.unparse(exponent))
    return np.asarray(base, dtype=float) ** float(power)


def _as_polynomial(entry: Fraction) -> Any:
    return flint.fmpq(entry.numerator, entry.denominator)
