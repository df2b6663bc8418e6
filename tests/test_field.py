"""The vertices of D: choices shared by uses, branches by closure, budgets that are said."""

from __future__ import annotations

from typing import Any

import pytest

from cfcompiler.compiler import compile_text
from cfcompiler.errors import CFError
from cfcompiler.report import PointReport


def _at(text: str, **point: Any) -> PointReport:
    return compile_text(text).at(**point)


def _slopes(report: PointReport) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for (row,) in report.vertices]


def test_one_choice_is_shared_by_all_uses() -> None:
    shared = _at("def f(t):\n    r = relu(t)\n    return r - r\n", t=0)
    twice = _at("def f(t):\n    return relu(t) - relu(t)\n", t=0)
    assert _slopes(shared) == [("0",)]
    assert _slopes(twice) == [("-1",), ("0",), ("1",)]


def test_rows_of_a_jacobian_share_the_choices() -> None:
    report = _at("def f(x):\n    r = relu(x)\n    return [r, 2*r]\n", x=0)
    assert [tuple(row["x"] for row in vertex) for vertex in report.vertices] == [("0", "0"), ("1", "2")]


def test_many_additive_ties_are_joined_as_they_are_added() -> None:
    terms = " + ".join(f"relu({k}*x)" for k in range(1, 31))
    report = _at(f"def f(x):\n    return {terms}\n", x=0)
    assert report.complete
    assert len(report.vertices) == 30 * 31 // 2 + 1


def test_a_budget_that_is_exceeded_is_said() -> None:
    terms = " + ".join(f"relu(relu({3**k}*x))" for k in range(20))
    report = _at(f"def f(x):\n    return {terms}\n", x=0)
    assert not report.complete
    assert "combinations" in report.reason


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("def f(x):\n    return 0 if x == 0 else x\n", {"x": 0}, [("0",), ("1",)]),
        ("def f(x):\n    return 0 if relu(x) == 0 else x\n", {"x": -1}, [("0",)]),
        ("def f(x):\n    return x if x*x >= 0 else 7*x\n", {"x": 0}, [("1",)]),
        ("def f(x):\n    return 1 if x == 0 else sin(x)/x\n", {"x": 0}, [("0",)]),
        ("def f(x):\n    return 1 if x == 0 else (exp(x) - 1)/x\n", {"x": 0}, [("0",), ("1/2",)]),
        ("def f(x):\n    return where(x > 0, x, 0*x)\n", {"x": 0}, [("0",), ("1",)]),
        ("def f(x, y):\n    return x if x > y else y\n", {"x": 1, "y": 1}, [("0", "1"), ("1", "0")]),
        ("def f(x):\n    return x*x if x < 1 else 2*x - 1\n", {"x": 1}, [("2",)]),
    ],
)
def test_branches_count_where_their_region_touches_the_point(
    text: str, point: dict[str, Any], expected: list[tuple[str, ...]]
) -> None:
    report = _at(text, **point)
    assert report.complete, report.reason
    assert _slopes(report) == expected


def test_a_branch_that_is_never_taken_is_left_out_by_a_proof() -> None:
    text = "def f(x, y):\n    return x if x*x + y*y >= 0 else 7*y\n"
    report = _at(text, x=0, y=0)
    assert _slopes(report) == [("1", "0")]
    assert report.complete


def test_orders_of_tied_keys_are_choices() -> None:
    text = "def f(x: Real[3]):\n    s = sort(x)\n    return s[0] + 2*s[1] + 4*s[2]\n"
    report = _at(text, x=[1, 1, 0])
    assert sorted(tuple(row["x"]) for (row,) in report.vertices) == [("2", "4", "1"), ("4", "2", "1")]


def test_guards_are_written_over_the_inputs() -> None:
    report = _at("def f(x, y):\n    d = x - y\n    return relu(-d) + max(x, 2*y)\n", x=0, y=0)
    assert [(tie.line, tie.guard, tie.op) for tie in report.ties_here] == [
        (3, "-(x - y)", "relu"),
        (3, "x - 2*y", "max"),
    ]


def test_a_point_outside_the_domain_is_refused_at_the_assertion() -> None:
    with pytest.raises(CFError) as caught:
        _at('def f(x):\n    assert x > 0, "x is a length"\n    return log(x)\n', x=-1)
    (problem,) = caught.value.diagnostics
    assert problem.span.line == 2
    assert "x is a length" in problem.message


