"""A program of arrays to plain expressions for many points, which stand in front of the axes of every value.

y = matmul w x         y = _products(w, x, 2, 1)
z = add y b            z = y + b
s = mul c z            s = c[:, None] * z
"""

from __future__ import annotations

from cfcompiler.ir import Apply, Instruction, Program, Value
from cfcompiler.primitives import TABLE
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.targets.numpy_module.expressions import Facts, expression
from cfcompiler.targets.numpy_module.windows import places_text


def many_points(program: Program, function: str, names: dict[str, str], constants: Constants) -> list[str]:
    """The plain expressions, the points in front of the axes of every value."""
    facts = Facts(program)
    lines = [f"def {function}({', '.join(names[param.value.name] for param in program.params)}):"]
    number = 0
    for instruction in program.instructions:
        if instruction.span.line not in (0, number):
            number = instruction.span.line
            lines.append(f"    # {program.source.line(number).strip()}")
        lines.append(f"    {names[instruction.out.name]} = {_fronted(instruction, names, facts, constants)}")
    results = ", ".join(names[value.name] for value in program.results)
    return [*lines, f"    return ({results},)"]


def _fronted(instruction: Instruction, names: dict[str, str], facts: Facts, constants: Constants) -> str:
    """An expression for values with one axis of points in front; lower ranks get their axes behind it."""
    rank = len(instruction.out.shape)
    elementwise = not isinstance(instruction, Apply) or TABLE[instruction.op].kind in (
        "elementwise",
        "condition",
    )
    if isinstance(instruction, Apply) and instruction.op == "weigh":
        elementwise = True

    def name(value: Value) -> str:
        text = names[value.name]
        missing = rank - len(value.shape)
        if (elementwise and missing and value.shape) or (elementwise and missing > 0):
            return f"{text}[:, {', '.join(['None'] * missing)}]"
        return text

    if not isinstance(instruction, Apply):
        return expression(instruction, name, facts, 1)
    args = [name(arg) for arg in instruction.args]
    match instruction.op:
        case "constant" | "boolean":
            return f"np.array([{expression(instruction, name, facts, 1)}])"
        case "matmul":
            a, b = (len(arg.shape) for arg in instruction.args)
            return f"_products({args[0]}, {args[1]}, {a}, {b})"
        case "stack" | "concat":
            return f"_joined(({', '.join(args)},), {instruction.attribute('axis') + 1}, {instruction.op == 'stack'})"
        case "broadcast":
            missing = rank - len(instruction.args[0].shape)
            wide = f"{args[0]}[:, {', '.join(['None'] * missing)}]" if missing else args[0]
            shape = "".join(f", {size}" for size in instruction.out.shape)
            return f"np.broadcast_to({wide}, ({args[0]}.shape[0]{shape}))"
        case "reshape":
            shape = "".join(f", {size}" for size in instruction.out.shape)
            return f"{args[0]}.reshape(({args[0]}.shape[0]{shape or ','}))"
        case "sum_to":
            axes, kept = summed_axes(instruction)
            total = f"{args[0]}.sum(axis={tuple(axis + 1 for axis in axes)})" if axes else args[0]
            shape = "".join(f", {size}" for size in instruction.out.shape)
            return f"{total}.reshape(({args[0]}.shape[0]{shape or ','}))" if kept else total
        case "take":
            flat = f"{args[0]}.reshape(({args[0]}.shape[0], -1))"
            shape = "".join(f", {size}" for size in instruction.out.shape)
            return f"{flat}[:, {places_name(instruction, constants)}].reshape(({args[0]}.shape[0]{shape or ','}))"
        case "put":
            return put_text(instruction, args[0], 1, constants)
    return expression(instruction, name, facts, 1)


def put_text(instruction: Apply, x: str, first: int, constants: Constants) -> str:
    return f"_put({x}, {places_name(instruction, constants)}, {instruction.attribute('shape')}, {first})"


def places_name(instruction: Apply, constants: Constants) -> str:
    """The module's name for the indices of a take or put."""
    spread = instruction.out.shape if instruction.op == "take" else instruction.args[0].shape
    return constants.places(places_text(instruction.attribute("indices"), spread))


def summed_axes(instruction: Apply) -> tuple[tuple[int, ...], bool]:
    """Axes that sum_to adds over, and whether some of them stay with length 1."""
    x, shape = instruction.args[0].shape, instruction.out.shape
    extra = len(x) - len(shape)
    kept = tuple(extra + axis for axis, size in enumerate(shape) if size == 1 and x[extra + axis] != 1)
    return (*range(extra), *kept), bool(kept)
