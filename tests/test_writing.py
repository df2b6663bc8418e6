"""Folders and files without permission, and full disks: one complaint, exit 2, and nothing half-written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from cfcompiler import cli
from cfcompiler.errors import CFError
from cfcompiler.language import read

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
NOBODY = 65534
OUTPUTS = {
    "compile": ("compile", "prog.cf", "-o", "{}/prog.py"),
    "emit": ("compile", "prog.cf", "--emit", "latex", "-o", "{}/prog.tex"),
    "report": ("report", "prog.cf", "-o", "{}/prog.html"),
    "plot": ("plot", "prog.cf", "-o", "{}/prog.png"),
    "demo": ("demo", "relu2", "--html", "{}"),
}


@pytest.fixture(scope="module", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All that the commands import is there: who has no rights may not be able to read it."""
    folder = tmp_path_factory.mktemp("loaded")
    program = folder / "prog.cf"
    program.write_text("def f(x):\n    return relu(x)\n", encoding="utf-8")
    for kind, words in OUTPUTS.items():
        if kind != "plot" or _can_plot():
            arguments = [word.format(folder) for word in words]
            assert cli.main([str(program) if word == "prog.cf" else word for word in arguments]) == 0, kind


def _can_plot() -> bool:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory that everybody can read: `locked` in it can be read, `hidden` not even that."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    monkeypatch.chdir(path)
    (path / "prog.cf").write_text("def f(x):\n    return relu(x)\n", encoding="utf-8")
    for name, mode in (("locked", 0o555), ("hidden", 0o000)):
        (path / name).mkdir()
        (path / name / "prog.cf").write_text("def f(x):\n    return x\n", encoding="utf-8")
        (path / name).chmod(mode)
    yield path
    for name in ("locked", "hidden"):
        (path / name).chmod(0o755)
    shutil.rmtree(path)


@contextmanager
def without_rights() -> Iterator[None]:
    """As a user who is not root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def complaint(capsys: pytest.CaptureFixture[str], arguments: list[str], what: str) -> None:
    """The command writes one line of complaint, and nothing else."""
    capsys.readouterr()
    with without_rights():
        code = cli.main(arguments)
    out, said = capsys.readouterr()
    assert (code, out) == (2, ""), said
    assert said.count("\n") == 1
    assert what in said


def files(folder: Path) -> list[str]:
    for name in ("locked", "hidden"):
        (folder / name).chmod(0o755)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("where", ["locked", "hidden", "locked/new", "hidden/new"])
@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_folder_that_may_not_be_written(
    folder: Path, capsys: pytest.CaptureFixture[str], kind: str, where: str
) -> None:
    if kind == "plot" and not _can_plot():
        pytest.skip("cfc plot needs matplotlib")
    if where == "locked" and kind == "demo":
        where = "locked/new"  # the folder itself is tried below
    complaint(capsys, [word.format(where) for word in OUTPUTS[kind]], f"CF096: cannot write {where}")
    assert files(folder) == ["hidden/prog.cf", "locked/prog.cf", "prog.cf"]


def test_pages_are_refused_before_anything_is_found(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cfcompiler.site.find", lambda *arguments: pytest.fail("an example was looked at"))
    complaint(capsys, ["demo", "relu2", "--html", "locked"], "CF096: cannot write locked: Permission denied")


@pytest.mark.parametrize("command", ["at", "compile", "strata", "check", "report", "plot", "compare"])
def test_a_program_that_may_not_be_read(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    for path in ("hidden/prog.cf", "hidden/prog.cf:f"):
        complaint(capsys, [command, path], "CF097: cannot read hidden/prog.cf: Permission denied")


def test_arrays_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", W=np.ones((200, 300)))
    packed = (tmp_path / "good.npz").read_bytes()
    contents = {
        "text": (b"not an archive", "it is not an .npz archive"),
        "zip": (b"PK\x03\x04garbage", "it is not an .npz archive"),
        "cut": (packed[: len(packed) // 2], "it is not an .npz archive"),
        "changed": (packed[:5000] + b"changed" + packed[5007:], "it is not an .npz archive"),
        "empty": (b"", "it is not an .npz archive"),
    }
    np.save(tmp_path / "array.npy", np.ones(2))
    contents["array"] = ((tmp_path / "array.npy").read_bytes(), "it is not an .npz archive")
    for name, (content, reason) in contents.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
        text = f'W = load("{name}.npz", "W")\ndef f(x):\n    return x*W[0]\n'
        with pytest.raises(CFError) as caught:
            read(text, str(tmp_path / "prog.cf"))
        assert [item.code for item in caught.value.diagnostics] == ["CF080"], name
        assert reason in caught.value.render(), name
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(CFError, match="Is a directory"):
        read('W = load("folder.npz", "W")\ndef f(x):\n    return x*W[0]\n', str(tmp_path / "prog.cf"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk to write to is a matter of Linux")
@pytest.mark.parametrize("kind", ["compile", "emit", "report", "plot"])
def test_a_full_disk(folder: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    if kind == "plot" and not _can_plot():
        pytest.skip("cfc plot needs matplotlib")
    path = OUTPUTS[kind][-1].format(".")
    Path(path).symlink_to("/dev/full")
    capsys.readouterr()
    assert cli.main([*OUTPUTS[kind][:-1], path]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert "CF096: cannot write" in said
    assert "No space left on device" in said
