"""Findings and hypotheses of programs that are not piecewise affine, from stratifications written down here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cfcompiler.analyses.check import USUAL, check, failed
from cfcompiler.analyses.strata_question import Question
from cfcompiler.compiler import compile_text
from cfcompiler.language.logical_lines import comments
from cfcompiler.report import (
    ArtificialPoint,
    CheckReport,
    GuardInfo,
    Row,
    StrataReport,
    StratumReport,
)


def stratum(name: str, dimension: int, verdict: str, witness: Row, **given: object) -> StratumReport:
    """`equations`, `inequalities`, `signs`, `ad`, `gradient`, `clarke` (lists of rows), `reason`."""
    plain = StratumReport(
        name, dimension, {}, (), (), witness, None, None, None, verdict, False, False, "", "certificate"
    )
    return replace(plain, **given)  # type: ignore[arg-type]


def checked(
    text: str,
    strata: tuple[StratumReport, ...],
    guards: tuple[GuardInfo, ...] = (),
    artificial: tuple[ArtificialPoint, ...] = (),
    unknown: tuple[str, ...] = (),
) -> CheckReport:
    program = compile_text(text, "prog.cf").program
    inputs = tuple(param.value.name for param in program.params)
    report = StrataReport(
        program.name, program.preset, inputs, None, True, guards, {}, strata, (), artificial, unknown
    )
    return check(program, report, Question(), USUAL, theory=True, proofs=True)


def answers(report: CheckReport) -> dict[str, str]:
    return {item.name: item.answer for item in report.hypotheses}


def x(value: str) -> Row:
    return {"x": value}


def xy(one: str, other: str) -> Row:
    return {"x": one, "y": other}


WHERE = GuardInfo("g1", "x - 1", "where", 2, 18)
WHERE_STRATA = (
    stratum("S1", 1, "exact", x("2"), signs={"g1": 1}, inequalities=("x - 1 > 0",), ad=(x("1/(2*sqrt(x))"),)),
    stratum("S2", 1, "undefined", x("-1"), signs={"g1": -1}, inequalities=("x < 0",), ad=(x("nan"),),
            gradient=(x("0"),), clarke=((x("0"),),)),
    stratum("S3", 0, "undefined", x("0"), signs={"g1": -1}, equations=("x",), ad=(x("nan"),),
            gradient=(x("0"),), clarke=((x("0"),),)),
    stratum("S4", 0, "clarke", x("1"), signs={"g1": 0}, equations=("x - 1",), ad=(x("0"),)),
)  # fmt: skip


def test_an_arm_that_is_not_selected_is_to_blame_for_its_nan() -> None:
    report = checked("def f(x):\n    return where(x > 1, sqrt(x), 1)\n", WHERE_STRATA, (WHERE,))
    (found,) = report.findings
    assert found.code == "CF103" and (found.place.op, found.place.column) == ("sqrt", 25)
    assert found.sets == ("x < 0", "x == 0")
    assert "sqrt(x) has no finite value" in found.message and "the gradient is 0" in found.message
    assert answers(report)["conservative"] == "refuted"
    assert answers(report)["continuous"] == answers(report)["locally Lipschitz"] == "proved"


def test_outside_its_domain_an_operation_has_no_value() -> None:
    strata = (
        stratum("S1", 0, "undefined", x("0"), equations=("x",), ad=(x("nan"),)),
        stratum("S2", 1, "undefined", x("-1"), inequalities=("x < 0",), ad=(x("nan"),)),
        stratum("S3", 1, "exact", x("2"), inequalities=("x > 0",), ad=(x("1/x"),)),
    )
    report = checked("def f(x):\n    return 2*log(x)\n", strata)
    (found,) = report.findings
    assert (found.code, found.place.column, found.sets) == ("CF107", 14, ("x < 0", "x == 0"))
    assert answers(report)["continuous"] == "refuted" and answers(report)["definable"] == "proved"


@pytest.mark.parametrize("text", ["sqrt(x*x)", "x*x + sqrt(abs(x))"])
def test_a_root_at_0_is_not_locally_lipschitz(text: str) -> None:
    strata = (
        stratum("S1", 0, "undefined", x("0"), equations=("x",), ad=(x("nan"),), reason="steep"),
        stratum("S2", 1, "exact", x("2"), inequalities=("x > 0",)),
        stratum("S3", 1, "exact", x("-2"), inequalities=("x < 0",)),
    )
    report = checked(f"def f(x):\n    return {text}\n", strata)
    (found,) = report.findings
    assert (found.code, found.place.op, found.sets) == ("CF106", "sqrt", ("x == 0",))
    lipschitz = answers(report)["locally Lipschitz"]
    assert lipschitz == ("refuted" if "abs" in text else "undecided")


CUSP = "def f(x, y):\n    return max(0, min(x, y*y - x))\n"


def test_a_cusp_is_inexact() -> None:
    guards = (GuardInfo("g1", "x", "max", 2, 12),)
    flat = stratum("S1", 0, "inexact", xy("0", "0"), signs={"g1": 0}, equations=("x", "y"),
                   ad=(xy("1", "0"),), gradient=(xy("0", "0"),))  # fmt: skip
    (found, *_) = (item for item in checked(CUSP, (flat,), guards).findings if item.code != "CF108")
    assert found.code == "CF110" and found.sets == ("x == 0 and y == 0",)
    assert "AD returns (1, 0), the gradient is (0, 0)" in found.message


def test_an_artificial_critical_point_is_told_with_its_start() -> None:
    guards = (GuardInfo("g1", "x", "relu", 2, 12), GuardInfo("g2", "-x", "relu", 2, 22))
    strata = (
        stratum("S1", 0, "exact", x("0"), signs={"g1": 0, "g2": 0}, equations=("x",), ad=(x("1"),)),
        stratum("S2", 1, "exact", x("1"), signs={"g1": 1, "g2": -1}, inequalities=("x > 0",)),
    )
    point = ArtificialPoint("S1", "x == 0", x("0"), True, x("1/2"), "1/2")
    (found,) = checked("def f(x):\n    return relu(x) - relu(-x)\n", strata, guards, (point,)).findings
    assert found.code == "CF102" and found.witness == x("0")
    assert "it does from x = 1/2 with step 1/2" in found.message
    assert [place.column for place in found.operations] == [12, 22]


def test_what_is_open_is_a_note_and_proves_nothing() -> None:
    strata = (stratum("S1", 1, "unknown", x("0"), reason="the sign of y is open"),)
    report = checked("def f(x):\n    return sin(x)\n", strata, unknown=("the sign of y is open", "more"))
    assert [item.code for item in report.findings] == ["CF190", "CF190"]
    assert not failed(report, strict=False) and failed(report, strict=True)
    assert report.proved == ()
    assert "proved" not in {
        answers(report)[name] for name in ("continuous", "kink qualification", "projection")
    }


def test_a_corner_of_a_set_is_no_cause_of_its_own() -> None:
    text = "def f(x, y):\n    return relu(x) - relu(-x) + relu(y)\n"
    guards = (
        GuardInfo("g1", "x", "relu", 2, 12),
        GuardInfo("g2", "-x", "relu", 2, 22),
        GuardInfo("g3", "y", "relu", 2, 33),
    )
    line = stratum("S1", 1, "spurious", xy("0", "1"), signs={"g1": 0, "g2": 0, "g3": 1}, equations=("x",),
                   inequalities=("y > 0",), ad=(xy("0", "1"),), gradient=(xy("1", "1"),))  # fmt: skip
    corner = replace(line, id="S2", dimension=0, witness=xy("0", "0"), signs={"g1": 0, "g2": 0, "g3": 0},
                     equations=("x", "y"), inequalities=())  # fmt: skip
    findings = checked(text, (corner, line), guards).findings
    (found,) = (item for item in findings if item.code == "CF101")
    assert [place.column for place in found.operations] == [12, 22]
    assert len(found.sets) == 1 or found.sets == ("x == 0 and y > 0", "x == 0 and y == 0")


# theory, where a switch is curved


def parabola(text: str, tie: str, ad: Row) -> CheckReport:
    """max(y, x*x) on the parabola, under a tie rule."""
    program = compile_text(text, "prog.cf", overrides={"max": tie}).program
    seam = stratum("S1", 1, "clarke", xy("1", "1"), signs={"g1": 0}, equations=("x**2 - y",), ad=(ad,))
    cells = (
        stratum("S2", 2, "exact", xy("0", "1"), signs={"g1": 1}, inequalities=("x**2 - y < 0",)),
        stratum("S3", 2, "exact", xy("1", "0"), signs={"g1": -1}, inequalities=("x**2 - y > 0",)),
    )
    guards = (GuardInfo("g1", "y - x**2", "max", 2, 12),)
    report = StrataReport("f", "torch", ("x", "y"), None, True, guards, {}, (seam, *cells), (), (), ())
    return check(program, report, Question(), USUAL, theory=True, proofs=True)


def test_theorems_c_and_e_on_a_curved_seam() -> None:
    text = "def f(x, y):\n    return max(y, x*x)\n"
    good = answers(parabola(text, "1/2", xy("x", "1/2")))
    assert good["kink qualification"] == good["projection"] == good["circulation"] == "proved"
    beyond = answers(parabola(text, "10,-9", xy("-18*x", "10")))
    assert beyond["projection"] == "proved" and beyond["tie values"] == "refuted"
    assert beyond["conservative"] == "proved"
    bad = answers(parabola(text, "all", xy("2*x", "1")))
    assert bad["projection"] == "refuted" and bad["tie values"] == "refuted"
    assert bad["conservative"] != "proved" and bad["circulation"] != "proved"


@pytest.mark.parametrize(
    ("body", "box", "structure"),
    [
        ("relu(x) - 2*x", None, "semilinear sets"),
        ("relu(x)*x", None, "semialgebraic sets"),
        ("exp(-x)", None, "R_exp"),
        ("atan(x)*exp(x)", None, "R_an,exp"),
        ("sin(x*x)", {"x": ("-1", "1")}, "R_an (restricted analytic functions)"),
        ("sin(tanh(x)) + exp(x)", None, "R_an,exp"),
        ("sin(x)", None, ""),
        ("floor(x)", None, ""),
        ("sin(1/x)", {"x": ("0", "1")}, ""),
        ("sin(x)", {"x": ("0", "inf")}, ""),
    ],
)
def test_definable_in_which_structure(body: str, box: object, structure: str) -> None:
    from cfcompiler.analyses.definability import definable

    program = compile_text(f"def f(x):\n    return {body}\n").program
    assert definable(program, box).structure == structure  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "rules", "where"),
    [
        ("relu(x)", {}, "inside"),
        ("relu(x)", {"relu": "7"}, "affine"),
        ("relu(x)", {"relu": "nan"}, "outside"),
        ("abs(x)", {"abs": "-1"}, "inside"),
        ("abs(x)", {"abs": "2"}, "affine"),
        ("leaky_relu(x, 0.1)", {"leaky_relu": "0"}, "inside"),
        ("clip(x, 0, 1)", {}, "inside"),
        ("max(x, y)", {"max": "split"}, "inside"),
        ("max(x, y)", {"max": "all"}, "outside"),
        ("max(x, y)", {"max": "10,-9"}, "affine"),
        ("max([x, y, x*y])", {"reduce_max": "all"}, "outside"),
        ("max([x, y, x*y])", {"reduce_max": "first"}, "inside"),
    ],
)
def test_where_the_value_at_a_tie_lies(body: str, rules: dict[str, str], where: str) -> None:
    from cfcompiler.analyses.tie_values import tie_values

    program = compile_text(f"def f(x, y):\n    return {body} + 0*y\n", overrides=rules).program
    assert {value.where for value in tie_values(program)} == {where}


def test_comments_are_not_found_in_texts() -> None:
    text = 'a = "# no"  # one\nb = """\n# no\n"""\n\n  # two\nc = \'#\' # three'
    assert list(comments(text)) == [(1, 13, "# one"), (6, 3, "# two"), (7, 9, "# three")]
