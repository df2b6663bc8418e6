"""Strata as signs of expressions -> fewer sets with the same union.

    x = 0, y > 0  and  x = 0, y < 0            ->  x = 0, y != 0
    x = 0, y != 0  and  x = 0, y = 0           ->  x = 0

Two sets that differ in the sign of one expression alone are one set, in which it has either sign; where it may have all
signs it says nothing. No other sets are joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cfcompiler.report import StratumReport

MOST_STRATA = 300  # that are compared in pairs
ALL = frozenset((-1, 0, 1))
_RELATION = re.compile(r"([^|]*) ([<>]) 0")
_DIFFERENT = re.compile(r"Ne\(([^|]*), 0\)")
_WORDS = {(0,): "=", (1,): ">", (-1,): "<", (0, 1): ">=", (-1, 0): "<=", (-1, 1): "!="}


@dataclass(frozen=True, slots=True)
class SignSet:
    """The points where each expression has one of its signs, and the `others` hold; `count` strata make it up."""

    signs: tuple[tuple[str, frozenset[int]], ...]
    others: tuple[str, ...]
    count: int

    @property
    def text(self) -> str:
        """`x = 0, y > 0`; "everywhere" for all points."""
        words = [f"{expression} {_WORDS[tuple(sorted(own))]} 0" for expression, own in self.signs]
        return ", ".join([*words, *map(_said, self.others)]) or "everywhere"


def _said(text: str) -> str:
    """`Ne(x, 0) | Ne(y, 0)`, which SymPy reads, as `x != 0 or y != 0`."""
    parts = [_DIFFERENT.fullmatch(part) for part in text.split(" | ")]
    words = [f"{match[1]} != 0" for match in parts if match]
    return " or ".join(words) if len(words) == len(parts) else text


def merged(strata: Sequence[StratumReport]) -> tuple[SignSet, ...]:
    """Sets with the union of the strata, those of most strata first."""
    found = [_set(stratum) for stratum in strata]
    if len(found) <= MOST_STRATA:
        while (pair := next(_joined(found), None)) is not None:
            first, second, both = pair
            found[first] = both
            del found[second]
    return tuple(sorted(found, key=lambda own: -own.count))


def _set(stratum: StratumReport) -> SignSet:
    signs: dict[str, frozenset[int]] = {equation: frozenset((0,)) for equation in stratum.equations}
    others = []
    for text in stratum.inequalities:
        relation, different = _RELATION.fullmatch(text), _DIFFERENT.fullmatch(text)
        if relation is not None:
            expression, own = relation[1], frozenset((1 if relation[2] == ">" else -1,))
        elif different is not None:
            expression, own = different[1], frozenset((-1, 1))
        else:
            others.append(text)
            continue
        signs[expression] = signs.get(expression, ALL) & own
    return SignSet(tuple(signs.items()), tuple(others), 1)


def _joined(sets: Sequence[SignSet]) -> Iterator[tuple[int, int, SignSet]]:
    """Two sets by their places, and what they are together."""
    near: dict[object, list[int]] = {}
    for place, own in enumerate(sets):
        for expression, _ in own.signs:
            rest = frozenset(entry for entry in own.signs if entry[0] != expression)
            key = (expression, rest, frozenset(own.others))
            for other in near.get(key, ()):
                yield other, place, _union(sets[other], own, expression)
            near.setdefault(key, []).append(place)


def _union(one: SignSet, other: SignSet, expression: str) -> SignSet:
    own = dict(one.signs)[expression] | dict(other.signs)[expression]
    signs = _replaced(one.signs, expression, own)
    return SignSet(tuple(signs), one.others, one.count + other.count)


def _replaced(
    signs: Iterable[tuple[str, frozenset[int]]], expression: str, own: frozenset[int]
) -> Iterator[tuple[str, frozenset[int]]]:
    for name, before in signs:
        if name != expression:
            yield name, before
        elif own != ALL:
            yield name, own
