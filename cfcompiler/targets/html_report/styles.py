"""Verdict marks -> style rules: the colours of marks.py as variables and classes, on light, on dark, in print."""

from __future__ import annotations

from cfcompiler.targets.marks import ARTIFICIAL, MARKS, Mark

_ALL = (*MARKS.values(), ARTIFICIAL)


def mark_styles() -> str:
    """`--v-exact` and so on, and a class `v-exact` that has it as its colour."""
    light = _variables("light")
    dark = _variables("dark")
    rules = "\n".join(f".v-{_word(mark)}{{--mark:var(--v-{_word(mark)})}}" for mark in _ALL)
    return (
        f"\n:root{{{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}\n{rules}\n"
    )


def _word(mark: Mark) -> str:
    return mark.verdict.replace(" ", "-")


def _variables(ground: str) -> str:
    return ";".join(f"--v-{_word(mark)}:{mark.light if ground == 'light' else mark.dark}" for mark in _ALL)
