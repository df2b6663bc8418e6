"""What is said of a rewrite: whether it computes the same function, and what AD returns on it."""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report.presets import ComparisonReport
from cfcompiler.report.rows import Row
from cfcompiler.report.strata import StrataReport


@dataclass(frozen=True, slots=True)
class SameValues:
    """Whether two functions return the same. `answer`: "proved", "refuted" or "undecided".

    `how`: what proves it. "operations": the same operations in another order or another branch; "strata": equal on each
    of the `strata` of the two together; "algebra": no real numbers satisfy the formulas of both and differ, which holds
    where every step is a real number. `points`: at so many exact points both were evaluated and are equal. `where`: the
    condition under which they were compared ("" for everywhere). `witness`: an exact point where they differ, with the
    two values; None but for "refuted". `reason`: why it is undecided.
    """

    answer: str
    how: str
    points: int
    strata: int = 0
    where: str = ""
    witness: Row | None = None
    values: tuple[str, str] = ("", "")
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RewriteReport:
    """A rewrite beside the function that it replaces. `compared`: the presets at the point, on the rewrite.

    `strata`: of the rewrite under the rules of the example; where they are complete and none is spurious, AD of the
    rewrite is right wherever the function has a gradient. `within`: how far the two differ at most outside of
    `same.where` ("" where that is not known), found at `near` exact points. `least`: the value at the point is proved
    to be the least of all, so that 0 is a subgradient there; asked where a verdict is not decided and AD returns 0.
    """

    original: str
    rewrite: str
    same: SameValues
    compared: ComparisonReport
    strata: StrataReport
    within: str = ""
    near: int = 0
    least: bool = False
