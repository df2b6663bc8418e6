"""The parsers of the command line -> tables of arguments and options."""

from __future__ import annotations

import argparse

from cfcompiler.options import parser
from generate.markdown import code, plain, table


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, in the order of `cfc --help`."""
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("cfc has commands")


def overview() -> str:
    """Every command with the line that `cfc --help` says of it."""
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {item.dest: item.help or "" for item in action._choices_actions}
            return table(
                ("command", "what it does"),
                [(code(f"cfc {name}"), plain(text)) for name, text in helps.items()],
            )
    raise AssertionError("cfc has commands")


def options(name: str) -> str:
    """The arguments and options of one command."""
    rows = []
    for action in commands()[name]._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        rows.append((code(_spelling(action)), plain(_help(action))))
    return table(("argument", "meaning"), rows)


def _spelling(action: argparse.Action) -> str:
    """`--tie NAME=VALUE`, `-o FILE`, or the name of an argument."""
    value = action.metavar if isinstance(action.metavar, str) else ""
    if action.choices is not None and action.nargs != 0:
        value = "|".join(str(choice) for choice in action.choices)
    if not action.option_strings:
        return value + (" ..." if action.nargs in ("*", "+") else "")
    spelled = ", ".join(action.option_strings)
    return spelled if action.nargs == 0 else f"{spelled} {value}"


def _help(action: argparse.Action) -> str:
    text = action.help or ""
    repeated = isinstance(action, argparse._AppendAction) and "NAME" in str(action.metavar)
    return text % {"default": action.default, "prog": "cfc"} + (" (may be repeated)" if repeated else "")
