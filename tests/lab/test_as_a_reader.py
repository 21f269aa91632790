"""A chapter done as a reader does it, from the first slider to the last exercise, and who cannot see or point does it.

``COURSE_PICTURES=FOLDER`` keeps the pictures that are taken on the way: wide and narrow, light and dark.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from exercises import get
from exercises.definition import Exercise
from exercises.grading import grade
from exercises.registry import chapters
from tests.lab.conftest import CHAPTER
from tests.lab.support import SECONDS, exercise, found, press, write
from tests.site.support import Watched, figures, move, picture, settle
from tests.site.test_access import axe

__all__ = ["axe"]

NUMBER = int(CHAPTER.split("/")[1][:2]) if CHAPTER else 0
EXERCISES: list[Exercise] = next((list(known) for number, _, known in chapters() if number == NUMBER), [])
SIZES = (1280, 390)
HERE = "() => document.activeElement.closest('[data-exercise]')?.dataset.exercise ?? null"


@pytest.fixture(scope="module")
def reader(browser, strict) -> Iterator[Watched]:
    """A reader who has done nothing yet."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    watched = Watched(context.new_page(), strict).watch()
    watched.open(CHAPTER)
    yield watched
    context.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = Path(os.environ.get("COURSE_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def take_pictures(page: Page, place: Locator, folder: Path, name: str) -> None:
    """A part of the page, wide and narrow, light and dark; on a phone nothing stands out at the side."""
    for width in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            place.scroll_into_view_if_needed()
            settle(page)
            place.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than {width}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def a_partial_answer(known: Exercise) -> str:
    """A known wrong answer that gets some of the points."""
    sources = (wrong.source for wrong in known.wrong_answers)
    return next(source for source in sources if grade(known, known.load(source)).status == "partial")


def test_from_the_first_slider_to_the_last_exercise(reader, pictures):
    page = reader.page
    figure = next(figures(page))
    before = picture(figure)
    move(figure.locator(".noUi-handle").first)
    assert picture(figure) != before
    take_pictures(page, figure, pictures, "figure")
    for known in EXERCISES:
        place = exercise(page, known.id)
        card = place.locator(".uo-judged .uo-card")
        wrong = next(wrong for wrong in known.wrong_answers if wrong.diagnose)
        write(place, wrong.source)
        press(place, "Check")
        expect(card).to_contain_text(wrong.feedback.replace("`", "")[:60])
        if known is EXERCISES[0]:
            take_pictures(page, place, pictures, "wrong")
        write(place, known.solution)
        press(place, "Check")
        expect(card).to_have_attribute("aria-label", re.compile(f"Right, {known.points} of {known.points} points"))
    take_pictures(page, exercise(page, EXERCISES[-1].id), pictures, "right")
    standing = page.locator("[data-progress]")
    most = sum(known.points for known in EXERCISES)
    expect(standing.locator("tbody tr").nth(NUMBER - 1)).to_contain_text(f"{most} of {most}")
    take_pictures(page, standing, pictures, "standing")


def test_axe_finds_nothing_in_any_state_and_each_verdict_is_announced(reader, axe):
    page, known = reader.open(CHAPTER), EXERCISES[1]
    # Time to look at code that runs, on a busy machine too.
    page.locator(f'[data-exercise="{known.id}"]').evaluate("(it) => { it.dataset.seconds = 120; }")
    place = exercise(page, known.id)
    said = place.locator("[role=status].uo-said")
    expect(said).to_have_count(1)
    wrong = {"before": found(page, axe)}

    write(place, "while True:\n    pass")
    place.get_by_role("button", name="Run").click()
    expect(place.get_by_role("button", name="Stop")).to_be_visible()
    expect(place.locator("progress")).to_be_visible()
    wrong["fetching"] = found(page, axe)
    expect(place.locator("progress")).to_have_count(0, timeout=SECONDS)
    wrong["running"] = found(page, axe)
    place.get_by_role("button", name="Stop").click()
    expect(said).to_contain_text("Stopped.")
    wrong["stopped"] = found(page, axe)

    answers = {"Right": known.solution, "Partly right": a_partial_answer(known), "Stopped with an error": "1 / 0"}
    for words, source in answers.items():
        write(place, source)
        press(place, "Check")
        expect(said).to_contain_text(f"Exercise {known.id}: {words}")
        wrong[words] = found(page, axe)
        page.emulate_media(color_scheme="dark")
        wrong[f"{words}, dark"] = found(page, axe)
        page.emulate_media(color_scheme="light")
    assert {state: violations for state, violations in wrong.items() if violations} == {}


def test_the_keyboard_goes_from_the_text_into_the_code_to_the_verdict_and_out(reader):
    page, known = reader.page, EXERCISES[0]
    place = exercise(page, known.id)
    place.evaluate("(it) => { it.tabIndex = -1; it.focus(); it.removeAttribute('tabindex'); }")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "textbox"
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(known.solution)
    page.keyboard.press("Shift+Enter")
    card = place.locator(".uo-judged .uo-card")
    expect(card).to_have_attribute("aria-label", re.compile("Right"), timeout=SECONDS)
    assert page.evaluate("document.activeElement.getAttribute('role')") == "textbox", "the cursor stays in the code"
    page.keyboard.press("Escape")
    met = []
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate(HERE) != known.id:
            break
        met.append(page.evaluate("document.activeElement.dataset.do"))
    assert [name for name in met if name][:5] == ["run", "check", "hint", "solution", "reset"]
    assert page.evaluate(HERE) != known.id, "the way out is longer than the buttons"
    page.keyboard.press("Escape")  # the way on may have led into the next editor, where Tab indents
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(HERE) == known.id


def test_line_numbers_hide_the_code_that_is_scrolled_behind_them(reader):
    page = reader.page
    page.set_viewport_size({"width": 390, "height": 900})
    place = exercise(page, EXERCISES[0].id)
    write(place, f"scrolled = '{'x' * 200}'")
    expect(place.locator(".cm-scroller")).not_to_have_js_property("scrollLeft", 0)
    color = place.locator(".cm-gutters").evaluate("(it) => getComputedStyle(it).backgroundColor")
    assert color.startswith("rgb("), f"the numbers stand on {color}, through which the code is seen"
    page.set_viewport_size({"width": 1280, "height": 900})


def test_code_for_the_notebook_is_told_where_it_is(reader):
    place = exercise(reader.page, get(EXERCISES[0].id).id)
    write(place, "import torch")
    press(place, "Run")
    link = place.locator(".uo-output .uo-elsewhere a")
    expect(link).to_have_text("the notebook of this chapter")
    answer = reader.page.request.get(link.evaluate("(it) => it.href"))
    assert answer.ok
    assert '"cells"' in answer.text()


def test_nothing_left_the_site(reader):
    assert [wrong for wrong in reader.wrong if not re.search("blob:|anywidget", wrong)] == []
