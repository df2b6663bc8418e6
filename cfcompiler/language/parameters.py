"""Parameters of a function, with annotations and defaults, to the inputs of a program or to what a call binds.

def f(x: Real[3], n: Int = 2):   x is an input of shape [3], n is known when the program is compiled
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import prod

from cfcompiler import errors
from cfcompiler.ir import Shape
from cfcompiler.language import tree
from cfcompiler.language.emission import ENTRIES
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.terms import POISON, Exact, Poison, Scope, Term
from cfcompiler.shapes import text_of


def inputs(evaluator: Evaluator, function: tree.Function, scope: Scope, static: Mapping[str, int]) -> None:
    """Bind the parameters of the function that is the program; `static`: the values of those declared Int."""
    integers: list[str] = []
    for parameter in function.parameters:
        if isinstance(parameter.annotation, tree.Name) and parameter.annotation.text == "Int":
            integers.append(parameter.name)
            scope.bind(parameter.name, _static_input(evaluator, parameter, scope, static))
            continue
        if parameter.default is not None:
            evaluator.emission.complain(errors.input_default(parameter.span, parameter.name))
        shape = declared(evaluator, parameter.annotation, scope)
        if isinstance(shape, Poison):
            scope.bind(parameter.name, POISON)
            continue
        data = _kind(parameter.annotation) == "Const"
        value = evaluator.emission.builder.param(parameter.name, shape or (), differentiable=not data)
        scope.bind(parameter.name, value)
    for name in static:
        if name not in integers:
            evaluator.emission.complain(errors.unknown_static(name, integers))


def _static_input(
    evaluator: Evaluator, parameter: tree.Parameter, scope: Scope, static: Mapping[str, int]
) -> Term:
    if parameter.name in static:
        return Exact(Fraction(static[parameter.name]))
    if parameter.default is None:
        return evaluator.emission.complain(
            errors.static_input(parameter.span, parameter.name, "has no value")
        )
    number = evaluator.whole(parameter.default, scope, f"the default of {parameter.name!r}")
    return POISON if isinstance(number, Poison) else Exact(Fraction(number))


def declared(evaluator: Evaluator, annotation: tree.Expression | None, scope: Scope) -> Shape | Poison | None:
    """The declared shape; None where nothing is declared."""
    match annotation:
        case tree.Name("Real" | "Const"):
            return ()
        case tree.Index(tree.Name("Real" | "Const"), subscripts, span):
            sizes = []
            for item in subscripts:
                if isinstance(item, tree.Slice):
                    return POISON
                size = evaluator.whole(item, scope, "a shape")
                if isinstance(size, Poison):
                    return POISON
                if size < 1:
                    return evaluator.emission.complain(
                        errors.annotation(span, "sizes are positive whole numbers")
                    )
                sizes.append(size)
            if prod(sizes) > ENTRIES:
                return evaluator.emission.complain(errors.too_wide(span, text_of(tuple(sizes))))
            return tuple(sizes)
        case _:
            return None


def bind(
    evaluator: Evaluator, function: tree.Function, terms: dict[str, Term], node: tree.Call, inner: Scope
) -> bool:
    """Bind the parameters of a call, with defaults; False after a complaint about a declared shape."""
    sound = True
    for parameter in function.parameters:
        if parameter.name in terms:
            term = terms[parameter.name]
        else:
            assert parameter.default is not None
            term = evaluator.term(parameter.default, Scope("", prelude=inner.prelude))
        if not inner.prelude and not _as_declared(evaluator, parameter, term, node, inner):
            sound = False
        inner.bind(parameter.name, term)
    return sound


def _as_declared(
    evaluator: Evaluator, parameter: tree.Parameter, term: Term, node: tree.Call, inner: Scope
) -> bool:
    if isinstance(term, Poison) or parameter.annotation is None:
        return True
    if _kind(parameter.annotation) == "Int":
        found = evaluator.as_whole(term, node.span, f"the argument {parameter.name!r}")
        return not isinstance(found, Poison)
    wanted = declared(evaluator, parameter.annotation, inner)
    if not isinstance(wanted, tuple):
        return wanted is None
    value = evaluator.emission.real(term, node.span)
    if isinstance(value, Poison):
        return False
    if value.shape != wanted:
        evaluator.emission.complain(
            errors.argument_shape(node.span, parameter.name, text_of(wanted), text_of(value.shape))
        )
        return False
    return True


def _kind(annotation: tree.Expression | None) -> str:
    match annotation:
        case tree.Name(text) | tree.Index(tree.Name(text)):
            return text
        case _:
            return ""
