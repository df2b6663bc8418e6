"""A scalar program to a function over many points: ufuncs into scratch buffers, choices by bit masks.

    u = max(a, b)          np.greater(a, b, out=q0)
                           np.maximum(b, a, out=t0)
    c_a = weigh a b c      np.negative(q0r, out=t1r)            # -1 where a > b: all bits, else none
                           np.bitwise_and(cr, t1r, out=t2r)     # exact: no 0 * inf
    c_b                    np.bitwise_xor(cr, t2r, out=t1r)

A weight rule of zeros and ones, tie and NaN included, is one comparison. Any other rule (max by halves) is treated so
too, and the block says at which points that was right (`sure`): the others are done again by the plain text of
expressions.py, which knows all four cases. Both arms of a lazy choice are evaluated everywhere and merged by masks:
every value leaves its branch through a select, so nothing of the arm not taken is seen.

Source: Griewank & Walther 2008, chapter 14, on masking; measurements of NumPy's ufuncs for the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.program import Apply, Instruction, Kink, Number, Program, Select, Value
from cfcompiler.source import NOWHERE, Span
from cfcompiler.targets.numpy_module.calls import Call, Calls, Layout, Name, Operand, Register, Use, allocate
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.targets.numpy_module.expressions import Facts, expression

_RESERVED = re.compile(r"([tq]\d+r?|out\d+\w*|np|work|width|sure|lambda|K\w*|_\w+|ONE_BYTE)$")
_WINDOW = 12  # calls for which a mask is kept rather than made again from its truth buffer

# (weight at the tie, weight at NaN) -> the comparison that gives both, and whether it is to be negated.
_ABOVE = {(0, 0): ("greater", True), (1, 0): ("greater_equal", True), (0, 1): ("less_equal", False), (1, 1): ("less", False)}
_BELOW = {(0, 0): ("less", True), (1, 0): ("less_equal", True), (0, 1): ("greater_equal", False), (1, 1): ("greater", False)}


@dataclass(frozen=True, slots=True)
class BlockCode:
    """Lines of a module: two functions and the plan that drivers._sweep takes."""

    plan: str
    lines: tuple[str, ...]


def block_code(program: Program, plan: str, constants: Constants) -> BlockCode:
    """Code that evaluates a scalarized program over many points; `plan` is the name of the plan it defines.

    The inputs are the parameters in order; the results are those of the program.
    """
    names = _safe_names(program)
    block = _Block(program, names, constants)
    layout = block.run()
    constants.read_bits(layout.raw_names)
    function = plan.lower()
    body = [
        *_unpacked(layout),
        *(f"{name}r = {name}.view(np.int64)" for name in layout.raw_names if name in block.aliased),
        *layout.lines,
        f"return {block.sure_text}",
    ]
    parameters = ", ".join([*(names[param.value.name] for param in program.params), *block.outputs, "work"])
    lines = [
        f"def _{function}_block({parameters}):",
        f'    """{_summary(program)}: one block of points; what it returns says where it is right."""',
        *(f"    {line}" for line in body),
        "",
        "",
        *points_code(program, f"_{function}_points", names),
        "",
        "",
        _plan(program, plan, function, layout),
    ]
    return BlockCode(plan, tuple(lines))


def _summary(program: Program) -> str:
    return program.name


def _plan(program: Program, plan: str, function: str, layout: Layout) -> str:
    ranks = tuple(len(param.value.shape) for param in program.params)
    shapes = tuple(value.shape for value in program.results)
    return f"{plan} = (_{function}_block, _{function}_points, {layout.reals}, {layout.truths}, {ranks}, {shapes})"


def _unpacked(layout: Layout) -> list[str]:
    names = [f"t{place}" for place in range(layout.reals)]
    names += [f"{name}r" for name in names]
    flags = [f"q{place}" for place in range(layout.truths)]
    names += flags + [f"{name}r" for name in flags]
    return [f"{', '.join(names)} = work"] if names else []


def _safe_names(program: Program) -> dict[str, str]:
    """The names of the program's values, changed where block code needs them itself."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    values = [*(param.value for param in program.params), *(instruction.out for instruction in program.instructions)]
    for value in values:
        name = re.sub(r"\W", "_", value.name)
        while _RESERVED.match(name) or name in taken:
            name += "_"
        taken.add(name)
        names[value.name] = name
    return names


