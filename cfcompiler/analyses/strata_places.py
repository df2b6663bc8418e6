"""Affine sets of inputs -> texts: equations, inequalities, and descriptions of unions, as short as they are exact.

A description is a conjunction of relations, such as "x == y and x > 0", which SymPy parses one by one. `described`
covers a family of strata: where all strata that meet an affine set (or an open half of it) are in it and of the family,
the set is named by its equations alone; what is left is named one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from operator import mul
from typing import Any, TypeAlias

from cfcompiler.analyses.affine_forms import Entry, Form
from cfcompiler.feasibility.faces import Stratum, Vertex
from cfcompiler.feasibility.lattice import Integers
from cfcompiler.number_text import to_text

Names: TypeAlias = Sequence[tuple[str, tuple[int, ...]]]
MOST_COMPARISONS = 300_000  # of strata with sets, in one description


def coordinate_text(name: str, place: tuple[int, ...]) -> str:
    """`x` or `v[0]`."""
    return name + (f"[{', '.join(map(str, place))}]" if place else "")


def form_text(entry: Entry, names: Names) -> str:
    """An entry of a value: `x/2 - 1`."""
    if not isinstance(entry, Form):
        return to_text(entry)
    text = linear_text(entry.terms, names)
    if entry.divisor == 1:
        return text
    single = sum(1 for term in entry.terms if term) == 1
    return f"{text}/{entry.divisor}" if single else f"({text})/{entry.divisor}"


def linear_text(terms: Sequence[int], names: Names) -> str:
    """terms[0] + terms[1] x_1 + ..., the constant last; "0" for nothing."""
    parts: list[str] = []
    for factor, (name, place) in zip(terms[1:], names, strict=True):
        if factor:
            size = "" if abs(factor) == 1 else f"{abs(factor)}*"
            parts += ["-" if factor < 0 else "+", size + coordinate_text(name, place)]
    if terms[0]:
        parts += ["-" if terms[0] < 0 else "+", str(abs(terms[0]))]
    if not parts:
        return "0"
    first = parts[1] if parts[0] == "+" else "-" + parts[1]
    return " ".join([first, *parts[2:]])


def oriented(terms: Integers) -> Integers:
    """The function or its negative: the first coefficient is positive."""
    lead = next((entry for entry in terms[1:] if entry), terms[0])
    return terms if lead > 0 else tuple(-entry for entry in terms)


def relation(terms: Integers, sign: str, names: Names) -> str:
    """`terms sign 0`, where sign is "==" or ">", with nothing negative on either side: "x == y", "y < 2*x + 1"."""
    turned = oriented(terms)
    if turned != terms and sign == ">":
        sign = "<"
    left = tuple(max(entry, 0) for entry in turned)
    right = tuple(max(-entry, 0) for entry in turned)
    if sum(1 for entry in turned[1:] if entry) == 1:  # one coordinate alone
        factor = next(entry for entry in turned[1:] if entry)
        alone = (0, *(int(bool(entry)) for entry in turned[1:]))
        return f"{linear_text(alone, names)} {sign} {to_text(Fraction(-turned[0], factor))}"
    return f"{linear_text(left, names)} {sign} {linear_text(right, names)}"


def inequality_text(terms: Integers, names: Names) -> str:
    """`x + y > 0`, or `x + y < 0` where that has the friendlier function."""
    turned = oriented(terms)
    return f"{linear_text(turned, names)} {'>' if turned == terms else '<'} 0"


def place_text(stratum: Stratum[Any], names: Names) -> str:
    """The set of one stratum; "everywhere" for all inputs."""
    relations = [relation(function, "==", names) for function in reduced(stratum.equations)]
    relations += [relation(function, ">", names) for function in reversed(stratum.inequalities)]
    return " and ".join(relations) or "everywhere"


def reduced(equations: Sequence[Integers]) -> tuple[Integers, ...]:
    """The same affine set by equations in reduced echelon form: equal sets have equal equations."""
    rows = [[Fraction(entry) for entry in (*function[1:], function[0])] for function in equations]
    done: list[list[Fraction]] = []
    for column in range(len(rows[0]) - 1 if rows else 0):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        pivot = [entry / pivot[column] for entry in pivot]
        rows = [[a - row[column] * b for a, b in zip(row, pivot, strict=True)] for row in rows]
        done = [[a - row[column] * b for a, b in zip(row, pivot, strict=True)] for row in done]
        done.append(pivot)
    return tuple(_integral(row) for row in done)


def _integral(row: Sequence[Fraction]) -> Integers:
    from math import gcd, lcm

    divisor = lcm(*(entry.denominator for entry in row))
    whole = [int(entry * divisor) for entry in (row[-1], *row[:-1])]
    common = gcd(*whole)
    return tuple(entry // common for entry in whole)


# descriptions of families


@dataclass(frozen=True, slots=True)
class _Set:
    """An affine set, or an open half of it."""

    equations: tuple[Integers, ...]
    half: Integers | None = None

    def holds(self, stratum: Stratum[Any]) -> bool | None:
        """Whether the stratum is a part of the set; False where it is apart, None where it may be cut by it."""
        sides = [side_of(function, stratum.vertices) for function in self.equations]
        half = 1 if self.half is None else side_of(self.half, stratum.vertices)
        if any(side in (1, -1) for side in sides) or half in (0, -1):
            return False
        return True if half == 1 and not any(side is None for side in sides) else None

    def text(self, names: Names) -> str:
        relations = [relation(function, "==", names) for function in self.equations]
        relations += [relation(self.half, ">", names)] if self.half is not None else []
        return " and ".join(relations) or "everywhere"


def side_of(function: Integers, vertices: Sequence[Vertex]) -> int | None:
    """The sign of an affine function on a relatively open set; None where it has several."""
    found: set[int] = set()
    for vertex in vertices:
        value = sum(map(mul, function[1:], vertex.far)) if vertex.far is not None else 0
        value = value or sum(map(mul, function, vertex.finite))
        found.add((value > 0) - (value < 0))
    return None if {1, -1} <= found else 1 if 1 in found else -1 if -1 in found else 0


@dataclass(frozen=True, slots=True)
class Described:
    """A text for a union of strata, with their indices."""

    text: str
    members: tuple[int, ...]


def described(
    strata: Sequence[Stratum[Any]], wanted: Callable[[int], bool], names: Names, *, complete: bool
) -> tuple[Described, ...]:
    """The union of the wanted strata (by index) as few texts, largest first. `complete`: they are all there are."""
    family = [place for place in range(len(strata)) if wanted(place)]
    family.sort(key=lambda place: -strata[place].dimension)
    covered: set[int] = set()
    found: list[Described] = []
    hulls: dict[tuple[Integers, ...], list[int]] = {}
    for place in family:
        hulls.setdefault(reduced(strata[place].equations), []).append(place)
    if complete and len(hulls) * len(strata) <= MOST_COMPARISONS:
        for whole in (whole for hull, own in hulls.items() for whole in _sets(hull, own, strata, covered)):
            members = _members(whole, strata, wanted)
            if not covered.issuperset(members):
                covered.update(members)
                found.append(Described(whole.text(names), tuple(members)))
    for place in family:
        if place not in covered:
            covered.add(place)
            found.append(Described(place_text(strata[place], names), (place,)))
    sizes = {entry: max(strata[place].dimension for place in entry.members) for entry in found}
    return tuple(sorted(found, key=lambda entry: (-sizes[entry], entry.text)))


def _members(whole: _Set, strata: Sequence[Stratum[Any]], wanted: Callable[[int], bool]) -> list[int]:
    """The strata that make up a set; none where it is not a union of wanted ones, or that is not seen."""
    members = []
    for place, stratum in enumerate(strata):
        held = whole.holds(stratum)
        if held is None or (held and not wanted(place)):
            return []
        if held:
            members.append(place)
    return members


def _sets(
    hull: tuple[Integers, ...], own: Sequence[int], strata: Sequence[Stratum[Any]], covered: Set[int]
) -> Iterator[_Set]:
    """An affine set and its halves, as long as not all of its `own` strata are covered."""
    halves = dict.fromkeys(function for place in own for function in strata[place].inequalities)
    for half in (None, *halves):
        if all(place in covered for place in own):
            return
        yield _Set(hull, half)


def row_of(entries: Sequence[Any], names: Names, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Texts by coordinate as a row: nested lists for arrays."""
    row: dict[str, Any] = {}
    start = 0
    for name in dict.fromkeys(name for name, _ in names):
        size = 1
        for length in shapes[name]:
            size *= length
        row[name] = _nested([to_text(entry) for entry in entries[start : start + size]], shapes[name])
        start += size
    return row


def _nested(flat: Sequence[str], shape: tuple[int, ...]) -> Any:
    if not shape:
        return flat[0]
    step = len(flat) // shape[0] if shape[0] else 0
    return [_nested(flat[place * step : (place + 1) * step], shape[1:]) for place in range(shape[0])]
