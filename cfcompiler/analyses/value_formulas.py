"""Program -> formulas of real algebra that every run of it satisfies: what it returns, as unknowns with conditions.

    s = kink x > 0 then x else 0        s = u0 with (x >= 0 and u0 = x) or (x < 0 and u0 = 0)
    t = exp s                           t = u1 with u1 > 0, and u1 = 1 where s = 0
    q = div t s                         q = u2 with s != 0 and u2 * s = t

Polynomials are kept as they are; a choice, a quotient, a root and a function that is no polynomial become an unknown.
Of a function only some facts are said (equal arguments give equal values, it is odd, a value or two), so that what
follows from the formulas holds for the program, and not the other way round. They speak of runs in which every step
that is taken is a real number: no division by zero, no logarithm of what is not positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, assert_never

from cfcompiler.feasibility.conditions import AnyRelation, Constraint
from cfcompiler.feasibility.solver import AllOf, AnyOf, Formula
from cfcompiler.ir import Apply, Branch, Instruction, Kink, Program, Select, Value
from cfcompiler.polynomials import Polynomial, constant, variable
from cfcompiler.primitives import COMPARISONS, TABLE

MOST_INSTRUCTIONS = 400

Vector: TypeAlias = tuple[Polynomial, ...]

_ODD = frozenset(("sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "cbrt"))
_EVEN = frozenset(("cos", "cosh"))
_POSITIVE = frozenset(("exp", "cosh"))
# f(argument) = value, values that are rational.
_VALUES = {
    "exp": (0, 1),
    "cosh": (0, 1),
    "cos": (0, 1),
    "expm1": (0, 0),
    "log": (1, 0),
    "log1p": (0, 0),
    "log2": (1, 0),
    "log10": (1, 0),
    "acos": (1, 0),
    "acosh": (1, 0),
}
_POSITIVE_ARGUMENT = {"log": 0, "log2": 0, "log10": 0, "log1p": 1}  # argument + number > 0
_ORDER: dict[str, tuple[int, AnyRelation]] = {  # the sign of right - left that makes it true
    "less": (1, ">"),
    "less_equal": (1, ">="),
    "greater": (-1, ">"),
    "greater_equal": (-1, ">="),
}


class NoFormula(Exception):
    """An operation that is not told here: its name."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A condition and its negation."""

    yes: Formula
    no: Formula


@dataclass(frozen=True, slots=True)
class Told:
    """What a program returns, as polynomials in `variables` unknowns (the inputs first), and what these satisfy."""

    variables: int
    results: tuple[Polynomial, ...]
    formulas: tuple[Formula, ...]


def value_formulas(program: Program) -> Told:
    """The formulas of a program without arrays but for its inputs (`scalarize`). Raises NoFormula."""
    if len(program.instructions) > MOST_INSTRUCTIONS:
        raise NoFormula(f"more than {MOST_INSTRUCTIONS} operations")
    return _Teller(program).told()


