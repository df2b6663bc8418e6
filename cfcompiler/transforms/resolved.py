"""Program -> Program: ties resolved by the derivative along d = (1, 2**-10, 2**-20, ...).

    s = kink l r a b       tied = equal l r
                           z = select tied (d_l - d_r) (l - r)
                           s = kink z 0 a b

What is compared is followed by its tangent along d, along the choices made; so the program takes the pieces of the
points x + t d, t > 0 small, wherever a first derivative tells them. Elsewhere z is 0 and the choice stays open.

A tie and the sign of a tangent are only believed where rounding cannot have made them. For polynomials: where the
sides are as exact as inputs are, or all that they are sums of is 0, and where the tangent is larger than its error
bound (count * 2**-52 times the same sums of absolute values; Higham 2002, section 3.1). Where a quotient is compared,
never; where another function is, always. Source: Khan & Barton 2015; Kakade & Lee 2018.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite, prod

import numpy as np

from cfcompiler.arithmetic import nearest_float
from cfcompiler.builder import Builder
from cfcompiler.ir import Apply, Formulas, Instruction, Kink, Program, Select, Shape, Value
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.transforms.activity import active_values
from cfcompiler.transforms.derivatives import tangent_of

_LINEAR = ("broadcast", "sum_to", "reshape", "transpose", "index", "place", "take", "put", "sum", "cumsum")
_MOVES = ("broadcast", "reshape", "transpose", "index", "take")
_MOST = 2**24  # roundings that the bound allows for
_TINY = Fraction(1, 2**900)  # below it underflow is too near


@dataclass(frozen=True, slots=True)
class Bound:
    """The sums of absolute values that a value and its tangent come from, and how many roundings are behind them."""

    value: Value
    tangent: Value | None
    count: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """`sides`: of each value compared with 0, what was compared; `own`: comparisons that the transform made."""

    program: Program
    sides: dict[str, tuple[Value, Value]]
    own: frozenset[str]


def direction(place: int) -> Fraction:
    """The entry of d for entry number `place` of the inputs: after 40 the same again times 1/2, 1/3, ..."""
    return Fraction(1, (1 + place // 40) * 2 ** (10 * (place % 40)))


def directions(first: int, shape: Shape) -> np.ndarray:
    """The entries of d from entry number `first` on, each the float nearest to it."""
    places = np.arange(first, first + prod(shape))
    return np.ldexp(1.0 / (1 + places // 40), -10 * (places % 40)).reshape(shape)


def resolved(program: Program) -> Resolved:
    """`program` as transforms/lexicographic.py settles it."""
    return _Resolver(program).run()


class _Resolver:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.builder = Builder(program.name, program.source, program.preset, Formulas())
        self.builder.reserve(program)
        self.tangents: dict[str, Value] = {}
        self.bounds: dict[str, Bound] = {}
        self.rational: set[str] = set()  # values of which no bound is known, but which are to be exact
        self.sides: dict[str, tuple[Value, Value]] = {}
        self.own: set[str] = set()
        self.exact: set[str] = set()  # inputs, constants, and what is one of them or of their negatives
        self.sure_of_zero: set[str] = set()  # what is 0 in floats only where it is 0: also their differences
        self.active = active_values(program)
        self.zeros: set[str] = set()  # constants
        self.positive: set[str] = set()  # sums of absolute values, one of them that of a constant: never 0
        self.numbers: dict[str, Fraction] = {}  # tangents that are constants

    def run(self) -> Resolved:
        builder = self.builder
        builder.params.extend(self.program.params)
        self._start()
        for instruction in self.program.instructions:
            builder.span = instruction.span
            with builder.on(instruction.out.branch):
                self._instruction(instruction)
        found = builder.finish(self.program.results)
        return Resolved(found, self.sides, frozenset(self.own))

    def _start(self) -> None:
        place = 0
        for param in self.program.params:
            x = param.value
            tangent = None
            if param.differentiable:
                tangent = self._direction(x, place)
                self.tangents[x.name] = tangent
                place += prod(x.shape)
            self.bounds[x.name] = Bound(self._absolute(x), tangent, 1)
            self.exact.add(x.name)
            self.sure_of_zero.add(x.name)

    def _direction(self, x: Value, place: int) -> Value:
        if not x.shape:
            value = self.builder.constant(direction(place))
            self.numbers[value.name] = direction(place)
            return value
        return self.builder.array(self.builder.fresh(f"d_{x.name}"), directions(place, x.shape))

    def _instruction(self, instruction: Instruction) -> None:
        builder = self.builder
        match instruction:
            case Kink(left=left, right=right) if left.name in self.tangents or right.name in self.tangents:
                instruction = replace(instruction, left=self._switch(left, right), right=builder.constant(0))
            case Apply(op=op, args=args) if op in COMPARISONS and (
                args[0].name in self.tangents or args[1].name in self.tangents
            ):
                instruction = replace(instruction, args=(self._switch(*args), builder.constant(0)))
        builder.copy(instruction)
        out = instruction.out
        if out.name in self.active:
            tangent = tangent_of(builder, instruction, self.tangents)
            if tangent is not None:
                self.tangents[out.name] = tangent
        if out.kind == "real":
            self._bound(instruction)
            self._note_exactness(instruction)

    def _note_exactness(self, instruction: Instruction) -> None:
        name = instruction.out.name
        match instruction:
            case Kink(above=one, below=other) | Select(then=one, orelse=other):
                args: tuple[Value, ...] = (one, other)
            case Apply(op="constant"):
                number = instruction.attribute("value")
                if not isfinite(near := nearest_float(number)) or Fraction(repr(near)) != number:
                    return
                if number == 0:
                    self.zeros.add(name)
                args = ()
            case Apply(op=op) if op in ("mul", "ipow", "add", "sub"):
                sources = self.exact if op in ("add", "sub") else self.sure_of_zero
                if all(arg.name in sources for arg in instruction.args):
                    self.sure_of_zero.add(name)
                return
            case Apply(op=op) if (
                op in ("array", "neg", "concat", "stack", "gather", "extremum") or op in _MOVES
            ):
                args = tuple(arg for arg in instruction.args if arg.kind == "real")
            case _:
                return
        for known in (self.exact, self.sure_of_zero):
            if all(arg.name in known for arg in args):
                known.add(name)

    def _is_exact_tie(self, left: Value, right: Value) -> bool:
        """Whether left and right are equal in floats only where they are equal."""
        if left.name in self.exact and right.name in self.exact:
            return True
        sides = (left.name, right.name)
        return any(side in self.zeros for side in sides) and all(side in self.sure_of_zero for side in sides)

    # what is compared with 0

    def _switch(self, left: Value, right: Value) -> Value:
        builder = self.builder
        gap = left if right.name in self.zeros else builder.apply("sub", left, right)
        one, other = self.tangents.get(left.name), self.tangents.get(right.name)
        if other is None:
            assert one is not None
            slope = one
        else:
            slope = builder.apply("neg", other) if one is None else builder.apply("sub", one, other)
        known = self._known(one, other)
        if known is not None and known != 0 and self._is_exact_tie(left, right):
            slope = builder.constant(known)
        else:
            slope = self._believed(slope, left, right)
        tied = self._compare("equal", left, right)
        z = builder.select(tied, slope, gap, lazy=False)
        self.sides[z.name] = (left, right)
        return z

    def _known(self, one: Value | None, other: Value | None) -> Fraction | None:
        """The difference of two tangents where both are constants."""
        numbers = [Fraction(0) if side is None else self.numbers.get(side.name) for side in (one, other)]
        return None if numbers[0] is None or numbers[1] is None else numbers[0] - numbers[1]

    def _compare(self, op: str, left: Value, right: Value) -> Value:
        found = self.builder.apply(op, left, right)
        self.own.add(found.name)
        return found

    def _believed(self, slope: Value, left: Value, right: Value) -> Value:
        """The slope where its sign is certain, else 0."""
        builder = self.builder
        zero = builder.constant(0)
        if left.name in self.bounds and right.name in self.bounds:
            found = [self.bounds[side.name] for side in (left, right)]
            parts = [bound.tangent for bound in found if bound.tangent is not None]
            count = max(bound.count for bound in found) + 2
            exact = self._is_exact_tie(left, right)
            never = not exact and not self.positive.isdisjoint(bound.value.name for bound in found)
            if count > _MOST or not parts or never:
                return zero
            total = parts[0] if len(parts) == 1 else builder.apply("add", parts[0], parts[1])
            error = builder.apply("mul", builder.constant(Fraction(count, 2**52)), total)
            error = builder.apply("add", error, builder.constant(_TINY))
            above, negative = self._compare("greater", slope, error), builder.apply("neg", error)
            certain = builder.apply("logical_or", above, self._compare("less", slope, negative))
            if not exact:
                size = builder.apply("add", found[0].value, found[1].value)
                certain = builder.apply("logical_and", certain, self._compare("equal", size, zero))
            return builder.select(certain, slope, zero, lazy=False)
        if any(side.name in self.rational for side in (left, right)) and all(
            side.name in self.rational or side.name in self.bounds for side in (left, right)
        ):
            return zero
        return slope

    # bounds

    def _absolute(self, x: Value) -> Value:
        builder = self.builder
        negative = self._compare("less", x, builder.constant(0))
        return builder.select(negative, builder.apply("neg", x), x, lazy=False)

    def _bound(self, instruction: Instruction) -> None:
        name = instruction.out.name
        if not isinstance(instruction, Apply):
            if isinstance(instruction, Select) and instruction.lazy:
                self._of_lazy(instruction)
            else:
                self._total(instruction, _arms(instruction), 0)
            return
        op, args = instruction.op, instruction.args
        if op == "constant" and isinstance(number := instruction.attribute("value"), Fraction):
            self.bounds[name] = Bound(self.builder.constant(abs(number)), None, 1)
            self.positive |= {self.bounds[name].value.name} if abs(number) > _TINY else set()
        elif op in ("constant", "array", "to_real"):
            self.bounds[name] = Bound(self._absolute(instruction.out), None, 1)
        elif op in ("add", "sub"):
            self._total(instruction, args, 1)
        elif op == "neg":
            self._total(instruction, args, 0)
        elif all(arg.kind != "real" or arg.name in self.bounds for arg in args) and op in _RULES:
            bound = _RULES[op](self, instruction)
            if bound is not None:
                self.bounds[name] = bound
        if name not in self.bounds and self._is_rational(instruction):
            self.rational.add(name)

    def _is_rational(self, instruction: Apply | Select | Kink) -> bool:
        if isinstance(instruction, Apply):
            op = instruction.op
            row = TABLE[op]
            rational = op in ("add", "sub", "mul", "neg", "div", "ipow", "matmul") or row.kind in (
                "structural",
                "choice",
            )
            args = tuple(arg for arg in instruction.args if arg.kind == "real")
            return (rational or row.jumps) and all(
                arg.name in self.bounds or arg.name in self.rational for arg in args
            )
        return all(arm.name in self.bounds or arm.name in self.rational for arm in _arms(instruction))

    def _total(self, instruction: Instruction, args: tuple[Value, ...], roundings: int) -> None:
        """The sum of the bounds, for a sum of the arguments or one of them."""
        if any(arg.name not in self.bounds for arg in args):
            if not isinstance(instruction, Apply) and self._is_rational(instruction):
                self.rational.add(instruction.out.name)
            return
        found = [self.bounds[arg.name] for arg in args]
        shape = instruction.out.shape
        value = self._sum([bound.value for bound in found], shape)
        tangents = [bound.tangent for bound in found if bound.tangent is not None]
        count = max(bound.count for bound in found) + roundings
        assert value is not None
        self.bounds[instruction.out.name] = Bound(value, self._sum(tangents, shape), count)

    def _of_lazy(self, select: Select) -> None:
        """The bound of the arm that is taken."""
        arms = (select.then, select.orelse)
        if any(arm.name not in self.bounds for arm in arms):
            if self._is_rational(select):
                self.rational.add(select.out.name)
            return
        builder = self.builder
        zero = builder.constant(0)
        first, second = (self.bounds[arm.name] for arm in arms)
        shape = select.out.shape

        def chosen(one: Value | None, other: Value | None) -> Value:
            then, orelse = (self._sum([side if side is not None else zero], shape) for side in (one, other))
            assert then is not None and orelse is not None
            return builder.select(select.guard, then, orelse, lazy=True)

        tangent = None
        if first.tangent is not None or second.tangent is not None:
            tangent = chosen(first.tangent, second.tangent)
        count = max(first.count, second.count)
        self.bounds[select.out.name] = Bound(chosen(first.value, second.value), tangent, count)

    def _sum(self, terms: list[Value], shape: tuple[int, ...]) -> Value | None:
        if not terms:
            return None
        total = terms[0]
        for term in terms[1:]:
            total = self.builder.apply("add", total, term)
        self.positive |= {total.name for term in terms if term.name in self.positive}
        return total if total.shape == shape else self.builder.apply("broadcast", total, shape=shape)


def _arms(instruction: Kink | Select) -> tuple[Value, Value]:
    """The two values that are chosen from."""
    if isinstance(instruction, Kink):
        return instruction.above, instruction.below
    return instruction.then, instruction.orelse


def _of_product(resolver: _Resolver, instruction: Apply) -> Bound:
    builder, op = resolver.builder, instruction.op
    first, second = (resolver.bounds[arg.name] for arg in instruction.args)
    inner = instruction.args[0].shape[-1] if op == "matmul" else 0
    tangents = []
    if first.tangent is not None:
        tangents.append(builder.apply(op, first.tangent, second.value))
    if second.tangent is not None:
        tangents.append(builder.apply(op, first.value, second.tangent))
    tangent = resolver._sum(tangents, instruction.out.shape)
    value = builder.apply(op, first.value, second.value)
    return Bound(value, tangent, first.count + second.count + inner + 2)


def _of_power(resolver: _Resolver, instruction: Apply) -> Bound | None:
    builder, n = resolver.builder, instruction.attribute("n")
    bound = resolver.bounds[instruction.args[0].name]
    if n < 1 or n > 100:
        return None
    value = builder.apply("ipow", bound.value, n=n)
    tangent = None
    if bound.tangent is not None:
        factor = builder.constant(n)
        if n > 1:
            factor = builder.apply("mul", factor, builder.apply("ipow", bound.value, n=n - 1))
        tangent = builder.apply("mul", factor, bound.tangent)
    return Bound(value, tangent, int(n) * (bound.count + 4))


def _of_linear(resolver: _Resolver, instruction: Apply) -> Bound:
    """Entries moved or added up: so are the bounds."""
    builder, args = resolver.builder, instruction.args
    reals = [arg for arg in args if arg.kind == "real"]
    others = tuple(arg for arg in args if arg.kind != "real")
    found = [resolver.bounds[arg.name] for arg in reals]
    static = dict(instruction.attributes)

    def moved(parts: list[Value | None]) -> Value:
        full = [
            part
            if part is not None and part.shape == arg.shape
            else builder.apply(
                "broadcast", part if part is not None else builder.constant(0), shape=arg.shape
            )
            for part, arg in zip(parts, reals, strict=True)
        ]
        return builder.apply(instruction.op, *full, *others, **static)

    tangents = [bound.tangent for bound in found]
    tangent = moved(tangents) if any(part is not None for part in tangents) else None
    added = (
        sum(prod(arg.shape) for arg in reals) if instruction.op in ("sum", "sum_to", "cumsum", "put") else 0
    )
    value = moved([bound.value for bound in found])
    return Bound(value, tangent, max(bound.count for bound in found) + added)


def _of_extremum(resolver: _Resolver, instruction: Apply) -> Bound:
    bound = resolver.bounds[instruction.args[0].name]
    axes = instruction.attribute("axes")
    tangent = None if bound.tangent is None else resolver.builder.apply("sum", bound.tangent, axes=axes)
    return Bound(resolver.builder.apply("sum", bound.value, axes=axes), tangent, bound.count)


_RULES = {
    "mul": _of_product,
    "matmul": _of_product,
    "ipow": _of_power,
    "extremum": _of_extremum,
    **dict.fromkeys((*_LINEAR, "concat", "stack", "gather"), _of_linear),
}
