"""Names in block and array code: the program's own, but for those that the code needs itself."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

from cfcompiler.ir import Program

_RESERVED = re.compile(
    r"([tq]\d+r?|out\d+\w*|np|work|width|sure|table|bits|lambda|A_\w+|K(\d|_)\w*|PLACES_\w*|_\w*|ONE_BYTE)$"
)


@dataclass(frozen=True, slots=True)
class BlockCode:
    """Lines of a module: two functions and the plan that drivers._sweep takes."""

    plan: str
    lines: tuple[str, ...]


def safe_names(program: Program) -> dict[str, str]:
    """The names of the program's values, changed where the code needs them itself."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    values = [
        *(param.value for param in program.params),
        *(instruction.out for instruction in program.instructions),
    ]
    for value in values:
        name = re.sub(r"\W", "_", value.name)
        if _RESERVED.match(name) or keyword.iskeyword(name):
            name = f"v_{name}"
        while name in taken:
            name += "_"
        taken.add(name)
        names[value.name] = name
    return names
