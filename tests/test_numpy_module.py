"""The generated module computes what the interpreter computes, bit for bit where the operations are the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cfcompiler.arithmetic import FLOATS
from cfcompiler.compiler import compile_text
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.targets.numpy_module import emit, stages
from cfcompiler.transforms.forward import jvp
from cfcompiler.transforms.reverse import gradient, vjp
from tests.random_programs import random_array_program, random_points, random_program

SEEDS = range(60)


def module_of(program: Program, **options: Any) -> Any:
    module = ModuleType(program.name)
    exec(emit(program, **options), module.__dict__)
    return module


def compiled(text: str, **options: Any) -> Any:
    return module_of(compile_text(text).program, **options)


def expected(program: Program, arguments: Sequence[Any]) -> list[np.ndarray]:
    inputs = {
        param.value.name: np.asarray(argument, dtype=np.float64)
        for param, argument in zip(program.params, arguments, strict=True)
    }
    values = run(program, inputs, FLOATS)
    return [np.asarray(values[value.name], dtype=np.float64) for value in program.results]


def flat(found: Any) -> list[float]:
    if isinstance(found, tuple | list):
        return [number for part in found for number in flat(part)]
    return [float(number) for number in np.ravel(found)]


def same_bits(found: Any, wanted: Sequence[np.ndarray]) -> bool:
    left = np.array(flat(found))
    right = np.array([number for part in wanted for number in np.ravel(part)])
    both_nan = np.isnan(left) & np.isnan(right)
    return left.shape == right.shape and bool(
        np.all(both_nan | (left.view(np.int64) == right.view(np.int64)))
    )


def plain(point: Sequence[np.ndarray]) -> tuple[Any, ...]:
    return tuple(float(x) if x.ndim == 0 else x for x in point)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_point_has_the_bits_of_the_interpreter(seed: int) -> None:
    program = random_program(seed)
    module = module_of(program)
    backward, forward, pulled = gradient(program), jvp(program), vjp(program)
    for place, point in enumerate(random_points(program, seed, 12)):
        at, tangents = plain(point), tuple(0.5 * n - 1 for n in range(len(point)))
        assert same_bits(module.value(*at), expected(program, at))
        assert same_bits(module.value_and_grad(*at), expected(backward, at))
        assert same_bits(module.jvp(at, tangents), expected(forward, (*at, *tangents)))
        if place % 4 == 0:
            value, pullback = module.vjp(*at)
            assert same_bits((value, pullback(-1.5)), expected(pulled, (*at, -1.5)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_has_the_bits_of_its_points(seed: int) -> None:
    program = random_program(seed)
    module = module_of(program)
    points = random_points(program, seed, 40)
    columns = [np.array([point[place] for point in points]) for place in range(len(program.params))]
    value, slopes = module.value_and_grad(*columns)
    tangents = tuple(0.5 * n - 1 for n in range(len(columns)))
    along = module.jvp(tuple(columns), tangents)
    signs = module.signature(*columns)
    for row, point in enumerate(points):
        at = plain(point)
        assert same_bits(
            (value[row], [slope[row] for slope in slopes]), [np.array(flat(module.value_and_grad(*at)))]
        )
        assert same_bits([part[row] for part in along], [np.array(flat(module.jvp(at, tangents)))])
        assert np.array_equal(signs[row], module.signature(*at))


@pytest.mark.parametrize("seed", range(200, 220))
def test_rounded_rows_agree_to_the_last_places(seed: int) -> None:
    program = random_program(seed, rounded=True)
    module, backward = module_of(program), gradient(program)
    for point in random_points(program, seed, 12):
        at = plain(point)
        wanted = np.concatenate([np.ravel(part) for part in expected(backward, at)])
        found = np.array(flat(module.value_and_grad(*at)))
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("seed", range(300, 330))
def test_arrays_at_a_point_have_the_values_of_the_interpreter(seed: int) -> None:
    program = random_array_program(seed)
    module, backward, forward = module_of(program), gradient(program), jvp(program)
    for point in random_points(program, seed, 10, wild=False):
        wanted = np.concatenate([np.ravel(part) for part in expected(backward, point)])
        assert np.array(flat(module.value_and_grad(*point))) == pytest.approx(
            wanted, rel=1e-12, abs=1e-12, nan_ok=True
        )
        tangents = tuple(np.ones_like(x) for x in point)
        wanted = np.concatenate([np.ravel(part) for part in expected(forward, (*point, *tangents))])
        assert np.array(flat(module.jvp(point, tangents))) == pytest.approx(
            wanted, rel=1e-12, abs=1e-12, nan_ok=True
        )


# the tape


@pytest.fixture
def on_tape(monkeypatch: pytest.MonkeyPatch) -> Callable[[Program], Any]:
    def module(program: Program, **options: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(stages, "MOST_STATEMENTS", 0)
            return module_of(program, **options)

    return module


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tape_computes_what_the_text_computes(seed: int, on_tape: Callable[[Program], Any]) -> None:
    program = random_program(seed)
    tape, text = on_tape(program), module_of(program)
    points = random_points(program, seed, 12)
    columns = tuple(np.array([point[place] for point in points]) for place in range(len(program.params)))
    tangents = tuple(0.5 * n - 1 for n in range(len(columns)))
    slopes, along, signs = (
        tape.value_and_grad(*columns),
        tape.jvp(columns, tangents),
        tape.signature(*columns),
    )
    for row, point in enumerate(points):
        at = plain(point)
        assert equal(tape.value(*at), text.value(*at))
        assert equal(tape.value_and_grad(*at), text.value_and_grad(*at))
        assert equal(tape.jvp(at, tangents), text.jvp(at, tangents))
        assert equal(tape.vjp(*at)[1](-1.5), text.vjp(*at)[1](-1.5))
        assert equal(tape.signature(*at), text.signature(*at))
        assert equal((slopes[0][row], [slope[row] for slope in slopes[1]]), text.value_and_grad(*at))
        assert equal([part[row] for part in along], text.jvp(at, tangents))
        assert equal(signs[row], text.signature(*at))
        if all(map(np.isfinite, at)):
            assert equal(tape.field(*at), text.field(*at))


def test_second_derivatives_on_a_tape(on_tape: Callable[..., Any]) -> None:
    program = compile_text("def f(x, y):\n    return sin(x) * y ** 3 + relu(x) * exp(y)\n").program
    tape, text = on_tape(program, order=2), module_of(program, order=2)
    assert equal(tape.hessian(0.5, -1.25), text.hessian(0.5, -1.25))
    assert equal(tape.hvp((np.ones(3), 2.0), (1.0, 0.5)), text.hvp((np.ones(3), 2.0), (1.0, 0.5)))


def test_a_long_program_is_a_tape_and_takes_linear_time() -> None:
    lines = [f"    x{n} = sin(x{n - 1}) + 0.5 * x{n - 2}" for n in range(2, 3002)]
    text = "\n".join(["def f(x0, x1):", *lines, "    return relu(x3001)\n"])
    program = compile_text(text).program
    emitted = emit(program)
    assert len(emitted) < 80 * len(program.instructions) + 40_000
    module = ModuleType("long")
    exec(emitted, module.__dict__)
    assert same_bits(module.value_and_grad(0.5, 0.25), expected(gradient(program), (0.5, 0.25)))


def equal(found: Any, wanted: Any) -> bool:
    """The same numbers, but perhaps for the sign of a zero."""
    return np.array_equal(np.array(flat(found)), np.array(flat(wanted)), equal_nan=True)


# what a user meets

ZERO = "def relu2(t):\n    return relu(-t) + t\n\ndef zero(t):\n    return relu2(t) - relu(t)\n"


def test_the_zero_function_has_its_field_and_its_wrong_slope() -> None:
    module = compiled(ZERO)
    assert module.grad(0.0) == 1.0
    assert module.value(3.5) == 0.0
    assert module.field(0.0).tolist() == [[-1.0], [0.0], [1.0]]
    assert module.signature(0.0).tolist() == [0, 0]
    assert module.signature(-2.0).dtype == np.int8
    assert [guard["op"] for guard in module.GUARDS] == ["relu", "relu"]
    assert [guard["line"] for guard in module.GUARDS] == [2, 5]
    assert ZERO == module.SOURCE
    assert module.TIES["preset"] == "torch"
    assert module.INPUTS == ({"name": "t", "shape": (), "differentiable": True},)
    assert set(module.COST) == {"value", "forward", "backward"}


def test_the_first_line_marks_the_file() -> None:
    assert emit(compile_text(ZERO).program).startswith("# Generated by cfc")


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.value(1),
        lambda m: m.value(np.float64(1)),
        lambda m: m.value(np.array(1.0)),
        lambda m: m.value(True),
        lambda m: m.value(np.float32(1)),
    ],
)
def test_a_number_of_any_type_is_one_point(call: Callable[[Any], Any]) -> None:
    found = call(compiled("def f(x):\n    return exp(x)\n"))
    assert isinstance(found, float)
    assert found == np.exp(1.0)


def test_leading_axes_broadcast() -> None:
    module = compiled("def f(x: Real[3], y):\n    return y * max(x)\n")
    x, y = np.arange(24.0).reshape(2, 4, 3), np.array([1.0, 2.0, 3.0, 4.0])
    value, (slope, other) = module.value_and_grad(x, y)
    assert value.shape == (2, 4)
    assert slope.shape == (2, 4, 3)
    assert np.array_equal(value, x.max(axis=2) * y)
    assert np.array_equal(other, x.max(axis=2))
    assert module.signature(x, y).shape[:2] == (2, 4)
    assert module.value(np.empty((0, 3)), 1.0).shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.ones(4), 1.0), ValueError, r"x has shape \(4,\), not \(3,\)"),
        ((1.0, 1.0), ValueError, r"x has shape \(\)"),
        ((np.ones(3), "a"), TypeError, "y must hold real numbers"),
        ((np.ones(3), 1j), TypeError, "y must hold real numbers"),
        ((np.ones(3), None), TypeError, "y must hold real numbers"),
        (([1.0, [2.0]], 1.0), ValueError, "x is a ragged list"),
        ((np.ones((2, 3)), np.ones(5)), ValueError, r"do not broadcast: x \(2,\), y \(5,\)"),
    ],
)
def test_a_wrong_argument_is_named(arguments: Any, error: type[Exception], message: str) -> None:
    module = compiled("def f(x: Real[3], y):\n    return y * sum(x)\n")
    for function in (
        module.value,
        module.grad,
        module.value_and_grad,
        module.signature,
        module.field,
        module.vjp,
    ):
        with pytest.raises(error, match=message):
            function(*arguments)


def test_wrong_tangents_and_cotangents_are_named() -> None:
    module = compiled("def f(x, y):\n    return x * y\n")
    with pytest.raises(TypeError, match="primals must have 2 entries, not 1"):
        module.jvp((1.0,), (1.0, 2.0))
    with pytest.raises(TypeError, match="tangents must be a tuple"):
        module.jvp((1.0, 2.0), np.ones(2))
    with pytest.raises(TypeError, match="d_y must hold real numbers"):
        module.jvp((1.0, 2.0), (1.0, "b"))
    with pytest.raises(TypeError, match="cotangent must hold real numbers"):
        module.vjp(1.0, 2.0)[1]("c")


def test_results_are_written_to_out() -> None:
    module = compiled("def f(x, y):\n    return x * relu(y)\n")
    x, y = np.arange(5.0), np.arange(5.0) - 2
    value, slopes = np.empty(5), (np.empty(5), np.empty(5))
    found = module.value_and_grad(x, y, out=(value, slopes))
    assert found[0] is value
    assert np.array_equal(value, x * np.maximum(y, 0))
    assert np.array_equal(slopes[0], np.maximum(y, 0))
    assert module.value(x, y, out=value) is value
    with pytest.raises(ValueError, match=r"out for f has shape \(4,\)"):
        module.value(x, y, out=np.empty(4))
    with pytest.raises(TypeError, match="out for x must be an array of float64"):
        module.value_and_grad(x, y, out=(value, (np.empty(5, np.float32), slopes[1])))


def test_several_results_have_a_vjp_and_no_gradient() -> None:
    module = compiled("def f(x, y):\n    return x * y, abs(x)\n")
    value, pullback = module.vjp(2.0, 3.0)
    assert value == (6.0, 2.0)
    assert pullback((1.0, 10.0)) == (13.0, 2.0)
    assert module.jvp((2.0, 3.0), (1.0, 0.0)) == ((6.0, 2.0), (3.0, 1.0))
    assert module.field(0.0, 3.0).tolist() == [[[3.0, 0.0], [-1.0, 0.0]], [[3.0, 0.0], [1.0, 0.0]]]
    with pytest.raises(TypeError, match="f has 2 results, and so no gradient"):
        module.grad(1.0, 2.0)


def test_an_array_result_keeps_its_shape() -> None:
    module = compiled("def f(x: Real[2, 3]):\n    return x * 2\n")
    x = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(module.value(x), 2 * x)
    assert np.array_equal(module.vjp(x)[1](x), 2 * x)
    assert module.value(np.ones((4, 2, 3))).shape == (4, 2, 3)
    assert module.field(x).shape == (1, 6, 6)


def test_second_derivatives_are_those_of_the_gradient() -> None:
    module = compiled("def f(x: Real[2], y):\n    return x[0] * x[1] ** 2 * exp(y)\n", order=2)
    x, y = np.array([2.0, 3.0]), 0.0
    assert module.hessian(x, y) == pytest.approx(
        np.array([[0.0, 6.0, 9.0], [6.0, 4.0, 12.0], [9.0, 12.0, 18.0]])
    )
    along, last = module.hvp((x, y), (np.array([1.0, 0.0]), 1.0))
    assert along == pytest.approx([9.0, 18.0])
    assert last == pytest.approx(27.0)
    assert module.hessian(np.ones((5, 2)), 0.0).shape == (5, 3, 3)


def test_checks_say_which_assertion_fails() -> None:
    text = 'def f(x):\n    assert x > 0, "x is a length"\n    return log(x)\n'
    checked, unchecked = compiled(text, checks=True), compiled(text)
    assert checked.value(1.0) == 0.0
    assert np.isnan(unchecked.value(-1.0))
    for call in (checked.value, checked.grad, lambda x: checked.jvp((x,), (1.0,))):
        with pytest.raises(ValueError, match="line 2: x is a length"):
            call(-1.0)
    with pytest.raises(ValueError, match="line 2: x is a length"):
        checked.value(np.array([1.0, -1.0]))


@pytest.mark.parametrize("tape", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "exp",
        "value",
        "np",
        "math",
        "out",
        "choose",
        "float",
        "lead",
        "c",
        "d",
        "d_x",
        "runs",
        "found",
        "arrays",
    ],
)
def test_any_name_can_be_an_input(name: str, tape: bool, on_tape: Callable[..., Any]) -> None:
    program = compile_text(f"def f({name}, x):\n    t = sqrt({name})\n    return relu(x * t)\n").program
    module = on_tape(program, order=2) if tape else module_of(program, order=2)
    assert module.value_and_grad(4.0, 3.0) == (6.0, (0.75, 2.0))
    assert module.jvp((4.0, 3.0), (1.0, 0.0)) == (6.0, 0.75)
    assert np.array_equal(module.value(np.array([4.0, 9.0]), 1.0), [2.0, 3.0])
    assert module.hessian(4.0, 3.0).shape == (2, 2)
    assert module.vjp(4.0, 3.0)[1](2.0) == (1.5, 4.0)


def test_only_the_arm_that_is_taken_is_evaluated() -> None:
    module = compiled("def f(x):\n    return sqrt(x) if x > 0 else 0 * x\n")
    assert module.value_and_grad(-1.0) == (0.0, 0.0)
    assert module.jvp((0.0,), (1.0,)) == (0.0, 0.0)
    value, slope = module.value_and_grad(np.array([-1.0, 0.0, 4.0]))
    assert np.array_equal(value, [0.0, 0.0, 2.0])
    assert np.array_equal(slope, [0.0, 0.0, 0.25])


def test_a_long_chain_of_elif_is_not_nested() -> None:
    lines = ["def f(x):", "    if x < 0:", "        return x"]
    for n in range(1, 150):
        lines += [f"    elif x < {n}:", f"        return {n} * x"]
    module = compiled("\n".join([*lines, "    else:", "        return 0 * x", ""]))
    assert module.grad(77.5) == 78.0


@pytest.mark.parametrize(
    ("text", "x", "wanted"),
    [
        ("1/x", 0.0, np.inf),
        ("exp(x)", 1000.0, np.inf),
        ("log(x)", 0.0, -np.inf),
        ("log(x)", -1.0, np.nan),
        ("sqrt(x)", -1.0, np.nan),
        ("x**0.5", -4.0, np.nan),
        ("x**3", 1e200, np.inf),
        ("x**-2", 0.0, np.inf),
        ("sin(x)", np.inf, np.nan),
        ("relu(x)", np.nan, np.nan),
        ("floor(x)", np.inf, np.inf),
        ("fmod(x, 0*x)", 1.0, np.nan),
        ("cosh(x)", 1e4, np.inf),
        ("erf(1/x)", 0.0, 1.0),
        ("acosh(x)", 0.5, np.nan),
        ("max(x, 1)/(relu(x) - relu(x))", 1.0, np.inf),
    ],
)
def test_ieee_arithmetic_where_plain_floats_raise(text: str, x: float, wanted: float) -> None:
    module = compiled(f"def f(x):\n    return {text}\n")
    found = module.value(x)
    assert type(found) is float
    assert np.array_equal(found, wanted, equal_nan=True)
    assert np.array_equal(module.value(np.array([x])), [wanted], equal_nan=True)
    module.value_and_grad(x)


def test_a_module_needs_numpy_alone(tmp_path: Path) -> None:
    path = tmp_path / "zero_cf.py"
    path.write_text(emit(compile_text(ZERO).program, order=2), encoding="utf-8")
    lines = [
        "import sys, warnings",
        "class Blocked:",
        "    def find_spec(self, name, path=None, target=None):",
        "        if name.partition('.')[0] in ('cfcompiler', 'sympy', 'lark', 'scipy', 'flint', 'rich'):",
        "            raise ImportError(name)",
        "sys.meta_path.insert(0, Blocked())",
        f"sys.path.insert(0, {str(tmp_path)!r})",
        "warnings.simplefilter('error')",
        "import zero_cf",
        "assert zero_cf.value_and_grad(0.0) == (0.0, 1.0)",
        "assert zero_cf.field(0.0).tolist() == [[-1.0], [0.0], [1.0]]",
    ]
    subprocess.run([sys.executable, "-I", "-c", "\n".join(lines)], check=True)


def test_checks_on_a_tape(on_tape: Callable[..., Any]) -> None:
    text = 'def f(x, y):\n    assert x > 0, "x is a length"\n    return log(x) if y > 0 else 0 * x\n'
    module = on_tape(compile_text(text).program, checks=True)
    assert module.grad(1.0, 1.0) == (1.0, 0.0)
    with pytest.raises(ValueError, match="line 2: x is a length"):
        module.grad(-1.0, 1.0)
    with pytest.raises(ValueError, match="line 2: x is a length"):
        module.value(np.array([1.0, -1.0]), 1.0)


# golden files

GOLDEN = Path(__file__).parent / "golden"
HUBER = """\
def loss(r, delta):
    if r > delta:
        return delta * (r - delta / 2)
    elif r < -delta:
        return -delta * (r + delta / 2)
    return r ** 2 / 2
"""
ENTROPY = """\
def entropy(p):
    assert p > 0, "a probability"
    assert p < 1, "a probability"
    return -p * log(p) - (1 - p) * log(1 - p)
"""
MIDDLE = """\
def middle(x: Real[3], w: Const[3]):
    s = sort(x)
    return s[1] + max(w * x)
"""
PAIR = """\
def pair(x, y):
    return abs(x) * y, where(y > 0, sqrt(y), 0)
"""
PROGRAMS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "zero": (ZERO, "torch", {}),
    "huber": (HUBER, "jax", {"order": 2}),
    "entropy": (ENTROPY, "torch", {"checks": True, "command": "cfc compile entropy.cf --checks"}),
    "middle": (MIDDLE, "tensorflow", {}),
    "pair": (PAIR, "torch", {}),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_module_reads_as_it_did(name: str, request: pytest.FixtureRequest) -> None:
    text, preset, options = PROGRAMS[name]
    program = compile_text(text, f"{name}.cf", preset=preset).program
    found = emit(program, **options)
    path = GOLDEN / f"{name}_cf.py.txt"
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
