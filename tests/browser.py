"""The browser of the tests: where it is, how it is started, and what happens without it."""

from __future__ import annotations

import os
import shutil

import pytest

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = "No Chromium on this machine: nothing was tested as a reader sees it."


def chromium() -> str:
    """Where Chromium is. Without it a test fails in CI, and is skipped elsewhere: tests/conftest.py says so loudly."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    if os.environ.get("CI"):
        pytest.fail(MISSING)
    pytest.skip(MISSING)
