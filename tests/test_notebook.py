"""Notebooks: the `%%cfc` cell, what programs and reports show of themselves, and the tutorial, run cell by cell."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import cfcompiler
from cfcompiler.targets import notebook

TUTORIAL = Path(__file__).resolve().parent.parent / "examples" / "tutorial.ipynb"
KINK = "def kink(t):\n    return relu(t) - relu(-t)\n"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    found = InteractiveShell.instance(history_length=0)
    found.run_line_magic("load_ext", "cfcompiler")
    yield found
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> tuple[Any, Any]:
    """The result of a cell, and all that it showed."""
    with capture_output() as shown:
        result = shell.run_cell(cell)  # type: ignore[no-untyped-call]
    return result, shown


class _Tags(HTMLParser):
    """Every tag that is opened, and every tag that is left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


# the cell


def test_a_cell_is_compiled_bound_and_shown(shell: InteractiveShell) -> None:
    result, shown = run(shell, f"%%cfc\n{KINK}")
    assert result.success
    assert isinstance(shell.user_ns["kink"], cfcompiler.Compiled)
    (output,) = shown.outputs
    assert output.data["text/plain"] == "<program kink(t: Real) under torch>"
    frame = re.fullmatch(r'<iframe srcdoc="([^"]*)"[^>]*></iframe>', output.data["text/html"].strip())
    assert frame is not None
    page = html.unescape(frame[1])
    assert page.lstrip().startswith("<!") and "return relu(t) - relu(-t)" in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    run(shell, f"%%cfc other --ties jax --tie relu=1/2 --quiet\n{KINK}")
    other = shell.user_ns["other"]
    assert other.program.preset == "jax, relu=1/2" and other.grad(0.0) == 1.0


def test_a_quiet_cell_shows_nothing(shell: InteractiveShell) -> None:
    result, shown = run(shell, f"%%cfc --quiet\n{KINK}")
    assert result.success and not shown.outputs and not shown.stdout


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (
            "%%cfc\ndef f(x):\n    return rleu(x)\n",
            ["CF012", "return rleu(x)", "               ^^^^", "did you mean"],
        ),
        ("%%cfc\ndef f(x:\n", ["error"]),
        (f"%%cfc --ties torhc\n{KINK}", ["unknown tie preset 'torhc'"]),
        (f"%%cfc 1a\n{KINK}", ["'1a' is none"]),
        (f"%%cfc --fix q=1\n{KINK}", ["no input 'q'"]),
        (f"%%cfc --timeout soon\n{KINK}", ["invalid float value"]),
        (f"%%cfc a b\n{KINK}", ["unrecognized arguments"]),
        (f"%%cfc 'a\n{KINK}", ["cannot read"]),
    ],
)
def test_a_mistake_is_a_diagnostic_and_stops_the_run(
    cell: str, words: list[str], shell: InteractiveShell
) -> None:
    result, shown = run(shell, cell)
    assert isinstance(result.error_in_exec, cfcompiler.CFError)
    said = shown.stdout + shown.stderr
    assert all(word in said for word in words), said
    assert "Traceback" not in said and "compiler.py" not in said


def test_a_mistake_in_a_call_is_a_diagnostic_too(shell: InteractiveShell) -> None:
    run(shell, f"%%cfc --quiet\n{KINK}")
    result, shown = run(shell, "kink.at(q=0)")
    assert isinstance(result.error_in_exec, cfcompiler.CFError)
    said = shown.stdout + shown.stderr
    assert "no input 'q'" in said and "Traceback" not in said


def test_help_lists_the_options(shell: InteractiveShell) -> None:
    _, shown = run(shell, f"%%cfc --help\n{KINK}")
    assert "--ties" in shown.outputs[0].data["text/plain"] and "kink" not in shell.user_ns


# what is shown


