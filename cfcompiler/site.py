"""The gallery -> a folder of pages: `cfc demo --html DIR`.

What is found of each example is found in a process of its own, which ends after so many seconds whatever it does then:
the page has what was found until then and says what is missing. Pages are written one after the other, the index last,
so that after Ctrl-C what is done is there.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil, floor
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import TYPE_CHECKING, Any

from cfcompiler import demo, errors, gallery, output
from cfcompiler.errors import CFError
from cfcompiler.gallery import Example
from cfcompiler.source import Source

if TYPE_CHECKING:
    from cfcompiler.compiler import Compiled
    from cfcompiler.ir import Program
    from cfcompiler.report import ComparisonReport, Curve, Map
    from cfcompiler.targets.gallery_site import Found

Progress = Callable[[str, int, int], None] | None
# Of the time of an example, about how much the strata of its picture may take.
SHARE = 0.25
# A map whose point of the story is nearer to its edge than this part of it is drawn again, larger.
EDGE = 0.1
_PARTS = {
    "check": "the check of the rewrite",
    "judgement": "the judgement at the point",
    "picture": "the picture",
    "report": "the report",
}


class PageFailed(RuntimeError):
    """A bug of cfc on one example; `found` is what was found before."""

    def __init__(self, found: Found, code: int) -> None:
        super().__init__(f"the page of {found.example.name} failed with exit code {code}")
        self.found = found


def write_site(
    directory: Path, examples: Sequence[Example], seconds: float, *, force: bool, progress: Progress
) -> tuple[Path, ...]:
    """Write the pages of `examples` and their index; the paths, the index last.

    `seconds`: for each of them. Raises CFError where a file is there that cfc did not write, unless `force`, before
    anything is found, and PageFailed, at the end, for a bug of cfc on an example. On KeyboardInterrupt the index of
    what is done is written.
    """
    from cfcompiler.targets import gallery_site

    index = directory / gallery_site.INDEX
    stories = [directory / gallery_site.file_name(example) for example in examples]
    reports = [directory / gallery_site.report_name(example) for example in examples]
    _prepare(directory)
    for path in (*stories, *reports, index):
        output.refuse_foreign(path, force=force)
    done: list[Found] = []
    written: list[Path] = []
    failed: list[PageFailed] = []
    try:
        for number, (example, story, report) in enumerate(zip(examples, stories, reports, strict=True)):
            if progress is not None:
                progress(example.name, number, len(examples))
            try:
                found = find(example, seconds)
            except PageFailed as problem:
                failed.append(problem)
                found = problem.found
            if found.report:
                output.write(report, found.report, force=force)
                written.append(report)
            output.write(story, gallery_site.story_page(found), force=force)
            written.append(story)
            done.append(found)
    finally:
        if progress is not None:
            progress("", 1, 1)
        if done:
            output.write(index, gallery_site.index_page(done), force=force)
    if failed:
        raise failed[0]
    return (*written, index)


def _prepare(directory: Path) -> None:
    """Make the folder, and see that something can be written there."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=directory):
            pass
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise CFError([errors.cannot_write(str(directory), reason)], Source("", "cfc")) from None


# one example, in a process of its own


