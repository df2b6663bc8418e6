"""Lowering: which instructions a program becomes, under which branches, with which names and rules."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cfcompiler import ties
from cfcompiler.arithmetic import Floats
from cfcompiler.errors import CFError
from cfcompiler.interpreter import run
from cfcompiler.ir import Apply, Kink, Program, Select
from cfcompiler.language import callables, read
from cfcompiler.language.prelude import prelude
from cfcompiler.verify import verify
from tests.work import calls


def lowered(text: str, **options: object) -> Program:
    return verify(read(text, "test.cf", **options))  # type: ignore[arg-type]


def expression(text: str, parameters: str = "x, y", **options: object) -> Program:
    return lowered(f"def f({parameters}):\n    return {text}\n", **options)


def operations(program: Program) -> list[str]:
    """Instructions but constants, by name."""
    names = [item.op if isinstance(item, Apply) else type(item).__name__ for item in program.instructions]
    return [name for name in names if name not in ("constant", "boolean")]


def value(program: Program, *inputs: object) -> float:
    names = [param.value.name for param in program.params]
    point = {name: np.asarray(item, dtype=float) for name, item in zip(names, inputs, strict=True)}
    return float(run(program, point, Floats())[program.results[0].name])


def codes(text: str, **options: object) -> list[str]:
    with pytest.raises(CFError) as caught:
        read(text, "test.cf", **options)  # type: ignore[arg-type]
    return [item.code for item in caught.value.diagnostics]


# values


def test_one_extent_of_reshape_may_be_what_the_others_leave() -> None:
    for written, shape in (
        ("(-1, 3)", (4, 3)),
        ("(2, -1, 2)", (2, 3, 2)),
        ("-1", (12,)),
        ("(12, -1)", (12, 1)),
    ):
        program = expression(f"reshape(x, {written})", "x: Real[2, 6]")
        assert program.results[0].shape == shape, written


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("(-1, 5)", "12 entries are no whole number of times 5"),
        ("(-1, 0)", "12 entries are no whole number of times 0"),
        ("(-1, -1)", "one extent may be -1"),
        ("(-2, 6)", "one extent may be -1"),
    ],
)
def test_a_shape_that_cannot_be_says_what_to_write(written: str, what: str) -> None:
    with pytest.raises(CFError) as caught:
        expression(f"reshape(x, {written})", "x: Real[2, 6]")
    assert [item.code for item in caught.value.diagnostics] == ["CF050"]
    assert what in caught.value.render()


def test_arrays_of_zeros_have_no_extent_of_their_own_choice() -> None:
    with pytest.raises(CFError, match="a shape has no negative entries"):
        expression("zeros((-1, 3))", "x: Real[2, 6]")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x + 2*y - 1", 7.0),
        ("x**2 + y**0.5", 4 + math.sqrt(3)),
        ("x**-1", 0.5),
        ("clip(x, 5, 1) + 10*clip(y, 5, 1)", 11.0),
        ("2**x", 4.0),
        ("x if x > y else y", 3.0),
        ("1 < x < y", None),
        ("1 if 1 < x < y else 0", 1.0),
        ("1 if x < 1 or y < 1 else 0", 0.0),
        ("1 if not x < 1 and y > 1 else 0", 1.0),
        ("where(x > y, x, y)", 3.0),
        ("max(x, y, 2.5) + min(x, y, 2.5)", 5.0),
        ("[x, y, 7][-1] + [1, 2, 3][x.ndim]", 8.0),
        ("sum([x, y, x*y])", 11.0),
        ("prod([x, y, 2])", 12.0),
        ("[x, y] @ [1, 2]", 8.0),
        ("([[1, 2], [3, 4]] @ [x, y])[1]", 18.0),
        ("([[1, 2], [3, x]].T)[0, 1]", 3.0),
        ("len([x, y, 1]) + shape([x, y])[0]", 5.0),
        ("median([x, y, 10])", 3.0),
        ("quantile([x, y, 10], 0.25)", 2.5),
        ("topk([x, 10, y], 2)[1]", 3.0),
        ("sort([y, x, 1])[2] + sort([y, x], descending=True)[1]", 5.0),
        ("[x, y, 1][argmax([x, y, 1])]", 3.0),
        ("sum([x, y, 1][argsort([x, y, 1])] * [1, 10, 100])", 321.0),
        ("cummax([x, y, 1])[2] + cumsum([x, y, 1])[1]", 8.0),
        ("sum(maxpool([x, y, 1, 0], 2))", 4.0),
        ("sum(maxpool([[x, y], [1, 5]], 2))", 5.0),
        ("mean([x, y]) + var([x, y]) + std([x, y])", 2.5 + 0.25 + 0.5),
        ("norm1([x, -y]) + norminf([x, -y]) + norm2([x, y])", 5 + 3 + math.sqrt(13)),
        ("sum(max([[x, y], [1, 5]], axis=0))", 7.0),
        ("pi + e", math.pi + math.e),
        ("round(x/4) + floor(7/2)", 3.0),
        ("concat([x, y], [1])[2] + sum(zeros(3)) + sum(ones((2, 2)))", 5.0),
        ("sum([x, y, 1, 4][::-2] * [1, 10])", 34.0),
        ("sum(reshape([x, y, 1, 4], (2, 2))[:, 1])", 7.0),
    ],
)
def test_an_expression_has_the_value_that_python_gives_it(text: str, wanted: float | None) -> None:
    if wanted is None:
        assert codes(f"def f(x, y):\n    return {text}\n") == ["CF053"]
    else:
        assert value(expression(text), 2.0, 3.0) == pytest.approx(wanted)


def test_numbers_stay_exact_until_they_meet_an_input() -> None:
    program = expression("x*(1/3 + 0.1)", "x")
    constants = [
        item.attribute("value") for item in program.instructions if isinstance(item, Apply) and not item.args
    ]
    assert constants == [Fraction(13, 30)]


def test_exact_numbers_do_not_grow_without_bound() -> None:
    text = "def f(x):\n    a = 3\n    for i in range(60):\n        a = a*a\n    return x*a\n"
    assert len(operations(lowered(text))) > 1


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("x**2", "ipow"),
        ("x**2.0", "rpow"),
        ("x**(4/2)", "rpow"),
        ("x**0.5", "rpow"),
        ("x**y", "pow"),
        ("x**-3", "ipow"),
    ],
)
def test_a_power_is_a_whole_one_only_where_it_is_written_so(text: str, op: str) -> None:
    assert operations(expression(text))[-1] == op


def test_a_loop_variable_is_a_whole_exponent() -> None:
    text = "def f(x):\n    s = 0\n    for i in range(1, 4):\n        s += x**i\n    return s\n"
    assert operations(lowered(text)).count("ipow") == 3
    assert value(lowered(text), 2.0) == 14.0


# branches


def test_an_arm_of_a_conditional_runs_under_its_guard() -> None:
    program = expression("sqrt(x) if x > 0 else 0", "x")
    (root,) = [item for item in program.instructions if isinstance(item, Apply) and item.op == "sqrt"]
    assert [truth for _, truth in root.out.branch] == [True]
    assert value(program, -1.0) == 0.0


def test_what_follows_and_runs_only_where_it_is_needed() -> None:
    program = expression("1 if x > 0 and log(x) > 1 else 2", "x")
    (logarithm,) = [item for item in program.instructions if isinstance(item, Apply) and item.op == "log"]
    assert [truth for _, truth in logarithm.out.branch] == [True]
    assert [value(program, point) for point in (-1.0, 1.0, 3.0)] == [2.0, 2.0, 1.0]


def test_what_follows_or_runs_only_where_it_is_needed() -> None:
    program = expression("1 if x <= 0 or log(x) > 1 else 2", "x")
    (logarithm,) = [item for item in program.instructions if isinstance(item, Apply) and item.op == "log"]
    assert [truth for _, truth in logarithm.out.branch] == [False]
    assert [value(program, point) for point in (-1.0, 1.0, 3.0)] == [1.0, 2.0, 1.0]


def test_a_chained_comparison_stops_at_the_first_false_part() -> None:
    program = expression("1 if 0 < x < log(x) + 2 else 2", "x")
    (logarithm,) = [item for item in program.instructions if isinstance(item, Apply) and item.op == "log"]
    assert len(logarithm.out.branch) == 1


def test_where_evaluates_both_arms() -> None:
    program = expression("where(x > 0, sqrt(x), 0)", "x")
    (root,) = [item for item in program.instructions if isinstance(item, Apply) and item.op == "sqrt"]
    assert root.out.branch == ()
    (select,) = [item for item in program.instructions if isinstance(item, Select)]
    assert not select.lazy


def test_an_early_return_takes_the_rest_into_the_other_arm() -> None:
    text = """
