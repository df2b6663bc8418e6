"""cfc strata of piecewise-affine programs: counts that are known, verdicts that agree with points, texts and JSON."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from math import comb, factorial
from pathlib import Path
from typing import Any

import pytest
import sympy

from cfcompiler import compile_text
from cfcompiler.analyses.affine_strata import affine_strata
from cfcompiler.analyses.affine_walk import OutsideTheEngine
from cfcompiler.analyses.strata import strata_of
from cfcompiler.analyses.strata_question import question_of
from cfcompiler.cli import main
from cfcompiler.compiler import Compiled
from cfcompiler.errors import CFError
from cfcompiler.report import PointReport, StrataReport, StratumReport
from cfcompiler.targets.strata_json import strata_json
from cfcompiler.targets.strata_text import strata_blocks
from cfcompiler.targets.tables import plain
from tests.oracle.generator import case

NETS = Path(__file__).parent / "data" / "nets"
ZERO = """
def relu2(t):
    return relu(-t) + t


def zero(t):
    return relu2(t) - relu(t)
"""


def strata(text: str, **options: Any) -> StrataReport:
    return compile_text(text).strata(**options)


def verdicts(report: StrataReport) -> dict[str, str]:
    """By the signs, in the order of the guards."""
    return {
        "".join("-0+"[stratum.signs[guard.id] + 1] for guard in report.guards): stratum.verdict
        for stratum in report.strata
    }


def of_dimension(report: StrataReport, dimension: int) -> list[StratumReport]:
    return [stratum for stratum in report.strata if stratum.dimension == dimension]


# what the contract says


def test_the_example_of_the_contract() -> None:
    answer = strata_json(compile_text(ZERO, preset="jax").strata())
    first = answer["strata"][0]
    assert {key: answer[key] for key in ("program", "ties", "inputs", "box", "complete", "counts")} == {
        "program": "zero",
        "ties": "jax",
        "inputs": ["t"],
        "box": None,
        "complete": True,
        "counts": {"0": 1, "1": 2},
    }
    assert [(guard["id"], guard["expr"], guard["op"]) for guard in answer["guards"]] == [
        ("g1", "-t", "relu"),
        ("g2", "t", "relu"),
    ]
    assert {key: value for key, value in first.items() if key not in ("trust", "ad_critical")} == {
        "id": "S1",
        "dimension": 0,
        "signs": {"g1": 0, "g2": 0},
        "equations": ["t"],
        "inequalities": [],
        "witness": {"t": "0"},
        "ad": {"t": "1"},
        "gradient": {"t": "0"},
        "clarke": [{"t": "0"}],
        "verdict": "spurious",
        "artificial_critical": False,
    }
    assert answer["spurious"] == ["t == 0"]
    assert answer["artificial_critical_points"] == [] and answer["unknown"] == []


def test_all_nine_sign_patterns_of_max_of_min() -> None:
    report = strata("def f(x, y):\n    return max(min(x, -y), y - x)\n")
    assert report.counts == {0: 1, 1: 4, 2: 4} and len(report.guards) == 2
    assert set(verdicts(report)) == {a + b for a in "-0+" for b in "-0+"}
    assert not report.spurious and report.complete


@pytest.mark.parametrize(
    ("text", "returned", "verdict"),
    [
        ("relu(-x) + x", "0", "clarke"),
        ("(relu(x) + relu(-x) + x)/2", "1/2", "clarke"),
        ("relu(x) - relu(-x)", "0", "spurious"),
        ("abs(x) - abs(x)", "0", "exact"),
    ],
)
def test_one_input(text: str, returned: str, verdict: str) -> None:
    report = strata(f"def f(x):\n    return {text}\n")
    (point,) = of_dimension(report, 0)
    rest = 1 if text == "relu(-x) + x" else 0
    assert point.ad == ({"x": returned if rest == 0 else "1"},)
    assert point.verdict == verdict
    assert all(stratum.verdict == "exact" for stratum in of_dimension(report, 1))


def test_a_line_where_max_and_min_are_taken_of_the_same() -> None:
    report = strata("def f(x, y):\n    return max(x, y) + 2*min(x, y)\n")
    (line,) = of_dimension(report, 1)
    assert line.equations == ("x - y",) and line.verdict == "clarke"
    wrong = compile_text(
        "def f(x, y):\n    return max(x, y) + min(x, y)\n", overrides={"max": "first", "min": "first"}
    ).strata()
    assert wrong.spurious == ("x == y",)
    (line,) = of_dimension(wrong, 1)
    assert line.ad == ({"x": "2", "y": "0"},) and line.gradient == ({"x": "1", "y": "1"},)
    text = plain(strata_blocks(wrong))
    assert "AD is wrong exactly on the line x = y; there it returns (2, 0), the gradient is (1, 1)" in text


def test_the_l1_norm_has_a_stratum_for_each_pattern() -> None:
    report = strata("def f(v: Real[3]):\n    return sum(abs(v))\n")
    assert report.counts == {0: 1, 1: 6, 2: 12, 3: 8}
    assert report.strata[0].equations == ("v[0]", "v[1]", "v[2]")
    assert len(report.strata[0].clarke or ()) == 8


def test_sorting_three_numbers() -> None:
    report = strata("def f(x, y, z):\n    s = sort([x, y, z])\n    return s[0] + 3*s[1] + 7*s[2]\n")
    assert report.counts == {1: 1, 2: 6, 3: 6}
    assert {stratum.verdict for stratum in report.strata} == {"clarke", "exact"}


# known spurious sets


@pytest.mark.parametrize(
    ("h", "where", "gradient"),
    [
        ("x + 2*y - 1", "x + 2*y == 1", ("1", "2")),
        ("x - z/3", "3*x == z", ("1", "0")),
    ],
)
def test_an_injected_zero_is_wrong_where_its_argument_vanishes(
    h: str, where: str, gradient: tuple[str, str]
) -> None:
    report = strata(f"def f(x, y, z):\n    h = {h}\n    return 5*z + relu(h) - relu(-h) - h + relu(y)\n")
    assert report.spurious == (where,)
    for stratum in report.strata:
        assert (stratum.verdict == "spurious") == ("-0+".index("0") == 1 and stratum.signs["g1"] == 0)
        if stratum.verdict == "spurious" and stratum.dimension == 2:
            assert stratum.ad is not None and stratum.gradient is not None
            off = sympy.Rational(str(stratum.gradient[0]["x"])) - sympy.Rational(str(stratum.ad[0]["x"]))
            assert off == sympy.Rational(gradient[0])


def test_half_a_hyperplane_is_named_by_one_more_relation() -> None:
    text = "def f(x, y):\n    if y > 0:\n        return relu(x) - relu(-x)\n    else:\n        return x\n"
    report = strata(text)
    assert "x == 0 and y > 0" in report.spurious
    at_zero = [stratum for stratum in report.strata if stratum.witness == {"x": "0", "y": "0"}]
    assert report.complete and all(stratum.verdict == "exact" for stratum in at_zero)


def test_a_thin_branch_is_a_stratum_of_its_own() -> None:
    report = strata("def f(x, y):\n    if x == y:\n        return x\n    else:\n        return (x + y)/2\n")
    (line,) = of_dimension(report, 1)
    assert line.ad == ({"x": "1", "y": "0"},) and line.gradient == ({"x": "1/2", "y": "1/2"},)
    assert report.spurious == ("x == y",)


def test_an_artificial_critical_point_with_a_start_that_arrives() -> None:
    text = "def f(x, y):\n    if x == y:\n        return 2*x - x - y\n    else:\n        return (x - y)\n"
    compiled = compile_text(text, overrides={})
    assert compiled.strata().complete
    text = "def f(x):\n    if x == 0:\n        return 0\n    else:\n        return x\n"
    report = strata(text)
    (found,) = report.artificial
    assert found.where == "x == 0" and found.stalls and found.point == {"x": "0"}
    assert found.start is not None
    start, step = Fraction(str(found.start["x"])), Fraction(found.step)
    slope = compile_text(text).at(x=start).backward[0]["x"]
    assert start - step * Fraction(str(slope)) == 0


# branches, jumps, domains


def test_arms_that_are_not_taken_have_no_guards() -> None:
    report = strata("def f(x, y):\n    if x > 0:\n        return relu(y)\n    else:\n        return 0\n")
    left = [stratum for stratum in report.strata if stratum.signs["g1"] == -1]
    assert len(left) == 1 and set(left[0].signs) == {"g1"}


def test_what_touches_a_stratum_may_change_along_it() -> None:
    report = strata("def f(x, y):\n    return relu(x)*1 + (relu(y) if x > 0 else 0)\n")
    on_the_line = [stratum for stratum in report.strata if stratum.equations[:1] == ("x",)]
    words = {str(stratum.witness["y"]): stratum.verdict for stratum in on_the_line}
    assert len(on_the_line) == 3
    assert {words[y] for y in words if not y.startswith("-") and y != "0"} == {"discontinuous"}
    assert words["0"] == "undefined"
    assert {words[y] for y in words if y.startswith("-")} == {"clarke"}


def test_a_jump_that_vanishes_on_a_part_is_divided_there() -> None:
    report = strata("def f(x, y):\n    if y > 0:\n        return x\n    else:\n        return 0\n")
    words = [(stratum.dimension, stratum.verdict) for stratum in report.strata]
    assert words == [
        (0, "undefined"),
        (1, "discontinuous"),
        (1, "discontinuous"),
        (2, "exact"),
        (2, "exact"),
    ]
    assert "its value here is 0, and x is approached" in report.strata[1].reason


def test_an_eager_selection_of_affine_arms() -> None:
    report = strata("def f(x):\n    return where(x >= 0, x, 2*x)\n")
    assert report.counts == {0: 1, 1: 2} and report.strata[0].verdict == "clarke"


def test_steps_are_counted_in_a_box_and_refused_without() -> None:
    text = "def f(x):\n    return x + floor(2*x)\n"
    report = strata(text, box={"x": (-1, 1)})
    assert report.counts == {0: 3, 1: 4}
    assert {stratum.verdict for stratum in of_dimension(report, 0)} == {"discontinuous"}
    refused = strata(text)
    assert not refused.complete and "line 2, column 16" in refused.unknown[0]
    assert "not bounded" in refused.unknown[0]


def test_assertions_restrict_the_domain() -> None:
    report = strata("def f(x):\n    assert x >= 0\n    return relu(x) - relu(-x)\n")
    assert report.counts == {0: 1, 1: 1}
    assert report.strata[0].verdict == "spurious" and report.strata[0].gradient == ({"x": "1"},)


def test_a_dead_operation_is_still_met() -> None:
    report = strata("def f(x):\n    y = relu(relu(-x))\n    return 3*x + 0*y\n")
    assert all(stratum.verdict == "exact" for stratum in report.strata)
    positive = [stratum for stratum in report.strata if stratum.signs["g1"] == -1]
    assert positive[0].dimension == 1 and positive[0].signs["g2"] == 0


def test_boxes_and_fixed_inputs() -> None:
    text = "def f(x, y):\n    return max(x, y) + min(x, y)\n"
    fixed = compile_text(text, overrides={"max": "first", "min": "first"}).strata(fix={"y": "1/2"})
    assert fixed.inputs == ("x",) and fixed.spurious == ("x == 1/2",)
    assert fixed.strata[0].ad == ({"x": "2"},)
    apart = strata(text, box={"x": "0:1", "y": "2:3"})
    assert apart.counts == {2: 1} and apart.box == {"x": ("0", "1"), "y": ("2", "3")}


def test_what_is_not_affine_is_named() -> None:
    report = strata("def f(x, y):\n    return relu(x)*floor(y*y)\n")
    assert not report.complete and "line 2, column 20" in report.unknown[0]


def test_a_budget_is_said() -> None:
    report = strata("def f(v: Real[4]):\n    return sum(abs(v))\n", most=20)
    assert not report.complete and not report.whole
    assert "--max-cells" in report.unknown[0] and "had been told apart" in report.unknown[0]


def test_an_interruption_keeps_what_is_judged() -> None:
    def interrupt(word: str, done: int, total: int) -> None:
        if word == "judged":
            raise KeyboardInterrupt

    program = compile_text("def f(v: Real[4]):\n    return sum(abs(v))\n").program
    report = strata_of(program, question_of(program, progress=interrupt))
    assert len(report.strata) == 64 and not report.complete
    assert report.unknown == ("17 of 81 strata are not judged: interrupted",)


def test_no_time_is_said() -> None:
    report = strata("def f(v: Real[4]):\n    return sum(abs(v))\n", seconds=1e-9)
    assert report.strata == () and "--timeout" in report.unknown[0]


def test_a_rule_that_is_nan_makes_a_stratum_undefined() -> None:
    compiled = compile_text("def f(x, y):\n    return relu(x) + y\n", overrides={"relu": "nan"})
    report = compiled.strata()
    (line,) = of_dimension(report, 1)
    assert line.verdict == "undefined" and line.ad == ({"x": "nan", "y": "1"},)
    agree(compiled.at(**line.witness), line)


def test_a_tie_on_an_open_set_is_exact_unless_the_rule_is_wrong() -> None:
    text = "def f(x, y):\n    return max(x, x) + y\n"
    assert {stratum.verdict for stratum in strata(text).strata} == {"exact"}
    wrong = compile_text(text, overrides={"max": "1,1"}).strata()
    assert wrong.spurious == ("everywhere",)
    assert "AD is wrong exactly on all inputs; there it returns (2, 1)" in plain(strata_blocks(wrong))


def test_several_outputs_have_jacobians() -> None:
    report = strata("def f(x, y):\n    return relu(x) - relu(-x), max(x, y)\n")
    assert report.spurious == ("x == 0",) and not report.scalar
    origin = report.strata[0]
    assert origin.ad is not None and len(origin.ad) == 2
    assert strata_json(report)["strata"][0]["ad"] == [dict(row) for row in origin.ad]


def test_data_must_be_fixed() -> None:
    compiled = compile_text("def f(c: Const, x):\n    return relu(c*x - 1)\n")
    with pytest.raises(CFError, match="--fix c="):
        compiled.strata()
    assert compiled.strata(fix={"c": 2}).strata[0].equations == ("2*x - 1",)


# counts that are known


@pytest.mark.parametrize("lines", [1, 4, 9])
def test_lines_in_general_position(lines: int) -> None:
    slopes = [(k, k * k + 1) for k in range(1, lines + 1)]  # tangents of a parabola: no three meet
    terms = " + ".join(f"abs(y - {2 * k}*x + {k * k})" for k, _ in slopes)
    report = strata(f"def f(x, y):\n    return {terms}\n")
    crossings = comb(lines, 2)
    counts = {0: crossings, 1: lines * lines, 2: 1 + lines + crossings}
    assert report.counts == {dimension: count for dimension, count in counts.items() if count}


def test_the_braid_arrangement_has_as_many_cells_as_orders() -> None:
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    terms = " + ".join(f"abs(v[{i}] - v[{j}])" for i, j in pairs)
    report = strata(f"def f(v: Real[4]):\n    return {terms}\n")
    assert report.counts[4] == factorial(4) and report.counts[1] == 1


def network(data: dict[str, Any]) -> str:
    lines = [f"def net(x: Real[{data['widths'][0]}]):"]
    value = "x"
    for place, layer in enumerate(data["layers"]):
        rows = ", ".join("[" + ", ".join(row) + "]" for row in layer["W"])
        lines += [f"    W{place} = [{rows}]", f"    b{place} = [{', '.join(layer['b'])}]"]
        inner = f"W{place} @ {value} + b{place}"
        value = f"h{place}"
        last = place == len(data["layers"]) - 1
        lines.append(f"    {value} = {inner if last else f'relu({inner})'}")
    return "\n".join([*lines, f"    return {value}[0]", ""])


@pytest.mark.parametrize(
    "name", ["g_2_8_1", "p_dead", "p_sort3", "p_abs2", "p_max3", "p_int_2_8_8_1", "g_4_4_4_1"]
)
def test_networks_have_the_recorded_strata(name: str) -> None:
    data = json.loads((NETS / f"{name}.json").read_text(encoding="utf-8"))
    low, high = data["domain"]["lo"], data["domain"]["hi"]
    assert len(set(low)) == len(set(high)) == 1
    report = strata(network(data), box={"x": (low[0], high[0])})
    recorded = data["truth"]["lattice"]["interior_f"]
    assert report.counts == {dimension: count for dimension, count in enumerate(recorded) if count}
    assert report.complete


# strata and points agree


def agree(point: PointReport, stratum: StratumReport) -> None:
    judged = point.judged
    assert judged.verdict == stratum.verdict, (stratum, judged)
    assert point.backward == stratum.ad
    assert judged.ad_critical == stratum.ad_critical
    if judged.verdict in ("unknown", "undefined", "discontinuous"):
        return
    assert judged.gradient == stratum.gradient and judged.artificial_critical == stratum.artificial_critical
    assert stratum.clarke is not None and judged.clarke_complete
    assert sorted(map(str, judged.clarke)) == sorted(map(str, stratum.clarke))


def holds(stratum: StratumReport, point: dict[str, Fraction]) -> bool:
    """Whether a point is in the set that the texts say, as SymPy reads them."""
    values = {name: sympy.Rational(entry.numerator, entry.denominator) for name, entry in point.items()}
    return all(sympy.sympify(text).subs(values) == 0 for text in stratum.equations) and all(
        bool(sympy.sympify(text).subs(values)) for text in stratum.inequalities
    )


def asked(kind: str, seed: int) -> tuple[Compiled, StrataReport]:
    """A program of affine pieces and its strata; others are the matter of test_general_strata.py."""
    made = case(kind, seed)
    compiled = compile_text(made.text, made.name, overrides=made.rules.overrides())
    try:
        return compiled, affine_strata(compiled.program, question_of(compiled.program))
    except OutsideTheEngine as problem:
        pytest.skip(f"not of affine pieces: {problem.reason}")


@pytest.mark.parametrize("kind", ["affine", "thin", "jump", "sat"])
@pytest.mark.parametrize("seed", range(100, 108))
def test_points_and_strata_say_the_same(kind: str, seed: int) -> None:
    compiled, report = asked(kind, seed)
    assert report.complete
    rng = random.Random(seed)
    for stratum in rng.sample(report.strata, min(len(report.strata), 6)):
        agree(compiled.at(**stratum.witness), stratum)


@pytest.mark.parametrize("kind", ["affine", "jump"])
@pytest.mark.parametrize("seed", range(200, 204))
def test_every_point_is_in_one_stratum_and_has_its_verdict(kind: str, seed: int) -> None:
    compiled, report = asked(kind, seed)
    rng = random.Random(seed)
    for _ in range(3):
        point = {name: Fraction(rng.randint(-3, 3), rng.randint(1, 2)) for name in report.inputs}
        own = [stratum for stratum in report.strata if holds(stratum, point)]
        assert len(own) == 1
        agree(compiled.at(**point), own[0])


WRITTEN = {
    "kinks": "where(x > y, 2*x - y, x) + leaky_relu(y) + hardtanh(x) + min(x, y)",
    "cumsum": "max(cumsum([x, y, x - y]))",
    "axes": "sum(max([[x, y], [y, 1]], axis=0)) - max(min([[x, y], [2, x]], axis=1))",
    "places": "max([x, y, x + y]) + [x, y, x + y][argmin([x, y, x + y])]",
    "broadcast": "sum(max([x, y, 1], x - 1)) + min(x, 1)",
    "arms": "sum(where([x, y] > 0, [x, y], [3*x, y])) - (x if x >= y else y)",
    "median": "median([x, y, 1]) + sum(sort([x, y, 0])[1:])",
    "thin": "z if x == 0 and y == 0 else z + x - 2*y",
    "two sided": "0 if x > 0 else relu(x) - relu(-x) + abs(y)",
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("preset", ["torch", "jax"])
def test_written_programs(name: str, preset: str) -> None:
    text = f"def f(x, y):\n    z = x - y\n    return {WRITTEN[name]}\n"
    compiled = compile_text(text, preset=preset)
    report = compiled.strata()
    assert report.complete
    rng = random.Random(name)
    for stratum in rng.sample(report.strata, min(len(report.strata), 6)):
        agree(compiled.at(**stratum.witness), stratum)


@pytest.mark.parametrize(
    "lines",
    [
        ("assert x + y >= 0", "assert x != y", "return abs(x) - max(x, y)"),
        ("assert x > 0 or y > 0", "if x + y > 1:", "    return x", "return y"),
    ],
)
def test_domains_with_holes(lines: tuple[str, ...]) -> None:
    compiled = compile_text("def f(x, y):\n" + "".join(f"    {line}\n" for line in lines))
    report = compiled.strata()
    for stratum in report.strata:
        agree(compiled.at(**stratum.witness), stratum)


# the command


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "zero.cf"
    path.write_text(ZERO, encoding="utf-8")
    assert main(["strata", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "AD is wrong exactly on the point t = 0; there it returns 1, the gradient is 0" in shown
    assert main(["strata", str(path), "--json", "--fail-on", "spurious,undefined"]) == 1
    assert json.loads(capsys.readouterr().out)["spurious"] == ["t == 0"]
    assert main(["strata", str(path), "--box", "t=0:1", "--fail-on", "spurious"]) == 0
    for wrong in (
        ["--box", "q=0:1"],
        ["--box", "t=1:0"],
        ["--fail-on", "bad"],
        ["--timeout", "-1"],
        ["--fix", "q=1"],
    ):
        assert main(["strata", str(path), *wrong]) == 2


def test_one_entry_of_an_array_is_fixed_and_another_has_a_box_of_its_own() -> None:
    program = compile_text("def f(v: Real[3]):\n    return max(v)\n")
    report = program.strata(fix={"v[1]": "1"}, box={"v": (-5, 5), "v[0]": (-1, 3)})
    assert report.inputs == ("v[0]", "v[2]")
    assert report.box == {"v": ("-5", "5"), "v[0]": ("-1", "3")}
    alone = compile_text("def f(a, b, c):\n    return max([a, b, c])\n")
    assert report.counts == alone.strata(fix={"b": "1"}, box={"a": (-1, 3), "c": (-5, 5)}).counts
    assert {str(stratum.ad) for stratum in report.strata if stratum.dimension == 0} == {
        "({'v[0]': '1/3', 'v[2]': '1/3'},)"
    }
