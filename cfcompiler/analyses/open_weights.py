"""The backward program at a point, the weights of some ties left open: cotangents as polynomials in the weights.

The program is linear in its cotangents, so these are added, scaled, and multiplied by weights alone. Only the branch
that runs at the point is followed. Source: theory S4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from cfcompiler.arithmetic import EXACT, Array, Undecided
from cfcompiler.interpreter import Machine, taken
from cfcompiler.ir import Apply, Instruction, Number, Program
from cfcompiler.numbers import Finite, is_special
from cfcompiler.operations import OPERATIONS
from cfcompiler.polynomials import Polynomial, plus, polynomial, times, vanishes
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.tidy import tidy

Place = tuple[int, ...]
_ZERO = Fraction(0)
_INFINITE = "AD computes with inf or NaN here"
_NOT_LINEAR = "a derivative formula is not linear in what comes in"


MOST_TERMS = 4096  # of one form


@dataclass(frozen=True, slots=True)
class Form:
    """A polynomial in named unknowns: coefficients, which are not 0, by the sorted names of a monomial."""

    terms: Mapping[tuple[str, ...], Finite]

    @property
    def degree(self) -> int:
        return max((len(names) for names in self.terms), default=-1)

    def coefficient(self, *names: str) -> Finite:
        """Of the product of these unknowns; of 1 without names."""
        return self.terms.get(names, _ZERO)

    def over(self, unknowns: Sequence[str]) -> Polynomial:
        """The polynomial in the unknowns in order. ValueError for a name that is not among them."""
        places = {name: place for place, name in enumerate(unknowns)}
        if any(name not in places for names in self.terms for name in names):
            raise ValueError("an unknown of the form is not named")
        return polynomial(
            len(unknowns),
            ((tuple(names.count(name) for name in unknowns), c) for names, c in self.terms.items()),
        )


def form_of(number: Finite) -> Form:
    """A constant."""
    return Form({} if vanishes(number) else {(): number})


def unknown(name: str, slope: Finite = Fraction(1), start: Finite = _ZERO) -> Form:
    """start + slope * the unknown of that name; the slope is not 0."""
    return Form({**form_of(start).terms, (name,): slope})


def _collected(terms: Iterable[tuple[tuple[str, ...], Finite]]) -> Form:
    found: dict[tuple[str, ...], Finite] = {}
    for names, coefficient in terms:
        total = plus(found[names], coefficient) if names in found else coefficient
        if vanishes(total):
            found.pop(names, None)
        else:
            found[names] = total
        if len(found) > MOST_TERMS:
            raise Undecided(f"a polynomial in the weights has more than {MOST_TERMS} terms")
    return Form(found)


class Weights(Protocol):
    """Which ties are open, and their weights."""

    def covers_kink(self, kink: str) -> bool:
        """Whether the weights of this kink are open where it is tied."""

    def kink(self, kink: str, place: Place, piece: str) -> Form:
        """The weight of one piece of a tied kink that is covered."""

    def covers_extremum(self, instruction: Apply) -> bool:
        """The same of an extremum over many; `instruction` is its weigh_extremum."""

    def extremum(self, instruction: Apply, place: Place, tied: Sequence[int]) -> Sequence[Form]:
        """The weights of the tied entries of one row of an extremum that is covered."""


def cotangents(
    program: Program,
    point: Mapping[str, Any],
    seeds: Sequence[Sequence[Any]],
    weights: Weights,
) -> list[list[Any]]:
    """For each of `seeds` (an array for each result) the cotangents of all input entries, joined: numbers and forms.

    Raises Undecided where inf or NaN meets an open weight, or where exact arithmetic gave up.
    """
    backward = tidy(vjp(program))
    names = [param.value.name for param in backward.params[len(program.params) :]]
    run = _Run(backward, weights)
    rows = []
    for own in seeds:
        values = run.values({**point, **dict(zip(names, own, strict=True))})
        results = backward.results[len(program.results) :]
        rows.append([entry for value in results for entry in np.reshape(values[value.name], -1)])
    return rows


class _Run:
    def __init__(self, backward: Program, weights: Weights) -> None:
        self.backward = backward
        self.weights = weights
        self.machine = Machine(backward, _FORMS)

    def values(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(inputs)
        for instruction in self.backward.instructions:
            if not taken(instruction.out, values):
                continue
            try:
                values[instruction.out.name] = self._evaluated(instruction, values)
            except Undecided as problem:
                raise Undecided(str(problem), instruction) from None
        return values

    def _evaluated(self, instruction: Instruction, values: Mapping[str, Any]) -> Array:
        match instruction:
            case Apply(op="weigh") if self.weights.covers_kink(instruction.attribute("kink")):
                return self._weighed(instruction, values)
            case Apply(op="weigh_extremum") if self.weights.covers_extremum(instruction):
                return self._weighed_extremum(instruction, values)
            case _:
                return self.machine.evaluate(instruction, values)

    def _weighed(self, instruction: Apply, values: Mapping[str, Any]) -> Array:
        """Where the kink is not tied, its weights are 0 and 1 under every rule."""
        left, right, term = np.broadcast_arrays(*(values[arg.name] for arg in instruction.args))
        codes = EXACT.compare(left, right)
        piece = instruction.attribute("piece")
        out = np.empty(np.shape(term), dtype=object)
        for place in np.ndindex(out.shape):
            _demand_finite(term[place])
            code = int(codes[place])
            if code == 0:
                weight = self.weights.kink(instruction.attribute("kink"), place, piece)
                out[place] = _product(weight, term[place])
            elif code in (-1, 1):
                out[place] = term[place] if (code == 1) == (piece == "above") else _ZERO
            else:
                raise Undecided(_INFINITE)
        return out

    def _weighed_extremum(self, instruction: Apply, values: Mapping[str, Any]) -> Array:
        x, top, term = (values[arg.name] for arg in instruction.args)
        axes = instruction.attribute("axes")
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(np.shape(x)))
        attained = EXACT.compare(x, np.reshape(top, kept)) == 0
        wide = np.broadcast_to(term if np.shape(term) == np.shape(x) else np.reshape(term, kept), np.shape(x))
        out = np.empty(np.shape(x), dtype=object)
        for place in np.ndindex(out.shape):
            _demand_finite(wide[place])
            out[place] = _ZERO
        for row, places in rows_of(np.shape(x), axes):
            tied = [k for k, place in enumerate(places) if attained[place]]
            if not tied:
                raise Undecided(_INFINITE)
            shares = (
                [form_of(Fraction(1))] if len(tied) == 1 else self.weights.extremum(instruction, row, tied)
            )
            for k, share in zip(tied, shares, strict=True):
                out[places[k]] = _product(share, wide[places[k]])
        return out


def rows_of(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[tuple[Place, list[Place]]]:
    """The rows over which an extremum is taken: the place in what is kept, and the places of the entries in order."""
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    rows = []
    for row in np.ndindex(*(shape[axis] for axis in kept)):
        entries = []
        for inner in np.ndindex(*(shape[axis] for axis in axes)):
            own = dict(zip(kept, row, strict=True)) | dict(zip(axes, inner, strict=True))
            entries.append(tuple(own[axis] for axis in range(len(shape))))
        rows.append((row, entries))
    return rows


# numbers and forms


def _settled(form: Form) -> Form | Finite:
    """A form, or the number that it is."""
    return form.coefficient() if form.degree <= 0 else form


def _demand_finite(entry: Any) -> None:
    if not isinstance(entry, Form) and is_special(entry):
        raise Undecided(_INFINITE)


def as_form(entry: Any) -> Form:
    """A cotangent as a form. Raises Undecided for inf and NaN."""
    _demand_finite(entry)
    return entry if isinstance(entry, Form) else form_of(entry)


def _product(x: Any, y: Any) -> Any:
    if not isinstance(x, Form) and not isinstance(y, Form):
        return OPERATIONS["mul"](x, y)
    pairs = ((a, b) for a in as_form(x).terms.items() for b in as_form(y).terms.items())
    return _settled(_collected((tuple(sorted((*e, *f))), times(c, d)) for (e, c), (f, d) in pairs))


def _sum(x: Any, y: Any) -> Any:
    return _settled(_collected([*as_form(x).terms.items(), *as_form(y).terms.items()]))


def _negated(x: Any) -> Any:
    return _product(Fraction(-1), x)


def _quotient(x: Any, y: Any) -> Any:
    if isinstance(y, Form):
        raise Undecided(_NOT_LINEAR)
    return _product(x, OPERATIONS["div"](Fraction(1), y))


_ON_FORMS: dict[str, Callable[..., Any]] = {
    "add": _sum,
    "sub": lambda x, y: _sum(x, _negated(y)),
    "neg": _negated,
    "mul": _product,
    "div": _quotient,
}


def _any_form(arrays: Iterable[Array]) -> bool:
    return any(isinstance(entry, Form) for array in arrays for entry in np.reshape(array, -1))


class _Forms:
    """The arithmetic of exact numbers and forms together."""

    dtype: Any = object

    def number(self, number: Number) -> Any:
        return EXACT.number(number)

    def array(self, data: np.ndarray) -> Array:
        return EXACT.array(data)

    def elementwise(self, op: str, args: Sequence[Array], exponent: Any) -> Array:
        arrays = np.broadcast_arrays(*args)
        if not _any_form(args):
            return EXACT.elementwise(op, args, exponent)
        out = np.empty(arrays[0].shape, dtype=object)
        for place in np.ndindex(out.shape):
            entries = [array[place] for array in arrays]
            if not any(isinstance(entry, Form) for entry in entries):
                tail = (exponent,) if exponent is not None else ()
                out[place] = OPERATIONS["pow" if tail else op](*entries, *tail)
            elif op in _ON_FORMS:
                out[place] = _ON_FORMS[op](*entries)
            else:
                raise Undecided(_NOT_LINEAR)
        return out

    def compare(self, left: Array, right: Array) -> np.ndarray:
        if _any_form((left, right)):
            raise Undecided(_NOT_LINEAR)
        return EXACT.compare(left, right)

    def reduction(self, op: str, x: Array, axes: tuple[int, ...]) -> Array:
        if _any_form((x,)):
            raise Undecided(_NOT_LINEAR)
        return EXACT.reduction(op, x, axes)


_FORMS = _Forms()