def f(a, b):
    p = 1.0*a
    if p == 0:
        return p
    p = p*b
    if p == 0:
        return p
    return p*sqrt(p)
"""
    program = lowered(text)
    assert operations(program) == ["mul", "equal", "mul", "equal", "sqrt", "mul", "Select", "Select"]
    assert value(program, 2.0, 8.0) == 64.0
    assert value(program, 0.0, -1.0) == 0.0


def test_a_return_from_inside_a_loop_ends_it() -> None:
    text = """
def f(x):
    for i in range(5):
        x = 2*x
        if x > 10:
            return x
    return -x
"""
    program = lowered(text)
    assert [value(program, point) for point in (1.0, 0.1, 20.0)] == [16.0, -3.2, 40.0]


def test_a_return_on_some_paths_of_an_arm_leaves_the_rest_to_the_others() -> None:
    text = """
def f(x, y):
    if x > 0:
        if y > 0:
            return 1
        z = 2
    else:
        z = 3
    return z + x
"""
    program = lowered(text)
    assert [value(program, *point) for point in ((1, 1), (1, -1), (-1, 1))] == [1.0, 3.0, 2.0]


def test_names_bound_in_both_arms_are_chosen_between() -> None:
    text = (
        "def f(x):\n    y = 0\n    if x > 1:\n        y = x\n    elif x < -1:\n        y = -x\n    return y\n"
    )
    program = lowered(text)
    assert [value(program, point) for point in (3.0, 0.0, -2.0)] == [3.0, 0.0, 2.0]
    assert all(item.lazy for item in program.instructions if isinstance(item, Select))


def test_a_name_that_differs_in_shape_matters_only_if_it_is_used() -> None:
    text = "def f(x, v: Real[3], w: Real[2]):\n    if x > 0:\n        t = v\n    else:\n        t = w\n    return x\n"
    assert operations(lowered(text)) == ["greater"]
    assert codes(text.replace("return x", "return sum(t)")) == ["CF056"]


def test_a_condition_that_is_known_is_no_branch() -> None:
    text = "def f(x, n: Int = 3):\n    if n > 2:\n        return x\n    return sqrt(x)\n"
    assert operations(lowered(text)) == []
    assert operations(lowered(text, static={"n": 1})) == ["sqrt"]
    assert operations(expression("x if True else y")) == []


def test_tuples_are_returned_and_unpacked() -> None:
    text = """
