"""Program -> the derived programs of its module, each a stage, and how they are to be carried out.

value      x...          -> f...
gradient   x...          -> f, c_x...      of a program with one scalar result
vjp        x..., c...    -> c_x...
jvp        x..., d_x...  -> f..., d_f...
lexicographic  x...      -> c_x..., tied   the gradient whatever the tie rules, and whether something is tied
along      x...          -> c_x..., tied   the same with ties resolved by derivatives: fewer are left
hvp        x..., d_x...  -> d_c_x...       in order 2: forward over reverse
signature  x...          -> the sign of every guard
checks     x...          -> whether every assertion holds, where they are tested
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from cfcompiler.ir import Apply, Program, Select, Value
from cfcompiler.targets.numpy_module import guards
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.lexicographic import along_direction, differs, lexicographic
from cfcompiler.transforms.reverse import gradient, vjp
from cfcompiler.transforms.scalarize import TooManyScalars, is_scalar, scalarize
from cfcompiler.transforms.tidy import renamed, tidy
from cfcompiler.verify import verify

# Beyond these an array stays an array also at one point: a call on an array costs about as much as 20 on floats.
MOST_SCALARS = 4_000
SCALARS_FOR_AN_ARRAY = 20


# Beyond these instructions the module would have some 100,000 statements, its derivatives two or three for each:
# a tape is made more quickly and is smaller.
MOST_STATEMENTS = 4_000
DEEPEST = 60  # branches in branches; Python allows 100 levels of indentation
Tier: TypeAlias = Literal["scalar", "array", "tape"]


@dataclass(frozen=True, slots=True)
class Stages:
    """The programs by name; hvp only where `order` is 2 and there is a gradient.

    tier "scalar": the programs are scalarized; "array": they are not; "tape": there are none but the gradient in order 2.
    """

    value: Program  # as written, with what is tested of its assertions
    programs: Mapping[str, Program]
    tier: Tier
    order: int
    field: Program | None = None  # x..., c... -> f..., c_x..., of the tier "scalar"


def stages_of(program: Program, *, order: int, checks: bool) -> Stages:
    base = program if checks else replace(program, assertions=())
    outputs = len(base.results)
    scalar_result = outputs == 1 and not base.results[0].shape
    if is_scalar(base) and (len(base.instructions) > MOST_STATEMENTS or _depth(base) > DEEPEST):
        second = {"gradient": verify(tidy(gradient(base)))} if order == 2 and scalar_result else {}
        return Stages(base, second, "tape", order)
    written = _scalarized(base)
    programs = {"value": base}
    backward = verify(vjp(base))
    programs["vjp"] = replace(backward, results=backward.results[outputs:])
    programs["jvp"] = verify(jvp(base))
    if scalar_result:
        programs["gradient"] = verify(gradient(base))
        if differs(base):
            programs["lexicographic"] = verify(lexicographic(base))
            programs["along"] = verify(along_direction(base))
        if order == 2:
            along = verify(jvp(tidy(programs["gradient"])))
            moving = len(programs["gradient"].results) - outputs
            programs["hvp"] = replace(along, results=along.results[len(along.results) - moving :])
    found = {name: verify(tidy(one)) for name, one in programs.items()}
    for name in ("gradient", "vjp", "lexicographic", "along"):
        if name in found:
            found[name] = verify(_cotangents_named(found[name], outputs if name == "gradient" else 0))
    if written is not None:
        found = {name: verify(tidy(scalarize(one))) for name, one in found.items()}
    if "along" in found and len(found["along"].instructions) > MOST_STATEMENTS:
        del found["along"]
    field = verify(tidy(scalarize(backward))) if written is not None else None
    value = written if written is not None else base
    signs = guards.signature(value)
    if signs.results:
        found["signature"] = signs
    if value.assertions:
        found["checks"] = guards.checks(value)
    return Stages(value, found, "scalar" if written is not None else "array", order, field)


def _cotangents_named(program: Program, outputs: int) -> Program:
    """The derivative by x has the name c_x also where it is a single term, t_5. The first `outputs` results are others."""
    moving = [param.value.name for param in program.params if param.differentiable]
    taken = {param.value.name for param in program.params} | {step.out.name for step in program.instructions}
    made = {step.out.name: step for step in program.instructions}
    new: dict[str, Value] = {}
    for x, value in zip(moving, program.results[outputs:], strict=False):
        name, step = f"c_{x}", made.get(value.name)
        if name in taken or value.name in new or value in program.results[:outputs]:
            continue
        if isinstance(step, Apply | Select) and re.fullmatch(r"[ts](_\d+)?", value.name):
            new[value.name] = replace(value, name=name)
            taken.add(name)
    steps = (renamed(step, new) for step in program.instructions)
    return replace(
        program,
        instructions=tuple(replace(step, out=new.get(step.out.name, step.out)) for step in steps),
        results=tuple(new.get(value.name, value) for value in program.results),
    )


def _depth(program: Program) -> int:
    return max((len(instruction.out.branch) for instruction in program.instructions), default=0)


def _scalarized(program: Program) -> Program | None:
    """The unrolled program, where a point is quicker on plain floats than on arrays."""
    if is_scalar(program):
        return program
    if any(0 in instruction.out.shape for instruction in program.instructions):
        return None
    most = min(MOST_SCALARS, SCALARS_FOR_AN_ARRAY * len(program.instructions) + 20)
    try:
        return verify(scalarize(program, most))
    except TooManyScalars:
        return None
