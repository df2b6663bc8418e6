"""The functions of the language that are neither a row of the table nor text of the prelude: name, parameters, rule.

A rule takes the arguments by name, already terms, and returns a term.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cfcompiler.language import arrays, orderings, reductions
from cfcompiler.language.called import NOT_GIVEN, Called, Rule
from cfcompiler.language.terms import Exact, Term


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function of the language: parameters, with texts of the defaults, and what it does."""

    parameters: tuple[str, ...]
    defaults: tuple[tuple[str, Term], ...]
    rule: Rule
    flat: bool = False  # without an axis, x counts as a vector
    check: Callable[[Called], object] | None = None  # asked also where a preset writes the function by others

    def signature(self, name: str) -> str:
        known = dict(self.defaults)
        shown = [part if part not in known else f"{part}={_shown(known[part])}" for part in self.parameters]
        return f"{name}({', '.join(shown)})"


def _shown(term: Term) -> str:
    if isinstance(term, Exact):
        return str(term.value)
    return "None" if isinstance(term, str) else str(term)


_AXIS: tuple[tuple[str, Term], ...] = (("axis", NOT_GIVEN),)
_UP: tuple[tuple[str, Term], ...] = (("axis", NOT_GIVEN), ("descending", False))

# fmt: off
BUILTINS: dict[str, Builtin] = {
    "sum":       Builtin(("x", "axis"), _AXIS, reductions.total),
    "mean":      Builtin(("x", "axis"), _AXIS, reductions.mean),
    "prod":      Builtin(("x", "axis"), _AXIS, reductions.product_of),
    "logsumexp": Builtin(("x", "axis"), _AXIS, reductions.along("logsumexp")),
    "norm2":     Builtin(("x", "axis"), _AXIS, reductions.along("norm2")),
    "cumsum":    Builtin(("x", "axis"), _AXIS, reductions.cumulative_sum),
    "cummax":    Builtin(("x", "axis"), _AXIS, reductions.cumulative_extremum("max")),
    "cummin":    Builtin(("x", "axis"), _AXIS, reductions.cumulative_extremum("min")),
    "argmax":    Builtin(("x", "axis"), _AXIS, reductions.place_of("max")),
    "argmin":    Builtin(("x", "axis"), _AXIS, reductions.place_of("min")),
    "sort":      Builtin(("x", "axis", "descending"), _UP, orderings.sort),
    "argsort":   Builtin(("x", "axis", "descending"), _UP, orderings.argsort),
    "topk":      Builtin(("x", "k", "axis"), _AXIS, orderings.topk),
    "median":    Builtin(("x", "axis"), _AXIS, orderings.median, True),
    "quantile":  Builtin(("x", "q", "axis"), _AXIS, orderings.quantile, True, orderings.share_below),
    "maxpool":   Builtin(("x", "k", "stride"), (("stride", NOT_GIVEN),), arrays.maxpool),
    "dot":       Builtin(("a", "b"), (), arrays.dot),
    "len":       Builtin(("x",), (), arrays.length),
    "shape":     Builtin(("x",), (), arrays.shape_of),
    "reshape":   Builtin(("x", "shape"), (), arrays.reshape),
    "zeros":     Builtin(("shape",), (), arrays.filled(0)),
    "ones":      Builtin(("shape",), (), arrays.filled(1)),
    "concat":    Builtin(("a", "b", "axis"), _AXIS, arrays.concatenate),
    "isnan":     Builtin(("x",), (), arrays.is_nan),
}
# max and min of one argument; of two they are text of the prelude, of more `extremum_of_many`.
REDUCTIONS: dict[str, Builtin] = {
    "max":       Builtin(("x", "axis"), _AXIS, reductions.extremum("max")),
    "min":       Builtin(("x", "axis"), _AXIS, reductions.extremum("min")),
}
# Evaluated by calls.py, because they do not take terms: an arm, a file, a loop.
SPECIAL = ("where", "load", "range")
# fmt: on
