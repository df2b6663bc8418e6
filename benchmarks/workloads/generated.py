"""Benchmark program -> the module that cfc generates for it."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

PROGRAMS = Path(__file__).resolve().parent.parent / "programs"


def module_of(program: Path | str) -> ModuleType:
    """The generated module of a program: a path, or the text itself."""
    from cfcompiler.compiler import compile_file, compile_text

    compiled = compile_file(program) if isinstance(program, Path) else compile_text(program)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "generated.py"
        path.write_text(compiled.module(), encoding="utf-8")
        spec = spec_from_file_location("generated", path)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return module
