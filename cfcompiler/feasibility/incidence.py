"""Cells of a lattice and their strata -> faces, with what touches them.

What touches a cell is found downwards: a full-dimensional cell touches itself and whatever its facets contain, through
all dimensions. The complex is face to face, so this is all: a closure that meets a cell contains it.
"""

from __future__ import annotations

from collections.abc import Sequence

from cfcompiler.feasibility.faces import Face, Vertex
from cfcompiler.feasibility.finished import close
from cfcompiler.feasibility.lattice import Cell, Lattice


def incidence(
    lattice: Lattice, ordered: Sequence[tuple[Cell, int]], full: int, outside: Sequence[Cell]
) -> tuple[Face, ...]:
    """The faces of cells that are given in the order of their dimensions, each with the index of its stratum.

    `full` is the dimension of the region. Facets and cofaces are among the cells given; the full-dimensional strata
    that touch a face are found through other cells too: those outside of the region or the domain lie between as well.
    `outside`: full-dimensional cells outside of the domain.
    """
    index = {cell: place for place, (cell, _) in enumerate(ordered)}
    touching = _touching(ordered, full)
    facets: list[tuple[int, ...]] = []
    cofaces: list[list[int]] = [[] for _ in ordered]
    for place, (cell, _) in enumerate(ordered):
        facets.append(tuple(index[facet] for facet in cell.boundary() if facet in index))
        for lower in facets[-1]:
            cofaces[lower].append(place)
    vertices = _Vertices(lattice)
    edge: set[Cell] = set()
    close(outside, edge)
    return tuple(
        Face(
            place,
            cell.dimension,
            stratum,
            tuple(sorted(touching[cell])),
            facets[place],
            tuple(cofaces[place]),
            tuple([vertices[vertex] for vertex in cell.vertices]),
            cell.conditions,
            cell in edge,
        )
        for place, (cell, stratum) in enumerate(ordered)
    )


def _touching(ordered: Sequence[tuple[Cell, int]], full: int) -> dict[Cell, set[int]]:
    """The full-dimensional strata whose closure contains a cell, for the cells given and all on their boundaries."""
    touching: dict[Cell, set[int]] = {}
    levels: list[list[Cell]] = [[] for _ in range(full + 1)]
    for cell, stratum in ordered:
        levels[cell.dimension].append(cell)
        touching[cell] = {stratum} if cell.dimension == full else set()
    for level in range(full, 0, -1):
        for cell in levels[level]:
            above = touching[cell]
            for facet in cell.boundary():
                if facet not in touching:
                    touching[facet] = set()
                    levels[level - 1].append(facet)
                touching[facet] |= above
    return touching


class _Vertices(dict[int, Vertex]):
    """The vertices of a lattice, each made once."""

    __slots__ = ("lattice",)

    def __init__(self, lattice: Lattice) -> None:
        self.lattice = lattice

    def __missing__(self, place: int) -> Vertex:
        vertex = self[place] = Vertex(self.lattice.points[place], self.lattice.far.get(place))
        return vertex
