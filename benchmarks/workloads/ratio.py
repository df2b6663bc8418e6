"""The price of a gradient: the value alone, and value with gradient, of the same generated module."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from workloads import batch, long, network, ordering, point
from workloads.generated import PROGRAMS, module_of
from workloads.task import Prepare, Task

TITLE = "Gradient to value of the generated modules"
UNIT = "us per unit"
REFERENCE = "value and gradient"
_SOURCES = {"batch": batch, "point": point, "network": network, "long": long}
# Shape of x, shape of the weights or nothing, the result.
ARRAYS = {
    "maxpool of 3 by 3":  ("8192, 64", "4095, 31", "sum(w*maxpool(x, 3, 2))"),
    "maxpool of vectors": ("500000",   "250000",   "sum(w*maxpool(x, 2))"),
    "median":             ("100000",   "",         "median(x)"),
    "cummax":             ("100000",   "100000",   "sum(w*cummax(x))"),
    "max":                ("300000",   "",         "max(x)"),
    "max of rows":        ("1000, 300", "1000",    "sum(w*max(x, axis=1))"),
    "relu":               ("1000, 300", "1000, 300", "sum(w*relu(x))"),
    "clip":               ("1000, 300", "1000, 300", "sum(w*clip(x, -1, 1))"),
    "abs":                ("1000, 300", "1000, 300", "sum(w*abs(x))"),
    "norm1":              ("300000",   "",         "norm1(x)"),
    "norm2":              ("300000",   "",         "norm2(x)"),
    "logsumexp of rows":  ("1000, 300", "1000",    "sum(w*logsumexp(x, axis=1))"),
    "two products":       ("200, 300", "300, 200", "sum((relu(x @ w) @ x)**2)"),
}  # fmt: skip
CASES = (
    *(f"batch {case}" for case in batch.CASES),
    *(f"point {case}" for case in point.CASES),
    "network float64",
    "long 1000",
    "long 10000",
    "long 100000",
    "array sort",
    "array kth",
    "array maxpool",
    *(f"array {case}" for case in ARRAYS),
)


def _array(case: str, table: str) -> Task:
    """One call over 10^5 to 5 * 10^5 entries; weights are data."""
    program = PROGRAMS / f"{case}.cf" if case in ordering.CASES else _text(*ARRAYS[case])
    module, random = module_of(program), np.random.default_rng(11)
    inputs = [random.normal(size=one["shape"]) for one in module.INPUTS]
    called = module.value if table == "VALUES" else module.value_and_grad
    return Task(lambda: called(*inputs), list)


def _text(x: str, w: str, result: str) -> str:
    weights = f", w: Const[{w}]" if w else ""
    return f"def f(x: Real[{x}]{weights}):\n    return {result}\n"


def _of(case: str, table: str) -> Task:
    workload, name = case.split(maxsplit=1)
    if workload == "array":
        return _array(name, table)
    contestants: dict[str, Prepare] = getattr(_SOURCES[workload], table)
    return replace(contestants["cfc"](name), answer=list)


CONTESTANTS: dict[str, Prepare] = {
    "value and gradient": partial(_of, table="CONTESTANTS"),
    "value": partial(_of, table="VALUES"),
}
