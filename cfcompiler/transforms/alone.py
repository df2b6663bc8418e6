"""Program, instruction -> Program: the instruction alone, its arguments as inputs.

    t_3 = mul t x        program alone(t, x)
                           t_3 = mul t x
                           -> t_3

For questions about the derivative of one operation where it stands: its rule and the formulas of the preset are kept,
its branch is not. A lazy select becomes an eager one, since both arms are inputs here.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from cfcompiler.ir import Apply, Instruction, Param, Program, Select
from cfcompiler.transforms.tidy import renamed
from cfcompiler.verify import arguments


def alone(program: Program, instruction: Instruction, active: Container[str]) -> Program:
    """`instruction` as a program; its real arguments in `active` are differentiable inputs, the others data."""
    own = {value.name: replace(value, branch=()) for value in arguments(instruction)}
    bare = replace(renamed(instruction, own), out=replace(instruction.out, branch=()))
    if isinstance(bare, Select):
        bare = replace(bare, lazy=False)
    params = tuple(Param(value, value.kind == "real" and value.name in active) for value in own.values())
    named = (
        instruction.attribute("name") if isinstance(instruction, Apply) and instruction.op == "array" else ""
    )
    constants = tuple(constant for constant in program.constants if constant.name == named)
    return replace(
        program,
        name="alone",
        params=params,
        instructions=(bare,),
        results=(bare.out,),
        assertions=(),
        constants=constants,
    )
