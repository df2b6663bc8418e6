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
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias

from cfcompiler.feasibility.faces import Face, State, Steps, Stratification, Stratum, Trail
from cfcompiler.feasibility.finished import finished
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

    __slots__ = ("cells", "children", "cuts", "outside", "own", "state", "trail")

    def __init__(self, cells: list[Cell], cuts: Cuts, trail: Trail, own: Own) -> None:
        self.cells = cells
        self.cuts = cuts
        self.trail = trail
        self.own = own
        self.children: list[_Node[State]] = []
        self.state: State | None = None  # once the path is complete
        self.outside = False  # of the domain

    def leaves(self) -> Iterator[_Node[State]]:
        """Strata that were not split, in the order of their signs."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if not node.children:
                yield node
            waiting += reversed(node.children)


class _Group(Generic[State]):
    """Strata in one state; `steps` are the answers they have had in common since they are together."""

    __slots__ = ("nodes", "state", "steps", "vertices")

    def __init__(self, state: State, nodes: list[_Node[State]], vertices: list[int], steps: Steps) -> None:
        self.state = state
        self.nodes = nodes
        self.vertices = vertices
        self.steps = steps


@dataclass(frozen=True, slots=True)
class _Asked(Generic[State]):
    """The state of a group and its answers so far, with the block that is asked."""

    state: State
    steps: Steps
    names: tuple[Hashable, ...]
    functions: Sequence[Integers]


class _Part(Generic[State]):
    """Strata of a group within a block: `signs` that they share, by place, and the places that are still `open`."""

    __slots__ = ("asked", "nodes", "open", "signs", "vertices")

    def __init__(
        self,
        asked: _Asked[State],
        nodes: list[_Node[State]],
        vertices: list[int],
        signs: list[int],
        places: Sequence[int],
    ) -> None:
        self.asked = asked
        self.nodes = nodes
        self.vertices = vertices
        self.signs = signs
        self.open = places


def _vertices(nodes: list[_Node[State]]) -> list[int]:
    """Those of all cells. Pieces of cells that are cut later have no vertex outside of the hull of these."""
    return list({vertex for node in nodes for cell in node.cells for vertex in cell.vertices})


def stratify(
    region: Region,
    walk: Walk[State],
    *,
    most: int,
    stop: Callable[[int], bool] | None = None,
) -> Stratification[State]:
    """All strata of a program over a region.

    `stop` is asked between steps, so that nothing is torn, with the number of strata on the way: once it says so, the
    strata are those of which all that touches them is known. Without it, raises TooLarge when there are more than
    `most` on the way. Raises TooLarge where `most` is too few to begin, ValueError for a function of a wrong size.
    """
    with _collector_paused():
        return _stratify(region, walk, most, stop)


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


def _stratify(
    region: Region, walk: Walk[State], most: int, stop: Callable[[int], bool] | None
) -> Stratification[State]:
    faces = 2 ** (region.dimension + 1)  # of the simplex that is cut, before the first cut
    if faces > FACES_A_STRATUM * most:
        raise TooLarge(
            f"{region.dimension} numbers move, and already a simplex of that dimension has too many faces"
        )
    lattice = Lattice(region)
    roots = [
        _Node[State]([cell], cell.conditions, None, None) for cell in sorted(lattice.inside, key=_dimension)
    ]
    waiting: list[_Group[State] | _Part[State]] = (
        [_Group(walk.start, roots, _vertices(roots), None)] if roots else []
    )
    count = len(roots)
    while waiting and not (stop is not None and stop(count)):
        own = waiting.pop()  # depth first, so that some paths are complete early
        if isinstance(own, _Group):
            waiting += _asked(region, walk, own)
            continue
        values = _settle(lattice, own)
        if values is None:
            waiting += _regrouped(walk, own)
            continue
        pieces = _split(lattice, own, values)
        waiting += pieces
        count += sum([len(piece.nodes) for piece in pieces]) - len(own.nodes)
        if stop is None and count > most:
            raise TooLarge(f"more than {most} strata")
    return _collected(lattice, region, roots, count)


def _asked(region: Region, walk: Walk[State], group: _Group[State]) -> list[_Part[State]]:
    """The group as one part of its next block; none where its paths are complete."""
    block = walk.block(group.state)
    if block is None:
        for node in group.nodes:
            node.trail = (node.trail, group.steps)
            node.state = group.state
        return []
    functions = [integral(function, region.dimension) for function in block.functions]
    asked = _Asked(group.state, group.steps, block.names, functions)
    return [_Part(asked, group.nodes, group.vertices, [0] * len(functions), range(len(functions)))]


def _dimension(cell: Cell) -> int:
    return cell.dimension


def _settle(lattice: Lattice, part: _Part[State]) -> Values | None:
    """The values of the first guard that divides the part, once the signs of those that do not are set."""
    found: Values | None = None
    functions = part.asked.functions
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
    return _Part(part.asked, nodes, _vertices(nodes), part.signs.copy(), part.open[1:])


def _regrouped(walk: Walk[State], part: _Part[State]) -> list[_Group[State]]:
    """One group a state, of those strata of a part that are in the domain, once the block is answered."""
    asked = part.asked
    if all(node.own is None for node in part.nodes):
        signs = tuple(part.signs)
        state = walk.after(asked.state, signs)
        if state is None:
            _leave(part.nodes)
            return []
        return [_Group(state, part.nodes, part.vertices, (asked.steps, asked.names, signs))]
    reached: dict[tuple[int, ...], State | None] = {}
    joined: dict[State, list[_Node[State]]] = {}
    for node in part.nodes:
        entries = part.signs.copy()
        own, node.own = node.own, None
        while own is not None:
            own, place, sign = own
            entries[place] = sign
        signs = tuple(entries)
        if signs not in reached:
            reached[signs] = walk.after(asked.state, signs)
        state = reached[signs]
        if state is None:
            _leave([node])
        else:
            node.trail = (node.trail, (asked.steps, asked.names, signs))
            joined.setdefault(state, []).append(node)
    return [_Group(state, nodes, _vertices(nodes), None) for state, nodes in joined.items()]


def _leave(nodes: list[_Node[State]]) -> None:
    for node in nodes:
        node.outside = True


def _collected(
    lattice: Lattice, region: Region, roots: list[_Node[State]], count: int
) -> Stratification[State]:
    """Strata and faces, numbered, with what touches them; those beside which some path is not complete are left out."""
    unfinished: list[Cell] = []
    outside: list[Cell] = []
    found: list[tuple[_Node[State], tuple[int, ...], list[Cell]]] = []
    sides = [
        Values(lattice, integral(halfspace.function, region.dimension), ()) for halfspace in region.halfspaces
    ]
    for cell, root in zip(sorted(lattice.inside, key=_dimension), roots, strict=True):
        boundary = tuple(place for place, values in enumerate(sides) if values.side(cell) == 0)
        for node in root.leaves():
            cells = [leaf for whole in node.cells for leaf in whole.leaves()]
            if node.state is not None:
                found.append((node, boundary, sorted(cells, key=_dimension)))
            elif not node.outside:
                unfinished += cells
            else:
                outside += [cell for cell in cells if cell.dimension == region.dimension]
    known = finished([cells for _, _, cells in found], unfinished)
    found = [entry for entry, own in zip(found, known, strict=True) if own]
    found.sort(key=lambda entry: entry[2][-1].dimension)
    ordered = [(cell, place) for place, (_, _, cells) in enumerate(found) for cell in cells]
    ordered.sort(key=lambda entry: entry[0].dimension)
    full = max((cell.dimension for cell in lattice.inside), default=0)
    faces = incidence(lattice, ordered, full, outside)
    own: list[list[Face]] = [[] for _ in found]
    for face in faces:
        own[face.stratum].append(face)
    strata = tuple(
        _stratum(place, node, boundary, own[place]) for place, (node, boundary, _) in enumerate(found)
    )
    return Stratification(full, strata, faces, not unfinished, count)


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
