"""The rules of ARCHITECTURE.md that a machine can check: who imports whom, sizes of files, public names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cfcompiler

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "cfcompiler"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400
# May be longer, with the reason.
LONGER = {
    "targets/numpy_module/arrays.py": "one case a primitive",
    "targets/numpy_module/blocks.py": "one case a primitive",
}
FORBIDDEN = frozenset(("utils", "util", "helpers", "helper", "common", "base", "manager", "handler", "misc"))


def import_line() -> list[str]:
    """The layers, from ARCHITECTURE.md: what stands left is imported by what stands right, never the other way."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    found = re.search(r"```\n(source\s*<.*?)```", text, flags=re.DOTALL)
    assert found is not None, "ARCHITECTURE.md has no import line"
    return [name.strip() for name in found[1].split("<")]


def layer(module: str) -> str:
    """`cfcompiler.language.tree` is in the layer language."""
    return module.split(".")[1] if "." in module else "__init__"


def imported(path: Path) -> Iterator[str]:
    """The modules of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "cfcompiler":
            yield from (f"cfcompiler.{name.name}" for name in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cfcompiler."):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("cfcompiler."))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_layer_stands_in_the_import_line() -> None:
    layers = {name_of(path).split("/")[0].removesuffix(".py") for path in MODULES}
    assert layers - {"__init__", "__main__"} == set(import_line())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_left(path: Path) -> None:
    line = import_line()
    own = name_of(path).split("/")[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    place = line.index(own)
    for module in imported(path):
        if module == "cfcompiler.__version__":
            continue
        assert layer(module) == own or line.index(layer(module)) < place, f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_command_line_prints_or_exits(path: Path) -> None:
    if name_of(path) in ("cli.py", "__main__.py"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "exit", "quit", "sys.exit", "os._exit", "input"), node.lineno


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_fits_in_the_head(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST or name_of(path) in LONGER


def test_no_file_is_named_for_nothing() -> None:
    for path in (*MODULES, *(ROOT / "tests").rglob("*.py")):
        assert not FORBIDDEN & set(path.relative_to(ROOT).with_suffix("").parts), path


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_begins_with_what_it_is(path: Path) -> None:
    if path.stat().st_size:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert text, "no docstring"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_codes_of_complaints_are_in_errors_alone(path: Path) -> None:
    if name_of(path) == "errors.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Diagnostic") and node.args:
            assert not isinstance(node.args[0], ast.Constant), node.lineno


def test_the_public_names_are_sorted_and_there() -> None:
    assert cfcompiler.__all__ == sorted(cfcompiler.__all__)
    for name in cfcompiler.__all__:
        assert getattr(cfcompiler, name) is not None
    assert set(cfcompiler.__all__) <= set(dir(cfcompiler))
    with pytest.raises(AttributeError, match="nothing"):
        cfcompiler.nothing  # noqa: B018 - the access is the test
