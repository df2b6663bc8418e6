"""A scalar program to a plain function over many points, their number on the last axis: right at every tie and NaN.

What redoes the points that block code leaves open, and what runs where speed is no matter.
"""

from __future__ import annotations

from cfcompiler.ir import Apply, Instruction, Program
from cfcompiler.targets.numpy_module.block_names import safe_names
from cfcompiler.targets.numpy_module.expressions import Facts, expression


def points_code(program: Program, function: str, names: dict[str, str] | None = None) -> list[str]:
    """The plain text: a function of the number of points and the inputs, their points on the last axis."""
    names = names if names is not None else safe_names(program)
    facts = Facts(program)
    lines = [
        f"def {function}({', '.join(['width', *(names[param.value.name] for param in program.params)])}):"
    ]
    line_number = 0
    for instruction in program.instructions:
        number = instruction.span.line
        if number not in (0, line_number):
            line_number = number
            lines.append(f"    # {program.source.line(number).strip()}")
        lines.append(f"    {names[instruction.out.name]} = {points_expression(instruction, names, facts)}")
    results = ", ".join(names[value.name] for value in program.results)
    lines.append(f"    return ({results},)")
    return lines


def points_expression(instruction: Instruction, names: dict[str, str], facts: Facts) -> str:
    """As `expression`, with the number of points behind the shape."""
    if isinstance(instruction, Apply):
        args = [names[arg.name] for arg in instruction.args]
        if instruction.op == "stack":
            return f"_stacked(({', '.join(args)},), width)"
        if instruction.op == "constant":
            return f"np.float64({expression(instruction, lambda value: names[value.name], facts)})"
        if instruction.op == "reshape":
            if not instruction.out.shape:
                return args[0]
            return f"{args[0]}.reshape(({', '.join(map(str, instruction.out.shape))}, width))"
    return expression(instruction, lambda value: names[value.name], facts)
