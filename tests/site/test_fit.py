"""Nothing is cut off, and nothing jumps: every element of every page, on a phone, a tablet and a laptop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.support import CHAPTERS, EVERYWHERE, figures, script

every_page = pytest.mark.parametrize("path", EVERYWHERE, ids=lambda path: Path(path.partition("?")[0]).stem)

CUT = script("cut.js")
# By more than a machine's own letters may be wider.
HIDDEN_COLUMNS = """
() => [...document.querySelectorAll(".up-scroll, .pst-scrollable-table-container")]
    .filter((table) => table.scrollWidth > table.clientWidth + 40)
    .map((table) => table.textContent.trim().slice(0, 80))
"""
UNEVEN = """
() => [...document.querySelectorAll(".uo-figure")]
    .map((figure) => [...figure.querySelectorAll(".slider-container")].map((it) => it.getBoundingClientRect().width))
    .filter((widths) => widths.length && Math.max(...widths) - Math.min(...widths) > 1)
"""


@every_page
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_is_cut_off(open_page, path, width):
    page = open_page(path, width=width).page
    for _ in figures(page):
        pass
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate(CUT) == []
    if width == 390:
        assert page.evaluate(UNEVEN) == [], "under each other, sliders of different lengths"
    if width == 1280:
        assert page.evaluate(HIDDEN_COLUMNS) == [], "a table's last column is off its edge"


WIDE_LISTINGS = """
() => [...document.querySelectorAll(".bd-article div.highlight pre")]
    .filter((pre) => !pre.closest(".uo-exercise") && pre.checkVisibility())
    .filter((pre) => pre.scrollWidth > pre.clientWidth + 1)
    .map((pre) => pre.textContent.slice(0, 80))
"""


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: Path(path).stem)
def test_listings_are_wrapped_where_there_is_room(open_page, path):
    page = open_page(path).page
    page.evaluate("() => document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    assert page.evaluate(WIDE_LISTINGS) == []


SHIFTS = """
globalThis.shifts = [];
new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
        const moved = sources.map(({ node }) => (node?.outerHTML ?? node?.textContent ?? "").slice(0, 90));
        if (!hadRecentInput) shifts.push([value, moved]);
    }
}).observe({ type: "layout-shift", buffered: true });
"""


@every_page
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_jumps_while_a_page_comes(browser, address, path, width):
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.add_init_script(SHIFTS)
    page = context.new_page()
    page.goto(f"{address}/{path}", wait_until="load")
    for _ in figures(page):
        pass
    page.wait_for_timeout(200)
    shifts = page.evaluate("shifts")
    context.close()
    assert sum(value for value, _ in shifts) <= 0.02, shifts
