"""Stages to the text of a module, from its first line to its last."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from cfcompiler import ieee
from cfcompiler.ir import Program
from cfcompiler.targets.numpy_module import (
    arc_functions,
    arcs,
    array_functions,
    drivers,
    input_functions,
    metadata,
    mode_functions,
    point_functions,
    public,
)
from cfcompiler.targets.numpy_module.arrays import array_code
from cfcompiler.targets.numpy_module.batch import block_code
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.targets.numpy_module.guards import branching_of, guards_of
from cfcompiler.targets.numpy_module.interface import Interface, calls, interface_of, table_lines
from cfcompiler.targets.numpy_module.plain_points import points_code
from cfcompiler.targets.numpy_module.scalar import function_text
from cfcompiler.targets.numpy_module.stages import Stages
from cfcompiler.targets.numpy_module.tape_text import tape_text
from cfcompiler.targets.numpy_module.texts import needed_texts
from cfcompiler.transforms.lexicographic import differs

ORDER = ("value", "gradient", "lexicographic", "along", "jvp", "vjp", "hvp", "signature")
MANY = (*ORDER, "checks")
# Functions of plain floats and what NumPy has for each.
_ON_NUMPY = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atan2": "arctan2",
    "atanh": "arctanh", "cbrt": "cbrt", "copysign": "copysign", "cos": "cos", "cosh": "cosh", "exp": "exp",
    "expm1": "expm1", "fmod": "fmod", "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2", "pow": "float_power",
    "sin": "sin", "sinh": "sinh", "sqrt": "sqrt", "tan": "tan", "tanh": "tanh",
    "_divide_point": "divide", "_power_point": "power", "_remainder_point": "remainder",
}  # fmt: skip
_SAFE = ("erf", "erfc")  # never raise


def module_text(program: Program, stages: Stages, *, checks: bool, command: str) -> str:
    guards = guards_of(stages.value)
    on_tape = stages.tier == "tape"
    interface = interface_of(
        program,
        points=stages.tier != "array",
        on_tape=on_tape,
        order=stages.order,
        guarded=bool(guards),
        checks=tuple(f"line {one.span.line}: {one.message}".rstrip(": ") for one in stages.value.assertions),
        lexicographic="lexicographic" in stages.programs or (on_tape and differs(stages.value)),
        along="along" in stages.programs,
    )
    users = public.public_lines(interface)
    names: list[str] = []
    settings: list[str] = []
    last: list[str] = []
    if on_tape:
        tape = tape_text(stages.value, stages.programs.get("gradient"), guards, interface)
        point, many, names, costs = list(tape.point), list(tape.many), list(tape.names), dict(tape.costs)
        runtime, last = list(tape.runtime), list(tape.last)
        again = {"_step": "_numpy_step", "_LEVELS": "False"}
    else:
        point = _point_lines(stages, interface) if stages.tier == "scalar" else []
        many, runtime, settings = _many_lines(stages)
        costs = {name: metadata.cost_of(stages.programs[stage]) for name, stage in _costed(stages)}
        again = {}
    near = needed_texts([*point, *users], point_functions.TABLE)
    arc_texts = _arc_texts([*point, *users, *near], [*many, *runtime])
    helpers = needed_texts([*point, *users, *arc_texts], point_functions.TABLE)
    head = [
        metadata.first_line(program),
        *metadata.docstring(program, calls(interface), checks=checks, command=command, on_tape=on_tape),
        "",
    ]
    arrays = stages.tier == "array"
    called, own = ([*many, *runtime], runtime) if arrays else ([*point, *helpers], helpers)
    arc_lines = _arc_lines(called, own, names, arrays=arrays, on_tape=on_tape) if arc_texts else []
    reading = needed_texts(users, {**input_functions.TABLE, **mode_functions.TABLE})
    body = [
        *metadata.metadata_lines(program, guards, costs, shaped_guards=stages.tier == "array"),
        *_section("one point, on plain floats", point) * bool(point),
        *_section("what a user calls", [*table_lines(interface), "", "", *users]),
        *_section("many points", many),
        *_section("how it runs: the same in every module", _joined([*runtime, *reading, *helpers])),
        *_section("infinitely small numbers, where something is tied", _joined(arc_texts)) * bool(arc_texts),
        *_ieee_lines(helpers, names, again) * bool(point),
        *arc_lines,
        *last,
    ]
    while body[-1] == "":
        body.pop()
    imports = _imports(
        [*point, *"\n".join(helpers).split("\n")], [*settings, *body], fractions=bool(arc_texts)
    )
    return "\n".join([*head, *imports, "", *settings, *body]) + "\n"


def _costed(stages: Stages) -> list[tuple[str, str]]:
    backward = "gradient" if "gradient" in stages.programs else "vjp"
    return [("value", "value"), ("forward", "jvp"), ("backward", backward)]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", "", f"# {title}", "", "", *lines]


def _joined(texts: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for text in texts:
        lines.extend([*text.split("\n"), "", ""])
    return lines


def _point_lines(stages: Stages, interface: Interface) -> list[str]:
    lines: list[str] = []
    for name in ORDER:
        if name in stages.programs:
            results = _listed if name == "signature" else partial(public.point_results, interface, name)
            lines.extend([*function_text(stages.programs[name], f"_{name}_point", results), "", ""])
    assert stages.field is not None
    branching = branching_of(stages.field, len(stages.value.results))
    text = function_text(stages.field, "_choices_point", _listed, choosing=True, branching=branching)
    return [*lines, *text]


def _arc_names(lines: Sequence[str]) -> dict[str, str]:
    """Names of functions of numbers that `lines` call, with what arcs have for each."""
    code = [line for text in lines for line in text.split("\n") if '"""' not in line]
    called = set(re.findall(r"(?<![\w.])\w+(?=\()", "\n".join(code)))
    return {name: arc for name, arc in arc_functions.NAMES.items() if name in called}


