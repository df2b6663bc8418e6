"""Facts -> findings: the codes of `cfc check` and all their wording.

Each code is explained at length, with a wrong and a right program, in explanations.toml. Messages are lower case
without a full stop; the help says what to write instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from cfcompiler.report import ArtificialPoint, Finding, Nested, Place, Row, StratumReport

LEVELS: dict[str, str] = {
    "CF101": "warning",
    "CF102": "warning",
    "CF103": "warning",
    "CF104": "warning",
    "CF105": "warning",
    "CF106": "warning",
    "CF107": "warning",
    "CF108": "warning",
    "CF109": "warning",
    "CF110": "warning",
    "CF190": "note",
    "CF191": "warning",
    "CF192": "error",
}
UNUSUAL = frozenset({"CF105"})  # found only where they are asked for
MOST_SETS = 3  # named in a message; a finding has them all
MOST_VECTORS = 6
MOST_OPERATIONS = 6
LONGEST = 160  # of a formula in a sentence; JSON has it whole
_ONE_OPERATION = "write it with one nonsmooth operation, or choose other rules: --tie"


# sets and vectors


def listed(sets: Sequence[str]) -> str:
    """Sets for a sentence, the first few of them."""
    shown = "; ".join(sets[:MOST_SETS])
    more = len(sets) - MOST_SETS
    return shown + (f"; and {more} more {'set' if more == 1 else 'sets'}" if more > 0 else "")


def vector_text(rows: Sequence[Row]) -> str:
    """`1`, `(1, 0)`, `([0, 1], 2)`; of several outputs the rows, one after the other."""
    texts = [_row_text(row) for row in rows]
    text = texts[0] if len(texts) == 1 else "[" + "; ".join(texts) + "]"
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def _row_text(row: Row) -> str:
    entries = [_nested(value) for value in row.values()]
    return entries[0] if len(entries) == 1 else "(" + ", ".join(entries) + ")"


def _nested(value: Nested) -> str:
    return value if isinstance(value, str) else "[" + ", ".join(map(_nested, value)) + "]"


def point_text(row: Row) -> str:
    return ", ".join(f"{name} = {_nested(value)}" for name, value in row.items())


def _truth(stratum: StratumReport) -> str:
    """What is true on a stratum, for the end of a sentence."""
    if stratum.gradient is not None:
        return f"the gradient is {vector_text(stratum.gradient)}"
    if stratum.clarke is None:
        return "which lies outside the Clarke subdifferential"
    shown = ", ".join(vector_text(vertex) for vertex in stratum.clarke[:MOST_VECTORS])
    dots = ", ..." if len(stratum.clarke) > MOST_VECTORS else ""
    return f"the Clarke subdifferential is the hull of {shown}{dots}"


def _returned(stratum: StratumReport) -> str:
    return "" if stratum.ad is None else f"AD returns {vector_text(stratum.ad)}"


def _operations(places: Sequence[Place]) -> str:
    """`relu on line 2, max on line 3`, for a sentence."""
    shown = [f"{place.op} on line {place.line}" for place in places[:MOST_OPERATIONS]]
    more = len(places) - MOST_OPERATIONS
    return ", ".join(dict.fromkeys(shown)) + (f", and {more} more" if more > 0 else "")


def _of_stratum(
    code: str,
    message: str,
    help_: str,
    places: Sequence[Place],
    sets: Sequence[str],
    stratum: StratumReport,
    values: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        code,
        LEVELS[code],
        message,
        help_,
        tuple(places),
        tuple(sets),
        stratum.witness,
        stratum.ad,
        stratum.gradient,
        stratum.clarke,
        values,
        stratum.trust,
    )


# what AD returns


def spurious(places: Sequence[Place], sets: Sequence[str], stratum: StratumReport) -> Finding:
    message = f"spurious derivative on {sets[0]}: {_returned(stratum)}, {_truth(stratum)}"
    if len(sets) > 1:
        message += f"; also on {listed(sets[1:])}"
    if len(places) > 1:
        message += f" (tied there: {_operations(places)})"
    thin = any(place.op in ("if", "where") for place in places)
    help_ = (
        "let the arms of the branch have one gradient on the set, or write it without an equality"
        if thin
        else ("choose another rule: --tie" if len(places) == 1 else _ONE_OPERATION)
    )
    return _of_stratum("CF101", message, help_, places, sets, stratum)


def artificial(
    places: Sequence[Place],
    points: Sequence[ArtificialPoint],
    stratum: StratumReport | None,
    *,
    outputs: bool,
) -> Finding:
    """`outputs`: there are several, so that no optimiser has a say."""
    sets = tuple(dict.fromkeys(point.where for point in points))
    message = (
        f"artificial critical point at {listed(sets)}: 0 is in the hull of what AD may return there, "
        "and is no Clarke subgradient"
    )
    stalling = [point for point in points if point.stalls]
    if stalling:
        message += "; AD returns 0 there"
        message += " for all outputs" if outputs else ", and gradient descent that arrives stays"
    started = next((point for point in stalling if point.start is not None), None)
    if started is not None and started.start is not None:
        message += f" (it does from {point_text(started.start)} with step {started.step})"
    help_ = _ONE_OPERATION
    return Finding(
        "CF102",
        LEVELS["CF102"],
        message,
        help_,
        tuple(places),
        sets,
        points[0].point or (stratum.witness if stratum else None),
        stratum.ad if stratum else None,
        stratum.gradient if stratum else None,
        stratum.clarke if stratum else None,
        trust=stratum.trust if stratum else "",
    )


def unselected(places: Sequence[Place], sets: Sequence[str], stratum: StratumReport, what: str) -> Finding:
    message = f"{what} on {listed(sets)}, where it is not selected, and spoils the derivative"
    if stratum.ad is not None:
        message += f": {_returned(stratum)}"
    if stratum.gradient is not None:
        message += f", {_truth(stratum)}"
    help_ = "use if and else, which evaluate one arm, or choose a harmless argument first: sqrt(where(x > 0, x, 1))"
    return _of_stratum("CF103", message, help_, places, sets, stratum)


def jump(
    places: Sequence[Place], sets: Sequence[str], stratum: StratumReport, here: str, nearby: str
) -> Finding:
    message = f"the value jumps on {listed(sets)}"
    if here and nearby:
        point = f" at {point_text(stratum.witness)}" if stratum.witness else ""
        message += f":{point} it is {here}, and {nearby} is approached"
    elif stratum.reason:
        message += f": {stratum.reason}"
    help_ = "let both arms have one value where they meet"
    values = (here, nearby) if here and nearby else ()
    return _of_stratum("CF104", message, help_, places, sets, stratum, values)


def not_c1(places: Sequence[Place], sets: Sequence[str], stratum: StratumReport) -> Finding:
    message = f"the branch is continuous, and not differentiable on {listed(sets)}"
    if stratum.clarke:
        message += f": the gradients {', '.join(map(vector_text, stratum.clarke[:MOST_VECTORS]))} meet there"
    return _of_stratum("CF105", message, "let both arms have one gradient too", places, sets, stratum)


def steep(places: Sequence[Place], sets: Sequence[str], stratum: StratumReport, what: str) -> Finding:
    message = f"{what or 'the program is not locally Lipschitz'} on {listed(sets)}"
    if stratum.ad is not None:
        message += f": {_returned(stratum)}"
    if not what and stratum.reason:
        message += f" ({stratum.reason})"
    help_ = "keep the argument away from there: assert it, or add a small constant"
    if not what and stratum.near_jump:  # a jump is there whatever is added
        help_ = "let both arms have one value where they meet nearby, or assert that the argument keeps away"
    return _of_stratum("CF106", message, help_, places, sets, stratum)


def outside(places: Sequence[Place], sets: Sequence[str], stratum: StratumReport, what: str) -> Finding:
    message = f"{what} on {listed(sets)}"
    help_ = "say on which inputs the program is meant, as in `assert x > 0`, or choose the argument first"
    return _of_stratum("CF107", message, help_, places, sets, stratum)


def inexact(places: Sequence[Place], sets: Sequence[str], stratum: StratumReport) -> Finding:
    message = f"inexact derivative on {listed(sets)}: {_returned(stratum)}, {_truth(stratum)}"
    message += "; both are Clarke subgradients"
    help_ = "the pieces that meet there touch like a cusp: no rule of the operation alone gives the gradient"
    return _of_stratum("CF110", message, help_, places, sets, stratum)


# what never matters


def constant_guard(place: Place, truth: str) -> Finding:
    help_ = "remove the choice, or put right what it compares"
    return Finding("CF108", LEVELS["CF108"], truth, help_, (place,))


def dead(place: Place, why: str) -> Finding:
    return Finding("CF109", LEVELS["CF109"], why, "remove it", (place,))


# about the check itself


def undecided(places: Sequence[Place], sets: Sequence[str], reason: str) -> Finding:
    where = f" on {listed(sets)}" if sets else ""
    return Finding("CF190", LEVELS["CF190"], f"not decided{where}: {reason}", "", tuple(places), tuple(sets))


def unused_ignore(place: Place, codes: Sequence[str]) -> Finding:
    message = f"this comment silences nothing: there is no {' or '.join(codes)} here"
    return Finding("CF191", LEVELS["CF191"], message, "remove it", (place,))


def unknown_ignore(place: Place, code: str, near: str) -> Finding:
    known = f"did you mean {near}?" if near else "`cfc explain` lists the codes"
    if not code:
        help_ = "write the codes in brackets: # cf: ignore[CF101] reason"
        return Finding("CF192", LEVELS["CF192"], "this comment names no code", help_, (place,))
    return Finding("CF192", LEVELS["CF192"], f"{code!r} is not a code of a finding", known, (place,))
