"""`cfc plot`: what stands in the figures, and which files are written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import cfcompiler
from cfcompiler import gallery
from cfcompiler.cli import main
from cfcompiler.errors import CFError
from cfcompiler.report import Curve
from cfcompiler.targets.marks import MARKS
from cfcompiler.targets.plots import FORMATS, image
from cfcompiler.targets.plots.labels import labelled

ZERO = "def zero(t):\n    return relu(-t) + t - relu(t)\n"
MAP = "def f(x, y):\n    return relu(x) - relu(-x) + y*y\n"


def texts(figure: Any) -> list[str]:
    found = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        found += [text.get_text() for text in axes.texts] + [axes.get_xlabel(), axes.get_ylabel()]
    return found + [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def marks_of(axes: Any, x: float) -> dict[float, str]:
    """The markers that are drawn at x, by their height."""
    return {
        float(line.get_ydata()[0]): line.get_marker()
        for line in axes.lines
        if len(line.get_xdata()) == 1 and line.get_xdata()[0] == x
    }


def test_the_closed_and_the_open_dot_stand_where_ad_and_the_truth_are() -> None:
    figure = cfcompiler.compile_text(ZERO).plot().figure
    above, below = figure.axes
    assert marks_of(above, 0.0) == {0.0: "X"}
    assert marks_of(below, 0.0) == {0.0: "o", 1.0: "X"}


def test_a_kink_has_its_clarke_interval_and_the_frameworks_ticks() -> None:
    program = cfcompiler.compile_file(gallery.folder() / "relu2.cf")
    figure: Any = program.plot().figure
    below: Any = figure.axes[1]
    bars = [list(line.get_ydata()) for line in below.lines if list(line.get_xdata()) == [0.0, 0.0]]
    assert bars == [[0.0, 1.0]]
    ticks = {note.xy[1] for note in below.texts if not note.get_text()}
    assert ticks == {0.0, 0.5, 1.0}
    words = " ".join(texts(figure))
    assert "1/2: autograd, casadi" in words and "Clarke [0, 1]" in words and "0: pytensor" in words


def test_the_title_says_program_ties_and_slice() -> None:
    program = cfcompiler.compile_text("def f(x, y, z):\n    return max(x, y)*z\n", preset="jax")
    said = texts(program.plot(slice="x,y", fix={"z": "1/3"}).figure)
    assert "f(x, y)" in said and "ties: jax" in said and "with z = 1/3" in said
    assert "x" in said and "y" in said


def test_a_long_name_does_not_stand_on_the_ties() -> None:
    program = cfcompiler.compile_text(
        f"def {'long_' * 12}(x):\n    return max(x, 0)\n", overrides={"max": "1/3"}
    )
    said = texts(program.plot().figure)
    assert "ties: torch, max=1/3" in said
    assert f"{'long_' * 12}"[:59] + "…" in said


def test_every_verdict_that_is_drawn_is_in_the_legend() -> None:
    for name in ("where_sqrt", "thin_wedge"):
        program = cfcompiler.compile_file(gallery.folder() / f"{name}.cf")
        picture = program.picture()
        marked: list[Any] = (
            list(picture.dots) if isinstance(picture, Curve) else [*picture.spots, *picture.lines]
        )
        legend = " ".join(texts(program.plot().figure)).replace("\n", " ")
        for verdict in {own.verdict for own in marked}:
            assert f"{verdict}:" in legend or any(own.artificial_critical for own in marked), (name, verdict)


def test_what_is_not_decided_is_said() -> None:
    said = " ".join(
        texts(
            cfcompiler.compile_text("def f(x):\n    return where(floor(x*x) >= -1, 1, 2)*abs(x)\n")
            .plot()
            .figure
        )
    )
    assert "not decided: no stratum is known" in said and "unknown: not decided" in said


def test_labels_are_left_out_where_there_is_no_room() -> None:
    steps = " + ".join(f"abs(x - {k})" for k in range(12))
    picture = cfcompiler.compile_text(f"def f(x):\n    return {steps}\n").picture()
    assert isinstance(picture, Curve)
    assert len(picture.dots) == 12 and labelled(picture) == ()


def test_a_map_has_its_lines_spots_and_descents() -> None:
    program = cfcompiler.compile_text(MAP, overrides={"relu": "0"})
    picture = program.picture()
    axes: Any = program.plot().figure.axes[0]
    assert not isinstance(picture, Curve)
    colors = [line.get_color() for line in axes.lines]
    for line in picture.lines:
        assert colors.count(MARKS[line.verdict].light) >= len(line.paths)
    stars = [line for line in axes.lines if line.get_marker() == "*"]
    assert len(stars) == sum(bool(spot.artificial_critical) for spot in picture.spots) > 0
    starts = {
        tuple(map(float, (*line.get_xdata(), *line.get_ydata())))
        for line in axes.lines
        if len(line.get_xdata()) == 1
    }
    assert all(descent.start in starts for descent in picture.descents)


def test_equal_pictures_are_equal_files() -> None:
    picture = cfcompiler.compile_text(MAP).picture()
    for kind in FORMATS:
        assert image(picture, kind) == image(picture, kind)


# files


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("zero.cf").write_text(ZERO, encoding="utf-8")
    return "zero.cf"


def test_the_image_has_a_name_of_its_own(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", program]) == 0
    assert capsys.readouterr().out == "wrote zero.png\n"
    assert Path("zero.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", FORMATS)
def test_only_its_own_files_are_overwritten(
    kind: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from matplotlib.figure import Figure

    path = Path(f"fig.{kind}")
    assert main(["plot", program, "-o", str(path)]) == 0
    first = path.read_bytes()
    assert main(["plot", program, "-o", str(path)]) == 0
    assert path.read_bytes() == first
    Figure().savefig(path)
    foreign = path.read_bytes()
    capsys.readouterr()
    assert main(["plot", program, "-o", str(path)]) == 2
    assert "was not written by cfc" in capsys.readouterr().err
    assert path.read_bytes() == foreign
    assert main(["plot", program, "-o", str(path), "--force"]) == 0
    assert path.read_bytes() == first


def test_standard_output_gets_the_image(program: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["plot", program, "-o", "-", "--format", "svg"]) == 0
    out = capfdbinary.readouterr().out
    assert b"<svg" in out and b"wrote" not in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "fig.jpg"], "no ending that cfc plot draws"),
        (["-o", "fig.png", "--format", "svg"], "do not agree"),
        (["--slice", "q"], "no input 'q'"),
        (["--result", "1"], "no output 1"),
        (["--result", "first"], "takes a number"),
        (["--timeout", "0"], "not above 0"),
        (["--box", "t=1:0"], "is empty"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    arguments: list[str], words: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", program, *arguments]) == 2
    assert words in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["zero.cf"]


def test_a_missing_matplotlib_is_said(
    program: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["plot", program]) == 2
    said = capsys.readouterr().err
    assert "matplotlib is not installed" in said and "pip install -e '.[plot]'" in said
    with pytest.raises(CFError, match="matplotlib is not installed"):
        cfcompiler.compile_text(ZERO).plot()


def test_the_users_settings_of_matplotlib_are_left_alone() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"font.size": 40.0}):
        image(cfcompiler.compile_text(ZERO).picture(), "png")
        assert matplotlib.rcParams["font.size"] == 40.0
    assert dict(matplotlib.rcParams) == before
