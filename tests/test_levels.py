"""A tape that runs by level answers what it answers step by step, bit for bit, and what the interpreter does."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cfcompiler.builder import Builder
from cfcompiler.compiler import compile_text
from cfcompiler.ir import Program
from cfcompiler.primitives import TABLE
from cfcompiler.source import Source
from cfcompiler.targets.numpy_module import emit, level_functions, stages
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient
from cfcompiler.verify import verify
from tests.random_programs import random_points, random_program
from tests.test_numpy_module import expected, flat, same_bits

Made = Callable[..., tuple[Any, Any]]


def modules(program: Program, **options: Any) -> tuple[Any, Any]:
    """The module that runs by level, however few the steps of a group are, and the same that never does."""
    text = emit(program, **options)
    by_level, step_by_step = ModuleType("by_level"), ModuleType("step_by_step")
    for module in (by_level, step_by_step):
        exec(text, module.__dict__)
    by_level._WIDE = 0  # type: ignore[attr-defined]
    step_by_step._LEVELS = step_by_step._ARRAY_NAMES["_LEVELS"] = False  # type: ignore[attr-defined]
    return by_level, step_by_step


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """`modules` of a program of any size."""
    monkeypatch.setattr(stages, "MOST_STATEMENTS", 0)
    return modules


def runs_by_level(module: Any) -> bool:
    return any(isinstance(found, SimpleNamespace) for found in module._TAPES.values())


def bits(found: Any) -> list[np.ndarray]:
    return [np.array(flat(found))]


@pytest.mark.parametrize("seed", range(16))
def test_levels_answer_what_single_steps_answer(seed: int, made: Made) -> None:
    program = random_program(seed, size=50, branches=False)
    by_level, single = made(program)
    points = random_points(program, seed, 6)
    tangents = [0.5 * place - 1 for place in range(len(program.params))]
    for point in points:
        at = [float(part) for part in point]
        assert same_bits(by_level.value(*at), bits(single.value(*at)))
        assert same_bits(by_level.value_and_grad(*at), bits(single.value_and_grad(*at)))
        assert same_bits(by_level.jvp(at, tangents), bits(single.jvp(at, tangents)))
        assert same_bits(by_level.vjp(*at)[1](-1.5), bits(single.vjp(*at)[1](-1.5)))
        assert by_level.signature(*at).tolist() == single.signature(*at).tolist()
        assert same_bits(by_level.value_and_grad(*at), expected(gradient(program), at))
        assert same_bits(by_level.jvp(at, tangents), expected(jvp(program), [*at, *tangents]))
        assert isinstance(by_level.value(*at), float)
        if all(map(np.isfinite, at)):
            assert same_bits(by_level.field(*at), bits(single.field(*at)))
    columns = [np.array([float(point[place]) for point in points]) for place in range(len(program.params))]
    assert same_bits(by_level.value_and_grad(*columns), bits(single.value_and_grad(*columns)))
    assert same_bits(by_level.jvp(columns, tangents), bits(single.jvp(columns, tangents)))
    assert by_level.signature(*columns).tolist() == single.signature(*columns).tolist()
    assert runs_by_level(by_level)
    assert not runs_by_level(single)


@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("most", [1, 8])
def test_each_way_to_add_up_and_to_weigh_gives_the_same_bits(few: int, most: int, made: Made) -> None:
    """Weights by group or by kind, shares by column or one by one: sizes choose, here all are forced."""
    for seed in range(40, 46):
        program = random_program(seed, size=120, branches=False)
        by_level, single = made(program)
        by_level._FEW, by_level._MOST, by_level._GAP = few, most, 3
        if most > 1:
            by_level._cost_of_rest = lambda count: 1e9 * count
        points = [[float(part) for part in point] for point in random_points(program, seed, 5)]
        for at in (*points, *points):
            assert same_bits(by_level.value_and_grad(*at), bits(single.value_and_grad(*at)))
        columns = [np.array(column) for column in zip(*points, strict=True)]
        assert same_bits(by_level.value_and_grad(*columns), bits(single.value_and_grad(*columns)))


def test_threads_do_not_share_the_arrays_of_a_run(made: Made) -> None:
    program = compile_text(wide_text(300, 5)).program
    by_level, single = made(program)
    generator = random.Random(4)
    points = [[generator.uniform(-1, 1) for _ in range(10)] for _ in range(60)]
    wanted = [single.value_and_grad(*at) for at in points]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda at: by_level.value_and_grad(*at), points))
    assert all(same_bits(one, bits(other)) for one, other in zip(found, wanted, strict=True))
    kept = by_level.value_and_grad(*(np.array([at[place] for at in points[:3]]) for place in range(10)))
    by_level.value_and_grad(*(np.array([at[place] for at in points[3:6]]) for place in range(10)))
    assert np.array_equal(kept[0], [value for value, _ in wanted[:3]])


@pytest.mark.parametrize("seed", range(8))
def test_levels_round_functions_as_the_interpreter_does(seed: int, made: Made) -> None:
    program = random_program(seed, size=60, branches=False, rounded=True)
    by_level, _ = made(program)
    for point in random_points(program, seed, 6):
        at = [float(part) for part in point]
        found = np.array(flat(by_level.value_and_grad(*at)))
        wanted = np.concatenate([np.ravel(part) for part in expected(gradient(program), at)])
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12, nan_ok=True)
        at_once = by_level.value_and_grad(*(np.full(5, x) for x in at))
        assert same_bits([np.ravel(part)[3] for part in (at_once[0], *at_once[1])], [found])


@pytest.mark.parametrize("seed", range(6))
def test_a_tape_with_branches_stays_a_tape(seed: int, made: Made) -> None:
    text = "def f(x, y):\n    a = sqrt(x) if x > 0 else y\n    return a*a + relu(y - a) + sin(a)\n"
    program = random_program(seed) if seed else compile_text(text).program
    by_level, single = made(program)
    lazy = any(" if" in line or line.startswith(("if", "pick")) for line in by_level._TAPE.splitlines())
    for point in random_points(program, seed, 6):
        at = [float(part) for part in point]
        assert same_bits(by_level.value_and_grad(*at), bits(single.value_and_grad(*at)))
    assert runs_by_level(by_level) != lazy


def test_each_operation_runs_by_level(made: Made) -> None:
    """At ties, at NaN and at inf, every row of one or two numbers, forward and backward."""
    rows = [row for row in TABLE.values() if row.kind == "elementwise" and len(row.params) in (1, 2)]
    builder = Builder("all", Source("x\n", "all.cf"))
    x, y = builder.param("x"), builder.param("y")
    powers = {"ipow": {"n": Fraction(3)}, "rpow": {"n": Fraction(3, 2)}}
    results = [
        builder.apply(row.name, *pair[: len(row.params)], **powers.get(row.name, {}))
        for row in rows
        for pair in ((x, y), (y, x), (x, x))
    ]
    by_level, single = made(verify(builder.finish(results)))
    for at in ((0.0, 0.0), (1.0, 1.0), (-0.5, 2.0), (float("nan"), 1.0), (float("inf"), -1.0), (0.0, -0.0)):
        assert close(by_level.jvp(at, (1.0, -0.5)), single.jvp(at, (1.0, -0.5)))
        back, wanted = by_level.vjp(*at)[1], single.vjp(*at)[1]
        for place in range(len(results)):
            seed = [float(other == place) for other in range(len(results))]
            assert close(back(seed), wanted(seed))
    assert runs_by_level(by_level)


def close(found: Any, wanted: Any) -> bool:
    """The same but for the last places: Python's math rounds some functions otherwise than NumPy."""
    return bool(np.allclose(flat(found), flat(wanted), rtol=1e-12, atol=1e-300, equal_nan=True))


