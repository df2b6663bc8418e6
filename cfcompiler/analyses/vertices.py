"""The backward program at a point, with its choices left open: the vertices of D along one path.

The cotangents are affine in each choice, and one written operation makes one choice, shared by all its uses. So the
sweep carries a set of states, splits a state where a tied operation with a nonzero cotangent is met, forgets what is
no longer used, and joins states that have become equal. Source: theory S3.2, vertex proposition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import factorial, inf
from time import monotonic
from typing import Any

import numpy as np

from cfcompiler import numbers
from cfcompiler.arithmetic import Arithmetic, Undecided
from cfcompiler.interpreter import Machine, taken
from cfcompiler.ir import Apply, Instruction, Program, Select, Value
from cfcompiler.transforms.sums_first import sums_first
from cfcompiler.verify import arguments

MOST_STATES = 1 << 14  # states of the sweep at one time
VALUES_A_JOIN = 64  # live values, for which equal states are looked for one instruction later


class TooManyChoices(ValueError):
    """More states than the budget: the set is not complete."""


@dataclass(slots=True)
class _State:
    """Cotangents by name, and the choices made that are still to be used."""

    values: dict[str, Any]
    choices: dict[str, Any]


class Sweep:
    """The evaluation of a scalarized backward program with open choices.

    `tied(left, right)` says whether an operation is tied at the point (in the limit, on an arc). `forced` sets the
    guards of selects, by name. A cotangent of None is a structural zero: the term of a piece that was not chosen.
    What an unselected arm cannot compute (a pole on the arc) is missing, and complained of only where it is needed.
    """

    def __init__(
        self,
        program: Program,
        inputs: Mapping[str, Any],
        arithmetic: Arithmetic,
        tied: Callable[[Any, Any], bool],
        forced: Mapping[str, bool],
        most_states: int = MOST_STATES,
        until: float = inf,
    ) -> None:
        self.most_states = most_states
        self.until = until
        self.program = program = sums_first(program)
        self.arithmetic = arithmetic
        self.tied = tied
        self.machine = Machine(program, arithmetic)
        self.primal: dict[str, Any] = dict(inputs)
        self.forced = forced
        self.last_use = self._last_uses()
        self.makers: dict[str, Apply] = {}
        self.gathers: dict[str, list[Apply]] = {}
        self.last_choice: dict[str, int] = {}
        for place, instruction in enumerate(program.instructions):
            if isinstance(instruction, Apply) and instruction.op in _CHOICES:
                self.last_choice[_choice_of(instruction)] = place
            if isinstance(instruction, Apply) and instruction.op in (
                "order",
                "argextremum",
                "cumargextremum",
            ):
                self.makers[instruction.out.name] = instruction
            if isinstance(instruction, Apply) and instruction.op == "gather":
                self.gathers.setdefault(instruction.args[1].name, []).append(instruction)

    def _last_uses(self) -> dict[str, int]:
        last: dict[str, int] = {}
        for place, instruction in enumerate(self.program.instructions):
            for value in arguments(instruction):
                last[value.name] = place
        for value in self.program.results:
            last[value.name] = len(self.program.instructions)
        return last

    def jacobians(self, rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
        """For each distinct combination of choices, the results' values from each of the cotangents `rows`.

        The choices are shared by the rows. Raises TooManyChoices, Undecided.
        """
        found: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [({}, [])]
        for place, seeds in enumerate(rows):
            last = place == len(rows) - 1
            found = [
                (state.choices, [*before, self._results(state)])
                for choices, before in found
                for state in self._run(seeds, choices, keep=not last)
            ]
            if len(found) > self.most_states:
                raise TooManyChoices(f"more than {self.most_states} combinations of choices")
        return [results for _, results in found]

    def _results(self, state: _State) -> dict[str, Any]:
        return {value.name: self._value(state, value) for value in self.program.results}

    def _run(self, seeds: Mapping[str, Any], choices: Mapping[str, Any], *, keep: bool) -> list[_State]:
        """The states after the backward sweep from `seeds`; choices that are no longer used are kept or forgotten."""
        states = [_State(dict(seeds), dict(choices))]
        moving = set(seeds)
        rest = 0
        for place, instruction in enumerate(self.program.instructions):
            out = instruction.out
            if not taken(out, self.primal):
                continue
            if not any(value.name in moving for value in arguments(instruction)):
                self._evaluate_primal(instruction)
                continue
            moving.add(out.name)
            if len(states) > 1 and monotonic() > self.until:
                raise TooManyChoices("out of time among the combinations of choices")
            before = len(states)
            states = [after for state in states for after in self._advance(state, instruction, moving)]
            if len(states) > before or (len(states) > 1 and place >= rest):
                states = self._joined(states, place, keep=keep)
                rest = place + 1 + len(states[0].values) // VALUES_A_JOIN
                if len(states) > self.most_states:
                    raise TooManyChoices(f"more than {self.most_states} combinations of choices")
        return states

    def _evaluate_primal(self, instruction: Instruction) -> None:
        name = instruction.out.name
        try:
            self.primal[name] = self.machine.evaluate(instruction, self.primal)
        except KeyError:
            return  # an argument is missing: so is this
        except Undecided:
            if instruction.out.kind == "bool":
                raise
            return
        if name in self.forced:
            self.primal[name] = np.asarray(self.forced[name])

    def _value(self, state: _State, result: Value) -> Any:
        name = result.name
        value = state.values[name] if name in state.values else self.primal.get(name)
        if value is None and name not in state.values:
            raise Undecided("a value is not known along the arc")
        return value if value is not None else self._zeros(result.shape)

    def _zeros(self, shape: tuple[int, ...]) -> Any:
        zeros = np.empty(shape, dtype=self.arithmetic.dtype)
        zeros[...] = self.arithmetic.number(Fraction(0))
        return zeros

    def _joined(self, states: list[_State], place: int, *, keep: bool) -> list[_State]:
        """States without what is no longer used, equal ones joined."""
        distinct: dict[Any, _State] = {}
        for state in states:
            live = {
                name: value for name, value in state.values.items() if self.last_use.get(name, -1) > place
            }
            choices = {
                name: choice
                for name, choice in state.choices.items()
                if keep or self.last_choice.get(name, -1) > place
            }
            key = (tuple((name, _key(value)) for name, value in live.items()), tuple(sorted(choices.items())))
            distinct.setdefault(key, _State(live, choices))
        return list(distinct.values())

    def _advance(self, state: _State, instruction: Instruction, moving: set[str]) -> Iterator[_State]:
        out = instruction.out
        if isinstance(instruction, Apply) and instruction.op in ("weigh", "weigh_extremum", "scatter"):
            if state.values[instruction.args[0 if instruction.op == "scatter" else 2].name] is None:
                state.values[out.name] = None
                yield state
                return
            yield from getattr(self, f"_{instruction.op}")(state, instruction)
            return
        if isinstance(instruction, Select):
            guard = _Both(state.values, self.primal)[instruction.guard.name]
            chosen = instruction.then if guard is not None and bool(guard) else instruction.orelse
            state.values[out.name] = (
                state.values[chosen.name] if guard is not None and chosen.name in moving else None
            )
            yield state
            return
        known = [value for value in arguments(instruction) if value.name in moving]
        present = [value for value in known if state.values[value.name] is not None]
        if not present:
            state.values[out.name] = None
        elif len(present) < len(known) and isinstance(instruction, Apply) and instruction.op == "add":
            state.values[out.name] = state.values[present[0].name]
        else:
            state.values[out.name] = self._evaluated(state, instruction, known)
        yield state

    def _evaluated(self, state: _State, instruction: Instruction, known: list[Value]) -> Any:
        zero = self._zeros(())
        own = {value.name: state.values[value.name] for value in known}
        own = {name: zero if value is None else value for name, value in own.items()}
        return self.machine.evaluate(instruction, _Both(own, self.primal))

    def _split(self, state: _State, key: str, options: list[Any]) -> Iterator[tuple[_State, Any]]:
        if key in state.choices:
            yield state, state.choices[key]
            return
        for option in options:
            yield _State(dict(state.values), {**state.choices, key: option}), option

    def _is_zero(self, value: Any) -> bool:
        zero = self.arithmetic.number(Fraction(0))
        return all(entry == zero for entry in np.reshape(value, -1))

    def _weigh(self, state: _State, instruction: Apply) -> Iterator[_State]:
        left, right, term = (_Both(state.values, self.primal)[arg.name] for arg in instruction.args)
        out = instruction.out.name
        if not self.tied(left[()], right[()]):
            state.values[out] = self.machine.evaluate(instruction, _Both(state.values, self.primal))
            yield state
            return
        piece = instruction.attribute("piece")
        if self._is_zero(term):
            state.values[out] = None
            yield state
            return
        for after, chosen in self._split(state, _choice_of(instruction), ["above", "below"]):
            after.values[out] = term if chosen == piece else None
            yield after

    def _weigh_extremum(self, state: _State, instruction: Apply) -> Iterator[_State]:
        row, top, term = (_Both(state.values, self.primal)[arg.name] for arg in instruction.args)
        tied = [place for place in range(len(row)) if self.tied(row[place], top[()])]
        if self._is_zero(term) or not tied:
            state.values[instruction.out.name] = self._zeros(np.shape(row))
            yield state
            return
        for after, chosen in self._split(state, _choice_of(instruction), tied):
            share = self._zeros(np.shape(row))
            share[chosen] = term[chosen] if np.shape(term) else term[()]
            after.values[instruction.out.name] = share
            yield after

    def _scatter(self, state: _State, instruction: Apply) -> Iterator[_State]:
        """The transpose of a gather: tied keys may be taken in any order, or any one of them."""
        share, places = instruction.args
        found = self.primal[places.name]
        states = [(state, [int(place) for place in np.reshape(found, -1)])]
        for start, options in self._parts(places.name, found, state.values[share.name]):
            key = f"{places.name}:{start}"
            states = [
                (after, [*chosen[:start], *part, *chosen[start + len(part) :]])
                for before, chosen in states
                for after, part in self._split(before, key, options)
            ]
            if len(states) > self.most_states:
                raise TooManyChoices(f"more than {self.most_states} choices among tied keys")
        for after, chosen in states:
            taken_places = np.reshape(np.array(chosen, dtype=np.int64), np.shape(found))
            values = _Both({**after.values, places.name: taken_places}, self.primal)
            after.values[instruction.out.name] = self.machine.evaluate(instruction, values)
            yield after

    def _parts(self, name: str, found: Any, term: Any) -> Iterator[tuple[int, list[tuple[int, ...]]]]:
        """Where `name` leaves a choice that matters to `term`: the position, and what may stand from there on."""
        maker = self.makers.get(name)
        if maker is None:
            return
        keys, places, terms = self.primal[maker.args[0].name], np.reshape(found, -1), np.reshape(term, -1)
        if maker.op == "order":
            yield from self._orders([int(place) for place in places], keys, terms)
            return
        for position, place in enumerate(places):
            reach = len(keys) if maker.op == "argextremum" else position + 1
            tied = [k for k in range(reach) if self.tied(keys[k], keys[place]) and self._same(name, k, place)]
            if len(tied) > 1 and not self._is_zero(terms[position]):
                yield position, [(k,) for k in tied]

    def _same(self, name: str, other: int, place: int) -> bool:
        """Whether what is gathered at both places has one value: else the choice would be a jump."""
        return all(
            self.tied(self.primal[gather.args[0].name][other], self.primal[gather.args[0].name][place])
            for gather in self.gathers.get(name, [])
        )

    def _orders(
        self, places: list[int], keys: Any, terms: Any
    ) -> Iterator[tuple[int, list[tuple[int, ...]]]]:
        """Groups of tied keys, in any order, unless their cotangents are all equal."""
        start = 0
        while start < len(places):
            end = start + 1
            while end < len(places) and self.tied(keys[places[end - 1]], keys[places[end]]):
                end += 1
            if len({_key(term) for term in terms[start:end]}) > 1:
                if factorial(end - start) > self.most_states:
                    raise TooManyChoices(f"more than {self.most_states} orders of tied keys")
                yield start, list(permutations(places[start:end]))
            start = end


_CHOICES = ("weigh", "weigh_extremum", "scatter")


def _choice_of(instruction: Apply) -> str:
    """The name of the written choice that an instruction of the backward program uses."""
    return str(instruction.attribute("kink")) if instruction.op == "weigh" else instruction.args[1].name


class _Both(Mapping[str, Any]):
    """Two dictionaries read as one."""

    def __init__(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
        self.first, self.second = first, second

    def __getitem__(self, name: str) -> Any:
        if name in self.first:
            return self.first[name]
        if name not in self.second:
            raise Undecided("a value is not known along the arc")
        return self.second[name]

    def __contains__(self, name: object) -> bool:
        return name in self.first or name in self.second

    def __iter__(self) -> Iterator[str]:
        yield from {*self.first, *self.second}

    def __len__(self) -> int:
        return len({*self.first, *self.second})


def _key(value: Any) -> Any:
    """A hashable form of an exact number or an array of them."""
    if value is None:
        return None
    if np.shape(value):
        return tuple(_key(entry) for entry in np.reshape(value, -1))
    return value[()] if isinstance(value, np.ndarray) else value


def exactly_tied(left: Any, right: Any) -> bool:
    """Equal exact numbers. Raises Undecided."""
    code = numbers.compare(left, right)
    if code is None:
        raise Undecided()
    return code == 0
