"""The table of primitives: one row is the whole meaning of a primitive.

A row has its parameters, its value as a SymPy text, its domain, how NumPy and plain Python write it, and for each
parameter the derivative as an expression over the parameters, `out` (the value) and `g`, linear in `g`: with g the
tangent of that argument it is the argument's share of the tangent of `out`, with g the cotangent of `out` it is the
cotangent of the argument. Forward and reverse come from the same text, so they cannot disagree.

A derivative of None is a structural zero: nothing flows. Rows marked "reduction" act along axes, their derivative
text is elementwise in the entries. Rows of kind "structural", "linear" and "choice" are defined by their shape rules
(builder.py), their transposes (transforms/) and their execution (interpreter.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

RowKind: TypeAlias = Literal["elementwise", "condition", "reduction", "structural", "choice"]


@dataclass(frozen=True, slots=True)
class Primitive:
    """One row.

    `sympy`: value as a SymPy text over the parameters. `numpy`: a NumPy ufunc name, or an expression with {x}
    placeholders. `python`: an expression in plain floats, may raise where IEEE arithmetic would give inf or NaN.
    `domain`: SymPy condition under which the value is a finite real ("True" everywhere). `singular`: where the
    derivative text divides by zero although the value is finite, as an expression; a tie rule may set the
    derivative there. `steps`: the value jumps there is no derivative but 0.
    """

    name: str
    params: tuple[str, ...]
    derivatives: tuple[str | None, ...]
    sympy: str
    numpy: str
    python: str
    domain: str = "True"
    singular: str | None = None
    kind: RowKind = "elementwise"
    jumps: bool = False

    @property
    def smooth(self) -> bool:
        return self.kind == "elementwise" and not self.jumps


def _row(
    name: str,
    params: str,
    derivatives: list[str | None],
    sympy: str,
    numpy: str,
    python: str,
    domain: str = "True",
    singular: str | None = None,
    jumps: bool = False,
) -> Primitive:
    return Primitive(
        name,
        tuple(params.split()),
        tuple(derivatives),
        sympy,
        numpy,
        python,
        domain,
        singular,
        "elementwise",
        jumps,
    )


# Constants that derivative texts may name, as exact SymPy texts.
NAMED_CONSTANTS = {
    "pi": "pi",
    "e": "exp(1)",
    "ln2": "log(2)",
    "ln10": "log(10)",
    "two_over_sqrt_pi": "2/sqrt(pi)",
}

# fmt: off
_ELEMENTWISE = (
    #    name         params derivatives                                      sympy                  numpy                     python
    _row("add",       "x y", ["g", "g"],                                      "x + y",               "add",                    "{x} + {y}"),
    _row("sub",       "x y", ["g", "-g"],                                     "x - y",               "subtract",               "{x} - {y}"),
    _row("mul",       "x y", ["g*y", "g*x"],                                  "x*y",                 "multiply",               "{x} * {y}"),
    _row("div",       "x y", ["g/y", "-g*out/y"],                             "x/y",                 "divide",                 "{x} / {y}", "Ne(y, 0)"),
    _row("neg",       "x",   ["-g"],                                          "-x",                  "negative",               "-{x}"),
    _row("ipow",      "x",   ["g*(n*x**(n - 1))"],                            "x**n",                "power",                  "{x}**{n}"),
    _row("rpow",      "x",   ["g*(n*x**(n - 1))"],                            "x**n",                "power",                  "pow({x}, {n})", "x >= 0", "x == 0"),
    _row("pow",       "x y", ["g*(y*x**(y - 1))", "g*(out*log(x))"],          "x**y",                "float_power",            "pow({x}, {y})", "x > 0", "x == 0"),
    _row("exp",       "x",   ["g*out"],                                       "exp(x)",              "exp",                    "exp({x})"),
    _row("expm1",     "x",   ["g*(out + 1)"],                                 "exp(x) - 1",          "expm1",                  "expm1({x})"),
    _row("log",       "x",   ["g/x"],                                         "log(x)",              "log",                    "log({x})", "x > 0"),
    _row("log1p",     "x",   ["g/(1 + x)"],                                   "log(1 + x)",          "log1p",                  "log1p({x})", "x > -1"),
    _row("log2",      "x",   ["g/(x*ln2)"],                                   "log(x)/log(2)",       "log2",                   "log2({x})", "x > 0"),
    _row("log10",     "x",   ["g/(x*ln10)"],                                  "log(x)/log(10)",      "log10",                  "log10({x})", "x > 0"),
    _row("sqrt",      "x",   ["g*0.5/out"],                                   "sqrt(x)",             "sqrt",                   "sqrt({x})", "x >= 0", "x == 0"),
    _row("cbrt",      "x",   ["g/(3*(out*out))"],                             "sign(x)*Abs(x)**(1/3)", "cbrt",                 "cbrt({x})", "True", "x == 0"),
    _row("sin",       "x",   ["g*cos(x)"],                                    "sin(x)",              "sin",                    "sin({x})"),
    _row("cos",       "x",   ["-g*sin(x)"],                                   "cos(x)",              "cos",                    "cos({x})"),
    _row("tan",       "x",   ["g*(1 + out*out)"],                             "tan(x)",              "tan",                    "tan({x})", "Ne(cos(x), 0)"),
    _row("asin",      "x",   ["g/sqrt(1 - x*x)"],                             "asin(x)",             "arcsin",                 "asin({x})", "Abs(x) <= 1", "x*x == 1"),
    _row("acos",      "x",   ["-g/sqrt(1 - x*x)"],                            "acos(x)",             "arccos",                 "acos({x})", "Abs(x) <= 1", "x*x == 1"),
    _row("atan",      "x",   ["g/(1 + x*x)"],                                 "atan(x)",             "arctan",                 "atan({x})"),
    _row("atan2",     "y x", ["g*x/(x*x + y*y)", "-g*y/(x*x + y*y)"],         "atan2(y, x)",         "arctan2",                "atan2({y}, {x})", "Ne(x**2 + y**2, 0)", "x*x + y*y == 0"),
    _row("sinh",      "x",   ["g*cosh(x)"],                                   "sinh(x)",             "sinh",                   "sinh({x})"),
    _row("cosh",      "x",   ["g*sinh(x)"],                                   "cosh(x)",             "cosh",                   "cosh({x})"),
    _row("tanh",      "x",   ["g*(1 - out*out)"],                             "tanh(x)",             "tanh",                   "tanh({x})"),
    _row("asinh",     "x",   ["g/sqrt(x*x + 1)"],                             "asinh(x)",            "arcsinh",                "asinh({x})"),
    _row("acosh",     "x",   ["g/(sqrt(x - 1)*sqrt(x + 1))"],                 "acosh(x)",            "arccosh",                "acosh({x})", "x >= 1", "x == 1"),
    _row("atanh",     "x",   ["g/(1 - x*x)"],                                 "atanh(x)",            "arctanh",                "atanh({x})", "Abs(x) < 1"),
    _row("sigmoid",   "x",   ["g*(out*(1 - out))"],                           "1/(1 + exp(-x))",     "_sigmoid",               "_sigmoid({x})"),
    _row("softplus",  "x",   ["g*sigmoid(x)"],                                "log(1 + exp(x))",     "_softplus",              "_softplus({x})"),
    _row("logaddexp", "x y", ["g*sigmoid(x - y)", "g*sigmoid(y - x)"],        "log(exp(x) + exp(y))", "logaddexp",             "_logaddexp({x}, {y})"),
    _row("erf",       "x",   ["g*(two_over_sqrt_pi*exp(-(x*x)))"],            "erf(x)",              "_erf",                   "erf({x})"),
    _row("erfc",      "x",   ["-g*(two_over_sqrt_pi*exp(-(x*x)))"],           "erfc(x)",             "_erfc",                  "erfc({x})"),
    _row("sign",      "x",   [None],                                          "sign(x)",             "sign",                   "_sign({x})", jumps=True),
    _row("heaviside", "x y", [None, None],                                    "Heaviside(x, y)",     "heaviside",              "_heaviside({x}, {y})", jumps=True),
    _row("floor",     "x",   [None],                                          "floor(x)",            "floor",                  "_floor({x})", jumps=True),
    _row("ceil",      "x",   [None],                                          "ceiling(x)",          "ceil",                   "_ceil({x})", jumps=True),
    _row("round",     "x",   [None],                                          "round_half_even(x)",  "rint",                   "_round({x})", jumps=True),
    _row("trunc",     "x",   [None],                                          "sign(x)*floor(Abs(x))", "trunc",                "_trunc({x})", jumps=True),
    _row("fmod",      "x y", ["g", "-g*trunc(x/y)"],                          "x - y*sign(x/y)*floor(Abs(x/y))", "fmod",       "fmod({x}, {y})", "Ne(y, 0)", jumps=True),
    _row("remainder", "x y", ["g", "-g*floor(x/y)"],                          "x - y*floor(x/y)",    "remainder",              "_remainder({x}, {y})", "Ne(y, 0)", jumps=True),
)
# fmt: on


def _plain(
    name: str, params: str, kind: RowKind, numpy: str = "", python: str = "", sympy: str = ""
) -> Primitive:
    names = tuple(params.split())
    return Primitive(name, names, (None,) * len(names), sympy, numpy, python, kind=kind)


_CONDITIONS = (
    _plain("less", "x y", "condition", "less", "{x} < {y}", "x < y"),
    _plain("less_equal", "x y", "condition", "less_equal", "{x} <= {y}", "x <= y"),
    _plain("greater", "x y", "condition", "greater", "{x} > {y}", "x > y"),
    _plain("greater_equal", "x y", "condition", "greater_equal", "{x} >= {y}", "x >= y"),
    _plain("equal", "x y", "condition", "equal", "{x} == {y}", "Eq(x, y)"),
    _plain("not_equal", "x y", "condition", "not_equal", "{x} != {y}", "Ne(x, y)"),
    _plain("logical_and", "p q", "condition", "logical_and", "{p} and {q}", "And(p, q)"),
    _plain("logical_or", "p q", "condition", "logical_or", "{p} or {q}", "Or(p, q)"),
    _plain("logical_not", "p", "condition", "logical_not", "not {p}", "Not(p)"),
    _plain("isnan", "x", "condition", "isnan", "{x} != {x}", "false"),
)

COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")

# Derivatives of reductions are elementwise: `out` and `g` are broadcast back over the reduced axes.
_REDUCTIONS = (
    Primitive("logsumexp", ("x",), ("g*exp(x - out)",), "", "", "", kind="reduction"),
    Primitive("norm2", ("x",), ("g*(x/out)",), "", "", "", singular="out == 0", kind="reduction"),
)

_STRUCTURAL = (
    # constants and arrays of constants
    _plain("constant", "", "structural"),  # value: Number
    _plain("array", "", "structural"),  # name: of Program.constants
    _plain("boolean", "", "structural"),  # value: bool
    # linear, one argument; transposes in transforms/derivatives.py
    _plain("to_real", "i", "structural"),  # int or bool -> real
    _plain("broadcast", "x", "structural"),  # shape
    _plain("sum_to", "x", "structural"),  # shape: transpose of broadcasting
    _plain("reshape", "x", "structural"),  # shape
    _plain("transpose", "x", "structural"),  # axes
    _plain("index", "x", "structural"),  # key: tuple of int | slice-as-(start, stop, step), one an axis
    _plain("place", "x", "structural"),  # key, shape: zeros with x at key; transpose of index
    _plain(
        "take", "x", "structural"
    ),  # indices (flat, a NumPy int array as nested tuples), from the flattened x
    _plain("put", "x", "structural"),  # indices, shape: transpose of take, adds up
    _plain("sum", "x", "structural"),  # axes
    _plain("cumsum", "x", "structural"),  # axis, reverse
    # linear in each argument
    _plain("concat", "*x", "structural"),  # axis
    _plain("stack", "*x", "structural"),  # axis
    _plain("matmul", "a b", "structural"),
)

_CHOICES = (
    # weights of a kink's pieces: term * weight(case of left vs right); weights: 4 numbers, gate
    _plain("weigh", "left right term", "choice"),
    # extremum along axes; sense: "max" | "min"; axes; tie: rule name and its parts (ties.Reduction)
    _plain("extremum", "x", "choice"),
    # weights of the entries of x in its extremum `out`, times term (shaped as x or as out)
    _plain("weigh_extremum", "x out term", "choice"),
    _plain("argextremum", "x", "choice"),  # sense, axis -> int
    # stable permutation that sorts along an axis; descending; ties -> int
    _plain("order", "x", "choice"),
    _plain("cumargextremum", "x", "choice"),  # sense, axis, last -> int
    _plain("gather", "x i", "choice"),  # axis: x[..., i, ...]; linear in x
    _plain("scatter", "x i", "choice"),  # axis, size: transpose of gather, adds up
)

TABLE: dict[str, Primitive] = {
    row.name: row for row in (*_ELEMENTWISE, *_CONDITIONS, *_REDUCTIONS, *_STRUCTURAL, *_CHOICES)
}


def smooth_names() -> tuple[str, ...]:
    """Elementwise rows that have a derivative, in the order of the table."""
    return tuple(row.name for row in _ELEMENTWISE if row.smooth)