def g(x):
    if x > 0:
        return x, 2*x
    return -x, 3

def f(x):
    a, b = g(x)
    return a + b
"""
    assert [value(lowered(text), point) for point in (1.0, -1.0)] == [3.0, 4.0]


def test_a_program_may_have_several_results() -> None:
    assert len(lowered("def f(x):\n    return x, x*x, [x, 1]\n").results) == 3


# functions, names, constants


def test_the_last_function_is_the_program_and_another_can_be_picked() -> None:
    text = "def f(x):\n    return x\n\ndef g(x):\n    return f(x)*2\n"
    assert lowered(text).name == "g"
    assert lowered(text, function="f").name == "f"
    assert codes(text, function="h") == ["CF037"]


def test_only_the_chosen_function_needs_to_lower() -> None:
    assert lowered("def g(x):\n    return x[0]\n\ndef f(x: Real[2]):\n    return g(x)\n").name == "f"


def test_values_have_the_names_that_the_user_gave_them() -> None:
    program = lowered("def f(x):\n    t = x + 1\n    s = t*2\n    t = s*t\n    return sin(t) + 1\n")
    assert [item.out.name for item in program.instructions if isinstance(item, Apply) and item.args][:3] == [
        "t",
        "s",
        "t_2",
    ]


def test_a_function_of_the_file_hides_one_of_the_prelude() -> None:
    program = lowered("def relu(x):\n    return x + 1\n\ndef f(x):\n    return relu(x) + leaky_relu(x)\n")
    assert operations(program).count("Kink") == 1


def test_defaults_and_named_arguments_fill_a_call() -> None:
    text = """
