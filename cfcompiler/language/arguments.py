"""The arguments of a call to terms by parameter name, or to a complaint that shows the signature."""

from __future__ import annotations

from cfcompiler import errors
from cfcompiler.language import tree
from cfcompiler.language.emission import Emission
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.terms import Poison, Scope, Term


def matched(
    evaluator: Evaluator,
    node: tree.Call,
    scope: Scope,
    function: str,
    parameters: tuple[str, ...],
    optional: frozenset[str],
    signature: str,
) -> dict[str, Term] | None:
    """Terms by parameter name; parameters left out are missing from it. None after a complaint."""
    terms: dict[str, Term] = {}
    sound = True
    for index, argument in enumerate(node.arguments):
        term = evaluator.term(argument, scope)
        if index < len(parameters):
            terms[parameters[index]] = term
    if len(node.arguments) > len(parameters):
        what = f"takes {len(parameters)} argument{'s' * (len(parameters) != 1)}, not {len(node.arguments)}"
        wrong_arguments(evaluator.emission, node, function, what, signature)
        return None
    for keyword in node.keywords:
        term = evaluator.term(keyword.value, scope)
        if keyword.name not in parameters:
            what, sound = f"has no parameter {keyword.name!r}", False
        elif keyword.name in terms:
            what, sound = f"gets {keyword.name!r} twice", False
        else:
            terms[keyword.name] = term
            continue
        evaluator.emission.complain(errors.wrong_arguments(keyword.span, repr(function), what, signature))
    missing = [parameter for parameter in parameters if parameter not in terms and parameter not in optional]
    if missing and sound:
        wrong_arguments(
            evaluator.emission, node, function, "misses " + ", ".join(map(repr, missing)), signature
        )
    return terms if sound and not missing else None


def of_function(
    evaluator: Evaluator, function: tree.Function, node: tree.Call, scope: Scope
) -> dict[str, Term] | None:
    """The arguments of a function written in the language."""
    names = tuple([parameter.name for parameter in function.parameters])
    optional = frozenset([item.name for item in function.parameters if item.default is not None])
    return matched(evaluator, node, scope, function.name, names, optional, _signature(function))


def wrong_arguments(emission: Emission, node: tree.Call, function: str, what: str, signature: str) -> Poison:
    return emission.complain(errors.wrong_arguments(node.span, repr(function), what, signature))


def _signature(function: tree.Function) -> str:
    shown = [item.name + ("" if item.default is None else "=...") for item in function.parameters]
    return f"{function.name}({', '.join(shown)})"
