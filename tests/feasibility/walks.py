"""Programs as steppers for the tests: hyperplane arrangements, networks of relu, functions of the signs so far."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import mul
from typing import TypeAlias

from cfcompiler.feasibility.lattice import Affine

Rows: TypeAlias = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Arrangement:
    """Each hyperplane is a guard everywhere; the state is how many were met."""

    functions: tuple[Affine, ...]
    start: int = 0

    def guard(self, state: int) -> tuple[Hashable, Affine] | None:
        return (state, self.functions[state]) if state < len(self.functions) else None

    def after(self, state: int, sign: int) -> int:
        return state + 1


Signs: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Branches:
    """A program as a function: the signs so far -> the next guard, None at the end, where the path ends."""

    program: Callable[[Signs], Affine | None]
    domain: Callable[[Signs], bool] = lambda signs: True
    start: Signs = ()

    def guard(self, state: Signs) -> tuple[Hashable, Affine] | None:
        function = self.program(state)
        return None if function is None else (len(state), function)

    def after(self, state: Signs, sign: int) -> Signs | None:
        return (*state, sign) if self.domain((*state, sign)) else None


# the hidden layer, its pre-activations times a positive number, that number, how many were met, bits of those above 0
Activation: TypeAlias = tuple[int, Rows, int, int, int]


@dataclass(frozen=True)
class Network:
    """Hidden layers of relu, as integer weights and biases with their denominator: each pre-activation is a guard."""

    layers: tuple[tuple[Rows, tuple[int, ...], int], ...]
    dimension: int

    @property
    def start(self) -> Activation:
        identity = tuple(
            tuple(int(i == j + 1) for i in range(self.dimension + 1)) for j in range(self.dimension)
        )
        return self._enter(0, identity, 1)

    def _enter(self, layer: int, inputs: Rows, scale: int) -> Activation:
        if layer == len(self.layers):
            return (layer, inputs, scale, 0, 0)
        weights, biases, own = self.layers[layer]
        active = [place for place, row in enumerate(inputs) if any(row)]
        columns = list(zip(*(inputs[place] for place in active), strict=True)) or [()] * (self.dimension + 1)
        rows = []
        for row, bias in zip(weights, biases, strict=True):
            chosen = [row[place] for place in active]
            constant, *slopes = (sum(map(mul, chosen, column)) for column in columns)
            rows.append((constant + scale * bias, *slopes))
        return (layer, tuple(rows), scale * own, 0, 0)

    def guard(self, state: Activation) -> tuple[Hashable, Affine] | None:
        layer, rows, _, place, _ = state
        return ((layer, place), rows[place]) if layer < len(self.layers) else None

    def after(self, state: Activation, sign: int) -> Activation:
        layer, rows, scale, place, active = state
        if sign > 0:
            active |= 1 << place
        if place + 1 < len(rows):
            return (layer, rows, scale, place + 1, active)
        zero = (0,) * (self.dimension + 1)
        return self._enter(
            layer + 1, tuple(row if active >> i & 1 else zero for i, row in enumerate(rows)), scale
        )


def network(
    layers: Sequence[tuple[Sequence[Sequence[Fraction]], Sequence[Fraction]]], dimension: int
) -> Network:
    """Hidden layers with exact weights and biases."""
    scaled = []
    for weights, biases in layers:
        own = lcm(*(entry.denominator for row in (*weights, biases) for entry in row))
        scaled.append(
            (
                tuple(tuple(int(entry * own) for entry in row) for row in weights),
                tuple(int(b * own) for b in biases),
                own,
            )
        )
    return Network(tuple(scaled), dimension)
