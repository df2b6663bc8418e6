"""`cfc compare`: every preset at one point, beside the truth, which is found once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cfcompiler import cli
from cfcompiler.analyses import comparison
from cfcompiler.analyses.at import at
from cfcompiler.analyses.same_function import FunctionNumbers
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.errors import CFError
from cfcompiler.point import point_of
from cfcompiler.report import ComparisonReport
from cfcompiler.targets.comparison_text import comparison_blocks, summary
from cfcompiler.targets.tables import plain
from cfcompiler.ties import load_preset, preset_names

SOFTPLUS = "def f(x):\n    return relu(x) + log1p(exp(-abs(x)))\n"
ZERO = "def f(t):\n    return relu(-t) + t - relu(t)\n"
MAX_MIN = "def f(x):\n    return max(x, 0) + min(x, 0)\n"
WHERE = "def f(x):\n    return where(x > 0, sqrt(x), 0)\n"
WHERE_NAN = "def f(x):\n    return where(x < 1, x, sqrt(x))\n"


def verdicts(report: ComparisonReport) -> dict[str, str | None]:
    return {row.name: row.verdict for row in report.presets}


def backward(report: ComparisonReport) -> dict[str, Any]:
    return {row.name: row.backward[0] if row.backward else None for row in report.presets}


def text_of(report: ComparisonReport, width: int = 80) -> str:
    return plain(comparison_blocks(report, width))


def test_each_framework_has_its_own_derivative_of_softplus() -> None:
    report = compile_text(SOFTPLUS).compare(x=0)
    assert tuple(row.name for row in report.presets) == preset_names()
    assert report.truth.gradient == ({"x": "1/2"},)
    assert report.truth.clarke == (({"x": "1/2"},),)
    found = backward(report)
    assert [found[name] for name in ("jax", "torch", "pytensor", "casadi")] == [
        {"x": "-1/2"},
        {"x": "0"},
        {"x": "1"},
        {"x": "1/2"},
    ]
    assert {name for name, word in verdicts(report).items() if word == "exact"} == {
        "autograd",
        "casadi",
        "casadi-sx",
        "sympy",
    }
    assert set(verdicts(report).values()) == {"exact", "spurious"}
    assert summary(report) == (
        "4 of 13 return the gradient; 9 return something that is not a derivative of this function here"
    )


@pytest.mark.parametrize(
    ("text", "point"),
    [
        (SOFTPLUS, {"x": 0}),
        (ZERO, {"t": 0}),
        (MAX_MIN, {"x": 0}),
        (WHERE, {"x": 0}),
        (WHERE_NAN, {"x": 0}),
        ("def f(x, y):\n    return max(min(y, x**2), 0)\n", {"x": 0, "y": 0}),
        ("def f(v: Real[3]):\n    return max(v) + median(v)\n", {"v": [1, 1, 1]}),
        ("def f(x):\n    return hardswish(x) + clip(x, -3, 3)\n", {"x": -3}),
        ("def f(x):\n    return sign(x)\n", {"x": 0}),
        ("def f(x):\n    return [abs(x), relu(x)]\n", {"x": 0}),
        ("def f(x):\n    return abs(x)\n", {"x": "sqrt(2)"}),
    ],
)
def test_a_row_says_what_at_says_under_the_preset(text: str, point: dict[str, Any]) -> None:
    report = compile_text(text).compare(**point)
    for row in report.presets:
        program = compile_text(text, preset=row.name).program
        alone = at(program, point_of(program, point), row.name)
        assert (row.forward, row.backward) == (alone.forward, alone.backward)
        assert (row.verdict, row.ad_critical) == (alone.judged.verdict, alone.judged.ad_critical)
        assert row.reason == alone.judged.reason
        truth = row.other or report.truth
        assert truth.value == alone.value
        assert truth.gradient == alone.judged.gradient
        assert truth.clarke == alone.judged.clarke


def test_the_truth_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    found = comparison.landscape_at
    monkeypatch.setattr(comparison, "landscape_at", lambda *words: calls.append(words) or found(*words))
    report = compile_text(SOFTPLUS + "\n").compare(x=0)
    assert len(report.presets) == 13
    assert len(calls) == 1


def test_definitions_that_compute_the_same_by_the_same_selections_are_one_function() -> None:
    numbers = FunctionNumbers()
    text = "def f(x, y):\n    return relu(x) + clip(y, 0, 1) + hinge(x)*y\n"
    keys = {
        numbers.of(compile_text(text, preset=name).program) for name in ("torch", "jax", "casadi", "sympy")
    }
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("max(x, 0)", "min(x, 0)"),
        ("x - 1", "1 - x"),
        ("x + 1", "x + 2"),
        ("x if x > 0 else 1", "x if x >= 0 else 1"),
        ("abs(x)", "relu(x)"),
    ],
)
def test_other_functions_have_other_numbers(one: str, other: str) -> None:
    numbers = FunctionNumbers()
    keys = [numbers.of(compile_text(f"def f(x):\n    return {text}\n").program) for text in (one, other)]
    assert keys[0] != keys[1]


def test_another_domain_is_another_function() -> None:
    numbers = FunctionNumbers()
    texts = ("def f(x):\n    return x\n", "def f(x):\n    assert x > 0\n    return x\n")
    assert len({numbers.of(compile_text(text).program) for text in texts}) == 2


def test_a_definition_that_computes_another_value_has_its_own_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    changed("mygrad", monkeypatch, defines={"relu": "2*x + 1"})
    report = compile_text("def f(x):\n    return relu(x)\n").compare(x=0)
    rows = {row.name: row for row in report.presets}
    assert report.truth.value == "0"
    assert rows["torch"].other is None
    other = rows["mygrad"].other
    assert other is not None
    assert (other.value, other.gradient, rows["mygrad"].verdict) == ("1", ({"x": "2"},), "exact")
    assert "mygrad: composed of other operations; there the value is 1, the gradient x = 2" in " ".join(
        text_of(report, 200).split()
    )


def test_a_truth_that_is_not_known_is_told_by_its_reason_alone() -> None:
    text = "def f(v: Real[3]):\n    return median(v) + sort(v)[0]*max(v)\n"
    report = compile_text(text).compare(v=[1, 1, 1])
    rows = {row.name: row for row in report.presets}
    assert (report.truth.gradient, rows["jax"].verdict) == (({"v": ["1", "1", "1"]},), "spurious")
    for row in report.presets:
        assert row.other is None or row.other.clarke or row.reason in text_of(report, 200)


def changed(preset: str, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    """One preset with other rules."""
    from dataclasses import replace

    from cfcompiler import ties

    found = load_preset

    def load(name: str) -> ties.Rules:
        rules = found(name)
        return replace(rules, **fields) if name == preset else rules

    monkeypatch.setattr(ties, "load_preset", load)


def test_a_preset_that_has_no_rule_says_so_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    changed("mygrad", monkeypatch, kinks={}, defines={})
    report = compile_text("def f(x):\n    return relu(x)\n").compare(x=0)
    row = next(row for row in report.presets if row.name == "mygrad")
    assert (row.forward, row.backward, row.verdict, row.ad_critical) == (None, None, None, None)
    assert row.reason == "the preset mygrad has no rule for relu"
    shown = text_of(report)
    assert "no answer" in shown
    assert "mygrad: the preset mygrad has no rule for relu" in shown
    assert summary(report).endswith("1 has no answer")


def test_a_nan_is_told_from_a_wrong_number() -> None:
    report = compile_text(WHERE_NAN).compare(x=0)
    rows = {row.name: row for row in report.presets}
    assert (rows["torch"].verdict, rows["torch"].forward_verdict) == ("undefined", "exact")
    assert rows["casadi"].verdict == "exact"
    shown = text_of(report)
    assert "backward: x = nan  undefined" in shown
    assert "forward: x = 1     exact" in shown
    assert "return NaN or infinity (by backward AD)" in " ".join(shown.split())


def test_a_jump_is_a_jump_for_all() -> None:
    report = compile_text("def f(x):\n    return sign(x)\n").compare(x=0)
    assert set(verdicts(report).values()) == {"discontinuous"}
    assert summary(report) == "all 13 differentiate across a jump"
    assert text_of(report).count("the program jumps") == 1


def test_a_kink_that_is_none_shows_the_clarke_subdifferential() -> None:
    shown = text_of(compile_text("def f(x):\n    return abs(x)\n").compare(x=0))
    assert "Clarke    the hull of x = -1\n                        x = 1\n" in shown
    assert "gradient  x" not in shown
    assert shown.endswith("all 13 return a Clarke subgradient\n")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_lines_fit_where_the_words_do_and_nothing_is_lost(width: int) -> None:
    report = compile_text("def f(x, y, z):\n    return max(x, y, z) + min(x, 1/3)\n").compare(x=0, y=0, z=0)
    shown = text_of(report, width)
    words = " ".join(shown.split())
    for row in report.presets:
        assert f"{row.name} {row.version} " in words
        assert ", ".join(f"{name} = {value}" for name, value in (row.backward or ({},))[0].items()) in words
    table = shown.split("\n\n")[1:]
    assert all(len(line) <= max(width, 45) for part in table for line in part.split("\n"))


def test_rules_of_ones_own_are_a_row_more() -> None:
    compiled = compile_text(SOFTPLUS, preset="jax", overrides={"relu": "1/2", "abs": "0"})
    report = compiled.compare(x=0)
    assert len(report.presets) == 14
    own = report.presets[-1]
    assert (own.name, own.framework, own.version) == ("yours", "jax, relu=1/2, abs=0", "")
    assert (own.backward, own.verdict) == (({"x": "1/2"},), "exact")
    assert summary(report).startswith("4 of 13 ")


def test_static_inputs_and_the_chosen_function_stay() -> None:
    text = "def g(x, n: Int = 2):\n    return relu(x)*n\n\n\ndef h(x):\n    return x\n"
    compiled = compile_text(text, function="g", static={"n": 5})
    assert isinstance(compiled, Compiled)
    report = compiled.compare(x=1)
    assert report.program == "g"
    assert report.truth.gradient == ({"x": "5"},)


def test_where_nothing_has_an_answer_the_complaint_is_raised() -> None:
    with pytest.raises(CFError, match="outside the domain"):
        compile_text("def f(x):\n    assert x > 0\n    return relu(x)\n").compare(x=-1)
    with pytest.raises(CFError, match="no value"):
        compile_text("def f(x):\n    return relu(x)\n").compare()


# the command


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "prog.cf"
    path.write_text(SOFTPLUS, encoding="utf-8")
    return str(path)


def test_the_json_has_these_keys(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", program, "x=0", "--ties", "jax", "torch", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["program", "point", "value", "truth", "presets"]
    assert (answer["program"], answer["point"], answer["value"]) == ("f", {"x": "0"}, "log(2)")
    assert answer["truth"] == {
        "gradient": {"x": "1/2"},
        "clarke": {"vertices": [{"x": "1/2"}], "complete": True},
        "bouligand": {"vertices": [{"x": "1/2"}], "complete": True},
    }
    assert answer["presets"][0] == {
        "name": "jax",
        "framework": "jax",
        "version": load_preset("jax").version,
        "forward": {"x": "-1/2"},
        "backward": {"x": "-1/2"},
        "verdict": "spurious",
        "forward_verdict": "spurious",
        "ad_critical": False,
    }
    assert answer["presets"][1]["ad_critical"] is True
    assert len(answer["presets"]) == 2


def test_a_program_of_several_outputs_has_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "two.cf"
    path.write_text("def f(v: Real[2]):\n    return [abs(v[0]), v[1]]\n", encoding="utf-8")
    assert cli.main(["compare", str(path), "v=[0,1]", "--ties", "jax", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["presets"][0]["backward"] == [{"v": ["1", "0"]}, {"v": ["0", "1"]}]
    assert answer["truth"]["gradient"] is None


def test_a_point_may_follow_the_presets(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", program, "--ties", "jax", "x=0", "--tie", "relu=1"]) == 0
    shown = capsys.readouterr().out
    assert "  yours   jax, relu=1  x = 1/2     exact\n" in shown
    assert shown.endswith("it returns something that is not a derivative of this function here\n")


@pytest.mark.parametrize(
    ("words", "complaint", "hint"),
    [
        (["y=0"], "error CF090: ", "x"),
        (["x=0", "--ties", "jaxx"], "error CF082: unknown tie preset 'jaxx'", "did you mean 'jax'?"),
        (["x=0", "--tie", "rellu=1"], "error CF083: ", "relu"),
        (["x=0", "--nothing"], "error CF098: ", "cfc compare --help"),
    ],
)
def test_what_is_wrong_is_said(
    program: str, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str, hint: str
) -> None:
    assert cli.main(["compare", program, *words]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert complaint in said
    assert hint in said


def test_a_mistake_in_the_program_is_complained_of_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.cf"
    path.write_text("def f(x):\n    return relu(y)\n", encoding="utf-8")
    assert cli.main(["compare", str(path), "x=0"]) == 2
    assert capsys.readouterr().err.count("error CF") == 1


def test_without_a_point_every_stratum_with_a_tie_is_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "f.cf"
    path.write_text("def f(x, y):\n    return relu(x) + max(y, 0) - relu(y)\n")
    assert cli.main(["compare", str(path), "--ties", "jax", "tensorflow", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["unknown"] == []
    found = {
        (tuple(one["equations"]), tuple(one["inequalities"])): [
            (row["backward"], row["verdict"]) for row in one["comparison"]["presets"]
        ]
        for one in answer["strata"]
    }
    assert len(found) == 5  # the 4 open cells have no tie
    assert found[("y",), ("x > 0",)] == [
        ({"x": "1", "y": "1/2"}, "spurious"),
        ({"x": "1", "y": "1"}, "spurious"),
    ]
    assert found[("x",), ("y < 0",)] == [({"x": "0", "y": "0"}, "clarke")] * 2


def test_where_no_guard_is_tied_nothing_is_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "f.cf"
    path.write_text("def f(x):\n    return 2*x\n")
    assert cli.main(["compare", str(path)]) == 0
    assert "no guard is tied anywhere" in capsys.readouterr().out


def test_a_stratum_whose_point_is_a_root_of_a_polynomial_is_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "f.cf"
    path.write_text("def f(x):\n    return abs(x*x - 2) + abs(x**5 - x - 1)\n")
    assert cli.main(["compare", str(path), "--ties", "jax", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    points = sorted(one["comparison"]["point"]["x"] for one in answer["strata"])
    assert points == ["-sqrt(2)", "CRootOf(x**5 - x - 1, 0)", "sqrt(2)"]
    assert answer["unknown"] == []
