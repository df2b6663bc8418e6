"""`import name` finds name.cf."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

import cfcompiler
import cfcompiler.importer
from cfcompiler import CFError


def test_a_cf_file_is_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slope_of_zero.cf").write_text("def zero(t):\n    return relu(-t) + t - relu(t)\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("slope_of_zero")
    monkeypatch.delitem(sys.modules, "slope_of_zero")
    assert module.grad(0.0) == 1.0
    assert module.value(3.0) == 0.0


def test_a_wrong_file_is_a_cf_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "not_quite.cf").write_text("def f(t):\n    return relu(u)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CFError, match="unknown name 'u'"):
        importlib.import_module("not_quite")


def test_it_is_installed_once() -> None:
    cfcompiler.importer.install()
    found = [finder for finder in sys.meta_path if isinstance(finder, cfcompiler.importer.CfFinder)]
    assert len(found) == 1


def test_a_decorated_function_is_a_program() -> None:
    @cfcompiler.program
    def slope(x):  # type: ignore[no-untyped-def]
        return relu(x) - 2 * relu(-x)  # noqa: F821

    assert slope.grad(-3.0) == 2.0
    assert repr(slope) == "<program slope(x: Real) under torch>"
