"""Columns and a target -> the target as a nonnegative combination of columns, or a hyperplane between them.

That one of the two exists is Farkas' lemma. The method is the first phase of the revised simplex method, exact over an
ordered ring. Columns are not listed but asked for: a pricing function gets y and returns a column a with <y, a> > 0, or
None. So a sum of k segments, which has 2**k vertices, needs no list.

It terminates because each step makes (y.b, y) smaller in the lexicographic order, for ties of the ratio test are broken
lexicographically (Dantzig, Orden & Wolfe 1955). Bland's rule (1977) terminates too, but prescribes which column enters;
here any may, and the one with the largest product takes fewer steps. The inverse of the basis is kept as integers over
one determinant (Edmonds 1967).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from cfcompiler.feasibility.rings import Element, Ring, Row, dot

Label = TypeVar("Label")
# A column and its name.
Column: TypeAlias = tuple[Label, Row]
Pricing: TypeAlias = Callable[[Row], Column[Label] | None]


@dataclass(frozen=True, slots=True)
class Inside(Generic[Label]):
    """sum of weights[i] * column[labels[i]] = denominator * target, with weights >= 0 and denominator > 0."""

    labels: tuple[Label, ...]
    weights: Row
    denominator: Element


@dataclass(frozen=True, slots=True)
class Outside:
    """<normal, a> <= 0 for every column a, and <normal, target> > 0."""

    normal: Row


def cone(ring: Ring, target: Row, pricing: Pricing[Label]) -> Inside[Label] | Outside:
    """Whether a target of length m lies in the cone of columns of length m.

    Raises numbers.Undecided where a sign cannot be proved.
    """
    size = len(target)
    labels: list[Label | None] = [None] * size  # None: an artificial variable
    # A row is (basic value, row of the inverse), each times the determinant; lexicographically positive.
    rows = [_first_row(ring, target, place) for place in range(size)]
    determinant: Element = 1
    while True:
        artificial = [row for row, label in zip(rows, labels, strict=True) if label is None]
        if ring.sign(sum(row[0] for row in artificial)) == 0:
            return _inside(labels, rows, determinant)
        normal = tuple(map(sum, zip(*artificial, strict=True)))[1:]
        entering = pricing(normal)
        if entering is None:
            return Outside(normal)
        label, column = entering
        changes = [dot(column, row[1:]) for row in rows]
        place = _leaving(ring, rows, changes)
        rows = _pivoted(rows, changes, place, determinant)
        determinant = changes[place]
        labels[place] = label


def _first_row(ring: Ring, target: Row, place: int) -> list[Element]:
    negative = ring.sign(target[place]) < 0
    unit = [0] * len(target)
    unit[place] = -1 if negative else 1
    return [-target[place] if negative else target[place], *unit]


def _inside(
    labels: Sequence[Label | None], rows: Sequence[Sequence[Element]], determinant: Element
) -> Inside[Label]:
    basic = [(label, row[0]) for label, row in zip(labels, rows, strict=True) if label is not None]
    return Inside(tuple(label for label, _ in basic), tuple(x for _, x in basic), determinant)


def _leaving(ring: Ring, rows: Sequence[Sequence[Element]], changes: Sequence[Element]) -> int:
    """The place of the lexicographically least row / change among those with a positive change."""
    places = [place for place, change in enumerate(changes) if ring.sign(change) > 0]
    best = places[0]
    for place in places[1:]:
        if _before(ring, rows[place], changes[place], rows[best], changes[best]):
            best = place
    return best


def _before(ring: Ring, x: Sequence[Element], by_x: Element, y: Sequence[Element], by_y: Element) -> bool:
    for a, b in zip(x, y, strict=True):
        order = ring.sign(a * by_y - b * by_x)
        if order:
            return order < 0
    raise AssertionError("two rows of an inverse are proportional")


def _pivoted(
    rows: Sequence[list[Element]], changes: Sequence[Element], place: int, determinant: Element
) -> list[list[Element]]:
    pivot, leaving = changes[place], rows[place]
    out = []
    for row, change in zip(rows, changes, strict=True):
        if row is leaving:
            out.append(row)
        else:
            out.append([(a * pivot - b * change) // determinant for a, b in zip(row, leaving, strict=True)])
    return out


def steepest(ring: Ring, columns: Sequence[Row]) -> Pricing[int]:
    """The pricing of listed columns, labelled by their places: the largest product over Z, else the first positive."""

    def priced(normal: Row) -> Column[int] | None:
        products = [dot(normal, column) for column in columns]
        if not ring.generators:
            most = max(products, default=0)
            place = products.index(most) if most > 0 else None
        else:
            place = next((k for k, product in enumerate(products) if ring.sign(product) > 0), None)
        return None if place is None else (place, columns[place])

    return priced
