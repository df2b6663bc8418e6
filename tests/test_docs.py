"""What README.md and the pages of docs/ show is what happens (`python -m tests.pages` writes it anew)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages import PAGES, ROOT, now


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_a_page_shows_what_happens(path: Path) -> None:
    assert now(path) == path.read_text(encoding="utf-8")
