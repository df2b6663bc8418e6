"""Formulas in inputs and atoms -> what the solver is told of the atoms in them, and of atoms in their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from cfcompiler.feasibility.atoms import BITS_OF_BOUNDS, Link, bounded, facts_of, monotone
from cfcompiler.feasibility.conditions import Constraint
from cfcompiler.feasibility.functions import Functions
from cfcompiler.feasibility.solver import Formula, places_in
from cfcompiler.polynomials import constant, variable, widened


def linked(functions: Functions, formulas: Sequence[Formula], total: int) -> tuple[list[Formula], bool]:
    """The facts, in `total` variables; whether they define the atoms, so that the solver's points are points."""
    links: dict[int, Link] = {}
    waiting = [place for place in places_in(formulas) if place in functions.atoms]
    while waiting:
        place = waiting.pop()
        if place not in links:
            links[place] = _link(functions, place, total)
            atom = functions.atoms[place]
            if atom.kind in ("sin", "cos"):
                waiting.append(_partner(functions, place))
            waiting += [own.place for poly in (atom.above, atom.below) for own in functions.within(poly)]
            waiting += [functions.finer[place][0]] if place in functions.finer else []
    facts: list[Formula] = []
    for place, link in sorted(links.items()):
        kind = functions.atoms[place].kind
        if not functions.atoms[place].inputs:
            facts += bounded(link.t, functions.ball(functions.generators[place], (), BITS_OF_BOUNDS))
        if place in functions.finer:
            finest, times = functions.finer[place]
            facts.append(Constraint(link.t - variable(total, finest) ** times, "="))
        facts += facts_of(functions.atoms[place], link)
        for other in (other for other in sorted(links) if other > place):
            alike = kind in ("exp", "log") and functions.atoms[other].kind == kind
            if alike and _plain(link) and _plain(links[other]):
                facts.append(monotone(kind, link, links[other]))
    return facts, all(functions.atoms[place].kind == "root" for place in links)


def _link(functions: Functions, place: int, total: int) -> Link:
    atom = functions.atoms[place]
    above, below = (widened(functions.polynomial(poly), total) for poly in (atom.above, atom.below))
    partner = variable(total, _partner(functions, place)) if atom.kind in ("sin", "cos") else None
    return Link(variable(total, place), above, below, partner)


def _partner(functions: Functions, place: int) -> int:
    """The cosine of a sine, and the other way round."""
    atom = functions.atoms[place]
    twin = functions.atom("cos" if atom.kind == "sin" else "sin", atom.above, atom.below)
    return next(k for k, own in enumerate(functions.generators) if own == twin)


def _plain(link: Link) -> bool:
    """Whether the argument is a polynomial."""
    return link.below == constant(link.below.variables, Fraction(1))
