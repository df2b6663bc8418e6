"""Two functions of one text -> whether they return the same for all inputs, and how that is known.

Four ways, the first that answers: they are the same operations (same_function.py); on every stratum of the two
together they are equal (strata of "one == other"); no real numbers satisfy the formulas of both and differ
(value_formulas.py); they are equal at some exact points, which proves nothing and may refute.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.analyses.at import nested
from cfcompiler.analyses.same_function import FunctionNumbers
from cfcompiler.analyses.strata import strata_of
from cfcompiler.analyses.strata_question import question_of
from cfcompiler.analyses.value_formulas import NoFormula, value_formulas
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.errors import CFError
from cfcompiler.feasibility.conditions import Budget, Constraint
from cfcompiler.feasibility.solver import Unknown, solve
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.language import read
from cfcompiler.number_text import to_text
from cfcompiler.numbers import Exact, is_special
from cfcompiler.polynomials import TooManyTerms, constant
from cfcompiler.report import Row
from cfcompiler.report.rewriting import SameValues
from cfcompiler.source import Source
from cfcompiler.transforms.scalarize import TooManyScalars, scalarize
from cfcompiler.verify import verify

# Steps from the point, in exact numbers; the coordinates take them in turn, so that they do not move together.
STEPS = tuple(Fraction(text) for text in "0 1/2 -1/2 1 -1 2 -3 1/3 -5/7 11/4 -1/1000 1/1000".split())
SECONDS = 10.0
_BOTH = "both_functions_"
Point = Mapping[str, Any]  # name -> array of exact numbers


@dataclass(frozen=True, slots=True)
class Pair:
    """Two functions of a text, with the same inputs; `where`: a condition in the inputs, "" for everywhere."""

    source: Source
    one: str
    other: str
    where: str = ""

    def program(self, name: str) -> Program:
        """One of them. Raises CFError."""
        return verify(read(self.source.text, self.source.path, function=name, static={}, overrides={}))

    def together(self, result: str) -> Program:
        """A function of both, `result` with {one} and {other}; where `where` does not hold it is not defined."""
        node = _definition(self.source.text, self.one)
        names = ", ".join(argument.arg for argument in node.args.args)
        body = result.format(one=f"{self.one}({names})", other=f"{self.other}({names})")
        lines = [self.source.text, "", f"def {_BOTH}({ast.unparse(node.args)}):"]
        lines += [f'    assert {self.where}, "where they are compared"'] if self.where else []
        lines += [f"    return {body}", ""]
        text = "\n".join(lines)
        return verify(read(text, self.source.path, function=_BOTH, static={}, overrides={}))


def same_values(pair: Pair, point: Point, seconds: float = SECONDS) -> SameValues:
    """Whether `pair.one` and `pair.other` return the same, the exact points chosen round `point`. Raises CFError."""
    one, other = pair.program(pair.one), pair.program(pair.other)
    met = points(pair, point)
    equal = 0
    for place in met:
        values = _values(one, place), _values(other, place)
        code = _compared(*values)
        if code is False:
            return _refuted(pair, place, values)
        equal += code is True
    count = FunctionNumbers()
    if not pair.where and count.of(one) == count.of(other):
        return SameValues("proved", "operations", equal)
    strata = _strata_agree(pair, seconds)
    if strata:
        return SameValues("proved", "strata", equal, strata, where=pair.where)
    reason = _algebra_agrees(pair, seconds)
    if not reason:
        return SameValues("proved", "algebra", equal, where=pair.where)
    return SameValues("undecided", "points", equal, where=pair.where, reason=reason)


def points(pair: Pair, point: Point, scale: Fraction = Fraction(1)) -> list[dict[str, Any]]:
    """`point` and others round it, in exact numbers, at which the functions are defined and `where` holds."""
    both = pair.together("{one}")
    return [place for place in _round(both, point, scale) if _defined(both, place)]


def is_least(program: Program, point: Point, seconds: float) -> bool:
    """Whether it is proved that the program returns nothing less than at `point`."""
    least = _values(program, point)
    if least is None or len(least) != 1 or not isinstance(least[0], Fraction):
        return False
    try:
        told = value_formulas(scalarize(program))
    except (NoFormula, TooManyTerms, TooManyScalars):
        return False
    below = constant(told.variables, least[0]) - told.results[0]
    found = solve([*told.formulas, Constraint(below, ">")], told.variables, Budget(seconds).start())
    return found == "unsat"


def difference(pair: Pair, point: Point) -> Exact | None:
    """one - other at a point; None where one of them is no number. Raises CFError."""
    left, right = _values(pair.program(pair.one), point), _values(pair.program(pair.other), point)
    if left is None or right is None or any(map(is_special, (*left, *right))):
        return None
    return numbers.sub(left[0], right[0])


# exact points


def _round(program: Program, point: Point, scale: Fraction) -> Iterator[dict[str, Any]]:
    moving = {param.value.name for param in program.params if param.differentiable}
    for turn in range(len(STEPS)):
        place, number = {}, 0
        for param in program.params:
            name = param.value.name
            moved = np.array(point[name], dtype=object)
            for entry in np.ndindex(moved.shape) if name in moving else ():
                step = STEPS[(turn * (1 + number)) % len(STEPS)] * scale
                moved[entry] = numbers.add(moved[entry], step)
                number += 1
            place[name] = moved
        yield place


def _defined(program: Program, place: Point) -> bool:
    try:
        values = run(program, place, EXACT)
    except (Undecided, numbers.Undecided):
        return False
    return all(bool(np.all(values.get(item.condition.name, True))) for item in program.assertions)


def _values(program: Program, place: Point) -> tuple[Exact, ...] | None:
    """The results, one after another; None where they are not decided."""
    try:
        values = run(program, place, EXACT)
    except (Undecided, numbers.Undecided):
        return None
    return tuple(entry for result in program.results for entry in np.reshape(values[result.name], -1))


def _compared(left: tuple[Exact, ...] | None, right: tuple[Exact, ...] | None) -> bool | None:
    """Whether they are equal; None where that is not decided, or one of them is no real number."""
    if left is None or right is None or any(map(is_special, (*left, *right))):
        return None
    codes = [numbers.compare(x, y) for x, y in zip(left, right, strict=True)]
    if any(code not in (0, None) for code in codes):
        return False
    return True if None not in codes else None


def _refuted(pair: Pair, place: Point, values: tuple[tuple[Exact, ...] | None, ...]) -> SameValues:
    left, right = (", ".join(map(to_text, value or ())) for value in values)
    witness: Row = {name: nested(entries) for name, entries in place.items()}
    return SameValues("refuted", "points", 0, where=pair.where, witness=witness, values=(left, right))


# all inputs


def _strata_agree(pair: Pair, seconds: float) -> int:
    """On how many strata they are equal; 0 where not all strata are known, or on one of them they may differ."""
    try:
        program = pair.together("1 if {one} == {other} else 0")
    except CFError:  # results that are compared entry by entry
        return 0
    if not all(param.differentiable for param in program.params):
        return 0
    report = strata_of(program, question_of(program, seconds=seconds))
    if not report.complete or not report.guards:
        return 0
    last = report.guards[-1]
    signs = [stratum.signs.get(last.id) for stratum in report.strata]
    return len(signs) if signs and all(sign == 0 for sign in signs) else 0


def _algebra_agrees(pair: Pair, seconds: float) -> str:
    """Nothing where it is proved, else why it is not."""
    try:
        told = value_formulas(scalarize(pair.together("{one} - {other}")))
        formulas = [*told.formulas, *(Constraint(result, "!=") for result in told.results)]
        if len(told.results) != 1:
            return "the functions return more than one number"
        found = solve(formulas, told.variables, Budget(seconds).start())
    except NoFormula as problem:
        return f"real algebra does not know {problem}"
    except (TooManyTerms, TooManyScalars) as problem:
        return str(problem)
    if found == "unsat":
        return ""
    return found.reason if isinstance(found, Unknown) else "more would have to be known of its functions"


def _definition(text: str, name: str) -> ast.FunctionDef:
    """The definition of a function; a `.cf` file reads as Python."""
    found = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name]
    return found[-1]
