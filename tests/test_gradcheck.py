"""The check of a user's own gradient: what is in the Clarke subdifferential is accepted, what is not is rejected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cfcompiler
from cfcompiler import gradcheck
from cfcompiler.gradient_check.hull import nearest_in_hull

ACCEPTED, AT_A_KINK, REJECTED, UNDECIDED = "accepted", "accepted at a kink", "rejected", "undecided"


def relu(x: float) -> float:
    return max(x, 0.0)


def step(at_zero: float) -> Callable[[float], float]:
    """The derivative of relu with this value at 0."""
    return lambda x: at_zero if x == 0 else float(x > 0)


def smooth(x: Any) -> Any:
    return np.sin(x[0]) * np.exp(x[1])


def smooth_gradient(x: Any) -> Any:
    return np.exp(x[1]) * np.array([np.cos(x[0]), np.sin(x[0])])


def verdict(f: Callable[..., Any], grad: Any, x: Any) -> str:
    return gradcheck(f, grad if callable(grad) else lambda *_: grad, x).verdict


def test_the_public_name_is_the_function_whatever_was_imported() -> None:
    import cfcompiler.gradient_check.check

    assert callable(cfcompiler.gradcheck)
    assert cfcompiler.gradcheck(relu, step(0.0), 0.0)


@pytest.mark.parametrize(
    ("at_zero", "expected"),
    [
        (0.0, AT_A_KINK),
        (0.5, AT_A_KINK),
        (1.0, AT_A_KINK),
        (2.0, REJECTED),
        (-0.1, REJECTED),
        (1.01, REJECTED),
    ],
)
@pytest.mark.parametrize("factor", [1.0, 1e8, 1e-8])
def test_relu_at_zero(at_zero: float, expected: str, factor: float) -> None:
    derivative = step(at_zero)
    assert verdict(lambda x: factor * relu(x), lambda x: factor * derivative(x), 0.0) == expected


def test_a_spurious_derivative_is_rejected_with_its_direction() -> None:
    report = gradcheck(lambda x: relu(x) - relu(-x), lambda x: float(x != 0), 0.0)
    assert report.verdict == REJECTED and not report
    assert report.direction == (-1.0,) and report.product == 0.0
    assert report.largest == pytest.approx(-1.0) and "slope" in report.reason
    with pytest.raises(cfcompiler.GradientRejected, match="rejected: along"):
        report.raise_if_rejected()


@pytest.mark.parametrize(
    ("f", "right", "wrong"),
    [
        (lambda x: relu(x) - relu(-x), 1.0, 0.0),
        (lambda x: x * abs(x), 0.0, 1.0),
        (lambda x: relu(x) + np.log1p(np.exp(-abs(x))), 0.5, 0.0),
        (lambda x: 5.0, 0.0, 1.0),
        (lambda x: np.sin(1000 * (x + 0.3)), 1000 * np.cos(300), 1001 * np.cos(300)),
        (lambda x: np.log(x + 1e-6), 1e6, 1.001e6),
        (lambda x: abs(x - 1e-5), -1.0, 1.0),
    ],
    ids=["relu - relu", "x|x|", "softplus", "constant", "sin 1000x", "log near 0", "a kink beside the point"],
)
def test_differentiable_though_written_with_kinks_or_hard(
    f: Callable[[float], float], right: float, wrong: float
) -> None:
    assert verdict(f, right, 0.0) == ACCEPTED
    assert verdict(f, wrong, 0.0) == REJECTED


@pytest.mark.parametrize("factor", [1.0, 1e8, 1e-8])
def test_a_smooth_gradient_that_is_off_by_a_thousandth_is_rejected(factor: float) -> None:
    x = np.array([0.3, 0.7])
    assert verdict(lambda x: factor * smooth(x), lambda x: factor * smooth_gradient(x), x) == ACCEPTED
    assert verdict(lambda x: factor * smooth(x), lambda x: 1.001 * factor * smooth_gradient(x), x) == REJECTED
    # The same in the second entry alone, which the first must not hide.
    assert verdict(smooth, lambda x: smooth_gradient(x) * [1, 1.001], x) == REJECTED


def test_a_small_entry_beside_a_large_one_counts() -> None:
    assert verdict(lambda x: 1e6 * x[0] + x[1], np.array([1e6, 1.0]), np.ones(2)) == ACCEPTED
    assert verdict(lambda x: 1e6 * x[0] + x[1], np.array([1e6, 1.001]), np.ones(2)) == REJECTED


@pytest.mark.parametrize(
    ("given", "expected"),
    [((1.0, 0.0), AT_A_KINK), ((0.5, 0.5), AT_A_KINK), ((1.0, 1.0), REJECTED), ((0.7, 0.7), REJECTED)],
)
def test_the_larger_of_two_at_a_tie(given: tuple[float, float], expected: str) -> None:
    assert verdict(max, given, (0.3, 0.3)) == expected
    assert verdict(lambda x: max(x[0], x[1]), np.array(given), np.array([0.3, 0.3])) == expected


def test_fifty_absolute_values() -> None:
    def gradient(x: Any, first: float) -> Any:
        return np.where(x == 0, np.where(np.arange(50) == 3, first, 0.0), np.sign(x))

    assert verdict(lambda x: np.abs(x).sum(), lambda x: gradient(x, 0.0), np.zeros(50)) == AT_A_KINK


@pytest.mark.parametrize(
    ("given", "expected"), [((0.6, 0.7), AT_A_KINK), ((0.0, -1.0), AT_A_KINK), ((0.8, 0.7), REJECTED)]
)
def test_the_norm_at_zero_has_the_disc(given: tuple[float, float], expected: str) -> None:
    assert verdict(np.linalg.norm, np.array(given), np.zeros(2)) == expected


def cusp(x: Any) -> float:
    return max(0.0, min(x[1], x[0] ** 2))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0.0, 0.0), ACCEPTED),
        ((0.0, 1.0), AT_A_KINK),
        ((0.0, 0.5), AT_A_KINK),
        ((1.0, 0.0), REJECTED),
        ((0.0, 1.2), REJECTED),
    ],
)
def test_a_gradient_that_only_a_cusp_has(given: tuple[float, float], expected: str) -> None:
    assert verdict(cusp, np.array(given), np.zeros(2)) == expected


def test_a_cusp_that_is_not_along_the_axes() -> None:
    def turned(x: Any) -> float:
        return cusp(np.array([x[0], x[1] - x[0]]))

    assert verdict(turned, np.array([-1.0, 1.0]), np.zeros(2)) == AT_A_KINK
    assert verdict(turned, np.array([1.0, 1.0]), np.zeros(2)) == REJECTED


@pytest.mark.parametrize(
    ("f", "word"),
    [
        (lambda x: abs(x) ** 0.5, "Lipschitz"),
        (lambda x: x * np.log(abs(x)) if x else 0.0, "Lipschitz"),
        (lambda x: float(x >= 0), "discontinuous"),
        (lambda x: 100 * x + 1e-3 * float(x >= 0), "discontinuous"),
        (lambda x: float("nan"), "nan"),
        (lambda x: x**1.5, "not finite"),
    ],
    ids=["sqrt|x|", "x log|x|", "step", "small step", "nan", "half a line"],
)
def test_undecided_with_the_reason(f: Callable[[float], Any], word: str) -> None:
    report = gradcheck(lambda x: f(np.float64(x)), lambda x: 0.0, 0.0)
    assert report.verdict == UNDECIDED and word in report.reason
    report.raise_if_rejected()


def test_what_is_wrong_only_off_all_rays_is_seen() -> None:
    assert (
        "Lipschitz" in gradcheck(lambda x: abs(x[0] * x[1]) ** 0.5, lambda x: np.ones(2), np.zeros(2)).reason
    )
    jump = gradcheck(lambda x: float(0 < x[1] < x[0] ** 2), lambda x: np.ones(2), np.zeros(2))
    assert jump.verdict == UNDECIDED and "discontinuous" in jump.reason


def test_a_gradient_that_is_not_finite_is_rejected() -> None:
    assert verdict(lambda x: x * x, float("nan"), 0.0) == REJECTED
    assert verdict(lambda x: x * x, float("inf"), 0.0) == REJECTED


def test_noise() -> None:
    random = np.random.default_rng(1)

    def noisy(f: Callable[[Any], Any], level: float) -> Callable[[Any], Any]:
        return lambda x: f(x) + level * random.uniform(-1, 1)

    x = np.array([0.3, 0.7])
    assert verdict(noisy(smooth, 1e-10), smooth_gradient, x) == ACCEPTED
    assert verdict(noisy(smooth, 1e-10), lambda x: 1.001 * smooth_gradient(x), x) == REJECTED
    assert verdict(noisy(relu, 1e-10), step(0.5), 0.0) == AT_A_KINK
    assert verdict(noisy(relu, 1e-10), step(2.0), 0.0) == REJECTED
    report = gradcheck(noisy(relu, 1.0), step(0.5), 0.0)
    assert report.verdict == UNDECIDED and "noisy" in report.reason


def test_float32() -> None:
    def total(x: Any) -> Any:
        assert x.dtype == np.float32
        return np.sum(np.sin(x) + np.maximum(x, 0), dtype=np.float32)

    def gradient(x: Any, factor: float) -> Any:
        return (factor * (np.cos(x) + (x > 0))).astype(np.float32)

    x = np.array([0.3, 0.7, 2.0], dtype=np.float32)
    assert verdict(total, lambda x: gradient(x, 1.0), x) == ACCEPTED
    assert verdict(total, lambda x: gradient(x, 1.02), x) == REJECTED
    kink = np.zeros(2, dtype=np.float32)
    assert verdict(total, lambda x: gradient(x, 1.0), kink) == AT_A_KINK
    assert verdict(total, lambda x: gradient(x, 3.0), kink) == REJECTED


def test_large_points() -> None:
    assert verdict(lambda x: x**2, lambda x: 2 * x, 1e8) == ACCEPTED
    assert verdict(lambda x: x**2, lambda x: 2.002 * x, 1e8) == REJECTED
    assert verdict(lambda x: abs(x - 1e8), 0.3, 1e8) == AT_A_KINK
    assert verdict(lambda x: abs(x - 1e8), 1.2, 1e8) == REJECTED


def test_a_small_network_against_all_its_cells() -> None:
    """Gradients of the cells at 0, from signs at many points; their mixtures are in, what lies beyond one is out."""
    random = np.random.default_rng(3)
    weights, last = random.standard_normal((4, 3)), random.standard_normal(4)
    cells = {tuple(row) for row in random.standard_normal((20000, 3)) @ weights.T > 0}
    gradients = np.array([weights.T @ (last * np.array(cell)) for cell in sorted(cells)])
    direction = random.standard_normal(3)
    beyond = gradients[np.argmax(gradients @ direction)] + 0.02 * direction
    mixture = random.dirichlet(np.ones(len(gradients))) @ gradients

    def gradient(at_zero: Any) -> Callable[[Any], Any]:
        return lambda x: weights.T @ (last * (weights @ x > 0)) if x.any() else at_zero

    def network(x: Any) -> Any:
        return last @ np.maximum(weights @ x, 0)

    assert verdict(network, gradient(gradients[0]), np.zeros(3)) == AT_A_KINK
    assert verdict(network, gradient(mixture), np.zeros(3)) == AT_A_KINK
    assert verdict(network, gradient(beyond), np.zeros(3)) == REJECTED
    # A gradient that is wrong near the point as well is no evidence for itself.
    assert verdict(network, beyond, np.zeros(3)) == REJECTED


def test_structure_and_shapes() -> None:
    def f(a: float, b: Any) -> float:
        return a * float(np.sum(b))

    b = np.arange(6.0).reshape(2, 3)
    assert verdict(f, lambda a, b: (np.sum(b), a * np.ones((2, 3))), (2, b)) == ACCEPTED
    with pytest.raises(ValueError, match=r"part 1 of the gradient has shape \(3,\).*\(2, 3\)"):
        gradcheck(f, lambda a, b: (0.0, np.ones(3)), (2.0, b))
    with pytest.raises(ValueError, match="has 1 in place of 2 parts"):
        gradcheck(f, lambda a, b: (0.0,), (2.0, b))
    with pytest.raises(ValueError, match=r"the gradient has shape \(1,\).*\(2,\)"):
        gradcheck(smooth, lambda x: np.ones(1), np.ones(2))
    with pytest.raises(ValueError, match=r"one number, and returns shape \(2,\)"):
        gradcheck(lambda x: x, lambda x: x, np.ones(2))
    with pytest.raises(ValueError, match="not finite"):
        gradcheck(relu, relu, float("inf"))


def test_the_same_report_each_time() -> None:
    first, second = (gradcheck(np.linalg.norm, lambda x: np.zeros(2), np.zeros(2)) for _ in range(2))
    assert first == second


def test_the_nearest_point_of_a_hull() -> None:
    random = np.random.default_rng(0)
    for size in (1, 2, 5, 20):
        points = random.standard_normal((3 * size + 1, size))
        target = 3 * random.standard_normal(size)
        nearest = nearest_in_hull(points, target)
        gap = target - nearest
        # The optimality condition of a projection onto a convex set.
        assert np.max(points @ gap) <= nearest @ gap + 1e-9
