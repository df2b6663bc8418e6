"""The table of primitives, prelude.cf and the built-in functions -> the pages of the language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeAlias

import cfcompiler
from cfcompiler.analyses.tie_table import tie_table
from cfcompiler.language.calls import rows as callable_rows
from cfcompiler.language.functions import BUILTINS, REDUCTIONS
from cfcompiler.language.prelude import prelude
from cfcompiler.primitives import TABLE, Primitive
from cfcompiler.report import TieRow
from cfcompiler.shapes import text_of
from generate.markdown import block, code, plain, table

# The presets that are shown beside a function; the pages of the frameworks have them all.
SHOWN = ("torch", "jax", "tensorflow")
# Operators are rows of the table, too, under names that a program does not call.
OPERATORS = {"add": "x + y", "sub": "x - y", "mul": "x * y", "div": "x / y", "neg": "-x"}
POWERS = {"ipow": "x**n, n an integer", "rpow": "x**n, n a constant", "pow": "x**y"}


def operators() -> str:
    """The arithmetic of the language, with its derivatives."""
    known = {**OPERATORS, **POWERS}
    return table(
        ("written", "row", "derivative times g", "defined where"),
        [(code(text), code(name), *_derivative(TABLE[name])) for name, text in known.items()],
    )


def smooth() -> str:
    """The smooth functions, a row each."""
    rows = [TABLE[name] for name in callable_rows() if TABLE[name].smooth and name not in POWERS]
    return table(
        ("function", "value", "derivative times g", "defined where"),
        [(code(_call(row)), code(row.sympy), *_derivative(row)) for row in rows],
    )


def singular() -> str:
    """Where a smooth function has a value and no finite slope, with what the shown presets return there."""
    rows = [row for row in TABLE.values() if row.singular is not None]
    returned: dict[str, list[str]] = {}
    for found in _ties().values():
        for tie in found:
            returned.setdefault(tie.rule, []).append(
                f"{code(tie.expression)} at {code(tie.tie)}: {_cells(tie)}"
            )
    return table(
        ("row", "singular where", f"derivatives returned by {', '.join(SHOWN)}"),
        [
            (
                code(row.name),
                code(row.singular or ""),
                "<br>".join(returned.get(row.name, ["as the formula says"])),
            )
            for row in rows
        ],
    )


def steps() -> str:
    """The functions that jump."""
    rows = [TABLE[name] for name in callable_rows() if TABLE[name].jumps]
    return table(
        ("function", "value", "derivative times g"),
        [(code(_call(row)), code(row.sympy), _derivative(row)[0]) for row in rows],
    )


def piecewise() -> str:
    """The functions of the prelude: what each is, and what it returns at its tie."""
    lines = []
    for name, entry in _prelude().items():
        ties = "<br>".join(f"{code(tie.tie)}: {_cells(tie)}" for tie in _ties().get(name, ()))
        lines.append((f"[{code(entry.signature)}](#{name})", plain(entry.meaning), ties or _rule_of(name)))
    return table(("function", "value", f"at the tie: {', '.join(SHOWN)}"), lines)


def prelude_texts() -> str:
    """The definition of each function of the prelude, under a heading of its own."""
    parts = []
    for name, entry in _prelude().items():
        parts.append(
            f"### {name}\n\n{entry.meaning.capitalize() + '.' if entry.meaning else ''}\n\n{block(entry.text, 'python')}"
        )
    return "\n".join(parts)


def builtins() -> str:
    """Reductions, orderings and functions of arrays, with the shapes that come of an example."""
    missing = {*BUILTINS, *REDUCTIONS} ^ set(SAID)
    assert not missing, f"docs/generate/functions.py says nothing, or too much, of {missing}"
    signatures = {name: builtin.signature(name) for name, builtin in (*BUILTINS.items(), *REDUCTIONS.items())}
    return table(
        ("function", "value", "example, and its shape", "derivative, and the rule at the tie"),
        [
            (
                code(signatures[name]),
                said.value,
                f"{code(said.example)}: {_shape(said.example)}",
                said.derivative,
            )
            for name, said in SAID.items()
        ],
    )


def reduction_ties() -> str:
    """What the shown presets return at the ties of reductions and orderings."""
    known = set(BUILTINS) | {"reduce_max", "reduce_min"}
    rows = [tie for found in _ties().values() for tie in found if tie.rule in known]
    rows += [tie for name in ("max", "min") for tie in _ties()[name] if tie.expression.count(",") == 2]
    return table(
        ("operation", "at", *SHOWN), [(code(tie.expression), code(tie.tie), *_returned(tie)) for tie in rows]
    )


# what is said of the built-in functions


@dataclass(frozen=True, slots=True)
class _Said:
    value: str
    example: str
    derivative: str


_LINEAR = "linear"
_NONE = "an integer: nothing flows"
_SHARE = "1 for the entry chosen; the tie is rule "
_CHOICE = "a permutation, chosen once; the tie is rule "
SAID = {
    "sum": _Said("the sum over all axes, or over `axis`", "sum(m, axis=0)", _LINEAR),
    "mean": _Said("the mean", "mean(v)", _LINEAR),
    "prod": _Said("the product, multiplied in written order", "prod(v)", "right also where entries are 0"),
    "max": _Said(
        "the largest entry of all, or along `axis` (`amax` of torch); of two or more arguments the largest of them",
        "max(m, axis=1)",
        _SHARE + "`reduce_max`, of arguments `max`",
    ),
    "min": _Said(
        "the smallest entry (`amin` of torch), or argument",
        "min(v)",
        _SHARE + "`reduce_min`, of arguments `min`",
    ),
    "logsumexp": _Said("log of the sum of exp, without overflow", "logsumexp(v)", "`g*exp(x - out)`"),
    "norm2": _Said(
        "the Euclidean norm", "norm2(v)", "`g*(x/out)`; at the zero vector the formula `norm2` of the preset"
    ),
    "cumsum": _Said("sums of the first entries", "cumsum(v)", _LINEAR),
    "cummax": _Said("the largest of the first entries", "cummax(v)", _SHARE + "`cummax`"),
    "cummin": _Said("the smallest of the first entries", "cummin(v)", _SHARE + "`cummin`"),
    "argmax": _Said("the index of the first largest entry", "argmax(v)", _NONE),
    "argmin": _Said("the index of the first smallest entry", "argmin(v)", _NONE),
    "sort": _Said("the entries in order; a NaN counts as the largest", "sort(v)", _CHOICE + "`sort`"),
    "argsort": _Said("the permutation that sorts", "argsort(v)", _NONE),
    "topk": _Said("the `k` largest, in falling order, NaN before all", "topk(v, 2)", _CHOICE + "`topk`"),
    "median": _Said(
        "the middle entry, or the mean of the two in the middle (`torch.median` is then the lower one)",
        "median(v)",
        _CHOICE + "`median`",
    ),
    "quantile": _Said(
        "the `q`-th quantile, linear between entries", "quantile(v, 1/4)", _CHOICE + "`quantile`"
    ),
    "maxpool": _Said(
        "the largest of each window of `k` (of `k` by `k` in a matrix), at every `stride`",
        "maxpool(m, 2)",
        _SHARE + "`maxpool`",
    ),
    "dot": _Said("the inner product, as `@`", "dot(v, v)", "linear in each"),
    "len": _Said("the first extent, known when compiled", "zeros(len(v))", _NONE),
    "shape": _Said("all extents", "zeros(shape(m))", _NONE),
    "reshape": _Said(
        "the same entries in another shape; one extent may be -1, what the others leave",
        "reshape(m, (3, 2))",
        _LINEAR,
    ),
    "zeros": _Said("an array of zeros", "zeros((2, 2))", "constant"),
    "ones": _Said("an array of ones", "ones(4)", "constant"),
    "concat": _Said("one after the other along `axis` (0)", "concat(v, v)", _LINEAR),
    "isnan": _Said("a condition: the entry is NaN", "where(isnan(v), 0, v)", "a condition: nothing flows"),
}


def _shape(example: str) -> str:
    """The shape of an example, from the compiler: v has 4 entries, m is 2 by 3, or 4 by 4 for windows."""
    matrix = "4, 4" if "maxpool" in example else "2, 3"
    text = f"def f(v: Real[4], m: Real[{matrix}]):\n    return {example}\n"
    return code(text_of(cfcompiler.compile(text).program.results[0].shape))


# pieces of rows


def _call(row: Primitive) -> str:
    return f"{row.name}({', '.join(row.params)})"


def _derivative(row: Primitive) -> tuple[str, str]:
    """(derivative texts, domain), as cells."""
    texts = [text or "0" for text in row.derivatives]
    named = (
        texts
        if len(texts) == 1
        else [f"{name}: {text}" for name, text in zip(row.params, texts, strict=True)]
    )
    return "<br>".join(code(text) for text in named), "everywhere" if row.domain == "True" else code(
        row.domain
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    signature: str
    meaning: str
    text: str


@cache
def _prelude() -> dict[str, _Entry]:
    """Every function of prelude.cf with the comment above it; functions under one comment share it."""
    text = resources.files("cfcompiler").joinpath("prelude.cf").read_text(encoding="utf-8")
    body = text[text.index("\n\n\n") :]
    found: dict[str, _Entry] = {}
    meaning = ""
    for part in re.split(r"\n\n\n", body.strip("\n")):
        comments = re.match(r"(?:# .*\n)*", part)
        assert comments is not None
        meaning = comments[0].replace("# ", "").replace("\n", " ").strip() or meaning
        definition = part[comments.end() :]
        head = re.match(r"def (\w+)(\(.*\)):", definition)
        assert head is not None, part
        found[head[1]] = _Entry(head[1] + head[2], meaning, definition)
    assert set(found) == set(prelude())
    return found


def _rule_of(name: str) -> str:
    """A function without a tie of its own: what it is written with."""
    text = _prelude()[name].text
    used = [other for other in _prelude() if other != name and re.search(rf"\b{other}\(", text)]
    used += ["where"] * ("where(" in text)
    nonsmooth = [other for other in used if other in _ties() or other == "where"]
    return "that of " + ", ".join(code(other) for other in nonsmooth) if nonsmooth else "none: smooth"


Ties: TypeAlias = dict[str, list[TieRow]]


@cache
def _ties() -> Ties:
    found: Ties = {}
    for row in tie_table(SHOWN).rows:
        found.setdefault(row.rule, []).append(row)
    return found


def _returned(tie: TieRow) -> list[str]:
    """What each shown preset returns, as cells."""
    cells = []
    for forward, reverse in tie.returned:
        cell = " ".join(reverse)
        cells.append(cell if forward == reverse else f"{cell} (forward {' '.join(forward)})")
    return cells


def _cells(tie: TieRow) -> str:
    return ", ".join(_returned(tie))
