"""The built site, a server on this machine that serves it, and a browser that can reach nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.site.support import HTML, PREVIEW, Watched
from tools import build_book, states


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the site, built now if it is not up to date; a preview is taken as it is."""
    assert PREVIEW or build_book.build_site(), "the book was not built: see the output of make book"
    return HTML


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The address of a server of the site."""
    with states.served(site) as address:
        yield address


@pytest.fixture(scope="session")
def opened(browser: Browser, address: str) -> Callable[..., Watched]:
    """A page of the site, open in a with block: ``opened("chapters/index.html", width=390)``; disk=True for file://."""

    @contextmanager
    def opened(path: str, *, width: int = 1280, dark: bool = False, disk: bool = False) -> Iterator[Watched]:
        scheme = "dark" if dark else "light"
        context = browser.new_context(
            viewport={"width": width, "height": states.HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
        )
        context.set_default_timeout(15_000)
        watched = Watched(context.new_page(), HTML.as_uri() if disk else address).watch()
        watched.open(path)
        yield watched
        context.close()

    return opened


@pytest.fixture
def open_page(opened: Callable[..., Watched]) -> Iterator[Callable[..., Watched]]:
    """Open a page of the site until the test ends; arguments as for `opened`."""
    with ExitStack() as stack:
        yield lambda path, **options: stack.enter_context(opened(path, **options))
