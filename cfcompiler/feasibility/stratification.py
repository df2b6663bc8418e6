"""A program of affine guards over a region -> all its strata, of every dimension, with what touches what.

A stratum is the set of points with one path: one signature over the guards that are met, in the order they are met.
Every guard is an affine function on the stratum that meets it, so every stratum is a relatively open convex polyhedron,
and its signature names it. Each stratum goes its own way: a guard that is met in an open cell need not be met on the
faces of the cell, nor be the same function there; a guard met only on a thin stratum cuts that alone.

Two things come out. `strata`: as above. `faces`: the cells of the complex that all cuts together make (lattice.py). A
stratum is the union of its faces: of one, unless what touches it changes along it (a line beside which one of two cells
is cut). Along a face nothing changes: a full-dimensional stratum whose closure meets it contains it in its closure.

Strata in the same state of the program are asked together (`_Group`), and while a guard has one sign at all their
vertices they move on without being looked at one by one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Generic, Protocol

from cfcompiler.feasibility.faces import Face, State, Steps, Stratification, Stratum, Trail, Vertex
from cfcompiler.feasibility.lattice import STRADDLES, Affine, Cell, Cuts, Lattice, Region, Values, integral
from cfcompiler.numbers import TooLarge


class Walk(Protocol[State]):
    """A program as a stepper. States are immutable; equal states have the same future.

    `start` is the state before the first guard.
    """

    @property
    def start(self) -> State: ...

    def guard(self, state: State) -> tuple[Hashable, Affine] | None:
        """The next guard's name and its value on every stratum in this state; None where the path is complete."""

    def after(self, state: State, sign: int) -> State | None:
        """The state once the guard had this sign (-1, 0, 1); None where the point is outside of the domain."""


class _Node(Generic[State]):
    """A stratum so far: its cells (each stands for the pieces it is cut into), and the strata it was split into."""

    __slots__ = ("cells", "children", "cuts", "state", "trail")

    def __init__(self, cells: list[Cell], cuts: Cuts, trail: Trail) -> None:
        self.cells = cells
        self.cuts = cuts
        self.trail = trail
        self.children: list[_Node[State]] = []
        self.state: State | None = None  # once the path is complete

    def leaves(self) -> Iterator[_Node[State]]:
        """Complete strata, in the order of their signs."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node.state is not None:
                yield node
            waiting += reversed(node.children)


class _Group(Generic[State]):
    """Strata in one state; `steps` are the answers they have had in common since they are together."""

    __slots__ = ("nodes", "state", "steps", "vertices")

    def __init__(self, state: State, nodes: list[_Node[State]]) -> None:
        self.state = state
        self.nodes = nodes
        self.steps: Steps = None
        # pieces of cells that are cut later have no vertex outside of the hull of these
        self.vertices = list({vertex for node in nodes for cell in node.cells for vertex in cell.vertices})


def stratify(region: Region, walk: Walk[State], *, most: int) -> Stratification[State]:
    """All strata of a program over a region. Raises TooLarge when there are more than `most` on the way."""
    lattice = Lattice(region)
    roots = [_Node[State]([cell], cell.conditions, None) for cell in sorted(lattice.inside, key=_dimension)]
    waiting = deque([_Group(walk.start, roots)] if roots else [])
    count = len(roots)
    while waiting:
        group = waiting.popleft()
        question = walk.guard(group.state)
        if question is None:
            for node in group.nodes:
                node.trail = (node.trail, group.steps)
                node.state = group.state
            continue
        guard, function = question
        values = Values(lattice, integral(function), group.vertices)
        low, high = min(values.values()), max(values.values())
        if low > 0 or high < 0 or low == high == 0:
            sign = (low > 0) - (high < 0)
            state = walk.after(group.state, sign)
            if state is not None:
                group.state = state
                group.steps = (group.steps, guard, sign)
                waiting.append(group)
            continue
        before = len(group.nodes)
        parts = _split(lattice, group, guard, values)
        count += sum(map(len, parts)) - before
        if count > most:
            raise TooLarge(f"more than {most} strata")
        waiting += _regrouped(walk, group.state, parts)
    return _collected(lattice, region, roots)


def _dimension(cell: Cell) -> int:
    return cell.dimension


def _split(
    lattice: Lattice, group: _Group[State], guard: Hashable, values: Values
) -> tuple[list[_Node[State]], list[_Node[State]], list[_Node[State]]]:
    """The group's strata where the guard is 0, 1, -1 (the place is the sign)."""
    steps = group.steps
    after = tuple((steps, guard, sign) for sign in (0, 1, -1))
    parts: tuple[list[_Node[State]], list[_Node[State]], list[_Node[State]]] = ([], [], [])
    signs = (0, -1, 1)  # of the sides of cells
    for node in group.nodes:
        pieces: tuple[list[Cell], list[Cell], list[Cell]] = ([], [], [])
        for whole in node.cells:
            for cell in (whole,) if whole.pieces is None else whole.leaves():
                side = values.side(cell)
                if side == STRADDLES:
                    below, on, above = lattice.cut(cell, values)
                    pieces[-1].append(below)
                    pieces[0].append(on)
                    pieces[1].append(above)
                else:
                    pieces[signs[side]].append(cell)
        met = [sign for sign in (-1, 0, 1) if pieces[sign]]
        if len(met) == 1:
            node.cells = pieces[met[0]]
            node.trail = (node.trail, after[met[0]])
            parts[met[0]].append(node)
            continue
        for sign in met:
            child: _Node[State] = _Node(
                pieces[sign], (node.cuts, values.function, sign), (node.trail, after[sign])
            )
            node.children.append(child)
            parts[sign].append(child)
        node.cells = []
    return parts


