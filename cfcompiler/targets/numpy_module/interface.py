"""What the public functions of a generated module have to know of its program: inputs, results, tiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cfcompiler.ir import Program, Shape
from cfcompiler.targets.numpy_module.names import local_names


@dataclass(frozen=True, slots=True)
class Interface:
    """What the public functions have to know of a program."""

    name: str
    inputs: tuple[tuple[str, Shape], ...]  # with names that Python functions can have
    moving: tuple[int, ...]  # places of the differentiable inputs
    results: tuple[tuple[str, Shape], ...]
    points: bool  # whether there are functions for single points, on plain floats
    on_tape: bool
    order: int
    guarded: bool  # whether the program has guards
    checks: tuple[str, ...]  # what is said where an assertion does not hold
    lexicographic: bool  # whether that is a stage of its own
    along: bool  # whether there is one that resolves ties by derivatives
    one_mode: bool  # whether forward is what backward is also at inf and NaN

    @property
    def scalar(self) -> bool:
        return len(self.results) == 1 and not self.results[0][1]

    def tangents(self) -> list[tuple[str, Shape]]:
        """d_x for each differentiable input x, or d_x_ where that is an input itself."""
        taken = {name for name, _ in self.inputs}
        found = []
        for place in self.moving:
            name = f"d_{self.inputs[place][0]}"
            while name in taken:
                name += "_"
            taken.add(name)
            found.append((name, self.inputs[place][1]))
        return found


def interface_of(
    program: Program,
    *,
    points: bool,
    on_tape: bool,
    order: int,
    guarded: bool,
    checks: tuple[str, ...],
    lexicographic: bool,
    along: bool,
) -> Interface:
    names = local_names(param.value.name for param in program.params)
    inputs = tuple((names[param.value.name], param.value.shape) for param in program.params)
    moving = tuple(place for place, param in enumerate(program.params) if param.differentiable)
    results = tuple(
        (program.name if len(program.results) == 1 else f"result {place}", value.shape)
        for place, value in enumerate(program.results, 1)
    )
    return Interface(
        program.name,
        inputs,
        moving,
        results,
        points,
        on_tape,
        order,
        guarded,
        checks,
        lexicographic,
        along,
        program.formulas.one_mode,
    )


def tuple_text(entries: Sequence[str]) -> str:
    """A tuple of the entries; a single entry stands for itself."""
    if len(entries) == 1:
        return entries[0]
    return f"({', '.join(entries)})"


def sequence_text(entries: Sequence[str]) -> str:
    return f"({', '.join(entries)}{',' if len(entries) == 1 else ''})"


def table_lines(interface: Interface) -> list[str]:
    """The tuples of names and shapes that the public functions read their arguments by."""
    moving = [interface.inputs[place] for place in interface.moving]
    tangents = interface.tangents()
    cotangents = (
        ["cotangent"]
        if len(interface.results) == 1
        else [f"cotangent[{place}]" for place in range(len(interface.results))]
    )
    rows = {
        "_NAMES": tuple(name for name, _ in interface.inputs),
        "_SHAPES": tuple(shape for _, shape in interface.inputs),
        "_MOVING": tuple(name for name, _ in moving),
        "_MOVING_SHAPES": tuple(shape for _, shape in moving),
        "_TANGENTS": tuple(name for name, _ in tangents),
        "_COTANGENTS": tuple(cotangents),
        "_RESULTS": tuple(name for name, _ in interface.results),
        "_RESULT_SHAPES": tuple(shape for _, shape in interface.results),
    }
    if interface.checks:
        rows["_CHECK_TEXTS"] = interface.checks
    return [f"{name} = {row!r}" for name, row in rows.items()]


def calls(interface: Interface) -> list[tuple[str, str]]:
    """Each public function with what it returns, for the docstring of the module."""
    params = ", ".join(name for name, _ in interface.inputs)
    primals = sequence_text([name for name, _ in interface.inputs])
    tangents = sequence_text([name for name, _ in interface.tangents()])
    name = interface.name
    each = "each input" if len(interface.moving) == len(interface.inputs) else "each differentiable input"
    rows = [
        (f"value({params})", f"{name}"),
        (
            f"jvp({primals}, {tangents})",
            f"({name}, its derivative along the tangents), by the forward program",
        ),
        (f"vjp({params})", f"({name}, pullback): pullback(cotangent) has a cotangent for {each}"),
    ]
    if interface.scalar:
        rows += [
            (f"grad({params})", f"the derivative by {each}, by the backward program"),
            (f"value_and_grad({params})", "both in one sweep"),
            (
                f"lexicographic({params})",
                "the limit of gradients at differentiable points near by, whatever the rules",
            ),
        ]
    rows += [
        (f"signature({params})", "the sign of every guard, int8, in the order of GUARDS"),
        (f"field({params})", "the vertices of D at one point, a row each"),
    ]
    if interface.order == 2 and interface.scalar:
        rows += [
            (
                f"hvp({primals}, {tangents})",
                "the Hessian times the direction: how the gradient changes along it",
            ),
            (f"hessian({params})", "the matrix of second derivatives"),
        ]
    return rows
