"""The instructions of a scalar program to calls on scratch buffers: the body of a block function.

d = sub a b            np.subtract(a, b, out=t0)
t = neg d              (put off: what adds t subtracts d, the same bits)
u = kink d 0 d t       np.absolute(t0, out=t0)
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import isfinite

from cfcompiler.arithmetic import nearest_float
from cfcompiler.ir import Apply, Instruction, Kink, Number, Program, Select, Value
from cfcompiler.primitives import TABLE
from cfcompiler.targets.numpy_module.calls import (
    Call,
    Calls,
    Layout,
    Name,
    Operand,
    Register,
    Use,
    allocate,
    gathered,
)
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.targets.numpy_module.expressions import Facts, expression
from cfcompiler.targets.numpy_module.masks import WINDOW, Masks
from cfcompiler.targets.numpy_module.patterns import Guard, Patterns, mask_plan, read, sliced
from cfcompiler.targets.numpy_module.slopes import look_up


class Block:
    """Lowers the instructions of one program."""

    def __init__(self, program: Program, names: dict[str, str], constants: Constants) -> None:
        self.program = program
        self.names = names
        self.constants = constants
        self.calls = Calls()
        self.facts = Facts(program)
        self.operands: dict[str, Operand] = {}
        self.numbers: dict[str, Number] = {}
        self.negated: dict[str, Operand] = {}  # value -> where its negative is
        self.known: dict[tuple[str, tuple[Use | Operand, ...]], tuple[Register, int]] = {}
        self.masks = Masks(self.calls, constants, self.real, shaped=False)
        self.aliased: set[str] = set()
        self.outputs = [f"out{place}" for place in range(len(program.results))]
        self.sure_text = "None"
        self.guards_of: dict[tuple[str, str], list[Guard]] = {}
        self.weighings: dict[tuple[str, str], list[Apply]] = {}
        for instruction in program.instructions:
            if isinstance(instruction, Apply) and instruction.op == "weigh":
                key = (instruction.args[0].name, instruction.args[1].name)
                self.weighings.setdefault(key, []).append(instruction)

    def run(self, found: Patterns | None = None, function: str = "") -> tuple[Layout, list[Call]]:
        """The body; with `found`, the results that patterns decide come from the table of `function`."""
        for param in self.program.params:
            name = self.names[param.value.name]
            self.aliased.add(name)
            self.operands[param.value.name] = Name(name, f"{name}r", fixed=True)
        packing = self._packing()
        decided = found.decided if found is not None else ()
        for instruction in self._needed(found):
            self.calls.span = instruction.span
            if instruction.out.name not in packing:
                self._lower(instruction)
        claimed: dict[Register, Name] = {}
        prologue: list[Call] = []
        for place, (output, value) in enumerate(zip(self.outputs, self.program.results, strict=True)):
            if place not in decided:
                self._results(output, value, claimed, prologue)
        if found is not None:
            prologue.append(self._look_up(found, function))
        if self.masks.sure is not None:
            # the last reader of the register: keeps its buffer to the end
            self.calls.line("sure = {0}", self.masks.sure)
            self.sure_text = "sure"
        calls = [*prologue, *gathered(self.calls.calls)]
        return allocate(calls, claimed, self.program.source), calls

    def _needed(self, found: Patterns | None) -> tuple[Instruction, ...]:
        """All instructions, or those that the other results and the bits need."""
        if found is None:
            return self.program.instructions
        decided = set(found.decided)
        roots = {value.name for place, value in enumerate(self.program.results) if place not in decided}
        roots.update(value.name for guard in found.guards for value in (guard.left, guard.right))
        kept = sliced(self.program, roots, through_choices=True)
        self.weighings = {}
        for guard in found.guards:
            self.guards_of.setdefault((guard.left.name, guard.right.name), []).append(guard)
        return kept

    def _look_up(self, found: Patterns, function: str) -> Call:
        """The decided results from the table; the call that makes it ready."""
        truths = []
        for guard in found.guards:
            if not guard.exact:
                self.masks.watch(guard.left, guard.right)
            truths.append(self.masks.truth(guard.comparison, guard.left, guard.right))
        targets = [
            f"{self.outputs[place]}[{', '.join(map(str, entry))}]" if entry else self.outputs[place]
            for place in found.decided
            for entry in product(*map(range, self.program.results[place].shape))
        ]
        return look_up(self.calls, self.constants, truths, targets, function)

    # results

    def _packing(self) -> set[str]:
        """Names of the stacks and reshapes that only arrange results."""
        uses: dict[str, int] = {}
        for instruction in self.program.instructions:
            for value in read(instruction):
                uses[value.name] = uses.get(value.name, 0) + 1
        packing: set[str] = set()
        for value in self.program.results:
            while value.shape and not uses.get(value.name, 0):
                made = self.facts.definition.get(value.name)
                if not isinstance(made, Apply) or made.op not in ("reshape", "stack"):
                    break
                packing.add(value.name)
                if made.op == "stack":
                    break
                value = made.args[0]
                uses[value.name] -= 1
        return packing

    def _entries(self, value: Value) -> list[Value] | None:
        """The scalars of a packed result in order; None for a vector made otherwise."""
        instruction = self.facts.definition.get(value.name)
        if isinstance(instruction, Apply) and instruction.op == "reshape" and value.shape:
            return self._entries(instruction.args[0])
        if isinstance(instruction, Apply) and instruction.op == "stack" and not instruction.args[0].shape:
            return list(instruction.args)
        return None

    def _results(
        self, output: str, value: Value, claimed: dict[Register, Name], prologue: list[Call]
    ) -> None:
        self.aliased.add(output)
        if not value.shape:
            self._result(Name(output, f"{output}r"), value, claimed)
            return
        entries = self._entries(value)
        if entries is None:
            self.calls.line(f"{output}[...] = {{0}}", self.real(value))
            return
        for place, entry in zip(product(*map(range, value.shape)), entries, strict=True):
            name = f"{output}_{'_'.join(map(str, place))}"
            prologue.append(Call(f"{name} = {output}[{', '.join(map(str, place))}]", (), None))
            self._result(Name(name, f"{name}.view(np.int64)"), entry, claimed)

    def _result(self, target: Name, value: Value, claimed: dict[Register, Name]) -> None:
        operand = self.real(value)
        if isinstance(operand, Register) and operand not in claimed:
            claimed[operand] = target
            return
        self.calls.line(f"np.copyto({target.plain}, {{0}})", operand)

    # operands

    def real(self, value: Value) -> Operand:
        """Where the value is; a negation that was put off is made now."""
        operand = self.operands.get(value.name)
        if operand is not None:
            return operand
        if value.name in self.numbers:
            operand = self._number(self.numbers[value.name])
        else:
            operand = self._ufunc("negative", self.negated[value.name])
        self.operands[value.name] = operand
        return operand

    def _number(self, number: Number) -> Name:
        name = self.constants.real(number)
        return Name(name, f"{name}_BITS", fixed=True)

    def _ufunc(self, name: str, *uses: Use | Operand) -> Register:
        """The value of a ufunc; the same call of a little before is not made again."""
        place = len(self.calls.calls)
        found = self.known.get((name, uses))
        if found is not None and place - found[1] <= WINDOW:
            return found[0]
        register = self.calls.ufunc(name, *uses)
        self.known[name, uses] = (register, place)
        return register

    def _is_zero(self, value: Value) -> bool:
        return self.numbers.get(value.name) == Fraction(0)

    def _harmless(self, value: Value) -> bool:
        """A number that 0 may multiply: 0 * number = 0."""
        number = self.numbers.get(value.name)
        return isinstance(number, Fraction) and number >= 0

    # instructions

    def _lower(self, instruction: Instruction) -> None:
        out = instruction.out
        match instruction:
            case Kink():
                self._prepare(instruction)
                self.operands[out.name] = self._kink(instruction)
            case Select():
                self.operands[out.name] = self._select(instruction)
            case Apply(op=op, args=args):
                if op == "constant":
                    self.numbers[out.name] = instruction.attribute("value")
                elif op == "neg" and not out.shape:
                    self._negate(out, args[0])
                elif (
                    out.shape
                    or any(arg.shape for arg in args)
                    or out.kind == "int"
                    or (args and args[0].kind == "int")
                ):
                    self.operands[out.name] = self._plain(instruction)
                elif op in ("mul", "div"):
                    product = self._product(instruction)
                    if product is not None:
                        self.operands[out.name] = product
                else:
                    self.operands[out.name] = self._scalar(instruction)

    def _negate(self, out: Value, value: Value) -> None:
        """-value, put off until it is known whether it can be subtracted instead."""
        number = self.numbers.get(value.name)
        if isinstance(number, Fraction) and number != 0:
            self.numbers[out.name] = -number
        elif value.name in self.negated:
            self.operands[out.name] = self.negated[value.name]
        else:
            self.negated[out.name] = self.real(value)

    def _pending(self, value: Value) -> bool:
        return value.name in self.negated and value.name not in self.operands

    def _product(self, instruction: Apply) -> Operand | None:
        """a * b or a / b with the signs of negated factors put off: the same bits. None if the sign is still open."""
        numbers = [self.numbers.get(arg.name) for arg in instruction.args]
        if instruction.op == "mul" and all(
            isinstance(number, Fraction) and number != 0 for number in numbers
        ):
            one, other = (nearest_float(number) for number in numbers if number is not None)
            if isfinite(one * other) and one * other != 0.0:
                self.numbers[instruction.out.name] = Fraction(one * other)
                return None
        operands: list[Operand] = []
        minus = False
        if Fraction(-1) in numbers and (instruction.op == "mul" or numbers[1] == -1):
            self._negate(instruction.out, instruction.args[1 if numbers[0] == -1 else 0])
            return None
        for arg in instruction.args:
            minus ^= self._pending(arg)
            operands.append(self.negated[arg.name] if self._pending(arg) else self.real(arg))
        product = self._ufunc(TABLE[instruction.op].numpy, *operands)
        if not minus:
            return product
        self.negated[instruction.out.name] = product
        return None

    def _scalar(self, instruction: Apply) -> Operand:
        op, args = instruction.op, instruction.args
        if op in ("add", "sub"):
            return self._sum(op, args)
        if op in ("ipow", "rpow"):
            exponent = instruction.attribute("n")
            base = self.real(args[0])
            return (
                self._ufunc("multiply", base, base)
                if exponent == 2
                else self._ufunc("power", base, self._number(exponent))
            )
        if op == "weigh":
            return self._weigh(instruction)
        if op in ("reshape", "broadcast", "sum_to"):
            return self.real(args[0])
        special = getattr(self, f"_op_{op}", None)
        if special is not None:
            operand: Operand = special(instruction)
            return operand
        row = TABLE[op]
        operands = [self.real(arg) for arg in args]
        if row.kind == "condition":
            return self.masks.truth(op, *args)
        if row.kind == "elementwise" and not row.numpy.startswith("_"):
            return self._ufunc(row.numpy, *operands)
        return self._plain(instruction)

    def _sum(self, op: str, args: tuple[Value, ...]) -> Operand:
        """a + b, with negated terms subtracted: the same bits."""
        left, right = args
        minus = op == "sub"
        if self._pending(right):
            return self._ufunc("add" if minus else "subtract", self.real(left), self.negated[right.name])
        if not minus and self._pending(left):
            return self._ufunc("subtract", self.real(right), self.negated[left.name])
        return self._ufunc("subtract" if minus else "add", self.real(left), self.real(right))

    def _plain(self, instruction: Instruction) -> Operand:
        """A local name for the plain expression: orderings, and what has no ufunc of its own."""
        uses: list[Operand] = []

        def hole(value: Value) -> str:
            uses.append(self.real(value))
            return f"{{{len(uses) - 1}}}"

        if isinstance(instruction, Apply) and instruction.op == "stack":
            text = f"_stacked(({', '.join(hole(arg) for arg in instruction.args)},), {self.outputs[0]}.shape[-1])"
        elif isinstance(instruction, Apply) and instruction.op == "boolean":
            text = f"np.array([{instruction.attribute('value')}])"
        else:
            text = expression(instruction, hole, self.facts)
        name = self.names[instruction.out.name]
        self.calls.line(f"{name} = {text}", *uses)
        return Name(
            name, f"{name}.view(np.int8)" if instruction.out.kind == "bool" else f"{name}.view(np.int64)"
        )

    def _op_to_real(self, instruction: Apply) -> Operand:
        one = self._number(Fraction(1))
        return self._ufunc("multiply", self.real(instruction.args[0]), one)

    def _op_sigmoid(self, instruction: Apply) -> Operand:
        x = instruction.args[0]
        one, zero = self._number(Fraction(1)), self._number(Fraction(0))
        small = self._ufunc("exp", self._ufunc("negative", self._ufunc("absolute", self.real(x))))
        whole = self._ufunc("add", one, small)
        right = self.calls.ufunc("greater_equal", self.real(x), zero, memory="truth")
        return self._ufunc("divide", self.masks.blend(right, one, small), whole)

    def _op_softplus(self, instruction: Apply) -> Operand:
        x = self.real(instruction.args[0])
        small = self._ufunc("exp", self._ufunc("negative", self._ufunc("absolute", x)))
        return self._ufunc(
            "add", self._ufunc("maximum", x, self._number(Fraction(0))), self._ufunc("log1p", small)
        )

    # choices

    def _prepare(self, kink: Kink) -> None:
        """The comparisons that the weighings of this kink will ask for, while its sides are still there."""
        for guard in self.guards_of.get((kink.left.name, kink.right.name), []):
            if not guard.exact:
                self.masks.watch(kink.left, kink.right)
            self.masks.truth(guard.comparison, kink.left, kink.right)
        for weighing in self.weighings.get((kink.left.name, kink.right.name), []):
            plan = mask_plan(weighing.attribute("weights"))
            if plan is not None:
                if not plan.exact:
                    self.masks.watch(kink.left, kink.right)
                self.masks.truth(plan.comparison, kink.left, kink.right)

    def _kink(self, kink: Kink) -> Operand:
        left, right, above, below = kink.left, kink.right, kink.above, kink.below
        if above == left and below == right:
            if self._is_zero(right):
                return self._cut_below_zero(left, right)
            return self._ufunc("maximum", self.real(below), self.real(above))
        if above == right and below == left:
            return self._ufunc("minimum", self.real(below), self.real(above))
        if self._is_zero(right) and above == left and self.negated.get(below.name) == self.real(left):
            if (left.name, right.name) not in self.masks.watched:
                self.masks.require(
                    self.masks.truth("not_equal", left, right)
                )  # -0.0 is its own absolute value here
            return self._ufunc("absolute", self.real(left))
        watched = (left.name, right.name) in self.masks.watched
        if not watched:
            self.masks.watch_order(left, right)
        truth = self.masks.truth("greater" if watched else "less", left, right)
        one, other = (above, below) if watched else (below, above)
        return self._chosen(truth, one, other)

    def _cut_below_zero(self, x: Value, zero: Value) -> Operand:
        """relu: x but for the bits of negative numbers; NaN and -0.0 pass."""
        if (x.name, zero.name) in self.masks.watched:
            mask = self.masks.mask(self.masks.truth("greater", x, zero), True)
        else:
            mask = self.masks.mask(self.masks.truth("less", x, zero), False)
        return self.masks.bits("bitwise_and", self.real(x), mask, ())

    def _select(self, select: Select) -> Operand:
        if select.out.shape or select.out.kind != "real":
            return self._plain(select)
        return self._chosen(self.real(select.guard), select.then, select.orelse)

    def _chosen(self, truth: Operand, then: Value, orelse: Value) -> Operand:
        """then where truth, else orelse, bit by bit."""
        if self._is_zero(orelse):
            return self._kept(truth, True, then)
        if self._is_zero(then):
            return self._kept(truth, False, orelse)
        one, other = self.real(then), self.real(orelse)
        return self.masks.blend(truth, one, other)

    def _kept(self, truth: Operand, positive: bool, value: Value) -> Operand:
        return self.masks.kept(truth, positive, self.real(value), ())

    def _weigh(self, weighing: Apply) -> Operand:
        left, right, term = weighing.args
        plan = mask_plan(weighing.attribute("weights"))
        if plan is None:
            return self._plain(weighing)
        if not plan.exact:
            self.masks.watch(left, right)
        truth, positive = self.masks.truth(plan.comparison, left, right), plan.positive
        if weighing.attribute("gate") == "select" or self._harmless(term):
            return self._kept(truth, positive, term)
        return self._ufunc("multiply", truth if positive else self.masks.opposite(truth), self.real(term))
