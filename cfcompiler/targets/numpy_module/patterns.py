"""A gradient program to the guards that alone decide it: the keys of a table of gradients by pattern of choices.

Where the program is piecewise affine, its cotangents depend on the point only through comparisons. Then the backward
part is one look-up: the truth values of k comparisons are the bits of a number, and a table of 2**k columns, filled
once by the backward instructions themselves, has the gradient of every pattern.

A pair (left, right) whose weights are all of zeros and ones by one comparison, tie and NaN included, has that
comparison as its bit. Any other pair has `left > right`, which says nothing at a tie or NaN: such points stay open.
"""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.ir import Apply, Instruction, Kink, Number, Program, Select, Value
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.targets.numpy_module.constants import literal

MOST_GUARDS = 12

# (weight at the tie, weight at NaN) -> the comparison that gives both, and whether it is to be negated.
_ABOVE = {
    (0, 0): ("greater", True),
    (1, 0): ("greater_equal", True),
    (0, 1): ("less_equal", False),
    (1, 1): ("less", False),
}
_BELOW = {
    (0, 0): ("less", True),
    (1, 0): ("less_equal", True),
    (0, 1): ("greater_equal", False),
    (1, 1): ("greater", False),
}


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """One comparison for weights of 0 and 1: weight 1 where its truth is `positive`.

    exact: also at ties and NaN; else only where left and right differ.
    """

    comparison: str
    positive: bool
    exact: bool


def mask_plan(weights: tuple[Number, Number, Number, Number]) -> MaskPlan | None:
    """How one comparison gives the weights (below, tie, above, unordered); None where a side is not 0 or 1."""
    below, tie, above, unordered = weights
    if sorted((str(below), str(above))) != ["0", "1"]:
        return None
    table = _ABOVE if above == 1 else _BELOW
    if tie in (0, 1) and unordered in (0, 1):
        comparison, positive = table[int(tie), int(unordered)]
        return MaskPlan(comparison, positive, exact=True)
    return MaskPlan("greater", above == 1, exact=False)


@dataclass(frozen=True, slots=True)
class Guard:
    """One bit: the truth of comparison(left, right); `exact` where it decides at ties and NaN too."""

    comparison: str
    left: Value
    right: Value
    exact: bool
    weighs: bool  # of a weighing; else it is a comparison that the program makes itself


@dataclass(frozen=True, slots=True)
class Patterns:
    """The bits, the first one highest, and which results (by place) they decide."""

    guards: tuple[Guard, ...]
    decided: tuple[int, ...]
    slice: tuple[Instruction, ...]  # the instructions that make the decided results from the bits


def read(instruction: Instruction) -> tuple[Value, ...]:
    """The values an instruction uses."""
    match instruction:
        case Apply(args=args):
            return args
        case Select(guard=guard, then=then, orelse=orelse):
            return guard, then, orelse
        case Kink(left=left, right=right, above=above, below=below):
            return left, right, above, below


def flowing(instruction: Instruction) -> tuple[Value, ...]:
    """The values that reach the result other than by a comparison."""
    match instruction:
        case Apply(op="weigh", args=args):
            return (args[2],)
        case Apply(op=op) if op in COMPARISONS or op == "isnan":
            return ()
        case Select(guard=guard, then=then, orelse=orelse):
            return guard, then, orelse
        case _:
            return read(instruction)


def moving_values(program: Program) -> set[str]:
    """Names of the values that depend on an input other than through comparisons."""
    moving = {param.value.name for param in program.params}
    for instruction in program.instructions:
        if any(value.name in moving for value in flowing(instruction)):
            moving.add(instruction.out.name)
    return moving


def sliced(program: Program, roots: set[str], *, through_choices: bool) -> tuple[Instruction, ...]:
    """The instructions that the roots need; without `through_choices` not those that only comparisons read."""
    needed = set(roots)
    kept: list[Instruction] = []
    for instruction in reversed(program.instructions):
        if instruction.out.name in needed:
            kept.append(instruction)
            values = read(instruction) if through_choices else flowing(instruction)
            needed.update(value.name for value in values)
    kept.reverse()
    return tuple(kept)


def patterns(program: Program) -> Patterns | None:
    """The bits that decide all the results that do not move; None where there are none, or too many."""
    moving = moving_values(program)
    decided = tuple(place for place, value in enumerate(program.results) if value.name not in moving)
    if not decided:
        return None
    instructions = sliced(program, {program.results[place].name for place in decided}, through_choices=False)
    if any(isinstance(i, Kink) or i.out.kind == "int" or _is_island(i) for i in instructions):
        return None
    guards: dict[tuple[str, str, str], Guard] = {}
    for pair, weighings in _pairs(instructions).items():
        plans = {mask_plan(weighing.attribute("weights")) for weighing in weighings}
        comparisons = {plan.comparison for plan in plans if plan is not None and plan.exact}
        exact = len(comparisons) == 1 and all(plan is not None and plan.exact for plan in plans)
        left, right = weighings[0].args[:2]
        comparison = comparisons.pop() if exact else "greater"
        guards["weigh", *pair] = Guard(comparison, left, right, exact, weighs=True)
    for instruction in instructions:
        if isinstance(instruction, Apply) and instruction.op in COMPARISONS:
            left, right = instruction.args
            guards[instruction.op, left.name, right.name] = Guard(
                instruction.op, left, right, exact=True, weighs=False
            )
        elif isinstance(instruction, Apply) and instruction.op == "isnan":
            return None
    if not 0 < len(guards) <= MOST_GUARDS:
        return None
    return Patterns(tuple(guards.values()), decided, instructions)


def _pairs(instructions: tuple[Instruction, ...]) -> dict[tuple[str, str], list[Apply]]:
    pairs: dict[tuple[str, str], list[Apply]] = {}
    for instruction in instructions:
        if isinstance(instruction, Apply) and instruction.op == "weigh":
            pairs.setdefault((instruction.args[0].name, instruction.args[1].name), []).append(instruction)
    return pairs


def _is_island(instruction: Instruction) -> bool:
    """Whether it works on a vector: only packing of results may."""
    if not isinstance(instruction, Apply) or instruction.op in ("stack", "reshape", "constant"):
        return False
    return TABLE[instruction.op].kind in ("choice", "reduction") and instruction.op != "weigh"


def weighing_text(weighing: Apply, guard: Guard, truth: str, term: str) -> str:
    """The weighed term as text over the name of the bit."""
    plan = mask_plan(weighing.attribute("weights"))
    blocks = weighing.attribute("gate") == "select"
    if plan is None:
        below, _, above, _ = weighing.attribute("weights")
        product = f"np.where({truth}, {literal(above)}, {literal(below)}) * {term}"
        if not blocks or 0 not in (above, below):
            return product
        arms = (product, "0.0") if below == 0 else ("0.0", product)
        return f"np.where({truth}, {arms[0]}, {arms[1]})"
    positive = plan.positive if guard.exact else _greater_sense(plan)
    if not blocks:
        return f"{truth if positive else f'~{truth}'} * {term}"
    return f"np.where({truth}, {term}, 0.0)" if positive else f"np.where({truth}, 0.0, {term})"


def _greater_sense(plan: MaskPlan) -> bool:
    """The sense of the plan in terms of left > right, where left and right differ."""
    return plan.positive == (plan.comparison in ("greater", "greater_equal"))
