"""Functions of prelude.cf, and operations that a preset writes by others, to terms.

A preset's text has the parameters of the operation that it stands for; the tie rules in it are those of the operations
that it mentions, as if the user had written it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from cfcompiler.language import parser, tree
from cfcompiler.language.arguments import of_function
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.parameters import bind
from cfcompiler.language.terms import POISON, Poison, Scope, Term
from cfcompiler.source import Source


@lru_cache(maxsize=1)
def prelude() -> Mapping[str, tree.Function]:
    """The functions of prelude.cf."""
    text = resources.files("cfcompiler").joinpath("prelude.cf").read_text(encoding="utf-8")
    return parser.parse(Source(text, "prelude.cf")).functions


class Prelude:
    """Writes the calls of one program that are texts of the prelude or of its preset."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.emission = evaluator.emission
        self.rules = evaluator.emission.rules
        self.axis: Term | None = None  # of the reduction whose definition is being written
        self._definitions: dict[str, tree.Function] = {}
        self._defining: set[str] = set()

    def call(self, function: str, node: tree.Call, scope: Scope, name: str | None) -> Term:
        """A call of a function of the prelude, or of what the preset writes in its place."""
        written = prelude()[function]
        terms = of_function(self.evaluator, written, node, scope)
        if terms is None or any(isinstance(term, Poison) for term in terms.values()):
            return POISON
        inner = Scope(function, prelude=True)
        bind(self.evaluator, written, terms, node, inner)
        with self.emission.called_at(node.span):
            if self.is_defined(function) and self._mentions(written, node):
                return self._defined(function, inner, name)
            self.emission.begin(function)
            try:
                return self._body(written, inner, name)
            finally:
                self.emission.end()

    def _body(self, function: tree.Function, inner: Scope, name: str | None) -> Term:
        """A body of the prelude is assignments and a return, which gets the user's name."""
        for statement in function.block:
            match statement:
                case tree.Assignment((tree.Name(text),), _, value):
                    inner.bind(text, self.evaluator.term(value, inner))
                case tree.Return(value) if value is not None:
                    return self.evaluator.term(value, inner, name)
                case _:
                    raise AssertionError(f"{function.name} of the prelude is not a row of assignments")
        raise AssertionError(f"{function.name} of the prelude returns nothing")

    def is_defined(self, function: str) -> bool:
        """The preset writes this operation by others, and the user called it."""
        return function in self.rules.defines and self.emission.outermost and function not in self._defining

    def _mentions(self, function: tree.Function, node: tree.Call) -> bool:
        """The preset's text has every parameter that the call gives."""
        given = [parameter.name for parameter in function.parameters[: len(node.arguments)]]
        given += [keyword.name for keyword in node.keywords]
        return set(given) <= set(re.findall(r"\w+", self.rules.defines[function.name]))

    def _defined(self, function: str, inner: Scope, name: str | None) -> Term:
        """The preset's text of an operation; the rules are those of the operations in it."""
        if function not in self._definitions:
            text = self.rules.defines[function]
            self._definitions[function] = parser.definition(text, Source(text, f"{self.rules.preset}.toml"))
        self._defining.add(function)
        try:
            return self._body(self._definitions[function], inner, name)
        finally:
            self._defining.discard(function)

    def defined_by(self, function: str, terms: dict[str, Term], node: tree.Call, name: str | None) -> Term:
        """A row or a reduction that the preset defines; an axis given holds for the reductions in the text."""
        inner = Scope(function, prelude=True)
        for parameter, term in terms.items():
            inner.bind(parameter, term)
        before, self.axis = self.axis, terms.get("axis", self.axis)
        try:
            with self.emission.called_at(node.span):
                return self._defined(function, inner, name)
        finally:
            self.axis = before
