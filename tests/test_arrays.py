"""Array code against the interpreter: at one point, at many points, with results given and buffers used again."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import FLOATS
from cfcompiler.builder import Builder
from cfcompiler.interpreter import run
from cfcompiler.ir import Program, Value
from cfcompiler.source import Source
from cfcompiler.targets.numpy_module import array_functions, drivers
from cfcompiler.targets.numpy_module.arrays import array_code
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.ties import Reduction
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient, vjp
from cfcompiler.transforms.tidy import tidy
from tests.test_batch import HALF, ONE, RULES, SPECIAL, ZERO, rule

RELU = rule((ZERO, ONE), (ONE, ZERO), "select")


def module_of(program: Program, group: int | None = None) -> dict[str, Any]:
    """The array code of a program as a namespace with its plan PLAN and `_sweep`."""
    constants = Constants()
    lines = list(array_code(program, "PLAN", constants).lines)
    needed = [*array_functions.texts([*lines, "_sweep"], drivers.FUNCTIONS), *array_functions.texts(lines)]
    from cfcompiler import ieee

    space: dict[str, Any] = {"np": np, "math": math, "_SCRATCH": threading.local(), "BLOCK": 64, "THREADS": 1}
    space.update({name: function for name, function in vars(ieee).items() if name.startswith("_")})
    text = "\n".join(["from __future__ import annotations", *constants.lines(), *needed, *lines])
    exec(compile(text, "<module>", "exec"), space)
    if group is not None:
        space["PLAN"] = (*space["PLAN"][:2], group, *space["PLAN"][3:])
    return space


def reference(program: Program, inputs: list[Any]) -> list[Any]:
    values = run(program, {p.value.name: x for p, x in zip(program.params, inputs, strict=True)}, FLOATS)
    return [np.asarray(values[value.name]) for value in program.results]


def inputs_of(program: Program, seed: int, lead: tuple[int, ...] = ()) -> list[Any]:
    generator = np.random.default_rng(seed)
    inputs = []
    for param in program.params:
        x = generator.normal(size=(*lead, *param.value.shape))
        mixed = generator.random(x.shape)
        x = np.where(mixed < 0.3, np.round(x), x)
        inputs.append(np.where(mixed > 0.93, generator.choice(np.array(SPECIAL), size=x.shape), x))
    return inputs


def assert_close(got: Any, wanted: Any) -> None:
    """Equal but for the order of sums."""
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-11)


def network(batch: int, sizes: tuple[int, ...]) -> Program:
    """Mean cross-entropy of a ReLU network: weights and biases, images and labels as data."""
    builder = Builder("network", Source("", "<test>"))
    layers = []
    for place, (inner, outer) in enumerate(zip(sizes, sizes[1:], strict=False)):
        layers.append((builder.param(f"W{place}", (outer, inner)), builder.param(f"b{place}", (outer,))))
    images = builder.param("images", (batch, sizes[0]), differentiable=False)
    labels = builder.param("labels", (batch, sizes[-1]), differentiable=False)
    h = images
    zero = builder.constant(0)
    for place, (weights, bias) in enumerate(layers):
        h = builder.apply(
            "add", builder.apply("matmul", h, builder.apply("transpose", weights, axes=(1, 0))), bias
        )
        if place + 1 < len(layers):
            h = builder.kink(h, zero, h, zero, RELU)
    loss = builder.apply("sum", builder.apply("logsumexp", h, axes=(1,)), axes=(0,))
    picked = builder.apply("sum", builder.apply("mul", h, labels), axes=(0, 1))
    return builder.finish([builder.apply("div", builder.apply("sub", loss, picked), builder.constant(batch))])


def on(shape: tuple[int, ...], *more: tuple[int, ...]) -> Callable[[Callable[..., Value]], Program]:
    """A program of array inputs, its result weighed and added up."""

    def made(body: Callable[..., Value]) -> Program:
        builder = Builder("f", Source("", "<test>"))
        out = body(builder, *(builder.param(f"x{place}", one) for place, one in enumerate((shape, *more))))
        if not out.shape:
            return builder.finish([out])
        weights = builder.array("w", np.linspace(0.5, 2.0, math.prod(out.shape)).reshape(out.shape))
        product = builder.apply("mul", out, weights)
        return builder.finish([builder.apply("sum", product, axes=tuple(range(len(out.shape))))])

    return made


def pool(
    indices: tuple[int, ...], tie: Any, gate: Any, columns: int = 2
) -> Callable[[Builder, Value], Value]:
    """Windows of four entries and the maximum of each."""

    def body(builder: Builder, x: Value) -> Value:
        taken = builder.apply("take", x, indices=indices, shape=(len(indices) // 4 // columns, columns, 4))
        return builder.apply(
            "extremum", taken, axes=(2,), sense="max", rule=Reduction("maxpool", tie, gate, gate)
        )

    return body


SPLIT = Reduction("max", "split")
BODIES: list[tuple[str, Program]] = [
    ("relu", on((3, 4))(lambda b, x: b.kink(x, b.constant(0), x, b.constant(0), RELU))),
    *(
        (f"max{place}", on((3, 4), (4,))(lambda b, x, y, tie=tie: b.kink(x, y, x, y, tie)))
        for place, tie in enumerate(RULES)
    ),
    ("abs", on((5,))(lambda b, x: b.kink(x, b.constant(0), x, b.apply("neg", x), RULES[1]))),
    ("min", on((2, 3), (2, 3))(lambda b, x, y: b.kink(y, x, x, y, RULES[2]))),
    (
        "where",
        on((4,), (4,))(lambda b, x, y: b.select(b.apply("less", x, y), x, b.apply("exp", y), lazy=False)),
    ),
    ("matrix-vector", on((3, 4), (4,))(lambda b, w, x: b.apply("matmul", w, x))),
    ("vector-matrix", on((3,), (3, 4))(lambda b, x, w: b.apply("matmul", x, w))),
    ("dot", on((3,), (3,))(lambda b, x, y: b.apply("matmul", x, y))),
    ("matrices", on((3, 4), (4, 2))(lambda b, x, y: b.apply("matmul", x, y))),
    (
        "transposed",
        on((3, 4), (3, 2))(lambda b, x, y: b.apply("matmul", b.apply("transpose", x, axes=(1, 0)), y)),
    ),
    ("slices", on((6,))(lambda b, x: b.apply("index", x, key=((1, 5, 2),)))),
    ("reversed", on((6,))(lambda b, x: b.apply("index", x, key=((5, -1, -2),)))),
    ("rows", on((3, 4))(lambda b, x: b.apply("index", x, key=(1,)))),
    ("entry", on((3, 4))(lambda b, x: b.apply("index", x, key=(1, 2)))),
    ("sums", on((3, 4))(lambda b, x: b.apply("sum", b.apply("mul", x, x), axes=(0,)))),
    ("cumsum", on((3, 4))(lambda b, x: b.apply("cumsum", x, axis=1, reverse=True))),
    ("concat", on((2, 3), (1, 3))(lambda b, x, y: b.apply("concat", x, y, axis=0))),
    ("stack", on((3,), (3,))(lambda b, x, y: b.apply("stack", x, y, axis=0))),
    ("take", on((2, 3))(lambda b, x: b.apply("take", x, indices=(0, 5, 5, 2), shape=(2, 2)))),
    ("norm", on((3, 4))(lambda b, x: b.apply("norm2", x, axes=(1,)))),
    ("maxima", on((3, 4))(lambda b, x: b.apply("extremum", x, axes=(1,), sense="max", rule=SPLIT))),
    ("minimum", on((3, 4))(lambda b, x: b.apply("extremum", x, axes=(0, 1), sense="min", rule=SPLIT))),
    (
        "sort",
        on((3, 4))(
            lambda b, x: b.apply(
                "gather", x, b.apply("order", x, axis=1, descending=False, last=False), axis=1
            )
        ),
    ),
    (
        "cummax",
        on((4, 3))(
            lambda b, x: b.apply(
                "gather", x, b.apply("cumargextremum", x, axis=0, sense="max", last=True), axis=0
            )
        ),
    ),
    (
        "argmin",
        on((4, 3))(lambda b, x: b.apply("gather", x, b.apply("argextremum", x, axis=0, sense="min"), axis=0)),
    ),
    ("broadcast", on((3,))(lambda b, x: b.apply("broadcast", b.apply("exp", x), shape=(2, 3)))),
    (
        "power",
        on((3,))(lambda b, x: b.apply("add", b.apply("ipow", x, n=Fraction(3)), b.apply("rpow", x, n=HALF))),
    ),
    (
        "third largest",
        on((9,))(
            lambda b, x: b.apply(
                "index",
                b.apply(
                    "index",
                    b.apply("gather", x, b.apply("order", x, axis=0, descending=True, last=False), axis=0),
                    key=((0, 4, 1),),
                ),
                key=(2,),
            )
        ),
    ),
    *(
        (
            f"pool {tie} {gate}",
            on((4, 6))(pool((0, 1, 6, 7, 2, 3, 8, 9, 12, 13, 18, 19, 14, 15, 20, 21), tie, gate)),
        )
        for tie, gate in (("first", "select"), ("first", "mul"), ("split", "select"))
    ),
    ("overlapping pool", on((2, 4))(pool((0, 1, 4, 5, 1, 2, 5, 6, 2, 3, 6, 7), "first", "select", 3))),
    ("columns", on((3,), (2,))(lambda b, x, y: b.apply("mul", b.apply("reshape", x, shape=(3, 1)), y))),
]


@pytest.mark.parametrize("case", range(len(BODIES)), ids=[name for name, _ in BODIES])
def test_arrays_at_one_point_and_at_many_are_the_interpreter(case: int) -> None:
    program = BODIES[case][1]
    for transformed in (program, gradient(program), jvp(program), vjp(program)):
        tidied = tidy(transformed)
        space = module_of(tidied, group=3)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for seed in range(6):
                inputs = inputs_of(tidied, seed)
                for one, other in zip(
                    space["_sweep"](space["PLAN"], inputs), reference(tidied, inputs), strict=True
                ):
                    assert_close(one, other)
            many = inputs_of(tidied, 7, (2, 4))
            shared = [x if place % 2 else x[0, 0] for place, x in enumerate(many)]
            for arguments in (many, shared):
                got = space["_sweep"](space["PLAN"], arguments)
                for place in np.ndindex(2, 4):
                    point = [
                        x[place] if x.ndim > len(p.value.shape) else x
                        for x, p in zip(arguments, tidied.params, strict=True)
                    ]
                    if len(arguments) == 1 and arguments[0].ndim == len(tidied.params[0].value.shape):
                        continue
                    for one, other in zip(got, reference(tidied, point), strict=True):
                        assert_close(one[place], other)


def test_a_network_has_the_gradient_of_the_interpreter() -> None:
    program = tidy(gradient(network(7, (6, 5, 4, 3))))
    space = module_of(program)
    generator = np.random.default_rng(0)
    for _ in range(3):
        inputs = [generator.normal(size=param.value.shape) for param in program.params]
        for one, other in zip(
            space["_sweep"](space["PLAN"], inputs), reference(program, inputs), strict=True
        ):
            assert_close(one, other)


def test_results_are_fresh_and_given_ones_are_filled() -> None:
    program = tidy(gradient(network(7, (6, 5, 4, 3))))
    space = module_of(program)
    inputs = [np.random.default_rng(0).normal(size=param.value.shape) for param in program.params]
    first = space["_sweep"](space["PLAN"], inputs)
    kept = [one.copy() for one in first]
    out = [np.empty(one.shape) for one in first]
    second = space["_sweep"](space["PLAN"], [x + 1 for x in inputs], out)
    for one, before, given, two in zip(first, kept, out, second, strict=True):
        np.testing.assert_array_equal(one, before)
        assert two is given and not np.may_share_memory(one, two)


def test_shared_weights_with_many_images_are_one_product() -> None:
    lines = "\n".join(array_code(network(7, (6, 5, 4, 3)), "PLAN", Constants()).lines)
    assert "_products(" in lines
    weights, images = (
        np.random.default_rng(0).normal(size=(1, 3, 4)),
        np.random.default_rng(1).normal(size=(9, 4)),
    )
    np.testing.assert_allclose(array_functions._products(weights, images, 2, 1), images @ weights[0].T)


@pytest.mark.parametrize("count", [1000, 5000])
def test_packed_keys_sort_as_the_stable_sort_does(count: int) -> None:
    generator = np.random.default_rng(count)
    for x in (
        generator.normal(size=count),
        np.round(generator.normal(size=count), 1),
        1.0 + np.round(generator.normal(size=count)) * 2.0**-50,
        np.where(generator.random(count) < 0.01, generator.choice(np.array(SPECIAL), size=count), 0.5),
        np.zeros(count) * np.where(generator.random(count) < 0.5, -1.0, 1.0),
    ):
        for keys in (x, -x):
            np.testing.assert_array_equal(
                array_functions._order(keys, 0, False, False), keys.argsort(kind="stable")
            )
        down = array_functions._order(x, 0, True, False)
        np.testing.assert_array_equal(down, falling(x))


def falling(x: np.ndarray) -> np.ndarray:
    """The stable order from the largest to the smallest, NaN first: it counts as the largest."""
    return np.lexsort((np.where(np.isnan(x), 0.0, -x), ~np.isnan(x)))


def test_a_ranked_place_is_that_of_the_stable_order() -> None:
    generator = np.random.default_rng(0)
    for x in (
        generator.normal(size=300),
        np.round(generator.normal(size=300)),
        np.append(np.ones(5), np.nan),
    ):
        for rank in (0, 2, len(x) // 2, len(x) - 1):
            assert array_functions._ranked(x, rank, False) == x.argsort(kind="stable")[rank]
            assert array_functions._ranked(x, rank, True) == falling(x)[rank]


def test_a_weight_one_half_is_not_lost_in_arrays() -> None:
    builder = Builder("f", Source("", "<test>"))
    x = builder.param("x", (2,))
    zero = builder.constant(0)
    half = rule((HALF, ONE), (HALF, ZERO), "select")
    out = builder.apply("sum", builder.kink(x, zero, x, zero, half), axes=(0,))
    program = tidy(gradient(builder.finish([out])))
    space = module_of(program)
    np.testing.assert_array_equal(space["_sweep"](space["PLAN"], [np.array([0.0, 2.0])])[1], [0.5, 1.0])


def test_pooling_copies_no_windows_and_a_rank_needs_no_order() -> None:
    named = dict(BODIES)
    text = "\n".join(array_code(tidy(gradient(named["pool first select"])), "PLAN", Constants()).lines)
    assert "_pooled_places(" in text and "_pooled_shares(" in text
    text = "\n".join(array_code(tidy(gradient(named["third largest"])), "PLAN", Constants()).lines)
    assert (
        "_ranked(" in text.split("def _plan_arrays")[0] and "_order(" not in text.split("def _plan_arrays")[0]
    )
