"""Systems with the answer, found by hand: variables, conditions, whether the point is in the closure, the point."""

from __future__ import annotations

from typing import Any, NamedTuple


class Case(NamedTuple):
    name: str
    variables: str
    conditions: tuple[str, ...]
    touches: bool
    point: tuple[Any, ...] | None = None


def _case(name: str, variables: str, conditions: str, touches: bool, *point: Any) -> Case:
    return Case(name, variables, tuple(conditions.split("; ")), touches, point or None)


LINEAR = (
    _case("a wedge", "x y z", "x+y+z; x-y; y-z; -z", True),
    _case("a half plane and its negative", "x y", "x+2*y; -x-2*y", False),
    _case("three half planes round a point", "x y", "x; y; -x-y", False),
    _case("four coordinates in order and a sum", "a b c d", "a-b; b-c; c-d; d; d-a-b", False),
    _case("five coordinates", "a b c d e", "a; b; c; d; e-a-b-c-d; a+b-e", False),
    _case("five coordinates, room left", "a b c d e", "a; b; c; d; e-a-b-c-d; 3*a-e", True),
    _case("a thin wedge", "x y", "1000000*y-x; x-999999*y", True),
    _case("a wedge that is none", "x y", "999999*y-x; x-1000000*y; y", False),
)

CUSPS = (
    _case("cusp", "x y", "x^3-y^2", True),
    _case("between the cusp and a parabola", "x y", "x^3-y^2; y-x^2", True),
    _case("higher cusp", "x y", "x^5-y^2; y-x^3", True),
    _case("higher cusp against a parabola", "x y", "x^5-y^2; y-x^2", False),
    _case("cusp to the left", "x y", "x^3-y^2; x^2-y; -x", False),
    _case("between two cusps", "x y", "x^7-y^3; y^2-x^5; x; y", True),
    _case("between two cusps, the other way", "x y", "y^3-x^7; x^5-y^2; x; y", False),
    _case("a cusp within a cusp", "x y", "x^3-y^2; y^2-x^3+x^4", True),
    _case("cusp in three variables", "x y z", "x^3-(x-y)^2-z^2", True),
    _case("cusp in three variables, side", "x y z", "x^3-(x-y)^2-z^2; y-x-z", True),
    _case("cusp in three variables, back", "x y z", "x^3-(x-y)^2-z^2; -y", False),
    _case("ramified horn", "x y", "y^3-x^2; x^2+x^3-y^3; x", True),
    _case("ramified horn, back", "x y", "y^3-x^2; x^2+x^3-y^3; -x", False),
    _case("no ramified horn", "x y", "y^3-x^2; x^2-x^3-y^3; x", False),
)

HORNS = (
    _case("horn of order 4", "x y", "y-x^2; x^2+x^4-y", True),
    _case("no horn of order 4", "x y", "y-x^2; x^2-x^4-y", False),
    _case("horn of order 3 on one side", "x y", "y-x^2; x^2+x^3-y", True),
    _case("horn of order 3, other side", "x y", "y-x^2; x^2+x^3-y; -x", False),
    _case("horn of order 6", "x y", "y-x^2-x^3; x^2+x^3+x^6-y", True),
    _case("no horn of order 6", "x y", "y-x^2-x^3; x^2+x^3-x^6-y", False),
    _case("horn in three variables", "x y z", "z-x^2-y^2; 2*x*y-z+x^4", True),
    _case("no horn in three variables", "x y z", "z-x^2-y^2; 2*x*y-z-x^4", False),
    _case("horn along a cone", "x y z", "z^2-x^2-y^2; x-z+x^2; z", True),
    _case("outside a cone", "x y z", "z^2-x^2-y^2; x-z; z", False),
    _case("horn along lines of slope sqrt(2)", "x y", "y^2-2*x^2; 2*x^2+x^3-y^2", True),
    _case("no horn along lines of slope sqrt(2)", "x y", "y^2-2*x^2; 2*x^2-x^4-y^2", False),
    _case("horn along a line of slope 2^(1/3)", "x y", "y^3-2*x^3; 2*x^3+x^4-y^3", True),
    _case("horn along a line of cubic slope", "x y", "y^3-y*x^2-x^3; x^3+x^4-y^3+y*x^2", True),
    _case("four parabolas", "x y z w", "x; y; z; w; x^2-y-z-w", True),
    _case("rearrangement", "x y z w", "x*y-z*w; z-x; w-y; x; y", False),
)

