"""Train the network of digits_train.cf with its generated module, and write the weights that digits.cf loads.

Usage: python examples/train_digits.py [--epochs N]

Needs scikit-learn for the data alone. Writes two files beside itself: digits.npz, the weights and the test picture
that is read rightly by the smallest margin, and digits_data.npz, a copy of the data (1797 pictures of 8 x 8 pixels in
0..16), so that the tests need no scikit-learn.
Data: UCI Optical Recognition of Handwritten Digits (E. Alpaydin, C. Kaynak, 1998, CC BY 4.0).
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent
Array: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]
Weights: TypeAlias = tuple[Array, ...]
ValueAndGrad: TypeAlias = Callable[..., tuple[float, tuple[Array, ...]]]

PIXELS, HIDDEN, CLASSES, BATCH = 64, 32, 10, 32
SEED = 0
TEST_SHARE = 0.2
LEARNING_RATE = 0.1
MOMENTUM = 0.9
# Weights are rounded to multiples of this power of two: short exact rationals, the same accuracy.
GRID = 2.0**-12


def split(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> tuple[Array, Labels, Array, Labels]:
    """Training images and labels, test images and labels: shuffled with a fixed seed, one fifth for the test."""
    order = np.random.default_rng(SEED).permutation(len(images))
    pixels, classes = images[order] / 16.0, labels[order].astype(np.int64)
    cut = round(len(images) * (1 - TEST_SHARE))
    return pixels[:cut], classes[:cut], pixels[cut:], classes[cut:]


def initial_weights(rng: np.random.Generator) -> Weights:
    """Normal weights scaled as He et al. (2015) for relu, biases zero."""
    first = rng.normal(0.0, np.sqrt(2 / PIXELS), (HIDDEN, PIXELS))
    second = rng.normal(0.0, np.sqrt(2 / HIDDEN), (CLASSES, HIDDEN))
    return first, np.zeros(HIDDEN), second, np.zeros(CLASSES)


def train(
    value_and_grad: ValueAndGrad, images: Array, labels: Labels, *, epochs: int
) -> tuple[Weights, list[float]]:
    """Minibatch gradient descent with momentum; the weights found and the mean loss of each epoch."""
    rng = np.random.default_rng(SEED)
    weights = initial_weights(rng)
    velocities = tuple(np.zeros_like(weight) for weight in weights)
    one_hot = np.eye(CLASSES)[labels]
    losses = []
    for _ in range(epochs):
        order = rng.permutation(len(images))
        seen = []
        for start in range(0, len(images) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            loss, gradients = value_and_grad(*weights, images[chosen], one_hot[chosen])
            pairs = zip(velocities, gradients, strict=True)
            velocities = tuple(MOMENTUM * v - LEARNING_RATE * g for v, g in pairs)
            weights = tuple(w + v for w, v in zip(weights, velocities, strict=True))
            seen.append(float(loss))
        losses.append(float(np.mean(seen)))
    return weights, losses


def margins(weights: Weights, images: Array, labels: Labels) -> Array:
    """How far the score of the label is above the best other one: positive where the image is read rightly."""
    W1, b1, W2, b2 = weights
    scores = np.maximum(images @ W1.T + b1, 0) @ W2.T + b2
    own = np.eye(CLASSES, dtype=bool)[labels]
    found: Array = scores[own] - np.max(np.where(own, -np.inf, scores), axis=1)
    return found


def accuracy(weights: Weights, images: Array, labels: Labels) -> float:
    """Share of the images that are read rightly."""
    return float(np.mean(margins(weights, images, labels) > 0))


def hardest(weights: Weights, images: Array, labels: Labels) -> int:
    """The place of the image that is read rightly by the smallest margin."""
    found = margins(weights, images, labels)
    return int(np.argmin(np.where(found > 0, found, np.inf)))


def imported(text: str, name: str) -> ModuleType:
    """The module of a generated text, as `import` gives it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def main() -> None:
    from sklearn.datasets import load_digits

    from cfcompiler.compiler import compile_file

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    epochs = parser.parse_args().epochs

    data = load_digits()
    images, labels = data.data.astype(np.uint8), data.target.astype(np.uint8)
    np.savez_compressed(FOLDER / "digits_data.npz", images=images, labels=labels)

    module = imported(compile_file(FOLDER / "digits_train.cf").module(), "digits_train_cf")
    train_images, train_labels, test_images, test_labels = split(images, labels)
    weights, losses = train(module.value_and_grad, train_images, train_labels, epochs=epochs)
    weights = tuple(np.round(weight / GRID) * GRID for weight in weights)
    for epoch, loss in enumerate(losses, start=1):
        print(f"epoch {epoch:3d}  loss {loss:.4f}")
    print(f"accuracy  training {accuracy(weights, train_images, train_labels):.4f}", end="  ")
    print(f"test {accuracy(weights, test_images, test_labels):.4f}")

    W1, b1, W2, b2 = weights
    place = hardest(weights, test_images, test_labels)
    picture, one_hot = test_images[place], np.eye(CLASSES)[test_labels[place]]
    np.savez(FOLDER / "digits.npz", W1=W1, b1=b1, W2=W2, b2=b2, picture=picture, one_hot=one_hot)


if __name__ == "__main__":
    main()
