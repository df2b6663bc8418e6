"""Block code against the interpreter, point by point: ties, NaN, infinities, signed zeros, every gate and weight."""

from __future__ import annotations

import inspect
import math
import os
import random
import warnings
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import FLOATS
from cfcompiler.builder import Builder
from cfcompiler.interpreter import run
from cfcompiler.ir import Gate, Number, Program, Tie, TieMode, Value, Weights
from cfcompiler.source import Source
from cfcompiler.targets.numpy_module import array_functions, drivers
from cfcompiler.targets.numpy_module.batch import block_code
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.targets.numpy_module.patterns import patterns
from cfcompiler.ties import Reduction
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient, vjp
from cfcompiler.transforms.scalarize import scalarize
from cfcompiler.transforms.tidy import tidy

ZERO, HALF, ONE = Fraction(0), Fraction(1, 2), Fraction(1)
SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, math.inf, -math.inf, math.nan)


def rule(
    above: tuple[Number, Number],
    below: tuple[Number, Number],
    gate: Any,
    sides: tuple[Number, Number] = (ONE, ZERO),
) -> Tie:
    """A tie rule from (weight at the tie, weight at NaN) of both pieces."""
    mode = TieMode(
        Weights(sides[1], above[0], sides[0], above[1]), Weights(sides[0], below[0], sides[1], below[1]), gate
    )
    return Tie("rule", mode, mode)


RULES = [
    rule((ZERO, ONE), (ONE, ZERO), "select"),
    rule((HALF, ZERO), (HALF, ZERO), "select"),
    rule((HALF, ONE), (HALF, ONE), "mul"),
    rule((ONE, ZERO), (ZERO, ONE), "mul"),
    rule((ONE, ONE), (ONE, ONE), "select"),
    rule((HALF, "nan"), (HALF, "nan"), "select"),
    rule((ZERO, ONE), (ONE, ZERO), "mul", sides=(ONE, ONE)),
    rule((ONE, ONE), (ZERO, ZERO), "select", sides=(Fraction(2), ZERO)),
]


def module_of(program: Program, **settings: Any) -> dict[str, Any]:
    """The block code of a program as a namespace with its plan PLAN and `_sweep`."""
    constants = Constants()
    code = block_code(program, "PLAN", constants)
    lines = list(code.lines)
    needed = [*array_functions.texts([*lines, "_sweep"], drivers.FUNCTIONS), *array_functions.texts(lines)]
    space: dict[str, Any] = {
        "np": np,
        "math": math,
        "os": os,
        "Any": Any,
        "Callable": Callable,
        "Sequence": Sequence,
        "BLOCK": 64,
        "THREADS": 1,
        "_TABLES": {},
        **settings,
    }
    from cfcompiler import ieee

    space.update({name: function for name, function in vars(ieee).items() if name.startswith("_")})
    text = "\n".join(["from __future__ import annotations", *constants.lines(), *needed, *lines])
    exec(compile(text, "<module>", "exec"), space)
    return space


def reference(program: Program, inputs: Sequence[Any], count: int) -> list[Any]:
    """The interpreter at each point."""
    rows: list[list[Any]] = []
    for point in range(count):
        values = run(
            program,
            {param.value.name: np.asarray(x[point]) for param, x in zip(program.params, inputs, strict=True)},
            FLOATS,
        )
        rows.append([np.asarray(values[value.name]) for value in program.results])
    return [np.array(column) for column in zip(*rows, strict=True)]


def points_of(program: Program, count: int, seed: int) -> list[Any]:
    """Random inputs with many ties and special values among them."""
    generator = np.random.default_rng(seed)
    inputs = []
    for param in program.params:
        x = generator.normal(size=(count, *param.value.shape))
        mixed = generator.random(x.shape)
        x = np.where(mixed < 0.3, np.round(x), x)
        x = np.where(mixed > 0.85, generator.choice(np.array(SPECIAL), size=x.shape), x)
        inputs.append(x)
    return inputs


