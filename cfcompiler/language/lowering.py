"""Tree to Program, once: calls inlined, loops unrolled, branches under guards, piecewise functions as selections.

    def f(x):                    program f(x)
        if x > 0:                  b = greater(x, 0)
            return sqrt(x)         [b]  t = sqrt(x)
        return 0                   s = select(b, t, 0)

An early return takes the rest of the function into the other arm. Where both arms go on after an `if` with a return
somewhere inside, the rest is written in each of them. All complaints of a file are collected; a program is returned
only where there are none.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TypeAlias

import numpy as np

from cfcompiler import errors, ties
from cfcompiler.errors import CFError, Diagnostic
from cfcompiler.language import parser, tree
from cfcompiler.language.checker import TIES, check, names_bound
from cfcompiler.language.emission import LIMIT, Emission, TooLarge
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.functions import BUILTINS, REDUCTIONS, SPECIAL, Builtin, Called, extremum_of_many
from cfcompiler.language.terms import POISON, Bound, Exact, Listing, Poison, Scope, Term, Unusable
from cfcompiler.primitives import TABLE
from cfcompiler.program import Program, Shape, Value
from cfcompiler.shapes import text_of
from cfcompiler.source import NOWHERE, Source, Span

# Statements still to be run: the rest of a function, as a linked list, so that an `if` can hand it to one of its arms.
Todo: TypeAlias = "tuple[tree.Statement | Step, Todo] | None"

# Nesting deeper than this many Python calls is refused. Lowering calls nothing written in C on the way down.
DEPTH = 12_000
# Rows that keep a number known: floor((len(x) - 1)/2) is an index.
_ROUNDING: dict[str, Callable[[Fraction], int]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
}


class Step:
    """One turn of a loop: bind the name before its block."""

    __slots__ = ("name", "number", "span")

    def __init__(self, name: str, number: int, span: Span) -> None:
        self.name = name
        self.number = number
        self.span = span


class Ended:
    """What running statements came to: a returned term, or the end of the block."""

    __slots__ = ("span", "value")

    def __init__(self, value: Term, span: Span) -> None:
        self.value = value
        self.span = span


@lru_cache(maxsize=1)
def prelude() -> Mapping[str, tree.Function]:
    """The functions of prelude.cf."""
    text = resources.files("cfcompiler").joinpath("prelude.cf").read_text(encoding="utf-8")
    return parser.parse(Source(text, "prelude.cf")).functions


@lru_cache(maxsize=1)
def rows() -> tuple[str, ...]:
    """The rows of the table that a program may call by name."""
    hidden = {"add", "sub", "mul", "div", "neg", "ipow", "rpow"}
    return tuple(row.name for row in TABLE.values() if row.kind == "elementwise" and row.name not in hidden)


def callables() -> tuple[str, ...]:
    """Every function of the language."""
    return tuple(sorted({*prelude(), *rows(), *BUILTINS, *REDUCTIONS, *SPECIAL}))


def ties_of(file: tree.File) -> tuple[str, Span] | None:
    """The preset that a file names in `ties = "..."`."""
    for statement in file.statements:
        match statement:
            case tree.Assignment((tree.Name(text),), _, tree.Text(value, span)) if text == TIES:
                return value, span
            case _:
                pass
    return None


def lower(
    file: tree.File,
    source: Source,
    *,
    rules: ties.Rules,
    function: str | None = None,
    static: Mapping[str, int] | None = None,
    syntax: tuple[Diagnostic, ...] = (),
) -> Program:
    """The program of `function` (the last one of the file). Raises CFError with all that is wrong.

    `static` gives values to inputs declared Int. `syntax`: what the parser complained of already.
    """
    with _deep():
        found = list(syntax)
        lowering: _Lowering | None = None
        try:
            found += [item for item in check(file, callables()) if not (syntax and item.code == "CF003")]
            functions = file.functions
            chosen = function if function is not None else next(reversed(functions), None)
            if chosen is not None and chosen not in functions:
                found.append(errors.unknown_function(chosen, tuple(functions)))
                chosen = None
            if chosen is None:
                raise CFError(found, source)
            lowering = _Lowering(file, source, rules, chosen)
            program = lowering.program(functions[chosen], static or {})
            found += lowering.emission.diagnostics
        except RecursionError:
            found.append(errors.too_deep(NOWHERE if lowering is None else lowering.at))
    if found:
        raise CFError(found, source)
    assert program is not None, "a program without complaints has a result"
    return program


@contextmanager
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class _Lowering:
    def __init__(self, file: tree.File, source: Source, rules: ties.Rules, name: str) -> None:
        self.file = file
        self.functions = file.functions
        self.emission = Emission(name, source, rules)
        self.evaluator = Evaluator(self)
        self.rules = rules
        self.folder = Path(source.path).parent if source.path not in ("-", "<stdin>") else Path()
        self.constants: dict[str, Term | None] = {}  # None while it is being evaluated
        self.active: list[str] = []
        self.at = NOWHERE  # the statement being lowered
        self.defining: set[str] = set()
        self.axis: Term | None = None  # of the reduction whose definition is being written
        self.definitions: dict[str, tree.Function] = {}

    # the whole

    def program(self, function: tree.Function, static: Mapping[str, int]) -> Program | None:
        scope = Scope(function.name, self.functions, prelude=False)
        self._inputs(function, scope, static)
        self.emission.builder.reserve_names(dict.fromkeys(self._names()))
        self.active.append(function.name)
        try:
            result = self._body(function, scope)
            for statement in self.file.statements:
                if isinstance(statement, tree.Assignment):
                    for target in statement.targets:
                        if isinstance(target, tree.Name) and target.text != TIES:
                            self.file_constant(target.text)
        except TooLarge as error:
            self.emission.complain(errors.too_large(error.span, LIMIT))
            return None
        values = self._results(result, function)
        return None if values is None else self.emission.builder.finish(values)

    def _names(self) -> Iterator[str]:
        """Every name that the file assigns."""
        yield from names_bound(self.file.statements)
        for function in self.functions.values():
            yield from names_bound(function.block)

    def _results(self, result: Term, function: tree.Function) -> list[Value] | None:
        values = []
        for term in result if isinstance(result, tuple) else (result,):
            value = self.emission.real(term, function.span)
            if isinstance(value, Poison):
                return None
            values.append(value)
        return values

    def _inputs(self, function: tree.Function, scope: Scope, static: Mapping[str, int]) -> None:
        integers: list[str] = []
        for parameter in function.parameters:
            if isinstance(parameter.annotation, tree.Name) and parameter.annotation.text == "Int":
                integers.append(parameter.name)
                scope.bind(parameter.name, self._static_input(parameter, scope, static))
                continue
            shape = self._declared(parameter.annotation, scope)
            if isinstance(shape, Poison):
                scope.bind(parameter.name, POISON)
                continue
            data = _kind(parameter.annotation) == "Const"
            value = self.emission.builder.param(parameter.name, shape or (), differentiable=not data)
            scope.bind(parameter.name, value)
        for name in static:
            if name not in integers:
                self.emission.complain(errors.unknown_static(name, integers))

    def _static_input(self, parameter: tree.Parameter, scope: Scope, static: Mapping[str, int]) -> Term:
        if parameter.name in static:
            return Exact(Fraction(static[parameter.name]))
        if parameter.default is None:
            return self.emission.complain(errors.static_input(parameter.span, parameter.name, "has no value"))
        number = self.evaluator.whole(parameter.default, scope, f"the default of {parameter.name!r}")
        return POISON if isinstance(number, Poison) else Exact(Fraction(number))

    def _declared(self, annotation: tree.Expression | None, scope: Scope) -> Shape | Poison | None:
        """The declared shape; None where nothing is declared."""
        match annotation:
            case tree.Name("Real" | "Const"):
                return ()
            case tree.Index(tree.Name("Real" | "Const"), subscripts, span):
                sizes = []
                for item in subscripts:
                    if isinstance(item, tree.Slice):
                        return POISON
                    size = self.evaluator.whole(item, scope, "a shape")
                    if isinstance(size, Poison):
                        return POISON
                    if size < 1:
                        return self.emission.complain(
                            errors.annotation(span, "sizes are positive whole numbers")
                        )
                    sizes.append(size)
                return tuple(sizes)
            case _:
                return None

    def assigns(self, function: str, name: str) -> bool:
        """Somewhere in `function` the name is assigned."""
        return function in self.functions and name in names_bound(self.functions[function].block)

    def file_constant(self, name: str) -> Term | None:
        """The value of a file-level constant, evaluated at its first use outside every branch."""
        if name in self.constants:
            found = self.constants[name]
            return POISON if found is None else found
        for statement in reversed(self.file.statements):
            if not isinstance(statement, tree.Assignment):
                continue
            if any(isinstance(target, tree.Name) and target.text == name for target in statement.targets):
                if name == TIES and isinstance(statement.value, tree.Text):
                    return None
                self._evaluate_constant(statement)
                return self.constants.get(name, POISON)
        return None

    def _evaluate_constant(self, statement: tree.Assignment) -> None:
        names = [target.text for target in statement.targets if isinstance(target, tree.Name)]
        self.constants.update(dict.fromkeys(names))
        scope = Scope("", self.functions, prelude=False)
        site, self.emission.site = self.emission.site, None
        with self.emission.builder.on(()), self.emission.user_level():
            term = self.evaluator.term(
                statement.value, scope, names[0] if names and not statement.unpacks else None
            )
            self._assign(statement, term, scope)
        self.emission.site = site
        for name in names:
            bound = scope.get(name)
            self.constants[name] = POISON if bound is None or isinstance(bound, Unusable) else bound

    # statements

    def _body(self, function: tree.Function, scope: Scope) -> Term:
        """What the function returns."""
        ended = self._run(_before(function.block, None), scope)
        if ended is None:
            return self.emission.complain(errors.missing_return(function.span, function.name))
        if function.returns is not None:
            self._check_returned(function, ended, scope)
        return ended.value

    def _check_returned(self, function: tree.Function, ended: Ended, scope: Scope) -> None:
        wanted = self._declared(function.returns, scope)
        found = ended.value
        if isinstance(wanted, tuple) and isinstance(found, Value) and found.shape != wanted:
            what = f"{function.name!r} is declared to return {text_of(wanted)}, and this is {text_of(found.shape)}"
            self.emission.complain(errors.shapes(ended.span, what))

    def _run(self, todo: Todo, scope: Scope) -> Ended | None:
        """Run statements until a return; None where the end is reached."""
        while todo is not None:
            statement, todo = todo
            self.at = statement.span
            match statement:
                case tree.Assignment(targets, unpacks, value):
                    target = targets[0]
                    name = target.text if not unpacks and isinstance(target, tree.Name) else None
                    term = self.evaluator.term(value, scope, name)
                    if name is not None and not isinstance(term, tuple):
                        scope.bind(name, term)
                    else:
                        self._assign(statement, term, scope)
                case tree.Augmented():
                    self._augment(statement, scope)
                case tree.Return(value, span):
                    if value is None:
                        return Ended(
                            self.emission.complain(errors.missing_return(span, scope.function)), span
                        )
                    return Ended(self.evaluator.term(value, scope), span)
                case tree.Branch():
                    truth = self._guard(statement.arms[0].condition, scope)
                    if isinstance(truth, bool):
                        todo = _before(statement.arms[0].block if truth else _otherwise(statement), todo)
                        continue
                    if _has_return(statement):
                        return self._divided(statement, truth, todo, scope)
                    self._branched(statement, truth, scope)
                case tree.Loop():
                    todo = self._turns(statement, todo, scope)
                case Step():
                    scope.bind(statement.name, Exact(Fraction(statement.number)))
                    if len(self.emission.builder.instructions) > LIMIT:
                        raise TooLarge(statement.span)
                case tree.Assertion():
                    self._assert(statement, scope)
                case tree.Alone(value):
                    if not isinstance(value, tree.Text):
                        self.evaluator.term(value, scope)
                case tree.Pass() | tree.Function():
                    pass
        return None

    def _assign(self, statement: tree.Assignment, term: Term, scope: Scope) -> None:
        names = [target.text for target in statement.targets if isinstance(target, tree.Name)]
        if not statement.unpacks:
            for name in names:
                scope.bind(name, term)
            return
        parts = self._unpacked(term, len(statement.targets), statement.span)
        for index, target in enumerate(statement.targets):
            if isinstance(target, tree.Name):
                scope.bind(target.text, POISON if parts is None else parts[index])

    def _unpacked(self, term: Term, count: int, span: Span) -> list[Term] | None:
        """The parts of a tuple, or of an array along its first axis."""
        if isinstance(term, Poison):
            return None
        if isinstance(term, (tuple, Listing)):
            items = list(term.items if isinstance(term, Listing) else term)
            if len(items) != count:
                self.emission.complain(errors.unpacking(span, count, f"{len(items)} values"))
                return None
            return list(items)
        value = self.emission.real(term, span)
        if isinstance(value, Poison):
            return None
        if not value.shape or value.shape[0] != count:
            what = f"{value.shape[0]} entries" if value.shape else "one number"
            self.emission.complain(errors.unpacking(span, count, what))
            return None
        return [self.emission.apply("index", value, span=span, key=(place,)) for place in range(count)]

    def _augment(self, statement: tree.Augmented, scope: Scope) -> None:
        name, span = statement.target.text, statement.span
        if statement.operator == "**":
            scope.bind(
                name, self.evaluator.term(tree.Power(statement.target, statement.value, span), scope, name)
            )
            return
        left = self.evaluator.term(statement.target, scope)
        right = self.evaluator.term(statement.value, scope)
        scope.bind(name, self.evaluator.binary(statement.operator, left, right, span, name))

    def _assert(self, statement: tree.Assertion, scope: Scope) -> None:
        truth = self.evaluator.condition(statement.condition, scope)
        message = statement.message.value if isinstance(statement.message, tree.Text) else ""
        if truth is False:
            self.emission.complain(errors.false_assertion(statement.span, message))
        elif isinstance(truth, Value):
            self.emission.builder.assertion(truth, message, self.emission.place(statement.span))

    # branches

    def _guard(self, condition: tree.Expression, scope: Scope) -> Value | bool | Poison:
        truth = self.evaluator.condition(condition, scope)
        if isinstance(truth, Value) and truth.shape:
            return self.emission.complain(errors.array_condition(condition.span))
        return truth

    def _branched(self, branch: tree.Branch, truth: Value | Poison, scope: Scope) -> None:
        """An `if` that goes on below: what its arms bind is chosen lazily."""
        then = self._arm(branch.arms[0].block, truth, True, scope)
        orelse = self._arm(_otherwise(branch), truth, False, scope)
        for name in dict.fromkeys((*then, *orelse)):
            before = scope.get(name)
            first, second = then.get(name, before), orelse.get(name, before)
            scope.bind(name, self._merged(name, truth, first, second, branch.span))

    def _arm(self, block: tree.Block, truth: Value | Poison, taken: bool, scope: Scope) -> dict[str, Bound]:
        scope.begin()
        if isinstance(truth, Value):
            with self.emission.builder.under(truth, taken):
                self._run(_before(block, None), scope)
        else:
            self._run(_before(block, None), scope)
        return scope.end()

    def _merged(
        self, name: str, truth: Value | Poison, first: Bound | None, second: Bound | None, span: Span
    ) -> Bound:
        if first is None or second is None:
            return Unusable(lambda place: errors.unbound_on_a_path(place, name))
        for bound in (first, second):
            if isinstance(bound, Unusable):
                return bound
        if isinstance(truth, Poison):
            return POISON
        assert not isinstance(first, Unusable) and not isinstance(second, Unusable)
        if isinstance(first, Value) and isinstance(second, Value) and first.shape != second.shape:
            then, orelse = text_of(first.shape), text_of(second.shape)
            return Unusable(lambda _: errors.arms_differ(span, then, orelse))
        return self.evaluator.joined(truth, first, second, span, name)

    def _divided(self, branch: tree.Branch, truth: Value | Poison, todo: Todo, scope: Scope) -> Ended | None:
        """An `if` with a return inside: what follows belongs to the arms that go on."""
        ended = []
        for block, taken in ((branch.arms[0].block, True), (_otherwise(branch), False)):
            scope.begin()
            if isinstance(truth, Value):
                with self.emission.builder.under(truth, taken):
                    ended.append(self._run(_before(block, todo), scope))
            else:
                ended.append(self._run(_before(block, todo), scope))
            scope.end()
        first, second = ended
        if first is None or second is None:
            return None
        if isinstance(truth, Poison):
            return Ended(POISON, branch.span)
        return Ended(self.evaluator.joined(truth, first.value, second.value, branch.span, None), branch.span)

    # loops

    def _turns(self, loop: tree.Loop, todo: Todo, scope: Scope) -> Todo:
        """The turns of a loop, before what follows it."""
        bounds = self._range(loop.values, scope)
        if bounds is None:
            for name in (loop.name.text, *names_bound(loop.block)):
                scope.bind(name, POISON)
            return todo
        for number in reversed(bounds):
            todo = (Step(loop.name.text, number, loop.span), _before(loop.block, todo))
        return todo

    def _range(self, values: tree.Expression, scope: Scope) -> range | None:
        match values:
            case tree.Call(tree.Name("range"), arguments, (), span) if 1 <= len(arguments) <= 3:
                numbers = [self.evaluator.whole(item, scope, "the bound of a loop") for item in arguments]
                bounds = [number for number in numbers if not isinstance(number, Poison)]
                if len(bounds) != len(numbers):
                    return None
                if len(bounds) == 3 and bounds[2] == 0:
                    self.emission.complain(errors.bad_index(span, "the step of a range cannot be 0"))
                    return None
                turns = range(*bounds)
                if len(turns) > LIMIT:
                    raise TooLarge(span)
                return turns
            case tree.Missing():
                return None
        self.emission.complain(
            errors.not_static(values.span, "what a loop runs over", "write range(n), with n static")
        )
        return None

    # calls

    def call(self, node: tree.Call, scope: Scope, name: str | None) -> Term:
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
            return self._load(node)
        if function == "range":
            return self.emission.complain(errors.out_of_place(node.span, "range stands after `in` only"))
        if function in REDUCTIONS:
            return self._extremum(function, node, scope, name)
        if function in BUILTINS:
            return self._builtin(function, BUILTINS[function], node, scope, name)
        if function in prelude():
            return self._from_prelude(prelude()[function], node, scope, name)
        if function in rows():
            return self._row(function, node, scope, name)
        return self._arguments_only(node, scope)

    def _arguments_only(self, node: tree.Call, scope: Scope) -> Poison:
        """The checker has complained of the function; its arguments may have mistakes of their own."""
        for argument in node.arguments:
            self.evaluator.term(argument, scope)
        return POISON

    def _wrong_arguments(self, node: tree.Call, function: str, what: str, signature: str) -> None:
        self.emission.complain(errors.wrong_arguments(node.span, repr(function), what, signature))

    def _matched(
        self,
        node: tree.Call,
        scope: Scope,
        function: str,
        parameters: tuple[str, ...],
        optional: frozenset[str],
        signature: str,
    ) -> dict[str, Term] | None:
        """Terms by parameter name; parameters left out are missing from it. None after a complaint."""
        terms: dict[str, Term] = {}
        sound = True
        for index, argument in enumerate(node.arguments):
            term = self.evaluator.term(argument, scope)
            if index < len(parameters):
                terms[parameters[index]] = term
        if len(node.arguments) > len(parameters):
            what = (
                f"takes {len(parameters)} argument{'s' * (len(parameters) != 1)}, not {len(node.arguments)}"
            )
            self._wrong_arguments(node, function, what, signature)
            return None
        for keyword in node.keywords:
            term = self.evaluator.term(keyword.value, scope)
            if keyword.name not in parameters:
                what, sound = f"has no parameter {keyword.name!r}", False
            elif keyword.name in terms:
                what, sound = f"gets {keyword.name!r} twice", False
            else:
                terms[keyword.name] = term
                continue
            self.emission.complain(errors.wrong_arguments(keyword.span, repr(function), what, signature))
        missing = [
            parameter for parameter in parameters if parameter not in terms and parameter not in optional
        ]
        if missing and sound:
            self._wrong_arguments(node, function, "misses " + ", ".join(map(repr, missing)), signature)
        return terms if sound and not missing else None

    def _inlined(self, function: tree.Function, node: tree.Call, scope: Scope) -> Term:
        """A call of a function of the file."""
        terms = self._of_function(function, node, scope)
        if terms is None or function.name in self.active:  # the checker has complained of the circle
            return POISON
        inner = Scope(function.name, self.functions, prelude=False)
        if not self._bound(function, terms, node, inner):
            return POISON
        self.active.append(function.name)
        try:
            return self._body(function, inner)
        finally:
            self.active.pop()

    def _of_function(self, function: tree.Function, node: tree.Call, scope: Scope) -> dict[str, Term] | None:
        names = tuple([parameter.name for parameter in function.parameters])
        optional = frozenset([item.name for item in function.parameters if item.default is not None])
        return self._matched(node, scope, function.name, names, optional, _signature(function))

    def _bound(self, function: tree.Function, terms: dict[str, Term], node: tree.Call, inner: Scope) -> bool:
        """Bind the parameters of a call, with defaults; False after a complaint about a declared shape."""
        sound = True
        for parameter in function.parameters:
            if parameter.name in terms:
                term = terms[parameter.name]
            else:
                assert parameter.default is not None
                term = self.evaluator.term(
                    parameter.default, Scope("", self.functions, prelude=inner.prelude)
                )
            if not inner.prelude and not self._as_declared(parameter, term, node, inner):
                sound = False
            inner.bind(parameter.name, term)
        return sound

    def _as_declared(self, parameter: tree.Parameter, term: Term, node: tree.Call, inner: Scope) -> bool:
        if isinstance(term, Poison) or parameter.annotation is None:
            return True
        if _kind(parameter.annotation) == "Int":
            found = self.evaluator.as_whole(term, node.span, f"the argument {parameter.name!r}")
            return not isinstance(found, Poison)
        wanted = self._declared(parameter.annotation, inner)
        if not isinstance(wanted, tuple):
            return wanted is None
        value = self.emission.real(term, node.span)
        if isinstance(value, Poison):
            return False
        if value.shape != wanted:
            self.emission.complain(
                errors.argument_shape(node.span, parameter.name, text_of(wanted), text_of(value.shape))
            )
            return False
        return True

    def _from_prelude(self, function: tree.Function, node: tree.Call, scope: Scope, name: str | None) -> Term:
        """A call of a function of the prelude, or of what the preset writes in its place."""
        terms = self._of_function(function, node, scope)
        if terms is None or any(isinstance(term, Poison) for term in terms.values()):
            return POISON
        inner = Scope(function.name, prelude(), prelude=True)
        self._bound(function, terms, node, inner)
        with self.emission.called_at(node.span):
            if self._is_defined(function.name) and self._mentions(function, node):
                return self._defined(function.name, inner, name)
            self.emission.begin(function.name)
            try:
                return self._prelude_body(function, inner, name)
            finally:
                self.emission.end()

    def _prelude_body(self, function: tree.Function, inner: Scope, name: str | None) -> Term:
        """A body of the prelude is assignments and a return, which gets the user's name."""
        for statement in function.block:
            match statement:
                case tree.Assignment((tree.Name(text),), _, value):
                    inner.bind(text, self.evaluator.term(value, inner))
                case tree.Return(value) if value is not None:
                    return self.evaluator.term(value, inner, name)
                case _:
                    raise AssertionError(f"{function.name} of the prelude is not a row of assignments")
        raise AssertionError(f"{function.name} of the prelude returns nothing")

    def _is_defined(self, function: str) -> bool:
        """The preset writes this operation by others, and the user called it."""
        return function in self.rules.defines and self.emission.outermost and function not in self.defining

    def _mentions(self, function: tree.Function, node: tree.Call) -> bool:
        """The preset's text has every parameter that the call gives."""
        given = [parameter.name for parameter in function.parameters[: len(node.arguments)]]
        given += [keyword.name for keyword in node.keywords]
        return set(given) <= set(re.findall(r"\w+", self.rules.defines[function.name]))

    def _defined(self, function: str, inner: Scope, name: str | None) -> Term:
        """The preset's text of an operation; the rules are those of the operations in it."""
        if function not in self.definitions:
            text = self.rules.defines[function]
            self.definitions[function] = parser.definition(text, Source(text, f"{self.rules.preset}.toml"))
        self.defining.add(function)
        try:
            return self._prelude_body(self.definitions[function], inner, name)
        finally:
            self.defining.discard(function)

    def _defined_by(self, function: str, terms: dict[str, Term], node: tree.Call, name: str | None) -> Term:
        """A row or a reduction that the preset defines; an axis given holds for the reductions in the text."""
        inner = Scope(function, prelude(), prelude=True)
        for parameter, term in terms.items():
            inner.bind(parameter, term)
        before, self.axis = self.axis, terms.get("axis", self.axis)
        try:
            with self.emission.called_at(node.span):
                return self._defined(function, inner, name)
        finally:
            self.axis = before

    def _row(self, function: str, node: tree.Call, scope: Scope, name: str | None) -> Term:
        row = TABLE[function]
        signature = f"{function}({', '.join(row.params)})"
        terms = self._matched(node, scope, function, row.params, frozenset(), signature)
        if terms is None:
            return POISON
        only = terms[row.params[0]]
        if function in _ROUNDING and isinstance(only, Exact) and isinstance(only.value, Fraction):
            return Exact(Fraction(_ROUNDING[function](only.value)))
        values = [self.emission.real(terms[parameter], node.span) for parameter in row.params]
        present = [value for value in values if isinstance(value, Value)]
        if len(present) != len(values):
            return POISON
        if self._is_defined(function):
            return self._defined_by(function, dict(zip(row.params, present, strict=True)), node, name)
        return self.emission.apply(function, *present, span=node.span, name=name)

    def _builtin(
        self, function: str, builtin: Builtin, node: tree.Call, scope: Scope, name: str | None
    ) -> Term:
        defaults = dict(builtin.defaults)
        terms = self._matched(
            node, scope, function, builtin.parameters, frozenset(defaults), builtin.signature(function)
        )
        if terms is None or any(isinstance(term, Poison) for term in terms.values()):
            return POISON
        if self._is_defined(function):
            return self._defined_by(function, terms, node, name)
        if self.axis is not None and "axis" in defaults:
            defaults["axis"] = self.axis
        return builtin.rule(
            Called(self.evaluator, {**defaults, **terms}, self.emission.place(node.span), name)
        )

    def _extremum(self, function: str, node: tree.Call, scope: Scope, name: str | None) -> Term:
        """max and min: of an array along axes, of two numbers, of many."""
        if len(node.arguments) == 2:
            return self._from_prelude(prelude()[function], node, scope, name)
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
        terms = self._matched(node, scope, "where", ("c", "a", "b"), frozenset(), "where(c, a, b)")
        if terms is None:
            return POISON
        truth = self.emission.condition(terms["c"], node.span)
        then, orelse = self.emission.real(terms["a"], node.span), self.emission.real(terms["b"], node.span)
        if isinstance(truth, Poison) or isinstance(then, Poison) or isinstance(orelse, Poison):
            return POISON
        guard = self.emission.boolean(truth)
        strong = self.rules.where.strong and self.emission.site is None
        lazy = strong and not guard.shape and then.shape == orelse.shape
        return self.emission.select(guard, then, orelse, lazy=lazy, span=node.span, name=name)

    def _select(self, node: tree.Call, scope: Scope, name: str | None) -> Term:
        """The selection primitive of the prelude."""
        parameters = ("left", "right", "above", "below")
        terms = self._matched(
            node, scope, "select", parameters, frozenset(), "select(left, right, above, below)"
        )
        if terms is None:
            return POISON
        values = [self.emission.real(terms[parameter], node.span) for parameter in parameters]
        present = [value for value in values if isinstance(value, Value)]
        if len(present) != len(values):
            return POISON
        left, right, above, below = present
        return self.emission.kink(left, right, above, below, node.span, name)

    def _load(self, node: tree.Call) -> Term:
        """load("net.npz", "W1"): an array of constants, from a file beside the program."""
        match node.arguments:
            case (tree.Text(path), tree.Text(name)) if not node.keywords:
                return self._array(path, name, node.span)
        self._wrong_arguments(node, "load", "takes two texts", 'load("net.npz", "W1")')
        return POISON

    def _array(self, path: str, name: str, span: Span) -> Term:
        try:
            with np.load(self.folder / path, allow_pickle=False) as archive:
                if not isinstance(archive, np.lib.npyio.NpzFile):
                    return self.emission.complain(
                        errors.unreadable_file(span, path, "it is not an .npz archive")
                    )
                if name not in archive.files:
                    return self.emission.complain(errors.no_array(span, path, name, archive.files))
                data = archive[name]
        except (OSError, ValueError, EOFError, KeyError) as error:
            reason = (
                "there is no such file"
                if isinstance(error, FileNotFoundError)
                else "it is not an .npz archive"
            )
            return self.emission.complain(errors.unreadable_file(span, path, reason))
        if data.dtype.kind not in "fiub":
            return self.emission.complain(
                errors.bad_array(span, name, f"holds {data.dtype}, not real numbers")
            )
        return self.emission.array(path, name, data)


def _before(block: tree.Block, todo: Todo) -> Todo:
    for statement in reversed(block):
        todo = (statement, todo)
    return todo


def _otherwise(branch: tree.Branch) -> tree.Block:
    """What runs where the first condition fails: the other arms, or the else."""
    if len(branch.arms) == 1:
        return branch.orelse
    rest = tree.Branch(branch.arms[1:], branch.orelse, branch.arms[1].span)
    return (rest,)


def _has_return(branch: tree.Branch) -> bool:
    blocks = [*[arm.block for arm in branch.arms], branch.orelse]
    while blocks:
        for statement in blocks.pop():
            match statement:
                case tree.Return():
                    return True
                case tree.Branch(arms, orelse):
                    blocks += [*[arm.block for arm in arms], orelse]
                case tree.Loop(block=block):
                    blocks.append(block)
                case _:
                    pass
    return False


def _kind(annotation: tree.Expression | None) -> str:
    match annotation:
        case tree.Name(text) | tree.Index(tree.Name(text)):
            return text
        case _:
            return ""


def _signature(function: tree.Function) -> str:
    shown = [item.name + ("" if item.default is None else "=...") for item in function.parameters]
    return f"{function.name}({', '.join(shown)})"
