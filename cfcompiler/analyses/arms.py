"""Program -> its branches: the guards of its selects, where they select, and the comparisons on which they depend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cfcompiler.analyses.ties_here import deciding_comparisons
from cfcompiler.analyses.vertices import TooManyChoices
from cfcompiler.arithmetic import EXACT
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Branch, Kink, Program, Select, Value
from cfcompiler.primitives import COMPARISONS
from cfcompiler.verify import arguments

Point = Mapping[str, Any]


def tied_conditions(program: Program, point: Point) -> set[str]:
    """Comparisons that guard a branch, run at the point, and are ties there."""
    conditions = conditions_of(program, set(branches_of_guards(program)))
    tied: set[str] = set()

    def watch(instruction: Any, values: Mapping[str, Any]) -> None:
        if instruction.out.name in conditions:
            codes = EXACT.compare(*(values[arg.name] for arg in instruction.args))
            if np.any(codes == 0):
                tied.add(instruction.out.name)

    run(program, point, EXACT, watch)
    return tied


def branches_of_guards(program: Program) -> dict[str, Branch]:
    """The scalar guards of the selects of numbers, in program order, each with the branch in which it selects."""
    found: dict[str, Branch] = {}
    masks = _masks(program)
    for instruction in program.instructions:
        if isinstance(instruction, Select) and instruction.guard.name in masks:
            continue
        if isinstance(instruction, Select) and instruction.out.kind == "real" and not instruction.guard.shape:
            name, own = instruction.guard.name, instruction.out.branch
            found[name] = min(found.get(name, own), own, key=len)
    return found


def _masks(program: Program) -> frozenset[str]:
    """Comparisons that a function of the prelude makes for itself, and that are no choice of the program.

    Equalities that mark entries, as in the definition of a median; and what repeats the comparison of a kink of the
    same call, as in elu: the kink chooses between the pieces, the mask only keeps the other one from overflowing.
    """
    words = deciding_comparisons(program)
    comparing = [i for i in program.instructions if isinstance(i, Apply) and i.op in COMPARISONS]
    marks = {i.out.name for i in comparing if i.out.name not in words}
    numbers = {
        instruction.out.name: instruction.attribute("value")
        for instruction in program.instructions
        if isinstance(instruction, Apply) and instruction.op == "constant"
    }

    def pair(left: Value, right: Value) -> frozenset[object]:
        return frozenset(numbers.get(value.name, value.name) for value in (left, right))

    kinks = {(i.span, pair(i.left, i.right)) for i in program.instructions if isinstance(i, Kink)}
    repeated = {i.out.name for i in comparing if (i.span, pair(i.args[0], i.args[1])) in kinks}
    return frozenset(marks | repeated)


def combinations_of_arms(
    branches: Mapping[str, Branch], met: Sequence[Mapping[str, bool]], most: int
) -> list[dict[str, bool]]:
    """Combinations of arms: each written branch by itself, the arms of one branch only as they are met together.

    `met`: for each path, the outcomes of its guards. Raises TooManyChoices.
    """
    found: list[dict[str, bool]] = [{}]
    for guard in sorted(branches, key=lambda name: len(branches[name])):
        branch = branches[guard]
        grown = []
        for forced in found:
            if any(forced.get(name) != truth for name, truth in branch):
                grown.append(forced)
                continue
            together = [m for m in met if all(m.get(name) == truth for name, truth in branch)]
            outcomes = {m[guard] for m in together if guard in m}
            grown.extend({**forced, guard: outcome} for outcome in sorted(outcomes, reverse=True))
            if not outcomes:
                grown.append(forced)
        found = grown
        if len(found) > most:
            raise TooManyChoices(f"more than {most} combinations of branches")
    return found


def conditions_of(program: Program, guards: set[str]) -> set[str]:
    """Comparisons on which the guards depend."""
    needed = set(guards)
    for instruction in reversed(program.instructions):
        if instruction.out.name in needed:
            needed.update(value.name for value in arguments(instruction) if value.kind == "bool")
    return {
        instruction.out.name
        for instruction in program.instructions
        if isinstance(instruction, Apply) and instruction.op in COMPARISONS and instruction.out.name in needed
    }
