"""The price of a gradient: the value alone, and value with gradient, of the same generated module."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from workloads import batch, long, network, point
from workloads.task import Prepare, Task

TITLE = "Gradient to value of the generated modules"
UNIT = "us per unit"
REFERENCE = "value and gradient"
_SOURCES = {"batch": batch, "point": point, "network": network, "long": long}
CASES = (
    *(f"batch {case}" for case in batch.CASES),
    *(f"point {case}" for case in point.CASES),
    "network float64",
    "long 1000",
    "long 10000",
    "long 100000",
)


def _of(case: str, table: str) -> Task:
    workload, name = case.split()
    contestants: dict[str, Prepare] = getattr(_SOURCES[workload], table)
    return replace(contestants["cfc"](name), answer=list)


CONTESTANTS: dict[str, Prepare] = {
    "value and gradient": partial(_of, table="CONTESTANTS"),
    "value": partial(_of, table="VALUES"),
}
