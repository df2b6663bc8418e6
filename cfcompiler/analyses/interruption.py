"""Ctrl-C, noticed between steps instead of raised in the midst of one, so that what has been found can be kept.

The first one is noted, a second one is raised as ever. Only the main thread is ever interrupted.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any


@dataclass(slots=True)
class Notice:
    """When Ctrl-C came; None where it has not."""

    since: float | None = None


@contextmanager
def noticed() -> Iterator[Notice]:
    """What is noted of Ctrl-C inside; before and after, it is raised."""
    notice = Notice()
    if threading.current_thread() is not threading.main_thread():
        yield notice
        return
    before = signal.getsignal(signal.SIGINT)

    def note(_number: int, _frame: Any) -> None:
        if notice.since is not None:
            raise KeyboardInterrupt
        notice.since = monotonic()

    signal.signal(signal.SIGINT, note)
    try:
        yield notice
    finally:
        signal.signal(signal.SIGINT, before)
