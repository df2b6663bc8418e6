"""Program -> Program: every addition as soon as its terms are there; nothing else moves.

    t = weigh ... c          t = weigh ... c
    t_2 = weigh ... c        t_2 = weigh ... c
    t_3 = weigh ... c        c_x = add t t_2
    c_x = add t t_2          t_3 = weigh ... c
    c_x_2 = add c_x t_3      c_x_2 = add c_x t_3

So that partial sums of choices that have become equal can be joined early (analyses/vertices.py).
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from cfcompiler.ir import Apply, Instruction, Program


def sums_first(program: Program) -> Program:
    """Additions as soon as their terms are there, so that states become equal early."""
    users: dict[str, list[Instruction]] = {}
    missing: dict[str, int] = {}
    for instruction in program.instructions:
        if isinstance(instruction, Apply) and instruction.op == "add":
            terms = {value.name for value in instruction.args}
            missing[instruction.out.name] = len(terms)
            for name in terms:
                users.setdefault(name, []).append(instruction)
    ordered: list[Instruction] = []
    ready = [param.value.name for param in program.params]
    waiting = deque(program.instructions)
    done: set[str] = set()
    while ready or waiting:
        while ready:
            for addition in users.get(ready.pop(), []):
                missing[addition.out.name] -= 1
                if missing[addition.out.name] == 0 and all(guard in done for guard, _ in addition.out.branch):
                    ordered.append(addition)
                    done.add(addition.out.name)
                    ready.append(addition.out.name)
        while waiting and waiting[0].out.name in done:
            waiting.popleft()
        if waiting:
            instruction = waiting.popleft()
            ordered.append(instruction)
            done.add(instruction.out.name)
            ready.append(instruction.out.name)
    return replace(program, instructions=tuple(ordered))
