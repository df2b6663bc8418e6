"""Seeds -> programs and points: scalar and array programs with kinks, branches, ties, NaN and inf.

Programs are made with the Builder, so that they reach what the language would not write; points are drawn from few
values, so that comparisons are often tied.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from cfcompiler import ties
from cfcompiler.builder import Builder
from cfcompiler.ir import Gate, Number, Program, Tie, TieMode, Value, Weights
from cfcompiler.source import Source, Span
from cfcompiler.verify import verify

# Rows that `math` and NumPy compute with the same bits.
EXACT_ROWS = (
    "add",
    "sub",
    "mul",
    "mul",
    "add",
    "neg",
    "div",
    "sqrt",
    "floor",
    "ceil",
    "round",
    "trunc",
    "sign",
)
ROUNDED_ROWS = (
    *("exp", "log", "sin", "cos", "tanh", "atan", "expm1", "log1p"),
    *("sigmoid", "softplus", "cbrt", "logaddexp"),
)
COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
_NUMBERS = (0, 1, -1, 2, Fraction(1, 2), Fraction(-3, 4), Fraction(1, 3))
_WEIGHTS: tuple[Number, ...] = (Fraction(0), Fraction(1), Fraction(1, 2), Fraction(-1), "nan")
DEEPEST = 3  # branches in branches
POINT_VALUES = (0.0, 0.0, 1.0, -1.0, 0.5, 2.0, -0.75, 1e-3, 3.25)
WILD_VALUES = (float("nan"), float("inf"), -float("inf"), 1e308, -1e308, -0.0, 1e-320)


def random_program(
    seed: int,
    *,
    size: int = 20,
    inputs: int = 3,
    rounded: bool = False,
    wild: bool = True,
    branches: bool = True,
) -> Program:
    """A scalar program. `rounded`: with rows whose last bit may differ; `wild`: with divisions, roots and steps."""
    return _Maker(seed, rounded, wild).program(size, inputs, 0 if branches else DEEPEST)


def random_array_program(seed: int, *, size: int = 12, width: int = 3) -> Program:
    """A program of one vector and one scalar input, with reductions, extrema and orderings."""
    return _Maker(seed, rounded=False, wild=False).array_program(size, width)


def random_points(
    program: Program, seed: int, count: int, *, wild: bool = True
) -> list[tuple[np.ndarray, ...]]:
    """Points from few values; some with NaN, inf and numbers at the ends of the range."""
    generator = random.Random(seed)
    points = []
    for place in range(count):
        values = (*POINT_VALUES, *WILD_VALUES) if wild and place % 3 == 2 else POINT_VALUES
        points.append(
            tuple(
                np.array([generator.choice(values) for _ in range(param.value.shape[0])])
                if param.value.shape
                else np.array(generator.choice(values))
                for param in program.params
            )
        )
    return points


class _Maker:
    def __init__(self, seed: int, rounded: bool, wild: bool) -> None:
        self.generator = random.Random(seed)
        text = "".join(f"line {number}\n" for number in range(1, 60))
        self.builder = Builder(f"random_{seed}", Source(text, f"random_{seed}.cf"))
        rows = EXACT_ROWS if wild else ("add", "sub", "mul", "neg", "add")
        self.rows: tuple[str, ...] = rows + (ROUNDED_ROWS if rounded else ())
        self.line = 1

    def program(self, size: int, inputs: int, depth: int = 0) -> Program:
        values = [self.builder.param(name) for name in ("x", "y", "z", "u", "v", "w")[:inputs]]
        self._grow(values, size, depth)
        reals = [value for value in values if value.kind == "real"]
        total = reals[-1]
        for value in reals[-4:-1]:
            total = self.builder.apply("add", total, value)
        return verify(self.builder.finish([total]))

    def _choose(self, values: Sequence[Value]) -> Value:
        """A value, the later the likelier, now and then a constant."""
        if self.generator.random() < 0.15:
            return self.builder.constant(Fraction(self.generator.choice(_NUMBERS)))
        place = max(self.generator.randrange(len(values)), self.generator.randrange(len(values)))
        return values[place]

    def _next_line(self) -> None:
        self.line += self.generator.random() < 0.4
        self.builder.span = Span(self.line, 1, self.line, 9)

    def _grow(self, values: list[Value], size: int, depth: int) -> None:
        """Append about `size` instructions on the present branch; `values` are those visible there."""
        builder, generator = self.builder, self.generator
        while size > 0:
            self._next_line()
            chance = generator.random()
            if chance < 0.2 and depth < DEEPEST and size > 4:
                values.append(self._branched(values, size // 3, depth))
                size -= size // 3
            elif chance < 0.4:
                values.append(self._kink(values))
            elif chance < 0.48:
                guard = self._guard(values)
                arms = self._choose(values), self._choose(values)
                values.append(
                    builder.select(guard, *arms, lazy=False, gate=generator.choice(("select", "mul")))
                )
            elif chance < 0.55:
                values.append(builder.apply("ipow", self._choose(values), n=Fraction(2)))
            else:
                op = generator.choice(self.rows)
                count = 2 if op in ("add", "sub", "mul", "div", "logaddexp") else 1
                values.append(builder.apply(op, *(self._choose(values) for _ in range(count))))
            size -= 1

    def _guard(self, values: Sequence[Value]) -> Value:
        builder, generator = self.builder, self.generator
        guard = builder.apply(generator.choice(COMPARISONS), self._choose(values), self._choose(values))
        chance = generator.random()
        if chance < 0.15:
            other = builder.apply("isnan", self._choose(values))
            return builder.apply(generator.choice(("logical_and", "logical_or")), guard, other)
        return builder.apply("logical_not", guard) if chance < 0.25 else guard

    def _branched(self, values: Sequence[Value], size: int, depth: int) -> Value:
        guard = self._guard(values)
        arms = []
        for truth in (True, False):
            with self.builder.under(guard, truth):
                own = list(values)
                self._grow(own, size if truth else self.generator.randrange(size + 1), depth + 1)
                arms.append(own[-1])
        return self.builder.select(guard, *arms, lazy=True)

    def _kink(self, values: Sequence[Value]) -> Value:
        """relu, abs, max, min with random weights."""
        builder, generator = self.builder, self.generator
        left, zero = self._choose(values), builder.constant(0)
        kind = generator.choice(("relu", "abs", "max", "min"))
        tie = random_tie(generator, kind)
        if kind == "relu":
            return builder.kink(left, zero, left, zero, tie)
        if kind == "abs":
            return builder.kink(left, zero, left, builder.apply("neg", left), tie)
        right = self._choose(values)
        if kind == "max":
            return builder.kink(left, right, left, right, tie)
        return builder.kink(right, left, left, right, tie)

    # arrays

    def array_program(self, size: int, width: int) -> Program:
        builder, generator = self.builder, self.generator
        vectors = [builder.param("x", (width,))]
        scalars = [builder.param("s")]
        rules = ties.rules(generator.choice(("torch", "jax", "tensorflow", "autograd")))
        for _ in range(size):
            self._next_line()
            kind = generator.choice(
                ("elementwise", "kink", "extremum", "order", "sum", "index", "scale", "cumulative")
            )
            vector = self._choose_vector(vectors)
            if kind == "elementwise":
                op = generator.choice(("add", "mul", "sub"))
                vectors.append(builder.apply(op, vector, self._choose_vector(vectors)))
            elif kind == "kink":
                other = self._choose_vector(vectors)
                tie = random_tie(generator, "max")
                vectors.append(builder.kink(vector, other, vector, other, tie))
            elif kind == "extremum":
                sense = generator.choice(("max", "min"))
                rule = rules.reduction(f"reduce_{sense}")
                scalars.append(builder.apply("extremum", vector, axes=(0,), sense=sense, rule=rule))
            elif kind == "order":
                last = generator.random() < 0.3
                places = builder.apply(
                    "order", vector, axis=0, descending=generator.random() < 0.5, last=last
                )
                vectors.append(builder.apply("gather", vector, places, axis=0))
            elif kind == "cumulative":
                last = generator.random() < 0.5
                places = builder.apply("cumargextremum", vector, axis=0, sense="max", last=last)
                vectors.append(builder.apply("gather", vector, places, axis=0))
            elif kind == "sum":
                scalars.append(builder.apply("sum", vector, axes=(0,)))
            elif kind == "index":
                scalars.append(builder.apply("index", vector, key=(generator.randrange(width),)))
            else:
                vectors.append(builder.apply("mul", vector, generator.choice(scalars)))
        total = builder.apply("sum", vectors[-1], axes=(0,))
        for value in scalars[-3:]:
            total = builder.apply("add", total, value)
        return verify(builder.finish([total]))

    def _choose_vector(self, vectors: Sequence[Value]) -> Value:
        return vectors[max(self.generator.randrange(len(vectors)), self.generator.randrange(len(vectors)))]


def random_tie(generator: random.Random, name: str) -> Tie:
    """Any weights at the tie and at NaN, a gate for each mode."""

    def mode() -> TieMode:
        gate: Gate = generator.choice(("select", "mul"))
        zero, one = Fraction(0), Fraction(1)
        above = Weights(zero, generator.choice(_WEIGHTS), one, generator.choice(_WEIGHTS))
        below = Weights(one, generator.choice(_WEIGHTS), zero, generator.choice(_WEIGHTS))
        return TieMode(above, below, gate)

    forward = mode()
    return Tie(name, forward, forward if generator.random() < 0.7 else mode())
