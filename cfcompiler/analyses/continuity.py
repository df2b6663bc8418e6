"""Leaves -> is the program continuous at the point, and near it? Branches and steps need not agree at their seams.

Kinks are continuous by construction. Where a branch or a step is tied, two pieces must agree wherever both are
approached: on the seam where the switches that separate them vanish. At the point that is a comparison of numbers;
beside it, a difference that must vanish on the seam: by elimination, by divisibility, or because no point of the seam
near the point has another value. A jump beside the point, however near, means that f is not locally Lipschitz.
Source: theory S3.3 (the obligation of every branch), S5.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Literal

from cfcompiler import numbers
from cfcompiler.analyses.landscape import Landscape
from cfcompiler.analyses.neighbourhood import Local
from cfcompiler.analyses.pieces import Leaf, Pieces, Sign
from cfcompiler.analyses.seams import Seam, agrees_on
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.conditions import Arc

MOST_PAIRS = 4000


@dataclass(frozen=True, slots=True)
class Continuity:
    """`kind`: continuous near the point; a jump at it; jumps beside it, arbitrarily near; or unknown.

    At a jump: the value at the point, another value that is approached, and an arc along which it is.
    """

    kind: Literal["continuous", "jump", "jumps nearby", "unknown"]
    reason: str = ""
    here: tuple[numbers.Exact, ...] = ()
    nearby: tuple[numbers.Exact, ...] = ()
    arc: Arc | None = None


CONTINUOUS = Continuity("continuous")


def continuity_of(landscape: Landscape, here: Sequence[numbers.Exact], seconds: float) -> Continuity:
    """Whether the program is continuous near the point; `here` are its values there. Raises Undecided."""
    limits = landscape.limits
    if not landscape.pieces.joined or limits is None:
        return CONTINUOUS
    doubt = ""
    for limit in limits.proved:
        if not _equal(limit.leaf.outputs, here):
            return _jump(limit.leaf, here, limit.arc)
    for thin in landscape.thin:
        if not thin.doubt and not _equal(thin.leaf.outputs, here):
            return _jump(thin.leaf, here, thin.arc)
    uncertain = [(doubt.leaf, doubt.reason) for doubt in limits.doubtful]
    uncertain += [(thin.leaf, thin.doubt) for thin in landscape.thin if thin.doubt]
    for leaf, reason in uncertain:
        if not _equal(leaf.outputs, here):
            doubt = doubt or reason
    if doubt:
        return Continuity("unknown", f"whether the program jumps here: {doubt}")
    thin_leaves = [thin.leaf for thin in landscape.thin]
    return _beside(landscape.pieces, limits.leaves, thin_leaves, monotonic() + seconds)


def _jump(leaf: Leaf, here: Sequence[numbers.Exact], arc: Arc | None) -> Continuity:
    return Continuity(
        "jump", "the program jumps here", tuple(here), tuple(output.value for output in leaf.outputs), arc
    )


def _equal(outputs: Sequence[Local], here: Sequence[numbers.Exact]) -> bool:
    for output, value in zip(outputs, here, strict=True):
        code = numbers.compare(output.value, value)
        if code is None:
            raise Undecided("whether two pieces have one value here could not be decided")
        if code != 0:
            return False
    return True


def _beside(pieces: Pieces, cells: Sequence[Leaf], thin: Sequence[Leaf], end: float) -> Continuity:
    """All pairs of pieces that differ, compared on their seam."""
    pairs = [
        (first, second)
        for place, first in enumerate(cells)
        for second in (*cells[place + 1 :], *thin)
        if first.outputs != second.outputs and (first.joins or second.joins)
    ]
    if len(pairs) > MOST_PAIRS:
        return Continuity("unknown", f"more than {MOST_PAIRS} pairs of pieces meet here")
    doubt = ""
    for first, second in pairs:
        for one, other in zip(first.outputs, second.outputs, strict=True):
            if one is other:
                continue
            left = end - monotonic()
            found = agrees_on(pieces, _seam(first, second), one, other, max(0.05, min(2.0, left)))
            if found is False:
                return Continuity("jumps nearby", "the program jumps at points arbitrarily near")
            if found is None:
                doubt = doubt or "whether two pieces agree on their seam could not be decided"
    return Continuity("unknown", doubt) if doubt else CONTINUOUS


def _seam(first: Leaf, second: Leaf) -> Seam:
    """Where both pieces may be approached."""
    signs = {sign.switch.key: sign for sign in first.signs}
    equal: list[Sign] = []
    one_sided: list[Sign] = []
    for sign in second.signs:
        other = signs.pop(sign.switch.key, None)
        if other is None:
            (equal if sign.sign == 0 else one_sided).append(sign)
        elif other.sign != sign.sign:
            equal.append(Sign(sign.switch, 0, True))
        else:
            one_sided.append(sign)
    one_sided.extend(sign for sign in signs.values() if sign.sign)
    return Seam(tuple(equal), tuple(one_sided))
