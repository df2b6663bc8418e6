"""A program and the rules asked for with --tie -> a sentence for each rule that the program has no use for.

    max(v) of an array under --tie max=first    this program has reduce_max, not max

A rule is keyed by the operation as written, so one that is right for another program may say nothing in this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cfcompiler import ties
from cfcompiler.ir import Apply, Met, Program
from cfcompiler.primitives import TABLE

_MOST_NAMED = 8
_POWERS = ("ipow", "rpow", "pow")
_OF_TWO = "a number, first, last, split, all, or two weights"
_OF_MANY = "first, last, split, all, or a weight for each"


def idle_rules(program: Program, overrides: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each of `overrides`, all known rules, that changes nothing in a program that was lowered."""
    formulas = {
        item.op
        for item in program.instructions
        if isinstance(item, Apply) and (item.op in _POWERS or TABLE[item.op].singular is not None)
    }
    has = program.met | {("formula", op) for op in formulas}
    preset = ties.load_preset(program.preset.split(",")[0])
    for name, value in overrides.items():
        if name != "modes" and not has & _set_by(preset, name, value):
            yield f"--tie {name}={value} has no use here: {_what_there_is(has, name, value)}"


def _set_by(preset: ties.Rules, name: str, value: str) -> set[Met]:
    """What one rule sets: max=first the max of two and of many, max=1/2 that of two alone."""
    after = ties.override(preset, name, value)
    found = {("formula", op) for op in (_POWERS if name == "pow" else (name,))}
    if after.kinks.get(name) is not preset.kinks.get(name):
        found.add(("kink", name))
    found |= {
        ("reduction", one) for one, rule in after.reductions.items() if rule is not preset.reductions[one]
    }
    if name == "where":
        found.add(("where", name))
    return found


def _what_there_is(has: frozenset[Met], name: str, value: str) -> str:
    if ("kink", name) in has:
        return f"the {name} of this program is of two arguments, and takes {_OF_TWO}"
    if ("reduction", name) in has:
        return f"the {name} of this program is of more than two arguments, and takes {_OF_MANY}"
    names = sorted({one for _, one in has})
    if not names:
        return "this program has no operation with a tie rule"
    near = [one for one in names if name in one.split("_") or one in name.split("_")] or names
    shown = [*near[:_MOST_NAMED], *(["..."] if near[_MOST_NAMED:] else [])]
    return f"this program has {', '.join(shown)}, not {name}"
