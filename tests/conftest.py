"""Shared by all tests: nobody's progress is touched, plots need no screen, and the work is spread over the cores."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from tests.browser import MISSING, OPTIONS, chromium

# Set before anything is imported, and inherited by the kernels that tests start.
os.environ["OPTIM_COURSE_PROGRESS"] = str(Path(tempfile.mkdtemp(prefix="course-tests-")) / "progress.json")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"

# The same examples in every run, however slow the machine: a failure is then always about the change at hand.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")

# Tests that take long for each chapter, and share what is opened or run for it.
_BY_CHAPTER = re.compile(r"^(tests/(?:site/|test_chapters\.py)).*\b(\d\d_\w+)")


def scope_of(nodeid: str) -> str:
    """The group of tests that one process runs: a file, or of the slow ones those of one chapter."""
    if match := _BY_CHAPTER.match(nodeid):
        return f"{match[1]}[{match[2]}]"
    return nodeid.rsplit("::", 1)[0]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one for each process: Playwright cannot be started a second time beside itself."""
    program = chromium()  # before anything is started: without it the test is skipped
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With ``--dist loadscope``, hand out the slow tests chapter by chapter, so that no process is left alone."""
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByChapter(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    return ByChapter(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    without = [report for report in terminalreporter.stats.get("skipped", []) if MISSING in str(report.longrepr)]
    if without:
        terminalreporter.section("THE SITE WAS NOT TESTED", sep="!", red=True, bold=True)
        terminalreporter.line(f"{MISSING} {len(without)} tests were skipped. Install it: apt-get install chromium")
