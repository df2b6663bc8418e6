"""The syntax tree: one class for each rule of grammar/cf.lark, every node with its place.

Nodes are what was written, nothing is resolved: names are texts, numbers are exact. Chains of one precedence are flat
(`a + b - c` is one Operation with three operands), so long sums are not deep trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from cfcompiler.source import Span


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number. `decimal`: written with a point or an exponent (x**2 and x**2.0 differ)."""

    value: Fraction
    decimal: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class List:
    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Tuple:
    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Operation:
    """first op second op third ...: operators of one precedence, from left to right."""

    operands: tuple[Expression, ...]
    operators: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Power:
    base: Expression
    exponent: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """a < b <= c ..."""

    operands: tuple[Expression, ...]
    operators: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Conjunction:
    operands: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Disjunction:
    operands: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Negation:
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """then if condition else orelse"""

    condition: Expression
    then: Expression
    orelse: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Keyword:
    name: str
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    function: Expression
    arguments: tuple[Expression, ...]
    keywords: tuple[Keyword, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Slice:
    start: Expression | None
    stop: Expression | None
    step: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    value: Expression
    subscripts: tuple[Expression | Slice, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Attribute:
    value: Expression
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Missing:
    """Stands where a line could not be read; says nothing more about it."""

    span: Span


Expression: TypeAlias = (
    Name
    | Number
    | Text
    | List
    | Tuple
    | Operation
    | Power
    | Unary
    | Comparison
    | Conjunction
    | Disjunction
    | Negation
    | Conditional
    | Call
    | Index
    | Attribute
    | Missing
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """x = value, or with several targets a, b = value."""

    targets: tuple[Expression, ...]
    unpacks: bool
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Augmented:
    """x += value; `operator` is the binary one."""

    target: Name
    operator: str
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Return:
    value: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Assertion:
    condition: Expression
    message: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Pass:
    span: Span


@dataclass(frozen=True, slots=True)
class Alone:
    """An expression as a statement: a docstring, or a mistake."""

    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Arm:
    condition: Expression
    block: Block
    span: Span


@dataclass(frozen=True, slots=True)
class Branch:
    """if / elif / else"""

    arms: tuple[Arm, ...]
    orelse: Block
    span: Span


@dataclass(frozen=True, slots=True)
class Loop:
    """for name in values"""

    name: Name
    values: Expression
    block: Block
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    annotation: Expression | None
    default: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    parameters: tuple[Parameter, ...]
    returns: Expression | None
    block: Block
    span: Span  # of its header


Statement: TypeAlias = Assignment | Augmented | Return | Assertion | Pass | Alone | Branch | Loop | Function
Block: TypeAlias = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class File:
    statements: Block

    @property
    def functions(self) -> dict[str, Function]:
        """By name, in the order of the file; a name defined twice means the later one."""
        return {node.name: node for node in self.statements if isinstance(node, Function)}
