"""The words of verdicts -> a table, with the marks that terminal and plots use."""

from __future__ import annotations

from cfcompiler.report import VERDICTS
from cfcompiler.targets.marks import MARKS
from generate.markdown import table

MEANINGS = {
    "exact": "f is differentiable here and AD returns its gradient, tied or not",
    "inexact": "f is differentiable here, AD returns another vector, which still lies in the Clarke subdifferential: at cusps",
    "clarke": "f is not differentiable here; AD returns an element of the Clarke subdifferential",
    "spurious": "AD returns something outside the Clarke subdifferential: no mixture of gradients nearby",
    "undefined": "AD returns NaN or inf, or the program is not locally Lipschitz here; the reason is given",
    "discontinuous": "the program jumps here: there is no field to speak of",
    "unknown": "not decided; the reason is given. An answer is never guessed",
}


def verdicts() -> str:
    """Each word with its mark."""
    return table(("word", "meaning"), [(marked(word), MEANINGS[word]) for word in VERDICTS])


def marked(word: str) -> str:
    """A verdict as the site writes it."""
    return f'<span class="verdict {word}">{MARKS[word].symbol} {word}</span>'


def colours() -> str:
    """The style sheet of the verdicts, on a light and on a dark ground."""
    light = [f".verdict.{word} {{ color: {mark.light}; }}" for word, mark in MARKS.items()]
    dark = [
        f'[data-md-color-scheme="slate"] .verdict.{word} {{ color: {mark.dark}; }}'
        for word, mark in MARKS.items()
    ]
    return "\n".join([*light, *dark]) + "\n"
