"""A region -> its exact point: is it one point alone, and what are the coordinates of a witness?

Coordinates that the solver gives as roots of polynomials become closed forms where the polynomial is quadratic, or
quadratic in a power; others are written as `CRootOf(polynomial, index)`, which is exact and which SymPy reads.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from cfcompiler.algebraic import real_root
from cfcompiler.feasibility.conditions import Constraint
from cfcompiler.feasibility.region import Open, Region, Split
from cfcompiler.feasibility.regions import Regions
from cfcompiler.feasibility.solver import AnyOf, Formula, Model, Root, Unknown, Value
from cfcompiler.number_text import parse_number, to_text
from cfcompiler.numbers import Finite, to_float
from cfcompiler.polynomials import Polynomial, constant, variable

MOST_POINTS = 4
_STEP = Fraction(1, 2**40)


def alone(regions: Regions, region: Region) -> Split | None:
    """None where a region of dimension 0 is one point; else a division between two of its points. Raises Open."""
    if not region.rest:
        return None
    first = _model(regions, region)
    other = regions.model(region, (AnyOf(tuple(_elsewhere(regions, first))),))
    if other is None:
        return None
    if not isinstance(other, Model):
        raise Open(
            other.reason if isinstance(other, Unknown) else "whether this is one point was not decided"
        )
    for place, (x, y) in enumerate(zip(first.values, other.values, strict=True)):
        low, high = sorted((_near(x), _near(y)))
        if high - low > 4 * _STEP:
            middle = _simplest(low + (high - low) / 4, high - (high - low) / 4)
            line = regions.functions.generators[place] - regions.functions.one * _flint(middle)
            return Split((regions.functions.named(line)[1],), by_sign=True)
    raise Open("whether this is one point was not decided")


def finitely_many(regions: Regions, region: Region) -> list[Model]:
    """All points of the region, where there are at most MOST_POINTS; else none. Raises Open."""
    found = [_model(regions, region)]
    while len(found) <= MOST_POINTS:
        away = [AnyOf(tuple(_elsewhere(regions, known))) for known in found]
        other = regions.model(region, away)
        if other is None:
            return found
        if not isinstance(other, Model):
            raise Open(other.reason if isinstance(other, Unknown) else "the points were not told apart")
        found.append(other)
    return []


def exact_point(region: Region) -> tuple[Finite, ...] | None:
    """A point of the region in exact numbers, a simple one; None where one of them is out of reach."""
    if region.points:
        return min(region.points, key=_size)
    if region.model is None:
        return None
    found = [number_of(value) for value in region.model.values]
    return (
        None
        if any(value is None for value in found)
        else tuple(value for value in found if value is not None)
    )


def point_texts(region: Region) -> tuple[str, ...] | None:
    """A point of the region, in radicals where that is possible, else as roots that SymPy reads; None for no point."""
    exact = exact_point(region)
    if exact is not None:
        return tuple(to_text(entry) for entry in exact)
    if region.model is None:
        return None
    return tuple(_text(value) for value in region.model.values)


def _text(value: Value) -> str:
    closed = number_of(value)
    if closed is not None:
        return to_text(closed)
    assert isinstance(value, Root)
    terms = []
    for k, c in reversed(list(enumerate(value.coefficients))):
        power = "" if k == 0 else "x" if k == 1 else f"x**{k}"
        factor = power if abs(c) == 1 and k else f"{abs(c)}*{power}" if k else str(abs(c))
        terms += [f"{'-' if c < 0 else '+'} {factor}"] if c else []
    text = " ".join(terms).removeprefix("+ ")
    return f"CRootOf({text.replace('- ', '-', 1) if text.startswith('- ') else text}, {value.index - 1})"


def _model(regions: Regions, region: Region) -> Model:
    for point in region.points:
        known = tuple(x for x in point if isinstance(x, Fraction))
        if len(known) == len(point):
            return Model(known)
    if region.model is not None:
        return region.model
    raise Open("no rational or algebraic point is known")


def _elsewhere(regions: Regions, model: Model) -> list[Formula]:
    """At least one coordinate is another one."""
    n = regions.functions.variables
    found: list[Formula] = []
    for place, value in enumerate(model.values):
        x = variable(n, place)
        if isinstance(value, Fraction):
            found.append(Constraint(x - constant(n, value), "!="))
            continue
        if not _isolated(value):
            raise Open("two roots of a polynomial are too near to each other")
        terms = {
            tuple(k if other == place else 0 for other in range(n)): Fraction(c)
            for k, c in enumerate(value.coefficients)
            if c
        }
        found.append(Constraint(Polynomial(n, terms), "!="))
        found.append(Constraint(constant(n, value.near - _STEP) - x, ">"))
        found.append(Constraint(x - constant(n, value.near + _STEP), ">"))
    return found


def _isolated(value: Root) -> bool:
    """Whether the polynomial has one root alone near the number, so that the root is told by an interval."""
    import flint

    found: Any = flint.fmpz_poly(list(value.coefficients)).complex_roots()
    roots = [root for root, _ in found]
    own = flint.arb(_flint(value.near))
    near = [r for r in roots if not abs(r.real - own) > flint.arb(_flint(2 * _STEP)) and r.imag.is_zero()]
    return len(near) == 1


def _near(value: Value) -> Fraction:
    return value.near if isinstance(value, Root) else value


def number_of(value: Value) -> Finite | None:
    """The exact number, in radicals where it has a short form; None where it is out of reach."""
    if isinstance(value, Fraction):
        return value
    closed = _in_radicals(value)
    if closed is not None:
        return closed
    try:
        found = real_root(value.coefficients, value.index - 1)
    except ValueError:
        return None
    return found if _is_near(found, value.near) else None


def _in_radicals(value: Root) -> Finite | None:
    powers = [k for k, c in enumerate(value.coefficients) if c]
    step = min((k for k in powers if k), default=0)
    top = powers[-1]
    if step == 0 or powers[0] != 0 or any(k % step for k in powers) or top // step > 2:
        return None
    c, b, a = (value.coefficients[k * step] if k * step <= top else 0 for k in range(3))
    if top == step:
        squares = [f"({-c})/({b})"]
    else:
        squares = [f"(({-b}) {side} sqrt({b * b - 4 * a * c}))/({2 * a})" for side in "+-"]
    for square in squares:
        for sign in ("", "-"):
            for text in [square] if step == 1 else [f"{sign}({square})**(1/{step})"]:
                number = _parsed(text)
                if number is not None and _is_near(number, value.near):
                    return number
    return None


def _parsed(text: str) -> Finite | None:
    from cfcompiler.numbers import TooLarge, Undecided, is_special

    try:
        number = parse_number(text)
    except (ValueError, TooLarge, Undecided):
        return None
    return None if is_special(number) else number


def _is_near(number: Finite, near: Fraction) -> bool:
    from cfcompiler import numbers

    low, high = numbers.compare(number, near - _STEP), numbers.compare(number, near + _STEP)
    return low == 1 and high == -1


def _size(point: tuple[Finite, ...]) -> tuple[int, int, int, tuple[float, ...]]:
    """Rational numbers first, small whole numbers among them, few signs."""
    exact = [x for x in point if isinstance(x, Fraction)]
    bits = sum(x.denominator.bit_length() * 3 + abs(x.numerator).bit_length() for x in exact)
    floats = tuple(to_float(x) for x in point)
    return len(point) - len(exact), bits, sum(1 for x in floats if x < 0), tuple(map(abs, floats))


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """A number of few digits between two."""
    scale = 1
    while True:
        middle = Fraction(round((low + high) / 2 * scale), scale)
        if low <= middle <= high:
            return middle
        scale *= 2


def _flint(x: Fraction) -> Any:
    import flint

    return flint.fmpq(x.numerator, x.denominator)
