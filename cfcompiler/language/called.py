"""One call of a function of the language, with the means to write its value.

Arguments are terms already. Static ones (axis, k) are known when the program is compiled; an axis that is not given is
`NOT_GIVEN`, which means all axes or the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cfcompiler import errors
from cfcompiler.ir import Value
from cfcompiler.language.emission import Emission
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.terms import POISON, Poison, Term
from cfcompiler.source import Span

NOT_GIVEN = "all"


@dataclass(frozen=True, slots=True)
class Called:
    """One call: terms by parameter name, its place, the name that its value should have."""

    evaluator: Evaluator
    terms: dict[str, Term]
    span: Span
    name: str | None

    @property
    def emission(self) -> Emission:
        return self.evaluator.emission

    def real(self, parameter: str) -> Value | Poison:
        return self.emission.real(self.terms[parameter], self.span)

    def whole(self, parameter: str) -> int | Poison:
        return self.evaluator.as_whole(self.terms[parameter], self.span, f"{parameter!r}")

    def apply(self, op: str, *args: Value, **attributes: Any) -> Value | Poison:
        return self.emission.apply(op, *args, span=self.span, name=self.name, **attributes)

    def step(self, op: str, *args: Value, **attributes: Any) -> Value | Poison:
        """An intermediate value, which has no name of the user's."""
        return self.emission.apply(op, *args, span=self.span, **attributes)

    def axes(self, rank: int) -> tuple[int, ...] | Poison:
        """The axes that `axis` names; all of them where it is not given."""
        term = self.terms["axis"]
        if isinstance(term, str):
            return tuple(range(rank))
        parts = term if isinstance(term, tuple) else (term,)
        axes: list[int] = []
        for part in parts:
            axis = self.evaluator.as_whole(part, self.span, "an axis")
            if isinstance(axis, Poison):
                return POISON
            if not -rank <= axis < rank:
                return self.emission.complain(errors.bad_axis(self.span, axis, rank))
            axes.append(axis % rank)
        return tuple(sorted(set(axes)))

    def axis(self, rank: int) -> int | Poison:
        """One axis; the last where it is not given."""
        if rank == 0:
            return self.emission.complain(errors.shapes(self.span, "this takes an array, not a scalar"))
        if isinstance(self.terms["axis"], str):
            return rank - 1
        axes = self.axes(rank)
        return POISON if isinstance(axes, Poison) else axes[0]


Rule = Callable[[Called], Term]
