"""A browser for the tests of pages: headless Chromium, driven by Selenium, without any network."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def missing() -> str:
    """Why there is no browser; "" where there is one."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed; it is in the extra dev"
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        return (
            "chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)"
        )
    return ""


@contextmanager
def browser() -> Iterator[Any]:
    """A fresh Chromium; it and its profile are gone afterwards."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(shutil.which("chromium"))
    profile = tempfile.mkdtemp(prefix="page-browser-")
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = Service(str(shutil.which("chromedriver")), log_output=os.devnull)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def complaints(driver: Any) -> list[str]:
    """What the console says since it was last asked."""
    return [entry["message"] for entry in driver.get_log("browser")]


def open_page(driver: Any, path: Path) -> None:
    driver.get(path.as_uri())