def test_second_derivatives_and_several_results_by_level(made: Made) -> None:
    program = compile_text("def f(x, y):\n    return sin(x) * y ** 3 + relu(x) * exp(y)\n").program
    by_level, single = made(program, order=2)
    assert same_bits(by_level.hessian(0.5, -1.25), bits(single.hessian(0.5, -1.25)))
    program = compile_text("def f(x, y, z):\n    return x*y, relu(x - y), x*y, x\n").program
    by_level, single = made(program)
    for seed in ([1.0, 2.0, 3.0, 4.0], [0.0, -0.0, float("inf"), -1.0]):
        found, wanted = (module.vjp(1.0, 1.0, 0.0)[1](seed) for module in (by_level, single))
        assert same_bits(found, bits(wanted))
    assert runs_by_level(by_level)


def test_assertions_are_checked_by_level(made: Made) -> None:
    text = 'def f(x):\n    y = sin(x)\n    assert y > 0, "above"\n    return sqrt(y) + y\n'
    by_level, _ = made(compile_text(text).program, checks=True)
    assert by_level.value(1.0) > 0
    with pytest.raises(ValueError, match="above"):
        by_level.value(-1.0)
    with pytest.raises(ValueError, match="above"):
        by_level.value_and_grad(np.array([1.0, -1.0]))
    assert runs_by_level(by_level)


