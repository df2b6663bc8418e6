"""`cfc demo --html`: pages that stand alone, with what was found in time, and nothing of others overwritten."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cfcompiler import cli, gallery, site
from cfcompiler.errors import CFError
from cfcompiler.report import Curve, Map
from cfcompiler.targets.gallery_site import Found, index_page, story_page
from cfcompiler.targets.gallery_site.drawing import drawing, symbol
from cfcompiler.targets.marks import MARKS

ROOT = Path(__file__).resolve().parent.parent
VOID = {"meta", "br", "link", "rect", "circle", "path"}


class Reader(HTMLParser):
    """Collects tags, links and text; fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = dict(attrs)
        assert "style" not in named
        assert not [name for name in named if name.startswith("on")]
        if "href" in named:
            self.links.append(named["href"] or "")
        if "id" in named:
            self.ids.add(named["id"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def chosen(*names: str) -> tuple[gallery.Example, ...]:
    return tuple(example for name in names for example in gallery.meant(name))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "deep" / "pages"
    site.write_site(folder, chosen("zero", "trap", "norm_zero"), 60, force=False, progress=None)
    return folder


def test_the_index_leads_to_every_page(written: Path) -> None:
    index = Reader((written / "index.html").read_text(encoding="utf-8"))
    pages = {path.name for path in written.iterdir()} - {"index.html"}
    stories = {"zero.html", "trap.html", "norm_zero.html"}
    assert pages == stories | {name.replace(".html", "-report.html") for name in stories}
    assert stories <= set(index.links)
    for name in stories:
        page = Reader((written / name).read_text(encoding="utf-8"))
        assert name.replace(".html", "-report.html") in page.links
        assert "index.html" in page.links
    assert {link[1:] for link in index.links if link.startswith("#")} <= index.ids
    assert {"spurious", "critical", "infinite"} <= index.ids


def test_a_page_tells_the_story_and_the_judgement(written: Path) -> None:
    text = (written / "trap.html").read_text(encoding="utf-8")
    page = Reader(text)
    words = " ".join(" ".join(page.words).split())
    example = gallery.example("trap")
    for part in (example.title, example.story.met, example.story.true, example.story.instead):
        assert part in words
    assert "(w - 1) ** 2" in words
    assert "equal on all 3 strata, proved" in words
    assert "AD returns -2 under all 13 presets: the gradient" in words
    assert "$ cfc at trap.cf w=0" in words
    assert "an artificial critical point" in words
    assert "<mark>" in text
    assert "script" not in page.tags
    assert "default-src 'none'" in text


def test_every_page_has_a_picture_with_its_marks(written: Path) -> None:
    for name, verdict in (("zero", "spurious"), ("norm_zero", "undefined")):
        text = (written / f"{name}.html").read_text(encoding="utf-8")
        figure = re.search(r"<figure>.*?</svg>", text, flags=re.DOTALL)
        assert figure is not None, name
        assert f'class="v-{verdict}"' in figure[0]


def test_what_is_not_known_is_said() -> None:
    sentence = "where t == 0 the verdict is open"
    text = story_page(Found(gallery.example("zero"), judgement="", unknown=(sentence,)))
    assert "<h2>Not decided</h2>" in text
    assert sentence in text


def test_text_is_escaped() -> None:
    evil = "<script>alert('&')</script>"
    example = gallery.example("zero")
    lines = [*example.text.splitlines(), f"# {evil}", ""]
    story = replace(
        example.story, met=evil, returned=evil, true=evil, instead=evil, references=(f"https://{evil}",)
    )
    bad = replace(example, title=evil, text="\n".join(lines), story=story)
    found = Found(bad, judgement=evil, unknown=(evil,))
    for text in (story_page(found), index_page([found])):
        assert "script" not in Reader(text).tags
        assert "<script" not in text
        assert "&lt;script&gt;" in text


def test_a_page_is_written_when_there_is_no_time(tmp_path: Path) -> None:
    site.write_site(tmp_path, chosen("digits"), 2.0, force=False, progress=None)
    text = (tmp_path / "digits.html").read_text(encoding="utf-8")
    assert "there was no time for" in text
    assert "(2 seconds)" in text
    assert "no picture" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_what_is_not_ours_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "index.html").write_text("mine", encoding="utf-8")
    assert cli.main(["demo", "zero", "--html", str(tmp_path)]) == 2
    assert "CF09" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "mine"
    assert cli.main(["demo", "zero", "--html", str(tmp_path), "--force"]) == 0
    assert cli.main(["demo", "zero", "--html", str(tmp_path)]) == 0  # its own pages it writes anew
    assert f"wrote 3 pages; begin with {tmp_path / 'index.html'}" in capsys.readouterr().out


def test_a_folder_that_cannot_be_is_a_complaint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(CFError, match="file"):
        site.write_site(tmp_path / "file", chosen("zero"), 5, force=False, progress=None)
    assert cli.main(["demo", "zero", "--html", str(tmp_path / "x"), "--timeout", "no"]) == 2


@pytest.mark.skipif(os.name != "posix", reason="a signal as a terminal sends it")
def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "cfcompiler", "demo", "--html", str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables, start_new_session=True
    ) as process:
        end = time.monotonic() + 60
        while not (tmp_path / "abs_two_ways.html").exists() and time.monotonic() < end:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert (tmp_path / "abs_two_ways.html").exists()
    assert "abs_two_ways.html" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.skipif(
    multiprocessing.get_start_method() != "fork", reason="the process must have what is put in here"
)
def test_a_bug_on_one_example_leaves_the_other_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(example: gallery.Example, seconds: float) -> Iterator[tuple[str, object]]:
        yield "judgement", "this much"
        if example.name == "trap":
            raise ZeroDivisionError

    monkeypatch.setattr(site, "parts", broken)
    with pytest.raises(site.PageFailed, match="the page of trap failed"):
        site.write_site(tmp_path, chosen("trap", "zero"), 20, force=False, progress=None)
    assert {path.name for path in tmp_path.iterdir()} == {"trap.html", "zero.html", "index.html"}
    text = (tmp_path / "trap.html").read_text(encoding="utf-8")
    assert "this much" in text
    assert "the rest failed by a bug of cfc" in text
    assert "by a bug" not in (tmp_path / "zero.html").read_text(encoding="utf-8")


def test_the_point_of_the_story_is_well_inside_of_its_map() -> None:
    example = gallery.example("chunk_size")
    parts = dict(site.parts(example, 60))
    picture, (a, b) = parts["picture"], parts["here"]
    assert (a, b) == (0.0, 2.0)
    (low, high), (bottom, top) = picture.box
    assert low < a - 0.4 < a + 0.4 < high
    assert bottom < b - 0.4 < b + 0.4 < top


def test_every_verdict_has_a_shape() -> None:
    shapes = {symbol(verdict) for verdict in MARKS}
    assert len(shapes) == len(MARKS)


def test_pictures_have_no_number_that_is_none() -> None:
    from cfcompiler.compiler import compile_file

    for name in ("where_sqrt", "gamma", "l1_penalty", "khan_barton"):
        (example,) = chosen(name)
        picture = compile_file(example.path).picture(seconds=5)
        assert isinstance(picture, Curve | Map)
        text = drawing(picture, (0.0, 0.0), small=False)
        assert not re.search(r"nan|inf\b|None", text)
        assert "<svg" in text
