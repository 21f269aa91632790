"""An exercise in the page, done as a reader does it: from a sub-path, under a strict policy, with nothing from outside.

The tests of one page use it one after the other; Python is started by the first that needs it.
"""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from exercises import get
from tests.lab.conftest import CHAPTER
from tests.lab.support import SECONDS, exercise, found, press, text_of, write
from tests.site.test_access import axe

__all__ = ["axe"]

NUMBER = f"{int(CHAPTER.split('/')[1][:2])}." if CHAPTER else ""
FIRST, SECOND = (f"{NUMBER}{k}" for k in (1, 2))
BUTTONS = ("Run", "Check", "Hint", "Solution", "Reset")


def test_nothing_of_python_is_fetched_before_it_is_asked_for(reader):
    page = reader.page
    place = exercise(page, FIRST)
    assert [name for name in BUTTONS if not place.get_by_role("button", name=name).is_visible()] == []
    assert "MB, once" in place.get_by_role("button", name="Run").inner_text()
    fetched = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert [name for name in fetched if "/engine/" in name and "lab.js" not in name] == []
    assert page.evaluate("courseLab.bytes") == 0


def test_axe_finds_nothing_before(reader, axe):
    assert found(reader.page, axe) == []


def test_a_wrong_answer_gets_the_notebooks_card_and_the_right_one_its_points(reader):
    place, known = exercise(reader.page, SECOND), get(SECOND)
    wrong = next(wrong for wrong in known.wrong_answers if wrong.diagnose)
    write(place, wrong.source)
    press(place, "Check")
    card = place.locator(".uo-judged .uo-card")
    expect(card).to_contain_text(wrong.feedback.split("`")[0].strip()[:60])
    expect(place.locator(".uo-said")).to_contain_text(f"Exercise {SECOND}")
    write(place, known.solution)
    press(place, "Check")
    expect(card).to_have_attribute("aria-label", f"Exercise {SECOND}: Right, {known.points} of {known.points} points")
    expect(place.locator(".uo-best")).to_contain_text(f"{known.points} of {known.points}")
    assert "MB" not in place.get_by_role("button", name="Run").inner_text()
    expect(reader.page.locator("[data-progress] tfoot")).to_contain_text(f"{known.points} of")
    expect(reader.page.locator(".bd-sidebar-primary li.current .uo-points-here")).to_contain_text(f"{known.points} of")


def test_what_is_printed_and_what_fails_is_shown_at_its_line(reader):
    place = exercise(reader.page, FIRST)
    write(place, "print('hello')\n\nx = 1 / 0")
    press(place, "Run")
    expect(place.locator(".uo-output")).to_contain_text("hello")
    expect(place.locator(".uo-output .uo-error")).to_contain_text("ZeroDivisionError")
    expect(place.locator(".uo-line-wrong")).to_have_text("x = 1 / 0")


def test_axe_finds_nothing_after(reader, axe):
    assert found(reader.page, axe) == []


def test_a_loop_that_never_ends_is_stopped_and_the_text_stays(reader):
    page = reader.page
    place = exercise(page, FIRST)
    write(place, "kept = 41")
    press(place, "Run")
    below = exercise(page, SECOND)
    write(below, "while True:\n    pass")
    below.get_by_role("button", name="Run").click()
    below.get_by_role("button", name="Stop").click()
    expect(below.locator(".uo-output .uo-error")).to_contain_text("Stopped")
    assert text_of(below).startswith("while True:")
    write(below, "kept + 1")
    press(below, "Run")
    expect(below.locator(".uo-output .uo-value")).to_have_text("42")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import torch", "PyTorch is not in the page"),
        ("import sys\nsys.exit()", "asked Python to exit"),
        ("def f():\n    return f()\nf()", "calls itself without end"),
        ("for k in range(30_000):\n    print('a line', k)", "more characters, which are not shown"),
        ("[np.empty(2**30, np.uint8) for _ in range(5)]", "more memory than a page has"),
    ],
    ids=["torch", "exit", "recursion", "flood", "memory"],
)
def test_nothing_that_code_does_ends_the_page(reader, source, words):
    place = exercise(reader.page, FIRST)
    write(place, source)
    press(place, "Run")
    expect(place.locator(".uo-output")).to_contain_text(words)
    write(place, "6 * 7")
    press(place, "Run")
    expect(place.locator(".uo-output .uo-value")).to_have_text("42")


