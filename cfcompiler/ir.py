"""The representation: flat SSA with the branch in the margin.

A program is a list of instructions; each defines one value, once, before its uses. Every value has a static shape,
arrays are first-class, and derivatives are programs of the same kind. `verify` states the invariants and runs after
every transform:

1. one definition before every use;
2. a value leaves its branch only through a select, so nothing unselected can leak a NaN;
3. a guard is visible where it guards;
4. shapes agree with what the row of the primitive says;
5. names are unique.

Grammar of the printed form (targets/program_text.py prints it, language/program_text.py reads it):

    program     ::= "program" name "(" params ")" "->" values newline instruction*
    instruction ::= branch? value "=" (apply | select | kink)

Source: elementary selections of Bolte & Pauwels 2020, section 3; signatures as in Griewank 2013.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np

from cfcompiler.source import NOWHERE, Source, Span

Shape: TypeAlias = tuple[int, ...]
Kind: TypeAlias = Literal["real", "bool", "int"]
# Guards with their truth values, outermost first: under which an instruction runs.
Branch: TypeAlias = tuple[tuple[str, bool], ...]
Number: TypeAlias = Fraction | str  # exact, or one of "pi", "e", "inf", "-inf", "nan"
Gate: TypeAlias = Literal["select", "mul"]


@dataclass(frozen=True, slots=True)
class Value:
    """One SSA value. `name` is unique in its program; `branch` is where it is defined."""

    name: str
    shape: Shape = ()
    kind: Kind = "real"
    branch: Branch = ()


@dataclass(frozen=True, slots=True)
class Weights:
    """What multiplies one piece's derivative in each case of the comparison of left and right.

    `below`: left < right, `tie`: left = right, `above`: left > right, `unordered`: one of them is NaN.
    """

    below: Number
    tie: Number
    above: Number
    unordered: Number

    def as_tuple(self) -> tuple[Number, Number, Number, Number]:
        return (self.below, self.tie, self.above, self.unordered)


@dataclass(frozen=True, slots=True)
class TieMode:
    """One mode (forward or reverse) of a tie rule: weights of both pieces, and the gate.

    gate "select": a weight 0 blocks (the term is exactly 0 even if the other factor is inf or NaN);
    gate "mul": it multiplies (0 * inf = NaN).
    """

    above: Weights  # weight of the piece `above` in each case
    below: Weights  # weight of the piece `below`
    gate: Gate


@dataclass(frozen=True, slots=True)
class Tie:
    """The tie rule of one written operation: which mixture of the two pieces' derivatives is returned.

    `name` is the operation as written (relu, max, clip, ...), the key under which a preset has the rule.
    """

    name: str
    forward: TieMode
    reverse: TieMode


@dataclass(frozen=True, slots=True)
class Apply:
    """out = op(*args; attributes): smooth on its branch, elementwise, structural or linear-algebraic.

    `attributes` are static and sorted by name. Shapes of elementwise operations broadcast as in NumPy.
    """

    out: Value
    op: str
    args: tuple[Value, ...]
    attributes: tuple[tuple[str, Any], ...] = ()
    span: Span = NOWHERE

    def attribute(self, name: str) -> Any:
        for key, value in self.attributes:
            if key == name:
                return value
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Select:
    """out = then if guard else orelse.

    lazy: `then` lives on branch (guard, True) or outside it, `orelse` on (guard, False); only one is evaluated.
    eager (lazy=False): the `where` of the frameworks: both arms are evaluated and differentiated. Under the gate
    "select" (as the frameworks do) the tangent of the arm not taken is dropped, and its cotangent is 0, which then
    meets whatever factors that arm has (0 * inf = NaN). Under "mul" both are multiplied by 0.
    """

    out: Value
    guard: Value
    then: Value
    orelse: Value
    lazy: bool
    gate: Gate = "select"
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Kink:
    """out = above where left > right, below where left < right; at left = right the pieces agree.

    The only nonsmooth instruction with a choice at the tie: relu, abs, max, clip and their kin are kinks.
    Both pieces are evaluated. Where left or right is NaN the value is NaN. Elementwise on arrays.
    """

    out: Value
    left: Value
    right: Value
    above: Value
    below: Value
    tie: Tie
    span: Span = NOWHERE


Instruction: TypeAlias = Apply | Select | Kink
# A rule that lowering asked for: "kink", "reduction" or "where", and the name of the operation.
Met: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Param:
    """An input. `differentiable` is False for data (`Const`)."""

    value: Value
    differentiable: bool = True


@dataclass(frozen=True, slots=True)
class Assertion:
    """A precondition: the domain every analysis restricts itself to."""

    condition: Value
    message: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """An array read from a file: `name` is referred to by Apply("array", attributes name=...).

    Equal where name, shape and entries are (NaN equal to NaN), so that programs compare by what they mean.
    """

    name: str
    data: np.ndarray

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Constant):
            return NotImplemented
        return self.name == other.name and np.array_equal(self.data, other.data, equal_nan=True)

    def __hash__(self) -> int:
        return hash((self.name, self.data.shape))


@dataclass(frozen=True, slots=True)
class Formulas:
    """A preset's own derivative formulas of smooth primitives, as `.cf` expressions.

    Keys are (primitive, mode, index of the argument); the text is an expression over the row's parameters, `out`,
    and `g` (the incoming cotangent in reverse mode, the argument's tangent in forward mode).
    A primitive without an entry uses the partial of its row: g * partial.
    `dense_constants`: in forward mode constants carry a zero tangent that is multiplied (TensorFlow).
    `one_mode`: the forward derivative is the backward one also where inf or NaN is met; else it is what a forward sweep
    meets, in which a tangent of 0 times inf is NaN.
    """

    texts: tuple[tuple[tuple[str, str, int], str], ...] = ()
    dense_constants: bool = False
    one_mode: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A program: what lowering produces and every transform maps to another.

    `preset`: the name of the tie rules it was lowered under (for people; the rules themselves stand in the kinks).
    `met`: the rules that lowering asked for, also for people; unknown of a program that was not lowered.
    """

    name: str
    params: tuple[Param, ...]
    instructions: tuple[Instruction, ...]
    results: tuple[Value, ...]
    assertions: tuple[Assertion, ...] = ()
    constants: tuple[Constant, ...] = ()
    formulas: Formulas = field(default_factory=Formulas)
    preset: str = "torch"
    source: Source = field(default_factory=lambda: Source("", "<none>"))
    met: frozenset[Met] = field(default=frozenset(), compare=False)
