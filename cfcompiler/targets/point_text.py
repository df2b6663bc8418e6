"""PointReport, Explanation -> the screen of `cfc at`: what AD returns, what is true, why they differ, what to do.

From top to bottom: the point, the value, AD, the truth, the tied operations under their source lines, the slopes on
both sides, the field D, the verdict in a sentence, how it is known, what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cfcompiler.report import (
    Choice,
    Explanation,
    NanOrigin,
    Origin,
    PointReport,
    Relation,
    Row,
    Settings,
    Side,
)
from cfcompiler.source import Source
from cfcompiler.targets.advice import advice, sentence
from cfcompiler.targets.tables import (
    DIM,
    FURTHEST,
    HEAD,
    WIDTH,
    Block,
    Entry,
    Quote,
    Words,
    cut,
    entry,
    labelled,
    quoted,
    verdict,
)
from cfcompiler.targets.terminal import nested_text, row_text
from cfcompiler.targets.vectors import changes_text, hull_text, one_number, vector_text

LABEL_WIDTH = 12
TIES, GUARDS, VERTICES, CORNERS = 8, 3, 8, 6  # how many are shown
LONGEST_GUARD = 60  # characters of a switch
LONGEST_OTHER = 36  # characters of what AD would return by another choice


def point_blocks(report: PointReport, explanation: Explanation, source: Source) -> Iterator[Block]:
    """Everything about one point."""
    where = row_text(report.point) or "its only point"
    yield Words(((report.program, HEAD), (f" at {where}", ""), (f", ties {report.ties}", DIM)))
    yield labelled(_entries(report, explanation, source), LABEL_WIDTH)


def _entries(report: PointReport, explanation: Explanation, source: Source) -> Iterator[Entry]:
    yield from entry("value", [nested_text(report.value)])
    yield from _returned(report)
    yield from _truth(report)
    yield from entry("tied here", list(_ties(report, explanation, source)) or ["nothing"])
    yield from entry("slopes", [_side(side, report.scalar) for side in explanation.sides])
    yield from entry("field D", list(_field(report)))
    if report.nan is not None:
        label = "NaN from" if report.nan.result == "nan" else "inf from"
        yield from entry(label, [_nan(report.nan, source)])
    yield from _verdict(report)
    yield from _right_when(report)
    yield from entry("to do", _sentences(advice(report, explanation)))
    yield from entry("note", _sentences(note for note in (report.reason, *report.notes) if note))


def _sentences(texts: Iterable[str]) -> list[Words]:
    return [Words(((text, ""),), "wrap") for text in texts]


# AD and the truth


def _returned(report: PointReport) -> Iterator[Entry]:
    if report.forward == report.backward:
        yield from entry("AD", _rows(report, report.backward))
    else:
        yield from entry("forward", _rows(report, report.forward))
        yield from entry("backward", _rows(report, report.backward))


def _rows(report: PointReport, rows: Sequence[Row]) -> list[str]:
    if report.scalar:
        return [row_text(rows[0]) or "no inputs"]
    return [f"[{place}] {row_text(row)}" for place, row in enumerate(rows)]


def _truth(report: PointReport) -> Iterator[Entry]:
    """The gradient, or what stands in its place; both where gradients nearby do not tend to it."""
    judged = report.judged
    if judged.gradient is not None:
        yield from entry("gradient", _rows(report, judged.gradient))
    if judged.as_field:
        yield from entry("Clarke", ["all of D: every vertex of D is a limit of gradients nearby"])
    if not judged.bouligand or (judged.gradient is not None and len(judged.bouligand) == 1):
        return
    limits = _vectors(report, judged.bouligand, CORNERS)
    limits += [] if judged.bouligand_complete else ["... not all of them"]
    meaning = "gradients at points nearby tend to these"
    lines = [f"{limits[0]}   ({meaning})", *limits[1:]] if one_number(report) else [f"{meaning}:", *limits]
    yield from entry("limits", lines)
    if not judged.clarke_complete:
        return
    if one_number(report):
        yield from entry("Clarke", [f"{hull_text(report, judged.clarke)}   (everything between the limits)"])
    elif len(judged.clarke) == len(judged.bouligand):
        yield from entry("Clarke", ["everything between the limits: their convex hull"])
    else:
        hull = _vectors(report, judged.clarke, CORNERS)
        yield from entry("Clarke", ["everything between the limits, the convex hull of", *hull])


def _vectors(report: PointReport, vectors: Sequence[Sequence[Row]], most: int) -> list[str]:
    """One line for vectors of one number, else one for each."""
    texts = [vector_text(report, vector) for vector in vectors[:most]]
    more = len(vectors) - most
    texts += [f"... and {more} more"] if more > 0 else []
    return [", ".join(texts)] if one_number(report) else texts


def _field(report: PointReport) -> Iterator[str]:
    if report.segments is not None:
        (base,) = _vectors(report, [report.segments.base], VERTICES)
        yield f"{base} + sum of {len(report.segments.segments)} segments"
        return
    if not report.vertices:
        yield "not known"
        return
    lines = _vectors(report, report.vertices, VERTICES)
    if len(report.vertices) > 1 and one_number(report):
        meant = f"{lines[0]}   (what AD may return, by the choices at the ties)"
        lines = [meant] if len(meant) <= WIDTH else lines
    yield from lines
    if not report.complete:
        yield "... not all of them"


def _side(side: Side, scalar: bool) -> str:
    def words(slopes: Sequence[str]) -> str:
        return (
            ", ".join(_slope(slope) for slope in slopes) if scalar else f"[{', '.join(map(_slope, slopes))}]"
        )

    return f"{side.entry}: {words(side.left)} on the left, {words(side.right)} on the right"


def _slope(slope: str) -> str:
    words = {"jump": "a jump", "outside": "outside the domain", "unknown": "not known"}
    return words.get(slope, nested_text(slope))


# the tied operations


def _ties(report: PointReport, explanation: Explanation, source: Source) -> Iterator[str | Quote]:
    shown = explanation.choices[:TIES]
    width = max((len(str(choice.line)) for choice in shown), default=0)
    before = 0
    for choice in shown:
        number = str(choice.line).rjust(width)
        yield _under_source(
            source, number, choice.column, _choice(report, choice), shown=choice.line != before
        )
        before = choice.line if choice.column <= FURTHEST else 0
    more = len(explanation.choices) - TIES
    if more > 0:
        yield f"... and {more} more tied operations"


def _under_source(source: Source, number: str, column: int, parts: Sequence[str], *, shown: bool) -> Quote:
    """The source line, if it is not the one above, and texts under the place with a caret."""
    text = source.line(int(number))
    offset = max(0, column - 1 - (len(text) - len(text.lstrip())))
    return quoted(number, text.strip(), offset, parts, shown=shown)


def _choice(report: PointReport, choice: Choice) -> list[str]:
    """What the operation is, what AD does there, and what it would return otherwise."""
    zero = ", ".join(f"{cut(guard, LONGEST_GUARD)} = 0" for guard in choice.guards[:GUARDS])
    if len(choice.guards) > GUARDS:
        zero += f", ... {len(choice.guards)} of them"
    head = f"{choice.op}, {zero}"
    if choice.kind in _NO_CHOICE:
        return [f"{head}:", _NO_CHOICE[choice.kind]]
    others = [(word, rows) for word, rows in choice.returned if word != choice.taken]
    if others and all(rows == report.backward for _, rows in choice.returned):
        return [f"{head}:", "AD is the same either way"]
    parts = [f"{_RESOLVED[choice.kind].format(choice.taken)};"]
    parts += [f"{_OTHERWISE[choice.kind].format(word)} {_other(report, rows)}," for word, rows in others]
    return [f"{head}:", *parts[:-1], parts[-1][:-1]]


def _other(report: PointReport, rows: Sequence[Row]) -> str:
    """What AD would return by another choice: of a long vector only what would change, which may stand at its end."""
    whole = vector_text(report, rows)
    if len(whole) <= LONGEST_OTHER:
        return f"be {whole}"
    if rows == report.backward:
        return "return the same"
    return f"have {changes_text(report, rows)}"


_NO_CHOICE = {
    "step": "it jumps here, and AD takes 0 for its slope",
    "order": "these keys may stand in any order",
}
_RESOLVED = {
    "side": "taken as {}",
    "answer": "the condition is {}",
    "entry": "of the equal entries AD takes {}",
}
_OTHERWISE = {
    "side": "as {} AD would",
    "answer": "were it {} AD would",
    "entry": "with the {} entry AD would",
}


# NaN


def _nan(found: NanOrigin, source: Source) -> Quote:
    mode = {"value": "the value", "backward": "backward AD", "forward": "forward AD"}[found.mode]
    parts = [f"{product(found.origin)} in {mode},"]
    if not found.selected:
        parts.append(f"in an arm that {found.arm} did not select,")
    parts.extend(_meaning(found))
    if found.source is not None:
        own = found.source
        parts.append(f"the inf is made in line {own.line}, column {own.column}, by {product(own)},")
    parts[-1] = parts[-1][:-1]
    return _under_source(source, str(found.origin.line), found.origin.column, parts, shown=True)


def product(origin: Origin) -> str:
    """`sqrt: 0 * inf`, `log(0)`, `1 / 0`."""
    factors = [nested_text(factor) for factor in origin.factors]
    if origin.how.isidentifier():
        made = f"{origin.how}({', '.join(factors)})"
        return f"{origin.op}: {made}" if origin.inside else made
    joined = f" {origin.how} ".join(factors)
    return joined if origin.op == origin.how else f"{origin.op}: {joined}"


def _meaning(found: NanOrigin) -> Iterator[str]:
    """What the two factors of the chain rule are."""
    origin = found.origin
    if found.mode != "value" and origin.how == "/" and origin.op != "/":
        yield f"inside the slope of {origin.op},"
    if found.mode == "value" or origin.how != "*" or len(origin.factors) != 2:
        return
    arriving, slope = (nested_text(factor) for factor in origin.factors)
    if slope == "nan" and arriving not in ("nan", "inf", "-inf"):
        yield f"the rule for {origin.op} is NaN at this point,"
        return
    given = "from the result" if found.mode == "backward" else "from the input"
    step = f"a step inside {origin.op}" if origin.inside else origin.op
    yield f"{arriving} is the derivative that arrives {given},"
    yield f"{slope} the slope of {step} here,"


# the verdict


def _verdict(report: PointReport) -> Iterator[Entry]:
    judged = report.judged
    word = judged.verdict
    yield from entry("verdict", [Words(((word, verdict(word)), (f": {sentence(report)}", "")), "wrap")])
    if judged.artificial_critical:
        yield from entry("critical", _sentences([_artificial(report)]), verdict("artificial"))
    if judged.verdict in ("exact", "inexact", "clarke", "spurious", "discontinuous"):
        yield from entry("known by", [_known(report)])


def _artificial(report: PointReport) -> str:
    nowhere = "0 is in the convex hull of D, not in the Clarke subdifferential"
    if not report.scalar:
        return f"{nowhere}: AD {'returns' if report.judged.ad_critical else 'may return'} 0 for all outputs"
    stops = (
        "an optimiser stops here"
        if report.judged.ad_critical
        else "by other choices an optimiser can stop here"
    )
    first = f"an artificial critical point: {nowhere}; {stops} although f still decreases"
    own = (
        c
        for c in report.judged.certificates
        if (c.of, c.relative_to, c.kind) == ("zero", "clarke", "separation")
    )
    zero = next(own, None)
    if zero is None:
        return first
    along = vector_text(report, zero.direction, names=True)
    return f"{first}, along d: {along} with the slope {nested_text(zero.support)} or less"


def _known(report: PointReport) -> str:
    if report.judged.trust == "solver":
        return (
            "exact arithmetic, and the word of the solver z3 for which pieces of the program touch the point"
        )
    return "exact arithmetic; every step was checked"


# the rules


def _right_when(report: PointReport) -> Iterator[Entry]:
    """For which numbers of the tied rules AD returns the gradient, and for which a Clarke subgradient."""
    found = report.right_when
    if found is None or not (found.parameters or found.fixed):
        return
    names = ", ".join(one.name for one in found.parameters)
    if found.gradient is not None:
        yield from entry("right when", [_settings_text(found.gradient, names, "gives the gradient")])
    if found.gradient is None or found.clarke.conditions != found.gradient.conditions:
        text = _settings_text(found.clarke, names, "gives a Clarke subgradient")
        yield from entry("Clarke when", [text])
    if len(found.parameters) > 1 and any(one.position is not None for one in found.parameters):
        yield from entry("", ["NAME_k is the weight of the k-th entry; the last tied entry has what is left"])
    for rule, reason in found.fixed:
        yield from entry("", [f"{rule} as the preset has it: {reason}"])


def _settings_text(found: Settings, names: str, does: str) -> str:
    if found.kind == "unknown":
        return f"not known: {found.reason}"
    if found.kind == "none":
        return f"never: no value of {names} {does}" if names else "never, whatever the rules"
    if not found.conditions:
        return f"always: any value of {names} {does}" if names else "always"
    text = ", ".join(_chained(found.conditions))
    outside = [value for value, inside in found.solutions if not inside]
    return f"{text} ({', '.join(outside)} outside the element set)" if outside else text


def _chained(conditions: Sequence[Relation]) -> Iterator[str]:
    """`0 <= relu <= 1/2` of two neighbours, `relu = 0 or relu = 1`."""
    words = {"Eq": "=", "Le": "<="}
    texts: list[list[str]] = []
    for one in conditions:
        if one.kind == "Or":
            texts.append([" or ".join(_chained(one.parts))])
        elif one.kind == "Le" and texts and texts[-1][1:2] == ["<="] and texts[-1][-1] == one.left:
            texts[-1] += ["<=", one.right]
        else:
            texts.append([one.left, words[one.kind], one.right])
    return (" ".join(text) for text in texts)
