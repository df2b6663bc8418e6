"""Which values of a program stand in the expression that uses them, and have no statement of their own.

    t = mul c y        c_x = c * y - cos(x)
    t_2 = cos x
    c_x = sub t t_2

A value is held back until it is used where
- the compiler has named it: what the user named, and what is returned beside other results, is a statement;
- it is used once, in the same branch: what is computed, and under which condition, stays the same;
- it does not come to stand where Python may pass over it (behind `if`, `and`, `or`), but for sums, products and
  negations, which have the same outcome unseen: they neither raise nor decide anything;
- the line stays short and its brackets few, so that a reader, and Python's parser, can follow.

The order of operations within a value never changes, only when it is computed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping, Sequence, Set
from dataclasses import dataclass

from cfcompiler.ir import Apply, Assertion, Instruction, Kink, Program, Select, Value
from cfcompiler.targets.numpy_module.instruction_texts import CHOICE, Text
from cfcompiler.targets.numpy_module.schedule import Block, Copy, Step
from cfcompiler.verify import arguments

WIDTH = 100  # characters of a line
DEEPEST = 3  # brackets in brackets
MOST_NUMBERS = 4  # behind a name: a place in an array of three axes, and the count of what has the same name
LONGEST_CHOICE = 45  # characters of a conditional expression in brackets

# What an expression may do beside having a value: compare; raise, or compare in order to compute a number.
NOTHING, DECIDE, RAISE = range(3)
_NOTHING = ("add", "sub", "mul", "neg", "constant", "boolean", "index", "stack", "reshape")
_COMPILERS = re.compile(r"[tskb](_\d+)*")
_ASSIGNED = re.compile(
    r"^[ \t]*([^\W\d]\w*(?:[ \t]*,[ \t]*[^\W\d]\w*)*)[ \t]*(?:[-+*/@]|\*\*)?=(?!=)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Held:
    """A value whose expression waits for the one that uses it. `effect`: the most that the expression may do."""

    instruction: Instruction
    text: Text
    effect: int


def brackets(text: str) -> int:
    """How many brackets stand in each other."""
    depth = most = 0
    for letter in text:
        if letter in "([":
            depth += 1
            most = max(most, depth)
        elif letter in ")]":
            depth -= 1
    return most


def effect_of(instruction: Instruction, kept: Collection[Held]) -> int:
    """The most that an instruction may do where the values `kept` stand in it."""
    most = max((held.effect for held in kept), default=NOTHING)
    if instruction.out.kind == "bool":
        numbers = (held.effect for held in kept if held.instruction.out.kind != "bool")
        return RAISE if max(numbers, default=NOTHING) != NOTHING else max(DECIDE, most)
    if isinstance(instruction, Apply) and instruction.op not in ("weigh", "to_real"):
        return most if instruction.op in _NOTHING else RAISE
    return max(DECIDE, most)


def may_stand_in(held: Held, instruction: Instruction, alone: str, name: str) -> bool:
    """Whether a value may stand in the one instruction that uses it; `alone` has its `name` instead."""
    found = len(re.findall(rf"\b{name}\b", alone))
    if found != 1:
        return found == 0 and held.effect == NOTHING
    inner = isinstance(held.instruction, Select)
    last = (  # a chain of conditional expressions
        inner and isinstance(instruction, Select) and instruction.orelse.name == held.instruction.out.name
    )
    if held.text.level == CHOICE and not last:
        open_ended = (
            isinstance(instruction, Apply) and instruction.out.kind != "bool" and instruction.op != "weigh"
        )
        if not open_ended or len(held.text.text) > LONGEST_CHOICE:
            return False
    if not _may_be_passed_over(instruction, held.instruction.out):
        return True
    return may_be_left_out(held) or (last and held.effect == DECIDE)


def may_be_left_out(held: Held) -> bool:
    """Whether a value may stand where it is not always computed: sums and products, and conditions of them."""
    return held.effect <= (DECIDE if held.instruction.out.kind == "bool" else NOTHING)


def may_wait(held: Held) -> bool:
    """Whether a value may be held back: not what asks which piece to follow, which stays in its order."""
    return held.instruction.out.kind == "bool" or "choose." not in held.text.text


def _may_be_passed_over(instruction: Instruction, argument: Value) -> bool:
    """Whether Python may leave out `argument` when it evaluates the text of `instruction`, which has it once."""
    match instruction:
        case Kink(left=left, right=right):
            return argument.name not in (left.name, right.name)
        case Select(guard=guard):
            return argument.name != guard.name
        case Apply(op="weigh", args=args):
            return argument.name == args[2].name
        case Apply(op=op, args=args):
            return op in ("logical_and", "logical_or") and argument.name == args[1].name


def fitting(kept: Mapping[str, Held], names: Mapping[str, str], room: int) -> list[str]:
    """Those of the values `kept` that fit in `room` more characters: the longest ones go first."""
    longer = {name: len(held.text.text) - len(names[name]) + 2 for name, held in kept.items()}
    total = sum(longer.values())
    stays = dict(longer)
    for name in sorted(longer, key=lambda one: -longer[one]):
        if total <= room:
            break
        total -= stays.pop(name)
    return list(stays)


# which values


def uses_of(
    steps: Sequence[Step], results: Sequence[Value]
) -> tuple[dict[str, int], dict[str, Instruction | None]]:
    """How often each value is used; and those that are used once, in the run of steps that makes them, with their user.

    Not the results, where there are several: their names say which is which. A list is written where it is returned.
    """
    made: dict[str, int] = {}
    lists: set[str] = set()
    used: dict[str, list[tuple[int, Instruction | None]]] = {}
    count, waiting = 0, [(0, steps)]
    while waiting:
        run, inside = waiting.pop()
        for step in inside:
            user = step if isinstance(step, Apply | Select | Kink) else None
            for value in _read(step):
                used.setdefault(value.name, []).append((run, user))
            if isinstance(step, Block):
                waiting.extend(((count + 1, step.then), (count + 2, step.orelse)))
                count += 2
            elif user is not None and not (isinstance(user, Select) and user.out.kind == "bool"):
                made[user.out.name] = run
                lists |= {user.out.name} if isinstance(user, Apply) and user.op == "stack" else set()
    for value in results:
        own = 0 if len(results) == 1 or value.name in lists else -1
        used.setdefault(value.name, []).append((own, None))
    once = {name: uses[0] for name, uses in used.items() if len(uses) == 1}
    return (
        {name: len(uses) for name, uses in used.items()},
        {name: once[name][1] for name, run in made.items() if name in once and once[name][0] == run},
    )


def _read(step: Step) -> tuple[Value, ...]:
    match step:
        case Block(guard=guard):
            return (guard,)
        case Copy(value=value):
            return (value,)
        case Assertion(condition=condition):
            return (condition,)
        case _:
            return tuple(arguments(step))


def users_values(program: Program) -> frozenset[str]:
    """The values that stand for a name that the user assigns to: `h`, and `h_2` where it is assigned anew.

    Of t, s, k and b, which the compiler gives too, only the first.
    """
    targets = {name.strip() for found in _ASSIGNED.findall(program.source.text) for name in found.split(",")}
    own = set()
    for instruction in program.instructions:
        name = instruction.out.name
        bases = {name}
        if not _COMPILERS.fullmatch(name):
            bases |= {re.sub(rf"(_\d+){{{count}}}$", "", name) for count in range(1, MOST_NUMBERS + 1)}
        if bases & targets:
            own.add(name)
    return frozenset(own)


def name_sums(
    program: Program, names: dict[str, str], once: Container[str], joined: Set[str], others: Set[str]
) -> None:
    """The partial sums c_x, c_x_2, c_x_3 have one name: c_x = a + b + c, and where that is long c_x = c_x + d.

    joined: values with a name from elsewhere; others: names of which c_x_2 may be the cotangent, such as x_2.
    """
    chains: dict[str, list[str]] = {}
    known_names = {instruction.out.name for instruction in program.instructions}
    for instruction in program.instructions:
        name = instruction.out.name
        if not isinstance(instruction, Apply) or instruction.op != "add" or not name.startswith("c_"):
            continue
        before = instruction.args[0].name
        known = chains.get(before)
        if (
            known is None
            or before not in once
            or not _same_sum(known[0], name, known_names)
            or name[2:] in others
        ):
            chains[name] = [name]
        else:
            known.append(name)
            chains[name] = known
    for chain in chains.values():
        label = names[chain[-1] if chain[-1] in joined else chain[0]]
        names.update(dict.fromkeys(chain, label))


def _same_sum(first: str, name: str, names: Set[str]) -> bool:
    """Whether the builder has made `name` from the same wish as `first`: c_x and c_x_3, c_x_2 and c_x_4.

    Not the entries of an array, c_x_0 and c_x_1, of which only c_x_0_2 is c_x_0 once more.
    """
    shorter = re.sub(r"_\d+$", "", first)
    if {f"{shorter}_0", f"{shorter}_1"} & names:
        shorter = first
    return re.fullmatch(rf"({first}|{shorter})_\d+", name) is not None
