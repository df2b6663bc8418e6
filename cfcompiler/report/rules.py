"""For which tie rules AD is right at a point."""

from __future__ import annotations

from dataclasses import dataclass

from cfcompiler.report.rows import Row


@dataclass(frozen=True, slots=True)
class RuleNumber:
    """The number of a tie rule, as `--tie RULE=NUMBER` takes it; of an extremum over many the weight of one entry.

    `here`: what the preset has, None where it is no one number. `low`, `high`: the ends of its element set. `position`:
    of the entry, from 1; the last of the tied entries has what is left.
    """

    name: str
    rule: str
    here: str | None
    low: str
    high: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """kind "Eq": left = right; "Le": left <= right; "Or": one of the relations `parts` holds."""

    kind: str
    left: str = ""
    right: str = ""
    parts: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """A set of rule numbers, exactly those of the reals that satisfy all of `conditions`.

    kind "one": exactly one setting; "none"; "all": every setting whose numbers are in their element sets; "set": some;
    "unknown": not known whether some, for `reason`. `example`: values of rules as `--tie` takes them, within the
    element sets where it can be. `solutions`: where one number decides and has finitely many values, these, and
    whether each is in the element set.
    """

    kind: str
    conditions: tuple[Relation, ...] = ()
    example: tuple[tuple[str, str], ...] | None = None
    solutions: tuple[tuple[str, bool], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RightWhen:
    """What AD returns as polynomials in the numbers of the rules tied here, and for which numbers that is right.

    `ad` is None where it is not known, for `reason`. `gradient`: it is the gradient, None where f has none; `clarke`:
    it is in the Clarke subdifferential. `fixed`: rules that are tied too and keep what the preset says,
    and why.
    """

    parameters: tuple[RuleNumber, ...]
    fixed: tuple[tuple[str, str], ...]
    ad: tuple[Row, ...] | None
    gradient: Settings | None
    clarke: Settings
    reason: str = ""
