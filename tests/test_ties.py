"""Every recorded answer of every framework at ties, NaN and inf is reproduced by its preset, or is listed.

data/unreproduced.json lists what is not reproduced, row by row, with the reason; it is exact: a listed row that is
reproduced after all fails as well.
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import lru_cache
from math import inf, isnan, nan

import numpy as np
import pytest

from cfcompiler.compiler import compile_text
from cfcompiler.language.prelude import prelude
from cfcompiler.language.tree import Function
from cfcompiler.ties import preset_names
from tests.ties_rows import DATA, Row, disagreement, recorded_rows
from tests.ties_translation import NotExpressible

ROWS = tuple(recorded_rows())
GROUPS = sorted({(row.file, row.framework, row.mode) for row in ROWS})


def _needed(function: Function) -> int:
    """How many arguments a call must give."""
    return sum(parameter.default is None for parameter in function.parameters)


@lru_cache(maxsize=1)
def listed() -> dict[str, str]:
    """Key of a row -> why it is not reproduced."""
    groups = json.loads((DATA / "unreproduced.json").read_text(encoding="utf-8"))["unreproduced"]
    reasons: dict[str, str] = {}
    for group in groups:
        for key in group["rows"]:
            assert key not in reasons, f"listed twice: {key}"
            reasons[key] = group["reason"]
    return reasons


def failure(row: Row) -> str | None:
    try:
        return disagreement(row)
    except NotExpressible as problem:
        return problem.reason


@pytest.mark.parametrize(("file", "framework", "mode"), GROUPS)
def test_each_row_is_reproduced_or_listed_with_its_reason(file: str, framework: str, mode: str) -> None:
    reasons = listed()
    unlisted, reproduced = [], []
    for row in ROWS:
        if (row.file, row.framework, row.mode) != (file, framework, mode):
            continue
        problem = failure(row)
        if problem is not None and row.key not in reasons:
            unlisted.append(f"{row.key}: {problem}")
        if problem is None and row.key in reasons:
            reproduced.append(row.key)
    assert not unlisted, f"{len(unlisted)} rows are neither reproduced nor listed:\n" + "\n".join(
        unlisted[:50]
    )
    assert not reproduced, "listed as unreproduced, but reproduced:\n" + "\n".join(reproduced[:50])


def test_the_listing_names_only_recorded_rows() -> None:
    known = {row.key for row in ROWS}
    assert not [key for key in listed() if key not in known]


def test_the_files_hold_all_answers() -> None:
    counts: dict[str, int] = defaultdict(int)
    for row in ROWS:
        counts[row.file] += 1
    assert counts == {"ties": 12534, "conventions": 431}


OPERATIONS = (
    *(f"{function.name}({', '.join('xyz'[: _needed(function)])})" for function in prelude().values()),
    *(
        f"{name}(v)"
        for name in ("max", "min", "sort", "median", "cummax", "cummin", "prod", "logsumexp", "norm2")
    ),
    "quantile(v, 0.3)",
    "topk(v, 2)",
    "maxpool(v, 2)",
    "max(x, y, z)",
    "x**2.5 + x**0.5 + x**0.0 + x**3 + x**y + x/y + remainder(x, y) + fmod(x, y) + atan2(x, y)",
)


@pytest.mark.parametrize("preset", [*preset_names(), "default"])
def test_each_preset_has_rules_for_all_operations(preset: str) -> None:
    for operation in OPERATIONS:
        program = compile_text(f"def f(x, y, z, v: Real[4]):\n    return {operation}\n", preset=preset)
        assert program.forward.results
        assert program.backward.results


def test_the_keys_of_rows_are_unique() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("preset", "slope"), [("torch", nan), ("jax", 0.0), ("autograd", nan)])
def test_a_power_of_zero_sends_what_its_framework_sends(preset: str, slope: float) -> None:
    """sqrt(x)**0 at 0, backward: a zero that is multiplied by inf, or in JAX nothing at all."""
    found = compile_text("def f(x):\n    return sqrt(x)**0\n", preset=preset).grad(0.0)
    assert found == slope or (isnan(found) and isnan(slope))


@pytest.mark.parametrize("preset", ["torch", "jax", "autograd"])
@pytest.mark.parametrize("point", [0.0, 1.0])
def test_the_slope_of_logit_is_infinite_at_both_ends(preset: str, point: float) -> None:
    program = compile_text("def f(x):\n    return logit(x)\n", preset=preset)
    assert program.grad(point) == inf
    assert program.jvp((point,), (1.0,))[1] == inf


@pytest.mark.parametrize(("preset", "outside"), [("jax", nan), ("jax-jit", 0.0)])
@pytest.mark.parametrize("extremum", ["max", "min"])
@pytest.mark.parametrize("cotangent", [inf, -inf, nan])
def test_jit_selects_where_the_mask_of_an_extremum_meets_infinity(
    preset: str, outside: float, extremum: str, cotangent: float
) -> None:
    """Measured on jax 0.10.2: the vjp of jax.numpy.max at [1, 2, 3] with this cotangent, without and under jit."""
    program = compile_text(f"def f(x: Real[3]):\n    return {extremum}(x)\n", preset=preset)
    expected = [outside, outside, cotangent] if extremum == "max" else [cotangent, outside, outside]
    point = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(program.vjp(point)[1](cotangent), expected)
    batch = program.vjp(np.stack([point, point]))[1](np.full(2, cotangent))
    np.testing.assert_array_equal(batch, [expected, expected])
