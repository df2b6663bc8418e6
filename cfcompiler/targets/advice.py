"""PointReport -> the verdict in a sentence, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from cfcompiler.report import Certificate, Explanation, NanOrigin, Nested, PointReport
from cfcompiler.targets.terminal import nested_text
from cfcompiler.targets.vectors import hull_text, one_number, vector_text


def sentence(report: PointReport) -> str:
    """What the word of the verdict means here, with the numbers."""
    judged = report.judged
    if not report.backward[0]:
        return "there is no input to differentiate by"
    returned = f"AD returns {vector_text(report, report.backward)}"
    gradient = "" if judged.gradient is None else f"the gradient is {vector_text(report, judged.gradient)}"
    match judged.verdict:
        case "exact":
            return f"{returned}, the gradient"
        case "inexact":
            return f"{returned}, {gradient}; what AD returns is a mixture of gradients nearby, not the slope of f"
        case "clarke":
            return f"f has no gradient here; {returned}, {_element(report)}"
        case "spurious" if gradient:
            return f"{returned}, {gradient}"
        case "spurious":
            return f"f has no gradient here; {returned}, {_outside(report)}"
    return judged.reason or returned


def _element(report: PointReport) -> str:
    if one_number(report) and report.judged.clarke_complete and report.judged.clarke:
        return f"an element of the Clarke subdifferential {hull_text(report, report.judged.clarke)}"
    return "an element of the Clarke subdifferential: a mixture of gradients nearby"


def _outside(report: PointReport) -> str:
    if one_number(report) and report.judged.clarke_complete and report.judged.clarke:
        return f"which is not in the Clarke subdifferential {hull_text(report, report.judged.clarke)}"
    found = _separation(report)
    if found is None:
        return "which is not in the Clarke subdifferential"
    direction = vector_text(report, found.direction, names=True)
    slope, most = nested_text(found.value), nested_text(found.support)
    return f"but along d: {direction} AD has the slope {slope}, no limit of gradients more than {most}"


def _separation(report: PointReport) -> Certificate | None:
    found = (c for c in report.judged.certificates if (c.of, c.kind) == ("ad", "separation"))
    return next(found, None)


def advice(report: PointReport, explanation: Explanation) -> list[str]:
    """What to do, by the cause; nothing where there is nothing to do. Rules that would be right belong here too."""
    judged = report.judged
    if report.nan is not None:
        return list(_about_nan(report, report.nan))
    match judged.verdict:
        case "spurious" | "inexact":
            return list(_about_wrong(report, explanation))
        case "discontinuous":
            return ["make the pieces agree where they meet; at a jump there is no derivative to return"]
        case "undefined" if _not_finite(report.value):
            return [
                "keep the program away from this point: the value of f is not finite here, so it has no derivative"
            ]
        case "undefined":
            return [
                "keep the program away from this point: its slopes grow without bound here, as those of sqrt at 0"
            ]
        case "unknown" if "pieces" in judged.reason or "time" in judged.reason:
            return ["allow more work: --timeout SECONDS, --max-cells N"]
    return []


def _not_finite(value: Nested) -> bool:
    """An entry of the value is NaN or infinite: nothing is known then of the slopes."""
    if isinstance(value, str):
        return value in ("nan", "inf", "-inf")
    return any(map(_not_finite, value))


def _about_wrong(report: PointReport, explanation: Explanation) -> Iterator[str]:
    moving = [
        choice
        for choice in explanation.choices
        if not choice.returned or any(rows != report.backward for _, rows in choice.returned)
    ]
    branches = [choice for choice in moving if choice.kind == "answer"]
    steps = [choice for choice in explanation.choices if choice.kind == "step"]
    if branches:
        first = branches[0]
        yield (
            f"the {first.op} of line {first.line}: an arm that is taken at single points, or on a thin set, has a "
            "slope of its own there; write it so that its derivative is that of the arm beside it, or both arms "
            "in one formula"
        )
    if steps:
        yield (
            f"the {steps[0].op} of line {steps[0].line} jumps here, and AD takes 0 for its slope: f is smooth only by "
            "what it is multiplied or joined with; write both as one function"
        )
    if len(branches) + len(steps) < len(moving) and report.judged.verdict == "spurious":
        yield (
            "together the rules at these ties give a slope that is no mixture of slopes of f nearby: write f with "
            "fewer kinks, or choose other rules (--ties, --tie)"
        )
    if report.judged.lexicographic is not None:
        told = "lexicographic() returns a limit of gradients, whatever is tied"
        one_of_few = (
            report.judged.bouligand_complete
        )  # else the limits along near directions differ from one another
        yield f"{told}: {vector_text(report, report.judged.lexicographic)} here" if one_of_few else told


def _about_nan(report: PointReport, nan: NanOrigin) -> Iterator[str]:
    if not nan.selected:
        yield (
            f"the arm that {nan.arm} does not select is computed and differentiated too: give it a harmless argument "
            "there, where(c, f(where(c, x, 1)), ...) (a double where), or use a lazy `a if c else b`"
        )
    elif nan.mode == "value":
        yield f"the value itself is not finite: keep the argument of {nan.origin.op} away from this point"
    elif nan.origin.factors[-1] == "nan":
        yield f"the rules of {report.ties} say NaN at this tie: choose a number, --tie {nan.origin.op}=0"
    elif nan.result == "nan" and nan.origin.how != "*":
        yield (
            f"the slope of {nan.origin.op} has no value here: keep its argument away from this point, or choose a rule "
            "that has one (`cfc ties` shows what each framework returns)"
        )
    elif nan.result == "nan":
        yield (
            "write what is multiplied here as one operation whose slope is finite (as x*sqrt(x) is x**1.5, and "
            "sqrt(x**2) is abs(x)), or keep the argument away from this point"
        )
    else:
        yield f"the slope of {nan.origin.op} is infinite here: keep its argument away from this point"
