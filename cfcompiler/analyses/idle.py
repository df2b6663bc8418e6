"""Program, StrataReport -> guards that always decide alike, and operations that never influence the result.

The program is run at the witness of every stratum: on a stratum all conditions are constant, so where the
stratification is complete this is a proof. Operations that stand in one place (in a function that is called twice, in
a loop) are one operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cfcompiler.analyses import finding_texts as texts
from cfcompiler.analyses.sites import Places, View, names_of, needed_values, place_of
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select
from cfcompiler.primitives import COMPARISONS
from cfcompiler.report import Finding, StrataReport
from cfcompiler.source import NOWHERE, Span
from cfcompiler.verify import arguments

_LOGICAL = ("logical_and", "logical_or", "logical_not")
_WORDS = {1: "greater than", -1: "less than", 0: "equal to"}


@dataclass(slots=True)
class _Seen:
    """What was seen on the strata: by place, the truth values of conditions and the signs of kinks."""

    truths: dict[Span, set[bool]] = field(default_factory=dict)
    signs: dict[Span, set[int]] = field(default_factory=dict)


def idle(view: View) -> Iterator[Finding]:
    """CF108 and CF109. What rests on all strata is said only where the stratification is complete."""
    program, report = view.program, view.report
    constant: list[Span] = []
    if report.complete and report.strata:
        seen = _seen(view)
        if seen is None:
            reason = "whether a guard is always or never true: at the point of a stratum it was not decided"
            yield texts.undecided((Places(view).whole(),), (), reason)
        else:
            yield from _constant_guards(program, report, seen, constant)
    # a product with 0 is no constant where the other factor may be infinite
    finite = report.complete and not any(stratum.verdict == "undefined" for stratum in report.strata)
    yield from _dead(program, finite)


def _seen(view: View) -> _Seen | None:
    """None where that was not decided at some witness."""
    seen = _Seen()

    def watch(instruction: Instruction, values: Mapping[str, Any]) -> None:
        if _is_condition(instruction):
            flat = np.reshape(values[instruction.out.name], -1)
            seen.truths.setdefault(instruction.span, set()).update(map(bool, flat))
        elif isinstance(instruction, Kink):
            left, right = values[instruction.left.name], values[instruction.right.name]
            codes = np.reshape(EXACT.compare(left, right), -1)
            seen.signs.setdefault(instruction.span, set()).update(map(int, codes))

    open_ = {item.span for item in view.program.instructions if _is_condition(item) or isinstance(item, Kink)}
    missing = False
    for stratum in sorted(view.report.strata, key=lambda item: -item.dimension):
        point = view.point(stratum.witness)
        if point is None:
            missing = True
            continue
        try:
            run(view.program, point, EXACT, watch)
        except Undecided:
            return None
        open_ = {
            span for span in open_ if len(seen.truths.get(span, ())) < 2 and len(seen.signs.get(span, ())) < 2
        }
        if not open_:
            break  # nothing is constant, whatever the other strata say
    return None if missing and open_ else seen


def _is_condition(instruction: Instruction) -> bool:
    if isinstance(instruction, Apply) and instruction.op not in (*COMPARISONS, *_LOGICAL):
        return False
    return instruction.out.kind == "bool"


def _constant_guards(
    program: Program, report: StrataReport, seen: _Seen, constant: list[Span]
) -> Iterator[Finding]:
    """Conditions of the user that have one truth value, kinks whose switch has one sign."""
    where = " in the box" if report.box is not None else ""
    guards = {(guard.line, guard.column, guard.op): guard for guard in report.guards}
    assumed = _assumed(program)
    for instruction in program.instructions:
        span = instruction.span
        if span == NOWHERE or span in assumed or any(_holds(span, inner) for inner in constant):
            continue
        place = place_of(span, "")
        truths, signs = seen.truths.get(span, set()), seen.signs.get(span, set())
        if isinstance(instruction, Kink) and len(signs) == 1:
            (sign,) = signs
            guard = guards.get((span.line, span.column, instruction.tie.name))
            if sign in _WORDS and guard is not None:
                message = f"{guard.op} never chooses: {guard.expr} is always {_WORDS[sign]} 0{where}"
                yield texts.constant_guard(place, message)
                constant.append(span)
        elif _is_condition(instruction) and len(truths) == 1 and _written(program, instruction):
            (truth,) = truths
            yield texts.constant_guard(place, f"this condition is {_always(truth)} true{where}")
            constant.append(span)


def _assumed(program: Program) -> set[Span]:
    """Where the conditions stand that only assertions rest on: they are true on all strata."""
    assumed = {assertion.condition.name for assertion in program.assertions}
    used = {value.name for value in program.results}
    found = set()
    for instruction in reversed(program.instructions):
        if instruction.out.name in used:
            used.update((*names_of(instruction), *(guard for guard, _ in instruction.out.branch)))
        elif instruction.out.name in assumed and instruction.out.kind == "bool":
            assumed.update(names_of(instruction))
            found.add(instruction.span)
    return found


def _holds(outer: Span, inner: Span) -> bool:
    """Whether `inner` stands within `outer`."""
    begins = (outer.line, outer.column) <= (inner.line, inner.column)
    return begins and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


def _always(truth: bool) -> str:
    return "always" if truth else "never"


def _written(program: Program, condition: Instruction) -> bool:
    """Whether the user wrote the condition: one inside a function of the language stands where its choice does."""
    choices = (
        item for item in program.instructions if isinstance(item, Select | Kink) and item.out.kind == "real"
    )
    return not any(item.span == condition.span for item in choices)


# what never matters


def _dead(program: Program, finite: bool) -> Iterator[Finding]:
    """Operations that no result and no assertion needs: of each chain the last.

    What stands in a branch that is never taken is told with the condition of the branch.
    """
    needed = needed_values(program, finite=finite)
    alive = {item.span for item in program.instructions if item.out.name in needed}
    inner = {name for item in program.instructions if item.out.name not in needed for name in names_of(item)}
    told: set[Span] = set()
    for instruction in program.instructions:
        span, name = instruction.span, instruction.out.name
        idle_ = name not in needed and name not in inner and bool(arguments(instruction))
        if idle_ and span != NOWHERE and span not in alive and span not in told:
            told.add(span)
            yield texts.dead(place_of(span, ""), "the result does not depend on this")
