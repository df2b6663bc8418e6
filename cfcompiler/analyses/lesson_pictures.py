"""Program, question -> the curves and maps of a page: as many slices as are sensible, within a time.

One input that moves makes a curve. Two make a map, and a curve through a point of interest for each. More make a map
for some pairs of entries and a curve for some entries; the reader chooses among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from time import monotonic
from typing import Any

from cfcompiler.analyses.entries import entry_name
from cfcompiler.analyses.pictures import picture
from cfcompiler.analyses.sampling import Run
from cfcompiler.analyses.strata_question import Question, restricted
from cfcompiler.errors import CFError
from cfcompiler.ir import Program
from cfcompiler.report import Curve, Map
from cfcompiler.ties import preset_names

MOST_MAPS, MOST_CURVES = 4, 4
MOST_PAIRED = 4  # entries, from which all pairs are maps
SHARE = 0.4  # of the time that is left
LEAST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Pictures:
    """What is drawn; `undrawn`: why nothing is; `notes`: what is missing."""

    curves: tuple[Curve, ...]
    maps: tuple[Map, ...]
    undrawn: str
    notes: tuple[str, ...]


def pictures_of(
    program: Program, question: Question, static: Sequence[tuple[str, int]], run: Run, until: float
) -> Pictures:
    """The pictures of a program as written."""
    entries = _entries(restricted(program, question))
    if not entries:
        return Pictures((), (), "nothing moves: every input is fixed", ())
    end = monotonic() + max(LEAST_SECONDS, SHARE * (until - monotonic()))
    own = program if program.preset not in preset_names() else None
    curves: list[Curve] = []
    maps: list[Map] = []
    notes: list[str] = []
    first = ""
    wanted = list(_slices(entries))
    for place, moving in enumerate(wanted):
        left = end - monotonic()
        if left <= 0 and place:
            notes.append(f"{len(wanted) - place} further slices are not drawn: the time is over")
            break
        if any(moving == one.inputs for one in maps):
            continue
        if question.progress is not None:
            question.progress("pictures", place, len(wanted))
        try:
            drawn = picture(
                program,
                run,
                static=static,
                moving=moving,
                box=_box(question),
                fix=question.fixed,
                seconds=max(left, LEAST_SECONDS),
                yours=own,
            )
        except KeyboardInterrupt:
            notes.append("not all slices are drawn: interrupted")
            break
        except CFError as problem:
            first = first or problem.diagnostics[0].message
            notes.append(
                f"no picture over {', '.join(moving) or 'the inputs'}: {problem.diagnostics[0].message}"
            )
            continue
        if isinstance(drawn, Curve):
            curves.append(drawn)
        else:
            maps.append(drawn)
    return Pictures(tuple(curves), tuple(maps), "" if curves or maps else first, tuple(notes))


def _entries(program: Program) -> list[str]:
    """The entries of the inputs that move; of very many the first ones."""
    found: list[str] = []
    for param in program.params:
        if param.differentiable:
            places: list[tuple[int, ...]] = [()]
            for size in param.value.shape:
                places = [(*place, k) for place in places for k in range(min(size, MOST_CURVES))]
            found += [entry_name(param.value.name, place) for place in places]
            if len(found) < prod(param.value.shape):
                return found
    return found


def _slices(entries: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The entries that move, slice by slice; () is the slice that shows most, chosen by the strata."""
    if len(entries) == 1:
        yield ()
        return
    yield ()
    if len(entries) > 2:
        yield from list(combinations(entries[:MOST_PAIRED], 2))[:MOST_MAPS]
    for entry in entries[:MOST_CURVES]:
        yield (entry,)


def _box(question: Question) -> dict[str, tuple[Any, Any]]:
    """The box, as `picture` takes it."""
    return {
        name: ("-inf" if low is None else low, "inf" if high is None else high)
        for name, (low, high) in question.box.items()
    }
