"""Public Python names -> their signatures and docstrings as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cached_property
from typing import Any

import cfcompiler
from cfcompiler.report import (
    CheckReport,
    ComparisonReport,
    Finding,
    Judged,
    PointReport,
    PresetRow,
    StrataReport,
    StratumReport,
)
from generate.markdown import block, table

# Methods of Compiled in the order in which a reader needs them; a test of the site's build finds those left out.
METHODS = (
    ("The function and its derivatives", ("value", "grad", "value_and_grad", "jvp", "vjp", "hvp", "hessian")),
    ("Ties", ("signature", "field", "lexicographic")),
    ("Questions", ("at", "compare", "strata", "check")),
    ("Pages and pictures", ("report", "plot", "picture")),
    (
        "Stages of the compiler",
        ("program", "forward", "backward", "gradient", "module", "emitted", "namespace", "second_order"),
    ),
)


def functions() -> str:
    """The public functions of the package."""
    names = ("compile", "compile_text", "compile_file", "program", "gradcheck")
    return "\n".join(_entry(f"cfcompiler.{name}", getattr(cfcompiler, name), 3) for name in names)


def reports() -> str:
    """What the questions answer: the classes, with their fields."""
    classes = (
        PointReport,
        Judged,
        ComparisonReport,
        PresetRow,
        StrataReport,
        StratumReport,
        CheckReport,
        Finding,
    )
    return "\n".join(_class(each) for each in (*classes, cfcompiler.GradcheckReport))


def _class(each: type[Any]) -> str:
    types = {field.name: str(field.type) for field in fields(each)}
    rows = [(f"`{name}`", f"`{text}`".replace("|", "\\|")) for name, text in types.items()]
    return f"### {each.__name__}\n\n{_paragraphs(inspect.getdoc(each) or '')}\n\n{table(('field', 'type'), rows)}"


def compiled() -> str:
    """What a compiled program has."""
    known = {name for _, names in METHODS for name in names}
    left_out = {name for name in dir(cfcompiler.Compiled) if not name.startswith("_")} - known - set(_FIELDS)
    parts = []
    for title, names in (*METHODS, ("More", tuple(sorted(left_out)))):
        if names:
            parts.append(f"### {title}\n\n" + "\n".join(_row(name) for name in names))
    return "\n".join(parts)


LONGEST = 100  # of a signature on one line
_FIELDS = ("program", "static")


def _row(name: str) -> str:
    if name in _FIELDS:
        return f"`.{name}`\n:   {FIELD_TEXTS[name]}\n"
    member = inspect.getattr_static(cfcompiler.Compiled, name)
    if isinstance(member, cached_property | property):
        function = member.func if isinstance(member, cached_property) else member.fget
        return f"`.{name}`\n:   {_indented(inspect.getdoc(function) or '')}\n"
    return f"`.{name}{_signature(member, wide=True)}`\n:   {_indented(inspect.getdoc(member) or '')}\n"


FIELD_TEXTS = {
    "program": "The representation; [cfc compile --emit ir](commands/compile.md) prints it.",
    "static": "The values of `Int` inputs that it was compiled for.",
}


def _entry(name: str, member: Callable[..., Any], level: int) -> str:
    signature = f"{name.rpartition('.')[2]}{_signature(member)}"
    return (
        f"{'#' * level} {name}\n\n{block(signature, 'python')}\n{_paragraphs(inspect.getdoc(member) or '')}\n"
    )


def _signature(member: Callable[..., Any], *, wide: bool = False) -> str:
    """Without self; a parameter a line where it is long and not `wide`."""
    signature = inspect.signature(member)
    parts: list[str] = []
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        star = "*" * (parameter.kind is parameter.VAR_POSITIONAL) + "**" * (
            parameter.kind is parameter.VAR_KEYWORD
        )
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        if name != "self":
            parts.append(f"{star}{name}: {parameter.annotation}{default}")
    line = f"({', '.join(parts)}) -> {signature.return_annotation}"
    if wide or len(line) <= LONGEST:
        return line
    return "(\n" + "".join(f"    {part},\n" for part in parts) + f") -> {signature.return_annotation}"


def _paragraphs(text: str) -> str:
    """A docstring as Markdown; lines that explain one name each become a list."""
    return "\n".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    listed = False
    for line in text.replace("<", "&lt;").splitlines():
        named = re.match(r"(\w+(?:, \w+)*): ", line)
        if named is not None:
            yield from () if listed else ("",)
            yield f"- `{named[1]}`: {line[named.end() :]}"
        else:
            yield line
        listed = named is not None or (listed and line.startswith(" "))


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ").replace("<", "&lt;")
