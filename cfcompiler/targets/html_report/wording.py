"""Page -> the sentences at its head, and the words that a page explains."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from importlib import resources

from cfcompiler.report import Row, StratumReport
from cfcompiler.report.page import Page, PagePoint
from cfcompiler.targets.terminal import row_text

MOST_PLACES = 4
MOST_LETTERS = 60  # of a set that is written out in a sentence
_ORDER = (
    "spurious",
    "undefined",
    "discontinuous",
    "artificial critical",
    "inexact",
    "clarke",
    "exact",
    "unknown",
)
HARMLESS = ("exact", "clarke", "inexact")


def glossary() -> dict[str, str]:
    """The words that are explained, as glossary.toml has them."""
    return tomllib.loads(resources.files(__package__).joinpath("glossary.toml").read_text(encoding="utf-8"))


def headline(page: Page) -> Iterator[tuple[str, str]]:
    """Sentences, what matters most first, each with the verdict that it tells of."""
    yield from sorted(_sentences(page), key=lambda one: _ORDER.index(one[0]))


def _sentences(page: Page) -> Iterator[tuple[str, str]]:
    strata = page.strata.strata
    wrong = [one for one in strata if one.verdict == "spurious"]
    if wrong:
        yield "spurious", _wrong_sets(page, wrong)
    for one in _told(page.points):
        yield one.report.judged.verdict, _at(one)
    if strata and not wrong:
        yield from _right(page)
    for verdict, words in (("undefined", "AD is undefined"), ("discontinuous", "The program jumps")):
        found = [one for one in strata if one.verdict == verdict]
        if found:
            yield verdict, f"{words} {_on(found)}."
    stalls = [one.where.replace("==", "=") for one in page.strata.artificial if one.stalls]
    if stalls:
        yield "artificial critical", _stays(page, stalls)
    if page.strata.unknown:
        yield "unknown", "Not everything was decided: see the end of this page."


def _stays(page: Page, stalls: Sequence[str]) -> str:
    """What an optimiser does is a question of one output."""
    if page.strata.scalar:
        return f"A gradient method stays {_where(stalls)}, where f still decreases."
    return f"AD returns 0 for all outputs {_where(stalls)}, and 0 is no mixture of the derivatives nearby."


def _on(found: Sequence[StratumReport]) -> str:
    """`on 2 strata, as where x - y = 0, y > 0: the reason`."""
    first = found[0]
    place = ", ".join([*(f"{text} = 0" for text in first.equations), *first.inequalities])
    text = f"on {_strata(len(found))}"
    if 0 < len(place) <= MOST_LETTERS:
        text += f", {'as ' if len(found) > 1 else ''}where {place}"
    reason = first.reason.removeprefix("the program jumps: ")
    return f"{text}: {reason}" if reason else text


def _wrong_sets(page: Page, wrong: Sequence[StratumReport]) -> str:
    exactly = "exactly " if page.strata.complete else ""
    places = _where([text.replace("==", "=") for text in page.strata.spurious])
    if "everywhere" in page.strata.spurious:
        exactly, places = "", "everywhere"
    text = f"AD is wrong {exactly}{places}"
    said = {(repr(one.ad), repr(one.gradient), repr(one.clarke)) for one in wrong}
    first = wrong[0]
    if len(said) > 1 or first.ad is None:
        return f"{text}."
    text += f": it returns {_rows(first.ad)}"
    if first.gradient is not None:
        return f"{text}, the gradient is {_rows(first.gradient)}."
    if first.clarke is not None and len(first.clarke) <= MOST_PLACES:
        hull = ", ".join(_rows(vertex) for vertex in first.clarke)
        return f"{text}, and the Clarke subdifferential is the hull of {hull}."
    return f"{text}, which is outside the Clarke subdifferential."


def _told(points: Sequence[PagePoint]) -> list[PagePoint]:
    """Points that belong to no stratum: the one that was asked for, or the origin."""
    return [one for one in points if not one.stratum][:MOST_PLACES]


def _at(one: PagePoint) -> str:
    report, judged = one.report, one.report.judged
    where = f"At {row_text(report.point)}"
    if judged.verdict in ("unknown", "discontinuous") or (judged.verdict == "undefined" and judged.reason):
        return f"{where}: {judged.reason}."
    text = f"{where} AD returns {_rows(report.backward)}"
    if judged.verdict == "exact":
        return f"{text}, the gradient."
    if judged.gradient is not None:
        return f"{text}, the gradient is {_rows(judged.gradient)}."
    inside = "an element" if judged.verdict == "clarke" else "which is no element"
    return f"{text}, {inside} of the Clarke subdifferential."


def _right(page: Page) -> Iterator[tuple[str, str]]:
    """That AD is right on all strata, or on all that are known."""
    report = page.strata
    if not all(one.verdict in HARMLESS for one in report.strata):
        return
    worst = "clarke" if any(one.verdict != "exact" for one in report.strata) else "exact"
    said = "the gradient" if worst == "exact" else "the gradient or an element of the Clarke subdifferential"
    count = len(report.strata)
    where = "on the one stratum that there is" if count == 1 else f"on all {_strata(count)}"
    if report.complete:
        yield worst, f"AD returns {said} {'in the box' if report.box is not None else 'everywhere'}: {where}."
    else:
        known = f"on the {_strata(count)} that {'is' if count == 1 else 'are'} known"
        yield worst, f"AD returns {said} {known}."


def _strata(count: int) -> str:
    return f"{count} {'stratum' if count == 1 else 'strata'}"


def _where(texts: Sequence[str]) -> str:
    """`where x = 0; or y = 0`; of sets that take many words, how many they are."""
    shown = [text for text in texts if len(text) <= MOST_LETTERS][:MOST_PLACES]
    more = len(texts) - len(shown)
    if not shown:
        return f"on {more} {'set' if more == 1 else 'sets'} of inputs, which the table of strata describes"
    return f"where {'; or '.join(shown)}" + (f"; or in {more} more sets" if more else "")


def _rows(rows: Sequence[Row]) -> str:
    texts = [row_text(row) for row in rows]
    return texts[0] if len(texts) == 1 else "[" + "; ".join(texts) + "]"
