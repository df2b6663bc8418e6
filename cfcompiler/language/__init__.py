"""str to Program: the front-end of `.cf` files.

text -> parser -> tree -> checker, lowering -> Program
"""

from __future__ import annotations

from collections.abc import Mapping

from cfcompiler import errors, ties
from cfcompiler.errors import CFError
from cfcompiler.ir import Program
from cfcompiler.language.calls import callables
from cfcompiler.language.idle_rules import idle_rules
from cfcompiler.language.lowering import lower, ties_of
from cfcompiler.language.parser import decode, parse, recover
from cfcompiler.source import NOWHERE, Source

__all__ = ["callables", "decode", "idle_rules", "lower", "parse", "read", "recover", "ties_of"]

_GATES = "after it may stand a gate, :mul or :select"


def read(
    text: str | bytes,
    path: str,
    *,
    function: str | None = None,
    static: Mapping[str, int] | None = None,
    preset: str | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Program:
    """The program of a text. Raises CFError with everything that is wrong with it.

    `path` is for messages, and where `load` looks for files. `preset`: the file's own `ties = "..."`, else the
    default. Unknown presets and rules are complaints like any other.
    """
    source = decode(text, path) if isinstance(text, bytes) else Source(text, path)
    file, syntax = recover(source)
    if file is None:
        raise CFError(syntax, source)
    named = ties_of(file)
    name, span = (
        (preset, NOWHERE)
        if preset is not None
        else named
        if named is not None
        else (ties.DEFAULT_PRESET, NOWHERE)
    )
    complaints = list(syntax)
    if name not in (*ties.preset_names(), "default"):
        complaints.append(errors.unknown_preset(span, name, ties.preset_names()))
        name = ties.DEFAULT_PRESET
    rules = ties.load_preset(name)
    for rule, value in (overrides or {}).items():
        try:
            rules = ties.override(rules, rule, value)
        except ties.TieError:
            known = ties.rule_names(rules)
            if rule not in known:
                complaints.append(errors.unknown_rule(rule, known))
            else:
                complaints.append(errors.bad_rule(rule, value, _taken(rules, rule)))
    return lower(file, source, rules=rules, function=function, static=static, syntax=tuple(complaints))


def _taken(rules: ties.Rules, rule: str) -> str:
    """What --tie takes for a rule, in words."""
    if rule == "where":
        return "select, mul or strong"
    if rule == "modes":
        return "one or separate"
    if rule in ties.ORDERING_WORDS:
        return " or ".join(ties.ORDERING_WORDS[rule])
    if rule in rules.kinks:
        return f"a weight such as 1/2, or first, last, split, all; {_GATES}"
    if rule in rules.reductions:
        return f"first, last, split, all, or a weight for each entry, as in 1/3,2/3; {_GATES}"
    return "a number, the slope at the tie"
