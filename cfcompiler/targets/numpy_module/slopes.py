"""The backward instructions of a piecewise affine program to a table by patterns of its choices, and the look-up.

c_x = weigh a b k           def _gradient_slopes(bits):
                                q0, = bits
                                c_x = np.where(q0, k, 0.0)
                                return (c_x,)
"""

from __future__ import annotations

from cfcompiler.ir import Apply, Program, Value
from cfcompiler.primitives import COMPARISONS
from cfcompiler.targets.numpy_module.calls import Call, Calls, Name, Operand, Register, Use
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.targets.numpy_module.expressions import Facts
from cfcompiler.targets.numpy_module.patterns import Patterns, weighing_text
from cfcompiler.targets.numpy_module.plain_points import points_expression

_BYTE_BITS = 7  # bits in an int8 that is never negative


def slopes_code(program: Program, found: Patterns, function: str, names: dict[str, str]) -> list[str]:
    """The backward instructions as a function of the bits: the columns of the table."""
    facts = Facts(program)
    bits = _bit_names(found)
    lines = [
        f"def {function}(bits):",
        f'    """Results {", ".join(map(str, found.decided))} of {program.name} for each pattern of its choices."""',
        f"    {', '.join(f'q{place}' for place in range(len(found.guards)))}, = bits",
    ]
    for instruction in found.slice:
        out = names[instruction.out.name]
        text = points_expression(instruction, names, facts)
        if (
            isinstance(instruction, Apply)
            and instruction.op in ("stack", "reshape")
            and instruction.out.shape
        ):
            continue
        if isinstance(instruction, Apply) and instruction.op == "weigh":
            place = bits["weigh", instruction.args[0].name, instruction.args[1].name]
            text = weighing_text(
                instruction, found.guards[place], f"q{place}", names[instruction.args[2].name]
            )
        elif isinstance(instruction, Apply) and instruction.op in COMPARISONS:
            text = f"q{bits[instruction.op, instruction.args[0].name, instruction.args[1].name]}"
        lines.append(f"    {out} = {text}")
    entries = [
        names[entry.name] for place in found.decided for entry in _scalars(program.results[place], facts)
    ]
    return [*lines, f"    return ({', '.join(entries)},)"]


def _bit_names(found: Patterns) -> dict[tuple[str, str, str], int]:
    """The place of the bit of each comparison, and of each weighed pair under "weigh"."""
    places: dict[tuple[str, str, str], int] = {}
    for place, guard in enumerate(found.guards):
        places.setdefault(
            ("weigh" if guard.weighs else guard.comparison, guard.left.name, guard.right.name), place
        )
    return places


def _scalars(value: Value, facts: Facts) -> list[Value]:
    """The scalars of a result that is only packed."""
    instruction = facts.definition.get(value.name)
    if isinstance(instruction, Apply) and value.shape and instruction.op in ("reshape", "stack"):
        return [entry for arg in instruction.args for entry in _scalars(arg, facts)]
    return [value]


def look_up(
    calls: Calls, constants: Constants, truths: list[Operand], targets: list[str], function: str
) -> Call:
    """Calls from the truths, the first one highest, to a column of the table in the targets; and the one before all."""
    code: Register | None = None
    for start in range(0, len(truths), _BYTE_BITS):
        part = truths[start : start + _BYTE_BITS]
        byte = Use(_byte(calls, part), "raw")
        if code is None:
            code = calls.ufunc("positive", byte, raw=True)
            continue
        factor = constants.integer(f"K_WORD_{2 ** len(part)}", f"np.array({2 ** len(part)})")
        code = calls.ufunc("multiply", Use(code, "raw"), Name(factor, factor, fixed=True), raw=True)
        code = calls.ufunc("add", Use(code, "raw"), byte, raw=True)
    assert code is not None
    for row, target in enumerate(targets):
        calls.line(f'table[{row}].take({{0}}, out={target}, mode="wrap")', Use(code, "raw"))
    return Call(f"table = _table({function}_slopes, {len(truths)})", (), None)


def _byte(calls: Calls, truths: list[Operand]) -> Operand:
    """Up to seven bits as one small number."""
    byte = truths[0]
    for truth in truths[1:]:
        doubled = calls.ufunc("add", Use(byte, "raw"), Use(byte, "raw"), memory="truth", raw=True)
        byte = calls.ufunc("bitwise_or", Use(doubled, "raw"), Use(truth, "raw"), memory="truth", raw=True)
    return byte
