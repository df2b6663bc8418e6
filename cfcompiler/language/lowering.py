"""Tree to Program, once: calls inlined, loops unrolled, branches under guards, piecewise functions as selections.

    def f(x):                    program f(x)
        if x > 0:                  b = greater(x, 0)
            return sqrt(x)         [b]  t = sqrt(x)
        return 0                   s = select(b, t, 0)

`statements` runs a function, `expressions` evaluates, `calls` inlines or writes what is called, and `emission` writes
instructions. All complaints of a file are collected; a program is returned only where there are none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cfcompiler import errors, ties
from cfcompiler.errors import CFError, Diagnostic
from cfcompiler.ir import Program, Value
from cfcompiler.language import conditions, indexing, operators, tree
from cfcompiler.language.calls import Calls, callables, rows
from cfcompiler.language.checker import TIES, check, names_bound
from cfcompiler.language.emission import LIMIT, Emission, TooLarge
from cfcompiler.language.expressions import LITERALS, Evaluator, Rule
from cfcompiler.language.names import Names
from cfcompiler.language.parameters import inputs
from cfcompiler.language.prelude import prelude
from cfcompiler.language.statements import Statements
from cfcompiler.language.terms import Poison, Scope, Term
from cfcompiler.source import NOWHERE, Source, Span

# Nesting deeper than this many Python calls is refused. Lowering calls nothing written in C on the way down.
DEPTH = 12_000
# How expressions are evaluated that do not depend on the file around them.
RULES: Mapping[type, Rule] = {
    **LITERALS,
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


def ties_of(file: tree.File) -> tuple[str, Span] | None:
    """The preset that a file names in `ties = "..."`."""
    for statement in file.statements:
        match statement:
            case tree.Assignment((tree.Name(text),), _, tree.Text(value, span)) if text == TIES:
                return value, span
            case _:
                pass
    return None


def lower(
    file: tree.File,
    source: Source,
    *,
    rules: ties.Rules,
    function: str | None = None,
    static: Mapping[str, int] | None = None,
    syntax: tuple[Diagnostic, ...] = (),
) -> Program:
    """The program of `function` (the last one of the file). Raises CFError with all that is wrong.

    `static` gives values to inputs declared Int. `syntax`: what the parser complained of already.
    """
    with _deep():
        found = list(syntax)
        lowering: _Lowering | None = None
        try:
            found += [item for item in check(file, callables()) if not (syntax and item.code == "CF003")]
            functions = file.functions
            chosen = function if function is not None else next(reversed(functions), None)
            if chosen is not None and chosen not in functions:
                found.append(errors.unknown_function(chosen, tuple(functions)))
                chosen = None
            if chosen is None:
                raise CFError(found, source)
            lowering = _Lowering(file, source, rules, chosen)
            program = lowering.program(functions[chosen], static or {})
            # where a statement of another language was taken out, its returns may be what seems to be missing
            foreign = any(item.code == "CF009" for item in syntax)
            found += [
                item for item in lowering.emission.diagnostics if not (foreign and item.code == "CF034")
            ]
        except RecursionError:
            found.append(errors.too_deep(NOWHERE if lowering is None else lowering.statements.at))
    if found:
        raise CFError(found, source)
    assert program is not None, "a program without complaints has a result"
    return program


@contextmanager
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class _Lowering:
    """One program being lowered: what its expressions and statements share."""

    def __init__(self, file: tree.File, source: Source, rules: ties.Rules, name: str) -> None:
        folder = Path(source.path).parent if source.path not in ("-", "<stdin>") else Path()
        self.file = file
        self.names = Names(file)
        self.emission = Emission(name, source, rules)
        self.evaluator = Evaluator(
            self.emission, {**RULES, tree.Name: self.names.value, tree.Call: self._call}
        )
        self.statements = Statements(
            self.evaluator,
            lambda name: name in rows() and name not in file.functions and name not in prelude(),
        )
        self.calls = Calls(self.statements, file.functions, folder)

    def _call(self, evaluator: Evaluator, node: tree.Call, scope: Scope, name: str | None) -> Term:
        return self.calls.value(node, scope, name)

    def program(self, function: tree.Function, static: Mapping[str, int]) -> Program | None:
        scope = Scope(function.name, prelude=False)
        inputs(self.evaluator, function, scope, static)
        self.emission.builder.reserve_names(dict.fromkeys(self._bound_names()))
        self.calls.active.append(function.name)
        try:
            result = self.statements.body(function, scope)
            for statement in self.file.statements:
                if isinstance(statement, tree.Assignment):
                    for target in statement.targets:
                        if isinstance(target, tree.Name) and target.text != TIES:
                            self.names.constant(self.evaluator, target.text)
        except TooLarge as error:
            self.emission.complain(errors.too_large(error.span, LIMIT))
            return None
        values = self._results(result)
        if values is None:
            return None
        return replace(self.emission.builder.finish(values), met=frozenset(self.emission.met))

    def _bound_names(self) -> Iterator[str]:
        """Every name that the file assigns."""
        yield from names_bound(self.file.statements)
        for function in self.file.functions.values():
            yield from names_bound(function.block)

    def _results(self, result: Term) -> list[Value] | None:
        values = []
        for term in result if isinstance(result, tuple) else (result,):
            value = self.emission.real(term, self.statements.returned)
            if isinstance(value, Poison):
                return None
            values.append(value)
        return values
