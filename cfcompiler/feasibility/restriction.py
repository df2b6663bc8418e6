"""A quotient on a region -> the same values there, without the inputs for which its equations are solved."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

from cfcompiler.feasibility.quotients import Entry, NotRational, Ratio
from cfcompiler.feasibility.region import Open, Region, Split
from cfcompiler.feasibility.regions import Regions


def on_region(regions: Regions, region: Region, entry: Entry, *, plain: bool = False) -> Entry:
    """The entry, or what it is equal to on the region; `plain`: only where it is solved for by a polynomial.

    An entry for which that would be too large, or would depend on a sign that is not known, stays as it is.
    """
    if not isinstance(entry, Ratio):
        return entry
    elementary = regions.elementary
    field, sign_of = elementary.field, partial(regions.sign, region)
    found: Entry = entry
    try:
        for pivot in region.pivots:
            if plain and not pivot.below.is_constant():
                continue
            value = field.ratio(pivot.above, pivot.below)
            above, below = (
                elementary.replaced(part, pivot.place, value, sign_of) for part in field.parts(found)
            )
            if isinstance(below, Ratio) or below != 0:
                found = field.div(above, below)
        if isinstance(found, Ratio) and regions.functions.atoms:
            found = field.ratio(*(regions.at_edges(region, part) for part in field.parts(found)))
    except (NotRational, Split, Open):
        return entry
    return Fraction(0) if _vanishes(region, found) else found


def _vanishes(region: Region, entry: Entry) -> bool:
    """Whether an equation of the region divides the entry."""
    if not isinstance(entry, Ratio):
        return False
    return any(
        entry.above.gcd(function.poly).total_degree() == function.poly.total_degree()
        for function in region.zeros
    )
