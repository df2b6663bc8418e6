"""MkDocs' events -> the generated pages and tables of the site (docs/generate/)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from generate import codes, frameworks, gallery
from generate.markers import expanded
from generate.verdicts import colours

COLOURS = "assets/verdicts.css"
REPORT = "commands/identity_report.html"  # an example of what `cfc report` writes


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The navigation knows the pages that are generated."""
    config.extra_css.append(COLOURS)
    lists = {
        "Frameworks": list(frameworks.pages()),
        "Gallery": gallery.navigation(),
        "Codes": list(codes.pages()),
    }
    config.nav = [_entry(item, lists) for item in config.nav or []]
    return config


def _entry(item: Any, lists: dict[str, list[Any]]) -> Any:
    """One entry of the navigation; an entry of generated pages with the list of them."""
    title = next(iter(item))
    return {title: lists[title]} if title in lists else item


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The generated pages join the written ones."""
    for path, text in {**codes.pages(), **frameworks.pages(), **gallery.pages(), COLOURS: colours()}.items():
        files.append(File.generated(config, path, content=text))
    files.append(File.generated(config, REPORT, content=gallery.report("identity")))
    return files


def on_post_build(config: MkDocsConfig) -> None:
    """The gallery of `cfc demo --html` beside the site's own, where it is wanted."""
    if os.environ.get(gallery.WANTED):
        gallery.write_reports(Path(config.site_dir))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Markers of a page become tables."""
    return expanded(markdown)
