"""Functions and regions -> texts in the names of the inputs, which SymPy parses.

Formulas on a region are reduced by its equations where these are solved for a variable by a polynomial.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from cfcompiler import numbers
from cfcompiler.analyses.general_walk import GeneralWalk
from cfcompiler.analyses.strata_places import coordinate_text, row_of
from cfcompiler.feasibility.functions import Function
from cfcompiler.feasibility.quotients import Entry, Poly, Ratio
from cfcompiler.feasibility.region import Region
from cfcompiler.feasibility.regions import Regions
from cfcompiler.feasibility.restriction import on_region
from cfcompiler.number_text import to_text
from cfcompiler.numbers import Exact, Finite
from cfcompiler.report import Row


class Texts:
    """Texts of one program."""

    def __init__(self, walk: GeneralWalk, regions: Regions) -> None:
        self.walk = walk
        self.regions = regions
        self.names = [coordinate_text(name, place) for name, place in walk.coordinates]

    def poly(self, poly: Poly) -> str:
        """`x**2 - 2*x*y + 1`."""
        rows = sorted(
            ((tuple(map(int, e)), Fraction(int(c.p), int(c.q))) for e, c in poly.to_dict().items()),
            key=lambda row: (-sum(row[0]), [-k for k in row[0]]),
        )
        text = ""
        for exponents, coefficient in rows:
            factors = [self._factor(place, k) for place, k in enumerate(exponents) if k]
            size = abs(coefficient)
            if size.numerator != 1 or not factors:
                factors.insert(0, str(size.numerator))
            term = "*".join(factors) + (f"/{size.denominator}" if size.denominator != 1 else "")
            if not text:
                text = f"-{term}" if coefficient < 0 else term
            else:
                text += f" {'-' if coefficient < 0 else '+'} {term}"
        return text or "0"

    def _factor(self, place: int, power: int) -> str:
        """A power of a variable: `x**2`, `exp(2*x)`."""
        atom = self.walk.functions.atoms.get(place)
        if atom is None:
            name = self.names[place]
        elif atom.kind == "constant":
            name = _grouped(to_text(atom.number)) if atom.number is not None else ""
        elif atom.kind == "exp":
            argument = self._quotient(atom.above * power, atom.below)
            return f"exp({argument})"
        elif atom.kind == "root":
            inside = self._quotient(atom.above, atom.below)
            name = f"sqrt({inside})" if atom.degree == 2 else f"({inside})**({power}/{atom.degree})"
            if atom.degree != 2:
                return name
        else:
            name = f"{atom.kind}({self._quotient(atom.above, atom.below)})"
        return name if power == 1 else f"{name}**{power}"

    def _quotient(self, above: Poly, below: Poly) -> str:
        return (
            self.poly(above) if below.is_one() else f"{_grouped(self.poly(above))}/{_below(self.poly(below))}"
        )

    def entry(self, region: Region, entry: Entry) -> str:
        """A formula for an entry on a region."""
        if not isinstance(entry, Ratio):
            return to_text(entry)
        found = self.on(region, entry)
        if not isinstance(found, Ratio):
            return to_text(found)
        above, below = self._gathered(found.above, found.below)
        if below.is_constant():
            return self.poly(above * (1 / below.leading_coefficient()))
        return f"{_grouped(self.poly(above))}/{_below(self.poly(below))}"

    def _gathered(self, above: Poly, below: Poly) -> tuple[Poly, Poly]:
        """A quotient with powers of roots instead of what is under them: x/(x*sqrt(x)) is 1/sqrt(x)."""
        for atom in self.walk.functions.within(below):
            if atom.kind != "root" or not atom.inputs:
                continue
            root = self.walk.functions.generators[atom.place]
            for _ in range(below.total_degree()):
                if below.gcd(atom.above).total_degree() < atom.above.total_degree():
                    break
                below = below / atom.above * root**atom.degree
            if above.gcd(atom.above).total_degree() == atom.above.total_degree():
                above = above / atom.above * root**atom.degree
        common = above.gcd(below)
        return above / common, below / common

    def on(self, region: Region, entry: Ratio) -> Entry:
        """The entry, where pivots that are polynomials are replaced."""
        return on_region(self.regions, region, entry, plain=True)

    def value(self, entry: Entry, point: Sequence[Finite]) -> Exact:
        """The value of an entry at an exact point. Raises numbers.Undecided."""
        if not isinstance(entry, Ratio):
            return entry
        functions = self.walk.functions
        return numbers.div(functions.value(entry.above, point), functions.value(entry.below, point))

    def row(self, entries: Sequence[Any], region: Region | None = None) -> Row:
        """Entries by coordinate as a row: nested lists for arrays."""
        shapes = {param.value.name: param.value.shape for param in self.walk.program.params}
        texts = [
            Text(entry if isinstance(entry, str) else self.entry(region, entry) if region else to_text(entry))
            for entry in entries
        ]
        return row_of(texts, self.walk.coordinates, shapes)

    def rows(self, vector: Sequence[Entry], region: Region) -> tuple[Row, ...]:
        """A flat vector, output after output."""
        width = self.walk.dimension
        return tuple(self.row(vector[k : k + width], region) for k in range(0, len(vector), width))

    # regions

    def equations(self, region: Region) -> tuple[str, ...]:
        """Functions that vanish on the region."""
        return tuple(self.poly(poly) for poly in self._equations(region))

    def _equations(self, region: Region) -> list[Poly]:
        solved = self.solved(region)
        if solved is not None:
            return solved
        return [function.poly for function in region.zeros]

    def solved(self, region: Region) -> list[Poly] | None:
        """The equations as solved for variables by polynomials; None where they are not."""
        functions = self.walk.functions
        if region.rest or any(not pivot.below.is_constant() for pivot in region.pivots):
            return None
        found = []
        for pivot in region.pivots:
            value = self.on(region, Ratio(functions.generators[pivot.place], functions.one))
            above = value.above if isinstance(value, Ratio) else functions.one * _flint(value)
            found.append(functions.named(functions.generators[pivot.place] - above)[1].poly)
        return found

    def inequalities(self, region: Region) -> tuple[str, ...]:
        """`x - y > 0`."""
        found = [
            f"{self.poly(function.poly)} {'>' if sign > 0 else '<'} 0"
            for function, sign in self.strict(region)
        ]
        found += [
            " | ".join(f"Ne({self.poly(f.poly)}, 0)" for f in family) for family in self.families(region)
        ]
        return tuple(found)

    def strict(self, region: Region) -> list[tuple[Function, int]]:
        """The signs that say more than the equations."""
        return [(function, sign) for function, sign in self._reduced(region) if sign]

    def _reduced(self, region: Region) -> list[tuple[Function, int]]:
        """Functions with their signs, reduced by the equations; sign 0 stands for those that do not vanish."""
        found: dict[Function, int] = {}
        for function, sign in region.signs.items():
            if sign == 0:
                continue
            poly, scale = self._on_region(region, function)
            if poly.is_constant():
                continue
            rows = self.walk.functions.factored(poly)
            odd = [own for own, times in rows.factors if times % 2]
            if odd:
                product = self.walk.functions.product(odd)
                found[product] = found.get(product) or rows.side * sign * scale
            for own, times in rows.factors:
                if times % 2 == 0:
                    found.setdefault(own, 0)
        return list(found.items())

    def _on_region(self, region: Region, function: Function) -> tuple[Poly, int]:
        """The function without pivots that are polynomials, and the sign by which that turns it."""
        poly, scale = function.poly, 1
        if self.solved(region):
            for pivot in region.pivots:
                if poly.degrees()[pivot.place] % 2 and pivot.below.leading_coefficient() < 0:
                    scale = -scale
                poly = self.walk.functions.substituted(poly, pivot.place, pivot.above, pivot.below)
        return poly, scale

    def families(self, region: Region) -> list[tuple[Function, ...]]:
        """Families of which not all vanish, where that says more than the rest."""
        signs = dict(self._reduced(region))
        found: list[tuple[Function, ...]] = [(function,) for function, sign in signs.items() if sign == 0]
        for family in region.mixed:
            if not any(region.known(function) in (1, -1) or function in signs for function in family):
                found.append(family)
        return list(dict.fromkeys(found))

    def place(self, region: Region) -> str:
        """The set as relations joined by "and"; "everywhere" for all inputs."""
        relations = [f"{_balanced(self, poly)}" for poly in self._equations(region)]
        relations += [
            f"{self.poly(function.poly)} {'>' if sign > 0 else '<'} 0"
            for function, sign in self.strict(region)
        ]
        for family in self.families(region):
            text = " or ".join(f"{self.poly(f.poly)} != 0" for f in family)
            relations.append(text if len(family) == 1 else f"({text})")
        return " and ".join(relations) or "everywhere"


class Text(str):
    """A text that is final already."""


def _grouped(text: str) -> str:
    return f"({text})" if " " in text else text


def _below(text: str) -> str:
    """A denominator, in brackets where it is more than a name, a number or a function of something."""
    outside = re.sub(r"\[[\d, ]*\]", "", text)
    while (shorter := re.sub(r"(?<=\w)\([^()]*\)", "", outside)) != outside:
        outside = shorter
    return text if re.fullmatch(r"\w+(\*\*\d+)?", outside) else f"({text})"


def _balanced(texts: Texts, poly: Poly) -> str:
    """`x == y**2` where the polynomial is linear in a variable with a constant factor, else `p == 0`."""
    functions = texts.walk.functions
    for place, name in enumerate(texts.names):
        slope = functions.coefficient(poly, place)
        if slope is not None and slope.is_constant():
            rest = -(poly - slope * functions.generators[place]) * (1 / slope.leading_coefficient())
            return f"{name} == {texts.poly(rest)}"
    return f"{texts.poly(poly)} == 0"


def _flint(x: Any) -> Any:
    from cfcompiler.feasibility.quotients import rational

    return rational(x)
