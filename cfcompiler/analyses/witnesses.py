"""Number texts of reports -> floats and exact numbers."""

from __future__ import annotations

from functools import lru_cache

from cfcompiler.number_text import parse_number
from cfcompiler.numbers import Exact, TooLarge, Undecided, to_float


def number_of(text: str) -> Exact | None:
    """The exact number; None where the text has no closed form that is read (`CRootOf(...)`)."""
    try:
        return parse_number(text)
    except (ValueError, TooLarge, Undecided):
        return None


@lru_cache(maxsize=10_000)
def float_of(text: str) -> float | None:
    """The nearest float, also for roots of polynomials; None where the text is no real number."""
    exact = number_of(text)
    if exact is not None:
        return float(to_float(exact))
    if not text.startswith(("CRootOf(", "rootof(")):
        return None
    import sympy

    return float(sympy.sympify(text).evalf(30))