SURFACES = (
    _case("Whitney, inside at the pinch point", "x y z", "y^2*z-x^2", True),
    _case("Whitney, inside at the handle", "x y z", "y^2*z-x^2", False, 0, 0, -1),
    _case("Whitney, outside at the handle", "x y z", "x^2-y^2*z", True, 0, 0, -1),
    _case("Whitney, inside at a sheet", "x y z", "y^2*z-x^2; x*y", True, 0, 0, 1),
    _case("Whitney, half", "x y z", "y^2*z-x^2; x-y", True),
    _case("Whitney, a sector that is missed", "x y z", "y^2*z-x^2; x-y; y", False),
    _case("AM-GM, two", "x y", "x*y-1; 2-x-y", False, 1, 1),
    _case("AM-GM, the side that is met", "x y", "1-x*y; 2-x-y", True, 1, 1),
    _case("AM-GM, three", "x y z", "x*y*z-1; 3-x-y-z", False, 1, 1, 1),
    _case("AM-GM, weighted", "x y", "x^2*y-1; 3-2*x-y", False, 1, 1),
    _case("Motzkin", "x y", "3*x^2*y^2-x^4*y^2-x^2*y^4-1", False, 1, 1),
    _case("Motzkin, homogeneous", "x y z", "3*x^2*y^2*z^2-x^4*y^2-x^2*y^4-z^6", False),
    _case("Motzkin, the side that is met", "x y z", "z^6+x^4*y^2+x^2*y^4-3*x^2*y^2*z^2", True),
    _case("circles that touch from outside", "x y", "2*y-x^2-y^2; -2*y-x^2-y^2", False),
    _case("crescent", "x y", "4*y-x^2-y^2; x^2+y^2-2*y", True),
    _case("half a crescent", "x y", "4*y-x^2-y^2; x^2+y^2-2*y; x", True),
    _case("in the small circle, out of the large", "x y", "2*y-x^2-y^2; x^2+y^2-4*y", False),
    _case("a circle and itself", "x y", "2*y-x^2-y^2; x^2+y^2-2*y", False),
    _case("circle beyond its tangent", "x y", "3-x^2-y^2; sqrt(2)*x+y-3", False, "sqrt(2)", 1),
    _case("between circle and tangent", "x y", "x^2+y^2-3; 3-sqrt(2)*x-y", True, "sqrt(2)", 1),
    _case("spheres that touch", "x y z", "2*z-x^2-y^2-z^2; x^2+y^2+z^2-3*z", False),
    _case("between spheres", "x y z", "3*z-x^2-y^2-z^2; x^2+y^2+z^2-2*z; x-y", True),
)

SEEMINGLY_OPEN = (
    _case("minus a square", "x y", "2*x*y-x^2-y^2", False),
    _case("minus the square of a cusp", "x y", "-(x^2-y^3)^2", False),
    _case("a square", "x y", "x^4+y^4-2*x^2*y^2", True),
    _case("minus the square of two lines", "x y", "2*x^2*y^2-x^4-y^4", False),
    _case("a horn times squares", "x y", "x^2*(y-x^2); x^2*(x^2+x^4-y)", True),
    _case("a square times opposite sides", "x y", "x^2*y; -y*(1+x)", False),
    _case("isolated point", "x y", "x^2*(x-1)-y^2", False),
    _case("isolated point with a unit", "x y", "-(x^2+y^2)*(1+x)", False),
    _case("products of signs", "x y", "x*y; -x; y", False),
    _case("products of signs that fit", "x y z", "x*y; y*z; -x", True),
    _case("odd products", "x y z", "x*y*z; -x*y; -z; x", True),
    _case("odd products that do not fit", "x y z", "x*y*z; -x*y; z", False),
    _case("a line on which all vanishes", "x y", "(x-y)^3*(1+x+y); x-y-x^2-y^2", True),
    _case("monomials of high degree", "x y", "x^9*y^3-x^2*y^14; x*y", True),
    _case("one variable, two sides", "x", "x^3-x^5; -x^7", False),
    _case("one variable", "x", "x^3-x^5; x^2-x", False),
    _case("one variable, a side", "x", "x^4-x^3; x^2-x", True),
)