def test_sums_are_added_in_the_order_of_the_tape(made: Made) -> None:
    """A thousand shares of very different size arrive at x: another order gives other bits."""
    lines = [f"    t{n} = x * {(-1) ** n * 1.1 ** (n % 300) / 3!r}" for n in range(1000)]
    lines.append("    s0 = t0")
    sums = [f"    s{n} = s{n - 1} + t{n}" for n in range(1, 1000)]
    program = compile_text("\n".join(["def f(x):", *lines, *sums, "    return s999\n"])).program
    by_level, single = made(program)
    assert same_bits(by_level.value_and_grad(0.7), bits(single.value_and_grad(0.7)))
    column = np.linspace(-1, 1, 7)
    assert same_bits(by_level.value_and_grad(column), bits(single.value_and_grad(column)))


def wide_text(count: int, seed: int) -> str:
    """A thousand rows wide, some steps deep, with many ties."""
    generator = random.Random(seed)
    names, lines = [f"x{n}" for n in range(10)], []
    patterns = (
        "relu({} - {})",
        "{} + {}",
        "{} * {} / 4",
        "max({}, {})",
        "abs({}) - {}",
        "where({} > {}, 1, x0)",
    )
    layer = names
    while len(lines) < count:
        kind = [generator.choice(patterns) for _ in range(3)]
        new = [f"t{len(lines) + n}" for n in range(1000)]
        for name in new:
            pair = generator.choices(layer, k=2)
            lines.append(f"    {name} = " + generator.choice(kind).format(*pair))
        layer = new
    while len(layer) > 1:
        new = [f"t{len(lines) + n}" for n in range(len(layer) // 2)]
        lines += [f"    {name} = {layer[2 * n]} + {layer[2 * n + 1]}" for n, name in enumerate(new)]
        layer = new
    return "\n".join([f"def f({', '.join(names)}):", *lines, f"    return {layer[0]}\n"])


def test_a_long_wide_program_runs_by_level_and_a_chain_does_not() -> None:
    program = compile_text(wide_text(4000, 1)).program
    text = emit(program)
    module, single = ModuleType("wide"), ModuleType("single")
    for one in (module, single):
        exec(text, one.__dict__)
    single._LEVELS = False  # type: ignore[attr-defined]
    generator = random.Random(2)
    for values in ((0.0, 1.0, -1.0, 0.5), (0.0, float("nan"), float("inf"), -2.0)):
        at = [generator.choice(values) for _ in range(10)]
        assert same_bits(module.value_and_grad(*at), bits(single.value_and_grad(*at)))
    assert same_bits(module.value_and_grad(*at), expected(gradient(program), at))
    assert runs_by_level(module)
    chain = "\n".join(["def f(x):", "    t0 = x", *(f"    t{n} = sin(t{n - 1})" for n in range(1, 4100))])
    module = ModuleType("chain")
    exec(emit(compile_text(chain + "\n    return t4099\n").program), module.__dict__)
    module.value_and_grad(0.5)
    assert not runs_by_level(module)


@pytest.mark.parametrize(
    "returned",
    ["s499", "s499, s250", "s499 + s250 * s100", "s499 * 0 + s1", "relu(s250 - s249) + s499", "s0"],
)
def test_a_long_sum_is_added_up_at_once(returned: str, made: Made) -> None:
    """As a loop writes it; where a sum between is looked at from elsewhere there are several chains."""
    generator = random.Random(3)
    factors = [generator.uniform(-1, 1) * 10 ** generator.randrange(-8, 8) for _ in range(500)]
    lines = [f"    t{n} = relu(x * {factor!r} - y) * y" for n, factor in enumerate(factors)]
    sums = [f"    s{n} = s{n - 1} + t{n}" if n % 3 else f"    s{n} = t{n} + s{n - 1}" for n in range(1, 500)]
    program = compile_text(
        "\n".join(["def f(x, y):", *lines, "    s0 = 2", *sums, f"    return {returned}\n"])
    ).program
    by_level, single = made(program)
    by_level._WIDE = level_functions._WIDE
    for at in ((0.7, -0.3), (-1e5, 1.0), (0.0, 0.0), (float("inf"), 1.0)):
        assert same_bits(by_level.value(*at), bits(single.value(*at)))
        assert same_bits(by_level.jvp(at, (1.0, -0.0)), bits(single.jvp(at, (1.0, -0.0))))
        seed = [1.0, -3.0] if "," in returned else 0.3
        assert same_bits(by_level.vjp(*at)[1](seed), bits(single.vjp(*at)[1](seed)))
    columns = (np.linspace(-1, 1, 5), 0.25)
    assert same_bits(by_level.jvp(columns, (1.0, 2.0)), bits(single.jvp(columns, (1.0, 2.0))))
    assert runs_by_level(by_level)


def test_what_a_kind_gives_backward_is_made_of_its_cotangent() -> None:
    """The forms of shares.py, as a module lists them, and functions of NumPy where a value or weight is one."""
    text = "\n".join(
        [
            "def f(x, y):",
            "    a = sin(x) * y - cos(y)",
            "    b = relu(a) + max(x, y) / y",
            *(f"    t{n} = a + b * {n}" for n in range(1, 2100)),
            "    s1 = t1",
            *(f"    s{n} = s{n - 1} + t{n}" for n in range(2, 2100)),
            "    return s2099\n",
        ]
    )
    module = ModuleType("forms")
    exec(emit(compile_text(text).program), module.__dict__)
    forms = {name: shares for name, (*_, shares, _) in module._KINDS.items()}
    assert forms["sin"] == (("times", -1, (np.cos, (0,))),)
    assert forms["cos"] == (("times", -1, None),)
    assert forms["mul"] == (("times", 1, None), ("times", 0, None))
    assert forms["sub"] == (("pass", -1, None), ("minus", -1, None))
    assert forms["relu"] == (("masked", -1, (np.less_equal, (0, 1), False)),)
    assert [how for how, *_ in forms["max"]] == ["gated", "gated"]
    assert forms["div"] is None


def test_the_arm_not_taken_gives_nothing_at_many_points_of_a_tape(made: Made) -> None:
    """log is not run at 0: no cotangent of it, which would be 0 times inf, and no check under its branch."""
    text = (
        "def f(x):\n    y = 0*x\n    if x > 0:\n        z = x\n        assert z > 1/2\n"
        "        y = log(z)*x\n    return y\n"
    )
    _, single = made(compile_text(text).program, checks=True)
    points = np.array([0.0, 1.0, -7.0])
    assert single.value(points).tolist() == [0.0] * 3
    assert single.grad(points).tolist() == [0.0, 1.0, 0.0]
    with pytest.raises(ValueError, match="line 5"):
        single.grad(np.array([0.0, 1 / 4]))
