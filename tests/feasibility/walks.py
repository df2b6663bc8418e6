"""Programs as steppers for the tests: hyperplane arrangements, networks of relu, functions of the signs so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from operator import mul
from typing import TypeAlias

from cfcompiler.feasibility.lattice import Affine
from cfcompiler.feasibility.stratification import Block

Rows: TypeAlias = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Arrangement:
    """Each hyperplane is a guard everywhere, all in one block."""

    functions: tuple[Affine, ...]
    start: bool = False

    def block(self, state: bool) -> Block | None:
        return None if state else Block(tuple(range(len(self.functions))), self.functions)

    def after(self, state: bool, signs: tuple[int, ...]) -> bool:
        return True


Signs: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Branches:
    """A program as a function: the signs so far -> the next guard, None where the path ends."""

    program: Callable[[Signs], Affine | None]
    domain: Callable[[Signs], bool] = lambda signs: True
    start: Signs = ()

    def block(self, state: Signs) -> Block | None:
        function = self.program(state)
        return None if function is None else Block((len(state),), (function,))

    def after(self, state: Signs, signs: Signs) -> Signs | None:
        return state + signs if self.domain(state + signs) else None


@dataclass(frozen=True, eq=False)
class Activation:
    """What comes next in a network: the number of the hidden layer, its pre-activations times `scale`."""

    layer: int
    rows: Rows
    scale: int
    memo: dict[tuple[bool, ...], Activation] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """Hidden layers of relu, as integer weights and biases with their denominator: each layer is a block of guards."""

    layers: tuple[tuple[Rows, tuple[int, ...], int], ...]
    dimension: int

    @property
    def start(self) -> Activation:
        identity = (tuple(int(i == j + 1) for i in range(self.dimension + 1)) for j in range(self.dimension))
        return self._enter(0, tuple(identity), 1)

    def _enter(self, layer: int, inputs: Rows, scale: int) -> Activation:
        if layer == len(self.layers):
            return Activation(layer, inputs, scale)
        weights, biases, own = self.layers[layer]
        active = [place for place, row in enumerate(inputs) if any(row)]
        columns = list(zip(*(inputs[place] for place in active), strict=True)) or [()] * (self.dimension + 1)
        rows = []
        for row, bias in zip(weights, biases, strict=True):
            chosen = [row[place] for place in active]
            constant, *slopes = (sum(map(mul, chosen, column)) for column in columns)
            rows.append((constant + scale * bias, *slopes))
        return Activation(layer, tuple(rows), scale * own)

    def block(self, state: Activation) -> Block | None:
        names = tuple((state.layer, place) for place in range(len(state.rows)))
        return Block(names, state.rows) if state.layer < len(self.layers) else None

    def after(self, state: Activation, signs: Signs) -> Activation:
        active = tuple([sign > 0 for sign in signs])
        if active not in state.memo:
            zero = (0,) * (self.dimension + 1)
            outputs = tuple(row if on else zero for row, on in zip(state.rows, active, strict=True))
            state.memo[active] = self._enter(state.layer + 1, outputs, state.scale)
        return state.memo[active]


def network(
    layers: Sequence[tuple[Sequence[Sequence[Fraction]], Sequence[Fraction]]], dimension: int
) -> Network:
    """Hidden layers with exact weights and biases."""
    scaled = []
    for weights, biases in layers:
        own = lcm(*(entry.denominator for row in (*weights, biases) for entry in row))
        rows = tuple(tuple(int(entry * own) for entry in row) for row in weights)
        scaled.append((rows, tuple(int(entry * own) for entry in biases), own))
    return Network(tuple(scaled), dimension)
