"""Expressions of the tree to terms: who knows for each node of the tree which rule evaluates it.

The rules themselves are in operators, conditions, indexing and expressions; those of names and calls come from lowering.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from cfcompiler import errors
from cfcompiler.language import tree
from cfcompiler.language.emission import Emission
from cfcompiler.language.terms import POISON, Exact, Poison, Scope, Term
from cfcompiler.program import Value
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
