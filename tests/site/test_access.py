"""What axe-core finds on the pages: nothing, light and dark, also with a quiz answered and a figure moved."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.site.support import EVERYWHERE, figures, move
from tools import build_book, site_assets

RUN = """
() => axe.run(document, {resultTypes: ["violations"]}).then(({violations}) =>
    violations.map(({id, nodes}) => `${id}: ${nodes.length} times, such as ${nodes[0].html.slice(0, 160)}`))
"""
DARK = ("chapters/index.html", "chapters/08_adam.html", "chapters/claims.html", "search.html?q=adam")


@pytest.fixture(scope="session")
def axe() -> str:
    return (site_assets.install(build_book.BUILD) / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def found(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    return page.evaluate(RUN)


@pytest.mark.parametrize("path", EVERYWHERE, ids=lambda path: Path(path).stem)
def test_axe_finds_nothing(open_page, axe, path):
    assert found(open_page(path).page, axe) == []


@pytest.mark.parametrize("path", DARK, ids=lambda path: Path(path).stem)
def test_axe_finds_nothing_in_the_dark_and_in_use(open_page, axe, path):
    page = open_page(path, dark=True, width=390).page
    for figure in figures(page):
        move(figure.locator(".noUi-handle").first)
    for answer in page.locator(".uo-answer label").all():
        answer.click()
    assert found(page, axe) == []
