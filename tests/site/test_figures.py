"""The figures and quizzes of the built pages, moved as a reader moves them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.site.support import CHAPTERS

PAGES = [*CHAPTERS, "chapters/index.html"]
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: Path(path).stem)
widths = pytest.mark.parametrize("width", [1280, 390])


def pixels(canvas) -> str:
    """A digest of what a canvas shows."""
    return hashlib.sha256(canvas.evaluate("c => c.toDataURL()").encode()).hexdigest()


def figures(page):
    """Each figure of the page, scrolled to and drawn: the sliders' frame and the explorer in it."""
    found = page.locator(".uo-figure")
    for index in range(found.count()):
        figure = found.nth(index)
        figure.scroll_into_view_if_needed()
        figure.locator(".uo-explorer[data-ready=true]").wait_for()
        settle(page)
        yield figure


def settle(page) -> None:
    """Wait until what was asked for is on the screen."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_timeout(60)


def readouts(figure) -> list[str]:
    return figure.locator(".widget-readout").all_inner_texts()


@every_page
@widths
def test_every_slider_changes_the_picture_and_the_sentence(open_page, path, width):
    watched = open_page(path, width=width)
    moved = 0
    for figure in figures(watched.page):
        handles = figure.locator(".noUi-handle")
        assert handles.count() >= 1
        for index in range(handles.count()):
            before = pixels(figure.locator("canvas.uo-main")), figure.locator(".uo-says").inner_text()
            key = "ArrowLeft" if at_its_end(handles.nth(index)) else "ArrowRight"
            handles.nth(index).focus()
            for _ in range(3):
                watched.page.keyboard.press(key)
            settle(watched.page)
            after = pixels(figure.locator("canvas.uo-main")), figure.locator(".uo-says").inner_text()
            assert before[0] != after[0], f"slider {index} of {heading(figure)} leaves the picture as it was"
            assert before[1] != after[1], f"slider {index} of {heading(figure)} leaves the sentence as it was"
            moved += 1
    assert moved >= 1
    assert watched.wrong == []


def at_its_end(handle) -> bool:
    return float(handle.get_attribute("aria-valuenow")) > 0.8 * float(handle.get_attribute("aria-valuemax"))


def heading(figure) -> str:
    return figure.locator(".uo-explorer").get_attribute("aria-label") or "a figure"


@every_page
@widths
def test_a_click_on_the_map_moves_the_sliders(open_page, path, width):
    watched = open_page(path, width=width)
    for figure in figures(watched.page):
        chart = figure.locator("canvas.uo-map")
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        seen = {tuple(readouts(figure))}
        for across, up in ((0.35, 0.7), (0.75, 0.35)):
            chart.click(position={"x": across * box["width"], "y": up * box["height"]})
            settle(watched.page)
            seen.add(tuple(readouts(figure)))
        assert len(seen) >= 2, f"the map of {heading(figure)} does not move its sliders"
    assert watched.wrong == []


@every_page
def test_steps_and_play_run_through_time(open_page, path):
    watched = open_page(path)
    for figure in figures(watched.page):
        before = pixels(figure.locator("canvas.uo-main"))
        figure.locator(".uo-step").fill("3")
        settle(watched.page)
        early = pixels(figure.locator("canvas.uo-main"))
        assert early != before
        figure.locator(".uo-play").click()
        watched.page.wait_for_timeout(400)
        assert figure.locator(".uo-step").input_value() != "3"
        figure.locator(".uo-play").click()
    assert watched.wrong == []


@every_page
def test_starting_points_change_the_picture(open_page, path):
    watched = open_page(path)
    for figure in figures(watched.page):
        starts = figure.locator(".uo-start")
        if starts.count() < 2:
            continue
        before = pixels(figure.locator("canvas.uo-main"))
        starts.nth(1).click()
        settle(watched.page)
        assert pixels(figure.locator("canvas.uo-main")) != before
    assert watched.wrong == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: Path(path).stem)
def test_every_figure_of_a_chapter_has_two_quests_to_do(open_page, path):
    watched = open_page(path)
    for figure in figures(watched.page):
        done = [item.get_attribute("data-done") for item in figure.locator(".uo-quests li").all()]
        assert len(done) >= 2, f"{heading(figure)} has {len(done)} quests"
        assert set(done) == {"false"}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: Path(path).stem)
def test_quiz_says_at_once_whether_an_answer_is_right(open_page, path):
    watched = open_page(path)
    page = watched.page
    questions = page.locator(".Quiz")
    assert questions.count() >= 2
    for question in questions.all():
        question.scroll_into_view_if_needed()
        feedback = question.locator(".Feedback")
        verdicts = []
        for answer in question.locator(".MCButton").all():
            answer.click()
            right = answer.get_attribute("data-correct") == "true"
            assert ("correct" if right else "incorrect") in feedback.get_attribute("class").split()
            assert len(feedback.inner_text().strip()) > 10, "an answer without feedback"
            verdicts.append(right)
        assert set(verdicts) == {True, False}
    assert watched.wrong == []


def test_done_quests_are_remembered(open_page):
    """On the landing page, whose first quest is done by a click far up the slider."""
    watched = open_page("chapters/index.html")
    page = watched.page
    figure = next(figures(page))
    handle = figure.locator(".noUi-handle").first
    handle.focus()
    while figure.locator(".uo-quests li[data-done=true]").count() == 0:
        before = readouts(figure)
        page.keyboard.press("ArrowRight")
        settle(page)
        assert readouts(figure) != before, "no quest was done on the whole slider"
    done = figure.locator(".uo-quests li[data-done=true]").count()
    watched.open("chapters/index.html")
    figure = next(figures(page))
    assert figure.locator(".uo-quests li[data-done=true]").count() == done
    assert watched.wrong == []
