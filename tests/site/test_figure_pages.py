"""A figure in its page: there before the script and without it, light, under a strict policy, kept and shared."""

from __future__ import annotations

import json
import zlib

import pytest
from playwright.sync_api import expect

from optim_lib.explorer import recompute
from tests.site.support import CHAPTERS, HTML, settle

POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self'"
)
PAGE = next((page for page in CHAPTERS if "08_adam" in page), CHAPTERS[0] if CHAPTERS else None)


@pytest.fixture
def visit(browser, address):
    """Open a page in a context of its own: visit(path, width=..., **context)."""
    contexts = []

    def go(path, *, width=1280, policy=None, block=None, **options):
        context = browser.new_context(viewport={"width": width, "height": 844}, **options)
        contexts.append(context)
        page = context.new_page()
        page.wrong, page.asked = [], []
        page.on("console", lambda message: message.type == "error" and page.wrong.append(message.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        if policy:
            page.route("**/*.html*", lambda route: _with_policy(route, policy))
        if block:
            page.route(block, lambda route: route.abort())
        page.goto(f"{address}/{path}", wait_until="load")
        return page

    yield go
    for context in contexts:
        context.close()


def _with_policy(route, policy):
    answer = route.fetch()
    route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": policy})


def ready(page):
    page.wait_for_selector("html[data-widgets=ready]", state="attached", timeout=30_000)


def bring(page, k=0):
    """Scroll to a figure and wait until it lives."""
    figure = page.locator("[data-figure]").nth(k)
    figure.scroll_into_view_if_needed()
    figure.locator(".uo-explorer[data-ready=true]").wait_for(timeout=20_000)
    settle(page)
    return figure


def test_a_figure_is_a_picture_without_a_script(visit):
    page = visit(PAGE, java_script_enabled=False)
    figure = page.locator("[data-figure]").first
    assert figure.locator("svg.uo-still-main, svg.uo-still-curve").first.is_visible()
    assert len(figure.locator(".uo-says").inner_text()) > 20
    assert not figure.locator(".uo-bar button").first.is_visible()
    assert figure.locator(".uo-quest-text").first.is_visible()


@pytest.mark.parametrize("path", [PAGE, "chapters/index.html"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_figure_that_comes_to_life_is_as_large_and_says_the_same(visit, path, width):
    sizes = "figures => figures.map((figure) => figure.getBoundingClientRect().height)"
    still = visit(path, width=width, block="**/widgets.js*")
    page = visit(path, width=width)
    ready(page)
    said = still.locator("[data-figure] .uo-says").all_inner_texts()
    for k in range(len(said)):
        assert bring(page, k).locator(".uo-says").inner_text() == said[k]
    before, after = (one.eval_on_selector_all("[data-figure]", sizes) for one in (still, page))
    assert after == pytest.approx(before, abs=1)


def test_numbers_are_asked_for_when_a_figure_comes_near(visit):
    page = visit(PAGE)
    ready(page)
    tables = [url for url in page.asked if url.endswith(".bin")]
    assert len(tables) < page.locator("[data-figure]").count()
    bring(page, page.locator("[data-figure]").count() - 1)
    assert len([url for url in page.asked if url.endswith(".bin")]) > len(tables)


def test_figures_live_under_a_strict_policy(visit):
    page = visit(PAGE, policy=POLICY)
    ready(page)
    figure = bring(page)
    before = figure.locator(".uo-says").inner_text()
    figure.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert figure.locator(".uo-says").inner_text() != before
    assert [words for words in page.wrong if "figure" in words.lower() or "blob:" in words] == []


def test_a_figure_that_fails_says_so_and_stays_a_picture(visit):
    page = visit(PAGE, block="**/*.bin")
    figure = page.locator("[data-figure]").first
    figure.scroll_into_view_if_needed()
    figure.locator(".uo-failure").wait_for()
    assert figure.locator("svg.uo-still").first.is_visible()


def test_where_a_figure_stands_is_in_the_address_and_kept(visit):
    page = visit(PAGE)
    ready(page)
    figure = bring(page)
    figure.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash.startsWith('#fig=')")
    value = figure.locator(".noUi-handle").first.get_attribute("aria-valuetext")
    address = page.url
    assert f"={value}" in address
    page.goto("about:blank")
    page.goto(address.split("#")[0])
    ready(page)
    assert bring(page).locator(".noUi-handle").first.get_attribute("aria-valuetext") == value
    other = visit(address.split("/", 3)[3])
    ready(other)
    assert bring(other).locator(".noUi-handle").first.get_attribute("aria-valuetext") == value
    figure = bring(page)
    figure.locator("[data-tool=reset]").click()
    settle(page)
    assert figure.locator(".noUi-handle").first.get_attribute("aria-valuetext") != value


def test_a_finger_that_scrolls_past_changes_nothing(visit):
    page = visit(PAGE, width=390, has_touch=True)
    ready(page)
    figure = bring(page)
    before = figure.locator(".uo-says").inner_text()
    finger = page.context.new_cdp_session(page)

    def swipe(selector, across, down):
        box = figure.locator(selector).first.bounding_box()
        if not 0 < box["y"] < 700:
            page.evaluate("([s, y]) => scrollBy(0, y - 400)", [selector, box["y"]])
            box = figure.locator(selector).first.bounding_box()
        x, y = box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for k in range(1, 9):
            at = {"x": x + across * k / 8, "y": y + down * k / 8}
            finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        settle(page)

    for selector in (".noUi-target", ".uo-scrub", ".uo-main", ".uo-loss", ".uo-map"):
        if figure.locator(selector).count():
            swipe(selector, 3, -120)
            assert figure.locator(".uo-says").inner_text() == before, selector
    swipe(".noUi-target", -80, 4)
    assert figure.locator(".uo-says").inner_text() != before


@pytest.mark.parametrize("width", [390, 1280])
def test_handles_are_large_enough_to_hit(visit, width):
    page = visit(PAGE, width=width)
    ready(page)
    box = bring(page).locator(".noUi-handle").first.bounding_box()
    assert min(box["width"], box["height"]) >= 24


def test_on_a_phone_sliders_surface_and_sentence_are_in_view_together(visit):
    page = visit(PAGE, width=390)
    ready(page)
    for k in range(page.locator("[data-figure]").count()):
        figure = bring(page, k)
        if not figure.locator(".uo-main").count():
            continue
        top = figure.locator(".uo-sliders").bounding_box()["y"]
        says = figure.locator(".uo-says").bounding_box()
        assert says["y"] + says["height"] - top <= 844 - 60


def test_a_slider_dragged_from_end_to_end_does_no_quest(visit):
    page = visit("chapters/index.html")
    ready(page)
    figure = bring(page)
    figure.locator(".noUi-handle").first.focus()
    for key in ("Home", *["ArrowRight"] * 45):
        page.keyboard.press(key)
    page.wait_for_timeout(600)
    assert figure.locator(".uo-quests li[data-done=true]").count() == 0


def test_two_tabs_keep_each_others_quests(visit):
    page = visit("chapters/index.html")
    ready(page)
    other = page.context.new_page()
    other.goto(page.url)
    ready(other)
    for tab, keys, task in ((page, 4, 0), (other, 9, 1)):
        bring(tab).locator(".noUi-handle").first.focus()
        for _ in range(keys):
            tab.keyboard.press("ArrowRight")
        tab.locator(".uo-check").nth(task).click()
        tab.wait_for_timeout(600)
    done = [tab.locator(".uo-quests li[data-done=true]").count() for tab in (page, other)]
    assert done == [2, 2]


def test_a_figures_picture_and_numbers_can_be_taken_away(visit):
    page = visit(PAGE)
    ready(page)
    figure = bring(page)
    begins = {"png": b"\x89PNG", "svg": b"<svg", "csv": b"#"}
    for kind, begin in begins.items():
        with page.expect_download() as saved:
            figure.locator(f"[data-tool={kind}]").click()
        with open(saved.value.path(), "rb") as file:
            content = file.read()
        assert content.startswith(begin), kind
        assert len(content) > 500


def test_a_figure_can_be_skipped_by_keyboard(visit):
    page = visit(PAGE)
    ready(page)
    figure = bring(page)
    figure.locator(".uo-skip").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.querySelector('[data-figure]').contains(document.activeElement)")


RECIPES = sorted((HTML / "_static" / "figures").glob("*.json"))


def test_figures_have_recipes():
    assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name.split(".")[0])
def test_a_figure_computed_again_is_the_one_that_is_shipped(path):
    shipped = zlib.decompress(path.with_suffix(".bin").read_bytes())
    again = recompute(json.loads(path.read_text(encoding="utf-8"))).raw
    assert shipped[: len(again)] == again


@pytest.mark.parametrize("way", ["click", "tap", "press"])
def test_a_sentence_sets_the_figure_that_it_speaks_of(visit, way):
    page = visit(PAGE, width=390 if way == "tap" else 1280, has_touch=way == "tap", policy=POLICY)
    ready(page)
    link = page.locator("a.uo-plays[href*='fig=adam-banana'][href*='beta1=0.98']")
    link.scroll_into_view_if_needed()
    link.press("Enter") if way == "press" else getattr(link, way)()
    figure = page.locator("[data-figure=adam-banana]")
    expect(figure.locator(".uo-news")).to_contain_text("beta1 0.98")
    values = [handle.get_attribute("aria-valuetext") for handle in figure.locator(".noUi-handle").all()]
    assert values == ["0.316", "0.98", "0.9"]
    expect(figure.locator(".uo-main-frame")).to_be_in_viewport(ratio=0.99)
    assert figure.locator(".uo-quests li[data-done=true]").count() == 0
    page.go_back()
    expect(link).to_be_in_viewport()
    assert page.wrong == []


def test_a_sentence_leaves_the_page_where_it_is_if_the_figure_is_in_sight(visit):
    page = visit(PAGE)
    ready(page)
    figure = bring(page, 1)
    figure.locator(".uo-panels").evaluate("panels => scrollTo(0, panels.getBoundingClientRect().top + scrollY - 150)")
    before = page.evaluate("scrollY")
    page.locator("a.uo-plays[href*='beta1=0.98']").evaluate("link => link.click()")
    page.wait_for_function("document.querySelectorAll('[data-figure]')[1].querySelector('.uo-news').textContent")
    settle(page)
    assert page.evaluate("scrollY") == before


def test_without_a_script_such_a_sentence_is_plain_words(visit):
    page = visit(PAGE, java_script_enabled=False)
    words = page.locator("[data-plays]")
    assert words.count() >= 3
    assert page.locator("a[href*='fig='], a[href^='fig:']").count() == 0
    assert "end()" not in page.content()
