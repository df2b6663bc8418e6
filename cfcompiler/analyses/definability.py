"""Program -> the o-minimal structure in which its operations are definable, or the operation that is in none.

Semilinear, semialgebraic, with exp (Wilkie), with restricted analytic functions (van den Dries & Miller), with erf in
the Pfaffian closure (Speissegger). sin and the steps are definable on bounded arguments alone: where the box bounds
what they are applied to.

Source: Bolte & Pauwels 2021, section 5 (definable functions are path differentiable, Morse-Sard holds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cfcompiler.ir import Apply, Instruction, Program
from cfcompiler.primitives import TABLE
from cfcompiler.verify import arguments

LEVELS = (
    "semilinear sets",
    "semialgebraic sets",
    "R_exp",
    "R_an (restricted analytic functions)",
    "R_an,exp",
    "the Pfaffian closure of R_an,exp",
)
_LINEAR, _ALGEBRAIC, _EXP, _AN, _AN_EXP, _PFAFFIAN = range(6)
_OF = {
    **dict.fromkeys(("add", "sub", "neg", "sign", "heaviside"), _LINEAR),
    **dict.fromkeys(("mul", "div", "ipow", "rpow", "sqrt", "cbrt", "norm2"), _ALGEBRAIC),
    **dict.fromkeys(("exp", "expm1", "log", "log1p", "log2", "log10", "pow", "sinh", "cosh", "tanh"), _EXP),
    **dict.fromkeys(("asinh", "acosh", "atanh", "sigmoid", "softplus", "logaddexp", "logsumexp"), _EXP),
    **dict.fromkeys(("asin", "acos", "atan", "atan2"), _AN),
    **dict.fromkeys(("erf", "erfc"), _PFAFFIAN),
}
_PERIODIC = frozenset({"sin", "cos", "tan"})
_STEPS = frozenset({"floor", "ceil", "round", "trunc", "fmod", "remainder"})
# Bounded wherever their arguments are; and everywhere.
_KEEP_BOUNDS = frozenset(
    {"add", "sub", "neg", "mul", "exp", "expm1", "sinh", "cosh", "softplus", "logaddexp", "asinh", "cbrt"}
    | {"floor", "ceil", "round", "trunc", "logsumexp", "norm2", "sqrt"}
)
_BOUNDED = frozenset(
    {"sin", "cos", "tanh", "sigmoid", "atan", "atan2", "erf", "erfc", "sign", "asin", "acos"}
)


@dataclass(frozen=True, slots=True)
class Definable:
    """The structure; or the operation that is definable in none as it stands, and why."""

    structure: str
    offender: Instruction | None = None
    why: str = ""


def definable(program: Program, box: Mapping[str, tuple[str, str]] | None) -> Definable:
    """The structure of the operations of an unrolled program; `box` bounds the inputs that it names."""
    bounded = {param.value.name for param in program.params if _is_bounded_input(param.value.name, box)}
    moving = {param.value.name for param in program.params if param.differentiable}
    algebra: set[int] = set()
    for instruction in program.instructions:
        names = [value.name for value in arguments(instruction)]
        if any(name in moving for name in names):
            moving.add(instruction.out.name)
        if _stays_bounded(instruction, bounded, moving):
            bounded.add(instruction.out.name)
        if instruction.out.name not in moving or not isinstance(instruction, Apply):
            continue
        op = instruction.op
        if op in _PERIODIC | _STEPS:
            if not all(name in bounded or name not in moving for name in names):
                return Definable(
                    "", instruction, f"{op} of what is not bounded is definable in no o-minimal structure"
                )
            algebra.add(_AN if op in _PERIODIC else _LINEAR)
        elif op in _OF:
            linear = op in ("mul", "div") and _is_multiple(instruction, moving)
            algebra.add(_LINEAR if linear else _OF[op])
        elif TABLE[op].kind in ("elementwise", "reduction"):
            return Definable(
                "", instruction, f"no o-minimal structure is known here in which {op} is definable"
            )
        elif op == "matmul":
            algebra.add(_LINEAR if _is_multiple(instruction, moving) else _ALGEBRAIC)
    level = max(algebra, default=_LINEAR)
    if _AN in algebra and _EXP in algebra:
        level = max(level, _AN_EXP)
    return Definable(LEVELS[level])


def _is_multiple(instruction: Apply, moving: set[str]) -> bool:
    """Whether a product has one factor that moves, and a quotient a divisor that does not."""
    left, right = (arg.name in moving for arg in instruction.args)
    return not right if instruction.op == "div" else not (left and right)


def _is_bounded_input(name: str, box: Mapping[str, tuple[str, str]] | None) -> bool:
    ends = box.get(name) if box else None
    return ends is not None and not any(end.strip("+-") in ("inf", "oo") for end in ends)


def _stays_bounded(instruction: Instruction, bounded: set[str], moving: set[str]) -> bool:
    if not isinstance(instruction, Apply):
        return all(
            value.name in bounded or value.name not in moving
            for value in arguments(instruction)
            if value.kind == "real"
        )
    op = instruction.op
    if op in _BOUNDED or op in ("argextremum", "order", "cumargextremum"):
        return True
    positive = op == "ipow" and Fraction(instruction.attribute("n")) >= 0
    keeps = op in _KEEP_BOUNDS or positive or TABLE[op].kind in ("structural", "choice")
    return keeps and all(arg.name in bounded or arg.name not in moving for arg in instruction.args)
