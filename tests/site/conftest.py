"""The built site, a server on this machine that serves it, and a browser that can reach nothing else."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.site.support import CHROMIUM_OPTIONS, HTML, Watched, chromium
from tools import build_book


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the site, built now if it is not up to date."""
    assert build_book.build_site(), "the book was not built: see the output of make book"
    return HTML


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The address of a server of the site."""
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright_driver: Playwright) -> Iterator[Browser]:
    browser = playwright_driver.chromium.launch(executable_path=chromium(), args=CHROMIUM_OPTIONS)
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Watched]]:
    """Open a page of the site: ``open_page("chapters/index.html", width=390, dark=True)``; disk=True for file://."""
    contexts = []

    def open_page(path: str, *, width: int = 1280, dark: bool = False, disk: bool = False, **options) -> Watched:
        scheme = "dark" if dark else "light"
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        watched = Watched(context.new_page(), HTML.as_uri() if disk else address).watch()
        watched.open(path)
        return watched

    yield open_page
    for context in contexts:
        context.close()
