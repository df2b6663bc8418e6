"""grammar/cf.lark to its two parsers: of a whole file, and of one logical line by itself.

The tree is built while the parser reduces, so there is no intermediate one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from lark import Lark
from lark.exceptions import LarkError, VisitError
from lark.indenter import DedentError, Indenter

import cfcompiler
from cfcompiler.language import tree
from cfcompiler.language.literals import SyntaxMistake
from cfcompiler.language.tree_builder import TreeBuilder


def whole(text: str) -> tree.File | None:
    """The tree of a file; None where it has a mistake."""
    text = text if text.endswith("\n") else text + "\n"
    try:
        with _mistakes_unwrapped():
            file = _parser().parse(text.removeprefix("\ufeff"), start="file")
    except (LarkError, DedentError, SyntaxMistake):
        return None
    assert isinstance(file, tree.File)
    return None if _mixes_indentation(text) else file


def line(text: str) -> None:
    """Parse one logical line by itself. Raises LarkError, SyntaxMistake or DedentError where it is wrong."""
    with _mistakes_unwrapped():
        _parser().parse(text, start="line")


def _mixes_indentation(text: str) -> bool:
    if "\t" not in text:
        return False
    lines = [row for row in text.split("\n") if row.strip() and not row.lstrip().startswith("#")]
    return any(row.startswith("\t") for row in lines) and any(row.startswith(" ") for row in lines)


@contextmanager
def _mistakes_unwrapped() -> Iterator[None]:
    try:
        yield
    except VisitError as error:
        if isinstance(error.orig_exc, SyntaxMistake):
            raise error.orig_exc from None
        raise


class _Indentation(Indenter):
    """Indentation to tokens; inside brackets there is none."""

    NL_type = "_NEWLINE"
    OPEN_PAREN_types: ClassVar[list[str]] = ["LPAR", "LSQB"]
    CLOSE_PAREN_types: ClassVar[list[str]] = ["RPAR", "RSQB"]
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 8


def grammar_path() -> Path:
    """grammar/cf.lark: inside the package (a wheel), or beside it (the source tree)."""
    package = Path(cfcompiler.__file__).parent
    for folder in (package, package.parent):
        path = folder / "grammar" / "cf.lark"
        if path.is_file():
            return path
    raise FileNotFoundError("grammar/cf.lark is neither in the package nor beside it")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(
        grammar_path().read_text(encoding="utf-8"),
        parser="lalr",
        lexer="basic",
        postlex=_Indentation(),
        start=["file", "line"],
        maybe_placeholders=True,
        transformer=TreeBuilder(),
    )
