"""Cells of strata, and cells of which nothing is known yet -> the strata of which all that touches them is known.

What is said of a stratum depends on the strata whose closures meet it, and on theirs along the way. So a stratum is
left out where the closure of an unknown cell meets it, or that of a stratum that is left out itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from cfcompiler.feasibility.lattice import Cell


def finished(strata: Sequence[Sequence[Cell]], unknown: Sequence[Cell]) -> list[bool]:
    """For each stratum, given by its cells, whether it is known with all that touches it."""
    known = [True] * len(strata)
    met: set[Cell] = set()
    waiting = list(unknown)
    while waiting:
        close(waiting, met)
        waiting = []
        for place, cells in enumerate(strata):
            if known[place] and any(cell in met for cell in cells):
                known[place] = False
                waiting += [cell for cell in cells if cell not in met]
    return known


def close(cells: Sequence[Cell], met: set[Cell]) -> None:
    """Adds to `met` the cells and all in their closures; what is in it is closed already."""
    waiting = list(cells)
    while waiting:
        cell = waiting.pop()
        if cell not in met:
            met.add(cell)
            waiting += cell.boundary()