def points_code(program: Program, function: str, names: dict[str, str] | None = None) -> list[str]:
    """The plain text: a function of the number of points and the inputs, their points on the last axis."""
    names = names if names is not None else _safe_names(program)
    facts = Facts(program)
    lines = [f"def {function}({', '.join(['width', *(names[param.value.name] for param in program.params)])}):"]
    line_number = 0
    for instruction in program.instructions:
        number = instruction.span.line
        if number not in (0, line_number):
            line_number = number
            lines.append(f"    # {program.source.line(number).strip()}")
        lines.append(f"    {names[instruction.out.name]} = {_points_expression(instruction, names, facts)}")
    results = ", ".join(names[value.name] for value in program.results)
    lines.append(f"    return ({results},)")
    return lines


def _points_expression(instruction: Instruction, names: dict[str, str], facts: Facts) -> str:
    """As `expression`, with the number of points behind the shape."""
    if isinstance(instruction, Apply):
        args = [names[arg.name] for arg in instruction.args]
        if instruction.op == "stack":
            return f"_stacked(({', '.join(args)},), width)"
        if instruction.op == "constant":
            return f"np.float64({expression(instruction, lambda value: names[value.name], facts)})"
        if instruction.op == "reshape":
            if not instruction.out.shape:
                return args[0]
            return f"{args[0]}.reshape(({', '.join(map(str, instruction.out.shape))}, width))"
    return expression(instruction, lambda value: names[value.name], facts)


Plan = tuple[str, bool, bool]  # comparison, whether its truth (not its falsity) gives weight 1, exact at tie and NaN


def mask_plan(weights: tuple[Number, Number, Number, Number]) -> Plan | None:
    """How one comparison gives weights of 0 and 1; None where the two sides have other weights."""
    below, tie, above, unordered = weights
    for sides, table, loose in (((0, 1), _ABOVE, ("greater", True)), ((1, 0), _BELOW, ("greater", False))):
        if (below, above) == sides:
            exact = table.get((tie, unordered)) if tie in (0, 1) and unordered in (0, 1) else None
            return (*exact, True) if exact is not None else (*loose, False)
    return None


