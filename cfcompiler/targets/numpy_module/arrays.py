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

from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Shape, Value
from cfcompiler.primitives import TABLE
from cfcompiler.targets.numpy_module.block_names import BlockCode, safe_names
from cfcompiler.targets.numpy_module.calls import (
    Call,
    Calls,
    Derived,
    Layout,
    Name,
    Operand,
    Register,
    Use,
    allocate,
    base_of,
)
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.targets.numpy_module.expressions import Facts, array_name, expression, extremum_rule, key_text
from cfcompiler.targets.numpy_module.many_points import many_points, places_name, put_text, summed_axes
from cfcompiler.targets.numpy_module.masks import Masks
from cfcompiler.targets.numpy_module.patterns import mask_plan, read
from cfcompiler.targets.numpy_module.ranks import MOST_RANKS, ranked
from cfcompiler.targets.numpy_module.windows import Windows, windows_of

# Entries of the largest array of a group of points that go through the plain expressions together.
GROUP = 1 << 20


def array_code(program: Program, plan: str, constants: Constants) -> BlockCode:
    """Code that evaluates a program of arrays; `plan` is the name of the plan it defines for drivers._sweep."""
    program = ranked(program)
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
        *many_points(program, f"{function}_arrays", names, constants),
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


def _rule_text(weighing: Apply) -> str:
    """What the functions of extrema take of a weigh_extremum."""
    tie, at_nan, gate = extremum_rule(weighing)
    return f"{tie}, {at_nan!r}, {gate!r}"


