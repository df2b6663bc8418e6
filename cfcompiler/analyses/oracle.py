"""Comparisons met near the point -> their signs, each of them in turn: what a run along one piece is told.

On open pieces all signs are strict. On thin sets only those are that decide a branch or a step. A kink is continuous,
so there it is followed up to its edge, with a weak sign: the thin set of a later condition may lie on that edge, as
that of `relu(x) - relu(-x) == 0` does. Where such a condition asks for a switch whose sign is weak, it is asked anew:
strict, or zero; and where a zero leaves no room for other weak signs, those switches vanish there too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from cfcompiler import numbers
from cfcompiler.analyses.neighbourhood import Local, continuous, ends_of_domains, never_negative
from cfcompiler.analyses.switches import Switch, Switches
from cfcompiler.arithmetic import Undecided
from cfcompiler.feasibility.directions import Direction, direction
from cfcompiler.feasibility.interiors import is_zero_alone, relative_interior
from cfcompiler.numbers import Finite, is_special

_ZERO = Fraction(0)

Row = tuple[Finite, ...]


class EmptyCell(Exception):
    """No point has the signs that were followed."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A switch with its sign on the cell: 1, -1, or 0 on a thin one. `joins`: a branch or a step was decided by it.

    `weak`: on a thin set, the sign of a kink that is followed up to its edge; the switch may be zero.
    """

    switch: Switch
    sign: int
    joins: bool
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """The first decisions of a leaf, and a direction in which the affine ones among their switches have their signs.

    `vanishing`: for decisions that leave no room for some weak signs, by their place, the keys of those switches.
    """

    decisions: tuple[int, ...]
    ray: Row | None
    vanishing: tuple[tuple[int, tuple[Hashable, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """A possible sign, a direction in which it is met, and the keys of the weak switches that vanish with it."""

    sign: int
    ray: Row
    vanishing: tuple[Hashable, ...] = ()


class Oracle:
    """The signs of the switches met: those prescribed, then the first that may be; the others are kept for later."""

    def __init__(self, switches: Switches, dimension: int, start: Start, thin: bool) -> None:
        self.switches = switches
        self.dimension = dimension
        self.prescribed = start.decisions
        self.thin = thin
        self.joins = False
        self.tied = False  # whether a branch or a step was decided between what is equal at the point
        self.outcomes: list[Hashable] = []  # what was decided where it matters, in order
        self.signs: list[Sign] = []
        self.chosen: list[int] = []
        self.others: list[Start] = []
        self._known: dict[Hashable, int] = {}
        self._rows: list[Row] = []  # > 0 on the cell
        self._weak: dict[Hashable, Row | None] = {}  # >= 0; None for switches that are not affine
        self._equal: list[Row] = []
        self._interior = start.ray
        self._vanishing = dict(start.vanishing)

    def sign(self, function: Local) -> int:
        """The sign of a function near the point, on the cell of the signs so far."""
        if is_special(function.value):
            raise Undecided(f"{function.op} has no value at the point")
        here = numbers.sign(function.value)
        if here is None:
            raise Undecided("the sign could not be decided")
        if here != 0:
            if not continuous(function):
                raise Undecided(f"{function.op} may not be continuous at the point")
            for edge in ends_of_domains(function):
                if not self._inside(edge):
                    what = "a power" if edge.op == "rpow" else edge.op
                    raise Undecided(f"{what} may have no value beside the point, and is compared there")
            return here
        self.tied = self.tied or self.joins
        switch = self.switches.switch(function)
        return 0 if switch is None else self._asked(switch)

    def _inside(self, edge: Local) -> bool:
        """Whether the argument of a function at the end of its domain is known not to leave it on the cell."""
        (argument,) = edge.args
        if edge.op in ("sqrt", "rpow") and never_negative(argument):
            return True
        end = self.switches.near.constant(argument.value)
        switch = self.switches.switch(self.switches.near.difference(argument, end))
        if switch is None:
            return True
        known = self._known.get(switch.key)
        inward = -1 if edge.op in ("asin", "acos") and argument.value == 1 else 1
        return known is not None and switch.orientation * known * inward >= 0

    def equal(self) -> None:
        """Two values were compared that are equal all around the point."""
        self.tied = self.tied or self.joins

    @property
    def asks_for_winners(self) -> bool:
        """Whether `winner` is to be asked: on thin sets entries may be equal, and are compared one by one."""
        return not self.thin

    def winner(self, functions: Sequence[Local], turn: int) -> int:
        """Which of functions that are equal at the point is the largest (turn 1) or smallest (-1) on the cell.

        Raises EmptyCell where the signs that are known leave none: a < b, b < c and c < a.
        """
        options = [
            (place, found)
            for place in range(len(functions))
            if (found := self._conditions(functions, place, turn)) is not None
        ]
        self.tied = self.tied or self.joins
        if len(options) > 1:
            at = len(self.chosen)
            if at < len(self.prescribed):
                options = [option for option in options if option[0] == self.prescribed[at]]
            else:
                rays = {place: self._direction_of(found) for place, found in options}
                options = [option for option in options if rays[option[0]] is not None]
                others = [Start((*self.chosen, place), rays[place]) for place, _ in options[1:]]
                self.others.extend(others)
                self._interior = rays[options[0][0]] if options else None
            self.chosen.extend(place for place, _ in options[:1])
        if not options:
            raise EmptyCell
        place, found = options[0]
        for switch, sign in found:
            self._enter(switch, sign)
        return place

    def _conditions(
        self, functions: Sequence[Local], place: int, turn: int
    ) -> list[tuple[Switch, int]] | None:
        """The signs, not known yet, by which the function at `place` wins; None where it does not."""
        found: dict[Any, tuple[Switch, int]] = {}
        for other, function in enumerate(functions):
            if other == place:
                continue
            switch = self.switches.switch(self.switches.near.difference(functions[place], function))
            if switch is None:  # the same function nearby: the first of them stands for all
                if other < place:
                    return None
                continue
            wanted = turn * switch.orientation
            known = self._known.get(switch.key, found[switch.key][1] if switch.key in found else wanted)
            if known != wanted:
                return None
            if switch.key not in self._known:
                found[switch.key] = (switch, wanted)
        return list(found.values())

    def _direction_of(self, conditions: Sequence[tuple[Switch, int]]) -> Row | None:
        """A direction in which the affine switches have their signs, and these ones too."""
        rows = [(_row(switch), sign) for switch, sign in conditions]
        strict = [_turned(row, sign) for row, sign in rows if row is not None]
        return self._strictly(strict) if strict else self.ray

    def side(self, function: Local) -> int:
        """The sign of a function, which decides between continuations that need not agree."""
        before, self.joins = self.joins, True
        found = self.sign(function)
        self.joins = before
        self.outcomes.append(found)
        return found

    def _asked(self, switch: Switch) -> int:
        if switch.key not in self._known:
            found = self._decided(lambda: self._options(switch))
            self._enter(switch, found)
        elif self.joins and switch.key in self._weak:
            found = self._decided(lambda: self._sharper(switch))
            self._enter(switch, found)
        else:
            self._note_join(switch)
        return switch.orientation * self._known[switch.key]

    def _decided(self, options: Callable[[], list[Option]]) -> int:
        """The prescribed sign, or the first of the options; those that are left wait."""
        place = len(self.chosen)
        if place < len(self.prescribed):
            found = self.prescribed[place]
        else:
            first, *others = options()
            known = tuple(self._vanishing.items())
            for other in others:
                vanishing = (*known, (place, other.vanishing)) if other.vanishing else known
                self.others.append(Start((*self.chosen, other.sign), other.ray, vanishing))
            if first.vanishing:
                self._vanishing[place] = first.vanishing
            self._interior = first.ray
            found = first.sign
        self.chosen.append(found)
        for key in self._vanishing.get(place, ()):
            self._vanish(key)
        return found

    def _note_join(self, switch: Switch) -> None:
        """A switch that was met in a kink may decide a branch later."""
        if self.joins:
            for place, sign in enumerate(self.signs):
                if sign.switch.key == switch.key and not sign.joins:
                    self.signs[place] = Sign(sign.switch, sign.sign, True)

    def _options(self, switch: Switch) -> list[Option]:
        """The signs of a new switch that are followed.

        Zero on thin sets only: where it decides a branch, or where a kink has no other sign there.
        """
        row = _row(switch)
        rays = {sign: self.ray if row is None else self._strictly([_turned(row, sign)]) for sign in (1, -1)}
        found = [Option(sign, ray) for sign, ray in rays.items() if ray is not None]
        if self.thin and (self.joins or not found):
            found.extend(self._zero(switch))
        return found

    def _sharper(self, switch: Switch) -> list[Option]:
        """The signs of a switch whose sign is weak so far."""
        return [Option(self._known[switch.key], self.ray), *self._zero(switch)]

    def _zero(self, switch: Switch) -> list[Option]:
        """The switch zero: with all weak signs strict, or with some of those switches zero too."""
        row = _row(switch)
        edges = self._edges(switch)
        if edges is None:
            return []
        weak = {
            key: other
            for key, other in self._weak.items()
            if other is not None and key != switch.key and key not in edges
        }
        level = [other for key in edges if (other := self._weak[key]) is not None]
        equal = (*self._equal, *([] if row is None else [row]), *level)
        strict = (*self._rows, *weak.values())
        found = direction(strict, (), equal, dimension=self.dimension, start=self._interior)
        if isinstance(found, Direction):
            return [Option(0, found.vector, edges)]
        rows = tuple(weak.values())
        inner = relative_interior(self._rows, rows, equal, dimension=self.dimension)
        if inner is None or is_zero_alone(self._rows, rows, equal, inner):
            return []
        keys = list(weak)
        return [Option(0, inner.vector, (*edges, *(keys[place] for place in inner.vanishing)))]

    def _edges(self, switch: Switch) -> tuple[Hashable, ...] | None:
        """Weak polynomial switches that vanish where this one does, by linear algebra; None where it has no zero.

        Each monomial counts as a variable, those that are squares are >= 0: |u| + |v| is zero where u and v are.
        """
        if switch.polynomial is None:
            return ()
        others = [sign for sign in self.signs if sign.switch.key != switch.key]
        known = [(sign, sign.switch.polynomial) for sign in others if sign.switch.polynomial is not None]
        if all(polynomial.degree == 1 for polynomial in (switch.polynomial, *(p for _, p in known))):
            return ()
        monomials = sorted({e for p in (switch.polynomial, *(p for _, p in known)) for e in p.terms})
        rows: dict[str, list[Row]] = {"strict": [], "weak": [], "equal": []}
        keys = []
        for sign, polynomial in [*known, (Sign(switch, 0, True), switch.polynomial)]:
            row = tuple(polynomial.terms.get(exponents, _ZERO) for exponents in monomials)
            rows["weak" if sign.weak else "strict" if sign.sign else "equal"].append(
                _turned(row, sign.sign or 1)
            )
            keys += [sign.switch.key] if sign.weak else []
        for place, exponents in enumerate(monomials):
            if all(power % 2 == 0 for power in exponents):
                rows["weak"].append(tuple(Fraction(int(k == place)) for k in range(len(monomials))))
        inner = relative_interior(rows["strict"], rows["weak"], rows["equal"], dimension=len(monomials))
        if inner is None:
            return None
        return tuple(keys[place] for place in inner.vanishing if place < len(keys))

    @property
    def ray(self) -> Row:
        """A direction in which the affine switches have their signs."""
        return self._interior or (_ZERO,) * self.dimension

    def _strictly(self, more: Sequence[Row]) -> Row | None:
        """A direction in which the affine switches have their signs, and these rows are positive; None if none."""
        weak = (row for row in self._weak.values() if row is not None)
        found = direction(
            (*self._rows, *weak, *more),
            (),
            tuple(self._equal),
            dimension=self.dimension,
            start=self._interior,
        )
        return found.vector if isinstance(found, Direction) else None

    def _enter(self, switch: Switch, sign: int) -> None:
        """A decision is taken down, for a switch that is new or has had a weak sign only."""
        self._weak.pop(switch.key, None)
        row = _row(switch)
        weak = self.thin and not self.joins and sign != 0
        if weak:
            self._weak[switch.key] = None if row is None else _turned(row, sign)
        elif row is not None:
            (self._rows if sign else self._equal).append(_turned(row, sign or 1))
        entry = Sign(switch, sign, self.joins, weak)
        if switch.key in self._known:
            self.signs = [entry if old.switch.key == switch.key else old for old in self.signs]
        else:
            self.signs.append(entry)
        self._known[switch.key] = sign

    def _vanish(self, key: Hashable) -> None:
        """A switch with a weak sign is zero on all of the cell."""
        row = self._weak.pop(key)
        if row is not None:
            self._equal.append(row)
        self._known[key] = 0
        self.signs = [
            replace(old, sign=0, weak=False) if old.switch.key == key else old for old in self.signs
        ]


def _row(switch: Switch) -> Row | None:
    return switch.polynomial.gradient() if switch.affine and switch.polynomial is not None else None


def _turned(row: Row, sign: int) -> Row:
    return row if sign > 0 else tuple(-entry for entry in row)