def _regrouped(
    walk: Walk[State],
    state: State,
    parts: tuple[list[_Node[State]], list[_Node[State]], list[_Node[State]]],
) -> list[_Group[State]]:
    """One group a state, of those that are in the domain."""
    joined: list[tuple[State, list[_Node[State]]]] = []
    for sign in (-1, 0, 1):
        if not parts[sign] or (reached := walk.after(state, sign)) is None:
            continue
        for other, nodes in joined:
            if other == reached:
                nodes += parts[sign]
                break
        else:
            joined.append((reached, parts[sign]))
    return [_Group(reached, nodes) for reached, nodes in joined]


def _collected(lattice: Lattice, region: Region, roots: list[_Node[State]]) -> Stratification[State]:
    """Strata and faces, numbered, with what touches them."""
    found: list[tuple[_Node[State], tuple[int, ...], list[Cell]]] = []
    sides = [Values(lattice, integral(halfspace.function), ()) for halfspace in region.halfspaces]
    for cell, root in zip(sorted(lattice.inside, key=_dimension), roots, strict=True):
        boundary = tuple(place for place, values in enumerate(sides) if values.side(cell) == 0)
        for node in root.leaves():
            cells = [leaf for whole in node.cells for leaf in whole.leaves()]
            found.append((node, boundary, sorted(cells, key=_dimension)))
    found.sort(key=lambda entry: entry[2][-1].dimension)
    ordered = [(cell, place) for place, (_, _, cells) in enumerate(found) for cell in cells]
    ordered.sort(key=lambda entry: entry[0].dimension)
    full = max((cell.dimension for cell in lattice.inside), default=0)
    faces = _faces(lattice, ordered, full)
    own: list[list[Face]] = [[] for _ in found]
    for face in faces:
        own[face.stratum].append(face)
    strata = tuple(
        _stratum(place, node, boundary, own[place]) for place, (node, boundary, _) in enumerate(found)
    )
    return Stratification(full, strata, faces)


def _faces(lattice: Lattice, ordered: list[tuple[Cell, int]], full: int) -> tuple[Face, ...]:
    """The faces of cells that are given by dimension, each with its stratum."""
    index = {cell: place for place, (cell, _) in enumerate(ordered)}
    touching: dict[Cell, set[int]] = {}
    facets: list[tuple[int, ...]] = []
    cofaces: list[list[int]] = [[] for _ in ordered]
    levels: list[list[Cell]] = [[] for _ in range(full + 1)]
    for cell, stratum in ordered:
        levels[cell.dimension].append(cell)
        touching[cell] = {stratum} if cell.dimension == full else set()
    for level in range(full, 0, -1):
        # cells outside of the region or the domain pass on what touches them, and are not reported
        for cell in levels[level]:
            above = touching[cell]
            for facet in cell.boundary():
                if facet not in touching:
                    touching[facet] = set()
                    levels[level - 1].append(facet)
                touching[facet] |= above
    for place, (cell, _) in enumerate(ordered):
        facets.append(tuple(index[facet] for facet in cell.boundary() if facet in index))
        for lower in facets[-1]:
            cofaces[lower].append(place)
    vertices = _Vertices(lattice)
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
        )
        for place, (cell, stratum) in enumerate(ordered)
    )


class _Vertices(dict[int, Vertex]):
    """The vertices of a lattice, each made once."""

    __slots__ = ("lattice",)

    def __init__(self, lattice: Lattice) -> None:
        self.lattice = lattice

    def __missing__(self, place: int) -> Vertex:
        vertex = self[place] = Vertex(self.lattice.points[place], self.lattice.far.get(place))
        return vertex


def _stratum(index: int, node: _Node[State], boundary: tuple[int, ...], faces: list[Face]) -> Stratum[State]:
    assert node.state is not None
    dimension = faces[-1].dimension
    if len(faces) == 1:
        vertices, cells = faces[0].vertices, faces[0].cells
    else:
        largest = [face for face in faces if face.dimension == dimension]
        vertices = tuple(dict.fromkeys(vertex for face in largest for vertex in face.vertices))
        cells = tuple(sorted({cell for face in faces for cell in face.cells}))
    return Stratum(
        index,
        dimension,
        node.state,
        boundary,
        tuple([face.index for face in faces]),
        cells,
        vertices,
        node.cuts,
        node.trail,
    )
