"""A program of affine guards over a region -> all its strata, of every dimension, with what touches what.

A stratum is the set of points with one path: one signature over the guards that are met, in the order they are met.
Every guard is an affine function on the stratum that meets it, so every stratum is a relatively open convex polyhedron,
and its signature names it. Each stratum goes its own way: a guard that is met in an open cell need not be met on the
faces of the cell, nor be the same function there; a guard met only on a thin stratum cuts that alone.

Two things come out. `strata`: as above. `faces`: the cells of the complex that all cuts together make (lattice.py). A
stratum is the union of its faces: of one, unless what touches it changes along it (a line beside which one of two cells
is cut). Along a face nothing changes: a full-dimensional stratum whose closure meets it contains it in its closure.

Strata in the same state are asked together (`_Group`). A block of guards is answered part by part: a guard that has one
sign at all vertices of a part is settled for all of it, and only the others are looked at again in its pieces. So
within a block the work grows with the strata, hardly with the guards: a caller gains by large blocks.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias

from cfcompiler.feasibility.faces import Face, State, Steps, Stratification, Stratum, Trail
from cfcompiler.feasibility.incidence import incidence
from cfcompiler.feasibility.lattice import (
    STRADDLES,
    Affine,
    Cell,
    Cuts,
    Integers,
    Lattice,
    Region,
    Values,
    integral,
)
from cfcompiler.numbers import TooLarge


@dataclass(frozen=True, slots=True)
class Block:
    """Guards that are all met, whatever the signs of the others among them: names, and as many functions."""

    names: tuple[Hashable, ...]
    functions: tuple[Affine, ...]


class Walk(Protocol[State]):
    """A program as a stepper. States are immutable; equal states have the same future.

    `start` is the state before the first guard.
    """

    @property
    def start(self) -> State: ...

    def block(self, state: State) -> Block | None:
        """The guards that are met next, with their values on all strata in this state; None where the path ends."""

    def after(self, state: State, signs: tuple[int, ...]) -> State | None:
        """The state once the block had these signs (-1, 0, 1); None where the point is outside of the domain."""


# Signs of guards of the current block that a stratum does not share with all of its part: earlier ones, place, sign.
Own: TypeAlias = "tuple[Own, int, int] | None"

FACES_A_STRATUM = 10  # a region may begin with that many times the strata that are allowed


class _Node(Generic[State]):
    """A stratum so far: its cells (each stands for the pieces it is cut into), and the strata it was split into."""

    __slots__ = ("cells", "children", "cuts", "own", "state", "trail")

    def __init__(self, cells: list[Cell], cuts: Cuts, trail: Trail, own: Own) -> None:
        self.cells = cells
        self.cuts = cuts
        self.trail = trail
        self.own = own
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
        self.vertices = _vertices(nodes)


class _Part(Generic[State]):
    """Strata of a group within a block: `signs` that they share, by place, and the places that are still `open`."""

    __slots__ = ("nodes", "open", "signs", "vertices")

    def __init__(
        self, nodes: list[_Node[State]], vertices: list[int], signs: list[int], places: Sequence[int]
    ) -> None:
        self.nodes = nodes
        self.vertices = vertices
        self.signs = signs
        self.open = places


def _vertices(nodes: list[_Node[State]]) -> list[int]:
    """Those of all cells. Pieces of cells that are cut later have no vertex outside of the hull of these."""
    return list({vertex for node in nodes for cell in node.cells for vertex in cell.vertices})


def stratify(region: Region, walk: Walk[State], *, most: int) -> Stratification[State]:
    """All strata of a program over a region.

    Raises TooLarge when there are more than `most` on the way, ValueError for a function of a wrong size.
    """
    with _collector_paused():
        return _stratify(region, walk, most)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without the cyclic garbage collector, which would go through all strata again and again and find nothing: no
    cycles are made here. It takes more than half of the time otherwise."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _stratify(region: Region, walk: Walk[State], most: int) -> Stratification[State]:
    if (
        2 ** (region.dimension + 1) > FACES_A_STRATUM * most
    ):  # of the simplex that is cut, before the first cut
        raise TooLarge(
            f"{region.dimension} numbers move, and already a simplex of that dimension has too many faces"
        )
    lattice = Lattice(region)
    roots = [
        _Node[State]([cell], cell.conditions, None, None) for cell in sorted(lattice.inside, key=_dimension)
    ]
    waiting = deque([_Group(walk.start, roots)] if roots else [])
    count = len(roots)
    while waiting:
        group = waiting.popleft()
        block = walk.block(group.state)
        if block is None:
            for node in group.nodes:
                node.trail = (node.trail, group.steps)
                node.state = group.state
            continue
        functions = [integral(function, region.dimension) for function in block.functions]
        parts = [_Part(group.nodes, group.vertices, [0] * len(functions), range(len(functions)))]
        settled: list[_Part[State]] = []
        while parts:
            part = parts.pop()
            values = _settle(lattice, part, functions)
            if values is None:
                settled.append(part)
                continue
            before = len(part.nodes)
            pieces = _split(lattice, part, values)
            parts += pieces
            count += sum([len(piece.nodes) for piece in pieces]) - before
            if count > most:
                raise TooLarge(f"more than {most} strata")
        waiting += _regrouped(walk, group, block, settled)
    return _collected(lattice, region, roots)


def _dimension(cell: Cell) -> int:
    return cell.dimension


def _settle(lattice: Lattice, part: _Part[State], functions: Sequence[Integers]) -> Values | None:
    """The values of the first guard that divides the part, once the signs of those that do not are set."""
    found: Values | None = None
    places = []
    for place in part.open:
        values = lattice.values(functions[place], part.vertices)
        low, high = min(values), max(values)
        if low > 0:
            part.signs[place] = 1
        elif high < 0:
            part.signs[place] = -1
        elif low != 0 or high != 0:
            places.append(place)
            if found is None:
                found = Values(lattice, functions[place], zip(part.vertices, values, strict=True))
    part.open = places
    return found


def _split(lattice: Lattice, part: _Part[State], values: Values) -> list[_Part[State]]:
    """The part where its first open guard is at most 0, and where it is more; or at least 0, where it is never less."""
    place = part.open[0]
    found: tuple[list[_Node[State]], ...] = ([], [], [])  # by sign; -1 is the last
    for node in part.nodes:
        side = values.side(node.cells[0]) if len(node.cells) == 1 else STRADDLES
        if side != STRADDLES:  # nearly always, and then it does not matter whether the cell has pieces
            sign = _SIGNS[side]
            node.own = (node.own, place, sign)
            found[sign].append(node)
            continue
        pieces = _pieces(lattice, node, values)
        met = [sign for sign in (-1, 0, 1) if pieces[sign]]
        if len(met) == 1:
            node.cells = pieces[met[0]]
            node.own = (node.own, place, met[0])
            found[met[0]].append(node)
            continue
        for sign in met:
            cuts = (node.cuts, values.function, sign)
            child: _Node[State] = _Node(pieces[sign], cuts, node.trail, (node.own, place, sign))
            node.children.append(child)
            found[sign].append(child)
        node.cells = []
    zero, above, below = found
    if below:
        return [_part(part, nodes) for nodes in (below + zero, above) if nodes]
    return [_part(part, zero + above)]


_SIGNS = (0, -1, 1)  # of the sides of cells


def _pieces(
    lattice: Lattice, node: _Node[State], values: Values
) -> tuple[list[Cell], list[Cell], list[Cell]]:
    """The cells of a stratum by sign (-1 is the last), cut where they must be."""
    pieces: tuple[list[Cell], list[Cell], list[Cell]] = ([], [], [])
    for whole in node.cells:
        for cell in whole.leaves():
            side = values.side(cell)
            if side == STRADDLES:
                below, on, above = lattice.cut(cell, values)
                pieces[-1].append(below)
                pieces[0].append(on)
                pieces[1].append(above)
            else:
                pieces[_SIGNS[side]].append(cell)
    return pieces


def _part(part: _Part[State], nodes: list[_Node[State]]) -> _Part[State]:
    return _Part(nodes, _vertices(nodes), part.signs.copy(), part.open[1:])


def _regrouped(
    walk: Walk[State], group: _Group[State], block: Block, parts: list[_Part[State]]
) -> list[_Group[State]]:
    """One group a state, of those strata that are in the domain."""
    if len(parts) == 1 and all(node.own is None for node in group.nodes):
        signs = tuple(parts[0].signs)
        state = walk.after(group.state, signs)
        if state is None:
            return []
        group.state = state
        group.steps = (group.steps, block.names, signs)
        return [group]
    reached: dict[tuple[int, ...], State | None] = {}
    joined: dict[State, list[_Node[State]]] = {}
    for part in parts:
        for node in part.nodes:
            entries = part.signs.copy()
            own, node.own = node.own, None
            while own is not None:
                own, place, sign = own
                entries[place] = sign
            signs = tuple(entries)
            if signs not in reached:
                reached[signs] = walk.after(group.state, signs)
            state = reached[signs]
            if state is not None:
                node.trail = (node.trail, (group.steps, block.names, signs))
                joined.setdefault(state, []).append(node)
    return [_Group(state, nodes) for state, nodes in joined.items()]


def _collected(lattice: Lattice, region: Region, roots: list[_Node[State]]) -> Stratification[State]:
    """Strata and faces, numbered, with what touches them."""
    found: list[tuple[_Node[State], tuple[int, ...], list[Cell]]] = []
    sides = [
        Values(lattice, integral(halfspace.function, region.dimension), ()) for halfspace in region.halfspaces
    ]
    for cell, root in zip(sorted(lattice.inside, key=_dimension), roots, strict=True):
        boundary = tuple(place for place, values in enumerate(sides) if values.side(cell) == 0)
        for node in root.leaves():
            cells = [leaf for whole in node.cells for leaf in whole.leaves()]
            found.append((node, boundary, sorted(cells, key=_dimension)))
    found.sort(key=lambda entry: entry[2][-1].dimension)
    ordered = [(cell, place) for place, (_, _, cells) in enumerate(found) for cell in cells]
    ordered.sort(key=lambda entry: entry[0].dimension)
    full = max((cell.dimension for cell in lattice.inside), default=0)
    faces = incidence(lattice, ordered, full)
    own: list[list[Face]] = [[] for _ in found]
    for face in faces:
        own[face.stratum].append(face)
    strata = tuple(
        _stratum(place, node, boundary, own[place]) for place, (node, boundary, _) in enumerate(found)
    )
    return Stratification(full, strata, faces)


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
