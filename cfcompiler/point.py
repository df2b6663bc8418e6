"""`x=0 y=1/3 v=[0,1,1]` -> exact numbers for every input of a program, or the complaints about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler import errors
from cfcompiler.errors import CFError, Diagnostic
from cfcompiler.ir import Program, Shape
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import TooLarge
from cfcompiler.shapes import text_of

_MOST_SHOWN = 8  # entries of a row in an example


def point_of(program: Program, given: Mapping[str, Any]) -> dict[str, Any]:
    """An object array of exact numbers for every parameter.

    `given` maps input names to texts, numbers, or nested lists of them. Raises CFError with all that is wrong:
    unknown and missing inputs, wrong shapes, texts that are not numbers.
    """
    problems: list[Diagnostic] = []
    known = [param.value.name for param in program.params]
    problems.extend(errors.unknown_input(name, known) for name in given if name not in known)
    point: dict[str, Any] = {}
    for param in program.params:
        name, shape = param.value.name, param.value.shape
        if name not in given:
            problems.append(errors.missing_input(name, _example(shape)))
            continue
        found = _exact(name, given[name], problems)
        if found is None:
            continue
        if found.shape != shape:
            wanted = text_of(shape) if param.differentiable else text_of(shape).replace("Real", "Const")
            problems.append(errors.point_shape(name, wanted, text_of(found.shape), _example(shape)))
        point[name] = found
    if problems:
        raise CFError(problems, program.source)
    return point


def parse_arguments(program: Program, arguments: Sequence[str]) -> dict[str, Any]:
    """The point of command-line arguments NAME=VALUE. Raises CFError."""
    given: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for argument in arguments:
        name, sign, text = argument.partition("=")
        if not sign:
            problems.append(errors.bad_option(f"{argument!r} is not NAME=VALUE", "write x=0 y=1/3 v=[0,1,1]"))
        elif name.strip() in given:
            problems.append(errors.bad_option(f"the input {name.strip()} is given twice"))
        else:
            given[name.strip()] = text.strip()
    try:
        point = point_of(program, given)
    except CFError as error:
        problems.extend(error.diagnostics)
    if problems:
        raise CFError(problems, program.source)
    return point


def example_of(program: Program) -> str:
    """A point of a program as a command line writes it: `x=0 v=[0,0]`."""
    return " ".join(f"{param.value.name}={_example(param.value.shape)}" for param in program.params)


def _exact(name: str, given: Any, problems: list[Diagnostic]) -> Any:
    try:
        nested = _list(given) if isinstance(given, str) else _plain(given)
        entries = _entries(nested)
        found = np.empty(_shape(nested), dtype=object)
        for place, entry in zip(np.ndindex(found.shape), entries, strict=True):
            found[place] = parse_number(entry if isinstance(entry, str) else _text(entry))
    except (ValueError, TooLarge, RecursionError) as problem:
        problems.append(errors.bad_value(name, str(given), str(problem)))
        return None
    return found


def _example(shape: Shape) -> str:
    """Zeros as a point writes them, [[0,0],[0,0]]; of a long row the first two, and dots."""
    if not shape:
        return "0"
    size, row = shape[0], _example(shape[1:])
    return "[" + ",".join([row] * size if size <= _MOST_SHOWN else [row, row, "..."]) + "]"


def _plain(given: Any) -> Any:
    """NumPy arrays and numbers, and tuples, as lists and numbers of Python."""
    if isinstance(given, (np.ndarray, np.generic)):
        return given.tolist()
    if isinstance(given, (list, tuple)):
        return [_plain(entry) for entry in given]
    return given


def _text(entry: Any) -> str:
    if isinstance(entry, bool) or entry is None:
        raise ValueError("true, false and null are not numbers")
    return str(entry) if isinstance(entry, Fraction) else repr(entry)


def _list(text: str) -> Any:
    """The nested list of `[[0, 1], [1/2, 2]]`, or the text itself."""
    text = text.strip()
    if not text.startswith("["):
        return text
    if not text.endswith("]"):
        raise ValueError("a list ends with ]")
    parts: list[str] = []
    depth, start = 0, 1
    for place, letter in enumerate(text):
        depth += (letter in "[(") - (letter in "])")
        if depth == 0 and place != len(text) - 1:
            raise ValueError("the brackets do not match")
        if (letter == "," and depth == 1) or place == len(text) - 1:
            parts.append(text[start:place])
            start = place + 1
    if depth != 0:
        raise ValueError("the brackets do not match")
    if len(parts) == 1 and not parts[0].strip():
        return []
    return [_list(part) for part in parts]


def _shape(nested: Any) -> Shape:
    if not isinstance(nested, list):
        return ()
    shapes = {_shape(entry) for entry in nested}
    if len(shapes) > 1:
        raise ValueError("the rows of a list differ in length")
    return (len(nested), *(shapes.pop() if shapes else ()))


def _entries(nested: Any) -> list[Any]:
    if not isinstance(nested, list):
        return [nested]
    return [entry for part in nested for entry in _entries(part)]
