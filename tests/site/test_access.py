"""What axe-core finds on the pages: nothing, light and dark, at rest and after whatever a reader has done on them.

Every page is looked at at rest, and each chapter after one use, in turn, on a phone. ``COURSE_ACCESS=all`` looks at
each chapter after each use.
"""

from __future__ import annotations

import itertools
import os

import pytest
from playwright.sync_api import Page

from tests.site.support import CHAPTERS, EVERYWHERE
from tools import build_book, site_assets, states, uses

RUN = """
() => axe.run(document, {resultTypes: ["violations"]}).then(({violations}) =>
    violations.map(({id, nodes}) => `${id}: ${nodes.length} times, such as ${nodes[0].html.slice(0, 160)}`))
"""
SAMPLED = list(states.sampled(EVERYWHERE))
ALL = [*((path, states.AT_REST) for path in EVERYWHERE), *itertools.product(CHAPTERS, states.USES[1:])]


@pytest.fixture(scope="session")
def axe() -> str:
    return (site_assets.install(build_book.BUILD) / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def found(page: Page, axe: str) -> list[str]:
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(axe)
    return page.evaluate(RUN)


@pytest.mark.parametrize(("path", "use"), ALL if os.environ.get("COURSE_ACCESS") == "all" else SAMPLED)
def test_axe_finds_nothing(opened, site, axe, path, use):
    if use in ("exercises", "cells") and not (site / "_static" / "engine" / "manifest.json").exists():
        pytest.skip("The site was built without the lab.")
    with opened(path, width=1280 if use == states.AT_REST else 390) as watched:
        page = watched.page
        page.evaluate(states.ALL_THERE)
        uses.use(page, use)
        wrong = {}
        for scheme in states.SCHEMES:
            page.emulate_media(color_scheme=scheme)
            wrong[scheme] = found(page, axe)
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert wrong == {"light": [], "dark": []}


def test_each_use_is_seen_in_some_chapter():
    used = {use for _, use in states.sampled(f"chapters/{k:02d}_name.html" for k in range(1, 14))}
    assert used == set(states.USES) == set(uses.DO)
