"""A page of an own origin, with no site behind it: for the parts of the lab that need a browser and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tools.build_book import ROOT

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