def find(example: Example, seconds: float) -> Found:
    """What is found of an example within `seconds`. Raises PageFailed where the process failed by itself."""
    from cfcompiler.targets.gallery_site import Found

    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_serve, args=(theirs, example.name, seconds), daemon=True)
    with _interrupts_held():
        process.start()
    theirs.close()
    found: dict[str, Any] = {}
    unknown: list[str] = []
    ended = False
    end = monotonic() + seconds
    try:
        while ours.poll(max(0.0, end - monotonic())):
            name, value = ours.recv()
            if name == "unknown":
                unknown.append(value)
            else:
                found[name] = value
    except EOFError:
        ended = True
    finally:
        if not ended:
            process.kill()
        process.join()
        ours.close()
    if not ended:
        missing = [text for name, text in _PARTS.items() if name not in found]
        unknown.append(f"there was no time for {' and '.join(missing) or 'more'} ({seconds:g} seconds)")
    if ended and process.exitcode:
        unknown.append("the rest failed by a bug of cfc")
        raise PageFailed(Found(example=example, unknown=tuple(unknown), **found), process.exitcode)
    return Found(example=example, unknown=tuple(unknown), **found)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits until the end of the block; a process that is started in it never gets it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _serve(connection: Connection, name: str, seconds: float) -> None:
    """Send what is found as (part, value), each as soon as it is there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits
    example = gallery.example(name)
    for part in parts(example, seconds):
        connection.send(part)
    connection.close()


def parts(example: Example, seconds: float) -> Iterator[tuple[str, Any]]:
    """What is found of an example, as (part, value), in this process: fields of Found, and sentences for "unknown"."""
    yield "check", demo.check_of(example, seconds=seconds * SHARE)
    yield "judgement", _judgement(example)
    if not example.point:
        yield "picture", None
        yield "report", ""
        yield "unknown", "there are no picture and no report: the example names no point"
        return
    try:
        picture = _picture(example, seconds * SHARE)
    except CFError as problem:
        yield "picture", None
        yield "unknown", f"there is no picture: {problem.diagnostics[0].message}"
    else:
        yield "here", _here(example, picture)
        yield "picture", picture
        for sentence in picture.unknown:
            yield "unknown", sentence
    yield "report", _report(example, seconds * SHARE)


def _judgement(example: Example) -> str:
    """What `cfc at` prints, as plain text."""
    if not example.point:
        return ""
    from cfcompiler.analyses.at import at
    from cfcompiler.analyses.explanation import explanation_at
    from cfcompiler.point import parse_arguments
    from cfcompiler.targets import point_text, tables

    program = _compiled(example).program
    point = parse_arguments(program, example.point.split())
    report = at(program, point, program.preset)
    blocks = point_text.point_blocks(report, explanation_at(program, point, report), program.source)
    return tables.plain(blocks)


def _picture(example: Example, seconds: float) -> Curve | Map:
    """The picture through the point of the story: of the inputs by which something is in doubt there."""
    from cfcompiler.report import Curve

    compiled = _compiled(example)
    moving, fixed = _slice(example, compiled.program)
    picture = compiled.picture(slice=moving, fix=fixed, seconds=seconds)
    if isinstance(picture, Curve):
        return picture
    box = {}
    for name, (low, high), here in zip(picture.inputs, picture.box, _here(example, picture), strict=True):
        if not low + EDGE * (high - low) < here < high - EDGE * (high - low):
            box[name] = f"{floor(min(low, here - 1))}:{ceil(max(high, here + 1))}"
    return compiled.picture(slice=moving, fix=fixed, box=box, seconds=seconds) if box else picture


def _report(example: Example, seconds: float) -> str:
    """The text of what `cfc report` writes."""
    from cfcompiler.analyses.strata_question import question_of
    from cfcompiler.point import parse_arguments

    compiled = _compiled(example)
    question = question_of(compiled.program, fix=_data(example, compiled.program), seconds=seconds)
    point = parse_arguments(compiled.program, example.point.split())
    command = " ".join(("cfc report", example.path.name, *example.arguments[2:]))
    return compiled.page(question, point, command).text


def _data(example: Example, program: Program) -> dict[str, str]:
    """The inputs that are data, with their values at the point of the story."""
    values = {name: value for name, _, value in (word.partition("=") for word in example.point.split())}
    return {
        param.value.name: values[param.value.name] for param in program.params if not param.differentiable
    }


def _here(example: Example, picture: Curve | Map) -> tuple[float, ...]:
    """The point of the story on a picture."""
    from cfcompiler.numbers import to_float
    from cfcompiler.report import Curve

    program = _compiled(example).program
    entries = _entries(program, example)
    moving = (picture.input,) if isinstance(picture, Curve) else picture.inputs
    return tuple(to_float(entries[name]) for name in moving)


def _entries(program: Program, example: Example) -> dict[str, Any]:
    """The entries of the differentiable inputs at the point of the story, exact numbers by name."""
    from cfcompiler.analyses.entries import entry_name
    from cfcompiler.point import parse_arguments

    point = parse_arguments(program, example.point.split())
    return {
        entry_name(param.value.name, place): point[param.value.name][place]
        for param in program.params
        if param.differentiable
        for place in _places(point[param.value.name])
    }


def _slice(example: Example, program: Program) -> tuple[tuple[str, ...], dict[str, str]]:
    """The entries that move, two at most, and the values of the others at the point of the story."""
    from cfcompiler.analyses.comparison import Written, comparison
    from cfcompiler.number_text import to_text
    from cfcompiler.point import parse_arguments

    entries = {name: to_text(number) for name, number in _entries(program, example).items()}
    fixed = _data(example, program)
    if len(entries) <= 2:
        return (), fixed
    written = Written(Source(example.text, str(example.path)))
    compared = comparison(
        written, lambda one: parse_arguments(one, example.point.split()), presets=[program.preset]
    )
    doubtful = _doubtful(compared, list(entries))
    moving = tuple([*doubtful, *(name for name in entries if name not in doubtful)][:2])
    return moving, {**fixed, **{name: text for name, text in entries.items() if name not in moving}}


def _doubtful(compared: ComparisonReport, entries: Sequence[str]) -> list[str]:
    """The entries by which AD and the limits of gradients are not all one."""
    vectors = [row for rows in compared.truth.clarke for row in rows]
    vectors += [row for preset in compared.presets for row in preset.backward or ()]
    flat = [[leaf for value in vector.values() for leaf in _leaves(value)] for vector in vectors]
    return [name for place, name in enumerate(entries) if len({row[place] for row in flat}) > 1]


def _leaves(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [leaf for part in value for leaf in _leaves(part)]


def _places(array: Any) -> Iterator[tuple[int, ...]]:
    import numpy as np

    yield from np.ndindex(np.shape(array))


def _compiled(example: Example) -> Compiled:
    from cfcompiler.compiler import compile_file

    preset, rules = example.rules
    overrides = {name: value for name, _, value in (rule.partition("=") for rule in rules)}
    return compile_file(example.path, preset=preset, overrides=overrides)