IRRATIONAL = (
    _case("slope sqrt(2)", "x y", "y-sqrt(2)*x; sqrt(2)*x+x^2-y", True),
    _case("below sqrt(2)", "x y", "y-sqrt(2)*x^2; 1414213562/1000000000*x^2-y", False),
    _case("above sqrt(2)", "x y", "y-sqrt(2)*x^2; 1414213563/1000000000*x^2-y", True),
    _case("sums of roots", "x y", "y-(sqrt(2)+sqrt(3))*x; sqrt(5+2*sqrt(6))*x-y", False),
    _case("between pi and 355/113", "x y", "y-pi*x; 355/113*x-y; x", True),
    _case("between pi and 333/106", "x y", "y-pi*x; 333/106*x-y; x", False),
    _case("pi against itself", "x y", "y-pi*x; pi*x-y", False),
    _case("horn of slope pi", "x y", "y-pi*x^2; pi*x^2+x^4-y", True),
    _case("no horn of slope pi", "x y", "y-pi*x^2; pi*x^2-x^4-y", False),
    _case("e and pi", "x y", "y-pi*x; exp(1)*x-y; x", False),
    _case("a line of slope sqrt(2), squared", "x y", "2*sqrt(2)*x*y-2*x^2-y^2", False),
)

EQUATIONS = (
    _case("axes", "x y", "x*y=0; x+y", True),
    _case("axes against themselves", "x y", "x*y=0; x*y+x+y; -x-y", False),
    _case("a point", "x y", "x^2+y^2=0; x", False),
    _case("only a point", "x y", "x^2+y^2=0", True),
    _case("on a cusp", "x y", "x^2-y^3=0; x", True),
    _case("behind a cusp", "x y", "x^2-y^3=0; -y", False),
    _case("two lines", "x y", "x^2-y^2=0; x-y", True),
    _case("two lines, off both", "x y", "x^2-y^2=0; x-y; x+y", False),
    _case("parabola", "x y", "y-x^2=0; y-x^3", True),
    _case("parabola from below", "x y", "y-x^2=0; -y", False),
    _case("circle", "x y", "x^2+y^2-2*y=0; x", True),
    _case("circle outside a parabola", "x y", "x^2+y^2-2*y=0; x^2-2*y", False),
    _case("sphere", "x y z", "x^2+y^2+z^2-2*z=0; x+y+z", True),
    _case("sphere from below", "x y z", "x^2+y^2+z^2-2*z=0; -z", False),
    _case("two spheres", "x y z", "x^2+y^2+z^2-2*z=0; x^2+y^2+z^2-2*z+x-y^2=0; x", True),
    _case("two spheres, wrong side", "x y z", "x^2+y^2+z^2-2*z=0; x^2+y^2+z^2-2*z+x-y^2=0; -x", False),
    _case("the handle", "x y z", "x^2-y^2*z=0; -z", True),
    _case("the handle has no width", "x y z", "x^2-y^2*z=0; -z; y", False),
    _case("a sheet", "x y z", "x^2-y^2*z=0; x; y; z-y", True),
    _case("node", "x y", "y^2-x^2-x^3=0; x; y-x", True),
    _case("weak conditions", "x y", "x>=0; -x>=0; y", True),
    _case("weak conditions that fix a line", "x y", "x>=0; -x>=0; x+y; x-y", False),
    _case("weak parabola", "x y", "x^2-y>=0; y-x^2>=0; x", True),
    _case("weak square", "x y", "-(x-y)^2>=0; x", True),
    _case("weak square, off it", "x y", "-(x-y)^2>=0; x-y", False),
    _case("tangent line", "x y", "y=0; x^2-y", True),
    _case("three equations", "x y z", "x-y=0; y-z=0; x^2-y*z+x^3", True),
)

TRANSCENDENTAL = (
    _case("exp in a horn", "x y", "y-exp(x)+1; x+x^2-y", True),
    _case("exp out of a horn", "x y", "y-exp(x)+1; x+x^2/3-y", False),
    _case("sin from below", "x y", "sin(x)-y; y-x; x", False),
    _case("sin from above", "x y", "sin(x)-y; y-x", True),
    _case("log over its parabola", "x y", "log(1+x)-y; y-x+x^2/2; x", True),
    _case("log under its parabola", "x y", "log(1+x)-y; y-x+x^2/2; -x", False),
    _case("exp twice", "x y", "y-exp(x)+1; x-exp(y)+1", False),
    _case("exp twice, met", "x y", "exp(x)-1-y; exp(y)-1-x", True),
    _case("on the sine", "x y", "y-sin(x)=0; x-y", True),
    _case("on the sine, other side", "x y", "y-sin(x)=0; x-y; -x", False),
)

CASES = (
    *LINEAR,
    *CUSPS,
    *HORNS,
    *SURFACES,
    *SEEMINGLY_OPEN,
    *IRRATIONAL,
    *EQUATIONS,
    *TRANSCENDENTAL,
)
