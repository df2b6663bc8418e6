"""The entries of a function's lists by names of their own, in its first lines: those that its text has.

x_0, x_1, x_2 = x       all of them are used
w_1 = w[1]              only one of several
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

from cfcompiler.ir import Apply, Param, Program

WIDTH = 96  # characters of a line, without its indentation


def entries(program: Program) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The values that are entries of a parameter: which one, and where."""
    params = {param.value.name for param in program.params}
    places: dict[tuple[str, tuple[int, ...]], str] = {}
    for instruction in program.instructions:
        out = instruction.out
        if not isinstance(instruction, Apply) or instruction.op != "index" or out.shape or out.branch:
            continue
        if instruction.args[0].name in params:
            places.setdefault((instruction.args[0].name, instruction.attribute("key")), out.name)
    return {name: place for place, name in places.items()}


def unpacked(
    found: Mapping[str, tuple[str, tuple[int, ...]]],
    names: Mapping[str, str],
    params: Sequence[Param],
    lines: Sequence[str],
) -> list[str]:
    """The lines that give the entries `found` their names, as far as the `lines` of the function use them."""
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    words = set(re.findall(r"\w+", code))
    sizes = {param.value.name: param.value.shape[-1] for param in params if param.value.shape}
    rows: dict[tuple[str, tuple[int, ...]], dict[int, str]] = {}
    for value, (param, key) in found.items():
        if names[value] in words:
            rows.setdefault((param, key[:-1]), {})[key[-1]] = names[value]
    text: list[str] = []
    for (param, before), row in rows.items():
        source = names[param] + "".join(f"[{place}]" for place in before)
        if len(row) == sizes[param] > 1:
            text.extend(_all_of(source, [row[place] for place in range(len(row))]))
        else:
            text.extend(f"{name} = {source}[{place}]" for place, name in row.items())
    return text


def _all_of(source: str, names: Sequence[str]) -> list[str]:
    listed = ", ".join(names)
    if len(f"{listed} = {source}") <= WIDTH:
        return [f"{listed} = {source}"]
    inner = textwrap.wrap(listed, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return ["(", *inner, f") = {source}"]
