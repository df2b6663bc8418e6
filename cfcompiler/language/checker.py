"""A tree to the complaints that need no lowering: names, places of statements, headers, calls in a circle.

Checks every function of a file, also those that the chosen program does not reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cfcompiler import errors
from cfcompiler.errors import Diagnostic
from cfcompiler.language import tree
from cfcompiler.source import Span

NUMBERS = ("pi", "e", "inf", "nan", "True", "False")
KINDS = ("Real", "Const", "Int")
TIES = "ties"


def check(file: tree.File, functions: Iterable[str]) -> list[Diagnostic]:
    """All complaints about `file`; `functions` are the names of the language that can be called."""
    return list(_Checker(file, frozenset(functions)).run())


def names_bound(block: tree.Block) -> Iterator[str]:
    """The names that a block assigns, in any of its arms."""
    for statement in block:
        match statement:
            case tree.Assignment(targets):
                for target in targets:
                    if isinstance(target, tree.Name):
                        yield target.text
            case tree.Augmented(target):
                yield target.text
            case tree.Loop(name, _, inner):
                yield name.text
                yield from names_bound(inner)
            case tree.Branch(arms, orelse):
                for arm in arms:
                    yield from names_bound(arm.block)
                yield from names_bound(orelse)
            case _:
                pass


def returns(block: tree.Block) -> bool:
    """The block returns on every path."""
    for statement in block:
        if isinstance(statement, tree.Return):
            return True
        if isinstance(statement, tree.Branch) and all(
            returns(block) for block in (statement.orelse, *[arm.block for arm in statement.arms])
        ):
            return True
    return False


class _Checker:
    def __init__(self, file: tree.File, functions: frozenset[str]) -> None:
        self.file = file
        self.functions = functions
        self.own = file.functions
        self.constants: set[str] = set()
        self.known: frozenset[str] = frozenset()
        self.calls: dict[str, list[tuple[str, Span]]] = {name: [] for name in self.own}
        self.current = ""
        self.later: frozenset[str] = frozenset()  # parameters that an annotation cannot see yet

    def run(self) -> Iterator[Diagnostic]:
        yield from self._top_level()
        for function in self.file.statements:
            if isinstance(function, tree.Function):
                self.current = function.name
                yield from self._function(function)
        yield from self._circles()
        if not self.own:
            yield errors.no_function(Span(1, 1, 1, 2))

    # places

    def _top_level(self) -> Iterator[Diagnostic]:
        seen: set[str] = set()
        for statement in self.file.statements:
            match statement:
                case tree.Function(name, span=span):
                    if name in seen:
                        yield errors.bad_name(
                            span, f"the function {name!r} is defined twice", "give one another name"
                        )
                    seen.add(name)
                case tree.Assignment(targets, _, value, span):
                    yield from self._targets(targets)
                    self.known = frozenset(self.constants)
                    if not self._is_ties(statement):
                        yield from self._expressions([value])
                    self.constants.update(target.text for target in targets if isinstance(target, tree.Name))
                case tree.Alone(tree.Text() | tree.Missing()) | tree.Pass():
                    pass
                case tree.Return(value, span):
                    if not isinstance(value, tree.Missing):
                        yield errors.out_of_place(
                            span, "a return outside a function", "indent it under its def"
                        )
                case tree.Branch(arms, _, span):
                    if not isinstance(arms[0].condition, tree.Missing):
                        yield errors.out_of_place(span, "an if outside a function", "put it into a function")
                case _:
                    what = "only functions and constants stand outside functions"
                    yield errors.out_of_place(statement.span, what, "put it into a function")
        self.known = frozenset(self.constants)

    @staticmethod
    def _is_ties(statement: tree.Assignment) -> bool:
        return isinstance(statement.value, tree.Text) and [
            target.text for target in statement.targets if isinstance(target, tree.Name)
        ] == [TIES]

    def _function(self, function: tree.Function) -> Iterator[Diagnostic]:
        names: set[str] = set()
        self.known = frozenset(self.constants)
        default = False
        for parameter in function.parameters:
            if parameter.name in names:
                what = f"the parameter {parameter.name!r} is there twice"
                yield errors.bad_name(parameter.span, what, "give one another name")
            if default and parameter.default is None:
                what = f"{parameter.name!r} needs a default, because the parameter before it has one"
                yield errors.bad_name(parameter.span, what, "put it before the parameters with defaults")
            default = default or parameter.default is not None
            if parameter.annotation is not None:
                self.later = frozenset(one.name for one in function.parameters) - names
                yield from self._annotation(parameter.annotation, names)
                self.later = frozenset()
            if parameter.default is not None:
                yield from self._expressions([parameter.default])
            names.add(parameter.name)
        if function.returns is not None:
            yield from self._annotation(function.returns, names)
        self.known = frozenset(self.constants | names | set(names_bound(function.block)))
        yield from self._block(function.block)

    def _annotation(self, node: tree.Expression, names: set[str]) -> Iterator[Diagnostic]:
        match node:
            case tree.Name(text) if text in KINDS:
                return
            case tree.Name("float" | "int" | "bool" | "Array" | "Vector" | "Matrix", span):
                yield errors.annotation(span, "write Real, Real[3], Const[5] or Int")
            case tree.Index(tree.Name("Real" | "Const"), subscripts) if not any(
                isinstance(item, tree.Slice) for item in subscripts
            ):
                self.known = frozenset(self.constants | names)
                yield from self._expressions(
                    [item for item in subscripts if not isinstance(item, tree.Slice)]
                )
            case tree.Missing():
                return
            case _:
                yield errors.annotation(node.span)

    def _block(self, block: tree.Block) -> Iterator[Diagnostic]:
        for index, statement in enumerate(block):
            yield from self._statement(statement)
            if returns((statement,)) and index + 1 < len(block):
                after = block[index + 1]
                if not isinstance(after, tree.Pass):
                    yield errors.unreachable(after.span)
                return

    def _statement(self, statement: tree.Statement) -> Iterator[Diagnostic]:
        match statement:
            case tree.Assignment(targets, _, value):
                yield from self._targets(targets)
                yield from self._expressions([value])
            case tree.Augmented(target, _, value):
                yield from self._expressions([target, value])
            case tree.Return(value):
                yield from self._expressions([] if value is None else [value])
            case tree.Assertion(condition, message, span):
                yield from self._expressions([condition])
                if message is not None and not isinstance(message, (tree.Text, tree.Missing)):
                    yield errors.out_of_place(
                        message.span, "the message of an assert is a text", 'as in assert x > 0, "why"'
                    )
            case tree.Branch(arms, orelse):
                for arm in arms:
                    yield from self._expressions([arm.condition])
                    yield from self._block(arm.block)
                yield from self._block(orelse)
            case tree.Loop(_, values, block):
                yield from self._expressions([values])
                yield from self._block(block)
            case tree.Function(_, span=span):
                yield errors.out_of_place(
                    span, "a function inside a function", "define it at the left margin"
                )
            case tree.Alone(value, span):
                if not isinstance(value, (tree.Text, tree.Missing)):
                    yield from self._expressions([value])
                    yield errors.no_effect(span)
            case tree.Pass():
                pass

    def _targets(self, targets: tuple[tree.Expression, ...]) -> Iterator[Diagnostic]:
        for target in targets:
            if isinstance(target, tree.Name) and target.text not in ("True", "False"):
                continue
            what = f"{target.text!r}" if isinstance(target, tree.Name) else "this"
            yield errors.mutation(target.span, what)

    # names

    def _expressions(self, nodes: Iterable[tree.Expression]) -> Iterator[Diagnostic]:
        """Unknown names of expressions of any depth, without recursion."""
        todo: list[object] = list(nodes)
        known, functions, own = self.known, self.functions, self.own
        while todo:
            node = todo.pop()
            kind = type(node)
            if kind is tree.Name:
                assert isinstance(node, tree.Name)
                if node.text not in known and node.text not in NUMBERS:
                    yield self._unknown(node)
            elif kind is tree.Call:
                assert isinstance(node, tree.Call)
                todo.extend(node.arguments)
                todo.extend([keyword.value for keyword in node.keywords])
                function = node.function
                if not isinstance(function, tree.Name):
                    yield errors.not_a_function(function.span, "this", _hint(function, functions))
                elif function.text in known:
                    yield errors.not_a_function(function.span, repr(function.text), "it is a value")
                elif function.text in own:
                    self.calls.setdefault(self.current, []).append((function.text, node.span))
                elif function.text not in functions:
                    yield errors.unknown_name(function.span, function.text, [*own, *sorted(functions)])
            else:
                inner = _INNER.get(kind)
                if inner is not None:
                    todo.extend(inner(node))

    def _unknown(self, node: tree.Name) -> Diagnostic:
        if node.text in self.own or node.text in self.functions:
            return errors.no_value(node.span, f"the function {node.text!r}, which is not called,")
        found = errors.unknown_name(node.span, node.text, [*sorted(self.known), *NUMBERS])
        if node.text in self.later:
            name = node.text
            hint = f"put {name}: Int first, and give it with --static {name}=3; or write the constant {name} = 3 above"
            return replace(found, hint=hint)
        return found

    # calls in a circle

    def _circles(self) -> Iterator[Diagnostic]:
        """A complaint at each call that closes a circle; depth first, with a stack of its own."""
        done: set[str] = set()
        for start in self.own:
            if start in done:
                continue
            path = [start]
            todo = [iter(self.calls.get(start, ()))]
            while todo:
                called = next(todo[-1], None)
                if called is None:
                    todo.pop()
                    done.add(path.pop())
                    continue
                name, span = called
                if name in path:
                    yield errors.recursion(span, [*path[path.index(name) :], name])
                elif name not in done:
                    path.append(name)
                    todo.append(iter(self.calls.get(name, ())))


_INNER: dict[type, Callable[..., Iterable[object]]] = {
    tree.List: lambda node: node.items,
    tree.Tuple: lambda node: node.items,
    tree.Operation: lambda node: node.operands,
    tree.Power: lambda node: (node.base, node.exponent),
    tree.Unary: lambda node: (node.operand,),
    tree.Comparison: lambda node: node.operands,
    tree.Conjunction: lambda node: node.operands,
    tree.Disjunction: lambda node: node.operands,
    tree.Negation: lambda node: (node.operand,),
    tree.Conditional: lambda node: (node.condition, node.then, node.orelse),
    tree.Index: lambda node: (node.value, *node.subscripts),
    tree.Slice: lambda node: [item for item in (node.start, node.stop, node.step) if item is not None],
    tree.Attribute: lambda node: (node.value,),
}
_LIBRARIES = ("np", "numpy", "jnp", "torch", "math", "tf", "anp", "ca", "jax", "F", "nn")


def _hint(function: tree.Expression, functions: frozenset[str]) -> str:
    if not isinstance(function, tree.Attribute):
        return "only a name can be called"
    names = {
        "maximum": "max",
        "minimum": "min",
        "absolute": "abs",
        "arctan2": "atan2",
        "arcsin": "asin",
        "power": "**",
    }
    name = names.get(function.name, function.name)
    if name not in functions:
        return "only a name can be called"
    if isinstance(function.value, tree.Name) and function.value.text in _LIBRARIES:
        return f"write {name}(...)"
    return f"write {name}(x)"