c = 5
def g(a, b=2, d=c):
    return a + 10*b + 100*d

def f(x):
    return g(x) + g(x, d=1) + g(b=3, a=x)
"""
    assert value(lowered(text), 0.0) == 520 + 120 + 530


def test_constants_of_a_file_are_exact_and_outside_every_branch() -> None:
    text = "c = 1/3\nv = [1, 2*c, 3]\ndef f(x):\n    return sum(v)*x if x > 0 else c\n"
    program = lowered(text)
    stack = next(item for item in program.instructions if isinstance(item, Apply) and item.op == "stack")
    assert stack.out.branch == ()
    assert value(program, 3.0) == pytest.approx(14.0)


def test_arrays_come_from_an_archive_beside_the_program(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "net.npz", W1=np.arange(6.0).reshape(2, 3), b=np.ones(2, dtype=np.int32), t=np.array(["a"])
    )
    head = 'W = load("net.npz", "W1")\n'
    path = str(tmp_path / "net.cf")
    program = verify(read(head + "def f(x: Real[3]):\n    return sum(W @ x) + W[1, 2]\n", path))
    assert [constant.name for constant in program.constants] == ["W1"]
    for name, code in (("W2", "CF081"), ("t", "CF085")):
        with pytest.raises(CFError) as caught:
            read(head.replace("W1", name) + "def f(x):\n    return W[0]*x\n", path)
        assert [item.code for item in caught.value.diagnostics] == [code]
    (tmp_path / "net.npz").write_bytes(b"not an archive")
    with pytest.raises(CFError) as caught:
        read(head + "def f(x):\n    return W[0, 0]*x\n", path)
    assert [item.code for item in caught.value.diagnostics] == ["CF080"]


def test_shapes_of_inputs_may_use_static_inputs() -> None:
    program = lowered(
        "k = 2\ndef f(n: Int, x: Real[n, k], c: Const[n]):\n    return sum(c @ x)\n", static={"n": 4}
    )
    assert [(param.value.shape, param.differentiable) for param in program.params] == [
        ((4, 2), True),
        ((4,), False),
    ]


def test_assertions_are_the_domain() -> None:
    program = lowered('def f(x):\n    assert 0 < x < 1, "inside"\n    return log(x)\n')
    assert [item.message for item in program.assertions] == ["inside"]


# selections and their rules


def test_two_written_operations_are_never_one() -> None:
    assert operations(expression("relu(x) - relu(x)", "x")).count("Kink") == 2
    assert operations(lowered("def f(x):\n    r = relu(x)\n    return r - r\n")).count("Kink") == 1


def test_the_rule_is_that_of_the_function_the_user_called() -> None:
    program = expression("relu(x) + clip(x, 0, 1) + abs(x) + hardtanh(x)", "x")
    names = [item.tie.name for item in program.instructions if isinstance(item, Kink)]
    assert names == ["relu", "clip", "clip", "abs", "hardtanh", "hardtanh"]


def test_a_preset_may_write_one_operation_by_others() -> None:
    program = expression("relu(x)", "x", preset="autograd")
    assert [item.tie.name for item in program.instructions if isinstance(item, Kink)] == ["max"]


def test_an_override_goes_before_what_the_preset_writes() -> None:
    program = expression("relu(x)", "x", preset="autograd", overrides={"relu": "1/4"})
    (kink,) = [item for item in program.instructions if isinstance(item, Kink)]
    assert (kink.tie.name, kink.tie.reverse.above.tie) == ("relu", Fraction(1, 4))


def test_a_file_names_its_preset() -> None:
    text = 'ties = "jax"\ndef f(x):\n    return abs(x)\n'
    assert lowered(text).preset.startswith("jax")
    assert lowered(text, preset="torch").preset.startswith("torch")


def test_unknown_rules_and_bad_values_are_complaints() -> None:
    text = "def f(x):\n    return rleu(x)\n"
    assert codes(text, overrides={"rleu": "1"}) == ["CF083", "CF012"]
    assert codes("def f(x):\n    return relu(x)\n", overrides={"relu": "half"}) == ["CF084"]


def test_an_extremum_of_many_is_one_operation() -> None:
    program = expression("max(x, y, 0)")
    (extremum,) = [item for item in program.instructions if isinstance(item, Apply) and item.op == "extremum"]
    assert extremum.attribute("rule").name == "max"
    program = expression("max([x, y, 0])")
    (extremum,) = [item for item in program.instructions if isinstance(item, Apply) and item.op == "extremum"]
    assert extremum.attribute("rule").name == "reduce_max"


def test_calls_from_the_prelude_stand_where_the_user_called() -> None:
    (kink,) = [item for item in expression("1 + relu(x)", "x").instructions if isinstance(item, Kink)]
    assert (kink.span.line, kink.span.column) == (2, 16)


@pytest.mark.parametrize("preset", ties.preset_names())
def test_every_function_of_the_prelude_lowers_under_every_preset(preset: str) -> None:
    for name, node in prelude().items():
        needed = [parameter.name for parameter in node.parameters if parameter.default is None]
        typed = ", ".join(f"{parameter}: Real[3]" for parameter in needed)
        lowered(f"def g({typed}):\n    return {name}({', '.join(needed)})\n", preset=preset)


@pytest.mark.parametrize(
    "name", ["elu", "selu", "celu", "softplus", "sigmoid", "gelu", "silu", "mish", "logsigmoid"]
)
@pytest.mark.parametrize("point", [-1000.0, 1000.0])
def test_activations_do_not_overflow(name: str, point: float) -> None:
    values = run(expression(f"{name}(x)", "x"), {"x": np.asarray(point)}, Floats())
    assert all(np.all(np.isfinite(item)) for item in values.values())


def test_every_callable_of_the_language_is_known() -> None:
    wanted = """
        exp expm1 log log1p log2 log10 sqrt cbrt sin cos tan asin acos atan atan2 sinh cosh tanh
        sigmoid softplus logaddexp erf erfc relu abs max min clip leaky_relu relu6 hardtanh
        hardsigmoid hardswish elu selu celu gelu silu mish huber hinge softshrink hardshrink sign
        heaviside floor ceil round trunc fmod where sum prod mean norm1 norm2 norminf dot logsumexp
        argmax argmin sort argsort median quantile topk cumsum cummax maxpool len shape
    """
    assert set(wanted.split()) <= set(callables())


# size


def test_lowering_grows_linearly() -> None:
    def work(lines: int) -> int:
        text = (
            "def f(a, b, c):\n" + "".join(f"    t{i} = a*b + c\n" for i in range(lines)) + "    return t1\n"
        )
        found = []
        work = calls(lambda: found.append(read(text, "long.cf")))
        assert len(found[0].instructions) == 2 * lines
        return work

    work(2)  # what is read once
    assert work(20_000) < 4.2 * work(5_000)


def test_a_hundred_thousand_lines_are_lowered() -> None:
    text = "def f(a, b, c):\n" + "".join(f"    t{i} = a*b + c\n" for i in range(100_000)) + "    return t1\n"
    assert len(read(text, "long.cf").instructions) == 200_000


@pytest.mark.parametrize(
    "text",
    [
        "x" + " + x" * 50_000,
        "(1 + " * 50_000 + "x" + ")" * 50_000,
        "-" * 50_000 + "x",
        "sin(" * 20_000 + "x" + ")" * 20_000,
        "x" + ".T" * 50_000,
        "[" * 5_000 + "x" + "]" * 5_000,
        "x**" * 20_000 + "2",
        "1 if x > 0 else " * 20_000 + "2",
        "1 if " + "not " * 50_000 + "x > 1 else 2",
        "1 if " + "x > 0 and " * 20_000 + "x > 1 else 2",
    ],
    ids=lambda text: text[:12],
)
def test_long_and_deep_expressions_lower_or_are_refused(text: str) -> None:
    source = f"def f(x):\n    return {text}\n"
    refused = False
    try:
        read(source, "deep.cf")
    except CFError as error:
        refused, found = True, [(item.code, item.span.line) for item in error.diagnostics]
    assert not refused or found == [("CF014", 2)]


def test_functions_that_double_are_refused_not_unrolled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfcompiler.language.emission.LIMIT", 10_000)
    text = "def f0(x):\n    return x\n" + "".join(
        f"def f{i}(x):\n    return f{i - 1}(x) + f{i - 1}(x)\n" for i in range(1, 40)
    )
    assert codes(text) == ["CF038"]
