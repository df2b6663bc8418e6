"""A program with arrays to NumPy code: at one point with reused buffers, at many points with the points in front.

    h = matmul x w            np.dot(x, w, out=t0)
    s = add h b               np.add(t0, b, out=t0)
    r = kink s 0 s 0          np.less(t0, K0, out=q0); np.subtract(q0r, ONE_BYTE, out=t1r)
                              np.bitwise_and(t0r, t1r, out=t0r)
    c = weigh s 0 g           np.bitwise_and(gr, t1r, out=...)

At one point every array has a buffer that the thread keeps between calls; results are never one of them. Transposes,
slices and broadcasts are views at their uses, and a product that is only transposed is computed transposed. At many
points the plain expressions run with one axis in front, of length 1 where all points share the value, so a product of
shared weights with many vectors is one matrix product.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod

from cfcompiler.primitives import TABLE
from cfcompiler.program import Apply, Instruction, Kink, Program, Select, Shape, Value
from cfcompiler.shapes import broadcast_shapes
from cfcompiler.source import NOWHERE, Span
from cfcompiler.targets.numpy_module.block_names import BlockCode, safe_names
from cfcompiler.targets.numpy_module.calls import (
    Call,
    Calls,
    Derived,
    Layout,
    Memory,
    Name,
    Operand,
    Register,
    Use,
    allocate,
    base_of,
)
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.targets.numpy_module.expressions import Facts, array_name, expression, key_text
from cfcompiler.targets.numpy_module.patterns import mask_plan, read

# Entries of the largest array of a group of points that go through the plain expressions together.
GROUP = 1 << 20


def array_code(program: Program, plan: str, constants: Constants) -> BlockCode:
    """Code that evaluates a program of arrays; `plan` is the name of the plan it defines for drivers._sweep."""
    names = safe_names(program)
    function = f"_{plan.strip('_').lower()}"
    for constant in program.constants:
        constants.array(array_name(constant.name), constant.data)
    lowered = _Arrays(program, names, constants)
    layout = lowered.run()
    constants.read_bits(layout.raw_names)
    parameters = [names[param.value.name] for param in program.params]
    body = [
        *_unpacked(layout),
        *(f"{name}r = {name}.view(np.int64)" for name in layout.raw_names if name in lowered.aliased),
        *layout.lines,
    ]
    ranks = tuple(len(param.value.shape) for param in program.params)
    shapes = tuple(value.shape for value in program.results)
    largest = max((prod(i.out.shape) for i in program.instructions), default=1)
    buffers = tuple((name[0], shape) for name, shape in layout.buffers)
    lines = [
        f"def {function}_array({', '.join([*parameters, *lowered.outputs, 'work'])}):",
        f'    """{program.name} at one point."""',
        *(f"    {line}" for line in body or ["pass"]),
        "",
        "",
        *_many_points(program, f"{function}_arrays", names),
        "",
        "",
        f"{plan} = (",
        f"    {function}_array, {function}_arrays, {max(1, GROUP // max(1, largest))}, {buffers},",
        f"    {ranks}, {shapes}, 'arrays',",
        ")",
    ]
    return BlockCode(plan, tuple(lines))


def _unpacked(layout: Layout) -> list[str]:
    names = [name for name, _ in layout.buffers]
    both = [text for name in names for text in (name, f"{name}r")]
    return [f"{', '.join(both)}, = work"] if names else []


# many points


def _many_points(program: Program, function: str, names: dict[str, str]) -> list[str]:
    """The plain expressions, the points in front of the axes of every value."""
    facts = Facts(program)
    lines = [f"def {function}({', '.join(names[param.value.name] for param in program.params)}):"]
    number = 0
    for instruction in program.instructions:
        if instruction.span.line not in (0, number):
            number = instruction.span.line
            lines.append(f"    # {program.source.line(number).strip()}")
        lines.append(f"    {names[instruction.out.name]} = {_fronted(instruction, names, facts)}")
    results = ", ".join(names[value.name] for value in program.results)
    return [*lines, f"    return ({results},)"]


def _fronted(instruction: Instruction, names: dict[str, str], facts: Facts) -> str:
    """An expression for values with one axis of points in front; lower ranks get their axes behind it."""
    rank = len(instruction.out.shape)
    elementwise = not isinstance(instruction, Apply) or TABLE[instruction.op].kind in ("elementwise", "condition")
    if isinstance(instruction, Apply) and instruction.op == "weigh":
        elementwise = True

    def name(value: Value) -> str:
        text = names[value.name]
        missing = rank - len(value.shape)
        if elementwise and missing and value.shape or elementwise and missing > 0:
            return f"{text}[:, {', '.join(['None'] * missing)}]"
        return text

    if not isinstance(instruction, Apply):
        return expression(instruction, name, facts, 1)
    args = [name(arg) for arg in instruction.args]
    match instruction.op:
        case "constant" | "boolean":
            return f"np.array([{expression(instruction, name, facts, 1)}])"
        case "matmul":
            a, b = (len(arg.shape) for arg in instruction.args)
            return f"_products({args[0]}, {args[1]}, {a}, {b})"
        case "stack" | "concat":
            return f"_joined(({', '.join(args)},), {instruction.attribute('axis') + 1}, {instruction.op == 'stack'})"
        case "broadcast":
            missing = rank - len(instruction.args[0].shape)
            wide = f"{args[0]}[:, {', '.join(['None'] * missing)}]" if missing else args[0]
            shape = "".join(f", {size}" for size in instruction.out.shape)
            return f"np.broadcast_to({wide}, ({args[0]}.shape[0]{shape}))"
        case "reshape":
            shape = "".join(f", {size}" for size in instruction.out.shape)
            return f"{args[0]}.reshape(({args[0]}.shape[0]{shape or ','}))"
        case "sum_to":
            axes, kept = _summed_axes(instruction)
            total = f"{args[0]}.sum(axis={tuple(axis + 1 for axis in axes)})" if axes else args[0]
            shape = "".join(f", {size}" for size in instruction.out.shape)
            return f"{total}.reshape(({args[0]}.shape[0]{shape or ','}))" if kept else total
        case "take":
            flat = f"{args[0]}.reshape(({args[0]}.shape[0], -1))"
            shape = "".join(f", {size}" for size in instruction.out.shape)
            return f"{flat}[:, {list(instruction.attribute('indices'))}].reshape(({args[0]}.shape[0]{shape or ','}))"
        case "put":
            return _put_text(instruction, args[0], 1)
    return expression(instruction, name, facts, 1)


def _put_text(instruction: Apply, x: str, first: int) -> str:
    shape = instruction.attribute("shape")
    return f"_put({x}, {list(instruction.attribute('indices'))}, {shape}, {first})"


def _summed_axes(instruction: Apply) -> tuple[tuple[int, ...], bool]:
    """Axes that sum_to adds over, and whether some of them stay with length 1."""
    x, shape = instruction.args[0].shape, instruction.out.shape
    extra = len(x) - len(shape)
    kept = tuple(extra + axis for axis, size in enumerate(shape) if size == 1 and x[extra + axis] != 1)
    return (*range(extra), *kept), bool(kept)


# one point


class _Arrays:
    """Lowers the instructions of one program to calls on buffers of their shapes."""

    def __init__(self, program: Program, names: dict[str, str], constants: Constants) -> None:
        self.program = program
        self.names = names
        self.constants = constants
        self.calls = Calls()
        self.facts = Facts(program)
        self.operands: dict[str, Operand] = {}
        self.truths: dict[tuple[str, str, str], Operand] = {}
        self.masks: dict[tuple[Operand, bool], Register] = {}
        self.outputs = [f"out{place}" for place in range(len(program.results))]
        self.aliased: set[str] = set()
        self.span: Span = NOWHERE
        self.readers: dict[str, list[Instruction]] = {}
        self.weighings: dict[tuple[str, str], list[Apply]] = {}
        for instruction in program.instructions:
            for value in read(instruction):
                self.readers.setdefault(value.name, []).append(instruction)
            if isinstance(instruction, Apply) and instruction.op == "weigh":
                pair = (instruction.args[0].name, instruction.args[1].name)
                self.weighings.setdefault(pair, []).append(instruction)
        self.returned = {value.name for value in program.results}

    def run(self) -> Layout:
        for param in self.program.params:
            name = self.names[param.value.name]
            self.aliased.add(name)
            self.operands[param.value.name] = Name(name, f"{name}r", fixed=True)
        for instruction in self.program.instructions:
            self.span = instruction.span
            self._lower(instruction)
        claimed: dict[Register, Name] = {}
        for output, value in zip(self.outputs, self.program.results, strict=True):
            self.aliased.add(output)
            operand = self.operands[value.name]
            if isinstance(operand, Register) and operand not in claimed and operand.shape == value.shape:
                claimed[operand] = Name(output, f"{output}r")
            else:
                self.calls.line(f"np.copyto({output}, {{0}})", operand, span=NOWHERE)
        return allocate(self.calls.calls, claimed, self.program.source)

    def _lower(self, instruction: Instruction) -> None:
        out = instruction.out
        match instruction:
            case Kink():
                self._prepare(instruction)
                self.operands[out.name] = self._kink(instruction)
            case Select():
                self.operands[out.name] = self._plain(instruction)
            case Apply(op="constant"):
                name = self.constants.real(instruction.attribute("value"))
                self.operands[out.name] = Name(name, f"{name}_BITS", fixed=True)
            case Apply(op="array"):
                name = array_name(instruction.attribute("name"))
                self.operands[out.name] = Name(name, f"{name}.view(np.int64)", fixed=True)
            case Apply():
                self.operands[out.name] = self._apply(instruction)

    # operands

    def _operand(self, value: Value) -> Operand:
        return self.operands[value.name]

    def _wide(self, value: Value) -> Operand:
        """As an operand of a ufunc, which broadcasts by itself."""
        operand = self.operands[value.name]
        if isinstance(operand, Derived) and operand.text.startswith("np.broadcast_to({0}"):
            return operand.base
        return operand

    def _view(self, value: Value, text: str) -> Operand:
        """A view of a value, composed with what the value is a view of."""
        operand = self._operand(value)
        if isinstance(operand, Derived):
            if text == "{0}.T" and operand.text == "{0}.T":
                return operand.base
            return Derived(operand.base, text.replace("{0}", operand.text))
        return Derived(operand, text)

    def _ufunc(
        self, name: str, shape: Shape, *uses: Use | Operand, memory: Memory = "real", raw: bool = False
    ) -> Register:
        return self.calls.ufunc(name, *uses, span=self.span, memory=memory, raw=raw, shape=shape)

    def _into(self, text: str, shape: Shape, *operands: Operand) -> Register:
        """A call that is not elementwise, into a buffer of its own."""
        out = self.calls.register("real", shape)
        uses = tuple(Use(operand) for operand in operands)
        self.calls.calls.append(Call(text, uses, Use(out), self.span, elementwise=False))
        return out

    # rows

    def _apply(self, instruction: Apply) -> Operand:
        op, out = instruction.op, instruction.out
        row = TABLE[op]
        special = getattr(self, f"_op_{op}", None)
        if special is not None:
            operand: Operand = special(instruction)
            return operand
        if row.kind == "elementwise" and not row.numpy.startswith("_"):
            return self._ufunc(row.numpy, out.shape, *(self._wide(arg) for arg in instruction.args))
        if row.kind == "condition":
            return self._truth(op, instruction.args)
        return self._plain(instruction)

    def _plain(self, instruction: Instruction) -> Operand:
        """A local name for the plain expression."""
        uses: list[Operand] = []

        def hole(value: Value) -> str:
            uses.append(self._operand(value))
            return f"{{{len(uses) - 1}}}"

        name = self.names[instruction.out.name]
        self.calls.line(f"{name} = {expression(instruction, hole, self.facts)}", *uses, span=self.span)
        raw = "np.int8" if instruction.out.kind == "bool" else "np.int64"
        return Name(name, f"{name}.view({raw})")

    def _op_ipow(self, instruction: Apply) -> Operand:
        x, exponent = self._wide(instruction.args[0]), instruction.attribute("n")
        if exponent == 2:
            return self._ufunc("multiply", instruction.out.shape, x, x)
        name = self.constants.real(exponent)
        return self._ufunc("power", instruction.out.shape, x, Name(name, f"{name}_BITS", fixed=True))

    _op_rpow = _op_ipow

    def _op_reshape(self, instruction: Apply) -> Operand:
        shape = instruction.out.shape
        if shape == instruction.args[0].shape:
            return self._operand(instruction.args[0])
        return self._view(instruction.args[0], f"{{0}}.reshape({shape})")

    def _op_transpose(self, instruction: Apply) -> Operand:
        axes = instruction.attribute("axes")
        return self._view(instruction.args[0], "{0}.T" if axes == (1, 0) else f"{{0}}.transpose({axes})")

    def _op_index(self, instruction: Apply) -> Operand:
        key = instruction.attribute("key")
        text = key_text(key, 0)
        whole = all(isinstance(entry, int) for entry in key) and len(key) == len(instruction.args[0].shape)
        return self._view(instruction.args[0], f"{{0}}[{text}, ...]" if whole else f"{{0}}[{text}]")

    def _op_broadcast(self, instruction: Apply) -> Operand:
        shape = instruction.out.shape
        operand = self._operand(instruction.args[0])
        if isinstance(operand, Derived):
            operand = self._copied(operand, instruction.args[0].shape)
        return Derived(base_of(operand), f"np.broadcast_to({{0}}, {shape})")

    def _copied(self, operand: Derived, shape: Shape) -> Operand:
        """A view of a view under a name of its own, so that it can be broadcast."""
        return self._ufunc("positive", shape, operand)

    def _op_sum(self, instruction: Apply) -> Operand:
        axes = instruction.attribute("axes")
        if not axes:
            return self._operand(instruction.args[0])
        return self._into(
            f"np.add.reduce({{0}}, axis={axes}, out={{out}})", instruction.out.shape, self._operand(instruction.args[0])
        )

    def _op_sum_to(self, instruction: Apply) -> Operand:
        axes, kept = _summed_axes(instruction)
        operand = self._operand(instruction.args[0])
        if not axes:
            return operand
        if kept and len(instruction.out.shape) != len(instruction.args[0].shape):
            name = self.names[instruction.out.name]
            text = f"{name} = np.add.reduce({{0}}, axis={axes}).reshape({instruction.out.shape})"
            self.calls.line(text, operand, span=self.span)
            return Name(name, f"{name}.view(np.int64)")
        keep = ", keepdims=True" if kept else ""
        return self._into(f"np.add.reduce({{0}}, axis={axes}{keep}, out={{out}})", instruction.out.shape, operand)

    def _op_extremum(self, instruction: Apply) -> Operand:
        ufunc = "maximum" if instruction.attribute("sense") == "max" else "minimum"
        axes = instruction.attribute("axes")
        return self._into(
            f"np.{ufunc}.reduce({{0}}, axis={axes}, out={{out}})",
            instruction.out.shape,
            self._operand(instruction.args[0]),
        )

    def _op_matmul(self, instruction: Apply) -> Operand:
        a, b = instruction.args
        out = instruction.out
        readers = self.readers.get(out.name, [])
        flips = [isinstance(reader, Apply) and reader.op == "transpose" for reader in readers]
        if len(out.shape) == 2 and flips and all(flips) and out.name not in self.returned:
            flipped = self._into(
                "np.dot({0}, {1}, out={out})", out.shape[::-1], self._view(b, "{0}.T"), self._view(a, "{0}.T")
            )
            return Derived(flipped, "{0}.T")
        return self._into("np.dot({0}, {1}, out={out})", out.shape, self._operand(a), self._operand(b))

    def _op_place(self, instruction: Apply) -> Operand:
        out = self._into("{out}[...] = 0.0", instruction.out.shape)
        key = key_text(instruction.attribute("key"), 0)
        self.calls.line(f"{{0}}[{key}] = {{1}}", out, self._operand(instruction.args[0]), span=self.span)
        return out

    def _op_take(self, instruction: Apply) -> Operand:
        name = self.names[instruction.out.name]
        places = f"{name}_places"
        self.constants.integer(_unique(places, self.program), f"np.array({list(instruction.attribute('indices'))})")
        text = f"{name} = {{0}}.reshape(-1)[{_unique(places, self.program)}].reshape({instruction.out.shape})"
        self.calls.line(text, self._operand(instruction.args[0]), span=self.span)
        return Name(name, f"{name}.view(np.int64)")

    def _op_put(self, instruction: Apply) -> Operand:
        name = self.names[instruction.out.name]
        self.calls.line(f"{name} = {_put_text(instruction, '{0}', 0)}", self._operand(instruction.args[0]), span=self.span)
        return Name(name, f"{name}.view(np.int64)")

    # choices

    def _truth(self, comparison: str, args: tuple[Value, ...]) -> Operand:
        key = (comparison, *(arg.name for arg in args), "")[:3]
        if key not in self.truths:
            shape = broadcast_shapes(*(arg.shape for arg in args))
            ufunc = TABLE[comparison].numpy or comparison
            operands = (self._wide(arg) for arg in args)
            self.truths[key] = self._ufunc(ufunc, shape, *operands, memory="truth")
        return self.truths[key]

    def _mask(self, truth: Operand, positive: bool) -> Register:
        """All bits where `truth` is `positive`, else none."""
        if (truth, positive) not in self.masks:
            assert isinstance(truth, Register)
            shape = truth.shape or ()
            if positive:
                mask = self._ufunc("negative", shape, Use(truth, "raw"), raw=True)
            else:
                one = self.constants.integer("ONE_BYTE", "np.array(1, dtype=np.int8)")
                mask = self._ufunc("subtract", shape, Use(truth, "raw"), Name(one, one, fixed=True), raw=True)
            self.masks[truth, positive] = mask
        return self.masks[truth, positive]

    def _prepare(self, kink: Kink) -> None:
        """The comparisons that the weighings of this kink will ask for, while its sides are still there."""
        for weighing in self.weighings.get((kink.left.name, kink.right.name), []):
            plan = mask_plan(weighing.attribute("weights"))
            if plan is not None and plan.exact:
                self._truth(plan.comparison, (kink.left, kink.right))

    def _kink(self, kink: Kink) -> Operand:
        left, right, above, below, shape = kink.left, kink.right, kink.above, kink.below, kink.out.shape
        if above == left and below == right:
            if self._is_zero(right) and left.shape == shape:
                mask = self._mask(self._truth("less", (left, right)), False)
                return self._ufunc("bitwise_and", shape, Use(self._wide(left), "raw"), Use(mask, "raw"), raw=True)
            return self._ufunc("maximum", shape, self._wide(below), self._wide(above))
        if above == right and below == left:
            return self._ufunc("minimum", shape, self._wide(below), self._wide(above))
        return self._plain(kink)

    def _is_zero(self, value: Value) -> bool:
        instruction = self.facts.definition.get(value.name)
        if isinstance(instruction, Apply) and instruction.op == "broadcast":
            return self._is_zero(instruction.args[0])
        return (
            isinstance(instruction, Apply)
            and instruction.op == "constant"
            and instruction.attribute("value") == Fraction(0)
        )

    def _op_weigh(self, weighing: Apply) -> Operand:
        left, right, term = weighing.args
        plan = mask_plan(weighing.attribute("weights"))
        if plan is None or not plan.exact:
            return self._plain(weighing)
        truth, shape = self._truth(plan.comparison, (left, right)), weighing.out.shape
        if weighing.attribute("gate") == "select":
            mask = self._mask(truth, plan.positive)
            return self._ufunc("bitwise_and", shape, Use(self._wide(term), "raw"), Use(mask, "raw"), raw=True)
        if not plan.positive:
            assert isinstance(truth, Register)
            truth = self._ufunc("logical_not", truth.shape or (), truth, memory="truth")
        return self._ufunc("multiply", shape, truth, self._wide(term))


def _unique(name: str, program: Program) -> str:
    """A module-level name for what belongs to one program."""
    return f"PLACES_{program.name}_{name}".upper()
