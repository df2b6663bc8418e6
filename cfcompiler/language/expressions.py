"""The rules of all expressions but names and calls, which depend on the file around them."""

from __future__ import annotations

from collections.abc import Mapping

from cfcompiler.language import conditions, indexing, operators, tree
from cfcompiler.language.evaluator import Evaluator, Rule
from cfcompiler.language.terms import POISON, Exact, Listing, Poison, Scope, Term


def _list(evaluator: Evaluator, node: tree.List, scope: Scope, name: str | None) -> Term:
    terms = [evaluator.term(item, scope) for item in node.items]
    if any(isinstance(term, Poison) for term in terms):
        return POISON
    if all(isinstance(term, (Exact, Listing)) for term in terms):
        return Listing(tuple([term for term in terms if isinstance(term, (Exact, Listing))]))
    values = []
    for term, item in zip(terms, node.items, strict=True):
        value = evaluator.emission.real(term, item.span)
        if isinstance(value, Poison):
            return POISON
        values.append(value)
    return evaluator.emission.apply("stack", *values, span=node.span, name=name, axis=0)


def _tuple(evaluator: Evaluator, node: tree.Tuple, scope: Scope, name: str | None) -> Term:
    return tuple([evaluator.term(item, scope) for item in node.items])


RULES: Mapping[type, Rule] = {
    tree.Number: lambda evaluator, node, scope, name: Exact(node.value, node.decimal),
    tree.Text: lambda evaluator, node, scope, name: node.value,
    tree.Missing: lambda evaluator, node, scope, name: POISON,
    tree.List: _list,
    tree.Tuple: _tuple,
    tree.Operation: operators.operation,
    tree.Power: operators.power,
    tree.Unary: operators.unary,
    tree.Comparison: conditions.comparison,
    tree.Conjunction: conditions.conjunction,
    tree.Disjunction: conditions.disjunction,
    tree.Negation: conditions.negation,
    tree.Conditional: conditions.conditional,
    tree.Index: indexing.index,
    tree.Attribute: indexing.attribute,
}
