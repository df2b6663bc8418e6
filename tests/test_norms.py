"""Points where Euclidean norms vanish: the verdict, the gradient, the flags, and what is not said."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from cfcompiler import compile_text
from cfcompiler.analyses.norm_rays import NormPiece
from cfcompiler.analyses.norms import cancels
from cfcompiler.feasibility.ball_sums import BallSum, separation, support
from cfcompiler.targets.json_report import point_json
from cfcompiler.targets.program_text import emit
from cfcompiler.transforms.norms_apart import norms_apart, out_of_arms
from cfcompiler.transforms.scalarize import scalarize
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import verify


def answer(body: str, overrides: dict[str, str] | None = None, **point: Any) -> dict[str, Any]:
    sizes = {name: len(value) if isinstance(value, list) else 0 for name, value in point.items()}
    params = ", ".join(name + (f": Real[{size}]" if size else "") for name, size in sizes.items())
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return dict(
        point_json(compile_text(f"def f({params}):\n{lines}", "f.cf", overrides=overrides).at(**point))
    )


@pytest.mark.parametrize(
    ("body", "verdict", "gradient"),
    [
        ("return norm2(x)", "clarke", None),
        ("return -norm2(x)", "clarke", None),
        ("return norm2(x)**2", "exact", ["0", "0"]),
        ("return norm2(x)**3 + x[1]", "exact", ["0", "1"]),
        ("return x[0] + norm2(x)*x[1]", "exact", ["1", "0"]),
        ("return norm2(x) - norm2(x)", "exact", ["0", "0"]),
        ("return norm2(x) - norm2([x[1], x[0]])", "exact", ["0", "0"]),
        ("return norm2(x) - norm2([x[1], 2*x[0]])", "clarke", None),
        ("return norm2([x[0]*x[1], x[1]**2]) + 3*x[0]", "exact", ["3", "0"]),
        ("return norm2(x) + relu(x[0])", "clarke", None),
        ("return relu(norm2(x) - x[0])", "clarke", None),
        ("return max(norm2(x), 2*x[0])", "clarke", None),
        ("return norm2([relu(x[1]), x[1]])", "clarke", None),
        ("return norm2(x) + relu(x[0]) - relu(-x[0]) - x[0]", "clarke", None),
        ("return norm2(x) + 2*(relu(x[0]) - relu(-x[0]) - x[0])", "spurious", None),
        ("n = norm2(x)\nreturn n**2/2 if n <= 1 else n - 1/2", "exact", ["0", "0"]),
        ("return norm2(x) if dot(x, x) > 0 else 0", "clarke", None),
        ("n = norm2(x)\nreturn n if n > 0 else 0", "clarke", None),
        ("if x[0] == 0 and x[1] == 0:\n    return 0\nreturn norm2(x) + 2*x[1]", "spurious", None),
        ("if dot(x, x) == 0:\n    return 0\nreturn norm2(x)**2 + x[0]", "spurious", ["1", "0"]),
        ("assert x[0] <= 1\nreturn norm2(x)", "clarke", None),
    ],
)
def test_verdicts_at_the_origin(body: str, verdict: str, gradient: list[str] | None) -> None:
    found = answer(body, x=[0, 0])
    assert found["verdict"] == verdict
    assert found["gradient"] == (None if gradient is None else {"x": gradient})


@pytest.mark.parametrize(
    "body",
    [
        "return sqrt(norm2(x))",  # steeper than any slope
        "return norm2(x)**1.5",
        "n = norm2(x)\nreturn x[0]/n if n > 0 else 0",  # has no limit
        "return norm2([norm2(x), x[0]])",  # norms of norms
    ],
)
def test_what_cannot_be_followed_is_not_judged(body: str) -> None:
    assert answer(body, x=[0, 0])["verdict"] in ("unknown", "undefined", "discontinuous")


def test_some_elements_are_listed_and_the_rest_is_not_hidden() -> None:
    found = answer("return norm2(x) + x[0]", x=[0, 0])
    assert not found["bouligand"]["complete"] and not found["clarke"]["complete"]
    for row in found["bouligand"]["vertices"]:
        a, b = map(Fraction, row["x"])
        assert (a - 1) ** 2 + b**2 == 1
    (certificate,) = found["certificates"]
    total = [
        sum(
            Fraction(w) * Fraction(p["x"][k])
            for w, p in zip(certificate["weights"], certificate["points"], strict=True)
        )
        for k in range(2)
    ]
    assert total == [1, 0]


def test_a_smooth_point_has_complete_sets() -> None:
    found = answer("return norm2(x)**2 - x[1]", x=[0, 0])
    for key in ("field", "bouligand", "clarke"):
        assert found[key] == {"vertices": [{"x": ["0", "-1"]}], "complete": True}


@pytest.mark.parametrize(
    ("body", "field", "clarke", "artificial"),
    [
        ("return norm2(x) + x[0]/2", True, True, False),
        ("return norm2(x) + x[0]", True, True, False),
        ("return norm2(x) + 2*x[0]", False, False, False),
        ("return norm2(x) - norm2(x) + x[0]", True, False, True),
        ("return norm2(x) - norm2(x) + 3*x[0]", False, False, False),
        (
            "n = norm2(x)\nreturn n + 2*x[0] if n >= 0 else n",
            None,
            False,
            None,
        ),  # no norm takes the other arm
        ("return norm2(x) + 2*(relu(x[1]) - relu(-x[1])) + x[0]", True, False, True),
    ],
)
def test_critical_points(body: str, field: bool | None, clarke: bool, artificial: bool | None) -> None:
    found = answer(body, x=[0, 0])
    keys = ("field_critical", "clarke_critical", "artificial_critical")
    assert tuple(found[key] for key in keys) == (field, clarke, artificial)


def test_the_truth_is_told_where_ad_has_none() -> None:
    found = point_json(
        compile_text("def f(x: Real[2]):\n    return norm2(x)**2\n", "f.cf", preset="jax").at(x=[0, 0])
    )
    assert (found["verdict"], found["gradient"]) == ("undefined", {"x": ["0", "0"]})


def test_a_rule_outside_the_ball_is_spurious() -> None:
    text = "def f(x: Real[2]):\n    return norm2(x) + 2*relu(x[0]) - 2*relu(x[0])\n"
    found = point_json(compile_text(text, "f.cf", overrides={"relu": "0"}).at(x=[0, 0]))
    assert found["verdict"] == "clarke"
    text = "def f(x: Real[2]):\n    return norm2(x) + 2*relu(x[0]) - 2*x[0] - 2*relu(-x[0])\n"
    found = point_json(compile_text(text, "f.cf", overrides={"relu": "0"}).at(x=[0, 0]))
    assert found["verdict"] == "spurious"


def test_sets_are_separated_exactly_or_not_at_all() -> None:
    one = Fraction(1)
    ball = BallSum((one, one * 0), (((one, one * 0), (one * 0, one)),))
    assert separation((Fraction(-1, 100), Fraction(0)), [ball]) is not None
    assert separation((Fraction(0), Fraction(0)), [ball]) is None  # on its boundary
    assert separation((one, Fraction(99, 100)), [ball]) is None
    found = separation((one, Fraction(101, 100)), [ball])
    assert found is not None and found.target_value > found.support_value == support(found.direction, ball)


def test_pieces_with_the_same_sets_need_not_cancel_alike() -> None:
    """Norms of x and x, or of x and -x, with the weights 1, -1 and 1, 1: f is 0 on one piece, 2 |x| on the other."""
    one = Fraction(1)
    along, against = (((0, one),),), (((0, -one),),)
    cancelling = NormPiece(None, ((one * 0,),), ((one, -one),), (along, along))
    adding = NormPiece(None, ((one * 0,),), ((one, one),), (along, against))
    assert cancelling.around() == adding.around()
    assert cancels([cancelling, cancelling]) and not cancels([cancelling, adding])


def test_norms_become_inputs_and_leave_arms() -> None:
    text = "def f(x: Real[2], y):\n    return norm2(x) + norm2(x) if y > 0 else y\n"
    program = tidy(scalarize(tidy(compile_text(text, "f.cf").program), 100))
    outside = verify(out_of_arms(program))
    names = [one.out.name for one in outside.instructions if getattr(one, "op", "") == "norm2"]
    assert len(names) == 2 and not any(
        one.out.branch for one in outside.instructions if one.out.name in names
    )
    shared = norms_apart(outside, names, shared=True, domain="cone")
    apart = norms_apart(outside, names, shared=False, domain="half")
    assert (len(shared.norms), len(apart.norms)) == (1, 2) and shared.smooth
    for one in (shared.program, apart.program):
        assert "norm2" not in emit(verify(one)).split("formula")[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return norm2(x) + 3*x[1]", ["1", "3"]),
        ("return norm2([x[1], 2*x[1]])", ["0", "sqrt(5)"]),
        ("return max(norm2(x), x[0] + x[1])", ["1", "1"]),
        ("return norm2(x)**2 + x[0]", ["1", "0"]),
    ],
)
def test_the_lexicographic_derivative(body: str, expected: list[str]) -> None:
    assert answer(body, x=[0, 0])["lexicographic"] == {"x": expected}
