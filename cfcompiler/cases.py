"""Lines of cases -> lines of answers: what `cfc at --jsonl` does, thousands in one process.

A case is {"id", "source", "point", "ties"}: `source` is the text of a program or the path of one (the program of the
command line if absent), `function` picks one of its functions, `static` gives its Int inputs; `ties` is a preset or a
map of rules, over the preset that "preset" names in it, else the file's own or the default. Any other key is an error
of its case. Numbers in JSON are exact: 0.1 is 1/10. Every case gets its answer, in order; a case that fails, and a
line that is no case, gets an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cfcompiler import errors
from cfcompiler.analyses.at import at
from cfcompiler.analyses.landscape import USUAL, Effort
from cfcompiler.arguments import failed
from cfcompiler.compiler import Compiled, compile_file, compile_text
from cfcompiler.errors import CFError
from cfcompiler.point import point_of
from cfcompiler.source import NOWHERE, Source, Span
from cfcompiler.targets.json_report import dumps, error_json, point_json

_CONSTANTS = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
_KEYS = ("id", "source", "function", "static", "point", "ties")
# Compiled programs that are kept: cases often differ in the point alone.
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a case that does not say gets: the command line's program, rules and budget, and float64 where asked for."""

    compile: Callable[[str | None, Mapping[str, str]], Compiled] | None
    preset: str | None
    overrides: Mapping[str, str]
    effort: Effort = USUAL
    floats: bool = False


@dataclass(slots=True)
class Answers:
    """The answers, one a case; `bugs` counts the cases on which the compiler itself failed."""

    defaults: Defaults
    bugs: int = 0
    _programs: dict[str, Compiled] = field(default_factory=dict)

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Answer `lines`; blank ones are passed over, and the mark that some editors put before UTF-8 text."""
        for number, line in enumerate(lines, 1):
            case = line.removeprefix("\ufeff") if number == 1 else line
            if case.strip():
                yield dumps(self._answer(case, number))

    def _answer(self, line: str, number: int) -> dict[str, Any]:
        name: Any = None
        try:
            case = _case(line, number)
            name = case.get("id")
            _known_keys(case)
            if not isinstance(case.get("point", {}), dict):
                raise _wrong("the point of a case is a map from inputs to numbers")
            program = self._program(case).program
            point = point_of(program, case.get("point", {}))
            defaults = self.defaults
            report = at(program, point, program.preset, defaults.effort, floats=defaults.floats)
            return {"id": name, **point_json(report)}
        except CFError as error:
            return {"id": name, "error": error_json(error)}
        except MemoryError:
            return {"id": name, "error": error_json(failed(errors.no_memory()))}
        except Exception as problem:  # one case must not end the others; main says that it is a bug
            self.bugs += 1
            message = f"a bug of cfc: {type(problem).__name__}: {problem}"
            return {"id": name, "error": {"code": "CF000", "message": message, "line": None, "column": None}}

    def _program(self, case: Mapping[str, Any]) -> Compiled:
        key = json.dumps([case.get(name) for name in ("source", "function", "static", "ties")])
        if key not in self._programs:
            if len(self._programs) >= _KEPT:
                del self._programs[next(iter(self._programs))]
            self._programs[key] = self._compiled(case)
        return self._programs[key]

    def _compiled(self, case: Mapping[str, Any]) -> Compiled:
        source = case.get("source")
        preset, overrides = self._ties(case.get("ties"))
        if source is None and self.defaults.compile is not None:
            return self.defaults.compile(preset, overrides)
        if not isinstance(source, str):
            raise _wrong("a case has a source: the text of a program, or its path")
        function, static = case.get("function"), case.get("static", {})
        if not isinstance(function, str | None) or not isinstance(static, dict):
            raise _wrong("the function of a case is a name, its static inputs a map")
        options: dict[str, Any] = {
            "function": function,
            "static": {name: _integer(name, value) for name, value in static.items()},
            "preset": preset,
            "overrides": overrides,
        }
        if any(mark in source for mark in ("\n", "def ", "\0")):
            return compile_text(source, str(case.get("id", "<case>")), **options)
        return compile_file(source, **options)

    def _ties(self, ties: Any) -> tuple[str | None, Mapping[str, str]]:
        match ties:
            case None:
                return self.defaults.preset, self.defaults.overrides
            case str():
                return ties, {}
            case dict():
                preset = ties.get("preset")
                if preset is not None and not isinstance(preset, str):
                    raise _wrong("the preset in the ties of a case is a name")
                return preset, {name: str(value) for name, value in ties.items() if name != "preset"}
        raise _wrong("the ties of a case are a preset's name or a map of rules")


def _known_keys(case: Mapping[str, Any]) -> None:
    """Raises CFError for a key that a case does not have: what it says would be passed over in silence."""
    for key in case:
        if key not in _KEYS:
            near = errors.nearest(key, _KEYS)
            meant = f"; did you mean {near!r}?" if near else ""
            raise _wrong(f"a case has no key {key!r}: it has {', '.join(_KEYS)}{meant}")


def _case(line: str, number: int) -> dict[str, Any]:
    """The case of a line. Raises CFError, placed in the file of cases."""
    try:
        case = json.loads(line, parse_float=str, parse_constant=_CONSTANTS.__getitem__)
    except json.JSONDecodeError as problem:
        place = Span(number, problem.colno, number, problem.colno + 1)
        raise _wrong(f"this line is not JSON: {problem.msg}", place) from None
    except ValueError:
        raise _wrong("a number of this line is too long", Span(number, 1, number, 2)) from None
    except RecursionError:
        raise _wrong("this line is nested too deeply", Span(number, 1, number, 2)) from None
    if not isinstance(case, dict):
        raise _wrong("a case is a JSON object", Span(number, 1, number, 2))
    return case


def _integer(name: str, value: Any) -> int:
    try:
        return int(str(value) if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        raise _wrong(f"the static input {name} is an integer, not {value!r}") from None


def _wrong(message: str, place: Span = NOWHERE) -> CFError:
    return CFError([replace(errors.bad_option(message), span=place)], Source("", "<cases>"))
