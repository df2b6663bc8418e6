"""Functions that a generated module carries to run its gradient on arcs (arcs.py), where something is tied.

Each is written as it stands in the module. The point moves to x + t1 d + t2 e2 + ... with t1 > 0 infinitely small and
each next t infinitely small against every power of the one before. So the program takes the branches of an open cell
that touches x, and what its backward program returns tends to a limiting gradient.
Source: Nesterov 2005; Khan & Barton 2015 (first order, with the directions M = [d, e2, ...]).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from cfcompiler.targets.numpy_module import arcs
from cfcompiler.targets.numpy_module.arcs import (
    _TERMS,
    _Arc,
    _arc,
    _at_number,
    _exactly,
    _exp_arc,
    _floor_arc,
    _head,
    _integrated,
    _log_arc,
    _over,
    _raised,
    _sign_arc,
    _solved,
    _Vanishing,
)
from cfcompiler.targets.numpy_module.point_functions import _at_point

_ARC: dict[str, Any] = {}  # the names of a module as arcs have them; the module fills it


def _turned(x: Any, sign: int) -> list[Any]:
    """(sin, cos), or (sinh, cosh) under the sign 1."""
    if not isinstance(x, _Arc):
        pair = (math.sin, math.cos) if sign < 0 else (math.sinh, math.cosh)
        return [_at_number(function, x) for function in pair]
    head = _head(x)
    starts = [head, head] if isinstance(head, _Arc) and head.why else _turned(head, sign)
    return _solved(x, starts, lambda y: [(1, y[1]), (sign, y[0])])


def _sin_arc(x: Any) -> Any:
    return _turned(x, -1)[0]


def _cos_arc(x: Any) -> Any:
    return _turned(x, -1)[1]


def _sinh_arc(x: Any) -> Any:
    return _turned(x, 1)[0]


def _cosh_arc(x: Any) -> Any:
    return _turned(x, 1)[1]


def _tan_arc(x: Any) -> Any:
    return _over(*_turned(x, -1))


def _tanh_arc(x: Any) -> Any:
    return _over(*_turned(x, 1))


def _expm1_arc(x: Any) -> Any:
    return _exp_arc(x) - 1


def _log1p_arc(x: Any) -> Any:
    return _log_arc(1 + x)


def _log2_arc(x: Any) -> Any:
    return _log_arc(x) / math.log(2.0)


def _log10_arc(x: Any) -> Any:
    return _log_arc(x) / math.log(10.0)


def _sqrt_arc(x: Any) -> Any:
    return _raised(x, Fraction(1, 2))


def _cbrt_arc(x: Any) -> Any:
    sign = _sign_arc(x)
    return sign * _raised(sign * x, Fraction(1, 3))


def _asin_arc(x: Any) -> Any:
    return _integrated(x, math.asin, lambda x: _raised(1 - x * x, Fraction(-1, 2)))


def _acos_arc(x: Any) -> Any:
    return _integrated(x, math.acos, lambda x: -_raised(1 - x * x, Fraction(-1, 2)))


def _atan_arc(x: Any) -> Any:
    return _integrated(x, math.atan, lambda x: 1 / (1 + x * x))


def _asinh_arc(x: Any) -> Any:
    return _integrated(x, math.asinh, lambda x: _raised(1 + x * x, Fraction(-1, 2)))


def _acosh_arc(x: Any) -> Any:
    return _integrated(x, math.acosh, lambda x: _raised(x * x - 1, Fraction(-1, 2)))


def _atanh_arc(x: Any) -> Any:
    return _integrated(x, math.atanh, lambda x: 1 / (1 - x * x))


def _erf_arc(x: Any) -> Any:
    return _integrated(x, math.erf, lambda x: 2 / math.sqrt(math.pi) * _exp_arc(-(x * x)))


def _erfc_arc(x: Any) -> Any:
    return 1 - _erf_arc(x)


def _atan2_arc(y: Any, x: Any) -> Any:
    """The angle of (x, y), from the half plane in which it lies; on the negative x axis by the side that y tends to."""
    if side := _sign_arc(x):
        slope = y / x
        if isinstance(slope, _Arc) and slope.terms and slope.low < 0:  # x is infinitely smaller than y
            return _sign_arc(y) * (math.pi / 2.0) - _atan_arc(x / y)
        turn = 0.0 if side > 0 else math.pi if _sign_arc(y) >= 0 else -math.pi
        return _atan_arc(slope) + turn
    return Fraction(0) if _sign_arc(y) == 0 else _sign_arc(y) * (math.pi / 2.0)


def _sigmoid_arc(x: Any) -> Any:
    return 1 / (1 + _exp_arc(-x))


def _softplus_arc(x: Any) -> Any:
    return _log_arc(1 + _exp_arc(-x)) + x


def _logaddexp_arc(x: Any, y: Any) -> Any:
    return x + _softplus_arc(y - x)


def _heaviside_arc(x: Any, y: Any) -> Any:
    return 1 if x > 0 else 0 if x < 0 else y


def _remainder_arc(x: Any, y: Any) -> Any:
    return x - y * _floor_arc(x / y)


def _ceil_arc(x: Any) -> Any:
    return -_floor_arc(-x)


def _trunc_arc(x: Any) -> Any:
    return _floor_arc(x) if x >= 0 else -_floor_arc(-x)


def _round_arc(x: Any) -> Any:
    down = _floor_arc(x)
    rest = x - down - Fraction(1, 2)
    return down + 1 if rest > 0 or (rest == 0 and down % 2) else down


def _fmod_arc(x: Any, y: Any) -> Any:
    return x - y * _trunc_arc(x / y)


def _limit(x: Any) -> float:
    """What an arc tends to."""
    if not isinstance(x, _Arc):
        return float(x)
    if x.why:
        raise ArithmeticError(f"the gradient has no limit here: {x.why}")
    if x.terms and x.low < 0:
        raise ArithmeticError("the gradient grows without bound on the way into this point")
    if not x.exact and x.low + len(x.terms) <= 0:
        raise ArithmeticError("the gradient is not known on the way into this point: too many terms cancel")
    return _limit(x.terms[0]) if x.terms and x.low == 0 else 0.0


def _limits(found: Any) -> Any:
    """Arcs, in tuples and arrays, to their limits."""
    if isinstance(found, tuple):
        return tuple(_limits(part) for part in found)
    if isinstance(found, np.ndarray):
        return np.array([_limit(x) for x in found.ravel().tolist()]).reshape(found.shape)
    return _limit(found)


def _moved_entry(run: Any, x: float, place: int, levels: int) -> Any:
    """Entry number `place` of the point on its way: x + t1 d, and + t of its own if that is in use."""
    if not math.isfinite(x):
        raise ValueError(f"there is no gradient at {x}")
    slope = Fraction(1, (1 + place // 40) * 2 ** (10 * (place % 40)))
    gap = [Fraction(0)] * (run["power"] - 1)
    arc = _arc(run, 1, 0, [_exactly(x), *gap, slope], True)
    return _arc(run, place + 1, 0, [arc, *gap, Fraction(1)], True) if 0 < place < levels else arc


def _constant(run: Any, x: float) -> Any:
    """A number that does not move, as an arc: what is computed with it does not raise."""
    return _arc(run, 0, 0, [_exactly(x)], True) if math.isfinite(x) else x


def _gradient_on_arcs(
    function: Callable[..., Any], point: Sequence[Any], moving: Sequence[bool], known: bool
) -> Any:
    """The limit of the gradient that `function` returns first, from x + t1 d + t2 e2 + ... into the point x.

    d = (1, 2**-10, 2**-20, ...), 40 entries, then the same times 1/2, 1/3, ... More directions than d are used where
    that leaves a comparison at 0. `known`: whether `function` is right about what is equal all around the point.
    """
    size = sum(np.size(part) for part, moves in zip(point, moving, strict=True) if moves)
    levels, tried = 1, 0
    while True:
        terms, power = _TERMS[tried]
        run = {"final": known and levels >= size, "known": {}, "terms": terms, "power": power}
        places = iter(range(size))

        def entry(x: Any, moves: bool, run: Any = run, places: Any = places, levels: int = levels) -> Any:
            if isinstance(x, list):
                return [entry(part, moves, run, places, levels) for part in x]
            return _moved_entry(run, x, next(places), levels) if moves else _constant(run, x)

        code = function.__code__
        code = code.replace(
            co_consts=tuple(_constant(run, c) if type(c) is float else c for c in code.co_consts)
        )
        inputs = [entry(part, moves) for part, moves in zip(point, moving, strict=True)]
        try:
            return _limits(FunctionType(code, _ARC)(*inputs)[0])
        except _Vanishing:
            if levels >= min(size, 64):
                raise ArithmeticError(f"a comparison is 0 along {levels} directions") from None
            levels = min(2 * levels, size)
        except RecursionError:
            raise ArithmeticError("there are too many directions to be told apart here") from None
        except ArithmeticError:
            if tried == len(_TERMS) - 1:
                raise
            tried += 1


def _lexicographic_at(
    function: Callable[..., Any],
    along: Any,
    on_arcs: Callable[..., Any],
    point: Sequence[Any],
    moving: Sequence[bool],
    known: bool,
) -> Any:
    """The slopes that `function` or, at a tie, `along` returns; where one is not finite, or a tie is left, a limit."""
    for one in (function, along):
        if one is None:
            break
        slopes, tied = _at_point(one, point)
        parts = slopes if isinstance(slopes, tuple) else (slopes,)
        if not all(np.isfinite(part).all() for part in parts):
            break
        if not tied:
            return slopes
    return _gradient_on_arcs(on_arcs, point, moving, known)


def _lexicographic_rows(
    found: Sequence[Any],
    along: Any,
    on_arcs: Callable[..., Any],
    arrays: Sequence[Any],
    lead: Any,
    moving: Sequence[bool],
    known: bool,
) -> list[Any]:
    """The slopes in `found`, those points set right where something is tied (its last array) or one is not finite."""
    *slopes, tied = found
    left = _left(slopes, np.broadcast_to(tied, lead))
    wide = [np.broadcast_to(array, (*lead, *shape)) for array, shape in zip(arrays, _SHAPES, strict=True)]
    if along is not None and left.any():
        places = left.copy()
        *parts, tied = along(*(array[places] for array in wide))
        for slope, part in zip(slopes, parts, strict=True):
            slope[places] = part
        shape = left[places].shape
        left[places] = _left([slope[places] for slope in slopes], np.broadcast_to(tied, shape))
    for place in map(tuple, np.argwhere(left).tolist()):
        try:
            fixed = _gradient_on_arcs(on_arcs, [array[place].tolist() for array in wide], moving, known)
        except ArithmeticError as problem:
            raise ArithmeticError(f"at point {place}: {problem}" if place else str(problem)) from None
        for slope, part in zip(slopes, fixed if isinstance(fixed, tuple) else (fixed,), strict=True):
            slope[place] = part
    return slopes


def _left(slopes: Sequence[Any], tied: Any) -> Any:
    """Where something is tied, or a slope is not finite."""
    left = np.array(tied != 0.0)
    for slope in slopes:
        left |= ~np.isfinite(slope).reshape((*left.shape, -1)).all(axis=-1)
    return left


def _arrays_on_arcs(*point: Any) -> Any:
    """The slopes at one point, by the function for many points on arrays of arcs."""
    if COST["backward"] > 300_000:
        raise ArithmeticError("something is tied, and the program is too large to decide how it goes on")
    inputs = [
        np.array(part, dtype=object).reshape((1, *shape)) for part, shape in zip(point, _SHAPES, strict=True)
    ]
    at_many = FunctionType(_LEXICOGRAPHIC[1].__code__, _ARC)
    return (tuple(slopes[0] for slopes in at_many(*inputs)[:-1]),)


def _numpy_on_arcs(functions: dict[str, Any]) -> Any:
    """NumPy's names, those of `functions` elementwise on arcs; fresh arrays can hold arcs."""
    own = {
        name: np.frompyfunc(
            function, 2 if name in ("arctan2", "fmod", "heaviside", "logaddexp", "remainder") else 1, 1
        )
        for name, function in functions.items()
    }
    own["zeros"] = lambda shape, dtype=object: np.zeros(shape, dtype)
    own["empty"] = lambda shape, dtype=object: np.empty(shape, dtype)
    own["isfinite"] = lambda x: np.ones(np.shape(x), dtype=bool)
    own["isnan"] = lambda x: np.zeros(np.shape(x), dtype=bool)
    return SimpleNamespace(**{**vars(np), **own})


