"""`lexicographic` of the generated module returns a limiting gradient, whatever the tie rules."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import EXACT
from cfcompiler.compiler import compile_file, compile_text
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.targets.numpy_module.constants import _array_lines
from cfcompiler.ties import preset_names
from cfcompiler.transforms.lexicographic import settled
from cfcompiler.transforms.resolved import direction, directions
from cfcompiler.transforms.reverse import gradient
from tests.random_programs import random_array_program, random_points, random_program
from tests.test_numpy_module import flat, module_of, plain


def lexicographic(text: str, *point: Any, params: str = "x", **options: Any) -> Any:
    return compile_text(f"def f({params}):\n    return {text}\n", **options).lexicographic(*point)


# Khan & Barton's values at 0 with M = I, and others that are known
KNOWN = (
    ("abs(x) - abs(x)", 0.0),
    ("max(x, 0) - min(x, 0)", 1.0),
    ("relu(x) - relu(-x)", 1.0),
    ("relu(x**2)", 0.0),
    ("relu(-x**2)", 0.0),
    ("relu(x**3)", 0.0),
    ("relu(-x**3) + x", 1.0),
    ("0 if x == 0 else x", 1.0),
    ("x if x != 0 else 0", 1.0),
    ("relu(x) + log1p(exp(-abs(x)))", 0.5),
    ("where(x > 0, sqrt(x + x*x), x) - where(x > 0, sqrt(x + x*x), x) + x if x < 0 else x", 1.0),
    ("where(x >= 0, x, sqrt(-x))", 1.0),
    ("where(x > 1, sqrt(relu(x - 1)), relu(x))", 1.0),
    ("sin(x) / x if x != 0 else 1", 0.0),
    ("(exp(x) - 1) / x if x != 0 else 1", 0.5),
    ("sqrt(x*x)", 1.0),
    ("x * sqrt(abs(x))", 0.0),
    ("sqrt(relu(x)) * cbrt(x) * x", 0.0),
    ("cbrt(x*x*x)", 1.0),
    ("relu(relu(-x)) + abs(relu(-x))", 0.0),
    ("max(exp(x), exp(x))", 1.0),
    ("relu(x*x - x*x) + 3*x", 3.0),
    ("relu(x - sin(x))", 0.0),
    ("x * sign(x)", 1.0),
    ("relu(x) * floor(x + 1)", 1.0),
    ("x * floor(-x)", -1.0),
)


@pytest.mark.parametrize(("text", "wanted"), KNOWN)
def test_the_value_at_zero_is_the_known_one(text: str, wanted: float) -> None:
    assert lexicographic(text, 0.0) == pytest.approx(wanted, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("max(min(x, -y), y - x)", (0.0, -1.0)),
        ("(1 + abs(x - y)) * (x - y)", (1.0, -1.0)),
        ("max(0, min(x, y))", (0.0, 1.0)),
        ("relu(1024*y - x)", (-1.0, 1024.0)),  # vanishes along d: e2 decides
        ("relu((1024*y - x)**3) + relu(x)", (1.0, 0.0)),
        ("relu(x*y - y*x) + x", (1.0, 0.0)),
        ("y if x*x == y else x", (1.0, 0.0)),
        ("1 if abs(y) < x*x*x*x else x*y", (0.0, 0.0)),
    ],
)
def test_two_inputs_are_resolved_in_their_order(text: str, wanted: tuple[float, float]) -> None:
    assert lexicographic(text, 0.0, 0.0, params="x, y") == wanted


def test_orderings_and_extrema_follow_the_directions() -> None:
    point = np.array([1.0, 1.0, 0.0, 1.0])
    assert lexicographic("sort(x)[3]", point, params="x: Real[4]").tolist() == [1, 0, 0, 0]
    assert lexicographic("sort(x)[1]", point, params="x: Real[4]").tolist() == [0, 0, 0, 1]
    assert lexicographic("max(x)", point, params="x: Real[4]").tolist() == [1, 0, 0, 0]
    assert lexicographic("min(x[0], x[1], x[3])", point, params="x: Real[4]").tolist() == [0, 0, 0, 1]
    assert lexicographic("median(x)", np.ones(3), params="x: Real[3]").tolist() == [0, 1, 0]
    pooled = lexicographic("sum(maxpool(x, 2))", np.zeros((2, 4)), params="x: Real[2, 4]")
    assert pooled.tolist() == [[1, 0, 1, 0], [0, 0, 0, 0]]


def test_large_arrays_are_decided_too() -> None:
    text = "def f(x: Real[200]):\n    return max(x) + sort(relu(x))[3] + sum(abs(x)) + norm2(x)\n"
    compiled = compile_text(text)
    point = np.linspace(-3.0, 2.0, 200)
    point[150] = 0.0
    point[7] = point[199] = 2.5
    wanted = np.sign(point) + point / np.linalg.norm(point)
    wanted[150] = 1.0
    wanted[7] += 1.0
    assert compiled.lexicographic(point) == pytest.approx(wanted, abs=1e-14)
    assert compiled.lexicographic(np.stack([point, point]))[1] == pytest.approx(wanted, abs=1e-14)


def test_a_tape_is_decided_too() -> None:
    text = "def f(x, y):\n    s = x\n    for i in range(1500):\n        s = s + abs(y - i) - relu(x*x)\n    return s\n"
    compiled = compile_text(text)
    assert compiled.lexicographic(0.0, 3.0) == (1.0, -1492.0)
    batch = compiled.lexicographic(np.array([0.5, 0.0]), 3.0)
    assert [part.tolist() for part in batch] == [[1.0 - 1500.0, 1.0], [-1492.0, -1492.0]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sqrt(abs(x))", "without bound"),
        ("relu(exp(x) - 1 - (exp(2*x) - exp(x)) / exp(x))", "agree up to order"),
        ("1 / relu(x) if x != 1 else 0", "without bound"),
    ],
)
def test_where_there_is_no_limit_it_is_said(text: str, said: str) -> None:
    with pytest.raises(ArithmeticError, match=said):
        lexicographic(text, 0.0)


def test_a_program_without_one_number_has_none() -> None:
    with pytest.raises(TypeError, match="no gradient"):
        lexicographic("x, 2*x", 0.0)


# against exact arithmetic


def moved(point: Sequence[np.ndarray], t: Fraction) -> list[Any]:
    """x + t d + t**4 e2 + t**16 e3 + ... in exact numbers."""
    place, found = 0, []
    for part in point:
        entries = np.empty(part.shape, dtype=object)
        for key in np.ndindex(part.shape):
            own = t ** (4 ** min(place, 4)) if place else 0
            entries[key] = Fraction(float(part[key])) + t * Fraction(1, 2 ** (10 * place)) + own
            place += 1
        found.append(entries)
    return found


def limiting(program: Program, point: Sequence[np.ndarray]) -> np.ndarray:
    """The gradient so near to the point that floats do not see the distance."""
    backward = gradient(settled(program))
    names = [param.value.name for param in program.params]
    near = moved(point, Fraction(1, 2**200))
    values = run(backward, dict(zip(names, near, strict=True)), EXACT)
    return np.array(
        [float(x) for result in backward.results[1:] for x in np.ravel(np.asarray(values[result.name]))]
    )


@pytest.mark.parametrize("seed", range(24))
def test_random_programs_tend_to_it(seed: int) -> None:
    program = random_program(1000 + seed, size=14, wild=False)
    module = module_of(program)
    for point in random_points(program, seed, 6, wild=False):
        assert np.array(flat(module.lexicographic(*plain(point)))) == pytest.approx(
            limiting(program, point), rel=1e-12, abs=1e-12
        )


@pytest.mark.parametrize("seed", range(14))
def test_random_arrays_tend_to_it(seed: int) -> None:
    program = random_array_program(2000 + seed)
    module = module_of(program)
    for point in random_points(program, seed, 4, wild=False):
        assert np.array(flat(module.lexicographic(*point))) == pytest.approx(
            limiting(program, point), rel=1e-12, abs=1e-12
        )


@pytest.mark.parametrize("seed", range(8))
def test_a_batch_is_its_points(seed: int) -> None:
    program = random_program(3000 + seed, size=14, wild=False)
    module = module_of(program)
    points = random_points(program, seed, 12, wild=False)
    columns = [np.array([point[place] for point in points]) for place in range(len(program.params))]
    found = module.lexicographic(*columns)
    for row, point in enumerate(points):
        single = flat(module.lexicographic(*plain(point)))
        assert [float(part[row]) for part in found] == pytest.approx(single, rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("name", ["khan_barton", "softplus_relu_abs", "pool_of_equals"])
def test_it_does_not_depend_on_the_preset(name: str) -> None:
    found = []
    for preset in preset_names():
        compiled = compile_file(f"examples/{name}.cf", preset=preset)
        point = [np.zeros(param.value.shape) for param in compiled.program.params]
        found.append(flat(compiled.lexicographic(*point)))
    assert all(one == found[0] for one in found)


def test_what_floats_call_a_tie_is_looked_at_exactly() -> None:
    assert lexicographic("relu(3*x - 1)", 0.3333333333333333) == 0.0
    assert lexicographic("relu(3*x - 1)", np.array([0.3333333333333333, 0.5])).tolist() == [0.0, 3.0]
    assert lexicographic("relu(x - 0.1)", 0.1) == 1.0
    assert lexicographic("relu(0.1 - x)", 0.1) == 0.0
    assert lexicographic("relu(10*(0.1*x) - x) + x", 1.0) == 1.0


def test_a_slope_that_floats_round_away_is_found() -> None:
    text = "relu(x[0] + x[7] - 1024*x[1]) - relu(1024*x[1] - x[7] - x[0])"
    wanted = [1.0, -1024.0, 0, 0, 0, 0, 0, 1.0]
    for point in (np.zeros(8), np.zeros((3, 8))):
        found = lexicographic(text, point, params="x: Real[8]")
        assert np.array_equal(found, np.broadcast_to(wanted, point.shape))


def test_a_blocked_piece_adds_exactly_nothing() -> None:
    assert lexicographic("where(x > 0, sqrt(x), x)", -1.0) == 1.0
    assert lexicographic("where(x > 0, 1/x, 2*x) + relu(y)", -1.0, 0.0, params="x, y") == (2.0, 1.0)
    found = lexicographic("where(x > 0, sqrt(x), 0*x)", np.array([-1.0, 4.0, -2.0]))
    assert found.tolist() == [0.0, 0.25, 0.0]


def test_an_arm_that_is_not_taken_may_divide_by_zero() -> None:
    text = "where(n < b, n*n / 2 / b, n - b/2)"
    compiled = compile_text(f"def f(x, b: Const):\n    n = abs(x)\n    return {text}\n")
    assert compiled.lexicographic(1.0, 0.0) == 1.0
    assert compiled.lexicographic(0.0, 0.0) == 1.0
    assert lexicographic("where(x > 0, 1 / relu(x), x) + relu(y*y) + relu(y)", -1.0, 0.0, params="x, y") == (
        1.0,
        1.0,
    )


def test_more_than_forty_inputs_are_told_apart() -> None:
    found = lexicographic(
        "max(x[0], x[45]) + max(x[50], x[3]) + sort(x)[59]", np.zeros(60), params="x: Real[60]"
    )
    wanted = np.zeros(60)
    wanted[[0, 3]] = 1.0
    wanted[0] += 1.0
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    ("first", "shape"), [(0, (100,)), (39, (3, 30)), (41, (70,)), (40_920, (50, 2)), (7, (3000,))]
)
def test_the_direction_of_many_inputs_is_the_nearest_floats(first: int, shape: tuple[int, ...]) -> None:
    data = directions(first, shape)
    assert data.shape == shape
    assert data.ravel().tolist() == [float(direction(first + place)) for place in range(data.size)]


@pytest.mark.parametrize(
    ("first", "count"), [(0, 100), (1, 100), (39, 90), (41, 70), (40_920, 100), (40_959, 65)]
)
def test_a_module_makes_the_direction_where_it_runs(first: int, count: int) -> None:
    data = directions(first, (count, 1))
    lines = _array_lines("D", data)
    space: dict[str, Any] = {"np": np}
    exec("\n".join(lines), space)
    assert len("\n".join(lines)) < 300
    assert space["D"].tobytes() == data.tobytes()
    assert space["D"].shape == (count, 1)
    other = data.copy()
    other[-1] *= 2
    exec("\n".join(_array_lines("D", other)), space)
    assert space["D"].tobytes() == other.tobytes()


def test_the_module_of_a_million_inputs_is_short() -> None:
    program = compile_text("def f(y: Real[3], x: Real[1000000]):\n    return max(abs(x)) + sum(abs(y))\n")
    assert len(program.module()) < 100_000


def test_data_are_not_moved() -> None:
    text = "def f(x, w: Const[2]):\n    return relu(w[0]*x) + (x if w[1] == 0 else 0)\n"
    compiled = compile_text(text)
    assert compiled.lexicographic(0.0, [2.0, 0.0]) == 3.0
    assert compiled.lexicographic(0.0, [-2.0, 0.0]) == 1.0
    assert compiled.lexicographic(0.0, [0.0, 1.0]) == 0.0


def test_a_bad_point_is_refused() -> None:
    with pytest.raises(ValueError, match="no gradient at"):
        lexicographic("relu(x)", float("nan"))
    with pytest.raises(ArithmeticError, match="at point \\(1,\\)"):
        lexicographic("sqrt(abs(x))", np.array([1.0, 0.0]))


def test_every_option_of_an_input_is_read_as_by_grad() -> None:
    compiled = compile_text("def f(x, y):\n    return abs(x) * y\n")
    found = compiled.lexicographic(np.zeros((2, 1)), [1.0, 2.0, 3.0])
    assert [part.shape for part in found] == [(2, 3), (2, 3)]
    assert found[0].tolist() == [[1.0, 2.0, 3.0]] * 2
    assert compiled.lexicographic(0, 1) == (1.0, 0.0)


def outcome(module: Any, point: tuple[Any, ...]) -> list[float] | str:
    try:
        return flat(module.lexicographic(*point))
    except (ArithmeticError, ValueError) as problem:
        return str(problem)


@pytest.mark.parametrize("seed", range(10))
def test_the_rules_of_a_program_do_not_matter(seed: int) -> None:
    program = random_program(4000 + seed, size=14)
    first, second = module_of(program), module_of(settled(program))
    for point in random_points(program, seed, 6):
        one, other = outcome(first, plain(point)), outcome(second, plain(point))
        assert one == other
        if isinstance(one, list):
            assert np.isfinite(one).all()


def test_a_constant_beyond_the_floats_is_infinite_in_the_module() -> None:
    assert lexicographic("min(x, 1e400) + relu(x - 1e400)", 0.0) == 1
    assert lexicographic("abs(x*1e-400)", 1.0) == 0
