"""A program on a tape to the lines of its module: the tape, the functions of its kinds, and those that run it.

    def _gradient_point(x, y):
        _runs = _tape(_TAPE, _KINDS, globals(), 2)
        _v = _run_tape(_runs, [x, y])
        _c = _run_back(_runs, _v, {9: 1.0})
        return _freed(_v, (_result(_v, 9), (_moved(_c[0]), _moved(_c[1]))))

The same text runs on plain floats, on NumPy's float64 where those raise, and on arrays: under other names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cfcompiler import ieee
from cfcompiler.ir import Program
from cfcompiler.targets.numpy_module import (
    array_functions,
    chain_functions,
    level_functions,
    return_functions,
    tape_functions,
)
from cfcompiler.targets.numpy_module.guards import Guard, branching_of
from cfcompiler.targets.numpy_module.interface import Interface, tuple_text
from cfcompiler.targets.numpy_module.tape import Kinds, Tape, tape_of
from cfcompiler.targets.numpy_module.texts import needed_texts


@dataclass(frozen=True, slots=True)
class TapeText:
    """Lines of a module: functions for points; what arrays need besides; operations by stage."""

    point: tuple[str, ...]
    many: tuple[str, ...]
    runtime: tuple[str, ...]  # texts of functions
    last: tuple[str, ...]  # lines behind all functions
    names: tuple[str, ...]  # of functions that are written again on NumPy's float64
    costs: Mapping[str, int]


def tape_text(
    program: Program, second: Program | None, guards: Sequence[Guard], interface: Interface
) -> TapeText:
    """`second`: the gradient program, whose tangents are the second derivatives."""
    kinds = Kinds()
    first = tape_of(program, kinds)
    tapes = [("_TAPE", first)]
    if second is not None:
        tapes.append(("_GRADIENT_TAPE", tape_of(second, kinds)))
    lines: list[str] = []
    for name, tape in tapes:
        lines.extend([f'{name} = """\\', *tape.text, '"""', ""])
    table = [
        f"    {kind.name!r}: ({kind.movers!r}, {kind.targets!r}, {kind.is_condition},"
        f" {kind.shares}, {kind.direct}),"
        for kind in kinds.table.values()
    ]
    lines.extend(
        [
            "# Of each kind: the arguments that its tangent and its cotangents go with; whether it is a condition;",
            "# how each cotangent comes from that of the outcome, by which argument, and what that weight is; what the",
            "# value is. Where these are not one function of NumPy it is None.",
        ]
    )
    lines.extend(["_KINDS = {", *table, "}", ""])
    lines.extend(_guard_lines(guards, first))
    lines.extend(_branch_lines(program, guards, first))
    if interface.checks:
        pairs = zip(program.assertions, interface.checks, strict=True)
        lines.extend(
            [f"_CHECKS = {tuple((first.slots[one.condition.name], text) for one, text in pairs)!r}", "", ""]
        )
    point = [line for kind in kinds.table.values() for line in kind.lines]
    stages = _stage_lines(program, first, interface)
    if second is not None:
        stages.extend(_second_lines(program, second, tapes[1][1], interface))
    many = [line for kind in kinds.table.values() for line in kind.many]
    arrays = needed_texts(many, array_functions.FUNCTIONS)
    special = needed_texts([*many, *arrays], ieee.ARRAY_FUNCTIONS)
    own = needed_texts(
        [*stages, "_sweep_tape _numpy_step _array_step"],
        {
            **tape_functions.TABLE,
            **level_functions.TABLE,
            **chain_functions.TABLE,
            **return_functions.TABLE,
        },
    )
    longest = max(len(tape.slots) for _, tape in tapes)
    settings = [
        "_TAPES = {}  # tapes that have been read",
        "_LEVELS = True  # whether a tape may run by level",
        f"_WIDE = {level_functions._WIDE}",
        *(f"{name} = {getattr(return_functions, name)}" for name in ("_GAP", "_FEW", "_MOST")),
        "_ARRAYS = False",
        '_ENDING = ""',
        f"_RESULT_SLOTS = {tuple(first.slots[value.name] for value in program.results)!r}",
        f"_COUNT = {len(interface.inputs)}",
        f"_LENGTH = {longest}",
    ]
    cost = first.costs
    return TapeText(
        (*lines, *settings, "", "", *point, *stages),
        tuple(many),
        (*special, *arrays, *own),
        ("", "", *_array_names()),
        tuple(_defined([*"\n".join(own).split("\n"), *point, *stages])),
        {"value": cost[0], "forward": cost[1], "backward": cost[2]},
    )


def _defined(lines: Sequence[str]) -> list[str]:
    return [line[4 : line.index("(")] for line in lines if line.startswith("def ")]


def _guard_lines(guards: Sequence[Guard], tape: Tape) -> list[str]:
    """Slots of the guards, a row each, as text: a literal of many tuples takes long to compile."""
    rows = [
        f"{tape.slots[guard.left.name]} {tape.slots[guard.right.name]} {tape.slots[guard.out.name]}"
        for guard in guards
    ]
    return [
        "# Of each guard: the slots of its left side, its right side and its outcome.",
        '_GUARD_SLOTS = """\\',
        *rows,
        '"""',
        "",
        "",
    ]


