"""Functions of this package to their texts in a generated module: those that are needed, without their types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

_DEFINITION = re.compile(r"^( *)def (\w+)\(\s*(.*?),?\s*\)(?: -> [^\n]+)?:\n", re.MULTILINE | re.DOTALL)

_TYPE = r"[\w.]*\w(?:\[[\w.\[\], |]+\])?"


def needed_texts(lines: Sequence[str], functions: Mapping[str, Any]) -> list[str]:
    """The texts of those of `functions` that `lines` name, and of those that these name, in the order of the table."""
    sources = {name: inspect.getsource(function) for name, function in functions.items()}
    found: set[str] = set()
    waiting = ["\n".join(lines)]
    while waiting:
        for name in sorted(set(re.findall(r"\b_\w+\b", waiting.pop())) & sources.keys() - found):
            found.add(name)
            waiting.append(sources[name])
    return [without_types(sources[name]).rstrip("\n") for name in functions if name in found]


def without_types(source: str) -> str:
    """A function's text without its annotations."""
    source = re.sub(r"  # (type: ignore|noqa)[^\n]*", "", source)

    def bare(match: re.Match[str]) -> str:
        names = ", ".join(_bare(parameter) for parameter in _parameters(match[3]))
        return f"{match[1]}def {match[2]}({names}):\n"

    source = _DEFINITION.sub(bare, source)  # first: a parameter on a line of its own looks like an annotation
    source = re.sub(r"^( +[\w.]+): [^=\n]+ = ", r"\1 = ", source, flags=re.MULTILINE)
    # a line `name: type`; a docstring's line `out: an array to write to.` is none
    return re.sub(rf"^ +[\w.]+: {_TYPE}(?: \| {_TYPE})*\n", "", source, flags=re.MULTILINE)


def _parameters(text: str) -> list[str]:
    """Parameters with their types; commas inside brackets belong to a type."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]


def _bare(parameter: str) -> str:
    name, _, rest = parameter.partition(":")
    _, given, default = rest.rpartition(" = ")
    return f"{name}={default}" if given else name