def _arc_numpy(lines: Sequence[str]) -> dict[str, str]:
    """The same for functions of NumPy."""
    called = set(re.findall(r"(?<=\bnp\.)\w+", "\n".join(lines)))
    return {name: arc for name, arc in arc_functions.NUMPY_NAMES.items() if name in called}


def _has_powers(lines: Sequence[str]) -> bool:
    return any(re.search(r"^ *(\w+ = |return |if |elif )[^#]*\*\*-?\d", line) is not None for line in lines)


def _arc_texts(lines: Sequence[str], many: Sequence[str]) -> list[str]:
    """What the gradient of the program needs to be run on infinitely small numbers."""
    if "_lexicographic_" not in "\n".join(lines):
        return []
    own = [*_arc_names(lines).values(), "_remembered"]
    arrays = "_arrays_on_arcs" in "\n".join(lines)
    if _has_powers(many if arrays else lines):
        own.append("_raised")
    if arrays:
        own += [*_arc_numpy(many).values(), "_numpy_on_arcs", "_order_of_arcs"]
    return needed_texts([*lines, *own], arc_functions.TABLE)


def _arc_lines(
    lines: Sequence[str], functions: Sequence[str], more: Sequence[str], *, arrays: bool, on_tape: bool
) -> list[str]:
    """The names of the module as they are on arcs."""
    names = _arc_names(lines)
    own = [match[1] for text in functions if (match := re.match(r"def (\w+)", text))]
    rows = [f'    "{name}": _remembered({arc}),' for name, arc in names.items()]
    rows += ['    "_LEVELS": False,'] * on_tape
    power = ["_Arc.__pow__ = lambda x, n: _once(_raised, x, n)"] * _has_powers(lines)
    if arrays:
        pairs = ", ".join(f'"{name}": _remembered({arc})' for name, arc in _arc_numpy(lines).items())
        rows += [f'    "np": _numpy_on_arcs({{{pairs}}}),', '    "_order": _order_of_arcs,']
    return [
        "",
        "# Known terms of a series that is not a polynomial, and which power of t the point moves by.",
        f"_TERMS = {arcs._TERMS}",
        f"_LONGEST = {arcs._LONGEST}  # terms of a polynomial; what is longer is cut there",
        "_READ = {float(n): Fraction(n) for n in (-1, 0, 1, 2)} | {0.5: Fraction(1, 2)}",
        *power,
        "# The names above as they are on arcs.",
        "_ARC = {",
        "    **globals(),",
        *rows,
        "}",
        '_ARC["_ARC"] = _ARC',
        *_again_lines("_ARC", [name for name in (*own, *more) if name not in names and name != "_order"]),
    ]


