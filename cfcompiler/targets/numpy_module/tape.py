"""A long scalar program to a tape: one line of text an instruction, and a small function for each kind of them.

    s = sin x              1 sin 0        slot 1: sin of slot 0
    r = relu s             k 0            slot 2: the number 0
                           2 relu 1 2

    def _sin_tape(x): ...                 the value
    def _sin_forward(x, d_x): ...         the tangent
    def _sin_backward(x, out, c): ...     the cotangents of the arguments

A kind is an operation with its attributes, tie rule and active arguments. Its functions come from the same derivative
rules as everywhere (transforms/derivatives.py), written out once over formal arguments; tape_functions.py runs
the tape forward and interprets it backward, so that no derivative program is ever made. Time and memory are linear.
A wide tape without branches is run level by level (level_functions.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cfcompiler.arithmetic import nearest_float
from cfcompiler.builder import Builder
from cfcompiler.ir import Apply, Branch, Instruction, Kink, Param, Program, Select, Value
from cfcompiler.targets.numpy_module import metadata
from cfcompiler.targets.numpy_module.plain_points import points_code
from cfcompiler.targets.numpy_module.scalar import function_text
from cfcompiler.targets.numpy_module.shares import direct_text, shares_text
from cfcompiler.transforms.activity import active_values
from cfcompiler.transforms.derivatives import cotangents_of, tangent_of
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import arguments

Key = tuple[object, ...]
_LETTERS = "xyzw"


@dataclass(frozen=True, slots=True)
class Kind:
    """The functions of one kind of instruction. `targets`: which argument each share belongs to, in order."""

    name: str
    lines: tuple[str, ...]
    many: tuple[str, ...]  # the same functions of arrays
    movers: tuple[int, ...]  # the arguments whose tangents its own is made of
    targets: tuple[int, ...]
    shares: str  # how each is made, see shares.py; a tuple as text, or None
    is_condition: bool
    direct: str  # the one function of NumPy that the value is, and its arguments in order; else None
    costs: tuple[int, int, int]


@dataclass(slots=True)
class Kinds:
    """The kinds of one module, shared by its tapes."""

    table: dict[Key, Kind] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tape:
    """The text; slots of the results; (left, right, out) of the guards; operations of value, forward and backward."""

    text: tuple[str, ...]
    slots: dict[str, int]
    costs: tuple[int, int, int]


def tape_of(program: Program, kinds: Kinds) -> Tape:
    """The tape of a program of scalars; new kinds are added to `kinds`."""
    return _Recorder(program, kinds).run()


class _Recorder:
    def __init__(self, program: Program, kinds: Kinds) -> None:
        self.program = program
        self.kinds = kinds
        self.costs = [0, 0, 0]
        self.active = active_values(program)
        self.moving = {param.value.name for param in program.params if param.differentiable}
        self.slots = {param.value.name: place for place, param in enumerate(program.params)}
        self.branch: Branch = ()
        self.line = 0

    def run(self) -> Tape:
        lines: list[str] = []
        dense = self.program.formulas.dense_constants
        for instruction in self.program.instructions:
            out = instruction.out
            if instruction.span.line not in (0, self.line):
                self.line = instruction.span.line
                lines.append(f"@ {self.line}")
            if out.branch != self.branch:
                self.branch = out.branch
                tests = (f"{self.slots[guard]}{'+' if truth else '-'}" for guard, truth in out.branch)
                lines.append(" ".join(["if", *tests]))
            lines.append(self._line(instruction))
            if dense and out.kind == "real":
                self.moving.add(out.name)
            self.slots[out.name] = len(self.slots)
        return Tape(tuple(lines), self.slots, (self.costs[0], self.costs[1], self.costs[2]))

    def _line(self, instruction: Instruction) -> str:
        if isinstance(instruction, Apply) and instruction.op == "constant":
            return f"k {nearest_float(instruction.attribute('value'))!r}"
        if isinstance(instruction, Apply) and instruction.op == "boolean":
            return f"b {int(instruction.attribute('value'))}"
        args = _distinct(instruction)
        if isinstance(instruction, Select) and instruction.lazy:
            if instruction.then.name in self.moving or instruction.orelse.name in self.moving:
                self.moving.add(instruction.out.name)
            return " ".join(["pick", *(str(self.slots[arg.name]) for arg in arguments(instruction))])
        kind = self._kind(instruction, args)
        if kind.movers:
            self.moving.add(instruction.out.name)
        for place, cost in enumerate(kind.costs):
            self.costs[place] += cost
        return " ".join([kind.name, *(str(self.slots[arg.name]) for arg in args)])

    def _kind(self, instruction: Instruction, args: Sequence[Value]) -> Kind:
        flows = instruction.out.name in self.active
        moving = tuple(flows and arg.name in self.moving for arg in args)
        active = tuple(arg.name in self.active for arg in args)
        key = _key(instruction, args, moving, active)
        kinds = self.kinds
        if key not in kinds.table:
            name = instruction.tie.name if isinstance(instruction, Kink) else "where"
            if isinstance(instruction, Apply):
                name = instruction.op
            kinds.taken[name] = kinds.taken.get(name, 0) + 1
            number = "" if kinds.taken[name] == 1 else f"_{kinds.taken[name]}"
            kinds.table[key] = _written(self.program, instruction, args, moving, active, name + number)
        return kinds.table[key]


def _distinct(instruction: Instruction) -> list[Value]:
    return list({value.name: value for value in arguments(instruction)}.values())


def _key(
    instruction: Instruction, args: Sequence[Value], moving: tuple[bool, ...], active: tuple[bool, ...]
) -> Key:
    places = {arg.name: place for place, arg in enumerate(args)}
    pattern = tuple(places[arg.name] for arg in arguments(instruction))
    match instruction:
        case Apply(op=op, attributes=attributes):
            static = tuple((name, value) for name, value in attributes if name not in ("kink", "piece"))
            return (op, static, pattern, moving, active)
        case Kink(tie=tie):
            return (tie, pattern, moving, active)
        case Select(gate=gate):
            return ("where", gate, pattern, moving, active)


def _written(
    program: Program,
    instruction: Instruction,
    args: Sequence[Value],
    moving: tuple[bool, ...],
    active: tuple[bool, ...],
    name: str,
) -> Kind:
    """The functions of a kind, from its rules over formal arguments."""
    formal = [Value(letter, (), arg.kind) for letter, arg in zip(_LETTERS, args, strict=False)]
    out = Value("out", (), instruction.out.kind)
    renamed = {arg.name: value for arg, value in zip(args, formal, strict=True)}
    shape = _renamed(instruction, renamed, out)

    value = _builder(program, formal)
    value.copy(shape)
    forward = _builder(program, [*formal, out])
    tangents = {
        one.name: forward.param(f"d_{one.name}") for one, moves in zip(formal, moving, strict=True) if moves
    }
    tangent = tangent_of(forward, shape, tangents) if tangents and out.kind == "real" else None
    backward = _builder(program, [*formal, out])
    pairs = []
    if any(active) and out.kind == "real":
        c = backward.param("c")
        live = {one.name for one, moves in zip(formal, active, strict=True) if moves}
        pairs = cotangents_of(backward, shape, c, live)
    programs = [("tape", value.finish([out]))]
    if tangent is not None:
        programs.append(("forward", tidy(forward.finish([tangent]))))
    if pairs:
        programs.append(("backward", tidy(backward.finish([share for _, share in pairs]))))
    lines: list[str] = []
    many: list[str] = []
    costs = {"tape": 0, "forward": 0, "backward": 0}
    for stage, one in programs:
        listed = _tuple if stage == "backward" else _single
        lines.extend([*function_text(one, f"_{name}_{stage}", listed), "", ""])
        many.extend([*points_code(one, f"_{name}_{stage}_many"), "", ""])
        costs[stage] = metadata.cost_of(one)
        if stage == "backward" and isinstance(instruction, Kink):
            lines.extend([*function_text(one, f"_{name}_choose", listed, choosing=True), "", ""])
    places = [value.name for value in formal]
    targets = tuple(places.index(argument.name) for argument, _ in pairs)
    counted = (
        costs["tape"],
        costs["tape"] + costs["forward"],
        costs["tape"] + costs["backward"] + len(pairs),
    )
    movers = tuple(place for place, moves in enumerate(moving) if moves) if tangent is not None else ()
    shares = shares_text(programs[-1][1], (*formal, out)) if pairs else "None"
    direct = direct_text(shape, formal)
    is_condition = out.kind == "bool"
    return Kind(name, tuple(lines), tuple(many), movers, targets, shares, is_condition, direct, counted)


def _builder(program: Program, params: Sequence[Value]) -> Builder:
    builder = Builder(program.name, replace(program.source, text=""), program.preset, program.formulas)
    builder.keep_names(value.name for value in params)
    builder.params.extend(Param(value) for value in params)
    return builder


def _single(texts: Sequence[str]) -> str:
    return texts[0]


def _tuple(texts: Sequence[str]) -> str:
    return f"({', '.join(texts)},)"


def _renamed(instruction: Instruction, names: dict[str, Value], out: Value) -> Instruction:
    match instruction:
        case Apply(args=args):
            return replace(instruction, out=out, args=tuple(names[arg.name] for arg in args))
        case Select(guard=guard, then=then, orelse=orelse):
            return replace(
                instruction,
                out=out,
                guard=names[guard.name],
                then=names[then.name],
                orelse=names[orelse.name],
            )
        case Kink(left=left, right=right, above=above, below=below):
            return replace(
                instruction,
                out=out,
                left=names[left.name],
                right=names[right.name],
                above=names[above.name],
                below=names[below.name],
            )
