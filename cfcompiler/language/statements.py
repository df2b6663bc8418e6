"""Statements of the tree to bindings of names, and the return of a function to a term.

    if x > 0:                [b]  t = sqrt(x)
        return sqrt(x)       s = select(b, t, 0)
    return 0

An early return takes the rest of the function into the other arm. Where both arms go on after an `if` with a return
somewhere inside, the rest is written in each of them. Loops are unrolled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from cfcompiler import errors
from cfcompiler.ir import Value
from cfcompiler.language import tree
from cfcompiler.language.checker import names_bound
from cfcompiler.language.conditions import joined
from cfcompiler.language.emission import LIMIT, Emission, TooLarge
from cfcompiler.language.expressions import Evaluator
from cfcompiler.language.least_work import least_work
from cfcompiler.language.operators import binary
from cfcompiler.language.parameters import declared
from cfcompiler.language.terms import POISON, Bound, Exact, Listing, Poison, Scope, Term, Unusable
from cfcompiler.shapes import text_of
from cfcompiler.source import NOWHERE, Span

# Statements still to be run: the rest of a function, as a linked list, so that an `if` can hand it to one of its arms.
Todo: TypeAlias = "tuple[tree.Statement | Step, Todo] | None"


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of a loop: bind the name before its block. `rest`: this turn and those after it, in the second."""

    name: str
    number: int
    span: Span
    rest: tuple[tree.Loop, range] | None


@dataclass(frozen=True, slots=True)
class Ended:
    """What running statements came to: a returned term, and where."""

    value: Term
    span: Span


