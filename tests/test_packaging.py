"""What is shipped: the wheel and the sdist have all that the package reads, and the metadata agree."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import cfcompiler

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    pytest.importorskip("build", reason="the package build makes the wheel; it is in the extra dev")
    pytest.importorskip(
        "hatchling", reason="without isolation the build needs hatchling; it is in the extra dev"
    )
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def tracked(folder: str, pattern: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern))


def test_the_wheel_has_what_the_package_reads(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (
        *tracked("cfcompiler", "*.py"),
        *tracked("cfcompiler", "*.toml"),
        *tracked("cfcompiler", "*.js"),
    ):
        assert path in names
    assert {f"cfcompiler/targets/html_report/page.{kind}" for kind in ("html", "css")} <= names
    assert {"cfcompiler/grammar/cf.lark", "cfcompiler/prelude.cf", "cfcompiler/py.typed"} <= names
    for path in (
        *tracked("examples", "*.cf"),
        *tracked("examples", "*.toml"),
        *tracked("examples", "*.npz"),
    ):
        assert f"cfcompiler/{path}" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith("_cf.py")]


def test_the_sdist_has_the_tests_and_the_documents(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "grammar/cf.lark", ".ci/run"}
    assert wanted <= names
    assert {*tracked("tests", "*.py"), *tracked("examples", "*.cf"), *tracked("cfcompiler", "*.py")} <= names


def test_dependencies_have_lower_bounds() -> None:
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    for requirement in (*project["dependencies"], *extras["dev"], *extras["bench"]):
        assert ">=" in requirement
    assert project["requires-python"] == ">=3.11"
    assert project["scripts"] == {"cfc": "cfcompiler.cli:main"}


def test_the_changelog_knows_the_version() -> None:
    assert f"## [{cfcompiler.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readme_has_two_commands_that_each_stand_alone() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line.startswith("python3 -m venv .venv && ")]
    assert len(commands) == 2
    assert all("pip install" in command for command in commands)
    assert "cfc compile examples/" in commands[0]
    assert commands[1].endswith("python -m pytest")


def test_continuous_integration_runs_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.startswith("#!/usr/bin/env bash\n")
    assert "grep '^python3 -m venv' README.md" in script
    for step in ('ruff" format --check', 'ruff" check', 'mypy" --strict', "-m build"):
        assert step in script
