"""Program, point -> what AD returns there as polynomials in the numbers of the tie rules (`--tie NAME=NUMBER`).

One number for each rule that is tied, whatever the number of operations under it: the weight of the piece above (of the
first argument), the slope at the tie for abs. An extremum over many has weights by position: one number for each tied
entry but the last, which has what is left; so it can be only where the same entries are tied wherever the rule is.
The numbers of the preset, put in, give what AD returns: that is checked. Source: theory S4.1, S5.4 (iv).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.analyses.open_weights import Form, Place, as_form, cotangents, rows_of, unknown
from cfcompiler.analyses.ties_here import ordering_word
from cfcompiler.arithmetic import EXACT
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Instruction, Kink, Number, Program
from cfcompiler.numbers import Exact, compare
from cfcompiler.polynomials import Polynomial
from cfcompiler.ties import Reduction, slopes

_ZERO, _ONE = Fraction(0), Fraction(1)
_ORDERINGS = ("order", "argextremum", "cumargextremum")


@dataclass(frozen=True, slots=True)
class RuleUnknown:
    """The number of a rule: `here` in the preset (None where it is no one number), `low` to `high` its element set.

    Of an extremum over many the weight of the entry number `position` of `size`, from 0; `last` of the tied entries has
    what is left.
    """

    name: str
    rule: str
    here: Fraction | None
    low: Fraction
    high: Fraction
    position: int | None = None
    size: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class RulePolynomials:
    """`ad`: an entry for each output entry and input entry, joined. `fixed`: rules that keep the preset's, and why."""

    unknowns: tuple[RuleUnknown, ...]
    fixed: tuple[tuple[str, str], ...]
    ad: tuple[Polynomial, ...]


def rule_polynomials(
    program: Program, point: Mapping[str, Any], seeds: Sequence[Sequence[Any]], ad: Sequence[Exact]
) -> RulePolynomials:
    """The polynomials of the rows from each of `seeds`; `ad` is what AD returns, joined. Raises Undecided."""
    tied = _Tied(program, point)
    unknowns, fixed = tied.unknowns()
    weights = _Weights(tied.rule_of_kink, {one.rule for one in unknowns}, unknowns)
    rows = cotangents(program, point, seeds, weights)
    names = [one.name for one in unknowns]
    found = tuple(as_form(entry).over(names) for row in rows for entry in row)
    here = [one.here for one in unknowns if one.here is not None]
    if len(here) == len(unknowns):
        for polynomial, number in zip(found, ad, strict=True):
            if compare(polynomial.value(here), number) in (-1, 1, "unordered"):
                raise AssertionError(f"the numbers of the preset do not give what AD returns: {polynomial}")
    return RulePolynomials(unknowns, fixed, found)


