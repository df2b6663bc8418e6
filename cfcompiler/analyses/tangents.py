"""Program, stratum -> Theorem C and Theorem E on it: are the tied switches independent, and is AD right along it?

On a stratum the path is one and its switches, its value and what AD returns are functions of the inputs: polynomials,
where the program is one there (path_polynomials.py). Affine ones are decided by their gradients at the witness, which
are those everywhere on the stratum; others are refuted at the witness, and proved by elimination.

Source: theory S6, Theorem C (kink qualification) and Theorem E (normality).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import sympy

from cfcompiler import numbers
from cfcompiler.analyses.field import MOST_SCALARS, seeds_of
from cfcompiler.analyses.path_polynomials import (
    Path,
    Switch,
    Track,
    at,
    coordinates,
    is_affine,
    path_at,
    slopes,
    tied,
)
from cfcompiler.arithmetic import EXACT, Undecided
from cfcompiler.feasibility.linear import independent, rank
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select
from cfcompiler.numbers import Finite, is_special
from cfcompiler.polynomials import Polynomial, constant
from cfcompiler.primitives import COMPARISONS
from cfcompiler.transforms.reverse import vjp
from cfcompiler.transforms.scalarize import scalarize
from cfcompiler.transforms.tidy import tidy
from cfcompiler.verify import arguments

# Elimination is tried for systems up to this size; beyond it takes long.
MOST_VARIABLES, MOST_ROWS, MOST_DEGREE = 4, 2, 4


@dataclass(frozen=True, slots=True)
class Answer:
    """ "proved", "refuted" or "undecided", with the reason and the operation at which it is decided."""

    word: str
    reason: str = ""
    instruction: Instruction | None = None


PROVED = Answer("proved")


class Strata:
    """The paths of an unrolled program and of its backward program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.backward = tidy(scalarize(tidy(vjp(program)), MOST_SCALARS))
        self.dimension = sum(int(np.prod(param.value.shape)) for param in program.params)
        self.moving = [
            param.differentiable for param in program.params for _ in range(int(np.prod(param.value.shape)))
        ]

    def path(self, point: Mapping[str, Any]) -> Path:
        """Raises Undecided."""
        return path_at(self.program, coordinates(self.program, point), self.dimension)

    def ties(self, path: Path) -> list[Switch]:
        """The tied switches that the results rest on."""
        needed = _needed(self.program, path)
        return [switch for switch in tied(path) if switch.instruction.out.name in needed]

    def rows(self, point: Mapping[str, Any]) -> list[list[Track]]:
        """What AD returns, a row for each entry of the results. Raises Undecided."""
        names = [param.value.name for param in self.backward.params[len(self.program.params) :]]
        found = []
        for seeds in seeds_of(self.program, EXACT):
            inputs = coordinates(self.program, point)
            for name, seed in zip(names, seeds, strict=True):
                inputs[name] = _tracked(seed, self.dimension)
            path = path_at(self.backward, inputs, self.dimension)
            outputs = self.backward.results[len(self.program.results) :]
            found.append([track for value in outputs for track in path.entries(value.name)])
        return found

    def flat(self, point: Mapping[str, Any]) -> tuple[Finite, ...]:
        return tuple(
            entry for param in self.program.params for entry in np.reshape(point[param.value.name], -1)
        )

    def _moving(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """The entries of the inputs that are differentiable."""
        return tuple(entry for entry, moves in zip(row, self.moving, strict=True) if moves)

    # Theorem C

    def qualified(self, point: Mapping[str, Any]) -> Answer:
        """Whether on the stratum of `point` the gradients of the tied switches are linearly independent."""
        try:
            path = self.path(point)
            ties = self.ties(path)
            # a branch that is tied opens its other arm, with whatever is tied there
            alone = len(tied(path)) == 1 and not _hidden(self.program, path)
            for switch in ties:
                answer = None if isinstance(switch.instruction, Kink) else _of_join(switch, alone)
                if answer is not None:
                    return answer
            return self._independent(ties, self.flat(point))
        except (Undecided, numbers.Undecided, numbers.TooLarge) as problem:
            return Answer("undecided", str(problem))

    def _independent(self, ties: Sequence[Switch], here: tuple[Finite, ...]) -> Answer:
        if not ties:
            return PROVED
        last = ties[-1].instruction
        polynomials = [switch.polynomial for switch in ties]
        known = [polynomial for polynomial in polynomials if polynomial is not None]
        if len(known) < len(ties):
            return Answer("undecided", "a tied switch is no polynomial", last)
        gradients = [self._moving(slopes(polynomial)) for polynomial in known]
        if not independent([at(gradient, here) for gradient in gradients]):
            what = "has the gradient 0" if len(ties) == 1 else "have gradients that depend on each other"
            return Answer("refuted", f"{_count(len(ties))} {what}", last)
        if all(is_affine(polynomial) for polynomial in known) or _never_dependent(known, gradients):
            return PROVED
        return Answer("undecided", "independent at the witness; elsewhere on the stratum it is open", last)

    # Theorem E

    def projected(self, point: Mapping[str, Any], dimension: int) -> Answer:
        """Whether AD is the derivative of the program along the stratum of `point`, which has this dimension."""
        if dimension == 0:
            return PROVED
        try:
            path = self.path(point)
            ties = self.ties(path)
            if not ties:
                return PROVED  # AD is the gradient of the one path that runs near the point
            results = [track for value in self.program.results for track in path.entries(value.name)]
            for track, row in zip(results, self.rows(point), strict=True):
                answer = self._along(track, row, ties, self.flat(point), dimension)
                if answer.word != "proved":
                    return answer
            return PROVED
        except (Undecided, numbers.Undecided, numbers.TooLarge) as problem:
            return Answer("undecided", str(problem))

    def _along(
        self,
        result: Track,
        row: Sequence[Track],
        ties: Sequence[Switch],
        here: tuple[Finite, ...],
        dimension: int,
    ) -> Answer:
        last = ties[-1].instruction
        if any(is_special(track.value) for track in row) or is_special(result.value):
            return Answer("refuted", "AD returns no finite vector", last)
        switches = [switch.polynomial for switch in ties if switch.polynomial is not None]
        returned = [track.polynomial for track in row if track.polynomial is not None]
        if result.polynomial is None or len(switches) < len(ties) or len(returned) < len(row):
            return Answer("undecided", "the program is no polynomial there", last)
        normal = [self._moving(slopes(switch)) for switch in switches if not switch.is_zero]
        true = self._moving(slopes(result.polynomial))
        defect = tuple(one - other for one, other in zip(returned, true, strict=True))
        if all(entry.is_zero for entry in defect):
            return PROVED
        rows = [at(gradient, here) for gradient in normal]
        own = rank(rows) if rows else 0
        defect_here = at(defect, here)
        tangential = any(entry != 0 for entry in defect_here) and rank([*rows, defect_here]) > own
        if tangential and own == sum(self.moving) - dimension:
            return Answer("refuted", "AD is not the derivative along the stratum", last)
        if tangential:
            return Answer("undecided", "the tangent space at the witness is not known", last)
        affine = all(map(is_affine, switches)) and all(entry.degree <= 0 for entry in defect)
        if affine or _always_normal(switches, normal, defect):
            return PROVED
        return Answer("undecided", "it holds at the witness; elsewhere on the stratum it is open", last)


def _count(number: int) -> str:
    return "the tied switch" if number == 1 else f"the {number} tied switches"


def _tracked(seed: Any, dimension: int) -> Any:
    out = np.empty(np.shape(seed), dtype=object)
    for place in np.ndindex(out.shape):
        out[place] = Track(seed[place], constant(dimension, seed[place]))
    return out


def _of_join(switch: Switch, alone: bool) -> Answer | None:
    """Branches and orderings: one inequality alone is like a kink, the others are not treated by the theorem."""
    instruction = switch.instruction
    op = instruction.op if isinstance(instruction, Apply) else ""
    if op in ("equal", "not_equal"):
        return Answer("refuted", "an equality decides a branch", instruction)
    if op in COMPARISONS and alone:
        return None
    if op in COMPARISONS:
        return Answer(
            "undecided", "a branch is tied, and there are choices in its arms or beside it", instruction
        )
    if op == "extremum":
        return None
    return Answer("undecided", f"ties of {op or 'a choice'} are not treated", instruction)


def _needed(program: Program, path: Path) -> set[str]:
    """The values that matter near the point: of what is not tied, the arm and the piece that are taken."""
    ties = {switch.instruction.out.name for switch in tied(path)}
    found = {value.name for value in program.results}
    for instruction in reversed(program.instructions):
        if instruction.out.name in found and instruction.out.name in path.values:
            found.update(_followed(instruction, path, ties))
    return found


def _followed(instruction: Instruction, path: Path, ties: set[str]) -> list[str]:
    every = [value.name for value in arguments(instruction)]
    match instruction:
        case Select(guard=guard, then=then, orelse=orelse) if not np.shape(path.values[guard.name]):
            # the guard matters where it is tied: it is followed, and drops out where it is not
            return [guard.name, then.name if bool(path.values[guard.name]) else orelse.name]
        case Kink(out=out, left=left, right=right, above=above, below=below) if out.name not in ties:
            pair = (path.entries(left.name), path.entries(right.name))
            if len(pair[0]) != 1 or len(pair[1]) != 1:
                return every
            code = numbers.compare(pair[0][0].value, pair[1][0].value)
            return every if code not in (1, -1) else [above.name if code == 1 else below.name]
        case Apply(op=op, out=out) if op in COMPARISONS and out.name not in ties:
            return []
    return every


def _hidden(program: Program, path: Path) -> bool:
    """Whether there are choices in arms that do not run, or whose value is not taken."""
    return any(
        (isinstance(item, Kink) or (isinstance(item, Apply) and item.op in COMPARISONS))
        and (item.out.name not in path.values or item.out.branch)
        for item in program.instructions
    )


# elimination


def _symbols(count: int) -> list[sympy.Symbol]:
    return [sympy.Symbol(f"x{place}") for place in range(count)]


def _expression(polynomial: Polynomial) -> sympy.Expr:
    symbols = _symbols(polynomial.variables)
    total = sympy.Integer(0)
    for exponents, coefficient in polynomial.terms.items():
        term = numbers.expression(coefficient)
        for symbol, exponent in zip(symbols, exponents, strict=True):
            term *= symbol**exponent
        total += term
    return total


def _small(polynomials: Sequence[Polynomial], rows: int) -> bool:
    return (
        rows <= MOST_ROWS
        and all(polynomial.rational and polynomial.degree <= MOST_DEGREE for polynomial in polynomials)
        and all(polynomial.variables <= MOST_VARIABLES for polynomial in polynomials)
    )


def _minors(rows: Sequence[Sequence[Polynomial]], size: int) -> list[sympy.Expr]:
    matrix = sympy.Matrix([[_expression(entry) for entry in row] for row in rows])
    width = matrix.shape[1]
    return [sympy.expand(matrix[:, list(columns)].det()) for columns in combinations(range(width), size)]


def _never_dependent(switches: Sequence[Polynomial], gradients: Sequence[Sequence[Polynomial]]) -> bool:
    """Whether the gradients are independent wherever the switches vanish, complex points included."""
    if not _small(switches, len(gradients)):
        return False
    equations = [*map(_expression, switches), *_minors(gradients, len(gradients))]
    equations = [equation for equation in equations if equation != 0]
    basis = sympy.groebner(equations, *_symbols(switches[0].variables), order="grevlex")
    return list(basis.exprs) == [sympy.Integer(1)]


def _always_normal(
    switches: Sequence[Polynomial],
    normal: Sequence[Sequence[Polynomial]],
    defect: Sequence[Polynomial],
) -> bool:
    """Whether the defect lies in the span of the normals wherever the switches vanish, and these are independent."""
    vanishing = [switch for switch in switches if not switch.is_zero]
    if not _small(vanishing, len(normal)) or not _never_dependent(vanishing, normal):
        return False
    if len(normal) == len(defect):
        return True
    basis = sympy.groebner(
        [_expression(switch) for switch in vanishing], *_symbols(vanishing[0].variables), order="grevlex"
    )
    return all(basis.contains(minor) for minor in _minors([*normal, defect], len(normal) + 1))
