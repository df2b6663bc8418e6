"""A scalar program to a function over many points: ufuncs into scratch buffers, choices by bit masks.

    u = max(a, b)          np.greater(a, b, out=q0)
                           np.maximum(b, a, out=t0)
    c_a = weigh a b c      np.negative(q0r, out=t1r)            # -1 where a > b: all bits, else none
                           np.bitwise_and(cr, t1r, out=t2r)     # exact: no 0 * inf
    c_b                    np.bitwise_xor(cr, t2r, out=t1r)

A weight rule of zeros and ones, tie and NaN included, is one comparison. Any other rule (max by halves) is treated so
too, and the block says at which points that was right (`sure`): the others are done again by the plain text of
expressions.py, which knows all four cases. Both arms of a lazy choice are evaluated everywhere and merged by masks:
every value leaves its branch through a select, so nothing of the arm not taken is seen.

Source: Griewank & Walther 2008, chapter 14, on masking; measurements of NumPy's ufuncs for the rest.
"""

from __future__ import annotations

from cfcompiler.ir import Program
from cfcompiler.targets.numpy_module.block_names import BlockCode, safe_names
from cfcompiler.targets.numpy_module.blocks import Block
from cfcompiler.targets.numpy_module.calls import Call, Layout, Register
from cfcompiler.targets.numpy_module.constants import Constants
from cfcompiler.targets.numpy_module.patterns import patterns
from cfcompiler.targets.numpy_module.plain_points import points_code
from cfcompiler.targets.numpy_module.slopes import slopes_code


def block_code(program: Program, plan: str, constants: Constants) -> BlockCode:
    """Code that evaluates a scalarized program over many points; `plan` is the name of the plan it defines.

    The inputs are the parameters in order; the results are those of the program.
    """
    names = safe_names(program)
    function = f"_{plan.strip('_').lower()}"
    block = Block(program, names, constants)
    layout, calls = block.run()
    found = patterns(program)
    slopes: list[str] = []
    if found is not None:
        by_table = Block(program, names, constants)
        table_layout, table_calls = by_table.run(found, function)
        if _cost(table_calls) < _cost(calls):
            block, layout = by_table, table_layout
            slopes = [*slopes_code(program, found, f"{function}_slopes", names), "", ""]
    constants.read_bits(layout.raw_names)
    body = [
        *_unpacked(layout),
        *(f"{name}r = {name}.view(np.int64)" for name in layout.raw_names if name in block.aliased),
        *layout.lines,
        f"return {block.sure_text}",
    ]
    parameters = ", ".join([*(names[param.value.name] for param in program.params), *block.outputs, "work"])
    ranks = tuple(len(param.value.shape) for param in program.params)
    shapes = tuple(value.shape for value in program.results)
    lines = [
        *slopes,
        f"def {function}_block({parameters}):",
        f'    """{program.name} at one block of points; returns where it is right, None for everywhere."""',
        *(f"    {line}" for line in body),
        "",
        "",
        *points_code(program, f"{function}_points", names),
        "",
        "",
        f"{plan} = ({function}_block, {function}_points, {layout.reals}, {layout.truths}, {ranks}, {shapes})",
    ]
    return BlockCode(plan, tuple(lines))


# Nanoseconds a point, to choose between a table and the backward instructions; what both have in common cancels.
_COSTS = {"take": 0.55, "negative": 0.2, "subtract": 0.2, "divide": 0.35, "exp": 0.7, "tanh": 1.0, "sin": 8.0}


def _cost(calls: list[Call]) -> float:
    """A rough cost of one point."""
    total = 0.0
    for call in calls:
        name = call.text.partition("np.")[2].partition("(")[0]
        truth = (
            call.out is not None
            and isinstance(call.out.operand, Register)
            and call.out.operand.memory == "truth"
        )
        total += 0.1 if truth else _COSTS.get(name.rpartition(".")[2], 0.17)
    return total


def _unpacked(layout: Layout) -> list[str]:
    names = [f"t{place}" for place in range(layout.reals)]
    names += [f"{name}r" for name in names]
    flags = [f"q{place}" for place in range(layout.truths)]
    names += flags + [f"{name}r" for name in flags]
    return [f"{', '.join(names)} = work"] if names else []
