"""The lab in Firefox and WebKitGTK: an exercise of each chapter, with the notebook's card, and an edited figure."""

from __future__ import annotations

import pytest

from exercises import get
from exercises.registry import chapters
from tests.lab import engines
from tests.lab.conftest import CHAPTER
from tools import lab_answers
from tools.lab_answers import Answer, Here

# The editor of an exercise, once it is there, with the keyboard in it.
ENTER = """
async (id) => {
    const place = document.querySelector(`[data-exercise="${id}"]`);
    place.scrollIntoView();
    while (!place.querySelector(".cm-content")) await new Promise((done) => setTimeout(done, 50));
    place.querySelector("[role=textbox]").focus();
}
"""
# What was copied elsewhere comes into the editor. Firefox empties a script's clipboard, and has its own way to tell it.
PASTE = """
(text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const told = { bubbles: true, cancelable: true };
    let event = new ClipboardEvent("paste", { ...told, clipboardData });
    if (!event.clipboardData.getData("text/plain"))
        event = new ClipboardEvent("paste", { ...told, data: text, dataType: "text/plain" });
    document.activeElement.dispatchEvent(event);
}
"""
# The card below an exercise, and the notebook's, as this browser writes both.
JUDGED = """
async (id, html) => {
    const place = document.querySelector(`[data-exercise="${id}"]`);
    const card = () => place.querySelector(".uo-judged .uo-card");
    while (place.dataset.busy || !card()) await new Promise((done) => setTimeout(done, 50));
    const notebook = document.createElement("div");
    notebook.innerHTML = html;
    return [card().outerHTML, notebook.innerHTML, place.querySelector(".uo-said").textContent];
}
"""
EDIT = """
async () => {
    const figure = document.querySelector("[data-figure][data-recipe]");
    figure.scrollIntoView();
    const starts = (button) => button.textContent.startsWith("Edit this optimizer");
    [...figure.querySelectorAll("button")].find(starts).click();
    const lines = () => figure.querySelectorAll(".uo-own .cm-line").length;
    while (lines() < 3) await new Promise((done) => setTimeout(done, 50));
    const canvas = figure.querySelector("canvas.uo-main");
    window.shipped = canvas.toDataURL();
    figure.querySelector(".uo-own [role=textbox]").focus();
    return [...figure.querySelectorAll(".uo-own .cm-line")].map((line) => line.textContent).join("\\n");
}
"""
REDRAWN = """
async () => {
    const canvas = document.querySelector("[data-figure][data-recipe] canvas.uo-main");
    const end = performance.now() + 60_000;
    while (canvas.toDataURL() === window.shipped && performance.now() < end)
        await new Promise((done) => setTimeout(done, 50));
    return [canvas.toDataURL() !== window.shipped, document.querySelector(".uo-own-said").textContent];
}
"""


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def page(request, strict):
    with getattr(engines, request.param)() as page:
        yield page


@pytest.fixture(scope="module")
def here():
    return Here()


def write(page, text: str) -> None:
    page.press("Control", "a")
    page.ask(PASTE, text)


@pytest.fixture(scope="module")
def chapter(page, strict):
    """A chapter's page, on which Python starts once."""
    page.open(f"{strict}/{CHAPTER}")
    return page


def test_an_exercise_is_written_and_checked_with_the_keyboard(chapter, here):
    exercise = get(f"{int(CHAPTER.split('/')[1][:2])}.2")
    wrong = next(wrong for wrong in exercise.wrong_answers if wrong.diagnose)
    chapter.ask(ENTER, exercise.id)
    for kind, source in (("wrong", wrong.source), ("right", exercise.solution)):
        write(chapter, source)
        chapter.press("Shift", "Enter")
        shown, expected, said = chapter.ask(JUDGED, exercise.id, here.check(Answer(exercise.id, kind, source))["html"])
        assert shown == expected
        assert f"Exercise {exercise.id}: {'Right' if kind == 'right' else ''}" in said


def test_an_edited_optimizer_draws_its_figure_again(chapter):
    rule = chapter.ask(EDIT)
    assert "theta -=" in rule
    write(chapter, rule.replace("theta -=", "theta -= 2 *"))
    assert chapter.ask(REDRAWN) == [True, ""]


@pytest.fixture(scope="module")
def python(page, strict):
    """One worker for the exercises of all chapters."""
    page.open(f"{strict}/chapters/how-to-use.html")
    lab_answers.start(page.ask, f"{strict}/_static/engine/worker.js")
    return page.ask


@pytest.mark.parametrize("exercise", [found[1] for _, _, found in chapters()], ids=lambda exercise: exercise.id)
def test_an_exercise_of_each_chapter_gets_the_notebooks_card(python, here, exercise):
    known = list(lab_answers.known_answers(exercise))
    chosen = [next(answer for answer in known if answer.kind == kind) for kind in ("solution", "wrong 0")]
    right, wrong = lab_answers.compared(python, chosen, here)
    assert right.differences + wrong.differences == []
    assert right.page["points"] == exercise.points > wrong.page["points"]
