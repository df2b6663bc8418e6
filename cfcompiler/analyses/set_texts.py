"""Strata of a report -> their sets in few words: `x == y and x > 0`, or `x == y` where all strata in it are meant.

An equation of a stratum that is the switch of a guard which every stratum reaches has one sign on each of them; so the
strata inside the set of a few such equations, and one inequality, are known, and if all of them are meant the set is
named by these relations alone. What is left is named stratum by stratum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import gcd, lcm

import sympy

from cfcompiler.analyses.strata_places import relation
from cfcompiler.report import Nested, StrataReport, StratumReport

MOST_GUARDS, LONGEST = 400, 240  # guards that are read as polynomials, characters of one
_COORDINATE = re.compile(r"([^\W\d]\w*)(?:\[(\d+(?:, \d+)*)\])?(?!\w*\()")
_RELATION = re.compile(r"(.*) (>|<) 0")
_DIFFERS = re.compile(r"Ne\((.*?), 0\)(?=$| \|)")


class SetTexts:
    """The sets of the strata of one report."""

    def __init__(self, report: StrataReport) -> None:
        self.report = report
        self.symbols = {name: sympy.Symbol(f"x{place}_") for place, name in enumerate(_coordinates(report))}
        self.known: dict[str, sympy.Poly | None] = {}
        reached = [
            guard
            for guard in report.guards[:MOST_GUARDS]
            if all(guard.id in stratum.signs for stratum in report.strata)
        ]
        self.guards = {guard.id: self._polynomial(guard.expr) for guard in reached}

    def where(self, stratum: StratumReport) -> str:
        """The set of one stratum."""
        relations = [self._relation(text, "==") for text in stratum.equations]
        for text in stratum.inequalities:
            match = _RELATION.fullmatch(text)
            relations.append(self._relation(match[1], match[2]) if match else _differs(text))
        return " and ".join(relations) or "all inputs"

    def described(self, strata: Sequence[StratumReport]) -> tuple[str, ...]:
        """The union of strata as few texts, the largest sets first."""
        wanted = {stratum.id for stratum in strata}
        covered: set[str] = set()
        found: list[str] = []
        for stratum in strata:
            if stratum.id in covered:
                continue
            text, members = next(self._larger(stratum, wanted), (self.where(stratum), {stratum.id}))
            covered |= members
            found.append(text)
        return tuple(dict.fromkeys(found))

    def _larger(self, stratum: StratumReport, wanted: set[str]) -> Iterator[tuple[str, set[str]]]:
        """Sets that hold the stratum, and of the others wanted ones alone."""
        equal = [self._guard(text) for text in stratum.equations]
        if None in equal or not self.report.whole:
            return
        ties = {pair[0]: 0 for pair in equal if pair is not None}
        halves: list[tuple[str, dict[str, int]]] = [("", {})]
        for text in stratum.inequalities:
            match = _RELATION.fullmatch(text)
            pair = self._guard(match[1]) if match else None
            if match and pair is not None:
                sign = pair[1] * (1 if match[2] == ">" else -1)
                halves.append((self._relation(match[1], match[2]), {pair[0]: sign}))
        relations = [self._relation(text, "==") for text in stratum.equations]
        for text, half in halves:
            signs = {**ties, **half}
            members = {
                other.id
                for other in self.report.strata
                if all(other.signs[guard] == sign for guard, sign in signs.items())
            }
            if stratum.id in members and members <= wanted:
                yield " and ".join([*relations, *([text] if text else [])]) or "all inputs", members

    def _guard(self, text: str) -> tuple[str, int] | None:
        """A guard whose switch is a multiple of this expression, and the sign of the factor."""
        polynomial = self._polynomial(text)
        if polynomial is None:
            return None
        for name, switch in self.guards.items():
            if switch is not None and switch == polynomial:
                return name, 1
            if switch is not None and switch == -polynomial:
                return name, -1
        return None

    def _polynomial(self, text: str) -> sympy.Poly | None:
        """With coprime integer coefficients, of the sign that it has; None for what is no polynomial."""
        if text not in self.known:
            self.known[text] = self._read(text) if len(text) <= LONGEST else None
        return self.known[text]

    def _read(self, text: str) -> sympy.Poly | None:
        renamed = _COORDINATE.sub(lambda match: str(self.symbols.get(_name(match), "?")), text)
        if re.search(r"[?\[\]]|\w\s*\(", renamed):
            return None  # a function is applied, or the value of a step on the way is named
        try:
            parsed = sympy.sympify(renamed, locals={str(item): item for item in self.symbols.values()})
            polynomial = sympy.Poly(parsed, *self.symbols.values(), domain="QQ")
        except (sympy.SympifyError, sympy.PolynomialError, sympy.CoercionFailed):
            return None
        scale = lcm(*(int(c.q) for c in polynomial.coeffs()))
        common = gcd(*(int(c * scale) for c in polynomial.coeffs()))
        return None if common == 0 else polynomial.mul_ground(sympy.Rational(scale, common))

    def _relation(self, text: str, sign: str) -> str:
        """`x - y` and `==` as `x == y`; what is not affine stays on its side."""
        polynomial = self._polynomial(text)
        if polynomial is None or polynomial.total_degree() != 1:
            return f"{text} {sign} 0"
        names = list(self.symbols)
        terms = [int(polynomial.coeff_monomial(1))]
        terms += [int(polynomial.coeff_monomial(symbol)) for symbol in self.symbols.values()]
        if sign == "<":
            terms, sign = [-entry for entry in terms], ">"
        return relation(tuple(terms), sign, names)


def _differs(text: str) -> str:
    """`Ne(x, 0)` as `x != 0`, and of several `(x != 0 or y != 0)`."""
    parts = [_DIFFERS.sub(r"\1 != 0", part) for part in text.split(" | ")]
    return f"({' or '.join(parts)})" if len(parts) > 1 else parts[0]


def _coordinates(report: StrataReport) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The entries of the inputs that move, as the witnesses have them."""
    for stratum in report.strata[:1]:
        for name, value in stratum.witness.items():
            for place in _places(value):
                yield name, place


def _places(value: Nested) -> Iterator[tuple[int, ...]]:
    if isinstance(value, str):
        yield ()
        return
    for place, entry in enumerate(value):
        yield from ((place, *inner) for inner in _places(entry))


def _name(match: re.Match[str]) -> tuple[str, tuple[int, ...]]:
    return match[1], tuple(int(entry) for entry in match[2].split(", ")) if match[2] else ()
