"""What the tests of the site share: its pages, the browser's whereabouts, and a page that is watched."""

from __future__ import annotations

import os
import shutil
import warnings
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page

from tools import build_book

HTML = build_book.BUILD / "html"
PAGES = sorted(
    f"chapters/{path.stem}.html"
    for pattern in ("*.md", "*.ipynb")
    for path in (build_book.ROOT / "chapters").glob(pattern)
)
CHAPTERS = [page for page in PAGES if page.split("/")[1][0].isdigit()]
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Where Chromium is; without it the tests of the site fail in CI, and are skipped, loudly, elsewhere."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    sentence = "No Chromium on this machine: the site was NOT tested as a reader sees it."
    if os.environ.get("CI"):
        pytest.fail(sentence)
    warnings.warn(pytest.PytestWarning(sentence), stacklevel=2)
    pytest.skip(sentence)


@dataclass
class Watched:
    """A page with a record of everything that went wrong on it."""

    page: Page
    base: str
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> Watched:
        self.page.on("console", lambda m: m.type == "error" and self.wrong.append(f"console: {m.text}"))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("requestfailed", lambda r: self.wrong.append(f"failed: {r.url} ({r.failure})"))
        self.page.on("response", lambda r: r.status >= 400 and self.wrong.append(f"{r.status}: {r.url}"))
        self.page.on("request", self._judge_request)
        self.page.context.route("**/*", self._cut_network)
        return self

    def _is_own(self, url: str) -> bool:
        return url.startswith((self.base, "data:", "blob:"))

    def _judge_request(self, request) -> None:
        if not self._is_own(request.url):
            self.wrong.append(f"off the site: {request.url}")

    def _cut_network(self, route) -> None:
        if self._is_own(route.request.url):
            route.continue_()
        else:
            route.abort()

    def open(self, path: str) -> Page:
        """Open a page of the site and wait until its formulas and figures are there."""
        self.page.goto(f"{self.base}/{path}", wait_until="load")
        self.page.wait_for_function(
            """() => {
                const figures = document.querySelector('script[type="application/vnd.jupyter.widget-view+json"]');
                const formulas = document.querySelector(".math");
                return (!figures || document.documentElement.dataset.widgets === "ready")
                    && (!formulas || window.MathJax?.startup?.promise);
            }""",
            timeout=20_000,
        )
        self.page.evaluate("async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }")
        return self.page
