"""Program -> Program: dead instructions and multiplications by one or minus one removed; nothing else.

    program f_gradient(x)      program f_gradient(x)
      k = constant 1             t_2 = cos x
      t = sin x                  -> t_2
      t_2 = cos x
      t_3 = mul k t_2
      -> t_3

Only rewrites that are exact in IEEE arithmetic, NaN and inf included, and only on derivative programs that are
about to be emitted: no selection is merged, split or moved.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Value
from cfcompiler.verify import arguments


def tidy(program: Program) -> Program:
    """The same results from fewer instructions."""
    return _without_dead(_without_ones(program))


def _without_ones(program: Program) -> Program:
    """1*x, x*1, x/1, copies and the products of two constants."""
    same: dict[str, Value] = {}
    numbers: dict[str, object] = {}
    kept: list[Instruction] = []
    for instruction in program.instructions:
        instruction = renamed(instruction, same)
        if isinstance(instruction, Apply):
            if instruction.op == "constant":
                numbers[instruction.out.name] = instruction.attribute("value")
            instruction = _negated(instruction, numbers)
            short = _shortened(instruction, numbers)
            if isinstance(short, Value):
                same[instruction.out.name] = short
                continue
            if short is not None:
                numbers[instruction.out.name] = short
                instruction = Apply(replace(instruction.out, branch=()), "constant", (), (("value", short),))
                same[instruction.out.name] = instruction.out
        kept.append(instruction)
    results = tuple(same.get(value.name, value) for value in program.results)
    return replace(program, instructions=tuple(kept), results=results)


def _negated(instruction: Apply, numbers: dict[str, object]) -> Apply:
    """-1*x and x*(-1) as -x."""
    if instruction.op == "mul":
        for factor, rest in (instruction.args, instruction.args[::-1]):
            if numbers.get(factor.name) == -1 and rest.shape == instruction.out.shape:
                return replace(instruction, op="neg", args=(rest,))
    return instruction


def _shortened(instruction: Apply, numbers: dict[str, object]) -> Value | Fraction | None:
    """The value that `instruction` repeats, or the number it makes from two numbers."""
    out, args = instruction.out, instruction.args
    if instruction.op == "reshape" and args[0].shape == out.shape:
        return args[0]
    if instruction.op not in ("mul", "div") or any(arg.shape != out.shape for arg in args):
        return None
    left, right = (numbers.get(arg.name) for arg in args)
    if right == 1:
        return args[0]
    if left == 1 and instruction.op == "mul":
        return args[1]
    if instruction.op == "mul" and isinstance(left, Fraction) and isinstance(right, Fraction):
        product = left * right
        # exact only if the float product is: factors that are small dyadic numbers
        if all(f.denominator & (f.denominator - 1) == 0 and abs(f.numerator) < 2**20 for f in (left, right)):
            return product if product != 0 else None
    return None


def renamed(instruction: Instruction, same: dict[str, Value]) -> Instruction:
    """`instruction` with its arguments replaced."""
    if not any(value.name in same for value in arguments(instruction)):
        return instruction
    match instruction:
        case Apply():
            return replace(instruction, args=tuple(same.get(arg.name, arg) for arg in instruction.args))
        case Select():
            return replace(
                instruction,
                guard=same.get(instruction.guard.name, instruction.guard),
                then=same.get(instruction.then.name, instruction.then),
                orelse=same.get(instruction.orelse.name, instruction.orelse),
            )
        case Kink():
            return replace(
                instruction,
                left=same.get(instruction.left.name, instruction.left),
                right=same.get(instruction.right.name, instruction.right),
                above=same.get(instruction.above.name, instruction.above),
                below=same.get(instruction.below.name, instruction.below),
            )


def _without_dead(program: Program) -> Program:
    """Instructions that no result, guard or assertion needs."""
    live = {value.name for value in program.results} | {a.condition.name for a in program.assertions}
    kept: list[Instruction] = []
    for instruction in reversed(program.instructions):
        if instruction.out.name not in live:
            continue
        kept.append(instruction)
        live.update(value.name for value in arguments(instruction))
        live.update(guard for guard, _ in instruction.out.branch)
    kept.reverse()
    names = {
        instruction.attribute("name")
        for instruction in kept
        if isinstance(instruction, Apply) and instruction.op == "array"
    }
    constants = tuple(constant for constant in program.constants if constant.name in names)
    return replace(program, instructions=tuple(kept), constants=constants)
