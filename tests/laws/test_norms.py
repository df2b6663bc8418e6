"""Random programs in which norms vanish: what is said of the point agrees with slopes and gradients beside it.

The other side are the emitted modules, in floats, at many points at a distance of 1e-6.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from cfcompiler import compile_text
from cfcompiler.targets.json_report import point_json

STEP, TOLERANCE = 1e-6, 1e-4
RULES = (
    {},
    {"relu": "1", "max": "last", "abs": "1"},
    {"relu": "1/2", "max": "split"},
    {"relu": "3", "abs": "-1"},
)


def program(rng: random.Random, size: int) -> str:
    """The text of a program with at least one norm that is 0 at the origin."""
    inputs = [f"x[{place}]" for place in range(size)]

    def linear() -> str:
        return " + ".join(f"{rng.randint(-2, 2)}*{x}" for x in rng.sample(inputs, 2))

    def entry() -> str:
        one, other = rng.choice(inputs), rng.choice(inputs)
        return rng.choice((one, one, linear(), f"{one}*{other}", f"relu({one})"))

    def leaf() -> str:
        if rng.random() < 0.6:
            return f"norm2([{', '.join(entry() for _ in range(rng.randint(2, 3)))}])"
        return rng.choice((rng.choice(inputs), f"({linear()})", f"abs({rng.choice(inputs)})"))

    def grown(depth: int) -> str:
        if depth == 0:
            return leaf()
        left, right = grown(depth - 1), grown(rng.randint(0, depth - 1))
        made = ("({0} + {1})", "({0} - {1})", "max({0}, {1})", "min({0}, {1})", "relu({0})", "({0} * {1})")
        return rng.choice((*made, "(2 * {0})", "({0})**2", "sin({0})")).format(left, right)

    while "norm2" not in (text := grown(rng.randint(1, 2))):
        continue
    if rng.random() < 0.2:
        text = f"{text} if dot(x, x) > 0 else 0"
    return f"def f(x: Real[{size}]):\n    return {text}\n"


def numbers(row: dict[str, Any]) -> np.ndarray:
    return np.array([float(eval(text, {"sqrt": math.sqrt, "pi": math.pi})) for text in row["x"]])


@pytest.mark.parametrize("seed", range(40))
def test_answers_agree_with_what_is_seen_beside_the_point(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.choice((2, 2, 3))
    compiled = compile_text(program(rng, size), "f.cf", overrides=rng.choice(RULES))
    found = point_json(compiled.at(x=[0] * size))
    module = compiled.namespace
    directions = np.random.default_rng(seed).normal(size=(1500, size))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    gradients = np.asarray(module["grad"](STEP * directions))
    slopes = (module["value"](STEP * directions) - module["value"](np.zeros(size))) / STEP
    ad = numbers(found["ad"]["backward"])

    def linear(gradient: np.ndarray) -> bool:
        return bool(np.max(np.abs(slopes - directions @ gradient)) < TOLERANCE)

    match found["verdict"]:
        case "exact":
            assert linear(ad)
        case "clarke":
            assert not linear(np.linalg.lstsq(directions, slopes, rcond=None)[0])
            reach = np.max(directions @ gradients.T, axis=1)
            assert np.all(directions @ ad <= reach + 0.2)
        case "spurious":
            certificate = next(one for one in found["certificates"] if one["of"] == "ad")
            direction = numbers(certificate["direction"])
            seen = float(np.max(gradients @ direction))
            assert seen <= float(eval(certificate["support"], {"sqrt": math.sqrt})) + TOLERANCE
            assert direction @ ad > seen
        case other:
            assert other in ("unknown", "undefined")
    if found["gradient"] is not None:
        assert linear(numbers(found["gradient"]))
    lowest = float(np.min(np.max(directions @ gradients.T, axis=1)))  # below 0: some direction descends
    if found["clarke_critical"] is not None:
        assert lowest > -0.2 if found["clarke_critical"] else lowest < 0.2


def test_most_answers_are_known() -> None:
    verdicts = []
    for seed in range(40):
        rng = random.Random(seed)
        size = rng.choice((2, 2, 3))
        verdicts.append(point_json(compile_text(program(rng, size), "f.cf").at(x=[0] * size))["verdict"])
    assert verdicts.count("unknown") <= 8 and verdicts.count("clarke") >= 10 and verdicts.count("exact") >= 4
