"""A loop that is being unrolled to how many instructions its other turns become at the least.

    for i in range(2000):        2000 turns of the inner loop, each with one instruction at least: s is a value of the
        for j in range(2000):    program and stays one, and an addition to it cannot be worked out beforehand
            s = s + x

What is not certain counts nothing: a loop that would fit is never refused, one that does not is refused in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cfcompiler.ir import Value
from cfcompiler.language import tree
from cfcompiler.language.checker import names_bound
from cfcompiler.language.terms import Exact, Scope

# Loops with more turns than this are not looked at turn by turn.
TURNS = 5000
Known = Mapping[str, int]


def least_work(loop: tree.Loop, turns: range, scope: Scope, row: Callable[[str], bool], enough: int) -> int:
    """Instructions of `turns` at the least, counted until `enough`; `row` tells the functions that are one."""
    bound = {loop.name.text, *names_bound(loop.block)}
    work = _Work(scope, bound, row)
    if not work.lasting(loop.block):
        return 0
    if len(turns) > TURNS:
        return len(turns) * work.block(loop.block, {})
    total = 0
    for number in turns:
        total += work.block(loop.block, {loop.name.text: number})
        if total > enough:
            break
    return total


class _Work:
    """`values`: names that are values of the program whenever the block is run."""

    def __init__(self, scope: Scope, bound: set[str], row: Callable[[str], bool]) -> None:
        self.scope = scope
        self.bound = bound
        self.row = row
        self.values = {name for name, term in scope.names.items() if isinstance(term, Value)}

    def lasting(self, block: tree.Block) -> bool:
        """Take out of `values` what may become something else; False where the block may end the loop."""
        while True:
            lost: set[str] = set()
            if not self._assigned(block, lost):
                return False
            if not lost & self.values:
                return True
            self.values -= lost

    def _assigned(self, block: tree.Block, lost: set[str]) -> bool:
        for statement in block:
            match statement:
                case tree.Return():
                    return False
                case tree.Assignment(targets, unpacks, value):
                    if unpacks or not self.expression(value)[1]:
                        lost.update(target.text for target in targets if isinstance(target, tree.Name))
                case tree.Loop(name, _, inner):
                    lost.add(name.text)
                    if not self._assigned(inner, lost):
                        return False
                case tree.Branch(arms, orelse):
                    if not all(
                        self._assigned(inner, lost) for inner in (*[arm.block for arm in arms], orelse)
                    ):
                        return False
                case _:
                    pass  # x += y is a value where x is one
        return True

    def block(self, block: tree.Block, known: Known) -> int:
        total = 0
        for statement in block:
            match statement:
                case tree.Assignment(value=value) | tree.Alone(value=value):
                    total += self.expression(value)[0]
                case tree.Augmented(target, _, value):
                    total += self.expression(value)[0] + (target.text in self.values)
                case tree.Loop(values=values, block=inner):
                    total += self._turns(values, known) * self.block(inner, known)
                case tree.Branch(arms, orelse):
                    total += min(self.block(inner, known) for inner in (*[arm.block for arm in arms], orelse))
                case _:
                    pass
        return total

    def expression(self, node: tree.Expression) -> tuple[int, bool]:
        """Instructions at the least, and whether the result is certainly a value of the program."""
        match node:
            case tree.Name(text):
                return 0, text in self.values
            case tree.Operation(operands):
                parts = [self.expression(operand) for operand in operands]
                total, certain = parts[0]
                for count, value in parts[1:]:
                    certain = certain or value
                    total += count + certain
                return total, certain
            case tree.Power(base, exponent):
                return self._joined(base, exponent)
            case tree.Unary("-", operand):
                return self._joined(operand)
            case tree.Call(tree.Name(text), arguments, ()) if self.row(text):
                return self._joined(*arguments)
            case tree.Index(value):
                return self.expression(value)
            case _:
                return 0, False

    def _joined(self, *nodes: tree.Expression) -> tuple[int, bool]:
        parts = [self.expression(node) for node in nodes]
        certain = any(value for _, value in parts)
        return sum(count for count, _ in parts) + certain, certain

    def _turns(self, values: tree.Expression, known: Known) -> int:
        match values:
            case tree.Call(tree.Name("range"), arguments, ()) if 1 <= len(arguments) <= 3:
                bounds = [self._whole(item, known) for item in arguments]
                numbers = [bound for bound in bounds if bound is not None]
                if len(numbers) < len(bounds) or numbers[2:] == [0]:
                    return 0
                turns = range(*numbers)
                return len(turns) if not turns[2**31 :] else 2**31
        return 0

    def _whole(self, node: tree.Expression, known: Known) -> int | None:
        match node:
            case tree.Number(value) if value.denominator == 1:
                return value.numerator
            case tree.Name(text) if text in known:
                return known[text]
            case tree.Name(text) if text not in self.bound:
                term = self.scope.get(text)
                return term.whole if isinstance(term, Exact) else None
            case tree.Operation((left, right), ("+" | "-" as operator,)):
                one, other = self._whole(left, known), self._whole(right, known)
                if one is None or other is None:
                    return None
                return one + other if operator == "+" else one - other
        return None
