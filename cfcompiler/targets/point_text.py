"""PointReport, Explanation -> the screen of `cfc at`: what AD returns, what is true, why they differ, what to do.

From top to bottom: the point, the value, AD, the truth, the tied operations under their source lines, the slopes on
both sides, the field D, the verdict in a sentence, how it is known, what to do about it.
"""

from __future__ import annotations

import re
import textwrap
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
from cfcompiler.targets.terminal import DIM, ERROR, GOOD, HEAD, LABEL, WARNING, Line, nested_text, row_text
from cfcompiler.targets.vectors import hull_text, one_number, vector_text

LABEL_WIDTH = 12
WIDTH = 100  # longer lines are cut; --json has everything
TIES, GUARDS, VERTICES, CORNERS = 8, 3, 8, 6  # how many are shown
LONGEST_GUARD = 60  # characters of a switch
FURTHEST = 60  # a place further to the right is shown without the beginning of its line
COLOURS = {
    "exact": GOOD,
    "clarke": GOOD,
    "inexact": WARNING,
    "unknown": WARNING,
    "spurious": ERROR,
    "undefined": ERROR,
    "discontinuous": ERROR,
}


def point_lines(report: PointReport, explanation: Explanation, source: Source) -> Iterator[Line]:
    """Everything about one point."""
    where = row_text(report.point) or "its only point"
    yield ((report.program, HEAD), (f" at {where}", ""), (f", ties {report.ties}", DIM))
    yield from _block("value", [nested_text(report.value)])
    yield from _returned(report)
    yield from _truth(report)
    yield from _block("tied here", list(_ties(report, explanation, source)) or ["nothing"])
    yield from _block("slopes", [_side(side, report.scalar) for side in explanation.sides])
    yield from _block("field D", list(_field(report)))
    if report.nan is not None:
        yield from _block(
            "NaN from" if report.nan.result == "nan" else "inf from", list(_nan(report.nan, source))
        )
    yield from _verdict(report)
    yield from _right_when(report)
    yield from _block("to do", _wrapped(advice(report, explanation)))
    yield from _block("note", _wrapped(note for note in (report.reason, *report.notes) if note))


def _block(label: str, texts: Sequence[str | Line]) -> Iterator[Line]:
    for place, text in enumerate(texts):
        head = ("  " + (label if place == 0 else "").ljust(LABEL_WIDTH), LABEL)
        yield (head, (_cut(text), "")) if isinstance(text, str) else (head, *text)


def _wrapped(texts: Iterable[str]) -> list[str]:
    """Sentences on lines of their own, the later lines of each indented; `[0, 1]` is not broken."""
    kept = (re.sub(r"\[[^\[\]]{1,40}\]", lambda found: found[0].replace(" ", "\0"), text) for text in texts)
    lines = (line for text in kept for line in textwrap.wrap(text, WIDTH, subsequent_indent="  "))
    return [line.replace("\0", " ") for line in lines]


def _cut(text: str, width: int = WIDTH) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


# AD and the truth


def _returned(report: PointReport) -> Iterator[Line]:
    if report.forward == report.backward:
        yield from _block("AD", _rows(report, report.backward))
    else:
        yield from _block("forward", _rows(report, report.forward))
        yield from _block("backward", _rows(report, report.backward))


def _rows(report: PointReport, rows: Sequence[Row]) -> list[str]:
    if report.scalar:
        return [row_text(rows[0]) or "no inputs"]
    return [f"[{place}] {row_text(row)}" for place, row in enumerate(rows)]


def _truth(report: PointReport) -> Iterator[Line]:
    """The gradient, or what stands in its place; both where gradients nearby do not tend to it."""
    judged = report.judged
    if judged.gradient is not None:
        yield from _block("gradient", _rows(report, judged.gradient))
    if judged.as_field:
        yield from _block("Clarke", ["all of D: every vertex of D is a limit of gradients nearby"])
    if not judged.bouligand or (judged.gradient is not None and len(judged.bouligand) == 1):
        return
    limits = _vectors(report, judged.bouligand, CORNERS)
    limits += [] if judged.bouligand_complete else ["... not all of them"]
    meaning = "gradients at points nearby tend to these"
    lines = [f"{limits[0]}   ({meaning})", *limits[1:]] if one_number(report) else [f"{meaning}:", *limits]
    yield from _block("limits", lines)
    if not judged.clarke_complete:
        return
    if one_number(report):
        yield from _block("Clarke", [f"{hull_text(report, judged.clarke)}   (everything between the limits)"])
    elif len(judged.clarke) == len(judged.bouligand):
        yield from _block("Clarke", ["everything between the limits: their convex hull"])
    else:
        hull = _vectors(report, judged.clarke, CORNERS)
        yield from _block("Clarke", ["everything between the limits, the convex hull of", *hull])


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


def _ties(report: PointReport, explanation: Explanation, source: Source) -> Iterator[str | Line]:
    shown = explanation.choices[:TIES]
    width = max((len(str(choice.line)) for choice in shown), default=0)
    before = 0
    for choice in shown:
        yield from _under_source(source, choice.line, choice.column, _choice(report, choice), width, before)
        before = choice.line if choice.column <= FURTHEST else 0
    more = len(explanation.choices) - TIES
    if more > 0:
        yield f"... and {more} more tied operations"


