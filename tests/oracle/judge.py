"""A case, what `cfc at --json` says of it, what is proved of it -> the contradictions between them.

`contradictions` are refutations: one of them is a bug of the compiler (or of the oracle). `doubts` are answers that
claim more than the oracle has found, where it cannot claim to have found everything. A key that is missing or null,
or a verdict `unknown`, contradicts nothing; `undecided` tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.oracle.generator import Case, Transformed
from tests.oracle.hulls import extreme, in_hull
from tests.oracle.numbers import Executed, Mixed, as_fractions, gradient, is_tied, point_of, vertices_of_field
from tests.oracle.programs import Vector, evaluate, operations
from tests.oracle.sampling import Seen, Slope

WORDS = ("exact", "inexact", "clarke", "spurious", "undefined", "discontinuous", "unknown")
SETS = ("field", "bouligand", "clarke")
FLAGS = ("ad_critical", "field_critical", "clarke_critical", "artificial_critical")
MOST_CHOICES = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of one scalar program, read: vectors in the order of the inputs; None where it does not say."""

    verdict: str | None
    value: Fraction | None
    ad: Vector | None
    forward: Vector | None
    sets: Mapping[str, tuple[tuple[Vector, ...], bool] | None]
    gradient: Vector | None
    lexicographic: Vector | None
    min_norm: Vector | None
    flags: Mapping[str, bool | None]

    def complete(self, name: str) -> tuple[Vector, ...] | None:
        """The vertices of a set that is said to be complete."""
        found = self.sets[name]
        return found[0] if found is not None and found[1] else None

    def given(self, name: str) -> tuple[Vector, ...]:
        found = self.sets[name]
        return found[0] if found is not None else ()


def read(case: Case, answer: Mapping[str, Any]) -> Answer:
    """Raises ValueError where a number is not rational: all those of these programs are."""
    names = case.program.inputs

    def row(value: Mapping[str, str] | None) -> Vector | None:
        if value is None or any(value[name] in ("nan", "inf", "-inf") for name in names):
            return None
        return tuple(Fraction(value[name]) for name in names)

    def vertices(name: str) -> tuple[tuple[Vector, ...], bool] | None:
        entry = answer.get(name)
        if entry is None or entry.get("vertices") is None:
            return None
        rows = [row(vertex) for vertex in entry["vertices"]]
        return tuple(vertex for vertex in rows if vertex is not None), bool(entry.get("complete"))

    ad = answer.get("ad") or {}
    return Answer(
        answer.get("verdict"),
        Fraction(answer["value"]) if "value" in answer else None,
        row(ad.get("backward")),
        row(ad.get("forward")),
        {name: vertices(name) for name in SETS},
        row(answer.get("gradient")),
        row(answer.get("lexicographic")),
        row(answer.get("min_norm")),
        {name: answer.get(name) for name in FLAGS},
    )


def undecided(answer: Mapping[str, Any]) -> list[str]:
    """What an answer leaves open, by key."""
    verdict = answer.get("verdict")
    found = ["verdict"] if verdict in (None, "unknown") else []
    if verdict == "discontinuous":
        return found
    found += [name for name in SETS if not (answer.get(name) or {}).get("complete")]
    return found + [name for name in (*FLAGS, "lexicographic", "min_norm") if answer.get(name) is None]


def contradictions(case: Case, answer: Mapping[str, Any], truth: Seen) -> list[str]:
    """Everything in `answer` that is refuted."""
    said = read(case, answer)
    if truth.jumps:
        wrong = said.verdict not in (None, "unknown", "discontinuous")
        return [f"the value jumps, the verdict is {said.verdict}"] if wrong else []
    checks: tuple[Callable[[Case, Answer, Seen], Iterator[str]], ...]
    if case.verdict in ("undefined", "discontinuous"):  # it jumps where no curve went
        checks = (_words, _derivatives, _known)
        return [text for check in checks for text in check(case, said, truth)]
    checks = (
        _words,
        _derivatives,
        _limits,
        _hull_of_limits,
        _gradient,
        _verdict,
        _field,
        _flags,
        _selected,
        _known,
    )
    return [text for check in checks for text in check(case, said, truth)]


