"""Program -> Program: value and the cotangents of the inputs.

    program f(x)          program f_vjp(x, c)
      t = sin x             t = sin x
      -> t                  t_2 = cos x
                            c_x = c * t_2
                            -> t, c_x

One backward loop over the instructions. A cotangent lives on the branch on which it arises: what is used only under a
guard is differentiated only under it, so no NaN comes from an arm that was not taken. Contributions are added in
the order of the backward sweep. Source: Bolte & Pauwels 2021, algorithm 3 (accumulating), theory S2.7 and S3.3.
"""

from __future__ import annotations

from cfcompiler.builder import Builder
from cfcompiler.ir import Branch, Program, Value
from cfcompiler.transforms.activity import active_values
from cfcompiler.transforms.derivatives import add_all, cotangents_of, fitted, zeros


def vjp(program: Program) -> Program:
    """Parameters x..., c_f...; results f..., c_x...: the backward program."""
    return _reverse(program, f"{program.name}_vjp", seeded=True)


def gradient(program: Program) -> Program:
    """Parameters x...; results f, c_x...: the backward program of a scalar program from the cotangent 1.

    Raises ValueError if the program has several results or an array result.
    """
    if len(program.results) != 1 or program.results[0].shape:
        raise ValueError("a gradient needs one scalar result")
    return _reverse(program, f"{program.name}_gradient", seeded=False)


def _reverse(program: Program, name: str, *, seeded: bool) -> Program:
    builder = Builder(name, program.source, program.preset, program.formulas)
    builder.reserve(program)
    builder.params.extend(program.params)
    builder.assertions.extend(program.assertions)
    active = active_values(program)
    accumulator = _Accumulator(builder)
    guards = {instruction.out.name: instruction.out for instruction in program.instructions}
    accumulator.guards.update(guards)
    for instruction in program.instructions:
        builder.copy(instruction)
    for value in program.results:
        seed = (
            builder.param(f"c_{value.name}" if len(program.results) > 1 else "c", value.shape)
            if seeded
            else None
        )
        if value.name in active:
            accumulator.add(value, seed if seed is not None else builder.constant(1))
    for instruction in reversed(program.instructions):
        out = instruction.out
        if out.name not in accumulator.terms:
            continue
        c = accumulator.total(out)
        builder.span = instruction.span
        with builder.on(c.branch if set(c.branch) >= set(out.branch) else _joined(out.branch, c.branch)):
            for argument, share in cotangents_of(builder, instruction, c, active):
                accumulator.add(argument, share)
    results: list[Value] = []
    for param in program.params:
        if not param.differentiable:
            continue
        value = param.value
        if value.name in accumulator.terms:
            c = accumulator.lift(accumulator.total(value, guarded=False), ())
            results.append(fitted(builder, c, value.shape))
        else:
            results.append(zeros(builder, value.shape))
    return builder.finish((*program.results, *results))


def _joined(inner: Branch, outer: Branch) -> Branch:
    """The branch with the guards of both."""
    return (*outer, *(entry for entry in inner if entry not in outer))


