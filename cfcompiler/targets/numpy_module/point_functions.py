"""Functions of plain floats and short lists that a generated module carries: what `math` lacks, and the orderings.

Each is written as it stands in the module (`texts` cuts it out), so what the tests run is what a user reads. They may
raise where IEEE arithmetic has an answer: the module then runs the same code on NumPy's float64 (`_ieee`).
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from math import copysign, exp, inf, log, log1p, sqrt
from types import FunctionType
from typing import Any

import numpy as np

# functions of numbers


def _sigmoid_point(x: float) -> float:
    """1 / (1 + exp(-x)) without overflow."""
    e = exp(-abs(x))
    return (1.0 if x >= 0.0 else e) / (1.0 + e)


def _softplus_point(x: float) -> float:
    """log(1 + exp(x)) without overflow."""
    return (0.0 if x < 0.0 else x) + log1p(exp(-abs(x)))


def _logaddexp_point(x: float, y: float) -> float:
    """log(exp(x) + exp(y)) without overflow."""
    if x == y:
        return x + 0.6931471805599453
    d = x - y
    return x + log1p(exp(-d)) if d > 0.0 else y + log1p(exp(d))


def _sign_point(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else x


def _heaviside_point(x: float, y: float) -> float:
    return 1.0 if x > 0.0 else 0.0 if x < 0.0 else y if x == 0.0 else x


def _floor_point(x: float) -> float:
    return x // 1.0 if -inf < x < inf else x


def _ceil_point(x: float) -> float:
    return -(-x // 1.0) if -inf < x < inf else x


def _trunc_point(x: float) -> float:
    return copysign(abs(x) // 1.0, x) if -inf < x < inf else x


def _round_point(x: float) -> float:
    """The nearest integer, the even one of two."""
    return copysign(float(round(x)), x) if -inf < x < inf else x


def _remainder_point(x: float, y: float) -> float:
    """What is left of x after taking off y downwards: the sign is that of y."""
    return x % y


def _divide_point(x: float, y: float) -> float:
    return x / y


def _power_point(x: float, n: int) -> Any:
    return x**n


# functions of lists


def _largest(v: Sequence[float]) -> float:
    """The largest entry; NaN where there is one."""
    for x in v:
        if x != x:
            return x
    return max(v)


def _smallest(v: Sequence[float]) -> float:
    """The smallest entry; NaN where there is one."""
    for x in v:
        if x != x:
            return x
    return min(v)


def _norm_of(v: Sequence[float]) -> float:
    """The Euclidean length."""
    total = 0.0
    for x in v:
        total += x * x
    return sqrt(total)


def _logsumexp_of(v: Sequence[float]) -> float:
    """log(sum(exp(x))), shifted by the largest entry where that is finite."""
    top = _largest(v)
    shift = top if -inf < top < inf else 0.0
    total = 0.0
    for x in v:
        total += exp(x - shift)
    return log(total) + shift


def _entry_weights(
    v: Sequence[float], top: float, term: Any, tie: str | tuple[float, ...], at_nan: str, gate: str
) -> list[float]:
    """`term` (a number, or one for each entry) times the weights of the entries of v in their extremum `top`."""
    count = len(v)
    if top != top and at_nan != "share":
        weights = [math.nan if at_nan == "nan" else 0.0] * count
    else:
        tied = [i for i, x in enumerate(v) if (x != x if top != top else x == top)] or list(range(count))
        weights = [0.0] * count
        if tie == "first" or tie == "last":
            weights[tied[0] if tie == "first" else tied[-1]] = 1.0
        else:
            own = [1.0 if isinstance(tie, str) else tie[i] for i in tied]
            total = 1.0 if tie == "all" else math.fsum(own)
            for i, weight in zip(tied, own, strict=True):
                weights[i] = weight / total
    terms = term if isinstance(term, list) else [term] * count
    if gate == "mul":
        return [w * t for w, t in zip(weights, terms, strict=True)]
    return [0.0 if w == 0.0 else w * t for w, t in zip(weights, terms, strict=True)]


def _place_of_extreme(v: Sequence[float], sense: str, last: bool = False) -> int:
    """The place of the first (last) extreme entry; of the first (last) NaN where there is one."""
    best = 0
    for i in range(1, len(v)):
        x, top = v[i], v[best]
        if x != x or top != top:
            best = i if x != x and (last or top == top) else best
        elif (x > top if sense == "max" else x < top) or (last and x == top):
            best = i
    return best


def _places_of_extremes(v: Sequence[float], sense: str, last: bool) -> list[int]:
    """For each entry, the place of the extreme entry among those up to it."""
    return [_place_of_extreme(v[: i + 1], sense, last) for i in range(len(v))]


def _sorted_places(v: Sequence[float], descending: bool, last: bool) -> list[int]:
    """The places of the entries in order, NaN the largest; of equal entries the first (last) place comes first."""
    places = range(len(v) - 1, -1, -1) if last else range(len(v))
    numbers = [i for i in places if v[i] == v[i]]
    numbers.sort(key=(lambda i: -v[i]) if descending else (lambda i: v[i]))
    others = [i for i in places if v[i] != v[i]]
    return [*others, *numbers] if descending else [*numbers, *others]


def _picked(v: Sequence[float], places: Any) -> Any:
    """The entry, or the entries, at `places`."""
    return v[places] if isinstance(places, int) else [v[i] for i in places]


def _spread(terms: Any, places: Any, size: int) -> list[float]:
    """`size` zeros, with the terms added at their places."""
    out = [0.0] * size
    pairs = [(terms, places)] if isinstance(places, int) else zip(terms, places, strict=True)
    for term, i in pairs:
        out[i] += term
    return out


# plain floats where they do, NumPy's where they raise


def _at_point(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """What `function` returns at one point, given as numbers and nested lists."""
    try:
        return function(*arguments)
    except (ArithmeticError, ValueError):
        return _ieee(function, *arguments)


def _ieee(function: Callable[..., Any], *arguments: Any) -> Any:
    """The same code on NumPy's float64: IEEE's answer where plain floats raise, as in 1/0, exp(1000), log(-1)."""
    with np.errstate(all="ignore"):
        on_numpy = FunctionType(function.__code__, _IEEE)
        return _plain_floats(on_numpy(*(_numpy_floats(argument) for argument in arguments)))


def _numpy_floats(x: Any) -> Any:
    if isinstance(x, list):
        return [_numpy_floats(entry) for entry in x]
    return np.float64(x) if isinstance(x, float) else x


def _plain_floats(x: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(_plain_floats(entry) for entry in x)
    return float(x) if isinstance(x, float) else x


# the vertices of the field


class _Choices:
    """Which of the tied pieces each written operation follows, in one run of the backward program.

    What `made` says nothing of follows its first option; `met` collects those, with their options.
    """

    def __init__(self, made: dict[Any, Any]) -> None:
        self.made = made
        self.met: dict[Any, list[Any]] = {}
        self.slot: int | None = None  # of a step on a tape

    def choice(self, name: Any, options: list[Any]) -> Any:
        if len(options) < 2:
            return options[0]
        name = (self.slot, name)
        if name not in self.made:
            self.met.setdefault(name, options)
        return self.made.get(name, options[0])

    def branch(self, name: str, outcome: bool, tied: bool) -> bool:
        """The outcome of a comparison that decides a branch; at a tie, either."""
        return self.choice(name, [bool(outcome), not outcome]) if tied else bool(outcome)

    def piece(self, kink: str, piece: str, term: float) -> float:
        """The term of one of the two pieces of a tied kink."""
        if term == 0.0:
            return 0.0
        return term if self.choice(kink, ["above", "below"]) == piece else 0.0

    def entry(self, name: str, v: Sequence[float], top: float, term: Any) -> list[float]:
        """The term of one of the tied entries of an extremum."""
        out = [0.0] * len(v)
        tied = [i for i, x in enumerate(v) if x == top]
        terms = term if isinstance(term, list) else [term] * len(v)
        if tied and any(terms[i] != 0.0 for i in tied):
            i = self.choice(name, tied)
            out[i] = terms[i]
        return out

    def order(self, name: str, v: Sequence[float], places: list[int], terms: list[float]) -> list[int]:
        """An order of v that is as good as `places`: equal entries in any order, unless their terms are equal."""
        out: list[int] = []
        while len(out) < len(places):
            start = len(out)
            group = [i for i in places[start:] if v[i] == v[places[start]]] or [places[start]]
            same = all(term == terms[start] for term in terms[start : start + len(group)])
            if len(group) > 8 and not same:
                raise ValueError(f"field: {len(group)} equal keys have more than 2**16 orders")
            out.extend(group if same else self.choice((name, start), list(itertools.permutations(group))))
        return out

    def place(
        self, name: str, v: Sequence[float], place: int, term: float, read: Sequence[Sequence[float]]
    ) -> int:
        """A place as good as `place`: its entry is equal, and so are those of the lists that are read there."""
        tied = [
            i for i, x in enumerate(v) if x == v[place] and all(other[i] == other[place] for other in read)
        ]
        return (
            place if term == 0.0 or not tied else self.choice(name, [place, *(i for i in tied if i != place)])
        )

    def places(
        self,
        name: str,
        v: Sequence[float],
        places: list[int],
        terms: list[float],
        read: Sequence[Sequence[float]],
    ) -> list[int]:
        """The same for each beginning of v."""
        return [
            self.place((name, i), v[: i + 1], place, term, [other[: i + 1] for other in read])  # type: ignore[arg-type]
            for i, (place, term) in enumerate(zip(places, terms, strict=True))
        ]


_IEEE: dict[str, Any] = {}  # the names of a module as `_ieee` has them; the module fills it


def _vertices(run: Callable[[_Choices], tuple[list[float], list[float]]]) -> list[tuple[float, ...]]:
    """The slopes that `run` returns beside the values, under every combination of choices, without repeats, sorted.

    A combination counts where the values are those of the first run, which follows the branches taken at the point.
    """
    found: set[tuple[float, ...]] = set()
    here: list[float] | None = None
    waiting: list[dict[Any, Any]] = [{}]
    count = 0
    while waiting:
        choices = _Choices(waiting.pop())
        values, slopes = run(choices)
        if here is None or values == here:
            found.add(tuple(x + 0.0 if x == x else math.nan for x in slopes))
        here = values if here is None else here
        count += 1
        made = dict(choices.made)
        for name, options in choices.met.items():
            waiting.extend({**made, name: option} for option in options[1:])
            made[name] = options[0]
        if count + len(waiting) > 65536:
            raise ValueError("field: more than 2**16 combinations of choices at this point")
    return sorted(found, key=lambda row: [(x != x, x if x == x else 0.0) for x in row])


def _field_point(
    function: Callable[..., Any], arguments: Sequence[Any], shapes: Sequence[tuple[int, ...]]
) -> Any:
    """The vertices of D at a point: `function` pulls cotangents of results of these shapes back, as it is told to.

    It returns the results, which say whether a branch counts that is not taken but tied, and the cotangents.
    """
    sizes = [math.prod(shape) for shape in shapes]
    cuts = [0, *itertools.accumulate(sizes)]

    def run(choose: _Choices) -> tuple[list[float], list[float]]:
        values: list[float] = []
        row: list[float] = []
        for unit in np.eye(cuts[-1]):
            seeds = [
                unit[a:b].reshape(shape).tolist() for a, b, shape in zip(cuts, cuts[1:], shapes, strict=False)
            ]
            found = _at_point(function, [*arguments, *seeds, choose])
            values = [x for value in found[: len(shapes)] for x in np.ravel(value).tolist()]
            row.extend(x for cotangent in found[len(shapes) :] for x in np.ravel(cotangent).tolist())
        return values, row

    rows = np.array(_vertices(run))
    return rows if sizes == [1] and shapes[0] == () else rows.reshape(len(rows), cuts[-1], -1)


TABLE: dict[str, Any] = {
    name: function
    for name, function in globals().items()
    if name.startswith("_")
    and not name.startswith("__")
    and (inspect.isfunction(function) or inspect.isclass(function))
}
