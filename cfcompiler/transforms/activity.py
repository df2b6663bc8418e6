"""A program to the names of the values through which a derivative flows from its differentiable inputs."""

from __future__ import annotations

from cfcompiler.ir import Apply, Kink, Program, Select
from cfcompiler.primitives import TABLE

# The argument of a choice row that the value is linear in; the others only choose.
_LINEAR_ARGUMENT = {"weigh": 2, "weigh_extremum": 2, "gather": 0, "scatter": 0, "extremum": 0}


def active_values(program: Program) -> set[str]:
    """Names of real values that depend on a differentiable input other than by a choice or a step."""
    formulas = {(op, index) for (op, _, index), _ in program.formulas.texts}
    active = {param.value.name for param in program.params if param.differentiable}
    for instruction in program.instructions:
        match instruction:
            case Kink():
                flows = instruction.above.name in active or instruction.below.name in active
            case Select():
                flows = instruction.then.name in active or instruction.orelse.name in active
            case Apply():
                flows = _flows(instruction, active, formulas)
        if flows and instruction.out.kind == "real":
            active.add(instruction.out.name)
    return active


def _flows(instruction: Apply, active: set[str], formulas: set[tuple[str, int]]) -> bool:
    op, args = instruction.op, instruction.args
    if op in _LINEAR_ARGUMENT:
        return args[_LINEAR_ARGUMENT[op]].name in active
    row = TABLE[op]
    if row.kind in ("elementwise", "reduction"):
        return any(
            arg.name in active and (row.derivatives[index] is not None or (op, index) in formulas)
            for index, arg in enumerate(args)
        )
    if op == "to_real" or row.kind in ("condition", "choice"):
        return False
    return any(arg.name in active for arg in args)
