"""Examples, with what was found of each -> the pages of a site: an index with pictures, and a page for each story.

Everything stands in the page: no script, no request. All text of programs and stories is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources

from cfcompiler import __version__, output
from cfcompiler.gallery import Example, address, grouped
from cfcompiler.report import Curve, Map
from cfcompiler.report.rewriting import RewriteReport
from cfcompiler.targets.gallery_site.drawing import drawing, symbol
from cfcompiler.targets.gallery_text import checked
from cfcompiler.targets.marks import MARKS

INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of an example in its time.

    `judgement`: what `cfc at` prints, "" where the example names no point or there was no time. `picture`: None where
    there is none; `here`: the point of the story on it. `report`: the text of its report page, "" where there is none.
    `unknown`: what was not decided, as sentences.
    """

    example: Example
    check: RewriteReport | None = None
    judgement: str = ""
    picture: Curve | Map | None = None
    here: tuple[float, ...] = ()
    report: str = ""
    unknown: tuple[str, ...] = ()


def file_name(example: Example) -> str:
    """The name of the page of an example."""
    return f"{example.name}.html"


def report_name(example: Example) -> str:
    """The name of the report page of an example."""
    return f"{example.name}-report.html"


def index_page(found: Sequence[Found]) -> str:
    """The index: the kinds of phenomena, and a picture and a sentence for each example."""
    of = {one.example.name: one for one in found}
    groups = grouped([one.example for one in found])
    intro = (
        f"{len(found)} programs on which automatic differentiation is wrong, or looks so. Each picture shows what AD "
        "returns, with a mark where something is wrong or in doubt; each page tells who met it, what is true, and what "
        "to write instead."
    )
    links = "".join(
        f'<li><a href="#{kind.name}">{_text(kind.title)}</a> ({len(members)})</li>'
        for kind, members in groups
    )
    parts = [
        f"<header><h1>The gallery</h1><p>{intro}</p>",
        f'<nav aria-label="kinds"><ul class="kinds">{links}</ul></nav>',
        f'<p class="legend">{_legend()}</p></header><main>',
    ]
    for kind, members in groups:
        parts.append(
            f'<section id="{kind.name}"><h2>{_text(kind.title)}</h2><p class="quiet">{_text(kind.about)}</p>'
        )
        parts.append('<ul class="cards">')
        parts += (_card(of[example.name]) for example in members)
        parts.append("</ul></section>")
    return _page("The gallery", "\n".join(parts) + "\n</main>")


def story_page(found: Found) -> str:
    """The page of one example."""
    example = found.example
    story = example.story
    rows = [
        _row("who met it", _text(story.met)),
        _row("returned", _text(story.returned)),
        _row("true", _text(story.true)),
        _row("instead", _text(story.instead) + _code(example.rewritten())),
        _row("read more", _links(story.references)),
        _row("the check", _check(found.check)),
    ]
    name = f"<code>{_text(example.name)}</code> - {_text(example.title)}"
    parts = [
        f'<header><p><a href="{INDEX}">The gallery</a></p><h1>{_badge(example.verdict)}{name}</h1>',
        f'<p class="quiet">{_text(example.kind.title)}. {_text(example.kind.about)}</p></header><main>',
        _listing(example),
        _figure(found),
        f"<dl>{''.join(rows)}</dl>",
    ]
    if found.report:
        parts.append(
            f'<p class="go"><a href="{report_name(example)}">The report</a>: the program, its derivatives, its strata '
            "and pictures, to try out.</p>"
        )
    if found.judgement:
        command = " ".join(("cfc at", f"{example.name}.cf", *example.arguments[2:]))
        parts.append(
            f"<h2>At the point</h2><pre><b>$ {_text(command)}</b>\n{_text(found.judgement.rstrip())}</pre>"
        )
    if found.unknown:
        items = "".join(f"<li>{_text(sentence)}</li>" for sentence in found.unknown)
        parts.append(f'<h2>Not decided</h2><ul class="quiet">{items}</ul>')
    return _page(example.name, "\n".join(part for part in parts if part) + "\n</main>")


# parts


def _card(found: Found) -> str:
    example = found.example
    picture = drawing(found.picture, found.here, small=True) if found.picture is not None else _nothing()
    return (
        f'<li class="card"><a href="{file_name(example)}">{picture}'
        f"<span>{_badge(example.verdict)}<code>{_text(example.name)}</code></span>"
        f"<small>{_text(example.title)}</small></a></li>"
    )


def _nothing() -> str:
    text = '<text x="120" y="74" class="none">no picture</text>'
    return f'<svg viewBox="0 0 240 140" role="img" aria-label="no picture">{text}</svg>'


def _figure(found: Found) -> str:
    picture = found.picture
    if picture is None:
        return ""
    notes = [*picture.about, *(f"{name} = {value}" for name, value in picture.fixed.items())]
    if isinstance(picture, Curve):
        shown = f"In ink what AD returns over {picture.input}, pale the function; open dots are gradients"
    else:
        shown = f"The strata over {picture.inputs[0]} and {picture.inputs[1]}"
    caption = "; ".join([f"{shown}; ties {picture.ties}", *notes])
    shape = drawing(picture, found.here, small=False)
    return f"<figure>{shape}<figcaption>{_text(caption)}. {_legend()}</figcaption></figure>"


def _listing(example: Example) -> str:
    lines = example.program()
    digits = len(str(lines[-1][0]))
    shown = []
    for number, line in lines:
        text = f"{number:{digits}}  {line}"
        shown.append(f"<mark>{_text(text)}</mark>" if number == example.line else _text(text))
    return "<pre>" + "\n".join(shown) + "</pre>"


def _row(label: str, inner: str) -> str:
    return f"<dt>{label}</dt><dd>{inner}</dd>" if inner else ""


def _code(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return f"<pre>{_text(text)}</pre>" if text else ""


def _links(references: Sequence[str]) -> str:
    links = (f'<a href="{escape(address(one))}" rel="noreferrer">{_text(one)}</a>' for one in references)
    return ", ".join(links)


def _check(report: RewriteReport | None) -> str:
    if report is None:
        return ""
    items = (f"<li>{'' if good else '<b>open:</b> '}{_text(text)}</li>" for good, text in checked(report))
    return f"<ul>{''.join(items)}</ul>"


def _badge(verdict: str) -> str:
    return f'<span class="badge v-{verdict}" title="{verdict}">{symbol(verdict)}</span> ' if verdict else ""


def _legend() -> str:
    return " ".join(f'<span class="badge v-{word}">{symbol(word)}</span> {word}' for word in MARKS)


def _text(text: str) -> str:
    return escape(text, quote=True)


def _page(title: str, body: str) -> str:
    style = resources.files(__name__).joinpath("site.css").read_text(encoding="utf-8") + mark_styles()
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        f"<!DOCTYPE html>\n<!-- {output.MARK}, version {__version__} -->\n"
        f'<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_text(title)}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def mark_styles() -> str:
    """The colours of the verdicts, on light and on dark ground."""
    light = "".join(f".v-{mark.verdict}{{--mark:{mark.light}}}" for mark in MARKS.values())
    dark = "".join(f".v-{mark.verdict}{{--mark:{mark.dark}}}" for mark in MARKS.values())
    return f"{light}\n@media (prefers-color-scheme: dark) {{{dark}}}\n"
