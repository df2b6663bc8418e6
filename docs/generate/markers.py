"""`<!-- generated: smooth -->` in a page -> the table or the picture that is meant."""

from __future__ import annotations

import re
from collections.abc import Callable

from generate import api, commands, frameworks, functions, pictures
from generate.verdicts import verdicts

MARKER = re.compile(r"^<!-- generated: (?P<name>[^\n]+?) -->$", re.MULTILINE)
TABLES: dict[str, Callable[[], str]] = {
    "operators": functions.operators,
    "smooth": functions.smooth,
    "singular": functions.singular,
    "steps": functions.steps,
    "piecewise": functions.piecewise,
    "prelude": functions.prelude_texts,
    "builtins": functions.builtins,
    "ties of reductions": functions.reduction_ties,
    "commands": commands.overview,
    "presets": frameworks.versions,
    "verdicts": verdicts,
    "python functions": api.functions,
    "python compiled": api.compiled,
    "python reports": api.reports,
}


def expanded(text: str) -> str:
    """A page with its tables. Raises KeyError for a marker that means nothing."""
    return MARKER.sub(lambda found: _meant(text, found["name"]), text)


def _meant(page: str, name: str) -> str:
    if name.startswith("options "):
        return commands.options(name.removeprefix("options "))
    if name.startswith("picture "):
        return pictures.picture(page, name.removeprefix("picture "))
    return TABLES[name]()
