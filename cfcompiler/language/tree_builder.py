"""Rules of the grammar to nodes of the tree, as the parser reduces them.

One method a rule, with the rule's name. Of a repaired text, what could not be read becomes a `Missing`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from lark import Token, Transformer

from cfcompiler import errors
from cfcompiler.language import tree
from cfcompiler.language.literals import MISSING, SyntaxMistake, exact, identifier, place, unquoted
from cfcompiler.source import Span

Children: TypeAlias = list[Any]

CONSTANTS = frozenset(("True", "False"))


def _span(node: Any) -> Span:
    return place(node) if isinstance(node, Token) else node.span


def _across(first: Any, last: Any) -> Span:
    start, end = _span(first), _span(last)
    return Span(start.line, start.column, end.end_line, end.end_column)


class TreeBuilder(Transformer[Token, tree.File]):
    """One method a rule, called as the parser reduces: there is no intermediate tree."""

    def file(self, children: Children) -> tree.File:
        return tree.File(tuple(children))

    def line(self, children: Children) -> None:
        return None

    def header(self, children: Children) -> None:
        return None

    def decorator(self, children: Children) -> None:
        return None

    def function(self, children: Children) -> tree.Function:
        head, name, parameters, returns, block = children[-5:]  # before them stand the decorators
        return tree.Function(identifier(name), parameters, returns, block, _across(head, name))

    def parameters(self, children: Children) -> tuple[tree.Parameter, ...]:
        return tuple(children)

    def parameter(self, children: Children) -> tree.Parameter:
        name, annotation, default = children
        return tree.Parameter(identifier(name), annotation, default, place(name))

    def returns(self, children: Children) -> Any:
        return children[0]

    def branch(self, children: Children) -> tree.Branch:
        keyword, condition, block, *arms, orelse = children
        first = tree.Arm(condition, block, _across(keyword, condition))
        return tree.Branch((first, *arms), orelse or (), first.span)

    def arm(self, children: Children) -> tree.Arm:
        condition, block = children
        return tree.Arm(condition, block, condition.span)

    def loop(self, children: Children) -> tree.Loop:
        keyword, name, values, block = children
        return tree.Loop(tree.Name(identifier(name), place(name)), values, block, _across(keyword, values))

    def block(self, children: Children) -> tree.Block:
        return tuple(children)

    def assignment(self, children: Children) -> tree.Assignment:
        target, value = children
        if isinstance(target, Token):
            start = place(target)
            node = tree.Name(identifier(target), start)
            end = value.span
            span = Span(start.line, start.column, end.end_line, end.end_column)
            return tree.Assignment((node,), False, value, span)
        return tree.Assignment(target.items, True, value, _across(target, value))

    def augmented(self, children: Children) -> tree.Augmented:
        target, operator, value = children
        name = tree.Name(identifier(target), place(target))
        return tree.Augmented(name, str(operator)[:-1], value, _across(target, value))

    def return_(self, children: Children) -> tree.Return:
        keyword, value = children
        return tree.Return(value, place(keyword) if value is None else _across(keyword, value))

    def assertion(self, children: Children) -> tree.Assertion:
        keyword, condition, message = children
        return tree.Assertion(condition, message, _across(keyword, condition))

    def pass_(self, children: Children) -> tree.Pass:
        return tree.Pass(place(children[0]))

    def expression(self, children: Children) -> tree.Alone:
        return tree.Alone(children[0], children[0].span)

    def tuple_(self, children: Children) -> tree.Tuple:
        return tree.Tuple(tuple(children), _across(children[0], children[-1]))

    def conditional(self, children: Children) -> tree.Conditional:
        then, condition, orelse = children
        return tree.Conditional(condition, then, orelse, _across(then, orelse))

    def disjunction(self, children: Children) -> tree.Disjunction:
        return tree.Disjunction(tuple(children), _across(children[0], children[-1]))

    def conjunction(self, children: Children) -> tree.Conjunction:
        return tree.Conjunction(tuple(children), _across(children[0], children[-1]))

    def negation(self, children: Children) -> tree.Negation:
        keyword, operand = children
        return tree.Negation(operand, _across(keyword, operand))

    def comparison(self, children: Children) -> tree.Comparison:
        operators = tuple([str(token) for token in children[1::2]])
        return tree.Comparison(tuple(children[0::2]), operators, _across(children[0], children[-1]))

    def operation(self, children: Children) -> tree.Operation:
        start, end = children[0].span, children[-1].span
        span = Span(start.line, start.column, end.end_line, end.end_column)
        return tree.Operation(tuple(children[0::2]), tuple([str(token) for token in children[1::2]]), span)

    def power(self, children: Children) -> tree.Power:
        return tree.Power(children[0], children[1], _across(children[0], children[1]))

    def unary(self, children: Children) -> tree.Unary:
        sign, operand = children
        return tree.Unary(str(sign), operand, _across(sign, operand))

    def call(self, children: Children) -> tree.Call:
        function, arguments, close = children
        keywords = tuple([item for item in arguments if isinstance(item, tree.Keyword)])
        plain = tuple([item for item in arguments if not isinstance(item, tree.Keyword)])
        if keywords and not isinstance(arguments[-1], tree.Keyword):
            raise SyntaxMistake(
                errors.syntax(
                    _span(arguments[-1]), "an argument without a name", "put it before the named arguments"
                )
            )
        return tree.Call(function, plain, keywords, _across(function, close))

    def arguments(self, children: Children) -> Children:
        return children

    def keyword(self, children: Children) -> tree.Keyword:
        name, value = children
        return tree.Keyword(identifier(name), value, _across(name, value))

    def index(self, children: Children) -> tree.Index:
        value, subscripts, close = children
        return tree.Index(value, tuple(subscripts), _across(value, close))

    def subscripts(self, children: Children) -> Children:
        return children

    def slice(self, children: Children) -> tree.Slice:
        start, colon, stop, second, step = children
        present = [item for item in (start, colon, stop, second, step) if item is not None]
        return tree.Slice(start, stop, step, _across(present[0], present[-1]))

    def attribute(self, children: Children) -> tree.Attribute:
        value, name = children
        return tree.Attribute(value, identifier(name), _across(value, name))

    def name(self, children: Children) -> tree.Name | tree.Missing:
        token = children[0]
        if token == MISSING:
            return tree.Missing(place(token))
        text = str(token) if token in CONSTANTS else identifier(token)
        return tree.Name(text, Span(token.line, token.column, token.end_line, token.end_column))

    def number(self, children: Children) -> tree.Number:
        token = children[0]
        try:
            value, decimal = exact(str(token))
        except ValueError as error:
            raise SyntaxMistake(errors.bad_number(place(token), str(token), str(error))) from None
        return tree.Number(value, decimal, Span(token.line, token.column, token.end_line, token.end_column))

    def text(self, children: Children) -> tree.Text:
        return tree.Text(
            "".join([unquoted(str(token)) for token in children]), _across(children[0], children[-1])
        )

    def list_(self, children: Children) -> tree.List:
        return tree.List(tuple(children[1:-1]), _across(children[0], children[-1]))
