"""Program -> Program: value and directional derivative.

    program f(x)          program f_jvp(x, d_x)
      t = sin x             t = sin x
      -> t                  t_2 = cos x
                            d_t = d_x * t_2
                            -> t, d_t

Each instruction is followed by its tangent, on the same branch. Inputs have dense tangents: a tangent of 0 that meets
an infinite factor gives NaN, as in the frameworks. Source: Griewank & Walther 2008, chapter 3.
"""

from __future__ import annotations

from cfcompiler.builder import Builder
from cfcompiler.ir import Apply, Kink, Program, Tie, Value
from cfcompiler.transforms.activity import active_values
from cfcompiler.transforms.derivatives import tangent_of, zeros


def jvp(program: Program) -> Program:
    """Parameters x..., d_x...; results f..., d_f...: the forward program."""
    builder = Builder(f"{program.name}_jvp", program.source, program.preset, program.formulas)
    builder.reserve(program)
    builder.params.extend(program.params)
    builder.assertions.extend(program.assertions)
    tangents: dict[str, Value] = {}
    for param in program.params:
        if param.differentiable:
            tangents[param.value.name] = builder.param(f"d_{param.value.name}", param.value.shape)
    dense = program.formulas.dense_constants
    active = active_values(program)
    for instruction in program.instructions:
        builder.copy(instruction)
        out = instruction.out
        builder.span = instruction.span
        with builder.on(out.branch):
            if out.name in active:
                tangent = tangent_of(builder, instruction, tangents)
                if tangent is not None:
                    tangents[out.name] = tangent
            elif dense and out.kind == "real":
                tangents[out.name] = zeros(builder, out.shape)
    results = [
        tangents[value.name] if value.name in tangents else zeros(builder, value.shape)
        for value in program.results
    ]
    return builder.finish((*program.results, *results))


def modes_agree(program: Program) -> bool:
    """Whether the forward and the reverse rules of all operations are one, where everything is finite."""
    texts = dict(program.formulas.texts)
    for instruction in program.instructions:
        if isinstance(instruction, Kink) and not _one_rule(instruction.tie):
            return False
        if isinstance(instruction, Apply):
            for index in range(len(instruction.args)):
                if texts.get((instruction.op, "forward", index)) != texts.get(
                    (instruction.op, "reverse", index)
                ):
                    return False
    return True


def _one_rule(tie: Tie) -> bool:
    forward, reverse = tie.forward, tie.reverse
    pairs = ((forward.above, reverse.above), (forward.below, reverse.below))
    return all(one.as_tuple()[:3] == other.as_tuple()[:3] for one, other in pairs)