def _listed(texts: Sequence[str]) -> str:
    return f"[{', '.join(texts)}]"


def _ieee_lines(helpers: Sequence[str], more: Sequence[str], other: Mapping[str, str]) -> list[str]:
    """The names of the module as they are on NumPy's float64."""
    own = [match[1] for text in helpers if (match := re.match(r"def (\w+)", text))]
    rows = [
        f'    "{name}": np.{numpy},'
        for name, numpy in _ON_NUMPY.items()
        if not name.startswith("_") or name in own
    ]
    rows += [f'    "{name}": {instead},' for name, instead in other.items()]
    again = [name for name in (*own, *more) if name not in _ON_NUMPY and name not in other]
    return [
        "# The names above as they are on NumPy's float64, for _ieee.",
        "_IEEE = {",
        "    **globals(),",
        *rows,
        "}",
        *_again_lines("_IEEE", again),
    ]


def _again_lines(table: str, names: Sequence[str]) -> list[str]:
    """The functions once more, with the names of `table` for what they call."""
    return [
        "for _name in (",
        *textwrap.wrap(
            ", ".join(repr(name) for name in names) + ",",
            100,
            initial_indent="    ",
            subsequent_indent="    ",
        ),
        "):",
        f"    {table}[_name] = FunctionType({table}[_name].__code__, {table}, _name, {table}[_name].__defaults__)",
    ]


def _many_lines(stages: Stages) -> tuple[list[str], list[str], list[str]]:
    """The functions of the program, the functions that run them, and what a user may set."""
    constants = Constants()
    code_of = block_code if stages.tier == "scalar" else array_code
    lines: list[str] = []
    for name in MANY:
        if name == "along" and name in stages.programs and stages.tier == "scalar":
            lines.extend([*points_code(stages.programs[name], "_along_points"), "", ""])
        elif name in stages.programs:
            code = code_of(stages.programs[name], f"_{name.upper()}", constants)
            lines.extend([*code.lines, "", ""])
    arrays = needed_texts([*lines, "_sweep"], array_functions.FUNCTIONS)
    special = needed_texts([*lines, *arrays], _IEEE_ARRAYS)
    runtime = needed_texts([*lines, "_sweep"], drivers.FUNCTIONS)
    settings = [
        "BLOCK = 32768  # points at a time",
        "THREADS = None  # for many points: None is one for each core",
        "_TABLES = {}  # slopes by the pattern of the choices, filled when first used",
        "_SCRATCH = threading.local()  # buffers that a thread keeps between calls",
        "# Freed at once: glibc then keeps freed blocks up to this size, so that new arrays cost no page faults.",
        "np.empty(4_000_000)",
        "",
    ]
    return [*constants.lines(), "", "", *lines], [*special, *arrays, *runtime], settings


_IEEE_ARRAYS: dict[str, Callable[..., object]] = dict(ieee.ARRAY_FUNCTIONS)


def _imports(point: Sequence[str], body: Sequence[str], *, fractions: bool) -> list[str]:
    text = "\n".join(body)
    near = "\n".join(line.split("  #")[0] for line in point if not line.lstrip().startswith(("#", '"""')))
    called = set(re.findall(r"(?<![.\w])([a-z]\w*)\(", near))
    words = set(re.findall(r"(?<![.\w])(inf|nan)\b", near))
    names = sorted((called & {*(name for name in _ON_NUMPY if not name.startswith("_")), *_SAFE}) | words)
    lines = [
        f"import {name}"
        for name in ("itertools", "math", "os", "threading")
        if re.search(rf"(?<![.\w]){name}\.", text)
    ]
    if fractions:
        lines.append("from fractions import Fraction")
    if re.search(r"(?<![.\w])partial\(", text):
        lines.append("from functools import partial")
    if names:
        lines.append(f"from math import {', '.join(names)}")
    kinds = [name for name in ("FunctionType", "SimpleNamespace") if name in text]
    if kinds:
        lines.append(f"from types import {', '.join(kinds)}")
    return [
        *lines,
        "",
        "import numpy as np",
        "from numpy import array, ndarray",
        "",
        "FLOAT64 = np.dtype(np.float64)",
    ]
