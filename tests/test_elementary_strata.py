"""Strata of programs with exp, log, sin, sqrt: known ones, the facts they rest on, and the point answers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import flint
import pytest
import sympy

from cfcompiler import numbers
from cfcompiler.analyses.at import at
from cfcompiler.analyses.check import USUAL, check
from cfcompiler.analyses.landscape import Effort
from cfcompiler.analyses.strata_question import Question
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.errors import CFError
from cfcompiler.feasibility.atoms import facts_of
from cfcompiler.feasibility.conditions import Constraint
from cfcompiler.feasibility.elementary import Elementary
from cfcompiler.feasibility.functions import Functions
from cfcompiler.feasibility.linking import linked
from cfcompiler.feasibility.quotients import Entry, Ratio
from cfcompiler.feasibility.slopes import derivative
from cfcompiler.feasibility.solver import AllOf, Formula
from cfcompiler.feasibility.unfolding import unfolded
from cfcompiler.number_text import parse_number
from cfcompiler.point import point_of
from cfcompiler.report import StrataReport, StratumReport
from tests.elementary_programs import program

BITS = 256


def strata(line: str, inputs: str = "x", **options: Any) -> StrataReport:
    own = {name: options.pop(name) for name in ("preset", "overrides") if name in options}
    compiled = compile_text(f"def f({inputs}):\n    return {line}\n", **own)
    return compiled.strata(**{"seconds": 20, **options})


def thin(report: StrataReport) -> dict[tuple[str, ...], str]:
    """The verdicts of the strata with equations."""
    return {own.equations: own.verdict for own in report.strata if own.equations}


# known answers


@pytest.mark.parametrize(
    ("line", "inputs", "box", "expected"),
    [
        ("relu(exp(x) - 2)", "x", {}, {("x - log(2)",): "clarke"}),
        ("relu(exp(x) - exp(y))", "x, y", {}, {("x - y",): "clarke"}),
        ("relu(exp(x*y) - 1)", "x, y", {}, {("y", "x"): "exact", ("x",): "clarke", ("y",): "clarke"}),
        ("relu(exp(x) + 1) - relu(-exp(x) - 1)", "x", {}, {}),
        ("relu(log(x) - 1)", "x", {"x": "0:9"}, {("x - exp(1)",): "clarke"}),
        ("relu(sqrt(x) - 3)", "x", {"x": "0:20"}, {("x - 9",): "clarke"}),
        ("abs(tanh(x) - 1/2)", "x", {}, {("2*x - log(3)",): "clarke"}),
        ("abs(sigmoid(x) - 1/2)", "x", {}, {("x",): "clarke"}),
        ("abs(exp(x) - y)", "x, y", {}, {("y - exp(x)",): "clarke"}),
        ("relu(exp(2*x) - 5*exp(x) + 6)", "x", {}, {("x - log(2)",): "clarke", ("x - log(3)",): "clarke"}),
        ("relu(sin(x))", "x", {"x": "1:5"}, {("x - pi",): "clarke", ("2*x - pi",): "exact"}),
        ("relu(1 - cos(x))", "x", {"x": "-1:1"}, {("x",): "exact"}),
        ("relu(sin(x) - 1/2) ", "x", {"x": "0:1"}, {("6*x - pi",): "clarke"}),
        ("abs(atan(x) - pi/4)", "x", {}, {("x - 1",): "clarke"}),
        ("abs(erf(x))", "x", {}, {("x",): "clarke"}),
        ("relu(exp(x) - 1 - x)", "x", {}, {("x",): "exact"}),
        ("sqrt(x**2) + x", "x", {}, {("x",): "undefined"}),
        ("relu(2**x - 8)", "x", {}, {("x - 3",): "clarke", ("x",): "exact"}),
        ("relu(exp(x/2) - exp(x/3))", "x", {}, {("x",): "clarke"}),
        ("relu(exp(3*x) - 2*exp(x/2))", "x", {}, {("5*x - 2*log(2)",): "clarke"}),
        ("relu(log(x) - log(y))", "x, y", {"x": "0:inf", "y": "0:inf"}, {("x - y",): "clarke"}),
        ("relu(asin(x) - pi/6)", "x", {"x": "-1:1"}, {("2*x - 1",): "clarke"}),
        ("abs(cosh(x) - 1)", "x", {}, {("x",): "exact"}),
        ("abs(sinh(x))", "x", {}, {("x",): "clarke"}),
        ("abs(cbrt(x) - 2)", "x", {"x": "1:inf"}, {("x - 8",): "clarke"}),
    ],
)  # fmt: skip
def test_kinks_lie_where_they_should(
    line: str, inputs: str, box: dict[str, str], expected: dict[tuple[str, ...], str]
) -> None:
    report = strata(line, inputs, box=box)
    assert not report.gaps
    assert thin(report) == expected


def test_ad_is_spurious_on_a_curve_with_exp() -> None:
    report = strata("x + relu(y - exp(x)) - relu(exp(x) - y) - (y - exp(x))", "x, y", preset="torch")
    assert report.complete
    assert report.spurious == ("y == exp(x)",)
    (seam,) = [own for own in report.strata if own.equations]
    assert seam.ad == ({"x": "exp(x) + 1", "y": "-1"},)
    assert seam.gradient == ({"x": "1", "y": "0"},)


def test_equal_formulas_are_seen_to_be_equal() -> None:
    """log(1 + exp(x)) in three ways, of which none has a kink."""
    text = "(relu(x) + log1p(exp(-abs(x)))) - (max(x, 0) + log(exp(-max(x, 0)) + exp(min(x, 0))))"
    report = strata(text, overrides={"relu": "1/2", "abs": "0", "max": "split", "min": "split"})
    assert {own.verdict for own in report.strata} == {"exact"}
    assert all(own.ad == ({"x": "0"},) for own in report.strata)


def test_zeros_without_end_are_one_stratum() -> None:
    report = strata("abs(sin(x))")
    assert not report.gaps
    (zeros,) = [own for own in report.strata if own.equations == ("sin(x)",)]
    assert (zeros.dimension, zeros.verdict) == (0, "clarke")


def test_a_root_without_a_closed_form_is_said_to_be_open() -> None:
    report = strata("relu(cos(x) - x)", box={"x": "0:1"})
    assert not report.complete
    (sentence,) = report.unknown
    assert "x - cos(x) == 0" in sentence and "near x = 0.739085133215" in sentence
    nowhere = strata("relu(x*exp(x) + 1)")
    assert not any("near" in sentence for sentence in nowhere.unknown)


def test_one_input_must_move() -> None:
    with pytest.raises(CFError, match="every input is fixed"):
        strata("relu(x) - relu(-x)", fix={"x": "0"})


def test_ad_is_nan_and_the_gradient_is_told() -> None:
    report = strata("where(x > 1, sqrt(x), x)")
    nans = [own for own in report.strata if own.verdict == "undefined"]
    assert {own.dimension for own in nans} == {0, 1}
    assert all(own.gradient == ({"x": "1"},) for own in nans)


def test_the_linter_is_silent_of_smooth_functions() -> None:
    """Where AD of gelu returns 0 has no closed form, and is no finding."""
    compiled = compile_text("def f(x):\n    return x*(1 + erf(x/sqrt(2)))/2\n")
    report = compiled.strata()
    assert not report.gaps
    assert not check(compiled.program, report, Question(), USUAL, theory=False, proofs=False).findings


def test_the_edge_of_a_domain_is_no_jump() -> None:
    report = strata("sqrt(x)")
    assert [(own.verdict, own.dimension) for own in report.strata] == [
        ("undefined", 0),
        ("undefined", 1),
        ("exact", 1),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "exp(-1/x**2) if x != 0 else 0",
        "x*sin(1/x) if x != 0 else 0",
        "x*log(x) if x > 0 else 0",
        "1/(1 + exp(1/x)) if x != 0 else 0",
        "exp(-(log(x))**2)",
    ],
)
def test_a_formula_that_has_no_value_at_a_point_says_nothing_of_it(line: str) -> None:
    """What exp(-1/x**2) tends to at 0 is no value of the formula there."""
    report = strata(line)
    (zero,) = [own for own in report.strata if own.equations == ("x",)]
    assert zero.verdict in ("unknown", "undefined")


def test_a_constant_that_is_not_rational_beside_a_kink() -> None:
    report = strata("sign(abs(x - 1))*exp(1)")
    assert thin(report) == {("x - 1",): "discontinuous"}


# the facts that the solver is told


def space(seed: int) -> tuple[Elementary, list[Entry], random.Random]:
    """Some values over two inputs, each of another kind."""
    own = unfolded(Elementary(Functions(2, 24)))
    rng = random.Random(seed)
    x, y = (Ratio(own.functions.generators[place], own.one) for place in range(2))
    field = own.field
    argument = field.add(
        field.mul(x, Fraction(rng.randint(1, 3))), field.mul(y, Fraction(rng.randint(-2, 2), 2))
    )
    square = field.add(field.mul(argument, argument), Fraction(rng.randint(1, 3)))
    small = field.mul(argument, Fraction(1, 50))
    made = [
        own.exp(argument),
        own.exp(y),
        own.log(square),
        own.root(square, 2, lambda _: 1),
        own.root(square, 3, lambda _: 1),
        own.odd("sin", argument),
        own.cos(argument),
        own.odd("atan", argument),
        own.odd("erf", small),
        own.odd("asin", small),
        own.pi(),
        own.log(field.add(own.exp(argument), own.exp(y))),
    ]
    return own, made, rng


def points(rng: random.Random, count: int) -> list[tuple[Fraction, Fraction]]:
    return [
        (Fraction(rng.randint(-12, 12), rng.choice((1, 2, 3))), Fraction(rng.randint(-12, 12), 2))
        for _ in range(count)
    ] + [(Fraction(0), Fraction(0))]


def holds(own: Elementary, formula: Formula, values: Sequence[Any]) -> bool | None:
    """Whether a formula holds; None where balls cannot tell."""
    if isinstance(formula, Constraint):
        total = flint.arb(0)
        for exponents, coefficient in formula.polynomial.terms.items():
            assert isinstance(coefficient, Fraction)
            term = flint.arb(flint.fmpq(coefficient.numerator, coefficient.denominator))
            for value, power in zip(values, exponents, strict=True):
                term *= value**power if power else 1
            total += term
        strict = {">": total > 0, ">=": total >= 0, "=": total.is_zero(), "!=": total != 0}
        fails = {">": total <= 0, ">=": total < 0, "=": total != 0, "!=": total.is_zero()}
        return True if strict[formula.relation] else False if fails[formula.relation] else None
    parts = [holds(own, part, values) for part in formula.parts]
    if isinstance(formula, AllOf):
        return False if False in parts else None if None in parts else True
    return True if True in parts else None if None in parts else False


@pytest.mark.parametrize("seed", range(4))
def test_what_the_solver_is_told_of_atoms_is_true(seed: int) -> None:
    own, made, rng = space(seed)
    functions = own.functions
    zero = [Constraint(functions.polynomial(entry.above), ">") for entry in made if isinstance(entry, Ratio)]
    facts, proper = linked(functions, zero, functions.variables)
    assert len(facts) > 20 and not proper
    with flint.ctx.workprec(BITS):
        for point in points(rng, 25):
            place = [flint.arb(flint.fmpq(x.numerator, x.denominator)) for x in point]
            values = [*place] + [flint.arb(0)] * (functions.variables - 2)
            for atom in functions.atoms.values():
                values[atom.place] = functions.ball(functions.generators[atom.place], place, BITS)
            found = [holds(own, fact, values) for fact in facts]
            assert False not in found
            assert found.count(True) > len(found) / 2


def test_a_root_is_defined_by_its_facts() -> None:
    own = unfolded(Elementary(Functions(1, 4)))
    x = Ratio(own.functions.generators[0], own.one)
    root = own.root(own.field.add(own.field.mul(x, x), Fraction(2)), 2, lambda _: 1)
    assert isinstance(root, Ratio)
    facts, proper = linked(
        own.functions, [Constraint(own.functions.polynomial(root.above), ">")], own.functions.variables
    )
    assert proper and len(facts) == 2 == len(list(facts_of(own.functions.atoms[1], _link(own))))


def _link(own: Elementary) -> Any:
    from cfcompiler.feasibility.atoms import Link
    from cfcompiler.polynomials import variable

    atom = own.functions.atoms[1]
    t = variable(own.functions.variables, 1)
    return Link(t, own.functions.polynomial(atom.above), own.functions.polynomial(atom.below))


# forms and slopes


@pytest.mark.parametrize("seed", range(6))
def test_slopes_are_those_of_differences(seed: int) -> None:
    own, made, rng = space(seed)
    field = own.field
    entry = field.add(field.mul(made[0], made[5]), field.div(made[3], field.add(made[2], Fraction(2))))
    entry = field.add(entry, field.mul(made[7], field.add(made[8], field.mul(made[9], made[4]))))
    for place in (0, 1):
        slope = derivative(own, entry, place)
        for point in points(rng, 4):
            step = flint.arb(2) ** -60
            with flint.ctx.workprec(BITS):
                start = [flint.arb(flint.fmpq(x.numerator, x.denominator)) for x in point]
                up = [x + step if k == place else x for k, x in enumerate(start)]
                down = [x - step if k == place else x for k, x in enumerate(start)]
                about = (value(own, entry, up) - value(own, entry, down)) / (2 * step)
                gap = about - value(own, slope, start)
                assert abs(gap) < flint.arb(2) ** -80 * (1 + abs(about))


def value(own: Elementary, entry: Entry, point: Sequence[Any]) -> Any:
    above, below = own.field.parts(entry)
    return own.functions.ball(above, point, BITS) / own.functions.ball(below, point, BITS)


@pytest.mark.parametrize("seed", range(8))
def test_simpler_functions_have_the_same_sign(seed: int) -> None:
    own, made, rng = space(seed)
    field, functions = own.field, own.functions
    number = Fraction(rng.randint(-3, 9), rng.choice((1, 2)))
    gaps = [field.sub(entry, number) for entry in made]
    gaps += [field.sub(made[0], field.mul(made[1], Fraction(3))), field.sub(made[2], made[11])]
    gaps += [field.add(field.mul(made[0], made[0]), field.sub(Fraction(6), field.mul(made[0], Fraction(5))))]
    for gap in gaps:
        poly = field.parts(gap)[0]
        found = functions.factored(poly)
        for point in points(rng, 12):
            sign = found.side
            for function, times in found.factors:
                one = functions.sign_at(function.poly, point)
                assert one is not None
                sign *= one**times
            assert sign == functions.sign_at(poly, point)


# the point answers


def at_point(rows: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
    names = {name: sympy.Symbol(name, real=True) for name in values}
    point = {names[name]: sympy.sympify(str(text)) for name, text in values.items()}
    return [
        {name: sympy.sympify(str(text), locals=names).subs(point) for name, text in row.items()}
        for row in rows
    ]


def differ(left: Any, right: Any, values: dict[str, Any]) -> bool:
    """Whether two rows of formulas are known to differ at a point."""
    pairs = zip(at_point(left, values), at_point(right, values), strict=True)
    gaps = [one[name] - other[name] for one, other in pairs for name in one]
    return any(numbers.sign(numbers.settled(gap)) in (1, -1) for gap in gaps if gap.is_finite)


def disagreement(compiled: Compiled, stratum: StratumReport) -> Any:
    judged = at(
        compiled.program, point_of(compiled.program, stratum.witness), "torch", Effort(5.0, 4096)
    ).judged
    if "unknown" in (judged.verdict, stratum.verdict):
        return None
    if judged.verdict != stratum.verdict:
        return judged.verdict, judged.reason
    for name in ("ad_critical", "artificial_critical"):
        pair = getattr(stratum, name), getattr(judged, name)
        if None not in pair and pair[0] != pair[1]:
            return name, pair
    if stratum.gradient is not None and judged.gradient is not None:
        return "gradient" if differ(stratum.gradient, judged.gradient, stratum.witness) else None
    return None


@pytest.mark.parametrize("first", [1500, 1520])
def test_points_agree_with_their_stratum(first: int) -> None:
    tried = 0
    for seed in range(first, first + 20):
        compiled = compile_text(program(seed))
        report = compiled.strata(seconds=3)
        for stratum in report.strata[:6]:
            if all(not isinstance(parse_number(str(v)), str) for v in stratum.witness.values()):
                tried += 1
                assert disagreement(compiled, stratum) is None, (program(seed), stratum)
    assert tried > 20
