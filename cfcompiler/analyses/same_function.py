"""Programs -> which of them compute one function: equal results by value numbering, whatever the tie rules.

A preset changes what is returned at ties, and may define an operation by others (relu as max(x, 0)). Instructions get
a number by what they compute: the row, its attributes, the numbers of its arguments. Programs with the same numbers of
results and assertions compute one function, exactly; programs with others may do so too, which is not asked.

    relu(x) under torch: kink(x > 0, x, 0)      max(x, 0) for relu under casadi: kink(x > 0, x, 0)

Source: hash consing; a kink is turned round where its sides are in the other order, since its pieces agree at the tie.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeAlias, assert_never

from cfcompiler.ir import Apply, Branch, Constant, Instruction, Kink, Program, Select

Key: TypeAlias = Hashable
# What an extremum returns where several entries attain it; its value does not depend on it.
_RULES = frozenset({"rule"})


class FunctionNumbers:
    """Numbers of what is computed, shared by the programs that are compared."""

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}

    def of(self, program: Program) -> Key:
        """Equal for two programs only if they compute one function on one domain."""
        own = {
            param.value.name: self._number(("input", place, param.value.shape, param.differentiable))
            for place, param in enumerate(program.params)
        }
        constants = {constant.name: constant for constant in program.constants}
        for instruction in program.instructions:
            out = instruction.out
            own[out.name] = self._number((_meaning(instruction, own, constants), out.shape, out.kind))
        results = tuple(own[value.name] for value in program.results)
        asserted = tuple(
            (own[item.condition.name], _branch(item.condition.branch, own)) for item in program.assertions
        )
        return results, frozenset(asserted), tuple(param.value.name for param in program.params)

    def _number(self, key: Key) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


def _meaning(instruction: Instruction, own: Mapping[str, int], constants: Mapping[str, Constant]) -> Key:
    match instruction:
        case Apply(_, "array"):
            return "array", constants[instruction.attribute("name")]
        case Apply(_, op, args, attributes):
            kept = tuple(pair for pair in attributes if pair[0] not in _RULES)
            return op, tuple(own[value.name] for value in args), kept
        case Select(_, guard, then, orelse):
            return "select", own[guard.name], own[then.name], own[orelse.name]
        case Kink(_, left, right, above, below):
            one = own[left.name], own[above.name]
            other = own[right.name], own[below.name]
            return "kink", min(one, other), max(one, other)
        case _:
            assert_never(instruction)


def _branch(branch: Branch, own: Mapping[str, int]) -> Key:
    return tuple((own[name], side) for name, side in branch)