def test_hints_and_the_solution_come_when_asked_for(reader):
    place, known = exercise(reader.page, FIRST), get(FIRST)
    for number in range(1, len(known.hints) + 1):
        place.get_by_role("button", name="Hint").click()
        expect(place.locator(".uo-aside")).to_contain_text(f"hint {number} of {len(known.hints)}")
    place.get_by_role("button", name="Solution").click()
    expect(place.locator(".uo-aside .uo-solution code").first).to_contain_text(known.solution.splitlines()[-1].strip())
    kept = reader.page.evaluate(f"courseStore.get('progress', '{FIRST}')")
    assert (kept["hints"], kept["solution_seen"]) == (len(known.hints), True)


def test_keyboard_alone_is_enough_and_can_leave(reader):
    page, place = reader.page, exercise(reader.page, FIRST)
    place.locator("[role=textbox]").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("if True:\n")
    page.keyboard.type("print('typed')")
    page.keyboard.press("Control+Enter")
    expect(place.locator(".uo-output .uo-printed")).to_have_text("typed\n", timeout=SECONDS)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.cm-editor') !== null"), "Tab indents"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.do") == "run"


def test_text_and_points_outlast_a_reload_and_reset_can_be_taken_back(reader):
    page = reader.page
    place = exercise(page, FIRST)
    write(place, "mine = 'kept'")
    page.reload()
    place = exercise(page, FIRST)
    assert text_of(place) == "mine = 'kept'"
    press(place, "Reset")
    assert text_of(place) == get(FIRST).starter.replace("\n\n", "\n")
    press(place, "Earlier")
    assert text_of(place) == "mine = 'kept'"


def test_another_tab_sees_what_is_written_and_loses_nothing(reader):
    one = reader.page
    other = one.context.new_page()
    other.goto(one.url)
    write(exercise(one, FIRST), "first = 'from one'")
    expect(exercise(other, FIRST).locator(".cm-content")).to_contain_text("from one")
    write(exercise(other, FIRST), "second = 'from the other'")
    expect(exercise(one, FIRST).locator(".cm-content")).to_contain_text("from the other")
    other.close()


def test_answers_go_into_a_notebook_and_progress_comes_back(reader, tmp_path):
    page = reader.page
    write(exercise(page, FIRST), "carried = 'along'")
    page.wait_for_function("name => courseStore.get('answer', name)?.text.includes('along')", arg=get(FIRST).answer)
    carry = page.locator("[data-carry]")
    with page.expect_download() as download:
        carry.get_by_role("button", name="Notebook").click()
    notebook = json.loads(download.value.path().read_text(encoding="utf-8"))
    cells = {
        tag: cell
        for cell in notebook["cells"]
        for tag in cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code"
    }
    assert cells[f"ex-{FIRST}"]["source"] == "carried = 'along'"
    entry = {
        "answer": get(FIRST).answer,
        "points": get(FIRST).points,
        "max_points": get(FIRST).points,
        "status": "right",
    }
    entry_here = {"answer": get(FIRST).answer, "hints": len(get(FIRST).hints)}
    page.evaluate("([id, entry]) => courseStore.merge('progress', id, entry)", [FIRST, entry_here])
    record = tmp_path / "progress.json"
    record.write_text(json.dumps({"schema": 1, "exercises": {FIRST: entry}}))
    carry.locator("input").set_input_files(record)
    expect(carry.get_by_role("status")).to_contain_text("1 exercise taken in")
    kept = page.evaluate(f"courseStore.get('progress', '{FIRST}')")
    assert (kept["points"], kept["hints"]) == (get(FIRST).points, len(get(FIRST).hints))


def test_nothing_went_wrong_and_nothing_left_the_site(reader):
    """What the figures' scripts may not do under this policy is for the tests of the figures."""
    assert [wrong for wrong in reader.wrong if not re.search("blob:|anywidget", wrong)] == []
