"""Calls of the tree to terms: functions of the file are inlined, all others become instructions.

user's function > where, load, range > max, min > arrays and orderings > prelude.cf > rows of the table
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from cfcompiler import errors
from cfcompiler.ir import Value
from cfcompiler.language import tree
from cfcompiler.language.arguments import matched, of_function, wrong_arguments
from cfcompiler.language.called import Called
from cfcompiler.language.emission import Emission
from cfcompiler.language.functions import BUILTINS, REDUCTIONS, SPECIAL, Builtin
from cfcompiler.language.parameters import bind
from cfcompiler.language.prelude import Prelude, prelude
from cfcompiler.language.reductions import extremum_of_many, leading
from cfcompiler.language.statements import Statements
from cfcompiler.language.terms import POISON, Exact, Poison, Scope, Term
from cfcompiler.primitives import TABLE
from cfcompiler.source import Span

_NO_ARCHIVE = "it is not an .npz archive"
# Rows that keep a number known: floor((len(x) - 1)/2) is an index.
_ROUNDING: dict[str, Callable[[Fraction], int]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
}


@lru_cache(maxsize=1)
def rows() -> tuple[str, ...]:
    """The rows of the table that a program may call by name."""
    hidden = {"add", "sub", "mul", "div", "neg", "ipow", "rpow"}
    return tuple(row.name for row in TABLE.values() if row.kind == "elementwise" and row.name not in hidden)


def callables() -> tuple[str, ...]:
    """Every function of the language."""
    return tuple(sorted({*prelude(), *rows(), *BUILTINS, *REDUCTIONS, *SPECIAL}))


class Calls:
    """Evaluates the calls of one program."""

    def __init__(self, statements: Statements, functions: Mapping[str, tree.Function], folder: Path) -> None:
        self.statements = statements
        self.evaluator = statements.evaluator
        self.emission = statements.emission
        self.prelude = Prelude(statements.evaluator)
        self.functions = functions
        self.folder = folder  # where `load` looks
        self.active: list[str] = []  # the functions being written, outermost first

    def value(self, node: tree.Call, scope: Scope, name: str | None) -> Term:
        """The value of a call: inlined, or instructions."""
        if not isinstance(node.function, tree.Name) or scope.get(node.function.text) is not None:
            return self._arguments_only(node, scope)
        function = node.function.text
        if not scope.prelude and function in self.functions:
            return self._inlined(self.functions[function], node, scope)
        if function == "where":
            return self._where(node, scope, name)
        if function == "select" and scope.prelude:
            return self._select(node, scope, name)
        if function == "load":
            return _load(self.emission, node, self.folder)
        if function == "range":
            return self.emission.complain(errors.out_of_place(node.span, "range stands after `in` only"))
        if function in REDUCTIONS:
            return self._extremum(function, node, scope, name)
        if function in BUILTINS:
            return self._builtin(function, BUILTINS[function], node, scope, name)
        if function in prelude():
            return self.prelude.call(function, node, scope, name)
        if function in rows():
            return self._row(function, node, scope, name)
        return self._arguments_only(node, scope)

    def _arguments_only(self, node: tree.Call, scope: Scope) -> Poison:
        """The checker has complained of the function; its arguments may have mistakes of their own."""
        for argument in node.arguments:
            self.evaluator.term(argument, scope)
        return POISON

    def _inlined(self, function: tree.Function, node: tree.Call, scope: Scope) -> Term:
        """A call of a function of the file."""
        terms = of_function(self.evaluator, function, node, scope)
        if terms is None or function.name in self.active:  # the checker has complained of the circle
            return POISON
        inner = Scope(function.name, prelude=False)
        if not bind(self.evaluator, function, terms, node, inner):
            return POISON
        self.active.append(function.name)
        try:
            return self.statements.body(function, inner)
        finally:
            self.active.pop()

    def _row(self, function: str, node: tree.Call, scope: Scope, name: str | None) -> Term:
        row = TABLE[function]
        signature = f"{function}({', '.join(row.params)})"
        terms = matched(self.evaluator, node, scope, function, row.params, frozenset(), signature)
        if terms is None:
            return POISON
        only = terms[row.params[0]]
        if function in _ROUNDING and isinstance(only, Exact) and isinstance(only.value, Fraction):
            return Exact(Fraction(_ROUNDING[function](only.value)))
        values = [self.emission.real(terms[parameter], node.span) for parameter in row.params]
        present = [value for value in values if isinstance(value, Value)]
        if len(present) != len(values):
            return POISON
        if self.prelude.is_defined(function):
            return self.prelude.defined_by(function, dict(zip(row.params, present, strict=True)), node, name)
        return self.emission.apply(function, *present, span=node.span, name=name)

    def _builtin(
        self, function: str, builtin: Builtin, node: tree.Call, scope: Scope, name: str | None
    ) -> Term:
        defaults = dict(builtin.defaults)
        terms = matched(
            self.evaluator,
            node,
            scope,
            function,
            builtin.parameters,
            frozenset(defaults),
            builtin.signature(function),
        )
        if terms is None or any(isinstance(term, Poison) for term in terms.values()):
            return POISON
        if self.prelude.is_defined(function):
            called = Called(self.evaluator, {**defaults, **terms}, self.emission.place(node.span), name)
            if builtin.check is not None and isinstance(builtin.check(called), Poison):
                return POISON
            along = leading(called, flat=builtin.flat) if "axis" in defaults else terms
            return (
                POISON if isinstance(along, Poison) else self.prelude.defined_by(function, along, node, name)
            )
        if self.prelude.axis is not None and "axis" in defaults:
            defaults["axis"] = self.prelude.axis
        return builtin.rule(
            Called(self.evaluator, {**defaults, **terms}, self.emission.place(node.span), name)
        )

    def _extremum(self, function: str, node: tree.Call, scope: Scope, name: str | None) -> Term:
        """max and min: of an array along axes, of two numbers, of many."""
        if len(node.arguments) == 2:
            return self.prelude.call(function, node, scope, name)
        if len(node.arguments) > 2 and not node.keywords:
            terms = [self.evaluator.term(argument, scope) for argument in node.arguments]
            if any(isinstance(term, Poison) for term in terms):
                return POISON
            return extremum_of_many(
                Called(self.evaluator, {}, self.emission.place(node.span), name), function, terms
            )
        return self._builtin(function, REDUCTIONS[function], node, scope, name)

    def _where(self, node: tree.Call, scope: Scope, name: str | None) -> Term:
        """Eager: both arms are evaluated, unless the preset gives the arm not taken nothing at all."""
        terms = matched(self.evaluator, node, scope, "where", ("c", "a", "b"), frozenset(), "where(c, a, b)")
        if terms is None:
            return POISON
        truth = self.emission.condition(terms["c"], node.span)
        then, orelse = self.emission.real(terms["a"], node.span), self.emission.real(terms["b"], node.span)
        if isinstance(truth, Poison) or isinstance(then, Poison) or isinstance(orelse, Poison):
            return POISON
        guard = self.emission.boolean(truth)
        if self.emission.site is None:
            self.emission.met.add(("where", "where"))
        strong = self.emission.rules.where.strong and self.emission.site is None
        lazy = strong and not guard.shape and then.shape == orelse.shape
        return self.emission.select(guard, then, orelse, lazy=lazy, span=node.span, name=name)

    def _select(self, node: tree.Call, scope: Scope, name: str | None) -> Term:
        """The selection primitive of the prelude."""
        parameters = ("left", "right", "above", "below")
        terms = matched(
            self.evaluator,
            node,
            scope,
            "select",
            parameters,
            frozenset(),
            "select(left, right, above, below)",
        )
        if terms is None:
            return POISON
        values = [self.emission.real(terms[parameter], node.span) for parameter in parameters]
        present = [value for value in values if isinstance(value, Value)]
        if len(present) != len(values):
            return POISON
        left, right, above, below = present
        return self.emission.kink(left, right, above, below, node.span, name)


def _load(emission: Emission, node: tree.Call, folder: Path) -> Term:
    """load("net.npz", "W1"): an array of constants, from a file beside the program."""
    match node.arguments:
        case (tree.Text(path), tree.Text(name)) if not node.keywords:
            return _array(emission, folder, path, name, node.span)
    return wrong_arguments(emission, node, "load", "takes two texts", 'load("net.npz", "W1")')


def _array(emission: Emission, folder: Path, path: str, name: str, span: Span) -> Term:
    try:
        with (folder / path).open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                return emission.complain(errors.unreadable_file(span, path, _NO_ARCHIVE))
            if name not in archive.files:
                return emission.complain(errors.no_array(span, path, name, archive.files))
            data = archive[name]
    except FileNotFoundError:
        return emission.complain(errors.unreadable_file(span, path, "there is no such file"))
    except OSError as error:
        return emission.complain(errors.unreadable_file(span, path, error.strerror or _NO_ARCHIVE))
    except (ValueError, EOFError, KeyError, NotImplementedError, BadZipFile, zlib.error):
        return emission.complain(errors.unreadable_file(span, path, _NO_ARCHIVE))
    if data.dtype.kind not in "fiub":
        return emission.complain(errors.bad_array(span, name, f"holds {data.dtype}, not real numbers"))
    return emission.array(path, name, data)
