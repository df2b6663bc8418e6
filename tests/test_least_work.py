"""Loops that become too large are refused before they are unrolled, and loops that fit never are."""

from __future__ import annotations

import pytest

from cfcompiler.errors import CFError
from cfcompiler.language import emission, read, statements
from tests.work import calls

LARGE = (
    "for i in range(2000):\n        for j in range(2000):\n            s = s + x",
    "for i in range(1999, 0, -1):\n        for j in range(i):\n            s += x*x",
    "for i in range(900000):\n        s = sin(s) + x\n        s = s*x",
    "for i in range(300):\n        for j in range(n):\n            for k in range(100):\n                s = s + x",
    "for i in range(999):\n      for j in range(2000):\n         if x > i:\n             s += x\n         s *= x",
)
# Written so that counting them too high would be easy: numbers worked out beforehand, arms that are not taken.
SMALL = (
    "for i in range(40):\n        for j in range(40):\n            k = i*j + 1\n    s = s + k",
    "for i in range(400):\n        if i < 3:\n            s = s + x",
    "for i in range(40):\n        t = x if i == 0 else i\n        t = t + i\n    s = s + t",
    "t = x\n    for i in range(400):\n        t = i\n        t = t + 1\n    s = s*t",
    "for i in range(20):\n        for j in range(i - 15):\n            s = s + x*x",
    "for i in range(200):\n        s = s + x",
    "for i in range(400):\n        if i == 2:\n            return s + x\n        s = s*x",
    "for i in range(10):\n        s, x = x, s + 1",
)


def program(loop: str) -> str:
    return f"def f(x, n: Int = 100):\n    s = x\n    {loop}\n    return s\n"


@pytest.mark.parametrize("loop", LARGE)
def test_a_large_loop_is_refused_at_once(loop: str) -> None:
    caught: list[CFError] = []

    def refused() -> None:
        with pytest.raises(CFError) as raised:
            read(program(loop), "test.cf")
        caught.append(raised.value)

    read("def f(x): return x\n", "test.cf")  # what is read once
    assert calls(refused) < 1_000_000  # a million operations are not written first
    (found,) = caught[0].diagnostics
    assert (found.code, found.span.line) == ("CF038", 3)
    assert "use arrays" in found.hint


@pytest.mark.parametrize("loop", SMALL)
def test_a_loop_that_fits_exactly_is_not_refused(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emission, "LIMIT", 10**9)
    monkeypatch.setattr(statements, "LIMIT", 10**9)
    count = len(read(program(loop), "test.cf").instructions)
    monkeypatch.setattr(emission, "LIMIT", count)
    monkeypatch.setattr(statements, "LIMIT", max(count, 400))
    assert len(read(program(loop), "test.cf").instructions) == count
    monkeypatch.setattr(emission, "LIMIT", count - 1)
    monkeypatch.setattr(statements, "LIMIT", count - 1)
    with pytest.raises(CFError, match="unrolled"):
        read(program(loop), "test.cf")
