"""Random small programs with exp, log, sin, sqrt and their like, of one or two inputs, with guards."""

from __future__ import annotations

import random

HOLES = (
    "(0 if {0} == 0 else exp(-1/({0})**2))",
    "(0 if {0} == 0 else ({0})*sin(1/({0})))",
    "(0 if {0} <= 0 else ({0})*log({0}))",
    "(0 if {0} == 0 else sin({0})/({0}))",
    "(1 if {0} == 0 else expm1({0})/({0}))",
    "(0 if {0} <= 0 else exp(-1/({0})))",
    "(0 if {0} == 0 else atan(1/({0})))",
    "exp(-log({0})**2)",
    "where({0} > 0, log({0}), {1})",
    "sqrt(relu({0}))",
)
SMOOTH = (
    "exp({0})", "sin({0})", "cos({0})", "tanh({0})", "atan({0})", "sigmoid({0})", "softplus({0})", "expm1({0})",
    "log(1 + ({0})**2)", "sqrt(1 + ({0})**2)", "exp(-({0})**2)", "erf({0})", "sinh({0})", "cosh({0})", "exp({0}/2)",
)  # fmt: skip
EDGED = ("sqrt({0})", "log({0})", "({0})**(3/2)", "1/({0})", "cbrt({0})", "asin({0})")
KINKS = (
    "relu({0})", "abs({0})", "max({0}, {1})", "min({0}, {1})", "where({0} >= 0, {1}, {2})", "clip({0}, -1, 1)",
    "relu({0}) - relu(-({0}))", "({1} if {0} > 0 else {2})", "(0 if {0} == 0 else {1})", "sign({0})*({1})",
)  # fmt: skip


def affine(rng: random.Random, names: tuple[str, ...]) -> str:
    """A small affine expression that moves."""
    chosen = rng.sample(names, rng.randint(1, len(names)))
    terms = [f"{rng.choice(('', '2*', '-'))}{name}" for name in chosen]
    shift = rng.choice(("", "", " - 1", " + 1", " + 1/2"))
    return " + ".join(terms) + shift


def expression(rng: random.Random, names: tuple[str, ...], depth: int) -> str:
    if depth == 0:
        return affine(rng, names) if rng.random() < 0.8 else rng.choice(("1", "2", "1/2"))
    kind = rng.random()
    parts = [expression(rng, names, rng.randint(0, depth - 1)) for _ in range(3)]
    if kind < 0.35:
        return rng.choice(KINKS).format(*parts)
    if kind < 0.65:
        return rng.choice(SMOOTH).format(*parts)
    if kind < 0.75:
        return rng.choice(EDGED if rng.random() < 0.5 else HOLES).format(*parts)
    return rng.choice(("({0} + {1})", "({0} - {1})", "({0})*({1})")).format(*parts)


def program(seed: int) -> str:
    """A program, by its seed."""
    rng = random.Random(seed)
    names = ("x",) if rng.random() < 0.6 else ("x", "y")
    return f"def f({', '.join(names)}):\n    return {expression(rng, names, rng.randint(2, 3))}\n"
