"""Presets -> TieTable: what each of them returns at the tie of each operation, forward where it differs.

Nothing is copied from the preset files: each row is a small program, compiled under the preset and differentiated at
its tie in float64, so the table shows what a user will get, definitions and formulas included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from cfcompiler import errors
from cfcompiler.analyses.jacobians import both_modes
from cfcompiler.errors import CFError
from cfcompiler.ir import Program
from cfcompiler.language import read
from cfcompiler.report import TieRow, TieTable
from cfcompiler.source import NOWHERE, Source
from cfcompiler.ties import load_preset, preset_names

# (name of the rule, expression, its tie): the tie is given as the values of the inputs that the expression names.
TIES: tuple[tuple[str, str, str], ...] = (
    ("relu", "relu(x)", "x=0"),
    ("abs", "abs(x)", "x=0"),
    ("max", "max(x, y)", "x=1 y=1"),
    ("min", "min(x, y)", "x=1 y=1"),
    ("max", "max(x, y, z)", "x=1 y=1 z=1"),
    ("min", "min(x, y, z)", "x=1 y=1 z=1"),
    ("fmax", "fmax(x, y)", "x=1 y=1"),
    ("fmin", "fmin(x, y)", "x=1 y=1"),
    ("clip", "clip(x, 0, 1)", "x=0"),
    ("clip", "clip(x, 0, 1)", "x=1"),
    ("clamp", "clamp(x, a, b)", "x=0 a=0 b=1"),
    ("clamp", "clamp(x, a, b)", "x=1 a=0 b=1"),
    ("clamp_min", "clamp_min(x, a)", "x=0 a=0"),
    ("clamp_max", "clamp_max(x, a)", "x=0 a=0"),
    ("relu6", "relu6(x)", "x=0"),
    ("relu6", "relu6(x)", "x=6"),
    ("hardtanh", "hardtanh(x)", "x=-1"),
    ("hardtanh", "hardtanh(x)", "x=1"),
    ("hardsigmoid", "hardsigmoid(x)", "x=-3"),
    ("hardsigmoid", "hardsigmoid(x)", "x=3"),
    ("hardswish", "hardswish(x)", "x=-3"),
    ("hardswish", "hardswish(x)", "x=3"),
    ("leaky_relu", "leaky_relu(x)", "x=0"),
    ("prelu", "prelu(x, a)", "x=0 a=0.25"),
    ("elu", "elu(x, 2)", "x=0"),
    ("selu", "selu(x)", "x=0"),
    ("celu", "celu(x)", "x=0"),
    ("huber", "huber(x)", "x=1"),
    ("softshrink", "softshrink(x)", "x=0.5"),
    ("hardshrink", "hardshrink(x)", "x=0.5"),
    ("hinge", "hinge(x)", "x=1"),
    ("softsign", "softsign(x)", "x=0"),
    ("reduce_max", "max([x, y, z])", "x=1 y=1 z=0"),
    ("reduce_min", "min([x, y, z])", "x=0 y=0 z=1"),
    ("sort", "sort([x, y])[0]", "x=1 y=1"),
    ("sort_descending", "sort([x, y], descending=True)[0]", "x=1 y=1"),
    ("topk", "topk([x, y, z], 1)[0]", "x=1 y=1 z=0"),
    ("median", "median([x, y, z])", "x=1 y=1 z=0"),
    ("quantile", "quantile([x, y, z], 1/2)", "x=1 y=1 z=0"),
    ("maxpool", "maxpool([x, y], 2)[0]", "x=1 y=1"),
    ("cummax", "cummax([x, y])[1]", "x=1 y=1"),
    ("cummin", "cummin([x, y])[1]", "x=1 y=1"),
    ("where", "where(x > 0, sqrt(x), 0)", "x=0"),
    ("norm2", "norm2([x, y])", "x=0 y=0"),
    ("sqrt", "sqrt(x)", "x=0"),
    ("cbrt", "cbrt(x)", "x=0"),
    ("pow", "x**y", "x=0 y=1"),
    ("pow", "x**y", "x=0 y=0"),
    ("atan2", "atan2(y, x)", "y=0 x=0"),
    ("asin", "asin(x)", "x=1"),
    ("acos", "acos(x)", "x=1"),
    ("acosh", "acosh(x)", "x=1"),
    ("modes", "x*y", "x=inf y=0"),
)


def tie_table(presets: Sequence[str] = ()) -> TieTable:
    """The rows of TIES under `presets` (all of them if none is named). Raises CFError for an unknown one."""
    for name in presets:
        if name not in preset_names():
            raise CFError([errors.unknown_preset(NOWHERE, name, preset_names())], Source("", "cfc"))
    names = tuple(presets) or preset_names()
    columns = [_column(name) for name in names]
    rows = [
        TieRow(rule, expression, tie, tuple(column[place] for column in columns))
        for place, (rule, expression, tie) in enumerate(TIES)
    ]
    versions = tuple(load_preset(name).version for name in names)
    return TieTable(names, versions, tuple(rows))


def _column(preset: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each row the derivatives by the inputs in the order of the tie, (forward, reverse)."""
    found = []
    for _, expression, tie in TIES:
        values = _values(tie)
        text = f"def f({', '.join(values)}):\n    return {expression}\n"
        found.append(_derivatives(read(text, "<ties>", preset=preset), values))
    return found


def _values(tie: str) -> dict[str, float]:
    """`x=0 y=1` by name."""
    return {name: float(value) for name, value in (word.split("=") for word in tie.split())}


def _derivatives(program: Program, values: Mapping[str, float]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    point = {name: np.asarray(value) for name, value in values.items()}
    forward, backward = both_modes(program, point)
    texts = [tuple(_text(float(entry)) for entry in rows[0]) for rows in (forward, backward)]
    return texts[0], texts[1]


def _text(number: float) -> str:
    """Short, and a fraction where it is one of the small ones that people write."""
    if not np.isfinite(number):
        return f"{number}"
    fraction = Fraction(number).limit_denominator(12)
    return str(fraction) if float(fraction) == number else f"{number:.4g}"
