"""Class, seed -> a case: a random program with a rational point at which several of its switches are zero.

affine        piecewise affine, with repeated, nested and identically vanishing switches
polynomial    products, cusps, tangent switches, divisions by what is positive
thin          equality guards with continuous joins (theory P14)
veiled        guards that vanish on a thin set behind kinks and orderings: joins, jumps at the point, jumps beside it
injected      a smooth program plus c*flat(h): the gradient and what AD returns are known (P13)
sat           min over clauses of max over literals (S7.3): Clarke(0) = {0} if and only if unsatisfiable
jump          a program that jumps at the point
smooth_shift  two programs that differ by a smooth one (P12)
invariance    two programs that differ by a change of variables, a factor and a smooth term (trap 24)
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from tests.oracle.growth import (
    NAMES,
    Pool,
    affine_pool,
    arrangement,
    combination,
    combined,
    grow,
    join,
    linear_form,
    multiply,
    polynomial_pool,
    polynomial_switch,
    program_of,
    random_point,
    small,
    switches,
)
from tests.oracle.numbers import Executed, Rules, gradient, is_tied, point_of
from tests.oracle.programs import (
    Node,
    Program,
    Vector,
    absolute,
    call,
    choose,
    evaluate,
    fmpq_of,
    fraction_of,
    maximum,
    minimum,
    relu,
    substituted,
    where,
)
from tests.oracle.veils import guarded

MOST_TIES = 14
RULES = (
    Rules(Fraction(0), Fraction(0), "first", "first"),
    Rules(Fraction(1), Fraction(1), "last", "first"),
    Rules(Fraction(0), Fraction(1), "split", "split"),
    Rules(Fraction(1, 2), Fraction(0), "split", "split"),
    Rules(Fraction(0), Fraction(-1), "first", "last"),
    Rules(Fraction(1, 3), Fraction(1, 2), "last", "split"),
)


@dataclass(frozen=True, slots=True)
class Transformed:
    """Another program, at another point, whose gradients are matrix @ g + shift for each gradient g."""

    program: Program
    point: Vector
    matrix: tuple[Vector, ...]
    shift: Vector

    def image(self, vector: Vector) -> Vector:
        rows = zip(self.matrix, self.shift, strict=True)
        return tuple(sum((a * b for a, b in zip(row, vector, strict=True)), s) for row, s in rows)


@dataclass(frozen=True, slots=True)
class Case:
    """A program at a point under tie rules, with what its construction tells."""

    name: str
    program: Program
    point: Vector
    rules: Rules
    affine: bool
    continuous: bool = True
    gradient: Vector | None = None
    ad: Vector | None = None
    verdict: str | None = None
    in_field: tuple[Vector, ...] = ()  # vectors of D
    only_zero: bool | None = None  # is the Clarke subdifferential {0}
    partner: Transformed | None = None

    @property
    def text(self) -> str:
        return self.program.text

    @property
    def coordinates(self) -> dict[str, str]:
        return {name: str(entry) for name, entry in zip(self.program.inputs, self.point, strict=True)}

    def transformed(self) -> Case:
        """The partner, as a case of its own."""
        assert self.partner is not None
        partner = self.partner
        return replace(
            self,
            name=f"{self.name}-partner",
            program=partner.program,
            point=partner.point,
            affine=False,
            gradient=None,
            ad=None,
            in_field=(),
            only_zero=None,
            partner=None,
        )


def case(kind: str, seed: int) -> Case:
    """The case number `seed` of a class of CLASSES: at least one selection is tied, mostly more, at most MOST_TIES."""
    rng = random.Random(f"{kind}-{seed}")
    while True:
        made = CLASSES[kind](rng, f"{kind}-{seed}")
        tied = ties(made)
        if 0 < tied <= MOST_TIES and (tied > 1 or rng.random() < 0.3):
            return made


# Classes


def _affine(rng: random.Random, name: str) -> Case:
    pool = affine_pool(rng, rng.choice((1, 2, 2, 2, 3, 3, 4)))
    if rng.random() < 0.5:
        result = arrangement(pool, [linear_form(rng, pool.shifted) for _ in range(rng.randint(2, 5))])
    else:
        grow(pool, rng.randint(3, 8))
        result = combined(pool, rng.randint(1, 4))
    return Case(name, program_of(pool, result), pool.point, rng.choice(RULES), affine=True)


def _polynomial(rng: random.Random, name: str) -> Case:
    pool = polynomial_pool(rng, rng.choice((1, 2, 2, 2, 2, 3)))
    if rng.random() < 0.5:
        result = arrangement(pool, switches(pool, rng.randint(2, 4)))
        if rng.random() < 0.3:
            result = result * (linear_form(rng, pool.shifted) + small(rng))
        program = program_of(pool, result)
        return Case(name, program, pool.point, rng.choice(RULES), affine=False)
    for _ in range(rng.randint(2, 5)):
        chance = rng.random()
        if chance < 0.25:
            multiply(pool)
        elif chance < 0.33:
            a, b = pool.pick(), pool.pick()
            positive = absolute(b) + 2 if rng.random() < 0.5 else b * b + 1
            pool.keep(a / positive, pool.most)
        else:
            grow(pool, 1)
    program = program_of(pool, combined(pool, rng.randint(1, 3)))
    return Case(name, program, pool.point, rng.choice(RULES), affine=False)


def _thin(rng: random.Random, name: str) -> Case:
    affine = rng.random() < 0.6
    size = rng.choice((1, 2, 2, 3))
    pool = affine_pool(rng, size) if affine else polynomial_pool(rng, size)
    grow(pool, rng.randint(0, 2))
    for _ in range(rng.randint(1, 2)):
        pool.keep(join(pool, rng.choice(("==", "!="))), pool.most)
    grow(pool, rng.randint(0, 2))
    program = program_of(pool, combined(pool, rng.randint(1, 3)))
    return Case(name, program, pool.point, rng.choice(RULES), affine=affine)


def _veiled(rng: random.Random, name: str) -> Case:
    """A smooth base, and another arm where `thin` functions vanish: their gradients are rows of an invertible matrix.

    The arm is base + c*h, for one of these functions; base + c; or base + c*b, for a function b that does not vanish
    on the thin set. In half of the cases the thin set is only there where another function is positive.
    """
    size = rng.choice((1, 2, 2, 3, 3))
    pool = Pool(rng, random_point(rng, size), 2)
    affine = rng.random() < 0.6
    rows = _invertible(rng, size)
    functions = [
        combination([(c, u) for c, u in zip(row, pool.shifted, strict=True) if c])
        + (
            0
            if affine or rng.random() < 0.4
            else small(rng) * rng.choice(pool.shifted) * rng.choice(pool.shifted)
        )
        for row in rows
    ]
    thin = rng.randint(1, max(1, min(2, size - 1)))
    variables = [Node("var", (), index) for index in range(size)]
    base = combination([(small(rng), variable) for variable in variables])
    if not affine:
        base = base + small(rng) * rng.choice(variables) * rng.choice(variables)
    kind = rng.choice(("join", "join", "jump", "beside")) if size > thin else rng.choice(("join", "jump"))
    added = {"join": functions[0], "jump": Node("const", (), fmpq_of(Fraction(1))), "beside": functions[-1]}[
        kind
    ]
    arm = base + small(rng) * added
    result = guarded(rng, functions[:thin], arm, base)
    opened = size > thin and rng.random() < 0.5
    taken = True
    if opened:
        op = rng.choice((">", ">="))
        taken = op == ">="
        result = choose(functions[thin], op, 0, result, base)
    true, other = (_gradient(program_of(pool, at), pool.point) for at in (base, arm))
    ad = other if taken else true
    verdicts = {"join": "exact" if ad == true else "spurious", "jump": "discontinuous", "beside": "undefined"}
    return Case(
        name,
        program_of(pool, result),
        pool.point,
        rng.choice(RULES),
        affine=affine,
        continuous=kind == "join",
        gradient=true if kind == "join" else None,
        ad=ad,
        verdict=verdicts[kind],
        in_field=(true, other) if kind == "join" else (),
    )


def _injected(rng: random.Random, name: str) -> Case:
    """P + c*flat(h) with smooth P: the gradient is that of P, AD returns it plus c*(derivative of flat)*grad h."""
    size = rng.choice((1, 2, 2, 3, 4))
    pool = Pool(rng, random_point(rng, size), 4)
    variables = [Node("var", (), index) for index in range(size)]
    smooth = combination([(small(rng), variable) for variable in variables])
    if rng.random() < 0.6:
        smooth = smooth + small(rng) * (linear_form(rng, variables) * linear_form(rng, variables))
    if rng.random() < 0.25:
        smooth = smooth / (rng.choice(variables) ** 2 + 1)
    h = linear_form(rng, pool.shifted) if rng.random() < 0.6 else polynomial_switch(rng, pool.shifted)
    if rng.random() < 0.3:
        h = h + linear_form(rng, pool.shifted) * rng.choice(pool.shifted)
    c = small(rng)
    rules = rng.choice(RULES)
    flat, factor = _flat(rng, h, rules)
    program = program_of(pool, smooth + c * flat)
    true, normal = (_gradient(program_of(pool, at), pool.point) for at in (smooth, h))
    ad = tuple(g + c * factor * n for g, n in zip(true, normal, strict=True))
    return Case(
        name,
        program,
        pool.point,
        rules,
        affine=False,
        gradient=true,
        ad=ad,
        verdict="exact" if ad == true else "spurious",
    )


def _flat(rng: random.Random, h: Node, rules: Rules) -> tuple[Node, Fraction]:
    """A zero function of h, and the derivative that AD returns at h = 0."""
    half = rules.relu
    first = {"first": Fraction(1), "last": Fraction(0), "split": Fraction(1, 2)}
    shapes = (
        (relu(h) - relu(-h) - h, 2 * half - 1),
        (call("flat", h), 2 * half - 1),
        (call("relu2", h) - relu(h), 1 - 2 * half),
        (absolute(h) - relu(h) - relu(-h), rules.abs),
        (maximum(h, 2 * h) - h - relu(h), 2 - first[rules.max] - 1 - half),
        (h - call("thin", h), Fraction(1)),
        (minimum(h, 0) + relu(h) - h, first[rules.min] + half - 1),
    )
    return rng.choice(shapes)


def _gradient(program: Program, point: Vector) -> Vector:
    found = gradient(program, point_of(point), Executed())
    return tuple(fraction_of(entry) for entry in found.gradient)


def _sat(rng: random.Random, name: str) -> Case:
    size = rng.randint(1, 3)
    literals = [(index, sign) for index in range(size) for sign in (1, -1)]
    clauses = [rng.sample(literals, rng.randint(1, min(size, 2))) for _ in range(rng.randint(1, 2 * size))]
    variables = [Node("var", (), index) for index in range(size)]
    terms = []
    for clause in clauses:
        values = [relu(variables[index] if sign > 0 else -variables[index]) for index, sign in clause]
        terms.append(values[0] if len(values) == 1 else maximum(*values))
    result = terms[0] if len(terms) == 1 else minimum(*terms)
    satisfiable = any(
        all(any(values[index] == sign for index, sign in clause) for clause in clauses)
        for values in product((1, -1), repeat=size)
    )
    program = Program(NAMES[:size], result)
    point = (Fraction(0),) * size
    return Case(name, program, point, rng.choice(RULES), affine=True, only_zero=not satisfiable)


def _jump(rng: random.Random, name: str) -> Case:
    """A program plus a step at a switch that changes its sign arbitrarily near the point."""
    base = _affine(rng, name) if rng.random() < 0.7 else _polynomial(rng, name)
    pool = Pool(rng, base.point, 1)
    switch, op = linear_form(rng, pool.shifted), rng.choice((">", ">=", "<", "<=", "==", "!="))
    step = rng.choice((choose, where))(switch, op, 0, small(rng), 0)
    program = program_of(pool, base.program.result + step)
    return replace(base, program=program, continuous=False, verdict="discontinuous")


def _smooth_shift(rng: random.Random, name: str) -> Case:
    base = _affine(rng, name) if rng.random() < 0.5 else _polynomial(rng, name)
    smooth = _smooth(rng, base)
    shift = _gradient(Program(base.program.inputs, smooth), base.point)
    program = replace(base.program, result=base.program.result + smooth)
    return replace(base, partner=Transformed(program, base.point, _identity(len(shift)), shift))


def _smooth(rng: random.Random, base: Case) -> Node:
    variables = [Node("var", (), index) for index in range(len(base.point))]
    return linear_form(rng, variables) * linear_form(rng, variables) + linear_form(rng, variables)


def _invariance(rng: random.Random, name: str) -> Case:
    """x = A u + b, times c, plus a smooth g: gradients by u are c A^T grad f + grad g."""
    base = _affine(rng, name) if rng.random() < 0.6 else _polynomial(rng, name)
    size = len(base.point)
    matrix = _invertible(rng, size)
    new = tuple(Fraction(rng.randint(-2, 2)) for _ in range(size))
    variables = [Node("var", (), index) for index in range(size)]
    replacement = {}
    for i in range(size):
        offset = base.point[i] - sum((a * b for a, b in zip(matrix[i], new, strict=True)), Fraction(0))
        terms = [(matrix[i][j], variables[j]) for j in range(size) if matrix[i][j]]
        replacement[i] = combination(terms) + offset if offset else combination(terms)
    factor = Fraction(rng.choice((-3, -1, 1, 2)), rng.choice((1, 2)))
    result = factor * substituted(base.program.result, replacement)
    shift = (Fraction(0),) * size
    if rng.random() < 0.5:
        smooth = _smooth(rng, base)
        result = result + smooth
        shift = _gradient(Program(base.program.inputs, smooth), new)
    transposed = tuple(tuple(factor * matrix[i][j] for i in range(size)) for j in range(size))
    program = replace(base.program, result=result)
    return replace(base, partner=Transformed(program, new, transposed, shift))


def _identity(size: int) -> tuple[Vector, ...]:
    return tuple(tuple(Fraction(int(i == j)) for j in range(size)) for i in range(size))


def _invertible(rng: random.Random, size: int) -> tuple[Vector, ...]:
    """A unit lower triangular matrix with rows scaled and permuted."""
    rows = [
        tuple(
            Fraction(rng.randint(-1, 2)) if j < i else Fraction(small(rng) if i == j else 0)
            for j in range(size)
        )
        for i in range(size)
    ]
    rng.shuffle(rows)
    return tuple(rows)


def ties(case: Case) -> int:
    """How many selections are tied at the point."""
    executed = Executed()
    evaluate(case.program, point_of(case.point), executed)
    return sum(map(is_tied, executed.trace))


CLASSES: dict[str, Callable[[random.Random, str], Case]] = {
    "affine": _affine,
    "polynomial": _polynomial,
    "thin": _thin,
    "veiled": _veiled,
    "injected": _injected,
    "sat": _sat,
    "jump": _jump,
    "smooth_shift": _smooth_shift,
    "invariance": _invariance,
}