def test_a_judgement_shows_its_numbers() -> None:
    report = cfcompiler.compile_text(KINK).at(t=0)
    shown = report._repr_html_()
    rows = dict(re.findall(r"<th[^>]*>(.*?)</th><td[^>]*>(.*?)</td>", shown, flags=re.DOTALL))
    assert (rows["value"], rows["AD"], rows["gradient"]) == ("0", "0", "1")
    assert rows["field D"] == "0, 1, 2"
    assert "spurious" in rows["verdict"]
    formulas = report._repr_latex_()
    assert formulas is not None
    assert r"\text{AD} &= 0" in formulas and r"\nabla" in formulas and r"\text{spurious}" in formulas


def test_a_kink_and_a_matrix_have_formulas() -> None:
    at_kink = (
        cfcompiler.compile_text("def f(x, y):\n    return max(x, y), x*y/3\n").at(x=1, y=1)._repr_latex_()
    )
    assert at_kink is not None
    assert r"\begin{pmatrix} \frac{1}{2} & \frac{1}{2} \\ \frac{1}{3} & \frac{1}{3} \end{pmatrix}" in at_kink
    assert r"\operatorname{conv}" in at_kink
    root = cfcompiler.compile_text("def f(x):\n    return x*x\n").at(x="sqrt(2)/2")._repr_latex_()
    assert root is not None and r"\sqrt{2}" in root


def test_a_program_shows_its_source_and_its_formulas() -> None:
    program = cfcompiler.compile_text(KINK)
    shown = program._repr_html_()
    assert "return relu(t) - relu(-t)" in shown and "line 2, column 12: relu at t = 0" in shown
    formulas = program._repr_latex_()
    assert formulas is not None
    assert formulas.startswith("$$") and r"\begin{cases} t & t &gt; 0" not in formulas
    assert r"t & t > 0 \\ 0 & t \le 0" in formulas


def test_every_report_is_whole_html() -> None:
    program = cfcompiler.compile_text("def f(x, y):\n    return max(x, y) - relu(x)\n")
    for report in (
        program,
        program.at(x=0, y=0),
        program.strata(),
        program.compare(x=0, y=0),
        program.check(),
    ):
        tags = _Tags(report._repr_html_())
        assert tags.seen and not tags.open


def test_names_that_are_html_do_not_inject() -> None:
    from dataclasses import replace

    evil = "<script>alert(1)</script>"
    program = cfcompiler.compile_text(f"# {evil}\n{KINK}")
    named = replace(program, program=replace(program.program, name=evil, preset=evil))
    report = replace(program.at(t=0), program=evil, ties=evil, point={evil: "0"})
    strata = replace(program.strata(), program=evil, ties=evil, unknown=(evil,))
    for text in (
        program._repr_html_(),
        notebook.program_html(named.program, program.namespace["GUARDS"]),
        report._repr_html_(),
        strata._repr_html_(),
    ):
        assert "script" not in _Tags(text).seen
        assert html.escape(evil) in text
    formulas = report._repr_latex_()
    assert formulas is not None and "<" not in formulas


def test_a_drawing_is_an_image() -> None:
    assert cfcompiler.compile_text(KINK).plot()._repr_png_().startswith(b"\x89PNG")


# the tutorial


def test_the_tutorial_runs(shell: InteractiveShell) -> None:
    cells = json.loads(TUTORIAL.read_text(encoding="utf-8"))["cells"]
    shown: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
            source = "".join(cell["source"])
            result, seen = run(shell, source)
            assert result.success, (source, seen.stdout, seen.stderr)
            shown[source.split("\n")[0]] = seen.stdout if result.result is None else result.result
    assert shown["kink.grad(2.0), kink.grad(-2.0), kink.grad(0.0)"] == (1.0, 1.0, 0.0)
    assert shown["kink.at(t=0)"].judged.verdict == "spurious"
    assert shown["half.at(t=0).judged.verdict, half.strata().spurious"] == ("exact", ())
    assert shown["kink.lexicographic(0.0)"] == 1.0
    assert shown["kink.check()"].findings[0].code == "CF101"
    assert "def grad(" in shown["print(kink.module())"]
    assert any(descent.stays for descent in shown["plane.plot()"].picture.descents)


def test_the_package_imports_no_ipython_by_itself() -> None:
    import subprocess
    import sys

    code = "import sys, cfcompiler; cfcompiler.load_ipython_extension; assert 'IPython' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