class _Arrays:
    """Lowers the instructions of one program to calls on buffers of their shapes."""

    def __init__(self, program: Program, names: dict[str, str], constants: Constants) -> None:
        self.program = program
        self.names = names
        self.constants = constants
        self.calls = Calls()
        self.facts = Facts(program)
        self.operands: dict[str, Operand] = {}
        self.masks = Masks(self.calls, constants, self._wide, shaped=True)
        self.outputs = [f"out{place}" for place in range(len(program.results))]
        self.aliased: set[str] = set()
        self.readers: dict[str, list[Instruction]] = {}
        self.weighings: dict[tuple[str, str], list[Apply]] = {}
        for instruction in program.instructions:
            for value in read(instruction):
                self.readers.setdefault(value.name, []).append(instruction)
            if isinstance(instruction, Apply) and instruction.op == "weigh":
                pair = (instruction.args[0].name, instruction.args[1].name)
                self.weighings.setdefault(pair, []).append(instruction)
        self.windows: dict[str, tuple[Value, Windows]] = {}  # what takes windows -> from what, and which
        self.extrema: dict[str, Derived] = {}  # an extremum of windows -> where its places are
        self.pooled: set[str] = set()  # weighings whose shares _pooled_shares makes
        self.by_rank: set[str] = set()  # orders that are never made
        self.returned = {value.name for value in program.results}

    def run(self) -> Layout:
        for param in self.program.params:
            name = self.names[param.value.name]
            self.aliased.add(name)
            self.operands[param.value.name] = Name(name, f"{name}r", fixed=True)
        for instruction in self.program.instructions:
            self.calls.span = instruction.span
            self._lower(instruction)
        claimed: dict[Register, Name] = {}
        for output, value in zip(self.outputs, self.program.results, strict=True):
            self.aliased.add(output)
            operand = self.operands[value.name]
            if isinstance(operand, Register) and operand not in claimed and operand.shape == value.shape:
                claimed[operand] = Name(output, f"{output}r")
            else:
                self.calls.line(f"np.copyto({output}, {{0}})", operand)
        return allocate(self.calls.calls, claimed, self.program.source)

    def _lower(self, instruction: Instruction) -> None:
        out = instruction.out
        match instruction:
            case Kink():
                self._prepare(instruction)
                self.operands[out.name] = self._kink(instruction)
            case Select():
                self.operands[out.name] = self._select(instruction)
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
        if isinstance(operand, Derived) and operand.text == f"np.broadcast_to({{0}}, {value.shape})":
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

    def _ufunc(self, name: str, shape: Shape, *uses: Operand) -> Register:
        return self.calls.ufunc(name, *uses, shape=shape)

    def _into(self, text: str, shape: Shape, *operands: Use | Operand) -> Register:
        """A call that is not elementwise, into a buffer of its own."""
        out = self.calls.register("real", shape)
        uses = tuple(operand if isinstance(operand, Use) else Use(operand) for operand in operands)
        self.calls.calls.append(Call(text, uses, Use(out), self.calls.span, elementwise=False))
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
            return self.masks.truth(op, *instruction.args)
        return self._plain(instruction)

    def _plain(self, instruction: Instruction) -> Operand:
        """A local name for the plain expression."""
        uses: list[Operand] = []

        def hole(value: Value) -> str:
            uses.append(self._operand(value))
            return f"{{{len(uses) - 1}}}"

        name = self.names[instruction.out.name]
        self.calls.line(f"{name} = {expression(instruction, hole, self.facts)}", *uses)
        raw = "np.int8" if instruction.out.kind == "bool" else "np.int64"
        return Name(name, f"{name}.view({raw})")

    def _op_mul(self, instruction: Apply) -> Operand:
        for one, other in (instruction.args, instruction.args[::-1]):
            if self._is_number(one, 1) and other.shape == instruction.out.shape:
                return self._operand(other)
        return self._ufunc("multiply", instruction.out.shape, *map(self._wide, instruction.args))

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
            f"np.add.reduce({{0}}, axis={axes}, out={{out}})",
            instruction.out.shape,
            self._operand(instruction.args[0]),
        )

    def _op_sum_to(self, instruction: Apply) -> Operand:
        axes, kept = summed_axes(instruction)
        operand = self._operand(instruction.args[0])
        if not axes:
            return operand
        if kept and len(instruction.out.shape) != len(instruction.args[0].shape):
            name = self.names[instruction.out.name]
            text = f"{name} = np.add.reduce({{0}}, axis={axes}).reshape({instruction.out.shape})"
            self.calls.line(text, operand)
            return Name(name, f"{name}.view(np.int64)")
        keep = ", keepdims=True" if kept else ""
        return self._into(
            f"np.add.reduce({{0}}, axis={axes}{keep}, out={{out}})", instruction.out.shape, operand
        )

    def _op_extremum(self, instruction: Apply) -> Operand:
        if instruction.args[0].name in self.windows:
            return self._pooled(instruction)
        ufunc = "maximum" if instruction.attribute("sense") == "max" else "minimum"
        axes = instruction.attribute("axes")
        return self._into(
            f"np.{ufunc}.reduce({{0}}, axis={axes}, out={{out}})",
            instruction.out.shape,
            self._operand(instruction.args[0]),
        )

    def _pooled(self, instruction: Apply) -> Operand:
        """The extremum of each window; where it is, too, if its shares are asked for."""
        x, windows = self.windows[instruction.args[0].name]
        views, sense, shape = (
            self.constants.places(windows.views_text),
            instruction.attribute("sense"),
            windows.shape,
        )
        spare = self.calls.register("real", windows.together)
        for reader in self.readers[instruction.args[0].name]:
            if isinstance(reader, Apply) and reader.op == "weigh_extremum":
                kind, size = windows.places
                base = self.calls.register("real", (size,))
                places = Derived(base, f"{{0}}.view({kind})[:{prod(shape)}].reshape({shape})")
                self.extrema[instruction.out.name] = places
                text = f"_pooled_places({{0}}, {views}, {sense!r}, ({_rule_text(reader)}), {{1}}, {{2}}, {{out}})"
                return self._into(text, shape, self._operand(x), spare, places)
        # alone it needs less room, and is quicker with half as many windows at a time
        rows, *row = windows.together
        spare = self.calls.register("real", (max(1, rows // 2), *row))
        return self._into(
            f"_pooled({{0}}, {views}, {sense!r}, {{1}}, {{out}})", shape, self._operand(x), spare
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
        self.calls.line(f"{{0}}[{key}] = {{1}}", out, self._operand(instruction.args[0]))
        return out

    def _op_take(self, instruction: Apply) -> Operand:
        x, shape = instruction.args[0], instruction.out.shape
        windows = windows_of(instruction.attribute("indices"), x.shape, shape)
        if windows is not None and all(
            self._pools(reader, instruction.out) for reader in self.readers[instruction.out.name]
        ):
            self.windows[instruction.out.name] = (x, windows)
            return self._operand(x)
        places = places_name(instruction, self.constants)
        return self._line(instruction, f"{{0}}.reshape(-1)[{places}].reshape({shape})", x)

    def _op_put(self, instruction: Apply) -> Operand:
        weighing = self.facts.definition.get(instruction.args[0].name)
        if isinstance(weighing, Apply) and weighing.out.name in self.pooled:
            x, windows = self.windows[weighing.args[0].name]
            views, corners = (
                self.constants.places(windows.views_text),
                self.constants.places(windows.corners_text),
            )
            more = f"{views}, {corners}, {windows.size}, {windows.apart}, ({_rule_text(weighing)})"
            operands = [self._operand(value) for value in (x, *weighing.args[1:])]
            places = self.extrema[weighing.args[1].name]
            text = f"_pooled_shares({{0}}, {{1}}, {{2}}, {{3}}, {more}, {{out}})"
            return self._into(text, instruction.out.shape, *operands, places)
        return self._line(instruction, put_text(instruction, "{0}", 0, self.constants), instruction.args[0])

    def _pools(self, reader: Instruction, taken: Value) -> bool:
        """Whether all that is asked of the windows is their extremum, and the shares put where they came from."""
        last = (len(taken.shape) - 1,)
        match reader:
            case Apply(op="extremum"):
                return bool(reader.attribute("axes") == last)
            case Apply(op="weigh_extremum", args=(x, top, term)) if x == taken and term.shape == top.shape:
                source, extremum = self.facts.definition[taken.name], self.facts.definition.get(top.name)
                assert isinstance(source, Apply)
                own = isinstance(extremum, Apply) and extremum.op == "extremum" and extremum.args == (x,)
                return (
                    own
                    and bool(reader.attribute("axes") == last)
                    and all(
                        isinstance(put, Apply)
                        and put.op == "put"
                        and put.attribute("indices") == source.attribute("indices")
                        and put.out.shape == source.args[0].shape
                        for put in self.readers.get(reader.out.name, [])
                    )
                )
        return False

    def _op_weigh_extremum(self, instruction: Apply) -> Operand:
        x, top, term = instruction.args
        if x.name in self.windows:
            self.pooled.add(instruction.out.name)
            return self._operand(term)
        if term.shape == x.shape:
            return self._plain(instruction)
        more = f"{instruction.attribute('axes')}, False, {_rule_text(instruction)}"
        operands = [self._operand(value) for value in (x, top, term)]
        return self._into(
            f"_weigh_extremum({{0}}, {{1}}, {{2}}, {more}, {{out}})", instruction.out.shape, *operands
        )

    def _op_index(self, instruction: Apply) -> Operand:
        x, key = instruction.args[0], instruction.attribute("key")
        if x.name in self.by_rank:
            order = self.facts.definition[x.name]
            assert isinstance(order, Apply)
            return self._line(
                instruction, f"_ranked({{0}}, {key[0]}, {order.attribute('descending')})", order.args[0]
            )
        text = key_text(key, 0)
        whole = all(isinstance(entry, int) for entry in key) and len(key) == len(x.shape)
        return self._view(x, f"{{0}}[{text}, ...]" if whole else f"{{0}}[{text}]")

    def _op_order(self, instruction: Apply) -> Operand:
        """An order that is read at a few places only is not made."""
        readers = self.readers.get(instruction.out.name, [])
        single = all(isinstance(reader, Apply) and reader.op == "index" for reader in readers)
        if (
            single
            and len(instruction.out.shape) == 1
            and len(readers) <= MOST_RANKS
            and not instruction.attribute("last")
        ):
            self.by_rank.add(instruction.out.name)
            return self._operand(instruction.args[0])
        return self._plain(instruction)

    def _line(self, instruction: Apply, text: str, *values: Value) -> Operand:
        """A local name for `text` over the values."""
        name = self.names[instruction.out.name]
        self.calls.line(f"{name} = {text}", *(self._operand(value) for value in values))
        return Name(name, f"{name}.view(np.int64)")

    # choices

    def _prepare(self, kink: Kink) -> None:
        """The comparisons that the weighings of this kink will ask for, while its sides are still there."""
        for weighing in self.weighings.get((kink.left.name, kink.right.name), []):
            plan = mask_plan(weighing.attribute("weights"))
            if plan is not None and plan.exact:
                self.masks.truth(plan.comparison, kink.left, kink.right)

    def _kink(self, kink: Kink) -> Operand:
        left, right, above, below, shape = kink.left, kink.right, kink.above, kink.below, kink.out.shape
        if above == left and below == right:
            if self._is_zero(right) and left.shape == shape:
                mask = self.masks.mask(self.masks.truth("less", left, right), False)
                return self.masks.bits("bitwise_and", self._wide(left), mask, shape)
            return self._ufunc("maximum", shape, self._wide(below), self._wide(above))
        if above == right and below == left:
            return self._ufunc("minimum", shape, self._wide(below), self._wide(above))
        return self._plain(kink)

    def _select(self, select: Select) -> Operand:
        guard = self.operands[select.guard.name]
        if isinstance(guard, Register) and select.out.kind == "real":
            for zero, value, positive in (
                (select.then, select.orelse, False),
                (select.orelse, select.then, True),
            ):
                if self._is_zero(zero):
                    return self.masks.kept(guard, positive, self._wide(value), select.out.shape)
        return self._plain(select)

    def _is_zero(self, value: Value) -> bool:
        return self._is_number(value, 0)

    def _is_number(self, value: Value, number: int) -> bool:
        """Whether all entries are this constant of the program."""
        instruction = self.facts.definition.get(value.name)
        if isinstance(instruction, Apply) and instruction.op in ("broadcast", "reshape"):
            return self._is_number(instruction.args[0], number)
        return (
            isinstance(instruction, Apply)
            and instruction.op == "constant"
            and instruction.attribute("value") == Fraction(number)
        )

    def _op_weigh(self, weighing: Apply) -> Operand:
        left, right, term = weighing.args
        plan = mask_plan(weighing.attribute("weights"))
        if plan is None or not plan.exact:
            return self._plain(weighing)
        truth, shape = self.masks.truth(plan.comparison, left, right), weighing.out.shape
        if weighing.attribute("gate") == "select":
            return self.masks.kept(truth, plan.positive, self._wide(term), shape)
        return self._ufunc(
            "multiply", shape, truth if plan.positive else self.masks.opposite(truth), self._wide(term)
        )
