"""The word for what AD returns, from facts written down here: what is in doubt decides nothing that it could change."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from cfcompiler.analyses.continuity import CONTINUOUS, NEARBY, Continuity
from cfcompiler.analyses.judgement import Judgement, judged, unjudged
from cfcompiler.analyses.landscape import Effort, Landscape, landscape_at
from cfcompiler.analyses.limits import Gradients, Slopes
from cfcompiler.analyses.pieces import TooManyPieces
from cfcompiler.analyses.truth import facts_by_field, nothing_known
from cfcompiler.compiler import compile_text
from cfcompiler.ir import Program
from cfcompiler.point import point_of

KINK = Slopes(False, None)


def numbers(*values: int) -> tuple[tuple[Fraction, ...], ...]:
    return tuple((Fraction(value),) for value in values)


def word(
    ad: int,
    sure: Sequence[int],
    doubtful: Sequence[int] = (),
    *,
    slopes: Slopes = KINK,
    continuity: Continuity = CONTINUOUS,
) -> Judgement:
    gradients = Gradients(numbers(*sure), numbers(*doubtful), "certificate")
    return judged((Fraction(ad),), numbers(*sure), True, gradients, slopes, continuity)


@pytest.mark.parametrize(
    ("ad", "doubtful", "verdict"),
    [
        (1, (), "clarke"), (3, (), "spurious"),
        (1, (9,), "clarke"),  # inside whatever the doubt
        (3, (9,), "unknown"),  # inside if the doubtful piece touches
        (3, (-9,), "spurious"),  # outside all the same
    ],
)  # fmt: skip
def test_a_doubtful_gradient_counts_only_where_it_could_change_the_word(
    ad: int, doubtful: tuple[int, ...], verdict: str
) -> None:
    assert word(ad, (0, 2), doubtful).verdict == verdict


@pytest.mark.parametrize(("doubtful", "critical"), [((), False), ((-1,), None), ((9,), False)])
def test_zero_may_be_a_subgradient_of_a_doubtful_piece(doubtful: tuple[int, ...], critical: bool) -> None:
    assert word(2, (1, 2), doubtful).clarke_critical is critical


def test_the_gradient_is_exact_and_another_subgradient_inexact() -> None:
    smooth = Slopes(True, (Fraction(0),))
    assert word(0, (0, 2), slopes=smooth).verdict == "exact"
    assert word(1, (0, 2), slopes=smooth).verdict == "inexact"
    assert word(1, (0, 2), slopes=Slopes(None, None, "open")).verdict == "unknown"


def test_near_a_jump_nothing_is_bounded() -> None:
    near = word(1, (0, 2), continuity=NEARBY)
    assert (near.verdict, near.near_jump, near.clarke, near.clarke_critical) == ("undefined", True, (), None)
    here = word(1, (0, 2), continuity=Continuity("jump", "", (Fraction(0),), (Fraction(1),)))
    assert (here.verdict, here.near_jump) == ("discontinuous", False)
    assert not word(1, (0, 2)).near_jump


@pytest.mark.parametrize(
    ("field", "complete", "critical"),
    [
        (numbers(1, 2), True, False),
        (numbers(1, 2), False, None),  # what is missing of D may hold 0
        ((*numbers(1), ("inf",)), True, None),  # so may what is not finite
        (numbers(-1, 2), False, True),
    ],
)
def test_zero_is_outside_of_d_only_where_d_is_known_whole(
    field: Sequence[Sequence[Fraction]], complete: bool, critical: bool | None
) -> None:
    assert unjudged("unknown", (Fraction(1),), field, complete, "").field_critical is critical


def test_on_the_edge_of_the_domain_no_subgradient_zero_says_nothing() -> None:
    """x on x >= 0 is least at 0, and its gradient from inside is 1."""
    text = "def f(x):\n    assert x >= 0\n    return {}\n"
    edge = compile_text(text.format("x")).at(x=0).judged
    assert (edge.clarke_critical, edge.artificial_critical) == (None, False)
    assert compile_text(text.format("x*x")).at(x=0).judged.clarke_critical is True
    assert compile_text(text.format("x")).at(x=1).judged.clarke_critical is False


def many_pieces(text: str) -> tuple[Program, Landscape]:
    """A program, and what is known of it near 0 where one piece is too many."""
    program = compile_text(f"def f(x, y):\n    return {text}\n").program
    landscape = landscape_at(program, point_of(program, {"x": 0, "y": 0}), Effort(cells=1))
    assert isinstance(landscape.problem, TooManyPieces)
    return program, landscape


@pytest.mark.parametrize(
    ("text", "vertices", "known"),
    [
        ("relu(x) + relu(y)", ((0, 1),), True),
        ("relu(x) + relu(y)", ((0, 1), (1, 1)), False),  # D is not one vector
        ("relu(x) + relu(y) + (x - 1)**-2", ((0, 1),), False),  # not smooth everywhere
        ("relu(x) + relu(y) + (x - 1)**2", ((0, 1),), True),
        ("relu(x) + relu(y) + sign(x)", ((0, 1),), False),
        ("relu(x) + where(y > 0, y, 0)", ((0, 1),), False),
    ],
)
def test_d_is_the_gradient_only_as_one_vector_of_smooth_operations_and_kinks(
    text: str, vertices: tuple[tuple[int, int], ...], known: bool
) -> None:
    program, landscape = many_pieces(text)
    before = nothing_known("unknown", "too many pieces")
    field = [tuple(map(Fraction, vertex)) for vertex in vertices]
    found = facts_by_field(program, landscape, field, before)
    assert (found.slopes.gradient == field[0]) if known else found is before
