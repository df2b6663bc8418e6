"""The lines of a long function to the same with fewer names: what is no longer needed lends its own.

    t_1 = a*b                  c_1 = a*b
    t_2 = cos(t_1)             c_1 = cos(c_1)
    c_x = t_2*d + t_2          c_1 = c_1*d + c_1

Python numbers the names of a function, and takes a second step for each use of one beyond MOST; and a number whose
name is given away dies at once, so that the next one takes its place in memory. A function with fewer names keeps them
all: they say which value's derivative they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

MOST = 255  # names that an instruction of Python's machine has room for
_WORDS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|(?<![\w.])[^\W\d]\w*")
_ASSIGNED = re.compile(r"(\s+)([^\W\d]\w*) = ")


def with_names_again(lines: Sequence[str], own: Collection[str], indent: str) -> list[str]:
    """The lines of a function's body; `own` are the names that may be given away and taken again.

    Left alone are names that are assigned in a branch: which of its lines run is not known.
    """
    words = [() if line.lstrip().startswith("#") else tuple(_WORDS.findall(line)) for line in lines]
    targets = [_ASSIGNED.match(line) for line in lines]
    if len({target[2] for target in targets if target}) <= MOST:
        return list(lines)
    inner = {target[2] for target in targets if target and target[1] != indent}
    given = {target[2] for target in targets if target and target[2] in own} - inner
    last = {word: place for place, found in enumerate(words) for word in found if word in given}
    taken = {word for found in words for word in found}
    fresh = iter(
        sorted({f"c_{number}" for number in range(1, len(lines) + 1)} - taken, key=lambda one: int(one[2:]))
    )
    free: list[str] = []
    now: dict[str, str] = {}
    found: list[str] = []
    for place, line in enumerate(lines):
        target = targets[place]
        name = target[2] if target and target[2] in given else None
        read = line[target.end() :] if target and name else line
        if words[place]:
            read = _WORDS.sub(lambda match: now.get(match[0], match[0]), read)
        free.extend(
            now[word]
            for word in sorted({word for word in words[place] if last.get(word) == place} & now.keys())
        )
        if target and name:
            if name not in now or last[name] == place:
                now[name] = free.pop() if free else next(fresh)
            read = f"{indent}{now[name]} = {read}"
        found.append(read)
    return found
