"""Forward and backward give one number at every point, ties, NaN and inf included, where the rules have one mode.

Under the other rules the module says where they may differ; where it says that they do not, they do not.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from cfcompiler.analyses.jacobians import both_modes
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.ties import load_preset, preset_names, rules
from tests.random_texts import KINDS, random_text

WILD = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -0.75, 3.0, math.inf, -math.inf, math.nan)
SAME = "return the same derivatives at every point"
SEVERAL = """
def f(x, y, v: Real[2]):
    a = sqrt(x*y) + max(v)
    return a/x, [log(y), x*v[0] - exp(v[1])*a, relu(x) - y]
"""


def _points(compiled: Compiled, generator: random.Random, count: int) -> list[list[Any]]:
    shapes = [param.value.shape for param in compiled.program.params]
    return [
        [np.reshape([generator.choice(WILD) for _ in range(math.prod(shape))], shape) for shape in shapes]
        for _ in range(count)
    ]


def _leaves(found: Any) -> np.ndarray:
    parts = found if isinstance(found, tuple | list) else [found]
    return np.concatenate([np.ravel(np.asarray(part, dtype=np.float64)) for part in parts])


def _jacobians(compiled: Compiled, point: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """(forward, backward) of the module at one point: a row for each entry of the results."""
    module, point = compiled.namespace, [float(x) if np.ndim(x) == 0 else x for x in point]
    moving = [param.differentiable for param in compiled.program.params]
    inputs = [x for x, moves in zip(point, moving, strict=True) if moves]
    columns = []
    for which, x in enumerate(inputs):
        for entry in np.ndindex(np.shape(x)):
            tangents = [np.zeros(np.shape(other)) for other in inputs]
            tangents[which][entry] = 1.0
            columns.append(_leaves(module["jvp"](tuple(point), tuple(_plain(v) for v in tangents))[1]))
    pullback = module["vjp"](*point)[1]
    rows = []
    shapes = [value.shape for value in compiled.program.results]
    for which, shape in enumerate(shapes):
        for entry in np.ndindex(shape):
            seeds = [np.zeros(other) for other in shapes]
            seeds[which][entry] = 1.0
            rows.append(_leaves(pullback(_plain(seeds[0]) if len(seeds) == 1 else tuple(seeds))))
    return np.stack(columns, axis=1), np.stack(rows)


def _plain(array: Any) -> Any:
    return float(array) if np.ndim(array) == 0 else array


def _same(forward: np.ndarray, backward: np.ndarray) -> None:
    np.testing.assert_allclose(forward, backward, rtol=1e-9, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize("kind", KINDS)
def test_one_mode_is_one_number_at_every_point(kind: str, preset: str) -> None:
    generator = random.Random(f"{kind} {preset}")
    text = random_text(generator.randrange(10**6), kind, statements=5).text
    compiled = compile_text(text, preset=preset, overrides={"modes": "one"})
    assert SAME in compiled.namespace["__doc__"]
    for point in _points(compiled, generator, 4):
        forward, backward = _jacobians(compiled, point)
        _same(forward, backward)
        inputs = {param.value.name: x for param, x in zip(compiled.program.params, point, strict=True)}
        for ours in both_modes(compiled.program, inputs):
            _same(np.stack([_leaves(row) for row in ours]), backward)


@pytest.mark.parametrize("checked", ["points", "array"])
def test_several_results_and_many_points(checked: str) -> None:
    text = (
        SEVERAL
        if checked == "points"
        else "def f(A: Real[40, 40], x):\n    return A @ A[0]/x, max(sqrt(A))\n"
    )
    compiled = compile_text(text, overrides={"modes": "one"})
    points = _points(compiled, random.Random(1), 12 if checked == "points" else 2)
    if checked == "points":
        for point in points:
            _same(*_jacobians(compiled, point))
    columns = tuple(np.stack(column) for column in zip(*points, strict=True))
    tangents = tuple(np.full(np.shape(x), 0.5 * place) for place, x in enumerate(points[0]))
    value, along = compiled.namespace["jvp"](columns, tangents)
    for place, point in enumerate(points):
        own = compiled.namespace["jvp"](tuple(point), tangents)
        np.testing.assert_array_equal(_leaves([part[place] for part in value]), _leaves(own[0]))
        np.testing.assert_array_equal(_leaves([part[place] for part in along]), _leaves(own[1]))
        assert [np.shape(part[place]) for part in along] == [np.shape(part) for part in own[1]]


def test_a_tangent_of_zero_asks_for_nothing() -> None:
    separate = compile_text("def f(x, y):\n    return x/y\n")
    one = compile_text("def f(x, y):\n    return x/y\n", overrides={"modes": "one"})
    assert math.isnan(separate.namespace["jvp"]((1.0, 0.0), (1.0, 0.0))[1])
    assert one.namespace["jvp"]((1.0, 0.0), (1.0, 0.0)) == (math.inf, math.inf)
    assert one.namespace["jvp"]((1.0, 0.0), (0.0, 0.0))[1] == 0
    assert one.namespace["jvp"]((1.0, 2.0), (1.0, 1.0)) == separate.namespace["jvp"]((1.0, 2.0), (1.0, 1.0))


def test_products_that_overflow_on_one_way_only() -> None:
    """1e-200*1e200*1e200 from the left is 1e200, from the right inf; and the other way round."""
    for factors in ((1e-200, 1e200, 1e200), (1e200, 1e200, 1e-200)):
        text = f"def f(x):\n    a = {factors[0]!r}*x\n    b = {factors[1]!r}*a\n    return {factors[2]!r}*b\n"
        compiled = compile_text(text, overrides={"modes": "one"})
        forward, backward = _jacobians(compiled, [0.0])
        assert forward == backward


def test_one_mode_takes_the_rules_of_backward() -> None:
    text = "def f(x, y):\n    return fmax(x, y)\n"
    assert _jacobians(compile_text(text), [1.0, 1.0])[0].tolist() == [
        [0, 1]
    ]  # torch's forward gives the second
    assert _jacobians(compile_text(text, overrides={"modes": "one"}), [1.0, 1.0])[0].tolist() == [[1, 0]]


@pytest.mark.parametrize(
    "preset", [name for name in preset_names() if not load_preset(name).formulas.one_mode]
)
def test_what_a_module_says_of_its_modes_holds(preset: str) -> None:
    said = 0
    generator = random.Random(preset)
    texts = [random_text(generator.randrange(10**6), "linear", statements=4).text for _ in range(6)]
    texts += ["def f(x, y):\n    return 2*relu(x) - abs(y)/4 if x > y else fmin(x, 3) - y\n"]
    texts += ["def f(x, y):\n    return x + y if x > y else x - y\n"]
    for text in texts:
        compiled = compile_text(text, preset=preset)
        if SAME not in compiled.namespace["__doc__"]:
            continue
        said += 1
        for point in _points(compiled, generator, 5):
            _same(*_jacobians(compiled, point))
    assert said
    product = compile_text("def f(x, y):\n    return x*y\n", preset=preset)
    assert "inf and NaN: forward multiplies" in product.namespace["__doc__"]
    forward, backward = _jacobians(product, [math.inf, 0.5])
    assert math.isnan(forward[0, 0])
    assert backward.tolist() == [[0.5, math.inf]]


def test_the_rule_takes_two_words() -> None:
    assert rules("torch", {"modes": "one"}).formulas.one_mode
    assert not rules("casadi", {"modes": "separate"}).formulas.one_mode
    with pytest.raises(ValueError, match="modes takes one or separate, not 'both'"):
        rules("torch", {"modes": "both"})
