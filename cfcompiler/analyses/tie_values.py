"""Program -> does each operation return, at its tie, an element of its element set?

The element set of a kink is the segment between the gradients of its two pieces, of a maximum the hull of the unit
vectors of what is tied. What leaves the set in the affine hull is still conservative and no Clarke subgradient of the
operation; what leaves the affine hull is not conservative.

Source: theory S3.1; Bolte & Pauwels 2021, Theorem 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cfcompiler.analyses.sites import place_of
from cfcompiler.ir import Apply, Kink, Number, Program, TieMode
from cfcompiler.report import Place
from cfcompiler.source import NOWHERE

Where = Literal["inside", "affine", "outside", "unknown"]
_ORDER: tuple[Where, ...] = ("inside", "affine", "unknown", "outside")
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class TieValue:
    """What an operation returns at its tie: where that lies, and the words for it."""

    where: Where
    what: str
    place: Place


def tie_values(program: Program) -> Iterator[TieValue]:
    """Each operation that has a choice at a tie, in program order."""
    definitions = {item.out.name: item for item in program.instructions}
    for instruction in program.instructions:
        match instruction:
            case Kink():
                found = [_of_kink(instruction, mode, definitions) for mode in _modes(instruction)]
                where, what = max(found, key=lambda item: _ORDER.index(item[0]))
                place = place_of(instruction.span, instruction.tie.name)
            case Apply(op="extremum"):
                where, what = _of_extremum(instruction)
                place = place_of(instruction.span, instruction.attribute("rule").name)
            case _:
                continue
        if instruction.span != NOWHERE:
            yield TieValue(where, what, place)


def _modes(kink: Kink) -> tuple[TieMode, ...]:
    return (kink.tie.reverse, kink.tie.forward)


def _of_kink(kink: Kink, mode: TieMode, definitions: Mapping[str, object]) -> tuple[Where, str]:
    above, below = mode.above.tie, mode.below.tie
    name = kink.tie.name
    if isinstance(above, str) or isinstance(below, str):
        return "outside", f"{name} returns {above if isinstance(above, str) else below} at its tie"
    slopes = _slopes(kink, definitions)
    if slopes is not None:
        value = above * slopes[0] + below * slopes[1]
        what = f"{name} has the slope {value} at its tie, between {min(slopes)} and {max(slopes)}"
        if min(slopes) <= value <= max(slopes):
            return "inside", what
        what = what.replace(", between", ", not between")
        return ("affine" if slopes[0] != slopes[1] else "outside"), what
    what = f"{name} weighs its pieces by {above} and {below} at its tie"
    if above + below != 1:
        return "outside", f"{what}, which do not add up to 1"
    return ("inside" if above >= 0 and below >= 0 else "affine"), what


def _slopes(kink: Kink, definitions: Mapping[str, object]) -> tuple[Fraction, Fraction] | None:
    """The slopes of both pieces by the one argument that is compared with a constant; None where there is no such."""
    for argument, bound in ((kink.left, kink.right), (kink.right, kink.left)):
        if not _is_constant(bound.name, definitions) or _is_constant(argument.name, definitions):
            continue
        above = _slope(kink.above.name, argument.name, definitions)
        below = _slope(kink.below.name, argument.name, definitions)
        if above is not None and below is not None:
            return above, below
    return None


def _is_constant(name: str, definitions: Mapping[str, object]) -> bool:
    found = definitions.get(name)
    if not isinstance(found, Apply):
        return False
    if found.op in ("broadcast", "reshape", "neg"):
        return _is_constant(found.args[0].name, definitions)
    return found.op in ("constant", "array")


def _slope(name: str, argument: str, definitions: Mapping[str, object]) -> Fraction | None:
    """The slope of a piece that is a multiple of the argument, or a constant."""
    if name == argument:
        return _ONE
    if _is_constant(name, definitions):
        return _ZERO
    found = definitions.get(name)
    if not isinstance(found, Apply):
        return None
    if found.op in ("broadcast", "reshape"):
        return _slope(found.args[0].name, argument, definitions)
    if found.op == "neg":
        inner = _slope(found.args[0].name, argument, definitions)
        return None if inner is None else -inner
    if found.op == "mul":
        for factor, other in (found.args, found.args[::-1]):
            number = _number(factor.name, definitions)
            inner = _slope(other.name, argument, definitions)
            if number is not None and inner is not None:
                return number * inner
    return None


def _number(name: str, definitions: Mapping[str, object]) -> Fraction | None:
    found = definitions.get(name)
    if isinstance(found, Apply) and found.op == "constant":
        value: Number = found.attribute("value")
        return value if isinstance(value, Fraction) else None
    return None


def _of_extremum(instruction: Apply) -> tuple[Where, str]:
    rule = instruction.attribute("rule")
    if rule.tie == "all":
        return "outside", f"{rule.name} gives each of several equal entries the weight 1"
    if isinstance(rule.tie, str):
        return "inside", f"{rule.name} gives equal entries weights that add up to 1"
    weights = [weight for weight in rule.tie if isinstance(weight, Fraction)]
    if len(weights) < len(rule.tie):
        return "outside", f"{rule.name} returns nan at its tie"
    what = f"{rule.name} divides {', '.join(map(str, weights))} by the sum of what is tied"
    if all(weight >= 0 for weight in weights):
        return "inside", what
    return "affine", what