class _Block:
    """Lowers the instructions of one program."""

    def __init__(self, program: Program, names: dict[str, str], constants: Constants) -> None:
        self.program = program
        self.names = names
        self.constants = constants
        self.calls = Calls()
        self.facts = Facts(program)
        self.operands: dict[str, Operand] = {}
        self.numbers: dict[str, Number] = {}
        self.negated: dict[str, Value] = {}
        self.truths: dict[tuple[str, str, str], Operand] = {}
        self.opposites: dict[Operand, Operand] = {}
        self.masks: dict[tuple[Operand, bool], tuple[Register, int]] = {}
        self.shares: dict[tuple[Operand, Operand], tuple[Operand, bool]] = {}
        self.sure: Register | None = None
        self.watched: set[tuple[str, str]] = set()
        self.aliased: set[str] = set()
        self.outputs = [f"out{place}" for place in range(len(program.results))]
        self.span: Span = NOWHERE
        self.sure_text = "None"
        self.weighings: dict[tuple[str, str], list[Apply]] = {}
        for instruction in program.instructions:
            if isinstance(instruction, Apply) and instruction.op == "weigh":
                key = (instruction.args[0].name, instruction.args[1].name)
                self.weighings.setdefault(key, []).append(instruction)

    def run(self) -> Layout:
        for param in self.program.params:
            name = self.names[param.value.name]
            self.aliased.add(name)
            self.operands[param.value.name] = Name(name, f"{name}r")
        packing = self._packing()
        for instruction in self.program.instructions:
            self.span = instruction.span
            if instruction.out.name not in packing:
                self._lower(instruction)
        claimed: dict[Register, Name] = {}
        prologue: list[Call] = []
        for output, value in zip(self.outputs, self.program.results, strict=True):
            self._results(output, value, claimed, prologue)
        if self.sure is not None:
            # the last reader of the register: keeps its buffer to the end
            self.calls.line("sure = {0}", self.sure, span=NOWHERE)
            self.sure_text = "sure"
        return allocate([*prologue, *self.calls.calls], claimed, self.program.source)

    # results

    def _packing(self) -> set[str]:
        """Names of the stacks and reshapes that only arrange results."""
        uses: dict[str, int] = {}
        for instruction in self.program.instructions:
            for value in _read(instruction):
                uses[value.name] = uses.get(value.name, 0) + 1
        packing: set[str] = set()
        for value in self.program.results:
            while value.shape and not uses.get(value.name, 0):
                instruction = self.facts.definition.get(value.name)
                if not isinstance(instruction, Apply) or instruction.op not in ("reshape", "stack"):
                    break
                packing.add(value.name)
                if instruction.op == "stack":
                    break
                value = instruction.args[0]
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
            self.calls.line(f"{output}[...] = {{0}}", self.real(value), span=NOWHERE)
            return
        places = _places(value.shape)
        for place, entry in zip(places, entries, strict=True):
            name = f"{output}_{'_'.join(map(str, place))}"
            prologue.append(Call(f"{name} = {output}[{', '.join(map(str, place))}]", (), None))
            self._result(Name(name, f"{name}.view(np.int64)"), entry, claimed)

    def _result(self, target: Name, value: Value, claimed: dict[Register, Name]) -> None:
        operand = self.real(value)
        if isinstance(operand, Register) and operand not in claimed:
            claimed[operand] = target
            return
        self.calls.line(f"np.copyto({target.plain}, {{0}})", operand, span=NOWHERE)

    # operands

    def real(self, value: Value) -> Operand:
        """Where the value is; a negation that was put off is made now."""
        operand = self.operands.get(value.name)
        if operand is not None:
            return operand
        if value.name in self.numbers:
            operand = self._number(self.numbers[value.name])
        else:
            operand = self._ufunc("negative", self.real(self.negated[value.name]))
        self.operands[value.name] = operand
        return operand

    def _number(self, number: Number) -> Name:
        name = self.constants.real(number)
        return Name(name, f"{name}_BITS")

    def _ufunc(self, name: str, *uses: Use | Operand) -> Register:
        return self.calls.ufunc(name, *uses, span=self.span)

    def _bits(self, name: str, *operands: Operand) -> Register:
        return self.calls.ufunc(name, *(Use(operand, "raw") for operand in operands), raw=True, span=self.span)

    def _is_zero(self, value: Value) -> bool:
        return self.numbers.get(value.name) == Fraction(0)

    def _harmless(self, value: Value) -> bool:
        """A number that 0 may multiply: 0 * number = 0."""
        number = self.numbers.get(value.name)
        return isinstance(number, Fraction) and number >= 0

    # truths and masks

    def _truth(self, comparison: str, left: Value, right: Value) -> Operand:
        key = (comparison, left.name, right.name)
        if key not in self.truths:
            uses = (self.real(left), self.real(right))
            self.truths[key] = self.calls.ufunc(comparison, *uses, memory="truth", span=self.span)
        return self.truths[key]

    def _opposite(self, truth: Operand) -> Operand:
        if truth not in self.opposites:
            self.opposites[truth] = self.calls.ufunc("logical_not", truth, memory="truth", span=self.span)
        return self.opposites[truth]

    def _mask(self, truth: Operand, positive: bool) -> Register:
        """All bits where `truth` is `positive`, else none."""
        key = (truth, positive)
        place = len(self.calls.calls)
        if key not in self.masks or place - self.masks[key][1] > _WINDOW:
            if positive:
                mask = self.calls.ufunc("negative", Use(truth, "raw"), raw=True, span=self.span)
            else:
                one = self.constants.integer("ONE_BYTE", "np.array(1, dtype=np.int8)")
                mask = self.calls.ufunc("subtract", Use(truth, "raw"), Name(one, one), raw=True, span=self.span)
            self.masks[key] = (mask, place)
        return self.masks[key][0]

    def _watch(self, left: Value, right: Value) -> None:
        """Ask of the points that left and right differ; the others are open."""
        if (left.name, right.name) in self.watched:
            return
        self.watched.add((left.name, right.name))
        self._require("greater", "less", left, right)

    def _watch_order(self, left: Value, right: Value) -> None:
        """Ask of the points that left and right can be compared."""
        if (left.name, right.name) not in self.watched:
            self._require("greater_equal", "less", left, right)

    def _require(self, one: str, other: str, left: Value, right: Value) -> None:
        either = self.calls.ufunc(
            "logical_or",
            self._truth(one, left, right),
            self._truth(other, left, right),
            memory="truth",
            span=self.span,
        )
        if self.sure is None:
            self.sure = either
        else:
            self.sure = self.calls.ufunc("logical_and", self.sure, either, memory="truth", span=self.span)

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
                    self.negated[out.name] = args[0]
                elif out.shape or any(arg.shape for arg in args) or out.kind == "int" or args and args[0].kind == "int":
                    self.operands[out.name] = self._plain(instruction)
                else:
                    self.operands[out.name] = self._scalar(instruction)

    def _scalar(self, instruction: Apply) -> Operand:
        op, args = instruction.op, instruction.args
        if op in ("add", "sub"):
            return self._sum(op, args)
        if op in ("ipow", "rpow"):
            exponent = instruction.attribute("n")
            base = self.real(args[0])
            return self._ufunc("multiply", base, base) if exponent == 2 else self._ufunc(
                "power", base, self._number(exponent)
            )
        if op in COMPARISONS:
            return self._truth(op, args[0], args[1])
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
            return self.calls.ufunc(row.numpy or op, *operands, memory="truth", span=self.span)
        if row.kind == "elementwise" and not row.numpy.startswith("_"):
            return self._ufunc(row.numpy, *operands)
        return self._plain(instruction)

    def _sum(self, op: str, args: tuple[Value, ...]) -> Operand:
        """a + b, with negated terms subtracted: the same bits."""
        left, right = args
        minus = op == "sub"
        if right.name in self.negated and right.name not in self.operands:
            right, minus = self.negated[right.name], not minus
        elif not minus and left.name in self.negated and left.name not in self.operands:
            left, right, minus = right, self.negated[left.name], True
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
        self.calls.line(f"{name} = {text}", *uses, span=self.span)
        return Name(name, f"{name}.view(np.int8)" if instruction.out.kind == "bool" else f"{name}.view(np.int64)")

    def _op_isnan(self, instruction: Apply) -> Operand:
        return self.calls.ufunc("isnan", self.real(instruction.args[0]), memory="truth", span=self.span)

    def _op_to_real(self, instruction: Apply) -> Operand:
        one = self._number(Fraction(1))
        return self._ufunc("multiply", self.real(instruction.args[0]), one)

    def _op_sigmoid(self, instruction: Apply) -> Operand:
        x = instruction.args[0]
        one, zero = self._number(Fraction(1)), self._number(Fraction(0))
        small = self._ufunc("exp", self._ufunc("negative", self._ufunc("absolute", self.real(x))))
        whole = self._ufunc("add", one, small)
        right = self.calls.ufunc("greater_equal", self.real(x), zero, memory="truth", span=self.span)
        return self._ufunc("divide", self._blend(self._mask(right, True), one, small), whole)

    def _op_softplus(self, instruction: Apply) -> Operand:
        x = self.real(instruction.args[0])
        small = self._ufunc("exp", self._ufunc("negative", self._ufunc("absolute", x)))
        return self._ufunc("add", self._ufunc("maximum", x, self._number(Fraction(0))), self._ufunc("log1p", small))

    # choices

    def _prepare(self, kink: Kink) -> None:
        """The comparisons that the weighings of this kink will ask for, while its sides are still there."""
        for weighing in self.weighings.get((kink.left.name, kink.right.name), []):
            plan = mask_plan(weighing.attribute("weights"))
            if plan is not None:
                comparison, _, exact = plan
                if not exact:
                    self._watch(kink.left, kink.right)
                self._truth(comparison, kink.left, kink.right)

    def _kink(self, kink: Kink) -> Operand:
        left, right, above, below = kink.left, kink.right, kink.above, kink.below
        if above == left and below == right:
            if self._is_zero(right):
                return self._cut_below_zero(left, right)
            return self._ufunc("maximum", self.real(below), self.real(above))
        if above == right and below == left:
            return self._ufunc("minimum", self.real(below), self.real(above))
        if self._is_zero(right) and above == left and self.negated.get(below.name) == left:
            return self._ufunc("absolute", self.real(left))
        watched = (left.name, right.name) in self.watched
        if not watched:
            self._watch_order(left, right)
        truth = self._truth("greater" if watched else "less", left, right)
        one, other = (above, below) if watched else (below, above)
        return self._chosen(truth, one, other)

    def _cut_below_zero(self, x: Value, zero: Value) -> Operand:
        """relu: x but for the bits of negative numbers; NaN and -0.0 pass."""
        if (x.name, zero.name) in self.watched:
            mask = self._mask(self._truth("greater", x, zero), True)
        else:
            mask = self._mask(self._truth("less", x, zero), False)
        return self._bits("bitwise_and", self.real(x), mask)

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
        return self._blend(self._mask(truth, True), one, other)

    def _blend(self, mask: Register, one: Operand, other: Operand) -> Register:
        differing = self._bits("bitwise_xor", one, other)
        return self._bits("bitwise_xor", self._bits("bitwise_and", differing, mask), other)

    def _kept(self, truth: Operand, positive: bool, value: Value) -> Operand:
        """The value where truth is `positive`, else 0; the other half of an earlier share by exclusive or."""
        term = self.real(value)
        share = self.shares.get((term, truth))
        if share is not None:
            kept, sense = share
            return kept if sense == positive else self._bits("bitwise_xor", term, kept)
        kept = self._bits("bitwise_and", term, self._mask(truth, positive))
        self.shares[(term, truth)] = (kept, positive)
        return kept

    def _weigh(self, weighing: Apply) -> Operand:
        left, right, term = weighing.args
        plan = mask_plan(weighing.attribute("weights"))
        if plan is None:
            return self._plain(weighing)
        comparison, positive, exact = plan
        if not exact:
            self._watch(left, right)
        truth = self._truth(comparison, left, right)
        if weighing.attribute("gate") == "select" or self._harmless(term):
            return self._kept(truth, positive, term)
        return self._ufunc("multiply", truth if positive else self._opposite(truth), self.real(term))


def _read(instruction: Instruction) -> tuple[Value, ...]:
    match instruction:
        case Apply(args=args):
            return args
        case Select(guard=guard, then=then, orelse=orelse):
            return guard, then, orelse
        case Kink(left=left, right=right, above=above, below=below):
            return left, right, above, below


def _places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    places: list[tuple[int, ...]] = [()]
    for size in shape:
        places = [(*place, entry) for place in places for entry in range(size)]
    return places
