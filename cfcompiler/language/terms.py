"""What an expression may mean while it is lowered: a value of the program, or something known already.

Known already are exact numbers, truth values, texts, shapes and lists of them; they become values of the program only
where they meet one. `POISON` stands for what was complained of: whatever it touches is poison, and nobody complains
twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from cfcompiler.errors import Diagnostic
from cfcompiler.ir import Number, Value
from cfcompiler.source import Span


@dataclass(frozen=True, slots=True)
class Exact:
    """A number known exactly. `decimal`: written with a point, or a quotient, so a real and not a whole number."""

    value: Number
    decimal: bool = False

    @property
    def whole(self) -> int | None:
        """The integer that it is."""
        if isinstance(self.value, Fraction) and self.value.denominator == 1:
            return self.value.numerator
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """A list of numbers (or of such lists) that is known already."""

    items: tuple[Exact | Listing, ...]


@dataclass(frozen=True, slots=True)
class Poison:
    """Already complained of."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A name that has no value here; using it complains."""

    complaint: Callable[[Span], Diagnostic]


POISON = Poison()
Term: TypeAlias = "Value | Exact | Listing | bool | str | tuple[Term, ...] | Poison"
Bound: TypeAlias = "Term | Unusable"


class Scope:
    """The names of one function call while it is lowered.

    `begin` and `end` bracket an arm: `end` returns what the arm bound and undoes it, so that nothing is copied.
    """

    def __init__(self, function: str, *, prelude: bool) -> None:
        self.function = function
        self.prelude = prelude
        self.names: dict[str, Bound] = {}
        self._undo: list[dict[str, Bound | None]] = []

    def get(self, name: str) -> Bound | None:
        return self.names.get(name)

    def bind(self, name: str, value: Bound) -> None:
        if self._undo and name not in self._undo[-1]:
            self._undo[-1][name] = self.names.get(name)
        self.names[name] = value

    def begin(self) -> None:
        self._undo.append({})

    def end(self) -> dict[str, Bound]:
        """What was bound since `begin`, which is forgotten."""
        before = self._undo.pop()
        bound = {name: self.names[name] for name in before}
        for name, value in before.items():
            if value is None:
                del self.names[name]
            else:
                self.names[name] = value
        return bound