def doubts(case: Case, answer: Mapping[str, Any], truth: Seen) -> list[str]:
    """What was claimed and not seen by samples that are not known to be all."""
    said = read(case, answer)
    if truth.complete or truth.jumps:
        return []
    met = truth.proved | truth.persistent
    found = [f"unseen limiting gradient {show(v)}" for v in said.given("bouligand") if v not in met]
    if said.verdict in ("exact", "inexact", "clarke") and said.ad is not None and not in_hull(said.ad, met):
        found.append(f"{said.verdict}, but {show(said.ad)} is outside the hull of what was seen")
    if said.verdict == "clarke" and linear(truth.slopes)[0]:
        found.append(f"clarke, but all {len(truth.slopes)} rays agree")
    if said.verdict == "spurious" and said.gradient is None and linear(truth.slopes)[0]:
        found.append(f"no gradient is said, but all {len(truth.slopes)} rays agree")
    return found


def _words(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    if said.verdict is not None and said.verdict not in WORDS:
        yield f"no such verdict: {said.verdict}"
    if case.continuous and said.verdict in ("discontinuous", "undefined"):
        yield f"the program is continuous and locally Lipschitz, the verdict is {said.verdict}"


def _derivatives(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    """The value, and what AD returns under the rules."""
    if said.value is not None and said.value != truth.value:
        yield f"the value is {truth.value}, not {said.value}"
    expected = ad_vector(case)
    for name, found in (("backward", said.ad), ("forward", said.forward)):
        if expected is not None and found is not None and found != expected:
            yield f"AD ({name}) returns {show(expected)}, not {show(found)}"


def ad_vector(case: Case) -> Vector | None:
    """What AD returns under the rules; None where an ordering, which has no rule here, is tied."""
    point = point_of(case.point)
    executed = Executed()
    evaluate(case.program, point, executed)
    met = zip(executed.nodes, executed.trace, strict=True)
    if any(at.op in ("sorted", "median") and is_tied(outcome) for at, outcome in met):
        return None
    return as_fractions(gradient(case.program, point, Mixed(rules=case.rules)).gradient)


def _limits(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    """The Bouligand subdifferential."""
    complete = said.complete("bouligand")
    if complete is not None:
        for vector in truth.proved - set(complete):
            yield f"the limiting gradient {show(vector)} is missing from a complete bouligand"
        for vector in truth.persistent - truth.proved - set(complete):
            yield f"the gradient {show(vector)}, seen on all scales, is missing from a complete bouligand"
    if truth.complete:
        for vector in said.given("bouligand"):
            if vector not in truth.proved:
                yield f"{show(vector)} in bouligand is not a limiting gradient"


def _hull_of_limits(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    """The Clarke subdifferential: the extreme points of the hull of all limits."""
    complete, limits = said.complete("clarke"), said.complete("bouligand")
    if complete is not None:
        if extreme(complete) != set(complete):
            yield f"clarke.vertices are not the extreme points of their hull: {shown(complete)}"
        for vector in truth.proved:
            if not in_hull(vector, complete):
                yield f"the limiting gradient {show(vector)} is outside a complete clarke"
        if limits is not None and extreme(limits) != set(complete):
            yield f"clarke {shown(complete)} is not the hull of bouligand {shown(limits)}"
    if truth.complete:
        for vector in said.given("clarke"):
            if not in_hull(vector, truth.proved):
                yield f"{show(vector)} in clarke is outside the Clarke subdifferential"


def linear(slopes: Sequence[Slope]) -> tuple[bool, Vector | None]:
    """Are these the slopes of one linear function, and of which (None: they do not span)? By elimination."""
    if not slopes:
        return True, None
    size = len(slopes[0].direction)
    rows: list[list[Fraction]] = []  # reduced, each with its pivot
    pivots: list[int] = []
    for slope in slopes:
        row = [*slope.direction, slope.slope]
        for pivot, known in zip(pivots, rows, strict=True):
            row = [a - row[pivot] * b for a, b in zip(row, known, strict=True)]
        lead = next((place for place in range(size) if row[place]), None)
        if lead is None:
            if row[-1]:
                return False, None
            continue
        row = [entry / row[lead] for entry in row]
        rows = [[a - other[lead] * b for a, b in zip(other, row, strict=True)] for other in rows]
        rows.append(row)
        pivots.append(lead)
    if len(pivots) < size:
        return True, None
    return True, tuple(row[-1] for _, row in sorted(zip(pivots, rows, strict=True)))


def _gradient(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    if said.gradient is not None:
        for slope in truth.slopes:
            along = _dot(said.gradient, slope.direction)
            if along != slope.slope:
                yield (
                    f"along {show(slope.direction)} the slope is {slope.slope}, "
                    f"the gradient {show(said.gradient)} says {along}"
                )
                break
        if truth.complete and truth.proved != {said.gradient}:
            yield f"the gradient is {show(said.gradient)}, the limiting gradients are {shown(truth.proved)}"
    elif said.verdict in ("exact", "inexact"):
        yield f"the verdict is {said.verdict}, without a gradient"
    if said.gradient is not None and said.verdict in ("clarke", "undefined", "discontinuous"):
        yield f"the verdict is {said.verdict}, with the gradient {show(said.gradient)}"
    limits = truth.proved if truth.complete else said.complete("clarke") or ()
    if said.gradient is None and said.verdict == "spurious" and len(limits) == 1:
        yield f"f has the gradient {shown(limits)}, null is said"


def _verdict(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    verdict = said.verdict
    if verdict in (None, "unknown") or said.ad is None:
        return
    if truth.complete:
        if len(truth.proved) == 1:
            expected = "exact" if said.ad in truth.proved else "spurious"
        else:
            expected = "clarke" if in_hull(said.ad, truth.proved) else "spurious"
        if verdict != expected:
            yield f"the verdict is {expected}, not {verdict}"
        return
    differentiable, only = linear(truth.slopes)
    if not differentiable and verdict in ("exact", "inexact"):
        yield f"the slopes are not linear, the verdict is {verdict}"
    if verdict == "exact" and only is not None and differentiable and only != said.ad:
        yield f"the slopes are those of {show(only)}, AD returns {show(said.ad)}, the verdict is exact"
    if verdict == "inexact" and said.ad in (said.gradient, only):
        yield f"the verdict is inexact, but AD returns {show(said.ad)}"
    if verdict == "exact" and said.gradient is not None and said.gradient != said.ad:
        yield f"exact, but AD {show(said.ad)} is not the gradient {show(said.gradient)}"
    if verdict == "spurious" and in_hull(said.ad, truth.proved):
        yield f"spurious, but {show(said.ad)} lies in the hull of limiting gradients {shown(truth.proved)}"
    complete = said.complete("clarke")
    if complete is not None and in_hull(said.ad, complete) != (verdict != "spurious"):
        yield f"the verdict {verdict} does not fit AD {show(said.ad)} and clarke {shown(complete)}"


def _field(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    complete = said.complete("field")
    if complete is None:
        return
    for vector in truth.proved:
        if not in_hull(vector, complete):
            yield f"the limiting gradient {show(vector)} is outside conv D = hull of {shown(complete)}"
    if said.ad is not None and not in_hull(said.ad, complete):
        yield f"AD {show(said.ad)} is outside conv D = hull of {shown(complete)}"
    # A framework may compose the median of other selections, and a guard that is zero may have one arm near by.
    if not operations(case.program) & {"if", "where", "median"}:
        expected = vertices_of_field(case.program, point_of(case.point), MOST_CHOICES)
        if expected is not None and expected != set(complete):
            yield f"D has the vertices {shown(expected)}, not {shown(complete)}"


def _flags(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    zero = (Fraction(0),) * len(case.point)
    field, clarke = said.complete("field"), said.complete("clarke")
    ad, in_field, in_clarke, artificial = (said.flags[name] for name in FLAGS)
    expected: Iterable[tuple[str, bool | None, bool | None]] = (
        ("ad_critical", ad, None if said.ad is None else said.ad == zero),
        ("field_critical", in_field, None if field is None else in_hull(zero, field)),
        ("clarke_critical", in_clarke, None if clarke is None else in_hull(zero, clarke)),
        ("clarke_critical", in_clarke, in_hull(zero, truth.proved) if truth.complete else None),
        ("clarke_critical", in_clarke, True if in_hull(zero, truth.proved) else None),
        ("field_critical", in_field, True if in_hull(zero, truth.proved) else None),
        ("field_critical", in_field, True if ad else None),
        (
            "artificial_critical",
            artificial,
            None if in_field is None or in_clarke is None else in_field and not in_clarke,
        ),
        ("artificial_critical", artificial, False if in_hull(zero, truth.proved) else None),
    )
    for name, found, right in expected:
        if found is not None and right is not None and found != right:
            yield f"{name} is {right}, not {found}"


def _selected(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    """The lexicographic derivative and the element of least norm."""
    limits, clarke = said.complete("bouligand"), said.complete("clarke")
    found = said.lexicographic
    if found is not None:
        if limits is not None and found not in limits:
            yield f"lexicographic {show(found)} is not in bouligand {shown(limits)}"
        if truth.complete and found not in truth.proved:
            yield f"lexicographic {show(found)} is not a limiting gradient"
    least = said.min_norm
    if least is None:
        return
    if clarke is not None and not in_hull(least, clarke):
        yield f"min_norm {show(least)} is outside clarke {shown(clarke)}"
    if truth.complete and not in_hull(least, truth.proved):
        yield f"min_norm {show(least)} is outside the Clarke subdifferential"
    for vector in (*truth.proved, *(clarke or ())):
        if _dot(least, vector) < _dot(least, least):
            yield f"min_norm {show(least)} is not the shortest: {show(vector)} lies on the other side"
            break


def _known(case: Case, said: Answer, truth: Seen) -> Iterator[str]:
    """What the construction of the case tells."""
    if case.ad is not None and said.ad is not None and said.ad != case.ad:
        yield f"AD returns {show(case.ad)} by construction, not {show(said.ad)}"
    if case.gradient is not None and said.gradient is not None and said.gradient != case.gradient:
        yield f"the gradient is {show(case.gradient)} by construction, not {show(said.gradient)}"
    if case.gradient is not None and said.gradient is None and said.verdict not in (None, "unknown"):
        yield f"the gradient is {show(case.gradient)} by construction, null is said with {said.verdict}"
    if case.verdict is not None and said.verdict not in (None, "unknown", case.verdict):
        yield f"the verdict is {case.verdict} by construction, not {said.verdict}"
    field = said.complete("field")
    for vector in case.in_field if field is not None else ():
        if vector not in field:
            yield f"{show(vector)} is in D by construction, not among {shown(field)}"
    clarke = said.complete("clarke")
    if case.only_zero is not None and clarke is not None:
        zero = (Fraction(0),) * len(case.point)
        if (set(clarke) == {zero}) != case.only_zero:
            yield f"clarke {shown(clarke)}, but that it is {{0}} is {case.only_zero} by satisfiability"


def disagreements(case: Case, answer: Mapping[str, Any], partner: Mapping[str, Any]) -> list[str]:
    """Where the answers to the two programs of a pair do not correspond."""
    assert case.partner is not None
    first, second = read(case, answer), read(case.transformed(), partner)
    return list(_disagreements(case.partner, first, second))


def _disagreements(map_: Transformed, first: Answer, second: Answer) -> Iterator[str]:
    decided = first.verdict not in (None, "unknown") and second.verdict not in (None, "unknown")
    if decided and first.verdict != second.verdict:
        yield f"verdicts of a pair: {first.verdict} and {second.verdict}"
    for name in ("ad", "gradient"):
        one, other = getattr(first, name), getattr(second, name)
        if decided and (one is None) != (other is None):
            yield f"{name} of a pair: one of them is null"
        if one is not None and other is not None and map_.image(one) != other:
            yield f"{name} of a pair: {show(map_.image(one))} expected, not {show(other)}"
    for name in SETS:
        ours, theirs = first.complete(name), second.complete(name)
        if ours is not None and theirs is not None and {map_.image(v) for v in ours} != set(theirs):
            images = shown({map_.image(v) for v in ours})
            yield f"{name} of a pair: {images} expected, not {shown(theirs)}"


def _dot(left: Vector, right: Vector) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def show(vector: Iterable[Fraction]) -> str:
    return f"({', '.join(map(str, vector))})"


def shown(vectors: Iterable[Vector]) -> str:
    return f"{{{', '.join(show(vector) for vector in sorted(vectors))}}}"
