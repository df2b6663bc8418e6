"""What README.md and the pages of docs/ show is what happens (`python -m tests.pages` writes it anew)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cfcompiler import cli
from tests.pages import PAGES, ROOT, now

# Commands whose answers together have the keys that `--json` knows.
ANSWERS = (
    "at examples/softplus_relu_abs.cf x=0 --ties jax --float",
    "at examples/golden_relu.cf x=0",
    "at examples/where_sqrt.cf x=0 --ties jax",
    "at examples/cusp.cf x=0 y=0 --tie relu=1 --tie abs=1",
    "strata examples/zero.cf --box t=-1:1",
    "strata examples/trap.cf",
    "compare examples/zero.cf t=0",
    "compare examples/zero.cf",
    "check examples/zero.cf --format json --theory",
    "ties torch",
)
NAMES = {
    "t",
    "w",
    "x",
    "y",
    "relu",
    "abs",
    "g1",
    "g2",
    "0",
    "1",
    "torch",
}  # of inputs, rules, guards, presets


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_a_page_shows_what_happens(path: Path) -> None:
    assert now(path) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ANSWERS)
def test_every_key_of_the_json_is_explained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(ROOT)
    form = () if "--format" in command else ("--json",)
    cli.main([*command.split(), *form])
    keys = _keys(json.loads(capsys.readouterr().out)) - NAMES
    page = (ROOT / "docs" / "commands" / "json.md").read_text(encoding="utf-8")
    assert keys, "an answer has keys"
    assert keys <= set(re.findall(r"`(\w+)`", page)), keys - set(re.findall(r"`(\w+)`", page))


def _keys(value: Any) -> set[str]:
    """The keys of an answer, at every depth."""
    if isinstance(value, list):
        return {key for entry in value for key in _keys(entry)}
    if isinstance(value, dict):
        return set(value) | {key for entry in value.values() for key in _keys(entry)}
    return set()
