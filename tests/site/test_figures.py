"""The figures and quizzes of the built pages, moved as a reader moves them.

The tests of one page at one width use it one after the other, as a reader would: none relies on what was done before.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.support import CHAPTERS, figures, heading, is_descent, move, picture, put_back, settle

PAGES = [*CHAPTERS, "chapters/index.html"]


@pytest.fixture(
    scope="module",
    params=[(path, width) for path in PAGES for width in (1280, 390)],
    ids=lambda param: f"{Path(param[0]).stem}-{param[1]}",
)
def watched(request, opened):
    """A page with figures, opened once."""
    path, width = request.param
    with opened(path, width=width) as watched:
        watched.is_chapter, watched.is_wide = path in CHAPTERS, width == 1280
        yield watched


def readouts(figure) -> list[str]:
    return figure.locator(".widget-readout").all_inner_texts()


def shown(figure) -> tuple[int, str]:
    """The picture and the sentence of a figure."""
    return picture(figure), figure.locator(".uo-says").inner_text()


def test_every_figure_of_a_chapter_has_two_quests_to_do(watched):
    found = 0
    for figure in figures(watched.page):
        done = [item.get_attribute("data-done") for item in figure.locator(".uo-quests li").all()]
        assert len(done) >= 2, f"{heading(figure)} has {len(done)} quests"
        found += 1
    assert found >= 1


def test_every_slider_changes_the_picture_and_the_sentence(watched):
    for figure in figures(watched.page):
        handles = figure.locator(".noUi-handle")
        assert handles.count() >= 1
        for index in range(handles.count()):
            before, at = shown(figure), float(handles.nth(index).get_attribute("aria-valuenow"))
            move(handles.nth(index))
            after = shown(figure)
            # From where the figure stands at first: several sliders at once may lead to where every run is lost.
            put_back(handles.nth(index), at)
            assert before[0] != after[0], f"slider {index} of {heading(figure)} leaves the picture as it was"
            assert before[1] != after[1], f"slider {index} of {heading(figure)} leaves the sentence as it was"
    assert watched.wrong == []


def test_a_click_on_the_map_moves_the_sliders_and_the_picture(watched):
    for figure in filter(is_descent, figures(watched.page)):
        chart = figure.locator("canvas.uo-map")
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        seen, pictures = {tuple(readouts(figure))}, {shown(figure)}
        for across, up in ((0.35, 0.7), (0.75, 0.35)):
            chart.click(position={"x": across * box["width"], "y": up * box["height"]})
            settle(watched.page)
            seen.add(tuple(readouts(figure)))
            pictures.add(shown(figure))
        assert len(seen) >= 2, f"the map of {heading(figure)} does not move its sliders"
        assert len(pictures) >= 2, f"the map of {heading(figure)} leaves the picture as it was"
    assert watched.wrong == []


def test_steps_and_play_run_through_time(watched):
    for figure in filter(is_descent, figures(watched.page)):
        before = picture(figure)
        step, play = figure.locator(".uo-step"), figure.locator(".uo-play")
        step.fill("3")
        settle(watched.page)
        assert picture(figure) != before, f"the steps of {heading(figure)} change nothing"
        if not watched.is_wide:
            continue
        play.click()
        watched.page.wait_for_function("step => step.value !== '3'", arg=step.element_handle())
        play.click()
    assert watched.wrong == []


def test_starting_points_change_the_picture(watched):
    for figure in figures(watched.page):
        for start in figure.locator(".uo-start[aria-checked=false], .uo-start[aria-pressed=false]").all()[:1]:
            before = picture(figure)
            start.click()
            settle(watched.page)
            assert picture(figure) != before, f"a start of {heading(figure)} changes nothing"
    assert watched.wrong == []


def test_quests_start_undone_and_those_done_are_remembered(open_page):
    """On the landing page: a prediction is answered, and its reason comes when the reader goes to look."""
    watched = open_page("chapters/index.html")
    page, done = watched.page, ".uo-quests li[data-done=true]"
    figure = next(figures(page))
    assert figure.locator(done).count() == 0
    item = figure.locator(".uo-quests li").first
    assert "divides each step" not in item.inner_text()
    item.locator(".uo-choice").nth(2).click()
    item.locator(".uo-look").click()
    item.get_by_text("divides each step").wait_for()
    assert figure.locator(done).count() == 1
    watched.open("chapters/index.html")
    assert next(figures(page)).locator(done).count() == 1
    assert watched.wrong == []
