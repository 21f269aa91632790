"""The lab in the built site; and a page of an own origin, with no site behind it, for what needs only a browser."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.site.conftest import site
from tests.site.support import CHAPTERS, Watched
from tools.build_book import ROOT
from tools.states import Quiet

__all__ = ["site"]

# What page-lab needs, and nothing more: Python is WebAssembly, and runs in a worker of the site's own.
POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self' 'unsafe-inline'"
CHAPTER = next((path for path in CHAPTERS if "08_adam" in path), CHAPTERS[0] if CHAPTERS else "")

ORIGIN = "http://course.test"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's browser, with nothing kept in it yet."""
    context = browser.new_context()
    context.route(
        f"{ORIGIN}/**",
        lambda route: route.fulfill(body="<!doctype html><title>A page</title>", content_type="text/html"),
    )
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext) -> Callable[..., Page]:
    """Open a tab with scripts of the book in it: ``tab("store.js")``."""

    def tab(*scripts: str, before: str = "") -> Page:
        page = context.new_page()
        if before:
            page.add_init_script(before)
        page.goto(f"{ORIGIN}/")
        for script in scripts:
            page.add_script_tag(path=ROOT / "book" / script)
        return page

    return tab


class StrictHandler(Quiet):
    """Serves the site from a sub-path, under a strict policy, and nothing else."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix("/course"))

    def do_GET(self) -> None:
        if self.path.startswith("/course/"):
            super().do_GET()
        else:
            self.send_error(404)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()


@pytest.fixture(scope="session")
def strict(site: Path) -> Iterator[str]:
    """The address of the site with the lab in it."""
    if not (site / "_static" / "engine" / "manifest.json").exists():
        if os.environ.get("CI"):
            pytest.fail("The site was built without the lab.")
        pytest.skip("The site was built without the lab.")
    handler = functools.partial(StrictHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/course"
        server.shutdown()


@pytest.fixture(scope="module")
def reader(browser: Browser, strict: str) -> Iterator[Watched]:
    """A page with exercises, open for all tests of a module, as one reader has it open."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    watched = Watched(context.new_page(), strict).watch()
    watched.page.goto(f"{strict}/{CHAPTER}")
    yield watched
    context.close()
