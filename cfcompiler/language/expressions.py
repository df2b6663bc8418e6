"""Expressions of the tree to terms: arithmetic, comparisons, lazy choices, indices.

What is known already is computed here, exactly; the rest becomes instructions. Evaluation is in the order of writing.
Instructions of an arm of `a if c else b`, and what follows `and` or `or`, run under the guard before them.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol

from cfcompiler import errors
from cfcompiler.language import tree
from cfcompiler.language.emission import Emission
from cfcompiler.language.terms import POISON, Exact, Listing, Poison, Scope, Term, Unusable
from cfcompiler.program import Value
from cfcompiler.shapes import text_of
from cfcompiler.source import Span

_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
_COMPARISONS = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}
_CONSTANTS: dict[str, Term] = {
    "True": True,
    "False": False,
    "pi": Exact("pi", True),
    "e": Exact("e", True),
    "inf": Exact("inf", True),
    "nan": Exact("nan", True),
}
# Exact numbers are computed only while they have fewer bits than this; beyond it the program computes them.
_BITS = 20_000


class Host(Protocol):
    """What expressions need of the lowering around them."""

    emission: Emission

    def call(self, node: tree.Call, scope: Scope, name: str | None) -> Term: ...

    def file_constant(self, name: str) -> Term | None: ...

    def assigns(self, function: str, name: str) -> bool: ...


class Evaluator:
    """Evaluates the expressions of one program."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.emission = host.emission
        self._rules: dict[type, Callable[[Any, Scope, str | None], Term]] = {
            tree.Name: self._name,
            tree.Number: lambda node, scope, name: Exact(node.value, node.decimal),
            tree.Text: lambda node, scope, name: node.value,
            tree.List: self._list,
            tree.Tuple: self._tuple,
            tree.Operation: self._operation,
            tree.Power: self._power,
            tree.Unary: self._unary,
            tree.Comparison: self._comparison,
            tree.Conjunction: lambda node, scope, name: self._junction(node, scope, name, False),
            tree.Disjunction: lambda node, scope, name: self._junction(node, scope, name, True),
            tree.Negation: self._negation,
            tree.Conditional: self._conditional,
            tree.Call: lambda node, scope, name: self.host.call(node, scope, name),
            tree.Index: self._index,
            tree.Attribute: self._attribute,
            tree.Missing: lambda node, scope, name: POISON,
        }

    def term(self, node: tree.Expression, scope: Scope, name: str | None = None) -> Term:
        """What `node` means; a value that it makes is called `name`."""
        return self._rules[type(node)](node, scope, name)

    def real(self, node: tree.Expression, scope: Scope, name: str | None = None) -> Value | Poison:
        return self.emission.real(self.term(node, scope, name), node.span)

    def condition(
        self, node: tree.Expression, scope: Scope, name: str | None = None
    ) -> Value | bool | Poison:
        return self.emission.condition(self.term(node, scope, name), node.span)

    def whole(self, node: tree.Expression, scope: Scope, what: str) -> int | Poison:
        """An integer that is known when the program is compiled."""
        term = self.term(node, scope)
        return self.as_whole(term, node.span, what)

    def as_whole(self, term: Term, span: Span, what: str) -> int | Poison:
        if isinstance(term, Poison):
            return POISON
        if isinstance(term, Exact) and term.whole is not None:
            return term.whole
        if isinstance(term, Exact):
            return self.emission.complain(errors.not_static(span, what, "it is not a whole number"))
        return self.emission.complain(
            errors.not_static(span, what, "use a number, len(x), or a parameter n: Int")
        )

    # names and literals

    def _name(self, node: tree.Name, scope: Scope, name: str | None) -> Term:
        found = scope.names.get(node.text)
        if found is not None:
            if isinstance(found, Unusable):
                self.emission.complain(found.complaint(node.span))
                scope.bind(node.text, POISON)
                return POISON
            return found
        if not scope.prelude:
            constant = self.host.file_constant(node.text)
            if constant is not None:
                return constant
        if node.text in _CONSTANTS:
            return _CONSTANTS[node.text]
        if self.host.assigns(scope.function, node.text):
            scope.bind(node.text, POISON)
            return self.emission.complain(errors.unbound_on_a_path(node.span, node.text))
        return POISON  # the checker has complained

    def _list(self, node: tree.List, scope: Scope, name: str | None) -> Term:
        terms = [self.term(item, scope) for item in node.items]
        if any(isinstance(term, Poison) for term in terms):
            return POISON
        if all(isinstance(term, (Exact, Listing)) for term in terms):
            return Listing(tuple([term for term in terms if isinstance(term, (Exact, Listing))]))
        values = []
        for term, item in zip(terms, node.items, strict=True):
            value = self.emission.real(term, item.span)
            if isinstance(value, Poison):
                return POISON
            values.append(value)
        return self.emission.apply("stack", *values, span=node.span, name=name, axis=0)

    def _tuple(self, node: tree.Tuple, scope: Scope, name: str | None) -> Term:
        return tuple([self.term(item, scope) for item in node.items])

    # arithmetic

    def _operation(self, node: tree.Operation, scope: Scope, name: str | None) -> Term:
        left = self.term(node.operands[0], scope)
        last = len(node.operators) - 1
        for index, operator in enumerate(node.operators):
            operand = node.operands[index + 1]
            right = self.term(operand, scope)
            span = node.span if index == last else node.operands[0].span.to(operand.span)
            left = self.binary(operator, left, right, span, name if index == last else None)
        return left

    def binary(self, operator: str, left: Term, right: Term, span: Span, name: str | None) -> Term:
        """left operator right, for + - * / and @."""
        if isinstance(left, Exact) and isinstance(right, Exact) and operator != "@":
            known = self._folded(operator, left, right, span)
            if known is not None:
                return known
        if isinstance(left, Poison) or isinstance(right, Poison):
            return POISON
        a, b = self.emission.real(left, span), self.emission.real(right, span)
        if isinstance(a, Poison) or isinstance(b, Poison):
            return POISON
        op = "matmul" if operator == "@" else _ARITHMETIC[operator]
        return self.emission.apply(op, a, b, span=span, name=name)

    def _folded(self, operator: str, left: Exact, right: Exact, span: Span) -> Term | None:
        a, b = left.value, right.value
        if isinstance(a, str) or isinstance(b, str):
            return None
        decimal = left.decimal or right.decimal
        if _bits(a) + _bits(b) > _BITS:
            return None
        if operator == "+":
            return Exact(a + b, decimal)
        if operator == "-":
            return Exact(a - b, decimal)
        if operator == "*":
            return Exact(a * b, decimal)
        if b == 0:
            return self.emission.complain(errors.division_by_zero(span))
        return Exact(a / b, True)

    def _unary(self, node: tree.Unary, scope: Scope, name: str | None) -> Term:
        operand = self.term(node.operand, scope)
        if isinstance(operand, Exact):
            if node.operator == "+":
                return operand
            if isinstance(operand.value, Fraction):
                return Exact(-operand.value, operand.decimal)
            if operand.value in ("inf", "-inf"):
                return Exact("-inf" if operand.value == "inf" else "inf", True)
        value = self.emission.real(operand, node.operand.span)
        if isinstance(value, Poison) or node.operator == "+":
            return value
        return self.emission.apply("neg", value, span=node.span, name=name)

    def _power(self, node: tree.Power, scope: Scope, name: str | None) -> Term:
        base, exponent = self.term(node.base, scope), self.term(node.exponent, scope)
        if isinstance(base, Poison) or isinstance(exponent, Poison):
            return POISON
        if isinstance(base, Exact) and isinstance(exponent, Exact):
            known = self._folded_power(base, exponent, node.span)
            if known is not None:
                return known
        value = self.emission.real(base, node.base.span)
        if isinstance(value, Poison):
            return POISON
        if isinstance(exponent, Exact) and isinstance(exponent.value, Fraction):
            whole = exponent.whole is not None and not exponent.decimal
            op = "ipow" if whole else "rpow"
            return self.emission.apply(op, value, span=node.span, name=name, n=exponent.value)
        power = self.emission.real(exponent, node.exponent.span)
        if isinstance(power, Poison):
            return POISON
        return self.emission.apply("pow", value, power, span=node.span, name=name)

    def _folded_power(self, base: Exact, exponent: Exact, span: Span) -> Term | None:
        n, a = exponent.whole, base.value
        if n is None or isinstance(a, str):
            return None
        if a == 0 and n < 0:
            return self.emission.complain(errors.division_by_zero(span))
        if _bits(a) > 2 and _bits(a) * abs(n) > _BITS:
            return None
        return Exact(a**n, base.decimal or exponent.decimal or n < 0)

    # conditions

    def _comparison(self, node: tree.Comparison, scope: Scope, name: str | None) -> Term:
        """Chained as in Python: each operand once, and not at all after a part that is false."""
        if len(node.operands) == 2:
            left, right = self.term(node.operands[0], scope), self.term(node.operands[1], scope)
            return self._compared(node.operators[0], left, right, node.span, name)
        left = self.term(node.operands[0], scope)

        def part(index: int, left: Term) -> Term:
            right = self.term(node.operands[index + 1], scope)
            last = index == len(node.operators) - 1
            truth = self._compared(node.operators[index], left, right, node.span, name if last else None)
            if last or truth is False:
                return truth
            return self._short_circuit(truth, False, node.span, name, lambda: part(index + 1, right))

        return part(0, left)

    def _compared(self, operator: str, left: Term, right: Term, span: Span, name: str | None) -> Term:
        if isinstance(left, Exact) and isinstance(right, Exact):
            a, b = left.value, right.value
            if isinstance(a, Fraction) and isinstance(b, Fraction):
                return _decided(operator, a, b)
        if isinstance(left, Poison) or isinstance(right, Poison):
            return POISON
        if isinstance(left, (str, bool)) and isinstance(right, (str, bool)) and operator in ("==", "!="):
            return (left == right) == (operator == "==")
        a_value, b_value = self.emission.real(left, span), self.emission.real(right, span)
        if isinstance(a_value, Poison) or isinstance(b_value, Poison):
            return POISON
        return self.emission.apply(_COMPARISONS[operator], a_value, b_value, span=span, name=name)

    def _junction(
        self, node: tree.Conjunction | tree.Disjunction, scope: Scope, name: str | None, decisive: bool
    ) -> Term:
        """and (decisive: False), or (decisive: True): what follows a decisive part is not evaluated."""

        def part(index: int) -> Term:
            operand = node.operands[index]
            truth = self.condition(operand, scope)
            if index == len(node.operands) - 1 or truth is decisive:
                return truth
            if isinstance(truth, Value) and truth.shape:
                return self._elementwise(node, scope, name, decisive, truth, index)
            return self._short_circuit(
                truth, decisive, node.span, name if index == 0 else None, lambda: part(index + 1)
            )

        return part(0)

    def _short_circuit(
        self, truth: Term, decisive: bool, span: Span, name: str | None, rest: Callable[[], Term]
    ) -> Term:
        """`truth`, or where it is not decisive `rest`, which runs only there."""
        if isinstance(truth, bool):
            return rest()
        if not isinstance(truth, Value):
            rest()  # for its complaints
            return POISON
        if truth.shape:
            after = self.emission.condition(rest(), span)
            return self._both(truth, after, decisive, span, name)
        with self.emission.builder.under(truth, not decisive):
            after = self.emission.condition(rest(), span)
        if isinstance(after, Poison):
            return POISON
        if isinstance(after, Value) and after.shape:
            return self.emission.complain(errors.array_condition(span))
        if after is decisive:
            return decisive
        if isinstance(after, bool):
            return truth
        other = self.emission.boolean(decisive)
        then, orelse = (other, after) if decisive else (after, other)
        return self.emission.select(truth, then, orelse, lazy=True, span=span, name=name)

    def _elementwise(
        self,
        node: tree.Conjunction | tree.Disjunction,
        scope: Scope,
        name: str | None,
        decisive: bool,
        truth: Value,
        index: int,
    ) -> Term:
        """On arrays of truth values there is nothing to skip: all parts are evaluated."""
        result: Term = truth
        for operand in node.operands[index + 1 :]:
            after = self.condition(operand, scope)
            if isinstance(result, Poison) or isinstance(after, Poison):
                result = POISON
                continue
            result = self._both(result, after, decisive, node.span, name)
        return result

    def _both(
        self, truth: Term, after: Value | bool | Poison, decisive: bool, span: Span, name: str | None
    ) -> Term:
        if isinstance(after, Poison) or not isinstance(truth, (Value, bool)):
            return POISON
        op = "logical_or" if decisive else "logical_and"
        first, second = self.emission.boolean(truth), self.emission.boolean(after)
        return self.emission.apply(op, first, second, span=span, name=name)

    def _negation(self, node: tree.Negation, scope: Scope, name: str | None) -> Term:
        truth = self.condition(node.operand, scope)
        if isinstance(truth, bool):
            return not truth
        if isinstance(truth, Poison):
            return POISON
        return self.emission.apply("logical_not", truth, span=node.span, name=name)

    def _conditional(self, node: tree.Conditional, scope: Scope, name: str | None) -> Term:
        truth = self.condition(node.condition, scope)
        if isinstance(truth, bool):
            return self.term(node.then if truth else node.orelse, scope, name)
        if isinstance(truth, Value) and truth.shape:
            truth = self.emission.complain(errors.array_condition(node.condition.span))
        if isinstance(truth, Poison):
            self.term(node.then, scope)
            self.term(node.orelse, scope)
            return POISON
        with self.emission.builder.under(truth, True):
            then = self.term(node.then, scope)
        with self.emission.builder.under(truth, False):
            orelse = self.term(node.orelse, scope)
        return self.joined(truth, then, orelse, node.span, name)

    def joined(self, guard: Value, then: Term, orelse: Term, span: Span, name: str | None) -> Term:
        """One lazy choice between what two arms mean; `then` lives under `guard`, `orelse` under its negation."""
        if isinstance(then, Poison) or isinstance(orelse, Poison):
            return POISON
        if then is orelse or (
            isinstance(then, (Exact, str, bool)) and then == orelse and type(then) is type(orelse)
        ):
            return then
        if isinstance(then, tuple) or isinstance(orelse, tuple):
            if not (isinstance(then, tuple) and isinstance(orelse, tuple) and len(then) == len(orelse)):
                return self.emission.complain(errors.arms_differ(span, _kind(then), _kind(orelse)))
            return tuple([self.joined(guard, a, b, span, None) for a, b in zip(then, orelse, strict=True)])
        if self._is_truth(then) and self._is_truth(orelse):
            assert isinstance(then, (Value, bool)) and isinstance(orelse, (Value, bool))
            a, b = self.emission.boolean(then), self.emission.boolean(orelse)
            return self.emission.select(guard, a, b, lazy=True, span=span, name=name)
        with self.emission.builder.under(guard, True):
            first = self.emission.real(then, span)
        with self.emission.builder.under(guard, False):
            second = self.emission.real(orelse, span)
        if isinstance(first, Poison) or isinstance(second, Poison):
            return POISON
        first, second = self._alike(guard, first, second, then, orelse, span)
        if isinstance(first, Poison) or isinstance(second, Poison):
            return POISON
        return self.emission.select(guard, first, second, lazy=True, span=span, name=name)

    def _alike(
        self, guard: Value, first: Value, second: Value, then: Term, orelse: Term, span: Span
    ) -> tuple[Value | Poison, Value | Poison]:
        """A number beside an array means that number everywhere: `x if c else 0`."""
        if isinstance(then, Exact) and second.shape:
            with self.emission.builder.under(guard, True):
                return self.emission.broadcast(first, second.shape, span), second
        if isinstance(orelse, Exact) and first.shape:
            with self.emission.builder.under(guard, False):
                return first, self.emission.broadcast(second, first.shape, span)
        return first, second

    @staticmethod
    def _is_truth(term: Term) -> bool:
        return isinstance(term, bool) or (isinstance(term, Value) and term.kind == "bool")

    # arrays

    def _attribute(self, node: tree.Attribute, scope: Scope, name: str | None) -> Term:
        term = self.term(node.value, scope)
        if isinstance(term, Poison):
            return POISON
        if node.name not in ("T", "shape", "ndim", "size"):
            return self.emission.complain(errors.no_value(node.span, f"the attribute .{node.name}"))
        value = self.emission.real(term, node.value.span)
        if isinstance(value, Poison):
            return POISON
        if node.name == "T":
            if len(value.shape) < 2:
                return value
            axes = tuple(reversed(range(len(value.shape))))
            return self.emission.apply("transpose", value, span=node.span, name=name, axes=axes)
        if node.name == "shape":
            return tuple([Exact(Fraction(size)) for size in value.shape])
        size = 1
        for extent in value.shape:
            size *= extent
        return Exact(Fraction(len(value.shape) if node.name == "ndim" else size))

    def _index(self, node: tree.Index, scope: Scope, name: str | None) -> Term:
        term = self.term(node.value, scope)
        if isinstance(term, Poison):
            return POISON
        if isinstance(term, (tuple, Listing)):
            known = self._known_entry(term, node, scope)
            if known is not None:
                return known
        value = self.emission.real(term, node.value.span)
        if isinstance(value, Poison):
            return POISON
        if len(node.subscripts) > len(value.shape):
            rank = len(value.shape)
            what = f"{len(node.subscripts)} indices for {text_of(value.shape)}"
            return self.emission.complain(errors.bad_index(node.span, what, "" if rank else "it is a scalar"))
        if len(node.subscripts) == 1 and not isinstance(node.subscripts[0], tree.Slice):
            place = self.term(node.subscripts[0], scope)
            if isinstance(place, Value) and place.kind == "int":
                return self._gathered(value, place, node.span, name)
            return self._indexed(value, (self._entry(place, node.subscripts[0], value, 0),), node.span, name)
        key = tuple([self._subscript(item, scope, value, axis) for axis, item in enumerate(node.subscripts)])
        return self._indexed(value, key, node.span, name)

    def _indexed(self, value: Value, key: tuple[Any, ...], span: Span, name: str | None) -> Term:
        if any(isinstance(entry, Poison) for entry in key):
            return POISON
        return self.emission.apply("index", value, span=span, name=name, key=key)

    def _gathered(self, value: Value, places: Value, span: Span, name: str | None) -> Term:
        if len(value.shape) != 1 or len(places.shape) > 1:
            what = f"{text_of(value.shape)} cannot be indexed by computed indices"
            return self.emission.complain(errors.bad_index(span, what, "only vectors can"))
        return self.emission.apply("gather", value, places, span=span, name=name, axis=0)

    def _known_entry(self, term: tuple[Term, ...] | Listing, node: tree.Index, scope: Scope) -> Term | None:
        """An entry of a shape or of a list of numbers, without making an array of it."""
        items = term.items if isinstance(term, Listing) else term
        if len(node.subscripts) != 1:
            return None
        subscript = node.subscripts[0]
        if isinstance(subscript, tree.Slice):
            return (
                None
                if isinstance(term, Listing)
                else self.emission.complain(
                    errors.bad_index(node.span, "a tuple cannot be sliced", "take its entries one by one")
                )
            )
        place = self.term(subscript, scope)
        if isinstance(term, Listing) and not isinstance(place, (Exact, Poison)):
            return None
        index = self.as_whole(place, subscript.span, "an index")
        if isinstance(index, Poison):
            return POISON
        if not -len(items) <= index < len(items):
            return self.emission.complain(errors.index_out_of_range(subscript.span, index, len(items)))
        return items[index]

    def _subscript(self, node: tree.Expression | tree.Slice, scope: Scope, value: Value, axis: int) -> Any:
        if not isinstance(node, tree.Slice):
            return self._entry(self.term(node, scope), node, value, axis)
        bounds: list[int | None] = []
        for part in (node.start, node.stop, node.step):
            bound = None if part is None else self.whole(part, scope, "a slice bound")
            if isinstance(bound, Poison):
                return POISON
            bounds.append(bound)
        if bounds[2] == 0:
            return self.emission.complain(errors.bad_index(node.span, "a slice step cannot be 0"))
        return slice(*bounds).indices(value.shape[axis])

    def _entry(self, place: Term, node: tree.Expression, value: Value, axis: int) -> int | Poison:
        if isinstance(place, Value) and place.kind == "int":
            what = "a computed index stands alone, in a vector"
            return self.emission.complain(errors.bad_index(node.span, what, "write x[i] with a vector x"))
        if isinstance(place, Value) and place.kind == "bool":
            return self.emission.complain(
                errors.bad_index(node.span, "a condition is not an index", "use where(c, a, b)")
            )
        index = self.as_whole(place, node.span, "an index")
        if isinstance(index, Poison):
            return POISON
        size = value.shape[axis]
        if not -size <= index < size:
            return self.emission.complain(errors.index_out_of_range(node.span, index, size))
        return index % size


def _bits(a: Fraction) -> int:
    return a.numerator.bit_length() + a.denominator.bit_length()


def _decided(operator: str, a: Fraction, b: Fraction) -> bool:
    match operator:
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case ">=":
            return a >= b
        case "==":
            return a == b
        case _:
            return a != b


def _kind(term: Term) -> str:
    if isinstance(term, tuple):
        return f"a tuple of {len(term)}"
    return text_of(term.shape) if isinstance(term, Value) else "Real"
