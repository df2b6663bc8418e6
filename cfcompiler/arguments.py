"""Words of a command line -> pairs, integers, complaints: what the commands share before they know a program."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import NoReturn

from cfcompiler import errors
from cfcompiler.errors import CFError, Diagnostic
from cfcompiler.source import Source


def wrong(message: str, hint: str = "") -> CFError:
    """A complaint about the command line."""
    return failed(errors.bad_option(message, hint))


def failed(diagnostic: Diagnostic) -> CFError:
    """A complaint that has no place in a program."""
    return CFError([diagnostic], Source("", "cfc"))


def pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """NAME=VALUE arguments; the last one counts. Raises CFError."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise wrong(f"{option} takes NAME=VALUE, not {text!r}")
        found[name.strip()] = value.strip()
    return found


def add_region(parser: argparse.ArgumentParser) -> None:
    """--box and --fix: which inputs are looked at."""
    for option, shape, text in (
        ("--box", "NAME=LOW:HIGH", "an open interval; of an array, for all entries; of an entry: v[0]=-1:1"),
        ("--fix", "NAME=VALUE", "an input or an entry (v[0]) that does not move"),
    ):
        parser.add_argument(option, action="append", default=[], metavar=shape, help=text)


def static(texts: Iterable[str]) -> dict[str, int]:
    """The values of --static. Raises CFError."""
    try:
        return {name: int(value) for name, value in pairs("--static", texts).items()}
    except ValueError:
        raise wrong("--static takes integers, as in --static n=5") from None


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are diagnostics like all others."""

    def error(self, message: str) -> NoReturn:
        choice = re.search(r"invalid choice: '?([^' ]+)'? \(choose from (.*)\)", message)
        meant = errors.nearest(choice.group(1), re.findall(r"[\w-]+", choice.group(2))) if choice else ""
        if meant and choice:
            what = "command" if "COMMAND" in message else "choice"
            raise wrong(f"there is no {what} {choice.group(1)!r}", f"did you mean {meant!r}?")
        raise wrong(message, f"`{self.prog} --help` says more")
