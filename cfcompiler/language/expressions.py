"""Expressions of the tree to terms, by the rule of each node; here are those of numbers, texts, lists and tuples.

What is known already is computed, exactly; the rest becomes instructions. The other rules are in operators, conditions,
indexing, names and calls; lowering puts them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from cfcompiler import errors
from cfcompiler.ir import Value
from cfcompiler.language import tree
from cfcompiler.language.emission import Emission
from cfcompiler.language.terms import POISON, Exact, Listing, Poison, Scope, Term
from cfcompiler.source import Span

# What a node means in a scope; a value that it makes is called by the name, if there is one.
Rule: TypeAlias = "Callable[[Evaluator, Any, Scope, str | None], Term]"


class Evaluator:
    """Evaluates the expressions of one program, in the order of writing."""

    def __init__(self, emission: Emission, rules: Mapping[type, Rule]) -> None:
        self.emission = emission
        self.rules = rules

    def term(self, node: tree.Expression, scope: Scope, name: str | None = None) -> Term:
        """What `node` means; a value that it makes is called `name`."""
        return self.rules[type(node)](self, node, scope, name)

    def condition(
        self, node: tree.Expression, scope: Scope, name: str | None = None
    ) -> Value | bool | Poison:
        return self.emission.condition(self.term(node, scope, name), node.span)

    def whole(self, node: tree.Expression, scope: Scope, what: str) -> int | Poison:
        """An integer that is known when the program is compiled."""
        term = self.term(node, scope)
        return self.as_whole(term, node.span, what)

    def as_whole(self, term: Term, span: Span, what: str) -> int | Poison:
        if isinstance(term, Poison):
            return POISON
        if isinstance(term, Exact) and term.whole is not None:
            return term.whole
        if isinstance(term, Exact):
            return self.emission.complain(errors.not_static(span, what, "it is not a whole number"))
        return self.emission.complain(
            errors.not_static(span, what, "use a number, len(x), or a parameter n: Int")
        )


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


LITERALS: Mapping[type, Rule] = {
    tree.Number: lambda evaluator, node, scope, name: Exact(node.value, node.decimal),
    tree.Text: lambda evaluator, node, scope, name: node.value,
    tree.Missing: lambda evaluator, node, scope, name: POISON,
    tree.List: _list,
    tree.Tuple: _tuple,
}
