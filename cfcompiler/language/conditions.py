"""Comparisons, `and`, `or`, `not` and `a if c else b` of the tree to terms.

Instructions of an arm of `a if c else b`, and what follows `and` or `or`, run under the guard before them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction

from cfcompiler import errors
from cfcompiler.ir import Value
from cfcompiler.language import tree
from cfcompiler.language.emission import Emission
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.terms import POISON, Exact, Poison, Scope, Term
from cfcompiler.shapes import text_of
from cfcompiler.source import Span

# Of each comparison: the row, and what it says of numbers known already.
_COMPARISONS: dict[str, tuple[str, Callable[[Fraction, Fraction], bool]]] = {
    "<": ("less", operator.lt),
    "<=": ("less_equal", operator.le),
    ">": ("greater", operator.gt),
    ">=": ("greater_equal", operator.ge),
    "==": ("equal", operator.eq),
    "!=": ("not_equal", operator.ne),
}


def comparison(evaluator: Evaluator, node: tree.Comparison, scope: Scope, name: str | None) -> Term:
    """Chained as in Python: each operand once, and not at all after a part that is false."""
    if len(node.operands) == 2:
        left, right = evaluator.term(node.operands[0], scope), evaluator.term(node.operands[1], scope)
        return _compared(evaluator.emission, node.operators[0], left, right, node.span, name)
    left = evaluator.term(node.operands[0], scope)

    def part(index: int, left: Term) -> Term:
        right = evaluator.term(node.operands[index + 1], scope)
        last = index == len(node.operators) - 1
        truth = _compared(
            evaluator.emission, node.operators[index], left, right, node.span, name if last else None
        )
        if last or truth is False:
            return truth
        return _short_circuit(
            evaluator.emission, truth, False, node.span, name, lambda: part(index + 1, right)
        )

    return part(0, left)


def _compared(emission: Emission, sign: str, left: Term, right: Term, span: Span, name: str | None) -> Term:
    row, decided = _COMPARISONS[sign]
    if isinstance(left, Exact) and isinstance(right, Exact):
        a, b = left.value, right.value
        if isinstance(a, Fraction) and isinstance(b, Fraction):
            return decided(a, b)
    if isinstance(left, Poison) or isinstance(right, Poison):
        return POISON
    if isinstance(left, (str, bool)) and isinstance(right, (str, bool)) and sign in ("==", "!="):
        return (left == right) == (sign == "==")
    a_value, b_value = emission.real(left, span), emission.real(right, span)
    if isinstance(a_value, Poison) or isinstance(b_value, Poison):
        return POISON
    return emission.apply(row, a_value, b_value, span=span, name=name)


def conjunction(evaluator: Evaluator, node: tree.Conjunction, scope: Scope, name: str | None) -> Term:
    return _junction(evaluator, node, scope, name, False)


def disjunction(evaluator: Evaluator, node: tree.Disjunction, scope: Scope, name: str | None) -> Term:
    return _junction(evaluator, node, scope, name, True)


def _junction(
    evaluator: Evaluator,
    node: tree.Conjunction | tree.Disjunction,
    scope: Scope,
    name: str | None,
    decisive: bool,
) -> Term:
    """and (decisive: False), or (decisive: True): what follows a decisive part is not evaluated."""

    def part(index: int) -> Term:
        operand = node.operands[index]
        truth = evaluator.condition(operand, scope)
        if index == len(node.operands) - 1 or truth is decisive:
            return truth
        if isinstance(truth, Value) and truth.shape:
            return _elementwise(evaluator, node, scope, name, decisive, truth, index)
        return _short_circuit(
            evaluator.emission,
            truth,
            decisive,
            node.span,
            name if index == 0 else None,
            lambda: part(index + 1),
        )

    return part(0)


def _short_circuit(
    emission: Emission, truth: Term, decisive: bool, span: Span, name: str | None, rest: Callable[[], Term]
) -> Term:
    """`truth`, or where it is not decisive `rest`, which runs only there."""
    if isinstance(truth, bool):
        return rest()
    if not isinstance(truth, Value):
        rest()  # for its complaints
        return POISON
    if truth.shape:
        after = emission.condition(rest(), span)
        return _both(emission, truth, after, decisive, span, name)
    with emission.builder.under(truth, not decisive):
        after = emission.condition(rest(), span)
    if isinstance(after, Poison):
        return POISON
    if after is decisive:
        return decisive
    if isinstance(after, bool):
        return truth
    with emission.builder.under(truth, decisive):
        other = emission.broadcast(emission.boolean(decisive), after.shape, span)
    if isinstance(other, Poison):
        return POISON
    then, orelse = (other, after) if decisive else (after, other)
    return emission.select(truth, then, orelse, lazy=True, span=span, name=name)


def _elementwise(
    evaluator: Evaluator,
    node: tree.Conjunction | tree.Disjunction,
    scope: Scope,
    name: str | None,
    decisive: bool,
    truth: Value,
    index: int,
) -> Term:
    """On arrays of truth values there is nothing to skip: all parts are evaluated."""
    result: Term = truth
    for operand in node.operands[index + 1 :]:
        after = evaluator.condition(operand, scope)
        if isinstance(result, Poison) or isinstance(after, Poison):
            result = POISON
            continue
        result = _both(evaluator.emission, result, after, decisive, node.span, name)
    return result


def _both(
    emission: Emission,
    truth: Term,
    after: Value | bool | Poison,
    decisive: bool,
    span: Span,
    name: str | None,
) -> Term:
    if isinstance(after, Poison) or not isinstance(truth, (Value, bool)):
        return POISON
    op = "logical_or" if decisive else "logical_and"
    first, second = emission.boolean(truth), emission.boolean(after)
    return emission.apply(op, first, second, span=span, name=name)


def negation(evaluator: Evaluator, node: tree.Negation, scope: Scope, name: str | None) -> Term:
    truth = evaluator.condition(node.operand, scope)
    if isinstance(truth, bool):
        return not truth
    if isinstance(truth, Poison):
        return POISON
    return evaluator.emission.apply("logical_not", truth, span=node.span, name=name)


def conditional(evaluator: Evaluator, node: tree.Conditional, scope: Scope, name: str | None) -> Term:
    truth = evaluator.condition(node.condition, scope)
    if isinstance(truth, bool):
        return evaluator.term(node.then if truth else node.orelse, scope, name)
    if isinstance(truth, Value) and truth.shape:
        truth = evaluator.emission.complain(errors.array_condition(node.condition.span))
    if isinstance(truth, Poison):
        evaluator.term(node.then, scope)
        evaluator.term(node.orelse, scope)
        return POISON
    with evaluator.emission.builder.under(truth, True):
        then = evaluator.term(node.then, scope)
    with evaluator.emission.builder.under(truth, False):
        orelse = evaluator.term(node.orelse, scope)
    return joined(evaluator.emission, truth, then, orelse, node.span, name)


def joined(emission: Emission, guard: Value, then: Term, orelse: Term, span: Span, name: str | None) -> Term:
    """One lazy choice between what two arms mean; `then` lives under `guard`, `orelse` under its negation."""
    if isinstance(then, Poison) or isinstance(orelse, Poison):
        return POISON
    if then is orelse or (
        isinstance(then, (Exact, str, bool)) and then == orelse and type(then) is type(orelse)
    ):
        return then
    if isinstance(then, tuple) or isinstance(orelse, tuple):
        if not (isinstance(then, tuple) and isinstance(orelse, tuple) and len(then) == len(orelse)):
            return emission.complain(errors.arms_differ(span, _kind(then), _kind(orelse)))
        return tuple([joined(emission, guard, a, b, span, None) for a, b in zip(then, orelse, strict=True)])
    if _is_truth(then) and _is_truth(orelse):
        assert isinstance(then, (Value, bool)) and isinstance(orelse, (Value, bool))
        a, b = emission.boolean(then), emission.boolean(orelse)
        return emission.select(guard, a, b, lazy=True, span=span, name=name)
    with emission.builder.under(guard, True):
        first = emission.real(then, span)
    with emission.builder.under(guard, False):
        second = emission.real(orelse, span)
    if isinstance(first, Poison) or isinstance(second, Poison):
        return POISON
    first, second = _alike(emission, guard, first, second, then, orelse, span)
    if isinstance(first, Poison) or isinstance(second, Poison):
        return POISON
    return emission.select(guard, first, second, lazy=True, span=span, name=name)


def _alike(
    emission: Emission, guard: Value, first: Value, second: Value, then: Term, orelse: Term, span: Span
) -> tuple[Value | Poison, Value | Poison]:
    """A number beside an array means that number everywhere: `x if c else 0`."""
    if isinstance(then, Exact) and second.shape:
        with emission.builder.under(guard, True):
            return emission.broadcast(first, second.shape, span), second
    if isinstance(orelse, Exact) and first.shape:
        with emission.builder.under(guard, False):
            return first, emission.broadcast(second, first.shape, span)
    return first, second


def _is_truth(term: Term) -> bool:
    return isinstance(term, bool) or (isinstance(term, Value) and term.kind == "bool")


def _kind(term: Term) -> str:
    if isinstance(term, tuple):
        return f"a tuple of {len(term)}"
    return text_of(term.shape) if isinstance(term, Value) else "Real"