class _Tied:
    """What is tied at the point: kinks by rule, extrema over many by rule, orderings."""

    def __init__(self, program: Program, point: Mapping[str, Any]) -> None:
        self.rule_of_kink: dict[str, str] = {}
        self.kinks: dict[str, set[tuple[Number, Number]]] = {}
        self.extrema: dict[str, set[tuple[Reduction, int, tuple[int, ...]]]] = {}
        self.orderings: dict[str, None] = {}
        for instruction in program.instructions:
            if isinstance(instruction, Kink):
                self.rule_of_kink[instruction.out.name] = instruction.tie.name
        run(program, point, EXACT, self._watch)

    def _watch(self, instruction: Instruction, values: Mapping[str, Any]) -> None:
        match instruction:
            case Kink(left=left, right=right, tie=tie):
                if np.any(EXACT.compare(values[left.name], values[right.name]) == 0):
                    pair = (tie.reverse.above.tie, tie.reverse.below.tie)
                    self.kinks.setdefault(tie.name, set()).add(pair)
            case Apply(op="extremum"):
                self._watch_extremum(instruction, values)
            case Apply(op=op) if op in _ORDERINGS:
                keys = np.moveaxis(values[instruction.args[0].name], instruction.attribute("axis"), 0)
                pairs = ((i, j) for i in range(len(keys)) for j in range(i))
                if any(np.any(EXACT.compare(keys[i], keys[j]) == 0) for i, j in pairs):
                    self.orderings[ordering_word(instruction)] = None
            case _:
                return

    def _watch_extremum(self, instruction: Apply, values: Mapping[str, Any]) -> None:
        x, axes = values[instruction.args[0].name], instruction.attribute("axes")
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(np.shape(x)))
        attained = EXACT.compare(x, np.reshape(values[instruction.out.name], kept)) == 0
        rule = instruction.attribute("rule")
        for _, places in rows_of(np.shape(x), axes):
            tied = tuple(k for k, place in enumerate(places) if attained[place])
            if len(tied) > 1:
                self.extrema.setdefault(rule.name, set()).add((rule, len(places), tied))

    def unknowns(self) -> tuple[tuple[RuleUnknown, ...], tuple[tuple[str, str], ...]]:
        """The unknowns, sorted by name, and what is fixed."""
        found = [_of_kink(rule, pairs) for rule, pairs in self.kinks.items()]
        fixed = [(word, "the order of equal keys has no weights") for word in self.orderings]
        for rule, ties in self.extrema.items():
            if rule in self.kinks:
                fixed.append((rule, "one setting of the rule is for two arguments, another for many"))
            elif len(ties) > 1:
                fixed.append((rule, "the weights are by position, and different positions are tied"))
            else:
                found.extend(_of_extremum(*next(iter(ties))))
        return tuple(sorted(found, key=lambda one: (one.rule, one.position or 0))), tuple(sorted(fixed))


def _of_kink(rule: str, pairs: set[tuple[Number, Number]]) -> RuleUnknown:
    above, below = slopes(rule)
    here = None
    if len(pairs) == 1:
        one, other = next(iter(pairs))
        if isinstance(one, Fraction) and isinstance(other, Fraction) and one + other == 1:
            here = below + one * (above - below)
    return RuleUnknown(rule, rule, here, Fraction(below), Fraction(above))


def _of_extremum(rule: Reduction, size: int, tied: tuple[int, ...]) -> list[RuleUnknown]:
    shares: Sequence[Fraction | None] = [None] * len(tied)
    if rule.tie == "split":
        shares = [Fraction(1, len(tied))] * len(tied)
    elif rule.tie in ("first", "last"):
        chosen = 0 if rule.tie == "first" else len(tied) - 1
        shares = [Fraction(k == chosen) for k in range(len(tied))]
    elif isinstance(rule.tie, tuple):
        own = [weight for k, weight in enumerate(rule.tie) if k in tied and isinstance(weight, Fraction)]
        total = sum(own, _ZERO)
        if len(own) == len(tied) and total:
            shares = [weight / total for weight in own]
    return [
        RuleUnknown(f"{rule.name}_{place + 1}", rule.name, share, _ZERO, _ONE, place, size, tied[-1])
        for place, share in zip(tied[:-1], shares, strict=False)
    ]


@dataclass(frozen=True, slots=True)
class _Weights:
    """The weights of every tie of a rule are its number, or what it leaves."""

    rule_of_kink: Mapping[str, str]
    rules: set[str]
    unknowns: tuple[RuleUnknown, ...]

    def covers_kink(self, kink: str) -> bool:
        return self.rule_of_kink[kink] in self.rules

    def covers_extremum(self, instruction: Apply) -> bool:
        rule = instruction.attribute("rule").name
        return any(one.rule == rule and one.position is not None for one in self.unknowns)

    def kink(self, kink: str, place: Place, piece: str) -> Form:
        rule = self.rule_of_kink[kink]
        above, below = slopes(rule)
        if piece == "below":
            above, below = below, above
        return unknown(rule, Fraction(1, above - below), Fraction(-below, above - below))

    def extremum(self, instruction: Apply, place: Place, tied: Sequence[int]) -> Sequence[Form]:
        rule = instruction.attribute("rule").name
        own = [unknown(f"{rule}_{k + 1}") for k in tied[:-1]]
        rest = {(): _ONE, **{names: -_ONE for form in own for names in form.terms}}
        return [*own, Form(rest)]
