"""Arithmetic of the tree to terms: + - * / @ and **.

Numbers that are known already are computed here, exactly; the rest becomes instructions.
"""

from __future__ import annotations

from fractions import Fraction

from cfcompiler import errors
from cfcompiler.language import tree
from cfcompiler.language.emission import Emission
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.terms import POISON, Exact, Poison, Scope, Term
from cfcompiler.source import Span

_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
# Exact numbers are computed only while they have fewer bits than this; beyond it the program computes them.
_BITS = 20_000


def operation(evaluator: Evaluator, node: tree.Operation, scope: Scope, name: str | None) -> Term:
    left = evaluator.term(node.operands[0], scope)
    last = len(node.operators) - 1
    for index, operator in enumerate(node.operators):
        operand = node.operands[index + 1]
        right = evaluator.term(operand, scope)
        span = node.span if index == last else node.operands[0].span.to(operand.span)
        places = node.operands[0].span if index == 0 else span, operand.span
        own = name if index == last else None
        left = binary(evaluator.emission, operator, left, right, span, own, places)
    return left


def binary(
    emission: Emission,
    operator: str,
    left: Term,
    right: Term,
    span: Span,
    name: str | None,
    places: tuple[Span, Span] | None = None,
) -> Term:
    """left operator right, for + - * / and @; `places`: where the two stand, for complaints about one of them."""
    if isinstance(left, Exact) and isinstance(right, Exact) and operator != "@":
        known = _folded(emission, operator, left, right, span)
        if known is not None:
            return known
    if isinstance(left, Poison) or isinstance(right, Poison):
        return POISON
    first, second = (span, span) if places is None else places
    a, b = emission.real(left, first), emission.real(right, second)
    if isinstance(a, Poison) or isinstance(b, Poison):
        return POISON
    op = "matmul" if operator == "@" else _ARITHMETIC[operator]
    return emission.apply(op, a, b, span=span, name=name)


def _folded(emission: Emission, operator: str, left: Exact, right: Exact, span: Span) -> Term | None:
    a, b = left.value, right.value
    if isinstance(a, str) or isinstance(b, str):
        return None
    decimal = left.decimal or right.decimal
    if _bits(a) + _bits(b) > _BITS:
        return None
    if operator == "+":
        return Exact(a + b, decimal)
    if operator == "-":
        return Exact(a - b, decimal)
    if operator == "*":
        return Exact(a * b, decimal)
    if b == 0:
        return emission.complain(errors.division_by_zero(span))
    return Exact(a / b, True)


def unary(evaluator: Evaluator, node: tree.Unary, scope: Scope, name: str | None) -> Term:
    operand = evaluator.term(node.operand, scope)
    if isinstance(operand, Exact):
        if node.operator == "+":
            return operand
        if isinstance(operand.value, Fraction):
            return Exact(-operand.value, operand.decimal)
        if operand.value in ("inf", "-inf"):
            return Exact("-inf" if operand.value == "inf" else "inf", True)
    value = evaluator.emission.real(operand, node.operand.span)
    if isinstance(value, Poison) or node.operator == "+":
        return value
    return evaluator.emission.apply("neg", value, span=node.span, name=name)


def power(evaluator: Evaluator, node: tree.Power, scope: Scope, name: str | None) -> Term:
    base, exponent = evaluator.term(node.base, scope), evaluator.term(node.exponent, scope)
    if isinstance(base, Poison) or isinstance(exponent, Poison):
        return POISON
    if isinstance(base, Exact) and isinstance(exponent, Exact):
        known = _folded_power(evaluator.emission, base, exponent, node.span)
        if known is not None:
            return known
    value = evaluator.emission.real(base, node.base.span)
    if isinstance(value, Poison):
        return POISON
    if isinstance(exponent, Exact) and isinstance(exponent.value, Fraction):
        whole = exponent.whole is not None and not exponent.decimal
        op = "ipow" if whole else "rpow"
        return evaluator.emission.apply(op, value, span=node.span, name=name, n=exponent.value)
    raised = evaluator.emission.real(exponent, node.exponent.span)
    if isinstance(raised, Poison):
        return POISON
    return evaluator.emission.apply("pow", value, raised, span=node.span, name=name)


def _folded_power(emission: Emission, base: Exact, exponent: Exact, span: Span) -> Term | None:
    n, a = exponent.whole, base.value
    if n is None or isinstance(a, str):
        return None
    if a == 0 and n < 0:
        return emission.complain(errors.division_by_zero(span))
    if _bits(a) > 2 and _bits(a) * abs(n) > _BITS:
        return None
    return Exact(a**n, base.decimal or exponent.decimal or n < 0)


def _bits(a: Fraction) -> int:
    return a.numerator.bit_length() + a.denominator.bit_length()
