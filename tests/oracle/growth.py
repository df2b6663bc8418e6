"""Random trees: pools of nodes that mostly vanish at a point, and the selections that grow from them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.numbers import Executed, plain, point_of
from tests.oracle.programs import (
    FUNCTIONS,
    Node,
    Program,
    Vector,
    absolute,
    call,
    choose,
    clip,
    evaluate,
    fraction_of,
    maximum,
    median,
    minimum,
    nth,
    relu,
    where,
)

NAMES = ("x", "y", "z", "w")


@dataclass(slots=True)
class Pool:
    rng: random.Random
    point: Vector
    most: int  # the largest degree
    nodes: list[Node] = field(default_factory=list)
    degrees: dict[Node, int] = field(default_factory=dict)

    @property
    def shifted(self) -> list[Node]:
        """The inputs minus the point."""
        found = []
        for index, entry in enumerate(self.point):
            variable = Node("var", (), index)
            found.append(variable if entry == 0 else variable - entry if entry > 0 else variable + -entry)
        return found

    def keep(self, made: Node, degree: int) -> Node:
        self.nodes.append(made)
        self.degrees[made] = degree
        return made

    def value(self, at: Node) -> Fraction:
        return fraction_of(plain(evaluate(Program((), at), point_of(self.point), Executed())))

    def pick(self) -> Node:
        """A node, the later the likelier."""
        size = len(self.nodes)
        return self.nodes[max(self.rng.randrange(size), self.rng.randrange(size))]

    def zero(self) -> Node:
        """A node, shifted so that it mostly vanishes at the point; sometimes a copy, sometimes identically zero."""
        picked = self.pick()
        value = self.value(picked)
        chance = self.rng.random()
        if chance < 0.15:
            picked = copied(picked)
        elif chance < 0.19:
            return picked - copied(picked)
        if value and self.rng.random() < 0.9:
            shifted = picked - value if value > 0 else picked + -value
            self.degrees[shifted] = self.degrees.get(picked, 1)
            return shifted
        return picked

    def degree(self, *nodes: Node) -> int:
        return max(self.degrees.get(at, 1) for at in nodes)


def copied(at: Node, done: dict[Node, Node] | None = None) -> Node:
    """Written once more: the same function, other nodes; what it shares within itself stays shared."""
    done = {} if done is None else done
    if at not in done:
        done[at] = Node(at.op, tuple(copied(arg, done) for arg in at.args), at.data) if at.args else at
    return done[at]


def random_point(rng: random.Random, size: int) -> Vector:
    if rng.random() < 0.4:
        return (Fraction(0),) * size
    return tuple(Fraction(rng.randint(-3, 3), rng.choice((1, 1, 1, 2, 3))) for _ in range(size))


def small(rng: random.Random) -> int:
    return rng.choice((-2, -1, -1, 1, 1, 2))


def linear_form(rng: random.Random, shifted: Sequence[Node]) -> Node:
    """A linear form with small coefficients, not zero."""
    chosen = rng.sample(list(shifted), rng.randint(1, min(len(shifted), 3)))
    return combination([(small(rng), term) for term in chosen])


def combination(terms: Sequence[tuple[int | Fraction, Node]]) -> Node:
    total: Node | None = None
    for factor, term in terms:
        scaled = term if factor == 1 else -term if factor == -1 else factor * term
        total = scaled if total is None else total + scaled
    assert total is not None
    return total


def grow(pool: Pool, count: int) -> None:
    for _ in range(count):
        made = selection(pool)
        pool.keep(made, pool.degree(*made.args))


def selection(pool: Pool) -> Node:
    rng, a = pool.rng, pool.zero()
    kind = rng.choice(
        ("relu", "relu", "abs", "abs", "max", "min", "nary", "clip", "order", "join", "pick", "call", "sum")
    )
    match kind:
        case "relu":
            return relu(a)
        case "abs":
            return absolute(a)
        case "max":
            return maximum(a, pool.zero())
        case "min":
            return minimum(pool.zero(), a)
        case "nary":
            return rng.choice((maximum, minimum))(a, pool.zero(), pool.zero())
        case "clip":
            value = pool.value(a)
            low, high = rng.choice(((value, value + 1), (value - 1, value), (value - 1, value + 2)))
            return clip(a, low, high)
        case "order":
            args = [a, pool.zero(), pool.zero()]
            return median(args) if rng.random() < 0.3 else nth(args, rng.randrange(3))
        case "join":
            return join(pool, rng.choice((">", ">=", "<", "<=")))
        case "pick":
            b, op = pool.zero(), rng.choice((">", ">=", "<", "<="))
            pick = rng.choice((choose, where))
            return pick(a, op, b, a, b) if rng.random() < 0.5 else pick(a, op, b, b, a)
        case "call":
            return call(rng.choice(tuple(FUNCTIONS)), a)
    return combination([(small(rng), a), (small(rng), pool.zero())])


def join(pool: Pool, op: str) -> Node:
    """base + k*h if h op 0 else base: continuous, whatever base and h."""
    rng, switch, base = pool.rng, pool.zero(), pool.pick()
    arms = [base + small(rng) * switch, base]
    if rng.random() < 0.5:
        arms.reverse()
    return rng.choice((choose, choose, where))(switch, op, 0, *arms)


def combined(pool: Pool, terms: int) -> Node:
    latest = pool.nodes[-terms:]
    return combination([(small(pool.rng), at) for at in latest])


def program_of(pool: Pool, result: Node) -> Program:
    return Program(NAMES[: len(pool.point)], result)


def arrangement(pool: Pool, switches: Sequence[Node]) -> Node:
    """A combination of kinks at the switches; some switches are themselves such sums, or minus one of the others."""
    rng, terms = pool.rng, []
    earlier: list[Node] = []
    for switch in switches:
        chance = rng.random()
        if earlier and chance < 0.3:
            switch = combination([(1, switch), (small(rng), rng.choice(earlier))])
        elif earlier and chance < 0.4:
            switch = -copied(rng.choice(earlier))
        kinks: tuple[Callable[[], Node], ...] = (
            lambda a=switch: relu(a),
            lambda a=switch: absolute(a),
            lambda a=switch: maximum(a, rng.choice((0, *earlier)) if earlier else 0),
            lambda a=switch: minimum(rng.choice((0, *earlier)) if earlier else 0, a),
            lambda a=switch: choose(a, rng.choice((">", ">=", "<", "<=")), 0, 0, a),
        )
        earlier.append(rng.choice(kinks)())
        terms.append((small(rng), earlier[-1]))
    pool.nodes.extend(earlier)
    return combination(terms)


def affine_pool(rng: random.Random, size: int) -> Pool:
    pool = Pool(rng, random_point(rng, size), 1)
    for _ in range(rng.randint(1, 3)):
        pool.keep(linear_form(rng, pool.shifted), 1)
    return pool


def polynomial_pool(rng: random.Random, size: int) -> Pool:
    pool = Pool(rng, random_point(rng, size), 4)
    for _ in range(rng.randint(1, 3)):
        pool.keep(polynomial_switch(rng, pool.shifted), 2)
    if rng.random() < 0.5:
        pool.keep(linear_form(rng, pool.shifted), 1)
    return pool


def polynomial_switch(rng: random.Random, shifted: Sequence[Node]) -> Node:
    """A polynomial that vanishes at the point: tangent ones and cusps are as likely as plain ones."""
    u, v = (rng.choice(shifted) for _ in range(2)) if len(shifted) == 1 else rng.sample(list(shifted), 2)
    c = small(rng)
    shapes: list[Callable[[], Node]] = [
        lambda: v - c * u**2,
        lambda: u**3 - v**2,
        lambda: u * v,
        lambda: u**2 + v**2,
        lambda: u**2 - v**2,
        lambda: u**3 + c * v,
        lambda: u**2 * c,
        lambda: v - u**2 - u**3,
        lambda: u * v + c * u,
        lambda: v**2 - c * u,
        lambda: u**4 - v**3,
    ]
    return rng.choice(shapes)()


def switches(pool: Pool, count: int) -> list[Node]:
    """Several, mostly tangent to each other: linear terms, cusps and their tangents."""
    rng, shifted = pool.rng, pool.shifted
    if len(shifted) == 1 or rng.random() < 0.3:
        return [
            polynomial_switch(rng, shifted) + rng.choice((0, 0, 1, -1)) * rng.choice(shifted)
            for _ in range(count)
        ]
    u, v = rng.sample(shifted, 2)
    w = rng.choice(shifted)
    shapes: tuple[Callable[[], Node], ...] = (
        lambda: v - small(rng) * u**2,
        lambda: v - small(rng) * u**2,
        lambda: v - u**2 - small(rng) * u**3,
        lambda: v if rng.random() < 0.5 else -v,
        lambda: u**2 - absolute(v),
        lambda: v**2 - relu(u),
        lambda: u**3 - v**2,
        lambda: v - small(rng) * u * w,
        lambda: v * (u + 1),
        lambda: u**2 + v**2 - small(rng) * v,
        lambda: v - absolute(u) * u,
        lambda: u - v**2,
    )
    return [rng.choice(shapes)() for _ in range(count)]


def multiply(pool: Pool) -> None:
    a, b = pool.pick(), pool.pick()
    degree = pool.degree(a) + pool.degree(b)
    if degree <= pool.most:
        pool.keep(a * b, degree)
    else:
        pool.keep(a + small(pool.rng) * b, pool.degree(a, b))
