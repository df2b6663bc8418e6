"""A page of Markdown -> what happens when its commands, sessions and programs are run, in written order.

Four kinds of fenced block are run, in a folder of their own that holds the examples:

    ```console                what `$ cfc ...` prints; `$ echo '...' | cfc ...` and `$ python file.py` too. The exit
                              code is 0, or is shown by `; echo $?` behind the command. A last line `...` stands for
                              the rest of an output.
    ```pycon                  a Python session; what one session of a page defines, the next ones know
    ```python title="f.cf"    a file of the page, written for the commands and sessions that follow
    ```python title="a/b.py"  where a file of the repository has that path: an excerpt of it, line by line
    ```python                 an excerpt of an example, of a file of the page, or of a module that cfc wrote

`python -m tests.pages PAGE ...` writes what happens now into the pages (all of them, where none is named).
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

from cfcompiler import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(
    r'^(?P<indent> *)```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<body>.*?)^(?P=indent)```$',
    re.DOTALL | re.MULTILINE,
)
REST = "...\n"
EXIT_CODE = "; echo $?"


def now(path: Path) -> str:
    """The text of a page, with the outputs that its blocks have now. Raises AssertionError for what is wrong."""
    text = path.read_text(encoding="utf-8")
    page = _Page(path.name)
    with _folder():
        return BLOCK.sub(page.block, text)


class _Page:
    """The blocks of one page, run one after the other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.known: dict[str, Any] = {}  # what its sessions have defined

    def block(self, found: re.Match[str]) -> str:
        """A block as it should stand; one inside a list or an admonition is indented."""
        margin = found["indent"]
        written = re.sub(f"^{margin}", "", found["body"], flags=re.MULTILINE)
        happens = self._happens(found["kind"], found["title"], written)
        start, end = found.start("body") - found.start(), found.end("body") - found.start()
        return found[0][:start] + indent(happens, margin) + found[0][end:]

    def _happens(self, kind: str, title: str | None, body: str) -> str:
        """The body of a block as it should stand."""
        if title is not None:
            _file(title, body)
        elif kind == "console":
            return _console(body)
        elif kind == "pycon":
            return self._session(body)
        elif kind == "python":
            known = [*Path("examples").glob("*.cf"), *Path().glob("*.cf"), *Path().glob("*_cf.py")]
            texts = [path.read_text(encoding="utf-8") for path in known]
            assert any(body in text for text in texts), f"{self.name}: this stands in no file:\n{body}"
        return body

    def _session(self, body: str) -> str:
        """A Python session: what is typed, and what Python answers to it."""
        parts = []
        for example in doctest.DocTestParser().get_examples(body):
            answer = _answer(example.source, self.known)
            first, *more = example.source.splitlines()
            typed = "".join([f">>> {first}\n", *(f"... {line}".rstrip() + "\n" for line in more)])
            same = doctest.OutputChecker().check_output(example.want, answer, doctest.NORMALIZE_WHITESPACE)
            parts.append(typed + (example.want if same else answer))
        return "".join(parts)


def _file(title: str, body: str) -> None:
    """A file of the page, or an excerpt of a file of the repository."""
    known = ROOT / title
    if "/" in title:
        assert body in known.read_text(encoding="utf-8"), f"this is no excerpt of {title}:\n{body}"
        return
    Path(title).write_text(body, encoding="utf-8")


def _console(body: str) -> str:
    """The commands of a block, each with what it prints."""
    nothing, *commands = re.split(r"^\$ ", body, flags=re.MULTILINE)
    assert commands and not nothing, f"a console block begins with a command, not with {body}"
    parts = []
    for part in commands:
        command, _, shown = part.partition("\n")
        printed = _printed(command)
        if shown.endswith(REST):
            lines = shown.count("\n") - 1
            printed = "".join(printed.splitlines(keepends=True)[:lines]) + REST
        parts.append(f"$ {command}\n{printed}")
    return "".join(parts)


def _printed(command: str) -> str:
    """What a terminal shows of one command."""
    line = command.removesuffix(EXIT_CODE)
    words = shlex.split(line)
    given = ""
    if words[0] == "echo":
        given, words = words[1] + "\n", words[words.index("|") + 1 :]
    if words[0] == "python":
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False)
        printed, code = done.stdout + done.stderr, done.returncode
    else:
        assert words[0] == "cfc", f"only cfc and python are run, not {words[0]}"
        printed, code = _cfc(words[1:], given)
    if line != command:
        return f"{printed}{code}\n"
    assert code == 0, f"$ {command}\n{printed}exit code {code}"
    return printed


def _cfc(arguments: list[str], given: str) -> tuple[str, int]:
    out = io.StringIO()
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(given.encode()))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                code = cli.main(arguments)
            except SystemExit as stop:  # --help and --version
                code = int(stop.code or 0)
    finally:
        sys.stdin = before
    return out.getvalue(), code


def _answer(source: str, known: dict[str, Any]) -> str:
    """What Python answers to a line typed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, "<page>", "single"), known)
        except Exception as problem:
            # a traceback is shown without its frames, as in doctest
            last = "".join(traceback.format_exception_only(problem))
            return f"{out.getvalue()}Traceback (most recent call last):\n    ...\n{last}"
    return out.getvalue()


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    """The examples, in a current directory from which modules are imported; both are gone afterwards."""
    modules, path, finders = set(sys.modules), list(sys.path), list(sys.meta_path)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "examples", Path(folder) / "examples")
        sys.path.insert(0, folder)
        try:
            with contextlib.chdir(folder):
                yield
        finally:
            sys.path[:], sys.meta_path[:] = path, finders
            for name in set(sys.modules) - modules:
                if str(getattr(sys.modules[name], "__file__", None) or "").startswith(folder):
                    del sys.modules[name]


def refresh(paths: list[Path]) -> None:
    """Write what happens now into the pages."""
    for path in paths or PAGES:
        path.write_text(now(path), encoding="utf-8")


if __name__ == "__main__":
    refresh([Path(name).resolve() for name in sys.argv[1:]])