class Statements:
    """Runs the statements of one program."""

    def __init__(self, evaluator: Evaluator, is_row: Callable[[str], bool]) -> None:
        self.evaluator = evaluator
        self.is_row = is_row  # whether a call by this name becomes one instruction
        self.emission = evaluator.emission
        self.at = NOWHERE  # the statement being run
        self.returned = NOWHERE  # what the function that ended last has returned

    def body(self, function: tree.Function, scope: Scope) -> Term:
        """What the function returns."""
        ended = self.run(_before(function.block, None), scope)
        if ended is None:
            return self.emission.complain(errors.missing_return(function.span, function.name))
        self.returned = ended.span
        if function.returns is not None:
            self._check_returned(function, ended, scope)
        return ended.value

    def _check_returned(self, function: tree.Function, ended: Ended, scope: Scope) -> None:
        wanted = declared(self.evaluator, function.returns, scope)
        found = ended.value
        if isinstance(wanted, tuple) and isinstance(found, Value) and found.shape != wanted:
            what = f"{function.name!r} is declared to return {text_of(wanted)}, and this is {text_of(found.shape)}"
            self.emission.complain(errors.shapes(ended.span, what))

    def run(self, todo: Todo, scope: Scope) -> Ended | None:
        """Run statements until a return; None where the end is reached."""
        while todo is not None:
            statement, todo = todo
            self.at = statement.span
            match statement:
                case tree.Assignment(targets, unpacks, value):
                    target = targets[0]
                    name = target.text if not unpacks and isinstance(target, tree.Name) else None
                    term = self.evaluator.term(value, scope, name)
                    if name is not None and not isinstance(term, tuple):
                        scope.bind(name, term)
                    else:
                        assign(self.emission, statement, term, scope)
                case tree.Augmented():
                    self._augment(statement, scope)
                case tree.Return(value, span):
                    if value is None:
                        return Ended(
                            self.emission.complain(errors.missing_return(span, scope.function)), span
                        )
                    return Ended(self.evaluator.term(value, scope), value.span)
                case tree.Branch():
                    truth = self._guard(statement.arms[0].condition, scope)
                    if isinstance(truth, bool):
                        todo = _before(statement.arms[0].block if truth else _otherwise(statement), todo)
                        continue
                    if _has_return(statement):
                        return self._divided(statement, truth, todo, scope)
                    self._branched(statement, truth, scope)
                case tree.Loop():
                    todo = self._turns(statement, todo, scope)
                case Step():
                    scope.bind(statement.name, Exact(Fraction(statement.number)))
                    self._refuse_large(statement, scope)
                case tree.Assertion():
                    self._assert(statement, scope)
                case tree.Alone(value):
                    if not isinstance(value, tree.Text):
                        self.evaluator.term(value, scope)
                case tree.Pass() | tree.Function():
                    pass
        return None

    def _augment(self, statement: tree.Augmented, scope: Scope) -> None:
        name, span = statement.target.text, statement.span
        if statement.operator == "**":
            scope.bind(
                name, self.evaluator.term(tree.Power(statement.target, statement.value, span), scope, name)
            )
            return
        left = self.evaluator.term(statement.target, scope)
        right = self.evaluator.term(statement.value, scope)
        scope.bind(name, binary(self.emission, statement.operator, left, right, span, name))

    def _assert(self, statement: tree.Assertion, scope: Scope) -> None:
        truth = self.evaluator.condition(statement.condition, scope)
        message = statement.message.value if isinstance(statement.message, tree.Text) else ""
        if truth is False:
            self.emission.complain(errors.false_assertion(statement.span, message))
        elif isinstance(truth, Value):
            self.emission.builder.assertion(truth, message, self.emission.place(statement.span))

    # branches

    def _guard(self, condition: tree.Expression, scope: Scope) -> Value | bool | Poison:
        truth = self.evaluator.condition(condition, scope)
        if isinstance(truth, Value) and truth.shape:
            return self.emission.complain(errors.array_condition(condition.span))
        return truth

    def _branched(self, branch: tree.Branch, truth: Value | Poison, scope: Scope) -> None:
        """An `if` that goes on below: what its arms bind is chosen lazily."""
        then = self._arm(branch.arms[0].block, truth, True, scope)
        orelse = self._arm(_otherwise(branch), truth, False, scope)
        for name in dict.fromkeys((*then, *orelse)):
            before = scope.get(name)
            first, second = then.get(name, before), orelse.get(name, before)
            scope.bind(name, self._merged(name, truth, first, second, branch.span))

    def _arm(self, block: tree.Block, truth: Value | Poison, taken: bool, scope: Scope) -> dict[str, Bound]:
        scope.begin()
        if isinstance(truth, Value):
            with self.emission.builder.under(truth, taken):
                self.run(_before(block, None), scope)
        else:
            self.run(_before(block, None), scope)
        return scope.end()

    def _merged(
        self, name: str, truth: Value | Poison, first: Bound | None, second: Bound | None, span: Span
    ) -> Bound:
        if first is None or second is None:
            return Unusable(lambda place: errors.unbound_on_a_path(place, name))
        for bound in (first, second):
            if isinstance(bound, Unusable):
                return bound
        if isinstance(truth, Poison):
            return POISON
        assert not isinstance(first, Unusable) and not isinstance(second, Unusable)
        if isinstance(first, Value) and isinstance(second, Value) and first.shape != second.shape:
            then, orelse = text_of(first.shape), text_of(second.shape)
            return Unusable(lambda _: errors.arms_differ(span, then, orelse))
        return joined(self.emission, truth, first, second, span, name)

    def _divided(self, branch: tree.Branch, truth: Value | Poison, todo: Todo, scope: Scope) -> Ended | None:
        """An `if` with a return inside: what follows belongs to the arms that go on."""
        ended = []
        for block, taken in ((branch.arms[0].block, True), (_otherwise(branch), False)):
            scope.begin()
            if isinstance(truth, Value):
                with self.emission.builder.under(truth, taken):
                    ended.append(self.run(_before(block, todo), scope))
            else:
                ended.append(self.run(_before(block, todo), scope))
            scope.end()
        first, second = ended
        if first is None or second is None:
            return None
        if isinstance(truth, Poison):
            return Ended(POISON, branch.span)
        return Ended(joined(self.emission, truth, first.value, second.value, branch.span, None), branch.span)

    # loops

    def _turns(self, loop: tree.Loop, todo: Todo, scope: Scope) -> Todo:
        """The turns of a loop, before what follows it."""
        bounds = self._range(loop.values, scope)
        if bounds is None:
            for name in (loop.name.text, *names_bound(loop.block)):
                scope.bind(name, POISON)
            return todo
        for place in reversed(range(len(bounds))):
            rest = (loop, bounds[1:]) if place == 1 else None
            todo = (Step(loop.name.text, bounds[place], loop.span, rest), _before(loop.block, todo))
        return todo

    def _refuse_large(self, step: Step, scope: Scope) -> None:
        """Raises TooLarge where the program is too large, or will be when the loop has been unrolled."""
        count = len(self.emission.builder.instructions)
        if step.rest is not None and not self.emission.diagnostics and not scope.prelude:
            loop, turns = step.rest
            count += least_work(loop, turns, scope, self.is_row, LIMIT - count)
        if count > LIMIT:
            raise TooLarge(step.span)

    def _range(self, values: tree.Expression, scope: Scope) -> range | None:
        match values:
            case tree.Call(tree.Name("range"), arguments, (), span) if 1 <= len(arguments) <= 3:
                numbers = [self.evaluator.whole(item, scope, "the bound of a loop") for item in arguments]
                bounds = [number for number in numbers if not isinstance(number, Poison)]
                if len(bounds) != len(numbers):
                    return None
                if len(bounds) == 3 and bounds[2] == 0:
                    self.emission.complain(errors.bad_index(span, "the step of a range cannot be 0"))
                    return None
                turns = range(*bounds)
                if turns[LIMIT:]:
                    raise TooLarge(span)
                return turns
            case tree.Missing():
                return None
        hint = "write range(n), with n static"
        if isinstance(values, tree.Name):
            hint = f"write `for i in range(len({values.text})):`, and {values.text}[i] for the entry"
        self.emission.complain(errors.not_static(values.span, "what a loop runs over", hint))
        return None


