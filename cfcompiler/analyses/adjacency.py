"""Leaf -> does its cell touch the point? The question of feasibility/touching.py, asked for signs of functions.

Polynomial switches are handed over whole. Others are handed over as Taylor polynomials, with constraints that hold in
small boxes for a "no" and with series along arcs for a "yes". With one input no solver is needed: a cell is one side.
"""

from __future__ import annotations

from fractions import Fraction

from cfcompiler.analyses.arcs import along, straight
from cfcompiler.analyses.enclosures import enclosed
from cfcompiler.analyses.neighbourhood import Local
from cfcompiler.analyses.oracle import Sign
from cfcompiler.analyses.pieces import Leaf, Pieces
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.conditions import (
    Answer,
    AnyRelation,
    Arc,
    Budget,
    Condition,
    Open,
    Relation,
    Relaxation,
    System,
    Touches,
)
from cfcompiler.feasibility.leading import OpenRays, open_direction
from cfcompiler.feasibility.touching import touches

TAYLOR_DEGREE = 6  # of switches that are not polynomial


def system_of(pieces: Pieces, signs: tuple[Sign, ...], *, weak: tuple[Sign, ...] = ()) -> System:
    """The conditions of a cell in local coordinates; those in `weak` may also vanish.

    Raises Undecided where a switch has no Taylor polynomial.
    """
    conditions = tuple(_condition(pieces, sign, sign.weak or sign in weak) for sign in signs)
    if all(condition.exact for condition in conditions):
        return System(pieces.near.dimension, conditions)
    return System(
        pieces.near.dimension,
        conditions,
        lambda radius: _relaxation(pieces, signs, weak, radius),
        lambda arc: holds_along(pieces, signs, arc),
    )


def _relation(sign: Sign, weak: bool) -> Relation:
    return "=" if sign.sign == 0 else ">=" if weak else ">"


def _condition(pieces: Pieces, sign: Sign, weak: bool) -> Condition:
    relation = _relation(sign, weak)
    turn = Fraction(sign.sign or 1)
    if sign.switch.polynomial is not None:
        return Condition(sign.switch.polynomial.scaled(turn), True, relation)
    jet = pieces.jets.taylor(sign.switch.function, TAYLOR_DEGREE)
    return Condition(jet.scaled(turn), False, relation, TAYLOR_DEGREE)


def _relaxation(
    pieces: Pieces, signs: tuple[Sign, ...], weak: tuple[Sign, ...], radius: Fraction
) -> Relaxation | None:
    wanted: list[tuple[Local, int, AnyRelation]] = [
        (sign.switch.function, sign.sign or 1, _relation(sign, sign.weak or sign in weak)) for sign in signs
    ]
    return enclosed(pieces.jets, wanted, radius)


def holds_along(pieces: Pieces, signs: tuple[Sign, ...], arc: Arc) -> bool:
    """Whether all signs are proved to hold along an arc for all small t > 0."""
    functions = along(pieces.near, arc)
    try:
        return all(
            functions.sign(sign.switch.function) in ((sign.sign, 0) if sign.weak else (sign.sign,))
            for sign in signs
        )
    except Undecided:
        return False


def touching(pieces: Pieces, leaf: Leaf, budget: Budget) -> Answer:
    """Whether the point is in the closure of the cell of a leaf."""
    if leaf.affine:
        return Touches(straight(leaf.ray), "a ray in an affine cone", "certificate")
    try:
        return touches(system_of(pieces, leaf.signs), budget)
    except Undecided as problem:
        return Open(problem.reason)


def met_along_rays(pieces: Pieces, leaf: Leaf, budget: Budget) -> bool | None:
    """Whether an open set of rays from the point runs in the cell; None where that is open."""
    if leaf.affine and not leaf.thin:
        return True
    try:
        found = open_direction(system_of(pieces, leaf.signs), budget.start())
    except Undecided:
        return None
    return None if isinstance(found, Open) else isinstance(found, OpenRays)
