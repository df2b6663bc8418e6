"""Guards that vanish on a thin set only, and not in plain sight: kinks and orderings of functions that vanish there."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction

from tests.oracle.programs import (
    Node,
    absolute,
    call,
    choose,
    clip,
    maximum,
    median,
    minimum,
    nth,
    relu,
    where,
)


def veil(rng: random.Random, h: Node) -> Node:
    """A function of h that is zero exactly where h is; of any sign elsewhere."""
    shapes: tuple[Callable[[], Node], ...] = (
        lambda: relu(h) - relu(-h),
        lambda: call("relu2", h) - relu(-h),
        lambda: call("relu3", h) - relu(-h),
        lambda: maximum(h, 2 * h),
        lambda: minimum(-h, -(3 * h)),
        lambda: median([h, 2 * h, 3 * h]),
        lambda: choose(h, rng.choice((">", ">=")), 0, h, 2 * h),
        lambda: clip(h, Fraction(-1), Fraction(1)),
        lambda: relu(maximum(h, -h)) - minimum(h, 0),
        lambda: nonnegative(rng, [h]),
    )
    return rng.choice(shapes)()


def nonnegative(rng: random.Random, functions: Sequence[Node]) -> Node:
    """A function that is positive but where all the functions are zero."""
    if len(functions) == 1:
        (h,) = functions
        shapes: tuple[Callable[[], Node], ...] = (
            lambda: absolute(h),
            lambda: relu(h) + relu(-h),
            lambda: maximum(h, -h),
            lambda: maximum(-h, 0, h),
            lambda: nth([h, 2 * h, -h], 2),
            lambda: maximum(h, 0) - minimum(0, h),
            lambda: absolute(relu(h) - relu(-h)),
            lambda: minimum(absolute(h), 1),
        )
        return rng.choice(shapes)()
    first, second = functions
    both: tuple[Callable[[], Node], ...] = (
        lambda: absolute(first) + absolute(second),
        lambda: maximum(absolute(first), absolute(second)),
        lambda: maximum(first, -first, second, -second),
        lambda: maximum(0, first, second) - minimum(0, first, second),
        lambda: _range([first, second, first - first]),
        lambda: relu(first) + relu(-first) + absolute(second),
        lambda: absolute(first) + absolute(first + second),
        lambda: relu(absolute(first) + second) + relu(absolute(second) - first) + nonnegative(rng, [first]),
    )
    return rng.choice(both)()


def _range(values: Sequence[Node]) -> Node:
    return nth(values, len(values) - 1) - nth(values, 0)


def guarded(rng: random.Random, functions: Sequence[Node], yes: Node, no: Node) -> Node:
    """yes where all the functions are zero, else no."""
    if len(functions) == 2 and rng.random() < 0.3:
        first, second = functions
        return guarded(rng, [first], guarded(rng, [second], yes, no), no)
    pick = rng.choice((choose, choose, where))
    if len(functions) == 2 or rng.random() < 0.4:
        guard = nonnegative(rng, functions)
        shapes: tuple[Callable[[], Node], ...] = (
            lambda: pick(guard, "==", 0, yes, no),
            lambda: pick(guard, "!=", 0, no, yes),
            lambda: pick(guard, "<=", 0, yes, no),
            lambda: pick(0, "<", guard, no, yes),
        )
        return rng.choice(shapes)()
    guard = veil(rng, functions[0])
    others: tuple[Callable[[], Node], ...] = (
        lambda: pick(guard, "==", 0, yes, no),
        lambda: pick(guard, "!=", 0, no, yes),
        lambda: pick(guard, ">=", 0, pick(guard, "<=", 0, yes, no), no),
        lambda: pick(guard, "<", 0, no, pick(guard, ">", 0, no, yes)),
    )
    return rng.choice(others)()
