"""Strata that differ in the sign of one expression are one set in the text, and no set says more than its strata."""

from __future__ import annotations

import itertools
import random

import pytest

from cfcompiler import compile_text
from cfcompiler.analyses.set_texts import SetTexts
from cfcompiler.report import StratumReport
from cfcompiler.targets.merged_sets import SignSet, merged
from cfcompiler.targets.strata_text import strata_blocks
from cfcompiler.targets.tables import plain

NAMES = ("x", "y", "x - y")


def stratum(signs: dict[str, int | None], others: tuple[str, ...] = ()) -> StratumReport:
    """By expression its sign; None for "not 0"."""
    equations = tuple(name for name, sign in signs.items() if sign == 0)
    inequalities = [
        f"Ne({name}, 0)" if sign is None else f"{name} {'>' if sign > 0 else '<'} 0"
        for name, sign in signs.items()
        if sign != 0
    ]
    return StratumReport(
        "S1", 0, {}, equations, (*inequalities, *others), {}, None, None, None, "exact", None, None, "", ""
    )


def texts(*strata: StratumReport) -> list[str]:
    return [own.text for own in merged(strata)]


def test_opposite_signs_leave_what_is_not_zero() -> None:
    assert texts(stratum({"x": 0, "y": 1}), stratum({"x": 0, "y": -1})) == ["x = 0, y != 0"]


def test_all_signs_leave_nothing() -> None:
    family = [stratum({"x": 0, "y": sign}) for sign in (1, 0, -1)]
    assert texts(*family) == ["x = 0"]
    assert texts(stratum({"x": 0, "y": None}), stratum({"x": 0, "y": 0})) == ["x = 0"]
    assert texts(*(stratum({"x": one, "y": other}) for one in (1, 0, -1) for other in (1, 0, -1))) == [
        "everywhere"
    ]


def test_one_side_with_its_edge() -> None:
    assert texts(stratum({"x": 1}), stratum({"x": 0})) == ["x >= 0"]
    assert texts(stratum({"x": -1}), stratum({"x": 0})) == ["x <= 0"]


def test_sets_that_differ_in_more_stay_apart() -> None:
    assert texts(stratum({"x": 1, "y": 1}), stratum({"x": -1, "y": -1})) == ["x > 0, y > 0", "x < 0, y < 0"]
    assert texts(stratum({"x": 1}), stratum({"x": -1, "y": 1})) == ["x > 0", "x < 0, y > 0"]
    either = "Ne(x, 0) | Ne(y, 0)"
    assert texts(stratum({"x - y": 1}, (either,)), stratum({"x - y": -1})) == [
        "x - y > 0, x != 0 or y != 0",
        "x - y < 0",
    ]


def holds(own: SignSet, signs: dict[str, int]) -> bool:
    return all(signs[name] in allowed for name, allowed in own.signs)


@pytest.mark.parametrize("seed", range(30))
def test_the_union_is_the_same(seed: int) -> None:
    rng = random.Random(seed)
    cells = list(itertools.product((-1, 0, 1), repeat=len(NAMES)))
    chosen = rng.sample(cells, rng.randint(1, len(cells)))
    found = merged([stratum(dict(zip(NAMES, cell, strict=True))) for cell in chosen])
    for cell in cells:
        inside = [own for own in found if holds(own, dict(zip(NAMES, cell, strict=True)))]
        assert len(inside) == (cell in chosen)
    assert sum(own.count for own in found) == len(chosen)


def test_the_text_of_a_program_is_merged() -> None:
    text = "def f(x, y):\n    return relu(x) - relu(-x) + 0*relu(y)\n"
    lines = plain(strata_blocks(compile_text(text).strata()))
    (row,) = (line for line in lines.split("\n") if line.startswith("  spurious"))
    assert " x = 0  " in row
    assert "more" not in row


def test_what_is_not_zero_is_written_as_people_do() -> None:
    report = compile_text("def f(x, y):\n    return relu(x*y) - relu(-x*y)\n").strata()
    texts_ = SetTexts(report)
    assert texts_.where(stratum({"x": 0}, ("Ne(y, 0)",))) == "x == 0 and y != 0"
    assert texts_.where(stratum({}, ("Ne(x, 0) | Ne(y, 0)",))) == "(x != 0 or y != 0)"
