"""Program -> a tree of steps: the branches in the margin become nested blocks.

    t = sin x                      t = sin x
    (p) u = log x                  if p:
    (not p) v = exp x                  u = log x
    s = select p u v                   s = u
                                   else:
                                       v = exp x
                                       s = v

A block is held back until something needs what it selects, so all that runs under one guard comes together. Blocks
that are held back at the same time do not depend on each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from cfcompiler.ir import Assertion, Instruction, Program, Select, Value
from cfcompiler.verify import arguments


@dataclass(frozen=True, slots=True)
class Copy:
    """out = value: a value leaves its branch through a lazy select."""

    out: Value
    value: Value
    select: Select


@dataclass(frozen=True, slots=True)
class Block:
    """What runs where `guard` is true, and what runs where it is false."""

    guard: Value
    then: tuple[Step, ...]
    orelse: tuple[Step, ...]


Step: TypeAlias = Instruction | Copy | Assertion | Block


def schedule(program: Program) -> tuple[Step, ...]:
    """The steps of `program` in an order in which each branch is entered as seldom as that is simple."""
    guards = {instruction.out.name: instruction.out for instruction in program.instructions}
    steps: list[Step] = []
    checks: dict[str, list[Assertion]] = {}
    for assertion in program.assertions:
        checks.setdefault(assertion.condition.name, []).append(assertion)
    for instruction in program.instructions:
        steps.append(instruction)
        steps.extend(checks.get(instruction.out.name, ()))
    return tuple(_Region(guards, 0).run(steps))


def _branch(step: Step) -> tuple[tuple[str, bool], ...]:
    match step:
        case Assertion(condition=condition):
            return condition.branch
        case Block():
            raise AssertionError("a block has no branch of its own")
        case _:
            return step.out.branch


def _needs(step: Step) -> Iterator[str]:
    """Names of the values that a step reads."""
    match step:
        case Assertion(condition=condition):
            yield condition.name
        case Copy(value=value):
            yield value.name
        case Block():
            raise AssertionError("blocks are made last")
        case _:
            for value in arguments(step):
                yield value.name


class _Region:
    """The steps of one branch, `depth` guards deep."""

    def __init__(self, guards: dict[str, Value], depth: int) -> None:
        self.guards = guards
        self.depth = depth
        self.done: list[Step] = []
        self.held: dict[str, tuple[list[Step], list[Step]]] = {}
        self.holder: dict[str, str] = {}  # name of a value -> guard of the held block that defines it
        self.copies: dict[str, Copy] = {}  # by the name that they define; made when it is needed, or last

    def run(self, steps: Iterable[Step]) -> list[Step]:
        for step in steps:
            self._place(step)
        for guard in list(self.held):
            self._release(guard)
        self.done.extend(self.copies.values())
        return self.done

    def _place(self, step: Step) -> None:
        inner = _branch(step)[self.depth :]
        if inner:
            guard, truth = inner[0]
            self._release_needed(step, guard)
            self._hold(guard)[0 if truth else 1].append(step)
            self._claim(step, guard)
        elif isinstance(step, Select) and step.lazy:
            guard = step.guard.name
            self._release_needed(step, guard)
            then, orelse = self._hold(guard)
            then.append(Copy(step.out, step.then, step))
            orelse.append(Copy(step.out, step.orelse, step))
            self._claim(step, guard)
        elif isinstance(step, Copy):
            self.copies[step.out.name] = step
        else:
            self._release_needed(step, "")
            self.done.append(step)

    def _hold(self, guard: str) -> tuple[list[Step], list[Step]]:
        return self.held.setdefault(guard, ([], []))

    def _claim(self, step: Step, guard: str) -> None:
        if not isinstance(step, Assertion | Block):
            self.holder[step.out.name] = guard

    def _release_needed(self, step: Step, own: str) -> None:
        """Release the held blocks, other than that of `own`, which define what `step` or its guards need."""
        branch = _branch(step)[self.depth :]
        for name in (*_needs(step), *(guard for guard, _ in branch)):
            copy = self.copies.pop(name, None)
            if copy is not None:
                self._release_needed(copy, "")
                self.done.append(copy)
            guard = self.holder.get(name)
            if guard is not None and guard != own:
                self._release(guard)

    def _release(self, guard: str) -> None:
        if guard not in self.held:
            return
        then, orelse = self.held.pop(guard)
        arms = (tuple(_Region(self.guards, self.depth + 1).run(arm)) for arm in (then, orelse))
        self.done.append(Block(self.guards[guard], *arms))
