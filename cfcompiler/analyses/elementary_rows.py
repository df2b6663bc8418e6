"""Elementary primitives at entries that move with the inputs -> entries: each in terms of a few functions.

Outside of a domain, and at its ends, the values are those of operations.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from cfcompiler.feasibility.elementary import Elementary
from cfcompiler.feasibility.quotients import Entry, NotRational, Quotients
from cfcompiler.operations import OPERATIONS

if TYPE_CHECKING:
    from cfcompiler.feasibility.elementary import SignOf

_ZERO, _ONE, _TWO, _HALF = Fraction(0), Fraction(1), Fraction(2), Fraction(1, 2)


class Signed(Protocol):
    """The arithmetic, as far as it is needed here."""

    elementary: Elementary
    field: Quotients
    sign_of: SignOf

    def sign(self, entry: Entry) -> int: ...

    def divided(self, x: Entry, y: Entry) -> Entry: ...


def _exp(own: Signed, x: Entry) -> Entry:
    return own.elementary.exp(x)


def _expm1(own: Signed, x: Entry) -> Entry:
    return own.field.sub(_exp(own, x), _ONE)


def _log(own: Signed, x: Entry) -> Entry:
    code = own.sign(x)
    return own.elementary.log(x) if code > 0 else OPERATIONS["log"](Fraction(code))


def _log1p(own: Signed, x: Entry) -> Entry:
    return _log(own, own.field.add(x, _ONE))


def _log_of(base: int) -> Callable[[Signed, Entry], Entry]:
    def row(own: Signed, x: Entry) -> Entry:
        code = own.sign(x)
        if code <= 0:
            return OPERATIONS["log"](Fraction(code))
        return own.field.div(own.elementary.log(x), own.elementary.log(Fraction(base)))

    return row


def _sqrt(own: Signed, x: Entry) -> Entry:
    code = own.sign(x)
    return own.elementary.root(x, 2, own.sign_of) if code > 0 else OPERATIONS["sqrt"](Fraction(code))


def _cbrt(own: Signed, x: Entry) -> Entry:
    code = own.sign(x)
    if code == 0:
        return _ZERO
    if code > 0:
        return own.elementary.root(x, 3, own.sign_of)
    return own.field.neg(own.elementary.root(own.field.neg(x), 3, own.sign_of))


def _sin(own: Signed, x: Entry) -> Entry:
    return own.elementary.odd("sin", x)


def _cos(own: Signed, x: Entry) -> Entry:
    return own.elementary.cos(x)


def _tan(own: Signed, x: Entry) -> Entry:
    below = _cos(own, x)
    return "inf" if own.sign(below) == 0 else own.field.div(_sin(own, x), below)


def _asin(own: Signed, x: Entry) -> Entry:
    code = own.sign(own.field.sub(_ONE, own.field.mul(x, x)))
    if code < 0:
        return "nan"
    if code == 0:
        return OPERATIONS["asin"](Fraction(own.sign(x)))
    return own.elementary.odd("asin", x)


def _acos(own: Signed, x: Entry) -> Entry:
    value = _asin(own, x)
    return value if value == "nan" else own.field.sub(_half_pi(own), value)


def _half_pi(own: Signed) -> Entry:
    return own.field.mul(own.elementary.pi(), _HALF)


def _atan(own: Signed, x: Entry) -> Entry:
    return own.elementary.odd("atan", x)


def _sinh(own: Signed, x: Entry) -> Entry:
    up = _exp(own, x)
    return own.field.mul(own.field.sub(up, own.field.div(_ONE, up)), _HALF)


def _cosh(own: Signed, x: Entry) -> Entry:
    up = _exp(own, x)
    return own.field.mul(own.field.add(up, own.field.div(_ONE, up)), _HALF)


def _tanh(own: Signed, x: Entry) -> Entry:
    up = _exp(own, own.field.mul(x, _TWO))
    return own.field.div(own.field.sub(up, _ONE), own.field.add(up, _ONE))


def _asinh(own: Signed, x: Entry) -> Entry:
    square = own.field.add(own.field.mul(x, x), _ONE)
    return own.elementary.log(own.field.add(x, own.elementary.root(square, 2, own.sign_of)))


def _acosh(own: Signed, x: Entry) -> Entry:
    code = own.sign(own.field.sub(x, _ONE))
    if code <= 0:
        return "nan" if code else _ZERO
    square = own.field.sub(own.field.mul(x, x), _ONE)
    return own.elementary.log(own.field.add(x, own.elementary.root(square, 2, own.sign_of)))


def _atanh(own: Signed, x: Entry) -> Entry:
    code = own.sign(own.field.sub(_ONE, own.field.mul(x, x)))
    if code < 0:
        return "nan"
    if code == 0:
        return OPERATIONS["atanh"](Fraction(own.sign(x)))
    quotient = own.field.div(own.field.add(_ONE, x), own.field.sub(_ONE, x))
    return own.field.mul(own.elementary.log(quotient), _HALF)


def _sigmoid(own: Signed, x: Entry) -> Entry:
    up = _exp(own, x)
    return own.field.div(up, own.field.add(_ONE, up))


def _softplus(own: Signed, x: Entry) -> Entry:
    return own.elementary.log(own.field.add(_ONE, _exp(own, x)))


def _erf(own: Signed, x: Entry) -> Entry:
    return own.elementary.odd("erf", x)


def _erfc(own: Signed, x: Entry) -> Entry:
    return own.field.sub(_ONE, _erf(own, x))


def _logaddexp(own: Signed, x: Entry, y: Entry) -> Entry:
    return own.elementary.log(own.field.add(_exp(own, x), _exp(own, y)))


def _atan2(own: Signed, y: Entry, x: Entry) -> Entry:
    """By half the angle, which is smooth across the axis x = 0: tan(angle/2) = y/(r + x)."""
    side, height = own.sign(x), own.sign(y)
    if side == 0 and height == 0:
        return _ZERO
    field = own.field
    radius = own.elementary.root(field.add(field.mul(x, x), field.mul(y, y)), 2, own.sign_of)
    size = x if side >= 0 else field.neg(x)
    angle = field.mul(own.elementary.odd("atan", field.div(y, field.add(radius, size))), _TWO)
    if side >= 0:
        return angle
    return field.sub(field.mul(own.elementary.pi(), _ONE if height >= 0 else -_ONE), angle)


ELEMENTARY_ROWS: dict[str, Callable[..., Entry]] = {
    "exp": _exp,
    "expm1": _expm1,
    "log": _log,
    "log1p": _log1p,
    "log2": _log_of(2),
    "log10": _log_of(10),
    "sqrt": _sqrt,
    "cbrt": _cbrt,
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "asin": _asin,
    "acos": _acos,
    "atan": _atan,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "asinh": _asinh,
    "acosh": _acosh,
    "atanh": _atanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": _erf,
    "erfc": _erfc,
    "logaddexp": _logaddexp,
    "atan2": _atan2,
}
# Whose values need room for atoms; powers may, by their exponents.
WITH_ATOMS = frozenset((*ELEMENTARY_ROWS, "pow", "rpow", "logsumexp", "norm2"))


def reduced(own: Signed, op: str, row: Sequence[Entry]) -> Entry:
    """A reduction of one row of finite entries. Raises NotRational for one that is not known."""
    total: Entry = _ZERO
    if op == "logsumexp":
        for entry in row:
            total = own.field.add(total, _exp(own, entry))
        return own.elementary.log(total)
    if op == "norm2":
        for entry in row:
            total = own.field.add(total, own.field.mul(entry, entry))
        return _sqrt(own, total)
    raise NotRational(f"{op} of values that move with the inputs")
