"""Names of a program's values -> names that a generated Python function can use for its locals."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

# Names that the generated functions read from their module.
MODULE_NAMES = frozenset(
    (
        "acos acosh array asin asinh atan atan2 atanh cbrt cos cosh erf erfc exp expm1 fmod inf itertools log log10 log1p "
        "copysign log2 math nan ndarray np pow sin sinh sqrt tan tanh SOURCE TIES INPUTS GUARDS COST "
        "primals tangents pullback cotangent direction lead arrays found out signs choose value value_and_grad hvp"
    ).split()
)
_BUILTINS = frozenset(dir(builtins))


def local_names(names: Iterable[str]) -> dict[str, str]:
    """Every name to itself, or with a `_` behind where Python or the module has it."""
    names = list(names)
    found: dict[str, str] = {}
    used = set(names)
    for name in names:
        free = name
        while free in MODULE_NAMES or free in _BUILTINS or keyword.iskeyword(free) or free.startswith("_"):
            free = f"v{free}" if free.startswith("_") else f"{free}_"
            while free in used:
                free = f"{free}_"
        used.add(free)
        found[name] = free
    return found
