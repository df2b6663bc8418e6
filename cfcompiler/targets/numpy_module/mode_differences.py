"""Where forward and backward of a program differ under its rules: what the docstring of its module says of it.

They differ where a preset records that the two modes of a framework do: in the rule of an operation, or because a forward
sweep carries tangents that are 0 and multiplies them with what is inf or NaN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, TieMode
from cfcompiler.primitives import TABLE
from cfcompiler.ties import Reduction
from cfcompiler.transforms.activity import active_values

# What the rules of an extremum over an axis say.
_OTHERS = {"select": "counts for nothing", "mul": "is multiplied by 0 (0 * inf is NaN)"}
_AT_NAN = {
    "nan": "the derivative is NaN",
    "zero": "the derivative is 0",
    "share": "the entries that are NaN share the derivative",
}


def mode_differences(program: Program) -> Iterator[str]:
    """Where the rules of the two modes differ, for the operations that the program has."""
    if program.formulas.one_mode:
        return
    seen: set[str] = set()
    for instruction in program.instructions:
        for name, text in _differences(program, instruction):
            if name not in seen:
                seen.add(name)
                yield text
    if _may_meet_infinity(program):
        yield (
            "inf and NaN: forward multiplies tangents that are 0 as well (0 * inf is NaN), and each mode adds in its own "
            "order; --tie modes=one makes forward what backward is"
        )


def _may_meet_infinity(program: Program) -> bool:
    """Whether a partial derivative that is used may be inf or NaN: those that are constants are not."""
    active = active_values(program)
    constants = {
        step.out.name for step in program.instructions if isinstance(step, Apply) and step.op == "constant"
    }
    constants |= {constant.name for constant in program.constants}
    return any(
        step.out.name in active and not _constant_slopes(program, step, active, constants)
        for step in program.instructions
    )


def _constant_slopes(program: Program, step: Instruction, active: set[str], constants: set[str]) -> bool:
    match step:
        case Select():
            return True
        case Kink(tie=tie):
            weights = (
                getattr(mode, piece) for mode in (tie.forward, tie.reverse) for piece in ("above", "below")
            )
            return not any("nan" in pair.as_tuple() for pair in weights)
        case Apply(op="matmul", args=args):
            return any(arg.name in constants for arg in args)
        case Apply(op="extremum"):
            rule: Reduction = step.attribute("rule")
            return "nan" not in (rule.nan_forward, rule.nan_reverse)
        case Apply(op=op, args=args):
            row = TABLE[op]
            if row.kind not in ("elementwise", "reduction"):
                return True
            given = dict(zip(row.params, args, strict=True))
            known = {name for name, arg in given.items() if arg.name in constants} | {"g"}
            formulas = dict(program.formulas.texts)
            return all(
                _names(formulas.get((op, mode, index), row.derivatives[index])) <= known
                for index, arg in enumerate(args)
                if arg.name in active or program.formulas.dense_constants
                for mode in ("forward", "reverse")
            )


def _names(text: str | None) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", text or "")) - {"if", "else", "and", "or", "not"}


def _differences(program: Program, instruction: Instruction) -> Iterator[tuple[str, str]]:
    match instruction:
        case Kink(tie=tie) if tie.forward != tie.reverse:
            yield tie.name, f"{tie.name}: {_modes_text(tie.forward, tie.reverse)}"
        case Select(lazy=False, gate="mul"):
            yield (
                "where",
                "where: the arm not taken is multiplied by 0 in both modes; sums may meet inf and NaN in another order",
            )
        case Select(lazy=False):
            yield (
                "where",
                "where: backward a 0 meets the derivatives of the arm not taken (0 * inf is NaN), forward not",
            )
        case Apply(op=op) if op == "extremum":
            rule: Reduction = instruction.attribute("rule")
            if (rule.gate_forward, rule.nan_forward) != (rule.gate_reverse, rule.nan_reverse):
                yield rule.name, f"{rule.name}: {_reduction_text(rule)}"
        case Apply(op=op):
            own = {(mode, index): text for (name, mode, index), text in program.formulas.texts if name == op}
            for (mode, index), text in own.items():
                other = own.get(
                    ("reverse" if mode == "forward" else "forward", index), TABLE[op].derivatives[index]
                )
                if text != other:
                    yield op, f"{op}: {text} {'forward' if mode == 'forward' else 'backward'}, {other} else"


def _reduction_text(rule: Reduction) -> str:
    """What the rule of an extremum over an axis says differently in the two modes."""
    parts = []
    if rule.gate_forward != rule.gate_reverse:
        parts.append(
            f"an entry that is not the extremum {_OTHERS[rule.gate_forward]} forward "
            f"and {_OTHERS[rule.gate_reverse]} backward"
        )
    if rule.nan_forward != rule.nan_reverse:
        parts.append(
            f"where the extremum is NaN, {_AT_NAN[rule.nan_forward]} forward and {_AT_NAN[rule.nan_reverse]} backward"
        )
    return "; ".join(parts)


def _modes_text(forward: TieMode, reverse: TieMode) -> str:
    """What the rules of the two modes say differently."""
    parts = []
    for case, place in (("tie", "at the tie"), ("unordered", "at NaN")):
        pairs = [(getattr(mode.above, case), getattr(mode.below, case)) for mode in (forward, reverse)]
        if pairs[0] != pairs[1]:
            texts = [f"{above} and {below}" for above, below in pairs]
            parts.append(f"weights {texts[0]} {place} forward, {texts[1]} backward")
    if forward.gate != reverse.gate:
        says = {"select": "a weight 0 blocks inf and NaN", "mul": "a weight 0 multiplies (0 * inf is NaN)"}
        parts.append(
            f"{says[forward.gate]} forward, {'blocks' if reverse.gate == 'select' else 'multiplies'} backward"
        )
    return "; ".join(parts)