class _Accumulator:
    """The contributions to each value's cotangent, and their sums by branch."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.terms: dict[str, list[Value]] = {}
        self.guards: dict[str, Value] = {}
        self.either: dict[tuple[Branch, frozenset[Branch]], Value | None] = {}

    def add(self, value: Value, share: Value) -> None:
        self.terms.setdefault(value.name, []).append(share)

    def total(self, value: Value, *, guarded: bool = True) -> Value:
        """The cotangent of `value`, on the smallest branch that holds all its contributions.

        `guarded`: not computed where none of them arises, for what is differentiated further.
        """
        terms = self.terms.pop(value.name)
        if len(terms) == 1:
            return terms[0]
        branch = _common([term.branch for term in terms])
        either = self._either({term.branch for term in terms}, branch) if guarded else None
        if either is not None:
            inner = (*branch, (either.name, True))
            terms = [self._rebased(term, inner) for term in terms]
            branch = inner
        return self._sum(terms, branch, f"c_{value.name}")

    def lift(self, value: Value, branch: Branch) -> Value:
        """`value` as seen from the outer `branch`: 0 where its own branch is not taken."""
        while len(value.branch) > len(branch):
            guard, truth = value.branch[-1]
            with self.builder.on(value.branch[:-1]):
                zero = zeros(self.builder, value.shape)
                then, orelse = (value, zero) if truth else (zero, value)
                value = self.builder.select(self.guards[guard], then, orelse, lazy=True)
        return value

    def _sum(self, terms: list[Value], branch: Branch, name: str) -> Value:
        """The sum of `terms` on `branch`: 0 where none arises."""
        builder = self.builder
        base = [term for term in terms if term.branch == branch]
        groups: dict[str, dict[bool, list[Value]]] = {}
        for term in terms:
            if term.branch != branch:
                guard, truth = term.branch[len(branch)]
                groups.setdefault(guard, {}).setdefault(truth, []).append(term)
        with builder.on(branch):
            total = add_all(builder, base, name) if base else None
            for guard, sides in groups.items():
                total = self._merged(total, guard, sides, branch, name)
        assert total is not None
        return total

    def _either(self, inner: set[Branch], branch: Branch) -> Value | None:
        """The condition, on `branch`, under which one of the `inner` branches is taken; None: one always is."""
        key = branch, frozenset(inner)
        if key not in self.either:
            self.either[key] = None if branch in inner else self._made_either(inner, branch)
        return self.either[key]

    def _made_either(self, inner: set[Branch], branch: Branch) -> Value | None:
        sides: dict[str, dict[bool, set[Branch]]] = {}
        for one in sorted(inner):
            guard, truth = one[len(branch)]
            sides.setdefault(guard, {}).setdefault(truth, set()).add(one)
        conditions: list[Value] = []
        for guard, by_truth in sides.items():
            own = {t: self._either(ones, (*branch, (guard, t))) for t, ones in by_truth.items()}
            if len(own) == 2 and own[True] is None and own[False] is None:
                return None
            conditions.append(self._condition(guard, own, branch))
        with self.builder.on(branch):
            either = conditions[0]
            for condition in conditions[1:]:
                either = self.builder.apply("logical_or", either, condition)
        self.guards[either.name] = either
        return either

    def _condition(self, guard: str, own: dict[bool, Value | None], branch: Branch) -> Value:
        """The condition of the arm of a guard that is taken; False for an arm that is not there."""
        builder = self.builder
        with builder.on(branch):
            if own == {True: None}:
                return self.guards[guard]
            if own == {False: None}:
                return builder.apply("logical_not", self.guards[guard])
            arms = []
            for truth in (True, False):
                condition = own.get(truth)
                arms.append(builder.boolean(truth in own) if condition is None else condition)
            return builder.select(self.guards[guard], arms[0], arms[1], lazy=True)

    def _merged(
        self, total: Value | None, guard: str, sides: dict[bool, list[Value]], branch: Branch, name: str
    ) -> Value:
        builder = self.builder
        shape = next(iter(sides.values()))[0].shape
        arms: list[Value] = []
        for truth in (True, False):
            inner = (*branch, (guard, truth))
            if truth not in sides:
                arms.append(total if total is not None else zeros(builder, shape))
                continue
            own = sides[truth]
            part = own[0] if len(own) == 1 else self._sum(own, _common([term.branch for term in own]), name)
            part = self.lift(part, inner)
            with builder.on(inner):
                arms.append(part if total is None else builder.apply("add", total, part, name=name))
        return builder.select(self.guards[guard], arms[0], arms[1], lazy=True, name=name)

    def _rebased(self, term: Value, inner: Branch) -> Value:
        """`term` on a branch that begins with `inner`, which has one guard more than the term's own beginning."""
        rest = tuple(entry for entry in term.branch if entry not in inner)
        with self.builder.on((*inner, *rest)):
            return self.builder.apply("reshape", term, shape=term.shape)


def _common(branches: list[Branch]) -> Branch:
    """The longest common beginning."""
    first = branches[0]
    length = min(len(branch) for branch in branches)
    for branch in branches[1:]:
        while branch[:length] != first[:length]:
            length -= 1
    return first[:length]