def _order_of_arcs(x: Any, axis: int, descending: bool, last: bool) -> Any:
    """Places in sorted order; of equal entries the first place first (the last one under `last`)."""
    keys = -x if descending else x
    if last:
        return x.shape[axis] - 1 - _order_of_arcs(np.flip(keys, axis), axis, False, False)
    return keys.argsort(axis=axis, kind="stable")


COST = {"backward": 0}  # the module's
_LEXICOGRAPHIC: tuple[Any, ...] = ()  # the module's
_SHAPES: tuple[tuple[int, ...], ...] = ()  # of the inputs; the module sets it


# What plain floats call, and what arcs have for it.
NAMES = {
    **{name: f"_{name}_arc" for name in (
        "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp", "expm1",
        "fmod", "log", "log10", "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh",
    )},
    **{f"_{name}_point": f"_{name}_arc" for name in (
        "ceil", "floor", "logaddexp", "remainder", "round", "sigmoid", "softplus", "trunc",
    )},
    "pow": "_raised",
    "_divide_point": "_over",
    "_power_point": "_raised",
    "_heaviside_point": "_heaviside_arc",
}  # fmt: skip
NUMPY_NAMES = {
    **{name: f"_{name}_arc" for name in (
        "cbrt", "ceil", "cos", "cosh", "exp", "expm1", "floor", "fmod", "heaviside", "log", "log10", "log1p", "log2",
        "logaddexp", "remainder", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
    )},
    **{f"arc{name}": f"_a{name}_arc" for name in ("cos", "cosh", "sin", "sinh", "tan", "tan2", "tanh")},
    "rint": "_round_arc",
}  # fmt: skip
TABLE: dict[str, Any] = {
    name: function
    for name, function in {**vars(arcs), **globals()}.items()
    if name.startswith("_")
    and not name.startswith("__")
    and name != "_at_point"
    and (inspect.isfunction(function) or inspect.isclass(function))
}