def _under_source(
    source: Source, line: int, column: int, parts: Sequence[str], width: int, before: int = 0
) -> Iterator[Line]:
    """The source line, unless it is that of `before`, and texts under the place with a caret."""
    text = source.line(line)
    stripped = text.strip()
    offset = max(0, column - 1 - (len(text) - len(text.lstrip())))
    far = offset > FURTHEST
    if far:
        stripped, offset = "..." + stripped[offset - 10 :], 13
    if far or line != before:
        yield ((f"{str(line).rjust(width)} | ", DIM), (_cut(stripped, WIDTH - width - 3), ""))
    room = WIDTH - width - 3 - offset - 2
    for place, own in enumerate(_joined(parts, room)):
        lead = ((" " * offset, ""), ("^ " if place == 0 else "  ", ERROR))
        yield ((f"{' ' * width} | ", DIM), *lead, (_cut(own, room), ""))


def _joined(parts: Sequence[str], room: int) -> list[str]:
    """Parts of a sentence on as few lines as hold them."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 1 + len(part) <= room:
            lines[-1] += " " + part
        else:
            lines.append(part)
    return lines


def _choice(report: PointReport, choice: Choice) -> list[str]:
    """What the operation is, what AD does there, and what it would return otherwise."""
    zero = ", ".join(f"{_cut(guard, LONGEST_GUARD)} = 0" for guard in choice.guards[:GUARDS])
    if len(choice.guards) > GUARDS:
        zero += f", ... {len(choice.guards)} of them"
    head = f"{choice.op}, {zero}"
    if choice.kind in _NO_CHOICE:
        return [f"{head}:", _NO_CHOICE[choice.kind]]
    others = [(word, rows) for word, rows in choice.returned if word != choice.taken]
    if others and all(rows == report.backward for _, rows in choice.returned):
        return [f"{head}:", "AD is the same either way"]
    parts = [f"{_RESOLVED[choice.kind].format(choice.taken)};"]
    parts += [f"{_OTHERWISE[choice.kind].format(word)} {vector_text(report, rows)}," for word, rows in others]
    return [f"{head}:", *parts[:-1], parts[-1][:-1]]


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
    "side": "as {} AD would be",
    "answer": "were it {} AD would be",
    "entry": "with the {} entry AD would be",
}


# NaN


def _nan(found: NanOrigin, source: Source) -> Iterator[Line]:
    mode = {"value": "the value", "backward": "backward AD", "forward": "forward AD"}[found.mode]
    parts = [f"{product(found.origin)} in {mode},"]
    if not found.selected:
        parts.append(f"in an arm that {found.arm} did not select,")
    parts.extend(_meaning(found))
    if found.source is not None:
        own = found.source
        parts.append(f"the inf is made in line {own.line}, column {own.column}, by {product(own)},")
    parts[-1] = parts[-1][:-1]
    yield from _under_source(
        source, found.origin.line, found.origin.column, parts, len(str(found.origin.line))
    )


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


def _verdict(report: PointReport) -> Iterator[Line]:
    judged = report.judged
    label = ("  " + "verdict".ljust(LABEL_WIDTH), LABEL)
    first, *rest = _wrapped([f"{judged.verdict}: {sentence(report)}"])
    yield (label, (judged.verdict, COLOURS[judged.verdict]), (first[len(judged.verdict) :], ""))
    yield from _block("", rest)
    if judged.artificial_critical:
        yield from _block("critical", _wrapped([_artificial(report)]))
    if judged.verdict in ("exact", "inexact", "clarke", "spurious", "discontinuous"):
        yield from _block("known by", [_known(report)])


def _artificial(report: PointReport) -> str:
    stops = (
        "an optimiser stops here"
        if report.judged.ad_critical
        else "by other choices an optimiser can stop here"
    )
    first = (
        "an artificial critical point: 0 is in the convex hull of D, not in the Clarke subdifferential; "
        f"{stops} although f still decreases"
    )
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


def _right_when(report: PointReport) -> Iterator[Line]:
    """For which numbers of the tied rules AD returns the gradient, and for which a Clarke subgradient."""
    found = report.right_when
    if found is None or not (found.parameters or found.fixed):
        return
    names = ", ".join(one.name for one in found.parameters)
    if found.gradient is not None:
        yield from _block("right when", [_settings_text(found.gradient, names, "gives the gradient")])
    if found.gradient is None or found.clarke.conditions != found.gradient.conditions:
        text = _settings_text(found.clarke, names, "gives a Clarke subgradient")
        yield from _block("Clarke when", [text])
    if len(found.parameters) > 1 and any(one.position is not None for one in found.parameters):
        yield from _block(
            "", ["NAME_k is the weight of the k-th entry; the last tied entry has what is left"]
        )
    for rule, reason in found.fixed:
        yield from _block("", [f"{rule} as the preset has it: {reason}"])


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