def assert_same(got: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(got, wanted)


class Writer:
    """Random scalar programs."""

    SMOOTH = (
        "exp",
        "sqrt",
        "tanh",
        "sin",
        "sigmoid",
        "softplus",
        "neg",
        "log",
        "floor",
        "sign",
        "erf",
        "atan",
    )
    BINARY = ("add", "sub", "mul", "div", "atan2", "logaddexp")

    def __init__(self, seed: int, inputs: int, *, affine: bool = False) -> None:
        self.random = random.Random(seed)
        self.builder = Builder("f", Source("", "<test>"))
        self.affine = affine
        self.values = [self.builder.param(f"x{place}") for place in range(inputs)]

    def pick(self) -> Value:
        if self.random.random() < 0.15:
            return self.builder.constant(self.random.choice([ZERO, HALF, ONE, Fraction(-2), Fraction(1, 3)]))
        return self.random.choice(self.values[-6:] + self.values)

    def condition(self) -> Value:
        op = self.random.choice(["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"])
        return self.builder.apply(op, self.pick(), self.pick())

    def step(self) -> Value:
        builder, choice = self.builder, self.random.random()
        if choice < 0.35:
            a, b, tie = self.pick(), self.pick(), self.random.choice(RULES)
            kind = self.random.randrange(5)
            if kind == 0:
                return builder.kink(a, builder.constant(0), a, builder.constant(0), tie)
            if kind == 1:
                return builder.kink(a, b, a, b, tie)
            if kind == 2:
                return builder.kink(b, a, a, b, tie)
            if kind == 3:
                return builder.kink(a, builder.constant(0), a, builder.apply("neg", a), tie)
            return builder.kink(a, b, self.pick(), self.pick(), tie)
        if choice < 0.45:
            gates: tuple[Gate, ...] = ("select", "mul")
            gate = self.random.choice(gates)
            return builder.select(self.condition(), self.pick(), self.pick(), lazy=False, gate=gate)
        if choice < 0.55:
            return self.branch()
        if self.affine:
            op = self.random.choice(["add", "sub", "neg"])
            return (
                builder.apply(op, self.pick()) if op == "neg" else builder.apply(op, self.pick(), self.pick())
            )
        if choice < 0.75:
            return builder.apply(self.random.choice(self.SMOOTH), self.pick())
        if choice < 0.8:
            return builder.apply("ipow", self.pick(), n=Fraction(self.random.choice([2, 3, -1])))
        return builder.apply(self.random.choice(self.BINARY), self.pick(), self.pick())

    def branch(self) -> Value:
        guard = self.condition()
        arms = []
        for truth in (True, False):
            with self.builder.under(guard, truth):
                op = "neg" if self.affine else self.random.choice(("sqrt", "exp", "neg"))
                inner = self.builder.apply(op, self.pick())
                arms.append(self.builder.apply("add" if self.affine else "mul", inner, self.pick()))
        return self.builder.select(guard, arms[0], arms[1], lazy=True)

    def program(self, steps: int) -> Program:
        for _ in range(steps):
            self.values.append(self.step())
        return self.builder.finish([self.values[-1]])


@pytest.mark.parametrize("seed", range(25))
def test_blocks_of_random_programs_are_the_interpreter(seed: int) -> None:
    program = Writer(seed, 3).program(14)
    for transformed in (program, gradient(program), jvp(program), vjp(program)):
        tidied = tidy(transformed)
        inputs = points_of(tidied, 150, seed)
        space = module_of(tidied)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            got = space["_sweep"](space["PLAN"], inputs)
        for one, other in zip(got, reference(tidied, inputs, 150), strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("seed", range(25))
def test_tables_of_random_affine_programs_are_the_interpreter(seed: int) -> None:
    program = tidy(gradient(Writer(seed, 3, affine=True).program(10)))
    inputs = points_of(program, 200, seed)
    space = module_of(program)
    got = space["_sweep"](space["PLAN"], inputs)
    for one, other in zip(got, reference(program, inputs, 200), strict=True):
        assert_same(one, other)


def piecewise_linear() -> Program:
    builder = Builder("f", Source("", "<test>"))
    x, y = builder.param("x"), builder.param("y")
    zero = builder.constant(0)
    total = x
    for index, tie in enumerate(RULES[:6]):
        side = builder.apply("sub", builder.apply("mul", x, builder.constant(Fraction(index, 3))), y)
        total = builder.apply("sub", builder.kink(side, zero, side, zero, tie), total)
    return builder.finish([total])


def test_a_piecewise_affine_gradient_uses_a_table() -> None:
    program = tidy(gradient(piecewise_linear()))
    found = patterns(program)
    assert found is not None and found.decided == (1, 2)
    assert "_table(" in "\n".join(block_code(program, "PLAN", Constants()).lines)


def test_a_curved_gradient_has_no_table() -> None:
    builder = Builder("f", Source("", "<test>"))
    x = builder.param("x")
    square = builder.apply("mul", x, x)
    zero = builder.constant(0)
    program = builder.finish([builder.kink(square, zero, square, zero, RULES[0])])
    assert patterns(tidy(gradient(program))) is None


def test_leading_axes_broadcast_and_scalars_stay_scalars() -> None:
    program = tidy(gradient(piecewise_linear()))
    space = module_of(program)
    x, y = np.random.default_rng(0).normal(size=(2, 3, 40)), np.array(0.25)
    flat = space["_sweep"](space["PLAN"], [x.reshape(-1), np.full(240, 0.25)])
    for one, other in zip(space["_sweep"](space["PLAN"], [x, y]), flat, strict=True):
        assert one.shape == (2, 3, 40)
        assert_same(one, other.reshape(2, 3, 40))
    column = space["_sweep"](space["PLAN"], [x[:, :1, :1], y + np.zeros((3, 1))])
    assert column[0].shape == (2, 3, 1)
    point = space["_sweep"](space["PLAN"], [np.array(1.0), y])
    assert point[0].shape == ()


def test_empty_batches_and_strided_inputs() -> None:
    program = tidy(gradient(piecewise_linear()))
    space = module_of(program)
    assert [r.shape for r in space["_sweep"](space["PLAN"], [np.empty((0, 2)), np.array(1.0)])] == [
        (0, 2)
    ] * 3
    both = np.random.default_rng(0).normal(size=(300, 2))
    got = space["_sweep"](space["PLAN"], [both[::-1, 0], both[::-1, 1]])
    for one, other in zip(got, reference(program, [both[::-1, 0], both[::-1, 1]], 300), strict=True):
        assert_same(one, other)


def test_out_is_filled_also_when_it_is_an_input_or_strided() -> None:
    program = tidy(gradient(piecewise_linear()))
    space = module_of(program)
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    wanted = space["_sweep"](space["PLAN"], [x.copy(), y])
    spaced = np.empty(400)[::2]
    out = [x, spaced, np.empty(200)]
    got = space["_sweep"](space["PLAN"], [x, y], out)
    for one, given, other in zip(got, out, wanted, strict=True):
        assert one is given
        assert_same(one, other)


def test_threads_give_the_same() -> None:
    program = tidy(gradient(piecewise_linear()))
    x, y = np.random.default_rng(0).normal(size=(2, 1000))
    one, two = module_of(program), module_of(program, THREADS=3)
    for single, threaded in zip(
        one["_sweep"](one["PLAN"], [x, y]), two["_sweep"](two["PLAN"], [x, y]), strict=True
    ):
        assert_same(single, threaded)


def vector_program(island: Callable[[Builder, Value], Value], shape: tuple[int, ...]) -> Program:
    builder = Builder("f", Source("", "<test>"))
    x = builder.param("x", shape)
    out = island(builder, x)
    weights = builder.array("w", np.arange(1.0, 1.0 + math.prod(out.shape)).reshape(out.shape))
    total = builder.apply("mul", out, weights) if out.shape else out
    return builder.finish(
        [builder.apply("sum", total, axes=tuple(range(len(out.shape)))) if out.shape else total]
    )


def sorted_(descending: bool, last: bool) -> Callable[[Builder, Value], Value]:
    def island(builder: Builder, x: Value) -> Value:
        places = builder.apply("order", x, axis=0, descending=descending, last=last)
        return builder.apply("gather", x, places, axis=0)

    return island


def extremum(
    sense: str, tie: Any, gate: Any, nan: Any, axes: tuple[int, ...]
) -> Callable[[Builder, Value], Value]:
    found = Reduction("max", tie, gate, gate, nan, nan)
    return lambda builder, x: builder.apply("extremum", x, axes=axes, sense=sense, rule=found)


def running(sense: str, last: bool) -> Callable[[Builder, Value], Value]:
    def island(builder: Builder, x: Value) -> Value:
        places = builder.apply("cumargextremum", x, axis=0, sense=sense, last=last)
        return builder.apply("gather", x, places, axis=0)

    return island


def picked(builder: Builder, x: Value) -> Value:
    return builder.apply("gather", x, builder.apply("argextremum", x, axis=0, sense="min"), axis=0)


def ranked(builder: Builder, x: Value) -> Value:
    places = builder.apply("order", x, axis=0, descending=True, last=False)
    return builder.apply("gather", x, builder.apply("index", places, key=(1,)), axis=0)


ISLANDS = [
    (sorted_(False, False), (4,)),
    (sorted_(True, False), (4,)),
    (sorted_(False, True), (3,)),
    (sorted_(True, True), (4,)),
    *(
        (extremum("max", tie, gate, "nan", (0,)), (4,))
        for tie in ("split", "first", "last", "all")
        for gate in ("mul", "select")
    ),
    (extremum("min", "split", "mul", "zero", (0,)), (4,)),
    (extremum("min", (ONE, HALF, HALF, ONE), "select", "share", (0,)), (4,)),
    (extremum("max", "first", "select", "share", (1,)), (2, 3)),
    (extremum("max", "split", "mul", "nan", (0, 1)), (2, 2)),
    (running("max", False), (5,)),
    (running("min", True), (5,)),
    (picked, (4,)),
    (ranked, (4,)),
]


@pytest.mark.parametrize("case", range(len(ISLANDS)))
def test_orderings_and_reductions_in_blocks_are_the_interpreter(case: int) -> None:
    program = vector_program(*ISLANDS[case])
    for transformed in (program, gradient(program), jvp(program)):
        tidied = tidy(scalarize(transformed))
        inputs = points_of(tidied, 120, case)
        space = module_of(tidied)
        got = space["_sweep"](space["PLAN"], inputs)
        for one, other in zip(got, reference(tidied, inputs, 120), strict=True):
            assert_same(one, other)


def test_rows_of_vectors_may_be_strided_and_results_may_be_given() -> None:
    program = tidy(scalarize(gradient(vector_program(*ISLANDS[0]))))
    space = module_of(program)
    x = np.random.default_rng(1).normal(size=(4, 150)).T
    wanted = reference(program, [x], 150)
    out = [np.empty(150), np.empty((150, 4))]
    for given in (None, out):
        for one, other in zip(
            space["_sweep"](space["PLAN"], [np.ascontiguousarray(x)], given), wanted, strict=True
        ):
            assert_same(one, other)
    assert_same(space["_sweep"](space["PLAN"], [x])[1], wanted[1])


def test_names_of_the_program_do_not_disturb_the_block() -> None:
    builder = Builder("f", Source("", "<test>"))
    values = [builder.param(name) for name in ("np", "t0", "work", "out0", "q1", "width", "K1")]
    total = values[0]
    for value in values[1:]:
        total = builder.apply("mul", total, builder.apply("exp", value))
    program = tidy(gradient(builder.finish([total])))
    inputs = points_of(program, 30, 3)
    space = module_of(program)
    for one, other in zip(
        space["_sweep"](space["PLAN"], inputs), reference(program, inputs, 30), strict=True
    ):
        assert_same(one, other)


def test_every_elementwise_row_runs_in_blocks() -> None:
    from cfcompiler.primitives import TABLE

    for row in TABLE.values():
        if row.kind != "elementwise" or row.name in ("ipow", "rpow"):
            continue
        builder = Builder("f", Source("", "<test>"))
        program = builder.finish([builder.apply(row.name, *(builder.param(name) for name in row.params))])
        for transformed in (program, jvp(program), gradient(program)):
            tidied = tidy(transformed)
            inputs = points_of(tidied, 60, 0)
            space = module_of(tidied)
            for one, other in zip(
                space["_sweep"](space["PLAN"], inputs), reference(tidied, inputs, 60), strict=True
            ):
                np.testing.assert_allclose(one, other, rtol=1e-14, err_msg=row.name)


def test_the_texts_are_those_of_the_functions() -> None:
    assert all(
        inspect.getsource(f).startswith(f"def {name}(") for name, f in array_functions.FUNCTIONS.items()
    )
