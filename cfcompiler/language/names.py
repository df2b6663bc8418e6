"""Names of the tree to terms: bindings of the function, constants of the file, constants of the language.

A constant of the file is evaluated at its first use, outside every branch.
"""

from __future__ import annotations

from cfcompiler import errors
from cfcompiler.language import tree
from cfcompiler.language.checker import TIES, names_bound
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.statements import assign
from cfcompiler.language.terms import POISON, Exact, Scope, Term, Unusable

_CONSTANTS: dict[str, Term] = {
    "True": True,
    "False": False,
    "pi": Exact("pi", True),
    "e": Exact("e", True),
    "inf": Exact("inf", True),
    "nan": Exact("nan", True),
}


class Names:
    """What the names of one file mean."""

    def __init__(self, file: tree.File) -> None:
        self.file = file
        self.constants: dict[str, Term | None] = {}  # None while it is being evaluated

    def value(self, evaluator: Evaluator, node: tree.Name, scope: Scope, name: str | None) -> Term:
        found = scope.names.get(node.text)
        if found is not None:
            if isinstance(found, Unusable):
                evaluator.emission.complain(found.complaint(node.span))
                scope.bind(node.text, POISON)
                return POISON
            return found
        if not scope.prelude:
            constant = self.constant(evaluator, node.text)
            if constant is not None:
                return constant
        if node.text in _CONSTANTS:
            return _CONSTANTS[node.text]
        if self._assigns(scope.function, node.text):
            scope.bind(node.text, POISON)
            return evaluator.emission.complain(errors.unbound_on_a_path(node.span, node.text))
        return POISON  # the checker has complained

    def _assigns(self, function: str, name: str) -> bool:
        """Somewhere in `function` the name is assigned."""
        return function in self.file.functions and name in names_bound(self.file.functions[function].block)

    def constant(self, evaluator: Evaluator, name: str) -> Term | None:
        """The value of a file-level constant, evaluated at its first use outside every branch."""
        if name in self.constants:
            found = self.constants[name]
            return POISON if found is None else found
        for statement in reversed(self.file.statements):
            if not isinstance(statement, tree.Assignment):
                continue
            if any(isinstance(target, tree.Name) and target.text == name for target in statement.targets):
                if name == TIES and isinstance(statement.value, tree.Text):
                    return None
                self._evaluate(evaluator, statement)
                return self.constants.get(name, POISON)
        return None

    def _evaluate(self, evaluator: Evaluator, statement: tree.Assignment) -> None:
        names = [target.text for target in statement.targets if isinstance(target, tree.Name)]
        self.constants.update(dict.fromkeys(names))
        emission, scope = evaluator.emission, Scope("", prelude=False)
        site, emission.site = emission.site, None
        with emission.builder.on(()), emission.user_level():
            term = evaluator.term(
                statement.value, scope, names[0] if names and not statement.unpacks else None
            )
            assign(emission, statement, term, scope)
        emission.site = site
        for name in names:
            bound = scope.get(name)
            self.constants[name] = POISON if bound is None or isinstance(bound, Unusable) else bound
