"""A set given by signs of functions, as regions.py keeps it, and what may be raised about one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from cfcompiler.feasibility.functions import Function, Point
from cfcompiler.feasibility.quotients import Poly
from cfcompiler.feasibility.solver import Model


class Split(Exception):
    """The region is to be divided: by the sign of `functions[0]`, or into where all vanish and where not all do."""

    def __init__(self, functions: tuple[Function, ...], *, by_sign: bool) -> None:
        super().__init__("a region is to be divided")
        self.functions = functions
        self.by_sign = by_sign


class Open(Exception):
    """What could not be decided, with the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Guess:
    """A point at which all that the solver is told holds; what it stands for may have none."""

    near: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Pivot:
    """On the region the variable number `place` is above/below, functions of variables that are no pivots before."""

    place: int
    above: Poly
    below: Poly


@dataclass(frozen=True, eq=False, slots=True)
class Region:
    """`signs` and `mixed` define it; `implied` are signs that follow. `rest`: reduced equations without a pivot.

    `points` are points of it, rational ones where there are; where there is none, `model` is the solver's point. Not
    `certain`: it may be empty. `by_solver`: an implied sign rests on the solver's word.
    """

    signs: Mapping[Function, int]
    mixed: tuple[tuple[Function, ...], ...] = ()
    implied: Mapping[Function, int] = field(default_factory=dict)
    pivots: tuple[Pivot, ...] = ()
    rest: tuple[Poly, ...] = ()
    points: tuple[Point, ...] = ()
    model: Model | None = None
    certain: bool = True
    by_solver: bool = False

    @property
    def zeros(self) -> tuple[Function, ...]:
        return tuple(function for function, sign in self.signs.items() if sign == 0)

    def known(self, function: Function) -> int | None:
        """The sign of a function, where it is one of those that are kept."""
        found = self.signs.get(function)
        return self.implied.get(function) if found is None else found
