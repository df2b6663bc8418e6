"""Points from texts and from Python: every way to say a number gives the same exact number."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import cfcompiler
from cfcompiler.errors import CFError
from cfcompiler.point import point_of

PROGRAM = cfcompiler.compile_text(
    "def f(x: Real[2], y, k: Const[9]):\n    return y*sum(relu(x)) + k[0]\n"
).program
REST = {"y": 0, "k": [0] * 9}


@pytest.mark.parametrize(
    "given",
    [[0.5, 1], (0.5, 1), ["1/2", "1"], "[1/2, 1]", np.array([0.5, 1]), [np.float32(0.5), np.int64(1)]],
    ids=repr,
)
def test_lists_texts_and_arrays_are_one_point(given: Any) -> None:
    point = point_of(PROGRAM, {**REST, "x": given})
    assert point["x"].tolist() == [Fraction(1, 2), Fraction(1)]


@pytest.mark.parametrize("given", [Fraction(1, 3), "1/3"])
def test_a_fraction_is_exact(given: Any) -> None:
    assert point_of(PROGRAM, {**REST, "x": [0, 0], "y": given})["y"][()] == Fraction(1, 3)


@pytest.mark.parametrize("given", [True, None, [True, 0], np.array([True, False])], ids=repr)
def test_truth_values_and_null_are_not_numbers(given: Any) -> None:
    with pytest.raises(CFError) as caught:
        point_of(PROGRAM, {**REST, "x": given})
    assert caught.value.diagnostics[0].code == "CF091"
    assert "not numbers" in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"x": [[0, 0]]}, "the input 'x' is Real[2], and its value is Real[1, 2]", "write x=[0,0]"),
        ({"k": 1}, "the input 'k' is Const[9], and its value is Real", "write k=[0,0,...]"),
    ],
)
def test_a_wrong_shape_shows_the_right_one(given: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(CFError) as caught:
        point_of(PROGRAM, {"x": [0, 0], **REST, **given})
    (found,) = caught.value.diagnostics
    assert (found.code, found.message, found.hint) == ("CF093", message, hint)
