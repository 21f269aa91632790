"""Every page, wide and narrow, light and dark, as a reader gets it: whole, quiet, and from this site alone."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urljoin

import pytest

from tests.site.support import CHAPTERS, HTML, PAGES, figures, heading, move, picture, settle

every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: Path(path).stem)

# Texts whose color is too close to what is painted behind them; 4.5 is the bar of WCAG 2.1, level AA.
FAINT = """
() => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((c) => linear(c / 255));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const paper = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const color = getComputedStyle(e).backgroundColor;
            if (color.startsWith("rgb(")) return channels(color);
        }
        return [255, 255, 255];
    };
    const texts = "p, li, td, th, a, summary, figcaption, h1, h2, h3, button, .widget-label, .widget-readout, label";
    const shown = (e) => e.offsetParent && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    return [...document.querySelectorAll(".bd-article, .bd-sidebar-primary, .bd-footer-content")]
        .flatMap((part) => [...part.querySelectorAll(texts)])
        .filter((e) => shown(e) && !e.matches(".headerlink, [disabled]"))
        .map((e) => {
            const [a, b] = [light(channels(getComputedStyle(e).color)), light(paper(e))];
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.tagName, e.textContent.trim().slice(0, 60)];
        })
        .filter(([contrast]) => contrast < 4.5);
}
"""


@every_page
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_is_whole_and_quiet(open_page, path, width, dark):
    watched = open_page(path, width=width, dark=dark)
    page = watched.page
    assert all(figure.locator(".uo-says").inner_text() for figure in figures(page))
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    settle(page)
    assert watched.wrong == []
    assert page.evaluate("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    assert page.evaluate(FAINT) == []
    assert page.locator("h1").count() >= 1
    assert page.evaluate(UNTYPESET) == []
    assert page.evaluate(WITHOUT_ALT) == []
    assert page.evaluate(RAW_TABLES) == []


UNTYPESET = """
() => [...document.querySelectorAll(".math")]
    .filter((math) => !math.querySelector("math") || math.querySelector("merror"))
    .map((math) => math.textContent)
"""

RAW_TABLES = """
() => [...document.querySelectorAll(".bd-article p")]
    .map((paragraph) => paragraph.textContent.trim())
    .filter((text) => text.startsWith("| "))
"""

WITHOUT_ALT = """
() => [...document.querySelectorAll(".bd-article img, .bd-article svg[role=img], .bd-article canvas")]
    .filter((image) => !image.closest("[aria-hidden=true]"))
    .filter((image) => !(image.getAttribute("alt") || image.getAttribute("aria-label") || image.querySelector("title")))
    .map((image) => image.outerHTML.slice(0, 200))
"""


class Links(HTMLParser):
    """The places of a page that a link can lead to, and its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.anchors.update(value for name in ("id", "name") if (value := given.get(name)))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


@cache
def links_of(file: Path) -> Links:
    return Links(file.read_text(encoding="utf-8"))


@every_page
def test_every_link_inside_the_book_leads_somewhere(site, path):
    links = links_of(site / path).links
    broken = []
    for link in links:
        if link.startswith(("http:", "https:", "mailto:", "#!")) or link == "#":
            continue
        target, anchor = urldefrag(urljoin(path, link))
        file = site / unquote(target)
        is_page = file.suffix == ".html" and file.is_file()
        if not file.is_file() or (anchor and is_page and unquote(anchor) not in links_of(file).anchors):
            broken.append(link)
    assert len(links) > 5
    assert broken == []


@every_page
def test_page_works_opened_from_disk(open_page, path):
    watched = open_page(path, disk=True)
    page = watched.page
    assert page.evaluate(UNTYPESET) == []
    for figure in figures(page):
        before = picture(figure)
        move(figure.locator(".noUi-handle").first)
        assert picture(figure) != before, f"{heading(figure)} does not move"
    assert watched.wrong == []


def test_front_door_leads_to_the_landing_page(open_page):
    watched = open_page("index.html")
    watched.page.wait_for_url("**/chapters/index.html")
    assert watched.wrong == []


@pytest.mark.parametrize("disk", [False, True], ids=["served", "from disk"])
@pytest.mark.parametrize(
    ("words", "page", "among"),
    [
        ("weight decay", "09_adamw.html", 3),
        ("why is my loss NaN", "12_choosing.html#", 3),
        ("warm-up", "11_schedules.html", 3),
        ("warmup", "11_schedules.html", 3),
        ("bias correction", "08_adam.html", 3),
        ("saddle point", "01_introduction.html", 5),
    ],
)
def test_search_leads_to_the_section(open_page, words, page, among, disk):
    watched = open_page(f"search.html?q={quote(words)}", disk=disk)
    results = watched.page.locator("#search-results a")
    results.first.wait_for()
    addresses = [result.get_attribute("href") for result in results.all()[:among]]
    assert any(page in address for address in addresses), addresses
    assert watched.page.locator("#search-results p mark").count() > 0
    assert "section" in watched.page.locator("#search-told").inner_text()
    excerpts = watched.page.locator("#search-results p").all_inner_texts()
    assert [text for text in excerpts if "Show code" in text or "Edit and run" in text] == []
    assert watched.wrong == []


MOVING = """
() => [...document.querySelectorAll("*")]
    .filter((e) => parseFloat(getComputedStyle(e).transitionDuration) || getComputedStyle(e).animationName !== "none")
    .map((e) => e.outerHTML.slice(0, 200))
"""


def test_nothing_moves_by_itself_where_motion_is_reduced(open_page):
    """Not even for a hundredth of a millisecond: with thousands of elements that took seconds."""
    assert open_page("chapters/index.html").page.evaluate(MOVING) == []


def test_the_theme_switch_reaches_everything(open_page):
    page = open_page(CHAPTERS[-1] if CHAPTERS else "chapters/index.html").page
    background = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(background)
    seen = set()
    for _ in range(3):
        page.locator("button.theme-switch-button").first.click()
        seen.add((page.evaluate("document.documentElement.dataset.theme"), page.evaluate(background)))
    assert {theme for theme, _ in seen} == {"light", "dark"}
    assert any(color != before for _, color in seen)


def test_keyboard_reaches_the_content_first(open_page):
    page = open_page("chapters/index.html").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_widget_scripts_are_loaded_only_where_there_are_widgets(site):
    assert "widgets/widgets.js" in (HTML / "chapters/index.html").read_text(encoding="utf-8")
    assert "widgets/widgets.js" not in (HTML / "chapters/notation.html").read_text(encoding="utf-8")
