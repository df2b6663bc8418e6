"""Program -> Program: the gradient whatever the tie rules, and whether it depends on a choice at the point.

    program f(x)               program f_lexicographic(x)
      s = kink x 0 x 0           t = weigh x 0 1        1 where x >= 0, else exactly 0
      -> s                       tied = not (x < 0 or x > 0)
                                 -> t, tied

`settled` takes out of a program what its preset says: a kink follows `above` at the tie, what is not chosen adds
exactly nothing, smooth operations have the derivatives of their rows. Where nothing is tied the gradient is that of
the one piece around the point. Where something is, the same program is run on infinitely small numbers
(targets/numpy_module/arc_functions.py), where comparisons are decided. Source: Khan & Barton 2015; Kakade & Lee 2018.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from cfcompiler.builder import Builder
from cfcompiler.ir import (
    Apply,
    Branch,
    Formulas,
    Instruction,
    Kink,
    Program,
    Select,
    Tie,
    TieMode,
    Value,
    Weights,
)
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.ties import Reduction
from cfcompiler.transforms.open_choices import ORDERINGS, STEPS, Motion, open_choice
from cfcompiler.transforms.resolved import Resolved, resolved
from cfcompiler.transforms.reverse import gradient
from cfcompiler.transforms.tidy import tidy

_ZERO, _ONE = Fraction(0), Fraction(1)
_MODE = TieMode(Weights(_ZERO, _ONE, _ONE, _ONE), Weights(_ONE, _ZERO, _ZERO, _ZERO), "select")


def lexicographic(program: Program) -> Program:
    """Parameters x...; results c_x..., and 1.0 where a choice is open at the point, else 0.0.

    Raises ValueError if the program has several results or an array result.
    """
    return _with_open_choices(Resolved(settled(program), {}, frozenset()), f"{program.name}_lexicographic")


def along_direction(program: Program) -> Program:
    """As `lexicographic`, with the choices that a first derivative makes (transforms/resolved.py): fewer are open."""
    return _with_open_choices(resolved(settled(program)), f"{program.name}_along")


def _with_open_choices(given: Resolved, name: str) -> Program:
    program = replace(given.program, assertions=())
    backward = gradient(program)
    backward = tidy(replace(backward, results=backward.results[1:]))
    builder = Builder(name, program.source, program.preset, Formulas())
    builder.reserve(backward)
    builder.params.extend(backward.params)
    guards = {instruction.out.name: instruction.out for instruction in backward.instructions}
    moving = Motion(builder, backward, given.sides)
    seen: set[tuple[tuple[str, ...], Branch]] = set()
    tied: Value | None = None
    for instruction in backward.instructions:
        builder.copy(instruction)
        builder.span = instruction.span
        with builder.on(instruction.out.branch):
            moving.follow(instruction)
        choice = None if instruction.out.name in given.own else _decided_by(instruction)
        if choice is None or (choice, instruction.out.branch) in seen:
            continue
        seen.add((choice, instruction.out.branch))
        with builder.on(instruction.out.branch):
            condition = open_choice(builder, instruction, moving)
        if condition is not None:
            condition = _lifted(builder, condition, guards)
            tied = condition if tied is None else builder.apply("logical_or", tied, condition)
    if tied is None:
        tied = builder.boolean(False)
    return tidy(builder.finish((*backward.results, builder.apply("to_real", tied))))


def settled(program: Program) -> Program:
    """The same program without what its preset says of derivatives."""
    instructions = tuple(_settled(instruction) for instruction in program.instructions)
    return replace(program, instructions=instructions, formulas=Formulas())


def _settled(instruction: Instruction) -> Instruction:
    match instruction:
        case Kink(tie=tie):
            return replace(instruction, tie=Tie(tie.name, _MODE, _MODE))
        case Select():
            return replace(instruction, gate="select")
        case Apply(op="extremum"):
            rule: Reduction = instruction.attribute("rule")
            own = Reduction(rule.name, "first", "select", "select", "nan", "nan")
            attributes = tuple(
                (name, own if name == "rule" else value) for name, value in instruction.attributes
            )
            return replace(instruction, attributes=attributes)
        case Apply():
            return instruction


def _decided_by(instruction: Instruction) -> tuple[str, ...] | None:
    """What names the choice that an instruction makes; None if it makes none."""
    match instruction:
        case Kink(left=left, right=right):
            return ("pair", left.name, right.name)
        case Apply(op=op, args=args) if op == "weigh" or op in COMPARISONS:
            return ("pair", args[0].name, args[1].name)
        case Apply(op="extremum", args=args, out=out):
            return ("rows", args[0].name, out.name, str(instruction.attribute("axes")))
        case Apply(op="weigh_extremum", args=args):
            return ("rows", args[0].name, args[1].name, str(instruction.attribute("axes")))
        case Apply(op=op, args=args) if op in STEPS or op in ORDERINGS:
            return (op, *(arg.name for arg in args[:2]), str(instruction.attributes))
        case _:
            return None


def _lifted(builder: Builder, condition: Value, guards: dict[str, Value]) -> Value:
    """The condition as seen from outside: false where its branch is not taken."""
    while condition.branch:
        guard, truth = condition.branch[-1]
        with builder.on(condition.branch[:-1]):
            false = builder.boolean(False)
            then, orelse = (condition, false) if truth else (false, condition)
            condition = builder.select(guards[guard], then, orelse, lazy=True)
    return condition


def differs(program: Program) -> bool:
    """Whether the gradient of a program may depend on its preset, on a choice, or be singular at a finite value."""
    program = tidy(replace(program, assertions=()))
    own = {name for (name, _, _), _ in program.formulas.texts}
    return any(
        _decided_by(instruction) is not None
        or isinstance(instruction, Select)
        or (isinstance(instruction, Apply) and (instruction.op in own or TABLE[instruction.op].singular))
        for instruction in program.instructions
    )
