"""The numbers that tie rules may have: an interval for each, a simplex for the weights of an extremum over many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from cfcompiler.analyses.rule_polynomials import RuleUnknown
from cfcompiler.number_text import to_text
from cfcompiler.numbers import Finite
from cfcompiler.polynomials import Polynomial, constant, plus, times, variable

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class ElementSets:
    """The product of the element sets of some unknowns."""

    unknowns: tuple[RuleUnknown, ...]

    def groups(self) -> list[list[int]]:
        """The unknowns of one rule together."""
        groups: dict[str, list[int]] = {}
        for place, one in enumerate(self.unknowns):
            groups.setdefault(one.rule, []).append(place)
        return list(groups.values())

    def is_affine_in_each(self, one: Polynomial) -> bool:
        return all(
            sum(exponents[place] for place in group) <= 1
            for exponents in one.terms
            for group in self.groups()
        )

    def corners(self) -> Iterator[tuple[Fraction, ...]]:
        """The vertices of the product of the element sets, where a function that is affine in each has its minimum."""
        choices = []
        for group in self.groups():
            if self.unknowns[group[0]].position is None:
                (place,) = group
                choices.append([{place: self.unknowns[place].low}, {place: self.unknowns[place].high}])
            else:
                choices.append([{k: Fraction(k == one) for k in group} for one in (*group, None)])
        for chosen in product(*choices):
            values = {place: x for part in chosen for place, x in part.items()}
            yield tuple(values[place] for place in range(len(self.unknowns)))

    def inequalities(self) -> list[Polynomial]:
        """Polynomials that are >= 0 exactly on the product of the element sets."""
        count = len(self.unknowns)
        found = []
        for place, one in enumerate(self.unknowns):
            found.append(variable(count, place) - constant(count, one.low))
            found.append(constant(count, one.high) - variable(count, place))
        for group in self.groups():
            rest = constant(count, _ONE)
            for place in group:
                rest = rest - variable(count, place)
            if self.unknowns[group[0]].position is not None:
                found.append(rest)
        return found

    def grid(self) -> Iterator[tuple[Fraction, ...]]:
        """The ends and the middle of each unknown, in all combinations."""
        ends = [
            dict.fromkeys((one.low, one.high, one.low + (one.high - one.low) / 2)) for one in self.unknowns
        ]
        return product(*ends)

    def middle(self) -> tuple[Fraction, ...]:
        sizes = {group[0]: len(group) for group in self.groups()}
        by_rule = {self.unknowns[place].rule: size for place, size in sizes.items()}
        return tuple(
            one.low + (one.high - one.low) / (2 if one.position is None else by_rule[one.rule] + 1)
            for one in self.unknowns
        )

    def typed(self, values: tuple[Finite, ...] | None, asked: set[int]) -> tuple[tuple[str, str], ...] | None:
        """The values of the rules that matter, as `--tie` takes them."""
        if values is None:
            return None
        found = []
        for group in self.groups():
            one = self.unknowns[group[0]]
            if not asked & set(group) and asked:
                continue
            found.append(
                (
                    one.rule,
                    to_text(values[group[0]]) if one.position is None else self._weights(group, values),
                )
            )
        return tuple(found)

    def _weights(self, group: list[int], values: Sequence[Finite]) -> str:
        """Weights by position; entries that are not tied get 0, but for the last tied one, which has what is left."""
        one = self.unknowns[group[0]]
        weights: list[Finite] = [_ZERO] * one.size
        left: Finite = _ONE
        for place in group:
            position = self.unknowns[place].position
            assert position is not None
            weights[position] = values[place]
            left = plus(left, times(-_ONE, values[place]))
        weights[one.last] = left
        return ",".join(map(to_text, weights))