def test_an_overflow_of_floats_is_noted() -> None:
    report = _at("def f(a):\n    return where(a < 800, a, exp(exp(a)))\n", a=10)
    assert report.backward == ({"a": "1"},)
    assert any("float64" in note for note in report.notes)


@pytest.mark.parametrize(
    ("text", "point", "count"),
    [
        ("def f(x: Real[3], k: Const[3]):\n    return sum(k*relu(x))\n", {"x": [0, 0, 1], "k": [1, 2, 3]}, 4),
        ("def f(c: Real[4]):\n    return sum(relu(c)*[1, 2, 3, 4]) + max(c[0], 0)\n", {"c": [0, 0, 1, 1]}, 6),
        ("def f(x: Real[2], x_0):\n    return relu(x_0)*x[0] + x[1]\n", {"x": [1, 2], "x_0": 0}, 2),
        ("def f(s: Real[3]):\n    t = relu(s)\n    return sum(t) + s[2]\n", {"s": [0, 0, 0]}, 8),
    ],
)
def test_names_of_entries_never_meet_names_of_values(text: str, point: dict[str, Any], count: int) -> None:
    report = _at(text, **point)
    assert report.complete
    assert len(report.vertices) == count


def test_an_entry_that_is_used_twice_is_no_array_of_arrays() -> None:
    report = _at("def f(v: Real[3]):\n    return v[0]*v[1] + 3*v[1]\n", v=[1, 2, 3])
    assert report.backward == ({"v": ["2", "4", "0"]},)


def test_a_guard_that_nothing_needs_is_not_another_value() -> None:
    text = (
        "def f(x, y, z):\n"
        "    w = [y, x, z]\n"
        "    unused = 1 if z > 0 else 2\n"
        "    u = [[1, -1, 0], [0, 2, 1]] @ w\n"
        "    return u[1] if u[0] > 0 else u[1] - u[0]\n"
    )
    report = _at(text, x=0, y=0, z=0)
    assert report.complete
    assert _slopes(report) == [("2", "0", "1"), ("3", "-1", "1")]


def test_a_condition_that_arcs_cannot_decide_leaves_the_field_incomplete() -> None:
    report = _at("def f(v: Real[3]):\n    m = median(v)\n    return m if m > 0 else 2*m\n", v=[-1, 0, 0])
    assert not report.complete or len(report.vertices) > 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x):\n    a = 1/x if x < 0 else 0\n    return max(a, 1)\n", [("0",)]),
        ("def f(x):\n    a = 1/x if x < 0 else 0\n    return 1 if a > 0 else x\n", [("1",)]),
        ("def f(x):\n    c = cumsum([x, x]) - 1\n    return c[0] if x > 0 else -1 + 0*x\n", [("0",), ("1",)]),
    ],
)
def test_an_arm_is_followed_where_it_runs(text: str, expected: list[tuple[str, ...]]) -> None:
    report = _at(text, x=0)
    assert report.complete, report.reason
    assert _slopes(report) == expected


def test_selections_choose_for_themselves_even_where_no_arc_agrees() -> None:
    report = _at("def f(x):\n    return where(x > 0, x, 0*x) - where(-x > 0, -x, 0*x)\n", x=0)
    assert report.complete
    assert _slopes(report) == [("0",), ("1",), ("2",)]


def test_all_that_is_wrong_with_a_point_is_said() -> None:
    with pytest.raises(CFError) as caught:
        _at("def f(x, y):\n    return x*y\n", z=1)
    assert len(caught.value.diagnostics) == 3


def test_a_step_at_its_jump_is_told_and_d_is_not_claimed() -> None:
    report = _at("def f(x):\n    return floor(2*x) + sign(x - 3/2)*x + x\n", x="3/2")
    assert [(tie.op, tie.guard) for tie in report.ties_here] == [("floor", "2*x - 3"), ("sign", "x - 3/2")]
    assert not report.complete
    assert "jumps" in report.reason
    assert _at("def f(x):\n    return floor(2*x) + sign(x - 3/2)*x + x\n", x="7/4").ties_here == ()


def test_limits_along_some_arcs_are_not_called_all() -> None:
    report = _at("def f(x, y):\n    return 0 if x == 0 else x*x*x/(x*x + y*y)\n", x=0, y=0)
    assert ("0", "0") in _slopes(report)
    assert not report.complete
    assert "some arcs only" in report.reason
