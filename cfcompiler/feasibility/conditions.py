"""What is asked and what is answered: is the origin in the closure of a set given by signs of functions of u?

A `Condition` is a polynomial, or a function known up to O(|u|**(degree + 1)) by its Taylor polynomial; a `System`
is a conjunction of them. `Touches` says that the origin is in the closure of the set, `Apart` that some ball round
it misses the set, `Open` that neither was proved.

An answer has the trust "certificate" where it rests on exact arithmetic of this program alone, and "solver" where
it rests on a satisfiability answer of z3, which comes without a proof.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import Literal, TypeAlias

from cfcompiler.numbers import Finite
from cfcompiler.polynomials import Polynomial

Relation: TypeAlias = Literal[">", "=", ">="]
AnyRelation: TypeAlias = Literal[">", "=", ">=", "!="]
Trust: TypeAlias = Literal["certificate", "solver"]


@dataclass(frozen=True, slots=True)
class Condition:
    """h > 0, h = 0 or h >= 0; h is the jet if `exact`, else jet + O(|u|**(degree + 1)) with h analytic.

    Raises ValueError for a condition that is not exact and has no degree, or terms above it.
    """

    jet: Polynomial
    exact: bool = True
    relation: Relation = ">"
    degree: int | None = None

    def __post_init__(self) -> None:
        if self.exact:
            return
        if self.degree is None or self.jet.degree > self.degree:
            raise ValueError("a truncated condition needs the degree up to which its terms are known")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A sign condition on a polynomial."""

    polynomial: Polynomial
    relation: AnyRelation


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Polynomial constraints in `variables` variables, the first of which are the local coordinates u.

    Every u of a box that satisfies the conditions extends to a point that satisfies the constraints.
    """

    variables: int
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class Arc:
    """u_i(t) = sum of coefficient * t**power over coefficients[i], for small t > 0; powers are integers >= 1."""

    coefficients: tuple[tuple[tuple[int, Finite], ...], ...]

    @property
    def least_power(self) -> int | None:
        """The lowest power of t in any coordinate; None for the arc that rests at the origin."""
        return min((power for terms in self.coefficients for power, _ in terms), default=None)


@dataclass(frozen=True, slots=True)
class System:
    """A conjunction of conditions in `variables` local coordinates.

    `enclosure(radius)` relaxes the conditions in the box |u_i| <= radius; `check_arc(arc)` proves that along an arc
    all conditions hold for all small t > 0. Both are asked only where some condition is not exact.
    """

    variables: int
    conditions: tuple[Condition, ...]
    enclosure: Callable[[Fraction], Relaxation | None] | None = None
    check_arc: Callable[[Arc], bool] | None = None

    @property
    def exact(self) -> bool:
        return all(condition.exact for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Touches:
    """The origin is in the closure. `arc` runs in the set for all small t > 0; None where only its being is known."""

    arc: Arc | None
    how: str
    trust: Trust


@dataclass(frozen=True, slots=True)
class Apart:
    """A ball round the origin misses the set."""

    how: str
    trust: Trust


@dataclass(frozen=True, slots=True)
class Open:
    """Neither was proved."""

    reason: str


Answer: TypeAlias = Touches | Apart | Open


class OutOfTime(ArithmeticError):
    """A computation that was stopped by its clock."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment until which to work."""

    end: float

    @property
    def left(self) -> float:
        """Seconds, at least 0."""
        return max(0.0, self.end - monotonic())

    @property
    def over(self) -> bool:
        return self.left == 0.0

    def check(self) -> None:
        """Raises OutOfTime."""
        if self.over:
            raise OutOfTime("out of time")

    def share(self, seconds: float) -> Clock:
        """A clock that ends after at most so many seconds, and not after this one."""
        return Clock(min(self.end, monotonic() + seconds))


@dataclass(frozen=True, slots=True)
class Budget:
    """How many seconds an answer may take."""

    seconds: float

    def start(self) -> Clock:
        return Clock(monotonic() + self.seconds)
