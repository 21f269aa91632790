"""A chapter by keyboard alone, links that lead deep, colors that the reader forces, twice the size, and paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.support import CHAPTERS, PAGES, figures, script, settle

CHAPTER = next((page for page in CHAPTERS if "08_adam" in page), CHAPTERS[0] if CHAPTERS else None)
HERE = script("here.js")


def test_a_chapter_is_walked_by_keyboard_alone(open_page):
    """Tab, from the first skip link to the last link: every stop can be seen, and does from there what it is for."""
    page = open_page(CHAPTER).page
    press = page.keyboard.press
    done: set[str] = set()
    stops: list[dict] = []

    press("Tab")
    first = page.evaluate(HERE)
    assert first["href"] == "#main-content"
    press("Enter")
    for _ in range(700):
        press("Tab")
        at = page.evaluate(HERE)
        if at is None or (stops and at["number"] < stops[-1]["number"] and not at["inArticle"]):
            break
        stops.append(at)
        if at["role"] == "slider" and "noUi-handle" in at["classes"] and "slider" not in done:
            before = page.evaluate("document.activeElement.getAttribute('aria-valuetext')")
            press("ArrowRight")
            press("ArrowRight")
            settle(page)
            assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") != before
            done.add("slider")
        elif at["type"] == "radio" and "quiz" not in done:
            press("Space")
            page.locator(".uo-quiz-said").filter(has_text=".").first.wait_for(state="attached")
            assert page.evaluate("document.activeElement.checked")
            done.add("quiz")
        elif at["role"] == "textbox" and "editor" not in done:
            page.keyboard.type("x")
            press("Escape")
            done.add("editor")
        elif at["tag"] == "summary" and "fold" not in done:
            press("Enter")
            assert page.evaluate("document.activeElement.parentElement.open")
            done.add("fold")
        elif at["role"] == "textbox":
            press("Escape")
    in_article = [stop for stop in stops if stop["inArticle"]]
    assert {"slider", "quiz", "fold"} <= done
    if page.locator("[data-exercise] [role=textbox]").count():
        assert "editor" in done
        names = {stop["name"].split()[0] for stop in in_article if stop["tag"] == "button" and stop["name"]}
        assert {"Run", "Check", "Hint", "Solution", "Reset"} <= names
    assert [stop for stop in in_article if not stop["shown"]] == [], "where the keyboard is cannot be seen"
    assert [stop for stop in in_article if not stop["seen"]] == [], "the keyboard is off the screen"
    assert any(stop["href"] and "09_" in stop["href"] for stop in stops), "the walk did not reach the next chapter"


def test_the_search_works_by_keyboard_alone(open_page):
    page = open_page(CHAPTER).page
    page.keyboard.press("Control+k")
    page.wait_for_function("document.activeElement.name === 'q'")
    page.keyboard.type("bias correction")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    results = page.locator("#search-results a")
    results.first.wait_for()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("!!document.activeElement.closest('#search-results')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/chapters/*.html*")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: Path(path).stem)
@pytest.mark.parametrize("width", [390, 1280])
def test_deep_links_land_on_their_heading(browser, address, path, width):
    """Cold, with nothing in the cache: whatever comes later, the heading stays in its place."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(f"{address}/{path}", wait_until="commit")
    headings = page.locator(".bd-article section section[id] > h2")
    anchors = headings.evaluate_all("all => all.map((heading) => heading.parentElement.id)")
    context.close()
    for anchor in anchors[len(anchors) // 2 :][:3]:
        context = browser.new_context(viewport={"width": width, "height": 844})
        page = context.new_page()
        page.goto(f"{address}/{path}#{anchor}", wait_until="load")
        page.evaluate("() => Promise.all([document.fonts.ready, globalThis.figuresShown]).then(() => null)")
        page.wait_for_timeout(150)
        top = page.evaluate("id => document.getElementById(id).querySelector('h2').getBoundingClientRect().top", anchor)
        at_end = page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 2")
        context.close()
        assert -5 <= top <= 160 or at_end, f"#{anchor} is {top:.0f} px down"


def test_colors_that_the_reader_forces_leave_everything_to_be_seen(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, forced_colors="active")
    page = context.new_page()
    page.goto(f"{address}/{CHAPTER}", wait_until="load")
    for figure in figures(page):
        handle = figure.locator(".noUi-handle").first
        assert handle.evaluate("h => parseFloat(getComputedStyle(h).borderTopWidth)") > 0, "a handle without an edge"
    page.locator(".noUi-handle").first.focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    context.close()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: Path(path).stem)
def test_at_twice_the_size_nothing_scrolls_sideways(open_page, path):
    """A window of 1280 pixels at 200 % is one of 640."""
    page = open_page(path, width=640).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


ON_PAPER = script("on_paper.js")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: Path(path).stem)
def test_on_paper_are_pictures_and_no_controls(open_page, path):
    page = open_page(path, width=794).page
    for _ in figures(page):
        pass
    page.emulate_media(media="print")
    assert page.evaluate(ON_PAPER) == {"controls": [], "wide": 0, "split": 0, "empty": 0, "unnamed": 0}
