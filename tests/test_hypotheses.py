"""The hypotheses of the theorems on random piecewise-affine programs, and against the verdicts of their strata."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from cfcompiler.analyses.circulation import Polygons, broken, circulation, polygons
from cfcompiler.analyses.tangents import Strata
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.report import CheckReport


def random_text(seed: int) -> str:
    """A few nested kinks of affine functions of x and y."""
    generator = random.Random(seed)

    def affine() -> str:
        a, b, c = (generator.choice((-2, -1, 0, 1, 2)) for _ in range(3))
        return f"({a}*x + {b}*y + {c})"

    def term(depth: int) -> str:
        inner = (lambda: term(depth - 1)) if depth and generator.random() < 0.6 else affine
        kind = generator.choice(("relu({})", "abs({})", "max({}, {})", "min({}, {})", "({} - {})"))
        return kind.format(inner(), inner())

    return f"def f(x, y):\n    return {term(2)} + {generator.choice((-1, 1))}*{term(1)}\n"


def answers(report: CheckReport) -> dict[str, str]:
    return {item.name: item.answer for item in report.hypotheses}


def compiled(text: str, **rules: str) -> Compiled:
    return compile_text(text, "prog.cf", overrides=rules)


@pytest.mark.parametrize("seed", range(12))
def test_ad_of_an_affine_program_projects_and_circulates(seed: int) -> None:
    program = compiled(random_text(seed))
    report = program.check(theory=True)
    found = answers(report)
    always = ("continuous", "locally Lipschitz", "path differentiable", "conservative", "projection")
    assert {found[name] for name in (*always, "circulation")} == {"proved"}, random_text(seed)
    spurious = any(stratum.verdict == "spurious" for stratum in program.strata().strata)
    assert spurious == any(item.code == "CF101" for item in report.findings)
    assert not (spurious and found["kink qualification"] == "proved")  # Theorem C


@pytest.mark.parametrize("seed", range(4))
def test_edges_between_any_points_integrate_to_the_difference_of_the_values(seed: int) -> None:
    generator = random.Random(seed)
    strata = Strata(compiled(random_text(seed)).program)
    corners = [
        (Fraction(generator.randint(-6, 6), 2), Fraction(generator.randint(-6, 6), 3)) for _ in range(4)
    ]
    closed, _ = polygons(strata, corners, 4)
    assert closed and all(broken(edges) is None and circulation(edges) == 0 for edges in closed)


def test_weights_that_add_up_to_2_break_the_circulation_inside_the_tie() -> None:
    table = Polygons(Strata(compiled("def f(x, y):\n    return max(x, y)\n", max="all").program))
    corners = [(Fraction(0), Fraction(0)), (Fraction(1), Fraction(1)), (Fraction(1), Fraction(0))]
    edges = [table.edge(*pair) for pair in zip(corners, [*corners[1:], corners[0]], strict=True)]
    assert circulation(edges) == 1  # as in theory: 2 along the diagonal, back by 1 and 0
    bad = broken(edges)
    assert bad is not None and (bad.integral, bad.difference) == (2, 1)


def test_a_jump_refutes_what_rests_on_continuity() -> None:
    report = compiled("def f(x):\n    return x + 1 if x > 0 else x\n").check(theory=True)
    found = answers(report)
    for name in ("continuous", "locally Lipschitz", "path differentiable", "conservative"):
        assert found[name] == "refuted"
    places = {item.name: item.place for item in report.hypotheses}
    assert places["continuous"] is not None and places["continuous"].line == 2


def test_a_branch_whose_other_arm_has_ties_is_not_called_qualified() -> None:
    text = "def f(x):\n    if x > 0:\n        return relu(x) - relu(-x)\n    else:\n        return x\n"
    assert answers(compiled(text).check(theory=True))["kink qualification"] != "proved"


def test_an_equality_is_not_qualified() -> None:
    text = "def f(x):\n    return 0 if x == 0 else x\n"
    assert answers(compiled(text).check(theory=True))["kink qualification"] == "refuted"