def _branch_lines(program: Program, guards: Sequence[Guard], tape: Tape) -> list[str]:
    """Slots of the comparisons that decide branches."""
    deciding = branching_of(program, len(program.results))
    slots = {
        tape.slots[guard.out.name]: (tape.slots[guard.left.name], tape.slots[guard.right.name])
        for guard in guards
        if guard.out.name in deciding
    }
    return [
        "# Of each comparison that decides a branch, by its slot: the slots of its sides.",
        f"_BRANCHES = {slots}",
        "",
        "",
    ]


def _stage_lines(program: Program, tape: Tape, interface: Interface) -> list[str]:
    params = [name for name, _ in interface.inputs]
    given = ", ".join(params)
    count = len(params)
    read = f"_tape(_TAPE, _KINDS, globals(), {count})"
    values = [f"_result(_v, {tape.slots[value.name]})" for value in program.results]
    slopes = tuple_text([f"_moved(_c[{place}])" for place in interface.moving]) if interface.moving else "()"
    along_results = [f"_moved(_result(_d, {tape.slots[value.name]}))" for value in program.results]
    tangents = [name for name, _ in interface.tangents()]
    along = dict(zip(interface.moving, tangents, strict=True))
    moving = [along.get(place, "None") for place in range(count)]
    cotangents = [f"_c{place}" for place in range(len(program.results))]
    back = ["    _c = {}"]
    for place, value in enumerate(program.results):
        slot = tape.slots[value.name]
        again = value in program.results[:place]
        back.append(f"    _c[{slot}] = {f'_c[{slot}] + ' if again else ''}{cotangents[place]}")
    check = ["    _check(_runs, _v, _CHECKS)"] * bool(interface.checks)
    lines = [
        f"def _value_point({given}):",
        f"    _runs = {read}",
        f"    _v = _run_tape(_runs, [{given}], None, False)",
        *check,
        f"    return _freed(_v, {tuple_text(values)})",
        "",
        "",
        f"def _jvp_point({', '.join([*params, *tangents])}):",
        f"    _runs = {read}",
        f"    _v, _d = _run_both(_runs, [{given}], [{', '.join(moving)}])",
        *check,
        f"    return _freed(_v, ({tuple_text(values)}, {tuple_text(along_results)}))",
        "",
        "",
    ]
    if interface.scalar:
        lines += [
            f"def _gradient_point({given}):",
            f"    _runs = {read}",
            f"    _v = _run_tape(_runs, [{given}])",
            *check,
            f"    _c = _run_back(_runs, _v, {{{tape.slots[program.results[0].name]}: 1.0}})",
            f"    return _freed(_v, ({values[0]}, {slopes}))",
            "",
            "",
        ]
    if interface.scalar and interface.lexicographic:
        lines += [
            f"def _slopes_point({given}):",
            f"    return _gradient_point({given})[1:]",
            "",
            "",
            f"def _lexicographic_point({given}):",
            f"    signs = _signature_point({given})",
            f"    return _gradient_point({given})[1], 0 in signs or 2 in signs",
            "",
            "",
        ]
    for name, more, extra, choose in (
        ("_vjp_point", "", "", ""),
        ("_choices_point", "choose", ", True", ", choose"),
    ):
        answer, run = slopes, f"_run_tape(_runs, [{given}])"
        if more:
            run = f"_run_choosing(_runs, [{given}], choose, _BRANCHES)"
            answer = f"[{', '.join([*values, *(f'_moved(_c[{place}])' for place in interface.moving)])}]"
        lines += [
            f"def {name}({', '.join([*params, *cotangents, *([more] if more else [])])}):",
            f"    _runs = _tape(_TAPE, _KINDS, globals(), {count}{extra})",
            f"    _v = {run}",
            *check,
            *back,
            f"    _c = _run_back(_runs, _v, _c{choose})",
            f"    return _freed(_v, {answer})",
            "",
            "",
        ]
    return [
        *lines,
        f"def _signature_point({given}):",
        f"    _runs = {read}",
        f"    _v = _run_tape(_runs, [{given}], None, False)",
        "    _rows = [tuple(map(int, row.split())) for row in _GUARD_SLOTS.splitlines()]",
        "    return _freed(_v, _signs(_runs, _v, _rows))",
    ]


def _second_lines(program: Program, second: Program, tape: Tape, interface: Interface) -> list[str]:
    params = [name for name, _ in interface.inputs]
    along = dict(zip(interface.moving, (name for name, _ in interface.tangents()), strict=True))
    moving = [along.get(place, "None") for place in range(len(params))]
    answers = [
        f"_moved(_result(_d, {tape.slots[value.name]}))" for value in second.results[len(program.results) :]
    ]
    return [
        "",
        "",
        f"def _hvp_point({', '.join([*params, *along.values()])}):",
        f"    _runs = _tape(_GRADIENT_TAPE, _KINDS, globals(), {len(params)})",
        f"    _v, _d = _run_both(_runs, [{', '.join(params)}], [{', '.join(moving)}])",
        f"    return _freed(_v, {tuple_text(answers)})",
    ]


def _array_names() -> list[str]:
    return [
        "# The names of the tape's functions as they are on arrays.",
        '_ARRAY_NAMES = {**globals(), "_ARRAYS": True, "_ENDING": "_many", "_step": _array_step}',
        "for _name in (",
        '    "_run_tape", "_run_both", "_run_back", "_tape", "_pick", "_pick_back", "_sign_of", "_signs",',
        "):",
        "    _ARRAY_NAMES[_name] = FunctionType(",
        "        _ARRAY_NAMES[_name].__code__, _ARRAY_NAMES, _name, _ARRAY_NAMES[_name].__defaults__",
        "    )",
    ]
