"""The function `lexicographic` of a generated module: which of its three tiers answers.

found, tied = _lexicographic_point(x)      the gradient, and whether something is tied
found, tied = _along_point(x)              ties by the derivative along d (transforms/resolved.py)
_gradient_on_arcs(...)                     what is left: series (arc_functions.py)
"""

from __future__ import annotations

from cfcompiler.targets.numpy_module.interface import Interface


def lexicographic_lines(interface: Interface, described: str, read: str) -> list[str]:
    """Its text, for a program with one number as its result. `read`: the line that reads the arguments."""
    params = ", ".join(name for name, _ in interface.inputs)
    lines = [
        f"def lexicographic({params}):",
        f'    """A limit of gradients of {described} at points near by, whatever the tie rules.',
        "",
        "    The gradient where nothing is tied; where something is, what the gradient tends to on the way into the point",
        "    from x + t1 d + t2 e2 + ...: t1 > 0 infinitely small, each next t against all powers of the one before,",
        "    d = (1, 2**-10, 2**-20, ...), 40 entries, then these times 1/2, 1/3, ... A comparison of equal sides goes by",
        "    its derivative along d, else by the first term that is not 0 in its series. Polynomials are decided without",
        "    rounding, by error bounds or in fractions, floats read as they are written (0.1 is 1/10); other functions by",
        "    coefficients in float64, of which one that should be 0 may not be. What float64 calls different, is.",
        "    Raises ArithmeticError where the gradient grows without bound, or too many terms cancel to see its limit.",
        '    """',
    ]
    single = len(interface.moving) == 1
    if not interface.lexicographic:
        parts = "(found,)" if single else "found"
        return [
            *lines,
            f"    found = grad({params})",
            f"    if not all(np.isfinite(part).all() for part in {parts}):",
            '        raise ArithmeticError("the gradient is not finite here")',
            "    return found",
        ]
    moving = tuple(place in interface.moving for place in range(len(interface.inputs)))
    end = f"{moving}, {not interface.on_tape}"
    along, rows = ("_along_point", "_along_rows") if interface.along else ("None", "None")
    on_arcs = "_slopes_point" if interface.on_tape else "_lexicographic_point"
    if not interface.points:
        on_arcs = "_arrays_on_arcs"
    lines += [*_fast(interface, params), read]
    if interface.points:
        lines += [
            "    if not lead:",
            "        point = [array.tolist() for array in arrays]",
            f"        return _lexicographic_at(_lexicographic_point, {along}, {on_arcs}, point, {end})",
        ]
    if interface.on_tape:
        lines += [
            "    slopes = _sweep_tape(_gradient_point, arrays)[1:]",
            "    signs = _sweep_tape(_signature_point, arrays)",
            "    tied = np.any([(sign == 0) | (sign == 2) for sign in signs], axis=0)",
            "    found = [*slopes, tied]",
        ]
    else:
        lines.append("    found = _sweep(_LEXICOGRAPHIC, arrays)")
    lines.append(f"    found = _lexicographic_rows(found, {rows}, {on_arcs}, arrays, lead, {end})")
    if not interface.points:
        lines.append("    found = _numbers_of(found, None)")
    return [*lines, f"    return {'found[0]' if single else 'tuple(found)'}", *_along_rows(interface)]


def _fast(interface: Interface, params: str) -> list[str]:
    """The way of plain floats."""
    if not interface.points or not params or any(shape for _, shape in interface.inputs):
        return []
    again = ["            if tied:", f"                found, tied = _along_point({params})"]
    finite = "math.isfinite(found)" if len(interface.moving) == 1 else "all(map(math.isfinite, found))"
    return [
        f"    if {' and '.join(f'type({name}) is float' for name, _ in interface.inputs)}:",
        "        try:",
        f"            found, tied = _lexicographic_point({params})",
        *again * interface.along,
        f"            if not tied and {finite}:",
        "                return found",
        "        except (ArithmeticError, ValueError):",
        "            pass  # not with plain floats: see below",
    ]


def _along_rows(interface: Interface) -> list[str]:
    """The function that resolves ties at many points, their number on the first axis."""
    if not interface.along:
        return []
    lines = ["", "", "def _along_rows(*rows):"]
    if not interface.points:
        return [*lines, "    return _sweep(_ALONG, rows)"]
    return [
        *lines,
        '    with np.errstate(all="ignore"):',
        "        found = _along_points(len(rows[0]), *(np.moveaxis(row, 0, -1) for row in rows))",
        "    return [np.moveaxis(np.atleast_1d(part), -1, 0) for part in found]",
    ]
