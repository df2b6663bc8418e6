"""A name -> what `cfc demo` shows: the gallery, or a program with its story and the check of its rewrite."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfcompiler import gallery
from cfcompiler.gallery import Example
from cfcompiler.source import Source

if TYPE_CHECKING:
    from cfcompiler.report.rewriting import RewriteReport
    from cfcompiler.targets.tables import Block


@dataclass(frozen=True, slots=True)
class Shown:
    """A screen, and the arguments of the command that shows the rest, () for none."""

    blocks: tuple[Block, ...]
    arguments: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `cfc demo` takes."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="one example, or how its name begins; without a name, all of them",
    )
    parser.add_argument(
        "--html", metavar="DIR", help="write pages into this folder: an index, and one for each example"
    )
    parser.add_argument("--timeout", metavar="SECONDS", default="30", help="for each example of --html (30)")
    parser.add_argument("--force", action="store_true", help="overwrite files that cfc did not generate")


def shown(name: str | None) -> Shown:
    """The gallery, or an example: its program, its story, the check, and the command that judges it. Raises CFError."""
    from cfcompiler.targets import gallery_text, terminal

    if name is None:
        return Shown(tuple(gallery_text.gallery_blocks(gallery.grouped(gallery.examples()))))
    found = gallery.meant(name)
    if len(found) > 1:
        return Shown(tuple(gallery_text.near_blocks(name, found)))
    example = found[0]
    blocks: list[Block] = []
    if example.name != name.removesuffix(".cf"):
        blocks += gallery_text.taken_blocks(name, example)
    blocks += gallery_text.story_blocks(example, check_of(example))
    if example.arguments:
        blocks += [(), terminal.command_line(example.arguments)]
    return Shown(tuple(blocks), example.arguments)


def check_of(example: Example, **options: Any) -> RewriteReport | None:
    """The check that the rewrite of an example is right, made anew; None where there is no rewrite. Raises CFError."""
    if not example.rewrite:
        return None
    from cfcompiler.analyses.rewriting import rewriting

    preset, rules = example.rules
    return rewriting(
        Source(example.text, str(example.path)),
        example.name,
        example.rewrite,
        example.point.split(),
        where=example.story.where,
        within=example.story.within,
        preset=preset,
        overrides={name: value for name, _, value in (rule.partition("=") for rule in rules)},
        **options,
    )
