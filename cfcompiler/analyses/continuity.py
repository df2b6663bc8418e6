"""Leaves -> is the program continuous at the point, and near it? Branches and steps need not agree at their seams.

Kinks are continuous by construction. Where a branch or a step is tied, two pieces must agree wherever both are
approached: on the seam where the switches that separate them vanish. At the point that is a comparison of numbers;
beside it, a difference that must vanish on the seam: by elimination, by divisibility, or because no point of the seam
near the point has another value. A jump beside the point, however near, means that f is not locally Lipschitz.
Source: theory S3.3 (the obligation of every branch), S5.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

from cfcompiler import numbers
from cfcompiler.analyses.landscape import Landscape
from cfcompiler.analyses.neighbourhood import Local
from cfcompiler.analyses.oracle import Sign
from cfcompiler.analyses.pieces import Leaf, Pieces
from cfcompiler.analyses.seams import Seam, agrees_on, stands_alone
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
NEARBY = Continuity("jumps nearby", "the program jumps at points arbitrarily near")


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
    """All pairs of pieces that differ, compared on their seam; then what is left open of the thin ones."""
    doubt = ""
    undecided: dict[int, Leaf] = {}
    for number, (first, second) in enumerate(_pairs(pieces, cells, thin)):
        if number == MOST_PAIRS:
            return Continuity("unknown", f"more than {MOST_PAIRS} pairs of pieces meet here")
        for one, other in zip(first.outputs, second.outputs, strict=True):
            if one is other:
                continue
            left = end - monotonic()
            found = agrees_on(pieces, _seam(first, second), one, other, max(0.05, min(2.0, left)))
            if found is False:
                return NEARBY
            if found is None:
                doubt = doubt or "whether two pieces agree on their seam could not be decided"
                undecided[id(second)] = second
    if not pieces.bounded and any(
        _is_alone(pieces, leaf, cells, max(0.1, min(2.0, end - monotonic())))
        for leaf in undecided.values()
        if leaf.thin
    ):
        return NEARBY
    return Continuity("unknown", doubt) if doubt else CONTINUOUS


def _pairs(pieces: Pieces, cells: Sequence[Leaf], thin: Sequence[Leaf]) -> Iterator[tuple[Leaf, Leaf]]:
    """The pairs that need not agree: another outcome somewhere, and other functions.

    Where all cells are cones and fill the space it is enough that they agree across walls, one switch apart, since
    one gets from any to any other through walls near every point; and that a thin cell agrees with those on whose
    edge it lies, which together hold all of its points.
    """
    fan = not pieces.bounded and all(leaf.affine for leaf in (*cells, *thin))
    for place, first in enumerate(cells):
        for second in (*cells[place + 1 :], *thin):
            if first.outcomes == second.outcomes or first.outputs == second.outputs:
                continue
            if not fan or _opposed(first, second) == (0 if second.thin else 1):
                yield first, second


def _opposed(first: Leaf, second: Leaf) -> int:
    """How many switches are positive on one of the cells and negative on the other."""
    signs = {sign.switch.key: sign.sign for sign in first.signs}
    return sum(signs.get(sign.switch.key, 0) * sign.sign < 0 and not sign.weak for sign in second.signs)


def _is_alone(pieces: Pieces, thin: Leaf, cells: Sequence[Leaf], seconds: float) -> bool:
    """Whether a thin piece has a value, arbitrarily near the point, that no cell has which may touch it there.

    Every point is in the closure of an open cell, so the program jumps at such points.
    """
    touching = [cell for cell in cells if not _opposed(cell, thin)]
    return any(
        stands_alone(pieces, thin.signs, own, [cell.outputs[place] for cell in touching], seconds)
        for place, own in enumerate(thin.outputs)
    )


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
    return Seam(tuple(equal), tuple(replace(sign, weak=False) for sign in one_sided))
