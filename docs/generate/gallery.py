"""The examples and their stories -> the gallery: an index by kind of phenomenon, and a page for each."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from cfcompiler import gallery
from cfcompiler.demo import check_of
from cfcompiler.gallery import Example, address
from cfcompiler.targets.gallery_text import checked
from generate.markdown import block, plain, table
from generate.running import printed
from generate.verdicts import marked

INDEX = "gallery/index.md"
REPORTS = "gallery/reports"  # in the site, where they are wanted
WANTED = "CFC_REPORTS"  # this variable of the environment


@cache
def pages() -> dict[str, str]:
    """The path of each page with its text; every check is made anew, and every point is asked."""
    return {INDEX: _index(), **{_path(example): _page(example) for example in gallery.examples()}}


def report(name: str) -> str:
    """The page that `cfc report` writes about an example."""
    return printed(["report", "-", "-o", "-"], gallery.example(name).text)


def write_reports(site: Path) -> None:
    """The pages of `cfc demo --html`, with a report of each program that can be played with; minutes of work."""
    folder = site / REPORTS
    said = printed(["demo", "--html", str(folder)], "")
    assert (folder / "index.html").exists(), said


def navigation() -> list[Any]:
    """The pages under their kinds."""
    kinds = gallery.grouped(gallery.examples())
    return [INDEX, *({kind.title: [{one.name: _path(one)} for one in members]} for kind, members in kinds)]


def _path(example: Example) -> str:
    return f"gallery/{example.name}.md"


def _index() -> str:
    parts = [
        "# Gallery\n",
        "Programs on which AD is wrong, or looks so, most of them from bug reports and papers. `cfc demo NAME`",
        "shows one in a terminal and runs it. Each page has the program, its story, what to write instead, and the",
        "check that the rewrite is the same function and that AD is right on it.\n",
    ]
    for kind, members in gallery.grouped(gallery.examples()):
        rows = [(f"[{one.name}]({one.name}.md)", plain(one.title), _word(one)) for one in members]
        parts.append(
            f"## {kind.title}\n\n{kind.about}\n\n{table(('program', 'what it shows', 'verdict'), rows)}"
        )
    return "\n".join(parts)


def _reported(example: Example) -> str:
    """A link to the page that `cfc demo --html` makes of it, where these pages are wanted."""
    if not os.environ.get(WANTED):
        return ""
    page = f'<a href="reports/{example.name}.html">Its page from <code>cfc demo --html</code></a>'
    return f"{page}, with a report to play with.\n\n"


def _word(example: Example) -> str:
    return marked(example.verdict) if example.verdict else ""


def _page(example: Example) -> str:
    story = example.story
    rows = [
        ("Who met it", _told(story.met)),
        ("What was returned", _told(story.returned)),
        ("What is true", _told(story.true)),
        ("Write instead", _told(story.instead) + _rewrite(example)),
        ("The check", _check(example)),
        ("Read more", "\n".join(f"- <{address(reference)}>" for reference in story.references)),
    ]
    told = "\n".join(f"{title}\n\n:   {_below(text)}\n" for title, text in rows if text)
    title = plain(example.title[:1].upper() + example.title[1:])
    return (
        f"# {example.name}\n\n**{title}.** {_word(example)}\n\n{_program(example)}\n{told}\n"
        f"{_asked(example)}{_reported(example)}[{example.kind.title}](index.md#{_anchor(example.kind.title)}): {example.kind.about}\n"
    )


def _told(text: str) -> str:
    """A sentence of a story; other examples are links."""
    known = gallery.names()

    def linked(found: re.Match[str]) -> str:
        return f"[{found[1]}]({found[1]}.md)" if found[1] in known else found[0]

    return re.sub(r"\b(\w+)\.cf\b", linked, plain(text))


def _program(example: Example) -> str:
    lines = example.program()
    wrong = [str(place) for place, (number, _) in enumerate(lines, 1) if number == example.line]
    marks = f' hl_lines="{wrong[0]}"' if wrong else ""
    body = "\n".join(line for _, line in lines)
    return f'```python title="examples/{example.path.name}"{marks}\n{body}\n```\n'


def _rewrite(example: Example) -> str:
    lines = example.rewritten()
    return f"\n\n{block(chr(10).join(lines), 'python')}" if lines else ""


def _check(example: Example) -> str:
    report = check_of(example)
    return "" if report is None else "\n".join(f"- {plain(text)}" for _, text in checked(report))


def _asked(example: Example) -> str:
    """What `cfc at` says at the point of the phenomenon."""
    if not example.arguments:
        return ""
    shown = ["cfc", "at", f"examples/{example.path.name}", *example.arguments[2:]]
    said = printed(list(example.arguments), "")
    return f"## What cfc says\n\n{block(f'$ {chr(32).join(shown)}{chr(10)}{said}', 'console')}\n"


def _below(text: str) -> str:
    """Under a definition: indented."""
    return text.replace("\n", "\n    ")


def _anchor(title: str) -> str:
    return "-".join(word.strip(":,.").lower() for word in title.split())
