"""Strata of rational programs -> descriptions of a union of some of them, as short as they are exact.

Where everything on which the equations of a stratum hold is in the union, the equations alone describe it; what is left
is described stratum by stratum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cfcompiler.analyses.general_texts import Texts
from cfcompiler.analyses.general_truth import Truth
from cfcompiler.feasibility.region import Region, Split


def described(
    texts: Texts, truths: Sequence[Truth], wanted: Callable[[int], bool], *, complete: bool
) -> tuple[str, ...]:
    """Texts for the union of the wanted strata (by place), largest first. `complete`: the strata are all there are."""
    family = sorted((k for k in range(len(truths)) if wanted(k)), key=lambda k: -truths[k].dimension)
    covered: set[int] = set()
    found: list[str] = []
    for place in family:
        region = truths[place].region
        if place in covered:
            continue
        members = (
            _members(texts, truths, region) if complete and region.zeros and truths[place].dimension else None
        )
        if members is not None and all(wanted(k) for k in members):
            covered.update(members)
            found.append(texts.place(_plain(region)))
        else:
            covered.add(place)
            found.append(texts.place(region))
    return tuple(dict.fromkeys(found))


def _plain(region: Region) -> Region:
    """The equations alone."""
    return replace(region, signs=dict.fromkeys(region.zeros, 0), mixed=())


def _members(texts: Texts, truths: Sequence[Truth], region: Region) -> list[int] | None:
    """The strata on which the equations hold; None where some stratum is partly there."""
    found = []
    for place, truth in enumerate(truths):
        try:
            signs = [texts.regions.sign(truth.region, function.poly) for function in region.zeros]
        except Split:
            return None
        if not any(signs):
            found.append(place)
    return found
