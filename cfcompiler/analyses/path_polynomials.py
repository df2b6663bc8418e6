"""Program, point -> the path that runs there, as polynomials in the inputs, with all switches that decided it.

    f = relu(x) - y*y at (0, 1)        result -y**2, switch x (tied)

The program runs in an arithmetic whose numbers are values at the point together with a polynomial, where there is
one. The same run of the backward program gives what AD returns as polynomials: on a stratum the path is the same, and
so the polynomials hold on all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cfcompiler.arithmetic import EXACT, UNORDERED, Undecided
from cfcompiler.interpreter import Machine, taken
from cfcompiler.ir import Apply, Instruction, Number, Program
from cfcompiler.numbers import Exact, Finite, compare, is_special
from cfcompiler.polynomials import Polynomial, TooManyTerms, constant, variable


@dataclass(frozen=True, slots=True)
class Track:
    """A number at the point, and the polynomial that it is the value of; None where it is of none."""

    value: Exact
    polynomial: Polynomial | None


@dataclass(frozen=True, slots=True)
class Switch:
    """Two values that were compared: their difference, its sign at the point, the first, and by which instruction."""

    polynomial: Polynomial | None
    sign: int
    value: Exact
    instruction: Instruction


@dataclass(frozen=True, slots=True)
class Path:
    """What ran: the numbers by name, and the comparisons in order."""

    values: Mapping[str, Any]
    switches: tuple[Switch, ...]

    def entries(self, name: str) -> list[Track]:
        """The entries of a value."""
        return list(np.reshape(np.asarray(self.values[name], dtype=object), -1))


def coordinates(program: Program, point: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as variables, in the order of the parameters, data as constants.

    `point` has exact numbers for every parameter.
    """
    total = sum(int(np.prod(param.value.shape)) for param in program.params)
    inputs: dict[str, Any] = {}
    place = 0
    for param in program.params:
        given = point[param.value.name]
        array = np.empty(np.shape(given), dtype=object)
        for entry in np.ndindex(array.shape):
            own = variable(total, place) if param.differentiable else constant(total, given[entry])
            array[entry] = Track(given[entry], own)
            place += 1
        inputs[param.value.name] = array
    return inputs


def path_at(program: Program, inputs: Mapping[str, Any], dimension: int) -> Path:
    """Run a program on tracks. Raises Undecided where a comparison is not decided."""
    arithmetic = _Tracks(dimension)
    machine = Machine(program, arithmetic)
    values: dict[str, Any] = dict(inputs)
    for instruction in program.instructions:
        if taken(instruction.out, values):
            arithmetic.current = instruction
            values[instruction.out.name] = machine.evaluate(instruction, values)
    return Path(values, tuple(arithmetic.switches))


class _Tracks:
    """The arithmetic; it notes what is compared."""

    dtype = object

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.switches: list[Switch] = []
        self.current: Instruction | None = None

    def number(self, number: Number) -> Track:
        return self._constant(EXACT.number(number))

    def _constant(self, value: Exact) -> Track:
        return Track(value, None if is_special(value) else constant(self.dimension, value))

    def array(self, data: np.ndarray) -> Any:
        exact = EXACT.array(data)
        out = np.empty(exact.shape, dtype=object)
        for place in np.ndindex(out.shape):
            out[place] = self._constant(exact[place])
        return out

    def elementwise(self, op: str, args: Sequence[Any], exponent: Any) -> Any:
        arrays: Any = np.broadcast_arrays(*args)
        out = np.empty(arrays[0].shape, dtype=object)
        for place in np.ndindex(out.shape):
            tracks = [array[place] for array in arrays]
            boxed = [np.asarray(track.value, dtype=object) for track in tracks]
            value = np.asarray(EXACT.elementwise(op, boxed, exponent), dtype=object)[()]
            polynomial = None if is_special(value) else _combined(op, tracks, exponent)
            if polynomial is None and all(_is_constant(track) for track in tracks) and not is_special(value):
                polynomial = constant(self.dimension, value)
            out[place] = Track(value, polynomial)
        return out

    def compare(self, left: Any, right: Any) -> np.ndarray:
        left, right = np.broadcast_arrays(left, right)
        codes = np.empty(left.shape, dtype=np.int8)
        for place in np.ndindex(left.shape):
            one, other = left[place], right[place]
            pair = [np.asarray(track.value, dtype=object) for track in (one, other)]
            codes[place] = code = int(np.asarray(EXACT.compare(*pair))[()])
            if code != UNORDERED and self.current is not None and not _both_constant(one, other):
                self.switches.append(Switch(_difference(one, other), code, one.value, self.current))
        return codes

    def reduction(self, op: str, x: Any, axes: tuple[int, ...]) -> Any:
        flat = np.vectorize(lambda track: track.value, otypes=[object])(x)
        exact = np.asarray(EXACT.reduction(op, flat, axes), dtype=object)
        out = np.empty(exact.shape, dtype=object)
        for place in np.ndindex(out.shape):
            out[place] = Track(exact[place], None)
        return out


def _is_constant(track: Track) -> bool:
    return track.polynomial is not None and track.polynomial.degree <= 0


def _both_constant(one: Track, other: Track) -> bool:
    return _is_constant(one) and _is_constant(other)


def _difference(one: Track, other: Track) -> Polynomial | None:
    if one.polynomial is None or other.polynomial is None:
        return None
    return one.polynomial - other.polynomial


def _combined(op: str, tracks: Sequence[Track], exponent: Any) -> Polynomial | None:
    """The polynomial of an operation; None where it is none, or too large."""
    polynomials = [track.polynomial for track in tracks]
    known = [polynomial for polynomial in polynomials if polynomial is not None]
    if len(known) < len(tracks):
        return None
    try:
        match op, known:
            case "add", [x, y]:
                return x + y
            case "sub", [x, y]:
                return x - y
            case "neg", [x]:
                return -x
            case "mul", [x, y]:
                return x * y
            case "div", [x, y] if y.degree == 0:
                return x.scaled(_inverse(y.constant_term))
            case "ipow", [x] if int(exponent) >= 0:
                return x ** int(exponent)
    except TooManyTerms:
        return None
    return None


def _inverse(x: Finite) -> Finite:
    if isinstance(x, Fraction):
        return 1 / x
    inverse = np.asarray(
        EXACT.elementwise("div", [np.asarray(Fraction(1), dtype=object), np.asarray(x, dtype=object)], None),
        dtype=object,
    )[()]
    if is_special(inverse):
        raise Undecided("a division by zero")
    return inverse


def tied(path: Path) -> list[Switch]:
    """The switches that are zero at the point; of an extremum those whose entries attain it."""
    return [switch for switch in path.switches if switch.sign == 0 and _counts(switch, path)]


def _counts(switch: Switch, path: Path) -> bool:
    """Whether a tie matters: not one below a maximum, which was met while finding it."""
    instruction = switch.instruction
    if not isinstance(instruction, Apply) or instruction.op != "extremum":
        return True
    return any(compare(switch.value, top.value) == 0 for top in path.entries(instruction.out.name))


def is_affine(polynomial: Polynomial | None) -> bool:
    return polynomial is not None and polynomial.degree <= 1


def slopes(polynomial: Polynomial) -> tuple[Polynomial, ...]:
    """The gradient, a polynomial for each variable."""
    return tuple(polynomial.derivative(place) for place in range(polynomial.variables))


def at(polynomials: Sequence[Polynomial], point: Sequence[Finite]) -> tuple[Finite, ...]:
    return tuple(polynomial.value(point) for polynomial in polynomials)