def assign(emission: Emission, statement: tree.Assignment, term: Term, scope: Scope) -> None:
    """Bind the targets of an assignment."""
    names = [target.text for target in statement.targets if isinstance(target, tree.Name)]
    if not statement.unpacks:
        for name in names:
            scope.bind(name, term)
        return
    parts = _unpacked(emission, term, len(statement.targets), statement.span)
    for index, target in enumerate(statement.targets):
        if isinstance(target, tree.Name):
            scope.bind(target.text, POISON if parts is None else parts[index])


def _unpacked(emission: Emission, term: Term, count: int, span: Span) -> list[Term] | None:
    """The parts of a tuple, or of an array along its first axis."""
    if isinstance(term, Poison):
        return None
    if isinstance(term, (tuple, Listing)):
        items = list(term.items if isinstance(term, Listing) else term)
        if len(items) != count:
            emission.complain(errors.unpacking(span, count, f"{len(items)} values"))
            return None
        return list(items)
    value = emission.real(term, span)
    if isinstance(value, Poison):
        return None
    if not value.shape or value.shape[0] != count:
        what = f"{value.shape[0]} entries" if value.shape else "one number"
        emission.complain(errors.unpacking(span, count, what))
        return None
    return [emission.apply("index", value, span=span, key=(place,)) for place in range(count)]


def _before(block: tree.Block, todo: Todo) -> Todo:
    for statement in reversed(block):
        todo = (statement, todo)
    return todo


def _otherwise(branch: tree.Branch) -> tree.Block:
    """What runs where the first condition fails: the other arms, or the else."""
    if len(branch.arms) == 1:
        return branch.orelse
    rest = tree.Branch(branch.arms[1:], branch.orelse, branch.arms[1].span)
    return (rest,)


def _has_return(branch: tree.Branch) -> bool:
    blocks = [*[arm.block for arm in branch.arms], branch.orelse]
    while blocks:
        for statement in blocks.pop():
            match statement:
                case tree.Return():
                    return True
                case tree.Branch(arms, orelse):
                    blocks += [*[arm.block for arm in arms], orelse]
                case tree.Loop(block=block):
                    blocks.append(block)
                case _:
                    pass
    return False