class _Teller:
    """Goes through the program once; `values` are what names stand for."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.inputs = [(param.value, place) for param in program.params for place in _places(param.value)]
        self.variables = len(self.inputs) + 2 * len(program.instructions) + 1
        self.used = len(self.inputs)
        self.formulas: list[Formula] = []
        self.values: dict[str, Polynomial | Truth | Vector] = {}
        self.applied: dict[str, list[tuple[Polynomial, Polynomial]]] = {}  # function -> (argument, value)
        self.pi: Polynomial | None = None

    def told(self) -> Told:
        entries: dict[str, list[Polynomial]] = {}
        for number, (value, _) in enumerate(self.inputs):
            entries.setdefault(value.name, []).append(variable(self.variables, number))
        for param in self.program.params:
            own = tuple(entries[param.value.name])
            self.values[param.value.name] = own if param.value.shape else own[0]
        for instruction in self.program.instructions:
            self.values[instruction.out.name] = self._value(instruction)
        for assertion in self.program.assertions:
            self._under(assertion.condition.branch, self._truth(assertion.condition).yes)
        results = tuple(self._number(value) for value in self.program.results)
        return Told(self.variables, results, tuple(self.formulas))

    # what a name stands for

    def _number(self, value: Value) -> Polynomial:
        found = self.values[value.name]
        if not isinstance(found, Polynomial):
            raise NoFormula("an array or a condition as a number")
        return found

    def _truth(self, value: Value) -> Truth:
        found = self.values[value.name]
        if not isinstance(found, Truth):
            raise NoFormula("a number as a condition")
        return found

    def _vector(self, value: Value) -> Vector:
        found = self.values[value.name]
        if not isinstance(found, tuple):
            raise NoFormula("a number as an array")
        return found

    def _unknown(self) -> Polynomial:
        self.used += 1
        assert self.used <= self.variables
        return variable(self.variables, self.used - 1)

    def _constant(self, number: Fraction | int) -> Polynomial:
        return constant(self.variables, Fraction(number))

    def _under(self, branch: Branch, *wanted: Formula) -> None:
        """What holds where the branch is taken."""
        away: list[Formula] = []
        for name, side in branch:
            guard = self.values[name]
            assert isinstance(guard, Truth)
            away.append(guard.no if side else guard.yes)
        self.formulas += [AnyOf((*away, part)) if away else part for part in wanted]

    # instructions

    def _value(self, instruction: Instruction) -> Polynomial | Truth | Vector:
        match instruction:
            case Select(_, guard, then, orelse):
                condition = self._truth(guard)
                if instruction.out.kind == "bool":
                    return _chosen(condition, self._truth(then), self._truth(orelse))
                cases = ((condition.yes, self._number(then)), (condition.no, self._number(orelse)))
                return self._choice(instruction.out.branch, cases)
            case Kink(_, left, right, above, below):
                difference = self._number(left) - self._number(right)
                cases = (
                    (Constraint(difference, ">="), self._number(above)),
                    (Constraint(-difference, ">"), self._number(below)),
                )
                return self._choice(instruction.out.branch, cases)
            case Apply():
                return self._applied_row(instruction)
            case _:
                assert_never(instruction)

    def _choice(self, branch: Branch, cases: tuple[tuple[Formula, Polynomial], ...]) -> Polynomial:
        chosen = self._unknown()
        parts = tuple(AllOf((when, _zero(chosen - value))) for when, value in cases)
        self._under(branch, AnyOf(parts))
        return chosen

    def _applied_row(self, apply: Apply) -> Polynomial | Truth | Vector:
        op, args = apply.op, apply.args
        if op in COMPARISONS:
            return _compared(op, self._number(args[1]) - self._number(args[0]))
        match op:
            case "constant":
                return self._named(apply.attribute("value"))
            case "boolean":
                always, never = _zero(self._constant(0)), _zero(self._constant(1))
                return Truth(always, never) if apply.attribute("value") else Truth(never, always)
            case "logical_not":
                truth = self._truth(args[0])
                return Truth(truth.no, truth.yes)
            case "logical_and" | "logical_or":
                left, right = self._truth(args[0]), self._truth(args[1])
                if op == "logical_and":
                    return Truth(AllOf((left.yes, right.yes)), AnyOf((left.no, right.no)))
                return Truth(AnyOf((left.yes, right.yes)), AllOf((left.no, right.no)))
            case "index":
                return self._entry(apply)
            case "stack":
                return tuple(self._number(arg) for arg in args)
            case "norm2":
                squares = [entry * entry for entry in self._vector(args[0])]
                return self._root(apply.out.branch, _sum(squares, self._constant(0)))
            case "extremum":
                return self._extremum(apply)
        numbers = [self._number(arg) for arg in args]
        return self._arithmetic(apply, numbers)

    def _named(self, value: object) -> Polynomial:
        if isinstance(value, Fraction):
            return self._constant(value)
        if value != "pi":
            raise NoFormula(f"the constant {value}")
        if self.pi is None:
            self.pi = self._unknown()
            three = self.pi - self._constant(3)
            self.formulas += [Constraint(three, ">"), Constraint(self._constant(1) - three, ">")]
        return self.pi

    def _entry(self, apply: Apply) -> Polynomial:
        key = apply.attribute("key")
        vector = self._vector(apply.args[0])
        shape = apply.args[0].shape
        if not all(isinstance(k, int) for k in key) or len(key) != len(shape):
            raise NoFormula("a part of an array")
        place = 0
        for k, size in zip(key, shape, strict=True):
            place = place * size + k % size
        return vector[place]

    def _extremum(self, apply: Apply) -> Polynomial:
        vector = self._vector(apply.args[0])
        if apply.out.shape:
            raise NoFormula("extremum of rows")
        turn = 1 if apply.attribute("sense") == "max" else -1
        found = self._unknown()
        beyond = tuple(Constraint((found - entry).scaled(Fraction(turn)), ">=") for entry in vector)
        attained = AnyOf(tuple(_zero(found - entry) for entry in vector))
        self._under(apply.out.branch, *beyond, attained)
        return found

    def _arithmetic(self, apply: Apply, numbers: list[Polynomial]) -> Polynomial:
        match apply.op:
            case "add":
                return numbers[0] + numbers[1]
            case "sub":
                return numbers[0] - numbers[1]
            case "mul":
                return numbers[0] * numbers[1]
            case "neg":
                return -numbers[0]
            case "div":
                return self._quotient(apply.out.branch, numbers[0], numbers[1])
            case "ipow" | "rpow":
                return self._power(apply, numbers[0], Fraction(apply.attribute("n")))
            case "sqrt":
                return self._root(apply.out.branch, numbers[0])
            case "sign":
                x, one, none = numbers[0], self._constant(1), self._constant(0)
                cases = ((Constraint(x, ">"), one), (_zero(x), none), (Constraint(-x, ">"), -one))
                return self._choice(apply.out.branch, cases)
        if len(numbers) != 1 or not TABLE[apply.op].smooth:
            raise NoFormula(apply.op)
        return self._function(apply.op, apply.out.branch, numbers[0])

    def _quotient(self, branch: Branch, above: Polynomial, below: Polynomial) -> Polynomial:
        if below.degree == 0 and isinstance(below.constant_term, Fraction):
            return above.scaled(1 / below.constant_term)
        found = self._unknown()
        self._under(branch, Constraint(below, "!="), _zero(found * below - above))
        return found

    def _power(self, apply: Apply, base: Polynomial, exponent: Fraction) -> Polynomial:
        if exponent.denominator == 2 and exponent > 0:
            return self._root(apply.out.branch, base) ** exponent.numerator
        if exponent.denominator != 1 and exponent > 0:
            self._under(apply.out.branch, Constraint(base, ">="))
            return self._function(f"pow {exponent}", apply.out.branch, base)
        if exponent.denominator != 1 or abs(exponent) > 40:
            raise NoFormula(f"the power {exponent}")
        power = base ** abs(int(exponent))
        return power if exponent >= 0 else self._quotient(apply.out.branch, self._constant(1), power)

    def _root(self, branch: Branch, square: Polynomial) -> Polynomial:
        found = self._unknown()
        self._under(branch, Constraint(square, ">="), Constraint(found, ">="), _zero(found * found - square))
        return found

    def _function(self, op: str, branch: Branch, argument: Polynomial) -> Polynomial:
        """A value of a function of one argument: the facts about it, and about it beside its other values."""
        known = self.applied.setdefault(op, [])
        for other, value in known:
            if other == argument:
                return value
        found = self._unknown()
        if op in _POSITIVE_ARGUMENT:
            self._under(branch, Constraint(argument + self._constant(_POSITIVE_ARGUMENT[op]), ">"))
        if op in _POSITIVE:
            self.formulas.append(Constraint(found, ">"))
        if op in _VALUES:
            at, value_there = _VALUES[op]
            self._where_equal(argument, self._constant(at), found, self._constant(value_there))
        if op == "acos":
            self._where_equal(argument, self._constant(-1), found, self._named("pi"))
        known.append((argument, found))
        for other, value in known:
            if other is not argument:
                self._where_equal(argument, other, found, value)
            if op in _ODD:
                self._where_equal(argument, -other, found, -value)
            if op in _EVEN:
                self._where_equal(argument, -other, found, value)
        return found

    def _where_equal(self, one: Polynomial, other: Polynomial, f: Polynomial, g: Polynomial) -> None:
        """Where one = other, f = g."""
        self.formulas.append(AnyOf((Constraint(one - other, "!="), _zero(f - g))))


def _zero(polynomial: Polynomial) -> Formula:
    return Constraint(polynomial, "=")


def _sum(parts: list[Polynomial], start: Polynomial) -> Polynomial:
    for part in parts:
        start = start + part
    return start


def _compared(op: str, difference: Polynomial) -> Truth:
    """A comparison of left and right; `difference` is right - left."""
    if op in ("equal", "not_equal"):
        same, apart = _zero(difference), Constraint(difference, "!=")
        return Truth(same, apart) if op == "equal" else Truth(apart, same)
    turn, relation = _ORDER[op]
    towards = difference.scaled(Fraction(turn))
    return Truth(Constraint(towards, relation), Constraint(-towards, ">=" if relation == ">" else ">"))


def _chosen(condition: Truth, then: Truth, orelse: Truth) -> Truth:
    return Truth(
        AnyOf((AllOf((condition.yes, then.yes)), AllOf((condition.no, orelse.yes)))),
        AnyOf((AllOf((condition.yes, then.no)), AllOf((condition.no, orelse.no)))),
    )


def _places(value: Value) -> range:
    size = 1
    for length in value.shape:
        size *= length
    return range(size)
