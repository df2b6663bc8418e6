"""The classifier of handwritten digits: gradients against differences, and training by the generated module."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from cfcompiler.compiler import compile_file

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
EPOCHS = 8  # 40 in the script; 95 % of the test pictures are read after five

Array: TypeAlias = NDArray[np.float64]
Digits: TypeAlias = tuple[Array, NDArray[np.int64], Array, NDArray[np.int64]]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_digits", EXAMPLES / "train_digits.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compiled(script: ModuleType, file: str, function: str) -> Any:
    return script.imported(compile_file(EXAMPLES / file, function=function).module(), f"{function}_cf")


@pytest.fixture(scope="module")
def training(script: ModuleType) -> Any:
    return compiled(script, "digits_train.cf", "digits_train")


@pytest.fixture(scope="module")
def digits(script: ModuleType) -> Digits:
    with np.load(EXAMPLES / "digits_data.npz") as data:
        found: Digits = script.split(data["images"], data["labels"])
    return found


def test_the_digits_copy_is_small() -> None:
    assert (EXAMPLES / "digits_data.npz").stat().st_size < 100_000
    assert (EXAMPLES / "digits.npz").stat().st_size < 100_000


def test_the_gradient_of_the_network_is_that_of_differences(
    script: ModuleType, training: Any, digits: Digits
) -> None:
    rng = np.random.default_rng(1)
    weights = script.initial_weights(rng)
    batch = digits[0][: script.BATCH], np.eye(script.CLASSES)[digits[1][: script.BATCH]]
    value, gradient = training.value_and_grad(*weights, *batch)
    assert value == pytest.approx(training.value(*weights, *batch), rel=1e-15)
    for _ in range(5):
        direction = tuple(rng.standard_normal(weight.shape) for weight in weights)
        slope = sum(float(np.sum(g * d)) for g, d in zip(gradient, direction, strict=True))
        ahead, behind = (
            training.value(*(w + step * d for w, d in zip(weights, direction, strict=True)), *batch)
            for step in (1e-6, -1e-6)
        )
        assert (ahead - behind) / 2e-6 == pytest.approx(slope, rel=1e-5, abs=1e-6)
        assert training.jvp((*weights, *batch), direction)[1] == pytest.approx(slope, rel=1e-12)


def test_training_with_the_generated_module_reads_digits(
    script: ModuleType, training: Any, digits: Digits
) -> None:
    weights, losses = script.train(training.value_and_grad, digits[0], digits[1], epochs=EPOCHS)
    assert losses[-1] < losses[0] / 5
    assert script.accuracy(weights, digits[2], digits[3]) > 0.95


def test_the_trained_weights_read_digits(script: ModuleType, digits: Digits) -> None:
    with np.load(EXAMPLES / "digits.npz") as stored:
        weights = tuple(stored[name] for name in ("W1", "b1", "W2", "b2"))
    assert script.accuracy(weights, digits[2], digits[3]) > 0.97
    scores = compiled(script, "digits.cf", "scores").value
    found = [int(np.argmax(scores(image))) for image in digits[2][:50]]
    assert np.mean(found == digits[3][:50]) > 0.9


def test_the_gradient_of_a_picture_is_that_of_differences(script: ModuleType, digits: Digits) -> None:
    program = compiled(script, "digits.cf", "loss")
    rng = np.random.default_rng(2)
    for image, label in zip(digits[2][:10], digits[3][:10], strict=True):
        one_hot = np.eye(10)[label]
        gradient = np.asarray(program.grad(image, one_hot)).reshape(64)
        direction = rng.standard_normal(64)
        ahead, behind = (program.value(image + step * direction, one_hot) for step in (1e-6, -1e-6))
        assert (ahead - behind) / 2e-6 == pytest.approx(gradient @ direction, rel=1e-4, abs=1e-7)


def test_the_fading_picture_has_an_exact_derivative(script: ModuleType) -> None:
    program = compiled(script, "digits.cf", "digits")
    slope = float(np.asarray(program.grad(1.0)).reshape(()))
    difference = (program.value(1 + 1e-6) - program.value(1 - 1e-6)) / 2e-6
    assert difference == pytest.approx(slope, rel=1e-5, abs=1e-8)
    assert program.jvp((1.0,), (1.0,))[1] == pytest.approx(slope, rel=1e-12)
